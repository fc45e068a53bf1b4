/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands that take long: the terminal's waiting time (ISO/IEC 7816-3:2006, 10.2 and 11.4.3) is
 * never exceeded, with slow memory, a slow security chip, and keys that are made for minutes; in
 * both protocols, with all pairs of Fi and Di, and the shortest, usual and longest waiting times.
 * Time is simulated (slow_card.h).
 */
#include "crypt_rig.h"
#include "slow_card.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SELECT "00A4040C 09 F05457494E434F5301"
#define VERIFY "00200081 06 313233343536"

enum { SECOND = 1000, MINUTE = 60 * SECOND, RECORDS = 200, FILES = 24 };

static struct slow_card card;
static const uint8_t waits[2][3] = {{1, 10, 255}, {0, 4, 9}};

/* The shortest waiting times, and some that are not. 20 MHz and BWI 0: 17.8 ms. */
static const struct slow_setting corners[] = {
    {0, 0x11, 1, 5000}, {0, 0x97, 1, 0}, {0, 0x61, 10, 0}, {0, 0xD7, 1, 0}, {1, 0x11, 0, 5000},
    {1, 0x97, 0, 0},    {1, 0x61, 0, 0}, {1, 0xD7, 0, 0},  {1, 0xD1, 0, 0}, {1, 0x11, 4, 0},
};

/* What a board may do: no operation on NVM takes more than a quarter of a waiting time. */
static struct slow_times times_for(const struct slow_setting *setting)
{
    const double most = slow_card_waiting_time(setting) / 4;

    return (struct slow_times){.read = 0.05,
                               .write = most < 20 ? most : 20,
                               .seal = 2,
                               .start = 50,
                               .answer = 20,
                               .key_answer = 20,
                               .secure_write = 10,
                               .round = 100};
}

static void expect_kept(const char *what)
{
    if (!card.kept) {
        fail_msg("%s: T=%u, %02X, waiting %u: %zu commands, %.3f of the waiting time", what,
                 card.setting.protocol, card.setting.fi_di, card.setting.waiting, card.done,
                 card.largest);
    }
}

static void expect(const char *what, size_t command, uint16_t sw)
{
    const uint16_t got = card.sw[command];

    if (command >= card.done || (got != sw && (sw != 0x9000 || got >> 8 != 0x61))) {
        fail_msg("%s: T=%u, %02X, waiting %u: %04X", what, card.setting.protocol,
                 card.setting.fi_di, card.setting.waiting, command < card.done ? got : 0);
    }
}

static int make(void **state)
{
    card_make(state);
    bench_power_off(*state);
    return 0;
}

/* ---- Any pair of Fi and Di ---- */

static void every_pair(void **state)
{
    static const char *const apdus[] = {SELECT, VERIFY, "0084000008"};
    double largest[2] = {0};
    unsigned lives = 0;

    for (unsigned i = 0; i < 2 * 3 * 256; i++) {
        const unsigned protocol = i / 768;
        const struct slow_setting setting = {protocol, (uint8_t)i, waits[protocol][i / 256 % 3], 0};
        struct slow_times times = times_for(&setting);
        if (cos_fi(setting.fi_di) == 0 || cos_di(setting.fi_di) == 0) {
            continue;
        }
        times.answer = 300;
        slow_card_start(&card, *state, &setting, &times);
        slow_card_run(&card, apdus, CARD_COUNT(apdus));
        expect_kept("slow answers");
        for (size_t j = 0; j < CARD_COUNT(apdus); j++) {
            expect("slow answers", j, 0x9000);
        }
        assert_true(card.extensions > 0 || slow_card_waiting_time(&setting) > 600);
        largest[protocol] = card.largest > largest[protocol] ? card.largest : largest[protocol];
        lives++;
    }
    slow_card_end(&card);
    print_message("# %u settings, answers after 0.3 s: at most %.2f of WT, %.2f of BWT\n", lives,
                  largest[0], largest[1]);
}

