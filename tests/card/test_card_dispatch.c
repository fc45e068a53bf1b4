/* SPDX-License-Identifier: Apache-2.0
 *
 * From bytes to a handler: malformed APDUs, class and instruction, every pair of them, GET RESPONSE
 * (ISO/IEC 7816-4:2013, 5.1, 5.4.1, 11.8.1).
 */
#include "card_table.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define INFORMATION "C00106 C108 5443000000001234 C203 000100 C3010F"

/* ---- Malformed and unknown ---- */

static void malformed_apdus_are_6700(void **state)
{
    struct bench *bench = *state;
    struct vectors *vectors = vectors_open("iso7816-4-apdu.txt");
    const struct vector_section *section = vectors_section(vectors, "malformed");
    unsigned count = 0;

    for (unsigned i = 0; i < 32; i++) {
        const struct vector_entry *entry = vector_find(section, "bad%u", i);
        struct card_image image;
        if (entry == NULL) {
            continue;
        }
        card_image_take(bench, &image);
        uint16_t sw = bench_apdu(bench, entry->bytes.data, entry->bytes.length);
        if (sw != 0x6700 || bench->length != 0 || !card_image_same(bench, &image)) {
            fail_msg("%s: %04X", vector_text(section, "why%u", i), sw);
        }
        count++;
    }
    assert_int_equal(count, 12);
    vectors_close(vectors);
    bench_expect(bench, "00CA010100", 0x9000, INFORMATION);
}

static void class_and_instruction_errors(void **state)
{
    struct bench *bench = *state;
    struct vectors *vectors = vectors_open("iso7816-4-apdu.txt");
    const struct vector_section *section = vectors_section(vectors, "class and instruction errors");
    unsigned count = 0;

    for (; vector_find(section, "apdu%u", count) != NULL; count++) {
        struct cos_span apdu = vector_bytes(section, "apdu%u", count);
        struct cos_span sw = vector_bytes(section, "sw%u", count);
        assert_int_equal(sw.length, 2);
        assert_int_equal(bench_apdu(bench, apdu.data, apdu.length), cos_get16(sw.data));
    }
    assert_int_equal(count, 6);
    vectors_close(vectors);
}

/* The first check that fails decides: each row is wrong in everything behind its own error too. */
static void checks_stand_in_their_order(void **state)
{
    static const struct card_row rows[] = {
        {"length before class", "FF60000002 00", 0x6700, NULL, 0},
        {"class FF", "FF600000", 0x6E00, NULL, 0},
        {"class 2X", "2C600000", 0x6E00, NULL, 0},
        {"class 90", "90A40000", 0x6E00, NULL, 0},
        {"class A0", "A0A40000", 0x6E00, NULL, 0},
        {"class B0", "B0A40000", 0x6E00, NULL, 0},
        {"class D0", "D0A40000", 0x6E00, NULL, 0},
        {"class F0", "F0A40000", 0x6E00, NULL, 0},
        {"channel before secure messaging", "1D600000", 0x6881, NULL, 0},
        {"channel 1", "01A40000", 0x6881, NULL, 0},
        {"channel 3", "03A40000", 0x6881, NULL, 0},
        {"channel 4", "40A40000", 0x6881, NULL, 0},
        {"channel 19", "4FA40000", 0x6881, NULL, 0},
        {"GlobalPlatform channel 1", "81CA0066", 0x6881, NULL, 0},
        {"GlobalPlatform channel 4", "C0CA0066", 0x6881, NULL, 0},
        {"GlobalPlatform channel 4 with secure messaging", "E0CA0066", 0x6881, NULL, 0},
        {"secure messaging before the instruction", "18600000", 0x6882, NULL, 0},
        {"secure messaging of a part before the instruction", "1C600000", 0x6987, NULL, 0},
        {"ISO secure messaging", "08A40000", 0x6882, NULL, 0},
        {"ISO secure messaging, header", "0CA40000", 0x6987, NULL, 0},
        {"GlobalPlatform class, b4", "88CA0066", 0x6882, NULL, 0},
        {"GlobalPlatform class, b4b3", "8CCA0066", 0x6882, NULL, 0},
        {"instruction 60 of a part", "10600000", 0x6D00, NULL, 0},
        {"a part without data", "10A40000", 0x6700, NULL, 0},
        {"instruction 60", "00600000", 0x6D00, NULL, 0},
        {"instruction 6F", "006F0000", 0x6D00, NULL, 0},
        {"instruction 90", "00900000", 0x6D00, NULL, 0},
        {"instruction 9F", "809F0000", 0x6D00, NULL, 0},
        {"instruction of the other class", "00500000", 0x6D00, NULL, 0},
        {"instruction of the other class", "80A40000", 0x6D00, NULL, 0},
        {"MANAGE CHANNEL with data", "00700000 01 00", 0x6700, NULL, 0},
        {"ENVELOPE", "00C20000 01 00", 0x6D00, NULL, 0},
        {"secure messaging before P1-P2", "80D8FFFF", 0x6982, NULL, 0},
        {"P1-P2 before the length", "00A4FFFF 01 00", 0x6A86, NULL, 0},
        {"length before the object", "00A40000 01 00", 0x6700, NULL, 0},
        {"the object before its rule", "00B09E0000", 0x6A82, NULL, 0},
    };
    struct bench *bench = *state;

    BENCH_ROWS(bench, rows);
    bench_select(bench);
    bench_expect(bench, "00B081FF00", 0x6982, NULL); /* the rule before the offset */
}

