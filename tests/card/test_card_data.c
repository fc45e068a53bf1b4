/* SPDX-License-Identifier: Apache-2.0
 *
 * GET DATA with lists, PUT DATA of several objects and of templates, objects of SIMPLE-TLV
 * structure, and what P1-P2 may be (ISO/IEC 7816-4:2013, 11.4); test_card_object.c has the rest.
 *
 * In the MF: DF 5400 with room for 400 bytes of objects, all may read and write them; in it EF 5401
 * (SFI 1) of BER-TLV structure, 96 bytes, all may read, update, deactivate; EF 5403 (SFI 3) of
 * SIMPLE-TLV structure, 40 bytes, the same; EF 5404 (SFI 4), SIMPLE-TLV, whose A0 lets nobody read
 * C1, nobody write C2, and all do the rest; EF 5405 (SFI 5), BER-TLV, with the same A0; EF 5402
 * (SFI 2), transparent; DF 5420 without room.
 */
#include "card_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FREE       "8C040B000000"
#define SOME_RULES "A017 5C01C1 8C030300FF 5C01C2 8C0303FF00 5C00 8C03030000"

static int make_files(void **state)
{
    static const char *const in_mf[] = {"820138 83025400 81020190 8C03060000"};
    static const char *const in_5400[] = {
        "820139 83025401 80020060 880108 " FREE,
        "820101 83025402 80020010 880110 " FREE,
        "82013A 83025403 80020028 880118 " FREE,
        "82013A 83025404 80020028 880120 8C03030000" SOME_RULES,
        "820139 83025405 80020060 880128 8C03030000" SOME_RULES,
        "820138 83025420 8C03060000",
    };

    card_make(state);
    bench_create_files(*state, "00A4000C 02 3F00", in_mf, CARD_COUNT(in_mf));
    bench_create_files(*state, "00A4080C 02 5400", in_5400, CARD_COUNT(in_5400));
    bench_expect(*state, "00A4080C025400", 0x9000, NULL);
    return 0;
}

/* ---- SIMPLE-TLV ---- */

static void simple_tlv_objects(void **state)
{
    static const struct card_row rows[] = {
        {"EF", "00A40004025403", 0x9000, "6217 80020028 82013A 83025403 8A0105 8C040B000000 880118",
         CARD_KEEPS},
        {"none", "00CA020100", 0x6A88, NULL, 0},
        {"none at all", "00CA02FF00", 0x6A88, NULL, 0},
        {"put", "00DA0201 03 616263", 0x9000, NULL, 0},
        {"is answered by its value", "00CA020100", 0x9000, "616263", CARD_KEEPS},
        {"Le cuts: the rest waits", "00CA020101", 0x6102, "61", CARD_KEEPS},
        {"any byte is a tag", "00DA025F 01 07", 0x9000, NULL, 0},
        {"and none is constructed", "00DA02FE 02 8181", 0x9000, NULL, 0},
        {"its value", "00CA02FE00", 0x9000, "8181", CARD_KEEPS},
        {"all", "00CA02FF00", 0x9000, "0103616263 5F0107 FE028181", CARD_KEEPS},
        {"replaced", "00DA0201 04 31323334", 0x9000, NULL, 0},
        {"removed", "00DA025F", 0x9000, NULL, 0},
        {"is not there", "00CA025F00", 0x6A88, NULL, 0},
        {"removed again", "00DA025F", 0x6A88, NULL, 0},
        {"all", "00CA02FF00", 0x9000, "010431323334 FE028181", CARD_KEEPS},
        {"full",
         "00DA0202 1D " /* 31 bytes, of 40 - 10 */
         "0000000000000000000000000000000000000000000000000000000000",
         0x6A84, NULL, 0},
        {"just not", "00DA0202 1C 00000000000000000000000000000000000000000000000000000000", 0x9000,
         NULL, 0},
        {"removed", "00DA0202", 0x9000, NULL, 0},
        {"a BER-TLV tag means the DF", "00CA008100", 0x6A88, NULL, 0},
        {"in which it is written", "00DA0081 01 09", 0x9000, NULL, 0},
        {"and found", "00CA008100", 0x9000, "09", CARD_KEEPS},
        {"which has all BER-TLV ones", "00CA00FF00", 0x9000, "810109", CARD_KEEPS},
        {"and leaves the EF current", "00CA020100", 0x9000, "31323334", CARD_KEEPS},
        {"odd: it has no BER-TLV ones", "00CB0000 03 5C0101 00", 0x6981, NULL, 0},
        {"odd: nor by its SFI", "00CB0003 03 5C01FE 00", 0x6981, NULL, 0},
        {"odd: nor takes any", "00DB0003 03 810101", 0x6981, NULL, 0},
        {"no transparent EF", "00B0000000", 0x6981, NULL, 0},
        {"no record EF", "00B2010400", 0x6981, NULL, 0},
        {"the DF alone", "00A4000C025400", 0x9000, NULL, CARD_KEEPS},
        {"has no SIMPLE-TLV ones", "00CA020100", 0x6A88, NULL, 0},
        {"not any", "00CA02FF00", 0x6A88, NULL, 0},
        {"nor takes one", "00DA0201 01 00", 0x6A88, NULL, 0},
        {"an EF with BER-TLV structure", "00A4020C025401", 0x9000, NULL, CARD_KEEPS},
        {"has none", "00CA020100", 0x6A88, NULL, 0},
        {"nor takes one", "00DA0201 01 00", 0x6A88, NULL, 0},
        {"a transparent EF", "00A4020C025402", 0x9000, NULL, CARD_KEEPS},
        {"nor takes one", "00DA0201 01 00", 0x6A88, NULL, 0},
    };
    struct bench *bench = *state;

    BENCH_ROWS(bench, rows);
    bench_reset(bench);
    bench_expect(bench, "00A4080C0454005403", 0x9000, NULL);
    bench_expect(bench, "00CA02FF00", 0x9000, "010431323334 FE028181");
}

