/* SPDX-License-Identifier: Apache-2.0
 *
 * A card that is the transport on the simulated board, and a reader that works through a list of
 * steps.
 */
#ifndef TESTS_CONTACT_CARD_H
#define TESTS_CONTACT_CARD_H

#include "bit_reader.h"
#include "cos/transport.h"

struct contact_card {
    struct host_contacts board;
    struct bit_reader reader;
    const uint16_t *pairs; /* that it can do: all */
    uint64_t work;         /* cycles that a command takes */
    unsigned executed;     /* commands; each is answered 1122 9000 */
    uint8_t command[COS_T0_COMMAND_LEAST], response[COS_T0_RESPONSE_LEAST];
};

void contact_card_init(struct contact_card *card);
/* The card with this ATR, as long as the reader does something. Fails the test if a step did not go
 * as it should. */
void contact_card_play(struct contact_card *card, const char *atr, size_t atr_length,
                       const struct bit_step *steps);

/* ---- Steps that often come ---- */

#define POWER_UP                                                                                   \
    {BIT_VCC, HOST_CLASS_A, NULL}, {BIT_RUN, 100, NULL}, {BIT_IO, 1, NULL},                        \
    {                                                                                              \
        BIT_CLK, HOST_CLK_RUNS, NULL                                                               \
    }
#define COLD_RESET                                                                                 \
    POWER_UP, {BIT_RUN, 400, NULL},                                                                \
    {                                                                                              \
        BIT_RST, 1, NULL                                                                           \
    }
#define WARM_RESET                                                                                 \
    {BIT_RST, 0, NULL}, {BIT_RUN, 400, NULL},                                                      \
    {                                                                                              \
        BIT_RST, 1, NULL                                                                           \
    }
#define SWITCH_OFF                                                                                 \
    {BIT_RST, 0, NULL}, {BIT_CLK, HOST_CLK_LOW, NULL}, {BIT_IO, 0, NULL},                          \
    {                                                                                              \
        BIT_VCC, 0, NULL                                                                           \
    }
#define READ                                                                                       \
    {BIT_SEND, 0, "00B0000002"},                                                                   \
    {                                                                                              \
        BIT_HEAR, 0, "B011229000"                                                                  \
    }
#define END                                                                                        \
    {                                                                                              \
        BIT_END, 0, NULL                                                                           \
    }

#endif
