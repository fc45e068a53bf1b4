/* SPDX-License-Identifier: Apache-2.0
 *
 * Vault EFs through the whole card: the commands on files, what both chips hold afterwards, and
 * answers of the security chip that are lost.
 */
#include "card_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SM CARD_SM

/* ---- Commands ---- */

static void a_vault_ef_is_an_ef(void **state)
{
    static const struct card_row plain[] = {
        {"CREATE FILE in the clear",
         "00E00000 16 6214 820101 83025110 80020064 850102 8C0443C09090", 0x6982, NULL, 0},
    };
    static const struct card_row issuer[] = {
        {"without a rule", "00E00000 10 620E 820101 83025110 80020064 850102", 0x6A80, NULL, SM},
        {"with EF.ARR's", "00E00000 13 6211 820101 83025110 80020064 850102 8B0101", 0x6A80, NULL,
         SM},
        {"too large", "00E00000 16 6214 820101 83025110 80022041 850102 8C0443C09090", 0x6A84, NULL,
         SM},
        {"cyclic", "00E00000 1A 6218 82050621000A02 83025110 80020014 850102 8C0443C09090", 0x6A80,
         NULL, SM},
        {"two templates",
         "00E00000 2C 6F14 820101 83025110 80020064 850102 8C0443C09090"
         "6214 820101 83025110 80020064 850102 8C04430000FF",
         0x6A80, NULL, SM},
        {"CREATE FILE, FCI template",
         "00E00000 16 6F14 820101 83025110 80020064 850102 8C0443C09090", 0x9000, NULL, SM},
        {"again", "00E00000 16 6214 820101 83025110 80020064 850102 8C0443C09090", 0x6A89, NULL,
         SM},
        {"READ BINARY", "00B00000", 0x6982, NULL, SM},
        {"UPDATE BINARY", "00D60000 02 1122", 0x6982, NULL, SM},
    };
    static const struct card_row holder[] = {
        {"SELECT", "00A4000C 02 5110", 0x9000, NULL, 0},
        {"READ BINARY", "00B00000 04", 0x6982, NULL, 0},
        {"VERIFY", "00200081 06 313233343536", 0x9000, NULL, 0},
        {"READ BINARY", "00B00000 04", 0x9000, "00000000", CARD_KEEPS},
        {"UPDATE BINARY", "00D60002 03 AABBCC", 0x9000, NULL, 0},
        {"READ BINARY", "00B00000 06", 0x9000, "0000AABBCC00", CARD_KEEPS},
        {"to the end", "00B00060 00", 0x9000, "00000000", CARD_KEEPS},
        {"behind the end", "00B00064 01", 0x6B00, NULL, 0},
        {"UPDATE behind the end", "00D60063 02 1122", 0x6A84, NULL, 0},
        {"DELETE FILE", "00E40000 02 5110", 0x6982, NULL, 0},
    };
    struct bench *bench = *state;

    BENCH_ROWS(bench, plain);
    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A4040C 09 F05457494E434F5301", 0x9000, NULL);
    BENCH_ROWS(bench, issuer);
    BENCH_ROWS(bench, holder);
}

static void status_is_the_security_chips(void **state)
{
    static const struct card_row rows[] = {
        {"SELECT", "00A40204 02 5110", 0x9000,
         "621D 80020010 820101 83025110 850102 8A0103 8C077B000000000000 880180", 0},
        {"READ BINARY", "00B00000 01", 0x6982, NULL, 0},
        {"ACTIVATE FILE", "00440000", 0x6982, NULL, 0},
    };
    static const struct card_row issuer[] = {
        {"SELECT", "00A4020C 02 5110", 0x9000, NULL, SM},
        {"UPDATE BINARY", "00D60000 02 5511", 0x9000, NULL, SM},
        {"ACTIVATE FILE", "00440000", 0x9000, NULL, SM},
        {"again", "00440000", 0x9000, NULL, SM | CARD_KEEPS},
        {"now by anybody", "00B00000 02", 0x9000, "5511", 0},
        {"DEACTIVATE FILE", "00040000", 0x9000, NULL, 0},
        {"READ BINARY", "00B00000 02", 0x6985, NULL, 0},
        {"SELECT says so", "00A40204 02 5110", 0x6283,
         "621D 80020010 820101 83025110 850102 8A0104 8C077B000000000000 880180", 0},
        {"ACTIVATE FILE", "00440000", 0x9000, NULL, 0},
        {"READ BINARY", "00B00000 02", 0x9000, "5511", 0},
        {"TERMINATE EF", "00E80000", 0x9000, NULL, 0},
        {"READ BINARY", "00B00000 02", 0x6985, NULL, 0},
        {"ACTIVATE FILE", "00440000", 0x6985, NULL, 0},
        {"DELETE FILE", "00E40000", 0x9000, NULL, 0},
        {"SELECT", "00A4020C 02 5110", 0x6A82, NULL, 0},
    };
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A4040C 09 F05457494E434F5301", 0x9000, NULL);
    assert_int_equal(
        bench_create(bench, true, "820101 83025110 80020010 850102 8C077B000000000000 8A0103"),
        0x9000);
    BENCH_ROWS(bench, rows);
    bench_session(bench, 0x03);
    BENCH_ROWS(bench, issuer);
}

