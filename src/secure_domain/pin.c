/* SPDX-License-Identifier: Apache-2.0
 *
 * PINs: VERIFY, CHANGE REFERENCE DATA, ENABLE and DISABLE VERIFICATION REQUIREMENT, RESET RETRY
 * COUNTER (ISO/IEC 7816-4:2013, 11.5.6 to 11.5.10). Every way to a comparison spends a try first,
 * and every right one costs a use, which is written before anything comes of it.
 */
#include "domain.h"

/* A PIN request, taken apart. */
struct pin_request {
    uint8_t channel, reference;
    bool held;
    struct cos_span data;
    struct cos_channel *status;
    struct object pin;
};

/* Compares bytes and, behind them, length in constant time: the longest PIN leaves a byte of the
 * secret free. */
static cos_truth equal_pin(struct cos_secure *secure, const struct object *pin,
                           struct cos_span presented)
{
    uint8_t *expected = secure->clear.secret, *given = secure->clear.work;

    expected[COS_PIN_MAX] = pin->length;
    memset(given, 0, COS_PIN_MAX);
    memcpy(given, presented.data, presented.length <= COS_PIN_MAX ? presented.length : COS_PIN_MAX);
    given[COS_PIN_MAX] = (uint8_t)presented.length;
    return cos_equal_secret(expected, given, COS_PIN_MAX + 1);
}
_Static_assert(COS_PIN_MAX < OBJECT_SLOT_SECRET, "a PIN and its length fit a slot");

static bool is_global(const struct object *pin)
{
    return pin->context == CONTEXT_GLOBAL;
}

/* Blocked, or used up. */
static enum cos_result check_usable(const struct object *pin)
{
    COS_CHECK(pin->tries_left > 0, COS_E_METHOD_BLOCKED);
    COS_CHECK(pin->uses_left > 0, COS_E_NOT_USABLE);
    return COS_OK;
}

/* Spends a try and compares. COS_OK if right: *pin has all tries back then and a use less, but in
 * memory only: the caller writes that, alone or together with what else it changes. A wrong PIN
 * takes the verified status away. */
static enum cos_result compare(struct cos_secure *secure, struct cos_channel *status,
                               struct object *pin, struct cos_span presented)
{
    uint8_t tries = pin->tries_left;

    cos_status_set(secure, status, pin, false);
    COS_TRY(check_usable(pin));
    COS_TRY(cos_object_spend(secure, pin));
    COS_INVARIANT(pin->tries_left + 1 == tries);
    COS_TRY(cos_object_secret(secure, pin, secure->clear.secret));
    cos_truth right = equal_pin(secure, pin, presented);
    cos_truth right_again = equal_pin(secure, pin, presented);
    COS_CHECK(right == COS_YES, cos_tries_left(pin->tries_left));
    COS_INVARIANT(right_again == COS_YES);
    pin->tries_left = pin->tries_max;
    pin->uses_left = (uint16_t)(pin->uses_left - (pin->uses_left != USES_UNLIMITED));
    return COS_OK;
}

/* The same for a value that comes by itself. What this PIN cannot be, whatever it is, costs no try:
 * that tells nothing about it. A transport PIN serves for CHANGE REFERENCE DATA only. */
static enum cos_result present(struct cos_secure *secure, struct cos_channel *status,
                               struct object *pin, struct cos_span presented)
{
    COS_TRY(cos_pin_check(pin, presented));
    COS_CHECK((pin->state & STATE_TRANSPORT) == 0, COS_E_CONDITIONS);
    return compare(secure, status, pin, presented);
}

static enum cos_result verify(struct cos_secure *secure, struct pin_request *request)
{
    COS_TRY(present(secure, request->status, &request->pin, request->data));
    COS_TRY(cos_object_write(secure, &request->pin));
    cos_status_set(secure, request->status, &request->pin, true);
    return COS_OK;
}

static enum cos_result query(const struct pin_request *request)
{
    const struct object *pin = &request->pin;

    COS_CHECK(request->data.length == 0, COS_E_GATE_FORMAT);
    if (cos_status_pin_verified(request->status, pin) || (pin->state & STATE_DISABLED) != 0) {
        return COS_OK;
    }
    COS_TRY(check_usable(pin));
    return cos_tries_left(pin->tries_left);
}

static enum cos_result drop(struct cos_secure *secure, const struct pin_request *request)
{
    COS_CHECK(request->data.length == 0, COS_E_GATE_FORMAT);
    cos_status_set(secure, request->status, &request->pin, false);
    return COS_OK;
}

