/* SPDX-License-Identifier: Apache-2.0
 *
 * The six steps in which a card is made, one by one or all of them.
 */
#include "commands.h"

#include "cos/gate.h"

#include <string.h>

const struct step production_steps[STEPS] = {
    {1, "fabricate", "chip manufacturing", "semiconductor manufacturer", COS_LIFE_BLANK,
     COS_LIFE_FABRICATED, false, step_fabricate},
    {2, "embed", "embedding", "semiconductor manufacturer", COS_LIFE_FABRICATED,
     COS_LIFE_FABRICATED, false, step_embed},
    {3, "pack", "model packing", "module manufacturer", COS_LIFE_FABRICATED, COS_LIFE_PACKAGED,
     true, step_pack},
    {4, "produce", "card production", "card manufacturer", COS_LIFE_PACKAGED, COS_LIFE_PRODUCED,
     true, step_produce},
    {5, "initialize", "initialization", "card manufacturer", COS_LIFE_PRODUCED,
     COS_LIFE_INITIALIZED, true, step_initialize},
    {6, "personalize", "personalization", "issuer", COS_LIFE_INITIALIZED, COS_LIFE_OPERATIONAL,
     true, step_personalize},
};

static enum outcome out_of_order(struct world *world, const struct step *step, const char *state)
{
    return refused(&world->problem, "step %u (%s) is out of order: the card is %s", step->number,
                   step->name, state);
}

enum outcome production_past(struct world *world, const struct step *step, const char *state)
{
    return world->resume ? DONE : out_of_order(world, step, state);
}

enum outcome production_gate(struct world *world, const struct step *step, bool *already)
{
    struct card_identity identity;
    TRY(card_identify(&world->card, &identity, &world->problem));
    const char *state = card_life_cycle_text(identity.life_cycle);
    *already = identity.life_cycle >= step->after;
    if (identity.life_cycle < step->before) {
        return out_of_order(world, step, state);
    }
    return identity.life_cycle > step->after ? production_past(world, step, state) : DONE;
}

enum outcome production_finish(struct world *world, unsigned number,
                               const struct profile_step *step)
{
    struct bytes data = {0};
    bytes_add16(&data, step->who);
    bytes_add16(&data, step->date);
    bytes_add(&data, step->equipment, sizeof step->equipment);
    struct command finish = {.cla = 0x80,
                             .ins = 0xF1,
                             .p1 = (uint8_t)number,
                             .p2 = 0x01,
                             .data = data.data,
                             .nc = data.length};
    return card_do(&world->card, number == 5 ? "end of initialization" : "end of personalization",
                   &finish, &world->problem);
}

/* What the card itself says it is, after a step over its contacts. */
static enum outcome state_after(struct world *world, const struct step *step, const char **state)
{
    struct card_identity identity;
    world->card.secure = false; /* a command in the clear ends secure messaging */
    TRY(card_identify(&world->card, &identity, &world->problem));
    *state = card_life_cycle_text(identity.life_cycle);
    if (identity.life_cycle < step->after) {
        return refused(&world->problem, "step %u was answered 9000, but the card is %s",
                       step->number, *state);
    }
    return DONE;
}

static enum outcome run_step(struct world *world, const struct step *step)
{
    bool already = false;
    const char *state = card_life_cycle_text(step->after);
    enum outcome outcome = DONE;
    report_line(&world->report, "step %u: %s, by the %s", step->number, step->name, step->who);
    if (step->over_contacts) {
        outcome = world_open_card(world);
    }
    if (outcome == DONE) {
        outcome = step->run(world, step, &already);
    }
    if (outcome == DONE && step->over_contacts) {
        outcome = state_after(world, step, &state);
    }
    world_close_card(world);
    if (outcome == DONE && already && !step->over_contacts) {
        state = "FABRICATED or further"; /* nobody asked it */
    }
    if (outcome == DONE) {
        report_step(&world->report,
                    &(struct report_step){step->number, step->name, step->who, state, already});
    }
    return outcome;
}

enum outcome command_step(struct world *world, const char *name)
{
    for (size_t i = 0; i < STEPS; i++) {
        const struct step *step = &production_steps[i];
        if (strcmp(step->command, name) == 0) {
            TRY(i > 0 ? world_open_keys(world) : DONE); /* step 1 makes them */
            return run_step(world, step);
        }
    }
    return trouble(&world->problem, "%s is no production step", name);
}

enum outcome command_make(struct world *world, const char *name)
{
    (void)name;
    world->resume = true;
    for (size_t i = 0; i < STEPS; i++) {
        TRY(run_step(world, &production_steps[i]));
    }
    return DONE;
}
