/* SPDX-License-Identifier: Apache-2.0
 *
 * GET DATA and PUT DATA of the data objects in DFs and in EFs of BER-TLV or SIMPLE-TLV structure
 * (ISO/IEC 7816-4:2013, 11.4). Even instructions have the tag in P1-P2 and mean the current EF, if
 * it is of the tag's structure, else, for a BER-TLV tag, the current DF. Odd ones name the file
 * there and bring tags in data objects; so they know BER-TLV objects only.
 *
 * An odd GET DATA has one of three lists, in which each tag has its answer, in their order (7816-4,
 * "Indirect references to data elements"; 2005: 8.5.1):
 *   5C, tag list              tags                     each object as a whole
 *   5D, header list           tags and lengths         values, cut to the length
 *   4D, extended header list  tags and lengths         objects: of a primitive one the value is cut
 *                                                      to the length; of a constructed one there is
 *                                                      what its list says, see below
 * In both header lists the length 00 of a primitive object, and 80 of any, means all of the value.
 * In an extended one, the length of a constructed object is that of the extended header list behind
 * it, which is for the objects in that object; 00: nothing of the object is wanted. In the answer
 * each object has the length that is left.
 */
#include "domain.h"

enum {
    TAG_LIST = 0x5C,
    HEADER_LIST = 0x5D,
    EXTENDED_HEADER_LIST = 0x4D,
    TAG_DATA = 0x53,
    FID_CURRENT_DF = 0x3FFF,
    LENGTH_ALL = 0x80, /* in a header list */
    LEVELS_MAX = 4,    /* of constructed objects in an extended header list */
};

/* ---- Which file, which tag ---- */

/* What P1-P2 of an even instruction stand for. */
struct reference {
    uint32_t tag; /* 0 = all objects */
    uint8_t structure;
};

static bool has_structure(const struct cos_file_info *info, uint8_t structure)
{
    return (info->fdb & COS_FDB_KIND) == structure;
}

static enum cos_result target_df(const struct cos_app *app, enum cos_result none,
                                 struct target *target)
{
    COS_CHECK(app->channel->df != COS_FILE_NONE, none);
    target->file = app->channel->df;
    target->record = 0;
    return cos_fs_info(&app->fs, target->file, &target->info);
}

static enum cos_result target_even(const struct cos_app *app, uint8_t structure,
                                   struct target *target)
{
    if (app->channel->ef != COS_FILE_NONE) {
        COS_TRY(cos_app_target(app, 0, target));
        if (has_structure(&target->info, structure)) {
            return cos_app_usable(app, &target->info);
        }
    }
    COS_CHECK(structure == COS_FDB_BER_TLV, COS_E_REFERENCE_NOT_FOUND);
    COS_TRY(target_df(app, COS_E_REFERENCE_NOT_FOUND, target));
    return cos_app_usable(app, &target->info);
}

static enum cos_result target_odd(const struct exchange *x, struct target *target)
{
    if ((x->command.p1 << 8 | x->command.p2) == FID_CURRENT_DF) {
        COS_TRY(target_df(x->app, COS_E_FILE_NOT_FOUND, target));
    } else {
        COS_TRY(cos_app_target_odd(x, target));
    }
    COS_CHECK(cos_file_is_df(&target->info) || has_structure(&target->info, COS_FDB_BER_TLV),
              COS_E_FILE_STRUCTURE);
    return cos_app_usable(x->app, &target->info);
}

/* An EF becomes current; what is current does not change for the sake of a DF's objects. */
static enum cos_result finish(struct cos_app *app, const struct target *target,
                              enum cos_result result)
{
    return cos_file_is_df(&target->info) ? result : cos_app_finish(app, target, result);
}

/* P1-P2 of even instructions, 11.4.3: COS_E_P1_P2 for what is reserved or no tag (docs/commands.md,
 * "Data objects"). */
