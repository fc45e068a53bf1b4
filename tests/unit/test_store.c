/* SPDX-License-Identifier: Apache-2.0
 *
 * The store with power on: what it answers, what it refuses, what it costs, and how it wears out.
 * Damaged images are test_store_damage.c, torn power is tests/power/test_store_power.c.
 */
#include "store_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct rig rig;

static void failed(const struct rig *r, const char *message)
{
    (void)r;
    fail_msg("%s", message);
}

/* Page of 64 bytes, program unit 8: 24 bytes of payload. Even: erased 00, odd: FF. */
#define SMALL rig_find(SIM_WRITE_ONCE, 64, 64)

static void open_rig(unsigned geometry, uint64_t seed)
{
    rig_open(&rig, geometry, seed, failed);
}

static int teardown(void **state)
{
    (void)state;
    if (rig.sim.block != NULL) {
        rig_close(&rig);
    }
    return 0;
}

static enum cos_result remount(void)
{
    sim_power_off(&rig.power);
    sim_power_up(&rig.power);
    return cos_store_mount(&rig.store, &rig.sim.nvm, &rig.config);
}

/* ---- Reading and writing ---- */

static void blank_store_is_reported_and_usable(void **state)
{
    (void)state;
    for (unsigned geometry = 0; geometry < RIG_GEOMETRIES; geometry++) {
        open_rig(geometry, 1); /* reads all: 00 */
        assert_int_equal(remount(), COS_E_STORE_BLANK);
        assert_int_equal(cos_store_settle(&rig.store), COS_OK);
        assert_int_equal(remount(), COS_E_STORE_BLANK);
        assert_true(rig_step(&rig, '1'));
        assert_int_equal(remount(), COS_OK);
        rig_verify(&rig);
        rig_close(&rig);
    }
}

static void edits_do_what_they_say(void **state)
{
    (void)state;
    open_rig(SMALL, 2);
    const uint32_t p = rig.store.payload, end = rig.size;
    uint8_t a[64], b[64];
    memset(a, 0xA1, sizeof a);
    memset(b, 0xB2, sizeof b);
    const struct {
        struct cos_edit edits[3];
        size_t count;
        unsigned pages; /* page programs */
    } table[] = {
        {{{3, a, 5}}, 1, 1},
        {{{3, a, 5}, {5, b, 1}}, 2, 1},               /* the later one inside the earlier one */
        {{{5, b, 1}, {3, a, 5}}, 2, 1},               /* hidden by the later one */
        {{{0, a, 9}, {4, b, 9}, {8, NULL, 2}}, 3, 1}, /* chain */
        {{{p - 1, a, 2}}, 1, 2},                      /* border */
        {{{p - 2, a, p + 4}}, 1, 3},                  /* a whole page between two borders */
        {{{p, b, p}}, 1, 1},                          /* exactly one page */
        {{{2 * p, NULL, 2 * p}}, 1, 2},
        {{{end - 1, a, 1}}, 1, 1},            /* the last byte */
        {{{0, a, 1}, {end - 1, b, 1}}, 2, 2}, /* far apart */
        {{{end - 1, a, 1}, {p, NULL, 1}, {0, b, 1}}, 3, 3},
        {{{7, NULL, 0}}, 1, 0},   /* nothing */
        {{{end, NULL, 0}}, 1, 0}, /* nothing, at the very end */
        {{{7, a, 0}, {8, b, 1}, {end, a, 0}}, 3, 1},
        {{{0}}, 0, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct sim_counts before = rig.sim.counts;
        assert_true(rig_commit(&rig, table[i].edits, table[i].count));
        assert_int_equal(rig.sim.counts.page_programs - before.page_programs, table[i].pages);
        assert_int_equal(rig.sim.counts.marks - before.marks, 0);
        assert_true(rig_step(&rig, 'r'));
    }
}

static void bad_edits_change_nothing(void **state)
{
    (void)state;
    open_rig(SMALL, 3);
    const uint32_t p = rig.store.payload, end = rig.size;
    static uint8_t a[RIG_SPACE_MAX];
    const struct {
        struct cos_edit edits[RIG_TOUCH + 1];
        size_t count;
        enum cos_result result;
    } table[] = {
        {{{end, a, 1}}, 1, COS_E_INVARIANT},
        {{{end - 1, a, 2}}, 1, COS_E_INVARIANT},
        {{{end + 1, a, 0}}, 1, COS_E_INVARIANT},
        {{{0, a, end + 1}}, 1, COS_E_INVARIANT},
        {{{UINT32_MAX, a, 1}}, 1, COS_E_INVARIANT},
        {{{UINT32_MAX, a, 2}}, 1, COS_E_INVARIANT},
        {{{1, a, UINT32_MAX}}, 1, COS_E_INVARIANT},
        {{{0, a, 1}, {end, a, 1}}, 2, COS_E_INVARIANT}, /* the good one is not done either */
        {{{0, a, RIG_TOUCH * p + 1}}, 1, COS_E_MEMORY_FULL},
        {{{p - 1, a, RIG_TOUCH * p}}, 1, COS_E_MEMORY_FULL},
        {{{0, a, 1}, {p, a, 1}, {2 * p, a, 1}, {3 * p, a, 1}}, 4, COS_E_MEMORY_FULL},
    };
    memset(a, 0x77, sizeof a);
    assert_true(rig_steps(&rig, "3sw1b"));
    uint8_t *image = malloc(rig.sim.nvm.geometry.size);
    memcpy(image, rig.sim.cells, rig.sim.nvm.geometry.size);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_int_equal(cos_store_commit(&rig.store, table[i].edits, table[i].count),
                         table[i].result);
        rig_verify(&rig);
        assert_memory_equal(image, rig.sim.cells, rig.sim.nvm.geometry.size);
    }
    free(image);
    uint8_t byte = 0x5A;
    assert_int_equal(cos_store_read(&rig.store, end, &byte, 1), COS_E_INVARIANT);
    assert_int_equal(cos_store_read(&rig.store, end - 1, &byte, 2), COS_E_INVARIANT);
    assert_int_equal(cos_store_read(&rig.store, UINT32_MAX, &byte, 2), COS_E_INVARIANT);
    assert_int_equal(byte, 0x5A);
    assert_int_equal(cos_store_read(&rig.store, end, &byte, 0), COS_OK);
    assert_true(rig_steps(&rig, "1sr"));
}

