/* SPDX-License-Identifier: Apache-2.0
 *
 * Security environments that access rules name by number, on a whole card: DF 5200 has 8D, and its
 * environments name other PINs and keys than those with the numbers in the rules.
 */
#include "card_table.h"
#include "twinctl/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define APPLICATION "8405A1A2A3A453"
#define SELECT      "00A4040C 05 A1A2A3A453"
#define KEY_5       "5A5B5C5D5E5F60616263646566676869"
#define PIN_1       "00200081 06 313233343536"
#define PIN_5       "00200085 04 35353535"

/* 1: PIN 5 and key 5. 2: PIN 1, commands enciphered. 3: PIN 1. */
#define ENVIRONMENTS                                                                               \
    "7B13 800101 A406830185950108 A406830185950180"                                                \
    "7B10 800102 B803950110 A406830181950108"                                                      \
    "7B0B 800103 A406830181950108"

enum { HAS_PIN_1 = 1, HAS_PIN_5 = 2, HAS_KEY_5 = 4, ENCIPHERED = 8, STATES = 16, NEVER = STATES };

static const struct {
    const char *rule;
    unsigned all, any, none; /* of which there must be */
} files[] = {
    {"8C020191", .all = HAS_PIN_5},
    {"8C020193", .all = HAS_PIN_1},
    {"8C0201A1", .all = HAS_KEY_5},
    {"8C0201B1", .all = HAS_PIN_5 | HAS_KEY_5},
    {"8C020131", .any = HAS_PIN_5 | HAS_KEY_5},
    {"8C0201C2", .all = ENCIPHERED},
    {"8C0201D2", .all = ENCIPHERED | HAS_PIN_1},
    {"8C020152", .any = ENCIPHERED | HAS_PIN_1},
    {"8C0201A3", .all = NEVER}, /* environment 3 has no key */
    {"8C020195", .all = NEVER}, /* and there is no 5, though there is a PIN 5 */
    {"8C0401950193", .all = HAS_PIN_1},
    {"8C020190", .all = HAS_PIN_1}, /* no number: PIN 1 */
    {"8B0101", .all = HAS_PIN_5},   /* EF.ARR stands in the DF above */
    {"AB0B 800101 AF06 9E0193 9E0191", .all = HAS_PIN_1 | HAS_PIN_5},
    {"AB0B 800101 A706 9E0193 9E0191", .none = HAS_PIN_1 | HAS_PIN_5},
    {"AB08 800101 A703 9E0195", .all = NEVER},
    {"AB0D 800101 AF08 A7039E0191 9E0193", .all = HAS_PIN_1, .none = HAS_PIN_5},
};

/* Files 6000 and on, one for each rule, in DF 5200, in a session that enciphers. */
static struct bench *prepare(void **state)
{
    struct bench *bench = *state;
    char text[160];

    bench_session(bench, 0x03);
    assert_int_equal(
        bench_create(bench, true, "8206 04210020 0004 83022F06 80020080 8C06 1F C0C0C0C000"),
        0x9000);
    bench_expect_sm(bench, "00E20000 06 800101 9E0191", 0x9000, NULL);
    assert_int_equal(
        bench_create(bench, true, "820138 83025200 " APPLICATION " 8D020E01 8C0306C0C0"), 0x9000);
    assert_int_equal(bench_store(bench, "8010 12 830101 " APPLICATION " C706 313233343536"),
                     0x9000);
    assert_int_equal(bench_store(bench, "8010 10 830105 " APPLICATION " C704 35353535"), 0x9000);
    assert_int_equal(bench_store(bench, "8020 22 830105 " APPLICATION " 800101 950102 C710 " KEY_5),
                     0x9000);
    bench_expect_sm(bench, SELECT, 0x9000, NULL);
    assert_int_equal(bench_create(bench, true, "820101 83020E01 80020060 8C051BC0C0C000"), 0x9000);
    bench_expect_sm(bench, "00D60000 34" ENVIRONMENTS, 0x9000, NULL);
    for (size_t i = 0; i < CARD_COUNT(files); i++) {
        snprintf(text, sizeof text, "820101 830260%02zX 80020001 %s", i, files[i].rule);
        assert_int_equal(bench_create(bench, true, text), 0x9000);
    }
    return bench;
}

static void use_key(struct bench *bench)
{
    uint8_t key[16], apdu[21] = {0x00, 0x82, 0x00, 0x85, 16};

    bench_bytes(KEY_5, key, sizeof key);
    bench_expect(bench, "0084000010", 0x9000, CARD_ANY);
    assert_true(crypto_aes_ecb(key, 16, CRYPTO_ENCIPHER, bench->data, 16, apdu + 5));
    assert_int_equal(bench_apdu(bench, apdu, sizeof apdu), 0x9000);
}

