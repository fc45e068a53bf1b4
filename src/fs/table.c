/* SPDX-License-Identifier: Apache-2.0
 *
 * The file table: superblock and entries, byte by byte (docs/formats.md, "Files").
 *
 * The store vouches for the bytes; that they mean something is checked here, before anybody uses
 * them. An entry's parent always stands before it, so that no walk towards the MF can be endless.
 */
#include "file.h"

enum {
    SUPERBLOCK_SIZE = 16,
    SUPERBLOCK_CRC = 12, /* offset of the CRC-32, which covers what stands before it */
    FILES_MAX = 4096,
};

/* Offsets in an entry. */
enum {
    AT_FID = 0,
    AT_PARENT = 2,
    AT_FDB = 4, /* 00: the entry is free */
    AT_SFI = 5,
    AT_LIFE_CYCLE_STATUS = 6,
    AT_DCB = 7,
    AT_ADDRESS = 8,
    AT_ATTRIBUTES_LENGTH = 12,
    AT_SOURCE = 13,
    AT_RECORD_SIZE = 14,
    AT_RECORD_COUNT = 16,
    AT_RESERVED = 18,
    AT_SIZE = 20,
};

/* ---- Where things are ---- */

/* The run of entries, all in one store page, that an entry belongs to: entries never cross the
 * border of a page, so that creating a file touches one page of the table. */
struct run {
    uint32_t address; /* of the entry asked for */
    uint32_t left;    /* entries from there to the end of the page */
};

static struct run run_at(const struct cos_fs *fs, uint32_t entry)
{
    const uint32_t payload = fs->store->payload;
    const uint32_t first = fs->config.start + SUPERBLOCK_SIZE;
    const uint32_t in_first = (payload - first % payload) / FILE_ENTRY_SIZE;
    const uint32_t in_page = payload / FILE_ENTRY_SIZE;
    uint32_t page, place;

    if (entry < in_first) {
        return (struct run){first + entry * FILE_ENTRY_SIZE, in_first - entry};
    }
    page = first / payload + 1 + (entry - in_first) / in_page;
    place = (entry - in_first) % in_page;
    return (struct run){page * payload + place * FILE_ENTRY_SIZE, in_page - place};
}

uint32_t cos_table_address(const struct cos_fs *fs, cos_file file)
{
    return run_at(fs, file).address;
}

uint32_t cos_table_heap(const struct cos_fs *fs)
{
    return run_at(fs, fs->config.files - 1U).address + FILE_ENTRY_SIZE;
}

uint32_t cos_file_extent(const struct cos_file_info *info)
{
    return info->attributes_length + (info->source == COS_FS_SOURCE_CONTENT ? info->size : 0);
}

/* ---- Superblock ---- */

static void put_superblock(uint8_t block[SUPERBLOCK_SIZE], const struct cos_fs_config *config)
{
    memset(block, 0, SUPERBLOCK_SIZE);
    block[0] = COS_NVM_FORMAT;
    cos_put16(block + 2, config->files);
    cos_put32(block + 4, config->size);
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

enum cos_result cos_fs_mount(struct cos_fs *fs, struct cos_store *store,
                             const struct cos_fs_config *config)
{
    const uint32_t space = cos_store_size(store);
    const uint64_t end = (uint64_t)config->start + config->size;

    COS_INVARIANT(store->payload >= FILE_ENTRY_SIZE);
    COS_INVARIANT(config->files > 0 && config->files <= FILES_MAX && end <= space);
    *fs = (struct cos_fs){.store = store, .config = *config};
    COS_INVARIANT(cos_table_heap(fs) <= end);
    return check_superblock(fs);
}

/* Formats a blank space only: what was once written in the heap would be read as content. */
enum cos_result cos_fs_format(struct cos_fs *fs)
{
    uint8_t block[SUPERBLOCK_SIZE];
    const struct cos_edit edit = {fs->config.start, block, sizeof block};
    const enum cos_result found = check_superblock(fs);

    COS_CHECK(found == COS_E_STORE_BLANK, found == COS_OK ? COS_E_CONDITIONS : found);
    put_superblock(block, &fs->config);
    return cos_store_commit(fs->store, &edit, 1);
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
    cos_put16(entry + AT_RESERVED, 0);
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
        .size = cos_get32(entry + AT_SIZE),
        .address = cos_get32(entry + AT_ADDRESS),
    };
}

