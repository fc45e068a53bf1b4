/* SPDX-License-Identifier: Apache-2.0
 *
 * The known-answer tests pass on a good provider and can fail: a wrapper spoils one call of one
 * function, and every call that a self-test makes is spoilt once. The answers that they know are
 * OpenSSL's: they pass on a provider that is made of it.
 */
#include "crypto_helpers.h"

#include "cos/crypto.h"

#include "oracle.h"
#include "twinctl/crypto.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

/* In the order of struct cos_crypto. */
enum function {
    AES_ENCRYPT,
    AES_DECRYPT,
    AES_CBC_ENCRYPT,
    AES_CBC_DECRYPT,
    AES_CMAC,
    AES_CCM_SEAL,
    AES_CCM_OPEN,
    DES3_ENCRYPT,
    DES3_DECRYPT,
    SHA256,
    HMAC_SHA256,
    FUNCTIONS,
};

static const struct {
    const char *name;
    unsigned which;
} functions[FUNCTIONS] = {
    [AES_ENCRYPT] = {"aes_encrypt", COS_SELF_TEST_AES},
    [AES_DECRYPT] = {"aes_decrypt", COS_SELF_TEST_AES},
    [AES_CBC_ENCRYPT] = {"aes_cbc_encrypt", COS_SELF_TEST_AES},
    [AES_CBC_DECRYPT] = {"aes_cbc_decrypt", COS_SELF_TEST_AES},
    [AES_CMAC] = {"aes_cmac", COS_SELF_TEST_AES},
    [AES_CCM_SEAL] = {"aes_ccm_seal", COS_SELF_TEST_AES},
    [AES_CCM_OPEN] = {"aes_ccm_open", COS_SELF_TEST_AES},
    [DES3_ENCRYPT] = {"des3_encrypt", COS_SELF_TEST_DES3},
    [DES3_DECRYPT] = {"des3_decrypt", COS_SELF_TEST_DES3},
    [SHA256] = {"sha256", COS_SELF_TEST_SHA256},
    [HMAC_SHA256] = {"hmac_sha256", COS_SELF_TEST_SHA256},
};

#define EVERYTHING (COS_SELF_TEST_AES | COS_SELF_TEST_DES3 | COS_SELF_TEST_SHA256)

enum harm { FLIP_OUTPUT, FLIP_TAG, FAIL };

struct spoiler {
    unsigned calls[FUNCTIONS];
    enum function target;
    enum harm harm;
    unsigned at;  /* the call that is spoilt, from 1; 0 = every one */
    unsigned bit; /* which bit of the output */
};

/* Counts the call; says whether it is the one. */
static bool hit(struct spoiler *spoiler, enum function function)
{
    unsigned call = ++spoiler->calls[function];
    return function == spoiler->target && (spoiler->at == 0 || spoiler->at == call);
}

static enum cos_result spoil(struct spoiler *spoiler, enum function function,
                             enum cos_result result, uint8_t *out, size_t length, uint8_t *tag)
{
    if (result != COS_OK || !hit(spoiler, function)) {
        return result;
    }
    if (spoiler->harm == FAIL) {
        return COS_E_CRYPTO;
    }
    if (spoiler->harm == FLIP_TAG) {
        out = tag;
        length = COS_CCM_TAG;
    }
    out[spoiler->bit / 8 % length] ^= (uint8_t)(1U << spoiler->bit % 8);
    return COS_OK;
}

#define GOOD cos_crypto_tomcrypt

static enum cos_result aes_encrypt(void *s, const uint8_t *key, size_t n, const uint8_t in[16],
                                   uint8_t out[16])
{
    return spoil(s, AES_ENCRYPT, GOOD.aes_encrypt(NULL, key, n, in, out), out, 16, NULL);
}

static enum cos_result aes_decrypt(void *s, const uint8_t *key, size_t n, const uint8_t in[16],
                                   uint8_t out[16])
{
    return spoil(s, AES_DECRYPT, GOOD.aes_decrypt(NULL, key, n, in, out), out, 16, NULL);
}

