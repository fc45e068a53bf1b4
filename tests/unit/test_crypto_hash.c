/* SPDX-License-Identifier: Apache-2.0
 *
 * Hash functions, their resumption, HMAC and the X9.63 key derivation: published vectors, and
 * agreement with OpenSSL on random texts in random parts.
 */
/* SHA256_Transform, which has no other name. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto_helpers.h"

#include "crypto/sha1.h"
#include "oracle_key.h"
#include "vectors.h"

#include <openssl/hmac.h>
#include <openssl/sha.h>

static const struct cos_crypto *const crypto = &cos_crypto_tomcrypt;

static const char *const names[COS_HASHES] = {"sha1", "sha224", "sha256", "sha384", "sha512"};

static void sizes(void **state)
{
    (void)state;
    for (enum cos_hash which = COS_SHA1; which <= COS_SHA512; which++) {
        assert_int_equal(cos_hash_size(which), EVP_MD_get_size(oracle_hash(which)));
        assert_int_equal(cos_hash_block(which), EVP_MD_get_block_size(oracle_hash(which)));
        assert_int_equal(cos_hash_state(which), which == COS_SHA1     ? 20
                                                : which <= COS_SHA256 ? 32
                                                                      : 64);
    }
}

/* The core's own SHA-1: every length that it takes. */
static void short_sha1(void **state)
{
    uint8_t message[COS_SHA1_SHORT_MAX], digest[COS_SHA1_SHORT], expected[SHA_DIGEST_LENGTH];
    struct random random = random_start(55);

    (void)state;
    for (size_t length = 0; length <= sizeof message; length++) {
        for (unsigned round = 0; round < 20; round++) {
            random_fill(&random, message, sizeof message);
            cos_sha1_short(message, length, digest);
            SHA1(message, length, expected);
            assert_memory_equal(digest, expected, sizeof digest);
        }
    }
}

static void nist_hashes(void **state)
{
    (void)state;
    struct vectors *vectors = vectors_open("nist-sha.txt");
    for (enum cos_hash which = COS_SHA1; which <= COS_SHA512; which++) {
        const struct vector_section *section = vectors_section(vectors, names[which]);
        for (unsigned i = 0; i < vector_number(section, "count_n"); i++) {
            const struct cos_span text = vector_bytes(section, "msg%u", i);
            uint8_t digest[COS_HASH_MAX];
            assert_int_equal(crypto->hash(NULL, which, &text, 1, digest), COS_OK);
            assert_memory_equal(digest, vector_exactly(section, cos_hash_size(which), "md%u", i),
                                cos_hash_size(which));
        }
    }
    vectors_close(vectors);
}

static void rfc_hmac(void **state)
{
    (void)state;
    struct vectors *vectors = vectors_open("rfc-hmac.txt");
    for (enum cos_hash which = COS_SHA1; which <= COS_SHA512; which++) {
        const struct vector_section *section = vectors_section(vectors, names[which]);
        for (unsigned i = 0; i < vector_number(section, "count_n"); i++) {
            const struct cos_span key = vector_bytes(section, "key%u", i);
            const struct cos_span text = vector_bytes(section, "msg%u", i);
            uint8_t mac[COS_HASH_MAX];
            assert_int_equal(crypto->hmac(NULL, which, key.data, key.length, &text, 1, mac),
                             COS_OK);
            assert_memory_equal(mac, vector_exactly(section, cos_hash_size(which), "mac%u", i),
                                cos_hash_size(which));
        }
    }
    vectors_close(vectors);
}

static void nist_x963(void **state)
{
    (void)state;
    struct vectors *vectors = vectors_open("nist-x963-kdf.txt");
    for (enum cos_hash which = COS_SHA1; which <= COS_SHA512; which++) {
        const struct vector_section *section = vectors_section(vectors, names[which]);
        for (unsigned i = 0; i < vector_number(section, "count_n"); i++) {
            const struct cos_span good = vector_bytes(section, "key%u", i);
            uint8_t key[128];
            assert_true(good.length <= sizeof key);
            assert_int_equal(cos_kdf_x963(crypto, which, vector_bytes(section, "z%u", i),
                                          vector_bytes(section, "info%u", i), key, good.length),
                             COS_OK);
            assert_memory_equal(key, good.data, good.length);
        }
    }
    vectors_close(vectors);
}

static enum cos_result no_hash(void *context, enum cos_hash which, const struct cos_span *parts,
                               size_t count, uint8_t *digest)
{
    unsigned *left = context;
    if (*left == 0) {
        return COS_E_CRYPTO;
    }
    --*left;
    return crypto->hash(NULL, which, parts, count, digest);
}

/* Every length to three digests; too many; and nothing of a key is left by one that fails. */
static void x963_lengths(void **state)
{
    (void)state;
    static uint8_t key[255 * 64 + 1], whole[255 * 64 + 1];
    const uint8_t secret[] = {1, 2, 3};
    const struct cos_span z = {secret, sizeof secret}, none = {NULL, 0};
    for (enum cos_hash which = COS_SHA1; which <= COS_SHA512; which++) {
        const size_t size = cos_hash_size(which);
        assert_int_equal(cos_kdf_x963(crypto, which, z, none, whole, 255 * size), COS_OK);
        for (size_t length = 1; length <= 3 * size; length++) {
            memset(key, 0xA5, sizeof key);
            assert_int_equal(cos_kdf_x963(crypto, which, z, none, key, length), COS_OK);
            assert_memory_equal(key, whole, length);
            assert_int_equal(key[length], 0xA5);
        }
        assert_int_equal(cos_kdf_x963(crypto, which, z, none, key, 0), COS_E_CRYPTO);
        assert_int_equal(cos_kdf_x963(crypto, which, z, none, key, 255 * size + 1), COS_E_CRYPTO);
        unsigned left = 1;
        const struct cos_crypto failing = {.context = &left, .hash = no_hash};
        memset(key, 0xA5, sizeof key);
        assert_int_equal(cos_kdf_x963(&failing, which, z, none, key, 2 * size), COS_E_CRYPTO);
        for (size_t i = 0; i < 2 * size; i++) {
            assert_int_equal(key[i], 0);
        }
    }
}

