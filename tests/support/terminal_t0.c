/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal_t0.h"

#include <string.h>

enum {
    GUARD = 12,  /* 7.2 */
    TURN = 16,   /* between directions */
    REPEAT = 13, /* 7.3: error seen at 11, and two */
    REPEATS_MAX = 3,
    INITIAL_WAITING = 9600, /* 8.1, 9.1 */
    WAITING_UNIT = 960,
    INS_GET_RESPONSE = 0xC0,
    INS_ENVELOPE = 0xC2,
};

static void give_up(struct terminal_t0 *t, enum terminal_end why)
{
    t->state = TERMINAL_OVER;
    t->end = why;
}

/* After a loss it may be the device itself that is at the wrong place. */
static void wrong(struct terminal_t0 *t, const char *what)
{
    if (t->lost) {
        give_up(t, TERMINAL_PROCEDURE);
        return;
    }
    t->wrong = t->wrong != NULL ? t->wrong : what;
}

static void note(struct terminal_t0 *t, bool from_card, uint8_t character)
{
    if (t->logged < TERMINAL_LOG) {
        t->log[t->logged].from_card = from_card;
        t->log[t->logged++].character = character;
    }
    t->characters++;
}

/* ---- Commands: APDU to TPDU (12.2) ---- */

static void send_bytes(struct terminal_t0 *t, const uint8_t *bytes, size_t length,
                       enum terminal_state after)
{
    t->out = bytes;
    t->out_length = length;
    t->after = after;
    t->state = length != 0 ? TERMINAL_SENDING : after;
}

static void send_tpdu(struct terminal_t0 *t, uint8_t cla, uint8_t ins, uint8_t p1, uint8_t p2,
                      size_t p3)
{
    t->tpdu = (struct terminal_tpdu){.header = {cla, ins, p1, p2, (uint8_t)p3}};
    send_bytes(t, t->tpdu.header, sizeof t->tpdu.header, TERMINAL_AT_PROCEDURE);
}

static void send_incoming(struct terminal_t0 *t, const uint8_t header[4], const uint8_t *data,
                          size_t length)
{
    send_tpdu(t, header[0], header[1], header[2], header[3], length);
    t->tpdu.data = data;
    t->tpdu.length = length;
}

static void send_outgoing(struct terminal_t0 *t, const uint8_t header[4], size_t ne)
{
    send_tpdu(t, header[0], header[1], header[2], header[3], ne);
    t->tpdu.wanted = ne;
}

static void send_get_response(struct terminal_t0 *t, size_t available)
{
    const size_t more = t->ne - t->response_length;
    const uint8_t header[4] = {t->apdu.data[0] & 0x03, INS_GET_RESPONSE, 0, 0};

    send_outgoing(t, header, available < more ? available : more < 256 ? more : 256);
}

static void send_piece(struct terminal_t0 *t)
{
    const uint8_t header[4] = {t->apdu.data[0] & 0x03, INS_ENVELOPE, 0, 0};
    const size_t left = t->apdu.length - t->enveloped;
    const size_t piece = left < t->chunk ? left : t->chunk;

    send_incoming(t, header, t->apdu.data + t->enveloped, piece);
    t->enveloped += piece;
}

/* Nc and Ne of an APDU of one of the seven forms (12.1.3). */
static void take_apart(struct terminal_t0 *t)
{
    const uint8_t *body = t->apdu.data + 4;
    const size_t n = t->apdu.length - 4;
    const size_t field = n > 1 && body[0] == 0 ? 2 : 1;

    t->nc = 0;
    t->ne = 0;
    t->extended = field == 2;
    if (n == 1 || (field == 2 && n == 3)) {
        t->ne = field == 1 ? body[0] : body[1] * 256U + body[2];
    } else if (n != 0) {
        t->nc = field == 1 ? body[0] : body[1] * 256U + body[2];
        const uint8_t *le = body + (field == 1 ? 1 : 3) + t->nc;
        if (le == body + n) {
            return;
        }
        t->ne = field == 1 ? le[0] : le[0] * 256U + le[1];
    } else {
        return;
    }
    t->ne = t->ne != 0 ? t->ne : field == 1 ? 256 : 65536;
}

