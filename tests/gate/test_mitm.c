/* SPDX-License-Identifier: Apache-2.0
 *
 * A man in the middle on the link, over thousands of commands to a whole card. Whatever it does to
 * the frames, the model below holds: nothing is executed twice or altered, what is reported as done
 * was done once, tries do not rise, the life cycle does not move, and the card comes back by HELLO.
 * A failure names the seed; the same seed gives the same run.
 */
#include "gate_mitm.h"
#include "gate_rig.h"
#include "secure_domain/domain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum {
    PIN_TRIES = 3,
    KEY_TRIES = 10,
    ATTACKS_ENOUGH = COS_ATTACK_DEAD - 20,
};

/* ---- The card and what is known about it ---- */

static struct bench bench;
static struct mitm mitm;
static struct gate_snapshot fresh;

static struct {
    uint64_t seed; /* of the run */
    unsigned long command;
    char pin[2][7]; /* the PIN is the first; or the second, after a change without an answer */
    bool pin_unsure;
    uint32_t counter;         /* in the counter file */
    uint32_t session;         /* of the gate */
    int pin_tries, key_tries; /* before the command */
    unsigned long done, failed, recovered, resets, cards;
} model;

#define HOLDS(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fail_msg("seed %llX, command %lu: %s (SW %04X, tries %d before, %d now)",              \
                     (unsigned long long)model.seed, model.command, #condition, bench.sw,          \
                     model.pin_tries, gate_rig_tries(&bench, true, 1));                            \
        }                                                                                          \
    } while (0)

/* Counts a session that took the place of a lost one. */
static void note_session(void)
{
    model.recovered += bench.secure.gate.session != model.session ? 1 : 0;
    model.session = bench.secure.gate.session;
}

static bool reported(void)
{
    const bool answered = bench.sw != 0x6F00;

    model.done += answered ? 1 : 0;
    model.failed += answered ? 0 : 1;
    return answered;
}

/* What the card's own memory says after each command: the PIN's tries are one of those given. */
static void check_tries(int one, int another, int third)
{
    const int tries = gate_rig_tries(&bench, true, 1);

    HOLDS(tries == one || tries == another || tries == third);
    HOLDS(bench.secure.life_cycle == COS_LIFE_OPERATIONAL);
}

/* The PIN as the security chip stores it: the test may look, to know which of two it is. */
static void settle_pin(void)
{
    const struct cos_span name = {bench_application, sizeof bench_application};
    struct object pin;
    uint8_t context, secret[OBJECT_SECRET_MAX];

    if (!model.pin_unsure || bench.secure.alive != COS_YES) {
        return;
    }
    assert_int_equal(cos_application_find(&bench.secure, name, &context), COS_OK);
    assert_int_equal(cos_object_find(&bench.secure, OBJECT_PIN, context, 1, 0, &pin), COS_OK);
    assert_int_equal(cos_object_secret(&bench.secure, &pin, secret), COS_OK);
    const bool second = memcmp(secret, model.pin[1], 6) == 0;
    HOLDS(second || memcmp(secret, model.pin[0], 6) == 0);
    if (second) {
        memcpy(model.pin[0], model.pin[1], sizeof model.pin[0]);
    }
    model.pin_unsure = false;
}

static uint16_t send_pin(uint8_t ins, const char *first, const char *second)
{
    uint8_t apdu[5 + 12] = {0x00, ins, 0x00, 0x81, second != NULL ? 12 : 6};

    memcpy(apdu + 5, first, 6);
    if (second != NULL) {
        memcpy(apdu + 11, second, 6);
    }
    return bench_apdu(&bench, apdu, 5U + apdu[4]);
}

static void verify_wrong(void)
{
    const int tries = model.pin_tries;

    (void)send_pin(0x20, "000000", NULL);
    HOLDS(bench.sw != 0x9000);
    if (reported()) {
        HOLDS(bench.sw == (tries > 0 ? 0x63C0 + tries - 1 : 0x6983));
        check_tries(tries > 0 ? tries - 1 : 0, -2, -2);
    } else {
        check_tries(tries, tries > 0 ? tries - 1 : 0, -2); /* once or not at all, never twice */
    }
}

