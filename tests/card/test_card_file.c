/* SPDX-License-Identifier: Apache-2.0
 *
 * CREATE FILE with P1-P2, DELETE FILE (ISO/IEC 7816-9), and files of the vault as commands see
 * them.
 *
 * In the MF: DF 5600 with the name B1B2B3B4B5 (all may create in it, and delete what is in it), in
 * it EF 5601 (SFI 1, 16 bytes), DF 5610 (all may create in it and delete it, nobody what is in it),
 * in that EF 5611 (SFI 17), EF 5612 (SFI 18, all may delete it) and DF 5620 with the name
 * B1B2B3B4B6, in that EF 5621 (SFI 1, 2000 bytes).
 */
#include "card_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FREE "8C03030000"

static const struct {
    const char *in, *fcp;
} tree[] = {
    {"00A4000C 02 3F00", "820138 83025600 8405B1B2B3B4B5 8C0407000000"},
    {"00A4080C 02 5600", "820101 83025601 80020010 " FREE},
    {"00A4080C 02 5600", "820138 83025610 8C0547000000FF"},
    {"00A4080C 04 56005610", "820101 83025611 80020010 " FREE},
    {"00A4080C 04 56005610", "820101 83025612 80020010 8C044300 0000"},
    {"00A4080C 04 56005610", "820138 83025620 8405B1B2B3B4B6 8C0407000000"},
    {"00A4080C 06 560056105620", "820101 83025621 800207D0 " FREE},
};

static void make_tree(struct bench *bench)
{
    for (size_t i = 0; i < CARD_COUNT(tree); i++) {
        bench_expect_sm(bench, tree[i].in, 0x9000, NULL);
        uint16_t sw = bench_create(bench, true, tree[i].fcp);
        if (sw != 0x9000) {
            fail_msg("%s: %04X", tree[i].fcp, sw);
        }
    }
}

static int make_files(void **state)
{
    struct bench *bench;

    card_make(state);
    bench = *state;
    bench_session(bench, 0x03);
    make_tree(bench);
    bench_expect(bench, "00A4080C025600", 0x9000, NULL);
    return 0;
}

/* ---- CREATE FILE ---- */

