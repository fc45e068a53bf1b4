/* SPDX-License-Identifier: Apache-2.0
 *
 * The store under torn power. tests/power/README.md says what is torn, where and how often, and
 * what must hold afterwards; this file only walks through the cases.
 *
 *   test_store_power                    all tests, short form
 *   test_store_power --first            the same, and the end at the first failure
 *   test_store_power --only NAME        one test: single_tears, double_tears, ...
 *   test_store_power --replay CASE      one case, as a failure prints it
 *   test_store_power --trace CASE       the same, with every NVM operation on stderr
 *   test_store_power --geometries       what is torn
 *
 * POWER_LONG=1: long form. POWER_SLICE=i/n: the i-th of n equal parts (i from 0), so that n
 * processes share one run. POWER_SHORT=1: one case in eight of the short form, for slow builds.
 */
#include "store_case.h"

#include "cos/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define RECOVERIES 1000
#define CLASSES    8 /* tear units of 4, 8, ..., 512 */

static struct torn_case now;
static struct case_player *player;
static const char *program = "test_store_power";
static bool end_at_first, torture_now;
static unsigned slice, slices = 1;
static unsigned long turn; /* counts what slices are made of */

static struct {
    unsigned long singles, doubles, deeper, starts, mounts;
} done[CLASSES];
static unsigned long shaky;
static unsigned products;

/* ---- CRC ---- */

/* Half of the rig's time would be the store's CRC, which is made for little memory. This one takes
 * its place in this program: eight tables, eight bytes a step, the same values. */
static uint32_t remainders[8][256];

static uint32_t little_endian(const uint8_t data[4])
{
    return data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
}

uint32_t cos_crc32(uint32_t crc, const uint8_t *data, size_t length)
{
    crc = ~crc;
    for (; length >= 8; length -= 8, data += 8) {
        uint32_t low = crc ^ little_endian(data), high = little_endian(data + 4);
        crc = remainders[7][low & 0xFF] ^ remainders[6][low >> 8 & 0xFF] ^
              remainders[5][low >> 16 & 0xFF] ^ remainders[4][low >> 24] ^
              remainders[3][high & 0xFF] ^ remainders[2][high >> 8 & 0xFF] ^
              remainders[1][high >> 16 & 0xFF] ^ remainders[0][high >> 24];
    }
    while (length-- > 0) {
        crc = crc >> 8 ^ remainders[0][(crc ^ *data++) & 0xFF];
    }
    return ~crc;
}

/* False if it is not the CRC of docs/formats.md after all. */
static bool make_remainders(void)
{
    static const uint8_t digits[] = "123456789123456789123456789";
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t r = i;
        for (unsigned bit = 0; bit < 8; bit++) {
            r = r >> 1 ^ (r & 1 ? 0xEDB88320U : 0);
        }
        remainders[0][i] = r;
    }
    for (unsigned k = 1; k < 8; k++) {
        for (uint32_t i = 0; i < 256; i++) {
            const uint32_t r = remainders[k - 1][i];
            remainders[k][i] = r >> 8 ^ remainders[0][r & 0xFF];
        }
    }
    return cos_crc32(0, digits, 9) == 0xCBF43926U &&
           cos_crc32(0, digits, 27) == cos_crc32(cos_crc32(0, digits, 20), digits + 20, 7);
}

enum form { SHORTEST, SHORT, LONG };

static enum form form(void)
{
    const char *value = getenv("POWER_LONG");
    if (value != NULL && value[0] == '1') {
        return LONG;
    }
    return getenv("POWER_SHORT") != NULL ? SHORTEST : SHORT;
}

static unsigned class_of(unsigned geometry)
{
    return geometry / (RIG_GEOMETRIES / CLASSES);
}

static bool mine(void)
{
    return turn++ % slices == slice;
}

static void give_up(const char *message)
{
    printf("FAILED: %s\nreplay: %s --replay ", message, program);
    if (torture_now) {
        printf("torture:%u", now.geometry);
    } else {
        case_print(&now);
    }
    printf("\n");
    fflush(stdout);
    if (end_at_first) {
        exit(1);
    }
    fail();
}

