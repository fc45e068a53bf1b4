/* SPDX-License-Identifier: Apache-2.0
 *
 * An interface device from reset to reset, for cards that are to speak T=1: it takes the ATR, asks
 * for parameters (PPS) if it is told to, and then sends command after command with terminal_t1.h.
 * With nothing left to send it resets the card, and so it does when the card does not answer.
 *
 *     reader_t1_start(&reader, &config, seed);
 *     reader.next = ..., reader.done = ...;
 *     cos_transport_serve(&transport, &reader.sim.card, ...);   returns at the reset
 *     reader_t1_release(&reader);                               the next life
 */
#ifndef TESTS_READER_T1_H
#define TESTS_READER_T1_H

#include "cos/bytes.h"
#include "terminal_t1.h"

enum reader_state { READER_IN_ATR, READER_AT_PPS, READER_IN_T1, READER_OVER };

struct reader_t1 {
    struct line_sim sim;
    struct terminal_t1 terminal;
    struct terminal_t1_config config; /* f and d: those that hold in the end */
    const uint8_t *pps;               /* request; NULL: none */
    size_t pps_length;

    void *context;
    /* The next command, which must stay until `done`; NULL data: none. */
    struct cos_span (*next)(void *context);
    /* What became of it: a response for TERMINAL_DONE. */
    void (*done)(void *context, enum terminal_outcome outcome, struct cos_span response);

    enum reader_state state;
    struct line_device inner; /* what terminal_t1.h has made of the device's end */
    uint8_t atr[40], answer[8];
    size_t atr_length, answer_length;
    uint64_t heard_at; /* leading edge of the last character, of the card's or of a PPS request */
    bool refused;      /* no answer to PPS, or another one */

    /* In T=1, from the card: etu from one character to the next of a block, and from the last one
     * of the device to a block, at least. */
    uint64_t least_guard, least_turn;
    uint64_t most_turn; /* the latter at most, in BWT that were granted: etu */
};

void reader_t1_start(struct reader_t1 *reader, const struct terminal_t1_config *config,
                     uint64_t seed);
/* RST is high again. */
void reader_t1_release(struct reader_t1 *reader);

#endif
