/* SPDX-License-Identifier: Apache-2.0
 *
 * Random commands of all cases with T=0 on a line with random faults. A wrong parity bit is seen
 * and repaired, and nothing else may be seen of it. A lost character is not seen by T=0 (it has no
 * check over several): then the device may be told something wrong, but the card executes what was
 * sent, once or not at all. A character that is altered with its parity right, doubled or inserted
 * is not seen either, and then another command may be executed: counted. After a reset everything
 * is as it was.
 *
 * SOAK=n plays n commands on each line instead of the short form.
 */
#include "t0_card.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { EXCHANGES = 20000, DATA_MAX = 600, ROOM = 8 };

static struct {
    struct t0_card card;
    uint64_t seed;
    unsigned parity, lost, unseen; /* one character in so many, in the mean; 0: none */
    size_t left;                   /* exchanges to come in this life */
    uint8_t apdu[DATA_MAX + 2 * ROOM];
    size_t length, nc, ne; /* the command under way */
    uint8_t answer[DATA_MAX];
    size_t nr;         /* what the card will answer to it */
    unsigned executed; /* how often it was executed, as it was sent */
    bool reported;
    size_t exchanges, lives, failed, failed_executed, deceived, altered;
} rig;

static unsigned chance(unsigned below)
{
    rig.seed ^= rig.seed << 13;
    rig.seed ^= rig.seed >> 7;
    rig.seed ^= rig.seed << 17;
    return (unsigned)((rig.seed >> 32) % below);
}

static size_t random_length(size_t most)
{
    static const uint16_t edges[] = {1, 2, 254, 255, 256, 257, 300};
    const size_t length = chance(3) == 0 ? edges[chance(7)] : 1 + chance(40);

    return length < most ? length : most;
}

/* Short forms, and extended ones where they are needed or by chance. */
static void make_command(void)
{
    static const uint8_t in[] = {0xD6, 0x88, 0xA4}, out[] = {0xB0, 0xCA};
    uint8_t *to = rig.apdu;
    const bool data = chance(2) == 0, answer = chance(2) == 0;

    rig.nc = data ? random_length(600) : 0;
    rig.ne = answer ? random_length(600) : 0;
    const bool extended = rig.nc > 255 || rig.ne > 256;
    *to++ = 0x00;
    *to++ = data || !answer ? in[chance(3)] : out[chance(2)];
    *to++ = (uint8_t)chance(256);
    *to++ = (uint8_t)chance(256);
    if (extended) {
        *to++ = 0;
    }
    if (data) {
        if (extended) {
            *to++ = (uint8_t)(rig.nc >> 8);
        }
        *to++ = (uint8_t)rig.nc;
        for (size_t i = 0; i < rig.nc; i++) {
            *to++ = (uint8_t)chance(256);
        }
    }
    if (answer) {
        if (extended) {
            *to++ = (uint8_t)(rig.ne >> 8);
        }
        *to++ = (uint8_t)rig.ne;
    }
    rig.length = (size_t)(to - rig.apdu);
    rig.nr = chance(4) == 0 ? 0 : random_length(answer && !data && rig.ne < 256 ? rig.ne : 256);
    rig.nr = !data && !answer ? 0 : rig.nr;
    for (size_t i = 0; i < rig.nr; i++) {
        rig.answer[i] = (uint8_t)chance(256);
    }
}

static void settle_account(void)
{
    if (rig.unseen == 0) {
        assert_true(rig.executed <= 1);
    }
    if (!rig.reported) {
        rig.failed++;
        rig.failed_executed += rig.executed != 0 ? 1 : 0;
    }
}

static struct cos_span next(void *context)
{
    (void)context;
    if (rig.left == 0) {
        return (struct cos_span){NULL, 0};
    }
    rig.left--;
    rig.exchanges++;
    rig.executed = 0;
    rig.reported = false;
    make_command();
    return (struct cos_span){rig.apdu, rig.length};
}

/* What the device gets if nothing is lost: as many data as it asked for, the rest announced. */
static bool as_expected(const uint8_t *response, size_t length)
{
    const size_t amount = rig.nr < rig.ne ? rig.nr : rig.ne, rest = rig.nr - amount;
    const uint16_t sw = rest != 0 ? (uint16_t)(0x6100 + (rest < 256 ? rest : 0)) : 0x9000;

    return length == amount + 2 && memcmp(response, rig.answer, amount) == 0 &&
           cos_get16(response + amount) == sw;
}

