/* SPDX-License-Identifier: Apache-2.0
 *
 * The atomic store: a flat logical byte space over NVM, written by transactions that are atomic
 * whatever the power does. docs/formats.md fixes the bytes in NVM, docs/design.md says why it is
 * done this way.
 *
 * A transaction is one call, cos_store_commit(), with a list of edits: it is not there, or it is
 * all there. So there is no half-open transaction that anybody could forget, and no buffer for one:
 * old and new bytes are streamed into fresh pages.
 *
 * Bytes that were never written read as 00.
 */
#ifndef COS_STORE_H
#define COS_STORE_H

#include "cos/bytes.h"
#include "cos/config.h"
#include "cos/port.h"

/* Largest number of physical pages; an eighth of it in bytes of RAM. */
#ifndef COS_STORE_PAGES_MAX
#define COS_STORE_PAGES_MAX 512
#endif

/* Sizes that the chip's configuration chooses. Geometry and these must agree with the image for its
 * whole life. */
struct cos_store_config {
    uint32_t start;     /* where the store begins in NVM; a multiple of the page size */
    uint16_t page_size; /* bytes of a store page: a multiple of the erase unit, at least 64, at most
                           32,768 */
    uint16_t pages;     /* physical pages, at least reserve + 1, at most COS_STORE_PAGES_MAX */
    uint16_t reserve; /* physical pages kept free; a transaction may touch reserve - COS_STORE_SLACK
                         pages */
    uint16_t scrub_from; /* logical pages from this one on hold secrets: superseded copies of them
                            are erased by cos_store_settle() or at the next start. 0xFFFF: none,
                            whatever edits ask for */
    uint16_t *map;       /* pages - reserve entries, the caller's RAM, owned by the store */
    const struct cos_board *board; /* whose idle() is called between operations on NVM. Set by the
                                      chip itself; NULL: nobody's */
};

/* State of one mounted store. The members are private to src/fs. */
struct cos_store {
    const struct cos_nvm *nvm;
    struct cos_store_config config;
    uint32_t newest;        /* sequence number of the newest transaction; 0 = empty store */
    uint32_t digest;        /* of the map, see docs/formats.md */
    uint16_t newest_page;   /* physical page that the newest transaction ends with */
    uint16_t next;          /* physical page that the next transaction begins with */
    uint16_t logical_pages; /* pages - reserve */
    uint16_t payload;       /* logical bytes a page */
    uint16_t header_at;     /* offset of a page's header, behind the program units of its mark */
    bool settled;           /* the newest transaction has its mark */
    bool scrub;             /* superseded secrets wait to be erased */
    bool broken;            /* a commit failed half-way: mount again */
    bool worn_out;          /* no spare page is left: reads only */
    uint8_t used[(COS_STORE_PAGES_MAX + 7) / 8]; /* a bit for each physical page in the map */
    uint8_t merge[COS_STORE_MERGE];
};

/* One run of new bytes: `length` bytes at `address`. Later edits win where edits overlap.
 *   data != NULL             the bytes there; they must not lie in the store's own struct
 *   data == NULL, from != 0  a copy: the bytes that stood at `from` before the transaction,
 * whatever its edits do to them; source and target may overlap data == NULL, from == 0  zeros; so
 * nothing is ever copied from the first byte of the space */
struct cos_edit {
    uint32_t address;
    const uint8_t *data;
    uint32_t length;
    uint32_t from;
    bool scrub; /* older copies of the pages it touches are erased by cos_store_settle() or at the
                   next start, as for pages from scrub_from on; no effect if that is 0xFFFF */
};

/* Mounts the store: checks every page, ends what a power cut left open (which may write NVM), and
 * builds the map. Time is proportional to the number of pages. Before it returns, everything it
 * will answer from is durable. COS_OK; COS_E_STORE_BLANK: there is no page of a store at all (never
 * used, or wiped: the caller knows which), the store is usable and empty; COS_E_STORE_DAMAGED: the
 * image cannot be trusted; no live page was touched; COS_E_STORE_VERSION: its format is another
 * one; COS_E_NVM; COS_E_INVARIANT: config and geometry do not fit. A store whose last spare pages
 * are worn out is mounted for reading: every commit then answers COS_E_MEMORY_FAILURE. */
enum cos_result cos_store_mount(struct cos_store *store, const struct cos_nvm *nvm,
                                const struct cos_store_config *config);

/* Size of the logical space in bytes. */
uint32_t cos_store_size(const struct cos_store *store);

/* Reads `length` bytes at `address`. COS_E_INVARIANT: outside the space; COS_E_NVM. Writes no NVM.
 */
enum cos_result cos_store_read(const struct cos_store *store, uint32_t address, uint8_t *data,
                               size_t length);

/* Makes all edits or none: n page programs for the n store pages that they touch. Durable when it
 * returns COS_OK; on error the space is as before. COS_E_MEMORY_FULL: more pages than one
 * transaction may touch; COS_E_MEMORY_FAILURE: no spare page takes the data; COS_E_STORE_DAMAGED: a
 * page that is kept in part or copied from is not what its CRC says; COS_E_INVARIANT: outside the
 * space, be it what is written or what is copied; COS_E_NVM. Edits of total length 0 write nothing.
 */
enum cos_result cos_store_commit(struct cos_store *store, const struct cos_edit *edits,
                                 size_t count);

/* To be called when the answer is out: writes the settle mark of the newest transaction (one
 * program unit), if it has none, and erases superseded secrets. It need not be called at all: the
 * next start then does the work. At most one page is moved for wear levelling. Errors are not the
 * command's: they are found again when they matter. */
enum cos_result cos_store_settle(struct cos_store *store);

/* Erase counts over all pages, for reports. */
struct cos_store_wear {
    uint32_t lowest, highest;
    uint64_t total;
    uint16_t pages;   /* physical pages */
    uint16_t unknown; /* pages that say nothing (blank or damaged) */
};
enum cos_result cos_store_wear(const struct cos_store *store, struct cos_store_wear *wear);

#endif
