/* SPDX-License-Identifier: Apache-2.0
 *
 * The making of a card: production steps 3 to 6 with everything that can be wrong about them.
 */
#include "card_table.h"
#include "twinctl/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEAL     "80F0800F"
#define LOCK     "80F0807F"
#define WHO_WHEN "4341633200000001"

/* ---- Steps 3 and 4 ---- */

#define BODY_MAX 100

struct token {
    uint8_t step, label_step, associated; /* the second and third are 0: like the first */
    const uint8_t *transport;
    uint8_t body[BODY_MAX];
    size_t length;
};

static void pack_token(struct token *token)
{
    *token = (struct token){.step = 3, .transport = bench_transport, .length = 36};
    memcpy(token->body, bench_transport_next, 16);
    memcpy(token->body + 16, bench_transport_app, 16);
    memcpy(token->body + 32, "\x4D\x4F\x63\x30", 4);
}

static void produce_token(struct token *token)
{
    *token = (struct token){.step = 4, .transport = bench_transport_next, .length = 80};
    memcpy(token->body, bench_keys_initial.enc, 16);
    memcpy(token->body + 16, bench_keys_initial.mac, 16);
    memcpy(token->body + 32, bench_keys_initial.dek, 16);
    memcpy(token->body + 48, "\x43\x41\x63\x31", 4);
    memcpy(token->body + 52, "BODY0001BTCHPRINTING DATA 01", 28);
}

static void ask(struct bench *bench, uint8_t step)
{
    const uint8_t begin[] = {0x80, 0xF1, step, 0x00, 0x10};

    assert_int_equal(bench_apdu(bench, begin, sizeof begin), 0x9000);
    assert_int_equal(bench->length, 16);
}

/* The completion for the challenge that was just answered. Returns its length. */
static size_t seal_token(const struct bench *bench, const struct token *token, uint8_t apdu[200])
{
    uint8_t context[17], key[16];
    const uint8_t associated = token->associated != 0 ? token->associated : token->step;
    const uint8_t head[] = {0x80, 0xF1, token->step, 0x01, (uint8_t)(token->length + 8)};

    context[0] = token->label_step != 0 ? token->label_step : token->step;
    memcpy(context + 1, bench->data, 16);
    assert_true(
        crypto_kdf(token->transport, "TwinCOS production step", context, sizeof context, key));
    memcpy(apdu, head, sizeof head);
    assert_true(crypto_ccm_seal(key, &associated, 1, token->body, token->length, apdu + 5));
    return 5 + token->length + 8;
}

static uint16_t complete(struct bench *bench, const struct token *token)
{
    uint8_t apdu[200];

    ask(bench, token->step);
    return bench_apdu(bench, apdu, seal_token(bench, token, apdu));
}

/* Everything that can be wrong about a token; the card is in the state before its step. */
static void wrong_tokens(struct bench *bench, const struct token *good, const uint8_t *other_key)
{
    struct token bad = *good;
    struct card_image image;
    uint8_t apdu[200], again[200] = {0};

    bad.transport = other_key;
    assert_int_equal(complete(bench, &bad), 0x63C9);
    bad = *good;
    bad.label_step ^= 7;
    assert_int_equal(complete(bench, &bad), 0x63C8);
    bad = *good;
    bad.associated = 9;
    assert_int_equal(complete(bench, &bad), 0x63C7);
    /* one bit of the token, first and last byte */
    for (unsigned i = 0; i < 2; i++) {
        ask(bench, good->step);
        size_t length = seal_token(bench, good, apdu);
        apdu[i == 0 ? 5 : length - 1] ^= 0x01;
        assert_int_equal(bench_apdu(bench, apdu, length), 0x63C6 - i);
    }
    /* wrong length: no try, and not the challenge either */
    ask(bench, good->step);
    size_t length = seal_token(bench, good, apdu);
    memcpy(again, apdu, length);
    card_image_take(bench, &image);
    again[4]--;
    assert_int_equal(bench_apdu(bench, again, length - 1), 0x6700);
    again[4] = (uint8_t)(apdu[4] + 1);
    assert_int_equal(bench_apdu(bench, again, length + 1), 0x6700);
    bench_expect(bench, good->step == 3 ? "80F10301" : "80F10401", 0x6700, NULL);
    assert_true(card_image_same(bench, &image));
    /* an older challenge's token; and used up by the attempt */
    ask(bench, good->step);
    assert_int_equal(bench_apdu(bench, apdu, length), 0x63C4);
    card_image_take(bench, &image);
    assert_int_equal(bench_apdu(bench, apdu, length), 0x6985);
    assert_true(card_image_same(bench, &image));
    /* one of before a reset */
    ask(bench, good->step);
    length = seal_token(bench, good, apdu);
    bench_reset(bench);
    card_image_take(bench, &image);
    assert_int_equal(bench_apdu(bench, apdu, length), 0x6985);
    assert_true(card_image_same(bench, &image));
}