static void reach(struct bench *bench, unsigned status)
{
    bench_reset(bench);
    bench_expect(bench, SELECT, 0x9000, NULL);
    if ((status & HAS_PIN_1) != 0) {
        bench_expect(bench, PIN_1, 0x9000, NULL);
    }
    if ((status & HAS_PIN_5) != 0) {
        bench_expect(bench, PIN_5, 0x9000, NULL);
    }
    if ((status & HAS_KEY_5) != 0) {
        use_key(bench);
    }
    if ((status & ENCIPHERED) != 0) {
        bench_session(bench, 0x03);
    }
}

static uint16_t send(struct bench *bench, unsigned status, const char *apdu)
{
    return (status & ENCIPHERED) != 0 ? bench_sm_hex(bench, apdu) : bench_hex(bench, apdu);
}

static void the_references_of_the_environment_decide(void **state)
{
    struct bench *bench = prepare(state);
    char text[32];

    for (unsigned status = 0; status < STATES; status++) {
        reach(bench, status);
        assert_int_equal(send(bench, status, SELECT), 0x9000);
        for (size_t i = 0; i < CARD_COUNT(files); i++) {
            const bool allowed = (status & files[i].all) == files[i].all &&
                                 (files[i].any == 0 || (status & files[i].any) != 0) &&
                                 (status & files[i].none) == 0;
            struct card_image image;
            snprintf(text, sizeof text, "00A4020C 02 60%02zX", i);
            assert_int_equal(send(bench, status, text), 0x9000);
            card_image_take(bench, &image);
            const uint16_t sw = send(bench, status, "00B00000");
            assert_int_equal(bench->length, allowed ? 1 : 0);
            assert_true(card_image_same(bench, &image));
            if (sw != (allowed ? 0x9000 : 0x6982)) {
                fail_msg("%s, status %u: %04X", files[i].rule, status, sw);
            }
        }
    }
}

static void what_the_ef_says_is_in_force(void **state)
{
    static const struct card_row issuer[] = {
        {"", "00A4020C 02 0E01", 0x9000, NULL, CARD_SM},
        {"environment 1: PIN 1", "00D60000 0A 7B08 800101 A403830181", 0x9000, NULL, CARD_SM},
        {"",
         "00D6000A 2A 0000000000000000000000000000000000000000000000000000000000000000000000"
         "00000000000000",
         0x9000, NULL, CARD_SM},
    };
    static const struct card_row holder[] = {
        {"anybody may read environments", "00A4020C 02 0E01", 0x9000, NULL, CARD_KEEPS},
        {"", "00B000000A", 0x9000, "7B08800101A403830181", CARD_KEEPS},
        {"but not write them", "00D60000 01 00", 0x6982, NULL, 0},
        {"environment 1", "00A4020C 02 6000", 0x9000, NULL, CARD_KEEPS},
        {"PIN 5 was it", "00B0000001", 0x6982, NULL, 0},
        {"", PIN_1, 0x9000, NULL, 0},
        {"PIN 1 is it", "00B0000001", 0x9000, "00", CARD_KEEPS},
        {"environment 3", "00A4020C 02 6001", 0x9000, NULL, CARD_KEEPS},
        {"is gone", "00B0000001", 0x6982, NULL, 0},
        {"no number", "00A4020C 02 600B", 0x9000, NULL, CARD_KEEPS},
        {"PIN 1", "00B0000001", 0x9000, "00", CARD_KEEPS},
    };
    static const struct card_row deactivation[] = {
        {"", SELECT, 0x9000, NULL, CARD_SM},
        {"", "00A4020C 02 0E01", 0x9000, NULL, CARD_SM},
        {"", "00040000", 0x9000, NULL, CARD_SM},
        {"environment 1", "00A4020C 02 6000", 0x9000, NULL, CARD_SM},
        {"is not to be had", "00B00000", 0x6982, NULL, CARD_SM},
        {"", "00A4020C 02 0E01", 0x6283, NULL, CARD_SM},
        {"", "00440000", 0x9000, NULL, CARD_SM},
        {"environment 1", "00A4020C 02 6000", 0x9000, NULL, CARD_SM},
        {"again", "00B00000", 0x9000, "00", CARD_SM | CARD_KEEPS},
    };
    struct bench *bench = prepare(state);

    BENCH_ROWS(bench, issuer);
    reach(bench, HAS_PIN_5);
    BENCH_ROWS(bench, holder);
    reach(bench, HAS_PIN_1 | ENCIPHERED);
    BENCH_ROWS(bench, deactivation);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(the_references_of_the_environment_decide),
        CARD_TEST(what_the_ef_says_is_in_force),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
