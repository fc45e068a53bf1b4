/* SPDX-License-Identifier: Apache-2.0
 *
 * PUT KEY, DELETE (key) and key information (GPCS 11.8, 11.2, 11.3.3.1): every malformed form with
 * its status word, nothing changed, and which sets there are afterwards.
 */
#include "card_table.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEY_INFORMATION "00CA00E000"
#define ONE_SET         "E012 C00401018810 C00402018810 C00403018810"
#define SELECT_5100     "00A4000C 02 5100"
#define AES_KEY         "000102030405060708090A0B0C0D0E0F"

static void make_keys(struct scp03_keys *keys, size_t length, uint8_t seed)
{
    *keys = (struct scp03_keys){.length = length};
    for (size_t i = 0; i < length; i++) {
        keys->enc[i] = (uint8_t)(seed + i * 3);
        keys->mac[i] = (uint8_t)(seed + 0x20 + i * 3);
        keys->dek[i] = (uint8_t)(seed + 0x40 + i * 3);
    }
}

/* ---- PUT KEY ---- */

static void a_new_set_is_answered_with_its_check_values(void **state)
{
    struct bench *bench = *state;
    struct vectors *vectors = vectors_open("gp-scp03.txt");
    const struct vector_section *put = vectors_section(vectors, "PUT KEY data AES128");
    const struct vector_section *trace = vectors_section(vectors, "S8 AES128 level 03");
    struct scp03_keys dek = {.length = 16}, keys = {.length = 16};

    memcpy(dek.enc, vector_exactly(trace, 16, "k_enc"), 16);
    memcpy(dek.mac, vector_exactly(trace, 16, "k_mac"), 16);
    memcpy(dek.dek, vector_exactly(put, 16, "k_dek"), 16);
    memcpy(keys.enc, vector_exactly(put, 16, "new_key0"), 16);
    memcpy(keys.mac, vector_exactly(put, 16, "new_key1"), 16);
    memcpy(keys.dek, vector_exactly(put, 16, "new_key2"), 16);
    bench_session(bench, 0x03);
    assert_int_equal(bench_put_keys(bench, &bench_keys_card, 0x01, 0x02, &dek), 0x9000);
    assert_int_equal(bench_open_keys(bench, &dek, 0x02, 0x03), 0x9000);
    struct cos_span apdu = vector_bytes(put, "put_key_plain_apdu");
    assert_int_equal(bench_sm(bench, 0x80, 0xD8, 0x00, 0x81, apdu.data + 5, apdu.data[4]), 0x9000);
    struct cos_span answer = vector_bytes(put, "put_key_rsp");
    assert_int_equal(bench->length + 2, answer.length);
    assert_memory_equal(bench->data, answer.data, bench->length);
    assert_int_equal(bench_open_keys(bench, &keys, 0x31, 0x03), 0x9000);
    vectors_close(vectors);
}

