/* SPDX-License-Identifier: Apache-2.0
 *
 * The matrix of the call gate: every opcode, every operation, every request length, every
 * life-cycle state, in a session and in the clear, as the link may deliver it. Each cell has one
 * allowed outcome (gate_cells.h).
 */
#include "gate_cells.h"
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

/* ---- One cell ---- */

enum delivery { AS_IS, DUPLICATE, OLDER_REPLAY, DROPPED, REORDERED, TRUNCATED, DELIVERIES };
static const char *const delivery_names[DELIVERIES] = {"as is",   "duplicate", "older replay",
                                                       "dropped", "reordered", "truncated"};

static const struct gate_cell *current;
static const char *current_delivery;

#define HOLDS(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fail_cell(#condition, __LINE__);                                                       \
        }                                                                                          \
    } while (0)

static void fail_cell(const char *condition, int line)
{
    fail_msg("line %d: %s; state %d, opcode %02X, operation %02X, length %zu, %s, %s: answers %u, "
             "channel %u, result %d",
             line, condition, (int)current->state, current->opcode, current->operation,
             current->length, current->sealed ? "in the session" : "in the clear", current_delivery,
             rigs[current->state].answers, current->channel, rigs[current->state].result);
}

static void write_request(const struct gate_cell *cell, uint32_t ahead, unsigned opcode,
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
static void expect(const struct gate_cell *cell, const struct bench_frame *frame,
                   const struct gate_outcome *outcome)
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
static void expect_nothing(const struct gate_cell *cell, const struct bench_frame *frame)
{
    static const struct gate_outcome nothing = {.silent = true};

    expect(cell, frame, &nothing);
}

/* Delivers a frame that must end the session, be counted, and do nothing else. */
static void expect_attack(const struct gate_cell *cell, const struct bench_frame *frame)
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

static void truncate_and_deliver(const struct gate_cell *cell, const struct bench_frame *frame)
{
    const size_t cuts[] = {1, 4, 5, 9, frame->length / 2, frame->length - 12, frame->length - 1};

    for (size_t i = 0; i < COUNT(cuts); i++) {
        struct bench_frame cut = *frame;
        cut.length -= cuts[i];
        expect_nothing(cell, &cut);
    }
}

static void try_cell(const struct gate_cell *cell, enum delivery delivery)
{
    static const struct gate_outcome status = {.executed = true, .result = COS_OK, .body = 21};
    const struct gate_outcome outcome = gate_cell_outcome(cell);
    struct gate_rig *rig = &rigs[cell->state];
    struct gate_state after;
    struct bench_frame frame, next, first;
    uint8_t message[COS_GATE_MESSAGE_MAX];
    const bool session = cell->sealed && !outcome.silent;
    const struct gate_outcome later = outcome.silent ? outcome : status;

    current = cell;
    current_delivery = delivery_names[delivery];
    gate_snapshot_restore(&cards[cell->state], &made[cell->state]);
    gate_cell_fill(cell, message);
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
        } else { /* in the clear nothing is served that this could harm */
            expect(cell, &frame, &outcome);
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

static void try_deliveries(const struct gate_cell *cell)
{
    for (unsigned delivery = 0; delivery < DELIVERIES; delivery++) {
        try_cell(cell, (enum delivery)delivery);
        cells++;
    }
}

/* Requests of an opcode that nobody serves. */
static void try_unknown(struct gate_cell *cell)
{
    static const size_t sampled[] = {0, 1, 2, 19, 255, COS_GATE_MESSAGE_MAX};

    for (size_t i = 0; i < COUNT(sampled); i++) {
        cell->length = sampled[i];
        try_deliveries(cell);
    }
}

static void try_lengths(struct gate_cell *cell, const struct gate_row *row)
{
    for (cell->length = 0; cell->length <= row->largest + 1; cell->length++) {
        try_deliveries(cell);
    }
}

/* Any other first byte, in the shortest and in the longest request. */
static void try_no_operations(struct gate_cell *cell, const struct gate_row *row)
{
    uint8_t operations[16];
    const size_t count = gate_operations_of(row->opcode, operations);

    for (cell->operation = 0; cell->operation <= 255; cell->operation++) {
        if (memchr(operations, (int)cell->operation, count) == NULL) {
            cell->length = row->smallest;
            try_cell(cell, AS_IS);
            cell->length = row->largest;
            try_cell(cell, AS_IS);
            cells += 2;
        }
    }
}

static void try_opcode(enum cos_life_cycle state, unsigned opcode, bool sealed)
{
    const struct gate_row *row = gate_row_of(opcode);
    struct gate_cell cell = {.state = state, .opcode = opcode, .sealed = sealed};
    uint8_t operations[16];
    const size_t count = gate_operations_of(opcode, operations);

    if (row == NULL || !row->served) {
        try_unknown(&cell);
    } else if (count == 0) {
        try_lengths(&cell, row);
    } else {
        for (size_t i = 0; i < count; i++) {
            cell.operation = operations[i];
            try_lengths(&cell, row);
        }
        try_no_operations(&cell, row);
    }
}

/* Each channel that there is, with requests of every length, and each that there is not. */
static void try_channels(struct gate_cell *cell, const struct gate_row *row)
{
    for (cell->channel = 1; cell->channel <= 255; cell->channel++) {
        const bool is = cell->channel < COS_CHANNELS;
        for (cell->length = row->smallest; cell->length <= row->largest;
             cell->length +=
             is || cell->length == row->largest ? 1 : row->largest - row->smallest) {
            try_cell(cell, AS_IS);
            cells++;
        }
    }
}

static void a_channel_is_one_of_the_cards(void **state)
{
    (void)state;
    cells = 0;
    for (int s = COS_LIFE_FABRICATED; s < STATES; s++) {
        for (size_t i = 0; i < gate_rows_count; i++) {
            struct gate_cell cell = {
                .state = (enum cos_life_cycle)s, .opcode = gate_rows[i].opcode, .sealed = true};
            uint8_t operations[16] = {0};
            const size_t count = gate_operations_of(cell.opcode, operations);
            for (size_t k = 0; k < (count == 0 ? 1 : count); k++) {
                cell.operation = operations[k];
                if (gate_cell_channel_at(&cell) >= 0) {
                    try_channels(&cell, &gate_rows[i]);
                }
            }
        }
    }
    print_message("# call gate: %lu cells for channels 1 to 255 of each call that names one\n",
                  cells);
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
    print_message("# call gate: %lu cells (256 opcodes, every operation and every length of each "
                  "served call, 6 lengths of each other, %d states, in the session and in the "
                  "clear, 6 deliveries), each with its one allowed outcome\n",
                  cells, STATES - 1);
}

/* ---- Bits ---- */

/* A changed frame whose CRC the attacker made right again. */
static void try_repaired_bit(const struct gate_cell *cell, const struct bench_frame *frame,
                             size_t byte)
{
    struct gate_rig *rig = &rigs[cell->state];
    const struct cos_secure *secure = &cards[cell->state].secure;
    const int tries = gate_rig_tries(&cards[cell->state], true, 1);
    struct gate_cell changed = *cell;
    struct gate_outcome outcome;

    if (byte < 3 || (byte >= 4 && byte < 8)) {
        expect_nothing(cell, frame); /* length, direction, another session */
    } else if (cell->sealed) {
        expect_attack(cell, frame);
    } else if (byte < 12) { /* opcode: another call; sequence number: the same call */
        changed.opcode = frame->bytes[3];
        outcome = gate_cell_outcome(&changed);
        expect(cell, frame, &outcome);
    } else { /* in the clear anybody may ask anything: it must not help */
        (void)gate_rig_deliver(rig, frame);
        HOLDS(rig->answers == 1 && secure->life_cycle == cell->state);
        HOLDS(secure->gate.open == (cell->state != COS_LIFE_FABRICATED));
        HOLDS(gate_rig_tries(&cards[cell->state], true, 1) == tries);
    }
}

static void try_bits(const struct gate_cell *cell)
{
    struct bench_frame frame, flipped;
    uint8_t message[COS_GATE_MESSAGE_MAX];

    current = cell;
    current_delivery = "a bit flipped";
    gate_cell_fill(cell, message);
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

/* What a session protects does not depend on the operation; in the clear each has its turn. */
static void try_bits_of(enum cos_life_cycle state, const struct gate_row *row, bool sealed)
{
    uint8_t operations[16] = {0};
    const size_t count = gate_operations_of(row->opcode, operations);

    for (size_t i = 0; i < (sealed || count == 0 ? 1 : count); i++) {
        struct gate_cell cell = {
            .state = state, .opcode = row->opcode, .operation = operations[i], .sealed = sealed};
        cell.length = row->smallest;
        try_bits(&cell);
        cell.length = row->largest;
        try_bits(&cell);
    }
}

static void each_flipped_bit_is_noise_or_an_attack(void **state)
{
    static const enum cos_life_cycle states[] = {COS_LIFE_PRODUCED, COS_LIFE_OPERATIONAL};
    (void)state;
    cells = 0;
    for (size_t s = 0; s < COUNT(states); s++) {
        for (size_t i = 0; i < gate_rows_count; i++) {
            const struct gate_row *row = &gate_rows[i];
            if (row->session != COS_GATE_SESSION_YES) {
                try_bits_of(states[s], row, false);
            }
            if (row->session != COS_GATE_SESSION_NO) {
                try_bits_of(states[s], row, true);
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
        cmocka_unit_test(a_channel_is_one_of_the_cards),
        cmocka_unit_test(each_flipped_bit_is_noise_or_an_attack),
    };

    return cmocka_run_group_tests(tests, make_cards, free_cards);
}
