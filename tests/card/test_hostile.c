/* SPDX-License-Identifier: Apache-2.0
 *
 * The app chip was taken over. It knows the pairing secret, holds a valid session, and asks the
 * security chip for everything: each call with each operation and reference, thousands of
 * variations of them, alone and in the middle of what the issuer does under secure messaging.
 * Afterwards every answer, every frame on the link and the app chip's own memory are searched for
 * every secret of the card. What it prints in lines with '#' is for people.
 */
#include "gate_model.h"
#include "gate_rig.h"
#include "hunt.h"
#include "rule_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { VARIATIONS = 40000, VARIATIONS_SECURED = 20000 };

/* PINs, keys and codes that come to the card under secure messaging only. */
static const char sm_pin[] = "27182818", sm_pin_reset[] = "31415926";
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

static struct bench bench;
static struct gate_rig rig;
static struct gate_snapshot card;
static struct gate_model model;
static struct hunt hunt;
static unsigned long calls, frames;

/* ---- What is to be kept secret, and what was seen ---- */

static void list_secrets(void)
{
    hunt_secret(&hunt, "PIN", BENCH_PIN, 6);
    hunt_secret(&hunt, "resetting code", BENCH_PIN_CODE, 8);
    hunt_secret(&hunt, "PIN changed under secure messaging", sm_pin, 8);
    hunt_secret(&hunt, "PIN reset under secure messaging", sm_pin_reset, 8);
    hunt_secret(&hunt, "access key", bench_access_key, 16);
    hunt_secret(&hunt, "remote key", bench_remote_key, 16);
    hunt_secret(&hunt, "external key", bench_external_key, 16);
    hunt_secret(&hunt, "key stored under secure messaging", sm_key, 16);
    hunt_secret(&hunt, "card key ENC", bench_keys_card.enc, 16);
    hunt_secret(&hunt, "card key MAC", bench_keys_card.mac, 16);
    hunt_secret(&hunt, "card key DEK", bench_keys_card.dek, 16);
    hunt_secret(&hunt, "new card key ENC", sm_keys.enc, 16);
    hunt_secret(&hunt, "new card key MAC", sm_keys.mac, 16);
    hunt_secret(&hunt, "new card key DEK", sm_keys.dek, 16);
    hunt_secret(&hunt, "vault content", vault_content, sizeof vault_content);
    hunt_secret(&hunt, "storage key", bench.secure.storage_key, sizeof bench.secure.storage_key);
}

static void search(const char *where, const void *bytes, size_t length)
{
    const char *found = hunt_find(&hunt, bytes, length);

    if (found != NULL) {
        fail_msg("the %s stands in %s", found, where);
    }
}

/* The app chip as whoever took it over reads it: NVM, and everything in its RAM. */
static void search_app_chip(void)
{
    search("the app chip's NVM", bench.app_nvm.cells, bench.app_nvm.nvm.geometry.size);
    search("the app chip's memory", &bench.app, sizeof bench.app);
    search("the app chip's response buffer", bench.response_buffer, sizeof bench.response_buffer);
}

/* Sees a frame on its way: as it is, and deciphered with the session's keys. */
static unsigned listen(void *context, bool to_secure, uint8_t *bytes, size_t *length)
{
    const struct cos_gate_server *server = &bench.secure.gate;
    struct bench_frame copy = {.length = *length};
    struct frame frame;

    (void)context;
    frames++;
    hunt_see(&hunt, bytes, *length);
    memcpy(copy.bytes, bytes, *length);
    if (cos_frame_parse(copy.bytes, copy.length, &frame) != COS_OK || frame.session == 0) {
        return 1;
    }
    assert_int_equal(cos_channel_open(&cos_crypto_tomcrypt,
                                      to_secure ? server->request_key : server->response_key,
                                      &frame, to_secure ? NULL : server->request_tag),
                     COS_OK);
    hunt_see(&hunt, frame.message, frame.length);
    return 1;
}

/* ---- One call of the hostile app chip ---- */

