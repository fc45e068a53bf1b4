/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that are not what this layer writes: reported, never a hang, never out of bounds.
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

/* ---- Entries ---- */

/* Whoever meets the entry says so; nothing is written. */
static void check_reported(struct fs_tree *tree, cos_file file, const char *what)
{
    struct cos_file_info info;
    struct cos_fs fs; /* a start that knows nothing yet */
    cos_file made = 77;
    static const uint8_t df[] = {0x82, 0x01, 0x38, 0x83, 0x02, 0x60, 0x00};

    fs_rig_keep(&tree->rig);
    assert_int_equal(cos_fs_mount(&fs, &tree->rig.store, &tree->rig.config), COS_OK);
    if (cos_fs_info(&fs, file, &info) != COS_E_STORE_DAMAGED) {
        fail_msg("file %u: %s is taken", file, what);
    }
    assert_int_equal(cos_fs_create(&fs, 0, (struct cos_span){df, sizeof df}, &made),
                     COS_E_STORE_DAMAGED);
    assert_int_equal(cos_fs_delete(&fs, file == 0 ? 0 : tree->file[2]), COS_E_STORE_DAMAGED);
    assert_int_equal(cos_fs_set_life_cycle(&fs, file, COS_LCS_ACTIVATED), COS_E_STORE_DAMAGED);
    assert_int_equal(made, 77);
    fs_rig_check_kept(&tree->rig);
}

/* Bytes of an entry that no CREATE FILE writes. The heap of the tree is [1296, 5000). */
static void impossible_entries_are_reported(void **state)
{
    static const struct {
        unsigned file;
        uint32_t at;
        const char *bytes;
    } cases[] = {
        {0, 0, "5100"},                                        /* the MF is 3F00 */
        {0, 2, "0001"},                                        /* and its own parent */
        {0, 4, "01"},                                          /* and a DF */
        {3, 0, "3F00"},                                        /* nobody else is 3F00 */
        {3, 2, "0019"},                                        /* parent: outside */
        {3, 2, "FFFF"},     {3, 4, "00"},                      /* free, but not empty */
        {3, 4, "81"},                                          /* structures */
        {3, 4, "08"},       {3, 4, "FF"},        {3, 4, "38"}, /* a DF with an SFI */
        {3, 4, "02"},                                          /* no records */
        {3, 4, "04"},       {3, 4, "06"},        {3, 4, "39"}, /* no objects */
        {3, 5, "1F"},                                          /* SFI 31 */
        {3, 5, "FF"},       {3, 6, "00"},                      /* life cycle */
        {3, 6, "02"},       {3, 6, "06"},        {3, 6, "07"},       {3, 6, "0D"},
        {3, 6, "0F"},       {3, 6, "85"},        {3, 8, "00000000"}, /* in the superblock */
        {3, 8, "00000508"},                                          /* in the table */
        {3, 8, "00001388"},                                          /* behind the end: 5,000 */
        {3, 8, "00001370"},                                          /* reaches over the end */
        {3, 8, "FFFFFFF8"}, {3, 8, "00000601"},                      /* no multiple of eight */
        {3, 12, "81"},                                               /* 129 bytes of attributes */
        {3, 12, "FF"},      {3, 13, "02"}, /* in the vault, but with no number */
        {3, 13, "04"},      {3, 13, "FF"},       {3, 14, "0010"}, /* records of a transparent EF */
        {3, 16, "0001"},    {3, 14, "00040008"}, {3, 18, "0001"}, /* a number in the vault, but not
                                                                     there */
        {3, 20, "0000"},                                          /* size */
        {3, 20, "8001"},    {3, 20, "1380"},     {3, 20, "FFFF"},    {4, 14, "0000"}, /* records */
        {4, 14, "0013"},    {4, 16, "0000"},     {4, 16, "0006"},    {4, 14, "000100FF"},
        {4, 13, "01"},                       /* production record in records */
        {4, 13, "03"},      {4, 4, "06FF"},  /* SFI of a cyclic one */
        {4, 20, "0063"},    {2, 20, "0001"}, /* a DF with room for objects, but none */
        {2, 5, "01"},                        /* a DF's SFI, source, records */
        {2, 13, "01"},      {2, 14, "0001"},     {2, 16, "0001"},    {2, 16, "012C"},
        {2, 18, "0001"},
    };
    struct fs_tree *tree = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        const cos_file file = tree->file[cases[i].file];
        uint8_t bad[8], good[8];
        const uint32_t address = cos_table_address(tree->fs, file) + cases[i].at;
        const size_t length = fs_rig_hex(cases[i].bytes, bad, sizeof bad);
        assert_int_equal(cos_store_read(&tree->rig.store, address, good, length), COS_OK);
        fs_rig_write(&tree->rig, address, bad, length);
        check_reported(tree, file, cases[i].bytes);
        fs_rig_write(&tree->rig, address, good, length);
    }
    for (unsigned i = 0; i < FS_TREE_FILES; i++) { /* its own parent */
        const uint32_t address = cos_table_address(tree->fs, tree->file[i]) + 2;
        uint8_t own[2], good[2];
        assert_int_equal(cos_store_read(&tree->rig.store, address, good, 2), COS_OK);
        cos_put16(own, i == 0 ? tree->file[1] : tree->file[i]);
        fs_rig_write(&tree->rig, address, own, 2);
        check_reported(tree, tree->file[i], "its own parent");
        fs_rig_write(&tree->rig, address, good, 2);
    }
    fs_check(&tree->rig);
    printf("# %zu impossible entries reported\n", COUNT(cases) + FS_TREE_FILES);
}

