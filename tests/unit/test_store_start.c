/* SPDX-License-Identifier: Apache-2.0
 *
 * Starts of the store from images that a power cut leaves once in a great many cuts, put together
 * by hand (docs/design.md, "The store"). Each test names what must be believed, and what must not.
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

/* Page of 64 bytes, program unit 8, erased 00: mark, header, 24 bytes of payload and their CRC. */
#define SMALL      rig_find(SIM_WRITE_ONCE, 64, 64)
#define PAGE       64U
#define MARK       8U
#define AT_PAYLOAD 36U

static const uint8_t erased[PAGE];

static void open_rig(void)
{
    rig_open(&rig, SMALL, 1, failed);
    assert_int_equal(rig.config.page_size, PAGE);
    assert_int_equal(rig.sim.nvm.geometry.erased_value, erased[0]);
}

static int teardown(void **state)
{
    (void)state;
    if (rig.sim.block != NULL) {
        rig_close(&rig);
    }
    return 0;
}

static uint32_t address_of(unsigned page)
{
    return rig.config.start + page * PAGE;
}

static const uint8_t *cells_of(unsigned page)
{
    return rig.sim.cells + address_of(page);
}

static void poke(unsigned page, unsigned at, const uint8_t *bytes, size_t length)
{
    sim_nvm_poke(&rig.sim, address_of(page) + at, bytes, (uint32_t)length);
}

static enum cos_result start(void)
{
    sim_power_off(&rig.power);
    sim_power_up(&rig.power);
    return cos_store_mount(&rig.store, &rig.sim.nvm, &rig.config);
}

/* The first transaction does not show today: what it may have left is erased all the same. */
static void a_blank_store_is_erased_where_it_begins(void **state)
{
    uint8_t noise[PAGE];

    (void)state;
    memset(noise, 0x5A, sizeof noise);
    open_rig();
    poke(0, 0, noise, sizeof noise);
    poke(1, 0, noise, sizeof noise);
    assert_int_equal(start(), COS_E_STORE_BLANK);
    assert_memory_equal(cells_of(0), erased, PAGE);
    assert_memory_equal(cells_of(1), erased, PAGE);
}

/* The next transaction does not destroy a mark that stands in another page. */
static void a_mark_counts_in_its_own_page_only(void **state)
{
    uint8_t mark[MARK];

    (void)state;
    open_rig();
    assert_true(rig_steps(&rig, "11s"));
    const unsigned marked = rig.store.next, other = marked + 1;
    uint64_t before = rig.power.operations;
    assert_int_equal(start(), COS_OK);
    assert_int_equal(rig.power.operations, before); /* it is settled */
    memcpy(mark, cells_of(marked), MARK);
    assert_memory_equal(cells_of(other), erased, PAGE);
    poke(marked, 0, erased, MARK);
    poke(other, 0, mark, MARK);
    before = rig.power.operations;
    assert_int_equal(start(), COS_OK);
    assert_true(rig.power.operations > before); /* it is in doubt */
    rig_verify(&rig);
}

/* Bytes of one logical page in another are no content of it, good as their CRC may be. */
static void a_payload_belongs_to_its_logical_page(void **state)
{
    (void)state;
    open_rig();
    assert_true(rig_steps(&rig, "3s"));
    unsigned live[RIG_LOGICAL], count = 0;
    for (unsigned logical = 0; logical < RIG_LOGICAL; logical++) {
        live[count] = rig.map[logical];
        count += live[count] < RIG_PAGES;
    }
    assert_true(count >= 2);
    const unsigned from = live[0], to = live[1];
    poke(to, AT_PAYLOAD, cells_of(from) + AT_PAYLOAD, PAGE - AT_PAYLOAD);
    assert_int_equal(start(), COS_E_STORE_DAMAGED);
}

/* A refresh copy without its mark, and the page that it is of, whose header reads well, and whose
 * payload does not. */
struct copied {
    unsigned page, copy, mark;
};

static struct copied leave_a_copy(void)
{
    struct copied left;
    uint8_t page[PAGE];

    open_rig();
    assert_true(rig_steps(&rig, "11s1"));
    left.page = rig.store.newest_page;
    memcpy(page, cells_of(left.page), PAGE);
    assert_true(rig_step(&rig, 'r'));
    left.copy = rig.store.newest_page;
    left.mark = rig.store.next;
    assert_int_not_equal(left.copy, left.page);
    page[AT_PAYLOAD] ^= 1;
    poke(left.page, 0, page, PAGE);
    poke(left.mark, 0, erased, MARK);
    return left;
}

/* The copy was made of a page that read well: it is what counts, not that there is a header. */
static void a_copy_counts_when_its_page_reads_badly(void **state)
{
    (void)state;
    (void)leave_a_copy();
    assert_int_equal(start(), COS_OK);
    rig_verify(&rig);
}

/* However often the power is cut, the doubt is about two pages. */
static void copies_take_turns_in_two_pages(void **state)
{
    (void)state;
    const struct copied left = leave_a_copy();
    assert_int_equal(start(), COS_OK);
    assert_int_equal(rig.store.newest_page, left.page);
    assert_int_equal(rig.store.next, left.mark);
}

/* A transaction that began in the mark's page may have left something behind it. */
static void the_page_behind_a_lost_mark_is_erased(void **state)
{
    uint8_t noise[PAGE];

    (void)state;
    const struct copied left = leave_a_copy();
    const unsigned behind = left.mark + 1;
    assert_true(behind < RIG_PAGES && behind != left.page && behind != left.copy);
    memset(noise, 0x5A, sizeof noise);
    poke(behind, 0, noise, sizeof noise);
    assert_int_equal(start(), COS_OK);
    assert_memory_equal(cells_of(behind), erased, PAGE);
    rig_verify(&rig);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_blank_store_is_erased_where_it_begins),
        TEST(a_mark_counts_in_its_own_page_only),
        TEST(a_payload_belongs_to_its_logical_page),
        TEST(a_copy_counts_when_its_page_reads_badly),
        TEST(copies_take_turns_in_two_pages),
        TEST(the_page_behind_a_lost_mark_is_erased),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
