/* SPDX-License-Identifier: Apache-2.0
 *
 * GlobalPlatform SCP03 (Card Specification Amendment D 1.2), with the options that the chip's
 * configuration names (cos/secure.h).
 */
#include "sm.h"

enum {
    SCP03_IDENTIFIER = 0x03,
    CONSTANT_CARD_CRYPTOGRAM = 0x00,
    CONSTANT_HOST_CRYPTOGRAM = 0x01,
    CONSTANT_CARD_CHALLENGE = 0x02,
    CONSTANT_S_ENC = 0x04,
    CONSTANT_S_MAC = 0x06,
    CONSTANT_S_RMAC = 0x07,
    LENGTH_S8 = 8, /* of a challenge, a cryptogram, a MAC */
    LENGTH_S16 = 16,
    SEQUENCE = 3,
    COUNTER_MAX = 0xFFFFFF,
};

/* AID of the issuer security domain. */
static const uint8_t issuer_domain[] = {0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00, 0x00};

static enum cos_result find_keys(const struct cos_secure *secure, uint8_t version,
                                 struct object *enc, struct object *mac)
{
    COS_TRY(cos_object_find_usage(secure, USAGE_SCP03_ENC, version, enc));
    COS_TRY(cos_object_find_usage(secure, USAGE_SCP03_MAC, enc->version, mac));
    COS_CHECK(enc->length == mac->length, COS_E_NOT_USABLE);
    COS_CHECK(enc->counter < COUNTER_MAX, COS_E_METHOD_BLOCKED);
    return COS_OK;
}

/* What INITIALIZE UPDATE works with. */
struct beginning {
    struct object enc, mac;
    uint8_t sequence[1 + SEQUENCE]; /* the counter is put as four bytes */
    uint8_t challenges[2 * LENGTH_S16];
    uint8_t cryptogram[LENGTH_S16]; /* the card's */
};

/* Derives from a key of the session's length, over both challenges. */
static enum cos_result derive(const struct cos_secure *secure, const struct cos_session *session,
                              const uint8_t *key, uint8_t constant,
                              const struct beginning *beginning, uint8_t *out, size_t length)
{
    return cos_kdf_scp03(secure->config.crypto, key, session->key_length, constant,
                         (struct cos_span){beginning->challenges, 2U * session->mac_length}, out,
                         length);
}

/* The card's challenge, behind the host's: by chance, or made from K-ENC (in secure->clear) and the
 * counter, so that it cannot be chosen. */
static enum cos_result make_challenge(struct cos_secure *secure, const struct cos_session *session,
                                      struct beginning *beginning)
{
    uint8_t *challenge = beginning->challenges + session->mac_length;
    uint8_t context[SEQUENCE + sizeof issuer_domain];

    if ((secure->config.scp03 & COS_SCP03_PSEUDO_RANDOM) == 0) {
        return cos_drbg_random(&secure->drbg, challenge, session->mac_length);
    }
    memcpy(context, beginning->sequence + 1, SEQUENCE);
    memcpy(context + SEQUENCE, issuer_domain, sizeof issuer_domain);
    return cos_kdf_scp03(secure->config.crypto, secure->clear.secret, session->key_length,
                         CONSTANT_CARD_CHALLENGE, (struct cos_span){context, sizeof context},
                         challenge, session->mac_length);
}

/* Card challenge, session keys, the host's cryptogram to be expected, and the card's. */
static enum cos_result derive_session(struct cos_secure *secure, struct cos_session *session,
                                      struct beginning *beginning)
{
    uint8_t *secret = secure->clear.secret;
    const size_t length = session->key_length;

