/* SPDX-License-Identifier: Apache-2.0
 *
 * A second provider (tiny_crypto.h), written to be short: the S-box is computed each time.
 */
#include "tiny_crypto.h"

#include "crypto/modes.h"

/* ---- AES (FIPS 197) */

#define COLUMNS    4U
#define ROUNDS_MAX 14U

struct aes {
    size_t rounds;
    uint8_t keys[(ROUNDS_MAX + 1) * COS_AES_BLOCK];
};

/* Multiplication in GF(2^8) (4.2), without a branch on either. */
static uint8_t multiply(uint8_t a, uint8_t b)
{
    uint8_t product = 0;
    for (int i = 0; i < 8; i++) {
        product ^= (uint8_t)(a & (0U - (unsigned)(b & 1)));
        a = (uint8_t)((unsigned)a << 1 ^ (0x11BU & (0U - (unsigned)(a >> 7))));
        b >>= 1;
    }
    return product;
}

/* a^254, the inverse of a; 0 for 0. */
static uint8_t inverse(uint8_t a)
{
    uint8_t square = multiply(a, a), product = square;
    for (int i = 0; i < 6; i++) {
        square = multiply(square, square);
        product = multiply(product, square);
    }
    return product;
}

static uint8_t rotate(uint8_t a, unsigned by)
{
    return (uint8_t)((unsigned)a << by | (unsigned)a >> (8 - by));
}

static uint8_t substitute(uint8_t a)
{
    a = inverse(a);
    return a ^ rotate(a, 1) ^ rotate(a, 2) ^ rotate(a, 3) ^ rotate(a, 4) ^ 0x63;
}

static uint8_t substitute_back(uint8_t a)
{
    return inverse(rotate(a, 1) ^ rotate(a, 3) ^ rotate(a, 6) ^ 0x05);
}

/* Key expansion (5.2), byte by byte: word i begins at 4 i. */
static enum cos_result expand(struct aes *aes, const uint8_t *key, size_t key_length)
{
    uint8_t constant = 1;
    COS_CHECK(key_length == 16 || key_length == 24 || key_length == 32, COS_E_CRYPTO);
    aes->rounds = key_length / 4 + 6;
    memcpy(aes->keys, key, key_length);
    for (size_t at = key_length; at < (aes->rounds + 1) * COS_AES_BLOCK; at += 4) {
        uint8_t word[4];
        memcpy(word, aes->keys + at - 4, 4);
        if (at % key_length == 0) {
            const uint8_t first = word[0];
            word[0] = substitute(word[1]) ^ constant;
            word[1] = substitute(word[2]);
            word[2] = substitute(word[3]);
            word[3] = substitute(first);
            constant = multiply(constant, 2);
        } else if (key_length == 32 && at % key_length == 16) {
            for (int i = 0; i < 4; i++) {
                word[i] = substitute(word[i]);
            }
        }
        for (int i = 0; i < 4; i++) {
            aes->keys[at + (size_t)i] = aes->keys[at - key_length + (size_t)i] ^ word[i];
        }
    }
    return COS_OK;
}

static void add_key(const struct aes *aes, size_t round, uint8_t block[COS_AES_BLOCK])
{
    for (size_t i = 0; i < COS_AES_BLOCK; i++) {
        block[i] ^= aes->keys[round * COS_AES_BLOCK + i];
    }
}

/* Row r moves r columns to the left, or with 4 - r back to the right. */
static void shift_rows(uint8_t block[COS_AES_BLOCK], bool back)
{
    uint8_t old[COS_AES_BLOCK];
    memcpy(old, block, sizeof old);
    for (size_t i = 0; i < COS_AES_BLOCK; i++) {
        const size_t row = i % 4, column = i / 4 + (back ? COLUMNS - row : row);
        block[i] = old[column % COLUMNS * 4 + row];
    }
}

/* Each column times a polynomial whose coefficients these are. */
static void mix_columns(uint8_t block[COS_AES_BLOCK], const uint8_t by[4])
{
    for (size_t column = 0; column < COS_AES_BLOCK; column += 4) {
        uint8_t old[4];
        memcpy(old, block + column, 4);
        for (size_t row = 0; row < 4; row++) {
            block[column + row] = 0;
            for (size_t i = 0; i < 4; i++) {
                block[column + row] ^= multiply(by[(i + 4 - row) % 4], old[i]);
            }
        }
    }
}

static enum cos_result encipher(void *state, const uint8_t in[COS_AES_BLOCK],
                                uint8_t out[COS_AES_BLOCK])
{
    static const uint8_t by[4] = {2, 3, 1, 1};
    const struct aes *aes = state;
    memmove(out, in, COS_AES_BLOCK);
    add_key(aes, 0, out);
    for (size_t round = 1; round <= aes->rounds; round++) {
        for (size_t i = 0; i < COS_AES_BLOCK; i++) {
            out[i] = substitute(out[i]);
        }
        shift_rows(out, false);
        if (round < aes->rounds) {
            mix_columns(out, by);
        }
        add_key(aes, round, out);
    }
    return COS_OK;
}

