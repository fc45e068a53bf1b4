/* SPDX-License-Identifier: Apache-2.0
 *
 * READ and UPDATE BINARY, READ and UPDATE RECORD through the whole card: offsets, lengths, record
 * pointer, every refusal with its status word.
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

static int make_files(void **state)
{
    struct bench *bench;

    card_make(state);
    bench = *state;
    open_application(bench);
    assert_int_equal(bench_create(bench, true, "820101 83025104 8002012C 880120 8C03030000"),
                     0x9000);
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
        {"odd instruction without an offset", "00B1000000", 0x6700, NULL, 0},
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
        {"from the last down to 4", "00B2040600", 0x9000, RECORD_4, CARD_KEEPS},
        {"mode 7", "00B2010700", 0x6A86, NULL, 0},
        {"by identifier, first", "00B2010000", 0x6A83, NULL, 0},
        {"by identifier, previous", "00B2010300", 0x6A83, NULL, 0},
        {"SFI 31", "00B201FC00", 0x6A86, NULL, 0},
        {"SFI 30", "00B201F400", 0x6A82, NULL, 0},
        {"a transparent EF", "00B2012400", 0x6981, NULL, 0},
        {"with data", "00B20104 01 00", 0x6700, NULL, 0},
        {"odd instruction without an offset", "00B3010400", 0x6700, NULL, 0},
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
        {"by identifier", "00DC0100 08" RECORD_1, 0x6A86, NULL, 0},
        {"by identifier, next, where there is no right", "00DC0112 10" RECORD_1 RECORD_1, 0x6A86,
         NULL, 0},
        {"SFI 31", "00DC01FC 08" RECORD_1, 0x6A86, NULL, 0},
        {"SFI 30", "00DC01F4 08" RECORD_1, 0x6A82, NULL, 0},
        {"a transparent EF", "00DC0124 08" RECORD_1, 0x6981, NULL, 0},
        {"rule of the EF", "00DC0114 10 00000000000000000000000000000000", 0x6982, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