static enum cos_result aes_cbc_encrypt(void *s, const uint8_t *key, size_t n, const uint8_t iv[16],
                                       const uint8_t *in, uint8_t *out, size_t length)
{
    return spoil(s, AES_CBC_ENCRYPT, GOOD.aes_cbc_encrypt(NULL, key, n, iv, in, out, length), out,
                 length, NULL);
}

static enum cos_result aes_cbc_decrypt(void *s, const uint8_t *key, size_t n, const uint8_t iv[16],
                                       const uint8_t *in, uint8_t *out, size_t length)
{
    return spoil(s, AES_CBC_DECRYPT, GOOD.aes_cbc_decrypt(NULL, key, n, iv, in, out, length), out,
                 length, NULL);
}

static enum cos_result aes_cmac(void *s, const uint8_t *key, size_t n, const struct cos_span *parts,
                                size_t count, uint8_t mac[16])
{
    return spoil(s, AES_CMAC, GOOD.aes_cmac(NULL, key, n, parts, count, mac), mac, 16, NULL);
}

static enum cos_result aes_ccm_seal(void *s, const uint8_t *key, size_t n, const uint8_t nonce[13],
                                    const uint8_t *associated, size_t associated_length,
                                    uint8_t *data, size_t length, uint8_t tag[8])
{
    return spoil(
        s, AES_CCM_SEAL,
        GOOD.aes_ccm_seal(NULL, key, n, nonce, associated, associated_length, data, length, tag),
        data, length, tag);
}

static enum cos_result aes_ccm_open(void *s, const uint8_t *key, size_t n, const uint8_t nonce[13],
                                    const uint8_t *associated, size_t associated_length,
                                    uint8_t *data, size_t length, uint8_t tag[8])
{
    return spoil(
        s, AES_CCM_OPEN,
        GOOD.aes_ccm_open(NULL, key, n, nonce, associated, associated_length, data, length, tag),
        data, length, tag);
}

static enum cos_result des3_encrypt(void *s, const uint8_t key[24], const uint8_t in[8],
                                    uint8_t out[8])
{
    return spoil(s, DES3_ENCRYPT, GOOD.des3_encrypt(NULL, key, in, out), out, 8, NULL);
}

static enum cos_result des3_decrypt(void *s, const uint8_t key[24], const uint8_t in[8],
                                    uint8_t out[8])
{
    return spoil(s, DES3_DECRYPT, GOOD.des3_decrypt(NULL, key, in, out), out, 8, NULL);
}

static enum cos_result sha256(void *s, const struct cos_span *parts, size_t count,
                              uint8_t digest[32])
{
    return spoil(s, SHA256, GOOD.sha256(NULL, parts, count, digest), digest, 32, NULL);
}

static enum cos_result hmac_sha256(void *s, const uint8_t *key, size_t n,
                                   const struct cos_span *parts, size_t count, uint8_t mac[32])
{
    return spoil(s, HMAC_SHA256, GOOD.hmac_sha256(NULL, key, n, parts, count, mac), mac, 32, NULL);
}

static enum cos_result run(struct spoiler *spoiler, unsigned which)
{
    const struct cos_crypto spoilt = {
        .context = spoiler,
        .aes_encrypt = aes_encrypt,
        .aes_decrypt = aes_decrypt,
        .aes_cbc_encrypt = aes_cbc_encrypt,
        .aes_cbc_decrypt = aes_cbc_decrypt,
        .aes_cmac = aes_cmac,
        .aes_ccm_seal = aes_ccm_seal,
        .aes_ccm_open = aes_ccm_open,
        .des3_encrypt = des3_encrypt,
        .des3_decrypt = des3_decrypt,
        .sha256 = sha256,
        .hmac_sha256 = hmac_sha256,
    };
    return cos_crypto_self_test(&spoilt, which);
}

