/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding files by identifier, short identifier, path and name. Files of the tree are told by their
 * numbers in fs_rig.h.
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

/* ---- Finding ---- */

/* COS_FILE_NONE for any number that is none of the tree's. */
static cos_file numbered(const struct fs_tree *tree, unsigned number)
{
    return number < FS_TREE_FILES ? tree->file[number] : COS_FILE_NONE;
}

static void infos_are_those_of_the_table(void **state)
{
    static const unsigned parents[] = {0, 0, 0, 2, 2, 2, 5, 5, 0, 0, 0};
    struct fs_tree *tree = *state;
    struct cos_file_info info;

    unsigned free_ones = 0;

    for (unsigned i = 0; i < COUNT(parents); i++) {
        info = fs_rig_info(&tree->rig, tree->file[i]);
        assert_int_equal(info.parent, tree->file[parents[i]]);
    }
    for (cos_file file = 1; file <= 24; file++) {
        bool ours = false;
        for (unsigned i = 0; i < FS_TREE_FILES; i++) {
            ours = ours || tree->file[i] == file;
        }
        assert_int_equal(cos_fs_info(tree->fs, file, &info), ours ? COS_OK : COS_E_FILE_NOT_FOUND);
        free_ones += !ours;
    }
    assert_int_equal(free_ones, 24 - (FS_TREE_FILES - 1));
    assert_int_equal(cos_fs_info(tree->fs, 25, &info), COS_E_FILE_NOT_FOUND); /* outside */
    assert_int_equal(cos_fs_info(tree->fs, COS_FILE_NONE, &info), COS_E_FILE_NOT_FOUND);
}

/* `wanted` COS_FILE_NONE: not found. */
static void check_found(enum cos_result result, cos_file found, cos_file wanted)
{
    assert_int_equal(result, wanted == COS_FILE_NONE ? COS_E_FILE_NOT_FOUND : COS_OK);
    assert_int_equal(found, wanted);
}

static void children_are_found_by_fid_and_sfi(void **state)
{
    static const struct {
        unsigned df;
        uint16_t fid;
        unsigned wanted;
    } fids[] = {
        {0, 0x0101, 1},       {0, 0x5100, 2},           {2, 0x0101, 3},
        {2, 0x0102, 4},       {2, 0x5200, 5},           {5, 0x5100, 7},
        {0, 0x2F02, 9},       {0, 0x0102, 10},          {0, 0x5200, 0xFFFF},
        {2, 0x5100, 0xFFFF},  {0, 0x3F00, 0xFFFF}, /* the MF is nobody's child */
        {8, 0x0101, 0xFFFF},  {1, 0x0101, 0xFFFF},      {23, 0x0101, 0xFFFF},
        {24, 0x0101, 0xFFFF}, {0xFFFF, 0x0101, 0xFFFF}, {0xFFFF, 0x3F00, 0xFFFF},
    };
    static const struct {
        unsigned df;
        uint8_t sfi;
        unsigned wanted;
    } sfis[] = {
        {0, 1, 1},       {2, 1, 3},           {2, 2, 4},       {0, 2, 9}, /* 2F02 */
        {5, 5, 6},       {0, 0, 0xFFFF},      {0, 3, 0xFFFF},  {5, 1, 0xFFFF},
        {0, 30, 0xFFFF}, {0, 31, 0xFFFF},     {0, 32, 0xFFFF}, {0, 255, 0xFFFF},
        {8, 1, 0xFFFF},  {0xFFFF, 1, 0xFFFF}, {1, 1, 0xFFFF},  {3, 1, 0xFFFF}, /* EFs have no map */
    };
    struct fs_tree *tree = *state;

    for (size_t i = 0; i < COUNT(fids); i++) {
        cos_file file = COS_FILE_NONE;
        const enum cos_result result =
            cos_fs_find_child(tree->fs, numbered(tree, fids[i].df), fids[i].fid, &file);
        check_found(result, file, numbered(tree, fids[i].wanted));
    }
    for (size_t i = 0; i < COUNT(sfis); i++) {
        cos_file file = COS_FILE_NONE;
        const enum cos_result result =
            cos_fs_find_sfi(tree->fs, numbered(tree, sfis[i].df), sfis[i].sfi, &file);
        check_found(result, file, numbered(tree, sfis[i].wanted));
    }
}

