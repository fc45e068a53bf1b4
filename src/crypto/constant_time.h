/* SPDX-License-Identifier: Apache-2.0
 *
 * Decisions on secrets without a branch: a condition is a mask, all ones for yes and 0 for no.
 */
#ifndef COS_CRYPTO_CONSTANT_TIME_H
#define COS_CRYPTO_CONSTANT_TIME_H

#include "cos/bytes.h"

typedef size_t cos_mask;

/* The compiler may not know what a mask can be, or it would make a branch of it. */
static inline cos_mask hide(cos_mask mask)
{
    __asm__("" : "+r"(mask));
    return mask;
}

static inline cos_mask is_zero(size_t value)
{
    return hide(((value | ((size_t)0 - value)) >> (sizeof value * 8 - 1)) - 1);
}

static inline cos_mask is_equal(size_t a, size_t b)
{
    return is_zero(a ^ b);
}

/* a < b, both below half of the range. */
static inline cos_mask is_less(size_t a, size_t b)
{
    return hide((size_t)0 - ((a - b) >> (sizeof a * 8 - 1)));
}

static inline size_t choose(cos_mask mask, size_t yes, size_t no)
{
    return (mask & yes) | (~mask & no);
}

static inline uint8_t choose_byte(cos_mask mask, uint8_t yes, uint8_t no)
{
    return (uint8_t)choose(mask, yes, no);
}

/* COS_OK or the error. */
static inline enum cos_result ok_or(cos_mask mask, enum cos_result error)
{
    return (enum cos_result)(int)((unsigned)error & ~(unsigned)mask);
}

/* Moves the last length - `by` bytes to the front; where `by` is secret, at most length. What
 * follows them is undefined. A move by each power of two is made or not. */
static inline void move_to_front(uint8_t *data, size_t length, size_t by)
{
    for (size_t step = 1; step <= length; step <<= 1) {
        const cos_mask moves = ~is_zero(by & step);
        for (size_t i = 0; i + step < length; i++) {
            data[i] = choose_byte(moves, data[i + step], data[i]);
        }
    }
}

#endif