static void passes(void **state)
{
    (void)state;
    for (unsigned which = 0; which <= EVERYTHING; which++) {
        assert_int_equal(cos_crypto_self_test(&cos_crypto_tomcrypt, which), COS_OK);
    }
}

/* ---- A provider over OpenSSL */

static enum cos_result said(bool ok)
{
    return ok ? COS_OK : COS_E_CRYPTO;
}

static size_t join(const struct cos_span *parts, size_t count, uint8_t text[256])
{
    size_t length = 0;
    for (size_t i = 0; i < count; i++) {
        assert_true(length + parts[i].length <= 256);
        if (parts[i].length > 0) {
            memcpy(text + length, parts[i].data, parts[i].length);
        }
        length += parts[i].length;
    }
    return length;
}

static enum cos_result openssl_encrypt(void *context, const uint8_t *key, size_t n,
                                       const uint8_t in[16], uint8_t out[16])
{
    (void)context;
    return said(crypto_aes_ecb(key, n, CRYPTO_ENCIPHER, in, 16, out));
}

static enum cos_result openssl_decrypt(void *context, const uint8_t *key, size_t n,
                                       const uint8_t in[16], uint8_t out[16])
{
    (void)context;
    return said(crypto_aes_ecb(key, n, CRYPTO_DECIPHER, in, 16, out));
}

static enum cos_result openssl_cbc_encrypt(void *context, const uint8_t *key, size_t n,
                                           const uint8_t iv[16], const uint8_t *in, uint8_t *out,
                                           size_t length)
{
    (void)context;
    return said(crypto_aes_cbc_encipher(key, n, iv, in, length, out));
}

static enum cos_result openssl_cbc_decrypt(void *context, const uint8_t *key, size_t n,
                                           const uint8_t iv[16], const uint8_t *in, uint8_t *out,
                                           size_t length)
{
    int written = 0, last = 0;
    (void)context;
    assert_int_equal(n, 16);
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    bool ok = EVP_DecryptInit_ex(cipher, EVP_aes_128_cbc(), NULL, key, iv) == 1 &&
              EVP_CIPHER_CTX_set_padding(cipher, 0) == 1 &&
              EVP_DecryptUpdate(cipher, out, &written, in, (int)length) == 1 &&
              EVP_DecryptFinal_ex(cipher, out + written, &last) == 1;
    EVP_CIPHER_CTX_free(cipher);
    return said(ok);
}

static enum cos_result openssl_cmac(void *context, const uint8_t *key, size_t n,
                                    const struct cos_span *parts, size_t count, uint8_t mac[16])
{
    uint8_t text[256];
    (void)context;
    return said(crypto_cmac(key, n, text, join(parts, count, text), mac));
}

static enum cos_result openssl_seal(void *context, const uint8_t *key, size_t n,
                                    const uint8_t nonce[13], const uint8_t *associated,
                                    size_t associated_length, uint8_t *data, size_t length,
                                    uint8_t tag[8])
{
    uint8_t sealed[256];
    (void)context;
    assert_true(length + COS_CCM_TAG <= sizeof sealed);
    bool ok = oracle_ccm_seal(key, n, nonce, associated, associated_length, data, length, sealed);
    memcpy(data, sealed, length);
    memcpy(tag, sealed + length, COS_CCM_TAG);
    return said(ok);
}

/* OpenSSL does not say which tag would have been right. But CCM is a stream cipher: the zeros,
 * sealed, are the key stream, and the plain text, sealed, has the tag. */
static enum cos_result openssl_open(void *context, const uint8_t *key, size_t n,
                                    const uint8_t nonce[13], const uint8_t *associated,
                                    size_t associated_length, uint8_t *data, size_t length,
                                    uint8_t tag[8])
{
    uint8_t stream[256] = {0}, again[256];
    enum cos_result result =
        openssl_seal(context, key, n, nonce, associated, associated_length, stream, length, tag);
    for (size_t i = 0; i < length; i++) {
        data[i] ^= stream[i];
    }
    memcpy(again, data, length);
    return result != COS_OK ? result
                            : openssl_seal(context, key, n, nonce, associated, associated_length,
                                           again, length, tag);
}