static void bad_configurations_are_refused(void **state)
{
    (void)state;
    open_rig(SMALL, 4);
    const struct cos_store_config good = rig.config;
    struct cos_store_config table[10];
    for (size_t i = 0; i < 10; i++) {
        table[i] = good;
    }
    table[0].page_size = 32;
    table[1].page_size = 96;
    table[2].pages = good.reserve;
    table[3].pages = 1000;
    table[4].start = 32;
    table[5].start = good.page_size * 4U;
    table[6].reserve = COS_STORE_SLACK;
    table[7].page_size = 0;
    table[8].start = UINT32_MAX / 64 * 64;
    table[9].pages = 0;
    for (size_t i = 0; i < 10; i++) {
        uint64_t operations = rig.power.operations;
        assert_int_equal(cos_store_mount(&rig.store, &rig.sim.nvm, &table[i]), COS_E_INVARIANT);
        assert_int_equal(rig.power.operations, operations);
    }
    struct cos_nvm strange = rig.sim.nvm;
    strange.geometry.program_unit = 0;
    assert_int_equal(cos_store_mount(&rig.store, &strange, &good), COS_E_INVARIANT);
    strange.geometry.program_unit = COS_STORE_MERGE * 2;
    assert_int_equal(cos_store_mount(&rig.store, &strange, &good), COS_E_INVARIANT);
}

static void random_commits_follow_the_shadow(void **state)
{
    (void)state;
    unsigned long commits = 0, restarts = 0;
    for (unsigned geometry = 0; geometry < RIG_GEOMETRIES; geometry += 3) {
        open_rig(geometry, geometry + 100);
        for (unsigned i = 0; i < 2500; i++) {
            assert_true(rig_step(&rig, rig_any_commit(&rig)));
            commits++;
            switch (sim_below(&rig.random, 8)) {
            case 0:
            case 1:
            case 2:
                assert_true(rig_step(&rig, 's'));
                break;
            case 3:
                assert_true(rig_steps(&rig, "rrr")); /* a start changes nothing, however often */
                restarts += 3;
                break;
            default:
                break;
            }
        }
        rig_close(&rig);
    }
    printf("# %lu commits and %lu starts followed by the shadow\n", commits, restarts);
}

/* ---- Secrets ---- */

static unsigned occurrences(const void *what, size_t length)
{
    unsigned found = 0;
    for (size_t at = 0; at + length <= rig.sim.nvm.geometry.size; at++) {
        found += memcmp(rig.sim.cells + at, what, length) == 0;
    }
    return found;
}

