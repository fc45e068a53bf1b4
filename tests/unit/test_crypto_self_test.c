/* SPDX-License-Identifier: Apache-2.0
 *
 * The known-answer tests pass on a good provider and can fail: a wrapper spoils one call of one
 * function, and every call that a self-test makes is spoilt once. The answers that they know are
 * OpenSSL's: they pass on a provider that is made of it.
 */
#include "crypto_helpers.h"

#include "cos/crypto.h"

#include "openssl_provider.h"

#define CURVES (COS_SELF_TEST_P256 | COS_SELF_TEST_P384 | COS_SELF_TEST_P521)

#define REQUIRED (COS_SELF_TEST_AES | COS_SELF_TEST_DES3 | COS_SELF_TEST_SHA256)

/* Each test by the function that knows it. */
static enum cos_result self_test(const struct cos_crypto *crypto, unsigned which)
{
    const unsigned optional = COS_SELF_TEST_HASH | COS_SELF_TEST_RSA | CURVES | COS_SELF_TEST_SHA1;
    COS_TRY(cos_crypto_self_test(crypto, which & ~optional));
    return cos_crypto_self_test_optional(crypto, which & optional);
}

/* In the order of struct cos_crypto. */
enum function {
    AES_ENCRYPT,
    AES_DECRYPT,
    AES_CBC_ENCRYPT,
    AES_CBC_DECRYPT,
    AES_CMAC,
    AES_CCM_SEAL,
    AES_CCM_OPEN,
    DES3_ENCRYPT,
    DES3_DECRYPT,
    HASH,
    HASH_RESUME,
    KEYED_HASH,
    RSA_PUBLIC,
    RSA_PRIVATE,
    RSA_CHECK,
    EC_PUBLIC,
    EC_SIGN,
    EC_VERIFY,
    EC_AGREE,
    EC_CHECK,
    FUNCTIONS,
};

static const struct {
    const char *name;
    unsigned which;
} functions[FUNCTIONS] = {
    [AES_ENCRYPT] = {"aes_encrypt", COS_SELF_TEST_AES},
    [AES_DECRYPT] = {"aes_decrypt", COS_SELF_TEST_AES},
    [AES_CBC_ENCRYPT] = {"aes_cbc_encrypt", COS_SELF_TEST_AES},
    [AES_CBC_DECRYPT] = {"aes_cbc_decrypt", COS_SELF_TEST_AES},
    [AES_CMAC] = {"aes_cmac", COS_SELF_TEST_AES},
    [AES_CCM_SEAL] = {"aes_ccm_seal", COS_SELF_TEST_AES},
    [AES_CCM_OPEN] = {"aes_ccm_open", COS_SELF_TEST_AES},
    [DES3_ENCRYPT] = {"des3_encrypt", COS_SELF_TEST_DES3},
    [DES3_DECRYPT] = {"des3_decrypt", COS_SELF_TEST_DES3},
    [HASH] = {"hash", COS_SELF_TEST_SHA256 | COS_SELF_TEST_HASH},
    [HASH_RESUME] = {"hash_resume", COS_SELF_TEST_HASH},
    [KEYED_HASH] = {"hmac", COS_SELF_TEST_SHA256 | COS_SELF_TEST_HASH},
    [RSA_PUBLIC] = {"rsa_public", COS_SELF_TEST_RSA},
    [RSA_PRIVATE] = {"rsa_private", COS_SELF_TEST_RSA},
    [RSA_CHECK] = {"rsa_check", COS_SELF_TEST_RSA},
    [EC_PUBLIC] = {"ec_public", CURVES},
    [EC_SIGN] = {"ec_sign", CURVES},
    [EC_VERIFY] = {"ec_verify", CURVES},
    [EC_AGREE] = {"ec_agree", CURVES},
    [EC_CHECK] = {"ec_check", CURVES},
};

/* What takes microseconds, and what takes milliseconds. */
#define FAST       (COS_SELF_TEST_AES | COS_SELF_TEST_DES3 | COS_SELF_TEST_SHA256 | COS_SELF_TEST_HASH)
#define EVERYTHING (FAST | COS_SELF_TEST_RSA | CURVES)

enum harm { FLIP_OUTPUT, FLIP_TAG, FAIL };

struct spoiler {
    unsigned calls[FUNCTIONS];
    enum function target;
    enum harm harm;
    unsigned at;  /* the call that is spoilt, from 1; 0 = every one */
    unsigned bit; /* which bit of the output */
};

