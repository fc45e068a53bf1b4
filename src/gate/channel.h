/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames and the secure channel, as both ends of the gate use them (docs/formats.md, "Frames on the
 * link" and "HELLO").
 */
#ifndef COS_GATE_CHANNEL_H
#define COS_GATE_CHANNEL_H

#include "cos/gate.h"

enum {
    FRAME_HEADER = 12,
    FRAME_CRC = 4,
    RESPONSE_PREFIX = 6, /* result, flags, epoch */
    KEY_SIZE = 16,
    CONFIRMATION_SIZE = 8,
};

/* A sign of life has the opcode and the number of the request that is being executed, session 0 and
 * no message: nothing depends on it but how long the app chip waits. */
enum frame_direction { FRAME_REQUEST = 0x01, FRAME_RESPONSE = 0x02, FRAME_SIGN = 0x03 };

/* A frame whose CRC was right; everything points into it. */
struct frame {
    uint8_t *bytes;
    uint8_t direction, opcode;
    uint32_t session, sequence;
    uint8_t *message; /* length bytes, then the tag if there is a session */
    size_t length;
};

/* Looks at `length` bytes that came over the link. COS_E_LINK_DAMAGED if length or CRC do not fit.
 */
enum cos_result cos_frame_parse(uint8_t *bytes, size_t length, struct frame *frame);

/* Writes header and CRC around the message of `length` bytes that stands at bytes + FRAME_HEADER
 * (with its tag behind it if session is not 0) and returns the length of the frame. */
size_t cos_frame_finish(uint8_t *bytes, size_t length);

/* Writes the header, so that the message can be sealed: the header is associated data. */
void cos_frame_begin(uint8_t *bytes, enum frame_direction direction, uint8_t opcode,
                     uint32_t session, uint32_t sequence, size_t length);

/* Seals the message behind the header in place and appends the tag. request_tag: for responses,
 * else NULL. */
enum cos_result cos_channel_seal(const struct cos_crypto *crypto, const uint8_t key[KEY_SIZE],
                                 uint8_t *bytes, size_t length, const uint8_t *request_tag);

/* Opens the message in place. COS_E_GATE_SESSION if the tag is wrong; the message is then wiped. */
enum cos_result cos_channel_open(const struct cos_crypto *crypto, const uint8_t key[KEY_SIZE],
                                 const struct frame *frame, const uint8_t *request_tag);

/* Derives a session from the pairing secret and both nonces. */
enum cos_result cos_channel_derive(const struct cos_crypto *crypto,
                                   const uint8_t secret[COS_PAIRING_SECRET],
                                   const uint8_t nonce_app[COS_GATE_NONCE],
                                   const uint8_t nonce_secure[COS_GATE_NONCE],
                                   struct cos_channel_keys *keys);

#endif
