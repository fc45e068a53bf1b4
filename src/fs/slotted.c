/* SPDX-License-Identifier: Apache-2.0
 *
 * Items of different lengths: docs/formats.md, "Files".
 */
#include "slotted.h"

uint32_t cos_slotted_entry(const struct cos_file_info *info, unsigned index)
{
    return cos_content_header_address(info) + index * SLOTTED_ENTRY;
}

uint32_t cos_slotted_data(const struct cos_file_info *info)
{
    return cos_file_content(info) + cos_content_structure(info);
}

/* An entry is place (2), counted from 1, 0 = there is no such item; length (2). */
void cos_slotted_put_entry(uint8_t entry[SLOTTED_ENTRY], const struct cos_file_info *info,
                           const struct cos_record *item)
{
    cos_put16(entry, (uint16_t)(item->address - cos_slotted_data(info) + 1));
    cos_put16(entry + 2, item->length);
}

enum cos_result cos_slotted_item(const struct cos_fs *fs, const struct cos_file_info *info,
                                 unsigned index, struct cos_record *item)
{
    uint8_t entry[SLOTTED_ENTRY];

    COS_CHECK(index < info->record_count, COS_E_RECORD_NOT_FOUND);
    COS_TRY(cos_store_read(fs->store, cos_slotted_entry(info, index), entry, sizeof entry));
    const unsigned place = cos_get16(entry);
    COS_CHECK(place != 0, COS_E_RECORD_NOT_FOUND);
    item->length = cos_get16(entry + 2);
    COS_CHECK(place - 1 + item->length <= info->size, COS_E_STORE_DAMAGED);
    item->address = cos_slotted_data(info) + place - 1;
    return COS_OK;
}

enum cos_result cos_slotted_count(const struct cos_fs *fs, const struct cos_file_info *info,
                                  unsigned *count)
{
    struct cos_record item;
    enum cos_result result;

    *count = 0;
    while ((result = cos_slotted_item(fs, info, *count, &item)) == COS_OK) {
        (*count)++;
    }
    return result == COS_E_RECORD_NOT_FOUND ? COS_OK : result;
}

enum cos_result cos_slotted_find_free(const struct cos_fs *fs, const struct cos_file_info *info,
                                      unsigned index, struct cos_record *wanted)
{
    const uint32_t limit = cos_slotted_data(info) + info->size;
    uint32_t place = wanted->address;
    struct cos_record item;

    do {
        enum cos_result result;
        wanted->address = place;
        const uint32_t end = place + wanted->length;
        COS_CHECK(end <= limit, COS_E_MEMORY_FULL);
        for (unsigned i = 0; (result = cos_slotted_item(fs, info, i, &item)) == COS_OK; i++) {
            const uint32_t item_end = item.address + item.length;
            if (i != index && item.length != 0 && item.address < end && item_end > place) {
                place = item_end;
            }
        }
        COS_CHECK(result == COS_E_RECORD_NOT_FOUND, result);
    } while (place != wanted->address);
    return COS_OK;
}

/* Finds room for an item: where it is or above, or if it is new, above the last; then anywhere. */
static enum cos_result find_room(const struct cos_fs *fs, const struct cos_file_info *info,
                                 unsigned index, struct cos_record *old, struct cos_record *wanted)
{
    struct cos_record below = {cos_slotted_data(info), 0};
    enum cos_result result = cos_slotted_item(fs, info, index, old);

    if (result == COS_E_RECORD_NOT_FOUND) {
        result = index == 0 ? COS_OK : cos_slotted_item(fs, info, index - 1, &below);
        below.address += below.length;
    } else {
        below.address = old->address;
    }
    COS_TRY(result);
    wanted->address = below.address;
    result = cos_slotted_find_free(fs, info, index, wanted);
    if (result == COS_E_MEMORY_FULL) {
        wanted->address = cos_slotted_data(info);
        result = cos_slotted_find_free(fs, info, index, wanted);
    }
    return result;
}

/* Puts an item where there is room for it now: one transaction. Where new bytes overlap the old,
 * the later edits win. */
static enum cos_result put_once(struct cos_fs *fs, const struct cos_file_info *info, unsigned index,
                                struct cos_span head, struct cos_span body)
{
    struct cos_record old = {0}, wanted = {.length = (uint16_t)(head.length + body.length)};
    uint8_t entry[SLOTTED_ENTRY];

    COS_TRY(find_room(fs, info, index, &old, &wanted));
    cos_slotted_put_entry(entry, info, &wanted);
    const bool same = wanted.address == old.address && wanted.length == old.length;
    /* Deleting the item will scrub where it is then: what it leaves is scrubbed now. */
    const bool leaves = wanted.address != old.address || wanted.length < old.length;
    const struct cos_edit edits[] = {
        {.address = old.address, .length = old.length, .scrub = leaves},
        {.address = wanted.address, .data = head.data, .length = (uint32_t)head.length},
        {.address = wanted.address + (uint32_t)head.length,
         .data = body.data,
         .length = (uint32_t)body.length},
        {.address = cos_slotted_entry(info, index),
         .data = entry,
         .length = same ? 0 : sizeof entry},
    };
    return cos_content_commit(fs, edits, sizeof edits / sizeof edits[0]);
}

