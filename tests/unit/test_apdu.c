/* SPDX-License-Identifier: Apache-2.0
 *
 * Command APDUs: the seven forms and everything that is none of them, class byte, instruction byte.
 */
#include "cos/apdu.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *const form_names[] = {"1", "2S", "3S", "4S", "2E", "3E", "4E"};

/* What must come out of bytes that are an APDU; form -1 if they are none. */
struct expected {
    int form;
    size_t data_at, nc;
    uint32_t ne;
};

/* Independent of the parser: tries every row of ISO/IEC 7816-3:2006, table 11 as a description of
 * the whole APDU. No two rows may describe the same bytes. */
static struct expected table_11(const uint8_t *apdu, size_t length)
{
    struct expected found = {.form = -1};
    const size_t lc = length > 4 ? apdu[4] : 0;
    const bool extended = length >= 7 && lc == 0;
    const size_t long_lc = extended ? (size_t)apdu[5] * 256 + apdu[6] : 0;
    const uint8_t last = length > 4 ? apdu[length - 1] : 0;
    const uint32_t last2 = length > 5 ? apdu[length - 2] * 256U + last : 0;
    const struct {
        bool matches;
        struct expected row;
    } rows[] = {
        {length == 4, {COS_CASE_1, 0, 0, 0}},
        {length == 5, {COS_CASE_2S, 0, 0, last == 0 ? 256 : last}},
        {lc > 0 && length == 4 + 1 + lc, {COS_CASE_3S, 5, lc, 0}},
        {lc > 0 && length == 4 + 1 + lc + 1, {COS_CASE_4S, 5, lc, last == 0 ? 256 : last}},
        {extended && length == 7, {COS_CASE_2E, 0, 0, last2 == 0 ? 65536 : last2}},
        {long_lc > 0 && length == 4 + 3 + long_lc, {COS_CASE_3E, 7, long_lc, 0}},
        {long_lc > 0 && length == 4 + 3 + long_lc + 2,
         {COS_CASE_4E, 7, long_lc, last2 == 0 ? 65536 : last2}},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].matches) {
            assert_int_equal(found.form, -1);
            found = rows[i].row;
        }
    }
    return found;
}

/* `apdu` must be a block of exactly `length` bytes, so that the address sanitizer sees the first
 * byte too many. */
static void check_parse(const uint8_t *apdu, size_t length, const struct expected *wanted)
{
    struct cos_command command;
    const struct cos_command untouched = {.cla = 0x5A, .nc = 0x5A5A, .ne = 0x5A5A5A5A};

    command = untouched;
    if (wanted->form < 0) {
        assert_int_equal(cos_apdu_parse(apdu, length, &command), COS_E_LENGTH);
        assert_int_equal(command.cla, untouched.cla); /* nothing is handed out */
        assert_int_equal(command.nc, untouched.nc);
        assert_int_equal(command.ne, untouched.ne);
        return;
    }
    assert_int_equal(cos_apdu_parse(apdu, length, &command), COS_OK);
    assert_int_equal(command.cla, apdu[0]);
    assert_int_equal(command.ins, apdu[1]);
    assert_int_equal(command.p1, apdu[2]);
    assert_int_equal(command.p2, apdu[3]);
    assert_int_equal(command.form, wanted->form);
    assert_int_equal(command.nc, wanted->nc);
    assert_int_equal(command.ne, wanted->ne);
    assert_ptr_equal(command.data, wanted->nc > 0 ? apdu + wanted->data_at : NULL);
}

static void check_exact_copy(const uint8_t *apdu, size_t length, const struct expected *wanted)
{
    uint8_t *copy = malloc(length == 0 ? 1 : length);

    assert_non_null(copy);
    for (size_t i = 0; i < length; i++) {
        copy[i] = apdu[i];
    }
    check_parse(copy, length, wanted);
    free(copy);
}

static int form_of(const char *name)
{
    for (size_t i = 0; i < COUNT(form_names); i++) {
        if (strcmp(form_names[i], name) == 0) {
            return (int)i;
        }
    }
    fail_msg("case %s", name);
    return -1;
}

static void check_case_vector(const struct vector_section *section)
{
    const struct cos_span apdu = vector_bytes(section, "apdu");
    const struct cos_span data = vector_bytes(section, "data");
    const struct expected wanted = {
        .form = form_of(vector_text(section, "case")),
        .data_at = vector_number(section, "extended_n") ? 7 : 5,
        .nc = data.length,
        .ne = (uint32_t)vector_number(section, "ne_n"),
    };

    check_exact_copy(apdu.data, apdu.length, &wanted);
    if (data.length > 0) {
        assert_memory_equal(apdu.data + wanted.data_at, data.data, data.length);
    }
}

