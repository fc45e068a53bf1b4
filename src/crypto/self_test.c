/* SPDX-License-Identifier: Apache-2.0
 *
 * Known-answer tests of a provider and of what is built on it. Vectors are from the standard that
 * is named with each; inputs that are a simple pattern there are made here, to save ROM. Each
 * output is compared whole.
 */
#include "drbg.h"

#define SPAN(array)                                                                                \
    (struct cos_span)                                                                              \
    {                                                                                              \
        (array), sizeof(array)                                                                     \
    }

/* Everything below ends with this error, whatever went wrong. */
#define EXPECT(condition) COS_CHECK(condition, COS_E_SELF_TEST)
#define EXPECT_OK(call)   EXPECT((call) == COS_OK)

static bool equal(const uint8_t *a, const uint8_t *b, size_t length)
{
    return cos_equal_secret(a, b, length) == COS_YES;
}

/* first, first + step, first + 2 step ... */
static void pattern(uint8_t *data, size_t length, unsigned first, unsigned step)
{
    for (size_t i = 0; i < length; i++) {
        data[i] = (uint8_t)(first + i * step);
    }
}

/* FIPS 197 appendix C: key 00 01 02 ..., plain text 00 11 22 ... FF, three key lengths. */
static enum cos_result test_aes_block(const struct cos_crypto *crypto)
{
    static const struct {
        uint8_t key_length;
        uint8_t cipher[COS_AES_BLOCK];
    } cases[] = {
        {16,
         {0x69, 0xC4, 0xE0, 0xD8, 0x6A, 0x7B, 0x04, 0x30, 0xD8, 0xCD, 0xB7, 0x80, 0x70, 0xB4, 0xC5,
          0x5A}},
        {24,
         {0xDD, 0xA9, 0x7C, 0xA4, 0x86, 0x4C, 0xDF, 0xE0, 0x6E, 0xAF, 0x70, 0xA0, 0xEC, 0x0D, 0x71,
          0x91}},
        {32,
         {0x8E, 0xA2, 0xB7, 0xCA, 0x51, 0x67, 0x45, 0xBF, 0xEA, 0xFC, 0x49, 0x90, 0x4B, 0x49, 0x60,
          0x89}},
    };
    uint8_t key[COS_AES_KEY_MAX], plain[COS_AES_BLOCK], out[COS_AES_BLOCK];
    pattern(key, sizeof key, 0x00, 0x01);
    pattern(plain, sizeof plain, 0x00, 0x11);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t n = cases[i].key_length;
        EXPECT_OK(crypto->aes_encrypt(crypto->context, key, n, plain, out));
        EXPECT(equal(out, cases[i].cipher, sizeof out));
        EXPECT_OK(crypto->aes_decrypt(crypto->context, key, n, cases[i].cipher, out));
        EXPECT(equal(out, plain, sizeof out));
    }
    return COS_OK;
}

/* The key and the first 40 bytes of the message that SP 800-38A appendix F and SP 800-38B appendix
 * D share. */
static const uint8_t sp800_38_key[16] = {0x2B, 0x7E, 0x15, 0x16, 0x28, 0xAE, 0xD2, 0xA6,
                                         0xAB, 0xF7, 0x15, 0x88, 0x09, 0xCF, 0x4F, 0x3C};
static const uint8_t sp800_38_text[40] = {
    0x6B, 0xC1, 0xBE, 0xE2, 0x2E, 0x40, 0x9F, 0x96, 0xE9, 0x3D, 0x7E, 0x11, 0x73, 0x93,
    0x17, 0x2A, 0xAE, 0x2D, 0x8A, 0x57, 0x1E, 0x03, 0xAC, 0x9C, 0x9E, 0xB7, 0x6F, 0xAC,
    0x45, 0xAF, 0x8E, 0x51, 0x30, 0xC8, 0x1C, 0x46, 0xA3, 0x5C, 0xE4, 0x11};

