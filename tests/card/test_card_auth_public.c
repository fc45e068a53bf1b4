/* SPDX-License-Identifier: Apache-2.0
 *
 * EXTERNAL AUTHENTICATE and the external part of GENERAL AUTHENTICATE with public keys: OpenSSL
 * signs the card's challenge.
 *
 * Keys of the access application: 84 the public key, as the tests need it; 87 AES, internal, after
 * external authentication with 84: it tells whether that holds.
 */
#include "crypt_rig.h"

#include "cos/tlv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/rsa.h>

#define WITNESS OF_APPLICATION " 800101 950101 C501A4 C710 000102030405060708090A0B0C0D0E0F"
#define ASK     "00880087 10 00112233445566778899AABBCCDDEEFF 00"
#define P256    OF_APPLICATION " 800105 C90100 950102 CC0108 C0010A"

enum { CHALLENGE = 16 };

static int make_witness(void **state)
{
    card_make(state);
    crypt_key(*state, 7, WITNESS);
    return 0;
}

/* ---- The outside ---- */

/* Key 4 with these attributes and a value whose private part OpenSSL has. */
static EVP_PKEY *make_ec(struct bench *bench, enum cos_curve curve, const char *attributes)
{
    uint8_t key[COS_EC_MAX], point[COS_EC_POINT_MAX];
    EVP_PKEY *pkey = oracle_ec_generate(curve, key, point);
    const struct crypt_number number = {0x86, point, 1 + 2 * cos_ec_size(curve)};

    bench_session(bench, 0x03);
    assert_int_equal(crypt_store(bench, 4, attributes), 0x9000);
    assert_int_equal(crypt_import(bench, 4, &number, 1), 0x9000);
    bench_select(bench);
    return pkey;
}

static void make_rsa(struct bench *bench, struct oracle_rsa *rsa, unsigned bits)
{
    char attributes[64];

    oracle_rsa_generate(rsa, bits, 65537);
    const struct crypt_number whole[] = {{0x81, rsa->n, rsa->size}, {0x82, rsa->e, 3}};
    (void)snprintf(attributes, sizeof attributes,
                   OF_APPLICATION " 800104 C901%02X 950102 CC0108 C0010A", bits / 64);
    bench_session(bench, 0x03);
    assert_int_equal(crypt_store(bench, 4, attributes), 0x9000);
    assert_int_equal(crypt_import(bench, 4, whole, 2), 0x9000);
    bench_select(bench);
}

/* GET CHALLENGE, and its digest. */
static void get_challenge(struct bench *bench, enum cos_hash hash, uint8_t *digest)
{
    bench_expect(bench, "0084000010", 0x9000, CARD_ANY);
    assert_int_equal(bench->length, CHALLENGE);
    assert_int_equal(EVP_Digest(bench->data, CHALLENGE, digest, NULL, oracle_hash(hash), NULL), 1);
}

static void get_signature(struct bench *bench, EVP_PKEY *pkey, uint8_t *signature)
{
    uint8_t digest[32];

    get_challenge(bench, COS_SHA256, digest);
    oracle_ec_sign(pkey, COS_P256, digest, 32, signature);
}

/* EXTERNAL AUTHENTICATE. */
static uint16_t answer(struct bench *bench, uint8_t reference, const uint8_t *signature,
                       size_t length)
{
    uint8_t apdu[BENCH_APDU_MAX] = {0x00, 0x82, 0x00, reference, 0x00};

    cos_put16(apdu + 5, (uint16_t)length);
    memcpy(apdu + 7, signature, length);
    return bench_apdu(bench, apdu, 7 + length);
}

static void assert_authenticated(struct bench *bench, bool is)
{
    bench_expect(bench, ASK, is ? 0x9000 : 0x6982, is ? CARD_ANY : NULL);
}

/* ---- Right signatures ---- */