static void verify_right(void)
{
    const int tries = model.pin_tries;

    (void)send_pin(0x20, model.pin[0], NULL);
    if (reported()) {
        HOLDS(bench.sw == 0x9000);
        check_tries(PIN_TRIES, -2, -2);
    } else {
        check_tries(tries, tries - 1, PIN_TRIES);
    }
}

static void change_pin(void)
{
    const int tries = model.pin_tries;

    for (size_t i = 0; i < 6; i++) {
        model.pin[1][i] = (char)('1' + sim_below(&model.seed, 9)); /* never the wrong one */
    }
    model.pin_unsure = true;
    (void)send_pin(0x24, model.pin[0], model.pin[1]);
    if (reported()) {
        HOLDS(bench.sw == 0x9000);
        check_tries(PIN_TRIES, -2, -2);
        settle_pin();
        HOLDS(memcmp(model.pin[0], model.pin[1], 6) == 0);
    } else {
        check_tries(tries, tries - 1, PIN_TRIES);
        settle_pin();
    }
}

static void query(void)
{
    (void)bench_hex(&bench, "00200081");
    if (reported()) {
        HOLDS(bench.sw == 0x9000 || bench.sw == 0x63C0 + model.pin_tries);
    }
    check_tries(model.pin_tries, -2, -2);
}

/* An answer that was computed is the right one, by OpenSSL's word. */
static void internal_authenticate(void)
{
    uint8_t apdu[22] = {0x00, 0x88, 0x00, 0x82, 16}, x[16];

    for (size_t i = 0; i < 16; i++) {
        apdu[5 + i] = (uint8_t)sim_random(&model.seed);
    }
    (void)bench_apdu(&bench, apdu, sizeof apdu);
    if (reported()) {
        assert_true(crypto_aes_ecb(bench_remote_key, 16, CRYPTO_ENCIPHER, apdu + 5, 16, x));
        HOLDS(bench.sw == 0x9000 && bench.length == 16 && memcmp(bench.data, x, 16) == 0);
    }
    check_tries(model.pin_tries, -2, -2);
}

/* External authentication with a counted key; `right` or not. */
static void external_authenticate(bool right)
{
    uint8_t apdu[21] = {0x00, 0x82, 0x00, 0x83, 16};

    if (bench_hex(&bench, "0084000010") != 0x9000) {
        HOLDS(!reported());
        return;
    }
    HOLDS(bench.length == 16);
    assert_true(crypto_aes_ecb(bench_external_key, 16, CRYPTO_ENCIPHER, bench.data, 16, apdu + 5));
    apdu[5] ^= right ? 0 : 1;
    (void)bench_apdu(&bench, apdu, sizeof apdu);
    const int before = model.key_tries, now = gate_rig_tries(&bench, false, 3);
    if (!reported()) {
        HOLDS(now == before || now == before - 1 || (right && now == KEY_TRIES));
    } else if (bench.sw != 0x6985) { /* the challenge was lost with its session */
        HOLDS(bench.sw == (right ? 0x9000 : 0x63C0 + before - 1));
        HOLDS(now == (right ? KEY_TRIES : before - 1));
    } else {
        HOLDS(now == before);
    }
    check_tries(model.pin_tries, -2, -2);
}

/* A counter in a record that only key 3 may write: it is one further if that was reported, and else
 * where it was. */
static void count_up(void)
{
    uint8_t record[21] = {0x00, 0xDC, 0x01, 0x14, 16};

    external_authenticate(true);
    const bool authenticated = bench.sw == 0x9000;
    cos_put32(record + 5, model.counter + 1);
    (void)bench_apdu(&bench, record, sizeof record);
    HOLDS(authenticated || bench.sw != 0x9000);
    model.counter += reported() && bench.sw == 0x9000 ? 1 : 0;
    check_tries(model.pin_tries, -2, -2);
}

