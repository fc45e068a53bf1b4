/* SPDX-License-Identifier: Apache-2.0
 *
 * Records: structures, wrong input, page programs, random work against a model, torn power,
 * damaged content.
 */
#include "fs/file.h"
#include "record_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define RECORD_MAX   900U

static struct record_rig rig;

static int teardown(void **state)
{
    (void)state;
    if (rig.kept != NULL) {
        record_rig_close(&rig);
        rig.kept = NULL;
    }
    return 0;
}

static void reopen(uint16_t reserve, const struct record_rig_file *file)
{
    (void)teardown(NULL);
    record_rig_open(&rig, reserve, file);
}

static void fill(uint8_t *bytes, size_t length, unsigned seed)
{
    for (size_t i = 0; i < length; i++) {
        bytes[i] = (uint8_t)(1 + (seed * 37 + i * 11) % 255);
    }
}

static enum cos_result append(size_t length, unsigned seed)
{
    uint8_t bytes[RECORD_MAX];

    fill(bytes, length, seed);
    return cos_fs_record_append(&rig.fs, &rig.info, bytes, length);
}

static enum cos_result update(unsigned number, size_t length, unsigned seed)
{
    uint8_t bytes[RECORD_MAX];

    fill(bytes, length, seed);
    return cos_fs_record_update(&rig.fs, &rig.info, number, bytes, length);
}

static unsigned count_records(void)
{
    unsigned count;

    assert_int_equal(cos_fs_record_count(&rig.fs, &rig.info, &count), COS_OK);
    return count;
}

static struct cos_record record(unsigned number)
{
    struct cos_record found;

    assert_int_equal(cos_fs_record(&rig.fs, &rig.info, number, &found), COS_OK);
    return found;
}

/* seed 0: a record of 00 */
static void expect(unsigned number, size_t length, unsigned seed)
{
    const struct cos_record found = record(number);
    uint8_t bytes[RECORD_MAX], wanted[RECORD_MAX] = {0};

    if (seed != 0) {
        fill(wanted, length, seed);
    }
    assert_int_equal(found.length, length);
    assert_int_equal(cos_fs_record_read(&rig.fs, &found, 0, bytes, length), COS_OK);
    assert_memory_equal(bytes, wanted, length);
}

/* ---- Structures ---- */

