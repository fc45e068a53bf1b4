/* SPDX-License-Identifier: Apache-2.0
 *
 * What the core takes of a C library, byte by byte: the least that a firmware would have. The
 * compiler may not make calls of these functions out of them (-fno-tree-loop-distribute-patterns).
 */
#include "cos/bytes.h"

void *memcpy(void *restrict to, const void *restrict from, size_t length)
{
    uint8_t *out = to;
    const uint8_t *in = from;

    while (length-- > 0) {
        *out++ = *in++;
    }
    return to;
}

void *memmove(void *to, const void *from, size_t length)
{
    uint8_t *out = to;
    const uint8_t *in = from;

    if (out <= in) {
        return memcpy(to, from, length);
    }
    while (length-- > 0) {
        out[length] = in[length];
    }
    return to;
}

void *memset(void *to, int value, size_t length)
{
    uint8_t *out = to;

    while (length-- > 0) {
        *out++ = (uint8_t)value;
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t length)
{
    const uint8_t *x = a, *y = b;

    for (; length > 0; length--, x++, y++) {
        if (*x != *y) {
            return *x - *y;
        }
    }
    return 0;
}
