/* SPDX-License-Identifier: Apache-2.0
 *
 * The store under torn power. tests/power/README.md says what is torn, where and how often, and
 * what must hold afterwards; this file only walks through the cases.
 *
 *   test_store_power                    all tests, short form (POWER_LONG=1: long form;
 *                                       POWER_SHORT=1: one case in eight, for slow builds)
 *   test_store_power --first            the same, and the end at the first failure
 *   test_store_power --only NAME        one test: single_tears, double_tears, ...
 *   test_store_power --replay CASE      one case, as a failure prints it
 *   test_store_power --trace CASE       the same, with every NVM operation on stderr
 */
#include "store_rig.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Steps that are torn, one letter each (store_rig.h), after a random prelude. */
static const char scenario[] = "1s2-sb+3sr1r-r+sxszx1sr3r2sw13-r";

#define STEPS      (sizeof scenario - 1)
#define DEPTH_MAX  5
#define RECOVERIES 1000
#define RESTARTS   4

struct cut {
    unsigned n; /* operation of the step, or of the session for the second cut and later ones */
    enum sim_content content;
    unsigned seed;
};

/* All that makes a case: written and read as GEOMETRY:SEED:STEP:N,CONTENT,SEED:N,CONTENT,SEED... */
struct torn_case {
    unsigned geometry, seed, step, depth;
    struct cut cuts[DEPTH_MAX];
};

static struct torn_case now;
static const char *program = "test_store_power";
static bool end_at_first, torture_now;
static unsigned long singles, doubles, deeper, recoveries_torn, shaky;

static bool long_form(void)
{
    const char *value = getenv("POWER_LONG");
    return value != NULL && value[0] == '1';
}

/* POWER_SHORT, for slow builds (sanitizers): one case in eight. */
static unsigned share(void)
{
    return getenv("POWER_SHORT") != NULL ? 8 : 1;
}

static void print_case(void)
{
    printf("replay: %s --replay %u:%u:", program, now.geometry, now.seed);
    if (torture_now) {
        printf("torture");
    } else {
        printf("%u", now.step);
    }
    for (unsigned i = 0; i < now.depth; i++) {
        printf(":%u,%s,%u", now.cuts[i].n, sim_content_name(now.cuts[i].content), now.cuts[i].seed);
    }
    printf("\n");
    fflush(stdout);
}

