/* SPDX-License-Identifier: Apache-2.0
 *
 * The file table: its entries, byte by byte, and how they are found (docs/formats.md, "File
 * table").
 *
 * The store vouches for the bytes; that they mean something is checked here, before anybody uses
 * them.
 */
#include "file.h"
#include "walk.h"

/* Offsets in an entry. */
enum {
    AT_FID = 0,
    AT_PARENT = 2,
    AT_FDB = 4,
    AT_SFI = 5,
    AT_LIFE_CYCLE_STATUS = 6,
    AT_DCB = 7,
    AT_ADDRESS = 8,
    AT_ATTRIBUTES_LENGTH = 12,
    AT_SOURCE = 13,
    AT_RECORD_SIZE = 14,
    AT_RECORD_COUNT = 16,
    AT_VAULT = 18,
    AT_SIZE = 20,
    AT_NEXT = 22, /* the link of a chain, which cos_file_info does not tell */
};

enum { FDB_FREE = 0x00 }; /* a value of AT_FDB that is no file descriptor byte */

/* ---- Where things are ---- */

static uint32_t page_address(const struct cos_fs *fs, uint32_t page)
{
    return page * fs->store->payload;
}

uint32_t cos_table_entries(const struct cos_fs *fs)
{
    return (uint32_t)fs->table_pages * fs->entries_per_page;
}

uint32_t cos_table_address(const struct cos_fs *fs, cos_file file)
{
    if (file == COS_FILE_MF) {
        return fs->config.start + SUPERBLOCK_MF;
    }
    const uint32_t slot = file - 1U;
    return page_address(fs, fs->table_page + slot / fs->entries_per_page) +
           slot % fs->entries_per_page * FILE_ENTRY_SIZE;
}

/* ---- Entries ---- */

void cos_table_put(uint8_t entry[FILE_ENTRY_INFO], const struct cos_file_info *info)
{
    cos_put16(entry + AT_FID, info->fid);
    cos_put16(entry + AT_PARENT, info->parent);
    entry[AT_FDB] = info->fdb;
    entry[AT_SFI] = info->sfi;
    entry[AT_LIFE_CYCLE_STATUS] = info->life_cycle_status;
    entry[AT_DCB] = info->dcb;
    cos_put32(entry + AT_ADDRESS, info->address);
    entry[AT_ATTRIBUTES_LENGTH] = info->attributes_length;
    entry[AT_SOURCE] = info->source;
    cos_put16(entry + AT_RECORD_SIZE, info->record_size);
    cos_put16(entry + AT_RECORD_COUNT, info->record_count);
    cos_put16(entry + AT_VAULT, info->vault);
    cos_put16(entry + AT_SIZE, (uint16_t)info->size);
}

static void get_entry(const uint8_t entry[FILE_ENTRY_SIZE], struct cos_file_info *info)
{
    *info = (struct cos_file_info){
        .fid = cos_get16(entry + AT_FID),
        .parent = cos_get16(entry + AT_PARENT),
        .fdb = entry[AT_FDB],
        .dcb = entry[AT_DCB],
        .sfi = entry[AT_SFI],
        .life_cycle_status = entry[AT_LIFE_CYCLE_STATUS],
        .source = entry[AT_SOURCE],
        .attributes_length = entry[AT_ATTRIBUTES_LENGTH],
        .record_size = cos_get16(entry + AT_RECORD_SIZE),
        .record_count = cos_get16(entry + AT_RECORD_COUNT),
        .vault = cos_get16(entry + AT_VAULT),
        .size = cos_get16(entry + AT_SIZE),
        .address = cos_get32(entry + AT_ADDRESS),
    };
}

bool cos_table_is_file(const uint8_t entry[FILE_ENTRY_SIZE])
{
    return entry[AT_FDB] != FDB_FREE;
}

