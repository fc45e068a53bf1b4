/* SPDX-License-Identifier: Apache-2.0
 *
 * Objects in the security chip's store: entries with attributes and counters in one kind of page,
 * enciphered secrets in another (docs/formats.md, "Security chip: objects").
 */
#include "domain.h"

enum {
    STATE_PAGES = 1,
    STORAGE_KEY_PAGES = 1,
    TRANSPORT_TRIES = 10,
};

/* ---- Transactions ---- */

void cos_change_drop(struct cos_secure *secure)
{
    cos_wipe(secure->change.bytes, sizeof secure->change.bytes);
    cos_change_start(secure);
}

void cos_change_start(struct cos_secure *secure)
{
    secure->change.count = 0;
    secure->change.used = 0;
    secure->change.next_object = 0;
    secure->change.next_chunk = 0;
    secure->change.failed = false;
}

void cos_change_add(struct cos_secure *secure, uint32_t address, const uint8_t *data, size_t length)
{
    struct cos_secure_change *change = &secure->change;
    size_t needed = data != NULL ? length : 0;

    if (change->count == COS_SECURE_EDITS || needed > sizeof change->bytes - change->used) {
        change->failed = true;
        return;
    }
    uint8_t *copy = data != NULL ? change->bytes + change->used : NULL;
    if (copy != NULL) {
        memcpy(copy, data, length);
        change->used += length;
    }
    change->edits[change->count++] =
        (struct cos_edit){.address = address, .data = copy, .length = (uint32_t)length};
}

enum cos_result cos_change_commit(struct cos_secure *secure)
{
    struct cos_secure_change *change = &secure->change;
    enum cos_result result = COS_E_INVARIANT;

    if (!change->failed) {
        result = cos_store_commit(&secure->store, change->edits, change->count);
    }
    cos_change_drop(secure);
    return result;
}

/* ---- Places ---- */

uint16_t cos_pages_for(uint16_t count, uint16_t size, uint16_t payload)
{
    uint16_t per_page = (uint16_t)(payload / size);

    return (uint16_t)((count + per_page - 1) / per_page);
}

uint32_t cos_place(const struct cos_secure *secure, uint32_t first, uint32_t index, uint32_t size)
{
    uint32_t payload = secure->store.payload, per_page = payload / size;

    return (first + index / per_page) * payload + index % per_page * size;
}

uint16_t cos_object_first_application_page(uint16_t payload, uint16_t objects)
{
    return (uint16_t)(STATE_PAGES + cos_pages_for(objects, OBJECT_ENTRY, payload));
}

uint16_t cos_object_first_secret_page(uint16_t payload, uint16_t objects)
{
    return (uint16_t)(cos_object_first_application_page(payload, objects) +
                      cos_application_pages(payload));
}

uint16_t cos_object_pages(uint16_t payload, uint16_t objects)
{
    return (uint16_t)(cos_object_first_secret_page(payload, objects) + STORAGE_KEY_PAGES +
                      cos_pages_for(objects, OBJECT_SLOT, payload));
}

/* First logical page of the secrets, as the start set it. */
static uint16_t secret_page(const struct cos_secure *secure)
{
    return secure->config.store.scrub_from;
}

static uint32_t entry_address(const struct cos_secure *secure, uint16_t index)
{
    return cos_place(secure, STATE_PAGES, index, OBJECT_ENTRY);
}

static uint32_t slot_address(const struct cos_secure *secure, uint16_t index)
{
    return cos_place(secure, secret_page(secure) + STORAGE_KEY_PAGES, index, OBJECT_SLOT);
}

/* ---- Storage key ---- */

static uint32_t storage_key_address(const struct cos_secure *secure)
{
    return (uint32_t)secret_page(secure) * secure->store.payload;
}

enum cos_result cos_object_load_storage_key(struct cos_secure *secure)
{
    return cos_store_read(&secure->store, storage_key_address(secure), secure->storage_key,
                          sizeof secure->storage_key);
}

void cos_object_add_storage_key(struct cos_secure *secure, const uint8_t key[COS_AES_KEY_MAX])
{
    cos_change_add(secure, storage_key_address(secure), key, COS_AES_KEY_MAX);
}

