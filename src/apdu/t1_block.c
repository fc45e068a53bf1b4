/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks of T=1: characters, error detection code, which codings there are.
 */
#include "t1_block.h"

/* BGT: etu between the last character of a block and the first of the answer, 11.4.3. */
#define BLOCK_GUARD_TIME 22

/* Error detection code over a block that passes byte by byte, 11.4.4. */
static uint16_t edc_start(enum cos_t1_edc kind)
{
    return kind == COS_T1_LRC ? 0 : 0xFFFF;
}

static uint16_t edc_add(enum cos_t1_edc kind, uint16_t edc, uint8_t byte)
{
    unsigned x = (edc ^ byte) & 0xFFU;

    if (kind == COS_T1_LRC) {
        return (uint16_t)x;
    }
    /* Polynomial 8408, eight steps at once. */
    x = (x ^ (x << 4)) & 0xFFU;
    return (uint16_t)((unsigned)(edc >> 8) ^ (x << 8) ^ (x << 3) ^ (x >> 4));
}

/* The bytes as they are sent; returns how many. */
static size_t edc_bytes(enum cos_t1_edc kind, uint16_t edc, uint8_t bytes[2])
{
    uint16_t sent = kind == COS_T1_CRC_13239 ? (uint16_t)~edc : edc;

    bytes[0] = kind == COS_T1_CRC ? (uint8_t)(sent >> 8) : (uint8_t)sent;
    bytes[1] = kind == COS_T1_CRC ? (uint8_t)sent : (uint8_t)(sent >> 8);
    return kind == COS_T1_LRC ? 1 : 2;
}

/* ---- Reading ---- */

static enum cos_result read_character(const struct cos_line *line, uint8_t *character,
                                      uint32_t etus)
{
    enum cos_result result = line->receive(line->context, character, etus);

    if (result == COS_OK || result == COS_E_LINE_SILENT || result == COS_E_LINE_PARITY) {
        return result;
    }
    return COS_E_LINE_RESET;
}

/* The first character may take any time. */
static enum cos_result read_first(struct cos_t1 *t1, const struct cos_line *line, uint8_t *first)
{
    enum cos_result result;

    if (t1->handed) {
        t1->handed = false;
        *first = t1->first;
        return t1->first_bad ? COS_E_LINE_PARITY : COS_OK;
    }
    do {
        result = read_character(line, first, 0);
    } while (result == COS_E_LINE_SILENT);
    return result;
}

/* All characters after the first, into the block and `inf`; *right: the EDC is. */
static enum cos_result read_rest(const struct cos_t1 *t1, const struct cos_line *line, uint8_t *inf,
                                 size_t room, struct t1_block *block, bool *right)
{
    enum cos_t1_edc kind = t1->parameters.edc;
    uint16_t edc = edc_add(kind, edc_start(kind), block->nad);
    uint8_t computed[2], character;
    size_t count;

    COS_TRY(read_character(line, &block->pcb, t1->cwt));
    COS_TRY(read_character(line, &block->length, t1->cwt));
    edc = edc_add(kind, edc_add(kind, edc, block->pcb), block->length);
    for (size_t i = 0; i < block->length; i++) {
        COS_TRY(read_character(line, &character, t1->cwt));
        edc = edc_add(kind, edc, character);
        if (i < room) {
            inf[i] = character;
        }
        if (i == 0) {
            block->value = character;
        }
    }
    count = edc_bytes(kind, edc, computed);
    *right = true;
    for (size_t i = 0; i < count; i++) {
        COS_TRY(read_character(line, &character, t1->cwt));
        *right = *right && character == computed[i];
    }
    return COS_OK;
}

/* Until the line is silent for CWT, but with time left to answer within BWT: where F/D is large,
 * BWT may be the shorter one. */
static enum cos_result drain(const struct cos_t1 *t1, const struct cos_line *line)
{
    uint32_t most = t1->bwt - t1->bwt / 4, etus = t1->cwt < most ? t1->cwt : most;
    enum cos_result result;
    uint8_t character;

    do {
        result = read_character(line, &character, etus);
    } while (result == COS_OK || result == COS_E_LINE_PARITY);
    return result == COS_E_LINE_SILENT ? COS_OK : result;
}

/* ---- What it is ---- */

