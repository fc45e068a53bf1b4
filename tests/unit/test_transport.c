/* SPDX-License-Identifier: Apache-2.0
 *
 * The contacts from reset to reset: answer to reset, PPS, modes, what makes the card silent, and a
 * reset at every character.
 */
#include "t0_card.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct t0_card card;
static const uint16_t pairs[16] = {[1] = 0x03FE, [9] = 0x03FE};

static int make(void **state)
{
    (void)state;
    t0_card_init(&card);
    card.config.pairs = pairs;
    return 0;
}

static void expect_line(uint16_t f, uint8_t d, bool inverse)
{
    assert_int_equal(card.terminal.parameters.f, f);
    assert_int_equal(card.terminal.parameters.d, d);
    assert_int_equal(card.terminal.parameters.inverse, inverse);
    assert_int_equal(card.terminal.parameters.signals_errors, true);
    assert_int_equal(card.terminal.parameters.guard, 12);
}

/* ---- Answer to reset ---- */

/* ATRs of cards with T=0 first: sent to the byte, and T=0 works behind them without PPS. */
static void answers_to_reset(void **state)
{
    struct vectors *vectors = vectors_open("iso7816-3-atr.txt");
    size_t seen = 0;

    (void)state;
    for (size_t i = 0; i < vectors->count; i++) {
        const struct vector_section *section = &vectors->sections[i];
        const struct vector_entry *mode = vector_find(section, "mode");
        char text[2 * COS_ATR_MAX + 1] = "";
        if (vector_find(section, "protocols") == NULL ||
            strncmp(vector_text(section, "protocols"), "T=0", 3) != 0 ||
            strcmp(mode->text, "negotiable") != 0) {
            continue;
        }
        const struct cos_span atr = vector_bytes(section, "atr");
        for (size_t k = 0; k < atr.length; k++) {
            sprintf(text + 2 * k, "%02X", atr.data[k]);
        }
        make(NULL);
        card.atr = text;
        card.apdus = "00B0000002";
        card.answers = "11229000";
        t0_card_run(&card);
        assert_int_equal(card.terminal.atr_length, atr.length);
        assert_memory_equal(card.terminal.atr, atr.data, atr.length);
        assert_string_equal(card.responses, "11229000");
        assert_int_equal(card.transport.t0.config.waiting_time,
                         960 * vector_number(section, "wi_n"));
        expect_line(372, 1, atr.data[0] == 0x3F);
        seen++;
    }
    assert_int_equal(seen, 7);
    vectors_close(vectors);
}

static size_t bad_character;
static unsigned bad_times;

static enum terminal_fault in_atr(void *context, bool from_card)
{
    const struct t0_card *one = context;

    (void)from_card;
    if (one->terminal.characters == bad_character && bad_times != 0) {
        bad_times--;
        return TERMINAL_WRONG_PARITY;
    }
    return TERMINAL_SOUND;
}

/* 8.1: a card that offers T=0 repeats. ATR, PPS and the first characters of a command. */
static void characters_before_the_protocol_are_repeated(void **state)
{
    static const uint8_t request[] = {0xFF, 0x10, 0x95, 0x7A};

    (void)state;
    for (size_t at = 0; at < 4 + 4 + 4 + 2; at++) {
        for (unsigned times = 1; times <= 4; times++) {
            make(NULL);
            card.atr = "3B119580";
            card.terminal.pps = request;
            card.terminal.pps_length = 4;
            card.terminal.fault = in_atr;
            bad_character = at;
            bad_times = times;
            card.apdus = "00B0000002";
            card.answers = "11229000";
            t0_card_run(&card);
            assert_int_equal(card.terminal.end, times < 4 ? TERMINAL_FINISHED : TERMINAL_REPEATED);
            assert_string_equal(card.responses, times < 4 ? "11229000" : "");
            assert_int_equal(card.terminal.refused, times);
        }
    }
}

/* ---- Protocol and parameters selection ---- */