static enum cos_result decipher(void *state, const uint8_t in[COS_AES_BLOCK],
                                uint8_t out[COS_AES_BLOCK])
{
    static const uint8_t by[4] = {14, 11, 13, 9};
    const struct aes *aes = state;
    memmove(out, in, COS_AES_BLOCK);
    for (size_t round = aes->rounds; round >= 1; round--) {
        add_key(aes, round, out);
        if (round < aes->rounds) {
            mix_columns(out, by);
        }
        shift_rows(out, true);
        for (size_t i = 0; i < COS_AES_BLOCK; i++) {
            out[i] = substitute_back(out[i]);
        }
    }
    add_key(aes, 0, out);
    return COS_OK;
}

static enum cos_result aes_encrypt(void *context, const uint8_t *key, size_t key_length,
                                   const uint8_t in[COS_AES_BLOCK], uint8_t out[COS_AES_BLOCK])
{
    struct aes aes;
    (void)context;
    COS_TRY(expand(&aes, key, key_length));
    return encipher(&aes, in, out);
}

static enum cos_result aes_decrypt(void *context, const uint8_t *key, size_t key_length,
                                   const uint8_t in[COS_AES_BLOCK], uint8_t out[COS_AES_BLOCK])
{
    struct aes aes;
    (void)context;
    COS_TRY(expand(&aes, key, key_length));
    return decipher(&aes, in, out);
}

static enum cos_result aes_cbc_encrypt(void *context, const uint8_t *key, size_t key_length,
                                       const uint8_t iv[COS_AES_BLOCK], const uint8_t *in,
                                       uint8_t *out, size_t length)
{
    struct aes aes;
    (void)context;
    COS_TRY(expand(&aes, key, key_length));
    return cos_cbc_encrypt(&(struct cos_block_cipher){&aes, encipher}, iv, in, out, length);
}

static enum cos_result aes_cbc_decrypt(void *context, const uint8_t *key, size_t key_length,
                                       const uint8_t iv[COS_AES_BLOCK], const uint8_t *in,
                                       uint8_t *out, size_t length)
{
    struct aes aes;
    (void)context;
    COS_TRY(expand(&aes, key, key_length));
    return cos_cbc_decrypt(&(struct cos_block_cipher){&aes, decipher}, iv, in, out, length);
}

static enum cos_result aes_cmac(void *context, const uint8_t *key, size_t key_length,
                                const struct cos_span *parts, size_t count,
                                uint8_t mac[COS_AES_BLOCK])
{
    struct aes aes;
    (void)context;
    COS_TRY(expand(&aes, key, key_length));
    return cos_cmac(&(struct cos_block_cipher){&aes, encipher}, parts, count, mac);
}

static enum cos_result aes_ccm_seal(void *context, const uint8_t *key, size_t key_length,
                                    const uint8_t nonce[COS_CCM_NONCE], const uint8_t *associated,
                                    size_t associated_length, uint8_t *data, size_t length,
                                    uint8_t tag[COS_CCM_TAG])
{
    struct aes aes;
    (void)context;
    COS_TRY(expand(&aes, key, key_length));
    return cos_ccm(&(struct cos_block_cipher){&aes, encipher}, COS_CCM_SEAL, nonce,
                   (struct cos_span){associated, associated_length}, data, length, tag);
}

static enum cos_result aes_ccm_open(void *context, const uint8_t *key, size_t key_length,
                                    const uint8_t nonce[COS_CCM_NONCE], const uint8_t *associated,
                                    size_t associated_length, uint8_t *data, size_t length,
                                    uint8_t tag[COS_CCM_TAG])
{
    struct aes aes;
    (void)context;
    COS_TRY(expand(&aes, key, key_length));
    return cos_ccm(&(struct cos_block_cipher){&aes, encipher}, COS_CCM_OPEN, nonce,
                   (struct cos_span){associated, associated_length}, data, length, tag);
}

/* ---- SHA-256 (FIPS 180-4) and HMAC (FIPS 198-1) */

struct sha {
    uint32_t state[8];
    uint8_t block[64];
    uint64_t length;
};

static uint32_t turn(uint32_t x, unsigned by)
{
    return x >> by | x << (32 - by);
}