static enum cos_result read_reference(uint16_t p1_p2, struct reference *reference)
{
    const unsigned first = p1_p2 >> 8, last = p1_p2 & 0xFFU;
    bool is_tag;

    COS_CHECK(first != 0x01, COS_E_REFERENCE_NOT_FOUND); /* proprietary, all others than 0101 */
    reference->structure = first == 0x02 ? COS_FDB_SIMPLE_TLV : COS_FDB_BER_TLV;
    reference->tag = p1_p2;
    if (first == 0x00 || first == 0x02) {
        reference->tag = last != 0xFF ? last : 0;
        is_tag =
            last == 0xFF || (first == 0x02 ? last != 0x00 : last >= 0x40 && (last & 0x1FU) != 0x1F);
    } else {
        is_tag = first >= 0x40 && first != 0xFF && (first & 0x1FU) == 0x1F && last >= 0x1F &&
                 last < 0x80; /* FF is padding */
    }
    return is_tag ? COS_OK : COS_E_P1_P2;
}

/* ---- GET DATA ---- */

/* The answer grows apart from the response, as far as that has room: COS_E_CONDITIONS. */
static struct cos_writer begin_answer(const struct exchange *x)
{
    return cos_writer(x->body->data + x->body->length, cos_app_room(x));
}

static enum cos_result end_answer(struct exchange *x, const struct target *target,
                                  const struct cos_writer *answer, enum cos_result result)
{
    if (result == COS_OK) {
        COS_CHECK(!answer->failed, COS_E_CONDITIONS);
        COS_INVARIANT(cos_write_room(x->body, answer->length) != NULL);
    }
    return finish(x->app, target, result);
}

/* Appends bytes of an object, but for its first `skip`. */
static enum cos_result copy(const struct exchange *x, const struct cos_record *object, size_t skip,
                            size_t length, struct cos_writer *answer)
{
    uint8_t *room = cos_write_room(answer, length);

    COS_CHECK(room != NULL, COS_E_CONDITIONS);
    return cos_fs_record_read(&x->app->fs, object, (uint32_t)skip, room, length);
}

/* Finds an object that the command may have, and how many bytes its tag and length are. */
static enum cos_result find(struct exchange *x, const struct cos_file_info *info, uint32_t tag,
                            struct cos_record *object, size_t *header)
{
    const enum cos_result result = cos_fs_object_find(&x->app->fs, info, tag, object);

    /* a DF without room for objects has none */
    COS_CHECK(result != COS_E_FILE_STRUCTURE, COS_E_REFERENCE_NOT_FOUND);
    COS_TRY(result);
    COS_TRY(cos_app_require_object(x, info, COS_OPERATION_GET_DATA, tag));
    return cos_fs_object_header(&x->app->fs, info, object, &tag, header);
}

/* A primitive object is answered by its value, a constructed one as a whole, like those that
 * GlobalPlatform defines. */
static enum cos_result get(struct exchange *x, const struct cos_file_info *info,
                           const struct reference *reference, struct cos_writer *answer)
{
    struct cos_record object;
    size_t header;

    COS_TRY(find(x, info, reference->tag, &object, &header));
    if (reference->structure == COS_FDB_BER_TLV && cos_tlv_is_constructed(reference->tag)) {
        header = 0;
    }
    return copy(x, &object, header, object.length - header, answer);
}

static enum cos_result get_all(struct exchange *x, const struct cos_file_info *info,
                               struct cos_writer *answer)
{
    for (unsigned i = 0; i <= info->record_count; i++) {
        struct cos_record object;
        uint32_t tag;
        size_t header;
        enum cos_result result = cos_fs_object(&x->app->fs, info, i, &object);
        if (result == COS_E_REFERENCE_NOT_FOUND || result == COS_E_FILE_STRUCTURE) {
            return i == 0 ? COS_E_REFERENCE_NOT_FOUND : COS_OK;
        }
        COS_TRY(result);
        COS_TRY(cos_fs_object_header(&x->app->fs, info, &object, &tag, &header));
        COS_TRY(cos_app_require_object(x, info, COS_OPERATION_GET_DATA, tag));
        COS_TRY(copy(x, &object, 0, object.length, answer));
    }
    return COS_E_STORE_DAMAGED;
}

