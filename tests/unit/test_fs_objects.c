/* SPDX-License-Identifier: Apache-2.0
 *
 * Data objects: SIMPLE-TLV ones, what they begin with, several put at once.
 */
#include "record_helpers.h"

static const struct record_rig_file ef = {.fdb = 0x39, .size = 400};
static const struct record_rig_file df = {.fdb = 0x38, .size = 400, .attributes = 9};

/* SIMPLE-TLV: ISO/IEC 7816-4:2013, 5.2.1. */
static void simple_tlv_objects_are_kept_whole(void **state)
{
    static const struct record_rig_file file = {.fdb = 0x3A, .size = 1200};
    static const struct {
        uint8_t tag;
        uint16_t length;
        uint8_t header[4], header_length;
    } objects[] = {
        {0x01, 1, {0x01, 0x01}, 2},
        {0x5F, 0, {0x5F, 0x00}, 2},
        {0x80, 254, {0x80, 0xFE}, 2},
        {0xFE, 255, {0xFE, 0xFF, 0x00, 0xFF}, 4},
        {0x1F, 300, {0x1F, 0xFF, 0x01, 0x2C}, 4},
    };
    static const uint32_t no_tags[] = {0x00, 0xFF, 0x100, 0x101, 0x5F2D};
    uint8_t bytes[RECORD_MAX], wanted[RECORD_MAX];
    struct cos_record found;
    uint32_t tag;
    size_t header;
    (void)state;
    reopen(RECORD_RIG_LARGE, &file);
    for (unsigned i = 0; i < COUNT(objects); i++) {
        expect_no_object(objects[i].tag);
        assert_int_equal(put(objects[i].tag, objects[i].length, i), COS_OK);
    }
    record_rig_remount(&rig);
    assert_int_equal(count_objects(), COUNT(objects));
    for (unsigned i = 0; i < COUNT(objects); i++) {
        const size_t begin = objects[i].header_length;
        assert_int_equal(cos_fs_object_find(&rig.fs, &rig.info, objects[i].tag, &found), COS_OK);
        assert_int_equal(found.length, begin + objects[i].length);
        assert_int_equal(cos_fs_record_read(&rig.fs, &found, 0, bytes, found.length), COS_OK);
        assert_memory_equal(bytes, objects[i].header, begin);
        fill(wanted, objects[i].length, i);
        assert_memory_equal(bytes + begin, wanted, objects[i].length);
        assert_int_equal(cos_fs_object_header(&rig.fs, &rig.info, &found, &tag, &header), COS_OK);
        assert_int_equal(tag, objects[i].tag);
        assert_int_equal(header, begin);
    }
    record_rig_check(&rig);
    record_rig_keep(&rig);
    for (size_t i = 0; i < COUNT(no_tags); i++) {
        expect_no_object(no_tags[i]);
        assert_int_equal(put(no_tags[i], 1, 0), COS_E_DATA);
        assert_int_equal(remove_object(no_tags[i]), COS_E_REFERENCE_NOT_FOUND);
    }
    assert_int_equal(cos_fs_objects_put(&rig.fs, &rig.info, (struct cos_span){bytes, 2}),
                     COS_E_FILE_STRUCTURE);
    record_rig_check_kept(&rig);
    assert_int_equal(remove_object(0x5F), COS_OK);
    assert_int_equal(put(0x80, 3, 7), COS_OK);
    assert_int_equal(count_objects(), COUNT(objects) - 1);
    record_rig_check(&rig);
}