static void simple_tlv_objects_have_rules(void **state)
{
    static const struct card_row rows[] = {
        {"EF", "00A4020C025404", 0x9000, NULL, CARD_KEEPS},
        {"all write C1", "00DA02C1 01 07", 0x9000, NULL, 0},
        {"nobody reads it", "00CA02C100", 0x6982, NULL, 0},
        {"nobody writes C2", "00DA02C2 01 07", 0x6982, NULL, 0},
        {"nor removes it", "00DA02C2", 0x6982, NULL, 0},
        {"it is not there", "00CA02C200", 0x6A88, NULL, 0},
        {"all write 5F", "00DA025F 01 08", 0x9000, NULL, 0},
        {"and read it", "00CA025F00", 0x9000, "08", CARD_KEEPS},
        {"not together with C1", "00CA02FF00", 0x6982, NULL, 0},
        {"remove C1", "00DA02C1", 0x9000, NULL, 0},
        {"all", "00CA02FF00", 0x9000, "5F0108", CARD_KEEPS},
    };
    BENCH_ROWS(*state, rows);
}

/* ---- Lists ---- */

#define INNER  "A50D 820144 83024546 7F5003840147"
#define WHOLE  "7019 8103414243 " INNER " 5F50024849"
#define DEEP   "A10D A20B A309 A407 A605 8101 77 8200"
#define NUMBER "C105 0102030405"

static void make_objects(struct bench *bench)
{
    bench_expect(bench, "00DB3FFF 1B " WHOLE, 0x9000, NULL);
    bench_expect(bench, "00DB3FFF 0F " DEEP, 0x9000, NULL);
    bench_expect(bench, "00DB3FFF 07 " NUMBER, 0x9000, NULL);
}

