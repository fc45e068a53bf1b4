/* SPDX-License-Identifier: Apache-2.0
 *
 * Files on the atomic store (ISO/IEC 7816-4:2013, clause 7; 7816-9): MF, DFs, and EFs that are
 * transparent, linear fixed, linear variable, cyclic, BER-TLV or SIMPLE-TLV structured. This layer
 * knows structure and the rules' text, not who asks: whoever calls has asked the secure domain
 * before.
 *
 * Whatever the power does, each function that writes leaves the files as before or as after it.
 * Most are one store transaction. What touches more pages than one transaction may (deleting a
 * large file or a tree, erasing a long range) is first noted in the superblock, which is its commit
 * point, and is carried on by cos_fs_mount() if power goes meanwhile.
 */
#ifndef COS_FS_H
#define COS_FS_H

#include "cos/rule.h"
#include "cos/store.h"
#include "cos/tlv.h"

/* Where the file system lives in the store's logical space, and what it can hold. Fixed for the
 * image's life. A transaction of the store must reach three pages; one of seven is never too short
 * for creating a file. */
struct cos_fs_config {
    uint32_t start; /* of a logical page: a multiple of the store's payload */
    uint32_t size;
    uint16_t files; /* entries of the file table besides the MF, 1 to 4,096; rounded up to whole
                       pages. Finding is fastest while an eighth of them is free */
    uint16_t names; /* entries of the name table, 1 to 255: DF names of all DFs */
};

/* A file is named by its place in the file table. It keeps that until another one is deleted
 * (cos_fs_delete()); a DF, and an EF with an SFI, for its life. The MF is file 0. */
typedef uint16_t cos_file;
#define COS_FILE_MF   ((cos_file)0)
#define COS_FILE_NONE ((cos_file)0xFFFF)

/* What the superblock notes of a change that is more than one transaction (private to src/fs). */
struct cos_fs_pending {
    uint8_t kind; /* enum cos_fs_pending_kind; 0 = nothing */
    cos_file file;
    uint32_t transaction; /* of a change that the security chip commits */
    uint32_t address, length;
};

enum cos_fs_pending_kind {
    COS_FS_NOTHING = 0,
    COS_FS_REMOVING = 1, /* `file` and all below it are gone; entries and bytes are being freed */
    COS_FS_ERASING = 2,  /* [address, address + length) is being set to 00 */
    COS_FS_PREPARED_CREATE = 3, /* `file` is there if the security chip committed `transaction` */
    COS_FS_PREPARED_DELETE = 4, /* `file` is gone if it did */
    COS_FS_ERASING_RECORDS = 5, /* records `address` to `length` of `file` are being set to 00 */
};

struct cos_fs {
    struct cos_store *store;
    struct cos_fs_config config;
    struct cos_fs_pending pending;
    uint32_t heap_top;   /* end of the highest extent in use; 0 = not known yet */
    uint16_t names_page; /* logical pages that begin the name table, the file table, the heap */
    uint16_t table_page, heap_page;
    uint16_t names_per_page, entries_per_page, table_pages;
};

/* File descriptor byte, ISO/IEC 7816-4:2013, table 12 (b7 shareable is kept and reported, nothing
 * else). */
#define COS_FDB_KIND                0xBFU /* all but the shareable bit */
#define COS_FDB_DF                  0x38U
#define COS_FDB_TRANSPARENT         0x01U
#define COS_FDB_LINEAR_FIXED        0x02U
#define COS_FDB_LINEAR_FIXED_TLV    0x03U
#define COS_FDB_LINEAR_VARIABLE     0x04U
#define COS_FDB_LINEAR_VARIABLE_TLV 0x05U
#define COS_FDB_CYCLIC              0x06U
#define COS_FDB_CYCLIC_TLV          0x07U
#define COS_FDB_BER_TLV             0x39U
#define COS_FDB_SIMPLE_TLV          0x3AU

/* Life-cycle status byte, ISO/IEC 7816-4:2013, table 14; of the pairs (04, 06), (05, 07) and (0C to
 * 0F) the first is stored. */
#define COS_LCS_CREATION       0x01U
#define COS_LCS_INITIALISATION 0x03U
#define COS_LCS_DEACTIVATED    0x04U
#define COS_LCS_ACTIVATED      0x05U
#define COS_LCS_TERMINATED     0x0CU