/* What an item says of itself is not believed: 00 is no tag; the length is more than there is. */
static void damaged_headers_are_refused(void **state)
{
    static const struct {
        uint8_t fdb, bytes[8], length; /* as it was put: 81 05 and five bytes */
        enum cos_result result;
    } cases[] = {
        {0x39, {0x81, 0x05}, 7, COS_OK},
        {0x39, {0x81, 0x04}, 6, COS_OK},
        {0x39, {0x81, 0x06}, 7, COS_E_STORE_DAMAGED},
        {0x39, {0x81, 0x81, 0x04}, 7, COS_OK},
        {0x39, {0x81, 0x81, 0x05}, 7, COS_E_STORE_DAMAGED},
        {0x39, {0x81, 0x83, 0x00, 0x00, 0x02}, 7, COS_OK},
        {0x39, {0x81, 0x83, 0x01, 0x00, 0x02}, 7, COS_E_STORE_DAMAGED},
        {0x39, {0x81, 0x80}, 7, COS_E_STORE_DAMAGED},
        {0x39, {0x00, 0x05}, 7, COS_E_STORE_DAMAGED},
        {0x39, {0x5F, 0x80}, 7, COS_E_STORE_DAMAGED},
        {0x39, {0x5F, 0xC1, 0x85}, 7, COS_E_STORE_DAMAGED},
        {0x3A, {0x81, 0x05}, 7, COS_OK},
        {0x3A, {0x81, 0x06}, 7, COS_E_STORE_DAMAGED},
        {0x3A, {0x00, 0x05}, 7, COS_E_STORE_DAMAGED},
        {0x3A, {0x81, 0xFF, 0x00, 0x03}, 7, COS_OK},
        {0x3A, {0x81, 0xFF, 0x00, 0x04}, 7, COS_E_STORE_DAMAGED},
        {0x3A, {0x81, 0xFF, 0xFF, 0xFF}, 7, COS_E_STORE_DAMAGED},
    };
    struct cos_record found;
    uint32_t tag;
    size_t header;
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct record_rig_file file = {.fdb = cases[i].fdb, .size = 400};
        reopen(RECORD_RIG_SMALL, &file);
        assert_int_equal(put(0x81, 5, 1), COS_OK);
        assert_int_equal(cos_fs_object(&rig.fs, &rig.info, 0, &found), COS_OK);
        record_rig_write(&rig, found.address, cases[i].bytes, 5);
        assert_int_equal(cos_fs_object_header(&rig.fs, &rig.info, &found, &tag, &header),
                         cases[i].result);
        if (cases[i].result == COS_OK) {
            assert_int_equal(tag, 0x81);
            assert_int_equal(found.length, cases[i].length);
        }
        for (uint16_t length = 0; length < 3; length++) { /* cut off */
            found.length = length;
            const uint8_t cut[] = {0x5F, 0x50, 0x00};
            record_rig_write(&rig, found.address, cut, sizeof cut);
            if (cases[i].fdb == 0x39 || length < 2) {
                assert_int_equal(cos_fs_object_header(&rig.fs, &rig.info, &found, &tag, &header),
                                 COS_E_STORE_DAMAGED);
            }
        }
    }
}

/* ---- Several at once ---- */

static enum cos_result put_several(const uint8_t *objects, size_t length)
{
    return cos_fs_objects_put(&rig.fs, &rig.info, (struct cos_span){objects, length});
}

static void several_are_added_and_replaced(void **state)
{
    const struct record_rig_file *const files[] = {&ef, &df};
    (void)state;
    for (size_t f = 0; f < COUNT(files); f++) {
        uint8_t objects[4 * 40];
        size_t length = 0;
        reopen(RECORD_RIG_SMALL, files[f]);
        for (unsigned i = 0; i < 3; i++) {
            assert_int_equal(put(0x81 + i, 20, i), COS_OK);
        }
        length = add_object(objects, length, 0x82, 30, 10);
        length = add_object(objects, length, 0x5F50, 10, 11);
        length = add_object(objects, length, 0x81, 5, 12);
        length = add_object(objects, length, 0x7F49, 20, 13);
        assert_int_equal(put_several(objects, length), COS_OK);
        record_rig_remount(&rig);
        assert_int_equal(count_objects(), 5);
        expect_object(0x81, 5, 12);
        expect_object(0x82, 30, 10);
        expect_object(0x83, 20, 2);
        expect_object(0x5F50, 10, 11);
        expect_object(0x7F49, 20, 13);
        record_rig_check(&rig);
    }
}

static void several_are_stored_in_their_shortest_form(void **state)
{
    static const uint8_t objects[] = {0x00, 0xC1, 0x81, 0x02, 0x41, 0x42, 0xFF,
                                      0xC2, 0x83, 0x00, 0x00, 0x01, 0x43, 0x00};
    static const uint8_t wanted[] = {0xC1, 0x02, 0x41, 0x42, 0xC2, 0x01, 0x43};
    uint8_t bytes[sizeof wanted];
    struct cos_record first, second;
    (void)state;
    reopen(RECORD_RIG_SMALL, &ef);
    assert_int_equal(put_several(objects, sizeof objects), COS_OK);
    assert_int_equal(cos_fs_object(&rig.fs, &rig.info, 0, &first), COS_OK);
    assert_int_equal(cos_fs_object(&rig.fs, &rig.info, 1, &second), COS_OK);
    assert_int_equal(first.length + second.length, sizeof wanted);
    assert_int_equal(second.address, first.address + first.length);
    first.length = sizeof wanted;
    assert_int_equal(cos_fs_record_read(&rig.fs, &first, 0, bytes, sizeof bytes), COS_OK);
    assert_memory_equal(bytes, wanted, sizeof wanted);
    record_rig_check(&rig);
}

