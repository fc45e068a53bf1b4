/* SPDX-License-Identifier: Apache-2.0
 *
 * The file system as a whole: mounting, formatting, what the superblock notes, the documented
 * bytes.
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
        {.start = 0, .size = 2999, .files = 10, .names = 16},
        {.start = 0, .size = 3000, .files = 11, .names = 16},
        {.start = 0, .size = 3000, .files = 10, .names = 15},
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

/* Superblock, one page of names, one of the table, and a heap that may be empty. */
static void configs_that_do_not_fit_are_our_own_bug(void **state)
{
    static const struct cos_fs_config bad[] = {
        {.start = 0, .size = 3000, .files = 0, .names = 1},
        {.start = 0, .size = 3000, .files = 4097, .names = 1},
        {.start = 0, .size = 3000, .files = 10, .names = 0},
        {.start = 0, .size = 3000, .files = 10, .names = 256},
        {.start = 0, .size = 1000000, .files = 10, .names = 1},
        {.start = 1, .size = 2000, .files = 10, .names = 1},
        {.start = 215, .size = 2000, .files = 10, .names = 1},
        {.start = 3024, .size = 3000, .files = 10, .names = 1},
        {.start = 0xFFFFFF60, .size = 0x00000200, .files = 1, .names = 1},
        {.start = 0, .size = 0, .files = 1, .names = 1},
        {.start = 0, .size = 3 * 216 - 1, .files = 1, .names = 1},
        {.start = 0, .size = 4 * 216 - 1, .files = 9, .names = 1},  /* the ninth: one more page */
        {.start = 0, .size = 4 * 216 - 1, .files = 8, .names = 11}, /* the eleventh as well */
        {.start = 0, .size = 3000, .files = 4096, .names = 1},
    };
    static const struct cos_fs_config good[] = {
        {.start = 0, .size = 3 * 216, .files = 8, .names = 10},
        {.start = 216, .size = 3 * 216, .files = 8, .names = 10},
        {.start = 0, .size = 4 * 216, .files = 16, .names = 10},
        {.start = 0, .size = 4 * 216, .files = 8, .names = 20},
        {.start = 0, .size = 3024, .files = 96, .names = 1},
    };
    static const uint16_t bad_payloads[] = {48, 55, 57, 60, 63, 220};
    struct fs_rig *rig = malloc(sizeof *rig);
    struct cos_fs fs;

    (void)state;
    fs_rig_open_blank(rig, 0, 3000, 10);
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (cos_fs_mount(&fs, &rig->store, &bad[i]) != COS_E_INVARIANT) {
            fail_msg("config %zu is taken", i);
        }
    }
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_int_equal(cos_fs_mount(&fs, &rig->store, &good[i]), COS_E_STORE_BLANK);
    }
    for (size_t i = 0; i < COUNT(bad_payloads);
         i++) { /* no room for the MF, or no whole granules */
        rig->store.payload = bad_payloads[i];
        assert_int_equal(cos_fs_mount(&fs, &rig->store, &good[0]), COS_E_INVARIANT);
    }
    rig->store.payload = 56;
    assert_int_equal(cos_fs_mount(&fs, &rig->store, &good[0]), COS_E_STORE_BLANK);
    rig->store.payload = 4096; /* the largest table */
    rig->store.logical_pages = 40;
    assert_int_equal(
        cos_fs_mount(&fs, &rig->store,
                     &(struct cos_fs_config){.size = 40 * 4096, .files = 4096, .names = 255}),
        COS_E_STORE_BLANK);
    rig->store.payload = FS_RIG_PAYLOAD;
    rig->store.config.reserve = COS_STORE_SLACK + 2; /* transactions of two pages */
    assert_int_equal(cos_fs_mount(&fs, &rig->store, &good[0]), COS_E_INVARIANT);
    fs_rig_close(rig);
    free(rig);
}

