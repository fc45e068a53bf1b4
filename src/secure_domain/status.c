/* SPDX-License-Identifier: Apache-2.0
 *
 * Security status of the channels and the conditions that ask for it (docs/formats.md, "Security
 * status").
 */
#include "domain.h"

#include "cos/rule.h"

/* Neither yes nor no: what a condition asks for cannot be told. No condition holds then. */
#define CANNOT_TELL ((cos_truth)0)

enum {
    SC_ALL = 0x80,
    SC_SECURE_MESSAGING = 0x40,
    SC_EXTERNAL = 0x20,
    SC_USER = 0x10,
    SC_NUMBER = 0x0F,
    SC_NUMBER_RFU = 0x0F,
};

/* In the data field of CREATE FILE. */
enum { TAG_NAME = 0x84 };

/* SC-DOs (cos/rule.h). */
enum {
    TAG_CONDITION_BYTE = 0x9E,
    TAG_AUTHENTICATION = 0xA4,
    TAG_CHECKSUM = 0xB4,
    TAG_CONFIDENTIALITY = 0xB8,
    TAG_REFERENCE = 0x83,
    TAG_USAGE = 0x95,
    USAGE_USER = 0x08,
    USAGE_EXTERNAL_PARTY = 0x80,
    USAGE_COMMAND = 0x10,
    USAGE_RESPONSE = 0x20,
    REFERENCE_GLOBAL_MUTUAL = 0x40,
    LEVEL_RESPONSE =
        4, /* bits of the level for responses stand this far above those for commands */
};

void cos_status_clear(struct cos_secure *secure)
{
    memset(secure->channels, 0, sizeof secure->channels);
    secure->epoch++;
}

void cos_status_forget(struct cos_secure *secure)
{
    cos_sessions_close_under(secure, ~0U, 0);
    for (size_t i = 0; i < COS_CHANNELS; i++) {
        struct cos_channel *channel = &secure->channels[i];
        channel->pins_global = channel->pins_local = 0;
        channel->keys_global = channel->keys_local = 0;
    }
    secure->epoch++;
}

static void set_bit(uint16_t *bits, uint8_t number, bool on)
{
    uint16_t bit = (uint16_t)(1U << (number & SC_NUMBER));

    *bits = (uint16_t)(on ? *bits | bit : *bits & ~bit);
}

void cos_status_set(struct cos_secure *secure, struct cos_channel *channel,
                    const struct object *object, bool on)
{
    if (object->kind == OBJECT_PIN) {
        set_bit(object->context == CONTEXT_GLOBAL ? &channel->pins_global : &channel->pins_local,
                object->number, on);
    } else {
        set_bit(object->context == CONTEXT_GLOBAL ? &channel->keys_global : &channel->keys_local,
                object->number, on);
    }
    secure->epoch++;
}

void cos_status_revoke(struct cos_secure *secure, const struct object *object)
{
    for (size_t i = 0; i < COS_CHANNELS; i++) {
        struct cos_channel *channel = &secure->channels[i];
        if (object->context == CONTEXT_GLOBAL || object->context == channel->application) {
            cos_status_set(secure, channel, object, false);
        }
    }
    if (object->kind == OBJECT_KEY) {
        cos_sessions_close_under(secure, 1U << object->context, object->number);
    }
}

/* What was verified or authenticated: bit n of number n. */
static unsigned set_bits(const struct cos_channel *channel, enum object_kind kind, bool global)
{
    if (kind == OBJECT_PIN) {
        return global ? channel->pins_global : channel->pins_local;
    }
    return global ? channel->keys_global : channel->keys_local;
}

/* Whether a PIN was verified or its verification is not required; whether a key was authenticated.
 */
static cos_truth satisfied(const struct cos_secure *secure, const struct cos_channel *channel,
                           enum object_kind kind, bool global, unsigned number)
{
    const uint8_t context = global ? CONTEXT_GLOBAL : channel->application;
    struct object pin;

    if ((set_bits(channel, kind, global) >> number & 1U) != 0) {
        return COS_YES;
    }
    if (kind != OBJECT_PIN || (!global && context == CONTEXT_GLOBAL)) {
        return COS_NO;
    }
    const enum cos_result found =
        cos_object_find(secure, OBJECT_PIN, context, (uint8_t)number, 0, &pin);
    if (found != COS_OK && found != COS_E_REFERENCE_NOT_FOUND) {
        return CANNOT_TELL;
    }
    return found == COS_OK && (pin.state & STATE_DISABLED) != 0 ? COS_YES : COS_NO;
}