static void after_pps(void **state)
{
    struct vectors *vectors = vectors_open("iso7816-3-pps.txt");
    size_t seen = 0;

    (void)state;
    for (size_t i = 0; i < vectors->count; i++) {
        const struct vector_section *section = &vectors->sections[i];
        if (vector_find(section, "response") == NULL ||
            (vector_bytes(section, "request").data[1] & 0x0F) != 0) {
            continue;
        }
        make(NULL);
        card.atr = "3B80800101"; /* T=0, T=1 */
        const struct cos_span request = vector_bytes(section, "request");
        const struct cos_span response = vector_bytes(section, "response");
        card.terminal.pps = request.data;
        card.terminal.pps_length = request.length;
        card.apdus = "00B0000002 00D6000003AABBCC";
        card.answers = "11229000 9000";
        card.work = 9600 * (uint32_t)vector_number(section, "di_n") * 5;
        card.step = 1000;
        t0_card_run(&card);
        assert_int_equal(card.terminal.pps_answer_length, response.length);
        assert_memory_equal(card.terminal.pps_answer, response.data, response.length);
        assert_string_equal(card.responses, "11229000 9000");
        expect_line((uint16_t)vector_number(section, "fi_n"),
                    (uint8_t)vector_number(section, "di_n"), false);
        /* WT is WI * 960 * Fi / f, and an etu Fi / (Di * f) */
        assert_true(card.terminal.longest > 9600 * vector_number(section, "di_n") / 2);
        assert_true(card.terminal.longest < 9600 * vector_number(section, "di_n") / 2 + 2000);
        seen++;
    }
    assert_int_equal(seen, 3);
    vectors_close(vectors);
}

/* What one life had for its first character is not the next one's. */
static void pps_in_the_second_life(void **state)
{
    static const uint8_t request[] = {0xFF, 0x10, 0x95, 0x7A};

    (void)state;
    for (unsigned life = 0; life < 4; life++) {
        card.terminal.pps = life % 2 != 0 ? request : NULL;
        card.terminal.pps_length = life % 2 != 0 ? sizeof request : 0;
        card.apdus = "00B0000002";
        card.answers = "11229000";
        card.responses[0] = '\0';
        t0_card_run(&card);
        assert_string_equal(card.responses, "11229000");
        expect_line(life % 2 != 0 ? 512 : 372, life % 2 != 0 ? 16 : 1, false);
        terminal_t0_reset(&card.terminal);
    }
}

/* Requests that get no answer, and then nothing gets one. */
static void silence_after_pps(void **state)
{
    static const struct {
        const char *what, *atr;
        uint8_t request[6];
        size_t length;
    } rows[] = {
        {"wrong PCK", "3B00", {0xFF, 0x10, 0x95, 0x7B}, 4},
        {"b8 of PPS0", "3B00", {0xFF, 0x80, 0x7F}, 3},
        {"T=1 of a card that does not offer it", "3B00", {0xFF, 0x01, 0xFE}, 3},
        {"T=14", "3B00", {0xFF, 0x0E, 0xF1}, 3},
        {"T=15", "3B00", {0xFF, 0x0F, 0xF0}, 3},
        {"all bytes, wrong PCK", "3B00", {0xFF, 0x70, 0x11, 0x00, 0x00, 0x9F}, 6},
        {"specific mode", "3B91961080AA", {0xFF, 0x00, 0xFF}, 3},
        {"not whole", "3B00", {0xFF, 0x10, 0x95}, 3},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        make(NULL);
        card.atr = rows[i].atr;
        card.terminal.pps = rows[i].request;
        card.terminal.pps_length = rows[i].length;
        card.apdus = "00B0000002";
        t0_card_run(&card);
        if (card.terminal.end != TERMINAL_TIMED_OUT || card.terminal.pps_answer_length != 0) {
            fail_msg("%s: end %d", rows[i].what, (int)card.terminal.end);
        }
        /* a reset makes it good */
        terminal_t0_reset(&card.terminal);
        card.terminal.pps = NULL;
        card.terminal.pps_length = 0;
        card.answers = "11229000";
        t0_card_run(&card);
        assert_string_equal(card.responses, "11229000");
    }
}

