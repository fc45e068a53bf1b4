/* SPDX-License-Identifier: Apache-2.0
 *
 * Deleting, erasing, and changes that wait: what they leave, what they cost, what they refuse.
 */
#include "fs/file.h"
#include "fs_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define MF "820138 83023F00"

static void must_be_gone(const struct fs_rig *rig, cos_file file)
{
    struct cos_file_info info;

    assert_int_equal(cos_fs_info(&rig->fs, file, &info), COS_E_FILE_NOT_FOUND);
}

/* ---- What is gone ---- */

static void a_deleted_ef_leaves_nothing(void **state)
{
    struct fs_tree *tree = *state;
    struct fs_rig *rig = &tree->rig;
    static const unsigned efs[] = {1, 3, 4, 6, 9};
    cos_file file;

    for (size_t i = 0; i < COUNT(efs); i++) {
        const struct cos_file_info info = fs_rig_info(rig, tree->file[efs[i]]);
        assert_int_equal(cos_fs_find_sfi(tree->fs, info.parent, info.sfi, &file), COS_OK);
        assert_int_equal(cos_fs_delete(tree->fs, tree->file[efs[i]]), COS_OK);
        must_be_gone(rig, tree->file[efs[i]]);
        assert_int_equal(cos_fs_find_child(tree->fs, info.parent, info.fid, &file),
                         COS_E_FILE_NOT_FOUND);
        assert_int_equal(cos_fs_find_sfi(tree->fs, info.parent, info.sfi, &file),
                         COS_E_FILE_NOT_FOUND);
        fs_check(rig);
        fs_rig_remount(rig);
        must_be_gone(rig, tree->file[efs[i]]);
    }
    /* FID and SFI are free again. */
    file = fs_rig_make(rig, COS_FILE_MF, "820101 83020101 80020010 880108");
    assert_int_equal(fs_rig_info(rig, file).sfi, 1);
    fs_check(rig);
}

static void a_deleted_df_takes_all_below_it_along(void **state)
{
    static const bool below[FS_TREE_FILES] = {
        [2] = true, [3] = true, [4] = true, [5] = true, [6] = true, [7] = true};
    static const char *const names[] = {"F0000001", "A0A1A2A3A4", "F00000"};
    struct fs_tree *tree = *state;

    assert_int_equal(cos_fs_delete(tree->fs, tree->file[2]), COS_OK);
    for (unsigned again = 0; again < 2; again++) {
        for (size_t i = 0; i < FS_TREE_FILES; i++) {
            if (below[i]) {
                must_be_gone(&tree->rig, tree->file[i]);
            } else {
                (void)fs_rig_info(&tree->rig, tree->file[i]);
            }
        }
        for (size_t i = 0; i < COUNT(names); i++) {
            uint8_t name[16];
            const struct cos_span span = {name, fs_rig_hex(names[i], name, sizeof name)};
            cos_file file;
            assert_int_equal(
                cos_fs_find_name(tree->fs, span, COS_OCCURRENCE_FIRST, COS_FILE_MF, &file),
                COS_E_FILE_NOT_FOUND);
        }
        fs_check(&tree->rig);
        fs_rig_remount(&tree->rig);
    }
    const cos_file df =
        fs_rig_make(&tree->rig, COS_FILE_MF, "820138 83025100 8404F0000001 8405A0A1A2A3A4");
    (void)fs_rig_make(&tree->rig, df, "820138 83025200 8403F00000");
    fs_check(&tree->rig);
}

static void what_cannot_be_deleted_is_refused(void **state)
{
    struct fs_tree *tree = *state;

    fs_rig_keep(&tree->rig);
    assert_int_equal(cos_fs_delete(tree->fs, COS_FILE_MF), COS_E_CONDITIONS);
    assert_int_equal(cos_fs_prepare_delete(tree->fs, COS_FILE_MF, 1), COS_E_CONDITIONS);
    for (cos_file file = 1; file <= 26; file++) {
        bool there = false;
        for (size_t i = 0; i < FS_TREE_FILES; i++) {
            there = there || tree->file[i] == file;
        }
        if (!there) {
            assert_int_equal(cos_fs_delete(tree->fs, file), COS_E_FILE_NOT_FOUND);
            assert_int_equal(cos_fs_prepare_delete(tree->fs, file, 1), COS_E_FILE_NOT_FOUND);
        }
    }
    assert_int_equal(cos_fs_delete(tree->fs, COS_FILE_NONE), COS_E_FILE_NOT_FOUND);
    fs_rig_check_kept(&tree->rig);
}

