/* SPDX-License-Identifier: Apache-2.0
 *
 * The matrix of the call gate: every opcode, every request length, every life-cycle state, in a
 * session and in the clear, as the link may deliver it. Each cell has one allowed outcome, which
 * is computed here from the call table and from docs/formats.md ("Calls"), not asked of the code.
 */
#include "gate_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- The cards: one for each state of the life cycle ---- */

enum { STATES = COS_LIFE_TERMINATED + 1 };

static struct bench cards[STATES];
static struct gate_snapshot made[STATES];
static struct gate_rig rigs[STATES];

static int make_cards(void **state)
{
    (void)state;
    for (int s = COS_LIFE_FABRICATED; s < STATES; s++) {
        assert_true(gate_rig_at(&rigs[s], &cards[s], (enum cos_life_cycle)s));
        assert_int_equal(rigs[s].session != 0, s != COS_LIFE_FABRICATED);
        rigs[s].session = rigs[s].session != 0 ? rigs[s].session : 0x5E551011; /* nobody's */
        gate_snapshot_save(&cards[s], &made[s]);
    }
    return 0;
}

static int free_cards(void **state)
{
    (void)state;
    for (int s = COS_LIFE_FABRICATED; s < STATES; s++) {
        bench_free(&cards[s]);
        gate_snapshot_free(&made[s]);
    }
    return 0;
}

/* ---- What is allowed ---- */

struct row {
    const char *name;
    unsigned opcode, smallest, largest, response, states, session, served;
};
#define NO   COS_GATE_SESSION_NO
#define YES  COS_GATE_SESSION_YES
#define BOTH COS_GATE_SESSION_BOTH
static const struct row rows[] = {
#define ROW(name, opcode, smallest, largest, response, states, session, served)                    \
    {#name, opcode, smallest, largest, response, states, session, served},
    COS_GATE_CALLS(ROW)
#undef ROW
};

struct cell {
    enum cos_life_cycle state;
    unsigned opcode;
    size_t length;
    bool sealed;
};

/* The one allowed outcome. */
struct verdict {
    bool silent;   /* no answer at all */
    bool executed; /* a handler saw it; else nothing may change but the channel */
    int result;
    size_t body;
};

static const struct row *row_of(unsigned opcode)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].opcode == opcode) {
            return &rows[i];
        }
    }
    return NULL;
}

/* A request of this length, as sensible as the length allows. */
static void fill(const struct cell *cell, uint8_t *message)
{
    static const struct {
        unsigned opcode;
        uint8_t head[6];
    } heads[] = {
        {COS_GATE_HELLO, {COS_HELLO_BEGIN, 0x01}},
        {COS_GATE_CONTEXT, {COS_CONTEXT_BIND, 0x00, 'N', 'A', 'M', 'E'}},
        {COS_GATE_ACCESS, {0x00, 0x9E, 0x01, 0x91}},
        {COS_GATE_PIN, {COS_PIN_VERIFY, 0x00, 0x81, 0x00, '0', '0'}},
        {COS_GATE_CHALLENGE, {0x00, 0x08}},
        {COS_GATE_AUTH, {COS_AUTH_SCP03_BEGIN, 0x00, 0x00}},
        {COS_GATE_KEY, {COS_KEY_ATTRIBUTES, 0x00, 0x00, 0xE0}},
        {COS_GATE_CRYPT, {COS_CRYPT_PSO, 0x00, 0x9E, 0x9A}},
        {COS_GATE_SE, {COS_SE_SET, 0x00, 0xC1, 0xB6, 0x80, 0x01}},
        {COS_GATE_SM_OPEN, {0x00, 0x84, 0xB0, 0x00, 0x00}},
        {COS_GATE_SM_SEAL, {0x00, 0x90, 0x00}},
        {COS_GATE_VAULT, {COS_VAULT_INFO, 0x00, 0x00, 0x01}},
        {COS_GATE_LIFE, {COS_LIFE_RECORD}},
    };

    memset(message, 0, COS_GATE_MESSAGE_MAX);
    for (size_t i = 0; i < COUNT(heads); i++) {
        if (heads[i].opcode == cell->opcode) {
            memcpy(message, heads[i].head, sizeof heads[i].head);
        }
    }
    if (cell->opcode == COS_GATE_HELLO && cell->length == 9) {
        message[0] = COS_HELLO_CONFIRM;
    }
    if (cell->opcode == COS_GATE_SM_OPEN && cell->length > 6) {
        message[5] = (uint8_t)(cell->length - 6 < 255 ? cell->length - 6 : 255); /* Lc */
    }
}

