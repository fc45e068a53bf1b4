/* SPDX-License-Identifier: Apache-2.0
 *
 * SCP03 on the whole card (GlobalPlatform Card Specification, Amendment D): INITIALIZE UPDATE and
 * EXTERNAL AUTHENTICATE with all their errors, what ends a session, both levels, and the trace of a
 * real card (tests/vectors/gp-scp03.txt) reproduced.
 */
#include "card_table.h"
#include "cos/tlv.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BEGIN       "8050010008 0102030405060708 00"
#define SELECT_5100 "00A4000C 02 5100"
#define COUNTER_AT  29

static const uint8_t levels[] = {0x01, 0x03, 0x11, 0x13, 0x33};

/* ---- INITIALIZE UPDATE ---- */

static void initialize_update_refused(void **state)
{
    static const struct card_row rows[] = {
        {"no data", "8050010000", 0x6700, NULL, 0},
        {"7 bytes", "8050010007 01020304050607 00", 0x6700, NULL, 0},
        {"9 bytes", "8050010009 010203040506070809 00", 0x6700, NULL, 0},
        {"16 bytes", "8050010010 01020304050607080102030405060708 00", 0x6700, NULL, 0},
        {"no such version", "8050020008 0102030405060708 00", 0x6A88, NULL, 0},
        {"the version of production is gone", "8050300008 0102030405060708 00", 0x6A88, NULL, 0},
        {"version 7F", "80507F0008 0102030405060708 00", 0x6A88, NULL, 0},
        {"version 80", "8050800008 0102030405060708 00", 0x6A86, NULL, 0},
        {"P2", "8050010108 0102030405060708 00", 0x6A86, NULL, 0},
        {"ISO class", "0050010008 0102030405060708 00", 0x6D00, NULL, 0},
    };
    struct bench *bench = *state;

    BENCH_ROWS(bench, rows);
    bench_session(bench, 0x03);
    bench_expect_sm(bench, "8050010008 0102030405060708", 0x6882, NULL);
    bench_expect_sm(bench, SELECT_5100, 0x9000, NULL); /* and the session goes on */
}

static uint32_t counter_of(const struct bench *bench)
{
    assert_int_equal(bench->length, 32);
    return (uint32_t)bench->data[COUNTER_AT] << 16 | (uint32_t)bench->data[COUNTER_AT + 1] << 8 |
           bench->data[COUNTER_AT + 2];
}

static void initialize_update_answers(void **state)
{
    struct bench *bench = *state;
    struct card_image image;
    uint8_t first[32];

    card_image_take(bench, &image);
    bench_expect(bench, BEGIN, 0x9000, "0000 5443000000001234 01 03 70*");
    memcpy(first, bench->data, sizeof first);
    const uint32_t counter = counter_of(bench);
    bench_expect(bench, "8050000008 0102030405060708 00", 0x9000,
                 "0000 5443000000001234 01 03 70*");
    assert_memory_equal(first, bench->data, sizeof first); /* version 00: the first there is */
    bench_expect(bench, BEGIN, 0x9000, CARD_ANY);
    assert_memory_equal(first, bench->data, sizeof first); /* pseudo-random: the counter stands */
    bench_expect(bench, "8050010008 0102030405060709 00", 0x9000, CARD_ANY);
    assert_memory_equal(first + 13, bench->data + 13, 8);
    assert_memory_not_equal(first + 21, bench->data + 21, 8);
    assert_true(card_image_same(bench, &image));
    bench_session(bench, 0x01);
    bench_expect(bench, BEGIN, 0x9000, CARD_ANY);
    assert_int_equal(counter_of(bench), counter + 1);
    assert_memory_not_equal(first + 13, bench->data + 13, 8);
    bench_reset(bench);
    bench_expect(bench, BEGIN, 0x9000, CARD_ANY);
    assert_int_equal(counter_of(bench), counter + 1);
}

/* ---- EXTERNAL AUTHENTICATE ---- */

/* Begins a session and writes the EXTERNAL AUTHENTICATE that would open it. */
static void begin(struct bench *bench, uint8_t level, struct bytes *apdu)
{
    static const uint8_t aid[] = {0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00, 0x00};
    static const uint8_t challenge[] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct problem problem;

    bench_expect(bench, BEGIN, 0x9000, CARD_ANY);
    assert_int_equal(scp03_begin(&bench->scp03, &bench_keys_card, 0x01,
                                 (struct part){aid, sizeof aid}, (struct part){challenge, 8},
                                 (struct part){bench->data, bench->length}, &problem),
                     DONE);
    *apdu = (struct bytes){0};
    assert_true(scp03_authenticate(&bench->scp03, level, apdu));
}

