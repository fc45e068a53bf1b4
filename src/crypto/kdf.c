/* SPDX-License-Identifier: Apache-2.0
 *
 * Key derivation in counter mode with AES-CMAC as the PRF (SP 800-108r1 4.1): the general form and
 * that of SCP03. They differ only in where the fields stand. And X9.63, which hashes.
 *
 * The output must not overlap key, label or context: later blocks are derived from them again.
 */
#include "cos/crypto.h"

#define BLOCKS_MAX       255U
#define SCP03_LABEL_ZERO 11U

/* The PRF's input is the parts, of which the byte *counter changes. */
static enum cos_result derive(const struct cos_crypto *crypto, struct cos_span key,
                              const struct cos_span *parts, size_t count, uint8_t *counter,
                              uint8_t *out, size_t length)
{
    COS_CHECK(length > 0 && length <= (size_t)BLOCKS_MAX * COS_AES_BLOCK, COS_E_CRYPTO);
    uint8_t block[COS_AES_BLOCK];
    enum cos_result result = COS_OK;
    *counter = 0;
    for (size_t done = 0; done < length && result == COS_OK; done += COS_AES_BLOCK) {
        size_t n = length - done < COS_AES_BLOCK ? length - done : COS_AES_BLOCK;
        ++*counter;
        result = crypto->aes_cmac(crypto->context, key.data, key.length, parts, count, block);
        if (result == COS_OK) {
            memcpy(out + done, block, n);
        }
    }
    cos_wipe(block, sizeof block);
    if (result != COS_OK) {
        cos_wipe(out, length); /* no half of a key is left behind */
    }
    return result;
}

enum cos_result cos_kdf(const struct cos_crypto *crypto, const uint8_t *key, size_t key_length,
                        struct cos_span label, struct cos_span context, uint8_t *out, size_t length)
{
    static const uint8_t zero = 0;
    uint8_t counter[4] = {0}, bits[4];
    cos_put32(bits, (uint32_t)(length * 8U));
    const struct cos_span parts[] = {
        {counter, sizeof counter}, label, {&zero, 1}, context, {bits, sizeof bits}};
    return derive(crypto, (struct cos_span){key, key_length}, parts, 5, counter + 3, out, length);
}

enum cos_result cos_kdf_scp03(const struct cos_crypto *crypto, const uint8_t *key,
                              size_t key_length, uint8_t constant, struct cos_span context,
                              uint8_t *out, size_t length)
{
    uint8_t fields[SCP03_LABEL_ZERO + 5] = {0};
    fields[SCP03_LABEL_ZERO] = constant;
    cos_put16(fields + SCP03_LABEL_ZERO + 2, (uint16_t)(length * 8U));
    const struct cos_span parts[] = {{fields, sizeof fields}, context};
    return derive(crypto, (struct cos_span){key, key_length}, parts, 2, fields + sizeof fields - 1,
                  out, length);
}

enum cos_result cos_kdf_x963(const struct cos_crypto *crypto, enum cos_hash which,
                             struct cos_span secret, struct cos_span info, uint8_t *out,
                             size_t length)
{
    const size_t size = cos_hash_size(which);
    uint8_t counter[4] = {0}, digest[COS_HASH_MAX];
    const struct cos_span parts[] = {secret, {counter, sizeof counter}, info};
    enum cos_result result = COS_OK;

    COS_CHECK(length > 0 && length <= BLOCKS_MAX * size, COS_E_CRYPTO);
    for (size_t done = 0; done < length && result == COS_OK; done += size) {
        size_t n = length - done < size ? length - done : size;
        counter[3]++;
        result = crypto->hash(crypto->context, which, parts, 3, digest);
        if (result == COS_OK) {
            memcpy(out + done, digest, n);
        }
    }
    cos_wipe(digest, sizeof digest);
    if (result != COS_OK) {
        cos_wipe(out, length);
    }
    return result;
}