    COS_TRY(cos_object_secret(secure, &beginning->enc, secret));
    COS_TRY(make_challenge(secure, session, beginning));
    COS_TRY(derive(secure, session, secret, CONSTANT_S_ENC, beginning, session->enc, length));
    COS_TRY(cos_object_secret(secure, &beginning->mac, secret));
    COS_TRY(derive(secure, session, secret, CONSTANT_S_MAC, beginning, session->mac, length));
    COS_TRY(derive(secure, session, secret, CONSTANT_S_RMAC, beginning, session->rmac, length));
    COS_TRY(derive(secure, session, session->mac, CONSTANT_HOST_CRYPTOGRAM, beginning,
                   session->expected, session->mac_length));
    return derive(secure, session, session->mac, CONSTANT_CARD_CRYPTOGRAM, beginning,
                  beginning->cryptogram, session->mac_length);
}

/* 7.1.1.6: key diversification data (10), key information, card challenge, card cryptogram,
 * sequence counter if the challenge is pseudo-random. */
static void answer(const struct cos_secure *secure, const struct cos_session *session,
                   const struct beginning *beginning, struct cos_writer *body)
{
    const uint8_t information[] = {session->key, SCP03_IDENTIFIER, secure->config.scp03};

    cos_write16(body, 0);
    cos_write_bytes(body, secure->serial, sizeof secure->serial);
    cos_write_bytes(body, information, sizeof information);
    cos_write_bytes(body, beginning->challenges + session->mac_length, session->mac_length);
    cos_write_bytes(body, beginning->cryptogram, session->mac_length);
    if ((secure->config.scp03 & COS_SCP03_PSEUDO_RANDOM) != 0) {
        cos_write_bytes(body, beginning->sequence + 1, SEQUENCE);
    }
}

static uint8_t length_of(const struct cos_secure *secure)
{
    return (secure->config.scp03 & COS_SCP03_S16) != 0 ? LENGTH_S16 : LENGTH_S8;
}

enum cos_result cos_scp03_begin(struct cos_secure *secure, struct cos_reader *request,
                                struct cos_writer *body)
{
    const uint8_t channel = cos_read_channel(request);
    uint8_t version = cos_read8(request);
    struct cos_span challenge = cos_read_rest(request);
    struct beginning beginning;

    COS_CHECK(!request->failed && (challenge.length == LENGTH_S8 || challenge.length == LENGTH_S16),
              COS_E_GATE_FORMAT);
    secure->in_sm = false;
    cos_channel_close_session(secure, channel);
    cos_steps_drop(secure);
    struct cos_session *session = cos_session_take(secure, channel);
    COS_CHECK(session != NULL, COS_E_CONDITIONS);
    COS_TRY(find_keys(secure, version, &beginning.enc, &beginning.mac));
    session->key = beginning.enc.version;
    if (WITH_SCP02 && beginning.enc.algorithm == ALGORITHM_DES3) {
        return cos_scp02_begin(secure, session, &beginning.enc, &beginning.mac, challenge, body);
    }
    COS_CHECK(challenge.length == length_of(secure), COS_E_LENGTH);
    session->protocol = COS_SM_SCP03;
    session->key_length = beginning.enc.length;
    session->mac_length = length_of(secure);
    cos_put32(beginning.sequence, beginning.enc.counter + 1);
    memcpy(beginning.challenges, challenge.data, challenge.length);
    session->begun = true; /* from here on there is something to be closed */
    COS_TRY(derive_session(secure, session, &beginning));
    answer(secure, session, &beginning, body);
    return COS_OK;
}

/* C-MAC over chaining value, header with the secure messaging bit and without channel, Lc and data
 * (6.2.4). */
static enum cos_result command_mac(const struct cos_crypto *crypto,
                                   const struct cos_session *session, const uint8_t header[4],
                                   struct cos_span lc, struct cos_span data,
                                   uint8_t mac[COS_AES_BLOCK])
{
    const uint8_t class_ = (uint8_t)((header[0] & 0xFCU) | 0x04U);
    const struct cos_span parts[] = {
        {session->chain, sizeof session->chain}, {&class_, 1}, {header + 1, 3}, lc, data};

    return crypto->aes_cmac(crypto->context, session->mac, session->key_length, parts,
                            sizeof parts / sizeof parts[0], mac);
}