/* Children, the current DF, its parent, siblings, MF: the first that has the FID. */
static void fids_are_searched_in_order(void **state)
{
    static const struct {
        unsigned current;
        uint16_t fid;
        unsigned wanted;
    } cases[] = {
        {5, 0x5100, 7},  /* a child, before the parent of the same FID */
        {5, 0x0105, 6},  /* a child */
        {5, 0x5200, 5},  /* itself */
        {7, 0x5100, 7},  /* itself, not its grandparent */
        {7, 0x5200, 5},  /* its parent */
        {7, 0x0105, 6},  /* a sibling */
        {5, 0x0102, 4},  /* a sibling, not the uncle of the same FID */
        {2, 0x0102, 4},  /* a child, before the sibling of the same FID */
        {8, 0x0102, 10}, /* a sibling */
        {8, 0x5100, 2},  /* a sibling */
        {2, 0x5300, 8},  /* a sibling */
        {0, 0x0102, 10}, /* the MF's children are its siblings too */
        {7, 0x3F00, 0},  /* the MF from everywhere */
        {0, 0x3F00, 0},           {7, 0x0101, 0xFFFF}, /* a grandparent's child */
        {7, 0x5300, 0xFFFF},      {5, 0x5300, 0xFFFF}, /* an uncle */
        {8, 0x0105, 0xFFFF},                           /* a nephew */
        {0, 0x0105, 0xFFFF},      {0, 0x0000, 0xFFFF},  {0, 0x3FFF, 0xFFFF},
        {0, 0xFFFF, 0xFFFF},      {11, 0x0101, 0xFFFF}, /* no such DF */
        {0xFFFF, 0x0101, 0xFFFF},
    };
    struct fs_tree *tree = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        cos_file file = COS_FILE_NONE;
        const enum cos_result result =
            cos_fs_find_fid(tree->fs, numbered(tree, cases[i].current), cases[i].fid, &file);
        check_found(result, file, numbered(tree, cases[i].wanted));
    }
}

static void paths_go_from_child_to_child(void **state)
{
    static const struct {
        unsigned from;
        const char *path;
        enum cos_result result;
        unsigned wanted;
    } cases[] = {
        {0, "0101", COS_OK, 1},
        {0, "5100", COS_OK, 2},
        {0, "51000101", COS_OK, 3},
        {0, "510052000105", COS_OK, 6},
        {0, "510052005100", COS_OK, 7},
        {0, "3F00", COS_OK, 0},
        {0, "3F00510052000105", COS_OK, 6},
        {2, "52000105", COS_OK, 6},
        {2, "3FFF52000105", COS_OK, 6},
        {2, "3FFF", COS_OK, 2},
        {0, "3FFF5100", COS_OK, 2},
        {2, "3F00", COS_E_FILE_NOT_FOUND, 0xFFFF},
        {2, "3F005100", COS_E_FILE_NOT_FOUND, 0xFFFF}, /* not from the MF */
        {0, "51003F00", COS_E_FILE_NOT_FOUND, 0xFFFF},
        {0, "51003FFF", COS_E_FILE_NOT_FOUND, 0xFFFF},
        {0, "3F003F00", COS_E_FILE_NOT_FOUND, 0xFFFF},
        {0, "3FFF3FFF", COS_E_FILE_NOT_FOUND, 0xFFFF},
        {0, "01010101", COS_E_FILE_NOT_FOUND, 0xFFFF}, /* through an EF */
        {0, "5200", COS_E_FILE_NOT_FOUND, 0xFFFF},     /* a grandchild */
        {2, "5100", COS_E_FILE_NOT_FOUND, 0xFFFF},
        {11, "3FFF", COS_E_FILE_NOT_FOUND, 0xFFFF},
        {0xFFFF, "0101", COS_E_FILE_NOT_FOUND, 0xFFFF},
        {0, "", COS_E_DATA, 0xFFFF},
        {0, "51", COS_E_DATA, 0xFFFF},
        {0, "510001", COS_E_DATA, 0xFFFF},
        {0, /* 19 steps, 18 */
         "3F00510001010101010101010101010101010101010101010101010101010101 010101010101",
         COS_E_DATA, 0xFFFF},
        {0, "3F00510001010101010101010101010101010101010101010101010101010101 01010101",
         COS_E_FILE_NOT_FOUND, 0xFFFF},
    };
    struct fs_tree *tree = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t path[40];
        const struct cos_span span = {path, fs_rig_hex(cases[i].path, path, sizeof path)};
        cos_file file = COS_FILE_NONE;
        assert_int_equal(cos_fs_find_path(tree->fs, numbered(tree, cases[i].from), span, &file),
                         cases[i].result);
        assert_int_equal(file, numbered(tree, cases[i].wanted));
    }
}

/* ---- Names ---- */

static enum cos_result find_name(const struct cos_fs *fs, const char *hex,
                                 enum cos_occurrence occurrence, cos_file current, cos_file *file)
{
    uint8_t name[32], *exact;
    const size_t length = fs_rig_hex(hex, name, sizeof name);
    enum cos_result result;

    exact = malloc(length + 1); /* for the address sanitizer */
    assert_non_null(exact);
    memcpy(exact, name, length);
    result = cos_fs_find_name(fs, (struct cos_span){exact, length}, occurrence, current, file);
    free(exact);
    return result;
}

