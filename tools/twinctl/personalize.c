/* SPDX-License-Identifier: Apache-2.0
 *
 * Step 6: the access application with its files, PINs and keys, the holder's data, and the seal;
 * under the issuer's card keys.
 */
#include "commands.h"

#include "cos/fs.h"
#include "cos/gate.h"
#include "objects.h"

#include <stdio.h>
#include <string.h>

#define CONDITION_ALWAYS 0x00U
#define CONDITION_PIN    0x90U /* user authentication with PIN 1, all of */
#define PIN_NUMBER       1U
#define CODE_NUMBER      2U
#define ACCESS_NUMBER    1U
#define REMOTE_NUMBER    2U
#define PIN_DIGITS       6U
#define CODE_DIGITS      8U

static const struct part application = {(const uint8_t *)APPLICATION_NAME,
                                        sizeof APPLICATION_NAME - 1};

/* A PIN of the file as digits: the one that was asked for, else the one that is there, else a
 * random one. Modulo 10 of a byte below 250, so that every digit is as likely as another. */
static enum outcome ensure_digits(struct world *world, const char *name, const char *wanted,
                                  size_t length)
{
    uint8_t digits[KEYFILE_SECRET];
    struct problem *problem = &world->problem;
    const struct profile *profile = world->profile;
    if (wanted != NULL) {
        size_t n = strlen(wanted);
        if (n < profile->pin_shortest || n > profile->pin_longest ||
            strspn(wanted, "0123456789") != n) {
            return trouble(problem, "%s: %u to %u digits are needed", name, profile->pin_shortest,
                           profile->pin_longest);
        }
        return keyfile_set(&world->keys, name, (const uint8_t *)wanted, n, problem);
    }
    if (keyfile_find(&world->keys, name) != NULL) {
        return DONE;
    }
    for (size_t i = 0; i < length;) {
        uint8_t random = 0;
        if (!crypto_random(&random, 1)) {
            return trouble(problem, "no random bytes for %s", name);
        }
        if (random < 250) {
            digits[i++] = (uint8_t)('0' + random % 10);
        }
    }
    enum outcome outcome = keyfile_set(&world->keys, name, digits, length, problem);
    crypto_wipe(digits, sizeof digits);
    return outcome;
}

static enum outcome ensure_secrets(struct world *world)
{
    struct problem *problem = &world->problem;
    size_t remote = world->options.remote_3des ? TDES_KEY : AES_BLOCK;
    TRY(ensure_digits(world, "PIN", world->options.pin, PIN_DIGITS));
    TRY(ensure_digits(world, "RESETTING_CODE", world->options.code, CODE_DIGITS));
    TRY(keyfile_ensure(&world->keys, "ACCESS", AES_BLOCK, problem));
    return keyfile_ensure(&world->keys, "REMOTE", remote, problem);
}

static struct part secret(const struct world *world, const char *name)
{
    const struct keyfile_entry *entry = keyfile_find(&world->keys, name);
    return (struct part){entry->value, entry->length};
}

static enum outcome create_files(struct world *world)
{
    const struct profile *profile = world->profile;
    struct card *card = &world->card;
    struct problem *problem = &world->problem;
    struct bytes df = {0}, holder = {0}, record = {0};
    fcp_df(&df, &(struct df_parameters){.fid = profile->application,
                                        .name = application,
                                        .create_df = CONDITION_ISSUER,
                                        .create_ef = CONDITION_ISSUER});
    fcp_ef(&holder, &(struct ef_parameters){.fid = profile->holder_data,
                                            .sfi = profile->holder_sfi,
                                            .size = profile->holder_size,
                                            .update = CONDITION_ISSUER,
                                            .read = CONDITION_PIN});
    fcp_ef(&record, &(struct ef_parameters){.fid = profile->production_record,
                                            .size = profile->record_size,
                                            .source = COS_FS_SOURCE_PRODUCTION,
                                            .update = CONDITION_NEVER,
                                            .read = profile->record_condition});
    TRY(card_select_file(card, profile->mf, problem));
    TRY(card_create(card, "CREATE FILE of the production record", &record, problem));
    /* A DF or EF that was created, or selected, is the current one. */
    TRY(card_select_file(card, profile->mf, problem));
    TRY(card_create(card, "CREATE FILE of the access application", &df, problem));
    TRY(card_select_application(card, problem));
    return card_create(card, "CREATE FILE of the holder data", &holder, problem);
}

