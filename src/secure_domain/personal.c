/* SPDX-License-Identifier: Apache-2.0
 *
 * STORE DATA with sensitive data: PINs, keys and card settings from DGIs (docs/formats.md,
 * "Security objects in STORE DATA").
 */
#include "domain.h"

enum {
    DGI_PIN = 0x8010,
    DGI_KEY = 0x8020,
    DGI_CARD = 0x8030,
    DGI_PAIR = 0x8040,
    P1_LAST_BLOCK = 0x80,
    LONG_LENGTH = 0xFF,
    TAG_ALGORITHM = 0x80,
    TAG_NUMBER = 0x83,
    TAG_APPLICATION = 0x84,
    TAG_USAGE = 0x95,
    TAG_TRIES = 0xC0,
    TAG_SHORTEST = 0xC1,
    TAG_LONGEST = 0xC2,
    TAG_RESETTING_CODE = 0xC3,
    TAG_RESET_RULE = 0xC4,
    TAG_USE_RULE = 0xC5,
    TAG_LEVEL = 0xC6,
    TAG_VALUE = 0xC7,
    TAG_RECORD_RULE = 0xC8,
    TAG_FORMAT = 0xC9,
    TAG_USES = 0xCA,
    TAG_CHANGE_RULE = 0xCB,
    TAG_FLAGS = 0xCC,
    TAG_STATE = 0xCD,
    TAG_SERVICE = 0xCE,
    TRIES_PIN = 3,
    TRIES_EXTERNAL = 10,
    TRIES_MAX = 15, /* what 63CX can say */
    PIN_SHORTEST = 4,
    PIN_LONGEST = 12,
};

/* Attributes that are taken as they come: tag, kind of object (OBJECT_FREE: PINs and keys), place
 * in struct object, length. */
static const struct {
    uint8_t tag, kind, at, length;
} attributes[] = {
    {TAG_NUMBER, OBJECT_FREE, offsetof(struct object, number), 1},
    {TAG_TRIES, OBJECT_FREE, offsetof(struct object, tries_max), 1},
    {TAG_SHORTEST, OBJECT_FREE, offsetof(struct object, shortest), 1},
    {TAG_LONGEST, OBJECT_FREE, offsetof(struct object, longest), 1},
    {TAG_RESETTING_CODE, OBJECT_PIN, offsetof(struct object, resetting_code), 1},
    {TAG_RESET_RULE, OBJECT_PIN, offsetof(struct object, reset_rule), 1},
    {TAG_FORMAT, OBJECT_FREE, offsetof(struct object, format), 1},
    {TAG_CHANGE_RULE, OBJECT_FREE, offsetof(struct object, change_rule), 1},
    {TAG_FLAGS, OBJECT_FREE, offsetof(struct object, flags), 1},
    {TAG_STATE, OBJECT_PIN, offsetof(struct object, state), 1},
    {TAG_ALGORITHM, OBJECT_KEY, offsetof(struct object, algorithm), 1},
    {TAG_USAGE, OBJECT_KEY, offsetof(struct object, usage), 1},
    {TAG_SERVICE, OBJECT_KEY, offsetof(struct object, service), 1},
    {TAG_USE_RULE, OBJECT_KEY, offsetof(struct object, use_rule), 1},
    {TAG_LEVEL, OBJECT_KEY, offsetof(struct object, level), 5}, /* and valid_to */
};

static enum cos_result take_attribute(const struct cos_tlv *tlv, struct object *object)
{
    for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++) {
        if (attributes[i].tag == tlv->tag &&
            (attributes[i].kind == OBJECT_FREE || attributes[i].kind == object->kind)) {
            COS_CHECK(tlv->length == attributes[i].length, COS_E_DATA);
            memcpy((uint8_t *)object + attributes[i].at, tlv->value, tlv->length);
            return COS_OK;
        }
    }
    return COS_E_DATA;
}

static enum cos_result take_all(const struct cos_secure *secure, struct cos_span dgi,
                                struct object *object, struct cos_span *value)
{
    struct cos_reader reader = cos_reader(dgi.data, dgi.length);
    struct cos_tlv tlv;
    enum cos_result result;

