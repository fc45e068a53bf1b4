/* SPDX-License-Identifier: Apache-2.0
 *
 * Applications: which names of DFs mean which context of PINs and keys (docs/formats.md, "Security
 * chip: objects").
 */
#include "domain.h"

/* name length (0: free), name, context that a further name stands for, 0000 */
enum { ENTRY = 20, ENTRY_ALIAS = APPLICATION_NAME, NAME_MAX = 16, TAG_NAME = 0x84 };

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
        if (memcmp(entry, wanted, APPLICATION_NAME) == 0) {
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

enum cos_result cos_application_name(const struct cos_secure *secure, uint8_t context,
                                     uint8_t name[APPLICATION_NAME])
{
    uint8_t entry[ENTRY] = {0};

    if (context != CONTEXT_GLOBAL) {
        COS_TRY(read_entry(secure, (uint8_t)(context - 1), entry));
    }
    memcpy(name, entry, APPLICATION_NAME);
    return COS_OK;
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
        if (orphan) { /* each by itself: they may lie in any pages */
            cos_object_remove(secure, &object);
            COS_TRY(cos_change_commit(secure));
        }
    }
    return COS_OK;
}

/* ---- Registration ---- */

/* What the names of a template mean now. */
struct names {
    unsigned count, known; /* how many, and how many of them have an entry */
    uint8_t contexts;      /* that they mean: bit n - 1 of context n */
    uint8_t first;         /* that of the first one; 0: none */
};

/* The next name of a template. COS_E_END_OF_DATA. */
static enum cos_result next_name(struct cos_reader *fcp, struct cos_span *name)
{
    struct cos_tlv tlv;

    do {
        COS_TRY(cos_tlv_next(fcp, &tlv));
    } while (tlv.tag != TAG_NAME);
    *name = (struct cos_span){tlv.value, tlv.length};
    return COS_OK;
}

static enum cos_result read_names(const struct cos_secure *secure, struct cos_span fcp,
                                  struct names *names)
{
    struct cos_reader reader = cos_reader(fcp.data, fcp.length);
    struct cos_span name;
    enum cos_result result;

    *names = (struct names){.count = 0};
    while ((result = next_name(&reader, &name)) == COS_OK) {
        uint8_t context = CONTEXT_GLOBAL;
        const enum cos_result found = cos_application_find(secure, name, &context);
        COS_CHECK(found == COS_OK || found == COS_E_REFERENCE_NOT_FOUND, found);
        names->first = names->count == 0 ? context : names->first;
        names->count++;
        names->known += found == COS_OK;
        names->contexts |= (uint8_t)(1U << context >> 1);
    }
    return result == COS_E_END_OF_DATA && names->count != 0 ? COS_OK : COS_E_DATA;
}

/* How many entries are free, or stand for one of these contexts. */
static enum cos_result count_entries(const struct cos_secure *secure, uint8_t contexts,
                                     unsigned *free, unsigned *standing)
{
    uint8_t entry[ENTRY];

    *free = *standing = 0;
    for (uint8_t index = 0; index < COS_APPLICATIONS; index++) {
        COS_TRY(read_entry(secure, index, entry));
        *free += entry[0] == 0;
        *standing += entry[0] != 0 && cos_application_among(contexts, context_of(index, entry));
    }
    return COS_OK;
}

/* Entries for all the names: the context is that of the first one. */
static enum cos_result add_names(struct cos_secure *secure, struct cos_span fcp, uint8_t *context)
{
    struct cos_reader reader = cos_reader(fcp.data, fcp.length);
    uint8_t entry[ENTRY], taken, ignored, index = 0;
    struct cos_span name;

    *context = 0;
    cos_change_start(secure);
    while (next_name(&reader, &name) == COS_OK) {
        do {
            COS_CHECK(index < COS_APPLICATIONS, COS_E_MEMORY_FULL);
            COS_TRY(read_entry(secure, index++, entry));
            taken = entry[0];
        } while (taken != 0);
        COS_CHECK(find_name(secure, name, entry, &ignored) == COS_E_REFERENCE_NOT_FOUND,
                  COS_E_NAME_EXISTS);
        entry[ENTRY_ALIAS] = *context;
        cos_change_add(secure, entry_address(secure, (uint16_t)(index - 1)), entry, sizeof entry);
        *context = *context == 0 ? index : *context;
    }
    return cos_change_commit(secure);
}

enum cos_result cos_application_register(struct cos_secure *secure, struct cos_span fcp,
                                         uint8_t *context)
{
    struct names names;
    unsigned free, standing;
    bool has_objects;

    COS_TRY(read_names(secure, fcp, &names));
    COS_TRY(count_entries(secure, names.contexts, &free, &standing));
    if (names.known == names.count && standing == names.count &&
        names.contexts == 1U << names.first >> 1) {
        *context = names.first; /* just these, and all of them */
        return COS_OK;
    }
    COS_CHECK(free + standing >= names.count, COS_E_MEMORY_FULL);
    COS_TRY(cos_application_has_objects(secure, names.contexts, &has_objects));
    COS_CHECK(!has_objects, COS_E_NAME_EXISTS);
    const enum cos_result none_stays =
        cos_vault_none_stays(secure, names.contexts, (struct cos_span){NULL, 0});
    COS_CHECK(none_stays != COS_E_CONDITIONS, COS_E_NAME_EXISTS);
    COS_TRY(none_stays);
    cos_change_start(secure);
    COS_TRY(cos_application_remove(secure, names.contexts));
    COS_TRY(cos_change_commit(secure));
    COS_TRY(cos_application_sweep(secure)); /* if a removal could not finish it */
    return add_names(secure, fcp, context);
}
