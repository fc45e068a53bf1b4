/* SPDX-License-Identifier: Apache-2.0
 *
 * MUTUAL AUTHENTICATE (ISO/IEC 7816-4:2013, 11.5.4), which opens a session of secure messaging: the
 * protocol of Basic Access Control (ICAO Doc 9303-11, 4.3 and 9.7), and the same with AES
 * (docs/formats.md, "Mutual authentication").
 */
#include "sm.h"

#include "crypto/sha1.h"

enum {
    KEY = 16, /* of 3DES and AES-128 */
    COUNTER_ENC = 1,
    COUNTER_MAC = 2,
};

/* DES keys have odd parity. */
static void set_parity(uint8_t key[KEY])
{
    for (size_t i = 0; i < KEY; i++) {
        unsigned bits = key[i] | 0x01U;
        bits ^= bits >> 4;
        bits ^= bits >> 2;
        bits ^= bits >> 1;
        key[i] = (uint8_t)((key[i] | 0x01U) ^ (~bits & 0x01U));
    }
}

/* Bytes of K.IFD, K.IC and the seed, for a key of so many: whole blocks. */
static size_t seed_size(size_t key)
{
    return key == KEY ? KEY : COS_AES_KEY_MAX;
}

/* 9.7.1: the hash of seed || counter, cut to the key's length; SHA-1 for 16 bytes, else SHA-256. */
static enum cos_result derive_key(const struct cos_crypto *crypto,
                                  const struct cos_session *session, const uint8_t *seed,
                                  uint32_t counter, uint8_t key[COS_AES_KEY_MAX])
{
    const size_t length = seed_size(session->key_length);
    uint8_t message[COS_AES_KEY_MAX + 4];
    const struct cos_span whole = {message, length + 4};
    enum cos_result result = COS_OK;

    memcpy(message, seed, length);
    cos_put32(message + length, counter);
    if (session->key_length == KEY) {
        cos_sha1_short(message, whole.length, key);
    } else {
        result = crypto->hash(crypto->context, COS_SHA256, &whole, 1, key);
    }
    if (session->protocol == COS_SM_ISO_DES3) {
        set_parity(key);
    }
    cos_wipe(message, sizeof message);
    return result;
}
_Static_assert(COS_SHA256_SIZE == COS_AES_KEY_MAX, "a digest is a key");

static const uint8_t no_iv[COS_AES_BLOCK];

/* MAC, and only then decipherment, of RND.IFD || RND.IC || K.IFD, to secure->clear.work; the
 * challenge must be in it. COS_NO if anything is wrong. */
static enum cos_result check_terminal(struct cos_secure *secure, const struct cos_session *session,
                                      struct cos_span data, size_t block, cos_truth *right)
{
    const struct cos_crypto *crypto = secure->config.crypto;
    const struct cos_span cryptogram = {data.data, data.length - ISO_MAC};
    uint8_t *work = secure->clear.work;
    uint8_t mac[COS_AES_BLOCK];

    COS_TRY(cos_iso_mac(crypto, session, &cryptogram, 1, mac));
    *right = cos_equal_secret(mac, data.data + cryptogram.length, ISO_MAC);
    if (*right == COS_YES) {
        memcpy(work, cryptogram.data, cryptogram.length);
        COS_TRY(cos_iso_cipher(crypto, session, no_iv, false, work, cryptogram.length));
        *right = cos_equal_secret(work + block, secure->challenge, block);
    }
    return COS_OK;
}

