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

void cos_scp03_close(struct cos_secure *secure)
{
    if (secure->scp03.begun || secure->scp03.open == COS_YES) {
        secure->epoch++;
    }
    cos_wipe(&secure->scp03, sizeof secure->scp03);
    secure->scp03.open = COS_NO;
}

void cos_pending_drop(struct cos_secure *secure)
{
    cos_scp03_close(secure);
    cos_wipe(secure->challenge, sizeof secure->challenge);
    secure->challenge_length = 0;
    secure->digest_length = 0;
    cos_wipe(&secure->held, sizeof secure->held);
    secure->in_sm = false;
}

bool cos_pending_any(const struct cos_secure *secure)
{
    return secure->scp03.begun || secure->scp03.open == COS_YES || secure->challenge_length != 0 ||
           secure->digest_length != 0;
}

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
static enum cos_result derive(const struct cos_secure *secure, const uint8_t *key, uint8_t constant,
                              const uint8_t challenges[2 * CHALLENGE], uint8_t *out, size_t length)
{
    return cos_kdf_scp03(secure->config.crypto, key, secure->scp03.key_length, constant,
                         (struct cos_span){challenges, 2 * CHALLENGE}, out, length);
}

/* Card challenge (made from K-ENC and the counter, so that it cannot be chosen), session keys, the
 * host's cryptogram to be expected, and the card's. */
static enum cos_result derive_session(struct cos_secure *secure, const struct object *enc,
                                      const struct object *mac,
                                      const uint8_t sequence[SEQUENCE + sizeof issuer_domain],
                                      uint8_t challenges[2 * CHALLENGE],
                                      uint8_t cryptogram[CRYPTOGRAM])
{
    struct cos_scp03 *session = &secure->scp03;
    uint8_t *secret = secure->clear.secret;
    const size_t length = enc->length;

    COS_TRY(cos_object_secret(secure, enc, secret));
    COS_TRY(cos_kdf_scp03(secure->config.crypto, secret, length, CONSTANT_CARD_CHALLENGE,
                          (struct cos_span){sequence, SEQUENCE + sizeof issuer_domain},
                          challenges + CHALLENGE, CHALLENGE));
    COS_TRY(derive(secure, secret, CONSTANT_S_ENC, challenges, session->s_enc, length));
    COS_TRY(cos_object_secret(secure, mac, secret));
    COS_TRY(derive(secure, secret, CONSTANT_S_MAC, challenges, session->s_mac, length));
    COS_TRY(derive(secure, session->s_mac, CONSTANT_HOST_CRYPTOGRAM, challenges,
                   session->host_cryptogram, CRYPTOGRAM));
    return derive(secure, session->s_mac, CONSTANT_CARD_CRYPTOGRAM, challenges, cryptogram,
                  CRYPTOGRAM);
}

enum cos_result cos_scp03_begin(struct cos_secure *secure, struct cos_reader *request,
                                struct cos_writer *body)
{
    uint8_t channel = cos_read_channel(request);
    uint8_t version = cos_read8(request);
    const uint8_t *host_challenge = cos_read_bytes(request, CHALLENGE);
    uint8_t challenges[2 * CHALLENGE], cryptogram[CRYPTOGRAM];
    uint8_t sequence[1 + SEQUENCE + sizeof issuer_domain]; /* the counter is put as four bytes */
    struct object enc, mac;

    COS_CHECK(cos_read_done(request), COS_E_GATE_FORMAT);
    cos_pending_drop(secure);
    COS_TRY(find_keys(secure, version, &enc, &mac));
    secure->scp03.key_length = enc.length;
    secure->scp03.key_version = enc.version;
    cos_put32(sequence, enc.counter + 1);
    memcpy(sequence + 1 + SEQUENCE, issuer_domain, sizeof issuer_domain);
    memcpy(challenges, host_challenge, CHALLENGE);
    secure->scp03.begun = true; /* from here on there is something to be closed */
    COS_TRY(derive_session(secure, &enc, &mac, sequence + 1, challenges, cryptogram));
    secure->scp03.channel = channel;
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

/* C-MAC over chaining value, header with the secure messaging bit and without channel, Lc and data.
 */
static enum cos_result command_mac(struct cos_secure *secure, const uint8_t header[4], uint8_t lc,
                                   struct cos_span data, uint8_t mac[COS_AES_BLOCK])
{
    const struct cos_crypto *crypto = secure->config.crypto;
    const uint8_t bytes[5] = {(uint8_t)((header[0] & 0xFCU) | 0x04U), header[1], header[2],
                              header[3], lc};
    const struct cos_span parts[] = {
        {secure->scp03.chaining, sizeof secure->scp03.chaining}, {bytes, sizeof bytes}, data};

