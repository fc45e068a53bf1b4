/* SPDX-License-Identifier: Apache-2.0
 *
 * Between sim_nvm.c and sim_tear.c.
 */
#ifndef SIM_TEAR_H
#define SIM_TEAR_H

#include "sim_nvm.h"

#define SIM_UNIT_MAX 512 /* bytes of a tear unit */

/* State of a program unit. SIM_UNKNOWN: torn, and not erased since. */
enum { SIM_UNKNOWN, SIM_ERASED, SIM_PROGRAMMED };

/* The unit an interrupted operation works on, and the operation's own bytes in it. */
struct sim_torn {
    uint32_t at, length;
    uint32_t own_at, own_length;
};

uint64_t sim_mix(uint64_t x);

/* What a program that was not torn makes of these cells (sim->cells, or a copy of them). */
void sim_set(const struct sim_nvm *sim, uint8_t *cells, uint32_t address, const uint8_t *data,
             size_t length);

/* Leaves the power's content in the unit. data == NULL: an erase. */
void sim_tear(struct sim_nvm *sim, const struct sim_torn *torn, const uint8_t *data);

/* The tear units in this range no longer change by themselves. */
void sim_settle_units(struct sim_nvm *sim, uint32_t at, uint32_t length);

/* A program on ground that was torn: what it leaves in its tear unit is unstable from now on. */
void sim_unsettle(struct sim_nvm *sim, uint32_t address, const uint8_t *data, size_t length);

/* A start: writes into `cells` what this unstable tear unit reads as from now on. */
void sim_toss(struct sim_nvm *sim, uint32_t unit);

#endif
