/* SPDX-License-Identifier: Apache-2.0
 *
 * A whole card behind its contacts: both chips, started by the first command, with T=0 and T=1
 * through the transport. What comes back is what the card answers without any contacts; and on a
 * bad line no command is executed twice or altered, a reported success was executed once, and what
 * a cyclic file has got is what was executed.
 */
#include "card_table.h"
#include "cos/transport.h"
#include "reader_t1.h"
#include "terminal_t0.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BUFFER = 600, EXCHANGES = 5000, APDU_LEAST = 4, SCRIPT_MAX = 40 };

/* Records of 4 bytes, room for 3: all may read and append. */
static const char *const cyclic[] = {"82030641 04 83026001 8002000C 880188 8C0407000000"};
static const uint8_t pps_t0[] = {0xFF, 0x00, 0xFF}, pps_t1[] = {0xFF, 0x01, 0xFE};

static struct rig {
    struct bench *bench;
    bool on;
    unsigned protocol;
    struct cos_transport transport;
    struct cos_transport_config config;
    struct cos_transport_handler handler;
    uint8_t command[BUFFER], response[BUFFER];
    struct reader_t1 reader;
    struct terminal_t0 terminal;

    uint8_t apdu[BUFFER]; /* under way */
    size_t length;
    unsigned executed; /* how often */
    bool altered;
    uint8_t answer[BUFFER]; /* of the last time */
    size_t answered;
    uint32_t appended, recent[3]; /* records: all of them, and the last three */

    /* One response for each of the commands of the script. */
    size_t sent;
    struct response {
        uint8_t bytes[BUFFER];
        size_t length;
    } got[SCRIPT_MAX];

    /* A bad line. */
    uint64_t seed, unseen_before;
    size_t exchanges, life, failed, failed_executed, lives, deceived, unseen, harmful;
    bool reported;
} rig;

static uint32_t chance(uint32_t below)
{
    rig.seed = rig.seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(rig.seed >> 33) % below;
}

/* ---- Card ---- */

static enum cos_t0_direction direction(void *context, const uint8_t header[5])
{
    (void)context;
    return cos_app_direction(header);
}

/* With T=0 Le is not there behind data, and has another value after 6CXX. */
static bool as_sent(const uint8_t *apdu, size_t length)
{
    if (length == rig.length && memcmp(apdu, rig.apdu, length) == 0) {
        return true;
    }
    return rig.protocol == 0 && length >= APDU_LEAST && length + 1 == rig.length &&
           memcmp(apdu, rig.apdu, length) == 0;
}

static size_t execute(void *context, uint8_t *apdu, size_t length, uint8_t *response,
                      size_t capacity)
{
    struct rig *one = context;
    const bool append = length == 9 && apdu[1] == 0xE2;
    const uint32_t record = append ? cos_get32(apdu + 5) : 0;

    if (!one->on) { /* the start is part of the first command */
        assert_true(bench_power_on(one->bench));
        one->on = true;
    }
    one->executed++;
    one->altered = one->altered || !as_sent(apdu, length);
    const size_t answer = cos_app_command(&one->bench->app, apdu, length, response, capacity);
    assert_true(answer >= 2 && answer <= sizeof one->answer);
    memcpy(one->answer, response, answer);
    one->answered = answer;
    if (append && cos_get16(response) == 0x9000) {
        one->recent[one->appended++ % 3] = record;
    }
    return answer;
}

static void settle(void *context)
{
    struct rig *one = context;

    cos_app_settle(&one->bench->app);
}

static void note_refusal(void *context)
{
    struct rig *one = context;

    if (one->on) {
        cos_app_refused(&one->bench->app);
    }
}

/* One life of the card, with the ATR that it has. */
static void live(const struct cos_line *line)
{
    uint8_t atr[COS_ATR_MAX];
    const size_t length =
        cos_app_atr(&rig.bench->app_board, &rig.bench->app_config, atr, sizeof atr);

    assert_true(length != 0);
    assert_int_equal(
        cos_transport_serve(&rig.transport, line, &rig.handler, (struct cos_span){atr, length}),
        COS_E_LINE_RESET);
    bench_power_off(rig.bench);
    rig.on = false;
    rig.lives++;
}

