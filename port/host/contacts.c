/* SPDX-License-Identifier: Apache-2.0
 *
 * Host port: a simulated board, from levels to characters.
 */
#include "contacts.h"

enum {
    RESET_CYCLES = 400,  /* tb, 6.2.2: RST is low at least so long, and I/O high after it */
    STOP_CYCLES = 1860,  /* tg, 6.3.2 */
    RESUME_CYCLES = 700, /* th, 6.3.2 */
    GUARD = 12,          /* etu, until the core says otherwise */
    MOMENTS = 10,        /* start, 8 bits, parity */
    SIGNAL_BEGINS = 10,  /* the samples behind them: 10.5 etu */
    SIGNAL_ENDS = 11,    /* 11.5 etu: an error signal of one etu, 7.3 */
    IO = 6,              /* bit of COS_CONTACT_IO */
    STOP_AT_LOW = 0x40,  /* as TA of T=15 has it */
    STOP_AT_HIGH = 0x80,
};

/* ---- Levels ---- */

/* The level that the other end of I/O has, seen through the contact. */
static bool through_io(const struct host_contacts *board, bool driven)
{
    switch (board->fault[IO]) {
    case HOST_LOW:
        return false;
    case HOST_OPEN:
    case HOST_HIGH:
        return true;
    default:
        return driven;
    }
}

static bool card_sees(const struct host_contacts *board)
{
    return board->card_io && through_io(board, board->reader_io);
}

bool host_contacts_io_level(const struct host_contacts *board)
{
    const bool pulled = !board->card_io && board->fault[IO] != HOST_DUMB;

    return board->reader_io && through_io(board, !pulled);
}

/* ---- Activation, reset, clock stop, deactivation ---- */

static void fail(struct host_contacts *board)
{
    board->state = HOST_FAILED;
    board->card_io = true;
}

/* Counts what a deactivation consists of, if it comes in its order. */
static void deactivate(struct host_contacts *board, unsigned step)
{
    board->step = board->step == step ? step + 1 : 0;
}

void host_contacts_vcc(struct host_contacts *board, enum host_vcc vcc)
{
    if (vcc == board->vcc) {
        return;
    }
    const bool was_off = board->vcc == HOST_VCC_OFF;
    board->vcc = vcc;
    if (vcc == HOST_VCC_OFF) {
        board->orderly = board->step == 3;
        board->step = 0;
        board->state = HOST_OFF;
        board->card_io = true;
    } else if (!was_off || board->rst || board->clk != HOST_CLK_LOW ||
               (board->contacts.clock_class & (unsigned)vcc) == 0) {
        fail(board);
    } else {
        board->state = HOST_POWERED;
        board->cycles = board->io_low = board->not_before = 0;
        board->warm = false;
    }
}

static void begin(struct host_contacts *board)
{
    board->state = HOST_RUNNING;
    board->since = board->edge = board->sent = board->cycles;
    board->resets++;
    board->queued = 0;
    board->receiving = board->sending = board->waiting = false;
    board->was_high = card_sees(board);
    board->parameters =
        (struct cos_line_parameters){.f = 372, .d = 1, .signals_errors = true, .guard = GUARD};
}

void host_contacts_rst(struct host_contacts *board, bool high)
{
    if (high == board->rst) {
        return;
    }
    board->rst = high;
    deactivate(board, high ? 4 : 0); /* high is no step of it */
    board->step += !high && board->state == HOST_STOPPED && board->clk == HOST_CLK_LOW ? 1U : 0U;
    switch (board->state) {
    case HOST_RESET:
        if (board->cycles - board->since < RESET_CYCLES) {
            fail(board);
            break;
        }
        begin(board);
        break;
    case HOST_RUNNING:
        board->state = HOST_RESET;
        board->since = board->cycles;
        board->warm = true;
        board->card_io = true;
        break;
    case HOST_POWERED:
    case HOST_STOPPED:
        fail(board);
        break;
    default:
        break;
    }
}

static bool may_stop(const struct host_contacts *board, enum host_clk level)
{
    const unsigned at = level == HOST_CLK_LOW ? STOP_AT_LOW : STOP_AT_HIGH;

    return (board->contacts.clock_class & at) != 0 && board->waiting && !board->receiving &&
           card_sees(board) && board->cycles >= board->not_before &&
           board->cycles - board->io_low >= STOP_CYCLES;
}

