/* SPDX-License-Identifier: Apache-2.0
 *
 * READ and UPDATE BINARY, READ and UPDATE RECORD (ISO/IEC 7816-4:2013, 11.2 and 11.3).
 */
#include "domain.h"

enum { P1_SFI = 0x80, SFI_MAX = 30 };

/* ---- Transparent EFs ---- */

/* The EF and the offset that P1-P2 of an even-INS binary command name. */
static enum cos_result binary_target(struct exchange *x, struct cos_file_info *info,
                                     uint32_t *offset)
{
    uint8_t sfi = 0;

    if ((x->command.p1 & P1_SFI) != 0) {
        sfi = x->command.p1 & 0x1F;
        COS_CHECK((x->command.p1 & 0x60) == 0 && sfi >= 1 && sfi <= SFI_MAX, COS_E_P1_P2);
        *offset = x->command.p2;
    } else {
        *offset = (uint32_t)x->command.p1 << 8 | x->command.p2;
    }
    COS_TRY(cos_app_use_ef(x->app, sfi, info));
    COS_CHECK((info->fdb & COS_FDB_KIND) == COS_FDB_TRANSPARENT, COS_E_FILE_STRUCTURE);
    return COS_OK;
}

/* Content that the security chip gives: the production record, then zeros up to the file's size. */
static enum cos_result read_production(struct exchange *x, const struct cos_file_info *info,
                                       uint32_t offset, size_t length)
{
    static const uint8_t fields[] = {COS_LIFE_RECORD};
    struct cos_span record;
    uint8_t *room = cos_write_room(x->body, length);

    COS_INVARIANT(room != NULL && offset + length <= info->size);
    memset(room, 0, length);
    COS_TRY(cos_app_ask(x->app, COS_GATE_LIFE, fields, sizeof fields, (struct cos_span){NULL, 0},
                        &record));
    if (offset < record.length) {
        size_t run = record.length - offset < length ? record.length - offset : length;
        memcpy(room, record.data + offset, run);
    }
    return COS_OK;
}

static enum cos_result read_content(struct exchange *x, const struct cos_file_info *info,
                                    uint32_t offset, size_t length)
{
    if (info->source == COS_FS_SOURCE_PRODUCTION) {
        return read_production(x, info, offset, length);
    }
    uint8_t *room = cos_write_room(x->body, length);
    COS_INVARIANT(room != NULL);
    return cos_fs_read(&x->app->fs, info, offset, room, length);
}

/* Reading from the end of the file on is 6B00: some clients read until they are told so. */
enum cos_result cos_app_read_binary(struct exchange *x)
{
    struct cos_file_info info;
    uint32_t offset;
    bool all;
    size_t length = cos_app_wanted(x, &all);

    COS_TRY(binary_target(x, &info, &offset));
    COS_TRY(cos_app_require(x->app, &info, COS_OPERATION_READ));
    COS_CHECK(offset < info.size, COS_E_OFFSET);
    bool cut = length > info.size - offset;
    COS_TRY(read_content(x, &info, offset, cut ? info.size - offset : length));
    return cut && !all ? COS_E_END_REACHED : COS_OK;
}

enum cos_result cos_app_update_binary(struct exchange *x)
{
    struct cos_file_info info;
    uint32_t offset;

    COS_TRY(binary_target(x, &info, &offset));
    COS_TRY(cos_app_require(x->app, &info, COS_OPERATION_UPDATE));
    COS_CHECK(info.source == COS_FS_SOURCE_CONTENT && !x->held, COS_E_CONDITIONS);
    COS_CHECK(offset < info.size, COS_E_OFFSET);
    COS_CHECK(x->command.nc <= info.size - offset, COS_E_MEMORY_FULL);
    return cos_fs_update(&x->app->fs, &info, offset, x->command.data, x->command.nc);
}

/* ---- Record EFs ---- */

enum record_mode { MODE_FIRST, MODE_LAST, MODE_NEXT, MODE_PREVIOUS, MODE_NUMBER, MODE_TO_LAST };

static enum cos_result record_target(struct exchange *x, struct cos_file_info *info)
{
    uint8_t sfi = x->command.p2 >> 3;

    COS_CHECK(sfi <= SFI_MAX && x->command.p1 != 0xFF, COS_E_P1_P2);
    COS_TRY(cos_app_use_ef(x->app, sfi, info));
    COS_CHECK((info->fdb & COS_FDB_KIND) == COS_FDB_LINEAR_FIXED, COS_E_FILE_STRUCTURE);
    return COS_OK;
}

/* The record that P1 and the mode name. Records of these files have no identifiers: first, last,
 * next and previous go by number with P1 = 00. *moves: the record becomes current. */
static enum cos_result record_number(const struct exchange *x, const struct cos_file_info *info,
                                     unsigned *number, bool *moves)
{
    const unsigned current = x->app->current_record;
    const uint8_t mode = x->command.p2 & 0x07;

    *moves = mode < MODE_NUMBER;
    COS_CHECK(mode >= MODE_NUMBER || x->command.p1 == 0, COS_E_RECORD_NOT_FOUND);
    switch (mode) {
    case MODE_FIRST:
        *number = 1;
        break;
    case MODE_LAST:
        *number = info->record_count;
        break;
    case MODE_NEXT:
        *number = current + 1;
        break;
    case MODE_PREVIOUS:
        *number = current == 0 ? info->record_count : current - 1;
        break;
    default:
        *number = x->command.p1 != 0 ? x->command.p1 : current;
        break;
    }
    COS_CHECK(*number >= 1 && *number <= info->record_count, COS_E_RECORD_NOT_FOUND);
    return COS_OK;
}

enum cos_result cos_app_read_record(struct exchange *x)
{
    struct cos_file_info info;
    unsigned number, last;
    uint32_t offset;
    bool moves, all;
    size_t length = cos_app_wanted(x, &all);

    COS_CHECK((x->command.p2 & 0x07) <= MODE_TO_LAST, COS_E_P1_P2);
    COS_TRY(record_target(x, &info));
    COS_TRY(cos_app_require(x->app, &info, COS_OPERATION_READ));
    COS_TRY(record_number(x, &info, &number, &moves));
    last = (x->command.p2 & 0x07) == MODE_TO_LAST ? info.record_count : number;
    COS_TRY(cos_fs_record(&info, number, &offset));
    size_t available = (size_t)(last - number + 1) * info.record_size;
    bool cut = length > available;
    COS_TRY(read_content(x, &info, offset, cut ? available : length));
    if (moves) {
        x->app->current_record = (uint16_t)number;
    }
    return cut && !all ? COS_E_END_REACHED : COS_OK;
}

enum cos_result cos_app_update_record(struct exchange *x)
{
    struct cos_file_info info;
    unsigned number;
    uint32_t offset;
    bool moves;

    COS_CHECK((x->command.p2 & 0x07) <= MODE_NUMBER, COS_E_P1_P2);
    COS_TRY(record_target(x, &info));
    COS_TRY(cos_app_require(x->app, &info, COS_OPERATION_UPDATE));
    COS_CHECK(info.source == COS_FS_SOURCE_CONTENT && !x->held, COS_E_CONDITIONS);
    COS_TRY(record_number(x, &info, &number, &moves));
    COS_CHECK(x->command.nc == info.record_size, COS_E_LENGTH);
    COS_TRY(cos_fs_record(&info, number, &offset));
    COS_TRY(cos_fs_update(&x->app->fs, &info, offset, x->command.data, x->command.nc));
    if (moves) {
        x->app->current_record = (uint16_t)number;
    }
    return COS_OK;
}
