/* SPDX-License-Identifier: Apache-2.0
 *
 * The vault at its limits: full, absent, too large, and at the end of the card.
 */
#include "vault_rig.h"

#include "card_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define V COS_GATE_VAULT

static struct bench bench;
static struct gate_rig rig;

static int make(void **state)
{
    (void)state;
    vault_rig_make(&rig, &bench);
    vault_session(&rig);
    return 0;
}

static int end(void **state)
{
    (void)state;
    bench_free(&bench);
    return 0;
}

/* All operations by anybody. */
#define OPEN_RULE "8C 07 7B 00 00 00 00 00 00"

/* ---- Full ---- */

static void a_full_vault_stays_usable(void **state)
{
    uint8_t data[10];

    (void)state;
    for (unsigned number = 1; number <= 16; number++) {
        assert_int_equal(vault_create(&rig, 10, OPEN_RULE), number);
    }
    assert_int_equal(vault_create(&rig, 10, OPEN_RULE), 0); /* no entry is left */
    assert_int_equal(rig.result, COS_E_MEMORY_FULL);
    assert_int_equal(
        vault_call(&rig, V,
                   "0200 NNNNNNNN 00 0003 0001 0005 0006 0007 0008 0009 000A 000B 000C "
                   "000D 000E 000F 0010 0002"),
        COS_OK);
    vault_session(&rig);
    /* 90 chunks: file 4 has the fourth of them. */
    assert_int_equal(vault_create(&rig, 87 * 92, OPEN_RULE), 0);
    assert_int_equal(rig.result, COS_E_MEMORY_FULL);
    assert_int_equal(vault_create(&rig, 86 * 92, OPEN_RULE), 1);
    assert_int_equal(vault_create(&rig, 3 * 92 + 1, OPEN_RULE), 0);
    assert_int_equal(rig.result, COS_E_MEMORY_FULL);
    assert_int_equal(vault_create(&rig, 3 * 92, OPEN_RULE), 2);
    assert_int_equal(vault_create(&rig, 1, OPEN_RULE), 0);
    assert_int_equal(rig.result, COS_E_MEMORY_FULL);
    assert_int_equal(vault_call(&rig, V, "0400 0001 1EE7 01 77"), COS_OK); /* its last byte */
    assert_int_equal(vault_call(&rig, V, "0400 0002 0000 01 88"), COS_OK);
    assert_int_equal(vault_call(&rig, V, "0400 0004 0009 01 99"), COS_OK);
    assert_int_equal(vault_read(&rig, 4, data, 10), COS_OK);
    assert_int_equal(data[9], 0x99);
    assert_int_equal(vault_call(&rig, V, "0300 0001 1EE6 0002"), COS_OK);
    assert_int_equal(rig.body[1], 0x77);
}

/* 16 files, each entry's page and the state record in one transaction. */
static void sixteen_files_go_at_once(void **state)
{
    (void)state;
    for (unsigned number = 1; number <= 16; number++) {
        assert_int_equal(vault_create(&rig, 10, OPEN_RULE), number);
    }
    const uint64_t programs = bench.secure_nvm.counts.page_programs;
    assert_int_equal(
        vault_call(&rig, V,
                   "0200 NNNNNNNN 00 0001 0002 0003 0004 0005 0006 0007 0008 0009 000A "
                   "000B 000C 000D 000E 000F 0010"),
        COS_OK);
    assert_int_equal(bench.secure_nvm.counts.page_programs - programs, 5);
}

/* ---- Configuration ---- */

static void a_card_may_have_no_vault(void **state)
{
    struct bench_sizes sizes = bench_host;

    (void)state;
    sizes.vault_files = sizes.vault_size = 0;
    bench_init(&bench, &sizes);
    assert_true(bench_power_on(&bench) && bench_produce_to(&bench, COS_LIFE_OPERATIONAL));
    bench_select(&bench);
    gate_rig_take(&rig, &bench);
    vault_session(&rig);
    assert_int_equal(vault_create(&rig, 8, OPEN_RULE), 0);
    assert_int_equal(rig.result, COS_E_MEMORY_FULL);
    assert_int_equal(vault_call(&rig, V, "0600 0001"), COS_E_REFERENCE_NOT_FOUND);
}

/* Places follow from sizes. A firmware with others must not touch the card: it stays mute, and is
 * as it was when the right one comes back. */
