/* SPDX-License-Identifier: Apache-2.0
 *
 * One APDU from its bytes to its response: what is checked stands in the order of ISO/IEC 7816-4
 * and of docs/commands.md.
 */
#include "domain.h"

enum {
    INS_GET_RESPONSE = 0xC0,
    RESPONSE_MAX = 256, /* room for data that nothing protects */
};

/* Extended length fields where the card says that it has none are wrong (ISO/IEC 7816-4:2013, 5.2).
 */
COS_OWN_FRAME static enum cos_result parse(const struct cos_app *app, const uint8_t *apdu,
                                           size_t length, struct cos_command *command)
{
    COS_TRY(cos_apdu_parse(apdu, length, command));
    const bool extended = command->form == COS_CASE_2E || command->form == COS_CASE_3E ||
                          command->form == COS_CASE_4E;
    return extended && !cos_app_takes_extended(&app->config) ? COS_E_LENGTH : COS_OK;
}

COS_OWN_FRAME static enum cos_result check_class(struct exchange *x)
{
    COS_TRY(cos_apdu_class(x->command.cla, &x->class_));
    COS_CHECK(x->class_.channel < COS_CHANNELS && x->app->channels[x->class_.channel].open,
              COS_E_CHANNEL);
    x->app->channel = &x->app->channels[x->class_.channel];
    if (x->app->gate.open && !x->app->channel->bound && x->app->channel->df != COS_FILE_NONE) {
        COS_TRY(cos_app_bind(x->app)); /* another channel deleted its application */
    }
    /* That of ISO/IEC 7816-4 comes in its own class, and with the header authenticated. */
    COS_CHECK(x->class_.sm == COS_CLASS_SM_NONE || x->class_.sm == COS_CLASS_SM_PROPRIETARY ||
                  (x->class_.sm == COS_CLASS_SM_ISO_HEADER && !x->class_.proprietary),
              COS_E_SECURE_MESSAGING);
    COS_CHECK(!x->class_.chaining || x->app->config.chain != NULL, COS_E_CHAINING);
    return COS_OK;
}

static enum cos_result check_row(const struct exchange *x, const struct command_row *row)
{
    const struct cos_command *command = &x->command;
    const bool protected = x->class_.sm != COS_CLASS_SM_NONE;

    COS_CHECK((COS_LIFE_BIT(x->app->life_cycle) & row->states) != 0, COS_E_CONDITIONS);
    COS_CHECK(row->secured != COMMAND_NO || !protected, COS_E_SECURE_MESSAGING);
    COS_CHECK(row->secured != COMMAND_MUST || protected, COS_E_SECURITY_STATUS);
    COS_CHECK(row->secured != COMMAND_OWN || protected, COS_E_SECURITY_STATUS);
    COS_CHECK((command->p1 & ~row->p1_bits) == 0 && (command->p2 & ~row->p2_bits) == 0,
              COS_E_P1_P2);
    COS_CHECK((row->cases & (command->nc != 0 ? COMMAND_WITH_DATA : COMMAND_WITHOUT_DATA)) != 0,
              COS_E_LENGTH);
    return COS_OK;
}

/* While secure messaging or a step is pending, whatever comes without secure messaging ends it,
 * refused or not; but not the command that the step waits for. */
static enum cos_result end_pending(struct exchange *x)
{
    const uint8_t fields[] = {COS_CONTEXT_DROP, cos_app_channel(x->app)};
    struct cos_span answer;

    /* CONTEXT is served in a session only, and not after SET STATUS to TERMINATED. */
    bool served = x->app->gate.open && x->app->life_cycle != COS_LIFE_TERMINATED;
    const bool pending = x->app->channel->active || (x->app->gate.flags & COS_GATE_FLAG_STEP) != 0;
    if (x->secured || !served || !pending) {
        return COS_OK;
    }
    return cos_app_ask(x->app, COS_GATE_CONTEXT, fields, sizeof fields, (struct cos_span){NULL, 0},
                       &answer);
}

