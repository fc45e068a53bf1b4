/* SPDX-License-Identifier: Apache-2.0
 *
 * A noise source that breaks, on a whole card: at the first start, at a later one, and in use, when
 * the generator is seeded again. Nothing is made of its noise, the card is mute until a reset, and
 * a source that works again is good again.
 */
#include "card_table.h"
#include "gate_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define R_16     "00112233445566778899AABBCCDDEEFF"
#define R_20     R_16 "01020304"
#define RANDOM   "0084000008"
#define NAME     "8409F05457494E434F5301"
#define GENERATE "00478000 05 B603840184"
#define READ     "00478100 05 B603840184"

/* ---- Sources ---- */

static enum cos_result (*sound)(void *, uint8_t *, size_t);

static enum cos_result stuck(void *context, uint8_t *data, size_t length)
{
    (void)context;
    memset(data, 0x5A, length);
    return COS_OK;
}

static enum cos_result gone(void *context, uint8_t *data, size_t length)
{
    (void)context, (void)data, (void)length;
    return COS_E_ENTROPY;
}

/* Sticks for nine samples once in each 512 drawn, which no proportion shows. */
static enum cos_result sticking(void *context, uint8_t *data, size_t length)
{
    static unsigned sample;

    (void)sound(context, data, length);
    for (size_t i = 0; i < length; i++) {
        data[i] = sample++ % 512 < 9 ? 0xFF : data[i];
    }
    return COS_OK;
}

/* Every other sample is one of two values: never twice the same one in a row. */
static enum cos_result biased(void *context, uint8_t *data, size_t length)
{
    static unsigned sample;

    (void)sound(context, data, length);
    for (size_t i = 0; i < length; i++, sample++) {
        data[i] =
            sample % 2 == 0 ? (uint8_t)(sample % 4 == 0 ? 0x00 : 0x80) : (uint8_t)(data[i] | 0x01);
    }
    return COS_OK;
}

static const struct {
    const char *what;
    enum cos_result (*read)(void *, uint8_t *, size_t);
} broken[] = {{"stuck", stuck}, {"gone", gone}, {"sticking", sticking}, {"biased", biased}};

/* ---- At a start ---- */

/* STATUS in the clear says why. */
static void assert_mute(struct bench *bench)
{
    struct bench_frame frame;
    struct gate_rig rig = {.bench = bench};

    assert_true(bench->secure.alive != COS_YES);
    (void)gate_rig_plain(0x100, COS_GATE_STATUS, NULL, 0, &frame);
    assert_true(gate_rig_deliver(&rig, &frame) && gate_rig_open(&rig, &frame));
    assert_int_equal(rig.result, COS_OK);
    assert_int_equal(rig.body[1], COS_VERDICT_ENTROPY);
    (void)gate_rig_plain(0x101, COS_GATE_HELLO, (const uint8_t[18]){COS_HELLO_BEGIN, 1}, 18,
                         &frame);
    assert_true(gate_rig_deliver(&rig, &frame) && gate_rig_open(&rig, &frame));
    assert_int_equal(rig.result, COS_E_MUTE);
    assert_int_equal(bench_hex(bench, RANDOM), 0x6F00);
    assert_int_equal(bench_hex(bench, "00A4040C 09 F05457494E434F5301"), 0x6F00);
}

/* No key of the store is made of it: the fab record is there still. */
static void a_first_start_waits_for_better_noise(void **state)
{
    struct bench *bench = *state;

    for (size_t i = 0; i < CARD_COUNT(broken); i++) {
        bench_free(bench);
        bench_init(bench, &bench_host);
        sound = bench->secure_entropy.read;
        bench->secure_entropy.read = broken[i].read;
        assert_false(bench_power_on(bench));
        assert_mute(bench);
        assert_int_equal(bench->secure_nvm.counts.programs, 0);
        assert_int_equal(bench->secure_nvm.counts.erases, 0);
        bench->secure_entropy.read = sound;
        bench_power_off(bench);
        assert_true(bench_power_on(bench));
        assert_true(bench_produce_to(bench, COS_LIFE_OPERATIONAL));
    }
}

static void a_later_start_is_mute_until_the_next(void **state)
{
    struct bench *bench = *state;

    sound = bench->secure_entropy.read;
    for (size_t i = 0; i < CARD_COUNT(broken); i++) {
        bench->secure_entropy.read = broken[i].read;
        bench_power_off(bench);
        assert_false(bench_power_on(bench));
        assert_mute(bench);
        bench->secure_entropy.read = sound;
        bench_power_off(bench);
        assert_true(bench_power_on(bench));
        bench_expect(bench, RANDOM, 0x9000, CARD_ANY);
        assert_int_equal(bench->secure.attacks, 0); /* at a start it is not counted */
    }
}

