/* SPDX-License-Identifier: Apache-2.0
 *
 * What terminal, host and factory compute, with OpenSSL 3.
 */
#include "crypto.h"

#include "bytes.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

static bool cipher(const EVP_CIPHER *kind, const uint8_t *key, const uint8_t *iv,
                   enum crypto_direction direction, const uint8_t *in, size_t length, uint8_t *out)
{
    int written = 0, last = 0, encipher = direction == CRYPTO_ENCIPHER;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    bool ok = context != NULL && kind != NULL &&
              EVP_CipherInit_ex(context, kind, NULL, key, iv, encipher) == 1 &&
              EVP_CIPHER_CTX_set_padding(context, 0) == 1 &&
              EVP_CipherUpdate(context, out, &written, in, (int)length) == 1 &&
              EVP_CipherFinal_ex(context, out + written, &last) == 1 &&
              (size_t)written + (size_t)last == length;
    EVP_CIPHER_CTX_free(context);
    return ok;
}

static const EVP_CIPHER *aes(size_t key_length, bool chained)
{
    switch (key_length) {
    case 16:
        return chained ? EVP_aes_128_cbc() : EVP_aes_128_ecb();
    case 24:
        return chained ? EVP_aes_192_cbc() : EVP_aes_192_ecb();
    case 32:
        return chained ? EVP_aes_256_cbc() : EVP_aes_256_ecb();
    default:
        return NULL;
    }
}

bool crypto_aes_ecb(const uint8_t *key, size_t key_length, enum crypto_direction direction,
                    const uint8_t *in, size_t length, uint8_t *out)
{
    return cipher(aes(key_length, false), key, NULL, direction, in, length, out);
}

bool crypto_aes_cbc_encipher(const uint8_t *key, size_t key_length, const uint8_t iv[AES_BLOCK],
                             const uint8_t *in, size_t length, uint8_t *out)
{
    return cipher(aes(key_length, true), key, iv, CRYPTO_ENCIPHER, in, length, out);
}

bool crypto_tdes_ecb(const uint8_t key[TDES_KEY], enum crypto_direction direction,
                     const uint8_t *in, size_t length, uint8_t *out)
{
    return cipher(EVP_des_ede3_ecb(), key, NULL, direction, in, length, out);
}

bool crypto_cmac(const uint8_t *key, size_t key_length, const uint8_t *data, size_t length,
                 uint8_t mac[AES_BLOCK])
{
    char name[16];
    snprintf(name, sizeof name, "AES-%zu-CBC", key_length * 8);
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, name, 0),
        OSSL_PARAM_construct_end(),
    };
    size_t written = 0;
    EVP_MAC *kind = EVP_MAC_fetch(NULL, "CMAC", NULL);
    EVP_MAC_CTX *context = kind != NULL ? EVP_MAC_CTX_new(kind) : NULL;
    bool ok = context != NULL && EVP_MAC_init(context, key, key_length, parameters) == 1 &&
              EVP_MAC_update(context, data, length) == 1 &&
              EVP_MAC_final(context, mac, &written, AES_BLOCK) == 1 && written == AES_BLOCK;
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(kind);
    return ok;
}

bool crypto_ccm_seal(const uint8_t key[AES_BLOCK], const uint8_t *associated,
                     size_t associated_length, const uint8_t *in, size_t length, uint8_t *out)
{
    static const uint8_t nonce[13] = {0};
    int written = 0, last = 0;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    bool ok = context != NULL &&
              EVP_EncryptInit_ex(context, EVP_aes_128_ccm(), NULL, NULL, NULL) == 1 &&
              EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, sizeof nonce, NULL) == 1 &&
              EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, CCM_TAG, NULL) == 1 &&
              EVP_EncryptInit_ex(context, NULL, NULL, key, nonce) == 1 &&
              EVP_EncryptUpdate(context, NULL, &written, NULL, (int)length) == 1 &&
              EVP_EncryptUpdate(context, NULL, &written, associated, (int)associated_length) == 1 &&
              EVP_EncryptUpdate(context, out, &written, in, (int)length) == 1 &&
              EVP_EncryptFinal_ex(context, out + written, &last) == 1 &&
              EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, CCM_TAG, out + length) == 1;
    EVP_CIPHER_CTX_free(context);
    return ok;
}

bool crypto_kdf(const uint8_t key[AES_BLOCK], const char *label, const uint8_t *context,
                size_t length, uint8_t out[AES_BLOCK])
{
    struct bytes input = {0};
    bytes_add32(&input, 1);
    bytes_add(&input, label, strlen(label));
    bytes_add8(&input, 0);
    bytes_add(&input, context, length);
    bytes_add32(&input, 8 * AES_BLOCK);
    return !input.failed && crypto_cmac(key, AES_BLOCK, input.data, input.length, out);
}

bool crypto_kdf_scp03(const uint8_t *key, size_t key_length, uint8_t constant,
                      const uint8_t *context, size_t length, uint8_t *out, size_t out_length)
{
    uint8_t block[AES_BLOCK];
    bool ok = true;
    for (size_t done = 0, i = 1; ok && done < out_length; i++) {
        struct bytes input = {0};
        bytes_fill(&input, 0, 11);
        bytes_add8(&input, constant);
        bytes_add8(&input, 0);
        bytes_add16(&input, (unsigned)(8 * out_length));
        bytes_add8(&input, (unsigned)i);
        bytes_add(&input, context, length);
        ok = !input.failed && crypto_cmac(key, key_length, input.data, input.length, block);
        size_t n = out_length - done < sizeof block ? out_length - done : sizeof block;
        memcpy(out + done, block, n);
        done += n;
    }
    crypto_wipe(block, sizeof block);
    return ok;
}

bool crypto_sha256_file(const char *path, uint8_t digest[SHA256_LENGTH])
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        return false;
    }
    uint8_t buffer[16384];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;
    size_t n = 0;
    while (ok && (n = fread(buffer, 1, sizeof buffer, file)) > 0) {
        ok = EVP_DigestUpdate(context, buffer, n) == 1;
    }
    ok = ok && ferror(file) == 0 && EVP_DigestFinal_ex(context, digest, NULL) == 1;
    EVP_MD_CTX_free(context);
    fclose(file);
    return ok;
}

bool crypto_random(uint8_t *data, size_t length)
{
    return RAND_bytes(data, (int)length) == 1;
}

bool crypto_equal(const uint8_t *a, const uint8_t *b, size_t length)
{
    return CRYPTO_memcmp(a, b, length) == 0;
}

void crypto_wipe(void *data, size_t length)
{
    OPENSSL_cleanse(data, length);
}
