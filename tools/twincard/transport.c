/* SPDX-License-Identifier: Apache-2.0
 *
 * The wire to the reader.
 */
#include "transport.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- Signals ---- */

static volatile sig_atomic_t stopped;
static sigset_t outside; /* the signals as they were */

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

void transport_signals(void)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    const struct sigaction action = {.sa_handler = stop};
    sigset_t ours;
    sigemptyset(&ours);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        sigaddset(&ours, numbers[i]);
        sigaction(numbers[i], &action, NULL);
    }
    sigprocmask(SIG_BLOCK, &ours, &outside);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        sigdelset(&outside, numbers[i]);
    }
}

/* Waits until a descriptor is ready. False: a signal to end came. */
static bool wait_for(struct pollfd *waiting, nfds_t count)
{
    while (!stopped) {
        if (ppoll(waiting, count, NULL, &outside) > 0) {
            return true;
        }
    }
    return false;
}

/* ---- Connections ---- */

static bool split_address(const char *address, char host[256], const char **port)
{
    const char *colon = strrchr(address, ':');
    if (colon == NULL || colon == address || colon[1] == '\0') {
        return false;
    }
    const char *from = address;
    size_t length = (size_t)(colon - address);
    if (from[0] == '[' && length > 2 && colon[-1] == ']') {
        from++;
        length -= 2;
    }
    if (length >= 256) {
        return false;
    }
    memcpy(host, from, length);
    host[length] = '\0';
    *port = colon + 1;
    return true;
}

static int dial(const struct addrinfo *list)
{
    for (const struct addrinfo *at = list; at != NULL; at = at->ai_next) {
        int descriptor = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        if (descriptor < 0) {
            continue;
        }
        if (connect(descriptor, at->ai_addr, at->ai_addrlen) == 0) {
            return descriptor;
        }
        int reason = errno;
        close(descriptor);
        errno = reason;
    }
    return -1;
}

bool transport_dial(struct transport *transport, const char *address, char *message,
                    size_t capacity)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    char host[256];
    const char *port;

    *transport = (struct transport){.listening = -1, .client = -1, .tcp = true};
    if (!split_address(address, host, &port)) {
        snprintf(message, capacity, "%s: not of the form HOST:PORT", address);
        return false;
    }
    int result = getaddrinfo(host, port, &hints, &list);
    if (result != 0) {
        snprintf(message, capacity, "%s: %s", address, gai_strerror(result));
        return false;
    }
    transport->client = dial(list);
    if (transport->client < 0) {
        snprintf(message, capacity, "%s: %s", address, strerror(errno));
    } else {
        /* Answers must not wait for the acknowledgement of the one before. */
        const int yes = 1;
        setsockopt(transport->client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    }
    freeaddrinfo(list);
    return transport->client >= 0;
}

/* Removes a socket at the path that no program listens on. */
static void remove_stale(const struct sockaddr_un *name)
{
    struct stat facts;
    if (lstat(name->sun_path, &facts) != 0 || !S_ISSOCK(facts.st_mode)) {
        return;
    }
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (probe < 0) {
        return;
    }
    if (connect(probe, (const struct sockaddr *)name, sizeof *name) != 0 && errno == ECONNREFUSED) {
        unlink(name->sun_path);
    }
    close(probe);
}

bool transport_listen(struct transport *transport, const char *path, char *message, size_t capacity)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    *transport = (struct transport){.listening = -1, .client = -1};
    if (strlen(path) >= sizeof name.sun_path) {
        snprintf(message, capacity, "%s: path too long for a socket", path);
        return false;
    }
    memcpy(name.sun_path, path, strlen(path) + 1);
    remove_stale(&name);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0 || bind(descriptor, (const struct sockaddr *)&name, sizeof name) != 0 ||
        listen(descriptor, 8) != 0) {
        snprintf(message, capacity, "%s: %s", path, strerror(errno));
        if (descriptor >= 0) {
            close(descriptor);
        }
        return false;
    }
    transport->listening = descriptor;
    transport->path = path;
    return true;
}

enum transport_result transport_accept(struct transport *transport)
{
    struct pollfd waiting = {.fd = transport->listening, .events = POLLIN};
    while (wait_for(&waiting, 1)) {
        transport->client = accept4(transport->listening, NULL, NULL, SOCK_CLOEXEC);
        if (transport->client >= 0) {
            return TRANSPORT_DATA;
        }
        if (errno != EINTR && errno != ECONNABORTED && errno != EAGAIN) {
            return TRANSPORT_CLOSED;
        }
    }
    return TRANSPORT_STOP;
}

enum transport_result transport_read(struct transport *transport, int watched, uint8_t *data,
                                     size_t capacity, size_t *length)
{
    struct pollfd waiting[2] = {
        {.fd = transport->client, .events = POLLIN},
        {.fd = watched, .events = 0}, /* a negative descriptor is skipped */
    };
    if (transport->tcp) {
        /* The reader writes length and body separately, and does not write the second before the
         * first is acknowledged; the option does not stick. */
        const int yes = 1;
        setsockopt(transport->client, IPPROTO_TCP, TCP_QUICKACK, &yes, sizeof yes);
    }
    if (!wait_for(waiting, 2)) {
        return TRANSPORT_STOP;
    }
    if (waiting[1].revents != 0) {
        return TRANSPORT_WATCHED;
    }
    ssize_t got = recv(transport->client, data, capacity, 0);
    if (got <= 0) {
        return TRANSPORT_CLOSED;
    }
    *length = (size_t)got;
    return TRANSPORT_DATA;
}

enum transport_result transport_write(struct transport *transport, const uint8_t *data,
                                      size_t length)
{
    while (length > 0) {
        ssize_t put = send(transport->client, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (put > 0) {
            data += put;
            length -= (size_t)put;
            continue;
        }
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
            return TRANSPORT_CLOSED;
        }
        struct pollfd waiting = {.fd = transport->client, .events = POLLOUT};
        if (!wait_for(&waiting, 1)) {
            return TRANSPORT_STOP;
        }
    }
    return TRANSPORT_DATA;
}

void transport_hang_up(struct transport *transport)
{
    if (transport->client >= 0) {
        close(transport->client);
        transport->client = -1;
    }
}

void transport_close(struct transport *transport)
{
    transport_hang_up(transport);
    if (transport->listening >= 0) {
        close(transport->listening);
        transport->listening = -1;
        unlink(transport->path);
    }
}
