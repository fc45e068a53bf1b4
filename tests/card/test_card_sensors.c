/* SPDX-License-Identifier: Apache-2.0
 *
 * Sensor events and faults on a whole card: when they are counted, that no reset takes the counter
 * back, at which number the security chip is mute and until when, what is left in its memory then,
 * and what it and the card still answer.
 */
#include "card_table.h"
#include "gate_rig.h"

#include "secure_domain/domain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define R_16   "00112233445566778899AABBCCDDEEFF"
#define VERIFY "00200081 06 313233343536"
#define RANDOM "0084000008"

static const enum cos_sensor sensors[] = {COS_SENSOR_VOLTAGE, COS_SENSOR_FREQUENCY,
                                          COS_SENSOR_TEMPERATURE, COS_SENSOR_LIGHT,
                                          COS_SENSOR_SHIELD};

static void report(struct bench *bench, unsigned events)
{
    for (unsigned i = 0; i < events; i++) {
        cos_secure_sensor(&bench->secure, sensors[i % CARD_COUNT(sensors)]);
    }
}

/* What NVM says. */
static unsigned counted(const struct bench *bench)
{
    uint8_t attacks[2];

    assert_int_equal(cos_state_read(&bench->secure, STATE_ATTACKS, attacks, 2), COS_OK);
    return cos_get16(attacks);
}

static unsigned counted_after_reset(struct bench *bench)
{
    bench_power_off(bench);
    (void)bench_power_on(bench);
    assert_int_equal(bench->secure.attacks, counted(bench));
    return bench->secure.attacks;
}

static bool is_mute(const struct bench *bench, enum cos_secure_verdict verdict)
{
    return bench->secure.alive != COS_YES && bench->secure.verdict == verdict;
}

/* The counter may be written with it. */
static void assert_mute(struct bench *bench, const char *apdu)
{
    assert_int_equal(bench_hex(bench, apdu), 0x6F00);
    assert_int_equal(bench->length, 0);
    assert_true(bench->secure.alive != COS_YES);
}

/* ---- When ---- */

/* Session, PIN and file stay as they are: whatever was sensed, the card goes on. */
static void each_event_counts_before_the_next_command(void **state)
{
    struct bench *bench = *state;

    bench_expect(bench, VERIFY, 0x9000, NULL);
    for (unsigned i = 0; i < CARD_COUNT(sensors); i++) {
        cos_secure_sensor(&bench->secure, sensors[i]);
        assert_int_equal(counted(bench), i); /* nothing is written behind the port's back */
        bench_expect(bench, RANDOM, 0x9000, CARD_ANY);
        assert_int_equal(counted(bench), i + 1);
    }
    bench_expect(bench, "00200081", 0x9000, NULL); /* still verified */
    assert_int_equal(counted_after_reset(bench), CARD_COUNT(sensors));
}

/* Nobody sends anything: the wait that ends counts. */
static void events_of_an_idle_card_are_counted(void **state)
{
    struct bench *bench = *state;

    report(bench, 3);
    assert_int_equal(cos_secure_serve(&bench->secure, 1), COS_E_LINK_TIMEOUT);
    assert_int_equal(counted_after_reset(bench), 3);
}

static struct {
    struct bench *bench;
    unsigned calls, events;
} hook;

static void report_once(void *context)
{
    (void)context;
    if (hook.calls++ == 1) { /* the first call of it stands before the command */
        report(hook.bench, hook.events);
    }
}

/* While a key is made, from the idle hook: the key is made, and the counter written before the
 * answer leaves. */
