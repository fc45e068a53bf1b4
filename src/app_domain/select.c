/* SPDX-License-Identifier: Apache-2.0
 *
 * SELECT (ISO/IEC 7816-4:2013, 11.1.1): the current file, and how commands name a file.
 */
#include "domain.h"

enum {
    P1_NAME = 0x04,
    P2_OCCURRENCE = 0x03,
    P2_RESPONSE = 0x0C,
    P2_FCI = 0x00,
    P2_FCP = 0x04,
    P2_FMD = 0x08,
    P2_NONE = 0x0C,
    TAG_FCP = 0x62,
    TAG_FMD = 0x64,
    TAG_FCI = 0x6F,
    TAG_NAME = 0x84,
    ISSUER_NAME_SHORTEST = 5,
};

enum cos_result cos_app_set_df(struct cos_app *app, cos_file df)
{
    const cos_file before = app->channel->df;

    app->channel->df = df;
    enum cos_result result = df == COS_FILE_NONE ? COS_OK : cos_app_bind(app);
    if (result != COS_OK) {
        app->channel->df = before;
        return result;
    }
    if (df != before) {
        app->channel->environment = 1;
    }
    cos_app_set_ef(app, COS_FILE_NONE);
    return COS_OK;
}

void cos_app_set_ef(struct cos_app *app, cos_file ef)
{
    app->channel->ef = ef;
    app->channel->record = 0;
}

static bool is_gone(const struct cos_app *app, cos_file file)
{
    struct cos_file_info info;

    return file != COS_FILE_NONE && cos_fs_info(&app->fs, file, &info) == COS_E_FILE_NOT_FOUND;
}

void cos_app_leave_what_is_gone(struct cos_app *app)
{
    for (size_t i = 0; i < COS_CHANNELS; i++) {
        struct cos_app_channel *channel = &app->channels[i];
        const bool left = is_gone(app, channel->df);
        if (left) {
            channel->df = COS_FILE_MF;
        }
        if (left || is_gone(app, channel->ef)) {
            channel->ef = COS_FILE_NONE;
            channel->record = 0;
        }
    }
}

/* ---- Finding ---- */

static enum cos_result by_identifier(struct exchange *x, cos_file *file)
{
    struct cos_span data = cos_app_command_data(x);

    if (data.length == 0) {
        *file = COS_FILE_MF;
        return COS_OK;
    }
    COS_CHECK(data.length == 2, COS_E_LENGTH);
    return cos_fs_find_fid(&x->app->fs, x->app->channel->df, cos_get16(data.data), file);
}

/* P1 = 01: a DF, 02: an EF; both children of the current DF. */
static enum cos_result child(struct exchange *x, bool df, cos_file *file)
{
    struct cos_span data = cos_app_command_data(x);
    struct cos_file_info info;

    COS_CHECK(data.length == 2, COS_E_LENGTH);
    COS_TRY(cos_fs_find_child(&x->app->fs, x->app->channel->df, cos_get16(data.data), file));
    COS_TRY(cos_fs_info(&x->app->fs, *file, &info));
    COS_CHECK(cos_file_is_df(&info) == df, COS_E_FILE_NOT_FOUND);
    return COS_OK;
}

static enum cos_result parent(struct exchange *x, cos_file *file)
{
    struct cos_file_info info;

    COS_CHECK(x->command.nc == 0, COS_E_LENGTH);
    COS_TRY(cos_fs_info(&x->app->fs, x->app->channel->df, &info));
    COS_CHECK(x->app->channel->df != COS_FILE_MF, COS_E_FILE_NOT_FOUND);
    *file = info.parent;
    return COS_OK;
}

static enum cos_result by_path(struct exchange *x, cos_file from, cos_file *file)
{
    struct cos_span path = cos_app_command_data(x);

    COS_CHECK(path.length >= 2 && path.length % 2 == 0 && path.length <= 2 * COS_FS_PATH_MAX,
              COS_E_LENGTH);
    return cos_fs_find_path(&x->app->fs, from, path, file);
}

static enum cos_result by_name(struct exchange *x, cos_file *file)
{
    struct cos_span name = cos_app_command_data(x);

    COS_CHECK(name.length >= 1 && name.length <= COS_FS_NAME_MAX, COS_E_LENGTH);
    return cos_fs_find_name(&x->app->fs, name, (enum cos_occurrence)(x->command.p2 & P2_OCCURRENCE),
                            x->app->channel->df, file);
}

enum cos_result cos_app_find_file(struct exchange *x, cos_file *file)
{
    COS_CHECK(x->command.p1 == P1_NAME || (x->command.p2 & P2_OCCURRENCE) == 0, COS_E_P1_P2);
    switch (x->command.p1) {
    case 0x00:
        return by_identifier(x, file);
    case 0x01:
        return child(x, true, file);
    case 0x02:
        return child(x, false, file);
    case 0x03:
        return parent(x, file);
    case P1_NAME:
        return by_name(x, file);
    case 0x08:
        return by_path(x, COS_FILE_MF, file);
    case 0x09:
        return by_path(x, x->app->channel->df, file);
    default:
        return COS_E_P1_P2;
    }
}

/* ---- SELECT ---- */

/* What b4b3 of P2 ask for. */
static const uint8_t templates[] = {TAG_FCI, TAG_FCP, TAG_FMD};