/* SP 800-38A F.2.1 and F.2.2: IV 00 01 02 ..., the first two blocks, so that chaining shows. */
static enum cos_result test_aes_cbc(const struct cos_crypto *crypto)
{
    static const uint8_t cipher[32] = {0x76, 0x49, 0xAB, 0xAC, 0x81, 0x19, 0xB2, 0x46,
                                       0xCE, 0xE9, 0x8E, 0x9B, 0x12, 0xE9, 0x19, 0x7D,
                                       0x50, 0x86, 0xCB, 0x9B, 0x50, 0x72, 0x19, 0xEE,
                                       0x95, 0xDB, 0x11, 0x3A, 0x91, 0x76, 0x78, 0xB2};
    uint8_t iv[COS_AES_BLOCK], out[sizeof cipher];
    pattern(iv, sizeof iv, 0x00, 0x01);
    EXPECT_OK(crypto->aes_cbc_encrypt(crypto->context, sp800_38_key, sizeof sp800_38_key, iv,
                                      sp800_38_text, out, sizeof out));
    EXPECT(equal(out, cipher, sizeof out));
    EXPECT_OK(crypto->aes_cbc_decrypt(crypto->context, sp800_38_key, sizeof sp800_38_key, iv,
                                      cipher, out, sizeof out));
    EXPECT(equal(out, sp800_38_text, sizeof out));
    return COS_OK;
}

/* SP 800-38B D.1, examples 2 and 3: a last block that is full (K1) and one that is not (K2), the
 * latter in two parts that meet inside a block. */
static enum cos_result test_aes_cmac(const struct cos_crypto *crypto)
{
    static const uint8_t full[COS_AES_BLOCK] = {0x07, 0x0A, 0x16, 0xB4, 0x6B, 0x4D, 0x41, 0x44,
                                                0xF7, 0x9B, 0xDD, 0x9D, 0xD0, 0x4A, 0x28, 0x7C};
    static const uint8_t partial[COS_AES_BLOCK] = {0xDF, 0xA6, 0x67, 0x47, 0xDE, 0x9A, 0xE6, 0x30,
                                                   0x30, 0xCA, 0x32, 0x61, 0x14, 0x97, 0xC8, 0x27};
    const struct cos_span one = {sp800_38_text, 16};
    const struct cos_span two[] = {{sp800_38_text, 13},
                                   {sp800_38_text + 13, sizeof sp800_38_text - 13}};
    uint8_t mac[COS_AES_BLOCK];
    EXPECT_OK(crypto->aes_cmac(crypto->context, sp800_38_key, sizeof sp800_38_key, &one, 1, mac));
    EXPECT(equal(mac, full, sizeof mac));
    EXPECT_OK(crypto->aes_cmac(crypto->context, sp800_38_key, sizeof sp800_38_key, two, 2, mac));
    EXPECT(equal(mac, partial, sizeof mac));
    return COS_OK;
}

/* RFC 3610 section 8, packet vector 1: 13-byte nonce, 8-byte tag, data of one block and a half. */
static enum cos_result test_aes_ccm(const struct cos_crypto *crypto)
{
    static const uint8_t nonce[COS_CCM_NONCE] = {0x00, 0x00, 0x00, 0x03, 0x02, 0x01, 0x00,
                                                 0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5};
    static const uint8_t cipher[23] = {0x58, 0x8C, 0x97, 0x9A, 0x61, 0xC6, 0x63, 0xD2,
                                       0xF0, 0x66, 0xD0, 0xC2, 0xC0, 0xF9, 0x89, 0x80,
                                       0x6D, 0x5F, 0x6B, 0x61, 0xDA, 0xC3, 0x84};
    static const uint8_t good_tag[COS_CCM_TAG] = {0x17, 0xE8, 0xD1, 0x2C, 0xFD, 0xF9, 0x26, 0xE0};
    uint8_t key[16], associated[8], plain[sizeof cipher], data[sizeof cipher], tag[COS_CCM_TAG];
    pattern(key, sizeof key, 0xC0, 0x01);
    pattern(associated, sizeof associated, 0x00, 0x01);
    pattern(plain, sizeof plain, 0x08, 0x01);
    memcpy(data, plain, sizeof data);
    EXPECT_OK(crypto->aes_ccm_seal(crypto->context, key, sizeof key, nonce, associated,
                                   sizeof associated, data, sizeof data, tag));
    EXPECT(equal(data, cipher, sizeof data) && equal(tag, good_tag, sizeof tag));
    memset(tag, 0, sizeof tag);
    memcpy(data, cipher, sizeof data);
    EXPECT_OK(crypto->aes_ccm_open(crypto->context, key, sizeof key, nonce, associated,
                                   sizeof associated, data, sizeof data, tag));
    EXPECT(equal(data, plain, sizeof data) && equal(tag, good_tag, sizeof tag));
    return COS_OK;
}

