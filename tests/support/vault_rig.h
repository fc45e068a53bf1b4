/* SPDX-License-Identifier: Apache-2.0
 *
 * The vault of the security chip, asked over the gate in the app chip's place, with the issuer's
 * commands under secure messaging around the calls where the vault asks for them.
 */
#ifndef VAULT_RIG_H
#define VAULT_RIG_H

#include "gate_rig.h"

/* One call and the one result that it must have. */
struct vault_step {
    const char *what;
    uint8_t opcode; /* SM_OPEN: the request is a plain command, which is wrapped */
    /* Hexadecimal; NNNNNNNN: the number that the next transaction is to have, PPPPPPPP the last. */
    const char *request;
    int result;
    const char *answer; /* hexadecimal; NULL: not looked at */
    unsigned programs;  /* page programs of a call that succeeds */
};
#define VAULT_ANY 99U

/* Makes the calls, and fails the test at the first with another outcome. A refused call, and one
 * with 0 programs, must not touch NVM. */
void vault_steps(struct gate_rig *rig, const struct vault_step *steps, size_t count);
#define VAULT_STEPS(rig, steps) vault_steps(rig, steps, sizeof(steps) / sizeof(steps)[0])

/* A finished card with the bench's application selected, its app chip's place taken. */
void vault_rig_make(struct gate_rig *rig, struct bench *bench);
/* Opens SCP03 with the card keys, level 03. */
void vault_session(struct gate_rig *rig);
/* One call from hexadecimal text as in struct vault_step; returns the result. */
int vault_call(struct gate_rig *rig, uint8_t opcode, const char *request);
/* SM_OPEN of a plain command, in the session that is open. */
int vault_open(struct gate_rig *rig, const char *command);
/* CREATE FILE of a vault file whose FCP has these objects besides; returns its number, 0 if it is
 * refused. */
unsigned vault_create(struct gate_rig *rig, uint16_t size, const char *objects);
/* Reads a whole file, and returns the result of the last call. */
int vault_read(struct gate_rig *rig, unsigned number, uint8_t *data, size_t length);
/* The bytes of a file's first chunk as they stand in the store. */
#define VAULT_CHUNK 108U
void vault_chunk(const struct bench *bench, unsigned number, uint8_t chunk[VAULT_CHUNK]);

#endif
