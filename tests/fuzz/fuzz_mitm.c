/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzz target: a man in the middle of the link of a whole card. The input is a sequence of commands
 * from outside (a table below, or an APDU as it stands in the input), each with a script of what he
 * does to the frames on the link meanwhile (gate_mitm.h). Each command runs twice from the same
 * state: on an honest line first, which says what it does; then with him, and then
 *  - what it reports as done is what the honest line reports and does, to the byte;
 *  - what it does not report as done was done once, or not at all;
 *  - a frame that he kept back is still the app chip's: it may do late, and once, what it was for;
 *  - the attack counter counts just the frames of a session that are none of the app chip's, or not
 *    the next one or the last one, and each of them ends session and security status;
 *  - the chip is mute after so many of them, the card after a session that it could not open anew;
 *  - no secret stands on the line, nor in an answer;
 *  - on an honest line all goes on, after a reset at the latest.
 * abort() marks what no input may lead to.
 */
#include "gate_mitm.h"
#include "memory.h"
#include "mitm_rows.h"
#include "rig.h"

#include <stdio.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS = 24, SCRIPT = 64, SENT = 8 };

/* ---- Commands ---- */

/* What is no row, and then those. */
enum special {
    BY_ISSUER = ROWS,
    BY_TERMINAL,
    AUTHENTICATE,
    AUTHENTICATE_WRONG,
    RESET,
    FREE,
    ON_CHANNELS,
    ENDS = ON_CHANNELS + CHANNEL_ROWS
};

static const struct row *row_of(unsigned command)
{
    if (command < ROWS) {
        return &rows[command];
    }
    return command >= ON_CHANNELS ? &channel_rows[command - ON_CHANNELS] : NULL;
}

static bool has_chance(unsigned command)
{
    const struct row *row = row_of(command);

    return row == NULL || row->answer == CHANCE;
}

static struct bench bench;
static struct gate_snapshot fresh, before;
static struct mitm mitm;
static struct hunt hunt, answers; /* on the line, and at the contacts */

/* The world's side. */
static struct terminal {
    struct iso_sm iso;
    bool under_issuer, under_key;
    uint8_t challenge[16];
    size_t challenge_length;
} terminal;

struct step {
    unsigned command;
    uint8_t apdu[256];
    size_t length;
};

static void send_row(const struct row *row)
{
    if (row->how == CLEAR) {
        (void)bench_hex(&bench, row->apdu);
    } else if (row->how == ISSUER && terminal.under_issuer) {
        (void)bench_sm_hex(&bench, row->apdu);
    } else if (row->how == TERMINAL && terminal.under_key) {
        (void)iso_send(&bench, &terminal.iso, row->apdu);
        rig_must(bench.sw != 0, "what is protected is authentic");
    }
}

static void authenticate(bool right)
{
    uint8_t apdu[21] = {0x00, 0x82, 0x00, 0x83, 16};

    if (terminal.challenge_length == 16) {
        rig_must(crypto_aes_ecb(bench_external_key, 16, CRYPTO_ENCIPHER, terminal.challenge, 16,
                                apdu + 5),
                 "AES");
        apdu[5] ^= right ? 0 : 1;
        (void)bench_apdu(&bench, apdu, sizeof apdu);
    }
}

static void perform(const struct step *step)
{
    bench.sw = 0x9000; /* of what is left out */
    bench.length = 0;
    switch (step->command) {
    case BY_ISSUER:
        terminal.under_issuer = bench_sm_open(&bench, 0x01, 0x33) == 0x9000;
        break;
    case BY_TERMINAL:
        terminal.iso = rig_mutual_key();
        terminal.under_key = iso_authenticate(&bench, RIG_MUTUAL, &terminal.iso) == 0x9000;
        break;
    case AUTHENTICATE:
    case AUTHENTICATE_WRONG:
        authenticate(step->command == AUTHENTICATE);
        break;
    case FREE:
        if (step->length > 0) {
            (void)bench_apdu(&bench, step->apdu, step->length);
        }
        break;
    default:
        send_row(row_of(step->command));
        break;
    }
    terminal.challenge_length = bench.sw == 0x9000 && bench.length == 16 ? 16 : 0;
    memcpy(terminal.challenge, bench.data, sizeof terminal.challenge);
}

/* ---- The line, and what the security chip must think of each frame ---- */

static struct watch {
    struct {
        unsigned command; /* in which the app chip sent it */
        struct bench_frame frame;
    } sent[SENT]; /* in sessions, the last ones */
    unsigned count, command;
    uint16_t attacks; /* as they must have been counted */
    bool attacked;    /* by the last frame */
    bool late;        /* a frame of an earlier command was good in this one */
    bool was_late;    /* it was the last frame */
} watch;
static struct cos_link app_line, secure_line;  /* the bench's own */
static struct memory lost_before, lost_honest; /* of the command that lost the session */
static unsigned lost_command;

static bool same_frame(const struct bench_frame *a, const uint8_t *bytes, size_t length)
{
    return a->length == length && memcmp(a->bytes, bytes, length) == 0;
}

