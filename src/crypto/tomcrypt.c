/* SPDX-License-Identifier: Apache-2.0
 *
 * The libtomcrypt provider (1.18.2): AES and 3DES, and the struct. The files tomcrypt*.c are the
 * only ones that know the library.
 *
 * It takes from there the AES and 3DES block functions and the hash functions, which work on a
 * caller's struct and nothing else, and from libtommath the numbers. The modes are ours (modes.h)
 * and so is HMAC: libtomcrypt's own CBC, CMAC and CCM look their cipher up in a global table that
 * has to be filled at run time, and its HMAC and CCM allocate.
 *
 * symmetric_key is a union over all ciphers that libtomcrypt was built with: 768 bytes with AES and
 * 3DES alone, as firmware builds it, but 4,256 bytes in a full library on a workstation. It is kept
 * whole, because a pointer to something smaller is not a pointer to that union; only the member
 * that was used is wiped. hash_state likewise: 112 bytes with SHA-256 alone, else 416.
 */
#include "tomcrypt_provider.h"

#include "modes.h"

#include <tomcrypt.h>

/* libtomcrypt's argument checks abort the program in some builds, so nothing that it would refuse
 * (NULL for no bytes, a wrong length) gets as far as there. */
static enum cos_result from_tomcrypt(int error)
{
    return error == CRYPT_OK ? COS_OK : COS_E_CRYPTO;
}

static enum cos_result aes_schedule(symmetric_key *schedule, const uint8_t *key, size_t key_length)
{
    COS_CHECK(key_length == 16 || key_length == 24 || key_length == 32, COS_E_CRYPTO);
    return from_tomcrypt(aes_setup(key, (int)key_length, 0, schedule));
}

static enum cos_result encipher_block(void *state, const uint8_t in[COS_AES_BLOCK],
                                      uint8_t out[COS_AES_BLOCK])
{
    return from_tomcrypt(aes_ecb_encrypt(in, out, state));
}

static enum cos_result decipher_block(void *state, const uint8_t in[COS_AES_BLOCK],
                                      uint8_t out[COS_AES_BLOCK])
{
    return from_tomcrypt(aes_ecb_decrypt(in, out, state));
}

static void wipe_aes(symmetric_key *schedule)
{
    cos_wipe(&schedule->rijndael, sizeof schedule->rijndael);
}

static enum cos_result aes_encrypt(void *context, const uint8_t *key, size_t key_length,
                                   const uint8_t in[COS_AES_BLOCK], uint8_t out[COS_AES_BLOCK])
{
    (void)context;
    symmetric_key schedule;
    enum cos_result result = aes_schedule(&schedule, key, key_length);
    if (result == COS_OK) {
        result = encipher_block(&schedule, in, out);
    }
    wipe_aes(&schedule);
    return result;
}

static enum cos_result aes_decrypt(void *context, const uint8_t *key, size_t key_length,
                                   const uint8_t in[COS_AES_BLOCK], uint8_t out[COS_AES_BLOCK])
{
    (void)context;
    symmetric_key schedule;
    enum cos_result result = aes_schedule(&schedule, key, key_length);
    if (result == COS_OK) {
        result = decipher_block(&schedule, in, out);
    }
    wipe_aes(&schedule);
    return result;
}

static enum cos_result aes_cbc_encrypt(void *context, const uint8_t *key, size_t key_length,
                                       const uint8_t iv[COS_AES_BLOCK], const uint8_t *in,
                                       uint8_t *out, size_t length)
{
    (void)context;
    symmetric_key schedule;
    enum cos_result result = aes_schedule(&schedule, key, key_length);
    if (result == COS_OK) {
        const struct cos_block_cipher encipher = {&schedule, encipher_block};
        result = cos_cbc_encrypt(&encipher, iv, in, out, length);
    }
    wipe_aes(&schedule);
    return result;
}

static enum cos_result aes_cbc_decrypt(void *context, const uint8_t *key, size_t key_length,
                                       const uint8_t iv[COS_AES_BLOCK], const uint8_t *in,
                                       uint8_t *out, size_t length)
{
    (void)context;
    symmetric_key schedule;
    enum cos_result result = aes_schedule(&schedule, key, key_length);
    if (result == COS_OK) {
        const struct cos_block_cipher decipher = {&schedule, decipher_block};
        result = cos_cbc_decrypt(&decipher, iv, in, out, length);
    }
    wipe_aes(&schedule);
    return result;
}

