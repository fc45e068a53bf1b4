/* SPDX-License-Identifier: Apache-2.0 */
#include "t0_card.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- Text ---- */

static void append(char *text, const char *mark, const uint8_t *bytes, size_t length)
{
    size_t at = strlen(text);

    assert_true(at + strlen(mark) + 2 * length + 2 < T0_CARD_TEXT);
    at += (size_t)sprintf(text + at, "%s%s", at != 0 ? " " : "", mark);
    for (size_t i = 0; i < length; i++) {
        at += (size_t)sprintf(text + at, "%02X", bytes[i]);
    }
}

/* Bytes of the next word; *text is moved behind it. NN*...: so many bytes 00 01 02 ... first. */
static size_t take_word(const char **text, uint8_t *bytes, size_t capacity)
{
    size_t length = 0;
    char *end;

    *text += strspn(*text, " ");
    const size_t word = strcspn(*text, " ");
    const char *star = memchr(*text, '*', word);
    const char *from = *text, *stop = *text + word;
    if (star != NULL) {
        length = strtoul(from, &end, 10);
        assert_ptr_equal(end, star);
        assert_true(length <= capacity);
        for (size_t i = 0; i < length; i++) {
            bytes[i] = (uint8_t)i;
        }
        from = star + 1;
    }
    for (; from < stop; from += 2) {
        const char digits[3] = {from[0], from[1], '\0'};
        assert_true(length < capacity);
        bytes[length++] = (uint8_t)strtoul(digits, &end, 16);
        assert_ptr_equal(end, digits + 2);
    }
    *text = stop;
    return length;
}

/* ---- The device ---- */

static struct cos_span next_apdu(void *context)
{
    struct t0_card *card = context;
    size_t length = take_word(&card->apdus, card->apdu, sizeof card->apdu);

    /* NN*: as many bytes belong to what precedes it. */
    if (length != 0 && card->apdus[0] == ' ' && strchr("0123456789", card->apdus[1]) != NULL &&
        strcspn(card->apdus + 1, "*") < strcspn(card->apdus + 1, " ")) {
        length += take_word(&card->apdus, card->apdu + length, sizeof card->apdu - length);
    }
    return (struct cos_span){length != 0 ? card->apdu : NULL, length};
}

static void apdu_done(void *context, const uint8_t *response, size_t length)
{
    struct t0_card *card = context;

    append(card->responses, "", response, length);
}

/* ---- The card ---- */

static void extend(struct t0_card *card, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        cos_t0_extend(&card->transport.t0);
    }
}

static enum cos_t0_direction direction(void *context, const uint8_t header[5])
{
    struct t0_card *card = context;
    const char *in = card->in;
    uint8_t ins;

    extend(card, card->extend_direction);
    while (take_word(&in, &ins, 1) != 0) {
        if (ins == header[1]) {
            return COS_T0_IN;
        }
    }
    return COS_T0_OUT;
}

static size_t command(void *context, uint8_t *apdu, size_t length, uint8_t *response,
                      size_t capacity)
{
    struct t0_card *card = context;
    uint32_t worked = 0;

    append(card->executed, "", apdu, length);
    /* Nothing is left of what was fetched, or dropped. */
    for (size_t i = 0; i < card->answered; i++) {
        assert_int_equal(response[i], 0);
    }
    for (size_t i = length; i < card->config.command_size; i++) {
        assert_int_equal(apdu[i], 0);
    }
    extend(card, card->extend_command);
    while (worked < card->work) {
        const uint32_t step = card->step < card->work - worked ? card->step : card->work - worked;
        card->terminal.now += step;
        worked += step;
        cos_transport_idle(&card->transport);
    }
    memset(apdu, 0, length); /* as the app chip does */
    const size_t answer = take_word(&card->answers, response, capacity);
    card->answered = answer > 2 ? answer - 2 : 0;
    return answer;
}

static void settle(void *context)
{
    struct t0_card *card = context;

    card->settled++;
    cos_t0_extend(&card->transport.t0); /* not now: the device waits for nothing */
}

void t0_card_init(struct t0_card *card)
{
    memset(card, 0, sizeof *card);
    terminal_t0_init(&card->terminal);
    card->terminal.context = card;
    card->terminal.next = next_apdu;
    card->terminal.done = apdu_done;
    card->config = (struct cos_transport_config){
        .command = card->command,
        .command_size = sizeof card->command,
        .response = card->response,
        .response_size = sizeof card->response,
    };
    card->handler = (struct cos_transport_handler){card, command, direction, settle};
    card->atr = "3B00";
    card->apdus = "";
    card->answers = "";
    card->in = "44 D6 A4 88 2A";
    card->step = 100;
}

void t0_card_run(struct t0_card *card)
{
    uint8_t atr[COS_ATR_MAX];
    const char *text = card->atr;
    const size_t length = take_word(&text, atr, sizeof atr);

    if (!card->started) {
        cos_transport_start(&card->transport, &card->config);
    }
    card->started = true;
    assert_int_equal(cos_transport_serve(&card->transport, &card->terminal.line, &card->handler,
                                         (struct cos_span){atr, length}),
                     COS_E_LINE_RESET);
    if (card->terminal.wrong != NULL) {
        fail_msg("%s", card->terminal.wrong);
    }
    const struct cos_line_parameters last = card->terminal.parameters;
    assert_int_equal(cos_transport_serve(&card->transport, &card->terminal.line, &card->handler,
                                         (struct cos_span){atr, length}),
                     COS_E_LINE_RESET); /* RST is still low */
    card->terminal.parameters = last;
    for (size_t i = 0; i < sizeof card->command; i++) {
        assert_int_equal(card->command[i] | card->response[i], 0); /* nothing stays */
    }
}

const char *t0_card_wire(struct t0_card *card)
{
    const struct terminal_t0 *terminal = &card->terminal;
    size_t at = terminal->atr_length + terminal->pps_length + terminal->pps_answer_length;
    char *text = card->wire;

    for (size_t i = at; i < terminal->logged; i++) {
        const bool from_card = terminal->log[i].from_card;
        if (i == at || terminal->log[i - 1].from_card != from_card) {
            text += sprintf(text, "%s%c", i == at ? "" : " ", from_card ? '<' : '>');
        }
        text += sprintf(text, "%02X", terminal->log[i].character);
    }
    *text = '\0';
    return card->wire;
}