/* Whether anything is authenticated on any channel. */
static bool has_status(void)
{
    bool any = false;

    for (uint8_t i = 0; i < COS_CHANNELS; i++) {
        const struct cos_channel *channel = &bench.secure.channels[i];
        any = any || (channel->pins_global | channel->pins_local | channel->keys_global |
                      channel->keys_local) != 0;
    }
    for (size_t i = 0; i < COS_SM_SESSIONS; i++) {
        any = any || bench.secure.sessions[i].open == COS_YES;
    }
    return any;
}

/* What the last frame did. */
static void check_last_frame(void)
{
    static struct memory now;

    rig_must(bench.secure.attacks == watch.attacks, "attacks, and nothing else, are counted");
    if (watch.attacked) {
        rig_must(!bench.secure.gate.open, "an attack ends the session");
        rig_must(!bench.secure.in_sm && !has_status(), "an attack ends all status");
    }
    if (watch.was_late && watch.command > 0) {
        memory_take(&bench, &now);
        rig_must(memory_same(&now, &lost_before) || memory_same(&now, &lost_honest),
                 "a late frame does what it was for, once");
    }
    watch.attacked = watch.was_late = false;
}

/* Worked out here once more: which frames are attacks. */
static void watch_frame(const uint8_t *bytes, size_t length)
{
    const struct cos_gate_server *server = &bench.secure.gate;
    uint8_t copy[COS_LINK_FRAME_MAX];
    struct frame frame;

    memcpy(copy, bytes, length);
    if (cos_frame_parse(copy, length, &frame) != COS_OK || frame.direction != FRAME_REQUEST ||
        frame.session == 0 || !server->open || frame.session != server->session) {
        return;
    }
    const bool again = server->sequence != 0 && frame.sequence == server->sequence;
    const bool next = frame.sequence == server->sequence + 1;
    for (unsigned i = 0; i < SENT && (again || next); i++) {
        if (same_frame(&watch.sent[i].frame, bytes, length)) {
            watch.was_late = next && watch.sent[i].command != watch.command;
            watch.late = watch.late || watch.was_late;
            rig_must(!watch.was_late || watch.sent[i].command == lost_command,
                     "only the command that lost the session left a frame");
            return;
        }
    }
    watch.attacked = true;
    watch.attacks++;
}

static enum cos_result watched_receive(void *context, uint8_t *frame, size_t capacity,
                                       size_t *length, uint32_t timeout)
{
    check_last_frame();
    const enum cos_result result = secure_line.receive(context, frame, capacity, length, timeout);
    if (result == COS_OK) {
        watch_frame(frame, *length);
    }
    return result;
}

static enum cos_result watched_send(void *context, const uint8_t *frame, size_t length)
{
    hunt_see(&hunt, frame, length);
    return secure_line.send(context, frame, length);
}

static enum cos_result watched_ask(void *context, const uint8_t *frame, size_t length)
{
    hunt_see(&hunt, frame, length);
    if (cos_get32(frame + 4) != 0) {
        const unsigned last = (watch.count + SENT - 1) % SENT;
        if (watch.count == 0 || !same_frame(&watch.sent[last].frame, frame, length)) {
            watch.sent[watch.count % SENT].command = watch.command;
            watch.sent[watch.count % SENT].frame.length = length;
            memcpy(watch.sent[watch.count++ % SENT].frame.bytes, frame, length);
        }
    }
    return app_line.send(context, frame, length);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    rig_make_card(&bench);
    rig_list_secrets(&bench, &hunt);
    answers = hunt;
    answers.count--; /* whoever satisfies its rule reads the file */
    app_line = bench.app_link;
    secure_line = bench.secure_link;
    bench.app_link.send = watched_ask;
    bench.secure_link.send = watched_send;
    bench.secure_link.receive = watched_receive;
    gate_snapshot_save(&bench, &fresh);
    return 0;
}

/* ---- Steps ---- */

struct report {
    uint16_t sw;
    size_t length;
    uint8_t data[BENCH_RESPONSE];
    struct memory memory;
};

static void take_report(struct report *report)
{
    report->sw = bench.sw;
    report->length = bench.length;
    memcpy(report->data, bench.data, bench.length);
    memory_take(&bench, &report->memory);
}

/* Frames that nobody fetched are gone; what he kept he still has. */
static void clear_line(void)
{
    bench.to_secure_count = bench.to_app_count = 0;
    mitm.holding = false;
}

/* A status that says what was done. */
static bool is_report(uint16_t sw)
{
    return sw == 0x9000 || (sw >> 8 >= 0x61 && sw >> 8 <= 0x63);
}

static bool is_same_answer(const struct step *step, const struct report *a, const struct report *b)
{
    return a->length == b->length &&
           (has_chance(step->command) || memcmp(a->data, b->data, a->length) == 0);
}

static void check_report(const struct step *step, const struct memory *was,
                         const struct report *honest, const struct report *now)
{
    if (watch.late) {
        return; /* the honest line had no frame from before */
    }
    if (is_report(now->sw)) {
        rig_must(now->sw == honest->sw, "what is reported is what an honest line reports");
        rig_must(is_same_answer(step, now, honest), "an answer is not altered");
        rig_must(memory_same(&now->memory, &honest->memory), "what is reported was done, once");
        rig_must(now->memory.app == honest->memory.app || has_chance(step->command),
                 "and in the app chip, too");
    } else {
        rig_must(memory_same(&now->memory, was) || memory_same(&now->memory, &honest->memory),
                 "what is not reported was done once, or not at all");
    }
}

