/* SPDX-License-Identifier: Apache-2.0 */
#include "contact_card.h"

#include "host_card.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static size_t command(void *context, uint8_t *apdu, size_t length, uint8_t *response,
                      size_t capacity)
{
    struct contact_card *card = context;

    (void)capacity;
    card->executed++;
    (void)host_contacts_work(&card->board, card->work);
    memcpy(response, "\x11\x22\x90\x00", 4);
    memset(apdu, 0, length);
    return 4;
}

static enum cos_t0_direction direction(void *context, const uint8_t header[5])
{
    (void)context;
    return header[1] == 0xD6 ? COS_T0_IN : COS_T0_OUT;
}

void contact_card_play(struct contact_card *card, const char *atr, size_t atr_length,
                       const struct bit_step *steps)
{
    const struct cos_transport_handler handler = {card, command, direction, NULL};
    const struct cos_transport_config config = {
        .command = card->command,
        .command_size = sizeof card->command,
        .response = card->response,
        .response_size = sizeof card->response,
        .pairs = card->pairs,
    };
    struct cos_transport transport;

    card->executed = 0;
    card->reader.signals = true;
    bit_reader_run(&card->reader, &card->board, steps);
    cos_transport_start(&transport, &config);
    while (host_contacts_reset(&card->board)) {
        (void)cos_transport_serve(&transport, &card->board.line, &handler,
                                  (struct cos_span){(const uint8_t *)atr, atr_length});
    }
    if (card->reader.wrong != NULL) {
        fail_msg("step %u: %s", card->reader.wrong_step, card->reader.wrong);
    }
}

void contact_card_init(struct contact_card *card)
{
    memset(card, 0, sizeof *card);
    host_contacts_init(&card->board, HOST_CLOCK_CLASS, host_pairs);
    card->pairs = host_pairs;
}
