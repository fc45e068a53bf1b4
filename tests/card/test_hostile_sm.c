/* SPDX-License-Identifier: Apache-2.0
 *
 * The app chip was taken over, and terminal and issuer use secure messaging that protects
 * responses, too: ISO/IEC 7816-4 after mutual authentication with 3DES and AES, SCP03 with R-MAC
 * and R-ENC. What is secret passes it by, and it can make nothing else of a command that it is
 * handed. What it prints in lines with '#' is for people.
 */
#include "hostile.h"
#include "iso_card.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { VARIATIONS = 15000 };

static struct bench *const bench = &hostile.bench;

static const uint8_t fresh_key[16] = {0x6B, 0x01, 0xD7, 0x3C, 0x92, 0xE8, 0x45, 0xAF,
                                      0x1D, 0x70, 0xC6, 0x5B, 0x38, 0xF4, 0x09, 0xA2};
static const struct scp03_keys fresh_set = {
    .length = 16,
    .enc = {0x51, 0x9C, 0x07, 0xE2, 0x3D, 0x88, 0xF6, 0x1A, 0xB4, 0x60, 0xCB, 0x25, 0x7E, 0x93,
            0xD0, 0x4F},
    .mac = {0x52, 0x9D, 0x08, 0xE3, 0x3E, 0x89, 0xF7, 0x1B, 0xB5, 0x61, 0xCC, 0x26, 0x7F, 0x94,
            0xD1, 0x50},
    .dek = {0x53, 0x9E, 0x09, 0xE4, 0x3F, 0x8A, 0xF8, 0x1C, 0xB6, 0x62, 0xCD, 0x27, 0x80, 0x95,
            0xD2, 0x51},
};

static void list_secrets(void)
{
    hunt_secret(&hostile.hunt, "PIN", BENCH_PIN, 6);
    hunt_secret(&hostile.hunt, "resetting code", BENCH_PIN_CODE, 8);
    hunt_secret(&hostile.hunt, "PIN that was changed", "27182818", 8);
    hunt_secret(&hostile.hunt, "PIN that was reset", "31415926", 8);
    hunt_secret(&hostile.hunt, "stored key", fresh_key, 16);
    hunt_secret(&hostile.hunt, "new key ENC", fresh_set.enc, 16);
    hunt_secret(&hostile.hunt, "new key MAC", fresh_set.mac, 16);
    hunt_secret(&hostile.hunt, "new key DEK", fresh_set.dek, 16);
    hunt_secret(&hostile.hunt, "card key ENC", bench_keys_card.enc, 16);
    hunt_secret(&hostile.hunt, "card key MAC", bench_keys_card.mac, 16);
    hunt_secret(&hostile.hunt, "card key DEK", bench_keys_card.dek, 16);
    for (enum iso_key key = ISO_DES3; key < ISO_KEYS; key++) {
        const struct iso_sm sm = iso_key_of(key);
        hunt_secret(&hostile.hunt, "mutual key ENC", sm.enc, 16);
        hunt_secret(&hostile.hunt, "mutual key MAC", sm.mac, 16);
    }
}

static void list_session(void)
{
    const struct cos_session *session = &bench->secure.sessions[0];

    hunt_secret(&hostile.hunt, "session key ENC", session->enc, 16);
    hunt_secret(&hostile.hunt, "session key MAC", session->mac, 16);
    if (session->protocol == COS_SM_SCP03) {
        hunt_secret(&hostile.hunt, "session key RMAC", session->rmac, 16);
    }
}

/* Sends commands with secrets in turn, and searches the app chip after each. */
static void terminal_sends(struct iso_sm *sm)
{
    static const struct {
        const char *apdu;
        uint16_t sw;
    } commands[] = {
        {"00200081 06 313233343536", 0x9000},
        {"00200081 06 393939393939", 0x63C2},
        {"00240081 0E 313233343536 3237313832383138", 0x9000},
        {"002C0081 10 3837363534333231 3331343135393236", 0x9000},
        {"00200081 08 3331343135393236", 0x9000},
        {"00240081 0E 3331343135393236 313233343536", 0x9000},
    };

    for (size_t i = 0; i < COUNT(commands); i++) {
        if (sm != NULL) {
            iso_expect(bench, sm, commands[i].apdu, commands[i].sw, NULL);
        } else {
            bench_expect_sm(bench, commands[i].apdu, commands[i].sw, NULL);
        }
        hostile_search_app_chip();
    }
}

