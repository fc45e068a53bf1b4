/* SPDX-License-Identifier: Apache-2.0
 *
 * Key pairs from outside: STORE DATA of the private key of a curve, or of the factors of a modulus,
 * made by OpenSSL, which must know its keys again. What is no key is refused, and changes nothing.
 */
#include "crypt_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/rsa.h>

#include "secure_domain/domain.h"

#define APPLICATION "00A4040C 09 F05457494E434F5301"
#define RSA_2048    OF_APPLICATION " 800104 C90120 CE0101 CB0100"

/* A number as a data object. */
struct number {
    uint8_t tag;
    const uint8_t *data;
    size_t length;
};

/* STORE DATA of a key pair's value with these numbers, in the session that is open. */
static uint16_t import(struct bench *bench, uint8_t key, const struct number *numbers, size_t count)
{
    uint8_t data[BENCH_APDU_MAX];
    struct cos_writer writer = cos_writer(data, sizeof data);
    static const uint8_t name[] = {0xF0, 0x54, 0x57, 0x49, 0x4E, 0x43, 0x4F, 0x53, 0x01};

    cos_write16(&writer, 0x8040);
    cos_write8(&writer, 0); /* length */
    cos_tlv_write8(&writer, 0x83, key);
    cos_tlv_write(&writer, 0x84, name, sizeof name);
    for (size_t i = 0; i < count; i++) {
        cos_tlv_write(&writer, numbers[i].tag, numbers[i].data, numbers[i].length);
    }
    assert_true(!writer.failed && writer.length <= 3 + 255);
    data[2] = (uint8_t)(writer.length - 3);
    return bench_sm(bench, 0x80, 0xE2, 0xE0, 0x00, data, writer.length);
}

static void enter(struct bench *bench)
{
    bench_session(bench, 0x03);
    bench_expect_sm(bench, APPLICATION, 0x9000, NULL);
}

static void assert_signs(struct bench *bench, const struct oracle_rsa *rsa)
{
    uint8_t digest[32];

    bench_expect(bench, APPLICATION, 0x9000, NULL);
    crypt_digest(digest, sizeof digest, 7);
    crypt_set(bench, 0xB6, 0x84, HASH_AND(COS_SHA256, V15));
    assert_int_equal(crypt_send(bench, 0x2A, 0x9E, 0x9A, digest, sizeof digest), 0x9000);
    assert_true(oracle_rsa_verify(rsa, RSA_PKCS1_PADDING, COS_SHA256, digest, bench->data));
}

static bool is_generated(const struct bench *bench, uint8_t number)
{
    struct object key;

    assert_int_equal(cos_object_find(&bench->secure, OBJECT_KEY, 1, number, 0, &key), COS_OK);
    return (key.flags & FLAG_GENERATED) != 0;
}

static void factors_in_one_command(void **state)
{
    struct bench *bench = *state;
    struct oracle_rsa rsa, read;

    oracle_rsa_generate(&rsa, 1024, 65537);
    crypt_key(bench, 4, RSA_1024);
    crypt_generate(bench, 0x84);
    assert_true(is_generated(bench, 4));
    enter(bench);
    const struct number both[] = {{0x92, rsa.p, 64}, {0x93, rsa.q, 64}};
    assert_int_equal(import(bench, 4, both, 2), 0x9000);
    assert_false(is_generated(bench, 4));
    bench_expect(bench, APPLICATION, 0x9000, NULL);
    crypt_read_rsa(bench, 0x84, &read);
    assert_memory_equal(read.n, rsa.n, 128);
    assert_signs(bench, &rsa);
    bench_reset(bench);
    assert_signs(bench, &rsa);
    /* the other way round, too */
    enter(bench);
    const struct number swapped[] = {{0x92, rsa.q, 64}, {0x93, rsa.p, 64}};
    assert_int_equal(import(bench, 4, swapped, 2), 0x9000);
    assert_signs(bench, &rsa);
    oracle_rsa_free(&rsa);
    oracle_rsa_free(&read);
}

