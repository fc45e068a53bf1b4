/* SPDX-License-Identifier: Apache-2.0
 *
 * The store until its memory is worn out. Each erase unit has a life of its own; one counter is
 * written all the time, most pages hold what never changes. Wear must be spread before cells die,
 * dead pages must be replaced while there are spares, nothing may be lost, and in the end all must
 * still be readable.
 */
#include "cos/store.h"
#include "sim_nvm.h"

#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define PAGES     31
#define RESERVE   10
#define LOGICAL   (PAGES - RESERVE)
#define PAYLOAD   24U
#define SPACE     (LOGICAL * PAYLOAD)
#define SECRET    16 /* logical pages from here on, where there are secrets at all */
#define ENDURANCE 1000U
#define SPREAD    100U /* lives are ENDURANCE to ENDURANCE + SPREAD erases */

static struct {
    struct sim_power power;
    struct sim_nvm sim;
    struct cos_store store;
    struct cos_store_config config;
    uint16_t map[LOGICAL];
    uint32_t life[PAGES + 1];
    uint8_t space[SPACE];
    uint8_t old_secret[8];
    uint64_t random;
    uint32_t counter;
} worn;

static void open_store(uint64_t seed, bool secrets)
{
    const struct cos_nvm_geometry geometry = {.size = (PAGES + 1) * 64,
                                              .erase_unit = 64,
                                              .tear_unit = 64,
                                              .program_unit = 8,
                                              .erased_value = seed % 2 ? 0xFF : 0x00};
    memset(&worn, 0, sizeof worn);
    worn.random = seed;
    sim_nvm_init(&worn.sim, &worn.power, &geometry, 64, 64);
    for (unsigned unit = 1; unit <= PAGES; unit++) {
        worn.life[unit] = ENDURANCE + sim_below(&worn.random, SPREAD);
        sim_nvm_kill(&worn.sim, unit, worn.life[unit], sim_below(&worn.random, 2) == 0, seed);
    }
    worn.config = (struct cos_store_config){.start = 64,
                                            .page_size = 64,
                                            .pages = PAGES,
                                            .reserve = RESERVE,
                                            .scrub_from = secrets ? SECRET : 0xFFFF,
                                            .map = worn.map};
    assert_int_equal(cos_store_mount(&worn.store, &worn.sim.nvm, &worn.config), COS_E_STORE_BLANK);
    assert_int_equal(cos_store_size(&worn.store), SPACE);
}

static void close_store(void)
{
    sim_nvm_free(&worn.sim);
}

static void verify(void)
{
    uint8_t found[SPACE];
    assert_int_equal(cos_store_read(&worn.store, 0, found, SPACE), COS_OK);
    assert_memory_equal(found, worn.space, SPACE);
}

static void restart(void)
{
    sim_power_off(&worn.power);
    sim_power_up(&worn.power);
    assert_int_equal(cos_store_mount(&worn.store, &worn.sim.nvm, &worn.config), COS_OK);
    verify();
}

/* A commit and the settle behind it; false if it was refused, and then nothing changed. */
static bool write(uint32_t address, const uint8_t *data, uint32_t length)
{
    const struct cos_edit edit = {.address = address, .data = data, .length = length};
    enum cos_result result = cos_store_commit(&worn.store, &edit, 1);
    if (result != COS_OK) {
        assert_int_equal(result, COS_E_MEMORY_FAILURE);
        return false;
    }
    memcpy(worn.space + address, data, length);
    (void)cos_store_settle(&worn.store);
    return true;
}

static void write_cold_pages(void)
{
    for (uint32_t page = 1; page < LOGICAL; page++) {
        uint8_t data[PAYLOAD];
        for (unsigned i = 0; i < PAYLOAD; i++) {
            data[i] = (uint8_t)(sim_random(&worn.random) >> 56);
        }
        assert_true(write(page * PAYLOAD, data, PAYLOAD));
    }
}

