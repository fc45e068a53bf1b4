/* SPDX-License-Identifier: Apache-2.0
 *
 * Content in chunks: that of vault files, and keys that have no room in a slot (docs/formats.md,
 * "Security chip: chunks"). Each chunk is sealed by itself. To whom it belongs say the entries of
 * vault files and objects, and nothing else.
 */
#include "domain.h"

enum {
    GENERATION = 4, /* how often the chunk was written */
    HEAD = GENERATION + SEAL_FRESH,
    DATA = 92,
    CHUNK = HEAD + DATA + COS_CCM_TAG, /* two fill the payload of a small page */
    OWNER = 4,                         /* owner and chunk number */
    ASSOCIATED = OWNER + OBJECT_ASSOCIATED,
};

/* ---- Places ---- */

static uint16_t chunks_for(uint32_t size)
{
    return (uint16_t)((size + DATA - 1) / DATA);
}

static uint16_t chunks_of(const struct cos_secure *secure)
{
    return chunks_for(secure->config.vault_size);
}

uint16_t cos_content_pages(uint16_t payload, uint16_t size)
{
    return cos_pages_for(chunks_for(size), CHUNK, payload);
}

static uint32_t chunk_address(const struct cos_secure *secure, uint16_t chunk)
{
    return cos_place(secure, cos_content_first_page(secure), chunk, CHUNK);
}

/* ---- Owners ---- */

enum cos_result cos_content_check(const struct cos_secure *secure, const struct content *content)
{
    COS_CHECK(content->chunk + chunks_for(content->size) <= chunks_of(secure), COS_E_STORE_DAMAGED);
    return COS_OK;
}

/* Where a content ends if it has one of these chunks, else 0. */
static uint16_t end_if_met(const struct content *content, uint16_t chunk, uint16_t chunks)
{
    const uint16_t end = (uint16_t)(content->chunk + chunks_for(content->size));

    return content->chunk < chunk + chunks && chunk < end ? end : 0;
}

/* The end of a content that has one of these chunks, 0 if none has. */
static enum cos_result behind_owner(const struct cos_secure *secure, uint16_t chunk,
                                    uint16_t chunks, uint16_t *behind)
{
    struct object object;
    struct content content;

    *behind = 0;
    for (uint16_t number = 1; number <= secure->config.vault_files && *behind == 0; number++) {
        COS_TRY(cos_vault_content(secure, number, &content));
        *behind = end_if_met(&content, chunk, chunks);
    }
    for (uint16_t index = 0; index < secure->config.objects && *behind == 0; index++) {
        COS_TRY(cos_object_read(secure, index, &object));
        content = cos_object_content(&object);
        *behind = end_if_met(&content, chunk, chunks);
    }
    return COS_OK;
}

enum cos_result cos_content_place(struct cos_secure *secure, struct content *content)
{
    const uint16_t chunks = chunks_for(content->size);
    uint16_t start, behind = secure->change.next_chunk;

    do {
        start = behind;
        COS_CHECK(start + chunks <= chunks_of(secure), COS_E_MEMORY_FULL);
        COS_TRY(behind_owner(secure, start, chunks, &behind));
    } while (behind != 0);
    content->chunk = start;
    secure->change.next_chunk = (uint16_t)(start + chunks);
    return COS_OK;
}

/* ---- Chunks ---- */

static struct sealing sealing_of(const struct content *content, uint16_t chunk, uint32_t generation,
                                 uint8_t associated[ASSOCIATED])
{
    cos_put16(associated, content->owner);
    cos_put16(associated + 2, chunk);
    if (content->object == NULL) {
        return (struct sealing){SEAL_CHUNK, chunk, generation, associated, OWNER};
    }
    memcpy(associated + OWNER, content->object, OBJECT_ASSOCIATED); /* as in its entry */
    return (struct sealing){SEAL_CHUNK, chunk, generation, associated, ASSOCIATED};
}

/* Reads a chunk and deciphers it in place. One that was not written since it got its owner is 00
 * behind the generation, and reads so, if it may be. */
static enum cos_result open_chunk(const struct cos_secure *secure, const struct content *content,
                                  uint16_t chunk, bool may_be_blank, uint8_t bytes[CHUNK])
{
    const uint32_t address = chunk_address(secure, chunk);
    uint8_t associated[ASSOCIATED];
    bool blank;

    COS_TRY(cos_all_zero(secure, address + GENERATION, CHUNK - GENERATION, &blank));
    COS_TRY(cos_store_read(&secure->store, address, bytes, CHUNK));
    if (blank) {
        return may_be_blank ? COS_OK : COS_E_STORE_DAMAGED;
    }
    const struct sealing sealing = sealing_of(content, chunk, cos_get32(bytes), associated);
    return cos_unseal(secure, &sealing, bytes + GENERATION, DATA);
}