enum cos_result cos_all_zero(const struct cos_secure *secure, uint32_t address, size_t length,
                             bool *zero)
{
    uint8_t byte = 0;

    for (size_t at = 0; at < length && byte == 0; at++) {
        COS_TRY(cos_store_read(&secure->store, address + (uint32_t)at, &byte, 1));
    }
    *zero = byte == 0;
    return COS_OK;
}

enum cos_result cos_object_erase_secrets(struct cos_secure *secure)
{
    const uint16_t payload = secure->store.payload;
    const struct cos_secure_config *config = &secure->config;
    const uint16_t end =
        (uint16_t)(cos_object_pages(payload, config->objects) +
                   cos_vault_pages(payload, config->vault_files, config->vault_size));

    for (uint16_t page = secret_page(secure); page < end; page++) {
        const uint32_t address = (uint32_t)page * payload;
        bool zero;
        COS_TRY(cos_all_zero(secure, address, payload, &zero));
        if (!zero) {
            cos_change_start(secure);
            cos_change_add(secure, address, NULL, payload);
            COS_TRY(cos_change_commit(secure));
        }
    }
    cos_wipe(secure->storage_key, sizeof secure->storage_key);
    return COS_OK;
}

/* ---- Entries ---- */

enum {
    ENTRY_BYTES = 24,
    ENTRY_USES = 24,
    ENTRY_CHUNK = 26,
    ENTRY_SIZE = 28,
    ENTRY_GENERATION = 30,
    ENTRY_COUNTER = 34,
};
_Static_assert(offsetof(struct object, valid_to) + 4 == OBJECT_ASSOCIATED &&
                   offsetof(struct object, tries_left) + 1 == ENTRY_BYTES,
               "struct object begins as an entry does");

static void encode(const struct object *object, uint8_t entry[OBJECT_ENTRY])
{
    memset(entry, 0, OBJECT_ENTRY);
    memcpy(entry, object, ENTRY_BYTES);
    cos_put16(entry + ENTRY_USES, object->uses_left);
    cos_put16(entry + ENTRY_CHUNK, object->chunk);
    cos_put16(entry + ENTRY_SIZE, object->size);
    cos_put32(entry + ENTRY_GENERATION, object->generation);
    cos_put32(entry + ENTRY_COUNTER, object->counter);
}

void cos_object_put_entry(struct cos_secure *secure, const struct object *object)
{
    uint8_t entry[OBJECT_ENTRY];

    encode(object, entry);
    cos_change_add(secure, entry_address(secure, object->index), entry, sizeof entry);
}

enum cos_result cos_object_read(const struct cos_secure *secure, uint16_t index,
                                struct object *object)
{
    uint8_t entry[OBJECT_ENTRY];

    COS_TRY(cos_store_read(&secure->store, entry_address(secure, index), entry, sizeof entry));
    memcpy(object, entry, ENTRY_BYTES);
    object->index = index;
    object->uses_left = cos_get16(entry + ENTRY_USES);
    object->chunk = cos_get16(entry + ENTRY_CHUNK);
    object->size = cos_get16(entry + ENTRY_SIZE);
    object->generation = cos_get32(entry + ENTRY_GENERATION);
    object->counter = cos_get32(entry + ENTRY_COUNTER);
    COS_CHECK(object->length <= OBJECT_SECRET_MAX && object->tries_left <= object->tries_max,
              COS_E_STORE_DAMAGED);
    const struct content content = cos_object_content(object);
    return cos_content_check(secure, &content);
}

struct content cos_object_content(const struct object *object)
{
    return (struct content){.owner = (uint16_t)(CONTENT_OF_OBJECT | object->index),
                            .chunk = object->chunk,
                            .size = object->size,
                            .object = object};
}

enum cos_result cos_object_find(const struct cos_secure *secure, enum object_kind kind,
                                uint8_t context, uint8_t number, uint8_t version,
                                struct object *object)
{
    for (uint16_t index = 0; index < secure->config.objects; index++) {
        COS_TRY(cos_object_read(secure, index, object));
        if (object->kind == kind && object->context == context && object->number == number &&
            object->version == version) {
            return COS_OK;
        }
    }
    return COS_E_REFERENCE_NOT_FOUND;
}