static void give_up(const char *message)
{
    printf("FAILED: %s\n", message);
    print_case();
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

/* ---- Scenario ---- */

static struct {
    struct rig rig;
    struct rig_snapshot before[STEPS]; /* each step */
    unsigned operations[STEPS];
} * s;

/* Seed 0 starts on a chip that was never written. */
static void prelude(struct rig *rig, unsigned seed)
{
    unsigned commits = seed == 0 ? 0 : 24 + seed % 17;
    for (unsigned i = 0; i < commits; i++) {
        assert_true(rig_step(rig, rig_any_commit(rig)));
        unsigned coin = sim_below(&rig->random, 4);
        if (coin < 2) {
            assert_true(rig_steps(rig, coin == 0 ? "s" : "sr"));
        }
    }
}

static void open_scenario(unsigned geometry, unsigned seed)
{
    now = (struct torn_case){.geometry = geometry, .seed = seed};
    rig_open(&s->rig, geometry, seed, failed);
    s->rig.power.violated = give_up;
    prelude(&s->rig, seed);
    for (unsigned step = 0; step < STEPS; step++) {
        now.step = step;
        rig_save(&s->rig, &s->before[step]);
        uint64_t operations = s->rig.power.operations;
        assert_true(rig_step(&s->rig, scenario[step]));
        s->operations[step] = (unsigned)(s->rig.power.operations - operations);
    }
}

static void close_scenario(void)
{
    rig_close(&s->rig);
}

/* ---- One case ---- */

static void arm(struct rig *rig, const struct cut *cut)
{
    sim_power_cut(&rig->power, cut->n, cut->content, cut->seed);
}

/* What was answered must stay: more starts, with and without work in between, then the command
 * stream goes on. */
static void aftermath(struct rig *rig)
{
    sim_power_off(&rig->power);
    sim_power_up(&rig->power);
    rig_step(rig, 'R');
    unsigned kind = sim_below(&rig->random, 4); /* 0, 1: nothing but starts */
    for (unsigned i = 0; i < RESTARTS; i++) {
        if (kind == 2 || (kind == 3 && i % 2 == 1)) {
            rig_step(rig, rig_any_commit(rig));
        }
        if (kind >= 2 && sim_below(&rig->random, 2) == 0) {
            rig_step(rig, 's');
        }
        rig_step(rig, 'r');
    }
    for (unsigned i = 0; i < 3; i++) {
        rig_step(rig, rig_any_commit(rig));
    }
    rig_steps(rig, "sr");
}

/* Runs `now`. Returns how many operations the last session had, up to its cut. */
static unsigned run_case(void)
{
    struct rig *rig = &s->rig;
    char letter = scenario[now.step];
    bool trace = rig->power.trace;

    rig_restore(rig, &s->before[now.step]);
    rig->power.trace = trace;
    for (unsigned i = 0; i < now.depth; i++) {
        rig->random = rig->random * 31 + now.cuts[i].n * 64U + now.cuts[i].content;
    }
    if (letter == 'r') {
        sim_power_off(&rig->power);
        sim_power_up(&rig->power);
        letter = 'R';
    }
    arm(rig, &now.cuts[0]);
    bool powered = rig_step(rig, letter);
    uint64_t operations = 0;
    for (unsigned i = 1; i < now.depth; i++) {
        if (!powered) {
            sim_power_up(&rig->power);
        }
        arm(rig, &now.cuts[i]);
        operations = rig->power.operations;
        powered = (powered || rig_step(rig, 'R')) && rig_step(rig, rig_any_commit(rig)) &&
                  rig_step(rig, 's') && rig_step(rig, rig_any_commit(rig));
    }
    operations = rig->power.operations - operations;
    sim_power_cut(&rig->power, 0, SIM_NOTHING, 0);
    aftermath(rig);
    shaky += rig->sim.counts.shaky;
    return (unsigned)operations;
}

/* ---- Tests ---- */

static unsigned scenario_seed(unsigned geometry)
{
    return geometry % 3 == 0 ? 0 : geometry * 7 + 1;
}

static void single_tears(void **state)
{
    (void)state;
    for (unsigned geometry = 0; geometry < RIG_GEOMETRIES; geometry++) {
        open_scenario(geometry, scenario_seed(geometry));
        for (now.step = 0; now.step < STEPS; now.step++) {
            unsigned cases = s->operations[now.step] * SIM_CONTENTS;
            for (unsigned i = (geometry + now.step) % share(); i < cases; i += share()) {
                now.depth = 1;
                now.cuts[0] =
                    (struct cut){1 + i / SIM_CONTENTS, (enum sim_content)(i % SIM_CONTENTS), i};
                run_case();
                singles++;
            }
        }
        close_scenario();
    }
    printf("# single tears: %lu, over %u geometries and %d contents\n", singles, RIG_GEOMETRIES,
           SIM_CONTENTS);
}

/* Every second tear behind one first tear: operation by operation, until the session outlasts it.
 */
static void all_second_tears(void)
{
    for (unsigned n = 1;; n++) {
        for (unsigned content = 0; content < SIM_CONTENTS; content++) {
            now.cuts[1] = (struct cut){n, (enum sim_content)content, n * 101 + content};
            now.depth = 2;
            if (run_case() < n) {
                return;
            }
            doubles++;
        }
    }
}

static void some_second_tears(uint64_t *random)
{
    now.depth = 2;
    now.cuts[1] = (struct cut){UINT32_MAX, SIM_NOTHING, 0};
    unsigned operations = run_case();
    for (unsigned i = 0; i < 5 && operations > 0; i++) {
        /* Two in three in the recovery, which comes first. */
        unsigned bound = operations > 6 && i % 3 != 0 ? 6 : operations;
        now.cuts[1] = (struct cut){1 + sim_below(random, bound),
                                   (enum sim_content)sim_below(random, SIM_CONTENTS),
                                   sim_below(random, 1000000)};
        run_case();
        doubles++;
    }
}

static void double_tears(void **state)
{
    (void)state;
    uint64_t random = 2;
    for (unsigned geometry = 0; geometry < RIG_GEOMETRIES; geometry++) {
        open_scenario(geometry, scenario_seed(geometry + 1));
        for (now.step = 0; now.step < STEPS; now.step++) {
            unsigned cases = s->operations[now.step] * SIM_CONTENTS;
            for (unsigned i = 0; i < cases; i++) {
                now.cuts[0] =
                    (struct cut){1 + i / SIM_CONTENTS, (enum sim_content)(i % SIM_CONTENTS), i + 7};
                if (long_form()) {
                    all_second_tears();
                } else if (sim_below(&random, 8 * share()) == 0) {
                    some_second_tears(&random);
                }
            }
        }
        close_scenario();
    }
    printf("# double tears: %lu, the second one in the recovery or in what follows it\n", doubles);
}

static void deeper_tears(void **state)
{
    (void)state;
    uint64_t random = 3;
    unsigned cases = long_form() ? 50000 : 600 / share();
    for (unsigned geometry = 0; geometry < RIG_GEOMETRIES; geometry++) {
        open_scenario(geometry, scenario_seed(geometry + 2));
        for (unsigned i = 0; i < cases; i++) {
            now.step = sim_below(&random, STEPS);
            if (s->operations[now.step] == 0) {
                continue;
            }
            now.depth = 3 + sim_below(&random, DEPTH_MAX - 2);
            for (unsigned d = 0; d < now.depth; d++) {
                unsigned bound = d == 0 ? s->operations[now.step] : 2 + sim_below(&random, 16);
                now.cuts[d] = (struct cut){1 + sim_below(&random, bound),
                                           (enum sim_content)sim_below(&random, SIM_CONTENTS),
                                           sim_below(&random, 1000000)};
            }
            run_case();
            deeper++;
        }
        close_scenario();
    }
    printf("# deeper tears (3 to 5 in a row): %lu\n", deeper);
}

/* Power never stays on: a thousand starts, each of them torn, most of them in the recovery. */
static void torture(unsigned geometry, unsigned seed)
{
    open_scenario(geometry, seed);
    struct rig *rig = &s->rig;
    uint64_t random = seed * 1000ULL + geometry;
    torture_now = true;
    now.depth = 0;
    for (unsigned i = 0; i < RECOVERIES; i++) {
        sim_power_off(&rig->power);
        sim_power_up(&rig->power);
        sim_power_cut(&rig->power, 1 + sim_below(&random, i % 8 == 0 ? 20 : 4),
                      (enum sim_content)sim_below(&random, SIM_CONTENTS), sim_random(&random));
        if (!rig_step(rig, 'R')) {
            recoveries_torn++;
            continue;
        }
        while (rig_step(rig, rig_any_commit(rig)) && rig_step(rig, 's')) {
        }
    }
    sim_power_up(&rig->power);
    rig_steps(rig, "R3sr1r");
    torture_now = false;
    close_scenario();
}

static void thousand_recoveries(void **state)
{
    (void)state;
    unsigned rounds = 0;
    for (unsigned geometry = 0; geometry < RIG_GEOMETRIES; geometry += share() / 2 + 1) {
        torture(geometry, scenario_seed(geometry));
        rounds++;
    }
    printf("# %u starts torn in a row, %u times; in %lu of them the mount itself\n", RECOVERIES,
           rounds, recoveries_torn);
    printf("# marks programmed on what a tear left reading erased: %lu\n", shaky);
    assert_true(recoveries_torn > RECOVERIES * rounds / 4);
}

/* ---- Replay ---- */

static const char *number(const char *text, unsigned *value)
{
    char *end;
    *value = (unsigned)strtoul(text, &end, 10);
    if (end == text || (*end != ':' && *end != ',' && *end != '\0')) {
        return NULL;
    }
    return *end == '\0' ? end : end + 1;
}

/* N,CONTENT,SEED */
static const char *parse_cut(const char *text, struct cut *cut)
{
    char name[32];
    text = number(text, &cut->n);
    const char *comma = text == NULL ? NULL : strchr(text, ',');
    if (comma == NULL || (size_t)(comma - text) >= sizeof name) {
        return NULL;
    }
    memcpy(name, text, (size_t)(comma - text));
    name[comma - text] = '\0';
    return sim_content_parse(name, &cut->content) ? number(comma + 1, &cut->seed) : NULL;
}

static bool parse_case(const char *text, struct torn_case *c, bool *is_torture)
{
    *c = (struct torn_case){0};
    text = number(text, &c->geometry);
    text = text == NULL ? NULL : number(text, &c->seed);
    if (text == NULL || c->geometry >= RIG_GEOMETRIES) {
        return false;
    }
    *is_torture = strcmp(text, "torture") == 0;
    if (*is_torture) {
        return true;
    }
    text = number(text, &c->step);
    while (text != NULL && *text != '\0' && c->depth < DEPTH_MAX) {
        text = parse_cut(text, &c->cuts[c->depth++]);
    }
    return text != NULL && *text == '\0' && c->step < STEPS;
}

static int replay(const char *text, bool trace)
{
    struct torn_case c;
    bool is_torture;
    if (!parse_case(text, &c, &is_torture)) {
        fprintf(stderr, "usage: %s --replay GEOMETRY:SEED:STEP[:N,CONTENT,SEED]...\n", program);
        return 2;
    }
    end_at_first = true;
    if (is_torture) {
        torture(c.geometry, c.seed);
    } else {
        open_scenario(c.geometry, c.seed);
        now = c;
        s->rig.power.trace = trace;
        run_case();
        close_scenario();
    }
    printf("passed\n");
    return 0;
}

int main(int count, char **arguments)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_tears),
        cmocka_unit_test(double_tears),
        cmocka_unit_test(deeper_tears),
        cmocka_unit_test(thousand_recoveries),
    };
    program = arguments[0];
    s = calloc(1, sizeof *s);
    if (s == NULL) {
        return 2;
    }
    if (count == 3 &&
        (strcmp(arguments[1], "--replay") == 0 || strcmp(arguments[1], "--trace") == 0)) {
        return replay(arguments[2], strcmp(arguments[1], "--trace") == 0);
    }
    if (count == 3 && strcmp(arguments[1], "--only") == 0) {
        cmocka_set_test_filter(arguments[2]);
    }
    end_at_first = count == 2 && strcmp(arguments[1], "--first") == 0;
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    for (unsigned i = 0; i < STEPS; i++) {
        sim_snapshot_free(&s->before[i].sim);
    }
    free(s);
    return result;
}
