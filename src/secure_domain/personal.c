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
    TRIES_PIN = 3,
    TRIES_EXTERNAL = 10,
    TRIES_MAX = 15, /* what 63CX can say */
    PIN_SHORTEST = 4,
    PIN_LONGEST = 12,
};

/* Sets *field to the one byte of an optional object. */
static enum cos_result take8(const struct cos_tlv *tlv, uint8_t *field)
{
    COS_CHECK(tlv->length == 1, COS_E_DATA);
    *field = tlv->value[0];
    return COS_OK;
}

static enum cos_result take_level(const struct cos_tlv *tlv, struct object *object)
{
    COS_CHECK(tlv->length == 5, COS_E_DATA);
    object->level = tlv->value[0];
    memcpy(object->valid_to, tlv->value + 1, 4);
    return COS_OK;
}

/* What PINs and keys have in common. COS_E_FUNCTION: the object is none of those. */
static enum cos_result take_common(const struct cos_secure *secure, const struct cos_tlv *tlv,
                                   struct object *object, struct cos_span *value)
{
    switch (tlv->tag) {
    case TAG_NUMBER:
        return take8(tlv, &object->number);
    case TAG_APPLICATION:
        return cos_application_find(secure, (struct cos_span){tlv->value, tlv->length},
                                    &object->context);
    case TAG_TRIES:
        return take8(tlv, &object->tries_max);
    case TAG_VALUE:
        *value = (struct cos_span){tlv->value, tlv->length};
        return COS_OK;
    default:
        return COS_E_FUNCTION;
    }
}

static enum cos_result take_pin(const struct cos_tlv *tlv, struct object *object)
{
    switch (tlv->tag) {
    case TAG_SHORTEST:
        return take8(tlv, &object->shortest);
    case TAG_LONGEST:
        return take8(tlv, &object->longest);
    case TAG_RESETTING_CODE:
        return take8(tlv, &object->resetting_code);
    case TAG_RESET_RULE:
        return take8(tlv, &object->reset_rule);
    default:
        return COS_E_DATA;
    }
}

static enum cos_result take_key(const struct cos_tlv *tlv, struct object *object)
{
    switch (tlv->tag) {
    case TAG_ALGORITHM:
        return take8(tlv, &object->algorithm);
    case TAG_USAGE:
        return take8(tlv, &object->usage);
    case TAG_USE_RULE:
        return take8(tlv, &object->use_rule);
    case TAG_LEVEL:
        return take_level(tlv, object);
    default:
        return COS_E_DATA;
    }
}

static enum cos_result take_all(const struct cos_secure *secure, struct cos_span dgi,
                                struct object *object, struct cos_span *value)
{
    struct cos_reader reader = cos_reader(dgi.data, dgi.length);
    struct cos_tlv tlv;
    enum cos_result result;

    while ((result = cos_tlv_next(&reader, &tlv)) == COS_OK) {
        enum cos_result taken = take_common(secure, &tlv, object, value);
        if (taken == COS_E_FUNCTION) {
            taken = object->kind == OBJECT_PIN ? take_pin(&tlv, object) : take_key(&tlv, object);
        }
        COS_TRY(taken);
    }
    COS_CHECK(result == COS_E_END_OF_DATA, COS_E_DATA);
    return COS_OK;
}

static bool pin_consistent(const struct object *pin, size_t length)
{
    return pin->shortest >= 1 && pin->shortest <= pin->longest && pin->longest <= COS_PIN_MAX &&
           length >= pin->shortest && length <= pin->longest && pin->tries_max >= 1 &&
           pin->resetting_code <= OBJECT_NUMBER_MAX && pin->resetting_code != pin->number;
}

/* A symmetric key has one purpose (rule 8 of the gate). */
static bool key_consistent(const struct object *key, size_t length)
{
    bool aes = key->algorithm == ALGORITHM_AES && (length == 16 || length == 24 || length == 32);
    bool des3 =
        key->algorithm == ALGORITHM_DES3 && length == 24 && key->usage != USAGE_ACCESS_PROOF;
    bool one_purpose = key->usage == USAGE_INTERNAL || key->usage == USAGE_EXTERNAL ||
                       key->usage == USAGE_ACCESS_PROOF;

    return (aes || des3) && one_purpose;
}