static void events_during_a_long_call(void **state)
{
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    assert_int_equal(
        bench_store_one(bench, "8020", "830104 8409F05457494E434F5301 800104 C90110 CE0101 CB0100"),
        0x9000);
    bench_select(bench);
    hook.bench = bench;
    hook.calls = 0;
    hook.events = COS_ATTACK_MUTE - 1;
    bench->secure_board.idle = report_once;
    bench_expect(bench, "00478000 05 B603840184", 0x9000, CARD_ANY);
    assert_true(hook.calls > 1);
    bench->secure_board.idle = NULL;
    assert_int_equal(counted_after_reset(bench), COS_ATTACK_MUTE - 1);
    bench_select(bench);
    bench_expect(bench, "00478100 05 B603840184", 0x9000, CARD_ANY);
    /* one more, and there is no answer */
    hook.calls = 0;
    hook.events = COS_ATTACK_MUTE;
    bench->secure_board.idle = report_once;
    assert_mute(bench, "00478000 05 B603840184");
    assert_true(is_mute(bench, COS_VERDICT_ATTACKED));
    assert_mute(bench, RANDOM);
    bench->secure_board.idle = NULL;
    assert_int_equal(counted_after_reset(bench), 2 * COS_ATTACK_MUTE - 1);
}

static enum cos_result (*program)(void *, uint32_t, const uint8_t *, size_t);
static unsigned programs;

static enum cos_result program_sensed(void *context, uint32_t address, const uint8_t *data,
                                      size_t length)
{
    if (programs++ < 4) {
        report(hook.bench, 1);
    }
    return program(context, address, data, length);
}

/* Each program operation of the change is sensed: the transaction is whole, and all four count. */
static void events_in_the_middle_of_a_transaction(void **state)
{
    struct bench *bench = *state;

    hook.bench = bench;
    programs = 0;
    program = bench->secure_nvm.nvm.program;
    bench->secure_nvm.nvm.program = program_sensed;
    bench_expect(bench, "00240081 0C 313233343536 363534333231", 0x9000, NULL);
    bench->secure_nvm.nvm.program = program;
    assert_int_equal(counted_after_reset(bench), 4);
    bench_select(bench);
    bench_expect(bench, "00200081 06 363534333231", 0x9000, NULL);
}

static enum cos_result no_program(void *context, uint32_t address, const uint8_t *data,
                                  size_t length)
{
    (void)context, (void)address, (void)data, (void)length;
    return COS_E_NVM;
}

/* Then RAM counts, and whatever else happens the chip does not serve more than the limit. */
static void events_when_nothing_can_be_written(void **state)
{
    struct bench *bench = *state;
    unsigned events = 0;

    bench_expect(bench, VERIFY, 0x9000, NULL);
    program = bench->secure_nvm.nvm.program;
    bench->secure_nvm.nvm.program = no_program;
    while (bench->secure.alive == COS_YES && events < COS_ATTACK_MUTE) {
        report(bench, 1);
        (void)cos_secure_serve(&bench->secure, 1);
        assert_int_equal(bench->secure.attacks_now, ++events);
    }
    assert_int_equal(events, COS_ATTACK_MUTE);
    assert_true(is_mute(bench, COS_VERDICT_ATTACKED));
    assert_mute(bench, VERIFY);
    bench->secure_nvm.nvm.program = program;
    assert_int_equal(counted_after_reset(bench), 0);
    bench_select(bench);
    bench_expect(bench, VERIFY, 0x9000, NULL);
}

/* ---- How many ---- */

static void one_less_than_the_limit_does_not_mute(void **state)
{
    struct bench *bench = *state;

    report(bench, COS_ATTACK_MUTE - 1);
    bench_expect(bench, VERIFY, 0x9000, NULL);
    assert_int_equal(counted(bench), COS_ATTACK_MUTE - 1);
    report(bench, 1);
    assert_mute(bench, VERIFY);
    assert_true(is_mute(bench, COS_VERDICT_ATTACKED));
    /* what comes now changes nothing */
    report(bench, COS_ATTACK_DEAD);
    assert_mute(bench, VERIFY);
    assert_int_equal(counted_after_reset(bench), COS_ATTACK_MUTE);
    bench_select(bench);
    bench_expect(bench, VERIFY, 0x9000, NULL);
}

