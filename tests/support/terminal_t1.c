/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal_t1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum {
    RESYNCH = 0xC0,
    IFS = 0xC1,
    ABORT = 0xC2,
    WTX = 0xC3,
    RESPONSE = 0x20,
    TRIES = 3,
};

/* ---- Blocks ---- */

/* CRC of ISO/IEC 13239, bit by bit. */
static uint16_t crc_of(const uint8_t *bytes, size_t length)
{
    unsigned crc = 0xFFFF;

    for (size_t i = 0; i < 8 * length; i++) {
        unsigned bit = ((unsigned)bytes[i / 8] >> (i % 8)) & 1U;
        crc = ((crc ^ bit) & 1U) != 0 ? (crc >> 1) ^ 0x8408U : crc >> 1;
    }
    return (uint16_t)crc;
}

static size_t edc_length(const struct terminal_t1 *terminal)
{
    return terminal->config.edc == TERMINAL_LRC ? 1 : 2;
}

static void edc_of(const struct terminal_t1 *terminal, const uint8_t *bytes, size_t length,
                   uint8_t edc[2])
{
    unsigned crc = crc_of(bytes, length);

    switch (terminal->config.edc) {
    case TERMINAL_LRC:
        edc[0] = 0;
        for (size_t i = 0; i < length; i++) {
            edc[0] ^= bytes[i];
        }
        break;
    case TERMINAL_CRC_HIGH_FIRST:
        edc[0] = (uint8_t)(crc >> 8);
        edc[1] = (uint8_t)crc;
        break;
    case TERMINAL_CRC_13239:
        edc[0] = (uint8_t)~crc;
        edc[1] = (uint8_t)(~crc >> 8);
        break;
    }
}

static bool is_block(void *context, const uint8_t *bytes, size_t length)
{
    const struct terminal_t1 *terminal = context;
    uint8_t edc[2];

    if (length < 4 || bytes[2] == 0xFF || length != 3 + bytes[2] + edc_length(terminal)) {
        return false;
    }
    edc_of(terminal, bytes, length - edc_length(terminal), edc);
    return memcmp(edc, bytes + length - edc_length(terminal), edc_length(terminal)) == 0;
}

static void send_again(struct terminal_t1 *terminal)
{
    terminal->heard_length = 0;
    terminal->heard_badly = false;
    terminal->blocks++;
    terminal->sent_at = line_sim_send(terminal->sim, terminal->block, terminal->block_length,
                                      terminal->config.delay, terminal->config.guard);
}

static void send_block(struct terminal_t1 *terminal, enum terminal_sent kind, uint8_t pcb,
                       const uint8_t *inf, size_t length)
{
    uint8_t *block = terminal->block;

    block[0] = terminal->config.nad;
    block[1] = pcb;
    block[2] = (uint8_t)length;
    if (length != 0) {
        memcpy(block + 3, inf, length);
    }
    edc_of(terminal, block, 3 + length, block + 3 + length);
    terminal->block_length = 3 + length + edc_length(terminal);
    terminal->last = kind;
    terminal->multiplier = 1;
    send_again(terminal);
}

static void send_r(struct terminal_t1 *terminal, uint8_t error)
{
    send_block(terminal, TERMINAL_SENT_R, (uint8_t)(0x80 | terminal->expected << 4 | error), NULL,
               0);
}

static void send_request(struct terminal_t1 *terminal, uint8_t pcb, uint8_t value)
{
    send_block(terminal, TERMINAL_SENT_REQUEST, pcb, &value, pcb == IFS ? 1 : 0);
}

/* The part of the command that is next, or was sent last and not acknowledged. */
static void send_i(struct terminal_t1 *terminal)
{
    size_t left = terminal->length - terminal->at;
    bool more;

    if (!terminal->pending) {
        terminal->part = left < terminal->ifsc ? left : terminal->ifsc;
        terminal->pending = true;
    }
    more = terminal->part < left;
    send_block(terminal, TERMINAL_SENT_I, (uint8_t)(terminal->number << 6 | (more ? 0x20 : 0)),
               terminal->command + terminal->at, terminal->part);
}

static bool last_part(const struct terminal_t1 *terminal)
{
    return terminal->at + terminal->part == terminal->length;
}

/* ---- Errors: 11.6.3, rules 6 and 7 ---- */

static void finish(struct terminal_t1 *terminal, enum terminal_outcome outcome)
{
    terminal->outcome = outcome;
    terminal->heard_length = 0;
}