static void factors_in_two_commands(void **state)
{
    struct bench *bench = *state;
    struct oracle_rsa rsa;

    oracle_rsa_generate(&rsa, 2048, 65537);
    const struct number p = {0x92, rsa.p, 128}, q = {0x93, rsa.q, 128};
    crypt_key(bench, 4, RSA_2048);
    enter(bench);
    assert_int_equal(import(bench, 4, &p, 1), 0x9000);
    assert_int_equal(import(bench, 4, &q, 1), 0x9000);
    assert_signs(bench, &rsa);
    assert_false(bench_contains(bench->key_memory, sizeof bench->key_memory, rsa.p, 16));
    assert_false(bench_contains((const uint8_t *)&bench->app, sizeof bench->app, rsa.p, 16));
    oracle_rsa_free(&rsa);
}

/* The first factor waits for the very next command, in the same session, of the same key. */
static void what_comes_between_ends_it(void **state)
{
    static const char *const between[] = {APPLICATION, "00200081", "00CA00E0",
                                          "80E2E000 06 8030 03 C80190"};
    struct bench *bench = *state;
    struct oracle_rsa rsa;

    oracle_rsa_generate(&rsa, 1024, 65537);
    const struct number p = {0x92, rsa.p, 64}, q = {0x93, rsa.q, 64};
    crypt_key(bench, 4, RSA_1024);
    crypt_key(bench, 5, RSA_1024);
    for (size_t i = 0; i < CARD_COUNT(between); i++) {
        enter(bench);
        assert_int_equal(import(bench, 4, &p, 1), 0x9000);
        (void)bench_sm_hex(bench, between[i]);
        assert_int_equal(import(bench, 4, &q, 1), 0x6985);
        assert_false(bench_contains(bench->key_memory, sizeof bench->key_memory, rsa.p, 16));
    }
    assert_int_equal(import(bench, 4, &q, 1), 0x6985);
    assert_int_equal(import(bench, 4, &p, 1), 0x9000);
    assert_int_equal(import(bench, 5, &q, 1), 0x6985);
    assert_int_equal(import(bench, 4, &q, 1), 0x6985);
    assert_int_equal(import(bench, 4, &p, 1), 0x9000);
    enter(bench);
    assert_int_equal(import(bench, 4, &q, 1), 0x6985);
    assert_int_equal(import(bench, 4, &p, 1), 0x9000);
    bench_expect(bench, APPLICATION, 0x9000, NULL); /* in the clear: the session is over */
    assert_false(bench_contains(bench->key_memory, sizeof bench->key_memory, rsa.p, 16));
    oracle_rsa_free(&rsa);
}

static void no_factors(void **state)
{
    struct bench *bench = *state;
    struct oracle_rsa rsa;
    uint8_t even[64], small[64], composite[64];
    struct card_image image;

    oracle_rsa_generate(&rsa, 1024, 65537);
    memcpy(even, rsa.p, 64);
    even[63] ^= 1;
    memcpy(small, rsa.p, 64);
    small[0] = 0x01;
    memcpy(composite, rsa.p, 64);
    composite[40] ^= 0x10;
    const struct {
        const char *what;
        struct number numbers[3];
        size_t count;
        uint16_t sw;
    } cases[] = {
        {"nothing", {{0}}, 0, 0x6A80},
        {"p short", {{0x92, rsa.p, 63}, {0x93, rsa.q, 64}}, 2, 0x6A80},
        {"q short", {{0x92, rsa.p, 64}, {0x93, rsa.q, 63}}, 2, 0x6A80},
        {"p long", {{0x92, rsa.n, 65}, {0x93, rsa.q, 64}}, 2, 0x6A80},
        {"the same twice", {{0x92, rsa.p, 64}, {0x93, rsa.p, 64}}, 2, 0x6A80},
        {"even", {{0x92, even, 64}, {0x93, rsa.q, 64}}, 2, 0x6A80},
        {"small", {{0x92, small, 64}, {0x93, rsa.q, 64}}, 2, 0x6A80},
        {"composite", {{0x92, composite, 64}, {0x93, rsa.q, 64}}, 2, 0x6A80},
        {"composite q", {{0x92, rsa.p, 64}, {0x93, composite, 64}}, 2, 0x6A80},
        {"a private key", {{0xC7, rsa.p, 64}}, 1, 0x6A80},
        {"with a private key",
         {{0x92, rsa.p, 64}, {0x93, rsa.q, 64}, {0xC7, rsa.p, 32}},
         3,
         0x6A80},
        {"something else", {{0x92, rsa.p, 64}, {0x93, rsa.q, 64}, {0x94, rsa.p, 32}}, 3, 0x6A80},
        {"q alone", {{0x93, rsa.q, 64}}, 1, 0x6985},
    };
    crypt_key(bench, 4, RSA_1024);
    crypt_generate(bench, 0x84);
    enter(bench);
    for (size_t i = 0; i < CARD_COUNT(cases); i++) {
        card_image_take(bench, &image);
        const uint16_t sw = import(bench, 4, cases[i].numbers, cases[i].count);
        if (sw != cases[i].sw || !card_image_same(bench, &image)) {
            fail_msg("%s: %04X", cases[i].what, sw);
        }
    }
    assert_int_equal(import(bench, 9, cases[12].numbers, 1), 0x6A88); /* there is none */
    assert_int_equal(import(bench, 1, cases[12].numbers, 1), 0x6A80); /* it is symmetric */
    oracle_rsa_free(&rsa);
}

