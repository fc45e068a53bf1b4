/* SPDX-License-Identifier: Apache-2.0 */
#include "line_sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Between the leading edges of two characters at least. */
enum { CHARACTER = 12 };

/* xorshift64*, Marsaglia and Vigna. */
uint32_t line_sim_random(struct line_sim *sim, uint32_t limit)
{
    sim->random ^= sim->random >> 12;
    sim->random ^= sim->random << 25;
    sim->random ^= sim->random >> 27;
    return (uint32_t)((sim->random * UINT64_C(0x2545F4914F6CDD1D)) >> 32) % limit;
}

/* ---- Turns ---- */

static void hear(struct line_turn *turn, uint8_t character, bool good)
{
    if (turn->heard_length < sizeof turn->heard) {
        turn->heard[turn->heard_length++] = character;
    }
    turn->heard_well = turn->heard_well && good;
}

static void say(struct line_turn *turn, uint8_t character)
{
    if (turn->sent_length < sizeof turn->sent) {
        turn->sent[turn->sent_length++] = character;
    }
}

/* The receiver has done with what it heard. */
static void judge(struct line_sim *sim, struct line_turn *turn)
{
    if (turn->heard_length != 0 && turn->heard_well &&
        sim->device.is_block(sim->device.context, turn->heard, turn->heard_length) &&
        (turn->heard_length != turn->sent_length ||
         memcmp(turn->heard, turn->sent, turn->sent_length) != 0)) {
        sim->unseen++;
    }
    turn->heard_length = 0;
    turn->heard_well = true;
}

void line_sim_heard(struct line_sim *sim)
{
    judge(sim, &sim->to_device);
}

/* ---- Faults ---- */

/* What becomes of one character. */
struct fate {
    uint8_t characters[3];
    bool good[3];
    size_t count;
    uint32_t late;
};

static bool strikes(struct line_sim *sim, enum line_fault fault)
{
    bool single = fault == sim->single && sim->characters == sim->single_at;

    if (line_sim_random(sim, 1U << 20) >= sim->chance[fault] && !single) {
        return false;
    }
    sim->faults[fault]++;
    return true;
}

static void arrive(struct fate *fate, uint8_t character, bool good)
{
    fate->characters[fate->count] = character;
    fate->good[fate->count++] = good;
}

static struct fate fate_of(struct line_sim *sim, uint8_t character)
{
    struct fate fate = {.count = 0};
    bool inserted = strikes(sim, LINE_INSERTED), before = line_sim_random(sim, 2) == 0;
    uint8_t noise = (uint8_t)line_sim_random(sim, 256);
    uint32_t bit = line_sim_random(sim, 8), other = 1 + line_sim_random(sim, 7);
    bool good = true;

    if (strikes(sim, LINE_FLIPPED)) {
        character ^= (uint8_t)(1U << bit);
        good = false;
    }
    if (strikes(sim, LINE_FLIPPED_TWICE)) {
        character ^= (uint8_t)((1U << bit) | (1U << ((bit + other) % 8)));
    }
    if (strikes(sim, LINE_PARITY)) {
        good = !good;
    }
    if (inserted && before) {
        arrive(&fate, noise, true);
    }
    if (!strikes(sim, LINE_LOST)) {
        arrive(&fate, character, good);
        if (strikes(sim, LINE_DOUBLED)) {
            arrive(&fate, character, good);
        }
    }
    if (inserted && !before && fate.count < 3) {
        arrive(&fate, noise, true);
    }
    if (strikes(sim, LINE_LATE)) {
        fate.late = line_sim_random(sim, sim->lateness + 1);
    }
    sim->characters++;
    return fate;
}

/* ---- The device's end ---- */

uint64_t line_sim_send(struct line_sim *sim, const uint8_t *bytes, size_t length, uint32_t delay,
                       uint32_t guard)
{
    uint64_t time = sim->edge + delay;

    time = time < sim->now ? sim->now : time;
    time = time < sim->device_until ? sim->device_until : time;
    sim->to_card.sent_length = 0;
    for (size_t i = 0; i < length; i++, time += guard) {
        struct fate fate = fate_of(sim, bytes[i]);

        say(&sim->to_card, bytes[i]);
        time += fate.late;
        for (size_t j = 0; j < fate.count; j++) {
            time += j != 0 ? CHARACTER : 0;
            sim->queue[sim->tail].time = time;
            sim->queue[sim->tail].character = fate.characters[j];
            sim->queue[sim->tail].good = fate.good[j];
            sim->tail = (sim->tail + 1) % (sizeof sim->queue / sizeof sim->queue[0]);
            assert_int_not_equal(sim->tail, sim->head);
        }
    }
    sim->device_until = time - guard + CHARACTER;
    return time - guard;
}

void line_sim_reset(struct line_sim *sim)
{
    sim->reset = true;
}

