/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps 3 and 4, under the transport key of whoever came before (docs/formats.md, "Production
 * steps").
 */
#include "commands.h"

#include <stdio.h>
#include <string.h>

/* Enciphers the body for the card's challenge, with the transport key `key`. */
static bool seal(const uint8_t *key, uint8_t step, const uint8_t *challenge,
                 const struct bytes *body, struct bytes *token)
{
    uint8_t context[1 + AES_BLOCK], step_key[AES_BLOCK];
    context[0] = step;
    memcpy(context + 1, challenge, AES_BLOCK);
    token->length = body->length + CCM_TAG;
    bool ok = !body->failed && token->length <= 255 &&
              crypto_kdf(key, "TwinCOS production step", context, sizeof context, step_key) &&
              crypto_ccm_seal(step_key, &step, 1, body->data, body->length, token->data);
    crypto_wipe(step_key, sizeof step_key);
    return ok;
}

/* Asks for the challenge and completes the step with it. */
static enum outcome complete(struct world *world, const struct step *step, const uint8_t *key,
                             const struct bytes *body)
{
    struct command command = {
        .cla = 0x80, .ins = 0xF1, .p1 = (uint8_t)step->number, .p2 = 0x00, .ne = AES_BLOCK};
    TRY(card_do(&world->card, "challenge of the production step", &command, &world->problem));
    if (world->card.response.length != AES_BLOCK) {
        return refused(&world->problem, "the card's challenge has %zu bytes, not 16",
                       world->card.response.length);
    }
    struct bytes token = {0};
    if (!seal(key, (uint8_t)step->number, world->card.response.data, body, &token)) {
        return trouble(&world->problem, "the token cannot be made");
    }
    command.p2 = 0x01;
    command.data = token.data;
    command.nc = token.length;
    command.ne = 256;
    return card_do(&world->card, step->name, &command, &world->problem);
}

/* ---- Step 3: what it found out about contacts and link ---- */

enum { FRAMES = 16, SW_EXECUTION = 0x6400 };

/* The contacts that answer[0] has, or has not. */
static const char *contacts_text(uint8_t contacts, char text[64])
{
    static const char *const names[] = {"VCC", "RST", "CLK", "C4", "GND", "SPU", "IO", "C8"};

    text[0] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (((unsigned)contacts >> i & 1U) != 0) {
            size_t at = strlen(text);
            snprintf(text + at, 64 - at, "%s%s", at > 0 ? " " : "", names[i]);
        }
    }
    return text;
}

static enum outcome results(struct world *world, uint8_t contacts_frames[2])
{
    struct part answer = world->card.response;
    if (answer.length != 2) {
        return refused(&world->problem, "model packing: the answer has %zu bytes, not 2",
                       answer.length);
    }
    memcpy(contacts_frames, answer.data, 2);
    return DONE;
}

static enum outcome report_module(struct world *world)
{
    uint8_t found[2] = {0};
    char names[64];
    TRY(results(world, found));
    report_item(&world->report, "contacts", "working contacts", "%s",
                contacts_text(found[0], names));
    report_number(&world->report, "frames", "frames over the link", found[1]);
    return DONE;
}

/* The module was refused: says what is wrong with it. */
static enum outcome explain_module(struct world *world)
{
    struct command test = {.cla = 0x80, .ins = 0xF1, .p1 = 0x03, .p2 = 0x02, .ne = 2};
    uint8_t found[2] = {0};
    char names[64];
    TRY(card_do(&world->card, "test of the module", &test, &world->problem));
    TRY(results(world, found));
    const uint8_t bad = (uint8_t)~found[0];
    const unsigned frames = found[1];
    const char *text = bad != 0 ? contacts_text(bad, names) : "none";
    return refused(&world->problem,
                   "bad module: contacts that do not work: %s; link: %u of %u frames", text, frames,
                   (unsigned)FRAMES);
}

enum outcome step_pack(struct world *world, const struct step *step, bool *already)
{
    struct problem *problem = &world->problem;
    TRY(production_gate(world, step, already));
    if (*already) {
        return DONE;
    }
    TRY(keyfile_ensure(&world->keys, "TRANSPORT_2", AES_BLOCK, problem));
    const uint8_t *now = keyfile_get(&world->keys, "TRANSPORT_1", AES_BLOCK, problem);
    const uint8_t *next = keyfile_get(&world->keys, "TRANSPORT_2", AES_BLOCK, problem);
    const uint8_t *app = keyfile_get(&world->keys, "TRANSPORT_APP", AES_BLOCK, problem);
    if (now == NULL || next == NULL || app == NULL) {
        return TROUBLE;
    }
    struct bytes body = {0};
    bytes_add(&body, next, AES_BLOCK);
    bytes_add(&body, app, AES_BLOCK);
    bytes_add16(&body, world->profile->module_fabricator);
    bytes_add16(&body, world->profile->module_date);
    enum outcome outcome = complete(world, step, now, &body);
    bytes_wipe(&body);
    if (outcome == REFUSED && world->problem.sw == SW_EXECUTION) {
        return explain_module(world);
    }
    return outcome == DONE ? report_module(world) : outcome;
}

enum outcome step_produce(struct world *world, const struct step *step, bool *already)
{
    const struct profile *profile = world->profile;
    struct problem *problem = &world->problem;
    TRY(production_gate(world, step, already));
    if (*already) {
        return DONE;
    }
    TRY(keyfile_ensure(&world->keys, "INIT_ENC", AES_BLOCK, problem));
    TRY(keyfile_ensure(&world->keys, "INIT_MAC", AES_BLOCK, problem));
    TRY(keyfile_ensure(&world->keys, "INIT_DEK", AES_BLOCK, problem));
    const uint8_t *now = keyfile_get(&world->keys, "TRANSPORT_2", AES_BLOCK, problem);
    struct scp03_keys set;
    TRY(now == NULL ? TROUBLE : card_keys(&world->keys, "INIT", &set, problem));
    struct bytes body = {0};
    bytes_add(&body, set.enc, AES_BLOCK);
    bytes_add(&body, set.mac, AES_BLOCK);
    bytes_add(&body, set.dek, AES_BLOCK);
    bytes_add16(&body, profile->card_manufacturer);
    bytes_add16(&body, profile->embedding_date);
    bytes_add(&body, profile->card_body, 8);
    bytes_add(&body, profile->card_batch, 4);
    bytes_add(&body, profile->printing, 16);
    enum outcome outcome = complete(world, step, now, &body);
    bytes_wipe(&body);
    crypto_wipe(&set, sizeof set);
    return outcome;
}
