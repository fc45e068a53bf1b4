/* SPDX-License-Identifier: Apache-2.0
 *
 * Paddings of RSA signatures (rsa.h), and MGF1.
 */
#include "rsa.h"

/* ---- EMSA-PKCS1-v1_5 */

#define PREFIX_MAX  19U
#define CONTENT_MAX (PREFIX_MAX + COS_HASH_MAX)

/* DigestInfo ::= SEQUENCE { SEQUENCE { OID, NULL }, OCTET STRING } up to the digest (9.2, note 1);
 * returns its length. SHA-1 has an OID of 5 bytes, the others 2.16.840.1.101.3.4.2.n. */
static size_t digest_info(enum cos_hash which, uint8_t prefix[PREFIX_MAX])
{
    static const uint8_t sha1[] = {0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2B, 0x0E,
                                   0x03, 0x02, 0x1A, 0x05, 0x00, 0x04, 0x14};
    static const uint8_t sha2[] = {0x30, 0x00, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                   0x65, 0x03, 0x04, 0x02, 0x00, 0x05, 0x00, 0x04, 0x00};
    static const uint8_t last[COS_HASHES] = {0, 4, 1, 2, 3};
    const size_t size = cos_hash_size(which);

    if (which == COS_SHA1) {
        memcpy(prefix, sha1, sizeof sha1);
        return sizeof sha1;
    }
    memcpy(prefix, sha2, sizeof sha2);
    prefix[1] = (uint8_t)(sizeof sha2 - 2 + size);
    prefix[14] = last[which];
    prefix[18] = (uint8_t)size;
    return sizeof sha2;
}

enum cos_result cos_rsa_block1(struct cos_span content, uint8_t *encoded, size_t length)
{
    COS_CHECK(length >= 11 && content.length <= length - 11, COS_E_LENGTH);
    const size_t separator = length - content.length - 1;
    if (content.length > 0) {
        memmove(encoded + separator + 1, content.data, content.length);
    }
    memset(encoded, 0xFF, separator);
    encoded[0] = 0x00;
    encoded[1] = 0x01;
    encoded[separator] = 0x00;
    return COS_OK;
}

static struct cos_span digest_info_of(enum cos_hash which, const uint8_t *digest,
                                      uint8_t content[CONTENT_MAX])
{
    const size_t prefix = digest_info(which, content), size = cos_hash_size(which);
    memcpy(content + prefix, digest, size);
    return (struct cos_span){content, prefix + size};
}

enum cos_result cos_emsa_v15_encode(enum cos_hash which, const uint8_t *digest, uint8_t *encoded,
                                    size_t length)
{
    uint8_t content[CONTENT_MAX];
    return cos_rsa_block1(digest_info_of(which, digest, content), encoded, length);
}

cos_truth cos_emsa_v15_verify(enum cos_hash which, const uint8_t *digest, const uint8_t *encoded,
                              size_t length)
{
    uint8_t content[CONTENT_MAX];
    const struct cos_span good = digest_info_of(which, digest, content);
    COS_CHECK(length >= 11 && good.length <= length - 11, COS_NO);
    const size_t separator = length - good.length - 1;
    uint8_t difference = encoded[0] | (encoded[1] ^ 0x01) | encoded[separator];
    for (size_t i = 2; i < separator; i++) {
        difference |= encoded[i] ^ 0xFF;
    }
    COS_CHECK(difference == 0, COS_NO);
    return cos_equal_secret(encoded + separator + 1, good.data, good.length);
}

/* ---- EMSA-PSS */

enum cos_result cos_mgf1(const struct cos_crypto *crypto, enum cos_hash which, struct cos_span seed,
                         uint8_t *data, size_t length)
{
    const size_t size = cos_hash_size(which);
    uint8_t counter[4] = {0}, mask[COS_HASH_MAX];
    const struct cos_span parts[] = {seed, {counter, sizeof counter}};
    enum cos_result result = COS_OK;

    for (size_t at = 0; at < length && result == COS_OK; at += size) {
        result = crypto->hash(crypto->context, which, parts, 2, mask);
        for (size_t i = 0; i < size && at + i < length && result == COS_OK; i++) {
            data[at + i] ^= mask[i];
        }
        counter[3]++; /* at most 26 digests */
    }
    cos_wipe(mask, sizeof mask);
    return result;
}

/* H = Hash(8 times 00 || digest || salt) */
static enum cos_result salted(const struct cos_crypto *crypto, enum cos_hash which,
                              const uint8_t *digest, struct cos_span salt, uint8_t *hash)
{
    static const uint8_t zeros[8] = {0};
    const struct cos_span parts[] = {{zeros, sizeof zeros}, {digest, cos_hash_size(which)}, salt};
    return crypto->hash(crypto->context, which, parts, 3, hash);
}

/* The first bit of a modulus is 1, so an encoded message has one bit less (8.1.1, step 1). */
#define FIRST_BITS 0x7FU
#define TRAILER    0xBCU

/* encoded = maskedDB || H || BC, DB = 00 .. 00 01 salt. */
enum cos_result cos_emsa_pss_encode(const struct cos_crypto *crypto, enum cos_hash which,
                                    const uint8_t *digest, struct cos_span salt, uint8_t *encoded,
                                    size_t length)
{
    const size_t size = cos_hash_size(which);
    uint8_t hash[COS_HASH_MAX];

    COS_CHECK(length >= size + 2 && salt.length <= length - size - 2, COS_E_LENGTH);
    const size_t db = length - size - 1;
    COS_TRY(salted(crypto, which, digest, salt, hash));
    memset(encoded, 0, db);
    encoded[db - salt.length - 1] = 0x01;
    if (salt.length > 0) {
        memcpy(encoded + db - salt.length, salt.data, salt.length);
    }
    COS_TRY(cos_mgf1(crypto, which, (struct cos_span){hash, size}, encoded, db));
    encoded[0] &= FIRST_BITS;
    memcpy(encoded + db, hash, size);
    encoded[length - 1] = TRAILER;
    return COS_OK;
}

enum cos_result cos_emsa_pss_verify(const struct cos_crypto *crypto, enum cos_hash which,
                                    const uint8_t *digest, size_t salt_length, uint8_t *encoded,
                                    size_t length, cos_truth *valid)
{
    const size_t size = cos_hash_size(which);
    uint8_t hash[COS_HASH_MAX];

    *valid = COS_NO;
    COS_CHECK(length >= size + 2 && salt_length <= length - size - 2, COS_OK);
    COS_CHECK((encoded[0] & ~FIRST_BITS) == 0 && encoded[length - 1] == TRAILER, COS_OK);
    const size_t db = length - size - 1;
    COS_TRY(cos_mgf1(crypto, which, (struct cos_span){encoded + db, size}, encoded, db));
    encoded[0] &= FIRST_BITS;
    uint8_t difference = encoded[db - salt_length - 1] ^ 0x01;
    for (size_t i = 0; i < db - salt_length - 1; i++) {
        difference |= encoded[i];
    }
    const struct cos_span salt = {encoded + db - salt_length, salt_length};
    COS_TRY(salted(crypto, which, digest, salt, hash));
    if (difference == 0) {
        *valid = cos_equal_secret(hash, encoded + db, size);
    }
    return COS_OK;
}
