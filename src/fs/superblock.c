/* SPDX-License-Identifier: Apache-2.0
 *
 * The superblock, byte by byte (docs/formats.md, "Superblock"), and where the parts of the file
 * system lie.
 */
#include "file.h"

enum {
    SUPERBLOCK_SIZE = 16,
    SUPERBLOCK_CRC = 12, /* offset of the CRC-32, which covers what stands before it */
    SUPERBLOCK_PAGE = SUPERBLOCK_MF + FILE_ENTRY_SIZE, /* bytes used of its page */
    FILES_FORMAT = 2,
    FILES_MAX = 4096,
    NAMES_MAX = 255,
    PAGES_AT_ONCE = 3, /* that a transaction must reach: entry, link to it, superblock */
};

static uint32_t pages_of(uint32_t count, uint32_t per_page)
{
    return (count + per_page - 1) / per_page;
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
    const uint32_t entries_per_page = (payload - FILE_LINK_SIZE) / FILE_ENTRY_SIZE;
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
    const uint32_t heap = (uint32_t)fs->heap_page * fs->store->payload,
                   end = fs->config.start + fs->config.size;
    const bool in_heap = pending->address >= heap && pending->address <= end &&
                         pending->length <= end - pending->address;
    struct cos_file_info info;
    unsigned count;

    switch (pending->kind) {
    case COS_FS_NOTHING:
        return COS_OK;
    case COS_FS_ERASING:
        return in_heap ? COS_OK : COS_E_STORE_DAMAGED;
    case COS_FS_ERASING_RECORDS:
        COS_TRY(cos_table_must(fs, pending->file, &info));
        COS_CHECK(cos_fs_record_count(fs, &info, &count) == COS_OK && pending->address >= 1 &&
                      pending->length <= count,
                  COS_E_STORE_DAMAGED);
        return COS_OK;
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
