/* SPDX-License-Identifier: Apache-2.0 */
#include "map.h"

static uint32_t page_address(const struct cos_store *store, uint16_t page)
{
    return store->config.start + (uint32_t)page * store->config.page_size;
}

static enum cos_result read_at(const struct cos_store *store, uint16_t page, size_t offset,
                               uint8_t *data, size_t length)
{
    return store->nvm->read(store->nvm->context, page_address(store, page) + (uint32_t)offset, data,
                            length);
}

static size_t payload_at(const struct cos_store *store)
{
    return (size_t)store->header_at + PAGE_HEADER_SIZE;
}

static size_t crc_at(const struct cos_store *store)
{
    return (size_t)store->config.page_size - PAGE_CRC_SIZE;
}

/* The CRC goes on from that of "PAGE". Begun anew, it would be right for FF FF FF FF, zeros, FF FF
 * FF FF, which a torn erase can leave. */
static uint32_t header_crc(const uint8_t bytes[PAGE_HEADER_SIZE])
{
    return cos_crc32(0x229F5B94U, bytes, PAGE_HEADER_SIZE - PAGE_CRC_SIZE);
}

static void encode_header(const struct page_header *header, uint8_t bytes[PAGE_HEADER_SIZE])
{
    cos_put32(bytes + 2, header->erases);
    bytes[0] = (uint8_t)(COS_NVM_FORMAT | (header->scrub ? PAGE_SCRUB : 0U));
    bytes[1] = header->place;
    bytes[2] = header->size;
    cos_put16(bytes + 6, header->logical);
    for (size_t i = 0; i < 4; i++) {
        cos_put16(bytes + 8 + 2 * i, header->slots[i]);
    }
    cos_put32(bytes + 16, header->sequence);
    cos_put32(bytes + 20, header->digest);
    cos_put32(bytes + 24, header_crc(bytes));
}

enum cos_result cos_page_read_header(const struct cos_store *store, uint16_t page,
                                     struct page_header *header)
{
    uint8_t bytes[PAGE_HEADER_SIZE];

    header->erases = 0;
    COS_TRY(read_at(store, page, store->header_at, bytes, sizeof bytes));
    COS_CHECK(cos_get32(bytes + 24) == header_crc(bytes), COS_E_STORE_DAMAGED);
    COS_CHECK((bytes[0] & ~PAGE_SCRUB) == COS_NVM_FORMAT, COS_E_STORE_VERSION);
    header->scrub = (bytes[0] & PAGE_SCRUB) != 0;
    header->place = bytes[1];
    header->size = bytes[2];
    header->erases = cos_get32(bytes + 2) & 0xFFFFFFU;
    header->logical = cos_get16(bytes + 6);
    for (size_t i = 0; i < 4; i++) {
        uint16_t slot = cos_get16(bytes + 8 + 2 * i);
        COS_CHECK(slot == PAGE_NONE || slot < store->config.pages, COS_E_STORE_DAMAGED);
        header->slots[i] = slot;
    }
    header->sequence = cos_get32(bytes + 16);
    header->digest = cos_get32(bytes + 20);
    COS_CHECK(header->logical < store->logical_pages && header->sequence != 0 &&
                  (header->size == 0 || header->size == header->place + 1),
              COS_E_STORE_DAMAGED);
    return COS_OK;
}

enum cos_result cos_page_scan_header(const struct cos_store *store, uint16_t page,
                                     struct page_header *header)
{
    enum cos_result result = cos_page_read_header(store, page, header);

    cos_idle(store->config.board);
    if (result == COS_E_STORE_DAMAGED) {
        header->sequence = 0;
        header->logical = PAGE_NONE;
        return COS_OK;
    }
    return result;
}

/* The CRC of a payload begins with the logical number, so that a payload is good in its own place
 * only. */
static uint32_t payload_crc_start(uint16_t logical)
{
    uint8_t bytes[2];

    cos_put16(bytes, logical);
    return cos_crc32(0, bytes, sizeof bytes);
}

enum cos_result cos_page_check_payload(struct cos_store *store, uint16_t page, uint16_t logical,
                                       bool *good)
{
    uint32_t crc = payload_crc_start(logical);
    size_t at = payload_at(store);
    size_t end = crc_at(store);

    while (at < end) {
        size_t run = end - at < sizeof store->merge ? end - at : sizeof store->merge;
        cos_idle(store->config.board);
        COS_TRY(read_at(store, page, at, store->merge, run));
        crc = cos_crc32(crc, store->merge, run);
        at += run;
    }
    COS_TRY(read_at(store, page, end, store->merge, PAGE_CRC_SIZE));
    *good = crc == cos_get32(store->merge);
    return COS_OK;
}

