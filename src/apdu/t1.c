/* SPDX-License-Identifier: Apache-2.0
 *
 * T=1, the rules of ISO/IEC 7816-3:2006, 11.6, as far as a card has to follow them.
 */
#include "cos/t1.h"
#include "cos/bytes.h"
#include "t1_block.h"

#define IFSD_INITIAL 32 /* 11.4.2 */

/* ---- Start and resynchronisation ---- */

/* BWT = 11 etu + 2^BWI * 960 * 372 / f, and an etu is F / (D * f); 11.4.3. */
static uint32_t block_waiting_time(const struct cos_t1_parameters *parameters)
{
    uint32_t cycles = ((uint32_t)960 * 372) << parameters->bwi;
    uint32_t f = parameters->f, d = parameters->d;

    return 11 + cycles / f * d + cycles % f * d / f;
}

/* Where the protocol begins, and where RESYNCH takes it back to (rule 6). */
static void begin(struct cos_t1 *t1)
{
    t1->ifsc = t1->parameters.ifsc;
    t1->ifsd = IFSD_INITIAL;
    t1->ifsc_settled = t1->parameters.request_ifsc == 0;
    t1->next = 0;
    t1->expected = 0;
    t1->unacknowledged = false;
    t1->error = T1_ERROR_OTHER;
    t1->multiplier = 1;
}

enum cos_result cos_t1_start(struct cos_t1 *t1, const struct cos_t1_parameters *parameters)
{
    COS_CHECK(parameters->edc <= COS_T1_CRC_13239, COS_E_DATA);
    COS_CHECK(parameters->ifsc != 0x00 && parameters->ifsc != 0xFF, COS_E_DATA);
    COS_CHECK(parameters->request_ifsc != 0xFF, COS_E_DATA);
    COS_CHECK(parameters->bwi <= 9 && parameters->cwi <= 15, COS_E_DATA);
    COS_CHECK(parameters->f != 0 && parameters->d != 0, COS_E_DATA);
    *t1 = (struct cos_t1){.parameters = *parameters};
    t1->bwt = block_waiting_time(parameters);
    t1->cwt = 11 + ((uint32_t)1 << parameters->cwi);
    begin(t1);
    return COS_OK;
}

void cos_t1_first(struct cos_t1 *t1, enum cos_result received, uint8_t character)
{
    t1->handed = true;
    t1->first = character;
    t1->first_bad = received != COS_OK;
}

/* ---- Blocks that the card sends ---- */

static enum cos_result send_r(struct cos_t1 *t1, const struct cos_line *line, uint8_t error)
{
    uint8_t number = t1->expected != 0 ? T1_R_NUMBER : 0;

    t1->error = error;
    return cos_t1_write_block(t1, line, (uint8_t)(T1_R | number | error), NULL, 0);
}

static enum cos_result send_response(struct cos_t1 *t1, const struct cos_line *line,
                                     const struct t1_block *request)
{
    t1->error = T1_ERROR_OTHER;
    return cos_t1_write_block(t1, line, request->pcb | T1_S_RESPONSE, &request->value,
                              request->length);
}

static enum cos_result repeat_i(const struct cos_t1 *t1, const struct cos_line *line)
{
    return cos_t1_write_block(t1, line, t1->pcb, t1->inf, t1->length);
}

static enum cos_result send_i(struct cos_t1 *t1, const struct cos_line *line, const uint8_t *inf,
                              uint8_t length, bool more)
{
    t1->pcb = (uint8_t)((t1->next != 0 ? T1_I_NUMBER : 0) | (more ? T1_I_MORE : 0));
    t1->inf = inf;
    t1->length = length;
    t1->unacknowledged = true;
    t1->next ^= 1;
    t1->multiplier = 1; /* holds for one block (rule 3) */
    t1->error = T1_ERROR_OTHER;
    return repeat_i(t1, line);
}

/* ---- Blocks that are answered alike at any time ---- */

static enum cos_result resynchronise(struct cos_t1 *t1, const struct cos_line *line,
                                     const struct t1_block *request)
{
    begin(t1);
    t1->abandoned = true;
    return send_response(t1, line, request);
}

/* What is neither the next part of a command, nor the acknowledgement or response that the card
 * waits for. */
static enum cos_result answer(struct cos_t1 *t1, const struct cos_line *line,
                              const struct t1_block *block)
{
    if (block->kind == T1_KIND_R) {
        /* Rule 7.1: it asks for the block N(R). If that is none that the card owes, it says what it
         * waits for itself. */
        return t1->unacknowledged && block->number != t1->next ? repeat_i(t1, line)
                                                               : send_r(t1, line, t1->error);
    }
    if (block->kind == T1_KIND_S) {
        switch (block->pcb) {
        case T1_S_RESYNCH:
            return resynchronise(t1, line, block);
        case T1_S_ABORT:
            /* Without a chain there is nothing to drop: a whole response can still be asked for. */
            t1->unacknowledged = t1->unacknowledged && (t1->pcb & T1_I_MORE) == 0;
            t1->abandoned = true;
            return send_response(t1, line, block);
        case T1_S_IFS:
            t1->ifsd = block->value;
            return send_response(t1, line, block);
        default:
            break;
        }
    }
    return send_r(t1, line, block->error);
}