/* An error that ends the command before its row is reached, and a chain that was open. */
static enum cos_result refuse(struct exchange *x, enum cos_result why)
{
    cos_chain_drop(&x->app->chain);
    COS_TRY(end_pending(x));
    return why;
}

static enum cos_result find_row(const struct exchange *x, const struct command_row **row)
{
    COS_CHECK(cos_apdu_instruction_valid(x->command.ins), COS_E_INSTRUCTION);
    /* In the middle of a chain, which it ends as any other command does. */
    COS_CHECK(x->command.ins != INS_GET_RESPONSE || x->secured || x->class_.chaining,
              COS_E_CONDITIONS);
    *row = cos_app_find_command(x->class_.proprietary, x->command.ins);
    COS_CHECK(*row != NULL, COS_E_INSTRUCTION);
    return COS_OK;
}

/* A part of a command that comes in several (b5 of CLA) is accepted, or not, as the command would
 * be, and waits for the others. The last one brings all their data. */
static enum cos_result join(struct exchange *x)
{
    COS_TRY(cos_chain_take(&x->app->chain, x->class_, &x->command));
    if (x->held) {
        x->command.data = NULL; /* the security chip joins them */
    }
    return COS_OK;
}

static enum cos_result accept(struct exchange *x, const struct command_row **row)
{
    COS_TRY(find_row(x, row));
    COS_TRY(join(x));
    return check_row(x, *row);
}

/* Everything before a command's handler. *continues: it may be what a pending step waits for. */
COS_OWN_FRAME static enum cos_result prepare(struct exchange *x, const struct command_row **row,
                                             bool *continues)
{
    /* Parts of another command stood between the step and this one. */
    const bool breaks = cos_chain_breaks(&x->app->chain, x->class_, &x->command);
    const enum cos_result accepted = accept(x, row);

    if (accepted != COS_OK) {
        return refuse(x, accepted);
    }
    const command_handler handler = (*row)->handler;
    *continues =
        handler == cos_app_external_authenticate || handler == cos_app_general_authenticate ||
        handler == cos_app_gp_external_authenticate ||
        handler == cos_app_perform_security_operation || handler == cos_app_production_step;
    return *continues && !breaks ? COS_OK : end_pending(x);
}

static enum cos_result run(struct exchange *x)
{
    const struct command_row *row = NULL;
    bool continues = false;

    COS_TRY(prepare(x, &row, &continues));
    if (x->class_.chaining) {
        return COS_OK; /* the other parts are awaited */
    }
    enum cos_result result = row->handler(x);
    if (continues && result != COS_OK) {
        COS_TRY(end_pending(x)); /* it may not have got as far as the security chip */
    }
    return result;
}

/* Has the security chip open the command; its header and what it lets out of the data take the
 * place of the protected ones. */
static enum cos_result open_secured(struct exchange *x, uint8_t *apdu, size_t length)
{
    const uint8_t channel = cos_app_channel(x->app);
    struct cos_span opened;

    /* In the other states there are no keys for a session: the security chip does not serve this.
     */
    COS_CHECK((COS_LIFE_BIT(x->app->life_cycle) & COS_STATES_KEYED) != 0, COS_E_SECURITY_STATUS);
    COS_CHECK(length <= 7 + COS_SM_MAX + 2, COS_E_LENGTH);
    COS_TRY(cos_app_ask(x->app, COS_GATE_SM_OPEN, &channel, 1, (struct cos_span){apdu, length},
                        &opened));
    struct cos_reader reader = cos_reader(opened.data, opened.length);
    x->held = cos_read8(&reader) == 1;
    x->command.cla = cos_read8(&reader);
    x->command.ins = cos_read8(&reader);
    x->command.p1 = cos_read8(&reader);
    x->command.p2 = cos_read8(&reader);
    x->command.ne = cos_read32(&reader);
    x->command.form = COS_CASE_4S; /* lengths in the form that it came in mean what protects it */
    x->room = cos_read16(&reader);
    x->command.nc = cos_read8(&reader);
    struct cos_span data = cos_read_rest(&reader);
    COS_INVARIANT(!reader.failed && data.length == (x->held ? 0U : x->command.nc) &&
                  data.length <= length);
    cos_wipe(apdu, length);
    if (data.length != 0) {
        memcpy(apdu, data.data, data.length);
    }
    x->command.data = data.length != 0 ? apdu : NULL;
    x->secured = true;
    return COS_OK;
}