/* 6.2.2 */
static void compress(struct sha *sha)
{
    static const uint32_t constants[64] = {
        0x428A2F98, 0x71374491, 0xB5C0FBCF, 0xE9B5DBA5, 0x3956C25B, 0x59F111F1, 0x923F82A4,
        0xAB1C5ED5, 0xD807AA98, 0x12835B01, 0x243185BE, 0x550C7DC3, 0x72BE5D74, 0x80DEB1FE,
        0x9BDC06A7, 0xC19BF174, 0xE49B69C1, 0xEFBE4786, 0x0FC19DC6, 0x240CA1CC, 0x2DE92C6F,
        0x4A7484AA, 0x5CB0A9DC, 0x76F988DA, 0x983E5152, 0xA831C66D, 0xB00327C8, 0xBF597FC7,
        0xC6E00BF3, 0xD5A79147, 0x06CA6351, 0x14292967, 0x27B70A85, 0x2E1B2138, 0x4D2C6DFC,
        0x53380D13, 0x650A7354, 0x766A0ABB, 0x81C2C92E, 0x92722C85, 0xA2BFE8A1, 0xA81A664B,
        0xC24B8B70, 0xC76C51A3, 0xD192E819, 0xD6990624, 0xF40E3585, 0x106AA070, 0x19A4C116,
        0x1E376C08, 0x2748774C, 0x34B0BCB5, 0x391C0CB3, 0x4ED8AA4A, 0x5B9CCA4F, 0x682E6FF3,
        0x748F82EE, 0x78A5636F, 0x84C87814, 0x8CC70208, 0x90BEFFFA, 0xA4506CEB, 0xBEF9A3F7,
        0xC67178F2};
    uint32_t w[64], v[8];
    memcpy(v, sha->state, sizeof v);
    for (size_t t = 0; t < 64; t++) {
        if (t < 16) {
            w[t] = cos_get32(sha->block + 4 * t);
        } else {
            const uint32_t a = w[t - 15], b = w[t - 2];
            w[t] = (turn(b, 17) ^ turn(b, 19) ^ b >> 10) + w[t - 7] +
                   (turn(a, 7) ^ turn(a, 18) ^ a >> 3) + w[t - 16];
        }
        const uint32_t one = v[7] + (turn(v[4], 6) ^ turn(v[4], 11) ^ turn(v[4], 25)) +
                             ((v[4] & v[5]) ^ (~v[4] & v[6])) + constants[t] + w[t];
        const uint32_t two = (turn(v[0], 2) ^ turn(v[0], 13) ^ turn(v[0], 22)) +
                             ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof v[0]);
        v[4] += one;
        v[0] = one + two;
    }
    for (size_t i = 0; i < 8; i++) {
        sha->state[i] += v[i];
    }
}

static void feed(struct sha *sha, const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        sha->block[sha->length++ % 64] = data[i];
        if (sha->length % 64 == 0) {
            compress(sha);
        }
    }
}

static struct sha start(void)
{
    return (struct sha){.state = {0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F,
                                  0x9B05688C, 0x1F83D9AB, 0x5BE0CD19}};
}

static void finish(struct sha *sha, uint8_t *digest)
{
    const uint64_t bits = sha->length * 8;
    const uint8_t marker = 0x80, zero = 0;
    uint8_t count[8];
    cos_put32(count, (uint32_t)(bits >> 32));
    cos_put32(count + 4, (uint32_t)bits);
    feed(sha, &marker, 1);
    while (sha->length % 64 != 56) {
        feed(sha, &zero, 1);
    }
    feed(sha, count, sizeof count);
    for (size_t i = 0; i < 8; i++) {
        cos_put32(digest + 4 * i, sha->state[i]);
    }
}

static enum cos_result hash(void *context, enum cos_hash which, const struct cos_span *parts,
                            size_t count, uint8_t *digest)
{
    struct sha sha = start();
    (void)context;
    COS_CHECK(which == COS_SHA256, COS_E_CRYPTO);
    for (size_t i = 0; i < count; i++) {
        feed(&sha, parts[i].data, parts[i].length);
    }
    finish(&sha, digest);
    return COS_OK;
}

static enum cos_result hmac(void *context, enum cos_hash which, const uint8_t *key,
                            size_t key_length, const struct cos_span *parts, size_t count,
                            uint8_t *mac)
{
    uint8_t block[64] = {0}, inner[32];
    struct sha sha = start();
    COS_CHECK(which == COS_SHA256, COS_E_CRYPTO);
    if (key_length > sizeof block) {
        const struct cos_span part = {key, key_length};
        COS_TRY(hash(context, which, &part, 1, block));
    } else if (key_length > 0) {
        memcpy(block, key, key_length);
    }
    for (size_t i = 0; i < sizeof block; i++) {
        block[i] ^= 0x36;
    }
    feed(&sha, block, sizeof block);
    for (size_t i = 0; i < count; i++) {
        feed(&sha, parts[i].data, parts[i].length);
    }
    finish(&sha, inner);
    for (size_t i = 0; i < sizeof block; i++) {
        block[i] ^= 0x36 ^ 0x5C;
    }
    sha = start();
    feed(&sha, block, sizeof block);
    feed(&sha, inner, sizeof inner);
    finish(&sha, mac);
    return COS_OK;
}

const struct cos_crypto tiny_crypto = {
    .hashes = 1U << COS_SHA256,
    .aes_encrypt = aes_encrypt,
    .aes_decrypt = aes_decrypt,
    .aes_cbc_encrypt = aes_cbc_encrypt,
    .aes_cbc_decrypt = aes_cbc_decrypt,
    .aes_cmac = aes_cmac,
    .aes_ccm_seal = aes_ccm_seal,
    .aes_ccm_open = aes_ccm_open,
    .hash = hash,
    .hmac = hmac,
};
