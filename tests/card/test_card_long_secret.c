/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets that have no room in a slot: HMAC keys of 33 to 64 bytes. They answer what OpenSSL
 * answers, and what they take of the chunks comes and goes with them.
 */
#include "crypt_rig.h"

#include "cos/tlv.h"
#include "secure_domain/domain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/hmac.h>

enum { SHORTEST = 16, LONGEST = 64, IN_SLOT = 32 };

/* Value of a key: length bytes that depend on a seed. */
static void value_of(size_t length, unsigned seed, uint8_t *value)
{
    crypt_digest(value, length, seed);
}

/* DGI 8020: HMAC key of SHA-512, global, for checksums. */
static void add_key(struct cos_writer *data, uint8_t number, size_t length, unsigned seed)
{
    const uint8_t head[] = {0x83, 1, number, 0x80, 1, 3, 0xC9, 1, COS_SHA512, 0xCE, 1, 0x10};
    uint8_t value[LONGEST + 2];

    value_of(length, seed, value);
    cos_write16(data, 0x8020);
    cos_write8(data, (uint8_t)(sizeof head + 2 + length));
    cos_write_bytes(data, head, sizeof head);
    cos_tlv_write(data, 0xC7, value, length);
    assert_false(data->failed);
}

static uint16_t store(struct bench *bench, const struct cos_writer *data)
{
    bench_session(bench, 0x03);
    return bench_sm(bench, 0x80, 0xE2, 0xE0, 0x00, data->data, data->length);
}

static uint16_t store_key(struct bench *bench, uint8_t number, size_t length, unsigned seed)
{
    uint8_t bytes[255];
    struct cos_writer data = cos_writer(bytes, sizeof bytes);

    add_key(&data, number, length, seed);
    return store(bench, &data);
}

