/* SPDX-License-Identifier: Apache-2.0
 *
 * The start of the store: find the newest transaction, end what a power cut left open, build the
 * map. docs/design.md ("The store") explains why each step of the recovery stands where it stands.
 */
#include "map.h"

/* What a scan of all pages finds about the newest transaction. */
struct newest {
    uint32_t sequence; /* 0: there is no page at all */
    uint16_t last;     /* physical page with the highest place */
    uint32_t mark;     /* highest sequence number that any mark names */
    uint16_t mark_page;
    bool complete;
    struct page_header header; /* of `last` */
};

static bool geometry_fits(const struct cos_nvm_geometry *geometry,
                          const struct cos_store_config *config, uint16_t header_at)
{
    return geometry->tear_unit != 0 && geometry->tear_unit % geometry->program_unit == 0 &&
           geometry->erase_unit != 0 && geometry->erase_unit % geometry->tear_unit == 0 &&
           config->page_size >= 64 && config->page_size % geometry->erase_unit == 0 &&
           config->page_size > header_at + PAGE_HEADER_SIZE + PAGE_CRC_SIZE + 1 &&
           config->start % config->page_size == 0 && config->reserve > COS_STORE_SLACK &&
           config->reserve - COS_STORE_SLACK <= 255 && config->pages > config->reserve &&
           config->pages <= COS_STORE_PAGES_MAX && config->start <= geometry->size &&
           (uint32_t)config->pages * config->page_size <= geometry->size - config->start;
}

static enum cos_result set_up(struct cos_store *store, const struct cos_nvm *nvm,
                              const struct cos_store_config *config)
{
    const uint16_t unit = nvm->geometry.program_unit;

    COS_INVARIANT(unit != 0 && COS_STORE_MERGE % unit == 0);
    memset(store, 0, sizeof *store);
    store->nvm = nvm;
    store->config = *config;
    store->header_at = (uint16_t)((PAGE_MARK_SIZE + unit - 1U) / unit * unit);
    COS_INVARIANT(geometry_fits(&nvm->geometry, config, store->header_at));
    store->payload =
        (uint16_t)(config->page_size - store->header_at - PAGE_HEADER_SIZE - PAGE_CRC_SIZE);
    store->logical_pages = (uint16_t)(config->pages - config->reserve);
    return COS_OK;
}

/* ---- Mount ---- */

/* First pass: the highest sequence number of all headers and of all marks. */
static enum cos_result scan_newest(const struct cos_store *store, struct newest *newest)
{
    *newest = (struct newest){.last = PAGE_NONE, .mark_page = PAGE_NONE};
    for (uint16_t page = 0; page < store->config.pages; page++) {
        struct page_header header;
        uint32_t mark;
        COS_TRY(cos_page_scan_header(store, page, &header));
        if (header.sequence != 0 &&
            (header.sequence > newest->sequence ||
             (header.sequence == newest->sequence && header.place >= newest->header.place))) {
            newest->sequence = header.sequence;
            newest->last = page;
            newest->header = header;
        }
        COS_TRY(cos_page_read_mark(store, page, PAGE_MARK_SETTLED, &mark));
        if (mark > newest->mark) {
            newest->mark = mark;
            newest->mark_page = page;
        }
    }
    return COS_OK;
}

/* Second pass: is every page of the newest transaction there and good? */
static enum cos_result judge_newest(struct cos_store *store, struct newest *newest)
{
    uint8_t good_places[32] = {0};
    unsigned good_count = 0;
    uint8_t size = 0;

    for (uint16_t page = 0; page < store->config.pages; page++) {
        struct page_header header;
        bool good = false;
        COS_TRY(cos_page_scan_header(store, page, &header));
        if (header.sequence != newest->sequence) {
            continue;
        }
        COS_TRY(cos_page_check_payload(store, page, header.logical, &good));
        uint8_t bit = (uint8_t)(1U << header.place % 8U);
        if (!good || (good_places[header.place / 8] & bit) != 0) {
            continue;
        }
        good_places[header.place / 8] |= bit;
        good_count++;
        if (header.size !=
            0) { /* a retry on a spare page leaves the same place twice: the good one counts */
            size = header.size;
            newest->last = page;
            newest->header = header;
        }
    }
    newest->complete = size != 0 && good_count == size;
    return COS_OK;
}

/* Of two pages with the same logical number the higher sequence wins; at a tie (a retry on a spare
 * page) the good one. */
static enum cos_result page_wins(struct cos_store *store, uint16_t page,
                                 const struct page_header *header, bool *wins)
{
    uint16_t rival = store->config.map[header->logical];
    struct page_header rival_header;

    *wins = true;
    if (rival == PAGE_NONE) {
        return COS_OK;
    }
    COS_TRY(cos_page_read_header(store, rival, &rival_header));
    if (rival_header.sequence == header->sequence) {
        return cos_page_check_payload(store, page, header->logical, wins);
    }
    *wins = header->sequence > rival_header.sequence;
    return COS_OK;
}

