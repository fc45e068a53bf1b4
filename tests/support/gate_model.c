/* SPDX-License-Identifier: Apache-2.0 */
#include "gate_model.h"

#include <string.h>

static void read_state(const struct bench *bench, uint8_t state[STATE_SIZE])
{
    memset(state, 0, STATE_SIZE);
    (void)cos_state_read(&bench->secure, STATE_VERSION, state, STATE_SIZE);
    memset(state + STATE_ATTACKS, 0, 2);
}

static void add_to(uint64_t *digest, uint64_t word)
{
    *digest = (*digest ^ word) * 0x9E3779B97F4A7C15ULL;
    *digest ^= *digest >> 32;
}

/* Logical bytes as one number: it is asked for after each call that writes. */
static uint64_t pages(const struct bench *bench, uint32_t first, uint32_t count)
{
    const struct cos_store *store = &bench->secure.store;
    const uint32_t end = (first + count) * store->payload;
    uint64_t words[16], digest = count;

    for (uint32_t at = first * store->payload; at < end; at += sizeof words) {
        const size_t length = end - at < sizeof words ? end - at : sizeof words;
        memset(words, 0, sizeof words);
        (void)cos_store_read(store, at, (uint8_t *)words, length);
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            add_to(&digest, words[i]);
        }
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
    model->operations = bench->power.operations;
    for (uint8_t i = 0; i < COS_CHANNELS; i++) {
        const struct cos_session *session = cos_session_seen(&bench->secure, i);
        model->status[i] = bench->secure.channels[i];
        model->open[i] = session != NULL && session->open == COS_YES;
        model->session[i] = session != NULL ? *session : (struct cos_session){0};
    }
    model->user = model->maker = model->switched = GATE_MODEL_NONE;
}

/* ---- Objects ---- */

static bool same_for_life(const struct object *a, const struct object *b)
{
    return a->kind == b->kind && a->context == b->context && a->number == b->number &&
           a->version == b->version && a->algorithm == b->algorithm && a->usage == b->usage &&
           a->service == b->service && a->length == b->length && a->use_rule == b->use_rule &&
           a->reset_rule == b->reset_rule && a->change_rule == b->change_rule &&
           a->resetting_code == b->resetting_code && a->shortest == b->shortest &&
           a->longest == b->longest && a->format == b->format && a->flags == b->flags &&
           a->level == b->level && memcmp(a->valid_to, b->valid_to, 4) == 0 &&
           a->tries_max == b->tries_max && a->generation == b->generation && a->size == b->size &&
           a->chunk == b->chunk;
}

/* What was paid for a use of the key that the call may work with, and for no other. */
static const char *broken_counters(const struct object *was, const struct object *now, bool used)
{
    const unsigned fell = (unsigned)was->uses_left - now->uses_left;
    const uint32_t counted = now->counter - was->counter;

    if (now->tries_left > was->tries_left) {
        return "tries rose";
    }
    if (was->tries_left - now->tries_left > 1) {
        return "one call took two tries";
    }
    if (now->uses_left > was->uses_left) {
        return "uses rose";
    }
    if (fell > (used ? 1U : 0U)) {
        return "uses fell without a use";
    }
    if (counted > (used && was->service == SERVICE_OTP ? 1U : 0U)) {
        return "a counter moved without a use";
    }
    return NULL;
}

static const char *broken_object(struct gate_model *model, int i, const struct object *now)
{
    struct object *was = &model->objects[i];
    const uint8_t switched = was->state ^ now->state;

    if (!same_for_life(was, now)) {
        return "a PIN or key was written, came or went";
    }
    if (switched != 0 && (switched != STATE_DISABLED || i != model->switched)) {
        return "the state of a PIN changed";
    }
    const char *broken = broken_counters(was, now, i == model->user && model->granted);
    *was = *now;
    return broken;
}