/* Answers RND.IC || RND.IFD || K.IC, and gives the session its keys and counter. */
static enum cos_result answer_terminal(struct cos_secure *secure, struct cos_session *session,
                                       size_t block, struct cos_writer *body)
{
    const struct cos_crypto *crypto = secure->config.crypto;
    const size_t size = seed_size(session->key_length), length = 2 * block + size;
    uint8_t *work = secure->clear.work, *seed = secure->clear.secret;
    uint8_t mac[COS_AES_BLOCK];

    memcpy(seed, work + 2 * block, size);
    COS_TRY(cos_drbg_random(&secure->drbg, work + 2 * block, size));
    for (size_t i = 0; i < size; i++) {
        seed[i] ^= work[2 * block + i];
    }
    memcpy(work + block, work, block);
    memcpy(work, secure->challenge, block);
    memcpy(session->chain, work + block / 2, block / 2);
    memcpy(session->chain + block / 2, work + block + block / 2, block / 2);
    COS_TRY(cos_iso_cipher(crypto, session, no_iv, true, work, length));
    const struct cos_span cryptogram = {work, length};
    COS_TRY(cos_iso_mac(crypto, session, &cryptogram, 1, mac));
    cos_write_bytes(body, work, length);
    cos_write_bytes(body, mac, ISO_MAC);
    COS_TRY(derive_key(crypto, session, seed, COUNTER_ENC, session->enc));
    return derive_key(crypto, session, seed, COUNTER_MAC, session->mac);
}
_Static_assert(2 * COS_AES_BLOCK + COS_AES_KEY_MAX <= sizeof((struct cos_secure *)NULL)->clear.work,
               "the longest cryptogram has room");

/* The session holds the long-term keys while they are worked with. */
static enum cos_result run(struct cos_secure *secure, struct cos_session *session,
                           struct object *key, struct cos_span data, struct cos_writer *body)
{
    const size_t block = key->algorithm == ALGORITHM_DES3 ? COS_DES_BLOCK : COS_AES_BLOCK;
    cos_truth right;

    COS_TRY(cos_object_secret(secure, key, secure->clear.secret));
    session->key_length = key->length / 2;
    memcpy(session->enc, secure->clear.secret, session->key_length);
    memcpy(session->mac, secure->clear.secret + session->key_length, session->key_length);
    session->protocol = key->algorithm == ALGORITHM_DES3 ? COS_SM_ISO_DES3 : COS_SM_ISO_AES;
    COS_TRY(check_terminal(secure, session, data, block, &right));
    COS_CHECK(right == COS_YES,
              key->tries_max != 0 ? cos_tries_left(key->tries_left) : COS_E_AUTHENTICATION);
    COS_INVARIANT(cos_equal_secret(secure->clear.work + block, secure->challenge, block) ==
                  COS_YES);
    COS_TRY(cos_object_restore(secure, key));
    return answer_terminal(secure, session, block, body);
}

enum cos_result cos_mutual_authenticate(struct cos_secure *secure, uint8_t channel,
                                        struct object *key, struct cos_span data,
                                        struct cos_writer *body)
{
    struct cos_session *session;
    const size_t block = key->algorithm == ALGORITHM_DES3 ? COS_DES_BLOCK : COS_AES_BLOCK;

    COS_CHECK(data.length == 2 * block + seed_size(key->length / 2U) + ISO_MAC, COS_E_LENGTH);
    /* A session is not opened within another one. */
    COS_CHECK(!secure->in_sm && secure->challenge_use == 0 && secure->challenge_length == block,
              COS_E_CONDITIONS);
    COS_TRY(cos_key_self_test(secure, COS_SELF_TEST_SHA1)); /* of the session keys */
    session = cos_session_take(secure, channel);
    COS_CHECK(session != NULL, COS_E_CONDITIONS);
    secure->challenge_length = 0; /* a challenge is good for one try */
    COS_TRY(cos_object_spend(secure, key));
    enum cos_result result = run(secure, session, key, data, body);
    cos_wipe(secure->challenge, sizeof secure->challenge);
    if (result != COS_OK) {
        cos_session_close(secure, session);
        return result;
    }
    session->level =
        COS_SM_COMMAND_MAC | COS_SM_COMMAND_ENC | COS_SM_RESPONSE_MAC | COS_SM_RESPONSE_ENC;
    session->key = key->number;
    session->context = key->context;
    session->open = COS_YES;
    cos_status_set(secure, &secure->channels[channel], key, true);
    return COS_OK;
}