static void external_authenticate_refused(void **state)
{
    static const struct {
        const char *what;
        uint8_t level;
        size_t at; /* byte that is changed, 0 = none */
        uint8_t to;
        int longer;
        uint16_t sw;
        uint16_t then; /* what the right one gets afterwards */
    } rows[] = {
        {"level 00", 0x00, 0, 0, 0, 0x6A86, 0x6985},
        {"level 02", 0x02, 0, 0, 0, 0x6A86, 0x6985},
        {"level 10", 0x10, 0, 0, 0, 0x6A86, 0x6985},
        {"level 12", 0x12, 0, 0, 0, 0x6A86, 0x6985},
        {"level 20", 0x20, 0, 0, 0, 0x6A86, 0x6985},
        {"level 21", 0x21, 0, 0, 0, 0x6A86, 0x6985},
        {"level 23", 0x23, 0, 0, 0, 0x6A86, 0x6985},
        {"level 30", 0x30, 0, 0, 0, 0x6A86, 0x6985},
        {"level 31", 0x31, 0, 0, 0, 0x6A86, 0x6985},
        {"level 04", 0x04, 0, 0, 0, 0x6A86, 0x6A86},
        {"level 83", 0x83, 0, 0, 0, 0x6A86, 0x6A86},
        {"another level than the MAC's", 0x01, 2, 0x03, 0, 0x6982, 0x6985},
        {"P2", 0x03, 3, 0x01, 0, 0x6A86, 0x6985},
        {"class without secure messaging", 0x03, 0, 0x80, 0, 0x6982, 0x6985},
        {"ISO class", 0x03, 0, 0x04, 0, 0x6982, 0x6985},
        {"cryptogram, first byte", 0x03, 5, 0x00, 0, 0x6300, 0x6985},
        {"cryptogram, last byte", 0x03, 12, 0x00, 0, 0x6300, 0x6985},
        {"MAC, first byte", 0x03, 13, 0x00, 0, 0x6982, 0x6985},
        {"MAC, last byte", 0x03, 20, 0x00, 0, 0x6982, 0x6985},
        {"one byte less", 0x03, 0, 0, -1, 0x6700, 0x6985},
        {"one byte more", 0x03, 0, 0, 1, 0x6700, 0x6985},
    };
    struct bench *bench = *state;
    size_t bad = 0;

    for (size_t i = 0; i < CARD_COUNT(rows); i++) {
        struct bytes apdu, right;
        struct card_image image;
        begin(bench, rows[i].level, &apdu);
        right = apdu;
        if (rows[i].at >= 5) {
            apdu.data[rows[i].at] ^= 0x01;
        } else if (rows[i].at > 0 || rows[i].to != 0) {
            apdu.data[rows[i].at] = rows[i].to;
        }
        apdu.data[4] = (uint8_t)(apdu.data[4] + rows[i].longer);
        apdu.length = (size_t)((int)apdu.length + rows[i].longer);
        card_image_take(bench, &image);
        uint16_t sw = bench_apdu(bench, apdu.data, apdu.length);
        bool same = card_image_same(bench, &image);
        uint16_t then = bench_apdu(bench, right.data, right.length);
        if (sw != rows[i].sw || !same || then != rows[i].then) {
            print_error("%s: %04X%s, the right one then %04X\n", rows[i].what, sw,
                        same ? "" : ", NVM has changed", then);
            bad++;
        }
        /* A wrong length is no attempt; whatever else was wrong has ended the beginning. */
        bench_expect_sm(bench, SELECT_5100, then == 0x9000 ? 0x9000 : 0x6982, NULL);
    }
    assert_int_equal(bad, 0);
}

static void it_belongs_behind_initialize_update(void **state)
{
    static const char *const between[] = {"00A40000",   "00FF0000", "0084000008",
                                          "80CA006600", "00",       "04A4000008 0102030405060708"};
    struct bench *bench = *state;
    struct bytes apdu;

    begin(bench, 0x03, &apdu);
    assert_int_equal(bench_apdu(bench, apdu.data, apdu.length), 0x9000);
    bench_expect_sm(bench, SELECT_5100, 0x9000, NULL);
    assert_int_equal(bench_apdu(bench, apdu.data, apdu.length), 0x6985); /* again */
    bench_expect_sm(bench, SELECT_5100, 0x6982, NULL);                   /* the session is over */
    for (size_t i = 0; i < CARD_COUNT(between); i++) {
        begin(bench, 0x03, &apdu);
        (void)bench_hex(bench, between[i]);
        assert_int_equal(bench_apdu(bench, apdu.data, apdu.length), 0x6985);
    }
    begin(bench, 0x03, &apdu);
    bench_reset(bench);
    assert_int_equal(bench_apdu(bench, apdu.data, apdu.length), 0x6985);
    begin(bench, 0x03, &apdu);
    struct bytes second;
    begin(bench, 0x01, &second); /* the second beginning has the same challenges and keys */
    assert_int_equal(bench_apdu(bench, second.data, second.length), 0x9000);
}