static void header_lists(void **state)
{
    static const struct card_row rows[] = {
        {"cut", "00CB3FFF 04 5D02C103 00", 0x9000, "010203", CARD_KEEPS},
        {"as long as it is", "00CB3FFF 04 5D02C105 00", 0x9000, "0102030405", CARD_KEEPS},
        {"longer", "00CB3FFF 04 5D02C106 00", 0x9000, "0102030405", CARD_KEEPS},
        {"00: all of it", "00CB3FFF 04 5D02C100 00", 0x9000, "0102030405", CARD_KEEPS},
        {"80: all of it", "00CB3FFF 04 5D02C180 00", 0x9000, "0102030405", CARD_KEEPS},
        {"length of two bytes", "00CB3FFF 05 5D03C18102 00", 0x9000, "0102", CARD_KEEPS},
        {"of four", "00CB3FFF 07 5D05C183000002 00", 0x9000, "0102", CARD_KEEPS},
        {"two", "00CB3FFF 06 5D04C101C180 00", 0x9000, "01 0102030405", CARD_KEEPS},
        {"of a constructed one, cut", "00CB3FFF 04 5D027003 00", 0x9000, "810341", CARD_KEEPS},
        {"all", "00CB3FFF 04 5D027000 00", 0x9000, "8103414243 " INNER " 5F50024849", CARD_KEEPS},
        {"all", "00CB3FFF 04 5D027080 00", 0x9000, "8103414243 " INNER " 5F50024849", CARD_KEEPS},
        {"has no list", "00CB3FFF 06 5D0470028100 00", 0x6A88, NULL, 0},
        {"one is not there", "00CB3FFF 06 5D04C100C900 00", 0x6A88, NULL, 0},
        {"Le cuts", "00CB3FFF 04 5D02C100 02", 0x6103, "0102", CARD_KEEPS},
        {"of an EF", "00DB0001 03 C60109", 0x9000, NULL, 0},
        {"by SFI", "00CB0001 04 5D02C600 00", 0x9000, "09", CARD_KEEPS},
        {"which is current", "00CB0000 04 5D02C600 00", 0x9000, "09", CARD_KEEPS},
    };
    make_objects(*state);
    BENCH_ROWS(*state, rows);
}

