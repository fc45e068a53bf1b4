/* SPDX-License-Identifier: Apache-2.0
 *
 * Known-answer tests of what a provider need not have. By itself, so that a firmware without these
 * algorithms has no tests of them either.
 */
#include "self_test.h"

#include "sha1.h"

/* What is right or wrong instead of an answer. */
static void take_verdict(struct trial *trial, uint32_t verdict)
{
    uint8_t bytes[4];
    cos_put32(bytes, verdict);
    trial->crc = cos_crc32(trial->crc, bytes, sizeof bytes);
}

/* One or two blocks, and two parts whose padding takes another one. */
static void test_hash(struct trial *trial)
{
    const struct cos_crypto *crypto = trial->crypto;
    const enum cos_hash which = (enum cos_hash)trial->member;
    const uint8_t *in = trial->in;
    const struct cos_span parts[] = {{in, 96}, {in, 37}};

    for (size_t count = 1; count <= 2; count++) {
        take(trial, crypto->hash(crypto->context, which, parts, count, trial->out));
        take(trial, crypto->hmac(crypto->context, which, in, 64 * count, parts, count, trial->out));
    }
}

/* The same after a first block, whose state may be any bytes. */
static void test_resume(struct trial *trial)
{
    const struct cos_crypto *crypto = trial->crypto;
    const struct cos_span parts[] = {{trial->in, 96}, {trial->in, 37}};

    take(trial, crypto->hash_resume(crypto->context, (enum cos_hash)trial->member, trial->in, 128,
                                    parts, 2, trial->out));
}

/* The core's own, of a message as it has, and of the longest one. */
static void test_sha1(struct trial *trial)
{
    for (size_t length = 20; length <= COS_SHA1_SHORT_MAX; length += 35) {
        cos_sha1_short(trial->in, length, trial->out);
        take(trial, COS_OK);
    }
}

/* Stands in for chance: a known-answer test needs none, and the answers do not depend on it. */
static enum cos_result count_up(void *context, uint8_t *out, size_t length)
{
    uint8_t *count = context;
    for (size_t i = 0; i < length; i++) {
        out[i] = ++*count;
    }
    return COS_OK;
}

static const uint8_t modulus[] = {
    0xD0, 0x7A, 0x2D, 0x60, 0x6E, 0x63, 0x90, 0x17, 0x83, 0x93, 0x4B, 0x35, 0x63, 0x0D, 0x7A, 0x49,
    0x31, 0x1D, 0xD7, 0x82, 0xC6, 0x20, 0x88, 0x05, 0x6D, 0x68, 0xAB, 0x7A, 0xDE, 0x38, 0x6F, 0x25,
    0x66, 0x08, 0x4C, 0x61, 0x02, 0xAD, 0xE1, 0xA2, 0xFD, 0x5B, 0x8C, 0x57, 0x02, 0xDB, 0x82, 0x58,
    0xC7, 0x13, 0xA4, 0x45, 0x15, 0x94, 0xF4, 0x08, 0xAA, 0xB3, 0xD5, 0xD8, 0xB7, 0x1C, 0xDC, 0xA2,
    0xF5, 0x0B, 0x87, 0x4C, 0x2E, 0x9E, 0x12, 0x60, 0x7F, 0x18, 0x0E, 0xB9, 0x50, 0x2E, 0x31, 0x91,
    0x59, 0xD5, 0xCD, 0x14, 0xCD, 0xF8, 0x2D, 0x7A, 0x5C, 0xBF, 0x16, 0x87, 0xBF, 0x50, 0xDD, 0xE9,
    0xD8, 0x89, 0x39, 0x35, 0xEC, 0xB2, 0x7F, 0x70, 0x56, 0x3E, 0xC9, 0x0D, 0x50, 0xC2, 0xA6, 0x60,
    0x40, 0xE3, 0xB6, 0xFA, 0x1C, 0xAE, 0xE9, 0x6B, 0x5B, 0x16, 0xF1, 0xE8, 0x98, 0xCA, 0xD5, 0xAB};
static const uint8_t p[] = {
    0xFE, 0xDF, 0x51, 0x25, 0xD8, 0x60, 0x51, 0x3F, 0xA3, 0x3C, 0x61, 0x87, 0x1D, 0x3D, 0xEE, 0x7B,
    0x46, 0x8F, 0x3A, 0x4D, 0x65, 0x40, 0xDB, 0x20, 0xA4, 0x24, 0xFE, 0xC6, 0x98, 0x9E, 0x1A, 0x50,
    0xA7, 0xB4, 0x56, 0xD0, 0x64, 0x13, 0x65, 0xAD, 0x0D, 0x86, 0xAD, 0xC6, 0x9C, 0x84, 0xEE, 0x6C,
    0xA1, 0xEC, 0x56, 0x62, 0xFD, 0x98, 0xB9, 0xF1, 0x3F, 0x35, 0x93, 0x1E, 0x7D, 0x8A, 0xDB, 0x2F};