/* Whether descriptor, sizes and source go together, as cos_fcp_parse() lets them. */
static bool is_structure(const struct cos_file_info *info)
{
    const unsigned kind = info->fdb & COS_FDB_KIND;
    const bool counted = info->record_count > 0 && info->record_count <= COS_FS_RECORDS_MAX;
    const bool plain = info->record_size == 0 && info->record_count == 0;
    const bool own = info->source == COS_FS_SOURCE_CONTENT;

    if (info->size > COS_FS_SIZE_MAX ||
        (info->vault != 0) != (info->source == COS_FS_SOURCE_VAULT)) {
        return false;
    }
    switch (kind) {
    case COS_FDB_DF:
        return own && info->sfi == 0 &&
               (info->size > 0 ? counted && info->record_size == 0 : plain);
    case COS_FDB_TRANSPARENT:
        return info->size > 0 && plain && info->source <= COS_FS_SOURCE_CARD;
    case COS_FDB_BER_TLV:
    case COS_FDB_SIMPLE_TLV:
        return own && info->size > 0 && info->record_size == 0 && counted;
    default:
        return cos_file_has_records(info) && counted && info->record_size > 0 &&
               (own || (kind == COS_FDB_LINEAR_FIXED && info->source == COS_FS_SOURCE_VAULT)) &&
               (cos_file_is_variable(info)
                    ? info->record_size <= info->size
                    : (uint32_t)info->record_size * info->record_count == info->size);
    }
}

static bool is_life_cycle_status(uint8_t status)
{
    return status == COS_LCS_CREATION || status == COS_LCS_INITIALISATION ||
           status == COS_LCS_DEACTIVATED || status == COS_LCS_ACTIVATED ||
           status == COS_LCS_TERMINATED;
}

/* Whether a file stands where a file may stand: in the tree and in the heap. */
static bool is_in_place(const struct cos_fs *fs, cos_file file, const struct cos_file_info *info)
{
    const uint32_t end = fs->config.start + fs->config.size;

    if (file == COS_FILE_MF
            ? info->fid != 0x3F00 || info->parent != COS_FILE_MF || !cos_file_is_df(info)
            : info->fid == 0x3F00 || info->parent > cos_table_entries(fs) || info->parent == file) {
        return false;
    }
    return info->address % HEAP_GRANULE == 0 && info->address >= page_address(fs, fs->heap_page) &&
           info->address <= end && cos_file_extent(info) <= end - info->address;
}

/* An entry that is no file's says nothing. */
static bool is_empty(const uint8_t entry[FILE_ENTRY_SIZE])
{
    uint8_t all = 0;

    for (unsigned i = 0; i < FILE_ENTRY_SIZE; i++) {
        all |= entry[i];
    }
    return all == 0;
}

enum cos_result cos_table_get(const struct cos_fs *fs, cos_file file,
                              const uint8_t entry[FILE_ENTRY_SIZE], struct cos_file_info *info)
{
    if (!cos_table_is_file(entry)) {
        return is_empty(entry) ? COS_E_FILE_NOT_FOUND : COS_E_STORE_DAMAGED;
    }
    get_entry(entry, info);
    COS_CHECK(is_structure(info) && is_in_place(fs, file, info) && info->sfi <= COS_FS_SFI_MAX &&
                  is_life_cycle_status(info->life_cycle_status) &&
                  info->attributes_length <= COS_FS_ATTRIBUTES_MAX,
              COS_E_STORE_DAMAGED);
    return COS_OK;
}

enum cos_result cos_table_info(const struct cos_fs *fs, cos_file file, struct cos_file_info *info)
{
    uint8_t entry[FILE_ENTRY_SIZE];

    COS_CHECK(file <= cos_table_entries(fs), COS_E_FILE_NOT_FOUND);
    COS_TRY(cos_store_read(fs->store, cos_table_address(fs, file), entry, sizeof entry));
    return cos_table_get(fs, file, entry, info);
}

enum cos_result cos_fs_info(const struct cos_fs *fs, cos_file file, struct cos_file_info *info)
{
    COS_CHECK(!cos_file_is_hidden(fs, file), COS_E_FILE_NOT_FOUND);
    return cos_table_info(fs, file, info);
}

bool cos_file_is_hidden(const struct cos_fs *fs, cos_file file)
{
    const struct cos_fs_pending *pending = &fs->pending;
    bool below;

    switch (pending->kind) {
    case COS_FS_REMOVING:
        return cos_fs_is_below(fs, file, pending->file, &below) != COS_OK || below;
    case COS_FS_PREPARED_CREATE:
        return file == pending->file;
    default:
        return false;
    }
}

/* ---- Walking ---- */

void cos_walk(struct table_walk *walk, const struct cos_fs *fs, uint32_t first, uint32_t count)
{
    walk->fs = fs;
    walk->next = first;
    walk->end = first + count;
    walk->loaded = 0;
}

