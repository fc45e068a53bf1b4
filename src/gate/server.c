/* SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

void cos_server_start(struct cos_gate_server *server, const struct cos_crypto *crypto,
                      const struct cos_board *board)
{
    memset(server, 0, sizeof *server);
    server->crypto = crypto;
    server->board = board;
}

void cos_server_close(struct cos_gate_server *server)
{
    server->open = false;
    server->stored_session = false;
    cos_wipe(server->request_key, sizeof server->request_key);
    cos_wipe(server->response_key, sizeof server->response_key);
    cos_wipe(server->request, sizeof server->request);
}

static enum cos_result send_stored(struct cos_gate_server *server)
{
    const struct cos_link *link = server->board->link;

    return link->send(link->context, server->stored, server->stored_length);
}

/* A message that cannot be a request of this table in this session gets an error, which executes
 * nothing. */
static enum cos_result admit(const struct frame *frame, struct server_request *request)
{
    const struct cos_gate_row *row = request->row;

    COS_CHECK(row != NULL, COS_E_GATE_FORMAT);
    COS_CHECK(!request->in_session || row->session != COS_GATE_SESSION_NO, COS_E_GATE_FORMAT);
    COS_CHECK(request->in_session || row->session != COS_GATE_SESSION_YES, COS_E_GATE_SESSION);
    COS_CHECK(row->served, COS_E_NOT_SERVED);
    COS_CHECK(frame->length >= row->smallest && frame->length <= row->largest, COS_E_GATE_FORMAT);
    return COS_OK;
}

/* A frame of the session: the next one, the last one once more, or an attack. */
static enum server_event judge(struct cos_gate_server *server, const struct frame *frame)
{
    bool again = server->sequence != 0 && frame->sequence == server->sequence;
    bool next = server->sequence != UINT32_MAX && frame->sequence == server->sequence + 1;
    uint8_t received[COS_CCM_TAG];

    memcpy(received, frame->message + frame->length, sizeof received);
    if ((!again && !next) ||
        cos_channel_open(server->crypto, server->request_key, frame, NULL) != COS_OK) {
        return SERVER_ATTACK;
    }
    if (next) {
        server->sequence = frame->sequence;
        memcpy(server->request_tag, received, sizeof received);
        return SERVER_REQUEST;
    }
    return cos_equal_secret(received, server->request_tag, sizeof received) == COS_YES
               ? SERVER_NOTHING
               : SERVER_ATTACK;
}

static enum cos_result receive_sealed(struct cos_gate_server *server, const struct frame *frame,
                                      enum server_event *event)
{
    *event = judge(server, frame);
    if (*event == SERVER_ATTACK) {
        cos_server_close(server);
    } else if (*event == SERVER_NOTHING) {
        /* The last request once more: its answer was lost on the link. */
        cos_wipe(frame->message, frame->length);
        return server->stored_session ? send_stored(server) : COS_OK;
    }
    return COS_OK;
}

/* A frame in the clear: new, or the last one once more. */
static enum cos_result receive_plain(struct cos_gate_server *server, const struct frame *frame,
                                     size_t length, enum server_event *event)
{
    uint32_t crc = cos_get32(frame->bytes + length - FRAME_CRC);

    *event = SERVER_REQUEST;
    if (server->stored_plain && crc == server->plain_crc) {
        *event = SERVER_NOTHING;
        return send_stored(server);
    }
    server->plain_crc = crc;
    return COS_OK;
}

enum cos_result cos_server_receive(struct cos_gate_server *server, uint32_t timeout_ms,
                                   enum server_event *event, struct server_request *request)
{
    const struct cos_link *link = server->board->link;
    struct frame frame;
    size_t length;

    *event = SERVER_NOTHING;
    COS_TRY(
        link->receive(link->context, server->request, sizeof server->request, &length, timeout_ms));
    if (length > sizeof server->request ||
        cos_frame_parse(server->request, length, &frame) != COS_OK ||
        frame.direction != FRAME_REQUEST) {
        return COS_OK;
    }
    if (frame.session == 0) {
        COS_TRY(receive_plain(server, &frame, length, event));
    } else if (server->open && frame.session == server->session) {
        COS_TRY(receive_sealed(server, &frame, event));
    } else {
        return COS_OK; /* a session that is over; its app chip will time out and say HELLO */
    }
    if (*event != SERVER_REQUEST) {
        return COS_OK;
    }
    *request = (struct server_request){
        .row = cos_gate_row(frame.opcode),
        .opcode = frame.opcode,
        .in_session = frame.session != 0,
        .sequence = frame.sequence,
        .message = {frame.message, frame.length},
    };
    enum cos_result result = admit(&frame, request);
    if (result != COS_OK) {
        *event = SERVER_NOTHING;
        return cos_server_respond(server, request, result, 0, 0, 0);
    }
    return COS_OK;
}

