/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands on record EFs (ISO/IEC 7816-4:2013, 11.3): READ, WRITE, UPDATE, APPEND and ERASE RECORD.
 * The record pointer moves to what first, last, next and previous find and to what APPEND makes; a
 * record that is named by its number does not move it.
 */
#include "domain.h"

enum { P1_RESERVED = 0xFF };

/* ---- The EF and its records ---- */

static enum cos_result count_records(const struct cos_app *app, const struct cos_file_info *info,
                                     unsigned *count)
{
    if (info->source == COS_FS_SOURCE_VAULT) {
        *count = info->record_count;
        return COS_OK;
    }
    return cos_fs_record_count(&app->fs, info, count);
}

/* The records of a vault EF stand one behind the other. */
enum cos_result cos_app_locate_record(const struct cos_app *app, const struct records *records,
                                      unsigned number, struct cos_record *record)
{
    const struct cos_file_info *info = &records->ef.info;

    COS_CHECK(number >= 1 && number <= records->count, COS_E_RECORD_NOT_FOUND);
    if (info->source == COS_FS_SOURCE_VAULT) {
        *record = (struct cos_record){.address = (number - 1) * (uint32_t)info->record_size,
                                      .length = info->record_size};
        return COS_OK;
    }
    return cos_fs_record(&app->fs, info, number, record);
}

enum cos_result cos_app_open_records(struct exchange *x, enum cos_operation operation,
                                     struct records *records)
{
    const uint8_t sfi = x->command.p2 >> 3;
    const struct cos_file_info *info = &records->ef.info;

    COS_CHECK(sfi <= COS_FS_SFI_MAX && x->command.p1 != P1_RESERVED, COS_E_P1_P2);
    COS_TRY(cos_app_target(x->app, sfi, &records->ef));
    COS_CHECK(cos_file_has_records(info), COS_E_FILE_STRUCTURE);
    COS_TRY(cos_app_authorize(x, info, operation));
    return count_records(x->app, info, &records->count);
}

enum cos_result cos_app_has_identifier(struct cos_app *app, const struct records *records,
                                       unsigned number, uint8_t identifier, bool *has)
{
    struct cos_record record;
    uint8_t tag = 0;

    *has = identifier == 0;
    if (*has || !cos_file_is_simple_tlv(&records->ef.info)) {
        return COS_OK;
    }
    COS_TRY(cos_app_locate_record(app, records, number, &record));
    if (record.length != 0) {
        COS_TRY(cos_app_read_content(app, &records->ef.info, &record, 0, &tag, 1));
    }
    *has = tag == identifier;
    return COS_OK;
}

unsigned cos_app_first_record(const struct records *records, uint8_t mode)
{
    const unsigned pointer = records->ef.record;

    switch (mode) {
    case MODE_FIRST:
        return 1;
    case MODE_LAST:
        return records->count;
    case MODE_NEXT:
        return pointer + 1;
    default:
        return pointer == 0 ? records->count : pointer - 1;
    }
}

enum cos_result cos_app_pick_record(struct exchange *x, const struct records *records,
                                    unsigned *number)
{
    const uint8_t mode = cos_app_mode(x);
    const uint8_t p1 = x->command.p1;
    bool has = false;

    if (mode >= MODE_NUMBER) {
        *number = p1 != 0 ? p1 : records->ef.record;
        COS_CHECK(*number >= 1 && *number <= records->count, COS_E_RECORD_NOT_FOUND);
        return COS_OK;
    }
    for (unsigned at = cos_app_first_record(records, mode); at >= 1 && at <= records->count;
         at = cos_app_goes_down(mode) ? at - 1 : at + 1) {
        COS_TRY(cos_app_has_identifier(x->app, records, at, p1, &has));
        if (has) {
            *number = at;
            return COS_OK;
        }
    }
    return COS_E_RECORD_NOT_FOUND;
}

/* ---- READ RECORD ---- */

