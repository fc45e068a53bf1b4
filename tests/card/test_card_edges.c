/* SPDX-License-Identifier: Apache-2.0
 *
 * Values at the edges of the arithmetic, with the provider that the card has: 0, 1, n - 1, n, all
 * ones, points of the card's own, of every length that something begins or ends at, with every
 * operation, algorithm and key. Whatever is answered, nothing mutes the card, and none of it counts
 * as an attack.
 */
#include "crypt_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Keys 4 to 10 of the application. */
static const char *const keys[] = {
    " 800104 C90110 950101 CE010B CB0100",                                  /* RSA */
    " 800105 C90100 950101 CE0105 CB0100",                                  /* P-256 */
    " 800105 C90102 950101 CE0105 CB0100",                                  /* P-521 */
    " 800101 CE010A C710 000102030405060708090A0B0C0D0E0F",                 /* AES, cipher */
    " 800101 CE0130 C710 000102030405060708090A0B0C0D0E0F",                 /* AES, checksum */
    " 800103 C90102 CE0130 C714 000102030405060708090A0B0C0D0E0F10111213",  /* HMAC */
    " 800102 CE010A C718 000102030405060708090A0B0C0D0E0F1011121314151617", /* 3DES, cipher */
};
enum { FIRST_KEY = 4, PAIRS = 3, VALUES = 7, NUMBER_MAX = 133 };

static uint8_t values[VALUES][NUMBER_MAX];
static size_t value_lengths[VALUES];

static void add_value(size_t i, const uint8_t *value, size_t length)
{
    memcpy(values[i], value, length);
    value_lengths[i] = length;
}

/* Bytes of a kind, as many as asked for: numbers that are shorter repeat. */
static void fill(uint8_t *data, size_t length, size_t kind)
{
    for (size_t i = 0; i < length; i++) {
        data[i] = values[kind][i % value_lengths[kind]];
    }
}

static void make_keys(struct bench *bench)
{
    static const uint8_t zero[1] = {0}, ones[1] = {0xFF}, one[2] = {0, 1};
    char attributes[200];
    struct oracle_rsa rsa;
    uint8_t below[128];

    for (size_t i = 0; i < CARD_COUNT(keys); i++) {
        (void)snprintf(attributes, sizeof attributes, OF_APPLICATION "%s", keys[i]);
        crypt_key(bench, (uint8_t)(FIRST_KEY + i), attributes);
        if (i < PAIRS) {
            crypt_generate(bench, (uint8_t)(0x80 + FIRST_KEY + i));
        }
    }
    crypt_read_rsa(bench, 0x84, &rsa);
    memcpy(below, rsa.n, sizeof below);
    below[127]--; /* n is odd */
    add_value(0, zero, sizeof zero);
    add_value(1, ones, sizeof ones);
    add_value(2, one, sizeof one);
    add_value(3, rsa.n, 128);
    add_value(4, below, 128);
    oracle_rsa_free(&rsa);
    for (size_t i = 0; i < 2; i++) {
        const size_t length = i == 0 ? 65 : 133;
        EVP_PKEY_free(crypt_read_ec(bench, (uint8_t)(0x85 + i), i == 0 ? COS_P256 : COS_P521));
        add_value(5 + i, bench->data + bench->length - length, length);
    }
}

static void must_live(struct bench *bench, const char *what, unsigned a, unsigned b, size_t length)
{
    if (bench->app.mute || bench->secure.alive != COS_YES || bench->secure.attacks != 0 ||
        bench->sw == 0x6F00) {
        fail_msg("%s %02X %02X, %zu bytes: %04X", what, a, b, length, bench->sw);
    }
}

static void operations_on_edges(void **state)
{
    static const struct {
        uint8_t template, p1, p2;
    } operations[] = {
        {0xB6, 0x9E, 0x9A}, {0xB6, 0x00, 0xA8}, {0xAA, 0x90, 0x80}, {0xAA, 0x90, 0xA0},
        {0xB8, 0x80, 0x84}, {0xB8, 0x80, 0x86}, {0xB8, 0x84, 0x80}, {0xB8, 0x86, 0x80},
        {0xB4, 0x8E, 0x80}, {0xB4, 0x00, 0xA2},
    };
    static const size_t lengths[] = {0,  1,  8,  15,  16,  17,  20,  28,  32,  48,  63, 64,
                                     65, 66, 96, 127, 128, 129, 132, 133, 192, 255, 300};
    struct bench *bench = *state;
    uint8_t data[300];
    unsigned count = 0;

    make_keys(bench);
    for (size_t key = 0; key < CARD_COUNT(keys); key++) {
        const uint8_t reference = (uint8_t)(0x80 + FIRST_KEY + key);
        for (size_t i = 0; i < CARD_COUNT(operations); i++) {
            for (size_t algorithm = key * 7 + i; algorithm < 0x70; algorithm += 5) {
                crypt_set(bench, operations[i].template, reference, (uint8_t)algorithm);
                const size_t length = lengths[(algorithm + count) % CARD_COUNT(lengths)];
                fill(data, length, count % VALUES);
                (void)crypt_send(bench, 0x2A, operations[i].p1, operations[i].p2, data, length);
                must_live(bench, "PSO", operations[i].p1, operations[i].p2, length);
                count++;
            }
        }
    }
    print_message("# values at the edges: %u operations\n", count);
}

/* Signatures, points and digests as structures, whose parts are at the edges. */
static void structures_of_edges(void **state)
{
    static const uint8_t rules[] = {HASH_AND(COS_SHA256, V15), HASH_AND(COS_SHA256, PSS),
                                    HASH_AND(COS_SHA256, ECDSA), HASH_AND(COS_SHA512, DEFAULT)};
    struct bench *bench = *state;
    uint8_t part[NUMBER_MAX + 1], data[300], digest[64];

    make_keys(bench);
    for (size_t kind = 0; kind < VALUES; kind++) {
        for (size_t key = 0; key < PAIRS; key++) {
            const uint8_t reference = (uint8_t)(0x80 + FIRST_KEY + key);
            static const size_t signatures[] = {128, 64, 132};
            for (size_t i = kind % 3; i < 4 * VALUES; i += 3) {
                const size_t hash = i % 4 == 3 ? 64 : 32;
                crypt_set(bench, 0xB6, reference, rules[i % 4]);
                fill(digest, hash, i / 4);
                fill(part, signatures[key], kind);
                (void)crypt_verify(bench, digest, hash, part, signatures[key]);
                must_live(bench, "VERIFY", (unsigned)kind, (unsigned)i, hash);
                (void)crypt_send(bench, 0x2A, 0x9E, 0x9A, digest, hash);
                must_live(bench, "SIGN", (unsigned)kind, (unsigned)i, 0);
                (void)crypt_send(bench, 0x88, 0x00, reference, digest, 32);
                must_live(bench, "INTERNAL AUTHENTICATE", (unsigned)kind, (unsigned)i, 32);
            }
            /* ECDH with points that are not on the curve, or of the other one. */
            for (size_t length = 63; length <= 133; length += length < 67 ? 1 : 66) {
                struct cos_writer writer = cos_writer(data, sizeof data);
                fill(part + 1, length - 1, kind);
                part[0] = 0x04;
                const size_t template = cos_tlv_open(&writer, 0x7C);
                cos_tlv_write(&writer, 0x85, part, length);
                cos_tlv_close(&writer, template);
                (void)crypt_send(bench, 0x86, 0x00, reference, data, writer.length);
                must_live(bench, "agreement", (unsigned)kind, reference, length);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(operations_on_edges),
        CARD_TEST(structures_of_edges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
