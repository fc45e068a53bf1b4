/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding files by identifier, short identifier, path and name.
 */
#include "fs_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define MF "820138 83023F00"

/* ---- Finding ---- */

static void infos_are_those_of_the_table(void **state)
{
    static const cos_file parents[] = {0, 0, 0, 2, 2, 2, 5, 5, 0, 0, 0};
    struct fs_tree *tree = *state;
    struct cos_file_info info;

    for (cos_file file = 0; file < COUNT(parents); file++) {
        info = fs_rig_info(&tree->rig, file);
        assert_int_equal(info.parent, parents[file]);
    }
    assert_int_equal(cos_fs_info(tree->fs, 11, &info), COS_E_FILE_NOT_FOUND); /* free */
    assert_int_equal(cos_fs_info(tree->fs, 23, &info), COS_E_FILE_NOT_FOUND);
    assert_int_equal(cos_fs_info(tree->fs, 24, &info), COS_E_FILE_NOT_FOUND); /* outside */
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
        cos_file df;
        uint16_t fid;
        cos_file wanted;
    } fids[] = {
        {0, 0x0101, 1},       {0, 0x5100, 2},           {2, 0x0101, 3},
        {2, 0x0102, 4},       {2, 0x5200, 5},           {5, 0x5100, 7},
        {0, 0x2F02, 9},       {0, 0x0102, 10},          {0, 0x5200, 0xFFFF},
        {2, 0x5100, 0xFFFF},  {0, 0x3F00, 0xFFFF}, /* the MF is nobody's child */
        {8, 0x0101, 0xFFFF},  {1, 0x0101, 0xFFFF},      {23, 0x0101, 0xFFFF},
        {24, 0x0101, 0xFFFF}, {0xFFFF, 0x0101, 0xFFFF}, {0xFFFF, 0x3F00, 0xFFFF},
    };
    static const struct {
        cos_file df;
        uint8_t sfi;
        cos_file wanted;
    } sfis[] = {
        {0, 1, 1},      {2, 1, 3},       {2, 2, 4},        {0, 2, 0xFFFF}, {0, 0, 0xFFFF},
        {5, 5, 0xFFFF}, {0, 31, 0xFFFF}, {0, 255, 0xFFFF}, {8, 1, 0xFFFF}, {0xFFFF, 1, 0xFFFF},
    };
    struct fs_tree *tree = *state;

    for (size_t i = 0; i < COUNT(fids); i++) {
        cos_file file = COS_FILE_NONE;
        const enum cos_result result = cos_fs_find_child(tree->fs, fids[i].df, fids[i].fid, &file);
        check_found(result, file, fids[i].wanted);
    }
    for (size_t i = 0; i < COUNT(sfis); i++) {
        cos_file file = COS_FILE_NONE;
        const enum cos_result result = cos_fs_find_sfi(tree->fs, sfis[i].df, sfis[i].sfi, &file);
        check_found(result, file, sfis[i].wanted);
    }
}

/* Children, the current DF, its parent, siblings, MF: the first that has the FID. */
static void fids_are_searched_in_order(void **state)
{
    static const struct {
        cos_file current;
        uint16_t fid;
        cos_file wanted;
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
            cos_fs_find_fid(tree->fs, cases[i].current, cases[i].fid, &file);
        check_found(result, file, cases[i].wanted);
    }
}

static void paths_go_from_child_to_child(void **state)
{
    static const struct {
        cos_file from;
        const char *path;
        enum cos_result result;
        cos_file wanted;
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
        {0, "3F0051000101010101010101010101010101", COS_E_DATA, 0xFFFF}, /* nine steps */
        {0, "3F005100010101010101010101010101", COS_E_FILE_NOT_FOUND, 0xFFFF},
    };
    struct fs_tree *tree = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t path[32];
        const struct cos_span span = {path, fs_rig_hex(cases[i].path, path, sizeof path)};
        cos_file file = COS_FILE_NONE;
        assert_int_equal(cos_fs_find_path(tree->fs, cases[i].from, span, &file), cases[i].result);
        assert_int_equal(file, cases[i].wanted);
    }
}

/* A chain of eight DFs, reached by the longest path. */
static void the_longest_path_reaches_its_end(void **state)
{
    struct fs_rig *rig = malloc(sizeof *rig);
    uint8_t path[16];
    cos_file file = COS_FILE_NONE;

    (void)state;
    fs_rig_open(rig, 2000, 10);
    (void)fs_rig_make(rig, COS_FILE_MF, MF);
    for (unsigned i = 1; i <= 8; i++) {
        char fcp[64];
        snprintf(fcp, sizeof fcp, "820138 83025%03X", i);
        cos_put16(path + 2 * (i - 1), (uint16_t)(0x5000 + i));
        assert_int_equal(fs_rig_make(rig, (cos_file)(i - 1), fcp), i);
    }
    assert_int_equal(cos_fs_find_path(&rig->fs, 0, (struct cos_span){path, 16}, &file), COS_OK);
    assert_int_equal(file, 8);
    fs_rig_close(rig);
    free(rig);
}

static void names_are_found_by_their_beginning(void **state)
{
    static const struct {
        const char *name;
        cos_file wanted;
    } cases[] = {
        {"F0000001", 2},
        {"A0A1A2A3A4", 2},
        {"A0A1A2", 2},
        {"A0A1", 2}, /* table order */
        {"A0", 2},
        {"F0", 2},
        {"F00000", 2},
        {"C1", 8},
        {"A0A1A2A3A5", 0xFFFF},
        {"A0A1A2A3A4A5", 0xFFFF},
        {"B0", 0xFFFF},
        {"0000", 0xFFFF},
        {"", 0xFFFF},
        {"F0000001F0000001F0000001F0000001", 0xFFFF},
        {"F0000001F0000001F0000001F000000100", 0xFFFF},
    };
    struct fs_tree *tree = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t name[32];
        const struct cos_span span = {name, fs_rig_hex(cases[i].name, name, sizeof name)};
        cos_file file = COS_FILE_NONE;
        const enum cos_result result = cos_fs_find_name(tree->fs, span, &file);
        check_found(result, file, cases[i].wanted);
    }
}

#define TREE_TEST(name) cmocka_unit_test_setup_teardown(name, fs_tree_plant, fs_tree_fell)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TREE_TEST(infos_are_those_of_the_table),
        TREE_TEST(children_are_found_by_fid_and_sfi),
        TREE_TEST(fids_are_searched_in_order),
        TREE_TEST(paths_go_from_child_to_child),
        cmocka_unit_test(the_longest_path_reaches_its_end),
        TREE_TEST(names_are_found_by_their_beginning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