static void rsa(void **state)
{
    static const unsigned bits[] = {1024, 2048, 4096};
    static const struct {
        uint8_t algorithm;
        int padding;
        enum cos_hash hash;
    } algorithms[] = {
        {DEFAULT, RSA_PKCS1_PADDING, COS_SHA256},
        {V15, RSA_PKCS1_PADDING, COS_SHA256},
        {PSS, RSA_PKCS1_PSS_PADDING, COS_SHA256},
        {HASH_AND(COS_SHA1, DEFAULT), RSA_PKCS1_PADDING, COS_SHA1},
        {HASH_AND(COS_SHA256, PSS), RSA_PKCS1_PSS_PADDING, COS_SHA256},
        {HASH_AND(COS_SHA384, V15), RSA_PKCS1_PADDING, COS_SHA384},
        {HASH_AND(COS_SHA224, PSS), RSA_PKCS1_PSS_PADDING, COS_SHA224},
    };
    struct bench *bench = *state;
    uint8_t digest[COS_HASH_MAX], signature[512];
    struct oracle_rsa key;

    for (size_t i = 0; i < CARD_COUNT(bits); i++) {
        make_rsa(bench, &key, bits[i]);
        for (size_t j = 0; j < CARD_COUNT(algorithms); j++) {
            crypt_set(bench, 0xA4, 0x84, algorithms[j].algorithm);
            get_challenge(bench, algorithms[j].hash, digest);
            oracle_rsa_sign(&key, algorithms[j].padding, algorithms[j].hash, digest, signature);
            assert_int_equal(answer(bench, 0x84, signature, key.size), 0x9000);
            assert_int_equal(bench->length, 0);
            assert_authenticated(bench, true);
            /* the same signature is none of another challenge */
            get_challenge(bench, algorithms[j].hash, digest);
            assert_int_equal(answer(bench, 0x84, signature, key.size), 0x63C9);
            assert_authenticated(bench, false);
        }
        oracle_rsa_free(&key);
    }
}

static void curves(void **state)
{
    struct bench *bench = *state;
    uint8_t digest[COS_HASH_MAX], signature[2 * COS_EC_MAX];
    char attributes[64];

    for (unsigned i = 0; i < COS_CURVES; i++) {
        const enum cos_curve curve = (enum cos_curve)i;
        const size_t length = 2 * cos_ec_size(curve);
        (void)snprintf(attributes, sizeof attributes,
                       OF_APPLICATION " 800105 C901%02X 950102 CC0108 C0010A", i);
        EVP_PKEY *pkey = make_ec(bench, curve, attributes);
        get_challenge(bench, COS_SHA256, digest);
        oracle_ec_sign(pkey, curve, digest, 32, signature);
        assert_int_equal(answer(bench, 0x84, signature, length), 0x9000);
        assert_authenticated(bench, true);
        crypt_set(bench, 0xA4, 0x84, HASH_AND(COS_SHA512, ECDSA));
        get_challenge(bench, COS_SHA512, digest);
        oracle_ec_sign(pkey, curve, digest, 64, signature);
        signature[length - 1] ^= 1;
        assert_int_equal(answer(bench, 0x84, signature, length), 0x63C9);
        assert_authenticated(bench, false);
        get_challenge(bench, COS_SHA512, digest);
        oracle_ec_sign(pkey, curve, digest, 64, signature);
        assert_int_equal(answer(bench, 0x84, signature, length), 0x9000);
        assert_authenticated(bench, true);
        bench_expect(bench, "0022F300", 0x9000, NULL);
        EVP_PKEY_free(pkey);
    }
}

/* The environment names the key, if the command does not. */
static void reference_00(void **state)
{
    struct bench *bench = *state;
    uint8_t signature[64];
    EVP_PKEY *pkey = make_ec(bench, COS_P256, P256);

    get_signature(bench, pkey, signature);
    assert_int_equal(answer(bench, 0x00, signature, 64), 0x6A88);
    bench_expect(bench, "002241A4 03 840184", 0x9000, NULL); /* for being authenticated */
    get_signature(bench, pkey, signature);
    assert_int_equal(answer(bench, 0x00, signature, 64), 0x6A88);
    bench_expect(bench, "002281A4 03 830184", 0x9000, NULL);
    get_signature(bench, pkey, signature);
    assert_int_equal(answer(bench, 0x00, signature, 64), 0x9000);
    assert_authenticated(bench, true);
    bench_expect(bench, "002241A4 03 840187", 0x9000, NULL);
    bench_expect(bench, "00880000 10 00112233445566778899AABBCCDDEEFF 00", 0x9000, CARD_ANY);
    EVP_PKEY_free(pkey);
}

