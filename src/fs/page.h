/* SPDX-License-Identifier: Apache-2.0
 *
 * Store pages in NVM, byte by byte (docs/formats.md, "Store pages"): what one page says and how one
 * is written. What the pages mean together is the business of store.c.
 */
#ifndef COS_FS_PAGE_H
#define COS_FS_PAGE_H

#include "cos/store.h"

#define PAGE_NONE        0xFFFFU
#define PAGE_MARK_SIZE   8U
#define PAGE_HEADER_SIZE 28U
#define PAGE_CRC_SIZE    4U
#define PAGE_SCRUB       0x80U /* in the format byte of a header */

struct page_header {
    uint8_t place;     /* in the transaction, from 0 */
    uint8_t size;      /* pages of the transaction, on its last page; else 0 */
    uint16_t logical;  /* logical page number */
    uint16_t slots[4]; /* refresh copies: the two pages they alternate between, the mark's page, and
                          that of a second mark (PAGE_NONE: nowhere); else PAGE_NONE */
    bool scrub;        /* older copies of the logical page are to be erased */
    uint32_t sequence; /* of the transaction, from 1 */
    uint32_t erases;   /* how often this physical page was erased; 24 bits */
    uint32_t digest;   /* of the map after the transaction, on its last page; else 0 */
};

/* What is laid over the bytes of the space as the map shows it, to make the payload of a fresh
 * page. */
struct page_source {
    const struct cos_edit *edits;
    size_t count;
};

/* Whether the edit copies bytes of the space as it was. */
static inline bool cos_edit_copies(const struct cos_edit *edit)
{
    return edit->data == NULL && edit->from != 0;
}

/* Reads a header. COS_E_STORE_DAMAGED if there is none that its CRC vouches for. */
enum cos_result cos_page_read_header(const struct cos_store *store, uint16_t page,
                                     struct page_header *header);

/* The same for a page that may hold anything: sequence 0 if it is no page of a transaction, erases
 * 0 if there is no header at all. */
enum cos_result cos_page_scan_header(const struct cos_store *store, uint16_t page,
                                     struct page_header *header);

/* Whether the payload agrees with its CRC. Uses the merge buffer. */
enum cos_result cos_page_check_payload(struct cos_store *store, uint16_t page, uint16_t logical,
                                       bool *good);

/* A mark says of a transaction: it is settled; or of a refresh copy: its partner, this page, was
 * erased. */
enum page_mark {
    PAGE_MARK_SETTLED = 0x53,
    PAGE_MARK_RETIRED = 0x52,
};

/* The sequence number that the page's mark of this kind names, 0 if there is no such mark. */
enum cos_result cos_page_read_mark(const struct cos_store *store, uint16_t page,
                                   enum page_mark kind, uint32_t *sequence);

/* Programs a mark that names the newest transaction; the page's mark slot must be erased. One
 * program operation for each tear unit of the slot. */
enum cos_result cos_page_write_mark(const struct cos_store *store, uint16_t page,
                                    enum page_mark kind);

/* Whether bytes [from, end) of the page read as erased. The mark slot is [0, header_at). */
enum cos_result cos_page_is_blank(const struct cos_store *store, uint16_t page, size_t from,
                                  size_t end, bool *blank);

/* COS_E_STORE_DAMAGED for a page that the map uses: only a forged image can ask for that. */
enum cos_result cos_page_erase(const struct cos_store *store, uint16_t page);

/* Erases the page, and writes a header that says no more than how often that was done. */
enum cos_result cos_page_clear(struct cos_store *store, uint16_t page);

/* Erases the page, writes it and reads it back. header->erases is filled in. COS_E_MEMORY_FAILURE
 * if it does not hold what was written; COS_E_STORE_DAMAGED if the old page turns out not to be
 * what its CRC says. */
enum cos_result cos_page_write(struct cos_store *store, uint16_t page, struct page_header *header,
                               const struct page_source *source);

#endif
