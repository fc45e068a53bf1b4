/* SPDX-License-Identifier: Apache-2.0
 *
 * WRITE, ERASE and SEARCH BINARY, and the odd instructions of all binary commands (ISO/IEC
 * 7816-4:2013, 11.2); test_card_files.c has READ and UPDATE BINARY of even instruction.
 *
 * In DF 5100, besides the finished card's files: transparent EFs that all may read, update and
 * write. 5110 (SFI 16, 300 bytes, no data coding byte), 5111 (SFI 17, 16 bytes, written once),
 * 5112 (18, 16 bytes, replace), 5113 (19, 16 bytes, OR), 5114 (20, 16 bytes, AND), 5115 (21, read
 * by all, the rest by nobody), 5116 (22, a record EF), 5117 (23, BER-TLV structure).
 */
#include "card_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ZEROS "00000000000000000000000000000000"
#define FREE  "8C0407000000"

static int make_files(void **state)
{
    static const char *const files[] = {
        "820101 83025110 8002012C 880180 " FREE,   "82020101 83025111 80020010 880188 " FREE,
        "82020121 83025112 80020010 880190 " FREE, "82020141 83025113 80020010 880198 " FREE,
        "82020161 83025114 80020010 8801A0 " FREE, "820101 83025115 80020010 8801A8 8C0407FFFF00",
        "82050241000801 83025116 8801B0 " FREE,    "820139 83025117 80020010 8801B8 " FREE,
    };

    card_make(state);
    bench_create_files(*state, BENCH_APPLICATION, files, CARD_COUNT(files));
    bench_select(*state);
    return 0;
}

/* ---- WRITE BINARY ---- */

static void write_combines_as_the_data_coding_byte_says(void **state)
{
    static const struct card_row rows[] = {
        {"no current EF", "00D00000 01 00", 0x6986, NULL, 0},
        {"no data coding byte: OR", "00D09010 02 0F30", 0x9000, NULL, 0},
        {"again", "00D09010 02 F003", 0x9000, NULL, 0},
        {"is combined; SFI made it current", "00B0000F04", 0x9000, "00FF3300", CARD_KEEPS},
        {"by offset of 15 bits", "00D0012B 01 81", 0x9000, NULL, 0},
        {"last byte", "00B0012A02", 0x9000, "0081", CARD_KEEPS},
        {"at the end", "00D0012C 01 81", 0x6B00, NULL, 0},
        {"over the end", "00D0012A 03 818181", 0x6A84, NULL, 0},
        {"far behind", "00D07FFF 01 81", 0x6B00, NULL, 0},
        {"nothing of it", "00B0012A02", 0x9000, "0081", CARD_KEEPS},
        {"once: over 00", "00D09104 02 AABB", 0x9000, NULL, 0},
        {"once: not again", "00D09105 02 BBCC", 0x6985, NULL, 0},
        {"once: not the same either", "00D09104 02 AABB", 0x6985, NULL, 0},
        {"once: beside it", "00D09106 01 CC", 0x9000, NULL, 0},
        {"is there", "00B0910308", 0x9000, "00AABBCC00000000", CARD_KEEPS},
        {"once: erased", "000E9105 01 06", 0x9000, NULL, 0},
        {"once: after erasing", "00D09105 01 DD", 0x9000, NULL, 0},
        {"is there", "00B0910308", 0x9000, "00AADDCC00000000", CARD_KEEPS},
        {"replace", "00D09200 02 F0F0", 0x9000, NULL, 0},
        {"replace again", "00D09200 02 0F01", 0x9000, NULL, 0},
        {"is replaced", "00B0920003", 0x9000, "0F0100", CARD_KEEPS},
        {"OR", "00D09300 02 F010", 0x9000, NULL, 0},
        {"OR again", "00D09300 02 0101", 0x9000, NULL, 0},
        {"both", "00B0930003", 0x9000, "F11100", CARD_KEEPS},
        {"AND: erased stays so", "00D09400 02 FFFF", 0x9000, NULL, 0},
        {"00", "00B0940002", 0x9000, "0000", CARD_KEEPS},
        {"fill it", "00D69400 02 F7FF", 0x9000, NULL, 0},
        {"AND", "00D09400 02 FE0F", 0x9000, NULL, 0},
        {"both", "00B0940003", 0x9000, "F60F00", CARD_KEEPS},
        {"odd, OR", "00D15110 07 54020110 530145", 0x9000, NULL, 0},
        {"odd, by SFI", "00D10010 07 54020110 53010A", 0x9000, NULL, 0},
        {"odd, current EF", "00D10000 07 54020111 5301AA", 0x9000, NULL, 0},
        {"all", "00B0010F04", 0x9000, "004FAA00", CARD_KEEPS},
    };
    BENCH_ROWS(*state, rows);
}