/* How the data of a good PUT KEY are spoilt: one byte set, bytes cut off or added. */
static const struct {
    const char *what;
    uint8_t p1, p2;
    size_t at;
    int to;    /* -1: the byte is flipped in its lowest bit */
    int extra; /* bytes more or less */
    uint16_t sw;
} spoilt[] = {
    {"P2 00", 0x00, 0x00, 0, 0x02, 0, 0x6A86},
    {"P2 01", 0x00, 0x01, 0, 0x02, 0, 0x6A86},
    {"P2 80", 0x00, 0x80, 0, 0x02, 0, 0x6A86},
    {"P2 82", 0x00, 0x82, 0, 0x02, 0, 0x6A86},
    {"P1 80", 0x80, 0x81, 0, 0x02, 0, 0x6A86},
    {"old version that is not there", 0x05, 0x81, 0, 0x02, 0, 0x6A88},
    {"new version 00", 0x00, 0x81, 0, 0x00, 0, 0x6A80},
    {"new version 80", 0x00, 0x81, 0, 0x80, 0, 0x6A80},
    {"new version FF", 0x00, 0x81, 0, 0xFF, 0, 0x6A80},
    {"new version in use", 0x00, 0x81, 0, 0x01, 0, 0x6A80},
    {"key type 80", 0x00, 0x81, 1, 0x80, 0, 0x6A80},
    {"key type 85", 0x00, 0x81, 1, 0x85, 0, 0x6A80},
    {"length one more", 0x00, 0x81, 2, 0x12, 0, 0x6A80},
    {"length one less", 0x00, 0x81, 2, 0x10, 0, 0x6A80},
    {"length 00", 0x00, 0x81, 2, 0x00, 0, 0x6A80},
    {"key length 0", 0x00, 0x81, 3, 0x00, 0, 0x6A80},
    {"key length 15", 0x00, 0x81, 3, 0x0F, 0, 0x6A80},
    {"key length 24 in 16 bytes", 0x00, 0x81, 3, 0x18, 0, 0x6A80},
    {"key length 32 in 16 bytes", 0x00, 0x81, 3, 0x20, 0, 0x6A80},
    {"cryptogram, first byte", 0x00, 0x81, 4, -1, 0, 0x6A80},
    {"cryptogram, last byte", 0x00, 0x81, 19, -1, 0, 0x6A80},
    {"length of the check value", 0x00, 0x81, 20, 0x02, 0, 0x6A80},
    {"no check value", 0x00, 0x81, 20, 0x00, 0, 0x6A80},
    {"check value, first byte", 0x00, 0x81, 21, -1, 0, 0x6A80},
    {"check value, last byte", 0x00, 0x81, 23, -1, 0, 0x6A80},
    {"second key: type", 0x00, 0x81, 24, 0x80, 0, 0x6A80},
    {"second key: check value", 0x00, 0x81, 46, -1, 0, 0x6A80},
    {"third key: cryptogram", 0x00, 0x81, 50, -1, 0, 0x6A80},
    {"third key: check value, last byte", 0x00, 0x81, 69, -1, 0, 0x6A80},
    {"one byte less", 0x00, 0x81, 0, 0x02, -1, 0x6A80},
    {"two keys", 0x00, 0x81, 0, 0x02, -23, 0x6A80},
    {"one key", 0x00, 0x81, 0, 0x02, -46, 0x6A80},
    {"no key", 0x00, 0x81, 0, 0x02, -69, 0x6A80},
    {"no data", 0x00, 0x81, 0, 0x02, -70, 0x6700},
    {"one byte more", 0x00, 0x81, 0, 0x02, 1, 0x6A80},
    {"four keys", 0x00, 0x81, 0, 0x02, 23, 0x6A80},
    {"replaced: no such byte", 0x01, 0x81, 0, 0x01, -1, 0x6A80},
    {"replaced: check value", 0x01, 0x81, 69, -1, 0, 0x6A80},
};

static void malformed_put_key_changes_nothing(void **state)
{
    struct bench *bench = *state;
    struct scp03_keys keys;
    struct bytes good;
    size_t bad = 0;

    make_keys(&keys, 16, 0x10);
    bench_key_data(&good, &bench_keys_card, 0x02, &keys);
    assert_int_equal(good.length, 70);
    bytes_add(&good, good.data + 47, 23); /* for the row of four keys */
    bench_session(bench, 0x03);
    for (size_t i = 0; i < CARD_COUNT(spoilt); i++) {
        struct bytes data = good;
        struct card_image image;
        uint8_t *byte = data.data + spoilt[i].at;
        *byte = spoilt[i].to < 0 ? *byte ^ 0x01 : (uint8_t)spoilt[i].to;
        card_image_take(bench, &image);
        uint16_t sw = bench_sm(bench, 0x80, 0xD8, spoilt[i].p1, spoilt[i].p2, data.data,
                               (size_t)(70 + spoilt[i].extra));
        bool same = card_image_same(bench, &image);
        if (sw != spoilt[i].sw || !same || bench->length != 0) {
            print_error("%s: %04X%s\n", spoilt[i].what, sw, same ? "" : ", NVM has changed");
            bad++;
        }
    }
    assert_int_equal(bad, 0);
    bench_expect_sm(bench, "00CA00E0", 0x9000, ONE_SET);
    assert_int_equal(bench_put_keys(bench, &bench_keys_card, 0x00, 0x02, &keys), 0x9000);
    bench_session(bench, 0x03); /* the old set is what it was */
    assert_int_equal(bench_open_keys(bench, &keys, 0x02, 0x03), 0x9000);
}