/* Never as many as make it mute between two resets. */
static void the_counter_of_a_life_is_the_end(void **state)
{
    struct bench *bench = *state;
    unsigned attacks = 0;

    while (attacks < COS_ATTACK_DEAD - 1) {
        const unsigned left = COS_ATTACK_DEAD - 1 - attacks;
        const unsigned events = left < COS_ATTACK_MUTE - 1 ? left : COS_ATTACK_MUTE - 1;
        report(bench, events);
        bench_expect(bench, RANDOM, 0x9000, CARD_ANY);
        attacks += events;
        assert_int_equal(counted_after_reset(bench), attacks);
        assert_int_equal(bench->secure.verdict, COS_VERDICT_GOOD);
    }
    bench_select(bench);
    bench_expect(bench, VERIFY, 0x9000, NULL); /* one less: a card like any other */
    report(bench, 1);
    assert_mute(bench, RANDOM);
    assert_true(is_mute(bench, COS_VERDICT_ATTACKED));
    for (unsigned again = 0; again < 3; again++) {
        assert_int_equal(counted_after_reset(bench), COS_ATTACK_DEAD);
        assert_true(is_mute(bench, COS_VERDICT_ATTACKED));
        assert_mute(bench, RANDOM);
    }
}

/* ---- What is left ---- */

/* What stood in the chip's memory before. */
static void assert_gone(const struct bench *bench, const char *what, const void *secret,
                        size_t length)
{
    if (bench_contains((const uint8_t *)&bench->secure, sizeof bench->secure, secret, length)) {
        fail_msg("%s is left", what);
    }
}

/* A PIN verified, a hash left for signing, the first factor of a key waiting, a session of secure
 * messaging with a PIN held: as much as there can be at once. */
static void a_mute_chip_has_wiped_its_secrets(void **state)
{
    static const uint8_t zeros[BENCH_KEY_MEMORY];
    static const uint8_t factor[64] = {0xC0, 0xB8, 0xC7, 0x5F, [63] = 0xCB};
    struct bench *bench = *state;
    uint8_t dgi[3 + 14 + 2 + 64] = {0x80, 0x40, 80,   0x83, 1,    4,    0x84, 9,    0xF0, 0x54,
                                    0x57, 0x49, 0x4E, 0x43, 0x4F, 0x53, 0x01, 0x92, 64};
    static struct cos_secure before;

    bench_expect(bench, VERIFY, 0x9000, NULL);
    bench_session(bench, 0x03);
    assert_int_equal(
        bench_store_one(bench, "8020", "830104 8409F05457494E434F5301 800104 C90110 CE0101 CB0100"),
        0x9000);
    memcpy(dgi + 19, factor, sizeof factor);
    assert_int_equal(bench_sm(bench, 0x80, 0xE2, 0xE0, 0x00, dgi, sizeof dgi), 0x9000);
    assert_true(bench_contains(bench->key_memory, sizeof bench->key_memory, factor, 64));
    before = bench->secure;
    assert_int_equal(before.sessions[0].open, COS_YES);
    report(bench, COS_ATTACK_MUTE);
    assert_int_equal(cos_secure_serve(&bench->secure, 1), COS_E_LINK_TIMEOUT);
    assert_true(is_mute(bench, COS_VERDICT_ATTACKED));
    assert_memory_equal(bench->key_memory, zeros, sizeof zeros);
    assert_gone(bench, "S-ENC", before.sessions[0].enc, 16);
    assert_gone(bench, "S-MAC", before.sessions[0].mac, 16);
    assert_gone(bench, "S-RMAC", before.sessions[0].rmac, 16);
    assert_gone(bench, "the chaining value", before.sessions[0].chain, 16);
    assert_gone(bench, "the request key", before.gate.request_key, 16);
    assert_gone(bench, "the response key", before.gate.response_key, 16);
    assert_gone(bench, "the storage key", before.storage_key, 16);
    assert_gone(bench, "the generator's key", before.drbg.key, 16);
    assert_gone(bench, "the generator's value", before.drbg.value, 16);
    assert_int_equal(bench->secure.channels[0].pins_local, 0);
    assert_int_equal(bench->secure.waiting, 0);
    assert_false(bench->secure.gate.open);
    assert_mute(bench, VERIFY);
}

