/* SPDX-License-Identifier: Apache-2.0
 *
 * Secure messaging of ISO/IEC 7816-4:2013, 10, in the profile of ICAO Doc 9303-11, 9.8: data
 * enciphered and a checksum over everything, command header included; 3DES with retail MAC, or AES
 * with CMAC.
 */
#include "sm.h"

#include "crypto/mac.h"

enum {
    TAG_CRYPTOGRAM_TLV = 0x85, /* plain value BER-TLV: odd instructions */
    TAG_CRYPTOGRAM = 0x87,     /* padding indicator, cryptogram */
    TAG_LE = 0x97,
    TAG_STATUS = 0x99,
    TAG_CHECKSUM = 0x8E,
    PADDED = 0x01, /* padding indicator: 80 00 .. */
    DES_KEY = 8,
    PARTS_MAX = 6,
    /* Around a cryptogram of 128 bytes or more: 87 81 L 01, 99, 8E. */
    AROUND = 4 + 4 + 2 + ISO_MAC,
};

static size_t block_of(const struct cos_session *session)
{
    return session->protocol == COS_SM_ISO_AES ? COS_AES_BLOCK : COS_DES_BLOCK;
}

enum cos_result cos_iso_mac(const struct cos_crypto *crypto, const struct cos_session *session,
                            const struct cos_span *parts, size_t count, uint8_t mac[COS_AES_BLOCK])
{
    static const uint8_t padding[COS_AES_BLOCK] = {0x80};
    struct cos_span padded[PARTS_MAX];
    size_t length = 0;

    if (session->protocol != COS_SM_ISO_AES) {
        return cos_des_mac(crypto, COS_DES_MAC_3, COS_PADDING_2, session->mac, parts, count, mac);
    }
    COS_INVARIANT(count < PARTS_MAX);
    for (size_t i = 0; i < count; i++) {
        padded[i] = parts[i];
        length += parts[i].length;
    }
    padded[count++] = (struct cos_span){padding, COS_AES_BLOCK - length % COS_AES_BLOCK};
    return crypto->aes_cmac(crypto->context, session->mac, session->key_length, padded, count, mac);
}

/* CBC with initial value 0; K1 K2 becomes K1 K2 K1, as the provider wants it. */
static enum cos_result des3_cipher(const struct cos_crypto *crypto, const uint8_t key[2 * DES_KEY],
                                   bool encipher, uint8_t *data, size_t length)
{
    static const uint8_t iv[COS_DES_BLOCK];
    uint8_t wide[3 * DES_KEY];

    memcpy(wide, key, 2U * DES_KEY);
    memcpy(wide + 2 * DES_KEY, key, DES_KEY);
    const enum cos_result result = encipher
                                       ? cos_des3_cbc_encrypt(crypto, wide, iv, data, data, length)
                                       : cos_des3_cbc_decrypt(crypto, wide, iv, data, data, length);
    cos_wipe(wide, sizeof wide);
    return result;
}

enum cos_result cos_iso_cipher(const struct cos_crypto *crypto, const struct cos_session *session,
                               const uint8_t iv[COS_AES_BLOCK], bool encipher, uint8_t *data,
                               size_t length)
{
    if (session->protocol != COS_SM_ISO_AES) {
        return des3_cipher(crypto, session->enc, encipher, data, length);
    }
    return encipher ? crypto->aes_cbc_encrypt(crypto->context, session->enc, session->key_length,
                                              iv, data, data, length)
                    : crypto->aes_cbc_decrypt(crypto->context, session->enc, session->key_length,
                                              iv, data, data, length);
}

/* The same under the send sequence counter: with AES the initial value is the counter enciphered.
 */
static enum cos_result cipher(const struct cos_crypto *crypto, const struct cos_session *session,
                              bool encipher, uint8_t *data, size_t length)
{
    uint8_t iv[COS_AES_BLOCK];

    if (session->protocol == COS_SM_ISO_AES) {
        COS_TRY(crypto->aes_encrypt(crypto->context, session->enc, session->key_length,
                                    session->chain, iv));
    }
    return cos_iso_cipher(crypto, session, iv, encipher, data, length);
}

/* Before each command and before each response. */
static void step_counter(struct cos_session *session)
{
    for (size_t i = block_of(session); i > 0 && ++session->chain[i - 1] == 0; i--) {
    }
}

/* What a protected command consists of: cryptogram, Le, checksum; each once at most, in this order.
 */
struct objects {
    struct cos_tlv cryptogram, le, checksum;
};

/* Where an object belongs, NULL if it does not: *at says what may come after it. */
static struct cos_tlv *place_of(struct objects *objects, uint32_t tag, bool odd, unsigned *at)
{
    const unsigned before = *at;

    if (tag == (odd ? TAG_CRYPTOGRAM_TLV : TAG_CRYPTOGRAM)) {
        *at = 1;
        return before < 1 ? &objects->cryptogram : NULL;
    }
    if (tag == TAG_LE) {
        *at = 2;
        return before < 2 ? &objects->le : NULL;
    }
    *at = 3;
    return before < 3 && tag == TAG_CHECKSUM ? &objects->checksum : NULL;
}

static enum cos_result take_objects(const struct sm_command *command, struct objects *objects)
{
    struct cos_reader reader = cos_reader(command->data, command->nc);
    const bool odd = (command->header[1] & 0x01U) != 0;
    unsigned at = 0;

