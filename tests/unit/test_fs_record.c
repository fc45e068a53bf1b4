/* SPDX-License-Identifier: Apache-2.0
 *
 * Records: structures, wrong input, page programs, erasing.
 */
#include "record_helpers.h"

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
        {0x3A, 0, 9, false, false, false, false, 48}, {0x7A, 0, 9, false, false, false, false, 48},
        {0x3B, 0, 9, false, false, false, false, 0},  {0x02, 2, 9, true, false, false, false, 0},
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
    expect_record(1, 10, 0);
    expect_record(2, 10, 0);
    for (unsigned seed = 1; seed <= 3; seed++) {
        assert_int_equal(append(10, seed), COS_OK);
    }
    assert_int_equal(count_records(), 5);
    expect_record(3, 10, 1);
    expect_record(5, 10, 3);
    record_rig_keep(&rig);
    assert_int_equal(append(10, 4), COS_E_MEMORY_FULL);
    record_rig_check_kept(&rig);
    assert_int_equal(update(1, 10, 9), COS_OK);
    record_rig_remount(&rig);
    expect_record(1, 10, 9);
    expect_record(2, 10, 0);
    expect_record(4, 10, 2);
    record_rig_check(&rig);
}

static void cyclic_record_1_is_the_newest(void **state)
{
    static const struct record_rig_file file = {0x46, 10, 1, 40};
    (void)state;
    reopen(RECORD_RIG_SMALL, &file);
    assert_int_equal(count_records(), 1);
    expect_record(1, 10, 0);
    for (unsigned seed = 1; seed <= 9; seed++) {
        const unsigned count = seed + 1 < 4 ? seed + 1 : 4;
        assert_int_equal(append(10, seed), COS_OK);
        assert_int_equal(count_records(), count);
        for (unsigned number = 1; number <= count; number++) {
            expect_record(number, 10, seed + 1 - number);
        }
        record_rig_remount(&rig);
    }
    assert_int_equal(update(2, 10, 50), COS_OK);
    expect_record(1, 10, 9);
    expect_record(2, 10, 50);
    expect_record(3, 10, 7);
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
    expect_record(2, 0, 0);
    assert_int_equal(update(1, 40, 4), COS_OK); /* behind the others */
    assert_int_equal(append(30, 5), COS_OK);    /* into the hole */
    expect_record(4, 30, 5);
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
    expect_record(1, 0, 0);
    expect_record(2, 10, 6);
    expect_record(3, 20, 3);
    expect_record(4, 30, 5);
    expect_record(5, 40, 8);
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
    expect_record(1, 20, 1);
    expect_record(2, 5, 12);
    expect_record(3, 50, 13);
    expect_record(4, 5, 14);
    expect_record(5, 20, 5);
    assert_int_equal(update(3, 0, 0), COS_OK);
    assert_int_equal(update(1, 10, 11), COS_OK);
    assert_int_equal(append(60, 6), COS_OK);
    record_rig_check(&rig);
    expect_record(1, 10, 11);
    expect_record(2, 5, 12);
    expect_record(3, 0, 0);
    expect_record(4, 5, 14);
    expect_record(5, 20, 5);
    expect_record(6, 60, 6);
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

static void fixed_records_cost_their_pages(void **state)
{
    unsigned one = 0, two = 0;
    (void)state;
    for (uint8_t attributes = 4; attributes < 60; attributes++) {
        const struct record_rig_file file = {attributes % 2 ? 0x06 : 0x02, 20, 1, 600, attributes};
        reopen(RECORD_RIG_SMALL, &file);
        const uint32_t header = record_rig_header(&rig);
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
        const uint32_t directory = record_rig_header(&rig);
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
                    expect_record(number, record(number).length, erased ? 0 : number);
                }
                record_rig_check(&rig);
            }
        }
    }
}

static void large_ranges_are_erased(void **state)
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
        expect_record(1, 200, files[f].fdb == 0x06 ? 9 : 1);
        expect_record(2, 200, 0);
        expect_record(8, 200, 0);
        expect_record(9, 200, files[f].fdb == 0x06 ? 1 : 9);
        if (files[f].fdb == 0x06) { /* round the end of the ring, more than one transaction */
            for (unsigned seed = 1; seed <= 9; seed++) {
                assert_int_equal(append(200, seed), COS_OK);
            }
            for (unsigned seed = 1; seed <= 4; seed++) {
                assert_int_equal(append(200, seed), COS_OK);
            }
            assert_int_equal(cos_fs_record_erase(&rig.fs, &rig.info, 2, 8), COS_OK);
            expect_record(1, 200, 4);
            for (unsigned number = 2; number <= 8; number++) {
                expect_record(number, 200, 0);
            }
            expect_record(9, 200, 5);
        }
        assert_int_equal(cos_fs_record_erase(&rig.fs, &rig.info, 1, 9), COS_OK);
        for (unsigned number = 1; number <= 9; number++) {
            expect_record(number, 200, 0);
        }
        record_rig_check(&rig);
    }
}

/* Every other record was moved: no two that follow each other lie side by side. */
static void mixed_variable_records_are_erased(void **state)
{
    static const struct record_rig_file file = {0x04, 20, 40, 600};
    static const struct {
        unsigned first, last;
    } ranges[] = {{10, 10}, {5, 12}, {4, 12}, {2, 19}, {1, 20}};
    (void)state;
    for (size_t i = 0; i < COUNT(ranges); i++) {
        reopen(RECORD_RIG_LARGE, &file);
        for (unsigned seed = 1; seed <= 20; seed++) {
            assert_int_equal(append(seed == 10 ? 0 : 10, seed), COS_OK);
        }
        for (unsigned number = 1; number <= 19; number += 2) {
            assert_int_equal(update(number, 15, number), COS_OK);
        }
        assert_int_equal(cos_fs_record_erase(&rig.fs, &rig.info, ranges[i].first, ranges[i].last),
                         COS_OK);
        for (unsigned number = 1; number <= 20; number++) {
            const bool erased = number >= ranges[i].first && number <= ranges[i].last;
            const unsigned length = number % 2 != 0 ? 15 : number == 10 ? 0 : 10;
            expect_record(number, length, erased ? 0 : number);
        }
        assert_int_equal(rig.fs.pending.kind, COS_FS_NOTHING);
        record_rig_check(&rig);
    }
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
        cmocka_unit_test_teardown(large_ranges_are_erased, teardown),
        cmocka_unit_test_teardown(mixed_variable_records_are_erased, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
