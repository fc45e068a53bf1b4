/* SPDX-License-Identifier: Apache-2.0
 *
 * Data objects in EFs and DFs: tags, wrong input, page programs.
 */
#include "record_helpers.h"

static const struct record_rig_file ef = {.fdb = 0x39, .size = 400};
static const struct record_rig_file df = {.fdb = 0x38, .size = 400, .attributes = 9};

/* ---- What can be stored ---- */

static void objects_of_all_tags_and_lengths_are_kept_whole(void **state)
{
    static const struct {
        uint32_t tag;
        uint16_t length;
    } objects[] = {
        {0x01, 0},     {0x5E, 1},     {0x80, 127},   {0xC1, 128},   {0x5F2F, 5},   {0x5F1F, 5},
        {0x7F49, 255}, {0xDF21, 256}, {0x5FC102, 6}, {0x5FC103, 3}, {0xBFFF7F, 9}, {0x3F, 0},
    };
    const struct record_rig_file files[] = {{.fdb = 0x79, .size = 1200},
                                            {.fdb = 0x38, .size = 1200}};
    (void)state;
    for (size_t f = 0; f < COUNT(files); f++) {
        reopen(RECORD_RIG_LARGE, &files[f]);
        assert_int_equal(count_objects(), 0);
        for (unsigned i = 0; i + 1 < COUNT(objects); i++) {
            expect_no_object(objects[i].tag);
            assert_int_equal(put(objects[i].tag, objects[i].length, i), COS_OK);
            expect_object(objects[i].tag, objects[i].length, i);
        }
        record_rig_remount(&rig);
        assert_int_equal(count_objects(), COUNT(objects) - 1);
        for (unsigned i = 0; i + 1 < COUNT(objects); i++) {
            expect_object(objects[i].tag, objects[i].length, i);
        }
        record_rig_check(&rig);
        /* No tags, though objects begin with these bytes */
        expect_no_object(0x5F);
        expect_no_object(0x7F);
        expect_no_object(0x5FC1);
        expect_no_object(0xBFFF);
        expect_no_object(0x00);
        expect_no_object(0xFF);
        for (unsigned i = 0; i + 1 < COUNT(objects); i++) {
            assert_int_equal(remove_object(objects[i].tag), COS_OK);
            expect_no_object(objects[i].tag);
            record_rig_check(&rig);
        }
        assert_int_equal(count_objects(), 0);
    }
}

static void objects_are_replaced(void **state)
{
    const struct record_rig_file *const files[] = {&ef, &df};
    (void)state;
    for (size_t f = 0; f < COUNT(files); f++) {
        reopen(RECORD_RIG_LARGE, files[f]);
        assert_int_equal(put(0x81, 20, 1), COS_OK);
        assert_int_equal(put(0x82, 20, 2), COS_OK);
        assert_int_equal(put(0x81, 20, 3), COS_OK);
        assert_int_equal(put(0x82, 150, 4), COS_OK);
        assert_int_equal(put(0x81, 3, 5), COS_OK);
        record_rig_check(&rig);
        assert_int_equal(count_objects(), 2);
        expect_object(0x81, 3, 5);
        expect_object(0x82, 150, 4);
        assert_int_equal(put(0x82, 0, 0), COS_OK);
        assert_int_equal(put(0x83, 380, 6), COS_OK);
        expect_object(0x83, 380, 6);
        record_rig_check(&rig);
        record_rig_keep(&rig);
        assert_int_equal(put(0x81, 13, 7), COS_E_MEMORY_FULL); /* 404 bytes */
        record_rig_check_kept(&rig);
        assert_int_equal(put(0x81, 9, 7), COS_OK); /* 400 */
        expect_object(0x81, 9, 7);
        expect_object(0x82, 0, 0);
        expect_object(0x83, 380, 6);
        record_rig_check(&rig);
    }
}

static void the_number_of_objects_is_limited(void **state)
{
    static const struct record_rig_file small = {.fdb = 0x39, .size = 40};
    (void)state;
    reopen(RECORD_RIG_SMALL, &small);
    assert_int_equal(rig.info.record_count, 5);
    for (uint32_t tag = 0x81; tag <= 0x85; tag++) {
        assert_int_equal(put(tag, 1, tag), COS_OK);
    }
    record_rig_keep(&rig);
    assert_int_equal(put(0x86, 1, 0), COS_E_MEMORY_FULL);
    record_rig_check_kept(&rig);
    assert_int_equal(put(0x85, 20, 1), COS_OK);
    assert_int_equal(remove_object(0x82), COS_OK);
    assert_int_equal(put(0x86, 1, 0), COS_OK);
    assert_int_equal(count_objects(), 5);
    record_rig_check(&rig);
}