static void extended_header_lists(void **state)
{
    static const struct card_row rows[] = {
        {"cut", "00CB3FFF 04 4D02C103 00", 0x9000, "C103010203", CARD_KEEPS},
        {"longer", "00CB3FFF 04 4D02C106 00", 0x9000, NUMBER, CARD_KEEPS},
        {"00: all", "00CB3FFF 04 4D02C100 00", 0x9000, NUMBER, CARD_KEEPS},
        {"80: all", "00CB3FFF 04 4D02C180 00", 0x9000, NUMBER, CARD_KEEPS},
        {"constructed, 80: all", "00CB3FFF 04 4D027080 00", 0x9000, WHOLE, CARD_KEEPS},
        {"constructed, 00: nothing", "00CB3FFF 04 4D027000 00", 0x9000, NULL, CARD_KEEPS},
        {"and what follows", "00CB3FFF 06 4D047000C101 00", 0x9000, "C10101", CARD_KEEPS},
        {"one in it", "00CB3FFF 06 4D0470028100 00", 0x9000, "7005 8103414243", CARD_KEEPS},
        {"cut", "00CB3FFF 06 4D0470028102 00", 0x9000, "7004 81024142", CARD_KEEPS},
        {"all of a constructed one", "00CB3FFF 06 4D047002A580 00", 0x9000, "700F " INNER,
         CARD_KEEPS},
        {"nothing of it", "00CB3FFF 08 4D067004A5008101 00", 0x9000, "7003 810141", CARD_KEEPS},
        {"nothing at all", "00CB3FFF 06 4D047002A500 00", 0x9000, "7000", CARD_KEEPS},
        {"nor of what is not there", "00CB3FFF 06 4D047002B500 00", 0x9000, "7000", CARD_KEEPS},
        {"one in that", "00CB3FFF 08 4D067004A5028200 00", 0x9000, "7005 A503820144", CARD_KEEPS},
        {"one in the third", "00CB3FFF 0B 4D097007A5057F50028400 00", 0x9000,
         "7008 A506 7F5003840147", CARD_KEEPS},
        {"back to the first, and on", "00CB3FFF 0F 4D0D7009A502830081015F5000C101 00", 0x9000,
         "700E A50483024546 810141 5F50024849 C10101", CARD_KEEPS},
        {"in the list's order, twice", "00CB3FFF 0B 4D0970075F500081018101 00", 0x9000,
         "700B 5F50024849 810141 810141", CARD_KEEPS},
        {"four levels", "00CB3FFF 0C 4D0AA108A206A304A402A680 00", 0x9000,
         "A10D A20B A309 A407 A605810177 8200", 0},
    };
    static const struct card_row refused[] = {
        {"not there", "00CB3FFF 04 4D02C900 00", 0x6A88, NULL, 0},
        {"not in it", "00CB3FFF 06 4D0470028600 00", 0x6A88, NULL, 0},
        {"not there, but in another one in it", "00CB3FFF 06 4D0470028200 00", 0x6A88, NULL, 0},
        {"a list for what is not there", "00CB3FFF 06 4D0471028200 00", 0x6A88, NULL, 0},
        {"one is there, one not", "00CB3FFF 08 4D06700481008600 00", 0x6A88, NULL, 0},
        {"five levels", "00CB3FFF 0E 4D0CA10AA208A306A404A6028100 00", 0x6A80, NULL, 0},
        {"empty", "00CB3FFF 02 4D00 00", 0x6A80, NULL, 0},
        {"empty header list", "00CB3FFF 02 5D00 00", 0x6A80, NULL, 0},
        {"no length", "00CB3FFF 03 4D01C1 00", 0x6A80, NULL, 0},
        {"no length in a header list", "00CB3FFF 05 5D03C100C1 00", 0x6A80, NULL, 0},
        {"length cut off", "00CB3FFF 05 4D03C18201 00", 0x6A80, NULL, 0},
        {"length of five bytes", "00CB3FFF 08 4D06C18400000001 00", 0x6A80, NULL, 0},
        {"half a tag", "00CB3FFF 03 4D015F 00", 0x6A80, NULL, 0},
        {"half a tag", "00CB3FFF 03 5D015F 00", 0x6A80, NULL, 0},
        {"tag 00", "00CB3FFF 04 4D020000 00", 0x6A80, NULL, 0},
        {"list over the end", "00CB3FFF 06 4D0470038100 00", 0x6A80, NULL, 0},
        {"list in it over the end", "00CB3FFF 08 4D067004A5038200 00", 0x6A80, NULL, 0},
        {"in it, no length", "00CB3FFF 05 4D03700181 00", 0x6A80, NULL, 0},
        {"in it, half a tag", "00CB3FFF 05 4D0370015F 00", 0x6A80, NULL, 0},
        {"in it, tag 00", "00CB3FFF 06 4D0470020000 00", 0x6A80, NULL, 0},
        {"another list behind", "00CB3FFF 08 4D02C100 5D02C100 00", 0x6A80, NULL, 0},
        {"cut off", "00CB3FFF 04 4D03C100 00", 0x6A80, NULL, 0},
        {"a transparent EF", "00CB5402 04 4D02C100 00", 0x6981, NULL, 0},
        {"nobody", "00CB5499 04 4D02C100 00", 0x6A82, NULL, 0},
    };
    static const struct card_row ruled[] = {
        {"put C1", "00DB0005 03 C10101", 0x9000, NULL, 0},
        {"and C3", "00DB0005 03 C30103", 0x9000, NULL, 0},
        {"header list", "00CB0005 04 5D02C100 00", 0x6982, NULL, 0},
        {"extended", "00CB0005 04 4D02C100 00", 0x6982, NULL, 0},
        {"together", "00CB0005 06 5D04C300C100 00", 0x6982, NULL, 0},
        {"the other", "00CB0005 04 5D02C300 00", 0x9000, "03", CARD_KEEPS},
    };
    struct bench *bench = *state;

    make_objects(bench);
    BENCH_ROWS(bench, rows);
    BENCH_ROWS(bench, refused);
    assert_int_equal(bench->app.channel->ef, COS_FILE_NONE);
    BENCH_ROWS(bench, ruled);
}

static void put_long(struct bench *bench, const char *header, size_t length)
{
    uint8_t apdu[BENCH_APDU_MAX];
    size_t head = bench_bytes(header, apdu, sizeof apdu);

    memset(apdu + head, 0x5A, length);
    assert_int_equal(bench_apdu(bench, apdu, head + length), 0x9000);
}

