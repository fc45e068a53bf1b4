/* SPDX-License-Identifier: Apache-2.0
 *
 * DES in its older forms (mac.h).
 */
#include "mac.h"

#define BLOCK COS_DES_BLOCK

static void xor_block(uint8_t to[BLOCK], const uint8_t from[BLOCK])
{
    for (size_t i = 0; i < BLOCK; i++) {
        to[i] ^= from[i];
    }
}

/* ---- MAC */

/* A full block waits until it is known whether it is the last, which may be treated otherwise. */
struct chain {
    const struct cos_crypto *crypto;
    uint8_t key[24];
    uint8_t block[BLOCK]; /* last output, with the bytes that came since added */
    size_t fill;          /* how many came */
};

static enum cos_result turn(struct chain *chain)
{
    chain->fill = 0;
    return chain->crypto->des3_encrypt(chain->crypto->context, chain->key, chain->block,
                                       chain->block);
}

static enum cos_result feed(struct chain *chain, const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (chain->fill == BLOCK) {
            COS_TRY(turn(chain));
        }
        chain->block[chain->fill++] ^= data[i];
    }
    return COS_OK;
}

enum cos_result cos_des_mac(const struct cos_crypto *crypto, enum cos_des_mac algorithm,
                            enum cos_padding padding, const uint8_t key[16],
                            const struct cos_span *parts, size_t count, uint8_t mac[BLOCK])
{
    static const uint8_t marker = 0x80;
    struct chain chain = {.crypto = crypto};
    enum cos_result result = COS_OK;

    for (size_t at = 0; at < sizeof chain.key; at += BLOCK) {
        memcpy(chain.key + at, key, BLOCK); /* E D E under one key is E */
    }
    for (size_t i = 0; i < count && result == COS_OK; i++) {
        result = feed(&chain, parts[i].data, parts[i].length);
    }
    if (result == COS_OK && padding == COS_PADDING_2) { /* the zeros change nothing */
        result = feed(&chain, &marker, 1);
    }
    if (result == COS_OK) {
        if (algorithm == COS_DES_MAC_3) {
            memcpy(chain.key + BLOCK, key + BLOCK, BLOCK);
        }
        result = turn(&chain);
    }
    if (result == COS_OK) {
        memcpy(mac, chain.block, BLOCK);
    }
    cos_wipe(&chain, sizeof chain);
    return result;
}

/* ---- CBC */

enum cos_result cos_des3_cbc_encrypt(const struct cos_crypto *crypto, const uint8_t key[24],
                                     const uint8_t iv[BLOCK], const uint8_t *in, uint8_t *out,
                                     size_t length)
{
    uint8_t chain[BLOCK];
    enum cos_result result = COS_OK;

    COS_CHECK(length % BLOCK == 0, COS_E_CRYPTO);
    memcpy(chain, iv, BLOCK);
    for (size_t at = 0; at < length && result == COS_OK; at += BLOCK) {
        xor_block(chain, in + at);
        result = crypto->des3_encrypt(crypto->context, key, chain, chain);
        if (result == COS_OK) {
            memcpy(out + at, chain, BLOCK);
        }
    }
    cos_wipe(chain, sizeof chain);
    return result;
}

enum cos_result cos_des3_cbc_decrypt(const struct cos_crypto *crypto, const uint8_t key[24],
                                     const uint8_t iv[BLOCK], const uint8_t *in, uint8_t *out,
                                     size_t length)
{
    uint8_t chain[BLOCK], plain[BLOCK];
    enum cos_result result = COS_OK;

    COS_CHECK(length % BLOCK == 0, COS_E_CRYPTO);
    memcpy(chain, iv, BLOCK);
    for (size_t at = 0; at < length && result == COS_OK; at += BLOCK) {
        result = crypto->des3_decrypt(crypto->context, key, in + at, plain);
        if (result == COS_OK) {
            xor_block(plain, chain);
            memcpy(chain, in + at, BLOCK); /* before it is overwritten: `in` may be `out` */
            memcpy(out + at, plain, BLOCK);
        }
    }
    cos_wipe(plain, sizeof plain);
    return result;
}
