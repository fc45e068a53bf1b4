/* SPDX-License-Identifier: Apache-2.0
 *
 * The rig of torn power on whole cards.
 */
#include "power_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { STATE_MAX = 8192, CHAIN_MAX = 600, LATER_STARTS = 3, ACTIONS_MAX = 64 };

static const char *program_name;

/* ---- Doing it ---- */

static uint16_t send(const struct power_action *action, struct bench *bench, const char *command)
{
    return action->secured ? bench_sm_hex(bench, command) : bench_hex(bench, command);
}

static bool prepare(const struct power_action *action, struct bench *bench)
{
    if (action->prepare != NULL && !action->prepare(bench)) {
        return false;
    }
    for (size_t i = 0; i < POWER_SETUP_MAX && action->setup[i] != NULL; i++) {
        const bool any = action->setup[i][0] == '?';
        const uint16_t sw = send(action, bench, action->setup[i] + any);
        if (sw != 0x9000 && sw != 0x6A89 && !any) {
            return false;
        }
    }
    return true;
}

static bool act(const struct power_action *action, struct bench *bench)
{
    if (action->command == NULL) {
        return action->act(bench);
    }
    const uint16_t sw = send(action, bench, action->command);
    return action->sw == 0x63C0 ? (sw & 0xFFF0) == 0x63C0
                                : sw == (action->sw != 0 ? action->sw : 0x9000);
}

/* ---- Logical state ---- */

/* What the two stores say, and the life cycle. */
struct state {
    uint64_t app, secure;
    uint8_t life_cycle;
    uint8_t tries[16]; /* of the objects, in the order of the table */
};

static uint64_t digest_store(const struct cos_store *store, uint32_t size)
{
    uint8_t bytes[64];
    uint64_t hash = 0xCBF29CE484222325U;

    for (uint32_t at = 0; at < size; at += sizeof bytes) {
        size_t run = size - at < sizeof bytes ? size - at : sizeof bytes;
        if (cos_store_read(store, at, bytes, run) != COS_OK) {
            return 0;
        }
        for (size_t i = 0; i < run; i++) {
            hash = (hash ^ bytes[i]) * 0x100000001B3U;
        }
    }
    return hash;
}

/* Object entries, docs/formats.md: kind at 0, tries left at 23. */
static void read_tries(const struct bench *bench, uint8_t tries[16])
{
    const struct cos_store *store = &bench->secure.store;
    const uint16_t per_page = (uint16_t)(store->payload / 40);

    memset(tries, 0, 16);
    for (uint16_t i = 0; i < bench->sizes.objects && i < 16; i++) {
        uint8_t entry[40];
        uint32_t at = (uint32_t)(1 + i / per_page) * store->payload + (uint32_t)(i % per_page) * 40;
        if (cos_store_read(store, at, entry, sizeof entry) == COS_OK && entry[0] != 0) {
            tries[i] = entry[23];
        }
    }
}

static struct state read_state(const struct bench *bench, bool fresh)
{
    const struct cos_store *app = &bench->app.store, *secure = &bench->secure.store;
    struct state state = {
        .app = digest_store(app, cos_store_size(app)),
        .secure = digest_store(secure, fresh ? secure->payload : cos_store_size(secure)),
        .life_cycle = bench->secure.life_cycle,
    };

    read_tries(bench, state.tries);
    return state;
}

static bool same(const struct state *a, const struct state *b)
{
    return a->app == b->app && a->secure == b->secure && a->life_cycle == b->life_cycle;
}

/* ---- The rig ---- */

struct rig {
    struct bench bench;
    struct sim_snapshot app, secure;
    uint64_t seed;
    const struct power_action *action;
    /* States that the card goes through, from the start of the action to its end; state_at[n]:
     * where in the chain it stands when operation n (from 1) is interrupted with nothing done. */
    struct state chain[CHAIN_MAX];
    size_t chain_length;
    uint16_t state_at[CHAIN_MAX];
    uint32_t operations; /* of the action */
    unsigned long single, more;
};

static void begin(struct rig *rig)
{
    struct bench *bench = &rig->bench;

    sim_nvm_restore(&bench->app_nvm, &rig->app);
    sim_nvm_restore(&bench->secure_nvm, &rig->secure);
    bench_power_off(bench);
    bench->seed = rig->seed;
    if (rig->action->state != COS_LIFE_BLANK) {
        assert_true(bench_power_on(bench));
    }
    assert_true(prepare(rig->action, bench));
}

/* Starts again after a cut. Returns false if the card does not come up. */
static bool restart(struct rig *rig, struct state *state)
{
    bench_power_off(&rig->bench);
    bool up = bench_power_on(&rig->bench);
    *state = read_state(&rig->bench, rig->action->fresh);
    return up;
}

