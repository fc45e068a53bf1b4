/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding files: the DFs above one; by identifier, short identifier and path (ISO/IEC 7816-4:2013,
 * 7.2 and 11.1.1).
 */
#include "file.h"

/* ---- Upwards: bounded by the depth that CREATE FILE allows ---- */

enum cos_result cos_table_must(const struct cos_fs *fs, cos_file file, struct cos_file_info *info)
{
    const enum cos_result result = cos_table_info(fs, file, info);

    return result == COS_E_FILE_NOT_FOUND ? COS_E_STORE_DAMAGED : result;
}

enum cos_result cos_table_parent(const struct cos_fs *fs, const struct cos_file_info *info,
                                 struct cos_file_info *df)
{
    COS_TRY(cos_table_must(fs, info->parent, df));
    return cos_file_is_df(df) ? COS_OK : COS_E_STORE_DAMAGED;
}

enum cos_result cos_table_depth(const struct cos_fs *fs, const struct cos_file_info *info,
                                cos_file df, unsigned *depth)
{
    struct cos_file_info above = *info;

    for (*depth = 1; *depth <= COS_FS_DEPTH_MAX + 1; ++*depth) {
        const cos_file parent = above.parent;
        if (parent == df) {
            return COS_OK;
        }
        if (parent == COS_FILE_MF) {
            *depth = 0;
            return COS_OK;
        }
        COS_TRY(cos_table_parent(fs, &above, &above));
    }
    return COS_E_STORE_DAMAGED;
}

enum cos_result cos_fs_is_below(const struct cos_fs *fs, cos_file file, cos_file df, bool *below)
{
    struct cos_file_info info;
    unsigned depth;

    *below = file == df;
    if (*below || file == COS_FILE_MF) {
        return COS_OK;
    }
    COS_TRY(cos_table_must(fs, file, &info));
    COS_TRY(cos_table_depth(fs, &info, df, &depth));
    *below = depth != 0;
    return COS_OK;
}

/* ---- Downwards ---- */

/* Fixed file identifiers, ISO/IEC 7816-4:2013, 7.2.1. */
enum {
    FID_MF = 0x3F00,
    FID_CURRENT_DF = 0x3FFF, /* in a path only */
};

enum cos_result cos_fs_find_child(const struct cos_fs *fs, cos_file df, uint16_t fid,
                                  cos_file *file)
{
    cos_file found;

    COS_CHECK(!cos_file_is_hidden(fs, df), COS_E_FILE_NOT_FOUND);
    COS_TRY(cos_table_find(fs, df, fid, &found));
    *file = found;
    return COS_OK;
}

enum cos_result cos_fs_find_sfi(const struct cos_fs *fs, cos_file df, uint8_t sfi, cos_file *file)
{
    struct cos_file_info info;
    uint8_t place[2];

    COS_CHECK(sfi >= 1 && sfi <= COS_FS_SFI_MAX, COS_E_FILE_NOT_FOUND);
    COS_TRY(cos_fs_info(fs, df, &info));
    COS_CHECK(cos_file_is_df(&info), COS_E_FILE_NOT_FOUND);
    COS_TRY(
        cos_store_read(fs->store, cos_file_sfi_map(&info) + 2U * (sfi - 1U), place, sizeof place));
    const cos_file found = cos_get16(place);
    COS_CHECK(found != 0 && !cos_file_is_hidden(fs, found), COS_E_FILE_NOT_FOUND);
    COS_TRY(cos_table_must(fs, found, &info));
    COS_CHECK(info.parent == df && info.sfi == sfi, COS_E_STORE_DAMAGED);
    *file = found;
    return COS_OK;
}

static enum cos_result found_if(bool found, cos_file at, cos_file *file)
{
    COS_CHECK(found, COS_E_FILE_NOT_FOUND);
    *file = at;
    return COS_OK;
}

enum cos_result cos_fs_find_fid(const struct cos_fs *fs, cos_file current_df, uint16_t fid,
                                cos_file *file)
{
    struct cos_file_info df, parent;
    enum cos_result result;

    COS_TRY(cos_fs_info(fs, COS_FILE_MF, &df));
    if (fid == FID_MF) {
        return found_if(true, COS_FILE_MF, file);
    }
    COS_TRY(cos_fs_info(fs, current_df, &df));
    result = cos_fs_find_child(fs, current_df, fid, file);
    COS_CHECK(result == COS_E_FILE_NOT_FOUND, result);
    if (df.fid == fid) {
        return found_if(true, current_df, file);
    }
    COS_TRY(cos_table_parent(fs, &df, &parent));
    if (parent.fid == fid) {
        return found_if(true, df.parent, file);
    }
    return cos_fs_find_child(fs, df.parent, fid, file);
}

enum cos_result cos_fs_find_path(const struct cos_fs *fs, cos_file from, struct cos_span path,
                                 cos_file *file)
{
    struct cos_reader reader = cos_reader(path.data, path.length);
    struct cos_file_info info;
    cos_file at = from;
    bool first = true;

    COS_CHECK(path.length > 0 && path.length % 2 == 0 && path.length <= 2 * COS_FS_PATH_MAX,
              COS_E_DATA);
    COS_TRY(cos_fs_info(fs, from, &info));
    while (reader.length > 0) {
        const uint16_t fid = cos_read16(&reader);
        if (!first || !((fid == FID_MF && from == COS_FILE_MF) || fid == FID_CURRENT_DF)) {
            COS_TRY(cos_fs_find_child(fs, at, fid, &at));
        }
        first = false;
    }
    return found_if(true, at, file);
}
