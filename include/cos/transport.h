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
 * Characters that come while the core waits for none are the board's to keep: while `settle` runs
 * those of a command that follows at once, five with T=0, a block with T=1 (IFSC + 5). A board that
 * cannot keep a block settles in less than 22 etu (BGT), or loses it, and the device repeats it.
 */
#ifndef COS_TRANSPORT_H
#define COS_TRANSPORT_H

#include "cos/atr.h"
#include "cos/pps.h"
#include "cos/t0.h"
#include "cos/t1.h"

/* What the card does with commands. */
struct cos_transport_handler {
    void *context;
    /* Executes a command APDU and writes the response APDU to response[capacity]; returns its
     * length, at least 2. The same as cos_app_command(). */
    size_t (*command)(void *context, uint8_t *command, size_t length, uint8_t *response,
                      size_t capacity);
    /* T=0: cos/t0.h; cos_app_direction(). */
    enum cos_t0_direction (*direction)(void *context, const uint8_t header[5]);
    /* The response is out: cos_app_settle(). Optional. */
    void (*settle)(void *context);
    /* A command came that `command` does not get, for it does not fit or its instruction is none:
     * cos_app_refused(), if the card was started. Optional. */
    void (*refused)(void *context);
};

/* Constant for the life of an image. */
struct cos_transport_config {
    uint8_t *command; /* the longest command APDU; COS_T0_COMMAND_LEAST bytes or more */
    size_t command_size;
    uint8_t *response; /* COS_T0_RESPONSE_LEAST bytes or more */
    size_t response_size;
    const uint16_t *pairs; /* pairs of Fi and Di that the board can do: struct cos_pps_offer */
    bool one_by_one;       /* T=0: struct cos_t0_config */
    bool crc_13239;        /* T=1: the form of the CRC, if the ATR says CRC: enum cos_t1_edc */
    uint8_t request_ifsc;  /* T=1: struct cos_t1_parameters */
    bool abort_oversize;   /* T=1: the same */
};

/* All state. The caller provides the memory; nothing in it is for the caller. */
struct cos_transport {
    struct cos_transport_config config;
    const struct cos_transport_handler *handler;
    const struct cos_line *line;
    struct cos_atr atr;
    bool handed; /* the first character, which was looked at, is the protocol's: */
    uint8_t first;
    enum cos_result received; /* and what cos_line.receive said of it */
    uint8_t protocol, fi_di;
    bool serving;           /* the protocol was chosen, its state below holds */
    bool executing;         /* T=1: a command is under way */
    enum cos_result broken; /* what an extension of its time failed with */
    union {
        struct cos_t0 t0;
        struct cos_t1 t1;
    };
};

void cos_transport_start(struct cos_transport *transport,
                         const struct cos_transport_config *config);

/* Sends the ATR, which cos_atr_read() must take, and serves the interface device until the next
 * reset; then COS_E_LINE_RESET. In negotiable mode the first character is PPSS (FF), and after the
 * exchange the protocol and the pair that were agreed upon hold; or it is another one and belongs
 * to the first offered protocol, at 372 and 1. In specific mode TA2 and TA1 hold at once. What has
 * no answer (a wrong PPS request, with T=0 characters that stay wrong) leaves the card silent. A
 * response of less than two bytes becomes 6F00, as does with T=0 a status word that is none; with
 * T=1 a command longer than the buffer is not executed, and answered 6700. What a life before has
 * left in both buffers is wiped behind the ATR, or at once if there is a reset in it. */
enum cos_result cos_transport_serve(struct cos_transport *transport, const struct cos_line *line,
                                    const struct cos_transport_handler *handler,
                                    struct cos_span atr);

/* To be called from the board's idle hook, at least twice in a waiting time: if a command is being
 * executed and half the waiting time is over, asks for more (T=0: NULL; T=1: S(WTX request), and
 * waits for the response). */
void cos_transport_idle(struct cos_transport *transport);

#endif
