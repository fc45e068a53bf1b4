/* SPDX-License-Identifier: Apache-2.0
 *
 * Transactions on store pages. docs/design.md ("The store") explains the protocol and why each step
 * of the recovery stands where it stands; docs/formats.md has the bytes.
 *
 * In one paragraph: a transaction writes fresh pages in turn under one sequence number, and the
 * newest transaction is the only one that a power cut can leave in doubt. When its answer is out, a
 * mark is written into the page that the next transaction will begin with; beginning erases that
 * page first. So a mark says "complete, and nothing was begun since". If there is no mark, the
 * start makes its verdict durable before anything is answered: an incomplete transaction is erased,
 * a complete one is written once more.
 */
#include "map.h"

uint32_t cos_store_size(const struct cos_store *store)
{
    return (uint32_t)store->logical_pages * store->payload;
}

static bool inside(const struct cos_store *store, uint32_t address, size_t length)
{
    uint32_t size = cos_store_size(store);

    return address <= size && length <= size - address;
}

enum cos_result cos_store_read(const struct cos_store *store, uint32_t address, uint8_t *data,
                               size_t length)
{
    COS_INVARIANT(inside(store, address, length));
    while (length > 0) {
        uint16_t page = store->config.map[address / store->payload];
        uint32_t offset = address % store->payload;
        size_t run = store->payload - offset < length ? store->payload - offset : length;
        if (page == PAGE_NONE) {
            memset(data, 0, run);
        } else {
            uint32_t at = store->config.start + (uint32_t)page * store->config.page_size +
                          store->header_at + PAGE_HEADER_SIZE + offset;
            COS_TRY(store->nvm->read(store->nvm->context, at, data, run));
        }
        address += (uint32_t)run;
        data += run;
        length -= run;
    }
    return COS_OK;
}

/* The lowest logical page, from `from` on, that an edit touches; PAGE_NONE if there is none. */
static uint16_t touched(const struct cos_store *store, const struct cos_edit *edits, size_t count,
                        uint16_t from)
{
    uint16_t lowest = PAGE_NONE;

    for (size_t i = 0; i < count; i++) {
        if (edits[i].length == 0) {
            continue;
        }
        uint32_t first = edits[i].address / store->payload;
        uint32_t last = (edits[i].address + edits[i].length - 1) / store->payload;
        uint32_t page = first > from ? first : from;
        if (page <= last && page < lowest) {
            lowest = (uint16_t)page;
        }
    }
    return lowest;
}

static enum cos_result sequence_of(const struct cos_store *store, uint16_t page, uint32_t *sequence)
{
    struct page_header header;

    COS_TRY(cos_page_read_header(store, page, &header));
    *sequence = header.sequence;
    return COS_OK;
}

/* Where a transaction writes next, and how many pages it may still try before its own come round
 * again. */
struct turn {
    uint16_t page;
    unsigned left;
};

/* Writes one page of a transaction to the first fresh page in turn that takes it. */
static enum cos_result write_fresh(struct cos_store *store, struct turn *turn,
                                   struct page_header *header, const struct page_source *source)
{
    enum cos_result result = COS_E_MEMORY_FAILURE;

    while (result == COS_E_MEMORY_FAILURE && turn->left > 0) {
        result = cos_page_write(store, turn->page, header, source);
        turn->page = cos_map_next_free(store, turn->page);
        turn->left--;
    }
    return result;
}

/* Writes all pages of a transaction; nothing in RAM changes but *digest. */
static enum cos_result write_pages(struct cos_store *store, const struct cos_edit *edits,
                                   size_t count, unsigned pages, uint32_t *digest)
{
    struct turn turn = {.page = store->next, .left = store->config.reserve};
    uint16_t logical = touched(store, edits, count, 0);

    for (unsigned place = 0; place < pages; place++) {
        struct page_source source = {
            .old = store->config.map[logical], .edits = edits, .count = count};
        struct page_header header = {
            .place = (uint8_t)place,
            .size = (uint8_t)(place + 1 == pages ? pages : 0),
            .logical = logical,
            .slots = {PAGE_NONE, PAGE_NONE, PAGE_NONE},
            .sequence = store->newest + 1,
        };
        if (source.old != PAGE_NONE) {
            uint32_t sequence;
            COS_TRY(sequence_of(store, source.old, &sequence));
            *digest -= cos_map_digest(logical, sequence);
        }
        *digest += cos_map_digest(logical, header.sequence);
        header.digest = header.size != 0 ? *digest : 0;
        COS_TRY(write_fresh(store, &turn, &header, &source));
        logical = touched(store, edits, count, (uint16_t)(logical + 1U));
    }
    return COS_OK;
}

