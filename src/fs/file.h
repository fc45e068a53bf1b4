/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the file layer share. The bytes are fixed in docs/formats.md, "Files".
 */
#ifndef COS_FS_FILE_H
#define COS_FS_FILE_H

#include "cos/fs.h"

#define FILE_ENTRY_SIZE 24U
#define FILE_ENTRY_INFO 22U /* of these, what struct cos_file_info says; then the link */
#define NAME_ENTRY_SIZE 20U
#define FILE_SFI_MAP    (2U * COS_FS_SFI_MAX) /* of a DF: one place in the table each, 0 = none */

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
    FCP_SECURITY_REFERENCE = 0x8B,
    FCP_SECURITY_COMPACT = 0x8C,
    FCP_ENVIRONMENT_FILE = 0x8D,
    FCP_SECURITY_OF_OBJECTS = 0xA0,
    FCP_PROPRIETARY_TEMPLATE = 0xA5,
    FCP_SECURITY_EXPANDED = 0xAB,
};

/* ---- The table (table.c) ---- */

/* A file belongs to the page that the hash of its DF and FID names. If that is full, it stands in
 * another page, and is in the chain of the one that it belongs to: each page ends with a link, and
 * so does each entry. */

#define FILE_LINK_SIZE 2U /* the last bytes of each page of the table, and of each entry */

/* The bytes of the superblock's page that a change of `pending` and of the MF touch. */
enum { SUPERBLOCK_PENDING = 16, SUPERBLOCK_PENDING_SIZE = 16, SUPERBLOCK_MF = 32 };

uint32_t cos_table_address(const struct cos_fs *fs, cos_file file);
uint32_t cos_table_entries(const struct cos_fs *fs);
void cos_table_put(uint8_t entry[FILE_ENTRY_INFO], const struct cos_file_info *info);
/* The same as cos_fs_info(), files that are being removed or prepared included. */
enum cos_result cos_table_info(const struct cos_fs *fs, cos_file file, struct cos_file_info *info);
/* Whether the file is not to be seen: being removed, or prepared and not committed. */
bool cos_file_is_hidden(const struct cos_fs *fs, cos_file file);
/* The file with this FID in this DF. COS_E_FILE_NOT_FOUND; COS_E_STORE_DAMAGED. */
enum cos_result cos_table_find(const struct cos_fs *fs, cos_file df, uint16_t fid, cos_file *file);

/* An entry and the link that names it. */
struct table_place {
    cos_file file;
    uint32_t link; /* address; 0: there is none, the file stands in the page that it belongs to */
    cos_file next; /* the file that comes next in the chain; 0 = none */
};
/* The entry that a new file would get. COS_E_MEMORY_FULL. */
enum cos_result cos_table_room(const struct cos_fs *fs, cos_file df, uint16_t fid,
                               struct table_place *place);
/* The place that a file has. COS_E_STORE_DAMAGED. */
enum cos_result cos_table_place(const struct cos_fs *fs, cos_file file,
                                const struct cos_file_info *info, struct table_place *place);
/* The file that may come home into the entry of one that is deleted, and its entry there: the first
 * of that page's chain. COS_E_FILE_NOT_FOUND: there is none, or it would touch more pages than one
 * more: a DF is its files' parent by its number, and an EF with an SFI is found by it anyway. */
enum cos_result cos_table_heir(const struct cos_fs *fs, cos_file file,
                               const struct cos_file_info *info, struct table_place *place,
                               uint8_t entry[FILE_ENTRY_SIZE]);
void cos_pending_put(uint8_t bytes[SUPERBLOCK_PENDING_SIZE], const struct cos_fs_pending *pending);

/* ---- The DFs above a file (find.c) ---- */

/* cos_table_info() for a file that something refers to: COS_E_STORE_DAMAGED if it is not there. */
enum cos_result cos_table_must(const struct cos_fs *fs, cos_file file, struct cos_file_info *info);
/* The DF that a file stands in. COS_E_STORE_DAMAGED: it is not there, or no DF. */
enum cos_result cos_table_parent(const struct cos_fs *fs, const struct cos_file_info *info,
                                 struct cos_file_info *df);
/* How far a file stands below `df`: 1 for its children, 0 if it does not stand below it.
 * COS_E_STORE_DAMAGED: the way up ends nowhere. */
enum cos_result cos_table_depth(const struct cos_fs *fs, const struct cos_file_info *info,
                                cos_file df, unsigned *depth);

/* ---- The heap (heap.c) ---- */

/* Extents begin at multiples of this; the payload of a page is one. */
#define HEAP_GRANULE 8U

/* A file's extent: attributes, then of a DF the map of its SFIs, then content with what structures
 * it. */
