/* SPDX-License-Identifier: Apache-2.0
 *
 * The base: big-endian numbers, bounded reading and writing, CRC-32, secrets, status words.
 */
#include "cos/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void numbers_are_big_endian(void **state)
{
    const uint8_t bytes[] = {0x80, 0x01, 0xFE, 0xFF};
    uint8_t copy[6] = {0x55, 0, 0, 0, 0, 0x55};

    (void)state;
    assert_int_equal(cos_get16(bytes), 0x8001);
    assert_int_equal(cos_get32(bytes), 0x8001FEFF);
    cos_put32(copy + 1, 0x8001FEFF);
    assert_memory_equal(copy, ((uint8_t[]){0x55, 0x80, 0x01, 0xFE, 0xFF, 0x55}), 6);
    cos_put16(copy + 2, 0x1234);
    assert_memory_equal(copy, ((uint8_t[]){0x55, 0x80, 0x12, 0x34, 0xFF, 0x55}), 6);
}

static void reader_hands_out_what_is_there(void **state)
{
    const uint8_t bytes[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A};
    struct cos_reader reader = cos_reader(bytes, sizeof bytes);
    struct cos_span rest;

    (void)state;
    assert_int_equal(cos_read8(&reader), 0x01);
    assert_int_equal(cos_read16(&reader), 0x0203);
    assert_int_equal(cos_read32(&reader), 0x04050607);
    assert_ptr_equal(cos_read_bytes(&reader, 1), bytes + 7);
    assert_ptr_equal(cos_read_bytes(&reader, 0), bytes + 8);
    assert_false(cos_read_done(&reader));
    rest = cos_read_rest(&reader);
    assert_ptr_equal(rest.data, bytes + 8);
    assert_int_equal(rest.length, 2);
    assert_true(cos_read_done(&reader));
    assert_int_equal(cos_read_rest(&reader).length, 0);
    assert_true(cos_read_done(&reader));
}

/* Reads of 1, 2, 4 and 3 bytes over every length from 0 to 11: those that fit give their value,
 * the first that does not and all after it give nothing and leave the reader where it is. */
static void reader_stops_at_the_first_read_that_does_not_fit(void **state)
{
    static const uint8_t pattern[11] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66,
                                        0x77, 0x88, 0x99, 0xAA, 0xBB};
    static const size_t ends[] = {1, 3, 7, 10};

    (void)state;
    for (size_t length = 0; length <= sizeof pattern; length++) {
        uint8_t *bytes = malloc(length == 0 ? 1 : length); /* exact, for the address sanitizer */
        struct cos_reader reader = cos_reader(bytes, length);
        const uint8_t *run;
        size_t used = 0;

        assert_non_null(bytes);
        for (size_t i = 0; i < length; i++) {
            bytes[i] = pattern[i];
        }
        for (size_t i = 0; i < COUNT(ends) && ends[i] <= length; i++) {
            used = ends[i];
        }
        assert_int_equal(cos_read8(&reader), length >= 1 ? 0x11 : 0);
        assert_int_equal(cos_read16(&reader), length >= 3 ? 0x2233 : 0);
        assert_int_equal(cos_read32(&reader), length >= 7 ? 0x44556677 : 0);
        run = cos_read_bytes(&reader, 3);
        assert_ptr_equal(run, length >= 10 ? bytes + 7 : NULL);
        assert_int_equal(reader.failed, length < 10);
        assert_int_equal(reader.length, length - used);
        if (length < 10) {
            struct cos_span rest = cos_read_rest(&reader);

            assert_null(rest.data);
            assert_int_equal(rest.length, 0);
            assert_int_equal(cos_read8(&reader), 0);
            assert_null(cos_read_bytes(&reader, 0));
            assert_int_equal(reader.length, length - used);
        }
        assert_int_equal(cos_read_done(&reader), length == 10);
        free(bytes);
    }
}

static void reader_survives_absurd_lengths(void **state)
{
    const uint8_t bytes[4] = {0};
    struct cos_reader reader = cos_reader(bytes, sizeof bytes);
    struct cos_reader empty = cos_reader(NULL, 0);

    (void)state;
    assert_null(cos_read_bytes(&reader, SIZE_MAX));
    assert_true(reader.failed);
    assert_true(cos_read_done(&empty));
    assert_null(cos_read_bytes(&empty, 0));
    assert_int_equal(cos_read_rest(&empty).length, 0);
    assert_true(cos_read_done(&empty));
    assert_int_equal(cos_read32(&empty), 0);
    assert_false(cos_read_done(&empty));
}