static void issuer_sends(void)
{
    uint8_t dgi[14 + 16] = {0x80, 0x20, 27, 0x83, 1, 8, 0x80, 1, 1, 0x95, 1, 1, 0xC7, 16};
    struct bytes keys = {0};

    memcpy(dgi + 14, fresh_key, sizeof fresh_key);
    assert_int_equal(bench_sm(bench, 0x80, 0xE2, 0xE0, 0x00, dgi, sizeof dgi), 0x9000);
    hostile_search_app_chip();
    assert_true(scp03_put_key(bench_keys_card.dek, 16, 0x02, &fresh_set, &keys));
    assert_int_equal(bench_sm(bench, 0x80, 0xD8, 0x00, 0x81, keys.data, keys.length), 0x9000);
    hostile_search_app_chip();
    bench_expect_sm(bench, "80E40000 03 D20102", 0x9000, NULL);
}

static void secrets_pass_by_the_app_chip(void **state)
{
    static const uint8_t levels[] = {0x03, 0x13, 0x33};
    struct iso_sm sm;

    (void)state;
    list_secrets();
    bench->tap = hostile_listen;
    for (enum iso_key key = ISO_DES3; key < ISO_KEYS; key++) {
        iso_open(bench, key, &sm);
        list_session();
        terminal_sends(&sm);
    }
    for (size_t i = 0; i < COUNT(levels); i++) {
        bench_session(bench, levels[i]);
        list_session();
        bench_expect_sm(bench, "00A4040C 09 F05457494E434F5301", 0x9000, NULL);
        terminal_sends(NULL);
        issuer_sends();
    }
    bench_session(bench, 0x33); /* and stored again, as they came to the card */
    list_session();
    iso_store_keys(bench, "");
    hostile_search_app_chip();
    hostile_search("a frame on the link", hostile.hunt.seen, hostile.hunt.seen_length);
    print_message(
        "# ISO secure messaging (3DES, AES) and SCP03 (levels 03, 13, 33): PINs verified, "
        "changed and reset, keys stored and put; %lu frames between the chips and the app "
        "chip's memory after each: none of %zu secrets\n",
        hostile.frames, hostile.hunt.count);
    bench_power_off(bench);
    assert_true(bench_power_on(bench));
    bench_select(bench);
    bench->tap = NULL;
    gate_snapshot_save(bench, &hostile.card);
}

/* Has the security chip open a terminal's command, and stops there. */
static void open_for_terminal(enum iso_key key, const struct command *command,
                              struct gate_snapshot *opened)
{
    uint8_t message[1 + BYTES_MAX] = {0};
    struct cos_span part = {message, 0}, body;
    struct iso_sm sm;
    struct bytes apdu;

    gate_snapshot_restore(bench, &hostile.card);
    bench->tap = hostile_listen;
    iso_open(bench, key, &sm);
    iso_wrap(&sm, command, &apdu);
    memcpy(message + 1, apdu.data, apdu.length);
    part.length = 1 + apdu.length;
    assert_int_equal(cos_gate_call(&bench->app.gate, COS_GATE_SM_OPEN, &part, 1, &body), COS_OK);
    hunt_see(&hostile.hunt, body.data, body.length);
    assert_true(bench->secure.in_sm);
    list_session();
    gate_snapshot_save(bench, opened);
}

