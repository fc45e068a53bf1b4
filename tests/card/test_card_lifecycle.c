/* SPDX-License-Identifier: Apache-2.0
 *
 * Life-cycle status of files (ISO/IEC 7816-4:2013, table 14; 7816-9): ACTIVATE, DEACTIVATE,
 * TERMINATE EF, TERMINATE DF, TERMINATE CARD USAGE; what each status lets pass.
 *
 * In the MF: DF 5500 (all may do everything in and with it), in it EF 5501 (SFI 1, transparent, 16
 * bytes), EF 5502 (SFI 2, records), DF 5510, in that EF 5511 (SFI 1) and DF 5520 with room for data
 * objects. All of them let all do everything, but 5503 (SFI 3), which may be read and no more.
 */
#include "card_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* AM byte 7F: DELETE, TERMINATE, ACTIVATE, DEACTIVATE and the three below. */
#define ALL "8C087F00000000000000"

static int make_files(void **state)
{
    static const struct {
        const char *in, *fcp;
    } files[] = {
        {"00A4000C 02 3F00", "820138 83025500 8405B1B2B3B4B5 " ALL},
        {"00A4080C 02 5500", "820101 83025501 80020010 880108 " ALL},
        {"00A4080C 02 5500", "82050241000402 83025502 880110 " ALL},
        {"00A4080C 02 5500", "820101 83025503 80020010 880118 8C020100"},
        {"00A4080C 02 5500", "820138 83025510 " ALL},
        {"00A4080C 04 55005510", "820101 83025511 80020010 880108 " ALL},
        {"00A4080C 04 55005510", "820138 83025520 81020040 " ALL},
    };
    struct bench *bench;

    card_make(state);
    bench = *state;
    bench_session(bench, 0x03);
    for (size_t i = 0; i < CARD_COUNT(files); i++) {
        bench_expect_sm(bench, files[i].in, 0x9000, NULL);
        assert_int_equal(bench_create(bench, true, files[i].fcp), 0x9000);
    }
    bench_expect(bench, "00A4080C025500", 0x9000, NULL);
    return 0;
}

/* ---- EFs ---- */

#define FCP_5501(status) "621B 80020010 820101 83025501 8A01" status " 8C087F00000000000000 880108"

static void a_deactivated_ef(void **state)
{
    static const struct card_row rows[] = {
        {"select", "00A40004025501", 0x9000, FCP_5501("05"), CARD_KEEPS},
        {"write", "00D60000 02 0102", 0x9000, NULL, 0},
        {"activate what is active", "00440000", 0x9000, NULL, CARD_KEEPS},
        {"deactivate the current file", "00040000", 0x9000, NULL, 0},
        {"again", "00040000", 0x9000, NULL, CARD_KEEPS},
        {"it is still current: no reading", "00B0000000", 0x6985, NULL, 0},
        {"no update", "00D60000 01 00", 0x6985, NULL, 0},
        {"no write", "00D00000 01 00", 0x6985, NULL, 0},
        {"no erasing", "000E0000", 0x6985, NULL, 0},
        {"no search", "00A00000 01 00", 0x6985, NULL, 0},
        {"odd instructions neither", "00B10000 03 540100", 0x6985, NULL, 0},
        {"before the offset is looked at", "00B0100000", 0x6985, NULL, 0},
        {"by SFI", "00B0810000", 0x6985, NULL, 0},
        {"select warns", "00A40004025501", 0x6283, FCP_5501("04"), CARD_KEEPS},
        {"select, FCI", "00A40000025501", 0x6283, "6F1B*", CARD_KEEPS},
        {"select, nothing answered", "00A4000C025501", 0x6283, NULL, CARD_KEEPS},
        {"it is current", "00B0000000", 0x6985, NULL, 0},
        {"its neighbour by SFI", "00B201140004", 0x6700, NULL, 0},
        {"its neighbour by SFI", "00B2011404", 0x9000, "00000000", CARD_KEEPS},
        {"activate by identifier", "00440000 02 5501", 0x9000, NULL, 0},
        {"the neighbour is still current", "00B2010404", 0x9000, "00000000", CARD_KEEPS},
        {"select", "00A40004025501", 0x9000, FCP_5501("05"), CARD_KEEPS},
        {"content is as it was", "00B0000003", 0x9000, "010200", CARD_KEEPS},
    };
    BENCH_ROWS(*state, rows);
}

