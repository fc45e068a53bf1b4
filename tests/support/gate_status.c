/* SPDX-License-Identifier: Apache-2.0
 *
 * Security status and conditions: the half of gate_model.h about what a channel satisfies.
 */
#include "gate_model.h"

enum { GOOD_CIRCUMSTANCES = 256 };

static void add_to(uint64_t *digest, uint64_t word)
{
    *digest = (*digest ^ word) * 0x9E3779B97F4A7C15ULL;
    *digest ^= *digest >> 32;
}

int gate_model_find(const struct gate_model *model, enum object_kind kind, uint8_t context,
                    uint8_t number)
{
    for (int i = 0; i < model->count && i < GATE_MODEL_OBJECTS; i++) {
        const struct object *object = &model->objects[i];
        if (object->kind == kind && object->context == context && object->number == number &&
            object->version == 0) {
            return i;
        }
    }
    return GATE_MODEL_NONE;
}

/* A PIN that was verified or is disabled, a key that was authenticated. */
static bool is_satisfied(const struct gate_model *model, uint8_t channel, bool global,
                         enum object_kind kind, uint8_t number)
{
    const struct cos_channel *status = &model->status[channel];
    const uint8_t application = status->application;

    if (number == 0) {
        number = 1;
        global = global || application == CONTEXT_GLOBAL ||
                 gate_model_find(model, kind, application, number) == GATE_MODEL_NONE;
    }
    if (kind == OBJECT_KEY) {
        return gate_model_has_bit(global ? status->keys_global : status->keys_local, number);
    }
    const int pin = gate_model_find(model, kind, global ? CONTEXT_GLOBAL : application, number);
    return gate_model_has_bit(global ? status->pins_global : status->pins_local, number) ||
           (pin != GATE_MODEL_NONE && (global || application != CONTEXT_GLOBAL) &&
            (model->objects[pin].state & STATE_DISABLED) != 0);
}

/* Whether the open command came through the issuer's session, or one under the mutual key that is
 * meant. */
static bool is_secured(const struct gate_model *model, uint8_t channel, bool global, uint8_t number)
{
    const struct cos_session *session = &model->session[channel];
    const uint8_t context = global ? CONTEXT_GLOBAL : model->status[channel].application;
    const bool iso = session->protocol == COS_SM_ISO_AES || session->protocol == COS_SM_ISO_DES3;

    return model->open[channel] &&
           (!iso || (session->context == context && session->key == number &&
                     (global || context != CONTEXT_GLOBAL)));
}

bool gate_model_may_hold(const struct gate_model *model, uint8_t channel, bool secured, bool global,
                         uint8_t condition)
{
    const uint8_t number = condition & 0x0F;
    const struct {
        uint8_t bit;
        bool holds;
    } kinds[] = {
        {0x40, secured && is_secured(model, channel, global, number)},
        {0x20, is_satisfied(model, channel, global, OBJECT_KEY, number)},
        {0x10, is_satisfied(model, channel, global, OBJECT_PIN, number)},
    };
    bool all = true, any = false;

    if (condition == 0x00 || condition == 0xFF || number == 0x0F) {
        return condition == 0x00;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if ((condition & kinds[i].bit) != 0) {
            all = all && kinds[i].holds;
            any = any || kinds[i].holds;
        }
    }
    return any && (all || (condition & 0x80) == 0);
}

static uint64_t identity(const struct cos_session *session)
{
    return (uint64_t)session->protocol << 24 | (uint64_t)session->level << 16 |
           (uint64_t)session->key << 8 | session->context;
}

/* What the answers about a channel's conditions depend on, as a number. */
static uint64_t circumstances(const struct bench *bench, const struct gate_model *model,
                              uint8_t number, bool secured)
{
    const struct cos_channel *channel = &bench->secure.channels[number];
    const struct cos_channel *was = &model->status[number];
    const struct cos_session *session = cos_session_seen(&bench->secure, number);
    uint64_t digest = (uint64_t)bench->secure.held.channel << 8 | number;

    add_to(&digest, session != NULL ? session->open : 0);
    add_to(&digest, session != NULL ? identity(session) : 0);
    add_to(&digest, identity(&model->session[number]));
    add_to(&digest, (uint64_t)(channel->application << 3 | model->open[number] << 2 | secured << 1 |
                               bench->secure.in_sm));
    add_to(&digest, (uint64_t)channel->pins_global << 16 | channel->pins_local);
    add_to(&digest, (uint64_t)channel->keys_global << 16 | channel->keys_local);
    add_to(&digest, (uint64_t)was->pins_global << 16 | was->pins_local);
    add_to(&digest, (uint64_t)was->keys_global << 16 | was->keys_local);
    for (uint16_t i = 0; i < model->count && i < GATE_MODEL_OBJECTS; i++) {
        const struct object *o = &model->objects[i];
        add_to(&digest, (uint64_t)o->kind << 32 | (uint64_t)o->state << 24 |
                            (uint64_t)(o->context << 16 | o->number << 8 | o->version));
    }
    return digest;
}

/* Each condition byte; circumstances that were good once are so again. */
static const char *broken_conditions(const struct bench *bench, const struct gate_model *model,
                                     uint8_t channel, bool secured)
{
    static uint64_t good[GOOD_CIRCUMSTANCES];
    const uint64_t now = circumstances(bench, model, channel, secured);

    if (good[now % GOOD_CIRCUMSTANCES] == now) {
        return NULL;
    }
    for (unsigned condition = 0; condition <= 0xFF; condition++) {
        if (cos_status_satisfies(&bench->secure, channel, (uint8_t)condition) != COS_NO &&
            !gate_model_may_hold(model, channel, secured, false, (uint8_t)condition)) {
            return "a condition that nobody satisfied is satisfied";
        }
    }
    good[now % GOOD_CIRCUMSTANCES] = now;
    return NULL;
}

static bool gained(uint16_t now, uint16_t was)
{
    return (now & ~was) != 0;
}

static const char *broken_channel(const struct bench *bench, struct gate_model *model,
                                  uint8_t number, bool secured)
{
    const struct cos_channel *channel = &bench->secure.channels[number];
    const struct cos_session *session = cos_session_seen(&bench->secure, number);
    const bool open = session != NULL && session->open == COS_YES;
    struct cos_channel *was = &model->status[number];

    if (gained(channel->pins_global, was->pins_global) ||
        gained(channel->pins_local, was->pins_local)) {
        return "a PIN counts as verified";
    }
    if (gained(channel->keys_global, was->keys_global) ||
        gained(channel->keys_local, was->keys_local)) {
        return "a key counts as authenticated";
    }
    *was = *channel;
    if (open && (!model->open[number] || identity(session) != identity(&model->session[number]))) {
        return "a session of secure messaging was opened";
    }
    model->open[number] = open;
    return broken_conditions(bench, model, number, secured);
}

/* What one channel satisfies says nothing about another one. */
const char *gate_model_broken_status(const struct bench *bench, struct gate_model *model,
                                     bool secured)
{
    const char *broken = NULL;

    for (uint8_t i = 0; i < COS_CHANNELS && broken == NULL; i++) {
        broken = broken_channel(bench, model, i, secured && bench->secure.held.channel == i);
    }
    return broken;
}