static void descriptor_and_sfi_in_p1_p2(void **state)
{
    static const struct card_row rows[] = {
        {"both in P1-P2", "00E00128 0C 620A 83025630 80020010 8800", 0x6A80, NULL, 0},
        {"both in P1-P2", "00E00128 0A 6208 83025630 80020010", 0x9000, NULL, 0},
        {"FCP", "00A40004025630", 0x9000, "6211 80020010 820101 83025630 8A0105 880128",
         CARD_KEEPS},
        {"and in the data, the same", "00E00130 10 620E 820101 83025631 80020010 880130", 0x9000,
         NULL, 0},
        {"SFI alone in P2", "00E00038 0D 620B 820101 83025632 80020010", 0x9000, NULL, 0},
        {"FCP", "00A40004025632", 0x9000, "6211 80020010 820101 83025632 8A0105 880138",
         CARD_KEEPS},
        {"descriptor alone in P1: SFI from the identifier", "00E00100 0A 6208 83025638 80020010",
         0x9000, NULL, 0},
        {"FCP", "00A40004025638", 0x9000, "6211 80020010 820101 83025638 8A0105 8801C0",
         CARD_KEEPS},
        {"no SFI", "00E00000 0F 620D 820101 83025633 80020010 8800", 0x9000, NULL, 0},
        {"FCP", "00A40004025633", 0x9000, "6210 80020010 820101 83025633 8A0105 8800", CARD_KEEPS},
        {"SFI of the identifier is taken: none", "00E00000 0D 620B 820101 83020001 80020010",
         0x9000, NULL, 0},
        {"FCP", "00A40004020001", 0x9000, "6210 80020010 820101 83020001 8A0105 8800", CARD_KEEPS},
        {"records need more than P1", "00E00240 0A 6208 83025634 80020010", 0x6A80, NULL, 0},
        {"DF in P1", "00E03800 0C 620A 83025635 8404C1C2C3C4", 0x9000, NULL, 0},
        {"is current", "00A40308", 0x9000, "6407 8405B1B2B3B4B5", CARD_KEEPS},
        {"DF with an SFI in P2", "00E03828 0C 620A 83025636 8404C1C2C3C5", 0x6A80, NULL, 0},
        {"identifier in use", "00E00140 0A 6208 83025630 80020010", 0x6A89, NULL, 0},
        {"name in use", "00E03800 0C 620A 83025636 8404C1C2C3C4", 0x6A8A, NULL, 0},
        {"FCI template", "00E00000 0F 6F0D 820101 83025639 80020010 8800", 0x9000, NULL, 0},
        {"FCP", "00A40004025639", 0x9000, "6210 80020010 820101 83025639 8A0105 8800", CARD_KEEPS},
        {"BER-TLV structure in P1", "00E03948 0A 6208 83025637 80020020", 0x9000, NULL, 0},
        {"put", "00DA0081 01 01", 0x6982, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

/* Under secure messaging a name gets its context, whatever P1-P2 say. */
static void a_named_df_by_p1_under_secure_messaging(void **state)
{
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A4080C 02 5600", 0x9000, NULL);
    bench_expect_sm(bench, "00E03800 0C 620A 83025635 8404C1C2C3C4", 0x9000, NULL);
    bench_expect_sm(bench, "00A40408 04 C1C2C3C4", 0x9000, "64068404C1C2C3C4");
    bench_expect(bench, "00200081", 0x6A88, NULL); /* its context has no PIN */
    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A4080C 02 5600", 0x9000, NULL);
    bench_expect_sm(bench, "00E00000 0F 6F0D 820138 83025636 8404C1C2C3C5", 0x9000, NULL);
    bench_expect(bench, "00A40408 04 C1C2C3C5", 0x9000, "64068404C1C2C3C5");
    bench_expect(bench, "00200081", 0x6A88, NULL); /* an FCI template names it as well */
    bench_select(bench);
    bench_expect(bench, "00200081", 0x63C3, NULL);
}

/* ---- DELETE FILE ---- */

#define MANY 200

/* An EF that holds its number. False: the card has no room. */
static bool make_numbered(struct bench *bench, unsigned number)
{
    char text[80];

    snprintf(text, sizeof text, "820101 8302%04X 80020002 8800 8C044300 0000", 0x6000 + number);
    if (bench_create(bench, false, text) != 0x9000) {
        assert_int_equal(bench->sw, 0x6A84);
        return false;
    }
    snprintf(text, sizeof text, "00D60000 02 %04X", 0x6000 + number);
    bench_expect(bench, text, 0x9000, NULL);
    return true;
}

/* When the table is full, a deletion may bring the current EF to another place in it. */
static void the_current_ef_stays_whatever_is_deleted(void **state)
{
    struct bench *bench = *state;
    unsigned count = 0, moved = 0;
    uint64_t seed = 3;
    char text[80];

    while (count < MANY && make_numbered(bench, count)) {
        count++;
    }
    assert_true(count > 50 && count < MANY);
    for (unsigned round = 0; round < 2000; round++) {
        const unsigned deleted = sim_below(&seed, count);
        const unsigned current = (deleted + 1 + sim_below(&seed, count - 1)) % count;
        char content[5];
        snprintf(text, sizeof text, "00A4020C 02 %04X", 0x6000 + current);
        bench_expect(bench, text, 0x9000, NULL);
        const cos_file before = bench->app.channel->ef;
        snprintf(text, sizeof text, "00E40200 02 %04X", 0x6000 + deleted);
        bench_expect(bench, text, 0x9000, NULL);
        moved += bench->app.channel->ef != before;
        snprintf(content, sizeof content, "%04X", 0x6000 + current);
        bench_expect(bench, "00B0000002", 0x9000, content);
        make_numbered(bench, deleted);
    }
    assert_true(moved > 0);
}

static void an_ef_is_deleted(void **state)
{
    static const struct card_row rows[] = {
        {"write", "00D68100 02 0102", 0x9000, NULL, 0},
        {"delete the current EF", "00E40000", 0x9000, NULL, 0},
        {"there is no current EF", "00B0000000", 0x6986, NULL, 0},
        {"no SFI", "00B0810000", 0x6A82, NULL, 0},
        {"no identifier", "00A40000025601", 0x6A82, NULL, 0},
        {"made again", "00E00000 12 6210 820101 83025601 80020010 8C03030000", 0x9000, NULL, 0},
        {"it is 00", "00B0000003", 0x9000, "000000", CARD_KEEPS},
        {"another by path", "00E40800 06 560056105612", 0x9000, NULL, 0},
        {"the current EF stays", "00B0000001", 0x9000, "00", CARD_KEEPS},
        {"and the current DF", "00A4020C025601", 0x9000, NULL, CARD_KEEPS},
        {"by path from the current DF: its rule says nothing, its DF's never",
         "00E40900 04 56105611", 0x6982, NULL, 0},
        {"by identifier", "00E40000 02 5601", 0x9000, NULL, 0},
        {"as child EF", "00E4020C 02 5601", 0x6A82, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

static void a_df_is_deleted_with_all_below(void **state)
{
    static const struct card_row rows[] = {
        {"deep inside", "00A4080C 08 5600561056205621", 0x9000, NULL, CARD_KEEPS},
        {"fill", "00D607CF 01 FF", 0x9000, NULL, 0},
        {"a DF above", "00E40800 04 56005610", 0x9000, NULL, 0},
        {"the DF above it is current, no EF", "00B0000000", 0x6986, NULL, 0},
        {"EF of it", "00B0810001", 0x9000, "00", CARD_KEEPS},
        {"gone", "00A40000025610", 0x6A82, NULL, 0},
        {"gone", "00A4080C 06 560056105620", 0x6A82, NULL, 0},
        {"its name too", "00A4040C 05 B1B2B3B4B6", 0x6A82, NULL, 0},
        {"the other name is there", "00A4040C 04 B1B2B3B4", 0x9000, NULL, CARD_KEEPS},
        {"the name may be used again", "00E00000 0E 620C 820138 83025640 8405B1B2B3B4B6", 0x6700,
         NULL, 0},
        {"the name may be used again", "00E00000 10 620E 820138 83025640 8405B1B2B3B4B6", 0x9000,
         NULL, 0},
        {"select", "00A40408 05 B1B2B3B4B6", 0x9000, "6407 8405B1B2B3B4B6", CARD_KEEPS},
    };
    struct bench *bench = *state;

    BENCH_ROWS(bench, rows);
    bench_reset(bench);
    bench_expect(bench, "00A4080C 06 560056105620", 0x6A82, NULL);
    bench_expect(bench, "00A4080C 04 56005601", 0x9000, NULL);
}

static void the_current_df_is_deleted(void **state)
{
    static const struct card_row rows[] = {
        {"the DF itself, by its parent's rule", "00A4010C025610", 0x9000, NULL, CARD_KEEPS},
        {"0000 without data", "00E40000", 0x9000, NULL, 0},
        {"its parent is current", "00B0810001", 0x9000, "00", CARD_KEEPS},
        {"it is gone", "00A4010C025610", 0x6A82, NULL, 0},
        {"the DF", "00A4030C", 0x9000, NULL, CARD_KEEPS},
        {"which nobody may delete", "00E40000 02 5600", 0x6982, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

/* The channel's context in the security chip follows: under secure messaging too. */
static void deleting_an_application_leaves_it(void **state)
{
    static const struct card_row rows[] = {
        {"in the application of the MF's DF", "00A4080C 04 56005610", 0x9000, NULL, CARD_SM},
        {"named DF", "00A4010C 02 5620", 0x9000, NULL, CARD_SM},
        {"is deleted, current", "00E40000", 0x6982, NULL, CARD_SM},
        {"by its DF", "00E40000 02 5610", 0x9000, NULL, CARD_SM},
        {"5600 is current", "00B08100", 0x9000, CARD_ANY, CARD_SM | CARD_KEEPS},
    };
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    BENCH_ROWS(bench, rows);
    assert_int_equal(bench->app.channel->application, bench->app.channel->df);
}

static void space_is_used_again(void **state)
{
    struct bench *bench = *state;
    char fcp[80];

    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A4080C 02 5600", 0x9000, NULL);
    for (unsigned round = 0; round < 20; round++) {
        snprintf(fcp, sizeof fcp, "820101 830270%02X 80025000 8800 " FREE, round);
        assert_int_equal(bench_create(bench, true, fcp), 0x9000);
        bench_expect_sm(bench, "00B04FFF", 0x9000, "00");
        bench_expect_sm(bench, "00D64FFF 01 77", 0x9000, NULL);
        bench_expect_sm(bench, "00E40000", 0x9000, NULL);
    }
    bench_expect_sm(bench, "00A40000 02 5601", 0x9000, CARD_ANY);
}

/* Refused: NVM and current file stay. test_card_lifecycle.c has the forms of P1-P2. */
static void what_is_refused_changes_nothing(void **state)
{
    static const struct card_row rows[] = {
        {"the MF", "00E40000 02 3F00", 0x6985, NULL, 0},
        {"the MF as parent", "00E40300", 0x6985, NULL, 0},
        {"neither rule", "00E40000 02 5600", 0x6982, NULL, 0},
        {"neither rule, application", "00E40400 09 F05457494E434F5301", 0x6982, NULL, 0},
        {"neither rule, EF", "00E40800 06 560056105611", 0x6982, NULL, 0},
        {"the issuer domain is no DF", "00E40400 08 A000000151000000", 0x6A82, NULL, 0},
        {"the last of a name", "00E40401 09 F05457494E434F5301", 0x6982, NULL, 0},
        {"nobody", "00E40000 02 5699", 0x6A82, NULL, 0},
    };
    static const char *const places[] = {"00A4080C025600", "00A4080C0456005601",
                                         "00A4080C06560056105611"};
    struct bench *bench = *state;

    for (size_t i = 0; i < CARD_COUNT(places); i++) {
        bench_expect(bench, places[i], 0x9000, NULL);
        const cos_file df = bench->app.channel->df, ef = bench->app.channel->ef;
        for (size_t row = 0; row < CARD_COUNT(rows); row++) {
            if (i == 2 && row == 1) {
                continue; /* its parent is another one there */
            }
            bench_rows(bench, &rows[row], 1);
            assert_int_equal(bench->app.channel->df, df);
            assert_int_equal(bench->app.channel->ef, ef);
        }
    }
}

/* ---- The vault ---- */

static void files_of_the_vault(void **state)
{
    static const struct card_row as_issuer[] = {
        {"plain DF", "00A4080C 02 5600", 0x9000, NULL, CARD_SM},
        {"transparent, update under secure messaging, read by all, all the rest too",
         "00E00000 1D 621B 820101 83025650 80020020 850102 880140 8C087F000000 0000C0 00", 0x9000,
         NULL, CARD_SM},
        {"it is current", "00B00000", 0x9000,
         "0000000000000000000000000000000000000000000000000000000000000000", CARD_SM | CARD_KEEPS},
        {"update", "00D60004 04 A1A2A3A4", 0x9000, NULL, CARD_SM},
        {"update, odd", "00D75650 07 540106 5302B3B4", 0x9000, NULL, CARD_SM},
        {"search", "00A00000 02 B3B4", 0x9000, "0006", CARD_SM | CARD_KEEPS},
        {"search, odd", "00A10000 07 540100 5302B3B4", 0x9000, "54020006", CARD_SM | CARD_KEEPS},
        {"erase", "000E0004 01 05", 0x9000, NULL, CARD_SM},
        {"write: OR", "00D00000 01 01", 0x9000, NULL, CARD_SM},
        {"update over the end", "00D6001F 02 0102", 0x6A84, NULL, CARD_SM},
        {"linear fixed",
         "00E00000 1D 621B 82050241000803 83025651 850102 880148 "
         "8C087F00000000000000",
         0x9000, NULL, CARD_SM},
        {"record 2", "00DC0204 08 1122334455667788", 0x9000, NULL, CARD_SM},
        {"part of record 3: XOR", "00DD0307 07 540106 5302FFFF", 0x9000, NULL, CARD_SM},
        {"erase record 1", "000C0104", 0x9000, NULL, CARD_SM},
        {"all", "00B20105", 0x9000, "0000000000000000 1122334455667788 000000000000FFFF",
         CARD_SM | CARD_KEEPS},
        {"search", "00A20104 02 FFFF", 0x9000, "03", CARD_SM | CARD_KEEPS},
        {"append: full", "00E20000 08 1122334455667788", 0x6A84, NULL, CARD_SM},
        {"write: OR", "00D20204 08 8080808080808000", 0x9000, NULL, CARD_SM},
        {"record 4", "00B20404", 0x6A83, NULL, CARD_SM},
    };
    static const struct card_row in_the_clear[] = {
        {"none is created",
         "00E00000 1D 621B 820101 83025652 80020020 850102 880150 "
         "8C087F00000000000000",
         0x6982, NULL, 0},
        {"read by SFI", "00B0880000", 0x9000,
         "01000000 00A2B3B4 0000000000000000 00000000000000000000000000000000", CARD_KEEPS},
        {"over the end", "00B0001F02", 0x6282, "00", CARD_KEEPS},
        {"no update", "00D60000 01 01", 0x6982, NULL, 0},
        {"no erasing", "000E0000", 0x6982, NULL, 0},
        {"deactivate", "00040000", 0x9000, NULL, 0},
        {"select warns", "00A40004025650", 0x6283,
         "621E 80020020 820101 83025650 850102 8A0104 8C087F0000000000C000 880140", CARD_KEEPS},
        {"no reading", "00B0000000", 0x6985, NULL, 0},
        {"activate", "00440000", 0x9000, NULL, 0},
        {"select", "00A4000C025650", 0x9000, NULL, CARD_KEEPS},
        {"reading", "00B0000501", 0x9000, "A2", CARD_KEEPS},
        {"terminate DF", "00E60000", 0x6981, NULL, 0},
        {"terminate", "00E80000", 0x9000, NULL, 0},
        {"select warns", "00A4000C025650", 0x6285, NULL, CARD_KEEPS},
        {"delete", "00E40000", 0x9000, NULL, 0},
        {"is gone", "00A4000C025650", 0x6A82, NULL, 0},
        {"records", "00B2024C00", 0x9000, "91A2B3C4D5E6F788", CARD_KEEPS},
        {"delete", "00E40200 02 5651", 0x9000, NULL, 0},
        {"is gone", "00B2024C00", 0x6A82, NULL, 0},
    };
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    BENCH_ROWS(bench, as_issuer);
    bench_reset(bench);
    bench_expect(bench, "00A4080C025600", 0x9000, NULL);
    BENCH_ROWS(bench, in_the_clear);
}

/* A DF goes together with vault EFs in it. */
static void a_df_with_vault_files_is_deleted(void **state)
{
    static const struct card_row rows[] = {
        {"DF", "00A4080C 04 56005610", 0x9000, NULL, CARD_SM},
        {"vault EF",
         "00E00000 1D 621B 820101 83025650 80020020 850102 880140 "
         "8C087F00000000000000",
         0x9000, NULL, CARD_SM},
        {"another, which nobody deletes",
         "00E00000 1D 621B 820101 83025651 80020020 850102 880148 "
         "8C087FFF000000000000",
         0x9000, NULL, CARD_SM},
        {"all of it: no", "00E40000 02 5610", 0x6982, NULL, CARD_SM},
        {"is still current", "00B00000", 0x9000, CARD_ANY, CARD_SM | CARD_KEEPS},
    };
    static const struct card_row others[] = {
        {"DF", "00A4080C 04 56005610", 0x9000, NULL, CARD_SM},
        {"vault EF",
         "00E00000 1D 621B 820101 83025650 80020020 850102 880140 "
         "8C087F00000000000000",
         0x9000, NULL, CARD_SM},
        {"all of it", "00E40000 02 5610", 0x9000, NULL, CARD_SM},
        {"is gone", "00A4080C 06 560056105650", 0x6A82, NULL, CARD_SM},
    };
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    BENCH_ROWS(bench, rows);
    card_free(state);
    make_files(state);
    bench = *state;
    bench_session(bench, 0x03);
    BENCH_ROWS(bench, others);
}

/* Loses the answers of VAULT from the second on: what the security chip has committed, the app chip
 * does not learn. */
static unsigned lose_second_answer(void *context, bool to_secure, uint8_t *frame, size_t *length)
{
    unsigned *seen = context;

    (void)length;
    if (to_secure || frame[3] != COS_GATE_VAULT) {
        return 1;
    }
    return (*seen)++ == 0;
}

/* The deletion is finished with the next command; what was current is left then. */
static void the_current_df_goes_behind_the_commands_back(void **state)
{
    static const struct card_row before[] = {
        {"DF", "00A4080C 04 56005610", 0x9000, NULL, CARD_SM},
        {"vault EF",
         "00E00000 1D 621B 820101 83025650 80020020 850102 880140 "
         "8C087F00000000000000",
         0x9000, NULL, CARD_SM},
    };
    static const struct card_row after[] = {
        {"nothing is current", "00B0000000", 0x6986, NULL, CARD_WRITES},
        {"the MF is", "00A40204022F02", 0x9000, CARD_ANY, CARD_KEEPS},
        {"the DF is gone", "00A4080C 04 56005610", 0x6A82, NULL, 0},
    };
    static unsigned seen;
    struct bench *bench = *state;

    seen = 0;
    bench_session(bench, 0x03);
    BENCH_ROWS(bench, before);
    bench->tap = lose_second_answer;
    bench->tap_context = &seen;
    assert_int_equal(bench_sm_hex(bench, "00E40000 02 5610"), 0x6F00);
    bench->tap = NULL;
    assert_true(seen > 1);
    BENCH_ROWS(bench, after);
}

#define FILES_TEST(function) cmocka_unit_test_setup_teardown(function, make_files, card_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILES_TEST(descriptor_and_sfi_in_p1_p2),
        FILES_TEST(a_named_df_by_p1_under_secure_messaging),
        FILES_TEST(the_current_ef_stays_whatever_is_deleted),
        FILES_TEST(an_ef_is_deleted),
        FILES_TEST(a_df_is_deleted_with_all_below),
        FILES_TEST(the_current_df_is_deleted),
        FILES_TEST(deleting_an_application_leaves_it),
        FILES_TEST(space_is_used_again),
        FILES_TEST(what_is_refused_changes_nothing),
        FILES_TEST(files_of_the_vault),
        FILES_TEST(a_df_with_vault_files_is_deleted),
        FILES_TEST(the_current_df_goes_behind_the_commands_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