static int make(void **state)
{
    memset(&rig, 0, sizeof rig);
    card_make(state);
    rig.bench = *state;
    bench_create_files(rig.bench, BENCH_APPLICATION, cyclic, CARD_COUNT(cyclic));
    bench_power_off(rig.bench);
    rig.config = (struct cos_transport_config){
        .command = rig.command,
        .command_size = sizeof rig.command,
        .response = rig.response,
        .response_size = sizeof rig.response,
    };
    rig.handler = (struct cos_transport_handler){&rig, execute, direction, settle, note_refusal};
    cos_transport_start(&rig.transport, &rig.config);
    rig.seed = 7;
    return 0;
}

/* ---- The same answers ---- */

static void note(const uint8_t *response, size_t length)
{
    assert_true(length <= BUFFER);
    memcpy(rig.got[rig.sent - 1].bytes, response, length);
    rig.got[rig.sent - 1].length = length;
}

static void note_t0(void *context, const uint8_t *response, size_t length)
{
    (void)context;
    note(response, length);
}

static void note_t1(void *context, enum terminal_outcome outcome, struct cos_span response)
{
    (void)context;
    assert_int_equal(outcome, TERMINAL_DONE);
    note(response.data, response.length);
}

static void begin_t0(void)
{
    rig.protocol = 0;
    terminal_t0_init(&rig.terminal);
    rig.terminal.context = &rig;
    rig.terminal.pps = pps_t0;
    rig.terminal.pps_length = sizeof pps_t0;
}

static void begin_t1(uint64_t seed)
{
    static const struct terminal_t1_config config = {
        .ifsc = 254, .bwi = 4, .cwi = 5, .f = 372, .d = 1, .ifsd = 254, .guard = 12, .delay = 22};

    rig.protocol = 1;
    reader_t1_start(&rig.reader, &config, seed);
    rig.reader.context = &rig;
    rig.reader.pps = pps_t1;
    rig.reader.pps_length = sizeof pps_t1;
}

/* With T=0 response data that were not asked for are announced: 61XX. */
static const struct {
    const char *apdu;
    uint16_t announced;
} script[] = {
    {"00A40000023F00", 0x6112},               /* SELECT MF */
    {"00A4000C022F00", 0},                    /* EF.DIR */
    {"00B0000000", 0},                        /* all of it: 6CXX with T=0 */
    {"00A4000C022F02", 0},                    /* the record */
    {"00B0000080", 0},                        /* . */
    {"00B0007F01", 0},                        /* . */
    {"00B0008001", 0},                        /* from behind its end */
    {"00A4040009F05457494E434F5301", 0x611C}, /* SELECT of the application */
    {"00A4040009F05457494E434F530100", 0},    /* with Le */
    {"00200081", 0},                          /* VERIFY: query */
    {"0020008106313233343537", 0},            /* wrong */
    {"0020008106313233343536", 0},            /* right */
    {"00E200880400000001", 0},                /* APPEND RECORD */
    {"00E200880400000002", 0},                /* . */
    {"00B2018C04", 0},                        /* READ RECORD */
    {"00B2028C04", 0},                        /* . */
    {"00B2038C04", 0},                        /* one that is not there */
    {"00CA010100", 0},                        /* GET DATA */
    {"8088000008AABBCCDDEEFF001100", 0},      /* a class that is none */
    {"00440000", 0},                          /* ACTIVATE FILE */
    {"0070000001", 0},                        /* MANAGE CHANNEL: a channel */
    {"01A4040C09F05457494E434F5301", 0},      /* SELECT there */
    {"01B2018C04", 0},                        /* READ RECORD there */
    {"00708001", 0},                          /* closed */
    {"01B2018C04", 0},                        /* no channel any more */
    {"1020008103313233", 0},                  /* VERIFY in two parts */
    {"0020008103343536", 0},                  /* . */
};