/* Writes a new value and gives all tries back, in one transaction. */
static enum cos_result replace(struct cos_secure *secure, struct object *pin, struct cos_span value)
{
    pin->length = (uint8_t)value.length;
    pin->tries_left = pin->tries_max;
    pin->state &= (uint8_t)~STATE_TRANSPORT;
    cos_status_revoke(secure, pin);
    cos_change_start(secure);
    COS_TRY(cos_object_put(secure, pin, value.data));
    return cos_change_commit(secure);
}

/* Data of two parts: the first has the length of the stored value. Where that is no secret, because
 * all values have it, malformed parts are refused before a try is spent. Else the length is not
 * told to anybody who does not know the value: whatever is too short is compared and is wrong. */
static enum cos_result split(const struct object *code, const struct object *pin,
                             struct cos_span data, struct cos_span *first, struct cos_span *second)
{
    size_t cut = data.length < code->length ? data.length : code->length;

    *first = (struct cos_span){data.data, cut};
    *second = (struct cos_span){data.data + cut, data.length - cut};
    if (cos_pin_has_one_size(code)) {
        COS_TRY(cos_pin_check(code, *first));
        COS_CHECK(cos_pin_check(pin, *second) == COS_OK, COS_E_DATA);
    }
    return COS_OK;
}

/* Who got a transport PIN chooses another one. */
static bool may_follow(const struct object *pin, struct cos_span old_value,
                       struct cos_span new_value)
{
    return (pin->state & STATE_TRANSPORT) == 0 || old_value.length != new_value.length ||
           cos_equal_secret(old_value.data, new_value.data, old_value.length) == COS_NO;
}

static enum cos_result change(struct cos_secure *secure, struct pin_request *request)
{
    struct object *pin = &request->pin;
    struct cos_span old_value, new_value;

    COS_CHECK(request->data.length >= 2, COS_E_LENGTH);
    COS_TRY(split(pin, pin, request->data, &old_value, &new_value));
    COS_TRY(compare(secure, request->status, pin, old_value));
    if (cos_pin_check(pin, new_value) != COS_OK || !may_follow(pin, old_value, new_value)) {
        COS_TRY(cos_object_write(secure, pin));
        return COS_E_DATA;
    }
    COS_TRY(replace(secure, pin, new_value));
    cos_status_set(secure, request->status, pin, true);
    return COS_OK;
}

/* Resets the counter of the PIN, and sets a new value if there is one. */
static enum cos_result reset(struct cos_secure *secure, struct pin_request *request,
                             struct cos_span new_value)
{
    cos_status_set(secure, request->status, &request->pin, false);
    if (new_value.length != 0) {
        return replace(secure, &request->pin, new_value);
    }
    return cos_object_restore(secure, &request->pin);
}

static enum cos_result unblock(struct cos_secure *secure, struct pin_request *request,
                               bool with_new_value)
{
    struct object code, *pin = &request->pin;
    struct cos_span code_value, new_value = {NULL, 0};

    COS_CHECK(pin->resetting_code != 0, COS_E_CONDITIONS);
    COS_TRY(cos_object_find(secure, OBJECT_PIN, pin->context, pin->resetting_code, 0, &code));
    COS_CHECK(request->data.length >= 1, COS_E_LENGTH);
    if (with_new_value) {
        COS_TRY(split(&code, pin, request->data, &code_value, &new_value));
        COS_CHECK((code.state & STATE_TRANSPORT) == 0, COS_E_CONDITIONS);
        COS_TRY(compare(secure, request->status, &code, code_value));
    } else {
        COS_TRY(present(secure, request->status, &code, request->data));
    }
    COS_TRY(cos_object_write(secure, &code));
    COS_CHECK(!with_new_value || cos_pin_check(pin, new_value) == COS_OK, COS_E_DATA);
    return reset(secure, request, new_value);
}

static enum cos_result require(const struct cos_secure *secure, const struct pin_request *request,
                               uint8_t rule)
{
    return cos_status_require_of(secure, request->channel, is_global(&request->pin), rule);
}

static enum cos_result reset_by_rule(struct cos_secure *secure, struct pin_request *request,
                                     bool with_new_value)
{
    COS_TRY(require(secure, request, request->pin.reset_rule));
    COS_CHECK(with_new_value || request->data.length == 0, COS_E_GATE_FORMAT);
    COS_CHECK(!with_new_value || cos_pin_check(&request->pin, request->data) == COS_OK, COS_E_DATA);
    return reset(secure, request, request->data);
}

/* The new value was not presented against the old one: nobody is verified by it. What is blocked
 * stays blocked. */
static enum cos_result change_by_rule(struct cos_secure *secure, struct pin_request *request)
{
    COS_TRY(require(secure, request, request->pin.change_rule));
    COS_TRY(check_usable(&request->pin));
    COS_CHECK(cos_pin_check(&request->pin, request->data) == COS_OK, COS_E_DATA);
    return reset(secure, request, request->data);
}

