/* SPDX-License-Identifier: Apache-2.0
 *
 * READ and UPDATE BINARY, READ and UPDATE RECORD, CREATE FILE through the whole card: offsets,
 * lengths, record pointer, every refusal with its status word, and memory that is full.
 *
 * In DF 5100 besides the finished card's files: EF 5104 (300 bytes, free, SFI 4) and EF 5105
 * (4 records of 8 bytes, free, SFI 5).
 */
#include "card_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RECORD_1 "1111111111111111"
#define RECORD_2 "2222222222222222"
#define RECORD_3 "3333333333333333"
#define RECORD_4 "4444444444444444"

/* The issuer's session, in DF 5100. */
static void open_application(struct bench *bench)
{
    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A40400 09 F05457494E434F5301", 0x9000, CARD_ANY);
}

static void after_reset(struct bench *bench, const char *select)
{
    bench_reset(bench);
    bench_select(bench);
    bench_expect(bench, select, 0x9000, NULL);
}

static int make_files(void **state)
{
    struct bench *bench;

    card_make(state);
    bench = *state;
    open_application(bench);
    assert_int_equal(
        bench_create(bench, true, "820101 83025104 8002012C 880120 8C03030000"), 0x9000);
    assert_int_equal(
        bench_create(bench, true, "82050221000804 83025105 80020020 880128 8C03030000"), 0x9000);
    bench_select(bench);
    bench_expect(bench, "00DC012C 08" RECORD_1, 0x9000, NULL);
    bench_expect(bench, "00DC0204 08" RECORD_2, 0x9000, NULL);
    bench_expect(bench, "00DC0304 08" RECORD_3, 0x9000, NULL);
    bench_expect(bench, "00DC0404 08" RECORD_4, 0x9000, NULL);
    bench_select(bench);
    return 0;
}

/* ---- Transparent EFs ---- */

