/* SPDX-License-Identifier: Apache-2.0
 *
 * The sub-commands, and the six production steps among them.
 */
#ifndef TWINCTL_COMMANDS_H
#define TWINCTL_COMMANDS_H

#include "world.h"

/* A production step. `run` does it, or finds it done (*already); REFUSED if the card is before or
 * past it. It may be repeated after a power cut at any point. */
struct step {
    unsigned number;
    const char *command, *name, *who;
    uint8_t before, after; /* life cycle, enum cos_life_cycle */
    bool over_contacts;    /* needs a card that is switched on; else the factory writes its NVM */
    enum outcome (*run)(struct world *world, const struct step *step, bool *already);
};
#define STEPS 6U
extern const struct step production_steps[STEPS];

/* factory.c */
enum outcome step_fabricate(struct world *world, const struct step *step, bool *already);
enum outcome step_embed(struct world *world, const struct step *step, bool *already);
/* packing.c */
enum outcome step_pack(struct world *world, const struct step *step, bool *already);
enum outcome step_produce(struct world *world, const struct step *step, bool *already);
/* initialize.c, personalize.c */
enum outcome step_initialize(struct world *world, const struct step *step, bool *already);
enum outcome step_personalize(struct world *world, const struct step *step, bool *already);

/* production.c: is it the step's turn, or is it done *already? Else REFUSED. */
enum outcome production_gate(struct world *world, const struct step *step, bool *already);
/* REFUSED if a card past the step is no answer to its being asked for again. */
enum outcome production_past(struct world *world, const struct step *step, const char *state);
/* Ends step 5 or 6: who did it, when, with what. */
enum outcome production_finish(struct world *world, unsigned number,
                               const struct profile_step *step);

/* holder.c: writes the holder data, under SCP03. */
enum outcome holder_write(struct world *world, const char *name);

/* The sub-commands. Card and key file are open if main.c's table says so. */
enum outcome command_step(struct world *world, const char *name);
enum outcome command_make(struct world *world, const char *name);
enum outcome command_local(struct world *world, const char *name);
enum outcome command_remote(struct world *world, const char *name);
enum outcome command_holder(struct world *world, const char *name);
enum outcome command_set_status(struct world *world, const char *name);
enum outcome command_info(struct world *world, const char *name);
enum outcome command_apdu(struct world *world, const char *name);
enum outcome command_wear(struct world *world, const char *name);

#endif
