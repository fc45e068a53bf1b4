/* SPDX-License-Identifier: Apache-2.0
 *
 * T=1 through the transport: which protocol and which parameters hold behind an ATR or PPS, time
 * for long commands, what is answered without the application, resets.
 */
#include "cos/transport.h"
#include "reader_t1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { CAPACITY = 300, COMMANDS_MAX = 8 };

static const uint16_t pairs[16] = {[1] = 0x03FE, [9] = 0x03FE};

/* A card that answers each command with its bytes backwards and 9000, and a device that sends
 * `commands`. */
static struct rig {
    struct reader_t1 reader;
    struct terminal_t1_config config;
    struct cos_transport transport;
    struct cos_transport_config transport_config;
    struct cos_transport_handler handler;
    struct cos_line line; /* the reader's, which notes the parameters */
    struct cos_line_parameters parameters;
    struct cos_span atr;
    uint8_t command[CAPACITY], response[CAPACITY + 2];

    struct cos_span commands[COMMANDS_MAX];
    size_t sent, settled, executed, refused;
    uint32_t work, step; /* etu for each command, and between two calls of idle() */
    size_t answer;       /* above 0: one byte less than that instead */
    unsigned reset_in;   /* calls of the line until RST is low; 0: never */
    unsigned calls;
    enum terminal_outcome outcomes[COMMANDS_MAX];
    uint16_t sws[COMMANDS_MAX];
} rig;

/* ---- Card ---- */

static size_t command(void *context, uint8_t *apdu, size_t length, uint8_t *response,
                      size_t capacity)
{
    (void)context;
    assert_true(length + 2 <= capacity);
    assert_memory_equal(apdu, rig.commands[rig.sent - 1].data, length);
    assert_int_equal(length, rig.commands[rig.sent - 1].length);
    for (size_t i = 0; i < capacity; i++) {
        assert_int_equal(response[i], 0); /* the one before is gone */
    }
    for (size_t i = length; i < CAPACITY; i++) {
        assert_int_equal(apdu[i], 0);
    }
    rig.executed++;
    for (uint32_t worked = 0; worked < rig.work; worked += rig.step) {
        line_sim_spend(&rig.reader.sim, rig.step);
        cos_transport_idle(&rig.transport);
    }
    if (rig.answer != 0) {
        response[0] = 0x90;
        return rig.answer - 1;
    }
    for (size_t i = 0; i < length; i++) {
        response[i] = apdu[length - 1 - i];
    }
    response[length] = 0x90;
    response[length + 1] = 0x00;
    return length + 2;
}

static void refused(void *context)
{
    (void)context;
    rig.refused++;
}

static void settle(void *context)
{
    (void)context;
    rig.settled++;
    line_sim_spend(&rig.reader.sim, 10); /* BGT is 22 */
    cos_transport_idle(&rig.transport);  /* nobody waits */
}

/* ---- Device ---- */

static struct cos_span next(void *context)
{
    (void)context;
    return rig.sent < COMMANDS_MAX ? rig.commands[rig.sent++] : (struct cos_span){NULL, 0};
}

static void done(void *context, enum terminal_outcome outcome, struct cos_span response)
{
    const struct cos_span sent = rig.commands[rig.sent - 1];

    (void)context;
    rig.outcomes[rig.sent - 1] = outcome;
    rig.sws[rig.sent - 1] = 0;
    if (outcome == TERMINAL_DONE) {
        assert_true(response.length >= 2);
        rig.sws[rig.sent - 1] = cos_get16(response.data + response.length - 2);
        for (size_t i = 0; i + 2 < response.length; i++) {
            assert_int_equal(response.data[i], sent.data[sent.length - 1 - i]);
        }
    }
}

/* ---- Line ---- */

static bool reset_now(void)
{
    rig.calls++;
    if (rig.reset_in != 0 && --rig.reset_in == 0) {
        line_sim_reset(&rig.reader.sim);
        rig.reader.state = READER_OVER;
    }
    return rig.reader.sim.reset;
}

