/* SPDX-License-Identifier: Apache-2.0 */
#include "channel.h"

static size_t tag_size(uint32_t session)
{
    return session != 0 ? COS_CCM_TAG : 0;
}

enum cos_result cos_frame_parse(uint8_t *bytes, size_t length, struct frame *frame)
{
    COS_CHECK(length >= FRAME_HEADER + FRAME_CRC && length <= COS_LINK_FRAME_MAX,
              COS_E_LINK_DAMAGED);
    COS_CHECK((size_t)cos_get16(bytes) + 2 + FRAME_CRC == length, COS_E_LINK_DAMAGED);
    COS_CHECK(cos_get32(bytes + length - FRAME_CRC) == cos_crc32(0, bytes, length - FRAME_CRC),
              COS_E_LINK_DAMAGED);
    *frame = (struct frame){
        .bytes = bytes,
        .direction = bytes[2],
        .opcode = bytes[3],
        .session = cos_get32(bytes + 4),
        .sequence = cos_get32(bytes + 8),
        .message = bytes + FRAME_HEADER,
    };
    COS_CHECK(length >= FRAME_HEADER + FRAME_CRC + tag_size(frame->session), COS_E_LINK_DAMAGED);
    frame->length = length - FRAME_HEADER - FRAME_CRC - tag_size(frame->session);
    COS_CHECK(frame->length <= COS_GATE_MESSAGE_MAX, COS_E_LINK_DAMAGED);
    return COS_OK;
}

void cos_frame_begin(uint8_t *bytes, enum frame_direction direction, uint8_t opcode,
                     uint32_t session, uint32_t sequence, size_t length)
{
    cos_put16(bytes, (uint16_t)(FRAME_HEADER - 2 + length + tag_size(session)));
    bytes[2] = (uint8_t)direction;
    bytes[3] = opcode;
    cos_put32(bytes + 4, session);
    cos_put32(bytes + 8, sequence);
}

size_t cos_frame_finish(uint8_t *bytes, size_t length)
{
    size_t end = FRAME_HEADER + length + tag_size(cos_get32(bytes + 4));

    cos_put32(bytes + end, cos_crc32(0, bytes, end));
    return end + FRAME_CRC;
}

/* What a message is sealed with beside the key. */
struct seal {
    uint8_t nonce[COS_CCM_NONCE];
    uint8_t associated[FRAME_HEADER + COS_CCM_TAG];
    size_t length;
};

static void prepare(struct seal *seal, const uint8_t *bytes, const uint8_t *request_tag)
{
    /* Direction, session and sequence number never occur twice under one key. */
    memset(seal, 0, sizeof *seal);
    seal->nonce[0] = bytes[2];
    memcpy(seal->nonce + 1, bytes + 4, 8);
    memcpy(seal->associated, bytes, FRAME_HEADER);
    seal->length = FRAME_HEADER;
    if (request_tag != NULL) {
        memcpy(seal->associated + FRAME_HEADER, request_tag, COS_CCM_TAG);
        seal->length += COS_CCM_TAG;
    }
}

enum cos_result cos_channel_seal(const struct cos_crypto *crypto, const uint8_t key[KEY_SIZE],
                                 uint8_t *bytes, size_t length, const uint8_t *request_tag)
{
    uint8_t *message = bytes + FRAME_HEADER;
    struct seal seal;

    prepare(&seal, bytes, request_tag);
    return crypto->aes_ccm_seal(crypto->context, key, KEY_SIZE, seal.nonce, seal.associated,
                                seal.length, message, length, message + length);
}

enum cos_result cos_channel_open(const struct cos_crypto *crypto, const uint8_t key[KEY_SIZE],
                                 const struct frame *frame, const uint8_t *request_tag)
{
    uint8_t tag[COS_CCM_TAG];
    struct seal seal;

    prepare(&seal, frame->bytes, request_tag);
    COS_TRY(crypto->aes_ccm_open(crypto->context, key, KEY_SIZE, seal.nonce, seal.associated,
                                 seal.length, frame->message, frame->length, tag));
    if (cos_equal_secret(tag, frame->message + frame->length, sizeof tag) != COS_YES) {
        cos_wipe(frame->message, frame->length);
        return COS_E_GATE_SESSION;
    }
    return COS_OK;
}

static enum cos_result confirm(const struct cos_crypto *crypto, const uint8_t key[KEY_SIZE],
                               enum frame_direction direction, struct cos_span nonces,
                               uint8_t confirmation[CONFIRMATION_SIZE])
{
    const uint8_t side = (uint8_t)direction;
    const struct cos_span parts[] = {{&side, 1}, nonces};
    uint8_t mac[COS_AES_BLOCK];

    COS_TRY(crypto->aes_cmac(crypto->context, key, KEY_SIZE, parts, 2, mac));
    memcpy(confirmation, mac, CONFIRMATION_SIZE);
    return COS_OK;
}

enum cos_result cos_channel_derive(const struct cos_crypto *crypto,
                                   const uint8_t secret[COS_PAIRING_SECRET],
                                   const uint8_t nonce_app[COS_GATE_NONCE],
                                   const uint8_t nonce_secure[COS_GATE_NONCE],
                                   struct cos_channel_keys *keys)
{
    static const uint8_t label[] = {'T', 'w', 'i', 'n', 'C', 'O', 'S', ' ', 'g', 'a', 't', 'e'};
    uint8_t nonces[2 * COS_GATE_NONCE];
    uint8_t derived[3 * KEY_SIZE + 4];
    const struct cos_span context = {nonces, sizeof nonces};

    memcpy(nonces, nonce_app, COS_GATE_NONCE);
    memcpy(nonces + COS_GATE_NONCE, nonce_secure, COS_GATE_NONCE);
    enum cos_result result =
        cos_kdf(crypto, secret, COS_PAIRING_SECRET, (struct cos_span){label, sizeof label}, context,
                derived, sizeof derived);
    if (result == COS_OK) {
        memcpy(keys->request, derived, KEY_SIZE);
        memcpy(keys->response, derived + KEY_SIZE, KEY_SIZE);
        keys->session = cos_get32(derived + 3 * KEY_SIZE);
        keys->session = keys->session != 0 ? keys->session : 1;
        result =
            confirm(crypto, derived + 2 * KEY_SIZE, FRAME_REQUEST, context, keys->confirmation_app);
    }
    if (result == COS_OK) {
        result = confirm(crypto, derived + 2 * KEY_SIZE, FRAME_RESPONSE, context,
                         keys->confirmation_secure);
    }
    cos_wipe(derived, sizeof derived);
    return result;
}