void host_contacts_clk(struct host_contacts *board, enum host_clk clk)
{
    if (clk == board->clk) {
        return;
    }
    board->clk = clk;
    deactivate(board, clk == HOST_CLK_LOW ? 1 : 4);
    switch (board->state) {
    case HOST_POWERED:
        board->state = HOST_RESET;
        board->since = board->cycles;
        if (clk != HOST_CLK_RUNS || !board->reader_io) {
            fail(board);
        }
        break;
    case HOST_RESET:
        board->state = HOST_POWERED; /* to be deactivated, or to begin again */
        break;
    case HOST_RUNNING:
        if (may_stop(board, clk)) {
            board->state = HOST_STOPPED;
        } else {
            fail(board);
        }
        break;
    case HOST_STOPPED:
        board->state = HOST_RUNNING;
        board->not_before = board->cycles + RESUME_CYCLES;
        if (clk != HOST_CLK_RUNS) {
            fail(board);
        }
        break;
    default:
        break;
    }
}

void host_contacts_io(struct host_contacts *board, bool high)
{
    if (high == board->reader_io) {
        return;
    }
    board->reader_io = high;
    deactivate(board, high ? 4 : 2); /* high is no step of it */
    if (board->state == HOST_STOPPED ||
        (board->state == HOST_RUNNING && board->cycles < board->not_before)) {
        fail(board);
    }
}

/* ---- Time ---- */

/* Cycles of so many half etus, rounded. */
static uint64_t half_etus(const struct host_contacts *board, uint64_t halves)
{
    const uint64_t d = 2U * (uint64_t)board->parameters.d;

    return (halves * board->parameters.f + d / 2) / d;
}

static bool runs(const struct host_contacts *board)
{
    return board->clk == HOST_CLK_RUNS &&
           (board->state == HOST_RESET || board->state == HOST_RUNNING);
}

/* The card that was told of the last reset still lives. */
static bool lives(const struct host_contacts *board)
{
    return (board->state == HOST_RUNNING || board->state == HOST_STOPPED) &&
           board->answered == board->resets;
}

/* Takes the level of I/O. True: it went low. */
static bool fell(struct host_contacts *board)
{
    const bool before = board->was_high;

    board->was_high = card_sees(board);
    if (!before || !board->was_high) {
        board->io_low = board->cycles;
    }
    return before && !board->was_high;
}

/* Low begins a character, if the UART does not send. */
static void look(struct host_contacts *board)
{
    if (fell(board) && board->state == HOST_RUNNING && !board->sending && !board->receiving) {
        board->receiving = true;
        board->start = board->edge = board->cycles;
        board->bit = board->bits = 0;
    }
}

static uint64_t next_sample(const struct host_contacts *board)
{
    return board->receiving ? board->start + half_etus(board, 2U * board->bit + 1) : HOST_NEVER;
}

/* Keeps what nine samples say: in the inverse convention low is 1, and b8 comes first (7.3, 8.1).
 * False: parity is wrong. */
static bool take(struct host_contacts *board)
{
    const unsigned samples = board->parameters.inverse ? ~board->bits : board->bits;
    struct host_character character = {.edge = board->start};
    unsigned ones = 0;

    for (unsigned i = 0; i < 9; i++) {
        const unsigned bit = samples >> i & 1U;
        ones += bit;
        if (i < 8) {
            character.value |= (uint8_t)(bit << (board->parameters.inverse ? 7 - i : i));
        }
    }
    character.good = ones % 2 == 0;
    if (board->queued < sizeof board->queue / sizeof board->queue[0]) {
        board->queue[board->queued++] = character; /* more than the board can keep are lost */
    }
    return character.good;
}

static void sample(struct host_contacts *board)
{
    const bool high = card_sees(board);
    const unsigned bit = board->bit++;

    if (bit == 0) {
        board->receiving = !high; /* else it was a spike */
    } else if (bit < MOMENTS) {
        board->bits |= (high ? 1U : 0U) << (bit - 1);
        if (bit == MOMENTS - 1) {
            board->receiving = !take(board) && board->parameters.signals_errors;
        }
    } else if (bit == SIGNAL_BEGINS) {
        board->card_io = false;
    } else {
        board->card_io = true;
        board->receiving = false;
    }
    (void)fell(board);
}

/* Goes to `cycles` or to what comes before, and lets it happen. False: the clock stands for good,
 * or nothing will ever come. */
static bool step(struct host_contacts *board, uint64_t cycles)
{
    const uint64_t due = board->reader.due(board->reader.context);
    const uint64_t at = next_sample(board);
    const uint64_t sooner = at < cycles ? at : cycles;
    const uint64_t own = sooner > board->cycles ? sooner : board->cycles;

    if (runs(board) && own != HOST_NEVER &&
        (due == HOST_NEVER || own - board->cycles < due - board->now)) {
        board->now += own - board->cycles;
        board->cycles = own;
        if (sooner == at) {
            sample(board);
        }
        return true;
    }
    if (due == HOST_NEVER) {
        return false;
    }
    if (due > board->now) {
        board->cycles += runs(board) ? due - board->now : 0;
        board->now = due;
    }
    board->reader.act(board->reader.context);
    look(board);
    return true;
}

