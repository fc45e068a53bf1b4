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
        {"whose rule filters by instruction",
         "00E00000 1A 6218 820101 83025110 80020064 850102 AB08 8401B0 9000 800101", 0x6A80, NULL,
         SM},
        {"too large", "00E00000 16 6214 820101 83025110 80022059 850102 8C0443C09090", 0x6A84, NULL,
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

/* ---- The order of the checks ---- */

/* A transparent EF of 16 bytes and one of two records of 4, in the vault or in the store, under one
 * rule: PIN 1 for reading, updating and writing. */
#define EF      "820101 83025110 80020010 8C04 07 91 91 91"
#define RECORDS "82050221000402 83025111 8C04 07 91 91 91"

/* What is wrong with each command shows only to who may give it: 6982 before, this status after PIN
 * 1. */
static const struct {
    const char *what, *select, *apdu;
    uint16_t sw;
} faulty[] = {
    {"read behind the end", "00A4020C 02 5110", "00B00010 01", 0x6B00},
    {"read far away", "00A4020C 02 5110", "00B07FFF 01", 0x6B00},
    {"read, odd: no offset", "00A4020C 02 5110", "00B15110 02 5300 00", 0x6A80},
    {"read, odd: behind the end", "00A4020C 02 5110", "00B15110 03 540110 00", 0x6B00},
    {"update behind the end", "00A4020C 02 5110", "00D60010 01 11", 0x6B00},
    {"update over the end", "00A4020C 02 5110", "00D6000F 02 1122", 0x6A84},
    {"update, odd: no data", "00A4020C 02 5110", "00D75110 03 540100", 0x6A80},
    {"write behind the end", "00A4020C 02 5110", "00D00010 01 11", 0x6B00},
    {"write over the end", "00A4020C 02 5110", "00D0000F 02 1122", 0x6A84},
    {"write, odd: no offset", "00A4020C 02 5110", "00D15110 03 530111", 0x6A80},
    {"erase behind the end", "00A4020C 02 5110", "000E0010", 0x6B00},
    {"erase to behind the end", "00A4020C 02 5110", "000E0000 01 11", 0x6B00},
    {"erase nothing", "00A4020C 02 5110", "000E0004 01 04", 0x6A80},
    {"search behind the end", "00A4020C 02 5110", "00A00010 01 11", 0x6B00},
    {"search for more than there is", "00A4020C 02 5110", "00A0000F 02 1122", 0x6282},
    {"search, odd: no string", "00A4020C 02 5110", "00A15110 03 540100", 0x6A80},
    {"read no record", "00A4020C 02 5111", "00B20304 00", 0x6A83},
    {"read, odd: behind the record", "00A4020C 02 5111", "00B30104 03 540104 00", 0x6B00},
    {"update no record", "00A4020C 02 5111", "00DC0304 04 11223344", 0x6A83},
    {"update with another length", "00A4020C 02 5111", "00DC0104 03 112233", 0x6700},
    {"update, odd: behind the record", "00A4020C 02 5111", "00DD0104 06 540104 530111", 0x6B00},
    {"update, odd: over its end", "00A4020C 02 5111", "00DD0105 07 540103 53021122", 0x6A84},
    {"write no record", "00A4020C 02 5111", "00D20304 04 11223344", 0x6A83},
    {"write with another length", "00A4020C 02 5111", "00D20104 03 112233", 0x6700},
    {"append when it is full", "00A4020C 02 5111", "00E20000 04 11223344", 0x6A84},
    {"append with another length", "00A4020C 02 5111", "00E20000 03 112233", 0x6700},
    {"erase no record", "00A4020C 02 5111", "000C0304", 0x6A83},
    {"search from no record", "00A4020C 02 5111", "00A20304 01 11", 0x6A83},
    {"search for more than a record", "00A4020C 02 5111", "00A20104 05 1122334455", 0x6700},
};

static void try_faulty(struct bench *bench, bool vault)
{
    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A4040C 09 F05457494E434F5301", 0x9000, NULL);
    assert_int_equal(bench_create(bench, true, vault ? EF "850102" : EF), 0x9000);
    assert_int_equal(bench_create(bench, true, vault ? RECORDS "850102" : RECORDS), 0x9000);
    for (unsigned verified = 0; verified < 2; verified++) {
        bench_reset(bench);
        bench_select(bench);
        if (verified) {
            bench_expect(bench, "00200081 06 313233343536", 0x9000, NULL);
        }
        for (size_t i = 0; i < CARD_COUNT(faulty); i++) {
            const struct card_row row = {faulty[i].what, faulty[i].apdu,
                                         verified ? faulty[i].sw : 0x6982, NULL,
                                         verified && faulty[i].sw == 0x6282 ? CARD_KEEPS : 0};
            bench_expect(bench, faulty[i].select, 0x9000, NULL);
            bench_rows(bench, &row, 1);
        }
    }
}

static void rules_come_before_what_the_command_says(void **state)
{
    try_faulty(*state, true);
}

static void so_they_do_for_other_efs(void **state)
{
    try_faulty(*state, false);
}

/* ---- WRITE ---- */

/* The security chip combines: who may write need not be allowed to read or to update. */
static void write_needs_the_rule_for_writing_only(void **state)
{
    static const struct {
        const char *fcp;
        const char *writes[3]; /* of two bytes */
        uint16_t sw[3];
        const char *content;
    } files[] = {
        {"820101", {"0F30", "F003", "0000"}, {0x9000, 0x9000, 0x9000}, "FF33"},   /* OR */
        {"82020101", {"0022", "1100", "0000"}, {0x9000, 0x6985, 0x6985}, "0022"}, /* once */
        {"82020121", {"AABB", "CCDD", "1122"}, {0x9000, 0x9000, 0x9000}, "1122"}, /* replace */
        {"82020141", {"0F30", "F003", "0000"}, {0x9000, 0x9000, 0x9000}, "FF33"}, /* OR */
        {"82020161", {"FFFF", "0F30", "F003"}, {0x9000, 0x9000, 0x9000}, "0000"}, /* AND */
    };
    struct bench *bench = *state;
    char text[128];

    for (size_t i = 0; i < CARD_COUNT(files); i++) {
        bench_session(bench, 0x03);
        bench_expect_sm(bench, "00A4040C 09 F05457494E434F5301", 0x9000, NULL);
        /* Written by all, read after PIN 1, updated by nobody, deleted by all. */
        (void)snprintf(text, sizeof text, "%s 83025110 80020040 850102 8C05 47 00 00 FF 91",
                       files[i].fcp);
        assert_int_equal(bench_create(bench, true, text), 0x9000);
        bench_reset(bench);
        bench_select(bench);
        bench_expect(bench, "00A4020C 02 5110", 0x9000, NULL);
        for (size_t w = 0; w < 3; w++) {
            (void)snprintf(text, sizeof text, "00D00020 02 %s", files[i].writes[w]);
            bench_expect(bench, text, files[i].sw[w], NULL);
        }
        bench_expect(bench, "00B00020 02", 0x6982, NULL);
        bench_expect(bench, "00D60020 02 0000", 0x6982, NULL);
        bench_expect(bench, "000E0020", 0x6982, NULL);
        bench_expect(bench, "00200081 06 313233343536", 0x9000, NULL);
        bench_expect(bench, "00B00020 02", 0x9000, files[i].content);
        bench_expect(bench, "00E40000", 0x9000, NULL);
    }
}

/* AND, OR and XOR of an odd UPDATE need no right to read either, nor those to write. */
static void update_needs_the_rule_for_updating_only(void **state)
{
    static const struct card_row rows[] = {
        {"UPDATE RECORD", "00DC0104 04 0F0F3C3C", 0x9000, NULL, 0},
        {"AND", "00DD0105 08 540100 5303 AAAAAA", 0x9000, NULL, 0},
        {"OR", "00DD0106 07 540101 5302 0101", 0x9000, NULL, 0},
        {"XOR", "00DD0107 07 540102 5302 FFFF", 0x9000, NULL, 0},
        {"replace", "00DD0204 06 540103 5301 77", 0x9000, NULL, 0},
        {"no WRITE RECORD", "00D20104 04 00000000", 0x6982, NULL, 0},
        {"no APPEND RECORD", "00E20000 04 00000000", 0x6982, NULL, 0},
        {"no READ RECORD", "00B20104 00", 0x6982, NULL, 0},
        {"no SEARCH RECORD", "00A20104 01 0A", 0x6982, NULL, 0},
        {"VERIFY", "00200081 06 313233343536", 0x9000, NULL, 0},
        {"READ RECORD", "00B20105 00", 0x9000, "0A0BD6C3 00000077", CARD_KEEPS},
    };
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A4040C 09 F05457494E434F5301", 0x9000, NULL);
    assert_int_equal(bench_create(bench, true, "82050221000402 83025110 850102 8C04 07 FF 00 91"),
                     0x9000);
    BENCH_ROWS(bench, rows);
}

/* A record is written as a transparent EF is, under the issuer's secure messaging too. */
static void write_record(void **state)
{
    static const struct card_row rows[] = {
        {"WRITE RECORD", "00D20104 04 01020304", 0x9000, NULL, SM},
        {"again", "00D20104 04 10203040", 0x9000, NULL, SM},
        {"the next one: the first", "00D20002 04 FF00FF00", 0x9000, NULL, SM},
        {"no such record", "00D20304 04 00000000", 0x6A83, NULL, SM},
        {"WRITE RECORD by anybody", "00D20104 04 80808080", 0x6982, NULL, 0},
        {"VERIFY", "00200081 06 313233343536", 0x9000, NULL, 0},
        {"READ RECORD", "00B20105 00", 0x9000, "FF22FF44 00000000", CARD_KEEPS},
    };
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A4040C 09 F05457494E434F5301", 0x9000, NULL);
    assert_int_equal(bench_create(bench, true, "82050241000402 83025110 850102 8C04 07 C0 FF 91"),
                     0x9000);
    BENCH_ROWS(bench, rows);
}

/* One command is one transaction, of 256 bytes at most; short commands bring 255. */
static void a_command_changes_256_bytes_at_most(void **state)
{
    static const struct card_row rows[] = {
        {"erase 257 bytes", "000E0000 02 0101", 0x6700, NULL, 0},
        {"erase 256 bytes", "000E0000 02 0100", 0x9000, NULL, 0},
        {"erase all", "000E0000", 0x6700, NULL, 0},
        {"erase the last 256", "000E0064", 0x9000, NULL, 0},
    };
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A4040C 09 F05457494E434F5301", 0x9000, NULL);
    assert_int_equal(bench_create(bench, true, "820101 83025110 80020164 850102 8C02 02 00"),
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
        CARD_TEST(rules_come_before_what_the_command_says),
        CARD_TEST(so_they_do_for_other_efs),
        CARD_TEST(write_needs_the_rule_for_writing_only),
        CARD_TEST(update_needs_the_rule_for_updating_only),
        CARD_TEST(write_record),
        CARD_TEST(a_command_changes_256_bytes_at_most),
        CARD_TEST(a_long_file_is_read_in_parts),
        CARD_TEST(a_tree_goes_as_a_whole),
        CARD_TEST(a_lost_question_or_request_leaves_nothing),
        CARD_TEST(a_lost_answer_is_made_up_for),
        CARD_TEST(so_it_is_when_the_card_is_pulled_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
