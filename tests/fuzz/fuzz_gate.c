/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzz target: the security chip of a personalized card, seen from an app chip that was taken over.
 * The input is a sequence of calls in a valid session, frames in the clear, raw frames, repeated
 * and older frames. After each, the promises of gate_model.h must hold; abort() marks what no input
 * may lead to.
 */
#include "gate_model.h"
#include "gate_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    STEPS = 48,
    KEPT = 8,
    CARDS = 3, /* at rest; a harmless command of the issuer's is open; one whose PIN is held */
};

enum step { CALL, PLAIN, RAW, FORGED, AGAIN, OLDER, HELLO, KINDS };

static struct bench bench;
static struct gate_snapshot cards[CARDS];
static struct gate_rig rig;
static struct gate_model model;
static struct bench_frame kept[KEPT];
static unsigned kept_count;

static void must(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "fuzz_gate: %s\n", what);
        abort();
    }
}

static void open_for_issuer(struct gate_snapshot *card, const struct command *command)
{
    uint8_t message[1 + BYTES_MAX] = {0};
    struct bytes apdu = {0};
    struct cos_span body;

    gate_snapshot_restore(&bench, &cards[0]);
    must(bench_sm_open(&bench, 0x01, 0x03) == 0x9000, "SCP03");
    must(scp03_wrap(&bench.scp03, command, &apdu), "wrapping");
    memcpy(message + 1, apdu.data, apdu.length);
    const struct cos_span part = {message, 1 + apdu.length};
    must(cos_gate_call(&bench.app.gate, COS_GATE_SM_OPEN, &part, 1, &body) == COS_OK, "SM_OPEN");
    gate_snapshot_save(&bench, card);
}

static void make_cards(void)
{
    const struct command harmless = {0x80, 0xCA, 0x00, 0xE0, NULL, 0, 256};
    const struct command with_pin = {0x00, 0x20, 0x00, 0x81, (const uint8_t *)BENCH_PIN, 6, 0};

    bench_make(&bench, &bench_small);
    must(bench_hex(&bench, "00A40400 09 F05457494E434F5301") == 0x9000, "SELECT");
    gate_snapshot_save(&bench, &cards[0]);
    open_for_issuer(&cards[1], &harmless);
    open_for_issuer(&cards[2], &with_pin);
}

/* Takes up to `length` bytes of the input. */
static size_t take(struct cos_reader *input, uint8_t *to, size_t length)
{
    length = length < input->length ? length : input->length;
    if (length > 0) {
        memcpy(to, cos_read_bytes(input, length), length);
    }
    return length;
}

static void keep(const struct bench_frame *frame)
{
    kept[kept_count++ % KEPT] = *frame;
}

/* A sealed call: answered once, within the table's limits, and the same once more if repeated. */
static void call(uint8_t opcode, const uint8_t *message, size_t length)
{
    const struct cos_gate_row *row = cos_gate_row(opcode);
    const bool open = bench.secure.gate.open && bench.secure.gate.session == rig.session;
    struct bench_frame request, first;

    if (gate_model_terminals(&bench, opcode, message, length)) {
        return;
    }
    (void)gate_rig_seal(&rig, ++rig.sequence, opcode, message, length, &request);
    keep(&request);
    (void)gate_rig_deliver(&rig, &request);
    must(rig.answers == (open ? 1 : 0), "a request of the session has one answer");
    if (!open) {
        return;
    }
    must(gate_rig_open(&rig, &request), "the answer is authentic");
    must(rig.result <= 0, "a result is an enum cos_result");
    must(rig.result == COS_OK || rig.length == 0, "nothing is copied out on error");
    must(rig.length <= (row != NULL ? row->response : 0), "an answer fits the table");
    first = rig.last;
    (void)gate_rig_deliver(&rig, &request);
    must(rig.answers == 1 && rig.last.length == first.length &&
             memcmp(rig.last.bytes, first.bytes, first.length) == 0,
         "a repeated request has the same answer");
}

static void plain(uint8_t opcode, const uint8_t *message, size_t length)
{
    struct bench_frame request;

    (void)gate_rig_plain(kept_count, opcode, message, length, &request);
    keep(&request);
    (void)gate_rig_deliver(&rig, &request);
    must(rig.answers == 1, "a request in the clear has one answer");
    must(gate_rig_open(&rig, &request), "the answer fits the request");
    must(rig.result != COS_OK || opcode == COS_GATE_STATUS || opcode == COS_GATE_HELLO,
         "in the clear there is STATUS and HELLO");
}

static void raw(struct cos_reader *input, bool forged)
{
    struct bench_frame frame = {0};

    frame.length = take(input, frame.bytes, cos_read8(input));
    if (forged && frame.length >= 16) {
        cos_put16(frame.bytes, (uint16_t)(frame.length - 6));
        cos_put32(frame.bytes + 4, rig.session);
        gate_rig_repair(&frame);
    }
    keep(&frame);
    (void)gate_rig_deliver(&rig, &frame);
    must(rig.answers <= 1, "one frame, one answer");
}

static void one_step(struct cos_reader *input)
{
    const uint8_t kind = cos_read8(input);
    uint8_t message[COS_GATE_MESSAGE_MAX];

    switch (kind % KINDS) {
    case CALL:
    case PLAIN: {
        const uint8_t opcode = cos_read8(input);
        const size_t length = take(input, message, cos_read8(input));
        kind % KINDS == CALL ? call(opcode, message, length) : plain(opcode, message, length);
        break;
    }
    case RAW:
        raw(input, false);
        break;
    case FORGED:
        raw(input, true);
        break;
    case AGAIN:
    case OLDER:
        if (kept_count > 0) {
            const unsigned back = kind % KINDS == AGAIN ? 1 : 1 + cos_read8(input) % KEPT;
            (void)gate_rig_deliver(&rig,
                                   &kept[(kept_count - (back < kept_count ? back : 1)) % KEPT]);
        }
        break;
    default:
        if (bench.secure.alive == COS_YES) {
            must(gate_rig_hello(&rig, &bench), "HELLO opens a session");
        }
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool made;
    struct cos_reader input = cos_reader(data, size);

    if (!made) {
        make_cards();
        made = true;
    }
    const unsigned card = cos_read8(&input) % CARDS;
    gate_snapshot_restore(&bench, &cards[card]);
    gate_rig_take(&rig, &bench);
    gate_model_take(&bench, &model);
    kept_count = 0;
    for (unsigned step = 0; step < STEPS && input.length > 0; step++) {
        const uint16_t attacks = bench.secure.attacks;
        one_step(&input);
        must(bench.secure.attacks >= attacks, "attacks are not forgotten");
        must(bench.secure.alive == COS_YES || bench.secure.verdict == COS_VERDICT_ATTACKED,
             "nothing but attacks mutes the chip");
        const char *broken = gate_model_broken(&bench, &model, bench.secure.in_sm);
        must(broken == NULL || bench.secure.alive != COS_YES, broken);
    }
    return 0;
}