static void line_set(void *context, const struct cos_line_parameters *parameters)
{
    rig.parameters = *parameters;
    rig.reader.sim.card.set(context, parameters);
}

static enum cos_result line_send(void *context, uint8_t character, uint32_t etus)
{
    return reset_now() ? COS_E_LINE_RESET : rig.reader.sim.card.send(context, character, etus);
}

static enum cos_result line_receive(void *context, uint8_t *character, uint32_t etus)
{
    return reset_now() ? COS_E_LINE_RESET : rig.reader.sim.card.receive(context, character, etus);
}

/* ---- Running ---- */

static void start(void)
{
    reader_t1_start(&rig.reader, &rig.config, 1);
    rig.reader.context = &rig;
    rig.reader.next = next;
    rig.reader.done = done;
    rig.line = rig.reader.sim.card;
    rig.line.set = line_set;
    rig.line.send = line_send;
    rig.line.receive = line_receive;
    cos_transport_start(&rig.transport, &rig.transport_config);
}

static void run(void)
{
    assert_int_equal(cos_transport_serve(&rig.transport, &rig.line, &rig.handler, rig.atr),
                     COS_E_LINE_RESET);
    const struct cos_line_parameters last = rig.parameters;
    assert_int_equal(cos_transport_serve(&rig.transport, &rig.line, &rig.handler, rig.atr),
                     COS_E_LINE_RESET); /* RST is still low */
    rig.parameters = last;
    for (size_t i = 0; i < CAPACITY; i++) {
        assert_int_equal(rig.command[i] | rig.response[i], 0);
    }
}

static void set_atr(const uint8_t *atr, size_t length)
{
    rig.atr = (struct cos_span){atr, length};
}

static const uint8_t t1_only[] = {0x3B, 0x80, 0x01, 0x81};
static const uint8_t both[] = {0x3B, 0x80, 0x80, 0x01, 0x01};             /* T=0 first */
static const uint8_t with_class[] = {0x3B, 0x80, 0x81, 0x1F, 0x03, 0x1D}; /* T=1, T=15 */
static const uint8_t read_binary[] = {0x00, 0xB0, 0x00, 0x00, 0x10};
static const uint8_t other[] = {0x00, 0xCA, 0x01, 0x02, 0x03, 0xAA, 0xBB, 0xCC};
static uint8_t longest[CAPACITY + 1];

static int make(void **state)
{
    (void)state;
    memset(&rig, 0, sizeof rig);
    for (size_t i = 0; i < sizeof longest; i++) {
        longest[i] = (uint8_t)(i * 7 + 1);
    }
    rig.transport_config = (struct cos_transport_config){
        .command = rig.command,
        .command_size = CAPACITY,
        .response = rig.response,
        .response_size = sizeof rig.response,
        .pairs = pairs,
    };
    rig.handler = (struct cos_transport_handler){&rig, command, NULL, settle, refused};
    rig.config = (struct terminal_t1_config){
        .ifsc = 32, .bwi = 4, .cwi = 13, .f = 372, .d = 1, .guard = 12, .delay = 22};
    rig.commands[0] = (struct cos_span){read_binary, sizeof read_binary};
    rig.commands[1] = (struct cos_span){other, sizeof other};
    rig.commands[2] = (struct cos_span){longest, CAPACITY};
    rig.step = 100;
    set_atr(t1_only, sizeof t1_only);
    start();
    return 0;
}

static void expect_three(void)
{
    assert_int_equal(rig.executed, 3);
    assert_int_equal(rig.settled, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(rig.outcomes[i], TERMINAL_DONE);
        assert_int_equal(rig.sws[i], 0x9000);
    }
}

/* ---- What holds behind an ATR or PPS ---- */

