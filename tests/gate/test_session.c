/* SPDX-License-Identifier: Apache-2.0
 *
 * Sessions of the gate: how they begin (docs/formats.md, "HELLO"), and that nothing outlives them.
 */
#include "gate_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct bench bench;
static struct gate_rig rig;
static struct gate_snapshot card;

static const uint8_t challenge[] = {0x00, 0x10};

static int make(void **state)
{
    (void)state;
    bench_make(&bench, &bench_small);
    assert_int_equal(bench_hex(&bench, "00A40400 09 F05457494E434F5301"), 0x9000);
    gate_snapshot_save(&bench, &card);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    bench_free(&bench);
    gate_snapshot_free(&card);
    return 0;
}

static int fresh(void **state)
{
    (void)state;
    gate_snapshot_restore(&bench, &card);
    gate_rig_take(&rig, &bench);
    return 0;
}

static int plain(uint8_t opcode, const uint8_t *message, size_t length)
{
    static uint32_t sequence = 0x1000;
    struct bench_frame request;

    (void)gate_rig_plain(sequence++, opcode, message, length, &request);
    assert_true(gate_rig_deliver(&rig, &request));
    assert_true(gate_rig_open(&rig, &request));
    return rig.result;
}

/* ---- HELLO ---- */

static void hello_goes_step_by_step(void **state)
{
    uint8_t begin[18] = {COS_HELLO_BEGIN, 0x01}, confirm[9] = {COS_HELLO_CONFIRM};
    uint8_t secret[COS_PAIRING_SECRET];
    const uint32_t session = bench.secure.gate.session;
    struct cos_channel_keys keys;

    (void)state;
    assert_int_equal(gate_rig_secret(&bench, secret), 1);
    /* Confirmation without a beginning; a generation that there is not. */
    assert_int_equal(plain(COS_GATE_HELLO, confirm, 9), COS_E_GATE_SESSION);
    for (unsigned generation = 0; generation <= 0xFF; generation++) {
        begin[1] = (uint8_t)generation;
        assert_int_equal(plain(COS_GATE_HELLO, begin, 18),
                         generation == 1 ? COS_OK : COS_E_GATE_SESSION);
    }
    begin[1] = 0x01;
    /* A confirmation with any bit wrong, then the right one: too late. */
    for (unsigned bit = 0; bit < 64; bit++) {
        assert_int_equal(plain(COS_GATE_HELLO, begin, 18), COS_OK);
        assert_int_equal(
            cos_channel_derive(&cos_crypto_tomcrypt, secret, begin + 2, rig.body, &keys), COS_OK);
        assert_memory_equal(rig.body + 16, keys.confirmation_secure, 8);
        memcpy(confirm + 1, keys.confirmation_app, 8);
        confirm[1 + bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(plain(COS_GATE_HELLO, confirm, 9), COS_E_GATE_SESSION);
        memcpy(confirm + 1, keys.confirmation_app, 8);
        assert_int_equal(plain(COS_GATE_HELLO, confirm, 9), COS_E_GATE_SESSION);
    }
    /* None of that touched the session that is open. */
    assert_int_equal(bench.secure.gate.session, session);
    assert_true(gate_rig_call(&rig, COS_GATE_CHALLENGE, challenge, 2));
    /* And the right way. */
    assert_true(gate_rig_hello(&rig, &bench));
    assert_int_not_equal(bench.secure.gate.session, session);
    assert_true(gate_rig_call(&rig, COS_GATE_CHALLENGE, challenge, 2));
    assert_int_equal(rig.result, COS_OK);
}

static void nonces_are_fresh(void **state)
{
    uint8_t begin[18] = {COS_HELLO_BEGIN, 0x01}, seen[64][16];

    (void)state;
    for (size_t i = 0; i < COUNT(seen); i++) { /* the app chip's nonce is always the same */
        assert_int_equal(plain(COS_GATE_HELLO, begin, 18), COS_OK);
        memcpy(seen[i], rig.body, 16);
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(seen[i], seen[j], 16);
        }
    }
}

/* ---- The app chip's end ---- */

