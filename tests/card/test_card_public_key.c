/* SPDX-License-Identifier: Apache-2.0
 *
 * Public keys of others: brought by STORE DATA, and what the card does with them: signatures that
 * OpenSSL made are verified, what the card enciphers OpenSSL deciphers. What is no key is refused,
 * and changes nothing.
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

#define PUBLIC_RSA_1024 OF_APPLICATION " 800104 C90110 CE0109 CC0108"
#define PUBLIC_RSA_1536 OF_APPLICATION " 800104 C90118 CE0109 CC0108"
#define PUBLIC_RSA_2048 OF_APPLICATION " 800104 C90120 CE0109 CC0108"
#define PUBLIC_P256     OF_APPLICATION " 800105 C90100 CE0101 CC0108"

/* ---- Import ---- */

static void enter(struct bench *bench)
{
    bench_session(bench, 0x03);
    bench_expect_sm(bench, BENCH_APPLICATION, 0x9000, NULL);
}

static void import_rsa(struct bench *bench, uint8_t key, const struct oracle_rsa *rsa)
{
    const struct crypt_number whole[] = {{0x81, rsa->n, rsa->size}, {0x82, rsa->e, rsa->e_length}};

    enter(bench);
    assert_int_equal(crypt_import(bench, key, whole, 2), 0x9000);
    bench_select(bench);
}

static void assert_is(struct bench *bench, uint8_t key, const struct oracle_rsa *rsa)
{
    struct oracle_rsa read;

    crypt_read_rsa(bench, 0x80 | key, &read);
    assert_int_equal(read.size, rsa->size);
    assert_memory_equal(read.n, rsa->n, rsa->size);
    assert_memory_equal(read.e, rsa->e, rsa->e_length);
    oracle_rsa_free(&read);
}

static void the_key_is_the_one_that_came(void **state)
{
    struct bench *bench = *state;
    struct oracle_rsa rsa;
    uint8_t key[COS_EC_MAX], point[COS_EC_POINT_MAX];

    oracle_rsa_generate(&rsa, 1536, 65537);
    crypt_key(bench, 4, PUBLIC_RSA_1536);
    import_rsa(bench, 4, &rsa);
    assert_is(bench, 4, &rsa);
    bench_reset(bench);
    bench_select(bench);
    assert_is(bench, 4, &rsa);
    oracle_rsa_free(&rsa);

    EVP_PKEY *pkey = oracle_ec_generate(COS_P256, key, point);
    const struct crypt_number number = {0x86, point, 65};
    crypt_key(bench, 5, PUBLIC_P256);
    enter(bench);
    assert_int_equal(crypt_import(bench, 5, &number, 1), 0x9000);
    bench_select(bench);
    EVP_PKEY_free(crypt_read_ec(bench, 0x85, COS_P256));
    assert_memory_equal(bench->data + bench->length - 65, point, 65);
    EVP_PKEY_free(pkey);
}

/* It fits no command: in blocks. */
static void a_modulus_of_4096_bits(void **state)
{
    struct bench *bench = *state;
    struct oracle_rsa rsa;

    oracle_rsa_generate(&rsa, 4096, 65537);
    crypt_key(bench, 4, OF_APPLICATION " 800104 C90140 CE0109 CC0108");
    import_rsa(bench, 4, &rsa);
    assert_is(bench, 4, &rsa);
    oracle_rsa_free(&rsa);
}

/* What does not fit a command comes in blocks; a part of a number is none. */
static void half_a_modulus_is_none(void **state)
{
    struct bench *bench = *state;
    struct oracle_rsa rsa;
    struct card_image image;

    oracle_rsa_generate(&rsa, 2048, 65537);
    const struct crypt_number first = {0x81, rsa.n, 128};
    const struct crypt_number second[] = {{0x81, rsa.n + 128, 128}, {0x82, rsa.e, 3}};
    crypt_key(bench, 4, PUBLIC_RSA_2048);
    enter(bench);
    card_image_take(bench, &image);
    assert_int_equal(crypt_import(bench, 4, &first, 1), 0x6A80);
    assert_int_equal(crypt_import(bench, 4, second, 2), 0x6A80);
    assert_true(card_image_same(bench, &image));
    assert_false(bench_contains(bench->key_memory, sizeof bench->key_memory, rsa.n, 16));
    bench_select(bench);
    import_rsa(bench, 4, &rsa);
    assert_is(bench, 4, &rsa);
    oracle_rsa_free(&rsa);
}