    while ((result = cos_tlv_next(&reader, &tlv)) == COS_OK) {
        const struct cos_span content = {tlv.value, tlv.length};
        if (tlv.tag == TAG_VALUE) {
            *value = content;
        } else if (tlv.tag == TAG_APPLICATION) {
            COS_TRY(cos_application_find(secure, content, &object->context));
        } else if (tlv.tag == TAG_USES) {
            COS_CHECK(tlv.length == 2, COS_E_DATA);
            object->uses_left = cos_get16(tlv.value);
        } else {
            COS_TRY(take_attribute(&tlv, object));
        }
    }
    COS_CHECK(result == COS_E_END_OF_DATA, COS_E_DATA);
    return COS_OK;
}

/* A condition that could never hold, or would mean nothing (ISO/IEC 7816-4:2013, table 20), is
 * refused as it is in the rule of a file. */
static bool is_condition(uint8_t sc)
{
    return sc == 0x00 || sc == 0xFF || ((sc & 0x70U) != 0 && (sc & 0x0FU) != 0x0FU);
}

/* What is disabled is a PIN that may be, and no transport PIN. */
static bool state_allowed(const struct object *pin)
{
    return (pin->flags & ~FLAG_MAY_DISABLE) == 0 &&
           (pin->state == 0 || pin->state == STATE_TRANSPORT ||
            (pin->state == STATE_DISABLED && pin->flags != 0));
}

static bool pin_consistent(const struct object *pin, struct cos_span value)
{
    return cos_pin_format_valid(pin) && cos_pin_check(pin, value) == COS_OK &&
           pin->tries_max >= 1 && pin->uses_left >= 1 && pin->resetting_code < OBJECT_NUMBER_MAX &&
           pin->resetting_code != pin->number && is_condition(pin->reset_rule) &&
           is_condition(pin->change_rule) && state_allowed(pin);
}

/* A symmetric key has one purpose. */
static bool has_one_purpose(const struct object *key)
{
    static const struct {
        uint8_t usage, service; /* service: any of these */
    } purposes[] = {
        {USAGE_INTERNAL, 0},
        {USAGE_EXTERNAL, 0},
        {USAGE_ACCESS_PROOF, 0},
        {USAGE_MUTUAL, 0},
        {0, SERVICE_ENCIPHER | SERVICE_DECIPHER},
        {0, SERVICE_CHECKSUM | SERVICE_VERIFY_CHECKSUM},
        {0, SERVICE_OTP},
    };

    for (size_t i = 0; i < sizeof purposes / sizeof purposes[0]; i++) {
        if (key->usage == purposes[i].usage && (key->service & ~purposes[i].service) == 0 &&
            (key->service != 0) == (purposes[i].service != 0)) {
            return true;
        }
    }
    return false;
}

static bool symmetric_consistent(const struct cos_secure *secure, const struct object *key,
                                 size_t length)
{
    const bool authenticates = key->usage != 0, mutual = key->usage == USAGE_MUTUAL;
    const size_t one = mutual ? length / 2 : length; /* mutual: K.ENC, K.MAC */

    switch (key->algorithm) {
    case ALGORITHM_AES:
        return key->format == 0 && key->service != SERVICE_OTP &&
               (one == 16 || one == 24 || one == 32) && (!mutual || length % 2 == 0);
    case ALGORITHM_DES3:
        return key->format == 0 && length == (mutual ? 32 : 24) &&
               key->usage != USAGE_ACCESS_PROOF && key->service != SERVICE_OTP;
    case ALGORITHM_HMAC:
        return key->format < COS_HASHES &&
               (secure->config.crypto->hashes & 1U << key->format) != 0 && length >= 16 &&
               length <= OBJECT_SECRET_MAX && !authenticates &&
               (key->service & (SERVICE_CHECKSUM | SERVICE_VERIFY_CHECKSUM | SERVICE_OTP)) != 0;
    default:
        return false;
    }
}

static bool is_pair(const struct object *key)
{
    return key->algorithm == ALGORITHM_RSA || key->algorithm == ALGORITHM_EC;
}

/* Whether it has one purpose: authenticating others, or verifying and enciphering for them. */
static bool public_consistent(const struct object *key)
{
    const unsigned services =
        key->algorithm == ALGORITHM_RSA ? SERVICE_SIGN | SERVICE_ENCIPHER : SERVICE_SIGN;

    return key->usage == USAGE_EXTERNAL
               ? key->service == 0
               : key->usage == 0 && key->service != 0 && (key->service & ~services) == 0;
}

