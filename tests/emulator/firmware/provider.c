/* SPDX-License-Identifier: Apache-2.0
 *
 * A provider as a chip with an AES engine has it: the engine's blocks under the core's modes. It
 * has what the gate's client needs and nothing else.
 */
#include "firmware.h"

#include "crypto/modes.h"

struct engine {
    const uint8_t *key;
    size_t key_length;
};

static enum cos_result encipher(void *state, const uint8_t in[COS_AES_BLOCK],
                                uint8_t out[COS_AES_BLOCK])
{
    const struct engine *engine = state;

    return aes_block(NULL, engine->key, engine->key_length, in, out);
}

static enum cos_result aes_cmac(void *context, const uint8_t *key, size_t key_length,
                                const struct cos_span *parts, size_t count,
                                uint8_t mac[COS_AES_BLOCK])
{
    struct engine engine = {key, key_length};

    (void)context;
    return cos_cmac(&(struct cos_block_cipher){&engine, encipher}, parts, count, mac);
}

static enum cos_result aes_ccm_seal(void *context, const uint8_t *key, size_t key_length,
                                    const uint8_t nonce[COS_CCM_NONCE], const uint8_t *associated,
                                    size_t associated_length, uint8_t *data, size_t length,
                                    uint8_t tag[COS_CCM_TAG])
{
    struct engine engine = {key, key_length};

    (void)context;
    return cos_ccm(&(struct cos_block_cipher){&engine, encipher}, COS_CCM_SEAL, nonce,
                   (struct cos_span){associated, associated_length}, data, length, tag);
}

static enum cos_result aes_ccm_open(void *context, const uint8_t *key, size_t key_length,
                                    const uint8_t nonce[COS_CCM_NONCE], const uint8_t *associated,
                                    size_t associated_length, uint8_t *data, size_t length,
                                    uint8_t tag[COS_CCM_TAG])
{
    struct engine engine = {key, key_length};

    (void)context;
    return cos_ccm(&(struct cos_block_cipher){&engine, encipher}, COS_CCM_OPEN, nonce,
                   (struct cos_span){associated, associated_length}, data, length, tag);
}

const struct cos_crypto provider = {
    .aes_encrypt = aes_block,
    .aes_cmac = aes_cmac,
    .aes_ccm_seal = aes_ccm_seal,
    .aes_ccm_open = aes_ccm_open,
};