static struct verdict answered(int result, size_t body)
{
    return (struct verdict){.executed = true, .result = result, .body = body};
}

static struct verdict pin_outcome(const struct cell *cell)
{
    const size_t length = cell->length - 4;

    if (cell->state == COS_LIFE_INITIALIZED) {
        return answered(COS_E_REFERENCE_NOT_FOUND, 0);
    }
    return answered(length < 4 || length > 12 ? COS_E_LENGTH : cos_tries_left(2), 0);
}

static struct verdict sm_open_outcome(const struct cell *cell)
{
    const size_t apdu = cell->length - 1;

    if (apdu > 4 + 1 + COS_SM_MAX + 1) {
        return answered(COS_E_LENGTH, 0);
    }
    return answered(apdu <= 5 ? COS_E_SM_MISSING : COS_E_SECURITY_STATUS, 0);
}

/* A data object 80 of one byte, and bytes 00 behind it, which may stand there. */
static struct verdict se_outcome(const struct cell *cell)
{
    const size_t length = cell->length;

    if (length == 3) {
        return answered(COS_E_GATE_FORMAT, 0);
    }
    return answered(length == 5 || length == 6 ? COS_E_DATA : COS_OK, 0);
}

/* What docs/formats.md says about the requests of fill(). */
static struct verdict served_outcome(const struct cell *cell)
{
    const size_t length = cell->length;

    switch (cell->opcode) {
    case COS_GATE_STATUS:
        return answered(COS_OK, 21);
    case COS_GATE_HELLO:
        if (length != 9 && length != 18) {
            return answered(COS_E_GATE_FORMAT, 0);
        }
        return length == 9 || cell->state == COS_LIFE_FABRICATED ? answered(COS_E_GATE_SESSION, 0)
                                                                 : answered(COS_OK, 24);
    case COS_GATE_CONTEXT:
        return length <= 2 + 16 ? answered(COS_OK, 1) : answered(COS_E_DATA, 0);
    case COS_GATE_ACCESS:
        return answered(COS_OK, 4);
    case COS_GATE_PIN:
        return pin_outcome(cell);
    case COS_GATE_CHALLENGE:
        return answered(COS_OK, 8);
    case COS_GATE_AUTH:
        if (length == 3 + 16) {
            return answered(COS_E_LENGTH, 0); /* these cards have mode S8 */
        }
        return length == 3 + 8 ? answered(COS_OK, 32) : answered(COS_E_GATE_FORMAT, 0);
    case COS_GATE_KEY:
        return length == 4 ? answered(COS_OK, 20) : answered(COS_E_GATE_FORMAT, 0);
    case COS_GATE_CRYPT: /* the environment names no key */
        return answered(COS_E_CONDITIONS, 0);
    case COS_GATE_SE:
        return se_outcome(cell);
    case COS_GATE_SM_OPEN:
        return sm_open_outcome(cell);
    case COS_GATE_SM_SEAL:
        return answered(COS_E_CONDITIONS, 0);
    case COS_GATE_VAULT: /* there is no vault file 1 */
        return answered(length == 4 ? COS_E_REFERENCE_NOT_FOUND : COS_E_GATE_FORMAT, 0);
    default: /* LIFE */
        return length == 1 ? answered(COS_OK, 117) : answered(COS_E_GATE_FORMAT, 0);
    }
}