bool cos_status_pin_verified(const struct cos_channel *channel, const struct object *pin)
{
    return (set_bits(channel, OBJECT_PIN, pin->context == CONTEXT_GLOBAL) >> pin->number & 1U) != 0;
}

void cos_status_bind(struct cos_secure *secure, struct cos_channel *channel, uint8_t application)
{
    if (channel->application != application) {
        channel->application = application;
        memset(&channel->environment, 0, sizeof channel->environment);
        channel->pins_local = 0;
        channel->keys_local = 0;
        secure->epoch++;
    }
}

void cos_status_leave(struct cos_secure *secure, uint8_t contexts)
{
    cos_sessions_close_under(secure, (unsigned)contexts << 1, 0);
    for (size_t i = 0; i < COS_CHANNELS; i++) {
        struct cos_channel *channel = &secure->channels[i];
        if (cos_application_among(contexts, channel->application)) {
            cos_status_bind(secure, channel, CONTEXT_GLOBAL);
        }
    }
}

enum cos_result cos_status_find(const struct cos_secure *secure, uint8_t channel, uint8_t reference,
                                enum object_kind kind, struct object *object)
{
    uint8_t context = CONTEXT_GLOBAL;

    COS_CHECK((reference & 0x60U) == 0, COS_E_P1_P2);
    COS_CHECK((reference & 0x1FU) != 0, COS_E_REFERENCE_NOT_FOUND);
    if ((reference & 0x80U) != 0) {
        context = secure->channels[channel].application;
        COS_CHECK(context != CONTEXT_GLOBAL, COS_E_REFERENCE_NOT_FOUND);
    }
    return cos_object_find(secure, kind, context, (uint8_t)(reference & 0x1FU), 0, object);
}

/* Whether the PIN or key that a condition means is satisfied. Number n: of the application. Number
 * 0: its number 1, or the global one if it has none. The rule of a global object means global PINs
 * and keys. */
static cos_truth means(const struct cos_secure *secure, const struct cos_channel *channel,
                       bool global, enum object_kind kind, uint8_t number)
{
    struct object object;

    if (number == 0) {
        enum cos_result result = COS_E_REFERENCE_NOT_FOUND;
        number = 1;
        if (!global && channel->application != CONTEXT_GLOBAL) {
            result = cos_object_find(secure, kind, channel->application, number, 0, &object);
        }
        if (result != COS_OK && result != COS_E_REFERENCE_NOT_FOUND) {
            return CANNOT_TELL;
        }
        global = result != COS_OK;
    }
    return satisfied(secure, channel, kind, global, number);
}

/* The session that the open command came through, NULL if it came through none. */
static const struct cos_session *session_of(const struct cos_secure *secure, uint8_t channel)
{
    const struct cos_session *session = cos_session_seen(secure, channel);
    const bool is = secure->in_sm && session != NULL && session->open == COS_YES &&
                    secure->held.channel == channel;

    return is ? session : NULL;
}

/* Whether it is one under mutual key `number` of a context. */
static bool is_under(const struct cos_session *session, uint8_t context, uint8_t number)
{
    return cos_session_is_iso(session) && session->context == context && session->key == number;
}

/* b7 of a condition byte: secure messaging of the issuer, or, with a number, under that mutual key
 * of the application; for the rule of a global object the global one. */
static bool is_secured(const struct cos_secure *secure, uint8_t channel, bool global,
                       uint8_t number)
{
    const struct cos_session *session = session_of(secure, channel);
    const uint8_t application = secure->channels[channel].application;

    if (session == NULL) {
        return false;
    }
    return !cos_session_is_iso(session) ||
           (global ? is_under(session, CONTEXT_GLOBAL, number)
                   : application != CONTEXT_GLOBAL && is_under(session, application, number));
}

static cos_truth satisfies(const struct cos_secure *secure, uint8_t channel, bool global,
                           uint8_t condition)
{
    static const struct {
        uint8_t bit;
        enum object_kind kind;
    } kinds[] = {{SC_EXTERNAL, OBJECT_KEY}, {SC_USER, OBJECT_PIN}};
    const struct cos_channel *status = &secure->channels[channel];
    const uint8_t number = condition & SC_NUMBER;
    unsigned asked = 0, met = 0;

    if (condition == 0x00) {
        return COS_YES;
    }
    if (condition == 0xFF || number == SC_NUMBER_RFU) {
        return COS_NO;
    }
    if ((condition & SC_SECURE_MESSAGING) != 0) {
        asked++;
        met += is_secured(secure, channel, global, number) ? 1 : 0;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if ((condition & kinds[i].bit) != 0) {
            const cos_truth truth = means(secure, status, global, kinds[i].kind, number);
            if (truth == CANNOT_TELL) {
                return CANNOT_TELL;
            }
            asked++;
            met += truth == COS_YES ? 1 : 0;
        }
    }
    bool satisfied = asked > 0 && ((condition & SC_ALL) != 0 ? met == asked : met > 0);
    return satisfied ? COS_YES : COS_NO;
}

