/* SPDX-License-Identifier: Apache-2.0
 *
 * Attestation: the card's own key says of a key pair that it was made on the chip. The statement is
 * put together here from docs/formats.md and verified by OpenSSL.
 */
#include "crypt_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/rsa.h>
#include <openssl/sha.h>

#define ATTESTS_EC  OF_APPLICATION " 800105 C90100 CE0180 CB0100"
#define ATTESTS_RSA OF_APPLICATION " 800104 C90110 CE0180 CB0100"
#define ZEROS_16    "00000000000000000000000000000000"
#define RANDOM      "0102030405060708090A0B0C0D0E0F10"

/* COMPUTE DIGITAL SIGNATURE of the key that the environment names, over a key and a random. */
static uint16_t attest(struct bench *bench, const char *data)
{
    uint8_t bytes[64];
    const size_t length = bench_bytes(data, bytes, sizeof bytes);

    return crypt_send(bench, 0x2A, 0x9E, 0x9A, bytes, length);
}

/* What the answer is about; global: of no application. Attributes are reference, algorithm, format,
 * usage, service, flags, rule for use, rule for change. */
static void statement(bool global, const char *attributes, const uint8_t *public, size_t length,
                      uint8_t digest[32])
{
    uint8_t bytes[1024];
    size_t at = 0;

    memcpy(bytes, "TwinCOS attestation", 19);
    at = 19;
    memcpy(bytes + at, bench_serial, 8);
    at += 8;
    at +=
        bench_bytes(global ? "00" ZEROS_16 : "09F05457494E434F5301 00000000000000", bytes + at, 17);
    at += bench_bytes(attributes, bytes + at, 8);
    memcpy(bytes + at, public, length);
    at += length;
    at += bench_bytes(RANDOM, bytes + at, 16);
    SHA256(bytes, at, digest);
}

static void a_key_of_a_curve(void **state)
{
    struct bench *bench = *state;
    uint8_t point[65], digest[32];

    crypt_key(bench, 4, ATTESTS_EC);
    crypt_key(bench, 5, EC_P256);
    crypt_generate(bench, 0x84);
    EVP_PKEY *attests = crypt_take_ec(bench, COS_P256);
    crypt_generate(bench, 0x85);
    memcpy(point, bench->data + bench->length - 65, 65);
    crypt_set(bench, 0xB6, 0x84, DEFAULT);
    assert_int_equal(attest(bench, "840185 9110" RANDOM), 0x9000);
    assert_int_equal(bench->length, 64);
    statement(false, "85 05 00 00 01 02 00 00", point, sizeof point, digest);
    assert_true(oracle_ec_verify(attests, COS_P256, digest, 32, bench->data));
    digest[0] ^= 1;
    assert_false(oracle_ec_verify(attests, COS_P256, digest, 32, bench->data));
    /* of itself, too, and of a key that belongs to no application */
    assert_int_equal(attest(bench, "840184 9110" RANDOM), 0x9000);
    crypt_key(bench, 6, "800105 C90100 CE0101 CB0100");
    crypt_generate(bench, 0x06);
    memcpy(point, bench->data + bench->length - 65, 65);
    crypt_set(bench, 0xB6, 0x84, DEFAULT);
    assert_int_equal(attest(bench, "840106 9110" RANDOM), 0x9000);
    statement(true, "06 05 00 00 01 02 00 00", point, sizeof point, digest);
    assert_true(oracle_ec_verify(attests, COS_P256, digest, 32, bench->data));
    EVP_PKEY_free(attests);
}

