/* SPDX-License-Identifier: Apache-2.0
 *
 * Modes of operation over any 16-byte block cipher: CBC, CMAC and CCM. A provider that has no more
 * than a block engine makes its mode functions out of these; the key never comes here. Reentrant:
 * all state is on the stack, and what depends on secrets is wiped.
 *
 * Every function hands on an error of the cipher and gives COS_E_CRYPTO for a length that the mode
 * does not know.
 */
#ifndef COS_CRYPTO_MODES_H
#define COS_CRYPTO_MODES_H

#include "cos/crypto.h"

/* One direction of a block cipher under one key. */
struct cos_block_cipher {
    void *state;
    /* COS_OK or an error; `in` and `out` may be the same buffer. */
    enum cos_result (*apply)(void *state, const uint8_t in[COS_AES_BLOCK],
                             uint8_t out[COS_AES_BLOCK]);
};

/* CBC without padding (SP 800-38A 6.2). `length` is a multiple of 16; `in` may be `out`. */
enum cos_result cos_cbc_encrypt(const struct cos_block_cipher *encipher,
                                const uint8_t iv[COS_AES_BLOCK], const uint8_t *in, uint8_t *out,
                                size_t length);
enum cos_result cos_cbc_decrypt(const struct cos_block_cipher *decipher,
                                const uint8_t iv[COS_AES_BLOCK], const uint8_t *in, uint8_t *out,
                                size_t length);

/* CMAC over the parts one after the other (SP 800-38B 6.2). */
enum cos_result cos_cmac(const struct cos_block_cipher *encipher, const struct cos_span *parts,
                         size_t count, uint8_t mac[COS_AES_BLOCK]);

/* CCM (SP 800-38C 6) with a 13-byte nonce, hence a 2-byte length field, and an 8-byte tag.
 * Associated data up to 65,279 bytes (annex A.2.2: the length fits two bytes), data up to 65,535.
 * Enciphers or deciphers in place and gives the tag over associated data and plain text. */
enum cos_ccm_direction { COS_CCM_SEAL, COS_CCM_OPEN };
enum cos_result cos_ccm(const struct cos_block_cipher *encipher, enum cos_ccm_direction direction,
                        const uint8_t nonce[COS_CCM_NONCE], struct cos_span associated,
                        uint8_t *data, size_t length, uint8_t tag[COS_CCM_TAG]);

#endif
