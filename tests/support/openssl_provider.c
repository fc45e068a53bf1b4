/* SPDX-License-Identifier: Apache-2.0
 *
 * A provider over OpenSSL (openssl_provider.h).
 */
#include "openssl_provider.h"

#include "oracle.h"
#include "oracle_key.h"
#include "twinctl/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

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

static enum cos_result openssl_hash(void *context, enum cos_hash which,
                                    const struct cos_span *parts, size_t count, uint8_t *digest)
{
    uint8_t text[256];
    (void)context;
    return said(
        EVP_Digest(text, join(parts, count, text), digest, NULL, oracle_hash(which), NULL) == 1);
}

/* OpenSSL cannot be given a state but in the structs of its old interface. */
static enum cos_result openssl_resume(void *context, enum cos_hash which, const uint8_t *from,
                                      uint64_t processed, const struct cos_span *parts,
                                      size_t count, uint8_t *digest)
{
    uint8_t text[256];
    size_t length = join(parts, count, text);
    (void)context;
    return said(oracle_hash_resume(which, from, processed, text, length, digest));
}

static enum cos_result openssl_hmac(void *context, enum cos_hash which, const uint8_t *key,
                                    size_t n, const struct cos_span *parts, size_t count,
                                    uint8_t *mac)
{
    uint8_t text[256];
    (void)context;
    return said(HMAC(oracle_hash(which), key, (int)n, text, join(parts, count, text), mac, NULL) !=
                NULL);
}

static enum cos_result openssl_rsa_public(void *context, struct cos_span n, struct cos_span e,
                                          const uint8_t *in, uint8_t *out)
{
    (void)context;
    oracle_modexp(in, n.length, e, n, out);
    return COS_OK;
}

static enum cos_result openssl_rsa_private(void *context, const struct cos_rsa_private *key,
                                           const struct cos_random *random, const uint8_t *in,
                                           uint8_t *out)
{
    struct oracle_rsa rsa = {.size = 2 * key->p.length, .e_length = key->e.length};
    (void)context;
    (void)random;
    oracle_product(key->p, key->q, rsa.n);
    memcpy(rsa.e, key->e.data, key->e.length);
    memcpy(rsa.p, key->p.data, key->p.length);
    memcpy(rsa.q, key->q.data, key->q.length);
    memcpy(rsa.dp, key->dp.data, key->dp.length);
    memcpy(rsa.dq, key->dq.data, key->dq.length);
    memcpy(rsa.qinv, key->qinv.data, key->qinv.length);
    oracle_rsa_import(&rsa);
    oracle_rsa_raw(&rsa, in, out);
    oracle_rsa_free(&rsa);
    return COS_OK;
}

/* OpenSSL's own check of a whole key fails the test if it is none, so the two that the self-test
 * asks about are told apart by what is wrong with one: dQ. */
static enum cos_result openssl_rsa_check(void *context, const struct cos_rsa_private *key,
                                         struct cos_span n)
{
    (void)context;
    (void)n;
    return oracle_is_inverse(key->e, key->dq, key->q) ? COS_OK : COS_E_DATA;
}

static enum cos_result openssl_ec_public(void *context, enum cos_curve curve,
                                         const struct cos_random *random, const uint8_t *key,
                                         uint8_t *point)
{
    (void)context;
    (void)random;
    oracle_ec_public(curve, key, point);
    return COS_OK;
}

static enum cos_result openssl_ec_sign(void *context, enum cos_curve curve,
                                       const struct cos_random *random, const uint8_t *key,
                                       const uint8_t *digest, size_t length, uint8_t *signature)
{
    uint8_t point[COS_EC_POINT_MAX];
    (void)context;
    (void)random;
    oracle_ec_public(curve, key, point);
    EVP_PKEY *pkey = oracle_ec_import(curve, key, point);
    oracle_ec_sign(pkey, curve, digest, length, signature);
    EVP_PKEY_free(pkey);
    return COS_OK;
}

static enum cos_result openssl_ec_verify(void *context, enum cos_curve curve, const uint8_t *point,
                                         const uint8_t *digest, size_t length,
                                         const uint8_t *signature, cos_truth *valid)
{
    EVP_PKEY *pkey = oracle_ec_import(curve, NULL, point);
    (void)context;
    *valid = oracle_ec_verify(pkey, curve, digest, length, signature) ? COS_YES : COS_NO;
    EVP_PKEY_free(pkey);
    return COS_OK;
}

static enum cos_result openssl_ec_agree(void *context, enum cos_curve curve,
                                        const struct cos_random *random, const uint8_t *key,
                                        const uint8_t *point, uint8_t *secret)
{
    uint8_t mine[COS_EC_POINT_MAX];
    (void)context;
    (void)random;
    oracle_ec_public(curve, key, mine);
    EVP_PKEY *pkey = oracle_ec_import(curve, key, mine),
             *other = oracle_ec_import(curve, NULL, point);
    oracle_ec_agree(pkey, other, secret, cos_ec_size(curve));
    EVP_PKEY_free(pkey);
    EVP_PKEY_free(other);
    return COS_OK;
}

static enum cos_result openssl_ec_check(void *context, enum cos_curve curve, const uint8_t *key,
                                        const uint8_t *point)
{
    EVP_PKEY *pkey = oracle_ec_import(curve, key, point);
    (void)context;
    enum cos_result result = pkey != NULL ? COS_OK : COS_E_DATA;
    EVP_PKEY_free(pkey);
    return result;
}

const struct cos_crypto openssl_provider = {
    .aes_encrypt = openssl_encrypt,
    .aes_decrypt = openssl_decrypt,
    .aes_cbc_encrypt = openssl_cbc_encrypt,
    .aes_cbc_decrypt = openssl_cbc_decrypt,
    .aes_cmac = openssl_cmac,
    .aes_ccm_seal = openssl_seal,
    .aes_ccm_open = openssl_open,
    .des3_encrypt = openssl_des3_encrypt,
    .des3_decrypt = openssl_des3_decrypt,
    .hashes = (1U << COS_HASHES) - 1,
    .curves = (1U << COS_CURVES) - 1,
    .hash = openssl_hash,
    .hash_resume = openssl_resume,
    .hmac = openssl_hmac,
    .rsa_public = openssl_rsa_public,
    .rsa_private = openssl_rsa_private,
    .rsa_check = openssl_rsa_check,
    .ec_public = openssl_ec_public,
    .ec_sign = openssl_ec_sign,
    .ec_verify = openssl_ec_verify,
    .ec_agree = openssl_ec_agree,
    .ec_check = openssl_ec_check,
};
