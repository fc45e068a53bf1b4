/* SPDX-License-Identifier: Apache-2.0
 *
 * GlobalPlatform SCP03 (Card Specification Amendment D 1.1.2): S8, pseudo-random card challenge, i
 * = 10, security levels 01 (C-MAC) and 03 (C-MAC and C-DECRYPTION).
 */
#include "domain.h"

enum {
    SCP03_IDENTIFIER = 0x03,
    SCP03_PARAMETER = 0x10,
    CONSTANT_CARD_CRYPTOGRAM = 0x00,
    CONSTANT_HOST_CRYPTOGRAM = 0x01,
    CONSTANT_CARD_CHALLENGE = 0x02,
    CONSTANT_S_ENC = 0x04,
    CONSTANT_S_MAC = 0x06,
    CHALLENGE = 8,
    SEQUENCE = 3,
    CRYPTOGRAM = 8,
    MAC = 8,
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

/* Derives from a key of the session's length, over both challenges. */
static enum cos_result derive(const struct cos_secure *secure, const struct cos_session *session,
                              const uint8_t *key, uint8_t constant,
                              const uint8_t challenges[2 * CHALLENGE], uint8_t *out, size_t length)
{
    return cos_kdf_scp03(secure->config.crypto, key, session->key_length, constant,
                         (struct cos_span){challenges, 2 * CHALLENGE}, out, length);
}

/* Card challenge (made from K-ENC and the counter, so that it cannot be chosen), session keys, the
 * host's cryptogram to be expected, and the card's. */
static enum cos_result derive_session(struct cos_secure *secure, struct cos_session *session,
                                      const struct object *enc, const struct object *mac,
                                      const uint8_t sequence[SEQUENCE + sizeof issuer_domain],
                                      uint8_t challenges[2 * CHALLENGE],
                                      uint8_t cryptogram[CRYPTOGRAM])
{
    uint8_t *secret = secure->clear.secret;
    const size_t length = enc->length;

    COS_TRY(cos_object_secret(secure, enc, secret));
    COS_TRY(cos_kdf_scp03(secure->config.crypto, secret, length, CONSTANT_CARD_CHALLENGE,
                          (struct cos_span){sequence, SEQUENCE + sizeof issuer_domain},
                          challenges + CHALLENGE, CHALLENGE));
    COS_TRY(derive(secure, session, secret, CONSTANT_S_ENC, challenges, session->enc, length));
    COS_TRY(cos_object_secret(secure, mac, secret));
    COS_TRY(derive(secure, session, secret, CONSTANT_S_MAC, challenges, session->mac, length));
    COS_TRY(derive(secure, session, session->mac, CONSTANT_HOST_CRYPTOGRAM, challenges,
                   session->expected, CRYPTOGRAM));
    return derive(secure, session, session->mac, CONSTANT_CARD_CRYPTOGRAM, challenges, cryptogram,
                  CRYPTOGRAM);
}

enum cos_result cos_scp03_begin(struct cos_secure *secure, struct cos_reader *request,
                                struct cos_writer *body)
{
    struct cos_session *session = &secure->sessions[cos_read_channel(request)];
    uint8_t version = cos_read8(request);
    const uint8_t *host_challenge = cos_read_bytes(request, CHALLENGE);
    uint8_t challenges[2 * CHALLENGE], cryptogram[CRYPTOGRAM];
    uint8_t sequence[1 + SEQUENCE + sizeof issuer_domain]; /* the counter is put as four bytes */
    struct object enc, mac;