/* The same tree made and deleted for ever, while others stay. */
static void trees_come_and_go(void **state)
{
    struct fs_tree *tree = *state;
    const uint64_t before = fs_check_digest(&tree->rig);

    for (unsigned round = 0; round < 500; round++) {
        char fcp[96];
        cos_file df, inner;
        snprintf(fcp, sizeof fcp, "820138 83026%03X 8402D0%02X 8403D1%02X00", round, round % 256,
                 round % 256);
        df = fs_rig_make(&tree->rig, COS_FILE_MF, fcp);
        inner = fs_rig_make(&tree->rig, df, "820138 83026000 81020040");
        (void)fs_rig_make(&tree->rig, inner, "820101 83020101 80020100");
        (void)fs_rig_make(&tree->rig, df, "82050621001404 83020102");
        (void)fs_rig_make(&tree->rig, df, "82050421002005 83020103 80020050");
        assert_int_equal(cos_fs_delete(tree->fs, round % 2 == 0 ? df : inner), COS_OK);
        if (round % 2 != 0) {
            assert_int_equal(cos_fs_delete(tree->fs, df), COS_OK);
        }
        if (round % 50 == 0) {
            fs_check(&tree->rig);
            assert_true(fs_check_digest(&tree->rig) == before);
            fs_rig_remount(&tree->rig);
        }
    }
    fs_check(&tree->rig);
    assert_true(fs_check_digest(&tree->rig) == before);
}

/* ---- Erasing ---- */

static void erasing_sets_exactly_the_range(void **state)
{
    static const struct {
        uint32_t offset, length;
    } ranges[] = {{0, 0},     {0, 1},     {4999, 1},   {5000, 0},  {7, 100},  {100, 500},
                  {0, 216},   {0, 648},   {1, 649},    {0, 5000},  {1, 4998}, {2500, 2500},
                  {215, 217}, {300, 864}, {300, 1296}, {301, 1080}};
    struct fs_rig *rig = malloc(sizeof *rig);
    uint8_t bytes[200], wanted[5000], found[5000];

    (void)state;
    fs_rig_open(rig, 8000, 8);
    (void)fs_rig_make(rig, COS_FILE_NONE, MF);
    const cos_file file = fs_rig_make(rig, COS_FILE_MF, "820101 83020101 80021388 8C03039000");
    const struct cos_file_info info = fs_rig_info(rig, file);
    memset(bytes, 0x5C, sizeof bytes);
    for (size_t i = 0; i < COUNT(ranges); i++) {
        const uint32_t first = info.address + 5 + ranges[i].offset, end = first + ranges[i].length;
        const uint64_t pages =
            ranges[i].length == 0 ? 0 : (end - 1) / FS_RIG_PAYLOAD - first / FS_RIG_PAYLOAD + 1;
        for (uint32_t at = 0; at < 5000; at += sizeof bytes) {
            assert_int_equal(cos_fs_update(&rig->fs, &info, at, bytes, sizeof bytes), COS_OK);
        }
        const uint64_t before = rig->sim.counts.page_programs;
        assert_int_equal(cos_fs_erase(&rig->fs, &info, ranges[i].offset, ranges[i].length), COS_OK);
        assert_int_equal(rig->sim.counts.page_programs - before, pages <= 4 ? pages : pages + 2);
        memset(wanted, 0x5C, sizeof wanted);
        memset(wanted + ranges[i].offset, 0, ranges[i].length);
        assert_int_equal(cos_fs_read(&rig->fs, &info, 0, found, sizeof found), COS_OK);
        assert_memory_equal(found, wanted, sizeof found);
        fs_check(rig);
    }
    fs_rig_keep(rig);
    assert_int_equal(cos_fs_erase(&rig->fs, &info, 5000, 1), COS_E_OFFSET);
    assert_int_equal(cos_fs_erase(&rig->fs, &info, 1, 5000), COS_E_OFFSET);
    assert_int_equal(cos_fs_erase(&rig->fs, &info, UINT32_MAX, 2), COS_E_OFFSET);
    fs_rig_check_kept(rig);
    fs_rig_close(rig);
    free(rig);
}

