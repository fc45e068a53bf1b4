/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading BER-TLV data objects: every form of tag and length, padding, truncation at every byte.
 */
#include "cos/tlv.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define BYTES(...)   (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

/* A copy of exactly `length` bytes, so that the address sanitizer sees the first byte too many. */
static uint8_t *exact_copy(const uint8_t *data, size_t length)
{
    uint8_t *copy = malloc(length == 0 ? 1 : length);

    assert_non_null(copy);
    for (size_t i = 0; i < length; i++) {
        copy[i] = data[i];
    }
    return copy;
}

/* The first data object of some bytes. */
struct first_object {
    const uint8_t *data;
    size_t data_length;
    enum cos_result result;
    uint32_t tag;
    size_t length;
    size_t left; /* behind the data object */
};

static void check_first(const struct first_object *wanted)
{
    uint8_t *copy = exact_copy(wanted->data, wanted->data_length);
    struct cos_reader reader = cos_reader(copy, wanted->data_length);
    struct cos_tlv tlv = {.tag = 0xAAAAAAAA, .value = copy, .length = 12345};

    assert_int_equal(cos_tlv_next(&reader, &tlv), wanted->result);
    if (wanted->result == COS_OK) {
        assert_int_equal(tlv.tag, wanted->tag);
        assert_int_equal(tlv.length, wanted->length);
        assert_int_equal(reader.length, wanted->left);
        assert_ptr_equal(tlv.value, copy + wanted->data_length - wanted->left - wanted->length);
    } else { /* nothing is handed out */
        assert_int_equal(tlv.tag, 0xAAAAAAAA);
        assert_ptr_equal(tlv.value, copy);
        assert_int_equal(tlv.length, 12345);
    }
    if (wanted->result == COS_E_DATA) { /* and there is no way on */
        assert_true(reader.failed);
        assert_int_equal(cos_tlv_next(&reader, &tlv), COS_E_DATA);
        assert_false(cos_read_done(&reader));
    }
    if (wanted->result == COS_E_END_OF_DATA) {
        assert_true(cos_read_done(&reader));
        assert_int_equal(cos_tlv_next(&reader, &tlv), COS_E_END_OF_DATA);
    }
    free(copy);
}