/* ---- Across entries ---- */

static void write16(struct fs_tree *tree, uint32_t address, unsigned value)
{
    uint8_t bytes[2];

    cos_put16(bytes, (uint16_t)value);
    fs_rig_write(&tree->rig, address, bytes, sizeof bytes);
}

/* Parents that are EFs, that are free, that stand below their child. */
static void ways_up_that_end_nowhere_are_reported(void **state)
{
    struct fs_tree *tree = *state;
    const uint32_t at = cos_table_address(tree->fs, tree->file[5]) + 2;
    cos_file file = 77, unused = 1;
    bool below;

    while (cos_fs_info(tree->fs, unused, &(struct cos_file_info){0}) == COS_OK) {
        unused++;
    }
    const cos_file parents[] = {tree->file[1], unused, tree->file[7]};
    for (size_t i = 0; i < COUNT(parents); i++) {
        write16(tree, at, parents[i]);
        fs_rig_keep(&tree->rig);
        if (i < 2) {
            assert_int_equal(cos_fs_find_fid(tree->fs, tree->file[5], 0x6000, &file),
                             COS_E_STORE_DAMAGED);
        }
        assert_int_equal(cos_fs_is_below(tree->fs, tree->file[6], COS_FILE_MF, &below),
                         COS_E_STORE_DAMAGED);
        assert_int_equal(cos_fs_is_below(tree->fs, tree->file[6], tree->file[2], &below),
                         COS_E_STORE_DAMAGED);
        assert_int_equal(fs_rig_create(&tree->rig, tree->file[5], "820138 83026000", &file),
                         COS_E_STORE_DAMAGED);
        assert_int_equal(fs_rig_create(&tree->rig, tree->file[7], "820138 83026000", &file),
                         COS_E_STORE_DAMAGED);
        assert_int_equal(cos_fs_delete(tree->fs, tree->file[8]), COS_E_STORE_DAMAGED);
        fs_rig_check_kept(&tree->rig);
    }
    write16(tree, at, tree->file[2]);
    assert_int_equal(file, 77);
    fs_check(&tree->rig);
}