static void others_keep_their_order_where_that_costs_nothing(void **state)
{
    static const uint8_t wanted[] = {0x81, 0x82, 0x84, 0x85, 0x86};
    struct cos_record found;
    uint8_t tag;
    (void)state;
    reopen(RECORD_RIG_SMALL, &ef);
    for (unsigned i = 1; i <= 6; i++) {
        assert_int_equal(put(0x80 + i, i, i), COS_OK);
    }
    assert_int_equal(remove_object(0x83), COS_OK);
    for (unsigned i = 0; i < COUNT(wanted); i++) {
        assert_int_equal(cos_fs_object(&rig.fs, &rig.info, i, &found), COS_OK);
        assert_int_equal(cos_fs_record_read(&rig.fs, &found, 0, &tag, 1), COS_OK);
        assert_int_equal(tag, wanted[i]);
    }
    assert_int_equal(count_objects(), 5);
}

/* The same where the directory crosses a page border: both pages are touched either way. */
static void order_is_kept_across_one_page_border(void **state)
{
    static const struct record_rig_file file = {.fdb = 0x39, .size = 1500};
    struct cos_record found;
    uint8_t tag[2];
    (void)state;
    reopen(RECORD_RIG_SMALL, &file);
    const uint32_t left = RECORD_RIG_PAYLOAD - record_rig_header(&rig) % RECORD_RIG_PAYLOAD;
    const unsigned count = left / 4 + 10; /* ten entries stand in the next page */
    assert_in_range(count, 11, 70);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(put(0x5F20 + i, 1, i), COS_OK);
    }
    assert_int_equal(remove_object(0x5F20), COS_OK);
    for (unsigned i = 1; i < count; i++) {
        assert_int_equal(cos_fs_object(&rig.fs, &rig.info, i - 1, &found), COS_OK);
        assert_int_equal(cos_fs_record_read(&rig.fs, &found, 0, tag, 2), COS_OK);
        assert_int_equal(cos_get16(tag), 0x5F20 + i);
    }
    assert_int_equal(count_objects(), count - 1);
}

/* ---- Wrong input ---- */

static void wrong_input_writes_nothing(void **state)
{
    static const uint32_t no_tags[] = {0x00,     0xFF,     0x1F,       0x5F,       0x5F80,
                                       0x5F00,   0x5F1E,   0x8001,     0x1234,     0x5FC1,
                                       0x5FC180, 0x5FC1C1, 0x01000000, 0x5FC1C101, UINT32_MAX};
    static const size_t too_long[] = {398, 400, 401, 32768, 65535, 65536, 65540, SIZE_MAX};
    static const uint8_t bytes[4];
    struct cos_record found;
    (void)state;
    reopen(RECORD_RIG_LARGE, &ef);
    assert_int_equal(put(0x5FC105, 4, 1), COS_OK);
    record_rig_keep(&rig);
    for (size_t i = 0; i < COUNT(no_tags); i++) {
        assert_int_equal(cos_fs_object_put(&rig.fs, &rig.info, no_tags[i],
                                           (struct cos_span){bytes, sizeof bytes}),
                         COS_E_DATA);
        assert_int_equal(cos_fs_object_find(&rig.fs, &rig.info, no_tags[i], &found),
                         COS_E_REFERENCE_NOT_FOUND);
        assert_int_equal(remove_object(no_tags[i]), COS_E_REFERENCE_NOT_FOUND);
    }
    for (size_t i = 0; i < COUNT(too_long); i++) {
        assert_int_equal(
            cos_fs_object_put(&rig.fs, &rig.info, 0x81, (struct cos_span){bytes, too_long[i]}),
            COS_E_MEMORY_FULL);
    }
    assert_int_equal(remove_object(0x81), COS_E_REFERENCE_NOT_FOUND);
    assert_int_equal(cos_fs_object(&rig.fs, &rig.info, 1, &found), COS_E_REFERENCE_NOT_FOUND);
    assert_int_equal(cos_fs_object(&rig.fs, &rig.info, UINT32_MAX, &found),
                     COS_E_REFERENCE_NOT_FOUND);
    record_rig_check_kept(&rig);
}

/* What no transaction can hold is refused before anything is moved for it. */
static void an_object_too_large_for_a_transaction_moves_nothing(void **state)
{
    static const struct record_rig_file file = {.fdb = 0x39, .size = 1500};
    (void)state;
    reopen(RECORD_RIG_SMALL, &file);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(put(0x81 + i, 90, i), COS_OK);
    }
    assert_int_equal(remove_object(0x81), COS_OK);
    assert_int_equal(remove_object(0x83), COS_OK);
    record_rig_keep(&rig);
    assert_int_equal(put(0x86, 3 * RECORD_RIG_PAYLOAD, 1), COS_E_MEMORY_FULL);
    assert_int_equal(put(0x82, 1000, 1), COS_E_MEMORY_FULL);
    record_rig_check_kept(&rig);
}

