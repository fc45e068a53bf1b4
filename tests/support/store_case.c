/* SPDX-License-Identifier: Apache-2.0 */
#include "store_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const scenarios[CASE_SCENARIOS] = {
    [CASE_FULL] = "1s2-sb+3sr1r-r+sxszcx1smr3r2swc1spq1sps3qr1s3m-r",
    [CASE_SMALL] = "1smr",
    [CASE_MARK] = "1s",
    [CASE_START] = "1r",
    [CASE_PAIR] = "1m",
};

/* Seed 0 starts on a chip that was never written. */
static void prelude(struct rig *rig, unsigned seed)
{
    unsigned commits = seed == 0 ? 0 : 24 + seed % 17;
    for (unsigned i = 0; i < commits; i++) {
        rig_step(rig, rig_any_commit(rig));
        unsigned coin = sim_below(&rig->random, 4);
        if (coin < 2) {
            rig_steps(rig, coin == 0 ? "s" : "sr");
        }
    }
}

void case_open(struct case_player *player, const struct torn_case *c,
               void (*fail)(const struct rig *rig, const char *message),
               void (*violated)(const char *message))
{
    struct rig *rig = &player->rig;
    const char *letters = scenarios[c->scenario];

    rig_open(rig, c->geometry, c->seed, fail);
    rig->power.violated = violated;
    prelude(rig, c->seed);
    player->steps = (unsigned)strlen(letters);
    for (unsigned step = 0; step < player->steps; step++) {
        rig_save(rig, &player->before[step]);
        uint64_t operations = rig->power.operations;
        rig_step(rig, letters[step]);
        player->operations[step] = (unsigned)(rig->power.operations - operations);
    }
}

void case_close(struct case_player *player)
{
    rig_close(&player->rig);
    for (unsigned step = 0; step < player->steps; step++) {
        sim_snapshot_free(&player->before[step].sim);
    }
    sim_snapshot_free(&player->torn.sim);
}

static void arm(struct rig *rig, const struct case_cut *cut)
{
    sim_power_cut(&rig->power, cut->n, cut->content, cut->seed);
}

/* What follows a cut depends on it, but not on the cuts behind it. */
static void stir(struct rig *rig, const struct case_cut *cut)
{
    rig->random += cut->n * 64U + cut->content;
    sim_random(&rig->random);
}

/* What was answered must stay: more starts, with and without work in between, then the command
 * stream goes on. */
static void aftermath(struct rig *rig, bool thorough)
{
    sim_power_off(&rig->power);
    sim_power_up(&rig->power);
    rig_step(rig, 'R');
    unsigned kind = sim_below(&rig->random, 4); /* 0, 1: nothing but starts */
    for (unsigned i = 0; i < (thorough ? 4 : 2); i++) {
        if (kind == 2 || (kind == 3 && i % 2 == 1)) {
            rig_step(rig, rig_any_commit(rig));
        }
        if (kind >= 2 && sim_below(&rig->random, 2) == 0) {
            rig_step(rig, 's');
        }
        rig_step(rig, 'r');
    }
    for (unsigned i = 0; i < (thorough ? 3 : 1); i++) {
        rig_step(rig, rig_any_commit(rig));
    }
    rig_steps(rig, "sr");
}

/* One session with a cut: recovery, a commit, its mark. */
static bool session(struct rig *rig, const struct case_cut *cut, bool powered)
{
    if (!powered) {
        sim_power_up(&rig->power);
    }
    arm(rig, cut);
    powered =
        (powered || rig_step(rig, 'R')) && rig_step(rig, rig_any_commit(rig)) && rig_step(rig, 's');
    stir(rig, cut);
    return powered;
}

void case_begin(struct case_player *player, const struct torn_case *c, unsigned cuts)
{
    struct rig *rig = &player->rig;
    char letter = scenarios[c->scenario][c->step];
    bool trace = rig->power.trace;

    rig_restore(rig, &player->before[c->step]);
    rig->power.trace = trace;
    if (letter == 'r') {
        sim_power_off(&rig->power);
        sim_power_up(&rig->power);
        letter = 'R';
    }
    arm(rig, &c->cuts[0]);
    player->powered = rig_step(rig, letter);
    stir(rig, &c->cuts[0]);
    for (unsigned i = 1; i < cuts; i++) {
        player->powered = session(rig, &c->cuts[i], player->powered);
    }
    player->begun = cuts;
    rig_save(rig, &player->torn);
}

unsigned case_end(struct case_player *player, const struct torn_case *c)
{
    struct rig *rig = &player->rig;
    bool powered = player->powered;
    uint64_t operations = 0;

    rig_restore(rig, &player->torn);
    for (unsigned i = player->begun; i < c->depth; i++) {
        operations = rig->power.operations;
        powered = session(rig, &c->cuts[i], powered);
    }
    operations = rig->power.operations - operations;
    sim_power_cut(&rig->power, 0, SIM_NOTHING, 0);
    aftermath(rig, c->depth == 1);
    return (unsigned)operations;
}

unsigned case_recovery(struct case_player *player)
{
    struct rig *rig = &player->rig;

    rig_restore(rig, &player->torn);
    uint64_t operations = rig->power.operations;
    sim_power_up(&rig->power);
    rig_step(rig, 'R');
    return (unsigned)(rig->power.operations - operations);
}

unsigned case_run(struct case_player *player, const struct torn_case *c)
{
    case_begin(player, c, 1);
    return case_end(player, c);
}

/* ---- Written and read ---- */

void case_print(const struct torn_case *c)
{
    printf("%u:%u:%u:%u", c->geometry, c->seed, (unsigned)c->scenario, c->step);
    for (unsigned i = 0; i < c->depth; i++) {
        printf(":%u,%s,%u", c->cuts[i].n, sim_content_name(c->cuts[i].content), c->cuts[i].seed);
    }
}

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
static const char *parse_cut(const char *text, struct case_cut *cut)
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

bool case_parse(const char *text, struct torn_case *c)
{
    unsigned scenario = 0;
    unsigned *const fields[] = {&c->geometry, &c->seed, &scenario, &c->step};

    *c = (struct torn_case){0};
    for (unsigned i = 0; i < 4 && text != NULL; i++) {
        text = number(text, fields[i]);
    }
    while (text != NULL && *text != '\0' && c->depth < CASE_DEPTH_MAX) {
        text = parse_cut(text, &c->cuts[c->depth++]);
    }
    c->scenario = (enum case_scenario)scenario;
    return text != NULL && *text == '\0' && c->geometry < RIG_GEOMETRIES &&
           scenario < CASE_SCENARIOS && c->step < strlen(scenarios[scenario]);
}
