/* SPDX-License-Identifier: Apache-2.0
 *
 * Deleting, and whatever else may be more than one store transaction: the superblock notes what is
 * to be done, which is the commit point, and then it is done, at the next start if need be. Each
 * step can be done twice.
 */
#include "file.h"
#include "map.h"
#include "walk.h"

static struct cos_edit pending_edit(const struct cos_fs *fs, uint8_t bytes[SUPERBLOCK_PENDING_SIZE],
                                    const struct cos_fs_pending *pending)
{
    cos_pending_put(bytes, pending);
    return (struct cos_edit){
        .address = fs->config.start + SUPERBLOCK_PENDING,
        .data = bytes,
        .length = SUPERBLOCK_PENDING_SIZE,
    };
}

enum cos_result cos_pending_note(struct cos_fs *fs, const struct cos_fs_pending *pending)
{
    uint8_t bytes[SUPERBLOCK_PENDING_SIZE];
    const struct cos_edit edit = pending_edit(fs, bytes, pending);

    COS_TRY(cos_store_commit(fs->store, &edit, 1));
    fs->pending = *pending;
    return COS_OK;
}

enum cos_result cos_content_commit(struct cos_fs *fs, const struct cos_edit *edits, size_t count)
{
    COS_CHECK(fs->pending.kind == COS_FS_NOTHING, COS_E_MEMORY_FAILURE);
    return cos_store_commit(fs->store, edits, count);
}

static enum cos_result note_done(struct cos_fs *fs)
{
    const struct cos_fs_pending nothing = {.kind = COS_FS_NOTHING};

    return cos_pending_note(fs, &nothing);
}

/* ---- Erasing ---- */

static enum cos_result all_zero(const struct cos_fs *fs, uint32_t address, uint32_t length,
                                bool *zero)
{
    uint8_t bytes[16];

    *zero = true;
    for (uint32_t at = 0; at < length && *zero; at += sizeof bytes) {
        const size_t run = length - at < sizeof bytes ? length - at : sizeof bytes;
        COS_TRY(cos_store_read(fs->store, address + at, bytes, run));
        for (size_t i = 0; i < run; i++) {
            *zero = *zero && bytes[i] == 0;
        }
    }
    return COS_OK;
}

/* Page by page; what is 00 already is not written, unless it once was something else. */
static enum cos_result erase_pages(struct cos_fs *fs, uint32_t address, uint32_t length)
{
    while (length > 0) {
        const uint32_t left = fs->store->payload - address % fs->store->payload;
        const uint32_t run = length < left ? length : left;
        bool zero, nothing;
        COS_TRY(all_zero(fs, address, run, &zero));
        COS_TRY(cos_store_leaves_nothing(fs->store, address, &nothing));
        if (!zero || !nothing) {
            const struct cos_edit edit = {.address = address, .length = run, .scrub = true};
            COS_TRY(cos_store_commit(fs->store, &edit, 1));
        }
        address += run;
        length -= run;
    }
    return COS_OK;
}

static enum cos_result carry_on_erasing(struct cos_fs *fs)
{
    COS_TRY(erase_pages(fs, fs->pending.address, fs->pending.length));
    return note_done(fs);
}

enum cos_result cos_erase_range(struct cos_fs *fs, const struct cos_edit *with, size_t count,
                                uint32_t address, uint32_t length)
{
    const struct cos_fs_pending erasing = {
        .kind = COS_FS_ERASING, .address = address, .length = length};
    struct cos_edit edits[ERASE_WITH + 1];
    uint8_t noted[SUPERBLOCK_PENDING_SIZE];

    COS_CHECK(fs->pending.kind == COS_FS_NOTHING, COS_E_MEMORY_FAILURE);
    COS_INVARIANT(count <= ERASE_WITH);
    for (size_t i = 0; i < count; i++) {
        edits[i] = with[i];
    }
    edits[count] = (struct cos_edit){.address = address, .length = length, .scrub = true};
    const enum cos_result result = cos_store_commit(fs->store, edits, count + 1);
    COS_CHECK(result == COS_E_MEMORY_FULL, result);
    edits[count] = pending_edit(fs, noted, &erasing);
    COS_TRY(cos_store_commit(fs->store, edits, count + 1));
    fs->pending = erasing;
    return carry_on_erasing(fs);
}