static void failed(const struct rig *rig, const char *message)
{
    (void)rig;
    give_up(message);
}

/* Seed 0, a chip that was never written, for one geometry in three. */
static void open_scenario(unsigned geometry, unsigned shift, enum case_scenario scenario)
{
    unsigned seed = (geometry + shift) % 3 == 0 ? 0 : (geometry + shift) * 7 + 1;
    now = (struct torn_case){.geometry = geometry, .seed = seed, .scenario = scenario};
    case_open(player, &now, failed, give_up);
}

static void close_scenario(void)
{
    case_close(player);
}

/* ---- Tests ---- */

/* How many cases of a kind a geometry gets. Large pages take their time. */
struct limit {
    unsigned small, medium, large; /* pages up to 256 bytes, up to 1024, above */
};

static unsigned limit_of(const struct limit limits[2], unsigned geometry)
{
    const struct limit *limit = &limits[form() == LONG ? 1 : 0];
    unsigned page = rig_geometry(geometry).page_size;
    unsigned cases = page <= 256 ? limit->small : page <= 1024 ? limit->medium : limit->large;
    return form() == SHORTEST ? cases / 8 : cases;
}

/* A step through `cases` that visits about `limit` of them, all contents alike. */
static unsigned stride(unsigned cases, unsigned limit)
{
    unsigned step = cases / limit;
    if (step <= 1) {
        return 1;
    }
    while (step % 2 == 0 || step % 3 == 0) { /* coprime to the number of contents */
        step++;
    }
    return step;
}

/* The case among all first cuts of the scenario: steps, operations, contents. False behind the
 * last one. */
static bool first_cut(unsigned index)
{
    for (now.step = 0; now.step < player->steps; now.step++) {
        unsigned cases = player->operations[now.step] * SIM_CONTENTS;
        if (index < cases) {
            now.cuts[0] = (struct case_cut){1 + index / SIM_CONTENTS,
                                            (enum sim_content)(index % SIM_CONTENTS), index};
            return true;
        }
        index -= cases;
    }
    return false;
}

static unsigned first_cuts(void)
{
    unsigned cases = 0;
    for (unsigned step = 0; step < player->steps; step++) {
        cases += player->operations[step] * SIM_CONTENTS;
    }
    return cases;
}

static void run(unsigned long *counter)
{
    case_run(player, &now);
    shaky += player->rig.sim.counts.shaky;
    ++*counter;
}

static void single_tears(void **state)
{
    (void)state;
    static const struct limit limits[] = {{700, 250, 60}, {UINT32_MAX, 10000, 10000}};
    for (unsigned geometry = 0; geometry < RIG_GEOMETRIES; geometry++) {
        open_scenario(geometry, 0, CASE_FULL);
        unsigned step = stride(first_cuts(), limit_of(limits, geometry));
        now.depth = 1;
        for (unsigned i = geometry % step; first_cut(i); i += step) {
            if (mine()) {
                run(&done[class_of(geometry)].singles);
            }
        }
        close_scenario();
    }
}

/* After each first cut of the full scenario a second one in the session behind it. */
static void double_tears(void **state)
{
    (void)state;
    static const struct limit limits[] = {{600, 200, 50}, {20000, 8000, 2000}};
    uint64_t random = 2;
    for (unsigned geometry = 0; geometry < RIG_GEOMETRIES; geometry++) {
        open_scenario(geometry, 1, CASE_FULL);
        unsigned step = stride(first_cuts(), limit_of(limits, geometry) / 5 + 1);
        for (unsigned i = geometry % step; first_cut(i); i += step) {
            if (!mine()) {
                continue;
            }
            now.depth = 2;
            now.cuts[1] = (struct case_cut){UINT32_MAX, SIM_NOTHING, 0};
            unsigned operations = case_run(player, &now);
            for (unsigned again = 0; again < 5 && operations > 0; again++) {
                now.cuts[1] = (struct case_cut){1 + sim_below(&random, operations),
                                                (enum sim_content)sim_below(&random, SIM_CONTENTS),
                                                sim_below(&random, 1000000)};
                case_end(player, &now);
                done[class_of(geometry)].doubles++;
            }
        }
        close_scenario();
    }
}