enum cos_result cos_object_find_usage(const struct cos_secure *secure, enum object_usage usage,
                                      uint8_t version, struct object *object)
{
    for (uint16_t index = 0; index < secure->config.objects; index++) {
        COS_TRY(cos_object_read(secure, index, object));
        if (object->kind == OBJECT_KEY && object->context == CONTEXT_GLOBAL &&
            object->usage == usage && (version == 0 || object->version == version)) {
            return COS_OK;
        }
    }
    return COS_E_REFERENCE_NOT_FOUND;
}

static enum cos_result find_free(struct cos_secure *secure, struct object *object)
{
    while (secure->change.next_object < secure->config.objects) {
        COS_TRY(cos_object_read(secure, secure->change.next_object++, object));
        if (object->kind == OBJECT_FREE) {
            return COS_OK;
        }
    }
    return COS_E_MEMORY_FULL;
}

enum cos_result cos_object_place(struct cos_secure *secure, struct object *object)
{
    struct object at;
    enum cos_result found = cos_object_find(secure, (enum object_kind)object->kind, object->context,
                                            object->number, object->version, &at);

    if (found == COS_E_REFERENCE_NOT_FOUND) {
        found = find_free(secure, &at);
    }
    COS_TRY(found);
    object->index = at.index;
    object->generation = at.generation;
    return COS_OK;
}

enum cos_result cos_object_place_key(struct cos_secure *secure, uint8_t number, uint8_t version,
                                     struct object *key)
{
    static const uint8_t usage[KEYS_OF_A_SET] = {USAGE_SCP03_ENC, USAGE_SCP03_MAC, USAGE_SCP03_DEK};

    *key = (struct object){
        .kind = OBJECT_KEY,
        .context = CONTEXT_GLOBAL,
        .number = number,
        .version = version,
        .algorithm = ALGORITHM_AES,
        .usage = version == 0 ? USAGE_TRANSPORT : usage[number - 1],
        .length = 16,
        .use_rule = 0xFF,
    };
    return cos_object_place(secure, key);
}

/* ---- Secrets ---- */

enum { SLOT_SEALED = SEAL_FRESH + OBJECT_SLOT_SECRET + COS_CCM_TAG };
_Static_assert(OBJECT_SECRET_MAX == sizeof((struct cos_secure_clear *)NULL)->secret,
               "each secret has room where it is worked with");

static struct sealing sealing_of(const struct object *object)
{
    return (struct sealing){SEAL_OBJECT, object->index, object->generation, (const uint8_t *)object,
                            OBJECT_ASSOCIATED};
}

static enum cos_result put_in_slot(struct cos_secure *secure, const struct object *object,
                                   const uint8_t *secret)
{
    const struct sealing sealing = sealing_of(object);
    uint8_t slot[OBJECT_SLOT] = {0};

    memcpy(slot + SEAL_FRESH, secret, object->length);
    enum cos_result result = cos_seal(secure, &sealing, slot, OBJECT_SLOT_SECRET);
    if (result == COS_OK) {
        cos_change_add(secure, slot_address(secure, object->index), slot, sizeof slot);
    }
    cos_wipe(slot, sizeof slot);
    return result;
}

/* In a chunk that nobody has before the transaction: the old secret's stays until it is committed.
 */
static enum cos_result put_in_chunk(struct cos_secure *secure, struct object *object,
                                    const uint8_t *secret)
{
    struct content content = cos_object_content(object);

    content.size = object->length;
    COS_TRY(cos_content_place(secure, &content));
    object->chunk = content.chunk;
    object->size = content.size;
    cos_change_add(secure, slot_address(secure, object->index), NULL, OBJECT_SLOT);
    return cos_content_add(secure, &content, 0, (struct cos_span){secret, object->length},
                           COS_COMBINE_REPLACE);
}

