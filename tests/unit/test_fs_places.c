/* SPDX-License-Identifier: Apache-2.0
 *
 * Where files may be created, what happens when there is no room, and the life cycle.
 */
#include "fs_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define MF "820138 83023F00"

/* ---- Creation: places ---- */

static void the_mf_comes_first_and_once(void **state)
{
    static const struct {
        cos_file parent;
        const char *fcp;
        enum cos_result result;
    } before[] =
        {
            {0, "820101 83020101 800101", COS_E_FILE_NOT_FOUND},
            {0, "820138 83025100", COS_E_FILE_NOT_FOUND},
            {0xFFFF, "820138 83025100", COS_E_FILE_NOT_FOUND},
            {0, "820101 83023F00 800101", COS_E_DATA},
        },
      after[] = {
          {0, MF, COS_E_FILE_EXISTS},
          {0xFFFF, MF, COS_E_FILE_EXISTS},
          {1, "820101 83020102 800101", COS_E_FILE_STRUCTURE}, /* below an EF */
          {2, "820101 83020102 800101", COS_E_FILE_NOT_FOUND}, /* below a file that is none */
          {9, "820101 83020102 800101", COS_E_FILE_NOT_FOUND},
          {0, "820101 83023F00 800101", COS_E_DATA},
          {1, "820101 83023F00 800101", COS_E_DATA},
          {0xFFFF, "820101 83020102 800101", COS_E_FILE_NOT_FOUND},
      };
    struct fs_rig *rig = malloc(sizeof *rig);
    cos_file file = 99;

    (void)state;
    fs_rig_open(rig, 2000, 8);
    fs_rig_keep(rig);
    for (size_t i = 0; i < COUNT(before); i++) {
        assert_int_equal(fs_rig_create(rig, before[i].parent, before[i].fcp, &file),
                         before[i].result);
    }
    fs_rig_check_kept(rig);
    assert_int_equal(fs_rig_make(rig, 3, MF " 8405A000000001"), COS_FILE_MF);
    assert_int_equal(fs_rig_info(rig, COS_FILE_MF).parent, COS_FILE_MF);
    assert_int_equal(fs_rig_make(rig, 0, "820101 83020101 800101"), 1);
    fs_rig_keep(rig);
    for (size_t i = 0; i < COUNT(after); i++) {
        assert_int_equal(fs_rig_create(rig, after[i].parent, after[i].fcp, &file), after[i].result);
    }
    fs_rig_check_kept(rig);
    assert_int_equal(file, 99);
    fs_rig_close(rig);
    free(rig);
}

/* With and without the MF as the first of so many steps. */
static void must_lead(const struct fs_rig *rig, const uint8_t *path, size_t steps, cos_file wanted)
{
    for (size_t skipped = 0; skipped <= 1; skipped++) {
        const struct cos_span span = {path + 2 * skipped, 2 * (steps - skipped)};
        cos_file file = COS_FILE_NONE;
        assert_int_equal(cos_fs_find_path(&rig->fs, COS_FILE_MF, span, &file), COS_OK);
        assert_int_equal(file, wanted);
    }
}

/* A DF may stand 16 below the MF, and a file in it; a path leads to all of them. */
static void sixteen_dfs_stand_one_in_the_other(void **state)
{
    struct fs_rig *rig = malloc(sizeof *rig);
    uint8_t path[2 * COS_FS_PATH_MAX + 2] = {0x3F, 0x00};
    cos_file df = COS_FILE_MF, file = COS_FILE_NONE, deepest;

    (void)state;
    fs_rig_open(rig, 8000, 40);
    (void)fs_rig_make(rig, COS_FILE_MF, MF);
    for (unsigned depth = 1; depth <= COS_FS_DEPTH_MAX; depth++) {
        char fcp[64];
        snprintf(fcp, sizeof fcp, "820138 830251%02X", depth);
        df = fs_rig_make(rig, df, fcp);
        cos_put16(path + 2 * depth, (uint16_t)(0x5100 + depth));
        must_lead(rig, path, depth + 1, df);
    }
    fs_rig_keep(rig);
    assert_int_equal(fs_rig_create(rig, df, "820138 83025111", &file), COS_E_MEMORY_FULL);
    fs_rig_check_kept(rig);
    deepest = fs_rig_make(rig, df, "820101 83025112 800108");
    fs_rig_remount(rig);
    assert_int_equal(cos_fs_find_child(&rig->fs, df, 0x5112, &file), COS_OK);
    assert_int_equal(file, deepest);
    cos_put16(path + 2 * COS_FS_PATH_MAX - 2, 0x5112);
    must_lead(rig, path, COS_FS_PATH_MAX, deepest);
    assert_int_equal(
        cos_fs_find_path(&rig->fs, COS_FILE_MF, (struct cos_span){path, sizeof path}, &file),
        COS_E_DATA);
    bool below = false;
    assert_int_equal(cos_fs_is_below(&rig->fs, deepest, COS_FILE_MF, &below), COS_OK);
    assert_true(below);
    fs_check(rig);
    assert_int_equal(cos_fs_find_child(&rig->fs, COS_FILE_MF, 0x5101, &file), COS_OK);
    assert_int_equal(cos_fs_delete(&rig->fs, file), COS_OK);
    assert_int_equal(cos_fs_info(&rig->fs, deepest, &(struct cos_file_info){0}),
                     COS_E_FILE_NOT_FOUND);
    fs_check(rig);
    fs_rig_close(rig);
    free(rig);
}