/* Roughly how many pairs of cuts the scenario has. */
static unsigned long pairs(void)
{
    unsigned cases = first_cuts(), step = stride(cases, 60);
    unsigned long operations = 0, samples = 0;
    now.depth = 2;
    now.cuts[1] = (struct case_cut){UINT32_MAX, SIM_NOTHING, 0};
    for (unsigned i = 0; first_cut(i); i += step) {
        operations += case_run(player, &now);
        samples++;
    }
    return cases * (operations / samples) * SIM_CONTENTS;
}

/* Behind one first cut every second one, operation by content, or one in `every`; *phase carries
 * the rest over to the next first cut. */
static void second_cuts(unsigned every, unsigned *phase)
{
    now.depth = 2;
    now.cuts[1] = (struct case_cut){UINT32_MAX, SIM_NOTHING, 0};
    case_begin(player, &now, 1);
    unsigned cases = case_end(player, &now) * SIM_CONTENTS;
    for (; *phase < cases; *phase += every) {
        now.cuts[1] = (struct case_cut){1 + *phase / SIM_CONTENTS,
                                        (enum sim_content)(*phase % SIM_CONTENTS), *phase};
        case_end(player, &now);
        shaky += player->rig.sim.counts.shaky;
        done[class_of(now.geometry)].doubles++;
    }
    *phase -= cases;
}

/* The full product on a small scenario: every operation and content, and behind each of them every
 * operation and content again. In the short form one in so many. */
static void products_of_tears(void **state)
{
    (void)state;
    const unsigned long most = 520000;
    for (unsigned geometry = 0; geometry < RIG_GEOMETRIES; geometry++) {
        bool mark = rig_geometry(geometry).tear_unit < 8;
        open_scenario(geometry, 2, mark ? CASE_MARK : CASE_SMALL);
        unsigned long estimate = pairs();
        unsigned every = form() == LONG ? 1 : stride((unsigned)estimate, 600), phase = 0;
        every *= form() == SHORTEST ? 7 : 1;
        for (unsigned i = 0; estimate <= most && first_cut(i); i++) {
            if (mine()) {
                second_cuts(every, &phase);
            }
        }
        products += estimate <= most;
        close_scenario();
    }
    printf("# product of operations and contents, twice: %u geometries%s\n", products,
           form() == LONG ? "" : ", sampled");
}

/* What a round of the test below takes: everything, or the contents that change at later starts,
 * which three cuts in a row are about, and one that does not. */
struct round {
    bool all;
    unsigned every; /* of the third cuts */
    unsigned phase;
};

static bool taken(const struct round *round, unsigned content)
{
    return round->all || content >= SIM_WEAK || content == SIM_ALL;
}

static void third_cuts(struct round *round)
{
    now.depth = 3;
    case_begin(player, &now, 2);
    unsigned cases = case_recovery(player) * SIM_CONTENTS;
    for (; round->phase < cases; round->phase += round->every) {
        unsigned i = round->phase;
        if (taken(round, i % SIM_CONTENTS)) {
            now.cuts[2] =
                (struct case_cut){1 + i / SIM_CONTENTS, (enum sim_content)(i % SIM_CONTENTS), i};
            case_end(player, &now);
            done[class_of(now.geometry)].deeper++;
        }
    }
    round->phase -= cases;
}

static void second_and_third_cuts(struct round *round, unsigned seed)
{
    case_begin(player, &now, 1);
    unsigned cases = case_recovery(player) * SIM_CONTENTS;
    for (unsigned i = 0; i < cases; i++) {
        if (taken(round, i % SIM_CONTENTS)) {
            now.cuts[1] = (struct case_cut){1 + i / SIM_CONTENTS,
                                            (enum sim_content)(i % SIM_CONTENTS), seed + i};
            third_cuts(round);
        }
    }
}

