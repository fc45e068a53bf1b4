/* SPDX-License-Identifier: Apache-2.0
 *
 * Elliptic curves of the libtomcrypt provider: agreement with OpenSSL in both directions, the edges
 * of the group, and everything that is not a point, a key or a signature.
 */
#include "crypto_helpers.h"

#include "oracle_key.h"

static const struct cos_crypto *const crypto = &cos_crypto_tomcrypt;

static size_t point_size(enum cos_curve curve)
{
    return 1 + 2 * cos_ec_size(curve);
}

/* ---- Agreement with OpenSSL */

static void agrees_signatures(void **state)
{
    (void)state;
    unsigned signatures = 0;
    for (enum cos_curve curve = COS_P256; curve <= COS_P521; curve++) {
        struct chance chance = {random_start(10 + curve)};
        const struct cos_random source = chance_source(&chance);
        for (unsigned round = 0; round < 15; round++) {
            uint8_t key[COS_EC_MAX], point[COS_EC_POINT_MAX], digest[COS_HASH_MAX];
            uint8_t signature[2 * COS_EC_MAX];
            const size_t length = cos_hash_size((enum cos_hash)(round % COS_HASHES));
            cos_truth valid;
            EVP_PKEY *pkey;
            if (round % 2 == 0) {
                pkey = oracle_ec_generate(curve, key, point);
            } else {
                assert_int_equal(crypto->ec_generate(NULL, curve, &source, key, point), COS_OK);
                pkey = oracle_ec_import(curve, key, point);
                assert_non_null(pkey);
            }
            assert_int_equal(crypto->ec_check(NULL, curve, key, point), COS_OK);
            random_fill(&chance.random, digest, sizeof digest);
            assert_int_equal(crypto->ec_sign(NULL, curve, &source, key, digest, length, signature),
                             COS_OK);
            assert_true(oracle_ec_verify(pkey, curve, digest, length, signature));
            oracle_ec_sign(pkey, curve, digest, length, signature);
            assert_int_equal(
                crypto->ec_verify(NULL, curve, point, digest, length, signature, &valid), COS_OK);
            assert_true(valid == COS_YES);
            digest[round % length] ^= 1;
            bool counts = round % length < cos_ec_size(curve);
            assert_int_equal(
                crypto->ec_verify(NULL, curve, point, digest, length, signature, &valid), COS_OK);
            assert_true(valid == (counts ? COS_NO : COS_YES));
            EVP_PKEY_free(pkey);
            signatures += 2;
        }
    }
    printf("# EC: %u signatures agree with OpenSSL\n", signatures);
}

static void agrees_secrets(void **state)
{
    (void)state;
    for (enum cos_curve curve = COS_P256; curve <= COS_P521; curve++) {
        struct chance chance = {random_start(20 + curve)};
        const struct cos_random source = chance_source(&chance);
        for (unsigned round = 0; round < 10; round++) {
            uint8_t key[COS_EC_MAX], point[COS_EC_POINT_MAX], their[COS_EC_MAX];
            uint8_t their_point[COS_EC_POINT_MAX], secret[COS_EC_MAX], good[COS_EC_MAX];
            assert_int_equal(crypto->ec_generate(NULL, curve, &source, key, point), COS_OK);
            EVP_PKEY *mine = oracle_ec_import(curve, key, point);
            EVP_PKEY *other = oracle_ec_generate(curve, their, their_point);
            oracle_ec_agree(other, mine, good, cos_ec_size(curve));
            assert_int_equal(crypto->ec_agree(NULL, curve, &source, key, their_point, secret),
                             COS_OK);
            assert_memory_equal(secret, good, cos_ec_size(curve));
            EVP_PKEY_free(mine);
            EVP_PKEY_free(other);
        }
    }
}

/* ---- Edges */

/* The order of each curve (SP 800-186, 3.2.1.3 to 3.2.1.5). */
static const char *const orders[COS_CURVES] = {
    "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551",
    "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACC"
    "C52973",
    "01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFA51868783BF2F"
    "966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409",
};

/* The order less `below`, or for a negative one so much more. */
static void near_order(enum cos_curve curve, int below, uint8_t *key)
{
    const size_t size = cos_ec_size(curve);
    assert_int_equal(unhex(orders[curve], key, COS_EC_MAX), size);
    for (int i = 0; i < below; i++) {
        key[size - 1]--; /* none of the orders ends in 00 to 08 */
    }
    for (int i = below; i < 0; i++) {
        key[size - 1]++;
    }
}