/* An APDU of which only header and total length are given. */
static void check_header_vector(const struct vector_section *section)
{
    const struct cos_span first = vector_bytes(section, "first_bytes");
    const size_t length = (size_t)vector_number(section, "total_len_n");
    const struct expected wanted = {COS_CASE_3E, 7, 65535, 0};
    uint8_t *apdu = calloc(1, length);

    assert_non_null(apdu);
    assert_int_equal(length, 65542);
    assert_int_equal(first.length, 7);
    memcpy(apdu, first.data, first.length);
    check_parse(apdu, length, &wanted);
    free(apdu);
}

static void vectors_of_the_cases(void **state)
{
    struct vectors *vectors = vectors_open("iso7816-4-apdu.txt");
    unsigned cases = 0, headers = 0;

    (void)state;
    for (size_t i = 0; i < vectors->count; i++) {
        const struct vector_section *section = &vectors->sections[i];

        if (vector_find(section, "case") != NULL) {
            check_case_vector(section);
            cases++;
        } else if (vector_find(section, "first_bytes") != NULL) {
            check_header_vector(section);
            headers++;
        }
    }
    assert_int_equal(headers, 1);
    assert_int_equal(cases + headers + 2, vectors->count); /* two sections of errors */
    vectors_close(vectors);
    assert_int_equal(cases, 20);
}

static void vectors_of_malformed_apdus(void **state)
{
    struct vectors *vectors = vectors_open("iso7816-4-apdu.txt");
    const struct vector_section *section = vectors_section(vectors, "malformed");
    const struct expected none = {.form = -1};
    unsigned seen = 0;

    (void)state;
    for (size_t i = 0; i < section->count; i++) {
        const struct vector_entry *entry = &section->entries[i];

        if (entry->kind == VECTOR_BYTES) {
            check_exact_copy(entry->bytes.data, entry->bytes.length, &none);
            seen++;
        }
    }
    assert_int_equal(seen * 2, section->count); /* each has a reason beside it */
    vectors_close(vectors);
    assert_int_equal(seen, 12);
}

/* The status word that class and instruction byte alone lead to. */
static uint16_t sw_of_header(const struct cos_command *command)
{
    struct cos_class class_;
    enum cos_result result = cos_apdu_class(command->cla, &class_);

    if (result == COS_OK && !cos_apdu_instruction_valid(command->ins)) {
        result = COS_E_INSTRUCTION;
    }
    return cos_sw(result);
}

static void vectors_of_class_and_instruction_errors(void **state)
{
    struct vectors *vectors = vectors_open("iso7816-4-apdu.txt");
    const struct vector_section *section = vectors_section(vectors, "class and instruction errors");
    unsigned i;

    (void)state;
    for (i = 0; vector_find(section, "apdu%u", i) != NULL; i++) {
        const struct cos_span apdu = vector_bytes(section, "apdu%u", i);
        uint16_t wanted = cos_get16(vector_exactly(section, 2, "sw%u", i));
        struct cos_command command;

        assert_int_equal(cos_apdu_parse(apdu.data, apdu.length, &command), COS_OK);
        if (command.ins == 0xFF) {
            wanted = 0x9000; /* is an instruction byte; that no command has it, the table says */
        }
        assert_int_equal(sw_of_header(&command), wanted);
    }
    assert_int_equal(i * 2, section->count);
    vectors_close(vectors);
    assert_int_equal(i, 6);
}

/* Everything of 0 to 9 bytes whose body is made of bytes that matter to a parser: every
 * form but 4E, and an extended Lc of 0 with something like an Le behind it. */
