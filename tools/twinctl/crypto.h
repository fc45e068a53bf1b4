/* SPDX-License-Identifier: Apache-2.0
 *
 * The world's cryptography, all of it OpenSSL's. Every function returns false if OpenSSL fails; the
 * output is then undefined. AES keys have 16, 24 or 32 bytes.
 */
#ifndef TWINCTL_CRYPTO_H
#define TWINCTL_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AES_BLOCK     16U
#define DES_BLOCK     8U
#define TDES_KEY      24U
#define CCM_TAG       8U
#define SHA256_LENGTH 32U

enum crypto_direction { CRYPTO_DECIPHER = 0, CRYPTO_ENCIPHER = 1 };

/* One or more whole blocks, without padding. in and out may be the same. */
bool crypto_aes_ecb(const uint8_t *key, size_t key_length, enum crypto_direction direction,
                    const uint8_t *in, size_t length, uint8_t *out);
bool crypto_aes_cbc_encipher(const uint8_t *key, size_t key_length, const uint8_t iv[AES_BLOCK],
                             const uint8_t *in, size_t length, uint8_t *out);
bool crypto_tdes_ecb(const uint8_t key[TDES_KEY], enum crypto_direction direction,
                     const uint8_t *in, size_t length, uint8_t *out);

/* SP 800-38B. */
bool crypto_cmac(const uint8_t *key, size_t key_length, const uint8_t *data, size_t length,
                 uint8_t mac[AES_BLOCK]);

/* CCM with AES-128, nonce 13 x 00 and a tag of 8 bytes: out has length + 8 bytes. */
bool crypto_ccm_seal(const uint8_t key[AES_BLOCK], const uint8_t *associated,
                     size_t associated_length, const uint8_t *in, size_t length, uint8_t *out);

/* KDF of docs/formats.md, from a key of 16 bytes to one of 16 bytes. */
bool crypto_kdf(const uint8_t key[AES_BLOCK], const char *label, const uint8_t *context,
                size_t length, uint8_t out[AES_BLOCK]);

/* KDF of SCP03 (GlobalPlatform Amendment D, 4.1.5): out_length at most 64. */
bool crypto_kdf_scp03(const uint8_t *key, size_t key_length, uint8_t constant,
                      const uint8_t *context, size_t length, uint8_t *out, size_t out_length);

bool crypto_sha256_file(const char *path, uint8_t digest[SHA256_LENGTH]);
bool crypto_random(uint8_t *data, size_t length);
/* In a time that depends on the length alone. */
bool crypto_equal(const uint8_t *a, const uint8_t *b, size_t length);
void crypto_wipe(void *data, size_t length);

#endif