enum cos_result cos_app_get_object(struct exchange *x, uint16_t p1_p2)
{
    struct cos_writer answer = begin_answer(x);
    struct reference reference;
    struct target target;

    COS_TRY(read_reference(p1_p2, &reference));
    COS_CHECK((COS_LIFE_BIT(x->app->life_cycle) & COS_STATES_FILES) != 0,
              COS_E_REFERENCE_NOT_FOUND);
    COS_TRY(target_even(x->app, reference.structure, &target));
    return end_answer(x, &target, &answer,
                      reference.tag == 0 ? get_all(x, &target.info, &answer)
                                         : get(x, &target.info, &reference, &answer));
}

/* ---- GET DATA with a list ---- */

/* What a list says of one object. */
struct entry {
    uint32_t tag;
    size_t most;          /* bytes of its value, at most; 0 = what `list` says */
    struct cos_span list; /* for the objects in it */
};

static enum cos_result read_entry(struct cos_reader *list, uint32_t kind, struct entry *entry)
{
    *entry = (struct entry){.tag = cos_tlv_read_tag(list), .most = SIZE_MAX};
    COS_CHECK(entry->tag != 0 && !list->failed, COS_E_DATA);
    if (kind == TAG_LIST) {
        return COS_OK;
    }
    if (list->length != 0 && list->data[0] == LENGTH_ALL) {
        (void)cos_read8(list);
        return COS_OK;
    }
    const size_t length = cos_tlv_read_length(list);
    if (kind == EXTENDED_HEADER_LIST && cos_tlv_is_constructed(entry->tag)) {
        entry->most = 0;
        entry->list = (struct cos_span){cos_read_bytes(list, length), length};
    } else if (length != 0) {
        entry->most = length;
    }
    COS_CHECK(!list->failed, COS_E_DATA);
    return COS_OK;
}

static bool wants_nothing(const struct entry *entry)
{
    return entry->most == 0 && entry->list.length == 0;
}

static enum cos_result answer_value(const struct exchange *x, const struct entry *entry,
                                    const struct cos_record *object, size_t header,
                                    struct cos_writer *answer)
{
    const size_t length = object->length - header;

    return copy(x, object, header, length < entry->most ? length : entry->most, answer);
}

static enum cos_result answer_object(const struct exchange *x, const struct entry *entry,
                                     const struct cos_record *object, size_t header,
                                     struct cos_writer *answer)
{
    const size_t opened = cos_tlv_open(answer, entry->tag);

    COS_TRY(answer_value(x, entry, object, header, answer));
    cos_tlv_close(answer, opened);
    return COS_OK;
}

/* The first object with a tag in the value of a constructed one. */
static enum cos_result find_inside(const struct exchange *x, const struct cos_file_info *info,
                                   struct cos_record rest, uint32_t tag, struct cos_record *object,
                                   size_t *header)
{
    const struct cos_fs *fs = &x->app->fs;
    uint32_t found = 0;

    for (;;) {
        uint8_t first;
        COS_CHECK(rest.length != 0, COS_E_REFERENCE_NOT_FOUND);
        COS_TRY(cos_fs_record_read(fs, &rest, 0, &first, 1));
        *object = rest;
        if (first == 0x00 || first == 0xFF) { /* padding */
            object->length = 1;
        } else {
            COS_TRY(cos_fs_object_header(fs, info, object, &found, header));
            if (found == tag) {
                return COS_OK;
            }
        }
        rest.address += object->length;
        rest.length = (uint16_t)(rest.length - object->length);
    }
}

/* A constructed object whose list is under way, and where its answer begins. */
struct level {
    struct cos_reader list;
    struct cos_record value;
    size_t opened;
};