static void binary_content_is_what_was_written(void **state)
{
    static const struct card_row rows[] = {
        {"no current EF", "00B0000000", 0x6986, NULL, 0},
        {"no current EF, update", "00D600000100", 0x6986, NULL, 0},
        {"write by SFI at an offset", "00D684FE 04 A1A2A3A4", 0x9000, NULL, 0},
        {"read over FF by 15-bit offset: SFI made it current", "00B000FE04", 0x9000, "A1A2A3A4",
         CARD_KEEPS},
        {"read by SFI", "00B084FF02", 0x9000, "A2A3", CARD_KEEPS},
        {"what was never written is 00", "00B0010203", 0x9000, "000000", CARD_KEEPS},
        {"last byte", "00D6012B 01 77", 0x9000, NULL, 0},
        {"read up to the end exactly", "00B0012A02", 0x9000, "0077", CARD_KEEPS},
        {"over the end", "00B0012A03", 0x6282, "0077", CARD_KEEPS},
        {"over the end, Le 00", "00B0012A00", 0x9000, "0077", CARD_KEEPS},
        {"over the end, no Le", "00B0012A", 0x9000, "0077", CARD_KEEPS},
        {"over the end, extended Le 0000", "00B0012A000000", 0x9000, "0077", CARD_KEEPS},
        {"over the end, extended Le 0002", "00B0012A000002", 0x9000, "0077", CARD_KEEPS},
        {"over the end, extended Le 0100 is no maximum", "00B0012A000100", 0x6282, "0077",
         CARD_KEEPS},
        {"at the end", "00B0012C00", 0x6B00, NULL, 0},
        {"at the end, one byte", "00B0012C01", 0x6B00, NULL, 0},
        {"behind the end", "00B0012D01", 0x6B00, NULL, 0},
        {"far behind the end", "00B07FFF00", 0x6B00, NULL, 0},
        {"write at the end", "00D6012C 01 00", 0x6B00, NULL, 0},
        {"write far behind the end", "00D67FFF 01 00", 0x6B00, NULL, 0},
        {"write over the end: nothing of it", "00D6012A 03 FFFFFF", 0x6A84, NULL, 0},
        {"read it", "00B0012A02", 0x9000, "0077", CARD_KEEPS},
        {"write nothing", "00D6000000", 0x6700, NULL, 0},
        {"write, no body", "00D60000", 0x6700, NULL, 0},
        {"read with data", "00B00000 01 00", 0x6700, NULL, 0},
        {"read with data and Le", "00B00000 01 00 00", 0x6700, NULL, 0},
        {"extended write", "00D60000 000002 BEEF", 0x9000, NULL, 0},
        {"is there", "00B0000002", 0x9000, "BEEF", CARD_KEEPS},
        {"write the same again", "00D60000 02 BEEF", 0x9000, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

static void sfi_in_p1(void **state)
{
    static const struct card_row rows[] = {
        {"SFI 3", "00B0830000", 0x9000, "00000000000000000000000000000000", CARD_KEEPS},
        {"SFI 3 at its last byte", "00B0830F02", 0x6282, "00", CARD_KEEPS},
        {"SFI 3 at its end", "00B0831000", 0x6B00, NULL, 0},
        {"SFI 0", "00B0800000", 0x6A86, NULL, 0},
        {"SFI 31", "00B09F0000", 0x6A86, NULL, 0},
        {"SFI 30, which nobody has", "00B09E0000", 0x6A82, NULL, 0},
        {"b6 of P1", "00B0A30000", 0x6A86, NULL, 0},
        {"b7 of P1", "00B0C30000", 0x6A86, NULL, 0},
        {"b7 and b6", "00B0E30000", 0x6A86, NULL, 0},
        {"the current EF is the one of before", "00B0000F01", 0x9000, "00", CARD_KEEPS},
        {"a record EF", "00B0850000", 0x6981, NULL, 0},
        {"update: SFI 0", "00D680000100", 0x6A86, NULL, 0},
        {"update: SFI 31", "00D69F000100", 0x6A86, NULL, 0},
        {"update: SFI 30", "00D69E000100", 0x6A82, NULL, 0},
        {"update: b6 of P1", "00D6A4000100", 0x6A86, NULL, 0},
        {"update: a record EF", "00D68500 01 00", 0x6981, NULL, 0},
        {"update: SFI 3, rule of the issuer", "00D68300 01 00", 0x6982, NULL, 0},
        {"odd instruction", "00B1000000", 0x6D00, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

static void long_reads(void **state)
{
    struct bench *bench = *state;
    uint8_t apdu[5 + 250] = {0x00, 0xD6, 0x84, 0x00, 250};

    for (size_t i = 0; i < 250; i++) {
        apdu[5 + i] = (uint8_t)i;
    }
    assert_int_equal(bench_apdu(bench, apdu, sizeof apdu), 0x9000);
    static const struct {
        const char *apdu;
        uint16_t sw;
        size_t length;
    } reads[] = {
        {"00B0840000", 0x9000, 256},     {"00B08400", 0x9000, 256},
        {"00B08400FF", 0x9000, 255},     {"00B08400000000", 0x9000, 300},
        {"00B0840000012C", 0x9000, 300}, {"00B0840000012D", 0x6282, 300},
        {"00B0840000FFFF", 0x6282, 300}, {"00B08400000101", 0x9000, 257},
    };
    for (size_t i = 0; i < CARD_COUNT(reads); i++) {
        assert_int_equal(bench_hex(bench, reads[i].apdu), reads[i].sw);
        assert_int_equal(bench->length, reads[i].length);
        assert_memory_equal(bench->data, apdu + 5, 250);
        for (size_t at = 250; at < reads[i].length; at++) {
            assert_int_equal(bench->data[at], 0);
        }
    }
}

/* ---- Records ---- */

static void records_and_their_pointer(void **state)
{
    static const struct card_row rows[] = {
        {"no current EF", "00B2010400", 0x6986, NULL, 0},
        {"record 3 by SFI", "00B2032C00", 0x9000, RECORD_3, CARD_KEEPS},
        {"the pointer is undefined: no current record", "00B2000400", 0x6A83, NULL, 0},
        {"next: the first", "00B2000200", 0x9000, RECORD_1, CARD_KEEPS},
        {"current", "00B2000400", 0x9000, RECORD_1, CARD_KEEPS},
        {"next", "00B2000200", 0x9000, RECORD_2, CARD_KEEPS},
        {"record 4 by number does not move it", "00B2040400", 0x9000, RECORD_4, CARD_KEEPS},
        {"current", "00B2000400", 0x9000, RECORD_2, CARD_KEEPS},
        {"previous", "00B2000300", 0x9000, RECORD_1, CARD_KEEPS},
        {"no previous", "00B2000300", 0x6A83, NULL, 0},
        {"the pointer stays", "00B2000400", 0x9000, RECORD_1, CARD_KEEPS},
        {"last", "00B2000100", 0x9000, RECORD_4, CARD_KEEPS},
        {"no next", "00B2000200", 0x6A83, NULL, 0},
        {"the pointer stays", "00B2000400", 0x9000, RECORD_4, CARD_KEEPS},
        {"first", "00B2000000", 0x9000, RECORD_1, CARD_KEEPS},
        {"by SFI: undefined again, previous is the last", "00B2002B00", 0x9000, RECORD_4,
         CARD_KEEPS},
        {"selected again: undefined", "00A4000C025105", 0x9000, NULL, CARD_KEEPS},
        {"no current record", "00B2000400", 0x6A83, NULL, 0},
        {"all from 3 to the last", "00B2030500", 0x9000, RECORD_3 RECORD_4, CARD_KEEPS},
        {"all from the last", "00B2040500", 0x9000, RECORD_4, CARD_KEEPS},
        {"all from the current, which is none", "00B2000500", 0x6A83, NULL, 0},
        {"first", "00B2000000", 0x9000, RECORD_1, CARD_KEEPS},
        {"all from the current", "00B2000500", 0x9000, RECORD_1 RECORD_2 RECORD_3 RECORD_4,
         CARD_KEEPS},
        {"Le shorter", "00B2010403", 0x9000, "111111", CARD_KEEPS},
        {"Le exact", "00B2010408", 0x9000, RECORD_1, CARD_KEEPS},
        {"Le longer", "00B2010409", 0x6282, RECORD_1, CARD_KEEPS},
        {"no Le", "00B20104", 0x9000, RECORD_1, CARD_KEEPS},
        {"extended Le 0000", "00B20104000000", 0x9000, RECORD_1, CARD_KEEPS},
        {"record 5", "00B2050400", 0x6A83, NULL, 0},
        {"record FE", "00B2FE0400", 0x6A83, NULL, 0},
        {"record FF", "00B2FF0400", 0x6A86, NULL, 0},
        {"all from 5", "00B2050500", 0x6A83, NULL, 0},
        {"backwards from 4", "00B2040600", 0x6A86, NULL, 0},
        {"mode 7", "00B2010700", 0x6A86, NULL, 0},
        {"by identifier, first", "00B2010000", 0x6A83, NULL, 0},
        {"by identifier, previous", "00B2010300", 0x6A83, NULL, 0},
        {"SFI 31", "00B201FC00", 0x6A86, NULL, 0},
        {"SFI 30", "00B201F400", 0x6A82, NULL, 0},
        {"a transparent EF", "00B2012400", 0x6981, NULL, 0},
        {"with data", "00B20104 01 00", 0x6700, NULL, 0},
        {"odd instruction", "00B3010400", 0x6D00, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

static void records_are_updated(void **state)
{
    static const struct card_row rows[] = {
        {"no current EF", "00DC0104 08" RECORD_1, 0x6986, NULL, 0},
        {"by SFI: record 2", "00DC022C 08 A2A2A2A2A2A2A2A2", 0x9000, NULL, 0},
        {"it is not current", "00DC0004 08" RECORD_1, 0x6A83, NULL, 0},
        {"first", "00DC0000 08 B1B1B1B1B1B1B1B1", 0x9000, NULL, 0},
        {"current", "00B2000400", 0x9000, "B1B1B1B1B1B1B1B1", CARD_KEEPS},
        {"next", "00DC0002 08 B2B2B2B2B2B2B2B2", 0x9000, NULL, 0},
        {"last", "00DC0001 08 B4B4B4B4B4B4B4B4", 0x9000, NULL, 0},
        {"no next", "00DC0002 08" RECORD_1, 0x6A83, NULL, 0},
        {"previous", "00DC0003 08 B3B3B3B3B3B3B3B3", 0x9000, NULL, 0},
        {"all four", "00B2010500", 0x9000,
         "B1B1B1B1B1B1B1B1 B2B2B2B2B2B2B2B2 B3B3B3B3B3B3B3B3 B4B4B4B4B4B4B4B4", CARD_KEEPS},
        {"current is the third", "00B2000400", 0x9000, "B3B3B3B3B3B3B3B3", CARD_KEEPS},
        {"one byte less", "00DC0104 07 11111111111111", 0x6700, NULL, 0},
        {"one byte more", "00DC0104 09 111111111111111111", 0x6700, NULL, 0},
        {"wrong length moves no pointer", "00DC0000 07 11111111111111", 0x6700, NULL, 0},
        {"current is the third", "00B2000400", 0x9000, "B3B3B3B3B3B3B3B3", CARD_KEEPS},
        {"nothing", "00DC010400", 0x6700, NULL, 0},
        {"record 5", "00DC0504 08" RECORD_1, 0x6A83, NULL, 0},
        {"record FF", "00DCFF04 08" RECORD_1, 0x6A86, NULL, 0},
        {"mode 5", "00DC0105 08" RECORD_1, 0x6A86, NULL, 0},
        {"mode 6", "00DC0106 08" RECORD_1, 0x6A86, NULL, 0},
        {"mode 7", "00DC0107 08" RECORD_1, 0x6A86, NULL, 0},
        {"by identifier", "00DC0100 08" RECORD_1, 0x6A83, NULL, 0},
        {"SFI 31", "00DC01FC 08" RECORD_1, 0x6A86, NULL, 0},
        {"SFI 30", "00DC01F4 08" RECORD_1, 0x6A82, NULL, 0},
        {"a transparent EF", "00DC0124 08" RECORD_1, 0x6981, NULL, 0},
        {"rule of the EF", "00DC0114 10 00000000000000000000000000000000", 0x6982, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

/* ---- CREATE FILE ---- */

static void creation_is_under_the_rule_of_the_parent(void **state)
{
    struct bench *bench = *state;
    struct card_image image;

    card_image_take(bench, &image);
    assert_int_equal(bench_create(bench, false, "820101 83025110 80020010"), 0x6982);
    assert_true(card_image_same(bench, &image));
    open_application(bench);
    card_image_take(bench, &image);
    /* 5100 lists EFs only */
    assert_int_equal(bench_create(bench, true, "820138 83025111"), 0x6982);
    assert_true(card_image_same(bench, &image));
    assert_int_equal(bench_create(bench, true, "820101 83025110 80020010 8C03030000"), 0x9000);
    bench_expect_sm(bench, "00B00000", 0x9000, "00000000000000000000000000000000"); /* is current */
    bench_expect_sm(bench, "00A40000 02 3F00", 0x9000, CARD_ANY);
    assert_int_equal(bench_create(bench, true, "820138 83025120 8C02023C"), 0x9000);
    bench_expect_sm(bench, "00B00000", 0x6986, NULL); /* the DF is current, no EF */
    card_image_take(bench, &image);
    assert_int_equal(bench_create(bench, true, "820101 83025121 80020010"), 0x6982); /* 3C: any */
    assert_true(card_image_same(bench, &image));
    bench_expect_sm(bench, "00A40000 02 3F00", 0x9000, CARD_ANY);
    assert_int_equal(bench_create(bench, true, "820138 83025122"), 0x9000);
    card_image_take(bench, &image);
    assert_int_equal(bench_create(bench, true, "820101 83025123 80020010"), 0x6982); /* no rule */
    assert_true(card_image_same(bench, &image));
}

/* A DF that a plain terminal may fill, as its rule says: 00. */
static void a_free_directory_needs_no_session(void **state)
{
    struct bench *bench = *state;

    open_application(bench);
    bench_expect_sm(bench, "00A40000 02 3F00", 0x9000, CARD_ANY);
    assert_int_equal(bench_create(bench, true, "820138 83025120 8C03060000"), 0x9000);
    bench_expect(bench, "00A4000C025120", 0x9000, NULL);
    assert_int_equal(bench_create(bench, false, "820101 83020001 80020004"), 0x9000);
    bench_expect(bench, "00B0000000", 0x9000, "00000000");
    assert_int_equal(bench_create(bench, false, "820138 83020002"), 0x9000);
    bench_expect(bench, "00A40304", 0x9000, "620F 820138 83025120 8A0105 8C03060000");
}

static const struct {
    const char *what, *fcp;
    uint16_t sw;
} refused_fcps[] = {
    {"no file descriptor", "83026000 80020010", 0x6A80},
    {"empty file descriptor", "8200 83026000 80020010", 0x6A80},
    {"file descriptor twice", "820101 820101 83026000 80020010", 0x6A80},
    {"file descriptor of 7 bytes", "820702210008040000 83026000 80020020", 0x6A80},
    {"no identifier", "820101 80020010", 0x6A80},
    {"identifier of one byte", "820101 830160 80020010", 0x6A80},
    {"identifier of three bytes", "820101 8303600000 80020010", 0x6A80},
    {"identifier 0000", "820101 83020000 80020010", 0x6A80},
    {"identifier 3F00", "820101 83023F00 80020010", 0x6A80},
    {"identifier 3FFF", "820101 83023FFF 80020010", 0x6A80},
    {"identifier FFFF", "820101 8302FFFF 80020010", 0x6A80},
    {"identifier in use", "820101 83025101 80020010", 0x6A89},
    {"no size", "820101 83026000", 0x6A80},
    {"size 0", "820101 83026000 80020000", 0x6A80},
    {"size 32768", "820101 83026000 80028000", 0x6A80},
    {"size of 5 bytes", "820101 83026000 80050000000010", 0x6A80},
    {"size twice", "820101 83026000 80020010 81020010", 0x6A80},
    {"size larger than the memory", "820101 83026000 80027FFF A53A 850100", 0x6A80},
    {"cyclic", "82050621000804 83026000 80020020", 0x6A81},
    {"linear variable", "82050421000804 83026000 80020020", 0x6A81},
    {"internal EF", "820109 83026000 80020010", 0x6A81},
    {"BER-TLV EF", "820139 83026000 80020010", 0x6A81},
    {"b8 of the descriptor", "820181 83026000 80020010", 0x6A81},
    {"data unit of two bytes", "82020122 83026000 80020010", 0x6A80},
    {"transparent with a record size", "8203012108 83026000 80020010", 0x6A80},
    {"linear fixed without a record size", "82020221 83026000 80020010", 0x6A80},
    {"records of no length", "82050221000004 83026000", 0x6A80},
    {"no records", "82050221000800 83026000", 0x6A80},
    {"255 records", "820602210001 00FF 83026000", 0x6A80},
    {"records and size disagree", "82050221000804 83026000 80020021", 0x6A80},
    {"SFI 0", "820101 83026000 80020010 880100", 0x6A80},
    {"SFI 31", "820101 83026000 80020010 8801F8", 0x6A80},
    {"SFI with low bits", "820101 83026000 80020010 880131", 0x6A80},
    {"SFI of two bytes", "820101 83026000 80020010 88023030", 0x6A80},
    {"SFI in use", "820101 83026000 80020010 880118", 0x6A89},
    {"terminated", "820101 83026000 80020010 8A010C", 0x6A80},
    {"deactivated", "820101 83026000 80020010 8A0104", 0x6A80},
    {"rule: SC bytes missing", "820101 83026000 80020010 8C020300", 0x6A80},
    {"rule: SC byte too many", "820101 83026000 80020010 8C03010000", 0x6A80},
    {"rule: security environment 15", "820101 83026000 80020010 8C02019F", 0x6A80},
    {"rule: condition of nothing", "820101 83026000 80020010 8C020180", 0x6A80},
    {"rule: condition of nothing, environment 1", "820101 83026000 80020010 8C020101", 0x6A80},
    {"rule: proprietary access mode", "820101 83026000 80020010 8C028100", 0x6A80},
    {"rule of one byte", "820101 83026000 80020010 8C0101", 0x6A80},
    {"rule of another form (8B)", "820101 83026000 80020010 8B03600001", 0x6A80},
    {"rule of another form (AB)", "820101 83026000 80020010 AB05 800101 9000", 0x6A80},
    {"rule of another form (86)", "820101 83026000 80020010 8602FFFF", 0x6A80},
    {"unknown source", "820101 83026000 80020010 850102", 0x6A80},
    {"source of two bytes", "820101 83026000 80020010 85020001", 0x6A80},
    {"records of the production record", "82050221000804 83026000 850101", 0x6A80},
    {"name of an EF", "820101 83026000 80020010 8405B1B2B3B4B5", 0x6A80},
    {"template that is none", "820101 83026000 80020010 A5028005", 0x6A80},
    {"template too long",
     "820101 83026000 80020010 A540 C13E"
     "0000000000000000000000000000000000000000000000000000000000000000"
     "000000000000000000000000000000000000000000000000000000000000",
     0x6A84},
    {"object cut off", "820101 83026000 800200", 0x6A80},
    {"object without length", "820101 83026000 80", 0x6A80},
};

static void bad_parameters_are_refused(void **state)
{
    static const struct card_row rows[] = {
        {"no data", "00E00000", 0x6700, NULL, CARD_SM},
        {"P1", "00E00100 0D 620B 820101 83026000 80020010", 0x6A86, NULL, CARD_SM},
        {"P2", "00E00001 0D 620B 820101 83026000 80020010", 0x6A86, NULL, CARD_SM},
        {"no template", "00E00000 0B 820101 83026000 80020010", 0x6A80, NULL, CARD_SM},
        {"FCI template", "00E00000 0D 6F0B 820101 83026000 80020010", 0x6A80, NULL, CARD_SM},
        {"empty template", "00E00000 02 6200", 0x6A80, NULL, CARD_SM},
        {"template longer than its data", "00E00000 0D 620C 820101 83026000 80020010", 0x6A80, NULL,
         CARD_SM},
        {"a byte behind the template", "00E00000 0E 620B 820101 83026000 80020010 81", 0x6A80, NULL,
         CARD_SM},
        {"a template behind the template",
         "00E00000 1A 620B 820101 83026000 80020010 620B 820101 83026001 80020010", 0x6A80, NULL,
         CARD_SM},
    };
    struct bench *bench = *state;
    size_t bad = 0;

    open_application(bench);
    BENCH_ROWS(bench, rows);
    for (size_t i = 0; i < CARD_COUNT(refused_fcps); i++) {
        struct card_image image;
        card_image_take(bench, &image);
        uint16_t sw = bench_create(bench, true, refused_fcps[i].fcp);
        bool same = card_image_same(bench, &image);
        if (sw != refused_fcps[i].sw || !same) {
            print_error("%s: %04X%s\n", refused_fcps[i].what, sw, same ? "" : ", NVM has changed");
            bad++;
        }
    }
    assert_int_equal(bad, 0);
    bench_expect_sm(bench, "00A40200 02 6000", 0x6A82, NULL);
}

/* A refused DF leaves no trace in either chip: its name is not registered. */
static void refused_directories_leave_no_name(void **state)
{
    static const struct {
        const char *what, *fcp;
        uint16_t sw;
    } bad[] = {
        {"the MF again", "820138 83023F00", 0x6A89},
        {"identifier in use", "820138 83025100 8405B1B2B3B4B5", 0x6A89},
        {"name in use", "820138 83025200 8409F05457494E434F5301", 0x6A8A},
        {"name twice", "820138 83025200 8405B1B2B3B4B5 8405B1B2B3B4B5", 0x6A8A},
        {"one name new, one in use", "820138 83025200 8405B1B2B3B4B5 8409F05457494E434F5301", 0x6A8A},
        {"name of 17 bytes", "820138 83025200 84110102030405060708090A0B0C0D0E0F1011", 0x6A80},
        {"name of no byte", "820138 83025200 8400", 0x6A80},
        {"a size", "820138 83025200 8405B1B2B3B4B5 80020010", 0x6A80},
        {"an SFI", "820138 83025200 8405B1B2B3B4B5 880130", 0x6A80},
        {"a bad rule", "820138 83025200 8405B1B2B3B4B5 8C0206C0", 0x6A80},
        {"unknown object", "820138 83025200 8405B1B2B3B4B5 8600", 0x6A80},
        {"an EF with a name", "820101 83025200 8405B1B2B3B4B5 80020010", 0x6A80},
        {"too much of everything",
         "820138 83025200 8410B1B2B3B4B5B6B7B8B9BABBBCBDBEBFB0 8410C1B2B3B4B5B6B7B8B9BABBBCBDBEBFB0"
         " 8410D1B2B3B4B5B6B7B8B9BABBBCBDBEBFB0 8410E1B2B3B4B5B6B7B8B9BABBBCBDBEBFB0",
         0x6A84},
    };
    struct bench *bench = *state;
    size_t wrong = 0;

    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A40000 02 3F00", 0x9000, CARD_ANY);
    for (size_t i = 0; i < CARD_COUNT(bad); i++) {
        struct card_image image;
        card_image_take(bench, &image);
        uint16_t sw = bench_create(bench, true, bad[i].fcp);
        bool same = card_image_same(bench, &image);
        if (sw != bad[i].sw || !same) {
            print_error("%s: %04X%s\n", bad[i].what, sw, same ? "" : ", NVM has changed");
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
    bench_expect_sm(bench, "00A40400 05 B1B2B3B4B5", 0x6A82, NULL);
}

/* The security chip knows eight applications (docs/formats.md). */
static void there_is_room_for_eight_applications(void **state)
{
    struct bench *bench = *state;
    char fcp[40];

    bench_session(bench, 0x03);
    for (unsigned i = 2; i <= 9; i++) {
        struct card_image image;
        bench_expect_sm(bench, "00A40000 02 3F00", 0x9000, CARD_ANY);
        snprintf(fcp, sizeof fcp, "820138 830252%02X 8405A1A2A3A4%02X", i, i);
        card_image_take(bench, &image);
        assert_int_equal(bench_create(bench, true, fcp), i <= 8 ? 0x9000 : 0x6A84);
        assert_int_equal(card_image_same(bench, &image), i > 8);
    }
    bench_expect_sm(bench, "00A40400 05 A1A2A3A408", 0x9000, CARD_ANY);
    bench_expect_sm(bench, "00A40400 05 A1A2A3A409", 0x6A82, NULL);
    bench_expect_sm(bench, "00A40400 09 F05457494E434F5301", 0x9000, CARD_ANY);
}

static void the_mf_is_made_once_and_by_the_issuer(void **state)
{
    struct bench *bench = *state;
    struct card_image image;

    assert_true(bench_produce_to(bench, COS_LIFE_PRODUCED));
    card_image_take(bench, &image);
    assert_int_equal(bench_create(bench, false, "820138 83023F00"), 0x6982);
    assert_int_equal(bench_hex(bench, "00A40000"), 0x6A82);
    assert_true(card_image_same(bench, &image));
    assert_int_equal(bench_sm_open(bench, 0x30, 0x03), 0x9000);
    card_image_take(bench, &image);
    assert_int_equal(bench_create(bench, true, "820101 83023F00 80020010"), 0x6A80);
    assert_int_equal(bench_create(bench, true, "820138 83025100"), 0x6A82); /* no MF yet */
    assert_true(card_image_same(bench, &image));
    bench_expect_sm(bench, "00B08100", 0x6A82, NULL);
    bench_expect_sm(bench, "00B00000", 0x6986, NULL);
    assert_int_equal(bench_create(bench, true, "820138 83023F00 8C0306C0C0"), 0x9000);
    card_image_take(bench, &image);
    assert_int_equal(bench_create(bench, true, "820138 83023F00 8C0306C0C0"), 0x6A89);
    assert_true(card_image_same(bench, &image));
    bench_expect_sm(bench, "00A40004", 0x9000, "620F 820138 83023F00 8A0105 8C0306C0C0");
}

/* ---- Memory full ---- */

static void full_memory_leaves_everything_usable(void **state)
{
    struct bench *bench = *state;
    struct card_image image;
    char fcp[64];
    unsigned made = 0;

    open_application(bench);
    for (uint16_t sw = 0x9000; sw == 0x9000 && made < 0x80; made++) {
        snprintf(fcp, sizeof fcp, "820101 830260%02X 80020FFF 8C03030000", made);
        card_image_take(bench, &image);
        sw = bench_create(bench, true, fcp);
        assert_true(sw == 0x9000 || sw == 0x6A84);
        assert_int_equal(card_image_same(bench, &image), sw == 0x6A84);
    }
    made--;
    assert_in_range(made, 5, 15);
    snprintf(fcp, sizeof fcp, "00A4020C 02 60%02X", made - 1);
    bench_expect(bench, fcp, 0x9000, NULL);
    bench_expect(bench, "00D60FFD 02 CAFE", 0x9000, NULL);
    open_application(bench);
    assert_int_equal(bench_create(bench, true, "820101 830260FF 80020010 8C03030000"), 0x9000);
    after_reset(bench, fcp);
    bench_expect(bench, "00B00FFD02", 0x9000, "CAFE");
    bench_expect(bench, "00A4000C0260FF", 0x9000, NULL);
    bench_expect(bench, "00D60000 02 D00D", 0x9000, NULL);
    bench_expect(bench, "00B0000002", 0x9000, "D00D");
}

static void a_full_file_table_leaves_everything_usable(void **state)
{
    struct bench *bench = *state;
    struct card_image image;
    char fcp[64];
    unsigned made = 0;

    bench_free(bench);
    bench_make(bench, &bench_small); /* 12 files, 6 of them there */
    open_application(bench);
    for (; made < 6; made++) {
        snprintf(fcp, sizeof fcp, "820101 830260%02X 80020004 8C03030000", made);
        assert_int_equal(bench_create(bench, true, fcp), 0x9000);
    }
    card_image_take(bench, &image);
    assert_int_equal(bench_create(bench, true, "820101 830260FF 80020004"), 0x6A84);
    bench_expect_sm(bench, "00A40000 02 3F00", 0x9000, CARD_ANY);
    assert_int_equal(bench_create(bench, true, "820138 83025200 8405B1B2B3B4B5"), 0x6A84);
    assert_true(card_image_same(bench, &image));
    after_reset(bench, "00A4080C 04 51006005");
    bench_expect(bench, "00D60000 04 01020304", 0x9000, NULL);
    bench_expect(bench, "00B0000000", 0x9000, "01020304");
}

#define FILES_TEST(function) cmocka_unit_test_setup_teardown(function, make_files, card_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILES_TEST(binary_content_is_what_was_written),
        FILES_TEST(sfi_in_p1),
        FILES_TEST(long_reads),
        FILES_TEST(records_and_their_pointer),
        FILES_TEST(records_are_updated),
        CARD_TEST(creation_is_under_the_rule_of_the_parent),
        CARD_TEST(a_free_directory_needs_no_session),
        CARD_TEST(bad_parameters_are_refused),
        CARD_TEST(refused_directories_leave_no_name),
        CARD_TEST(there_is_room_for_eight_applications),
        CARD_BLANK_TEST(the_mf_is_made_once_and_by_the_issuer),
        CARD_TEST(full_memory_leaves_everything_usable),
        CARD_TEST(a_full_file_table_leaves_everything_usable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