    COS_CHECK(cos_read_done(request), COS_E_GATE_FORMAT);
    cos_pending_drop(secure);
    COS_TRY(find_keys(secure, version, &enc, &mac));
    session->protocol = COS_SM_SCP03;
    session->key_length = enc.length;
    session->key = enc.version;
    cos_put32(sequence, enc.counter + 1);
    memcpy(sequence + 1 + SEQUENCE, issuer_domain, sizeof issuer_domain);
    memcpy(challenges, host_challenge, CHALLENGE);
    session->begun = true; /* from here on there is something to be closed */
    COS_TRY(derive_session(secure, session, &enc, &mac, sequence + 1, challenges, cryptogram));
    /* Key diversification data (10), key information, card challenge, card cryptogram, sequence
     * counter. */
    const uint8_t information[] = {enc.version, SCP03_IDENTIFIER, SCP03_PARAMETER};
    cos_write16(body, 0);
    cos_write_bytes(body, secure->serial, sizeof secure->serial);
    cos_write_bytes(body, information, sizeof information);
    cos_write_bytes(body, challenges + CHALLENGE, CHALLENGE);
    cos_write_bytes(body, cryptogram, sizeof cryptogram);
    cos_write_bytes(body, sequence + 1, SEQUENCE);
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
    COS_TRY(cos_object_put(secure, &enc, NULL));
    return cos_change_commit(secure);
}

static enum cos_result check_host(struct cos_secure *secure, struct cos_session *session,
                                  const uint8_t *cryptogram, const uint8_t *mac)
{
    static const uint8_t lc = CRYPTOGRAM + MAC;
    const uint8_t header[4] = {0x84, 0x82, session->level, 0x00};
    uint8_t expected[COS_AES_BLOCK];

    COS_CHECK(session->level == COS_SM_COMMAND_MAC ||
                  session->level == (COS_SM_COMMAND_MAC | COS_SM_COMMAND_ENC),
              COS_E_P1_P2);
    COS_TRY(command_mac(secure->config.crypto, session, header, (struct cos_span){&lc, 1},
                        (struct cos_span){cryptogram, CRYPTOGRAM}, expected));
    COS_CHECK(cos_equal_secret(session->expected, cryptogram, CRYPTOGRAM) == COS_YES,
              COS_E_AUTHENTICATION);
    COS_CHECK(cos_equal_secret(expected, mac, MAC) == COS_YES, COS_E_SECURITY_STATUS);
    COS_INVARIANT(cos_equal_secret(session->expected, cryptogram, CRYPTOGRAM) == COS_YES);
    memcpy(session->chain, expected, sizeof expected);
    return spend_counter(secure, session->key);
}

enum cos_result cos_scp03_finish(struct cos_secure *secure, struct cos_reader *request)
{
    struct cos_session *session = &secure->sessions[cos_read_channel(request)];
    uint8_t level = cos_read8(request);
    const uint8_t *cryptogram = cos_read_bytes(request, CRYPTOGRAM);
    const uint8_t *mac = cos_read_bytes(request, MAC);

    COS_CHECK(cos_read_done(request), COS_E_GATE_FORMAT);
    COS_CHECK(session->begun, COS_E_CONDITIONS);
    session->begun = false;
    session->level = level;
    enum cos_result result = check_host(secure, session, cryptogram, mac);
    if (result != COS_OK) {
        cos_session_close(secure, session);
        return result;
    }
    session->counter = 0;
    session->open = COS_YES;
    secure->epoch++;
    return COS_OK;
}

/* C-DECRYPTION: AES-CBC, IV = E(S-ENC, counter); padding 80 00... */
static enum cos_result decipher(const struct cos_crypto *crypto, const struct cos_session *session,
                                struct sm_command *command)
{
    uint8_t block[COS_AES_BLOCK] = {0};

    COS_CHECK(command->nc % COS_AES_BLOCK == 0, COS_E_SM_INCORRECT);
    cos_put32(block + COS_AES_BLOCK - 4, session->counter);
    COS_TRY(crypto->aes_encrypt(crypto->context, session->enc, session->key_length, block, block));
    COS_TRY(crypto->aes_cbc_decrypt(crypto->context, session->enc, session->key_length, block,
                                    command->data, command->data, command->nc));
    return cos_sm_unpad(command->data, &command->nc);
}

enum cos_result cos_scp03_open(const struct cos_crypto *crypto, struct cos_session *session,
                               struct sm_command *command)
{
    uint8_t mac[COS_AES_BLOCK];

    COS_CHECK(command->nc > 0, COS_E_SM_MISSING);
    COS_CHECK(command->nc >= MAC && session->counter < UINT32_MAX, COS_E_SM_INCORRECT);
    command->nc -= MAC;
    COS_TRY(command_mac(crypto, session, command->header, command->length,
                        (struct cos_span){command->data, command->nc}, mac));
    COS_CHECK(cos_equal_secret(mac, command->data + command->nc, MAC) == COS_YES,
              COS_E_SM_INCORRECT);
    memcpy(session->chain, mac, sizeof mac);
    session->counter++;
    return (session->level & COS_SM_COMMAND_ENC) != 0 && command->nc > 0
               ? decipher(crypto, session, command)
               : COS_OK;
}

/* Levels 01 and 03 protect no responses. */
enum cos_result cos_scp03_seal(const struct cos_crypto *crypto, struct cos_session *session,
                               uint16_t sw, struct cos_span data, struct cos_writer *body)
{
    (void)crypto;
    (void)session;
    (void)sw;
    cos_write_bytes(body, data.data, data.length);
    return COS_OK;
}
