/* SPDX-License-Identifier: Apache-2.0
 *
 * INTERNAL AUTHENTICATE of a whole card with key pairs, against OpenSSL; and counted uses of keys
 * for internal authentication.
 */
#include "crypt_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define RSA  OF_APPLICATION " 800104 C90110 950101 CB0100"
#define R_16 "00112233445566778899AABBCCDDEEFF"
#define R_20 R_16 "00112233"

static uint16_t ask(struct bench *bench, uint8_t reference, const uint8_t *data, size_t length)
{
    return crypt_send(bench, 0x88, 0x00, reference, data, length);
}

static bool is_signature_of(const struct bench *bench, const struct oracle_rsa *rsa,
                            const uint8_t *data, size_t length)
{
    uint8_t block[COS_RSA_MAX], expected[COS_RSA_MAX] = {0x00, 0x01};

    memset(expected + 2, 0xFF, rsa->size - 3 - length);
    expected[rsa->size - 1 - length] = 0x00;
    memcpy(expected + rsa->size - length, data, length);
    oracle_modexp(bench->data, rsa->size, oracle_rsa_e(rsa), oracle_rsa_n(rsa), block);
    return bench->length == rsa->size && memcmp(block, expected, rsa->size) == 0;
}

static void rsa_signs_the_data_as_they_are(void **state)
{
    static const size_t lengths[] = {1, 8, 16, 20, 35, 51};
    struct bench *bench = *state;
    struct oracle_rsa rsa;
    uint8_t data[64];

    crypt_digest(data, sizeof data, 2);
    crypt_key(bench, 4, RSA);
    crypt_generate(bench, 0x84);
    crypt_take_rsa(bench, &rsa);
    for (size_t i = 0; i < CARD_COUNT(lengths); i++) {
        assert_int_equal(ask(bench, 0x84, data, lengths[i]), 0x9000);
        assert_true(is_signature_of(bench, &rsa, data, lengths[i]));
        bench->data[rsa.size - 1] ^= 1;
        assert_false(is_signature_of(bench, &rsa, data, lengths[i]));
    }
    assert_int_equal(ask(bench, 0x84, data, 52), 0x6700); /* 40 % of 128 are 51 */
    oracle_rsa_free(&rsa);
}

static void ecdsa_on_each_curve(void **state)
{
    struct bench *bench = *state;
    uint8_t data[65];
    char attributes[64];

    crypt_digest(data, sizeof data, 4);
    for (unsigned i = 0; i < COS_CURVES; i++) {
        const enum cos_curve curve = (enum cos_curve)i;
        (void)snprintf(attributes, sizeof attributes,
                       OF_APPLICATION " 800105 C901%02X 950101 CB0100", i);
        crypt_key(bench, 5, attributes);
        crypt_generate(bench, 0x85);
        EVP_PKEY *pkey = crypt_take_ec(bench, curve);
        for (size_t length = 20; length <= 64; length += 11) {
            assert_int_equal(ask(bench, 0x85, data, length), 0x9000);
            assert_int_equal(bench->length, 2 * cos_ec_size(curve));
            assert_true(oracle_ec_verify(pkey, curve, data, length, bench->data));
            bench->data[bench->length - 1] ^= 1;
            assert_false(oracle_ec_verify(pkey, curve, data, length, bench->data));
        }
        assert_int_equal(ask(bench, 0x85, data, 19), 0x6700);
        assert_int_equal(ask(bench, 0x85, data, 65), 0x6700);
        EVP_PKEY_free(pkey);
    }
}

