/* SPDX-License-Identifier: Apache-2.0
 *
 * Host port: the link between two chips in one process. There is nobody to wait for: when the app
 * chip receives, a given function lets the security chip serve once, and what that sent is
 * received. Each direction holds one frame; a newer one takes its place.
 */
#ifndef HOST_LINK_LOOP_H
#define HOST_LINK_LOOP_H

#include "cos/config.h"
#include "cos/port.h"

struct host_link_slot {
    bool full;
    size_t length;
    uint8_t frame[COS_LINK_FRAME_MAX];
};

struct host_link_loop {
    struct cos_link app, secure; /* for the two chips; `context` is the struct itself */
    struct host_link_slot to_secure, to_app;
    /* Lets the security chip serve one frame: calls cos_secure_serve(). */
    void (*serve)(void *context);
    void *serve_context;
};

/* The struct must not move afterwards. */
void host_link_loop_init(struct host_link_loop *loop, void (*serve)(void *context),
                         void *serve_context);

#endif