static void behind_the_atr(void **state)
{
    static const struct {
        const char *what;
        uint8_t atr[12];
        size_t length;
        struct terminal_t1_config config;
        uint16_t guard;
    } rows[] = {
        {"T=1 alone", {0x3B, 0x80, 0x01, 0x81}, 4, {.ifsc = 32, .bwi = 4, .cwi = 13}, 12},
        {"classes", {0x3B, 0x80, 0x81, 0x1F, 0x03, 0}, 6, {.ifsc = 32, .bwi = 4, .cwi = 13}, 12},
        {"inverse", {0x3F, 0x80, 0x01, 0x81}, 4, {.ifsc = 32, .bwi = 4, .cwi = 13}, 12},
        {"IFSC, times, CRC",
         {0x3B, 0x80, 0x81, 0x71, 0xFE, 0x25, 0x01, 0xAA},
         8,
         {.edc = TERMINAL_CRC_HIGH_FIRST, .ifsc = 254, .bwi = 2, .cwi = 5},
         12},
        {"N = 255", {0x3B, 0xC0, 0xFF, 0x01, 0x3E}, 5, {.ifsc = 32, .bwi = 4, .cwi = 13}, 11},
        {"N = 254 is for the device",
         {0x3B, 0xC0, 0xFE, 0x01, 0x3F},
         5,
         {.ifsc = 32, .bwi = 4, .cwi = 13},
         12},
        {"specific mode",
         {0x3B, 0x90, 0x95, 0x91, 0x81, 0x31, 0xFE, 0x45, 0x9F},
         9,
         {.ifsc = 254, .bwi = 4, .cwi = 5, .f = 512, .d = 16},
         12},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t atr[12], check = 0;
        make(NULL);
        memcpy(atr, rows[i].atr, rows[i].length);
        for (size_t k = 1; k + 1 < rows[i].length; k++) {
            check ^= atr[k];
        }
        atr[rows[i].length - 1] = check;
        rig.config = rows[i].config;
        rig.config.f = rig.config.f != 0 ? rig.config.f : 372;
        rig.config.d = rig.config.d != 0 ? rig.config.d : 1;
        rig.config.guard = 12;
        rig.config.delay = 22;
        set_atr(atr, rows[i].length);
        start();
        run();
        if (rig.reader.atr_length != rows[i].length ||
            memcmp(rig.reader.atr, atr, rows[i].length) != 0 || rig.executed != 3) {
            fail_msg("%s: %zu characters, %zu executed", rows[i].what, rig.reader.atr_length,
                     rig.executed);
        }
        expect_three();
        assert_int_equal(rig.reader.terminal.repetitions, 0);
        assert_int_equal(rig.reader.least_guard, rows[i].guard);
        assert_int_equal(rig.reader.least_turn, 22); /* BGT */
        assert_int_equal(rig.parameters.guard, rows[i].guard);
        assert_int_equal(rig.parameters.f, rig.config.f);
        assert_int_equal(rig.parameters.d, rig.config.d);
        assert_int_equal(rig.parameters.inverse, atr[0] == 0x3F);
        assert_false(rig.parameters.signals_errors);
    }
}

static void behind_pps(void **state)
{
    static const struct {
        uint8_t request[4];
        size_t length, answer;
        uint16_t f;
        uint8_t d;
    } rows[] = {
        {{0xFF, 0x01, 0xFE}, 3, 3, 372, 1},
        {{0xFF, 0x11, 0x95, 0x7B}, 4, 4, 512, 16},
        {{0xFF, 0x11, 0x18, 0xF6}, 4, 4, 372, 12},
        {{0xFF, 0x11, 0x97, 0x79}, 4, 4, 512, 64},
    };
    static const struct cos_span atrs[] = {
        {both, sizeof both}, {with_class, sizeof with_class}, {t1_only, sizeof t1_only}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows) * COUNT(atrs); i++) {
        const size_t row = i % COUNT(rows);
        make(NULL);
        rig.atr = atrs[i / COUNT(rows)];
        rig.config.f = rows[row].f;
        rig.config.d = rows[row].d;
        start();
        rig.reader.pps = rows[row].request;
        rig.reader.pps_length = rows[row].length;
        run();
        assert_int_equal(rig.reader.answer_length, rows[row].answer);
        expect_three();
        assert_int_equal(rig.parameters.f, rows[row].f);
        assert_int_equal(rig.parameters.d, rows[row].d);
        assert_false(rig.parameters.signals_errors);
    }
}

