/* SPDX-License-Identifier: Apache-2.0
 *
 * A file system on a real store on a simulated NVM, for tests of the file layer. Geometry: pages of
 * 256 bytes, program unit 8, tear unit 64, erased value FF: 216 logical bytes a page.
 */
#ifndef FS_RIG_H
#define FS_RIG_H

#include "cos/fs.h"
#include "sim_nvm.h"

#define FS_RIG_PAYLOAD   216U
#define FS_RIG_RESERVE   7U /* so a transaction touches at most 4 pages */
#define FS_RIG_NAMES     16U
#define FS_RIG_ENTRIES   8U /* of the file table in a page */
#define FS_RIG_PAGES_MAX COS_STORE_PAGES_MAX
#define FS_RIG_NO_LIMIT  UINT64_MAX

struct fs_rig {
    struct sim_power power;
    struct sim_nvm sim;
    struct cos_nvm nvm; /* sim's, with reads counted */
    uint64_t reads, bytes_read;
    uint64_t reads_left; /* until reading fails with COS_E_NVM; FS_RIG_NO_LIMIT: never */
    struct cos_store store;
    struct cos_store_config store_config;
    struct cos_fs fs;
    struct cos_fs_config config;
    uint8_t *kept; /* copy of the NVM's cells */
    uint64_t kept_operations;
    uint16_t map[FS_RIG_PAGES_MAX];
};

struct fs_rig_shape {
    uint32_t start, size; /* of the file system; size 0: tables and `heap` */
    uint32_t heap;
    uint16_t files;
    uint16_t names;   /* 0: FS_RIG_NAMES */
    uint16_t reserve; /* of the store; 0: FS_RIG_RESERVE */
    bool scrub;       /* superseded pages are erased by cos_store_settle() */
    bool blank;       /* the file system is not mounted and formatted */
};

/* A blank store whose logical space holds the file system's, mounted; then the file system mounted
 * (blank) and formatted. */
void fs_rig_open_shape(struct fs_rig *rig, const struct fs_rig_shape *shape);
void fs_rig_open_blank(struct fs_rig *rig, uint32_t start, uint32_t size, uint16_t files);
void fs_rig_open(struct fs_rig *rig, uint32_t size, uint16_t files);
void fs_rig_close(struct fs_rig *rig);

/* Bytes of superblock and tables, in whole pages: where the heap begins behind the start. */
uint32_t fs_rig_tables(uint16_t files, uint16_t names);
/* Bytes of heap that an extent of this length takes. */
uint32_t fs_rig_rounded(uint32_t length);

/* Power off and on, store and files mounted anew; and the same without power going first. */
void fs_rig_remount(struct fs_rig *rig);
void fs_rig_start(struct fs_rig *rig);

/* CREATE FILE with an FCP value in hex. */
enum cos_result fs_rig_create(struct fs_rig *rig, cos_file parent, const char *fcp, cos_file *file);
/* The same for an FCP that must be good. */
cos_file fs_rig_make(struct fs_rig *rig, cos_file parent, const char *fcp);

/* Remembers the image; fails the test if a byte of it has changed or was written since. */
void fs_rig_keep(struct fs_rig *rig);
void fs_rig_check_kept(const struct fs_rig *rig);

/* Decodes hex (spaces and line ends allowed) and returns the number of bytes. Whatever else fails
 * the test. */
size_t fs_rig_hex(const char *hex, uint8_t *bytes, size_t capacity);

/* An entry that must be there. */
struct cos_file_info fs_rig_info(const struct fs_rig *rig, cos_file file);

/* Writes to the store behind the file system's back. */
void fs_rig_write(struct fs_rig *rig, uint32_t address, const uint8_t *data, size_t length);

/* ---- A tree of files, for tests with cmocka's set-up and tear-down ---- */

/*  0 MF
 *  1   EF 0101 SFI 1
 *  2   DF 5100, names F0000001 and A0A1A2A3A4
 *  3     EF 0101 SFI 1
 *  4     EF 0102 SFI 2, five records of 20
 *  5     DF 5200, name F00000
 *  6       EF 0105
 *  7       DF 5100
 *  8   DF 5300, names A0A1 and C1
 *  9   EF 2F02, production record
 * 10   DF 0102 */
#define FS_TREE_FILES 11U

struct fs_tree {
    struct fs_rig rig;                /* 5,000 bytes, 24 table entries in three pages */
    struct cos_fs *fs;                /* the rig's */
    cos_file file[FS_TREE_FILES + 1]; /* by the numbers above; behind them one that is not there */
};

int fs_tree_plant(void **state);
int fs_tree_fell(void **state);

#endif
