/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of files (ISO/IEC 7816-9): DELETE, ACTIVATE, DEACTIVATE, TERMINATE EF and DF, TERMINATE
 * CARD USAGE. P1, P2 b2b1 and the data field name the file as those of SELECT do, but that P1 = 00
 * without data is the current one. What is named does not become current.
 */
#include "domain.h"

enum { P2_RESPONSE = 0x0C, FID_MF = 0x3F00, GP_TERMINATED = 0xFF };

/* ---- The file ---- */

/* P2 b4b3 may say "no response data", which there are none of anyway. */
static enum cos_result find(struct exchange *x, cos_file *file, struct cos_file_info *info)
{
    const struct cos_app *app = x->app;
    const uint8_t response = x->command.p2 & P2_RESPONSE;

    COS_CHECK(response == 0 || response == P2_RESPONSE, COS_E_P1_P2);
    if (x->command.p1 == 0 && x->command.nc == 0) {
        COS_CHECK(x->command.p2 == response, COS_E_P1_P2);
        *file = app->channel->ef != COS_FILE_NONE ? app->channel->ef : app->channel->df;
        COS_CHECK(*file != COS_FILE_NONE, COS_E_FILE_NOT_FOUND);
    } else {
        COS_TRY(cos_app_find_file(x, file));
    }
    COS_TRY(cos_fs_info(&app->fs, *file, info));
    if (info->source == COS_FS_SOURCE_VAULT) {
        COS_TRY(cos_app_vault_life_cycle(x->app, info, &info->life_cycle_status));
    }
    return COS_OK;
}

/* What is done to a file has no effect in a DF that is out of use. */
static enum cos_result parent_usable(const struct cos_app *app, const struct cos_file_info *info)
{
    return info->fid == FID_MF ? COS_OK : cos_app_df_usable(app, info->parent);
}

/* ---- Life-cycle status ---- */

struct transition {
    enum cos_operation operation;
    uint8_t from[4]; /* statuses that it starts in; 00 = no more */
    uint8_t to;
};

static const struct transition activation = {
    COS_OPERATION_ACTIVATE,
    {COS_LCS_CREATION, COS_LCS_INITIALISATION, COS_LCS_DEACTIVATED, COS_LCS_ACTIVATED},
    COS_LCS_ACTIVATED,
};
static const struct transition deactivation = {
    COS_OPERATION_DEACTIVATE,
    {COS_LCS_ACTIVATED, COS_LCS_DEACTIVATED},
    COS_LCS_DEACTIVATED,
};
static const struct transition termination = {
    COS_OPERATION_TERMINATE,
    {COS_LCS_ACTIVATED, COS_LCS_DEACTIVATED},
    COS_LCS_TERMINATED,
};

static bool starts_in(const struct transition *transition, uint8_t status)
{
    for (size_t i = 0; i < sizeof transition->from; i++) {
        if (status != 0 && transition->from[i] == status) {
            return true;
        }
    }
    return false;
}

/* A file that is in the wanted status already stays as it is. */
static enum cos_result change(struct exchange *x, cos_file file, const struct cos_file_info *info,
                              const struct transition *transition)
{
    struct cos_app *app = x->app;
    const bool vault = info->source == COS_FS_SOURCE_VAULT;

    COS_TRY(parent_usable(app, info));
    COS_CHECK(starts_in(transition, info->life_cycle_status), COS_E_CONDITIONS);
    if (vault) {
        return cos_app_vault_set_life_cycle(app, info, transition->to);
    }
    COS_TRY(cos_app_require(x, info, transition->operation));
    return info->life_cycle_status == transition->to
               ? COS_OK
               : cos_fs_set_life_cycle(&app->fs, file, transition->to);
}

enum cos_result cos_app_activate_file(struct exchange *x)
{
    struct cos_file_info info;
    cos_file file;

    COS_TRY(find(x, &file, &info));
    return change(x, file, &info, &activation);
}

enum cos_result cos_app_deactivate_file(struct exchange *x)
{
    struct cos_file_info info;
    cos_file file;

    COS_TRY(find(x, &file, &info));
    return change(x, file, &info, &deactivation);
}

enum cos_result cos_app_terminate_ef(struct exchange *x)
{
    struct cos_file_info info;
    cos_file file;

    COS_TRY(find(x, &file, &info));
    COS_CHECK(!cos_file_is_df(&info), COS_E_FILE_STRUCTURE);
    return change(x, file, &info, &termination);
}