cos_truth cos_status_satisfies(const struct cos_secure *secure, uint8_t channel, uint8_t condition)
{
    return satisfies(secure, channel, false, condition);
}

enum cos_result cos_status_require_of(const struct cos_secure *secure, uint8_t channel, bool global,
                                      uint8_t condition)
{
    COS_CHECK(satisfies(secure, channel, global, condition) == COS_YES, COS_E_SECURITY_STATUS);
    COS_INVARIANT(satisfies(secure, channel, global, condition) == COS_YES);
    return COS_OK;
}

enum cos_result cos_status_require(const struct cos_secure *secure, uint8_t channel,
                                   uint8_t condition)
{
    return cos_status_require_of(secure, channel, false, condition);
}

/* ---- Conditions that are data objects ---- */

struct asking {
    const struct cos_secure *secure;
    uint8_t channel;
};

static uint8_t value_of(const struct cos_tlv *template, uint32_t tag, uint8_t absent)
{
    struct cos_tlv object;

    return cos_tlv_find(template->value, template->length, tag, &object) == COS_OK ? object.value[0]
                                                                                   : absent;
}

/* A4: a PIN verified or a key authenticated, by reference as in P2 of VERIFY. */
static cos_truth is_authenticated(const struct asking *asking, const struct cos_tlv *template)
{
    static const struct {
        uint8_t usage;
        enum object_kind kind;
    } kinds[] = {{USAGE_EXTERNAL_PARTY, OBJECT_KEY}, {USAGE_USER, OBJECT_PIN}};
    const struct cos_channel *channel = &asking->secure->channels[asking->channel];
    const uint8_t reference = value_of(template, TAG_REFERENCE, 0);
    const uint8_t usage = value_of(template, TAG_USAGE, USAGE_USER | USAGE_EXTERNAL_PARTY);
    const unsigned number = reference & 0x7FU;
    cos_truth truth = COS_NO;

    if (number == 0 || number > OBJECT_NUMBER_MAX) {
        return CANNOT_TELL;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && truth == COS_NO; i++) {
        if ((usage & kinds[i].usage) != 0) {
            truth =
                satisfied(asking->secure, channel, kinds[i].kind, (reference & 0x80U) == 0, number);
        }
    }
    return truth;
}

/* Whether a session is under the key that 83 of B4 or B8 names: 00 to 7F the issuer's key set of
 * this version (00: of any), 8n mutual key n of the application, Cn the global one. Any other
 * reference cannot be told. */
static cos_truth is_keyed(const struct asking *asking, const struct cos_session *session,
                          uint8_t reference)
{
    const uint8_t number = reference & SC_NUMBER;
    uint8_t context = CONTEXT_GLOBAL;

    if ((reference & 0x80U) == 0) {
        return session != NULL && !cos_session_is_iso(session) &&
                       (reference == 0 || session->key == reference)
                   ? COS_YES
                   : COS_NO;
    }
    if ((reference & 0x30U) != 0 || number == 0 || number == SC_NUMBER_RFU) {
        return CANNOT_TELL;
    }
    if ((reference & REFERENCE_GLOBAL_MUTUAL) == 0) {
        context = asking->secure->channels[asking->channel].application;
        if (context == CONTEXT_GLOBAL) {
            return COS_NO;
        }
    }
    return session != NULL && is_under(session, context, number) ? COS_YES : COS_NO;
}

/* B4, B8: the bit of the session's level that means it, for the command, the response or both. */
static cos_truth is_protected(const struct asking *asking, const struct cos_tlv *template,
                              unsigned bit)
{
    const struct cos_session *session = session_of(asking->secure, asking->channel);
    const uint8_t usage = value_of(template, TAG_USAGE, USAGE_COMMAND);
    const cos_truth keyed = is_keyed(asking, session, value_of(template, TAG_REFERENCE, 0));
    unsigned level = (usage & USAGE_COMMAND) != 0 ? bit : 0;

    level |= (usage & USAGE_RESPONSE) != 0 ? bit << LEVEL_RESPONSE : 0;
    if (keyed != COS_YES) {
        return keyed;
    }
    return level != 0 && (session->level & level) == level ? COS_YES : COS_NO;
}