/* ---- What ends a session ---- */

/* Every byte that the MAC covers is covered, at both levels; Le (the last byte) is not. */
static void a_changed_byte_ends_the_session(void **state)
{
    struct bench *bench = *state;

    for (size_t i = 0; i < CARD_COUNT(levels); i++) {
        const uint8_t level = levels[i];
        struct bytes apdu;
        bench_session(bench, level);
        bench_wrap(bench, SELECT_5100, &apdu);
        const size_t length = apdu.length;
        for (size_t at = 1; at < length - 1; at++) {
            if (at == 4) {
                continue; /* Lc: malformed, below */
            }
            bench_session(bench, level);
            bench_wrap(bench, SELECT_5100, &apdu);
            struct bytes changed = apdu;
            changed.data[at] ^= 0x01;
            struct card_image image;
            card_image_take(bench, &image);
            assert_int_equal(bench_apdu(bench, changed.data, changed.length), 0x6988);
            assert_true(card_image_same(bench, &image));
            assert_int_equal(bench_apdu(bench, apdu.data, apdu.length), 0x6982);
        }
        bench_session(bench, level);
        bench_wrap(bench, SELECT_5100, &apdu);
        apdu.data[length - 1] = 0x10;
        assert_int_equal(bench_apdu(bench, apdu.data, length), 0x9000);
        bench_wrap(bench, SELECT_5100, &apdu);
        apdu.data[4]++;
        assert_int_equal(bench_apdu(bench, apdu.data, length - 2), 0x6700);
        bench_expect_sm(bench, SELECT_5100, 0x6982, NULL);
    }
}

static void replayed_dropped_and_swapped(void **state)
{
    struct bench *bench = *state;

    for (size_t i = 0; i < CARD_COUNT(levels); i++) {
        const uint8_t level = levels[i];
        struct bytes first, second;
        bench_session(bench, level);
        bench_wrap(bench, SELECT_5100, &first);
        assert_int_equal(bench_apdu(bench, first.data, first.length), 0x9000);
        assert_int_equal(bench_apdu(bench, first.data, first.length), 0x6988); /* replayed */
        bench_expect_sm(bench, SELECT_5100, 0x6982, NULL);

        bench_session(bench, level);
        bench_wrap(bench, SELECT_5100, &first);
        bench_wrap(bench, SELECT_5100, &second);
        assert_int_equal(bench_apdu(bench, second.data, second.length), 0x6988); /* first lost */
        assert_int_equal(bench_apdu(bench, first.data, first.length), 0x6982);

        bench_session(bench, level);
        bench_wrap(bench, SELECT_5100, &first);
        bench_session(bench, level);
        assert_int_equal(bench_apdu(bench, first.data, first.length), 0x6988); /* older session */
        bench_expect_sm(bench, SELECT_5100, 0x6982, NULL);
    }
}

static void malformed_protection(void **state)
{
    static const struct {
        const char *what, *apdu;
        uint16_t sw;
    } rows[] = {
        {"no data", "84CA006600", 0x6987},
        {"no body", "84CA0066", 0x6987},
        {"ISO class, no data", "04A40000", 0x6987},
        {"7 bytes", "84CA006607 01020304050607 00", 0x6988},
        {"8 bytes, wrong MAC", "84CA006608 0102030405060708 00", 0x6988},
        {"another channel", "85CA006608 0102030405060708 00", 0x6881},
        {"a further channel", "E0CA006608 0102030405060708 00", 0x6881},
        {"ISO secure messaging", "0CA4000008 0102030405060708", 0x6982},
        {"the same without authentic header", "08A4000008 0102030405060708", 0x6882},
        {"GlobalPlatform class with ISO secure messaging", "8CCA006608 0102030405060708", 0x6882},
        {"chaining", "14A4000008 0102030405060708", 0x6988},
        {"class that is none", "94CA006608 0102030405060708", 0x6E00},
        {"malformed", "84CA006609 0102030405060708", 0x6700},
    };
    struct bench *bench = *state;

    for (size_t i = 0; i < CARD_COUNT(rows); i++) {
        struct card_image image;
        bench_session(bench, 0x03);
        card_image_take(bench, &image);
        uint16_t sw = bench_hex(bench, rows[i].apdu);
        bool same = card_image_same(bench, &image);
        uint16_t then = bench_sm_hex(bench, SELECT_5100);
        if (sw != rows[i].sw || then != 0x6982 || !same) {
            fail_msg("%s: %04X, then %04X", rows[i].what, sw, then);
        }
        uint16_t alone = bench_hex(bench, rows[i].apdu);
        uint16_t wanted = rows[i].sw == 0x6988 ? 0x6982 : rows[i].sw;
        if (alone != wanted && !(alone == 0x6982 && rows[i].sw == 0x6987)) {
            fail_msg("%s without a session: %04X", rows[i].what, alone);
        }
    }
}