static void maps_that_lie_are_reported(void **state)
{
    struct fs_tree *tree = *state;
    const struct cos_file_info mf = fs_rig_info(&tree->rig, COS_FILE_MF);
    const uint32_t at = mf.address; /* SFI 1 of the MF */
    const unsigned bad[] = {25, 0xFFFF, 24, tree->file[3], tree->file[2], tree->file[9]};
    cos_file file = 77;

    for (size_t i = 0; i < COUNT(bad); i++) {
        write16(tree, at, bad[i]);
        assert_int_equal(cos_fs_find_sfi(tree->fs, COS_FILE_MF, 1, &file), COS_E_STORE_DAMAGED);
    }
    write16(tree, at, tree->file[1]);
    assert_int_equal(file, 77);
    fs_check(&tree->rig);
}

/* The name table is at 216; its first entry is F0000001 of DF 5100. */
static void impossible_names_are_reported(void **state)
{
    static const struct {
        uint32_t at;
        const char *bytes;
    } cases[] = {
        {0, "001A"},              /* files */
        {0, "FFFF"}, {0, "0000"}, /* free, but with a length */
        {2, "00"},                /* lengths */
        {2, "11"},   {2, "FF"},   {180, "000300"}, {180, "000005"},
    };
    struct fs_tree *tree = *state;
    static const struct cos_span names[] = {{(const uint8_t *)"\xF0", 1},
                                            {(const uint8_t *)"\xEE", 1}};
    cos_file file = 77;

    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t bad[4], good[4];
        const size_t length = fs_rig_hex(cases[i].bytes, bad, sizeof bad);
        assert_int_equal(cos_store_read(&tree->rig.store, 216 + cases[i].at, good, length), COS_OK);
        fs_rig_write(&tree->rig, 216 + cases[i].at, bad, length);
        fs_rig_keep(&tree->rig);
        for (unsigned occurrence = 1; occurrence < 8; occurrence++) {
            if (cos_fs_find_name(tree->fs, names[occurrence / 4],
                                 (enum cos_occurrence)(occurrence % 4 | (occurrence == 4)), 0,
                                 &file) != COS_E_STORE_DAMAGED) {
                fail_msg("name entry, offset %u: %s is taken", (unsigned)cases[i].at,
                         cases[i].bytes);
            }
        }
        assert_int_equal(fs_rig_create(&tree->rig, 0, "820138 83026000 8401EE", &file),
                         COS_E_STORE_DAMAGED);
        fs_rig_check_kept(&tree->rig);
        fs_rig_write(&tree->rig, 216 + cases[i].at, good, length);
    }
    /* A name of an EF, and of a file that is not there. */
    write16(tree, 216, tree->file[1] + 1U);
    assert_int_equal(cos_fs_find_name(tree->fs, names[0], COS_OCCURRENCE_FIRST, 0, &file),
                     COS_E_STORE_DAMAGED);
    write16(tree, 216, 24 + 1);
    assert_int_equal(cos_fs_find_name(tree->fs, names[0], COS_OCCURRENCE_FIRST, 0, &file),
                     COS_E_STORE_DAMAGED);
    assert_int_equal(file, 77);
    write16(tree, 216, tree->file[2] + 1U);
    fs_check(&tree->rig);
}

static void attributes_that_are_no_objects_are_reported(void **state)
{
    struct fs_tree *tree = *state;
    const struct cos_file_info info = fs_rig_info(&tree->rig, tree->file[2]);
    uint8_t bytes[256];
    struct cos_writer writer = cos_writer(bytes, sizeof bytes);
    struct cos_span found;

    fs_rig_write(&tree->rig, info.address + 1, (const uint8_t *)"\x7F", 1);
    assert_int_equal(cos_fs_write_fcp(tree->fs, &info, &writer), COS_E_STORE_DAMAGED);
    assert_int_equal(cos_fs_attribute(tree->fs, &info, 0x8C, bytes, &found), COS_E_STORE_DAMAGED);
    fs_rig_write(&tree->rig, info.address + 1, (const uint8_t *)"\x04", 1);
    assert_int_equal(cos_fs_write_fcp(tree->fs, &info, &writer), COS_OK);
}