/* Small keys and large ones, for which a ladder meets equal, opposite and infinite points; and
 * single bits. */
static void extreme_keys(void **state)
{
    (void)state;
    for (enum cos_curve curve = COS_P256; curve <= COS_P521; curve++) {
        const size_t size = cos_ec_size(curve);
        struct chance chance = {random_start(30 + curve)};
        const struct cos_random source = chance_source(&chance);
        for (int i = 1; i <= 8 + 40; i++) {
            uint8_t key[COS_EC_MAX] = {0}, point[COS_EC_POINT_MAX], good[COS_EC_POINT_MAX];
            if (i <= 4) {
                key[size - 1] = (uint8_t)i;
            } else if (i <= 8) {
                near_order(curve, i - 4, key);
            } else {
                const size_t bit = random_below(&chance.random, 255);
                key[size - 1 - bit / 8] = (uint8_t)(1U << bit % 8);
            }
            oracle_ec_public(curve, key, good);
            assert_int_equal(crypto->ec_public(NULL, curve, &source, key, point), COS_OK);
            assert_memory_equal(point, good, point_size(curve));
            uint8_t secret[COS_EC_MAX], base[COS_EC_POINT_MAX], one[COS_EC_MAX] = {0};
            one[size - 1] = 1;
            oracle_ec_public(curve, one, base);
            assert_int_equal(crypto->ec_agree(NULL, curve, &source, key, base, secret), COS_OK);
            assert_memory_equal(secret, good + 1, size);
        }
    }
}

static void keys_out_of_range(void **state)
{
    (void)state;
    for (enum cos_curve curve = COS_P256; curve <= COS_P521; curve++) {
        struct chance chance = {random_start(40)};
        const struct cos_random source = chance_source(&chance);
        uint8_t good[COS_EC_MAX], point[COS_EC_POINT_MAX], digest[32] = {1};
        uint8_t out[COS_EC_POINT_MAX], secret[COS_EC_MAX];
        assert_int_equal(crypto->ec_generate(NULL, curve, &source, good, point), COS_OK);
        for (int i = 0; i < 5; i++) {
            uint8_t key[COS_EC_MAX] = {0};
            if (i > 0 && i < 4) {
                near_order(curve, 1 - i, key); /* n, n + 1, n + 2 */
            } else if (i == 4) {
                memset(key, 0xFF, sizeof key);
            }
            assert_int_equal(crypto->ec_check(NULL, curve, key, NULL), COS_E_DATA);
            assert_int_equal(crypto->ec_check(NULL, curve, key, point), COS_E_DATA);
            assert_int_equal(crypto->ec_public(NULL, curve, &source, key, out), COS_E_DATA);
            assert_int_equal(crypto->ec_sign(NULL, curve, &source, key, digest, 32, out),
                             COS_E_DATA);
            assert_int_equal(crypto->ec_agree(NULL, curve, &source, key, point, secret),
                             COS_E_DATA);
        }
    }
}

/* Forms that are not 04, coordinates not below p, points beside the curve, the other curve with the
 * same first coordinates. OpenSSL refuses the same ones. */
