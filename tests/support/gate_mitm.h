/* SPDX-License-Identifier: Apache-2.0
 *
 * A man in the middle for the bench's link: sees every frame, remembers some, and now and then
 * plays one of the tricks below. What he does comes from a seed, or from a script.
 */
#ifndef GATE_MITM_H
#define GATE_MITM_H

#include "bench.h"

enum mitm_trick {
    /* Noise: a bad line does that too. */
    TRICK_FLIP,
    TRICK_DROP,
    TRICK_DOUBLE,
    TRICK_TRUNCATE,
    /* Malice. */
    TRICK_FORGE, /* flip, and make the CRC right again */
    TRICK_REPLAY,
    TRICK_REORDER,
    TRICK_INJECT,
    TRICK_REFLECT,
    TRICKS
};

#define MITM_KEPT 64

struct mitm {
    struct bench *bench;
    uint64_t seed;
    struct cos_reader *script;       /* if not NULL, in place of the seed: below */
    unsigned tricks, percent;        /* how many of the tricks it knows, how often it plays one */
    unsigned long played, malicious; /* counts */
    struct bench_frame kept[MITM_KEPT];
    size_t kept_count;
    struct bench_frame held; /* for reordering */
    bool holding, held_to_secure;
};

/* Puts it on the line of this card, honest until `percent` is set. */
void mitm_start(struct mitm *mitm, struct bench *bench, uint64_t seed, unsigned tricks);
/* What he does is read from a script from now on: a byte for each frame, which is a trick if there
 * is one of this number, and then, as the trick asks for, two bytes for each choice. Behind its end
 * the line is honest. `percent` does not count. */
void mitm_read(struct mitm *mitm, struct cos_reader *script);
/* The same line, but the card was exchanged, or its queues were emptied. */
void mitm_tap(struct mitm *mitm);

#endif