static const char *broken_memory(const struct bench *bench, struct gate_model *model)
{
    uint8_t state[STATE_SIZE];
    const char *broken = NULL;

    read_state(bench, state);
    if (memcmp(state, model->state, sizeof state) != 0) {
        return "the state record changed";
    }
    for (int i = 0; i < model->count && i < GATE_MODEL_OBJECTS && broken == NULL; i++) {
        struct object now;
        if (cos_object_read(&bench->secure, (uint16_t)i, &now) != COS_OK) {
            return "an object cannot be read";
        }
        broken = broken_object(model, i, &now);
    }
    if (broken == NULL && applications(bench) != model->applications) {
        return "an application was registered";
    }
    if (broken == NULL && vault(bench) != model->vault) {
        return "a vault file was created, changed or deleted";
    }
    return broken;
}

const char *gate_model_broken(const struct bench *bench, struct gate_model *model, bool secured)
{
    const char *broken = NULL;

    if (bench->secure.life_cycle != model->state[STATE_LIFE_CYCLE]) {
        return "the life cycle moved";
    }
    if (bench->power.operations != model->operations) {
        broken = broken_memory(bench, model);
        model->operations = bench->power.operations;
    }
    model->user = model->maker = model->switched = GATE_MODEL_NONE;
    return broken != NULL ? broken : gate_model_broken_status(bench, model, secured);
}

/* ---- What a call may do ---- */

static int named(const struct gate_model *model, enum object_kind kind, uint8_t reference)
{
    const uint8_t application = model->status[model->channel].application;

    if ((reference & 0x60) != 0 || ((reference & 0x80) != 0 && application == CONTEXT_GLOBAL)) {
        return GATE_MODEL_NONE;
    }
    return gate_model_find(model, kind, (reference & 0x80) != 0 ? application : CONTEXT_GLOBAL,
                           reference & 0x1F);
}

/* PERFORM SECURITY OPERATION: the template and direction that name the key, and what it must serve.
 * 00 in P1 or P2 of a row: any that no row above has. */
static int key_of_operation(const struct bench *bench, const struct gate_model *model, uint8_t p1,
                            uint8_t p2, uint8_t *service)
{
    enum { CCT = 3, DST = 4, CT = 5 };
    static const struct {
        uint8_t p1, p2, template, direction, service;
    } rows[] = {
        {0x9E, 0x9A, DST, REFERENCE_COMPUTE, SERVICE_SIGN | SERVICE_ATTEST},
        {0x00, 0xA8, DST, REFERENCE_VERIFY, SERVICE_SIGN},
        {0x8E, 0x80, CCT, REFERENCE_COMPUTE, SERVICE_CHECKSUM},
        {0x00, 0xA2, CCT, REFERENCE_VERIFY, SERVICE_VERIFY_CHECKSUM},
        {0x80, 0x00, CT, REFERENCE_COMPUTE, SERVICE_DECIPHER},
        {0x00, 0x80, CT, REFERENCE_VERIFY, SERVICE_ENCIPHER},
    };
    const struct cos_references *references =
        &bench->secure.channels[model->channel].environment.references;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && p1 != 0x90; i++) {
        if ((rows[i].p1 == 0 || rows[i].p1 == p1) && (rows[i].p2 == 0 || rows[i].p2 == p2)) {
            *service = rows[i].service;
            return named(model, OBJECT_KEY,
                         references->of[rows[i].template][rows[i].direction].key);
        }
    }
    return GATE_MODEL_NONE; /* a hash, or nothing that there is */
}

/* AUTH: internal, external, general. Nobody who asks here can pass as the other side. */
static bool serves_authentication(const struct object *key, uint8_t operation)
{
    const bool passes = key->usage == USAGE_EXTERNAL || key->usage == USAGE_MUTUAL;

    return operation == COS_AUTH_GENERAL ? !passes || key->usage == USAGE_EXTERNAL
                                         : operation == COS_AUTH_INTERNAL && !passes;
}

static void ask_for_use(const struct bench *bench, struct gate_model *model, int user, bool serves)
{
    const struct object *key = &model->objects[user];

    model->user = user;
    model->granted = serves && !bench->secure.in_sm && key->uses_left != 0 &&
                     gate_model_may_hold(model, model->channel, false,
                                         key->context == CONTEXT_GLOBAL, key->use_rule);
}