static bool secured; /* a command of the issuer is open */

static void ask(uint8_t opcode, const uint8_t *message, size_t length)
{
    struct bench_frame request;

    (void)gate_rig_seal(&rig, ++rig.sequence, opcode, message, length, &request);
    hunt_see(&hunt, request.bytes, request.length);
    calls++;
    if (!gate_rig_deliver(&rig, &request) || !gate_rig_open(&rig, &request)) {
        fail_msg("call %02X was not answered", opcode);
    }
    hunt_see(&hunt, rig.body, rig.length);
    const char *broken = gate_model_broken(&bench, &model, secured && bench.secure.in_sm);
    if (broken != NULL || bench.secure.alive != COS_YES) {
        fail_msg("call %02X (%02X %02X %02X %02X, %zu bytes): %s", opcode, message[0], message[1],
                 message[2], message[3], length, broken != NULL ? broken : "the chip went mute");
    }
}

/* Back to the card as it was, in its session. */
static void again(const struct gate_snapshot *snapshot)
{
    gate_snapshot_restore(&bench, snapshot);
    bench.tap = listen;
    gate_rig_take(&rig, &bench);
    gate_model_take(&bench, &model);
}

static void ask_everything(const struct gate_snapshot *snapshot)
{
    static const uint8_t opcodes[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 255};

    for (size_t i = 0; i < COUNT(opcodes); i++) {
        for (unsigned operation = 0; operation < 10; operation++) {
            again(snapshot);
            for (unsigned reference = 0; reference <= 0xFF; reference++) {
                const uint8_t third = (uint8_t)reference;
                const uint8_t message[16] = {(uint8_t)operation, 0, third, 0, '9', '9', '9', '9'};
                ask(opcodes[i], message, 3);
                ask(opcodes[i], message, opcodes[i] == COS_GATE_PIN ? 10 : 4);
            }
        }
    }
}

/* A random request, most of it sensible. */
static uint8_t vary(uint64_t *seed, uint8_t *message, size_t *length)
{
    static const uint8_t opcodes[] = {
        COS_GATE_CONTEXT,   COS_GATE_ACCESS,  COS_GATE_PIN,   COS_GATE_PIN,     COS_GATE_AUTH,
        COS_GATE_AUTH,      COS_GATE_KEY,     COS_GATE_KEY,   COS_GATE_SM_OPEN, COS_GATE_LIFE,
        COS_GATE_CHALLENGE, COS_GATE_SM_SEAL, COS_GATE_VAULT, COS_GATE_VAULT,
    };
    static const uint8_t references[] = {0x81, 0x82, 0x83, 0x01, 0x02, 0x03, 0x0F, 0xFF,
                                         0x7F, 0x80, 0x30, 0x05, 0x06, 0x00, 0x88, 0x60};
    const uint8_t opcode = opcodes[sim_below(seed, COUNT(opcodes))];
    const struct cos_gate_row *row = cos_gate_row(opcode);

    for (size_t i = 0; i < COS_GATE_MESSAGE_MAX; i++) {
        message[i] = (uint8_t)sim_random(seed);
    }
    *length = row->smallest + sim_below(seed, row->largest - row->smallest + 1U);
    if (sim_below(seed, 2) == 0) {
        *length = row->smallest + sim_below(seed, row->largest - row->smallest < 20
                                                      ? row->largest - row->smallest + 1U
                                                      : 20);
    }
    message[0] = (uint8_t)sim_below(seed, 8);
    message[1] = (uint8_t)(sim_below(seed, 16) == 0);
    message[2] = references[sim_below(seed, COUNT(references))];
    message[3] = sim_below(seed, 2) == 0 ? references[sim_below(seed, COUNT(references))]
                                         : (uint8_t)sim_below(seed, 2);
    if (opcode == COS_GATE_VAULT && sim_below(seed, 2) == 0) {
        memset(message + 1, 0, 7); /* file 1, or a transaction that is asked for */
        message[3] = 1;
        message[7] = 16;
    }
    if (opcode == COS_GATE_SM_OPEN) {
        static const uint8_t instructions[] = {0x20, 0x24, 0x2C, 0xD8, 0xE2, 0xF0, 0xCA};
        message[0] = 0;
        message[1] = sim_below(seed, 2) == 0 ? 0x04 : 0x84;
        message[2] = instructions[sim_below(seed, COUNT(instructions))];
        message[5] = (uint8_t)(*length - 6);
    }
    if (opcode == COS_GATE_ACCESS) {
        rule_scatter(seed, message, *length);
    }
    if (opcode == COS_GATE_ACCESS || opcode == COS_GATE_CHALLENGE || opcode == COS_GATE_SM_SEAL) {
        message[0] = 0;
    }
    return opcode;
}

