/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing BER-TLV data objects: shortest forms, templates, and every capacity.
 */
#include "cos/tlv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define BYTES(...)   (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

static void check_read_again(const uint8_t *data, size_t total, uint32_t tag, size_t length)
{
    struct cos_reader reader = cos_reader(data, total);
    struct cos_tlv tlv;

    assert_int_equal(cos_tlv_next(&reader, &tlv), COS_OK);
    assert_true(cos_read_done(&reader));
    assert_int_equal(tlv.tag, tag);
    assert_int_equal(tlv.length, length);
    assert_ptr_equal(tlv.value, data + total - length);
}

static void tags_and_lengths_are_written_in_their_shortest_form(void **state)
{
    const struct {
        uint32_t tag;
        size_t length;
        const uint8_t *header;
        size_t header_length;
    } cases[] = {
        {0x80, 0, BYTES(0x80, 0x00)},
        {0x80, 1, BYTES(0x80, 0x01)},
        {0x80, 127, BYTES(0x80, 0x7F)},
        {0x80, 128, BYTES(0x80, 0x81, 0x80)},
        {0x5F2F, 255, BYTES(0x5F, 0x2F, 0x81, 0xFF)},
        {0x5FC102, 256, BYTES(0x5F, 0xC1, 0x02, 0x82, 0x01, 0x00)},
        {0x53, 65535, BYTES(0x53, 0x82, 0xFF, 0xFF)},
        {0x53, 65536, BYTES(0x53, 0x83, 0x01, 0x00, 0x00)},
        {0x53, 0xFFFFFF, BYTES(0x53, 0x83, 0xFF, 0xFF, 0xFF)},
    };
    uint8_t *value = calloc(1, 0xFFFFFF);

    (void)state;
    assert_non_null(value);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const size_t total = cases[i].header_length + cases[i].length;
        uint8_t *data = malloc(total);
        struct cos_writer exact = cos_writer(data, total);
        struct cos_writer tight = cos_writer(data, total - 1);

        assert_non_null(data);
        data[0] = 0x5A;
        cos_tlv_write(&tight, cases[i].tag, value, cases[i].length);
        assert_true(tight.failed); /* and then not even the tag is there */
        assert_int_equal(tight.length, 0);
        assert_int_equal(data[0], 0x5A);
        value[0] = 0x11;
        value[cases[i].length > 0 ? cases[i].length - 1 : 0] = 0x99;
        cos_tlv_write(&exact, cases[i].tag, value, cases[i].length);
        assert_false(exact.failed);
        assert_int_equal(exact.length, total);
        assert_memory_equal(data, cases[i].header, cases[i].header_length);
        assert_memory_equal(data + cases[i].header_length, value, cases[i].length);
        check_read_again(data, total, cases[i].tag, cases[i].length);
        value[0] = value[cases[i].length > 0 ? cases[i].length - 1 : 0] = 0;
        free(data);
    }
    free(value);
}

static void what_cannot_be_read_again_is_not_written(void **state)
{
    uint8_t data[16] = {0x5A};
    struct cos_writer long_value = cos_writer(data, sizeof data);
    struct cos_writer endless = cos_writer(data, sizeof data);
    struct cos_writer long_tag = cos_writer(data, sizeof data);

    (void)state;
    cos_tlv_write(&long_value, 0x80, NULL, 0x1000000);
    assert_true(long_value.failed);
    cos_tlv_write(&endless, 0x80, NULL, SIZE_MAX);
    assert_true(endless.failed);
    cos_tlv_write8(&long_tag, 0x5F818001, 1);
    assert_true(long_tag.failed);
    assert_int_equal(long_value.length + endless.length + long_tag.length, 0);
    assert_int_equal(data[0], 0x5A);
}

static void numbers_are_written_big_endian(void **state)
{
    uint8_t data[7];
    struct cos_writer writer = cos_writer(data, sizeof data);

    (void)state;
    cos_tlv_write8(&writer, 0x8A, 0x05);
    cos_tlv_write16(&writer, 0x83, 0x3F01);
    assert_false(writer.failed);
    assert_memory_equal(data, ((uint8_t[]){0x8A, 0x01, 0x05, 0x83, 0x02, 0x3F, 0x01}), 7);
}

/* A template of every length around the places where its length field grows is what one write of
 * the whole would have been, and needs not a byte more. */