static void replay_line(const struct rig *rig, const char *why, uint32_t n,
                        enum sim_content content, uint32_t n2, enum sim_content content2)
{
    print_error("%s\n  replay: %s --replay %s:%u:%s:%u:%s\n", why, program_name, rig->action->name,
                n, sim_content_name(content), n2, sim_content_name(content2));
}

/* Where in the chain the state stands, from `from` on, one step at the most; -1 if nowhere. */
static int place(const struct rig *rig, const struct state *state, size_t from)
{
    for (size_t i = from; i <= from + 1 && i < rig->chain_length; i++) {
        if (same(state, &rig->chain[i])) {
            return (int)i;
        }
    }
    return -1;
}

/* The undisturbed run, and the same cut cleanly before each operation: the chain of states. */
static void learn(struct rig *rig)
{
    struct state state;

    begin(rig);
    uint64_t before = rig->bench.power.operations;
    assert_true(act(rig->action, &rig->bench));
    rig->operations = (uint32_t)(rig->bench.power.operations - before);
    assert_true(rig->operations > 0 && rig->operations < CHAIN_MAX - 2);
    rig->chain_length = 0;
    for (uint32_t n = 1; n <= rig->operations + 1; n++) {
        begin(rig);
        sim_power_cut(&rig->bench.power, n, SIM_NOTHING, 1);
        (void)act(rig->action, &rig->bench);
        assert_true(restart(rig, &state));
        if (rig->chain_length == 0 || !same(&state, &rig->chain[rig->chain_length - 1])) {
            rig->chain[rig->chain_length++] = state;
        }
        rig->state_at[n] = (uint16_t)(rig->chain_length - 1);
    }
    if (rig->action->states != 0) {
        assert_int_equal(rig->chain_length, rig->action->states);
    }
}

/* What must hold after a restart that followed the cut at operation n. */
static bool judge(struct rig *rig, const struct state *state, uint32_t n, bool reported,
                  const char **why)
{
    const struct state *first = &rig->chain[0];
    int at = place(rig, state, rig->state_at[n]);

    if (at < 0) {
        *why = "neither before nor after";
        return false;
    }
    if (reported && at != (int)rig->chain_length - 1) {
        *why = "what was reported done is gone";
        return false;
    }
    if (strstr(rig->action->name, "-wrong") != NULL) {
        for (size_t i = 0; i < 16; i++) {
            if (state->tries[i] > first->tries[i]) {
                *why = "a try counter rose";
                return false;
            }
        }
    }
    return true;
}

/* A card that was answered from stays as it is, whatever weak cells do. */
static bool stays(struct rig *rig, const struct state *state, const char **why)
{
    struct state again;

    for (unsigned i = 0; i < LATER_STARTS; i++) {
        if (!restart(rig, &again) || !same(&again, state)) {
            *why = "a later start says something else";
            return false;
        }
    }
    return true;
}

/* And it goes on: the action can be done again, or is done. */
static bool goes_on(struct rig *rig, const struct state *state, const char **why)
{
    const struct state *last = &rig->chain[rig->chain_length - 1];

    if (same(state, last) && rig->action->once) {
        return true;
    }
    if (state->life_cycle == COS_LIFE_TERMINATED) {
        return true; /* the app chip may still have its half of a pairing that is no more */
    }
    bool again = rig->action->state == COS_LIFE_BLANK ||
                 (prepare(rig->action, &rig->bench) && act(rig->action, &rig->bench));
    if (!again) {
        *why = "the action cannot be run again";
        return false;
    }
    return true;
}

static bool torn_once(struct rig *rig, uint32_t n, enum sim_content content, uint32_t n2,
                      enum sim_content content2)
{
    const char *why = NULL;
    struct state state;
    struct bench *bench = &rig->bench;

    begin(rig);
    sim_power_cut(&bench->power, n, content, n * 31U + (unsigned)content);
    bool reported = act(rig->action, bench);
    if (n2 != 0) {
        bench_power_off(bench);
        sim_power_cut(&bench->power, n2, content2, n2 * 17U + (unsigned)content2);
        (void)bench_power_on(bench);
        rig->more++;
    } else {
        rig->single++;
    }
    bool good = restart(rig, &state);
    if (!good) {
        why = "the card does not start";
    }
    good = good && judge(rig, &state, n, reported, &why) && stays(rig, &state, &why) &&
           goes_on(rig, &state, &why);
    if (!good) {
        replay_line(rig, why, n, content, n2, content2);
    }
    return good;
}

/* How many operations the recovery after this tear takes. */
static uint32_t recovery_operations(struct rig *rig, uint32_t n, enum sim_content content)
{
    struct state state;

    begin(rig);
    sim_power_cut(&rig->bench.power, n, content, n * 31U + (unsigned)content);
    (void)act(rig->action, &rig->bench);
    uint64_t before = rig->bench.power.operations;
    (void)restart(rig, &state);
    return (uint32_t)(rig->bench.power.operations - before);
}