static void under_secure_messaging(void **state)
{
    struct bench *bench = *state;
    uint8_t digest[32], signature[64];
    EVP_PKEY *pkey = make_ec(bench, COS_P256, P256);

    bench_session(bench, 0x33);
    bench_expect_sm(bench, BENCH_APPLICATION, 0x9000, NULL);
    assert_int_equal(bench_sm(bench, 0x00, 0x84, 0x00, 0x00, NULL, 0), 0x9000); /* of 8 bytes */
    memset(signature, 1, sizeof signature);
    assert_int_equal(bench_sm(bench, 0x00, 0x82, 0x00, 0x84, signature, 64), 0x6985);
    bench_expect_sm(bench, "00860084 04 7C028100", 0x9000, CARD_ANY);
    assert_int_equal(bench->length, 4 + CHALLENGE);
    assert_int_equal(EVP_Digest(bench->data + 4, CHALLENGE, digest, NULL, EVP_sha256(), NULL), 1);
    uint8_t response[4 + 64] = {0x7C, 66, 0x82, 64};
    oracle_ec_sign(pkey, COS_P256, digest, 32, response + 4);
    assert_int_equal(bench_sm(bench, 0x00, 0x86, 0x00, 0x84, response, sizeof response), 0x9000);
    bench_expect_sm(bench, "00880087 10 00112233445566778899AABBCCDDEEFF", 0x9000, CARD_ANY);
    EVP_PKEY_free(pkey);
}

/* A signature that does not fit one command comes in a chain. */
static void in_a_chain(void **state)
{
    struct bench *bench = *state;
    uint8_t digest[32], field[8 + 256];
    struct oracle_rsa key;

    make_rsa(bench, &key, 2048);
    bench_session(bench, 0x33);
    bench_expect_sm(bench, BENCH_APPLICATION, 0x9000, NULL);
    for (unsigned i = 0; i < 2; i++) {
        bench_expect_sm(bench, "00860084 04 7C028100", 0x9000, CARD_ANY);
        assert_int_equal(EVP_Digest(bench->data + 4, CHALLENGE, digest, NULL, EVP_sha256(), NULL),
                         1);
        const size_t head = bench_bytes("7C820104 82820100", field, sizeof field);
        oracle_rsa_sign(&key, RSA_PKCS1_PADDING, COS_SHA256, digest, field + head);
        field[263] ^= i == 0;
        assert_int_equal(bench_sm(bench, 0x10, 0x86, 0x00, 0x84, field, 200), 0x9000);
        assert_int_equal(bench_sm(bench, 0x00, 0x86, 0x00, 0x84, field + 200, 64),
                         i == 0 ? 0x63C9 : 0x9000);
    }
    bench_expect_sm(bench, "00880087 10 00112233445566778899AABBCCDDEEFF", 0x9000, CARD_ANY);
    oracle_rsa_free(&key);
}

/* ---- What is refused ---- */

static void wrong_signatures(void **state)
{
    struct bench *bench = *state;
    uint8_t digest[32], signature[64], altered[64];
    EVP_PKEY *pkey = make_ec(bench, COS_P256, P256);

    for (unsigned i = 0; i < 6; i++) {
        get_challenge(bench, COS_SHA256, digest);
        digest[31] ^= i == 0; /* of something else */
        oracle_ec_sign(pkey, COS_P256, digest, 32, signature);
        memcpy(altered, signature, 64);
        switch (i) {
        case 1:
            memset(altered, 0, 32);
            break;
        case 2:
            memset(altered + 32, 0, 32);
            break;
        case 3:
            memset(altered, 0xFF, 64);
            break;
        case 4:
            memcpy(altered, signature + 32, 32);
            memcpy(altered + 32, signature, 32);
            break;
        case 5:
            altered[40] ^= 0x10;
            break;
        default:
            break;
        }
        const uint16_t sw = answer(bench, 0x84, altered, 64);
        if (sw != 0x63C9 - i) {
            fail_msg("%u: %04X", i, sw);
        }
        assert_authenticated(bench, false);
    }
    get_signature(bench, pkey, signature);
    assert_int_equal(answer(bench, 0x84, signature, 64), 0x9000);
    get_signature(bench, pkey, altered);
    assert_int_equal(answer(bench, 0x84, signature, 64), 0x63C9); /* all tries were given back */
    EVP_PKEY_free(pkey);
}

