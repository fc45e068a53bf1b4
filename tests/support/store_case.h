/* SPDX-License-Identifier: Apache-2.0
 *
 * One case of torn power on the store's rig: a scenario of steps, the step in which power goes, and
 * one cut for each start that is torn. A case is written and read as one word, so that a failure
 * can be replayed.
 */
#ifndef STORE_CASE_H
#define STORE_CASE_H

#include "store_rig.h"

#define CASE_DEPTH_MAX 5

/* Scenarios, in the rig's letters. */
enum case_scenario {
    CASE_FULL,  /* everything, after a random prelude or on a chip that was never written */
    CASE_SMALL, /* a page, its mark, a copy over a border, a start that must refresh */
    CASE_MARK,  /* a page and its mark */
    CASE_START, /* a page, and a start that must refresh */
    CASE_PAIR,  /* a page, and a copy over a border: two pages */
    CASE_SCENARIOS
};
#define CASE_STEPS_MAX 48

struct case_cut {
    unsigned n; /* operation of the step, or of the session for the second cut and later ones */
    enum sim_content content;
    unsigned seed;
};

struct torn_case {
    unsigned geometry, seed;
    enum case_scenario scenario;
    unsigned step, depth;
    struct case_cut cuts[CASE_DEPTH_MAX];
};

/* A scenario that was played with power on, with a snapshot before each step. */
struct case_player {
    struct rig rig;
    unsigned steps;
    unsigned operations[CASE_STEPS_MAX];
    struct rig_snapshot before[CASE_STEPS_MAX];
    struct rig_snapshot torn; /* behind the first cuts */
    unsigned begun;           /* how many */
    bool powered;             /* the last of them lay behind the end of what was torn */
};

/* Plays the scenario. `fail` and `violated` are called when something is wrong. */
void case_open(struct case_player *player, const struct torn_case *c,
               void (*fail)(const struct rig *rig, const char *message),
               void (*violated)(const char *message));
void case_close(struct case_player *player);

/* Runs the whole case. Returns how many operations its last session had, up to its cut. */
unsigned case_run(struct case_player *player, const struct torn_case *c);

/* The same in two parts: up to the cut number `cuts`, and what follows, as often as wanted. */
void case_begin(struct case_player *player, const struct torn_case *c, unsigned cuts);
unsigned case_end(struct case_player *player, const struct torn_case *c);
/* Operations of the recovery that would follow now. */
unsigned case_recovery(struct case_player *player);

/* GEOMETRY:SEED:SCENARIO:STEP, and :N,CONTENT,SEED for each cut. */
void case_print(const struct torn_case *c);
bool case_parse(const char *text, struct torn_case *c);

#endif