uint32_t cos_file_extent(const struct cos_file_info *info);
/* Where content begins, structuring bytes first. */
uint32_t cos_file_content(const struct cos_file_info *info);
/* Where a DF's map of SFIs begins. */
uint32_t cos_file_sfi_map(const struct cos_file_info *info);
/* Finds room for the extent and sets info->address. COS_E_MEMORY_FULL. */
enum cos_result cos_heap_place(struct cos_fs *fs, struct cos_file_info *info);

/* ---- Names (name.c) ---- */

/* The DF with exactly this name; COS_E_FILE_NOT_FOUND. */
enum cos_result cos_name_find(const struct cos_fs *fs, struct cos_span name, cos_file *file);
/* Addresses of the first `count` free entries of the name table; COS_E_MEMORY_FULL. */
enum cos_result cos_name_free(const struct cos_fs *fs, unsigned count,
                              uint32_t addresses[COS_FS_NAMES_MAX]);
/* Addresses of the entries that hold names of the file. */
enum cos_result cos_name_of(const struct cos_fs *fs, cos_file file, unsigned *count,
                            uint32_t addresses[COS_FS_NAMES_MAX]);
void cos_name_put(uint8_t entry[NAME_ENTRY_SIZE], struct cos_span name, cos_file file);

/* ---- What is more than one transaction (pending.c) ---- */

/* Does what the superblock says is to be done, but for what the security chip decides. */
enum cos_result cos_pending_carry_on(struct cos_fs *fs);
/* Notes a change in the superblock; durable, and then in RAM. */
enum cos_result cos_pending_note(struct cos_fs *fs, const struct cos_fs_pending *pending);
/* One transaction on content. COS_E_MEMORY_FAILURE while a change waits to be carried on, which
 * might erase what is written now. */
enum cos_result cos_content_commit(struct cos_fs *fs, const struct cos_edit *edits, size_t count);
/* Makes edits (at most ERASE_WITH) and sets [address, address + length) to 00: all or nothing,
 * however long the range. */
#define ERASE_WITH 2U
enum cos_result cos_erase_range(struct cos_fs *fs, const struct cos_edit *with, size_t count,
                                uint32_t address, uint32_t length);

/* Sets records first to last, which there are, to 00: all or nothing, however many. */
enum cos_result cos_erase_records(struct cos_fs *fs, const struct cos_file_info *info,
                                  unsigned first, unsigned last);

/* ---- Records and data objects (record.c, object.c) ---- */

/* The bytes of record *number and of those behind it up to `last` whose bytes lie beside them;
 * *number is the first of the others then. */
enum cos_result cos_record_run(const struct cos_fs *fs, const struct cos_file_info *info,
                               unsigned *number, unsigned last, struct cos_record *run);

/* Bytes at the beginning of the content that structure it, 0 for transparent EFs and DFs without
 * room for data objects. */
uint32_t cos_content_structure(const struct cos_file_info *info);
/* The first bytes of the content of a new file that has its address, of which `records` exist; 00
 * throughout if it is made of items (slotted.h). */
#define CONTENT_HEADER 8U
/* Where the header's bytes that count begin: at a multiple of four, so that no page border cuts
 * them. */
uint32_t cos_content_header_address(const struct cos_file_info *info);
void cos_content_header(const struct cos_file_info *info, unsigned records,
                        uint8_t header[CONTENT_HEADER]);

/* ---- Access rules (access.c, environment.c) ---- */

/* The DF in which what belongs to a file is looked for first: the one it stands in; for a DF
 * itself.
 */
enum cos_result cos_file_df(const struct cos_fs *fs, const struct cos_file_info *info,
                            cos_file *df);
/* Whether something that a rule refers to is not there or of no use, which means "never"; other
 * errors are errors of the command. */
bool cos_rule_leads_nowhere(enum cos_result result);
/* Replaces what stands in *condition from `begin` on, a condition for this file, by one that says
 * the same without the numbers of security environments, if there is a DF with 8D. An SC-DO with a
 * number that leads nowhere, or that gets too long or too deep, becomes "never". Reads at most 32
 * templates of the EF for each of them. */
enum cos_result cos_environment_translate(const struct cos_fs *fs, const struct cos_file_info *file,
                                          size_t begin, struct cos_writer *condition);

/* ---- FCP of CREATE FILE (fcp.c) ---- */

struct fcp {
    struct cos_file_info info; /* all but parent and address */
    bool sfi_given;
    uint16_t records; /* that exist from the beginning */
    uint8_t attributes[COS_FS_ATTRIBUTES_MAX];
};

/* Parses and checks the value of a template as far as it can be judged without the other files.
 * COS_E_DATA, COS_E_FUNCTION, COS_E_MEMORY_FULL (more attributes than a file may have). */
enum cos_result cos_fcp_parse(struct cos_span value, struct fcp *fcp);

#endif
