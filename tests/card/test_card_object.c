/* SPDX-License-Identifier: Apache-2.0
 *
 * GET DATA and PUT DATA of data objects in DFs and in EFs of BER-TLV structure (ISO/IEC
 * 7816-4:2013, 11.4).
 *
 * In the MF: DF 5400 with room for 200 bytes of objects (all may read and write them), in it EF
 * 5401 (SFI 1) of BER-TLV structure, 64 bytes, all may read and update; EF 5402 (SFI 2),
 * transparent; DF 5410 with room, whose A0 lets nobody write 5F50, nobody read C1, and all do the
 * rest; DF 5420 without room; DF 5430 with 900 bytes.
 */
#include "card_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CERT "00112233445566778899AABBCCDDEEFF"

static int make_files(void **state)
{
    static const char *const in_mf[] = {
        "820138 83025400 810200C8 8C03060000",
        "820138 83025420 8C03060000",
        "820138 83025430 81020384 8C03060000",
    };
    static const char *const in_5400[] = {
        "820139 83025401 80020040 880108 8C03030000",
        "820101 83025402 80020010 880110 8C03030000",
        "820138 83025410 81020080 8C03060000"
        "A018 5C025F50 8C0303FF00 5C01C1 8C030300FF 5C00 8C03030000",
    };

    card_make(state);
    bench_create_files(*state, "00A4000C 02 3F00", in_mf, CARD_COUNT(in_mf));
    bench_create_files(*state, "00A4080C 02 5400", in_5400, CARD_COUNT(in_5400));
    bench_expect(*state, "00A4080C025400", 0x9000, NULL);
    return 0;
}

/* ---- Even instructions ---- */

static void objects_of_the_current_df(void **state)
{
    static const struct card_row rows[] = {
        {"FCP of the DF", "00A4000402540000", 0x9000,
         "6213 810200C8 820138 83025400 8A0105 8C03060000", CARD_KEEPS},
        {"none", "00CA005E00", 0x6A88, NULL, 0},
        {"none at all", "00CA00FF00", 0x6A88, NULL, 0},
        {"put", "00DA005E 03 616263", 0x9000, NULL, 0},
        {"is answered by its value", "00CA005E00", 0x9000, "616263", CARD_KEEPS},
        {"Le cuts: the rest waits", "00CA005E01", 0x6102, "61", CARD_KEEPS},
        {"and is fetched", "00C0000002", 0x9000, "6263", CARD_KEEPS},
        {"without Le", "00CA005E", 0x9000, "616263", CARD_KEEPS},
        {"tag of two bytes", "00DA5F50 04 68747470", 0x9000, NULL, 0},
        {"its value", "00CA5F5000", 0x9000, "68747470", CARD_KEEPS},
        {"constructed", "00DA0065 05 5B03585859", 0x9000, NULL, 0},
        {"is answered as a whole", "00CA006500", 0x9000, "65055B03585859", CARD_KEEPS},
        {"constructed, two bytes", "00DA7F21 02 8100", 0x9000, NULL, 0},
        {"is answered as a whole", "00CA7F2100", 0x9000, "7F21028100", CARD_KEEPS},
        {"all", "00CA00FF00", 0x9000, "5E03616263 5F500468747470 65055B03585859 7F21028100",
         CARD_KEEPS},
        {"replaced by a longer one", "00DA005E 06 616263646566", 0x9000, NULL, 0},
        {"replaced by a shorter one", "00DA5F50 01 00", 0x9000, NULL, 0},
        {"longer", "00CA005E00", 0x9000, "616263646566", CARD_KEEPS},
        {"shorter", "00CA5F5000", 0x9000, "00", CARD_KEEPS},
        {"removed", "00DA0065", 0x9000, NULL, 0},
        {"is not there", "00CA006500", 0x6A88, NULL, 0},
        {"removed again", "00DA0065", 0x6A88, NULL, 0},
        {"not of the proprietary class", "80CA005E00", 0x6A88, NULL, 0},
        {"nor does it write", "80DA005E 01 00", 0x6D00, NULL, 0},
        {"another DF", "00A4000C025430", 0x9000, NULL, CARD_KEEPS},
        {"has its own", "00CA005E00", 0x6A88, NULL, 0},
        {"back, with an EF that is no BER-TLV one", "00A4080C0454005402", 0x9000, NULL, CARD_KEEPS},
        {"of the DF", "00CA005E00", 0x9000, "616263646566", CARD_KEEPS},
        {"which leaves the EF current", "00B0000001", 0x9000, "00", CARD_KEEPS},
        {"put leaves it too", "00DA005E 01 01", 0x9000, NULL, 0},
        {"is current", "00B0000001", 0x9000, "00", CARD_KEEPS},
        {"the card's own, which come first", "00CA006600", 0x9000, "6626*", CARD_KEEPS},
    };
    struct bench *bench = *state;

    BENCH_ROWS(bench, rows);
    bench_reset(bench);
    bench_expect(bench, "00A4000C025400", 0x9000, NULL);
    bench_expect(bench, "00CA00FF00", 0x9000, "5E0101 5F500100 7F21028100");
}