/* Erases the pages of a transaction that could not be ended. COS_E_NVM if one of them stays: the
 * next start must see to it. */
static enum cos_result take_back(struct cos_store *store)
{
    store->settled = false;
    for (uint16_t page = 0; page < store->config.pages; page++) {
        struct page_header header;
        COS_TRY(cos_page_scan_header(store, page, &header));
        if (header.sequence > store->newest) {
            /* Whether a worn page can be erased shows when it is read again. */
            (void)cos_page_erase(store, page);
            COS_TRY(cos_page_scan_header(store, page, &header));
            COS_CHECK(header.sequence <= store->newest, COS_E_NVM);
        }
    }
    return COS_OK;
}

/* Takes the pages of the transaction that was just written into the map. */
static enum cos_result enter_pages(struct cos_store *store, unsigned pages, uint32_t digest)
{
    uint16_t page = store->next;

    store->newest++;
    for (unsigned walked = 0; pages > 0; walked++) {
        struct page_header header;
        bool good = false;
        COS_INVARIANT(walked < store->config.pages);
        COS_TRY(cos_page_scan_header(store, page, &header));
        if (header.sequence == store->newest) {
            COS_TRY(cos_page_check_payload(store, page, header.logical, &good));
        }
        if (good) {
            store->scrub = store->scrub || (header.logical >= store->config.scrub_from &&
                                            store->config.map[header.logical] != PAGE_NONE);
            store->config.map[header.logical] = page;
            store->newest_page = page;
            pages--;
        }
        page = cos_map_next_free(store, page);
    }
    store->digest = digest;
    store->next = cos_map_next_free(store, store->newest_page);
    store->settled = false;
    return COS_OK;
}

/* Every edit, and what it copies, must lie inside the space. */
static enum cos_result check_ranges(const struct cos_store *store, const struct cos_edit *edits,
                                    size_t count)
{
    for (size_t i = 0; i < count; i++) {
        COS_INVARIANT(inside(store, edits[i].address, edits[i].length));
        COS_INVARIANT(!cos_edit_copies(&edits[i]) || inside(store, edits[i].from, edits[i].length));
    }
    return COS_OK;
}

/* Damage must not be copied under a good CRC: each page that bytes are copied from is checked. */
static enum cos_result check_sources(struct cos_store *store, const struct cos_edit *edits,
                                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!cos_edit_copies(&edits[i]) || edits[i].length == 0) {
            continue;
        }
        uint16_t last = (uint16_t)((edits[i].from + edits[i].length - 1) / store->payload);
        for (uint16_t page = (uint16_t)(edits[i].from / store->payload); page <= last; page++) {
            bool good = true;
            if (store->config.map[page] != PAGE_NONE) {
                COS_TRY(cos_page_check_payload(store, store->config.map[page], page, &good));
            }
            COS_CHECK(good, COS_E_STORE_DAMAGED);
        }
    }
    return COS_OK;
}

enum cos_result cos_store_commit(struct cos_store *store, const struct cos_edit *edits,
                                 size_t count)
{
    unsigned pages = 0;
    uint32_t digest = store->digest;

    COS_CHECK(!store->broken, COS_E_NVM);
    COS_CHECK(!store->worn_out, COS_E_MEMORY_FAILURE);
    COS_TRY(check_ranges(store, edits, count));
    for (uint16_t page = touched(store, edits, count, 0); page != PAGE_NONE;
         page = touched(store, edits, count, (uint16_t)(page + 1U))) {
        pages++;
    }
    if (pages == 0) {
        return COS_OK;
    }
    COS_CHECK(pages + COS_STORE_SLACK <= store->config.reserve, COS_E_MEMORY_FULL);
    COS_CHECK(store->newest < UINT32_MAX - 2, COS_E_MEMORY_FAILURE);
    COS_TRY(check_sources(store, edits, count));
    enum cos_result result = write_pages(store, edits, count, pages, &digest);
    if (result == COS_OK) {
        /* Half a map is no map: what is in NVM stands, and the next start reads it. */
        result = enter_pages(store, pages, digest);
        store->broken = result != COS_OK;
        return result;
    }
    store->broken = take_back(store) != COS_OK;
    return store->broken ? COS_E_NVM : result;
}