/* Answers what the extended header list of a constructed object wants of it. */
COS_OWN_FRAME static enum cos_result
answer_parts(const struct exchange *x, const struct cos_file_info *info, const struct entry *whole,
             struct cos_record object, size_t header, struct cos_writer *answer)
{
    struct level levels[LEVELS_MAX];
    struct entry entry = *whole;
    unsigned depth = 0;

    do {
        if (entry.list.length != 0) {
            COS_CHECK(depth < LEVELS_MAX, COS_E_DATA);
            levels[depth++] = (struct level){
                cos_reader(entry.list.data, entry.list.length),
                {object.address + (uint32_t)header, (uint16_t)(object.length - header)},
                cos_tlv_open(answer, entry.tag)};
        }
        struct level *level = &levels[depth - 1];
        entry.list.length = 0;
        if (level->list.length == 0) {
            cos_tlv_close(answer, level->opened);
            depth--;
            continue;
        }
        COS_TRY(read_entry(&level->list, EXTENDED_HEADER_LIST, &entry));
        if (!wants_nothing(&entry)) {
            COS_TRY(find_inside(x, info, level->value, entry.tag, &object, &header));
        }
        if (entry.most != 0) {
            COS_TRY(answer_object(x, &entry, &object, header, answer));
        }
    } while (depth != 0);
    return COS_OK;
}

/* The data field is one list. */
COS_OWN_FRAME static enum cos_result read_list(const struct exchange *x, uint32_t *kind,
                                               struct cos_reader *list)
{
    struct cos_span data = cos_app_command_data(x);
    struct cos_reader reader = cos_reader(data.data, data.length);
    struct cos_tlv tlv;

    COS_CHECK(cos_tlv_next(&reader, &tlv) == COS_OK && tlv.length != 0, COS_E_DATA);
    COS_CHECK(tlv.tag == TAG_LIST || tlv.tag == HEADER_LIST || tlv.tag == EXTENDED_HEADER_LIST,
              COS_E_DATA);
    *kind = tlv.tag;
    *list = cos_reader(tlv.value, tlv.length);
    return cos_app_read_end(&reader);
}

/* All that a list wants, or nothing. */
static enum cos_result get_listed(struct exchange *x, const struct cos_file_info *info,
                                  struct cos_writer *answer)
{
    struct cos_reader list;
    uint32_t kind;

    COS_TRY(read_list(x, &kind, &list));
    while (list.length != 0) {
        struct entry entry;
        struct cos_record object;
        size_t header;
        COS_TRY(read_entry(&list, kind, &entry));
        if (wants_nothing(&entry)) {
            continue;
        }
        COS_TRY(find(x, info, entry.tag, &object, &header));
        if (entry.most == 0) {
            COS_TRY(answer_parts(x, info, &entry, object, header, answer));
        } else if (kind == HEADER_LIST) {
            COS_TRY(answer_value(x, &entry, &object, header, answer));
        } else {
            COS_TRY(answer_object(x, &entry, &object, header, answer));
        }
    }
    return COS_OK;
}

enum cos_result cos_app_get_data_odd(struct exchange *x)
{
    struct cos_writer answer = begin_answer(x);
    struct target target;

    COS_TRY(target_odd(x, &target));
    return end_answer(x, &target, &answer, get_listed(x, &target.info, &answer));
}

/* ---- PUT DATA ---- */

/* What a constructed object holds must be objects, and so on: GET DATA may be asked for parts. */
static enum cos_result check_content(uint32_t tag, struct cos_span value)
{
    return cos_tlv_is_constructed(tag) ? cos_tlv_check_all(value) : COS_OK;
}

/* What is written into a DF without room for objects. */
static enum cos_result no_room(enum cos_result result)
{
    return result == COS_E_FILE_STRUCTURE ? COS_E_MEMORY_FULL : result;
}

/* An empty value removes the object. */
static enum cos_result put(struct exchange *x, const struct cos_file_info *info, uint32_t tag,
                           struct cos_span value)
{
    struct cos_fs *fs = &x->app->fs;