/* ---- Links ---- */

static unsigned home_of(cos_file df, unsigned fid, unsigned pages)
{
    const uint32_t hash = ((uint32_t)df << 16 ^ fid) * 0x9E3779B1U;

    return (hash >> 16) * pages >> 16;
}

/* Two pages of table. Eleven files that belong to the first, of which three stand in the second. */
static void links_that_lead_astray_are_reported(void **state)
{
    struct fs_rig *rig = malloc(sizeof *rig);
    cos_file files[11], file = 77;
    unsigned count = 0, absent = 0;

    (void)state;
    fs_rig_open(rig, 4000, 16);
    (void)fs_rig_make(rig, COS_FILE_NONE, MF);
    const cos_file other = fs_rig_make(rig, COS_FILE_MF, "820101 83027000 800101 8800");
    assert_int_equal(home_of(0, 0x7000, 2), (other - 1) / 8);
    for (unsigned fid = 0x0100; absent == 0; fid++) {
        char fcp[64];
        snprintf(fcp, sizeof fcp, "820101 8302%04X 800101 8800", fid);
        if (home_of(0, fid, 2) == 0 && count < COUNT(files)) {
            files[count++] = fs_rig_make(rig, COS_FILE_MF, fcp);
        } else if (home_of(0, fid, 2) == 0) {
            absent = fid;
        }
    }
    fs_check(rig);
    const unsigned elsewhere = fs_check_elsewhere(rig);
    assert_in_range(elsewhere, 3, 4);
    const uint32_t page_link = 3 * 216 + 214; /* superblock, names (two pages), table */
    uint8_t link[2], good[2];
    assert_int_equal(cos_store_read(&rig->store, page_link, good, 2), COS_OK);
    assert_int_equal(cos_get16(good), files[10]); /* the newest first */
    const uint32_t last_link = cos_table_address(&rig->fs, files[11 - elsewhere]) + 22;
    const unsigned bad[] = {17,        0xFFFF,        files[0], /* outside, in the page itself */
                            files[10], 16 /* free */, other};
    for (unsigned where = 0; where < 2; where++) {
        const uint32_t at = where == 0 ? page_link : last_link;
        assert_int_equal(cos_store_read(&rig->store, at, good, 2), COS_OK);
        for (size_t i = 0; i < COUNT(bad); i++) {
            struct cos_file_info info;
            if (where == 0 && bad[i] == files[10]) {
                continue;
            }
            if (home_of(0, 0x7000, 2) == 0 && bad[i] == other) {
                continue;
            }
            cos_put16(link, (uint16_t)bad[i]);
            fs_rig_write(rig, at, link, 2);
            fs_rig_keep(rig);
            assert_int_equal(cos_fs_find_child(&rig->fs, 0, (uint16_t)absent, &file),
                             COS_E_STORE_DAMAGED);
            if (where == 0) { /* the way to a file that is to go */
                assert_int_equal(cos_fs_delete(&rig->fs, files[10]), COS_E_STORE_DAMAGED);
                assert_int_equal(cos_fs_info(&rig->fs, files[10], &info), COS_OK);
            }
            fs_rig_check_kept(rig);
            fs_rig_write(rig, at, good, 2);
        }
    }
    cos_put16(link, 0); /* a file that no link names */
    assert_int_equal(cos_store_read(&rig->store, page_link, good, 2), COS_OK);
    fs_rig_write(rig, page_link, link, 2);
    assert_int_equal(cos_fs_delete(&rig->fs, files[10]), COS_E_STORE_DAMAGED);
    fs_rig_write(rig, page_link, good, 2);
    fs_check(rig);
    assert_int_equal(file, 77);
    fs_rig_close(rig);
    free(rig);
}