static const struct card_row bad_headers[] = {
    {"step 0", "80F10000", 0x6A86, NULL, 0},
    {"step 1", "80F10100", 0x6A86, NULL, 0},
    {"step 2", "80F10200", 0x6A86, NULL, 0},
    {"step 5 has no challenge", "80F1050010", 0x6A86, NULL, 0},
    {"step 6 has no challenge", "80F1060010", 0x6A86, NULL, 0},
    {"step 7", "80F10700", 0x6A86, NULL, 0},
    {"step 8", "80F10800", 0x6A86, NULL, 0},
    {"P2 03", "80F10303", 0x6A86, NULL, 0},
    {"step 4 has no test", "80F10402", 0x6A86, NULL, 0},
    {"test with data", "80F10302 01 00", 0x6700, NULL, 0},
    {"challenge with data", "80F10300 01 00", 0x6700, NULL, 0},
    {"ISO class", "00F10300", 0x6D00, NULL, 0},
};

static void step_3_packs_the_module(void **state)
{
    struct bench *bench = *state;
    struct token token;
    struct card_image image;

    pack_token(&token);
    BENCH_ROWS(bench, bad_headers);
    bench_expect(bench, "80F10400", 0x6985, NULL);
    bench_expect(bench, "80F10301 2C" WHO_WHEN WHO_WHEN WHO_WHEN WHO_WHEN WHO_WHEN "00000000",
                 0x6985, NULL);
    bench_expect(bench, "80F10401 08" WHO_WHEN, 0x6985, NULL);
    bench_expect(bench, "80F10501 08" WHO_WHEN, 0x6985, NULL);
    bench_expect(bench, "80F10601 08" WHO_WHEN, 0x6985, NULL);
    wrong_tokens(bench, &token, bench_transport_next);
    /* The right T, the wrong key of the app chip: the step is not done, and can be done again. */
    struct token foreign = token;
    foreign.body[20] ^= 0x01;
    assert_int_equal(complete(bench, &foreign), 0x6A80);
    assert_int_equal(bench->secure.life_cycle, COS_LIFE_FABRICATED);
    bench_reset(bench);
    assert_int_equal(bench->secure.life_cycle, COS_LIFE_FABRICATED);
    assert_int_equal(complete(bench, &token), 0x9000);
    assert_true(bench_answered(bench, "FF10")); /* all contacts, all frames */
    assert_int_equal(bench->secure.life_cycle, COS_LIFE_PACKAGED);
    card_image_take(bench, &image);
    bench_expect(bench, "80F10300", 0x6985, NULL); /* once */
    assert_true(card_image_same(bench, &image));
    bench_reset(bench);
    bench_expect(bench, "80F10300", 0x6985, NULL);
}

