/* SPDX-License-Identifier: Apache-2.0
 *
 * What SCP03 offers by configuration: modes S8 and S16, card challenge pseudo-random or by chance,
 * protection of responses; and that the card says of itself what it does.
 */
#include "card_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define BEGIN       "8050010008 0102030405060708 00"
#define SELECT_5100 "00A4000C 02 5100"

static const uint8_t levels[] = {0x01, 0x03, 0x11, 0x13, 0x33};

static void restart_with(struct bench *bench, uint8_t options)
{
    bench_power_off(bench);
    bench->secure_config.scp03 = options;
    assert_true(bench_power_on(bench));
}

/* INITIALIZE UPDATE, EXTERNAL AUTHENTICATE at a level, a command with a response, in either mode.
 * Returns the status word of EXTERNAL AUTHENTICATE. */
static uint16_t open_with(struct bench *bench, uint8_t options, uint8_t level)
{
    static const uint8_t aid[] = {0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00, 0x00};
    const size_t n = (options & COS_SCP03_S16) != 0 ? 16 : 8;
    uint8_t begin_apdu[22] = {0x80, 0x50, 0x01, 0x00, (uint8_t)n, 1, 2, 3, 4, 5, 6, 7, 8};
    struct bytes apdu = {0};
    struct problem problem;

    assert_int_equal(bench_apdu(bench, begin_apdu, 6 + n), 0x9000);
    assert_int_equal(bench->data[12], options);
    assert_int_equal(bench->length,
                     13 + 2 * n + ((options & COS_SCP03_PSEUDO_RANDOM) != 0 ? 3 : 0));
    assert_int_equal(scp03_begin(&bench->scp03, &bench_keys_card, 0x01,
                                 (struct part){aid, sizeof aid}, (struct part){begin_apdu + 5, n},
                                 (struct part){bench->data, bench->length}, &problem),
                     DONE);
    assert_true(scp03_authenticate(&bench->scp03, level, &apdu));
    return bench_apdu(bench, apdu.data, apdu.length);
}

static bool allows(uint8_t options, uint8_t level)
{
    return level < 0x10 || (level < 0x20 && (options & 0x20) != 0) || (options & 0x60) == 0x60;
}

static void each_option_is_what_the_card_says(void **state)
{
    static const uint8_t offered[] = {0x00, 0x10, 0x20, 0x30, 0x60, 0x70,
                                      0x01, 0x11, 0x21, 0x31, 0x61, 0x71};
    struct bench *bench = *state;

    for (size_t i = 0; i < CARD_COUNT(offered); i++) {
        restart_with(bench, offered[i]);
        bench_expect(bench, "80CA006600", 0x9000, CARD_ANY);
        assert_int_equal(bench->length, 0x28);
        assert_int_equal(bench->data[0x27], offered[i]);
        bench_expect(bench,
                     (offered[i] & 0x01) != 0 ? "8050010008 0102030405060708 00"
                                              : "8050010010 01020304050607080102030405060708 00",
                     0x6700, NULL);
        for (size_t j = 0; j < CARD_COUNT(levels); j++) {
            const bool good = allows(offered[i], levels[j]);
            assert_int_equal(open_with(bench, offered[i], levels[j]), good ? 0x9000 : 0x6A86);
            if (good) {
                bench_expect_sm(bench, "80CA0066", 0x9000, "66267324*");
                assert_int_equal(bench->length, 0x28);
                bench_expect_sm(bench, "00A40000 02 1234", 0x6A82, NULL);
                bench_expect_sm(bench, SELECT_5100, 0x9000, NULL);
            }
            bench_expect(bench, "00A4000C", 0x9000, NULL);
        }
    }
}

static void options_that_are_none(void **state)
{
    static const uint8_t none[] = {0x02, 0x04, 0x08, 0x40, 0x50, 0x80, 0xF0, 0xFF};
    struct bench *bench = *state;

    for (size_t i = 0; i < CARD_COUNT(none); i++) {
        bench_power_off(bench);
        bench->secure_config.scp03 = none[i];
        (void)bench_power_on(bench);
        assert_int_equal(bench->secure.verdict, COS_VERDICT_CONFIG);
    }
}

/* With a challenge by chance nothing is written, and no two are the same. */
static void a_challenge_by_chance(void **state)
{
    struct bench *bench = *state;
    struct card_image image;
    uint8_t first[8];

    restart_with(bench, COS_SCP03_R_MAC_ENC);
    card_image_take(bench, &image);
    bench_expect(bench, BEGIN, 0x9000, CARD_ANY);
    memcpy(first, bench->data + 13, sizeof first);
    assert_int_equal(open_with(bench, COS_SCP03_R_MAC_ENC, 0x33), 0x9000);
    assert_memory_not_equal(first, bench->data + 13, sizeof first);
    assert_true(card_image_same(bench, &image));
}

/* ---- Responses ---- */

/* What the card sends at each level for GET DATA 0066, SELECT, and an error. */
static void responses_as_they_are_sent(void **state)
{
    static const struct {
        uint8_t level;
        size_t with_data, without;
    } rows[] = {{0x01, 40, 0}, {0x03, 40, 0}, {0x11, 48, 8}, {0x13, 48, 8}, {0x33, 56, 8}};
    struct bench *bench = *state;

    for (size_t i = 0; i < CARD_COUNT(rows); i++) {
        struct bytes apdu;
        bench_session(bench, rows[i].level);
        bench_wrap(bench, "80CA0066", &apdu);
        assert_int_equal(bench_apdu(bench, apdu.data, apdu.length), 0x9000);
        assert_int_equal(bench->length, rows[i].with_data);
        assert_int_equal(bench_contains(bench->data, bench->length, "\x66\x26\x73\x24", 4),
                         rows[i].level != 0x33);
        bench_wrap(bench, SELECT_5100, &apdu);
        assert_int_equal(bench_apdu(bench, apdu.data, apdu.length), 0x9000);
        assert_int_equal(bench->length, rows[i].without);
        bench_wrap(bench, "00A40000 02 1234", &apdu);
        assert_int_equal(bench_apdu(bench, apdu.data, apdu.length), 0x6A82);
        assert_int_equal(bench->length, 0);
        bench_wrap(bench, "00A4040C 09 F05457494E434F5301", &apdu);
        assert_int_equal(bench_apdu(bench, apdu.data, apdu.length), 0x9000);
        bench_wrap(bench, "00200081 06 393939393939", &apdu); /* a warning: protected */
        assert_int_equal(bench_apdu(bench, apdu.data, apdu.length), 0x63C2);
        assert_int_equal(bench->length, rows[i].without);
        bench_expect_sm(bench, "00200081 06 313233343536", 0x9000, NULL);
    }
}

/* The command that ends its own session is answered under it. */
static void the_last_response_of_a_session(void **state)
{
    struct bench *bench = *state;

    bench_session(bench, 0x33);
    bench_expect_sm(bench, "80F080FF", 0x9000, NULL);
    assert_int_equal(bench->secure.life_cycle, COS_LIFE_TERMINATED);
    assert_int_equal(bench->secure.sessions[0].open, COS_NO);
    for (size_t i = 0; i < COS_AES_KEY_MAX; i++) {
        assert_int_equal(bench->secure.sessions[0].enc[i] | bench->secure.sessions[0].rmac[i], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(each_option_is_what_the_card_says),
        CARD_TEST(options_that_are_none),
        CARD_TEST(a_challenge_by_chance),
        CARD_TEST(responses_as_they_are_sent),
        CARD_TEST(the_last_response_of_a_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
