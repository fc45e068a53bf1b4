/* SPDX-License-Identifier: Apache-2.0
 *
 * The security chip's end of the gate: decides which frames are requests to be executed, and
 * answers. What a request means is the business of src/secure_domain.
 */
#ifndef COS_GATE_SERVER_H
#define COS_GATE_SERVER_H

#include "channel.h"
#include "cos/secure.h"

/* A request that is new, complete, of a size that the table allows, and, in a session, authentic.
 */
struct server_request {
    const struct cos_gate_row *row;
    uint8_t opcode;
    bool in_session;
    uint32_t sequence;
    struct cos_span message; /* inside the server's buffer */
};

enum server_event {
    SERVER_NOTHING, /* damaged, repeated or refused: handled here */
    SERVER_REQUEST, /* execute it and call cos_server_respond() */
    SERVER_ATTACK,  /* a bad tag or an impossible number: the session was wiped */
};

void cos_server_start(struct cos_gate_server *server, const struct cos_crypto *crypto,
                      const struct cos_board *board);

/* Waits for one frame. COS_OK and *event, or COS_E_LINK_TIMEOUT, COS_E_LINK_DOWN. */
enum cos_result cos_server_receive(struct cos_gate_server *server, uint32_t timeout_ms,
                                   enum server_event *event, struct server_request *request);

/* Where the response's data go: `capacity` = the row's largest response. */
struct cos_writer cos_server_body(struct cos_gate_server *server,
                                  const struct server_request *request);

/* Seals, stores and sends the response. Data are sent only with COS_OK or a warning. */
enum cos_result cos_server_respond(struct cos_gate_server *server,
                                   const struct server_request *request, enum cos_result result,
                                   uint8_t flags, uint32_t epoch, size_t body_length);

/* While a request is being executed: a sign of life, if the last one is a quarter of
 * COS_GATE_TIMEOUT_LONG_MS old. Without a clock there is none. */
void cos_server_working(struct cos_gate_server *server);

/* HELLO, first step: draws up the new session under `secret`. Writes nonce and confirmation. */
enum cos_result cos_server_hello_begin(struct cos_gate_server *server,
                                       const uint8_t secret[COS_PAIRING_SECRET],
                                       const uint8_t nonce_app[COS_GATE_NONCE],
                                       const uint8_t nonce_secure[COS_GATE_NONCE],
                                       struct cos_writer *body);

/* HELLO, second step: COS_OK if the app chip proved the secret; the new session is then open. */
enum cos_result cos_server_hello_confirm(struct cos_gate_server *server,
                                         const uint8_t confirmation[CONFIRMATION_SIZE]);

/* Forgets a handshake that was begun. */
void cos_server_drop_hello(struct cos_gate_server *server);

/* Ends the session and wipes its keys. */
void cos_server_close(struct cos_gate_server *server);

#endif
