/* SPDX-License-Identifier: Apache-2.0 */
#include "reader_t1.h"

#include <string.h>

enum {
    INITIAL_WAITING_TIME = 9600, /* etu: 8.1, and 9.1 for PPS */
    BEFORE_RESET = 1000,
    TURN = 22, /* etu before a PPS request */
};

/* RST goes low when the card has had time to do what it does after a response. */
static void end(struct reader_t1 *reader)
{
    reader->state = READER_OVER;
}

/* ---- Commands ---- */

static void send_next(struct reader_t1 *reader)
{
    const struct cos_span command = reader->next(reader->context);

    if (command.data == NULL) {
        end(reader);
    } else {
        terminal_t1_begin(&reader->terminal, command.data, command.length);
    }
}

static void look(struct reader_t1 *reader)
{
    const struct terminal_t1 *terminal = &reader->terminal;

    if (reader->state == READER_IN_T1 && terminal->outcome != TERMINAL_BUSY) {
        reader->done(reader->context, terminal->outcome,
                     (struct cos_span){terminal->response, terminal->response_length});
        if (terminal->outcome == TERMINAL_RESET) {
            reader->state = READER_OVER;
        } else {
            send_next(reader);
        }
    }
}

static void begin_t1(struct reader_t1 *reader)
{
    reader->state = READER_IN_T1;
    terminal_t1_restart(&reader->terminal, &reader->config);
    send_next(reader);
}

/* ---- Before ---- */

static void atr_is_over(struct reader_t1 *reader)
{
    if (reader->pps == NULL) {
        begin_t1(reader);
        return;
    }
    reader->state = READER_AT_PPS;
    reader->heard_at =
        line_sim_send(&reader->sim, reader->pps, reader->pps_length, TURN, reader->config.guard);
}

/* The answer is the request, or the request without PPS1 (9.3). */
static void take_answer(struct reader_t1 *reader, uint8_t character)
{
    static const size_t lengths[8] = {3, 4, 4, 5, 4, 5, 5, 6};
    const uint8_t *answer = reader->answer;

    reader->answer[reader->answer_length++] = character;
    if (reader->answer_length < 3 || reader->answer_length < lengths[(answer[1] >> 4) & 7]) {
        return;
    }
    if (memcmp(answer, reader->pps, reader->answer_length) != 0) {
        reader->refused = true;
        end(reader);
    } else {
        begin_t1(reader);
    }
}

/* ---- Events ---- */

static void measure(struct reader_t1 *reader)
{
    const bool first = reader->terminal.heard_length == 0;
    const uint64_t since = reader->sim.now - (first ? reader->terminal.sent_at : reader->heard_at);
    uint64_t *least = first ? &reader->least_turn : &reader->least_guard;

    *least = since < *least ? since : *least;
    if (first) {
        const uint64_t part = since / reader->terminal.multiplier;
        reader->most_turn = part > reader->most_turn ? part : reader->most_turn;
    }
}

static void character(void *context, uint8_t character_, bool good)
{
    struct reader_t1 *reader = context;

    switch (reader->state) {
    case READER_IN_ATR:
        if (reader->atr_length < sizeof reader->atr) {
            reader->atr[reader->atr_length++] = character_;
        }
        break;
    case READER_AT_PPS:
        take_answer(reader, character_);
        break;
    case READER_IN_T1:
        measure(reader);
        reader->inner.character(reader->inner.context, character_, good);
        look(reader);
        break;
    case READER_OVER:
        break;
    }
    reader->heard_at = reader->sim.now;
}

static uint64_t due(void *context)
{
    const struct reader_t1 *reader = context;

    switch (reader->state) {
    case READER_IN_T1:
        return reader->inner.due(reader->inner.context);
    case READER_OVER:
        return reader->heard_at + BEFORE_RESET;
    default:
        return reader->heard_at + INITIAL_WAITING_TIME;
    }
}

static void wake(void *context)
{
    struct reader_t1 *reader = context;

    switch (reader->state) {
    case READER_IN_ATR:
        atr_is_over(reader);
        break;
    case READER_AT_PPS:
        reader->refused = true;
        end(reader);
        break;
    case READER_IN_T1:
        reader->inner.wake(reader->inner.context);
        look(reader);
        break;
    case READER_OVER:
        line_sim_reset(&reader->sim);
        break;
    }
}

static bool is_block(void *context, const uint8_t *bytes, size_t length)
{
    const struct reader_t1 *reader = context;

    return reader->state == READER_IN_T1 &&
           reader->inner.is_block(reader->inner.context, bytes, length);
}

/* ---- Use ---- */

void reader_t1_release(struct reader_t1 *reader)
{
    line_sim_release(&reader->sim);
    reader->state = READER_IN_ATR;
    reader->atr_length = reader->answer_length = 0;
    reader->refused = false;
    reader->heard_at = reader->sim.now;
}

void reader_t1_start(struct reader_t1 *reader, const struct terminal_t1_config *config,
                     uint64_t seed)
{
    memset(reader, 0, sizeof *reader);
    reader->config = *config;
    reader->least_guard = reader->least_turn = UINT64_MAX;
    line_sim_start(&reader->sim, seed);
    terminal_t1_start(&reader->terminal, config, &reader->sim);
    reader->inner = reader->sim.device;
    reader->sim.device = (struct line_device){reader, character, due, wake, is_block};
    reader_t1_release(reader);
}
