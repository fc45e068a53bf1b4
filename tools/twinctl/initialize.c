/* SPDX-License-Identifier: Apache-2.0
 *
 * Step 5: basic specification set and the issuer's card keys, under the initialization keys.
 */
#include "commands.h"

#include "atr.h"
#include "objects.h"

#include <string.h>

static enum outcome store_atr(struct world *world)
{
    struct bytes atr = {0}, data = {0};
    TRY(atr_make(&world->profile->atr, &atr, &world->problem));
    dgi_atr(&data, (struct part){atr.data, atr.length});
    struct command store = {
        .cla = 0x80, .ins = 0xE2, .p1 = 0x80, .data = data.data, .nc = data.length};
    return card_do(&world->card, "STORE DATA of the ATR", &store, &world->problem);
}

/* The MF has no parent in which it could exist a second time: whether it is there from a run that
 * was cut off is asked first. */
static enum outcome create_mf(struct world *world)
{
    struct bytes fcp = {0};
    TRY(card_select_file(&world->card, world->profile->mf, &world->problem));
    if (world->card.sw == SW_OK) {
        return DONE;
    }
    fcp_df(&fcp, &(struct df_parameters){.fid = world->profile->mf,
                                         .create_df = CONDITION_ISSUER,
                                         .create_ef = CONDITION_ISSUER,
                                         .manage = CONDITION_ISSUER});
    return card_create(&world->card, "CREATE FILE of the MF", &fcp, &world->problem);
}

/* Is the key set there already, from a run that was cut off? Key information template: E0 with one
 * C0 {identifier, version, type, length} a key. */
static enum outcome has_key_set(struct world *world, uint8_t key_version, bool *has)
{
    struct command get = {.cla = 0x80, .ins = 0xCA, .p1 = 0x00, .p2 = 0xE0, .ne = 256};
    TRY(card_do(&world->card, "GET DATA 00E0", &get, &world->problem));
    struct part template = world->card.response, value;
    *has = false;
    if (!tlv_find(template.data, template.length, 0xE0, &template)) {
        return refused(&world->problem, "GET DATA 00E0: no key information template");
    }
    unsigned tag = 0;
    while (tlv_next(&template, &tag, &value)) {
        *has |= tag == 0xC0 && value.length >= 2 && value.data[1] == key_version;
    }
    return DONE;
}

/* The card answers version and check values: what it has is what was sent. */
static enum outcome check_answer(struct world *world, const struct scp03_keys *set)
{
    struct bytes expected = {0};
    const uint8_t *const keys[] = {set->enc, set->mac, set->dek};
    bytes_add8(&expected, KVN_CARD);
    for (size_t i = 0; i < 3; i++) {
        uint8_t check_value[3];
        if (!scp03_check_value(keys[i], set->length, check_value)) {
            return trouble(&world->problem, "AES failed");
        }
        bytes_add(&expected, check_value, sizeof check_value);
    }
    struct part answer = world->card.response;
    if (answer.length != expected.length ||
        memcmp(answer.data, expected.data, expected.length) != 0) {
        return refused(&world->problem, "PUT KEY: the card answers other check values");
    }
    return DONE;
}

static enum outcome put_set(struct world *world, const struct scp03_keys *set)
{
    struct problem *problem = &world->problem;
    const uint8_t *dek = keyfile_get(&world->keys, "INIT_DEK", AES_BLOCK, problem);
    struct bytes data = {0};
    bool replace = false;
    TRY(dek == NULL ? TROUBLE : has_key_set(world, KVN_CARD, &replace));
    if (!scp03_put_key(dek, AES_BLOCK, KVN_CARD, set, &data)) {
        return trouble(problem, "the new keys cannot be enciphered");
    }
    struct command put = {.cla = 0x80,
                          .ins = 0xD8,
                          .p1 = replace ? KVN_CARD : 0x00,
                          .p2 = 0x81, /* several keys, the first one is number 1 */
                          .data = data.data,
                          .nc = data.length,
                          .ne = 256};
    TRY(card_do(&world->card, "PUT KEY", &put, problem));
    return check_answer(world, set);
}

static enum outcome put_keys(struct world *world)
{
    struct scp03_keys set;
    TRY(card_keys(&world->keys, "CARD", &set, &world->problem));
    enum outcome outcome = put_set(world, &set);
    crypto_wipe(&set, sizeof set);
    return outcome;
}

enum outcome step_initialize(struct world *world, const struct step *step, bool *already)
{
    struct problem *problem = &world->problem;
    TRY(production_gate(world, step, already));
    if (*already) {
        return DONE;
    }
    TRY(keyfile_ensure(&world->keys, "CARD_ENC", AES_BLOCK, problem));
    TRY(keyfile_ensure(&world->keys, "CARD_MAC", AES_BLOCK, problem));
    TRY(keyfile_ensure(&world->keys, "CARD_DEK", AES_BLOCK, problem));
    TRY(card_open_scp03(&world->card, &world->keys, "INIT", KVN_INITIALIZATION, problem));
    TRY(store_atr(world));
    TRY(create_mf(world));
    TRY(put_keys(world));
    return production_finish(world, step->number, &world->profile->initialization);
}