static void begin_command(struct terminal_t0 *t)
{
    const uint8_t *apdu = t->apdu.data;

    t->commands++;
    t->response_length = 0;
    t->enveloped = 0;
    if (t->raw) {
        const bool data = t->apdu.length > 5;
        send_tpdu(t, apdu[0], apdu[1], apdu[2], apdu[3], apdu[4]);
        t->tpdu.data = apdu + 5;
        t->tpdu.length = data ? t->apdu.length - 5 : 0;
        t->tpdu.wanted = data ? 0 : apdu[4] != 0 ? apdu[4] : 256;
        return;
    }
    take_apart(t);
    t->by_envelope = t->nc > 255;
    if (t->by_envelope) {
        send_piece(t);
    } else if (t->nc != 0 || t->ne == 0) {
        send_incoming(t, apdu, apdu + (t->extended ? 7 : 5), t->nc);
    } else {
        send_outgoing(t, apdu, t->ne < 256 ? t->ne : 256);
    }
}

static void end_command(struct terminal_t0 *t, uint16_t sw)
{
    t->response[t->response_length++] = (uint8_t)(sw >> 8);
    t->response[t->response_length++] = (uint8_t)sw;
    t->state = TERMINAL_IDLE;
    t->done(t->context, t->response, t->response_length);
}

/* Whether an ENVELOPE is to follow: the rest; an empty one only if the card cannot see the end
 * (ISO/IEC 7816-4:2013, 11.8.2), as behind a last piece without Le that is as long as the others.
 */
static bool pieces_left(const struct terminal_t0 *t)
{
    return t->enveloped < t->apdu.length ||
           (t->ne == 0 && t->tpdu.length == t->chunk && t->tpdu.length != 0);
}

static void end_tpdu(struct terminal_t0 *t, uint8_t sw2)
{
    const uint16_t sw = (uint16_t)(t->sw1 << 8 | sw2);
    const size_t amount = sw2 != 0 ? sw2 : 256;
    const bool outgoing = t->tpdu.wanted != 0;

    if (t->tpdu.header[1] == INS_ENVELOPE && t->by_envelope && !t->raw && sw == 0x9000 &&
        pieces_left(t)) {
        send_piece(t);
    } else if (!t->raw && t->sw1 == 0x6C && outgoing && t->tpdu.got == 0) {
        uint8_t header[4];
        memcpy(header, t->tpdu.header, sizeof header);
        send_outgoing(t, header, amount);
    } else if (!t->raw && t->sw1 == 0x61 && t->response_length < t->ne) {
        send_get_response(t, amount);
    } else {
        end_command(t, sw);
    }
}

/* ---- Characters of the card ---- */

/* 10.3.3 */
static void take_procedure(struct terminal_t0 *t, uint8_t c)
{
    const uint8_t ins = t->tpdu.header[1];
    struct terminal_tpdu *tpdu = &t->tpdu;
    const size_t left = tpdu->wanted != 0 ? tpdu->wanted - tpdu->got : tpdu->length - tpdu->given;

    if (c == 0x60) {
        t->nulls++;
    } else if ((c & 0xF0) == 0x60 || (c & 0xF0) == 0x90) {
        t->sw1 = c;
        t->state = TERMINAL_AT_SW2;
        if (c != 0x61 && c != 0x6C && (c & 0xF0) == 0x60 && tpdu->got != 0 && c > 0x63) {
            wrong(t, "data before an error");
        }
    } else if ((c == ins || (c ^ ins) == 0xFF) && left != 0) {
        t->run = c == ins ? left : 1;
        if (tpdu->wanted != 0) {
            t->state = TERMINAL_AT_DATA;
        } else {
            send_bytes(t, tpdu->data + tpdu->given, t->run, TERMINAL_AT_PROCEDURE);
            tpdu->given += t->run;
        }
    } else {
        give_up(t, TERMINAL_PROCEDURE);
    }
}

/* How many bytes an ATR has, as far as those that came say (8.2); sets what it promises. */
static size_t read_atr(struct terminal_t0 *t)
{
    uint8_t indicator = t->atr[1];
    size_t at = 2;
    bool check = false;

    for (unsigned group = 1;; group++) {
        for (unsigned bit = 0; bit < 3; bit++) {
            if ((indicator & 0x10 << bit) == 0) {
                continue;
            }
            if (group == 1 && bit == 2) {
                t->guard = GUARD + (t->atr[at] != 0xFF ? t->atr[at] : 0U);
            } else if (group == 2 && bit == 2) {
                t->waiting_time = (uint32_t)t->atr[at] * WAITING_UNIT;
            }
            at++;
        }
        if ((indicator & 0x80) == 0) {
            return at + (t->atr[1] & 0x0F) + (check ? 1 : 0);
        }
        if (at >= t->atr_length) {
            return at + 1;
        }
        indicator = t->atr[at++];
        check = check || (indicator & 0x0F) != 0;
    }
}

