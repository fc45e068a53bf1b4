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

enum cos_result page_read_header(const struct cos_store *store, uint16_t page,
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

/* The CRC of a payload begins with the logical number, so that a payload is good in its own place
 * only. */
static uint32_t payload_crc_start(uint16_t logical)
{
    uint8_t bytes[2];

    cos_put16(bytes, logical);
    return cos_crc32(0, bytes, sizeof bytes);
}

enum cos_result page_check_payload(struct cos_store *store, uint16_t page, uint16_t logical,
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

enum cos_result page_read_mark(const struct cos_store *store, uint16_t page, enum page_mark kind,
                               uint32_t *sequence)
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

enum cos_result page_write_mark(const struct cos_store *store, uint16_t page, enum page_mark kind,
                                uint32_t sequence)
{
    uint8_t bytes[COS_STORE_MERGE];

    memset(bytes, store->nvm->geometry.erased_value, sizeof bytes);
    encode_mark(page, kind, sequence, bytes);
    /* header_at is the mark's program units; a tear unit holds them all, so it is one operation. */
    return store->nvm->program(store->nvm->context, page_address(store, page), bytes,
                               store->header_at);
}

enum cos_result page_is_blank(const struct cos_store *store, uint16_t page, size_t from, size_t end,
                              bool *blank)
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

enum cos_result page_erase(const struct cos_store *store, uint16_t page)
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

/* Lays the edits over bytes [at, at + length) of the logical space. */
static void apply_edits(const struct page_source *source, uint32_t at, uint8_t *data,
                        uint32_t length)
{
    for (size_t i = 0; i < source->count; i++) {
        const struct cos_edit *edit = &source->edits[i];
        uint32_t from = edit->address > at ? edit->address : at;
        uint32_t edit_end = edit->address + edit->length;
        uint32_t to = edit_end < at + length ? edit_end : at + length;
        if (from >= to) {
            continue;
        }
        if (edit->data == NULL) {
            memset(data + (from - at), 0, to - from);
        } else {
            memcpy(data + (from - at), edit->data + (from - edit->address), to - from);
        }
    }
}

/* Payload bytes [at, at + length) of the fresh page: old bytes, whose CRC is followed so that
 * damage is never copied under a good CRC, then edits. */
static enum cos_result stream_payload(struct stream *stream, size_t at, uint8_t *data,
                                      size_t length)
{
    struct cos_store *store = stream->store;

    if (stream->source->old == PAGE_NONE) {
        memset(data, 0, length);
    } else {
        COS_TRY(read_at(store, stream->source->old, payload_at(store) + at, data, length));
        stream->old_crc = cos_crc32(stream->old_crc, data, length);
    }
    apply_edits(stream->source, (uint32_t)stream->logical * store->payload + (uint32_t)at, data,
                (uint32_t)length);
    stream->new_crc = cos_crc32(stream->new_crc, data, length);
    return COS_OK;
}

static enum cos_result stream_crc(struct stream *stream, uint8_t crc[PAGE_CRC_SIZE])
{
    struct cos_store *store = stream->store;

    if (stream->source->old != PAGE_NONE) {
        COS_TRY(read_at(store, stream->source->old, payload_at(store) + store->payload, crc,
                        PAGE_CRC_SIZE));
        COS_CHECK(cos_get32(crc) == stream->old_crc, COS_E_STORE_DAMAGED);
    }
    cos_put32(crc, stream->new_crc);
    return COS_OK;
}

/* The bytes of the fresh page at [at, at + length), taken in rising order: header, payload, CRC. */
static enum cos_result stream_bytes(struct stream *stream, size_t at, uint8_t *data, size_t length)
{
    const struct cos_store *store = stream->store;
    const size_t payload = payload_at(store);
    const size_t crc = payload + store->payload;
    uint8_t crc_bytes[PAGE_CRC_SIZE];

    while (length > 0) {
        size_t run;
        if (at < payload) {
            run = payload - at < length ? payload - at : length;
            memcpy(data, stream->header + (at - store->header_at), run);
        } else if (at < crc) {
            run = crc - at < length ? crc - at : length;
            COS_TRY(stream_payload(stream, at - payload, data, run));
        } else {
            if (at == crc) {
                COS_TRY(stream_crc(stream, crc_bytes));
            } else {
                cos_put32(crc_bytes, stream->new_crc);
            }
            run = length;
            memcpy(data, crc_bytes + (at - crc), run);
        }
        at += run;
        data += run;
        length -= run;
    }
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
        COS_TRY(stream_bytes(stream, at, store->merge, run));
        COS_TRY(nvm->program(nvm->context, page_address(store, page) + (uint32_t)at, store->merge,
                             run));
        at += run;
    }
    return COS_OK;
}

static enum cos_result count_erase(const struct cos_store *store, uint16_t page, uint32_t *erases)
{
    struct page_header before;
    enum cos_result result = page_read_header(store, page, &before);

    if (result == COS_OK) {
        *erases = before.erases + 1;
        return COS_OK;
    }
    COS_CHECK(result == COS_E_STORE_DAMAGED, result);
    *erases = 1;
    if (store->newest != 0) {
        /* A page that says nothing is taken to be as worn as its neighbour in time. */
        result = page_read_header(store, store->newest_page, &before);
        COS_CHECK(result == COS_OK || result == COS_E_STORE_DAMAGED, result);
        *erases = result == COS_OK ? before.erases : 1;
    }
    return COS_OK;
}

enum cos_result page_write(struct cos_store *store, uint16_t page, struct page_header *header,
                           const struct page_source *source)
{
    uint8_t bytes[PAGE_HEADER_SIZE];
    struct stream stream = {
        .store = store,
        .source = source,
        .header = bytes,
        .logical = header->logical,
        .old_crc = payload_crc_start(header->logical),
        .new_crc = payload_crc_start(header->logical),
    };
    struct page_header written;
    bool good = false;

    COS_TRY(count_erase(store, page, &header->erases));
    encode_header(header, bytes);
    enum cos_result result = page_erase(store, page);
    if (result == COS_OK) {
        result = program_page(&stream, page);
    }
    /* COS_E_NVM may be a worn page or lost power: reading tells. */
    COS_CHECK(result == COS_OK || result == COS_E_NVM, result);
    result = page_read_header(store, page, &written);
    if (result == COS_OK && written.sequence == header->sequence &&
        written.logical == header->logical) {
        result = page_check_payload(store, page, header->logical, &good);
    }
    COS_CHECK(result == COS_OK || result == COS_E_STORE_DAMAGED, result);
    return good ? COS_OK : COS_E_MEMORY_FAILURE;
}
