/* SPDX-License-Identifier: Apache-2.0
 *
 * KEY: PUT KEY (GPCS 11.8), key information (GPCS 11.3.3.1), DELETE of keys (GPCS 11.2), and the
 * way to STORE DATA.
 */
#include "sm.h"

enum {
    KEY_TYPE_AES = 0x88,
    KEY_TYPE_DES = 0x80,
    CHECK_VALUE = 3,
    PUT_KEY_P2_SET = 0x81, /* several keys, the first has identifier 1 */
    KEY_VERSION_MAX = 0x7F,
    KEY_ENTRY = 6,    /* in key information */
    KEY_SETS_MAX = 3, /* what key information has room for in one answer of the gate */
};

/* A key of SCP02: over 00 00 .. */
static enum cos_result encipher_zeros(const struct cos_crypto *crypto, const uint8_t key[16],
                                      uint8_t block[COS_AES_BLOCK])
{
    uint8_t wide[24];

    memcpy(wide, key, 16);
    memcpy(wide + 16, key, 8);
    memset(block, 0x00, COS_AES_BLOCK);
    enum cos_result result = crypto->des3_encrypt(crypto->context, wide, block, block);
    cos_wipe(wide, sizeof wide);
    return result;
}

static enum cos_result check_value(const struct cos_crypto *crypto, const struct object *object,
                                   const uint8_t *key, const uint8_t expected[CHECK_VALUE])
{
    uint8_t block[COS_AES_BLOCK];

    memset(block, 0x01, sizeof block);
    COS_TRY(WITH_SCP02 && object->algorithm == ALGORITHM_DES3
                ? encipher_zeros(crypto, key, block)
                : crypto->aes_encrypt(crypto->context, key, object->length, block, block));
    COS_CHECK(memcmp(block, expected, CHECK_VALUE) == 0, COS_E_DATA);
    return COS_OK;
}

/* Whether a set can be of such keys. */
static bool is_type(uint8_t type, uint8_t length)
{
    if (WITH_SCP02 && type == KEY_TYPE_DES) {
        return length == 16;
    }
    return type == KEY_TYPE_AES && (length == 16 || length == 24 || length == 32);
}

/* One key of PUT KEY: type, length, key length, cryptogram under the DEK (in secure->clear), length
 * of the check value, check value. Adds it to the transaction, to the entry that is prepared in
 * *object. */
static enum cos_result put_one(struct cos_secure *secure, size_t dek_length,
                               struct cos_reader *reader, struct object *object,
                               struct cos_writer *body)
{
    const struct cos_crypto *crypto = secure->config.crypto;
    static const uint8_t iv[COS_AES_BLOCK];
    const uint8_t *head = cos_read_bytes(reader, 3);
    uint8_t *key = secure->clear.work;

    COS_CHECK(head != NULL && is_type(head[0], head[2]), COS_E_DATA);
    object->algorithm = WITH_SCP02 && head[0] == KEY_TYPE_DES ? ALGORITHM_DES3 : ALGORITHM_AES;
    object->length = head[2];
    const size_t padded = (object->length + 15U) & ~15U;
    COS_CHECK(head[1] == padded + 1, COS_E_DATA);
    const uint8_t *cryptogram = cos_read_bytes(reader, padded);
    const uint8_t *kcv = cos_read_bytes(reader, 1 + CHECK_VALUE);
    COS_CHECK(cryptogram != NULL && kcv != NULL && kcv[0] == CHECK_VALUE, COS_E_DATA);
    COS_TRY(crypto->aes_cbc_decrypt(crypto->context, secure->clear.secret, dek_length, iv,
                                    cryptogram, key, padded));
    COS_TRY(check_value(crypto, object, key, kcv + 1));
    COS_TRY(cos_object_put(secure, object, key));
    cos_write_bytes(body, kcv + 1, CHECK_VALUE);
    return COS_OK;
}

/* Whether one more set of keys may be there. */
static enum cos_result room_for_set(const struct cos_secure *secure)
{
    unsigned sets;

    COS_TRY(cos_object_count_sets(secure, 0, &sets));
    return sets < KEY_SETS_MAX ? COS_OK : COS_E_MEMORY_FULL;
}