/* Each class byte of the vectors with an instruction that is served. */
static void class_bytes(void **state)
{
    struct bench *bench = *state;
    struct vectors *vectors = vectors_open("iso7816-4-cla.txt");
    unsigned count = 0;

    for (size_t i = 0; i < vectors->count; i++) {
        const struct vector_section *section = &vectors->sections[i];
        if (vector_find(section, "cla") == NULL) {
            continue;
        }
        const char *sm = vector_text(section, "sm");
        const uint8_t apdu[] = {vector_exactly(section, 1, "cla")[0], 0xA4, 0x00, 0x0C};
        uint16_t wanted = vector_number(section, "chaining_n") != 0 ? 0x6700 : 0x9000;
        if (strcmp(sm, "iso") == 0) {
            wanted = 0x6882;
        } else if (strcmp(sm, "none") != 0) {
            wanted = 0x6987; /* and there is no MAC */
        }
        if (vector_number(section, "channel_n") != 0) {
            wanted = 0x6881;
        }
        assert_int_equal(bench_apdu(bench, apdu, sizeof apdu), wanted);
        count++;
    }
    const struct vector_section *chain = vectors_section(vectors, "command chaining");
    struct cos_span part = vector_bytes(chain, "part1");
    assert_int_equal(bench_apdu(bench, part.data, part.length),
                     cos_get16(vector_exactly(chain, 2, "part1_sw")));
    assert_in_range(count, 20, 40);
    vectors_close(vectors);
}

/* ---- Every class with every instruction ---- */

static const uint16_t case_1_words[] = {
    0x9000, /* SELECT of the MF, GET CHALLENGE */
    0x6700, 0x6881, 0x6882, 0x6884, 0x6982, 0x6985, 0x6986, 0x6987, 0x6981,
    0x6A81, 0x6A82, 0x6A83, 0x6A86, 0x6A88, 0x6B00, 0x6D00, 0x6E00,
};

static bool is_one_of(uint16_t sw, const uint16_t *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (words[i] == sw) {
            return true;
        }
    }
    return false;
}

/* The class part of the answer, apart from the card's code. */
static uint16_t class_answer(unsigned cla)
{
    if (cla == 0xFF || (cla & 0xE0) == 0x20 || (cla >= 0x90 && cla <= 0xBF) ||
        (cla >= 0xD0 && cla <= 0xDF) || cla >= 0xF0) {
        return 0x6E00;
    }
    if ((cla & 0x40) != 0 || (cla & 0x03) != 0) {
        return 0x6881;
    }
    if ((cla & 0x0C) == 0x08 || cla == 0x8C) {
        return 0x6882;
    }
    return 0;
}