static void step_4_produces_the_card(void **state)
{
    struct bench *bench = *state;
    struct token token, packing;

    assert_true(bench_produce_to(bench, COS_LIFE_PACKAGED));
    produce_token(&token);
    pack_token(&packing);
    BENCH_ROWS(bench, bad_headers);
    bench_expect(bench,
                 "80F10401 58" WHO_WHEN WHO_WHEN WHO_WHEN WHO_WHEN WHO_WHEN WHO_WHEN WHO_WHEN
                     WHO_WHEN WHO_WHEN WHO_WHEN WHO_WHEN,
                 0x6985, NULL);
    bench_expect(bench, "80F10501 08" WHO_WHEN, 0x6985, NULL);
    wrong_tokens(bench, &token, bench_transport); /* the key of the step before */
    assert_int_equal(complete(bench, &token), 0x9000);
    assert_int_equal(bench->secure.life_cycle, COS_LIFE_PRODUCED);
    bench_expect(bench, "80F10300", 0x6985, NULL);
    bench_expect(bench, "80F10400", 0x6985, NULL);
    assert_int_equal(bench_sm_open(bench, 0x30, 0x03), 0x9000);
}

static void the_transport_key_blocks(void **state)
{
    struct bench *bench = *state;

    for (unsigned step = 3; step <= 4; step++) {
        struct token bad, good;
        if (step == 4) {
            bench_free(bench);
            bench_init(bench, &bench_host);
            assert_true(bench_power_on(bench));
            assert_true(bench_produce_to(bench, COS_LIFE_PACKAGED));
        }
        step == 3 ? pack_token(&good) : produce_token(&good);
        bad = good;
        bad.transport = bench_transport_app;
        for (unsigned left = 10; left-- > 0;) {
            assert_int_equal(complete(bench, &bad), 0x63C0 + left);
            if (left == 6) {
                bench_reset(bench);
            }
        }
        assert_int_equal(complete(bench, &good), 0x6983);
        bench_reset(bench);
        assert_int_equal(complete(bench, &good), 0x6983);
        assert_int_equal(bench->secure.life_cycle,
                         step == 3 ? COS_LIFE_FABRICATED : COS_LIFE_PACKAGED);
    }
}

/* Right again before the last try: all ten are back for the next time, and the card goes on. */
static void tries_of_the_transport_key_come_back(void **state)
{
    struct bench *bench = *state;
    struct token token, bad;

    pack_token(&token);
    bad = token;
    bad.transport = bench_transport_next;
    for (unsigned i = 0; i < 9; i++) {
        assert_int_equal(complete(bench, &bad), 0x63C9 - i);
    }
    bad = token;
    bad.body[20] ^= 0x01; /* right T, wrong T_A */
    assert_int_equal(complete(bench, &bad), 0x6A80);
    bad.transport = bench_transport_next;
    assert_int_equal(complete(bench, &bad), 0x63C9);
    assert_true(bench_produce_to(bench, COS_LIFE_OPERATIONAL));
}

/* ---- Steps 5 and 6 ---- */

