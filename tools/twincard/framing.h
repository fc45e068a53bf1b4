/* SPDX-License-Identifier: Apache-2.0
 *
 * The framing between a card and vsmartcard's virtual reader: a 2-byte big-endian length, then as
 * many bytes. One byte is a control code, more are a command APDU; what the card sends is framed in
 * the same way. Pure functions.
 */
#ifndef TWINCARD_FRAMING_H
#define TWINCARD_FRAMING_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_HEADER   2U
#define FRAME_BODY_MAX 65535U
#define FRAME_MAX      (FRAME_HEADER + FRAME_BODY_MAX)

enum frame_kind {
    FRAME_INCOMPLETE, /* more bytes are needed */
    FRAME_IGNORED,    /* empty, or a control code that nobody defined: no answer */
    FRAME_POWER_OFF,  /* 0: no answer */
    FRAME_POWER_ON,   /* 1: no answer */
    FRAME_RESET,      /* 2: no answer */
    FRAME_ATR,        /* 4: the answer is the ATR, powered or not */
    FRAME_COMMAND,    /* a command APDU of 2 to 65,535 bytes: the answer is the response APDU */
};

struct frame {
    enum frame_kind kind;
    size_t size; /* of the whole frame, header included; 0 if incomplete */
    size_t body; /* bytes behind the header */
};

/* Looks at what has arrived so far and says what its first frame is. No sequence of bytes is an
 * error: the length alone says where the next frame begins. */
struct frame frame_parse(const uint8_t *bytes, size_t length);

/* Writes the header of an answer of `body` bytes, 1 to 65,535. */
void frame_header(uint8_t header[FRAME_HEADER], size_t body);

#endif
