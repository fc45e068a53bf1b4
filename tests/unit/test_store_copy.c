/* SPDX-License-Identifier: Apache-2.0
 *
 * Edits that copy within the store: they write the bytes that stood at their source before the
 * transaction, whatever else the transaction does to them.
 */
#include "store_rig.h"

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

/* Page of 64 bytes, program unit 8, erased 00: 24 bytes of payload. */
#define SMALL   rig_find(SIM_WRITE_ONCE, 64, 64)
#define PAYLOAD 24U

/* Logical pages 0 to 3 hold 1, 2, 3, ...; page 4 and 5 were never written. */
static void open_written(unsigned geometry)
{
    uint8_t bytes[RIG_SPACE_MAX];
    rig_open(&rig, geometry, 1, failed);
    for (uint32_t i = 0; i < rig.size; i++) {
        bytes[i] = (uint8_t)(i % 251 + 1);
    }
    for (uint32_t page = 0; page < 4; page++) {
        const uint32_t at = page * rig.store.payload;
        const struct cos_edit edit = {.address = at, .data = bytes + at, rig.store.payload};
        assert_true(rig_commit(&rig, &edit, 1));
    }
}

static int teardown(void **state)
{
    (void)state;
    if (rig.sim.block != NULL) {
        rig_close(&rig);
    }
    return 0;
}

/* Commits; then the bytes at `address` must be these, today and after a start. */
static void expect(const struct cos_edit *edits, size_t count, uint32_t address,
                   const uint8_t *bytes, size_t length)
{
    uint8_t found[8];
    assert_true(rig_commit(&rig, edits, count)); /* all else is as the rig's shadow says */
    assert_int_equal(cos_store_read(&rig.store, address, found, length), COS_OK);
    assert_memory_equal(found, bytes, length);
    assert_true(rig_step(&rig, 'r'));
}

static void a_copy_is_what_stood_there_before(void **state)
{
    (void)state;
    static const uint8_t x[] = {0xA0, 0xA1, 0xA2, 0xA3};
    static const struct {
        struct cos_edit edits[3];
        size_t count;
        uint32_t at;
        uint8_t bytes[8];
    } table[] = {
        /* Within a page, without and with overlap, up and down. */
        {{{10, NULL, 4, 1}}, 1, 8, {9, 10, 2, 3, 4, 5, 15, 16}},
        {{{3, NULL, 6, 1}}, 1, 2, {3, 2, 3, 4, 5, 6, 7, 10}},
        {{{1, NULL, 6, 3}}, 1, 0, {1, 4, 5, 6, 7, 8, 9, 8}},
        {{{5, NULL, 4, 5}}, 1, 4, {5, 6, 7, 8, 9, 10, 11, 12}}, /* onto itself */
        /* To another page, from another one, and over borders, overlapping both ways. */
        {{{70, NULL, 4, 22}}, 1, 68, {69, 70, 23, 24, 25, 26, 75, 76}},
        {{{22, NULL, 4, 70}}, 1, 20, {21, 22, 71, 72, 73, 74, 27, 28}},
        {{{3, NULL, 44, 1}}, 1, 44, {43, 44, 45, 48, 49, 50, 51, 52}},
        {{{1, NULL, 44, 3}}, 1, 42, {45, 46, 47, 46, 47, 48, 49, 50}},
        {{{24, NULL, 24, 48}, {48, NULL, 24, 24}}, 2, 46, {71, 72, 25, 26, 27, 28, 29, 30}},
        /* From pages that were never written, and from the border of them. */
        {{{2, NULL, 4, 100}}, 1, 0, {1, 2, 0, 0, 0, 0, 7, 8}},
        {{{2, NULL, 4, 94}}, 1, 0, {1, 2, 95, 96, 0, 0, 7, 8}},
        {{{100, NULL, 2, 5}}, 1, 98, {0, 0, 6, 7, 0, 0, 0, 0}},
        /* The last bytes of the space. */
        {{{140, NULL, 4, 1}, {4, NULL, 4, 140}}, 2, 2, {3, 4, 0, 0, 0, 0, 9, 10}},
        /* Other edits: the source is what was there before them, the last one wins. */
        {{{1, x, 4}, {9, NULL, 4, 1}}, 2, 8, {9, 2, 3, 4, 5, 14, 15, 16}},
        {{{9, x, 4}, {10, NULL, 2, 1}}, 2, 8, {9, 0xA0, 2, 3, 0xA3, 14, 15, 16}},
        {{{9, NULL, 4, 1}, {10, x, 2}}, 2, 8, {9, 2, 0xA0, 0xA1, 5, 14, 15, 16}},
        {{{9, NULL, 4, 1}, {11, NULL, 4, 1}}, 2, 8, {9, 2, 3, 2, 3, 4, 5, 16}},
        {{{9, NULL, 4, 1}, {10, NULL, 2}}, 2, 8, {9, 2, 0, 0, 5, 14, 15, 16}},
        /* Data given, so it is no copy. From the first byte: zeros. */
        {{{9, x, 2, 1}}, 1, 8, {9, 0xA0, 0xA1, 12, 13, 14, 15, 16}},
        {{{9, NULL, 2, 0}}, 1, 8, {9, 0, 0, 12, 13, 14, 15, 16}},
        {{{9, NULL, 0, 1}}, 1, 8, {9, 10, 11, 12, 13, 14, 15, 16}},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        open_written(SMALL);
        assert_int_equal(rig.store.payload, PAYLOAD);
        expect(table[i].edits, table[i].count, table[i].at, table[i].bytes, 8);
        rig_close(&rig);
    }
}

