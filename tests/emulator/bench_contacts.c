/* SPDX-License-Identifier: Apache-2.0
 *
 * What the contacts cost: the app chip's firmware on an emulated Cortex-M3 (chip.h), with the
 * memory of a finished card and its security chip on the host. Counted are the app chip's
 * instructions; what the port, the AES engine and the security chip do costs nothing. Ends with 1
 * if a goal is missed:
 *
 * - From reset to the first character of the ATR, after power-up and in the loop of
 *   cos/transport.h, however the memory is: 10,000 instructions.
 * - From the first command to its execution: 2,380,800. At 1.5 cycles an instruction that is the
 *   waiting time that a device grants by default, 9,600 etu of 372 cycles.
 * - From one call of the idle hook to the next: 119,040. At 1.5 cycles an instruction that is half
 *   of the shortest waiting time there can be, 960 etu of 372 cycles (WI 1; BWI 0).
 * - READ BINARY of 256 bytes: from a character of the device to the next one of the card, all
 *   together, with an instruction a cycle of the contacts' clock: a hundredth of the wire's time at
 *   372/1.
 * - From a character of the device to the readiness for the next: 128. At 1.5 cycles an
 *   instruction those are the 12 etu of a character at 512/32.
 *
 *   bench_contacts FIRMWARE.bin
 */
#include "board.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum {
    ETU = 372,       /* clock cycles */
    CHARACTER = 12,  /* etu */
    HALF_CYCLES = 3, /* of an instruction: what a Cortex-M3 needs, roughly */
    ATR_GOAL = 10000,
    WAITING = 9600, /* etu */
    START_GOAL = WAITING * ETU * 2 / HALF_CYCLES,
    SHORTEST = 960, /* etu */
    IDLE_GOAL = SHORTEST * ETU / HALF_CYCLES,
    WIRE_GOAL = 100, /* its part of the wire's time */
    RECEIVE_GOAL = 128,
};

static struct bench bench;
static struct sim_snapshot app_made, secure_made;
static struct board board;
static size_t figures, missed;

static void must(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "bench_contacts: %s: %04X\n", what, bench.sw);
        exit(1);
    }
}

static void goal(const char *what, const char *of, uint64_t value, uint64_t limit)
{
    figures++;
    if (value > limit) {
        missed++;
        printf("MISSED %s, %s: %" PRIu64 ", goal %" PRIu64 "\n", what, of, value, limit);
    }
}

/* ---- The card ---- */

/* In the application an EF of 512 bytes, free to read and to update, and thirty others. */
static void make_card(void)
{
    char apdu[128];

    bench_make(&bench, &bench_host);
    must(bench_sm_open(&bench, 0x01, 0x03) == 0x9000, "session");
    must(bench_sm_hex(&bench, "00A40400 09 F05457494E434F5301") == 0x9000, "application");
    for (unsigned i = 0; i < 31; i++) {
        snprintf(apdu, sizeof apdu, "00E00000 15 6213 82020121 8302%04X 8002%04X 8800 8C03030000",
                 0x5110 + i, i == 0 ? 512U : 32U);
        must(bench_sm_hex(&bench, apdu) == 0x9000, apdu);
    }
    bench_power_off(&bench);
    must(bench_power_on(&bench), "start");
    must(bench_hex(&bench, "00A4040C09F05457494E434F5301") == 0x9000, "application");
    must(bench_hex(&bench, "00A4020C025110") == 0x9000, "EF");
    for (unsigned at = 0; at < 512; at += 64) {
        uint8_t update[69] = {0x00, 0xD6, (uint8_t)(at >> 8), (uint8_t)at, 64};
        memset(update + 5, (int)at + 1, 64);
        must(bench_apdu(&bench, update, sizeof update) == 0x9000, "contents");
    }
    bench_power_off(&bench);
    sim_nvm_save(&bench.app_nvm, &app_made);
    sim_nvm_save(&bench.secure_nvm, &secure_made);
}

static void restore(void)
{
    sim_nvm_restore(&bench.app_nvm, &app_made);
    sim_nvm_restore(&bench.secure_nvm, &secure_made);
}

