/* SPDX-License-Identifier: Apache-2.0
 *
 * What the data commands share: the EF that P1-P2 name, its life cycle, the data objects of odd
 * instructions, Ne.
 */
#include "domain.h"

enum {
    TAG_OFFSET = 0x54,
    TAG_DATA = 0x53,
    OFFSET_BYTES_MAX = 4,
    FID_MF = 0x3F00,
};

/* ---- The EF ---- */

/* It becomes current when the command succeeds. */
static enum cos_result look_at(const struct cos_app *app, struct target *target)
{
    COS_TRY(cos_fs_info(&app->fs, target->file, &target->info));
    COS_CHECK(cos_app_may_share(app, target->file, &target->info), COS_E_SHARED_ACCESS);
    return COS_OK;
}

enum cos_result cos_app_target(const struct cos_app *app, uint8_t sfi, struct target *target)
{
    target->file = app->channel->ef;
    target->record = sfi == 0 ? app->channel->record : 0;
    if (sfi != 0) {
        COS_CHECK(app->channel->df != COS_FILE_NONE, COS_E_FILE_NOT_FOUND);
        COS_TRY(cos_fs_find_sfi(&app->fs, app->channel->df, sfi, &target->file));
    }
    COS_CHECK(target->file != COS_FILE_NONE, COS_E_NO_CURRENT_EF);
    return look_at(app, target);
}

enum cos_result cos_app_target_odd(const struct exchange *x, struct target *target)
{
    const struct cos_app *app = x->app;
    const uint16_t fid = (uint16_t)(x->command.p1 << 8 | x->command.p2);

    if (fid <= COS_FS_SFI_MAX) {
        return cos_app_target(app, (uint8_t)fid, target);
    }
    COS_CHECK(app->channel->df != COS_FILE_NONE, COS_E_FILE_NOT_FOUND);
    target->record = 0;
    COS_TRY(cos_fs_find_child(&app->fs, app->channel->df, fid, &target->file));
    return look_at(app, target);
}

enum cos_result cos_app_finish(struct cos_app *app, const struct target *target,
                               enum cos_result result)
{
    if (result == COS_OK || cos_is_warning(result)) {
        app->channel->ef = target->file;
        app->channel->record = target->record;
    }
    return result;
}

/* ---- Life cycle (ISO/IEC 7816-4:2013, table 14) ---- */

static bool in_use(uint8_t life_cycle_status)
{
    return life_cycle_status != COS_LCS_DEACTIVATED && life_cycle_status != COS_LCS_TERMINATED;
}

enum cos_result cos_app_df_usable(const struct cos_app *app, cos_file df)
{
    struct cos_file_info info;

    for (unsigned depth = 0; depth <= COS_FS_DEPTH_MAX; depth++) {
        COS_TRY(cos_fs_info(&app->fs, df, &info));
        COS_CHECK(in_use(info.life_cycle_status), COS_E_CONDITIONS);
        if (df == COS_FILE_MF) {
            return COS_OK;
        }
        df = info.parent;
    }
    return COS_E_STORE_DAMAGED;
}

enum cos_result cos_app_usable(const struct cos_app *app, const struct cos_file_info *info)
{
    COS_CHECK(info->source == COS_FS_SOURCE_VAULT || in_use(info->life_cycle_status),
              COS_E_CONDITIONS);
    return info->fid == FID_MF ? COS_OK : cos_app_df_usable(app, info->parent);
}

enum cos_result cos_app_authorize(struct exchange *x, const struct cos_file_info *info,
                                  enum cos_operation operation)
{
    COS_TRY(cos_app_usable(x->app, info));
    return info->source == COS_FS_SOURCE_VAULT ? cos_app_vault_may(x->app, info, operation)
                                               : cos_app_require(x, info, operation);
}

/* ---- Ne ---- */

size_t cos_app_room(const struct exchange *x)
{
    const struct cos_writer *body = x->body;
    const size_t most = x->secured && body->capacity > x->room ? x->room : body->capacity;

    return body->length < most ? most - body->length : 0;
}

size_t cos_app_wanted(const struct exchange *x, bool *all)
{
    const struct cos_command *command = &x->command;
    const bool extended = command->form == COS_CASE_2E || command->form == COS_CASE_4E;
    const size_t room = cos_app_room(x);
    const size_t ne = command->ne != 0 ? command->ne : 256;

    *all = command->ne == 0 || (!extended && command->ne == 256) || command->ne == 65536;
    return ne < room ? ne : room;
}

/* ---- Data objects of odd instructions ---- */

enum cos_result cos_app_read_offset(struct cos_reader *reader, uint32_t *offset)
{
    struct cos_tlv tlv;

    COS_CHECK(cos_tlv_next(reader, &tlv) == COS_OK && tlv.tag == TAG_OFFSET, COS_E_DATA);
    COS_CHECK(tlv.length >= 1 && tlv.length <= OFFSET_BYTES_MAX, COS_E_DATA);
    *offset = 0;
    for (size_t i = 0; i < tlv.length; i++) {
        *offset = *offset << 8 | tlv.value[i];
    }
    return COS_OK;
}

enum cos_result cos_app_read_data(struct cos_reader *reader, struct cos_span *data)
{
    struct cos_tlv tlv;

    COS_CHECK(cos_tlv_next(reader, &tlv) == COS_OK && tlv.tag == TAG_DATA && tlv.length != 0,
              COS_E_DATA);
    *data = (struct cos_span){tlv.value, tlv.length};
    return cos_app_read_end(reader);
}

enum cos_result cos_app_read_end(struct cos_reader *reader)
{
    struct cos_tlv tlv;

    COS_CHECK(cos_tlv_next(reader, &tlv) == COS_E_END_OF_DATA, COS_E_DATA);
    return COS_OK;
}