static void tags_of_one_to_three_bytes_are_read(void **state)
{
    const struct first_object cases[] = {
        {BYTES(0x80, 0x00), COS_OK, 0x80, 0, 0},
        {BYTES(0x01, 0x01, 0xAA), COS_OK, 0x01, 1, 0},
        {BYTES(0x62, 0x01, 0xAA, 0xBB), COS_OK, 0x62, 1, 1},
        {BYTES(0x5F, 0x2F, 0x01, 0xAA), COS_OK, 0x5F2F, 1, 0},
        {BYTES(0x7F, 0x49, 0x00, 0x00), COS_OK, 0x7F49, 0, 1},
        {BYTES(0x1F, 0x1F, 0x00), COS_OK, 0x1F1F, 0, 0},
        {BYTES(0x9F, 0x7F, 0x00), COS_OK, 0x9F7F, 0, 0},
        {BYTES(0x5F, 0xC1, 0x02, 0x01, 0xAA), COS_OK, 0x5FC102, 1, 0},
        {BYTES(0xDF, 0x81, 0x00, 0x00), COS_OK, 0xDF8100, 0, 0},
        {BYTES(0x3F, 0xFF, 0x7F, 0x00), COS_OK, 0x3FFF7F, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        check_first(&cases[i]);
    }
}

/* ISO/IEC 7816-4:2013, 5.2.2.1: no second byte 00 to 1E or 80, no fourth byte. */
static void malformed_tags_are_refused(void **state)
{
    const struct first_object cases[] = {
        {BYTES(0x1F, 0x80, 0x01, 0x00), COS_E_DATA, 0, 0, 0},
        {BYTES(0x1F, 0x1E, 0x00), COS_E_DATA, 0, 0, 0},
        {BYTES(0x1F, 0x00, 0x00), COS_E_DATA, 0, 0, 0},
        {BYTES(0x5F, 0x80, 0x00, 0x00), COS_E_DATA, 0, 0, 0},
        {BYTES(0x5F, 0x81, 0x80, 0x01, 0x00), COS_E_DATA, 0, 0, 0},
        {BYTES(0x7F, 0xFF, 0xFF, 0x7F, 0x00), COS_E_DATA, 0, 0, 0},
        {BYTES(0x1F), COS_E_DATA, 0, 0, 0},
        {BYTES(0x5F, 0x2F), COS_E_DATA, 0, 0, 0},
        {BYTES(0x5F, 0xC1), COS_E_DATA, 0, 0, 0},
        {BYTES(0x62), COS_E_DATA, 0, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        check_first(&cases[i]);
    }
}

/* Every first byte with every second byte, against the rules of 5.2.2.1 as they are written. */
static void every_second_tag_byte_is_judged_by_the_rules(void **state)
{
    (void)state;
    for (unsigned first = 0x01; first < 0xFF; first++) {
        for (unsigned second = 0; second < 256; second++) {
            const uint8_t bytes[] = {(uint8_t)first, (uint8_t)second, 0x01, 0x00};
            struct cos_reader reader = cos_reader(bytes, sizeof bytes);
            struct cos_tlv tlv = {0};
            const enum cos_result result = cos_tlv_next(&reader, &tlv);

            if ((first & 0x1F) != 0x1F) { /* `second` is a length: 2 fit */
                assert_int_equal(result, second <= 2 || second == 0x81 ? COS_OK : COS_E_DATA);
                assert_int_equal(tlv.tag, result == COS_OK ? first : 0);
            } else if (second >= 0x1F && second < 0x80) {
                assert_int_equal(result, COS_OK);
                assert_int_equal(tlv.tag, first << 8 | second);
            } else if (second > 0x80) {
                assert_int_equal(result, COS_OK);
                assert_int_equal(tlv.tag, first << 16 | second << 8 | 0x01);
            } else {
                assert_int_equal(result, COS_E_DATA);
            }
        }
    }
}

static void lengths_need_not_be_shortest(void **state)
{
    const struct first_object cases[] = {
        {BYTES(0x80, 0x02, 0xAA, 0xBB), COS_OK, 0x80, 2, 0},
        {BYTES(0x80, 0x81, 0x00), COS_OK, 0x80, 0, 0},
        {BYTES(0x80, 0x81, 0x02, 0xAA, 0xBB, 0xCC), COS_OK, 0x80, 2, 1},
        {BYTES(0x80, 0x82, 0x00, 0x02, 0xAA, 0xBB), COS_OK, 0x80, 2, 0},
        {BYTES(0x80, 0x83, 0x00, 0x00, 0x02, 0xAA, 0xBB), COS_OK, 0x80, 2, 0},
        {BYTES(0x80, 0x83, 0x00, 0x00, 0x00), COS_OK, 0x80, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        check_first(&cases[i]);
    }
}

static void malformed_and_long_lengths_are_refused(void **state)
{
    const struct first_object cases[] = {
        {BYTES(0x80, 0x80, 0xAA, 0x00, 0x00), COS_E_DATA, 0, 0, 0}, /* indefinite */
        {BYTES(0x80, 0x84, 0x00, 0x00, 0x00, 0x01, 0xAA), COS_E_DATA, 0, 0, 0},
        {BYTES(0x80, 0x85, 0x00, 0x00, 0x00, 0x00, 0x00), COS_E_DATA, 0, 0, 0},
        {BYTES(0x80, 0xFF, 0x00), COS_E_DATA, 0, 0, 0},
        {BYTES(0x80, 0x01), COS_E_DATA, 0, 0, 0},
        {BYTES(0x80, 0x02, 0xAA), COS_E_DATA, 0, 0, 0},
        {BYTES(0x80, 0x7F, 0xAA), COS_E_DATA, 0, 0, 0},
        {BYTES(0x80, 0x81), COS_E_DATA, 0, 0, 0},
        {BYTES(0x80, 0x81, 0x01), COS_E_DATA, 0, 0, 0},
        {BYTES(0x80, 0x82, 0x00), COS_E_DATA, 0, 0, 0},
        {BYTES(0x80, 0x82, 0xFF, 0xFF, 0xAA), COS_E_DATA, 0, 0, 0},
        {BYTES(0x80, 0x83, 0x00, 0x00), COS_E_DATA, 0, 0, 0},
        {BYTES(0x80, 0x83, 0xFF, 0xFF, 0xFF, 0xAA), COS_E_DATA, 0, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        check_first(&cases[i]);
    }
}

/* 80 is not 128, even if so many bytes follow. */
static void an_indefinite_length_is_never_a_number(void **state)
{
    uint8_t data[2 + 256] = {0x30, 0x80};
    const struct first_object wanted = {data, sizeof data, COS_E_DATA, 0, 0, 0};

    (void)state;
    check_first(&wanted);
    memset(data + 2, 0x11, sizeof data - 2);
    check_first(&wanted);
}

static void padding_between_objects_is_skipped(void **state)
{
    const struct first_object cases[] = {
        {BYTES(0x00, 0xFF, 0x00, 0x80, 0x01, 0xAA), COS_OK, 0x80, 1, 0},
        {BYTES(0xFF, 0xFF, 0x5F, 0x2F, 0x00, 0x00), COS_OK, 0x5F2F, 0, 1},
        {BYTES(0x00), COS_E_END_OF_DATA, 0, 0, 0},
        {BYTES(0xFF), COS_E_END_OF_DATA, 0, 0, 0},
        {BYTES(0x00, 0x00, 0xFF, 0xFF, 0x00), COS_E_END_OF_DATA, 0, 0, 0},
        {BYTES(0x00, 0x80), COS_E_DATA, 0, 0, 0},
    };
    static const uint8_t two[] = {0x00, 0x80, 0x01, 0xFF, 0xFF, 0x00, 0x81, 0x01, 0x00, 0x00};
    struct cos_reader reader = cos_reader(two, sizeof two);
    struct cos_reader nothing = cos_reader(NULL, 0);
    struct cos_tlv tlv;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        check_first(&cases[i]);
    }
    assert_int_equal(cos_tlv_next(&nothing, &tlv), COS_E_END_OF_DATA);
    assert_int_equal(cos_tlv_next(&reader, &tlv), COS_OK); /* FF and 00 inside are values */
    assert_int_equal(tlv.tag, 0x80);
    assert_int_equal(tlv.value[0], 0xFF);
    assert_int_equal(cos_tlv_next(&reader, &tlv), COS_OK);
    assert_int_equal(tlv.tag, 0x81);
    assert_int_equal(tlv.value[0], 0x00);
    assert_int_equal(cos_tlv_next(&reader, &tlv), COS_E_END_OF_DATA);
}

/* ---- Runs of objects ---- */

static void runs_are_checked_one_level_or_all(void **state)
{
    const struct {
        const uint8_t *data;
        size_t length;
        enum cos_result flat, all;
    } cases[] = {
        {BYTES(0x00), COS_OK, COS_OK}, /* nothing but padding */
        {BYTES(0x81, 0x01, 0x20), COS_OK, COS_OK},
        {BYTES(0x81, 0x01, 0x20, 0x00, 0xFF, 0x5F, 0x50, 0x00), COS_OK, COS_OK},
        {BYTES(0x81), COS_E_DATA, COS_E_DATA},
        {BYTES(0x81, 0x02, 0x20), COS_E_DATA, COS_E_DATA},
        {BYTES(0x81, 0x80, 0x00, 0x00), COS_E_DATA, COS_E_DATA},
        {BYTES(0x81, 0x00, 0x82), COS_E_DATA, COS_E_DATA},
        {BYTES(0xA1, 0x00), COS_OK, COS_OK},
        {BYTES(0xA1, 0x01, 0x00), COS_OK, COS_OK},
        {BYTES(0xA1, 0x01, 0x81), COS_OK, COS_E_DATA},
        {BYTES(0x81, 0x01, 0x81), COS_OK, COS_OK},
        /* what is behind a template, or in the next one */
        {BYTES(0xA1, 0x02, 0x81, 0x00, 0x82), COS_E_DATA, COS_E_DATA},
        {BYTES(0xA1, 0x02, 0x81, 0x00, 0xA2, 0x01, 0x82), COS_OK, COS_E_DATA},
        /* an object in a template reaches its end, but not over it into what is behind */
        {BYTES(0xA1, 0x03, 0x81, 0x01, 0xAA, 0x82, 0x00), COS_OK, COS_OK},
        {BYTES(0xA1, 0x03, 0x81, 0x02, 0xAA, 0x82, 0x00), COS_OK, COS_E_DATA},
        {BYTES(0xA1, 0x03, 0x81, 0x03, 0xAA, 0x82, 0x00), COS_OK, COS_E_DATA},
        /* the third level, and padding at the ends of two */
        {BYTES(0xA1, 0x06, 0x7F, 0x49, 0x03, 0xA3, 0x01, 0x00), COS_OK, COS_OK},
        {BYTES(0xA1, 0x06, 0x7F, 0x49, 0x03, 0xA3, 0x01, 0x83), COS_OK, COS_E_DATA},
        {BYTES(0xA1, 0x05, 0xA2, 0x02, 0x83, 0x00, 0xFF, 0x84, 0x00), COS_OK, COS_OK},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t *copy = exact_copy(cases[i].data, cases[i].length);
        const struct cos_span objects = {copy, cases[i].length};
        if (cos_tlv_check(objects) != cases[i].flat || cos_tlv_check_all(objects) != cases[i].all) {
            fail_msg("case %zu", i);
        }
        free(copy);
    }
    assert_int_equal(cos_tlv_check((struct cos_span){NULL, 0}), COS_OK);
    assert_int_equal(cos_tlv_check_all((struct cos_span){NULL, 0}), COS_OK);
}

/* 150 templates one in the other, then the same with one byte too many in the innermost. */
static void depth_is_no_limit(void **state)
{
    uint8_t nest[512];
    size_t at = sizeof nest;
    (void)state;
    for (unsigned depth = 0; depth < 150; depth++) {
        const size_t length = sizeof nest - at;
        if (length > 0xFF) {
            nest[--at] = (uint8_t)length;
            nest[--at] = (uint8_t)(length >> 8);
            nest[--at] = 0x82;
        } else {
            nest[--at] = (uint8_t)length;
            if (length > 0x7F) {
                nest[--at] = 0x81;
            }
        }
        nest[--at] = 0xA1;
    }
    const struct cos_span whole = {nest + at, sizeof nest - at};
    assert_int_equal(cos_tlv_check_all(whole), COS_OK);
    nest[sizeof nest - 1] = 1;
    assert_int_equal(cos_tlv_check_all(whole), COS_E_DATA);
}

static void the_first_byte_tells_constructed_tags(void **state)
{
    static const uint32_t constructed[] = {0x20, 0x61, 0xFE, 0x7F21, 0xBF2020, 0x3F8101};
    static const uint32_t primitive[] = {0x00, 0x01, 0x5E, 0x5F20, 0x5F2D, 0x9F7F, 0x5FC120};
    (void)state;
    for (size_t i = 0; i < COUNT(constructed); i++) {
        assert_true(cos_tlv_is_constructed(constructed[i]));
    }
    for (size_t i = 0; i < COUNT(primitive); i++) {
        assert_false(cos_tlv_is_constructed(primitive[i]));
    }
}

static void find_gives_the_first_of_its_tag(void **state)
{
    static const uint8_t data[] = {0x80, 0x01, 0x11, 0x62, 0x03, 0x82, 0x01, 0x22, 0x00, 0x5F, 0x2F,
                                   0x01, 0x33, 0x80, 0x01, 0x44, 0x83, 0x05, 0x55, 0x84, 0x00};
    struct cos_tlv tlv = {0};

    (void)state;
    assert_int_equal(cos_tlv_find(data, sizeof data, 0x80, &tlv), COS_OK);
    assert_ptr_equal(tlv.value, data + 2);
    assert_int_equal(cos_tlv_find(data, sizeof data, 0x5F2F, &tlv), COS_OK);
    assert_ptr_equal(tlv.value, data + 12);
    assert_int_equal(tlv.length, 1);
    /* 82 is inside 62; 83 reaches past the end, and so hides 84 */
    assert_int_equal(cos_tlv_find(data, 16, 0x82, &tlv), COS_E_REFERENCE_NOT_FOUND);
    assert_int_equal(cos_tlv_find(data, sizeof data, 0x82, &tlv), COS_E_DATA);
    assert_int_equal(cos_tlv_find(data, sizeof data, 0x83, &tlv), COS_E_DATA);
    assert_int_equal(cos_tlv_find(data, sizeof data, 0x84, &tlv), COS_E_DATA);
    assert_int_equal(cos_tlv_find(data, 0, 0x80, &tlv), COS_E_REFERENCE_NOT_FOUND);
    assert_int_equal(cos_tlv_find(NULL, 0, 0x80, &tlv), COS_E_REFERENCE_NOT_FOUND);
    assert_int_equal(cos_tlv_find((const uint8_t[]){0, 0xFF, 0}, 3, 0, &tlv),
                     COS_E_REFERENCE_NOT_FOUND);
    assert_ptr_equal(tlv.value, data + 12); /* as the last success left it */
}

static void a_creation_brings_one_fcp_or_fci_template(void **state)
{
    static const uint8_t good[] = {0x62, 0x03, 0x82, 0x01, 0x01, 0x6F, 0x00};
    static const uint8_t bad[][5] = {
        {0x64, 0x03, 0x82, 0x01, 0x01}, {0x6F, 0x02, 0x82, 0x00, 0x00},
        {0x62, 0x00, 0x6F, 0x01, 0x00}, {0x62, 0x04, 0x82, 0x01, 0x01},
        {0x82, 0x03, 0x62, 0x01, 0x01}, {0x00, 0x00, 0x00, 0x00, 0x00}};
    struct cos_span value = {NULL, 99};

    (void)state;
    assert_int_equal(cos_tlv_fcp((struct cos_span){NULL, 0}, &value), COS_E_DATA);
    assert_int_equal(cos_tlv_fcp((struct cos_span){good, sizeof good}, &value), COS_E_DATA);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(cos_tlv_fcp((struct cos_span){bad[i], sizeof bad[i]}, &value), COS_E_DATA);
    }
    assert_int_equal(value.length, 99);
    assert_int_equal(cos_tlv_fcp((struct cos_span){good, 5}, &value), COS_OK);
    assert_ptr_equal(value.data, good + 2);
    assert_int_equal(value.length, 3);
    assert_int_equal(cos_tlv_fcp((struct cos_span){good + 5, 2}, &value), COS_OK);
    assert_int_equal(value.length, 0);
}

/* 62 { 82 83 A5 { 5F2F 7F49 { 81 (130 bytes) } } 00 8A } 80, written out by hand. */
#define SAMPLE_BYTES 160

static void make_nested_sample(uint8_t sample[SAMPLE_BYTES])
{
    static const uint8_t front[] = {
        0x62, 0x81, 0x9B, 0x82, 0x01, 0x78, 0x83, 0x02, 0x3F, 0x00, 0xA5, 0x81, 0x8D, 0x5F,
        0x2F, 0x01, 0x08, 0x7F, 0x49, 0x81, 0x85, 0x81, 0x81, 0x82, 0x80, 0x1F, 0xFF,
    };
    static const uint8_t back[] = {0x00, 0x8A, 0x01, 0x05, 0x80, 0x00};

    memset(sample, 0, SAMPLE_BYTES);
    memcpy(sample, front, sizeof front);
    memcpy(sample + SAMPLE_BYTES - sizeof back, back, sizeof back);
}

static bool is_template(uint32_t tag)
{
    while (tag > 0xFF) {
        tag >>= 8;
    }
    return (tag & 0x20) != 0;
}

/* Reads all data objects, templates too, innermost first found; counts them. */
static enum cos_result walk(const uint8_t *data, size_t length, unsigned *objects)
{
    struct cos_reader open[8] = {cos_reader(data, length)};
    size_t depth = 0;

    for (;;) {
        struct cos_tlv tlv;
        const enum cos_result result = cos_tlv_next(&open[depth], &tlv);

        if (result == COS_E_END_OF_DATA && depth > 0) {
            depth--;
            continue;
        }
        if (result != COS_OK) {
            return result;
        }
        (*objects)++;
        if (is_template(tlv.tag)) {
            assert_in_range(++depth, 1, COUNT(open) - 1);
            open[depth] = cos_reader(tlv.value, tlv.length);
        }
    }
}

static void a_sample_cut_at_every_byte_is_noticed(void **state)
{
    uint8_t sample[SAMPLE_BYTES];
    const size_t length = sizeof sample;
    unsigned objects = 0;

    (void)state;
    make_nested_sample(sample);
    assert_int_equal(walk(sample, length, &objects), COS_E_END_OF_DATA);
    assert_int_equal(objects, 9);
    for (size_t cut = 0; cut < length; cut++) {
        uint8_t *copy = exact_copy(sample, cut);
        /* nothing at all, and 62 with all of its value, are well-formed; the rest is not */
        const bool whole = cut == 0 || cut == length - 2;

        objects = 0;
        assert_int_equal(walk(copy, cut, &objects), whole ? COS_E_END_OF_DATA : COS_E_DATA);
        assert_int_equal(objects, cut >= length - 2 ? 8 : 0); /* the last object has two bytes */
        free(copy);
    }
}

/* The same for the value of 62 alone, where cuts between its objects are well-formed. */
static void a_template_cut_at_every_byte_is_noticed(void **state)
{
    static const struct {
        size_t cut;
        unsigned objects;
    } whole[] = {{0, 0}, {3, 1}, {7, 2}, {151, 6}, {152, 6}, {155, 7}};
    uint8_t sample[SAMPLE_BYTES];
    struct cos_tlv fcp;

    (void)state;
    make_nested_sample(sample);
    assert_int_equal(cos_tlv_find(sample, sizeof sample, 0x62, &fcp), COS_OK);
    assert_int_equal(fcp.length, 155);
    for (size_t cut = 0; cut <= fcp.length; cut++) {
        uint8_t *copy = exact_copy(fcp.value, cut);
        enum cos_result wanted = COS_E_DATA;
        unsigned objects = 0, wanted_objects = 0;

        for (size_t i = 0; i < COUNT(whole) && whole[i].cut <= cut; i++) {
            wanted = whole[i].cut == cut ? COS_E_END_OF_DATA : COS_E_DATA;
            wanted_objects = whole[i].objects;
        }
        assert_int_equal(walk(copy, cut, &objects), wanted);
        assert_int_equal(objects, wanted_objects);
        free(copy);
    }
}

static void real_fcps_are_read_and_written_back(void **state)
{
    struct vectors *vectors = vectors_open("iso7816-4-fcp.txt");
    unsigned seen = 0;

    (void)state;
    for (size_t i = 0; i < vectors->count; i++) {
        const struct vector_section *section = &vectors->sections[i];
        const struct vector_entry *wanted = vector_find(section, "tags");
        uint8_t again[256];
        struct cos_writer writer = cos_writer(again, sizeof again);
        struct cos_tlv fcp, tlv;
        struct cos_reader reader;
        struct cos_span bytes;
        char tags[64] = "";
        size_t opened, written = 0;

        if (wanted == NULL || vector_find(section, "fcp") == NULL) {
            continue;
        }
        seen++;
        bytes = vector_bytes(section, "fcp");
        assert_int_equal(cos_tlv_find(bytes.data, bytes.length, 0x62, &fcp), COS_OK);
        reader = cos_reader(fcp.value, fcp.length);
        opened = cos_tlv_open(&writer, fcp.tag);
        while (cos_tlv_next(&reader, &tlv) == COS_OK) {
            cos_tlv_write(&writer, tlv.tag, tlv.value, tlv.length);
            written += (size_t)snprintf(tags + written, sizeof tags - written, "%s%X",
                                        written > 0 ? " " : "", (unsigned)tlv.tag);
            assert_in_range(written, 1, sizeof tags - 1);
        }
        cos_tlv_close(&writer, opened);
        assert_true(cos_read_done(&reader));
        assert_string_equal(tags, wanted->text);
        assert_false(writer.failed);
        assert_int_equal(writer.length, bytes.length);
        assert_memory_equal(again, bytes.data, bytes.length);
    }
    vectors_close(vectors);
    assert_int_equal(seen, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_of_one_to_three_bytes_are_read),
        cmocka_unit_test(malformed_tags_are_refused),
        cmocka_unit_test(every_second_tag_byte_is_judged_by_the_rules),
        cmocka_unit_test(lengths_need_not_be_shortest),
        cmocka_unit_test(malformed_and_long_lengths_are_refused),
        cmocka_unit_test(an_indefinite_length_is_never_a_number),
        cmocka_unit_test(padding_between_objects_is_skipped),
        cmocka_unit_test(runs_are_checked_one_level_or_all),
        cmocka_unit_test(depth_is_no_limit),
        cmocka_unit_test(the_first_byte_tells_constructed_tags),
        cmocka_unit_test(find_gives_the_first_of_its_tag),
        cmocka_unit_test(a_creation_brings_one_fcp_or_fci_template),
        cmocka_unit_test(a_sample_cut_at_every_byte_is_noticed),
        cmocka_unit_test(a_template_cut_at_every_byte_is_noticed),
        cmocka_unit_test(real_fcps_are_read_and_written_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
