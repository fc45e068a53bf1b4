/* SPDX-License-Identifier: Apache-2.0
 *
 * Access rules as text, ISO/IEC 7816-4:2013, 9.3.3: reading both formats, and evaluating what was
 * found.
 */
#include "cos/rule.h"

#include "cos/tlv.h"

enum rule_tag {
    TAG_LIST = 0x5C,
    AM_BYTE = 0x80,
    AM_HEADER_LAST = 0x8F, /* 81 to 8F: b4 to b1 say which header bytes the value lists */
    RULE_COMPACT = 0x8C,
    RULE_EXPANDED = 0xAB,
    SC_ALWAYS = 0x90,
    SC_NEVER = 0x97,
    SC_BYTE = 0x9E,
    SC_ANY_OF = 0xA0,
    SC_AUTHENTICATION = 0xA4,
    SC_NONE_OF = 0xA7,
    SC_ALL_OF = 0xAF,
    SC_CHECKSUM = 0xB4,
    SC_SIGNATURE = 0xB6,
    SC_CONFIDENTIALITY = 0xB8,
    REFERENCE = 0x83,
    USAGE = 0x95,
};

enum {
    AM_PROPRIETARY = 0x80, /* b8: b7 to b4 have a meaning of their own */
    AM_FIRST = 0x40,
    SC_CONDITIONS = 0x70, /* b7 to b5: secure messaging, external and user authentication */
    SC_ALL = 0x80,
    SC_SECURE_MESSAGING = 0x40,
    SC_AUTHENTICATIONS = 0x30, /* external and user */
    SC_ENVIRONMENT = 0x0F,
    SC_ENVIRONMENT_RFU = 0x0F,
    SC_BYTE_SIZE = 3,               /* 9E 01 SC */
    REFERENCE_LOCAL = 0x80,         /* b8: of the application, not global */
    REFERENCE_GLOBAL_MUTUAL = 0x40, /* b7 beside it: a global mutual key */
    SETS_MAX = COS_RULE_MAX / SC_BYTE_SIZE,
    HEADER_SIZE = 4,
};

typedef cos_truth (*answer_of)(const void *context, const struct cos_tlv *object);

/* The next object. Padding may stand behind the last one only. */
static enum cos_result next(struct cos_reader *reader, struct cos_tlv *object)
{
    const uint8_t *at = reader->data;

    COS_TRY(cos_tlv_next(reader, object));
    COS_CHECK(at[0] != 0x00 && at[0] != 0xFF, COS_E_DATA);
    return COS_OK;
}

/* ---- Conditions ---- */

/* A byte that asks for nothing but is not 00 has no meaning in table 20, and "all of nothing" would
 * be true: it is refused like security environment 15. */
static bool is_condition(uint8_t sc)
{
    if (sc == COS_SC_ALWAYS || sc == COS_SC_NEVER) {
        return true;
    }
    return (sc & SC_CONDITIONS) != 0 && (sc & SC_ENVIRONMENT) != SC_ENVIRONMENT_RFU;
}

/* A control reference template of 83 and 95. */
static bool is_reference(const struct cos_tlv *template)
{
    struct cos_reader reader = cos_reader(template->value, template->length);
    struct cos_tlv object;
    bool reference = false, usage = false;
    enum cos_result result;

    while ((result = next(&reader, &object)) == COS_OK) {
        bool *seen = object.tag == REFERENCE ? &reference : &usage;
        if ((object.tag != REFERENCE && object.tag != USAGE) || object.length != 1 || *seen) {
            return false;
        }
        *seen = true;
    }
    return result == COS_E_END_OF_DATA &&
           (reference || (usage && template->tag != SC_AUTHENTICATION));
}

/* Checks an SC-DO that is no template of others, and has it answered; without `holds`: no. */
static enum cos_result judge(const struct cos_tlv *object, answer_of holds, const void *context,
                             cos_truth *truth)
{
    *truth = COS_NO;
    switch (object->tag) {
    case SC_ALWAYS:
        *truth = COS_YES;
        /* fall through */
    case SC_NEVER:
        COS_CHECK(object->length == 0, COS_E_DATA);
        return COS_OK;
    case SC_BYTE:
        COS_CHECK(object->length == 1 && is_condition(object->value[0]), COS_E_DATA);
        break;
    case SC_AUTHENTICATION:
    case SC_CHECKSUM:
    case SC_SIGNATURE:
    case SC_CONFIDENTIALITY:
        COS_CHECK(is_reference(object), COS_E_DATA);
        break;
    default:
        return COS_E_DATA;
    }
    if (holds != NULL) {
        *truth = holds(context, object);
        COS_CHECK(*truth == COS_YES || *truth == COS_NO, COS_E_SECURITY_STATUS);
    }
    return COS_OK;
}