/* The key of this number is that value. */
static void expect_key(struct bench *bench, uint8_t number, size_t length, unsigned seed)
{
    static const uint8_t message[] = "what is signed";
    uint8_t value[LONGEST], mac[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    value_of(length, seed, value);
    assert_non_null(HMAC(EVP_sha512(), value, (int)length, message, sizeof message, mac, &size));
    bench_select(bench);
    crypt_set(bench, 0xB4, number, MAC);
    assert_int_equal(crypt_send(bench, 0x2A, 0x8E, 0x80, message, sizeof message), 0x9000);
    assert_int_equal(bench->length, size);
    assert_memory_equal(bench->data, mac, size);
}

static void find(const struct bench *bench, uint8_t number, struct object *key)
{
    assert_int_equal(cos_object_find(&bench->secure, OBJECT_KEY, 0, number, 0, key), COS_OK);
}

/* ---- Lengths ---- */

static void each_length_is_a_key_or_none(void **state)
{
    struct bench *bench = *state;

    for (size_t length = SHORTEST - 1; length <= LONGEST + 2; length++) {
        const bool good = length >= SHORTEST && length <= LONGEST;
        assert_int_equal(store_key(bench, 4, length, (unsigned)length), good ? 0x9000 : 0x6A80);
        if (good) {
            expect_key(bench, 4, length, (unsigned)length);
            assert_int_equal(crypt_chunks(bench), length > IN_SLOT ? 1 : 0);
            bench_reset(bench);
            expect_key(bench, 4, length, (unsigned)length);
        }
    }
    expect_key(bench, 4, LONGEST, LONGEST); /* what was refused replaced nothing */
}

/* ---- Replacing and deleting ---- */

static void a_value_is_replaced_wherever_it_lies(void **state)
{
    static const size_t lengths[] = {16, 64, 33, 32, 48, 64, 17};
    struct bench *bench = *state;
    struct object key;

    for (size_t i = 0; i < CARD_COUNT(lengths); i++) {
        assert_int_equal(store_key(bench, 4, lengths[i], (unsigned)i), 0x9000);
        expect_key(bench, 4, lengths[i], (unsigned)i);
        assert_int_equal(crypt_chunks(bench), lengths[i] > IN_SLOT ? 1 : 0);
        find(bench, 4, &key);
        assert_int_equal(key.length, lengths[i]);
        assert_int_equal(key.size, lengths[i] > IN_SLOT ? lengths[i] : 0);
        assert_int_equal(key.generation, i + 1);
    }
}

static void a_deleted_key_leaves_nothing(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(store_key(bench, 4, 64, 1), 0x9000);
    assert_int_equal(store_key(bench, 5, 64, 2), 0x9000);
    assert_int_equal(crypt_chunks(bench), 2);
    bench_expect_sm(bench, "80E40000 03 D00104", 0x9000, NULL);
    assert_int_equal(crypt_chunks(bench), 1);
    expect_key(bench, 5, 64, 2);
    bench_expect(bench, "0022C1B4 03 840104", 0x6A88, NULL);
}

static void keys_go_with_their_application(void **state)
{
    static const struct card_row create[] = {
        {"MF", "00A40000 02 3F00", 0x9000, CARD_ANY, CARD_SM},
        {"an application", "00E00000 1A 6218 820138 83025155 8405F000000007 8C087F00000000000000",
         0x9000, NULL, CARD_SM},
    };
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    BENCH_ROWS(bench, create);
    assert_int_equal(crypt_store(bench, 4,
                                 "8405F000000007 800101 950180 C730 "
                                 "000102030405060708090A0B0C0D0E0F1011121314151617"
                                 "202122232425262728292A2B2C2D2E2F3031323334353637"),
                     0x9000);
    assert_int_equal(crypt_chunks(bench), 1);
    bench_expect_sm(bench, "00A4000C 02 3F00", 0x9000, NULL);
    bench_expect_sm(bench, "00E40000 02 5155", 0x9000, NULL);
    assert_int_equal(crypt_chunks(bench), 0);
}

static void the_end_of_the_card_is_that_of_its_secrets(void **state)
{
    struct bench *bench = *state;
    struct object key;

    assert_int_equal(store_key(bench, 4, 64, 1), 0x9000);
    assert_int_equal(crypt_chunks(bench), 1);
    bench_expect_sm(bench, "00A4000C 02 3F00", 0x9000, NULL);
    bench_expect_sm(bench, "80F080FF", 0x9000, NULL);
    assert_int_equal(bench->secure.life_cycle, COS_LIFE_TERMINATED);
    assert_int_equal(crypt_chunks(bench), 0);
    find(bench, 4, &key);
    assert_int_not_equal(cos_object_secret(&bench->secure, &key, bench->secure.clear.secret),
                         COS_OK);
}

/* ---- Several of one command ---- */

/* One that has no room in a slot counts as two of the six. */
static void all_of_one_command_or_none(void **state)
{
    static const struct {
        const char *what;
        size_t lengths[7];
        uint16_t sw;
    } rows[] = {
        {"three long ones", {40, 40, 40}, 0x9000},
        {"two long and two short", {33, 16, 33, 16}, 0x9000},
        {"one long and four short", {16, 16, 16, 16, 33}, 0x9000},
        {"six short", {16, 16, 16, 16, 16, 16}, 0x9000},
        {"four long", {33, 33, 33, 33}, 0x6700},
        {"three long and a short one", {33, 33, 33, 16}, 0x6700},
        {"two long and three short", {33, 33, 16, 16, 16}, 0x6700},
        {"one long and five short", {16, 16, 16, 16, 16, 33}, 0x6700},
        {"seven short", {16, 16, 16, 16, 16, 16, 16}, 0x6700},
        {"the last one too long", {40, 16, 65}, 0x6A80},
        {"the last one too short", {40, 40, 15}, 0x6A80},
    };
    struct bench *bench = *state;
    size_t there[7] = {0};

    for (size_t i = 0; i < CARD_COUNT(rows); i++) {
        uint8_t bytes[255], number = 4;
        struct cos_writer data = cos_writer(bytes, sizeof bytes);
        unsigned chunks = 0;
        assert_int_equal(store_key(bench, 4, 16, 100), 0x9000);
        there[0] = 16;
        for (size_t j = 0; j < CARD_COUNT(rows[i].lengths) && rows[i].lengths[j] != 0; j++) {
            add_key(&data, number++, rows[i].lengths[j], (unsigned)(i + j));
        }
        const uint16_t sw = store(bench, &data);
        if (sw != rows[i].sw) {
            fail_msg("%s: %04X", rows[i].what, sw);
        }
        for (uint8_t j = 0; sw == 0x9000 && j < number - 4; j++) {
            there[j] = rows[i].lengths[j];
            expect_key(bench, (uint8_t)(4 + j), there[j], (unsigned)(i + j));
        }
        if (sw != 0x9000) {
            expect_key(bench, 4, 16, 100);
        }
        for (size_t j = 0; j < CARD_COUNT(there); j++) {
            chunks += there[j] > IN_SLOT ? 1 : 0;
        }
        assert_int_equal(crypt_chunks(bench), chunks);
    }
}

/* ---- No chunk is free ---- */

static void they_need_a_chunk(void **state)
{
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A4000C 02 3F00", 0x9000, NULL);
    /* 90 chunks of 92 bytes, but one */
    assert_int_equal(bench_create(bench, true, "820101 83025160 80021FFC 850102 8C0443C00000"),
                     0x9000);
    assert_int_equal(store_key(bench, 4, 64, 1), 0x9000);
    assert_int_equal(store_key(bench, 5, 33, 2), 0x6A84);
    assert_int_equal(store_key(bench, 4, 64, 3), 0x6A84); /* the new one beside the old one */
    expect_key(bench, 4, 64, 1);
    assert_int_equal(store_key(bench, 5, 32, 2), 0x9000);
    assert_int_equal(store_key(bench, 4, 32, 4), 0x9000);
    expect_key(bench, 4, 32, 4);
    assert_int_equal(store_key(bench, 5, 33, 5), 0x9000);
    expect_key(bench, 5, 33, 5);
}

/* ---- Who writes the NVM ---- */

static void write_entry(struct bench *bench, struct object *object)
{
    cos_change_start(&bench->secure);
    cos_object_put_entry(&bench->secure, object);
    assert_int_equal(cos_change_commit(&bench->secure), COS_OK);
}

static void expect_damage(struct bench *bench, uint8_t number)
{
    bench_reset(bench);
    bench_select(bench);
    crypt_set(bench, 0xB4, number, MAC);
    assert_int_equal(crypt_send(bench, 0x2A, 0x8E, 0x80, (const uint8_t *)"abc", 3), 0x6F00);
    assert_int_not_equal(bench->secure.alive, COS_YES);
    bench_reset(bench);
}

static void a_key_is_bound_to_its_attributes_and_entry(void **state)
{
    static const size_t attributes[] = {offsetof(struct object, format),
                                        offsetof(struct object, length),
                                        offsetof(struct object, level)};
    struct bench *bench = *state;
    struct object key, other;

    assert_int_equal(store_key(bench, 4, 64, 1), 0x9000);
    assert_int_equal(store_key(bench, 5, 64, 2), 0x9000);
    find(bench, 4, &key);
    for (size_t i = 0; i < CARD_COUNT(attributes); i++) {
        other = key;
        ((uint8_t *)&other)[attributes[i]] ^= 0x02;
        other.length = other.length > LONGEST ? LONGEST - 2 : other.length;
        write_entry(bench, &other);
        expect_damage(bench, 4);
    }
    find(bench, 5, &other);
    other.chunk = key.chunk;
    write_entry(bench, &other);
    expect_damage(bench, 5);
    write_entry(bench, &key);
    expect_key(bench, 4, 64, 1);
}

/* A chunk that was never written is no key of zeros. */
static void a_blank_chunk_is_no_key(void **state)
{
    struct bench *bench = *state;
    struct object key;

    assert_int_equal(store_key(bench, 4, 64, 1), 0x9000);
    find(bench, 4, &key);
    key.chunk++;
    write_entry(bench, &key);
    expect_damage(bench, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(each_length_is_a_key_or_none),
        CARD_TEST(a_value_is_replaced_wherever_it_lies),
        CARD_TEST(a_deleted_key_leaves_nothing),
        CARD_TEST(keys_go_with_their_application),
        CARD_TEST(the_end_of_the_card_is_that_of_its_secrets),
        CARD_TEST(all_of_one_command_or_none),
        CARD_TEST(they_need_a_chunk),
        CARD_TEST(a_key_is_bound_to_its_attributes_and_entry),
        CARD_TEST(a_blank_chunk_is_no_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