/* The issuer sets the PIN's counter back, through a session of its own. */
static void reset_by_issuer(void)
{
    if (bench_sm_open(&bench, 0x01, 0x03) == 0x9000) {
        (void)bench_sm_hex(&bench, "002C0381");
    }
    HOLDS(bench.sw != 0x9000 || gate_rig_tries(&bench, true, 1) == PIN_TRIES);
    (void)reported();
    check_tries(model.pin_tries, PIN_TRIES, -2);
}

/* ---- Runs ---- */

static void new_card(void)
{
    const unsigned long cards = model.cards + 1;

    gate_snapshot_restore(&bench, &fresh);
    mitm_tap(&mitm);
    memcpy(model.pin[0], BENCH_PIN, sizeof model.pin[0]);
    model.pin_unsure = false;
    model.counter = 0;
    model.session = bench.secure.gate.session;
    model.cards = cards;
}

static void read_counter(void)
{
    assert_int_equal(bench_hex(&bench, "00B2011410"), 0x9000);
    HOLDS(bench.length == 16 && cos_get32(bench.data) == model.counter);
}

/* The line is honest again: what can be had back without a reset is back after one HELLO, all else
 * after a reset. */
static void recover(void)
{
    const unsigned percent = mitm.percent;
    const bool alive = bench.secure.alive == COS_YES && !bench.app.mute;

    mitm.percent = 0;
    mitm.holding = false;
    bench.to_secure_count = bench.to_app_count = 0;
    if (alive) {
        (void)bench_hex(&bench, "0020008100");
        HOLDS(bench_hex(&bench, "00A40400 09 F05457494E434F5301") == 0x9000);
        HOLDS(bench.app.gate.open && bench.secure.gate.open);
        note_session();
    }
    if (!alive || bench.secure.attacks_now >= COS_ATTACK_MUTE - 1) {
        HOLDS(alive || bench_hex(&bench, "00A40400 09 F05457494E434F5301") == 0x6F00);
        bench_power_off(&bench);
        HOLDS(bench_power_on(&bench));
        HOLDS(bench_hex(&bench, "00A40400 09 F05457494E434F5301") == 0x9000);
        model.resets++;
        model.session = bench.secure.gate.session;
    }
    settle_pin();
    read_counter();
    HOLDS(gate_rig_tries(&bench, true, 1) <= PIN_TRIES);
    mitm.percent = percent;
}

static void one_command(void)
{
    const uint32_t choice = sim_below(&model.seed, 10);

    model.command++;
    model.pin_tries = gate_rig_tries(&bench, true, 1);
    model.key_tries = gate_rig_tries(&bench, false, 3);
    if (choice < 2 && model.pin_tries > 1) {
        verify_wrong();
    } else if (choice < 4) {
        verify_right();
    } else if (choice < 5) {
        change_pin();
    } else if (choice < 6) {
        query();
    } else if (choice < 7) {
        internal_authenticate();
    } else if (choice < 8 && model.key_tries > 2) {
        external_authenticate(false);
    } else if (choice < 9) {
        count_up();
    } else {
        reset_by_issuer();
    }
    note_session();
}

static void run(uint64_t seed, unsigned long commands, unsigned tricks, unsigned percent)
{
    memset(&model, 0, sizeof model);
    mitm_start(&mitm, &bench, seed ^ 0x4D49544D, tricks);
    mitm.percent = percent;
    model.seed = seed;
    new_card();
    while (model.command < commands) {
        const uint16_t attacks = bench.secure.attacks;
        const unsigned long malicious = mitm.malicious;
        for (unsigned burst = 1 + sim_below(&model.seed, 12); burst > 0; burst--) {
            if (gate_rig_tries(&bench, true, 1) > 0 && bench.secure.alive == COS_YES) {
                one_command();
            }
        }
        HOLDS(bench.secure.attacks >= attacks);
        HOLDS(bench.secure.attacks <= attacks + 2 * (mitm.malicious - malicious));
        recover();
        if (bench.secure.attacks > ATTACKS_ENOUGH || gate_rig_tries(&bench, true, 1) < 2) {
            new_card();
        }
    }
}