static bool count(void)
{
    uint8_t bytes[4];
    cos_put32(bytes, ++worn.counter);
    return write(5, bytes, 4);
}

/* Replaces a secret; the one before must be nowhere in the chip. */
static bool replace_secret(void)
{
    const uint32_t at = (SECRET + sim_below(&worn.random, LOGICAL - SECRET)) * PAYLOAD;
    uint8_t secret[8], old[8];
    for (unsigned i = 0; i < sizeof secret; i++) {
        secret[i] = (uint8_t)(sim_random(&worn.random) >> 56);
    }
    memcpy(old, worn.space + at, sizeof old);
    if (!write(at, secret, sizeof secret)) {
        return false;
    }
    assert_null(memmem(worn.sim.cells, worn.sim.nvm.geometry.size, old, sizeof old));
    return true;
}

struct wear {
    uint32_t lowest, highest, dead;
    uint64_t total;
};

static struct wear look(void)
{
    struct wear wear = {.lowest = UINT32_MAX};
    for (unsigned unit = 1; unit <= PAGES; unit++) {
        const uint32_t erases = worn.sim.erases[unit];
        wear.lowest = erases < wear.lowest ? erases : wear.lowest;
        wear.highest = erases > wear.highest ? erases : wear.highest;
        wear.dead += erases >= worn.life[unit];
        wear.total += erases;
    }
    return wear;
}

/* Writes until a unit is dead. */
static struct wear wear_to_first_death(bool secrets)
{
    struct wear wear = look();
    for (uint32_t i = 0; wear.dead == 0; i++) {
        assert_true(secrets && i % 16 == 0 ? replace_secret() : count());
        if (i % 4 == 0) { /* sessions are short */
            restart();
        }
        wear = look();
    }
    verify();
    return wear;
}

/* The same until a commit is refused. Returns how many. */
static uint32_t wear_out(bool secrets)
{
    uint32_t commits = 0;
    while (secrets && commits % 16 == 0 ? replace_secret() : count()) {
        commits++;
        if (commits % 4 == 0) {
            restart();
        }
    }
    return commits;
}

static void life_of_a_store(uint64_t seed, bool secrets)
{
    open_store(seed, secrets);
    write_cold_pages();
    const struct wear first = wear_to_first_death(secrets);
    const uint32_t commits = wear_out(secrets);
    const struct wear last = look();
    printf(
        "# %s: first unit dead after %llu erases, %llu %% of what all pages are good for, counts "
        "%u to %u; %u commits later the last spare, with %u dead of %u pages\n",
        secrets ? "secrets" : "no secrets", (unsigned long long)first.total,
        (unsigned long long)(first.total * 100 / (PAGES * (uint64_t)ENDURANCE)),
        (unsigned)first.lowest, (unsigned)first.highest, (unsigned)commits, (unsigned)last.dead,
        (unsigned)PAGES);
    /* A counter does not kill a page early, and what is cold does not stay fresh. */
    assert_true(first.total * 100 >= 90 * PAGES * (uint64_t)ENDURANCE);
    assert_true(first.highest - first.lowest <= 3 * COS_STORE_LEVEL);
    assert_true(first.lowest * 100 >= first.highest * 80);
    /* Spares take over: all but those that a transaction and a recovery must find. */
    assert_true(last.dead >= RESERVE - COS_STORE_SLACK);
    /* Nothing is lost, now and at any later start, and nothing is taken back. */
    verify();
    for (unsigned i = 0; i < 5; i++) {
        restart();
        if (!count()) {
            verify();
        }
    }
    close_store();
}

static void wear_is_spread_and_spares_take_over(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 6; seed++) {
        life_of_a_store(seed, false);
    }
}

static void secrets_wear_too(void **state)
{
    (void)state;
    for (uint64_t seed = 10; seed < 16; seed++) {
        life_of_a_store(seed, true);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(wear_is_spread_and_spares_take_over),
        cmocka_unit_test(secrets_wear_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