/* Why nothing but 6F00 is answered any more. */
static void check_mute(bool was_open)
{
    const struct cos_secure *secure = &bench.secure;

    rig_must(secure->alive == COS_YES ||
                 (secure->verdict == COS_VERDICT_ATTACKED &&
                  (secure->attacks_now >= COS_ATTACK_MUTE || secure->attacks >= COS_ATTACK_DEAD)),
             "nothing but attacks mutes the security chip");
    rig_must(!bench.app.mute || secure->alive != COS_YES || !was_open,
             "the app chip is mute when it could not open a session");
    rig_must(secure->life_cycle == COS_LIFE_OPERATIONAL, "the life cycle stays");
}

static void play(const struct step *step, struct cos_reader *script)
{
    static struct report honest, now;
    static struct memory was;
    const struct terminal terminal_before = terminal;
    const struct watch watch_before = watch;
    const bool was_open = bench.app.gate.open;

    memory_take(&bench, &was);
    gate_snapshot_save(&bench, &before);
    perform(step);
    check_last_frame();
    take_report(&honest);
    gate_snapshot_restore(&bench, &before);
    terminal = terminal_before;
    watch = watch_before;
    mitm_read(&mitm, script);
    mitm_tap(&mitm);
    perform(step);
    bench.tap = NULL;
    check_last_frame();
    take_report(&now);
    check_report(step, &was, &honest, &now);
    check_mute(was_open);
    if (was_open && !bench.app.gate.open) {
        lost_before = was;
        lost_honest = honest.memory;
        lost_command = watch.command;
    }
}

static void reset(struct cos_reader *script)
{
    bench_power_off(&bench);
    mitm_read(&mitm, script);
    mitm_tap(&mitm);
    const bool started = rig_power_on(&bench);
    bench.tap = NULL;
    rig_must(started || script->length == 0 || bench.secure.alive == COS_YES,
             "the security chip starts");
    terminal = (struct terminal){0};
    bench.sw = started ? 0x9000 : 0x6F00;
    bench.length = 0;
    check_last_frame();
}

static void one_step(struct cos_reader *input)
{
    struct step step = {.command = cos_read8(input) % ENDS};
    const size_t length = cos_read8(input) % SCRIPT;
    const size_t there = length < input->length ? length : input->length;
    struct cos_reader script = cos_reader(cos_read_bytes(input, there), there);

    watch.command++;
    watch.late = false;
    clear_line();
    if (step.command == FREE) {
        step.length = rig_take(input, step.apdu, cos_read8(input));
    }
    if (step.command == RESET) {
        reset(&script);
    } else if (there > 0 && !bench.app.mute) {
        play(&step, &script);
    } else {
        perform(&step);
        check_last_frame();
    }
    hunt_see(&answers, bench.data, bench.length);
}

/* All goes on, with a reset if the card is mute; and that changes nothing. */
static void recover(void)
{
    static struct memory was, now;
    const bool alive = bench.secure.alive == COS_YES && !bench.app.mute;

    clear_line();
    memory_take(&bench, &was);
    if (!alive) {
        rig_must(bench_hex(&bench, "0020008100") == 0x6F00, "who is mute says nothing");
        bench_power_off(&bench);
        rig_must(rig_power_on(&bench) || bench.secure.attacks >= COS_ATTACK_DEAD,
                 "a reset gives the card back");
    }
    (void)bench_hex(&bench, "0020008100");
    if (!bench.app.mute) {
        (void)bench_hex(&bench, "00708001"); /* the application is current on one channel */
        (void)bench_hex(&bench, "00708002");
        rig_must(bench_hex(&bench, RIG_SELECT) == 0x9000, "all goes on");
        rig_must(bench.secure.gate.open && bench.app.gate.session == bench.secure.gate.session,
                 "in a session");
    }
    memory_take(&bench, &now);
    rig_must(memory_same(&was, &now), "nothing is changed by going on");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cos_reader input = cos_reader(data, size);

    if (hunt_find(&hunt, data, size) != NULL) {
        return 0; /* who knows a secret, may see it */
    }
    gate_snapshot_restore(&bench, &fresh);
    mitm_start(&mitm, &bench, 1, TRICKS);
    bench.tap = NULL;
    terminal = (struct terminal){0};
    memset(&watch, 0, sizeof watch);
    watch.attacks = bench.secure.attacks;
    lost_command = 0;
    hunt.seen_length = answers.seen_length = 0;
    for (unsigned step = 0; step < STEPS && input.length > 0; step++) {
        one_step(&input);
    }
    recover();
    rig_must(hunt_find(&hunt, hunt.seen, hunt.seen_length) == NULL, "a secret is on the line");
    rig_must(hunt_find(&answers, answers.seen, answers.seen_length) == NULL,
             "a secret is in an answer");
    return 0;
}