static void ask_variations(const struct gate_snapshot *snapshot, unsigned count, uint64_t seed)
{
    uint8_t message[COS_GATE_MESSAGE_MAX];
    size_t length;

    for (unsigned i = 0; i < count; i++) {
        if (i % 25 == 0) {
            again(snapshot);
        }
        const uint8_t opcode = vary(&seed, message, &length);
        if (!gate_model_terminals(&bench, opcode, message, length)) {
            ask(opcode, message, length);
        }
    }
}

/* ---- The tests ---- */

/* Key 4 of the application, for internal authentication after PIN 1. */
static void store_key(void)
{
    uint8_t dgi[28 + 16] = {0x80, 0x20, 25 + 16, 0x83, 1,    4,    0x84, 9,    0xF0, 0x54,
                            0x57, 0x49, 0x4E,    0x43, 0x4F, 0x53, 0x01, 0x80, 1,    0x01,
                            0x95, 1,    0x01,    0xC5, 1,    0x90, 0xC7, 16};

    memcpy(dgi + 28, sm_key, sizeof sm_key);
    assert_int_equal(bench_sm(&bench, 0x80, 0xE2, 0xE0, 0x00, dgi, sizeof dgi), 0x9000);
}

static void put_keys(void)
{
    struct bytes keys = {0};

    assert_true(scp03_put_key(bench_keys_card.dek, 16, 0x02, &sm_keys, &keys));
    assert_int_equal(bench_sm(&bench, 0x80, 0xD8, 0x00, 0x81, keys.data, keys.length), 0x9000);
}

/* First the card is honest, and the issuer and the holder send secrets under secure messaging: none
 * of them ever stands in the app chip or on the link, not even deciphered. */
static void secrets_under_secure_messaging_pass_by_the_app_chip(void **state)
{
    (void)state;
    list_secrets();
    bench.tap = listen;
    assert_int_equal(bench_hex(&bench, "00A40400 09 F05457494E434F5301"), 0x9000);
    assert_int_equal(bench_sm_open(&bench, 0x01, 0x03), 0x9000);
    assert_int_equal(bench_sm_hex(&bench, "00200081 06 313233343536"), 0x9000);
    search_app_chip();
    assert_int_equal(bench_sm_hex(&bench, "00200081 06 393939393939"), 0x63C2);
    assert_int_equal(bench_sm_hex(&bench, "00240081 0E 313233343536 3237313832383138"), 0x9000);
    search_app_chip();
    assert_int_equal(bench_sm_hex(&bench, "002C0081 10 3837363534333231 3331343135393236"), 0x9000);
    search_app_chip();
    assert_int_equal(bench_sm_hex(&bench, "00200081 08 3331343135393236"), 0x9000);
    search_app_chip();
    store_key();
    search_app_chip();
    put_keys();
    search_app_chip();
    assert_int_equal(bench_sm_hex(&bench, "00200081 08 3331343135393236"), 0x9000);
    assert_int_equal(bench_hex(&bench, "00A40400 09 F05457494E434F5301"), 0x9000);
    assert_int_equal(bench_hex(&bench, "00200081"), 0x9000); /* verified: it did arrive */
    search_app_chip();
    search("a frame on the link", hunt.seen, hunt.seen_length);
    print_message("# secure messaging: PIN verified, changed and reset, a key stored and a key set "
                  "put through the app chip; %lu frames between the chips, and the app chip's "
                  "memory after each: none of it there\n",
                  frames);
    bench_power_off(&bench);
    assert_true(bench_power_on(&bench));
    assert_int_equal(bench_hex(&bench, "00A40400 09 F05457494E434F5301"), 0x9000);
    bench.tap = NULL;
    gate_snapshot_save(&bench, &card);
}

