/* SPDX-License-Identifier: Apache-2.0
 *
 * GlobalPlatform SCP02 (Card Specification 2.3.1, annex E) with i = 15: three keys, explicit
 * initiation, C-MAC on the command as it is sent, initial values enciphered; levels 01 and 03. For
 * issuers who cannot do SCP03 yet, and only with the build switch COS_SCP02: it has been deprecated
 * since version 2.3.
 */
#include "sm.h"

#ifdef COS_SCP02

enum {
    KEY = 16,
    CHALLENGE = 8, /* of the host; the card's: counter (2), random (6) */
    CARD_RANDOM = 6,
    COUNTER_MAX = 0xFFFF,
    IDENTIFIER = 0x02,
    CONSTANT_C_MAC = 0x0101,
    CONSTANT_S_ENC = 0x0182,
};

static const uint8_t no_iv[COS_AES_BLOCK];

/* E.4.1: key = 3DES-CBC(static key, constant || counter || 00 ..). */
static enum cos_result derive(struct cos_secure *secure, struct cos_session *session,
                              const struct object *object, uint16_t constant, uint16_t counter,
                              uint8_t key[KEY])
{
    COS_TRY(cos_object_secret(secure, object, secure->clear.secret));
    memcpy(session->enc, secure->clear.secret, KEY);
    memset(key, 0, KEY);
    cos_put16(key, constant);
    cos_put16(key + 2, counter);
    return cos_iso_cipher(secure->config.crypto, session, no_iv, true, key, KEY);
}

/* E.4.2: last block of 3DES-CBC(S-ENC, first || second || 80 00 ..). */
static enum cos_result cryptogram(const struct cos_crypto *crypto,
                                  const struct cos_session *session, const uint8_t first[CHALLENGE],
                                  const uint8_t second[CHALLENGE], uint8_t out[CHALLENGE])
{
    uint8_t blocks[3 * CHALLENGE] = {[2 * CHALLENGE] = 0x80};

    memcpy(blocks, first, CHALLENGE);
    memcpy(blocks + CHALLENGE, second, CHALLENGE);
    COS_TRY(cos_iso_cipher(crypto, session, no_iv, true, blocks, sizeof blocks));
    memcpy(out, blocks + 2 * CHALLENGE, CHALLENGE);
    return COS_OK;
}

enum cos_result cos_scp02_begin(struct cos_secure *secure, struct cos_session *session,
                                const struct object *enc, const struct object *mac,
                                struct cos_span challenge, struct cos_writer *body)
{
    const struct cos_crypto *crypto = secure->config.crypto;
    const uint16_t counter = (uint16_t)enc->counter;
    uint8_t card[CHALLENGE], proof[CHALLENGE], s_enc[KEY];

    COS_CHECK(challenge.length == CHALLENGE, COS_E_LENGTH);
    COS_CHECK(enc->counter < COUNTER_MAX, COS_E_METHOD_BLOCKED);
    session->protocol = COS_SM_SCP02;
    session->mac_length = ISO_MAC;
    session->begun = true;
    cos_put16(card, counter);
    COS_TRY(cos_drbg_random(&secure->drbg, card + 2, CARD_RANDOM));
    COS_TRY(derive(secure, session, mac, CONSTANT_C_MAC, counter, session->mac));
    COS_TRY(derive(secure, session, enc, CONSTANT_S_ENC, counter, s_enc));
    memcpy(session->enc, s_enc, KEY);
    cos_wipe(s_enc, sizeof s_enc);
    COS_TRY(cryptogram(crypto, session, challenge.data, card, proof));
    COS_TRY(cryptogram(crypto, session, card, challenge.data, session->expected));
    cos_write16(body, 0);
    cos_write_bytes(body, secure->serial, sizeof secure->serial);
    cos_write8(body, session->key);
    cos_write8(body, IDENTIFIER);
    cos_write_bytes(body, card, sizeof card);
    cos_write_bytes(body, proof, sizeof proof);
    return COS_OK;
}

/* E.4.4, with E.3.4: the initial value is the last C-MAC enciphered with the first half of the key,
 * which is the same as a block more in front. The first C-MAC of a session has none. */
static enum cos_result command_mac(const struct cos_crypto *crypto,
                                   const struct cos_session *session, const uint8_t header[4],
                                   uint8_t lc, struct cos_span data, uint8_t mac[COS_AES_BLOCK])
{
    const uint8_t class_ = (uint8_t)((header[0] & 0xFCU) | 0x04U);
    const struct cos_span parts[] = {{session->chain, session->counter != 0 ? (size_t)ISO_MAC : 0},
                                     {&class_, 1},
                                     {header + 1, 3},
                                     {&lc, 1},
                                     data};

    return cos_iso_mac(crypto, session, parts, sizeof parts / sizeof parts[0], mac);
}

enum cos_result cos_scp02_check_host(const struct cos_crypto *crypto, struct cos_session *session,
                                     const uint8_t *proof, const uint8_t *mac)
{
    const uint8_t header[4] = {0x84, 0x82, session->level, 0x00};
    uint8_t expected[COS_AES_BLOCK];

    COS_TRY(command_mac(crypto, session, header, CHALLENGE + ISO_MAC,
                        (struct cos_span){proof, CHALLENGE}, expected));
    COS_CHECK(cos_equal_secret(session->expected, proof, CHALLENGE) == COS_YES,
              COS_E_AUTHENTICATION);
    COS_CHECK(cos_equal_secret(expected, mac, ISO_MAC) == COS_YES, COS_E_SECURITY_STATUS);
    COS_INVARIANT(cos_equal_secret(session->expected, proof, CHALLENGE) == COS_YES);
    memcpy(session->chain, expected, ISO_MAC);
    return COS_OK;
}

/* The C-MAC is over the plain data (E.4.6): wrong padding and a wrong MAC are the same error, and
 * both end the session. */
enum cos_result cos_scp02_open(const struct cos_crypto *crypto, struct cos_session *session,
                               struct sm_command *command)
{
    uint8_t mac[COS_AES_BLOCK], sent[ISO_MAC];

    COS_CHECK(command->nc > 0, COS_E_SM_MISSING);
    COS_CHECK(command->nc >= ISO_MAC, COS_E_SM_INCORRECT);
    command->nc -= ISO_MAC;
    memcpy(sent, command->data + command->nc, sizeof sent);
    if ((session->level & COS_SM_COMMAND_ENC) != 0 && command->nc > 0) {
        COS_CHECK(command->nc % COS_DES_BLOCK == 0, COS_E_SM_INCORRECT);
        COS_TRY(cos_iso_cipher(crypto, session, no_iv, false, command->data, command->nc));
        COS_TRY(cos_sm_unpad(command->data, &command->nc));
    }
    COS_TRY(command_mac(crypto, session, command->header, (uint8_t)(command->nc + ISO_MAC),
                        (struct cos_span){command->data, command->nc}, mac));
    COS_CHECK(cos_equal_secret(mac, sent, ISO_MAC) == COS_YES, COS_E_SM_INCORRECT);
    memcpy(session->chain, mac, ISO_MAC);
    return COS_OK;
}

#endif
