/* SPDX-License-Identifier: Apache-2.0 */
#include "iso_sm.h"

#include "twinctl/crypto.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "iso_sm: %s\n", what);
        abort();
    }
}

size_t iso_block(const struct iso_sm *sm)
{
    return sm->aes ? 16 : 8;
}

/* ---- Ciphers ---- */

static void des_wide(const uint8_t *first, const uint8_t *second, uint8_t wide[24])
{
    memcpy(wide, first, 8);
    memcpy(wide + 8, second, 8);
    memcpy(wide + 16, first, 8);
}

static void block_of(const struct iso_sm *sm, enum crypto_direction direction, uint8_t *block)
{
    uint8_t wide[24];

    des_wide(sm->enc, sm->enc + 8, wide);
    must(sm->aes ? crypto_aes_ecb(sm->enc, sm->key_length, direction, block, 16, block)
                 : crypto_tdes_ecb(wide, direction, block, 8, block),
         "cipher");
}

static void cbc(const struct iso_sm *sm, enum crypto_direction direction, const uint8_t iv[16],
                uint8_t *data, size_t length)
{
    const size_t n = iso_block(sm);
    uint8_t chain[16], last[16];

    must(length % n == 0, "whole blocks");
    memcpy(chain, iv, n);
    for (size_t at = 0; at < length; at += n) {
        memcpy(last, data + at, n);
        for (size_t i = 0; direction == CRYPTO_ENCIPHER && i < n; i++) {
            data[at + i] ^= chain[i];
        }
        block_of(sm, direction, data + at);
        for (size_t i = 0; direction == CRYPTO_DECIPHER && i < n; i++) {
            data[at + i] ^= chain[i];
        }
        memcpy(chain, direction == CRYPTO_ENCIPHER ? data + at : last, n);
    }
}

static void initial_value(const struct iso_sm *sm, uint8_t iv[16])
{
    memset(iv, 0, 16);
    if (sm->aes) {
        must(crypto_aes_ecb(sm->enc, sm->key_length, CRYPTO_ENCIPHER, sm->ssc, 16, iv), "IV");
    }
}

static void pad(struct bytes *bytes, size_t n)
{
    bytes_add8(bytes, 0x80);
    bytes_fill(bytes, 0x00, (n - bytes->length % n) % n);
}

/* Over bytes that are padded already. */
static void mac_of(const struct iso_sm *sm, const struct bytes *input, uint8_t mac[16])
{
    uint8_t single[24], wide[24];

    must(!input->failed, "MAC input");
    if (sm->aes) {
        must(crypto_cmac(sm->mac, sm->key_length, input->data, input->length, mac), "CMAC");
        return;
    }
    des_wide(sm->mac, sm->mac, single);
    des_wide(sm->mac, sm->mac + 8, wide);
    memset(mac, 0, 16);
    for (size_t at = 0; at < input->length; at += 8) {
        for (size_t i = 0; i < 8; i++) {
            mac[i] ^= input->data[at + i];
        }
        must(crypto_tdes_ecb(at + 8 < input->length ? single : wide, CRYPTO_ENCIPHER, mac, 8, mac),
             "retail MAC");
    }
}

/* ---- Mutual authentication ---- */

size_t iso_seed(const struct iso_sm *sm)
{
    return sm->key_length == 16 ? 16 : 32;
}

void iso_derive(const struct iso_sm *sm, const uint8_t *seed, uint8_t counter, uint8_t *key)
{
    const size_t n = iso_seed(sm);
    uint8_t message[36] = {0}, digest[32];

    memcpy(message, seed, n);
    message[n + 3] = counter;
    must((n == 16 ? SHA1 : SHA256)(message, n + 4, digest) != NULL, "hash");
    memcpy(key, digest, sm->key_length);
    for (size_t i = 0; !sm->aes && i < 16; i++) {
        key[i] = (uint8_t)((key[i] & 0xFE) | (__builtin_parity(key[i] & 0xFEU) == 0));
    }
}

static void seal_proof(const struct iso_sm *sm, struct bytes *data)
{
    static const uint8_t zero[16];
    uint8_t mac[16];

    cbc(sm, CRYPTO_ENCIPHER, zero, data->data, data->length);
    struct bytes input = *data;
    pad(&input, iso_block(sm));
    mac_of(sm, &input, mac);
    bytes_add(data, mac, 8);
}

void iso_challenge(const struct iso_sm *sm, const uint8_t *rnd_ifd, const uint8_t *rnd_ic,
                   const uint8_t *k_ifd, struct bytes *data)
{
    *data = (struct bytes){0};
    bytes_add(data, rnd_ifd, iso_block(sm));
    bytes_add(data, rnd_ic, iso_block(sm));
    bytes_add(data, k_ifd, iso_seed(sm));
    seal_proof(sm, data);
}