static struct cos_span next_of_script(void *context)
{
    (void)context;
    if (rig.sent == CARD_COUNT(script)) {
        return (struct cos_span){NULL, 0};
    }
    rig.length = bench_bytes(script[rig.sent++].apdu, rig.apdu, sizeof rig.apdu);
    return (struct cos_span){rig.apdu, rig.length};
}

static void expect_as_without(unsigned protocol, const struct response *plain, size_t i)
{
    struct response expected = *plain;

    if (protocol == 0 && script[i].announced != 0) {
        cos_put16(expected.bytes, script[i].announced);
        expected.length = 2;
    }
    if (rig.got[i].length != expected.length ||
        memcmp(rig.got[i].bytes, expected.bytes, expected.length) != 0) {
        fail_msg("T=%u: %s: %zu bytes, %zu expected", protocol, script[i].apdu, rig.got[i].length,
                 expected.length);
    }
}

static void the_same_answers(void **state)
{
    static struct response plain[SCRIPT_MAX];

    (void)state;
    assert_true(bench_power_on(rig.bench));
    for (size_t i = 0; i < CARD_COUNT(script); i++) {
        (void)bench_hex(rig.bench, script[i].apdu);
        plain[i].length = rig.bench->length + 2;
        memcpy(plain[i].bytes, rig.bench->data, rig.bench->length);
        cos_put16(plain[i].bytes + rig.bench->length, rig.bench->sw);
    }
    for (unsigned protocol = 0; protocol < 2; protocol++) {
        card_free(state);
        make(state);
        if (protocol == 0) {
            begin_t0();
            rig.terminal.next = next_of_script;
            rig.terminal.done = note_t0;
            live(&rig.terminal.line);
            assert_null(rig.terminal.wrong);
        } else {
            begin_t1(1);
            rig.reader.next = next_of_script;
            rig.reader.done = note_t1;
            live(&rig.reader.sim.card);
        }
        for (size_t i = 0; i < CARD_COUNT(script); i++) {
            expect_as_without(protocol, &plain[i], i);
        }
    }
}

/* ---- A bad line ---- */

/* Commands for which it matters how often they are executed, and some others. The first one of a
 * life selects the application. */
static size_t make_command(void)
{
    char text[32];

    if (rig.life++ == 0) {
        return bench_bytes("00A4040C09F05457494E434F5301", rig.apdu, sizeof rig.apdu);
    }
    switch (chance(6)) {
    case 0:
        return bench_bytes("0084000010", rig.apdu, sizeof rig.apdu);
    case 1:
        return bench_bytes("00B2018C04", rig.apdu, sizeof rig.apdu);
    case 2:
        return bench_bytes("00A4040009F05457494E434F530100", rig.apdu, sizeof rig.apdu);
    case 3:
        return bench_bytes("0020008106313233343536", rig.apdu, sizeof rig.apdu);
    default:
        snprintf(text, sizeof text, "00E2008804%08X", chance(UINT32_MAX));
        return bench_bytes(text, rig.apdu, sizeof rig.apdu);
    }
}

static void settle_account(void)
{
    if (rig.reported) {
        return;
    }
    rig.reported = true;
    if (rig.executed > 1) {
        fail_msg("executed %u times", rig.executed);
    }
    rig.failed++;
    rig.failed_executed += rig.executed;
}

static struct cos_span next_at_random(void *context)
{
    (void)context;
    if (rig.life > 10 && chance(40) == 0) {
        return (struct cos_span){NULL, 0};
    }
    rig.exchanges++;
    rig.length = make_command();
    rig.executed = 0;
    rig.altered = false;
    rig.reported = false;
    return (struct cos_span){rig.apdu, rig.length};
}

static bool is_as_executed(struct cos_span response)
{
    return rig.executed == 1 && !rig.altered && response.length == rig.answered &&
           memcmp(response.data, rig.answer, rig.answered) == 0;
}

