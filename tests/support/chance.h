/* SPDX-License-Identifier: Apache-2.0
 *
 * Says what the security chip's next random number is, so that recorded sessions can be played to
 * it again: its generator stays as it is, but for the one HMAC that the number is made of.
 */
#ifndef CHANCE_H
#define CHANCE_H

#include "bench.h"

/* To be called once a card, when it has started. */
void chance_take(struct bench *bench);
/* The next number drawn begins with these bytes, at most 32. */
void chance_next(const uint8_t *bytes, size_t length);

#endif