    return crypto->aes_cmac(crypto->context, secure->scp03.s_mac, secure->scp03.key_length, parts,
                            3, mac);
}

/* The counter is written before the session is believed, so that its keys never come again. */
static enum cos_result spend_counter(struct cos_secure *secure)
{
    struct object enc;

    COS_TRY(cos_object_find_usage(secure, USAGE_SCP03_ENC, secure->scp03.key_version, &enc));
    enc.counter++;
    cos_change_start(secure);
    COS_TRY(cos_object_put(secure, &enc, NULL));
    return cos_change_commit(secure);
}

static enum cos_result check_host(struct cos_secure *secure, uint8_t level,
                                  const uint8_t *cryptogram, const uint8_t *mac)
{
    const uint8_t header[4] = {0x84, 0x82, level, 0x00};
    uint8_t expected[COS_AES_BLOCK];

    COS_CHECK(level == SCP03_LEVEL_MAC || level == SCP03_LEVEL_MAC_ENC, COS_E_P1_P2);
    COS_TRY(command_mac(secure, header, CRYPTOGRAM + MAC, (struct cos_span){cryptogram, CRYPTOGRAM},
                        expected));
    COS_CHECK(cos_equal_secret(secure->scp03.host_cryptogram, cryptogram, CRYPTOGRAM) == COS_YES,
              COS_E_AUTHENTICATION);
    COS_CHECK(cos_equal_secret(expected, mac, MAC) == COS_YES, COS_E_SECURITY_STATUS);
    COS_INVARIANT(cos_equal_secret(secure->scp03.host_cryptogram, cryptogram, CRYPTOGRAM) ==
                  COS_YES);
    memcpy(secure->scp03.chaining, expected, sizeof expected);
    return spend_counter(secure);
}

enum cos_result cos_scp03_finish(struct cos_secure *secure, struct cos_reader *request)
{
    uint8_t channel = cos_read_channel(request);
    uint8_t level = cos_read8(request);
    const uint8_t *cryptogram = cos_read_bytes(request, CRYPTOGRAM);
    const uint8_t *mac = cos_read_bytes(request, MAC);

    COS_CHECK(cos_read_done(request), COS_E_GATE_FORMAT);
    COS_CHECK(secure->scp03.begun && secure->scp03.channel == channel, COS_E_CONDITIONS);
    secure->scp03.begun = false;
    enum cos_result result = check_host(secure, level, cryptogram, mac);
    if (result != COS_OK) {
        cos_scp03_close(secure);
        return result;
    }
    secure->scp03.level = level;
    secure->scp03.counter = 0;
    secure->scp03.open = COS_YES;
    secure->epoch++;
    return COS_OK;
}

/* C-DECRYPTION: AES-CBC, IV = E(S-ENC, counter); padding 80 00... */
static enum cos_result decipher(struct cos_secure *secure, uint8_t *data, size_t *length)
{
    const struct cos_crypto *crypto = secure->config.crypto;
    struct cos_scp03 *session = &secure->scp03;
    uint8_t block[COS_AES_BLOCK] = {0};
    size_t end = *length;

    COS_CHECK(end % COS_AES_BLOCK == 0, COS_E_SM_INCORRECT);
    cos_put32(block + COS_AES_BLOCK - 4, session->counter);
    COS_TRY(
        crypto->aes_encrypt(crypto->context, session->s_enc, session->key_length, block, block));
    COS_TRY(crypto->aes_cbc_decrypt(crypto->context, session->s_enc, session->key_length, block,
                                    data, data, end));
    /* The MAC was right: only the sender can have padded wrongly, so this tells nobody anything. */
    while (end > 0 && data[end - 1] == 0x00) {
        end--;
    }
    COS_CHECK(end > 0 && data[end - 1] == 0x80, COS_E_SM_INCORRECT);
    *length = end - 1;
    return COS_OK;
}

enum cos_result cos_scp03_open(struct cos_secure *secure, const uint8_t *header, uint8_t *data,
                               size_t *length)
{
    struct cos_scp03 *session = &secure->scp03;
    uint8_t mac[COS_AES_BLOCK];

    COS_CHECK(session->open == COS_YES, COS_E_SECURITY_STATUS);
    COS_CHECK(*length >= MAC && session->counter < UINT32_MAX, COS_E_SM_INCORRECT);
    uint8_t lc = (uint8_t)*length;
    *length -= MAC;
    COS_TRY(command_mac(secure, header, lc, (struct cos_span){data, *length}, mac));
    COS_CHECK(cos_equal_secret(mac, data + *length, MAC) == COS_YES, COS_E_SM_INCORRECT);
    memcpy(session->chaining, mac, sizeof mac);
    session->counter++;
    if (session->level == SCP03_LEVEL_MAC_ENC && *length > 0) {
        COS_TRY(decipher(secure, data, length));
    }
    return COS_OK;
}