/* One record, from an offset on that only an odd instruction has. */
static enum cos_result read_one(struct exchange *x, const struct records *records, unsigned number)
{
    struct cos_span data = cos_app_command_data(x);
    struct cos_reader reader = cos_reader(data.data, data.length);
    struct cos_record record;
    uint32_t offset = 0;

    COS_TRY(cos_app_locate_record(x->app, records, number, &record));
    if (cos_app_is_odd(x)) {
        COS_TRY(cos_app_read_offset(&reader, &offset));
        COS_TRY(cos_app_read_end(&reader));
        COS_CHECK(offset < record.length, COS_E_OFFSET);
    }
    return cos_app_answer_content(x, &records->ef.info, &record, offset, record.length - offset);
}

/* Records P1 to the last, upwards or downwards, as many bytes of them as are wanted. */
static enum cos_result read_several(struct exchange *x, const struct records *records,
                                    unsigned first)
{
    bool all;
    size_t wanted = cos_app_wanted(x, &all);

    for (unsigned i = 0; i <= records->count - first && wanted != 0; i++) {
        struct cos_record record;
        const unsigned number = cos_app_mode(x) == MODE_UPWARDS ? first + i : records->count - i;
        COS_TRY(cos_app_locate_record(x->app, records, number, &record));
        const size_t length = record.length < wanted ? record.length : wanted;
        uint8_t *room = cos_write_room(x->body, length);
        COS_INVARIANT(room != NULL);
        COS_TRY(cos_app_read_content(x->app, &records->ef.info, &record, 0, room, length));
        wanted -= length;
    }
    return wanted != 0 && !all ? COS_E_END_REACHED : COS_OK;
}

enum cos_result cos_app_read_record(struct exchange *x)
{
    const uint8_t mode = cos_app_mode(x);
    struct records records;
    unsigned number;

    COS_CHECK(mode <= (cos_app_is_odd(x) ? MODE_NUMBER : MODE_DOWNWARDS), COS_E_P1_P2);
    COS_TRY(cos_app_open_records(x, COS_OPERATION_READ, &records));
    COS_TRY(cos_app_pick_record(x, &records, &number));
    enum cos_result result =
        mode <= MODE_NUMBER ? read_one(x, &records, number) : read_several(x, &records, number);
    if (mode < MODE_NUMBER) {
        records.ef.record = (uint16_t)number;
    }
    return cos_app_finish(x->app, &records.ef, result);
}

/* ---- UPDATE, WRITE, APPEND RECORD ---- */

/* Bytes of tag and length of a SIMPLE-TLV object that begins so, and the length of its value. */
static size_t simple_header(const uint8_t bytes[4], size_t *value)
{
    *value = bytes[1] == 0xFF ? cos_get16(bytes + 2) : bytes[1];
    return bytes[1] == 0xFF ? 4 : 2;
}

/* A record of a TLV structure is one SIMPLE-TLV object: all of a variable record, the beginning of
 * a fixed one. */
static enum cos_result check_simple_tlv(const struct cos_file_info *info, struct cos_span data)
{
    uint8_t bytes[4] = {0};
    size_t value;

    if (!cos_file_is_simple_tlv(info)) {
        return COS_OK;
    }
    COS_CHECK(data.length >= 2, COS_E_TLV_LENGTH);
    memcpy(bytes, data.data, data.length < sizeof bytes ? data.length : sizeof bytes);
    const size_t length = simple_header(bytes, &value) + value;
    COS_CHECK(bytes[0] != 0x00 && bytes[0] != 0xFF, COS_E_DATA);
    COS_CHECK(cos_file_is_variable(info) ? length == data.length : length <= data.length,
              COS_E_TLV_LENGTH);
    return COS_OK;
}

static enum cos_result check_length(const struct cos_file_info *info, struct cos_span data)
{
    const bool fits = cos_file_is_variable(info) ? data.length <= info->record_size
                                                 : data.length == info->record_size;

    COS_CHECK(fits, COS_E_LENGTH);
    return check_simple_tlv(info, data);
}

