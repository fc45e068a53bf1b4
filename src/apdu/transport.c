/* SPDX-License-Identifier: Apache-2.0
 *
 * From the answer to reset to the protocol, ISO/IEC 7816-3:2006, 6.3.1.
 */
#include "cos/transport.h"

#include "line.h"

enum {
    TS_INVERSE = 0x3F,
    PPSS = 0xFF,
    GUARD = 12,           /* etu: GT of what the card sends; N is for the other direction (8.3) */
    GUARD_LEAST = 11,     /* T=1 and N = 255 (11.2) */
    TURN = 16,            /* as in cos/t0.h */
    WAITING_UNIT = 960,   /* 10.2 */
    MODE_IMPLICIT = 0x10, /* TA2 b5 */
    MODE_PROTOCOL = 0x0F,
    STATUS_BYTES = 2,
};

static void set_line(const struct cos_transport *transport, bool inverse)
{
    const bool least = transport->protocol == 1 && transport->atr.bytes[COS_ATR_TC1] == 0xFF;
    const struct cos_line_parameters parameters = {
        .f = cos_fi(transport->fi_di),
        .d = cos_di(transport->fi_di),
        .inverse = inverse,
        .signals_errors = transport->protocol == 0,
        .guard = least ? GUARD_LEAST : GUARD,
    };

    transport->line->set(transport->line->context, &parameters);
}

/* ---- Answer to reset, protocol and parameters selection ---- */

static enum cos_result send_atr(struct cos_transport *transport, struct cos_span atr)
{
    set_line(transport, atr.length != 0 && atr.data[0] == TS_INVERSE);
    for (size_t i = 0; i < atr.length; i++) {
        COS_TRY(cos_line_put(transport->line, atr.data[i], 0));
    }
    return cos_atr_read(atr.data, atr.length, &transport->atr);
}

/* A request whose PPSS has come (9.2). Its protocol and its pair hold behind the answer's last
 * character. */
static enum cos_result select_parameters(struct cos_transport *transport, uint8_t protocols)
{
    const struct cos_pps_offer offer = {protocols, transport->config.pairs};
    const struct cos_line *line = transport->line;
    uint8_t request[COS_PPS_MAX] = {PPSS};
    struct cos_pps pps;

    COS_TRY(cos_line_get(line, &request[1]));
    const size_t length = cos_pps_length(request[1]);
    for (size_t i = 2; i < length; i++) {
        COS_TRY(cos_line_get(line, &request[i]));
    }
    COS_TRY(cos_pps_answer(&offer, request, length, &pps));
    for (size_t i = 0; i < pps.length; i++) {
        COS_TRY(cos_line_put(line, pps.answer[i], i == 0 ? TURN : 0));
    }
    transport->protocol = pps.protocol;
    transport->fi_di = pps.fi_di;
    return COS_OK;
}

/* The first character behind the ATR. With T=0 it comes again if it was wrong, with T=1 a wrong one
 * begins a bad block. */
static enum cos_result take_first(struct cos_transport *transport)
{
    const struct cos_line *line = transport->line;

    if (transport->protocol == 0) {
        transport->received = cos_line_get(line, &transport->first);
        return transport->received;
    }
    do {
        transport->received = line->receive(line->context, &transport->first, 0);
    } while (transport->received == COS_E_LINE_SILENT);
    return transport->received == COS_E_LINE_PARITY ? COS_OK : transport->received;
}

/* What the first character decides. */
static enum cos_result choose(struct cos_transport *transport)
{
    const struct cos_atr *atr = &transport->atr;
    const uint8_t mode = atr->bytes[COS_ATR_TA2];
    const bool specific = (atr->present & COS_ATR_PRESENT(COS_ATR_TA2)) != 0;

    transport->protocol = specific ? mode & MODE_PROTOCOL : atr->first;
    if (specific && (mode & MODE_IMPLICIT) == 0) {
        transport->fi_di = atr->bytes[COS_ATR_TA1];
    }
    set_line(transport, atr->inverse);
    COS_TRY(take_first(transport));
    transport->handed = transport->first != PPSS || transport->received != COS_OK;
    if (!transport->handed) {
        COS_TRY(select_parameters(transport, specific ? 0 : atr->offered));
    }
    set_line(transport, atr->inverse);
    return COS_OK;
}

/* ---- Protocols ---- */

static void settle(const struct cos_transport_handler *handler)
{
    if (handler->settle != NULL) {
        handler->settle(handler->context);
    }
}

static enum cos_result serve_t0(struct cos_transport *transport)
{
    const struct cos_transport_handler *handler = transport->handler;
    const struct cos_transport_config *config = &transport->config;
    const struct cos_t0_config t0 = {
        .line = transport->line,
        .direction = handler->direction,
        .refused = handler->refused,
        .context = handler->context,
        .command = config->command,
        .command_size = config->command_size,
        .response = config->response,
        .response_size = config->response_size,
        .waiting_time =
            (uint32_t)transport->atr.bytes[COS_ATR_TC2] * WAITING_UNIT * cos_di(transport->fi_di),
        .one_by_one = config->one_by_one,
    };