static void a_file_is_below_its_dfs_only(void **state)
{
    static const struct {
        unsigned file, df;
        bool below;
    } cases[] = {
        {0, 0, true},  {1, 0, true},   {1, 1, true},  {3, 2, true},  {3, 0, true},  {6, 2, true},
        {6, 5, true},  {7, 5, true},   {7, 2, true},  {7, 0, true},  {0, 1, false}, {2, 5, false},
        {8, 2, false}, {10, 2, false}, {1, 2, false}, {5, 7, false}, {6, 7, false}, {2, 3, false},
    };
    struct fs_tree *tree = *state;
    bool below;

    for (size_t i = 0; i < COUNT(cases); i++) {
        below = !cases[i].below;
        assert_int_equal(
            cos_fs_is_below(tree->fs, tree->file[cases[i].file], tree->file[cases[i].df], &below),
            COS_OK);
        assert_true(below == cases[i].below);
    }
    assert_int_equal(cos_fs_is_below(tree->fs, 25, tree->file[2], &below), COS_E_STORE_DAMAGED);
    assert_int_equal(cos_fs_is_below(tree->fs, COS_FILE_NONE, tree->file[2], &below),
                     COS_E_STORE_DAMAGED);
}

/* Whole pages of eight entries, the MF not counted. */
static void full_by_table_entries(void **state)
{
    static const uint16_t tables[] = {1, 8, 9, 17, 30};

    (void)state;
    for (size_t i = 0; i < COUNT(tables); i++) {
        struct fs_rig *rig = malloc(sizeof *rig);
        const unsigned room = (tables[i] + 7U) / 8U * 8U;
        cos_file file = 0;
        fs_rig_open(rig, 4000, tables[i]);
        (void)fs_rig_make(rig, COS_FILE_MF, MF);
        for (unsigned n = 1; n <= room; n++) {
            char fcp[64];
            snprintf(fcp, sizeof fcp, "820101 83020%03X 800101", n);
            file = fs_rig_make(rig, COS_FILE_MF, fcp);
            assert_true(file >= 1 && file <= room);
        }
        fs_rig_keep(rig);
        file = 99;
        assert_int_equal(fs_rig_create(rig, COS_FILE_MF, "820101 83022000 800101", &file),
                         COS_E_MEMORY_FULL);
        assert_int_equal(fs_rig_create(rig, COS_FILE_MF, "820138 83022000", &file),
                         COS_E_MEMORY_FULL);
        /* What is wrong in the request comes first. */
        assert_int_equal(fs_rig_create(rig, COS_FILE_MF, "820101 83020001 800101", &file),
                         COS_E_FILE_EXISTS);
        assert_int_equal(file, 99);
        fs_rig_check_kept(rig);
        fs_check(rig);
        fs_rig_close(rig);
        free(rig);
    }
}

