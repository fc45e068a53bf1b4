/* SPDX-License-Identifier: Apache-2.0
 *
 * The card's side of T=0: characters to command APDUs, response APDUs to characters (ISO/IEC
 * 7816-3:2006, 10 and 12.2). Pure but for the line.
 *
 *     cos_t0_start(&t0, &config);
 *     while (cos_t0_receive(&t0, &length) == COS_OK) {
 *         length = execute(config.command, length, config.response, config.response_size);
 *         if (cos_t0_send(&t0, length) != COS_OK) break;
 *     }
 *
 * Which way the data go. A header says how many bytes follow (P3), not from whom: both sides know
 * that beforehand (10.3.1). The card asks `direction`, with the header:
 *
 *     COS_T0_IN   P3 is Lc. 00: there are no data, and the command APDU has four bytes. Else the
 * data are taken (ACK), and the command APDU is of case 3: T=0 has no place for Le, so whether
 * there was one is not known. Response data are announced with 61XX and wait for GET RESPONSE.
 *     COS_T0_OUT  P3 is Le, 00 for 256: case 2. Or the command is refused whatever its data are,
 * and they are not asked for.
 *
 * Who implements it answers IN for every command that ever takes data, if P1-P2 does not say that
 * this one has none: P3 that is not 00 is then Lc. An interface device that wants such a command
 * without data, but with response data, sends P3 = 00 (and gets 6CXX). A wrong OUT would execute a
 * command without the data that belong to it; a wrong IN executes nothing. So a command under
 * secure messaging, or a part of a chain, is always IN.
 *
 * Lengths. Response data as long as P3 go out with the response. If P3 asks for more than there is
 * (00 counts as 256), the answer is 6CXX: the command has been executed, once, and its response
 * stays here; the same header with P3 = XX, or GET RESPONSE after 61XX, gets it. The same header
 * with another P3 above XX gets 6CXX again. Any other command drops it. 6282 (end reached before Ne
 * bytes) becomes 9000 where Ne was corrected. Whatever is fetched, or dropped, is wiped. GET
 * RESPONSE comes with any class byte of the channel.
 *
 * ENVELOPE (C2, class of ISO/IEC 7816-4 without secure messaging, P1-P2 0000) brings a command APDU
 * in pieces. Each is answered 9000 until the command is whole, and then with the command's
 * response, whose data are announced with 61XX. Whole means: its own length fields say so, and it
 * has Le behind its data; or it has data, and the piece is shorter than the first one, or is the
 * first one and not FF long; or the piece is empty. 6700: it does not fit into the buffer, or an
 * empty piece comes and it is none of the seven forms. What comes between two pieces drops them, a
 * piece with another class byte too, which is the first one of another command. An
 * empty piece behind a command that was whole without it, and had no response data, gets its status
 * word once more.
 *
 * Errors on the line. A character that the interface device refuses is repeated up to three times,
 * no earlier than 13 etu after the first time; one with wrong parity is refused by the board and
 * awaited again, up to three times (7.3). After that the card is silent until it is reset: 10 knows
 * no other way out.
 *
 * Time. The waiting time bounds the card's characters only (7.2): it waits for the interface device
 * for ever. A character in the other direction comes no earlier than 16 etu after the last one (12
 * would do; EMV Book 1, 9.2.2.1, has 16).
 */
#ifndef COS_T0_H
#define COS_T0_H

#include "cos/apdu.h"
#include "cos/port.h"

#define COS_T0_COMMAND_LEAST  260U /* bytes: header, Lc, 255 bytes of data */
#define COS_T0_RESPONSE_LEAST 258U /* bytes: 256 bytes of data, status word */

enum cos_t0_direction { COS_T0_OUT, COS_T0_IN };

struct cos_t0_config {
    const struct cos_line *line;
    /* Which way the data of a command with this header go: CLA INS P1 P2 P3. */
    enum cos_t0_direction (*direction)(void *context, const uint8_t header[5]);
    /* An invalid instruction was refused: struct cos_transport_handler. Optional. */
    void (*refused)(void *context);
    void *context;
    uint8_t *command; /* COS_T0_COMMAND_LEAST bytes or more: the longest command by ENVELOPE */
    size_t command_size;
    uint8_t *response; /* COS_T0_RESPONSE_LEAST bytes or more */
    size_t response_size;
    uint32_t waiting_time; /* WT in etu: WI * 960 * Di (10.2) */
    bool one_by_one; /* a data byte is asked for when the one before it is in its place (INS xor
                        FF), for boards that cannot take several in a row */
};

/* What has not been fetched yet. */
enum cos_t0_kept { COS_T0_NOTHING, COS_T0_ANNOUNCED, COS_T0_WRONG_LE };

struct cos_t0 {
    struct cos_t0_config config;
    uint8_t header[5];     /* of the command under way */
    uint8_t asked[4];      /* of the command whose response is kept */
    enum cos_t0_kept kept; /* 61XX or 6CXX was sent */
    size_t length, sent;   /* response data, in config.response, and what of them is out */
    uint16_t sw;           /* that ends them */
    size_t gathered;       /* bytes of a command in pieces, in config.command */
    uint8_t piece;         /* length of its first piece */
    uint8_t piece_class;   /* CLA of all of them */
    bool fetched;          /* response data of the command under way are to be announced */
    bool ended;  /* it came in pieces and had no response data: an empty piece gets its status again
                  */
    bool turned; /* the last character came from the interface device */
    bool handed; /* header[0] is there already */
    bool busy;   /* it waits for a procedure byte */
    enum cos_result broken; /* what cos_t0_extend() failed with */
};

void cos_t0_start(struct cos_t0 *t0, const struct cos_t0_config *config);

/* The first character of the first header, if the caller had to read it to see whether it begins a
 * PPS. */
void cos_t0_first(struct cos_t0 *t0, uint8_t character);

/* Receives the next command APDU that is for the application, into config.command; answers by
 * itself what is not: GET RESPONSE and repetitions for what is kept, pieces but the last one,
 * invalid instructions (6X, 9X: 6D00). COS_E_LINE_RESET; COS_E_LINE_PARITY: the line is too bad,
 * the card must be silent. */
enum cos_result cos_t0_receive(struct cos_t0 *t0, size_t *length);

/* Sends the response APDU in config.response, or what can be sent of it now. Less than two bytes,
 * or a status word that is none (not 6X or 9X, or 60), becomes 6F00. Errors as above. */
enum cos_result cos_t0_send(struct cos_t0 *t0, size_t length);

/* While a command is being executed, and by `direction`: sends NULL (60), so that the waiting time
 * begins anew. At other times nothing. Errors appear at the next cos_t0_send(). */
void cos_t0_extend(struct cos_t0 *t0);

/* The same if half of the waiting time has passed since the last character: to be called at least
 * that often. */
void cos_t0_idle(struct cos_t0 *t0);

#endif
