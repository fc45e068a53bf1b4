/* SPDX-License-Identifier: Apache-2.0
 *
 * SHA-1 of one block.
 */
#include "sha1.h"

enum { ROUNDS = 80 };

static uint32_t rotate(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

static uint32_t sha1_function(unsigned round, uint32_t b, uint32_t c, uint32_t d)
{
    static const uint32_t constants[4] = {0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6};
    const unsigned quarter = round / 20;

    if (quarter == 0) {
        return constants[0] + ((b & c) | (~b & d));
    }
    return constants[quarter] + (quarter == 2 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d);
}

void cos_sha1_short(const uint8_t *message, size_t length, uint8_t digest[COS_SHA1_SHORT])
{
    static const uint32_t initial[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    uint8_t block[64] = {0};
    uint32_t w[16], h[5];

    memcpy(block, message, length);
    block[length] = 0x80;
    cos_put32(block + 60, (uint32_t)(8 * length));
    for (size_t i = 0; i < 16; i++) {
        w[i] = cos_get32(block + 4 * i);
    }
    memcpy(h, initial, sizeof h);
    for (unsigned t = 0; t < ROUNDS; t++) {
        if (t >= 16) {
            w[t % 16] = rotate(w[(t + 13) % 16] ^ w[(t + 8) % 16] ^ w[(t + 2) % 16] ^ w[t % 16], 1);
        }
        const uint32_t next =
            rotate(h[0], 5) + sha1_function(t, h[1], h[2], h[3]) + h[4] + w[t % 16];
        h[4] = h[3];
        h[3] = h[2];
        h[2] = rotate(h[1], 30);
        h[1] = h[0];
        h[0] = next;
    }
    for (size_t i = 0; i < COS_SHA1_SHORT / 4; i++) {
        cos_put32(digest + 4 * i, h[i] + initial[i]);
    }
    cos_wipe(block, sizeof block);
    cos_wipe(w, sizeof w);
    cos_wipe(h, sizeof h);
}