/* The counter is written before the session is believed, so that its keys never come again. */
static enum cos_result spend_counter(struct cos_secure *secure, uint8_t version)
{
    struct object enc;

    COS_TRY(cos_object_find_usage(secure, USAGE_SCP03_ENC, version, &enc));
    enc.counter++;
    cos_change_start(secure);
    cos_object_put_entry(secure, &enc);
    return cos_change_commit(secure);
}

/* The levels of table 7-6 that these options allow. */
static bool is_level(uint8_t level, uint8_t options)
{
    switch (level) {
    case COS_SM_COMMAND_MAC:
    case COS_SM_COMMAND_MAC | COS_SM_COMMAND_ENC:
        return true;
    case COS_SM_COMMAND_MAC | COS_SM_RESPONSE_MAC:
    case COS_SM_COMMAND_MAC | COS_SM_COMMAND_ENC | COS_SM_RESPONSE_MAC:
        return (options & COS_SCP03_R_MAC) != 0;
    case COS_SM_COMMAND_MAC | COS_SM_COMMAND_ENC | COS_SM_RESPONSE_MAC | COS_SM_RESPONSE_ENC:
        return (options & COS_SCP03_R_MAC_ENC) == COS_SCP03_R_MAC_ENC;
    default:
        return false;
    }
}

static enum cos_result check_host(struct cos_secure *secure, struct cos_session *session,
                                  const uint8_t *cryptogram, const uint8_t *mac)
{
    const size_t length = session->mac_length;
    const uint8_t lc = (uint8_t)(2 * length);
    const uint8_t header[4] = {0x84, 0x82, session->level, 0x00};
    uint8_t expected[COS_AES_BLOCK];

    if (WITH_SCP02 && session->protocol == COS_SM_SCP02) {
        COS_CHECK(is_level(session->level, 0), COS_E_P1_P2);
        COS_TRY(cos_scp02_check_host(secure->config.crypto, session, cryptogram, mac));
        return spend_counter(secure, session->key);
    }
    COS_CHECK(is_level(session->level, secure->config.scp03), COS_E_P1_P2);
    COS_TRY(command_mac(secure->config.crypto, session, header, (struct cos_span){&lc, 1},
                        (struct cos_span){cryptogram, length}, expected));
    COS_CHECK(cos_equal_secret(session->expected, cryptogram, length) == COS_YES,
              COS_E_AUTHENTICATION);
    COS_CHECK(cos_equal_secret(expected, mac, length) == COS_YES, COS_E_SECURITY_STATUS);
    COS_INVARIANT(cos_equal_secret(session->expected, cryptogram, length) == COS_YES);
    memcpy(session->chain, expected, sizeof expected);
    /* A challenge by chance needs no counter. */
    return (secure->config.scp03 & COS_SCP03_PSEUDO_RANDOM) != 0
               ? spend_counter(secure, session->key)
               : COS_OK;
}

enum cos_result cos_scp03_finish(struct cos_secure *secure, struct cos_reader *request)
{
    struct cos_session *session = cos_session_of(secure, cos_read_channel(request));
    uint8_t level = cos_read8(request);
    struct cos_span proof = cos_read_rest(request); /* cryptogram, MAC */

    COS_CHECK(!request->failed, COS_E_GATE_FORMAT);
    COS_CHECK(session != NULL && session->begun, COS_E_CONDITIONS);
    session->begun = false;
    session->level = level;
    enum cos_result result = COS_E_LENGTH;
    if (proof.length == 2U * session->mac_length) {
        result = check_host(secure, session, proof.data, proof.data + session->mac_length);
    }
    if (result != COS_OK) {
        cos_session_close(secure, session);
        return result;
    }
    session->counter = WITH_SCP02 && session->protocol == COS_SM_SCP02 ? 1 : 0;
    session->open = COS_YES;
    secure->epoch++;
    return COS_OK;
}

/* E(S-ENC, counter): the initial value for a command, and with 80 in front for its response
 * (6.2.6, 6.2.7). */