static int make(void **state)
{
    (void)state;
    bench_make(&bench, &bench_small);
    assert_int_equal(bench_hex(&bench, "00A40400 09 F05457494E434F5301"), 0x9000);
    gate_snapshot_save(&bench, &fresh);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    bench_free(&bench);
    gate_snapshot_free(&fresh);
    return 0;
}

/* A bad line costs time, at worst a session: it never counts as an attack. */
static void noise_is_not_an_attack(void **state)
{
    (void)state;
    run(0x4E4F495345, 6000, TRICK_FORGE, 20);
    assert_int_equal(mitm.malicious, 0);
    assert_int_equal(bench.secure.attacks, 0);
    assert_true(model.done > 5000 && model.recovered > 10);
    print_message("# bad line: %lu commands, %lu frames damaged, lost or doubled: %lu done, %lu "
                  "failed, none of them an attack\n",
                  model.command, mitm.played, model.done, model.failed);
}

static void a_man_in_the_middle_gets_nothing(void **state)
{
    unsigned long commands = 0, played = 0, resets = 0, recovered = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        run(seed * 0x9E3779B97F4A7C15U, 500, TRICKS, 2 + 4 * (unsigned)(seed % 8));
        commands += model.command;
        played += mitm.played;
        resets += model.resets;
        recovered += model.recovered;
    }
    assert_true(played > 5000 && recovered > 200);
    print_message("# man in the middle: %lu commands, %lu frames flipped, forged, dropped, "
                  "doubled, cut, replayed, reordered, injected, reflected: nothing executed twice "
                  "or altered, no try won; back by HELLO %lu times, by reset %lu times\n",
                  commands, played, recovered, resets);
}

/* ---- The attack counter ---- */

static bool forge_once(struct gate_rig *rig)
{
    struct bench_frame frame;

    if (!gate_rig_hello(rig, &bench)) {
        return false;
    }
    (void)gate_rig_seal(rig, 1, COS_GATE_STATUS, NULL, 0, &frame);
    frame.bytes[12] ^= 1;
    gate_rig_repair(&frame);
    assert_false(gate_rig_deliver(rig, &frame));
    return true;
}

static void attacks_count_to_mute_and_to_the_end(void **state)
{
    struct gate_rig rig;
    unsigned attacks = 0;

    (void)state;
    gate_snapshot_restore(&bench, &fresh);
    while (attacks < COS_ATTACK_DEAD) {
        assert_true(forge_once(&rig));
        assert_int_equal(bench.secure.attacks, ++attacks);
        if (attacks % COS_ATTACK_MUTE == 0) {
            assert_int_equal(bench.secure.verdict, COS_VERDICT_ATTACKED);
            assert_false(forge_once(&rig)); /* nothing but STATUS is answered any more */
            assert_int_equal(rig.result, COS_E_MUTE);
            assert_int_equal(bench.secure.attacks, attacks);
            assert_int_equal(bench_hex(&bench, "0020008100"), 0x6F00);
            bench_power_off(&bench);
            assert_int_equal(bench_power_on(&bench), attacks < COS_ATTACK_DEAD);
        }
    }
    for (unsigned again = 0; again < 3; again++) { /* and no reset helps */
        bench_power_off(&bench);
        assert_false(bench_power_on(&bench));
        assert_int_equal(bench.secure.verdict, COS_VERDICT_ATTACKED);
        assert_false(forge_once(&rig));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_is_not_an_attack),
        cmocka_unit_test(a_man_in_the_middle_gets_nothing),
        cmocka_unit_test(attacks_count_to_mute_and_to_the_end),
    };

    return cmocka_run_group_tests(tests, make, unmake);
}
