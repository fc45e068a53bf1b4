/* SPDX-License-Identifier: Apache-2.0
 *
 * The bare HMAC_DRBG mechanism (SP 800-90A 10.1.2), without noise source and reseed counter: for
 * cos_drbg_start(), cos_drbg_random() and the known-answer test, which needs seeds of its own.
 * Each hands on an error of the provider; the caller then wipes the generator.
 */
#ifndef COS_CRYPTO_DRBG_H
#define COS_CRYPTO_DRBG_H

#include "cos/crypto.h"

/* 10.1.2.3: `seed` is entropy input and nonce. drbg->crypto must be set. */
enum cos_result cos_hmac_drbg_instantiate(struct cos_drbg *drbg, struct cos_span seed,
                                          struct cos_span personal);
/* 10.1.2.4, without additional input. */
enum cos_result cos_hmac_drbg_reseed(struct cos_drbg *drbg, struct cos_span seed);
/* 10.1.2.5, without additional input. */
enum cos_result cos_hmac_drbg_generate(struct cos_drbg *drbg, uint8_t *out, size_t length);

#endif