static void no_moduli(void **state)
{
    static const uint8_t three[] = {3}, even[] = {1, 0, 0}, small[] = {0xFF, 0xFF};
    static const uint8_t long_e[] = {1, 0, 0, 0, 1}, leading[] = {0, 1, 0, 1},
                         greatest[] = {0xFF, 0xFF, 0xFF, 0xFF};
    struct bench *bench = *state;
    struct oracle_rsa rsa;
    uint8_t not_odd[128], short_n[128];
    struct card_image image;

    oracle_rsa_generate(&rsa, 1024, 65537);
    memcpy(not_odd, rsa.n, 128);
    not_odd[127] ^= 1;
    memcpy(short_n, rsa.n, 128);
    short_n[0] &= 0x7F;
    const struct {
        const char *what;
        struct crypt_number numbers[3];
        size_t count;
        uint16_t sw;
    } cases[] = {
        {"nothing", {{0}}, 0, 0x6A80},
        {"n short", {{0x81, rsa.n, 127}, {0x82, rsa.e, 3}}, 2, 0x6A80},
        {"n long", {{0x81, rsa.n, 129}, {0x82, rsa.e, 3}}, 2, 0x6A80},
        {"n even", {{0x81, not_odd, 128}, {0x82, rsa.e, 3}}, 2, 0x6A80},
        {"n of 1,023 bits", {{0x81, short_n, 128}, {0x82, rsa.e, 3}}, 2, 0x6A80},
        {"n alone", {{0x81, rsa.n, 128}}, 1, 0x6A80},
        {"e alone", {{0x82, rsa.e, 3}}, 1, 0x6A80},
        {"no n", {{0x81, rsa.n, 0}, {0x82, rsa.e, 3}}, 2, 0x6A80},
        {"no e", {{0x81, rsa.n, 128}, {0x82, rsa.e, 0}}, 2, 0x6A80},
        {"e 3", {{0x81, rsa.n, 128}, {0x82, three, 1}}, 2, 0x6A80},
        {"e 65,535", {{0x81, rsa.n, 128}, {0x82, small, 2}}, 2, 0x6A80},
        {"e even", {{0x81, rsa.n, 128}, {0x82, even, 3}}, 2, 0x6A80},
        {"e of five bytes", {{0x81, rsa.n, 128}, {0x82, long_e, 5}}, 2, 0x6A80},
        {"factors", {{0x92, rsa.p, 64}, {0x93, rsa.q, 64}}, 2, 0x6A80},
        {"a factor with it", {{0x81, rsa.n, 128}, {0x82, rsa.e, 3}, {0x92, rsa.p, 64}}, 3, 0x6A80},
        {"a point", {{0x86, rsa.n, 65}}, 1, 0x6A80},
        {"something else", {{0x81, rsa.n, 128}, {0x82, rsa.e, 3}, {0x87, rsa.n, 1}}, 3, 0x6A80},
        {"half of n", {{0x81, rsa.n, 64}, {0x82, rsa.e, 3}}, 2, 0x6A80},
    };
    crypt_key(bench, 4, PUBLIC_RSA_1024);
    crypt_key(bench, 6, RSA_1024);
    import_rsa(bench, 4, &rsa);
    enter(bench);
    for (size_t i = 0; i < CARD_COUNT(cases); i++) {
        card_image_take(bench, &image);
        const uint16_t sw = crypt_import(bench, 4, cases[i].numbers, cases[i].count);
        if (sw != cases[i].sw || !card_image_same(bench, &image)) {
            fail_msg("%s: %04X", cases[i].what, sw);
        }
    }
    const struct crypt_number whole[] = {{0x81, rsa.n, 128}, {0x82, leading, 4}};
    assert_int_equal(crypt_import(bench, 6, whole, 2), 0x6A80); /* it is a pair */
    assert_int_equal(crypt_import(bench, 9, whole, 2), 0x6A88); /* there is none */
    assert_int_equal(crypt_import(bench, 1, whole, 2), 0x6A80); /* it is symmetric */
    assert_int_equal(crypt_import(bench, 4, whole, 2), 0x9000);
    const struct crypt_number great[] = {{0x81, rsa.n, 128}, {0x82, greatest, 4}};
    assert_int_equal(crypt_import(bench, 4, great, 2), 0x9000);
    oracle_rsa_free(&rsa);
}

