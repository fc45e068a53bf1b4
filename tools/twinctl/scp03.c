/* SPDX-License-Identifier: Apache-2.0
 *
 * SCP03, host's side. Clauses are those of GlobalPlatform Card Specification Amendment D.
 */
#include "scp03.h"

#include <string.h>

/* Derivation constants, 4.1.5. */
enum {
    CARD_CRYPTOGRAM = 0x00,
    HOST_CRYPTOGRAM = 0x01,
    CARD_CHALLENGE = 0x02,
    S_ENC = 0x04,
    S_MAC = 0x06,
    S_RMAC = 0x07,
};
#define I_PSEUDO_RANDOM 0x10U
#define CLA_SM          0x04U
#define KEY_TYPE_AES    0x88U

/* The fields of an answer to INITIALIZE UPDATE. */
struct answer {
    const uint8_t *challenge, *cryptogram, *sequence; /* sequence: NULL if there is none */
};

/* False if it is not SCP03, or not of this mode. */
static bool parse_answer(struct part bytes, size_t n, struct answer *answer)
{
    if (bytes.length < 13 || bytes.data[11] != 0x03) {
        return false;
    }
    bool pseudo_random = (bytes.data[12] & I_PSEUDO_RANDOM) != 0;
    answer->challenge = bytes.data + 13;
    answer->cryptogram = answer->challenge + n;
    answer->sequence = pseudo_random ? answer->cryptogram + n : NULL;
    return bytes.length == 13 + 2 * n + (pseudo_random ? SCP03_SEQUENCE : 0);
}

/* Challenge of the card = KDF(K-ENC, sequence counter || AID), 6.2.2.1. */
static bool challenge_is_genuine(const struct scp03_keys *keys, struct part aid,
                                 const struct answer *answer, size_t n)
{
    struct bytes context = {0};
    uint8_t expected[SCP03_LONG];
    if (answer->sequence == NULL) {
        return true;
    }
    bytes_add(&context, answer->sequence, SCP03_SEQUENCE);
    bytes_add(&context, aid.data, aid.length);
    return !context.failed &&
           crypto_kdf_scp03(keys->enc, keys->length, CARD_CHALLENGE, context.data, context.length,
                            expected, n) &&
           crypto_equal(expected, answer->challenge, n);
}

/* The session keys, the host's cryptogram, and the one to be expected of the card. */
static bool derive(struct scp03 *scp03, const struct scp03_keys *keys, struct part host_challenge,
                   const struct answer *answer, uint8_t cryptogram[SCP03_LONG])
{
    struct bytes context = {0};
    const size_t n = keys->length, sent = scp03->mac_length;
    bytes_add(&context, host_challenge.data, sent);
    bytes_add(&context, answer->challenge, sent);
    const uint8_t *c = context.data;
    return crypto_kdf_scp03(keys->enc, n, S_ENC, c, 2 * sent, scp03->s_enc, n) &&
           crypto_kdf_scp03(keys->mac, n, S_MAC, c, 2 * sent, scp03->s_mac, n) &&
           crypto_kdf_scp03(keys->mac, n, S_RMAC, c, 2 * sent, scp03->s_rmac, n) &&
           crypto_kdf_scp03(scp03->s_mac, n, CARD_CRYPTOGRAM, c, 2 * sent, cryptogram, sent) &&
           crypto_kdf_scp03(scp03->s_mac, n, HOST_CRYPTOGRAM, c, 2 * sent, scp03->host_cryptogram,
                            sent);
}

