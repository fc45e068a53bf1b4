/* SPDX-License-Identifier: Apache-2.0
 *
 * Key pairs in the security chip's NVM: what deletion leaves, the chunks that they share with the
 * vault, and what they are bound to.
 */
#include "crypt_rig.h"

#include "secure_domain/domain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SM     CARD_SM
#define DIGEST "000102030405060708090A0B0C0D0E0F10111213"
#define SIGN   "002A9E9A 14 " DIGEST

enum { CHUNKS_P256 = 2, CHUNKS_1024 = 5 }; /* 97 and 452 bytes, 92 to a chunk */

/* ---- Deleting ---- */

static void a_deleted_pair_leaves_nothing(void **state)
{
    struct bench *bench = *state;

    crypt_key(bench, 4, RSA_1024);
    crypt_generate(bench, 0x84);
    crypt_key(bench, 5, EC_P256);
    crypt_generate(bench, 0x85);
    assert_int_equal(crypt_chunks(bench), CHUNKS_1024 + CHUNKS_P256);
    bench_session(bench, 0x03);
    bench_expect_sm(bench, BENCH_APPLICATION, 0x9000, NULL);
    bench_expect_sm(bench, "80E40000 03 D00184", 0x9000, NULL);
    assert_int_equal(crypt_chunks(bench), CHUNKS_P256);
    assert_int_equal(crypt_store(bench, 5, EC_P256), 0x9000); /* empty again */
    assert_int_equal(crypt_chunks(bench), 0);
    bench_select(bench);
    bench_expect(bench, "00478100 05 B603840185", 0x6984, NULL);
    bench_expect(bench, "00478100 05 B603840184", 0x6A88, NULL);
}

static void key_pairs_go_with_their_application(void **state)
{
    static const struct card_row create[] = {
        {"MF", "00A40000 02 3F00", 0x9000, CARD_ANY, SM},
        {"an application", "00E00000 1A 6218 820138 83025155 8405F000000007 8C087F00000000000000",
         0x9000, NULL, SM},
    };
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    BENCH_ROWS(bench, create);
    assert_int_equal(crypt_store(bench, 4, "8405F000000007 800104 C90110 CE0101 CB0100"), 0x9000);
    assert_int_equal(crypt_store(bench, 5, "8405F000000007 800105 C90100 CE0101 CB0100"), 0x9000);
    bench_expect(bench, "00A4040C 05 F000000007", 0x9000, NULL);
    crypt_generate(bench, 0x84);
    crypt_generate(bench, 0x85);
    assert_int_equal(crypt_chunks(bench), CHUNKS_1024 + CHUNKS_P256);
    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A4000C 02 3F00", 0x9000, NULL);
    bench_expect_sm(bench, "00E40000 02 5155", 0x9000, NULL);
    assert_int_equal(crypt_chunks(bench), 0);
}

/* ---- Key pairs and vault files in one place ---- */

enum { FILES = 4, PAIRS = 4, ROUNDS = 160 };

struct shared {
    uint8_t size[FILES]; /* 0: not there */
    EVP_PKEY *pair[PAIRS];
    uint64_t seed;
};

static void turn_file(struct bench *bench, struct shared *shared, unsigned i)
{
    char text[200];

    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A4000C 02 3F00", 0x9000, NULL);
    if (shared->size[i] != 0) {
        (void)snprintf(text, sizeof text, "00E40000 02 516%u", i);
        bench_expect_sm(bench, text, 0x9000, NULL);
        shared->size[i] = 0;
        return;
    }
    shared->size[i] = (uint8_t)(1 + sim_below(&shared->seed, 200));
    (void)snprintf(text, sizeof text, "820101 8302516%u 800200%02X 850102 8C0443C00000", i,
                   shared->size[i]);
    assert_int_equal(bench_create(bench, true, text), 0x9000);
    uint8_t apdu[256] = {0x00, 0xD6, 0x00, 0x00, shared->size[i]};
    (void)snprintf(text, sizeof text, "00A4000C 02 516%u", i);
    bench_expect(bench, "00A4000C 02 3F00", 0x9000, NULL);
    bench_expect(bench, text, 0x9000, NULL);
    memset(apdu + 5, (int)(0xA0 + i), shared->size[i]);
    assert_int_equal(bench_apdu(bench, apdu, 5U + shared->size[i]), 0x9000);
}

static void turn_pair(struct bench *bench, struct shared *shared, unsigned i)
{
    char text[40];

    EVP_PKEY_free(shared->pair[i]);
    shared->pair[i] = NULL;
    bench_select(bench);
    if (sim_below(&shared->seed, 3) != 0) {
        crypt_generate(bench, (uint8_t)(0x84 + i));
        shared->pair[i] = crypt_take_ec(bench, i % 2 == 0 ? COS_P256 : COS_P521);
        return;
    }
    bench_session(bench, 0x03);
    bench_expect_sm(bench, BENCH_APPLICATION, 0x9000, NULL);
    (void)snprintf(text, sizeof text, "80E40000 03 D0018%u", 4 + i);
    bench_expect_sm(bench, text, 0x9000, NULL);
    crypt_key(bench, (uint8_t)(4 + i), i % 2 == 0 ? EC_P256 : EC_P521);
}

