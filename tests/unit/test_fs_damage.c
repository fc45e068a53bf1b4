/* SPDX-License-Identifier: Apache-2.0
 *
 * A file table that is not what CREATE FILE writes: reported, never a hang, never out of bounds.
 */
#include "fs_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- Damage ---- */

#define ENTRY(file) (16U + (file)*24U) /* of the first eight: they are in the first page */

/* Bytes of an entry that no CREATE FILE writes. Whoever meets the entry says so. */
static void impossible_entries_are_reported(void **state)
{
    static const struct {
        cos_file file;
        uint32_t at;
        const char *bytes;
    } cases[] = {
        {0, 0, "5100"},                                               /* the MF is 3F00 */
        {0, 2, "0001"},                                               /* and its own parent */
        {0, 4, "01"},                                                 /* and a DF */
        {3, 0, "3F00"},                                               /* nobody else is 3F00 */
        {3, 2, "0003"},                                               /* parent: itself */
        {3, 2, "0004"},                                               /* behind it */
        {3, 2, "FFFF"},      {3, 4, "00"},                            /* free, but not empty */
        {3, 4, "03"},                                                 /* structures */
        {3, 4, "06"},        {3, 4, "81"},        {3, 4, "38"},       /* a DF with content */
        {3, 4, "02"},                                                 /* no records */
        {3, 5, "1F"},                                                 /* SFI 31 */
        {3, 5, "FF"},        {3, 6, "00"},                            /* life cycle */
        {3, 6, "04"},        {3, 6, "0C"},        {3, 8, "00000000"}, /* in the superblock */
        {3, 8, "000000D8"},                                           /* in the table */
        {3, 8, "00001388"},                                           /* behind the end */
        {3, 8, "00001370"},                                           /* reaches over the end */
        {3, 8, "FFFFFFF0"},  {3, 12, "41"},                           /* 65 bytes of attributes */
        {3, 12, "FF"},       {3, 13, "02"},                           /* source */
        {3, 13, "FF"},       {3, 14, "0010"},                      /* records of a transparent EF */
        {3, 16, "0001"},     {3, 14, "00040008"}, {3, 18, "0001"}, /* reserved */
        {3, 18, "8000"},     {3, 20, "00000000"},                  /* size */
        {3, 20, "00008000"}, {3, 20, "00001380"}, {3, 20, "FFFFFFFF"},
        {4, 14, "0000"}, /* records */
        {4, 14, "0013"},     {4, 16, "0000"},     {4, 16, "0006"},
        {4, 14, "000100FF"}, {4, 13, "01"}, /* production record in records */
        {2, 20, "00000001"},                /* a DF's size, SFI, source, records */
        {2, 5, "01"},        {2, 13, "01"},       {2, 14, "0001"},
        {2, 16, "0001"},
    };
    struct fs_tree *tree = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t bad[8], good[8];
        const uint32_t address = ENTRY(cases[i].file) + cases[i].at;
        const size_t length = fs_rig_hex(cases[i].bytes, bad, sizeof bad);
        struct cos_file_info info;
        cos_file file = 77;
        assert_int_equal(cos_store_read(&tree->rig.store, address, good, length), COS_OK);
        fs_rig_write(&tree->rig, address, bad, length);
        fs_rig_keep(&tree->rig);
        if (cos_fs_info(tree->fs, cases[i].file, &info) != COS_E_STORE_DAMAGED) {
            fail_msg("file %u, offset %u: %s is taken", cases[i].file, (unsigned)cases[i].at,
                     cases[i].bytes);
        }
        assert_int_equal(fs_rig_create(&tree->rig, 0, "820138 83026000", &file),
                         COS_E_STORE_DAMAGED);
        assert_int_equal(cos_fs_find_child(tree->fs, 0, 0x6000, &file),
                         cases[i].file == 0 ? COS_E_FILE_NOT_FOUND : COS_E_STORE_DAMAGED);
        assert_int_equal(cos_fs_find_name(tree->fs, (struct cos_span){bad, 8}, &file),
                         COS_E_STORE_DAMAGED);
        assert_int_equal(file, 77);
        fs_rig_check_kept(&tree->rig);
        fs_rig_write(&tree->rig, address, good, length);
        assert_int_equal(cos_fs_info(tree->fs, cases[i].file, &info), COS_OK);
    }
    printf("# %zu impossible entries reported\n", COUNT(cases));
}

