/* SPDX-License-Identifier: Apache-2.0
 *
 * T=1 over a line on which characters are damaged, lost, doubled, inserted and late. An application
 * that counts what it executes stands for the card, an independent device is at the other end:
 *
 * - no command is executed twice, and none altered;
 * - a response that the device takes is that of the command, executed once;
 * - after a failure it was executed once or not at all;
 * - after RESYNCH, or after a reset, the line works again.
 *
 * A quarter of the devices repeats commands where the standard has it ask for the response.
 *
 * All that as far as the error detection code can see. A block that was altered on its way although
 * parity and EDC are right is counted, with what came of it, and the line is reset.
 *
 * Sessions of EXCHANGES commands each have a seed of their own, from which all follows. SOAK=n
 * plays n commands instead of the short form; SEED=n begins with session n.
 */
#include "cos/t1.h"
#include "terminal_t1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { EXCHANGES = 20, COMMAND_MAX = 600, CAPACITY = 500, RESPONSE_MAX = 600 };
enum { SHORT_FORM = 50000 };

static struct rig {
    uint64_t session;
    struct line_sim sim;
    struct terminal_t1 terminal;
    struct terminal_t1_config config;
    struct cos_t1 t1;
    struct cos_t1_parameters parameters;
    uint32_t chance[LINE_FAULTS];

    uint8_t command[COMMAND_MAX]; /* what the device sends */
    size_t length;
    uint32_t counter; /* of executed commands, and of those that were too long */
    bool altered;     /* another one than that was executed */
    uint8_t buffer[CAPACITY], response[4 + RESPONSE_MAX];
} rig;

static struct counts {
    uint64_t exchanges, done, failed_once, failed_never, aborted, resynchronised, reset;
    uint64_t characters, faults[LINE_FAULTS], blocks, extensions, repetitions;
    uint64_t unseen, harmful;
} counts;

static unsigned long setting(const char *name, unsigned long otherwise)
{
    const char *value = getenv(name);

    return value != NULL && *value != '\0' ? strtoul(value, NULL, 10) : otherwise;
}

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fail_msg("%s; again: SEED=%llu SOAK=%d", #condition, (unsigned long long)rig.session,  \
                     EXCHANGES);                                                                   \
        }                                                                                          \
    } while (0)

/* ---- The application ---- */

/* The response that `command` has when it is executed as number `counter`. */
static size_t respond(const uint8_t *command, size_t length, uint32_t counter, uint8_t *response)
{
    size_t more = length < 3 ? 0 : (size_t)(command[0] << 8 | command[1]) % RESPONSE_MAX;

    if (length > CAPACITY) {
        response[0] = 0x67;
        response[1] = 0x00;
        return 2;
    }
    memcpy(response, &counter, 4);
    for (size_t i = 0; i < more; i++) {
        response[4 + i] = (uint8_t)(command[i % length] + i + counter);
    }
    return 4 + more;
}

/* Works up to 11 thirds of BWT, and asks for more time when it should. */
static enum cos_result work(const uint8_t *command, size_t length)
{
    unsigned thirds = length < 3 || command[2] % 4 != 0 ? 0 : command[2] / 4 % 12;

    for (unsigned i = 0; i < thirds; i++) {
        line_sim_spend(&rig.sim, rig.t1.bwt / 3);
        if (cos_t1_due(&rig.t1, rig.sim.card.elapsed(rig.sim.card.context))) {
            COS_TRY(cos_t1_extend(&rig.t1, &rig.sim.card, (uint8_t)(1 + command[2] % 3)));
        }
    }
    return COS_OK;
}

/* The card, until the device has an outcome. */
static void run_card(void)
{
    while (rig.terminal.outcome == TERMINAL_BUSY) {
        size_t length = 0;
        enum cos_result result =
            cos_t1_receive(&rig.t1, &rig.sim.card, rig.buffer, CAPACITY, &length);
        size_t answer;

        if (result == COS_E_LINE_RESET) {
            break;
        }
        if (result == COS_E_LENGTH) {
            length = CAPACITY + 1;
            rig.altered = rig.altered || rig.length <= CAPACITY;
        } else {
            EXPECT(result == COS_OK);
            rig.altered =
                rig.altered || length != rig.length || memcmp(rig.buffer, rig.command, length) != 0;
        }
        rig.counter++;
        answer = respond(rig.buffer, length, rig.counter, rig.response);
        if (work(rig.buffer, length) != COS_OK ||
            cos_t1_send(&rig.t1, &rig.sim.card, rig.response, answer) != COS_OK) {
            break;
        }
    }
    EXPECT(rig.terminal.outcome != TERMINAL_BUSY); /* both would wait for ever */
}

/* ---- Sessions ---- */

static void restart(void)
{
    line_sim_release(&rig.sim);
    EXPECT(cos_t1_start(&rig.t1, &rig.parameters) == COS_OK);
    terminal_t1_restart(&rig.terminal, &rig.config);
}

