/* SPDX-License-Identifier: Apache-2.0
 *
 * Files on the atomic store: MF, DFs, transparent and linear fixed EFs (ISO/IEC 7816-4:2013, 5.3;
 * 7816-9). This layer knows structure and rules' text, not who asks: whoever calls has asked the
 * secure domain before. Every change is one store transaction.
 */
#ifndef COS_FS_H
#define COS_FS_H

#include "cos/store.h"
#include "cos/tlv.h"

/* Where the file system lives in the store's logical space, and how many files it can have. Fixed
 * for the image's life. */
struct cos_fs_config {
    uint32_t start;
    uint32_t size;
    uint16_t files; /* entries of the file table, MF included; at most 4,096 */
};

struct cos_fs {
    struct cos_store *store;
    struct cos_fs_config config;
};

/* A file is named by its place in the file table. The MF is file 0. */
typedef uint16_t cos_file;
#define COS_FILE_MF   ((cos_file)0)
#define COS_FILE_NONE ((cos_file)0xFFFF)

/* File descriptor byte, ISO/IEC 7816-4:2013, table 12 (b7 shareable is kept and reported, nothing
 * else). */
#define COS_FDB_KIND         0xBFU /* all but the shareable bit */
#define COS_FDB_DF           0x38U
#define COS_FDB_TRANSPARENT  0x01U
#define COS_FDB_LINEAR_FIXED 0x02U

/* Life-cycle status byte, ISO/IEC 7816-4:2013, table 14. */
#define COS_LCS_CREATION       0x01U
#define COS_LCS_INITIALISATION 0x03U
#define COS_LCS_ACTIVATED      0x05U

/* Where an EF's content comes from. */
enum cos_fs_source {
    COS_FS_SOURCE_CONTENT = 0, /* its own bytes */
    COS_FS_SOURCE_PRODUCTION =
        1, /* the production record, asked from the security chip at each reading */
};

#define COS_FS_ATTRIBUTES_MAX                                                                      \
    64U /* bytes of names, rule and proprietary objects of one file, as BER-TLV */
#define COS_FS_NAME_MAX 16U
#define COS_FS_PATH_MAX 8U /* file identifiers in a path */

/* What the file table says of a file. */
struct cos_file_info {
    uint16_t fid;
    cos_file parent; /* the MF is its own parent */
    uint8_t fdb, dcb;
    uint8_t sfi; /* 0 = none */
    uint8_t life_cycle_status;
    uint8_t source; /* enum cos_fs_source */
    uint8_t attributes_length;
    uint16_t record_size, record_count; /* linear fixed; else 0 */
    uint32_t size;                      /* bytes of content: 80 */
    uint32_t address;                   /* in the store: attributes, then content */
};

static inline bool cos_file_is_df(const struct cos_file_info *info)
{
    return (info->fdb & COS_FDB_KIND) == COS_FDB_DF;
}

/* Opens the file system. COS_OK; COS_E_STORE_BLANK if there is none yet: cos_fs_format() makes one
 * (one page program); COS_E_STORE_DAMAGED if it is of another version or size. */
enum cos_result cos_fs_mount(struct cos_fs *fs, struct cos_store *store,
                             const struct cos_fs_config *config);
enum cos_result cos_fs_format(struct cos_fs *fs);

/* Reads a table entry. COS_E_FILE_NOT_FOUND: the entry is empty or outside the table. */
enum cos_result cos_fs_info(const struct cos_fs *fs, cos_file file, struct cos_file_info *info);

/* Finding. All: COS_OK and *file, or COS_E_FILE_NOT_FOUND. */
enum cos_result cos_fs_find_child(const struct cos_fs *fs, cos_file df, uint16_t fid,
                                  cos_file *file);
enum cos_result cos_fs_find_sfi(const struct cos_fs *fs, cos_file df, uint8_t sfi, cos_file *file);
/* By file identifier in the order of ISO/IEC 7816-4:2013, 11.1.1 as docs/commands.md fixes it:
 * children of the current DF, the current DF, its parent, siblings of the current DF (its parent's
 * children), the MF. 3F00 is always the MF. */
enum cos_result cos_fs_find_fid(const struct cos_fs *fs, cos_file current_df, uint16_t fid,
                                cos_file *file);
/* By path, 2 bytes a step, each step a child; a first step 3F00 (from the MF) or 3FFF (current DF)
 * stands for `from` itself. COS_E_DATA: empty, odd or too long. */
enum cos_result cos_fs_find_path(const struct cos_fs *fs, cos_file from, struct cos_span path,
                                 cos_file *file);
/* By DF name, 1 to 16 bytes, possibly right-truncated: the first DF in table order whose name
 * begins with it. */