static void take_atr(struct terminal_t0 *t, uint8_t c)
{
    if (t->atr_length == sizeof t->atr) {
        give_up(t, TERMINAL_PROCEDURE);
        return;
    }
    if (t->atr_length == 0 && (c == 0x3F) != t->parameters.inverse) {
        wrong(t, "TS is not in its own convention");
    }
    t->atr[t->atr_length++] = c;
    if (t->atr_length >= 2 && t->atr_length == read_atr(t)) {
        send_bytes(t, t->pps, t->pps_length, t->pps != NULL ? TERMINAL_AT_PPS : TERMINAL_IDLE);
    }
}

static void take_pps(struct terminal_t0 *t, uint8_t c)
{
    static const uint8_t di[16] = {1, 1, 2, 4, 8, 16, 32, 64, 12, 20, 1, 1, 1, 1, 1, 1};
    const uint8_t *answer = t->pps_answer;
    uint8_t check = 0;

    t->pps_answer[t->pps_answer_length++] = c;
    if (t->pps_answer_length < 2) {
        return;
    }
    const uint8_t pps0 = answer[1];
    if ((pps0 & ~t->pps[1]) != 0 || (pps0 & 0x0F) != (t->pps[1] & 0x0F) || (pps0 & 0xE0) != 0) {
        give_up(t, TERMINAL_PPS); /* this device takes no PPS2 and PPS3 */
        return;
    }
    if (t->pps_answer_length < ((pps0 & 0x10) != 0 ? 4U : 3U)) {
        return;
    }
    for (size_t i = 0; i < t->pps_answer_length; i++) {
        check ^= answer[i];
    }
    if (answer[0] != 0xFF || check != 0 || ((pps0 & 0x10) != 0 && answer[2] != t->pps[2])) {
        give_up(t, TERMINAL_PPS);
        return;
    }
    t->d = (pps0 & 0x10) != 0 ? di[answer[2] & 0x0F] : 1;
    t->state = TERMINAL_IDLE;
}

static void take(struct terminal_t0 *t, uint8_t c)
{
    switch (t->state) {
    case TERMINAL_IN_ATR:
        take_atr(t, c);
        break;
    case TERMINAL_AT_PPS:
        take_pps(t, c);
        break;
    case TERMINAL_AT_PROCEDURE:
        take_procedure(t, c);
        break;
    case TERMINAL_AT_DATA:
        t->response[t->response_length++] = c;
        t->tpdu.got++;
        t->state = --t->run == 0 ? TERMINAL_AT_PROCEDURE : TERMINAL_AT_DATA;
        break;
    case TERMINAL_AT_SW2:
        end_tpdu(t, c);
        break;
    default:
        wrong(t, "the card speaks when it is not asked");
    }
}

/* ---- The line ---- */

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint32_t waiting_time(const struct terminal_t0 *t)
{
    const bool initial = t->state == TERMINAL_IN_ATR || t->state == TERMINAL_AT_PPS;

    return initial ? INITIAL_WAITING : t->waiting_time * t->d;
}

/* Another one with the same parity. */
static uint8_t damaged(const struct terminal_t0 *t, uint8_t character)
{
    return character ^ (uint8_t)(0x03U << t->now % 7);
}

/* A character begins now. */
static enum terminal_fault pass(struct terminal_t0 *t, bool from_card)
{
    t->last = t->now;
    t->last_from_card = from_card;
    return t->fault != NULL ? t->fault(t->context, from_card) : TERMINAL_SOUND;
}

static void line_set(void *context, const struct cos_line_parameters *parameters)
{
    struct terminal_t0 *t = context;

    t->parameters = *parameters;
}

static enum cos_result line_send(void *context, uint8_t character, uint32_t etus)
{
    struct terminal_t0 *t = context;
    const uint64_t guard = t->last_from_card ? t->parameters.guard : 0;