static void every_class_and_instruction(void **state)
{
    struct bench *bench = *state;
    struct card_image image;
    unsigned served = 0;

    card_image_take(bench, &image);
    for (unsigned cla = 0; cla < 256; cla++) {
        const uint16_t wanted = class_answer(cla);
        for (unsigned ins = 0; ins < 256; ins++) {
            const uint8_t apdu[] = {(uint8_t)cla, (uint8_t)ins, 0x00, 0x00};
            uint16_t sw = bench_apdu(bench, apdu, sizeof apdu);
            if (ins == 0x70 && sw == 0x9000) {
                bench_reset(bench); /* closes the channel again */
            }
            const bool invalid = (ins & 0xF0) == 0x60 || (ins & 0xF0) == 0x90;
            bool good = is_one_of(sw, case_1_words, CARD_COUNT(case_1_words));
            good = good && (wanted == 0 || sw == wanted);
            /* CLA 04, 0C and 84: secure messaging is looked at before the instruction */
            good = good && (wanted != 0 || !invalid || sw == ((cla & 0x04) != 0 ? 0x6987 : 0x6D00));
            if (!good) {
                fail_msg("%02X %02X: %04X", cla, ins, sw);
            }
            served += wanted == 0 && sw != 0x6D00 && (cla & 0x14) == 0 ? 1 : 0;
        }
    }
    assert_true(card_image_same(bench, &image)); /* not one of them writes anything */
    print_message("# 65536 pairs, %u served\n", served);
    assert_int_equal(served, 56); /* the table's rows, GET DATA twice, GET RESPONSE twice */
    bench_expect(bench, "00CA010100", 0x9000, INFORMATION);
}

/* The same with a body of every case, in the classes that are served. */
static void every_instruction_in_every_case(void **state)
{
    static const char *const bodies[] = {
        "00",
        "08",
        "01 00",
        "02 3F00 00",
        "08 0000000000000000",
        "10 00000000000000000000000000000000 00",
        "000000",
        "000001 FF",
        "000001 FF 0000",
        "FF",
        "0000",
    };
    static const uint8_t classes[] = {0x00, 0x80, 0x04, 0x84};
    static const uint8_t parameters[][2] = {{0x00, 0x00}, {0x00, 0x81}, {0x80, 0x00}, {0xFF, 0xFF}};
    struct bench *bench = *state;
    unsigned count = 0;

    bench_select(bench);
    for (size_t c = 0; c < CARD_COUNT(classes); c++) {
        for (unsigned ins = 0; ins < 256; ins++) {
            for (size_t b = 0; b < CARD_COUNT(bodies) * CARD_COUNT(parameters); b++) {
                const uint8_t *p = parameters[b % CARD_COUNT(parameters)];
                uint8_t apdu[32] = {classes[c], (uint8_t)ins, p[0], p[1]};
                size_t length = bench_bytes(bodies[b / CARD_COUNT(parameters)], apdu + 4, 28);
                uint16_t sw = bench_apdu(bench, apdu, 4 + length);
                const unsigned kind = sw >> 8;
                /* Errors carry no data; no answer is "no precise diagnosis". */
                if (sw == 0x6F00 || kind < 0x61 || (kind > 0x6E && sw != 0x9000) ||
                    (bench->length != 0 && sw != 0x9000 && kind != 0x61 && kind != 0x62)) {
                    fail_msg("%02X %02X %02X %02X %s: %04X with %zu bytes", apdu[0], apdu[1],
                             apdu[2], apdu[3], bodies[b / CARD_COUNT(parameters)], sw,
                             bench->length);
                }
                count++;
            }
        }
    }
    print_message("# %u commands\n", count);
    bench_expect(bench, "00CA010100", 0x9000, INFORMATION);
    bench_reset(bench);
}

/* ---- GET RESPONSE ---- */

#define FCP_5101 "6217 80020080 82020121 83025101 8A0105 8C0303C090 880108"

