/* SPDX-License-Identifier: Apache-2.0
 *
 * STORE DATA in blocks (GPCS 11.11.2): a data group that goes over the end of a command is
 * continued by the next one. And RSA keys of 4,096 bits, whose factors do not fit one command:
 * imported and used under secure messaging, in chains.
 */
#include "crypt_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/rsa.h>

#define PIN_5   "8010 0C 830105 C00103 C704 35353535"
#define PIN_6   "8010 0C 830106 C00103 C704 36363636"
#define QUERY_5 "00200005"
#define QUERY_6 "00200006"

enum { SENSITIVE = 0x60, LAST = 0x80 };

static uint16_t block(struct bench *bench, uint8_t p1, uint8_t number, const uint8_t *data,
                      size_t length)
{
    return bench_sm(bench, 0x80, 0xE2, p1 | SENSITIVE, number, data, length);
}

/* Neither PIN is there. */
static void assert_none(struct bench *bench)
{
    bench_expect_sm(bench, QUERY_5, 0x6A88, NULL);
    bench_expect_sm(bench, QUERY_6, 0x6A88, NULL);
}

/* Two groups in two blocks, cut anywhere: what is complete is stored, the rest waits. */
static void groups_over_two_blocks(void **state)
{
    struct bench *bench = *state;
    uint8_t data[64];
    const size_t length = bench_bytes(PIN_5 PIN_6, data, sizeof data);

    for (size_t cut = 1; cut < length; cut++) {
        bench_reset(bench);
        bench_session(bench, 0x33);
        assert_int_equal(block(bench, 0, 0x10, data, cut), 0x9000);
        assert_false(bench_contains((const uint8_t *)&bench->app, sizeof bench->app, "5555", 4));
        assert_int_equal(block(bench, LAST, 0x11, data + cut, length - cut), 0x9000);
        assert_false(bench_contains((const uint8_t *)&bench->secure.held, sizeof bench->secure.held,
                                    "666", 3));
        bench_expect_sm(bench, QUERY_5, 0x63C3, NULL);
        bench_expect_sm(bench, QUERY_6, 0x63C3, NULL);
        bench_expect_sm(bench, "00200005 04 35353535", 0x9000, NULL);
        bench_expect_sm(bench, "00200006 04 36363636", 0x9000, NULL);
    }
}

/* A byte in each block. */
static void a_group_byte_by_byte(void **state)
{
    struct bench *bench = *state;
    uint8_t data[64];
    const size_t length = bench_bytes(PIN_5, data, sizeof data);

    bench_session(bench, 0x33);
    for (size_t i = 0; i < length; i++) {
        bench_expect_sm(bench, i == 0 ? QUERY_5 : QUERY_6, 0x6A88, NULL);
        if (i > 0) { /* the query has ended it: from the beginning */
            for (size_t j = 0; j < i; j++) {
                assert_int_equal(block(bench, 0, (uint8_t)(0xF8 + j), data + j, 1), 0x9000);
            }
        }
        assert_int_equal(block(bench, i + 1 == length ? LAST : 0, (uint8_t)(0xF8 + i), data + i, 1),
                         0x9000);
    }
    bench_expect_sm(bench, "00200005 04 35353535", 0x9000, NULL);
}

/* What is not the next block forgets what waits; what comes then begins in the middle. */
static void what_does_not_continue(void **state)
{
    static const struct {
        const char *what, *between;
        uint8_t p1, number;
    } rows[] = {
        {"the same number", NULL, LAST, 0x10},      {"a number left out", NULL, LAST, 0x12},
        {"not sensitive", NULL, LAST | 0x80, 0x00}, {"a command between", "00840000", LAST, 0x11},
        {"a query between", QUERY_5, LAST, 0x11},
    };
    struct bench *bench = *state;
    uint8_t data[64];
    const size_t length = bench_bytes(PIN_5, data, sizeof data);

    for (size_t i = 0; i < CARD_COUNT(rows); i++) {
        struct card_image image;
        bench_session(bench, 0x33);
        card_image_take(bench, &image);
        assert_int_equal(block(bench, 0, 0x10, data, 9), 0x9000);
        if (rows[i].between != NULL) {
            (void)bench_sm_hex(bench, rows[i].between);
        }
        const uint16_t sw = block(bench, rows[i].p1, rows[i].number, data + 9, length - 9);
        if (sw != 0x6A80 || !card_image_same(bench, &image)) {
            fail_msg("%s: %04X", rows[i].what, sw);
        }
        assert_none(bench);
    }
}

static void what_never_ends(void **state)
{
    struct bench *bench = *state;
    struct card_image image;
    uint8_t data[220] = {0x80, 0x40, 0xFF, 0x02, 0x60};

    bench_session(bench, 0x33);
    card_image_take(bench, &image);
    assert_int_equal(block(bench, LAST, 0, data, 9), 0x6A80); /* the last one must end it */
    assert_int_equal(block(bench, 0, 0, data, 220), 0x9000);
    assert_int_equal(block(bench, 0, 1, data, 220), 0x9000);
    assert_int_equal(block(bench, 0, 2, data, 170), 0x6700); /* more than the chip holds */
    assert_int_equal(block(bench, 0, 3, data, 100), 0x6982);
    assert_true(card_image_same(bench, &image));
    bench_session(bench, 0x33);
    assert_none(bench);
}

