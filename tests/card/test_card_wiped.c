/* SPDX-License-Identifier: Apache-2.0
 *
 * No secret outlives its command, and what comes under secure messaging never leaves the security
 * chip: after each command that carries a secret the RAM of both chips, the response buffer, the
 * NVM, the line between the chips and the messages on it are searched.
 */
#include "card_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define APPLICATION "8409F05457494E434F5301"

/* ---- What is seen ---- */

/* Everything that passed between the chips: frames on the line, messages before they are enciphered
 * and after they were deciphered. */
struct seen {
    uint8_t *frames, *messages;
    size_t frames_length, messages_length;
};
enum { SEEN_MAX = 1 << 20 };

static void see(uint8_t *to, size_t *length, const uint8_t *bytes, size_t count)
{
    assert_true(*length + count <= SEEN_MAX);
    if (count != 0) {
        memcpy(to + *length, bytes, count);
    }
    *length += count;
}

static unsigned see_frame(void *context, bool to_secure, uint8_t *frame, size_t *length)
{
    struct seen *seen = context;

    (void)to_secure;
    see(seen->frames, &seen->frames_length, frame, *length);
    return 1;
}

static void see_message(void *context, uint8_t opcode, const uint8_t *request,
                        size_t request_length, enum cos_result result, const uint8_t *response,
                        size_t response_length)
{
    struct seen *seen = context;

    (void)opcode;
    (void)result;
    see(seen->messages, &seen->messages_length, request, request_length);
    see(seen->messages, &seen->messages_length, response, response_length);
}

static struct seen seen;
static const struct cos_gate_trace trace = {&seen, see_message};

static void watch(struct bench *bench)
{
    seen.frames_length = seen.messages_length = 0;
    bench->tap = see_frame;
    bench->tap_context = &seen;
    bench->app_config.trace = &trace;
    bench_reset(bench);
    bench_select(bench);
}

/* PIN 85: 987654, digits, may be disabled. */
static void add_pin(struct bench *bench)
{
    bench_session(bench, 0x03);
    assert_int_equal(
        bench_store(bench, "8010 1C 830105 " APPLICATION " C90101 CC0104 C706 393837363534"),
        0x9000);
}

static int make_watched(void **state)
{
    card_make(state);
    add_pin(*state);
    free(seen.frames);
    free(seen.messages);
    seen = (struct seen){.frames = malloc(SEEN_MAX), .messages = malloc(SEEN_MAX)};
    watch(*state);
    return 0;
}

/* Another finished card in the same place. */
static void next_card(struct bench *bench)
{
    bench_free(bench);
    bench_make(bench, &bench_host);
    add_pin(bench);
    watch(bench);
}

/* ---- Where it must not be ---- */

static const char *place_of(const struct bench *bench, const void *secret, size_t length)
{
    if (bench_contains((const uint8_t *)&bench->app, sizeof bench->app, secret, length)) {
        return "the app chip's RAM";
    }
    if (bench_contains((const uint8_t *)&bench->secure, sizeof bench->secure, secret, length)) {
        return "the security chip's RAM";
    }
    if (bench_contains(bench->response_buffer, sizeof bench->response_buffer, secret, length)) {
        return "the response buffer";
    }
    if (card_nvm_contains(&bench->app_nvm, secret, length)) {
        return "the app chip's NVM";
    }
    if (card_nvm_contains(&bench->secure_nvm, secret, length)) {
        return "the security chip's NVM";
    }
    if (bench_contains(seen.frames, seen.frames_length, secret, length)) {
        return "the line";
    }
    return NULL;
}

static void check_gone(const struct bench *bench, const char *what, const void *secret,
                       size_t length)
{
    const char *place = place_of(bench, secret, length);

    if (place != NULL) {
        fail_msg("%s lies in %s", what, place);
    }
}

static bool was_message(const void *secret, size_t length)
{
    return bench_contains(seen.messages, seen.messages_length, secret, length);
}

/* ---- PINs ---- */

