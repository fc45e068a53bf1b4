/* SPDX-License-Identifier: Apache-2.0
 *
 * The app chip's end of the gate: one request, one answer, sent again byte-identical until it
 * comes.
 */
#include "channel.h"

void cos_gate_client_start(struct cos_gate_client *client, const struct cos_crypto *crypto,
                           const struct cos_board *board, const struct cos_gate_trace *trace)
{
    memset(client, 0, sizeof *client);
    client->crypto = crypto;
    client->board = board;
    client->trace = trace;
}

void cos_gate_client_close(struct cos_gate_client *client)
{
    client->open = false;
    client->flags = 0;
    cos_wipe(client->request_key, sizeof client->request_key);
    cos_wipe(client->response_key, sizeof client->response_key);
    cos_wipe(client->request, sizeof client->request);
    cos_wipe(client->response, sizeof client->response);
}

static bool answers(const struct frame *frame, const uint8_t *request)
{
    return frame->direction == FRAME_RESPONSE && frame->opcode == request[3] &&
           frame->session == cos_get32(request + 4) && frame->sequence == cos_get32(request + 8);
}

/* Anybody on the link can write a sign of life, and hold the card up. He could as well keep the
 * answer. */
static bool is_sign(const struct frame *frame, const uint8_t *request)
{
    return frame->direction == FRAME_SIGN && frame->opcode == request[3] &&
           frame->sequence == cos_get32(request + 8);
}

static uint32_t now(const struct cos_board *board)
{
    return board->clock_ms != NULL ? board->clock_ms(board->context) : 0;
}

static uint32_t timeout_of(uint8_t opcode)
{
    return opcode == COS_GATE_KEY || opcode == COS_GATE_CRYPT || opcode == COS_GATE_AUTH
               ? COS_GATE_TIMEOUT_LONG_MS
               : COS_GATE_TIMEOUT_MS;
}

/* Waits for one frame, up to a slice, and adds to *waited how long that took. COS_E_LINK_TIMEOUT:
 * it came to nothing yet. Without a clock a frame begins a new time-out. */
static enum cos_result await_slice(struct cos_gate_client *client, uint32_t left, uint32_t *waited,
                                   struct frame *frame)
{
    const struct cos_board *board = client->board;
    const struct cos_link *link = board->link;
    const uint32_t slice = left < COS_GATE_SLICE_MS ? left : COS_GATE_SLICE_MS;
    size_t length;

    cos_idle(board); /* what it takes does not count: the answer may be there behind it */
    const uint32_t began = now(board);
    enum cos_result result =
        link->receive(link->context, client->response, sizeof client->response, &length, slice);
    const uint32_t took = now(board) - began;
    if (result == COS_E_LINK_TIMEOUT) {
        *waited += took > slice ? took : slice;
        return result;
    }
    *waited = board->clock_ms != NULL ? *waited + took : 0;
    COS_TRY(result);
    return length <= sizeof client->response ? cos_frame_parse(client->response, length, frame)
                                             : COS_E_LINK_DAMAGED;
}

/* Waits for the answer to the request that was just sent; stray and damaged frames are thrown away.
 */
static enum cos_result await(struct cos_gate_client *client, struct frame *frame)
{
    const uint32_t timeout = timeout_of(client->request[3]);
    uint32_t waited = 0;
    unsigned signs = 0;

    for (unsigned strays = 0; strays < 16 && waited < timeout;) {
        const enum cos_result result = await_slice(client, timeout - waited, &waited, frame);
        COS_CHECK(result != COS_E_LINK_DOWN, result);
        if (result == COS_E_LINK_TIMEOUT) {
            continue;
        }
        if (result == COS_OK && answers(frame, client->request)) {
            return COS_OK;
        }
        if (result == COS_OK && is_sign(frame, client->request) && signs < COS_GATE_SIGNS) {
            signs++;
            waited = 0;
        } else {
            strays++;
        }
    }
    return COS_E_LINK_TIMEOUT;
}

static enum cos_result exchange(struct cos_gate_client *client, size_t length, struct frame *frame)
{
    const struct cos_link *link = client->board->link;
    enum cos_result result = COS_E_LINK_TIMEOUT;

    for (unsigned tries = 0; tries < COS_GATE_TRIES && result == COS_E_LINK_TIMEOUT; tries++) {
        COS_TRY(link->send(link->context, client->request, length));
        result = await(client, frame);
    }
    return result;
}

/* Takes result, flags and epoch off a response that can be believed as far as its channel goes. */
static enum cos_result take_response(struct cos_gate_client *client, const struct frame *frame,
                                     const struct cos_gate_row *row, struct cos_span *body)
{
    struct cos_reader reader = cos_reader(frame->message, frame->length);
    int result = (int8_t)cos_read8(&reader);

    client->flags = cos_read8(&reader);
    client->epoch = cos_read32(&reader);
    *body = cos_read_rest(&reader);
    COS_CHECK(!reader.failed && result <= 0 && body->length <= row->response, COS_E_GATE_FORMAT);
    return (enum cos_result)result;
}

