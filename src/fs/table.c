/* SPDX-License-Identifier: Apache-2.0
 *
 * The file table: superblock and entries, byte by byte (docs/formats.md, "Files").
 *
 * The store vouches for the bytes; that they mean something is checked here, before anybody uses
 * them.
 */
#include "file.h"
#include "walk.h"

enum {
    SUPERBLOCK_SIZE = 16,
    SUPERBLOCK_CRC = 12, /* offset of the CRC-32, which covers what stands before it */
    SUPERBLOCK_PAGE = SUPERBLOCK_MF + FILE_ENTRY_SIZE, /* bytes used of its page */
    FILES_FORMAT = 2,
    FILES_MAX = 4096,
    NAMES_MAX = 255,
    PAGES_AT_ONCE = 3, /* that a transaction must reach: entry, map of SFIs, superblock */
};

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
};

/* Values of AT_FDB that are no file descriptor byte. */
enum { FDB_FREE = 0x00, FDB_REMOVED = 0xFF };

/* ---- Where things are ---- */

static uint32_t page_address(const struct cos_fs *fs, uint32_t page)
{
    return page * fs->store->payload;
}

static uint32_t pages_of(uint32_t count, uint32_t per_page)
{
    return (count + per_page - 1) / per_page;
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

/* Where the parts of the file system begin. COS_E_INVARIANT if they do not fit. */
static enum cos_result lay_out(struct cos_fs *fs, struct cos_store *store,
                               const struct cos_fs_config *config)
{
    const uint32_t payload = store->payload;

    COS_INVARIANT(payload >= SUPERBLOCK_PAGE && payload % HEAP_GRANULE == 0 &&
                  store->config.reserve >= COS_STORE_SLACK + PAGES_AT_ONCE &&
                  config->start % payload == 0 && config->files >= 1 &&
                  config->files <= FILES_MAX && config->names >= 1 && config->names <= NAMES_MAX &&
                  config->start <= cos_store_size(store) &&
                  config->size <= cos_store_size(store) - config->start);
    const uint32_t names_per_page = payload / NAME_ENTRY_SIZE;
    const uint32_t entries_per_page = payload / FILE_ENTRY_SIZE;
    const uint32_t names_pages = pages_of(config->names, names_per_page);
    const uint32_t table_pages = pages_of(config->files, entries_per_page);
    COS_INVARIANT((1 + names_pages + table_pages) * payload <= config->size);
    *fs = (struct cos_fs){.store = store, .config = *config};
    fs->names_per_page = (uint16_t)names_per_page;
    fs->entries_per_page = (uint16_t)entries_per_page;
    fs->table_pages = (uint16_t)table_pages;
    fs->names_page = (uint16_t)(config->start / payload + 1);
    fs->table_page = (uint16_t)(fs->names_page + names_pages);
    fs->heap_page = (uint16_t)(fs->table_page + table_pages);
    return COS_OK;
}

/* ---- Superblock ---- */

static void put_superblock(uint8_t block[SUPERBLOCK_SIZE], const struct cos_fs_config *config)
{
    memset(block, 0, SUPERBLOCK_SIZE);
    block[0] = FILES_FORMAT;
    cos_put16(block + 2, config->files);
    cos_put32(block + 4, config->size);
    cos_put16(block + 8, config->names);
    cos_put32(block + SUPERBLOCK_CRC, cos_crc32(0, block, SUPERBLOCK_CRC));
}

/* Compares the superblock with the one that the config asks for. */
static enum cos_result check_superblock(const struct cos_fs *fs)
{
    static const uint8_t blank[SUPERBLOCK_SIZE] = {0};
    uint8_t found[SUPERBLOCK_SIZE], wanted[SUPERBLOCK_SIZE];

    COS_TRY(cos_store_read(fs->store, fs->config.start, found, sizeof found));
    COS_CHECK(memcmp(found, blank, sizeof found) != 0, COS_E_STORE_BLANK);
    put_superblock(wanted, &fs->config);
    COS_CHECK(memcmp(found, wanted, sizeof found) == 0, COS_E_STORE_DAMAGED);
    return COS_OK;
}

enum cos_result cos_fs_format(struct cos_fs *fs)
{
    uint8_t block[SUPERBLOCK_SIZE];
    const enum cos_result found = check_superblock(fs);

    COS_CHECK(found == COS_E_STORE_BLANK, found == COS_OK ? COS_E_CONDITIONS : found);
    put_superblock(block, &fs->config);
    const struct cos_edit edit = {
        .address = fs->config.start, .data = block, .length = sizeof block};
    return cos_store_commit(fs->store, &edit, 1);
}

void cos_pending_put(uint8_t bytes[SUPERBLOCK_PENDING_SIZE], const struct cos_fs_pending *pending)
{
    memset(bytes, 0, SUPERBLOCK_PENDING_SIZE);
    bytes[0] = pending->kind;
    cos_put16(bytes + 2, pending->file);
    cos_put32(bytes + 4, pending->transaction);
    cos_put32(bytes + 8, pending->address);
    cos_put32(bytes + 12, pending->length);
}

static enum cos_result get_pending(struct cos_fs *fs)
{
    struct cos_fs_pending *pending = &fs->pending;
    uint8_t bytes[SUPERBLOCK_PENDING_SIZE];

    COS_TRY(cos_store_read(fs->store, fs->config.start + SUPERBLOCK_PENDING, bytes, sizeof bytes));
    pending->kind = bytes[0];
    pending->file = cos_get16(bytes + 2);
    pending->transaction = cos_get32(bytes + 4);
    pending->address = cos_get32(bytes + 8);
    pending->length = cos_get32(bytes + 12);
    const uint32_t heap = page_address(fs, fs->heap_page), end = fs->config.start + fs->config.size;
    const bool in_heap = pending->address >= heap && pending->address <= end &&
                         pending->length <= end - pending->address;
    struct cos_file_info info;

    switch (pending->kind) {
    case COS_FS_NOTHING:
        return COS_OK;
    case COS_FS_ERASING:
        return in_heap ? COS_OK : COS_E_STORE_DAMAGED;
    case COS_FS_REMOVING:
    case COS_FS_PREPARED_CREATE:
    case COS_FS_PREPARED_DELETE:
        COS_CHECK(pending->file != COS_FILE_MF, COS_E_STORE_DAMAGED);
        return cos_table_must(fs, pending->file, &info);
    default:
        return COS_E_STORE_DAMAGED;
    }
}

enum cos_result cos_fs_mount(struct cos_fs *fs, struct cos_store *store,
                             const struct cos_fs_config *config)
{
    COS_TRY(lay_out(fs, store, config));
    COS_TRY(check_superblock(fs));
    COS_TRY(get_pending(fs));
    const enum cos_result result = cos_pending_carry_on(fs);
    /* A store that takes no more can still be read. */
    return result == COS_E_MEMORY_FAILURE ? COS_OK : result;
}

/* ---- Entries ---- */

void cos_table_put(uint8_t entry[FILE_ENTRY_SIZE], const struct cos_file_info *info)
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
    cos_put32(entry + AT_SIZE, info->size);
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
        .size = cos_get32(entry + AT_SIZE),
        .address = cos_get32(entry + AT_ADDRESS),
    };
}