static void keys_of_a_set_have_one_length(void **state)
{
    struct bench *bench = *state;
    struct scp03_keys short_keys, long_keys;
    struct bytes first, second;
    struct card_image image;

    make_keys(&short_keys, 16, 0x10);
    make_keys(&long_keys, 32, 0x10);
    bench_key_data(&first, &bench_keys_card, 0x02, &short_keys);
    bench_key_data(&second, &bench_keys_card, 0x02, &long_keys);
    first.length = 1 + 2 * 23;
    bytes_add(&first, second.data + 1 + 2 * 39, 39);
    bench_session(bench, 0x03);
    card_image_take(bench, &image);
    assert_int_equal(bench_sm(bench, 0x80, 0xD8, 0x00, 0x81, first.data, first.length), 0x6A80);
    assert_true(card_image_same(bench, &image));
}

static void put_key_needs_the_session(void **state)
{
    static const struct card_row rows[] = {
        {"in the clear", "80D80081 01 02", 0x6982, NULL, 0},
        {"no data", "80D80081", 0x6982, NULL, 0},
        {"DELETE in the clear", "80E40000 03 D20101", 0x6982, NULL, 0},
        {"STORE DATA in the clear", "80E28000 04 0A010101", 0x6982, NULL, 0},
        {"STORE DATA in the clear, sensitive", "80E2E000 04 80300101", 0x6982, NULL, 0},
        {"SET STATUS in the clear", "80F0807F", 0x6982, NULL, 0},
        {"ISO class", "00D80081 01 02", 0x6D00, NULL, 0},
    };
    struct bench *bench = *state;

    BENCH_ROWS(bench, rows);
    bench_expect(bench, KEY_INFORMATION, 0x9000, ONE_SET);
}

/* A set that is replaced begins a new life: version, keys, counter; the others are not touched. */
static void a_set_is_replaced(void **state)
{
    struct bench *bench = *state;
    struct scp03_keys keys, other;

    make_keys(&keys, 16, 0x10);
    make_keys(&other, 24, 0x55);
    bench_session(bench, 0x03);
    assert_int_equal(bench_put_keys(bench, &bench_keys_card, 0x00, 0x02, &keys), 0x9000);
    bench_expect(bench, KEY_INFORMATION, 0x9000,
                 "E024 C00401018810 C00402018810 C00403018810"
                 "C00401028810 C00402028810 C00403028810");
    bench_session(bench, 0x03);
    struct card_image image;
    struct bytes data;
    bench_key_data(&data, &bench_keys_card, 0x02, &other);
    card_image_take(bench, &image);
    /* to a version that another set has */
    assert_int_equal(bench_sm(bench, 0x80, 0xD8, 0x01, 0x81, data.data, data.length), 0x6A80);
    assert_true(card_image_same(bench, &image));
    assert_int_equal(bench_put_keys(bench, &bench_keys_card, 0x02, 0x03, &other), 0x9000);
    bench_expect(bench, KEY_INFORMATION, 0x9000,
                 "E024 C00401018810 C00402018810 C00403018810"
                 "C00401038818 C00402038818 C00403038818");
    assert_int_equal(bench_open_keys(bench, &keys, 0x02, 0x03), 0x6A88);
    assert_int_equal(bench_open_keys(bench, &other, 0x03, 0x03), 0x9000);
    bench_session(bench, 0x03);
}

/* Key information of more sets would not fit an answer of the gate: there are three at most. */
static void there_is_room_for_three_sets(void **state)
{
    struct bench *bench = *state;
    struct scp03_keys keys;
    struct card_image image;

    make_keys(&keys, 16, 0x10);
    bench_session(bench, 0x03);
    assert_int_equal(bench_put_keys(bench, &bench_keys_card, 0x00, 0x02, &keys), 0x9000);
    assert_int_equal(bench_put_keys(bench, &bench_keys_card, 0x00, 0x03, &keys), 0x9000);
    struct bytes data;
    bench_key_data(&data, &bench_keys_card, 0x04, &keys);
    card_image_take(bench, &image);
    assert_int_equal(bench_sm(bench, 0x80, 0xD8, 0x00, 0x81, data.data, data.length), 0x6A84);
    assert_true(card_image_same(bench, &image));
    assert_int_equal(bench_put_keys(bench, &bench_keys_card, 0x03, 0x04, &keys), 0x9000);
    bench_expect(bench, KEY_INFORMATION, 0x9000, "E036*");
    assert_int_equal(bench->length, 0x38);
    bench_expect(bench, "80CA010100", 0x9000, CARD_ANY); /* nobody is mute */
    bench_session(bench, 0x03);
}