static void no_points(void **state)
{
    static const char *const attributes[] = {
        PUBLIC_P256,
        OF_APPLICATION " 800105 C90101 CE0101 CC0108",
        OF_APPLICATION " 800105 C90102 CE0101 CC0108",
    };
    struct bench *bench = *state;

    for (unsigned i = 0; i < COS_CURVES; i++) {
        const enum cos_curve curve = (enum cos_curve)i;
        const size_t size = cos_ec_size(curve), length = 1 + 2 * size;
        uint8_t key[COS_EC_MAX], point[COS_EC_POINT_MAX + 1] = {0}, beside[COS_EC_POINT_MAX];
        uint8_t great[COS_EC_POINT_MAX], compressed[COS_EC_POINT_MAX];
        uint8_t infinity[COS_EC_POINT_MAX] = {0}, zeros[COS_EC_POINT_MAX] = {0x04};
        struct card_image image;
        EVP_PKEY *pkey = oracle_ec_generate(curve, key, point);

        memcpy(beside, point, length);
        beside[length - 1] ^= 1;
        memcpy(great, point, length);
        memset(great + 1, 0xFF, size);
        memcpy(compressed, point, length);
        compressed[0] = 0x02;
        const struct {
            const char *what;
            struct crypt_number number;
        } cases[] = {
            {"beside the curve", {0x86, beside, length}},
            {"coordinate above p", {0x86, great, length}},
            {"compressed", {0x86, compressed, 1 + size}},
            {"compressed, with y", {0x86, compressed, length}},
            {"infinity", {0x86, infinity, 1}},
            {"infinity, long", {0x86, infinity, length}},
            {"zeros", {0x86, zeros, length}},
            {"short", {0x86, point, length - 1}},
            {"long", {0x86, point, length + 1}},
            {"nothing", {0x86, point, 0}},
            {"a private key", {0xC7, key, size}},
            {"a modulus", {0x81, point, size}},
        };
        crypt_key(bench, 4, attributes[i]);
        enter(bench);
        for (size_t j = 0; j < CARD_COUNT(cases); j++) {
            card_image_take(bench, &image);
            const uint16_t sw = crypt_import(bench, 4, &cases[j].number, 1);
            if (sw != 0x6A80 || !card_image_same(bench, &image)) {
                fail_msg("%u, %s: %04X", i, cases[j].what, sw);
            }
        }
        const struct crypt_number good = {0x86, point, length};
        assert_int_equal(crypt_import(bench, 4, &good, 1), 0x9000);
        EVP_PKEY_free(pkey);
    }
}

/* ---- What a key may be ---- */

static void purposes(void **state)
{
    static const struct {
        const char *attributes;
        uint16_t sw;
    } keys[] = {
        {"800104 C90110 CC0108 CE0101", 0x9000},
        {"800104 C90110 CC0108 CE0108", 0x9000},
        {"800104 C90110 CC0108 CE0109", 0x9000},
        {"800104 C90110 CC0108 950102", 0x9000},
        {"800105 C90100 CC0108 CE0101", 0x9000},
        {"800105 C90100 CC0108 950102", 0x9000},
        {"800105 C90100 CC0108 950102 C00103 C50191 CB01C0", 0x9000},
        {"800105 C90100 CC0109 C50191 CE0101", 0x9000}, /* the user is asked for each use */
        {"800105 C90100 CC0109 CE0101", 0x6A80},        /* which user? */
        {"800104 C90110 CC0108", 0x6A80},               /* for nothing */
        {"800104 C90110 CC0108 CE0103", 0x6A80},        /* deciphers */
        {"800105 C90100 CC0108 CE0108", 0x6A80},        /* enciphers with a curve */
        {"800105 C90100 CC0108 CE0104", 0x6A80},        /* agrees */
        {"800105 C90100 CC0108 CE0180", 0x6A80},        /* attests */
        {"800105 C90100 CC0108 950101", 0x6A80},        /* is authenticated by it */
        {"800105 C90100 CC0108 950103", 0x6A80},
        {"800105 C90100 CC0108 950180", 0x6A80},
        {"800105 C90100 CC0108 950102 CE0101", 0x6A80}, /* two purposes */
        {"800105 C90100 CC0108 950102 CA020005", 0x6A80},
        {"800105 C90100 CC0109 950102 C50191", 0x6A80},
        {"800105 C90100 CC010A CE0101", 0x6A80},
        {"800105 C90103 CC0108 CE0101", 0x6A80}, /* no such curve */
        {"800104 C9010E CC0108 CE0101", 0x6A80}, /* too short */
        {"800104 C90142 CC0108 CE0101", 0x6A80}, /* too long */
        {"800105 C90100 CC0108 CE0101 C7200000000000000000000000000000000000000000000000000000000"
         "000000000",
         0x6A80},
        {"800105 C90100 950102", 0x6A80}, /* a pair authenticates nobody */
        {"800101 CC0108 950102 C71000112233445566778899AABBCCDDEEFF", 0x6A80}, /* symmetric */
    };
    struct bench *bench = *state;
    char attributes[200];

    bench_session(bench, 0x03);
    for (size_t i = 0; i < CARD_COUNT(keys); i++) {
        (void)snprintf(attributes, sizeof attributes, OF_APPLICATION " %s", keys[i].attributes);
        const uint16_t sw = crypt_store(bench, 4, attributes);
        if (sw != keys[i].sw) {
            fail_msg("%s: %04X", keys[i].attributes, sw);
        }
    }
}

