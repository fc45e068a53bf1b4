/* SPDX-License-Identifier: Apache-2.0
 *
 * Response APDU, in one piece or in several: 61XX announces what waits for GET RESPONSE (ISO/IEC
 * 7816-4:2013, 5.1.3).
 */
#include "cos/apdu.h"

enum {
    STATUS_BYTES = 2,
    NE_SHORT_MAX = 256,
};

static size_t left(const struct cos_response *response)
{
    return response->sent < response->body.length ? response->body.length - response->sent : 0;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

void cos_response_start(struct cos_response *response, uint8_t *buffer, size_t capacity)
{
    /* a command that ends without having said how must not look like success */
    *response = (struct cos_response){
        .body = cos_writer(buffer, capacity),
        .sw = COS_SW_NO_DIAGNOSIS,
    };
}

bool cos_response_pending(const struct cos_response *response)
{
    return left(response) > 0;
}

void cos_response_drop(struct cos_response *response)
{
    cos_wipe(response->body.data, response->body.length);
    response->body.length = 0;
    response->body.failed = false;
    response->sent = 0;
}

size_t cos_response_next(struct cos_response *response, uint32_t ne, uint8_t *out, size_t capacity)
{
    size_t amount, waiting;
    uint16_t sw;

    if (capacity < STATUS_BYTES) {
        return 0;
    }
    if (response->body.failed) { /* half a body is no answer */
        cos_response_drop(response);
        response->sw = COS_SW_NO_DIAGNOSIS;
    }
    amount = smaller(ne == 0 ? NE_SHORT_MAX : ne, capacity - STATUS_BYTES);
    amount = smaller(amount, left(response));
    if (amount > 0) {
        uint8_t *from = response->body.data + response->sent;

        memcpy(out, from, amount);
        cos_wipe(from, amount);
        response->sent += amount;
    }
    waiting = left(response);
    sw = response->sw;
    if (waiting > 0) {
        sw = (uint16_t)(COS_SW_BYTES_AVAILABLE + (waiting < NE_SHORT_MAX ? waiting : 0));
    }
    cos_put16(out + amount, sw);
    return amount + STATUS_BYTES;
}