/* Sets of every length, at both levels, each replacing the one before it. */
static void key_sets_of_every_length(void **state)
{
    struct bench *bench = *state;
    struct scp03_keys sets[3];

    for (size_t i = 0; i < 3; i++) {
        make_keys(&sets[i], 16 + 8 * i, (uint8_t)(0x11 * (i + 1)));
        bench_session(bench, 0x03);
        assert_int_equal(bench_put_keys(bench, &bench_keys_card,
                                        i == 0 ? 0 : (uint8_t)(0x10 + i - 1), (uint8_t)(0x10 + i),
                                        &sets[i]),
                         0x9000);
        assert_int_equal(bench->length, 10);
        for (uint8_t level = 1; level <= 3; level = (uint8_t)(level + 2)) {
            assert_int_equal(bench_open_keys(bench, &sets[i], (uint8_t)(0x10 + i), level), 0x9000);
            bench_expect_sm(bench, SELECT_5100, 0x9000, NULL);
            bench_expect_sm(bench, "80CA0066", 0x9000, CARD_ANY);
        }
        if (i > 0) {
            assert_int_equal(bench_open_keys(bench, &sets[i - 1], (uint8_t)(0x10 + i - 1), 1),
                             0x6A88);
            assert_int_equal(bench_open_keys(bench, &sets[i - 1], (uint8_t)(0x10 + i), 1), 0x6300);
        }
    }
    /* Each new set comes under the DEK of the set in force. */
    struct scp03_keys old = sets[2];
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(bench_open_keys(bench, &old, 0x12, 0x03), 0x9000);
        assert_int_equal(bench_put_keys(bench, &old, 0x12, 0x12, &sets[i]), 0x9000);
        old = sets[i];
    }
}

/* ---- DELETE ---- */

static void delete_of_key_sets(void **state)
{
    static const struct card_row refused_rows[] = {
        {"no data", "80E40000", 0x6700, NULL, CARD_SM},
        {"P1", "80E40100 03 D20102", 0x6A86, NULL, CARD_SM},
        {"P2", "80E40001 03 D20102", 0x6A86, NULL, CARD_SM},
        {"P2 80: and what belongs to it", "80E40080 03 D20102", 0x6A86, NULL, CARD_SM},
        {"an application", "80E40000 0A 4F08A000000151000000", 0x6A88, NULL, CARD_SM},
        {"an empty version", "80E40000 02 D200", 0x6A80, NULL, CARD_SM},
        {"version 00", "80E40000 03 D20100", 0x6A80, NULL, CARD_SM},
        {"version of two bytes", "80E40000 04 D2020102", 0x6A80, NULL, CARD_SM},
        {"version that is not there", "80E40000 03 D20105", 0x6A88, NULL, CARD_SM},
        {"the version in use", "80E40000 03 D20101", 0x6985, NULL, CARD_SM},
        {"a single key of a set", "80E40000 06 D00101 D20102", 0x6A80, NULL, CARD_SM},
        {"key 00", "80E40000 03 D00100", 0x6A80, NULL, CARD_SM},
        {"key of two bytes", "80E40000 04 D0020102", 0x6A80, NULL, CARD_SM},
        {"a key of a set without its version", "80E40000 03 D00101", 0x6A88, NULL, CARD_SM},
        {"a key that is not there", "80E40000 03 D00109", 0x6A88, NULL, CARD_SM},
        {"a local key without an application", "80E40000 03 D00182", 0x6A88, NULL, CARD_SM},
        {"malformed", "80E40000 02 D201", 0x6A80, NULL, CARD_SM},
        {"malformed behind", "80E40000 04 D00101D2", 0x6A80, NULL, CARD_SM},
        {"both sets are there", "00CA00E0", 0x9000, "E024*", CARD_SM | CARD_KEEPS},
    };
    struct bench *bench = *state;
    struct scp03_keys keys;

    make_keys(&keys, 16, 0x10);
    bench_session(bench, 0x03);
    assert_int_equal(bench_put_keys(bench, &bench_keys_card, 0x00, 0x02, &keys), 0x9000);
    BENCH_ROWS(bench, refused_rows);
    bench_expect_sm(bench, "80E40000 03 D20102", 0x9000, NULL);
    bench_expect_sm(bench, "80E40000 03 D20102", 0x6A88, NULL);
    bench_expect_sm(bench, "00CA00E0", 0x9000, ONE_SET);
    assert_int_equal(bench_open_keys(bench, &keys, 0x02, 0x03), 0x6A88);
    bench_session(bench, 0x03);
}