static enum cos_result initial_value(const struct cos_crypto *crypto,
                                     const struct cos_session *session, uint8_t front,
                                     uint8_t iv[COS_AES_BLOCK])
{
    memset(iv, 0, COS_AES_BLOCK);
    iv[0] = front;
    cos_put32(iv + COS_AES_BLOCK - 4, session->counter);
    return crypto->aes_encrypt(crypto->context, session->enc, session->key_length, iv, iv);
}

static enum cos_result decipher(const struct cos_crypto *crypto, const struct cos_session *session,
                                struct sm_command *command)
{
    uint8_t iv[COS_AES_BLOCK];

    COS_CHECK(command->nc % COS_AES_BLOCK == 0, COS_E_SM_INCORRECT);
    COS_TRY(initial_value(crypto, session, 0x00, iv));
    COS_TRY(crypto->aes_cbc_decrypt(crypto->context, session->enc, session->key_length, iv,
                                    command->data, command->data, command->nc));
    return cos_sm_unpad(command->data, &command->nc);
}

enum cos_result cos_scp03_open(const struct cos_crypto *crypto, struct cos_session *session,
                               struct sm_command *command)
{
    const size_t length = session->mac_length;
    uint8_t mac[COS_AES_BLOCK];

    COS_CHECK(command->nc > 0, COS_E_SM_MISSING);
    COS_CHECK(command->nc >= length && session->counter < UINT32_MAX, COS_E_SM_INCORRECT);
    command->nc -= length;
    COS_TRY(command_mac(crypto, session, command->header, command->length,
                        (struct cos_span){command->data, command->nc}, mac));
    COS_CHECK(cos_equal_secret(mac, command->data + command->nc, length) == COS_YES,
              COS_E_SM_INCORRECT);
    memcpy(session->chain, mac, sizeof mac);
    session->counter++;
    return (session->level & COS_SM_COMMAND_ENC) != 0 && command->nc > 0
               ? decipher(crypto, session, command)
               : COS_OK;
}

size_t cos_scp03_room(const struct cos_session *session)
{
    const size_t room = RESPONSE_MAX - session->mac_length;

    if ((session->level & COS_SM_RESPONSE_ENC) != 0) {
        return room / COS_AES_BLOCK * COS_AES_BLOCK - 1;
    }
    return (session->level & COS_SM_RESPONSE_MAC) != 0 ? room : RESPONSE_MAX;
}

enum cos_result cos_scp03_seal(const struct cos_crypto *crypto, struct cos_session *session,
                               uint16_t sw, struct cos_span data, struct cos_writer *body)
{
    const size_t from = body->length;
    uint8_t iv[COS_AES_BLOCK], status[2], mac[COS_AES_BLOCK];
    const bool warning = sw == COS_SW_OK || (sw >> 8) == 0x62 || (sw >> 8) == 0x63;

    cos_write_bytes(body, data.data, data.length);
    if ((session->level & COS_SM_RESPONSE_MAC) == 0 || !warning) {
        return COS_OK; /* 6.2.5: a response with an error status word is not protected */
    }
    if ((session->level & COS_SM_RESPONSE_ENC) != 0 && data.length != 0) {
        cos_sm_pad(body, data.length, COS_AES_BLOCK);
        COS_INVARIANT(!body->failed);
        COS_TRY(initial_value(crypto, session, 0x80, iv));
        COS_TRY(crypto->aes_cbc_encrypt(crypto->context, session->enc, session->key_length, iv,
                                        body->data + from, body->data + from, body->length - from));
    }
    cos_put16(status, sw);
    const struct cos_span parts[] = {{session->chain, sizeof session->chain},
                                     {body->data + from, body->length - from},
                                     {status, sizeof status}};
    COS_TRY(crypto->aes_cmac(crypto->context, session->rmac, session->key_length, parts,
                             sizeof parts / sizeof parts[0], mac));
    cos_write_bytes(body, mac, session->mac_length);
    return COS_OK;
}
