/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenSSL's word on what docs/formats.md builds from standard parts, for tests that must not ask
 * the card's own cryptography. Every function returns false if OpenSSL fails. More (CMAC, AES,
 * 3DES) stands in twinctl/crypto.h.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SP 800-108 in counter mode with AES-CMAC: OpenSSL's own KBKDF. */
bool oracle_kdf(const uint8_t *key, size_t key_length, const char *label, const uint8_t *context,
                size_t context_length, uint8_t *out, size_t length);

/* SP 800-38C with a 13-byte nonce; out has length + 8 bytes, the tag is behind. */
bool oracle_ccm_seal(const uint8_t *key, size_t key_length, const uint8_t nonce[13],
                     const uint8_t *associated, size_t associated_length, const uint8_t *in,
                     size_t length, uint8_t *out);

/* The other direction: in has length + 8 bytes. False also if the tag is wrong. */
bool oracle_ccm_open(const uint8_t *key, size_t key_length, const uint8_t nonce[13],
                     const uint8_t *associated, size_t associated_length, const uint8_t *in,
                     size_t length, uint8_t *out);

#endif