/* 1,000 bytes of heap, of which the MF's map of SFIs takes 64. */
static void full_by_heap(void **state)
{
    static const struct {
        const char *fcps[3];
        const char *over;
    } cases[] = {
        {{"820101 83020101 800203A8"}, "820101 83020102 800101"}, /* 936 */
        {{NULL}, "820101 83020101 800203A9"},                     /* 937 */
        {{NULL}, "820101 83020101 80028000"},
        {{"820101 83020101 800203A0"}, "820101 83020102 80020009"},
        {{"820101 83020101 800203A1"}, "820101 83020102 80020001"}, /* extents begin at eights */
        {{"820101 83020101 800203A0"}, "820138 83020102"},          /* a DF needs room too */
        {{"820101 83020101 80020398", "820101 83020102 850101 800110"}, /* 920 + 3, 13 left */
         "820101 83020103 80020009"},
        {{"820101 83020101 80020384 8C03039000"}, "820101 83020102 80020019"}, /* 905, 24 left */
        {{"82050221001405 83020101"}, "820101 83020102 80020339"}, /* 108: 112, so 824 left */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fs_rig *rig = malloc(sizeof *rig);
        cos_file file = 0;
        fs_rig_open_shape(rig, &(struct fs_rig_shape){.heap = 1000, .files = 8});
        (void)fs_rig_make(rig, COS_FILE_MF, MF);
        for (size_t n = 0; n < 3 && cases[i].fcps[n] != NULL; n++) {
            (void)fs_rig_make(rig, COS_FILE_MF, cases[i].fcps[n]);
        }
        fs_rig_keep(rig);
        assert_int_equal(fs_rig_create(rig, COS_FILE_MF, cases[i].over, &file), COS_E_MEMORY_FULL);
        fs_rig_check_kept(rig);
        fs_check(rig);
        fs_rig_close(rig);
        free(rig);
    }
}

/* Files whose content is elsewhere take no heap but their attributes. */
static void content_from_elsewhere_takes_no_heap(void **state)
{
    struct fs_rig *rig = malloc(sizeof *rig);

    (void)state;
    fs_rig_open_shape(rig, &(struct fs_rig_shape){.heap = 100, .files = 8});
    (void)fs_rig_make(rig, COS_FILE_MF, MF);
    const cos_file record = fs_rig_make(rig, COS_FILE_MF, "820101 83022F02 80028000 850101");
    const cos_file card = fs_rig_make(rig, COS_FILE_MF, "820101 83022F01 80028000 850103");
    const cos_file next = fs_rig_make(rig, COS_FILE_MF, "820101 83020101 800110");
    assert_int_equal(fs_rig_info(rig, record).size, 0x8000);
    assert_int_equal(fs_rig_info(rig, record).source, COS_FS_SOURCE_PRODUCTION);
    assert_int_equal(fs_rig_info(rig, card).source, COS_FS_SOURCE_CARD);
    assert_int_equal(fs_rig_info(rig, card).address, fs_rig_info(rig, record).address + 8);
    assert_int_equal(fs_rig_info(rig, next).address, fs_rig_info(rig, record).address + 16);
    fs_check(rig);
    fs_rig_close(rig);
    free(rig);
}

/* ---- Life cycle ---- */

static void life_cycle_is_one_byte_of_the_entry(void **state)
{
    static const uint8_t states[] = {COS_LCS_CREATION, COS_LCS_INITIALISATION, COS_LCS_DEACTIVATED,
                                     COS_LCS_ACTIVATED, COS_LCS_TERMINATED};
    struct fs_tree *tree = *state;

    for (size_t file = 0; file < FS_TREE_FILES; file++) {
        for (size_t i = 0; i < COUNT(states); i++) {
            struct cos_file_info before = fs_rig_info(&tree->rig, tree->file[file]);
            const uint64_t programs = tree->rig.sim.counts.page_programs;
            assert_int_equal(cos_fs_set_life_cycle(tree->fs, tree->file[file], states[i]), COS_OK);
            assert_int_equal(tree->rig.sim.counts.page_programs - programs, 1);
            fs_rig_remount(&tree->rig);
            const struct cos_file_info after = fs_rig_info(&tree->rig, tree->file[file]);
            before.life_cycle_status = states[i];
            assert_memory_equal(&before, &after, sizeof after);
        }
    }
    fs_rig_keep(&tree->rig);
    assert_int_equal(cos_fs_set_life_cycle(tree->fs, 24, COS_LCS_ACTIVATED), COS_E_FILE_NOT_FOUND);
    assert_int_equal(cos_fs_set_life_cycle(tree->fs, COS_FILE_NONE, COS_LCS_ACTIVATED),
                     COS_E_FILE_NOT_FOUND);
    fs_rig_check_kept(&tree->rig);
}

#define TREE_TEST(name) cmocka_unit_test_setup_teardown(name, fs_tree_plant, fs_tree_fell)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mf_comes_first_and_once),
        cmocka_unit_test(sixteen_dfs_stand_one_in_the_other),
        TREE_TEST(a_file_is_below_its_dfs_only),
        cmocka_unit_test(full_by_table_entries),
        cmocka_unit_test(full_by_heap),
        cmocka_unit_test(content_from_elsewhere_takes_no_heap),
        TREE_TEST(life_cycle_is_one_byte_of_the_entry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
