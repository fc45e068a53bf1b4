/* SPDX-License-Identifier: Apache-2.0
 *
 * An interface device with T=0 and the line to it, character by character with a clock in etu,
 * written from ISO/IEC 7816-3:2006 (7 to 10, 12.2) alone. Nothing runs by itself: when the card
 * waits for a character, the device sends the next one or gives up. It maps command APDUs to TPDUs
 * and back, obeys procedure bytes, repeats characters and has them repeated, and notes whatever the
 * card does that it may not.
 *
 *     struct terminal_t0 terminal;
 *     terminal_t0_init(&terminal);
 *     terminal.next = ..., terminal.done = ...;
 *     cos_transport_serve(&transport, &terminal.line, ...);    returns when the device resets the
 * card
 */
#ifndef TESTS_TERMINAL_T0_H
#define TESTS_TERMINAL_T0_H

#include "cos/bytes.h"
#include "cos/port.h"

enum { TERMINAL_LOG = 4096, TERMINAL_RESPONSE = 65538, TERMINAL_ATR = 33 };

/* What can happen to a character on its way. Parity shows the first one, and nothing shows the
 * others: then whatever follows is noted in nobody's disfavour. */
enum terminal_fault {
    TERMINAL_SOUND,
    TERMINAL_WRONG_PARITY,
    TERMINAL_LOST,
    TERMINAL_ALTERED, /* two bits */
    TERMINAL_DOUBLED,
    TERMINAL_INSERTED, /* one more before it */
};

/* Why it reset the card. */
enum terminal_end {
    TERMINAL_FINISHED,  /* there is nothing more to send */
    TERMINAL_TIMED_OUT, /* the card was silent for longer than the waiting time */
    TERMINAL_REPEATED,  /* a character was wrong four times */
    TERMINAL_PROCEDURE, /* a byte that is no procedure byte */
    TERMINAL_PPS,       /* an answer to PPS that may not be */
};

enum terminal_state {
    TERMINAL_IN_ATR,
    TERMINAL_IDLE,
    TERMINAL_SENDING,
    TERMINAL_AT_PPS,
    TERMINAL_AT_PROCEDURE,
    TERMINAL_AT_DATA,
    TERMINAL_AT_SW2,
    TERMINAL_OVER,
};

/* A command TPDU (12.2.1). */
struct terminal_tpdu {
    uint8_t header[5];
    const uint8_t *data;  /* that the card is to get */
    size_t length, given; /* of them */
    size_t wanted, got;   /* that the card is to give */
};

struct terminal_t0 {
    struct cos_line line; /* for the card */
    struct cos_line_parameters parameters;

    /* What to do. The APDU must stay until `done`; NULL data: there is none. `raw`: they are TPDUs,
     * headers with data behind them, or headers alone, whose P3 is Le; nothing is done about 61XX
     * and 6CXX. */
    void *context;
    struct cos_span (*next)(void *context);
    void (*done)(void *context, const uint8_t *response, size_t length);
    bool raw;
    const uint8_t *pps; /* request to begin with; NULL: none */
    size_t pps_length;
    enum terminal_fault (*fault)(void *context, bool from_card);
    unsigned pause; /* etu before each character, on top of the guard time */
    size_t chunk;   /* largest piece of an ENVELOPE: 255 */

    /* The clock, in etu: now, and when the last character began. */
    uint64_t now, last;
    bool last_from_card;

    /* From the ATR and PPS. */
    uint8_t atr[TERMINAL_ATR];
    size_t atr_length;
    uint8_t pps_answer[6];
    size_t pps_answer_length;
    uint32_t waiting_time, guard;
    unsigned d;

    /* Where it is. */
    enum terminal_state state, after; /* `after`: when everything is sent */
    const uint8_t *out;
    size_t out_length;
    unsigned repeats;
    bool lost;  /* a character, since the reset, or altered or too many */
    size_t run; /* data bytes until the next procedure byte */
    uint8_t sw1;
    struct terminal_tpdu tpdu;

    /* The command APDU under way (12.1.3). */
    struct cos_span apdu;
    bool extended;
    size_t nc, ne;
    size_t enveloped; /* bytes of it that went out in pieces */
    bool by_envelope;
    uint8_t response[TERMINAL_RESPONSE];
    size_t response_length;

    /* What happened. */
    struct {
        bool from_card;
        uint8_t character;
    } log[TERMINAL_LOG];
    size_t logged;
    enum terminal_end end;
    size_t commands, characters, nulls, refused;
    uint64_t longest;  /* etu that the card took for a character, at most */
    const char *wrong; /* what the card did that it may not; NULL: nothing */
};

/* A device that is about to see an ATR, with everything else as usual. */
void terminal_t0_init(struct terminal_t0 *terminal);
/* The same device after it has reset the card: the clock goes on, the ATR comes again. */
void terminal_t0_reset(struct terminal_t0 *terminal);

#endif
