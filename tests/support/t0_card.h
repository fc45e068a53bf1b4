/* SPDX-License-Identifier: Apache-2.0
 *
 * A card that plays prepared answers through the transport, and the interface device of
 * terminal_t0.h at the other end of the line. Everything is hexadecimal text, words with a space
 * between them: what the device sends, what the card executes and answers, what the device gets,
 * and the characters on the line: '>' to the card, '<' from it.
 */
#ifndef TESTS_T0_CARD_H
#define TESTS_T0_CARD_H

#include "cos/transport.h"
#include "terminal_t0.h"

enum { T0_CARD_COMMAND = 1024, T0_CARD_RESPONSE = 1024, T0_CARD_TEXT = 16384 };

struct t0_card {
    struct terminal_t0 terminal;
    struct cos_transport transport;
    struct cos_transport_config config;
    struct cos_transport_handler handler;
    uint8_t command[T0_CARD_COMMAND], response[T0_CARD_RESPONSE];
    uint8_t apdu[T0_CARD_COMMAND];

    const char *atr;     /* 3B00 */
    const char *apdus;   /* what the device sends; a word NN*HH.. is NN bytes 00 01 02 ... and then
                            these, and belongs to the word before it */
    const char *answers; /* response APDUs, one for each command that is executed; NN*9000: NN bytes
                            00 01 02 ... first */
    const char *in;      /* instructions that take data; others are OUT */
    unsigned extend_direction,
        extend_command; /* NULLs that are asked for in `direction` and `command` */
    uint32_t
        work; /* etu that a command takes; the board calls the idle hook every `step` of them */
    uint32_t step;
    bool started;
    unsigned settled;
    size_t answered; /* data bytes of the last answer */

    char executed[T0_CARD_TEXT], responses[T0_CARD_TEXT], wire[T0_CARD_TEXT];
};

/* Everything as usual, nothing to send. */
void t0_card_init(struct t0_card *card);
/* From reset to reset. Fails the test if the card did what no card may. */
void t0_card_run(struct t0_card *card);
/* The characters on the line since the ATR (and PPS, if there was one). */
const char *t0_card_wire(struct t0_card *card);

#endif
