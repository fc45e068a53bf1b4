/* SPDX-License-Identifier: Apache-2.0
 *
 * CBC, CMAC and CCM over a block function (modes.h).
 */
#include "modes.h"

#define BLOCK COS_AES_BLOCK

/* SP 800-38C annex A.2.1: formatting of B0 and the counter blocks for n = 13, q = 2, t = 8. */
#define CCM_FLAGS_Q         (2U - 1U)
#define CCM_FLAGS_T         (((COS_CCM_TAG - 2U) / 2U) << 3)
#define CCM_FLAG_ASSOCIATED 0x40U
#define CCM_LENGTH_AT       (1U + COS_CCM_NONCE)
/* Annex A.2.2: a length below 2^16 - 2^8 is written in two bytes. */
#define CCM_ASSOCIATED_MAX 0xFEFFU
#define CCM_DATA_MAX       0xFFFFU

static void xor_bytes(uint8_t *to, const uint8_t *from, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        to[i] ^= from[i];
    }
}

enum cos_result cos_cbc_encrypt(const struct cos_block_cipher *encipher, const uint8_t iv[BLOCK],
                                const uint8_t *in, uint8_t *out, size_t length)
{
    COS_CHECK(length % BLOCK == 0, COS_E_CRYPTO);
    uint8_t chain[BLOCK];
    enum cos_result result = COS_OK;
    memcpy(chain, iv, BLOCK);
    for (size_t at = 0; at < length && result == COS_OK; at += BLOCK) {
        xor_bytes(chain, in + at, BLOCK);
        result = encipher->apply(encipher->state, chain, chain);
        if (result == COS_OK) {
            memcpy(out + at, chain, BLOCK);
        }
    }
    cos_wipe(chain, sizeof chain);
    return result;
}

enum cos_result cos_cbc_decrypt(const struct cos_block_cipher *decipher, const uint8_t iv[BLOCK],
                                const uint8_t *in, uint8_t *out, size_t length)
{
    COS_CHECK(length % BLOCK == 0, COS_E_CRYPTO);
    uint8_t chain[BLOCK], plain[BLOCK];
    enum cos_result result = COS_OK;
    memcpy(chain, iv, BLOCK);
    for (size_t at = 0; at < length && result == COS_OK; at += BLOCK) {
        result = decipher->apply(decipher->state, in + at, plain);
        if (result == COS_OK) {
            xor_bytes(plain, chain, BLOCK);
            memcpy(chain, in + at, BLOCK); /* before it is overwritten: `in` may be `out` */
            memcpy(out + at, plain, BLOCK);
        }
    }
    cos_wipe(plain, sizeof plain);
    return result;
}

/* The CBC-MAC under CMAC and CCM. A full block waits until more bytes come, because CMAC treats the
 * last one specially. */
struct chain {
    const struct cos_block_cipher *encipher;
    uint8_t block[BLOCK]; /* last output, with the bytes that came since added */
    size_t fill;          /* how many came */
};

static enum cos_result chain_turn(struct chain *chain)
{
    chain->fill = 0;
    return chain->encipher->apply(chain->encipher->state, chain->block, chain->block);
}

static enum cos_result chain_add(struct chain *chain, const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (chain->fill == BLOCK) {
            COS_TRY(chain_turn(chain));
        }
        chain->block[chain->fill++] ^= data[i];
    }
    return COS_OK;
}

/* Zero padding up to the block's end (SP 800-38C annex A.2.2 and A.2.3). */
static enum cos_result chain_pad(struct chain *chain)
{
    return chain->fill > 0 ? chain_turn(chain) : COS_OK;
}

/* Multiplication by x in GF(2^128) (SP 800-38B 6.1); no branch on the secret bit. */
static void double_subkey(uint8_t block[BLOCK])
{
    unsigned carry = 0U - (block[0] >> 7);
    for (size_t i = 0; i + 1 < BLOCK; i++) {
        block[i] = (uint8_t)((unsigned)block[i] << 1 | block[i + 1] >> 7);
    }
    block[BLOCK - 1] = (uint8_t)((unsigned)block[BLOCK - 1] << 1 ^ (carry & 0x87U));
}

/* SP 800-38B 6.2, steps 1, 4 and 6: K1 for a last block that is full, K2 and 10..0 for another. */
static enum cos_result cmac_finish(struct chain *chain)
{
    uint8_t subkey[BLOCK] = {0};
    enum cos_result result = chain->encipher->apply(chain->encipher->state, subkey, subkey);
    if (result == COS_OK) {
        double_subkey(subkey);
        if (chain->fill < BLOCK) {
            double_subkey(subkey);
            chain->block[chain->fill] ^= 0x80U;
        }
        xor_bytes(chain->block, subkey, BLOCK);
        result = chain_turn(chain);
    }
    cos_wipe(subkey, sizeof subkey);
    return result;
}