static struct verdict allowed(const struct cell *cell)
{
    const struct row *row = row_of(cell->opcode);
    struct verdict refused = {.result = COS_E_GATE_FORMAT};

    if (cell->sealed && cell->state == COS_LIFE_FABRICATED) {
        return (struct verdict){.silent = true}; /* there is no session */
    }
    if (row == NULL || (cell->sealed && row->session == NO)) {
        return refused;
    }
    if (!cell->sealed && row->session == YES) {
        refused.result = COS_E_GATE_SESSION;
    } else if (!row->served) {
        refused.result = COS_E_NOT_SERVED;
    } else if (cell->length < row->smallest || cell->length > row->largest) {
        refused.result = COS_E_GATE_FORMAT;
    } else if ((row->states & COS_LIFE_BIT(cell->state)) == 0) {
        refused.result = COS_E_GATE_STATE;
    } else if (row->opcode == COS_GATE_LIFE && !cell->sealed &&
               cell->state != COS_LIFE_FABRICATED) {
        refused.result = COS_E_GATE_SESSION;
    } else {
        return served_outcome(cell);
    }
    return refused;
}

/* ---- One cell ---- */

enum delivery { AS_IS, DUPLICATE, OLDER_REPLAY, DROPPED, REORDERED, TRUNCATED, DELIVERIES };
static const char *const delivery_names[DELIVERIES] = {"as is",   "duplicate", "older replay",
                                                       "dropped", "reordered", "truncated"};

static const struct cell *current;
static const char *current_delivery;

#define HOLDS(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fail_cell(#condition, __LINE__);                                                       \
        }                                                                                          \
    } while (0)

static void fail_cell(const char *condition, int line)
{
    fail_msg("line %d: %s; state %d, opcode %02X, length %zu, %s, %s: answers %u, result %d", line,
             condition, (int)current->state, current->opcode, current->length,
             current->sealed ? "in the session" : "in the clear", current_delivery,
             rigs[current->state].answers, rigs[current->state].result);
}

static void write_request(const struct cell *cell, uint32_t ahead, unsigned opcode,
                          const uint8_t *message, size_t length, struct bench_frame *frame)
{
    const struct gate_rig *rig = &rigs[cell->state];

    if (cell->sealed) {
        (void)gate_rig_seal(rig, rig->sequence + ahead, (uint8_t)opcode, message, length, frame);
    } else {
        (void)gate_rig_plain(0x7000 + ahead, (uint8_t)opcode, message, length, frame);
    }
}

/* Delivers the frame and holds the answer against the outcome. */
static void expect(const struct cell *cell, const struct bench_frame *frame,
                   const struct verdict *outcome)
{
    struct gate_rig *rig = &rigs[cell->state];
    struct bench *card = &cards[cell->state];
    struct gate_state before;

    gate_state_take(card, &before);
    (void)gate_rig_deliver(rig, frame);
    if (outcome->silent) {
        HOLDS(rig->answers == 0 && gate_state_same(card, &before));
        return;
    }
    HOLDS(gate_rig_open(rig, frame));
    HOLDS(rig->result == outcome->result && rig->length == outcome->body);
    HOLDS(outcome->executed || gate_state_same(card, &before));
    HOLDS(card->secure.life_cycle == cell->state);
}

/* Delivers a frame that must not be answered and change nothing. */
static void expect_nothing(const struct cell *cell, const struct bench_frame *frame)
{
    static const struct verdict nothing = {.silent = true};

    expect(cell, frame, &nothing);
}

/* Delivers a frame that must end the session, be counted, and do nothing else. */
static void expect_attack(const struct cell *cell, const struct bench_frame *frame)
{
    struct gate_rig *rig = &rigs[cell->state];
    const struct cos_secure *secure = &cards[cell->state].secure;
    const unsigned attacks = secure->attacks;
    const int tries = gate_rig_tries(&cards[cell->state], true, 1);

    HOLDS(secure->gate.open);
    (void)gate_rig_deliver(rig, frame);
    HOLDS(rig->answers == 0 && !secure->gate.open && secure->attacks == attacks + 1);
    HOLDS(secure->life_cycle == cell->state);
    HOLDS(gate_rig_tries(&cards[cell->state], true, 1) == tries);
    (void)gate_rig_deliver(rig, frame); /* the session is over: nobody listens any more */
    HOLDS(rig->answers == 0 && secure->attacks == attacks + 1);
}