static void begin_protocol(struct terminal_t1 *terminal)
{
    terminal->number = terminal->expected = 0;
    terminal->ifsc = terminal->config.ifsc;
    terminal->ifsd = 32;
    terminal->ifsd_asked = false;
    terminal->pending = false;
    terminal->aborted = false;
    terminal->multiplier = 1;
    terminal->tries = 0;
    terminal->heard_length = 0;
    terminal->heard_badly = false;
}

/* No block, or one that cannot be right. */
static void bad(struct terminal_t1 *terminal, uint8_t error)
{
    bool resynching = terminal->last == TERMINAL_SENT_REQUEST && terminal->block[1] == RESYNCH;

    if (++terminal->tries >= TRIES) {
        terminal->tries = 0;
        if (resynching) { /* rule 6.4 */
            terminal->resets++;
            line_sim_reset(terminal->sim);
            finish(terminal, TERMINAL_RESET);
            return;
        }
        terminal->resynchronisations++; /* rule 7.4.2 */
        send_request(terminal, RESYNCH, 0);
        return;
    }
    terminal->repetitions++;
    if (terminal->last == TERMINAL_SENT_REQUEST || terminal->last == TERMINAL_SENT_R ||
        (terminal->last == TERMINAL_SENT_I && terminal->config.impatient && terminal->tries == 1)) {
        terminal->multiplier = 1;
        send_again(terminal); /* rules 7.2 and 7.3 */
    } else {
        send_r(terminal, error); /* rules 7.1 and 7.3 */
    }
}

/* ---- Good blocks ---- */

static void take_i(struct terminal_t1 *terminal, const uint8_t *block)
{
    uint8_t number = (block[1] >> 6) & 1U;
    bool more = (block[1] & 0x20) != 0;
    bool awaited = !terminal->pending || last_part(terminal);

    if (number != terminal->expected || !awaited || terminal->last == TERMINAL_SENT_REQUEST ||
        block[2] > terminal->ifsd) {
        bad(terminal, 2);
        return;
    }
    if (terminal->pending) { /* rule 2.1 */
        terminal->pending = false;
        terminal->at = terminal->length;
        terminal->number ^= 1;
    }
    terminal->tries = 0;
    terminal->expected ^= 1;
    assert_true(terminal->response_length + block[2] <= sizeof terminal->response);
    memcpy(terminal->response + terminal->response_length, block + 3, block[2]);
    terminal->response_length += block[2];
    if (!more) {
        finish(terminal, TERMINAL_DONE);
    } else if (terminal->config.abort_response) {
        send_request(terminal, ABORT, 0); /* rule 9 */
    } else {
        send_r(terminal, 0); /* rule 2.2 */
    }
}

static void take_r(struct terminal_t1 *terminal, const uint8_t *block)
{
    uint8_t number = (block[1] >> 4) & 1U;

    if (terminal->last == TERMINAL_SENT_REQUEST || !terminal->pending) {
        bad(terminal, 2);
    } else if (terminal->aborted) { /* rule 9: the right to send is back */
        terminal->number ^= 1;
        terminal->pending = false;
        terminal->aborted = false;
        finish(terminal, TERMINAL_CARD_ABORTED);
    } else if (number == terminal->number) { /* rule 7.1: the card asks for it again */
        if (++terminal->tries >= TRIES) {
            terminal->tries = 0;
            terminal->resynchronisations++;
            send_request(terminal, RESYNCH, 0);
            return;
        }
        terminal->repetitions++;
        send_i(terminal);
    } else if (!last_part(terminal)) { /* rule 2.2 */
        terminal->tries = 0;
        terminal->at += terminal->part;
        terminal->number ^= 1;
        terminal->pending = false;
        send_i(terminal);
    } else {
        bad(terminal, 2);
    }
}

static void take_response(struct terminal_t1 *terminal, const uint8_t *block)
{
    const uint8_t *request = terminal->block;

    if (terminal->last != TERMINAL_SENT_REQUEST || block[1] != (request[1] | RESPONSE) ||
        block[2] != request[2] || (block[2] == 1 && block[3] != request[3])) {
        bad(terminal, 2);
        return;
    }
    terminal->tries = 0;
    switch (request[1]) {
    case RESYNCH: /* rule 6 */
        begin_protocol(terminal);
        finish(terminal, TERMINAL_RESYNCHRONISED);
        break;
    case IFS: /* rule 4 */
        terminal->ifsd = block[3];
        terminal->ifsd_asked = true;
        send_i(terminal);
        break;
    default:
        finish(terminal, TERMINAL_ABORTED);
        break;
    }
}

