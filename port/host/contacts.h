/* SPDX-License-Identifier: Apache-2.0
 *
 * Host port: a simulated board. Eight contacts with levels, a clock in cycles, and between them and
 * the core what a card's silicon has there: supply and reset logic, and a UART that sends and
 * samples I/O bit by bit (ISO/IEC 7816-3:2006, 5 to 7). A board of yours has all but the reader's
 * side in hardware; what it gives to the core is the same: `line` and `contacts`.
 *
 *     host_contacts_init(&board, HOST_CLOCK_CLASS, host_pairs);   and a reader is put in
 *     while (host_contacts_reset(&board)) {                       RST went high
 *         length = cos_app_atr(&app_board, &config, atr, sizeof atr);
 *         cos_transport_serve(&transport, &board.line, &handler, (struct cos_span){atr, length});
 *     }
 *
 * The reader is a machine that is called when the time has come that it asked for, and then puts
 * levels on contacts. Time goes on while the card waits, sends, or works (host_contacts_work()).
 *
 * What a reader does wrong has one answer: HOST_FAILED, not activated. The card is silent, whatever
 * is put on RST, CLK and I/O, until VCC goes off. It is wrong (clauses of ISO/IEC 7816-3:2006)
 *   - that RST is high or CLK is not low when VCC comes on, or RST high before CLK runs (6.2.1);
 *   - VCC of a class that the card has not, or that changes while it is on (6.2.4);
 *   - I/O low when CLK begins (6.2.1);
 *   - RST high after fewer than 400 cycles at low (6.2.2, 6.2.3);
 *   - that CLK stops while RST is high and the card sends or works (6.3.2);
 *   - that it stops within 1,860 cycles after I/O was low, or at a level at which it may not;
 *   - that I/O or RST changes while CLK stands, or I/O within 700 cycles after it began again.
 * Deactivation may come at any time and in any order: cards are pulled out. Whether it was RST low,
 * CLK low (or it stands so already), I/O low, VCC off (6.4), is told by `orderly`. Time is counted
 * in cycles: how long one of them takes, and with it f max, the model does not know.
 */
#ifndef HOST_CONTACTS_H
#define HOST_CONTACTS_H

#include "cos/port.h"

#define HOST_NEVER UINT64_MAX

/* Classes of operating conditions: 5 V, 3 V, 1.8 V. */
enum host_vcc { HOST_VCC_OFF = 0, HOST_CLASS_A = 1, HOST_CLASS_B = 2, HOST_CLASS_C = 4 };
enum host_clk { HOST_CLK_LOW, HOST_CLK_HIGH, HOST_CLK_RUNS };

enum host_contacts_state {
    HOST_OFF,     /* no VCC */
    HOST_POWERED, /* VCC, RST is low, no CLK */
    HOST_RESET,   /* and CLK runs */
    HOST_RUNNING, /* RST is high */
    HOST_STOPPED, /* CLK stands, as it may */
    HOST_FAILED,  /* not activated */
};

/* What can be broken about a contact. */
enum host_fault {
    HOST_SOUND,
    HOST_OPEN,  /* the pad is alone: it is high (I/O, by its pull-up) or low */
    HOST_LOW,   /* stuck */
    HOST_HIGH,  /* stuck */
    HOST_SHORT, /* to the next one (COS_CONTACT_C8: to VCC): low wins */
    HOST_DUMB,  /* I/O: the card cannot pull it low */
};

struct host_reader {
    void *context;
    uint64_t (*due)(void *context); /* when it wants to be called, or HOST_NEVER */
    void (*act)(void *context);
};

/* A character that has come in. */
struct host_character {
    uint64_t edge; /* its leading edge */
    uint8_t value;
    bool good; /* parity */
};

struct host_contacts {
    struct cos_line line; /* for the core; `context` is the struct itself */
    struct cos_contacts contacts;
    struct host_reader reader;
    enum host_fault fault[8]; /* by the bit of COS_CONTACT_ */

    /* What is on the contacts, and time. */
    enum host_contacts_state state;
    enum host_vcc vcc;
    enum host_clk clk;
    bool rst, reader_io, card_io; /* true: high */
    uint64_t now;                 /* in periods of CLK, also while it stands */
    uint64_t cycles;              /* of CLK since VCC came on: the card's time */
    uint64_t since;            /* cycles: when RST went low (HOST_RESET) or high (HOST_RUNNING) */
    uint64_t not_before;       /* cycles: when I/O may go low again, after CLK stood */
    uint64_t io_low;           /* cycles: when I/O was low last */
    unsigned resets, answered; /* RST went high so often; so often the core was told */
    bool warm;                 /* the last time without VCC having been off */
    unsigned step;             /* of deactivation, that have come in their order */
    bool orderly;              /* the last deactivation was */

    /* The UART. */
    struct cos_line_parameters parameters;
    uint64_t edge, sent; /* cycles: of the last character on the line; of the last one sent */
    bool sending, waiting, receiving, was_high;
    unsigned bit; /* that is sampled next: 0 start, 1 to 8, 9 parity, 10 and 11 error signal */
    unsigned bits;
    uint64_t start; /* leading edge of the character that comes in */
    struct host_character queue[8];
    size_t queued;
};

/* Everything low and off, nobody reads. What the card can do is as in struct cos_contacts. The
 * struct must not move afterwards. */
void host_contacts_init(struct host_contacts *board, uint8_t clock_class, const uint16_t *pairs);

/* ---- The card's side, besides `line` and `contacts` ---- */

/* Waits for RST to go high: true; false if the reader does nothing more. */
bool host_contacts_reset(struct host_contacts *board);
/* The processor works for so many cycles. False: RST or VCC went low in the meantime. */
bool host_contacts_work(struct host_contacts *board, uint64_t cycles);

/* Reads a fault, "C4:open", as "CONTACT:open|low|high|short". */
bool host_fault_parse(const char *text, unsigned *contact, enum host_fault *fault);
/* The test of struct cos_contacts, of a board that `context` points to. */
enum cos_result host_contacts_test(void *context, uint8_t *working);

/* ---- The reader's side ---- */

void host_contacts_vcc(struct host_contacts *board, enum host_vcc vcc);
void host_contacts_rst(struct host_contacts *board, bool high);
void host_contacts_clk(struct host_contacts *board, enum host_clk clk);
/* Pulls I/O low, or lets it go. */
void host_contacts_io(struct host_contacts *board, bool high);
/* The level of I/O. */
bool host_contacts_io_level(const struct host_contacts *board);

#endif
