/* SPDX-License-Identifier: Apache-2.0
 *
 * The file system as a whole: mounting, formatting, the documented bytes, where files may be
 * created, and what happens when it is full.
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

/* ---- Mounting and formatting ---- */

static void a_blank_space_is_formatted_once(void **state)
{
    struct fs_rig *rig = malloc(sizeof *rig);
    cos_file file = 7;
    uint64_t before;

    (void)state;
    fs_rig_open_blank(rig, 0, 3000, 10);
    assert_int_equal(cos_fs_mount(&rig->fs, &rig->store, &rig->config), COS_E_STORE_BLANK);
    assert_int_equal(cos_fs_find_fid(&rig->fs, COS_FILE_MF, 0x3F00, &file), COS_E_FILE_NOT_FOUND);
    before = rig->sim.counts.page_programs;
    assert_int_equal(cos_fs_format(&rig->fs), COS_OK);
    assert_int_equal(rig->sim.counts.page_programs - before, 1);
    fs_rig_remount(rig);
    assert_int_equal(cos_fs_find_fid(&rig->fs, COS_FILE_MF, 0x3F00, &file), COS_E_FILE_NOT_FOUND);
    assert_int_equal(file, 7);

    (void)fs_rig_make(rig, COS_FILE_MF, MF);
    fs_rig_keep(rig);
    assert_int_equal(cos_fs_format(&rig->fs), COS_E_CONDITIONS);
    fs_rig_check_kept(rig);
    fs_rig_close(rig);
    free(rig);
}

static void another_superblock_is_damage(void **state)
{
    static const struct cos_fs_config others[] = {
        {.start = 0, .size = 2999, .files = 10},
        {.start = 0, .size = 3000, .files = 11},
        {.start = 1, .size = 3000, .files = 10},
    };
    struct fs_rig *rig = malloc(sizeof *rig);
    struct cos_fs other;

    (void)state;
    fs_rig_open(rig, 3000, 10);
    (void)fs_rig_make(rig, COS_FILE_MF, MF);
    for (size_t i = 0; i < COUNT(others); i++) {
        assert_int_equal(cos_fs_mount(&other, &rig->store, &others[i]), COS_E_STORE_DAMAGED);
    }
    for (uint32_t at = 0; at < 16; at++) {
        uint8_t good, bad;
        assert_int_equal(cos_store_read(&rig->store, at, &good, 1), COS_OK);
        bad = good ^ 0x10;
        fs_rig_write(rig, at, &bad, 1);
        assert_int_equal(cos_fs_mount(&other, &rig->store, &rig->config), COS_E_STORE_DAMAGED);
        fs_rig_keep(rig);
        assert_int_equal(cos_fs_format(&other), COS_E_STORE_DAMAGED);
        fs_rig_check_kept(rig);
        fs_rig_write(rig, at, &good, 1);
        assert_int_equal(cos_fs_mount(&other, &rig->store, &rig->config), COS_OK);
    }
    fs_rig_close(rig);
    free(rig);
}

static void configs_that_do_not_fit_are_our_own_bug(void **state)
{
    static const struct cos_fs_config bad[] = {
        {.start = 0, .size = 3000, .files = 0},
        {.start = 0, .size = 3000, .files = 4097},
        {.start = 0, .size = 1000000, .files = 10},
        {.start = 3000, .size = 3000, .files = 10},
        {.start = 0xFFFFFF00, .size = 0x00000200, .files = 1},
        {.start = 0, .size = 0, .files = 1},
        {.start = 0, .size = 39, .files = 1},
        {.start = 0, .size = 216 + 23, .files = 9}, /* the ninth entry goes to the second page */
    };
    struct fs_rig *rig = malloc(sizeof *rig);
    struct cos_fs fs;
    struct cos_fs_config good = {.start = 0, .size = 216 + 24, .files = 9};

    (void)state;
    fs_rig_open_blank(rig, 0, 3000, 10);
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(cos_fs_mount(&fs, &rig->store, &bad[i]), COS_E_INVARIANT);
    }
    assert_int_equal(cos_fs_mount(&fs, &rig->store, &good), COS_E_STORE_BLANK);
    good.size = 300;
    rig->store.payload = 24;
    assert_int_equal(cos_fs_mount(&fs, &rig->store, &good), COS_E_STORE_BLANK);
    rig->store.payload = 23; /* a page that no entry fits into */
    assert_int_equal(cos_fs_mount(&fs, &rig->store, &good), COS_E_INVARIANT);
    fs_rig_close(rig);
    free(rig);
}

/* ---- The bytes, as docs/formats.md has them ---- */

