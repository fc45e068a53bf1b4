/* SPDX-License-Identifier: Apache-2.0
 *
 * What stands between the steps of an authentication, beside the open command, behind a lost frame
 * and under a provider that lacks something: each of it once did what it must not.
 */
#include "app_domain/domain.h"
#include "crypt_rig.h"
#include "iso_card.h"
#include "secure_domain/domain.h"
#include "tiny_crypto.h"
#include "twinctl/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define K8  "0123456789ABCDEF"
#define K16 "00112233445566778899AABBCCDDEEFF"

/* ---- A part of another command between GET CHALLENGE and what uses it ---- */

static void a_part_of_another_command_interrupts(void **state)
{
    static const char *const between[] = {"102A9080 01 00", "10860083 01 7C", "10820082 01 00",
                                          "90820100 01 00", "90F10401 01 00"};
    struct bench *bench = *state;

    for (size_t i = 0; i < CARD_COUNT(between); i++) {
        uint8_t apdu[21] = {0x00, 0x82, 0x00, 0x83, 16};
        bench_select(bench);
        bench_expect(bench, "0084000010", 0x9000, CARD_ANY);
        assert_true(
            crypto_aes_ecb(bench_external_key, 16, CRYPTO_ENCIPHER, bench->data, 16, apdu + 5));
        (void)bench_hex(bench, between[i]);
        const uint16_t part = bench->sw;
        const uint16_t sw = bench_apdu(bench, apdu, sizeof apdu);
        if (sw != 0x6985) {
            fail_msg("%s (%04X): EXTERNAL AUTHENTICATE %04X", between[i], part, sw);
        }
    }
}

static void the_same_under_secure_messaging(void **state)
{
    static const uint8_t zero;
    static const struct command between[] = {{0x10, 0x86, 0x00, 0x83, &zero, 1, 0},
                                             {0x10, 0x82, 0x00, 0x82, &zero, 1, 0}};
    struct bench *bench = *state;
    struct iso_sm sm;

    for (size_t i = 0; i <= CARD_COUNT(between); i++) {
        uint8_t answer[16];
        iso_open(bench, ISO_AES, &sm);
        const struct command ask = {0x00, 0x84, 0x00, 0x00, NULL, 0, 16};
        assert_int_equal(iso_send_command(bench, &sm, &ask), 0x9000);
        assert_true(
            crypto_aes_ecb(bench_external_key, 16, CRYPTO_ENCIPHER, bench->data, 16, answer));
        if (i < CARD_COUNT(between)) {
            assert_int_equal(iso_send_command(bench, &sm, &between[i]), 0x9000);
        }
        const struct command first = {0x10, 0x82, 0x00, 0x83, answer, 10, 0};
        const struct command last = {0x00, 0x82, 0x00, 0x83, answer + 10, 6, 0};
        assert_int_equal(iso_send_command(bench, &sm, &first), 0x9000);
        assert_int_equal(iso_send_command(bench, &sm, &last),
                         i < CARD_COUNT(between) ? 0x6985 : 0x9000);
    }
}

/* A part in the clear ends a session, as any command in the clear does. */
static void a_part_in_the_clear_ends_the_session(void **state)
{
    static const char *const parts[] = {"102A9080 01 00", "10820083 01 00", "10860083 01 7C",
                                        "90F10401 01 00", "10D60000 01 00"};
    struct bench *bench = *state;

    for (size_t i = 0; i < CARD_COUNT(parts); i++) {
        bench_session(bench, 0x33);
        bench_expect_sm(bench, BENCH_APPLICATION, 0x9000, NULL);
        (void)bench_hex(bench, parts[i]);
        const uint16_t part = bench->sw;
        const uint16_t sw = bench_sm_hex(bench, "00200081");
        if (sw != 0x6982) {
            fail_msg("%s (%04X): %04X under secure messaging", parts[i], part, sw);
        }
    }
}

