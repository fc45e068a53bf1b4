/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of src/crypto/ share: repeatable random bytes, hexadecimal strings, and a check
 * that names its case.
 */
#ifndef TESTS_CRYPTO_HELPERS_H
#define TESTS_CRYPTO_HELPERS_H

#include "cos/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <openssl/crypto.h>

/* xorshift64*: the same bytes in every run, so that a failing round is found again. */
struct random {
    uint64_t state;
};

static inline struct random random_start(uint64_t seed)
{
    return (struct random){seed * 0x9E3779B97F4A7C15ULL + 1};
}

static inline uint32_t random_next(struct random *random)
{
    random->state ^= random->state >> 12;
    random->state ^= random->state << 25;
    random->state ^= random->state >> 27;
    return (uint32_t)((random->state * 0x2545F4914F6CDD1DULL) >> 32);
}

/* 0 .. limit - 1 */
static inline size_t random_below(struct random *random, size_t limit)
{
    return random_next(random) % limit;
}

static inline void random_fill(struct random *random, uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        data[i] = (uint8_t)(random_next(random) >> 11);
    }
}

/* Cuts `data` into at most `limit` random parts, some of them empty (and then with no pointer). */
static inline size_t random_parts(struct random *random, const uint8_t *data, size_t length,
                                  struct cos_span *parts, size_t limit)
{
    size_t count = 1 + random_below(random, limit), at = 0;
    for (size_t i = 0; i < count; i++) {
        size_t n = i + 1 == count ? length - at : random_below(random, length - at + 1);
        parts[i] = (struct cos_span){n > 0 ? data + at : NULL, n};
        at += n;
    }
    return count;
}

/* What a provider draws from: repeatable; or one that fails at its nth draw, from 1. */
struct chance {
    struct random random;
    unsigned draws, fail_at;
    unsigned idles;
};

static inline enum cos_result chance_draw(void *context, uint8_t *out, size_t length)
{
    struct chance *chance = context;
    if (++chance->draws == chance->fail_at) {
        return COS_E_ENTROPY;
    }
    random_fill(&chance->random, out, length);
    return COS_OK;
}

static inline void chance_idle(void *context)
{
    ((struct chance *)context)->idles++;
}

static inline struct cos_random chance_source(struct chance *chance)
{
    return (struct cos_random){chance, chance_draw, chance, chance_idle};
}

/* Bytes of a hexadecimal string; returns how many. */
static inline size_t unhex(const char *text, uint8_t *data, size_t capacity)
{
    size_t length = 0;
    if (text[0] != '\0' && !OPENSSL_hexstr2buf_ex(data, capacity, &length, text, '\0')) {
        fail_msg("bad hexadecimal string %s", text);
    }
    return length;
}

#define assert_case(condition, ...)                                                                \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            print_error("not so: %s\n", #condition);                                               \
            fail_msg(__VA_ARGS__);                                                                 \
        }                                                                                          \
    } while (0)

#endif