    COS_TRY(cos_app_require_object(x, info, COS_OPERATION_PUT_DATA, tag));
    if (value.length != 0) {
        return no_room(cos_fs_object_put(fs, info, tag, value));
    }
    const enum cos_result result = cos_fs_object_delete(fs, info, tag);
    return result == COS_E_FILE_STRUCTURE ? COS_E_REFERENCE_NOT_FOUND : result;
}

/* Tags that GET DATA answers from elsewhere: an object would never be seen. */
static bool is_the_cards_own(uint32_t tag)
{
    return tag == 0x66 || tag == 0xE0 || tag == 0x9F7F || tag == 0x7F66;
}

enum cos_result cos_app_put_data(struct exchange *x)
{
    const struct cos_span value = cos_app_command_data(x);
    struct reference reference;
    struct target target;

    COS_TRY(read_reference((uint16_t)(x->command.p1 << 8 | x->command.p2), &reference));
    COS_CHECK(reference.tag != 0, COS_E_P1_P2);
    COS_TRY(target_even(x->app, reference.structure, &target));
    if (reference.structure == COS_FDB_BER_TLV) {
        COS_CHECK(!is_the_cards_own(reference.tag), COS_E_CONDITIONS);
        COS_TRY(check_content(reference.tag, value));
    }
    return finish(x->app, &target, put(x, &target.info, reference.tag, value));
}

/* The form 5C {tag} 53 {value} of one object. */
static enum cos_result read_tagged(struct cos_reader *reader, struct cos_tlv *tlv)
{
    struct cos_reader tags = cos_reader(tlv->value, tlv->length);
    const uint32_t tag = cos_tlv_read_tag(&tags);

    COS_CHECK(tag != 0 && cos_read_done(&tags), COS_E_DATA);
    COS_CHECK(cos_tlv_next(reader, tlv) == COS_OK && tlv->tag == TAG_DATA, COS_E_DATA);
    tlv->tag = tag;
    return cos_app_read_end(reader);
}

/* Reads the data field of an odd PUT DATA: objects one behind the other, or 5C {tag} 53 {value}.
 * *tlv is the last one. */
static enum cos_result read_objects(struct cos_span data, unsigned *count, struct cos_tlv *tlv)
{
    struct cos_reader reader = cos_reader(data.data, data.length);
    enum cos_result result;

    for (*count = 0; (result = cos_tlv_next(&reader, tlv)) == COS_OK; (*count)++) {
        if (tlv->tag == TAG_LIST) {
            COS_CHECK(*count == 0, COS_E_DATA);
            COS_TRY(read_tagged(&reader, tlv));
        }
        COS_TRY(check_content(tlv->tag, (struct cos_span){tlv->value, tlv->length}));
    }
    return result == COS_E_END_OF_DATA && *count != 0 ? COS_OK : COS_E_DATA;
}

/* Several objects, all or none: docs/commands.md says which can be written together. */
static enum cos_result put_several(struct exchange *x, const struct cos_file_info *info,
                                   struct cos_span data)
{
    struct cos_reader reader = cos_reader(data.data, data.length);
    struct cos_tlv tlv;

    while (cos_tlv_next(&reader, &tlv) == COS_OK) {
        COS_TRY(cos_app_require_object(x, info, COS_OPERATION_PUT_DATA, tlv.tag));
    }
    return no_room(cos_fs_objects_put(&x->app->fs, info, data));
}

enum cos_result cos_app_put_data_odd(struct exchange *x)
{
    const struct cos_span data = cos_app_command_data(x);
    struct target target;
    struct cos_tlv tlv;
    unsigned count;

    COS_TRY(target_odd(x, &target));
    COS_TRY(read_objects(data, &count, &tlv));
    return finish(x->app, &target,
                  count == 1
                      ? put(x, &target.info, tlv.tag, (struct cos_span){tlv.value, tlv.length})
                      : put_several(x, &target.info, data));
}
