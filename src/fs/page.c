/* SPDX-License-Identifier: Apache-2.0 */
#include "page.h"

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

static void encode_header(const struct page_header *header, uint8_t bytes[PAGE_HEADER_SIZE])
{
    struct cos_writer writer = cos_writer(bytes, PAGE_HEADER_SIZE);

    cos_write8(&writer, COS_NVM_FORMAT);
    cos_write8(&writer, header->place);
    cos_write8(&writer, header->size);
    cos_write8(&writer, header->second);
    cos_write16(&writer, header->logical);
    for (size_t i = 0; i < 3; i++) {
        cos_write16(&writer, header->slots[i]);
    }
    cos_write32(&writer, header->sequence);
    cos_write32(&writer, header->erases);
    cos_write32(&writer, header->digest);
    cos_write32(&writer, cos_crc32(0, bytes, writer.length));
}

static bool slot_in_range(const struct cos_store *store, const struct page_header *header, size_t i)
{
    return header->slots[i] == PAGE_NONE || header->slots[i] < store->config.pages;
}

static bool header_plausible(const struct cos_store *store, const struct page_header *header)
{
    return header->logical < store->logical_pages && header->sequence != 0 &&
           (header->size == 0 || header->size == header->place + 1) &&
           slot_in_range(store, header, 0) && slot_in_range(store, header, 1) &&
           slot_in_range(store, header, 2);
}

enum cos_result cos_page_read_header(const struct cos_store *store, uint16_t page,
                                     struct page_header *header)
{
    uint8_t bytes[PAGE_HEADER_SIZE];

    COS_TRY(read_at(store, page, store->header_at, bytes, sizeof bytes));
    struct cos_reader reader = cos_reader(bytes, sizeof bytes);
    uint8_t format = cos_read8(&reader);
    header->place = cos_read8(&reader);
    header->size = cos_read8(&reader);
    header->second = cos_read8(&reader);
    header->logical = cos_read16(&reader);
    for (size_t i = 0; i < 3; i++) {
        header->slots[i] = cos_read16(&reader);
    }
    header->sequence = cos_read32(&reader);
    header->erases = cos_read32(&reader);
    header->digest = cos_read32(&reader);
    uint32_t crc = cos_read32(&reader);
    COS_CHECK(crc == cos_crc32(0, bytes, PAGE_HEADER_SIZE - PAGE_CRC_SIZE), COS_E_STORE_DAMAGED);
    COS_CHECK(format == COS_NVM_FORMAT, COS_E_STORE_VERSION);
    COS_CHECK(header_plausible(store, header), COS_E_STORE_DAMAGED);
    return COS_OK;
}

enum cos_result cos_page_scan_header(const struct cos_store *store, uint16_t page,
                                     struct page_header *header)
{
    enum cos_result result = cos_page_read_header(store, page, header);

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
    size_t end = at + store->payload;