/* ---- RSA-4096 ---- */

static size_t write_group(uint8_t *data, size_t capacity, uint8_t tag, const uint8_t *number,
                          size_t length)
{
    static const uint8_t name[] = {0xF0, 0x54, 0x57, 0x49, 0x4E, 0x43, 0x4F, 0x53, 0x01};
    struct cos_writer writer = cos_writer(data, capacity);

    cos_write16(&writer, 0x8040);
    cos_write8(&writer, 0xFF);
    cos_write16(&writer, 0);
    cos_tlv_write8(&writer, 0x83, 4);
    cos_tlv_write(&writer, 0x84, name, sizeof name);
    cos_tlv_write(&writer, tag, number, length);
    assert_false(writer.failed);
    cos_put16(data + 3, (uint16_t)(writer.length - 5));
    return writer.length;
}

static void a_key_of_4096_bits(void **state)
{
    struct bench *bench = *state;
    struct oracle_rsa rsa;
    uint8_t data[600], digest[64], signature[512], message[20];

    oracle_rsa_generate(&rsa, 4096, 65537);
    crypt_key(bench, 4, OF_APPLICATION " 800104 C90140 CE010B CB01C0");
    bench_session(bench, 0x33);
    size_t length = write_group(data, sizeof data, 0x92, rsa.p, 256);
    assert_int_equal(block(bench, 0, 0, data, 200), 0x9000);
    assert_int_equal(block(bench, 0, 1, data + 200, length - 200), 0x9000);
    length = write_group(data, sizeof data, 0x93, rsa.q, 256);
    assert_int_equal(block(bench, 0, 2, data, 100), 0x9000);
    assert_int_equal(block(bench, 0, 3, data + 100, 200 - 100), 0x9000);
    assert_int_equal(block(bench, LAST, 4, data + 200, length - 200), 0x9000);
    assert_false(bench_contains(bench->key_memory, sizeof bench->key_memory, rsa.p, 16));
    assert_false(bench_contains((const uint8_t *)&bench->app, sizeof bench->app, rsa.q, 16));
    assert_false(bench_contains((const uint8_t *)&bench->secure, sizeof bench->secure, rsa.q, 16));

    /* its public part, signatures both ways, and decipherment: all under secure messaging */
    bench_expect_sm(bench, BENCH_APPLICATION, 0x9000, NULL);
    bench_expect_sm(bench, "00478100 05 B603840184", 0x9000, "7F49 820209 81820200*");
    assert_int_equal(bench->length, 526);
    assert_memory_equal(bench->data + 9, rsa.n, 512);
    crypt_digest(digest, sizeof digest, 1);
    static const uint8_t sign_with[] = {0x84, 1, 0x84, 0x80, 1, HASH_AND(COS_SHA512, PSS)};
    static const uint8_t verify_with[] = {0x83, 1, 0x84, 0x80, 1, HASH_AND(COS_SHA512, PSS)};
    static const uint8_t decipher_with[] = {0x84, 1, 0x84, 0x80, 1, HASH_AND(COS_SHA256, OAEP)};
    assert_int_equal(bench_sm(bench, 0, 0x22, 0x41, 0xB6, sign_with, sizeof sign_with), 0x9000);
    assert_int_equal(bench_sm(bench, 0, 0x2A, 0x9E, 0x9A, digest, sizeof digest), 0x9000);
    assert_int_equal(bench->length, sizeof signature);
    memcpy(signature, bench->data, sizeof signature);
    assert_true(oracle_rsa_verify(&rsa, RSA_PKCS1_PSS_PADDING, COS_SHA512, digest, signature));
    struct cos_writer writer = cos_writer(data, sizeof data);
    cos_tlv_write(&writer, 0x9A, digest, sizeof digest);
    cos_tlv_write(&writer, 0x9E, signature, sizeof signature);
    assert_int_equal(bench_sm(bench, 0, 0x22, 0x81, 0xB6, verify_with, sizeof verify_with), 0x9000);
    assert_int_equal(crypt_operate_in_parts(bench, 0x00, 0xA8, data, writer.length), 0x9000);
    data[writer.length - 1] ^= 1;
    assert_int_equal(crypt_operate_in_parts(bench, 0x00, 0xA8, data, writer.length), 0x6300);
    crypt_digest(message, sizeof message, 5);
    data[0] = 0x00;
    oracle_rsa_encrypt(&rsa, RSA_PKCS1_OAEP_PADDING, COS_SHA256, (struct cos_span){NULL, 0},
                       (struct cos_span){message, sizeof message}, data + 1);
    assert_int_equal(bench_sm(bench, 0, 0x22, 0x41, 0xB8, decipher_with, sizeof decipher_with),
                     0x9000);
    assert_int_equal(crypt_operate_in_parts(bench, 0x80, 0x86, data, 513), 0x9000);
    assert_int_equal(bench->length, sizeof message);
    assert_memory_equal(bench->data, message, sizeof message);
    oracle_rsa_free(&rsa);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(groups_over_two_blocks), CARD_TEST(a_group_byte_by_byte),
        CARD_TEST(what_does_not_continue), CARD_TEST(what_never_ends),
        CARD_TEST(a_key_of_4096_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