enum cos_result cos_app_terminate_df(struct exchange *x)
{
    struct cos_file_info info;
    cos_file file;

    COS_TRY(find(x, &file, &info));
    COS_CHECK(cos_file_is_df(&info), COS_E_FILE_STRUCTURE);
    return change(x, file, &info, &termination);
}

/* ---- DELETE FILE ---- */

/* The rule of the file for DELETE, or that of its DF for deleting what is in it: one suffices. */
static enum cos_result may_delete(struct exchange *x, const struct cos_file_info *info)
{
    struct cos_file_info parent;
    enum cos_result result = cos_app_require(x, info, COS_OPERATION_DELETE);

    COS_CHECK(result == COS_E_SECURITY_STATUS, result);
    COS_TRY(cos_fs_info(&x->app->fs, info->parent, &parent));
    return cos_app_require(x, &parent, COS_OPERATION_DELETE_CHILD);
}

/* What was current on a channel and is gone: the DF above the deleted one takes its place. The
 * current EF may have taken the deleted one's number (cos_fs_delete()). */
static void leave(const struct cos_app *app, struct cos_app_channel *channel, cos_file file,
                  bool was_in, const struct cos_file_info *info)
{
    struct cos_file_info ef;

    if (was_in) {
        channel->df = info->parent;
        channel->bound = false;
    }
    if (was_in || channel->ef == file) {
        channel->ef = COS_FILE_NONE;
        channel->record = 0;
    } else if (channel->ef != COS_FILE_NONE &&
               cos_fs_info(&app->fs, channel->ef, &ef) == COS_E_FILE_NOT_FOUND) {
        channel->ef = file;
    }
}

/* On every channel: `was_in` has a bit for each. The others are bound when their next command
 * comes: nothing of them may reach the security chip while one is open under secure messaging. */
COS_OWN_FRAME static enum cos_result leave_on_all(struct cos_app *app, cos_file file,
                                                  uint32_t was_in, const struct cos_file_info *info)
{
    for (size_t i = 0; i < COS_CHANNELS; i++) {
        if (app->channels[i].open) {
            leave(app, &app->channels[i], file, (was_in >> i & 1U) != 0, info);
        }
    }
    return app->channel->bound ? COS_OK : cos_app_bind(app);
}

/* The channels whose current DF is a DF or below it. */
COS_OWN_FRAME static enum cos_result channels_in(const struct cos_app *app, cos_file df,
                                                 uint32_t *channels)
{
    *channels = 0;
    for (size_t i = 0; i < COS_CHANNELS; i++) {
        bool in = false;
        if (app->channels[i].open && app->channels[i].df != COS_FILE_NONE) {
            COS_TRY(cos_fs_is_below(&app->fs, app->channels[i].df, df, &in));
        }
        *channels |= in ? 1U << i : 0;
    }
    return COS_OK;
}

/* Vault EFs are deleted by both chips, and under their own rules, which the security chip has; the
 * PINs and keys of applications go with their DFs. */
enum cos_result cos_app_delete_file(struct exchange *x)
{
    struct cos_app *app = x->app;
    struct cos_file_info info;
    cos_file file;
    uint32_t in = 0;

    COS_TRY(find(x, &file, &info));
    COS_TRY(parent_usable(app, &info));
    COS_CHECK(file != COS_FILE_MF, COS_E_CONDITIONS);
    if (info.source != COS_FS_SOURCE_VAULT) {
        COS_TRY(may_delete(x, &info));
    }
    if (cos_file_is_df(&info)) {
        COS_TRY(channels_in(app, file, &in));
    }
    COS_TRY(cos_app_delete_tree(app, file, &info));
    return leave_on_all(app, file, in, &info);
}

/* ---- TERMINATE CARD USAGE ---- */

/* Under the rule of the MF, if there is one, and under the issuer's secure messaging, on which the
 * security chip insists. */
enum cos_result cos_app_terminate_card_usage(struct exchange *x)
{
    struct cos_file_info mf;
    enum cos_result result = cos_fs_info(&x->app->fs, COS_FILE_MF, &mf);

    if (result == COS_OK) {
        result = cos_app_require(x, &mf, COS_OPERATION_TERMINATE);
    }
    COS_CHECK(result == COS_OK || result == COS_E_FILE_NOT_FOUND, result);
    return cos_app_set_life(x, GP_TERMINATED);
}