static void a_hostile_app_chip_asks_for_everything(void **state)
{
    (void)state;
    secured = false;
    calls = 0;
    bench.tap = listen;
    ask_everything(&card);
    ask_variations(&card, VARIATIONS, 0x484F5354);
    search("an answer or a frame", hunt.seen, hunt.seen_length);
    search_app_chip();
    print_message("# hostile app chip, valid session, nobody authenticated: %lu calls, every call "
                  "with every operation and reference and %d seeded variations; no PIN, key or "
                  "code written, tries never rose, no condition passed, life cycle did not move\n",
                  calls, VARIATIONS);
}

/* Has the security chip open one command of the issuer's, and stops there: the app chip that was
 * taken over has the security chip to itself while the command is open. */
static void open_for_issuer(struct gate_snapshot *opened, const struct command *command)
{
    uint8_t message[1 + BYTES_MAX] = {0};
    struct bytes apdu = {0};

    gate_snapshot_restore(&bench, &card);
    bench.tap = listen;
    assert_int_equal(bench_sm_open(&bench, 0x01, 0x03), 0x9000);
    assert_true(scp03_wrap(&bench.scp03, command, &apdu));
    memcpy(message + 1, apdu.data, apdu.length);
    const struct cos_span part = {message, 1 + apdu.length};
    struct cos_span body;
    assert_int_equal(cos_gate_call(&bench.app.gate, COS_GATE_SM_OPEN, &part, 1, &body), COS_OK);
    hunt_see(&hunt, body.data, body.length);
    assert_true(bench.secure.in_sm);
    gate_snapshot_save(&bench, opened);
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
        {0x80, 0xE2, 0xE0, 0x00, key_data, sizeof key_data, 0},
    };

    (void)state;
    calls = 0;
    secured = true;
    for (size_t i = 0; i < COUNT(commands); i++) {
        open_for_issuer(&opened, &commands[i]);
        hunt_secret(&hunt, "session key ENC", bench.secure.sessions[0].enc, 16);
        hunt_secret(&hunt, "session key MAC", bench.secure.sessions[0].mac, 16);
        if (commands[i].ins == 0xCA || commands[i].ins == 0x2C) {
            ask_everything(&opened);
        }
        ask_variations(&opened, VARIATIONS_SECURED, 0x4D4944 + i);
    }
    search("an answer or a frame", hunt.seen, hunt.seen_length);
    search_app_chip();
    gate_snapshot_free(&opened);
    print_message(
        "# the same in the middle of the issuer's session, %zu of its commands left open: "
        "%lu calls; held PINs were not let out, not used for anything else, nothing "
        "locked, terminated, reset, deleted or stored\n",
        COUNT(commands), calls);
}

/* The access key proves only after the PIN, and only what stands beside it. */
static bool proves(const uint8_t asked[24])
{
    uint8_t message[4 + 24] = {COS_AUTH_INTERNAL, 0, 0, 0x81}, signed_[14 + 24 + 5], mac[16];

    memcpy(message + 4, asked, 24);
    assert_true(gate_rig_call(&rig, COS_GATE_AUTH, message, sizeof message));
    if (rig.result != COS_OK) {
        assert_int_equal(rig.result, COS_E_SECURITY_STATUS);
        assert_int_equal(rig.length, 0);
        return false;
    }
    assert_int_equal(rig.length, 21);
    assert_memory_equal(rig.body, "\x03\x20\x30\x12\x31", 5);
    memcpy(signed_, "TwinCOS access", 14);
    memcpy(signed_ + 14, asked, 24);
    memcpy(signed_ + 38, rig.body, 5);
    assert_true(crypto_cmac(bench_access_key, 16, signed_, sizeof signed_, mac));
    assert_memory_equal(rig.body + 5, mac, 16);
    return true;
}

