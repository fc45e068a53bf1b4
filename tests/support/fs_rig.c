/* SPDX-License-Identifier: Apache-2.0
 *
 * The file layer's rig.
 */
#include "fs_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STORE_START 768U /* as on the host's app chip: something else stands before the store */

static enum cos_result counted_read(void *context, uint32_t address, uint8_t *data, size_t length)
{
    struct fs_rig *rig = context;

    if (rig->reads_left != FS_RIG_NO_LIMIT && rig->reads_left-- == 0) {
        rig->reads_left = 0;
        return COS_E_NVM;
    }
    rig->reads++;
    rig->bytes_read += length;
    return rig->sim.nvm.read(rig->sim.nvm.context, address, data, length);
}

static enum cos_result passed_program(void *context, uint32_t address, const uint8_t *data,
                                      size_t length)
{
    struct fs_rig *rig = context;

    return rig->sim.nvm.program(rig->sim.nvm.context, address, data, length);
}

static enum cos_result passed_erase(void *context, uint32_t address)
{
    struct fs_rig *rig = context;

    return rig->sim.nvm.erase(rig->sim.nvm.context, address);
}

uint32_t fs_rig_tables(uint16_t files, uint16_t names)
{
    const uint32_t names_pages = (names + FS_RIG_PAYLOAD / 20 - 1) / (FS_RIG_PAYLOAD / 20);
    const uint32_t table_pages = (files + FS_RIG_ENTRIES - 1) / FS_RIG_ENTRIES;

    return (1 + names_pages + table_pages) * FS_RIG_PAYLOAD;
}

uint32_t fs_rig_rounded(uint32_t length)
{
    return (length + 7) / 8 * 8;
}

static void open_store(struct fs_rig *rig, uint32_t bytes, uint16_t reserve, bool scrub)
{
    const uint32_t pages = (bytes + FS_RIG_PAYLOAD - 1) / FS_RIG_PAYLOAD + reserve;
    const struct cos_nvm_geometry geometry = {
        .size = STORE_START + pages * 256,
        .erase_unit = 256,
        .tear_unit = 64,
        .program_unit = 8,
        .erased_value = 0xFF,
        .endurance = 100000,
    };

    assert_true(pages <= FS_RIG_PAGES_MAX);
    memset(rig, 0, sizeof *rig);
    rig->reads_left = FS_RIG_NO_LIMIT;
    sim_nvm_init(&rig->sim, &rig->power, &geometry, STORE_START, 256);
    rig->nvm = (struct cos_nvm){rig, geometry, counted_read, passed_program, passed_erase};
    rig->store_config = (struct cos_store_config){
        .start = STORE_START,
        .page_size = 256,
        .pages = (uint16_t)pages,
        .reserve = reserve,
        .scrub_from = scrub ? 0 : 0xFFFF,
        .map = rig->map,
    };
    rig->kept = malloc(geometry.size);
    assert_non_null(rig->kept);
    assert_int_equal(cos_store_mount(&rig->store, &rig->nvm, &rig->store_config),
                     COS_E_STORE_BLANK);
}

void fs_rig_open_shape(struct fs_rig *rig, const struct fs_rig_shape *shape)
{
    const uint16_t names = shape->names != 0 ? shape->names : FS_RIG_NAMES;
    const uint32_t size =
        shape->size != 0 ? shape->size : fs_rig_tables(shape->files, names) + shape->heap;

    open_store(rig, shape->start + size, shape->reserve != 0 ? shape->reserve : FS_RIG_RESERVE,
               shape->scrub);
    rig->config = (struct cos_fs_config){
        .start = shape->start, .size = size, .files = shape->files, .names = names};
    if (!shape->blank) {
        assert_int_equal(cos_fs_mount(&rig->fs, &rig->store, &rig->config), COS_E_STORE_BLANK);
        assert_int_equal(cos_fs_format(&rig->fs), COS_OK);
    }
}

void fs_rig_open_blank(struct fs_rig *rig, uint32_t start, uint32_t size, uint16_t files)
{
    fs_rig_open_shape(
        rig, &(struct fs_rig_shape){.start = start, .size = size, .files = files, .blank = true});
}

void fs_rig_open(struct fs_rig *rig, uint32_t size, uint16_t files)
{
    fs_rig_open_shape(rig, &(struct fs_rig_shape){.size = size, .files = files});
}

void fs_rig_close(struct fs_rig *rig)
{
    free(rig->kept);
    sim_nvm_free(&rig->sim);
}

void fs_rig_remount(struct fs_rig *rig)
{
    sim_power_off(&rig->power);
    sim_power_up(&rig->power);
    fs_rig_start(rig);
}