    cos_t0_start(&transport->t0, &t0);
    transport->serving = true;
    if (transport->handed) {
        cos_t0_first(&transport->t0, transport->first);
    }
    for (;;) {
        size_t length;
        COS_TRY(cos_t0_receive(&transport->t0, &length));
        length = handler->command(handler->context, config->command, length, config->response,
                                  config->response_size);
        COS_TRY(cos_t0_send(&transport->t0, length));
        settle(handler);
    }
}

static enum cos_result start_t1(struct cos_transport *transport)
{
    const struct cos_transport_config *config = &transport->config;
    const uint8_t *bytes = transport->atr.bytes, times = bytes[COS_ATR_BWI_CWI];
    const enum cos_t1_edc crc = config->crc_13239 ? COS_T1_CRC_13239 : COS_T1_CRC;
    const struct cos_t1_parameters parameters = {
        .edc = bytes[COS_ATR_EDC] != 0 ? crc : COS_T1_LRC,
        .ifsc = bytes[COS_ATR_IFSC],
        .bwi = times >> 4,
        .cwi = times & 0x0F,
        .f = cos_fi(transport->fi_di),
        .d = cos_di(transport->fi_di),
        .request_ifsc = config->request_ifsc,
        .abort_oversize = config->abort_oversize,
    };

    COS_TRY(cos_t1_start(&transport->t1, &parameters));
    transport->serving = true;
    if (transport->handed) {
        cos_t1_first(&transport->t1, transport->received, transport->first);
    }
    return COS_OK;
}

/* Executes what cos_t1_receive() gave; returns the response's length. */
static size_t execute_t1(struct cos_transport *transport, enum cos_result received, size_t length)
{
    const struct cos_transport_handler *handler = transport->handler;
    const struct cos_transport_config *config = &transport->config;
    uint16_t sw = COS_SW_WRONG_LENGTH;

    transport->executing = true;
    if (received == COS_OK) {
        length = handler->command(handler->context, config->command, length, config->response,
                                  config->response_size);
        sw = COS_SW_NO_DIAGNOSIS;
    } else if (handler->refused != NULL) {
        handler->refused(handler->context);
    }
    transport->executing = false;
    if (received != COS_OK || length < STATUS_BYTES) {
        cos_put16(config->response, sw);
        length = STATUS_BYTES;
    }
    return length;
}

static enum cos_result serve_t1(struct cos_transport *transport)
{
    const struct cos_transport_config *config = &transport->config;
    const struct cos_line *line = transport->line;
    size_t answered = 0;

    COS_TRY(start_t1(transport));
    for (;;) {
        size_t length;
        const enum cos_result result =
            cos_t1_receive(&transport->t1, line, config->command, config->command_size, &length);
        COS_CHECK(result == COS_OK || result == COS_E_LENGTH, result);
        cos_wipe(config->response, answered); /* it need not be repeated any more */
        answered = execute_t1(transport, result, length);
        COS_TRY(transport->broken);
        COS_TRY(cos_t1_send(&transport->t1, line, config->response, answered));
        settle(transport->handler);
        cos_wipe(config->command, config->command_size); /* bad blocks lie behind the command */
    }
}

/* Asks for another BWT. What calls this is asked for nothing meanwhile. */
static void extend_t1(struct cos_transport *transport)
{
    const struct cos_line *line = transport->line;

    if (transport->executing && transport->broken == COS_OK &&
        cos_t1_due(&transport->t1, line->elapsed(line->context))) {
        transport->executing = false;
        transport->broken = cos_t1_extend(&transport->t1, line, 1);
        transport->executing = true;
    }
}

/* What was left behind: not before the ATR, which begins within 40,000 clock cycles (6.2.2). */
static void wipe(const struct cos_transport_config *config)
{
    cos_wipe(config->command, config->command_size);
    cos_wipe(config->response, config->response_size);
}

static enum cos_result serve(struct cos_transport *transport, struct cos_span atr)
{
    const enum cos_result result = send_atr(transport, atr);

    wipe(&transport->config);
    COS_TRY(result);
    COS_TRY(choose(transport));
    return transport->protocol == 0 ? serve_t0(transport) : serve_t1(transport);
}

void cos_transport_start(struct cos_transport *transport, const struct cos_transport_config *config)
{
    *transport = (struct cos_transport){.config = *config};
}

enum cos_result cos_transport_serve(struct cos_transport *transport, const struct cos_line *line,
                                    const struct cos_transport_handler *handler,
                                    struct cos_span atr)
{
    transport->handler = handler;
    transport->line = line;
    transport->protocol = 0;
    transport->fi_di = COS_FI_DI_DEFAULT;
    transport->serving = false;
    transport->executing = false;
    transport->broken = COS_OK;
    enum cos_result result = serve(transport, atr);

    transport->serving = false;
    while (result != COS_E_LINE_RESET) { /* silent, whatever comes */
        uint8_t character;
        result = line->receive(line->context, &character, 0);
    }
    return result;
}

void cos_transport_idle(struct cos_transport *transport)
{
    if (!transport->serving) {
        return;
    }
    if (transport->protocol == 0) {
        cos_t0_idle(&transport->t0);
    } else {
        extend_t1(transport);
    }
}