static void silence_after_pps(void **state)
{
    static const struct {
        const char *what;
        uint8_t request[4];
        size_t length;
    } rows[] = {
        {"wrong PCK", {0xFF, 0x01, 0xFF}, 3},
        {"T=0 of a card that does not offer it", {0xFF, 0x00, 0xFF}, 3},
        {"T=2", {0xFF, 0x02, 0xFD}, 3},
        {"not whole", {0xFF, 0x11, 0x95}, 3},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        make(NULL);
        rig.reader.pps = rows[i].request;
        rig.reader.pps_length = rows[i].length;
        run();
        if (!rig.reader.refused || rig.reader.answer_length != 0 || rig.executed != 0) {
            fail_msg("%s", rows[i].what);
        }
        rig.reader.pps = NULL; /* the next life is a good one */
        reader_t1_release(&rig.reader);
        rig.sent = 0;
        run();
        expect_three();
    }
}

/* The first character is wrong: with T=1 first it began a block, and the block is asked for again.
 */
static void a_wrong_first_character(void **state)
{
    (void)state;
    rig.reader.sim.single = LINE_PARITY;
    rig.reader.sim.single_at = sizeof t1_only;
    run();
    expect_three();
    assert_int_equal(rig.reader.terminal.repetitions, 1);
}

/* ---- Time ---- */

/* However long a command takes, BWT is extended before it is over; and not before half of it is.
 */
static void time_is_asked_for(void **state)
{
    static const struct {
        uint8_t bwi;
        uint16_t f;
        uint8_t d, pps1;
    } rows[] = {{0, 372, 1, 0x11}, {4, 372, 1, 0x11}, {9, 372, 1, 0x11}, {0, 512, 64, 0x97}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const uint64_t bwt = 11 + ((UINT64_C(960) * 372) << rows[i].bwi) * rows[i].d / rows[i].f;
        uint8_t request[4] = {0xFF, 0x11, rows[i].pps1, 0};
        uint8_t atr[] = {0x3B, 0x80, 0x81, 0x21, 0, 0};
        make(NULL);
        request[3] = (uint8_t)(request[0] ^ request[1] ^ request[2]);
        atr[4] = (uint8_t)(rows[i].bwi << 4 | 5);
        atr[5] = (uint8_t)(0x80 ^ 0x81 ^ 0x21 ^ atr[4]);
        set_atr(atr, sizeof atr);
        rig.config.bwi = rows[i].bwi;
        rig.config.cwi = 5;
        rig.config.f = rows[i].f;
        rig.config.d = rows[i].d;
        start();
        rig.reader.pps = request;
        rig.reader.pps_length = 4;
        rig.work = (uint32_t)(10 * bwt);
        rig.step = (uint32_t)(bwt / 2);
        run();
        expect_three();
        assert_int_equal(rig.reader.terminal.repetitions, 0);
        assert_int_equal(rig.reader.terminal.resynchronisations, 0);
        assert_true(rig.reader.terminal.extensions >= 3 * 9);
        assert_true(rig.reader.terminal.extensions <= 3 * 21);
    }
}

/* A hook that comes too rarely is too late: what the test above can see. */
static void time_that_is_not_asked_for(void **state)
{
    (void)state;
    rig.work = 40000;
    rig.step = 20000; /* BWT is 15,371 */
    run();
    assert_true(rig.reader.terminal.repetitions != 0);
}

