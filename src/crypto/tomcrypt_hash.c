/* SPDX-License-Identifier: Apache-2.0
 *
 * The libtomcrypt provider's hash functions. HMAC is ours: libtomcrypt's allocates, and looks its
 * hash up in a table that has to be filled at run time.
 */
#include "tomcrypt_provider.h"

#include <tomcrypt.h>

/* SHA-224 and SHA-384 are SHA-256 and SHA-512 from another start. */
static const struct {
    int (*start)(hash_state *state);
    int (*process)(hash_state *state, const unsigned char *in, unsigned long length);
    int (*finish)(hash_state *state, unsigned char *out);
} hashes[COS_HASHES] = {
    [COS_SHA1] = {sha1_init, sha1_process, sha1_done},
    [COS_SHA224] = {sha224_init, sha256_process, sha224_done},
    [COS_SHA256] = {sha256_init, sha256_process, sha256_done},
    [COS_SHA384] = {sha384_init, sha512_process, sha384_done},
    [COS_SHA512] = {sha512_init, sha512_process, sha512_done},
};

static void wipe_state(enum cos_hash which, hash_state *state)
{
    if (which == COS_SHA1) {
        cos_wipe(&state->sha1, sizeof state->sha1);
    } else if (which < COS_SHA384) {
        cos_wipe(&state->sha256, sizeof state->sha256);
    } else {
        cos_wipe(&state->sha512, sizeof state->sha512);
    }
}

/* Hashes on, over `head`, which may be empty, and the parts. libtomcrypt's argument checks abort
 * the program in some builds, so that no part without bytes gets there. Wipes the state. */
static enum cos_result hash_rest(enum cos_hash which, hash_state *state, struct cos_span head,
                                 const struct cos_span *parts, size_t count, uint8_t *digest)
{
    int error = CRYPT_OK;
    if (head.length > 0) {
        error = hashes[which].process(state, head.data, head.length);
    }
    for (size_t i = 0; i < count && error == CRYPT_OK; i++) {
        if (parts[i].length > 0) {
            error = hashes[which].process(state, parts[i].data, parts[i].length);
        }
    }
    if (error == CRYPT_OK) {
        error = hashes[which].finish(state, digest);
    }
    wipe_state(which, state);
    return error == CRYPT_OK ? COS_OK : COS_E_CRYPTO;
}

static enum cos_result hash(enum cos_hash which, struct cos_span head, const struct cos_span *parts,
                            size_t count, uint8_t *digest)
{
    hash_state state;
    COS_CHECK(which < COS_HASHES && hashes[which].start(&state) == CRYPT_OK, COS_E_CRYPTO);
    return hash_rest(which, &state, head, parts, count, digest);
}

enum cos_result cos_tomcrypt_hash(void *context, enum cos_hash which, const struct cos_span *parts,
                                  size_t count, uint8_t *digest)
{
    (void)context;
    return hash(which, (struct cos_span){NULL, 0}, parts, count, digest);
}

static void load_state(enum cos_hash which, hash_state *state, const uint8_t *from)
{
    for (size_t i = 0; i < 8; i++) {
        if (which >= COS_SHA384) {
            state->sha512.state[i] =
                (ulong64)cos_get32(from + 8 * i) << 32 | cos_get32(from + 8 * i + 4);
        } else if (which != COS_SHA1) {
            state->sha256.state[i] = cos_get32(from + 4 * i);
        } else if (i < 5) {
            state->sha1.state[i] = cos_get32(from + 4 * i);
        }
    }
}

enum cos_result cos_tomcrypt_hash_resume(void *context, enum cos_hash which, const uint8_t *state,
                                         uint64_t processed, const struct cos_span *parts,
                                         size_t count, uint8_t *digest)
{
    (void)context;
    hash_state resumed;
    COS_CHECK(which < COS_HASHES && processed > 0, COS_E_CRYPTO);
    COS_CHECK(processed % cos_hash_block(which) == 0, COS_E_CRYPTO);
    COS_CHECK(processed <= UINT64_MAX / 16, COS_E_CRYPTO); /* the counter is of bits */
    COS_CHECK(hashes[which].start(&resumed) == CRYPT_OK, COS_E_CRYPTO);
    load_state(which, &resumed, state);
    if (which == COS_SHA1) {
        resumed.sha1.length = processed * 8;
    } else if (which < COS_SHA384) {
        resumed.sha256.length = processed * 8;
    } else {
        resumed.sha512.length = processed * 8;
    }
    return hash_rest(which, &resumed, (struct cos_span){NULL, 0}, parts, count, digest);
}

static void mask_block(uint8_t *block, size_t length, uint8_t mask)
{
    for (size_t i = 0; i < length; i++) {
        block[i] ^= mask;
    }
}

/* FIPS 198-1, 4: H((K0 xor opad) || H((K0 xor ipad) || text)). */
enum cos_result cos_tomcrypt_hmac(void *context, enum cos_hash which, const uint8_t *key,
                                  size_t key_length, const struct cos_span *parts, size_t count,
                                  uint8_t *mac)
{
    COS_CHECK(which < COS_HASHES, COS_E_CRYPTO);
    const size_t size = cos_hash_block(which);
    uint8_t block[COS_HASH_BLOCK_MAX] = {0}, inner[COS_HASH_MAX];
    const struct cos_span head = {block, size}, text = {inner, cos_hash_size(which)};
    enum cos_result result = COS_OK;
    if (key_length > size) {
        const struct cos_span long_key = {key, key_length};
        result = cos_tomcrypt_hash(context, which, &long_key, 1, block);
    } else if (key_length > 0) {
        memcpy(block, key, key_length);
    }
    if (result == COS_OK) {
        mask_block(block, size, 0x36);
        result = hash(which, head, parts, count, inner);
    }
    if (result == COS_OK) {
        mask_block(block, size, 0x36 ^ 0x5C);
        result = hash(which, head, &text, 1, mac);
    }
    cos_wipe(block, sizeof block);
    cos_wipe(inner, sizeof inner);
    return result;
}
