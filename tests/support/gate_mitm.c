/* SPDX-License-Identifier: Apache-2.0 */
#include "gate_mitm.h"

#include "gate_rig.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static uint32_t choose(struct mitm *mitm, uint32_t bound)
{
    return mitm->script != NULL ? cos_read16(mitm->script) % bound : sim_below(&mitm->seed, bound);
}

static void put(struct mitm *mitm, bool to_secure, const struct bench_frame *frame)
{
    struct bench *bench = mitm->bench;
    size_t *count = to_secure ? &bench->to_secure_count : &bench->to_app_count;

    if (*count < BENCH_QUEUE) {
        (to_secure ? bench->to_secure : bench->to_app)[(*count)++] = *frame;
    }
}

static void flip(struct mitm *mitm, struct bench_frame *frame)
{
    uint32_t bit = choose(mitm, (uint32_t)(8 * frame->length));

    frame->bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
}

/* Requests in the clear that would be worth something if anybody listened. */
static void inject(struct mitm *mitm)
{
    static const struct {
        uint8_t opcode, length, message[20];
    } wishes[] = {
        {COS_GATE_LIFE, 3, {COS_LIFE_SET, 0, 0xFF}},
        {COS_GATE_LIFE, 3, {COS_LIFE_SET, 0, 0x7F}},
        {COS_GATE_LIFE, 2, {COS_LIFE_CHALLENGE, 3}},
        {COS_GATE_PIN, 4, {COS_PIN_RESET_ONLY, 0, 0x81, 0}},
        {COS_GATE_PIN, 10, {COS_PIN_RESET, 0, 0x81, 0, '9', '9', '9', '9', '9', '9'}},
        {COS_GATE_KEY, 4, {COS_KEY_DELETE, 0, 0x81, 0}},
        {COS_GATE_HELLO, 18, {COS_HELLO_BEGIN, 1}},
        {COS_GATE_HELLO, 9, {COS_HELLO_CONFIRM}},
        {COS_GATE_CONTEXT, 2, {COS_CONTEXT_DROP, 0}},
        {COS_GATE_STATUS, 0, {0}},
    };
    const size_t i = choose(mitm, COUNT(wishes));
    struct bench_frame frame;

    (void)gate_rig_plain(choose(mitm, 1000), wishes[i].opcode, wishes[i].message, wishes[i].length,
                         &frame);
    put(mitm, true, &frame);
}

static unsigned play(struct mitm *mitm, enum mitm_trick trick, bool to_secure,
                     struct bench_frame *frame)
{
    switch (trick) {
    case TRICK_FLIP:
        flip(mitm, frame);
        return 1;
    case TRICK_DROP:
        return 0;
    case TRICK_DOUBLE:
        return 2;
    case TRICK_TRUNCATE:
        frame->length -= 1 + choose(mitm, (uint32_t)frame->length);
        return 1;
    case TRICK_FORGE:
        flip(mitm, frame);
        gate_rig_repair(frame);
        return 1;
    case TRICK_REPLAY:
        put(mitm, to_secure, &mitm->kept[choose(mitm, (uint32_t)mitm->kept_count)]);
        return 1;
    case TRICK_REORDER:
        mitm->held = *frame;
        mitm->holding = true;
        mitm->held_to_secure = to_secure;
        return 0;
    case TRICK_INJECT:
        inject(mitm);
        return 1;
    default:
        put(mitm, !to_secure, frame);
        return 1;
    }
}

/* Whether he plays a trick with this frame, and which. */
static bool wants_to(struct mitm *mitm, enum mitm_trick *trick)
{
    if (mitm->script != NULL) {
        const uint8_t byte = mitm->script->length > 0 ? cos_read8(mitm->script) : 0xFF;
        *trick = (enum mitm_trick)byte;
        return byte < mitm->tricks;
    }
    if (sim_below(&mitm->seed, 100) >= mitm->percent) {
        return false;
    }
    *trick = (enum mitm_trick)sim_below(&mitm->seed, mitm->tricks);
    return true;
}

static unsigned tap(void *context, bool to_secure, uint8_t *bytes, size_t *length)
{
    struct mitm *mitm = context;
    struct bench_frame frame = {.length = *length};
    enum mitm_trick trick;
    unsigned times = 1;

    memcpy(frame.bytes, bytes, *length);
    mitm->kept[mitm->kept_count < MITM_KEPT ? mitm->kept_count++
                                            : sim_below(&mitm->seed, MITM_KEPT)] = frame;
    if (mitm->holding && mitm->held_to_secure == to_secure) {
        put(mitm, to_secure, &frame); /* the later one first */
        frame = mitm->held;
        mitm->holding = false;
    } else if (wants_to(mitm, &trick)) {
        mitm->played++;
        mitm->malicious += trick >= TRICK_FORGE ? 1 : 0;
        times = play(mitm, trick, to_secure, &frame);
    }
    memcpy(bytes, frame.bytes, frame.length);
    *length = frame.length;
    return times;
}

void mitm_start(struct mitm *mitm, struct bench *bench, uint64_t seed, unsigned tricks)
{
    *mitm = (struct mitm){.bench = bench, .seed = seed, .tricks = tricks};
    mitm_tap(mitm);
}

void mitm_tap(struct mitm *mitm)
{
    mitm->bench->tap = tap;
    mitm->bench->tap_context = mitm;
    mitm->holding = false;
}

void mitm_read(struct mitm *mitm, struct cos_reader *script)
{
    mitm->script = script;
}