static uint32_t draw(uint32_t limit)
{
    return line_sim_random(&rig.sim, limit);
}

/* Mostly 32 or 254, sometimes anything. */
static uint8_t draw_ifs(void)
{
    switch (draw(3)) {
    case 0:
        return 32;
    case 1:
        return 254;
    default:
        return (uint8_t)(8 + draw(247));
    }
}

static void draw_parameters(void)
{
    static const struct {
        uint16_t f;
        uint8_t d;
    } rates[] = {{372, 1}, {372, 12}, {512, 32}, {512, 64}, {2048, 1}};
    size_t rate = draw(sizeof rates / sizeof rates[0]);
    uint8_t cwi = (uint8_t)(3 + draw(6)), sad = (uint8_t)draw(8), dad = (uint8_t)draw(8);
    uint8_t nad = (uint8_t)(dad << 4 | sad);

    if (draw(4) != 0 || sad == dad) {
        nad = 0;
    }
    rig.parameters = (struct cos_t1_parameters){
        .edc = (enum cos_t1_edc)draw(3),
        .ifsc = draw_ifs(),
        .bwi = (uint8_t)(3 + draw(2)),
        .cwi = cwi,
        .f = rates[rate].f,
        .d = rates[rate].d,
        .request_ifsc = draw(2) == 0 ? 0 : draw_ifs(),
        .abort_oversize = draw(2) == 0,
    };
    rig.config = (struct terminal_t1_config){
        .edc = (enum terminal_edc)rig.parameters.edc,
        .nad = nad,
        .ifsc = rig.parameters.ifsc,
        .bwi = rig.parameters.bwi,
        .cwi = cwi,
        .f = rates[rate].f,
        .d = rates[rate].d,
        .ifsd = draw(3) == 0 ? 0 : draw_ifs(),
        .guard = (uint16_t)(12 + draw(4) * draw(1U << (cwi - 2))),
        .delay = 22 + draw(4) * draw(5000),
    };
    rig.sim.card_guard = (uint16_t)(11 + draw(2) + draw(3) * draw(1U << (cwi - 2)));
    rig.sim.lateness = 2 * (11 + (1U << cwi));
}

/* All faults together, at a common rate of up to one in 40 characters, or one of them alone. */
static void draw_faults(void)
{
    static const uint32_t rates[] = {20, 200, 1000, 4000, 26000};
    uint32_t rate = rates[draw(5)], alone = draw(2 * LINE_FAULTS);

    for (uint32_t i = 0; i < LINE_FAULTS; i++) {
        rig.chance[i] = alone >= LINE_FAULTS ? rate / LINE_FAULTS : i == alone ? rate : 0;
    }
}

static void begin_session(uint64_t session)
{
    rig.session = session;
    line_sim_start(&rig.sim, session);
    draw_parameters();
    draw_faults();
    memset(&rig.terminal, 0, sizeof rig.terminal);
    terminal_t1_start(&rig.terminal, &rig.config, &rig.sim);
    restart();
}

static void end_session(void)
{
    counts.characters += rig.sim.characters;
    for (size_t i = 0; i < LINE_FAULTS; i++) {
        counts.faults[i] += rig.sim.faults[i];
    }
    counts.blocks += rig.terminal.blocks;
    counts.extensions += rig.terminal.extensions;
    counts.repetitions += rig.terminal.repetitions;
}

/* ---- The oracle ---- */

static bool response_right(void)
{
    static uint8_t expected[4 + RESPONSE_MAX];
    size_t length = respond(rig.command, rig.length, rig.counter, expected);

    return rig.terminal.response_length == length &&
           memcmp(rig.terminal.response, expected, length) == 0;
}

static bool as_it_should_be(uint32_t executed)
{
    if (rig.altered || executed > 1) {
        return false;
    }
    switch (rig.terminal.outcome) {
    case TERMINAL_DONE:
        return executed == 1 && response_right();
    case TERMINAL_ABORTED:
        return executed == 1;
    case TERMINAL_CARD_ABORTED:
        return executed == 0 && rig.length > CAPACITY && rig.parameters.abort_oversize;
    default:
        return true;
    }
}

static void exchange(void)
{
    uint32_t before = rig.counter;
    uint64_t unseen = rig.sim.unseen;

    rig.length = 1 + (draw(3) == 0 ? draw(COMMAND_MAX) : draw(40));
    for (size_t i = 0; i < rig.length; i++) {
        rig.command[i] = (uint8_t)draw(256);
    }
    if (draw(2) == 0) {
        rig.command[0] = 0; /* a short response */
    }
    rig.altered = false;
    rig.terminal.config.abort_response = draw(16) == 0;
    terminal_t1_begin(&rig.terminal, rig.command, rig.length);
    run_card();
    line_sim_heard(&rig.sim);

    counts.exchanges++;
    if (rig.sim.unseen != unseen) {
        counts.unseen++;
        counts.harmful += as_it_should_be(rig.counter - before) ? 0 : 1;
        restart();
        return;
    }
    EXPECT(!rig.altered);
    EXPECT(as_it_should_be(rig.counter - before));
    switch (rig.terminal.outcome) {
    case TERMINAL_DONE:
        counts.done++;
        return;
    case TERMINAL_ABORTED:
    case TERMINAL_CARD_ABORTED:
        counts.aborted++;
        return;
    case TERMINAL_RESET:
        counts.reset++;
        restart();
        break;
    default:
        counts.resynchronised++;
        break;
    }
    counts.failed_once += rig.counter - before;
    counts.failed_never += 1 - (rig.counter - before);
}

