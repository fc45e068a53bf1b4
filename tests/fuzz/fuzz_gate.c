/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzz target: the security chip of a personalized card with keys of every kind, seen from an app
 * chip that was taken over. The first byte chooses what the holder and the issuer have done before
 * (below), on one channel or on several; the rest is a sequence of calls in a valid session, frames
 * in the clear, raw frames, repeated and older frames. After each, the promises of gate_model.h
 * must hold, and at the end no secret may stand in what was answered; abort() marks what no input
 * may lead to.
 */
#include "gate_model.h"
#include "rig.h"

#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS = 48, KEPT = 8 };

enum card {
    CARD_AT_REST,
    CARD_ASKED,     /* a harmless command of the issuer's is open */
    CARD_VERIFIES,  /* a VERIFY is, whose PIN is held */
    CARD_VERIFIED,  /* PIN 3 was verified, in the clear; keys are set */
    CARD_MUTUAL,    /* a command under mutual key 14 is open */
    CARD_SIGNS,     /* PIN 3 was verified, and a signature is what the open command asks for */
    CARD_GENERATES, /* the open command asks for a new key pair 7 */
    CARD_CHANNELS,  /* channel 0: the issuer's session; 1: PIN 3 was verified; 2: mutual key 14 */
    CARD_ON_2,      /* the same, and a command is open on channel 2 */
    CARDS
};

enum step { CALL, PLAIN, RAW, FORGED, AGAIN, OLDER, HELLO, KINDS };

static struct bench bench;
static struct gate_snapshot cards[CARDS];
static struct gate_rig rig;
static struct gate_model model;
static struct hunt hunt;
static struct bench_frame kept[KEPT];
static unsigned kept_count;

/* ---- Cards ---- */

static void open_command(enum card card, const struct bytes *apdu)
{
    uint8_t message[1 + BYTES_MAX] = {0};
    struct cos_span body;

    message[0] = apdu->data[0] & 0x03;
    memcpy(message + 1, apdu->data, apdu->length);
    const struct cos_span part = {message, 1 + apdu->length};
    rig_must(cos_gate_call(&bench.app.gate, COS_GATE_SM_OPEN, &part, 1, &body) == COS_OK,
             "SM_OPEN");
    gate_snapshot_save(&bench, &cards[card]);
}

/* Leaves a command of the issuer's open, in hexadecimal text, behind others that are sent whole. */
static void open_for_issuer(enum card card, const char *const *before, size_t count,
                            const char *text)
{
    uint8_t plain[BENCH_APDU_MAX];
    struct bytes apdu = {0};
    size_t length;

    gate_snapshot_restore(&bench, &cards[CARD_AT_REST]);
    rig_must(bench_sm_open(&bench, 0x01, 0x03) == 0x9000, "SCP03");
    for (size_t i = 0; i < count; i++) {
        rig_must(bench_sm_hex(&bench, before[i]) == 0x9000, before[i]);
    }
    rig_must(hex_read(text, plain, sizeof plain, &length) && length >= 4, text);
    const struct command command = {
        plain[0], plain[1], plain[2], plain[3], plain + 5, length > 5 ? length - 5 : 0, 256};
    rig_must(scp03_wrap(&bench.scp03, &command, &apdu), "wrapping");
    open_command(card, &apdu);
}

static void open_for_terminal(enum card card)
{
    const struct command command = {.ins = 0xB0, .p1 = 0x81, .ne = 16};
    struct iso_sm sm = rig_mutual_key();
    struct bytes apdu = {0};

    gate_snapshot_restore(&bench, &cards[CARD_AT_REST]);
    rig_must(iso_authenticate(&bench, RIG_MUTUAL, &sm) == 0x9000, "MUTUAL AUTHENTICATE");
    iso_wrap(&sm, &command, &apdu);
    open_command(card, &apdu);
}