/* ---- ERASE BINARY ---- */

static void erase_from_to(void **state)
{
    static const struct card_row rows[] = {
        {"fill", "00D69200 10 FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", 0x9000, NULL, 0},
        {"byte 4 up to 8", "000E9204 01 08", 0x9000, NULL, 0},
        {"as it is", "00B0000000", 0x9000, "FFFFFFFF00000000FFFFFFFFFFFFFFFF", CARD_KEEPS},
        {"end of two bytes", "000E0009 02 000A", 0x9000, NULL, 0},
        {"to the end", "000E000E", 0x9000, NULL, 0},
        {"as it is", "00B0000000", 0x9000, "FFFFFFFF00000000FF00FFFFFFFF0000", CARD_KEEPS},
        {"end at the end", "000E000D 01 10", 0x9000, NULL, 0},
        {"nothing: end is the beginning", "000E0004 01 04", 0x6A80, NULL, 0},
        {"end before the beginning", "000E0004 01 03", 0x6A80, NULL, 0},
        {"end behind the end", "000E0004 01 11", 0x6B00, NULL, 0},
        {"beginning at the end", "000E0010", 0x6B00, NULL, 0},
        {"end of three bytes", "000E0000 03 000001", 0x6700, NULL, 0},
        {"odd: one offset", "000F5112 03 54010C", 0x9000, NULL, 0},
        {"as it is", "00B0000000", 0x9000, "FFFFFFFF00000000FF00FFFF00000000", CARD_KEEPS},
        {"odd: two", "000F0012 07 54010A 5402000B", 0x9000, NULL, 0},
        {"odd: current EF", "000F0000 06 540100 540101", 0x9000, NULL, 0},
        {"as it is", "00B0000000", 0x9000, "00FFFFFF00000000FF0000FF00000000", CARD_KEEPS},
        {"odd: beginning at the end", "000F0000 03 540110", 0x6B00, NULL, 0},
        {"odd: end behind the end", "000F0000 06 540100 540111", 0x6B00, NULL, 0},
        {"odd: nothing", "000F0000 06 540103 540103", 0x6A80, NULL, 0},
        {"odd: three offsets", "000F0000 09 540100 540101 540102", 0x6A80, NULL, 0},
        {"odd: data", "000F0000 06 540100 530101", 0x6A80, NULL, 0},
        {"odd: nothing that is an offset", "000F0000 02 0000", 0x6A80, NULL, 0},
        {"odd: all", "000F0000", 0x9000, NULL, 0},
        {"as it is", "00B0000000", 0x9000, ZEROS, CARD_KEEPS},
    };
    BENCH_ROWS(*state, rows);
}

/* ---- SEARCH BINARY ---- */