/* ENABLE and DISABLE VERIFICATION REQUIREMENT: with the PIN, or after it. */
static enum cos_result set_requirement(struct cos_secure *secure, struct pin_request *request,
                                       bool disabled, bool with_value)
{
    struct object *pin = &request->pin;

    COS_CHECK((pin->flags & FLAG_MAY_DISABLE) != 0, COS_E_CONDITIONS);
    if (with_value) {
        COS_TRY(present(secure, request->status, pin, request->data));
    } else {
        COS_CHECK(request->data.length == 0, COS_E_GATE_FORMAT);
        COS_CHECK(cos_status_pin_verified(request->status, pin), COS_E_SECURITY_STATUS);
        COS_TRY(check_usable(pin));
        COS_INVARIANT(cos_status_pin_verified(request->status, pin));
    }
    pin->state = (uint8_t)(disabled ? pin->state | STATE_DISABLED : pin->state & ~STATE_DISABLED);
    COS_TRY(cos_object_write(secure, pin));
    cos_status_set(secure, request->status, pin, true);
    return COS_OK;
}

/* INS of the command whose held data an operation takes; 0 = it has no data. */
static uint8_t instruction_of(uint8_t operation)
{
    switch (operation) {
    case COS_PIN_VERIFY:
        return 0x20;
    case COS_PIN_CHANGE:
    case COS_PIN_CHANGE_ONLY:
        return 0x24;
    case COS_PIN_DISABLE:
        return 0x26;
    case COS_PIN_ENABLE:
        return 0x28;
    case COS_PIN_UNBLOCK:
    case COS_PIN_UNBLOCK_ONLY:
    case COS_PIN_RESET:
        return 0x2C;
    default:
        return 0;
    }
}

/* That P1 and P2 are those of the operation was seen by cos_sm_bound(). */
static enum cos_result take_data(struct cos_secure *secure, uint8_t operation,
                                 struct pin_request *request)
{
    if (!request->held) {
        return COS_OK;
    }
    COS_CHECK(request->data.length == 0 && instruction_of(operation) != 0, COS_E_GATE_FORMAT);
    return cos_held_take(secure, request->channel, instruction_of(operation), &request->data);
}

static enum cos_result execute(struct cos_secure *secure, uint8_t operation,
                               struct pin_request *request)
{
    switch (operation) {
    case COS_PIN_VERIFY:
        return verify(secure, request);
    case COS_PIN_QUERY:
        return query(request);
    case COS_PIN_DROP:
        return drop(secure, request);
    case COS_PIN_CHANGE:
        return change(secure, request);
    case COS_PIN_CHANGE_ONLY:
        return change_by_rule(secure, request);
    case COS_PIN_UNBLOCK:
    case COS_PIN_UNBLOCK_ONLY:
        return unblock(secure, request, operation == COS_PIN_UNBLOCK);
    case COS_PIN_RESET:
    case COS_PIN_RESET_ONLY:
        return reset_by_rule(secure, request, operation == COS_PIN_RESET);
    case COS_PIN_DISABLE:
    case COS_PIN_DISABLE_ONLY:
        return set_requirement(secure, request, true, operation == COS_PIN_DISABLE);
    case COS_PIN_ENABLE:
    case COS_PIN_ENABLE_ONLY:
        return set_requirement(secure, request, false, operation == COS_PIN_ENABLE);
    default:
        return COS_E_GATE_FORMAT;
    }
}

enum cos_result cos_call_pin(struct cos_secure *secure, struct cos_reader *reader,
                             struct cos_writer *body)
{
    struct pin_request request = {0};
    uint8_t operation = cos_read8(reader);

    (void)body; /* a PIN call answers a result only */
    request.channel = cos_read_channel(reader);
    request.reference = cos_read8(reader);
    uint8_t held = cos_read8(reader);
    request.data = cos_read_rest(reader);
    COS_CHECK(!reader->failed && held <= 1, COS_E_GATE_FORMAT);
    request.held = held == 1;
    /* What came under secure messaging is held, and other data are not the terminal's; nor is a
     * question about the PIN the answer to one that was sent. */
    COS_CHECK(!secure->in_sm || (request.held == secure->held.used && request.data.length == 0),
              COS_E_CONDITIONS);
    request.status = &secure->channels[request.channel];
    COS_TRY(take_data(secure, operation, &request));
    COS_TRY(cos_status_find(secure, request.channel, request.reference, OBJECT_PIN, &request.pin));
    return execute(secure, operation, &request);
}