/* The issuer domain comes before the DFs: it is the first whose name matches, and the last only if
 * it is the only one. */
static bool names_issuer_domain(const struct exchange *x)
{
    struct cos_span name = cos_app_command_data(x);
    const uint8_t occurrence = x->command.p2 & P2_OCCURRENCE;
    cos_file other;

    if (x->command.p1 != P1_NAME || name.length > sizeof cos_app_issuer_domain ||
        (name.length != 0 && memcmp(name.data, cos_app_issuer_domain, name.length) != 0)) {
        return false;
    }
    if (occurrence == COS_OCCURRENCE_FIRST) {
        return name.length == 0 || name.length >= ISSUER_NAME_SHORTEST;
    }
    return occurrence == COS_OCCURRENCE_LAST && name.length >= ISSUER_NAME_SHORTEST &&
           cos_fs_find_name(&x->app->fs, name, COS_OCCURRENCE_LAST, x->app->channel->df, &other) ==
               COS_E_FILE_NOT_FOUND;
}

/* FCI of the issuer security domain: its name, and the longest command data field (GPCS 11.9.3.1).
 */
static enum cos_result select_issuer_domain(struct exchange *x)
{
    static const uint8_t longest[] = {0x9F, 0x65, 0x01, COS_SM_MAX};
    const uint8_t wanted = x->command.p2 & P2_RESPONSE;
    struct cos_file_info info;

    if (wanted != P2_NONE) {
        size_t template = cos_tlv_open(x->body, templates[wanted / P2_FCP]);
        cos_tlv_write(x->body, TAG_NAME, cos_app_issuer_domain, sizeof cos_app_issuer_domain);
        if (wanted != P2_FMD) {
            cos_tlv_write(x->body, 0xA5, longest, sizeof longest);
        }
        cos_tlv_close(x->body, template);
    }
    bool formatted = cos_fs_info(&x->app->fs, COS_FILE_MF, &info) == COS_OK;
    return cos_app_set_df(x->app, formatted ? COS_FILE_MF : COS_FILE_NONE);
}

/* File management data: the names of a DF; an EF has none. */
static enum cos_result write_fmd(struct exchange *x, const struct cos_file_info *info)
{
    uint8_t attributes[COS_FS_ATTRIBUTES_MAX];
    struct cos_span first;
    struct cos_tlv tlv;

    if (!cos_file_is_df(info)) {
        return COS_OK;
    }
    enum cos_result result = cos_fs_attribute(&x->app->fs, info, TAG_NAME, attributes, &first);
    if (result == COS_E_REFERENCE_NOT_FOUND) {
        return COS_OK;
    }
    COS_TRY(result);
    struct cos_reader reader = cos_reader(attributes, info->attributes_length);
    while (cos_tlv_next(&reader, &tlv) == COS_OK) {
        if (tlv.tag == TAG_NAME) {
            cos_tlv_write(x->body, TAG_NAME, tlv.value, tlv.length);
        }
    }
    return COS_OK;
}

static enum cos_result answer(struct exchange *x, const struct cos_file_info *info)
{
    const uint8_t wanted = x->command.p2 & P2_RESPONSE;

    if (wanted == P2_NONE) {
        return COS_OK;
    }
    size_t template = cos_tlv_open(x->body, templates[wanted / P2_FCP]);
    COS_TRY(wanted == P2_FMD ? write_fmd(x, info) : cos_fs_write_fcp(&x->app->fs, info, x->body));
    cos_tlv_close(x->body, template);
    return COS_OK;
}

static enum cos_result warn(const struct cos_file_info *info)
{
    switch (info->life_cycle_status) {
    case COS_LCS_DEACTIVATED:
        return COS_E_FILE_DEACTIVATED;
    case COS_LCS_TERMINATED:
        return COS_E_FILE_TERMINATED;
    default:
        return COS_OK;
    }
}

/* With an EF its DF becomes current, too. */
static enum cos_result may_be_current(const struct cos_app *app, cos_file file,
                                      const struct cos_file_info *info)
{
    struct cos_file_info df;

    COS_CHECK(cos_app_may_share(app, file, info), COS_E_SHARED_ACCESS);
    if (!cos_file_is_df(info)) {
        COS_TRY(cos_fs_info(&app->fs, info->parent, &df));
        COS_CHECK(cos_app_may_share(app, info->parent, &df), COS_E_SHARED_ACCESS);
    }
    return COS_OK;
}

enum cos_result cos_app_select(struct exchange *x)
{
    struct cos_file_info info;
    cos_file file;

    if (names_issuer_domain(x)) {
        return select_issuer_domain(x);
    }
    COS_TRY(cos_app_find_file(x, &file));
    COS_TRY(cos_fs_info(&x->app->fs, file, &info));
    if (info.source == COS_FS_SOURCE_VAULT) {
        COS_TRY(cos_app_vault_life_cycle(x->app, &info, &info.life_cycle_status));
    }
    COS_TRY(may_be_current(x->app, file, &info));
    COS_TRY(answer(x, &info));
    COS_TRY(cos_app_set_df(x->app, cos_file_is_df(&info) ? file : info.parent));
    if (!cos_file_is_df(&info)) {
        cos_app_set_ef(x->app, file);
    }
    return warn(&info);
}