static void records_are_in_the_vault_too(void **state)
{
    static const struct card_row rows[] = {
        {"READ RECORD", "00B20204 00", 0x9000, "00000000", CARD_KEEPS},
        {"UPDATE RECORD", "00DC0204 04 11223344", 0x9000, NULL, 0},
        {"another length", "00DC0204 03 112233", 0x6700, NULL, 0},
        {"no record 4", "00DC0404 04 11223344", 0x6A83, NULL, 0},
        {"READ RECORD", "00B20204 00", 0x9000, "11223344", CARD_KEEPS},
        {"from record 1 on", "00B20105 00", 0x9000, "00000000 11223344 00000000", CARD_KEEPS},
        {"no record 4", "00B20404 00", 0x6A83, NULL, 0},
        {"READ BINARY", "00B00000 00", 0x6981, NULL, 0},
    };
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A4040C 09 F05457494E434F5301", 0x9000, NULL);
    assert_int_equal(bench_create(bench, true, "82050221000403 83025110 850102 8C077B000000000000"),
                     0x9000);
    BENCH_ROWS(bench, rows);
}

/* A long file is read in several calls, and is whole after a reset. */
static void a_long_file_is_read_in_parts(void **state)
{
    struct bench *bench = *state;
    uint8_t apdu[5 + 200] = {0x00, 0xD6, 0, 0, 200};

    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A4040C 09 F05457494E434F5301", 0x9000, NULL);
    assert_int_equal(
        bench_create(bench, true, "820101 83025110 80020320 850102 8C077B000000000000"), 0x9000);
    for (unsigned at = 0; at < 800; at += 200) {
        cos_put16(apdu + 2, (uint16_t)at);
        for (unsigned i = 0; i < 200; i++) {
            apdu[5 + i] = (uint8_t)((at + i) * 7 >> 2);
        }
        assert_int_equal(bench_apdu(bench, apdu, sizeof apdu), 0x9000);
    }
    bench_reset(bench);
    bench_select(bench);
    bench_expect(bench, "00A4020C 02 5110", 0x9000, NULL);
    for (unsigned at = 0; at < 800; at += 256) {
        char read[16];
        (void)snprintf(read, sizeof read, "00B0%04X 00", at);
        assert_int_equal(bench_hex(bench, read), 0x9000);
        assert_int_equal(bench->length, at + 256 <= 800 ? 256 : 800 - at);
        for (unsigned i = 0; i < bench->length; i++) {
            assert_int_equal(bench->data[i], (uint8_t)((at + i) * 7 >> 2));
        }
    }
}

/* ---- Deleting trees ---- */

static unsigned vault_files(const struct bench *bench)
{
    struct cos_file_info info;
    uint32_t cursor = 0;
    cos_file file;
    unsigned count = 0;

    while (cos_fs_next(&bench->app.fs, &cursor, &file, &info) == COS_OK) {
        count += info.vault != 0;
    }
    return count;
}

