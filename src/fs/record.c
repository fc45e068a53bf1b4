/* SPDX-License-Identifier: Apache-2.0
 *
 * Records, ISO/IEC 7816-4:2013, 7.3. Records of one size stand in slots, in the order of their
 * numbers or, in a cyclic EF, in a ring of which the header names the newest; variable ones are
 * items (slotted.h).
 */
#include "slotted.h"

bool cos_file_has_records(const struct cos_file_info *info)
{
    const unsigned kind = info->fdb & COS_FDB_KIND;

    return kind >= COS_FDB_LINEAR_FIXED && kind <= COS_FDB_CYCLIC_TLV;
}

bool cos_file_is_cyclic(const struct cos_file_info *info)
{
    return (info->fdb & COS_FDB_KIND & ~1U) == COS_FDB_CYCLIC;
}

bool cos_file_is_variable(const struct cos_file_info *info)
{
    return (info->fdb & COS_FDB_KIND & ~1U) == COS_FDB_LINEAR_VARIABLE;
}

/* Table 12 of ISO/IEC 7816-4:2013: b1 tells TLV record structures from the others. */
bool cos_file_is_simple_tlv(const struct cos_file_info *info)
{
    return cos_file_has_records(info) && (info->fdb & 1U) != 0;
}

uint32_t cos_content_structure(const struct cos_file_info *info)
{
    const bool objects = cos_file_may_have_objects(info) && info->size != 0;

    if (info->source != COS_FS_SOURCE_CONTENT || (!objects && !cos_file_has_records(info))) {
        return 0;
    }
    return CONTENT_HEADER +
           (objects || cos_file_is_variable(info) ? info->record_count * SLOTTED_ENTRY : 0);
}

uint32_t cos_content_header_address(const struct cos_file_info *info)
{
    return (cos_file_content(info) + 3U) & ~3U;
}

/* Records that are all 00 may stand anywhere in the ring: the newest in slot 0, too. */
void cos_content_header(const struct cos_file_info *info, unsigned records,
                        uint8_t header[CONTENT_HEADER])
{
    memset(header, 0, CONTENT_HEADER);
    if (!cos_file_is_variable(info) && cos_file_has_records(info)) {
        cos_put16(header + (cos_content_header_address(info) - cos_file_content(info)),
                  (uint16_t)records);
    }
}

static enum cos_result check_records(const struct cos_file_info *info)
{
    return cos_file_has_records(info) && info->source == COS_FS_SOURCE_CONTENT
               ? COS_OK
               : COS_E_FILE_STRUCTURE;
}

/* ---- Slots ---- */

/* The bytes of the header that count: number of records (2), slot of the newest one of a cyclic EF
 * (2). */
#define SLOTS_SIZE 4U

struct slots {
    unsigned count, newest;
};

static enum cos_result read_slots(const struct cos_fs *fs, const struct cos_file_info *info,
                                  struct slots *slots)
{
    uint8_t header[SLOTS_SIZE];

    COS_TRY(cos_store_read(fs->store, cos_content_header_address(info), header, sizeof header));
    slots->count = cos_get16(header);
    slots->newest = cos_get16(header + 2);
    COS_CHECK((uint32_t)info->record_count * info->record_size <= info->size &&
                  slots->count <= info->record_count &&
                  (!cos_file_is_cyclic(info) || slots->newest < info->record_count),
              COS_E_STORE_DAMAGED);
    return COS_OK;
}

static uint32_t slot_address(const struct cos_file_info *info, unsigned slot)
{
    return cos_file_content(info) + CONTENT_HEADER + slot * (uint32_t)info->record_size;
}

/* The slot of a record that there is, number from 1. */
static unsigned slot_of(const struct cos_file_info *info, const struct slots *slots,
                        unsigned number)
{
    if (!cos_file_is_cyclic(info)) {
        return number - 1;
    }
    return (slots->newest + info->record_count - (number - 1)) % info->record_count;
}

/* The slot behind the last, or behind the newest in the ring: one transaction with the header. */
static enum cos_result append_slot(struct cos_fs *fs, const struct cos_file_info *info,
                                   const uint8_t *data)
{
    struct slots slots;
    uint8_t header[SLOTS_SIZE];
    unsigned slot;

    COS_TRY(read_slots(fs, info, &slots));
    if (cos_file_is_cyclic(info)) {
        slot = (slots.newest + 1) % info->record_count;
        slots.newest = slot;
    } else {
        slot = slots.count;
        COS_CHECK(slot < info->record_count, COS_E_MEMORY_FULL);
    }
    slots.count += slots.count < info->record_count;
    cos_put16(header, (uint16_t)slots.count);
    cos_put16(header + 2, (uint16_t)slots.newest);
    const struct cos_edit edits[] = {
        {.address = cos_content_header_address(info), .data = header, .length = sizeof header},
        {.address = slot_address(info, slot), .data = data, .length = info->record_size},
    };
    return cos_content_commit(fs, edits, 2);
}