/* A parent that is an EF, or names that are no data objects. */
static void damage_across_entries_is_reported(void **state)
{
    struct fs_tree *tree = *state;
    cos_file file = 77;
    const uint32_t names = fs_rig_info(&tree->rig, 2).address;
    static const struct cos_span unknown = {(const uint8_t *)"\xEE", 1};
    struct cos_writer writer;
    uint8_t bytes[256];

    fs_rig_write(&tree->rig, ENTRY(5) + 2, (const uint8_t *)"\x00\x01", 2);
    assert_int_equal(cos_fs_find_fid(tree->fs, 5, 0x6000, &file), COS_E_STORE_DAMAGED);
    fs_rig_write(&tree->rig, ENTRY(5) + 2, (const uint8_t *)"\x00\x02", 2);
    assert_int_equal(cos_fs_find_fid(tree->fs, 5, 0x6000, &file), COS_E_FILE_NOT_FOUND);

    /* The parent's own entry, which stands before the current DF. */
    fs_rig_write(&tree->rig, ENTRY(2) + 5, (const uint8_t *)"\x01", 1);
    assert_int_equal(cos_fs_find_fid(tree->fs, 5, 0x6000, &file), COS_E_STORE_DAMAGED);
    fs_rig_write(&tree->rig, ENTRY(2) + 5, (const uint8_t *)"\x00", 1);

    fs_rig_write(&tree->rig, names + 1, (const uint8_t *)"\x7F", 1);
    writer = cos_writer(bytes, sizeof bytes);
    assert_int_equal(cos_fs_find_name(tree->fs, unknown, &file), COS_E_STORE_DAMAGED);
    assert_int_equal(cos_fs_write_fcp(tree->fs, 2, &writer), COS_E_STORE_DAMAGED);
    assert_int_equal(fs_rig_create(&tree->rig, 0, "820138 83026000 8401EE", &file),
                     COS_E_STORE_DAMAGED);
    fs_rig_write(&tree->rig, names + 1, (const uint8_t *)"\x04", 1);
    assert_int_equal(cos_fs_find_name(tree->fs, unknown, &file), COS_E_FILE_NOT_FOUND);
    assert_int_equal(file, 77);
}

/* Everything that reads, on whatever is there: it returns, and with no other error than these. */
static bool is_expected(enum cos_result result)
{
    return result == COS_OK || result == COS_E_STORE_DAMAGED || result == COS_E_FILE_NOT_FOUND ||
           result == COS_E_FILE_STRUCTURE || result == COS_E_OFFSET ||
           result == COS_E_REFERENCE_NOT_FOUND || result == COS_E_RECORD_NOT_FOUND ||
           result == COS_E_FILE_EXISTS || result == COS_E_NAME_EXISTS ||
           result == COS_E_MEMORY_FULL || result == COS_E_DATA;
}

static void ask_of_file(struct fs_tree *tree, const struct cos_file_info *info, uint64_t *seed)
{
    uint8_t attributes[COS_FS_ATTRIBUTES_MAX], conditions[COS_RULE_MAX], data[64] = {0};
    struct cos_span found;
    uint32_t offset;
    size_t count;

    assert_true(is_expected(cos_fs_attribute(tree->fs, info, 0x84, attributes, &found)));
    assert_true(is_expected(cos_fs_rule(tree->fs, info, COS_OPERATION_READ, conditions, &count)));
    assert_true(is_expected(cos_fs_record(info, 1 + sim_below(seed, 5), &offset)));
    offset = sim_below(seed, info->size + 2);
    assert_true(is_expected(cos_fs_read(tree->fs, info, offset, data, sim_below(seed, 64))));
}