static void step_5_needs_the_issuers_keys(void **state)
{
    static const struct card_row rows[] = {
        {"no data", "80F10501", 0x6700, NULL, CARD_SM},
        {"7 bytes", "80F10501 07 43416332000000", 0x6700, NULL, CARD_SM},
        {"9 bytes", "80F10501 09" WHO_WHEN "00", 0x6700, NULL, CARD_SM},
        {"no issuer keys yet", "80F10501 08" WHO_WHEN, 0x6985, NULL, CARD_SM},
        {"step 6", "80F10601 08" WHO_WHEN, 0x6985, NULL, CARD_SM},
        {"step 4", "80F10401 08" WHO_WHEN, 0x6985, NULL, CARD_SM},
        {"step 3", "80F10301 08" WHO_WHEN, 0x6985, NULL, CARD_SM},
        {"seal", SEAL, 0x6985, NULL, CARD_SM},
        {"the keys of production cannot go", "80E40000 03 D20130", 0x6985, NULL, CARD_SM},
    };
    struct bench *bench = *state;

    assert_true(bench_produce_to(bench, COS_LIFE_PRODUCED));
    bench_expect(bench, "80F10501 08" WHO_WHEN, 0x6982, NULL);
    bench_expect(bench, "80F10601 08" WHO_WHEN, 0x6985, NULL);
    assert_int_equal(bench_sm_open(bench, 0x30, 0x03), 0x9000);
    BENCH_ROWS(bench, rows);
    assert_int_equal(bench_put_keys(bench, &bench_keys_initial, 0, 0x01, &bench_keys_card), 0x9000);
    bench_expect_sm(bench, "80F10501 08" WHO_WHEN, 0x9000, NULL);
    assert_int_equal(bench->secure.life_cycle, COS_LIFE_INITIALIZED);
    /* The session's keys are gone: what comes next is the issuer's, not the manufacturer's. */
    bench_expect_sm(bench, "80F10601 08" WHO_WHEN, 0x6982, NULL);
    assert_int_equal(bench_sm_open(bench, 0x30, 0x03), 0x6A88);
    bench_expect(bench, "00CA00E000", 0x9000, "E012 C00401018810 C00402018810 C00403018810");
}

static void step_6_is_the_issuers(void **state)
{
    static const struct card_row rows[] = {
        {"step 5 again", "80F10501 08" WHO_WHEN, 0x6985, NULL, CARD_SM},
        {"7 bytes", "80F10601 07 43416332000000", 0x6700, NULL, CARD_SM},
        {"seal", SEAL, 0x6985, NULL, CARD_SM},
        {"lock", LOCK, 0x6985, NULL, CARD_SM},
        {"step 6", "80F10601 08" WHO_WHEN, 0x9000, NULL, CARD_SM},
        {"step 6 again", "80F10601 08" WHO_WHEN, 0x6985, NULL, CARD_SM},
        {"lock", LOCK, 0x6985, NULL, CARD_SM},
        {"seal", SEAL, 0x9000, NULL, CARD_SM},
        {"seal again", SEAL, 0x6985, NULL, CARD_SM},
        {"step 6 again", "80F10601 08" WHO_WHEN, 0x6985, NULL, CARD_SM},
    };
    struct bench *bench = *state;

    assert_true(bench_produce_to(bench, COS_LIFE_INITIALIZED));
    bench_expect(bench, "80F10601 08" WHO_WHEN, 0x6982, NULL);
    bench_session(bench, 0x03);
    BENCH_ROWS(bench, rows);
}

/* What the holder unlocked before is not unlocked after it. */
static void a_lock_ends_what_was_verified(void **state)
{
    static const struct card_row rows[] = {
        {"application", "00A4040C 09 F05457494E434F5301", 0x9000, NULL, CARD_SM},
        {"VERIFY", "00200081 06 313233343536", 0x9000, NULL, CARD_SM},
        {"verified", "00200081", 0x9000, NULL, CARD_SM},
        {"lock", LOCK, 0x9000, NULL, CARD_SM},
        {"unlock", "80F0800F", 0x9000, NULL, CARD_SM},
        {"no more", "00200081", 0x63C3, NULL, CARD_SM},
        {"VERIFY", "00200081 06 313233343536", 0x9000, NULL, CARD_SM},
    };
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    BENCH_ROWS(bench, rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(a_lock_ends_what_was_verified),
        CARD_BLANK_TEST(step_3_packs_the_module),
        CARD_BLANK_TEST(step_4_produces_the_card),
        CARD_BLANK_TEST(the_transport_key_blocks),
        CARD_BLANK_TEST(tries_of_the_transport_key_come_back),
        CARD_BLANK_TEST(step_5_needs_the_issuers_keys),
        CARD_BLANK_TEST(step_6_is_the_issuers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