static const struct {
    const char *what, *apdu;
    uint16_t sw;
} pin_commands[] = {
    {"VERIFY, right", "00200081 06 313233343536", 0x9000},
    {"VERIFY, wrong", "00200081 06 413233343546", 0x63C2},
    {"VERIFY, too long", "00200081 0D 31323334353661626364656667", 0x6700},
    {"VERIFY, no such reference", "0020008F 06 313233343536", 0x6A88},
    {"VERIFY, bad P1", "00200181 06 313233343536", 0x6A86},
    {"CHANGE, wrong", "00240081 0C 413233343546 515253545556", 0x63C2},
    {"CHANGE, right", "00240081 0C 313233343536 515253545556", 0x9000},
    {"CHANGE, new value too short", "00240081 08 313233343536 5152", 0x6A80},
    {"RESET, wrong code", "002C0081 0E 4837363534333241 515253545556", 0x63C4},
    {"RESET, right code", "002C0081 0E 3837363534333231 515253545556", 0x9000},
    {"RESET, code only", "002C0181 08 3837363534333231", 0x9000},
    {"CHANGE, new only", "00240181 06 515253545556", 0x6982},
    {"DISABLE, right", "00260085 06 393837363534", 0x9000},
    {"DISABLE, wrong", "00260085 06 393837363533", 0x63C2},
    {"DISABLE, malformed", "00260085 06 39383736353A", 0x6A80},
    {"DISABLE, not allowed", "00260081 06 313233343536", 0x6985},
    {"ENABLE, right", "00280085 06 393837363534", 0x9000},
};

/* Every run of six bytes of the command's data (those of PINs are no shorter). */
static void check_command_gone(const struct bench *bench, const char *what, const char *apdu)
{
    uint8_t bytes[64];
    size_t length = bench_bytes(apdu, bytes, sizeof bytes);

    for (size_t at = 5; at + 6 <= length; at++) {
        check_gone(bench, what, bytes + at, 6);
    }
}

static void pins_in_the_clear_are_wiped(void **state)
{
    struct bench *bench = *state;

    for (size_t i = 0; i < CARD_COUNT(pin_commands); i++) {
        next_card(bench);
        assert_int_equal(bench_hex(bench, pin_commands[i].apdu), pin_commands[i].sw);
        check_command_gone(bench, pin_commands[i].what, pin_commands[i].apdu);
    }
}

static void pins_under_secure_messaging_stay_inside(void **state)
{
    struct bench *bench = *state;

    for (uint8_t level = 1; level <= 3; level = (uint8_t)(level + 2)) {
        for (size_t i = 0; i < CARD_COUNT(pin_commands); i++) {
            next_card(bench);
            bench_session(bench, level);
            assert_int_equal(bench_sm_hex(bench, pin_commands[i].apdu), pin_commands[i].sw);
            check_command_gone(bench, pin_commands[i].what, pin_commands[i].apdu);
            if (level == 3) { /* at level 01 the terminal itself sent them in the clear */
                uint8_t bytes[64];
                size_t length = bench_bytes(pin_commands[i].apdu, bytes, sizeof bytes);
                for (size_t at = 5; at + 6 <= length; at++) {
                    if (was_message(bytes + at, 6)) {
                        fail_msg("%s passed the app chip in the clear", pin_commands[i].what);
                    }
                }
            }
        }
        /* new PIN by the issuer */
        bench_session(bench, level);
        bench_expect_sm(bench, "002C0281 06 717273747576", 0x9000, NULL);
        check_gone(bench, "a new PIN", "\x71\x72\x73\x74\x75\x76", 6);
        assert_int_equal(was_message("\x71\x72\x73\x74\x75\x76", 6), level == 1);
    }
}

/* The command's own bytes too, in the buffer that the port hands in, and what they became. */
static void the_command_buffer_is_wiped(void **state)
{
    struct bench *bench = *state;
    uint8_t command[64], response[BENCH_RESPONSE];

    for (size_t i = 0; i < CARD_COUNT(pin_commands); i++) {
        static const uint8_t zeros[64];
        size_t length = bench_bytes(pin_commands[i].apdu, command, sizeof command);
        (void)cos_app_command(&bench->app, command, length, response, sizeof response);
        assert_memory_equal(command, zeros, length);
    }
}

/* Held data that no call takes: the command is refused, and the data go with it. */
static void held_data_that_nobody_takes_are_wiped(void **state)
{
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00200181 06 818283848586", 0x6A86, NULL);
    check_gone(bench, "held data", "\x81\x82\x83\x84\x85\x86", 6);
    bench_expect_sm(bench, "0020008E 06 818283848586", 0x6A88, NULL);
    check_gone(bench, "held data", "\x81\x82\x83\x84\x85\x86", 6);
    bench_expect_sm(bench, "80E2E100 06 818283848586", 0x6A86, NULL);
    check_gone(bench, "held data", "\x81\x82\x83\x84\x85\x86", 6);
    bench_expect_sm(bench, "80D80000 06 818283848586", 0x6A86, NULL);
    check_gone(bench, "held data", "\x81\x82\x83\x84\x85\x86", 6);
    assert_false(was_message("\x81\x82\x83\x84\x85\x86", 6));
}

/* ---- Keys ---- */