static void private_keys_of_curves(void **state)
{
    static const char *const attributes[] = {EC_P256, EC_P384, EC_P521};
    struct bench *bench = *state;

    for (unsigned curve = 0; curve < COS_CURVES; curve++) {
        uint8_t key[COS_EC_MAX], point[COS_EC_POINT_MAX], digest[32], none[COS_EC_MAX] = {0};
        const size_t size = cos_ec_size((enum cos_curve)curve);
        EVP_PKEY *pkey = oracle_ec_generate((enum cos_curve)curve, key, point);
        struct card_image image;

        crypt_key(bench, 4, attributes[curve]);
        enter(bench);
        const struct number bad[] = {{0xC7, key, size - 1}, {0xC7, none, size}, {0x92, key, size}};
        card_image_take(bench, &image);
        for (size_t i = 0; i < CARD_COUNT(bad); i++) {
            assert_int_equal(import(bench, 4, &bad[i], 1), 0x6A80);
        }
        memset(none, 0xFF, sizeof none); /* above the order */
        assert_int_equal(import(bench, 4, &bad[1], 1), 0x6A80);
        assert_true(card_image_same(bench, &image));
        const struct number good = {0xC7, key, size};
        assert_int_equal(import(bench, 4, &good, 1), 0x9000);
        bench_expect(bench, APPLICATION, 0x9000, NULL);
        crypt_set(bench, 0xB6, 0x84, DEFAULT);
        crypt_digest(digest, sizeof digest, curve);
        assert_int_equal(crypt_send(bench, 0x2A, 0x9E, 0x9A, digest, sizeof digest), 0x9000);
        assert_true(
            oracle_ec_verify(pkey, (enum cos_curve)curve, digest, sizeof digest, bench->data));
        assert_false(is_generated(bench, 4));
        EVP_PKEY_free(pkey);
    }
}

/* It is an issuer's command, in a command of its own. */
static void who_may_import(void **state)
{
    struct bench *bench = *state;
    uint8_t key[COS_EC_MAX], point[COS_EC_POINT_MAX];
    EVP_PKEY *pkey = oracle_ec_generate(COS_P256, key, point);
    const struct number good = {0xC7, key, 32};

    crypt_key(bench, 4, EC_P256);
    bench_session(bench, 0x01); /* without encipherment */
    assert_int_equal(import(bench, 4, &good, 1), 0x6982);
    bench_expect(bench, "80E2E000 0A 8040 07 830104 C7023031", 0x6982, NULL);
    enter(bench);
    assert_int_equal(bench_store(bench, "8040 05 830104 C700 8030 03 C80190"), 0x6A88);
    EVP_PKEY_free(pkey);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(factors_in_one_command),     CARD_TEST(factors_in_two_commands),
        CARD_TEST(what_comes_between_ends_it), CARD_TEST(no_factors),
        CARD_TEST(private_keys_of_curves),     CARD_TEST(who_may_import),
    };

    return cmocka_run_group_tests_name("import", tests, NULL, NULL);
}