static void every_short_apdu_agrees_with_the_table(void **state)
{
    static const uint8_t values[] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05,
                                     0x06, 0x07, 0x7F, 0x80, 0xFE, 0xFF};
    static const uint8_t headers[][4] = {{0x00, 0xA4, 0x04, 0x00}, {0xFF, 0xFF, 0xFF, 0xFF}, {0}};
    unsigned forms[COUNT(form_names)] = {0}, refused = 0;

    (void)state;
    for (size_t length = 0; length <= 9; length++) {
        const size_t body = length > 4 ? length - 4 : 0;
        uint8_t *apdu = malloc(length == 0 ? 1 : length);
        size_t combinations = COUNT(headers);

        assert_non_null(apdu);
        for (size_t i = 0; i < body; i++) {
            combinations *= COUNT(values);
        }
        for (size_t number = 0; number < combinations; number++) {
            struct expected wanted = {.form = -1};
            size_t rest = number / COUNT(headers);

            for (size_t i = 0; i < length && i < 4; i++) {
                apdu[i] = headers[number % COUNT(headers)][i];
            }
            for (size_t i = 0; i < body; i++, rest /= COUNT(values)) {
                apdu[4 + i] = values[rest % COUNT(values)];
            }
            if (length >= 4) {
                wanted = table_11(apdu, length);
            }
            check_parse(apdu, length, &wanted);
            *(wanted.form < 0 ? &refused : &forms[wanted.form]) += 1;
        }
        free(apdu);
    }
    for (size_t i = 0; i < COUNT(forms); i++) { /* 4E has ten bytes at least */
        assert_int_equal(forms[i] > 0, i != COS_CASE_4E);
    }
    assert_true(refused > 0);
}

/* Nc and Ne at their limits in both kinds of length field, each APDU also one or two bytes too
 * short and too long. */
static void limits_of_nc_and_ne_agree_with_the_table(void **state)
{
    static const size_t ncs[] = {1, 2, 254, 255, 256, 257, 512, 65534, 65535};
    static const size_t le_bytes[] = {0, 1, 2};
    static const uint16_t les[] = {0, 1, 0xFF, 0x100, 0xFFFF};
    static uint8_t apdu[65536 + 16];
    unsigned accepted = 0;

    (void)state;
    for (size_t n = 0; n < COUNT(ncs) * 2; n++) {
        const bool extended = n % 2 == 1;
        const size_t nc = ncs[n / 2], front = extended ? 7 : 5;

        if (!extended && nc > 255) {
            continue;
        }
        for (size_t l = 0; l < COUNT(le_bytes) * COUNT(les); l++) {
            const size_t total = front + nc + le_bytes[l / COUNT(les)];

            memset(apdu, 0x33, sizeof apdu);
            cos_put16(apdu + total - 2, les[l % COUNT(les)]);
            if (extended) { /* after Le, which may reach into Lc when there are few data */
                cos_put16(apdu + 5, (uint16_t)nc);
            }
            apdu[4] = extended ? 0 : (uint8_t)nc;
            for (size_t length = total - 2; length <= total + 2; length++) {
                const struct expected wanted = table_11(apdu, length);

                check_exact_copy(apdu, length, &wanted);
                accepted += wanted.form >= 0;
            }
        }
    }
    assert_true(accepted >= 2 * 15 * (4 + 9));
}

static void class_vectors(void **state)
{
    static const char *const names[] = {"none", "proprietary", "iso", "iso-header"};
    struct vectors *vectors = vectors_open("iso7816-4-cla.txt");
    unsigned seen = 0;

    (void)state;
    for (size_t i = 0; i < vectors->count; i++) {
        const struct vector_section *section = &vectors->sections[i];
        struct cos_class class_;

        if (vector_find(section, "cla") == NULL) {
            continue;
        }
        seen++;
        assert_int_equal(cos_apdu_class(vector_exactly(section, 1, "cla")[0], &class_), COS_OK);
        assert_false(class_.proprietary);
        assert_int_equal(class_.chaining, vector_number(section, "chaining_n"));
        assert_in_range(class_.sm, 0, COUNT(names) - 1);
        assert_string_equal(names[class_.sm], vector_text(section, "sm"));
        assert_int_equal(class_.channel, vector_number(section, "channel_n"));
    }
    vectors_close(vectors);
    assert_int_equal(seen, 21);
}

static void reserved_class_vectors(void **state)
{
    struct vectors *vectors = vectors_open("iso7816-4-cla.txt");
    const struct vector_section *rfu = vectors_section(vectors, "rfu");
    const uint8_t last = vector_exactly(rfu, 1, "last")[0];
    struct cos_class class_;
    unsigned cla = vector_exactly(rfu, 1, "first")[0];

    (void)state;
    assert_int_equal(last - cla, 31);
    for (; cla <= last; cla++) {
        assert_int_equal(cos_apdu_class((uint8_t)cla, &class_), COS_E_CLASS);
    }
    cla = vector_exactly(vectors_section(vectors, "proprietary"), 1, "invalid")[0];
    assert_int_equal(cos_apdu_class((uint8_t)cla, &class_), COS_E_CLASS);
    vectors_close(vectors);
}

