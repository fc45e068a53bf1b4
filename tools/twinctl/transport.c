/* SPDX-License-Identifier: Apache-2.0
 *
 * The card behind a Unix socket.
 */
#include "transport.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LISTEN_TRIES 20 /* 10 ms apart */

enum { POWER_OFF = 0, POWER_ON = 1, SEND_ATR = 4 };

/* One frame in one write; MSG_NOSIGNAL because a card may lose power at any time. */
static bool send_frame(int to, const uint8_t *data, size_t length)
{
    uint8_t head[2] = {(uint8_t)(length >> 8), (uint8_t)length};
    struct iovec parts[] = {{.iov_base = head, .iov_len = sizeof head},
                            {.iov_base = (void *)(uintptr_t)data, .iov_len = length}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    while (parts[1].iov_len > 0) {
        ssize_t n = sendmsg(to, &message, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        size_t sent = n > 0 ? (size_t)n : 0;
        for (size_t i = 0; i < 2; i++) {
            size_t part = sent < parts[i].iov_len ? sent : parts[i].iov_len;
            parts[i].iov_base = (uint8_t *)parts[i].iov_base + part;
            parts[i].iov_len -= part;
            sent -= part;
        }
    }
    return true;
}

static bool receive_all(int from, uint8_t *data, size_t length)
{
    while (length > 0) {
        ssize_t n = recv(from, data, length, 0);
        if (n == 0 || (n < 0 && errno != EINTR)) {
            return false;
        }
        data += n > 0 ? n : 0;
        length -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

static enum outcome receive_frame(struct transport *transport, struct problem *problem)
{
    uint8_t head[2];
    if (!receive_all(transport->socket, head, sizeof head)) {
        return trouble(problem, "the card went away");
    }
    transport->response_length = (size_t)head[0] << 8 | head[1];
    if (!receive_all(transport->socket, transport->response, transport->response_length)) {
        return trouble(problem, "the card went away");
    }
    return DONE;
}

static enum outcome exchange(struct transport *transport, const uint8_t *command, size_t length,
                             struct problem *problem)
{
    if (length < 2 || length > TRANSPORT_MAX) {
        return trouble(problem, "an APDU of %zu bytes cannot be transported", length);
    }
    if (!send_frame(transport->socket, command, length)) {
        return trouble(problem, "the card went away");
    }
    enum outcome outcome = receive_frame(transport, problem);
    if (outcome == DONE && transport->response_length < 2) {
        return trouble(problem, "the card answered %zu bytes, no status word",
                       transport->response_length);
    }
    return outcome;
}

void transport_socket_close(struct transport *transport)
{
    if (transport->socket >= 0) {
        send_frame(transport->socket, (uint8_t[]){POWER_OFF}, 1);
        close(transport->socket);
        transport->socket = -1;
    }
}

int transport_socket_connect(struct transport *transport, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        return ENAMETOOLONG;
    }
    memcpy(address.sun_path, path, strlen(path));
    transport->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (transport->socket < 0) {
        return errno;
    }
    if (connect(transport->socket, (const struct sockaddr *)&address, sizeof address) != 0) {
        int error = errno;
        close(transport->socket);
        transport->socket = -1;
        return error;
    }
    return 0;
}

enum outcome transport_socket_power_on(struct transport *transport, struct problem *problem)
{
    transport->exchange = exchange;
    transport->close = transport_socket_close;
    if (!send_frame(transport->socket, (uint8_t[]){POWER_ON}, 1) ||
        !send_frame(transport->socket, (uint8_t[]){SEND_ATR}, 1)) {
        return trouble(problem, "the card went away");
    }
    enum outcome outcome = receive_frame(transport, problem);
    if (outcome != DONE) {
        return outcome;
    }
    size_t length = transport->response_length;
    if (length < 2 || length > TRANSPORT_ATR_MAX) {
        return trouble(problem, "the card does not answer to reset");
    }
    memcpy(transport->atr, transport->response, length);
    transport->atr_length = length;
    return DONE;
}

enum outcome transport_socket(struct transport *transport, const char *path,
                              struct problem *problem)
{
    /* A card that is just starting has its socket there a moment before it listens. */
    int error = transport_socket_connect(transport, path);
    for (int tries = 0; error == ECONNREFUSED && tries < LISTEN_TRIES; tries++) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        error = transport_socket_connect(transport, path);
    }
    if (error != 0) {
        return trouble(problem, "socket %s: %s", path, strerror(error));
    }
    enum outcome outcome = transport_socket_power_on(transport, problem);
    if (outcome != DONE) {
        transport_socket_close(transport);
    }
    return outcome;
}
