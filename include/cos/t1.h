/* SPDX-License-Identifier: Apache-2.0
 *
 * The card's side of T=1, ISO/IEC 7816-3:2006, 11: blocks on the I/O contact become command APDUs,
 * and response APDUs become blocks. Writes no NVM. All times are in etu.
 *
 *     cos_t1_start(&t1, &parameters);              after the ATR, or after PPS
 *     for (;;) {
 *         result = cos_t1_receive(&t1, line, command, sizeof command, &length);
 *         ... COS_E_LINE_RESET ends it; COS_E_LENGTH is answered 6700 ...
 *         ... execute; whenever cos_t1_due(&t1, line->elapsed(...)): cos_t1_extend(&t1, line, n)
 *         cos_t1_send(&t1, line, response, length);
 *     }
 *
 * The line is the caller's to set (cos_line.set): no error signal, and a guard of 12, or of 11
 * where TC1 is FF (11.2). Blocks are read straight into the command buffer and sent straight from
 * the response buffer, so the protocol has no buffer of its own.
 *
 * What is answered:
 *
 * - I-block: when it is the expected one, R(next) if more follow, else the response. With another
 *   N(S): R(expected), error 2. A command is therefore executed once, however often it is repeated.
 * - R-block: N(R) is the number of the last I-block that the card sent, and nothing has been
 *   accepted since: this block again. N(R) is the number of the next one, in the middle of a chain:
 *   the next. Anything else: R(expected), with the error of the last R if that was the last block.
 * - S(IFS request), S(RESYNCH request), S(ABORT request): the response. A block that has to be
 *   repeated is repeated as it was, also behind a smaller IFSD. RESYNCH takes everything
 *   back to where cos_t1_start() left it, ABORT drops the chain, whoever sends it, and leaves the
 *   numbers; a response that was sent to its end is no chain any more, and can be asked for.
 * - The card's own S requests are repeated until their response comes, or RESYNCH.
 * - A block that was not received well: R(expected), error 1 for parity and EDC, error 2 for all
 *   else: RFU codings, LEN FF, LEN above IFSC, wrong NAD, a character later than CWT, an S response
 *   that nothing asked for. The answer waits until the line was silent for CWT (but not for more
 *   than three quarters of BWT): LEN cannot be believed then, the device may still be sending.
 *
 * The card never times out and never gives up: it only answers (11.6.3; the device counts tries).
 * Where the standard has it silent is: after a reset, until the first block; while it executes; and
 * when the device has sent RESYNCH during execution, until the execution ends.
 *
 * NAD (11.3.2.1): b8 and b4 are 0; SAD and DAD differ, or NAD is 00. The first good block settles
 * the logical connection, the only one until RESYNCH: its NAD, with SAD and DAD exchanged, is in
 * all blocks of the card. Any other NAD is an error. RESYNCH may come over another connection,
 * which then is the one.
 */
#ifndef COS_T1_H
#define COS_T1_H

#include "cos/port.h"

/* Error detection code, 11.4.4. The standard leaves the form of the CRC to ISO/IEC 13239; readers
 * disagree. Polynomial 8408 (reflected), from FFFF. */
enum cos_t1_edc {
    COS_T1_LRC,       /* XOR of all bytes before it: what is used in the field */
    COS_T1_CRC,       /* high byte first, as it is: what Linux readers send */
    COS_T1_CRC_13239, /* complemented, low byte first: the form of ISO/IEC 13239 */
};

struct cos_t1_parameters {
    enum cos_t1_edc edc; /* first TC for T=1 */
    uint8_t ifsc;        /* first TA for T=1, 01 to FE; 20 if absent */
    uint8_t bwi;         /* first TB for T=1, 0 to 9; 4 if absent */
    uint8_t cwi;         /* 0 to 15; 13 if absent */
    uint16_t f;          /* F and D in use: after PPS its, else those of the ATR or 372 and 1 */
    uint8_t d;
    uint8_t request_ifsc; /* the card asks for this IFSC before its first response; 00: it does not
                             ask. 01 to FE */
    bool abort_oversize;  /* A chain longer than the command buffer. False: it is taken to its end
                             and answered 6700, a word that reaches the application. True: S(ABORT
                             request), then R, which returns the right to send (11.6.3, rule 9). A
                             command that only its last block makes too long is answered 6700. */
};

/* Private to the two files of T=1. */
struct cos_t1 {
    struct cos_t1_parameters parameters;
    uint32_t bwt, cwt;
    uint8_t ifsc, ifsd;
    bool ifsc_settled;   /* the card need not ask */
    bool connected;      /* nad is settled */
    uint8_t nad;         /* of the card's blocks */
    uint8_t next;        /* N(S) of the next I-block to be sent: 0 or 1 */
    uint8_t expected;    /* N(S) of the next I-block to be received */
    bool unacknowledged; /* the I-block below may have to be sent again */
    uint8_t pcb;         /* the last I-block sent */
    uint8_t length;      /* of its INF */
    const uint8_t *inf;  /* which is still where it was */
    uint8_t error;       /* what R(expected) says where nothing new is wrong: 0 to 2 */
    uint8_t multiplier;  /* of BWT, granted to the card */
    bool abandoned;      /* the device does not want the response any more */
    bool handed;         /* the caller has read the first character: */
    uint8_t first;       /* this one, */
    bool first_bad;      /* or its parity was wrong */
};

/* After the ATR, or after PPS: N(S) 0, IFSD 32. COS_E_DATA: a parameter out of its range. */
enum cos_result cos_t1_start(struct cos_t1 *t1, const struct cos_t1_parameters *parameters);

/* The first character of the first block, if the caller had to read it to see whether it begins a
 * PPS. `received` is what cos_line.receive returned: COS_OK or COS_E_LINE_PARITY. */
void cos_t1_first(struct cos_t1 *t1, enum cos_result received, uint8_t character);

/* Waits for ever for a command APDU and answers all other blocks meanwhile. Stores at most
 * `capacity` bytes, at least 1; the length may be 0. While it runs, the last response must still be
 * where cos_t1_send() found it, and not overlap `buffer`. What a chain that was dropped has left in
 * `buffer` stays there: a caller that wipes commands wipes all of it. COS_E_LENGTH: the command is
 * longer than `capacity`, is lost, and waits for an answer like any other. COS_E_LINE_RESET. */
enum cos_result cos_t1_receive(struct cos_t1 *t1, const struct cos_line *line, uint8_t *buffer,
                               size_t capacity, size_t *length);

/* True when a waiting-time extension should be asked for: `elapsed` (cos_line.elapsed) has come
 * within half a BWT of what the card was granted. To be asked at least twice per BWT. Pure. */
bool cos_t1_due(const struct cos_t1 *t1, uint32_t elapsed);

/* Between cos_t1_receive() and cos_t1_send(): S(WTX request), and waits for its response.
 * `multiplier` of BWT, 1 to 255, counts from now on. Does nothing once the device has sent RESYNCH.
 * COS_E_LINE_RESET. */
enum cos_result cos_t1_extend(struct cos_t1 *t1, const struct cos_line *line, uint8_t multiplier);

/* Sends a response APDU in blocks of up to IFSD bytes and returns when the last one is out, or when
 * the device has ended the chain (ABORT, RESYNCH), or at once if it sent RESYNCH before.
 * COS_E_LINE_RESET. */
enum cos_result cos_t1_send(struct cos_t1 *t1, const struct cos_line *line, const uint8_t *response,
                            size_t length);

#endif