static void ask_everything(struct fs_tree *tree, uint64_t *seed)
{
    struct cos_file_info info;
    cos_file file;
    uint8_t bytes[256];
    static const struct cos_span path = {(const uint8_t *)"\x51\x00\x52\x00\x51\x00\x77\x77", 8};

    for (cos_file i = 0; i <= 24; i++) {
        struct cos_writer writer = cos_writer(bytes, sizeof bytes);
        const enum cos_result result = cos_fs_info(tree->fs, i, &info);
        assert_true(is_expected(result));
        if (result == COS_OK) {
            ask_of_file(tree, &info, seed);
        }
        assert_true(is_expected(cos_fs_find_child(tree->fs, i, 0x7777, &file)));
        assert_true(is_expected(cos_fs_find_sfi(tree->fs, i, 30, &file)));
        assert_true(is_expected(cos_fs_find_fid(tree->fs, i, 0x7777, &file)));
        assert_true(is_expected(cos_fs_find_path(tree->fs, i, path, &file)));
        assert_true(is_expected(cos_fs_write_fcp(tree->fs, i, &writer)));
    }
    for (uint8_t i = 0; i < 3; i++) {
        bytes[0] = (uint8_t)sim_random(seed);
        assert_true(is_expected(cos_fs_find_name(tree->fs, (struct cos_span){bytes, 1}, &file)));
    }
    assert_true(is_expected(fs_rig_create(&tree->rig, (cos_file)sim_below(seed, 24),
                                          "820138 83027778 8402EEEE", &file)));
}

/* Random bytes over table and heap, by ones and by runs. */
static void random_damage_never_hangs_or_overruns(void **state)
{
    struct fs_tree *tree = *state;
    uint8_t good[1400];
    uint64_t seed = 0xDA3A6ED;
    unsigned damaged = 0;

    assert_int_equal(cos_store_read(&tree->rig.store, 0, good, sizeof good), COS_OK);
    for (unsigned round = 0; round < 4000; round++) {
        const uint32_t runs = 1 + sim_below(&seed, 6);
        struct cos_file_info info;
        for (uint32_t i = 0; i < runs; i++) {
            uint8_t noise[48];
            const uint32_t length = round % 2 == 0 ? 1 : 1 + sim_below(&seed, sizeof noise);
            /* The table of 24 entries ends at 3 x 216; the first heap extents follow. */
            const uint32_t at = 16 + sim_below(&seed, round % 3 == 0 ? 800 : 280);
            for (uint32_t k = 0; k < length; k++) {
                noise[k] = sim_below(&seed, 3) == 0 ? (uint8_t)sim_below(&seed, 6)
                                                    : (uint8_t)sim_random(&seed);
            }
            fs_rig_write(&tree->rig, at, noise, length);
        }
        for (cos_file i = 0; i < FS_TREE_FILES; i++) {
            damaged += cos_fs_info(tree->fs, i, &info) == COS_E_STORE_DAMAGED;
        }
        ask_everything(tree, &seed);
        if (round % 4 == 3) { /* else damage piles up */
            for (size_t at = 0; at < sizeof good; at += 200) {
                fs_rig_write(&tree->rig, (uint32_t)at, good + at, 200);
            }
        }
    }
    assert_true(damaged > 1000);
}

/* ---- An NVM that fails ---- */

