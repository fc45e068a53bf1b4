/* SPDX-License-Identifier: Apache-2.0
 *
 * Security environments that access rules name by number: the SC-DO 9E of a condition becomes the
 * references that the environment has (ISO/IEC 7816-4:2013, 9.3.3 and 10.3; docs/formats.md,
 * "Security environments"). The condition is edited where it stands, and it was checked: so a
 * template's objects stand right behind its header, and a place that moves on sees all of them.
 */
#include "file.h"

enum {
    TAG_ENVIRONMENT = 0x7B,
    TAG_NUMBER = 0x80,
    TAG_REFERENCE = 0x83,
    TAG_USAGE = 0x95,
    SC_NEVER = 0x97,
    SC_BYTE = 0x9E,
    SC_ANY_OF = 0xA0,
    SC_AUTHENTICATION = 0xA4,
    SC_NONE_OF = 0xA7,
    SC_ALL_OF = 0xAF,
    SC_CHECKSUM = 0xB4,
    SC_CONFIDENTIALITY = 0xB8,
};

enum {
    SC_ENVIRONMENT = 0x0F, /* bits of the condition byte */
    SC_CONDITIONS = 0x70,
    SC_ALL = 0x80,
    TEMPLATES_MAX = 32, /* of the EF that are looked at */
};

/* What a condition byte can ask for. Secure messaging is the last two, of which one suffices. */
enum { USER, EXTERNAL, CHECKSUM, CONFIDENTIALITY, PURPOSES };

static const struct {
    uint8_t asked;         /* bit of the condition byte */
    uint8_t tag;           /* of the control reference template */
    uint8_t usage;         /* bits of its 95, of which it has one */
    uint8_t usage_default; /* if it has no 95 */
} purposes[PURPOSES] = {
    [USER] = {0x10, SC_AUTHENTICATION, 0x08, 0x88},
    [EXTERNAL] = {0x20, SC_AUTHENTICATION, 0x80, 0x88},
    [CHECKSUM] = {0x40, SC_CHECKSUM, 0x30, 0x10},
    [CONFIDENTIALITY] = {0x40, SC_CONFIDENTIALITY, 0x30, 0x10},
};

/* What an environment has for each purpose. */
struct references {
    uint8_t usage[PURPOSES]; /* 0: nothing */
    uint8_t reference[PURPOSES];
};

/* A condition on its way. */
struct translation {
    const struct cos_fs *fs;
    const struct cos_file_info *file; /* that the condition is for */
    struct cos_writer *condition;
    size_t begin;              /* of the condition in there */
    bool searched;             /* for the EF with environments */
    enum cos_result found;     /* what came of it; COS_E_REFERENCE_NOT_FOUND: no DF has 8D */
    uint8_t life_cycle_status; /* of the DF that has */
    struct cos_file_info ef;
    uint8_t bytes[COS_FS_ATTRIBUTES_MAX];
};

/* ---- Environments ---- */

/* The EF that the nearest 8D names. */
COS_OWN_FRAME static enum cos_result find_ef(struct translation *t)
{
    struct cos_span fid;
    cos_file df, ef;

    COS_TRY(cos_file_df(t->fs, t->file, &df));
    for (unsigned depth = 0; depth <= COS_FS_DEPTH_MAX; depth++) {
        COS_TRY(cos_fs_info(t->fs, df, &t->ef));
        const enum cos_result result =
            cos_fs_attribute(t->fs, &t->ef, FCP_ENVIRONMENT_FILE, t->bytes, &fid);
        if (result == COS_OK) {
            t->life_cycle_status = t->ef.life_cycle_status;
            COS_CHECK(fid.length == 2, COS_E_DATA);
            COS_TRY(cos_fs_find_child(t->fs, df, cos_get16(fid.data), &ef));
            return cos_fs_info(t->fs, ef, &t->ef);
        }
        COS_CHECK(result == COS_E_REFERENCE_NOT_FOUND && df != COS_FILE_MF, result);
        df = t->ef.parent;
    }
    return COS_E_FILE_NOT_FOUND;
}