/* SP 800-108r1 counter mode: no published vector has this form with a label and a context, so this
 * one was computed with OpenSSL 3.0 (KBKDF, CMAC AES-128): the key of SP 800-38B, label "label",
 * context "context", two blocks and a half. */
static enum cos_result test_kdf(const struct cos_crypto *crypto)
{
    static const uint8_t label[] = {'l', 'a', 'b', 'e', 'l'};
    static const uint8_t context[] = {'c', 'o', 'n', 't', 'e', 'x', 't'};
    static const uint8_t good[40] = {0xA3, 0x00, 0xFC, 0xB7, 0x65, 0xB3, 0x9D, 0x16, 0xA5, 0xB4,
                                     0xB1, 0xE3, 0x2F, 0x81, 0x27, 0x65, 0xBB, 0xD0, 0xEB, 0xC9,
                                     0xF4, 0x03, 0x62, 0x7D, 0xEC, 0x52, 0x87, 0x9D, 0x8B, 0xD3,
                                     0xD7, 0x34, 0x6C, 0x88, 0xD2, 0x4A, 0xC7, 0xF0, 0xAB, 0x30};
    uint8_t out[sizeof good];
    EXPECT_OK(cos_kdf(crypto, sp800_38_key, sizeof sp800_38_key, SPAN(label), SPAN(context), out,
                      sizeof out));
    EXPECT(equal(out, good, sizeof out));
    return COS_OK;
}

/* GlobalPlatform Amendment D 4.1.5, a vector in public use: zero key and context, constant 01, 256
 * bits (tests/vectors/gp-scp03.txt, KDF 1). */
static enum cos_result test_kdf_scp03(const struct cos_crypto *crypto)
{
    static const uint8_t zero[16] = {0};
    static const uint8_t good[32] = {0x32, 0x9C, 0x87, 0x38, 0x94, 0x71, 0x7F, 0x6D,
                                     0x54, 0x5C, 0x75, 0x5D, 0x17, 0x5A, 0xE7, 0xEC,
                                     0xDA, 0xB0, 0x85, 0xDE, 0x25, 0x92, 0xFC, 0x3B,
                                     0x92, 0x18, 0xA7, 0xFD, 0x77, 0x00, 0x5E, 0x31};
    uint8_t out[sizeof good];
    EXPECT_OK(cos_kdf_scp03(crypto, zero, sizeof zero, 0x01, SPAN(zero), out, sizeof out));
    EXPECT(equal(out, good, sizeof out));
    return COS_OK;
}

/* SP 800-67 appendix B.1: three different keys, the first block of "The qufck brown fox jump". */
static enum cos_result test_des3(const struct cos_crypto *crypto)
{
    static const uint8_t key[24] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF,
                                    0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 0x01,
                                    0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 0x01, 0x23};
    static const uint8_t plain[COS_DES_BLOCK] = {'T', 'h', 'e', ' ', 'q', 'u', 'f', 'c'};
    static const uint8_t cipher[COS_DES_BLOCK] = {0xA8, 0x26, 0xFD, 0x8C, 0xE5, 0x3B, 0x85, 0x5F};
    uint8_t out[COS_DES_BLOCK];
    EXPECT_OK(crypto->des3_encrypt(crypto->context, key, plain, out));
    EXPECT(equal(out, cipher, sizeof out));
    EXPECT_OK(crypto->des3_decrypt(crypto->context, key, cipher, out));
    EXPECT(equal(out, plain, sizeof out));
    return COS_OK;
}

/* FIPS 180 examples: "abc", and the 56-byte message, whose padding takes a second block, in two
 * parts. */