/* What a public key has no part for. */
static void what_takes_the_private_key_is_refused(void **state)
{
#define DIGEST "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"
    static const struct card_row rows[] = {
        {"set", "0022C1B6 06 800131 840184", 0x9000, NULL, 0},
        {"sign", "002A9E9A 20 " DIGEST "00", 0x6985, NULL, 0},
        {"attest", "002A9E9A 0D 840185 91080011223344556677 00", 0x6985, NULL, 0},
        {"set", "0022C1B8 03 840184", 0x9000, NULL, 0},
        {"decipher", "002A8084 20 " DIGEST "00", 0x6985, NULL, 0},
        {"a checksum", "0022C1B4 03 840184", 0x9000, NULL, 0},
        {"a checksum", "002A8E80 20 " DIGEST "00", 0x6985, NULL, 0},
        {"internal", "00880084 20 " DIGEST "00", 0x6985, NULL, 0},
        {"general, internal", "00860084 26 7C2482008120" DIGEST "00", 0x6985, NULL, 0},
        {"general, agreement", "00860085 26 7C248520" DIGEST "8200 00", 0x6A80, NULL, 0},
        {"external", "00820084 20 " DIGEST, 0x6985, NULL, 0},
        {"generate", "00478000 05 B603840184 00", 0x6985, NULL, 0},
        {"generate", "00478000 05 B603840185 00", 0x6985, NULL, 0},
        {"none is there", "00478100 05 B603840185 00", 0x6984, NULL, 0},
        {"set", "002281B6 06 800100 830185", 0x9000, NULL, 0},
        {"none is there", "002A00A8 64 9A20 " DIGEST "9E40" DIGEST DIGEST, 0x6984, NULL, 0},
    };
    struct bench *bench = *state;
    struct oracle_rsa rsa;

    oracle_rsa_generate(&rsa, 1024, 65537);
    crypt_key(bench, 4, OF_APPLICATION " 800104 C90110 CE0109 CC0108 CB0100");
    import_rsa(bench, 4, &rsa);
    crypt_key(bench, 5, OF_APPLICATION " 800105 C90100 CE0101 CC0108 CB0100");
    BENCH_ROWS(bench, rows);
    /* nobody says of it that it was made here */
    crypt_key(bench, 6, OF_APPLICATION " 800105 C90100 CE0180 CB0100");
    crypt_generate(bench, 0x86);
    crypt_set(bench, 0xB6, 0x86, DEFAULT);
    bench_expect(bench, "002A9E9A 0D 840184 91080011223344556677 00", 0x6985, NULL);
    oracle_rsa_free(&rsa);
}

/* ---- VERIFY DIGITAL SIGNATURE, ENCIPHER ---- */

static void rsa_verifies_and_enciphers(void **state)
{
    static const char *const attributes[] = {PUBLIC_RSA_1024, PUBLIC_RSA_2048};
    struct bench *bench = *state;
    uint8_t digest[32], signature[256], plain[256];
    struct oracle_rsa rsa;
    size_t length;

    crypt_digest(digest, sizeof digest, 3);
    for (unsigned i = 0; i < 2; i++) {
        oracle_rsa_generate(&rsa, 1024 << i, 65537);
        crypt_key(bench, 4, attributes[i]);
        import_rsa(bench, 4, &rsa);
        crypt_set(bench, 0xB6, 0x84, HASH_AND(COS_SHA256, V15));
        oracle_rsa_sign(&rsa, RSA_PKCS1_PADDING, COS_SHA256, digest, signature);
        assert_int_equal(crypt_verify(bench, digest, 32, signature, rsa.size), 0x9000);
        signature[rsa.size - 1] ^= 1;
        assert_int_equal(crypt_verify(bench, digest, 32, signature, rsa.size), 0x6300);
        oracle_rsa_sign(&rsa, RSA_PKCS1_PSS_PADDING, COS_SHA256, digest, signature);
        assert_int_equal(crypt_verify(bench, digest, 32, signature, rsa.size), 0x6300);
        crypt_set(bench, 0xB6, 0x84, HASH_AND(COS_SHA256, PSS));
        assert_int_equal(crypt_verify(bench, digest, 32, signature, rsa.size), 0x9000);
        assert_int_equal(crypt_verify(bench, digest, 32, signature, rsa.size - 1), 0x6A80);

        crypt_set(bench, 0xB8, 0x84, OAEP);
        assert_int_equal(crypt_send(bench, 0x2A, 0x84, 0x80, digest, 32), 0x9000);
        assert_int_equal(bench->length, rsa.size);
        assert_true(oracle_rsa_decrypt(&rsa, RSA_PKCS1_OAEP_PADDING, COS_SHA256,
                                       (struct cos_span){NULL, 0}, bench->data, plain, &length));
        assert_int_equal(length, 32);
        assert_memory_equal(plain, digest, 32);
        oracle_rsa_free(&rsa);
    }
}