static void objects_of_an_ef(void **state)
{
    static const struct card_row rows[] = {
        {"EF", "00A40004025401", 0x9000, "6216 80020040 820139 83025401 8A0105 8C03030000 880108",
         CARD_KEEPS},
        {"put", "00DA0081 02 0102", 0x9000, NULL, 0},
        {"get", "00CA008100", 0x9000, "0102", CARD_KEEPS},
        {"the DF", "00A4000C025400", 0x9000, NULL, CARD_KEEPS},
        {"does not have it", "00CA008100", 0x6A88, NULL, 0},
        {"by SFI", "00CB0001 03 5C0181 00", 0x9000, "81020102", CARD_KEEPS},
        {"which made the EF current", "00CA008100", 0x9000, "0102", CARD_KEEPS},
        {"it is not transparent", "00B0000000", 0x6981, NULL, 0},
        {"has no records", "00B2010400", 0x6981, NULL, 0},
        {"its DF, by name", "00CB3FFF 03 5C0181 00", 0x6A88, NULL, 0},
        {"full", "00DA0082 3C " CERT CERT CERT "001122334455667788990011", 0x6A84, NULL, 0},
        {"almost", "00DA0082 3A " CERT CERT CERT "00112233445566778899", 0x9000, NULL, 0},
        {"now nothing more", "00DA0083 01 00", 0x6A84, NULL, 0},
        {"nor longer", "00DA0081 03 010203", 0x6A84, NULL, 0},
        {"but as long", "00DA0081 02 0304", 0x9000, NULL, 0},
        {"all", "00CA00FF00", 0x9000, "81020304 823A*", CARD_KEEPS},
        {"room again", "00DA0082", 0x9000, NULL, 0},
        {"for another", "00DA0083 01 00", 0x9000, NULL, 0},
        {"all", "00CA00FF00", 0x9000, "81020304 830100", CARD_KEEPS},
    };
    BENCH_ROWS(*state, rows);
}

/* ---- Odd instructions ---- */

