/* SPDX-License-Identifier: Apache-2.0
 *
 * The heap: where files have their bytes. Nothing is stored about it; what is in use follows from
 * the file table. Bytes that are not in use are 00.
 */
#include "file.h"
#include "walk.h"

/* Extents begin at multiples of a granule, as pages do, so that what one leaves fits the next. The
 * first fit is looked for in windows of a bit map, one bit a granule. */
enum { GRANULE = HEAP_GRANULE, WINDOW_BYTES = 64, WINDOW = WINDOW_BYTES * 8 * GRANULE };

static uint32_t before_content(const struct cos_file_info *info)
{
    return info->attributes_length + (cos_file_is_df(info) ? FILE_SFI_MAP : 0U);
}

/* What is written when the file is created: should stand in one page, so that it costs one page
 * program. */
static uint32_t head_of(const struct cos_file_info *info)
{
    const bool structured =
        info->source == COS_FS_SOURCE_CONTENT && cos_content_structure(info) != 0;

    return before_content(info) + (structured ? CONTENT_HEADER : 0U);
}

uint32_t cos_file_sfi_map(const struct cos_file_info *info)
{
    return info->address + info->attributes_length;
}

uint32_t cos_file_content(const struct cos_file_info *info)
{
    return info->address + before_content(info);
}

uint32_t cos_file_extent(const struct cos_file_info *info)
{
    const bool own = info->source == COS_FS_SOURCE_CONTENT;

    return before_content(info) + (own ? info->size + cos_content_structure(info) : 0U);
}

static uint32_t heap_start(const struct cos_fs *fs)
{
    return (uint32_t)fs->heap_page * fs->store->payload;
}

static uint32_t heap_end(const struct cos_fs *fs)
{
    return fs->config.start + fs->config.size;
}

/* The first address from `from` on where an extent may begin: a border of a page cuts neither it,
 * if it would fit into one, nor its head. So an update of a small file is one page program. */
static uint32_t aligned(const struct cos_fs *fs, const struct cos_file_info *info, uint32_t from)
{
    from = (from + GRANULE - 1) / GRANULE * GRANULE;
    const uint32_t payload = fs->store->payload, left = payload - from % payload;
    const uint32_t extent = cos_file_extent(info);
    const uint32_t head = extent <= payload ? extent : head_of(info);

    return head > left && head <= payload ? from + left : from;
}

static bool fits(const struct cos_fs *fs, const struct cos_file_info *info, uint32_t address)
{
    return address <= heap_end(fs) && cos_file_extent(info) <= heap_end(fs) - address;
}

/* Calls for every file, the MF included. */
struct extents {
    struct table_walk walk;
    bool mf_done;
};

static enum cos_result next_extent(struct extents *extents, uint32_t *address, uint32_t *length)
{
    struct cos_file_info info;
    cos_file file;
    enum cos_result result = COS_E_FILE_NOT_FOUND;

    if (!extents->mf_done) {
        extents->mf_done = true;
        result = cos_table_info(extents->walk.fs, COS_FILE_MF, &info);
    }
    if (result == COS_E_FILE_NOT_FOUND) {
        result = cos_walk_file(&extents->walk, &file, &info);
    }
    COS_TRY(result);
    *address = info.address;
    *length = cos_file_extent(&info);
    return COS_OK;
}

static void begin(struct extents *extents, const struct cos_fs *fs)
{
    extents->mf_done = false;
    cos_walk(&extents->walk, fs, 0, cos_table_entries(fs));
}

static enum cos_result find_top(struct cos_fs *fs)
{
    struct extents extents;
    uint32_t top = heap_start(fs), address, length;
    enum cos_result result;

    begin(&extents, fs);
    while ((result = next_extent(&extents, &address, &length)) == COS_OK) {
        top = address + length > top ? address + length : top;
    }
    COS_CHECK(result == COS_E_END_OF_DATA, result);
    fs->heap_top = top;
    return COS_OK;
}

/* Marks the granules of the window from `base` on that files use. */
static enum cos_result mark_used(const struct cos_fs *fs, uint32_t base, uint8_t used[WINDOW_BYTES])
{
    struct extents extents;
    uint32_t address, length;
    enum cos_result result;

    memset(used, 0, WINDOW_BYTES);
    begin(&extents, fs);
    while ((result = next_extent(&extents, &address, &length)) == COS_OK) {
        if (length == 0 || address >= base + WINDOW || address + length <= base) {
            continue;
        }
        const uint32_t first = address > base ? (address - base) / GRANULE : 0;
        const uint32_t end = address + length - base;
        for (uint32_t i = first; i < WINDOW_BYTES * 8U && i * GRANULE < end; i++) {
            used[i / 8] |= (uint8_t)(1U << i % 8);
        }
    }
    return result == COS_E_END_OF_DATA ? COS_OK : result;
}

static enum cos_result first_fit(const struct cos_fs *fs, struct cos_file_info *info)
{
    const uint32_t extent = cos_file_extent(info);
    uint32_t run = heap_start(fs); /* where the free bytes that reach up to here begin */

    for (uint32_t base = heap_start(fs); base < heap_end(fs); base += WINDOW) {
        uint8_t used[WINDOW_BYTES];
        COS_TRY(mark_used(fs, base, used));
        for (uint32_t i = 0; i < WINDOW_BYTES * 8U; i++) {
            const uint32_t end = base + (i + 1) * GRANULE;
            if ((used[i / 8] & 1U << i % 8) != 0) {
                run = end;
                continue;
            }
            info->address = aligned(fs, info, run);
            if (info->address + extent <= end && fits(fs, info, info->address)) {
                return COS_OK;
            }
        }
    }
    return COS_E_MEMORY_FULL;
}

enum cos_result cos_heap_place(struct cos_fs *fs, struct cos_file_info *info)
{
    if (fs->heap_top == 0) {
        COS_TRY(find_top(fs));
    }
    info->address = aligned(fs, info, fs->heap_top);
    return fits(fs, info, info->address) ? COS_OK : first_fit(fs, info);
}