static enum cos_result aes_cmac(void *context, const uint8_t *key, size_t key_length,
                                const struct cos_span *parts, size_t count,
                                uint8_t mac[COS_AES_BLOCK])
{
    (void)context;
    symmetric_key schedule;
    enum cos_result result = aes_schedule(&schedule, key, key_length);
    if (result == COS_OK) {
        const struct cos_block_cipher encipher = {&schedule, encipher_block};
        result = cos_cmac(&encipher, parts, count, mac);
    }
    wipe_aes(&schedule);
    return result;
}

static enum cos_result aes_ccm_seal(void *context, const uint8_t *key, size_t key_length,
                                    const uint8_t nonce[COS_CCM_NONCE], const uint8_t *associated,
                                    size_t associated_length, uint8_t *data, size_t length,
                                    uint8_t tag[COS_CCM_TAG])
{
    (void)context;
    symmetric_key schedule;
    enum cos_result result = aes_schedule(&schedule, key, key_length);
    if (result == COS_OK) {
        const struct cos_block_cipher encipher = {&schedule, encipher_block};
        const struct cos_span with = {associated, associated_length};
        result = cos_ccm(&encipher, COS_CCM_SEAL, nonce, with, data, length, tag);
    }
    wipe_aes(&schedule);
    return result;
}

static enum cos_result aes_ccm_open(void *context, const uint8_t *key, size_t key_length,
                                    const uint8_t nonce[COS_CCM_NONCE], const uint8_t *associated,
                                    size_t associated_length, uint8_t *data, size_t length,
                                    uint8_t tag[COS_CCM_TAG])
{
    (void)context;
    symmetric_key schedule;
    enum cos_result result = aes_schedule(&schedule, key, key_length);
    if (result == COS_OK) {
        const struct cos_block_cipher encipher = {&schedule, encipher_block};
        const struct cos_span with = {associated, associated_length};
        result = cos_ccm(&encipher, COS_CCM_OPEN, nonce, with, data, length, tag);
    }
    wipe_aes(&schedule);
    return result;
}

static enum cos_result des3_encrypt(void *context, const uint8_t key[24],
                                    const uint8_t in[COS_DES_BLOCK], uint8_t out[COS_DES_BLOCK])
{
    (void)context;
    symmetric_key schedule;
    enum cos_result result = from_tomcrypt(des3_setup(key, 24, 0, &schedule));
    if (result == COS_OK) {
        result = from_tomcrypt(des3_ecb_encrypt(in, out, &schedule));
    }
    cos_wipe(&schedule.des3, sizeof schedule.des3);
    return result;
}

static enum cos_result des3_decrypt(void *context, const uint8_t key[24],
                                    const uint8_t in[COS_DES_BLOCK], uint8_t out[COS_DES_BLOCK])
{
    (void)context;
    symmetric_key schedule;
    enum cos_result result = from_tomcrypt(des3_setup(key, 24, 0, &schedule));
    if (result == COS_OK) {
        result = from_tomcrypt(des3_ecb_decrypt(in, out, &schedule));
    }
    cos_wipe(&schedule.des3, sizeof schedule.des3);
    return result;
}

const struct cos_crypto cos_crypto_tomcrypt = {
    .context = NULL,
    .hashes = (1U << COS_HASHES) - 1U,
    .curves = (1U << COS_CURVES) - 1U,
    .aes_encrypt = aes_encrypt,
    .aes_decrypt = aes_decrypt,
    .aes_cbc_encrypt = aes_cbc_encrypt,
    .aes_cbc_decrypt = aes_cbc_decrypt,
    .aes_cmac = aes_cmac,
    .aes_ccm_seal = aes_ccm_seal,
    .aes_ccm_open = aes_ccm_open,
    .des3_encrypt = des3_encrypt,
    .des3_decrypt = des3_decrypt,
    .hash = cos_tomcrypt_hash,
    .hash_resume = cos_tomcrypt_hash_resume,
    .hmac = cos_tomcrypt_hmac,
    .rsa_public = cos_tomcrypt_rsa_public,
    .rsa_private = cos_tomcrypt_rsa_private,
    .rsa_check = cos_tomcrypt_rsa_check,
    .rsa_generate = cos_tomcrypt_rsa_generate,
    .rsa_complete = cos_tomcrypt_rsa_complete,
    .ec_generate = cos_tomcrypt_ec_generate,
    .ec_public = cos_tomcrypt_ec_public,
    .ec_sign = cos_tomcrypt_ec_sign,
    .ec_verify = cos_tomcrypt_ec_verify,
    .ec_agree = cos_tomcrypt_ec_agree,
    .ec_check = cos_tomcrypt_ec_check,
};
