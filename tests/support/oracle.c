/* SPDX-License-Identifier: Apache-2.0 */
#include "oracle.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <string.h>

enum { NONCE = 13, TAG = 8 };

/* OpenSSL's parameters are not const, but are only read. */
static void *read_only(const void *data)
{
    union {
        const void *in;
        void *out;
    } pointer = {data};

    return pointer.out;
}

bool oracle_kdf(const uint8_t *key, size_t key_length, const char *label, const uint8_t *context,
                size_t context_length, uint8_t *out, size_t length)
{
    char mode[] = "counter", mac[] = "CMAC";
    char cipher[] = "AES-128-CBC", *digits = strstr(cipher, "128");
    EVP_KDF *kind = EVP_KDF_fetch(NULL, "KBKDF", NULL);
    EVP_KDF_CTX *kdf = kind != NULL ? EVP_KDF_CTX_new(kind) : NULL;

    memcpy(digits, key_length == 32 ? "256" : (key_length == 24 ? "192" : "128"), 3);
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MODE, mode, 0),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MAC, mac, 0),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_CIPHER, cipher, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, read_only(key), key_length),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, read_only(label), strlen(label)),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, read_only(context), context_length),
        OSSL_PARAM_construct_end(),
    };
    bool ok = kdf != NULL && EVP_KDF_derive(kdf, out, length, parameters) == 1;
    EVP_KDF_CTX_free(kdf);
    EVP_KDF_free(kind);
    return ok;
}

static const EVP_CIPHER *ccm(size_t key_length)
{
    return key_length == 32 ? EVP_aes_256_ccm()
                            : (key_length == 24 ? EVP_aes_192_ccm() : EVP_aes_128_ccm());
}

bool oracle_ccm_seal(const uint8_t *key, size_t key_length, const uint8_t nonce[13],
                     const uint8_t *associated, size_t associated_length, const uint8_t *in,
                     size_t length, uint8_t *out)
{
    int written = 0, last = 0;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    bool ok = context != NULL &&
              EVP_EncryptInit_ex(context, ccm(key_length), NULL, NULL, NULL) == 1 &&
              EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, NONCE, NULL) == 1 &&
              EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG, NULL) == 1 &&
              EVP_EncryptInit_ex(context, NULL, NULL, key, nonce) == 1 &&
              EVP_EncryptUpdate(context, NULL, &written, NULL, (int)length) == 1 &&
              EVP_EncryptUpdate(context, NULL, &written, associated, (int)associated_length) == 1 &&
              EVP_EncryptUpdate(context, out, &written, in, (int)length) == 1 &&
              EVP_EncryptFinal_ex(context, out + length, &last) == 1 &&
              EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG, out + length) == 1;
    EVP_CIPHER_CTX_free(context);
    return ok;
}

bool oracle_ccm_open(const uint8_t *key, size_t key_length, const uint8_t nonce[13],
                     const uint8_t *associated, size_t associated_length, const uint8_t *in,
                     size_t length, uint8_t *out)
{
    int written = 0;
    uint8_t tag[TAG];
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

    memcpy(tag, in + length, TAG);
    bool ok = context != NULL &&
              EVP_DecryptInit_ex(context, ccm(key_length), NULL, NULL, NULL) == 1 &&
              EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, NONCE, NULL) == 1 &&
              EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG, tag) == 1 &&
              EVP_DecryptInit_ex(context, NULL, NULL, key, nonce) == 1 &&
              EVP_DecryptUpdate(context, NULL, &written, NULL, (int)length) == 1 &&
              EVP_DecryptUpdate(context, NULL, &written, associated, (int)associated_length) == 1 &&
              EVP_DecryptUpdate(context, out, &written, in, (int)length) == 1;
    EVP_CIPHER_CTX_free(context);
    return ok;
}
