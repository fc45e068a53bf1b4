/* SPDX-License-Identifier: Apache-2.0
 *
 * Files: content, records, attributes, creation.
 */
#include "file.h"

/* ---- Content ---- */

/* Whether a run of bytes lies in an EF that has bytes of its own, and where in the store. */
static enum cos_result locate(const struct cos_file_info *info, uint32_t offset, size_t length,
                              uint32_t *address)
{
    COS_CHECK(!cos_file_is_df(info) && info->source == COS_FS_SOURCE_CONTENT, COS_E_FILE_STRUCTURE);
    COS_CHECK(offset <= info->size && length <= info->size - offset, COS_E_OFFSET);
    *address = info->address + info->attributes_length + offset;
    return COS_OK;
}

enum cos_result cos_fs_read(const struct cos_fs *fs, const struct cos_file_info *info,
                            uint32_t offset, uint8_t *data, size_t length)
{
    uint32_t address;

    COS_TRY(locate(info, offset, length, &address));
    return cos_store_read(fs->store, address, data, length);
}

enum cos_result cos_fs_update(struct cos_fs *fs, const struct cos_file_info *info, uint32_t offset,
                              const uint8_t *data, size_t length)
{
    struct cos_edit edit = {.data = data, .length = (uint32_t)length};

    COS_TRY(locate(info, offset, length, &edit.address));
    return cos_store_commit(fs->store, &edit, 1);
}

enum cos_result cos_fs_record(const struct cos_file_info *info, unsigned number, uint32_t *offset)
{
    COS_CHECK((info->fdb & COS_FDB_KIND) == COS_FDB_LINEAR_FIXED, COS_E_FILE_STRUCTURE);
    COS_CHECK(number >= 1 && number <= info->record_count, COS_E_RECORD_NOT_FOUND);
    *offset = (number - 1) * (uint32_t)info->record_size;
    return COS_OK;
}

/* ---- Attributes ---- */

enum cos_result cos_fs_attribute(const struct cos_fs *fs, const struct cos_file_info *info,
                                 uint32_t tag, uint8_t attributes[COS_FS_ATTRIBUTES_MAX],
                                 struct cos_span *found)
{
    struct cos_tlv tlv;
    enum cos_result result;

    COS_INVARIANT(info->attributes_length <= COS_FS_ATTRIBUTES_MAX);
    COS_TRY(cos_store_read(fs->store, info->address, attributes, info->attributes_length));
    result = cos_tlv_find(attributes, info->attributes_length, tag, &tlv);
    COS_CHECK(result != COS_E_DATA, COS_E_STORE_DAMAGED);
    COS_TRY(result);
    *found = (struct cos_span){tlv.value, tlv.length};
    return COS_OK;
}

/* ---- Creation ---- */

/* What one walk through the table tells about a file to be created. */
struct survey {
    cos_file free;      /* first free entry; table size: none */
    uint32_t heap_end;  /* end of the highest extent */
    bool taken;         /* FID or SFI are in use in the DF */
    bool parent, is_df; /* the parent is there; it is a DF */
};

static enum cos_result survey_table(const struct cos_fs *fs, const struct cos_file_info *wanted,
                                    struct survey *survey)
{
    struct table_walk walk;
    struct cos_file_info info;
    cos_file file;
    enum cos_result result;

    *survey = (struct survey){.heap_end = cos_table_heap(fs)};
    cos_table_walk(&walk, fs, COS_FILE_MF);
    while ((result = cos_table_next(&walk, &file, &info)) == COS_OK) {
        const uint32_t end = info.address + cos_file_extent(&info);
        if (end > survey->heap_end) {
            survey->heap_end = end;
        }
        if (file == wanted->parent) {
            survey->parent = true;
            survey->is_df = cos_file_is_df(&info);
        }
        if (file != COS_FILE_MF && info.parent == wanted->parent &&
            (info.fid == wanted->fid || (wanted->sfi != 0 && info.sfi == wanted->sfi))) {
            survey->taken = true;
        }
    }
    survey->free = walk.next;
    return result == COS_E_END_OF_DATA ? COS_OK : result;
}