static enum cos_result seal_secured(struct exchange *x, uint16_t *sw)
{
    struct cos_span sealed;

    if (x->body->length > RESPONSE_MAX) {
        x->body->length = 0; /* unless the security chip has an answer of its own */
        *sw = COS_SW_WRONG_LENGTH;
    }
    const uint8_t fields[] = {cos_app_channel(x->app), (uint8_t)(*sw >> 8), (uint8_t)*sw};
    COS_TRY(cos_app_ask(x->app, COS_GATE_SM_SEAL, fields, sizeof fields,
                        (struct cos_span){x->body->data, x->body->length}, &sealed));
    struct cos_reader reader = cos_reader(sealed.data, sealed.length);
    *sw = cos_read16(&reader);
    struct cos_span data = cos_read_rest(&reader);
    COS_INVARIANT(!reader.failed);
    x->body->length = 0;
    cos_write_bytes(x->body, data.data, data.length);
    return COS_OK;
}

/* Parts in the clear did not get as far as the security chip: what they end, they end now, on their
 * channel. */
COS_OWN_FRAME static enum cos_result end_parts(struct exchange *x)
{
    struct cos_app *app = x->app;
    struct cos_app_channel *const of_command = app->channel;
    enum cos_result result = COS_OK;

    if (app->chain.open && app->chain.class_.sm == COS_CLASS_SM_NONE) {
        app->channel = &app->channels[app->chain.class_.channel];
        result = end_pending(x);
        app->channel = of_command;
    }
    return result;
}

/* Commands under secure messaging are opened before anything in them is believed, but for the one
 * that brings its own MAC. */
static enum cos_result run_secured(struct exchange *x, uint8_t *apdu, size_t length, uint16_t *sw)
{
    COS_TRY(end_parts(x));
    COS_TRY(open_secured(x, apdu, length));
    enum cos_result result = run(x);
    x->app->mute = x->app->mute || result == COS_E_INVARIANT || result == COS_E_MUTE;
    *sw = cos_sw(result);
    if (result != COS_OK && !cos_is_warning(result)) {
        cos_wipe(x->body->data, x->body->length);
        x->body->length = 0;
    }
    return seal_secured(x, sw);
}

/* *sealed: the response has what secure messaging makes of it. */
static uint16_t execute(struct cos_app *app, uint8_t *apdu, size_t length, bool *sealed)
{
    struct exchange x = {.app = app, .body = &app->response.body};
    uint16_t sw = COS_SW_NO_DIAGNOSIS;
    bool answered = false;
    enum cos_result result = parse(app, apdu, length, &x.command);

    if (result == COS_OK) {
        result = check_class(&x);
    }
    bool own = x.class_.proprietary && x.command.ins == 0x82;
    if (result != COS_OK) {
        result = refuse(&x, result);
    } else if (x.class_.sm == COS_CLASS_SM_NONE || own) {
        result = run(&x);
    } else {
        result = run_secured(&x, apdu, length, &sw);
        answered = result == COS_OK;
        *sealed = answered && x.room < RESPONSE_MAX;
        result = answered ? COS_OK : refuse(&x, result);
    }
    if (!app->chain.open) {
        cos_chain_drop(&app->chain); /* it has been executed */
    }
    app->mute = app->mute || result == COS_E_INVARIANT || result == COS_E_MUTE;
    if (answered) {
        return sw;
    }
    return app->mute ? COS_SW_NO_DIAGNOSIS : cos_sw(result);
}

/* On the channel of the command before, unless that has closed it: any other command drops what
 * waits. */