/* Where an EF's content comes from: the value of 85 in CREATE FILE. */
enum cos_fs_source {
    COS_FS_SOURCE_CONTENT = 0,    /* its own bytes */
    COS_FS_SOURCE_PRODUCTION = 1, /* the production record, asked from the security chip at each
                                     reading */
    COS_FS_SOURCE_VAULT = 2,      /* the vault of the security chip: transparent and linear fixed */
    COS_FS_SOURCE_CARD = 3,       /* EF.ATR/INFO as the card itself knows it; transparent */
};

#define COS_FS_ATTRIBUTES_MAX                                                                      \
    128U /* bytes of names, rules and proprietary objects of one file, as BER-TLV */
#define COS_FS_NAME_MAX    16U
#define COS_FS_DEPTH_MAX   16U                     /* DFs below the MF, one in the other */
#define COS_FS_PATH_MAX    (COS_FS_DEPTH_MAX + 2U) /* FIDs in a path: MF, these DFs, EF */
#define COS_FS_SIZE_MAX    32768U /* bytes of content: offsets in P1-P2 have 15 bits */
#define COS_FS_RECORDS_MAX 254U   /* record numbers 01 to FE, ISO/IEC 7816-4:2013, 7.3.1 */
#define COS_FS_SFI_MAX     30U
#define COS_FS_NAMES_MAX   4U /* of one DF */

/* What the file table says of a file. */
struct cos_file_info {
    uint16_t fid;
    cos_file parent; /* the MF is its own parent */
    uint8_t fdb, dcb;
    uint8_t sfi; /* 0 = none */
    uint8_t life_cycle_status;
    uint8_t source; /* enum cos_fs_source */
    uint8_t attributes_length;
    uint16_t record_size; /* record EFs: of each record, or (linear variable) of the longest; else 0
                           */
    uint16_t record_count; /* record EFs: how many there can be; what may have data objects: how
                              many of them; else 0 */
    uint16_t vault;        /* number in the vault of the security chip; 0 = not there */
    uint32_t size;         /* bytes of content: 80. Of a DF: bytes for its data objects, or 0 */
    uint32_t address;      /* in the store: attributes, then content */
};

static inline bool cos_file_is_df(const struct cos_file_info *info)
{
    return (info->fdb & COS_FDB_KIND) == COS_FDB_DF;
}
/* Structures by what they are made of. TLV record EFs are those whose records are SIMPLE-TLV
 * objects. */
bool cos_file_has_records(const struct cos_file_info *info);
bool cos_file_is_cyclic(const struct cos_file_info *info);
bool cos_file_is_variable(const struct cos_file_info *info);
bool cos_file_is_simple_tlv(const struct cos_file_info *info);
/* DFs, BER-TLV and SIMPLE-TLV structured EFs: they may have data objects, if they have a size. */
static inline bool cos_file_may_have_objects(const struct cos_file_info *info)
{
    const unsigned kind = info->fdb & COS_FDB_KIND;

    return kind >= COS_FDB_DF && kind <= COS_FDB_SIMPLE_TLV;
}

/* Opens the file system and carries on what power interrupted (which may write NVM); apart from
 * that its time does not depend on the number of files. COS_OK; COS_E_STORE_BLANK if there is none
 * yet: cos_fs_format() makes one (one page program; COS_E_CONDITIONS if there is one);
 * COS_E_STORE_DAMAGED if it is of another version or size; COS_E_INVARIANT if the config does not
 * fit the store. */
enum cos_result cos_fs_mount(struct cos_fs *fs, struct cos_store *store,
                             const struct cos_fs_config *config);
enum cos_result cos_fs_format(struct cos_fs *fs);

/* Reads a table entry. COS_E_FILE_NOT_FOUND: the entry is empty or outside the table, or the file
 * is being removed. */
enum cos_result cos_fs_info(const struct cos_fs *fs, cos_file file, struct cos_file_info *info);

/* ---- Finding: all COS_OK and *file, or COS_E_FILE_NOT_FOUND. No NVM writes ---- */

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

/* Which of several DFs whose names begin with the same bytes: P2 b2b1 of SELECT. */
enum cos_occurrence {
    COS_OCCURRENCE_FIRST = 0,
    COS_OCCURRENCE_LAST = 1,
    COS_OCCURRENCE_NEXT = 2,
    COS_OCCURRENCE_PREVIOUS = 3,
};
/* By DF name, 1 to 16 bytes, possibly right-truncated. DFs stand in the order in which the name
 * table holds them, each once. Next and previous go from `current`; if no name of it matches, next
 * is the first and previous the last. */
enum cos_result cos_fs_find_name(const struct cos_fs *fs, struct cos_span name,
                                 enum cos_occurrence occurrence, cos_file current, cos_file *file);