enum cos_result cos_cmac(const struct cos_block_cipher *encipher, const struct cos_span *parts,
                         size_t count, uint8_t mac[BLOCK])
{
    struct chain chain = {.encipher = encipher};
    enum cos_result result = COS_OK;
    for (size_t i = 0; i < count && result == COS_OK; i++) {
        result = chain_add(&chain, parts[i].data, parts[i].length);
    }
    if (result == COS_OK) {
        result = cmac_finish(&chain);
    }
    if (result == COS_OK) {
        memcpy(mac, chain.block, BLOCK);
    }
    cos_wipe(&chain, sizeof chain);
    return result;
}

/* B0 and the associated data with their length (SP 800-38C annex A.2.1, A.2.2). */
static enum cos_result ccm_begin(struct chain *chain, const uint8_t nonce[COS_CCM_NONCE],
                                 struct cos_span associated, size_t length)
{
    uint8_t first[BLOCK];
    first[0] =
        (uint8_t)(CCM_FLAGS_Q | CCM_FLAGS_T | (associated.length > 0 ? CCM_FLAG_ASSOCIATED : 0U));
    memcpy(first + 1, nonce, COS_CCM_NONCE);
    cos_put16(first + CCM_LENGTH_AT, (uint16_t)length);
    COS_TRY(chain_add(chain, first, BLOCK));
    if (associated.length > 0) {
        uint8_t prefix[2];
        cos_put16(prefix, (uint16_t)associated.length);
        COS_TRY(chain_add(chain, prefix, sizeof prefix));
        COS_TRY(chain_add(chain, associated.data, associated.length));
    }
    return chain_pad(chain);
}

/* Key stream block `index` (annex A.3): flags q - 1, nonce, index. */
static enum cos_result ccm_stream(const struct cos_block_cipher *encipher,
                                  const uint8_t nonce[COS_CCM_NONCE], size_t index,
                                  uint8_t stream[BLOCK])
{
    stream[0] = CCM_FLAGS_Q;
    memcpy(stream + 1, nonce, COS_CCM_NONCE);
    cos_put16(stream + CCM_LENGTH_AT, (uint16_t)index);
    return encipher->apply(encipher->state, stream, stream);
}

static enum cos_result ccm_data(struct chain *chain, enum cos_ccm_direction direction,
                                const uint8_t nonce[COS_CCM_NONCE], uint8_t *data, size_t length,
                                uint8_t stream[BLOCK])
{
    size_t index = 1;
    while (length > 0) {
        size_t n = length < BLOCK ? length : BLOCK;
        COS_TRY(ccm_stream(chain->encipher, nonce, index++, stream));
        if (direction == COS_CCM_SEAL) {
            COS_TRY(chain_add(chain, data, n));
        }
        xor_bytes(data, stream, n);
        if (direction == COS_CCM_OPEN) {
            COS_TRY(chain_add(chain, data, n));
        }
        data += n;
        length -= n;
    }
    COS_TRY(chain_pad(chain));
    return ccm_stream(chain->encipher, nonce, 0, stream);
}

enum cos_result cos_ccm(const struct cos_block_cipher *encipher, enum cos_ccm_direction direction,
                        const uint8_t nonce[COS_CCM_NONCE], struct cos_span associated,
                        uint8_t *data, size_t length, uint8_t tag[COS_CCM_TAG])
{
    COS_CHECK(associated.length <= CCM_ASSOCIATED_MAX && length <= CCM_DATA_MAX, COS_E_CRYPTO);
    struct chain chain = {.encipher = encipher};
    uint8_t stream[BLOCK];
    enum cos_result result = ccm_begin(&chain, nonce, associated, length);
    if (result == COS_OK) {
        result = ccm_data(&chain, direction, nonce, data, length, stream);
    }
    if (result == COS_OK) {
        /* SP 800-38C 6.1, step 8: the tag is enciphered with block 0 of the key stream. */
        xor_bytes(chain.block, stream, COS_CCM_TAG);
        memcpy(tag, chain.block, COS_CCM_TAG);
    }
    cos_wipe(&chain, sizeof chain);
    cos_wipe(stream, sizeof stream);
    return result;
}