static void ask_for_pair(const struct bench *bench, struct gate_model *model, uint8_t reference)
{
    const int i = named(model, OBJECT_KEY, reference);

    if (i != GATE_MODEL_NONE && !bench->secure.in_sm &&
        gate_model_may_hold(model, model->channel, false, (reference & 0x80) == 0,
                            model->objects[i].change_rule)) {
        model->maker = i;
    }
}

static void ask_for_switch(const struct bench *bench, struct gate_model *model, uint8_t reference)
{
    const int i = named(model, OBJECT_PIN, reference);
    const struct cos_channel *status = &model->status[model->channel];
    const uint16_t verified = (reference & 0x80) == 0 ? status->pins_global : status->pins_local;

    if (i != GATE_MODEL_NONE && !bench->secure.in_sm &&
        gate_model_has_bit(verified, reference & 0x1F) &&
        (model->objects[i].flags & FLAG_MAY_DISABLE) != 0) {
        model->switched = i;
    }
}

void gate_model_ask(const struct bench *bench, struct gate_model *model, uint8_t opcode,
                    const uint8_t *message, size_t length)
{
    const uint8_t operation = length > 0 ? message[0] : 0;
    uint8_t service = 0;
    int i;

    model->user = model->maker = model->switched = GATE_MODEL_NONE;
    model->granted = model->counts = false;
    if (length < 2 || message[1] >= COS_CHANNELS) {
        return;
    }
    model->channel = message[1];
    if (opcode == COS_GATE_CRYPT && length >= 4) {
        i = key_of_operation(bench, model, message[2], message[3], &service);
        if (i != GATE_MODEL_NONE) {
            ask_for_use(bench, model, i, (model->objects[i].service & service) != 0);
        }
    } else if (opcode == COS_GATE_AUTH && length >= 4 && operation != COS_AUTH_SCP03_BEGIN &&
               operation != COS_AUTH_SCP03_FINISH) {
        i = named(model, OBJECT_KEY, message[3]);
        if (i != GATE_MODEL_NONE) {
            ask_for_use(bench, model, i, serves_authentication(&model->objects[i], operation));
            model->counts = model->objects[i].service == SERVICE_OTP && length == 4; /* HOTP */
        }
    } else if (opcode == COS_GATE_KEY && length == 3 && operation == COS_KEY_GENERATE) {
        ask_for_pair(bench, model, message[2]);
    } else if (opcode == COS_GATE_PIN && length == 4 &&
               (operation == COS_PIN_DISABLE_ONLY || operation == COS_PIN_ENABLE_ONLY)) {
        ask_for_switch(bench, model, message[2]);
    }
}

static const char *broken_use(const struct bench *bench, const struct gate_model *model,
                              const struct object *now)
{
    const struct object *was = &model->objects[model->user];
    const struct cos_channel *channel = &bench->secure.channels[model->channel];

    if (!model->granted) {
        return "a key was worked with, which nobody allowed";
    }
    if (now->uses_left != was->uses_left - (was->uses_left != USES_UNLIMITED ? 1 : 0) &&
        was->usage != USAGE_EXTERNAL) {
        return "a use was not counted";
    }
    if (model->counts && now->counter != was->counter + 1) {
        return "a password was not counted";
    }
    if ((was->flags & FLAG_EACH_USE) != 0 &&
        gate_model_has_bit(channel->pins_local | channel->pins_global, was->use_rule & 0x0F)) {
        return "the PIN that each use asks for counts on";
    }
    return NULL;
}

const char *gate_model_answered(const struct bench *bench, struct gate_model *model, int result)
{
    struct object now;

    if (result != COS_OK) {
        return NULL;
    }
    if (model->maker != GATE_MODEL_NONE) {
        if (cos_object_read(&bench->secure, (uint16_t)model->maker, &now) != COS_OK) {
            return "an object cannot be read";
        }
        model->objects[model->maker] = now;
        model->vault = vault(bench);
    }
    if (model->user == GATE_MODEL_NONE) {
        return NULL;
    }
    if (cos_object_read(&bench->secure, (uint16_t)model->user, &now) != COS_OK) {
        return "an object cannot be read";
    }
    return broken_use(bench, model, &now);
}
