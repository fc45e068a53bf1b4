/* SPDX-License-Identifier: Apache-2.0
 *
 * The app chip was taken over. It knows the pairing secret, holds a valid session, and asks the
 * security chip for everything: each call with each operation and reference, thousands of
 * variations of them, alone and in the middle of what the issuer does under secure messaging.
 * Afterwards every answer, every frame on the link and the app chip's own memory are searched for
 * every secret of the card. What it prints in lines with '#' is for people.
 */
#include "hostile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { VARIATIONS = 40000, VARIATIONS_SECURED = 20000 };

/* PINs, keys and codes that come to the card under secure messaging only. */
static const char sm_pin[] = "27182818", sm_pin_reset[] = "31415926", sm_pin_other[] = "16180339";
static const uint8_t sm_key[16] = {0x9A, 0xD2, 0x4B, 0x8F, 0x11, 0xA9, 0x60, 0xB3,
                                   0xF8, 0x5C, 0x9E, 0x27, 0xD4, 0x0A, 0x86, 0x3E};
static const struct scp03_keys sm_keys = {
    .length = 16,
    .enc = {0xA0, 0xE3, 0x5C, 0x90, 0x22, 0xBA, 0x71, 0xC4, 0x09, 0x6D, 0xAF, 0x38, 0xE5, 0x1B,
            0x97, 0x4F},
    .mac = {0xA1, 0xE3, 0x5C, 0x90, 0x22, 0xBA, 0x71, 0xC4, 0x09, 0x6D, 0xAF, 0x38, 0xE5, 0x1B,
            0x97, 0x4F},
    .dek = {0xA2, 0xE3, 0x5C, 0x90, 0x22, 0xBA, 0x71, 0xC4, 0x09, 0x6D, 0xAF, 0x38, 0xE5, 0x1B,
            0x97, 0x4F},
};

/* Content of a vault EF that only the holder may read. */
static const uint8_t vault_content[16] = {0x5B, 0xE1, 0x0C, 0x77, 0x93, 0x2A, 0xD8, 0x46,
                                          0xB5, 0x6F, 0xC0, 0x19, 0x82, 0xFE, 0x34, 0xA7};

/* ---- What is to be kept secret, and what was seen ---- */

static void list_secrets(void)
{
    hunt_secret(&hostile.hunt, "PIN", BENCH_PIN, 6);
    hunt_secret(&hostile.hunt, "resetting code", BENCH_PIN_CODE, 8);
    hunt_secret(&hostile.hunt, "PIN changed under secure messaging", sm_pin, 8);
    hunt_secret(&hostile.hunt, "PIN reset under secure messaging", sm_pin_reset, 8);
    hunt_secret(&hostile.hunt, "PIN that may be disabled", sm_pin_other, 8);
    hunt_secret(&hostile.hunt, "access key", bench_access_key, 16);
    hunt_secret(&hostile.hunt, "remote key", bench_remote_key, 16);
    hunt_secret(&hostile.hunt, "external key", bench_external_key, 16);
    hunt_secret(&hostile.hunt, "key stored under secure messaging", sm_key, 16);
    hunt_secret(&hostile.hunt, "card key ENC", bench_keys_card.enc, 16);
    hunt_secret(&hostile.hunt, "card key MAC", bench_keys_card.mac, 16);
    hunt_secret(&hostile.hunt, "card key DEK", bench_keys_card.dek, 16);
    hunt_secret(&hostile.hunt, "new card key ENC", sm_keys.enc, 16);
    hunt_secret(&hostile.hunt, "new card key MAC", sm_keys.mac, 16);
    hunt_secret(&hostile.hunt, "new card key DEK", sm_keys.dek, 16);
    hunt_secret(&hostile.hunt, "vault content", vault_content, sizeof vault_content);
    hunt_secret(&hostile.hunt, "storage key", hostile.bench.secure.storage_key,
                sizeof hostile.bench.secure.storage_key);
}

/* ---- The tests ---- */

/* Key 4 of the application, for internal authentication after PIN 1. */
static void store_key(void)
{
    uint8_t dgi[28 + 16] = {0x80, 0x20, 25 + 16, 0x83, 1,    4,    0x84, 9,    0xF0, 0x54,
                            0x57, 0x49, 0x4E,    0x43, 0x4F, 0x53, 0x01, 0x80, 1,    0x01,
                            0x95, 1,    0x01,    0xC5, 1,    0x90, 0xC7, 16};

    memcpy(dgi + 28, sm_key, sizeof sm_key);
    assert_int_equal(bench_sm(&hostile.bench, 0x80, 0xE2, 0xE0, 0x00, dgi, sizeof dgi), 0x9000);
}

