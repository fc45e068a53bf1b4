/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers of the libtomcrypt provider: arrays of libtommath's (1.2), big-endian bytes in and out,
 * and random ones. libtommath takes its memory from malloc(). Whoever allocates an array frees it
 * in the same function, on every path; freeing wipes.
 *
 * A calculation is a run of steps of which none is done after one has failed, so that it is asked
 * for once, at the end:
 *
 *     enum cos_result result = cos_tomcrypt_allocate(number, COUNT, bits);
 *     STEP(result, mp_mulmod(&number[A], &number[B], &number[N], &number[C]));
 *     STEP(result, mp_add(&number[C], &number[A], &number[C]));
 *     cos_tomcrypt_free(number, COUNT);
 */
#ifndef COS_CRYPTO_TOMCRYPT_NUMBER_H
#define COS_CRYPTO_TOMCRYPT_NUMBER_H

#include "cos/crypto.h"

#include <tommath.h>

#define STEP(result, operation)                                                                    \
    do {                                                                                           \
        if ((result) == COS_OK && (operation) != MP_OKAY) {                                        \
            (result) = COS_E_CRYPTO;                                                               \
        }                                                                                          \
    } while (0)
/* The same for what gives a cos_result, and for what has to hold. */
#define STEP_TRY(result, operation)                                                                \
    do {                                                                                           \
        if ((result) == COS_OK) {                                                                  \
            (result) = (operation);                                                                \
        }                                                                                          \
    } while (0)
#define STEP_CHECK(result, condition, error)                                                       \
    do {                                                                                           \
        if ((result) == COS_OK && !(condition)) {                                                  \
            (result) = (error);                                                                    \
        }                                                                                          \
    } while (0)

/* Room in each for a product of two numbers of `bits`, so that none has to move and leave a copy
 * of itself behind. If it fails, all may still be freed. */
enum cos_result cos_tomcrypt_allocate(mp_int *numbers, size_t count, size_t bits);
void cos_tomcrypt_free(mp_int *numbers, size_t count);

/* COS_E_CRYPTO. */
enum cos_result cos_tomcrypt_get(mp_int *number, struct cos_span bytes);
/* As `length` bytes; COS_E_CRYPTO if it needs more. */
enum cos_result cos_tomcrypt_put(const mp_int *number, uint8_t *bytes, size_t length);

/* A number of `bits` bits, uniformly. Errors of `random`, COS_E_CRYPTO. */
enum cos_result cos_tomcrypt_draw(const struct cos_random *random, size_t bits, mp_int *number);
/* From 1 to limit - 1, uniformly (FIPS 186-5, A.2.2: what does not fit is drawn again). */
enum cos_result cos_tomcrypt_draw_below(const struct cos_random *random, const mp_int *limit,
                                        mp_int *number);

#endif