/* ---- Cost ---- */

/* No page of a transparent EF's content is 00. */
static void soil(struct fs_rig *rig, cos_file file)
{
    const struct cos_file_info info = fs_rig_info(rig, file);
    uint8_t bytes[64];

    memset(bytes, 0x77, sizeof bytes);
    if (info.fdb == COS_FDB_TRANSPARENT && info.source == COS_FS_SOURCE_CONTENT) {
        for (uint32_t at = 0; at < info.size; at += sizeof bytes) {
            const uint32_t run = info.size - at < sizeof bytes ? info.size - at : sizeof bytes;
            assert_int_equal(cos_fs_update(&rig->fs, &info, at, bytes, run), COS_OK);
        }
    }
}

/* Page programs in a fresh file system, in which MF, tables and the first extents have known
 * places: name table and file table are a page each, the heap begins behind them. */
static void page_programs_are_as_promised(void **state)
{
    static const struct {
        const char *fcp;
        uint64_t create, remove;
    } cases[] = {
        {"820101 83020101 800108", 2, 2},                /* map of SFIs and extent: one page */
        {"820101 83020101 80020010 8C03039000", 2, 2},   /* likewise */
        {"820101 83020101 80020010 850101 8800", 2, 2},  /* entry, attributes */
        {"820101 83020101 80020010 8800 8A0101", 1, 2},  /* entry alone: content is 00 already */
        {"820101 83020101 80020200 8C03039000", 2, 4},   /* and three pages of content */
        {"82050221001405 83020101", 2, 2},               /* header of the records */
        {"82050421001405 83020101 80020064 8800", 1, 2}, /* empty directory: 00 already */
        {"820138 83025100", 1, 2},                       /* empty map: 00 already */
        {"820138 83025100 8405A000000001", 3, 3},        /* entry, attributes, name */
        {"820138 83025100 8401A0 8401A1 8401A2 8401A3", 3, 3},
        {"820138 83025100 81021000", 1, 3},       /* long, but 00: note, entry, note */
        {"820101 83020101 80021000 8800", 1, 23}, /* note, 20 pages of content, entry, note */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fs_rig *rig = malloc(sizeof *rig);
        uint64_t before, programs;
        cos_file file;
        fs_rig_open_shape(
            rig, &(struct fs_rig_shape){.heap = 7000, .files = 8, .names = 10, .reserve = 8});
        before = rig->sim.counts.page_programs;
        (void)fs_rig_make(rig, COS_FILE_NONE, MF);
        assert_int_equal(rig->sim.counts.page_programs - before, 1);
        before = rig->sim.counts.page_programs;
        file = fs_rig_make(rig, COS_FILE_MF, cases[i].fcp);
        programs = rig->sim.counts.page_programs - before;
        if (programs != cases[i].create) {
            fail_msg("creating %s: %u", cases[i].fcp, (unsigned)programs);
        }
        soil(rig, file);
        before = rig->sim.counts.page_programs;
        assert_int_equal(cos_fs_delete(&rig->fs, file), COS_OK);
        programs = rig->sim.counts.page_programs - before;
        if (programs != cases[i].remove) {
            fail_msg("deleting %s: %u", cases[i].fcp, (unsigned)programs);
        }
        fs_rig_close(rig);
        free(rig);
    }
}

/* ---- Changes that the security chip commits ---- */

static const uint8_t vault_ef[] = {0x82, 0x01, 0x01, 0x83, 0x02, 0x01, 0x11, 0x80,
                                   0x01, 0x40, 0x85, 0x01, 0x02, 0x88, 0x01, 0x88};
static const struct cos_span vault_fcp = {vault_ef, sizeof vault_ef};