    if (t->state == TERMINAL_OVER) {
        return COS_E_LINE_RESET;
    }
    t->now = later(t->now, t->last + later(etus, guard));
    const uint64_t gap = t->now - t->last;
    if (gap > waiting_time(t)) {
        give_up(t, TERMINAL_TIMED_OUT);
        return COS_E_LINE_RESET;
    }
    if (gap < (t->last_from_card ? GUARD : TURN) && t->characters != 0) {
        wrong(t, "a character too early");
    }
    t->longest = later(t->longest, gap);
    switch (pass(t, true)) {
    case TERMINAL_WRONG_PARITY:
        t->refused++;
        if (++t->repeats > REPEATS_MAX) {
            give_up(t, TERMINAL_REPEATED);
            return COS_E_LINE_RESET;
        }
        return COS_E_LINE_PARITY;
    case TERMINAL_LOST:
        t->lost = true;
        return COS_OK;
    case TERMINAL_ALTERED:
        t->lost = true;
        take(t, damaged(t, character));
        return COS_OK;
    case TERMINAL_DOUBLED:
        t->lost = true;
        take(t, character);
        break;
    case TERMINAL_INSERTED:
        t->lost = true;
        take(t, damaged(t, character));
        break;
    default:
        break;
    }
    t->repeats = 0;
    note(t, true, character);
    take(t, character);
    return COS_OK;
}

/* The device has nothing to send: it waits until the waiting time is over, or has finished. */
static enum cos_result wait_for_card(struct terminal_t0 *t)
{
    if (t->state != TERMINAL_OVER) {
        t->now = t->last + waiting_time(t);
        give_up(t, TERMINAL_TIMED_OUT);
    }
    return COS_E_LINE_RESET;
}

static enum cos_result line_receive(void *context, uint8_t *character, uint32_t etus)
{
    struct terminal_t0 *t = context;

    if (t->state == TERMINAL_IDLE) {
        t->apdu = t->next(t->context);
        if (t->apdu.data == NULL) {
            give_up(t, TERMINAL_FINISHED);
        } else {
            begin_command(t);
        }
    }
    if (t->state != TERMINAL_SENDING) {
        return wait_for_card(t);
    }
    const uint32_t delay = t->repeats != 0 ? REPEAT : t->last_from_card ? TURN : t->guard;
    const uint64_t then = later(t->now, t->last + delay + t->pause);
    if (etus != 0 && then > t->last + etus) {
        t->now = t->last + etus;
        return COS_E_LINE_SILENT;
    }
    t->now = then;
    const enum terminal_fault fault = pass(t, false);
    if (fault == TERMINAL_WRONG_PARITY) {
        t->refused++;
        if (++t->repeats > REPEATS_MAX) {
            give_up(t, TERMINAL_REPEATED);
        }
        return COS_E_LINE_PARITY;
    }
    t->repeats = 0;
    t->lost = t->lost || fault != TERMINAL_SOUND;
    *character = *t->out;
    if (fault == TERMINAL_ALTERED || fault == TERMINAL_INSERTED) {
        *character = damaged(t, *character);
    }
    if (fault == TERMINAL_DOUBLED || fault == TERMINAL_INSERTED) {
        return COS_OK; /* and the one that was to be sent comes next */
    }
    t->out++;
    t->state = --t->out_length == 0 ? t->after : TERMINAL_SENDING;
    note(t, false, *character);
    return fault == TERMINAL_LOST ? line_receive(t, character, etus) : COS_OK;
}

static uint32_t line_elapsed(void *context)
{
    const struct terminal_t0 *t = context;

    return (uint32_t)(t->now - t->last);
}

void terminal_t0_reset(struct terminal_t0 *t)
{
    t->parameters = (struct cos_line_parameters){372, 1, false, true, GUARD};
    t->last_from_card = false;
    t->last = t->now;
    t->now += 2; /* 400 clock cycles at least (6.2.2) */
    t->atr_length = 0;
    t->pps_answer_length = 0;
    t->waiting_time = 10 * WAITING_UNIT;
    t->guard = GUARD;
    t->d = 1;
    t->repeats = 0;
    t->state = TERMINAL_IN_ATR;
    t->lost = false;
    t->characters = 0;
}

void terminal_t0_init(struct terminal_t0 *t)
{
    memset(t, 0, sizeof *t);
    t->line = (struct cos_line){t, line_set, line_send, line_receive, line_elapsed};
    t->chunk = 255;
    terminal_t0_reset(t);
}