/* Until then. COS_E_LINE_RESET. */
static enum cos_result run(struct host_contacts *board, uint64_t cycles)
{
    while (lives(board) && (board->state == HOST_STOPPED || board->cycles < cycles)) {
        if (!step(board, cycles)) {
            return COS_E_LINE_RESET;
        }
    }
    return lives(board) ? COS_OK : COS_E_LINE_RESET;
}

bool host_contacts_work(struct host_contacts *board, uint64_t cycles)
{
    return run(board, board->cycles + cycles) == COS_OK;
}

bool host_contacts_reset(struct host_contacts *board)
{
    while (board->state != HOST_RUNNING || board->answered == board->resets) {
        if (!step(board, HOST_NEVER)) {
            return false;
        }
    }
    board->answered = board->resets;
    return true;
}

/* ---- Characters ---- */

static void set(void *context, const struct cos_line_parameters *parameters)
{
    struct host_contacts *board = context;

    board->parameters = *parameters;
}

static uint32_t elapsed(void *context)
{
    const struct host_contacts *board = context;

    return (uint32_t)((board->cycles - board->edge) * board->parameters.d / board->parameters.f);
}

/* When a character may begin. */
static uint64_t begin_at(const struct host_contacts *board, uint32_t etus)
{
    const uint64_t asked = board->edge + half_etus(board, 2U * (uint64_t)etus);
    const uint64_t guard = board->sent + half_etus(board, 2U * (uint64_t)board->parameters.guard);
    uint64_t at = board->cycles;

    if (board->sent == board->since) { /* the first one: 6.2.2 */
        return at > board->since + RESET_CYCLES ? at : board->since + RESET_CYCLES;
    }
    at = at > asked ? at : asked;
    return at > guard ? at : guard;
}

/* Levels of start, 8 bits, parity and pause, in the order they go out. */
static unsigned levels_of(const struct host_contacts *board, uint8_t character)
{
    unsigned levels = 0, parity = 0;

    for (unsigned i = 0; i < 8; i++) {
        const unsigned bit = (unsigned)character >> (board->parameters.inverse ? 7 - i : i) & 1U;
        levels |= bit << (i + 1);
        parity ^= bit;
    }
    levels |= parity << 9;
    if (board->parameters.inverse) {
        levels ^= 0x3FEU;
    }
    return levels | 1U << MOMENTS;
}

static enum cos_result send(void *context, uint8_t character, uint32_t etus)
{
    struct host_contacts *board = context;
    const unsigned levels = levels_of(board, character);

    while (lives(board) && board->receiving) { /* half duplex: it is let finish */
        COS_TRY(run(board, next_sample(board)));
    }
    COS_TRY(run(board, begin_at(board, etus)));
    const uint64_t edge = board->cycles;
    board->sending = true;
    board->edge = board->sent = edge;
    for (unsigned i = 0; i <= MOMENTS; i++) {
        COS_TRY(run(board, edge + half_etus(board, 2U * i)));
        board->card_io = (levels >> i & 1U) != 0;
        look(board);
    }
    bool refused = false;
    if (board->parameters.signals_errors) {
        COS_TRY(run(board, edge + half_etus(board, 22)));
        refused = !card_sees(board);
    }
    (void)fell(board);
    board->sending = false;
    return refused ? COS_E_LINE_PARITY : COS_OK;
}

static enum cos_result receive(void *context, uint8_t *character, uint32_t etus)
{
    struct host_contacts *board = context;
    const uint64_t until =
        etus != 0 ? board->edge + half_etus(board, 2U * (uint64_t)etus) : HOST_NEVER;

    board->waiting = etus == 0;
    while (lives(board) && board->queued == 0) {
        if (!board->receiving && board->state == HOST_RUNNING && board->cycles >= until) {
            board->waiting = false;
            return COS_E_LINE_SILENT;
        }
        if (!step(board, board->receiving ? HOST_NEVER : until)) {
            break;
        }
    }
    board->waiting = false;
    if (!lives(board) || board->queued == 0) {
        return COS_E_LINE_RESET;
    }
    while (board->receiving && board->bit >= MOMENTS) { /* an error signal goes with it */
        COS_TRY(run(board, next_sample(board)));
    }
    const struct host_character first = board->queue[0];
    for (size_t i = 1; i < board->queued; i++) {
        board->queue[i - 1] = board->queue[i];
    }
    board->queued--;
    *character = first.value;
    return first.good ? COS_OK : COS_E_LINE_PARITY;
}

/* ---- Set-up ---- */

static uint64_t never(void *context)
{
    (void)context;
    return HOST_NEVER;
}

void host_contacts_init(struct host_contacts *board, uint8_t clock_class, const uint16_t *pairs)
{
    *board = (struct host_contacts){
        .line = {board, set, send, receive, elapsed},
        .contacts = {board, host_contacts_test, clock_class, pairs},
        .reader = {.due = never},
        .parameters = {.f = 372, .d = 1},
        .card_io = true,
    };
}
