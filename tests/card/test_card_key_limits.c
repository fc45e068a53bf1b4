/* SPDX-License-Identifier: Apache-2.0
 *
 * Where key services end: in a locked card, at the length of what secure messaging takes, with a
 * provider that has not everything, and when a key waits in memory and does not get on.
 */
#include "crypt_rig.h"
#include "gate_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "secure_domain/domain.h"

#define BIND COS_CONTEXT_BIND, 0, 0xF0, 0x54, 0x57, 0x49, 0x4E, 0x43, 0x4F, 0x53, 0x01

static unsigned uses_left(const struct bench *bench, uint8_t number)
{
    struct object key;

    assert_int_equal(cos_object_find(&bench->secure, OBJECT_KEY, 1, number, 0, &key), COS_OK);
    return key.uses_left;
}

/* Whatever the app chip lets through. */
static void a_locked_card_makes_no_keys(void **state)
{
    static const uint8_t bind[] = {BIND};
    struct bench *bench = *state;
    static struct gate_rig rig;
    struct card_image image;

    crypt_key(bench, 7, EC_P256);
    crypt_generate(bench, 0x87);
    bench_session(bench, 0x03);
    bench_expect_sm(bench, "80F0807F", 0x9000, NULL);
    bench_reset(bench);
    gate_rig_take(&rig, bench);
    assert_true(gate_rig_call(&rig, COS_GATE_CONTEXT, bind, sizeof bind));
    card_image_take(bench, &image);
    for (uint8_t operation = COS_KEY_GENERATE; operation <= COS_KEY_PUBLIC; operation++) {
        const uint8_t message[] = {operation, 0, 0x87};
        assert_true(gate_rig_call(&rig, COS_GATE_KEY, message, sizeof message));
        assert_int_equal(rig.result, COS_E_CONDITIONS);
    }
    assert_true(card_image_same(bench, &image));
}

/* COS_SM_ANSWER_MAX bytes are kept for the answer: what is longer is refused before the use is
 * spent. */
static void what_secure_messaging_takes(void **state)
{
    static const uint8_t set[] = {0x83, 1, 0x85};
    struct bench *bench = *state;
    uint8_t plain[560] = {1};
    const size_t longest = (COS_SM_ANSWER_MAX - 1) / 16 * 16 - 1;

    bench_session(bench, 0x03);
    assert_int_equal(crypt_store(bench, 5,
                                 OF_APPLICATION " 800101 CE0108 CA020005 C710 "
                                                "000102030405060708090A0B0C0D0E0F"),
                     0x9000);
    bench_session(bench, 0x01);
    bench_expect_sm(bench, "00A4040C 09 F05457494E434F5301", 0x9000, NULL);
    assert_int_equal(bench_sm(bench, 0x00, 0x22, 0x81, 0xB8, set, sizeof set), 0x9000);
    assert_int_equal(crypt_operate_in_parts(bench, 0x86, 0x80, plain, longest), 0x9000);
    assert_int_equal(bench->length, longest + 2);
    assert_int_equal(uses_left(bench, 5), 4);
    assert_int_equal(crypt_operate_in_parts(bench, 0x86, 0x80, plain, longest + 1), 0x6700);
    assert_int_equal(uses_left(bench, 5), 4);
    assert_int_equal(crypt_operate_in_parts(bench, 0x84, 0x80, plain, longest), 0x9000);
    assert_int_equal(bench->length, longest + 1);
    assert_int_equal(uses_left(bench, 5), 3);
}

/* Keys that authenticate others are counted by tries; uses would not be. */
static void uses_are_for_keys_that_work(void **state)
{
    static const char *const attributes[] = {
        " 800101 950102 CA020001 C710 000102030405060708090A0B0C0D0E0F",
        " 800101 950102 C50191 CC0101 C710 000102030405060708090A0B0C0D0E0F",
        " 800101 950180 CA020001 C720 000102030405060708090A0B0C0D0E0F"
        "101112131415161718191A1B1C1D1E1F",
    };
    struct bench *bench = *state;
    char dgi[160];

    bench_session(bench, 0x03);
    for (size_t i = 0; i < CARD_COUNT(attributes); i++) {
        snprintf(dgi, sizeof dgi, OF_APPLICATION "%s", attributes[i]);
        assert_int_equal(crypt_store(bench, 6, dgi), 0x6A80);
    }
}