static void in_the_middle_of_a_terminals_session(void **state)
{
    static struct gate_snapshot opened;
    const struct command commands[] = {
        {0x00, 0x20, 0x00, 0x81, (const uint8_t *)BENCH_PIN, 6, 0},
        {0x00, 0x24, 0x00, 0x81, (const uint8_t *)BENCH_PIN "27182818", 14, 0},
        {0x00, 0xB0, 0x81, 0x00, NULL, 0, 256},
        {0x00, 0xFE, 0x00, 0x00, NULL, 0, 0},
    };

    (void)state;
    hostile.calls = 0;
    hostile.secured = true;
    for (enum iso_key key = ISO_DES3; key <= ISO_AES; key++) {
        for (size_t i = 0; i < COUNT(commands); i++) {
            open_for_terminal(key, &commands[i], &opened);
            if (key == ISO_AES && commands[i].ins == 0x20) {
                hostile_ask_everything(&opened);
            }
            hostile_ask_variations(&opened, VARIATIONS, 0x5445524D + i + 16U * key);
        }
    }
    hostile_search("an answer or a frame", hostile.hunt.seen, hostile.hunt.seen_length);
    hostile_search_app_chip();
    gate_snapshot_free(&opened);
    print_message(
        "# in the middle of a terminal's session, %zu commands left open: %lu calls; held "
        "PINs were not let out, nothing was satisfied, stored, reset or terminated\n",
        2 * COUNT(commands), hostile.calls);
}

/* The response to a held command is the security chip's: what the app chip says is not sealed. */
static void the_app_chip_cannot_answer_for_the_security_chip(void **state)
{
    static const uint8_t lie[] = {0x00, 0x90, 0x00, 'O', 'K'};
    const struct command verify = {0x00, 0x20, 0x00, 0x81, (const uint8_t *)"999999", 6, 0};

    (void)state;
    for (enum iso_key key = ISO_DES3; key <= ISO_AES; key++) {
        for (unsigned executed = 0; executed < 2; executed++) {
            static const uint8_t call[] = {COS_PIN_VERIFY, 0x00, 0x81, 0x01};
            uint8_t message[1 + BYTES_MAX] = {0};
            struct cos_span part = {message, 0}, body;
            struct iso_sm sm;
            struct bytes apdu, plain;
            gate_snapshot_restore(bench, &hostile.card);
            iso_open(bench, key, &sm);
            iso_wrap(&sm, &verify, &apdu);
            memcpy(message + 1, apdu.data, apdu.length);
            part.length = 1 + apdu.length;
            assert_int_equal(cos_gate_call(&bench->app.gate, COS_GATE_SM_OPEN, &part, 1, &body),
                             COS_OK);
            part = (struct cos_span){call, sizeof call};
            if (executed != 0) {
                assert_int_equal(cos_gate_call(&bench->app.gate, COS_GATE_PIN, &part, 1, &body),
                                 cos_tries_left(2));
            }
            part = (struct cos_span){lie, sizeof lie};
            assert_int_equal(cos_gate_call(&bench->app.gate, COS_GATE_SM_SEAL, &part, 1, &body),
                             COS_OK);
            const uint16_t sw = executed != 0 ? 0x63C2 : 0x6F00;
            assert_int_equal(cos_get16(body.data), sw);
            assert_true(iso_unwrap(&sm, false, body.data + 2, body.length - 2, sw, &plain));
            assert_int_equal(plain.length, 0);
        }
    }
}

/* The same for all commands that are executed in the security chip: without the call that belongs
 * to one it did not succeed, after the call its result counts, and after a success there is no
 * second call. */
