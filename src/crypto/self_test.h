/* SPDX-License-Identifier: Apache-2.0
 *
 * Known-answer tests: what the two files of them share. To save ROM, all inputs are pieces of 00 01
 * 02 ..., and of the answers one CRC-32 for a family of algorithms is kept. The unit test gets the
 * same answers from OpenSSL.
 */
#ifndef COS_CRYPTO_SELF_TEST_H
#define COS_CRYPTO_SELF_TEST_H

#include "cos/crypto.h"

/* The tests of one family, or of one member of it. */
struct trial {
    const struct cos_crypto *crypto;
    unsigned member; /* enum cos_hash, enum cos_curve */
    uint8_t in[COS_RSA_MIN];
    uint8_t out[COS_EC_POINT_MAX]; /* the last answer, and what it leaves of those before */
    uint32_t crc;                  /* of out[] after each call */
};

/* What is tested, and the CRC of all answers. */
struct test {
    void (*run)(struct trial *trial);
    uint32_t crc;
    uint16_t which;
    uint8_t member;
};

/* Takes the answer of a call. One that failed leaves its answer out, and the CRC is another. */
static inline void take(struct trial *trial, enum cos_result result)
{
    if (result == COS_OK) {
        trial->crc = cos_crc32(trial->crc, trial->out, sizeof trial->out);
    }
}

static inline void prepare(struct trial *trial, const struct cos_crypto *crypto, unsigned member)
{
    *trial = (struct trial){.crypto = crypto, .member = member};
    for (size_t at = 0; at < sizeof trial->in; at++) {
        trial->in[at] = (uint8_t)at;
    }
}

#endif
