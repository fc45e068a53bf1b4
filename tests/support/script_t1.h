/* SPDX-License-Identifier: Apache-2.0
 *
 * A device of T=1 that follows a script: it sends the blocks that stand there and expects those of
 * the card byte by byte, with BGT before each and nothing else on the line. Any difference fails
 * the running cmocka test.
 *
 * A script is text, one block after the other, separated by spaces: `d` (device) or `c` (card),
 * a colon, hexadecimal bytes. An LRC is appended unless the block ends in a mark:
 *
 *     d:000002AABB      a good block
 *     d:000002AABB!     its LRC is wrong
 *     d:000002AABB%3    the character with index 3 has wrong parity (LRC and all else is right)
 *     d:000002AABB~     just these characters; then the line is silent
 *
 * The application answers command n with response n of a list; if there is no such, with the
 * command.
 */
#ifndef TESTS_SCRIPT_T1_H
#define TESTS_SCRIPT_T1_H

#include "cos/bytes.h"
#include "cos/t1.h"

struct script_step {
    bool card;
    uint8_t bytes[300];
    size_t length;
    size_t bad; /* index of the character with wrong parity; >= length: none */
};

struct script {
    struct cos_t1 t1;
    struct cos_t1_parameters parameters;
    struct cos_line line;
    struct script_step steps[80];
    size_t count;
    size_t step, at; /* where the exchange is */
    size_t left;     /* calls of the line until a reset; SIZE_MAX: none comes */

    size_t capacity;    /* of the command buffer; up to 600 */
    uint8_t multiplier; /* each command asks for WTX; 0: none does */
    struct cos_span responses[8];
    size_t commands;      /* that were executed */
    uint8_t command[600]; /* the last of them */
    size_t length;
    uint32_t silence; /* etu that the card last waited in vain */
    size_t too_long;  /* commands that were answered 6700 */
};

/* Default parameters: LRC, IFSC 254, BWI 4, CWI 13, 372/1; a new script is empty. */
void script_start(struct script *script);
void script_add(struct script *script, const char *text);
void script_add_block(struct script *script, bool card, const uint8_t *bytes, size_t length);
/* Plays it from cos_t1_start() to its end. */
void script_play(struct script *script);
/* Goes on where the last one ended, with other steps. */
void script_continue(struct script *script, const char *text);
/* Plays until the line is reset after `calls`, and returns whether it came to that. */
bool script_cut(struct script *script, size_t calls);

#endif