/* A5 holds 81 with 252 bytes. With 250 of them the answer has 256 bytes. */
static void lists_get_parts_of_what_does_not_fit(void **state)
{
    struct bench *bench = *state;

    put_long(bench, "00DA00A5 FF 8181FC", 252);
    bench_expect(bench, "00CB3FFF 06 4D04A5028103 00", 0x9000, "A505 81035A5A5A");
    bench_expect(bench, "00CB3FFF 07 4D05A503818180 00", 0x9000, "A58183 8181805A5A*");
    assert_int_equal(bench->length, 3 + 3 + 128);
    bench_expect(bench, "00CB3FFF 06 4D04A502817D 00", 0x9000, "A57F 817D5A5A*");
    bench_expect(bench, "00CB3FFF 07 4D05A5038181F8 00", 0x9000, "A581FB 8181F85A5A*");
    assert_int_equal(bench->length, 254);
    bench_expect(bench, "00CB3FFF 04 5D02A57F 00", 0x9000, "8181FC5A*");
    assert_int_equal(bench->length, 127);
    /* 256 and 257 bytes under secure messaging */
    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A4000C 02 5400", 0x9000, NULL);
    bench_expect_sm(bench, "00CB3FFF 07 4D05A5038181FA", 0x9000, "A581FD 8181FA5A5A*");
    assert_int_equal(bench->length, 256);
    bench_expect_sm(bench, "00CB3FFF 07 4D05A5038181FB", 0x6985, NULL);
    bench_expect_sm(bench, "00CB3FFF 04 4D02A580", 0x6985, NULL);
    bench_expect_sm(bench, "00CB3FFF 06 5D04A580A501", 0x9000, "8181FC5A*");
    assert_int_equal(bench->length, 256);
    bench_expect_sm(bench, "00CB3FFF 06 5D04A580A502", 0x6985, NULL);
}

/* ---- Several objects ---- */

static void several_objects_are_put_all_or_none(void **state)
{
    static const struct card_row rows[] = {
        {"two", "00DB3FFF 06 C10101 C20102", 0x9000, NULL, 0},
        {"one of them again, and two", "00DB3FFF 0C C2021112 5F500103 70028100", 0x9000, NULL, 0},
        {"all", "00CA00FF00", 0x9000, "C10101 C2021112 5F500103 70028100", CARD_KEEPS},
        {"the same twice", "00DB3FFF 06 C30101 C30102", 0x6A80, NULL, 0},
        {"an empty one", "00DB3FFF 05 C30101 C200", 0x6A80, NULL, 0},
        {"an empty one first", "00DB3FFF 05 C200 C30101", 0x6A80, NULL, 0},
        {"the second is cut off", "00DB3FFF 06 C30101 C40201", 0x6A80, NULL, 0},
        {"the second has no tag", "00DB3FFF 06 C30101 5F0101", 0x6A80, NULL, 0},
        {"the second is malformed inside", "00DB3FFF 06 C30101 700181", 0x6A80, NULL, 0},
        {"a tag list behind", "00DB3FFF 09 C30101 5C01C4 530101", 0x6A80, NULL, 0},
        {"something behind a tag list", "00DB3FFF 09 5C01C3 530101 C40101", 0x6A80, NULL, 0},
        {"seven", "00DB3FFF 15 C30101C40101C50101C60101C70101C80101C90101", 0x6A84, NULL, 0},
        {"six", "00DB3FFF 12 C30101C40101C50101C60101C70101C80101", 0x9000, NULL, 0},
        {"into an EF", "00DB5401 06 C10141 C20142", 0x9000, NULL, 0},
        {"which is current", "00CA00FF00", 0x9000, "C10141 C20142", CARD_KEEPS},
        {"no room: 91 bytes of 90",
         "00DB0000 5B C356 000102030405060708090A0B0C0D0E0F"
         "000102030405060708090A0B0C0D0E0F000102030405060708090A0B0C0D0E0F"
         "000102030405060708090A0B0C0D0E0F000102030405060708090A0B0C0D0E0F"
         "000102030405 C40101",
         0x6A84, NULL, 0},
        {"a transparent EF", "00DB5402 06 C10101 C20102", 0x6981, NULL, 0},
        {"a DF without room", "00DB5420 06 C10101 C20102", 0x6A84, NULL, 0},
        {"nobody", "00DB5499 06 C10101 C20102", 0x6A82, NULL, 0},
        {"one that nobody writes", "00DB5405 06 C10101 C20102", 0x6982, NULL, 0},
        {"first", "00DB5405 06 C20101 C10102", 0x6982, NULL, 0},
        {"the EF before is current", "00CA00FF00", 0x9000, "C10141 C20142", CARD_KEEPS},
        {"the others", "00DB5405 06 C10101 C30102", 0x9000, NULL, 0},
    };
    struct bench *bench = *state;

    BENCH_ROWS(bench, rows);
    bench_reset(bench);
    bench_expect(bench, "00A4080C025400", 0x9000, NULL);
    bench_expect(bench, "00CA00FF00", 0x9000,
                 "C10101 C2021112 5F500103 70028100 C30101C40101C50101C60101C70101C80101");
}