/* ---- Both kinds ---- */

enum cos_result cos_fs_record_count(const struct cos_fs *fs, const struct cos_file_info *info,
                                    unsigned *count)
{
    struct slots slots;

    COS_TRY(check_records(info));
    if (cos_file_is_variable(info)) {
        return cos_slotted_count(fs, info, count);
    }
    COS_TRY(read_slots(fs, info, &slots));
    *count = slots.count;
    return COS_OK;
}

enum cos_result cos_fs_record(const struct cos_fs *fs, const struct cos_file_info *info,
                              unsigned number, struct cos_record *record)
{
    struct slots slots;

    COS_TRY(check_records(info));
    if (cos_file_is_variable(info)) {
        return cos_slotted_item(fs, info, number - 1, record);
    }
    COS_TRY(read_slots(fs, info, &slots));
    COS_CHECK(number - 1 < slots.count, COS_E_RECORD_NOT_FOUND);
    record->address = slot_address(info, slot_of(info, &slots, number));
    record->length = info->record_size;
    return COS_OK;
}

static enum cos_result check_inside(const struct cos_record *record, uint32_t offset, size_t length)
{
    return offset <= record->length && length <= record->length - offset ? COS_OK : COS_E_OFFSET;
}

enum cos_result cos_fs_record_read(const struct cos_fs *fs, const struct cos_record *record,
                                   uint32_t offset, uint8_t *data, size_t length)
{
    COS_TRY(check_inside(record, offset, length));
    return cos_store_read(fs->store, record->address + offset, data, length);
}

enum cos_result cos_fs_record_patch(struct cos_fs *fs, const struct cos_file_info *info,
                                    unsigned number, uint32_t offset, const uint8_t *data,
                                    size_t length)
{
    struct cos_record record;

    COS_TRY(cos_fs_record(fs, info, number, &record));
    COS_TRY(check_inside(&record, offset, length));
    const struct cos_edit edit = {
        .address = record.address + offset, .data = data, .length = (uint32_t)length};
    return cos_content_commit(fs, &edit, 1);
}

static enum cos_result check_length(const struct cos_file_info *info, size_t length)
{
    return length == info->record_size || (length < info->record_size && cos_file_is_variable(info))
               ? COS_OK
               : COS_E_LENGTH;
}

enum cos_result cos_fs_record_update(struct cos_fs *fs, const struct cos_file_info *info,
                                     unsigned number, const uint8_t *data, size_t length)
{
    struct cos_record record;

    COS_TRY(cos_fs_record(fs, info, number, &record));
    COS_TRY(check_length(info, length));
    if (cos_file_is_variable(info)) {
        return cos_slotted_put(fs, info, number - 1, (struct cos_span){NULL, 0},
                               (struct cos_span){data, length});
    }
    return cos_fs_record_patch(fs, info, number, 0, data, length);
}

enum cos_result cos_fs_record_append(struct cos_fs *fs, const struct cos_file_info *info,
                                     const uint8_t *data, size_t length)
{
    unsigned count;

    COS_TRY(cos_fs_record_count(fs, info, &count));
    COS_TRY(check_length(info, length));
    if (cos_file_is_variable(info)) {
        return cos_slotted_put(fs, info, count, (struct cos_span){NULL, 0},
                               (struct cos_span){data, length});
    }
    return append_slot(fs, info, data);
}

enum cos_result cos_record_run(const struct cos_fs *fs, const struct cos_file_info *info,
                               unsigned *number, unsigned last, struct cos_record *run)
{
    struct cos_record record;

    for (*run = (struct cos_record){.length = 0}; *number <= last; ++*number) {
        COS_TRY(cos_fs_record(fs, info, *number, &record));
        if (run->length == 0) {
            *run = record;
        } else if (record.address == run->address + run->length) {
            run->length = (uint16_t)(run->length + record.length);
        } else if (record.address + record.length == run->address) {
            record.length = (uint16_t)(run->length + record.length);
            *run = record;
        } else if (record.length != 0) {
            return COS_OK;
        }
    }
    return COS_OK;
}

enum cos_result cos_fs_record_erase(struct cos_fs *fs, const struct cos_file_info *info,
                                    unsigned first, unsigned last)
{
    unsigned count;

    COS_TRY(cos_fs_record_count(fs, info, &count));
    COS_CHECK(first >= 1 && first <= last && last <= count, COS_E_RECORD_NOT_FOUND);
    return cos_erase_records(fs, info, first, last);
}
