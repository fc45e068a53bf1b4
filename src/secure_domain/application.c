/* SPDX-License-Identifier: Apache-2.0
 *
 * Applications: which names of DFs mean which context of PINs and keys (docs/formats.md, "Security
 * chip: objects").
 */
#include "domain.h"

/* name length (0: free), name, context that a further name stands for, 0000 */
enum { ENTRY = 20, ENTRY_NAME = 17, ENTRY_ALIAS = 17, NAME_MAX = 16 };

uint16_t cos_application_pages(uint16_t payload)
{
    return cos_pages_for(COS_APPLICATIONS, ENTRY, payload);
}

static uint32_t entry_address(const struct cos_secure *secure, uint16_t index)
{
    uint16_t first =
        cos_object_first_application_page(secure->store.payload, secure->config.objects);

    return cos_place(secure, first, index, ENTRY);
}

static enum cos_result read_entry(const struct cos_secure *secure, uint8_t index,
                                  uint8_t entry[ENTRY])
{
    COS_TRY(cos_store_read(&secure->store, entry_address(secure, index), entry, ENTRY));
    COS_CHECK(entry[ENTRY_ALIAS] <= COS_APPLICATIONS, COS_E_STORE_DAMAGED);
    return COS_OK;
}

/* The context that an entry stands for: its own, or that of its DF's first name. */
static uint8_t context_of(uint8_t index, const uint8_t entry[ENTRY])
{
    return entry[ENTRY_ALIAS] != 0 ? entry[ENTRY_ALIAS] : (uint8_t)(index + 1);
}

/* The context of the first entry with this name, COS_E_REFERENCE_NOT_FOUND. */
static enum cos_result find_entry(const struct cos_secure *secure, const uint8_t wanted[ENTRY],
                                  uint8_t *context)
{
    uint8_t entry[ENTRY];

    for (uint8_t index = 0; index < COS_APPLICATIONS; index++) {
        COS_TRY(read_entry(secure, index, entry));
        if (memcmp(entry, wanted, ENTRY_NAME) == 0) {
            *context = context_of(index, entry);
            return COS_OK;
        }
    }
    return COS_E_REFERENCE_NOT_FOUND;
}

/* Makes the entry of a name and finds it. */
static enum cos_result find_name(const struct cos_secure *secure, struct cos_span name,
                                 uint8_t entry[ENTRY], uint8_t *context)
{
    COS_CHECK(name.length >= 1 && name.length <= NAME_MAX, COS_E_DATA);
    memset(entry, 0, ENTRY);
    entry[0] = (uint8_t)name.length;
    memcpy(entry + 1, name.data, name.length);
    return find_entry(secure, entry, context);
}

enum cos_result cos_application_find(const struct cos_secure *secure, struct cos_span name,
                                     uint8_t *context)
{
    uint8_t entry[ENTRY];

    return find_name(secure, name, entry, context);
}

/* The context of a free entry, if there are as many as are needed. */
static enum cos_result find_free_entry(const struct cos_secure *secure, unsigned needed,
                                       uint8_t *context)
{
    uint8_t entry[ENTRY];
    unsigned found = 0;

    for (uint8_t index = COS_APPLICATIONS; index-- > 0;) {
        COS_TRY(read_entry(secure, index, entry));
        if (entry[0] == 0) {
            found++;
            *context = (uint8_t)(index + 1);
        }
    }
    return found != 0 && found >= needed ? COS_OK : COS_E_MEMORY_FULL;
}

enum cos_result cos_application_register(struct cos_secure *secure, struct cos_span name,
                                         struct cos_span first, unsigned needed, uint8_t *context)
{
    uint8_t entry[ENTRY], first_entry[ENTRY], free_context = 0;
    enum cos_result result = find_name(secure, name, entry, context);

