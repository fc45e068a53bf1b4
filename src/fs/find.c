/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding files: by identifier, short identifier, path and DF name (ISO/IEC 7816-4:2013, 5.3.1 and
 * 11.1.1).
 */
#include "file.h"

/* Fixed file identifiers, ISO/IEC 7816-4:2013, 5.3.1.1. */
enum {
    FID_MF = 0x3F00,
    FID_CURRENT_DF = 0x3FFF, /* in a path only */
};

/* What to look for below a DF. */
enum key {
    BY_FID,
    BY_SFI,
};

static enum cos_result find_below(const struct cos_fs *fs, cos_file df, enum key key,
                                  uint16_t value, cos_file *file)
{
    struct table_walk walk;
    struct cos_file_info info;
    cos_file found;
    enum cos_result result;

    COS_CHECK(df < fs->config.files, COS_E_FILE_NOT_FOUND);
    cos_table_walk(&walk, fs, (cos_file)(df + 1U)); /* children stand behind their parent */
    while ((result = cos_table_next(&walk, &found, &info)) == COS_OK) {
        if (info.parent == df && (key == BY_FID ? info.fid : info.sfi) == value) {
            *file = found;
            return COS_OK;
        }
    }
    return result == COS_E_END_OF_DATA ? COS_E_FILE_NOT_FOUND : result;
}

enum cos_result cos_fs_find_child(const struct cos_fs *fs, cos_file df, uint16_t fid,
                                  cos_file *file)
{
    return find_below(fs, df, BY_FID, fid, file);
}

enum cos_result cos_fs_find_sfi(const struct cos_fs *fs, cos_file df, uint8_t sfi, cos_file *file)
{
    COS_CHECK(sfi != 0, COS_E_FILE_NOT_FOUND); /* 0 is "no SFI" in the table */
    return find_below(fs, df, BY_SFI, sfi, file);
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
    result = find_below(fs, current_df, BY_FID, fid, file);
    COS_CHECK(result == COS_E_FILE_NOT_FOUND, result);
    if (df.fid == fid) {
        return found_if(true, current_df, file);
    }
    /* A parent that is missing or no DF cannot come from CREATE FILE. */
    result = cos_fs_info(fs, df.parent, &parent);
    COS_CHECK(result != COS_E_FILE_NOT_FOUND, COS_E_STORE_DAMAGED);
    COS_TRY(result);
    COS_CHECK(cos_file_is_df(&parent), COS_E_STORE_DAMAGED);
    if (parent.fid == fid) {
        return found_if(true, df.parent, file);
    }
    return find_below(fs, df.parent, BY_FID, fid, file);
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
            COS_TRY(find_below(fs, at, BY_FID, fid, &at));
        }
        first = false;
    }
    return found_if(true, at, file);
}

/* Whether one of a DF's names matches. A DF may have several (ISO/IEC 7816-4:2013, table 10). */
static enum cos_result has_name(const struct cos_fs *fs, const struct cos_file_info *info,
                                struct cos_span name, bool whole)
{
    uint8_t attributes[COS_FS_ATTRIBUTES_MAX];
    struct cos_reader reader;
    struct cos_tlv tlv;
    enum cos_result result;

    COS_TRY(cos_store_read(fs->store, info->address, attributes, info->attributes_length));
    reader = cos_reader(attributes, info->attributes_length);
    while ((result = cos_tlv_next(&reader, &tlv)) == COS_OK) {
        if (tlv.tag == FCP_DF_NAME &&
            (whole ? tlv.length == name.length : tlv.length >= name.length) &&
            memcmp(tlv.value, name.data, name.length) == 0) {
            return COS_OK;
        }
    }
    return result == COS_E_END_OF_DATA ? COS_E_FILE_NOT_FOUND : COS_E_STORE_DAMAGED;
}

enum cos_result cos_file_find_name(const struct cos_fs *fs, struct cos_span name, bool whole,
                                   cos_file *file)
{
    struct table_walk walk;
    struct cos_file_info info;
    cos_file found;
    enum cos_result result;

    cos_table_walk(&walk, fs, COS_FILE_MF);
    while ((result = cos_table_next(&walk, &found, &info)) == COS_OK) {
        if (!cos_file_is_df(&info) || info.attributes_length == 0) {
            continue;
        }
        result = has_name(fs, &info, name, whole);
        if (result != COS_E_FILE_NOT_FOUND) {
            COS_TRY(result);
            return found_if(true, found, file);
        }
    }
    return result == COS_E_END_OF_DATA ? COS_E_FILE_NOT_FOUND : result;
}

enum cos_result cos_fs_find_name(const struct cos_fs *fs, struct cos_span name, cos_file *file)
{
    COS_CHECK(name.length > 0 && name.length <= COS_FS_NAME_MAX, COS_E_FILE_NOT_FOUND);
    return cos_file_find_name(fs, name, false, file);
}