void fs_rig_start(struct fs_rig *rig)
{
    memset(rig->map, 0x5A, sizeof rig->map);
    memset(&rig->store, 0x5A, sizeof rig->store);
    memset(&rig->fs, 0x5A, sizeof rig->fs);
    assert_int_equal(cos_store_mount(&rig->store, &rig->nvm, &rig->store_config), COS_OK);
    assert_int_equal(cos_fs_mount(&rig->fs, &rig->store, &rig->config), COS_OK);
}

static int digit(char c)
{
    static const char digits[] = "0123456789ABCDEF";
    const char *found = c == '\0' ? NULL : strchr(digits, c);

    return found == NULL ? -1 : (int)(found - digits);
}

size_t fs_rig_hex(const char *hex, uint8_t *bytes, size_t capacity)
{
    size_t length = 0;

    for (; *hex != '\0'; hex++) {
        if (*hex == ' ' || *hex == '\n') {
            continue;
        }
        if (digit(hex[0]) < 0 || digit(hex[1]) < 0 || length == capacity) {
            fail_msg("not hexadecimal, or too long: %s", hex);
        }
        bytes[length++] = (uint8_t)(digit(hex[0]) << 4 | digit(hex[1]));
        hex++;
    }
    return length;
}

enum cos_result fs_rig_create(struct fs_rig *rig, cos_file parent, const char *fcp, cos_file *file)
{
    uint8_t bytes[512];
    const size_t length = fs_rig_hex(fcp, bytes, sizeof bytes);
    uint8_t *exact = malloc(length == 0 ? 1 : length); /* for the address sanitizer */
    enum cos_result result;

    assert_non_null(exact);
    memcpy(exact, bytes, length);
    result = cos_fs_create(&rig->fs, parent, (struct cos_span){exact, length}, file);
    free(exact);
    return result;
}

cos_file fs_rig_make(struct fs_rig *rig, cos_file parent, const char *fcp)
{
    cos_file file = COS_FILE_NONE;
    const enum cos_result result = fs_rig_create(rig, parent, fcp, &file);

    if (result != COS_OK) {
        fail_msg("create %s: %d", fcp, (int)result);
    }
    return file;
}

void fs_rig_keep(struct fs_rig *rig)
{
    memcpy(rig->kept, rig->sim.cells, rig->nvm.geometry.size);
    rig->kept_operations = rig->power.operations;
}

void fs_rig_check_kept(const struct fs_rig *rig)
{
    assert_int_equal(rig->power.operations, rig->kept_operations);
    assert_memory_equal(rig->kept, rig->sim.cells, rig->nvm.geometry.size);
}

struct cos_file_info fs_rig_info(const struct fs_rig *rig, cos_file file)
{
    struct cos_file_info info;

    assert_int_equal(cos_fs_info(&rig->fs, file, &info), COS_OK);
    return info;
}

void fs_rig_write(struct fs_rig *rig, uint32_t address, const uint8_t *data, size_t length)
{
    const struct cos_edit edit = {
        .address = address, .data = data, .length = (uint32_t)length, .from = 0};

    assert_int_equal(cos_store_commit(&rig->store, &edit, 1), COS_OK);
}

/* ---- The tree ---- */

static const struct {
    unsigned parent; /* by its number in the tree */
    const char *fcp;
} tree_files[FS_TREE_FILES] = {
    {0, "820138 83023F00"},
    {0, "820101 83020101 80020010 880108"},
    {0, "820138 83025100 8404F0000001 8405A0A1A2A3A4 8C03060000"},
    {2, "820101 83020101 80020020 880108 8C03039100"},
    {2, "82050221001405 83020102 880110"},
    {2, "820138 83025200 8403F00000"},
    {5, "820101 83020105 80020008"},
    {5, "820138 83025100"},
    {0, "820138 83025300 8402A0A1 8401C1"},
    {0, "820101 83022F02 800200C8 850101"},
    {0, "820138 83020102"},
};

int fs_tree_plant(void **state)
{
    struct fs_tree *tree = calloc(1, sizeof *tree);

    assert_non_null(tree);
    fs_rig_open(&tree->rig, 5000, 24);
    tree->fs = &tree->rig.fs;
    for (size_t i = 0; i < FS_TREE_FILES; i++) {
        tree->file[i] =
            fs_rig_make(&tree->rig, tree->file[tree_files[i].parent], tree_files[i].fcp);
    }
    tree->file[FS_TREE_FILES] = COS_FILE_NONE;
    *state = tree;
    return 0;
}

int fs_tree_fell(void **state)
{
    struct fs_tree *tree = *state;

    fs_rig_close(&tree->rig);
    free(tree);
    return 0;
}