/* Whether descriptor, sizes and source go together, as cos_fcp_parse() lets them. */
static bool is_structure(const struct cos_file_info *info)
{
    const uint32_t records = (uint32_t)info->record_size * info->record_count;
    const bool plain = info->record_size == 0 && info->record_count == 0;
    const bool sized = info->size > 0 && info->size <= FILE_SIZE_MAX;

    switch (info->fdb & COS_FDB_KIND) {
    case COS_FDB_DF:
        return info->size == 0 && plain && info->sfi == 0 && info->source == 0;
    case COS_FDB_TRANSPARENT:
        return sized && plain && info->source <= COS_FS_SOURCE_PRODUCTION;
    case COS_FDB_LINEAR_FIXED:
        return sized && records == info->size && info->record_count <= FILE_RECORDS_MAX &&
               info->source == COS_FS_SOURCE_CONTENT;
    default:
        return false;
    }
}

/* Whether a file stands where a file may stand: in the tree and in the heap. */
static bool is_in_place(const struct cos_fs *fs, cos_file file, const struct cos_file_info *info)
{
    const uint32_t end = fs->config.start + fs->config.size;

    if (file == COS_FILE_MF
            ? info->fid != 0x3F00 || info->parent != COS_FILE_MF || !cos_file_is_df(info)
            : info->fid == 0x3F00 || info->parent >= file) {
        return false;
    }
    return info->address >= cos_table_heap(fs) && info->address <= end &&
           cos_file_extent(info) <= end - info->address;
}

/* COS_E_FILE_NOT_FOUND: the entry is free. */
static enum cos_result check_entry(const struct cos_fs *fs, cos_file file, const uint8_t *entry,
                                   struct cos_file_info *info)
{
    static const uint8_t blank[FILE_ENTRY_SIZE] = {0};

    COS_CHECK(memcmp(entry, blank, sizeof blank) != 0, COS_E_FILE_NOT_FOUND);
    get_entry(entry, info);
    COS_CHECK(is_structure(info) && is_in_place(fs, file, info) && info->sfi <= FILE_SFI_MAX &&
                  info->life_cycle_status == COS_LCS_ACTIVATED &&
                  info->attributes_length <= COS_FS_ATTRIBUTES_MAX &&
                  cos_get16(entry + AT_RESERVED) == 0,
              COS_E_STORE_DAMAGED);
    return COS_OK;
}

enum cos_result cos_fs_info(const struct cos_fs *fs, cos_file file, struct cos_file_info *info)
{
    uint8_t entry[FILE_ENTRY_SIZE];

    COS_CHECK(file < fs->config.files, COS_E_FILE_NOT_FOUND);
    COS_TRY(cos_store_read(fs->store, cos_table_address(fs, file), entry, sizeof entry));
    return check_entry(fs, file, entry, info);
}

/* ---- Walking ---- */

void cos_table_walk(struct table_walk *walk, const struct cos_fs *fs, cos_file first)
{
    walk->fs = fs;
    walk->next = first;
    walk->loaded = 0;
}

static enum cos_result load(struct table_walk *walk)
{
    const struct run run = run_at(walk->fs, walk->next);
    uint32_t count = walk->fs->config.files - (uint32_t)walk->next;

    count = run.left < count ? run.left : count;
    count = count > TABLE_WALK_ENTRIES ? TABLE_WALK_ENTRIES : count;
    walk->loaded = (uint16_t)count;
    walk->at = walk->buffer;
    return cos_store_read(walk->fs->store, run.address, walk->buffer, count * FILE_ENTRY_SIZE);
}

enum cos_result cos_table_next(struct table_walk *walk, cos_file *file, struct cos_file_info *info)
{
    enum cos_result result;

    COS_CHECK(walk->next < walk->fs->config.files, COS_E_END_OF_DATA);
    if (walk->loaded == 0) {
        COS_TRY(load(walk));
    }
    result = check_entry(walk->fs, walk->next, walk->at, info);
    COS_CHECK(result != COS_E_FILE_NOT_FOUND, COS_E_END_OF_DATA);
    COS_TRY(result);
    *file = walk->next;
    walk->next++;
    walk->loaded--;
    walk->at += FILE_ENTRY_SIZE;
    return COS_OK;
}
