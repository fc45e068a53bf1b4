/* SPDX-License-Identifier: Apache-2.0
 *
 * Paddings of RSA encryption (rsa.h).
 */
#include "constant_time.h"
#include "rsa.h"

/* ---- RSAES-PKCS1-v1_5 */

#define OVERHEAD 11U /* 00 02, eight random bytes, 00 */
#define KEY_SIZE COS_SHA256_SIZE

enum cos_result cos_rsaes_v15_encode(const struct cos_random *random, struct cos_span message,
                                     uint8_t *encoded, size_t length)
{
    COS_CHECK(length >= OVERHEAD && message.length <= length - OVERHEAD, COS_E_LENGTH);
    const size_t separator = length - message.length - 1;
    if (message.length > 0) {
        memmove(encoded + separator + 1, message.data, message.length);
    }
    COS_TRY(random->draw(random->context, encoded + 2, separator - 2));
    for (size_t i = 2; i < separator; i++) {
        for (unsigned tries = 0; encoded[i] == 0; tries++) {
            COS_CHECK(tries < 16, COS_E_CRYPTO); /* 2^-128, or a source that is stuck */
            COS_TRY(random->draw(random->context, encoded + i, 1));
        }
    }
    encoded[0] = 0x00;
    encoded[1] = 0x02;
    encoded[separator] = 0x00;
    return COS_OK;
}

/* One block of the PRF; `bits` is the length of its whole output. */
static enum cos_result stream(const struct cos_crypto *crypto, const uint8_t key[KEY_SIZE],
                              const char *label, size_t label_length, size_t index, size_t bits,
                              uint8_t block[KEY_SIZE])
{
    uint8_t number[2], total[2];
    const struct cos_span parts[] = {
        {number, 2}, {(const uint8_t *)label, label_length}, {total, 2}};
    cos_put16(number, (uint16_t)index);
    cos_put16(total, (uint16_t)bits);
    return crypto->hmac(crypto->context, COS_SHA256, key, KEY_SIZE, parts, 3, block);
}

/* The key of the PRF, from private key and cipher text. */
static enum cos_result rejection_key(const struct cos_crypto *crypto,
                                     const struct cos_rsa_private *key, const uint8_t *cipher,
                                     size_t length, uint8_t out[KEY_SIZE])
{
    const struct cos_span secret[] = {key->dp, key->dq}, text = {cipher, length};
    COS_TRY(crypto->hash(crypto->context, COS_SHA256, secret, 2, out));
    return crypto->hmac(crypto->context, COS_SHA256, out, KEY_SIZE, &text, 1, out);
}

/* A length of 0 to `limit`. */
static enum cos_result rejection_length(const struct cos_crypto *crypto,
                                        const uint8_t key[KEY_SIZE], size_t limit, size_t *length)
{
    static const char label[] = "length";
    uint8_t block[KEY_SIZE];
    size_t bits = 1;
    while (bits < limit) { /* the limit is public */
        bits = 2 * bits + 1;
    }
    *length = 0;
    for (size_t i = 0; i < 256 / KEY_SIZE; i++) {
        COS_TRY(stream(crypto, key, label, sizeof label - 1, i, 8 * 256, block));
        for (size_t at = 0; at < KEY_SIZE; at += 2) {
            const size_t candidate = cos_get16(block + at) & bits;
            *length = choose(is_less(limit, candidate), *length, candidate);
        }
    }
    return COS_OK;
}

/* Puts the pseudorandom message over the encoded one unless that is good. Both end at the end. */
static enum cos_result reject(const struct cos_crypto *crypto, const uint8_t key[KEY_SIZE],
                              cos_mask good, uint8_t *encoded, size_t length,
                              size_t *message_length)
{
    static const char label[] = "message";
    uint8_t block[KEY_SIZE];
    size_t instead;
    enum cos_result result = rejection_length(crypto, key, length - OVERHEAD, &instead);
    *message_length = choose(good, *message_length, instead);
    for (size_t at = 0; at < length && result == COS_OK; at += KEY_SIZE) {
        result = stream(crypto, key, label, sizeof label - 1, at / KEY_SIZE, 8 * length, block);
        for (size_t i = 0; i < KEY_SIZE && at + i < length; i++) {
            encoded[at + i] = choose_byte(good, encoded[at + i], block[i]);
        }
    }
    cos_wipe(block, sizeof block);
    return result;
}

/* Whether it is 00 02, eight or more bytes that are not 00, 00; and how much is behind. */
static cos_mask parse_block2(const uint8_t *encoded, size_t length, size_t *message_length)
{
    cos_mask found = 0;
    size_t separator = 0;
    for (size_t i = 2; i < length; i++) {
        const cos_mask here = is_zero(encoded[i]) & ~found;
        separator = choose(here, i, separator);
        found |= here;
    }
    *message_length = length - 1 - separator;
    return is_zero(encoded[0]) & is_equal(encoded[1], 0x02) & found &
           ~is_less(separator, OVERHEAD - 1);
}

