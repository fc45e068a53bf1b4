/* SPDX-License-Identifier: Apache-2.0
 *
 * The app chip was taken over while several channels are in use: one whose holder gave the PIN, one
 * with a terminal's command open under secure messaging, one that an external key was
 * authenticated on, and one that nobody has done anything on. What the security chip knows of one
 * of them it does not do for another. What it prints in lines with '#' is for people.
 */
#include "channel_card.h"
#include "hostile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { VARIATIONS = 15000 };

enum { FREE, VERIFIED, TERMINAL, AUTHENTICATED }; /* channels */

static struct bench *const bench = &hostile.bench;

/* A mutual session of its own on the channel, and one command in it that nobody has sealed. */
static void open_command(const struct command *command, struct gate_snapshot *opened)
{
    uint8_t message[1 + BYTES_MAX] = {TERMINAL};
    struct cos_span part = {message, 0}, body;
    struct iso_sm sm;
    struct bytes apdu;

    gate_snapshot_restore(bench, &hostile.card);
    for (uint8_t channel = FREE; channel <= AUTHENTICATED; channel++) {
        channel_open(bench, channel);
    }
    assert_int_equal(channel_send(bench, VERIFIED, "00200081 04 31323334"), 0x9000);
    assert_int_equal(channel_authenticate(bench, AUTHENTICATED), 0x9000);
    channel_mutual(bench, TERMINAL, &sm);
    iso_wrap(&sm, command, &apdu);
    memcpy(message + 1, apdu.data, apdu.length);
    part.length = 1 + apdu.length;
    assert_int_equal(cos_gate_call(&bench->app.gate, COS_GATE_SM_OPEN, &part, 1, &body), COS_OK);
    assert_true(bench->secure.in_sm);
    gate_snapshot_save(bench, opened);
}

/* While it is open nothing of the others is served; behind it each has what is its own. */
static void no_channel_has_the_status_of_another_one(void **state)
{
    static const struct {
        uint8_t condition;
        bool holds[AUTHENTICATED + 1];
    } rows[] = {
        {0x91, {false, true, false, false}},  {0xA3, {false, false, false, true}},
        {0xA5, {false, false, true, false}},  {0xC5, {false, false, false, false}},
        {0xB1, {false, false, false, false}}, {0x33, {false, false, false, true}},
    };
    const struct command read = {TERMINAL, 0xB0, 0x82, 0x00, NULL, 0, 1};
    static struct gate_snapshot opened;
    struct cos_span body;

    (void)state;
    open_command(&read, &opened);
    for (size_t i = 0; i < CARD_COUNT(rows); i++) {
        for (uint8_t channel = FREE; channel <= AUTHENTICATED; channel++) {
            const uint8_t message[] = {channel, 0x9E, 0x01, rows[i].condition};
            const struct cos_span part = {message, sizeof message};
            gate_snapshot_restore(bench, &opened);
            const enum cos_result during =
                cos_gate_call(&bench->app.gate, COS_GATE_ACCESS, &part, 1, &body);
            assert_int_equal(during, channel == TERMINAL ? COS_OK : COS_E_CONDITIONS);
            if (channel == TERMINAL) {
                const bool under = rows[i].holds[channel] || rows[i].condition == 0xC5;
                assert_int_equal(cos_get32(body.data), under ? COS_YES : COS_NO);
            }
            const uint8_t seal[] = {TERMINAL, 0x90, 0x00};
            const struct cos_span sealed = {seal, sizeof seal};
            assert_int_equal(cos_gate_call(&bench->app.gate, COS_GATE_SM_SEAL, &sealed, 1, &body),
                             COS_OK);
            if (channel != TERMINAL) {
                assert_int_equal(cos_gate_call(&bench->app.gate, COS_GATE_ACCESS, &part, 1, &body),
                                 COS_OK);
                assert_int_equal(cos_get32(body.data), rows[i].holds[channel] ? COS_YES : COS_NO);
            }
        }
    }
    gate_snapshot_free(&opened);
}

static void a_hostile_app_chip_mixes_channels(void **state)
{
    static const struct command commands[] = {
        {TERMINAL, 0x20, 0x00, 0x81, (const uint8_t *)"1234", 4, 0},
        {TERMINAL, 0xB0, 0x82, 0x00, NULL, 0, 1},
        {TERMINAL | 0x10, 0x20, 0x00, 0x81, (const uint8_t *)"12", 2, 0},
    };
    static struct gate_snapshot opened;

    (void)state;
    hostile.calls = 0;
    hostile.secured = true;
    for (size_t i = 0; i < CARD_COUNT(commands); i++) {
        open_command(&commands[i], &opened);
        for (hostile.channel = FREE; hostile.channel <= AUTHENTICATED; hostile.channel++) {
            if (hostile.channel != TERMINAL) {
                hostile_ask_everything(&opened);
            }
            hostile_ask_variations(&opened, VARIATIONS, 0x4348414E + i * 4 + hostile.channel);
        }
    }
    hostile_search("an answer or a frame", hostile.hunt.seen, hostile.hunt.seen_length);
    gate_snapshot_free(&opened);
    print_message("# %d channels in use, %zu commands left open: %lu calls about all of them; "
                  "nothing of one was satisfied, stored or read on another\n",
                  AUTHENTICATED + 1, CARD_COUNT(commands), hostile.calls);
}

static int make(void **state)
{
    (void)state;
    bench_make(bench, &bench_host);
    channel_card_fill(bench);
    gate_snapshot_save(bench, &hostile.card);
    hunt_secret(&hostile.hunt, "key ENC", "\x31\xC7\xE0\x4B\x95\xD2\xA8\x6F", 8);
    hunt_secret(&hostile.hunt, "key MAC", "\xD8\x0F\x6B\x3E\x92\xA1\x47\x5C", 8);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    bench_free(bench);
    gate_snapshot_free(&hostile.card);
    hunt_free(&hostile.hunt);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_channel_has_the_status_of_another_one),
        cmocka_unit_test(a_hostile_app_chip_mixes_channels),
    };

    return cmocka_run_group_tests(tests, make, unmake);
}