/* One level of templates: where it ends, and how many of its objects held so far. A condition is
 * short: bytes count all of it. */
struct level {
    uint8_t end, tag, asked, met;
};
_Static_assert(COS_RULE_MAX <= UINT8_MAX, "a byte counts a condition");

static bool is_met(const struct level *level)
{
    if (level->tag == SC_ALL_OF) {
        return level->met == level->asked;
    }
    return (level->met > 0) != (level->tag == SC_NONE_OF);
}

/* Checks a condition as a whole, and evaluates it, going down into templates and up again. */
static enum cos_result walk(struct cos_span condition, answer_of holds, const void *context,
                            cos_truth *truth)
{
    struct level levels[1 + COS_RULE_DEPTH];
    size_t depth = 0, at = 0;

    COS_CHECK(condition.length > 0 && condition.length <= COS_RULE_MAX, COS_E_DATA);
    levels[0] = (struct level){.end = (uint8_t)condition.length, .tag = SC_ANY_OF};
    for (;;) {
        struct cos_reader reader = cos_reader(condition.data + at, levels[depth].end - at);
        struct cos_tlv object;
        const enum cos_result result = next(&reader, &object);

        at = (size_t)(reader.data - condition.data);
        if (result == COS_E_END_OF_DATA) {
            COS_CHECK(levels[depth].asked > 0, COS_E_DATA);
            *truth = is_met(&levels[depth]) ? COS_YES : COS_NO;
            if (depth == 0) {
                return COS_OK;
            }
            depth--;
        } else {
            COS_TRY(result);
            if (object.tag == SC_ANY_OF || object.tag == SC_ALL_OF || object.tag == SC_NONE_OF) {
                COS_CHECK(depth < COS_RULE_DEPTH, COS_E_DATA);
                levels[++depth] = (struct level){.end = (uint8_t)at, .tag = (uint8_t)object.tag};
                at -= object.length;
                continue;
            }
            COS_TRY(judge(&object, holds, context, truth));
        }
        levels[depth].asked++;
        levels[depth].met = (uint8_t)(levels[depth].met + (*truth == COS_YES ? 1 : 0));
    }
}

enum cos_result cos_rule_check_condition(struct cos_span condition)
{
    cos_truth truth;

    return walk(condition, NULL, NULL, &truth);
}

cos_truth cos_rule_evaluate(struct cos_span condition, answer_of holds, const void *context)
{
    cos_truth truth = COS_NO;

    return walk(condition, holds, context, &truth) == COS_OK && truth == COS_YES ? COS_YES : COS_NO;
}

enum cos_rule_plain cos_rule_plain(struct cos_span condition)
{
    struct cos_reader reader = cos_reader(condition.data, condition.length);
    enum cos_rule_plain plain = COS_RULE_NEVER;
    struct cos_tlv object;

    if (cos_rule_check_condition(condition) != COS_OK) {
        return COS_RULE_NEVER;
    }
    while (next(&reader, &object) == COS_OK) {
        const bool byte = object.tag == SC_BYTE;
        if (object.tag == SC_ALWAYS || (byte && object.value[0] == COS_SC_ALWAYS)) {
            return COS_RULE_ALWAYS;
        }
        if (object.tag != SC_NEVER && !(byte && object.value[0] == COS_SC_NEVER)) {
            plain = COS_RULE_ASK;
        }
    }
    return plain;
}

/* "Any of" keeps secure messaging, that of the issuer: a number would mean a key of the
 * application. */
static uint8_t without_application(uint8_t sc)
{
    const bool authentications = (sc & SC_AUTHENTICATIONS) != 0;

    if (sc == COS_SC_NEVER || (sc & (SC_AUTHENTICATIONS | SC_SECURE_MESSAGING)) == 0) {
        return sc;
    }
    if ((sc & SC_SECURE_MESSAGING) == 0 || (authentications && (sc & SC_ALL) != 0) ||
        (sc & SC_ENVIRONMENT) == SC_ENVIRONMENT_RFU) {
        return COS_SC_NEVER;
    }
    return (uint8_t)(sc & (SC_ALL | SC_SECURE_MESSAGING));
}