static enum cos_result test_sha256(const struct cos_crypto *crypto)
{
    static const uint8_t text[] = {'a', 'b', 'c', 'd', 'b', 'c', 'd', 'e', 'c', 'd', 'e', 'f',
                                   'd', 'e', 'f', 'g', 'e', 'f', 'g', 'h', 'f', 'g', 'h', 'i',
                                   'g', 'h', 'i', 'j', 'h', 'i', 'j', 'k', 'i', 'j', 'k', 'l',
                                   'j', 'k', 'l', 'm', 'k', 'l', 'm', 'n', 'l', 'm', 'n', 'o',
                                   'm', 'n', 'o', 'p', 'n', 'o', 'p', 'q'};
    static const uint8_t short_digest[COS_SHA256_SIZE] = {
        0xBA, 0x78, 0x16, 0xBF, 0x8F, 0x01, 0xCF, 0xEA, 0x41, 0x41, 0x40,
        0xDE, 0x5D, 0xAE, 0x22, 0x23, 0xB0, 0x03, 0x61, 0xA3, 0x96, 0x17,
        0x7A, 0x9C, 0xB4, 0x10, 0xFF, 0x61, 0xF2, 0x00, 0x15, 0xAD};
    static const uint8_t long_digest[COS_SHA256_SIZE] = {
        0x24, 0x8D, 0x6A, 0x61, 0xD2, 0x06, 0x38, 0xB8, 0xE5, 0xC0, 0x26,
        0x93, 0x0C, 0x3E, 0x60, 0x39, 0xA3, 0x3C, 0xE4, 0x59, 0x64, 0xFF,
        0x21, 0x67, 0xF6, 0xEC, 0xED, 0xD4, 0x19, 0xDB, 0x06, 0xC1};
    const struct cos_span abc = {text, 3};
    const struct cos_span two[] = {{text, 21}, {text + 21, sizeof text - 21}};
    uint8_t digest[COS_SHA256_SIZE];
    EXPECT_OK(crypto->sha256(crypto->context, &abc, 1, digest));
    EXPECT(equal(digest, short_digest, sizeof digest));
    EXPECT_OK(crypto->sha256(crypto->context, two, 2, digest));
    EXPECT(equal(digest, long_digest, sizeof digest));
    return COS_OK;
}

/* RFC 4231, test cases 2 and 6: a key shorter and one longer than a block; the former's text in two
 * parts. */
static enum cos_result test_hmac(const struct cos_crypto *crypto)
{
    static const uint8_t key[] = {'J', 'e', 'f', 'e'};
    static const uint8_t text[] = "what do ya want for nothing?";
    static const uint8_t long_key_text[] = "Test Using Larger Than Block-Size Key - Hash Key First";
    static const uint8_t good[COS_SHA256_SIZE] = {0x5B, 0xDC, 0xC1, 0x46, 0xBF, 0x60, 0x75, 0x4E,
                                                  0x6A, 0x04, 0x24, 0x26, 0x08, 0x95, 0x75, 0xC7,
                                                  0x5A, 0x00, 0x3F, 0x08, 0x9D, 0x27, 0x39, 0x83,
                                                  0x9D, 0xEC, 0x58, 0xB9, 0x64, 0xEC, 0x38, 0x43};
    static const uint8_t long_key_good[COS_SHA256_SIZE] = {
        0x60, 0xE4, 0x31, 0x59, 0x1E, 0xE0, 0xB6, 0x7F, 0x0D, 0x8A, 0x26,
        0xAA, 0xCB, 0xF5, 0xB7, 0x7F, 0x8E, 0x0B, 0xC6, 0x21, 0x37, 0x28,
        0xC5, 0x14, 0x05, 0x46, 0x04, 0x0F, 0x0E, 0xE3, 0x7F, 0x54};
    const struct cos_span parts[] = {{text, 5}, {text + 5, sizeof text - 1 - 5}};
    const struct cos_span long_key_part = {long_key_text, sizeof long_key_text - 1};
    uint8_t long_key[131], mac[COS_SHA256_SIZE];
    memset(long_key, 0xAA, sizeof long_key);
    EXPECT_OK(crypto->hmac_sha256(crypto->context, key, sizeof key, parts, 2, mac));
    EXPECT(equal(mac, good, sizeof mac));
    EXPECT_OK(
        crypto->hmac_sha256(crypto->context, long_key, sizeof long_key, &long_key_part, 1, mac));
    EXPECT(equal(mac, long_key_good, sizeof mac));
    return COS_OK;
}

/* NIST CAVP, HMAC_DRBG, SHA-256, no prediction resistance, count 0 of the first set: instantiate,
 * seed again, generate 1,024 bits twice, of which the second count. */
