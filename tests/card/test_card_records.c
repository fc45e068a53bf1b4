/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands on record EFs (ISO/IEC 7816-4:2013, 11.3) through the whole card, for each structure;
 * test_card_files.c has READ and UPDATE RECORD of a linear fixed EF, test_card_search.c SEARCH
 * RECORD.
 *
 * In DF 5100, besides the finished card's files, EFs that all may read, update and write: 5120 (SFI
 * 16) linear fixed, 8 bytes, room for 4, none there; 5121 (17) cyclic, 4 bytes, room for 3, none
 * there; 5122 (18) linear variable, up to 20 bytes, 64 bytes in all, up to 6; 5123 (19) linear
 * variable TLV; 5124 (20) linear fixed TLV, 6 bytes, room for 4; 5125 (21) cyclic, 2 bytes, 3
 * there; 5126 (22) linear fixed, written once, 4 bytes, 2 there; 5127 (23) linear fixed, AND, 2
 * bytes, 1 there; 5128 (24) transparent; 5129 (25) linear fixed, 300 bytes, 2 there; 512A (26)
 * linear fixed, replace, 2 bytes, 1 there, write always, update never; 512B (27) the same, but read
 * never.
 */
#include "card_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FREE "8C0407000000"

static int make_files(void **state)
{
    static const char *const files[] = {
        "82030241 08 83025120 80020020 880180 " FREE,
        "82030641 04 83025121 8002000C 880188 " FREE,
        "8205044100 14 06 83025122 80020040 880190 " FREE,
        "8205054100 14 06 83025123 80020040 880198 " FREE,
        "82030341 06 83025124 80020018 8801A0 " FREE,
        "82050641000203 83025125 8801A8 " FREE,
        "82050201000402 83025126 8801B0 " FREE,
        "82050261000201 83025127 8801B8 " FREE,
        "820101 83025128 80020010 8801C0 " FREE,
        "82050241012C02 83025129 8801C8 " FREE,
        "82050221000201 8302512A 8801D0 8C040700FF00",
        "82050221000201 8302512B 8801D8 8C04070000FF",
    };

    card_make(state);
    bench_create_files(*state, BENCH_APPLICATION, files, CARD_COUNT(files));
    bench_select(*state);
    return 0;
}

/* ---- APPEND ---- */