bool iso_accept(struct iso_sm *sm, const uint8_t *rnd_ifd, const uint8_t *rnd_ic,
                const uint8_t *k_ifd, const uint8_t *answer, size_t length)
{
    static const uint8_t zero[16];
    const size_t n = iso_block(sm);
    struct bytes input = {0};
    uint8_t mac[16], seed[32], plain[64];

    if (length != 2 * n + iso_seed(sm) + 8) {
        return false;
    }
    bytes_add(&input, answer, length - 8);
    memcpy(plain, answer, length - 8);
    pad(&input, n);
    mac_of(sm, &input, mac);
    cbc(sm, CRYPTO_DECIPHER, zero, plain, length - 8);
    if (memcmp(mac, answer + length - 8, 8) != 0 || memcmp(plain, rnd_ic, n) != 0 ||
        memcmp(plain + n, rnd_ifd, n) != 0) {
        return false;
    }
    for (size_t i = 0; i < iso_seed(sm); i++) {
        seed[i] = plain[2 * n + i] ^ k_ifd[i];
    }
    iso_derive(sm, seed, 1, sm->enc);
    iso_derive(sm, seed, 2, sm->mac);
    memcpy(sm->ssc, rnd_ic + n / 2, n / 2);
    memcpy(sm->ssc + n / 2, rnd_ifd + n / 2, n / 2);
    return true;
}

uint16_t iso_authenticate(struct bench *bench, uint8_t reference, struct iso_sm *sm)
{
    static const uint8_t rnd_ifd[16] = {0x78, 0x17, 0x23, 0x86, 0x0C, 0x06, 0xC2, 0x26,
                                        0x91, 0x5E, 0x40, 0xD3, 0x6B, 0xA8, 0x1F, 0x02};
    static const uint8_t k_ifd[32] = {0x0B, 0x79, 0x52, 0x40, 0xCB, 0x70, 0x49, 0xB0,
                                      0x1C, 0x19, 0xB3, 0x3E, 0x32, 0x80, 0x4F, 0x0B,
                                      0x5D, 0xE1, 0x08, 0x97, 0xA4, 0x3C, 0x66, 0xF2,
                                      0x70, 0x2B, 0xD5, 0x19, 0x8E, 0x43, 0xBC, 0x07};
    uint8_t rnd_ic[16];
    struct command command = {.cla = sm->channel, .ins = 0x84, .ne = iso_block(sm)};
    struct bytes data, apdu;

    sm->key_length = sm->key_length != 0 ? sm->key_length : 16;
    must(command_write(&command, &apdu), "GET CHALLENGE");
    if (bench_apdu(bench, apdu.data, apdu.length) != 0x9000) {
        return bench->sw;
    }
    must(bench->length == iso_block(sm), "challenge");
    memcpy(rnd_ic, bench->data, bench->length);
    iso_challenge(sm, rnd_ifd, rnd_ic, k_ifd, &data);
    command = (struct command){.cla = sm->channel,
                               .ins = 0x82,
                               .p2 = reference,
                               .data = data.data,
                               .nc = data.length,
                               .ne = 256};
    must(command_write(&command, &apdu), "MUTUAL AUTHENTICATE");
    if (bench_apdu(bench, apdu.data, apdu.length) != 0x9000) {
        return bench->sw;
    }
    return iso_accept(sm, rnd_ifd, rnd_ic, k_ifd, bench->data, bench->length) ? bench->sw : 0;
}

/* ---- Secure messaging ---- */

void iso_step(struct iso_sm *sm)
{
    for (size_t i = iso_block(sm); i > 0 && ++sm->ssc[i - 1] == 0; i--) {
    }
}

void iso_add_data(const struct iso_sm *sm, bool odd, const uint8_t *data, size_t length,
                  struct bytes *objects)
{
    struct bytes plain = {0}, value = {0};
    uint8_t iv[16];

    bytes_add(&plain, data, length);
    pad(&plain, iso_block(sm));
    initial_value(sm, iv);
    cbc(sm, CRYPTO_ENCIPHER, iv, plain.data, plain.length);
    if (!odd) {
        bytes_add8(&value, 0x01);
    }
    bytes_add(&value, plain.data, plain.length);
    bytes_tlv(objects, odd ? 0x85 : 0x87, value.data, value.length);
}

