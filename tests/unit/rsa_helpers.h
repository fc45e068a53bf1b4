/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of RSA's paddings share: keys from vectors, both operations of the libtomcrypt
 * provider, and a provider that fails.
 */
#ifndef TESTS_RSA_HELPERS_H
#define TESTS_RSA_HELPERS_H

#include "crypto_helpers.h"

#include "oracle_key.h"
#include "vectors.h"

static const struct cos_crypto *const crypto = &cos_crypto_tomcrypt;

static const char *const names[COS_HASHES] = {"sha1", "sha224", "sha256", "sha384", "sha512"};

static inline struct cos_rsa_private key_of(const struct vector_section *section)
{
    return (struct cos_rsa_private){vector_bytes(section, "p"),    vector_bytes(section, "q"),
                                    vector_bytes(section, "dp"),   vector_bytes(section, "dq"),
                                    vector_bytes(section, "qinv"), vector_bytes(section, "e")};
}

static inline void check_keys(const struct vector_section *section)
{
    const struct cos_rsa_private key = key_of(section);
    assert_int_equal(crypto->rsa_check(NULL, &key, vector_bytes(section, "n")), COS_OK);
}

static inline void private_is(const struct vector_section *section, const uint8_t *in,
                              const uint8_t *expected, size_t length)
{
    const struct cos_rsa_private key = key_of(section);
    struct chance chance = {random_start(1)};
    const struct cos_random source = chance_source(&chance);
    uint8_t out[COS_RSA_MAX];
    assert_int_equal(crypto->rsa_private(NULL, &key, &source, in, out), COS_OK);
    assert_memory_equal(out, expected, length);
}

static inline void to_public(const struct oracle_rsa *rsa, const uint8_t *in, uint8_t *out)
{
    assert_int_equal(crypto->rsa_public(NULL, oracle_rsa_n(rsa), oracle_rsa_e(rsa), in, out),
                     COS_OK);
}

static inline void to_private(const struct oracle_rsa *rsa, struct chance *chance,
                              const uint8_t *in, uint8_t *out)
{
    const struct cos_rsa_private key = oracle_rsa_private(rsa);
    const struct cos_random source = chance_source(chance);
    assert_int_equal(crypto->rsa_private(NULL, &key, &source, in, out), COS_OK);
}

/* Fails after `left` calls. */
struct failing {
    unsigned left;
};

static inline enum cos_result failing_hash(void *context, enum cos_hash which,
                                           const struct cos_span *parts, size_t count,
                                           uint8_t *digest)
{
    struct failing *failing = context;
    if (failing->left == 0) {
        return COS_E_CRYPTO;
    }
    failing->left--;
    return crypto->hash(NULL, which, parts, count, digest);
}

#endif
