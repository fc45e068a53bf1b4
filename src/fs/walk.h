/* SPDX-License-Identifier: Apache-2.0
 *
 * Walking over the entries of the file table, a few at a time (table.c).
 */
#ifndef COS_FS_WALK_H
#define COS_FS_WALK_H

#include "file.h"

#define TABLE_WALK_ENTRIES 4U

struct table_walk {
    const struct cos_fs *fs;
    uint32_t next, end; /* entries still to come, counted from 0 */
    uint16_t loaded;    /* of these, how many are in the buffer */
    const uint8_t *at;  /* the first of them */
    uint8_t buffer[TABLE_WALK_ENTRIES * FILE_ENTRY_SIZE];
};

/* Begins a walk over `count` entries from `first`. */
void cos_walk(struct table_walk *walk, const struct cos_fs *fs, uint32_t first, uint32_t count);
/* The next entry as it is. COS_E_END_OF_DATA. */
enum cos_result cos_walk_next(struct table_walk *walk, cos_file *file, const uint8_t **entry);
/* The next file, hidden ones included. COS_E_END_OF_DATA; COS_E_STORE_DAMAGED. */
enum cos_result cos_walk_file(struct table_walk *walk, cos_file *file, struct cos_file_info *info);

/* Whether the entry is a file's; and decoding it. */
bool cos_table_is_file(const uint8_t entry[FILE_ENTRY_SIZE]);
enum cos_result cos_table_get(const struct cos_fs *fs, cos_file file,
                              const uint8_t entry[FILE_ENTRY_SIZE], struct cos_file_info *info);

#endif