/* The command itself may come in parts. */
static void its_own_parts_do_not(void **state)
{
    struct bench *bench = *state;
    uint8_t first[15] = {0x10, 0x82, 0x00, 0x83, 10}, last[11] = {0x00, 0x82, 0x00, 0x83, 6};
    uint8_t answer[16];

    bench_select(bench);
    bench_expect(bench, "0084000010", 0x9000, CARD_ANY);
    assert_true(crypto_aes_ecb(bench_external_key, 16, CRYPTO_ENCIPHER, bench->data, 16, answer));
    memcpy(first + 5, answer, 10);
    memcpy(last + 5, answer + 10, 6);
    assert_int_equal(bench_apdu(bench, first, sizeof first), 0x9000);
    assert_int_equal(bench_apdu(bench, last, sizeof last), 0x9000);
}

/* ---- VERIFY under secure messaging ---- */

static void open_for(struct bench *bench, struct iso_sm *sm, const struct command *command)
{
    uint8_t message[1 + BYTES_MAX] = {0};
    struct cos_span part = {message, 0}, body;
    struct bytes apdu;

    iso_wrap(sm, command, &apdu);
    memcpy(message + 1, apdu.data, apdu.length);
    part.length = 1 + apdu.length;
    assert_int_equal(cos_gate_call(&bench->app.gate, COS_GATE_SM_OPEN, &part, 1, &body), COS_OK);
}

/* The PIN is verified; somebody sends a wrong one, and the app chip asks instead of comparing. */
static void a_query_does_not_answer_for_a_pin(void **state)
{
    static const uint8_t query[] = {COS_PIN_QUERY, 0, 0x81, 0}, seal[] = {0, 0x90, 0x00};
    const struct command wrong = {0x00, 0x20, 0x00, 0x81, (const uint8_t *)"999999", 6, 0};
    struct bench *bench = *state;
    struct iso_sm sm;
    struct cos_span part = {query, sizeof query}, body;

    iso_open(bench, ISO_AES, &sm);
    iso_expect(bench, &sm, "00200081 06 313233343536", 0x9000, NULL);
    open_for(bench, &sm, &wrong);
    const enum cos_result result = cos_gate_call(&bench->app.gate, COS_GATE_PIN, &part, 1, &body);
    part = (struct cos_span){seal, sizeof seal};
    assert_int_equal(cos_gate_call(&bench->app.gate, COS_GATE_SM_SEAL, &part, 1, &body), COS_OK);
    if (cos_get16(body.data) == 0x9000) {
        fail_msg("the terminal is told 9000 of a wrong PIN (the query got %d)", result);
    }
}

/* Odd instructions, which the card has not, are forms of the same commands (ISO/IEC 7816-4:2013,
 * 5.4.2): their data are secret, too. */
static void data_of_odd_instructions_are_held(void **state)
{
    static const uint8_t odd[] = {0x21, 0x25, 0x27, 0x29, 0x2D};
    struct bench *bench = *state;
    struct iso_sm sm;

    for (size_t i = 0; i < CARD_COUNT(odd); i++) {
        const struct command command = {0x00, odd[i], 0x00, 0x81, (const uint8_t *)"123456", 6, 0};
        uint8_t message[1 + BYTES_MAX] = {0};
        struct cos_span part = {message, 0}, body;
        struct bytes apdu;
        iso_open(bench, ISO_AES, &sm);
        assert_int_equal(iso_send_command(bench, &sm, &command), 0x6D00);
        iso_wrap(&sm, &command, &apdu);
        memcpy(message + 1, apdu.data, apdu.length);
        part.length = 1 + apdu.length;
        assert_int_equal(cos_gate_call(&bench->app.gate, COS_GATE_SM_OPEN, &part, 1, &body),
                         COS_OK);
        if (bench_contains(body.data, body.length, "123456", 6)) {
            fail_msg("%02X: the app chip gets the PIN", odd[i]);
        }
    }
}

/* ---- An answer that does not fit ---- */