/* Whether the file may stand in the DF: the MF first, everything else below a DF. */
static enum cos_result check_place(const struct cos_file_info *wanted, const struct survey *survey)
{
    if (survey->free == COS_FILE_MF) {
        COS_CHECK(wanted->fid == 0x3F00, COS_E_FILE_NOT_FOUND);
        return cos_file_is_df(wanted) ? COS_OK : COS_E_DATA;
    }
    COS_CHECK(wanted->fid != 0x3F00, cos_file_is_df(wanted) ? COS_E_FILE_EXISTS : COS_E_DATA);
    COS_CHECK(survey->parent, COS_E_FILE_NOT_FOUND);
    COS_CHECK(survey->is_df, COS_E_FILE_STRUCTURE);
    return survey->taken ? COS_E_FILE_EXISTS : COS_OK;
}

/* A name belongs to one DF only, and to that once. */
static enum cos_result check_names(const struct cos_fs *fs, const struct fcp *fcp)
{
    struct cos_reader reader = cos_reader(fcp->attributes, fcp->info.attributes_length);
    struct cos_tlv name, later;

    while (cos_tlv_next(&reader, &name) == COS_OK) {
        struct cos_reader rest = reader;
        cos_file other;
        if (name.tag != FCP_DF_NAME) {
            continue;
        }
        while (cos_tlv_next(&rest, &later) == COS_OK) {
            COS_CHECK(later.tag != FCP_DF_NAME || later.length != name.length ||
                          memcmp(later.value, name.value, name.length) != 0,
                      COS_E_NAME_EXISTS);
        }
        const enum cos_result result =
            cos_file_find_name(fs, (struct cos_span){name.value, name.length}, true, &other);
        COS_CHECK(result != COS_OK, COS_E_NAME_EXISTS);
        COS_CHECK(result == COS_E_FILE_NOT_FOUND, result);
    }
    return COS_OK;
}

/* Gives the file its extent behind all others: nothing was ever written there, so it reads as 00.
 * Attributes that fit into a page are kept within one, so that they cost one page program. */
static enum cos_result place_extent(const struct cos_fs *fs, const struct survey *survey,
                                    struct cos_file_info *info)
{
    const uint32_t limit = fs->config.start + fs->config.size;
    const uint32_t payload = fs->store->payload;
    const uint32_t left = payload - survey->heap_end % payload;

    info->address = survey->heap_end;
    if (info->attributes_length > left && info->attributes_length <= payload) {
        info->address += left;
    }
    COS_CHECK(survey->free < fs->config.files, COS_E_MEMORY_FULL);
    COS_CHECK(info->address <= limit && cos_file_extent(info) <= limit - info->address,
              COS_E_MEMORY_FULL);
    return COS_OK;
}

/* Everything about a creation but writing it. */
static enum cos_result plan(const struct cos_fs *fs, cos_file parent, struct cos_span value,
                            struct fcp *fcp, cos_file *file)
{
    struct survey survey;

    COS_TRY(cos_fcp_parse(value, fcp));
    fcp->info.parent = parent;
    COS_TRY(survey_table(fs, &fcp->info, &survey));
    COS_TRY(check_place(&fcp->info, &survey));
    if (survey.free == COS_FILE_MF) {
        fcp->info.parent = COS_FILE_MF;
    }
    COS_TRY(check_names(fs, fcp));
    COS_TRY(place_extent(fs, &survey, &fcp->info));
    *file = survey.free;
    return COS_OK;
}

enum cos_result cos_fs_may_create(const struct cos_fs *fs, cos_file parent, struct cos_span value)
{
    struct fcp fcp;
    cos_file file;

    return plan(fs, parent, value, &fcp, &file);
}

enum cos_result cos_fs_create(struct cos_fs *fs, cos_file parent, struct cos_span value,
                              cos_file *file)
{
    struct fcp fcp;
    uint8_t entry[FILE_ENTRY_SIZE];
    cos_file place;

    COS_TRY(plan(fs, parent, value, &fcp, &place));
    cos_table_put(entry, &fcp.info);
    const struct cos_edit edits[] = {
        {cos_table_address(fs, place), entry, sizeof entry},
        {fcp.info.address, fcp.attributes, fcp.info.attributes_length},
    };
    COS_TRY(cos_store_commit(fs->store, edits, 2));
    *file = place;
    return COS_OK;
}