static void put_keys(void)
{
    struct bytes keys = {0};

    assert_true(scp03_put_key(bench_keys_card.dek, 16, 0x02, &sm_keys, &keys));
    assert_int_equal(bench_sm(&hostile.bench, 0x80, 0xD8, 0x00, 0x81, keys.data, keys.length),
                     0x9000);
}

/* First the card is honest, and the issuer and the holder send secrets under secure messaging: none
 * of them ever stands in the app chip or on the link, not even deciphered. */
static void secrets_under_secure_messaging_pass_by_the_app_chip(void **state)
{
    (void)state;
    list_secrets();
    hostile.bench.tap = hostile_listen;
    assert_int_equal(bench_hex(&hostile.bench, "00A40400 09 F05457494E434F5301"), 0x9000);
    assert_int_equal(bench_sm_open(&hostile.bench, 0x01, 0x03), 0x9000);
    assert_int_equal(bench_sm_hex(&hostile.bench, "00200081 06 313233343536"), 0x9000);
    hostile_search_app_chip();
    assert_int_equal(bench_sm_hex(&hostile.bench, "00200081 06 393939393939"), 0x63C2);
    assert_int_equal(bench_sm_hex(&hostile.bench, "00240081 0E 313233343536 3237313832383138"),
                     0x9000);
    hostile_search_app_chip();
    assert_int_equal(bench_sm_hex(&hostile.bench, "002C0081 10 3837363534333231 3331343135393236"),
                     0x9000);
    hostile_search_app_chip();
    assert_int_equal(bench_sm_hex(&hostile.bench, "00200081 08 3331343135393236"), 0x9000);
    hostile_search_app_chip();
    store_key();
    hostile_search_app_chip();
    put_keys();
    hostile_search_app_chip();
    assert_int_equal(bench_sm_hex(&hostile.bench, "00200081 08 3331343135393236"), 0x9000);
    assert_int_equal(bench_hex(&hostile.bench, "00A40400 09 F05457494E434F5301"), 0x9000);
    assert_int_equal(bench_hex(&hostile.bench, "00200081"), 0x9000); /* verified: it did arrive */
    hostile_search_app_chip();
    hostile_search("a frame on the link", hostile.hunt.seen, hostile.hunt.seen_length);
    print_message("# secure messaging: PIN verified, changed and reset, a key stored and a key set "
                  "put through the app chip; %lu frames between the chips, and the app chip's "
                  "memory after each: none of it there\n",
                  hostile.frames);
    bench_power_off(&hostile.bench);
    assert_true(bench_power_on(&hostile.bench));
    assert_int_equal(bench_hex(&hostile.bench, "00A40400 09 F05457494E434F5301"), 0x9000);
    hostile.bench.tap = NULL;
    gate_snapshot_save(&hostile.bench, &hostile.card);
}

static void a_hostile_app_chip_asks_for_everything(void **state)
{
    (void)state;
    hostile.secured = false;
    hostile.calls = 0;
    hostile.bench.tap = hostile_listen;
    hostile_ask_everything(&hostile.card);
    hostile_ask_variations(&hostile.card, VARIATIONS, 0x484F5354);
    hostile_search("an answer or a frame", hostile.hunt.seen, hostile.hunt.seen_length);
    hostile_search_app_chip();
    print_message("# hostile app chip, valid session, nobody authenticated: %lu calls, every call "
                  "with every operation and reference and %d seeded variations; no PIN, key or "
                  "code written, tries never rose, no condition passed, life cycle did not move\n",
                  hostile.calls, VARIATIONS);
}

/* Has the security chip open one command of the issuer's, and stops there: the app chip that was
 * taken over has the security chip to itself while the command is open. */
static void open_for_issuer(struct gate_snapshot *opened, const struct command *command)
{
    uint8_t message[1 + BYTES_MAX] = {0};
    struct bytes apdu = {0};

    gate_snapshot_restore(&hostile.bench, &hostile.card);
    hostile.bench.tap = hostile_listen;
    assert_int_equal(bench_sm_open(&hostile.bench, 0x01, 0x03), 0x9000);
    assert_true(scp03_wrap(&hostile.bench.scp03, command, &apdu));
    memcpy(message + 1, apdu.data, apdu.length);
    const struct cos_span part = {message, 1 + apdu.length};
    struct cos_span body;
    assert_int_equal(cos_gate_call(&hostile.bench.app.gate, COS_GATE_SM_OPEN, &part, 1, &body),
                     COS_OK);
    hunt_see(&hostile.hunt, body.data, body.length);
    assert_true(hostile.bench.secure.in_sm);
    gate_snapshot_save(&hostile.bench, opened);
}