static void other_sizes_than_at_the_first_start_are_noticed(void **state)
{
    static const int8_t changes[][3] = {/* objects, vault files, vault size */
                                        {1, 0, 0},  {-1, 0, 0}, {0, 1, 0},  {0, -1, 0}, {0, 0, 1},
                                        {0, 0, -1}, {6, -4, 0}, {1, -1, 0}, {0, 1, -1}};
    const struct cos_secure_config config = bench.secure_config;
    uint8_t data[8];

    (void)state;
    assert_int_equal(vault_create(&rig, 8, OPEN_RULE), 1);
    assert_int_equal(vault_call(&rig, V, "0400 0001 0000 01 1122334455667788"), COS_OK);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct cos_secure_config *other = &bench.secure_config;
        bench_power_off(&bench);
        other->objects = (uint16_t)(config.objects + changes[i][0]);
        other->vault_files = (uint16_t)(config.vault_files + changes[i][1]);
        other->vault_size = (uint16_t)(config.vault_size + changes[i][2]);
        assert_false(bench_power_on(&bench));
        assert_int_equal(bench.secure.verdict, COS_VERDICT_CONFIG);
    }
    bench.secure_config = config;
    bench_reset(&bench);
    bench_select(&bench);
    gate_rig_take(&rig, &bench);
    assert_int_equal(vault_read(&rig, 1, data, sizeof data), COS_OK);
    assert_memory_equal(data, "\x11\x22\x33\x44\x55\x66\x77\x88", sizeof data);
}

static void a_vault_that_does_not_fit_is_refused(void **state)
{
    struct bench_sizes sizes = bench_host;

    (void)state;
    for (unsigned pages = 0; pages < 2; pages++) {
        /* 111 logical pages, 25 of them for what else there is, 4 for 16 entries: 82 with chunks */
        sizes.vault_size = (uint16_t)((82 + pages) * 2 * 92);
        bench_init(&bench, &sizes);
        assert_int_equal(bench_power_on(&bench), pages == 0);
        assert_int_equal(bench.secure.verdict, pages == 0 ? COS_VERDICT_GOOD : COS_VERDICT_CONFIG);
        bench_free(&bench);
    }
}

/* DELETE FILE of 16 vault EFs and an application is one transaction, wherever their entries lie. */
static void entries_that_one_deletion_cannot_reach_are_refused(void **state)
{
    struct bench_sizes sizes = bench_host;

    (void)state;
    for (unsigned more = 0; more < 2; more++) {
        /* four entries a page; the reserve is 16 pages, 3 of them slack */
        sizes.vault_files = (uint16_t)(4 * 11 + more);
        sizes.vault_size = 92;
        bench_init(&bench, &sizes);
        assert_int_equal(bench_power_on(&bench), more == 0);
        assert_int_equal(bench.secure.verdict, more == 0 ? COS_VERDICT_GOOD : COS_VERDICT_CONFIG);
        bench_free(&bench);
    }
}

/* ---- The end ---- */

static void a_terminated_card_has_no_content(void **state)
{
    uint8_t chunk[VAULT_CHUNK], entry[] = {0xAB, 0x08, 0x80, 0x01, 0x03, 0x9E, 0x01, 0x90};

    (void)state;
    assert_int_equal(vault_create(&rig, 200, "AB08 800103 9E0190 9700"), 1);
    assert_int_equal(vault_create(&rig, 200, OPEN_RULE), 2);
    assert_int_equal(vault_call(&rig, V, "0400 0002 0000 01 5641554C54"), COS_OK);
    vault_chunk(&bench, 2, chunk);
    assert_true(card_nvm_contains(&bench.secure_nvm, chunk + 8, 16));
    assert_true(card_nvm_contains(&bench.secure_nvm, entry, sizeof entry));
    vault_session(&rig);
    assert_int_equal(vault_open(&rig, "00FE0000 01 00"), COS_OK);
    assert_int_equal(vault_call(&rig, COS_GATE_LIFE, "0400 FF"), COS_OK);
    assert_false(card_nvm_contains(&bench.secure_nvm, chunk + 8, 16));
    assert_false(card_nvm_contains(&bench.secure_nvm, entry, sizeof entry));
    assert_int_equal(vault_call(&rig, V, "0300 0002 0000 0005"), COS_E_GATE_STATE);
}

#define VAULT_TEST(function) cmocka_unit_test_setup_teardown(function, make, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        VAULT_TEST(a_full_vault_stays_usable),
        VAULT_TEST(sixteen_files_go_at_once),
        cmocka_unit_test_teardown(a_card_may_have_no_vault, end),
        VAULT_TEST(other_sizes_than_at_the_first_start_are_noticed),
        cmocka_unit_test(a_vault_that_does_not_fit_is_refused),
        cmocka_unit_test(entries_that_one_deletion_cannot_reach_are_refused),
        VAULT_TEST(a_terminated_card_has_no_content),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