static void what_cannot_be_answered_costs_no_use(void **state)
{
    struct bench *bench = *state;
    uint8_t data[576] = {0};
    struct object key;
    struct iso_sm sm;

    crypt_key(bench, 10, OF_APPLICATION " 800101 CE010A CA020005 C710" K16);
    iso_open(bench, ISO_AES, &sm);
    iso_expect(bench, &sm, "0022C1B8 06 800106 84018A", 0x9000, NULL);
    for (size_t at = 0; at < sizeof data; at += 192) {
        const bool last = at + 192 == sizeof data;
        const struct command part = {last ? 0x00 : 0x10, 0x2A, 0x80,          0x84,
                                     data + at,          192,  last ? 256 : 0};
        assert_int_equal(iso_send_command(bench, &sm, &part), last ? 0x6700 : 0x9000);
    }
    assert_int_equal(cos_status_find(&bench->secure, 0, 0x8A, OBJECT_KEY, &key), COS_OK);
    assert_int_equal(key.uses_left, 5);
}

/* ---- A provider that lacks something ---- */

static void keys_for_another_provider(void **state)
{
    static const struct {
        uint8_t number;
        const char *attributes, *set, *command;
    } keys[] = {
        {10, " 800103 C90100 CE0110 C710" K16, "0022C1B4 06 800108 84018A", "002A8E80 01 00 00"},
        {11, " 800103 C90100 CE0140 C710" K16, NULL, "0088008B 00"},
        {12, " 800102 CE0110 C718 " K16 "0011223344556677", "0022C1B4 06 800108 84018C",
         "002A8E80 01 00 00"},
        {13, " 800102 CE010A C718 " K16 K8, "0022C1B8 06 800106 84018D", "002A8084 08" K8 "00"},
    };
    struct bench *bench = *state;
    char attributes[200];

    for (size_t i = 0; i < CARD_COUNT(keys); i++) {
        (void)snprintf(attributes, sizeof attributes, OF_APPLICATION "%s", keys[i].attributes);
        crypt_key(bench, keys[i].number, attributes);
    }
    bench_power_off(bench);
    bench_use(bench, &tiny_crypto);
    assert_true(bench_power_on(bench));
    for (size_t i = 0; i < CARD_COUNT(keys); i++) {
        bench_select(bench);
        if (keys[i].set != NULL) {
            bench_expect(bench, keys[i].set, 0x9000, NULL);
        }
        bench_expect(bench, keys[i].command, 0x6984, NULL);
        assert_int_equal(bench->secure.attacks, 0);
    }
    bench_expect(bench, "0084000008", 0x9000, CARD_ANY); /* MUTUAL AUTHENTICATE with 3DES */
    bench_expect(bench, "00820085 28" K16 K16 K8 "00", 0x6984, NULL);
    struct object key;
    assert_int_equal(cos_status_find(&bench->secure, 0, 0x85, OBJECT_KEY, &key), COS_OK);
    assert_int_equal(key.tries_left, key.tries_max);
    assert_int_equal(bench->secure.attacks, 0);
}

/* ---- A session that is lost in the middle of a chain ---- */

static unsigned lost;

static unsigned lose(void *context, bool to_secure, uint8_t *frame, size_t *length)
{
    (void)context, (void)length;
    if (to_secure && frame[3 + 0] == COS_GATE_SM_SEAL && lost > 0) {
        lost--;
        return 0;
    }
    return 1;
}

static void a_session_lost_in_a_chain_is_opened_anew(void **state)
{
    struct bench *bench = *state;

    bench_session(bench, 0x33);
    bench_expect_sm(bench, BENCH_APPLICATION, 0x9000, NULL);
    bench->tap = lose;
    lost = COS_GATE_TRIES;
    (void)bench_sm(bench, 0x10, 0x20, 0x00, 0x81, (const uint8_t *)"123", 3);
    assert_int_equal(lost, 0);
    assert_false(bench->app.gate.open);
    bench_expect(bench, BENCH_APPLICATION, 0x9000, NULL);
    bench_expect(bench, "00200081", 0x63C3, NULL);
    assert_false(bench_contains(bench->secure.held.data, sizeof bench->secure.held.data, "123", 3));
}