enum cos_result cos_walk_next(struct table_walk *walk, cos_file *file, const uint8_t **entry)
{
    COS_CHECK(walk->next < walk->end, COS_E_END_OF_DATA);
    if (walk->loaded == 0) {
        const struct cos_fs *fs = walk->fs;
        const uint32_t in_page = fs->entries_per_page - walk->next % fs->entries_per_page;
        uint32_t count = walk->end - walk->next;
        count = in_page < count ? in_page : count;
        count = count > TABLE_WALK_ENTRIES ? TABLE_WALK_ENTRIES : count;
        COS_TRY(cos_store_read(fs->store, cos_table_address(fs, (cos_file)(walk->next + 1)),
                               walk->buffer, count * FILE_ENTRY_SIZE));
        walk->loaded = (uint16_t)count;
        walk->at = walk->buffer;
    }
    *entry = walk->at;
    *file = (cos_file)(walk->next + 1);
    walk->next++;
    walk->loaded--;
    walk->at += FILE_ENTRY_SIZE;
    return COS_OK;
}

enum cos_result cos_walk_file(struct table_walk *walk, cos_file *file, struct cos_file_info *info)
{
    const uint8_t *entry;
    enum cos_result result;

    do {
        COS_TRY(cos_walk_next(walk, file, &entry));
        result = cos_table_get(walk->fs, *file, entry, info);
    } while (result == COS_E_FILE_NOT_FOUND);
    return result;
}

enum cos_result cos_fs_next(const struct cos_fs *fs, uint32_t *cursor, cos_file *file,
                            struct cos_file_info *info)
{
    while (*cursor <= cos_table_entries(fs)) {
        *file = (cos_file)*cursor;
        ++*cursor;
        const enum cos_result result = cos_fs_info(fs, *file, info);
        if (result != COS_E_FILE_NOT_FOUND) {
            return result;
        }
    }
    return COS_E_END_OF_DATA;
}

/* ---- Hashing ---- */

/* The page that a file belongs to. */
static uint32_t home_page(const struct cos_fs *fs, cos_file df, uint16_t fid)
{
    const uint32_t hash = ((uint32_t)df << 16 ^ fid) * 0x9E3779B1U;

    return (hash >> 16) * fs->table_pages >> 16;
}

static uint32_t page_of(const struct cos_fs *fs, cos_file file)
{
    return (file - 1U) / fs->entries_per_page;
}

/* Where the chain of a page's files that stand elsewhere begins, and where it goes on. */
static uint32_t first_link(const struct cos_fs *fs, uint32_t page)
{
    return page_address(fs, fs->table_page + page + 1U) - FILE_LINK_SIZE;
}

static uint32_t next_link(const struct cos_fs *fs, cos_file file)
{
    return cos_table_address(fs, file) + AT_NEXT;
}

static enum cos_result read_link(const struct cos_fs *fs, uint32_t link, cos_file *file)
{
    uint8_t bytes[FILE_LINK_SIZE];

    COS_TRY(cos_store_read(fs->store, link, bytes, sizeof bytes));
    *file = cos_get16(bytes);
    return COS_OK;
}

/* The entry of a file that a link in the chain of a page names. */
static enum cos_result read_chained(const struct cos_fs *fs, uint32_t page, cos_file file,
                                    uint8_t entry[FILE_ENTRY_SIZE])
{
    COS_CHECK(file <= cos_table_entries(fs) && page_of(fs, file) != page, COS_E_STORE_DAMAGED);
    COS_TRY(cos_store_read(fs->store, cos_table_address(fs, file), entry, FILE_ENTRY_SIZE));
    COS_CHECK(cos_table_is_file(entry) &&
                  home_page(fs, cos_get16(entry + AT_PARENT), cos_get16(entry + AT_FID)) == page,
              COS_E_STORE_DAMAGED);
    return COS_OK;
}

static bool is_named(const uint8_t entry[FILE_ENTRY_SIZE], cos_file df, uint16_t fid)
{
    return cos_table_is_file(entry) && cos_get16(entry + AT_FID) == fid &&
           cos_get16(entry + AT_PARENT) == df;
}

/* The file with this FID in this DF among those that stand in the page. */
static enum cos_result search_page(const struct cos_fs *fs, uint32_t page, cos_file df,
                                   uint16_t fid, cos_file *file)
{
    struct table_walk walk;
    const uint8_t *entry;
    enum cos_result result;

    cos_walk(&walk, fs, page * fs->entries_per_page, fs->entries_per_page);
    do {
        result = cos_walk_next(&walk, file, &entry);
    } while (result == COS_OK && !is_named(entry, df, fid));
    return result == COS_E_END_OF_DATA ? COS_E_FILE_NOT_FOUND : result;
}