static bool is_under_set(const struct cos_session *session, uint8_t version)
{
    return session->protocol != COS_SM_NONE && !cos_session_is_iso(session) &&
           session->key == version;
}

static enum cos_result put_set(struct cos_secure *secure, struct cos_session *session,
                               uint8_t old_version, struct cos_span data, struct cos_writer *body)
{
    struct cos_reader reader = cos_reader(data.data, data.length);
    uint8_t version = cos_read8(&reader);
    struct object object;
    uint8_t length = 0, algorithm = ALGORITHM_NONE;

    COS_CHECK(version >= 1 && version <= KEY_VERSION_MAX, COS_E_DATA);
    enum cos_result taken = cos_object_find_usage(secure, USAGE_SCP03_ENC, version, &object);
    COS_CHECK(taken == COS_E_REFERENCE_NOT_FOUND || version == old_version, COS_E_DATA);
    COS_TRY(old_version == 0
                ? room_for_set(secure)
                : cos_object_find_usage(secure, USAGE_SCP03_ENC, old_version, &object));
    COS_TRY(cos_object_find_usage(secure, USAGE_SCP03_DEK, session->key, &object));
    COS_CHECK(!WITH_SCP02 || object.algorithm == ALGORITHM_AES, COS_E_CONDITIONS);
    COS_TRY(cos_object_secret(secure, &object, secure->clear.secret));
    const size_t dek_length = object.length;
    cos_write8(body, version);
    cos_change_start(secure);
    for (uint8_t i = 0; i < KEYS_OF_A_SET; i++) {
        COS_TRY(cos_object_place_key(secure, (uint8_t)(i + 1),
                                     old_version != 0 ? old_version : version, &object));
        object.version = version;
        COS_TRY(put_one(secure, dek_length, &reader, &object, body));
        COS_CHECK(i == 0 || (object.length == length && object.algorithm == algorithm), COS_E_DATA);
        length = object.length;
        algorithm = object.algorithm;
    }
    COS_CHECK(cos_read_done(&reader), COS_E_DATA);
    COS_TRY(cos_change_commit(secure));
    for (size_t i = 0; i < COS_SM_SESSIONS; i++) {
        struct cos_session *other = &secure->sessions[i];
        if (other != session && is_under_set(other, old_version)) {
            cos_session_close(secure, other);
        }
    }
    if (old_version == session->key) {
        session->key = version; /* the session goes on with the set that replaced its own */
    }
    return COS_OK;
}

static enum cos_result put_key(struct cos_secure *secure, uint8_t channel, struct cos_writer *body)
{
    struct cos_span data;

    COS_TRY(cos_status_require(secure, channel, CONDITION_SM));
    COS_TRY(cos_held_take(secure, channel, 0xD8, &data));
    COS_CHECK(secure->held.p2 == PUT_KEY_P2_SET && secure->held.p1 <= KEY_VERSION_MAX, COS_E_P1_P2);
    struct cos_session *session = cos_session_of(secure, channel);
    COS_INVARIANT(session != NULL);
    return put_set(secure, session, secure->held.p1, data, body);
}

static enum cos_result store_data(struct cos_secure *secure, uint8_t channel, uint16_t waiting)
{
    struct cos_span data;

    COS_TRY(cos_status_require(secure, channel, CONDITION_SM));
    COS_TRY(cos_held_take(secure, channel, 0xE2, &data));
    const struct cos_session *session = cos_session_seen(secure, channel);
    COS_INVARIANT(session != NULL);
    COS_CHECK((session->level & COS_SM_COMMAND_ENC) != 0, COS_E_SECURITY_STATUS);
    return cos_personal_store(secure, data, waiting);
}

/* Key information template E0: C0 {identifier, version, type, length} for each key of the card's
 * key sets. */
static enum cos_result key_information(const struct cos_secure *secure, struct cos_writer *body)
{
    uint8_t template[KEY_SETS_MAX * KEYS_OF_A_SET * KEY_ENTRY];
    struct cos_writer keys = cos_writer(template, sizeof template);