static cos_truth object_holds(const void *context, const struct cos_tlv *object)
{
    const struct asking *asking = context;

    switch (object->tag) {
    case TAG_CONDITION_BYTE:
        return satisfies(asking->secure, asking->channel, false, object->value[0]);
    case TAG_AUTHENTICATION:
        return is_authenticated(asking, object);
    case TAG_CHECKSUM:
        return is_protected(asking, object, COS_SM_COMMAND_MAC);
    case TAG_CONFIDENTIALITY:
        return is_protected(asking, object, COS_SM_COMMAND_ENC);
    default:
        return COS_NO; /* signatures: this card has none */
    }
}

enum cos_result cos_status_require_rule(const struct cos_secure *secure, uint8_t channel,
                                        struct cos_span condition)
{
    const struct asking asking = {secure, channel};

    COS_CHECK(cos_rule_evaluate(condition, object_holds, &asking) == COS_YES,
              COS_E_SECURITY_STATUS);
    COS_INVARIANT(cos_rule_evaluate(condition, object_holds, &asking) == COS_YES);
    return COS_OK;
}

enum cos_result cos_call_access(struct cos_secure *secure, struct cos_reader *request,
                                struct cos_writer *body)
{
    const uint8_t channel = cos_read_channel(request);
    const struct cos_span condition = cos_read_rest(request);

    COS_CHECK(!request->failed, COS_E_GATE_FORMAT);
    const enum cos_result granted = cos_status_require_rule(secure, channel, condition);
    COS_CHECK(granted == COS_OK || granted == COS_E_SECURITY_STATUS, granted);
    cos_write32(body, granted == COS_OK ? COS_YES : COS_NO);
    return COS_OK;
}

/* Only what the issuer's command says. */
static enum cos_result register_names(struct cos_secure *secure, uint8_t *context)
{
    const struct cos_held *open = &secure->held;
    struct cos_span fcp;

    COS_CHECK(cos_tlv_fcp((struct cos_span){open->data, open->length}, &fcp) == COS_OK,
              COS_E_CONDITIONS);
    return cos_application_register(secure, fcp, context);
}

/* An application begins with its security environment 1. The app chip asks for this when it turns
 * to another one, and when a session of the gate begins. */
static enum cos_result bind(struct cos_secure *secure, struct cos_channel *channel, uint8_t context,
                            struct cos_writer *body)
{
    cos_status_bind(secure, channel, context);
    cos_write8(body, context);
    return cos_environment_default(secure, channel);
}

enum cos_result cos_call_context(struct cos_secure *secure, struct cos_reader *request,
                                 struct cos_writer *body)
{
    uint8_t operation = cos_read8(request);
    uint8_t channel = cos_read_channel(request);
    struct cos_span name = cos_read_rest(request);
    uint8_t context = CONTEXT_GLOBAL;
    enum cos_result result = COS_OK;

    COS_CHECK(!request->failed, COS_E_GATE_FORMAT);
    switch (operation) {
    case COS_CONTEXT_BIND:
    case COS_CONTEXT_FIND:
        /* An application that the security chip does not know has no keys and no PINs of its own.
         */
        if (name.length != 0) {
            result = cos_application_find(secure, name, &context);
        }
        COS_CHECK(result == COS_OK || result == COS_E_REFERENCE_NOT_FOUND, result);
        if (operation == COS_CONTEXT_BIND) {
            return bind(secure, &secure->channels[channel], context, body);
        }
        break;
    case COS_CONTEXT_DROP:
        COS_CHECK(name.length == 0, COS_E_GATE_FORMAT);
        secure->in_sm = false;
        cos_channel_close_session(secure, channel);
        cos_steps_drop(secure);
        context = secure->channels[channel].application;
        break;
    case COS_CONTEXT_CLOSE:
        COS_CHECK(name.length == 0, COS_E_GATE_FORMAT);
        COS_CHECK(!secure->in_sm, COS_E_CONDITIONS);
        cos_channel_close_session(secure, channel);
        cos_steps_drop(secure);
        memset(&secure->channels[channel], 0, sizeof secure->channels[channel]);
        secure->epoch++;
        break;
    case COS_CONTEXT_REGISTER:
        COS_TRY(cos_status_require(secure, channel, CONDITION_SM));
        COS_CHECK(name.length == 0, COS_E_GATE_FORMAT);
        COS_TRY(register_names(secure, &context));
        break;
    default:
        return COS_E_GATE_FORMAT;
    }
    cos_write8(body, context);
    return COS_OK;
}