/* Third pass: the map as it was after the transaction `limit`. */
static enum cos_result build_map(struct cos_store *store, uint32_t limit)
{
    cos_map_clear(store);
    for (uint16_t page = 0; page < store->config.pages; page++) {
        struct page_header header;
        bool wins;
        COS_TRY(cos_page_scan_header(store, page, &header));
        if (header.sequence == 0 || header.sequence > limit) {
            continue;
        }
        COS_TRY(page_wins(store, page, &header, &wins));
        if (wins) {
            cos_map_set(store, header.logical, page);
        }
    }
    return COS_OK;
}

/* Every live page must be good, and together they must be what the newest transaction left. */
static enum cos_result verify_map(struct cos_store *store, const struct newest *newest)
{
    uint32_t digest = 0;

    for (uint16_t logical = 0; logical < store->logical_pages; logical++) {
        uint16_t page = store->config.map[logical];
        struct page_header header;
        bool good = false;
        if (page == PAGE_NONE) {
            continue;
        }
        COS_TRY(cos_page_read_header(store, page, &header));
        COS_TRY(cos_page_check_payload(store, page, logical, &good));
        COS_CHECK(good, COS_E_STORE_DAMAGED);
        digest += cos_map_digest(logical, header.sequence);
    }
    COS_CHECK(digest == newest->header.digest, COS_E_STORE_DAMAGED);
    store->digest = digest;
    store->newest = newest->sequence;
    store->newest_page = newest->last;
    return COS_OK;
}

/* ---- Recovery ---- */

static bool is_refresh(const struct page_header *header)
{
    return header->slots[0] != PAGE_NONE && header->slots[1] != PAGE_NONE &&
           header->slots[2] != PAGE_NONE;
}

static uint16_t partner_of(const struct page_header *header, uint16_t page)
{
    return header->slots[0] == page ? header->slots[1] : header->slots[0];
}

/* Whether the refresh copy's partner holds the same page, older, and good. */
static enum cos_result partner_is_good(struct cos_store *store, const struct newest *newest,
                                       bool *good)
{
    uint16_t partner = partner_of(&newest->header, newest->last);
    struct page_header header;

    *good = false;
    COS_TRY(cos_page_scan_header(store, partner, &header));
    if (header.sequence == 0 || header.sequence >= newest->sequence ||
        header.logical != newest->header.logical) {
        return COS_OK;
    }
    return cos_page_check_payload(store, partner, header.logical, good);
}

/* Erases what an ordinary transaction left that was cut: the two pages behind its last visible one
 * first, since they may hold what does not show today, then its own pages from the last to the
 * first, so that what is left is always a beginning. */
static enum cos_result erase_torn(struct cos_store *store, const struct newest *newest)
{
    uint16_t behind = cos_map_next_free(store, newest->last);

    COS_TRY(cos_page_erase(store, cos_map_next_free(store, behind)));
    COS_TRY(cos_page_erase(store, behind));
    uint16_t page = newest->last;
    for (unsigned walked = 0; walked < store->config.pages; walked++) {
        struct page_header header;
        COS_TRY(cos_page_scan_header(store, page, &header));
        if (header.sequence != 0 && header.sequence == newest->sequence) {
            COS_TRY(cos_page_erase(store, page));
        }
        page = (uint16_t)(page > 0 ? page - 1U : store->config.pages - 1U);
    }
    return COS_OK;
}

/* Erases the page of a second mark, if there is one. */
static enum cos_result erase_second(const struct cos_store *store, uint16_t second)
{
    return second != PAGE_NONE ? cos_page_erase(store, second) : COS_OK;
}

/* Erases a refresh copy that was cut. Its marks first: they may have been torn, and show one day
 * when the copy is gone. */
static enum cos_result drop_copy(const struct cos_store *store, const struct newest *newest)
{
    COS_TRY(erase_second(store, newest->header.slots[3]));
    COS_TRY(cos_page_erase(store, newest->header.slots[2]));
    return cos_page_erase(store, newest->last);
}

/* Finds the newest complete transaction. At most one ordinary transaction and the copies of one
 * refresh can be torn; an image that has more was not left by a power cut. */
static enum cos_result find_newest(struct cos_store *store, struct newest *newest)
{
    bool torn_transaction = false;