static void names_are_found_by_their_beginning(void **state)
{
    static const struct {
        const char *name;
        unsigned first, last;
    } cases[] = {
        {"F0000001", 2, 2},
        {"A0A1A2A3A4", 2, 2},
        {"A0A1A2", 2, 2},
        {"A0A1", 2, 8}, /* in the order of the table */
        {"A0", 2, 8},
        {"F0", 2, 5},
        {"F00000", 2, 5},
        {"F0000000", 0xFFFF, 0xFFFF},
        {"C1", 8, 8},
        {"A0A1A2A3A5", 0xFFFF, 0xFFFF},
        {"A0A1A2A3A4A5", 0xFFFF, 0xFFFF},
        {"B0", 0xFFFF, 0xFFFF},
        {"00", 0xFFFF, 0xFFFF}, /* bytes behind a name are no part of it */
        {"C100", 0xFFFF, 0xFFFF},
        {"0000", 0xFFFF, 0xFFFF},
        {"", 0xFFFF, 0xFFFF},
        {"F0000001F0000001F0000001F0000001", 0xFFFF, 0xFFFF},
        {"F0000001F0000001F0000001F000000100", 0xFFFF, 0xFFFF},
    };
    struct fs_tree *tree = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        cos_file file = COS_FILE_NONE;
        enum cos_result result =
            find_name(tree->fs, cases[i].name, COS_OCCURRENCE_FIRST, COS_FILE_MF, &file);
        check_found(result, file, numbered(tree, cases[i].first));
        result = find_name(tree->fs, cases[i].name, COS_OCCURRENCE_LAST, COS_FILE_MF, &file);
        check_found(result, file, numbered(tree, cases[i].last));
    }
}

/* DFs 5001 to 5006; their names, in the order of the table: a DF is met where its first matching
 * name stands. */
static const char *const named_dfs[] = {
    "8402A001 8402B001",          "8402A002",
    "8402B002 8403A00201",        "8401C0",
    "8402A003 8402A004 8402A005", "8410A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0",
};

static void occurrences_follow_the_table(void **state)
{
    static const struct {
        const char *name;
        unsigned current; /* 0: the MF */
        unsigned next, previous;
    } cases[] = {
        {"A0", 0, 1, 6},   {"A0", 1, 2, 0}, {"A0", 2, 3, 1},   {"A0", 3, 5, 2},
        {"A0", 4, 1, 6}, /* does not match: next is the first, previous the last */
        {"A0", 5, 6, 3},   {"A0", 6, 0, 5}, {"A002", 2, 3, 0}, {"A002", 3, 0, 2},
        {"A002", 1, 2, 3}, {"B0", 1, 3, 0}, {"B0", 3, 0, 1},   {"B0", 2, 1, 3},
        {"C0", 4, 0, 0},   {"C0", 1, 4, 4}, {"A003", 5, 0, 0}, {"A005", 1, 5, 5},
        {"D0", 1, 0, 0},
    };
    struct fs_rig *rig = malloc(sizeof *rig);
    cos_file dfs[COUNT(named_dfs) + 1];

    (void)state;
    fs_rig_open(rig, 4000, 8);
    dfs[0] = fs_rig_make(rig, COS_FILE_NONE, MF);
    for (unsigned i = 0; i < COUNT(named_dfs); i++) {
        char fcp[128];
        snprintf(fcp, sizeof fcp, "820138 8302500%u %s", i + 1, named_dfs[i]);
        dfs[i + 1] = fs_rig_make(rig, COS_FILE_MF, fcp);
    }
    for (size_t i = 0; i < COUNT(cases); i++) {
        cos_file file = COS_FILE_NONE;
        enum cos_result result =
            find_name(&rig->fs, cases[i].name, COS_OCCURRENCE_NEXT, dfs[cases[i].current], &file);
        check_found(result, file, cases[i].next == 0 ? COS_FILE_NONE : dfs[cases[i].next]);
        file = COS_FILE_NONE;
        result = find_name(&rig->fs, cases[i].name, COS_OCCURRENCE_PREVIOUS, dfs[cases[i].current],
                           &file);
        check_found(result, file, cases[i].previous == 0 ? COS_FILE_NONE : dfs[cases[i].previous]);
    }
    fs_rig_close(rig);
    free(rig);
}

/* Walking through by "next" meets each DF once, "previous" the same the other way round, whatever
 * came and went before. */
