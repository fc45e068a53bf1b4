/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking a whole file system over.
 */
#include "fs_check.h"
#include "fs/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The heap as a map of who has each byte: file + 1. */
struct heap {
    uint32_t start, size;
    uint16_t *owner;
};

static void take_extent(const struct fs_rig *rig, struct heap *heap, cos_file file,
                        const struct cos_file_info *info)
{
    const uint32_t length = cos_file_extent(info);
    const bool structured =
        info->source == COS_FS_SOURCE_CONTENT && cos_content_structure(info) != 0;
    const uint32_t head =
        cos_file_content(info) - info->address + (structured ? CONTENT_HEADER : 0U);

    assert_int_equal(info->address % 8, 0);
    assert_true(info->address >= heap->start);
    assert_true(info->address - heap->start + length <= heap->size);
    const uint32_t whole = length <= rig->store.payload ? length : head;
    assert_true(whole > rig->store.payload ||
                info->address % rig->store.payload + whole <= rig->store.payload);
    for (uint32_t i = 0; i < length; i++) {
        uint16_t *owner = &heap->owner[info->address - heap->start + i];
        if (*owner != 0) {
            fail_msg("files %u and %u overlap", *owner - 1U, file);
        }
        *owner = (uint16_t)(file + 1U);
    }
}

/* Names in the attributes: each is in the name table, and no other file answers to it. */
static unsigned check_names(const struct fs_rig *rig, cos_file file,
                            const struct cos_file_info *info)
{
    uint8_t attributes[COS_FS_ATTRIBUTES_MAX];
    struct cos_reader reader;
    struct cos_tlv tlv;
    unsigned count = 0, listed;
    uint32_t addresses[COS_FS_NAMES_MAX];

    assert_int_equal(
        cos_store_read(&rig->store, info->address, attributes, info->attributes_length), COS_OK);
    reader = cos_reader(attributes, info->attributes_length);
    while (cos_tlv_next(&reader, &tlv) == COS_OK) {
        cos_file found;
        if (tlv.tag == 0x84) {
            const struct cos_span name = {tlv.value, tlv.length};
            assert_int_equal(cos_name_find(&rig->fs, name, &found), COS_OK);
            assert_int_equal(found, file);
            count++;
        }
    }
    assert_int_equal(cos_name_of(&rig->fs, file, &listed, addresses), COS_OK);
    assert_int_equal(listed, count);
    return count;
}

static void check_sfis(const struct fs_rig *rig, cos_file df, const struct cos_file_info *info,
                       unsigned *sfis)
{
    for (uint8_t sfi = 1; sfi <= COS_FS_SFI_MAX; sfi++) {
        struct cos_file_info named;
        uint8_t place[2];
        assert_int_equal(cos_store_read(&rig->store, cos_file_sfi_map(info) + 2U * (sfi - 1U),
                                        place, sizeof place),
                         COS_OK);
        if (cos_get16(place) != 0) {
            assert_int_equal(cos_table_info(&rig->fs, cos_get16(place), &named), COS_OK);
            assert_int_equal(named.parent, df);
            assert_int_equal(named.sfi, sfi);
            ++*sfis;
        }
    }
}

struct totals {
    unsigned names, sfis, files_with_sfi;
};

static void check_file(const struct fs_rig *rig, struct heap *heap, cos_file file,
                       const struct cos_file_info *info, struct totals *totals)
{
    struct cos_file_info df;
    cos_file found = COS_FILE_NONE;

    if (file != COS_FILE_MF) {
        assert_int_equal(cos_table_info(&rig->fs, info->parent, &df), COS_OK);
        assert_true(cos_file_is_df(&df));
        if (!cos_file_is_hidden(&rig->fs, file)) {
            assert_int_equal(cos_fs_find_child(&rig->fs, info->parent, info->fid, &found), COS_OK);
            assert_int_equal(found, file);
        }
    }
    take_extent(rig, heap, file, info);
    totals->names += check_names(rig, file, info);
    totals->files_with_sfi += info->sfi != 0;
    if (cos_file_is_df(info)) {
        check_sfis(rig, file, info, &totals->sfis);
    }
}

unsigned fs_check_elsewhere(const struct fs_rig *rig)
{
    unsigned elsewhere = 0;

    for (uint32_t file = 1; file <= cos_table_entries(&rig->fs); file++) {
        struct cos_file_info info;
        struct table_place place;
        if (cos_table_info(&rig->fs, (cos_file)file, &info) == COS_OK) {
            assert_int_equal(cos_table_place(&rig->fs, (cos_file)file, &info, &place), COS_OK);
            elsewhere += place.link != 0;
        }
    }
    return elsewhere;
}

/* Files that stand elsewhere are in a chain, each once: so many links name a file. */
static void check_links(const struct fs_rig *rig)
{
    const struct cos_fs *fs = &rig->fs;
    unsigned links = 0;

    for (uint32_t page = 0; page < fs->table_pages; page++) {
        uint8_t bytes[FS_RIG_PAYLOAD];
        assert_int_equal(cos_store_read(&rig->store, (fs->table_page + page) * FS_RIG_PAYLOAD,
                                        bytes, sizeof bytes),
                         COS_OK);
        for (unsigned i = 1; i <= fs->entries_per_page; i++) {
            links += cos_get16(bytes + i * FILE_ENTRY_SIZE - FILE_LINK_SIZE) != 0;
        }
        links += cos_get16(bytes + sizeof bytes - FILE_LINK_SIZE) != 0;
        for (size_t i = fs->entries_per_page * FILE_ENTRY_SIZE; i < sizeof bytes - FILE_LINK_SIZE;
             i++) {
            assert_int_equal(bytes[i], 0);
        }
    }
    assert_int_equal(links, fs_check_elsewhere(rig));
}