/* Enciphers a chunk in place and adds it to the transaction. */
static enum cos_result add_chunk(struct cos_secure *secure, const struct content *content,
                                 uint16_t chunk, uint8_t bytes[CHUNK])
{
    const uint32_t generation = cos_get32(bytes) + 1;
    uint8_t associated[ASSOCIATED];

    COS_CHECK(generation != 0, COS_E_MEMORY_FAILURE);
    cos_put32(bytes, generation);
    const struct sealing sealing = sealing_of(content, chunk, generation, associated);
    COS_TRY(cos_seal(secure, &sealing, bytes + GENERATION, DATA));
    cos_change_add(secure, chunk_address(secure, chunk), bytes, CHUNK);
    return COS_OK;
}

/* ---- Content ---- */

/* The part of a run of bytes that lies in the chunk where it begins. */
struct piece {
    uint16_t chunk;
    size_t at, length; /* in `bytes` of the chunk */
};

static struct piece piece_of(const struct content *content, size_t offset, size_t length)
{
    const size_t within = offset % DATA;
    const size_t room = DATA - within;

    return (struct piece){(uint16_t)(content->chunk + offset / DATA), HEAD + within,
                          length < room ? length : room};
}

enum cos_result cos_content_read(const struct cos_secure *secure, const struct content *content,
                                 size_t offset, uint8_t *data, size_t length)
{
    enum cos_result result = COS_OK;
    uint8_t bytes[CHUNK];

    while (length > 0 && result == COS_OK) {
        const struct piece piece = piece_of(content, offset, length);
        result = open_chunk(secure, content, piece.chunk, content->object == NULL, bytes);
        if (result == COS_OK) {
            memcpy(data, bytes + piece.at, piece.length);
        }
        offset += piece.length;
        data += piece.length;
        length -= piece.length;
    }
    cos_wipe(bytes, sizeof bytes);
    return result;
}

enum cos_result cos_content_add(struct cos_secure *secure, const struct content *content,
                                size_t offset, struct cos_span data, enum cos_combination how)
{
    enum cos_result result = COS_OK;
    uint8_t bytes[CHUNK];

    while (data.length > 0 && result == COS_OK) {
        const struct piece piece = piece_of(content, offset, data.length);
        result = open_chunk(secure, content, piece.chunk, true, bytes);
        if (result == COS_OK) {
            result = cos_combine(bytes + piece.at, data.data, piece.length, how);
        }
        if (result == COS_OK) {
            result = add_chunk(secure, content, piece.chunk, bytes);
        }
        offset += piece.length;
        data.data += piece.length;
        data.length -= piece.length;
    }
    cos_wipe(bytes, sizeof bytes);
    return result;
}

enum cos_result cos_content_write(struct cos_secure *secure, const struct content *content,
                                  const uint8_t *data)
{
    enum { RUN = 4 * DATA }; /* what one transaction has room for */

    for (size_t offset = 0; offset < content->size; offset += RUN) {
        const size_t left = content->size - offset;
        cos_change_start(secure);
        COS_TRY(cos_content_add(secure, content, offset,
                                (struct cos_span){data + offset, left < RUN ? left : RUN},
                                COS_COMBINE_REPLACE));
        COS_TRY(cos_change_commit(secure));
    }
    return COS_OK;
}
_Static_assert(4 * CHUNK <= COS_SECURE_CHANGE, "four chunks fit a transaction");

enum cos_result cos_content_sweep(struct cos_secure *secure)
{
    const uint16_t chunks = chunks_of(secure);
    const unsigned per_page = secure->store.payload / CHUNK;

    cos_change_start(secure);
    for (uint16_t chunk = 0; chunk < chunks; chunk++) {
        const uint32_t address = chunk_address(secure, chunk) + GENERATION;
        uint16_t behind = 1;
        bool blank;
        COS_TRY(cos_all_zero(secure, address, CHUNK - GENERATION, &blank));
        if (!blank) {
            COS_TRY(behind_owner(secure, chunk, 1, &behind));
        }
        if (behind == 0) {
            cos_change_add(secure, address, NULL, CHUNK - GENERATION);
        }
        const bool full = secure->change.count == COS_SECURE_EDITS;
        if (full || (chunk + 1U) % per_page == 0 || chunk + 1U == chunks) {
            COS_TRY(cos_change_commit(secure)); /* nothing to write: writes nothing */
        }
    }
    return COS_OK;
}
