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
        cos_idle(store->config.board);
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
static uint16_t touched(const struct cos_store *store, const struct page_source *source,
                        uint16_t from)
{
    uint16_t lowest = PAGE_NONE;

    for (size_t i = 0; i < source->count; i++) {
        const struct cos_edit *edit = &source->edits[i];
        if (edit->length == 0) {
            continue;
        }
        uint32_t first = edit->address / store->payload;
        uint32_t last = (edit->address + edit->length - 1) / store->payload;
        uint32_t page = first > from ? first : from;
        if (page <= last && page < lowest) {
            lowest = (uint16_t)page;
        }
    }
    return lowest;
}

/* Whether an edit that touches the logical page wants its older copies erased. */
static bool wants_scrub(const struct cos_store *store, const struct page_source *source,
                        uint16_t logical)
{
    for (size_t i = 0; i < source->count; i++) {
        const struct page_source one = {&source->edits[i], 1};
        if (source->edits[i].scrub && touched(store, &one, logical) == logical) {
            return true;
        }
    }
    return false;
}

/* Prepares the header that takes the place of the logical page's present one. A wish to scrub that
 * was not fulfilled yet goes on. */
static enum cos_result supersede(const struct cos_store *store, struct page_header *header,
                                 uint32_t *digest)
{
    const uint16_t old = store->config.map[header->logical];
    struct page_header before;

    if (old != PAGE_NONE) {
        COS_TRY(cos_page_read_header(store, old, &before));
        *digest -= cos_map_digest(header->logical, before.sequence);
        header->scrub = header->scrub || (store->scrub && before.scrub);
    }
    *digest += cos_map_digest(header->logical, header->sequence);
    return COS_OK;
}

/* Where a transaction writes next, where it wrote last, how many pages it may still try before it
 * comes round to its own, and the digest of the map with what it has written. */
struct turn {
    uint16_t page, last;
    unsigned left;
    uint32_t digest;
};

/* Writes one page of a transaction to the first fresh page in turn that takes it. */
static enum cos_result write_fresh(struct cos_store *store, struct turn *turn,
                                   struct page_header *header, const struct page_source *source)
{
    enum cos_result result = COS_E_MEMORY_FAILURE;

    while (result == COS_E_MEMORY_FAILURE && turn->left > 0) {
        result = cos_page_write(store, turn->page, header, source);
        turn->last = turn->page;
        turn->page = cos_map_next_free(store, turn->page);
        turn->left--;
    }
    return result;
}

/* Writes all pages of a transaction; nothing in RAM changes but the turn. */
static enum cos_result write_pages(struct cos_store *store, const struct page_source *source,
                                   struct turn *turn)
{
    uint16_t logical = touched(store, source, 0);

    for (unsigned place = 0; logical != PAGE_NONE; place++) {
        uint16_t following = touched(store, source, (uint16_t)(logical + 1U));
        struct page_header header = {
            .place = (uint8_t)place,
            .size = (uint8_t)(following == PAGE_NONE ? place + 1 : 0),
            .logical = logical,
            .slots = {PAGE_NONE, PAGE_NONE, PAGE_NONE, PAGE_NONE},
            .scrub = wants_scrub(store, source, logical),
            .sequence = store->newest + 1,
        };
        COS_TRY(supersede(store, &header, &turn->digest));
        header.digest = header.size != 0 ? turn->digest : 0;
        COS_TRY(write_fresh(store, turn, &header, source));
        logical = following;
    }
    return COS_OK;
}

/* Erases the pages of a transaction that could not be ended. COS_E_NVM if one of them stays: the
 * next start must see to it. */
