/* SPDX-License-Identifier: Apache-2.0
 *
 * Files with records or data objects, for their tests: a file system on a store on a torn-power
 * NVM (256-byte pages, 216 logical bytes each), and in it the MF, a transparent EF full of AA, the
 * file under test, and another one full of AA.
 */
#ifndef RECORD_RIG_H
#define RECORD_RIG_H

#include "cos/fs.h"
#include "sim_nvm.h"

#define RECORD_RIG_PAYLOAD 216U
#define RECORD_RIG_PAGES   80U
#define RECORD_RIG_SMALL   6U  /* reserve: a transaction touches at most 3 pages */
#define RECORD_RIG_LARGE   16U /* 13 pages */

struct record_rig {
    struct sim_power power;
    struct sim_nvm sim;
    struct cos_store store;
    struct cos_store_config store_config;
    struct cos_fs fs;
    struct cos_fs_config config;
    cos_file file; /* under test */
    struct cos_file_info info;
    uint8_t *kept;
    uint64_t kept_operations, kept_page_programs;
    uint16_t map[RECORD_RIG_PAGES];
};

/* What file to make: the number of records as 82 gives it, 0 = none; bytes of content, 0 = not
 * given; bytes of attributes (0, or 2 and more) that shift the content. */
struct record_rig_file {
    uint8_t fdb;
    uint16_t record_size, records, size;
    uint8_t attributes;
};

void record_rig_open(struct record_rig *rig, uint16_t reserve, const struct record_rig_file *file);
void record_rig_close(struct record_rig *rig);

/* Mounts store and files anew: after power was put on, or off and on in between. */
void record_rig_mount(struct record_rig *rig);
void record_rig_remount(struct record_rig *rig);

/* Remembers the image; fails the test if anything was written since. */
void record_rig_keep(struct record_rig *rig);
void record_rig_check_kept(const struct record_rig *rig);
/* Page programs since record_rig_keep(). */
unsigned record_rig_programs(const struct record_rig *rig);

/* Where what structures the content begins (the first multiple of four in it), and where the bytes
 * of records or objects do. */
uint32_t record_rig_header(const struct record_rig *rig);
uint32_t record_rig_data(const struct record_rig *rig);

/* Store pages that a set of runs touches. */
struct record_rig_run {
    uint32_t address, length;
};
unsigned record_rig_pages(const struct record_rig_run *runs, size_t count);

/* Fails unless the bytes of the data that no record (object) has are 00, no two overlap, and the
 * neighbours are what they were. */
void record_rig_check(const struct record_rig *rig);

/* Writes behind the file system's back. */
void record_rig_write(struct record_rig *rig, uint32_t address, const uint8_t *data, size_t length);

#endif