static void every_executed_command_has_its_own_answer(void **state)
{
    static const uint8_t lie[] = {0x00, 0x90, 0x00, 'O', 'K'};
    static const struct {
        const char *apdu;
        enum cos_gate_call call;
        uint8_t message[20];
        size_t length;
        enum cos_result result;
        size_t answer;
    } rows[] = {
        {"00200081", COS_GATE_PIN, {COS_PIN_QUERY, 0, 0x81, 0}, 4, COS_E_TRIES_0 - 3, 0},
        {"002C0381", COS_GATE_PIN, {COS_PIN_RESET_ONLY, 0, 0x81, 0}, 4, COS_OK, 0},
        {"00880082 10 41424344454647484142434445464748",
         COS_GATE_AUTH,
         {COS_AUTH_INTERNAL,
          0,
          0,
          0x82,
          'A',
          'B',
          'C',
          'D',
          'E',
          'F',
          'G',
          'H',
          'A',
          'B',
          'C',
          'D',
          'E',
          'F',
          'G',
          'H'},
         20,
         COS_OK,
         16},
        {"00820083 02 4142",
         COS_GATE_AUTH,
         {COS_AUTH_EXTERNAL, 0, 0, 0x83, 'A', 'B'},
         6,
         COS_E_LENGTH,
         0},
        {"00860083 04 7C028100",
         COS_GATE_AUTH,
         {COS_AUTH_GENERAL, 0, 0, 0x83, 0x7C, 0x02, 0x81, 0x00},
         8,
         COS_OK,
         20},
        {"00870082 02 7C00",
         COS_GATE_AUTH,
         {COS_AUTH_GENERAL, 0, 0, 0x82, 0x7C, 0x00},
         6,
         COS_E_DATA,
         0},
        {"80E40000 03 D0018E",
         COS_GATE_KEY,
         {COS_KEY_DELETE, 0, 0x8E, 0},
         4,
         COS_E_REFERENCE_NOT_FOUND,
         0},
        {"80F0800F", COS_GATE_LIFE, {COS_LIFE_SET, 0, 0x0F}, 3, COS_E_CONDITIONS, 0},
        {"00FE0000", COS_GATE_LIFE, {COS_LIFE_SET, 0, 0xFF}, 3, COS_OK, 0},
    };

    (void)state;
    for (size_t i = 0; i < 2 * COUNT(rows); i++) {
        const bool executed = i % 2 != 0;
        uint8_t message[1 + BYTES_MAX] = {0}, answer[64] = {0}, sealed[64];
        struct cos_span part = {message, 0}, body;
        struct bytes apdu;
        uint16_t sw = 0x6F00;
        gate_snapshot_restore(bench, &hostile.card);
        bench_session(bench, 0x33);
        bench_expect_sm(bench, "00A4040C 09 F05457494E434F5301", 0x9000, NULL);
        bench_wrap(bench, rows[i / 2].apdu, &apdu);
        memcpy(message + 1, apdu.data, apdu.length);
        part.length = 1 + apdu.length;
        assert_int_equal(cos_gate_call(&bench->app.gate, COS_GATE_SM_OPEN, &part, 1, &body),
                         COS_OK);
        part = (struct cos_span){rows[i / 2].message, rows[i / 2].length};
        if (executed) {
            const enum cos_result result =
                cos_gate_call(&bench->app.gate, rows[i / 2].call, &part, 1, &body);
            assert_int_equal(result, rows[i / 2].result);
            assert_int_equal(body.length, rows[i / 2].answer);
            memcpy(answer, body.data, body.length);
            sw = cos_sw(result);
            if (bench->secure.life_cycle != COS_LIFE_TERMINATED) {
                assert_int_equal(cos_gate_call(&bench->app.gate, rows[i / 2].call, &part, 1, &body),
                                 result == COS_OK ? COS_E_CONDITIONS : result);
            }
        }
        part = (struct cos_span){lie, sizeof lie};
        assert_int_equal(cos_gate_call(&bench->app.gate, COS_GATE_SM_SEAL, &part, 1, &body),
                         COS_OK);
        assert_int_equal(cos_get16(body.data), sw);
        size_t length = body.length - 2;
        memcpy(sealed, body.data + 2, length);
        assert_true(scp03_unwrap(&bench->scp03, sw, sealed, &length));
        assert_int_equal(length, executed ? rows[i / 2].answer : 0);
        assert_memory_equal(sealed, answer, length);
    }
}

static int make(void **state)
{
    (void)state;
    bench_make(bench, &bench_host);
    bench_session(bench, 0x33);
    iso_store_keys(bench, "");
    bench_power_off(bench);
    return bench_power_on(bench) ? 0 : -1;
}

static int unmake(void **state)
{
    (void)state;
    bench_free(bench);
    gate_snapshot_free(&hostile.card);
    hunt_free(&hostile.hunt);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_pass_by_the_app_chip),
        cmocka_unit_test(in_the_middle_of_a_terminals_session),
        cmocka_unit_test(the_app_chip_cannot_answer_for_the_security_chip),
        cmocka_unit_test(every_executed_command_has_its_own_answer),
    };

    return cmocka_run_group_tests(tests, make, unmake);
}