/* Writes of 1, 2, 4, 3, 0 and 2 bytes into every capacity from 0 to 13, with guard bytes behind. */
static void writer_stops_at_the_first_write_that_does_not_fit(void **state)
{
    static const uint8_t expected[12] = {0xA1, 0xB1, 0xB2, 0xC1, 0xC2, 0xC3,
                                         0xC4, 0xD1, 0xD2, 0xD3, 0xE1, 0xE2};
    static const size_t ends[] = {1, 3, 7, 10, 12};

    (void)state;
    for (size_t capacity = 0; capacity <= 13; capacity++) {
        uint8_t buffer[16];
        struct cos_writer writer = cos_writer(buffer, capacity);
        uint8_t *room;
        size_t used = 0;

        for (size_t i = 0; i < sizeof buffer; i++) {
            buffer[i] = 0x5A;
        }
        for (size_t i = 0; i < COUNT(ends) && ends[i] <= capacity; i++) {
            used = ends[i];
        }
        cos_write8(&writer, 0xA1);
        cos_write16(&writer, 0xB1B2);
        cos_write32(&writer, 0xC1C2C3C4);
        cos_write_bytes(&writer, (const uint8_t[]){0xD1, 0xD2, 0xD3}, 3);
        cos_write_bytes(&writer, NULL, 0);
        room = cos_write_room(&writer, 2);
        if (room != NULL) {
            room[0] = 0xE1;
            room[1] = 0xE2;
        }
        assert_ptr_equal(room, capacity >= 12 ? buffer + 10 : NULL);
        assert_int_equal(writer.failed, capacity < 12);
        if (capacity < 12) { /* one byte would fit at most capacities, and is refused */
            cos_write8(&writer, 0xFF);
            assert_null(cos_write_room(&writer, 0));
        }
        assert_int_equal(writer.length, used);
        assert_memory_equal(buffer, expected, used);
        for (size_t i = used; i < sizeof buffer; i++) {
            assert_int_equal(buffer[i], 0x5A);
        }
    }
}

static void writer_survives_absurd_lengths(void **state)
{
    uint8_t buffer[4];
    struct cos_writer writer = cos_writer(buffer, sizeof buffer);
    struct cos_writer empty = cos_writer(NULL, 0);

    (void)state;
    cos_write8(&writer, 1);
    assert_null(cos_write_room(&writer, SIZE_MAX)); /* 1 + SIZE_MAX is 0 */
    assert_true(writer.failed);
    assert_int_equal(writer.length, 1);
    cos_write_bytes(&empty, NULL, 0);
    assert_false(empty.failed);
    cos_write8(&empty, 1);
    assert_true(empty.failed);
    assert_int_equal(empty.length, 0);
}

/* The definition of the CRC, one bit at a time. */
static uint32_t crc_by_bits(const uint8_t *data, size_t length)
{
    uint32_t crc = 0xFFFFFFFF;

    for (size_t bit = 0; bit < length * 8; bit++) {
        const uint32_t in = (uint32_t)(data[bit / 8] >> (bit % 8)) & 1;

        crc = (crc & 1) == in ? crc >> 1 : (crc >> 1) ^ 0xEDB88320U;
    }
    return crc ^ 0xFFFFFFFF;
}

static void crc_has_its_known_answers(void **state)
{
    static const uint8_t digits[] = {'1', '2', '3', '4', '5', '6', '7', '8', '9'};
    uint8_t bytes[512];

    (void)state;
    assert_int_equal(cos_crc32(0, digits, sizeof digits), 0xCBF43926);
    assert_int_equal(cos_crc32(0, NULL, 0), 0);
    assert_int_equal(cos_crc32(0, (const uint8_t[4]){0}, 4), 0x2144DF1C);
    assert_int_equal(cos_crc32(0, (const uint8_t[]){0xFF, 0xFF, 0xFF, 0xFF}, 4), 0xFFFFFFFF);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 167 + (i >> 3));
        assert_int_equal(cos_crc32(0, bytes, i + 1), crc_by_bits(bytes, i + 1));
    }
}

