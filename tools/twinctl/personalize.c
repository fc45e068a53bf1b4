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
#define EF_DIR           0x2F00U
#define EF_ATR_INFO      0x2F01U
#define EF_ARR           0x2F06U
#define ARR_RECORD       32U
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

/* Access rules in the expanded format (ISO/IEC 7816-4:2013, 9.3.4), each a record of EF.ARR: 80
 * access mode; 90 always, 9E condition byte, A4 {83 PIN, 95 08 password}. Delete to write: the
 * issuer. */
enum { ARR_PUBLIC = 1, ARR_HOLDER = 2, ARR_RECORDS = 2 };
#define ISSUER_DOES_THE_REST 0x80, 0x01, 0x7E, 0x9E, 0x01, CONDITION_ISSUER
static const uint8_t rule_public[] = {0x80, 0x01, COS_OPERATION_READ,
                                      0x90, 0x00, ISSUER_DOES_THE_REST};
static const uint8_t rule_holder[] = {
    0x80, 0x01, COS_OPERATION_READ,  0xA4, 0x06, 0x83, 0x01, 0x80 | PIN_NUMBER, 0x95,
    0x01, 0x08, ISSUER_DOES_THE_REST};

static enum outcome write_rule(struct world *world, uint8_t record, struct part rule)
{
    struct bytes data = {0};
    struct command update = {.ins = 0xDC, .p1 = record, .p2 = 0x04, .nc = ARR_RECORD};
    bytes_add(&data, rule.data, rule.length);
    bytes_fill(&data, 0xFF, ARR_RECORD - rule.length);
    update.data = data.data;
    return card_do(&world->card, "UPDATE RECORD of EF.ARR", &update, &world->problem);
}

/* Creating makes the file current; if it was there already, selecting does. */
static enum outcome create_ef(struct world *world, const char *what, const struct ef_parameters *ef)
{
    struct bytes fcp = {0};
    fcp_ef(&fcp, ef);
    TRY(card_create(&world->card, what, &fcp, &world->problem));
    return card_select_file(&world->card, ef->fid, &world->problem);
}

static enum outcome create_arr(struct world *world)
{
    const struct ef_parameters arr = {.fid = EF_ARR,
                                      .record_size = ARR_RECORD,
                                      .records = ARR_RECORDS,
                                      .update = CONDITION_ISSUER,
                                      .read = CONDITION_ALWAYS,
                                      .manage = CONDITION_NEVER};
    TRY(create_ef(world, "CREATE FILE of EF.ARR", &arr));
    TRY(write_rule(world, ARR_PUBLIC, (struct part){rule_public, sizeof rule_public}));
    return write_rule(world, ARR_HOLDER, (struct part){rule_holder, sizeof rule_holder});
}

/* EF.DIR: an application template 61 {4F AID, 50 label} (ISO/IEC 7816-4:2013, 12.2.3). */
static enum outcome create_dir(struct world *world)
{
    const struct profile *profile = world->profile;
    struct bytes template = {0}, data = {0};
    bytes_tlv(&template, 0x4F, application.data, application.length);
    bytes_tlv(&template, 0x50, profile->label, strlen(profile->label));
    bytes_template(&data, 0x61, &template);
    if (data.failed || data.length > profile->dir_size) {
        return trouble(&world->problem, "profile: EF.DIR is too small for the label");
    }
    const struct ef_parameters dir = {
        .fid = EF_DIR, .size = profile->dir_size, .arr = EF_ARR, .arr_record = ARR_PUBLIC};
    TRY(create_ef(world, "CREATE FILE of EF.DIR", &dir));
    const struct command update = {.ins = 0xD6, .data = data.data, .nc = data.length};
    return card_do(&world->card, "UPDATE BINARY of EF.DIR", &update, &world->problem);
}

/* What tells strangers about the card, below the MF. */
static enum outcome create_public(struct world *world)
{
    const struct profile *profile = world->profile;
    const struct ef_parameters info = {.fid = EF_ATR_INFO,
                                       .size = profile->info_size,
                                       .source = COS_FS_SOURCE_CARD,
                                       .arr = EF_ARR,
                                       .arr_record = ARR_PUBLIC};
    const struct ef_parameters record = {.fid = profile->production_record,
                                         .size = profile->record_size,
                                         .source = COS_FS_SOURCE_PRODUCTION,
                                         .update = CONDITION_NEVER,
                                         .read = profile->record_condition,
                                         .manage = CONDITION_NEVER};
    TRY(create_arr(world));
    TRY(create_dir(world));
    TRY(create_ef(world, "CREATE FILE of EF.ATR/INFO", &info));
    return create_ef(world, "CREATE FILE of the production record", &record);
}

static enum outcome create_files(struct world *world)
{
    const struct profile *profile = world->profile;
    struct card *card = &world->card;
    struct problem *problem = &world->problem;
    struct bytes df = {0};
    const struct ef_parameters holder = {.fid = profile->holder_data,
                                         .sfi = profile->holder_sfi,
                                         .size = profile->holder_size,
                                         .arr = EF_ARR,
                                         .arr_record = ARR_HOLDER};
    fcp_df(&df, &(struct df_parameters){.fid = profile->application,
                                        .name = application,
                                        .create_df = CONDITION_ISSUER,
                                        .create_ef = CONDITION_ISSUER,
                                        .manage = CONDITION_ISSUER});
    TRY(card_select_file(card, profile->mf, problem));
    TRY(create_public(world));
    TRY(card_select_file(card, profile->mf, problem));
    TRY(card_create(card, "CREATE FILE of the access application", &df, problem));
    TRY(card_select_application(card, problem));
    return create_ef(world, "CREATE FILE of the holder data", &holder);
}

static enum outcome store_objects(struct world *world)
{
    const struct profile *profile = world->profile;
    struct part remote = secret(world, "REMOTE");
    struct bytes data = {0}, code = {0}, pin = {0};
    pin_encode(&code, profile->pin_format, secret(world, "RESETTING_CODE"));
    pin_encode(&pin, profile->pin_format, secret(world, "PIN"));
    data.failed = code.failed || pin.failed;
    dgi_pin(&data, &(struct pin_object){.number = CODE_NUMBER,
                                        .application = application,
                                        .tries = profile->code_tries,
                                        .shortest = profile->pin_shortest,
                                        .longest = profile->pin_longest,
                                        .reset_condition = CONDITION_NEVER,
                                        .format = profile->pin_format,
                                        .uses = profile->code_uses,
                                        .value = {code.data, code.length}});
    dgi_pin(&data, &(struct pin_object){.number = PIN_NUMBER,
                                        .application = application,
                                        .tries = profile->pin_tries,
                                        .shortest = profile->pin_shortest,
                                        .longest = profile->pin_longest,
                                        .resetting_code = CODE_NUMBER,
                                        .reset_condition = CONDITION_ISSUER,
                                        .format = profile->pin_format,
                                        .may_disable = profile->pin_may_disable,
                                        .transport = profile->pin_transport,
                                        .value = {pin.data, pin.length}});
    bytes_wipe(&code);
    bytes_wipe(&pin);
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
