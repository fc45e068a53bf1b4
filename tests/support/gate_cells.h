/* SPDX-License-Identifier: Apache-2.0
 *
 * What the call gate may answer: for each call, operation, length and life-cycle state one request,
 * as sensible as its length allows, and the one allowed outcome, computed from the tables in
 * cos/gate.h and from docs/formats.md ("Calls"), not asked of the code.
 *
 * The cards are those of gate_rig_at(): nobody is authenticated, nothing is pending.
 */
#ifndef GATE_CELLS_H
#define GATE_CELLS_H

#include "cos/gate.h"

/* A row of the call table. */
struct gate_row {
    const char *name;
    unsigned opcode, smallest, largest, response, states, session, served;
};
extern const struct gate_row gate_rows[];
extern const size_t gate_rows_count;
const struct gate_row *gate_row_of(unsigned opcode);

/* Operations of a call: writes their numbers and returns how many there are, 0 of a call without
 * any. */
size_t gate_operations_of(unsigned opcode, uint8_t operations[16]);

struct gate_cell {
    enum cos_life_cycle state;
    unsigned opcode;
    unsigned operation; /* first byte of the request; of a call without operations it is ignored */
    size_t length;
    bool sealed;      /* in the session, else in the clear */
    unsigned channel; /* if its request names one; on channel 0 the application is selected */
};

/* Where the request names its channel; -1: it does not. */
int gate_cell_channel_at(const struct gate_cell *cell);

/* Writes the request, COS_GATE_MESSAGE_MAX bytes of which the cell's length count. */
void gate_cell_fill(const struct gate_cell *cell, uint8_t *message);

struct gate_outcome {
    bool silent;   /* no answer at all */
    bool executed; /* a handler saw it; else nothing may change but the channel */
    int result;    /* enum cos_result */
    size_t body;
};
struct gate_outcome gate_cell_outcome(const struct gate_cell *cell);

#endif