/* The files of the table one by one, for reports and for collecting: *cursor is 0 at first.
 * COS_E_END_OF_DATA when there are no more. */
enum cos_result cos_fs_next(const struct cos_fs *fs, uint32_t *cursor, cos_file *file,
                            struct cos_file_info *info);

/* Whether `file` is `df` or stands below it. COS_E_STORE_DAMAGED. */
enum cos_result cos_fs_is_below(const struct cos_fs *fs, cos_file file, cos_file df, bool *below);

/* ---- Attributes and FCP ---- */

/* Attributes: the BER-TLV objects of CREATE FILE that the table has no room for (84, 85, 8B, 8C,
 * 8D, A0, A5, AB), as stored. Copies them to attributes[COS_FS_ATTRIBUTES_MAX] and points *found at
 * the value of the first object `tag` there. COS_E_REFERENCE_NOT_FOUND. */
enum cos_result cos_fs_attribute(const struct cos_fs *fs, const struct cos_file_info *info,
                                 uint32_t tag, uint8_t attributes[COS_FS_ATTRIBUTES_MAX],
                                 struct cos_span *found);

/* Writes the FCP data objects (80 81 82 83 84 85 8A 8B 8C 8D AB A0 88 A5, only those the file has;
 * no template around them) as SELECT answers them (ISO/IEC 7816-4:2013, table 10). The number of
 * records in 82 is how many there are now; the life-cycle status is that of *info. */
enum cos_result cos_fs_write_fcp(const struct cos_fs *fs, const struct cos_file_info *info,
                                 struct cos_writer *writer);

/* The security condition data objects (cos/rule.h) that decide over an access to the file: from its
 * 8C, its AB, or the record of EF.ARR that its 8B names (one byte: record of the EF 2F06; three:
 * FID and record; FID and pairs of security environment and record, of which the first with the
 * number access->environment counts). EF.ARR is looked for in the file's DF (for a DF: in itself,
 * then) and upwards to the MF; it is an activated EF of bytes of its own, with records that are no
 * SIMPLE-TLV objects and of at most COS_FS_ATTRIBUTES_MAX bytes. Appends them to *rule, which has
 * room for COS_RULE_MAX bytes, and which the caller may hand to the secure domain as it is; at
 * least "always" or "never". A file without any access attribute (8B, 8C, AB) may always be read,
 * and nothing else; on a DF without one nothing is allowed, but data objects may be read; an
 * operation that the attributes do not list is never allowed. For data objects: A0, pairs of a tag
 * list (5C, empty = all others) and 8C or AB; a DF without A0 lets whoever may create EFs write its
 * data objects and everybody read them; an EF without A0 lets GET DATA and PUT DATA have the rules
 * of READ and UPDATE. A dangling or malformed reference gives "never".
 *
 * Where the file's DF (for a DF: itself), or else the nearest DF above, has 8D, condition bytes
 * that name a security environment (9E with b4 to b1 = 1 to 14) do not appear in *rule but what the
 * EF that 8D names has for them, or "never" (docs/formats.md, "Security environments"); not if
 * *rule is "always" or "never" anyway, nor for files in the vault. Any error in reading is
 * returned.
 *
 * In the life-cycle states creation and initialisation the file's own rule is not in force yet:
 * whatever is done with it is decided by the rule for creating it in its DF (create EF, create DF;
 * a header filter there is asked for 00 E0 00 00), or, if that DF is in such a state too, by the
 * rule for creating the DF, and so on; for the MF by "under secure messaging", as CREATE FILE for
 * the MF is. COS_E_STORE_DAMAGED: a rule in the store is malformed. */
enum cos_result cos_fs_rule(const struct cos_fs *fs, const struct cos_file_info *info,
                            const struct cos_access *access, struct cos_writer *rule);

/* ---- Content ---- */

/* Bytes of a transparent EF whose source is its own bytes. offset + length must lie within the
 * size: COS_E_OFFSET otherwise; COS_E_FILE_STRUCTURE: anything but a transparent EF. Update is one
 * transaction (n page programs for n store pages; COS_E_MEMORY_FULL: more than one transaction may
 * touch). Erase sets to 00: n page programs, and 2 more if it is more than one transaction. */
enum cos_result cos_fs_read(const struct cos_fs *fs, const struct cos_file_info *info,
                            uint32_t offset, uint8_t *data, size_t length);
enum cos_result cos_fs_update(struct cos_fs *fs, const struct cos_file_info *info, uint32_t offset,
                              const uint8_t *data, size_t length);