/* ---- In use ---- */

/* So many random numbers it draws from one seed, and not one more. */
static void a_seed_is_good_for_so_many_requests(void **state)
{
    struct bench *bench = *state;
    unsigned before = bench->secure.drbg.requests, requests = 0;

    sound = bench->secure_entropy.read;
    bench->secure_entropy.read = stuck;
    while (bench_hex(bench, RANDOM) == 0x9000) {
        requests++;
    }
    assert_int_equal(before + requests, COS_DRBG_RESEED);
    assert_mute(bench);
    bench->secure_entropy.read = sound;
    bench_reset(bench);
    for (requests = 0; requests < COS_DRBG_RESEED + 100; requests++) {
        bench_expect(bench, RANDOM, 0x9000, CARD_ANY);
    }
}

/* Commands that need random numbers: what they make, what blinds them, what seals what they write.
 */
static const struct {
    const char *what, *apdu;
    bool secured;
} commands[] = {
    {"GET CHALLENGE", "0084000010", false},
    {"GENERAL AUTHENTICATE, challenge", "00860083 04 7C028100", false},
    {"GENERATE ASYMMETRIC KEY PAIR", GENERATE, false},
    {"COMPUTE DIGITAL SIGNATURE", "002A9E9A 14 " R_20, false},
    {"CHANGE REFERENCE DATA", "00240081 0C 313233343536 363534333231", false},
    {"STORE DATA", "80E2E000 22 80101F 830104 " NAME " C00105 C10106 C20108 C706 313131313131",
     true},
};

static int make_pair(void **state)
{
    struct bench *bench;

    card_make(state);
    bench = *state;
    bench_session(bench, 0x03);
    assert_int_equal(bench_store_one(bench, "8020", "830104 " NAME " 800105 C90100 CE0101 CB0100"),
                     0x9000);
    bench_select(bench);
    bench_expect(bench, GENERATE, 0x9000, CARD_ANY);
    return 0;
}

static uint16_t send(struct bench *bench, size_t which)
{
    return commands[which].secured ? bench_sm_hex(bench, commands[which].apdu)
                                   : bench_hex(bench, commands[which].apdu);
}

/* The generator is about to be seeded again, as it is after so many requests. */
static void prepare(struct bench *bench, size_t which)
{
    bench_reset(bench);
    if (commands[which].secured) {
        bench_session(bench, 0x03);
    } else {
        bench_select(bench);
        bench_expect(bench, "0022C1B6 03 840184", 0x9000, NULL);
    }
    bench->secure.drbg.requests = COS_DRBG_RESEED;
}

/* The card is after a reset what it was before. */
static void nothing_is_made_of_bad_noise(void **state)
{
    struct bench *bench = *state;
    uint8_t public[128];
    size_t length;

    sound = bench->secure_entropy.read;
    bench_expect(bench, READ, 0x9000, CARD_ANY);
    length = bench->length;
    memcpy(public, bench->data, length);
    for (size_t i = 0; i < CARD_COUNT(broken) * CARD_COUNT(commands); i++) {
        prepare(bench, i % CARD_COUNT(commands));
        bench->secure_entropy.read = broken[i / CARD_COUNT(commands)].read;
        if (send(bench, i % CARD_COUNT(commands)) != 0x6F00 || bench->length != 0) {
            fail_msg("%s, source %s: %04X", commands[i % CARD_COUNT(commands)].what,
                     broken[i / CARD_COUNT(commands)].what, bench->sw);
        }
        assert_mute(bench);
        bench->secure_entropy.read = sound;
        bench_reset(bench);
        assert_int_equal(bench->secure.attacks, 0); /* a source that wears out is no attack */
        bench_select(bench);
        bench_expect(bench, READ, 0x9000, CARD_ANY);
        assert_int_equal(bench->length, length);
        assert_memory_equal(bench->data, public, length);
        bench_expect(bench, "00200081 06 313233343536", 0x9000, NULL);
    }
}

/* The same with a source that works. */
static void seeding_again_is_not_seen(void **state)
{
    struct bench *bench = *state;

    for (size_t which = 0; which < CARD_COUNT(commands); which++) {
        prepare(bench, which);
        assert_int_equal(send(bench, which), 0x9000);
        assert_in_range(bench->secure.drbg.requests, 1, 64);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(a_first_start_waits_for_better_noise),
        CARD_TEST(a_later_start_is_mute_until_the_next),
        CARD_TEST(a_seed_is_good_for_so_many_requests),
        cmocka_unit_test_setup_teardown(nothing_is_made_of_bad_noise, make_pair, card_free),
        cmocka_unit_test_setup_teardown(seeding_again_is_not_seen, make_pair, card_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