static void truncate_and_deliver(const struct cell *cell, const struct bench_frame *frame)
{
    const size_t cuts[] = {1, 4, 5, 9, frame->length / 2, frame->length - 12, frame->length - 1};

    for (size_t i = 0; i < COUNT(cuts); i++) {
        struct bench_frame cut = *frame;
        cut.length -= cuts[i];
        expect_nothing(cell, &cut);
    }
}

static void try_cell(const struct cell *cell, enum delivery delivery)
{
    static const struct verdict status = {.executed = true, .result = COS_OK, .body = 21};
    const struct verdict outcome = allowed(cell);
    struct gate_rig *rig = &rigs[cell->state];
    struct gate_state after;
    struct bench_frame frame, next, first;
    uint8_t message[COS_GATE_MESSAGE_MAX];
    const bool session = cell->sealed && !outcome.silent;
    const struct verdict later = outcome.silent ? outcome : status;

    current = cell;
    current_delivery = delivery_names[delivery];
    gate_snapshot_restore(&cards[cell->state], &made[cell->state]);
    fill(cell, message);
    write_request(cell, 1, cell->opcode, message, cell->length, &frame);
    write_request(cell, 2, COS_GATE_STATUS, NULL, 0, &next);
    switch (delivery) {
    case AS_IS:
        expect(cell, &frame, &outcome);
        break;
    case DUPLICATE:
        expect(cell, &frame, &outcome);
        first = rig->last;
        gate_state_take(&cards[cell->state], &after);
        (void)gate_rig_deliver(rig, &frame);
        HOLDS(rig->answers == (outcome.silent ? 0 : 1));
        HOLDS(outcome.silent || (rig->last.length == first.length &&
                                 memcmp(rig->last.bytes, first.bytes, first.length) == 0));
        HOLDS(gate_state_same(&cards[cell->state], &after));
        if (session) { /* another request under the number that is used */
            write_request(cell, 1, cell->opcode ^ 0x80, message, cell->length, &next);
            expect_attack(cell, &next);
        }
        break;
    case OLDER_REPLAY:
        expect(cell, &frame, &outcome);
        expect(cell, &next, &later);
        if (session) {
            expect_attack(cell, &frame);
        } else if (outcome.result != cos_tries_left(2)) {
            expect(cell, &frame,
                   &outcome); /* in the clear nothing is served that this could harm */
        }
        break;
    case DROPPED:
        if (session) {
            expect_attack(cell, &next);
        } else {
            expect(cell, &next, &later);
        }
        break;
    case REORDERED:
        if (session) {
            expect_attack(cell, &next);
            expect_nothing(cell, &frame);
        } else {
            expect(cell, &next, &later);
            expect(cell, &frame, &outcome);
        }
        break;
    default:
        truncate_and_deliver(cell, &frame);
        expect(cell, &frame, &outcome);
        break;
    }
}

/* ---- The matrix ---- */

static unsigned long cells;

static void try_deliveries(const struct cell *cell)
{
    for (unsigned delivery = 0; delivery < DELIVERIES; delivery++) {
        try_cell(cell, (enum delivery)delivery);
        cells++;
    }
}

static void try_opcode(enum cos_life_cycle state, unsigned opcode, bool sealed)
{
    static const size_t sampled[] = {0, 1, 2, 19, 255, COS_GATE_MESSAGE_MAX};
    const struct row *row = row_of(opcode);
    struct cell cell = {.state = state, .opcode = opcode, .sealed = sealed};

    if (row == NULL || !row->served) {
        for (size_t i = 0; i < COUNT(sampled); i++) {
            cell.length = sampled[i];
            try_deliveries(&cell);
        }
        return;
    }
    for (cell.length = 0; cell.length <= row->largest + 1; cell.length++) {
        try_deliveries(&cell);
    }
}

