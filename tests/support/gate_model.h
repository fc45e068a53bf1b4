/* SPDX-License-Identifier: Apache-2.0
 *
 * What the security chip has promised ("What the split promises, exactly"), as a check after each
 * call of an app chip that knows the pairing secret and nothing else: nothing that only the
 * terminal, the holder or the issuer may cause has happened.
 */
#ifndef GATE_MODEL_H
#define GATE_MODEL_H

#include "bench.h"
#include "secure_domain/domain.h"

#define GATE_MODEL_OBJECTS 64

struct gate_model {
    struct object objects[GATE_MODEL_OBJECTS];
    uint16_t count;
    uint8_t state[STATE_SIZE]; /* the state record, but for the attack counter */
    uint64_t applications;     /* a number that stands for the application entries */
    uint64_t vault;            /* and one for the vault */
    struct cos_channel status; /* what somebody did authenticate */
    bool satisfied[256];       /* by condition byte */
};

/* Takes the card as it stands as what must stay. */
void gate_model_take(const struct bench *bench, struct gate_model *model);

/* NULL, or in words what did not hold: the life cycle moved, the state record changed, a PIN or key
 * was written, came or went, a counter of tries rose, a condition that nobody satisfied is
 * satisfied, a vault file changed. What was satisfied before is nothing new. Tries that fell are
 * taken over. `secured`: a command is open under the issuer's secure messaging, so that conditions
 * may ask for that. */
const char *gate_model_broken(const struct bench *bench, struct gate_model *model, bool secured);

/* Whether a call is the one that the command which is open under secure messaging is for: the
 * terminal's wish and not the app chip's idea. */
bool gate_model_terminals(const struct bench *bench, uint8_t opcode, const uint8_t *message,
                          size_t length);

#endif