static void closing_makes_the_length_field_shortest(void **state)
{
    static const size_t lengths[] = {0, 1, 126, 127, 128, 129, 255, 256, 257, 1000, 65534, 65535};
    static uint8_t value[65536], wanted[65550];

    (void)state;
    for (size_t i = 0; i < sizeof value; i++) {
        value[i] = (uint8_t)(i * 7 + i / 256);
    }
    for (size_t i = 0; i < COUNT(lengths); i++) {
        struct cos_writer whole = cos_writer(wanted, sizeof wanted);
        struct cos_writer parts, tight;
        size_t opened;
        uint8_t *data;

        cos_tlv_write(&whole, 0x7F49, value, lengths[i]);
        data = malloc(whole.length);
        assert_non_null(data);
        parts = cos_writer(data, whole.length);
        opened = cos_tlv_open(&parts, 0x7F49);
        cos_write_bytes(&parts, value, lengths[i]);
        cos_tlv_close(&parts, opened);
        assert_false(parts.failed);
        assert_int_equal(parts.length, whole.length);
        assert_memory_equal(data, wanted, whole.length);
        tight = cos_writer(data, whole.length - 1);
        opened = cos_tlv_open(&tight, 0x7F49);
        cos_write_bytes(&tight, value, lengths[i]);
        cos_tlv_close(&tight, opened);
        assert_true(tight.failed);
        free(data);
    }
}

static void a_template_of_65536_bytes_is_refused(void **state)
{
    static uint8_t value[65536], data[65600];
    struct cos_writer writer = cos_writer(data, sizeof data);
    const size_t opened = cos_tlv_open(&writer, 0x30);

    (void)state;
    cos_write_bytes(&writer, value, sizeof value);
    assert_false(writer.failed);
    cos_tlv_close(&writer, opened);
    assert_true(writer.failed);
}

static void closing_what_was_not_opened_fails(void **state)
{
    uint8_t data[8];
    struct cos_writer zero = cos_writer(data, sizeof data);
    struct cos_writer beyond = cos_writer(data, sizeof data);

    (void)state;
    cos_write8(&zero, 1);
    cos_tlv_close(&zero, 0);
    assert_true(zero.failed);
    cos_write8(&beyond, 1);
    cos_tlv_close(&beyond, 2);
    assert_true(beyond.failed);
}

/* 62 { 82 83 A5 { 5F2F 7F49 { 81 (130 bytes) } } 00 8A } 80 */
static size_t nested_sample(uint8_t *data, size_t capacity)
{
    static const uint8_t long_value[130] = {0x80, 0x1F, 0xFF};
    struct cos_writer writer = cos_writer(data, capacity);
    size_t fcp = cos_tlv_open(&writer, 0x62);
    size_t proprietary, key;

    cos_tlv_write8(&writer, 0x82, 0x78);
    cos_tlv_write16(&writer, 0x83, 0x3F00);
    proprietary = cos_tlv_open(&writer, 0xA5);
    cos_tlv_write8(&writer, 0x5F2F, 0x08);
    key = cos_tlv_open(&writer, 0x7F49);
    cos_tlv_write(&writer, 0x81, long_value, sizeof long_value);
    cos_tlv_close(&writer, key);
    cos_tlv_close(&writer, proprietary);
    cos_write8(&writer, 0x00);
    cos_tlv_write8(&writer, 0x8A, 0x05);
    cos_tlv_close(&writer, fcp);
    cos_tlv_write(&writer, 0x80, NULL, 0);
    return writer.failed ? 0 : writer.length;
}

static void nested_templates_fit_exactly_or_fail(void **state)
{
    uint8_t wanted[256], data[256];
    const size_t length = nested_sample(wanted, sizeof wanted);

    (void)state;
    assert_int_equal(length, 160);
    assert_memory_equal(wanted, ((uint8_t[]){0x62, 0x81, 0x9B, 0x82, 0x01, 0x78, 0x83}), 7);
    for (size_t capacity = 0; capacity < sizeof data; capacity++) {
        for (size_t i = 0; i < sizeof data; i++) {
            data[i] = 0x5A;
        }
        assert_int_equal(nested_sample(data, capacity), capacity < length ? 0 : length);
        for (size_t i = capacity; i < sizeof data; i++) {
            assert_int_equal(data[i], 0x5A);
        }
        if (capacity >= length) {
            assert_memory_equal(data, wanted, length);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_and_lengths_are_written_in_their_shortest_form),
        cmocka_unit_test(what_cannot_be_read_again_is_not_written),
        cmocka_unit_test(numbers_are_written_big_endian),
        cmocka_unit_test(closing_makes_the_length_field_shortest),
        cmocka_unit_test(a_template_of_65536_bytes_is_refused),
        cmocka_unit_test(closing_what_was_not_opened_fails),
        cmocka_unit_test(nested_templates_fit_exactly_or_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
