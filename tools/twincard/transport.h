/* SPDX-License-Identifier: Apache-2.0
 *
 * The wire to the reader: a TCP connection that the card dials (vpcd), or a Unix stream socket that
 * it listens on. Signals to end are blocked except while a function here waits, so that none comes
 * in the middle of a command.
 */
#ifndef TWINCARD_TRANSPORT_H
#define TWINCARD_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct transport {
    int listening; /* Unix socket, or -1 */
    int client;    /* connection, or -1 */
    bool tcp;
    const char *path; /* of the Unix socket, to be removed */
};

enum transport_result {
    TRANSPORT_DATA,    /* something was read */
    TRANSPORT_CLOSED,  /* the other side is gone */
    TRANSPORT_WATCHED, /* the watched descriptor hung up */
    TRANSPORT_STOP,    /* SIGTERM, SIGINT or SIGHUP came */
};

/* Blocks and catches the signals; to be called once, first. */
void transport_signals(void);

/* Dials HOST:PORT ([HOST]:PORT for IPv6). False after one line to message[capacity]. */
bool transport_dial(struct transport *transport, const char *address, char *message,
                    size_t capacity);
/* Listens on `path`, which must outlive the transport; a socket that nobody listens on any more is
 * replaced. False after one line to message[capacity]. */
bool transport_listen(struct transport *transport, const char *path, char *message,
                      size_t capacity);

/* Waits for a client (TRANSPORT_DATA: there is one). */
enum transport_result transport_accept(struct transport *transport);
/* Waits for bytes and reads up to `capacity`. `watched` (or -1) is a descriptor whose hang-up ends
 * the wait. */
enum transport_result transport_read(struct transport *transport, int watched, uint8_t *data,
                                     size_t capacity, size_t *length);
/* Writes all in one piece, as far as the system takes it. */
enum transport_result transport_write(struct transport *transport, const uint8_t *data,
                                      size_t length);

void transport_hang_up(struct transport *transport);
/* Closes all and removes the Unix socket. */
void transport_close(struct transport *transport);

#endif