static void prepare_rig(struct rig *rig, const struct power_action *action)
{
    struct bench *bench = &rig->bench;

    memset(rig, 0, sizeof *rig);
    rig->action = action;
    bench_init(bench, &bench_small);
    if (action->state == COS_LIFE_OPERATIONAL) {
        bench_free(bench);
        bench_make(bench, &bench_small);
    } else if (action->state != COS_LIFE_BLANK) {
        assert_true(bench_power_on(bench));
        assert_true(bench_produce_to(bench, action->state));
    }
    bench_power_off(bench);
    rig->seed = bench->seed;
    sim_nvm_save(&bench->app_nvm, &rig->app);
    sim_nvm_save(&bench->secure_nvm, &rig->secure);
    learn(rig);
}

static void free_rig(struct rig *rig)
{
    sim_snapshot_free(&rig->app);
    sim_snapshot_free(&rig->secure);
    bench_free(&rig->bench);
}

/* Every content at every operation, and at every operation of the recovery: all of that in the long
 * form; in the short one the recovery from one content an operation is torn. POWER_SHORT=n: a 7n-th
 * of the contents, and of those a sixteenth again. */
static void tear_action(void **state)
{
    static struct rig rig;
    const struct power_action *action = *state;
    const bool all = getenv("POWER_LONG") != NULL;
    const char *slow = getenv("POWER_SHORT");
    const unsigned n_th = slow != NULL ? (unsigned)strtoul(slow, NULL, 10) : 0;
    const unsigned step = n_th != 0 ? 7 * n_th : 1, again = n_th != 0 ? step * 16 : SIM_CONTENTS;
    unsigned failures = 0;

    prepare_rig(&rig, action);
    for (uint32_t n = 1; n <= rig.operations; n++) {
        for (unsigned content = 0; content < SIM_CONTENTS && failures < 3; content++) {
            const unsigned turn = n * (SIM_CONTENTS + 1) + content; /* another content each n */
            if (!all && turn % step != 0) {
                continue;
            }
            failures += !torn_once(&rig, n, (enum sim_content)content, 0, SIM_NOTHING);
            if (!all && turn % again != 0) {
                continue;
            }
            uint32_t operations = recovery_operations(&rig, n, (enum sim_content)content);
            for (uint32_t n2 = 1; n2 <= operations && failures < 3; n2++) {
                unsigned content2 = (n + n2 * 5 + content) % SIM_CONTENTS;
                failures +=
                    !torn_once(&rig, n, (enum sim_content)content, n2, (enum sim_content)content2);
            }
        }
    }
    printf("# %-28s %3u operations, %2zu states, %6lu single tears, %6lu double\n", action->name,
           rig.operations, rig.chain_length, rig.single, rig.more);
    free_rig(&rig);
    assert_int_equal(failures, 0);
}

/* --replay ACTION:N:CONTENT:N2:CONTENT2 */
static int replay(const struct power_action *actions, size_t count, const char *text)
{
    static struct rig rig;
    char name[40], content[32], content2[32];
    enum sim_content c, c2;
    unsigned n, n2;

    if (sscanf(text, "%39[^:]:%u:%31[^:]:%u:%31s", name, &n, content, &n2, content2) != 5 ||
        !sim_content_parse(content, &c) || !sim_content_parse(content2, &c2)) {
        fprintf(stderr, "usage: %s --replay ACTION:N:CONTENT:N2:CONTENT2\n", program_name);
        return 2;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(actions[i].name, name) == 0) {
            prepare_rig(&rig, &actions[i]);
            rig.bench.power.trace = true;
            bool good = torn_once(&rig, n, c, n2, c2);
            printf("%s\n", good ? "holds" : "violated");
            return good ? 0 : 1;
        }
    }
    fprintf(stderr, "no action %s\n", name);
    return 2;
}

int power_main(const char *program, const struct power_action *actions, size_t count, int argc,
               char **argv)
{
    struct CMUnitTest tests[ACTIONS_MAX];

    program_name = program;
    if (argc == 3 && strcmp(argv[1], "--replay") == 0) {
        return replay(actions, count, argv[2]);
    }
    if (argc == 3 && strcmp(argv[1], "--only") == 0) {
        cmocka_set_test_filter(argv[2]);
    }
    if (count > ACTIONS_MAX) {
        return 2;
    }
    for (size_t i = 0; i < count; i++) {
        tests[i] = (struct CMUnitTest){.name = actions[i].name,
                                       .test_func = tear_action,
                                       .initial_state = (void *)(uintptr_t)&actions[i]};
    }
    /* As many as there are: the macro of cmocka takes arrays only. */
    return _cmocka_run_group_tests(program, tests, count, NULL, NULL);
}