static void replaced_secrets_are_scrubbed(void **state)
{
    (void)state;
    static const uint8_t one[] = "secret A", two[] = "secret B";
    static const char *const ends[] = {"s", "r", "1s", "1r", "sr"};
    for (unsigned geometry = 0; geometry < RIG_GEOMETRIES; geometry++) {
        if (!rig_scrubs(geometry)) {
            continue;
        }
        for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
            open_rig(geometry, i);
            uint32_t at = RIG_SECRET * rig.store.payload;
            const struct cos_edit write = {.address = at, .data = one, .length = 8},
                                  beside = {.address = at + 14, .data = two, .length = 1},
                                  replace = {at, two, 8}, remove = {at, NULL, 8};
            const struct {
                const struct cos_edit *edit;
                unsigned ones, twos;
            } table[] = {{&write, 1, 0},  {&beside, 1, 0}, {&replace, 0, 1},
                         {&remove, 0, 0}, {&write, 1, 0},  {&replace, 0, 1}};
            for (size_t step = 0; step < sizeof table / sizeof table[0]; step++) {
                assert_true(rig_commit(&rig, table[step].edit, 1));
                assert_true(rig_steps(&rig, ends[i]));
                assert_int_equal(occurrences(one, 8), table[step].ones);
                assert_int_equal(occurrences(two, 8), table[step].twos);
            }
            rig_close(&rig);
        }
    }
}

/* ---- Wear and cost ---- */

struct wear_found {
    uint32_t lowest, highest;
    uint64_t total;
    struct cos_store_wear said;
};

/* One counter is written again and again, all other pages stay as they are. */
static struct wear_found wear_out_counter(unsigned geometry, uint32_t commits)
{
    open_rig(geometry, 5);
    assert_true(rig_steps(&rig, "333333s"));
    for (uint32_t i = 0; i < commits; i++) {
        uint8_t counter[4];
        cos_put32(counter, i);
        const struct cos_edit edit = {.address = 2, .data = counter, .length = 4};
        assert_int_equal(cos_store_commit(&rig.store, &edit, 1), COS_OK);
        assert_int_equal(cos_store_settle(&rig.store), COS_OK);
        memcpy(rig.space[0] + 2, counter, 4);
    }
    rig_verify(&rig);
    struct wear_found wear = {.lowest = UINT32_MAX};
    for (unsigned i = 1; i <= RIG_PAGES; i++) { /* the chip's own count, not the store's */
        uint32_t erases = rig.sim.erases[i];
        wear.lowest = erases < wear.lowest ? erases : wear.lowest;
        wear.highest = erases > wear.highest ? erases : wear.highest;
        wear.total += erases;
    }
    assert_int_equal(cos_store_wear(&rig.store, &wear.said), COS_OK);
    assert_int_equal(wear.said.pages, RIG_PAGES);
    printf("# wear after %u commits to one counter, %s: chip %u to %u, store says %u to %u, "
           "%.3f erases a commit\n",
           (unsigned)commits, rig_scrubs(geometry) ? "cold pages secret" : "nothing secret",
           (unsigned)wear.lowest, (unsigned)wear.highest, (unsigned)wear.said.lowest,
           (unsigned)wear.said.highest, (double)wear.total / commits);
    rig_close(&rig);
    return wear;
}

static void wear_is_levelled(void **state)
{
    (void)state;
    struct wear_found wear = wear_out_counter(15, 100000);
    assert_true(wear.highest - wear.lowest <= 2 * COS_STORE_LEVEL + RIG_PAGES);
    assert_true(wear.said.highest <= wear.highest + 4 && wear.said.highest + 4 >= wear.highest);
    assert_true(wear.said.lowest <= wear.lowest + 4 && wear.said.lowest + 4 >= wear.lowest);
    wear = wear_out_counter(12, 100000); /* a scrubbed page keeps its count */
    assert_true(wear.highest - wear.lowest <= 2 * COS_STORE_LEVEL + RIG_PAGES);
    assert_true(wear.said.highest <= wear.highest + 4 && wear.said.highest + 4 >= wear.highest);
}

struct cost {
    uint64_t commits, pages, settles, moves, marks, erases, worst_erases;
};

/* One command: a commit and the settle behind it. */
static void spend_command(struct cost *cost, char letter)
{
    struct sim_counts start = rig.sim.counts;
    uint8_t before[RIG_SPACE_MAX];
    memcpy(before, rig.space[0], rig.size);
    assert_true(rig_step(&rig, letter));
    struct sim_counts middle = rig.sim.counts;
    assert_int_equal(middle.marks, start.marks);
    if (letter == '1' || letter == 'w' || letter == '2' || letter == '-') {
        assert_int_equal(middle.page_programs - start.page_programs, 1);
    } else {
        assert_int_equal(middle.page_programs - start.page_programs, letter == '3' ? RIG_TOUCH : 2);
    }
    assert_true(rig_step(&rig, 's'));
    struct sim_counts end = rig.sim.counts;
    assert_true(end.marks - middle.marks <= 1 || letter == 's');
    /* One page is moved at the most; the headers of cleared pages count as well. */
    unsigned cleared = rig.config.scrub_from == 0xFFFF ? 0 : RIG_TOUCH;
    assert_true(end.page_programs - middle.page_programs <= 1 + cleared);
    unsigned units = rig.config.page_size / rig.sim.nvm.geometry.erase_unit;
    uint64_t erases = (end.erases - start.erases) / units;
    cost->commits++;
    cost->pages += middle.page_programs - start.page_programs;
    cost->moves += end.page_programs - middle.page_programs;
    cost->marks += end.marks - middle.marks;
    cost->erases += erases;
    cost->worst_erases = erases > cost->worst_erases ? erases : cost->worst_erases;
}

