/* SPDX-License-Identifier: Apache-2.0
 *
 * The module test of production step 3: whatever is broken about a contact or about the link, in
 * either direction, is found and named, and the card stays what it was until it is mended.
 */
#include "card_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TEST "80F1030202"

/* Step 3 is refused, and says what this test says. */
static void expect_bad(struct bench *bench, const char *what, const char *results)
{
    struct card_image image;

    card_image_take(bench, &image);
    const bool done = bench_step(bench, 3);
    if (done || bench->sw != 0x6400 || !card_image_same(bench, &image)) {
        fail_msg("%s: step 3 ended with %04X", what, bench->sw);
    }
    assert_int_equal(bench->secure.life_cycle, COS_LIFE_FABRICATED);
    card_image_take(bench, &image);
    if (bench_hex(bench, TEST) != 0x9000 || !bench_answered(bench, results)) {
        fail_msg("%s: %04X, not %s", what, bench->sw, results);
    }
    assert_true(card_image_same(bench, &image));
}

static void expect_mended(struct bench *bench)
{
    bench_expect(bench, TEST, 0x9000, "FF10");
    assert_true(bench_step(bench, 3));
    assert_int_equal(bench->secure.life_cycle, COS_LIFE_PACKAGED);
    bench_expect(bench, TEST, 0x6985, NULL);
    bench_reset(bench);
    bench_expect(bench, TEST, 0x6985, NULL);
}

static void every_fault_of_every_contact(void **state)
{
    static const char *const names[] = {"VCC", "RST", "CLK", "C4", "GND", "SPU", "IO", "C8"};
    struct bench *bench = *state;
    unsigned found = 0;

    for (unsigned contact = 0; contact < 8; contact++) {
        for (enum host_fault fault = HOST_OPEN; fault <= HOST_DUMB; fault++) {
            const unsigned with = fault == HOST_SHORT ? 1U << (contact + 1) % 8 : 0;
            char results[5];
            if (fault == HOST_DUMB && 1U << contact != COS_CONTACT_IO) {
                continue;
            }
            bench->contacts.fault[contact] = fault;
            snprintf(results, sizeof results, "%02X10", 0xFFU & ~(1U << contact | with));
            expect_bad(bench, names[contact], results);
            bench->contacts.fault[contact] = HOST_SOUND;
            found++;
        }
    }
    assert_int_equal(found, 33);
    bench->contacts.fault[3] = HOST_LOW;
    bench->contacts.fault[7] = HOST_OPEN;
    expect_bad(bench, "C4 and C8", "7710");
    bench->contacts.fault[3] = bench->contacts.fault[7] = HOST_SOUND;
    expect_mended(bench);
}

/* ---- The link ---- */

static struct {
    bool to_secure; /* the direction that is bad */
    unsigned every; /* so many frames in this direction, one is bad */
    bool damaged;   /* else lost */
    unsigned seen;
} noise;

static unsigned tap(void *context, bool to_secure, uint8_t *frame, size_t *length)
{
    (void)context;
    if (to_secure != noise.to_secure || ++noise.seen % noise.every != 0) {
        return 1;
    }
    if (noise.damaged) {
        frame[*length - 1] ^= 0x10;
        return 1;
    }
    return 0;
}

static void either_direction_of_the_link(void **state)
{
    struct bench *bench = *state;

    for (unsigned kind = 0; kind < 12; kind++) {
        /* Every frame; every second one, so that all calls but the first are repeated; one frame of
         * step 3, behind its challenge and eight calls. */
        static const struct {
            unsigned every, frames, before;
            uint16_t sw;
        } rates[] = {{1, 0, 0, 0x6F00}, {2, 1, 0, 0x6400}, {17, 16, 8, 0x6400}};
        noise.to_secure = kind % 2 != 0;
        noise.damaged = kind / 2 % 2 != 0;
        noise.every = rates[kind / 4].every;
        noise.seen = 0;
        bench->tap = tap;
        assert_int_equal(bench_hex(bench, TEST), 0x9000);
        assert_int_equal(bench->data[0], 0xFF);
        assert_int_equal(bench->data[1], rates[kind / 4].frames);
        noise.seen = rates[kind / 4].before;
        assert_false(bench_step(bench, 3));
        assert_int_equal(bench->sw, rates[kind / 4].sw);
        assert_int_equal(bench->secure.life_cycle, COS_LIFE_FABRICATED);
        bench->tap = NULL;
    }
    expect_mended(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_BLANK_TEST(every_fault_of_every_contact),
        CARD_BLANK_TEST(either_direction_of_the_link),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