static void a_modulus(void **state)
{
    struct bench *bench = *state;
    struct oracle_rsa attests, subject;
    uint8_t digest[32], public[132];

    crypt_key(bench, 4, ATTESTS_RSA);
    crypt_key(bench, 5, RSA_1024);
    crypt_generate(bench, 0x84);
    crypt_take_rsa(bench, &attests);
    crypt_generate(bench, 0x85);
    crypt_take_rsa(bench, &subject);
    memcpy(public, subject.n, 128);
    memcpy(public + 128, "\x00\x01\x00\x01", 4);
    statement(false, "85 04 10 00 0B 02 00 00", public, sizeof public, digest);
    static const struct {
        uint8_t algorithm;
        int padding;
    } schemes[] = {{DEFAULT, RSA_PKCS1_PADDING},
                   {HASH_AND(COS_SHA256, V15), RSA_PKCS1_PADDING},
                   {HASH_AND(COS_SHA256, PSS), RSA_PKCS1_PSS_PADDING}};
    for (size_t i = 0; i < CARD_COUNT(schemes); i++) {
        crypt_set(bench, 0xB6, 0x84, schemes[i].algorithm);
        assert_int_equal(attest(bench, "840185 9110" RANDOM), 0x9000);
        assert_true(
            oracle_rsa_verify(&attests, schemes[i].padding, COS_SHA256, digest, bench->data));
        bench_expect(bench, "00A4040C 09 F05457494E434F5301", 0x9000, NULL);
    }
    oracle_rsa_free(&attests);
    oracle_rsa_free(&subject);
}

static void what_is_not_attested(void **state)
{
    static const struct {
        const char *what, *data;
        uint16_t sw;
    } cases[] = {
        {"nothing", "", 0x6A80},
        {"a digest, which it never signs", RANDOM RANDOM, 0x6A80},
        {"no random", "840185", 0x6A80},
        {"a short one", "840185 9107 01020304050607", 0x6A80},
        {"a long one", "840185 9121 00" RANDOM RANDOM, 0x6A80},
        {"the other way round", "9110" RANDOM " 840185", 0x6A80},
        {"something behind", "840185 9110" RANDOM " 8000", 0x6A80},
        {"two references", "84028585 9110" RANDOM, 0x6A80},
        {"no such key", "840189 9110" RANDOM, 0x6A88},
        {"a symmetric key", "840181 9110" RANDOM, 0x6985},
        {"a pair that is empty", "840186 9110" RANDOM, 0x6984},
    };
    struct bench *bench = *state;
    struct card_image image;
    uint8_t key[COS_EC_MAX], point[COS_EC_POINT_MAX], dgi[80];

    crypt_key(bench, 4, ATTESTS_EC);
    crypt_key(bench, 5, EC_P256);
    crypt_key(bench, 6, EC_P256);
    crypt_generate(bench, 0x84);
    crypt_generate(bench, 0x85);
    crypt_set(bench, 0xB6, 0x84, DEFAULT);
    for (size_t i = 0; i < CARD_COUNT(cases); i++) {
        card_image_take(bench, &image);
        const uint16_t sw = attest(bench, cases[i].data);
        if (sw != cases[i].sw || !card_image_same(bench, &image)) {
            fail_msg("%s: %04X", cases[i].what, sw);
        }
    }
    crypt_set(bench, 0xB6, 0x84, HASH_AND(COS_SHA384, ECDSA));
    assert_int_equal(attest(bench, "840185 9110" RANDOM), 0x6985);
    /* imported: it may have been anywhere */
    EVP_PKEY_free(oracle_ec_generate(COS_P256, key, point));
    size_t length = bench_bytes("8040 30 830105 8409F05457494E434F5301 C720", dgi, sizeof dgi);
    memcpy(dgi + length, key, 32);
    bench_session(bench, 0x03);
    assert_int_equal(bench_sm(bench, 0x80, 0xE2, 0xE0, 0x00, dgi, length + 32), 0x9000);
    bench_expect(bench, "00A4040C 09 F05457494E434F5301", 0x9000, NULL);
    crypt_set(bench, 0xB6, 0x84, DEFAULT);
    assert_int_equal(attest(bench, "840185 9110" RANDOM), 0x6985);
    /* a key that attests does nothing else */
    bench_session(bench, 0x03);
    assert_int_equal(crypt_store(bench, 7, OF_APPLICATION " 800105 C90100 CE0181 CB0100"), 0x6A80);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(a_key_of_a_curve),
        CARD_TEST(a_modulus),
        CARD_TEST(what_is_not_attested),
    };

    return cmocka_run_group_tests_name("attest", tests, NULL, NULL);
}