/* Everything that writes, while a change waits. */
static void check_all_is_refused(struct fs_tree *tree)
{
    const struct cos_file_info ef = fs_rig_info(&tree->rig, tree->file[1]);
    const struct cos_file_info records = fs_rig_info(&tree->rig, tree->file[4]);
    static const uint8_t bytes[20] = {1};
    cos_file file = 0x4321;
    struct cos_file_info info;

    fs_rig_keep(&tree->rig);
    assert_int_equal(fs_rig_create(&tree->rig, 0, "820101 83027001 800108", &file),
                     COS_E_MEMORY_FAILURE);
    assert_int_equal(cos_fs_may_create(tree->fs, 0, vault_fcp, &info), COS_E_MEMORY_FAILURE);
    assert_int_equal(cos_fs_prepare_create(tree->fs, 0, vault_fcp, 1, 2, &file),
                     COS_E_MEMORY_FAILURE);
    assert_int_equal(cos_fs_prepare_delete(tree->fs, tree->file[1], 2), COS_E_MEMORY_FAILURE);
    assert_int_equal(cos_fs_delete(tree->fs, tree->file[1]), COS_E_MEMORY_FAILURE);
    assert_int_equal(cos_fs_set_life_cycle(tree->fs, tree->file[1], COS_LCS_DEACTIVATED),
                     COS_E_MEMORY_FAILURE);
    assert_int_equal(cos_fs_update(tree->fs, &ef, 0, bytes, 4), COS_E_MEMORY_FAILURE);
    assert_int_equal(cos_fs_erase(tree->fs, &ef, 0, 4), COS_E_MEMORY_FAILURE);
    assert_int_equal(cos_fs_record_update(tree->fs, &records, 1, bytes, 20), COS_E_MEMORY_FAILURE);
    assert_int_equal(cos_fs_record_patch(tree->fs, &records, 1, 0, bytes, 2), COS_E_MEMORY_FAILURE);
    assert_int_equal(cos_fs_record_erase(tree->fs, &records, 1, 2), COS_E_MEMORY_FAILURE);
    assert_int_equal(file, 0x4321);
    fs_rig_check_kept(&tree->rig);
}

static void a_prepared_file_is_seen_when_it_is_committed(void **state)
{
    struct fs_tree *tree = *state;
    struct cos_file_info info;
    uint32_t transaction = 0;

    for (unsigned run = 0; run < 8; run++) {
        const bool committed = (run & 1) != 0, restart = (run & 2) != 0, late = (run & 4) != 0;
        const uint64_t before = fs_check_digest(&tree->rig);
        cos_file file = COS_FILE_NONE, found = COS_FILE_NONE;
        fs_rig_keep(&tree->rig);
        assert_int_equal(cos_fs_may_create(tree->fs, 0, vault_fcp, &info), COS_OK);
        assert_int_equal(info.source, COS_FS_SOURCE_VAULT);
        assert_int_equal(info.size, 0x40);
        assert_false(cos_fs_prepared(tree->fs, &transaction));
        assert_int_equal(cos_fs_finish(tree->fs, committed), COS_E_CONDITIONS);
        fs_rig_check_kept(&tree->rig);
        const uint64_t programs = tree->rig.sim.counts.page_programs;
        assert_int_equal(cos_fs_prepare_create(tree->fs, 0, vault_fcp, 5, 0xA0B0C0D0 + run, &file),
                         COS_OK);
        assert_in_range(tree->rig.sim.counts.page_programs - programs, 2, 4);
        if (restart) {
            fs_rig_remount(&tree->rig);
        }
        assert_true(cos_fs_prepared(tree->fs, &transaction));
        assert_int_equal(transaction, 0xA0B0C0D0 + run);
        must_be_gone(&tree->rig, file);
        assert_int_equal(cos_fs_find_child(tree->fs, 0, 0x0111, &found), COS_E_FILE_NOT_FOUND);
        assert_int_equal(cos_fs_find_sfi(tree->fs, 0, 17, &found), COS_E_FILE_NOT_FOUND);
        assert_true(fs_check_digest(&tree->rig) == before);
        check_all_is_refused(tree);
        if (late) {
            fs_rig_remount(&tree->rig);
        }
        assert_int_equal(cos_fs_finish(tree->fs, committed), COS_OK);
        assert_false(cos_fs_prepared(tree->fs, &transaction));
        fs_check(&tree->rig);
        if (committed) {
            info = fs_rig_info(&tree->rig, file);
            assert_int_equal(info.vault, 5);
            assert_int_equal(cos_fs_find_child(tree->fs, 0, 0x0111, &found), COS_OK);
            assert_int_equal(found, file);
            assert_int_equal(cos_fs_find_sfi(tree->fs, 0, 17, &found), COS_OK);
            assert_int_equal(cos_fs_prepare_delete(tree->fs, file, 1), COS_OK);
            assert_int_equal(cos_fs_finish(tree->fs, true), COS_OK);
        }
        must_be_gone(&tree->rig, file);
        assert_true(fs_check_digest(&tree->rig) == before);
    }
}

