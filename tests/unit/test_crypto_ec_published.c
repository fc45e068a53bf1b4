/* SPDX-License-Identifier: Apache-2.0
 *
 * Elliptic curves of the libtomcrypt provider: published vectors, of RFC 6979 and of NIST's
 * Cryptographic Algorithm Validation Program.
 */
#include "crypto_helpers.h"

#include "vectors.h"

#include <string.h>

static const struct cos_crypto *const crypto = &cos_crypto_tomcrypt;

/* RFC 6979, A.2.5 to A.2.7: public keys and signatures. */
static void rfc6979(void **state)
{
    (void)state;
    static const char *const hashes[] = {"sha1", "sha224", "sha256", "sha384", "sha512"};
    static const char *const curves[] = {"P-256", "P-384", "P-521"};
    struct vectors *vectors = vectors_open("rfc6979-ecdsa.txt");
    unsigned signatures = 0;
    for (enum cos_curve curve = COS_P256; curve <= COS_P521; curve++) {
        const struct vector_section *section = vectors_section(vectors, curves[curve]);
        const size_t size = cos_ec_size(curve);
        uint8_t point[COS_EC_POINT_MAX] = {0x04}, made[COS_EC_POINT_MAX];
        struct chance chance = {random_start(curve)};
        const struct cos_random source = chance_source(&chance);
        memcpy(point + 1, vector_exactly(section, size, "Ux"), size);
        memcpy(point + 1 + size, vector_exactly(section, size, "Uy"), size);
        assert_int_equal(
            crypto->ec_public(NULL, curve, &source, vector_exactly(section, size, "x"), made),
            COS_OK);
        assert_memory_equal(made, point, 1 + 2 * size);
        for (unsigned i = 0; i < 2 * COS_HASHES; i++) {
            static const char *const messages[] = {"sample", "test"};
            const char *message = messages[i / COS_HASHES];
            const enum cos_hash which = (enum cos_hash)(i % COS_HASHES);
            const struct cos_span text = {(const uint8_t *)message, strlen(message)};
            uint8_t digest[COS_HASH_MAX], signature[2 * COS_EC_MAX];
            cos_truth valid;
            assert_int_equal(crypto->hash(NULL, which, &text, 1, digest), COS_OK);
            memcpy(signature, vector_exactly(section, size, "%s_%s_r", message, hashes[which]),
                   size);
            memcpy(signature + size,
                   vector_exactly(section, size, "%s_%s_s", message, hashes[which]), size);
            assert_int_equal(crypto->ec_verify(NULL, curve, point, digest, cos_hash_size(which),
                                               signature, &valid),
                             COS_OK);
            assert_case(valid == COS_YES, "%s, %s, %s", curves[curve], message, hashes[which]);
            signatures++;
        }
    }
    assert_int_equal(signatures, 30);
    vectors_close(vectors);
}

/* 04 X Y from keys "x<i>" and "y<i>". */
static void point_of(const struct vector_section *section, unsigned i, size_t size, uint8_t *point)
{
    point[0] = 0x04;
    memcpy(point + 1, vector_exactly(section, size, "x%u", i), size);
    memcpy(point + 1 + size, vector_exactly(section, size, "y%u", i), size);
}

static enum cos_curve curve_of(const struct vector_section *section)
{
    return strncmp(section->name, "P-256", 5) == 0   ? COS_P256
           : strncmp(section->name, "P-384", 5) == 0 ? COS_P384
                                                     : COS_P521;
}

static void nist_signatures(void **state)
{
    (void)state;
    struct vectors *vectors = vectors_open("nist-ecdsa.txt");
    unsigned cases = 0;
    for (size_t s = 0; s < vectors->count; s++) {
        const struct vector_section *section = &vectors->sections[s];
        const enum cos_curve curve = curve_of(section);
        const size_t size = cos_ec_size(curve);
        for (unsigned i = 0; i < vector_number(section, "count_n"); i++) {
            uint8_t point[COS_EC_POINT_MAX], signature[2 * COS_EC_MAX];
            const struct cos_span digest = vector_bytes(section, "digest%u", i);
            cos_truth valid;
            point_of(section, i, size, point);
            memcpy(signature, vector_exactly(section, size, "r%u", i), size);
            memcpy(signature + size, vector_exactly(section, size, "s%u", i), size);
            enum cos_result result = crypto->ec_verify(NULL, curve, point, digest.data,
                                                       digest.length, signature, &valid);
            bool good = vector_number(section, "valid%u_n", i) == 1;
            /* a changed public key need not be a point */
            assert_case(result == COS_OK || (result == COS_E_DATA && !good), "[%s] %u",
                        section->name, i);
            assert_case(valid == (good ? COS_YES : COS_NO), "[%s] %u", section->name, i);
            cases++;
        }
    }
    assert_int_equal(cases, 105);
    vectors_close(vectors);
}

static void nist_points(void **state)
{
    (void)state;
    struct vectors *vectors = vectors_open("nist-ec-points.txt");
    for (size_t s = 0; s < vectors->count; s++) {
        const struct vector_section *section = &vectors->sections[s];
        const enum cos_curve curve = curve_of(section);
        for (unsigned i = 0; i < vector_number(section, "count_n"); i++) {
            uint8_t point[COS_EC_POINT_MAX];
            point_of(section, i, cos_ec_size(curve), point);
            bool good = vector_number(section, "valid%u_n", i) == 1;
            assert_case(crypto->ec_check(NULL, curve, NULL, point) == (good ? COS_OK : COS_E_DATA),
                        "[%s] %u", section->name, i);
        }
    }
    assert_int_equal(vectors->count, 3);
    vectors_close(vectors);
}

static void nist_agreements(void **state)
{
    (void)state;
    struct vectors *vectors = vectors_open("nist-ecdh.txt");
    struct chance chance = {random_start(1)};
    const struct cos_random source = chance_source(&chance);
    for (size_t s = 0; s < vectors->count; s++) {
        const struct vector_section *section = &vectors->sections[s];
        const enum cos_curve curve = curve_of(section);
        const size_t size = cos_ec_size(curve);
        for (unsigned i = 0; i < vector_number(section, "count_n"); i++) {
            uint8_t point[COS_EC_POINT_MAX], secret[COS_EC_MAX];
            point_of(section, i, size, point);
            bool good = vector_number(section, "valid%u_n", i) == 1;
            assert_case(crypto->ec_agree(NULL, curve, &source,
                                         vector_exactly(section, size, "d%u", i), point,
                                         secret) == (good ? COS_OK : COS_E_DATA),
                        "[%s] %u", section->name, i);
            if (good) {
                assert_memory_equal(secret, vector_exactly(section, size, "z%u", i), size);
            }
        }
    }
    assert_int_equal(vectors->count, 3);
    vectors_close(vectors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc6979),
        cmocka_unit_test(nist_signatures),
        cmocka_unit_test(nist_points),
        cmocka_unit_test(nist_agreements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
