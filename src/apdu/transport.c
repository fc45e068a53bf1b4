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
    SERVED = 0x01, /* protocols that are here: b1 T=0 */
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

/* What the first character decides. */
static enum cos_result choose(struct cos_transport *transport)
{
    const struct cos_atr *atr = &transport->atr;
    const uint8_t mode = atr->bytes[COS_ATR_TA2];
    const bool specific = (atr->present & COS_ATR_PRESENT(COS_ATR_TA2)) != 0;
    uint8_t protocol = atr->first;

    if (specific) {
        protocol = mode & MODE_PROTOCOL;
        transport->protocol = protocol;
        if ((mode & MODE_IMPLICIT) == 0) {
            transport->fi_di = atr->bytes[COS_ATR_TA1];
        }
        set_line(transport, atr->inverse);
    }
    COS_TRY(cos_line_get(transport->line, &transport->first));
    if (transport->first == PPSS) {
        COS_TRY(select_parameters(transport, specific ? 0 : atr->offered & SERVED));
    } else {
        transport->protocol = protocol;
        transport->handed = true;
    }
    set_line(transport, atr->inverse);
    return COS_OK;
}

/* ---- Protocols ---- */

static enum cos_result serve_t0(struct cos_transport *transport)
{
    const struct cos_transport_handler *handler = transport->handler;
    const struct cos_transport_config *config = &transport->config;
    const struct cos_t0_config t0 = {
        .line = transport->line,
        .direction = handler->direction,
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
    if (transport->handed) {
        cos_t0_first(&transport->t0, transport->first);
    }
    for (;;) {
        size_t length;
        COS_TRY(cos_t0_receive(&transport->t0, &length));
        length = handler->command(handler->context, config->command, length, config->response,
                                  config->response_size);
        COS_TRY(cos_t0_send(&transport->t0, length));
        if (handler->settle != NULL) {
            handler->settle(handler->context);
        }
    }
}

static enum cos_result serve(struct cos_transport *transport, struct cos_span atr)
{
    COS_TRY(send_atr(transport, atr));
    COS_TRY(choose(transport));
    switch (transport->protocol) {
    case 0:
        return serve_t0(transport);
    default:
        return COS_E_NOT_SERVED;
    }
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
    transport->handed = false;
    enum cos_result result = serve(transport, atr);

    while (result != COS_E_LINE_RESET) { /* silent, whatever comes */
        uint8_t character;
        result = line->receive(line->context, &character, 0);
    }
    cos_wipe(transport->config.command, transport->config.command_size);
    cos_wipe(transport->config.response, transport->config.response_size);
    return result;
}

void cos_transport_idle(struct cos_transport *transport)
{
    if (transport->protocol == 0) {
        cos_t0_idle(&transport->t0);
    }
}