static void a_prepared_deletion_happens_when_it_is_committed(void **state)
{
    static const unsigned victims[] = {1, 2, 10};
    struct fs_tree *tree = *state;
    uint32_t transaction;

    for (size_t i = 0; i < COUNT(victims); i++) {
        const cos_file file = tree->file[victims[i]];
        const uint64_t before = fs_check_digest(&tree->rig);
        for (unsigned run = 0; run < 3; run++) {
            const uint64_t programs = tree->rig.sim.counts.page_programs;
            assert_int_equal(cos_fs_prepare_delete(tree->fs, file, 7 + run), COS_OK);
            assert_int_equal(tree->rig.sim.counts.page_programs - programs, 1);
            if (run != 0) {
                fs_rig_remount(&tree->rig);
            }
            assert_true(cos_fs_prepared(tree->fs, &transaction));
            assert_int_equal(transaction, 7 + run);
            assert_true(fs_check_digest(&tree->rig) == before); /* still there */
            if (i == 0 && run == 0) {
                check_all_is_refused(tree);
            }
            assert_int_equal(cos_fs_finish(tree->fs, run == 2), COS_OK);
            fs_check(&tree->rig);
            assert_true((fs_check_digest(&tree->rig) == before) == (run != 2));
        }
        must_be_gone(&tree->rig, file);
    }
}

static void vault_and_source_must_agree(void **state)
{
    struct fs_tree *tree = *state;
    static const uint8_t plain[] = {0x82, 0x01, 0x01, 0x83, 0x02, 0x70, 0x01, 0x80, 0x01, 0x08};
    cos_file file = 0x1234;

    fs_rig_keep(&tree->rig);
    assert_int_equal(cos_fs_create(tree->fs, 0, vault_fcp, &file), COS_E_CONDITIONS);
    assert_int_equal(cos_fs_prepare_create(tree->fs, 0, vault_fcp, 0, 1, &file), COS_E_CONDITIONS);
    assert_int_equal(
        cos_fs_prepare_create(tree->fs, 0, (struct cos_span){plain, sizeof plain}, 1, 1, &file),
        COS_E_CONDITIONS);
    assert_int_equal(file, 0x1234);
    fs_rig_check_kept(&tree->rig);
}

/* ---- A store that takes no more ---- */

/* Notes what is to be done, and then no page can be written any more. */
static void note(struct fs_tree *tree, const char *hex)
{
    uint8_t bytes[16];

    assert_int_equal(fs_rig_hex(hex, bytes, sizeof bytes), 16);
    fs_rig_write(&tree->rig, 16, bytes, sizeof bytes);
    tree->rig.store.worn_out = true;
    assert_int_equal(cos_fs_mount(tree->fs, &tree->rig.store, &tree->rig.config), COS_OK);
}