    while (at < end) {
        size_t run = end - at < sizeof store->merge ? end - at : sizeof store->merge;
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

enum cos_result cos_page_write_mark(const struct cos_store *store, uint16_t page,
                                    enum page_mark kind, uint32_t sequence)
{
    uint8_t bytes[COS_STORE_MERGE];

    memset(bytes, store->nvm->geometry.erased_value, sizeof bytes);
    encode_mark(page, kind, sequence, bytes);
    /* header_at is the mark's program units; a tear unit holds them all, so it is one operation. */
    return store->nvm->program(store->nvm->context, page_address(store, page), bytes,
                               store->header_at);
}

enum cos_result cos_page_is_blank(const struct cos_store *store, uint16_t page, size_t from,
                                  size_t end, bool *blank)
{
    uint8_t bytes[16];

    *blank = true;
    for (size_t at = from; at < end && *blank; at += sizeof bytes) {
        size_t run = end - at < sizeof bytes ? end - at : sizeof bytes;
        COS_TRY(read_at(store, page, at, bytes, run));
        for (size_t i = 0; i < run; i++) {
            *blank = *blank && bytes[i] == store->nvm->geometry.erased_value;
        }
    }
    return COS_OK;
}

enum cos_result cos_page_erase(const struct cos_store *store, uint16_t page)
{
    const struct cos_nvm *nvm = store->nvm;

    for (uint32_t at = 0; at < store->config.page_size; at += nvm->geometry.erase_unit) {
        COS_TRY(nvm->erase(nvm->context, page_address(store, page) + at));
    }
    return COS_OK;
}

/* One pass over a page that is being written. */
struct stream {
    struct cos_store *store;
    const struct page_source *source;
    const uint8_t *header;
    uint16_t logical;
    uint32_t old_crc, new_crc;
};

/* Lays the edits over the byte at this address of the logical space: the last one that covers it
 * counts. The map still shows the space as it was. */
static enum cos_result edit_byte(const struct stream *stream, uint32_t address, uint8_t *byte)
{
    for (size_t i = stream->source->count; i-- > 0;) {
        const struct cos_edit *edit = &stream->source->edits[i];
        uint32_t offset = address - edit->address;
        if (address < edit->address || offset >= edit->length) {
            continue;
        }
        if (cos_edit_copies(edit)) {
            return cos_store_read(stream->store, edit->from + offset, byte, 1);
        }
        *byte = edit->data != NULL ? edit->data[offset] : 0;
        break;
    }
    return COS_OK;
}

/* The byte of the fresh page at offset `at`, taken in rising order: header, payload, CRC. The CRC
 * of the old bytes is followed, so that damage is never copied under a good CRC. Byte by byte is
 * short, and takes no time beside the programming. */
static enum cos_result stream_byte(struct stream *stream, size_t at, uint8_t *byte)
{
    const struct cos_store *store = stream->store;
    const size_t payload = payload_at(store);
    const uint16_t old = stream->source->old;

    if (at < payload) {
        *byte = stream->header[at - store->header_at];
        return COS_OK;
    }
    *byte = 0;
    if (old != PAGE_NONE) {
        COS_TRY(read_at(store, old, at, byte, 1));
    }
    at -= payload;
    if (at < store->payload) {
        stream->old_crc = cos_crc32(stream->old_crc, byte, 1);
        COS_TRY(edit_byte(stream, (uint32_t)stream->logical * store->payload + (uint32_t)at, byte));
        stream->new_crc = cos_crc32(stream->new_crc, byte, 1);
        return COS_OK;
    }
    const unsigned shift = 8U * (PAGE_CRC_SIZE - 1U - (unsigned)(at - store->payload));
    COS_CHECK(old == PAGE_NONE || *byte == (uint8_t)(stream->old_crc >> shift),
              COS_E_STORE_DAMAGED);
    *byte = (uint8_t)(stream->new_crc >> shift);
    return COS_OK;
}

static enum cos_result program_page(struct stream *stream, uint16_t page)
{
    struct cos_store *store = stream->store;
    const struct cos_nvm *nvm = store->nvm;
    size_t step = nvm->geometry.tear_unit;
    size_t at = store->header_at;

    if (step > sizeof store->merge) {
        step = sizeof store->merge - sizeof store->merge % nvm->geometry.program_unit;
    }
    while (at < store->config.page_size) {
        size_t in_tear_unit = nvm->geometry.tear_unit - at % nvm->geometry.tear_unit;
        size_t run = in_tear_unit < step ? in_tear_unit : step;
        for (size_t i = 0; i < run; i++) {
            COS_TRY(stream_byte(stream, at + i, &store->merge[i]));
        }
        COS_TRY(nvm->program(nvm->context, page_address(store, page) + (uint32_t)at, store->merge,
                             run));
        at += run;
    }
    return COS_OK;
}

static enum cos_result count_erase(const struct cos_store *store, uint16_t page, uint32_t *erases)
{
    struct page_header before;

    *erases = 1;
    COS_TRY(cos_page_scan_header(store, page, &before));
    if (before.sequence != 0) {
        *erases = before.erases + 1;
    } else if (store->newest != 0) {
        /* A page that says nothing is taken to be as worn as its neighbour in time. */
        COS_TRY(cos_page_scan_header(store, store->newest_page, &before));
        *erases = before.sequence != 0 ? before.erases : 1;
    }
    return COS_OK;
}

enum cos_result cos_page_write(struct cos_store *store, uint16_t page, struct page_header *header,
                               const struct page_source *source)
{
    uint8_t bytes[PAGE_HEADER_SIZE];
    const uint32_t crc = payload_crc_start(header->logical);
    struct stream stream = {
        .store = store,
        .source = source,
        .header = bytes,
        .logical = header->logical,
        .old_crc = crc,
        .new_crc = crc,
    };
    struct page_header written;
    bool good = false;

    COS_TRY(count_erase(store, page, &header->erases));
    encode_header(header, bytes);
    enum cos_result result = cos_page_erase(store, page);
    if (result == COS_OK) {
        result = program_page(&stream, page);
    }
    /* COS_E_NVM may be a worn page or lost power: reading tells. */
    COS_CHECK(result == COS_OK || result == COS_E_NVM, result);
    COS_TRY(cos_page_scan_header(store, page, &written));
    if (written.sequence == header->sequence && written.logical == header->logical) {
        COS_TRY(cos_page_check_payload(store, page, header->logical, &good));
    }
    return good ? COS_OK : COS_E_MEMORY_FAILURE;
}