static enum cos_result openssl_des3_encrypt(void *context, const uint8_t key[24],
                                            const uint8_t in[8], uint8_t out[8])
{
    (void)context;
    return said(crypto_tdes_ecb(key, CRYPTO_ENCIPHER, in, 8, out));
}

static enum cos_result openssl_des3_decrypt(void *context, const uint8_t key[24],
                                            const uint8_t in[8], uint8_t out[8])
{
    (void)context;
    return said(crypto_tdes_ecb(key, CRYPTO_DECIPHER, in, 8, out));
}

static enum cos_result openssl_sha256(void *context, const struct cos_span *parts, size_t count,
                                      uint8_t digest[32])
{
    uint8_t text[256];
    (void)context;
    return said(EVP_Digest(text, join(parts, count, text), digest, NULL, EVP_sha256(), NULL) == 1);
}

static enum cos_result openssl_hmac(void *context, const uint8_t *key, size_t n,
                                    const struct cos_span *parts, size_t count, uint8_t mac[32])
{
    uint8_t text[256];
    (void)context;
    return said(HMAC(EVP_sha256(), key, (int)n, text, join(parts, count, text), mac, NULL) != NULL);
}

/* The known answers come from nowhere but the standards: a provider of another make has the same.
 */
static void answers_are_those_of_openssl(void **state)
{
    static const struct cos_crypto openssl = {
        .aes_encrypt = openssl_encrypt,
        .aes_decrypt = openssl_decrypt,
        .aes_cbc_encrypt = openssl_cbc_encrypt,
        .aes_cbc_decrypt = openssl_cbc_decrypt,
        .aes_cmac = openssl_cmac,
        .aes_ccm_seal = openssl_seal,
        .aes_ccm_open = openssl_open,
        .des3_encrypt = openssl_des3_encrypt,
        .des3_decrypt = openssl_des3_decrypt,
        .sha256 = openssl_sha256,
        .hmac_sha256 = openssl_hmac,
    };
    (void)state;
    for (unsigned which = 1; which <= EVERYTHING; which++) {
        assert_int_equal(cos_crypto_self_test(&openssl, which), COS_OK);
    }
}

static void unknown_tests_are_not_passed(void **state)
{
    (void)state;
    for (unsigned bit = 3; bit < 32; bit++) {
        assert_int_equal(cos_crypto_self_test(&cos_crypto_tomcrypt, EVERYTHING | 1U << bit),
                         COS_E_SELF_TEST);
    }
}

/* A function that always errs in one bit, whichever it is. */
static void one_bit_of_every_function(void **state)
{
    (void)state;
    for (unsigned function = 0; function < FUNCTIONS; function++) {
        for (unsigned bit = 0; bit < 320; bit++) {
            struct spoiler spoiler = {
                .target = (enum function)function, .harm = FLIP_OUTPUT, .bit = bit};
            assert_case(run(&spoiler, functions[function].which) == COS_E_SELF_TEST, "%s, bit %u",
                        functions[function].name, bit);
            /* and only the tests that were asked for are run */
            spoiler = (struct spoiler){
                .target = (enum function)function, .harm = FLIP_OUTPUT, .bit = bit};
            assert_int_equal(run(&spoiler, EVERYTHING & ~functions[function].which), COS_OK);
        }
    }
    for (unsigned bit = 0; bit < 64; bit++) {
        struct spoiler on_seal = {.target = AES_CCM_SEAL, .harm = FLIP_TAG, .bit = bit};
        struct spoiler on_open = {.target = AES_CCM_OPEN, .harm = FLIP_TAG, .bit = bit};
        assert_int_equal(run(&on_seal, COS_SELF_TEST_AES), COS_E_SELF_TEST);
        assert_int_equal(run(&on_open, COS_SELF_TEST_AES), COS_E_SELF_TEST);
    }
}