    for (unsigned torn_copies = 0; torn_copies <= 2;) {
        COS_TRY(scan_newest(store, newest));
        COS_CHECK(newest->mark <= newest->sequence, COS_E_STORE_DAMAGED);
        if (newest->sequence == 0) {
            return COS_OK;
        }
        COS_TRY(judge_newest(store, newest));
        bool marked = newest->mark == newest->sequence;
        COS_CHECK(newest->complete || !marked, COS_E_STORE_DAMAGED);
        bool stale_copy = false;
        if (newest->complete && is_refresh(&newest->header) && !marked) {
            COS_TRY(partner_is_good(store, newest, &stale_copy));
        }
        if (newest->complete && !stale_copy) {
            return COS_OK;
        }
        if (is_refresh(&newest->header)) {
            torn_copies++;
            cos_map_clear(store);
            COS_TRY(drop_copy(store, newest));
        } else {
            COS_CHECK(!torn_transaction, COS_E_STORE_DAMAGED);
            torn_transaction = true;
            COS_TRY(build_map(store, newest->sequence - 1));
            COS_TRY(erase_torn(store, newest));
        }
    }
    return COS_E_STORE_DAMAGED;
}

/* The end of a refresh: the copy is complete and has its mark. Erases the partner and a second
 * mark, and notes in the partner that this was done: only then may the mark be destroyed by the
 * next transaction. */
static enum cos_result retire_partner(struct cos_store *store, uint16_t partner, uint16_t second)
{
    if (cos_page_erase(store, partner) != COS_OK) {
        return COS_OK; /* lost power, or worn: it cannot even take the note */
    }
    COS_TRY(erase_second(store, second));
    return cos_page_write_mark(store, partner, PAGE_MARK_RETIRED);
}

/* The newest transaction is complete but has no mark: it may have been torn in its last page and
 * read well today only. Writes that page once more; `places` has the slots. */
static enum cos_result refresh(struct cos_store *store, const struct newest *newest,
                               const struct page_header *places)
{
    struct page_header header = *places;
    const struct page_source source = {0};
    uint16_t mark = header.slots[2];
    uint16_t target = partner_of(&header, newest->last);

    COS_CHECK(newest->sequence < UINT32_MAX - 1, COS_E_MEMORY_FAILURE);
    header.place = 0;
    header.size = 1;
    header.logical = newest->header.logical;
    header.sequence = newest->sequence + 1;
    header.digest = store->digest - cos_map_digest(header.logical, newest->sequence) +
                    cos_map_digest(header.logical, header.sequence);
    COS_TRY(cos_page_erase(store, mark));
    COS_TRY(cos_page_write(store, target, &header, &source));
    cos_map_set(store, header.logical, target);
    store->digest = header.digest;
    store->newest = header.sequence;
    store->newest_page = target;
    COS_TRY(cos_page_write_mark(store, mark, PAGE_MARK_SETTLED));
    COS_TRY(retire_partner(store, newest->last, PAGE_NONE));
    store->next = mark;
    return COS_OK;
}

/* Erases a page that may be worn; whether that worked. */
static enum cos_result erase_and_look(struct cos_store *store, uint16_t page, bool *blank)
{
    bool erased = cos_page_erase(store, page) == COS_OK;

    COS_TRY(cos_page_is_blank(store, page, 0, store->config.page_size, blank));
    *blank = *blank && erased;
    return COS_OK;
}

/* Erases the next page after `page` that can be erased; COS_E_MEMORY_FAILURE if the spares are used
 * up before the pages of the newest transaction come round again, or, with `headless`, before a
 * page that has a header. */
static enum cos_result usable_after(struct cos_store *store, const struct newest *newest,
                                    uint16_t page, bool headless, uint16_t *usable)
{
    for (unsigned tries = 0; tries < store->config.reserve; tries++) {
        struct page_header header;
        bool blank;
        page = cos_map_next_free(store, page);
        COS_TRY(cos_page_scan_header(store, page, &header));
        COS_CHECK(header.sequence == 0 || (!headless && header.sequence != newest->sequence),
                  COS_E_MEMORY_FAILURE);
        COS_TRY(erase_and_look(store, page, &blank));
        if (blank) {
            *usable = page;
            return COS_OK;
        }
    }
    return COS_E_MEMORY_FAILURE;
}

/* The same where it does no harm if there is none: PAGE_NONE. */
static enum cos_result perhaps_usable_after(struct cos_store *store, const struct newest *newest,
                                            uint16_t page, bool headless, uint16_t *usable)
{
    *usable = PAGE_NONE;
    enum cos_result result = usable_after(store, newest, page, headless, usable);
    return result == COS_E_MEMORY_FAILURE ? COS_OK : result;
}

/* Chooses where the copies of an ordinary transaction and their marks go. They must not take a page
 * that this transaction superseded: if its verdict is ever "incomplete", those are the valid ones.
 * So places are chosen under the map before it. */