static void search_finds_the_first_place(void **state)
{
    static const struct card_row rows[] = {
        {"content", "00D690F0 06 ABABABCDABCD", 0x9000, NULL, 0},
        {"content", "00D60060 02 ABCD", 0x9000, NULL, 0},
        {"from the beginning", "00A09000 02 ABCD 00", 0x9000, "0060", CARD_KEEPS},
        {"without Le", "00A09000 02 ABCD", 0x9000, "0060", CARD_KEEPS},
        {"from the place itself", "00A00060 02 ABCD 00", 0x9000, "0060", CARD_KEEPS},
        {"behind it", "00A00061 02 ABCD 00", 0x9000, "00F2", CARD_KEEPS},
        {"behind that", "00A000F3 02 ABCD 00", 0x9000, "00F4", CARD_KEEPS},
        {"no more", "00A000F5 02 ABCD 00", 0x6282, NULL, 0},
        {"a longer one", "00A00000 05 ABABCDABCD 00", 0x9000, "00F1", CARD_KEEPS},
        {"00 at once", "00A00000 01 00 00", 0x9000, "0000", CARD_KEEPS},
        {"nowhere", "00A00000 01 77 00", 0x6282, NULL, 0},
        {"at the end", "00A0012C 01 00", 0x6B00, NULL, 0},
        {"longer than what is left", "00A0012B 02 0000", 0x6282, NULL, 0},
        {"the last byte", "00A0012B 01 00", 0x9000, "012B", CARD_KEEPS},
        {"no string", "00A00000", 0x6700, NULL, 0},
        {"odd", "00A15110 07 540100 5302ABCD 00", 0x9000, "5402 0060", CARD_KEEPS},
        {"odd: current EF", "00A10000 07 540161 5302ABCD 00", 0x9000, "5402 00F2", CARD_KEEPS},
        {"odd: by SFI", "00A10010 08 540200F5 5302ABCD 00", 0x6282, NULL, 0},
        {"odd: no string", "00A10000 03 540100", 0x6A80, NULL, 0},
        {"odd: no offset", "00A10000 04 5302ABCD", 0x6A80, NULL, 0},
        {"odd: empty string", "00A10000 05 540100 5300", 0x6A80, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

/* A string that is longer than the window that the card reads through, at every place around the
 * window's borders. */
static void search_at_every_place(void **state)
{
    struct bench *bench = *state;
    uint8_t update[5 + 100] = {0x00, 0xD6, 0x90, 0x00, 100}, erase[4] = {0x00, 0x0E, 0x90, 0x00};
    uint8_t search[5 + 100] = {0x00, 0xA0, 0x90, 0x00};

    for (size_t i = 0; i < 100; i++) {
        update[5 + i] = (uint8_t)(i == 0 || i % 7 == 0 ? 0xA0 : i);
    }
    for (unsigned length = 1; length <= 100; length += 11) {
        for (unsigned at = 0; at <= 200; at += 9) {
            assert_int_equal(bench_apdu(bench, erase, sizeof erase), 0x9000);
            update[2] = (uint8_t)(at >> 8);
            update[3] = (uint8_t)at;
            update[4] = search[4] = (uint8_t)length;
            memcpy(search + 5, update + 5, length);
            assert_int_equal(bench_apdu(bench, update, 5 + length), 0x9000);
            assert_int_equal(bench_apdu(bench, search, 5 + length), 0x9000);
            assert_int_equal(bench->length, 2);
            assert_int_equal(cos_get16(bench->data), at);
        }
    }
}

/* ---- Odd READ and UPDATE BINARY ---- */

static void odd_instructions_bring_their_offset(void **state)
{
    static const struct card_row rows[] = {
        {"update by identifier", "00D75110 0A 54020100 5304A1A2A3A4", 0x9000, NULL, 0},
        {"it is current", "00B0010004", 0x9000, "A1A2A3A4", CARD_KEEPS},
        {"read by identifier", "00B15110 04 54020100 06", 0x9000, "5304 A1A2A3A4", CARD_KEEPS},
        {"read by SFI", "00B10010 04 54020101 04", 0x9000, "5302 A2A3", CARD_KEEPS},
        {"read the current EF", "00B10000 04 54020102 03", 0x9000, "5301 A3", CARD_KEEPS},
        {"offset of one byte", "00B10000 03 540100 04", 0x9000, "5302 0000", CARD_KEEPS},
        {"offset of three bytes", "00B10000 05 5403000100 04", 0x9000, "5302 A1A2", CARD_KEEPS},
        {"offset of four bytes", "00B10000 06 540400000100 04", 0x9000, "5302 A1A2", CARD_KEEPS},
        {"padding behind it", "00B10000 06 54020100 0000 04", 0x9000, "5302 A1A2", CARD_KEEPS},
        {"up to the end", "00B10000 04 5402012A 04", 0x9000, "5302 0000", CARD_KEEPS},
        {"over the end", "00B10000 04 5402012A 05", 0x6282, "5302 0000", CARD_KEEPS},
        {"over the end, Le 00", "00B10000 04 5402012A 00", 0x9000, "5302 0000", CARD_KEEPS},
        {"over the end, no Le", "00B10000 04 5402012A", 0x9000, "5302 0000", CARD_KEEPS},
        {"update of the last byte by SFI", "00D70010 07 5402012B 530177", 0x9000, NULL, 0},
        {"update of the current EF", "00D70000 07 5402012A 530166", 0x9000, NULL, 0},
        {"both", "00B10000 04 5402012A 00", 0x9000, "5302 6677", CARD_KEEPS},
        {"another EF by identifier", "00B15112 03 540100 00", 0x9000, "5310" ZEROS, CARD_KEEPS},
        {"is current now", "00B0001000", 0x6B00, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

static void long_odd_reads(void **state)
{
    static const struct {
        const char *apdu;
        uint16_t sw;
        size_t length;
        const char *head;
    } reads[] = {
        {"00B15110 03 540100 81", 0x9000, 129, "537F"},
        {"00B15110 03 540100 82", 0x9000, 129, "537F"},
        {"00B15110 03 540100 83", 0x9000, 131, "538180"},
        {"00B15110 03 540100 FF", 0x9000, 255, "5381FC"},
        {"00B15110 03 540100 00", 0x9000, 256, "5381FD"},
        {"00B15110 000003 540100 0103", 0x9000, 258, "5381FF"},
        {"00B15110 000003 540100 0104", 0x9000, 260, "53820100"},
        {"00B15110 000003 540100 0130", 0x9000, 304, "5382012C"},
        {"00B15110 000003 540100 0131", 0x6282, 304, "5382012C"},
        {"00B15110 000003 540100 0000", 0x9000, 304, "5382012C"},
    };
    struct bench *bench = *state;

    for (size_t i = 0; i < CARD_COUNT(reads); i++) {
        uint8_t head[4];
        size_t length = bench_bytes(reads[i].head, head, sizeof head);
        if (bench_hex(bench, reads[i].apdu) != reads[i].sw || bench->length != reads[i].length ||
            memcmp(bench->data, head, length) != 0) {
            fail_msg("%s: %04X, %zu bytes, %02X%02X", reads[i].apdu, bench->sw, bench->length,
                     bench->data[0], bench->data[1]);
        }
    }
}

/* The largest file: offsets of 15 bits reach all of it, offset objects too, and no further. */
static void the_last_byte_of_32_kib(void **state)
{
    static const struct card_row rows[] = {
        {"file", "00A40004025118", 0x9000, "6216 80028000 820101 83025118 8A0105 8C0407000000 8800",
         CARD_KEEPS},
        {"over the end", "00D67FFF 02 AABB", 0x6A84, NULL, 0},
        {"the last two", "00D67FFE 02 0102", 0x9000, NULL, 0},
        {"read", "00B07FFE02", 0x9000, "0102", CARD_KEEPS},
        {"read over the end", "00B07FFE03", 0x6282, "0102", CARD_KEEPS},
        {"odd: the last", "00D70000 07 54027FFF 530177", 0x9000, NULL, 0},
        {"odd: at the end", "00D70000 07 54028000 530177", 0x6B00, NULL, 0},
        {"odd: read", "00B10000 04 54027FFF 00", 0x9000, "530177", CARD_KEEPS},
        {"odd: read at the end", "00B10000 04 54028000 00", 0x6B00, NULL, 0},
        {"search", "00A00000 01 77 00", 0x9000, "7FFF", CARD_KEEPS},
        {"erase up to the end", "000E7000 02 8000", 0x9000, NULL, 0},
        {"erase behind the end", "000E7000 02 8001", 0x6B00, NULL, 0},
        {"search", "00A00000 01 77 00", 0x6282, NULL, 0},
        {"odd: erase all", "000F0000 07 540100 54028000", 0x9000, NULL, 0},
        {"erase all", "000E0000", 0x9000, NULL, 0},
        {"the last two", "00B07FFE00", 0x9000, "0000", CARD_KEEPS},
    };
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A4040C 09 F05457494E434F5301", 0x9000, NULL);
    assert_int_equal(bench_create(bench, true, "820101 83025118 80028000 8800 " FREE), 0x9000);
    BENCH_ROWS(bench, rows);
}

/* ---- Refused ---- */

/* Every one of them leaves NVM and what is current as it was. */
static const struct card_row bad_rows[] = {
    {"read: DF", "00B13F00 03 540100 00", 0x6A82, NULL, 0},
    {"read: nobody", "00B15199 03 540100 00", 0x6A82, NULL, 0},
    {"read: 3FFF", "00B13FFF 03 540100 00", 0x6A82, NULL, 0},
    {"read: FFFF", "00B1FFFF 03 540100 00", 0x6A82, NULL, 0},
    {"read: SFI 30", "00B1001E 03 540100 00", 0x6A82, NULL, 0},
    {"read: 001F is an identifier", "00B1001F 03 540100 00", 0x6A82, NULL, 0},
    {"read: records", "00B15116 03 540100 00", 0x6981, NULL, 0},
    {"read: records by SFI", "00B10016 03 540100 00", 0x6981, NULL, 0},
    {"read: BER-TLV structure", "00B15117 03 540100 00", 0x6981, NULL, 0},
    {"read: rule", "00B15101 03 540100 00", 0x6982, NULL, 0},
    {"read: rule before the data", "00B15101 03 530100 00", 0x6982, NULL, 0},
    {"read: no offset", "00B15110 03 530100 00", 0x6A80, NULL, 0},
    {"read: empty offset", "00B15110 02 5400 00", 0x6A80, NULL, 0},
    {"read: offset of five bytes", "00B15110 07 54050000000000 00", 0x6A80, NULL, 0},
    {"read: offset twice", "00B15110 06 540100 540100 00", 0x6A80, NULL, 0},
    {"read: with data", "00B15110 06 540100 530100 00", 0x6A80, NULL, 0},
    {"read: cut off", "00B15110 02 5401 00", 0x6A80, NULL, 0},
    {"read: at the end", "00B15110 04 5402012C 00", 0x6B00, NULL, 0},
    {"read: far behind the end", "00B15110 06 5404FFFFFFFF 00", 0x6B00, NULL, 0},
    {"read: Le without room for anything", "00B15110 03 540100 02", 0x6700, NULL, 0},
    {"update: nobody", "00D75199 06 540100 530100", 0x6A82, NULL, 0},
    {"update: records", "00D75116 06 540100 530100", 0x6981, NULL, 0},
    {"update: rule", "00D75101 06 540100 530100", 0x6982, NULL, 0},
    {"update: rule of the EF that all may read", "00D75115 06 540100 530100", 0x6982, NULL, 0},
    {"update: no data field", "00D75110", 0x6700, NULL, 0},
    {"update: no offset", "00D75110 03 530100", 0x6A80, NULL, 0},
    {"update: no data", "00D75110 03 540100", 0x6A80, NULL, 0},
    {"update: empty data", "00D75110 05 540100 5300", 0x6A80, NULL, 0},
    {"update: other way round", "00D75110 06 530100 540100", 0x6A80, NULL, 0},
    {"update: data twice", "00D75110 09 540100 530100 530100", 0x6A80, NULL, 0},
    {"update: data as a template", "00D75110 07 540100 73025300", 0x6A80, NULL, 0},
    {"update: at the end", "00D75110 07 5402012C 530100", 0x6B00, NULL, 0},
    {"update: over the end", "00D75110 08 5402012B 53020000", 0x6A84, NULL, 0},
    {"write: SFI 0", "00D08000 01 00", 0x6A86, NULL, 0},
    {"write: SFI 31", "00D09F00 01 00", 0x6A86, NULL, 0},
    {"write: b6 of P1", "00D0B000 01 00", 0x6A86, NULL, 0},
    {"write: SFI 30", "00D09E00 01 00", 0x6A82, NULL, 0},
    {"write: records", "00D09600 01 00", 0x6981, NULL, 0},
    {"write: rule", "00D09500 01 00", 0x6982, NULL, 0},
    {"write: nothing", "00D09000", 0x6700, NULL, 0},
    {"write, odd: rule", "00D15115 06 540100 530100", 0x6982, NULL, 0},
    {"write, odd: no data", "00D15110 03 540100", 0x6A80, NULL, 0},
    {"write, odd: at the end", "00D15110 07 5402012C 530100", 0x6B00, NULL, 0},
    {"erase: SFI 0", "000E8000", 0x6A86, NULL, 0},
    {"erase: b7 of P1", "000ED000", 0x6A86, NULL, 0},
    {"erase: SFI 30", "000E9E00", 0x6A82, NULL, 0},
    {"erase: records", "000E9600", 0x6981, NULL, 0},
    {"erase: rule", "000E9500", 0x6982, NULL, 0},
    {"erase, odd: nobody", "000F5199", 0x6A82, NULL, 0},
    {"erase, odd: rule", "000F5115", 0x6982, NULL, 0},
    {"search: SFI 31", "00A09F00 01 00", 0x6A86, NULL, 0},
    {"search: SFI 30", "00A09E00 01 00", 0x6A82, NULL, 0},
    {"search: records", "00A09600 01 00", 0x6981, NULL, 0},
    {"search: rule", "00A08100 01 00", 0x6982, NULL, 0},
    {"search, odd: rule", "00A15101 06 540100 530100", 0x6982, NULL, 0},
    {"proprietary class", "80D09000 01 00", 0x6D00, NULL, 0},
};

static void what_is_refused_changes_nothing(void **state)
{
    static const char *const places[] = {"00A4000C025100", "00A4080C0451005112",
                                         "00A4080C0451005116"};
    struct bench *bench = *state;

    for (size_t i = 0; i < CARD_COUNT(places); i++) {
        bench_expect(bench, places[i], 0x9000, NULL);
        if (i == 2) {
            bench_expect(bench, "00B2000000", 0x9000, CARD_ANY);
        }
        const cos_file df = bench->app.channel->df, ef = bench->app.channel->ef;
        for (size_t row = 0; row < CARD_COUNT(bad_rows); row++) {
            bench_rows(bench, &bad_rows[row], 1);
            assert_int_equal(bench->app.channel->df, df);
            assert_int_equal(bench->app.channel->ef, ef);
            assert_int_equal(bench->app.channel->record, i == 2 ? 1 : 0);
        }
    }
}

/* ---- Through secure messaging ---- */

static void through_secure_messaging(void **state)
{
    static const struct card_row rows[] = {
        {"the application", "00A4040C 09 F05457494E434F5301", 0x9000, NULL, CARD_SM},
        {"update", "00D69000 04 A1A2A3A4", 0x9000, NULL, CARD_SM},
        {"write: OR", "00D00000 02 0F0F", 0x9000, NULL, CARD_SM},
        {"erase", "000E0002 01 03", 0x9000, NULL, CARD_SM},
        {"read, odd", "00B15110 03 540100", 0x9000, "5381FD AFAF00A4*", CARD_SM | CARD_KEEPS},
        {"search", "00A09000 02 00A4", 0x9000, "0002", CARD_SM | CARD_KEEPS},
        {"search, odd", "00A10000 07 540100 530200A4", 0x9000, "5402 0002", CARD_SM | CARD_KEEPS},
        {"no match", "00A00000 02 00A5", 0x6282, NULL, CARD_SM},
        {"at the end", "00B0012C", 0x6B00, NULL, CARD_SM},
        {"the issuer's EF", "00D75101 08 540100 5303414243", 0x9000, NULL, CARD_SM},
        {"but not WRITE, which its rule does not list", "00D00000 01 00", 0x6982, NULL, CARD_SM},
        {"plain: EF of the holder", "00B0810003", 0x6982, NULL, 0},
        {"his PIN", "00200081 06 313233343536", 0x9000, NULL, 0},
        {"it is there", "00B0810003", 0x9000, "414243", CARD_KEEPS},
    };
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    BENCH_ROWS(bench, rows);
}

/* ---- What the card itself writes ---- */

static void the_production_record_is_searched_too(void **state)
{
    static const struct card_row rows[] = {
        {"not from another DF", "00B12F02 03 54012D 07", 0x6A82, NULL, 0},
        {"MF", "00A4000C023F00", 0x9000, NULL, CARD_KEEPS},
        {"odd read", "00B12F02 03 54012D 07", 0x9000, "5305 C002FF10C1", CARD_KEEPS},
        {"the objects behind the CPLC data", "00A00000 02 C002 00", 0x9000, "002D", CARD_KEEPS},
        {"over a window's border", "00A00000 04 C2044254 00", 0x9000, "003B", CARD_KEEPS},
        {"zeros at its end: none", "00A00070 20 " ZEROS ZEROS, 0x6282, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

/* EF.ATR/INFO as the card knows it, and GET DATA 7F66. */
static void the_card_describes_itself(void **state)
{
    static const struct card_row rows[] = {
        {"lengths", "00CA7F6600", 0x9000, "7F6608 02020258 0202025A", CARD_KEEPS},
        {"lengths, proprietary class", "80CA7F6600", 0x9000, "7F6608 02020258 0202025A",
         CARD_KEEPS},
        {"file", "00A4080C022F01", 0x9000, NULL, CARD_KEEPS},
        {"all of it", "00B0000000", 0x9000,
         "4301D8 4703F7C1FB 7F6608 02020258 0202025A 00000000000000000000000000", CARD_KEEPS},
        {"a part", "00B0000605", 0x9000, "C1FB7F6608", CARD_KEEPS},
        {"the end", "00B0001F02", 0x6282, "00", CARD_KEEPS},
        {"nobody writes it", "00D60000 01 00", 0x6985, NULL, 0},
        {"nobody erases it", "000E0000", 0x6985, NULL, 0},
        {"WRITE neither", "00D00000 01 00", 0x6985, NULL, 0},
    };
    static const struct card_row with_dir[] = {
        {"EF.DIR is there", "00A4080C022F01", 0x9000, NULL, CARD_KEEPS},
        {"and is said", "00B0000003", 0x9000, "4301F8", CARD_KEEPS},
    };
    static const char *const other_dirs[] = {"82050221002002 83022F00 8C0443000000",
                                             "820139 83022F00 80020040 8C0443000000"};
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A4000C 02 3F00", 0x9000, NULL);
    assert_int_equal(bench_create(bench, true, "820101 83022F01 80020020 850103 " FREE), 0x9000);
    BENCH_ROWS(bench, rows);
    for (size_t i = 0; i < CARD_COUNT(other_dirs); i++) { /* not for READ BINARY, as b4 to b2 say */
        bench_session(bench, 0x03);
        bench_expect_sm(bench, "00A4000C 02 3F00", 0x9000, NULL);
        assert_int_equal(bench_create(bench, true, other_dirs[i]), 0x9000);
        BENCH_ROWS(bench, rows);
        bench_session(bench, 0x03);
        bench_expect_sm(bench, "00E40800 02 2F00", 0x9000, NULL);
    }
    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A4000C 02 3F00", 0x9000, NULL);
    assert_int_equal(bench_create(bench, true, "820101 83022F00 80020020 " FREE), 0x9000);
    BENCH_ROWS(bench, with_dir);
}

#define FILES_TEST(function) cmocka_unit_test_setup_teardown(function, make_files, card_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILES_TEST(write_combines_as_the_data_coding_byte_says),
        FILES_TEST(erase_from_to),
        FILES_TEST(search_finds_the_first_place),
        FILES_TEST(search_at_every_place),
        FILES_TEST(odd_instructions_bring_their_offset),
        FILES_TEST(long_odd_reads),
        FILES_TEST(the_last_byte_of_32_kib),
        FILES_TEST(what_is_refused_changes_nothing),
        FILES_TEST(through_secure_messaging),
        FILES_TEST(the_production_record_is_searched_too),
        FILES_TEST(the_card_describes_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
