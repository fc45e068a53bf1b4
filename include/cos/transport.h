/* SPDX-License-Identifier: Apache-2.0
 *
 * The contacts from reset to reset: answer to reset, protocol and parameters selection, then
 * command after command in the protocol that was chosen (ISO/IEC 7816-3:2006, 6.3). Everything
 * above characters is here; characters, parity and the clock in etu are the board's (struct
 * cos_line of cos/port.h). Bytes are given to the line as values; in the inverse convention the
 * board turns them over.
 *
 *     for (;;) {                                     from reset to reset
 *         length = cos_app_atr(&board, &config, atr, sizeof atr);
 *         cos_transport_serve(&transport, &line, &handler, (struct cos_span){atr, length});
 *     }
 *
 * From reset to the first character of the ATR nothing is done here but setting the line. The
 * handler starts the card at its first command: then the waiting time can be extended, before it
 * cannot.
 *
 * Characters that come while the core waits for none (while a command is being executed, or
 * `settle` runs) are the board's to keep: of a command that follows at once, five with T=0.
 */
#ifndef COS_TRANSPORT_H
#define COS_TRANSPORT_H

#include "cos/atr.h"
#include "cos/pps.h"
#include "cos/t0.h"

/* What the card does with commands. */
struct cos_transport_handler {
    void *context;
    /* Executes a command APDU and writes the response APDU to response[capacity]; returns its
     * length, at least
     * 2. The same as cos_app_command(). */
    size_t (*command)(void *context, uint8_t *command, size_t length, uint8_t *response,
                      size_t capacity);
    /* T=0: cos/t0.h; cos_app_direction(). */
    enum cos_t0_direction (*direction)(void *context, const uint8_t header[5]);
    /* The response is out: cos_app_settle(). Optional. */
    void (*settle)(void *context);
};

/* Constant for the life of an image. */
struct cos_transport_config {
    uint8_t *command; /* the longest command APDU; COS_T0_COMMAND_LEAST bytes or more */
    size_t command_size;
    uint8_t *response; /* COS_T0_RESPONSE_LEAST bytes or more */
    size_t response_size;
    const uint16_t *pairs; /* pairs of Fi and Di that the board can do: struct cos_pps_offer */
    bool one_by_one;       /* T=0: struct cos_t0_config */
};

/* All state. The caller provides the memory; nothing in it is for the caller. */
struct cos_transport {
    struct cos_transport_config config;
    const struct cos_transport_handler *handler;
    const struct cos_line *line;
    struct cos_atr atr;
    bool handed; /* the first character, which was looked at, is the protocol's */
    uint8_t first;
    uint8_t protocol, fi_di;
    struct cos_t0 t0;
};

void cos_transport_start(struct cos_transport *transport,
                         const struct cos_transport_config *config);

/* Sends the ATR, which cos_atr_read() must take, and serves the interface device until the next
 * reset; then COS_E_LINE_RESET. In negotiable mode the first character is PPSS (FF), and after the
 * exchange the protocol and the pair that were agreed upon hold; or it is another one and belongs
 * to the first offered protocol, at 372 and 1. In specific mode TA2 and TA1 hold at once. What has
 * no answer (a wrong PPS request, characters that stay wrong) leaves the card silent. When it
 * returns, both buffers are wiped. */
enum cos_result cos_transport_serve(struct cos_transport *transport, const struct cos_line *line,
                                    const struct cos_transport_handler *handler,
                                    struct cos_span atr);

/* To be called from the board's idle hook, at least twice in a waiting time: if a command is being
 * executed and half the waiting time is over, asks for more (T=0: NULL). */
void cos_transport_idle(struct cos_transport *transport);

#endif
