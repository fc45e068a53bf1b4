/* SPDX-License-Identifier: Apache-2.0
 *
 * Key derivation in counter mode with AES-CMAC as the PRF (SP 800-108r1 4.1): the general form and
 * that of SCP03. They differ only in where the fields stand.
 *
 * The output must not overlap key, label or context: later blocks are derived from them again.
 */
#include "cos/crypto.h"

#define BLOCKS_MAX       255U
#define PARTS_MAX        5U
#define SCP03_LABEL_ZERO 11U

/* The PRF's input: fixed parts, and among them the counter, whose last byte changes. */
struct derivation {
    struct cos_span parts[PARTS_MAX];
    size_t count;
    uint8_t *counter;
};

static enum cos_result derive(const struct cos_crypto *crypto, const uint8_t *key,
                              size_t key_length, const struct derivation *input, uint8_t *out,
                              size_t length)
{
    uint8_t block[COS_AES_BLOCK];
    enum cos_result result = COS_OK;
    size_t done = 0;
    *input->counter = 0;
    while (done < length && result == COS_OK) {
        size_t n = length - done < COS_AES_BLOCK ? length - done : COS_AES_BLOCK;
        ++*input->counter;
        result =
            crypto->aes_cmac(crypto->context, key, key_length, input->parts, input->count, block);
        if (result == COS_OK) {
            memcpy(out + done, block, n);
            done += n;
        }
    }
    cos_wipe(block, sizeof block);
    if (result != COS_OK) {
        cos_wipe(out, length); /* no half of a key is left behind */
    }
    return result;
}

static bool length_possible(size_t length)
{
    return length > 0 && length <= (size_t)BLOCKS_MAX * COS_AES_BLOCK;
}

enum cos_result cos_kdf(const struct cos_crypto *crypto, const uint8_t *key, size_t key_length,
                        struct cos_span label, struct cos_span context, uint8_t *out, size_t length)
{
    COS_CHECK(length_possible(length), COS_E_CRYPTO);
    static const uint8_t zero = 0;
    uint8_t counter[4] = {0}, bits[4];
    cos_put32(bits, (uint32_t)(length * 8U));
    const struct derivation input = {
        .parts = {{counter, sizeof counter}, label, {&zero, 1}, context, {bits, sizeof bits}},
        .count = 5,
        .counter = counter + sizeof counter - 1,
    };
    return derive(crypto, key, key_length, &input, out, length);
}

enum cos_result cos_kdf_scp03(const struct cos_crypto *crypto, const uint8_t *key,
                              size_t key_length, uint8_t constant, struct cos_span context,
                              uint8_t *out, size_t length)
{
    COS_CHECK(length_possible(length), COS_E_CRYPTO);
    uint8_t fields[SCP03_LABEL_ZERO + 5] = {0};
    fields[SCP03_LABEL_ZERO] = constant;
    cos_put16(fields + SCP03_LABEL_ZERO + 2, (uint16_t)(length * 8U));
    const struct derivation input = {
        .parts = {{fields, sizeof fields}, context},
        .count = 2,
        .counter = fields + sizeof fields - 1,
    };
    return derive(crypto, key, key_length, &input, out, length);
}