static void points_that_are_none(void **state)
{
    (void)state;
    for (enum cos_curve curve = COS_P256; curve <= COS_P521; curve++) {
        const size_t size = cos_ec_size(curve);
        struct chance chance = {random_start(50)};
        const struct cos_random source = chance_source(&chance);
        uint8_t key[COS_EC_MAX], good[COS_EC_POINT_MAX], secret[COS_EC_MAX];
        uint8_t digest[32] = {1}, signature[2 * COS_EC_MAX];
        assert_int_equal(crypto->ec_generate(NULL, curve, &source, key, good), COS_OK);
        assert_int_equal(crypto->ec_sign(NULL, curve, &source, key, digest, 32, signature), COS_OK);
        assert_int_equal(crypto->ec_check(NULL, curve, NULL, good), COS_OK);
        assert_int_equal(crypto->ec_check(NULL, curve, key, NULL), COS_OK);
        for (size_t i = 0; i < 60; i++) {
            uint8_t bad[COS_EC_POINT_MAX];
            cos_truth valid = COS_YES;
            memcpy(bad, good, sizeof bad);
            if (i < 40) {
                bad[1 + random_below(&chance.random, 2 * size)] ^=
                    (uint8_t)(1U << random_below(&chance.random, 8));
            } else if (i < 50) {
                bad[0] = (uint8_t)(i - 40 == 4 ? 0xFF : i - 40);
            } else if (i < 52) {
                memset(bad + 1 + (i - 50) * size, 0xFF, size);
            } else if (i < 54) {
                memset(bad + 1 + (i - 52) * size, 0, size);
            } else {
                memset(bad + 1, i == 54 ? 0 : 0xFF, 2 * size);
            }
            EVP_PKEY *pkey = bad[0] == 4 ? oracle_ec_import(curve, NULL, bad) : NULL;
            assert_null(pkey);
            assert_case(crypto->ec_check(NULL, curve, NULL, bad) == COS_E_DATA, "case %zu", i);
            assert_int_equal(crypto->ec_check(NULL, curve, key, bad), COS_E_DATA);
            assert_int_equal(crypto->ec_agree(NULL, curve, &source, key, bad, secret), COS_E_DATA);
            assert_int_equal(crypto->ec_verify(NULL, curve, bad, digest, 32, signature, &valid),
                             COS_E_DATA);
            assert_true(valid == COS_NO);
        }
    }
}

static void signatures_that_are_none(void **state)
{
    (void)state;
    for (enum cos_curve curve = COS_P256; curve <= COS_P521; curve++) {
        const size_t size = cos_ec_size(curve);
        struct chance chance = {random_start(60)};
        const struct cos_random source = chance_source(&chance);
        uint8_t key[COS_EC_MAX], point[COS_EC_POINT_MAX], digest[64] = {1}, good[2 * COS_EC_MAX];
        assert_int_equal(crypto->ec_generate(NULL, curve, &source, key, point), COS_OK);
        assert_int_equal(crypto->ec_sign(NULL, curve, &source, key, digest, 32, good), COS_OK);
        for (size_t i = 0; i < 32; i++) {
            uint8_t bad[2 * COS_EC_MAX];
            cos_truth valid = COS_YES;
            memcpy(bad, good, sizeof bad);
            if (i < 20) {
                bad[random_below(&chance.random, 2 * size)] ^=
                    (uint8_t)(1U << random_below(&chance.random, 8));
            } else if (i < 22) {
                memset(bad + (i - 20) * size, 0, size);
            } else if (i < 24) {
                near_order(curve, 0, bad + (i - 22) * size);
            } else if (i < 26) {
                memset(bad + (i - 24) * size, 0xFF, size);
            } else if (i == 26) {
                memset(bad, 0, sizeof bad);
            } else if (i == 27) {
                memcpy(bad, good + size, size);
                memcpy(bad + size, good, size);
            } else {
                near_order(curve, (int)i - 27, bad);
            }
            assert_int_equal(crypto->ec_verify(NULL, curve, point, digest, 32, bad, &valid),
                             COS_OK);
            assert_case(valid == COS_NO, "case %zu", i);
        }
        for (size_t length = 0; length <= 70; length++) { /* digests */
            uint8_t out[2 * COS_EC_MAX], long_digest[70] = {2};
            cos_truth valid = COS_YES;
            enum cos_result result = length >= 20 && length <= 64 ? COS_OK : COS_E_CRYPTO;
            assert_int_equal(
                crypto->ec_verify(NULL, curve, point, long_digest, length, good, &valid), result);
            assert_true(valid == COS_NO);
            if (result != COS_OK) {
                assert_int_equal(
                    crypto->ec_sign(NULL, curve, &source, key, long_digest, length, out), result);
            }
        }
    }
}

