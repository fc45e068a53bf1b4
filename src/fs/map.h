/* SPDX-License-Identifier: Apache-2.0
 *
 * The map in RAM from logical to physical pages, and what follows from it: which page comes next in
 * turn.
 */
#ifndef COS_FS_MAP_H
#define COS_FS_MAP_H

#include "page.h"

/* Whether the map uses the physical page. */
bool cos_map_is_live(const struct cos_store *store, uint16_t page);

/* A map of no page. */
void cos_map_clear(struct cos_store *store);

/* The logical page is in this physical page from now on. */
void cos_map_set(struct cos_store *store, uint16_t logical, uint16_t page);

/* The first page after `page`, in turn, that the map does not use. There is one: reserve pages are
 * never mapped. */
uint16_t cos_map_next_free(const struct cos_store *store, uint16_t page);

/* One page's share of the map digest, which is the sum of all live pages' shares (mod 2^32). */
uint32_t cos_map_digest(uint16_t logical, uint32_t sequence);

/* Whether no older copy of the page at an address stays: it was never written, or its present copy
 * asks for scrubbing. */
enum cos_result cos_store_leaves_nothing(const struct cos_store *store, uint32_t address,
                                         bool *nothing);

/* Erases superseded copies of secrets. Runs only when nothing is in doubt. */
enum cos_result cos_store_scrub(struct cos_store *store);

#endif
