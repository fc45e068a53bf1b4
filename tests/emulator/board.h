/* SPDX-License-Identifier: Apache-2.0
 *
 * The board around the emulated app chip: its memory and the security chip are those of a bench
 * (bench.h), at its contacts is a device (device.h). Measures what passes between the chip and
 * them.
 */
#ifndef TESTS_EMULATOR_BOARD_H
#define TESTS_EMULATOR_BOARD_H

#include "bench.h"
#include "chip.h"
#include "device.h"

/* The longest run of instructions between two calls of the port, and which. */
struct board_gap {
    uint64_t instructions;
    unsigned from, to; /* traps.h */
};

/* What a command costs. Instructions are those of the app chip, without the AES engine's work. */
struct board_cost {
    size_t received, sent;          /* characters */
    uint64_t first_edge, last_edge; /* of them, in etu */
    /* From a character of the device to the next one of the card: all of them together. */
    uint64_t turned;
    uint64_t settled; /* from the last character of the card until it waits for another */
    uint64_t between_received, between_sent; /* from one character to the next, at most */
    struct board_gap gap;
    uint64_t without_idle; /* longest run between two calls of the idle hook, or from and to a
                              character */
    size_t aes_blocks;
    size_t data; /* bytes of the response */
    uint16_t sw;
};

struct board {
    struct chip chip;
    struct bench *bench;
    struct device device;
    struct board_cost *costs; /* one for each command of the device; all zeros */

    /* What an instruction takes of the contacts' clock, in halves of a cycle, of which 372 are an
     * etu; 0: nothing. */
    unsigned half_cycles;
    uint64_t spent; /* etu */

    uint64_t first_sent; /* instructions from reset to the first character of the ATR */
    uint64_t sent_again; /* the same after the device has reset the card, in the firmware's loop */
    uint64_t started;    /* from the last character of the first command to its execution */
    enum cos_result start_result;

    struct board_cost before; /* before the first command */
    struct board_cost *cost;  /* of the command under way */
    unsigned last;            /* trap, and when it was */
    uint64_t last_at, idle_at;
    bool turned;           /* the last character was the device's */
    bool any;              /* there was a character */
    bool over;             /* the device has reset the card */
    uint64_t reset_at;     /* when it has */
    uint64_t character_at; /* when it was */
    uint64_t received_at;  /* when the device's last one was */
};

/* Runs the firmware from reset until the device has sent all commands and the next ATR begins. The
 * device must be ready. */
void board_run(struct board *board);
const char *board_trap_name(unsigned trap);

#endif