static void a_template_must_be_made_of_objects(void **state)
{
    static const struct card_row rows[] = {
        {"a byte", "00DA0070 01 81", 0x6A80, NULL, 0},
        {"cut off", "00DA0070 03 810241", 0x6A80, NULL, 0},
        {"indefinite length", "00DA0070 04 81800000", 0x6A80, NULL, 0},
        {"something behind", "00DA0070 04 81014182", 0x6A80, NULL, 0},
        {"half a tag in the second level", "00DA0070 03 A5015F", 0x6A80, NULL, 0},
        {"in the third", "00DA7F21 05 A503A60181", 0x6A80, NULL, 0},
        {"over the end of a template, not of the object", "00DA0070 07 A5038102418200", 0x6A80,
         NULL, 0},
        {"odd", "00DB3FFF 04 70028101", 0x6A80, NULL, 0},
        {"odd, by a tag list", "00DB3FFF 07 5C0170 53028101", 0x6A80, NULL, 0},
        {"into an EF", "00DB0001 04 70028101", 0x6A80, NULL, 0},
        {"which is not current", "00CB0000 03 5C0170 00", 0x6986, NULL, 0},
        {"a primitive one holds anything", "00DA0050 01 81", 0x9000, NULL, 0},
        {"padding", "00DA0070 05 00A502FF00", 0x9000, NULL, 0},
        {"is there", "00CA007000", 0x9000, "700500A502FF00", CARD_KEEPS},
        {"and is passed over", "00DA0070 08 FF00810141008200", 0x9000, NULL, 0},
        {"by a list", "00CB3FFF 06 4D0470028200 00", 0x9000, "70028200", CARD_KEEPS},
        {"to the end", "00CB3FFF 06 4D0470028300 00", 0x6A88, NULL, 0},
        {"a length that is not shortest", "00DA0070 06 8183000001 41", 0x9000, NULL, 0},
        {"and answered in the shortest form", "00CB3FFF 06 4D0470028100 00", 0x9000, "7003810141",
         CARD_KEEPS},
        {"empty: removed", "00DA0070", 0x9000, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

/* ---- States ---- */

static void what_is_deactivated_has_no_objects_to_give(void **state)
{
    static const struct card_row before[] = {
        {"BER-TLV", "00DB0001 03 C10101", 0x9000, NULL, 0},
        {"deactivated", "00040000", 0x9000, NULL, 0},
        {"get", "00CA00C100", 0x6985, NULL, 0},
        {"get all", "00CA00FF00", 0x6985, NULL, 0},
        {"put", "00DA00C1 01 02", 0x6985, NULL, 0},
        {"remove", "00DA00C1", 0x6985, NULL, 0},
        {"reserved P1-P2 come first", "00CA003F00", 0x6A86, NULL, 0},
        {"tag list", "00CB0001 03 5C01C1 00", 0x6985, NULL, 0},
        {"header list", "00CB0001 04 5D02C100 00", 0x6985, NULL, 0},
        {"extended header list", "00CB5401 04 4D02C100 00", 0x6985, NULL, 0},
        {"put, odd", "00DB0001 03 C10101", 0x6985, NULL, 0},
        {"put several", "00DB0001 06 C10101 C20102", 0x6985, NULL, 0},
        {"put, malformed", "00DB0001 01 C1", 0x6985, NULL, 0},
        {"SIMPLE-TLV", "00A4020C025403", 0x9000, NULL, CARD_KEEPS},
        {"put", "00DA0201 01 07", 0x9000, NULL, 0},
        {"deactivated", "00040000", 0x9000, NULL, 0},
        {"get", "00CA020100", 0x6985, NULL, 0},
        {"get all", "00CA02FF00", 0x6985, NULL, 0},
        {"put", "00DA0201 01 02", 0x6985, NULL, 0},
        {"odd", "00CB0003 03 5C0101 00", 0x6981, NULL, 0},
    };
    BENCH_ROWS(*state, before);
}

/* ---- P1-P2 ---- */

/* With no current EF, in a DF without any object. */
static void p1_p2_mean_the_same_to_both(void **state)
{
    static const struct {
        unsigned first, last;
        uint16_t get, put;
    } ranges[] = {
        {0x0000, 0x003F, 0x6A86, 0x6A86}, {0x0040, 0x005E, 0x6A88, 0x9000},
        {0x005F, 0x005F, 0x6A86, 0x6A86}, {0x0060, 0x0065, 0x6A88, 0x9000},
        {0x0066, 0x0066, 0x9000, 0x6985}, {0x0067, 0x007E, 0x6A88, 0x9000},
        {0x007F, 0x007F, 0x6A86, 0x6A86}, {0x0080, 0x009E, 0x6A88, 0x9000},
        {0x009F, 0x009F, 0x6A86, 0x6A86}, {0x00BF, 0x00BF, 0x6A86, 0x6A86},
        {0x00DF, 0x00DF, 0x6A86, 0x6A86}, {0x00FE, 0x00FE, 0x6A88, 0x9000},
        {0x00FF, 0x00FF, 0x6A88, 0x6A86}, {0x0100, 0x0100, 0x6A88, 0x6A88},
        {0x0101, 0x0101, 0x9000, 0x6A88}, {0x0102, 0x01FF, 0x6A88, 0x6A88},
        {0x0200, 0x0200, 0x6A86, 0x6A86}, {0x0201, 0x02FE, 0x6A88, 0x6A88},
        {0x02FF, 0x02FF, 0x6A88, 0x6A86}, {0x0300, 0x3FFF, 0x6A86, 0x6A86},
        {0x4000, 0x40FF, 0x6A86, 0x6A86}, {0x5EFF, 0x5F1E, 0x6A86, 0x6A86},
        {0x5F1F, 0x5F7F, 0x6A88, 0x9000}, {0x5F80, 0x5FFF, 0x6A86, 0x6A86},
        {0x7F65, 0x7F65, 0x6A88, 0x9000}, {0x7F66, 0x7F66, 0x9000, 0x6985},
        {0x9F7E, 0x9F7E, 0x6A88, 0x9000}, {0x9F7F, 0x9F7F, 0x9000, 0x6985},
        {0xFE1F, 0xFE7F, 0x6A86, 0x6A86}, {0xFF1F, 0xFF7F, 0x6A86, 0x6A86},
        {0xFF80, 0xFFFF, 0x6A86, 0x6A86},
    };
    struct bench *bench = *state;

    for (size_t i = 0; i < CARD_COUNT(ranges); i++) {
        for (unsigned tag = ranges[i].first; tag <= ranges[i].last;
             tag += tag < ranges[i].last && ranges[i].last - tag > 0x200 ? 0x101 : 1) {
            const uint8_t get[] = {0x00, 0xCA, (uint8_t)(tag >> 8), (uint8_t)tag, 0x00};
            const uint8_t put[] = {0x00, 0xDA, get[2], get[3], 0x02, 0x81, 0x00};
            const uint8_t remove[] = {0x00, 0xDA, get[2], get[3]};
            struct card_image image;
            card_image_take(bench, &image);
            assert_int_equal(bench_apdu(bench, get, sizeof get), ranges[i].get);
            assert_true(card_image_same(bench, &image));
            card_image_take(bench, &image);
            assert_int_equal(bench_apdu(bench, put, sizeof put), ranges[i].put);
            assert_int_equal(card_image_same(bench, &image), ranges[i].put != 0x9000);
            assert_int_equal(bench_apdu(bench, remove, sizeof remove), ranges[i].put);
        }
    }
}

#define FILES_TEST(function) cmocka_unit_test_setup_teardown(function, make_files, card_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILES_TEST(simple_tlv_objects),
        FILES_TEST(simple_tlv_objects_have_rules),
        FILES_TEST(header_lists),
        FILES_TEST(extended_header_lists),
        FILES_TEST(lists_get_parts_of_what_does_not_fit),
        FILES_TEST(several_objects_are_put_all_or_none),
        FILES_TEST(a_template_must_be_made_of_objects),
        FILES_TEST(what_is_deactivated_has_no_objects_to_give),
        FILES_TEST(p1_p2_mean_the_same_to_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