/* Right MAC, wrong inside: only the holder of the keys can do that, and it is an error all the
 * same.
 */
static void bad_padding_ends_the_session(void **state)
{
    static const char *const plains[] = {
        SELECT_5100,                                    /* no whole block */
        "00A4000C 10 00000000000000000000000000000000", /* deciphers to no padding */
        "00A4000C 20 0000000000000000000000000000000000000000000000000000000000000000",
    };
    struct bench *bench = *state;

    for (size_t i = 0; i < CARD_COUNT(plains); i++) {
        struct bytes apdu;
        bench_session(bench, 0x03);
        bench->scp03.level = 0x01; /* MAC only: what the card deciphers was never enciphered */
        bench_wrap(bench, plains[i], &apdu);
        assert_int_equal(bench_apdu(bench, apdu.data, apdu.length), 0x6988);
        bench->scp03.level = 0x03;
        bench_expect_sm(bench, SELECT_5100, 0x6982, NULL);
    }
}

/* ---- Levels and lengths ---- */

static void commands_of_all_lengths(void **state)
{
    struct bench *bench = *state;
    uint8_t data[247];

    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 3 + 1);
    }
    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A4000C 02 5100", 0x9000, NULL);
    assert_int_equal(bench_create(bench, true, "820101 83026000 80020100 8C0303C0C0"), 0x9000);
    for (size_t i = 0; i < CARD_COUNT(levels); i++) {
        const uint8_t level = levels[i];
        const size_t longest = (level & 0x02) == 0 ? 247 : 239;
        const size_t answer = level < 0x10 ? 256 : level < 0x30 ? 248 : 239; /* one response */
        bench_session(bench, level);
        bench_expect_sm(bench, "00A4000C 02 6000", 0x9000, NULL);
        for (size_t length = 1; length <= longest; length += length < 40 ? 1 : 13) {
            assert_int_equal(bench_sm(bench, 0x00, 0xD6, 0x00, 0x00, data, length), 0x9000);
            assert_int_equal(bench_sm(bench, 0x00, 0xB0, 0x00, 0x00, NULL, 0), 0x9000);
            assert_int_equal(bench->length, answer);
            assert_memory_equal(bench->data, data, length < answer ? length : answer);
        }
        assert_int_equal(bench_sm(bench, 0x00, 0xD6, 0x00, 0x00, data, longest), 0x9000);
    }
}

/* A length field of two bytes: longer than 255 bytes is 6700 (COS_SM_MAX). */
static void extended_lengths(void **state)
{
    struct bench *bench = *state;
    uint8_t apdu[BENCH_APDU_MAX] = {0x84, 0xE2, 0x00, 0x00, 0x00, 0x01, 0x00};

    bench_session(bench, 0x01);
    assert_int_equal(bench_apdu(bench, apdu, 7 + 256), 0x6700);
    bench_expect_sm(bench, SELECT_5100, 0x6982, NULL);
}