/* Record `number`, or what stands at an offset, as far as it may matter: *length bytes. */
static enum cos_result read_ef(struct translation *t, unsigned number, uint32_t offset,
                               size_t *length)
{
    struct cos_record record;

    if (!cos_file_has_records(&t->ef)) {
        COS_CHECK((t->ef.fdb & COS_FDB_KIND) == COS_FDB_TRANSPARENT, COS_E_FILE_NOT_FOUND);
        *length = t->ef.size - offset < sizeof t->bytes ? t->ef.size - offset : sizeof t->bytes;
        return cos_fs_read(t->fs, &t->ef, offset, t->bytes, *length);
    }
    COS_TRY(cos_fs_record(t->fs, &t->ef, number, &record));
    COS_CHECK(record.length <= sizeof t->bytes, COS_E_DATA);
    *length = record.length;
    return cos_fs_record_read(t->fs, &record, 0, t->bytes, *length);
}

/* ISO/IEC 7816-4:2013, table 14: some values mean the same, of which one is stored. */
static bool is_status(uint8_t value, uint8_t stored)
{
    if (stored == COS_LCS_TERMINATED) {
        return (value & 0xFCU) == stored;
    }
    return (stored < COS_LCS_DEACTIVATED ? value : value & 0xFDU) == stored;
}

/* Whether a template is the environment with this number, for the life-cycle status of the DF. */
static enum cos_result is_meant(const struct translation *t, const struct cos_tlv *template,
                                uint8_t number, bool *meant)
{
    struct cos_tlv object;
    enum cos_result result = cos_tlv_find(template->value, template->length, TAG_NUMBER, &object);

    COS_CHECK(template->tag == TAG_ENVIRONMENT && result == COS_OK && object.length == 1,
              COS_E_DATA);
    *meant = object.value[0] == number;
    result = cos_tlv_find(template->value, template->length, FCP_LIFE_CYCLE_STATUS, &object);
    if (result == COS_E_REFERENCE_NOT_FOUND) {
        return COS_OK;
    }
    COS_CHECK(result == COS_OK && object.length == 1, COS_E_DATA);
    *meant = *meant && is_status(object.value[0], t->life_cycle_status);
    return COS_OK;
}

COS_OWN_FRAME static enum cos_result find_environment(struct translation *t, uint8_t number,
                                                      struct cos_tlv *environment)
{
    const bool records = cos_file_has_records(&t->ef);
    uint32_t offset = 0;

    COS_CHECK(!cos_file_is_simple_tlv(&t->ef) && t->ef.source == COS_FS_SOURCE_CONTENT &&
                  t->ef.life_cycle_status == COS_LCS_ACTIVATED,
              COS_E_FILE_NOT_FOUND);
    for (unsigned i = 1; i <= TEMPLATES_MAX; i++) {
        struct cos_reader reader;
        bool meant;
        size_t length;

        COS_TRY(read_ef(t, i, offset, &length));
        reader = cos_reader(t->bytes, length);
        if (length == 0 || t->bytes[0] == 0x00 || t->bytes[0] == 0xFF) {
            COS_CHECK(records, COS_E_RECORD_NOT_FOUND);
            continue;
        }
        COS_TRY(cos_tlv_next(&reader, environment));
        COS_TRY(is_meant(t, environment, number, &meant));
        if (meant) {
            return COS_OK;
        }
        offset += (uint32_t)(length - reader.length);
    }
    return COS_E_RECORD_NOT_FOUND;
}

static uint8_t value_of(const struct cos_tlv *template, uint8_t tag, uint8_t otherwise)
{
    struct cos_tlv object;

    return cos_tlv_find(template->value, template->length, tag, &object) == COS_OK &&
                   object.length == 1
               ? object.value[0]
               : otherwise;
}