/* One round: three cuts in a row, the first one in the second step of the scenario. */
static void three_cuts(unsigned seed)
{
    const bool all = form() == LONG && seed == 0;
    struct round round = {.all = all, .every = all ? 1 : 23};
    for (unsigned i = player->operations[0] * SIM_CONTENTS; first_cut(i); i++) {
        now.cuts[0].seed += seed;
        if (taken(&round, i % SIM_CONTENTS) && mine()) {
            second_and_third_cuts(&round, seed);
        }
    }
}

/* A recovery is torn, the recovery from that, and the recovery from that, where a page is two
 * operations; and a transaction of two pages, its recovery, and the recovery from that. In many
 * rounds with other seeds; in the long form the first one is the full product three deep. */
static void recoveries_of_recoveries(void **state)
{
    (void)state;
    const unsigned first = rig_find(SIM_WRITE_ONCE, 64, 64);
    const unsigned rounds = form() == SHORTEST ? 2 : 16;
    for (unsigned i = 0; i < 12; i++) {
        const unsigned geometry = first + i / 2;
        open_scenario(geometry, first + 3 - geometry, i % 2 == 0 ? CASE_START : CASE_PAIR);
        for (unsigned round = 0; round < rounds; round++) {
            three_cuts(round * 1000);
        }
        close_scenario();
    }
}

static void deeper_tears(void **state)
{
    (void)state;
    static const struct limit limits[] = {{200, 60, 20}, {10000, 2500, 400}};
    uint64_t random = 3;
    for (unsigned geometry = 0; geometry < RIG_GEOMETRIES; geometry++) {
        open_scenario(geometry, 1, CASE_FULL);
        unsigned cases = limit_of(limits, geometry), cuts = first_cuts();
        for (unsigned i = 0; i < cases; i++) {
            first_cut(sim_below(&random, cuts));
            now.depth = 3 + sim_below(&random, CASE_DEPTH_MAX - 2);
            for (unsigned d = 1; d < now.depth; d++) {
                unsigned bound = 2 + sim_below(&random, player->operations[0] * 4);
                now.cuts[d] = (struct case_cut){1 + sim_below(&random, bound),
                                                (enum sim_content)sim_below(&random, SIM_CONTENTS),
                                                sim_below(&random, 1000000)};
            }
            if (mine()) {
                run(&done[class_of(geometry)].deeper);
            }
        }
        close_scenario();
    }
}

/* Power never stays on: a thousand starts, each of them torn, most of them in the recovery. */
static void torture(unsigned geometry)
{
    open_scenario(geometry, 0, CASE_SMALL);
    struct rig *rig = &player->rig;
    uint64_t random = geometry;
    unsigned page = player->operations[0]; /* operations of a page */
    torture_now = true;
    now.depth = 0;
    for (unsigned i = 0; i < RECOVERIES; i++) {
        sim_power_off(&rig->power);
        sim_power_up(&rig->power);
        sim_power_cut(&rig->power, 1 + sim_below(&random, i % 8 == 0 ? 4 * page : page + 2),
                      (enum sim_content)sim_below(&random, SIM_CONTENTS), sim_random(&random));
        done[class_of(geometry)].starts++;
        if (!rig_step(rig, 'R')) {
            done[class_of(geometry)].mounts++;
            continue;
        }
        while (rig_step(rig, rig_any_commit(rig)) && rig_step(rig, 's')) {
        }
    }
    sim_power_up(&rig->power);
    rig_steps(rig, "R3sr1r");
    shaky += rig->sim.counts.shaky;
    torture_now = false;
    close_scenario();
}