static bool is_get_response(const struct cos_app *app, const uint8_t *apdu, size_t length)
{
    struct cos_class class_;

    return length >= 4 && apdu[1] == INS_GET_RESPONSE &&
           cos_apdu_class(apdu[0], &class_) == COS_OK && class_.sm == COS_CLASS_SM_NONE &&
           !class_.chaining && class_.channel == cos_app_channel(app) && app->channel->open;
}

/* GET RESPONSE, ISO/IEC 7816-4:2013, 11.8.1. */
static size_t get_response(struct cos_app *app, const uint8_t *apdu, size_t length, uint8_t *out,
                           size_t capacity)
{
    struct cos_command command;
    enum cos_result result = parse(app, apdu, length, &command);

    if (result == COS_OK && (command.p1 != 0 || command.p2 != 0)) {
        result = COS_E_P1_P2;
    }
    if (result == COS_OK && command.nc != 0) {
        result = COS_E_LENGTH;
    }
    if (result == COS_OK && !cos_response_pending(&app->response)) {
        result = COS_E_CONDITIONS;
    }
    if (result != COS_OK) {
        cos_put16(out, cos_sw(result));
        return 2;
    }
    return cos_response_next(&app->response, command.ne, out, capacity);
}

/* A session that was lost on the link, or ended by an attack on it, is opened anew; all security
 * status is gone then. */
COS_OWN_FRAME static void reopen(struct cos_app *app)
{
    struct cos_app_channel *const of_command = app->channel;

    if (app->gate.open || app->pairing_generation == 0 || app->life_cycle == COS_LIFE_TERMINATED) {
        return;
    }
    for (size_t i = 0; i < COS_CHANNELS; i++) {
        app->channels[i].bound = app->channels[i].active = false;
    }
    struct cos_gate_status status;
    app->mute = cos_app_hello(app) != COS_OK || cos_app_refresh(app, &status) != COS_OK ||
                cos_app_vault_resolve(app) != COS_OK;
    cos_app_leave_what_is_gone(app);
    for (size_t i = 0; i < COS_CHANNELS && !app->mute; i++) {
        app->channel = &app->channels[i];
        if (app->channel->open && app->channel->df != COS_FILE_NONE) {
            app->mute = cos_app_bind(app) != COS_OK;
        }
    }
    app->channel = of_command;
}

static uint32_t expected_length(const uint8_t *apdu, size_t length)
{
    struct cos_command command;

    return cos_apdu_parse(apdu, length, &command) == COS_OK ? command.ne : 0;
}

size_t cos_app_command(struct cos_app *app, uint8_t *command, size_t length, uint8_t *response,
                       size_t capacity)
{
    if (app->mute) {
        cos_wipe(command, length);
        cos_put16(response, COS_SW_NO_DIAGNOSIS);
        return 2;
    }
    if (is_get_response(app, command, length) && !app->chain.open) {
        return get_response(app, command, length, response, capacity);
    }
    cos_response_drop(&app->response);
    cos_response_start(&app->response, app->config.response, app->config.response_size);
    uint32_t ne = expected_length(command, length);
    reopen(app);
    bool sealed = false;
    uint16_t sw = app->mute ? COS_SW_NO_DIAGNOSIS : execute(app, command, length, &sealed);
    if (app->response.body.failed) {
        sw = COS_SW_NO_DIAGNOSIS;
    }
    bool with_data = sealed || sw == COS_SW_OK || (sw >> 8) == 0x62 || sw == 0x6310;
    if (sealed) {
        ne = RESPONSE_MAX; /* Le means the data, not what protects them */
    }
    if (!with_data) {
        cos_response_drop(&app->response);
    }
    app->response.sw = sw;
    cos_app_tidy(app);
    cos_wipe(command, length);
    return cos_response_next(&app->response, ne, response, capacity);
}

void cos_app_refused(struct cos_app *app)
{
    struct exchange x = {.app = app};

    if (!app->mute) {
        cos_response_drop(&app->response);
        const enum cos_result result = refuse(&x, COS_OK);
        app->mute = result == COS_E_INVARIANT || result == COS_E_MUTE;
    }
}
