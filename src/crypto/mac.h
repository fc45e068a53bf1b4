/* SPDX-License-Identifier: Apache-2.0
 *
 * DES in its older forms: MACs of ISO/IEC 9797-1 and 3DES-CBC, over the provider's 3DES block.
 * Every function hands on an error of the provider.
 */
#ifndef COS_CRYPTO_MAC_H
#define COS_CRYPTO_MAC_H

#include "cos/crypto.h"
#include "padding.h"

/* MAC algorithm 1: CBC-MAC under the first 8 bytes of the key (ISO/IEC 9797-1:2011, 7.2). MAC
 * algorithm 3, the retail MAC: the same, and the last block enciphered under the second half
 * decrypted and the first half again (7.4, output transformation 3). */
enum cos_des_mac { COS_DES_MAC_1 = 1, COS_DES_MAC_3 = 3 };

/* Over the parts one after the other and their padding. The MAC may be truncated by whoever uses
 * it. */
enum cos_result cos_des_mac(const struct cos_crypto *crypto, enum cos_des_mac algorithm,
                            enum cos_padding padding, const uint8_t key[16],
                            const struct cos_span *parts, size_t count, uint8_t mac[COS_DES_BLOCK]);

/* 3DES-CBC without padding (SP 800-38A 6.2). `length` is a multiple of 8, else COS_E_CRYPTO; `in`
 * may be `out`. */
enum cos_result cos_des3_cbc_encrypt(const struct cos_crypto *crypto, const uint8_t key[24],
                                     const uint8_t iv[COS_DES_BLOCK], const uint8_t *in,
                                     uint8_t *out, size_t length);
enum cos_result cos_des3_cbc_decrypt(const struct cos_crypto *crypto, const uint8_t key[24],
                                     const uint8_t iv[COS_DES_BLOCK], const uint8_t *in,
                                     uint8_t *out, size_t length);

#endif