/* Both chips get power; the app chip is the emulated one. */
static void run(struct device_protocol protocol, unsigned half_cycles, const char *const *commands,
                size_t count, struct board_cost *costs)
{
    bench.to_secure_count = bench.to_app_count = 0;
    bench.secure_on = true;
    must(cos_secure_start(&bench.secure, &bench.secure_board, &bench.secure_config) == COS_OK,
         "start of the security chip");
    memset(costs, 0, count * sizeof *costs);
    board.costs = costs;
    board.half_cycles = half_cycles;
    device_start(&board.device, protocol);
    board.device.commands = commands;
    board.device.count = count;
    board_run(&board);
    bench_power_off(&bench);
    const char *problem = device_problem(&board.device);
    must(problem == NULL, problem != NULL ? problem : "");
}

/* etu from the first bit to the last. */
static uint64_t wire(const struct board_cost *cost)
{
    return cost->last_edge - cost->first_edge + CHARACTER;
}

/* ---- From reset to the first answer ---- */

static void as_made(void)
{
}

static void blank(void)
{
    static uint8_t erased[65536];

    memset(erased, 0xFF, sizeof erased);
    sim_nvm_poke(&bench.app_nvm, 0, erased, bench.sizes.app.size);
}

static void tear_atr(unsigned copy)
{
    const uint8_t other = 0x5A;

    sim_nvm_poke(&bench.app_nvm, bench.app_config.atr_at + copy * bench.sizes.page_size + 10,
                 &other, 1);
}

static void first_atr_torn(void)
{
    tear_atr(0);
}

static void both_atrs_torn(void)
{
    tear_atr(0);
    tear_atr(1);
}

/* A write over two pages, and what settles it. Returns its operations of the memory. */
static uint64_t write_store(void)
{
    const uint8_t update[255] = {0x00, 0xD6, 0x00, 0x10, 250};
    const uint64_t before = bench.power.operations;

    (void)bench_apdu(&bench, update, sizeof update);
    return bench.power.operations - before;
}

/* Power goes in its last operation but `left`. */
static void tear_store(unsigned left)
{
    static const char *const select[] = {"00A4040C09F05457494E434F5301", "00A4020C025110", 0};

    for (unsigned torn = 0, operations = 0; torn < 2; torn++) {
        restore();
        must(bench_power_on(&bench), "start");
        must(bench_hex(&bench, select[0]) == 0x9000, select[0]);
        must(bench_hex(&bench, select[1]) == 0x9000, select[1]);
        sim_power_cut(&bench.power, torn == 0 ? 0 : operations - left, SIM_GARBAGE, 7);
        operations = (unsigned)write_store();
        must(bench.power.dead == (torn != 0), "the cut");
        bench_power_off(&bench);
    }
}

static void store_torn(void)
{
    tear_store(3);
}

static void unsettled(void)
{
    tear_store(0);
}

static void all_torn(void)
{
    store_torn();
    both_atrs_torn();
}

static const struct {
    const char *name;
    void (*prepare)(void);
    bool starts; /* the card does */
} memories[] = {
    {"blank", blank, false},
    {"finished card", as_made, true},
    {"first copy of the ATR torn", first_atr_torn, true},
    {"both copies torn", both_atrs_torn, true},
    {"store torn in a write", store_torn, true},
    {"store torn in the mark", unsettled, true},
    {"store and both copies torn", all_torn, true},
};

static void measure_start(void)
{
    static const char *const first[] = {"00A4000C", 0};
    const struct device_protocol t0 = {.t1 = false};

    printf("%-26s %6s %6s %9s %4s %6s %5s %9s %8s  %s\n", "from reset, T=0", "to ATR", "again",
           "start", "AES", "etu*", "NULLs", "no idle()", "no port", "between");
    for (size_t i = 0; i < COUNT(memories); i++) {
        struct board_cost cost;
        restore();
        memories[i].prepare();
        run(t0, HALF_CYCLES, first, 1, &cost);
        must((board.start_result == COS_OK) == memories[i].starts, memories[i].name);
        printf("%-26s %6" PRIu64 " %6" PRIu64 " %9" PRIu64 " %4zu %6" PRIu64 " %5zu %9" PRIu64
               " %8" PRIu64 "  %s, %s\n",
               memories[i].name, board.first_sent, board.sent_again, board.started, cost.aes_blocks,
               wire(&cost), board.device.t0.nulls, cost.without_idle, cost.gap.instructions,
               board_trap_name(cost.gap.from), board_trap_name(cost.gap.to));
        goal("to the ATR", memories[i].name, board.first_sent, ATR_GOAL);
        goal("to the ATR once more", memories[i].name, board.sent_again, ATR_GOAL);
        goal("without idle()", memories[i].name, cost.without_idle, IDLE_GOAL);
        goal("start", memories[i].name, board.started, START_GOAL);
    }
}