/* A new record, which becomes current: the last one, or of a cyclic EF number 1. */
static enum cos_result append(struct exchange *x, struct records *records, struct cos_span data)
{
    const struct cos_file_info *info = &records->ef.info;

    COS_TRY(check_length(info, data));
    COS_CHECK(info->source != COS_FS_SOURCE_VAULT, COS_E_MEMORY_FULL); /* all records are there */
    COS_TRY(cos_fs_record_append(&x->app->fs, info, data.data, data.length));
    records->ef.record = cos_file_is_cyclic(info) ? 1 : (uint16_t)(records->count + 1);
    return COS_OK;
}

/* The security chip combines by itself. */
static enum cos_result put_in_vault(struct exchange *x, const struct records *records,
                                    unsigned number, struct cos_span data, bool write)
{
    const struct cos_file_info *info = &records->ef.info;
    struct cos_record record;

    COS_TRY(cos_app_locate_record(x->app, records, number, &record));
    return write ? cos_app_vault_write(x->app, info, record.address, data)
                 : cos_app_vault_update(x->app, info, record.address, data, COS_COMBINE_REPLACE);
}

/* What WRITE makes of a record: new bytes meet the old ones as the data coding byte says. Unless it
 * says "replace" the lengths are the same. */
static enum cos_result combine_whole(struct exchange *x, const struct records *records,
                                     unsigned number, struct cos_span *data)
{
    const struct cos_file_info *info = &records->ef.info;
    const enum cos_combination how = cos_combination_of(info->dcb);
    struct cos_record record;

    COS_TRY(cos_app_locate_record(x->app, records, number, &record));
    COS_CHECK(how == COS_COMBINE_REPLACE || data->length == record.length, COS_E_LENGTH);
    COS_TRY(cos_app_combine(x, info, &record, 0, *data, how, data));
    return check_simple_tlv(info, *data);
}

/* A whole record is written by its number, or by its place; not by an identifier. */
static bool names_whole(const struct exchange *x)
{
    const uint8_t mode = cos_app_mode(x);

    return mode == MODE_NUMBER || (mode < MODE_NUMBER && x->command.p1 == 0);
}

/* UPDATE and WRITE of a whole record. "Previous" in a cyclic EF makes a new one. */
static enum cos_result put_whole(struct exchange *x, struct records *records, bool write)
{
    struct cos_span data = cos_app_command_data(x);
    const struct cos_file_info *info = &records->ef.info;
    const uint8_t mode = cos_app_mode(x);
    unsigned number;

    if (mode == MODE_PREVIOUS && cos_file_is_cyclic(info)) {
        return append(x, records, data);
    }
    COS_TRY(cos_app_pick_record(x, records, &number));
    COS_TRY(check_length(info, data));
    if (info->source == COS_FS_SOURCE_VAULT) {
        COS_TRY(put_in_vault(x, records, number, data, write));
    } else {
        COS_TRY(write ? combine_whole(x, records, number, &data) : COS_OK);
        COS_TRY(cos_fs_record_update(&x->app->fs, info, number, data.data, data.length));
    }
    if (mode < MODE_NUMBER) {
        records->ef.record = (uint16_t)number;
    }
    return COS_OK;
}

/* Tag and length of a TLV record are not changed in part. */
static enum cos_result check_part(struct exchange *x, const struct cos_file_info *info,
                                  const struct cos_record *record, uint32_t offset)
{
    uint8_t bytes[4] = {0};
    const size_t run = record->length < sizeof bytes ? record->length : sizeof bytes;
    size_t value;

    if (!cos_file_is_simple_tlv(info)) {
        return COS_OK;
    }
    COS_TRY(cos_app_read_content(x->app, info, record, 0, bytes, run));
    COS_CHECK(offset >= simple_header(bytes, &value), COS_E_TLV_LENGTH);
    return COS_OK;
}