/* A mark's CRC includes its kind and the page that it stands in. */
static void encode_mark(uint16_t page, enum page_mark kind, uint32_t sequence,
                        uint8_t bytes[PAGE_MARK_SIZE])
{
    uint8_t place[3] = {(uint8_t)kind};

    cos_put16(place + 1, page);
    cos_put32(bytes, sequence);
    cos_put32(bytes + 4, cos_crc32(cos_crc32(0, bytes, 4), place, sizeof place));
}

enum cos_result cos_page_read_mark(const struct cos_store *store, uint16_t page,
                                   enum page_mark kind, uint32_t *sequence)
{
    uint8_t bytes[PAGE_MARK_SIZE], expected[PAGE_MARK_SIZE];

    COS_TRY(read_at(store, page, 0, bytes, sizeof bytes));
    *sequence = cos_get32(bytes);
    encode_mark(page, kind, *sequence, expected);
    if (memcmp(bytes, expected, sizeof bytes) != 0) {
        *sequence = 0;
    }
    return COS_OK;
}

/* Programs bytes of a page, in one operation for each tear unit that they touch. */
static enum cos_result program_at(const struct cos_store *store, uint16_t page, size_t at,
                                  const uint8_t *data, size_t length)
{
    const struct cos_nvm *nvm = store->nvm;

    while (length > 0) {
        size_t run = nvm->geometry.tear_unit - at % nvm->geometry.tear_unit;
        if (run > length) {
            run = length;
        }
        cos_idle(store->config.board);
        COS_TRY(nvm->program(nvm->context, page_address(store, page) + (uint32_t)at, data, run));
        at += run;
        data += run;
        length -= run;
    }
    return COS_OK;
}

/* A mark that is cut between two operations lacks its CRC or what the CRC is of: it is none. */
enum cos_result cos_page_write_mark(const struct cos_store *store, uint16_t page,
                                    enum page_mark kind)
{
    uint8_t bytes[COS_STORE_MERGE];

    memset(bytes, store->nvm->geometry.erased_value, sizeof bytes);
    encode_mark(page, kind, store->newest, bytes);
    return program_at(store, page, 0, bytes, store->header_at);
}

enum cos_result cos_page_is_blank(const struct cos_store *store, uint16_t page, size_t from,
                                  size_t end, bool *blank)
{
    uint8_t bytes[16];

    *blank = false;
    while (from < end) {
        size_t run = end - from < sizeof bytes ? end - from : sizeof bytes;
        cos_idle(store->config.board);
        COS_TRY(read_at(store, page, from, bytes, run));
        from += run;
        while (run-- > 0) {
            COS_CHECK(bytes[run] == store->nvm->geometry.erased_value, COS_OK);
        }
    }
    *blank = true;
    return COS_OK;
}

enum cos_result cos_page_erase(const struct cos_store *store, uint16_t page)
{
    const struct cos_nvm *nvm = store->nvm;

    COS_CHECK(!cos_map_is_live(store, page), COS_E_STORE_DAMAGED);
    for (uint32_t at = 0; at < store->config.page_size; at += nvm->geometry.erase_unit) {
        cos_idle(store->config.board);
        COS_TRY(nvm->erase(nvm->context, page_address(store, page) + at));
    }
    return COS_OK;
}

/* One pass over a page that is being written. The merge buffer holds the `run` bytes before offset
 * `at`, which are not programmed yet. */
struct stream {
    struct cos_store *store;
    const struct page_source *source;
    uint16_t page;
    size_t at, run;
};

/* Lays the edits, the last one on top, over `length` bytes of the logical space from `address` on.
 * The map still shows the space as it was. */
static enum cos_result lay_edits(const struct stream *stream, uint32_t address, uint8_t *bytes,
                                 uint32_t length)
{
    for (size_t i = 0; i < stream->source->count; i++) {
        const struct cos_edit *edit = &stream->source->edits[i];
        const uint32_t from = edit->address > address ? edit->address : address;
        const uint32_t edit_end = edit->address + edit->length, end = address + length;
        const uint32_t to = edit_end < end ? edit_end : end;
        const uint32_t offset = from - edit->address;
        if (from >= to) {
            continue;
        }
        if (cos_edit_copies(edit)) {
            COS_TRY(cos_store_read(stream->store, edit->from + offset, bytes + (from - address),
                                   to - from));
        } else if (edit->data != NULL) {
            memcpy(bytes + (from - address), edit->data + offset, to - from);
        } else {
            memset(bytes + (from - address), 0, to - from);
        }
    }
    return COS_OK;
}

/* How many of the next bytes of the page the merge buffer takes before it is programmed. */
static size_t room(const struct stream *stream)
{
    return sizeof stream->store->merge - stream->at % sizeof stream->store->merge;
}