/* A buffer of the least size takes the longest answer, protected as strongly as can be. */
static void the_least_response_buffer_is_enough(void **state)
{
    static const uint8_t set[] = {0x84, 1, 0x84};
    struct bench *bench = *state;
    uint8_t digest[32];

    bench_power_off(bench);
    bench->app_config.response_size = COS_APP_RESPONSE_LEAST - 1;
    assert_false(bench_power_on(bench));
    bench_power_off(bench);
    bench->app_config.response_size = COS_APP_RESPONSE_LEAST;
    assert_true(bench_power_on(bench));
    crypt_key(bench, 4, OF_APPLICATION " 800104 C90120 CE0101 CB0100");
    crypt_generate(bench, 0x84);
    bench_session(bench, 0x33);
    bench_expect_sm(bench, "00A4040C 09 F05457494E434F5301", 0x9000, NULL);
    assert_int_equal(bench_sm(bench, 0x00, 0x22, 0x41, 0xB6, set, sizeof set), 0x9000);
    crypt_digest(digest, sizeof digest, 1);
    assert_int_equal(bench_sm(bench, 0x00, 0x2A, 0x9E, 0x9A, digest, sizeof digest), 0x9000);
    assert_int_equal(bench->length, 256);
}

/* ---- A factor that waits ---- */

static void wait_with_p(struct bench *bench)
{
    uint8_t data[3 + 3 + 2 + 64] = {0x80, 0x40, 69, 0x83, 1, 8, 0x92, 64};

    memset(data + 8, 0xC5, 64);
    bench_session(bench, 0x03);
    assert_int_equal(crypt_store(bench, 8, "800104 C90110 CE010B CB0100"), 0x9000);
    assert_int_equal(bench_sm(bench, 0x80, 0xE2, 0xE0, 0x00, data, sizeof data), 0x9000);
    assert_true(bench_contains(bench->key_memory, sizeof bench->key_memory, data + 8, 64));
}

static bool is_wiped(const struct bench *bench)
{
    static const uint8_t zero[BENCH_KEY_MEMORY];

    return memcmp(zero, bench->key_memory, sizeof zero) == 0 && bench->secure.waiting == 0;
}

static void what_waits_goes_with_the_session(void **state)
{
    struct bench *bench = *state;

    wait_with_p(bench);
    bench_expect(bench, "84E2E000 10 00112233445566778899AABBCCDDEEFF", 0x6988, NULL);
    assert_true(is_wiped(bench));
    wait_with_p(bench);
    (void)bench_hex(bench, "80F28000 02 4F00"); /* in the clear */
    assert_true(is_wiped(bench));
    wait_with_p(bench);
    assert_int_equal(bench_sm_hex(bench, "00E20008 01 00"), 0x6A82); /* APPEND RECORD */
    assert_true(is_wiped(bench));
    wait_with_p(bench);
    assert_int_equal(cos_secure_start(&bench->secure, &bench->secure_board, &bench->secure_config),
                     COS_OK);
    assert_true(is_wiped(bench));
}

/* ---- Providers that have not everything ---- */

static void what_a_provider_lacks_is_not_called(void **state)
{
    static struct cos_crypto less;
    struct bench *bench = *state;
    uint8_t data[3 + 3 + 2 + 64 + 2 + 64] = {0x80, 0x40, 135, 0x83, 1, 8, 0x92, 64};

    less = cos_crypto_tomcrypt;
    less.rsa_generate = NULL;
    less.rsa_complete = NULL;
    bench_power_off(bench);
    bench->secure_config.crypto = &less;
    assert_true(bench_power_on(bench));
    bench_session(bench, 0x03);
    assert_int_equal(crypt_store(bench, 8, "800104 C90110 CE010B CB0100"), 0x9000);
    data[72] = 0x93;
    data[73] = 64;
    assert_int_equal(bench_sm(bench, 0x80, 0xE2, 0xE0, 0x00, data, sizeof data), 0x6A81);
    bench_expect(bench, "00478000 05 B603840108", 0x6A81, NULL);
    less.rsa_public = NULL; /* nothing of RSA works without */
    bench_session(bench, 0x03);
    assert_int_equal(crypt_store(bench, 9, "800104 C90110 CE010B CB0100"), 0x6A80);
    bench_expect(bench, "00478000 05 B603840108", 0x6A81, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(a_locked_card_makes_no_keys),      CARD_TEST(what_secure_messaging_takes),
        CARD_TEST(uses_are_for_keys_that_work),      CARD_TEST(the_least_response_buffer_is_enough),
        CARD_TEST(what_waits_goes_with_the_session), CARD_TEST(what_a_provider_lacks_is_not_called),
    };

    return cmocka_run_group_tests_name("key limits", tests, NULL, NULL);
}
