/* SPDX-License-Identifier: Apache-2.0
 *
 * Host port: the link between the chips as a pair of sockets. poll(), recv() and send() are all it
 * needs: the sandbox of the security process allows no more.
 */
#include "link_socket.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

static enum cos_result socket_send(void *context, const uint8_t *frame, size_t length)
{
    const struct host_link_socket *link = context;
    ssize_t put;
    do {
        put = send(link->descriptor, frame, length, MSG_NOSIGNAL);
    } while (put < 0 && errno == EINTR);
    return put == (ssize_t)length ? COS_OK : COS_E_LINK_DOWN;
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static enum cos_result wait_readable(int descriptor, uint32_t timeout_ms)
{
    uint64_t until = now_ms() + timeout_ms;
    for (;;) {
        struct pollfd wait = {.fd = descriptor, .events = POLLIN};
        uint64_t now = now_ms();
        uint64_t left = until > now ? until - now : 0;
        int patience = left > INT_MAX ? INT_MAX : (int)left;
        int ready = poll(&wait, 1, patience);
        if (ready > 0) {
            /* A frame that was sent before the other end closed is still read. */
            return (wait.revents & POLLIN) != 0 ? COS_OK : COS_E_LINK_DOWN;
        }
        if (ready < 0 && errno != EINTR) {
            return COS_E_LINK_DOWN;
        }
        if (ready == 0 && patience == 0) {
            return COS_E_LINK_TIMEOUT;
        }
    }
}

static enum cos_result socket_receive(void *context, uint8_t *frame, size_t capacity,
                                      size_t *length, uint32_t timeout_ms)
{
    const struct host_link_socket *link = context;
    if (timeout_ms != 0) { /* for ever: recv() waits as well, for one call of the system less */
        COS_TRY(wait_readable(link->descriptor, timeout_ms));
    }
    /* MSG_TRUNC: the length that arrived, even if more than fits. No frame is empty, so 0 is the
     * end. */
    ssize_t got;
    do {
        got = recv(link->descriptor, frame, capacity, MSG_TRUNC);
    } while (got < 0 && errno == EINTR);
    COS_CHECK(got > 0, COS_E_LINK_DOWN);
    *length = (size_t)got;
    return COS_OK;
}

bool host_link_pair(int ends[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0;
}

void host_link_socket_init(struct host_link_socket *socket, int descriptor)
{
    *socket = (struct host_link_socket){
        .link = {.context = socket, .send = socket_send, .receive = socket_receive},
        .descriptor = descriptor,
    };
}
