/* SPDX-License-Identifier: Apache-2.0
 *
 * Ways to a card. Each powers the card on and reads its ATR when it is opened.
 */
#ifndef TWINCTL_TRANSPORT_H
#define TWINCTL_TRANSPORT_H

#include "bytes.h"
#include "problem.h"

#include <sys/types.h>

#define TRANSPORT_ATR_MAX 33U
#define TRANSPORT_MAX     65535U /* bytes of a command or response, as the framing allows */

struct transport {
    /* Sends a command APDU of 2 to TRANSPORT_MAX bytes and waits for the response, which is then in
     * `response`, at least 2 bytes. TROUBLE if the card is gone. */
    enum outcome (*exchange)(struct transport *transport, const uint8_t *command, size_t length,
                             struct problem *problem);
    /* Powers the card off and lets go of it. */
    void (*close)(struct transport *transport);

    size_t atr_length;
    uint8_t atr[TRANSPORT_ATR_MAX];
    size_t response_length;
    uint8_t response[TRANSPORT_MAX];

    /* What the kinds keep. */
    int socket;
    pid_t card;      /* a card of our own, 0 = none */
    char folder[64]; /* where its socket is */
    unsigned long pcsc_context, pcsc_card, pcsc_protocol;
};

/* A card that listens on a Unix socket with the framing of vpcd: 2-byte length, then one control
 * byte (0 power off, 1 power on, 2 reset, 4 send the ATR) or the APDU. */
enum outcome transport_socket(struct transport *transport, const char *path,
                              struct problem *problem);

/* Its two halves, and its close. connect returns 0 or an errno. */
int transport_socket_connect(struct transport *transport, const char *path);
enum outcome transport_socket_power_on(struct transport *transport, struct problem *problem);
void transport_socket_close(struct transport *transport);

/* Starts the card of `folder`: the program twincard that stands beside this one, with a socket in a
 * temporary folder. It ends with close(). */
enum outcome transport_card(struct transport *transport, const char *folder,
                            struct problem *problem);

/* A card in a PC/SC reader: the first one whose name contains `name`. */
enum outcome transport_reader(struct transport *transport, const char *name,
                              struct problem *problem);

/* The path of the program `name` that stands beside this one. False if it does not fit. */
bool program_beside(const char *name, char *path, size_t size);

#endif