/* Counts the call; says whether it is the one. */
static bool hit(struct spoiler *spoiler, enum function function)
{
    unsigned call = ++spoiler->calls[function];
    return function == spoiler->target && (spoiler->at == 0 || spoiler->at == call);
}

static enum cos_result spoil(struct spoiler *spoiler, enum function function,
                             enum cos_result result, uint8_t *out, size_t length, uint8_t *tag)
{
    if (!hit(spoiler, function)) {
        return result;
    }
    if (result != COS_OK) { /* of a check: what is none is one now */
        return spoiler->harm == FAIL ? COS_E_CRYPTO : COS_OK;
    }
    if (spoiler->harm == FAIL) {
        return COS_E_CRYPTO;
    }
    if (out == NULL) { /* the answer is the result itself */
        return COS_E_DATA;
    }
    if (spoiler->harm == FLIP_TAG) {
        out = tag;
        length = COS_CCM_TAG;
    }
    out[spoiler->bit / 8 % length] ^= (uint8_t)(1U << spoiler->bit % 8);
    return COS_OK;
}

#define GOOD cos_crypto_tomcrypt

static enum cos_result aes_encrypt(void *s, const uint8_t *key, size_t n, const uint8_t in[16],
                                   uint8_t out[16])
{
    return spoil(s, AES_ENCRYPT, GOOD.aes_encrypt(NULL, key, n, in, out), out, 16, NULL);
}

static enum cos_result aes_decrypt(void *s, const uint8_t *key, size_t n, const uint8_t in[16],
                                   uint8_t out[16])
{
    return spoil(s, AES_DECRYPT, GOOD.aes_decrypt(NULL, key, n, in, out), out, 16, NULL);
}

static enum cos_result aes_cbc_encrypt(void *s, const uint8_t *key, size_t n, const uint8_t iv[16],
                                       const uint8_t *in, uint8_t *out, size_t length)
{
    return spoil(s, AES_CBC_ENCRYPT, GOOD.aes_cbc_encrypt(NULL, key, n, iv, in, out, length), out,
                 length, NULL);
}

static enum cos_result aes_cbc_decrypt(void *s, const uint8_t *key, size_t n, const uint8_t iv[16],
                                       const uint8_t *in, uint8_t *out, size_t length)
{
    return spoil(s, AES_CBC_DECRYPT, GOOD.aes_cbc_decrypt(NULL, key, n, iv, in, out, length), out,
                 length, NULL);
}

static enum cos_result aes_cmac(void *s, const uint8_t *key, size_t n, const struct cos_span *parts,
                                size_t count, uint8_t mac[16])
{
    return spoil(s, AES_CMAC, GOOD.aes_cmac(NULL, key, n, parts, count, mac), mac, 16, NULL);
}

static enum cos_result aes_ccm_seal(void *s, const uint8_t *key, size_t n, const uint8_t nonce[13],
                                    const uint8_t *associated, size_t associated_length,
                                    uint8_t *data, size_t length, uint8_t tag[8])
{
    return spoil(
        s, AES_CCM_SEAL,
        GOOD.aes_ccm_seal(NULL, key, n, nonce, associated, associated_length, data, length, tag),
        data, length, tag);
}

static enum cos_result aes_ccm_open(void *s, const uint8_t *key, size_t n, const uint8_t nonce[13],
                                    const uint8_t *associated, size_t associated_length,
                                    uint8_t *data, size_t length, uint8_t tag[8])
{
    return spoil(
        s, AES_CCM_OPEN,
        GOOD.aes_ccm_open(NULL, key, n, nonce, associated, associated_length, data, length, tag),
        data, length, tag);
}

static enum cos_result des3_encrypt(void *s, const uint8_t key[24], const uint8_t in[8],
                                    uint8_t out[8])
{
    return spoil(s, DES3_ENCRYPT, GOOD.des3_encrypt(NULL, key, in, out), out, 8, NULL);
}

static enum cos_result des3_decrypt(void *s, const uint8_t key[24], const uint8_t in[8],
                                    uint8_t out[8])
{
    return spoil(s, DES3_DECRYPT, GOOD.des3_decrypt(NULL, key, in, out), out, 8, NULL);
}

static enum cos_result hash(void *s, enum cos_hash which, const struct cos_span *parts,
                            size_t count, uint8_t *digest)
{
    return spoil(s, HASH, GOOD.hash(NULL, which, parts, count, digest), digest,
                 cos_hash_size(which), NULL);
}

static enum cos_result hash_resume(void *s, enum cos_hash which, const uint8_t *from,
                                   uint64_t processed, const struct cos_span *parts, size_t count,
                                   uint8_t *digest)
{
    return spoil(s, HASH_RESUME,
                 GOOD.hash_resume(NULL, which, from, processed, parts, count, digest), digest,
                 cos_hash_size(which), NULL);
}