/* One set always remains, whatever the set in use is called by now. */
static void the_set_in_use_cannot_be_deleted(void **state)
{
    struct bench *bench = *state;
    struct scp03_keys keys, next;

    make_keys(&keys, 16, 0x10);
    make_keys(&next, 16, 0x77);
    bench_session(bench, 0x03);
    assert_int_equal(bench_put_keys(bench, &bench_keys_card, 0x01, 0x02, &keys), 0x9000);
    bench_expect_sm(bench, "80E40000 03 D20102", 0x6985, NULL);
    /* and what comes now comes under the new DEK */
    assert_int_equal(bench_put_keys(bench, &keys, 0x02, 0x03, &next), 0x9000);
    bench_expect_sm(bench, "80E40000 03 D20103", 0x6985, NULL);
    assert_int_equal(bench_open_keys(bench, &next, 0x03, 0x03), 0x9000);
}

static void delete_of_a_key(void **state)
{
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    assert_int_equal(bench_store(bench, "8020 1B 830105 800101 950101 C710" AES_KEY), 0x9000);
    bench_expect_sm(bench, "00A4000C 02 5100", 0x9000, NULL);
    bench_expect_sm(bench, "00880082 10" AES_KEY, 0x9000, CARD_ANY);
    bench_expect_sm(bench, "80E40000 03 D00182", 0x9000, NULL);
    bench_expect_sm(bench, "00880082 10" AES_KEY, 0x6A88, NULL);
    bench_expect_sm(bench, "80E40000 03 D00182", 0x6A88, NULL);
    bench_expect_sm(bench, "00880005 10" AES_KEY, 0x9000, CARD_ANY);
    bench_expect_sm(bench, "80E40000 03 D00105", 0x9000, NULL);
    bench_expect_sm(bench, "00880005 10" AES_KEY, 0x6A88, NULL);
    bench_expect_sm(bench, "80E40000 03 D00181", 0x9000, NULL);
    bench_expect(bench, "00200081 06 313233343536", 0x9000, NULL); /* PINs stay */
}

/* A status that came from a deleted key is gone. */
static void a_deleted_key_takes_its_status_along(void **state)
{
    struct bench *bench = *state;
    uint8_t apdu[21] = {0x00, 0x82, 0x00, 0x83, 16};

    bench_select(bench);
    bench_expect(bench, "0084000010", 0x9000, CARD_ANY);
    assert_true(crypto_aes_ecb(bench_external_key, 16, CRYPTO_ENCIPHER, bench->data, 16, apdu + 5));
    assert_int_equal(bench_apdu(bench, apdu, sizeof apdu), 0x9000);
    bench_expect(bench, "00DC0114 10" AES_KEY, 0x9000, NULL);
    bench_session(bench, 0x03);
    bench_expect_sm(bench, "80E40000 03 D00183", 0x9000, NULL);
    bench_expect(bench, "00DC0114 10" AES_KEY, 0x6982, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(a_new_set_is_answered_with_its_check_values),
        CARD_TEST(malformed_put_key_changes_nothing),
        CARD_TEST(keys_of_a_set_have_one_length),
        CARD_TEST(put_key_needs_the_session),
        CARD_TEST(a_set_is_replaced),
        CARD_TEST(there_is_room_for_three_sets),
        CARD_TEST(key_sets_of_every_length),
        CARD_TEST(delete_of_key_sets),
        CARD_TEST(the_set_in_use_cannot_be_deleted),
        CARD_TEST(delete_of_a_key),
        CARD_TEST(a_deleted_key_takes_its_status_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