static void copies_outside_change_nothing(void **state)
{
    (void)state;
    open_written(SMALL);
    const uint32_t end = rig.size;
    const struct cos_edit table[] = {{0, NULL, 1, end},        {0, NULL, 2, end - 1},
                                     {0, NULL, 1, UINT32_MAX}, {0, NULL, 2, UINT32_MAX},
                                     {end, NULL, 1, 1},        {1, NULL, end, 1},
                                     {0, NULL, 0, end + 1},    {0, NULL, 1, 0xFFFFFFFFU / 2}};
    const uint64_t operations = rig.power.operations;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_int_equal(cos_store_commit(&rig.store, &table[i], 1), COS_E_INVARIANT);
        rig_verify(&rig);
    }
    const struct cos_edit last = {.address = 0, .data = NULL, .length = 1, .from = end - 1},
                          nothing = {.address = 0, .data = NULL, .length = 0, .from = end};
    assert_int_equal(cos_store_commit(&rig.store, &nothing, 1), COS_OK);
    assert_int_equal(rig.power.operations, operations);
    assert_true(rig_commit(&rig, &last, 1));
}

/* A page whose bytes went bad after the start is not copied from, and nothing is written. */
static void damage_is_not_copied(void **state)
{
    (void)state;
    static const struct {
        struct cos_edit edit;
        bool refused;
    } table[] = {
        {{2, NULL, 4, 30}, true},    /* in the damaged page */
        {{2, NULL, 4, 46}, true},    /* from its other end on */
        {{2, NULL, 4, 21}, true},    /* up to its first byte */
        {{50, NULL, 30, 20}, true},  /* right over it */
        {{2, NULL, 4, 20}, false},   /* up to the byte before it */
        {{74, NULL, 24, 48}, false}, /* from the byte behind it on */
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        open_written(SMALL);
        const uint32_t bad =
            rig.config.start + rig.map[1] * (uint32_t)rig.config.page_size + 36 + 11;
        const uint8_t good = rig.sim.cells[bad], wrong = good ^ 0x04;
        sim_nvm_poke(&rig.sim, bad, &wrong, 1);
        const uint64_t operations = rig.power.operations;
        if (table[i].refused) {
            assert_int_equal(cos_store_commit(&rig.store, &table[i].edit, 1), COS_E_STORE_DAMAGED);
            assert_int_equal(rig.power.operations, operations);
            sim_nvm_poke(&rig.sim, bad, &good, 1);
            rig_verify(&rig);
        } else {
            assert_int_equal(cos_store_commit(&rig.store, &table[i].edit, 1), COS_OK);
        }
        rig_close(&rig);
    }
}

/* Nor is what went bad kept under a new CRC when another part of its page is written. */
static void damage_is_not_kept(void **state)
{
    (void)state;
    static const uint8_t x[] = {0xA0, 0xA1};
    const struct cos_edit edits[] = {{2, x, 2}, {PAYLOAD, x, 1}};
    for (unsigned byte = 0; byte < PAYLOAD; byte++) {
        open_written(SMALL);
        const uint32_t bad =
            rig.config.start + rig.map[1] * (uint32_t)rig.config.page_size + 36 + byte;
        const uint8_t good = rig.sim.cells[bad], wrong = good ^ 0x04;
        sim_nvm_poke(&rig.sim, bad, &wrong, 1);
        assert_int_equal(cos_store_commit(&rig.store, edits, 2), COS_E_STORE_DAMAGED);
        sim_nvm_poke(&rig.sim, bad, &good, 1);
        rig_verify(&rig);
        assert_true(rig_steps(&rig, "r1sr"));
        rig_close(&rig);
    }
}

static void random_copies_follow_the_shadow(void **state)
{
    (void)state;
    for (unsigned geometry = 3; geometry < RIG_GEOMETRIES; geometry += 4) {
        if (rig_scrubs(geometry)) { /* copies of secrets would be the caller's affair */
            continue;
        }
        open_written(geometry);
        for (unsigned i = 0; i < 300; i++) {
            struct cos_edit edits[4];
            uint8_t data[4] = {(uint8_t)i, (uint8_t)(i >> 4), 1, 2};
            const uint32_t low = sim_below(&rig.random, rig.size - 2 * rig.store.payload);
            for (size_t e = 0; e < 4; e++) { /* all targets in three pages, sources anywhere */
                const uint32_t length = 1 + sim_below(&rig.random, rig.store.payload);
                edits[e] = (struct cos_edit){
                    .address = low + sim_below(&rig.random, rig.store.payload),
                    .length = length,
                    .from = 1 + sim_below(&rig.random, rig.size - length),
                };
            }
            edits[i % 4] = (struct cos_edit){
                .address = edits[i % 4].address, .data = data, .length = sizeof data, .from = 7};
            assert_true(rig_commit(&rig, edits, 4));
            if (i % 16 == 0) {
                assert_true(rig_steps(&rig, "sr"));
            }
        }
        rig_close(&rig);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
    static const struct CMUnitTest tests[] = {
        TEST(a_copy_is_what_stood_there_before),
        TEST(copies_outside_change_nothing),
        TEST(damage_is_not_copied),
        TEST(damage_is_not_kept),
        TEST(random_copies_follow_the_shadow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