static void costs(void **state)
{
    (void)state;
    static const char letters[] = "1w2b3-";
    for (unsigned scrub = 0; scrub < 2; scrub++) {
        struct cost cost = {0};
        for (unsigned geometry = 0; geometry < RIG_GEOMETRIES; geometry++) {
            if (rig_scrubs(geometry) != (scrub == 1)) {
                continue;
            }
            open_rig(geometry, geometry);
            for (unsigned i = 0; i < 600; i++) {
                spend_command(&cost, letters[i % (sizeof letters - 1)]);
                uint64_t operations = rig.power.operations;
                assert_true(i % 10 != 0 ||
                            rig_step(&rig, 'r')); /* a settled start writes nothing */
                assert_int_equal(rig.power.operations, operations);
            }
            rig_close(&rig);
        }
        printf("# %s: %llu commits, %.3f page programs each, %.3f marks, %.4f moved or cleared; "
               "%.3f erases "
               "a page program, at most %llu a command\n",
               scrub ? "a third of the pages secret" : "nothing secret",
               (unsigned long long)cost.commits, (double)cost.pages / (double)cost.commits,
               (double)cost.marks / (double)cost.commits, (double)cost.moves / (double)cost.commits,
               (double)cost.erases / (double)(cost.pages + cost.moves),
               (unsigned long long)cost.worst_erases);
        if (!scrub) {
            assert_true(cost.erases <= cost.pages + cost.moves + 3 * RIG_GEOMETRIES);
        }
    }
}

/* ---- Dead cells ---- */

/* Kills page after page and writes on until the store refuses. Returns how many pages it took. */
static unsigned kill_until_refused(uint64_t seed, bool reports)
{
    unsigned units = rig.config.page_size / rig.sim.nvm.geometry.erase_unit;
    enum cos_result result = COS_OK;
    unsigned dead = 0;
    while (result == COS_OK && dead < RIG_PAGES) {
        /* From the next erase on, so that nothing that is live is lost. */
        sim_nvm_kill(&rig.sim, (1 + (dead * 5 + 3) % RIG_PAGES) * units + units / 2, 0, reports,
                     seed);
        dead++;
        for (unsigned i = 0; i < 2 * RIG_PAGES && result == COS_OK; i++) {
            uint8_t byte = (uint8_t)(i + 1);
            const struct cos_edit edits[] = {{i % 3 * rig.store.payload + 4, &byte, 1},
                                             {(i + 1) % 3 * rig.store.payload + 5, &byte, 1}};
            result = cos_store_commit(&rig.store, edits, 1 + i % 2);
            if (result == COS_OK) {
                rig.space[0][edits[0].address] = byte;
                rig.space[0][edits[1].address] = i % 2 ? byte : rig.space[0][edits[1].address];
                (void)cos_store_settle(&rig.store);
            }
            rig_verify(&rig);
        }
    }
    assert_int_equal(result, COS_E_MEMORY_FAILURE);
    return dead;
}

static void dead_pages_are_replaced_while_spares_last(void **state)
{
    (void)state;
    unsigned fewest = RIG_PAGES;
    for (unsigned geometry = 0; geometry < RIG_GEOMETRIES; geometry++) {
        for (unsigned reports = 0; reports < 2; reports++) {
            open_rig(geometry, geometry + 7);
            assert_true(rig_steps(&rig, "33sw2b1s"));
            unsigned dead = kill_until_refused(geometry, reports == 1);
            fewest = dead < fewest ? dead : fewest;
            rig_verify(&rig);
            for (unsigned i = 0; i < 3; i++) { /* all can still be read, start after start */
                assert_int_equal(remount(), COS_OK);
                rig_verify(&rig);
            }
            rig_close(&rig);
        }
    }
    printf("# of %u pages with %u spare ones, at least %u died before a commit was refused\n",
           RIG_PAGES, RIG_RESERVE, fewest - 1);
    assert_true(fewest > RIG_RESERVE - COS_STORE_SLACK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
    static const struct CMUnitTest tests[] = {
        TEST(blank_store_is_reported_and_usable),
        TEST(edits_do_what_they_say),
        TEST(bad_edits_change_nothing),
        TEST(bad_configurations_are_refused),
        TEST(random_commits_follow_the_shadow),
        TEST(replaced_secrets_are_scrubbed),
        TEST(wear_is_levelled),
        TEST(costs),
        TEST(dead_pages_are_replaced_while_spares_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