static const uint8_t q[] = {
    0xD1, 0x66, 0x4F, 0x7F, 0xD9, 0xCA, 0x60, 0x43, 0x90, 0x95, 0x3F, 0x52, 0xB1, 0x93, 0xE6, 0x37,
    0xCF, 0x49, 0x7F, 0x42, 0xC8, 0xA2, 0x37, 0xA6, 0x97, 0x24, 0x71, 0x4C, 0x5B, 0x9D, 0x96, 0xB9,
    0x39, 0x12, 0x2F, 0xCD, 0x08, 0x48, 0x83, 0x57, 0x15, 0x5C, 0x75, 0xAD, 0x43, 0x07, 0x53, 0x66,
    0x99, 0xB0, 0x5C, 0x27, 0xFB, 0xD0, 0x82, 0x83, 0x2A, 0x94, 0x14, 0xBD, 0x5D, 0xA5, 0xDE, 0x45};
static const uint8_t dp[] = {
    0x89, 0x36, 0x0C, 0x67, 0xC5, 0x6F, 0x45, 0x0E, 0x6F, 0x80, 0xC8, 0x38, 0x87, 0x43, 0x9A, 0x29,
    0xFF, 0xB8, 0x87, 0xF8, 0xB6, 0xB4, 0x0D, 0xC4, 0x2A, 0xDA, 0x47, 0xD6, 0xFE, 0xBE, 0xCF, 0x07,
    0xF0, 0xE1, 0x23, 0x83, 0x98, 0xFC, 0xE0, 0x56, 0x23, 0xDC, 0x07, 0x9D, 0xCF, 0x11, 0xB9, 0x91,
    0xFE, 0x32, 0x4F, 0xE7, 0x87, 0x03, 0x3B, 0xC7, 0x66, 0xF2, 0x1E, 0xBB, 0xE1, 0x76, 0x69, 0xBD};
static const uint8_t dq[] = {
    0x0E, 0x35, 0x72, 0x09, 0x8B, 0xDE, 0xB6, 0x9F, 0x7F, 0x0D, 0x11, 0x89, 0xEB, 0xF0, 0xCC, 0x3B,
    0x57, 0x3E, 0x76, 0x7B, 0x32, 0xA0, 0x07, 0x44, 0xAF, 0x96, 0xD2, 0x75, 0x4A, 0xF6, 0x2B, 0x87,
    0x0F, 0xFF, 0x52, 0xED, 0x07, 0xB5, 0xDB, 0xEB, 0xA9, 0xD0, 0x67, 0x4F, 0xC5, 0x6F, 0x96, 0xD2,
    0x2C, 0x75, 0x92, 0x1B, 0x48, 0x74, 0x02, 0x97, 0x21, 0xE9, 0x80, 0x6A, 0xC5, 0x12, 0xFF, 0x3D};
static const uint8_t qinv[] = {
    0x07, 0x87, 0xCD, 0x40, 0x62, 0xA5, 0x96, 0x53, 0xCF, 0x42, 0x93, 0x33, 0xAC, 0xC7, 0x45, 0x5A,
    0x96, 0x0A, 0x9C, 0x86, 0xB4, 0x73, 0x54, 0xF3, 0x3C, 0xEF, 0x00, 0x3A, 0x02, 0x6F, 0x11, 0xC3,
    0x87, 0x80, 0xAD, 0x61, 0x07, 0x4C, 0xA6, 0x0E, 0xBF, 0xB9, 0x62, 0x9B, 0xD6, 0x40, 0x2F, 0x00,
    0x75, 0x73, 0x47, 0x50, 0x2F, 0x14, 0xBA, 0x7D, 0xBB, 0xAE, 0xC6, 0x9E, 0x99, 0xA2, 0x43, 0x1C};
static const uint8_t exponent[] = {0x01, 0x00, 0x01};

/* There and back, and back from another number; the key is one, and with a wrong number is none. */
static void test_rsa(struct trial *trial)
{
    static const struct cos_rsa_private key = {{p, sizeof p},       {q, sizeof q},
                                               {dp, sizeof dp},     {dq, sizeof dq},
                                               {qinv, sizeof qinv}, {exponent, sizeof exponent}};
    static const struct cos_rsa_private wrong = {{p, sizeof p},       {q, sizeof q},
                                                 {dp, sizeof dp},     {dp, sizeof dp},
                                                 {qinv, sizeof qinv}, {exponent, sizeof exponent}};
    const struct cos_crypto *crypto = trial->crypto;
    const struct cos_span n = {modulus, sizeof modulus}, e = key.e;
    uint8_t count = 0;
    const struct cos_random random = {.context = &count, .draw = count_up};

    take(trial, crypto->rsa_public(crypto->context, n, e, trial->in, trial->out));
    take(trial, crypto->rsa_private(crypto->context, &key, &random, trial->out, trial->out));
    take(trial, crypto->rsa_private(crypto->context, &key, &random, trial->in, trial->out));
    take_verdict(trial, (uint32_t)crypto->rsa_check(crypto->context, &key, n));
    take_verdict(trial, (uint32_t)crypto->rsa_check(crypto->context, &wrong, n));
}

