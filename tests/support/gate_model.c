/* SPDX-License-Identifier: Apache-2.0 */
#include "gate_model.h"

#include <string.h>

static void read_state(const struct bench *bench, uint8_t state[STATE_SIZE])
{
    memset(state, 0, STATE_SIZE);
    (void)cos_state_read(&bench->secure, STATE_VERSION, state, STATE_SIZE);
    memset(state + STATE_ATTACKS, 0, 2);
}

/* Logical bytes as one number, eight bytes at a time: it is asked for after each call. */
static uint64_t pages(const struct bench *bench, uint32_t first, uint32_t count)
{
    const struct cos_store *store = &bench->secure.store;
    uint64_t digest = count;

    for (uint32_t at = 0; at < count * store->payload; at += 8) {
        uint64_t word = 0;
        (void)cos_store_read(store, first * store->payload + at, (uint8_t *)&word, sizeof word);
        digest = (digest ^ word) * 0x9E3779B97F4A7C15ULL;
        digest ^= digest >> 32;
    }
    return digest;
}

/* The page of the application entries: the last one before the secrets. */
static uint64_t applications(const struct bench *bench)
{
    return pages(
        bench,
        cos_object_first_secret_page(bench->secure.store.payload, bench->secure.config.objects) -
            1U,
        1);
}

/* Entries and content. */
static uint64_t vault(const struct bench *bench)
{
    const struct cos_secure_config *config = &bench->secure.config;
    const uint16_t payload = bench->secure.store.payload;

    return pages(bench, cos_object_pages(payload, config->objects),
                 cos_vault_pages(payload, config->vault_files, config->vault_size));
}

void gate_model_take(const struct bench *bench, struct gate_model *model)
{
    memset(model, 0, sizeof *model);
    model->count = bench->secure.config.objects;
    for (uint16_t i = 0; i < model->count && i < GATE_MODEL_OBJECTS; i++) {
        (void)cos_object_read(&bench->secure, i, &model->objects[i]);
    }
    read_state(bench, model->state);
    model->applications = applications(bench);
    model->vault = vault(bench);
    model->status = bench->secure.channels[0];
    for (unsigned condition = 0; condition <= 0xFF; condition++) {
        model->satisfied[condition] =
            cos_status_satisfies(&bench->secure, 0, (uint8_t)condition) == COS_YES;
    }
}

static bool same_but_tries(const struct object *a, const struct object *b)
{
    return a->kind == b->kind && a->context == b->context && a->number == b->number &&
           a->version == b->version && a->algorithm == b->algorithm && a->usage == b->usage &&
           a->length == b->length && a->use_rule == b->use_rule && a->reset_rule == b->reset_rule &&
           a->change_rule == b->change_rule && a->resetting_code == b->resetting_code &&
           a->shortest == b->shortest && a->longest == b->longest && a->format == b->format &&
           a->flags == b->flags && a->state == b->state && a->uses_left == b->uses_left &&
           a->level == b->level && memcmp(a->valid_to, b->valid_to, 4) == 0 &&
           a->tries_max == b->tries_max && a->generation == b->generation &&
           a->counter == b->counter;
}

/* Nobody authenticated, so a condition holds only if it is "always", or if secure messaging is
 * there and by itself enough. */
static bool may_hold(uint8_t condition, bool secured)
{
    const uint8_t kinds = condition & 0x70;

    if (condition == 0x00) {
        return true;
    }
    if (condition == 0xFF || (condition & 0x0F) == 0x0F || !secured || (kinds & 0x40) == 0) {
        return false;
    }
    return (condition & 0x80) == 0 || kinds == 0x40;
}

static const char *broken_status(const struct bench *bench, const struct gate_model *model,
                                 bool secured)
{
    const struct cos_channel *channel = &bench->secure.channels[0], *was = &model->status;

    if ((channel->pins_global & ~was->pins_global) != 0 ||
        (channel->pins_local & ~was->pins_local) != 0) {
        return "a PIN counts as verified";
    }
    if ((channel->keys_global & ~was->keys_global) != 0 ||
        (channel->keys_local & ~was->keys_local) != 0) {
        return "a key counts as authenticated";
    }
    for (unsigned condition = 0; condition <= 0xFF; condition++) {
        if (cos_status_satisfies(&bench->secure, 0, (uint8_t)condition) != COS_NO &&
            !model->satisfied[condition] && !may_hold((uint8_t)condition, secured)) {
            return "a condition that nobody satisfied is satisfied";
        }
    }
    return NULL;
}

const char *gate_model_broken(const struct bench *bench, struct gate_model *model, bool secured)
{
    uint8_t state[STATE_SIZE];

    if (bench->secure.life_cycle != model->state[STATE_LIFE_CYCLE]) {
        return "the life cycle moved";
    }
    read_state(bench, state);
    if (memcmp(state, model->state, sizeof state) != 0) {
        return "the state record changed";
    }
    for (uint16_t i = 0; i < model->count && i < GATE_MODEL_OBJECTS; i++) {
        struct object *was = &model->objects[i], now;
        if (cos_object_read(&bench->secure, i, &now) != COS_OK) {
            return "an object cannot be read";
        }
        if (!same_but_tries(was, &now)) {
            return "a PIN or key was written, came or went";
        }
        if (now.tries_left > was->tries_left) {
            return "tries rose";
        }
        was->tries_left = now.tries_left;
    }
    if (applications(bench) != model->applications) {
        return "an application was registered";
    }
    if (vault(bench) != model->vault) {
        return "a vault file was created, changed or deleted";
    }
    return broken_status(bench, model, secured);
}

bool gate_model_terminals(const struct bench *bench, uint8_t opcode, const uint8_t *message,
                          size_t length)
{
    const struct cos_held *held = &bench->secure.held;
    const bool pin =
        opcode == COS_GATE_PIN && length >= 4 && message[3] == 1 && message[2] == held->p2;
    const bool key = opcode == COS_GATE_KEY && length >= 1 &&
                     (message[0] == COS_KEY_STORE || message[0] == COS_KEY_PUT);

    return bench->secure.in_sm && held->used && (pin || key);
}
