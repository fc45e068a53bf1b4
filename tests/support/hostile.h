/* SPDX-License-Identifier: Apache-2.0
 *
 * An app chip that was taken over, and what it could have seen. It knows the pairing secret, holds
 * a valid session and asks the security chip for everything; each answer, each frame on the link
 * and the app chip's memory are searched for what is secret, and after each call the security chip
 * must be what the model allows.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include "gate_model.h"
#include "gate_rig.h"
#include "hunt.h"

struct hostile {
    struct bench bench;
    struct gate_rig rig;
    struct gate_snapshot card; /* as it is when the app chip is taken over */
    struct gate_model model;
    struct hunt hunt;
    unsigned long calls, frames;
    uint8_t channel; /* that it asks about most of the time */
    bool secured;    /* a command of the issuer is open */
};
extern struct hostile hostile;

/* Fails the test if a secret of the hunt stands there. */
void hostile_search(const char *where, const void *bytes, size_t length);
/* The app chip as whoever took it over reads it: NVM, and everything in its RAM. */
void hostile_search_app_chip(void);
/* A tap of the bench's link: sees each frame as it is, and deciphered. */
unsigned hostile_listen(void *context, bool to_secure, uint8_t *bytes, size_t *length);

/* One call. */
void hostile_ask(uint8_t opcode, const uint8_t *message, size_t length);
/* Back to the card as it was, in its session. */
void hostile_again(const struct gate_snapshot *snapshot);
/* Each call with each operation and reference. */
void hostile_ask_everything(const struct gate_snapshot *snapshot);
/* Random requests, most of them sensible. */
void hostile_ask_variations(const struct gate_snapshot *snapshot, unsigned count, uint64_t seed);

#endif