/* A signature is known: with the key d, the digest e = x of (d + 1) G has the signature r = s = e,
 * for e/s G + r/s d G is (d + 1) G. Another one is made, and verified over its digest and over
 * another. */
static void test_signatures(struct trial *trial, const struct cos_random *random)
{
    const struct cos_crypto *crypto = trial->crypto;
    const enum cos_curve curve = (enum cos_curve)trial->member;
    const size_t size = cos_ec_size(curve);
    uint8_t *key = trial->in, *point = trial->out, signature[2 * COS_EC_MAX];
    cos_truth valid = 0;

    key[size - 1]++;
    take(trial, crypto->ec_public(crypto->context, curve, random, key, point));
    key[size - 1]--;
    memcpy(signature, point + 1, size);
    memcpy(signature + size, point + 1, size);
    take(trial, crypto->ec_public(crypto->context, curve, random, key, point));
    if (size <= COS_HASH_MAX) {
        take(trial,
             crypto->ec_verify(crypto->context, curve, point, signature, size, signature, &valid));
        take_verdict(trial, valid);
    }
    take(trial, crypto->ec_sign(crypto->context, curve, random, key, key, 32, signature));
    for (unsigned i = 0; i < 2; i++) {
        valid = 0;
        take(trial,
             crypto->ec_verify(crypto->context, curve, point, key + i, 32, signature, &valid));
        take_verdict(trial, valid);
    }
}

/* A public key, a shared secret, signatures; what is a key and what is not. */
static void test_curve(struct trial *trial)
{
    const struct cos_crypto *crypto = trial->crypto;
    const enum cos_curve curve = (enum cos_curve)trial->member;
    uint8_t count = 0;
    const struct cos_random random = {.context = &count, .draw = count_up};

    take(trial, crypto->ec_public(crypto->context, curve, &random, trial->in, trial->out));
    take(trial,
         crypto->ec_agree(crypto->context, curve, &random, trial->in + 1, trial->out, trial->out));
    test_signatures(trial, &random);
    for (unsigned i = 0; i < 2; i++) { /* the public key, and a point beside the curve */
        take_verdict(trial,
                     (uint32_t)crypto->ec_check(crypto->context, curve, trial->in, trial->out));
        trial->out[1] ^= 1;
    }
}

/* Whether the provider says that it has what is to be tested. */
static bool has(const struct cos_crypto *crypto, const struct test *test)
{
    if (test->run == test_curve) {
        return (crypto->curves >> test->member & 1U) != 0;
    }
    if (test->run == test_sha1) {
        return true;
    }
    if (test->run == test_rsa) {
        return crypto->rsa_public != NULL && crypto->rsa_private != NULL &&
               crypto->rsa_check != NULL;
    }
    return (crypto->hashes >> test->member & 1U) != 0 &&
           (test->run == test_hash || crypto->hash_resume != NULL);
}

enum cos_result cos_crypto_self_test_optional(const struct cos_crypto *crypto, unsigned which)
{
    static const struct test tests[] = {
        {test_hash, 0xAB5087FC, COS_SELF_TEST_HASH, COS_SHA1},
        {test_hash, 0xE4E74DF5, COS_SELF_TEST_HASH, COS_SHA224},
        {test_hash, 0x57240986, COS_SELF_TEST_HASH, COS_SHA384},
        {test_hash, 0x24BFB956, COS_SELF_TEST_HASH, COS_SHA512},
        {test_resume, 0x2BB75A72, COS_SELF_TEST_HASH, COS_SHA1},
        {test_resume, 0x8A44E49A, COS_SELF_TEST_HASH, COS_SHA224},
        {test_resume, 0x78594510, COS_SELF_TEST_HASH, COS_SHA256},
        {test_resume, 0x3404CE94, COS_SELF_TEST_HASH, COS_SHA384},
        {test_resume, 0x4E0A227E, COS_SELF_TEST_HASH, COS_SHA512},
        {test_rsa, 0xD587F630, COS_SELF_TEST_RSA, 0},
        {test_curve, 0xCD8C7A74, COS_SELF_TEST_P256, COS_P256},
        {test_curve, 0xFAA1B15F, COS_SELF_TEST_P384, COS_P384},
        {test_curve, 0xE5B412A8, COS_SELF_TEST_P521, COS_P521},
        {test_sha1, 0x143616D9, COS_SELF_TEST_SHA1, 0},
    };
    unsigned left = which;
    struct trial trial;

    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        if ((which & tests[i].which) != 0 && has(crypto, &tests[i])) {
            prepare(&trial, crypto, tests[i].member);
            tests[i].run(&trial);
            COS_CHECK(trial.crc == tests[i].crc, COS_E_SELF_TEST);
            left &= ~(unsigned)tests[i].which;
        }
    }
    COS_CHECK(left == 0, COS_E_SELF_TEST); /* what there is no test for has not passed one */
    return COS_OK;
}