static void walking_meets_each_df_once(void **state)
{
    struct fs_rig *rig = malloc(sizeof *rig);
    cos_file dfs[8] = {0}, way[8];
    uint64_t seed = 3;

    (void)state;
    fs_rig_open(rig, 4000, 16);
    (void)fs_rig_make(rig, COS_FILE_NONE, MF);
    for (unsigned round = 0; round < 400; round++) {
        const unsigned which = sim_below(&seed, COUNT(dfs));
        char fcp[128];
        unsigned count = 0, there = 0;
        cos_file file = COS_FILE_MF;
        if (dfs[which] != 0) {
            assert_int_equal(cos_fs_delete(&rig->fs, dfs[which]), COS_OK);
            dfs[which] = 0;
        } else {
            snprintf(fcp, sizeof fcp, "820138 8302500%u 8402A0%02X %s%02X", which, which,
                     sim_below(&seed, 2) == 0 ? "8403A0FF" : "8403B0FF", which);
            dfs[which] = fs_rig_make(rig, COS_FILE_MF, fcp);
        }
        for (unsigned i = 0; i < COUNT(dfs); i++) {
            there += dfs[i] != 0;
        }
        while (count < COUNT(way) &&
               find_name(&rig->fs, "A0", COS_OCCURRENCE_NEXT, file, &file) == COS_OK) {
            for (unsigned i = 0; i < count; i++) {
                assert_int_not_equal(way[i], file);
            }
            way[count++] = file;
        }
        assert_int_equal(count, there);
        if (there > 0) {
            assert_int_equal(find_name(&rig->fs, "A0", COS_OCCURRENCE_LAST, 0, &file), COS_OK);
            assert_int_equal(file, way[count - 1]);
            while (--count > 0) {
                assert_int_equal(find_name(&rig->fs, "A0", COS_OCCURRENCE_PREVIOUS, file, &file),
                                 COS_OK);
                assert_int_equal(file, way[count - 1]);
            }
            assert_int_equal(find_name(&rig->fs, "A0", COS_OCCURRENCE_PREVIOUS, file, &file),
                             COS_E_FILE_NOT_FOUND);
            assert_int_equal(find_name(&rig->fs, "A0", COS_OCCURRENCE_FIRST, 0, &file), COS_OK);
            assert_int_equal(file, way[0]);
        }
    }
    fs_rig_close(rig);
    free(rig);
}

/* Four names a DF; one more name than the table holds is too many. */
static void names_are_counted(void **state)
{
    struct fs_rig *rig = malloc(sizeof *rig);
    cos_file file = 0x1234;

    (void)state;
    fs_rig_open_shape(rig, &(struct fs_rig_shape){.heap = 2000, .files = 8, .names = 6});
    (void)fs_rig_make(rig, COS_FILE_NONE, MF " 8401D0");
    fs_rig_keep(rig);
    assert_int_equal(
        fs_rig_create(rig, 0, "820138 83025001 8401A1 8401A2 8401A3 8401A4 8401A5", &file),
        COS_E_MEMORY_FULL);
    fs_rig_check_kept(rig);
    const cos_file df = fs_rig_make(rig, 0, "820138 83025001 8401A1 8401A2 8401A3 8401A4");
    fs_rig_keep(rig);
    assert_int_equal(fs_rig_create(rig, 0, "820138 83025002 8401B1 8401B2", &file),
                     COS_E_MEMORY_FULL);
    assert_int_equal(fs_rig_create(rig, 0, "820138 83025002 8401A3", &file), COS_E_NAME_EXISTS);
    assert_int_equal(fs_rig_create(rig, 0, "820138 83025002 8401D0", &file), COS_E_NAME_EXISTS);
    fs_rig_check_kept(rig);
    assert_int_equal(file, 0x1234);
    (void)fs_rig_make(rig, 0, "820138 83025002 8401B1");
    assert_int_equal(find_name(&rig->fs, "D0", COS_OCCURRENCE_FIRST, df, &file), COS_OK);
    assert_int_equal(file, COS_FILE_MF);
    assert_int_equal(cos_fs_delete(&rig->fs, df), COS_OK);
    (void)fs_rig_make(rig, 0, "820138 83025001 8401A4 8401A3 8401A2 8401A1");
    assert_int_equal(fs_rig_create(rig, 0, "820138 83025003 8401C1", &file), COS_E_MEMORY_FULL);
    fs_check(rig);
    fs_rig_close(rig);
    free(rig);
}

#define TREE_TEST(name) cmocka_unit_test_setup_teardown(name, fs_tree_plant, fs_tree_fell)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TREE_TEST(infos_are_those_of_the_table),
        TREE_TEST(children_are_found_by_fid_and_sfi),
        TREE_TEST(fids_are_searched_in_order),
        TREE_TEST(paths_go_from_child_to_child),
        TREE_TEST(names_are_found_by_their_beginning),
        cmocka_unit_test(occurrences_follow_the_table),
        cmocka_unit_test(walking_meets_each_df_once),
        cmocka_unit_test(names_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