/* Answers to HELLO from a security chip that does not know the secret. */
static unsigned forge_answer(void *context, bool to_secure, uint8_t *bytes, size_t *length)
{
    const unsigned *byte = context;

    if (!to_secure && *length == 16 + 6 + 24) {
        bytes[12 + *byte] ^= 0x01;
        cos_put32(bytes + *length - 4, cos_crc32(0, bytes, *length - 4));
    }
    return 1;
}

static void the_app_chip_asks_for_proof_too(void **state)
{
    uint8_t secret[COS_PAIRING_SECRET];
    unsigned byte;

    (void)state;
    assert_int_equal(gate_rig_secret(&bench, secret), 1);
    bench.tap_context = &byte;
    for (byte = 6; byte < 6 + 24; byte++) {
        bench.tap = forge_answer;
        assert_int_equal(cos_gate_hello(&bench.app.gate, 1, secret), COS_E_GATE_SESSION);
        assert_false(bench.app.gate.open);
    }
    bench.tap = NULL;
    secret[31] ^= 0x80;
    assert_int_equal(cos_gate_hello(&bench.app.gate, 1, secret), COS_E_GATE_SESSION);
    secret[31] ^= 0x80;
    assert_int_equal(cos_gate_hello(&bench.app.gate, 1, secret), COS_OK);
    assert_true(bench.app.gate.open);
}

/* Loses the first `*context` requests, and notes that they are all the same. */
static struct bench_frame sent;
static unsigned sendings;
static unsigned lose_requests(void *context, bool to_secure, uint8_t *bytes, size_t *length)
{
    unsigned *lost = context;

    if (!to_secure) {
        return 1;
    }
    if (sendings++ > 0) {
        assert_int_equal(*length, sent.length);
        assert_memory_equal(bytes, sent.bytes, *length);
    }
    memcpy(sent.bytes, bytes, *length);
    sent.length = *length;
    return sendings <= *lost ? 0 : 1;
}

static void a_request_is_sent_four_times_byte_identical(void **state)
{
    const struct cos_span part = {challenge, sizeof challenge};
    struct cos_span body;

    (void)state;
    for (unsigned lost = 0; lost <= COS_GATE_TRIES; lost++) {
        (void)fresh(state);
        bench.tap = lose_requests;
        bench.tap_context = &lost;
        sendings = 0;
        assert_int_equal(cos_gate_call(&bench.app.gate, COS_GATE_CHALLENGE, &part, 1, &body),
                         lost < COS_GATE_TRIES ? COS_OK : COS_E_LINK_TIMEOUT);
        assert_int_equal(sendings, lost < COS_GATE_TRIES ? lost + 1 : COS_GATE_TRIES);
        assert_int_equal(bench.app.gate.open, lost < COS_GATE_TRIES);
    }
}

static void requests_outside_the_table_are_not_sent(void **state)
{
    static const uint8_t message[COS_GATE_MESSAGE_MAX];
    struct cos_span body;

    (void)state;
    bench.tap = lose_requests;
    for (unsigned opcode = 0x01; opcode <= 0x0E; opcode++) {
        const struct cos_gate_row *row = cos_gate_row((uint8_t)opcode);
        const struct cos_span longer[] = {{message, row->largest}, {message, 1}};
        const struct cos_span shorter = {message, row->smallest > 0 ? row->smallest - 1U : 0U};
        sendings = 0;
        assert_int_equal(
            cos_gate_call(&bench.app.gate, (enum cos_gate_call)opcode, longer, 2, &body),
            COS_E_GATE_FORMAT);
        if (row->smallest > 0) {
            assert_int_equal(
                cos_gate_call(&bench.app.gate, (enum cos_gate_call)opcode, &shorter, 1, &body),
                COS_E_GATE_FORMAT);
        }
        assert_int_equal(sendings, 0);
        assert_true(bench.app.gate.open);
    }
}

/* ---- What ends with a session ---- */