enum cos_result cos_fs_find_name(const struct cos_fs *fs, struct cos_span name, cos_file *file);

/* Attributes: the BER-TLV objects of CREATE FILE that the table has no room for (84, 8C, 85 and
 * A5), as stored. Copies them to attributes[COS_FS_ATTRIBUTES_MAX] and points *found at the value
 * of the first object `tag` there. COS_E_REFERENCE_NOT_FOUND. */
enum cos_result cos_fs_attribute(const struct cos_fs *fs, const struct cos_file_info *info,
                                 uint32_t tag, uint8_t attributes[COS_FS_ATTRIBUTES_MAX],
                                 struct cos_span *found);

/* Writes the FCP data objects (80 82 83 84 85 8A 8C 88 A5, only those the file has; no template
 * around them) as SELECT answers them (ISO/IEC 7816-4:2013, table 10). */
enum cos_result cos_fs_write_fcp(const struct cos_fs *fs, cos_file file, struct cos_writer *writer);

/* Content of an EF whose source is its own bytes. offset + length must lie within the size:
 * COS_E_OFFSET otherwise. Update is one transaction (n page programs for n store pages). */
enum cos_result cos_fs_read(const struct cos_fs *fs, const struct cos_file_info *info,
                            uint32_t offset, uint8_t *data, size_t length);
enum cos_result cos_fs_update(struct cos_fs *fs, const struct cos_file_info *info, uint32_t offset,
                              const uint8_t *data, size_t length);
/* Where record `number` (1 to record_count) begins. COS_E_FILE_STRUCTURE: not a record EF;
 * COS_E_RECORD_NOT_FOUND. */
enum cos_result cos_fs_record(const struct cos_file_info *info, unsigned number, uint32_t *offset);

/* Creates a file under `parent` from the value of an FCP template (tag 62 taken off). The MF (FID
 * 3F00) is created when there is no file at all; parent is then ignored. Accepts 80 or 81, 82, 83,
 * 84 (DF, several allowed), 85 (EF: one byte, enum cos_fs_source), 88, 8A (01, 03, 05 or 07; all
 * are taken as 05 activated: this version has no ACTIVATE FILE), 8C, A5; anything else is
 * COS_E_DATA, so that no rule is dropped in silence. An EF has an SFI only if 88 gives it one.
 * COS_E_DATA also for a missing or inconsistent object, reserved FIDs (3FFF, FFFF, 0000, 3F00
 * elsewhere), size 0 or over 32,767 for an EF; COS_E_FUNCTION for a file structure that this
 * version does not have; COS_E_FILE_EXISTS for FID or SFI taken in the DF, and for a second MF;
 * COS_E_NAME_EXISTS; COS_E_MEMORY_FULL. One transaction, 1 to 2 page programs. New content reads as
 * 00. */
enum cos_result cos_fs_create(struct cos_fs *fs, cos_file parent, struct cos_span fcp,
                              cos_file *file);
/* What cos_fs_create() would answer but for what the memory does. Writes no NVM. */
enum cos_result cos_fs_may_create(const struct cos_fs *fs, cos_file parent, struct cos_span fcp);

/* Operations of a compact access rule: the bit of the access mode byte (ISO/IEC 7816-4:2013, tables
 * 17 and 18). */
enum cos_operation {
    COS_OPERATION_READ = 0x01,      /* EF: READ, SEARCH */
    COS_OPERATION_UPDATE = 0x02,    /* EF: UPDATE, ERASE */
    COS_OPERATION_WRITE = 0x04,     /* EF: WRITE, APPEND */
    COS_OPERATION_CREATE_EF = 0x02, /* DF */
    COS_OPERATION_CREATE_DF = 0x04, /* DF */
};

#define COS_SC_ALWAYS 0x00U
#define COS_SC_NEVER  0xFFU
#define COS_RULE_MAX  8U /* conditions for one operation: one an AM/SC set */

/* The security condition bytes that allow an operation on the file, any one of them sufficing:
 * *count of them in conditions[]. An operation that the rule does not list is never allowed (one
 * condition FF); a file without any rule may always be read (00) and nothing else (FF); on a DF
 * without a rule nothing is allowed. */
enum cos_result cos_fs_rule(const struct cos_fs *fs, const struct cos_file_info *info,
                            enum cos_operation operation, uint8_t conditions[COS_RULE_MAX],
                            size_t *count);

/* The same on the value of a compact attribute (8C) by itself. COS_E_DATA if it is malformed: an AM
 * byte without its SC bytes, SE number 15, or b8 of AM set (proprietary meanings are refused). */
enum cos_result cos_rule_compact(struct cos_span rule, enum cos_operation operation,
                                 uint8_t conditions[COS_RULE_MAX], size_t *count);

#endif