enum outcome scp03_begin(struct scp03 *scp03, const struct scp03_keys *keys, uint8_t key_version,
                         struct part aid, struct part host_challenge, struct part answer,
                         struct problem *problem)
{
    const size_t n = host_challenge.length;
    uint8_t cryptogram[SCP03_LONG];
    struct answer fields;
    if (!parse_answer(answer, n, &fields)) {
        return refused(problem, "INITIALIZE UPDATE: the answer is not SCP03 in mode %s",
                       n == SCP03_LONG ? "S16" : "S8");
    }
    if (key_version != 0 && answer.data[10] != key_version) {
        return refused(problem, "INITIALIZE UPDATE: key version %02X answered for %02X",
                       answer.data[10], key_version);
    }
    *scp03 = (struct scp03){.level = SCP03_C_MAC, .key_length = keys->length, .mac_length = n};
    if (!derive(scp03, keys, host_challenge, &fields, cryptogram)) {
        return trouble(problem, "SCP03: OpenSSL failed");
    }
    if (!crypto_equal(cryptogram, fields.cryptogram, n)) {
        scp03_close(scp03);
        return refused(problem, "SCP03: wrong card cryptogram, the card does not have these keys");
    }
    if (!challenge_is_genuine(keys, aid, &fields, n)) {
        scp03_close(scp03);
        return refused(problem, "SCP03: the card's challenge is not the one its counter makes");
    }
    return DONE;
}

/* Initial value: the counter enciphered, for a response with 80 in front (6.2.6, 6.2.7). */
static bool initial_value(const struct scp03 *scp03, uint8_t front, uint8_t iv[AES_BLOCK])
{
    uint8_t counter[AES_BLOCK] = {front};
    for (unsigned i = 0; i < 4; i++) {
        counter[AES_BLOCK - 1 - i] = (uint8_t)(scp03->counter >> (8 * i));
    }
    return crypto_aes_ecb(scp03->s_enc, scp03->key_length, CRYPTO_ENCIPHER, counter, AES_BLOCK, iv);
}

/* 6.2.6: padded with 80 00.., CBC. */
static bool encipher(const struct scp03 *scp03, struct bytes *data)
{
    uint8_t iv[AES_BLOCK];
    bytes_add8(data, 0x80);
    bytes_fill(data, 0x00, (AES_BLOCK - data->length % AES_BLOCK) % AES_BLOCK);
    return !data->failed && initial_value(scp03, 0x00, iv) &&
           crypto_aes_cbc_encipher(scp03->s_enc, scp03->key_length, iv, data->data, data->length,
                                   data->data);
}

/* 6.2.4: the MAC covers the header with the length as it will be sent, and chains. */
static bool wrap(struct scp03 *scp03, const struct command *command, bool enciphered,
                 struct bytes *apdu)
{
    struct bytes data = {0}, input = {0};
    bytes_add(&data, command->data, command->nc);
    bool ok = !data.failed && (!enciphered || command->nc == 0 || encipher(scp03, &data));
    if (!ok || data.length + scp03->mac_length > 255) {
        bytes_wipe(&data);
        return false;
    }
    uint8_t header[] = {command->cla | CLA_SM, command->ins, command->p1, command->p2,
                        (uint8_t)(data.length + scp03->mac_length)};
    bytes_add(&input, scp03->chaining, sizeof scp03->chaining);
    bytes_add(&input, header, sizeof header);
    bytes_add(&input, data.data, data.length);
    ok = !input.failed &&
         crypto_cmac(scp03->s_mac, scp03->key_length, input.data, input.length, scp03->chaining);
    bytes_add(&data, scp03->chaining, scp03->mac_length);
    struct command wrapped = *command;
    wrapped.cla |= CLA_SM;
    wrapped.data = data.data;
    wrapped.nc = data.length;
    ok = ok && !data.failed && command_write(&wrapped, apdu);
    bytes_wipe(&data);
    bytes_wipe(&input);
    return ok;
}

bool scp03_authenticate(struct scp03 *scp03, uint8_t level, struct bytes *apdu)
{
    struct command command = {.cla = 0x80,
                              .ins = 0x82,
                              .p1 = level,
                              .data = scp03->host_cryptogram,
                              .nc = scp03->mac_length};
    bool ok = wrap(scp03, &command, false, apdu);
    scp03->level = level;
    scp03->counter = 0;
    return ok;
}