static void crc_continues_at_every_split(void **state)
{
    static const uint8_t digits[] = {'1', '2', '3', '4', '5', '6', '7', '8', '9'};

    (void)state;
    for (size_t split = 0; split <= sizeof digits; split++) {
        const uint32_t front = cos_crc32(0, digits, split);

        assert_int_equal(cos_crc32(front, digits + split, sizeof digits - split), 0xCBF43926);
    }
}

static void yes_and_no_differ_in_every_bit(void **state)
{
    (void)state;
    assert_int_equal(COS_YES ^ COS_NO, 0xFFFFFFFF);
}

static void secrets_of_one_byte_compare_as_they_are(void **state)
{
    (void)state;
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            const cos_truth answer =
                cos_equal_secret((const uint8_t[]){(uint8_t)a}, (const uint8_t[]){(uint8_t)b}, 1);

            assert_int_equal(answer, a == b ? COS_YES : COS_NO);
        }
    }
}

static void one_bit_anywhere_makes_secrets_differ(void **state)
{
    uint8_t a[65], b[65];

    (void)state;
    for (size_t i = 0; i < sizeof a; i++) {
        a[i] = b[i] = (uint8_t)(i * 37 + 1);
    }
    assert_int_equal(cos_equal_secret(NULL, NULL, 0), COS_YES);
    for (size_t length = 1; length <= sizeof a; length++) {
        assert_int_equal(cos_equal_secret(a, b, length), COS_YES);
        for (size_t bit = 0; bit < length * 8; bit++) {
            b[bit / 8] ^= (uint8_t)(1U << (bit % 8));
            assert_int_equal(cos_equal_secret(a, b, length), COS_NO);
            b[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        }
    }
    b[8] ^= 1; /* behind what is compared */
    assert_int_equal(cos_equal_secret(a, b, 8), COS_YES);
}

/* Each beginning and each length, so that whatever is done by words has bytes before and behind. */
static void wiping_zeroes_what_it_is_told_and_no_more(void **state)
{
    _Alignas(16) uint8_t bytes[80];

    (void)state;
    for (size_t from = 0; from < sizeof bytes; from++) {
        for (size_t length = 0; from + length <= sizeof bytes; length++) {
            for (size_t i = 0; i < sizeof bytes; i++) {
                bytes[i] = (uint8_t)(i + 1);
            }
            cos_wipe(bytes + from, length);
            for (size_t i = 0; i < sizeof bytes; i++) {
                assert_int_equal(bytes[i], i >= from && i < from + length ? 0 : i + 1);
            }
        }
    }
    cos_wipe(NULL, 0);
}

/* Reads "COS_E_X = -n, / * WWWW text" of status.h: the status word that the comment promises. */
static bool promised_word(const char *line, int *value, unsigned *word)
{
    char digits[5] = "", space = '\0';

    if (sscanf(line, " COS_E_%*[A-Z0-9_] = %d, /* %4[0-9A-F]%c", value, digits, &space) != 3) {
        return false;
    }
    return space == ' ' && sscanf(digits, "%4x", word) == 1 && *word > 0x0FFF;
}

static void each_result_has_the_status_word_of_its_comment(void **state)
{
    FILE *header = fopen("include/cos/status.h", "r");
    uint16_t expected[128] = {0x9000}; /* by negated result */
    char line[160];
    int value;
    unsigned word, promised = 0;

    (void)state;
    assert_non_null(header);
    while (fgets(line, sizeof line, header) != NULL) {
        if (promised_word(line, &value, &word)) {
            assert_in_range(-value, 1, 127);
            expected[-value] = (uint16_t)word;
            promised++;
        }
    }
    fclose(header);
    assert_int_equal(promised, 34); /* 33 status words of ISO/IEC 7816-4, and 6310 */
    for (int i = 0; i < 16; i++) {
        expected[-COS_E_TRIES_0 + i] = (uint16_t)(0x63C0 + i);
    }
    for (int i = 0; i < (int)COUNT(expected); i++) {
        const unsigned wanted = expected[i] == 0 ? 0x6F00 : expected[i];

        assert_int_equal(cos_sw((enum cos_result) - i), wanted);
        for (int j = 0; j < i; j++) { /* no word but 6F00 stands for two results */
            assert_true(wanted == 0x6F00 || expected[j] != wanted);
        }
    }
}

/* A few by name, so that a wrong number in the header is not taken for right. */
static void well_known_status_words(void **state)
{
    static const struct {
        enum cos_result result;
        uint16_t sw;
    } cases[] = {
        {COS_OK, 0x9000},
        {COS_E_LENGTH, 0x6700},
        {COS_E_SECURITY_STATUS, 0x6982},
        {COS_E_METHOD_BLOCKED, 0x6983},
        {COS_E_CONDITIONS, 0x6985},
        {COS_E_DATA, 0x6A80},
        {COS_E_FILE_NOT_FOUND, 0x6A82},
        {COS_E_P1_P2, 0x6A86},
        {COS_E_REFERENCE_NOT_FOUND, 0x6A88},
        {COS_E_OFFSET, 0x6B00},
        {COS_E_INSTRUCTION, 0x6D00},
        {COS_E_CLASS, 0x6E00},
        {COS_E_FILE_TERMINATED, 0x6285},
        {COS_E_MORE_DATA, 0x6310},
        {COS_E_INVARIANT, 0x6F00},
        {COS_E_CRYPTO, 0x6F00},
        {COS_E_END_OF_DATA, 0x6F00},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(cos_sw(cases[i].result), cases[i].sw);
    }
}

static void numbers_that_are_no_result_become_6F00(void **state)
{
    static const int strange[] = {1, 2, 31, 127, 0x9000, 0x7FFFFFFF, -128, -50, -63, -1000};

    (void)state;
    for (size_t i = 0; i < COUNT(strange); i++) {
        assert_int_equal(cos_sw((enum cos_result)strange[i]), 0x6F00);
    }
    assert_int_equal(cos_sw((enum cos_result)(-0x7FFFFFFF - 1)), 0x6F00);
}

static void tries_left_becomes_63CX(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 16; n++) {
        assert_int_equal(cos_sw(cos_tries_left(n)), 0x63C0 + n);
    }
    assert_int_equal(cos_tries_left(15), COS_E_TRIES_15);
    assert_int_equal(cos_sw(cos_tries_left(16)), 0x63CF);
    assert_int_equal(cos_sw(cos_tries_left(0xFFFFFFFF)), 0x63CF);
}