static enum cos_result hmac(void *s, enum cos_hash which, const uint8_t *key, size_t n,
                            const struct cos_span *parts, size_t count, uint8_t *mac)
{
    return spoil(s, KEYED_HASH, GOOD.hmac(NULL, which, key, n, parts, count, mac), mac,
                 cos_hash_size(which), NULL);
}

static enum cos_result rsa_public(void *s, struct cos_span n, struct cos_span e, const uint8_t *in,
                                  uint8_t *out)
{
    return spoil(s, RSA_PUBLIC, GOOD.rsa_public(NULL, n, e, in, out), out, n.length, NULL);
}

static enum cos_result rsa_private(void *s, const struct cos_rsa_private *key,
                                   const struct cos_random *random, const uint8_t *in, uint8_t *out)
{
    return spoil(s, RSA_PRIVATE, GOOD.rsa_private(NULL, key, random, in, out), out,
                 2 * key->p.length, NULL);
}

static enum cos_result rsa_check(void *s, const struct cos_rsa_private *key, struct cos_span n)
{
    return spoil(s, RSA_CHECK, GOOD.rsa_check(NULL, key, n), NULL, 0, NULL);
}

static enum cos_result ec_public(void *s, enum cos_curve curve, const struct cos_random *random,
                                 const uint8_t *key, uint8_t *point)
{
    return spoil(s, EC_PUBLIC, GOOD.ec_public(NULL, curve, random, key, point), point,
                 1 + 2 * cos_ec_size(curve), NULL);
}

static enum cos_result ec_sign(void *s, enum cos_curve curve, const struct cos_random *random,
                               const uint8_t *key, const uint8_t *digest, size_t length,
                               uint8_t *signature)
{
    return spoil(s, EC_SIGN, GOOD.ec_sign(NULL, curve, random, key, digest, length, signature),
                 signature, 2 * cos_ec_size(curve), NULL);
}

static enum cos_result ec_verify(void *s, enum cos_curve curve, const uint8_t *point,
                                 const uint8_t *digest, size_t length, const uint8_t *signature,
                                 cos_truth *valid)
{
    return spoil(s, EC_VERIFY, GOOD.ec_verify(NULL, curve, point, digest, length, signature, valid),
                 (uint8_t *)valid, sizeof *valid, NULL);
}

static enum cos_result ec_agree(void *s, enum cos_curve curve, const struct cos_random *random,
                                const uint8_t *key, const uint8_t *point, uint8_t *secret)
{
    return spoil(s, EC_AGREE, GOOD.ec_agree(NULL, curve, random, key, point, secret), secret,
                 cos_ec_size(curve), NULL);
}

static enum cos_result ec_check(void *s, enum cos_curve curve, const uint8_t *key,
                                const uint8_t *point)
{
    return spoil(s, EC_CHECK, GOOD.ec_check(NULL, curve, key, point), NULL, 0, NULL);
}

static enum cos_result run(struct spoiler *spoiler, unsigned which)
{
    const struct cos_crypto spoilt = {
        .context = spoiler,
        .aes_encrypt = aes_encrypt,
        .aes_decrypt = aes_decrypt,
        .aes_cbc_encrypt = aes_cbc_encrypt,
        .aes_cbc_decrypt = aes_cbc_decrypt,
        .aes_cmac = aes_cmac,
        .aes_ccm_seal = aes_ccm_seal,
        .aes_ccm_open = aes_ccm_open,
        .des3_encrypt = des3_encrypt,
        .des3_decrypt = des3_decrypt,
        .hashes = GOOD.hashes,
        .curves = GOOD.curves,
        .hash = hash,
        .hash_resume = hash_resume,
        .hmac = hmac,
        .rsa_public = rsa_public,
        .rsa_private = rsa_private,
        .rsa_check = rsa_check,
        .ec_public = ec_public,
        .ec_sign = ec_sign,
        .ec_verify = ec_verify,
        .ec_agree = ec_agree,
        .ec_check = ec_check,
    };
    return self_test(&spoilt, which);
}

static void passes(void **state)
{
    (void)state;
    for (unsigned which = 0; which <= FAST; which++) {
        assert_int_equal(self_test(&cos_crypto_tomcrypt, which), COS_OK);
    }
    for (unsigned which = COS_SELF_TEST_RSA; which <= COS_SELF_TEST_SHA1; which <<= 1) {
        assert_int_equal(self_test(&cos_crypto_tomcrypt, which), COS_OK);
    }
    assert_int_equal(self_test(&cos_crypto_tomcrypt, EVERYTHING), COS_OK);
}

