/* SPDX-License-Identifier: Apache-2.0
 *
 * DF names (ISO/IEC 7816-4:2013, 7.2.2): a table of their own, so that selecting by name does not
 * go through all files.
 */
#include "file.h"

/* Offsets in an entry. */
enum {
    AT_FILE = 0, /* place in the file table + 1; 0 = the entry is free */
    AT_LENGTH = 2,
    AT_NAME = 4,
};

static uint32_t entry_address(const struct cos_fs *fs, unsigned index)
{
    return (fs->names_page + (uint32_t)index / fs->names_per_page) * fs->store->payload +
           (uint32_t)index % fs->names_per_page * NAME_ENTRY_SIZE;
}

/* One name. file: COS_FILE_NONE if the entry is free. */
struct name {
    cos_file file;
    uint8_t length;
    uint8_t bytes[COS_FS_NAME_MAX];
};

static enum cos_result read_name(const struct cos_fs *fs, unsigned index, struct name *name)
{
    uint8_t entry[NAME_ENTRY_SIZE];

    COS_TRY(cos_store_read(fs->store, entry_address(fs, index), entry, sizeof entry));
    name->file = (cos_file)(cos_get16(entry + AT_FILE) - 1U); /* 0 - 1: COS_FILE_NONE */
    name->length = entry[AT_LENGTH];
    memcpy(name->bytes, entry + AT_NAME, COS_FS_NAME_MAX);
    COS_CHECK(name->file == COS_FILE_NONE ? name->length == 0
                                          : name->length > 0 && name->length <= COS_FS_NAME_MAX &&
                                                name->file <= cos_table_entries(fs),
              COS_E_STORE_DAMAGED);
    return COS_OK;
}

void cos_name_put(uint8_t entry[NAME_ENTRY_SIZE], struct cos_span name, cos_file file)
{
    memset(entry, 0, NAME_ENTRY_SIZE);
    cos_put16(entry + AT_FILE, (uint16_t)(file + 1U));
    entry[AT_LENGTH] = (uint8_t)name.length;
    memcpy(entry + AT_NAME, name.data, name.length);
}

static bool matches(const struct cos_fs *fs, const struct name *name, struct cos_span wanted)
{
    return name->file != COS_FILE_NONE && name->length >= wanted.length &&
           memcmp(name->bytes, wanted.data, wanted.length) == 0 &&
           !cos_file_is_hidden(fs, name->file);
}

enum cos_result cos_name_find(const struct cos_fs *fs, struct cos_span wanted, cos_file *file)
{
    struct name name;

    for (unsigned index = 0; index < fs->config.names; index++) {
        COS_TRY(read_name(fs, index, &name));
        if (name.length == wanted.length && matches(fs, &name, wanted)) {
            *file = name.file;
            return COS_OK;
        }
    }
    return COS_E_FILE_NOT_FOUND;
}

/* Whether an entry before `index` has a matching name of the same file: each DF stands once. */
static enum cos_result seen_before(const struct cos_fs *fs, unsigned index, cos_file file,
                                   struct cos_span wanted, bool *seen)
{
    struct name name;

    *seen = false;
    for (unsigned i = 0; i < index && !*seen; i++) {
        COS_TRY(read_name(fs, i, &name));
        *seen = name.file == file && matches(fs, &name, wanted);
    }
    return COS_OK;
}

/* Only DFs have names. */
static enum cos_result named(const struct cos_fs *fs, cos_file found, cos_file *file)
{
    struct cos_file_info info;

    COS_TRY(cos_table_must(fs, found, &info));
    COS_CHECK(cos_file_is_df(&info), COS_E_STORE_DAMAGED);
    *file = found;
    return COS_OK;
}

enum cos_result cos_fs_find_name(const struct cos_fs *fs, struct cos_span wanted,
                                 enum cos_occurrence occurrence, cos_file current, cos_file *file)
{
    cos_file first = COS_FILE_NONE, last = COS_FILE_NONE, before = COS_FILE_NONE;
    cos_file behind = COS_FILE_NONE, found;
    bool passed = false; /* the current DF stands among those that match, and was met */

    COS_CHECK(wanted.length > 0 && wanted.length <= COS_FS_NAME_MAX, COS_E_FILE_NOT_FOUND);
    for (unsigned index = 0; index < fs->config.names; index++) {
        struct name name;
        bool seen;
        COS_TRY(read_name(fs, index, &name));
        if (!matches(fs, &name, wanted)) {
            continue;
        }
        COS_TRY(seen_before(fs, index, name.file, wanted, &seen));
        if (seen) {
            continue;
        }
        if (name.file == current) {
            passed = true;
            before = last;
        } else if (passed && behind == COS_FILE_NONE) {
            behind = name.file;
        }
        first = first == COS_FILE_NONE ? name.file : first;
        last = name.file;
        if (occurrence == COS_OCCURRENCE_FIRST) {
            break;
        }
    }
    switch (occurrence) {
    case COS_OCCURRENCE_FIRST:
        found = first;
        break;
    case COS_OCCURRENCE_LAST:
        found = last;
        break;
    case COS_OCCURRENCE_NEXT:
        found = passed ? behind : first;
        break;
    default:
        found = passed ? before : last;
        break;
    }
    return found != COS_FILE_NONE ? named(fs, found, file) : COS_E_FILE_NOT_FOUND;
}

enum cos_result cos_name_free(const struct cos_fs *fs, unsigned count,
                              uint32_t addresses[COS_FS_NAMES_MAX])
{
    unsigned found = 0;

    for (unsigned index = 0; index < fs->config.names && found < count; index++) {
        struct name name;
        COS_TRY(read_name(fs, index, &name));
        if (name.file == COS_FILE_NONE) {
            addresses[found++] = entry_address(fs, index);
        }
    }
    return found == count ? COS_OK : COS_E_MEMORY_FULL;
}

enum cos_result cos_name_of(const struct cos_fs *fs, cos_file file, unsigned *count,
                            uint32_t addresses[COS_FS_NAMES_MAX])
{
    *count = 0;
    for (unsigned index = 0; index < fs->config.names; index++) {
        struct name name;
        COS_TRY(read_name(fs, index, &name));
        if (name.file == file) {
            COS_CHECK(*count < COS_FS_NAMES_MAX, COS_E_STORE_DAMAGED);
            addresses[(*count)++] = entry_address(fs, index);
        }
    }
    return COS_OK;
}