/* Unless tries are asked for, none are counted: wrong answers block nobody's key. */
static void tries_that_are_not_counted(void **state)
{
    struct bench *bench = *state;
    uint8_t signature[64], wrong[64] = {1};
    EVP_PKEY *pkey = make_ec(bench, COS_P256, OF_APPLICATION " 800105 C90100 950102 CC0108");

    for (unsigned i = 0; i < 20; i++) {
        get_signature(bench, pkey, signature);
        assert_int_equal(answer(bench, 0x84, wrong, 64), 0x6300);
        assert_authenticated(bench, false);
    }
    get_signature(bench, pkey, signature);
    assert_int_equal(answer(bench, 0x84, signature, 64), 0x9000);
    assert_authenticated(bench, true);
    EVP_PKEY_free(pkey);
}

static void tries(void **state)
{
    struct bench *bench = *state;
    uint8_t signature[64], wrong[64] = {1};
    EVP_PKEY *pkey = make_ec(bench, COS_P256, P256 " C00102");

    get_signature(bench, pkey, signature);
    assert_int_equal(answer(bench, 0x84, wrong, 64), 0x63C1);
    bench_reset(bench);
    bench_select(bench);
    get_signature(bench, pkey, signature);
    assert_int_equal(answer(bench, 0x84, wrong, 64), 0x63C0);
    get_signature(bench, pkey, signature);
    assert_int_equal(answer(bench, 0x84, signature, 64), 0x6983);
    assert_authenticated(bench, false);
    assert_int_equal(answer(bench, 0x84, signature, 64), 0x6985); /* and the challenge is gone */
    bench_expect(bench, "00860084 04 7C028100 00", 0x9000, CARD_ANY);
    EVP_PKEY_free(pkey);
}

/* A challenge is good for one try, of the very next command. */
static void challenges(void **state)
{
    static const char *const between[] = {BENCH_APPLICATION,         "00200081",
                                          "00A40000023F00",          "0022F300",
                                          "00860084 04 7C028100 00", ASK};
    struct bench *bench = *state;
    uint8_t signature[64], wrong[64] = {1};
    EVP_PKEY *pkey = make_ec(bench, COS_P256, P256);

    assert_int_equal(answer(bench, 0x84, wrong, 64), 0x6985); /* there is none */
    for (size_t i = 0; i < CARD_COUNT(between); i++) {
        get_signature(bench, pkey, signature);
        (void)bench_hex(bench, between[i]);
        bench_select(bench);
        assert_int_equal(answer(bench, 0x84, signature, 64), 0x6985);
    }
    get_signature(bench, pkey, signature);
    assert_int_equal(answer(bench, 0x84, wrong, 64), 0x63C9);
    assert_int_equal(answer(bench, 0x84, signature, 64), 0x6985);
    get_signature(bench, pkey, signature);
    assert_int_equal(answer(bench, 0x84, signature, 64), 0x9000);
    assert_int_equal(answer(bench, 0x84, signature, 64), 0x6985);
    assert_authenticated(bench, true);
    bench_expect(bench, "0084000008", 0x9000, CARD_ANY); /* too short a one */
    assert_int_equal(answer(bench, 0x84, signature, 64), 0x6985);
    EVP_PKEY_free(pkey);
}

/* What is refused before the signature is looked at costs no try, and takes nothing away. */
static void refused_for_nothing(void **state)
{
    struct bench *bench = *state;
    uint8_t signature[65];
    EVP_PKEY *pkey = make_ec(bench, COS_P256, P256 " C00103");
    struct card_image image;

    get_signature(bench, pkey, signature);
    assert_int_equal(answer(bench, 0x84, signature, 64), 0x9000);
    card_image_take(bench, &image);
    get_signature(bench, pkey, signature);
    assert_int_equal(answer(bench, 0x84, signature, 63), 0x6700);
    assert_int_equal(answer(bench, 0x84, signature, 65), 0x6700);
    assert_int_equal(answer(bench, 0x85, signature, 64), 0x6A88);
    crypt_set(bench, 0xA4, 0x84, PSS); /* of no curve */
    get_signature(bench, pkey, signature);
    assert_int_equal(answer(bench, 0x84, signature, 64), 0x6985);
    crypt_set(bench, 0xA4, 0x84, 0x60); /* no such hash function */
    get_signature(bench, pkey, signature);
    assert_int_equal(answer(bench, 0x84, signature, 64), 0x6985);
    crypt_set(bench, 0xA4, 0x84, DEFAULT);
    bench_expect(bench, "00820184 01 00", 0x6A86, NULL);
    assert_authenticated(bench, true);
    assert_true(card_image_same(bench, &image));
    get_signature(bench, pkey, signature);
    signature[0] ^= 1;
    assert_int_equal(answer(bench, 0x84, signature, 64), 0x63C2);
    EVP_PKEY_free(pkey);
    /* none was brought; and its rule */
    crypt_key(bench, 4, P256);
    bench_expect(bench, "0084000010", 0x9000, CARD_ANY);
    assert_int_equal(answer(bench, 0x84, signature, 64), 0x6984);
    pkey = make_ec(bench, COS_P256, P256 " C50191");
    get_signature(bench, pkey, signature);
    assert_int_equal(answer(bench, 0x84, signature, 64), 0x6982);
    bench_expect(bench, "00200081 06 313233343536", 0x9000, NULL);
    get_signature(bench, pkey, signature);
    assert_int_equal(answer(bench, 0x84, signature, 64), 0x9000);
    EVP_PKEY_free(pkey);
}