/* PIN verified, a command of the issuer's open with its PIN held. */
static void gather_status(void)
{
    assert_int_equal(bench_hex(&bench, "00200081 06 313233343536"), 0x9000);
    assert_int_equal(bench_sm_open(&bench, 0x01, 0x03), 0x9000);
    const struct command command = {0x00, 0x20, 0x00, 0x82, (const uint8_t *)BENCH_PIN_CODE, 8, 0};
    uint8_t message[1 + BYTES_MAX] = {0};
    struct bytes apdu = {0};
    assert_true(scp03_wrap(&bench.scp03, &command, &apdu));
    memcpy(message + 1, apdu.data, apdu.length);
    gate_rig_take(&rig, &bench);
    assert_true(gate_rig_call(&rig, COS_GATE_SM_OPEN, message, 1 + apdu.length));
    assert_int_equal(rig.result, COS_OK);
    assert_int_equal(bench.secure.sessions[0].open, COS_YES);
    assert_true(bench.secure.in_sm && bench.secure.held.used);
    assert_int_not_equal(bench.secure.channels[0].pins_local, 0);
}

static void assert_nothing_left(void)
{
    static const struct cos_held no_data;
    static const struct cos_channel no_status;

    assert_int_equal(bench.secure.sessions[0].open, COS_NO);
    assert_false(bench.secure.sessions[0].begun);
    assert_false(bench.secure.in_sm);
    assert_int_equal(bench.secure.challenge_length, 0);
    assert_memory_equal(&bench.secure.held, &no_data, sizeof no_data);
    assert_memory_equal(&bench.secure.channels[0], &no_status, sizeof no_status);
}

static void a_new_session_starts_with_nothing(void **state)
{
    (void)state;
    gather_status();
    assert_true(gate_rig_hello(&rig, &bench));
    assert_nothing_left();
}

static void an_attack_leaves_nothing(void **state)
{
    struct bench_frame frame;

    (void)state;
    gather_status();
    (void)gate_rig_seal(&rig, rig.sequence + 1, COS_GATE_STATUS, NULL, 0, &frame);
    frame.bytes[13] ^= 0x10;
    gate_rig_repair(&frame);
    assert_false(gate_rig_deliver(&rig, &frame));
    assert_nothing_left();
    assert_false(bench.secure.gate.open);
    assert_int_equal(bench.secure.attacks, 1);
}

/* Sensors count like bad tags; the session lives on until the limit. */
static void sensor_events_are_attacks(void **state)
{
    struct bench_frame request;

    (void)state;
    for (unsigned event = 1; event < COS_ATTACK_MUTE; event++) {
        cos_secure_sensor(&bench.secure, (enum cos_sensor)(1 + event % COS_SENSOR_SHIELD));
        assert_true(gate_rig_call(&rig, COS_GATE_CHALLENGE, challenge, 2));
        assert_int_equal(bench.secure.attacks, event);
    }
    cos_secure_sensor(&bench.secure, COS_SENSOR_LIGHT);
    (void)gate_rig_seal(&rig, ++rig.sequence, COS_GATE_CHALLENGE, challenge, 2, &request);
    assert_false(gate_rig_deliver(&rig, &request));
    assert_int_equal(bench.secure.verdict, COS_VERDICT_ATTACKED);
    assert_int_equal(plain(COS_GATE_STATUS, NULL, 0), COS_OK);
    assert_int_equal(rig.body[1], COS_VERDICT_ATTACKED);
    bench_power_off(&bench);
    assert_true(bench_power_on(&bench));
    assert_int_equal(bench.secure.attacks, COS_ATTACK_MUTE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(hello_goes_step_by_step, fresh),
        cmocka_unit_test_setup(nonces_are_fresh, fresh),
        cmocka_unit_test_setup(the_app_chip_asks_for_proof_too, fresh),
        cmocka_unit_test(a_request_is_sent_four_times_byte_identical),
        cmocka_unit_test_setup(requests_outside_the_table_are_not_sent, fresh),
        cmocka_unit_test_setup(a_new_session_starts_with_nothing, fresh),
        cmocka_unit_test_setup(an_attack_leaves_nothing, fresh),
        cmocka_unit_test_setup(sensor_events_are_attacks, fresh),
    };

    return cmocka_run_group_tests(tests, make, unmake);
}