/* ---- Without the application ---- */

static void too_long(void **state)
{
    (void)state;
    rig.commands[0] = (struct cos_span){longest, CAPACITY + 1};
    run();
    assert_int_equal(rig.executed, 2);
    assert_int_equal(rig.refused, 1);
    assert_int_equal(rig.outcomes[0], TERMINAL_DONE);
    assert_int_equal(rig.sws[0], 0x6700);
    assert_int_equal(rig.sws[1], 0x9000);
    assert_int_equal(rig.sws[2], 0x9000);
}

static void too_long_by_abort(void **state)
{
    (void)state;
    rig.transport_config.abort_oversize = true;
    rig.commands[0] = (struct cos_span){longest, sizeof longest};
    start();
    run();
    /* only the last block is too much */
    assert_int_equal(rig.sws[0], 0x6700);
    assert_int_equal(rig.executed, 2);
}

static void no_status(void **state)
{
    (void)state;
    for (rig.answer = 1; rig.answer <= 2; rig.answer++) { /* 0 and 1 bytes */
        const size_t answer = rig.answer;
        make(NULL);
        rig.answer = answer;
        run();
        assert_int_equal(rig.executed, 3);
        assert_int_equal(rig.sws[0], 0x6F00);
        assert_int_equal(rig.sws[2], 0x6F00);
    }
}

static void asks_for_ifsc(void **state)
{
    (void)state;
    rig.transport_config.request_ifsc = 254;
    start();
    run();
    expect_three();
    assert_int_equal(rig.reader.terminal.ifsc, 254);
}

/* ---- Resets ---- */

/* RST low at each call of the line, and in the next life everything is as in the first. The
 * protocol may be another one then. */
static void a_reset_at_any_time(void **state)
{
    unsigned at = 0;

    (void)state;
    for (bool finished = false; !finished;) {
        make(NULL);
        rig.work = 40000;
        rig.step = 7000;
        rig.reset_in = ++at;
        run();
        finished = rig.executed == 3 && rig.outcomes[2] == TERMINAL_DONE;
        rig.reader.sim.now += 100000;
        const uint64_t characters = rig.reader.sim.characters;
        cos_transport_idle(&rig.transport);
        assert_int_equal(rig.reader.sim.characters, characters); /* nobody waits any more */
        rig.reset_in = 0;
        rig.sent = rig.executed = rig.settled = 0;
        reader_t1_release(&rig.reader);
        rig.reader.pps = (const uint8_t[]){0xFF, 0x01, 0xFE};
        rig.reader.pps_length = 3;
        set_atr(both, sizeof both);
        run();
        expect_three();
    }
    print_message("# T=1, resets: %u\n", at);
    assert_true(at > 500);
}

/* Silence of a device that goes away in the middle of a block: the next life. */
static void idle_between_lives(void **state)
{
    (void)state;
    cos_transport_idle(&rig.transport);
    run();
    expect_three();
    const uint64_t characters = rig.reader.sim.characters;
    rig.reader.sim.now += 1000000;
    cos_transport_idle(&rig.transport);
    assert_int_equal(rig.reader.sim.characters, characters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(behind_the_atr, make),
        cmocka_unit_test_setup(behind_pps, make),
        cmocka_unit_test_setup(silence_after_pps, make),
        cmocka_unit_test_setup(a_wrong_first_character, make),
        cmocka_unit_test_setup(time_is_asked_for, make),
        cmocka_unit_test_setup(time_that_is_not_asked_for, make),
        cmocka_unit_test_setup(too_long, make),
        cmocka_unit_test_setup(too_long_by_abort, make),
        cmocka_unit_test_setup(no_status, make),
        cmocka_unit_test_setup(asks_for_ifsc, make),
        cmocka_unit_test_setup(a_reset_at_any_time, make),
        cmocka_unit_test_setup(idle_between_lives, make),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