/* Challenge, held data, a digest that PSO HASH left. */
static void what_was_pending_is_wiped(void **state)
{
    struct bench *bench = *state;
    uint8_t message[1 + BYTES_MAX] = {0}, challenge[16], digest[20];
    struct gate_rig rig;
    struct bytes apdu;

    bench_expect(bench, "002241AA 03 800110", 0x9000, NULL);
    bench_expect(bench, "002A9080 03 616263 00", 0x9000, CARD_ANY);
    memcpy(digest, bench->data, sizeof digest);
    assert_true(bench_contains(bench->secure.digest, sizeof bench->secure.digest, digest, 20));
    bench_session(bench, 0x03);
    bench_wrap(bench, "00200082 08 3837363534333231", &apdu);
    memcpy(message + 1, apdu.data, apdu.length);
    gate_rig_take(&rig, bench);
    assert_true(gate_rig_call(&rig, COS_GATE_SM_OPEN, message, 1 + apdu.length));
    assert_true(bench->secure.held.used);
    assert_true(gate_rig_call(&rig, COS_GATE_CHALLENGE, (const uint8_t[]){0, 16}, 2));
    memcpy(challenge, rig.body, sizeof challenge);
    report(bench, COS_ATTACK_MUTE);
    (void)cos_secure_serve(&bench->secure, 1);
    assert_gone(bench, "held data", BENCH_PIN_CODE, 8);
    assert_gone(bench, "a challenge", challenge, 16);
    assert_gone(bench, "a digest", digest, 20);
}

/* ---- What is answered ---- */

/* In the clear, as its session is no more. */
static int ask(struct gate_rig *rig, uint8_t opcode, const uint8_t *message, size_t length)
{
    static uint32_t sequence = 0x100;
    struct bench_frame frame;

    (void)gate_rig_plain(sequence++, opcode, message, length, &frame);
    assert_true(gate_rig_deliver(rig, &frame));
    assert_true(gate_rig_open(rig, &frame));
    return rig->result;
}

static void only_status_is_answered(void **state)
{
    struct bench *bench = *state;
    uint8_t message[COS_GATE_MESSAGE_MAX] = {0};
    struct bench_frame frame;
    struct gate_rig rig;

    gate_rig_take(&rig, bench);
    report(bench, COS_ATTACK_MUTE);
    (void)cos_secure_serve(&bench->secure, 1);
    const uint64_t operations = bench->power.operations;
    for (unsigned opcode = 0; opcode <= 255; opcode++) {
        const struct cos_gate_row *row = cos_gate_row((uint8_t)opcode);
        const size_t length = row != NULL ? row->smallest : 0;
        for (unsigned operation = 0; operation <= (length > 0 ? 255U : 0U); operation++) {
            message[0] = (uint8_t)operation;
            (void)gate_rig_seal(&rig, rig.sequence + 1, (uint8_t)opcode, message, length, &frame);
            assert_false(gate_rig_deliver(&rig, &frame)); /* nobody listens to the session */
            const int result = ask(&rig, (uint8_t)opcode, message, length);
            assert_int_equal(result, opcode == COS_GATE_STATUS              ? COS_OK
                                     : row == NULL                          ? COS_E_GATE_FORMAT
                                     : row->session == COS_GATE_SESSION_YES ? COS_E_GATE_SESSION
                                                                            : COS_E_MUTE);
            assert_int_equal(rig.length, opcode == COS_GATE_STATUS ? 21 : 0);
        }
    }
    assert_int_equal(ask(&rig, COS_GATE_STATUS, NULL, 0), COS_OK);
    assert_int_equal(rig.body[0], COS_LIFE_OPERATIONAL);
    assert_int_equal(rig.body[1], COS_VERDICT_ATTACKED);
    assert_int_equal(bench->power.operations, operations); /* nothing was written either */
}

static void assert_nothing_is_served(struct bench *bench)
{
    static const uint8_t classes[] = {0x00, 0x04, 0x0C, 0x80, 0x84};

    for (unsigned ins = 0; ins <= 255; ins++) {
        for (size_t i = 0; i < sizeof classes; i++) {
            const uint8_t apdu[] = {classes[i], (uint8_t)ins, 0x00, 0x00, 0x08};
            assert_int_equal(bench_apdu(bench, apdu, sizeof apdu), 0x6F00);
            assert_int_equal(bench->length, 0);
        }
    }
}

