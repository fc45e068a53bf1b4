/* SPDX-License-Identifier: Apache-2.0
 *
 * An interface device at the emulated card's contacts that sends a list of commands: the models of
 * terminal_t0.h and of terminal_t1.h with line_sim.h, under one face. The line is sound.
 */
#ifndef TESTS_EMULATOR_DEVICE_H
#define TESTS_EMULATOR_DEVICE_H

#include "terminal_t0.h"
#include "terminal_t1.h"

/* T=0 or T=1, chosen by PPS, the latter with this IFSD. */
struct device_protocol {
    bool t1;
    uint8_t ifsd;
};

struct device {
    struct cos_line line; /* for the card; it is reset when there is no command left */

    const char *const *commands; /* hexadecimal text */
    size_t count, begun;
    void *context;
    void (*begin)(void *context, size_t command);
    void (*end)(void *context, size_t command, const uint8_t *response, size_t length);

    struct device_protocol protocol;
    uint8_t apdu[300];
    bool waiting; /* T=1: for a response */
    size_t asked; /* T=1: characters of the PPS request that are out */
    struct terminal_t0 t0;
    struct terminal_t1 t1;
    struct line_sim sim;
};

/* A device that is about to see an ATR. The caller sets commands, context, begin and end then. */
void device_start(struct device *device, struct device_protocol protocol);
/* Leading edge of the last character on the line, in etu. */
uint64_t device_edge(const struct device *device);
/* Time goes by while the card works. */
void device_spend(struct device *device, uint32_t etus);
/* What the card did that it may not, or what else went wrong; NULL: nothing. */
const char *device_problem(const struct device *device);

#endif
