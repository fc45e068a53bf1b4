/* SPDX-License-Identifier: Apache-2.0
 *
 * Files: attributes, transparent content, creation, life cycle.
 */
#include "file.h"

/* ---- Transparent content ---- */

/* Whether a run of bytes lies in a transparent EF that has bytes of its own, and where in the
 * store. */
static enum cos_result locate(const struct cos_file_info *info, uint32_t offset, size_t length,
                              uint32_t *address)
{
    COS_CHECK((info->fdb & COS_FDB_KIND) == COS_FDB_TRANSPARENT &&
                  info->source == COS_FS_SOURCE_CONTENT,
              COS_E_FILE_STRUCTURE);
    COS_CHECK(offset <= info->size && length <= info->size - offset, COS_E_OFFSET);
    *address = cos_file_content(info) + offset;
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
    return cos_content_commit(fs, &edit, 1);
}

enum cos_result cos_fs_erase(struct cos_fs *fs, const struct cos_file_info *info, uint32_t offset,
                             uint32_t length)
{
    uint32_t address;

    COS_TRY(locate(info, offset, length, &address));
    return cos_erase_range(fs, NULL, 0, address, length);
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

/* A file to be created, all decided but nothing written. */
struct plan {
    struct fcp fcp;
    struct table_place place;
    uint32_t sfi_at;     /* address in its DF's map of SFIs, if it has one */
    unsigned name_count; /* and their entries in the name table */
    struct cos_span names[COS_FS_NAMES_MAX];
    uint32_t name_at[COS_FS_NAMES_MAX];
};

/* The MF comes first, everything else stands below a DF, and not too deep. */
static enum cos_result plan_place(const struct cos_fs *fs, cos_file parent, struct plan *plan,
                                  struct cos_file_info *df)
{
    struct cos_file_info *info = &plan->fcp.info;
    const bool is_mf = info->fid == 0x3F00;
    enum cos_result result = cos_fs_info(fs, COS_FILE_MF, df);
    unsigned depth;

    if (result == COS_E_FILE_NOT_FOUND) {
        COS_CHECK(is_mf, COS_E_FILE_NOT_FOUND);
        COS_CHECK(cos_file_is_df(info), COS_E_DATA);
        info->parent = COS_FILE_MF;
        plan->place = (struct table_place){.file = COS_FILE_MF};
        return COS_OK;
    }
    COS_TRY(result);
    COS_CHECK(!is_mf, cos_file_is_df(info) ? COS_E_FILE_EXISTS : COS_E_DATA);
    COS_TRY(cos_fs_info(fs, parent, df));
    COS_CHECK(cos_file_is_df(df), COS_E_FILE_STRUCTURE);
    info->parent = parent;
    result = cos_table_find(fs, parent, info->fid, &plan->place.file);
    COS_CHECK(result == COS_E_FILE_NOT_FOUND, result == COS_OK ? COS_E_FILE_EXISTS : result);
    COS_TRY(cos_table_room(fs, parent, info->fid, &plan->place));
    COS_TRY(cos_table_depth(fs, info, COS_FILE_MF, &depth));
    return depth > COS_FS_DEPTH_MAX && cos_file_is_df(info) ? COS_E_MEMORY_FULL : COS_OK;
}

/* An SFI that 88 gives must be free; the one that follows from the FID (7.4.3) is given if it is.
 */
static enum cos_result plan_sfi(const struct cos_fs *fs, const struct cos_file_info *df,
                                struct plan *plan)
{
    struct cos_file_info *info = &plan->fcp.info;
    uint8_t taken[2];

    if (!plan->fcp.sfi_given && !cos_file_is_df(info)) {
        info->sfi = info->fid & 0x1FU;
        info->sfi = info->sfi <= COS_FS_SFI_MAX ? info->sfi : 0;
    }
    if (info->sfi == 0) {
        return COS_OK;
    }
    plan->sfi_at = cos_file_sfi_map(df) + 2U * (info->sfi - 1U);
    COS_TRY(cos_store_read(fs->store, plan->sfi_at, taken, sizeof taken));
    if (cos_get16(taken) != 0) {
        COS_CHECK(!plan->fcp.sfi_given, COS_E_FILE_EXISTS);
        info->sfi = 0;
    }
    return COS_OK;
}

static bool same_span(struct cos_span a, struct cos_span b)
{
    return a.length == b.length && memcmp(a.data, b.data, a.length) == 0;
}

/* A name belongs to one DF only, and to that once. */
static enum cos_result plan_names(const struct cos_fs *fs, struct plan *plan)
{
    struct cos_reader reader = cos_reader(plan->fcp.attributes, plan->fcp.info.attributes_length);
    struct cos_tlv tlv;

    plan->name_count = 0;
    while (cos_tlv_next(&reader, &tlv) == COS_OK) {
        const struct cos_span name = {tlv.value, tlv.length};
        cos_file other;
        if (tlv.tag != FCP_DF_NAME) {
            continue;
        }
        for (unsigned i = 0; i < plan->name_count; i++) {
            COS_CHECK(!same_span(name, plan->names[i]), COS_E_NAME_EXISTS);
        }
        const enum cos_result result = cos_name_find(fs, name, &other);
        COS_CHECK(result == COS_E_FILE_NOT_FOUND, result == COS_OK ? COS_E_NAME_EXISTS : result);
        COS_CHECK(plan->name_count < COS_FS_NAMES_MAX, COS_E_MEMORY_FULL);
        plan->names[plan->name_count++] = name;
    }
    return cos_name_free(fs, plan->name_count, plan->name_at);
}

/* Everything about a creation but writing it. */
static enum cos_result make_plan(struct cos_fs *fs, cos_file parent, struct cos_span value,
                                 uint16_t vault, struct plan *plan)
{
    struct cos_file_info df;

    COS_CHECK(fs->pending.kind == COS_FS_NOTHING, COS_E_MEMORY_FAILURE);
    COS_TRY(cos_fcp_parse(value, &plan->fcp));
    plan->fcp.info.vault = vault;
    COS_TRY(plan_place(fs, parent, plan, &df));
    if (plan->place.file != COS_FILE_MF) {
        COS_TRY(plan_sfi(fs, &df, plan));
    }
    COS_TRY(plan_names(fs, plan));
    return cos_heap_place(fs, &plan->fcp.info);
}

/* Entry, link to it, attributes, header of the content, map of SFIs, names, and what the superblock
 * notes. */
enum { CREATE_EDITS = 6 + COS_FS_NAMES_MAX };

COS_OWN_FRAME static enum cos_result carry_out(struct cos_fs *fs, const struct plan *plan,
                                               const struct cos_fs_pending *pending)
{
    const struct cos_file_info *info = &plan->fcp.info;
    uint8_t entry[FILE_ENTRY_SIZE], header[CONTENT_HEADER], number[2];
    uint8_t noted[SUPERBLOCK_PENDING_SIZE], names[COS_FS_NAMES_MAX][NAME_ENTRY_SIZE];
    struct cos_edit edits[CREATE_EDITS];
    size_t count = 0;

    cos_table_put(entry, info);
    cos_content_header(info, plan->fcp.records, header);
    cos_put16(entry + FILE_ENTRY_INFO, plan->place.next);
    cos_put16(number, plan->place.file);
    cos_pending_put(noted, pending);
    edits[count++] = (struct cos_edit){
        .address = cos_table_address(fs, plan->place.file), .data = entry, .length = sizeof entry};
    if (plan->place.link != 0) {
        edits[count++] =
            (struct cos_edit){.address = plan->place.link, .data = number, .length = sizeof number};
    }
    edits[count++] = (struct cos_edit){
        .address = info->address, .data = plan->fcp.attributes, .length = info->attributes_length};
    if (info->source == COS_FS_SOURCE_CONTENT && plan->fcp.records != 0) {
        edits[count++] = (struct cos_edit){
            .address = cos_file_content(info), .data = header, .length = sizeof header};
    }
    if (info->sfi != 0) {
        edits[count++] =
            (struct cos_edit){.address = plan->sfi_at, .data = number, .length = sizeof number};
    }
    for (unsigned i = 0; i < plan->name_count; i++) {
        cos_name_put(names[i], plan->names[i], plan->place.file);
        edits[count++] = (struct cos_edit){
            .address = plan->name_at[i], .data = names[i], .length = NAME_ENTRY_SIZE};
    }
    if (pending->kind != COS_FS_NOTHING) {
        edits[count++] = (struct cos_edit){.address = fs->config.start + SUPERBLOCK_PENDING,
                                           .data = noted,
                                           .length = sizeof noted};
    }
    COS_TRY(cos_store_commit(fs->store, edits, count));
    fs->pending = *pending;
    const uint32_t end = info->address + cos_file_extent(info);
    fs->heap_top = end > fs->heap_top ? end : fs->heap_top;
    return COS_OK;
}

enum cos_result cos_fs_may_create(struct cos_fs *fs, cos_file parent, struct cos_span fcp,
                                  struct cos_file_info *info)
{
    struct plan plan;

    COS_TRY(make_plan(fs, parent, fcp, 0, &plan));
    *info = plan.fcp.info;
    return COS_OK;
}

static enum cos_result create(struct cos_fs *fs, cos_file parent, struct cos_span fcp,
                              uint16_t vault, uint32_t transaction, cos_file *file)
{
    struct cos_fs_pending pending = {.kind = COS_FS_NOTHING};
    struct plan plan;

    COS_TRY(make_plan(fs, parent, fcp, vault, &plan));
    COS_CHECK((plan.fcp.info.source == COS_FS_SOURCE_VAULT) == (vault != 0), COS_E_CONDITIONS);
    if (vault != 0) {
        pending = (struct cos_fs_pending){
            .kind = COS_FS_PREPARED_CREATE, .file = plan.place.file, .transaction = transaction};
    }
    COS_TRY(carry_out(fs, &plan, &pending));
    *file = plan.place.file;
    return COS_OK;
}

enum cos_result cos_fs_create(struct cos_fs *fs, cos_file parent, struct cos_span fcp,
                              cos_file *file)
{
    return create(fs, parent, fcp, 0, 0, file);
}

enum cos_result cos_fs_prepare_create(struct cos_fs *fs, cos_file parent, struct cos_span fcp,
                                      uint16_t vault, uint32_t transaction, cos_file *file)
{
    COS_CHECK(vault != 0, COS_E_CONDITIONS);
    return create(fs, parent, fcp, vault, transaction, file);
}

/* ---- Life cycle ---- */

enum cos_result cos_fs_set_life_cycle(struct cos_fs *fs, cos_file file, uint8_t status)
{
    struct cos_file_info info;
    uint8_t entry[FILE_ENTRY_INFO];

    COS_CHECK(fs->pending.kind == COS_FS_NOTHING, COS_E_MEMORY_FAILURE);
    COS_TRY(cos_fs_info(fs, file, &info));
    info.life_cycle_status = status;
    cos_table_put(entry, &info);
    const struct cos_edit edit = {
        .address = cos_table_address(fs, file), .data = entry, .length = sizeof entry};
    return cos_store_commit(fs->store, &edit, 1);
}