struct cos_writer cos_server_body(struct cos_gate_server *server,
                                  const struct server_request *request)
{
    return cos_writer(server->stored + FRAME_HEADER + RESPONSE_PREFIX, request->row->response);
}

enum cos_result cos_server_respond(struct cos_gate_server *server,
                                   const struct server_request *request, enum cos_result result,
                                   uint8_t flags, uint32_t epoch, size_t body_length)
{
    uint8_t *message = server->stored + FRAME_HEADER;
    bool with_body = result == COS_OK || cos_is_warning(result);
    size_t length = RESPONSE_PREFIX + (with_body ? body_length : 0);
    /* A call may have ended the session (a new HELLO, too many attacks): then nobody can read an
     * answer. */
    bool sealed = request->in_session;

    cos_wipe(server->request, sizeof server->request);
    if (sealed && !server->open) {
        cos_wipe(server->stored, sizeof server->stored);
        return COS_OK;
    }
    message[0] = (uint8_t)(int8_t)result;
    message[1] = flags;
    cos_put32(message + 2, epoch);
    cos_wipe(message + length, sizeof server->stored - FRAME_HEADER - length);
    cos_frame_begin(server->stored, FRAME_RESPONSE, request->opcode, sealed ? server->session : 0,
                    request->sequence, length);
    if (sealed) {
        enum cos_result result_of_seal = cos_channel_seal(
            server->crypto, server->response_key, server->stored, length, server->request_tag);
        if (result_of_seal != COS_OK) { /* the answer stands there in the clear */
            cos_wipe(server->stored, sizeof server->stored);
            cos_server_close(server);
            return result_of_seal;
        }
    }
    server->stored_length = cos_frame_finish(server->stored, length);
    server->stored_session = sealed;
    server->stored_plain = !sealed;
    return send_stored(server);
}

void cos_server_working(struct cos_gate_server *server)
{
    const struct cos_board *board = server->board;
    uint8_t sign[FRAME_HEADER + FRAME_CRC];

    if (board->clock_ms == NULL) {
        return;
    }
    const uint32_t now = board->clock_ms(board->context);
    if (now - server->sign_ms < COS_GATE_TIMEOUT_LONG_MS / 4) {
        return;
    }
    server->sign_ms = now;
    cos_frame_begin(sign, FRAME_SIGN, server->request[3], 0, cos_get32(server->request + 8), 0);
    /* A link that is down shows when the answer is sent. */
    (void)board->link->send(board->link->context, sign, cos_frame_finish(sign, 0));
}

enum cos_result cos_server_hello_begin(struct cos_gate_server *server,
                                       const uint8_t secret[COS_PAIRING_SECRET],
                                       const uint8_t nonce_app[COS_GATE_NONCE],
                                       const uint8_t nonce_secure[COS_GATE_NONCE],
                                       struct cos_writer *body)
{
    enum cos_result result =
        cos_channel_derive(server->crypto, secret, nonce_app, nonce_secure, &server->hello);

    if (result != COS_OK) {
        cos_server_drop_hello(server);
        return result;
    }
    cos_write_bytes(body, nonce_secure, COS_GATE_NONCE);
    cos_write_bytes(body, server->hello.confirmation_secure, CONFIRMATION_SIZE);
    server->hello_begun = true;
    return COS_OK;
}

void cos_server_drop_hello(struct cos_gate_server *server)
{
    server->hello_begun = false;
    cos_wipe(&server->hello, sizeof server->hello);
}

enum cos_result cos_server_hello_confirm(struct cos_gate_server *server,
                                         const uint8_t confirmation[CONFIRMATION_SIZE])
{
    const struct cos_channel_keys *hello = &server->hello;

    COS_CHECK(server->hello_begun, COS_E_GATE_SESSION);
    server->hello_begun = false;
    cos_truth right = cos_equal_secret(confirmation, hello->confirmation_app, CONFIRMATION_SIZE);
    if (right == COS_YES) {
        cos_server_close(server);
        memcpy(server->request_key, hello->request, KEY_SIZE);
        memcpy(server->response_key, hello->response, KEY_SIZE);
        server->session = hello->session;
        server->sequence = 0;
        server->open = true;
    }
    cos_server_drop_hello(server);
    return right == COS_YES && server->open ? COS_OK : COS_E_GATE_SESSION;
}