/* A control reference template for one of the purposes must be an SC-DO as it stands, and the only
 * one; other templates and objects are not for access rules. */
COS_OWN_FRAME static enum cos_result read_references(const struct cos_tlv *environment,
                                                     struct references *references)
{
    struct cos_reader reader = cos_reader(environment->value, environment->length);
    struct cos_span object = {reader.data, 0};
    struct cos_tlv template;
    enum cos_result result;

    *references = (struct references){.usage = {0}};
    while ((result = cos_tlv_next(&reader, &template)) == COS_OK) {
        object.length = (size_t)(reader.data - object.data);
        for (size_t i = 0; i < PURPOSES; i++) {
            const uint8_t usage =
                purposes[i].usage & value_of(&template, TAG_USAGE, purposes[i].usage_default);
            if (template.tag == purposes[i].tag && usage != 0) {
                COS_CHECK(references->usage[i] == 0, COS_E_DATA);
                COS_TRY(cos_rule_check_condition(object));
                references->usage[i] = usage;
                references->reference[i] = value_of(&template, TAG_REFERENCE, 0);
            }
        }
        object.data = reader.data;
    }
    return result == COS_E_END_OF_DATA ? COS_OK : result;
}

/* ---- Conditions ---- */

/* The SC-DO that a condition byte means: one reference, or a template of several; secure messaging
 * of two kinds is both of them. COS_E_RECORD_NOT_FOUND: the environment lacks one. */
COS_OWN_FRAME static enum cos_result write_condition(const struct references *references,
                                                     uint8_t sc, struct cos_writer *writer,
                                                     struct cos_span *object)
{
    const uint8_t *usage = references->usage;
    const bool all = (sc & SC_ALL) != 0;
    const bool both = usage[CHECKSUM] != 0 && usage[CONFIDENTIALITY] != 0;
    const size_t opened = cos_tlv_open(writer, all ? SC_ALL_OF : SC_ANY_OF);
    unsigned lacking = sc & SC_CONDITIONS, count = 0;

    for (size_t i = 0; i < PURPOSES; i++) {
        if ((sc & purposes[i].asked) == 0 || usage[i] == 0) {
            continue;
        }
        const uint8_t template[] = {purposes[i].tag, 6, TAG_REFERENCE, 1, references->reference[i],
                                    TAG_USAGE,       1, usage[i]};
        const uint8_t pair[] = {SC_ALL_OF, 2 * sizeof template};
        const bool in_pair = both && !all;
        if (in_pair && i == CHECKSUM) {
            cos_write_bytes(writer, pair, sizeof pair);
        }
        cos_write_bytes(writer, template, sizeof template);
        count += in_pair && i == CONFIDENTIALITY ? 0 : 1;
        lacking &= ~(unsigned)purposes[i].asked;
    }
    COS_CHECK(lacking == 0, COS_E_RECORD_NOT_FOUND);
    cos_tlv_close(writer, opened);
    const size_t begin = count > 1 ? 0 : opened;
    *object = (struct cos_span){writer->data + begin, writer->length - begin};
    return COS_OK;
}

/* The object at a place of the condition; behind the last one: none, at the end. */
static struct cos_tlv object_at(const struct cos_writer *condition, size_t at)
{
    struct cos_reader reader = cos_reader(condition->data + at, condition->length - at);
    struct cos_tlv object = {0, condition->data + condition->length, 0};

    (void)cos_tlv_next(&reader, &object);
    return object;
}

static size_t place_of(const struct cos_writer *condition, const uint8_t *data)
{
    return (size_t)(data - condition->data);
}

/* Puts other bytes in the place of [from, *to) and moves *to to their end. Templates that stand
 * around it, from `outermost` on, become so much longer: a length is below 128, so its last byte is
 * all of it. */