/* In a signature that OpenSSL agrees to, u1 G and u2 Q are equal, opposite, or one is infinite. */
static void degenerate_signatures(void **state)
{
    (void)state;
    for (enum cos_curve curve = COS_P256; curve <= COS_P521; curve++) {
        const size_t size = cos_ec_size(curve);
        uint8_t one[COS_EC_MAX] = {0}, base[COS_EC_POINT_MAX], digest[COS_HASH_MAX];
        one[size - 1] = 1;
        oracle_ec_public(curve, one, base);
        for (int i = 0; i < 4; i++) { /* the public key is G; -G has the key n - 1 */
            uint8_t key[COS_EC_MAX], point[COS_EC_POINT_MAX], sum[COS_EC_POINT_MAX];
            uint8_t signature[2 * COS_EC_MAX];
            cos_truth valid;
            memcpy(key, one, sizeof key);
            if (i % 2 == 1) {
                near_order(curve, 1, key);
            }
            oracle_ec_public(curve, key, point);
            /* i < 2: e = 0 and s = r = x of Q give u1 = 0, u2 = 1. Else e = s = r, so that u1 =
             * u2 = 1 and the sum is 2 G, or infinity. */
            memcpy(sum, point, sizeof sum);
            if (i == 2) {
                uint8_t two[COS_EC_MAX] = {0};
                two[size - 1] = 2;
                oracle_ec_public(curve, two, sum);
            }
            memcpy(signature, sum + 1, size);
            memcpy(signature + size, sum + 1, size);
            size_t length = size < sizeof digest ? size : sizeof digest;
            memset(digest, 0, sizeof digest);
            if (i >= 2) {
                memcpy(digest, sum + 1, length);
            }
            EVP_PKEY *pkey = oracle_ec_import(curve, NULL, point);
            bool good = oracle_ec_verify(pkey, curve, digest, length, signature);
            assert_true(good == (i < 2 || (i == 2 && curve != COS_P521)));
            assert_int_equal(
                crypto->ec_verify(NULL, curve, point, digest, length, signature, &valid), COS_OK);
            assert_case(valid == (good ? COS_YES : COS_NO), "curve %d, case %d", (int)curve, i);
            EVP_PKEY_free(pkey);
        }
    }
}

static void source_fails(void **state)
{
    (void)state;
    for (enum cos_curve curve = COS_P256; curve <= COS_P521; curve++) {
        uint8_t key[COS_EC_MAX], point[COS_EC_POINT_MAX], digest[32] = {1}, out[COS_EC_POINT_MAX];
        struct chance chance = {random_start(70)};
        const struct cos_random source = chance_source(&chance);
        assert_int_equal(crypto->ec_generate(NULL, curve, &source, key, point), COS_OK);
        for (unsigned at = 1; at <= 3; at++) {
            struct chance failing = {random_start(71), 0, at};
            const struct cos_random broken = chance_source(&failing);
            uint8_t other[COS_EC_MAX];
            /* a key and the mask; a mask; k, mask and blinding */
            enum cos_result expected = at <= 2 ? COS_E_ENTROPY : COS_OK;
            assert_int_equal(crypto->ec_generate(NULL, curve, &broken, other, out), expected);
            failing = (struct chance){random_start(71), 0, at};
            expected = at <= 1 ? COS_E_ENTROPY : COS_OK;
            assert_int_equal(crypto->ec_public(NULL, curve, &broken, key, out), expected);
            failing = (struct chance){random_start(71), 0, at};
            assert_int_equal(crypto->ec_agree(NULL, curve, &broken, key, point, other), expected);
            failing = (struct chance){random_start(71), 0, at};
            assert_int_equal(crypto->ec_sign(NULL, curve, &broken, key, digest, 32, out),
                             COS_E_ENTROPY);
        }
    }
}

/* A source that gives nothing but ones or zeros ends, it does not go on for ever. */
static enum cos_result stuck(void *context, uint8_t *out, size_t length)
{
    memset(out, *(const uint8_t *)context, length);
    return COS_OK;
}

static void source_is_stuck(void **state)
{
    (void)state;
    for (int value = 0; value <= 0xFF; value += 0xFF) {
        uint8_t byte = (uint8_t)value, key[COS_EC_MAX], point[COS_EC_POINT_MAX];
        const struct cos_random source = {.context = &byte, .draw = stuck};
        for (enum cos_curve curve = COS_P256; curve <= COS_P521; curve++) {
            assert_int_equal(crypto->ec_generate(NULL, curve, &source, key, point), COS_E_CRYPTO);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_signatures),     cmocka_unit_test(agrees_secrets),
        cmocka_unit_test(extreme_keys),          cmocka_unit_test(keys_out_of_range),
        cmocka_unit_test(points_that_are_none),  cmocka_unit_test(signatures_that_are_none),
        cmocka_unit_test(degenerate_signatures), cmocka_unit_test(source_fails),
        cmocka_unit_test(source_is_stuck),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