/* ---- Commands ---- */

static const struct {
    const char *name, *apdu;
    size_t data; /* bytes of the answer */
} commands[] = {
    {"start of the card", "00A4000C", 0},
    {"SELECT application, FCI", "00A4040009F05457494E434F530100", 28},
    {"SELECT EF, no data", "00A4020C025110", 0},
    {"READ BINARY 16", "00B0000010", 16},
    {"READ BINARY 256", "00B0000000", 256},
    {"UPDATE BINARY 64",
     "00D6000040202122232425262728292A2B2C2D2E2F303132333435363738393A3B3C3D3E3F"
     "404142434445464748494A4B4C4D4E4F505152535455565758595A5B5C5D5E5F",
     0},
    {"GET DATA, CPLC", "80CA9F7F2D", 45},
    {"VERIFY", "0020008106313233343536", 0},
    {"GET CHALLENGE 8", "0084000008", 8},
};
enum { START = 0, READ_256 = 4 };

static const struct {
    const char *name;
    struct device_protocol protocol;
} protocols[] = {
    {"T=0", {false, 0}},
    {"T=1, IFSD 32", {true, 32}},
    {"T=1, IFSD 254", {true, 254}},
};

/* What the card's turning adds to the time on the wire, in percent. */
static double share(const struct board_cost *cost, double cycles)
{
    return 100.0 * cycles * (double)cost->turned / (double)(wire(cost) * ETU);
}

static void print(const char *name, const struct board_cost *cost, const struct board_cost *slow)
{
    printf("%-26s %4zu %5zu %5" PRIu64 " %8" PRIu64 " %4zu %6.2f %6.2f %5" PRIu64 " %4" PRIu64
           " %5" PRIu64 " %7" PRIu64 " %8" PRIu64 "  %s, %s\n",
           name, cost->received, cost->sent, wire(cost), cost->turned, cost->aes_blocks,
           share(cost, 1), share(cost, HALF_CYCLES / 2.0), wire(slow), cost->between_received,
           cost->between_sent, cost->settled, cost->gap.instructions,
           board_trap_name(cost->gap.from), board_trap_name(cost->gap.to));
}

/* All commands with a card that takes no time, and with one whose processor has the contacts'
 * clock.
 */
static void measure_commands(const char *name, struct device_protocol protocol)
{
    const char *texts[COUNT(commands)];
    struct board_cost costs[COUNT(commands)], slow[COUNT(commands)];

    for (size_t i = 0; i < COUNT(commands); i++) {
        texts[i] = commands[i].apdu;
    }
    restore();
    run(protocol, HALF_CYCLES, texts, COUNT(texts), slow);
    restore();
    run(protocol, 0, texts, COUNT(texts), costs);
    printf("\n%-26s %4s %5s %5s %8s %4s %6s %6s %5s %4s %5s %7s %8s  %s\n", name, "to", "from",
           "etu", "turn", "AES", "%", "%*", "etu*", "in", "out", "settle", "no port", "between");
    for (size_t i = START + 1; i < COUNT(commands); i++) {
        must(costs[i].sw == 0x9000 && slow[i].sw == 0x9000, commands[i].name);
        must(costs[i].data == commands[i].data, commands[i].name);
        print(commands[i].name, &costs[i], &slow[i]);
        goal("without idle()", commands[i].name, costs[i].without_idle, IDLE_GOAL);
        goal("between characters received", commands[i].name, costs[i].between_received,
             RECEIVE_GOAL);
    }
    goal("READ BINARY 256", name, costs[READ_256].turned, wire(&costs[READ_256]) * ETU / WIRE_GOAL);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: bench_contacts FIRMWARE.bin\n");
        return 2;
    }
    board.bench = &bench;
    chip_load(&board.chip, argv[1]);
    make_card();
    measure_start();
    for (size_t i = 0; i < COUNT(protocols); i++) {
        measure_commands(protocols[i].name, protocols[i].protocol);
    }
    printf("\n*: at %g cycles of the contacts' clock an instruction\n", HALF_CYCLES / 2.0);
    chip_free(&board.chip);
    printf("bench-contacts: %zu figures, %zu goals missed\n", figures, missed);
    return missed == 0 ? 0 : 1;
}