static void pin(const char *value, enum cos_result result)
{
    uint8_t message[4 + 8] = {COS_PIN_VERIFY, 0, 0x81, 0};

    memcpy(message + 4, value, strlen(value));
    assert_true(gate_rig_call(&rig, COS_GATE_PIN, message, 4 + strlen(value)));
    assert_int_equal(rig.result, result);
}

static void keys_serve_only_after_the_pin(void **state)
{
    static const uint8_t bind[11] = {
        COS_CONTEXT_BIND, 0, 0xF0, 0x54, 0x57, 0x49, 0x4E, 0x43, 0x4F, 0x53, 0x01};
    static const uint8_t bind_none[2] = {COS_CONTEXT_BIND, 0};
    static const uint8_t asked[24] = "SYSTEM01random number 1";

    (void)state;
    again(&card);
    assert_false(proves(asked));
    pin("99999999", cos_tries_left(2));
    assert_false(proves(asked));
    pin(sm_pin_reset, COS_OK);
    assert_true(proves(asked));
    pin("99999999", cos_tries_left(2)); /* a wrong one takes it away */
    assert_false(proves(asked));
    pin(sm_pin_reset, COS_OK);
    assert_true(proves(asked));
    assert_true(gate_rig_call(&rig, COS_GATE_CONTEXT, bind_none, sizeof bind_none));
    assert_true(gate_rig_call(&rig, COS_GATE_CONTEXT, bind, sizeof bind));
    assert_false(proves(asked)); /* another application was selected in between */
    pin(sm_pin_reset, COS_OK);
    assert_true(gate_rig_hello(&rig, &bench));
    assert_true(gate_rig_call(&rig, COS_GATE_CONTEXT, bind, sizeof bind));
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
    search("an answer or a frame", hunt.seen, hunt.seen_length);
    print_message("# searched: %.1f MB of requests, answers and frames between the chips "
                  "(enciphered and deciphered), the app chip's NVM and memory, for %zu secrets, "
                  "whole and every 8 bytes of them: nothing found\n",
                  (double)hunt.seen_length / 1e6, hunt.count);
}

/* The search would find what is there. */
static void the_search_finds_what_is_there(void **state)
{
    uint8_t haystack[256] = {0};

    (void)state;
    assert_null(hunt_find(&hunt, haystack, sizeof haystack));
    for (size_t i = 0; i < hunt.count; i++) {
        const size_t part = hunt.secrets[i].length < HUNT_PART ? hunt.secrets[i].length : HUNT_PART;
        memset(haystack, 0, sizeof haystack);
        memcpy(haystack + 101, hunt.secrets[i].bytes, part);
        assert_string_equal(hunt_find(&hunt, haystack, sizeof haystack), hunt.secrets[i].name);
    }
    assert_string_equal(hunt_find(&hunt, (const uint8_t *)&bench.secure, sizeof bench.secure),
                        "storage key");
}

static int make(void **state)
{
    (void)state;
    bench_make(&bench, &bench_small);
    /* Written by the issuer before the app chip was taken over. */
    assert_int_equal(bench_sm_open(&bench, 0x01, 0x03), 0x9000);
    assert_int_equal(bench_sm_hex(&bench, "00A4040C 09 F05457494E434F5301"), 0x9000);
    assert_int_equal(bench_sm_hex(&bench, "00E00000 16 6214 820101 83025110 80020020 850102 "
                                          "8C0443C0C091"),
                     0x9000);
    assert_int_equal(bench_sm(&bench, 0x00, 0xD6, 0x00, 0x00, vault_content, sizeof vault_content),
                     0x9000);
    bench_power_off(&bench);
    assert_true(bench_power_on(&bench));
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    bench_free(&bench);
    gate_snapshot_free(&card);
    hunt_free(&hunt);
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
