/* SPDX-License-Identifier: Apache-2.0
 *
 * Ways to the security chip, and who may do what to a file.
 */
#include "domain.h"

enum { FID_MF = 0x3F00 };

struct cos_span cos_app_command_data(const struct exchange *x)
{
    /* Nc counts held data too, which are not here. */
    return (struct cos_span){x->command.data, x->held ? 0 : x->command.nc};
}

enum cos_result cos_app_ask(struct cos_app *app, enum cos_gate_call call, const uint8_t *fields,
                            size_t fields_length, struct cos_span data, struct cos_span *body)
{
    const struct cos_span parts[] = {{fields, fields_length}, data};

    const enum cos_result result = cos_gate_call(&app->gate, call, parts, 2, body);
    app->channel->active = (app->gate.flags & COS_GATE_FLAG_ACTIVE) != 0;
    return result;
}

enum cos_result cos_app_hand_on(struct exchange *x, enum cos_gate_call call, const uint8_t *fields,
                                size_t fields_length, struct cos_span data)
{
    struct cos_span answer;
    enum cos_result result = cos_app_ask(x->app, call, fields, fields_length, data, &answer);

    cos_write_bytes(x->body, answer.data, answer.length);
    return result;
}

enum cos_result cos_app_require_condition(struct cos_app *app, const uint8_t *condition,
                                          size_t length)
{
    const uint8_t channel = cos_app_channel(app);
    const struct cos_span data = {condition, length};
    const enum cos_rule_plain plain = cos_rule_plain(data);
    struct cos_span answer;

    COS_CHECK(plain != COS_RULE_NEVER, COS_E_SECURITY_STATUS);
    if (plain == COS_RULE_ALWAYS) {
        return COS_OK;
    }
    COS_TRY(cos_app_ask(app, COS_GATE_ACCESS, &channel, 1, data, &answer));
    COS_CHECK(answer.length == 4, COS_E_INVARIANT);
    COS_CHECK(cos_get32(answer.data) == COS_YES, COS_E_SECURITY_STATUS);
    return COS_OK;
}

/* The nearest DF with a name, from `df` up; COS_FILE_NONE if there is none. */
static enum cos_result application_of(const struct cos_app *app, cos_file df, cos_file *application,
                                      uint8_t attributes[COS_FS_ATTRIBUTES_MAX],
                                      struct cos_span *name)
{
    for (unsigned depth = 0; depth < app->config.files; depth++) {
        struct cos_file_info info;
        COS_TRY(cos_fs_info(&app->fs, df, &info));
        enum cos_result result = cos_fs_attribute(&app->fs, &info, 0x84, attributes, name);
        if (result != COS_E_REFERENCE_NOT_FOUND) {
            *application = df;
            return result;
        }
        if (df == COS_FILE_MF) {
            break;
        }
        df = info.parent;
    }
    *application = COS_FILE_NONE;
    *name = (struct cos_span){NULL, 0};
    return COS_OK;
}

/* Whether a file belongs to the application that the channel is bound to: that of the current DF.
 */
COS_OWN_FRAME static enum cos_result is_at_home(const struct cos_app *app,
                                                const struct cos_file_info *info, bool *at_home)
{
    uint8_t attributes[COS_FS_ATTRIBUTES_MAX];
    struct cos_span name;
    cos_file df = info->fid == FID_MF ? COS_FILE_MF : info->parent, application;

    if (cos_file_is_df(info) && info->fid != FID_MF) {
        COS_TRY(cos_fs_find_child(&app->fs, info->parent, info->fid, &df));
    }
    *at_home = df == app->channel->df;
    if (!*at_home) {
        COS_TRY(application_of(app, df, &application, attributes, &name));
        *at_home = application == app->channel->application;
    }
    return COS_OK;
}

/* PINs and keys of the current application say nothing about the files of another one. */
enum cos_result cos_app_require_object(struct exchange *x, const struct cos_file_info *info,
                                       enum cos_operation operation, uint32_t tag)
{
    const struct cos_command *command = &x->command;
    const struct cos_access access = {
        .operation = operation,
        .object = tag,
        .header = {command->cla, command->ins, command->p1, command->p2},
        .environment = x->app->channel->environment,
    };
    uint8_t condition[COS_RULE_MAX];
    struct cos_writer writer = cos_writer(condition, sizeof condition);

    COS_TRY(cos_fs_rule(&x->app->fs, info, &access, &writer));
    if (cos_rule_plain((struct cos_span){condition, writer.length}) == COS_RULE_ASK) {
        bool at_home;
        COS_TRY(is_at_home(x->app, info, &at_home));
        if (!at_home) {
            cos_rule_leave_application(condition, writer.length);
        }
    }
    return cos_app_require_condition(x->app, condition, writer.length);
}

enum cos_result cos_app_require(struct exchange *x, const struct cos_file_info *info,
                                enum cos_operation operation)
{
    return cos_app_require_object(x, info, operation, 0);
}

enum cos_result cos_app_refresh(struct cos_app *app, struct cos_gate_status *status)
{
    COS_TRY(cos_gate_status(&app->gate, status));
    app->life_cycle = status->life_cycle;
    return COS_OK;
}

enum cos_result cos_app_bind(struct cos_app *app)
{
    const uint8_t fields[] = {COS_CONTEXT_BIND, cos_app_channel(app)};
    uint8_t attributes[COS_FS_ATTRIBUTES_MAX];
    struct cos_span name, answer;
    cos_file application;

    COS_TRY(application_of(app, app->channel->df, &application, attributes, &name));
    if (app->channel->bound && app->channel->application == application) {
        return COS_OK;
    }
    app->channel->bound = false;
    COS_TRY(cos_app_ask(app, COS_GATE_CONTEXT, fields, sizeof fields, name, &answer));
    app->channel->application = application;
    app->channel->bound = true;
    return COS_OK;
}