static void a_tree_goes_as_a_whole(void **state)
{
    struct bench *bench = *state;
    struct card_image image;

    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A4000C 02 3F00", 0x9000, NULL);
    assert_int_equal(bench_create(bench, true, "820138 83025300 8C087FC0C0C0C0C0C0C0"), 0x9000);
    assert_int_equal(
        bench_create(bench, true, "820101 83025301 80020010 850102 8C077BC0C0C0C0C0C0"), 0x9000);
    assert_int_equal(bench_create(bench, true, "820101 83025302 80020010"), 0x9000);
    assert_int_equal(bench_create(bench, true, "820138 83025310 8C087FC0C0C0C0C0C0C0"), 0x9000);
    assert_int_equal(
        bench_create(bench, true, "820101 83025311 80020010 850102 8C067B9797979797FF"), 0x6A80);
    assert_int_equal(
        bench_create(bench, true, "820101 83025311 80020010 850102 8C077BFFC0C0C0C0C0"), 0x9000);
    assert_int_equal(vault_files(bench), 2);
    bench_expect_sm(bench, "00A4000C 02 3F00", 0x9000, NULL);
    card_image_take(bench, &image);
    bench_expect_sm(bench, "00E40000 02 5300", 0x6982, NULL); /* 5311 is never to be deleted */
    assert_true(card_image_same(bench, &image));
    assert_int_equal(vault_files(bench), 2);
    bench_expect_sm(bench, "00A4000C 02 5300", 0x9000, NULL);
    bench_expect_sm(bench, "00E40000 02 5301", 0x9000, NULL);
    assert_int_equal(vault_files(bench), 1);
}

/* ---- Answers that are lost ---- */

/* Loses every frame of VAULT from a certain one on, in one direction. */
struct loss {
    bool to_secure;
    unsigned from, seen;
};

static unsigned lose(void *context, bool to_secure, uint8_t *frame, size_t *length)
{
    struct loss *loss = context;

    (void)length;
    if (frame[3] != COS_GATE_VAULT || to_secure != loss->to_secure) {
        return 1;
    }
    return loss->seen++ < loss->from;
}

static void create_with_loss(struct bench *bench, bool to_secure, unsigned from)
{
    static struct loss loss;

    loss = (struct loss){.to_secure = to_secure, .from = from};
    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A4040C 09 F05457494E434F5301", 0x9000, NULL);
    bench->tap = lose;
    bench->tap_context = &loss;
    assert_int_equal(
        bench_create(bench, true, "820101 83025110 80020010 850102 8C077BC0C0C0C00000"), 0x6F00);
    bench->tap = NULL;
    assert_true(loss.seen > from);
}

static void a_lost_question_or_request_leaves_nothing(void **state)
{
    static const struct {
        bool to_secure;
        unsigned from;
    } losses[] = {{true, 0}, {false, 0}, {true, 1}};
    struct bench *bench = *state;

    for (size_t i = 0; i < CARD_COUNT(losses); i++) {
        const uint32_t transaction = bench->secure.transaction;
        create_with_loss(bench, losses[i].to_secure, losses[i].from);
        assert_int_equal(bench->secure.transaction, transaction);
        bench_select(bench); /* a new session: what was prepared is dropped */
        bench_expect(bench, "00A4020C 02 5110", 0x6A82, NULL);
        assert_int_equal(vault_files(bench), 0);
    }
    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A4040C 09 F05457494E434F5301", 0x9000, NULL);
    assert_int_equal(
        bench_create(bench, true, "820101 83025110 80020010 850102 8C077BC0C0C0C00000"), 0x9000);
}

static void a_lost_answer_is_made_up_for(void **state)
{
    struct bench *bench = *state;
    const uint32_t transaction = bench->secure.transaction;

    create_with_loss(bench, false, 1);
    assert_int_equal(bench->secure.transaction, transaction + 1);
    assert_int_equal(vault_files(bench), 0); /* prepared */
    bench_select(bench);
    assert_int_equal(vault_files(bench), 1);
    bench_expect(bench, "00A4020C 02 5110", 0x9000, NULL);
    bench_expect(bench, "00D60000 02 1122", 0x9000, NULL);
    bench_expect(bench, "00B00000 03", 0x9000, "112200");
}

static void so_it_is_when_the_card_is_pulled_out(void **state)
{
    struct bench *bench = *state;

    create_with_loss(bench, false, 1);
    bench_reset(bench);
    assert_int_equal(vault_files(bench), 1);
    bench_select(bench);
    bench_expect(bench, "00A4020C 02 5110", 0x9000, NULL);
    bench_expect(bench, "00B00000 03", 0x9000, "000000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(a_vault_ef_is_an_ef),
        CARD_TEST(status_is_the_security_chips),
        CARD_TEST(records_are_in_the_vault_too),
        CARD_TEST(a_long_file_is_read_in_parts),
        CARD_TEST(a_tree_goes_as_a_whole),
        CARD_TEST(a_lost_question_or_request_leaves_nothing),
        CARD_TEST(a_lost_answer_is_made_up_for),
        CARD_TEST(so_it_is_when_the_card_is_pulled_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