void line_sim_release(struct line_sim *sim)
{
    sim->reset = false;
    sim->idle = false;
    sim->head = sim->tail = 0;
    sim->device_until = sim->now;
    sim->to_card.heard_length = sim->to_device.heard_length = 0;
    sim->to_card.heard_well = sim->to_device.heard_well = true;
    sim->now += 400;
    sim->edge = sim->now;
}

/* Lets the device do what it does until `time`. */
static void let_device(struct line_sim *sim, uint64_t time)
{
    for (;;) {
        uint64_t due = sim->device.due(sim->device.context);
        if (sim->reset || due == LINE_NEVER || due > time) {
            return;
        }
        sim->now = due > sim->now ? due : sim->now;
        sim->device.wake(sim->device.context);
    }
}

/* ---- The card's end ---- */

/* Characters whose leading edge was before `time` pass unheard. */
static void miss(struct line_sim *sim, uint64_t time)
{
    while (sim->head != sim->tail && sim->queue[sim->head].time <= time) {
        sim->edge = sim->queue[sim->head].time;
        sim->head = (sim->head + 1) % (sizeof sim->queue / sizeof sim->queue[0]);
    }
}

void line_sim_spend(struct line_sim *sim, uint32_t etus)
{
    uint64_t end = sim->now + etus;

    judge(sim, &sim->to_card);
    let_device(sim, end);
    sim->now = end > sim->now ? end : sim->now;
    miss(sim, sim->now);
}

static enum cos_result receive(void *context, uint8_t *character, uint32_t etus)
{
    struct line_sim *sim = context;
    uint64_t deadline = etus != 0 ? sim->edge + etus : LINE_NEVER;

    for (;;) {
        uint64_t due = sim->device.due(sim->device.context);
        uint64_t coming = sim->head != sim->tail ? sim->queue[sim->head].time : LINE_NEVER;

        if (sim->reset) {
            return COS_E_LINE_RESET;
        }
        if (coming != LINE_NEVER && coming <= due && coming <= deadline) {
            bool good = sim->queue[sim->head].good;
            *character = sim->queue[sim->head].character;
            sim->head = (sim->head + 1) % (sizeof sim->queue / sizeof sim->queue[0]);
            sim->now = coming > sim->now ? coming : sim->now;
            sim->edge = coming;
            hear(&sim->to_card, *character, good);
            return good ? COS_OK : COS_E_LINE_PARITY;
        }
        if (due != LINE_NEVER && due <= deadline) {
            sim->now = due > sim->now ? due : sim->now;
            sim->device.wake(sim->device.context);
            continue;
        }
        if (deadline == LINE_NEVER) {
            sim->idle = true;
            return COS_E_LINE_RESET;
        }
        sim->now = deadline > sim->now ? deadline : sim->now;
        judge(sim, &sim->to_card);
        return COS_E_LINE_SILENT;
    }
}

static enum cos_result send(void *context, uint8_t character, uint32_t etus)
{
    struct line_sim *sim = context;
    struct fate fate;
    uint64_t time;

    if (etus != 0) {
        judge(sim, &sim->to_card);
        sim->to_device.sent_length = 0;
    }
    time = sim->edge + (etus > sim->card_guard ? etus : sim->card_guard);
    time = time > sim->now ? time : sim->now;
    let_device(sim, time);
    if (sim->reset) {
        return COS_E_LINE_RESET;
    }
    say(&sim->to_device, character);
    fate = fate_of(sim, character);
    time += fate.late;
    let_device(sim, time);
    for (size_t i = 0; i < fate.count; i++) {
        time += i != 0 ? CHARACTER : 0;
        miss(sim, time + CHARACTER - 1);
        sim->now = sim->edge = time;
        if (time >= sim->device_until && !sim->reset) {
            hear(&sim->to_device, fate.characters[i], fate.good[i]);
            sim->device.character(sim->device.context, fate.characters[i], fate.good[i]);
        }
    }
    sim->now = sim->now > time ? sim->now : time;
    if (fate.count == 0) {
        sim->edge = time; /* the card has sent it all the same */
    }
    return sim->reset ? COS_E_LINE_RESET : COS_OK;
}

static void set(void *context, const struct cos_line_parameters *parameters)
{
    struct line_sim *sim = context;

    sim->card_guard = parameters->guard;
}

static uint32_t elapsed(void *context)
{
    struct line_sim *sim = context;

    return (uint32_t)(sim->now - sim->edge);
}

void line_sim_start(struct line_sim *sim, uint64_t seed)
{
    memset(sim, 0, sizeof *sim);
    sim->card = (struct cos_line){sim, set, send, receive, elapsed};
    sim->random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    sim->random = sim->random != 0 ? sim->random : 1;
    sim->card_guard = CHARACTER;
    sim->single = LINE_FAULTS;
    sim->to_card.heard_well = sim->to_device.heard_well = true;
}