/* ---- Random damage ---- */

/* Everything that reads or writes, on whatever is there: it returns, and with no other error. */
static bool is_expected(enum cos_result result)
{
    return result == COS_OK || result == COS_E_STORE_DAMAGED || result == COS_E_FILE_NOT_FOUND ||
           result == COS_E_FILE_STRUCTURE || result == COS_E_OFFSET ||
           result == COS_E_REFERENCE_NOT_FOUND || result == COS_E_RECORD_NOT_FOUND ||
           result == COS_E_FILE_EXISTS || result == COS_E_NAME_EXISTS ||
           result == COS_E_MEMORY_FULL || result == COS_E_DATA || result == COS_E_CONDITIONS ||
           result == COS_E_MEMORY_FAILURE;
}

static void ask_of_file(struct fs_tree *tree, const struct cos_file_info *info, uint64_t *seed)
{
    uint8_t attributes[COS_FS_ATTRIBUTES_MAX], rule[COS_RULE_MAX], data[64] = {0}, fcp[256];
    struct cos_span found;
    struct cos_record record;
    struct cos_writer writer = cos_writer(rule, sizeof rule);
    const struct cos_access access = {.operation = COS_OPERATION_READ};
    const uint32_t offset = sim_below(seed, info->size + 2);

    assert_true(is_expected(cos_fs_attribute(tree->fs, info, 0x84, attributes, &found)));
    assert_true(is_expected(cos_fs_rule(tree->fs, info, &access, &writer)));
    assert_true(is_expected(cos_fs_record(tree->fs, info, 1 + sim_below(seed, 5), &record)));
    assert_true(is_expected(cos_fs_object(tree->fs, info, sim_below(seed, 3), &record)));
    assert_true(is_expected(cos_fs_read(tree->fs, info, offset, data, sim_below(seed, 64))));
    writer = cos_writer(fcp, sizeof fcp);
    assert_true(is_expected(cos_fs_write_fcp(tree->fs, info, &writer)));
    assert_true(is_expected(cos_fs_update(tree->fs, info, offset, data, sim_below(seed, 64))));
    assert_true(is_expected(cos_fs_erase(tree->fs, info, 0, offset)));
}

static void ask_everything(struct fs_tree *tree, uint64_t *seed)
{
    struct cos_file_info info;
    cos_file file;
    bool below;
    uint32_t cursor = 0;
    enum cos_result result;
    static const struct cos_span path = {(const uint8_t *)"\x51\x00\x52\x00\x51\x00\x77\x77", 8};

    for (cos_file i = 0; i <= 25; i++) {
        result = cos_fs_info(tree->fs, i, &info);
        assert_true(is_expected(result));
        if (result == COS_OK) {
            ask_of_file(tree, &info, seed);
        }
        assert_true(is_expected(cos_fs_find_child(tree->fs, i, 0x7777, &file)));
        assert_true(
            is_expected(cos_fs_find_sfi(tree->fs, i, (uint8_t)(1 + sim_below(seed, 30)), &file)));
        assert_true(is_expected(cos_fs_find_fid(tree->fs, i, 0x7777, &file)));
        assert_true(is_expected(cos_fs_find_path(tree->fs, i, path, &file)));
        assert_true(
            is_expected(cos_fs_is_below(tree->fs, i, (cos_file)sim_below(seed, 26), &below)));
    }
    do {
        result = cos_fs_next(tree->fs, &cursor, &file, &info);
        assert_true(cursor <= 25 && (is_expected(result) || result == COS_E_END_OF_DATA));
    } while (result != COS_E_END_OF_DATA);
    for (unsigned i = 0; i < 8; i++) {
        const uint8_t byte = (uint8_t)sim_random(seed);
        assert_true(is_expected(cos_fs_find_name(tree->fs, (struct cos_span){&byte, 1},
                                                 (enum cos_occurrence)(i % 4),
                                                 (cos_file)sim_below(seed, 26), &file)));
    }
    assert_true(is_expected(fs_rig_create(&tree->rig, (cos_file)sim_below(seed, 24),
                                          "820138 83027778 8402EEEE", &file)));
    assert_true(is_expected(
        cos_fs_set_life_cycle(tree->fs, (cos_file)sim_below(seed, 26), COS_LCS_ACTIVATED)));
    assert_true(is_expected(cos_fs_delete(tree->fs, (cos_file)sim_below(seed, 26))));
    assert_true(is_expected(cos_fs_prepare_delete(tree->fs, (cos_file)sim_below(seed, 26), 1)));
    assert_true(is_expected(cos_fs_finish(tree->fs, sim_below(seed, 2) == 0)));
}

