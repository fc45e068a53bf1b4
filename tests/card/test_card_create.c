/* SPDX-License-Identifier: Apache-2.0
 *
 * CREATE FILE (ISO/IEC 7816-9, 9.3.2) through the whole card: who may, every bad parameter with its
 * status word and no trace in either chip, and memory that is full.
 */
#include "card_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

/* ---- Who may ---- */

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
    {"size 32769", "820101 83026000 80028001", 0x6A80},
    {"size of 5 bytes", "820101 83026000 80050000000010", 0x6A80},
    {"size twice", "820101 83026000 80020010 81020010", 0x6A80},
    {"size larger than the memory", "820101 83026000 80028000 A53A 850100", 0x6A80},
    {"structure 3B", "82013B 83026000 80020020", 0x6A81},
    {"no structure", "820100 83026000 80020020", 0x6A81},
    {"cyclic, without a record size", "82020621 83026000 80020020", 0x6A80},
    {"linear variable, record longer than the file", "8204 0421 0021 83026000 80020020", 0x6A80},
    {"BER-TLV EF without a size", "820139 83026000", 0x6A80},
    {"internal EF", "820109 83026000 80020010", 0x6A81},
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
    {"life-cycle status 00", "820101 83026000 80020010 8A0100", 0x6A80},
    {"life-cycle status 02", "820101 83026000 80020010 8A0102", 0x6A80},
    {"life-cycle status 10", "820101 83026000 80020010 8A0110", 0x6A80},
    {"rule: SC bytes missing", "820101 83026000 80020010 8C020300", 0x6A80},
    {"rule: SC byte too many", "820101 83026000 80020010 8C03010000", 0x6A80},
    {"rule: security environment 15", "820101 83026000 80020010 8C02019F", 0x6A80},
    {"rule: condition of nothing", "820101 83026000 80020010 8C020180", 0x6A80},
    {"rule: condition of nothing, environment 1", "820101 83026000 80020010 8C020101", 0x6A80},
    {"rule: proprietary access mode", "820101 83026000 80020010 8C028100", 0x6A80},
    {"rule of one byte", "820101 83026000 80020010 8C0101", 0x6A80},
    {"reference to a rule of two bytes", "820101 83026000 80020010 8B026000", 0x6A80},
    {"reference to a rule of five bytes", "820101 83026000 80020010 8B056000010203", 0x6A80},
    {"expanded rule without an access mode", "820101 83026000 80020010 AB02 9000", 0x6A80},
    {"expanded rule without a condition", "820101 83026000 80020010 AB03 800101", 0x6A80},
    {"two rules", "820101 83026000 80020010 8C020100 8B0101", 0x6A80},
    {"rule of data objects without a tag list", "820139 83026000 80020010 A004 8C020100", 0x6A80},
    {"rule of another form (86)", "820101 83026000 80020010 8602FFFF", 0x6A80},
    {"unknown source", "820101 83026000 80020010 850104", 0x6A80},
    {"vault without a rule", "820101 83026000 80020010 850102", 0x6A80},
    {"cyclic in the vault", "82050621000804 83026000 850102 8C020300", 0x6A80},
    {"source of two bytes", "820101 83026000 80020010 85020001", 0x6A80},
    {"records of the production record", "82050221000804 83026000 850101", 0x6A80},
    {"name of an EF", "820101 83026000 80020010 8405B1B2B3B4B5", 0x6A80},
    {"template that is none", "820101 83026000 80020010 A5028005", 0x6A80},
    {"template too long",
     "820101 83026000 80020010 A5817F C17D"
     "0000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000",
     0x6A84},
    {"object cut off", "820101 83026000 800200", 0x6A80},
    {"object without length", "820101 83026000 80", 0x6A80},
};