static enum cos_result check(struct object *object, struct cos_span value)
{
    if (object->kind == OBJECT_KEY && object->usage == USAGE_EXTERNAL && object->tries_max == 0) {
        object->tries_max = TRIES_EXTERNAL;
    }
    bool consistent = object->kind == OBJECT_PIN ? pin_consistent(object, value.length)
                                                 : key_consistent(object, value.length);
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

/* Adds the object to the transaction, in place of an older one of the same kind, context and
 * number. */
static enum cos_result place(struct cos_secure *secure, struct object *object,
                             const uint8_t *secret, uint16_t *next)
{
    struct object at;

    COS_CHECK(!brought_twice(secure, object), COS_E_DATA);
    enum cos_result found = cos_object_find(secure, (enum object_kind)object->kind, object->context,
                                            object->number, 0, &at);

    if (found == COS_E_REFERENCE_NOT_FOUND) {
        found = cos_object_new(secure, next, &at);
    }
    COS_TRY(found);
    object->index = at.index;
    object->generation = at.generation;
    return cos_object_put(secure, object, secret);
}

static enum cos_result store_object(struct cos_secure *secure, enum object_kind kind,
                                    struct cos_span dgi, uint16_t *next)
{
    struct object object = {.kind = (uint8_t)kind, .context = CONTEXT_GLOBAL};
    struct cos_span value = {NULL, 0};
    uint8_t secret[OBJECT_SECRET_MAX] = {0};

    if (kind == OBJECT_PIN) {
        object.tries_max = TRIES_PIN;
        object.shortest = PIN_SHORTEST;
        object.longest = PIN_LONGEST;
        object.reset_rule = 0xFF;
    }
    COS_TRY(take_all(secure, dgi, &object, &value));
    COS_TRY(check(&object, value));
    memcpy(secret, value.data, value.length);
    enum cos_result result = place(secure, &object, secret, next);
    cos_wipe(secret, sizeof secret);
    return result;
}

static enum cos_result store_card(struct cos_secure *secure, struct cos_span dgi)
{
    struct cos_tlv tlv;
    uint8_t rule;

    COS_CHECK(cos_tlv_find(dgi.data, dgi.length, TAG_RECORD_RULE, &tlv) == COS_OK, COS_E_DATA);
    COS_CHECK(tlv.value + tlv.length == dgi.data + dgi.length, COS_E_DATA);
    COS_TRY(take8(&tlv, &rule));
    cos_state_add8(secure, STATE_RECORD_RULE, rule);
    return COS_OK;
}

static enum cos_result store_dgi(struct cos_secure *secure, uint16_t number, struct cos_span dgi,
                                 uint16_t *next)
{
    switch (number) {
    case DGI_PIN:
        return store_object(secure, OBJECT_PIN, dgi, next);
    case DGI_KEY:
        return store_object(secure, OBJECT_KEY, dgi, next);
    case DGI_CARD:
        return store_card(secure, dgi);
    default:
        return COS_E_REFERENCE_NOT_FOUND;
    }
}

enum cos_result cos_personal_store(struct cos_secure *secure, struct cos_span data)
{
    struct cos_reader reader = cos_reader(data.data, data.length);
    uint16_t next = 0;

    cos_change_start(secure);
    while (reader.length > 0 && !reader.failed) {
        uint16_t number = cos_read16(&reader);
        uint8_t length = cos_read8(&reader);
        const uint8_t *value = cos_read_bytes(&reader, length);
        COS_CHECK(!reader.failed && value != NULL, COS_E_DATA);
        COS_TRY(store_dgi(secure, number, (struct cos_span){value, length}, &next));
    }
    COS_CHECK(!reader.failed, COS_E_DATA);
    COS_CHECK(!secure->change.failed, COS_E_LENGTH); /* more objects than one command may bring */
    for (size_t i = 0; i < COS_CHANNELS; i++) {
        /* A replaced PIN or key is not the one that was verified. */
        secure->channels[i] = (struct cos_channel){.application = secure->channels[i].application};
    }
    secure->epoch++;
    COS_TRY(cos_change_commit(secure));
    return cos_state_load(secure);
}
