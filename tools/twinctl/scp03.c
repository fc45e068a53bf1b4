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
};
#define I_PSEUDO_RANDOM 0x10U
#define MAC_SENT        8U
#define CLA_SM          0x04U
#define KEY_TYPE_AES    0x88U

/* Challenge of the card = KDF(K-ENC, sequence counter || AID), 6.2.2.1. */
static bool challenge_is_genuine(const struct scp03_keys *keys, struct part aid,
                                 const uint8_t sequence[3], const uint8_t *challenge)
{
    struct bytes context = {0};
    uint8_t expected[SCP03_CHALLENGE];
    bytes_add(&context, sequence, 3);
    bytes_add(&context, aid.data, aid.length);
    return !context.failed &&
           crypto_kdf_scp03(keys->enc, keys->length, CARD_CHALLENGE, context.data, context.length,
                            expected, sizeof expected) &&
           crypto_equal(expected, challenge, sizeof expected);
}

enum outcome scp03_begin(struct scp03 *scp03, const struct scp03_keys *keys, uint8_t key_version,
                         struct part aid, const uint8_t host_challenge[SCP03_CHALLENGE],
                         struct part answer, struct problem *problem)
{
    const uint8_t *a = answer.data;
    if (answer.length != SCP03_BEGIN_LENGTH || a[11] != 0x03 || (a[12] & I_PSEUDO_RANDOM) == 0) {
        return refused(problem,
                       "INITIALIZE UPDATE: the answer is not SCP03 with pseudo-random challenge");
    }
    if (key_version != 0 && a[10] != key_version) {
        return refused(problem, "INITIALIZE UPDATE: key version %02X answered for %02X", a[10],
                       key_version);
    }
    uint8_t context[2 * SCP03_CHALLENGE], cryptogram[8];
    memcpy(context, host_challenge, SCP03_CHALLENGE);
    memcpy(context + SCP03_CHALLENGE, a + 13, SCP03_CHALLENGE);
    *scp03 = (struct scp03){.level = SCP03_C_MAC, .key_length = keys->length};
    size_t n = keys->length;
    if (!crypto_kdf_scp03(keys->enc, n, S_ENC, context, sizeof context, scp03->s_enc, n) ||
        !crypto_kdf_scp03(keys->mac, n, S_MAC, context, sizeof context, scp03->s_mac, n) ||
        !crypto_kdf_scp03(scp03->s_mac, n, CARD_CRYPTOGRAM, context, sizeof context, cryptogram,
                          sizeof cryptogram) ||
        !crypto_kdf_scp03(scp03->s_mac, n, HOST_CRYPTOGRAM, context, sizeof context,
                          scp03->host_cryptogram, sizeof scp03->host_cryptogram)) {
        return trouble(problem, "SCP03: OpenSSL failed");
    }
    if (!crypto_equal(cryptogram, a + 21, sizeof cryptogram)) {
        scp03_close(scp03);
        return refused(problem, "SCP03: wrong card cryptogram, the card does not have these keys");
    }
    if (!challenge_is_genuine(keys, aid, a + 29, a + 13)) {
        scp03_close(scp03);
        return refused(problem, "SCP03: the card's challenge is not the one its counter makes");
    }
    return DONE;
}

/* 6.2.6: padded with 80 00.., CBC, initial value = counter enciphered. */
static bool encipher(const struct scp03 *scp03, struct bytes *data)
{
    uint8_t counter[AES_BLOCK] = {0}, iv[AES_BLOCK];
    for (unsigned i = 0; i < 4; i++) {
        counter[AES_BLOCK - 1 - i] = (uint8_t)(scp03->counter >> (8 * i));
    }
    bytes_add8(data, 0x80);
    bytes_fill(data, 0x00, (AES_BLOCK - data->length % AES_BLOCK) % AES_BLOCK);
    return !data->failed &&
           crypto_aes_ecb(scp03->s_enc, scp03->key_length, CRYPTO_ENCIPHER, counter, AES_BLOCK,
                          iv) &&
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
    if (!ok || data.length + MAC_SENT > 255) {
        bytes_wipe(&data);
        return false;
    }
    uint8_t header[] = {command->cla | CLA_SM, command->ins, command->p1, command->p2,
                        (uint8_t)(data.length + MAC_SENT)};
    bytes_add(&input, scp03->chaining, sizeof scp03->chaining);
    bytes_add(&input, header, sizeof header);
    bytes_add(&input, data.data, data.length);
    ok = !input.failed &&
         crypto_cmac(scp03->s_mac, scp03->key_length, input.data, input.length, scp03->chaining);
    bytes_add(&data, scp03->chaining, MAC_SENT);
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
                              .nc = sizeof scp03->host_cryptogram};
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