static void keys_of_put_key_are_wiped(void **state)
{
    struct bench *bench = *state;

    for (size_t length = 16; length <= 32; length += 8) {
        struct scp03_keys keys = {.length = length};
        for (size_t i = 0; i < length; i++) {
            keys.enc[i] = (uint8_t)(0xA1 + i * 7 + length);
            keys.mac[i] = (uint8_t)(0x23 + i * 11 + length);
            keys.dek[i] = (uint8_t)(0x65 + i * 13 + length);
        }
        for (unsigned good = 0; good < 2; good++) {
            struct bytes data;
            bench_session(bench, 0x03);
            bench_key_data(&data, &bench_keys_card, 0x02, &keys);
            data.data[data.length - 1] ^= good != 0 ? 0 : 1; /* the last check value */
            uint8_t old = length > 16 ? 0x02 : 0x00;
            assert_int_equal(bench_sm(bench, 0x80, 0xD8, old, 0x81, data.data, data.length),
                             good != 0 ? 0x9000 : 0x6A80);
            for (size_t at = 0; at + 8 <= length; at += 8) {
                check_gone(bench, "new ENC", keys.enc + at, 8);
                check_gone(bench, "new MAC", keys.mac + at, 8);
                check_gone(bench, "new DEK", keys.dek + at, 8);
                check_gone(bench, "DEK", bench_keys_card.dek + at % 16, 8);
            }
            assert_false(was_message(keys.enc, 8));
        }
        assert_int_equal(bench_open_keys(bench, &keys, 0x02, 0x03), 0x9000);
        check_gone(bench, "ENC", keys.enc, 8);
        check_gone(bench, "MAC", keys.mac, 8);
    }
}

static void keys_of_store_data_are_wiped(void **state)
{
    static const uint8_t key[16] = {0xF1, 0xE2, 0xD3, 0xC4, 0xB5, 0xA6, 0x97, 0x88,
                                    0x79, 0x6A, 0x5B, 0x4C, 0x3D, 0x2E, 0x1F, 0x01};
    static const struct {
        const char *dgi;
        uint16_t sw;
    } rows[] = {
        {"8020 26 830105 " APPLICATION " 800101 950101 C710 F1E2D3C4B5A69788796A5B4C3D2E1F01",
         0x9000},
        {"8020 26 830105 " APPLICATION " 800101 950199 C710 F1E2D3C4B5A69788796A5B4C3D2E1F01",
         0x6A80},
        {"8020 26 830105 " APPLICATION
         " 800101 950101 C710 F1E2D3C4B5A69788796A5B4C3D2E1F01 8011 00",
         0x6A88},
    };
    struct bench *bench = *state;

    for (size_t i = 0; i < CARD_COUNT(rows); i++) {
        bench_session(bench, 0x03);
        assert_int_equal(bench_store(bench, rows[i].dgi), rows[i].sw);
        check_gone(bench, "key", key, 8);
        check_gone(bench, "key", key + 8, 8);
        assert_false(was_message(key, 8));
    }
    bench_select(bench);
    bench_expect(bench, "00880085 10 00000000000000000000000000000000", 0x9000, CARD_ANY);
    check_gone(bench, "key", key, 8);
}

static void keys_in_use_are_wiped(void **state)
{
    struct bench *bench = *state;
    uint8_t apdu[21] = {0x00, 0x82, 0x00, 0x83, 16};

    bench_expect(bench, "00200081 06 313233343536", 0x9000, NULL);
    bench_expect(bench, "00880081 18 000000000000000000000000000000000000000000000000", 0x9000,
                 CARD_ANY);
    bench_expect(bench, "00880082 10 00000000000000000000000000000000", 0x9000, CARD_ANY);
    for (unsigned wrong = 0; wrong < 2; wrong++) {
        uint8_t challenge[16], expected[16];
        bench_expect(bench, "0084000010", 0x9000, CARD_ANY);
        memcpy(challenge, bench->data, 16);
        assert_true(
            crypto_aes_ecb(bench_external_key, 16, CRYPTO_ENCIPHER, challenge, 16, expected));
        memcpy(apdu + 5, expected, 16);
        apdu[20] ^= (uint8_t)wrong;
        assert_int_equal(bench_apdu(bench, apdu, sizeof apdu), wrong != 0 ? 0x63C9 : 0x9000);
        check_gone(bench, "a used challenge", challenge, 16);
        check_gone(bench, "its answer", expected, 16);
    }
    check_gone(bench, "access key", bench_access_key, 8);
    check_gone(bench, "remote key", bench_remote_key, 8);
    check_gone(bench, "external key", bench_external_key, 8);
}