/* A key pair, or public key, is made empty: it is generated, or imported by a command of its own.
 */
static bool pair_consistent(const struct cos_secure *secure, const struct object *key,
                            size_t length)
{
    const unsigned services = key->algorithm == ALGORITHM_RSA
                                  ? SERVICE_SIGN | SERVICE_DECIPHER | SERVICE_ENCIPHER
                                  : SERVICE_SIGN | SERVICE_AGREE;

    if (length != 0 || !cos_material_served(secure, key)) {
        return false;
    }
    if ((key->flags & FLAG_PUBLIC) != 0) {
        return public_consistent(key);
    }
    return (key->usage | key->service) != 0 && (key->usage & ~USAGE_INTERNAL) == 0 &&
           ((key->service & ~services) == 0 || (key->service == SERVICE_ATTEST && key->usage == 0));
}

static bool key_consistent(const struct cos_secure *secure, const struct object *key, size_t length)
{
    const bool asks_user = key->use_rule != 0xFF && (key->use_rule & 0x10U) != 0;
    const bool one_time = key->service == SERVICE_OTP;
    const unsigned flags = key->flags & ~(is_pair(key) ? FLAG_PUBLIC : 0U);
    const bool is_counted_by_tries = key->usage == USAGE_EXTERNAL || key->usage == USAGE_MUTUAL;

    return (one_time ? cos_one_time_consistent(key) : key->shortest == 0 && key->longest == 0) &&
           (is_pair(key) ? pair_consistent(secure, key, length)
                         : symmetric_consistent(secure, key, length) && has_one_purpose(key)) &&
           is_condition(key->use_rule) && is_condition(key->change_rule) && key->uses_left != 0 &&
           (flags == 0 || (flags == FLAG_EACH_USE && asks_user)) &&
           (!is_counted_by_tries || (flags == 0 && key->uses_left == USES_UNLIMITED));
}

static enum cos_result check(const struct cos_secure *secure, struct object *object,
                             struct cos_span value)
{
    /* Who guesses a signature gains nothing by trying; who blocks the key does. */
    if (object->kind == OBJECT_KEY && object->tries_max == 0 && !is_pair(object) &&
        (object->usage == USAGE_EXTERNAL || object->usage == USAGE_MUTUAL)) {
        object->tries_max = TRIES_EXTERNAL;
    }
    if (object->kind == OBJECT_KEY && object->service == SERVICE_OTP) {
        object->shortest = object->shortest != 0 ? object->shortest : ONE_TIME_DIGITS;
        object->longest = object->longest != 0 ? object->longest : ONE_TIME_HOTP | ONE_TIME_OCRA;
    }
    bool consistent = object->kind == OBJECT_PIN ? pin_consistent(object, value)
                                                 : key_consistent(secure, object, value.length);
    COS_CHECK(consistent && object->number >= 1 && object->number <= OBJECT_NUMBER_MAX - 1 &&
                  object->tries_max <= TRIES_MAX,
              COS_E_DATA);
    object->length = (uint8_t)value.length;
    object->tries_left = object->tries_max;
    return COS_OK;
}

/* Whether this command already brought an object of the same kind, context and number. */
static bool brought_twice(const struct cos_secure *secure, const struct object *object)
{
    const struct cos_secure_change *change = &secure->change;

    for (size_t i = 0; i < change->count; i++) {
        const uint8_t *entry = change->edits[i].data;
        if (change->edits[i].length == OBJECT_ENTRY && entry[0] == object->kind &&
            entry[1] == object->context && entry[2] == object->number) {
            return true;
        }
    }
    return false;
}

static enum cos_result store_object(struct cos_secure *secure, enum object_kind kind,
                                    struct cos_span dgi)
{
    struct object object = {
        .kind = (uint8_t)kind,
        .context = CONTEXT_GLOBAL,
        .change_rule = 0xFF,
        .uses_left = USES_UNLIMITED,
    };
    struct cos_span value = {NULL, 0};