static enum cos_result take_back(struct cos_store *store)
{
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

/* Takes the pages of the transaction that was just written into the map. Where a spare page was
 * needed the later one counts. */
static enum cos_result enter_pages(struct cos_store *store, const struct turn *turn)
{
    store->newest++;
    do {
        struct page_header header;
        store->newest_page = store->next;
        COS_TRY(cos_page_scan_header(store, store->newest_page, &header));
        if (header.sequence == store->newest) {
            store->scrub =
                store->scrub || header.scrub || header.logical >= store->config.scrub_from;
            cos_map_set(store, header.logical, store->newest_page);
        }
        store->next = cos_map_next_free(store, store->newest_page);
    } while (store->newest_page != turn->last);
    store->digest = turn->digest;
    return COS_OK;
}

/* The range must lie inside the space, and damage must not be copied under a good CRC: each page of
 * it is checked. */
static enum cos_result check_range(struct cos_store *store, uint32_t address, uint32_t length)
{
    COS_INVARIANT(inside(store, address, length));
    for (uint32_t page = address / store->payload; page * store->payload < address + length;
         page++) {
        uint16_t physical = store->config.map[page];
        bool good = true;
        if (physical != PAGE_NONE) {
            COS_TRY(cos_page_check_payload(store, physical, (uint16_t)page, &good));
        }
        COS_CHECK(good, COS_E_STORE_DAMAGED);
    }
    return COS_OK;
}

enum cos_result cos_store_commit(struct cos_store *store, const struct cos_edit *edits,
                                 size_t count)
{
    const struct page_source source = {.edits = edits, .count = count};
    unsigned pages = 0;
    struct turn turn = {
        .page = store->next, .left = store->config.reserve, .digest = store->digest};

    COS_CHECK(!store->broken, COS_E_NVM);
    COS_CHECK(!store->worn_out, COS_E_MEMORY_FAILURE);
    for (size_t i = 0; i < count; i++) {
        COS_INVARIANT(inside(store, edits[i].address, edits[i].length));
        if (cos_edit_copies(&edits[i])) {
            COS_TRY(check_range(store, edits[i].from, edits[i].length));
        }
    }
    for (uint16_t page = touched(store, &source, 0); page != PAGE_NONE;
         page = touched(store, &source, (uint16_t)(page + 1U))) {
        pages++;
    }
    if (pages == 0) {
        return COS_OK;
    }
    COS_CHECK(pages + COS_STORE_SLACK <= store->config.reserve, COS_E_MEMORY_FULL);
    COS_CHECK(store->newest < UINT32_MAX - 2, COS_E_MEMORY_FAILURE);
    store->settled = false; /* beginning erases the mark */
    enum cos_result result = write_pages(store, &source, &turn);
    if (result == COS_OK) {
        /* Half a map is no map: what is in NVM stands, and the next start reads it. */
        result = enter_pages(store, &turn);
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
            (void)cos_page_write_mark(store, store->next, PAGE_MARK_SETTLED);
            COS_TRY(cos_page_read_mark(store, store->next, PAGE_MARK_SETTLED, &written));
        }
        if (written == store->newest) {
            return COS_OK;
        }
        store->next = cos_map_next_free(store, store->next);
    }
    return COS_E_MEMORY_FAILURE;
}

/* Whether a page that is not in use may still hold what once was a secret: of a logical page that
 * always is one, or whose present copy asks for it. */
static enum cos_result holds_old_secret(const struct cos_store *store, uint16_t page, bool *holds)
{
    struct page_header header, live = {.scrub = false};
    bool blank = true;

    *holds = false;
    if (cos_map_is_live(store, page)) {
        return COS_OK;
    }
    COS_TRY(cos_page_scan_header(store, page, &header));
    if (header.sequence != 0) {
        if (store->config.map[header.logical] != PAGE_NONE) {
            COS_TRY(cos_page_read_header(store, store->config.map[header.logical], &live));
        }
        *holds = live.scrub || header.logical >= store->config.scrub_from;
        return COS_OK;
    }
    /* Cleared, blank, or what a torn erase left of anything; what stands before the payload says
     * nothing about the bytes behind it. */
    COS_TRY(cos_page_is_blank(store, page, (size_t)store->header_at + PAGE_HEADER_SIZE,
                              store->config.page_size, &blank));
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
            bool cleared = cos_page_clear(store, page) == COS_OK;
            if (cleared && store->settled && page == store->next) {
                COS_TRY(cos_page_write_mark(store, page, PAGE_MARK_SETTLED));
            }
        }
    }
    store->scrub = false;
    return COS_OK;
}

enum cos_result cos_store_leaves_nothing(const struct cos_store *store, uint32_t address,
                                         bool *nothing)
{
    const uint16_t page = store->config.map[address / store->payload];
    struct page_header header;

    *nothing = page == PAGE_NONE;
    if (page != PAGE_NONE) {
        COS_TRY(cos_page_read_header(store, page, &header));
        *nothing = header.scrub;
    }
    return COS_OK;
}

/* Moves a page that never moves by itself, if its place is much less worn than the newest page's.
 * Which page is looked at follows from the sequence number, since power sessions are short: all
 * pages in turn, and from the next one on in the next round, should transactions come in twos. */
static enum cos_result level_wear(struct cos_store *store)
{
    const uint16_t page =
        (uint16_t)((store->newest + store->newest / store->config.pages) % store->config.pages);
    struct page_header newest, cold;

    if (!cos_map_is_live(store, page)) {
        return COS_OK;
    }
    COS_TRY(cos_page_read_header(store, store->newest_page, &newest));
    COS_TRY(cos_page_read_header(store, page, &cold));
    if (cold.erases + COS_STORE_LEVEL >= newest.erases) {
        return COS_OK;
    }
    /* Its second byte is copied to where it is. */
    const uint32_t at = (uint32_t)cold.logical * store->payload + 1;
    const struct cos_edit same = {.address = at, .length = 1, .from = at};
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
        if (header.erases == 0) {
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