/* What no device takes for an answer (9.3), by the device of these tests: those of the vectors, and
 * a wrong PCK. */
static void wrong_answers_to_pps(void **state)
{
    struct vectors *vectors = vectors_open("iso7816-3-pps.txt");
    const struct vector_section *section = vectors_section(vectors, "invalid responses");
    const struct cos_span request = vector_bytes(section, "request");
    const struct cos_line *line = &card.terminal.line;

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        const struct cos_span answer = i < 3 ? vector_bytes(section, "bad_response%u", i) : request;
        enum cos_result result = COS_OK;
        uint8_t character;
        make(NULL);
        card.terminal.pps = request.data;
        card.terminal.pps_length = request.length;
        assert_int_equal(line->send(line->context, 0x3B, 0), COS_OK);
        assert_int_equal(line->send(line->context, 0x00, 0), COS_OK);
        for (size_t k = 0; k < request.length; k++) {
            assert_int_equal(line->receive(line->context, &character, 100), COS_OK);
            assert_int_equal(character, request.data[k]);
        }
        for (size_t k = 0; k < answer.length && result == COS_OK; k++) {
            const uint8_t flip = i == 3 && k == 3 ? 0x01 : 0;
            result = line->send(line->context, answer.data[k] ^ flip, 16);
        }
        assert_int_equal(card.terminal.state, i < 4 ? TERMINAL_OVER : TERMINAL_IDLE);
        assert_true(i == 4 || card.terminal.end == TERMINAL_PPS);
    }
    vectors_close(vectors);
}

/* PPS is the first thing or nothing: later FF is a class byte, and none that has a meaning. */
static void pps_later_is_a_class_byte(void **state)
{
    (void)state;
    card.apdus = "00B0000002 FFB0000002 00B0000002";
    card.answers = "11229000 6E00 11229000";
    t0_card_run(&card);
    assert_string_equal(card.responses, "11229000 6E00 11229000");
}

/* ---- Specific mode ---- */

static void specific_mode(void **state)
{
    static const struct {
        const char *atr;
        uint16_t f;
        uint8_t d;
    } rows[] = {
        {"3B91961080AA", 512, 32}, /* of the vectors */
        {"3B91961000AA", 512, 32}, /* the mode may change */
        {"3B91961010AA", 372, 1},  /* TA1 does not hold */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        make(NULL);
        card.atr = rows[i].atr;
        card.terminal.d = rows[i].d;
        card.apdus = "00B0000002";
        card.answers = "11229000";
        t0_card_run(&card);
        assert_string_equal(card.responses, "11229000");
        expect_line(rows[i].f, rows[i].d, false);
        assert_int_equal(card.transport.t0.config.waiting_time, 9600U * rows[i].d);
    }
}

/* ---- Reset ---- */

static size_t characters_until_reset;
static struct cos_line whole_line;

static enum cos_result cut_send(void *context, uint8_t character, uint32_t etus)
{
    if (characters_until_reset == 0) {
        return COS_E_LINE_RESET;
    }
    characters_until_reset--;
    return whole_line.send(context, character, etus);
}

static enum cos_result cut_receive(void *context, uint8_t *character, uint32_t etus)
{
    if (characters_until_reset == 0) {
        return COS_E_LINE_RESET;
    }
    characters_until_reset--;
    return whole_line.receive(context, character, etus);
}

/* A reset before each character, in both directions; with each, what was executed was executed
 * once, and the next life is a good one. */
