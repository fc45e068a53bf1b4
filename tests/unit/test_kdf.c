/* SPDX-License-Identifier: Apache-2.0
 *
 * Key derivation: the vectors of SCP03, agreement with OpenSSL's KBKDF, lengths, failures.
 */
#include "crypto_helpers.h"

#include "cos/crypto.h"
#include "vectors.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#define LENGTH_MAX (255U * COS_AES_BLOCK)

static const struct cos_crypto *const crypto = &cos_crypto_tomcrypt;

/* The sections [KDF n] of the SCP03 vectors. */
static void scp03_vectors(void **state)
{
    (void)state;
    struct vectors *vectors = vectors_open("gp-scp03.txt");
    size_t tested = 0;
    for (size_t i = 0; i < vectors->count; i++) {
        const struct vector_section *section = &vectors->sections[i];
        if (memcmp(section->name, "KDF ", 4) != 0) {
            continue;
        }
        struct cos_span key = vector_bytes(section, "key"), out = vector_bytes(section, "output");
        uint8_t derived[64];
        assert_true(out.length <= sizeof derived);
        assert_int_equal(cos_kdf_scp03(crypto, key.data, key.length,
                                       *vector_exactly(section, 1, "constant"),
                                       vector_bytes(section, "context"), derived, out.length),
                         COS_OK);
        assert_case(memcmp(derived, out.data, out.length) == 0, "%s", section->name);
        tested++;
    }
    assert_int_equal(tested, 8);
    vectors_close(vectors);
}

/* Session keys of recorded SCP03 sessions (Amendment D 6.2.1): static keys of 16, 24 and 32 bytes,
 * context = host challenge || card challenge. */
static void scp03_session_keys(void **state)
{
    (void)state;
    static const struct {
        uint8_t constant;
        const char *from, *to;
    } keys[] = {{0x04, "k_enc", "s_enc"}, {0x06, "k_mac", "s_mac"}, {0x07, "k_mac", "s_rmac"}};
    struct vectors *vectors = vectors_open("gp-scp03.txt");
    size_t tested = 0;
    for (size_t i = 0; i < vectors->count; i++) {
        const struct vector_section *section = &vectors->sections[i];
        if (vector_find(section, "s_enc") == NULL) {
            continue;
        }
        /* 80 50 P1 P2 Lc host challenge Le; 10 bytes of diversification, 3 of key information, card
         * challenge. */
        struct cos_span command = vector_bytes(section, "initialize_update");
        struct cos_span response = vector_bytes(section, "initialize_update_rsp");
        size_t n = command.data[4];
        uint8_t context[32], derived[32];
        assert_true(n == 8 || n == 16);
        memcpy(context, command.data + 5, n);
        memcpy(context + n, response.data + 13, n);
        for (size_t k = 0; k < 3; k++) {
            struct cos_span from = vector_bytes(section, "%s", keys[k].from);
            assert_int_equal(cos_kdf_scp03(crypto, from.data, from.length, keys[k].constant,
                                           (struct cos_span){context, 2 * n}, derived, from.length),
                             COS_OK);
            assert_case(memcmp(derived, vector_exactly(section, from.length, "%s", keys[k].to),
                               from.length) == 0,
                        "%s: %s", section->name, keys[k].to);
            tested++;
        }
    }
    assert_true(tested >= 3 * 10);
    vectors_close(vectors);
}

static void openssl_kbkdf(const uint8_t *key, size_t key_length, struct cos_span label,
                          struct cos_span context, uint8_t *out, size_t length)
{
    char mode[] = "counter", mac[] = "CMAC", cipher[] = "AES-128-CBC";
    snprintf(cipher, sizeof cipher, "AES-%zu-CBC", key_length * 8);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MODE, mode, 0),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MAC, mac, 0),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_CIPHER, cipher, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)key, key_length),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)label.data,
                                          label.length),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)context.data,
                                          context.length),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "KBKDF", NULL);
    EVP_KDF_CTX *derivation = EVP_KDF_CTX_new(kdf);
    assert_int_equal(EVP_KDF_derive(derivation, out, length, params), 1);
    EVP_KDF_CTX_free(derivation);
    EVP_KDF_free(kdf);
}

static void agrees(struct random *random, size_t length)
{
    uint8_t key[32], label[64], context[64], out[LENGTH_MAX + 1], good[LENGTH_MAX];
    size_t n = 16 + 8 * random_below(random, 3);
    struct cos_span label_span = {label, random_below(random, sizeof label + 1)};
    struct cos_span context_span = {context, random_below(random, sizeof context + 1)};
    random_fill(random, key, sizeof key);
    random_fill(random, label, sizeof label);
    random_fill(random, context, sizeof context);
    openssl_kbkdf(key, n, label_span, context_span, good, length);
    memset(out, 0xA5, sizeof out);
    assert_int_equal(cos_kdf(crypto, key, n, label_span, context_span, out, length), COS_OK);
    assert_case(memcmp(out, good, length) == 0, "%zu bytes", length);
    assert_int_equal(out[length], 0xA5);
}

static void agrees_with_openssl(void **state)
{
    (void)state;
    struct random random = random_start(20);
    for (size_t length = 1; length <= 600; length++) {
        agrees(&random, length);
    }
    for (size_t length = LENGTH_MAX - 17; length <= LENGTH_MAX; length++) {
        agrees(&random, length);
    }
}