/* Sends an S request, and again until its response comes (rule 7.3), or RESYNCH. */
static enum cos_result request(struct cos_t1 *t1, const struct cos_line *line, uint8_t pcb,
                               uint8_t value)
{
    uint8_t length = pcb == T1_S_ABORT ? 0 : 1;
    struct t1_block block;

    for (;;) {
        COS_TRY(cos_t1_write_block(t1, line, pcb, &value, length));
        COS_TRY(cos_t1_read_block(t1, line, NULL, 0, &block));
        if (block.kind != T1_KIND_S) {
            continue;
        }
        if (block.pcb == T1_S_RESYNCH) {
            return resynchronise(t1, line, &block);
        }
        if (block.pcb == (pcb | T1_S_RESPONSE) && (length == 0 || block.value == value)) {
            return COS_OK;
        }
    }
}

/* ---- Commands ---- */

/* One command on its way. */
struct intake {
    uint8_t *buffer;
    size_t capacity, length;
    bool oversize;
};

/* A good I-block in its turn, not the last: R(next), or the end of the chain. */
static enum cos_result go_on(struct cos_t1 *t1, const struct cos_line *line, struct intake *intake)
{
    if (intake->oversize && t1->parameters.abort_oversize) {
        COS_TRY(request(t1, line, T1_S_ABORT, 0));
        intake->length = 0;
        intake->oversize = false;
        COS_CHECK(!t1->abandoned, COS_OK);
    }
    return send_r(t1, line, T1_ERROR_NONE);
}

static void add(struct intake *intake, size_t length)
{
    if (length > intake->capacity - intake->length) {
        intake->oversize = true;
    }
    if (!intake->oversize) {
        intake->length += length;
    }
}

enum cos_result cos_t1_receive(struct cos_t1 *t1, const struct cos_line *line, uint8_t *buffer,
                               size_t capacity, size_t *length)
{
    struct intake intake = {.buffer = buffer, .capacity = capacity};
    struct t1_block block;

    for (;;) {
        t1->abandoned = false;
        COS_TRY(cos_t1_read_block(t1, line, intake.buffer + intake.length,
                                  intake.capacity - intake.length, &block));
        if (block.kind != T1_KIND_I) {
            COS_TRY(answer(t1, line, &block));
            if (t1->abandoned) {
                intake.length = 0;
                intake.oversize = false;
            }
        } else if (block.number != t1->expected) {
            COS_TRY(send_r(t1, line, T1_ERROR_OTHER));
        } else {
            t1->expected ^= 1;
            t1->unacknowledged = false; /* it acknowledges the last response (rule 2.1) */
            add(&intake, block.length);
            if ((block.pcb & T1_I_MORE) == 0) {
                break;
            }
            COS_TRY(go_on(t1, line, &intake));
        }
    }
    *length = intake.oversize ? 0 : intake.length;
    return intake.oversize ? COS_E_LENGTH : COS_OK;
}

bool cos_t1_due(const struct cos_t1 *t1, uint32_t elapsed)
{
    return elapsed + (uint64_t)(t1->bwt / 2) >= (uint64_t)t1->bwt * t1->multiplier;
}

enum cos_result cos_t1_extend(struct cos_t1 *t1, const struct cos_line *line, uint8_t multiplier)
{
    COS_CHECK(!t1->abandoned, COS_OK);
    COS_TRY(request(t1, line, T1_S_WTX, multiplier));
    if (!t1->abandoned) {
        t1->multiplier = multiplier;
    }
    return COS_OK;
}

/* ---- Responses ---- */

/* After an I-block with M = 1: until the next one is asked for (rule 2.2), or the chain is ended.
 */
static enum cos_result await_acknowledgement(struct cos_t1 *t1, const struct cos_line *line)
{
    struct t1_block block;

    do {
        COS_TRY(cos_t1_read_block(t1, line, NULL, 0, &block));
        if (block.kind == T1_KIND_R && block.number == t1->next) {
            return COS_OK;
        }
        COS_TRY(answer(t1, line, &block));
    } while (!t1->abandoned);
    return COS_OK;
}

enum cos_result cos_t1_send(struct cos_t1 *t1, const struct cos_line *line, const uint8_t *response,
                            size_t length)
{
    size_t at = 0;

    if (!t1->abandoned && !t1->ifsc_settled) {
        COS_TRY(request(t1, line, T1_S_IFS, t1->parameters.request_ifsc));
        if (!t1->abandoned) {
            t1->ifsc = t1->parameters.request_ifsc;
            t1->ifsc_settled = true;
        }
    }
    while (!t1->abandoned) {
        size_t left = length - at;
        bool more = left > t1->ifsd;
        uint8_t part = more ? t1->ifsd : (uint8_t)left;

        COS_TRY(send_i(t1, line, response + at, part, more));
        if (!more) {
            break;
        }
        at += part;
        COS_TRY(await_acknowledgement(t1, line));
    }
    return COS_OK;
}