/* In an EF with 81 (20 bytes) at its beginning, 82 (20) behind it, 78 of 122 bytes free. */
static void several_that_cannot_be_written_together_change_nothing(void **state)
{
    static const struct record_rig_file file = {.fdb = 0x39, .size = 122};
    static const struct {
        uint32_t tags[8];
        uint8_t lengths[8];
        enum cos_result result;
    } cases[] = {
        {{0xC1, 0xC2}, {1, 1}, COS_OK},
        {{0xC1, 0xC1}, {1, 1}, COS_E_DATA},
        {{0xC1, 0xC2, 0xC1}, {1, 1, 1}, COS_E_DATA},
        {{0xC1, 0xC2}, {1, 0}, COS_E_DATA},
        {{0x81, 0xC2}, {0, 1}, COS_E_DATA},
        {{1, 2, 3, 4, 5, 6}, {1, 1, 1, 1, 1, 1}, COS_OK},
        {{1, 2, 3, 4, 5, 6, 7}, {1, 1, 1, 1, 1, 1, 1}, COS_E_MEMORY_FULL},
        {{0xC1, 0xC2}, {40, 34}, COS_OK},
        {{0xC1, 0xC2}, {40, 35}, COS_E_MEMORY_FULL},
        {{0x81, 0xC2}, {40, 34}, COS_OK},
        {{0x81, 0x82}, {40, 35}, COS_E_MEMORY_FULL}, /* theirs are not free yet */
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t objects[1200];
        size_t length = 0;
        reopen(RECORD_RIG_SMALL, &file);
        assert_int_equal(rig.info.record_count, 16);
        assert_int_equal(put(0x81, 20, 1), COS_OK);
        assert_int_equal(put(0x82, 20, 2), COS_OK);
        for (size_t n = 0; n < 8 && cases[i].tags[n] != 0; n++) {
            length =
                add_object(objects, length, cases[i].tags[n], cases[i].lengths[n], (unsigned)n + 5);
        }
        record_rig_keep(&rig);
        assert_int_equal(put_several(objects, length), cases[i].result);
        if (cases[i].result != COS_OK) {
            record_rig_check_kept(&rig);
            continue;
        }
        for (size_t n = 0; n < 8 && cases[i].tags[n] != 0; n++) {
            expect_object(cases[i].tags[n], cases[i].lengths[n], (unsigned)n + 5);
        }
        record_rig_check(&rig);
    }
}

static void several_are_limited_like_single_ones(void **state)
{
    static const struct record_rig_file few = {.fdb = 0x39, .size = 40};
    static const struct record_rig_file large = {.fdb = 0x39, .size = 3000};
    static const struct record_rig_file none = {.fdb = 0x38, .size = 0};
    static const uint8_t three[] = {0xC1, 1, 7, 0xC2, 1, 8, 0xC3, 1, 9};
    static const uint8_t malformed[] = {0xC1, 1, 7, 0xC2, 2, 8};
    uint8_t objects[2 * RECORD_MAX];
    (void)state;
    reopen(RECORD_RIG_SMALL, &few); /* five */
    for (uint32_t tag = 0x81; tag <= 0x83; tag++) {
        assert_int_equal(put(tag, 1, tag), COS_OK);
    }
    record_rig_keep(&rig);
    assert_int_equal(put_several(three, sizeof three), COS_E_MEMORY_FULL);
    assert_int_equal(put_several(malformed, sizeof malformed), COS_E_DATA);
    record_rig_check_kept(&rig);
    assert_int_equal(put_several(three, 6), COS_OK);
    assert_int_equal(count_objects(), 5);
    record_rig_check(&rig);
    /* more pages than one transaction may touch */
    reopen(RECORD_RIG_SMALL, &large);
    size_t length = add_object(objects, 0, 0xC1, 300, 1);
    length = add_object(objects, length, 0xC2, 400, 2);
    record_rig_keep(&rig);
    assert_int_equal(put_several(objects, length), COS_E_MEMORY_FULL);
    record_rig_check_kept(&rig);
    reopen(RECORD_RIG_LARGE, &large);
    assert_int_equal(put_several(objects, length), COS_OK);
    expect_object(0xC1, 300, 1);
    expect_object(0xC2, 400, 2);
    reopen(RECORD_RIG_SMALL, &none);
    record_rig_keep(&rig);
    assert_int_equal(put_several(three, sizeof three), COS_E_FILE_STRUCTURE);
    record_rig_check_kept(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(simple_tlv_objects_are_kept_whole, teardown),
        cmocka_unit_test_teardown(damaged_headers_are_refused, teardown),
        cmocka_unit_test_teardown(several_are_added_and_replaced, teardown),
        cmocka_unit_test_teardown(several_are_stored_in_their_shortest_form, teardown),
        cmocka_unit_test_teardown(several_that_cannot_be_written_together_change_nothing, teardown),
        cmocka_unit_test_teardown(several_are_limited_like_single_ones, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
