/* SPDX-License-Identifier: Apache-2.0
 *
 * Torn power on a whole card: one thing that a card does, cut at every NVM operation of either
 * chip, again and again. tests/power/README.md says what must hold afterwards.
 */
#ifndef POWER_RIG_H
#define POWER_RIG_H

#include "bench.h"

#define POWER_SETUP_MAX 24

/* One thing a card does, from a start on: either the functions, or commands as text. What happens
 * before it is not torn. */
struct power_action {
    const char *name;
    enum cos_life_cycle state; /* of the card that it begins with */
    /* Brings the volatile state; its NVM writes are not torn here. */
    bool (*prepare)(struct bench *bench);
    /* True: the card reported success (or the refusal that is meant). */
    bool (*act)(struct bench *bench);
    bool once;  /* cannot be done again once it is done */
    bool fresh; /* draws random secrets, others in each run: only what is not secret is compared */
    /* How many states the card goes through, the first one and the last included; 0: any number.
     * A command that is all or nothing has 2. */
    unsigned states;
    /* Commands in hexadecimal behind prepare(), through the session that it opened if `secured`;
     * each answers 9000, or 6A89 when it has been done, or with ? before it anything. Then the one
     * that is torn, in place of act(). */
    bool secured;
    const char *setup[POWER_SETUP_MAX];
    const char *command;
    uint16_t sw; /* that it answers; 0: 9000; 63C0: any 63CX */
};

/* main() of a test program over these actions; --replay ACTION:N:CONTENT:N2:CONTENT2 runs one case
 * and shows every NVM operation. POWER_LONG, POWER_SHORT: as tests/power/README.md says. */
int power_main(const char *program, const struct power_action *actions, size_t count, int argc,
               char **argv);

#endif
