/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks of T=1, ISO/IEC 7816-3:2006, 11.3 and 11.4. Private to T=1.
 */
#ifndef COS_APDU_T1_BLOCK_H
#define COS_APDU_T1_BLOCK_H

#include "cos/t1.h"

/* PCB, 11.3.2.2. */
enum {
    T1_I_NUMBER = 0x40, /* N(S) of an I-block */
    T1_I_MORE = 0x20,   /* M */
    T1_R = 0x80,
    T1_R_NUMBER = 0x10, /* N(R) of an R-block */
    T1_S_RESYNCH = 0xC0,
    T1_S_IFS = 0xC1,
    T1_S_ABORT = 0xC2,
    T1_S_WTX = 0xC3,
    T1_S_RESPONSE = 0x20, /* in an S-block: the response to the request */
};
enum { T1_ERROR_NONE = 0, T1_ERROR_EDC = 1, T1_ERROR_OTHER = 2 };

enum t1_kind { T1_KIND_BAD, T1_KIND_I, T1_KIND_R, T1_KIND_S };

/* A block that came. */
struct t1_block {
    enum t1_kind kind;
    uint8_t nad, pcb, length;
    uint8_t number; /* of an I- or R-block: N(S) or N(R) */
    uint8_t value;  /* first byte of INF */
    uint8_t error;  /* of a bad one: what an R-block says about it */
};

/* Waits for ever for a block. Up to `room` bytes of INF go to `inf`; the others are lost, though
 * the EDC covers them. A bad block is a result like others: it is over when the line was silent for
 * CWT. Settles the logical connection. COS_E_LINE_RESET. */
enum cos_result cos_t1_read_block(struct cos_t1 *t1, const struct cos_line *line, uint8_t *inf,
                                  size_t room, struct t1_block *block);

/* Sends a block, BGT after the last character. COS_E_LINE_RESET. */
enum cos_result cos_t1_write_block(const struct cos_t1 *t1, const struct cos_line *line,
                                   uint8_t pcb, const uint8_t *inf, uint8_t length);

#endif
