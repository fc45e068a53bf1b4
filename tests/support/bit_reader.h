/* SPDX-License-Identifier: Apache-2.0
 *
 * A reader at the level of contacts: a list of steps, each a level, a time, or characters bit by
 * bit, written from ISO/IEC 7816-3:2006 (6, 7) alone. It drives the simulated board of the host
 * port.
 */
#ifndef TESTS_BIT_READER_H
#define TESTS_BIT_READER_H

#include "contacts.h"

enum bit_op {
    BIT_END,
    BIT_VCC,    /* value: enum host_vcc */
    BIT_RST,    /* value: 0, 1 */
    BIT_CLK,    /* value: enum host_clk */
    BIT_IO,     /* value: 0, 1 */
    BIT_RUN,    /* value: so many periods of CLK pass */
    BIT_SPEED,  /* value: F << 8 | D, from now on */
    BIT_SEND,   /* bytes; value n: the n-th of them (from 1) goes with wrong parity first */
    BIT_HEAR,   /* bytes are to come; value n: the n-th of them (from 1) is refused twice */
    BIT_SILENT, /* value: for so many periods I/O is not pulled low */
    BIT_STATE,  /* value: enum host_contacts_state of the board */
};

struct bit_step {
    enum bit_op op;
    uint32_t value;
    const char *bytes; /* hexadecimal */
};

struct bit_reader {
    struct host_contacts *board;
    const struct bit_step *steps; /* until BIT_END */
    bool inverse;
    bool signals; /* errors */

    uint64_t at, edge, released; /* time of the next action; leading edge; RST went high */
    uint32_t f, d;
    unsigned index, phase, bits, refused, times;
    uint64_t first;   /* periods from RST high to the first character that was heard; 0: none */
    uint64_t least;   /* fewest periods between leading edges of the card at this speed */
    char levels[11];  /* of the last character: L, H */
    unsigned repeats; /* characters that the card refused, and that were sent again */
    unsigned
        wrong_step;    /* number of the first step, from 1, that did not go as it should; 0: none */
    const char *wrong; /* and why */
};

/* Puts the reader at the board: from where it is, the steps; what was measured is kept. */
void bit_reader_run(struct bit_reader *reader, struct host_contacts *board,
                    const struct bit_step *steps);

#endif