static void other_files_have_no_objects(void **state)
{
    static const struct cos_file_info others[] = {
        {.fdb = 0x01, .size = 100, .record_count = 5},
        {.fdb = 0x04, .size = 100, .record_count = 5},
        {.fdb = 0x02, .size = 100, .record_count = 5, .record_size = 20},
        {.fdb = 0x38, .size = 0, .record_count = 5},
        {.fdb = 0x39, .size = 100, .record_count = 5, .source = 1},
        {.fdb = 0x39, .size = 100, .record_count = 5, .source = 2},
        {.fdb = 0x3B, .size = 100, .record_count = 5},
    };
    static const uint8_t bytes[4];
    struct cos_record found;
    (void)state;
    reopen(RECORD_RIG_SMALL, &ef);
    record_rig_keep(&rig);
    for (size_t i = 0; i < COUNT(others); i++) {
        struct cos_file_info info = others[i];
        info.address = rig.info.address;
        const struct cos_span value = {bytes, sizeof bytes};
        assert_int_equal(cos_fs_object_put(&rig.fs, &info, 0x81, value), COS_E_FILE_STRUCTURE);
        assert_int_equal(cos_fs_object_put(&rig.fs, &info, 0, value), COS_E_FILE_STRUCTURE);
        assert_int_equal(cos_fs_object_delete(&rig.fs, &info, 0x81), COS_E_FILE_STRUCTURE);
        assert_int_equal(cos_fs_object_find(&rig.fs, &info, 0, &found), COS_E_FILE_STRUCTURE);
        assert_int_equal(cos_fs_object(&rig.fs, &info, 0, &found), COS_E_FILE_STRUCTURE);
    }
    record_rig_check_kept(&rig);
}

/* ---- Page programs ---- */

static void objects_cost_their_pages(void **state)
{
    (void)state;
    for (uint8_t attributes = 4; attributes < 64; attributes++) {
        const struct record_rig_file file = {
            .fdb = attributes % 3 == 0 ? 0x38 : 0x39, .size = 1800, .attributes = attributes};
        reopen(RECORD_RIG_LARGE, &file);
        const uint32_t directory = record_rig_header(&rig);
        struct record_rig_run runs[3];
        struct cos_record found;
        for (unsigned i = 0; i < 50; i++) {
            runs[1] = (struct record_rig_run){directory + 4 * i, 4};
            record_rig_keep(&rig);
            assert_int_equal(put(0x9F20 + i, 20, i), COS_OK);
            assert_int_equal(cos_fs_object(&rig.fs, &rig.info, i, &found), COS_OK);
            runs[0] = (struct record_rig_run){found.address, found.length};
            assert_int_equal(record_rig_programs(&rig), record_rig_pages(runs, 2));
            assert_true(record_rig_programs(&rig) <= 1 + record_rig_pages(runs, 1));
            record_rig_keep(&rig);
            assert_int_equal(put(0x9F20 + i, 20, i + 1), COS_OK); /* in place */
            assert_int_equal(record_rig_programs(&rig), record_rig_pages(runs, 1));
        }
        assert_int_equal(cos_fs_object(&rig.fs, &rig.info, 0, &found), COS_OK);
        runs[0] = (struct record_rig_run){found.address, found.length};
        runs[1] = (struct record_rig_run){directory, 4};
        runs[2] = (struct record_rig_run){directory + 4 * 49, 4};
        record_rig_keep(&rig);
        assert_int_equal(remove_object(0x9F20), COS_OK);
        assert_int_equal(record_rig_programs(&rig), record_rig_pages(runs, 3));
        record_rig_check(&rig);
    }
}

/* An object that fills whole pages may be put where a transaction can, and goes again. */
static void objects_as_large_as_a_transaction_come_and_go(void **state)
{
    static const struct record_rig_file file = {.fdb = 0x39, .size = 3000};
    (void)state;
    for (unsigned reserve = RECORD_RIG_SMALL; reserve <= 8; reserve++) {
        unsigned done = 0, refused = 0;
        reopen((uint16_t)reserve, &file);
        for (unsigned before = 0; before < 220; before += 5) {
            assert_int_equal(put(0x81, before, 1), COS_OK);
            for (size_t length = 200; length < RECORD_MAX; length += 40) {
                record_rig_keep(&rig);
                const enum cos_result result = put(0x82, length, 2);
                if (result != COS_OK) {
                    assert_int_equal(result, COS_E_MEMORY_FULL);
                    expect_object(0x81, before, 1);
                    expect_no_object(0x82);
                    refused++;
                    continue;
                }
                expect_object(0x82, length, 2);
                assert_int_equal(remove_object(0x82), COS_OK);
                expect_no_object(0x82);
                record_rig_check(&rig);
                done++;
            }
        }
        assert_true(done > 100 && refused > 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(objects_of_all_tags_and_lengths_are_kept_whole, teardown),
        cmocka_unit_test_teardown(objects_are_replaced, teardown),
        cmocka_unit_test_teardown(the_number_of_objects_is_limited, teardown),
        cmocka_unit_test_teardown(others_keep_their_order_where_that_costs_nothing, teardown),
        cmocka_unit_test_teardown(order_is_kept_across_one_page_border, teardown),
        cmocka_unit_test_teardown(wrong_input_writes_nothing, teardown),
        cmocka_unit_test_teardown(an_object_too_large_for_a_transaction_moves_nothing, teardown),
        cmocka_unit_test_teardown(other_files_have_no_objects, teardown),
        cmocka_unit_test_teardown(objects_cost_their_pages, teardown),
        cmocka_unit_test_teardown(objects_as_large_as_a_transaction_come_and_go, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