/* ---- A provider over OpenSSL */

/* The known answers come from nowhere but the standards: a provider of another make has the same.
 */
static void answers_are_those_of_openssl(void **state)
{
    (void)state;
    for (unsigned which = 1; which <= COS_SELF_TEST_P521; which <<= 1) {
        assert_case(self_test(&openssl_provider, which) == COS_OK, "test %02X", which);
    }
}

static void unknown_tests_are_not_passed(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 32; bit++) {
        const unsigned one = 1U << bit;
        if (one > COS_SELF_TEST_SHA256) {
            assert_int_equal(cos_crypto_self_test(&cos_crypto_tomcrypt, REQUIRED | one),
                             COS_E_SELF_TEST);
        }
        if (one < COS_SELF_TEST_HASH || one > COS_SELF_TEST_SHA1) {
            assert_int_equal(
                cos_crypto_self_test_optional(&cos_crypto_tomcrypt, COS_SELF_TEST_HASH | one),
                COS_E_SELF_TEST);
        }
    }
}

/* What a provider does not have has not passed a test. */
static void missing_algorithms(void **state)
{
    (void)state;
    struct cos_crypto poor = cos_crypto_tomcrypt;
    poor.hashes = 1U << COS_SHA256;
    poor.curves = 0;
    poor.hash_resume = NULL;
    poor.rsa_public = NULL;
    poor.rsa_private = NULL;
    poor.rsa_check = NULL;
    for (unsigned which = 1; which <= COS_SELF_TEST_P521; which <<= 1) {
        assert_int_equal(self_test(&poor, which),
                         which <= COS_SELF_TEST_SHA256 ? COS_OK : COS_E_SELF_TEST);
    }
    assert_int_equal(self_test(&poor, COS_SELF_TEST_SHA1), COS_OK); /* it is not the provider's */
    poor.hashes |= 1U << COS_SHA1;
    poor.curves |= 1U << COS_P384;
    for (unsigned which = COS_SELF_TEST_HASH; which <= COS_SELF_TEST_P521; which <<= 1) {
        bool has = which == COS_SELF_TEST_HASH || which == COS_SELF_TEST_P384;
        assert_int_equal(self_test(&poor, which), has ? COS_OK : COS_E_SELF_TEST);
    }
}

/* A function that always errs in one bit, whichever it is. */
static void one_bit_of_every_function(void **state)
{
    (void)state;
    for (unsigned function = 0; function < FUNCTIONS; function++) {
        const unsigned which = functions[function].which;
        const bool slow = (which & ~FAST) != 0;
        for (unsigned bit = 0; bit < 320; bit += slow ? 53 : 1) {
            struct spoiler spoiler = {
                .target = (enum function)function, .harm = FLIP_OUTPUT, .bit = bit};
            for (unsigned one = 1; one <= COS_SELF_TEST_P521; one <<= 1) {
                assert_case((which & one) == 0 || run(&spoiler, one) == COS_E_SELF_TEST,
                            "%s, bit %u", functions[function].name, bit);
            }
            /* and only the tests that were asked for are run */
            spoiler = (struct spoiler){
                .target = (enum function)function, .harm = FLIP_OUTPUT, .bit = bit};
            assert_int_equal(run(&spoiler, FAST & ~which), COS_OK);
        }
    }
    for (unsigned bit = 0; bit < 64; bit++) {
        struct spoiler on_seal = {.target = AES_CCM_SEAL, .harm = FLIP_TAG, .bit = bit};
        struct spoiler on_open = {.target = AES_CCM_OPEN, .harm = FLIP_TAG, .bit = bit};
        assert_int_equal(run(&on_seal, COS_SELF_TEST_AES), COS_E_SELF_TEST);
        assert_int_equal(run(&on_open, COS_SELF_TEST_AES), COS_E_SELF_TEST);
    }
}

/* One bit of one call: each key length, each block that a KDF derives, each step of the DRBG. The
 * bit is one of the first eight bytes, as much as the KDF test uses of its last block. Only the
 * DRBG's last two HMACs, which prepare for a next request, cannot show. The curves take one way
 * through the same functions. */
