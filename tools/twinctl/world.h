/* SPDX-License-Identifier: Apache-2.0
 *
 * One run of the program: its options, and what a sub-command has at hand.
 */
#ifndef TWINCTL_WORLD_H
#define TWINCTL_WORLD_H

#include "card.h"
#include "profile.h"
#include "report.h"

struct options {
    const char *card, *socket, *reader, *keys;
    const char *system, *pin, *code, *replay, *name, *level;
    bool json, alter, remote_3des, issuer;
    char **arguments; /* behind the sub-command */
    int argument_count;
};

struct world {
    struct options options;
    const struct profile *profile;
    struct report report;
    struct problem problem;
    struct keyfile keys;
    struct card card;
    struct transport transport;
    bool card_open;
    bool resume; /* `make`: a card that is past a step is as good as one behind it */
};

/* Opens the card by --card, --socket or --reader. */
enum outcome world_open_card(struct world *world);
void world_close_card(struct world *world);

/* The key file's path: --keys, or `keys` in the folder of --card. TROUBLE if there is neither. */
enum outcome world_keys_path(struct world *world, char *path, size_t size);
enum outcome world_open_keys(struct world *world);

/* Closes whatever is open. */
void world_close(struct world *world);

#endif