static void a_hostile_app_chip_in_the_middle_of_an_issuers_session(void **state)
{
    static struct gate_snapshot opened;
    uint8_t key_data[] = {0x80, 0x30, 0x03, 0xC8, 0x01, 0x00};
    const struct command commands[] = {
        {0x80, 0xCA, 0x00, 0xE0, NULL, 0, 256},
        {0x00, 0xB0, 0x81, 0x00, NULL, 0, 256},
        {0x00, 0x20, 0x00, 0x81, (const uint8_t *)sm_pin_reset, 8, 0},
        {0x00, 0x20, 0x00, 0x82, (const uint8_t *)BENCH_PIN_CODE, 8, 0},
        {0x00, 0x2C, 0x02, 0x81, (const uint8_t *)sm_pin, 8, 0},
        {0x00, 0x24, 0x01, 0x85, (const uint8_t *)sm_pin, 8, 0},
        {0x00, 0x26, 0x00, 0x85, (const uint8_t *)sm_pin_other, 8, 0},
        {0x00, 0x28, 0x01, 0x85, NULL, 0, 0},
        {0x80, 0xE2, 0xE0, 0x00, key_data, sizeof key_data, 0},
    };

    (void)state;
    hostile.calls = 0;
    hostile.secured = true;
    for (size_t i = 0; i < COUNT(commands); i++) {
        open_for_issuer(&opened, &commands[i]);
        hunt_secret(&hostile.hunt, "session key ENC", hostile.bench.secure.sessions[0].enc, 16);
        hunt_secret(&hostile.hunt, "session key MAC", hostile.bench.secure.sessions[0].mac, 16);
        if (commands[i].ins == 0xCA || commands[i].ins == 0x2C || commands[i].ins == 0x26) {
            hostile_ask_everything(&opened);
        }
        hostile_ask_variations(&opened, VARIATIONS_SECURED, 0x4D4944 + i);
    }
    hostile_search("an answer or a frame", hostile.hunt.seen, hostile.hunt.seen_length);
    hostile_search_app_chip();
    gate_snapshot_free(&opened);
    print_message(
        "# the same in the middle of the issuer's session, %zu of its commands left open: "
        "%lu calls; held PINs were not let out, not used for anything else, nothing "
        "locked, terminated, reset, disabled, deleted or stored\n",
        COUNT(commands), hostile.calls);
}

/* The access key proves only after the PIN, and only what stands beside it. */
static bool proves(const uint8_t asked[24])
{
    uint8_t message[4 + 24] = {COS_AUTH_INTERNAL, 0, 0, 0x81}, signed_[14 + 24 + 5], mac[16];

    memcpy(message + 4, asked, 24);
    assert_true(gate_rig_call(&hostile.rig, COS_GATE_AUTH, message, sizeof message));
    if (hostile.rig.result != COS_OK) {
        assert_int_equal(hostile.rig.result, COS_E_SECURITY_STATUS);
        assert_int_equal(hostile.rig.length, 0);
        return false;
    }
    assert_int_equal(hostile.rig.length, 21);
    assert_memory_equal(hostile.rig.body, "\x03\x20\x30\x12\x31", 5);
    memcpy(signed_, "TwinCOS access", 14);
    memcpy(signed_ + 14, asked, 24);
    memcpy(signed_ + 38, hostile.rig.body, 5);
    assert_true(crypto_cmac(bench_access_key, 16, signed_, sizeof signed_, mac));
    assert_memory_equal(hostile.rig.body + 5, mac, 16);
    return true;
}

static void pin(const char *value, enum cos_result result)
{
    uint8_t message[4 + 8] = {COS_PIN_VERIFY, 0, 0x81, 0};

    memcpy(message + 4, value, strlen(value));
    assert_true(gate_rig_call(&hostile.rig, COS_GATE_PIN, message, 4 + strlen(value)));
    assert_int_equal(hostile.rig.result, result);
}