static void check_free_bytes(const struct fs_rig *rig, const struct heap *heap)
{
    uint8_t *bytes = malloc(heap->size + 1);

    assert_non_null(bytes);
    assert_int_equal(cos_store_read(&rig->store, heap->start, bytes, heap->size), COS_OK);
    for (uint32_t i = 0; i < heap->size; i++) {
        if (heap->owner[i] == 0 && bytes[i] != 0) {
            fail_msg("free byte %u of the heap is %02X", (unsigned)i, bytes[i]);
        }
    }
    free(bytes);
}

void fs_check(const struct fs_rig *rig)
{
    const struct cos_fs *fs = &rig->fs;
    struct heap heap = {.start = (uint32_t)fs->heap_page * rig->store.payload};
    struct totals totals = {0};
    unsigned names = 0;

    heap.size = fs->config.start + fs->config.size - heap.start;
    heap.owner = calloc(heap.size + 1, sizeof heap.owner[0]);
    assert_non_null(heap.owner);
    for (uint32_t file = 0; file <= cos_table_entries(fs); file++) {
        struct cos_file_info info;
        const enum cos_result result = cos_table_info(fs, (cos_file)file, &info);
        if (result != COS_E_FILE_NOT_FOUND) { /* which is said of empty ones alone */
            assert_int_equal(result, COS_OK);
            check_file(rig, &heap, (cos_file)file, &info, &totals);
        }
    }
    check_links(rig);
    for (unsigned i = 0; i < fs->config.names; i++) {
        uint8_t entry[NAME_ENTRY_SIZE];
        static const uint8_t empty[NAME_ENTRY_SIZE];
        const uint32_t address = (fs->names_page + i / fs->names_per_page) * rig->store.payload +
                                 i % fs->names_per_page * NAME_ENTRY_SIZE;
        assert_int_equal(cos_store_read(&rig->store, address, entry, sizeof entry), COS_OK);
        names += memcmp(entry, empty, sizeof entry) != 0;
    }
    assert_int_equal(names, totals.names);
    assert_int_equal(totals.sfis, totals.files_with_sfi);
    check_free_bytes(rig, &heap);
    free(heap.owner);
}

static void mix(uint64_t *digest, const void *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        *digest = (*digest ^ ((const uint8_t *)data)[i]) * 0x100000001B3U;
    }
}

static void mix_number(uint64_t *digest, uint32_t number)
{
    uint8_t bytes[4];

    cos_put32(bytes, number);
    mix(digest, bytes, sizeof bytes);
}

static void mix_file(const struct fs_rig *rig, cos_file file, const struct cos_file_info *info,
                     uint64_t *digest)
{
    const uint32_t length = cos_file_extent(info);
    uint8_t fcp[512], *extent = malloc(length + 1);
    struct cos_writer writer = cos_writer(fcp, sizeof fcp);

    mix_number(digest, file);
    mix_number(digest, info->parent);
    mix_number(digest, info->vault);
    assert_int_equal(cos_fs_write_fcp(&rig->fs, info, &writer), COS_OK);
    mix(digest, fcp, writer.length);
    assert_non_null(extent);
    assert_int_equal(cos_store_read(&rig->store, info->address, extent, length), COS_OK);
    if (cos_file_is_df(info)) { /* seen through finding by SFI */
        memset(extent + info->attributes_length, 0, FILE_SFI_MAP);
    }
    mix(digest, extent, length);
    free(extent);
}

uint64_t fs_check_digest(const struct fs_rig *rig)
{
    uint64_t digest = 0xCBF29CE484222325U;
    struct cos_file_info info;
    uint32_t cursor = 0;
    cos_file file;
    enum cos_result result;

    while ((result = cos_fs_next(&rig->fs, &cursor, &file, &info)) == COS_OK) {
        mix_file(rig, file, &info, &digest);
        for (uint8_t sfi = 1; cos_file_is_df(&info) && sfi <= COS_FS_SFI_MAX; sfi++) {
            cos_file found = COS_FILE_NONE;
            result = cos_fs_find_sfi(&rig->fs, file, sfi, &found);
            assert_true(result == COS_OK || result == COS_E_FILE_NOT_FOUND);
            mix_number(&digest, found);
        }
    }
    assert_int_equal(result, COS_E_END_OF_DATA);
    for (unsigned first = 0; first < 256; first++) {
        const uint8_t byte = (uint8_t)first;
        cos_file found = COS_FILE_NONE;
        (void)cos_fs_find_name(&rig->fs, (struct cos_span){&byte, 1}, COS_OCCURRENCE_FIRST,
                               COS_FILE_NONE, &found);
        mix_number(&digest, found);
    }
    return digest;
}