void iso_add_checksum(const struct iso_sm *sm, const uint8_t header[4], struct bytes *objects)
{
    struct bytes input = {0};
    uint8_t mac[16];

    bytes_add(&input, sm->ssc, iso_block(sm));
    bytes_add(&input, header, 4);
    pad(&input, iso_block(sm));
    if (objects->length > 0) {
        bytes_add(&input, objects->data, objects->length);
        pad(&input, iso_block(sm));
    }
    mac_of(sm, &input, mac);
    bytes_tlv(objects, 0x8E, mac, 8);
}

void iso_finish(const struct command *command, const struct bytes *objects, struct bytes *apdu)
{
    const struct command wrapped = {.cla = command->cla | 0x0C,
                                    .ins = command->ins,
                                    .p1 = command->p1,
                                    .p2 = command->p2,
                                    .data = objects->data,
                                    .nc = objects->length,
                                    .ne = 256};

    must(!objects->failed && command_write(&wrapped, apdu), "too long");
}

void iso_wrap(struct iso_sm *sm, const struct command *command, struct bytes *apdu)
{
    const uint8_t header[4] = {command->cla | 0x0C | sm->channel, command->ins, command->p1,
                               command->p2};
    struct bytes objects = {0};

    iso_step(sm);
    if (command->nc > 0) {
        iso_add_data(sm, (command->ins & 1) != 0, command->data, command->nc, &objects);
    }
    if (command->ne > 256) {
        bytes_tlv16(&objects, 0x97, command->ne & 0xFFFF);
    } else if (command->ne > 0) {
        bytes_tlv8(&objects, 0x97, command->ne & 0xFF);
    }
    iso_add_checksum(sm, header, &objects);
    const struct command on_channel = {header[0],     command->ins, command->p1, command->p2,
                                       command->data, command->nc,  command->ne};
    iso_finish(&on_channel, &objects, apdu);
}

bool iso_unwrap(struct iso_sm *sm, bool odd, const uint8_t *data, size_t length, uint16_t sw,
                struct bytes *plain)
{
    struct part rest = {data, length}, cryptogram = {NULL, 0}, value;
    struct bytes input = {0};
    uint8_t mac[16], iv[16], status[2] = {(uint8_t)(sw >> 8), (uint8_t)sw};
    const uint8_t *covered = data;
    unsigned tag;

    *plain = (struct bytes){0};
    iso_step(sm);
    bool ok = tlv_next(&rest, &tag, &value);
    if (ok && tag == (odd ? 0x85U : 0x87U)) {
        cryptogram = value;
        ok = tlv_next(&rest, &tag, &value);
    }
    if (!ok || tag != 0x99 || value.length != 2 || memcmp(value.data, status, 2) != 0) {
        return false;
    }
    covered = value.data + 2;
    if (!tlv_next(&rest, &tag, &value) || tag != 0x8E || value.length != 8 || rest.length != 0) {
        return false;
    }
    bytes_add(&input, sm->ssc, iso_block(sm));
    bytes_add(&input, data, (size_t)(covered - data));
    pad(&input, iso_block(sm));
    mac_of(sm, &input, mac);
    if (memcmp(mac, value.data, 8) != 0) {
        return false;
    }
    if (cryptogram.data == NULL) {
        return true;
    }
    if (!odd) {
        if (cryptogram.data[0] != 0x01) {
            return false;
        }
        cryptogram.data++;
        cryptogram.length--;
    }
    bytes_add(plain, cryptogram.data, cryptogram.length);
    if (plain->length == 0 || plain->length % iso_block(sm) != 0) {
        return false;
    }
    initial_value(sm, iv);
    cbc(sm, CRYPTO_DECIPHER, iv, plain->data, plain->length);
    while (plain->length > 0 && plain->data[plain->length - 1] == 0x00) {
        plain->length--;
    }
    return plain->length > 0 && plain->data[--plain->length] == 0x80;
}

uint16_t iso_send_command(struct bench *bench, struct iso_sm *sm, const struct command *command)
{
    struct bytes apdu, plain;

    iso_wrap(sm, command, &apdu);
    (void)bench_apdu(bench, apdu.data, apdu.length);
    sm->plain = bench->length == 0;
    if (sm->plain) {
        return bench->sw;
    }
    if (!iso_unwrap(sm, (command->ins & 1) != 0, bench->data, bench->length, bench->sw, &plain)) {
        bench->length = 0;
        return bench->sw = 0;
    }
    bench->length = plain.length;
    memcpy(bench->data, plain.data, plain.length);
    return bench->sw;
}

uint16_t iso_send(struct bench *bench, struct iso_sm *sm, const char *text)
{
    uint8_t bytes[BENCH_APDU_MAX];
    struct command command;
    size_t length;

    must(hex_read(text, bytes, sizeof bytes, &length) && command_read(bytes, length, &command),
         text);
    return iso_send_command(bench, sm, &command);
}
