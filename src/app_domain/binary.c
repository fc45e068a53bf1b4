/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands on transparent EFs (ISO/IEC 7816-4:2013, 11.2): READ, WRITE, UPDATE, SEARCH and ERASE
 * BINARY. Even instructions have SFI and offset in P1-P2, odd ones name the EF there and bring the
 * offset as an object 54, data as an object 53. The erased state is 00.
 */
#include "domain.h"

enum { P1_SFI = 0x80, P1_SFI_RESERVED = 0x60, TAG_OFFSET = 0x54 };

/* What a command works on. */
struct place {
    struct target ef;
    uint32_t offset;
    struct cos_span data;
};

static enum cos_result find(struct exchange *x, struct place *place)
{
    const uint8_t p1 = x->command.p1, p2 = x->command.p2;
    const uint8_t sfi = p1 & 0x1F;

    place->offset = 0;
    if (cos_app_is_odd(x)) {
        COS_TRY(cos_app_target_odd(x, &place->ef));
        COS_CHECK(!cos_file_is_df(&place->ef.info), COS_E_FILE_NOT_FOUND);
    } else if ((p1 & P1_SFI) != 0) {
        COS_CHECK((p1 & P1_SFI_RESERVED) == 0 && sfi >= 1 && sfi <= COS_FS_SFI_MAX, COS_E_P1_P2);
        place->offset = p2;
        COS_TRY(cos_app_target(x->app, sfi, &place->ef));
    } else {
        place->offset = (uint32_t)p1 << 8 | p2;
        COS_TRY(cos_app_target(x->app, 0, &place->ef));
    }
    COS_CHECK((place->ef.info.fdb & COS_FDB_KIND) == COS_FDB_TRANSPARENT, COS_E_FILE_STRUCTURE);
    return COS_OK;
}

/* Up to the conditions of use: what the card itself writes nobody changes. */
static enum cos_result begin(struct exchange *x, enum cos_operation operation, struct place *place)
{
    COS_TRY(find(x, place));
    const struct cos_file_info *info = &place->ef.info;
    COS_TRY(cos_app_authorize(x, info, operation));
    COS_CHECK(operation == COS_OPERATION_READ || info->source == COS_FS_SOURCE_CONTENT ||
                  info->source == COS_FS_SOURCE_VAULT,
              COS_E_CONDITIONS);
    return COS_OK;
}

/* Offset and data, or (with_data false) an offset alone. */
static enum cos_result parse(struct exchange *x, bool with_data, struct place *place)
{
    struct cos_span data = cos_app_command_data(x);

    place->data = data;
    if (cos_app_is_odd(x)) {
        struct cos_reader reader = cos_reader(data.data, data.length);
        COS_TRY(cos_app_read_offset(&reader, &place->offset));
        COS_TRY(with_data ? cos_app_read_data(&reader, &place->data) : cos_app_read_end(&reader));
    }
    COS_CHECK(place->offset < place->ef.info.size, COS_E_OFFSET);
    return COS_OK;
}

/* The same for what is written: data must not reach past the end. */
static enum cos_result parse_write(struct exchange *x, struct place *place)
{
    COS_TRY(parse(x, true, place));
    COS_CHECK(place->data.length <= place->ef.info.size - place->offset, COS_E_MEMORY_FULL);
    return COS_OK;
}

/* An even READ has no data field, an odd one has one; UPDATE, WRITE and SEARCH always do.
 * Reading from the end of the file on is 6B00: some clients read until they are told so. */
enum cos_result cos_app_read_binary(struct exchange *x)
{
    struct place place;

    COS_TRY(begin(x, COS_OPERATION_READ, &place));
    COS_TRY(parse(x, false, &place));
    const struct cos_file_info *info = &place.ef.info;
    return cos_app_finish(
        x->app, &place.ef,
        cos_app_answer_content(x, info, NULL, place.offset, info->size - place.offset));
}

/* UPDATE replaces, WRITE combines as the data coding byte says. */
static enum cos_result put(struct exchange *x, const struct place *place, bool write)
{
    const struct cos_file_info *info = &place->ef.info;
    const enum cos_combination how = write ? cos_combination_of(info->dcb) : COS_COMBINE_REPLACE;
    struct cos_span data;

    if (info->source == COS_FS_SOURCE_VAULT) {
        return write ? cos_app_vault_write(x->app, info, place->offset, place->data)
                     : cos_app_vault_update(x->app, info, place->offset, place->data, how);
    }
    COS_TRY(cos_app_combine(x, info, NULL, place->offset, place->data, how, &data));
    return cos_fs_update(&x->app->fs, info, place->offset, data.data, data.length);
}

static enum cos_result update_or_write(struct exchange *x, bool write)
{
    struct place place;

    COS_TRY(begin(x, write ? COS_OPERATION_WRITE : COS_OPERATION_UPDATE, &place));
    COS_TRY(parse_write(x, &place));
    return cos_app_finish(x->app, &place.ef, put(x, &place, write));
}

enum cos_result cos_app_update_binary(struct exchange *x)
{
    return update_or_write(x, false);
}

enum cos_result cos_app_write_binary(struct exchange *x)
{
    return update_or_write(x, true);
}

/* Where ERASE ends: at an offset that is not erased any more, or (none) at the end of the file. */
static enum cos_result parse_erase(struct exchange *x, struct place *place, uint32_t *end)
{
    struct cos_span data = cos_app_command_data(x);
    struct cos_reader reader = cos_reader(data.data, data.length);

    *end = place->ef.info.size;
    if (cos_app_is_odd(x)) {
        if (data.length != 0) {
            COS_TRY(cos_app_read_offset(&reader, &place->offset));
        }
        if (reader.length != 0) {
            COS_TRY(cos_app_read_offset(&reader, end));
        }
        COS_TRY(cos_app_read_end(&reader));
    } else if (data.length != 0) {
        *end = data.length == 1 ? data.data[0] : cos_get16(data.data);
    }
    COS_CHECK(place->offset < place->ef.info.size && *end <= place->ef.info.size, COS_E_OFFSET);
    COS_CHECK(place->offset < *end, COS_E_DATA);
    return COS_OK;
}

enum cos_result cos_app_erase_binary(struct exchange *x)
{
    struct place place;
    uint32_t end;

    COS_CHECK(cos_app_is_odd(x) || x->command.nc <= 2, COS_E_LENGTH);
    COS_TRY(begin(x, COS_OPERATION_UPDATE, &place));
    COS_TRY(parse_erase(x, &place, &end));
    const struct cos_file_info *info = &place.ef.info;
    const uint32_t length = end - place.offset;
    enum cos_result result = info->source == COS_FS_SOURCE_VAULT
                                 ? cos_app_vault_erase(x->app, info, place.offset, length)
                                 : cos_fs_erase(&x->app->fs, info, place.offset, length);
    return cos_app_finish(x->app, &place.ef, result);
}

/* The offset of the first place, at or behind the given one, where the string stands. */
enum cos_result cos_app_search_binary(struct exchange *x)
{
    struct place place;
    uint32_t found = 0;

    COS_TRY(begin(x, COS_OPERATION_READ, &place));
    COS_TRY(parse(x, true, &place));
    enum cos_result result = cos_app_search(x->app, &place.ef.info, NULL, place.offset,
                                            place.ef.info.size, place.data, &found);
    if (result == COS_OK && cos_app_is_odd(x)) {
        cos_tlv_write16(x->body, TAG_OFFSET, (uint16_t)found);
    } else if (result == COS_OK) {
        cos_write16(x->body, (uint16_t)found);
    }
    return cos_app_finish(x->app, &place.ef, result);
}