static enum outcome store_objects(struct world *world)
{
    const struct profile *profile = world->profile;
    struct part remote = secret(world, "REMOTE");
    struct bytes data = {0};
    dgi_pin(&data, &(struct pin_object){.number = CODE_NUMBER,
                                        .application = application,
                                        .tries = profile->code_tries,
                                        .shortest = profile->pin_shortest,
                                        .longest = profile->pin_longest,
                                        .reset_condition = CONDITION_NEVER,
                                        .value = secret(world, "RESETTING_CODE")});
    dgi_pin(&data, &(struct pin_object){.number = PIN_NUMBER,
                                        .application = application,
                                        .tries = profile->pin_tries,
                                        .shortest = profile->pin_shortest,
                                        .longest = profile->pin_longest,
                                        .resetting_code = CODE_NUMBER,
                                        .reset_condition = CONDITION_ISSUER,
                                        .value = secret(world, "PIN")});
    dgi_key(&data, &(struct key_object){.number = ACCESS_NUMBER,
                                        .application = application,
                                        .algorithm = ALGORITHM_AES,
                                        .usage = USAGE_ACCESS_PROOF,
                                        .condition = CONDITION_PIN,
                                        .has_level = true,
                                        .level = profile->access_level,
                                        .valid_to = profile->valid_to,
                                        .value = secret(world, "ACCESS")});
    dgi_key(&data, &(struct key_object){.number = REMOTE_NUMBER,
                                        .application = application,
                                        .algorithm = remote.length == TDES_KEY ? ALGORITHM_3DES
                                                                               : ALGORITHM_AES,
                                        .usage = USAGE_INTERNAL_AUTHENTICATION,
                                        .condition = CONDITION_ALWAYS,
                                        .value = remote});
    dgi_record_rule(&data, profile->record_condition);
    if (data.failed) {
        return trouble(&world->problem, "profile: the security objects are too long");
    }
    struct command store = {.cla = 0x80,
                            .ins = 0xE2,
                            .p1 = 0x80 | 0x60, /* last block, sensitive data */
                            .data = data.data,
                            .nc = data.length};
    enum outcome outcome = card_do(&world->card, "STORE DATA", &store, &world->problem);
    bytes_wipe(&data);
    return outcome;
}

static void report_letter(struct world *world)
{
    struct part pin = secret(world, "PIN"), code = secret(world, "RESETTING_CODE");
    report_item(&world->report, "holder", "cardholder", "%s",
                world->options.name != NULL ? world->options.name : world->profile->holder_name);
    report_item(&world->report, "pin", "PIN letter: PIN", "%.*s", (int)pin.length,
                (const char *)pin.data);
    report_item(&world->report, "resetting_code", "PIN letter: resetting code", "%.*s",
                (int)code.length, (const char *)code.data);
}

/* From INITIALIZED to PERSONALIZED. */
static enum outcome fill(struct world *world, const struct step *step)
{
    const char *name =
        world->options.name != NULL ? world->options.name : world->profile->holder_name;
    TRY(create_files(world));
    TRY(store_objects(world));
    TRY(holder_write(world, name));
    TRY(production_finish(world, step->number, &world->profile->personalization));
    report_letter(world);
    return DONE;
}

enum outcome step_personalize(struct world *world, const struct step *step, bool *already)
{
    struct card_identity identity;
    struct problem *problem = &world->problem;
    TRY(production_gate(world, step, already));
    if (*already) {
        return DONE;
    }
    TRY(card_identify(&world->card, &identity, problem));
    TRY(ensure_secrets(world));
    TRY(card_open_scp03(&world->card, &world->keys, "CARD", KVN_CARD, problem));
    if (identity.life_cycle == COS_LIFE_INITIALIZED) {
        TRY(fill(world, step));
    }
    struct command seal = {.cla = 0x80, .ins = 0xF0, .p1 = 0x80, .p2 = 0x0F};
    return card_do(&world->card, "SET STATUS: seal", &seal, problem);
}