static void file_descriptor_bytes_tell_structures(void **state)
{
    static const struct {
        uint8_t fdb, source;
        uint32_t size;
        bool records, cyclic, variable, tlv;
        uint32_t structure; /* with ten records */
    } cases[] = {
        {0x38, 0, 0, false, false, false, false, 0},  {0x78, 0, 9, false, false, false, false, 48},
        {0x01, 0, 9, false, false, false, false, 0},  {0x02, 0, 9, true, false, false, false, 8},
        {0x42, 0, 9, true, false, false, false, 8},   {0x03, 0, 9, true, false, false, true, 8},
        {0x04, 0, 9, true, false, true, false, 48},   {0x45, 0, 9, true, false, true, true, 48},
        {0x06, 0, 9, true, true, false, false, 8},    {0x47, 0, 9, true, true, false, true, 8},
        {0x39, 0, 9, false, false, false, false, 48}, {0x79, 0, 9, false, false, false, false, 48},
        {0x3A, 0, 9, false, false, false, false, 0},  {0x02, 2, 9, true, false, false, false, 0},
        {0x00, 0, 9, false, false, false, false, 0},  {0x0A, 0, 9, false, false, false, false, 0},
        {0x82, 0, 9, false, false, false, false, 0},  {0x86, 0, 9, false, false, false, false, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct cos_file_info info = {.fdb = cases[i].fdb,
                                           .source = cases[i].source,
                                           .size = cases[i].size,
                                           .record_count = 10};
        assert_int_equal(cos_file_has_records(&info), cases[i].records);
        assert_int_equal(cos_file_is_cyclic(&info), cases[i].cyclic);
        assert_int_equal(cos_file_is_variable(&info), cases[i].variable);
        assert_int_equal(cos_file_is_simple_tlv(&info), cases[i].tlv);
        assert_int_equal(cos_content_structure(&info), cases[i].structure);
    }
}

static void linear_fixed_records_are_numbered_by_age(void **state)
{
    static const struct record_rig_file file = {0x02, 10, 2, 50};
    (void)state;
    reopen(RECORD_RIG_SMALL, &file);
    assert_int_equal(count_records(), 2);
    expect(1, 10, 0);
    expect(2, 10, 0);
    for (unsigned seed = 1; seed <= 3; seed++) {
        assert_int_equal(append(10, seed), COS_OK);
    }
    assert_int_equal(count_records(), 5);
    expect(3, 10, 1);
    expect(5, 10, 3);
    record_rig_keep(&rig);
    assert_int_equal(append(10, 4), COS_E_MEMORY_FULL);
    record_rig_check_kept(&rig);
    assert_int_equal(update(1, 10, 9), COS_OK);
    record_rig_remount(&rig);
    expect(1, 10, 9);
    expect(2, 10, 0);
    expect(4, 10, 2);
    record_rig_check(&rig);
}

static void cyclic_record_1_is_the_newest(void **state)
{
    static const struct record_rig_file file = {0x46, 10, 1, 40};
    (void)state;
    reopen(RECORD_RIG_SMALL, &file);
    assert_int_equal(count_records(), 1);
    expect(1, 10, 0);
    for (unsigned seed = 1; seed <= 9; seed++) {
        const unsigned count = seed + 1 < 4 ? seed + 1 : 4;
        assert_int_equal(append(10, seed), COS_OK);
        assert_int_equal(count_records(), count);
        for (unsigned number = 1; number <= count; number++) {
            expect(number, 10, seed + 1 - number);
        }
        record_rig_remount(&rig);
    }
    assert_int_equal(update(2, 10, 50), COS_OK);
    expect(1, 10, 9);
    expect(2, 10, 50);
    expect(3, 10, 7);
    record_rig_check(&rig);
}

static void variable_records_grow_and_shrink(void **state)
{
    static const struct record_rig_file file = {0x04, 40, 5, 100};
    (void)state;
    reopen(RECORD_RIG_SMALL, &file);
    assert_int_equal(count_records(), 0);
    assert_int_equal(append(30, 1), COS_OK);
    assert_int_equal(append(0, 2), COS_OK);
    assert_int_equal(append(20, 3), COS_OK);
    expect(2, 0, 0);
    assert_int_equal(update(1, 40, 4), COS_OK); /* behind the others */
    assert_int_equal(append(30, 5), COS_OK);    /* into the hole */
    expect(4, 30, 5);
    assert_int_equal(update(2, 10, 6), COS_OK); /* 100 of 100 bytes */
    record_rig_check(&rig);
    record_rig_keep(&rig);
    assert_int_equal(append(1, 7), COS_E_MEMORY_FULL);
    assert_int_equal(update(3, 21, 7), COS_E_MEMORY_FULL);
    record_rig_check_kept(&rig);
    assert_int_equal(update(1, 0, 7), COS_OK);
    assert_int_equal(append(40, 8), COS_OK);
    assert_int_equal(count_records(), 5);
    record_rig_keep(&rig);
    assert_int_equal(append(0, 9), COS_E_MEMORY_FULL); /* a sixth */
    record_rig_check_kept(&rig);
    record_rig_remount(&rig);
    expect(1, 0, 0);
    expect(2, 10, 6);
    expect(3, 20, 3);
    expect(4, 30, 5);
    expect(5, 40, 8);
    record_rig_check(&rig);
}

static void pieces_of_free_space_are_moved_together(void **state)
{
    static const struct record_rig_file file = {0x04, 60, 10, 100};
    (void)state;
    reopen(RECORD_RIG_SMALL, &file);
    for (unsigned seed = 1; seed <= 5; seed++) {
        assert_int_equal(append(20, seed), COS_OK);
    }
    assert_int_equal(update(2, 5, 12), COS_OK);
    assert_int_equal(update(4, 5, 14), COS_OK);
    /* 30 bytes are free, 15 in a piece */
    assert_int_equal(update(3, 50, 13), COS_OK);
    record_rig_check(&rig);
    expect(1, 20, 1);
    expect(2, 5, 12);
    expect(3, 50, 13);
    expect(4, 5, 14);
    expect(5, 20, 5);
    assert_int_equal(update(3, 0, 0), COS_OK);
    assert_int_equal(update(1, 10, 11), COS_OK);
    assert_int_equal(append(60, 6), COS_OK);
    record_rig_check(&rig);
    expect(1, 10, 11);
    expect(2, 5, 12);
    expect(3, 0, 0);
    expect(4, 5, 14);
    expect(5, 20, 5);
    expect(6, 60, 6);
}

static void records_are_patched_in_place(void **state)
{
    static const struct record_rig_file files[] = {
        {0x02, 20, 3, 0}, {0x06, 20, 3, 0}, {0x04, 20, 5, 100}};
    uint8_t wanted[20], bytes[20];
    (void)state;
    for (size_t i = 0; i < COUNT(files); i++) {
        reopen(RECORD_RIG_SMALL, &files[i]);
        for (unsigned seed = 1; seed <= 3 && files[i].fdb == 0x04; seed++) {
            assert_int_equal(append(20, seed), COS_OK);
        }
        assert_int_equal(update(2, 20, 2), COS_OK);
        fill(wanted, 20, 2);
        memcpy(wanted + 7, "abc", 3);
        assert_int_equal(cos_fs_record_patch(&rig.fs, &rig.info, 2, 7, (const uint8_t *)"abc", 3),
                         COS_OK);
        const struct cos_record found = record(2);
        assert_int_equal(cos_fs_record_read(&rig.fs, &found, 0, bytes, 20), COS_OK);
        assert_memory_equal(bytes, wanted, 20);
        assert_int_equal(cos_fs_record_read(&rig.fs, &found, 5, bytes, 6), COS_OK);
        assert_memory_equal(bytes, wanted + 5, 6);
    }
}

/* ---- Wrong input ---- */

enum call { UPDATE, APPEND, PATCH, ERASE, RECORD, CALL_COUNT, READ };

static enum cos_result call(enum call what, const struct cos_file_info *info, unsigned a,
                            uint32_t b, size_t length)
{
    static const uint8_t bytes[RECORD_MAX];
    struct cos_record found = {0};
    uint8_t *exact;
    unsigned count;
    enum cos_result result;

    switch (what) {
    case UPDATE:
        return cos_fs_record_update(&rig.fs, info, a, bytes, length);
    case APPEND:
        return cos_fs_record_append(&rig.fs, info, bytes, length);
    case PATCH:
        return cos_fs_record_patch(&rig.fs, info, a, b, bytes, length);
    case ERASE:
        return cos_fs_record_erase(&rig.fs, info, a, b);
    case RECORD:
        return cos_fs_record(&rig.fs, info, a, &found);
    case CALL_COUNT:
        return cos_fs_record_count(&rig.fs, info, &count);
    default:
        assert_int_equal(cos_fs_record(&rig.fs, info, a, &found), COS_OK);
        exact = malloc(64);
        assert_non_null(exact);
        result = cos_fs_record_read(&rig.fs, &found, b, exact, length);
        free(exact);
        return result;
    }
}

static void wrong_input_writes_nothing(void **state)
{
    static const struct {
        enum call call;
        unsigned a;
        uint32_t b;
        size_t length;
        enum cos_result fixed, cyclic, variable; /* three records of 20; four at most */
    } cases[] = {
        {UPDATE, 0, 0, 20, COS_E_RECORD_NOT_FOUND, COS_E_RECORD_NOT_FOUND, COS_E_RECORD_NOT_FOUND},
        {UPDATE, 4, 0, 20, COS_E_RECORD_NOT_FOUND, COS_E_RECORD_NOT_FOUND, COS_E_RECORD_NOT_FOUND},
        {UPDATE, UINT32_MAX, 0, 20, COS_E_RECORD_NOT_FOUND, COS_E_RECORD_NOT_FOUND,
         COS_E_RECORD_NOT_FOUND},
        {UPDATE, 4, 0, 99, COS_E_RECORD_NOT_FOUND, COS_E_RECORD_NOT_FOUND, COS_E_RECORD_NOT_FOUND},
        {UPDATE, 1, 0, 21, COS_E_LENGTH, COS_E_LENGTH, COS_E_LENGTH},
        {UPDATE, 1, 0, SIZE_MAX, COS_E_LENGTH, COS_E_LENGTH, COS_E_LENGTH},
        {UPDATE, 1, 0, 65556, COS_E_LENGTH, COS_E_LENGTH, COS_E_LENGTH},
        {APPEND, 0, 0, 21, COS_E_LENGTH, COS_E_LENGTH, COS_E_LENGTH},
        {APPEND, 0, 0, SIZE_MAX, COS_E_LENGTH, COS_E_LENGTH, COS_E_LENGTH},
        {PATCH, 0, 0, 1, COS_E_RECORD_NOT_FOUND, COS_E_RECORD_NOT_FOUND, COS_E_RECORD_NOT_FOUND},
        {PATCH, 4, 0, 1, COS_E_RECORD_NOT_FOUND, COS_E_RECORD_NOT_FOUND, COS_E_RECORD_NOT_FOUND},
        {PATCH, 1, 0, 21, COS_E_OFFSET, COS_E_OFFSET, COS_E_OFFSET},
        {PATCH, 1, 20, 1, COS_E_OFFSET, COS_E_OFFSET, COS_E_OFFSET},
        {PATCH, 1, 21, 0, COS_E_OFFSET, COS_E_OFFSET, COS_E_OFFSET},
        {PATCH, 1, 1, SIZE_MAX, COS_E_OFFSET, COS_E_OFFSET, COS_E_OFFSET},
        {PATCH, 1, UINT32_MAX, 2, COS_E_OFFSET, COS_E_OFFSET, COS_E_OFFSET},
        {PATCH, 1, 20, 0, COS_OK, COS_OK, COS_OK},
        {READ, 1, 0, 21, COS_E_OFFSET, COS_E_OFFSET, COS_E_OFFSET},
        {READ, 1, 20, 1, COS_E_OFFSET, COS_E_OFFSET, COS_E_OFFSET},
        {READ, 1, UINT32_MAX, 2, COS_E_OFFSET, COS_E_OFFSET, COS_E_OFFSET},
        {READ, 1, 1, SIZE_MAX, COS_E_OFFSET, COS_E_OFFSET, COS_E_OFFSET},
        {READ, 1, 20, 0, COS_OK, COS_OK, COS_OK},
        {READ, 3, 0, 20, COS_OK, COS_OK, COS_OK},
        {ERASE, 0, 1, 0, COS_E_RECORD_NOT_FOUND, COS_E_RECORD_NOT_FOUND, COS_E_RECORD_NOT_FOUND},
        {ERASE, 1, 0, 0, COS_E_RECORD_NOT_FOUND, COS_E_RECORD_NOT_FOUND, COS_E_RECORD_NOT_FOUND},
        {ERASE, 2, 1, 0, COS_E_RECORD_NOT_FOUND, COS_E_RECORD_NOT_FOUND, COS_E_RECORD_NOT_FOUND},
        {ERASE, 3, 4, 0, COS_E_RECORD_NOT_FOUND, COS_E_RECORD_NOT_FOUND, COS_E_RECORD_NOT_FOUND},
        {ERASE, 4, 4, 0, COS_E_RECORD_NOT_FOUND, COS_E_RECORD_NOT_FOUND, COS_E_RECORD_NOT_FOUND},
        {RECORD, 0, 0, 0, COS_E_RECORD_NOT_FOUND, COS_E_RECORD_NOT_FOUND, COS_E_RECORD_NOT_FOUND},
        {RECORD, 4, 0, 0, COS_E_RECORD_NOT_FOUND, COS_E_RECORD_NOT_FOUND, COS_E_RECORD_NOT_FOUND},
        {RECORD, 3, 0, 0, COS_OK, COS_OK, COS_OK},
    };
    static const struct record_rig_file files[] = {
        {0x02, 20, 3, 80}, {0x06, 20, 3, 80}, {0x04, 20, 4, 80}};
    (void)state;
    for (size_t f = 0; f < COUNT(files); f++) {
        reopen(RECORD_RIG_SMALL, &files[f]);
        for (unsigned seed = 1; seed <= 3 && files[f].fdb == 0x04; seed++) {
            assert_int_equal(append(20, seed), COS_OK);
        }
        record_rig_keep(&rig);
        for (size_t i = 0; i < COUNT(cases); i++) {
            const enum cos_result wanted[] = {cases[i].fixed, cases[i].cyclic, cases[i].variable};
            const enum cos_result result =
                call(cases[i].call, &rig.info, cases[i].a, cases[i].b, cases[i].length);
            if (result != wanted[f]) {
                fail_msg("file %zu, case %zu: %d", f, i, (int)result);
            }
        }
        for (size_t length = 0; length < 20 && files[f].fdb != 0x04; length++) {
            assert_int_equal(call(UPDATE, &rig.info, 1, 0, length), COS_E_LENGTH);
            assert_int_equal(call(APPEND, &rig.info, 0, 0, length), COS_E_LENGTH);
        }
        record_rig_check_kept(&rig);
    }
}

static void other_structures_are_refused(void **state)
{
    static const struct record_rig_file file = {0x02, 20, 3, 80};
    static const uint8_t others[] = {0x38, 0x01, 0x39, 0x00, 0x3A, 0x08};
    struct cos_file_info info;
    (void)state;
    reopen(RECORD_RIG_SMALL, &file);
    record_rig_keep(&rig);
    for (enum call what = UPDATE; what <= CALL_COUNT; what++) {
        for (size_t i = 0; i < COUNT(others); i++) {
            info = rig.info;
            info.fdb = others[i];
            assert_int_equal(call(what, &info, 1, 1, 20), COS_E_FILE_STRUCTURE);
        }
        for (uint8_t source = 1; source <= 3; source++) {
            info = rig.info;
            info.source = source;
            assert_int_equal(call(what, &info, 1, 1, 20), COS_E_FILE_STRUCTURE);
        }
    }
    record_rig_check_kept(&rig);
}

/* ---- Page programs ---- */

static uint32_t align(uint32_t address)
{
    return (address + 3) / 4 * 4;
}

static void fixed_records_cost_their_pages(void **state)
{
    unsigned one = 0, two = 0;
    (void)state;
    for (uint8_t attributes = 4; attributes < 60; attributes++) {
        const struct record_rig_file file = {attributes % 2 ? 0x06 : 0x02, 20, 1, 600, attributes};
        reopen(RECORD_RIG_SMALL, &file);
        const uint32_t header = align(record_rig_content(&rig));
        for (unsigned seed = 1; seed < 29; seed++) {
            record_rig_keep(&rig);
            assert_int_equal(append(20, seed), COS_OK);
            const struct cos_record found = record(file.fdb == 0x06 ? 1 : seed + 1);
            const struct record_rig_run runs[] = {{found.address, 20}, {header, 4}};
            assert_int_equal(record_rig_programs(&rig), record_rig_pages(runs, 2));
            assert_true(record_rig_programs(&rig) <= 1 + record_rig_pages(runs, 1));
            record_rig_keep(&rig);
            assert_int_equal(update(file.fdb == 0x06 ? 1 : seed + 1, 20, seed + 1), COS_OK);
            assert_int_equal(record_rig_programs(&rig), record_rig_pages(runs, 1));
            one += record_rig_programs(&rig) == 1;
            two += record_rig_programs(&rig) == 2;
        }
    }
    assert_true(one > 100 && two > 10);
}

static void variable_records_cost_their_pages(void **state)
{
    (void)state;
    for (uint8_t attributes = 4; attributes < 60; attributes++) {
        const struct record_rig_file file = {0x04, 60, 80, 1800, attributes};
        reopen(RECORD_RIG_LARGE, &file);
        const uint32_t directory = align(record_rig_content(&rig));
        for (unsigned number = 1; number <= 40; number++) {
            const uint32_t entry = directory + (number - 1) * 4;
            record_rig_keep(&rig);
            assert_int_equal(append(30, number), COS_OK);
            struct cos_record found = record(number);
            const struct record_rig_run runs[] = {{found.address, 30}, {entry, 4}};
            assert_int_equal(record_rig_programs(&rig), record_rig_pages(runs, 2));
            assert_true(record_rig_programs(&rig) <= 1 + record_rig_pages(runs, 1));
            record_rig_keep(&rig);
            assert_int_equal(update(number, 30, number + 1), COS_OK); /* the same length */
            assert_int_equal(record_rig_programs(&rig), record_rig_pages(runs, 1));
            record_rig_keep(&rig);
            assert_int_equal(update(number, 25, number + 1), COS_OK); /* it stays */
            assert_int_equal(record_rig_programs(&rig), record_rig_pages(runs, 2));
        }
        record_rig_keep(&rig);
        assert_int_equal(update(3, 60, 1), COS_OK); /* it moves */
        const struct record_rig_run runs[] = {
            {record_rig_data(&rig) + 50, 25}, {record(3).address, 60}, {directory + 8, 4}};
        assert_int_equal(record_rig_programs(&rig), record_rig_pages(runs, 3));
        record_rig_check(&rig);
    }
}

/* ---- Erasing ---- */

static void every_range_is_erased_and_nothing_else(void **state)
{
    static const struct record_rig_file files[] = {
        {0x02, 50, 8, 400}, {0x06, 50, 1, 400}, {0x06, 50, 1, 450}, {0x05, 60, 9, 500}};
    (void)state;
    for (size_t f = 0; f < COUNT(files); f++) {
        for (unsigned first = 1; first <= 8; first++) {
            for (unsigned last = first; last <= 8; last++) {
                reopen(RECORD_RIG_LARGE, &files[f]);
                for (unsigned seed = 1; seed <= 7 + 4 * (files[f].fdb == 0x06); seed++) {
                    const enum cos_result full = files[f].fdb == 0x02 ? COS_E_MEMORY_FULL : COS_OK;
                    assert_int_equal(append(50, seed), full);
                }
                if (files[f].fdb == 0x05) { /* order in the store: 1 2 4 5 6 3 8 */
                    assert_int_equal(update(3, 60, 3), COS_OK);
                    assert_int_equal(append(60, 8), COS_OK);
                }
                const unsigned count = count_records();
                assert_in_range(count, 8, 9);
                for (unsigned number = 1; number <= count; number++) {
                    assert_int_equal(update(number, record(number).length, number), COS_OK);
                }
                assert_int_equal(cos_fs_record_erase(&rig.fs, &rig.info, first, last), COS_OK);
                for (unsigned number = 1; number <= count; number++) {
                    const bool erased = number >= first && number <= last;
                    expect(number, record(number).length, erased ? 0 : number);
                }
                record_rig_check(&rig);
            }
        }
    }
}

static void large_ranges_are_erased_if_they_are_one_run(void **state)
{
    static const struct record_rig_file files[] = {
        {0x02, 200, 9, 0}, {0x06, 200, 9, 0}, {0x04, 200, 9, 1800}};
    (void)state;
    for (size_t f = 0; f < COUNT(files); f++) {
        reopen(RECORD_RIG_SMALL, &files[f]);
        for (unsigned seed = 1; seed <= 9; seed++) {
            assert_int_equal(files[f].fdb == 0x02 ? update(seed, 200, seed) : append(200, seed),
                             COS_OK);
        }
        assert_int_equal(cos_fs_record_erase(&rig.fs, &rig.info, 2, 8), COS_OK);
        assert_int_equal(record(1).length, 200);
        expect(1, 200, files[f].fdb == 0x06 ? 9 : 1);
        expect(2, 200, 0);
        expect(8, 200, 0);
        expect(9, 200, files[f].fdb == 0x06 ? 1 : 9);
        if (files[f].fdb == 0x06) { /* round the end of the ring: too much for one transaction */
            for (unsigned seed = 1; seed <= 4; seed++) {
                assert_int_equal(append(200, seed), COS_OK);
            }
            record_rig_keep(&rig);
            assert_int_equal(cos_fs_record_erase(&rig.fs, &rig.info, 2, 8), COS_E_MEMORY_FULL);
            record_rig_check_kept(&rig);
        }
        assert_int_equal(cos_fs_record_erase(&rig.fs, &rig.info, 1, 9), COS_OK);
        for (unsigned number = 1; number <= 9; number++) {
            expect(number, 200, 0);
        }
        record_rig_check(&rig);
    }
}

static void mixed_variable_records_are_erased_up_to_eight(void **state)
{
    static const struct record_rig_file file = {0x04, 20, 40, 600};
    (void)state;
    reopen(RECORD_RIG_LARGE, &file);
    for (unsigned seed = 1; seed <= 20; seed++) {
        assert_int_equal(append(seed == 10 ? 0 : 10, seed), COS_OK);
    }
    assert_int_equal(update(1, 20, 1), COS_OK); /* behind record 20 */
    assert_int_equal(cos_fs_record_erase(&rig.fs, &rig.info, 10, 10), COS_OK); /* of no bytes */
    assert_int_equal(update(3, 0, 3), COS_OK);
    assert_int_equal(append(10, 21), COS_OK);
    assert_int_equal(update(2, 20, 2), COS_OK); /* the order is 3 to 20, 1, 21, 2 */
    assert_int_equal(cos_fs_record_erase(&rig.fs, &rig.info, 1, 9), COS_OK); /* eight with bytes */
    record_rig_keep(&rig);
    assert_int_equal(cos_fs_record_erase(&rig.fs, &rig.info, 1, 11), COS_E_MEMORY_FULL);
    record_rig_check_kept(&rig);
    expect(1, 20, 0);
    expect(9, 10, 0);
    expect(11, 10, 11);
    expect(21, 10, 21);
    assert_int_equal(cos_fs_record_erase(&rig.fs, &rig.info, 1, 21), COS_OK);
    expect(21, 10, 0);
    record_rig_check(&rig);
}

/* ---- Random work against a model ---- */

struct model {
    unsigned count;
    struct {
        uint16_t length;
        uint8_t bytes[RECORD_MAX];
    } records[COS_FS_RECORDS_MAX];
};

static struct model model;

static unsigned model_total(void)
{
    unsigned total = 0;

    for (unsigned i = 0; i < model.count; i++) {
        total += model.records[i].length;
    }
    return total;
}

static void compare(void)
{
    assert_int_equal(count_records(), model.count);
    for (unsigned i = 0; i < model.count; i++) {
        const struct cos_record found = record(i + 1);
        uint8_t bytes[RECORD_MAX];
        assert_int_equal(found.length, model.records[i].length);
        assert_int_equal(cos_fs_record_read(&rig.fs, &found, 0, bytes, found.length), COS_OK);
        assert_memory_equal(bytes, model.records[i].bytes, found.length);
    }
    record_rig_check(&rig);
}

/* Where a new record goes in the model; what is there must make way. */
static unsigned model_append(void)
{
    if (!cos_file_is_cyclic(&rig.info)) {
        return model.count++;
    }
    memmove(&model.records[1], &model.records[0],
            sizeof model.records[0] * (rig.info.record_count - 1U));
    model.count += model.count < rig.info.record_count;
    return 0;
}

static void random_step(uint64_t *seed, unsigned *full)
{
    uint8_t bytes[RECORD_MAX];
    const bool variable = cos_file_is_variable(&rig.info);
    const unsigned size = rig.info.record_size;
    const unsigned length = variable ? sim_below(seed, size + 1) : size;
    const unsigned number = model.count == 0 ? 1 : sim_below(seed, model.count);
    enum cos_result wanted = COS_OK, result;

    fill(bytes, RECORD_MAX, (unsigned)sim_random(seed) % 1000);
    switch (sim_below(seed, 8)) {
    case 0:
    case 1:
        if (model.count == rig.info.record_count && !cos_file_is_cyclic(&rig.info)) {
            wanted = COS_E_MEMORY_FULL;
        }
        if (variable && model_total() + length > rig.info.size) {
            wanted = COS_E_MEMORY_FULL;
        }
        record_rig_keep(&rig);
        assert_int_equal(cos_fs_record_append(&rig.fs, &rig.info, bytes, length), wanted);
        if (wanted == COS_OK) {
            const unsigned at = model_append();
            model.records[at].length = (uint16_t)length;
            memcpy(model.records[at].bytes, bytes, length);
        } else {
            record_rig_check_kept(&rig);
            ++*full;
        }
        break;
    case 2:
        if (number < model.count) {
            const unsigned last = number + sim_below(seed, model.count - number);
            result = cos_fs_record_erase(&rig.fs, &rig.info, number + 1, last + 1);
            if (result == COS_E_MEMORY_FULL) {
                assert_true(last > number);
                break;
            }
            assert_int_equal(result, COS_OK);
            for (unsigned i = number; i <= last; i++) {
                memset(model.records[i].bytes, 0, RECORD_MAX);
            }
        }
        break;
    case 3:
        if (number < model.count) {
            const unsigned now = model.records[number].length;
            const unsigned offset = sim_below(seed, now + 1);
            const unsigned run = sim_below(seed, now - offset + 1);
            assert_int_equal(
                cos_fs_record_patch(&rig.fs, &rig.info, number + 1, offset, bytes, run), COS_OK);
            memcpy(model.records[number].bytes + offset, bytes, run);
        }
        break;
    case 4:
        if (sim_below(seed, 4) == 0) {
            record_rig_remount(&rig);
        } else {
            assert_int_equal(cos_store_settle(&rig.store), COS_OK);
        }
        break;
    default:
        if (number < model.count) {
            if (variable && model_total() - model.records[number].length + length > rig.info.size) {
                wanted = COS_E_MEMORY_FULL;
            }
            record_rig_keep(&rig);
            assert_int_equal(cos_fs_record_update(&rig.fs, &rig.info, number + 1, bytes, length),
                             wanted);
            if (wanted == COS_OK) {
                model.records[number].length = (uint16_t)length;
                memcpy(model.records[number].bytes, bytes, length);
            } else {
                record_rig_check_kept(&rig);
                ++*full;
            }
        }
        break;
    }
}

static void random_work_agrees_with_a_model(void **state)
{
    static const struct {
        struct record_rig_file file;
        uint16_t reserve;
        unsigned full; /* at least that often */
    } cases[] = {
        {{0x02, 20, 1, 600, 7}, RECORD_RIG_SMALL, 100},
        {{0x06, 20, 1, 600, 6}, RECORD_RIG_SMALL, 0},
        {{0x06, 1, 1, 1, 0}, RECORD_RIG_SMALL, 0},
        {{0x06, 255, 1, 2550, 0}, RECORD_RIG_LARGE, 0},
        {{0x04, 20, 30, 150, 5}, RECORD_RIG_SMALL, 100},
        {{0x04, 60, 0, 500, 9}, RECORD_RIG_SMALL, 100},
        {{0x04, 200, 0, 2000, 5}, RECORD_RIG_SMALL, 100},
        {{0x05, 216, 254, 6000, 0}, RECORD_RIG_SMALL, 100},
        {{0x04, 255, 60, 3000, 11}, RECORD_RIG_LARGE, 100},
        {{0x04, 900, 60, 3000, 0}, RECORD_RIG_LARGE, 100},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t seed = i + 1;
        unsigned full = 0;
        reopen(cases[i].reserve, &cases[i].file);
        memset(&model, 0, sizeof model);
        model.count = count_records();
        for (unsigned n = 0; n < model.count; n++) {
            model.records[n].length = rig.info.record_size;
        }
        for (unsigned step = 0; step < 2500; step++) {
            random_step(&seed, &full);
            if (step % 5 == 0) {
                compare();
            }
        }
        compare();
        assert_true(full >= cases[i].full);
        assert_int_equal(rig.power.violations, 0);
    }
}

/* ---- Torn power ---- */

struct image {
    size_t length;
    uint8_t bytes[8192];
};

static void take_image(struct image *image)
{
    const unsigned count = count_records();

    image->length = 0;
    for (unsigned number = 1; number <= count; number++) {
        const struct cos_record found = record(number);
        assert_true(image->length + 2 + found.length <= sizeof image->bytes);
        cos_put16(image->bytes + image->length, found.length);
        assert_int_equal(
            cos_fs_record_read(&rig.fs, &found, 0, image->bytes + image->length + 2, found.length),
            COS_OK);
        image->length += 2U + found.length;
    }
}

static bool same_image(const struct image *a, const struct image *b)
{
    return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

struct torn {
    struct record_rig_file file;
    uint16_t reserve;
    void (*prepare)(void);
    enum cos_result (*operation)(void);
    bool several; /* transactions */
};

static void four_records(void)
{
    for (unsigned seed = 1; seed <= 4; seed++) {
        assert_int_equal(append(20, seed), COS_OK);
    }
}

static void nine_large_records(void)
{
    for (unsigned seed = 1; seed <= 9; seed++) {
        assert_int_equal(append(150, seed), COS_OK);
    }
}

static void scattered_records(void)
{
    for (unsigned seed = 1; seed <= 12; seed++) {
        assert_int_equal(append(100, seed), COS_OK);
    }
    for (unsigned number = 1; number <= 12; number += 3) {
        assert_int_equal(update(number, 60, number + 20), COS_OK);
    }
}

static enum cos_result append_20(void)
{
    return append(20, 99);
}

static enum cos_result update_third(void)
{
    return update(3, 20, 99);
}

static enum cos_result shrink_third(void)
{
    return update(3, 3, 99);
}

static enum cos_result grow_second(void)
{
    return update(2, 38, 99);
}

static enum cos_result grow_after_moves(void)
{
    return update(5, 200, 99);
}

static enum cos_result append_after_moves(void)
{
    return append(150, 99);
}

static enum cos_result patch_third(void)
{
    return cos_fs_record_patch(&rig.fs, &rig.info, 3, 5, (const uint8_t *)"abcdef", 6);
}

static enum cos_result erase_two_and_three(void)
{
    return cos_fs_record_erase(&rig.fs, &rig.info, 2, 3);
}

static enum cos_result erase_many(void)
{
    return cos_fs_record_erase(&rig.fs, &rig.info, 2, 8);
}

static const struct torn torn[] = {
    {{0x02, 20, 1, 600, 0}, RECORD_RIG_SMALL, four_records, append_20, false},
    {{0x02, 20, 1, 600, 0}, RECORD_RIG_SMALL, four_records, update_third, false},
    {{0x02, 20, 1, 600, 0}, RECORD_RIG_SMALL, four_records, erase_two_and_three, false},
    {{0x02, 150, 1, 1500, 0}, RECORD_RIG_SMALL, nine_large_records, erase_many, true},
    {{0x06, 20, 1, 80, 60}, RECORD_RIG_SMALL, four_records, append_20, false},
    {{0x06, 20, 1, 60, 60}, RECORD_RIG_SMALL, four_records, append_20, false},
    {{0x06, 20, 1, 60, 60}, RECORD_RIG_SMALL, four_records, patch_third, false},
    {{0x06, 20, 1, 60, 60}, RECORD_RIG_SMALL, four_records, erase_two_and_three, false},
    {{0x04, 40, 60, 400, 0}, RECORD_RIG_SMALL, four_records, append_20, false},
    {{0x04, 40, 60, 400, 0}, RECORD_RIG_SMALL, four_records, shrink_third, false},
    {{0x04, 40, 60, 400, 0}, RECORD_RIG_SMALL, four_records, update_third, false},
    {{0x04, 40, 60, 400, 0}, RECORD_RIG_SMALL, four_records, grow_second, false},
    {{0x04, 150, 60, 1400, 0}, RECORD_RIG_SMALL, nine_large_records, erase_many, true},
    {{0x04, 200, 60, 1200, 0}, RECORD_RIG_SMALL, scattered_records, grow_after_moves, true},
    {{0x04, 200, 60, 1200, 0}, RECORD_RIG_LARGE, scattered_records, grow_after_moves, true},
    {{0x04, 200, 60, 1200, 0}, RECORD_RIG_LARGE, scattered_records, append_after_moves, true},
};

static void torn_operations_are_before_or_after(void **state)
{
    static struct image before, after, now;
    (void)state;
    for (size_t i = 0; i < COUNT(torn); i++) {
        struct sim_snapshot snapshot = {0};
        unsigned seen_before = 0, seen_after = 0;
        reopen(torn[i].reserve, &torn[i].file);
        torn[i].prepare();
        assert_int_equal(cos_store_settle(&rig.store), COS_OK);
        take_image(&before);
        sim_nvm_save(&rig.sim, &snapshot);
        const uint64_t start = rig.power.operations;
        const uint32_t sequence = rig.store.newest;
        assert_int_equal(torn[i].operation(), COS_OK);
        assert_int_equal(rig.store.newest - sequence > 1, torn[i].several);
        const uint32_t operations = (uint32_t)(rig.power.operations - start);
        take_image(&after);
        assert_false(same_image(&before, &after));
        for (uint32_t n = 1; n <= operations; n++) {
            for (unsigned content = 0; content < SIM_CONTENTS; content++) {
                sim_nvm_restore(&rig.sim, &snapshot);
                record_rig_remount(&rig);
                sim_power_cut(&rig.power, n, (enum sim_content)content, i * 1000 + n);
                (void)torn[i].operation();
                sim_power_up(&rig.power);
                record_rig_mount(&rig);
                take_image(&now);
                assert_true(same_image(&now, &before) || same_image(&now, &after));
                seen_before += same_image(&now, &before);
                seen_after += same_image(&now, &after);
                record_rig_check(&rig);
                const bool done = same_image(&now, &after);
                record_rig_remount(&rig); /* a second start changes nothing */
                take_image(&now);
                assert_true(same_image(&now, done ? &after : &before));
                if (!done) {
                    assert_int_equal(torn[i].operation(), COS_OK);
                    take_image(&now);
                    assert_true(same_image(&now, &after));
                    record_rig_check(&rig);
                }
            }
        }
        assert_true(seen_before > 0 && seen_after > 0);
        sim_snapshot_free(&snapshot);
    }
}

/* ---- Damaged content ---- */

static void damaged_headers_are_refused(void **state)
{
    static const struct {
        struct record_rig_file file;
        uint32_t offset;
        uint8_t bytes[4];
    } cases[] = {
        {{0x02, 20, 3, 80}, 0, {0, 5, 0, 0}},
        {{0x02, 20, 3, 80}, 0, {0xFF, 0xFF, 0, 0}},
        {{0x06, 20, 3, 80}, 0, {0, 5, 0, 0}},
        {{0x06, 20, 3, 80}, 0, {0, 4, 0, 4}},
        {{0x06, 20, 3, 80}, 0, {0, 0, 0xFF, 0xFF}},
        {{0x04, 20, 4, 80}, 0, {0, 82, 0, 0}}, /* begins behind the end */
        {{0x04, 20, 4, 80}, 0, {0, 1, 0, 81}}, /* is too long */
        {{0x04, 20, 4, 80}, 0, {0, 80, 0, 2}}, /* reaches over the end */
        {{0x04, 20, 4, 80}, 0, {0xFF, 0xFF, 0, 1}},
        {{0x04, 20, 4, 80}, 0, {0, 1, 0xFF, 0xFF}},
        {{0x04, 20, 4, 80}, 0, {0xFF, 0xFF, 0xFF, 0xFF}},
    };
    struct cos_file_info info;
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        reopen(RECORD_RIG_SMALL, &cases[i].file);
        record_rig_write(&rig, align(record_rig_content(&rig)), cases[i].bytes, 4);
        record_rig_keep(&rig);
        for (enum call what = UPDATE; what <= CALL_COUNT; what++) {
            assert_int_equal(call(what, &rig.info, 1, 1, 20), COS_E_STORE_DAMAGED);
        }
        record_rig_check_kept(&rig);
    }
    reopen(RECORD_RIG_SMALL, &cases[0].file); /* more records than the size holds */
    info = rig.info;
    info.record_count = 5;
    assert_int_equal(call(RECORD, &info, 1, 0, 0), COS_E_STORE_DAMAGED);
    assert_int_equal(call(APPEND, &info, 0, 0, 20), COS_E_STORE_DAMAGED);
}

/* Whatever a directory says, nothing outside of the file is written, no record reaches out of it,
 * and every call ends. */
static void random_directories_do_no_harm(void **state)
{
    static const struct record_rig_file file = {0x04, 60, 12, 300, 5};
    uint8_t bytes[2048], before[2048], after[2048];
    uint64_t seed = 77;
    unsigned done = 0, damaged = 0;
    (void)state;
    reopen(RECORD_RIG_LARGE, &file);
    const uint32_t start = rig.info.address, end = rig.info.address + cos_file_extent(&rig.info);
    const uint32_t directory = align(record_rig_content(&rig));
    for (unsigned round = 0; round < 3000; round++) {
        for (unsigned i = 0; i < 12; i++) {
            cos_put16(bytes + 4 * i,
                      (uint16_t)(sim_below(&seed, 20) == 0 ? sim_below(&seed, 400)
                                                           : 1 + sim_below(&seed, 250)));
            cos_put16(bytes + 4 * i + 2,
                      (uint16_t)sim_below(&seed, sim_below(&seed, 30) == 0 ? 400 : 50));
        }
        record_rig_write(&rig, directory, bytes, 48);
        assert_int_equal(cos_store_read(&rig.store, start - 100, before, 100), COS_OK);
        assert_int_equal(cos_store_read(&rig.store, end, before + 100, 100), COS_OK);
        for (unsigned n = 0; n < 4; n++) {
            const enum call what = (enum call)sim_below(&seed, RECORD + 1);
            const enum cos_result result = call(what, &rig.info, 1 + sim_below(&seed, 13),
                                                1 + sim_below(&seed, 13), sim_below(&seed, 61));
            assert_true(result == COS_OK || result == COS_E_STORE_DAMAGED ||
                        result == COS_E_MEMORY_FULL || result == COS_E_RECORD_NOT_FOUND ||
                        result == COS_E_OFFSET);
            done += result == COS_OK;
            damaged += result == COS_E_STORE_DAMAGED;
        }
        for (unsigned number = 1; number <= 12; number++) {
            struct cos_record found;
            if (cos_fs_record(&rig.fs, &rig.info, number, &found) == COS_OK) {
                assert_true(found.address >= record_rig_data(&rig) &&
                            found.address + found.length <= end);
            }
        }
        assert_int_equal(cos_store_read(&rig.store, start - 100, after, 100), COS_OK);
        assert_int_equal(cos_store_read(&rig.store, end, after + 100, 100), COS_OK);
        assert_memory_equal(before, after, 200);
    }
    assert_true(done > 1000 && damaged > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_descriptor_bytes_tell_structures),
        cmocka_unit_test_teardown(linear_fixed_records_are_numbered_by_age, teardown),
        cmocka_unit_test_teardown(cyclic_record_1_is_the_newest, teardown),
        cmocka_unit_test_teardown(variable_records_grow_and_shrink, teardown),
        cmocka_unit_test_teardown(pieces_of_free_space_are_moved_together, teardown),
        cmocka_unit_test_teardown(records_are_patched_in_place, teardown),
        cmocka_unit_test_teardown(wrong_input_writes_nothing, teardown),
        cmocka_unit_test_teardown(other_structures_are_refused, teardown),
        cmocka_unit_test_teardown(fixed_records_cost_their_pages, teardown),
        cmocka_unit_test_teardown(variable_records_cost_their_pages, teardown),
        cmocka_unit_test_teardown(every_range_is_erased_and_nothing_else, teardown),
        cmocka_unit_test_teardown(large_ranges_are_erased_if_they_are_one_run, teardown),
        cmocka_unit_test_teardown(mixed_variable_records_are_erased_up_to_eight, teardown),
        cmocka_unit_test_teardown(random_work_agrees_with_a_model, teardown),
        cmocka_unit_test_teardown(torn_operations_are_before_or_after, teardown),
        cmocka_unit_test_teardown(damaged_headers_are_refused, teardown),
        cmocka_unit_test_teardown(random_directories_do_no_harm, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