/* RFU bits and values, and lengths that do not go with the PCB, make it a bad one. */
static enum t1_kind kind_of(const struct t1_block *block)
{
    uint8_t pcb = block->pcb, type = pcb & (uint8_t)~T1_S_RESPONSE;

    if ((pcb & 0x80) == 0) {
        return (pcb & 0x1F) == 0 ? T1_KIND_I : T1_KIND_BAD;
    }
    if ((pcb & 0x40) == 0) {
        return (pcb & 0x2C) == 0 && (pcb & 0x03) != 3 && block->length == 0 ? T1_KIND_R
                                                                            : T1_KIND_BAD;
    }
    switch (type) {
    case T1_S_RESYNCH:
    case T1_S_ABORT:
        return block->length == 0 ? T1_KIND_S : T1_KIND_BAD;
    case T1_S_IFS:
        return block->length == 1 && block->value != 0x00 && block->value != 0xFF ? T1_KIND_S
                                                                                  : T1_KIND_BAD;
    case T1_S_WTX: /* only the card asks for it */
        return block->length == 1 && pcb != T1_S_WTX ? T1_KIND_S : T1_KIND_BAD;
    default:
        return T1_KIND_BAD;
    }
}

/* SAD and DAD exchanged. */
static uint8_t answering(uint8_t nad)
{
    return (uint8_t)((nad & 0x07) << 4 | (nad & 0x70) >> 4);
}

/* The logical connection, 11.3.2.1; RESYNCH may change it. */
static bool connect(struct cos_t1 *t1, const struct t1_block *block)
{
    uint8_t nad = answering(block->nad);

    if ((block->nad & 0x88) != 0 || (nad == block->nad && nad != 0)) {
        return false;
    }
    if (t1->connected && block->pcb != T1_S_RESYNCH) {
        return nad == t1->nad;
    }
    t1->connected = true;
    t1->nad = nad;
    return true;
}

enum cos_result cos_t1_read_block(struct cos_t1 *t1, const struct cos_line *line, uint8_t *inf,
                                  size_t room, struct t1_block *block)
{
    bool right = false;
    enum cos_result result;

    *block = (struct t1_block){.kind = T1_KIND_BAD, .error = T1_ERROR_OTHER};
    result = read_first(t1, line, &block->nad);
    if (result == COS_OK) {
        result = read_rest(t1, line, inf, room, block, &right);
    }
    COS_CHECK(result != COS_E_LINE_RESET, result);
    if (result == COS_E_LINE_PARITY || (result == COS_OK && !right)) {
        block->error = T1_ERROR_EDC;
    } else if (result == COS_OK && block->length <= t1->ifsc) {
        block->kind = kind_of(block);
        block->number =
            (block->pcb & (block->kind == T1_KIND_I ? T1_I_NUMBER : T1_R_NUMBER)) != 0 ? 1 : 0;
        if (block->kind != T1_KIND_BAD && !connect(t1, block)) {
            block->kind = T1_KIND_BAD;
        }
    }
    return block->kind == T1_KIND_BAD && result != COS_E_LINE_SILENT ? drain(t1, line) : COS_OK;
}

/* ---- Writing ---- */

static enum cos_result write_character(const struct cos_line *line, uint8_t character,
                                       uint32_t etus)
{
    enum cos_result result = line->send(line->context, character, etus);

    return result == COS_OK || result == COS_E_LINE_PARITY ? COS_OK : COS_E_LINE_RESET;
}

enum cos_result cos_t1_write_block(const struct cos_t1 *t1, const struct cos_line *line,
                                   uint8_t pcb, const uint8_t *inf, uint8_t length)
{
    enum cos_t1_edc kind = t1->parameters.edc;
    const uint8_t prologue[3] = {t1->nad, pcb, length};
    uint16_t edc = edc_start(kind);
    uint8_t code[2];
    size_t count;

    for (size_t i = 0; i < sizeof prologue; i++) {
        COS_TRY(write_character(line, prologue[i], i == 0 ? BLOCK_GUARD_TIME : 0));
        edc = edc_add(kind, edc, prologue[i]);
    }
    for (size_t i = 0; i < length; i++) {
        COS_TRY(write_character(line, inf[i], 0));
        edc = edc_add(kind, edc, inf[i]);
    }
    count = edc_bytes(kind, edc, code);
    for (size_t i = 0; i < count; i++) {
        COS_TRY(write_character(line, code[i], 0));
    }
    return COS_OK;
}