static enum cos_result choose_places(struct cos_store *store, const struct newest *newest,
                                     struct page_header *places)
{
    uint16_t *slots = places->slots;

    COS_TRY(build_map(store, newest->sequence - 1));
    slots[0] = newest->last;
    COS_TRY(usable_after(store, newest, newest->last, false, &slots[1]));
    COS_TRY(usable_after(store, newest, slots[1], false, &slots[2]));
    COS_TRY(perhaps_usable_after(store, newest, slots[2], false, &slots[3]));
    if (slots[3] == slots[1] || slots[3] == slots[2]) {
        slots[3] = PAGE_NONE;
    }
    return build_map(store, newest->sequence);
}

static enum cos_result settle_doubt(struct cos_store *store, const struct newest *newest)
{
    struct page_header places = newest->header;

    COS_TRY(build_map(store, newest->sequence));
    COS_TRY(verify_map(store, newest));
    if (is_refresh(&newest->header)) {
        /* It may have lost its mark to a transaction that does not show today, that began in the
         * mark's page, read well at some start, and left a copy of itself in the page behind. That
         * page was erased for it; one that still has a header may be what the copy's own
         * transaction superseded, and stays. */
        uint16_t behind;
        COS_TRY(perhaps_usable_after(store, newest, newest->header.slots[2], true, &behind));
    } else {
        COS_TRY(choose_places(store, newest, &places));
    }
    return refresh(store, newest, &places);
}

/* A refresh copy has a mark, but its end is not noted. The mark may have been torn and read well
 * today only. While the partner is good, nothing is erased on its word alone: a mark that is
 * written now, in a place where there is none, is what counts. */
static enum cos_result resume_refresh(struct cos_store *store, const struct newest *newest,
                                      uint16_t partner)
{
    const uint16_t *slots = newest->header.slots;
    uint32_t first_mark, second_mark = 0;
    bool good;

    COS_TRY(cos_page_read_mark(store, slots[2], PAGE_MARK_SETTLED, &first_mark));
    if (slots[3] != PAGE_NONE) {
        COS_TRY(cos_page_read_mark(store, slots[3], PAGE_MARK_SETTLED, &second_mark));
    }
    COS_TRY(partner_is_good(store, newest, &good));
    uint16_t missing = PAGE_NONE;
    if (first_mark != newest->sequence) {
        missing = slots[2];
    } else if (good && second_mark != newest->sequence) {
        missing = slots[3];
    }
    if (missing != PAGE_NONE) {
        COS_TRY(cos_page_erase(store, missing));
        COS_TRY(cos_page_write_mark(store, missing, PAGE_MARK_SETTLED));
    }
    return retire_partner(store, partner, slots[3]);
}

/* The newest transaction has its mark. Only the end of a refresh may be missing. */
static enum cos_result resume_settled(struct cos_store *store, const struct newest *newest)
{
    COS_TRY(build_map(store, newest->sequence));
    COS_TRY(verify_map(store, newest));
    store->next = newest->mark_page;
    if (is_refresh(&newest->header)) {
        uint16_t partner = partner_of(&newest->header, newest->last);
        uint32_t mark;
        COS_TRY(cos_page_read_mark(store, partner, PAGE_MARK_RETIRED, &mark));
        if (mark != newest->sequence) {
            COS_TRY(resume_refresh(store, newest, partner));
            store->next = newest->header.slots[2];
        }
    }
    return COS_OK;
}

/* No spare page is left that the newest transaction could be written to once more. What is there is
 * good today and can be read; nothing is written any more. */
static enum cos_result read_only(struct cos_store *store, const struct newest *newest)
{
    COS_TRY(build_map(store, newest->sequence));
    COS_TRY(verify_map(store, newest));
    store->worn_out = true;
    return COS_OK;
}

enum cos_result cos_store_mount(struct cos_store *store, const struct cos_nvm *nvm,
                                const struct cos_store_config *config)
{
    struct newest newest;

    COS_TRY(set_up(store, nvm, config));
    cos_map_clear(store);
    COS_TRY(find_newest(store, &newest));
    if (newest.sequence == 0) {
        /* The very first transaction may have been torn, and not show today: its pages, in turn,
         * are erased. */
        cos_map_clear(store);
        newest.last = (uint16_t)(config->pages - 1);
        COS_TRY(erase_torn(store, &newest));
        COS_TRY(cos_store_scrub(store));
        return COS_E_STORE_BLANK;
    }
    if (newest.mark == newest.sequence) {
        COS_TRY(resume_settled(store, &newest));
    } else {
        enum cos_result result = settle_doubt(store, &newest);
        if (result == COS_E_MEMORY_FAILURE) {
            return read_only(store, &newest);
        }
        COS_TRY(result);
    }
    store->settled = true;
    return cos_store_scrub(store);
}