/* UPDATE of odd instruction: a part of a record is replaced, or combined with what it was. */
static enum cos_result put_part(struct exchange *x, const struct records *records)
{
    static const enum cos_combination combinations[] = {COS_COMBINE_REPLACE, COS_COMBINE_AND,
                                                        COS_COMBINE_OR, COS_COMBINE_XOR};
    const enum cos_combination how = combinations[cos_app_mode(x) - MODE_NUMBER];
    const struct cos_file_info *info = &records->ef.info;
    struct cos_span data = cos_app_command_data(x);
    struct cos_reader reader = cos_reader(data.data, data.length);
    struct cos_record record;
    unsigned number;
    uint32_t offset;

    COS_TRY(cos_app_pick_record(x, records, &number));
    COS_TRY(cos_app_read_offset(&reader, &offset));
    COS_TRY(cos_app_read_data(&reader, &data));
    COS_TRY(cos_app_locate_record(x->app, records, number, &record));
    COS_CHECK(offset < record.length, COS_E_OFFSET);
    COS_CHECK(data.length <= record.length - offset, COS_E_MEMORY_FULL);
    if (info->source == COS_FS_SOURCE_VAULT) {
        return cos_app_vault_update(x->app, info, record.address + offset, data, how);
    }
    COS_TRY(check_part(x, info, &record, offset));
    COS_TRY(cos_app_combine(x, info, &record, offset, data, how, &data));
    return cos_fs_record_patch(&x->app->fs, info, number, offset, data.data, data.length);
}

enum cos_result cos_app_update_record(struct exchange *x)
{
    const bool odd = cos_app_is_odd(x);
    struct records records;

    COS_CHECK(odd ? cos_app_mode(x) >= MODE_NUMBER : names_whole(x), COS_E_P1_P2);
    COS_TRY(cos_app_open_records(x, COS_OPERATION_UPDATE, &records));
    enum cos_result result = odd ? put_part(x, &records) : put_whole(x, &records, false);
    return cos_app_finish(x->app, &records.ef, result);
}

enum cos_result cos_app_write_record(struct exchange *x)
{
    struct records records;

    COS_CHECK(names_whole(x), COS_E_P1_P2);
    COS_TRY(cos_app_open_records(x, COS_OPERATION_WRITE, &records));
    return cos_app_finish(x->app, &records.ef, put_whole(x, &records, true));
}

enum cos_result cos_app_append_record(struct exchange *x)
{
    struct records records;

    COS_CHECK(cos_app_mode(x) == 0, COS_E_P1_P2);
    COS_TRY(cos_app_open_records(x, COS_OPERATION_WRITE, &records));
    return cos_app_finish(x->app, &records.ef, append(x, &records, cos_app_command_data(x)));
}

/* ---- ERASE RECORD ---- */

static enum cos_result erase(struct exchange *x, const struct records *records, unsigned first,
                             unsigned last)
{
    const struct cos_file_info *info = &records->ef.info;
    struct cos_record record;

    if (info->source == COS_FS_SOURCE_VAULT) {
        COS_TRY(cos_app_locate_record(x->app, records, first, &record));
        return cos_app_vault_erase(x->app, info, record.address,
                                   (size_t)(last - first + 1) * info->record_size);
    }
    return cos_fs_record_erase(&x->app->fs, info, first, last);
}

/* Record P1, or all from there to the last, become 00. They stay, and so does the pointer. */
enum cos_result cos_app_erase_record(struct exchange *x)
{
    const uint8_t mode = cos_app_mode(x);
    struct records records;
    unsigned number;

    COS_CHECK(mode == MODE_NUMBER || mode == MODE_UPWARDS, COS_E_P1_P2);
    COS_TRY(cos_app_open_records(x, COS_OPERATION_UPDATE, &records));
    COS_TRY(cos_app_pick_record(x, &records, &number));
    const unsigned last = mode == MODE_NUMBER ? number : records.count;
    return cos_app_finish(x->app, &records.ef, erase(x, &records, number, last));
}