static void agrees(void **state)
{
    (void)state;
    struct random random = random_start(1);
    for (size_t length = 0; length <= 520; length += 1 + length / 150) {
        for (enum cos_hash which = COS_SHA1; which <= COS_SHA512; which++) {
            uint8_t key[300], text[600], out[COS_HASH_MAX], good[COS_HASH_MAX];
            struct cos_span parts[6];
            const size_t n = random_below(&random, sizeof key), size = cos_hash_size(which);
            random_fill(&random, key, n);
            random_fill(&random, text, length);
            const size_t count = random_parts(&random, text, length, parts, 6);
            assert_int_equal(EVP_Digest(text, length, good, NULL, oracle_hash(which), NULL), 1);
            assert_int_equal(crypto->hash(NULL, which, parts, count, out), COS_OK);
            assert_memory_equal(out, good, size);
            assert_non_null(HMAC(oracle_hash(which), key, (int)n, text, length, good, NULL));
            assert_int_equal(crypto->hmac(NULL, which, n > 0 ? key : NULL, n, parts, count, out),
                             COS_OK);
            assert_memory_equal(out, good, size);
        }
    }
}

/* From any state, after few bytes and after as many as there can be. */
static void resumes(void **state)
{
    (void)state;
    struct random random = random_start(2);
    for (unsigned round = 0; round < 100; round++) {
        for (enum cos_hash which = COS_SHA1; which <= COS_SHA512; which++) {
            const size_t block = cos_hash_block(which), size = cos_hash_size(which);
            const uint64_t processed =
                round < 90 ? block * (1 + random_below(&random, 5)) : UINT64_MAX / 16 / 128 * 128;
            uint8_t from[64], text[400], out[COS_HASH_MAX], good[COS_HASH_MAX];
            struct cos_span parts[4];
            const size_t length = random_below(&random, sizeof text);
            random_fill(&random, from, sizeof from);
            random_fill(&random, text, length);
            const size_t count = random_parts(&random, text, length, parts, 4);
            assert_true(oracle_hash_resume(which, from, processed, text, length, good));
            assert_int_equal(crypto->hash_resume(NULL, which, from, processed, parts, count, out),
                             COS_OK);
            assert_memory_equal(out, good, size);
        }
    }
}

/* The whole way of ISO/IEC 7816-8: a text, of which the first blocks are hashed outside. */
static void last_round_on_card(void **state)
{
    (void)state;
    SHA256_CTX outside;
    uint8_t text[67], from[32], out[32], good[32];
    memset(text, 'a', sizeof text);
    SHA256_Init(&outside);
    SHA256_Transform(&outside, text);
    for (size_t i = 0; i < 8; i++) {
        cos_put32(from + 4 * i, outside.h[i]);
    }
    const struct cos_span rest = {text + 64, 3}, whole = {text, sizeof text};
    assert_int_equal(crypto->hash_resume(NULL, COS_SHA256, from, 64, &rest, 1, out), COS_OK);
    assert_int_equal(crypto->hash(NULL, COS_SHA256, &whole, 1, good), COS_OK);
    assert_memory_equal(out, good, 32);
}

static void resumption_is_refused(void **state)
{
    (void)state;
    const uint8_t from[64] = {0};
    uint8_t out[COS_HASH_MAX];
    for (enum cos_hash which = COS_SHA1; which <= COS_SHA512; which++) {
        const uint64_t block = cos_hash_block(which);
        const uint64_t wrong[] = {0,
                                  1,
                                  block - 1,
                                  block + 1,
                                  block / 2,
                                  UINT64_MAX,
                                  UINT64_MAX - block + 1,
                                  UINT64_MAX / 16 + 1};
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
            assert_int_equal(crypto->hash_resume(NULL, which, from, wrong[i], NULL, 0, out),
                             COS_E_CRYPTO);
        }
    }
    assert_int_equal(crypto->hash(NULL, (enum cos_hash)5, NULL, 0, out), COS_E_CRYPTO);
    assert_int_equal(crypto->hmac(NULL, (enum cos_hash)5, from, 1, NULL, 0, out), COS_E_CRYPTO);
    assert_int_equal(crypto->hash_resume(NULL, (enum cos_hash)5, from, 64, NULL, 0, out),
                     COS_E_CRYPTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),
        cmocka_unit_test(short_sha1),
        cmocka_unit_test(nist_hashes),
        cmocka_unit_test(rfc_hmac),
        cmocka_unit_test(nist_x963),
        cmocka_unit_test(x963_lengths),
        cmocka_unit_test(agrees),
        cmocka_unit_test(resumes),
        cmocka_unit_test(last_round_on_card),
        cmocka_unit_test(resumption_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