/* Page numbers have 16 bits; a file system that reaches behind the last one must not wrap round. */
static void a_file_system_at_the_end_of_a_large_store_does_not_wrap(void **state)
{
    struct fs_rig *rig = malloc(sizeof *rig);
    struct cos_fs_config config = {.size = 400 * 216, .files = 4096, .names = 255};
    struct cos_fs fs;

    (void)state;
    fs_rig_open_blank(rig, 0, 3000, 10);
    rig->store.logical_pages = 65000;
    config.start = (65000U - 400U) * 216U;
    assert_int_equal(cos_fs_mount(&fs, &rig->store, &config), COS_E_INVARIANT);
    config.start = 65400U * 216U;
    rig->store.logical_pages = 65535;
    config.size = 135 * 216;
    assert_int_equal(cos_fs_mount(&fs, &rig->store, &config), COS_E_INVARIANT);
    fs_rig_close(rig);
    free(rig);
}

/* ---- What the superblock notes ---- */

static void impossible_notes_are_damage(void **state)
{
    static const struct {
        const char *note; /* kind, 00, file, transaction, address, length */
        enum cos_result result;
    } cases[] = {
        {"00 00 0000 00000000 00000000 00000000", COS_OK},
        {"06 00 0001 00000001 00000000 00000000", COS_E_STORE_DAMAGED}, /* kinds */
        {"80 00 0001 00000001 00000000 00000000", COS_E_STORE_DAMAGED},
        {"FF 00 0001 00000001 00000000 00000000", COS_E_STORE_DAMAGED},
        {"01 00 0000 00000000 00000000 00000000", COS_E_STORE_DAMAGED}, /* the MF stays */
        {"05 00 0000 00000000 00000001 00000001", COS_E_STORE_DAMAGED}, /* and has no records */
        {"05 00 0010 00000000 00000001 00000001", COS_E_STORE_DAMAGED}, /* a free entry */
        {"03 00 0000 00000001 00000000 00000000", COS_E_STORE_DAMAGED},
        {"04 00 0000 00000001 00000000 00000000", COS_E_STORE_DAMAGED},
        {"01 00 0011 00000000 00000000 00000000", COS_E_STORE_DAMAGED}, /* two pages: 16 entries */
        {"03 00 FFFF 00000001 00000000 00000000", COS_E_STORE_DAMAGED},
        {"01 00 0010 00000000 00000000 00000000", COS_E_STORE_DAMAGED}, /* a free entry */
        {"03 00 0010 00000001 00000000 00000000", COS_E_STORE_DAMAGED},
        {"04 00 0010 00000001 00000000 00000000", COS_E_STORE_DAMAGED},
        {"02 00 0000 00000000 00000437 00000001", COS_E_STORE_DAMAGED}, /* before the heap */
        {"02 00 0000 00000000 00000000 00000010", COS_E_STORE_DAMAGED},
        {"02 00 0000 00000000 00000BB9 00000000", COS_E_STORE_DAMAGED}, /* behind it */
        {"02 00 0000 00000000 00000BB8 00000001", COS_E_STORE_DAMAGED},
        {"02 00 0000 00000000 00000BB7 00000002", COS_E_STORE_DAMAGED},
        {"02 00 0000 00000000 00000438 FFFFFFFF", COS_E_STORE_DAMAGED},
        {"02 00 0000 00000000 FFFFFFFF 00000001", COS_E_STORE_DAMAGED},
        {"02 00 0000 00000000 00000438 00000780", COS_OK}, /* all of it */
        {"02 00 0000 00000000 00000BB8 00000000", COS_OK},
    };
    struct fs_rig *rig = malloc(sizeof *rig);

    (void)state;
    fs_rig_open(rig, 3000, 10);
    (void)fs_rig_make(rig, COS_FILE_MF, MF);
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t note[16];
        struct cos_fs fs;
        assert_int_equal(fs_rig_hex(cases[i].note, note, sizeof note), 16);
        fs_rig_write(rig, 16, note, sizeof note);
        fs_rig_keep(rig);
        if (cos_fs_mount(&fs, &rig->store, &rig->config) != cases[i].result) {
            fail_msg("note %s", cases[i].note);
        }
        if (cases[i].result != COS_OK) {
            fs_rig_check_kept(rig);
        } else {
            uint8_t done[16];
            static const uint8_t nothing[16];
            assert_int_equal(cos_store_read(&rig->store, 16, done, sizeof done), COS_OK);
            assert_memory_equal(done, nothing, sizeof done);
        }
    }
    fs_rig_close(rig);
    free(rig);
}