static void the_card_answers_6f00(void **state)
{
    struct bench *bench = *state;

    report(bench, COS_ATTACK_MUTE);
    assert_mute(bench, RANDOM);
    assert_nothing_is_served(bench);
    bench_reset(bench);
    bench_expect(bench, RANDOM, 0x9000, CARD_ANY);
    bench->secure.attacks = COS_ATTACK_DEAD - 1;
    report(bench, 1);
    assert_mute(bench, RANDOM);
    bench_power_off(bench);
    assert_false(bench_power_on(bench));
    assert_nothing_is_served(bench);
}

/* ---- States that cannot be ---- */

static enum cos_result failure;

static enum cos_result fails(void *context, const uint8_t *key, size_t key_length,
                             const uint8_t *in, uint8_t *out)
{
    return failure != COS_OK ? failure
                             : cos_crypto_tomcrypt.aes_encrypt(context, key, key_length, in, out);
}

/* A computation that goes wrong, an invariant that does not hold: somebody may have a laser. What
 * wears out by itself only mutes. */
static void faults_count_as_attacks(void **state)
{
    static const struct {
        enum cos_result result;
        enum cos_secure_verdict verdict;
        unsigned counted;
    } faults[] = {
        {COS_E_CRYPTO, COS_VERDICT_FAULT, 1},        {COS_E_INVARIANT, COS_VERDICT_FAULT, 1},
        {COS_E_SELF_TEST, COS_VERDICT_SELF_TEST, 1}, {COS_E_STORE_DAMAGED, COS_VERDICT_STORE, 0},
        {COS_E_ENTROPY, COS_VERDICT_ENTROPY, 0},
    };
    struct bench *bench = *state;
    struct cos_crypto crypto = cos_crypto_tomcrypt;
    unsigned counted = 0;

    crypto.aes_encrypt = fails;
    for (unsigned i = 0; i < CARD_COUNT(faults); i++) {
        bench_select(bench);
        bench->secure.config.crypto = &crypto;
        failure = faults[i].result;
        assert_mute(bench, "00880082 10 " R_16);
        failure = COS_OK;
        assert_true(is_mute(bench, faults[i].verdict));
        counted += faults[i].counted;
        assert_int_equal(counted_after_reset(bench), counted);
    }
    bench_select(bench);
    bench_expect(bench, "00880082 10 " R_16, 0x9000, CARD_ANY);
}

/* The last one that a life has room for. */
static void a_fault_may_be_the_end(void **state)
{
    struct bench *bench = *state;
    struct cos_crypto crypto = cos_crypto_tomcrypt;

    crypto.aes_encrypt = fails;
    bench->secure.attacks = COS_ATTACK_DEAD - 1;
    bench->secure.config.crypto = &crypto;
    failure = COS_E_CRYPTO;
    assert_mute(bench, "00880082 10 " R_16);
    failure = COS_OK;
    assert_true(is_mute(bench, COS_VERDICT_ATTACKED));
    assert_int_equal(counted_after_reset(bench), COS_ATTACK_DEAD);
    assert_true(is_mute(bench, COS_VERDICT_ATTACKED));
}

static int make_selected(void **state)
{
    card_make(state);
    bench_select(*state);
    return 0;
}
#define SENSOR_TEST(function) cmocka_unit_test_setup_teardown(function, make_selected, card_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SENSOR_TEST(each_event_counts_before_the_next_command),
        SENSOR_TEST(events_of_an_idle_card_are_counted),
        SENSOR_TEST(events_during_a_long_call),
        SENSOR_TEST(events_in_the_middle_of_a_transaction),
        SENSOR_TEST(events_when_nothing_can_be_written),
        SENSOR_TEST(one_less_than_the_limit_does_not_mute),
        SENSOR_TEST(the_counter_of_a_life_is_the_end),
        SENSOR_TEST(a_mute_chip_has_wiped_its_secrets),
        SENSOR_TEST(what_was_pending_is_wiped),
        SENSOR_TEST(only_status_is_answered),
        SENSOR_TEST(the_card_answers_6f00),
        SENSOR_TEST(faults_count_as_attacks),
        SENSOR_TEST(a_fault_may_be_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
