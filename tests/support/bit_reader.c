/* SPDX-License-Identifier: Apache-2.0 */
#include "bit_reader.h"

#include <string.h>

enum {
    MOMENTS = 10,           /* start, 8 bits, parity */
    POLLS = 32,             /* in an etu, while it waits for a leading edge */
    INITIAL_CYCLES = 40000, /* 6.2.2: within so many the answer begins */
    WAITING_ETUS = 9600,
    GUARD = 12,
    REFUSALS = 2,
};

static uint64_t etus(const struct bit_reader *reader, uint64_t halves)
{
    return halves * reader->f / (2U * (uint64_t)reader->d);
}

static void wrong(struct bit_reader *reader, const char *why)
{
    if (reader->wrong == NULL) {
        reader->wrong = why;
    }
    reader->at = HOST_NEVER; /* nothing more is done */
}

static void next(struct bit_reader *reader)
{
    reader->steps++;
    reader->wrong_step += reader->wrong == NULL ? 1U : 0U;
    reader->phase = reader->index = reader->refused = 0;
}

static unsigned digit(char c)
{
    return (unsigned)(strchr("0123456789ABCDEF", c) - "0123456789ABCDEF");
}

static uint8_t byte_at(const char *bytes, unsigned index)
{
    return (uint8_t)(digit(bytes[2 * index]) << 4 | digit(bytes[2 * index + 1]));
}

/* Levels of start, 8 bits and parity: b1 first and high for 1, or b8 first and low for 1. */
static unsigned levels_of(const struct bit_reader *reader, uint8_t value)
{
    unsigned levels = 0, ones = 0;

    for (unsigned i = 0; i < 8; i++) {
        const unsigned bit = (unsigned)value >> (reader->inverse ? 7 - i : i) & 1U;
        ones += bit;
        levels |= (reader->inverse ? !bit : bit) << (i + 1);
    }
    return levels | (reader->inverse ? !(ones & 1U) : ones & 1U) << 9;
}

/* ---- Sending ---- */

static void send(struct bit_reader *reader)
{
    const struct bit_step *step = reader->steps;
    struct host_contacts *board = reader->board;
    const bool spoilt = step->value == reader->index + 1 && reader->refused == 0;
    unsigned levels = levels_of(reader, byte_at(step->bytes, reader->index));

    levels ^= spoilt ? 1U << 9 : 0;
    if (reader->phase == 0) {
        reader->edge = board->now;
    }
    if (reader->phase < MOMENTS) {
        host_contacts_io(board, (levels >> reader->phase & 1U) != 0);
        reader->phase++;
        reader->at = reader->edge + etus(reader, 2U * reader->phase);
    } else if (reader->phase == MOMENTS) {
        host_contacts_io(board, true);
        reader->phase++;
        reader->at = reader->edge + etus(reader, 22);
    } else {
        const bool refused = reader->signals && !host_contacts_io_level(board);
        reader->phase = 0;
        reader->at = reader->edge + etus(reader, 2 * (refused ? GUARD + 1 : GUARD));
        reader->repeats += refused ? 1U : 0U;
        reader->refused += refused ? 1U : 0U;
        if (refused && !spoilt) {
            wrong(reader, "the card refused a good character");
        } else if (!refused) {
            reader->refused = 0;
            reader->index++;
            if (step->bytes[2 * reader->index] == '\0') {
                next(reader);
            }
        }
    }
}

/* ---- Hearing ---- */

static void heard(struct bit_reader *reader)
{
    const struct bit_step *step = reader->steps;
    const unsigned good = levels_of(reader, byte_at(step->bytes, reader->index));

    for (unsigned i = 0; i < MOMENTS; i++) {
        reader->levels[i] = (reader->bits >> i & 1U) != 0 ? 'H' : 'L';
    }
    if (reader->bits != good) {
        wrong(reader, "another character");
        return;
    }
    const bool refuse = step->value == reader->index + 1 && reader->refused < REFUSALS;
    if (refuse) {
        reader->phase = MOMENTS + 1;
        reader->at = reader->edge + etus(reader, 21);
        return;
    }
    reader->refused = 0;
    reader->index++;
    reader->phase = 0;
    if (step->bytes[2 * reader->index] == '\0') {
        reader->at = reader->edge + etus(reader, 32); /* turn round */
        next(reader);
    }
}