/* Random bytes over note, tables and heap, by ones and by runs; then a start and all calls. */
static void random_damage_never_hangs_or_overruns(void **state)
{
    struct fs_tree *tree = *state;
    const struct fs_rig good = tree->rig;
    struct sim_snapshot cells = {0};
    uint64_t seed = 0xDA3A6ED;
    unsigned damaged = 0, mounted = 0;

    sim_nvm_save(&tree->rig.sim, &cells);
    for (unsigned round = 0; round < 6000; round++) {
        const uint32_t runs = 1 + sim_below(&seed, 6);
        struct cos_file_info info;
        if (round % 4 == 0) { /* else damage piles up */
            tree->rig = good;
            sim_nvm_restore(&tree->rig.sim, &cells);
        }
        for (uint32_t i = 0; i < runs; i++) {
            uint8_t noise[48];
            static const uint32_t places[] = {16, 32, 216, 648, 648, 648, 864, 1080, 1296};
            const uint32_t length = round % 2 == 0 ? 1 : 1 + sim_below(&seed, sizeof noise);
            const uint32_t at = places[sim_below(&seed, COUNT(places))] + sim_below(&seed, 200);
            for (uint32_t k = 0; k < length; k++) {
                noise[k] = sim_below(&seed, 3) != 0 ? (uint8_t)sim_below(&seed, 26)
                                                    : (uint8_t)sim_random(&seed);
            }
            fs_rig_write(&tree->rig, at, noise, length);
        }
        const enum cos_result result = cos_fs_mount(tree->fs, &tree->rig.store, &tree->rig.config);
        assert_true(result == COS_OK || result == COS_E_STORE_DAMAGED);
        mounted += result == COS_OK;
        if (result != COS_OK) { /* as if the note had never been read */
            tree->fs->pending = (struct cos_fs_pending){.kind = COS_FS_NOTHING};
        }
        for (cos_file i = 0; i < 25; i++) {
            damaged += cos_fs_info(tree->fs, i, &info) == COS_E_STORE_DAMAGED;
        }
        ask_everything(tree, &seed);
    }
    assert_true(damaged > 1000 && mounted > 1000 && mounted < 6000);
    sim_snapshot_free(&cells);
    printf("# 6,000 times random damage: %u times a start, %u entries reported\n", mounted,
           damaged);
}

/* ---- An NVM that fails ---- */

