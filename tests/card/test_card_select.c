/* SPDX-License-Identifier: Apache-2.0
 *
 * SELECT (ISO/IEC 7816-4:2013, 11.1.1): every form of P1-P2, what it answers, what becomes current,
 * and that a SELECT that fails changes nothing.
 *
 * The tree: MF {2F02, 0101, DF 5100 {5101, 5102, 5103, DF 5200 {0101}}, DF 5300 (A1A2A3A4A5)}.
 */
#include "card_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FCP_MF   "6210 82023821 83023F00 8A0105 8C0306C0C0"
#define FCP_5100 "621A 82023821 83025100 8409F05457494E434F5301 8A0105 8C0202C0"
#define FCP_5101 "6217 80020080 82020121 83025101 8A0105 8C0303C090 880108"
#define FCP_5102 "621A 80020020 82054221001002 83025102 8A0105 8C0303A300 880110"
#define FCI_5100 "6F1A 82023821 83025100 8409F05457494E434F5301 8A0105 8C0202C0"
#define FCP_5200 "620E 820138 83025200 8A0105 8C0202C0"
#define FCP_5300 "6211 820138 83025300 8405A1A2A3A4A5 8A0105"
#define FCI_ISD  "6F10 8408A000000151000000 A5049F6501FF"

static int make_tree(void **state)
{
    struct bench *bench;

    card_make(state);
    bench = *state;
    bench_session(bench, 0x01);
    assert_int_equal(bench_create(bench, true, "820101 83020101 80020004 8C020100"), 0x9000);
    assert_int_equal(bench_create(bench, true, "820138 83025300 8405A1A2A3A4A5"), 0x9000);
    bench_expect_sm(bench, "00A40000 02 5100", 0x9000, "6F*");
    /* The rule of 5100 allows EFs only: the DF below it is made through the file layer. */
    static const uint8_t fcp[] = {0x82, 0x01, 0x38, 0x83, 0x02, 0x52, 0x00, 0x8C, 0x02, 0x02, 0xC0};
    cos_file made;
    assert_int_equal(cos_fs_create(&bench->app.fs, bench->app.channel->df,
                                   (struct cos_span){fcp, sizeof fcp}, &made),
                     COS_OK);
    bench_expect_sm(bench, "00A40000 02 5200", 0x9000, "6F*");
    assert_int_equal(bench_create(bench, true, "820101 83020101 80020004 8C020100"), 0x9000);
    bench_reset(bench);
    return 0;
}