static void one_bit_of_every_call(void **state)
{
    (void)state;
    const unsigned tests = FAST | COS_SELF_TEST_RSA | COS_SELF_TEST_P256;
    struct spoiler count = {.target = FUNCTIONS};
    assert_int_equal(run(&count, tests & ~COS_SELF_TEST_HASH), COS_OK);
    const unsigned last_hmac = count.calls[KEYED_HASH];
    count = (struct spoiler){.target = FUNCTIONS};
    assert_int_equal(run(&count, tests), COS_OK);
    unsigned tested = 0;
    for (unsigned function = 0; function < FUNCTIONS; function++) {
        const unsigned calls = count.calls[function], which = functions[function].which & tests;
        assert_case(calls > 0, "%s is not tested", functions[function].name);
        for (unsigned at = 1; at <= calls; at++) {
            struct spoiler flip = {.target = (enum function)function,
                                   .harm = FLIP_OUTPUT,
                                   .at = at,
                                   .bit = at * 13 % 64};
            struct spoiler fail = {.target = (enum function)function, .harm = FAIL, .at = at};
            bool shows = function != KEYED_HASH || at > last_hmac || at + 2 <= last_hmac;
            assert_case(run(&flip, which) == (shows ? COS_E_SELF_TEST : COS_OK),
                        "%s, call %u wrong", functions[function].name, at);
            assert_case(run(&fail, which) == COS_E_SELF_TEST, "%s, call %u fails",
                        functions[function].name, at);
            tested++;
        }
    }
    printf("# self-test: %u provider calls, each spoilt and failed once\n", tested);
}

/* Errors that one-bit flips do not model: parts that are left out, keys that are cut. */
static enum cos_result first_part_cmac(void *context, const uint8_t *key, size_t n,
                                       const struct cos_span *parts, size_t count, uint8_t mac[16])
{
    (void)count;
    return GOOD.aes_cmac(context, key, n, parts, 1, mac);
}

static enum cos_result first_part_hash(void *context, enum cos_hash which,
                                       const struct cos_span *parts, size_t count, uint8_t *digest)
{
    (void)count;
    return GOOD.hash(context, which, parts, 1, digest);
}

static enum cos_result cut_key_hmac(void *context, enum cos_hash which, const uint8_t *key,
                                    size_t n, const struct cos_span *parts, size_t count,
                                    uint8_t *mac)
{
    return GOOD.hmac(context, which, key, n > 64 ? 64 : n, parts, count, mac);
}

static enum cos_result yes_always(void *context, enum cos_curve curve, const uint8_t *point,
                                  const uint8_t *digest, size_t length, const uint8_t *signature,
                                  cos_truth *valid)
{
    (void)GOOD.ec_verify(context, curve, point, digest, length, signature, valid);
    *valid = COS_YES;
    return COS_OK;
}

static enum cos_result is_good_always(void *context, enum cos_curve curve, const uint8_t *key,
                                      const uint8_t *point)
{
    (void)GOOD.ec_check(context, curve, key, point);
    return COS_OK;
}

static enum cos_result is_key_always(void *context, const struct cos_rsa_private *key,
                                     struct cos_span n)
{
    (void)GOOD.rsa_check(context, key, n);
    return COS_OK;
}

static enum cos_result aes128_only(void *context, const uint8_t *key, size_t n,
                                   const uint8_t in[16], uint8_t out[16])
{
    (void)n;
    return GOOD.aes_encrypt(context, key, 16, in, out);
}

static enum cos_result single_des(void *context, const uint8_t key[24], const uint8_t in[8],
                                  uint8_t out[8])
{
    uint8_t same[24];
    for (size_t at = 0; at < 24; at += 8) {
        memcpy(same + at, key, 8);
    }
    return GOOD.des3_encrypt(context, same, in, out);
}

static void plausible_errors(void **state)
{
    (void)state;
    struct cos_crypto wrong[8];
    for (size_t i = 0; i < 8; i++) {
        wrong[i] = cos_crypto_tomcrypt;
    }
    wrong[0].aes_cmac = first_part_cmac;
    wrong[1].hash = first_part_hash;
    wrong[2].hmac = cut_key_hmac;
    wrong[3].aes_encrypt = aes128_only;
    wrong[4].des3_encrypt = single_des;
    wrong[5].ec_verify = yes_always;
    wrong[6].ec_check = is_good_always;
    wrong[7].rsa_check = is_key_always;
    for (size_t i = 0; i < 8; i++) {
        assert_case(self_test(&wrong[i], EVERYTHING) == COS_E_SELF_TEST, "error %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes),
        cmocka_unit_test(answers_are_those_of_openssl),
        cmocka_unit_test(unknown_tests_are_not_passed),
        cmocka_unit_test(missing_algorithms),
        cmocka_unit_test(one_bit_of_every_function),
        cmocka_unit_test(one_bit_of_every_call),
        cmocka_unit_test(plausible_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