static void take_request(struct terminal_t1 *terminal, const uint8_t *block)
{
    bool known = (block[1] == WTX && block[2] == 1 && block[3] != 0) ||
                 (block[1] == IFS && block[2] == 1 && block[3] != 0 && block[3] != 0xFF) ||
                 (block[1] == ABORT && block[2] == 0 && terminal->pending);
    uint8_t request = block[1], value = block[3];

    if (terminal->last == TERMINAL_SENT_REQUEST || !known) {
        bad(terminal, 2);
        return;
    }
    terminal->tries = 0;
    send_block(terminal, TERMINAL_SENT_RESPONSE, request | RESPONSE, &value, block[2]);
    if (request == WTX) { /* rule 3 */
        terminal->extensions++;
        terminal->multiplier = value;
    } else if (request == IFS) {
        terminal->ifsc = value;
    } else {
        terminal->aborted = true;
    }
}

static void take(struct terminal_t1 *terminal)
{
    uint8_t block[sizeof terminal->heard];
    uint8_t pcb = terminal->heard[1];

    memcpy(block, terminal->heard, terminal->heard_length);
    if (block[0] != (uint8_t)(terminal->config.nad << 4 | terminal->config.nad >> 4)) {
        bad(terminal, 2);
    } else if ((pcb & 0x80) == 0 && (pcb & 0x1F) == 0) {
        take_i(terminal, block);
    } else if ((pcb & 0xEC) == 0x80 && (pcb & 0x03) != 3 && block[2] == 0) {
        take_r(terminal, block);
    } else if ((pcb & 0xFC) == 0xE0) {
        take_response(terminal, block);
    } else if ((pcb & 0xFC) == 0xC0) {
        take_request(terminal, block);
    } else {
        bad(terminal, 2);
    }
}

/* ---- Events ---- */

static void character(void *context, uint8_t character_, bool good)
{
    struct terminal_t1 *terminal = context;

    if (terminal->outcome != TERMINAL_BUSY) {
        return;
    }
    if (terminal->heard_length < sizeof terminal->heard) {
        terminal->heard[terminal->heard_length++] = character_;
    }
    terminal->heard_badly = terminal->heard_badly || !good;
    terminal->heard_at = terminal->sim->now;
    if (!terminal->heard_badly && is_block(terminal, terminal->heard, terminal->heard_length)) {
        line_sim_heard(terminal->sim);
        take(terminal);
    }
}

static uint64_t due(void *context)
{
    const struct terminal_t1 *terminal = context;

    if (terminal->outcome != TERMINAL_BUSY) {
        return LINE_NEVER;
    }
    if (terminal->heard_length != 0) {
        return terminal->heard_at + terminal->cwt + 1;
    }
    return terminal->sent_at + terminal->bwt * terminal->multiplier + 1;
}

/* CWT is over within a block, or after one that is wrong; or BWT is over. */
static void wake(void *context)
{
    struct terminal_t1 *terminal = context;
    size_t length = terminal->heard_length;
    bool whole = length > 3 && length >= 3 + terminal->heard[2] + edc_length(terminal);

    line_sim_heard(terminal->sim);
    bad(terminal, terminal->heard_badly || whole ? 1 : 2);
}

/* ---- Use ---- */

void terminal_t1_restart(struct terminal_t1 *terminal, const struct terminal_t1_config *config)
{
    uint64_t cycles = (UINT64_C(960) * 372) << config->bwi;

    terminal->config = *config;
    terminal->bwt = 11 + cycles * config->d / config->f; /* 11.4.3 */
    terminal->cwt = 11 + (UINT64_C(1) << config->cwi);
    begin_protocol(terminal);
}

void terminal_t1_start(struct terminal_t1 *terminal, const struct terminal_t1_config *config,
                       struct line_sim *sim)
{
    memset(terminal, 0, sizeof *terminal);
    terminal->sim = sim;
    terminal->outcome = TERMINAL_DONE;
    sim->device = (struct line_device){terminal, character, due, wake, is_block};
    terminal_t1_restart(terminal, config);
}

void terminal_t1_begin(struct terminal_t1 *terminal, const uint8_t *command, size_t length)
{
    terminal->command = command;
    terminal->length = length;
    terminal->at = 0;
    terminal->pending = false;
    terminal->response_length = 0;
    terminal->tries = 0;
    terminal->outcome = TERMINAL_BUSY;
    if (terminal->config.ifsd != 0 && !terminal->ifsd_asked) {
        send_request(terminal, IFS, terminal->config.ifsd);
    } else {
        send_i(terminal);
    }
}