static void keys_and_commands_that_are_refused(void **state)
{
    static const struct {
        const char *attributes;
        uint16_t sw;
    } keys[] = {
        {OF_APPLICATION " 800104 C90110", 0x6A80}, /* for nothing */
        {OF_APPLICATION " 800104 C90110 950102", 0x6A80},
        {OF_APPLICATION " 800105 C90100 950103", 0x6A80},
        {OF_APPLICATION " 800105 C90100 950104", 0x6A80},
        {OF_APPLICATION " 800105 C90100 950180 CE0101", 0x6A80},
        {OF_APPLICATION " 800105 C90100 950101 CE0102",
         0x6A80}, /* deciphers, too: not this curve */
        {OF_APPLICATION " 800105 C90100 950101 CE0105", 0x9000},
        {OF_APPLICATION " 800104 C90110 950101 CE010B", 0x9000},
    };
    static const struct card_row rows[] = {
        {"neither made nor imported", "00880085 14" R_20 "00", 0x6984, NULL, 0},
        {"for signatures only", "00880086 14" R_20 "00", 0x6985, NULL, 0},
        {"no data", "0088008400", 0x6700, NULL, 0},
        {"52 bytes", "00880084 34" R_16 R_16 R_20 "00", 0x6700, NULL, 0},
        {"19 bytes", "00880085 13" R_16 "001122 00", 0x6700, NULL, 0},
        {"P1", "00880184 14" R_20 "00", 0x6A86, NULL, 0},
        {"no key", "00880087 14" R_20 "00", 0x6A88, NULL, 0},
        {"external", "00820084 14" R_20, 0x6985, NULL, 0},
        {"it is not for signatures", "0022C1B6 03 840184", 0x9000, NULL, 0},
        {"nor does it make them", "002A9E9A 14" R_20 "00", 0x6985, NULL, 0},
    };
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    for (size_t i = 0; i < CARD_COUNT(keys); i++) {
        const uint16_t sw = crypt_store(bench, 4, keys[i].attributes);
        if (sw != keys[i].sw) {
            fail_msg("%s: %04X", keys[i].attributes, sw);
        }
    }
    crypt_key(bench, 4, RSA);
    crypt_generate(bench, 0x84);
    crypt_key(bench, 5, OF_APPLICATION " 800105 C90100 950101 CB0100");
    crypt_key(bench, 6, EC_P256);
    crypt_generate(bench, 0x86);
    BENCH_ROWS(bench, rows);
    /* nothing is signed that HASH left */
    bench_expect(bench, "0022C1AA 03 800130", 0x9000, NULL);
    bench_expect(bench, "002A9080 03 616263", 0x9000, NULL);
    bench_expect(bench, "0088008400", 0x6700, NULL);
}

/* Rule, uses and authentication for each use hold for pairs and for symmetric keys. */
static void uses_are_counted(void **state)
{
    static const struct card_row rows[] = {
        {"no PIN", "00880084 14" R_20 "00", 0x6982, NULL, 0},
        {"PIN", "00200081 06 313233343536", 0x9000, NULL, 0},
        {"too short is no use", "00880084 13" R_16 "001122 00", 0x6700, NULL, 0},
        {"once", "00880084 14" R_20 "00", 0x9000, CARD_ANY, 0},
        {"for each use", "00880084 14" R_20 "00", 0x6982, NULL, 0},
        {"PIN", "00200081 06 313233343536", 0x9000, NULL, 0},
        {"twice", "00880084 14" R_20 "00", 0x9000, CARD_ANY, 0},
        {"PIN", "00200081 06 313233343536", 0x9000, NULL, 0},
        {"no use is left", "00880084 14" R_20 "00", 0x6984, NULL, 0},
        {"AES: 8 bytes are no use", "00880085 08 0011223344556677 00", 0x6700, NULL, 0},
        {"AES: the use", "00880085 10" R_16 "00", 0x9000, "69C4E0D86A7B0430D8CDB78070B4C55A", 0},
        {"AES: none is left", "00880085 10" R_16 "00", 0x6984, NULL, 0},
    };
    struct bench *bench = *state;

    crypt_key(bench, 4, OF_APPLICATION " 800105 C90100 950101 CB0100 C50191 CC0101 CA020002");
    crypt_generate(bench, 0x84);
    crypt_key(bench, 5,
              OF_APPLICATION " 800101 950101 CA020001 C710 000102030405060708090A0B0C0D0E0F");
    BENCH_ROWS(bench, rows);
}

static void under_secure_messaging(void **state)
{
    static const char *const data = "00880084 33" R_16 R_16 R_16 "001122";
    struct bench *bench = *state;
    struct oracle_rsa rsa;
    uint8_t bytes[64];

    crypt_key(bench, 4, RSA);
    crypt_generate(bench, 0x84);
    crypt_take_rsa(bench, &rsa);
    bench_bytes(data, bytes, sizeof bytes);
    bench_session(bench, 0x33);
    bench_expect_sm(bench, BENCH_APPLICATION, 0x9000, NULL);
    bench_expect_sm(bench, data, 0x9000, CARD_ANY);
    assert_true(is_signature_of(bench, &rsa, bytes + 5, 51));
    bench_expect_sm(bench, "00880084 34" R_16 R_16 R_20, 0x6700, NULL);
    oracle_rsa_free(&rsa);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(rsa_signs_the_data_as_they_are),
        CARD_TEST(ecdsa_on_each_curve),
        CARD_TEST(keys_and_commands_that_are_refused),
        CARD_TEST(uses_are_counted),
        CARD_TEST(under_secure_messaging),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