/* ---- A reset in the middle of a chain ---- */

static void a_reset_leaves_no_parts_behind(void **state)
{
    struct bench *bench = *state;

    bench_select(bench);
    bench_expect(bench, "10200081 05 3132333435", 0x9000, NULL);
    assert_true(bench_contains(bench->chain_buffer, sizeof bench->chain_buffer, "12345", 5));
    bench_reset(bench);
    assert_false(bench_contains(bench->chain_buffer, sizeof bench->chain_buffer, "12345", 5));
}

/* ---- Sensor events during a call ---- */

static struct {
    struct bench *bench;
    bool told;
    unsigned written; /* the counter in NVM when the answer is on the line */
} sensed;

static enum cos_result glitched(void *context, uint32_t address, const uint8_t *data, size_t length)
{
    if (!sensed.told) {
        sensed.told = true;
        cos_secure_sensor(&sensed.bench->secure, COS_SENSOR_LIGHT);
    }
    return sensed.bench->app_nvm.nvm.program(context, address, data, length);
}

static unsigned watch_answer(void *context, bool to_secure, uint8_t *frame, size_t *length)
{
    uint8_t attacks[2];

    (void)context, (void)frame, (void)length;
    if (!to_secure && sensed.told) {
        assert_int_equal(cos_state_read(&sensed.bench->secure, STATE_ATTACKS, attacks, 2), COS_OK);
        sensed.written = cos_get16(attacks);
    }
    return 1;
}

/* Who has seen the answer may cut the power: the event stands in NVM by then. */
static void an_event_is_counted_before_the_answer_leaves(void **state)
{
    struct bench *bench = *state;

    bench_select(bench);
    sensed.bench = bench;
    sensed.told = false;
    sensed.written = 0;
    bench->secure_nvm.nvm.program = glitched;
    bench->tap = watch_answer;
    bench_expect(bench, "00200081 06 393939393939", 0x63C2, NULL);
    bench->tap = NULL;
    assert_true(sensed.told);
    assert_int_equal(sensed.written, 1);
}

/* ---- Any command in parts under secure messaging ---- */

static void any_command_in_parts_under_secure_messaging(void **state)
{
    static const size_t lengths[] = {256, 300, 512, 537, 588, 589, 592};
    static uint8_t zeros[600];
    struct bench *bench = *state;

    for (unsigned ins = 0; ins < 256; ins++) {
        if (cos_app_find_command(false, (uint8_t)ins) == NULL) {
            continue;
        }
        bench_session(bench, 0x33);
        bench_expect_sm(bench, BENCH_APPLICATION, 0x9000, NULL);
        for (size_t i = 0; i < CARD_COUNT(lengths); i++) {
            uint16_t sw = 0x9000;
            for (size_t at = 0; at < lengths[i] && sw == 0x9000; at += 200) {
                const size_t left = lengths[i] - at;
                sw = bench_sm(bench, left > 200 ? 0x10 : 0x00, (uint8_t)ins, 0x00, 0x81, zeros,
                              left > 200 ? 200 : left);
            }
            if (sw == 0x6F00 || bench->app.mute || bench->secure.alive != COS_YES) {
                fail_msg("%02X, %zu bytes: %04X", ins, lengths[i], sw);
            }
        }
    }
    assert_int_equal(bench->secure.attacks, 0);
}

/* ---- A hostile app chip that keeps a part from the command ---- */

/* SM_OPEN of a command of the SCP03 session, by the app chip's own hands. */
static enum cos_result open_by_hand(struct bench *bench, uint8_t cla, const char *data,
                                    struct cos_span *body)
{
    uint8_t bytes[32], message[1 + BYTES_MAX] = {0};
    const struct command command = {cla, 0x24, 0x00, 0x81, bytes, strlen(data), 256};
    struct bytes apdu = {0};