/* Channels 1 and 2 are open; the app chip binds 2 to the application without being in it. */
static void use_channels(void)
{
    static const char *const before[] = {
        "00A4000C 02 3F00",        "0070000001", "01A4040C 09 F05457494E434F5301",
        ("01200083 08" RIG_PIN_3), "0070000001", "0122C1B6 03 840185",
    };
    static const uint8_t bind[] = {
        COS_CONTEXT_BIND, 2, 0xF0, 'T', 'W', 'I', 'N', 'C', 'O', 'S', 0x01};
    const struct cos_span part = {bind, sizeof bind};
    const struct command command = {.cla = 2, .ins = 0x20, .p2 = 0x81, .ne = 0};
    struct iso_sm sm = rig_mutual_key();
    struct bytes apdu = {0};
    struct cos_span body;

    gate_snapshot_restore(&bench, &cards[CARD_AT_REST]);
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
        rig_must(bench_hex(&bench, before[i]) == 0x9000, before[i]);
    }
    rig_must(cos_gate_call(&bench.app.gate, COS_GATE_CONTEXT, &part, 1, &body) == COS_OK, "BIND");
    sm.channel = 2;
    rig_must(iso_authenticate(&bench, RIG_MUTUAL, &sm) == 0x9000, "MUTUAL AUTHENTICATE");
    rig_must(bench_sm_open(&bench, 0x01, 0x33) == 0x9000, "SCP03");
    gate_snapshot_save(&bench, &cards[CARD_CHANNELS]);
    iso_wrap(&sm, &command, &apdu);
    open_command(CARD_ON_2, &apdu);
}

static void verify_in_the_clear(void)
{
    static const char *const before[] = {
        ("00200083 08" RIG_PIN_3),
        "0022C1B6 03 840185",
        "0022C1B8 03 840189",
        "0022C1B4 03 84018A",
    };

    gate_snapshot_restore(&bench, &cards[CARD_AT_REST]);
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
        rig_must(bench_hex(&bench, before[i]) == 0x9000, before[i]);
    }
    gate_snapshot_save(&bench, &cards[CARD_VERIFIED]);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char *const sign[] = {("00200083 08" RIG_PIN_3), "0022C1B6 03 840185"};

    (void)argc;
    (void)argv;
    rig_make_card(&bench);
    rig_list_secrets(&bench, &hunt);
    gate_snapshot_save(&bench, &cards[CARD_AT_REST]);
    open_for_issuer(CARD_ASKED, NULL, 0, "80CA00E0");
    open_for_issuer(CARD_VERIFIES, NULL, 0, "00200083 08" RIG_PIN_3);
    verify_in_the_clear();
    open_for_terminal(CARD_MUTUAL);
    open_for_issuer(CARD_SIGNS, sign, 2, "002A9E9A 14 0102030405060708090A0B0C0D0E0F1011121314");
    open_for_issuer(CARD_GENERATES, NULL, 0, "00478000 05 B603840187");
    use_channels();
    return 0;
}

/* ---- Steps ---- */

static void keep(const struct bench_frame *frame)
{
    kept[kept_count++ % KEPT] = *frame;
}

/* What the app chip gets to see: the frames as they are, and what is in them. */
static void see_answer(void)
{
    hunt_see(&hunt, rig.last.bytes, rig.last.length);
    hunt_see(&hunt, rig.body, rig.length);
}

static void check_answer(uint8_t opcode)
{
    const struct cos_gate_row *row = cos_gate_row(opcode);
    const char *broken = gate_model_answered(&bench, &model, rig.result);

    rig_must(broken == NULL, broken);
    rig_must(rig.result <= 0, "a result is an enum cos_result");
    rig_must(rig.result == COS_OK || rig.length == 0, "nothing is copied out on error");
    rig_must(rig.length <= (row != NULL ? row->response : 0), "an answer fits the table");
    see_answer();
}

