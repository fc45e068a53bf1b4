/* SPDX-License-Identifier: Apache-2.0
 *
 * Host port: the link between the chips as a pair of SOCK_SEQPACKET sockets, one end a process. A
 * packet is a frame. When the other process ends, its end closes and COS_E_LINK_DOWN is what comes.
 */
#ifndef HOST_LINK_SOCKET_H
#define HOST_LINK_SOCKET_H

#include "cos/port.h"

struct host_link_socket {
    struct cos_link link; /* for the core: &socket.link; `context` is the struct itself */
    int descriptor;
};

/* Makes the two ends, close-on-exec. False with errno set if the system refuses. */
bool host_link_pair(int ends[2]);

/* The link over one end, which stays the caller's. The struct must not move afterwards. */
void host_link_socket_init(struct host_link_socket *socket, int descriptor);

#endif
