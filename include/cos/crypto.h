/* SPDX-License-Identifier: Apache-2.0
 *
 * Cryptography: one provider interface, and what is built on it (key derivation, random numbers,
 * self-test).
 *
 * The provider is a const struct of functions, one an algorithm, each complete in one call with the
 * key given as bytes: a vendor puts an accelerator behind any of them and leaves the others to
 * cos_crypto_tomcrypt. Nothing keeps key material between calls; what a call puts on its stack it
 * wipes. No function writes NVM.
 */
#ifndef COS_CRYPTO_H
#define COS_CRYPTO_H

#include "cos/bytes.h"

#define COS_AES_BLOCK   16U
#define COS_DES_BLOCK   8U
#define COS_SHA256_SIZE 32U
#define COS_CCM_NONCE   13U
#define COS_CCM_TAG     8U
#define COS_AES_KEY_MAX 32U

/* Every function: COS_OK, or COS_E_CRYPTO when the provider fails or a length is none of those
 * named; outputs are then undefined and must not be used. Input and output may be the same buffer,
 * not overlap otherwise. AES keys have 16, 24 or 32 bytes, 3DES keys 24 (K1 K2 K3; FIPS 46-3 keying
 * option 1, or 2 with K3 = K1). */
struct cos_crypto {
    void *context;
    /* One block (FIPS 197). */
    enum cos_result (*aes_encrypt)(void *context, const uint8_t *key, size_t key_length,
                                   const uint8_t in[COS_AES_BLOCK], uint8_t out[COS_AES_BLOCK]);
    enum cos_result (*aes_decrypt)(void *context, const uint8_t *key, size_t key_length,
                                   const uint8_t in[COS_AES_BLOCK], uint8_t out[COS_AES_BLOCK]);
    /* CBC without padding (SP 800-38A); length a multiple of 16. */
    enum cos_result (*aes_cbc_encrypt)(void *context, const uint8_t *key, size_t key_length,
                                       const uint8_t iv[COS_AES_BLOCK], const uint8_t *in,
                                       uint8_t *out, size_t length);
    enum cos_result (*aes_cbc_decrypt)(void *context, const uint8_t *key, size_t key_length,
                                       const uint8_t iv[COS_AES_BLOCK], const uint8_t *in,
                                       uint8_t *out, size_t length);
    /* CMAC over the parts one after the other (SP 800-38B). */
    enum cos_result (*aes_cmac)(void *context, const uint8_t *key, size_t key_length,
                                const struct cos_span *parts, size_t count,
                                uint8_t mac[COS_AES_BLOCK]);
    /* CCM with a 13-byte nonce and an 8-byte tag (SP 800-38C); `data` is enciphered in place. */
    enum cos_result (*aes_ccm_seal)(void *context, const uint8_t *key, size_t key_length,
                                    const uint8_t nonce[COS_CCM_NONCE], const uint8_t *associated,
                                    size_t associated_length, uint8_t *data, size_t length,
                                    uint8_t tag[COS_CCM_TAG]);
    /* Deciphers in place and gives the tag that the message should have: the caller compares, with
     * cos_equal_secret(), and wipes `data` if they differ. */
    enum cos_result (*aes_ccm_open)(void *context, const uint8_t *key, size_t key_length,
                                    const uint8_t nonce[COS_CCM_NONCE], const uint8_t *associated,
                                    size_t associated_length, uint8_t *data, size_t length,
                                    uint8_t tag[COS_CCM_TAG]);
    /* One block of 3DES (SP 800-67). */
    enum cos_result (*des3_encrypt)(void *context, const uint8_t key[24],
                                    const uint8_t in[COS_DES_BLOCK], uint8_t out[COS_DES_BLOCK]);
    enum cos_result (*des3_decrypt)(void *context, const uint8_t key[24],
                                    const uint8_t in[COS_DES_BLOCK], uint8_t out[COS_DES_BLOCK]);
    /* FIPS 180-4 over the parts one after the other. */
    enum cos_result (*sha256)(void *context, const struct cos_span *parts, size_t count,
                              uint8_t digest[COS_SHA256_SIZE]);
    /* FIPS 198-1. */
    enum cos_result (*hmac_sha256)(void *context, const uint8_t *key, size_t key_length,
                                   const struct cos_span *parts, size_t count,
                                   uint8_t mac[COS_SHA256_SIZE]);
};

/* The libtomcrypt provider. */
extern const struct cos_crypto cos_crypto_tomcrypt;

/* Derives `length` bytes (1 to 255 blocks; `out` must not overlap the inputs) by SP 800-108r1 4.1,
 * counter mode, PRF AES-CMAC: PRF(key, [i] as 32 bits || label || 00 || context || [bits] as 32
 * bits). */
enum cos_result cos_kdf(const struct cos_crypto *crypto, const uint8_t *key, size_t key_length,
                        struct cos_span label, struct cos_span context, uint8_t *out,
                        size_t length);

/* The same construction in the form of GlobalPlatform SCP03 (Amendment D 4.1.5):
 * PRF(key, 11 bytes 00 || constant || 00 || [bits] as 16 bits || [i] as 8 bits || context). */
enum cos_result cos_kdf_scp03(const struct cos_crypto *crypto, const uint8_t *key,
                              size_t key_length, uint8_t constant, struct cos_span context,
                              uint8_t *out, size_t length);

/* HMAC_DRBG with SHA-256 (SP 800-90A 10.1.2), security strength 256, seeded by the port's noise
 * source, whose bytes pass the repetition count and adaptive proportion tests of SP 800-90B 4.4
 * first. */
struct cos_drbg {
    const struct cos_crypto *crypto;
    const struct cos_entropy *entropy;
    uint8_t key[COS_SHA256_SIZE];
    uint8_t value[COS_SHA256_SIZE];
    uint32_t requests; /* since the last seeding */
    bool ready;
};

/* Runs the start-up health test of the source and seeds. `personal` may be empty. COS_E_ENTROPY,
 * COS_E_CRYPTO. */
enum cos_result cos_drbg_start(struct cos_drbg *drbg, const struct cos_crypto *crypto,
                               const struct cos_entropy *entropy, struct cos_span personal);
/* Fills `out` (up to 65,536 bytes a call); seeds again every COS_DRBG_RESEED requests. After an
 * error the generator is dead until started again. COS_E_ENTROPY, COS_E_CRYPTO. */
enum cos_result cos_drbg_random(struct cos_drbg *drbg, uint8_t *out, size_t length);
void cos_drbg_wipe(struct cos_drbg *drbg);

/* Health tests by themselves: COS_OK or COS_E_ENTROPY for a run of raw noise bytes. */
enum cos_result cos_entropy_health(const uint8_t *noise, size_t length);

/* Known-answer tests of everything above. `which` chooses: a chip tests what it uses.
 * COS_E_SELF_TEST. */
#define COS_SELF_TEST_AES    0x01U /* block, CBC, CMAC, CCM, KDFs */
#define COS_SELF_TEST_DES3   0x02U
#define COS_SELF_TEST_SHA256 0x04U /* SHA-256, HMAC, DRBG */
enum cos_result cos_crypto_self_test(const struct cos_crypto *crypto, unsigned which);

#endif