/* The fenced block after a line "<!-- example: NAME -->". */
static bool example_from(const char *document, const char *name, char *text, size_t capacity)
{
    char line[512], marker[64];
    unsigned stage = 0;
    FILE *file = fopen(document, "r");

    text[0] = '\0';
    snprintf(marker, sizeof marker, "<!-- example: %s -->", name);
    while (file != NULL && stage < 3 && fgets(line, sizeof line, file) != NULL) {
        if (stage == 0) {
            stage = strncmp(line, marker, strlen(marker)) == 0;
        } else if (strncmp(line, "```", 3) == 0) {
            stage++;
        } else if (stage == 2) {
            assert_true(strlen(text) + strlen(line) < capacity);
            strcat(text, line);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return stage == 3;
}

static void read_example(const char *name, char *text, size_t capacity)
{
    if (!example_from("docs/formats.md", name, text, capacity)) {
        fail_msg("no example %s in docs/formats.md", name);
    }
}

static void the_documented_example_is_what_is_written(void **state)
{
    static const cos_file parents[] = {0, 0, 1, 1};
    char text[2048];
    uint8_t wanted[512], found[512];
    size_t length, files = 0;
    struct fs_rig *rig = malloc(sizeof *rig);

    (void)state;
    fs_rig_open(rig, 2048, 4);
    read_example("file-create", text, sizeof text);
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        assert_true(files < COUNT(parents));
        assert_int_equal(fs_rig_make(rig, parents[files], line), files);
        files++;
    }
    assert_int_equal(files, 4);
    const struct cos_file_info records = fs_rig_info(rig, 3);
    uint32_t offset;
    assert_int_equal(cos_fs_record(&records, 2, &offset), COS_OK);
    assert_int_equal(cos_fs_update(&rig->fs, &records, offset + 2, (const uint8_t *)"\xAA\xBB", 2),
                     COS_OK);

    read_example("file-table", text, sizeof text);
    length = fs_rig_hex(text, wanted, sizeof wanted);
    assert_int_equal(length, 16 + 4 * 24 + 11 + 5 + 16 + 8);
    assert_int_equal(cos_store_read(&rig->store, 0, found, length), COS_OK);
    assert_memory_equal(found, wanted, length);
    fs_rig_close(rig);
    free(rig);
}

/* Entry 8 would cross the border of the first page (216 bytes), so it begins at the border; so do
 * attributes. */
static void neither_entries_nor_attributes_cross_a_page(void **state)
{
    unsigned exact = 0; /* attributes that end at a border */
    static const uint32_t starts[] = {0, 1, 100, 176, 177, 199, 200, 201, 215, 216, 500};

    (void)state;
    for (size_t i = 0; i < COUNT(starts); i++) {
        struct fs_rig *rig = malloc(sizeof *rig);
        uint32_t entry = starts[i] + 16, heap = entry;
        fs_rig_open_blank(rig, starts[i], 6000, 40);
        assert_int_equal(cos_fs_mount(&rig->fs, &rig->store, &rig->config), COS_E_STORE_BLANK);
        assert_int_equal(cos_fs_format(&rig->fs), COS_OK);
        for (unsigned file = 0; file < 40; file++) { /* where the heap begins */
            if (heap % FS_RIG_PAYLOAD + 24 > FS_RIG_PAYLOAD) {
                heap += FS_RIG_PAYLOAD - heap % FS_RIG_PAYLOAD;
            }
            heap += 24;
        }
        for (unsigned file = 0; file < 40; file++) {
            char fcp[96];
            uint8_t fid[2];
            uint64_t before = rig->sim.counts.page_programs, programs;
            snprintf(fcp, sizeof fcp, "820138 8302%04X 8409 F0F1F2F3F4F5F6F7%02X A503 8001%02X",
                     file == 0 ? 0x3F00U : 0x5000 + file, file, file);
            assert_int_equal(fs_rig_make(rig, COS_FILE_MF, fcp), file);
            programs = rig->sim.counts.page_programs - before;
            assert_true(programs == 1 || programs == 2);
            if (entry % FS_RIG_PAYLOAD + 24 > FS_RIG_PAYLOAD) {
                entry += FS_RIG_PAYLOAD - entry % FS_RIG_PAYLOAD;
            }
            assert_int_equal(cos_store_read(&rig->store, entry, fid, 2), COS_OK);
            assert_int_equal(cos_get16(fid), file == 0 ? 0x3F00U : 0x5000 + file);
            const struct cos_file_info info = fs_rig_info(rig, (cos_file)file);
            assert_int_equal(info.attributes_length, 16);
            if (heap % FS_RIG_PAYLOAD + 16 > FS_RIG_PAYLOAD) {
                heap += FS_RIG_PAYLOAD - heap % FS_RIG_PAYLOAD;
            }
            exact += heap % FS_RIG_PAYLOAD + 16 == FS_RIG_PAYLOAD;
            assert_int_equal(info.address, heap);
            heap += 16;
            entry += 24;
        }
        fs_rig_close(rig);
        free(rig);
    }
    assert_true(exact > 0);
}

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
          {5, "820101 83020102 800101", COS_E_FILE_NOT_FOUND},
          {0xFFFF, "820101 83020102 800101", COS_E_FILE_NOT_FOUND},
      };
    struct fs_rig *rig = malloc(sizeof *rig);
    cos_file file = 99;

    (void)state;
    fs_rig_open(rig, 2000, 4);
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