static void check_shared(struct bench *bench, const struct shared *shared)
{
    uint8_t digest[20], expected[256];
    unsigned chunks = 0;
    char text[40];

    (void)bench_bytes(DIGEST, digest, sizeof digest);
    for (unsigned i = 0; i < FILES; i++) {
        if (shared->size[i] != 0) {
            bench_expect(bench, "00A4000C 02 3F00", 0x9000, NULL);
            (void)snprintf(text, sizeof text, "00A4000C 02 516%u", i);
            bench_expect(bench, text, 0x9000, NULL);
            assert_int_equal(bench_hex(bench, "00B0000000"), 0x9000);
            memset(expected, (int)(0xA0 + i), shared->size[i]);
            assert_int_equal(bench->length, shared->size[i]);
            assert_memory_equal(bench->data, expected, bench->length);
            chunks += (shared->size[i] + 91U) / 92;
        }
    }
    bench_select(bench);
    for (unsigned i = 0; i < PAIRS; i++) {
        const enum cos_curve curve = i % 2 == 0 ? COS_P256 : COS_P521;
        if (shared->pair[i] != NULL) {
            crypt_set(bench, 0xB6, (uint8_t)(0x84 + i), ECDSA);
            assert_int_equal(bench_hex(bench, SIGN), 0x9000);
            assert_true(
                oracle_ec_verify(shared->pair[i], curve, digest, sizeof digest, bench->data));
            chunks += curve == COS_P256 ? 2 : 3;
        }
    }
    assert_int_equal(crypt_chunks(bench), chunks);
}

static void key_pairs_and_vault_files_share_chunks(void **state)
{
    struct bench *bench = *state;
    struct shared shared = {.seed = 0x53484152};

    for (unsigned i = 0; i < PAIRS; i++) {
        crypt_key(bench, (uint8_t)(4 + i), i % 2 == 0 ? EC_P256 : EC_P521);
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        const unsigned i = (unsigned)sim_below(&shared.seed, FILES + PAIRS);
        if (i < FILES) {
            turn_file(bench, &shared, i);
        } else {
            turn_pair(bench, &shared, i - FILES);
        }
        if (round % 8 == 7) {
            check_shared(bench, &shared);
        }
        if (round % 32 == 31) {
            bench_reset(bench);
        }
    }
    for (unsigned i = 0; i < PAIRS; i++) {
        EVP_PKEY_free(shared.pair[i]);
    }
}

/* ---- Who writes the NVM ---- */

static void write_entry(struct bench *bench, struct object *object)
{
    cos_change_start(&bench->secure);
    cos_object_put_entry(&bench->secure, object);
    assert_int_equal(cos_change_commit(&bench->secure), COS_OK);
}

/* A key pair is sealed with the entry's bytes up to "valid to": with another rule, service or flag
 * it cannot be read, and the chip ends its life until reset. */
static void a_pair_is_bound_to_its_attributes(void **state)
{
    struct bench *bench = *state;
    struct object key, other;

    crypt_key(bench, 5, EC_P256);
    crypt_generate(bench, 0x85);
    assert_int_equal(cos_status_find(&bench->secure, 0, 0x85, OBJECT_KEY, &key), COS_OK);
    const size_t attributes[] = {
        offsetof(struct object, use_rule), offsetof(struct object, change_rule),
        offsetof(struct object, service),  offsetof(struct object, flags),
        offsetof(struct object, level),
    };
    for (size_t i = 0; i < CARD_COUNT(attributes); i++) {
        other = key;
        ((uint8_t *)&other)[attributes[i]] ^= 0x80;
        write_entry(bench, &other);
        bench_reset(bench);
        bench_select(bench);
        bench_expect(bench, "0022C1B6 03 840185", 0x9000, NULL);
        if (attributes[i] == offsetof(struct object, use_rule)) {
            bench_expect(bench, SIGN, 0x6982, NULL); /* 80 is never satisfied */
        }
        assert_int_equal(bench_hex(bench, "00478100 05 B603840185"),
                         0x6F00); /* and counts as an attack */
        assert_int_not_equal(bench->secure.alive, COS_YES);
        bench_reset(bench);
        write_entry(bench, &key);
    }
    bench_reset(bench);
    bench_select(bench);
    bench_expect(bench, "0022C1B6 03 840185", 0x9000, NULL);
    bench_expect(bench, SIGN, 0x9000, CARD_ANY);
}

/* Nor does it serve as another one's. */
static void a_pair_is_bound_to_its_entry(void **state)
{
    struct bench *bench = *state;
    struct object key, other;

    crypt_key(bench, 5, EC_P256);
    crypt_key(bench, 6, EC_P256);
    crypt_generate(bench, 0x85);
    crypt_generate(bench, 0x86);
    assert_int_equal(cos_status_find(&bench->secure, 0, 0x85, OBJECT_KEY, &key), COS_OK);
    assert_int_equal(cos_status_find(&bench->secure, 0, 0x86, OBJECT_KEY, &other), COS_OK);
    other.chunk = key.chunk;
    write_entry(bench, &other);
    bench_expect(bench, "00478100 05 B603840185 00", 0x9000, CARD_ANY);
    assert_int_equal(bench_hex(bench, "00478100 05 B603840186"),
                     0x6F00); /* and counts as an attack */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(a_deleted_pair_leaves_nothing),
        CARD_TEST(key_pairs_go_with_their_application),
        CARD_TEST(key_pairs_and_vault_files_share_chunks),
        CARD_TEST(a_pair_is_bound_to_its_attributes),
        CARD_TEST(a_pair_is_bound_to_its_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