    COS_CHECK(command->nc > 0, COS_E_SM_MISSING);
    *objects = (struct objects){.cryptogram.tag = 0};
    while (reader.length > 0) {
        struct cos_tlv tlv;
        COS_CHECK(cos_tlv_next(&reader, &tlv) == COS_OK, COS_E_SM_INCORRECT);
        struct cos_tlv *place = place_of(objects, tlv.tag, odd, &at);
        COS_CHECK(place != NULL, COS_E_SM_INCORRECT);
        *place = tlv;
    }
    COS_CHECK(objects->checksum.tag != 0, COS_E_SM_MISSING);
    COS_CHECK(objects->checksum.length == ISO_MAC && objects->le.length <= 2 &&
                  (objects->le.tag == 0 || objects->le.length > 0),
              COS_E_SM_INCORRECT);
    return COS_OK;
}

/* SSC || header, padded if something follows || everything before the checksum. */
static enum cos_result check_mac(const struct cos_crypto *crypto, const struct cos_session *session,
                                 const struct sm_command *command, const struct objects *objects)
{
    static const uint8_t padding[COS_AES_BLOCK] = {0x80};
    const size_t block = block_of(session);
    const struct cos_tlv *first =
        objects->cryptogram.tag != 0 ? &objects->cryptogram : &objects->le;
    const size_t covered = (size_t)(objects->checksum.value - command->data) - 2;
    const struct cos_span parts[] = {{session->chain, block},
                                     {command->header, 4},
                                     {padding, first->tag != 0 ? block - 4 : 0},
                                     {command->data, first->tag != 0 ? covered : 0}};
    uint8_t mac[COS_AES_BLOCK];

    COS_TRY(cos_iso_mac(crypto, session, parts, sizeof parts / sizeof parts[0], mac));
    COS_CHECK(cos_equal_secret(mac, objects->checksum.value, ISO_MAC) == COS_YES,
              COS_E_SM_INCORRECT);
    return COS_OK;
}

/* Le as plain commands have it: 0 absent, 256 or 65536 for "all". */
static uint32_t expected_of(const struct cos_tlv *le)
{
    if (le->tag == 0) {
        return 0;
    }
    const uint32_t all = le->length == 1 ? 256 : 65536;
    const uint32_t ne = le->length == 1 ? le->value[0] : cos_get16(le->value);
    return ne == 0 ? all : ne;
}

enum cos_result cos_iso_open(const struct cos_crypto *crypto, struct cos_session *session,
                             struct sm_command *command)
{
    struct objects objects;

    COS_TRY(take_objects(command, &objects));
    step_counter(session);
    COS_TRY(check_mac(crypto, session, command, &objects));
    command->ne = expected_of(&objects.le);
    command->nc = 0;
    if (objects.cryptogram.tag == 0) {
        return COS_OK;
    }
    const uint8_t *from = objects.cryptogram.value;
    size_t length = objects.cryptogram.length;
    if (objects.cryptogram.tag == TAG_CRYPTOGRAM) {
        COS_CHECK(length > 0 && from[0] == PADDED, COS_E_SM_INCORRECT);
        from++;
        length--;
    }
    COS_CHECK(length > 0 && length % block_of(session) == 0, COS_E_SM_INCORRECT);
    memmove(command->data, from, length);
    COS_TRY(cipher(crypto, session, false, command->data, length));
    command->nc = length;
    return cos_sm_unpad(command->data, &command->nc);
}

size_t cos_iso_room(const struct cos_session *session)
{
    const size_t block = block_of(session);

    return (RESPONSE_MAX - AROUND) / block * block - 1;
}

/* 87 (85 for odd instructions). */
static enum cos_result seal_data(const struct cos_crypto *crypto, const struct cos_session *session,
                                 bool odd, struct cos_span data, struct cos_writer *body)
{
    const size_t opened = cos_tlv_open(body, odd ? TAG_CRYPTOGRAM_TLV : TAG_CRYPTOGRAM);

    if (!odd) {
        cos_write8(body, PADDED);
    }
    const size_t from = body->length;
    cos_write_bytes(body, data.data, data.length);
    cos_sm_pad(body, data.length, block_of(session));
    COS_INVARIANT(!body->failed);
    COS_TRY(cipher(crypto, session, true, body->data + from, body->length - from));
    cos_tlv_close(body, opened);
    return COS_OK;
}

enum cos_result cos_iso_seal(const struct cos_crypto *crypto, struct cos_session *session, bool odd,
                             uint16_t sw, struct cos_span data, struct cos_writer *body)
{
    const size_t from = body->length;
    uint8_t mac[COS_AES_BLOCK];

    step_counter(session);
    if (data.length != 0) {
        COS_TRY(seal_data(crypto, session, odd, data, body));
    }
    cos_tlv_write16(body, TAG_STATUS, sw);
    COS_INVARIANT(!body->failed);
    const struct cos_span parts[] = {{session->chain, block_of(session)},
                                     {body->data + from, body->length - from}};
    COS_TRY(cos_iso_mac(crypto, session, parts, sizeof parts / sizeof parts[0], mac));
    cos_tlv_write(body, TAG_CHECKSUM, mac, ISO_MAC);
    return COS_OK;
}