enum cos_result cos_rsaes_v15_decode(const struct cos_crypto *crypto,
                                     const struct cos_rsa_private *key, const uint8_t *cipher,
                                     uint8_t *encoded, size_t length, size_t *message_length)
{
    uint8_t secret[KEY_SIZE];
    COS_CHECK(length >= COS_RSA_MIN && length <= COS_RSA_MAX, COS_E_CRYPTO);
    enum cos_result result = rejection_key(crypto, key, cipher, length, secret);
    if (result == COS_OK) {
        const cos_mask good = parse_block2(encoded, length, message_length);
        result = reject(crypto, secret, good, encoded, length, message_length);
    }
    cos_wipe(secret, sizeof secret);
    if (result != COS_OK) {
        cos_wipe(encoded, length);
        *message_length = 0;
        return result;
    }
    move_to_front(encoded, length, length - *message_length);
    return COS_OK;
}

/* ---- RSAES-OAEP: 00 || maskedSeed || maskedDB, DB = label's digest || 00 .. 00 01 message */

static enum cos_result hash_label(const struct cos_crypto *crypto, enum cos_hash which,
                                  struct cos_span label, uint8_t *digest)
{
    return crypto->hash(crypto->context, which, &label, 1, digest);
}

enum cos_result cos_rsaes_oaep_encode(const struct cos_crypto *crypto, enum cos_hash which,
                                      const struct cos_random *random, struct cos_span label,
                                      struct cos_span message, uint8_t *encoded, size_t length)
{
    const size_t size = cos_hash_size(which);
    COS_CHECK(length >= 2 * size + 2 && message.length <= length - 2 * size - 2, COS_E_LENGTH);
    uint8_t *seed = encoded + 1, *db = seed + size;
    const size_t db_length = length - size - 1, at = db_length - message.length;
    if (message.length > 0) {
        memmove(db + at, message.data, message.length);
    }
    memset(db, 0, at);
    db[at - 1] = 0x01;
    encoded[0] = 0x00;
    COS_TRY(hash_label(crypto, which, label, db));
    COS_TRY(random->draw(random->context, seed, size));
    COS_TRY(cos_mgf1(crypto, which, (struct cos_span){seed, size}, db, db_length));
    return cos_mgf1(crypto, which, (struct cos_span){db, db_length}, seed, size);
}

/* Whether db is digest, any number of 00, 01; and how much is behind. */
static cos_mask parse_db(const uint8_t *db, size_t db_length, const uint8_t *digest, size_t size,
                         size_t *message_length)
{
    cos_mask padding = ~(cos_mask)0, found = 0; /* nothing but 00 so far; the 01 was met then */
    size_t separator = 0, difference = 0;
    for (size_t i = 0; i < size; i++) {
        difference |= (size_t)(db[i] ^ digest[i]);
    }
    for (size_t i = size; i < db_length; i++) {
        const cos_mask here = padding & is_equal(db[i], 0x01);
        separator = choose(here, i, separator);
        found |= here;
        padding &= is_zero(db[i]);
    }
    *message_length = db_length - 1 - separator;
    return is_zero(difference) & found;
}

enum cos_result cos_rsaes_oaep_decode(const struct cos_crypto *crypto, enum cos_hash which,
                                      struct cos_span label, uint8_t *encoded, size_t length,
                                      size_t *message_length)
{
    const size_t size = cos_hash_size(which);
    uint8_t *seed = encoded + 1, *db = seed + size, digest[COS_HASH_MAX];
    enum cos_result result = COS_OK;

    *message_length = 0;
    COS_CHECK(length >= 2 * size + 2 && length <= COS_RSA_MAX, COS_E_DATA);
    const size_t db_length = length - size - 1;
    result = hash_label(crypto, which, label, digest);
    if (result == COS_OK) {
        result = cos_mgf1(crypto, which, (struct cos_span){db, db_length}, seed, size);
    }
    if (result == COS_OK) {
        result = cos_mgf1(crypto, which, (struct cos_span){seed, size}, db, db_length);
    }
    if (result != COS_OK) {
        cos_wipe(encoded, length);
        return result;
    }
    size_t found;
    const cos_mask good = parse_db(db, db_length, digest, size, &found) & is_zero(encoded[0]);
    move_to_front(encoded, length, length - choose(good, found, 0));
    for (size_t i = 0; i < length; i++) {
        encoded[i] &= (uint8_t)good;
    }
    *message_length = good & found;
    return ok_or(good, COS_E_DATA);
}