static void a_reset_at_any_character(void **state)
{
    static const uint8_t request[] = {0xFF, 0x10, 0x95, 0x7A};
    size_t at = 0;

    (void)state;
    for (bool finished = false; !finished; at++) {
        make(NULL);
        card.atr = "3B119580";
        card.terminal.pps = request;
        card.terminal.pps_length = 4;
        card.apdus = "00D6000003AABBCC 0088000002AABB05 00B0000010";
        card.answers = "9000 1122339000 445566779000";
        card.extend_command = 1;
        whole_line = card.terminal.line;
        card.terminal.line.send = cut_send;
        card.terminal.line.receive = cut_receive;
        characters_until_reset = at;
        t0_card_run(&card);
        assert_memory_equal(card.executed, "00D6000003AABBCC 0088000002AABB 00B0000010",
                            strlen(card.executed));
        finished = strcmp(card.responses, "9000 1122339000 445566779000") == 0;
        card.terminal.line = whole_line;
        const size_t characters = card.terminal.logged;
        card.terminal.now += 100000; /* nobody waits for the command that was cut */
        cos_transport_idle(&card.transport);
        assert_int_equal(card.terminal.logged, characters);
        terminal_t0_reset(&card.terminal);
        card.executed[0] = card.responses[0] = '\0';
        card.apdus = "00C0000003 00B0000002"; /* nothing waits from the life before */
        card.answers = "6985 11229000";
        t0_card_run(&card);
        assert_string_equal(card.executed, "00C0000003 00B0000002");
        assert_string_equal(card.responses, "6985 11229000");
    }
    print_message("# resets: %zu\n", at);
    assert_true(at > 60);
}

/* Settling comes when the response is out, once a command; not for what the transport answers by
 * itself. */
static void settling(void **state)
{
    (void)state;
    card.apdus = "00B0000010 0088000001AA05 0061000000";
    card.answers = "11229000 33449000";
    t0_card_run(&card);
    assert_int_equal(card.settled, 2);
    make(NULL);
    card.handler.settle = NULL;
    card.apdus = "00B0000002";
    card.answers = "11229000";
    t0_card_run(&card);
    assert_string_equal(card.responses, "11229000");
    assert_int_equal(card.settled, 0);
}

/* The idle hook may come at any time: before the protocol is chosen it does nothing. */
static void idle_at_any_time(void **state)
{
    (void)state;
    cos_transport_start(&card.transport, &card.config);
    cos_transport_idle(&card.transport);
    card.terminal.now += 100000;
    cos_transport_idle(&card.transport);
    assert_int_equal(card.terminal.logged, 0);
    card.apdus = "00B0000002";
    card.answers = "11229000";
    terminal_t0_reset(&card.terminal);
    t0_card_run(&card);
    const size_t logged = card.terminal.logged;
    card.terminal.now += 100000;
    cos_transport_idle(&card.transport);
    assert_int_equal(card.terminal.logged, logged);
}

/* An ATR that is none is not followed by anything. */
static void no_atr(void **state)
{
    static const char *const atrs[] = {"", "3B", "3B8001", "3B800182"};

    (void)state;
    for (size_t i = 0; i < COUNT(atrs); i++) {
        make(NULL);
        card.atr = atrs[i];
        card.apdus = "00B0000002";
        t0_card_run(&card);
        assert_string_equal(card.executed, "");
        assert_string_equal(card.responses, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(answers_to_reset, make),
        cmocka_unit_test_setup(characters_before_the_protocol_are_repeated, make),
        cmocka_unit_test_setup(after_pps, make),
        cmocka_unit_test_setup(pps_in_the_second_life, make),
        cmocka_unit_test_setup(silence_after_pps, make),
        cmocka_unit_test_setup(wrong_answers_to_pps, make),
        cmocka_unit_test_setup(pps_later_is_a_class_byte, make),
        cmocka_unit_test_setup(specific_mode, make),
        cmocka_unit_test_setup(a_reset_at_any_character, make),
        cmocka_unit_test_setup(settling, make),
        cmocka_unit_test_setup(idle_at_any_time, make),
        cmocka_unit_test_setup(no_atr, make),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