/* And among those of its chain. */
static enum cos_result search_chain(const struct cos_fs *fs, uint32_t page, cos_file df,
                                    uint16_t fid, cos_file *file)
{
    COS_TRY(read_link(fs, first_link(fs, page), file));
    for (uint32_t left = cos_table_entries(fs); *file != COS_FILE_MF; left--) {
        uint8_t entry[FILE_ENTRY_SIZE];
        COS_CHECK(left > 0, COS_E_STORE_DAMAGED);
        COS_TRY(read_chained(fs, page, *file, entry));
        if (is_named(entry, df, fid)) {
            return COS_OK;
        }
        *file = cos_get16(entry + AT_NEXT);
    }
    return COS_E_FILE_NOT_FOUND;
}

enum cos_result cos_table_find(const struct cos_fs *fs, cos_file df, uint16_t fid, cos_file *file)
{
    const uint32_t page = home_page(fs, df, fid);
    cos_file found;
    enum cos_result result = search_page(fs, page, df, fid, &found);

    if (result == COS_E_FILE_NOT_FOUND) {
        result = search_chain(fs, page, df, fid, &found);
    }
    COS_TRY(result);
    COS_CHECK(!cos_file_is_hidden(fs, found), COS_E_FILE_NOT_FOUND);
    *file = found;
    return COS_OK;
}

enum cos_result cos_table_room(const struct cos_fs *fs, cos_file df, uint16_t fid,
                               struct table_place *place)
{
    const uint32_t entries = cos_table_entries(fs), page = home_page(fs, df, fid);
    uint32_t at = page * fs->entries_per_page;

    for (uint32_t left = entries; left > 0; left--) {
        struct cos_file_info taken;
        *place = (struct table_place){.file = (cos_file)(at + 1)};
        const enum cos_result result = cos_table_info(fs, place->file, &taken);
        if (result == COS_E_FILE_NOT_FOUND && page_of(fs, place->file) != page) {
            place->link = first_link(fs, page);
            return read_link(fs, place->link, &place->next);
        }
        COS_CHECK(result != COS_E_FILE_NOT_FOUND, COS_OK);
        COS_TRY(result);
        at = at + 1 < entries ? at + 1 : 0;
    }
    return COS_E_MEMORY_FULL;
}

enum cos_result cos_table_heir(const struct cos_fs *fs, cos_file file,
                               const struct cos_file_info *info, struct table_place *place,
                               uint8_t entry[FILE_ENTRY_SIZE])
{
    const uint32_t page = page_of(fs, file);

    COS_CHECK(!cos_file_is_df(info) && info->sfi == 0 &&
                  home_page(fs, info->parent, info->fid) == page,
              COS_E_FILE_NOT_FOUND);
    place->link = first_link(fs, page);
    COS_TRY(read_link(fs, place->link, &place->file));
    COS_CHECK(place->file != COS_FILE_MF, COS_E_FILE_NOT_FOUND);
    COS_TRY(read_chained(fs, page, place->file, entry));
    place->next = cos_get16(entry + AT_NEXT);
    cos_put16(entry + AT_NEXT, 0);
    return (entry[AT_FDB] & COS_FDB_KIND) != COS_FDB_DF && entry[AT_SFI] == 0
               ? COS_OK
               : COS_E_FILE_NOT_FOUND;
}

enum cos_result cos_table_place(const struct cos_fs *fs, cos_file file,
                                const struct cos_file_info *info, struct table_place *place)
{
    const uint32_t page = home_page(fs, info->parent, info->fid);
    uint8_t entry[FILE_ENTRY_SIZE];
    cos_file at;

    *place = (struct table_place){.file = file};
    if (page_of(fs, file) == page) {
        return COS_OK;
    }
    place->link = first_link(fs, page);
    COS_TRY(read_link(fs, place->link, &at));
    for (uint32_t left = cos_table_entries(fs); left > 0; left--) {
        COS_CHECK(at != COS_FILE_MF, COS_E_STORE_DAMAGED);
        COS_TRY(read_chained(fs, page, at, entry));
        if (at == file) {
            place->next = cos_get16(entry + AT_NEXT);
            return COS_OK;
        }
        place->link = next_link(fs, at);
        at = cos_get16(entry + AT_NEXT);
    }
    return COS_E_STORE_DAMAGED;
}
