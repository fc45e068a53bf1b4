/* SPDX-License-Identifier: Apache-2.0
 *
 * T=0 where the line is bad, the command slow or long: repetition (7.3), waiting time (7.2, 10.2),
 * and thousands of exchanges with faults thrown in.
 */
#include "t0_card.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct t0_card card;

static int make(void **state)
{
    (void)state;
    t0_card_init(&card);
    return 0;
}

/* ---- Repetition ---- */

/* The faults that are to happen: `times` to the character number `at`, counted from the first one
 * behind the ATR, in one direction. */
static struct {
    bool from_card;
    size_t at, times, seen;
    enum terminal_fault kind;
    uint64_t first, last; /* when it began, the first and the last time */
} plan;

static enum terminal_fault planned(void *context, bool from_card)
{
    const struct t0_card *one = context;

    if (one->terminal.characters < one->terminal.atr_length ||
        one->terminal.state == TERMINAL_IN_ATR || from_card != plan.from_card) {
        return TERMINAL_SOUND;
    }
    if (plan.seen != plan.at) {
        plan.seen++;
        return TERMINAL_SOUND;
    }
    plan.first = plan.first == 0 ? one->terminal.now : plan.first;
    plan.last = one->terminal.now;
    if (plan.times == 0) {
        plan.seen++;
        return TERMINAL_SOUND;
    }
    plan.times--;
    return plan.kind;
}

static void send_with(bool from_card, size_t at, size_t times, enum terminal_fault kind)
{
    t0_card_init(&card);
    memset(&plan, 0, sizeof plan);
    plan.from_card = from_card;
    plan.at = at;
    plan.times = times;
    plan.kind = kind;
    card.terminal.fault = planned;
    card.apdus = "00D6000003AABBCC 00B0000003";
    card.answers = "9000 1122339000";
    t0_card_run(&card);
}

/* Each character of two exchanges, in both directions, wrong once to three times: nothing is to be
 * seen of it. */
static void a_wrong_character_is_repeated(void **state)
{
    static const size_t characters[2] = {5 + 3 + 5, 1 + 2 + 1 + 3 + 2};

    (void)state;
    for (unsigned from_card = 0; from_card < 2; from_card++) {
        for (size_t at = 0; at < characters[from_card]; at++) {
            for (size_t times = 1; times <= 3; times++) {
                send_with(from_card != 0, at, times, TERMINAL_WRONG_PARITY);
                assert_string_equal(card.executed, "00D6000003AABBCC 00B0000003");
                assert_string_equal(card.responses, "9000 1122339000");
                assert_string_equal(t0_card_wire(&card), ">00D6000003 <D6 >AABBCC <9000 "
                                                         ">00B0000003 <B01122339000");
                assert_int_equal(card.terminal.refused, times);
                /* 13 etu at least from each time to the next */
                assert_true(plan.last - plan.first >= 13 * times);
                assert_int_equal(card.terminal.end, TERMINAL_FINISHED);
            }
        }
    }
}

/* Four times: the device gives up, and the card says nothing any more. What it executed, it
 * executed once. */
static void not_for_ever(void **state)
{
    (void)state;
    for (unsigned from_card = 0; from_card < 2; from_card++) {
        for (size_t at = 0; at < 9; at++) {
            send_with(from_card != 0, at, 4, TERMINAL_WRONG_PARITY);
            assert_int_equal(card.terminal.end, TERMINAL_REPEATED);
            assert_int_equal(card.terminal.refused, 4);
            const bool first = strcmp(card.executed, "00D6000003AABBCC") == 0;
            const bool both = strcmp(card.executed, "00D6000003AABBCC 00B0000003") == 0;
            assert_true(first || both || card.executed[0] == '\0');
        }
    }
}

/* A card that a device did not reset after four times is silent all the same. */
static enum cos_result always_wrong(void *context, uint8_t *character, uint32_t etus)
{
    unsigned *calls = context;

