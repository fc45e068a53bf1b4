/* SPDX-License-Identifier: Apache-2.0
 *
 * Paddings of RSA signatures: published vectors, agreement with OpenSSL in both directions, and
 * every padding that is none.
 */
#include "crypto_helpers.h"

#include "crypto/rsa.h"
#include "oracle_key.h"
#include "rsa_helpers.h"

#include <openssl/rsa.h>
#include <string.h>

static const struct cos_span none = {NULL, 0};

/* ---- Published vectors */

static enum cos_hash hash_named(const char *name)
{
    for (enum cos_hash which = COS_SHA1; which <= COS_SHA512; which++) {
        if (strcmp(names[which], name) == 0) {
            return which;
        }
    }
    fail_msg("no hash %s", name);
    return COS_SHA1;
}

static void pkcs1_signatures(void **state)
{
    (void)state;
    struct vectors *vectors = vectors_open("pkcs1-v15-sign.txt");
    for (size_t s = 0; s < vectors->count; s++) {
        const struct vector_section *section = &vectors->sections[s];
        const struct cos_span n = vector_bytes(section, "n");
        check_keys(section);
        for (unsigned i = 0; i < vector_number(section, "count_n"); i++) {
            const struct cos_span text = vector_bytes(section, "msg%u", i);
            const uint8_t *signature = vector_exactly(section, n.length, "signature%u", i);
            uint8_t digest[20], encoded[COS_RSA_MAX];
            assert_int_equal(crypto->hash(NULL, COS_SHA1, &text, 1, digest), COS_OK);
            assert_int_equal(cos_emsa_v15_encode(COS_SHA1, digest, encoded, n.length), COS_OK);
            private_is(section, encoded, signature, n.length);
            assert_int_equal(
                crypto->rsa_public(NULL, n, vector_bytes(section, "e"), signature, encoded),
                COS_OK);
            assert_true(cos_emsa_v15_verify(COS_SHA1, digest, encoded, n.length) == COS_YES);
        }
    }
    assert_int_equal(vectors->count, 3);
    vectors_close(vectors);
}

static void pkcs1_pss(void **state)
{
    (void)state;
    struct vectors *vectors = vectors_open("pkcs1-pss.txt");
    for (size_t s = 0; s < vectors->count; s++) {
        const struct vector_section *section = &vectors->sections[s];
        const struct cos_span n = vector_bytes(section, "n");
        check_keys(section);
        for (unsigned i = 0; i < vector_number(section, "count_n"); i++) {
            const struct cos_span text = vector_bytes(section, "msg%u", i);
            const struct cos_span salt = vector_bytes(section, "salt%u", i);
            const uint8_t *signature = vector_exactly(section, n.length, "signature%u", i);
            uint8_t digest[20], encoded[COS_RSA_MAX];
            cos_truth valid;
            assert_int_equal(crypto->hash(NULL, COS_SHA1, &text, 1, digest), COS_OK);
            assert_int_equal(cos_emsa_pss_encode(crypto, COS_SHA1, digest, salt, encoded, n.length),
                             COS_OK);
            private_is(section, encoded, signature, n.length);
            assert_int_equal(
                crypto->rsa_public(NULL, n, vector_bytes(section, "e"), signature, encoded),
                COS_OK);
            assert_int_equal(
                cos_emsa_pss_verify(crypto, COS_SHA1, digest, 20, encoded, n.length, &valid),
                COS_OK);
            assert_true(valid == COS_YES);
        }
    }
    assert_int_equal(vectors->count, 3);
    vectors_close(vectors);
}

static void nist_signatures(const char *file, bool pss)
{
    struct vectors *vectors = vectors_open(file);
    unsigned cases = 0;
    for (size_t s = 0; s < vectors->count; s++) {
        const struct vector_section *section = &vectors->sections[s];
        for (unsigned i = 0; i < vector_number(section, "count_n"); i++) {
            const struct cos_span n = vector_bytes(section, "n%u", i);
            const enum cos_hash which = hash_named(vector_text(section, "hash%u", i));
            const uint8_t *digest = vector_exactly(section, cos_hash_size(which), "digest%u", i);
            uint8_t encoded[COS_RSA_MAX];
            cos_truth valid = COS_NO;
            enum cos_result result =
                crypto->rsa_public(NULL, n, vector_bytes(section, "e%u", i),
                                   vector_exactly(section, n.length, "signature%u", i), encoded);
            bool good = vector_number(section, "valid%u_n", i) == 1;
            /* a changed signature need not be below n */
            assert_case(result == COS_OK || (result == COS_E_DATA && !good), "%s [%s] %u", file,
                        section->name, i);
            if (result == COS_OK && pss) {
                assert_int_equal(
                    cos_emsa_pss_verify(crypto, which, digest, 10, encoded, n.length, &valid),
                    COS_OK);
            } else if (result == COS_OK) {
                valid = cos_emsa_v15_verify(which, digest, encoded, n.length);
            }
            assert_case(valid == (good ? COS_YES : COS_NO), "%s [%s] %u", file, section->name, i);
            cases++;
        }
    }
    assert_int_equal(cases, 90);
    vectors_close(vectors);
}