static void keys_serve_only_after_the_pin(void **state)
{
    static const uint8_t bind[11] = {
        COS_CONTEXT_BIND, 0, 0xF0, 0x54, 0x57, 0x49, 0x4E, 0x43, 0x4F, 0x53, 0x01};
    static const uint8_t bind_none[2] = {COS_CONTEXT_BIND, 0};
    static const uint8_t asked[24] = "SYSTEM01random number 1";

    (void)state;
    hostile_again(&hostile.card);
    assert_false(proves(asked));
    pin("99999999", cos_tries_left(2));
    assert_false(proves(asked));
    pin(sm_pin_reset, COS_OK);
    assert_true(proves(asked));
    pin("99999999", cos_tries_left(2)); /* a wrong one takes it away */
    assert_false(proves(asked));
    pin(sm_pin_reset, COS_OK);
    assert_true(proves(asked));
    assert_true(gate_rig_call(&hostile.rig, COS_GATE_CONTEXT, bind_none, sizeof bind_none));
    assert_true(gate_rig_call(&hostile.rig, COS_GATE_CONTEXT, bind, sizeof bind));
    assert_false(proves(asked)); /* another application was selected in between */
    pin(sm_pin_reset, COS_OK);
    assert_true(gate_rig_hello(&hostile.rig, &hostile.bench));
    assert_true(gate_rig_call(&hostile.rig, COS_GATE_CONTEXT, bind, sizeof bind));
    assert_false(proves(asked)); /* a new session */
    for (int left = 2; left >= 0; left--) {
        pin("99999999", cos_tries_left((unsigned)left));
    }
    pin(sm_pin_reset, COS_E_METHOD_BLOCKED); /* blocked: the right one does not help either */
    assert_false(proves(asked));
    print_message("# access key: used after the right PIN only, gone after a wrong PIN, another "
                  "application or a new session; PIN blocked after 3 wrong ones\n");
}

static void nothing_was_found(void **state)
{
    (void)state;
    hostile_search("an answer or a frame", hostile.hunt.seen, hostile.hunt.seen_length);
    print_message("# searched: %.1f MB of requests, answers and frames between the chips "
                  "(enciphered and deciphered), the app chip's NVM and memory, for %zu secrets, "
                  "whole and every 8 bytes of them: nothing found\n",
                  (double)hostile.hunt.seen_length / 1e6, hostile.hunt.count);
}

/* The search would find what is there. */
static void the_search_finds_what_is_there(void **state)
{
    uint8_t haystack[256] = {0};

    (void)state;
    assert_null(hunt_find(&hostile.hunt, haystack, sizeof haystack));
    for (size_t i = 0; i < hostile.hunt.count; i++) {
        const size_t part =
            hostile.hunt.secrets[i].length < HUNT_PART ? hostile.hunt.secrets[i].length : HUNT_PART;
        memset(haystack, 0, sizeof haystack);
        memcpy(haystack + 101, hostile.hunt.secrets[i].bytes, part);
        assert_string_equal(hunt_find(&hostile.hunt, haystack, sizeof haystack),
                            hostile.hunt.secrets[i].name);
    }
    assert_string_equal(hunt_find(&hostile.hunt, (const uint8_t *)&hostile.bench.secure,
                                  sizeof hostile.bench.secure),
                        "storage key");
}

static int make(void **state)
{
    (void)state;
    bench_make(&hostile.bench, &bench_small);
    /* Written by the issuer before the app chip was taken over. */
    assert_int_equal(bench_sm_open(&hostile.bench, 0x01, 0x03), 0x9000);
    assert_int_equal(bench_sm_hex(&hostile.bench, "00A4040C 09 F05457494E434F5301"), 0x9000);
    assert_int_equal(bench_sm_hex(&hostile.bench,
                                  "00E00000 16 6214 820101 83025110 80020020 850102 "
                                  "8C0443C0C091"),
                     0x9000);
    assert_int_equal(
        bench_sm(&hostile.bench, 0x00, 0xD6, 0x00, 0x00, vault_content, sizeof vault_content),
        0x9000);
    /* PIN 85: the issuer resets and sets it, it may be disabled, and serves three times. */
    assert_int_equal(bench_sm_hex(&hostile.bench,
                                  "80E2E000 28 8010 25 830105 8409F05457494E434F5301 "
                                  "C401C0 CA020003 CB01C0 CC0104 C708 3136313830333339"),
                     0x9000);
    bench_power_off(&hostile.bench);
    assert_true(bench_power_on(&hostile.bench));
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    bench_free(&hostile.bench);
    gate_snapshot_free(&hostile.card);
    hunt_free(&hostile.hunt);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_under_secure_messaging_pass_by_the_app_chip),
        cmocka_unit_test(the_search_finds_what_is_there),
        cmocka_unit_test(a_hostile_app_chip_asks_for_everything),
        cmocka_unit_test(a_hostile_app_chip_in_the_middle_of_an_issuers_session),
        cmocka_unit_test(keys_serve_only_after_the_pin),
        cmocka_unit_test(nothing_was_found),
    };

    return cmocka_run_group_tests(tests, make, unmake);
}