static void a_linear_file_fills_up(void **state)
{
    static const struct card_row rows[] = {
        {"FCP: room for none, it seems", "00A4000402512000", 0x9000,
         "621B 80020020 82050241000800 83025120 8A0105 8C0407000000 880180", CARD_KEEPS},
        {"none is there", "00B2010400", 0x6A83, NULL, 0},
        {"first neither", "00B2000000", 0x6A83, NULL, 0},
        {"last neither", "00B2000100", 0x6A83, NULL, 0},
        {"nor any", "00B2010500", 0x6A83, NULL, 0},
        {"nothing to find", "00A2010401 00", 0x6A83, NULL, 0},
        {"update of none", "00DC0104 08 1111111111111111", 0x6A83, NULL, 0},
        {"one byte less", "00E20000 07 11111111111111", 0x6700, NULL, 0},
        {"one byte more", "00E20000 09 111111111111111111", 0x6700, NULL, 0},
        {"1", "00E20000 08 1111111111111111", 0x9000, NULL, 0},
        {"is current", "00B2000400", 0x9000, "1111111111111111", CARD_KEEPS},
        {"2, by SFI", "00E20080 08 2222222222222222", 0x9000, NULL, 0},
        {"is current", "00B2000400", 0x9000, "2222222222222222", CARD_KEEPS},
        {"3", "00E20000 08 3333333333333333", 0x9000, NULL, 0},
        {"FCP: three", "00A4000402512000", 0x9000, "621B 80020020 82050241000803*", CARD_KEEPS},
        {"no current record", "00B2000400", 0x6A83, NULL, 0},
        {"4", "00E20000 08 4444444444444444", 0x9000, NULL, 0},
        {"full", "00E20000 08 5555555555555555", 0x6A84, NULL, 0},
        {"4 is still current", "00B2000400", 0x9000, "4444444444444444", CARD_KEEPS},
        {"all", "00B2010500", 0x9000,
         "1111111111111111 2222222222222222 3333333333333333 4444444444444444", CARD_KEEPS},
        {"from the last down to 3", "00B2030600", 0x9000, "4444444444444444 3333333333333333",
         CARD_KEEPS},
        {"from the last down to 1, cut by Le", "00B201060A", 0x9000, "4444444444444444 3333",
         CARD_KEEPS},
        {"more than there is", "00B2030511", 0x6282, "3333333333333333 4444444444444444",
         CARD_KEEPS},
        {"from the last down to 5", "00B2050600", 0x6A83, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

static void a_cyclic_file_goes_round(void **state)
{
    static const struct card_row rows[] = {
        {"nothing", "00B2018C00", 0x6A83, NULL, 0},
        {"append", "00E20088 04 A1A1A1A1", 0x9000, NULL, 0},
        {"update of the previous appends", "00DC0003 04 A2A2A2A2", 0x9000, NULL, 0},
        {"is current, and number 1", "00B2000400", 0x9000, "A2A2A2A2", CARD_KEEPS},
        {"number 2", "00B2020400", 0x9000, "A1A1A1A1", CARD_KEEPS},
        {"write of the previous appends", "00D20003 04 A3A3A3A3", 0x9000, NULL, 0},
        {"all", "00B2010500", 0x9000, "A3A3A3A3 A2A2A2A2 A1A1A1A1", CARD_KEEPS},
        {"the oldest goes", "00E20000 04 A4A4A4A4", 0x9000, NULL, 0},
        {"all", "00B2010500", 0x9000, "A4A4A4A4 A3A3A3A3 A2A2A2A2", CARD_KEEPS},
        {"downwards", "00B2010600", 0x9000, "A2A2A2A2 A3A3A3A3 A4A4A4A4", CARD_KEEPS},
        {"next", "00B2000200", 0x9000, "A3A3A3A3", CARD_KEEPS},
        {"update of the next", "00DC0002 04 B2B2B2B2", 0x9000, NULL, 0},
        {"current", "00B2000400", 0x9000, "B2B2B2B2", CARD_KEEPS},
        {"no next", "00DC0002 04 B2B2B2B2", 0x6A83, NULL, 0},
        {"update of the last", "00DC0001 04 B3B3B3B3", 0x9000, NULL, 0},
        {"update of the first", "00DC0000 04 B1B1B1B1", 0x9000, NULL, 0},
        {"update of number 2", "00DC0204 04 C2C2C2C2", 0x9000, NULL, 0},
        {"all", "00B2010500", 0x9000, "B1B1B1B1 C2C2C2C2 B3B3B3B3", CARD_KEEPS},
        {"previous, one byte less", "00DC0003 03 D1D1D1", 0x6700, NULL, 0},
        {"previous with an identifier", "00DC0103 04 D1D1D1D1", 0x6A86, NULL, 0},
        {"previous", "00DC0003 04 D1D1D1D1", 0x9000, NULL, 0},
        {"all", "00B2010500", 0x9000, "D1D1D1D1 B1B1B1B1 C2C2C2C2", CARD_KEEPS},
        {"number 4", "00B2040400", 0x6A83, NULL, 0},
        {"three that were there from the beginning", "00B201AD00", 0x9000, "000000000000",
         CARD_KEEPS},
        {"append to them", "00E20000 02 ABCD", 0x9000, NULL, 0},
        {"the oldest went", "00B2010500", 0x9000, "ABCD00000000", CARD_KEEPS},
    };
    BENCH_ROWS(*state, rows);
}

static void variable_records_have_any_length(void **state)
{
    static const struct card_row rows[] = {
        {"append", "00E20090 03 010203", 0x9000, NULL, 0},
        {"append", "00E20000 01 AA", 0x9000, NULL, 0},
        {"append the longest", "00E20000 14 0102030405060708090A0B0C0D0E0F1011121314", 0x9000, NULL,
         0},
        {"append more than the longest", "00E20000 15 0102030405060708090A0B0C0D0E0F101112131415",
         0x6700, NULL, 0},
        {"record 1", "00B2010400", 0x9000, "010203", CARD_KEEPS},
        {"record 2", "00B2020400", 0x9000, "AA", CARD_KEEPS},
        {"record 2, Le 2", "00B2020402", 0x6282, "AA", CARD_KEEPS},
        {"all from 2", "00B2020500", 0x9000, "AA0102030405060708090A0B0C0D0E0F1011121314",
         CARD_KEEPS},
        {"all down to 2, cut", "00B2020615", 0x9000, "0102030405060708090A0B0C0D0E0F1011121314AA",
         CARD_KEEPS},
        {"update to another length", "00DC0204 06 B1B2B3B4B5B6", 0x9000, NULL, 0},
        {"update to the longest", "00DC0104 14 1111111111111111111111111111111111111111", 0x9000,
         NULL, 0},
        {"update to more", "00DC0104 15 111111111111111111111111111111111111111111", 0x6700, NULL,
         0},
        {"there is", "00B2010500", 0x9000,
         "1111111111111111111111111111111111111111 B1B2B3B4B5B6 "
         "0102030405060708090A0B0C0D0E0F1011121314",
         CARD_KEEPS},
        {"no room for the longest", "00E20000 14 2222222222222222222222222222222222222222", 0x6A84,
         NULL, 0},
        {"nor to grow so far", "00DC0204 19 00000000000000000000000000000000000000000000000000",
         0x6700, NULL, 0},
        {"room for 18", "00E20000 12 222222222222222222222222222222222222", 0x9000, NULL, 0},
        {"full", "00E20000 01 33", 0x6A84, NULL, 0},
        {"shrink", "00DC0104 01 44", 0x9000, NULL, 0},
        {"room again: 5", "00E20000 0A 55555555555555555555", 0x9000, NULL, 0},
        {"6", "00E20000 01 66", 0x9000, NULL, 0},
        {"there can be six", "00E20000 01 77", 0x6A84, NULL, 0},
        {"write: OR, of the same length", "00D20204 06 0F0F0F0F0F0F", 0x9000, NULL, 0},
        {"write of another length", "00D20204 05 0F0F0F0F0F", 0x6700, NULL, 0},
        {"all", "00B2010500", 0x9000,
         "44 BFBFBFBFBFBF 0102030405060708090A0B0C0D0E0F1011121314 "
         "222222222222222222222222222222222222 55555555555555555555 66",
         CARD_KEEPS},
    };
    BENCH_ROWS(*state, rows);
}

/* ---- Identifiers ---- */

#define TLV_1 "A1 02 1111"
#define TLV_2 "B2 01 22"
#define TLV_3 "A1 03 333333"
#define TLV_4 "C4 00"
#define TLV_5 "A1 01 55"

static void records_are_found_by_their_identifier(void **state)
{
    static const struct card_row rows[] = {
        {"1", "00E20098 04" TLV_1, 0x9000, NULL, 0},
        {"2", "00E20000 03" TLV_2, 0x9000, NULL, 0},
        {"3", "00E20000 05" TLV_3, 0x9000, NULL, 0},
        {"4", "00E20000 02" TLV_4, 0x9000, NULL, 0},
        {"5", "00E20000 03" TLV_5, 0x9000, NULL, 0},
        {"first A1", "00B2A10000", 0x9000, TLV_1, CARD_KEEPS},
        {"is current", "00B2000400", 0x9000, TLV_1, CARD_KEEPS},
        {"next A1", "00B2A10200", 0x9000, TLV_3, CARD_KEEPS},
        {"next A1", "00B2A10200", 0x9000, TLV_5, CARD_KEEPS},
        {"no next A1", "00B2A10200", 0x6A83, NULL, 0},
        {"is still current", "00B2000400", 0x9000, TLV_5, CARD_KEEPS},
        {"previous A1", "00B2A10300", 0x9000, TLV_3, CARD_KEEPS},
        {"previous B2", "00B2B20300", 0x9000, TLV_2, CARD_KEEPS},
        {"last A1", "00B2A10100", 0x9000, TLV_5, CARD_KEEPS},
        {"last C4", "00B2C40100", 0x9000, TLV_4, CARD_KEEPS},
        {"previous of all", "00B2000300", 0x9000, TLV_3, CARD_KEEPS},
        {"next of all", "00B2000200", 0x9000, TLV_4, CARD_KEEPS},
        {"nobody", "00B2D50000", 0x6A83, NULL, 0},
        {"identifier FE", "00B2FE0000", 0x6A83, NULL, 0},
        {"identifier FF", "00B2FF0000", 0x6A86, NULL, 0},
        {"by SFI: undefined, so next is the first", "00B2A19A00", 0x9000, TLV_1, CARD_KEEPS},
        {"by SFI: undefined, so previous is the last", "00B2A19B00", 0x9000, TLV_5, CARD_KEEPS},
        {"number 4", "00B2040400", 0x9000, TLV_4, CARD_KEEPS},
        {"does not move the pointer", "00B2000400", 0x9000, TLV_5, CARD_KEEPS},
        {"in the TLV EF of fixed size", "00E200A0 06 E10311223300", 0x9000, NULL, 0},
        {"in the TLV EF of fixed size", "00E20000 06 E204AABBCCDD", 0x9000, NULL, 0},
        {"E2", "00B2E20000", 0x9000, "E204AABBCCDD", CARD_KEEPS},
        {"E1", "00B2E10000", 0x9000, "E10311223300", CARD_KEEPS},
        {"A1 is none of its identifiers", "00B2A10000", 0x6A83, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

static void tlv_records_are_tlv(void **state)
{
    static const struct card_row rows[] = {
        {"good", "00E20098 04" TLV_1, 0x9000, NULL, 0},
        {"one byte", "00E20000 01 A1", 0x6A85, NULL, 0},
        {"value shorter", "00E20000 03 A10211", 0x6A85, NULL, 0},
        {"value longer", "00E20000 05 A102111111", 0x6A85, NULL, 0},
        {"tag 00", "00E20000 03 000111", 0x6A80, NULL, 0},
        {"tag FF", "00E20000 03 FF0111", 0x6A80, NULL, 0},
        {"long length", "00E20000 06 A1FF00021111", 0x9000, NULL, 0},
        {"long length cut off", "00E20000 03 A1FF00", 0x6A85, NULL, 0},
        {"long length too long", "00E20000 06 A1FF01021111", 0x6A85, NULL, 0},
        {"update: value shorter", "00DC0104 03 A10211", 0x6A85, NULL, 0},
        {"update", "00DC0104 05" TLV_3, 0x9000, NULL, 0},
        {"write of another length", "00D20104 04 A1020101", 0x6700, NULL, 0},
        {"part: the tag", "00DD0104 06 540100 5301FF", 0x6A85, NULL, 0},
        {"part: the length", "00DD0104 06 540101 530101", 0x6A85, NULL, 0},
        {"part: the value", "00DD0104 06 540103 530144", 0x9000, NULL, 0},
        {"part: long length", "00DD0204 06 540103 530144", 0x6A85, NULL, 0},
        {"part: behind it", "00DD0204 06 540104 530144", 0x9000, NULL, 0},
        {"are", "00B2010500", 0x9000, "A103334433 A1FF00024411", CARD_KEEPS},
        {"OR would break it", "00D20204 06 00FF00020000", 0x6A80, NULL, 0},
        {"fixed: longer than the record", "00E200A0 06 E105AABBCCDD", 0x6A85, NULL, 0},
        {"fixed: a byte more", "00E200A0 07 E105AABBCCDDEE", 0x6700, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

/* ---- WRITE ---- */

static void write_combines_as_the_data_coding_byte_says(void **state)
{
    static const struct card_row rows[] = {
        {"OR: append", "00E20080 08 0102030405060708", 0x9000, NULL, 0},
        {"OR", "00D20004 08 8080808080808000", 0x9000, NULL, 0},
        {"is combined", "00B2000400", 0x9000, "8182838485868708", CARD_KEEPS},
        {"OR: first", "00D20000 08 0000000000000080", 0x9000, NULL, 0},
        {"next: none", "00D20002 08 0000000000000080", 0x6A83, NULL, 0},
        {"last", "00D20001 08 4000000000000000", 0x9000, NULL, 0},
        {"is combined", "00B2010400", 0x9000, "C182838485868788", CARD_KEEPS},
        {"one byte less", "00D20104 07 40000000000000", 0x6700, NULL, 0},
        {"previous is none in a linear EF", "00D20003 08 4000000000000000", 0x6A83, NULL, 0},
        {"once", "00D201B4 04 11223344", 0x9000, NULL, 0},
        {"once: not again", "00D20104 04 11223344", 0x6985, NULL, 0},
        {"once: record 2", "00D20204 04 55667788", 0x9000, NULL, 0},
        {"erase", "000C0104", 0x9000, NULL, 0},
        {"once, after erasing", "00D20104 04 99AABBCC", 0x9000, NULL, 0},
        {"are", "00B2010500", 0x9000, "99AABBCC 55667788", CARD_KEEPS},
        {"AND", "00DC01BC 02 F0FF", 0x9000, NULL, 0},
        {"AND", "00D20104 02 3F0F", 0x9000, NULL, 0},
        {"is combined", "00B2010400", 0x9000, "300F", CARD_KEEPS},
        {"replace", "00D201D4 02 ABCD", 0x9000, NULL, 0},
        {"replace", "00D20104 02 1234", 0x9000, NULL, 0},
        {"is replaced", "00B2010400", 0x9000, "1234", CARD_KEEPS},
        {"where UPDATE may not", "00DC0104 02 1234", 0x6982, NULL, 0},
        {"nor a part of it", "00DD0104 06 540100 530100", 0x6982, NULL, 0},
        {"nor ERASE", "000C0104", 0x6982, NULL, 0},
        {"APPEND may, but it is full", "00E20000 02 1234", 0x6A84, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

/* ---- Parts ---- */

static void parts_of_records(void **state)
{
    static const struct card_row rows[] = {
        {"append", "00E20080 08 0102030405060708", 0x9000, NULL, 0},
        {"append", "00E20080 08 1111111111111111", 0x9000, NULL, 0},
        {"replace", "00DD0104 07 540102 5302AABB", 0x9000, NULL, 0},
        {"AND", "00DD0105 07 540102 5302F00F", 0x9000, NULL, 0},
        {"OR", "00DD0106 07 540104 53025030", 0x9000, NULL, 0},
        {"XOR", "00DD0107 07 540106 5302FFFF", 0x9000, NULL, 0},
        {"all four", "00B2010400", 0x9000, "0102A00B5536F8F7", CARD_KEEPS},
        {"XOR again, current record", "00DD0007 07 540106 5302FFFF", 0x9000, NULL, 0},
        {"which was the second", "00B2010500", 0x9000, "0102A00B5536F8F7 111111111111EEEE",
         CARD_KEEPS},
        {"by SFI: no current record", "00DD0084 06 540100 530100", 0x6A83, NULL, 0},
        {"by SFI", "00DD0284 06 540100 530199", 0x9000, NULL, 0},
        {"the last byte", "00DD0204 06 540107 530198", 0x9000, NULL, 0},
        {"read a part", "00B30204 03 540106 00", 0x9000, "5302 EE98", CARD_KEEPS},
        {"read a part, Le", "00B30204 03 540100 04", 0x9000, "5302 9911", CARD_KEEPS},
        {"read a part over the end", "00B30204 03 540106 05", 0x6282, "5302 EE98", CARD_KEEPS},
        {"read a part of the first", "00B30000 03 540107 03", 0x9000, "5301 F7", CARD_KEEPS},
        {"and of the next", "00B30002 03 540100 03", 0x9000, "5301 99", CARD_KEEPS},
        {"at the end", "00B30204 03 540108 00", 0x6B00, NULL, 0},
        {"part at the end", "00DD0204 06 540108 530100", 0x6B00, NULL, 0},
        {"part over the end", "00DD0204 07 540107 53020000", 0x6A84, NULL, 0},
        {"no offset", "00DD0204 03 530100", 0x6A80, NULL, 0},
        {"no data", "00DD0204 03 540100", 0x6A80, NULL, 0},
        {"empty data", "00DD0204 05 540100 5300", 0x6A80, NULL, 0},
        {"something behind", "00DD0204 09 540100 530100 530100", 0x6A80, NULL, 0},
        {"record 3", "00DD0304 06 540100 530100", 0x6A83, NULL, 0},
        {"mode 3", "00DD0203 06 540100 530100", 0x6A86, NULL, 0},
        {"mode 0", "00DD0200 06 540100 530100", 0x6A86, NULL, 0},
        {"record FF", "00DDFF04 06 540100 530100", 0x6A86, NULL, 0},
        {"no data field", "00DD0204", 0x6700, NULL, 0},
        {"read: mode 5", "00B30205 03 540100 00", 0x6A86, NULL, 0},
        {"read: mode 6", "00B30206 03 540100 00", 0x6A86, NULL, 0},
        {"read: mode 7", "00B30207 03 540100 00", 0x6A86, NULL, 0},
        {"read: no offset", "00B30204 03 530100 00", 0x6A80, NULL, 0},
        {"read: two", "00B30204 06 540100 540100 00", 0x6A80, NULL, 0},
        {"long record, part", "00DD01CC 09 5402012A 5303010203", 0x6A84, NULL, 0},
        {"long record, part", "00DD01CC 08 5402012A 53020102", 0x9000, NULL, 0},
        {"long record, its end", "00B301CC 04 54020128 00", 0x9000, "5304 00000102", CARD_KEEPS},
    };
    BENCH_ROWS(*state, rows);
}

/* ---- ERASE ---- */

static void erased_records_stay(void **state)
{
    static const struct card_row rows[] = {
        {"append", "00E20080 08 1111111111111111", 0x9000, NULL, 0},
        {"append", "00E20000 08 2222222222222222", 0x9000, NULL, 0},
        {"append", "00E20000 08 3333333333333333", 0x9000, NULL, 0},
        {"erase one", "000C0204", 0x9000, NULL, 0},
        {"are", "00B2010500", 0x9000, "1111111111111111 0000000000000000 3333333333333333",
         CARD_KEEPS},
        {"the pointer stays", "00B2000400", 0x9000, "3333333333333333", CARD_KEEPS},
        {"erase the current", "000C0004", 0x9000, NULL, 0},
        {"are", "00B2010500", 0x9000, "1111111111111111 0000000000000000 0000000000000000",
         CARD_KEEPS},
        {"full again", "00DC0204 08 2222222222222222", 0x9000, NULL, 0},
        {"full again", "00DC0304 08 3333333333333333", 0x9000, NULL, 0},
        {"erase from 2", "000C0285", 0x9000, NULL, 0},
        {"are", "00B2010500", 0x9000, "1111111111111111 0000000000000000 0000000000000000",
         CARD_KEEPS},
        {"by SFI: no current record", "000C0084", 0x6A83, NULL, 0},
        {"record 4", "000C0404", 0x6A83, NULL, 0},
        {"from 4", "000C0405", 0x6A83, NULL, 0},
        {"record FF", "000CFF04", 0x6A86, NULL, 0},
        {"mode 0", "000C0100", 0x6A86, NULL, 0},
        {"mode 6", "000C0106", 0x6A86, NULL, 0},
        {"mode 7", "000C0107", 0x6A86, NULL, 0},
        {"with data", "000C0104 01 00", 0x6700, NULL, 0},
        {"SFI 31", "000C01FC", 0x6A86, NULL, 0},
        {"a transparent EF", "000C01C4", 0x6981, NULL, 0},
        {"cyclic", "00E20088 04 A1A1A1A1", 0x9000, NULL, 0},
        {"cyclic", "00E20000 04 A2A2A2A2", 0x9000, NULL, 0},
        {"cyclic: the newest", "000C0104", 0x9000, NULL, 0},
        {"are", "00B2010500", 0x9000, "00000000 A1A1A1A1", CARD_KEEPS},
        {"variable", "00E20090 03 010203", 0x9000, NULL, 0},
        {"variable", "00E20000 02 0405", 0x9000, NULL, 0},
        {"all of them", "000C0105", 0x9000, NULL, 0},
        {"keep their lengths", "00B2010500", 0x9000, "000000 0000", CARD_KEEPS},
        {"long ones, which are more than one transaction", "000C01CD", 0x9000, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

/* ---- Refused ---- */

static const struct card_row bad_rows[] = {
    {"append: P1", "00E20180 08 1111111111111111", 0x6A86, NULL, 0},
    {"append: mode 1", "00E20081 08 1111111111111111", 0x6A86, NULL, 0},
    {"append: mode 4", "00E20084 08 1111111111111111", 0x6A86, NULL, 0},
    {"append: SFI 31", "00E200F8 08 1111111111111111", 0x6A86, NULL, 0},
    {"append: SFI 30", "00E200F0 08 1111111111111111", 0x6A82, NULL, 0},
    {"append: nothing", "00E20080", 0x6700, NULL, 0},
    {"append: a transparent EF", "00E200C0 08 1111111111111111", 0x6981, NULL, 0},
    {"append: the rule", "00E20010 10 00000000000000000000000000000000", 0x6982, NULL, 0},
    {"append: the rule before the length", "00E20010 01 00", 0x6982, NULL, 0},
    {"append: length", "00E20080 01 11", 0x6700, NULL, 0},
    {"append: full", "00E200B8 02 1111", 0x6A84, NULL, 0},
    {"write: mode 5", "00D20185 08 1111111111111111", 0x6A86, NULL, 0},
    {"write: mode 7", "00D20187 08 1111111111111111", 0x6A86, NULL, 0},
    {"write: record FF", "00D2FF84 08 1111111111111111", 0x6A86, NULL, 0},
    {"write: SFI 31", "00D201FC 08 1111111111111111", 0x6A86, NULL, 0},
    {"write: SFI 30", "00D201F4 08 1111111111111111", 0x6A82, NULL, 0},
    {"write: by identifier", "00D20180 08 1111111111111111", 0x6A86, NULL, 0},
    {"write: no such record", "00D20584 08 1111111111111111", 0x6A83, NULL, 0},
    {"write: a transparent EF", "00D201C4 08 1111111111111111", 0x6981, NULL, 0},
    {"write: the rule", "00D20114 10 00000000000000000000000000000000", 0x6982, NULL, 0},
    {"write: nothing", "00D20184", 0x6700, NULL, 0},
    {"read, odd: a transparent EF", "00B301C4 03 540100 00", 0x6981, NULL, 0},
    {"read, odd: the rule", "00B301DC 03 540100 00", 0x6982, NULL, 0},
    {"read: the rule", "00B201DC00", 0x6982, NULL, 0},
    {"read: the rule before the number", "00B209DC00", 0x6982, NULL, 0},
    {"read, odd: SFI 30", "00B301F4 03 540100 00", 0x6A82, NULL, 0},
    {"update, odd: SFI 30", "00DD01F4 06 540100 530100", 0x6A82, NULL, 0},
    {"update, odd: the rule", "00DD0114 06 540100 530100", 0x6982, NULL, 0},
    {"proprietary class", "80D20184 08 1111111111111111", 0x6D00, NULL, 0},
};

static void what_is_refused_changes_nothing(void **state)
{
    struct bench *bench = *state;

    bench_expect(bench, "00E20080 08 1111111111111111", 0x9000, NULL);
    bench_expect(bench, "00E20080 08 2222222222222222", 0x9000, NULL);
    const cos_file df = bench->app.channel->df, ef = bench->app.channel->ef;
    for (size_t row = 0; row < CARD_COUNT(bad_rows); row++) {
        bench_rows(bench, &bad_rows[row], 1);
        assert_int_equal(bench->app.channel->df, df);
        assert_int_equal(bench->app.channel->ef, ef);
        assert_int_equal(bench->app.channel->record, 2);
    }
    bench_expect(bench, "00B2010500", 0x9000, "1111111111111111 2222222222222222");
}

/* ---- Through secure messaging, and after a reset ---- */

static void through_secure_messaging(void **state)
{
    static const struct card_row rows[] = {
        {"the application", "00A4040C 09 F05457494E434F5301", 0x9000, NULL, CARD_SM},
        {"append", "00E20090 03 010203", 0x9000, NULL, CARD_SM},
        {"append", "00E20000 02 0405", 0x9000, NULL, CARD_SM},
        {"all", "00B20105", 0x9000, "0102030405", CARD_SM | CARD_KEEPS},
        {"part", "00DD0104 06 540101 5301FF", 0x9000, NULL, CARD_SM},
        {"write", "00D20204 02 F0F0", 0x9000, NULL, CARD_SM},
        {"search", "00A20104 01 FF", 0x9000, "01", CARD_SM | CARD_KEEPS},
        {"downwards", "00B20106", 0x9000, "F4F501FF03", CARD_SM | CARD_KEEPS},
        {"long records, up to 256 bytes", "00B201CC", 0x9000, CARD_ANY, CARD_SM | CARD_KEEPS},
        {"part", "00B301CC 04 54020129", 0x9000, "5303000000", CARD_SM | CARD_KEEPS},
    };
    static const struct card_row after[] = {
        {"what was written", "00B2019500", 0x9000, "01FF03F4F5", CARD_KEEPS},
    };
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    BENCH_ROWS(bench, rows);
    bench_reset(bench);
    bench_select(bench);
    BENCH_ROWS(bench, after);
}

#define FILES_TEST(function) cmocka_unit_test_setup_teardown(function, make_files, card_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILES_TEST(a_linear_file_fills_up),
        FILES_TEST(a_cyclic_file_goes_round),
        FILES_TEST(variable_records_have_any_length),
        FILES_TEST(records_are_found_by_their_identifier),
        FILES_TEST(tlv_records_are_tlv),
        FILES_TEST(write_combines_as_the_data_coding_byte_says),
        FILES_TEST(parts_of_records),
        FILES_TEST(erased_records_stay),
        FILES_TEST(what_is_refused_changes_nothing),
        FILES_TEST(through_secure_messaging),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
