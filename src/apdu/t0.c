/* SPDX-License-Identifier: Apache-2.0
 *
 * T=0, ISO/IEC 7816-3:2006, 10 and 12.2: one command at a time, from its header to its status word.
 */
#include "cos/t0.h"

#include "line.h"

enum {
    INS = 1,
    P1 = 2,
    P2 = 3,
    P3 = 4,
    HEADER = 4, /* what of it becomes part of the command APDU in any case */
    INS_GET_RESPONSE = 0xC0,
    INS_ENVELOPE = 0xC2,
    PROCEDURE_NULL = 0x60,
    ONE_BYTE = 0xFF, /* INS xor FF: ACK for one byte */
    TURN = 16,       /* etu from a character to one in the other direction */
    SW_WRONG_LE = 0x6C00,
    SW_END_REACHED = 0x6282,
    SW_INSTRUCTION = 0x6D00,
    STATUS_BYTES = 2,
    PIECE_MAX = 255,
};

void cos_t0_start(struct cos_t0 *t0, const struct cos_t0_config *config)
{
    *t0 = (struct cos_t0){.config = *config, .turned = true};
}

void cos_t0_first(struct cos_t0 *t0, uint8_t character)
{
    t0->header[0] = character;
    t0->handed = true;
}

/* ---- Characters ---- */

static enum cos_result put(struct cos_t0 *t0, uint8_t character)
{
    const uint32_t etus = t0->turned ? TURN : 0;

    t0->turned = false;
    return cos_line_put(t0->config.line, character, etus);
}

static enum cos_result get(struct cos_t0 *t0, uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        COS_TRY(cos_line_get(t0->config.line, data + i));
        t0->turned = true;
    }
    return COS_OK;
}

/* Ends the command (10.3.3). */
static enum cos_result put_status(struct cos_t0 *t0, uint16_t sw)
{
    t0->busy = false;
    COS_TRY(put(t0, (uint8_t)(sw >> 8)));
    return put(t0, (uint8_t)sw);
}

void cos_t0_extend(struct cos_t0 *t0)
{
    if (t0->busy && t0->broken == COS_OK) {
        t0->broken = put(t0, PROCEDURE_NULL);
    }
}

void cos_t0_idle(struct cos_t0 *t0)
{
    const struct cos_line *line = t0->config.line;

    if (t0->busy && line->elapsed(line->context) > t0->config.waiting_time / 2) {
        cos_t0_extend(t0);
    }
}

/* Takes the command's data, all at once, or one by one: the last one is all that remain. */
static enum cos_result take_data(struct cos_t0 *t0, uint8_t *data)
{
    const uint8_t ins = t0->header[INS];
    size_t left = t0->header[P3];

    t0->busy = false;
    while (left != 0) {
        const size_t run = t0->config.one_by_one ? 1 : left;
        COS_TRY(put(t0, run == left ? ins : ins ^ ONE_BYTE));
        COS_TRY(get(t0, data, run));
        data += run;
        left -= run;
    }
    t0->busy = true;
    return COS_OK;
}

/* ---- Response data that wait ---- */

static size_t waiting(const struct cos_t0 *t0)
{
    return t0->length - t0->sent;
}

static size_t expected(const struct cos_t0 *t0)
{
    return t0->header[P3] == 0 ? 256 : t0->header[P3];
}

static void forget(struct cos_t0 *t0)
{
    cos_wipe(t0->config.response, t0->length);
    t0->length = 0;
    t0->sent = 0;
    t0->kept = COS_T0_NOTHING;
}

static void keep(struct cos_t0 *t0, enum cos_t0_kept why)
{
    memcpy(t0->asked, t0->header, sizeof t0->asked);
    t0->kept = why;
}

static enum cos_result announce(struct cos_t0 *t0)
{
    const size_t left = waiting(t0);

    keep(t0, COS_T0_ANNOUNCED);
    return put_status(t0, (uint16_t)(COS_SW_BYTES_AVAILABLE + (left < 256 ? left : 0)));
}

/* The data that P3 asks for; not those that are not there (12.2.3, 12.2.5). */
static enum cos_result deliver(struct cos_t0 *t0)
{
    const uint8_t *data = t0->config.response + t0->sent;
    const size_t ne = expected(t0), left = waiting(t0);

    if (ne > left) {
        if (t0->kept == COS_T0_NOTHING) {
            keep(t0, COS_T0_WRONG_LE);
            t0->sw = t0->sw == SW_END_REACHED ? COS_SW_OK : t0->sw;
        }
        return put_status(t0, (uint16_t)(SW_WRONG_LE + left));
    }
    t0->busy = false;
    COS_TRY(put(t0, t0->header[INS]));
    for (size_t i = 0; i < ne; i++) {
        COS_TRY(put(t0, data[i]));
    }
    t0->sent += ne;
    if (waiting(t0) != 0) {
        return announce(t0);
    }
    forget(t0);
    return put_status(t0, t0->sw);
}

static bool same_channel(uint8_t one, uint8_t other)
{
    struct cos_class a, b;

    return cos_apdu_class(one, &a) == COS_OK && cos_apdu_class(other, &b) == COS_OK &&
           a.channel == b.channel && !a.chaining;
}

/* Whether the header asks for what is kept. */
static bool asks_for_kept(const struct cos_t0 *t0)
{
    const uint8_t *header = t0->header;

    switch (t0->kept) {
    case COS_T0_ANNOUNCED:
        return header[INS] == INS_GET_RESPONSE && header[P1] == 0 && header[P2] == 0 &&
               same_channel(header[0], t0->asked[0]);
    case COS_T0_WRONG_LE:
        return memcmp(header, t0->asked, sizeof t0->asked) == 0 && expected(t0) >= waiting(t0);
    default:
        return false;
    }
}