/* Without faults: nothing is repeated, and the card is in time. */
static void clean_exchange(void)
{
    uint64_t repetitions = rig.terminal.repetitions;
    uint64_t done = counts.done + counts.aborted;

    memset(rig.sim.chance, 0, sizeof rig.sim.chance);
    exchange();
    EXPECT(counts.done + counts.aborted == done + 1);
    EXPECT(rig.terminal.repetitions == repetitions);
    memcpy(rig.sim.chance, rig.chance, sizeof rig.chance);
}

static void print_counts(const char *name)
{
    print_message("# %s: %llu exchanges, %llu characters, %llu extensions, %llu requests repeated; "
                  "done %llu, aborted %llu\n",
                  name, (unsigned long long)counts.exchanges, (unsigned long long)counts.characters,
                  (unsigned long long)counts.extensions, (unsigned long long)counts.repetitions,
                  (unsigned long long)counts.done, (unsigned long long)counts.aborted);
}

static void print_faults(void)
{
    static const char *const faults[LINE_FAULTS] = {"one bit", "two bits", "parity", "lost",
                                                    "doubled", "inserted", "late"};

    print_message("#   failed: RESYNCH %llu, reset %llu; executed once %llu, not at all %llu\n#  ",
                  (unsigned long long)counts.resynchronised, (unsigned long long)counts.reset,
                  (unsigned long long)counts.failed_once, (unsigned long long)counts.failed_never);
    for (size_t i = 0; i < LINE_FAULTS; i++) {
        print_message(" %s %llu%s", faults[i], (unsigned long long)counts.faults[i],
                      i + 1 < LINE_FAULTS ? "," : "\n");
    }
    print_message("#   EDC and parity did not see %llu; %llu of these had an effect\n",
                  (unsigned long long)counts.unseen, (unsigned long long)counts.harmful);
}

/* ---- Tests ---- */

static void clean_line(void **state)
{
    (void)state;
    memset(&counts, 0, sizeof counts);
    for (uint64_t session = 1; session <= 100; session++) {
        begin_session(session);
        for (int i = 0; i < EXCHANGES; i++) {
            clean_exchange();
        }
        end_session();
    }
    EXPECT(counts.extensions > 0 && counts.aborted > 0);
    print_counts("clean line");
}

/* Each fault at each character of an exchange, alone: the rules of 11.6.3 recover from it without
 * RESYNCH. LRC does not see that a character too much pushes the last one out that has its value.
 */
static void one_fault_alone(void **state)
{
    uint64_t sessions = setting("SOAK", SHORT_FORM) > SHORT_FORM ? 100 : 4;

    (void)state;
    memset(&counts, 0, sizeof counts);
    for (uint64_t session = 1; session <= sessions; session++) {
        for (unsigned fault = 0; fault < LINE_FAULTS; fault++) {
            for (uint64_t at = 0;; at++) {
                begin_session(session);
                rig.sim.single = (enum line_fault)fault;
                rig.sim.single_at = at;
                exchange();
                if (rig.sim.faults[fault] == 0) {
                    break;
                }
                EXPECT(counts.done + counts.aborted + counts.unseen == counts.exchanges);
                clean_exchange();
                end_session();
            }
        }
    }
    print_counts("one fault alone");
}

static void faulty_line(void **state)
{
    uint64_t sessions = (setting("SOAK", SHORT_FORM) + EXCHANGES - 1) / EXCHANGES;
    uint64_t first = setting("SEED", 1);

    (void)state;
    memset(&counts, 0, sizeof counts);
    for (uint64_t session = first; session < first + sessions; session++) {
        begin_session(session);
        memcpy(rig.sim.chance, rig.chance, sizeof rig.chance);
        rig.config.impatient = draw(4) == 0;
        restart();
        for (int i = 0; i < EXCHANGES; i++) {
            uint64_t failed = counts.resynchronised + counts.reset + counts.unseen;

            exchange();
            if (counts.resynchronised + counts.reset + counts.unseen != failed) {
                clean_exchange();
            }
        }
        end_session();
    }
    print_counts("faulty line");
    print_faults();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean_line),
        cmocka_unit_test(one_fault_alone),
        cmocka_unit_test(faulty_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