static void every_form_finds_its_file(void **state)
{
    static const struct card_row rows[] = {
        {"no data: the MF, FCI", "00A4000000", 0x9000, "6F*", CARD_KEEPS},
        {"no data: the MF, FCP", "00A40004", 0x9000, FCP_MF, CARD_KEEPS},
        {"MF by identifier", "00A40004023F0000", 0x9000, FCP_MF, CARD_KEEPS},
        {"EF of the MF", "00A4000402 2F02 00", 0x9000, "62*", CARD_KEEPS},
        {"DF by identifier", "00A4000402510000", 0x9000, FCP_5100, CARD_KEEPS},
        {"DF, FCI", "00A4000002510000", 0x9000, FCI_5100, CARD_KEEPS},
        {"DF, nothing answered", "00A4000C025100", 0x9000, NULL, CARD_KEEPS},
        {"DF, nothing answered, Le there", "00A4000C02510000", 0x9000, NULL, CARD_KEEPS},
        {"EF of the current DF", "00A40004025101", 0x9000, FCP_5101, CARD_KEEPS},
        {"its sibling", "00A40004025102", 0x9000, FCP_5102, CARD_KEEPS},
        {"the current DF itself", "00A40004025100", 0x9000, FCP_5100, CARD_KEEPS},
        {"child DF", "00A40104025200", 0x9000, FCP_5200, CARD_KEEPS},
        {"a child wins over the parent's child", "00A40004020101", 0x9000, "62*", CARD_KEEPS},
        {"the parent by identifier", "00A40004025100", 0x9000, FCP_5100, CARD_KEEPS},
        {"sibling of the DF", "00A40004025300", 0x9000, FCP_5300, CARD_KEEPS},
        {"sibling again", "00A40004025100", 0x9000, FCP_5100, CARD_KEEPS},
        {"child EF", "00A40204025101", 0x9000, FCP_5101, CARD_KEEPS},
        {"parent, from an EF: its DF's parent", "00A40304", 0x9000, FCP_MF, CARD_KEEPS},
        {"by name", "00A40404 09 F05457494E434F5301", 0x9000, FCP_5100, CARD_KEEPS},
        {"by name cut to the right", "00A40404 03 F05457", 0x9000, FCP_5100, CARD_KEEPS},
        {"by one byte of a name", "00A40404 01 A1", 0x9000, FCP_5300, CARD_KEEPS},
        {"path from the MF", "00A40804 04 51005101", 0x9000, FCP_5101, CARD_KEEPS},
        {"path with 3F00", "00A40804 06 3F0051005200", 0x9000, FCP_5200, CARD_KEEPS},
        {"path of 3F00 alone", "00A40804 02 3F00", 0x9000, FCP_MF, CARD_KEEPS},
        {"path from the current DF, the MF", "00A40904 02 5100", 0x9000, FCP_5100, CARD_KEEPS},
        {"path from the current DF", "00A40904 02 5102", 0x9000, FCP_5102, CARD_KEEPS},
        {"path from 3FFF, the current DF", "00A40904 04 3FFF5101", 0x9000, FCP_5101, CARD_KEEPS},
        {"Le cuts: the rest waits", "00A4000402510202", 0x611A, "621A", CARD_KEEPS},
        {"and is fetched", "00C000001A", 0x9000, "80020020 82054221001002*", CARD_KEEPS},
    };
    BENCH_ROWS(*state, rows);
}

static void the_issuer_domain_answers_by_name(void **state)
{
    static const struct card_row rows[] = {
        {"full name", "00A40400 08 A000000151000000 00", 0x9000, FCI_ISD, CARD_KEEPS},
        {"no name", "00A4040000", 0x9000, FCI_ISD, CARD_KEEPS},
        {"no name, no Le", "00A40400", 0x9000, FCI_ISD, CARD_KEEPS},
        {"FCP", "00A40404 08 A000000151000000 00", 0x9000, "6210 8408A000000151000000 A5049F6501FF",
         CARD_KEEPS},
        {"cut to its RID", "00A40400 05 A000000151", 0x9000, FCI_ISD, CARD_KEEPS},
        {"nothing answered", "00A4040C 08 A000000151000000", 0x9000, NULL, CARD_KEEPS},
        {"shorter than a RID", "00A40400 04 A0000001", 0x6A82, NULL, 0},
        {"longer", "00A40400 09 A00000015100000000", 0x6A82, NULL, 0},
        {"another", "00A40400 08 A000000151000001", 0x6A82, NULL, 0},
        {"another RID", "00A40400 05 A000000003", 0x6A82, NULL, 0},
    };
    struct bench *bench = *state;

    bench_select(bench);
    BENCH_ROWS(bench, rows);
    assert_int_equal(bench->app.channel->df, COS_FILE_MF);
    assert_int_equal(bench->app.channel->ef, COS_FILE_NONE);
}

/* ---- Several with the same beginning ---- */