/* Another value is another key: it was not authenticated. */
static void a_new_value(void **state)
{
    struct bench *bench = *state;
    uint8_t signature[64], key[COS_EC_MAX], point[COS_EC_POINT_MAX];
    EVP_PKEY *pkey = make_ec(bench, COS_P256, P256);
    EVP_PKEY *other = oracle_ec_generate(COS_P256, key, point);
    const struct crypt_number number = {0x86, point, 65};

    get_signature(bench, pkey, signature);
    assert_int_equal(answer(bench, 0x84, signature, 64), 0x9000);
    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00880087 10 00112233445566778899AABBCCDDEEFF", 0x9000, CARD_ANY);
    assert_int_equal(crypt_import(bench, 4, &number, 1), 0x9000);
    bench_expect_sm(bench, "00880087 10 00112233445566778899AABBCCDDEEFF", 0x6982, NULL);
    bench_select(bench);
    get_signature(bench, pkey, signature);
    assert_int_equal(answer(bench, 0x84, signature, 64), 0x63C9);
    get_signature(bench, other, signature);
    assert_int_equal(answer(bench, 0x84, signature, 64), 0x9000);
    EVP_PKEY_free(pkey);
    EVP_PKEY_free(other);
}

/* ---- GENERAL AUTHENTICATE ---- */

static void general(void **state)
{
    struct bench *bench = *state;
    uint8_t digest[32], field[8 + 384];
    struct oracle_rsa key;

    make_rsa(bench, &key, 3072);
    for (unsigned i = 0; i < 3; i++) {
        bench_expect(bench, "00860084 04 7C028100 00", 0x9000, "7C128110*");
        assert_int_equal(EVP_Digest(bench->data + 4, CHALLENGE, digest, NULL, EVP_sha256(), NULL),
                         1);
        const size_t head = bench_bytes("7C820184 82820180", field, sizeof field);
        oracle_rsa_sign(&key, RSA_PKCS1_PADDING, COS_SHA256, digest, field + head);
        field[100] ^= i == 1;
        const uint16_t expected = i == 1 ? 0x63C9 : 0x9000;
        if (i == 2) { /* as EXTERNAL AUTHENTICATE: it was not for that */
            assert_int_equal(answer(bench, 0x84, field + head, key.size), 0x6985);
            break;
        }
        assert_int_equal(crypt_send(bench, 0x86, 0x00, 0x84, field, head + key.size), expected);
        assert_int_equal(bench->length, 0);
        assert_authenticated(bench, i == 0);
        assert_int_equal(crypt_send(bench, 0x86, 0x00, 0x84, field, head + key.size), 0x6985);
    }
    bench_expect(bench, "00860084 04 7C028100 00", 0x9000, CARD_ANY);
    bench_expect(bench, "00860084 06 7C0482020000", 0x6A80, NULL);
    bench_expect(bench, "00860084 04 7C028500", 0x6A80, NULL);
    bench_expect(bench, "00860084 07 7C0582008101FF", 0x6985, NULL); /* it answers nothing */
    oracle_rsa_free(&key);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_witness, card_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rsa),          TEST(curves),
        TEST(reference_00), TEST(under_secure_messaging),
        TEST(in_a_chain),   TEST(wrong_signatures),
        TEST(tries),        TEST(tries_that_are_not_counted),
        TEST(challenges),   TEST(refused_for_nothing),
        TEST(a_new_value),  TEST(general),
    };

    return cmocka_run_group_tests_name("authentication by signature", tests, NULL, NULL);
}