/* A sealed call: answered once, within the table's limits, and the same once more if repeated. */
static void call(uint8_t opcode, const uint8_t *message, size_t length)
{
    const bool open = bench.secure.gate.open && bench.secure.gate.session == rig.session;
    struct bench_frame request, first;

    if (gate_model_terminals(&bench, opcode, message, length)) {
        return;
    }
    gate_model_ask(&bench, &model, opcode, message, length);
    (void)gate_rig_seal(&rig, ++rig.sequence, opcode, message, length, &request);
    keep(&request);
    (void)gate_rig_deliver(&rig, &request);
    rig_must(rig.answers == (open ? 1 : 0), "a request of the session has one answer");
    if (!open) {
        return;
    }
    rig_must(gate_rig_open(&rig, &request), "the answer is authentic");
    check_answer(opcode);
    first = rig.last;
    const uint64_t operations = bench.power.operations;
    (void)gate_rig_deliver(&rig, &request);
    rig_must(rig.answers == 1 && rig.last.length == first.length &&
                 memcmp(rig.last.bytes, first.bytes, first.length) == 0,
             "a repeated request has the same answer");
    rig_must(bench.power.operations == operations, "a repeated request does nothing");
}

static void plain(uint8_t opcode, const uint8_t *message, size_t length)
{
    struct bench_frame request;

    (void)gate_rig_plain(kept_count, opcode, message, length, &request);
    keep(&request);
    (void)gate_rig_deliver(&rig, &request);
    rig_must(rig.answers == 1, "a request in the clear has one answer");
    rig_must(gate_rig_open(&rig, &request), "the answer fits the request");
    rig_must(rig.result != COS_OK || opcode == COS_GATE_STATUS || opcode == COS_GATE_HELLO,
             "in the clear there is STATUS and HELLO");
    see_answer();
}

static void raw(struct cos_reader *input, bool forged)
{
    struct bench_frame frame = {0};

    frame.length = rig_take(input, frame.bytes, cos_read8(input));
    if (forged && frame.length >= 16) {
        cos_put16(frame.bytes, (uint16_t)(frame.length - 6));
        cos_put32(frame.bytes + 4, rig.session);
        gate_rig_repair(&frame);
    }
    keep(&frame);
    (void)gate_rig_deliver(&rig, &frame);
    rig_must(rig.answers <= 1, "one frame, one answer");
}

static void one_step(struct cos_reader *input)
{
    const uint8_t kind = cos_read8(input);
    uint8_t message[COS_GATE_MESSAGE_MAX];

    switch (kind % KINDS) {
    case CALL:
    case PLAIN: {
        const uint8_t opcode = cos_read8(input);
        const size_t length = rig_take(input, message, cos_read8(input));
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
            rig_must(gate_rig_hello(&rig, &bench), "HELLO opens a session");
        }
        break;
    }
}

static void check(uint16_t attacks)
{
    rig_must(bench.secure.attacks >= attacks, "attacks are not forgotten");
    rig_must(bench.secure.alive == COS_YES || bench.secure.verdict == COS_VERDICT_ATTACKED,
             "nothing but attacks mutes the chip");
    const char *broken = gate_model_broken(&bench, &model, bench.secure.in_sm);
    rig_must(broken == NULL, broken);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cos_reader input = cos_reader(data, size);

    if (hunt_find(&hunt, data, size) != NULL) {
        return 0; /* who knows a secret, may see it */
    }
    gate_snapshot_restore(&bench, &cards[cos_read8(&input) % CARDS]);
    gate_rig_take(&rig, &bench);
    gate_model_take(&bench, &model);
    kept_count = 0;
    hunt.seen_length = 0;
    for (unsigned step = 0; step < STEPS && input.length > 0; step++) {
        const uint16_t attacks = bench.secure.attacks;
        one_step(&input);
        check(attacks);
    }
    model.operations++; /* once more whether there was a write or not */
    check(0);
    rig_must(hunt_find(&hunt, hunt.seen, hunt.seen_length) == NULL, "a secret was seen");
    return 0;
}