/* The merge buffer has `length` more bytes of the page: programs them when it is full, or the page
 * ends. */
static enum cos_result advance(struct stream *stream, size_t length)
{
    const struct cos_store *store = stream->store;
    size_t run;

    stream->at += length;
    stream->run += length;
    if (stream->at % sizeof store->merge != 0 && stream->at != store->config.page_size) {
        return COS_OK;
    }
    run = stream->run;
    stream->run = 0;
    return program_at(store, stream->page, stream->at - run, store->merge, run);
}

/* The next bytes of the page. */
static enum cos_result put(struct stream *stream, const uint8_t *data, size_t length)
{
    while (length > 0) {
        const size_t left = room(stream), run = length < left ? length : left;
        memcpy(stream->store->merge + stream->run, data, run);
        COS_TRY(advance(stream, run));
        data += run;
        length -= run;
    }
    return COS_OK;
}

/* Header, payload and CRC. The CRC of the old bytes is followed, so that damage is never copied
 * under a good one. */
static enum cos_result put_page(struct stream *stream, const uint8_t header[PAGE_HEADER_SIZE],
                                uint16_t logical)
{
    struct cos_store *store = stream->store;
    const uint16_t old = store->config.map[logical];
    uint32_t address = (uint32_t)logical * store->payload;
    uint32_t old_crc = payload_crc_start(logical), new_crc = old_crc;
    uint8_t crc[PAGE_CRC_SIZE];

    COS_TRY(put(stream, header, PAGE_HEADER_SIZE));
    for (size_t left = store->payload; left > 0;) {
        const size_t run = left < room(stream) ? left : room(stream);
        uint8_t *bytes = store->merge + stream->run;
        COS_TRY(cos_store_read(store, address, bytes, run));
        old_crc = cos_crc32(old_crc, bytes, run);
        COS_TRY(lay_edits(stream, address, bytes, (uint32_t)run));
        new_crc = cos_crc32(new_crc, bytes, run);
        COS_TRY(advance(stream, run));
        address += (uint32_t)run;
        left -= run;
    }
    if (old != PAGE_NONE) {
        COS_TRY(read_at(store, old, crc_at(store), crc, sizeof crc));
        COS_CHECK(cos_get32(crc) == old_crc, COS_E_STORE_DAMAGED);
    }
    cos_put32(crc, new_crc);
    return put(stream, crc, sizeof crc);
}

static enum cos_result count_erase(const struct cos_store *store, uint16_t page, uint32_t *erases)
{
    struct page_header before;

    COS_TRY(cos_page_scan_header(store, page, &before));
    *erases = before.erases + 1;
    if (before.erases == 0) {
        /* A page that says nothing is taken to be as worn as its neighbour in time. */
        COS_TRY(cos_page_scan_header(store, store->newest_page, &before));
        *erases = before.erases != 0 ? before.erases : 1;
    }
    return COS_OK;
}

/* Erases the page. Its header is encoded, with what this erase makes of the count. */
static enum cos_result begin_page(const struct cos_store *store, uint16_t page,
                                  struct page_header *header, uint8_t bytes[PAGE_HEADER_SIZE])
{
    COS_TRY(count_erase(store, page, &header->erases));
    encode_header(header, bytes);
    return cos_page_erase(store, page);
}

enum cos_result cos_page_clear(struct cos_store *store, uint16_t page)
{
    const size_t unit = store->nvm->geometry.program_unit;
    struct page_header header = {.logical = PAGE_NONE};

    memset(store->merge, store->nvm->geometry.erased_value, sizeof store->merge);
    COS_TRY(begin_page(store, page, &header, store->merge));
    return program_at(store, page, store->header_at, store->merge,
                      (PAGE_HEADER_SIZE + unit - 1) / unit * unit);
}

enum cos_result cos_page_write(struct cos_store *store, uint16_t page, struct page_header *header,
                               const struct page_source *source)
{
    uint8_t bytes[PAGE_HEADER_SIZE];
    struct stream stream = {.store = store, .source = source, .page = page, .at = store->header_at};
    struct page_header written;
    bool good = false;

    enum cos_result result = begin_page(store, page, header, bytes);
    if (result == COS_OK) {
        result = put_page(&stream, bytes, header->logical);
    }
    /* COS_E_NVM may be a worn page or lost power: reading tells. */
    COS_CHECK(result == COS_OK || result == COS_E_NVM, result);
    COS_TRY(cos_page_scan_header(store, page, &written));
    if (written.sequence == header->sequence && written.logical == header->logical) {
        COS_TRY(cos_page_check_payload(store, page, header->logical, &good));
    }
    return good ? COS_OK : COS_E_MEMORY_FAILURE;
}