static void occurrences_of_a_name(void **state)
{
    static const struct card_row rows[] = {
        {"first", "00A40408 02 A1A2 00", 0x9000, "6407 8405A1A2A3A4A5", CARD_KEEPS},
        {"next", "00A4040A 02 A1A2 00", 0x9000, "640A 8403A1A2B1 8403A1A2B2", CARD_KEEPS},
        {"next", "00A4040A 02 A1A2 00", 0x9000, "6405 8403A1A2C1", CARD_KEEPS},
        {"no next", "00A4040A 02 A1A2 00", 0x6A82, NULL, 0},
        {"previous", "00A4040B 02 A1A2 00", 0x9000, "640A 8403A1A2B1 8403A1A2B2", CARD_KEEPS},
        {"previous", "00A4040B 02 A1A2 00", 0x9000, "6407 8405A1A2A3A4A5", CARD_KEEPS},
        {"no previous", "00A4040B 02 A1A2 00", 0x6A82, NULL, 0},
        {"is still current", "00A4040A 02 A1A2 00", 0x9000, "640A*", CARD_KEEPS},
        {"last", "00A40409 02 A1A2 00", 0x9000, "6405 8403A1A2C1", CARD_KEEPS},
        {"last of a longer beginning", "00A40409 03 A1A2B2 00", 0x9000, "640A*", CARD_KEEPS},
        {"the MF, which has no such name", "00A4000C023F00", 0x9000, NULL, CARD_KEEPS},
        {"previous: the last", "00A4040B 02 A1A2 00", 0x9000, "6405 8403A1A2C1", CARD_KEEPS},
        {"the MF", "00A4000C023F00", 0x9000, NULL, CARD_KEEPS},
        {"next: the first", "00A4040A 02 A1A2 00", 0x9000, "6407 8405A1A2A3A4A5", CARD_KEEPS},
        {"FCI of the next", "00A40402 02 A1A2 00", 0x9000, "6F*", CARD_KEEPS},
        {"FCP of the next", "00A40406 02 A1A2 00", 0x9000, "620F*", CARD_KEEPS},
        {"no response for the previous", "00A4040F 02 A1A2", 0x9000, NULL, CARD_KEEPS},
        {"the issuer domain is the first of its beginning", "00A40400 05 A000000151 00", 0x9000,
         FCI_ISD, CARD_KEEPS},
        {"a DF the next", "00A4040A 05 A000000151 00", 0x9000, "6409 8407A0000001510001",
         CARD_KEEPS},
        {"and the last", "00A40409 05 A000000151 00", 0x9000, "6409 8407A0000001510001",
         CARD_KEEPS},
        {"no next", "00A4040A 05 A000000151 00", 0x6A82, NULL, 0},
        {"the issuer domain is the last where it is the only one",
         "00A40401 08 A000000151000000 00", 0x9000, FCI_ISD, CARD_KEEPS},
        {"but not the next", "00A40402 08 A000000151000000 00", 0x6A82, NULL, 0},
    };
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    assert_int_equal(bench_create(bench, true, "820138 83025310 8403A1A2B1 8403A1A2B2"), 0x9000);
    bench_expect_sm(bench, "00A40000 02 3F00", 0x9000, CARD_ANY);
    assert_int_equal(bench_create(bench, true, "820138 83025320 8403A1A2C1"), 0x9000);
    bench_expect_sm(bench, "00A40000 02 3F00", 0x9000, CARD_ANY);
    assert_int_equal(bench_create(bench, true, "820138 83025330 8407A0000001510001"), 0x9000);
    BENCH_ROWS(bench, rows);
}

static void file_management_data_are_names(void **state)
{
    static const struct card_row rows[] = {
        {"MF: none", "00A4000800", 0x9000, "6400", CARD_KEEPS},
        {"DF", "00A40008 02 5100 00", 0x9000, "640B 8409F05457494E434F5301", CARD_KEEPS},
        {"EF: none", "00A40208 02 5101 00", 0x9000, "6400", CARD_KEEPS},
        {"parent", "00A40308", 0x9000, "6400", CARD_KEEPS},
        {"issuer domain", "00A4040800", 0x9000, "640A 8408A000000151000000", CARD_KEEPS},
    };
    BENCH_ROWS(*state, rows);
}

/* ---- Refused ---- */