static void done(void *context, const uint8_t *response, size_t length)
{
    (void)context;
    rig.reported = true;
    if (rig.executed != 1 || !as_expected(response, length)) {
        assert_int_not_equal(rig.lost + rig.unseen, 0);
        rig.deceived++;
    }
    settle_account();
}

static enum terminal_fault fault(void *context, bool from_card)
{
    (void)context;
    (void)from_card;
    if (rig.parity != 0 && chance(rig.parity) == 0) {
        return TERMINAL_WRONG_PARITY;
    }
    if (rig.unseen != 0 && chance(rig.unseen) == 0) {
        return (enum terminal_fault)(TERMINAL_ALTERED + chance(3));
    }
    return rig.lost != 0 && chance(rig.lost) == 0 ? TERMINAL_LOST : TERMINAL_SOUND;
}

/* With T=0 the card cannot see Le behind data, nor one above 256. */
static bool as_sent(const uint8_t *apdu, size_t length)
{
    const bool whole = rig.nc > 255;
    const uint8_t *data = rig.apdu + (rig.ne > 256 ? 7 : 5);

    if (memcmp(apdu, rig.apdu, 4) != 0) {
        return false;
    }
    if (whole) {
        return length == rig.length && memcmp(apdu, rig.apdu, length) == 0;
    }
    if (rig.nc != 0) {
        return length == 5 + rig.nc && apdu[4] == rig.nc && memcmp(apdu + 5, data, rig.nc) == 0;
    }
    return rig.ne == 0 ? length == 4 : length == 5 && apdu[4] == (rig.ne < 256 ? rig.ne : 0);
}

static size_t command(void *context, uint8_t *apdu, size_t length, uint8_t *response,
                      size_t capacity)
{
    (void)context;
    assert_true(capacity >= rig.nr + 2);
    if (!as_sent(apdu, length)) {
        assert_int_not_equal(rig.unseen, 0);
        rig.altered++;
    }
    rig.executed++;
    memset(apdu, 0, length);
    memcpy(response, rig.answer, rig.nr);
    cos_put16(response + rig.nr, 0x9000);
    return rig.nr + 2;
}

static void run(const char *what, unsigned parity, unsigned lost, unsigned unseen)
{
    const char *soak = getenv("SOAK");
    const size_t exchanges = soak != NULL && *soak != '\0' ? strtoul(soak, NULL, 10) : EXCHANGES;

    memset(&rig, 0, sizeof rig);
    rig.seed = 0x9E3779B97F4A7C15U + parity * 1000 + lost + unseen * 1000000;
    rig.parity = parity;
    rig.lost = lost;
    rig.unseen = unseen;
    t0_card_init(&rig.card);
    rig.card.terminal.next = next;
    rig.card.terminal.done = done;
    rig.card.terminal.fault = fault;
    rig.card.handler.command = command;
    rig.card.handler.settle = NULL;
    while (rig.exchanges < exchanges) {
        rig.left = 1 + chance(40);
        rig.card.transport.config.one_by_one = rig.card.started && chance(4) == 0;
        rig.reported = true;
        t0_card_run(&rig.card);
        if (!rig.reported) {
            settle_account();
        }
        rig.lives++;
        terminal_t0_reset(&rig.card.terminal);
    }
    print_message("# T=0, %s: %zu exchanges, %zu lives, %zu failed (%zu of them executed), device "
                  "deceived %zu times, other commands executed %zu\n",
                  what, rig.exchanges, rig.lives, rig.failed, rig.failed_executed, rig.deceived,
                  rig.altered);
}

static void a_good_line(void **state)
{
    (void)state;
    run("good line", 0, 0, 0);
    assert_int_equal(rig.failed, 0);
}

static void wrong_parity(void **state)
{
    (void)state;
    run("one character in 40 with wrong parity", 40, 0, 0);
    assert_int_equal(rig.deceived, 0);
    run("one in 8", 8, 0, 0);
    assert_int_equal(rig.deceived, 0);
    assert_true(rig.failed > 100);
}

static void lost_characters(void **state)
{
    (void)state;
    run("one in 500 lost, one in 40 wrong", 40, 500, 0);
    assert_true(rig.failed > 100);
    assert_true(rig.deceived < rig.exchanges / 100);
}

static void what_parity_cannot_see(void **state)
{
    (void)state;
    run("one in 500 altered, doubled or inserted", 40, 0, 500);
    assert_true(rig.failed > 100);
    assert_true(rig.altered > 100);
    assert_true(rig.deceived < rig.exchanges / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_line),
        cmocka_unit_test(wrong_parity),
        cmocka_unit_test(lost_characters),
        cmocka_unit_test(what_parity_cannot_see),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