static void session_keys_go_with_the_session(void **state)
{
    static const char *const ends[] = {
        "00A40000",                       /* in the clear */
        "04A4000008 0102030405060708",    /* wrong MAC */
        "04A40000",                       /* no MAC */
        "00",                             /* no command */
        "8050010008 1112131415161718 00", /* a new beginning */
    };
    struct bench *bench = *state;

    for (size_t i = 0; i <= CARD_COUNT(ends); i++) {
        uint8_t enc[16], mac[16], cryptogram[8];
        bench_session(bench, 0x03);
        memcpy(enc, bench->scp03.s_enc, 16);
        memcpy(mac, bench->scp03.s_mac, 16);
        memcpy(cryptogram, bench->scp03.host_cryptogram, 8);
        assert_true(bench_contains((const uint8_t *)&bench->secure, sizeof bench->secure, enc, 16));
        assert_false(bench_contains((const uint8_t *)&bench->app, sizeof bench->app, enc, 8));
        assert_false(bench_contains((const uint8_t *)&bench->app, sizeof bench->app, mac, 8));
        if (i < CARD_COUNT(ends)) {
            (void)bench_hex(bench, ends[i]);
        } else {
            bench_reset(bench);
        }
        check_gone(bench, "S-ENC", enc, 8);
        check_gone(bench, "S-MAC", mac, 8);
        check_gone(bench, "host cryptogram", cryptogram, 8);
    }
}

/* ---- Production ---- */

static void tokens_of_production_are_wiped(void **state)
{
    struct bench *bench = *state;

    bench_free(bench);
    bench_init(bench, &bench_host);
    bench->tap = see_frame;
    bench->tap_context = &seen;
    bench->app_config.trace = &trace;
    assert_true(bench_power_on(bench));
    check_gone(bench, "T", bench_transport, 8);
    assert_true(bench_step(bench, 3));
    check_gone(bench, "T", bench_transport, 8);
    check_gone(bench, "next T", bench_transport_next, 8);
    check_gone(bench, "T_A", bench_transport_app, 8);
    assert_false(was_message(bench_transport_next, 8));
    /* The pairing secret crosses the line wrapped, and lies in the app chip's record alone. */
    uint8_t pairing[32];
    const uint32_t record = cos_store_size(&bench->app.store) - bench->app.store.payload;
    assert_int_equal(cos_store_read(&bench->app.store, record + 10, pairing, sizeof pairing),
                     COS_OK);
    assert_true(card_nvm_contains(&bench->app_nvm, pairing, sizeof pairing));
    assert_false(card_nvm_contains(&bench->secure_nvm, pairing, 8));
    assert_false(bench_contains((const uint8_t *)&bench->app, sizeof bench->app, pairing, 8));
    assert_false(bench_contains((const uint8_t *)&bench->secure, sizeof bench->secure, pairing, 8));
    assert_false(bench_contains(seen.frames, seen.frames_length, pairing, 8));
    assert_false(was_message(pairing, 8));
    assert_true(bench_step(bench, 4));
    check_gone(bench, "initial ENC", bench_keys_initial.enc, 8);
    check_gone(bench, "initial MAC", bench_keys_initial.mac, 8);
    check_gone(bench, "initial DEK", bench_keys_initial.dek, 8);
    check_gone(bench, "next T", bench_transport_next, 8);
    assert_false(was_message(bench_keys_initial.enc, 8));
    assert_true(bench_produce_to(bench, COS_LIFE_OPERATIONAL));
    check_gone(bench, "ENC", bench_keys_card.enc, 8);
    check_gone(bench, "MAC", bench_keys_card.mac, 8);
    check_gone(bench, "DEK", bench_keys_card.dek, 8);
    check_gone(bench, "access key", bench_access_key, 8);
    check_gone(bench, "PIN", BENCH_PIN, 6);
    check_gone(bench, "resetting code", BENCH_PIN_CODE, 8);
    assert_false(was_message(BENCH_PIN_CODE, 8));
}

#define WATCHED_TEST(function) cmocka_unit_test_setup_teardown(function, make_watched, card_free)

static int free_seen(void **state)
{
    (void)state;
    free(seen.frames);
    free(seen.messages);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WATCHED_TEST(pins_in_the_clear_are_wiped),
        WATCHED_TEST(the_command_buffer_is_wiped),
        WATCHED_TEST(pins_under_secure_messaging_stay_inside),
        WATCHED_TEST(held_data_that_nobody_takes_are_wiped),
        WATCHED_TEST(keys_of_put_key_are_wiped),
        WATCHED_TEST(keys_of_store_data_are_wiped),
        WATCHED_TEST(keys_in_use_are_wiped),
        WATCHED_TEST(session_keys_go_with_the_session),
        WATCHED_TEST(tokens_of_production_are_wiped),
    };
    return cmocka_run_group_tests(tests, NULL, free_seen);
}