static const struct card_row bad_rows[] = {
    {"P1 05", "00A4050002510000", 0x6A86, NULL, 0},
    {"P1 06", "00A4060002510000", 0x6A86, NULL, 0},
    {"P1 07", "00A4070002510000", 0x6A86, NULL, 0},
    {"P1 0A", "00A40A0002510000", 0x6A86, NULL, 0},
    {"P1 0F", "00A40F0002510000", 0x6A86, NULL, 0},
    {"P1 10", "00A4100002510000", 0x6A86, NULL, 0},
    {"P1 80", "00A4800002510000", 0x6A86, NULL, 0},
    {"P1 FF", "00A4FF0002510000", 0x6A86, NULL, 0},
    {"P2 01: last, by identifier", "00A40001023F0000", 0x6A86, NULL, 0},
    {"P2 02: next, by path", "00A4080202510000", 0x6A86, NULL, 0},
    {"P2 03: previous, child DF", "00A4010302510000", 0x6A86, NULL, 0},
    {"P2 01: last, parent", "00A40301", 0x6A86, NULL, 0},
    {"P2 01: last of nobody", "00A40401 05 F154574900", 0x6A82, NULL, 0},
    {"P2 01: last, no name", "00A40401", 0x6700, NULL, 0},
    {"P2 02: next, no name", "00A40402", 0x6700, NULL, 0},
    {"P2 03: previous of nobody", "00A40403 05 F154574900", 0x6A82, NULL, 0},
    {"P2 10", "00A40010023F0000", 0x6A86, NULL, 0},
    {"P2 FF", "00A400FF023F0000", 0x6A86, NULL, 0},
    {"identifier of one byte", "00A40000013F", 0x6700, NULL, 0},
    {"identifier of three bytes", "00A40000033F0000", 0x6700, NULL, 0},
    {"identifier of nobody", "00A40000021234", 0x6A82, NULL, 0},
    {"identifier 3FFF", "00A40000023FFF", 0x6A82, NULL, 0},
    {"identifier FFFF", "00A4000002FFFF", 0x6A82, NULL, 0},
    {"identifier 0000", "00A40000020000", 0x6A82, NULL, 0},
    {"child DF: no data", "00A4010000", 0x6700, NULL, 0},
    {"child DF: one byte", "00A401000151", 0x6700, NULL, 0},
    {"child DF: nobody", "00A40100021234", 0x6A82, NULL, 0},
    {"child DF: 3F00", "00A40100023F00", 0x6A82, NULL, 0},
    {"child DF that is an EF", "00A40100020101", 0x6A82, NULL, 0},
    {"child EF: no data", "00A4020000", 0x6700, NULL, 0},
    {"child EF: three bytes", "00A4020003510100", 0x6700, NULL, 0},
    {"child EF: nobody", "00A40200021234", 0x6A82, NULL, 0},
    {"child EF of another DF", "00A40200025201", 0x6A82, NULL, 0},
    {"parent with data", "00A40300023F00", 0x6700, NULL, 0},
    {"name of 17 bytes", "00A40400 11 F05457494E434F53010000000000000000", 0x6700, NULL, 0},
    {"name of nobody", "00A40400 05 F154574900", 0x6A82, NULL, 0},
    {"name and one byte more", "00A40400 0A F05457494E434F530100", 0x6A82, NULL, 0},
    {"name with another end", "00A40400 09 F05457494E434F5302", 0x6A82, NULL, 0},
    {"path: none", "00A4080000", 0x6700, NULL, 0},
    {"path: odd", "00A40800 03 510051", 0x6700, NULL, 0},
    {"path: 19 steps",
     "00A40800 26 3F003F003F003F003F003F003F003F003F003F003F003F003F003F003F003F003F003F003F00",
     0x6700, NULL, 0},
    {"path: 18 steps",
     "00A40800 24 3F003F003F003F003F003F003F003F003F003F003F003F003F003F003F003F003F003F00", 0x6A82,
     NULL, 0},
    {"path: nobody", "00A40800 04 51001234", 0x6A82, NULL, 0},
    {"path: over an EF", "00A40800 04 2F020101", 0x6A82, NULL, 0},
    {"path: 3F00 twice", "00A40800 04 3F003F00", 0x6A82, NULL, 0},
    {"path: 3FFF in the middle", "00A40800 04 51003FFF", 0x6A82, NULL, 0},
    {"relative path: none", "00A4090000", 0x6700, NULL, 0},
    {"relative path: odd", "00A40900 01 51", 0x6700, NULL, 0},
    {"relative path: nobody", "00A40900 04 3FFF1234", 0x6A82, NULL, 0},
    {"relative path: upwards", "00A40900 02 5301", 0x6A82, NULL, 0},
    {"proprietary class", "80A40000023F00", 0x6D00, NULL, 0},
};

