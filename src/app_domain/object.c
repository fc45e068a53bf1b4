/* SPDX-License-Identifier: Apache-2.0
 *
 * GET DATA and PUT DATA of the data objects in DFs and in EFs of BER-TLV structure (ISO/IEC
 * 7816-4:2013, 11.4). Even instructions have the tag in P1-P2 and mean the current EF, if it is of
 * that structure, else the current DF; odd ones name the file there and bring the tag.
 */
#include "domain.h"

enum {
    TAG_LIST = 0x5C,
    TAG_DATA = 0x53,
    P1_P2_ALL = 0x00FF,
    FID_CURRENT_DF = 0x3FFF,
    TAG_CONSTRUCTED = 0x20,
    HEADER_MAX = 3 + 3, /* tag and length of an object that is stored */
};

/* ---- Which file, which tag ---- */

static bool has_ber_tlv_structure(const struct cos_file_info *info)
{
    return (info->fdb & COS_FDB_KIND) == COS_FDB_BER_TLV;
}

static enum cos_result target_df(const struct cos_app *app, enum cos_result none,
                                 struct target *target)
{
    COS_CHECK(app->current_df != COS_FILE_NONE, none);
    target->file = app->current_df;
    target->record = 0;
    return cos_fs_info(&app->fs, target->file, &target->info);
}

static enum cos_result target_even(const struct cos_app *app, struct target *target)
{
    if (app->current_ef != COS_FILE_NONE) {
        COS_TRY(cos_app_target(app, 0, target));
        if (has_ber_tlv_structure(&target->info)) {
            return COS_OK;
        }
    }
    return target_df(app, COS_E_REFERENCE_NOT_FOUND, target);
}

static enum cos_result target_odd(const struct exchange *x, struct target *target)
{
    if ((x->command.p1 << 8 | x->command.p2) == FID_CURRENT_DF) {
        return target_df(x->app, COS_E_FILE_NOT_FOUND, target);
    }
    COS_TRY(cos_app_target_odd(x, target));
    COS_CHECK(cos_file_is_df(&target->info) || has_ber_tlv_structure(&target->info),
              COS_E_FILE_STRUCTURE);
    return COS_OK;
}

/* An EF becomes current; what is current does not change for the sake of a DF's objects. */
static enum cos_result finish(struct cos_app *app, const struct target *target,
                              enum cos_result result)
{
    return cos_file_is_df(&target->info) ? result : cos_app_finish(app, target, result);
}

/* The tag that P1-P2 of an even instruction stand for, of one or two bytes; 0 if for none. */
static uint32_t tag_of(uint16_t p1_p2)
{
    const unsigned first = p1_p2 >> 8, last = p1_p2 & 0xFFU;

    if (first == 0) {
        return last >= 0x40 && (last & 0x1FU) != 0x1F ? p1_p2 : 0;
    }
    return first >= 0x40 && (first & 0x1FU) == 0x1F && last >= 0x1F && last < 0x80 ? p1_p2 : 0;
}

static bool is_constructed(uint32_t tag)
{
    while (tag > 0xFF) {
        tag >>= 8;
    }
    return (tag & TAG_CONSTRUCTED) != 0;
}

/* ---- GET DATA ---- */

static enum cos_result find(const struct cos_app *app, const struct cos_file_info *info,
                            uint32_t tag, struct cos_record *object)
{
    enum cos_result result = cos_fs_object_find(&app->fs, info, tag, object);

    /* a DF without room for objects has none */
    return result == COS_E_FILE_STRUCTURE ? COS_E_REFERENCE_NOT_FOUND : result;
}

/* Tag of an object as it is stored, and the bytes of tag and length. */
static enum cos_result read_header(const struct cos_app *app, const struct cos_record *object,
                                   uint32_t *tag, size_t *length)
{
    uint8_t bytes[HEADER_MAX];
    const size_t run = object->length < sizeof bytes ? object->length : sizeof bytes;

    COS_TRY(cos_fs_record_read(&app->fs, object, 0, bytes, run));
    struct cos_reader reader = cos_reader(bytes, run);
    *tag = cos_tlv_read_tag(&reader);
    const uint8_t first = cos_read8(&reader);
    *length = run - reader.length + (first < 0x80 ? 0 : first & 0x7FU);
    COS_CHECK(*tag != 0 && !reader.failed && *length <= object->length, COS_E_STORE_DAMAGED);
    return COS_OK;
}

/* Appends an object to the response, but for its first `skip` bytes. */
static enum cos_result answer(struct exchange *x, const struct cos_record *object, size_t skip)
{
    const size_t length = object->length - skip;

    COS_CHECK(length <= cos_app_room(x), COS_E_CONDITIONS);
    uint8_t *room = cos_write_room(x->body, length);
    COS_INVARIANT(room != NULL);
    return cos_fs_record_read(&x->app->fs, object, (uint32_t)skip, room, length);
}

static enum cos_result get(struct exchange *x, const struct cos_file_info *info, uint32_t tag,
                           bool whole)
{
    struct cos_record object;
    size_t header;

    COS_TRY(find(x->app, info, tag, &object));
    COS_TRY(cos_app_require_object(x, info, COS_OPERATION_GET_DATA, tag));
    COS_TRY(read_header(x->app, &object, &tag, &header));
    return answer(x, &object, whole ? 0 : header);
}