    if (kind == OBJECT_PIN) {
        object.tries_max = TRIES_PIN;
        object.shortest = PIN_SHORTEST;
        object.longest = PIN_LONGEST;
        object.reset_rule = 0xFF;
    }
    COS_TRY(take_all(secure, dgi, &object, &value));
    COS_TRY(check(secure, &object, value));
    COS_CHECK(!brought_twice(secure, &object), COS_E_DATA);
    COS_TRY(cos_object_place(secure, &object)); /* of an older one, if there is one */
    if (value.length == 0) {
        cos_object_put_empty(secure, &object);
        return COS_OK;
    }
    return cos_object_put(secure, &object, value.data);
}

static enum cos_result store_card(struct cos_secure *secure, struct cos_span dgi)
{
    struct cos_reader reader = cos_reader(dgi.data, dgi.length);
    struct cos_tlv tlv;

    COS_CHECK(cos_tlv_next(&reader, &tlv) == COS_OK && tlv.tag == TAG_RECORD_RULE, COS_E_DATA);
    COS_CHECK(reader.length == 0 && tlv.length == 1 && is_condition(tlv.value[0]), COS_E_DATA);
    cos_state_add8(secure, STATE_RECORD_RULE, tlv.value[0]);
    return COS_OK;
}

static enum cos_result store_dgi(struct cos_secure *secure, uint16_t number, struct cos_span dgi)
{
    switch (number) {
    case DGI_PIN:
        return store_object(secure, OBJECT_PIN, dgi);
    case DGI_KEY:
        return store_object(secure, OBJECT_KEY, dgi);
    case DGI_CARD:
        return store_card(secure, dgi);
    default:
        return COS_E_REFERENCE_NOT_FOUND;
    }
}

/* A data group: number, length (a byte, or FF and two), value. */
struct group {
    uint16_t number;
    struct cos_span value;
};

/* Takes the next one. COS_E_END_OF_DATA: what is left is none, or not all of one; COS_E_DATA: a
 * length that is longer than it need be. */
static enum cos_result next_group(struct cos_reader *reader, struct group *group)
{
    struct cos_reader ahead = *reader;

    group->number = cos_read16(&ahead);
    group->value.length = cos_read8(&ahead);
    if (group->value.length == LONG_LENGTH) {
        group->value.length = cos_read16(&ahead);
        COS_CHECK(ahead.failed || group->value.length >= LONG_LENGTH, COS_E_DATA);
    }
    group->value.data = cos_read_bytes(&ahead, group->value.length);
    COS_CHECK(!ahead.failed, COS_E_END_OF_DATA);
    *reader = ahead;
    return COS_OK;
}

/* The beginning of a group waits in front of the next block (sm.c), if there is to be one. */
static enum cos_result keep(struct cos_secure *secure, struct cos_span rest)
{
    struct cos_held *held = &secure->held;

    if (rest.length != 0) {
        memmove(held->data, rest.data, rest.length);
    }
    held->kept = (uint16_t)rest.length;
    return COS_OK;
}

enum cos_result cos_personal_store(struct cos_secure *secure, struct cos_span data,
                                   uint16_t waiting)
{
    const bool is_last = (secure->held.p1 & P1_LAST_BLOCK) != 0;
    struct cos_reader reader = cos_reader(data.data, data.length);
    struct group group;
    enum cos_result result = next_group(&reader, &group);

    if (result == COS_OK && group.number == DGI_PAIR && reader.length == 0) {
        return cos_pair_import(secure, group.value, waiting); /* in transactions of its own */
    }
    COS_TRY(cos_content_sweep(secure)); /* if a deletion could not finish it */
    cos_change_start(secure);
    for (; result == COS_OK; result = next_group(&reader, &group)) {
        COS_TRY(store_dgi(secure, group.number, group.value));
    }
    COS_CHECK(result == COS_E_END_OF_DATA && (reader.length == 0 || !is_last), COS_E_DATA);
    COS_CHECK(!secure->change.failed, COS_E_LENGTH); /* more objects than one command may bring */
    if (secure->change.count == 0) {
        secure->waiting = waiting; /* the other factor has not come yet */
        return keep(secure, (struct cos_span){reader.data, reader.length});
    }
    cos_status_forget(secure); /* a replaced PIN or key is not the one that was verified */
    COS_TRY(cos_change_commit(secure));
    COS_TRY(cos_content_sweep(secure)); /* what was replaced */
    COS_TRY(cos_state_load(secure));
    return keep(secure, (struct cos_span){reader.data, reader.length});
}