/* One bit of one call: each key length, each block that a KDF derives, each step of the DRBG. The
 * bit is one of the first eight bytes, as much as the KDF test uses of its last block. Only the
 * DRBG's last two HMACs, which prepare for a next request, cannot show. */
static void one_bit_of_every_call(void **state)
{
    (void)state;
    struct spoiler count = {.target = FUNCTIONS};
    assert_int_equal(run(&count, EVERYTHING), COS_OK);
    unsigned tested = 0;
    for (unsigned function = 0; function < FUNCTIONS; function++) {
        unsigned calls = count.calls[function], shown = calls - (function == HMAC_SHA256 ? 2 : 0);
        assert_case(calls > 0, "%s is not tested", functions[function].name);
        for (unsigned at = 1; at <= calls; at++) {
            struct spoiler flip = {.target = (enum function)function,
                                   .harm = FLIP_OUTPUT,
                                   .at = at,
                                   .bit = at * 13 % 64};
            struct spoiler fail = {.target = (enum function)function, .harm = FAIL, .at = at};
            assert_case(run(&flip, EVERYTHING) == (at <= shown ? COS_E_SELF_TEST : COS_OK),
                        "%s, call %u wrong", functions[function].name, at);
            assert_case(run(&fail, EVERYTHING) == COS_E_SELF_TEST, "%s, call %u fails",
                        functions[function].name, at);
            tested++;
        }
    }
    printf("# self-test: %u provider calls, each spoilt and failed once\n", tested);
}

/* Errors that one-bit flips do not model: parts that are left out, keys that are cut. */
static enum cos_result first_part_cmac(void *context, const uint8_t *key, size_t n,
                                       const struct cos_span *parts, size_t count, uint8_t mac[16])
{
    (void)count;
    return GOOD.aes_cmac(context, key, n, parts, 1, mac);
}

static enum cos_result first_part_sha256(void *context, const struct cos_span *parts, size_t count,
                                         uint8_t digest[32])
{
    (void)count;
    return GOOD.sha256(context, parts, 1, digest);
}

static enum cos_result cut_key_hmac(void *context, const uint8_t *key, size_t n,
                                    const struct cos_span *parts, size_t count, uint8_t mac[32])
{
    return GOOD.hmac_sha256(context, key, n > 64 ? 64 : n, parts, count, mac);
}

static enum cos_result aes128_only(void *context, const uint8_t *key, size_t n,
                                   const uint8_t in[16], uint8_t out[16])
{
    (void)n;
    return GOOD.aes_encrypt(context, key, 16, in, out);
}

static enum cos_result single_des(void *context, const uint8_t key[24], const uint8_t in[8],
                                  uint8_t out[8])
{
    uint8_t same[24];
    for (size_t at = 0; at < 24; at += 8) {
        memcpy(same + at, key, 8);
    }
    return GOOD.des3_encrypt(context, same, in, out);
}

static void plausible_errors(void **state)
{
    (void)state;
    struct cos_crypto wrong[5];
    for (size_t i = 0; i < 5; i++) {
        wrong[i] = cos_crypto_tomcrypt;
    }
    wrong[0].aes_cmac = first_part_cmac;
    wrong[1].sha256 = first_part_sha256;
    wrong[2].hmac_sha256 = cut_key_hmac;
    wrong[3].aes_encrypt = aes128_only;
    wrong[4].des3_encrypt = single_des;
    for (size_t i = 0; i < 5; i++) {
        assert_case(cos_crypto_self_test(&wrong[i], EVERYTHING) == COS_E_SELF_TEST, "error %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes),
        cmocka_unit_test(answers_are_those_of_openssl),
        cmocka_unit_test(unknown_tests_are_not_passed),
        cmocka_unit_test(one_bit_of_every_function),
        cmocka_unit_test(one_bit_of_every_call),
        cmocka_unit_test(plausible_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