static void errors_inside_do_not_end_it(void **state)
{
    static const struct card_row rows[] = {
        {"not found", "00A40000 02 1234", 0x6A82, NULL, CARD_SM},
        {"P1-P2", "00A40500 02 1234", 0x6A86, NULL, CARD_SM},
        {"no instruction", "80F80000", 0x6D00, NULL, CARD_SM},
        {"no instruction, ISO", "00720000", 0x6D00, NULL, CARD_SM},
        {"wrong length", "00A40000 01 12", 0x6700, NULL, CARD_SM},
        {"a PIN's data for nobody", "00200081 06 313233343536", 0x6A88, NULL, CARD_SM},
        {"held data that nobody takes", "00200181 06 313233343536", 0x6A86, NULL, CARD_SM},
        {"held data of a longer PIN than there is",
         "00200081 21 313233343536313233343536313233343536"
         "313233343536313233343536313233",
         0x6A88, NULL, CARD_SM},
        {"still open", SELECT_5100, 0x9000, NULL, CARD_SM | CARD_KEEPS},
        {"now the PIN is there", "00200081 06 313233343536", 0x9000, NULL, CARD_SM},
        {"and the file", "00B08100", 0x9000, "484F4C444552*", CARD_SM | CARD_KEEPS},
        {"wrong PIN", "00200081 06 313233343537", 0x63C2, NULL, CARD_SM},
        {"33 bytes",
         "00200081 21 313233343536313233343536313233343536"
         "313233343536313233343536313233",
         0x6700, NULL, CARD_SM},
        {"GET CHALLENGE", "00840000", 0x9000, CARD_ANY, CARD_SM | CARD_KEEPS},
        {"challenge, wrong answer", "00820083 10 00000000000000000000000000000000", 0x6985, NULL,
         CARD_SM},
        {"still open", SELECT_5100, 0x9000, NULL, CARD_SM | CARD_KEEPS},
    };
    struct bench *bench = *state;

    for (size_t i = 0; i < CARD_COUNT(levels); i++) {
        const uint8_t level = levels[i];
        bench_session(bench, level);
        bench_expect_sm(bench, "00A40000", 0x9000, CARD_ANY);
        BENCH_ROWS(bench, rows);
    }
}

/* The trace of a real card whose security domain has this card's AID: keys, counter and host
 * challenge are those of the trace, and so must be everything that follows from them. */
static void a_real_cards_trace_is_reproduced(void **state)
{
    struct bench *bench = *state;
    struct vectors *vectors = vectors_open("gp-scp03.txt");
    const struct vector_section *trace = vectors_section(vectors, "S8 AES128 DELETE level 03");
    struct scp03_keys keys = {.length = 16};

    memcpy(keys.enc, vector_exactly(trace, 16, "k_enc"), 16);
    memcpy(keys.mac, vector_exactly(trace, 16, "k_mac"), 16);
    memcpy(keys.dek, vector_exactly(trace, 16, "k_dek"), 16);
    bench_session(bench, 0x03);
    assert_int_equal(bench_put_keys(bench, &bench_keys_card, 0x01, 0x30, &keys), 0x9000);
    for (unsigned counter = 1; counter < 0x15; counter++) {
        assert_int_equal(bench_open_keys(bench, &keys, 0x30, 0x01), 0x9000);
    }
    struct cos_span begin_apdu = vector_bytes(trace, "initialize_update");
    struct cos_span answer = vector_bytes(trace, "initialize_update_rsp");
    assert_int_equal(bench_apdu(bench, begin_apdu.data, begin_apdu.length), 0x9000);
    assert_int_equal(answer.length, bench->length + 2);
    /* The trace's card has another serial number (10 bytes). */
    assert_memory_equal(bench->data + 10, answer.data + 10, 22);
    assert_memory_equal(bench->data + 21, vector_exactly(trace, 8, "card_cryptogram"), 8);
    struct cos_span finish = vector_bytes(trace, "ext_auth");
    assert_int_equal(bench_apdu(bench, finish.data, finish.length), 0x9000);
    assert_memory_equal(bench->secure.sessions[0].enc, vector_exactly(trace, 16, "s_enc"), 16);
    assert_memory_equal(bench->secure.sessions[0].mac, vector_exactly(trace, 16, "s_mac"), 16);
    /* DELETE of an application and what it has: this card takes the MAC, and refuses P2 80. */
    struct cos_span delete = vector_bytes(trace, "cmd0_wrapped");
    assert_int_equal(bench_apdu(bench, delete.data, delete.length), 0x6A86);
    assert_int_equal(bench->secure.sessions[0].open, COS_YES);
    vectors_close(vectors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(initialize_update_refused),
        CARD_TEST(initialize_update_answers),
        CARD_TEST(external_authenticate_refused),
        CARD_TEST(it_belongs_behind_initialize_update),
        CARD_TEST(a_changed_byte_ends_the_session),
        CARD_TEST(replayed_dropped_and_swapped),
        CARD_TEST(malformed_protection),
        CARD_TEST(bad_padding_ends_the_session),
        CARD_TEST(commands_of_all_lengths),
        CARD_TEST(extended_lengths),
        CARD_TEST(errors_inside_do_not_end_it),
        CARD_TEST(a_real_cards_trace_is_reproduced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