/* Run by run, of which the directory and the header of the EF tell the same as before. */
static enum cos_result carry_on_erasing_records(struct cos_fs *fs)
{
    struct cos_file_info info;
    struct cos_record run;
    unsigned number = fs->pending.address;

    COS_TRY(cos_table_must(fs, fs->pending.file, &info));
    while (number <= fs->pending.length) {
        COS_TRY(cos_record_run(fs, &info, &number, fs->pending.length, &run));
        COS_TRY(erase_pages(fs, run.address, run.length));
    }
    return note_done(fs);
}

/* In one transaction if they are few runs. */
COS_OWN_FRAME static enum cos_result erase_runs(struct cos_fs *fs, const struct cos_file_info *info,
                                                unsigned first, unsigned last)
{
    struct cos_edit edits[8];
    struct cos_record run;
    size_t count = 0;

    while (first <=
           last) { /* to the end: what is wrong with a record is known before any is gone */
        COS_TRY(cos_record_run(fs, info, &first, last, &run));
        if (count < sizeof edits / sizeof edits[0]) {
            edits[count] =
                (struct cos_edit){.address = run.address, .length = run.length, .scrub = true};
        }
        count += run.length != 0;
    }
    COS_CHECK(count <= sizeof edits / sizeof edits[0], COS_E_MEMORY_FULL);
    return count == 0 ? COS_OK : cos_store_commit(fs->store, edits, count);
}

enum cos_result cos_erase_records(struct cos_fs *fs, const struct cos_file_info *info,
                                  unsigned first, unsigned last)
{
    struct cos_fs_pending erasing = {
        .kind = COS_FS_ERASING_RECORDS, .address = first, .length = last};

    COS_CHECK(fs->pending.kind == COS_FS_NOTHING, COS_E_MEMORY_FAILURE);
    const enum cos_result result = erase_runs(fs, info, first, last);
    COS_CHECK(result == COS_E_MEMORY_FULL, result);
    COS_TRY(cos_table_find(fs, info->parent, info->fid, &erasing.file));
    COS_TRY(cos_pending_note(fs, &erasing));
    return carry_on_erasing_records(fs);
}

/* ---- Removing ---- */

/* What a file has outside of the file table, as edits that set it to 00: its extent, its place in
 * the map of SFIs, its names. */
static enum cos_result list_bytes(const struct cos_fs *fs, cos_file file,
                                  const struct cos_file_info *info, struct cos_edit *edits,
                                  size_t *count)
{
    uint32_t names[COS_FS_NAMES_MAX];
    unsigned name_count = 0;

    edits[(*count)++] =
        (struct cos_edit){.address = info->address, .length = cos_file_extent(info), .scrub = true};
    if (info->sfi != 0) {
        struct cos_file_info df;
        COS_TRY(cos_table_parent(fs, info, &df));
        const uint32_t at = cos_file_sfi_map(&df) + 2U * (info->sfi - 1U);
        edits[(*count)++] = (struct cos_edit){.address = at, .length = 2};
    }
    if (cos_file_is_df(info)) {
        COS_TRY(cos_name_of(fs, file, &name_count, names));
    }
    for (unsigned i = 0; i < name_count; i++) {
        edits[(*count)++] = (struct cos_edit){.address = names[i], .length = NAME_ENTRY_SIZE};
    }
    return COS_OK;
}

/* Frees a file in one transaction: entry and link to it, if not `emptied` SFI, names and all of its
 * extent, and if `last` the note in the superblock. COS_E_MEMORY_FULL: that is too much for one. */