static void full_by_table_entries(void **state)
{
    static const uint16_t tables[] = {1, 2, 8, 9, 17, 18, 30};

    (void)state;
    for (size_t i = 0; i < COUNT(tables); i++) {
        struct fs_rig *rig = malloc(sizeof *rig);
        cos_file file = 0;
        fs_rig_open(rig, 3000, tables[i]);
        (void)fs_rig_make(rig, COS_FILE_MF, MF);
        for (unsigned n = 1; n < tables[i]; n++) {
            char fcp[64];
            snprintf(fcp, sizeof fcp, "820101 83020%03X 800101", n);
            assert_int_equal(fs_rig_make(rig, COS_FILE_MF, fcp), n);
        }
        fs_rig_keep(rig);
        assert_int_equal(fs_rig_create(rig, COS_FILE_MF, "820101 83022000 800101", &file),
                         COS_E_MEMORY_FULL);
        fs_rig_check_kept(rig);
        assert_int_equal(fs_rig_create(rig, COS_FILE_MF, "820138 83022000", &file),
                         COS_E_MEMORY_FULL);
        if (tables[i] > 1) { /* what is wrong in the request comes first */
            assert_int_equal(fs_rig_create(rig, COS_FILE_MF, "820101 83020001 800101", &file),
                             COS_E_FILE_EXISTS);
        }
        fs_rig_close(rig);
        free(rig);
    }
}

/* 1,000 bytes: superblock 16, four entries 96, so 888 of heap. */
static void full_by_heap(void **state)
{
    static const struct {
        const char *fcps[2];
        const char *over;
    } cases[] = {
        {{"820101 83020101 80020378"}, "820101 83020102 800101"}, /* 888 */
        {{NULL}, "820101 83020101 80020379"},                     /* 889 */
        {{NULL}, "820101 83020101 80027FFF"},
        {{"820101 83020101 80020377"}, "820101 83020102 80020002"},
        {{"820101 83020101 80020377"}, "820138 83020102 A500"}, /* attributes need room too */
        {{"820101 83020101 80020376", "820138 83020102 A500"}, "820101 83020103 800101"},
        {{"820101 83020101 80020364 8C03039000"}, "820101 83020102 80020010"}, /* 868 + 5 + 16 */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fs_rig *rig = malloc(sizeof *rig);
        cos_file file = 0;
        fs_rig_open(rig, 1000, 4);
        (void)fs_rig_make(rig, COS_FILE_MF, MF);
        for (size_t n = 0; n < 2 && cases[i].fcps[n] != NULL; n++) {
            (void)fs_rig_make(rig, COS_FILE_MF, cases[i].fcps[n]);
        }
        fs_rig_keep(rig);
        assert_int_equal(fs_rig_create(rig, COS_FILE_MF, cases[i].over, &file), COS_E_MEMORY_FULL);
        fs_rig_check_kept(rig);
        fs_rig_close(rig);
        free(rig);
    }
}

/* A production record takes no heap but its attributes. */
static void production_records_take_no_heap(void **state)
{
    struct fs_rig *rig = malloc(sizeof *rig);

    (void)state;
    fs_rig_open(rig, 1000, 8);
    (void)fs_rig_make(rig, COS_FILE_MF, MF);
    const cos_file record = fs_rig_make(rig, COS_FILE_MF, "820101 83022F02 80027FFF 850101");
    const cos_file next = fs_rig_make(rig, COS_FILE_MF, "820101 83020101 800110");
    assert_int_equal(fs_rig_info(rig, record).size, 0x7FFF);
    assert_int_equal(fs_rig_info(rig, record).source, COS_FS_SOURCE_PRODUCTION);
    assert_int_equal(fs_rig_info(rig, next).address, fs_rig_info(rig, record).address + 3);
    fs_rig_close(rig);
    free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_blank_space_is_formatted_once),
        cmocka_unit_test(another_superblock_is_damage),
        cmocka_unit_test(configs_that_do_not_fit_are_our_own_bug),
        cmocka_unit_test(the_documented_example_is_what_is_written),
        cmocka_unit_test(neither_entries_nor_attributes_cross_a_page),
        cmocka_unit_test(the_mf_comes_first_and_once),
        cmocka_unit_test(full_by_table_entries),
        cmocka_unit_test(full_by_heap),
        cmocka_unit_test(production_records_take_no_heap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