    for (uint16_t index = 0; index < secure->config.objects; index++) {
        struct object object;
        COS_TRY(cos_object_read(secure, index, &object));
        if (object.kind == OBJECT_KEY && object.version != 0) {
            const uint8_t type =
                WITH_SCP02 && object.algorithm == ALGORITHM_DES3 ? KEY_TYPE_DES : KEY_TYPE_AES;
            const uint8_t entry[] = {object.number, object.version, type, object.length};
            cos_tlv_write(&keys, 0xC0, entry, sizeof entry);
        }
    }
    cos_tlv_write(body, 0xE0, template, keys.length);
    return keys.failed || body->failed ? COS_E_MEMORY_FULL : COS_OK;
}

/* A key set in use cannot be deleted from under its session, whichever channel that is on, so one
 * set always remains. */
static enum cos_result delete_set(struct cos_secure *secure, uint8_t version)
{
    for (size_t i = 0; i < COS_SM_SESSIONS; i++) {
        COS_CHECK(!is_under_set(&secure->sessions[i], version), COS_E_CONDITIONS);
    }
    cos_change_start(secure);
    COS_TRY(cos_object_remove_set(secure, version));
    return cos_change_commit(secure);
}

/* Whether the open command's data name this value; 0 = that they do not have the object. */
static bool named(const struct cos_secure *secure, uint32_t tag, uint8_t value)
{
    struct cos_tlv tlv;
    enum cos_result result = cos_tlv_find(secure->held.data, secure->held.length, tag, &tlv);

    return value == 0 ? result == COS_E_REFERENCE_NOT_FOUND
                      : result == COS_OK && tlv.length == 1 && tlv.value[0] == value;
}

static enum cos_result delete_key(struct cos_secure *secure, uint8_t channel, uint8_t reference,
                                  uint8_t version)
{
    struct object object;

    COS_TRY(cos_status_require(secure, channel, CONDITION_SM));
    COS_CHECK(named(secure, 0xD0, reference) && named(secure, 0xD2, version), COS_E_CONDITIONS);
    if (version != 0) {
        COS_CHECK(reference == 0, COS_E_DATA); /* single keys of a set cannot be deleted */
        return delete_set(secure, version);
    }
    COS_TRY(cos_status_find(secure, channel, reference, OBJECT_KEY, &object));
    cos_status_revoke(secure, &object);
    cos_change_start(secure);
    cos_object_remove(secure, &object);
    COS_TRY(cos_change_commit(secure));
    return cos_content_sweep(secure);
}

enum cos_result cos_call_key(struct cos_secure *secure, struct cos_reader *request,
                             struct cos_writer *body)
{
    uint8_t operation = cos_read8(request);
    uint8_t channel = cos_read_channel(request);
    struct cos_span rest = cos_read_rest(request);
    const uint16_t waiting = secure->waiting;

    secure->waiting = 0; /* for this call and no later one */
    COS_CHECK(!request->failed, COS_E_GATE_FORMAT);
    switch (operation) {
    case COS_KEY_PUT:
        COS_CHECK(rest.length == 0, COS_E_GATE_FORMAT);
        return put_key(secure, channel, body);
    case COS_KEY_STORE:
        COS_CHECK(rest.length == 0, COS_E_GATE_FORMAT);
        return store_data(secure, channel, waiting);
    case COS_KEY_ATTRIBUTES:
        COS_CHECK(rest.length == 2, COS_E_GATE_FORMAT);
        COS_CHECK(cos_get16(rest.data) == 0x00E0, COS_E_REFERENCE_NOT_FOUND);
        return key_information(secure, body);
    case COS_KEY_DELETE:
        COS_CHECK(rest.length == 2, COS_E_GATE_FORMAT);
        return delete_key(secure, channel, rest.data[0], rest.data[1]);
    case COS_KEY_GENERATE:
        COS_CHECK(rest.length == 1, COS_E_GATE_FORMAT);
        return cos_key_generate(secure, channel, rest.data[0], body);
    case COS_KEY_PUBLIC:
        COS_CHECK(rest.length == 1, COS_E_GATE_FORMAT);
        return cos_key_public(secure, channel, rest.data[0], body);
    default:
        return COS_E_GATE_FORMAT;
    }
}