static void each_cell_has_its_one_outcome(void **state)
{
    (void)state;
    cells = 0;
    for (int s = COS_LIFE_FABRICATED; s < STATES; s++) {
        for (unsigned opcode = 0; opcode <= 255; opcode++) {
            try_opcode((enum cos_life_cycle)s, opcode, false);
            try_opcode((enum cos_life_cycle)s, opcode, true);
        }
    }
    print_message("# call gate: %lu cells (256 opcodes, every length of each served call and 6 of "
                  "each other, %d states, in the session and in the clear, 6 deliveries), each "
                  "with its one allowed outcome\n",
                  cells, STATES - 1);
}

/* ---- Bits ---- */

/* A changed frame whose CRC the attacker made right again. */
static void try_repaired_bit(const struct cell *cell, const struct bench_frame *frame, size_t byte)
{
    struct gate_rig *rig = &rigs[cell->state];
    const struct cos_secure *secure = &cards[cell->state].secure;
    const int tries = gate_rig_tries(&cards[cell->state], true, 1);
    struct cell changed = *cell;
    struct verdict outcome;

    if (byte < 3 || (byte >= 4 && byte < 8)) {
        expect_nothing(cell, frame); /* length, direction, another session */
    } else if (cell->sealed) {
        expect_attack(cell, frame);
    } else if (byte < 12) { /* opcode: another call; sequence number: the same call */
        changed.opcode = frame->bytes[3];
        outcome = allowed(&changed);
        expect(cell, frame, &outcome);
    } else { /* in the clear anybody may ask anything: it must not help */
        (void)gate_rig_deliver(rig, frame);
        HOLDS(rig->answers == 1 && secure->life_cycle == cell->state);
        HOLDS(secure->gate.open == (cell->state != COS_LIFE_FABRICATED));
        HOLDS(gate_rig_tries(&cards[cell->state], true, 1) == tries);
    }
}

static void try_bits(const struct cell *cell)
{
    struct bench_frame frame, flipped;
    uint8_t message[COS_GATE_MESSAGE_MAX];

    current = cell;
    current_delivery = "a bit flipped";
    fill(cell, message);
    gate_snapshot_restore(&cards[cell->state], &made[cell->state]);
    write_request(cell, 1, cell->opcode, message, cell->length, &frame);
    for (size_t bit = 0; bit < 8 * frame.length; bit++) {
        flipped = frame;
        flipped.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        expect_nothing(cell, &flipped);
        cells++;
        if (bit / 8 < frame.length - FRAME_CRC) {
            gate_rig_repair(&flipped);
            try_repaired_bit(cell, &flipped, bit / 8);
            gate_snapshot_restore(&cards[cell->state], &made[cell->state]);
            cells++;
        }
    }
}

static void each_flipped_bit_is_noise_or_an_attack(void **state)
{
    static const enum cos_life_cycle states[] = {COS_LIFE_PRODUCED, COS_LIFE_OPERATIONAL};
    (void)state;
    cells = 0;
    for (size_t s = 0; s < COUNT(states); s++) {
        for (size_t i = 0; i < 4 * COUNT(rows); i++) {
            const struct row *row = &rows[i / 4];
            const struct cell cell = {.state = states[s],
                                      .opcode = row->opcode,
                                      .length = i % 2 != 0 ? row->largest : row->smallest,
                                      .sealed = i / 2 % 2 != 0};
            if (row->session == BOTH || (row->session == YES) == cell.sealed) {
                try_bits(&cell);
            }
        }
    }
    print_message("# call gate: %lu flipped bits (smallest and largest request of each call, two "
                  "states, CRC left wrong and made right)\n",
                  cells);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_cell_has_its_one_outcome),
        cmocka_unit_test(each_flipped_bit_is_noise_or_an_attack),
    };

    return cmocka_run_group_tests(tests, make_cards, free_cards);
}