static enum cos_result call(struct cos_gate_client *client, const struct cos_gate_row *row,
                            size_t length, bool in_session, struct cos_span *body)
{
    uint8_t request_tag[COS_CCM_TAG];
    struct frame frame;

    cos_frame_begin(client->request, FRAME_REQUEST, row->opcode, in_session ? client->session : 0,
                    in_session ? ++client->sequence : ++client->plain_sequence, length);
    if (in_session) {
        COS_TRY(
            cos_channel_seal(client->crypto, client->request_key, client->request, length, NULL));
        memcpy(request_tag, client->request + FRAME_HEADER + length, sizeof request_tag);
    }
    COS_TRY(exchange(client, cos_frame_finish(client->request, length), &frame));
    if (in_session) {
        COS_TRY(cos_channel_open(client->crypto, client->response_key, &frame, request_tag));
    }
    return take_response(client, &frame, row, body);
}

/* Errors after which the session cannot go on: what the other side did or did not do is unknown. */
static bool ends_session(enum cos_result result)
{
    return result == COS_E_GATE_SESSION || result == COS_E_LINK_TIMEOUT ||
           result == COS_E_LINK_DOWN || result == COS_E_GATE_FORMAT || result == COS_E_CRYPTO;
}

static enum cos_result gather(struct cos_gate_client *client, const struct cos_gate_row *row,
                              const struct cos_span *parts, size_t count, size_t *length)
{
    struct cos_writer writer = cos_writer(client->request + FRAME_HEADER, row->largest);

    for (size_t i = 0; i < count; i++) {
        cos_write_bytes(&writer, parts[i].data, parts[i].length);
    }
    *length = writer.length;
    COS_CHECK(!writer.failed && writer.length >= row->smallest, COS_E_GATE_FORMAT);
    return COS_OK;
}

enum cos_result cos_gate_call(struct cos_gate_client *client, enum cos_gate_call opcode,
                              const struct cos_span *parts, size_t count, struct cos_span *body)
{
    const struct cos_gate_row *row = cos_gate_row((uint8_t)opcode);
    size_t length;

    *body = (struct cos_span){NULL, 0};
    COS_INVARIANT(row != NULL);
    bool in_session = client->open && row->session != COS_GATE_SESSION_NO;
    COS_CHECK(in_session || row->session != COS_GATE_SESSION_YES, COS_E_GATE_SESSION);
    COS_TRY(gather(client, row, parts, count, &length));
    if (client->trace != NULL) {
        /* Before it is enciphered in place; the result of this call is traced below. */
        client->trace->call(client->trace->context, row->opcode, client->request + FRAME_HEADER,
                            length, COS_OK, NULL, 0);
    }
    enum cos_result result = call(client, row, length, in_session, body);
    cos_wipe(client->request, sizeof client->request);
    if (ends_session(result) && in_session) {
        cos_gate_client_close(client);
        *body = (struct cos_span){NULL, 0};
    }
    if (client->trace != NULL) {
        client->trace->call(client->trace->context, row->opcode, NULL, 0, result, body->data,
                            body->length);
    }
    return result;
}

enum cos_result cos_gate_hello(struct cos_gate_client *client, uint8_t generation,
                               const uint8_t secret[COS_PAIRING_SECRET])
{
    uint8_t begin[2 + COS_GATE_NONCE] = {COS_HELLO_BEGIN, generation};
    const uint8_t confirm = COS_HELLO_CONFIRM;
    const struct cos_span begin_parts[] = {{begin, sizeof begin}};
    const struct cos_entropy *entropy = client->board->entropy;
    struct cos_channel_keys keys;
    struct cos_span body;

    cos_gate_client_close(client);
    COS_TRY(entropy->read(entropy->context, begin + 2, COS_GATE_NONCE));
    COS_TRY(cos_gate_call(client, COS_GATE_HELLO, begin_parts, 1, &body));
    COS_CHECK(body.length == COS_GATE_NONCE + CONFIRMATION_SIZE, COS_E_GATE_FORMAT);
    enum cos_result result =
        cos_channel_derive(client->crypto, secret, begin + 2, body.data, &keys);
    if (result == COS_OK && cos_equal_secret(keys.confirmation_secure, body.data + COS_GATE_NONCE,
                                             CONFIRMATION_SIZE) != COS_YES) {
        result = COS_E_GATE_SESSION;
    }
    if (result == COS_OK) {
        const struct cos_span parts[] = {{&confirm, 1}, {keys.confirmation_app, CONFIRMATION_SIZE}};
        result = cos_gate_call(client, COS_GATE_HELLO, parts, 2, &body);
    }
    if (result == COS_OK) {
        memcpy(client->request_key, keys.request, KEY_SIZE);
        memcpy(client->response_key, keys.response, KEY_SIZE);
        client->session = keys.session;
        client->sequence = 0;
        client->open = true;
    }
    cos_wipe(&keys, sizeof keys);
    return result;
}

enum cos_result cos_gate_status(struct cos_gate_client *client, struct cos_gate_status *status)
{
    struct cos_span body;

    COS_TRY(cos_gate_call(client, COS_GATE_STATUS, NULL, 0, &body));
    struct cos_reader reader = cos_reader(body.data, body.length);
    status->life_cycle = cos_read8(&reader);
    status->verdict = cos_read8(&reader);
    const uint8_t *serial = cos_read_bytes(&reader, sizeof status->serial);
    const uint8_t *version = cos_read_bytes(&reader, sizeof status->version);
    status->record_rule = cos_read8(&reader);
    status->transaction = cos_read32(&reader);
    status->attacks = cos_read16(&reader);
    status->scp03 = cos_read8(&reader);
    COS_CHECK(cos_read_done(&reader) && serial != NULL && version != NULL, COS_E_GATE_FORMAT);
    memcpy(status->serial, serial, sizeof status->serial);
    memcpy(status->version, version, sizeof status->version);
    return COS_OK;
}