/* ---- A slow security chip ---- */

static const struct slow {
    const char *what;
    struct slow_times add;
    bool mute;
    uint16_t sw; /* of SELECT and VERIFY */
} slow[] = {
    {"each answer after 1 s", {.answer = SECOND}, false, 0x9000},
    {"each answer after 3.5 s", {.answer = 3500}, false, 0x9000},
    {"each answer after 30 s", {.answer = 30 * SECOND}, false, 0x6F00},
    {"it starts late", {.start = 3 * SECOND}, false, 0x9000},
    {"it starts too late", {.start = 12 * SECOND}, false, 0x6F00},
    {"it is mute", {0}, true, 0x6F00},
};

static void a_slow_security_chip(void **state)
{
    static const char *const apdus[] = {SELECT, VERIFY};
    double largest = 0;

    for (size_t i = 0; i < CARD_COUNT(corners) * CARD_COUNT(slow); i++) {
        const struct slow_setting *setting = &corners[i / CARD_COUNT(slow)];
        const struct slow *one = &slow[i % CARD_COUNT(slow)];
        struct slow_times times = times_for(setting);
        times.answer += one->add.answer;
        times.start += one->add.start;
        slow_card_start(&card, *state, setting, &times);
        card.mute = one->mute;
        for (unsigned clocks = 0; clocks < 2; clocks++) {
            card.clocks = clocks != 0;
            slow_card_run(&card, apdus, CARD_COUNT(apdus));
            expect_kept(one->what);
            expect(one->what, 0, one->sw);
            expect(one->what, 1, one->sw);
        }
        largest = card.largest > largest ? card.largest : largest;
    }
    slow_card_end(&card);
    print_message("# a slow security chip: at most %.2f of the waiting time\n", largest);
}

/* ---- Keys ---- */

static int make_keys(void **state)
{
    card_make(state);
    crypt_key(*state, 4, OF_APPLICATION " 800104 C90110 CE010B CB0100");
    crypt_key(*state, 5, OF_APPLICATION " 800104 C90120 CE010B CB0100");
    crypt_key(*state, 6, OF_APPLICATION " 800104 C90140 CE010B CB0100");
    bench_power_off(*state);
    return 0;
}

static const char *const generate[3][2] = {{SELECT, "00478000 05 B603840184 00"},
                                           {SELECT, "00478000 05 B603840185 00"},
                                           {SELECT, "00478000 05 B603840186 00"}};

/* Each at each corner, and the longest time at the shortest waiting times. */
static void keys_of_all_lengths(void **state)
{
    static const double takes[3] = {10 * SECOND, 2 * MINUTE, 10 * MINUTE};
    double largest = 0;

    for (size_t length = 0; length < 3; length++) {
        struct oracle_rsa rsa;
        oracle_rsa_generate(&rsa, 1024U << length, 65537);
        const struct cos_rsa_private key = oracle_rsa_private(&rsa);
        for (size_t i = 0; i < CARD_COUNT(corners); i++) {
            struct slow_times times = times_for(&corners[i]);
            times.generate = takes[length];
            slow_card_start(&card, *state, &corners[i], &times);
            card.prepared = &key;
            card.modulus = oracle_rsa_n(&rsa);
            slow_card_run(&card, generate[length], 2);
            expect_kept("key generation");
            expect("key generation", 1, 0x9000);
            assert_int_equal(card.generated, 1);
            assert_true(card.signs >= (size_t)(takes[length] / (16 * SECOND)));
            assert_true(card.signs <= (size_t)(takes[length] / (15 * SECOND)) + 1);
            assert_int_equal(card.repeated, 0); /* nobody had to ask again */
            largest = card.largest > largest ? card.largest : largest;
        }
        oracle_rsa_free(&rsa);
    }
    slow_card_end(&card);
    print_message("# keys made for up to 10 min: at most %.2f of the waiting time\n", largest);
}