static void bad_parameters_are_refused(void **state)
{
    static const struct card_row rows[] = {
        {"no data", "00E00000", 0x6700, NULL, CARD_SM},
        {"P1: b8 of a file descriptor byte", "00E08100 0D 620B 820101 83026000 80020010", 0x6A86,
         NULL, CARD_SM},
        {"P1: another file descriptor byte", "00E03900 0D 620B 820101 83026000 80020010", 0x6A80,
         NULL, CARD_SM},
        {"P1: a structure that there is not", "00E03B00 0A 6208 83026000 80020010", 0x6A81, NULL,
         CARD_SM},
        {"P2: SFI 31", "00E000F8 0D 620B 820101 83026000 80020010", 0x6A86, NULL, CARD_SM},
        {"P2: another SFI", "00E00028 10 620E 820101 83026000 80020010 880130", 0x6A80, NULL,
         CARD_SM},
        {"P2: SFI, and 88 without one", "00E00028 0F 620D 820101 83026000 80020010 8800", 0x6A80,
         NULL, CARD_SM},
        {"P2: SFI in use", "00E00018 0D 620B 820101 83026000 80020010", 0x6A89, NULL, CARD_SM},
        {"P2", "00E00001 0D 620B 820101 83026000 80020010", 0x6A86, NULL, CARD_SM},
        {"no template", "00E00000 0B 820101 83026000 80020010", 0x6A80, NULL, CARD_SM},
        {"FMD template", "00E00000 0D 640B 820101 83026000 80020010", 0x6A80, NULL, CARD_SM},
        {"FCP and FCI template",
         "00E00000 1A 620B 820101 83026000 80020010 6F0B 820101 83026000 80020010", 0x6A80, NULL,
         CARD_SM},
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
        {"one name new, one in use", "820138 83025200 8405B1B2B3B4B5 8409F05457494E434F5301",
         0x6A8A},
        {"the issuer domain's name", "820138 83025200 8408A000000151000000", 0x6A8A},
        {"name of 17 bytes", "820138 83025200 84110102030405060708090A0B0C0D0E0F1011", 0x6A80},
        {"name of no byte", "820138 83025200 8400", 0x6A80},
        {"a size", "820138 83025200 8405B1B2B3B4B5 80020010", 0x6A80},
        {"an SFI", "820138 83025200 8405B1B2B3B4B5 880130", 0x6A80},
        {"a bad rule", "820138 83025200 8405B1B2B3B4B5 8C0206C0", 0x6A80},
        {"unknown object", "820138 83025200 8405B1B2B3B4B5 8600", 0x6A80},
        {"an EF with a name", "820101 83025200 8405B1B2B3B4B5 80020010", 0x6A80},
        {"too much of everything",
         "820138 83025200 8410B1B2B3B4B5B6B7B8B9BABBBCBDBEBFB0 8410C1B2B3B4B5B6B7B8B9BABBBCBDBEBFB0"
         " 8410D1B2B3B4B5B6B7B8B9BABBBCBDBEBFB0 8410E1B2B3B4B5B6B7B8B9BABBBCBDBEBFB0"
         " 8401A1",
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

/* The security chip knows eight names of applications (docs/formats.md): a DF with
 * two names that has room for one of them is refused and takes none. */
static void there_is_room_for_eight_names_of_applications(void **state)
{
    struct bench *bench = *state;
    struct card_image image;
    char fcp[64];

    bench_session(bench, 0x03);
    for (unsigned i = 2; i <= 5; i++) {
        bench_expect_sm(bench, "00A40000 02 3F00", 0x9000, CARD_ANY);
        snprintf(fcp, sizeof fcp, "820138 830252%02X 8405A1A2A3A4%02X 8405C1A2A3A4%02X", i, i, i);
        card_image_take(bench, &image);
        assert_int_equal(bench_create(bench, true, fcp), i <= 4 ? 0x9000 : 0x6A84);
        assert_int_equal(card_image_same(bench, &image), i > 4);
    }
    bench_expect_sm(bench, "00A40400 05 A1A2A3A404", 0x9000, CARD_ANY);
    bench_expect_sm(bench, "00A40400 05 C1A2A3A404", 0x9000, CARD_ANY);
    bench_expect_sm(bench, "00A40400 05 A1A2A3A405", 0x6A82, NULL);
    /* there is one more, for a DF with one name */
    bench_expect_sm(bench, "00A40000 02 3F00", 0x9000, CARD_ANY);
    assert_int_equal(bench_create(bench, true, "820138 83025206 8405A1A2A3A406"), 0x9000);
    bench_expect_sm(bench, "00A40000 02 3F00", 0x9000, CARD_ANY);
    card_image_take(bench, &image);
    assert_int_equal(bench_create(bench, true, "820138 83025207 8405A1A2A3A407"), 0x6A84);
    assert_true(card_image_same(bench, &image));
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
    bench_make(bench, &bench_small); /* 12 files, rounded up to whole pages, and 5 are there */
    open_application(bench);
    for (uint16_t sw = 0x9000; sw == 0x9000; made += sw == 0x9000) {
        snprintf(fcp, sizeof fcp, "820101 830260%02X 80020004 8C03030000", made);
        sw = bench_create(bench, true, fcp);
        assert_true(sw == 0x9000 || sw == 0x6A84);
    }
    assert_in_range(made, 12 - 5, 18 - 5);
    card_image_take(bench, &image);
    assert_int_equal(bench_create(bench, true, "820101 830260FF 80020004"), 0x6A84);
    bench_expect_sm(bench, "00A40000 02 3F00", 0x9000, CARD_ANY);
    assert_int_equal(bench_create(bench, true, "820138 83025200 8405B1B2B3B4B5"), 0x6A84);
    assert_true(card_image_same(bench, &image));
    snprintf(fcp, sizeof fcp, "00A4080C 04 510060%02X", made - 1);
    after_reset(bench, fcp);
    bench_expect(bench, "00D60000 04 01020304", 0x9000, NULL);
    bench_expect(bench, "00B0000000", 0x9000, "01020304");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(creation_is_under_the_rule_of_the_parent),
        CARD_TEST(a_free_directory_needs_no_session),
        CARD_TEST(bad_parameters_are_refused),
        CARD_TEST(refused_directories_leave_no_name),
        CARD_TEST(there_is_room_for_eight_names_of_applications),
        CARD_BLANK_TEST(the_mf_is_made_once_and_by_the_issuer),
        CARD_TEST(full_memory_leaves_everything_usable),
        CARD_TEST(a_full_file_table_leaves_everything_usable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