/* SCP03's form has no second implementation here; it is the PRF over its input, block by block. */
static void scp03_form(void **state)
{
    (void)state;
    struct random random = random_start(21);
    static const size_t lengths[] = {1, 8, 15, 16, 17, 24, 32, 33, 600, LENGTH_MAX - 1, LENGTH_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        uint8_t key[32], context[40], input[16 + 40], block[16];
        uint8_t out[LENGTH_MAX + 1];
        size_t length = lengths[i], bits = length * 8;
        uint8_t constant = (uint8_t)random_next(&random);
        random_fill(&random, key, sizeof key);
        random_fill(&random, context, sizeof context);
        memset(out, 0xA5, sizeof out);
        assert_int_equal(cos_kdf_scp03(crypto, key, 32, constant,
                                       (struct cos_span){context, sizeof context}, out, length),
                         COS_OK);
        memset(input, 0, 11);
        input[11] = constant;
        input[12] = 0;
        input[13] = (uint8_t)(bits / 256);
        input[14] = (uint8_t)(bits % 256);
        memcpy(input + 16, context, sizeof context);
        const struct cos_span span = {input, sizeof input};
        for (size_t at = 0; at < length; at += 16) {
            input[15] = (uint8_t)(at / 16 + 1);
            assert_int_equal(crypto->aes_cmac(NULL, key, 32, &span, 1, block), COS_OK);
            size_t n = length - at < 16 ? length - at : 16;
            assert_case(memcmp(out + at, block, n) == 0, "%zu bytes, at %zu", length, at);
        }
        assert_int_equal(out[length], 0xA5);
    }
}

/* Empty label and context, with and without a pointer. */
static void empty_fields(void **state)
{
    (void)state;
    const uint8_t key[16] = {7};
    const struct cos_span none = {NULL, 0}, empty = {key, 0};
    uint8_t out[20], good[20];
    openssl_kbkdf(key, sizeof key, empty, empty, good, sizeof good);
    assert_int_equal(cos_kdf(crypto, key, sizeof key, none, none, out, sizeof out), COS_OK);
    assert_memory_equal(out, good, sizeof out);
    assert_int_equal(cos_kdf(crypto, key, sizeof key, empty, empty, out, sizeof out), COS_OK);
    assert_memory_equal(out, good, sizeof out);
}

static void wrong_lengths(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, LENGTH_MAX + 1, 8192, 65536, SIZE_MAX};
    static const uint8_t key[64] = {0};
    const struct cos_span field = {key, 4};
    uint8_t out[16], untouched[16];
    memset(out, 0xA5, sizeof out);
    memset(untouched, 0xA5, sizeof untouched);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        assert_int_equal(cos_kdf(crypto, key, 16, field, field, out, lengths[i]), COS_E_CRYPTO);
        assert_int_equal(cos_kdf_scp03(crypto, key, 16, 4, field, out, lengths[i]), COS_E_CRYPTO);
        assert_memory_equal(out, untouched, sizeof out);
    }
    for (size_t n = 0; n <= sizeof key; n++) {
        enum cos_result expected = n == 16 || n == 24 || n == 32 ? COS_OK : COS_E_CRYPTO;
        assert_int_equal(cos_kdf(crypto, key, n, field, field, out, sizeof out), expected);
        assert_int_equal(cos_kdf_scp03(crypto, key, n, 4, field, out, sizeof out), expected);
    }
}

/* A provider whose CMAC fails at one call. */
struct failing {
    unsigned calls, fail_at;
};

static enum cos_result failing_cmac(void *context, const uint8_t *key, size_t key_length,
                                    const struct cos_span *parts, size_t count, uint8_t mac[16])
{
    struct failing *failing = context;
    if (++failing->calls == failing->fail_at) {
        return COS_E_CRYPTO;
    }
    return crypto->aes_cmac(crypto->context, key, key_length, parts, count, mac);
}

/* No half of a key is left behind. */
static void provider_failures(void **state)
{
    (void)state;
    static const uint8_t key[16] = {0}, zero[40] = {0};
    const struct cos_span field = {key, 4};
    for (unsigned fail_at = 1; fail_at <= 3; fail_at++) {
        for (int scp03 = 0; scp03 < 2; scp03++) {
            struct failing failing = {0, fail_at};
            struct cos_crypto broken = cos_crypto_tomcrypt;
            broken.context = &failing;
            broken.aes_cmac = failing_cmac;
            uint8_t out[40];
            memset(out, 0xA5, sizeof out);
            enum cos_result result =
                scp03 ? cos_kdf_scp03(&broken, key, 16, 4, field, out, sizeof out)
                      : cos_kdf(&broken, key, 16, field, field, out, sizeof out);
            assert_int_equal(result, COS_E_CRYPTO);
            assert_int_equal(failing.calls, fail_at);
            assert_memory_equal(out, zero, sizeof out);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scp03_vectors),       cmocka_unit_test(scp03_session_keys),
        cmocka_unit_test(agrees_with_openssl), cmocka_unit_test(scp03_form),
        cmocka_unit_test(empty_fields),        cmocka_unit_test(wrong_lengths),
        cmocka_unit_test(provider_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