static void a_real_key(void **state)
{
    for (size_t i = 0; i < CARD_COUNT(corners); i += 4) {
        struct slow_times times = times_for(&corners[i]);
        slow_card_start(&card, *state, &corners[i], &times);
        slow_card_run(&card, generate[0], 2);
        expect_kept("a real key");
        expect("a real key", 1, 0x9000);
        assert_int_equal(card.generated, 1);
        assert_true(card.extensions > 0);
    }
    slow_card_end(&card);
}

/* Without signs of life four times a minute is what there is. Then the card gives up, and whatever
 * was asked for again was executed once. */
static void the_time_out_ends_it(void **state)
{
    static const struct {
        double generate, answer;
        bool clocks;
        uint16_t sw;
        size_t repeated;
    } rows[] = {
        {0, 30 * SECOND, true, 0x9000, 0},
        {0, 90 * SECOND, true, 0x9000, 0}, /* asked for again, which is behind the answer */
        {0, 10 * MINUTE, true, 0x6F00, 0},
        {3 * MINUTE, 20, false, 0x9000, 0},
        {10 * MINUTE, 20, false, 0x6F00, 0},
    };
    struct oracle_rsa rsa;

    oracle_rsa_generate(&rsa, 1024, 65537);
    const struct cos_rsa_private key = oracle_rsa_private(&rsa);
    for (size_t i = 0; i < 2 * CARD_COUNT(rows); i++) {
        const struct slow_setting *setting = &corners[i % 2 == 0 ? 1 : 4];
        struct slow_times times = times_for(setting);
        times.generate = rows[i / 2].generate;
        times.key_answer = rows[i / 2].answer;
        slow_card_start(&card, *state, setting, &times);
        card.clocks = rows[i / 2].clocks;
        card.prepared = &key;
        card.modulus = oracle_rsa_n(&rsa);
        slow_card_run(&card, generate[0], 2);
        expect_kept("no signs of life");
        expect("no signs of life", 1, rows[i / 2].sw);
        assert_int_equal(card.generated, 1);
    }
    oracle_rsa_free(&rsa);
    slow_card_end(&card);
}

/* ---- Memory ---- */

/* Of the host's sizes, or the same with memory that takes four erase operations for a page and
 * eight program operations for a run of bytes. */
static int make_files_on(void **state, bool fine)
{
    static const char *const records[] = {"82030241 08 83025120 80020640 880180 8C0407000000"};
    static struct bench_sizes fine_sizes;
    struct bench *bench = malloc(sizeof *bench);
    char text[80];

    fine_sizes = bench_host;
    fine_sizes.app.erase_unit = 64;
    fine_sizes.app.tear_unit = 8;
    bench_make(bench, fine ? &fine_sizes : &bench_host);
    *state = bench;
    bench_create_files(bench, BENCH_APPLICATION, records, 1);
    bench_expect_sm(bench, "00A4000C 02 3F00", 0x9000, NULL);
    assert_int_equal(bench_create(bench, true, "820138 83025600 8C0547000000FF"), 0x9000);
    for (unsigned i = 0; i < FILES; i++) {
        bench_expect_sm(bench, "00A4080C 02 5600", 0x9000, NULL);
        snprintf(text, sizeof text, "820101 8302%04X 80020100 8C03030000", 0x5601 + i);
        assert_int_equal(bench_create(bench, true, text), 0x9000);
    }
    bench_select(bench);
    for (unsigned i = 0; i < RECORDS; i++) {
        snprintf(text, sizeof text, "00E20080 08 41424344454647%02X", i);
        bench_expect(bench, text, 0x9000, NULL);
    }
    bench_power_off(bench);
    return 0;
}

static int make_files(void **state)
{
    return make_files_on(state, false);
}

static const struct work {
    const char *what, *apdus[3];
    bool torn;
} works[] = {
    {"mount", {SELECT}, false},
    {"mount of a torn store", {SELECT}, true},
    {"SEARCH RECORD", {SELECT, "00A20184 02 47C6 00", "00A20104 02 4647 00"}, false},
    {"ERASE RECORD", {SELECT, "000C0185", "00B2018400"}, false},
    {"DELETE FILE", {"00A4000C 02 3F00", "00E40000 02 5600"}, false},
};

