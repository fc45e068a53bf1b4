/* SPDX-License-Identifier: Apache-2.0
 *
 * Host port: the link between two chips in one process.
 */
#include "link_loop.h"

#include <string.h>

static enum cos_result put(struct host_link_slot *slot, const uint8_t *frame, size_t length)
{
    COS_CHECK(length <= sizeof slot->frame, COS_E_LINK_DOWN);
    memcpy(slot->frame, frame, length);
    slot->length = length;
    slot->full = true;
    return COS_OK;
}

static enum cos_result take(struct host_link_slot *slot, uint8_t *frame, size_t capacity,
                            size_t *length)
{
    COS_CHECK(slot->full, COS_E_LINK_TIMEOUT);
    slot->full = false;
    *length = slot->length;
    memcpy(frame, slot->frame, slot->length < capacity ? slot->length : capacity);
    return COS_OK;
}

static enum cos_result app_send(void *context, const uint8_t *frame, size_t length)
{
    struct host_link_loop *loop = context;
    return put(&loop->to_secure, frame, length);
}

static enum cos_result app_receive(void *context, uint8_t *frame, size_t capacity, size_t *length,
                                   uint32_t timeout_ms)
{
    struct host_link_loop *loop = context;
    (void)timeout_ms; /* nothing comes by itself */
    if (loop->to_secure.full) {
        loop->serve(loop->serve_context);
    }
    return take(&loop->to_app, frame, capacity, length);
}

static enum cos_result secure_send(void *context, const uint8_t *frame, size_t length)
{
    struct host_link_loop *loop = context;
    return put(&loop->to_app, frame, length);
}

static enum cos_result secure_receive(void *context, uint8_t *frame, size_t capacity,
                                      size_t *length, uint32_t timeout_ms)
{
    struct host_link_loop *loop = context;
    (void)timeout_ms;
    return take(&loop->to_secure, frame, capacity, length);
}

void host_link_loop_init(struct host_link_loop *loop, void (*serve)(void *context),
                         void *serve_context)
{
    *loop = (struct host_link_loop){
        .app = {.context = loop, .send = app_send, .receive = app_receive},
        .secure = {.context = loop, .send = secure_send, .receive = secure_receive},
        .serve = serve,
        .serve_context = serve_context,
    };
}