static void nist_v15(void **state)
{
    (void)state;
    nist_signatures("nist-rsa-v15.txt", false);
}

static void nist_pss(void **state)
{
    (void)state;
    nist_signatures("nist-rsa-pss.txt", true);
}

/* ---- Agreement with OpenSSL */

static void agrees_signatures(const struct oracle_rsa *rsa, struct chance *chance)
{
    for (enum cos_hash which = COS_SHA1; which <= COS_SHA512; which++) {
        const size_t size = cos_hash_size(which);
        uint8_t digest[COS_HASH_MAX], salt[COS_HASH_MAX], data[COS_RSA_MAX];
        cos_truth valid;
        random_fill(&chance->random, digest, size);
        random_fill(&chance->random, salt, size);
        assert_int_equal(cos_emsa_v15_encode(which, digest, data, rsa->size), COS_OK);
        to_private(rsa, chance, data, data);
        assert_true(oracle_rsa_verify(rsa, RSA_PKCS1_PADDING, which, digest, data));
        oracle_rsa_sign(rsa, RSA_PKCS1_PADDING, which, digest, data);
        to_public(rsa, data, data);
        assert_true(cos_emsa_v15_verify(which, digest, data, rsa->size) == COS_YES);

        const struct cos_span span = {salt, size};
        if (rsa->size < 2 * size + 2) {
            assert_int_equal(cos_emsa_pss_encode(crypto, which, digest, span, data, rsa->size),
                             COS_E_LENGTH);
            continue;
        }
        assert_int_equal(cos_emsa_pss_encode(crypto, which, digest, span, data, rsa->size), COS_OK);
        to_private(rsa, chance, data, data);
        assert_true(oracle_rsa_verify(rsa, RSA_PKCS1_PSS_PADDING, which, digest, data));
        oracle_rsa_sign(rsa, RSA_PKCS1_PSS_PADDING, which, digest, data);
        to_public(rsa, data, data);
        assert_int_equal(cos_emsa_pss_verify(crypto, which, digest, size, data, rsa->size, &valid),
                         COS_OK);
        assert_true(valid == COS_YES);
    }
}

static void agrees(void **state)
{
    (void)state;
    static const unsigned bits[] = {1024, 1024, 1024, 1040, 1536, 2048, 3072};
    struct chance chance = {random_start(3)};
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
        struct oracle_rsa rsa;
        oracle_rsa_generate(&rsa, bits[i], 65537);
        agrees_signatures(&rsa, &chance);
        oracle_rsa_free(&rsa);
    }
}

/* ---- Encoded messages that are none */

/* Any wrong byte of the DigestInfo's block, and the forms that parsers were talked into: shorter
 * padding with something behind the digest, no NULL, another hash. */
static void v15_signatures_that_are_none(void **state)
{
    (void)state;
    for (enum cos_hash which = COS_SHA1; which <= COS_SHA512; which++) {
        uint8_t digest[COS_HASH_MAX] = {1, 2, 3}, good[128], bad[128];
        assert_int_equal(cos_emsa_v15_encode(which, digest, good, sizeof good), COS_OK);
        assert_true(cos_emsa_v15_verify(which, digest, good, sizeof good) == COS_YES);
        for (size_t bit = 0; bit < 8 * sizeof good; bit++) {
            memcpy(bad, good, sizeof bad);
            bad[bit / 8] ^= (uint8_t)(1U << bit % 8);
            assert_true(cos_emsa_v15_verify(which, digest, bad, sizeof bad) == COS_NO);
        }
        memcpy(bad, good, sizeof bad); /* everything 10 bytes to the left */
        memmove(bad + 2, good + 12, 116);
        memset(bad + 118, 0xAA, 10);
        assert_true(cos_emsa_v15_verify(which, digest, bad, sizeof bad) == COS_NO);
        for (enum cos_hash other = COS_SHA1; other <= COS_SHA512; other++) {
            assert_true(cos_emsa_v15_verify(other, digest, good, sizeof good) ==
                        (other == which ? COS_YES : COS_NO));
        }
        const size_t least = cos_hash_size(which) + (which == COS_SHA1 ? 15 : 19) + 11;
        assert_int_equal(cos_emsa_v15_encode(which, digest, good, least), COS_OK);
        assert_true(cos_emsa_v15_verify(which, digest, good, least) == COS_YES);
        assert_int_equal(cos_emsa_v15_encode(which, digest, good, least - 1), COS_E_LENGTH);
        assert_true(cos_emsa_v15_verify(which, digest, good, least - 1) == COS_NO);
    }
}