static size_t length_of(const struct work *work)
{
    size_t length = 0;

    while (length < CARD_COUNT(work->apdus) && work->apdus[length] != NULL) {
        length++;
    }
    return length;
}

/* Power is gone while records are written. */
static void tear(struct bench *bench)
{
    slow_card_end(&card);
    assert_true(bench_power_on(bench));
    bench_select(bench);
    sim_power_cut(&bench->power, 4, SIM_GARBAGE, 7);
    (void)bench_hex(bench, "00DC0184 08 5152535455565758");
    assert_true(bench->power.dead);
    bench_power_off(bench);
}

/* The command that is torn is UPDATE RECORD of record 1: one transaction. */
static void slow_memory(void **state)
{
    double largest = 0, settled = 0;

    for (size_t i = 0; i < CARD_COUNT(corners) * CARD_COUNT(works); i++) {
        const struct slow_setting *setting = &corners[i / CARD_COUNT(works)];
        const struct work *work = &works[i % CARD_COUNT(works)];
        const struct slow_times times = times_for(setting);
        card_free(state);
        make_files_on(state, i % 2 != 0);
        slow_card_start(&card, *state, setting, &times);
        if (work->torn) {
            tear(*state);
            slow_card_start(&card, *state, setting, &times);
        }
        slow_card_run(&card, work->apdus, length_of(work));
        expect_kept(work->what);
        for (size_t j = 0; j < length_of(work); j++) {
            expect(work->what, j, 0x9000);
        }
        largest = card.largest > largest ? card.largest : largest;
        settled = card.settled > settled ? card.settled : settled;
    }
    slow_card_end(&card);
    print_message("# slow memory: at most %.2f of the waiting time, and %.2f behind a response\n",
                  largest, settled);
}

/* ---- This test ---- */

/* It sees when the hook is not called while the card waits for the security chip, or works on its
 * memory. */
static void who_is_not_called_is_late(void **state)
{
    static const struct {
        enum slow_deaf deaf;
        const char *apdus[2];
    } rows[] = {
        {SLOW_DEAF, {SELECT, VERIFY}},
        {SLOW_DEAF_IN_GATE, {SELECT, VERIFY}},
        {SLOW_DEAF_IN_MEMORY, {"00A4000C 02 3F00", "00E40000 02 5600"}},
    };

    for (size_t i = 0; i < CARD_COUNT(rows) * CARD_COUNT(corners); i++) {
        const struct slow_setting *setting = &corners[i % CARD_COUNT(corners)];
        const size_t row = i / CARD_COUNT(corners);
        struct slow_times times = times_for(setting);
        if (setting->waiting > 1) {
            continue;
        }
        times.answer = 300;
        card_free(state);
        make_files(state);
        slow_card_start(&card, *state, setting, &times);
        slow_card_run(&card, rows[row].apdus, 2);
        expect_kept("heard");
        card_free(state);
        make_files(state);
        slow_card_start(&card, *state, setting, &times);
        card.deaf = rows[row].deaf;
        slow_card_run(&card, rows[row].apdus, 2);
        assert_false(card.kept);
    }
    slow_card_end(&card);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_pair, make, card_free),
        cmocka_unit_test_setup_teardown(a_slow_security_chip, make, card_free),
        cmocka_unit_test_setup_teardown(keys_of_all_lengths, make_keys, card_free),
        cmocka_unit_test_setup_teardown(a_real_key, make_keys, card_free),
        cmocka_unit_test_setup_teardown(the_time_out_ends_it, make_keys, card_free),
        cmocka_unit_test_setup_teardown(slow_memory, make_files, card_free),
        cmocka_unit_test_setup_teardown(who_is_not_called_is_late, make_files, card_free),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