/* Moves an item, in several leaps if one would touch too many pages. */
static enum cos_result move(struct cos_fs *fs, const struct cos_file_info *info, unsigned index,
                            struct cos_record *item, uint32_t to)
{
    uint8_t entry[SLOTTED_ENTRY];
    int32_t leap = (int32_t)(to - item->address);

    while (leap != 0) {
        const struct cos_record there = {item->address + (uint32_t)leap, item->length};
        cos_slotted_put_entry(entry, info, &there);
        const struct cos_edit edits[] = {
            {.address = item->address, .length = item->length, .scrub = true},
            {.address = there.address, .length = there.length, .from = item->address},
            {.address = cos_slotted_entry(info, index), .data = entry, .length = sizeof entry},
        };
        const enum cos_result result =
            cos_content_commit(fs, edits, sizeof edits / sizeof edits[0]);
        if (result == COS_OK) {
            *item = there;
            leap = (int32_t)(to - there.address);
        } else {
            COS_CHECK(result == COS_E_MEMORY_FULL && leap / 2 != 0, result);
            leap /= 2;
        }
    }
    return COS_OK;
}

/* Moves the items that begin behind `pivot` together at the end of the data, or those that do not
 * at its beginning, the outermost first. */
static enum cos_result gather(struct cos_fs *fs, const struct cos_file_info *info, uint32_t pivot,
                              bool behind)
{
    const uint32_t data = cos_slotted_data(info);
    uint32_t done = 0, nearest;

    do {
        struct cos_record item, next = {0};
        enum cos_result result;
        unsigned index = 0;
        nearest = UINT32_MAX; /* bytes between an item that is not done yet and the border */
        for (unsigned i = 0; (result = cos_slotted_item(fs, info, i, &item)) == COS_OK; i++) {
            const uint32_t before = item.address - data;
            const uint32_t gap = behind ? info->size - before - item.length : before;
            if (item.length != 0 && (item.address > pivot) == behind && gap >= done &&
                gap < nearest) {
                nearest = gap;
                next = item;
                index = i;
            }
        }
        COS_CHECK(result == COS_E_RECORD_NOT_FOUND, result);
        if (nearest != UINT32_MAX) {
            const uint32_t to = behind ? data + info->size - done - next.length : data + done;
            COS_TRY(move(fs, info, index, &next, to));
            done += next.length;
        }
    } while (nearest != UINT32_MAX);
    return COS_OK;
}

/* Whether the items would fit if they all lay together. An item that will have a new content has
 * all that is free behind itself then: what was behind it is moved to the end. */
enum cos_result cos_slotted_put(struct cos_fs *fs, const struct cos_file_info *info, unsigned index,
                                struct cos_span head, struct cos_span body)
{
    const uint32_t pages = fs->store->config.reserve - COS_STORE_SLACK;
    struct cos_record item;
    uint32_t pivot = UINT32_MAX;
    size_t total = head.length + body.length;
    enum cos_result result;

    COS_CHECK(index < info->record_count && total <= info->size && total <= UINT16_MAX &&
                  total <= pages * fs->store->payload,
              COS_E_MEMORY_FULL);
    for (unsigned i = 0; (result = cos_slotted_item(fs, info, i, &item)) == COS_OK; i++) {
        if (i != index) {
            total += item.length;
        } else if (item.length != 0) {
            pivot = item.address;
        }
    }
    COS_CHECK(result == COS_E_RECORD_NOT_FOUND, result);
    COS_CHECK(total <= info->size, COS_E_MEMORY_FULL);
    result = put_once(fs, info, index, head, body);
    if (result == COS_E_MEMORY_FULL) {
        COS_TRY(gather(fs, info, pivot, false));
        COS_TRY(gather(fs, info, pivot, true));
        result = put_once(fs, info, index, head, body);
    }
    return result;
}

enum cos_result cos_slotted_remove(struct cos_fs *fs, const struct cos_file_info *info,
                                   unsigned index)
{
    struct cos_record item;
    unsigned count;

    COS_TRY(cos_slotted_item(fs, info, index, &item));
    COS_TRY(cos_slotted_count(fs, info, &count));
    COS_CHECK(index < count, COS_E_STORE_DAMAGED);
    const uint32_t hole = cos_slotted_entry(info, index);
    const uint32_t last = cos_slotted_entry(info, count - 1);
    const bool near = last / fs->store->payload - hole / fs->store->payload <= 1;
    const struct cos_edit edits[ERASE_WITH] = {
        {.address = hole,
         .length = near ? last - hole : SLOTTED_ENTRY,
         .from = near ? hole + SLOTTED_ENTRY : last},
        {.address = last, .length = SLOTTED_ENTRY},
    };
    return cos_erase_range(fs, edits, ERASE_WITH, item.address, item.length);
}