/* One call of each kind on the undamaged tree. */
static enum cos_result one_call(struct fs_tree *tree, unsigned which,
                                const struct cos_file_info *df, const struct cos_file_info *ef)
{
    static const struct cos_span name = {(const uint8_t *)"\xC1", 1};
    static const struct cos_span path = {(const uint8_t *)"\x51\x00\x52\x00\x01\x05", 6};
    uint8_t bytes[256], conditions[COS_RULE_MAX];
    struct cos_writer writer = cos_writer(bytes, sizeof bytes);
    struct cos_file_info info;
    struct cos_fs other;
    struct cos_span found;
    size_t count;
    cos_file file;

    switch (which) {
    case 0:
        return cos_fs_mount(&other, &tree->rig.store, &tree->rig.config);
    case 1:
        return cos_fs_info(tree->fs, 5, &info);
    case 2:
        return cos_fs_find_child(tree->fs, 0, 0x0102, &file);
    case 3:
        return cos_fs_find_sfi(tree->fs, 2, 2, &file);
    case 4:
        return cos_fs_find_fid(tree->fs, 7, 0x0105, &file);
    case 5:
        return cos_fs_find_path(tree->fs, 0, path, &file);
    case 6:
        return cos_fs_find_name(tree->fs, name, &file);
    case 7:
        return cos_fs_attribute(tree->fs, df, 0x84, bytes, &found);
    case 8:
        return cos_fs_write_fcp(tree->fs, 2, &writer);
    case 9:
        return cos_fs_read(tree->fs, ef, 0, bytes, 32);
    case 10:
        return cos_fs_update(tree->fs, ef, 0, conditions, 0);
    case 11:
        return cos_fs_rule(tree->fs, df, COS_OPERATION_CREATE_EF, conditions, &count);
    default:
        return fs_rig_create(&tree->rig, 0, "820138 83026000 8401EE", &file);
    }
}

static void a_failing_nvm_is_reported(void **state)
{
    struct fs_tree *tree = *state;
    const struct cos_file_info df = fs_rig_info(&tree->rig, 2);
    const struct cos_file_info ef = fs_rig_info(&tree->rig, 3);

    for (unsigned which = 0; which <= 12; which++) {
        enum cos_result result = COS_E_NVM;
        uint64_t reads;
        for (reads = 0; result == COS_E_NVM; reads++) {
            assert_true(reads < 1000);
            tree->rig.reads_left = reads;
            if (which == 12) { /* a commit that failed wants a new start */
                tree->rig.reads_left = FS_RIG_NO_LIMIT;
                fs_rig_remount(&tree->rig);
                tree->rig.reads_left = reads;
            }
            result = one_call(tree, which, &df, &ef);
        }
        tree->rig.reads_left = FS_RIG_NO_LIMIT;
        /* A commit that could not read back what it wrote may be complete at the next start. */
        assert_true(result == COS_OK || (which == 12 && result == COS_E_FILE_EXISTS));
        assert_true(reads > 1 || which == 10);
    }
    fs_rig_remount(&tree->rig);
    assert_int_equal(fs_rig_info(&tree->rig, 11).fid, 0x6000);
}

/* Power goes while a file is created: an error, and no file. */
static void a_cut_during_creation_is_reported(void **state)
{
    struct fs_tree *tree = *state;
    struct cos_file_info info;
    cos_file file = 77;

    sim_power_cut(&tree->rig.power, 2, SIM_NOTHING, 1);
    assert_int_equal(fs_rig_create(&tree->rig, 0, "820138 83026000 8401EE", &file), COS_E_NVM);
    assert_int_equal(file, 77);
    fs_rig_remount(&tree->rig);
    assert_int_equal(cos_fs_info(tree->fs, 11, &info), COS_E_FILE_NOT_FOUND);
}

#define TREE_TEST(name) cmocka_unit_test_setup_teardown(name, fs_tree_plant, fs_tree_fell)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TREE_TEST(impossible_entries_are_reported),
        TREE_TEST(damage_across_entries_is_reported),
        TREE_TEST(random_damage_never_hangs_or_overruns),
        TREE_TEST(a_failing_nvm_is_reported),
        TREE_TEST(a_cut_during_creation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
