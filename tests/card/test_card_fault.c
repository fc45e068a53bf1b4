/* SPDX-License-Identifier: Apache-2.0
 *
 * A signature is checked before it leaves: a provider that errs in one bit of it, as a fault in the
 * computation would, mutes the chip, and nothing of the signature is seen. And what need not be
 * there is tested before its first use.
 */
#include "crypt_rig.h"
#include "iso_card.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define R_32 "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"

static bool faulty;   /* the next signature has a wrong bit */
static unsigned at;   /* which */
static bool says_yes; /* the check, too, is wrong */

static enum cos_result sign(void *context, enum cos_curve curve, const struct cos_random *random,
                            const uint8_t *key, const uint8_t *digest, size_t length,
                            uint8_t *signature)
{
    const enum cos_result result =
        cos_crypto_tomcrypt.ec_sign(context, curve, random, key, digest, length, signature);

    if (faulty) {
        signature[at / 8 % (2 * cos_ec_size(curve))] ^= (uint8_t)(1U << at % 8);
    }
    return result;
}

static enum cos_result verify(void *context, enum cos_curve curve, const uint8_t *point,
                              const uint8_t *digest, size_t length, const uint8_t *signature,
                              cos_truth *valid)
{
    const enum cos_result result =
        cos_crypto_tomcrypt.ec_verify(context, curve, point, digest, length, signature, valid);

    if (says_yes) {
        *valid = COS_YES;
    }
    return result;
}

/* Both chips begin anew, on a provider that may err. */
static void restart(struct bench *bench, struct cos_crypto *crypto)
{
    *crypto = cos_crypto_tomcrypt;
    crypto->ec_sign = sign;
    crypto->ec_verify = verify;
    faulty = says_yes = false;
    bench_power_off(bench);
    bench_use(bench, crypto);
    assert_true(bench_power_on(bench));
    bench_select(bench);
}

static void no_wrong_signature_leaves(void **state)
{
    static const char *const commands[] = {
        "002A9E9A 20 " R_32 "00",                      /* of a digest */
        "00880085 20 " R_32 "00",                      /* of a challenge */
        "00860085 26 7C24 8200 8120 " R_32 "00",       /* the same */
        "002A9E9A 0D 840184 9108 0011223344556677 00", /* of a statement */
    };
    struct bench *bench = *state;
    struct cos_crypto crypto;

    crypt_key(bench, 4, EC_P384);
    crypt_key(bench, 5, OF_APPLICATION " 800105 C90100 950101 CB0100");
    crypt_key(bench, 6, OF_APPLICATION " 800105 C90102 CE0180 CB0100");
    for (uint8_t i = 4; i <= 6; i++) {
        crypt_generate(bench, 0x80 | i);
    }
    for (size_t i = 0; i < CARD_COUNT(commands); i++) {
        for (unsigned bit = 0; bit < 1056; bit += 501) {
            restart(bench, &crypto);
            crypt_set(bench, 0xB6, i < 3 ? 0x84 : 0x86, DEFAULT);
            assert_int_equal(bench_hex(bench, commands[i]), 0x9000); /* and the self-test passed */
            faulty = true;
            at = bit;
            assert_int_equal(bench_hex(bench, commands[i]), 0x6F00);
            assert_int_equal(bench->length, 0);
            faulty = false;
            assert_int_equal(bench_hex(bench, commands[i]), 0x6F00);
            assert_int_equal(bench->secure.verdict, COS_VERDICT_FAULT);
            restart(bench, &crypto);
            crypt_set(bench, 0xB6, i < 3 ? 0x84 : 0x86, DEFAULT);
            assert_int_equal(bench_hex(bench, commands[i]), 0x9000);
            faulty = says_yes = true; /* so it is the check that saw it */
            assert_int_equal(bench_hex(bench, commands[i]), 0x9000);
        }
    }
}

/* The hash function of the session keys, before the first session. */
static void sha1_is_tested_first(void **state)
{
    struct bench *bench = *state;
    struct iso_sm sm;

    bench_reset(bench);
    bench_select(bench);
    bench_expect(bench, "0084000010", 0x9000, CARD_ANY);
    bench_expect(bench, "0082008608 0011223344556677", 0x6700, NULL);
    assert_int_equal(bench->secure.tested, 0);
    iso_open(bench, ISO_AES, &sm);
    assert_int_equal(bench->secure.tested, COS_SELF_TEST_SHA1);
    iso_expect(bench, &sm, "00200081", 0x63C3, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(no_wrong_signature_leaves),
        ISO_TEST(sha1_is_tested_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