/* One call of each kind on the undamaged tree. */
static enum cos_result one_call(struct fs_tree *tree, unsigned which,
                                const struct cos_file_info *df, const struct cos_file_info *ef)
{
    static const struct cos_span name = {(const uint8_t *)"\xC1", 1};
    static const struct cos_span path = {(const uint8_t *)"\x51\x00\x52\x00\x01\x05", 6};
    const struct cos_access access = {.operation = COS_OPERATION_CREATE_EF};
    uint8_t bytes[256], rule[COS_RULE_MAX];
    struct cos_writer writer = cos_writer(which == 8 ? bytes : rule, sizeof rule);
    struct cos_file_info info;
    struct cos_fs other;
    struct cos_span found;
    uint32_t cursor = 0;
    bool below;
    cos_file file;

    switch (which) {
    case 0:
        return cos_fs_mount(&other, &tree->rig.store, &tree->rig.config);
    case 1:
        return cos_fs_info(tree->fs, tree->file[5], &info);
    case 2:
        return cos_fs_find_child(tree->fs, 0, 0x0102, &file);
    case 3:
        return cos_fs_find_sfi(tree->fs, tree->file[2], 2, &file);
    case 4:
        return cos_fs_find_fid(tree->fs, tree->file[7], 0x0105, &file);
    case 5:
        return cos_fs_find_path(tree->fs, 0, path, &file);
    case 6:
        return cos_fs_find_name(tree->fs, name, COS_OCCURRENCE_LAST, 0, &file);
    case 7:
        return cos_fs_attribute(tree->fs, df, 0x84, bytes, &found);
    case 8:
        return cos_fs_write_fcp(tree->fs, df, &writer);
    case 9:
        return cos_fs_read(tree->fs, ef, 0, bytes, 32);
    case 10:
        return cos_fs_rule(tree->fs, df, &access, &writer);
    case 11:
        return cos_fs_is_below(tree->fs, tree->file[7], 0, &below);
    case 12:
        return cos_fs_next(tree->fs, &cursor, &file, &info);
    case 13:
        return fs_rig_create(&tree->rig, 0, "820138 83026000 8401EE", &file);
    case 14:
        return cos_fs_set_life_cycle(tree->fs, tree->file[1], COS_LCS_DEACTIVATED);
    case 15:
        return cos_fs_erase(tree->fs, ef, 0, 32);
    default:
        return cos_fs_delete(tree->fs, tree->file[2]);
    }
}

static void a_failing_nvm_is_reported(void **state)
{
    struct fs_tree *tree = *state;
    const struct cos_file_info df = fs_rig_info(&tree->rig, tree->file[2]);
    const struct cos_file_info ef = fs_rig_info(&tree->rig, tree->file[3]);

    for (unsigned which = 0; which <= 16; which++) {
        enum cos_result result = COS_E_NVM;
        const bool writes = which >= 13;
        uint64_t reads;
        for (reads = 0; result == COS_E_NVM; reads++) {
            assert_true(reads < 5000);
            tree->rig.reads_left = FS_RIG_NO_LIMIT;
            if (writes) { /* a commit that failed wants a new start */
                fs_rig_remount(&tree->rig);
                fs_check(&tree->rig);
            }
            tree->rig.reads_left = reads;
            result = one_call(tree, which, &df, &ef);
        }
        tree->rig.reads_left = FS_RIG_NO_LIMIT;
        /* A commit that could not read back what it wrote may be complete at the next start. */
        assert_true(result == COS_OK || (which == 13 && result == COS_E_FILE_EXISTS) ||
                    (which == 16 && result == COS_E_FILE_NOT_FOUND));
        assert_true(reads > 1);
    }
    fs_rig_remount(&tree->rig);
    cos_file file;
    assert_int_equal(cos_fs_find_child(tree->fs, 0, 0x6000, &file), COS_OK);
    assert_int_equal(cos_fs_find_child(tree->fs, 0, 0x5100, &file), COS_E_FILE_NOT_FOUND);
    fs_check(&tree->rig);
}

#define TREE_TEST(name) cmocka_unit_test_setup_teardown(name, fs_tree_plant, fs_tree_fell)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TREE_TEST(impossible_entries_are_reported),
        TREE_TEST(ways_up_that_end_nowhere_are_reported),
        TREE_TEST(maps_that_lie_are_reported),
        TREE_TEST(impossible_names_are_reported),
        TREE_TEST(attributes_that_are_no_objects_are_reported),
        cmocka_unit_test(links_that_lead_astray_are_reported),
        TREE_TEST(random_damage_never_hangs_or_overruns),
        TREE_TEST(a_failing_nvm_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