bool scp03_wrap(struct scp03 *scp03, const struct command *command, struct bytes *apdu)
{
    scp03->counter++; /* 6.2.6: also for a command without data */
    return wrap(scp03, command, (scp03->level & 0x02U) != 0, apdu);
}

/* CBC deciphered block by block, from the last to the first, then the padding. */
static bool decipher(const struct scp03 *scp03, uint8_t *data, size_t *length)
{
    uint8_t iv[AES_BLOCK];
    bool ok = *length % AES_BLOCK == 0 && initial_value(scp03, 0x80, iv);
    for (size_t at = *length; ok && at > 0; at -= AES_BLOCK) {
        uint8_t *block = data + at - AES_BLOCK;
        const uint8_t *before = at > AES_BLOCK ? block - AES_BLOCK : iv;
        ok = crypto_aes_ecb(scp03->s_enc, scp03->key_length, CRYPTO_DECIPHER, block, AES_BLOCK,
                            block);
        for (size_t i = 0; i < AES_BLOCK; i++) {
            block[i] ^= before[i];
        }
    }
    size_t end = *length;
    while (ok && end > 0 && data[end - 1] == 0x00) {
        end--;
    }
    ok = ok && end > 0 && data[end - 1] == 0x80;
    *length = ok ? end - 1 : 0;
    return ok;
}

bool scp03_unwrap(struct scp03 *scp03, uint16_t sw, uint8_t *data, size_t *length)
{
    const bool success = sw == 0x9000 || sw >> 8 == 0x62 || sw >> 8 == 0x63;
    struct bytes input = {0};
    uint8_t mac[AES_BLOCK];
    if ((scp03->level & SCP03_R_MAC) == 0) {
        return true;
    }
    if (!success || *length < scp03->mac_length) {
        return !success && *length == 0;
    }
    *length -= scp03->mac_length;
    bytes_add(&input, scp03->chaining, sizeof scp03->chaining);
    bytes_add(&input, data, *length);
    bytes_add16(&input, sw);
    bool ok = !input.failed &&
              crypto_cmac(scp03->s_rmac, scp03->key_length, input.data, input.length, mac) &&
              crypto_equal(mac, data + *length, scp03->mac_length);
    if (ok && (scp03->level & SCP03_R_ENC) != 0 && *length > 0) {
        ok = decipher(scp03, data, length);
    }
    return ok;
}

void scp03_close(struct scp03 *scp03)
{
    crypto_wipe(scp03, sizeof *scp03);
}

bool scp03_check_value(const uint8_t *key, size_t key_length, uint8_t check_value[3])
{
    uint8_t block[AES_BLOCK];
    memset(block, 0x01, sizeof block);
    bool ok = crypto_aes_ecb(key, key_length, CRYPTO_ENCIPHER, block, sizeof block, block);
    memcpy(check_value, block, 3);
    return ok;
}

bool scp03_put_key(const uint8_t *dek, size_t dek_length, uint8_t key_version,
                   const struct scp03_keys *keys, struct bytes *data)
{
    static const uint8_t iv[AES_BLOCK] = {0};
    const uint8_t *const set[] = {keys->enc, keys->mac, keys->dek};
    *data = (struct bytes){0};
    bytes_add8(data, key_version);
    bool ok = keys->length == AES_BLOCK;
    for (size_t i = 0; ok && i < 3; i++) {
        uint8_t enciphered[AES_BLOCK], check_value[3];
        ok = crypto_aes_cbc_encipher(dek, dek_length, iv, set[i], AES_BLOCK, enciphered) &&
             scp03_check_value(set[i], AES_BLOCK, check_value);
        bytes_add8(data, KEY_TYPE_AES);
        bytes_add8(data, 1 + AES_BLOCK);
        bytes_add8(data, AES_BLOCK);
        bytes_add(data, enciphered, sizeof enciphered);
        bytes_add8(data, sizeof check_value);
        bytes_add(data, check_value, sizeof check_value);
    }
    return ok && !data->failed;
}