static void done_t1(void *context, enum terminal_outcome outcome, struct cos_span response)
{
    const struct line_sim *sim = &rig.reader.sim;

    (void)context;
    if (sim->unseen != rig.unseen_before) { /* an altered block whose EDC and parity were right */
        const bool good = rig.executed <= 1 && !rig.altered &&
                          (outcome != TERMINAL_DONE || is_as_executed(response));
        rig.unseen++;
        rig.harmful += good ? 0 : 1;
        rig.unseen_before = sim->unseen;
        rig.reported = true;
        return;
    }
    assert_false(rig.altered);
    if (outcome == TERMINAL_DONE) {
        assert_true(is_as_executed(response));
        rig.reported = true;
    }
    settle_account();
}

static void expect_records(void)
{
    char text[16];

    assert_true(bench_power_on(rig.bench));
    bench_select(rig.bench);
    for (uint32_t i = 1; i <= 3 && i <= rig.appended; i++) {
        uint8_t record[4];
        snprintf(text, sizeof text, "00B2%02X8C04", i);
        assert_int_equal(bench_hex(rig.bench, text), 0x9000);
        cos_put32(record, rig.recent[(rig.appended - i) % 3]);
        assert_memory_equal(rig.bench->data, record, 4);
    }
    assert_int_equal(bench_hex(rig.bench, "00200081"), 0x63C3); /* no try was lost */
}

static void a_bad_line_with_t1(void **state)
{
    static const uint32_t rates[] = {50, 1000, 5000}; /* of each fault, in 2^-20 a character */

    (void)state;
    begin_t1(3);
    rig.reader.next = next_at_random;
    rig.reader.done = done_t1;
    while (rig.exchanges < EXCHANGES) {
        const uint32_t rate = rates[chance(3)];
        for (size_t i = 0; i < LINE_FAULTS; i++) {
            rig.reader.sim.chance[i] = rate;
        }
        rig.reader.sim.lateness = 60;
        rig.reported = true;
        rig.life = 0;
        live(&rig.reader.sim.card);
        settle_account();
        reader_t1_release(&rig.reader);
    }
    print_message("# whole card, T=1: %zu exchanges, %zu lives, %zu failed (%zu of them executed), "
                  "not seen by EDC and parity %zu (harmful %zu), %u records\n",
                  rig.exchanges, rig.lives, rig.failed, rig.failed_executed, rig.unseen,
                  rig.harmful, rig.appended);
    assert_true(rig.failed > 100 && rig.appended > EXCHANGES / 10);
    expect_records();
}

static enum terminal_fault fault_t0(void *context, bool from_card)
{
    (void)context;
    (void)from_card;
    return chance(40) == 0    ? TERMINAL_WRONG_PARITY
           : chance(600) == 0 ? TERMINAL_LOST
                              : TERMINAL_SOUND;
}

static void done_t0(void *context, const uint8_t *response, size_t length)
{
    (void)context;
    assert_false(rig.altered);
    rig.reported = true;
    if (!is_as_executed((struct cos_span){response, length})) {
        rig.deceived++; /* T=0 does not see that a character is missing */
    }
}

static void a_bad_line_with_t0(void **state)
{
    (void)state;
    begin_t0();
    rig.terminal.next = next_at_random;
    rig.terminal.done = done_t0;
    rig.terminal.fault = fault_t0;
    while (rig.exchanges < EXCHANGES) {
        rig.reported = true;
        rig.life = 0;
        live(&rig.terminal.line);
        assert_null(rig.terminal.wrong);
        settle_account();
        terminal_t0_reset(&rig.terminal);
    }
    print_message("# whole card, T=0: %zu exchanges, %zu lives, %zu failed (%zu of them executed), "
                  "device deceived %zu times, %u records\n",
                  rig.exchanges, rig.lives, rig.failed, rig.failed_executed, rig.deceived,
                  rig.appended);
    assert_true(rig.failed > 100 && rig.appended > EXCHANGES / 10);
    assert_true(rig.deceived < EXCHANGES / 100);
    expect_records();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_same_answers, make, card_free),
        cmocka_unit_test_setup_teardown(a_bad_line_with_t0, make, card_free),
        cmocka_unit_test_setup_teardown(a_bad_line_with_t1, make, card_free),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