static enum cos_result test_drbg(const struct cos_crypto *crypto)
{
    static const uint8_t entropy_and_nonce[48] = {
        0x06, 0x03, 0x2C, 0xD5, 0xEE, 0xD3, 0x3F, 0x39, 0x26, 0x5F, 0x49, 0xEC,
        0xB1, 0x42, 0xC5, 0x11, 0xDA, 0x9A, 0xFF, 0x2A, 0xF7, 0x12, 0x03, 0xBF,
        0xFA, 0xF3, 0x4A, 0x9C, 0xA5, 0xBD, 0x9C, 0x0D, 0x0E, 0x66, 0xF7, 0x1E,
        0xDC, 0x43, 0xE4, 0x2A, 0x45, 0xAD, 0x3C, 0x6F, 0xC6, 0xCD, 0xC4, 0xDF};
    static const uint8_t entropy_again[32] = {0x01, 0x92, 0x0A, 0x4E, 0x66, 0x9E, 0xD3, 0xA8,
                                              0x5A, 0xE8, 0xA3, 0x3B, 0x35, 0xA7, 0x4A, 0xD7,
                                              0xFB, 0x2A, 0x6B, 0xB4, 0xCF, 0x39, 0x5C, 0xE0,
                                              0x03, 0x34, 0xA9, 0xC9, 0xA5, 0xA5, 0xD5, 0x52};
    static const uint8_t good[128] = {
        0x76, 0xFC, 0x79, 0xFE, 0x9B, 0x50, 0xBE, 0xCC, 0xC9, 0x91, 0xA1, 0x1B, 0x56, 0x35, 0x78,
        0x3A, 0x83, 0x53, 0x6A, 0xDD, 0x03, 0xC1, 0x57, 0xFB, 0x30, 0x64, 0x5E, 0x61, 0x1C, 0x28,
        0x98, 0xBB, 0x2B, 0x1B, 0xC2, 0x15, 0x00, 0x02, 0x09, 0x20, 0x8C, 0xD5, 0x06, 0xCB, 0x28,
        0xDA, 0x2A, 0x51, 0xBD, 0xB0, 0x38, 0x26, 0xAA, 0xF2, 0xBD, 0x23, 0x35, 0xD5, 0x76, 0xD5,
        0x19, 0x16, 0x08, 0x42, 0xE7, 0x15, 0x8A, 0xD0, 0x94, 0x9D, 0x1A, 0x9E, 0xC3, 0xE6, 0x6E,
        0xA1, 0xB1, 0xA0, 0x64, 0xB0, 0x05, 0xDE, 0x91, 0x4E, 0xAC, 0x2E, 0x9D, 0x4F, 0x2D, 0x72,
        0xA8, 0x61, 0x6A, 0x80, 0x22, 0x54, 0x22, 0x91, 0x82, 0x50, 0xFF, 0x66, 0xA4, 0x1B, 0xD2,
        0xF8, 0x64, 0xA6, 0xA3, 0x8C, 0xC5, 0xB6, 0x49, 0x9D, 0xC4, 0x3F, 0x7F, 0x2B, 0xD0, 0x9E,
        0x1E, 0x0F, 0x8F, 0x58, 0x85, 0x93, 0x51, 0x24};
    struct cos_drbg drbg = {.crypto = crypto};
    uint8_t out[sizeof good];
    EXPECT_OK(
        cos_hmac_drbg_instantiate(&drbg, SPAN(entropy_and_nonce), (struct cos_span){NULL, 0}));
    EXPECT_OK(cos_hmac_drbg_reseed(&drbg, SPAN(entropy_again)));
    EXPECT_OK(cos_hmac_drbg_generate(&drbg, out, sizeof out));
    EXPECT_OK(cos_hmac_drbg_generate(&drbg, out, sizeof out));
    EXPECT(equal(out, good, sizeof out));
    return COS_OK;
}

enum cos_result cos_crypto_self_test(const struct cos_crypto *crypto, unsigned which)
{
    static const struct {
        unsigned which;
        enum cos_result (*run)(const struct cos_crypto *crypto);
    } tests[] = {
        {COS_SELF_TEST_AES, test_aes_block}, {COS_SELF_TEST_AES, test_aes_cbc},
        {COS_SELF_TEST_AES, test_aes_cmac},  {COS_SELF_TEST_AES, test_aes_ccm},
        {COS_SELF_TEST_AES, test_kdf},       {COS_SELF_TEST_AES, test_kdf_scp03},
        {COS_SELF_TEST_DES3, test_des3},     {COS_SELF_TEST_SHA256, test_sha256},
        {COS_SELF_TEST_SHA256, test_hmac},   {COS_SELF_TEST_SHA256, test_drbg},
    };
    /* What there is no test for has not passed one. */
    EXPECT((which & ~(COS_SELF_TEST_AES | COS_SELF_TEST_DES3 | COS_SELF_TEST_SHA256)) == 0);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        if ((which & tests[i].which) != 0) {
            COS_TRY(tests[i].run(crypto));
        }
    }
    return COS_OK;
}
