/* SPDX-License-Identifier: Apache-2.0
 *
 * Items of different lengths in the content of a file: the records of a linear variable EF, the
 * data objects of an EF or a DF. A directory of record_count entries, each with place and length,
 * stands before `size` bytes of data in which the items lie anywhere. Items are numbered from 0
 * without gaps; so how many there are, and which bytes are free, follows from the directory alone,
 * and a change touches no page but that of one entry and those of the item.
 *
 * Nothing that the directory says leads outside of the data: COS_E_STORE_DAMAGED.
 */
#ifndef COS_FS_SLOTTED_H
#define COS_FS_SLOTTED_H

#include "file.h"

#define SLOTTED_ENTRY 4U

/* Where an item lies. COS_E_RECORD_NOT_FOUND. */
enum cos_result cos_slotted_item(const struct cos_fs *fs, const struct cos_file_info *info,
                                 unsigned index, struct cos_record *item);
enum cos_result cos_slotted_count(const struct cos_fs *fs, const struct cos_file_info *info,
                                  unsigned *count);

/* Makes item `index`, or the one behind the last, head || body, either of which may be empty. It
 * stays where it is if there is room; its old bytes become 00: one transaction. If there is room
 * only in pieces, or if old and new place are more than one transaction may touch, the items are
 * first moved together, one transaction each, none of which changes what the file means.
 * COS_E_MEMORY_FULL: no room, or no entry left, or more than one transaction may touch. */
enum cos_result cos_slotted_put(struct cos_fs *fs, const struct cos_file_info *info, unsigned index,
                                struct cos_span head, struct cos_span body);

/* For several at once. Moves `wanted` up from where it is to the first place where no item but
 * `index` (UINT16_MAX: no item) has bytes. COS_E_MEMORY_FULL: there is none up to the end of the
 * data. */
enum cos_result cos_slotted_find_free(const struct cos_fs *fs, const struct cos_file_info *info,
                                      unsigned index, struct cos_record *wanted);
/* Where the data begin; where the entry of an item does, and what it is. */
uint32_t cos_slotted_data(const struct cos_file_info *info);
uint32_t cos_slotted_entry(const struct cos_file_info *info, unsigned index);
void cos_slotted_put_entry(uint8_t entry[SLOTTED_ENTRY], const struct cos_file_info *info,
                           const struct cos_record *item);

/* Removes an item; its bytes become 00. The others keep their order if that touches no more pages
 * than to give the place to the last. */
enum cos_result cos_slotted_remove(struct cos_fs *fs, const struct cos_file_info *info,
                                   unsigned index);

#endif