static enum cos_result free_file(struct cos_fs *fs, cos_file file, const struct cos_file_info *info,
                                 bool emptied, bool last)
{
    static const struct cos_fs_pending nothing = {.kind = COS_FS_NOTHING};
    struct cos_edit edits[5 + COS_FS_NAMES_MAX];
    uint8_t next[2], noted[SUPERBLOCK_PENDING_SIZE];
    struct table_place place;
    size_t count = 0;

    COS_TRY(cos_table_place(fs, file, info, &place));
    cos_put16(next, place.next);
    edits[count++] =
        (struct cos_edit){.address = cos_table_address(fs, file), .length = FILE_ENTRY_SIZE};
    if (place.link != 0) {
        edits[count++] =
            (struct cos_edit){.address = place.link, .data = next, .length = sizeof next};
    }
    if (!emptied) {
        COS_TRY(list_bytes(fs, file, info, edits, &count));
    }
    if (last && fs->pending.kind != COS_FS_NOTHING) {
        edits[count++] = pending_edit(fs, noted, &nothing);
    }
    COS_TRY(cos_store_commit(fs->store, edits, count));
    if (last) {
        fs->pending = nothing;
    }
    return COS_OK;
}

/* Frees an EF with nothing pending. A file that stands elsewhere because this page was full comes
 * home into its entry, in the same transaction: else each file that is replaced would leave one
 * more to be looked for in the chain. */
COS_OWN_FRAME static enum cos_result free_for_heir(struct cos_fs *fs, cos_file file,
                                                   const struct cos_file_info *info)
{
    uint8_t entry[FILE_ENTRY_SIZE], next[FILE_LINK_SIZE];
    struct table_place heir;

    COS_TRY(cos_table_heir(fs, file, info, &heir, entry));
    cos_put16(next, heir.next);
    const struct cos_edit edits[] = {
        {.address = info->address, .length = cos_file_extent(info), .scrub = true},
        {.address = cos_table_address(fs, file), .data = entry, .length = sizeof entry},
        {.address = heir.link, .data = next, .length = sizeof next},
        {.address = cos_table_address(fs, heir.file), .length = FILE_ENTRY_SIZE},
    };
    return cos_store_commit(fs->store, edits, sizeof edits / sizeof edits[0]);
}

/* Sets all that a file has outside of the table to 00. */
COS_OWN_FRAME static enum cos_result empty_file(struct cos_fs *fs, cos_file file,
                                                const struct cos_file_info *info)
{
    struct cos_edit edits[2 + COS_FS_NAMES_MAX];
    size_t count = 0;

    COS_TRY(list_bytes(fs, file, info, edits, &count));
    for (size_t i = 0; i < count; i++) {
        COS_TRY(erase_pages(fs, edits[i].address, edits[i].length));
    }
    return COS_OK;
}

/* Frees a file of any size, when the superblock says that it goes. */
static enum cos_result free_large(struct cos_fs *fs, cos_file file,
                                  const struct cos_file_info *info, bool last)
{
    const enum cos_result result = free_file(fs, file, info, false, last);

    COS_CHECK(result == COS_E_MEMORY_FULL, result);
    COS_TRY(empty_file(fs, file, info));
    return free_file(fs, file, info, true, last);
}

/* How deep the tree below a DF is; and frees the files that stand `depth` below it, if that is not
 * 0. */
static enum cos_result each_below(struct cos_fs *fs, cos_file df, unsigned depth, unsigned *deepest)
{
    struct table_walk walk;
    struct cos_file_info info;
    cos_file file;
    enum cos_result result;

    *deepest = 0;
    cos_walk(&walk, fs, 0, cos_table_entries(fs));
    while ((result = cos_walk_file(&walk, &file, &info)) == COS_OK) {
        unsigned at = 0;
        if (file != df) {
            COS_TRY(cos_table_depth(fs, &info, df, &at));
        }
        *deepest = at > *deepest ? at : *deepest;
        if (depth != 0 && at == depth) {
            COS_TRY(free_large(fs, file, &info, false));
        }
    }
    return result == COS_E_END_OF_DATA ? COS_OK : result;
}