/* Whether an object asks for something that a PIN or key of the application gives. */
static bool means_application(const struct cos_tlv *object)
{
    const bool session = object->tag == SC_CHECKSUM || object->tag == SC_CONFIDENTIALITY;
    struct cos_tlv reference;

    if ((object->tag != SC_AUTHENTICATION && !session) ||
        cos_tlv_find(object->value, object->length, REFERENCE, &reference) != COS_OK ||
        reference.length != 1 || (reference.value[0] & REFERENCE_LOCAL) == 0) {
        return false;
    }
    return !session || (reference.value[0] & REFERENCE_GLOBAL_MUTUAL) == 0;
}

/* The objects of a template stand right behind its header: going on there sees all of them. An
 * authentication becomes a signature, which nobody gives. */
void cos_rule_leave_application(uint8_t *condition, size_t length)
{
    size_t at = 0;

    while (at < length) {
        struct cos_reader reader = cos_reader(condition + at, length - at);
        struct cos_tlv object;

        if (condition[at] == 0x00 || condition[at] == 0xFF) {
            at++; /* padding */
            continue;
        }
        if (cos_tlv_next(&reader, &object) != COS_OK) {
            return; /* malformed: it does not hold */
        }
        const size_t value = (size_t)(object.value - condition);
        if (object.tag == SC_BYTE && object.length == 1) {
            condition[value] = without_application(condition[value]);
        } else if (means_application(&object)) {
            condition[at] = SC_SIGNATURE;
        }
        const bool template =
            object.tag == SC_ANY_OF || object.tag == SC_ALL_OF || object.tag == SC_NONE_OF;
        at = template ? value : value + object.length;
    }
}

/* ---- Rules. Each form is read by one function: access == NULL only checks ---- */

static void write_condition(struct cos_writer *condition, uint8_t sc)
{
    if (sc == COS_SC_ALWAYS || sc == COS_SC_NEVER) {
        cos_tlv_write(condition, sc == COS_SC_ALWAYS ? SC_ALWAYS : SC_NEVER, NULL, 0);
    } else {
        cos_tlv_write8(condition, SC_BYTE, sc);
    }
}

/* Sets of an access mode byte and a security condition byte for each of its bits, from b7 to b1. */
static enum cos_result compact(struct cos_span rule, const struct cos_access *access,
                               struct cos_writer *condition)
{
    struct cos_reader reader = cos_reader(rule.data, rule.length);
    size_t sets = 0;

    do {
        const unsigned am = cos_read8(&reader); /* 0, which is refused, at the end */
        COS_CHECK(am != 0 && am < AM_PROPRIETARY && sets < SETS_MAX, COS_E_DATA);
        for (unsigned bit = AM_FIRST; bit > 0; bit >>= 1) {
            if ((am & bit) == 0) {
                continue;
            }
            const uint8_t sc = cos_read8(&reader);
            COS_CHECK(!reader.failed && is_condition(sc), COS_E_DATA);
            if (access != NULL && bit == (unsigned)access->operation) {
                write_condition(condition, sc);
            }
        }
        sets++;
    } while (reader.length > 0);
    return COS_OK;
}

/* Bytes that a header filter gives at a time. */
static size_t header_bytes(uint32_t tag)
{
    size_t count = 0;

    for (unsigned bit = 0x08; bit > 0; bit >>= 1) {
        count += (tag & bit) != 0 ? 1 : 0;
    }
    return count;
}

static bool is_mode(const struct cos_tlv *am)
{
    if (am->tag == AM_BYTE) {
        return am->length == 1 && am->value[0] != 0 && am->value[0] < AM_PROPRIETARY;
    }
    return am->length > 0 && am->length % header_bytes(am->tag) == 0;
}

/* Whether an AM-DO means this access. */
static bool applies(const struct cos_tlv *am, const struct cos_access *access)
{
    uint8_t wanted[HEADER_SIZE];
    size_t count = 0;

    if (am->tag == AM_BYTE) {
        return (am->value[0] & (unsigned)access->operation) != 0;
    }
    for (size_t i = 0; i < HEADER_SIZE; i++) {
        if ((am->tag & (0x08U >> i)) != 0) {
            wanted[count++] = access->header[i];
        }
    }
    for (size_t at = 0; at < am->length; at += count) {
        if (memcmp(am->value + at, wanted, count) == 0) {
            return true;
        }
    }
    return false;
}

