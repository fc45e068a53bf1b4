/* SPDX-License-Identifier: Apache-2.0
 *
 * Opens and closes what a sub-command needs.
 */
#include "world.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* So that a wrong folder is one clear line, and not a card that starts and ends. */
static enum outcome check_folder(const char *folder, struct problem *problem)
{
    static const char *const names[] = {"secure.nvm", "app.nvm"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[4200];
        int n = snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        if (n < 0 || (size_t)n >= sizeof path || access(path, R_OK | W_OK) != 0) {
            return trouble(problem, "%s holds no card (twinctl make %s makes one)", folder, folder);
        }
    }
    return DONE;
}

enum outcome world_open_card(struct world *world)
{
    const struct options *options = &world->options;
    struct problem *problem = &world->problem;
    struct transport *transport = &world->transport;
    *transport = (struct transport){.socket = -1};
    enum outcome outcome = DONE;
    if (options->socket != NULL) {
        outcome = transport_socket(transport, options->socket, problem);
    } else if (options->reader != NULL) {
        outcome = transport_reader(transport, options->reader, problem);
    } else if (options->card != NULL) {
        outcome = check_folder(options->card, problem);
        if (outcome == DONE) {
            outcome = transport_card(transport, options->card, problem);
        }
    } else {
        outcome = trouble(problem, "which card? --card DIR, --socket PATH or --reader NAME");
    }
    world->card_open = outcome == DONE;
    world->card = (struct card){.transport = transport};
    return outcome;
}

void world_close_card(struct world *world)
{
    if (world->card_open) {
        scp03_close(&world->card.scp03);
        world->transport.close(&world->transport);
        crypto_wipe(&world->transport, sizeof world->transport);
        world->card_open = false;
    }
}

enum outcome world_keys_path(struct world *world, char *path, size_t size)
{
    int n = 0;
    if (world->options.keys != NULL) {
        n = snprintf(path, size, "%s", world->options.keys);
    } else if (world->options.card != NULL) {
        n = snprintf(path, size, "%s/keys", world->options.card);
    } else {
        return trouble(&world->problem, "which key file? --keys FILE");
    }
    return n > 0 && (size_t)n < size ? DONE : trouble(&world->problem, "key file: path too long");
}

enum outcome world_open_keys(struct world *world)
{
    char path[4096];
    enum outcome outcome = world_keys_path(world, path, sizeof path);
    return outcome == DONE ? keyfile_open(&world->keys, path, &world->problem) : outcome;
}

void world_close(struct world *world)
{
    world_close_card(world);
    keyfile_close(&world->keys);
}