bool cos_table_is_file(const uint8_t entry[FILE_ENTRY_SIZE])
{
    return entry[AT_FDB] != FDB_FREE && entry[AT_FDB] != FDB_REMOVED;
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

/* An entry that is no file's says nothing else. */
static bool is_empty(const uint8_t entry[FILE_ENTRY_SIZE])
{
    uint8_t all = 0;

    for (unsigned i = 0; i < FILE_ENTRY_SIZE; i++) {
        all |= i == AT_FDB ? 0 : entry[i];
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

static uint32_t home_page(const struct cos_fs *fs, cos_file df, uint16_t fid)
{
    const uint32_t hash = ((uint32_t)df << 16 ^ fid) * 0x9E3779B1U;

    return (hash >> 16) * fs->table_pages >> 16;
}

/* One page of the table in the search for a file. *ends: it has an entry that was never used. */
static enum cos_result search_page(const struct cos_fs *fs, uint32_t page, cos_file df,
                                   uint16_t fid, cos_file *file, cos_file *room, bool *ends)
{
    struct table_walk walk;
    const uint8_t *entry;
    cos_file at;
    enum cos_result result;

    *ends = false;
    cos_walk(&walk, fs, page * fs->entries_per_page, fs->entries_per_page);
    while ((result = cos_walk_next(&walk, &at, &entry)) == COS_OK) {
        if (!cos_table_is_file(entry)) {
            *room = *room == COS_FILE_NONE ? at : *room;
            *ends = *ends || entry[AT_FDB] == FDB_FREE;
        } else if (cos_get16(entry + AT_FID) == fid && cos_get16(entry + AT_PARENT) == df &&
                   !cos_file_is_hidden(fs, at)) {
            *file = at;
            return COS_OK;
        }
    }
    return result == COS_E_END_OF_DATA ? COS_E_FILE_NOT_FOUND : result;
}

enum cos_result cos_table_find(const struct cos_fs *fs, cos_file df, uint16_t fid, cos_file *file)
{
    uint32_t page = home_page(fs, df, fid);
    cos_file room = COS_FILE_NONE;
    bool ends = false;

    for (uint32_t pages = 0; pages < fs->table_pages && !ends; pages++) {
        const enum cos_result result = search_page(fs, page, df, fid, file, &room, &ends);
        COS_CHECK(result == COS_E_FILE_NOT_FOUND, result);
        page = page + 1 < fs->table_pages ? page + 1 : 0;
    }
    *file = room;
    return COS_E_FILE_NOT_FOUND;
}

/* Whether a page has an entry that was never used, and whether one of its files was pushed there
 * over `distance` pages or more. */
static enum cos_result look_at_page(const struct cos_fs *fs, uint32_t page, uint32_t distance,
                                    bool *ends, bool *pushed)
{
    struct table_walk walk;
    const uint8_t *entry;
    cos_file at;
    enum cos_result result;

    cos_walk(&walk, fs, page * fs->entries_per_page, fs->entries_per_page);
    while ((result = cos_walk_next(&walk, &at, &entry)) == COS_OK) {
        if (entry[AT_FDB] == FDB_FREE) {
            *ends = true;
        } else if (entry[AT_FDB] != FDB_REMOVED) {
            const uint32_t home =
                home_page(fs, cos_get16(entry + AT_PARENT), cos_get16(entry + AT_FID));
            *pushed = *pushed || (page + fs->table_pages - home) % fs->table_pages >= distance;
        }
    }
    return result == COS_E_END_OF_DATA ? COS_OK : result;
}

enum cos_result cos_table_freed(const struct cos_fs *fs, cos_file file,
                                uint8_t entry[FILE_ENTRY_SIZE])
{
    const uint32_t home = file == COS_FILE_MF ? 0 : (file - 1U) / fs->entries_per_page;
    bool ends = false, pushed = false;

    memset(entry, 0, FILE_ENTRY_SIZE);
    for (uint32_t distance = 0; distance < fs->table_pages && !ends && !pushed; distance++) {
        bool ignored = false;
        COS_TRY(look_at_page(fs, (home + distance) % fs->table_pages, distance, &ends,
                             distance == 0 ? &ignored : &pushed));
    }
    if (pushed) {
        entry[AT_FDB] = FDB_REMOVED;
    }
    return COS_OK;
}
