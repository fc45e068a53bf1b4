/* SPDX-License-Identifier: Apache-2.0
 *
 * Paddings of block ciphers and MACs (ISO/IEC 9797-1:2011, 6.3), for blocks of 8 or 16 bytes.
 */
#ifndef COS_CRYPTO_PADDING_H
#define COS_CRYPTO_PADDING_H

#include "cos/bytes.h"

/* Method 1: 00 up to the block's end, none if it is reached; method 2: 80, then 00 likewise. The
 * empty string becomes one block with either. */
enum cos_padding { COS_PADDING_1 = 1, COS_PADDING_2 = 2 };

/* Length with padding. Pure. */
size_t cos_padded(enum cos_padding method, size_t length, size_t block);

/* Pads data[0 .. length - 1] in place; *padded is the new length. COS_E_LENGTH: more than
 * `capacity`; nothing is written then. */
enum cos_result cos_pad(enum cos_padding method, uint8_t *data, size_t length, size_t capacity,
                        size_t block, size_t *padded);

/* Takes off method 2, also the padding of ISO/IEC 7816-4:2013, 10.2.3.1. *unpadded is `length` less
 * 1 to `block` bytes. COS_E_DATA: `length` is 0 or not a multiple of the block, or the last block
 * has no such padding; *unpadded is 0 then. Time and accesses depend on length and block alone. */
enum cos_result cos_unpad(const uint8_t *data, size_t length, size_t block, size_t *unpadded);

#endif