    memcpy(bytes, data, strlen(data));
    assert_true(scp03_wrap(&bench->scp03, &command, &apdu));
    memcpy(message + 1, apdu.data, apdu.length);
    const struct cos_span part = {message, 1 + apdu.length};
    return cos_gate_call(&bench->app.gate, COS_GATE_SM_OPEN, &part, 1, body);
}

/* Without a MAC in the response the terminal takes the app chip's word that a part was taken. If
 * the security chip forgot the part, the rest of the data would be a command by itself. */
static void a_part_cannot_be_left_out(void **state)
{
    static const struct cos_span refused = {(const uint8_t *)"\x00\x69\x85", 3};
    struct bench *bench = *state;
    struct cos_span body;

    for (unsigned sealed = 0; sealed < 2; sealed++) {
        bench_session(bench, 0x03);
        bench_expect_sm(bench, BENCH_APPLICATION, 0x9000, NULL);
        assert_int_equal(open_by_hand(bench, 0x10, "000000", &body), COS_OK);
        if (sealed != 0) {
            assert_int_equal(cos_gate_call(&bench->app.gate, COS_GATE_SM_SEAL, &refused, 1, &body),
                             COS_OK);
        }
        assert_int_equal(open_by_hand(bench, 0x00, "123456654321", &body), COS_E_SECURITY_STATUS);
        bench_expect(bench, BENCH_APPLICATION, 0x9000, NULL);
        bench_expect(bench, "00200081 06 313233343536", 0x9000, NULL);
    }
}

/* So is a block of STORE DATA whose last group the next one ends. */
static void a_block_cannot_be_left_out(void **state)
{
    static const uint8_t pin[] = {0x80, 0x10, 0x0C, 0x83, 0x01, 0x05, 0xC0, 0x01,
                                  0x03, 0xC7, 0x04, 0x35, 0x35, 0x35, 0x35};
    static const struct cos_span success = {(const uint8_t *)"\x00\x90\x00", 3};
    struct bench *bench = *state;

    for (unsigned sealed = 0; sealed < 2; sealed++) {
        const struct command first = {0x80, 0xE2, 0x60, 0x00, pin, 3, 256};
        uint8_t message[1 + BYTES_MAX] = {0};
        struct bytes apdu = {0};
        struct cos_span body;
        bench_session(bench, 0x03);
        assert_true(scp03_wrap(&bench->scp03, &first, &apdu));
        memcpy(message + 1, apdu.data, apdu.length);
        const struct cos_span open = {message, 1 + apdu.length};
        assert_int_equal(cos_gate_call(&bench->app.gate, COS_GATE_SM_OPEN, &open, 1, &body),
                         COS_OK);
        if (sealed != 0) { /* but not executed */
            assert_int_equal(cos_gate_call(&bench->app.gate, COS_GATE_SM_SEAL, &success, 1, &body),
                             COS_OK);
        }
        assert_int_equal(bench_sm(bench, 0x80, 0xE2, 0xE0, 0x01, pin, sizeof pin), 0x6982);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(a_part_of_another_command_interrupts),
        CARD_TEST(a_part_in_the_clear_ends_the_session),
        CARD_TEST(its_own_parts_do_not),
        ISO_TEST(the_same_under_secure_messaging),
        ISO_TEST(a_query_does_not_answer_for_a_pin),
        ISO_TEST(data_of_odd_instructions_are_held),
        ISO_TEST(what_cannot_be_answered_costs_no_use),
        CARD_TEST(a_session_lost_in_a_chain_is_opened_anew),
        CARD_TEST(a_part_cannot_be_left_out),
        CARD_TEST(a_block_cannot_be_left_out),
        CARD_TEST(a_reset_leaves_no_parts_behind),
        CARD_TEST(an_event_is_counted_before_the_answer_leaves),
        CARD_TEST(any_command_in_parts_under_secure_messaging),
        ISO_TEST(keys_for_another_provider),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
