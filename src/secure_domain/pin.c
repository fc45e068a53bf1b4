/* SPDX-License-Identifier: Apache-2.0
 *
 * PINs: VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER (ISO/IEC 7816-4:2013, 11.5.6
 * to 11.5.10). Every way to a comparison spends a try first.
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
_Static_assert(COS_PIN_MAX < OBJECT_SECRET_MAX, "a PIN and its length fit a secret");

/* Spends a try and compares. COS_OK if right, with the try still spent: the caller gives it back,
 * alone or together with what else it writes. A wrong PIN takes the verified status away. */
static enum cos_result compare(struct cos_secure *secure, struct cos_channel *status,
                               struct object *pin, struct cos_span presented)
{
    uint8_t tries = pin->tries_left;

    cos_status_set(secure, status, pin, false);
    COS_TRY(cos_object_spend(secure, pin));
    COS_INVARIANT(pin->tries_max == 0 || pin->tries_left + 1 == tries);
    COS_TRY(cos_object_secret(secure, pin, secure->clear.secret));
    cos_truth right = equal_pin(secure, pin, presented);
    cos_truth right_again = equal_pin(secure, pin, presented);
    COS_CHECK(right == COS_YES, cos_tries_left(pin->tries_left));
    COS_INVARIANT(right_again == COS_YES);
    return COS_OK;
}

static bool length_allowed(const struct object *pin, size_t length)
{
    return length >= pin->shortest && length <= pin->longest && length <= COS_PIN_MAX;
}

static enum cos_result verify(struct cos_secure *secure, struct pin_request *request)
{
    COS_CHECK(length_allowed(&request->pin, request->data.length), COS_E_LENGTH);
    COS_TRY(compare(secure, request->status, &request->pin, request->data));
    COS_TRY(cos_object_restore(secure, &request->pin));
    cos_status_set(secure, request->status, &request->pin, true);
    return COS_OK;
}

static enum cos_result query(const struct pin_request *request)
{
    COS_CHECK(request->data.length == 0, COS_E_GATE_FORMAT);
    if (cos_status_pin_verified(request->status, &request->pin)) {
        return COS_OK;
    }
    COS_CHECK(request->pin.tries_left > 0, COS_E_METHOD_BLOCKED);
    return cos_tries_left(request->pin.tries_left);
}

/* Writes a new value and gives all tries back, in one transaction. */
static enum cos_result replace(struct cos_secure *secure, struct object *pin, struct cos_span value)
{
    pin->length = (uint8_t)value.length;
    pin->tries_left = pin->tries_max;
    cos_change_start(secure);
    COS_TRY(cos_object_put(secure, pin, value.data));
    return cos_change_commit(secure);
}

/* Data of two parts: the first has the length of the stored value. That length is not told to
 * anybody who does not know the value: whatever is too short is compared and is wrong. */
static void split(const struct object *code, struct cos_span data, struct cos_span *first,
                  struct cos_span *second)
{
    size_t cut = data.length < code->length ? data.length : code->length;

    *first = (struct cos_span){data.data, cut};
    *second = (struct cos_span){data.data + cut, data.length - cut};
}

static enum cos_result change(struct cos_secure *secure, struct pin_request *request)
{
    struct object *pin = &request->pin;
    struct cos_span old_value, new_value;

    COS_CHECK(request->data.length >= 2, COS_E_LENGTH);
    split(pin, request->data, &old_value, &new_value);
    COS_TRY(compare(secure, request->status, pin, old_value));
    if (!length_allowed(pin, new_value.length)) {
        COS_TRY(cos_object_restore(secure, pin));
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
    struct object code;
    struct cos_span code_value = request->data, new_value = {NULL, 0};

    COS_CHECK(request->pin.resetting_code != 0, COS_E_CONDITIONS);
    COS_TRY(cos_object_find(secure, OBJECT_PIN, request->pin.context, request->pin.resetting_code,
                            0, &code));
    COS_CHECK(request->data.length >= 1, COS_E_LENGTH);
    if (with_new_value) {
        split(&code, request->data, &code_value, &new_value);
    }
    COS_TRY(compare(secure, request->status, &code, code_value));
    COS_TRY(cos_object_restore(secure, &code));
    COS_CHECK(!with_new_value || length_allowed(&request->pin, new_value.length), COS_E_DATA);
    return reset(secure, request, new_value);
}

static enum cos_result reset_by_rule(struct cos_secure *secure, struct pin_request *request,
                                     bool with_new_value)
{
    COS_TRY(cos_status_require_of(secure, request->channel, request->pin.context == CONTEXT_GLOBAL,
                                  request->pin.reset_rule));
    COS_CHECK(with_new_value || request->data.length == 0, COS_E_GATE_FORMAT);
    COS_CHECK(!with_new_value || length_allowed(&request->pin, request->data.length), COS_E_DATA);
    return reset(secure, request, request->data);
}

/* INS of the command whose held data an operation takes; 0 = it has no data. */
static uint8_t instruction_of(uint8_t operation)
{
    switch (operation) {
    case COS_PIN_VERIFY:
        return 0x20;
    case COS_PIN_CHANGE:
        return 0x24;
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
    /* What came under secure messaging is held; other data are not the terminal's. */
    COS_CHECK(!secure->in_sm || request.held || request.data.length == 0, COS_E_CONDITIONS);
    request.status = &secure->channels[request.channel];
    COS_TRY(take_data(secure, operation, &request));
    COS_TRY(cos_status_find(secure, request.channel, request.reference, OBJECT_PIN, &request.pin));
    switch (operation) {
    case COS_PIN_VERIFY:
        return verify(secure, &request);
    case COS_PIN_QUERY:
        return query(&request);
    case COS_PIN_CHANGE:
        return change(secure, &request);
    case COS_PIN_UNBLOCK:
        return unblock(secure, &request, true);
    case COS_PIN_UNBLOCK_ONLY:
        return unblock(secure, &request, false);
    case COS_PIN_RESET:
        return reset_by_rule(secure, &request, true);
    case COS_PIN_RESET_ONLY:
        return reset_by_rule(secure, &request, false);
    default:
        return COS_E_GATE_FORMAT;
    }
}