COS_OWN_FRAME static enum cos_result replace(struct translation *t, size_t outermost, size_t from,
                                             size_t *to, struct cos_span by)
{
    struct cos_writer *condition = t->condition;
    const size_t length = condition->length - (*to - from) + by.length;

    COS_CHECK(length <= condition->capacity && length - t->begin <= COS_RULE_MAX,
              COS_E_MEMORY_FULL);
    while (outermost < from) {
        const struct cos_tlv object = object_at(condition, outermost);
        const size_t value = place_of(condition, object.value);
        const size_t end = value + object.length;
        if (end > from) {
            condition->data[value - 1] = (uint8_t)(object.length - (*to - from) + by.length);
        }
        outermost = end > from ? value : end;
    }
    memmove(condition->data + from + by.length, condition->data + *to, condition->length - *to);
    memcpy(condition->data + from, by.data, by.length);
    condition->length = length;
    *to = from + by.length;
    return COS_OK;
}

/* The references that a condition byte means. */
static enum cos_result translate_byte(struct translation *t, uint8_t sc, struct cos_span *object)
{
    struct cos_writer writer = cos_writer(t->bytes, sizeof t->bytes);
    struct cos_tlv environment;
    struct references references;

    if (!t->searched) {
        t->searched = true;
        t->found = find_ef(t);
    }
    COS_TRY(t->found);
    COS_TRY(find_environment(t, sc & SC_ENVIRONMENT, &environment));
    COS_TRY(read_references(&environment, &references));
    return write_condition(&references, sc, &writer, object);
}

/* One SC-DO of the run with all that is in it, [begin, *end). */
static enum cos_result translate_object(struct translation *t, size_t begin, size_t *end)
{
    const uint8_t *data = t->condition->data;

    for (size_t at = begin; at < *end;) {
        const struct cos_tlv object = object_at(t->condition, at);
        const size_t value = place_of(t->condition, object.value);
        const uint8_t sc = object.tag == SC_BYTE ? object.value[0] : COS_SC_ALWAYS;
        size_t after = value + object.length;
        struct cos_span by;

        if (data[at] == 0x00 || data[at] == 0xFF) {
            at++; /* padding */
        } else if (object.tag == SC_ANY_OF || object.tag == SC_ALL_OF || object.tag == SC_NONE_OF) {
            at = value;
        } else if ((sc & SC_ENVIRONMENT) == 0 || sc == COS_SC_NEVER) {
            at = after;
        } else {
            const size_t behind = *end - after;
            COS_TRY(translate_byte(t, sc, &by));
            COS_TRY(replace(t, begin, at, &after, by));
            *end = after + behind;
            at = after;
        }
    }
    return cos_rule_check_condition((struct cos_span){data + begin, *end - begin});
}

COS_OWN_FRAME enum cos_result cos_environment_translate(const struct cos_fs *fs,
                                                        const struct cos_file_info *file,
                                                        size_t begin, struct cos_writer *condition)
{
    static const uint8_t never[] = {SC_NEVER, 0};
    const struct cos_span whole = {condition->data + begin, condition->length - begin};
    struct translation t;
    size_t end;

    if (cos_rule_plain(whole) != COS_RULE_ASK) {
        return COS_OK;
    }
    t.fs = fs;
    t.file = file;
    t.condition = condition;
    t.begin = begin;
    t.searched = false;
    t.found = COS_OK;
    for (size_t at = begin; at < condition->length; at = end) {
        const struct cos_tlv object = object_at(condition, at);
        end = place_of(condition, object.value) + object.length;
        enum cos_result result = translate_object(&t, at, &end);
        if (t.found == COS_E_REFERENCE_NOT_FOUND) {
            return COS_OK; /* nothing was replaced */
        }
        if (cos_rule_leads_nowhere(result)) {
            result = replace(&t, at, at, &end, (struct cos_span){never, sizeof never});
        }
        COS_TRY(result);
    }
    return COS_OK;
}