static void a_response_is_fetched_in_pieces(void **state)
{
    static const struct card_row rows[] = {
        {"nothing waits", "00C0000000", 0x6985, NULL, 0},
        {"five bytes", "00A4000402510105", 0x6114, "6217800200", CARD_KEEPS},
        {"four more", "00C0000004", 0x6110, "80820201", CARD_KEEPS},
        {"one more, GlobalPlatform class", "80C0000001", 0x610F, "21", CARD_KEEPS},
        {"P1", "00C001000F", 0x6A86, NULL, 0},
        {"P2", "00C000010F", 0x6A86, NULL, 0},
        {"with data", "00C00000 01 00", 0x6700, NULL, 0},
        {"malformed", "00C0000000FF", 0x6700, NULL, 0},
        {"what waited still does", "00C0000002", 0x610D, "8302", CARD_KEEPS},
        {"all the rest", "00C0000000", 0x9000, "51018A01058C0303C090880108", CARD_KEEPS},
        {"nothing waits", "00C0000000", 0x6985, NULL, 0},
        {"five bytes", "00A4000402510105", 0x6114, "6217800200", CARD_KEEPS},
        {"more than there is", "00C00000FF", 0x9000, "80820201218302*", CARD_KEEPS},
        {"five bytes", "00A4000402510105", 0x6114, "6217800200", CARD_KEEPS},
        {"no Le", "00C00000", 0x9000, "80820201218302*", CARD_KEEPS},
        {"five bytes", "00A4000402510105", 0x6114, "6217800200", CARD_KEEPS},
        {"extended Le", "00C00000000003", 0x6111, "808202", CARD_KEEPS},
        {"another command", "0084000008", 0x9000, CARD_ANY, CARD_KEEPS},
        {"has dropped it", "00C0000000", 0x6985, NULL, 0},
        {"five bytes", "00A4000402510105", 0x6114, "6217800200", CARD_KEEPS},
        {"a command that is none", "00FF0000", 0x6D00, NULL, 0},
        {"has dropped it", "00C0000000", 0x6985, NULL, 0},
        {"five bytes", "00A4000402510105", 0x6114, "6217800200", CARD_KEEPS},
        {"bytes that are none", "00", 0x6700, NULL, 0},
        {"have dropped it", "00C0000000", 0x6985, NULL, 0},
        {"channel 1", "01C0000000", 0x6881, NULL, 0},
        {"chaining", "10C0000000", 0x6D00, NULL, 0},
        {"exactly what there is", "00A4000402510119", 0x9000, FCP_5101, CARD_KEEPS},
        {"nothing waits", "00C0000000", 0x6985, NULL, 0},
        {"more than there is", "00A40004025101FF", 0x9000, FCP_5101, CARD_KEEPS},
        {"one byte less", "00A4000402510118", 0x6101, "6217*", CARD_KEEPS},
        {"the last", "00C0000001", 0x9000, "08", CARD_KEEPS},
        {"an error leaves nothing to fetch", "00A4000402123405", 0x6A82, NULL, 0},
        {"nothing waits", "00C0000000", 0x6985, NULL, 0},
    };
    struct bench *bench = *state;

    bench_select(bench);
    BENCH_ROWS(bench, rows);
    bench_expect(bench, "00A4000402510105", 0x6114, CARD_ANY);
    bench_reset(bench);
    bench_expect(bench, "00C0000000", 0x6985, NULL);
}

/* ---- Mute ---- */

/* A chip whose self-test failed answers 6F00 to everything, and nothing else. */
static void a_mute_card_says_6f00(void **state)
{
    static const char *const commands[] = {"00A40000",      "00CA010100",
                                           "00C0000000",    "",
                                           "00FF0000",      "8050010008 0102030405060708 00",
                                           "80F28000024F00"};
    struct bench *bench = *state;

    bench_power_off(bench);
    bench->rom_image[5] ^= 0x01;
    assert_false(bench_power_on(bench));
    struct card_image image;
    card_image_take(bench, &image);
    for (size_t i = 0; i < CARD_COUNT(commands); i++) {
        assert_int_equal(bench_hex(bench, commands[i]), 0x6F00);
        assert_int_equal(bench->length, 0);
    }
    assert_true(card_image_same(bench, &image));
    bench_power_off(bench);
    bench->rom_image[5] ^= 0x01;
    assert_true(bench_power_on(bench));
    bench_expect(bench, "00CA010100", 0x9000, INFORMATION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(malformed_apdus_are_6700),        CARD_TEST(class_and_instruction_errors),
        CARD_TEST(checks_stand_in_their_order),     CARD_TEST(class_bytes),
        CARD_TEST(every_class_and_instruction),     CARD_TEST(every_instruction_in_every_case),
        CARD_TEST(a_response_is_fetched_in_pieces), CARD_TEST(a_mute_card_says_6f00),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
