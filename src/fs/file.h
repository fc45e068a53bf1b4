/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the file layer share: the file table and the FCP template of CREATE FILE. The
 * bytes are fixed in docs/formats.md, "Files".
 */
#ifndef COS_FS_FILE_H
#define COS_FS_FILE_H

#include "cos/fs.h"

#define FILE_ENTRY_SIZE  24U
#define FILE_SIZE_MAX    32767U /* bytes of content: offsets in P1-P2 have 15 bits */
#define FILE_RECORDS_MAX 254U   /* record numbers 01 to FE, ISO/IEC 7816-4:2013, 7.3.1 */
#define FILE_SFI_MAX     30U

/* Data objects of an FCP template (ISO/IEC 7816-4:2013, table 10) that this version knows. */
enum fcp_tag {
    FCP_SIZE = 0x80,
    FCP_TOTAL_SIZE = 0x81,
    FCP_DESCRIPTOR = 0x82,
    FCP_FID = 0x83,
    FCP_DF_NAME = 0x84,
    FCP_PROPRIETARY = 0x85,
    FCP_SFI = 0x88,
    FCP_LIFE_CYCLE_STATUS = 0x8A,
    FCP_SECURITY_COMPACT = 0x8C,
    FCP_PROPRIETARY_TEMPLATE = 0xA5,
};

/* ---- The table ---- */

/* The table is read from its beginning to its first free entry, a few entries at a time. */
#define TABLE_WALK_ENTRIES 3U

struct table_walk {
    const struct cos_fs *fs;
    cos_file next;
    uint16_t loaded; /* entries in the buffer that are still to come */
    uint8_t *at;     /* the first of them */
    uint8_t buffer[TABLE_WALK_ENTRIES * FILE_ENTRY_SIZE];
};

/* Begins a walk with the entry of `first`. */
void cos_table_walk(struct table_walk *walk, const struct cos_fs *fs, cos_file first);

/* The next file. COS_E_END_OF_DATA: no more, walk->next is the free entry or the table's size;
 * COS_E_STORE_DAMAGED: an entry that this version would not have written. */
enum cos_result cos_table_next(struct table_walk *walk, cos_file *file, struct cos_file_info *info);

/* Where an entry lies, and where the heap begins, in the store's logical space. */
uint32_t cos_table_address(const struct cos_fs *fs, cos_file file);
uint32_t cos_table_heap(const struct cos_fs *fs);

void cos_table_put(uint8_t entry[FILE_ENTRY_SIZE], const struct cos_file_info *info);

/* Bytes of the heap that a file takes: attributes, and its content if that is its own. */
uint32_t cos_file_extent(const struct cos_file_info *info);

/* The first DF one of whose names begins with `name`, or, if `whole`, is it. */
enum cos_result cos_file_find_name(const struct cos_fs *fs, struct cos_span name, bool whole,
                                   cos_file *file);

/* ---- FCP of CREATE FILE ---- */

struct fcp {
    struct cos_file_info info; /* all but parent and address */
    uint8_t attributes[COS_FS_ATTRIBUTES_MAX];
};

/* Parses and checks the value of a template 62 as far as it can be judged without the other files.
 * COS_E_DATA, COS_E_FUNCTION, COS_E_MEMORY_FULL (more attributes than a file may have). */
enum cos_result cos_fcp_parse(struct cos_span value, struct fcp *fcp);

#endif