static void block1(void **state)
{
    (void)state;
    uint8_t content[128], encoded[129];
    memset(content, 0x5A, sizeof content);
    for (size_t n = 0; n <= 128; n++) {
        memset(encoded, 0xA5, sizeof encoded);
        enum cos_result expected = n <= 117 ? COS_OK : COS_E_LENGTH;
        assert_int_equal(cos_rsa_block1((struct cos_span){content, n}, encoded, 128), expected);
        for (size_t i = 0; i < 129; i++) {
            uint8_t good = expected != COS_OK || i == 128 ? 0xA5
                           : i == 0                       ? 0x00
                           : i == 1                       ? 0x01
                           : i < 127 - n                  ? 0xFF
                           : i == 127 - n                 ? 0x00
                                                          : 0x5A;
            assert_int_equal(encoded[i], good);
        }
    }
    assert_int_equal(cos_rsa_block1(none, encoded, 10), COS_E_LENGTH);
}

static void pss_that_is_none(void **state)
{
    (void)state;
    for (enum cos_hash which = COS_SHA1; which <= COS_SHA512; which++) {
        const size_t size = cos_hash_size(which);
        uint8_t digest[COS_HASH_MAX] = {1, 2, 3}, salt[COS_HASH_MAX] = {9}, good[144], bad[144];
        const struct cos_span span = {salt, size};
        cos_truth valid;
        assert_int_equal(cos_emsa_pss_encode(crypto, which, digest, span, good, sizeof good),
                         COS_OK);
        assert_int_equal(good[0] & 0x80, 0);
        for (size_t bit = 0; bit < 8 * sizeof good; bit++) {
            memcpy(bad, good, sizeof bad);
            bad[bit / 8] ^= (uint8_t)(1U << bit % 8);
            valid = COS_YES;
            assert_int_equal(
                cos_emsa_pss_verify(crypto, which, digest, size, bad, sizeof bad, &valid), COS_OK);
            assert_case(valid == COS_NO, "%s, bit %zu", names[which], bit);
        }
        for (size_t length = 0; length <= 150; length++) { /* salts of another length */
            memcpy(bad, good, sizeof bad);
            assert_int_equal(
                cos_emsa_pss_verify(crypto, which, digest, length, bad, sizeof bad, &valid),
                COS_OK);
            assert_true(valid == (length == size ? COS_YES : COS_NO));
        }
        digest[0] ^= 1;
        assert_int_equal(
            cos_emsa_pss_verify(crypto, which, digest, size, good, sizeof good, &valid), COS_OK);
        assert_true(valid == COS_NO);
        /* the shortest room there is, and one byte less */
        assert_int_equal(cos_emsa_pss_encode(crypto, which, digest, span, good, 2 * size + 2),
                         COS_OK);
        assert_int_equal(
            cos_emsa_pss_verify(crypto, which, digest, size, good, 2 * size + 2, &valid), COS_OK);
        assert_true(valid == COS_YES);
        assert_int_equal(cos_emsa_pss_encode(crypto, which, digest, span, good, 2 * size + 1),
                         COS_E_LENGTH);
        assert_int_equal(cos_emsa_pss_encode(crypto, which, digest, none, good, size + 2), COS_OK);
        assert_int_equal(cos_emsa_pss_encode(crypto, which, digest, none, good, size + 1),
                         COS_E_LENGTH);
    }
}

/* ---- A provider that fails */

/* Wherever it fails: its error, and no yes. */
static void provider_fails(void **state)
{
    (void)state;
    struct failing failing = {0};
    const struct cos_crypto broken = {.context = &failing, .hash = failing_hash};
    const uint8_t digest[20] = {1}, bytes[20] = {2};
    const struct cos_span salt = {bytes, 20};
    unsigned encode = 0, verify = 0;
    for (unsigned at = 0; at < 40; at++) {
        uint8_t encoded[128];
        cos_truth valid = COS_YES;
        failing.left = at;
        encode +=
            cos_emsa_pss_encode(&broken, COS_SHA1, digest, salt, encoded, 128) == COS_E_CRYPTO;
        assert_int_equal(cos_emsa_pss_encode(crypto, COS_SHA1, digest, salt, encoded, 128), COS_OK);
        failing.left = at;
        if (cos_emsa_pss_verify(&broken, COS_SHA1, digest, 20, encoded, 128, &valid) != COS_OK) {
            assert_true(valid == COS_NO);
            verify++;
        }
    }
    assert_int_equal(encode, 1 + 6); /* 107 bytes of mask */
    assert_int_equal(verify, 6 + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pkcs1_signatures), cmocka_unit_test(pkcs1_pss),
        cmocka_unit_test(nist_v15),         cmocka_unit_test(nist_pss),
        cmocka_unit_test(agrees),           cmocka_unit_test(v15_signatures_that_are_none),
        cmocka_unit_test(block1),           cmocka_unit_test(pss_that_is_none),
        cmocka_unit_test(provider_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