    (void)etus;
    *character = 0xB0;
    return ++*calls <= 4 ? COS_E_LINE_PARITY : *calls <= 40 ? COS_OK : COS_E_LINE_RESET;
}

static enum cos_result never_send(void *context, uint8_t character, uint32_t etus)
{
    const unsigned *calls = context;

    (void)character;
    (void)etus;
    assert_int_equal(*calls, 0); /* the ATR, and nothing behind it */
    return COS_OK;
}

static void never_set(void *context, const struct cos_line_parameters *parameters)
{
    (void)context;
    assert_int_equal(parameters->f, 372);
}

static void silent_until_reset(void **state)
{
    unsigned calls = 0;
    const struct cos_line line = {&calls, never_set, never_send, always_wrong, NULL};
    static const uint8_t atr[] = {0x3B, 0x00};

    (void)state;
    cos_transport_start(&card.transport, &card.config);
    assert_int_equal(
        cos_transport_serve(&card.transport, &line, &card.handler, (struct cos_span){atr, 2}),
        COS_E_LINE_RESET);
    assert_int_equal(calls, 41);
    assert_string_equal(card.executed, "");
}

/* A line on which every NULL is refused: the command whose header has come is not executed; that
 * which is under way gets no answer. */
static const char *header;
static size_t sent, nulls;

static enum cos_result refuse_null(void *context, uint8_t character, uint32_t etus)
{
    (void)context;
    (void)etus;
    sent++;
    nulls += character == 0x60;
    return character == 0x60 ? COS_E_LINE_PARITY : COS_OK;
}

static enum cos_result give_header(void *context, uint8_t *character, uint32_t etus)
{
    (void)context;
    (void)etus;
    *character = (uint8_t)*header;
    return *header++ == 'E' ? COS_E_LINE_RESET : COS_OK;
}

static void set_nothing(void *context, const struct cos_line_parameters *parameters)
{
    (void)context;
    (void)parameters;
}

static void a_refused_null(void **state)
{
    const struct cos_line line = {NULL, set_nothing, refuse_null, give_header, NULL};

    (void)state;
    for (unsigned extend = 1; extend <= 2; extend++) {
        card.extend_direction = extend == 1 ? 3 : 0;
        card.extend_command = extend == 2 ? 3 : 0;
        card.answers = "9000";
        card.executed[0] = '\0';
        header = "01230E";
        sent = nulls = 0;
        cos_transport_start(&card.transport, &card.config);
        cos_transport_serve(&card.transport, &line, &card.handler,
                            (struct cos_span){(const uint8_t *)"\x3B\x00", 2});
        assert_string_equal(card.executed, extend == 1 ? "" : "3031323330");
        assert_int_equal(sent, 2 + 4); /* ATR, and one NULL with its repetitions */
        assert_int_equal(nulls, 4);
        assert_int_equal(card.settled, 0);
    }
}

/* A character that is lost is waited for, by both, until the device's patience ends. */
static void a_lost_character_ends_in_a_reset(void **state)
{
    static const size_t characters[2] = {5 + 3 + 5, 1 + 2 + 1 + 3 + 2};

    (void)state;
    for (unsigned from_card = 0; from_card < 2; from_card++) {
        for (size_t at = 0; at < characters[from_card]; at++) {
            send_with(from_card != 0, at, 1, TERMINAL_LOST);
            /* or until it takes what follows for a procedure byte that is none */
            assert_true(card.terminal.end == TERMINAL_TIMED_OUT ||
                        (from_card != 0 && card.terminal.end == TERMINAL_PROCEDURE));
            const bool first = strcmp(card.executed, "00D6000003AABBCC") == 0;
            const bool both = strcmp(card.executed, "00D6000003AABBCC 00B0000003") == 0;
            assert_true(first || both || card.executed[0] == '\0');
            /* the next life is a good one */
            card.terminal.fault = NULL;
            terminal_t0_reset(&card.terminal);
            card.executed[0] = card.responses[0] = '\0';
            card.apdus = "00B0000003";
            card.answers = "1122339000";
            t0_card_run(&card);
            assert_string_equal(card.responses, "1122339000");
        }
    }
}