enum cos_result cos_object_put(struct cos_secure *secure, struct object *object,
                               const uint8_t *secret)
{
    object->generation++;
    COS_CHECK(object->generation != 0 && object->length <= OBJECT_SECRET_MAX, COS_E_MEMORY_FAILURE);
    COS_TRY(object->length <= OBJECT_SLOT_SECRET ? put_in_slot(secure, object, secret)
                                                 : put_in_chunk(secure, object, secret));
    cos_object_put_entry(secure, object);
    return COS_OK;
}

void cos_object_put_empty(struct cos_secure *secure, const struct object *object)
{
    cos_object_put_entry(secure, object);
    cos_change_add(secure, slot_address(secure, object->index), NULL, OBJECT_SLOT);
}

void cos_object_remove(struct cos_secure *secure, const struct object *object)
{
    const struct object free_entry = {.index = object->index, .generation = object->generation};

    cos_object_put_empty(secure, &free_entry);
}

enum cos_result cos_object_add_transport(struct cos_secure *secure, uint8_t number,
                                         const uint8_t key[16])
{
    struct object object;

    COS_TRY(cos_object_place_key(secure, number, 0, &object));
    object.tries_max = TRANSPORT_TRIES;
    object.tries_left = TRANSPORT_TRIES;
    return cos_object_put(secure, &object, key);
}

enum cos_result cos_object_count_sets(const struct cos_secure *secure, uint8_t but, unsigned *count)
{
    struct object object;

    *count = 0;
    for (uint16_t index = 0; index < secure->config.objects; index++) {
        COS_TRY(cos_object_read(secure, index, &object));
        if (object.kind == OBJECT_KEY && object.usage == USAGE_SCP03_ENC && object.version != but) {
            ++*count;
        }
    }
    return COS_OK;
}

enum cos_result cos_object_remove_set(struct cos_secure *secure, uint8_t version)
{
    struct object object;

    for (uint8_t number = 1; number <= KEYS_OF_A_SET; number++) {
        COS_TRY(cos_object_find(secure, OBJECT_KEY, CONTEXT_GLOBAL, number, version, &object));
        cos_object_remove(secure, &object);
    }
    return COS_OK;
}

enum cos_result cos_object_secret(const struct cos_secure *secure, const struct object *object,
                                  uint8_t secret[OBJECT_SECRET_MAX])
{
    const struct sealing sealing = sealing_of(object);
    uint8_t slot[SLOT_SEALED];

    if (object->length > OBJECT_SLOT_SECRET) {
        const struct content content = cos_object_content(object);
        return cos_content_read(secure, &content, 0, secret, object->length);
    }
    COS_TRY(cos_store_read(&secure->store, slot_address(secure, object->index), slot, sizeof slot));
    enum cos_result result = cos_unseal(secure, &sealing, slot, OBJECT_SLOT_SECRET);
    memcpy(secret, slot + SEAL_FRESH, OBJECT_SLOT_SECRET);
    cos_wipe(slot, sizeof slot);
    return result;
}

/* ---- Tries ---- */

enum cos_result cos_object_write(struct cos_secure *secure, struct object *object)
{
    struct object written;

    cos_change_start(secure);
    cos_object_put_entry(secure, object);
    COS_TRY(cos_change_commit(secure));
    /* Read back: what was not written must not count as spent. */
    COS_TRY(cos_object_read(secure, object->index, &written));
    COS_INVARIANT(written.tries_left == object->tries_left && written.kind == object->kind &&
                  written.uses_left == object->uses_left && written.state == object->state);
    return COS_OK;
}

enum cos_result cos_object_spend(struct cos_secure *secure, struct object *object)
{
    if (object->tries_max == 0) {
        return COS_OK;
    }
    COS_CHECK(object->tries_left > 0, COS_E_METHOD_BLOCKED);
    object->tries_left--;
    return cos_object_write(secure, object);
}

enum cos_result cos_object_restore(struct cos_secure *secure, struct object *object)
{
    if (object->tries_left == object->tries_max) {
        return COS_OK;
    }
    object->tries_left = object->tries_max;
    return cos_object_write(secure, object);
}
