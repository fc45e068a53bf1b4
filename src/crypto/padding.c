/* SPDX-License-Identifier: Apache-2.0
 *
 * Paddings of block ciphers and MACs (padding.h).
 */
#include "padding.h"

#include "constant_time.h"

size_t cos_padded(enum cos_padding method, size_t length, size_t block)
{
    if (method == COS_PADDING_1 && length > 0) {
        length--;
    }
    return (length / block + 1) * block;
}

enum cos_result cos_pad(enum cos_padding method, uint8_t *data, size_t length, size_t capacity,
                        size_t block, size_t *padded)
{
    const size_t total = cos_padded(method, length, block);
    COS_CHECK(total <= capacity, COS_E_LENGTH);
    memset(data + length, 0, total - length);
    if (method == COS_PADDING_2) {
        data[length] = 0x80;
    }
    *padded = total;
    return COS_OK;
}

enum cos_result cos_unpad(const uint8_t *data, size_t length, size_t block, size_t *unpadded)
{
    cos_mask blank = ~(cos_mask)0, good = 0; /* nothing but 00 so far; the 80 was met then */
    size_t at = 0;

    *unpadded = 0;
    COS_CHECK(length > 0 && length % block == 0, COS_E_DATA);
    for (size_t i = 1; i <= block; i++) {
        const cos_mask marker = blank & is_equal(data[length - i], 0x80);
        at = choose(marker, length - i, at);
        good |= marker;
        blank &= is_zero(data[length - i]);
    }
    *unpadded = good & at;
    return ok_or(good, COS_E_DATA);
}