/* The deepest first, so that each file's way up stays until it is freed. */
static enum cos_result carry_on_removing(struct cos_fs *fs)
{
    const cos_file file = fs->pending.file;
    struct cos_file_info info;

    COS_TRY(cos_table_must(fs, file, &info));
    if (cos_file_is_df(&info)) {
        unsigned deepest, ignored;
        COS_TRY(each_below(fs, file, 0, &deepest));
        for (; deepest > 0; deepest--) {
            COS_TRY(each_below(fs, file, deepest, &ignored));
        }
    }
    return free_large(fs, file, &info, true);
}

enum cos_result cos_pending_carry_on(struct cos_fs *fs)
{
    switch (fs->pending.kind) {
    case COS_FS_ERASING:
        return carry_on_erasing(fs);
    case COS_FS_ERASING_RECORDS:
        return carry_on_erasing_records(fs);
    case COS_FS_REMOVING:
        return carry_on_removing(fs);
    default:
        return COS_OK;
    }
}

/* Removes a file, whatever is pending for it: at once if it is small and alone. */
static enum cos_result remove_file(struct cos_fs *fs, cos_file file)
{
    const struct cos_fs_pending removing = {.kind = COS_FS_REMOVING, .file = file};
    struct cos_file_info info;
    unsigned deepest = 0;

    COS_TRY(cos_table_must(fs, file, &info));
    if (cos_file_is_df(&info)) {
        COS_TRY(each_below(fs, file, 0, &deepest));
    }
    if (deepest == 0) {
        const enum cos_result result = free_file(fs, file, &info, false, true);
        COS_CHECK(result == COS_E_MEMORY_FULL, result);
    }
    COS_TRY(cos_pending_note(fs, &removing));
    return cos_pending_carry_on(fs);
}

static enum cos_result may_delete(const struct cos_fs *fs, cos_file file,
                                  struct cos_file_info *info)
{
    COS_CHECK(fs->pending.kind == COS_FS_NOTHING, COS_E_MEMORY_FAILURE);
    COS_TRY(cos_fs_info(fs, file, info));
    return file != COS_FILE_MF ? COS_OK : COS_E_CONDITIONS;
}

enum cos_result cos_fs_delete(struct cos_fs *fs, cos_file file)
{
    struct cos_file_info info;

    COS_TRY(may_delete(fs, file, &info));
    const enum cos_result result = free_for_heir(fs, file, &info);
    return result == COS_E_FILE_NOT_FOUND || result == COS_E_MEMORY_FULL ? remove_file(fs, file)
                                                                         : result;
}

/* ---- Changes that the security chip commits ---- */

enum cos_result cos_fs_prepare_delete(struct cos_fs *fs, cos_file file, uint32_t transaction)
{
    const struct cos_fs_pending pending = {
        .kind = COS_FS_PREPARED_DELETE, .file = file, .transaction = transaction};
    struct cos_file_info info;

    COS_TRY(may_delete(fs, file, &info));
    return cos_pending_note(fs, &pending);
}

bool cos_fs_prepared(const struct cos_fs *fs, uint32_t *transaction)
{
    *transaction = fs->pending.transaction;
    return fs->pending.kind == COS_FS_PREPARED_CREATE || fs->pending.kind == COS_FS_PREPARED_DELETE;
}

enum cos_result cos_fs_finish(struct cos_fs *fs, bool committed)
{
    uint32_t transaction;

    COS_CHECK(cos_fs_prepared(fs, &transaction), COS_E_CONDITIONS);
    const bool stays = committed == (fs->pending.kind == COS_FS_PREPARED_CREATE);
    return stays ? note_done(fs) : remove_file(fs, fs->pending.file);
}