static void records_that_are_noted_are_there(void **state)
{
    static const struct {
        uint32_t first, last;
        enum cos_result result;
    } cases[] = {
        {0, 1, COS_E_STORE_DAMAGED},
        {1, 3, COS_E_STORE_DAMAGED},
        {1, 0xFFFFFFFF, COS_E_STORE_DAMAGED},
        {2, 1, COS_OK},
        {2, 2, COS_OK},
        {1, 2, COS_OK},
    };
    struct fs_rig *rig = malloc(sizeof *rig);

    (void)state;
    fs_rig_open(rig, 3000, 10);
    (void)fs_rig_make(rig, COS_FILE_MF, MF);
    const cos_file file = fs_rig_make(rig, COS_FILE_MF, "82050221000402 83020101");
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct cos_fs_pending note = {.kind = COS_FS_ERASING_RECORDS,
                                            .file = file,
                                            .address = cases[i].first,
                                            .length = cases[i].last};
        uint8_t bytes[16];
        cos_pending_put(bytes, &note);
        fs_rig_write(rig, 16, bytes, sizeof bytes);
        assert_int_equal(cos_fs_mount(&rig->fs, &rig->store, &rig->config), cases[i].result);
    }
    fs_check(rig);
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
    fs_rig_open_shape(rig, &(struct fs_rig_shape){.size = 2048, .files = 4, .names = 4});
    read_example("file-create", text, sizeof text);
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        assert_true(files < COUNT(parents));
        assert_int_equal(fs_rig_make(rig, parents[files], line), files);
        files++;
    }
    assert_int_equal(files, 4);
    const struct cos_file_info records = fs_rig_info(rig, 3);
    assert_int_equal(cos_fs_record_patch(&rig->fs, &records, 2, 2, (const uint8_t *)"\xAA\xBB", 2),
                     COS_OK);

    read_example("file-table", text, sizeof text);
    size_t lines = 0;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char *end; /* a line: address: bytes */
        const uint32_t address = (uint32_t)strtoul(line, &end, 10);
        assert_true(*end == ':');
        length = fs_rig_hex(end + 1, wanted, sizeof wanted);
        assert_int_equal(cos_store_read(&rig->store, address, found, length), COS_OK);
        assert_memory_equal(found, wanted, length);
        memset(found, 0, length);
        fs_rig_write(rig, address, found, length);
        lines++;
    }
    assert_int_equal(lines, 14);
    for (uint32_t at = 0; at < 2048; at += sizeof found) { /* and nothing else is */
        static const uint8_t zeros[sizeof found];
        assert_int_equal(cos_store_read(&rig->store, at, found, sizeof found), COS_OK);
        assert_memory_equal(found, zeros, sizeof found);
    }
    fs_rig_close(rig);
    free(rig);
}

/* Lines of the example: a FID below the MF, pages of the file table, the page that it belongs to.
 */
static void the_documented_pages_are_where_files_go(void **state)
{
    char text[2048], *line = text;
    unsigned lines = 0;

    (void)state;
    read_example("file-hash", text, sizeof text);
    for (; *line != '\0'; line = strchr(line, '\n') + 1) {
        unsigned fid, pages, page;
        char fcp[64];
        struct fs_rig *rig = malloc(sizeof *rig);
        assert_int_equal(sscanf(line, "%x %u %u", &fid, &pages, &page), 3);
        fs_rig_open_shape(rig, &(struct fs_rig_shape){.heap = 400, .files = (uint16_t)(pages * 8)});
        (void)fs_rig_make(rig, COS_FILE_MF, MF);
        snprintf(fcp, sizeof fcp, "820101 8302%04X 800101", fid);
        assert_int_equal(fs_rig_make(rig, COS_FILE_MF, fcp), 1 + page * 8);
        fs_rig_close(rig);
        free(rig);
        lines++;
    }
    assert_true(lines >= 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_blank_space_is_formatted_once),
        cmocka_unit_test(another_superblock_is_damage),
        cmocka_unit_test(configs_that_do_not_fit_are_our_own_bug),
        cmocka_unit_test(a_file_system_at_the_end_of_a_large_store_does_not_wrap),
        cmocka_unit_test(impossible_notes_are_damage),
        cmocka_unit_test(records_that_are_noted_are_there),
        cmocka_unit_test(the_documented_example_is_what_is_written),
        cmocka_unit_test(the_documented_pages_are_where_files_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