static void odd_instructions_name_the_file(void **state)
{
    static const struct card_row rows[] = {
        {"put: tag list and discretionary data", "00DB3FFF 17 5C035FC105 5310" CERT, 0x9000, NULL,
         0},
        {"get: by tag list", "00CB3FFF 05 5C035FC105 00", 0x9000, "5FC10510" CERT, CARD_KEEPS},
        {"put: one object", "00DB3FFF 05 5F4A020102", 0x9000, NULL, 0},
        {"get: by its tag", "00CA5F4A00", 0x9000, "0102", CARD_KEEPS},
        {"get: two, in the order of the list", "00CB3FFF 07 5C055F4A5FC105 00", 0x9000,
         "5F4A020102 5FC10510" CERT, CARD_KEEPS},
        {"get: twice the same", "00CB3FFF 06 5C045F4A5F4A 00", 0x9000, "5F4A020102 5F4A020102",
         CARD_KEEPS},
        {"get: one of them is not there", "00CB3FFF 07 5C055F4A5FC106 00", 0x6A88, NULL, 0},
        {"put: constructed", "00DB3FFF 07 7F49048602AABB", 0x9000, NULL, 0},
        {"get", "00CB3FFF 04 5C027F49 00", 0x9000, "7F49048602AABB", CARD_KEEPS},
        {"put into the EF, by identifier", "00DB5401 04 5F2D0155", 0x9000, NULL, 0},
        {"it is current", "00CA5F2D00", 0x9000, "55", CARD_KEEPS},
        {"get from the current EF", "00CB0000 04 5C025F2D 00", 0x9000, "5F2D0155", CARD_KEEPS},
        {"put into the current EF", "00DB0000 04 5F2D0166", 0x9000, NULL, 0},
        {"put by SFI", "00DB0001 06 5C01C1 530177", 0x9000, NULL, 0},
        {"get", "00CB5401 05 5C03C15F2D 00", 0x9000, "C10177 5F2D0166", CARD_KEEPS},
        {"a DF by its identifier", "00DB5410 03 C20188", 0x9000, NULL, 0},
        {"get", "00CB5410 03 5C01C2 00", 0x9000, "C20188", CARD_KEEPS},
        {"does not become current", "00CB0000 03 5C01C1 00", 0x9000, "C10177", CARD_KEEPS},
        {"remove by an empty value", "00DB3FFF 07 5C035FC105 5300", 0x9000, NULL, 0},
        {"it is gone", "00CB3FFF 05 5C035FC105 00", 0x6A88, NULL, 0},
        {"remove by an empty object", "00DB3FFF 03 5F4A00", 0x9000, NULL, 0},
        {"it is gone", "00CB3FFF 04 5C025F4A 00", 0x6A88, NULL, 0},
        {"remove again", "00DB3FFF 03 5F4A00", 0x6A88, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

/* ---- Rules ---- */

static void each_object_has_its_rule(void **state)
{
    static const struct card_row rows[] = {
        {"DF", "00A4000C025410", 0x9000, NULL, CARD_KEEPS},
        {"nobody writes 5F50", "00DA5F50 01 00", 0x6982, NULL, 0},
        {"nor like this", "00DB3FFF 04 5F500100", 0x6982, NULL, 0},
        {"nor removes it", "00DA5F50", 0x6982, NULL, 0},
        {"all write C1", "00DA00C1 01 07", 0x9000, NULL, 0},
        {"nobody reads it", "00CA00C100", 0x6982, NULL, 0},
        {"nor like this", "00CB3FFF 03 5C01C1 00", 0x6982, NULL, 0},
        {"all write C2", "00DA00C2 01 08", 0x9000, NULL, 0},
        {"all read it", "00CA00C200", 0x9000, "08", CARD_KEEPS},
        {"not together with C1", "00CB3FFF 04 5C02C2C1 00", 0x6982, NULL, 0},
        {"nor all that there is", "00CA00FF00", 0x6982, NULL, 0},
        {"what is not there has no rule", "00CA5F5000", 0x6A88, NULL, 0},
        {"remove C1", "00DA00C1", 0x9000, NULL, 0},
        {"all", "00CA00FF00", 0x9000, "C20108", CARD_KEEPS},
    };
    struct bench *bench = *state;

    BENCH_ROWS(bench, rows);
    /* A DF without A0: whoever may create EFs in it writes, all read. */
    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A4000C 02 3F00", 0x9000, NULL);
    assert_int_equal(bench_create(bench, true, "820138 83025440 81020040 8C0202C0"), 0x9000);
    bench_expect_sm(bench, "00DA005E 03 414243", 0x9000, NULL);
    bench_expect_sm(bench, "00CB3FFF 03 5C015E", 0x9000, "5E03414243");
    bench_expect(bench, "00CA005E00", 0x9000, "414243");
    bench_expect(bench, "00DA005E 03 414244", 0x6982, NULL);
    bench_expect(bench, "00DA005E", 0x6982, NULL);
}

/* ---- Refused ---- */

static const struct card_row bad_rows[] = {
    {"get: tag 003F", "00CA003F00", 0x6A86, NULL, 0},
    {"get: tag 005F", "00CA005F00", 0x6A86, NULL, 0},
    {"get: SIMPLE-TLV tag", "00CA020100", 0x6A88, NULL, 0},
    {"get: all SIMPLE-TLV objects", "00CA02FF00", 0x6A88, NULL, 0},
    {"get: 4000 is no tag", "00CA400000", 0x6A86, NULL, 0},
    {"get: 5F81 goes on", "00CA5F8100", 0x6A86, NULL, 0},
    {"get: 5F1E", "00CA5F1E00", 0x6A86, NULL, 0},
    {"get: with data", "00CA005E 01 00", 0x6700, NULL, 0},
    {"put: tag 003F", "00DA003F 01 00", 0x6A86, NULL, 0},
    {"put: tag 005F", "00DA005F 01 00", 0x6A86, NULL, 0},
    {"put: 00FF", "00DA00FF 01 00", 0x6A86, NULL, 0},
    {"put: SIMPLE-TLV tag", "00DA0201 01 00", 0x6A88, NULL, 0},
    {"put: proprietary", "00DA0101 01 00", 0x6A88, NULL, 0},
    {"put: 4001", "00DA4001 01 00", 0x6A86, NULL, 0},
    {"put: 5F81", "00DA5F81 01 00", 0x6A86, NULL, 0},
    {"put: card data", "00DA0066 01 00", 0x6985, NULL, 0},
    {"put: keys", "00DA00E0 01 00", 0x6985, NULL, 0},
    {"put: CPLC data", "00DA9F7F 01 00", 0x6985, NULL, 0},
    {"put: lengths", "00DA7F66 01 00", 0x6985, NULL, 0},
    {"get, odd: no data field", "00CB3FFF00", 0x6700, NULL, 0},
    {"get, odd: nobody", "00CB5499 03 5C01C1 00", 0x6A82, NULL, 0},
    {"get, odd: the MF", "00CB3F00 03 5C01C1 00", 0x6A82, NULL, 0},
    {"get, odd: a transparent EF", "00CB5402 03 5C01C1 00", 0x6981, NULL, 0},
    {"get, odd: SFI of a transparent EF", "00CB0002 03 5C01C1 00", 0x6981, NULL, 0},
    {"get, odd: SFI 30", "00CB001E 03 5C01C1 00", 0x6A82, NULL, 0},
    {"get, odd: empty list", "00CB3FFF 02 5C00 00", 0x6A80, NULL, 0},
    {"get, odd: no list", "00CB3FFF 03 5301C1 00", 0x6A80, NULL, 0},
    {"get, odd: half a tag", "00CB3FFF 03 5C015F 00", 0x6A80, NULL, 0},
    {"get, odd: tag 00", "00CB3FFF 03 5C0100 00", 0x6A80, NULL, 0},
    {"get, odd: something behind", "00CB3FFF 06 5C01C1 5C01C2 00", 0x6A80, NULL, 0},
    {"get, odd: cut off", "00CB3FFF 03 5C02C1 00", 0x6A80, NULL, 0},
    {"put, odd: no data field", "00DB3FFF", 0x6700, NULL, 0},
    {"put, odd: a transparent EF", "00DB5402 03 C10101", 0x6981, NULL, 0},
    {"put, odd: nobody", "00DB5499 03 C10101", 0x6A82, NULL, 0},
    {"put, odd: cut off", "00DB3FFF 03 C10201", 0x6A80, NULL, 0},
    {"put, odd: a tag list alone", "00DB3FFF 03 5C01C1", 0x6A80, NULL, 0},
    {"put, odd: an empty tag list", "00DB3FFF 05 5C00 530101", 0x6A80, NULL, 0},
    {"put, odd: two tags", "00DB3FFF 07 5C02C1C2 530101", 0x6A80, NULL, 0},
    {"put, odd: another object than 53", "00DB3FFF 06 5C01C1 540101", 0x6A80, NULL, 0},
    {"put, odd: something behind 53", "00DB3FFF 09 5C01C1 530101 C20101", 0x6A80, NULL, 0},
    {"put, odd: nothing but padding", "00DB3FFF 02 0000", 0x6A80, NULL, 0},
    {"proprietary class", "80CB3FFF 03 5C01C1 00", 0x6D00, NULL, 0},
};

static void what_is_refused_changes_nothing(void **state)
{
    static const char *const places[] = {"00A4080C025400", "00A4080C0454005402"};
    struct bench *bench = *state;

    for (size_t i = 0; i < CARD_COUNT(places); i++) {
        bench_expect(bench, places[i], 0x9000, NULL);
        const cos_file df = bench->app.channel->df, ef = bench->app.channel->ef;
        for (size_t row = 0; row < CARD_COUNT(bad_rows); row++) {
            bench_rows(bench, &bad_rows[row], 1);
            assert_int_equal(bench->app.channel->df, df);
            assert_int_equal(bench->app.channel->ef, ef);
        }
    }
    bench_expect(bench, "00CB0000 03 5C01C1 00", 0x6981, NULL); /* 5402 is current */
    bench_expect(bench, "00A4000C025400", 0x9000, NULL);
    bench_expect(bench, "00CB0000 03 5C01C1 00", 0x6986, NULL);
    bench_expect(bench, "00DB0000 03 C10101", 0x6986, NULL);
}

static void a_df_without_room_has_no_objects(void **state)
{
    static const struct card_row rows[] = {
        {"DF", "00A4000C025420", 0x9000, NULL, CARD_KEEPS},
        {"get", "00CA005E00", 0x6A88, NULL, 0},
        {"get all", "00CA00FF00", 0x6A88, NULL, 0},
        {"get, odd", "00CB3FFF 03 5C015E 00", 0x6A88, NULL, 0},
        {"put", "00DA005E 01 00", 0x6A84, NULL, 0},
        {"put, odd", "00DB3FFF 03 5E0100", 0x6A84, NULL, 0},
        {"remove", "00DA005E", 0x6A88, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

/* ---- Long objects ---- */

static void put_long(struct bench *bench, const char *header, size_t length)
{
    uint8_t apdu[BENCH_APDU_MAX];
    size_t head = bench_bytes(header, apdu, sizeof apdu);

    memset(apdu + head, 0x5A, length);
    assert_int_equal(bench_apdu(bench, apdu, head + length), 0x9000);
}

static void objects_that_do_not_fit_the_response(void **state)
{
    struct bench *bench = *state;

    bench_expect(bench, "00A4000C025430", 0x9000, NULL);
    put_long(bench, "00DA005E FF", 255);
    put_long(bench, "00DA5F50 FF", 255);
    bench_expect(bench, "00CA005E00", 0x9000, CARD_ANY);
    assert_int_equal(bench->length, 255);
    put_long(bench, "00DA5F51 FF", 255);
    /* 258, 259 and 259 bytes with their headers, and a buffer of 600 */
    bench_expect(bench, "00CB3FFF 000003 5C015E 0000", 0x9000, "5E81FF5A5A*");
    assert_int_equal(bench->length, 258);
    bench_expect(bench, "00CB3FFF 03 5C015E 00", 0x6102, "5E81FF5A5A*");
    bench_expect(bench, "00C0000002", 0x9000, "5A5A");
    bench_expect(bench, "00CB3FFF 000007 5C055E5F505F51 0000", 0x6985, NULL);
    bench_expect(bench, "00CA00FF00", 0x6985, NULL);
    bench_expect(bench, "00DA005E", 0x9000, NULL);
    bench_expect(bench, "00DA5F51", 0x9000, NULL);
    bench_expect(bench, "00CA00FF000000", 0x9000, "5F5081FF5A5A*");
    /* under secure messaging the response has 256 at most */
    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A4000C 02 5430", 0x9000, NULL);
    bench_expect_sm(bench, "00CA5F50", 0x9000, "5A5A*");
    assert_int_equal(bench->length, 255);
    bench_expect_sm(bench, "00CB3FFF 04 5C025F50", 0x6985, NULL);
    bench_expect_sm(bench, "00DA5F50 03 010203", 0x9000, NULL);
    bench_expect_sm(bench, "00CA5F50", 0x9000, "010203");
}

#define FILES_TEST(function) cmocka_unit_test_setup_teardown(function, make_files, card_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILES_TEST(objects_of_the_current_df),
        FILES_TEST(objects_of_an_ef),
        FILES_TEST(odd_instructions_name_the_file),
        FILES_TEST(each_object_has_its_rule),
        FILES_TEST(what_is_refused_changes_nothing),
        FILES_TEST(a_df_without_room_has_no_objects),
        FILES_TEST(objects_that_do_not_fit_the_response),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