static void wait_for_edge(struct bit_reader *reader)
{
    struct host_contacts *board = reader->board;
    const uint64_t poll = etus(reader, 2) / POLLS;
    const bool begin = reader->first == 0;
    const uint64_t late =
        begin ? reader->released + INITIAL_CYCLES : reader->edge + etus(reader, 2U * WAITING_ETUS);

    reader->at = board->now + (poll != 0 ? poll : 1);
    if (host_contacts_io_level(board)) {
        if (board->now > late) {
            wrong(reader, "no character");
        }
        return;
    }
    const uint64_t gap = board->now - reader->edge;
    if (begin) {
        reader->first = board->now - reader->released;
    }
    if (reader->index != 0 && reader->refused == 0 && gap < reader->least) {
        reader->least = gap;
    }
    reader->edge = board->now;
    reader->bits = 0;
    reader->phase = 1;
    reader->at = reader->edge + etus(reader, 1);
}

static void hear(struct bit_reader *reader)
{
    struct host_contacts *board = reader->board;

    if (reader->phase == 0) {
        wait_for_edge(reader);
    } else if (reader->phase <= MOMENTS) {
        reader->bits |= (host_contacts_io_level(board) ? 1U : 0U) << (reader->phase - 1);
        reader->at = reader->edge + etus(reader, 2U * reader->phase + 1);
        reader->phase++;
        if (reader->phase == MOMENTS + 1) {
            heard(reader);
        }
    } else if (reader->phase == MOMENTS + 1) {
        host_contacts_io(board, false);
        reader->phase++;
        reader->at = reader->edge + etus(reader, 24);
    } else {
        host_contacts_io(board, true);
        reader->refused++;
        reader->phase = 0;
        reader->at = board->now + 1;
    }
}

/* ---- Steps ---- */

static void be_silent(struct bit_reader *reader)
{
    struct host_contacts *board = reader->board;

    if (reader->phase == 0) {
        reader->phase = 1;
        reader->edge = board->now;
    }
    reader->at = board->now + 10;
    if (!host_contacts_io_level(board)) {
        wrong(reader, "the card is not silent");
    } else if (board->now - reader->edge >= reader->steps->value) {
        next(reader);
    }
}

static void put_level(struct bit_reader *reader)
{
    const struct bit_step *step = reader->steps;
    struct host_contacts *board = reader->board;

    switch (step->op) {
    case BIT_VCC:
        host_contacts_vcc(board, (enum host_vcc)step->value);
        break;
    case BIT_RST:
        host_contacts_rst(board, step->value != 0);
        reader->released = board->now;
        reader->first = 0;
        break;
    case BIT_CLK:
        host_contacts_clk(board, (enum host_clk)step->value);
        break;
    case BIT_IO:
        host_contacts_io(board, step->value != 0);
        break;
    case BIT_SPEED:
        reader->f = step->value >> 8;
        reader->d = step->value & 0xFFU;
        reader->least = HOST_NEVER;
        break;
    default: /* BIT_STATE */
        if (board->state != (enum host_contacts_state)step->value) {
            wrong(reader, "another state");
            return;
        }
    }
    next(reader);
}

static void act(void *context)
{
    struct bit_reader *reader = context;
    const struct bit_step *step = reader->steps;

    switch (step->op) {
    case BIT_END:
        reader->at = HOST_NEVER;
        break;
    case BIT_SEND:
        send(reader);
        break;
    case BIT_HEAR:
        hear(reader);
        break;
    case BIT_SILENT:
        be_silent(reader);
        break;
    case BIT_RUN:
        reader->at = reader->board->now + step->value;
        next(reader);
        break;
    default:
        put_level(reader);
    }
}

static uint64_t due(void *context)
{
    const struct bit_reader *reader = context;

    return reader->at;
}

void bit_reader_run(struct bit_reader *reader, struct host_contacts *board,
                    const struct bit_step *steps)
{
    reader->board = board;
    reader->steps = steps;
    reader->at = board->now;
    reader->f = 372;
    reader->d = 1;
    reader->index = reader->phase = reader->refused = 0;
    reader->least = HOST_NEVER;
    reader->wrong = NULL;
    reader->wrong_step = 1;
    board->reader = (struct host_reader){reader, due, act};
}