static enum cos_result get_all(struct exchange *x, const struct cos_file_info *info)
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
        COS_TRY(read_header(x->app, &object, &tag, &header));
        COS_TRY(cos_app_require_object(x, info, COS_OPERATION_GET_DATA, tag));
        COS_TRY(answer(x, &object, 0));
    }
    return COS_E_STORE_DAMAGED;
}

/* A primitive object is answered by its value, a constructed one as a whole, like those that
 * GlobalPlatform defines. */
enum cos_result cos_app_get_object(struct exchange *x, uint16_t p1_p2)
{
    const uint32_t tag = tag_of(p1_p2);
    struct target target;

    COS_CHECK((COS_LIFE_BIT(x->app->life_cycle) & COS_STATES_FILES) != 0,
              COS_E_REFERENCE_NOT_FOUND);
    COS_CHECK(tag != 0 || p1_p2 == P1_P2_ALL, COS_E_REFERENCE_NOT_FOUND);
    COS_TRY(target_even(x->app, &target));
    COS_TRY(cos_app_usable(x->app, &target.info));
    return finish(x->app, &target,
                  tag == 0 ? get_all(x, &target.info)
                           : get(x, &target.info, tag, is_constructed(tag)));
}

/* Objects of a tag list, one behind the other, all or none. */
static enum cos_result get_listed(struct exchange *x, const struct cos_file_info *info)
{
    struct cos_span data = cos_app_command_data(x);
    struct cos_reader reader = cos_reader(data.data, data.length);
    struct cos_tlv list;

    COS_CHECK(cos_tlv_next(&reader, &list) == COS_OK && list.tag == TAG_LIST && list.length != 0,
              COS_E_DATA);
    COS_TRY(cos_app_read_end(&reader));
    struct cos_reader tags = cos_reader(list.value, list.length);
    while (tags.length != 0) {
        const uint32_t tag = cos_tlv_read_tag(&tags);
        COS_CHECK(tag != 0 && !tags.failed, COS_E_DATA);
        COS_TRY(get(x, info, tag, true));
    }
    return COS_OK;
}

enum cos_result cos_app_get_data_odd(struct exchange *x)
{
    struct target target;

    COS_TRY(target_odd(x, &target));
    COS_TRY(cos_app_usable(x->app, &target.info));
    return finish(x->app, &target, get_listed(x, &target.info));
}

/* ---- PUT DATA ---- */

/* An empty value removes the object. */
static enum cos_result put(struct exchange *x, const struct cos_file_info *info, uint32_t tag,
                           struct cos_span value)
{
    struct cos_fs *fs = &x->app->fs;

    COS_TRY(cos_app_require_object(x, info, COS_OPERATION_PUT_DATA, tag));
    enum cos_result result = value.length != 0 ? cos_fs_object_put(fs, info, tag, value)
                                               : cos_fs_object_delete(fs, info, tag);
    /* a DF without room for objects */
    COS_CHECK(result != COS_E_FILE_STRUCTURE,
              value.length != 0 ? COS_E_MEMORY_FULL : COS_E_REFERENCE_NOT_FOUND);
    return result;
}

/* Tags that GET DATA answers from elsewhere: an object would never be seen. */
static bool is_the_cards_own(uint32_t tag)
{
    return tag == 0x66 || tag == 0xE0 || tag == 0x9F7F || tag == 0x7F66;
}

enum cos_result cos_app_put_data(struct exchange *x)
{
    const uint32_t tag = tag_of((uint16_t)(x->command.p1 << 8 | x->command.p2));
    struct target target;

    COS_CHECK(tag != 0, COS_E_P1_P2);
    COS_TRY(target_even(x->app, &target));
    COS_TRY(cos_app_usable(x->app, &target.info));
    COS_CHECK(!is_the_cards_own(tag), COS_E_CONDITIONS);
    return finish(x->app, &target, put(x, &target.info, tag, cos_app_command_data(x)));
}

/* The data field of an odd PUT DATA: one object, or tag list and discretionary data, 5C {tag} 53
 * {value}. Only one: several could not be written all or none. */
static enum cos_result parse_put(const struct exchange *x, uint32_t *tag, struct cos_span *value)
{
    struct cos_span data = cos_app_command_data(x);
    struct cos_reader reader = cos_reader(data.data, data.length);
    struct cos_tlv tlv;

    COS_CHECK(cos_tlv_next(&reader, &tlv) == COS_OK, COS_E_DATA);
    *tag = tlv.tag;
    if (tlv.tag == TAG_LIST) {
        struct cos_reader tags = cos_reader(tlv.value, tlv.length);
        *tag = cos_tlv_read_tag(&tags);
        COS_CHECK(*tag != 0 && cos_read_done(&tags), COS_E_DATA);
        COS_CHECK(cos_tlv_next(&reader, &tlv) == COS_OK && tlv.tag == TAG_DATA, COS_E_DATA);
    }
    *value = (struct cos_span){tlv.value, tlv.length};
    return cos_app_read_end(&reader);
}

enum cos_result cos_app_put_data_odd(struct exchange *x)
{
    struct target target;
    struct cos_span value;
    uint32_t tag;

    COS_TRY(target_odd(x, &target));
    COS_TRY(cos_app_usable(x->app, &target.info));
    COS_TRY(parse_put(x, &tag, &value));
    return finish(x->app, &target, put(x, &target.info, tag, value));
}