static void curves_verify(void **state)
{
    struct bench *bench = *state;
    uint8_t digest[64], signature[2 * COS_EC_MAX], key[COS_EC_MAX], point[COS_EC_POINT_MAX];
    char attributes[64];

    crypt_digest(digest, sizeof digest, 3);
    for (unsigned i = 0; i < COS_CURVES; i++) {
        const enum cos_curve curve = (enum cos_curve)i;
        const size_t size = cos_ec_size(curve);
        EVP_PKEY *pkey = oracle_ec_generate(curve, key, point);
        const struct crypt_number number = {0x86, point, 1 + 2 * size};

        (void)snprintf(attributes, sizeof attributes,
                       OF_APPLICATION " 800105 C901%02X CE0101 CC0108", i);
        crypt_key(bench, 4, attributes);
        enter(bench);
        assert_int_equal(crypt_import(bench, 4, &number, 1), 0x9000);
        bench_select(bench);
        crypt_set(bench, 0xB6, 0x84, DEFAULT);
        oracle_ec_sign(pkey, curve, digest, 48, signature);
        assert_int_equal(crypt_verify(bench, digest, 48, signature, 2 * size), 0x9000);
        digest[0] ^= 1;
        assert_int_equal(crypt_verify(bench, digest, 48, signature, 2 * size), 0x6300);
        digest[0] ^= 1;
        memset(signature, 0, size);
        assert_int_equal(crypt_verify(bench, digest, 48, signature, 2 * size), 0x6300);
        EVP_PKEY_free(pkey);
    }
}

/* Uses are counted, and the rule holds, as for pairs. */
static void uses_of_a_public_key(void **state)
{
    struct bench *bench = *state;
    uint8_t digest[32], signature[64], key[COS_EC_MAX], point[COS_EC_POINT_MAX];
    EVP_PKEY *pkey = oracle_ec_generate(COS_P256, key, point);
    const struct crypt_number number = {0x86, point, 65};

    crypt_key(bench, 4, OF_APPLICATION " 800105 C90100 CE0101 CC0108 C50191 CA020002");
    enter(bench);
    assert_int_equal(crypt_import(bench, 4, &number, 1), 0x9000);
    bench_select(bench);
    crypt_set(bench, 0xB6, 0x84, DEFAULT);
    crypt_digest(digest, sizeof digest, 5);
    oracle_ec_sign(pkey, COS_P256, digest, 32, signature);
    assert_int_equal(crypt_verify(bench, digest, 32, signature, 64), 0x6982);
    bench_expect(bench, "00200081 06 313233343536", 0x9000, NULL);
    assert_int_equal(crypt_verify(bench, digest, 32, signature, 64), 0x9000);
    digest[0] ^= 1;
    assert_int_equal(crypt_verify(bench, digest, 32, signature, 64), 0x6300);
    assert_int_equal(crypt_verify(bench, digest, 32, signature, 64), 0x6984);
    EVP_PKEY_free(pkey);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(the_key_is_the_one_that_came),
        CARD_TEST(a_modulus_of_4096_bits),
        CARD_TEST(half_a_modulus_is_none),
        CARD_TEST(no_moduli),
        CARD_TEST(no_points),
        CARD_TEST(purposes),
        CARD_TEST(what_takes_the_private_key_is_refused),
        CARD_TEST(rsa_verifies_and_enciphers),
        CARD_TEST(curves_verify),
        CARD_TEST(uses_of_a_public_key),
    };

    return cmocka_run_group_tests_name("public keys", tests, NULL, NULL);
}
