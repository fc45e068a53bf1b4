/* SPDX-License-Identifier: Apache-2.0
 *
 * A simulated I/O line with two ends and one clock, in etu. The card's end is a struct cos_line
 * whose calls block; the device's end is a machine that is called when a character reaches it and
 * when the time it has asked for has come. The clock moves while the card waits, sends, or spends
 * time on its work. The line is half duplex: who sends, or has begun to, hears nothing.
 *
 * A seed decides what goes wrong with the characters, in both directions.
 */
#ifndef TESTS_LINE_SIM_H
#define TESTS_LINE_SIM_H

#include "cos/port.h"

#define LINE_NEVER UINT64_MAX

enum line_fault {
    LINE_FLIPPED,       /* one bit, and parity shows it */
    LINE_FLIPPED_TWICE, /* two bits: parity does not */
    LINE_PARITY,        /* the parity bit alone */
    LINE_LOST,
    LINE_DOUBLED,
    LINE_INSERTED, /* a random character, before or after */
    LINE_LATE,     /* by up to line_sim.lateness etu, with all that follow it */
    LINE_FAULTS,
};

struct line_device {
    void *context;
    /* A character of the card, whose leading edge is now. */
    void (*character)(void *context, uint8_t character, bool good_parity);
    /* When it wants to be woken, or LINE_NEVER. */
    uint64_t (*due)(void *context);
    void (*wake)(void *context);
    /* Whether these bytes are a block for whose EDC nothing is wrong. */
    bool (*is_block)(void *context, const uint8_t *bytes, size_t length);
};

/* What one end has sent in its turn, and what the other has heard of it. */
struct line_turn {
    uint8_t sent[600], heard[600];
    size_t sent_length, heard_length;
    bool heard_well; /* parity was right all along */
};

struct line_sim {
    struct cos_line card;
    struct line_device device;
    uint64_t now, edge; /* edge: leading edge of the last character on the line */
    uint64_t random;
    uint32_t chance[LINE_FAULTS]; /* of each fault for each character, in 2^-20 */
    uint64_t
        single_at; /* besides, the character with this index, from 0, has the fault `single`, */
    enum line_fault single; /* unless this is LINE_FAULTS */
    uint32_t lateness;
    uint16_t card_guard;

    bool reset; /* RST is low: all calls of the card end so, until it is high */
    bool idle;  /* they ended so because the card waits for ever, and so does the device */

    struct {
        uint64_t time;
        uint8_t character;
        bool good;
    } queue[1024]; /* on the way to the card */
    size_t head, tail;
    uint64_t device_until; /* the device is sending */
    uint64_t card_skew, device_skew;

    struct line_turn to_card, to_device;
    uint64_t characters, faults[LINE_FAULTS];
    uint64_t unseen; /* blocks that arrived altered with nothing wrong about EDC and parity */
};

void line_sim_start(struct line_sim *sim, uint64_t seed);
/* A number below `limit`, which is above 0, from the seed. */
uint32_t line_sim_random(struct line_sim *sim, uint32_t limit);

/* Device: sends `length` characters, `delay` etu after the last one on the line, or now, if that is
 * later; `guard` etu from one to the next. Returns the leading edge of the last. */
uint64_t line_sim_send(struct line_sim *sim, const uint8_t *bytes, size_t length, uint32_t delay,
                       uint32_t guard);
/* Device: the card's turn is over; what was heard is compared with what was sent. */
void line_sim_heard(struct line_sim *sim);
/* Device: RST goes low; nothing is on the way any more. Then it goes high. */
void line_sim_reset(struct line_sim *sim);
void line_sim_release(struct line_sim *sim);

/* Card: works, and does not listen. */
void line_sim_spend(struct line_sim *sim, uint32_t etus);

#endif
