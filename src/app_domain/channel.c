/* SPDX-License-Identifier: Apache-2.0
 *
 * Logical channels: MANAGE CHANNEL (ISO/IEC 7816-4:2013, 11.1.2), and what may be shared by them.
 */
#include "domain.h"

enum { P1_CLOSE = 0x80, FDB_SHAREABLE = 0x40 };

bool cos_app_may_share(const struct cos_app *app, cos_file file, const struct cos_file_info *info)
{
    if (file == COS_FILE_MF || (info->fdb & FDB_SHAREABLE) != 0) {
        return true;
    }
    for (size_t i = 0; i < COS_CHANNELS; i++) {
        const struct cos_app_channel *channel = &app->channels[i];
        if (channel != app->channel && channel->open &&
            (channel->df == file || channel->ef == file)) {
            return false;
        }
    }
    return true;
}

/* From the basic channel the MF becomes current, from another one what is current there. The
 * security status begins anew in any case. */
static enum cos_result open_channel(struct cos_app *app, uint8_t number)
{
    struct cos_app_channel *const from = app->channel;
    const cos_file df = from == app->channels && from->df != COS_FILE_NONE ? COS_FILE_MF : from->df;
    struct cos_file_info info;

    app->channel = &app->channels[number];
    *app->channel = (struct cos_app_channel){.df = COS_FILE_NONE, .ef = COS_FILE_NONE};
    enum cos_result result = COS_OK;
    if (df != COS_FILE_NONE) {
        result = cos_fs_info(&app->fs, df, &info);
        if (result == COS_OK && !cos_app_may_share(app, df, &info)) {
            result = COS_E_SHARED_ACCESS;
        }
    }
    if (result == COS_OK) {
        result = cos_app_set_df(app, df);
    }
    app->channel->open = result == COS_OK;
    app->channel = from;
    return result;
}

/* COS_E_FUNCTION: all are open. */
static enum cos_result assign(const struct cos_app *app, uint8_t *number)
{
    for (*number = 1; *number < COS_CHANNELS; (*number)++) {
        if (!app->channels[*number].open) {
            return COS_OK;
        }
    }
    return COS_E_FUNCTION;
}

static enum cos_result open_one(struct exchange *x)
{
    uint8_t number = x->command.p2;

    if (number == 0) {
        COS_TRY(assign(x->app, &number));
    }
    COS_CHECK(number < COS_CHANNELS, COS_E_CHANNEL);
    COS_CHECK(!x->app->channels[number].open, COS_E_CONDITIONS);
    COS_TRY(open_channel(x->app, number));
    if (x->command.p2 == 0) {
        cos_write8(x->body, number);
    }
    return COS_OK;
}

/* The one that P2 names, or that of the command; never the basic one. */
static enum cos_result close_one(struct exchange *x)
{
    struct cos_app *app = x->app;
    const uint8_t number = x->command.p2 != 0 ? x->command.p2 : x->class_.channel;
    const uint8_t fields[] = {COS_CONTEXT_CLOSE, number};
    struct cos_span answer;

    COS_CHECK(number != 0, COS_E_P1_P2);
    COS_CHECK(number < COS_CHANNELS && app->channels[number].open, COS_E_CHANNEL);
    app->channel = &app->channels[number];
    COS_TRY(cos_app_ask(app, COS_GATE_CONTEXT, fields, sizeof fields, (struct cos_span){NULL, 0},
                        &answer));
    app->channels[number] = (struct cos_app_channel){.df = COS_FILE_NONE, .ef = COS_FILE_NONE};
    return COS_OK;
}

enum cos_result cos_app_manage_channel(struct exchange *x)
{
    COS_CHECK(x->command.p1 == 0 || x->command.p1 == P1_CLOSE, COS_E_P1_P2);
    return x->command.p1 == 0 ? open_one(x) : close_one(x);
}
