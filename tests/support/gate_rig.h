/* SPDX-License-Identifier: Apache-2.0
 *
 * Speaks to the security chip of a bench card frame by frame, in the app chip's place: as an app
 * chip that was taken over does, and as a man in the middle does who has learnt the keys. Nothing
 * is sent again and nothing is refused on this side.
 */
#ifndef GATE_RIG_H
#define GATE_RIG_H

#include "bench.h"
#include "gate/channel.h"

/* One end of a session, and the last answer. */
struct gate_rig {
    struct bench *bench;
    uint32_t session, sequence; /* 0 = none; sequence: of the last request */
    uint8_t request_key[16], response_key[16];
    uint8_t request_tag[COS_CCM_TAG];

    unsigned answers;        /* frames that came back for the last one delivered */
    struct bench_frame last; /* the first of them */
    int result;              /* what gate_rig_open() found in it */
    uint8_t flags;
    uint32_t epoch;
    size_t length;
    uint8_t body[COS_LINK_FRAME_MAX];
};

/* Takes the place of the bench's app chip in its session. The app chip must not speak after it. */
void gate_rig_take(struct gate_rig *rig, struct bench *bench);

/* The pairing secret from the app chip's NVM; returns its generation, 0 if there is none. */
uint8_t gate_rig_secret(const struct bench *bench, uint8_t secret[COS_PAIRING_SECRET]);

/* Opens a session of its own with that secret. */
bool gate_rig_hello(struct gate_rig *rig, struct bench *bench);

/* Writes a frame and returns its length: sealed for the session, or in the clear. */
size_t gate_rig_seal(const struct gate_rig *rig, uint32_t sequence, uint8_t opcode,
                     const uint8_t *message, size_t length, struct bench_frame *frame);
size_t gate_rig_plain(uint32_t sequence, uint8_t opcode, const uint8_t *message, size_t length,
                      struct bench_frame *frame);
/* Makes the CRC right again after a change. */
void gate_rig_repair(struct bench_frame *frame);

/* Puts a frame on the line and lets the security chip serve it. True if exactly one frame came
 * back. */
bool gate_rig_deliver(struct gate_rig *rig, const struct bench_frame *frame);

/* Opens the last answer as one to `request`. False if it is not authentic or not an answer to it;
 * result, flags, epoch and body are set if true. */
bool gate_rig_open(struct gate_rig *rig, const struct bench_frame *request);

/* The next request of the session, from seal to open. False without an authentic answer. */
bool gate_rig_call(struct gate_rig *rig, uint8_t opcode, const uint8_t *message, size_t length);

/* Makes a card in this state of its life, FABRICATED to TERMINATED, and takes its app chip's place
 * in the session, if there is one: no secure messaging, bound to the bench's application. */
bool gate_rig_at(struct gate_rig *rig, struct bench *bench, enum cos_life_cycle state);

/* A whole card as it stands, both chips running. Zero it before first use. */
struct gate_snapshot {
    struct bench bench;
    struct sim_snapshot app_nvm, secure_nvm;
};
void gate_snapshot_save(const struct bench *bench, struct gate_snapshot *snapshot);
void gate_snapshot_restore(struct bench *bench, const struct gate_snapshot *snapshot);
void gate_snapshot_free(struct gate_snapshot *snapshot);

/* What a call may change in the security chip: everything but its end of the channel. */
struct gate_state {
    struct cos_secure secure;
    uint64_t operations; /* of NVM */
};
void gate_state_take(const struct bench *bench, struct gate_state *state);
bool gate_state_same(const struct bench *bench, const struct gate_state *state);

/* Tries left of a PIN or key of the bench's application, -1 if there is none. */
int gate_rig_tries(const struct bench *bench, bool pin, uint8_t number);

#endif
