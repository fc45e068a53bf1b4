/* SPDX-License-Identifier: Apache-2.0
 *
 * The cardholder's data: read with the PIN, written by the issuer.
 */
#include "commands.h"

#include <string.h>

enum outcome holder_write(struct world *world, const char *name)
{
    struct bytes data = {0};
    profile_holder_data(world->profile, name, &data);
    if (data.failed) {
        return trouble(&world->problem, "the holder's name is too long");
    }
    struct command update = {.cla = 0x00,
                             .ins = 0xD6,
                             .p1 = 0x80 | world->profile->holder_sfi,
                             .data = data.data,
                             .nc = data.length};
    TRY(card_select_application(&world->card, &world->problem));
    return card_do(&world->card, "UPDATE BINARY of the holder data", &update, &world->problem);
}

/* A file that was torn would not be well-formed, or have bytes behind its end. */
static enum outcome holder_read(struct world *world)
{
    struct command read = {.cla = 0x00,
                           .ins = 0xB0,
                           .p1 = 0x80 | world->profile->holder_sfi,
                           .ne = world->profile->holder_size};
    struct problem *problem = &world->problem;
    TRY(card_do(&world->card, "READ BINARY of the holder data", &read, problem));
    struct part file = world->card.response, holder, name;
    if (file.length != world->profile->holder_size ||
        !tlv_find(file.data, file.length, 0x65, &holder) ||
        !tlv_find(holder.data, holder.length, 0x5F20, &name)) {
        return refused(problem, "the holder data are malformed");
    }
    char text[128] = "";
    memcpy(text, name.data, name.length < sizeof text - 1 ? name.length : sizeof text - 1);
    struct bytes expected = {0};
    profile_holder_data(world->profile, text, &expected);
    bool whole = !expected.failed && expected.length == file.length &&
                 memcmp(expected.data, file.data, file.length) == 0;
    report_item(&world->report, "holder", "cardholder", "%s", text);
    report_item(&world->report, "whole", "holder data", "%s", whole ? "whole" : "of another kind");
    return DONE;
}

enum outcome command_holder(struct world *world, const char *name)
{
    (void)name;
    if (world->options.name != NULL) {
        TRY(world_open_keys(world));
        TRY(card_open_scp03(&world->card, &world->keys, "CARD", KVN_CARD, &world->problem));
        TRY(holder_write(world, world->options.name));
        report_item(&world->report, "holder", "cardholder is now", "%s", world->options.name);
        return DONE;
    }
    TRY(card_select_application(&world->card, &world->problem));
    if (world->options.pin != NULL) {
        TRY(card_verify(&world->card, world->profile->pin_format, world->options.pin,
                        &world->problem));
    }
    return holder_read(world);
}