static bool is_envelope(const uint8_t header[5])
{
    struct cos_class class_;

    return header[INS] == INS_ENVELOPE && header[P1] == 0 && header[P2] == 0 &&
           cos_apdu_class(header[0], &class_) == COS_OK && !class_.proprietary &&
           !class_.chaining && class_.sm == COS_CLASS_SM_NONE;
}

enum cos_result cos_t0_send(struct cos_t0 *t0, size_t length)
{
    const uint8_t *response = t0->config.response;
    uint8_t sw1;

    COS_TRY(t0->broken);
    t0->length = length > STATUS_BYTES ? length - STATUS_BYTES : 0;
    t0->sw = length < STATUS_BYTES ? COS_SW_NO_DIAGNOSIS : cos_get16(response + t0->length);
    sw1 = (uint8_t)(t0->sw >> 8);
    if (cos_apdu_instruction_valid(sw1) || sw1 == PROCEDURE_NULL) {
        t0->sw = COS_SW_NO_DIAGNOSIS; /* what no instruction may be is what a status byte is */
    }
    if (t0->length == 0) {
        t0->ended = is_envelope(t0->header);
        return put_status(t0, t0->sw);
    }
    return t0->fetched ? announce(t0) : deliver(t0);
}

/* ---- Commands ---- */

static void drop_pieces(struct cos_t0 *t0)
{
    cos_wipe(t0->config.command, t0->gathered);
    t0->gathered = 0;
}

/* Whether nothing is to follow what was gathered. */
static bool is_whole(const struct cos_t0 *t0, uint8_t piece)
{
    struct cos_command command;

    if (cos_apdu_parse(t0->config.command, t0->gathered, &command) != COS_OK) {
        return false;
    }
    const bool first = t0->gathered == piece;
    const bool shorter = first ? piece < PIECE_MAX : piece < t0->piece;
    const bool with_le = command.form == COS_CASE_4S || command.form == COS_CASE_4E;

    /* Without data it may be the beginning of any command. */
    return piece == 0 || (command.nc != 0 && (shorter || with_le));
}

/* A piece (12.2.4, 12.2.6; ISO/IEC 7816-4:2013, 11.8.2). *length stays 0 while the command is not
 * whole. */
static enum cos_result take_piece(struct cos_t0 *t0, size_t *length)
{
    const uint8_t piece = t0->header[P3];

    if (t0->header[0] != t0->piece_class) {
        drop_pieces(t0); /* of another channel */
    }
    t0->piece_class = t0->header[0];
    if (piece > t0->config.command_size - t0->gathered) {
        drop_pieces(t0);
        return put_status(t0, COS_SW_WRONG_LENGTH);
    }
    t0->piece = t0->gathered == 0 ? piece : t0->piece;
    COS_TRY(take_data(t0, t0->config.command + t0->gathered));
    t0->gathered += piece;
    if (is_whole(t0, piece)) {
        *length = t0->gathered;
        t0->gathered = 0;
        t0->fetched = true;
        return COS_OK;
    }
    if (piece == 0) {
        drop_pieces(t0);
    }
    return put_status(t0, piece == 0 ? COS_SW_WRONG_LENGTH : COS_SW_OK);
}

static enum cos_result take_command(struct cos_t0 *t0, size_t *length)
{
    const uint8_t *header = t0->header;
    uint8_t *command = t0->config.command;

    drop_pieces(t0);
    if (!cos_apdu_instruction_valid(header[INS])) {
        if (t0->config.refused != NULL) {
            t0->config.refused(t0->config.context);
            COS_TRY(t0->broken);
        }
        return put_status(t0, SW_INSTRUCTION);
    }
    const bool in = t0->config.direction(t0->config.context, header) == COS_T0_IN;
    COS_TRY(t0->broken);
    memcpy(command, header, sizeof t0->header);
    *length = sizeof t0->header;
    if (in) {
        COS_TRY(take_data(t0, command + sizeof t0->header));
        *length = header[P3] == 0 ? HEADER : sizeof t0->header + header[P3];
    }
    /* Case 1 and case 2 with Le = 00 look alike; both get their data at once. */
    t0->fetched = in && header[P3] != 0;
    return COS_OK;
}

static enum cos_result take_header(struct cos_t0 *t0)
{
    const size_t have = t0->handed ? 1 : 0;

    t0->handed = false;
    COS_TRY(get(t0, t0->header + have, sizeof t0->header - have));
    t0->busy = true;
    return COS_OK;
}

enum cos_result cos_t0_receive(struct cos_t0 *t0, size_t *length)
{
    *length = 0;
    while (*length == 0) {
        COS_TRY(take_header(t0));
        if (asks_for_kept(t0)) {
            COS_TRY(deliver(t0));
            continue;
        }
        forget(t0);
        const bool envelope = is_envelope(t0->header);
        t0->ended = t0->ended && envelope && t0->header[P3] == 0 &&
                    t0->header[0] == t0->piece_class; /* not on another channel */
        if (t0->ended) {
            COS_TRY(put_status(t0, t0->sw));
        } else if (envelope) {
            COS_TRY(take_piece(t0, length));
        } else {
            COS_TRY(take_command(t0, length));
        }
    }
    return COS_OK;
}