static void four_results_are_warnings(void **state)
{
    (void)state;
    for (int i = -128; i <= 128; i++) {
        const uint16_t sw = cos_sw((enum cos_result)i);
        const bool warning = sw == 0x6282 || sw == 0x6283 || sw == 0x6285 || sw == 0x6310;

        assert_int_equal(cos_is_warning((enum cos_result)i) != 0, warning);
    }
}

static enum cos_result checked(int what)
{
    COS_CHECK(what != 1, COS_E_DATA);
    COS_INVARIANT(what != 2);
    COS_TRY(what == 3 ? COS_E_NVM : COS_OK);
    return COS_OK;
}

static void checks_end_a_function_with_their_error(void **state)
{
    (void)state;
    assert_int_equal(checked(0), COS_OK);
    assert_int_equal(checked(1), COS_E_DATA);
    assert_int_equal(checked(2), COS_E_INVARIANT);
    assert_int_equal(checked(3), COS_E_NVM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_big_endian),
        cmocka_unit_test(reader_hands_out_what_is_there),
        cmocka_unit_test(reader_stops_at_the_first_read_that_does_not_fit),
        cmocka_unit_test(reader_survives_absurd_lengths),
        cmocka_unit_test(writer_stops_at_the_first_write_that_does_not_fit),
        cmocka_unit_test(writer_survives_absurd_lengths),
        cmocka_unit_test(crc_has_its_known_answers),
        cmocka_unit_test(crc_continues_at_every_split),
        cmocka_unit_test(yes_and_no_differ_in_every_bit),
        cmocka_unit_test(secrets_of_one_byte_compare_as_they_are),
        cmocka_unit_test(one_bit_anywhere_makes_secrets_differ),
        cmocka_unit_test(wiping_zeroes_what_it_is_told_and_no_more),
        cmocka_unit_test(each_result_has_the_status_word_of_its_comment),
        cmocka_unit_test(well_known_status_words),
        cmocka_unit_test(numbers_that_are_no_result_become_6F00),
        cmocka_unit_test(tries_left_becomes_63CX),
        cmocka_unit_test(four_results_are_warnings),
        cmocka_unit_test(checks_end_a_function_with_their_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