/* ---- Waiting time ---- */

/* A command of any length, with an idle hook that is called often enough: never longer than the
 * waiting time, at any speed. */
static void slow_commands(void **state)
{
    static const struct {
        const char *atr; /* WI */
        uint32_t waiting_time;
    } rows[] = {{"3B00", 9600}, {"3B804001", 960}, {"3B804014", 19200}, {"3B8040FF", 244800}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (uint32_t work = 0; work < 20 * rows[i].waiting_time;
             work += rows[i].waiting_time / 3) {
            t0_card_init(&card);
            card.atr = rows[i].atr;
            card.apdus = "00B0000002 0088000002AABB01";
            card.answers = "11229000 339000";
            card.work = work;
            card.step = rows[i].waiting_time / 4;
            t0_card_run(&card);
            assert_string_equal(card.responses, "11229000 339000");
            assert_true(card.terminal.longest <= rows[i].waiting_time);
            /* half the waiting time, and a step: no more of them than need be */
            assert_true(card.terminal.nulls <= 2 * (2 * work / rows[i].waiting_time));
            assert_true(card.terminal.nulls >= 2 * (work / rows[i].waiting_time));
        }
    }
}

/* A hook that is called too late: the device is gone. */
static void too_slow_commands(void **state)
{
    (void)state;
    card.apdus = "00B0000002";
    card.answers = "11229000";
    card.work = card.step = 9601;
    t0_card_run(&card);
    assert_string_equal(card.responses, "");
    assert_int_equal(card.terminal.end, TERMINAL_TIMED_OUT);
    t0_card_init(&card);
    card.apdus = "00B0000002";
    card.answers = "11229000";
    card.work = card.step = 9600; /* the last moment */
    t0_card_run(&card);
    assert_string_equal(card.responses, "11229000");
    assert_int_equal(card.terminal.nulls, 1);
}

/* 7.2 bounds the card's characters alone: a device may take its time anywhere. */
static void a_slow_device(void **state)
{
    (void)state;
    for (unsigned pause = 1; pause < 1000000; pause *= 10) {
        t0_card_init(&card);
        card.terminal.pause = pause;
        card.apdus = "00D6000003AABBCC 0088000001AA05";
        card.answers = "9000 11229000";
        t0_card_run(&card);
        assert_string_equal(card.responses, "9000 11229000");
        assert_int_equal(card.terminal.longest, 16); /* the card does not */
    }
}

/* NULL anywhere a procedure byte may be; nowhere else. */
static void null_bytes(void **state)
{
    static const char *const in = ">00D6000002 <6060D6 >AABB <6060609000";
    static const char *const out = ">00B0000002 <6060606060B011229000";

    (void)state;
    card.extend_direction = 2;
    card.extend_command = 3;
    card.apdus = "00D6000002AABB";
    card.answers = "9000";
    t0_card_run(&card);
    assert_string_equal(t0_card_wire(&card), in);
    t0_card_init(&card);
    card.extend_direction = 2;
    card.extend_command = 3;
    card.apdus = "00B0000002";
    card.answers = "11229000";
    t0_card_run(&card);
    assert_string_equal(t0_card_wire(&card), out);
    const size_t logged = card.terminal.logged;
    cos_t0_extend(&card.transport.t0);
    cos_transport_idle(&card.transport);
    assert_int_equal(card.terminal.logged, logged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_wrong_character_is_repeated, make),
        cmocka_unit_test_setup(not_for_ever, make),
        cmocka_unit_test_setup(silent_until_reset, make),
        cmocka_unit_test_setup(a_refused_null, make),
        cmocka_unit_test_setup(a_lost_character_ends_in_a_reset, make),
        cmocka_unit_test_setup(slow_commands, make),
        cmocka_unit_test_setup(too_slow_commands, make),
        cmocka_unit_test_setup(a_slow_device, make),
        cmocka_unit_test_setup(null_bytes, make),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