enum cos_result cos_fs_erase(struct cos_fs *fs, const struct cos_file_info *info, uint32_t offset,
                             uint32_t length);

/* Records: ISO/IEC 7816-4:2013, 7.3. Linear: number 1 is the oldest; cyclic: the newest. All answer
 * COS_E_FILE_STRUCTURE for what is no record EF with bytes of its own, COS_E_RECORD_NOT_FOUND for a
 * number that there is not. */

/* How many records there are. */
enum cos_result cos_fs_record_count(const struct cos_fs *fs, const struct cos_file_info *info,
                                    unsigned *count);
/* Where record `number` (from 1) lies, as an address in the store, and its length. */
struct cos_record {
    uint32_t address;
    uint16_t length;
};
enum cos_result cos_fs_record(const struct cos_fs *fs, const struct cos_file_info *info,
                              unsigned number, struct cos_record *record);
/* Bytes of a record; within its length: COS_E_OFFSET. */
enum cos_result cos_fs_record_read(const struct cos_fs *fs, const struct cos_record *record,
                                   uint32_t offset, uint8_t *data, size_t length);
/* Replaces a whole record. Fixed size: COS_E_LENGTH unless length is the record size; variable:
 * COS_E_LENGTH above it (a record of no bytes is one, too), COS_E_MEMORY_FULL if the EF has no room
 * left. 1 page program a store page of the record, of its old and its new place if it grows and
 * moves, 1 more if its length changes; moving other records together, which may be needed, costs as
 * many again as they have pages. */
enum cos_result cos_fs_record_update(struct cos_fs *fs, const struct cos_file_info *info,
                                     unsigned number, const uint8_t *data, size_t length);
/* Changes bytes of a record in place; within its length: COS_E_OFFSET. */
enum cos_result cos_fs_record_patch(struct cos_fs *fs, const struct cos_file_info *info,
                                    unsigned number, uint32_t offset, const uint8_t *data,
                                    size_t length);
/* Linear: a record behind the last; COS_E_MEMORY_FULL if there is no room. Cyclic: the new record
 * 1; the oldest is overwritten when all are in use. Lengths as for update. 1 page program a store
 * page of the record, and 1 more unless what structures the content lies in one of them. */
enum cos_result cos_fs_record_append(struct cos_fs *fs, const struct cos_file_info *info,
                                     const uint8_t *data, size_t length);
/* Sets the content of records first to last to 00; they stay. All or nothing: n page programs for n
 * store pages; if it is more than one transaction, or more than eight runs of bytes with others
 * between them, one for each page of each run, and 2 more. */
enum cos_result cos_fs_record_erase(struct cos_fs *fs, const struct cos_file_info *info,
                                    unsigned first, unsigned last);

/* Data objects of a BER-TLV or SIMPLE-TLV structured EF, or BER-TLV ones of a DF that was created
 * with room for some (81). An object is stored whole: tag, length in its shortest form, value.
 * COS_E_FILE_STRUCTURE: the file cannot have any. Tags: BER-TLV of one to three bytes, SIMPLE-TLV
 * 01 to FE (ISO/IEC 7816-4:2013, 5.2); any other is not found, or COS_E_DATA when putting it. */

/* The object with a tag; COS_E_REFERENCE_NOT_FOUND. Objects have no order that lasts. */
enum cos_result cos_fs_object_find(const struct cos_fs *fs, const struct cos_file_info *info,
                                   uint32_t tag, struct cos_record *object);
/* Object number `index`, from 0; COS_E_REFERENCE_NOT_FOUND behind the last. */
enum cos_result cos_fs_object(const struct cos_fs *fs, const struct cos_file_info *info,
                              unsigned index, struct cos_record *object);
/* Reads what bytes of the file begin with, tag and length of an object: *tag; *header, how many
 * bytes they are; object->length becomes that of the object. COS_E_STORE_DAMAGED: there is none, or
 * it is longer. For an object, or for one in the value of a constructed one. */
enum cos_result cos_fs_object_header(const struct cos_fs *fs, const struct cos_file_info *info,
                                     struct cos_record *object, uint32_t *tag, size_t *header);
/* Adds or replaces an object. COS_E_MEMORY_FULL: no room, already record_count objects, or more
 * than one transaction may touch. Page programs as for a record. */
enum cos_result cos_fs_object_put(struct cos_fs *fs, const struct cos_file_info *info, uint32_t tag,
                                  struct cos_span value);