static void a_worn_out_store_is_read_and_hides_what_is_removed(void **state)
{
    struct fs_tree *tree = *state;
    struct cos_file_info info;
    uint8_t bytes[16];
    cos_file file = 0x1234;
    char hex[64];

    snprintf(hex, sizeof hex, "01 00 %04X 00000000 00000000 00000000", tree->file[2]);
    note(tree, hex);
    for (size_t i = 0; i < FS_TREE_FILES; i++) {
        const bool gone = i >= 2 && i <= 7;
        assert_int_equal(cos_fs_info(tree->fs, tree->file[i], &info),
                         gone ? COS_E_FILE_NOT_FOUND : COS_OK);
    }
    assert_int_equal(cos_fs_find_child(tree->fs, 0, 0x5100, &file), COS_E_FILE_NOT_FOUND);
    assert_int_equal(cos_fs_find_child(tree->fs, tree->file[2], 0x0101, &file),
                     COS_E_FILE_NOT_FOUND);
    assert_int_equal(cos_fs_find_sfi(tree->fs, tree->file[2], 1, &file), COS_E_FILE_NOT_FOUND);
    assert_int_equal(cos_fs_find_fid(tree->fs, tree->file[5], 0x5100, &file), COS_E_FILE_NOT_FOUND);
    assert_int_equal(cos_fs_find_path(tree->fs, tree->file[5],
                                      (struct cos_span){(const uint8_t *)"\x01\x05", 2}, &file),
                     COS_E_FILE_NOT_FOUND);
    assert_int_equal(cos_fs_find_name(tree->fs, (struct cos_span){(const uint8_t *)"\xF0", 1},
                                      COS_OCCURRENCE_LAST, COS_FILE_MF, &file),
                     COS_E_FILE_NOT_FOUND);
    assert_int_equal(file, 0x1234);
    assert_int_equal(cos_fs_find_name(tree->fs, (struct cos_span){(const uint8_t *)"\xA0", 1},
                                      COS_OCCURRENCE_FIRST, COS_FILE_MF, &file),
                     COS_OK);
    assert_int_equal(file, tree->file[8]);
    info = fs_rig_info(&tree->rig, tree->file[1]);
    assert_int_equal(cos_fs_read(tree->fs, &info, 0, bytes, sizeof bytes), COS_OK);
    assert_int_equal(cos_fs_update(tree->fs, &info, 0, bytes, sizeof bytes), COS_E_MEMORY_FAILURE);
    assert_int_equal(cos_fs_delete(tree->fs, tree->file[1]), COS_E_MEMORY_FAILURE);
    assert_int_equal(fs_rig_create(&tree->rig, 0, "820101 83027001 800108", &file),
                     COS_E_MEMORY_FAILURE);
    tree->rig.store.worn_out = false; /* carried on when it can be */
    assert_int_equal(cos_fs_mount(tree->fs, &tree->rig.store, &tree->rig.config), COS_OK);
    fs_check(&tree->rig);
    must_be_gone(&tree->rig, tree->file[7]);
    (void)fs_rig_make(&tree->rig, 0, "820101 83027001 800108");
}

static void a_worn_out_store_keeps_what_waits_for_the_security_chip(void **state)
{
    struct fs_tree *tree = *state;
    uint32_t transaction;
    char hex[64];

    snprintf(hex, sizeof hex, "04 00 %04X 00000099 00000000 00000000", tree->file[2]);
    note(tree, hex);
    assert_true(cos_fs_prepared(tree->fs, &transaction));
    assert_int_equal(transaction, 0x99);
    assert_int_equal(cos_fs_finish(tree->fs, true), COS_E_MEMORY_FAILURE);
    assert_true(cos_fs_prepared(tree->fs, &transaction));
    tree->rig.store.worn_out = false;
    assert_int_equal(cos_fs_finish(tree->fs, true), COS_OK);
    must_be_gone(&tree->rig, tree->file[2]);
    fs_check(&tree->rig);
}

#define TREE_TEST(name) cmocka_unit_test_setup_teardown(name, fs_tree_plant, fs_tree_fell)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TREE_TEST(a_deleted_ef_leaves_nothing),
        TREE_TEST(a_deleted_df_takes_all_below_it_along),
        TREE_TEST(what_cannot_be_deleted_is_refused),
        TREE_TEST(trees_come_and_go),
        cmocka_unit_test(erasing_sets_exactly_the_range),
        cmocka_unit_test(page_programs_are_as_promised),
        TREE_TEST(a_prepared_file_is_seen_when_it_is_committed),
        TREE_TEST(a_prepared_deletion_happens_when_it_is_committed),
        TREE_TEST(vault_and_source_must_agree),
        TREE_TEST(a_worn_out_store_is_read_and_hides_what_is_removed),
        TREE_TEST(a_worn_out_store_keeps_what_waits_for_the_security_chip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