static void a_failed_select_changes_nothing(void **state)
{
    static const struct {
        const char *select;
        uint16_t record;
    } places[] = {{"00A4000C023F00", 0},
                  {"00A4080C0451005101", 0},
                  {"00A4080C0451005102", 2},
                  {"00A4080C0451005200", 0}};
    struct bench *bench = *state;

    for (size_t i = 0; i < CARD_COUNT(places); i++) {
        bench_expect(bench, places[i].select, 0x9000, NULL);
        if (places[i].record != 0) {
            bench_expect(bench, "00B2000100", 0x9000, CARD_ANY); /* last */
        }
        const cos_file df = bench->app.channel->df, ef = bench->app.channel->ef;
        for (size_t row = 0; row < CARD_COUNT(bad_rows); row++) {
            bench_rows(bench, &bad_rows[row], 1);
            assert_int_equal(bench->app.channel->df, df);
            assert_int_equal(bench->app.channel->ef, ef);
            assert_int_equal(bench->app.channel->record, places[i].record);
        }
    }
}

static void the_mf_has_no_parent(void **state)
{
    static const struct card_row rows[] = {
        {"MF", "00A40000", 0x9000, CARD_ANY, CARD_KEEPS},
        {"its parent", "00A40300", 0x6A82, NULL, 0},
        {"EF of the MF", "00A4000C022F02", 0x9000, NULL, CARD_KEEPS},
        {"parent of its DF", "00A40300", 0x6A82, NULL, 0},
        {"relative path that begins with 3F00, at the MF", "00A40904 04 3F002F02", 0x9000, "62*",
         CARD_KEEPS},
        {"DF", "00A4000C025100", 0x9000, NULL, CARD_KEEPS},
        {"relative path that begins with 3F00, elsewhere", "00A40904 04 3F002F02", 0x6A82, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

static void what_was_current_before_is_so_no_more(void **state)
{
    static const struct card_row rows[] = {
        {"an EF", "00A4080C 04 51005103", 0x9000, NULL, CARD_KEEPS},
        {"is read", "00B0000000", 0x9000, "00000000000000000000000000000000", CARD_KEEPS},
        {"its DF", "00A4000C025100", 0x9000, NULL, CARD_KEEPS},
        {"there is no current EF", "00B0000000", 0x6986, NULL, 0},
        {"an EF again", "00A4000C025103", 0x9000, NULL, CARD_KEEPS},
        {"the issuer domain", "00A4040C", 0x9000, NULL, CARD_KEEPS},
        {"no current EF", "00B0000000", 0x6986, NULL, 0},
        {"no SFI 3 in the MF", "00B0830000", 0x6A82, NULL, 0},
        {"EF of a DF from the MF", "00A4020C025103", 0x6A82, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

#define TREE_TEST(function) cmocka_unit_test_setup_teardown(function, make_tree, card_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TREE_TEST(every_form_finds_its_file),
        TREE_TEST(the_issuer_domain_answers_by_name),
        TREE_TEST(occurrences_of_a_name),
        TREE_TEST(file_management_data_are_names),
        TREE_TEST(a_failed_select_changes_nothing),
        TREE_TEST(the_mf_has_no_parent),
        TREE_TEST(what_was_current_before_is_so_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