/* Writes the settle mark of the newest transaction into the first page in turn that takes it: that
 * is where the next transaction begins. A page whose slot is used is erased first. */
static enum cos_result write_settle_mark(struct cos_store *store)
{
    for (unsigned tries = 0; tries < store->config.reserve; tries++) {
        uint32_t written = 0;
        bool blank;
        COS_TRY(cos_page_is_blank(store, store->next, 0, store->header_at, &blank));
        if (blank || cos_page_erase(store, store->next) == COS_OK) {
            (void)cos_page_write_mark(store, store->next, PAGE_MARK_SETTLED, store->newest);
            COS_TRY(cos_page_read_mark(store, store->next, PAGE_MARK_SETTLED, &written));
        }
        if (written == store->newest) {
            return COS_OK;
        }
        store->next = cos_map_next_free(store, store->next);
    }
    return COS_E_MEMORY_FAILURE;
}

/* Whether a page that is not in use may still hold what once was a secret. */
static enum cos_result holds_old_secret(const struct cos_store *store, uint16_t page, bool *holds)
{
    struct page_header header;
    bool blank = true;

    *holds = false;
    if (cos_map_is_live(store, page)) {
        return COS_OK;
    }
    COS_TRY(cos_page_scan_header(store, page, &header));
    if (header.sequence != 0) {
        *holds = header.logical >= store->config.scrub_from;
        return COS_OK;
    }
    /* No header: blank, or what a torn erase left of anything; that a mark was put there since says
     * nothing about the bytes behind it. */
    COS_TRY(cos_page_is_blank(store, page, store->header_at, store->config.page_size, &blank));
    *holds = !blank;
    return COS_OK;
}

enum cos_result cos_store_scrub(struct cos_store *store)
{
    for (uint16_t page = 0; store->config.scrub_from != PAGE_NONE && page < store->config.pages;
         page++) {
        bool holds;
        COS_TRY(holds_old_secret(store, page, &holds));
        if (holds) {
            /* A worn page that cannot be erased must not stop the others. */
            bool erased = cos_page_erase(store, page) == COS_OK;
            if (erased && store->settled && page == store->next) {
                COS_TRY(cos_page_write_mark(store, page, PAGE_MARK_SETTLED, store->newest));
            }
        }
    }
    store->scrub = false;
    return COS_OK;
}

/* Moves a page that never moves by itself, if its place is much less worn than the newest page's.
 */
static enum cos_result level_wear(struct cos_store *store)
{
    struct page_header newest, cold;
    uint8_t byte;

    store->level_page = (uint16_t)((store->level_page + 1U) % store->config.pages);
    if (!cos_map_is_live(store, store->level_page)) {
        return COS_OK;
    }
    COS_TRY(cos_page_read_header(store, store->newest_page, &newest));
    COS_TRY(cos_page_read_header(store, store->level_page, &cold));
    if (cold.erases + COS_STORE_LEVEL >= newest.erases) {
        return COS_OK;
    }
    const struct cos_edit same = {(uint32_t)cold.logical * store->payload, &byte, 1};
    COS_TRY(cos_store_read(store, same.address, &byte, 1));
    return cos_store_commit(store, &same, 1);
}

enum cos_result cos_store_settle(struct cos_store *store)
{
    if (store->newest == 0 || store->settled || store->broken || store->worn_out) {
        return COS_OK;
    }
    COS_TRY(level_wear(store));
    if (store->scrub) {
        COS_TRY(cos_store_scrub(store));
    }
    COS_TRY(write_settle_mark(store));
    store->settled = true;
    return COS_OK;
}

enum cos_result cos_store_wear(const struct cos_store *store, struct cos_store_wear *wear)
{
    *wear = (struct cos_store_wear){.lowest = UINT32_MAX, .pages = store->config.pages};
    for (uint16_t page = 0; page < store->config.pages; page++) {
        struct page_header header;
        COS_TRY(cos_page_scan_header(store, page, &header));
        if (header.sequence == 0) {
            wear->unknown++;
            continue;
        }
        wear->lowest = header.erases < wear->lowest ? header.erases : wear->lowest;
        wear->highest = header.erases > wear->highest ? header.erases : wear->highest;
        wear->total += header.erases;
    }
    if (wear->lowest > wear->highest) {
        wear->lowest = 0;
    }
    return COS_OK;
}
