/* SPDX-License-Identifier: Apache-2.0
 *
 * An interface device that speaks T=1, written from ISO/IEC 7816-3:2006, 11, for the device's end
 * of a simulated line: it sends command APDUs, chains by IFSC, answers what the card may ask for,
 * watches BWT and CWT, and recovers from errors by the rules of 11.6.3: a request is made three
 * times, then S(RESYNCH request) three times, then the card is reset.
 *
 *     terminal_t1_start(&terminal, &config, &sim);
 *     terminal_t1_begin(&terminal, command, length);
 *     ... let the card run until terminal.outcome is no longer TERMINAL_BUSY ...
 *
 * A command is never sent again after RESYNCH or reset: its outcome says that it failed, and leaves
 * open whether the card has executed it.
 */
#ifndef TESTS_TERMINAL_T1_H
#define TESTS_TERMINAL_T1_H

#include "line_sim.h"

enum terminal_edc { TERMINAL_LRC, TERMINAL_CRC_HIGH_FIRST, TERMINAL_CRC_13239 };

struct terminal_t1_config {
    enum terminal_edc edc;
    uint8_t nad;
    uint8_t ifsc, bwi, cwi; /* of the card's ATR */
    uint16_t f;
    uint8_t d;
    uint8_t ifsd;        /* asked for before the first command; 0: it does not ask */
    uint16_t guard;      /* etu between its characters, 11 or more */
    uint32_t delay;      /* etu before its blocks, BGT or more */
    bool impatient;      /* breaks rule 7.1: the first answer to a bad block is its I-block again */
    bool abort_response; /* S(ABORT request) when the card begins to chain */
};

enum terminal_outcome {
    TERMINAL_BUSY,
    TERMINAL_DONE,           /* there is a response */
    TERMINAL_CARD_ABORTED,   /* the card ended the chain of the command */
    TERMINAL_ABORTED,        /* the device ended the chain of the response */
    TERMINAL_RESYNCHRONISED, /* failed; the card has answered RESYNCH */
    TERMINAL_RESET,          /* failed; RST is low */
};

enum terminal_sent {
    TERMINAL_SENT_I,
    TERMINAL_SENT_R,
    TERMINAL_SENT_REQUEST,
    TERMINAL_SENT_RESPONSE
};

struct terminal_t1 {
    struct terminal_t1_config config;
    struct line_sim *sim;
    enum terminal_outcome outcome;
    uint64_t bwt, cwt;
    uint8_t ifsc, ifsd;
    bool ifsd_asked;

    const uint8_t *command;
    size_t length, at; /* at: what the card has acknowledged */
    size_t part;       /* of the I-block under way */
    bool pending;      /* an I-block of ours is not acknowledged */
    uint8_t number;    /* N(S) of our next I-block, or of the one under way */
    uint8_t expected;  /* N(S) of the card's next one */
    bool aborted;      /* by the card: it owes an R-block */
    uint8_t response[700];
    size_t response_length;

    enum terminal_sent last;
    uint8_t block[300]; /* the last one sent */
    size_t block_length;
    uint64_t sent_at; /* leading edge of its last character */
    unsigned multiplier;
    unsigned tries; /* that failed in a row */

    uint8_t heard[700];
    size_t heard_length;
    bool heard_badly;
    uint64_t heard_at;

    /* Counts since terminal_t1_start(). */
    uint64_t blocks, extensions, repetitions, resynchronisations, resets;
};

void terminal_t1_start(struct terminal_t1 *terminal, const struct terminal_t1_config *config,
                       struct line_sim *sim);
/* Begins to send a command of 1 byte or more, which must stay where it is. */
void terminal_t1_begin(struct terminal_t1 *terminal, const uint8_t *command, size_t length);
/* After a reset, when RST is high again: the protocol starts anew. */
void terminal_t1_restart(struct terminal_t1 *terminal, const struct terminal_t1_config *config);

#endif
