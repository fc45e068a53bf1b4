/* SPDX-License-Identifier: Apache-2.0
 *
 * What the security chip has promised ("What the split promises, exactly"), as a check after each
 * call of an app chip that knows the pairing secret and nothing else: nothing that only the
 * terminal, the holder or the issuer may cause has happened. Conditions and rules are worked out
 * here once more, from docs/formats.md.
 */
#ifndef GATE_MODEL_H
#define GATE_MODEL_H

#include "bench.h"
#include "secure_domain/domain.h"

#define GATE_MODEL_OBJECTS 64
#define GATE_MODEL_NONE    (-1)

struct gate_model {
    struct object objects[GATE_MODEL_OBJECTS];
    uint16_t count;
    uint8_t state[STATE_SIZE]; /* the state record, but for the attack counter */
    uint64_t applications;     /* a number that stands for the application entries */
    uint64_t vault;            /* and one for the vault */
    uint64_t operations;       /* on NVM, when it was last looked at */
    /* Of each channel: what somebody did authenticate there, and is still in force; the session of
     * secure messaging, if somebody did open one, and whether that is in force. */
    struct cos_channel status[COS_CHANNELS];
    struct cos_session session[COS_CHANNELS];
    bool open[COS_CHANNELS];
    /* What the call that gate_model_ask() was told of may do: each the index of an object. */
    uint8_t channel;
    int user;     /* key: the one that it would work with */
    bool granted; /* and whether it may */
    bool counts;  /* and whether its counter goes on with that */
    int maker;    /* key pair: may be made anew */
    int switched; /* PIN: its requirement may be enabled and disabled */
};

/* Takes the card as it stands as what must stay. */
void gate_model_take(const struct bench *bench, struct gate_model *model);

/* NULL, or in words what did not hold: the life cycle moved, the state record changed, a PIN or key
 * was written, came or went, its state (disabled, transport PIN) changed, a counter of tries or
 * uses rose, a condition that nobody satisfied on that channel is satisfied, a session of secure
 * messaging was opened, a vault file changed. What was satisfied when the model was taken may stay
 * so; what is so no more must not come back. Tries that fell, and uses of a key that the call may
 * work with, are taken over. `secured`: a command is open under secure messaging, so that
 * conditions may ask for that on its channel. What does not change without a write is looked at
 * only after one. */
const char *gate_model_broken(const struct bench *bench, struct gate_model *model, bool secured);

/* Before a call: which key it would work with, and whether rule and uses allow that; whether it may
 * make a key pair, or enable or disable a PIN. Without it nothing of that may happen. */
void gate_model_ask(const struct bench *bench, struct gate_model *model, uint8_t opcode,
                    const uint8_t *message, size_t length);
/* After it, before gate_model_broken(): NULL, or in words: a key was worked with whose rule nobody
 * satisfied, or without a use, or in the middle of another command; its use was not counted; the
 * PIN that each use asks for counts on. */
const char *gate_model_answered(const struct bench *bench, struct gate_model *model, int result);

/* Whether a call is the one that the command which is open under secure messaging is for: the
 * terminal's wish and not the app chip's idea. */
bool gate_model_terminals(const struct bench *bench, uint8_t opcode, const uint8_t *message,
                          size_t length);

/* ---- Between the files of the model ---- */

/* Index of an object, GATE_MODEL_NONE if there is none. */
int gate_model_find(const struct gate_model *model, enum object_kind kind, uint8_t context,
                    uint8_t number);
static inline bool gate_model_has_bit(uint16_t bits, uint8_t number)
{
    return ((unsigned)bits >> number & 1U) != 0;
}
/* Whether a condition byte may hold on a channel, of a rule of something global or not; `secured`:
 * of a command that is open under secure messaging there. */
bool gate_model_may_hold(const struct gate_model *model, uint8_t channel, bool secured, bool global,
                         uint8_t condition);
/* The part of gate_model_broken() about status and sessions. */
const char *gate_model_broken_status(const struct bench *bench, struct gate_model *model,
                                     bool secured);

#endif
