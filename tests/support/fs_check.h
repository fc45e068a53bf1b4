/* SPDX-License-Identifier: Apache-2.0
 *
 * What must hold of a file system whatever was done to it, looked up byte by byte; and what its
 * user sees of it, for comparing.
 */
#ifndef FS_CHECK_H
#define FS_CHECK_H

#include "fs_rig.h"

/* Fails the test unless everything fits together: each file is found by its FID, by its SFI and by
 * its names and nothing else is; every other entry of the tables is empty, and no link leads there;
 * extents lie in the heap,
 * do not overlap, do not cut what should stand in one page; and all other bytes of the heap are 00.
 */
void fs_check(const struct fs_rig *rig);

/* How many files stand in another page of the table than the one that they belong to. */
unsigned fs_check_elsewhere(const struct fs_rig *rig);

/* A number that stands for all that the file system's user sees: files, attributes, content. Two
 * trees that differ have different ones, but for odds of 2^-64. */
uint64_t fs_check_digest(const struct fs_rig *rig);

#endif