/* AM-DOs, each with one or more SC-DOs behind it. */
static enum cos_result expanded(struct cos_span rule, const struct cos_access *access,
                                struct cos_writer *condition)
{
    struct cos_reader reader = cos_reader(rule.data, rule.length);
    bool begun = false, complete = false, applying = false;
    size_t used = 0;

    for (;;) {
        const uint8_t *at = reader.data;
        struct cos_tlv object;
        enum cos_result result = next(&reader, &object);

        if (result == COS_E_END_OF_DATA) {
            return complete ? COS_OK : COS_E_DATA;
        }
        COS_TRY(result);
        if (object.tag >= AM_BYTE && object.tag <= AM_HEADER_LAST) {
            COS_CHECK((!begun || complete) && is_mode(&object), COS_E_DATA);
            begun = true;
            complete = false;
            applying = access != NULL && applies(&object, access);
            continue;
        }
        const struct cos_span sc = {at, (size_t)(reader.data - at)};
        used += sc.length;
        COS_CHECK(begun && used <= COS_RULE_MAX, COS_E_DATA);
        COS_TRY(cos_rule_check_condition(sc));
        complete = true;
        if (applying) {
            cos_write_bytes(condition, sc.data, sc.length);
        }
    }
}

/* Whether a tag list names a tag; 0 is in none. */
static enum cos_result names(const struct cos_tlv *list, uint32_t tag, bool *named)
{
    struct cos_reader reader = cos_reader(list->value, list->length);

    *named = false;
    while (reader.length > 0) {
        const uint32_t listed = cos_tlv_read_tag(&reader);
        COS_CHECK(listed != 0 && !reader.failed, COS_E_DATA);
        *named = *named || listed == tag;
    }
    return COS_OK;
}

static enum cos_result either(const struct cos_tlv *rule, const struct cos_access *access,
                              struct cos_writer *condition)
{
    const struct cos_span value = {rule->value, rule->length};

    COS_CHECK(rule->tag == RULE_COMPACT || rule->tag == RULE_EXPANDED, COS_E_DATA);
    return rule->tag == RULE_COMPACT ? compact(value, access, condition)
                                     : expanded(value, access, condition);
}

/* Pairs of a tag list and a rule. */
static enum cos_result objects(struct cos_span rule, const struct cos_access *access,
                               struct cos_writer *condition)
{
    struct cos_reader reader = cos_reader(rule.data, rule.length);
    struct cos_tlv list, own = {0, NULL, 0}, others = {0, NULL, 0};
    bool found = false, named = false;
    enum cos_result result;

    while ((result = next(&reader, &list)) == COS_OK) {
        COS_CHECK(list.tag == TAG_LIST && next(&reader, &own) == COS_OK, COS_E_DATA);
        COS_TRY(names(&list, access != NULL ? access->object : 0, &named));
        COS_TRY(either(&own, named ? access : NULL, condition));
        found = found || named;
        if (list.length == 0) {
            COS_CHECK(others.tag == 0, COS_E_DATA);
            others = own;
        }
    }
    COS_CHECK(result == COS_E_END_OF_DATA && own.tag != 0, COS_E_DATA);
    return found || others.tag == 0 ? COS_OK : either(&others, access, condition);
}

enum cos_result cos_rule_check_compact(struct cos_span rule)
{
    return compact(rule, NULL, NULL);
}

enum cos_result cos_rule_check_expanded(struct cos_span rule)
{
    return expanded(rule, NULL, NULL);
}

enum cos_result cos_rule_check_objects(struct cos_span rule)
{
    return objects(rule, NULL, NULL);
}

/* All of it or nothing. */
static enum cos_result keep(enum cos_result result, const struct cos_writer *written,
                            struct cos_writer *condition)
{
    COS_TRY(result);
    COS_CHECK(!written->failed, COS_E_MEMORY_FULL);
    *condition = *written;
    return COS_OK;
}

enum cos_result cos_rule_compact(struct cos_span rule, const struct cos_access *access,
                                 struct cos_writer *condition)
{
    struct cos_writer writer = *condition;

    return keep(compact(rule, access, &writer), &writer, condition);
}

enum cos_result cos_rule_expanded(struct cos_span rule, const struct cos_access *access,
                                  struct cos_writer *condition)
{
    struct cos_writer writer = *condition;

    return keep(expanded(rule, access, &writer), &writer, condition);
}

enum cos_result cos_rule_objects(struct cos_span rule, const struct cos_access *access,
                                 struct cos_writer *condition)
{
    struct cos_writer writer = *condition;

    return keep(objects(rule, access, &writer), &writer, condition);
}