static void thousand_recoveries(void **state)
{
    (void)state;
    unsigned long starts = 0, mounts = 0;
    for (unsigned geometry = 0; geometry < RIG_GEOMETRIES; geometry++) {
        if ((form() != SHORTEST || geometry % 8 == 3) && mine()) {
            torture(geometry);
        }
    }
    for (unsigned i = 0; i < CLASSES; i++) {
        starts += done[i].starts;
        mounts += done[i].mounts;
    }
    assert_true(mounts >= starts / 4);
}

/* ---- What was done ---- */

static void report(void)
{
    unsigned long sums[5] = {0};
    printf("# tear unit   singles    doubles     deeper  starts torn in a row, in the mount\n");
    for (unsigned i = 0; i < CLASSES; i++) {
        const unsigned long row[5] = {done[i].singles, done[i].doubles, done[i].deeper,
                                      done[i].starts, done[i].mounts};
        printf("# %9u %9lu %10lu %10lu %9lu %9lu\n", 4U << i, row[0], row[1], row[2], row[3],
               row[4]);
        for (unsigned k = 0; k < 5; k++) {
            sums[k] += row[k];
        }
    }
    printf("# %9s %9lu %10lu %10lu %9lu %9lu\n", "all", sums[0], sums[1], sums[2], sums[3],
           sums[4]);
    printf("# %u geometries, %d contents; marks on what a tear left reading erased: %lu\n",
           RIG_GEOMETRIES, SIM_CONTENTS, shaky);
}

static void list_geometries(void)
{
    static const char *const kinds[] = {"write-once flash", "flash", "EEPROM"};
    printf("index  tear  erase  page  program  erased  kind\n");
    for (unsigned i = 0; i < RIG_GEOMETRIES; i++) {
        struct rig_geometry g = rig_geometry(i);
        printf("%5u %5u %6u %5u %8u %7s  %s\n", i, g.tear_unit, g.erase_unit, g.page_size,
               g.program_unit, g.erased ? "FF" : "00", kinds[g.kind]);
    }
}

/* ---- Replay ---- */

static int replay(const char *text, bool trace)
{
    struct torn_case c = {0};
    bool is_torture = sscanf(text, "torture:%u", &c.geometry) == 1;
    if (is_torture ? c.geometry >= RIG_GEOMETRIES : !case_parse(text, &c)) {
        fprintf(stderr, "usage: %s --replay GEOMETRY:SEED:SCENARIO:STEP[:N,CONTENT,SEED]...\n",
                program);
        return 2;
    }
    end_at_first = true;
    if (is_torture) {
        torture(c.geometry);
    } else {
        now = c;
        case_open(player, &now, failed, give_up);
        player->rig.power.trace = trace;
        case_run(player, &now);
        close_scenario();
    }
    printf("passed\n");
    return 0;
}

static bool take_slice(void)
{
    const char *value = getenv("POWER_SLICE");
    return value == NULL || (sscanf(value, "%u/%u", &slice, &slices) == 2 && slice < slices);
}

int main(int count, char **arguments)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_tears),      cmocka_unit_test(double_tears),
        cmocka_unit_test(products_of_tears), cmocka_unit_test(recoveries_of_recoveries),
        cmocka_unit_test(deeper_tears),      cmocka_unit_test(thousand_recoveries),
    };
    program = arguments[0];
    player = calloc(1, sizeof *player);
    if (player == NULL || !take_slice() || !make_remainders()) {
        return 2;
    }
    int result = 0;
    if (count == 2 && strcmp(arguments[1], "--geometries") == 0) {
        list_geometries();
    } else if (count == 3 && strcmp(arguments[1], "--replay") == 0) {
        result = replay(arguments[2], false);
    } else if (count == 3 && strcmp(arguments[1], "--trace") == 0) {
        result = replay(arguments[2], true);
    } else {
        if (count == 3 && strcmp(arguments[1], "--only") == 0) {
            cmocka_set_test_filter(arguments[2]);
        }
        end_at_first = count == 2 && strcmp(arguments[1], "--first") == 0;
        result = cmocka_run_group_tests(tests, NULL, NULL);
        report();
    }
    free(player);
    return result;
}