    if (result != COS_E_REFERENCE_NOT_FOUND) {
        return result;
    }
    COS_TRY(find_free_entry(secure, needed, &free_context));
    *context = free_context;
    if (name.length != first.length || memcmp(name.data, first.data, name.length) != 0) {
        COS_TRY(find_name(secure, first, first_entry, context));
        entry[ENTRY_ALIAS] = *context;
    }
    COS_TRY(cos_application_sweep(secure)); /* if a removal could not finish it */
    cos_change_start(secure);
    cos_change_add(secure, entry_address(secure, (uint16_t)(free_context - 1)), entry,
                   sizeof entry);
    return cos_change_commit(secure);
}

enum cos_result cos_application_has_name(const struct cos_secure *secure, struct cos_span name,
                                         struct cos_span beginning)
{
    uint8_t entry[ENTRY], context;
    const enum cos_result result = find_name(secure, name, entry, &context);

    /* Nobody's: binding to it is binding to none. */
    COS_CHECK(result != COS_E_REFERENCE_NOT_FOUND, COS_OK);
    COS_TRY(result);
    for (uint8_t index = 0; index < COS_APPLICATIONS; index++) {
        COS_TRY(read_entry(secure, index, entry));
        if (context_of(index, entry) == context && entry[0] >= beginning.length &&
            memcmp(entry + 1, beginning.data, beginning.length) == 0) {
            return COS_OK;
        }
    }
    return COS_E_CONDITIONS;
}

/* ---- Removal ---- */

/* Reads an object; `belongs`: it is there, and of one of these contexts. */
static enum cos_result belongs_to(const struct cos_secure *secure, uint16_t index, uint8_t contexts,
                                  struct object *object, bool *belongs)
{
    COS_TRY(cos_object_read(secure, index, object));
    *belongs = object->kind != OBJECT_FREE && cos_application_among(contexts, object->context);
    return COS_OK;
}

enum cos_result cos_application_has_objects(const struct cos_secure *secure, uint8_t contexts,
                                            bool *has_objects)
{
    struct object object;

    *has_objects = false;
    for (uint16_t index = 0; index < secure->config.objects && !*has_objects; index++) {
        COS_TRY(belongs_to(secure, index, contexts, &object, has_objects));
    }
    return COS_OK;
}

/* Those that a name stands for. */
static enum cos_result contexts_in_use(const struct cos_secure *secure, uint8_t *contexts)
{
    uint8_t entry[ENTRY];

    *contexts = 0;
    for (uint8_t index = 0; index < COS_APPLICATIONS; index++) {
        COS_TRY(read_entry(secure, index, entry));
        if (entry[0] != 0) {
            *contexts |= (uint8_t)(1U << (context_of(index, entry) - 1));
        }
    }
    return COS_OK;
}

enum cos_result cos_application_remove(struct cos_secure *secure, uint8_t contexts)
{
    uint8_t entry[ENTRY], in_use;

    COS_TRY(contexts_in_use(secure, &in_use));
    COS_CHECK((contexts & ~in_use) == 0, COS_E_REFERENCE_NOT_FOUND);
    for (uint8_t index = 0; index < COS_APPLICATIONS; index++) {
        COS_TRY(read_entry(secure, index, entry));
        if (entry[0] != 0 && cos_application_among(contexts, context_of(index, entry))) {
            cos_change_add(secure, entry_address(secure, index), NULL, sizeof entry);
        }
    }
    return COS_OK;
}

enum cos_result cos_application_sweep(struct cos_secure *secure)
{
    struct object object;
    uint8_t contexts;
    bool orphan;

    COS_TRY(contexts_in_use(secure, &contexts));
    cos_change_start(secure);
    for (uint16_t index = 0; index < secure->config.objects; index++) {
        COS_TRY(belongs_to(secure, index, (uint8_t)~contexts, &object, &orphan));
        if (orphan) {
            cos_object_remove(secure, &object);
        }
        const bool full = secure->change.count + OBJECT_EDITS > COS_SECURE_EDITS;
        if (full || index + 1U == secure->config.objects) {
            COS_TRY(cos_change_commit(secure)); /* nothing to write: writes nothing */
        }
    }
    return COS_OK;
}