static void record_commands_of_a_deactivated_ef(void **state)
{
    static const struct card_row rows[] = {
        {"deactivate", "00040200 02 5502", 0x9000, NULL, 0},
        {"read", "00B2011400", 0x6985, NULL, 0},
        {"a record that is not there", "00B2091400", 0x6985, NULL, 0},
        {"read, odd", "00B30114 03 540100", 0x6985, NULL, 0},
        {"update", "00DC0114 04 00000000", 0x6985, NULL, 0},
        {"update, odd", "00DD0114 06 540100 530100", 0x6985, NULL, 0},
        {"write", "00D20114 04 00000000", 0x6985, NULL, 0},
        {"append", "00E20010 04 00000000", 0x6985, NULL, 0},
        {"erase", "000C0114", 0x6985, NULL, 0},
        {"search", "00A20114 01 00", 0x6985, NULL, 0},
        {"no EF became current", "00B2010400", 0x6986, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

static void a_terminated_ef(void **state)
{
    static const struct card_row rows[] = {
        {"terminate", "00E80200 02 5501", 0x9000, NULL, 0},
        {"again", "00E80200 02 5501", 0x6985, NULL, 0},
        {"activate", "00440200 02 5501", 0x6985, NULL, 0},
        {"deactivate", "00040200 02 5501", 0x6985, NULL, 0},
        {"read", "00B0810000", 0x6985, NULL, 0},
        {"update", "00D68100 01 00", 0x6985, NULL, 0},
        {"select warns", "00A40204025501", 0x6285, FCP_5501("0C"), CARD_KEEPS},
        {"deactivate another", "00040200 02 5502", 0x9000, NULL, 0},
        {"and terminate it", "00E80200 02 5502", 0x9000, NULL, 0},
        {"delete", "00E40200 02 5501", 0x9000, NULL, 0},
        {"no current EF", "00B0000000", 0x6986, NULL, 0},
        {"is gone", "00A40200025501", 0x6A82, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

/* ---- DFs ---- */

static void a_deactivated_df_has_no_usable_children(void **state)
{
    static const struct card_row rows[] = {
        {"deactivate the current DF", "00040000", 0x9000, NULL, 0},
        {"select warns", "00A4080C025500", 0x6283, NULL, CARD_KEEPS},
        {"its EF can be selected", "00A4020C025501", 0x9000, NULL, CARD_KEEPS},
        {"but not read", "00B0000000", 0x6985, NULL, 0},
        {"nor by SFI", "00B0810000", 0x6985, NULL, 0},
        {"its DF can be selected", "00A4010C025510", 0x9000, NULL, CARD_KEEPS},
        {"an EF in that not read", "00B0810000", 0x6985, NULL, 0},
        {"nor created", "00E00000 0F 620D 820101 83025512 80020010 8800", 0x6985, NULL, 0},
        {"nor deleted", "00E40200 02 5511", 0x6985, NULL, 0},
        {"nor deactivated", "00040200 02 5511", 0x6985, NULL, 0},
        {"nor activated", "00440200 02 5511", 0x6985, NULL, 0},
        {"nor terminated", "00E80200 02 5511", 0x6985, NULL, 0},
        {"objects neither", "00CB5520 03 5C015E 00", 0x6985, NULL, 0},
        {"objects neither", "00DB5520 03 5E0101", 0x6985, NULL, 0},
        {"the DF in it neither", "00040000", 0x6985, NULL, 0},
        {"by name", "00A4040C 05 B1B2B3B4B5", 0x6283, NULL, CARD_KEEPS},
        {"create", "00E00000 0F 620D 820101 83025504 80020010 8800", 0x6985, NULL, 0},
        {"activate", "00440400 05 B1B2B3B4B5", 0x9000, NULL, 0},
        {"select", "00A4080C 06 550055105511", 0x9000, NULL, CARD_KEEPS},
        {"read", "00B0000001", 0x9000, "00", CARD_KEEPS},
        {"objects", "00CB5520 03 5C015E 00", 0x6A88, NULL, 0},
        {"put", "00DB5520 03 5E0101", 0x9000, NULL, 0},
        {"get", "00CB5520 03 5C015E 00", 0x9000, "5E0101", CARD_KEEPS},
        {"deactivate the DF with objects", "00040100 02 5520", 0x9000, NULL, 0},
        {"objects", "00CB5520 03 5C015E 00", 0x6985, NULL, 0},
        {"select", "00A4010C025520", 0x6283, NULL, CARD_KEEPS},
        {"objects", "00CA005E00", 0x6985, NULL, 0},
        {"objects", "00CA00FF00", 0x6985, NULL, 0},
        {"objects", "00DA005E 01 02", 0x6985, NULL, 0},
        {"the parent works", "00A4030C", 0x9000, NULL, CARD_KEEPS},
        {"EF", "00B0810001", 0x9000, "00", CARD_KEEPS},
    };
    BENCH_ROWS(*state, rows);
}

static void a_terminated_df(void **state)
{
    static const struct card_row rows[] = {
        {"child", "00A4010C025510", 0x9000, NULL, CARD_KEEPS},
        {"terminate the parent", "00E60000 02 5500", 0x9000, NULL, 0},
        {"select warns", "00A4080C025500", 0x6285, NULL, CARD_KEEPS},
        {"by name", "00A40408 05 B1B2B3B4B5 00", 0x6285, "6407 8405B1B2B3B4B5", CARD_KEEPS},
        {"EF", "00B0810000", 0x6985, NULL, 0},
        {"child DF", "00A4010C025510", 0x9000, NULL, CARD_KEEPS},
        {"its EF", "00B0810000", 0x6985, NULL, 0},
        {"cannot be deleted by itself", "00E40000", 0x6985, NULL, 0},
        {"activate", "00440000 02 5500", 0x6985, NULL, 0},
        {"deactivate", "00040000 02 5500", 0x6985, NULL, 0},
        {"terminate", "00E60000 02 5500", 0x6985, NULL, 0},
        {"delete all", "00E40000 02 5500", 0x9000, NULL, 0},
        {"the MF is current", "00A40204022F02", 0x9000, CARD_ANY, CARD_KEEPS},
        {"and works", "00B0000001", 0x9000, "9F", CARD_KEEPS},
    };
    BENCH_ROWS(*state, rows);
}

/* ---- Creation and initialisation ---- */

/* The file's own rule is not in force yet, that of its DF for creating is. */
static void a_file_in_creation(void **state)
{
    static const struct card_row rows[] = {
        {"create, rule: never",
         "00E00000 1A 6218 820101 83025504 80020010 8A0101 "
         "8C087FFFFFFFFFFFFFFF",
         0x9000, NULL, 0},
        {"write as who may create", "00D60000 01 11", 0x9000, NULL, 0},
        {"deactivation comes later", "00040000", 0x6985, NULL, 0},
        {"termination too", "00E80000", 0x6985, NULL, 0},
        {"select", "00A4000C025504", 0x9000, NULL, CARD_KEEPS},
        {"activate", "00440000", 0x9000, NULL, 0},
        {"now its rule is in force", "00B0000000", 0x6982, NULL, 0},
        {"for all", "00D60000 01 11", 0x6982, NULL, 0},
        {"for all", "00040000", 0x6982, NULL, 0},
        {"for all", "00440000", 0x6982, NULL, 0},
        {"for all", "00E80000", 0x6982, NULL, 0},
        {"but its DF lets all delete what is in it", "00E40000", 0x9000, NULL, 0},
        {"initialisation", "00E00000 14 6212 820101 83025505 80020010 8A0103 8C020100", 0x9000,
         NULL, 0},
        {"write", "00D60000 01 22", 0x9000, NULL, 0},
        {"activate", "00440000", 0x9000, NULL, 0},
        {"read", "00B0000001", 0x9000, "22", CARD_KEEPS},
        {"write", "00D60000 01 22", 0x6982, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

/* ---- Refused ---- */

static void what_is_refused_changes_nothing(void **state)
{
    /* INS stands for itself: ACTIVATE, DEACTIVATE, TERMINATE EF and DF */
    static const struct {
        const char *what, *rest;
        uint16_t sw;
    } bad[] = {
        {"P1 05", "0500 02 5501", 0x6A86},
        {"P1 07", "0700 02 5501", 0x6A86},
        {"P1 10", "1000 02 5501", 0x6A86},
        {"P2 04", "0004 02 5501", 0x6A86},
        {"P2 08", "0008 02 5501", 0x6A86},
        {"P2 10", "0010 02 5501", 0x6A86},
        {"P2 01 by identifier", "0001 02 5501", 0x6A86},
        {"P2 01, current file", "0001", 0x6A86},
        {"one byte", "0000 01 55", 0x6700},
        {"three bytes", "0000 03 550100", 0x6700},
        {"nobody", "0000 02 5599", 0x6A82},
        {"nobody's child DF", "0100 02 5501", 0x6A82},
        {"nobody's child EF", "0200 02 5510", 0x6A82},
        {"no child EF", "0200", 0x6700},
        {"parent with data", "0300 02 3F00", 0x6700},
        {"nobody's name", "0400 05 B1B2B3B4B6", 0x6A82},
        {"no name", "0400", 0x6700},
        {"path of nobody", "0800 04 55005599", 0x6A82},
        {"odd path", "0800 03 550055", 0x6700},
    };
    static const char *const commands[] = {"0044", "0004", "00E8", "00E6", "00E4"};
    static const struct card_row rows[] = {
        {"terminate EF: a DF", "00E80000", 0x6981, NULL, 0},
        {"terminate EF: a child DF", "00E80100 02 5510", 0x6981, NULL, 0},
        {"terminate DF: an EF", "00E60200 02 5501", 0x6981, NULL, 0},
        {"the rule", "00040200 02 5503", 0x6982, NULL, 0},
        {"the rule", "00440200 02 5503", 0x6982, NULL, 0},
        {"the rule", "00E80200 02 5503", 0x6982, NULL, 0},
        {"the MF's rule", "00040000 02 3F00", 0x6982, NULL, 0},
        {"the MF's rule", "00E60300", 0x6982, NULL, 0},
        {"the MF cannot be deleted", "00E40000 02 3F00", 0x6985, NULL, 0},
        {"proprietary class: another command", "80E40000 02 5501", 0x6982, NULL, 0},
        {"proprietary class", "80440000", 0x6D00, NULL, 0},
        {"terminate card usage in the clear", "00FE0000", 0x6982, NULL, 0},
        {"terminate card usage, P1", "00FE0100", 0x6982, NULL, 0},
    };
    struct bench *bench = *state;

    const cos_file df = bench->app.channel->df;
    for (size_t c = 0; c < CARD_COUNT(commands); c++) {
        for (size_t i = 0; i < CARD_COUNT(bad); i++) {
            char text[64];
            snprintf(text, sizeof text, "%s%s", commands[c], bad[i].rest);
            const struct card_row row = {bad[i].what, text, bad[i].sw, NULL, 0};
            bench_rows(bench, &row, 1);
        }
    }
    BENCH_ROWS(bench, rows);
    assert_int_equal(bench->app.channel->df, df);
    assert_int_equal(bench->app.channel->ef, COS_FILE_NONE);
}

/* ---- The MF, and the card ---- */

/* A card whose MF lets the issuer do everything. */
static void make_own_mf(struct bench *bench, const char *rule)
{
    char fcp[64];

    assert_true(bench_produce_to(bench, COS_LIFE_PRODUCED));
    assert_int_equal(bench_sm_open(bench, 0x30, 0x03), 0x9000);
    snprintf(fcp, sizeof fcp, "820138 83023F00 %s", rule);
    assert_int_equal(bench_create(bench, true, fcp), 0x9000);
    assert_true(bench_produce_to(bench, COS_LIFE_OPERATIONAL));
}

static void the_mf_has_a_life_too(void **state)
{
    static const struct card_row rows[] = {
        {"deactivate", "00040000", 0x9000, NULL, CARD_SM},
        {"select", "00A4000C 02 3F00", 0x6283, NULL, CARD_SM | CARD_KEEPS},
        {"nothing below", "00A4080C 02 2F02", 0x9000, NULL, CARD_SM | CARD_KEEPS},
        {"nothing below", "00B00000", 0x6985, NULL, CARD_SM},
        {"activate", "00440000 02 3F00", 0x9000, NULL, CARD_SM},
        {"below", "00B00000", 0x9000, CARD_ANY, CARD_SM | CARD_KEEPS},
        {"terminate", "00E60000 02 3F00", 0x9000, NULL, CARD_SM},
        {"below", "00B00000", 0x6985, NULL, CARD_SM},
        {"select", "00A4000C 02 3F00", 0x6285, NULL, CARD_SM | CARD_KEEPS},
        {"for ever", "00440000 02 3F00", 0x6985, NULL, CARD_SM},
        {"the rest of the card lives", "80CA0066", 0x9000, CARD_ANY, CARD_SM | CARD_KEEPS},
    };
    struct bench *bench = *state;

    make_own_mf(bench, "8C087FC0C0C0C0C0C0C0");
    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A4000C 02 3F00", 0x9000, NULL);
    BENCH_ROWS(bench, rows);
}

static void terminate_card_usage_needs_the_mfs_rule(void **state)
{
    struct bench *bench = *state;

    bench_session(bench, 0x03); /* this MF's rule does not list TERMINATE */
    bench_expect_sm(bench, "00FE0000", 0x6982, NULL);
    bench_expect_sm(bench, "00FE0001", 0x6A86, NULL);
    bench_expect_sm(bench, "00FE0000 01 00", 0x6700, NULL);
    assert_int_equal(bench->secure.life_cycle, COS_LIFE_OPERATIONAL);
}

static void terminate_card_usage_ends_the_card(void **state)
{
    struct bench *bench = *state;

    make_own_mf(bench, "8C0426C0C0C0");
    bench_reset(bench);
    bench_expect(bench, "00FE0000", 0x6982, NULL);
    bench_session(bench, 0x01);
    bench_expect_sm(bench, "00FE0000", 0x9000, NULL);
    for (unsigned i = 0; i < 2; i++) {
        bench_expect(bench, "00A40000", 0x6985, NULL);
        bench_expect(bench, "00CA010100", 0x9000, "C00108*");
        bench_expect(bench, "00FE0000", 0x6985, NULL);
        bench_reset(bench);
    }
}

#define FILES_TEST(function) cmocka_unit_test_setup_teardown(function, make_files, card_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILES_TEST(a_deactivated_ef),
        FILES_TEST(record_commands_of_a_deactivated_ef),
        FILES_TEST(a_terminated_ef),
        FILES_TEST(a_deactivated_df_has_no_usable_children),
        FILES_TEST(a_terminated_df),
        FILES_TEST(a_file_in_creation),
        FILES_TEST(what_is_refused_changes_nothing),
        CARD_BLANK_TEST(the_mf_has_a_life_too),
        CARD_TEST(terminate_card_usage_needs_the_mfs_rule),
        CARD_BLANK_TEST(terminate_card_usage_ends_the_card),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