/* Adds or replaces several at once: one transaction. `objects`: BER-TLV objects, one behind the
 * other; their tags differ and none is empty, else COS_E_DATA. They need as many free bytes in one
 * piece as they have, besides those of the objects that they replace, for nothing else is moved:
 * COS_E_MEMORY_FULL, also for more than COS_FS_OBJECTS_PUT_MAX, and for more pages than one
 * transaction takes. 1 page program a store page of theirs, of those that they replace, and of the
 * directory. */
#define COS_FS_OBJECTS_PUT_MAX 6U
enum cos_result cos_fs_objects_put(struct cos_fs *fs, const struct cos_file_info *info,
                                   struct cos_span objects);
/* Removes an object; its bytes become 00. COS_E_REFERENCE_NOT_FOUND. 1 page program a store page of
 * the object, and 1 or 2 more. */
enum cos_result cos_fs_object_delete(struct cos_fs *fs, const struct cos_file_info *info,
                                     uint32_t tag);

/* ---- File management ---- */

/* Creates a file under `parent` from the value of an FCP template (tag taken off: cos_tlv_fcp()).
 * The MF (FID 3F00) is created when there is no file at all; parent is then ignored. Accepts
 *   80, 81  bytes of content (EF; one of them); 81 on a DF: bytes for its data objects
 *   82      file descriptor [data coding [record size [number of records]]]. Linear and cyclic: a
 *           number of records makes that many, all 00; further ones, up to what 80 or 81 has room
 *           for, are appended. Linear variable: the size is that of the longest record, the number
 *           is of those that there can be (none: one in eight bytes), and none is made. Data
 *           objects: one in eight bytes
 *   83      file identifier
 *   84      DF name, several allowed
 *   85      source (EF, one byte, enum cos_fs_source)
 *   88      SFI; without it: b5 to b1 of the file identifier if that is 1 to 30 and free in the DF
 *   8A      01, 03, 04 to 07
 *   8B, 8C, AB  access rule, one of them; A0 those of data objects
 *   8D      FID of the EF with security environments for the rules in it (DF)
 *   A5      proprietary, kept and reported
 * Anything else is COS_E_DATA, so that no rule is dropped in silence, as is a missing or
 * inconsistent object, a reserved FID (3FFF, FFFF, 0000, 3F00 elsewhere), size 0 or too large.
 * COS_E_FUNCTION: a file structure that this version does not have; COS_E_FILE_EXISTS: FID or
 * SFI taken in the DF, or a second MF; COS_E_NAME_EXISTS; COS_E_MEMORY_FULL: no entry, no room, too
 * deep. COS_E_CONDITIONS: source 2, which cos_fs_prepare_create() is for. One transaction, 2 to 4
 * page programs. New content reads as 00. */
enum cos_result cos_fs_create(struct cos_fs *fs, cos_file parent, struct cos_span fcp,
                              cos_file *file);
/* What cos_fs_create(), or for source 2 cos_fs_prepare_create(), would answer but for what the
 * memory does, and the file as it would be. Writes no NVM. */
enum cos_result cos_fs_may_create(struct cos_fs *fs, cos_file parent, struct cos_span fcp,
                                  struct cos_file_info *info);

/* Deletes an EF, or a DF with everything below it (not the MF: COS_E_CONDITIONS): all or nothing.
 * Bytes are set to 00 and their old copies scrubbed by cos_store_settle(). A file within one
 * transaction: 2 to 4 page programs and those of its content. Else the superblock, then content,
 * entries, superblock. One other EF may get the number of the deleted one, so that it is found with
 * fewer reads: its old number is no file's then. */
enum cos_result cos_fs_delete(struct cos_fs *fs, cos_file file);

/* Sets the life-cycle status byte. 1 page program. */
enum cos_result cos_fs_set_life_cycle(struct cos_fs *fs, cos_file file, uint8_t status);

/* ---- Changes that the security chip commits (docs/design.md, "Vault") ---- */

/* The first half: durable, but to be seen only when the second half says so. The file system has at
 * most one such change; nothing else may be written before it is finished. */
enum cos_result cos_fs_prepare_create(struct cos_fs *fs, cos_file parent, struct cos_span fcp,
                                      uint16_t vault, uint32_t transaction, cos_file *file);
enum cos_result cos_fs_prepare_delete(struct cos_fs *fs, cos_file file, uint32_t transaction);
/* Whether such a change waits, since before a start perhaps, and for which transaction. */
bool cos_fs_prepared(const struct cos_fs *fs, uint32_t *transaction);
/* The second half: carries it out or forgets it. */
enum cos_result cos_fs_finish(struct cos_fs *fs, bool committed);

#endif