/* All 256 values: ISO/IEC 7816-4:2013, tables 2 and 3, and GPCS 11.1.4. Within a row the channel
 * counts up. */
static void every_class_byte_is_decoded(void **state)
{
    static const struct {
        unsigned first, last;
        enum cos_result result;
        struct cos_class class_;
    } rows[] = {
        {0x00, 0x03, COS_OK, {false, false, COS_CLASS_SM_NONE, 0}},
        {0x04, 0x07, COS_OK, {false, false, COS_CLASS_SM_PROPRIETARY, 0}},
        {0x08, 0x0B, COS_OK, {false, false, COS_CLASS_SM_ISO, 0}},
        {0x0C, 0x0F, COS_OK, {false, false, COS_CLASS_SM_ISO_HEADER, 0}},
        {0x10, 0x13, COS_OK, {false, true, COS_CLASS_SM_NONE, 0}},
        {0x14, 0x17, COS_OK, {false, true, COS_CLASS_SM_PROPRIETARY, 0}},
        {0x18, 0x1B, COS_OK, {false, true, COS_CLASS_SM_ISO, 0}},
        {0x1C, 0x1F, COS_OK, {false, true, COS_CLASS_SM_ISO_HEADER, 0}},
        {0x20, 0x3F, COS_E_CLASS, {0}},
        {0x40, 0x4F, COS_OK, {false, false, COS_CLASS_SM_NONE, 4}},
        {0x50, 0x5F, COS_OK, {false, true, COS_CLASS_SM_NONE, 4}},
        {0x60, 0x6F, COS_OK, {false, false, COS_CLASS_SM_ISO, 4}},
        {0x70, 0x7F, COS_OK, {false, true, COS_CLASS_SM_ISO, 4}},
        {0x80, 0x83, COS_OK, {true, false, COS_CLASS_SM_NONE, 0}},
        {0x84, 0x87, COS_OK, {true, false, COS_CLASS_SM_PROPRIETARY, 0}},
        {0x88, 0x8B, COS_OK, {true, false, COS_CLASS_SM_ISO, 0}},
        {0x8C, 0x8F, COS_OK, {true, false, COS_CLASS_SM_ISO_HEADER, 0}},
        {0x90, 0xBF, COS_E_CLASS, {0}},
        {0xC0, 0xCF, COS_OK, {true, false, COS_CLASS_SM_NONE, 4}},
        {0xD0, 0xDF, COS_E_CLASS, {0}},
        {0xE0, 0xEF, COS_OK, {true, false, COS_CLASS_SM_PROPRIETARY, 4}},
        {0xF0, 0xFF, COS_E_CLASS, {0}},
    };
    unsigned cla = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(rows[i].first, cla); /* no value is left out */
        for (; cla <= rows[i].last; cla++) {
            struct cos_class class_ = {.channel = 0x5A};

            assert_int_equal(cos_apdu_class((uint8_t)cla, &class_), rows[i].result);
            if (rows[i].result == COS_OK) {
                assert_int_equal(class_.proprietary, rows[i].class_.proprietary);
                assert_int_equal(class_.chaining, rows[i].class_.chaining);
                assert_int_equal(class_.sm, rows[i].class_.sm);
                assert_int_equal(class_.channel, rows[i].class_.channel + cla - rows[i].first);
            } else {
                assert_int_equal(class_.channel, 0x5A);
            }
        }
    }
    assert_int_equal(cla, 256);
}

/* ISO/IEC 7816-3:2006, 10.3.3: 6X and 9X would be taken for SW1. */
static void status_bytes_are_no_instructions(void **state)
{
    (void)state;
    for (unsigned ins = 0; ins < 256; ins++) {
        const bool status = (ins >= 0x60 && ins <= 0x6F) || (ins >= 0x90 && ins <= 0x9F);

        assert_int_equal(cos_apdu_instruction_valid((uint8_t)ins), !status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_of_the_cases),
        cmocka_unit_test(vectors_of_malformed_apdus),
        cmocka_unit_test(vectors_of_class_and_instruction_errors),
        cmocka_unit_test(every_short_apdu_agrees_with_the_table),
        cmocka_unit_test(limits_of_nc_and_ne_agree_with_the_table),
        cmocka_unit_test(class_vectors),
        cmocka_unit_test(reserved_class_vectors),
        cmocka_unit_test(every_class_byte_is_decoded),
        cmocka_unit_test(status_bytes_are_no_instructions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
