/* SPDX-License-Identifier: Apache-2.0
 *
 * The vault: content, size, rule and life-cycle status of the EFs that the app chip keeps a stub of
 * (docs/design.md, "Vault"; docs/formats.md, "Security chip: vault").
 */
#include "domain.h"

#include "cos/fs.h"
#include "cos/rule.h"

enum {
    ENTRY_STATUS = 0,   /* 00: free */
    COMBINATION_AT = 5, /* in the same byte, where the data coding byte has it */
    ENTRY_CONTEXT = 1,
    ENTRY_SIZE = 2,
    ENTRY_CHUNK = 4,
    ENTRY_RULE = 6,
    ENTRY = 54,
    RULE_MAX = ENTRY - ENTRY_RULE,
};

/* An entry, decoded. */
struct file {
    struct content content; /* its owner is the file's number */
    uint8_t status, context;
    enum cos_combination combination; /* what WRITE does */
    uint8_t rule[RULE_MAX];           /* 8C or AB, then 00 */
};

/* ---- Places ---- */

uint16_t cos_vault_pages(uint16_t payload, uint16_t files, uint16_t size)
{
    return (uint16_t)(cos_pages_for(files, ENTRY, payload) + cos_content_pages(payload, size));
}

uint16_t cos_vault_delete_pages(uint16_t payload, uint16_t files)
{
    const uint16_t pages = cos_pages_for(files, ENTRY, payload);
    const uint16_t entries = pages < COS_VAULT_FILES_DELETE ? pages : COS_VAULT_FILES_DELETE;

    return (uint16_t)(entries + 2); /* the names of applications, and the state record */
}

static uint16_t first_page(const struct cos_secure *secure)
{
    return cos_object_pages(secure->store.payload, secure->config.objects);
}

static uint32_t entry_address(const struct cos_secure *secure, uint16_t number)
{
    return cos_place(secure, first_page(secure), number - 1U, ENTRY);
}

uint32_t cos_content_first_page(const struct cos_secure *secure)
{
    return (uint32_t)first_page(secure) +
           cos_pages_for(secure->config.vault_files, ENTRY, secure->store.payload);
}

/* ---- Entries ---- */

/* Reads entry `number`, which may be free: its status and size are 0 then. */
static enum cos_result read_file(const struct cos_secure *secure, uint16_t number,
                                 struct file *file)
{
    uint8_t entry[ENTRY];

    COS_TRY(cos_store_read(&secure->store, entry_address(secure, number), entry, sizeof entry));
    file->status = entry[ENTRY_STATUS] & 0x0FU;
    file->combination = (enum cos_combination)(entry[ENTRY_STATUS] >> COMBINATION_AT & 0x03U);
    file->context = entry[ENTRY_CONTEXT];
    file->content = (struct content){
        .owner = number,
        .chunk = cos_get16(entry + ENTRY_CHUNK),
        .size = cos_get16(entry + ENTRY_SIZE),
    };
    memcpy(file->rule, entry + ENTRY_RULE, RULE_MAX);
    return cos_content_check(secure, &file->content);
}

enum cos_result cos_vault_content(const struct cos_secure *secure, uint16_t number,
                                  struct content *content)
{
    struct file file;

    COS_TRY(read_file(secure, number, &file));
    *content = file.content;
    return COS_OK;
}

static enum cos_result find_file(const struct cos_secure *secure, struct cos_reader *request,
                                 struct file *file)
{
    const uint16_t number = cos_read16(request);

    COS_CHECK(number >= 1 && number <= secure->config.vault_files, COS_E_REFERENCE_NOT_FOUND);
    COS_TRY(read_file(secure, number, file));
    COS_CHECK(file->status != 0, COS_E_REFERENCE_NOT_FOUND);
    return COS_OK;
}

static void add_entry(struct cos_secure *secure, const struct file *file)
{
    uint8_t entry[ENTRY];

    entry[ENTRY_STATUS] = (uint8_t)(file->status | (unsigned)file->combination << COMBINATION_AT);
    entry[ENTRY_CONTEXT] = file->context;
    cos_put16(entry + ENTRY_SIZE, file->content.size);
    cos_put16(entry + ENTRY_CHUNK, file->content.chunk);
    memcpy(entry + ENTRY_RULE, file->rule, RULE_MAX);
    cos_change_add(secure, entry_address(secure, file->content.owner), entry, sizeof entry);
}

/* Gives a new file the first free number and the first free chunks that it fits into. */
static enum cos_result place_file(struct cos_secure *secure, struct file *file)
{
    struct file other = {.status = 1};
    uint16_t number = 0;

    while (other.status != 0) {
        COS_CHECK(number < secure->config.vault_files, COS_E_MEMORY_FULL);
        COS_TRY(read_file(secure, ++number, &other));
    }
    file->content.owner = number;
    return cos_content_place(secure, &file->content);
}

/* ---- Rules ---- */

/* Whether the channel may do this to the file: by its rule, but before the file is activated by the
 * issuer's keys. The rule's PINs and keys are those of the application that the file was created
 * in, whatever the app chip bound the channel to. */
static enum cos_result require(struct cos_secure *secure, uint8_t channel, const struct file *file,
                               enum cos_operation operation)
{
    const struct cos_access access = {.operation = operation};
    struct cos_channel *status = &secure->channels[channel];
    const struct cos_channel bound = *status;
    uint8_t bytes[COS_RULE_MAX];
    struct cos_writer condition = cos_writer(bytes, sizeof bytes);
    struct cos_reader reader = cos_reader(file->rule, sizeof file->rule);
    struct cos_tlv rule;

    if (file->status < COS_LCS_DEACTIVATED) {
        return cos_status_require(secure, channel, CONDITION_SM);
    }
    COS_CHECK(cos_tlv_next(&reader, &rule) == COS_OK, COS_E_STORE_DAMAGED);
    const struct cos_span text = {rule.value, rule.length};
    enum cos_result result = rule.tag == 0x8C ? cos_rule_compact(text, &access, &condition)
                                              : cos_rule_expanded(text, &access, &condition);
    COS_CHECK(result == COS_OK, COS_E_STORE_DAMAGED); /* it was checked when it came */
    if (status->application != file->context) {
        status->application = file->context;
        status->pins_local = 0;
        status->keys_local = 0;
    }
    result = cos_status_require_rule(secure, channel, (struct cos_span){bytes, condition.length});
    *status = bound;
    return result;
}

/* An expanded rule that filters by the command's header cannot be decided: of a plain command the
 * header is not known here. */
static enum cos_result check_expanded(struct cos_span rule)
{
    struct cos_reader reader = cos_reader(rule.data, rule.length);
    struct cos_tlv tlv;

    while (cos_tlv_next(&reader, &tlv) == COS_OK) {
        COS_CHECK(tlv.tag <= 0x80 || tlv.tag > 0x8F, COS_E_DATA);
    }
    return cos_rule_check_expanded(rule);
}

static enum cos_result take_attribute(const struct cos_tlv *tlv, struct file *file,
                                      struct cos_writer *rule)
{
    const struct cos_span value = {tlv->value, tlv->length};

    switch (tlv->tag) {
    case 0x82:
        file->combination = cos_combination_of(tlv->length >= 2 ? tlv->value[1] : 0);
        return COS_OK;
    case 0x8A:
        COS_CHECK(tlv->length == 1, COS_E_DATA);
        file->status = tlv->value[0] & (tlv->value[0] > COS_LCS_INITIALISATION ? 0xFDU : 0xFFU);
        COS_CHECK(file->status >= COS_LCS_CREATION && file->status <= COS_LCS_ACTIVATED &&
                      file->status != 0x02,
                  COS_E_DATA);
        return COS_OK;
    case 0x8B: /* its EF.ARR lies in the app chip */
    case 0xA0:
        return COS_E_DATA;
    case 0x8C:
    case 0xAB:
        COS_CHECK(rule->length == 0, COS_E_DATA);
        cos_tlv_write(rule, tlv->tag, tlv->value, tlv->length);
        return tlv->tag == 0x8C ? cos_rule_check_compact(value) : check_expanded(value);
    default:
        return COS_OK;
    }
}

/* Takes what decides over the file from the CREATE FILE that is open under secure messaging: the
 * app chip is not believed. */
static enum cos_result take_fcp(const struct cos_secure *secure, struct file *file)
{
    const struct cos_held *open = &secure->held;
    struct cos_writer rule = cos_writer(file->rule, sizeof file->rule);
    enum cos_result result;
    struct cos_span fcp;
    struct cos_tlv tlv;

    COS_TRY(cos_tlv_fcp((struct cos_span){open->data, open->length}, &fcp));
    struct cos_reader reader = cos_reader(fcp.data, fcp.length);
    while ((result = cos_tlv_next(&reader, &tlv)) == COS_OK) {
        COS_TRY(take_attribute(&tlv, file, &rule));
    }
    COS_CHECK(result == COS_E_END_OF_DATA && !rule.failed && rule.length != 0, COS_E_DATA);
    return COS_OK;
}

/* ---- Operations ---- */

/* Of a change of both chips: answers which transaction it is to be. *now: it is to be made, and not
 * only asked for. */
static enum cos_result begin_change(const struct cos_secure *secure, uint32_t transaction,
                                    struct cos_writer *body, bool *now)
{
    const uint32_t next = secure->transaction + 1;

    *now = transaction != 0;
    COS_CHECK(!*now || transaction == next, COS_E_CONDITIONS);
    cos_write32(body, next);
    return COS_OK;
}

static enum cos_result create_file(struct cos_secure *secure, uint8_t channel,
                                   struct cos_reader *request, struct cos_writer *body)
{
    const uint32_t transaction = cos_read32(request);
    struct file file = {
        .content = {.size = cos_read16(request)},
        .status = COS_LCS_ACTIVATED,
        .combination = COS_COMBINE_OR,
        .context = secure->channels[channel].application,
    };
    bool now;

    COS_CHECK(cos_read_done(request), COS_E_GATE_FORMAT);
    COS_TRY(cos_status_require(secure, channel, CONDITION_SM));
    COS_CHECK(file.context == secure->held.application, COS_E_CONDITIONS);
    COS_CHECK(file.content.size != 0, COS_E_DATA);
    COS_TRY(take_fcp(secure, &file));
    COS_TRY(place_file(secure, &file));
    COS_TRY(begin_change(secure, transaction, body, &now));
    cos_write16(body, file.content.owner);
    if (!now) {
        return COS_OK;
    }
    COS_TRY(cos_content_sweep(secure)); /* if a deletion could not finish it */
    add_entry(secure, &file);
    return cos_state_advance(secure, (enum cos_life_cycle)secure->life_cycle);
}

/* A file's rule would mean the PINs of whatever application got the context's number next: none may
 * stay that is not among `numbers`. */
enum cos_result cos_vault_none_stays(const struct cos_secure *secure, uint8_t contexts,
                                     struct cos_span numbers)
{
    struct file file;

    for (uint16_t number = 1; number <= secure->config.vault_files; number++) {
        bool stays = true;
        for (size_t i = 0; i < numbers.length; i += 2) {
            stays = stays && cos_get16(numbers.data + i) != number;
        }
        COS_TRY(read_file(secure, number, &file));
        COS_CHECK(!stays || file.status == 0 || !cos_application_among(contexts, file.context),
                  COS_E_CONDITIONS);
    }
    return COS_OK;
}

/* Files, each under its own rule, and applications: with PINs or keys only the issuer removes one.
 */
static enum cos_result delete_together(struct cos_secure *secure, uint8_t channel,
                                       struct cos_reader *request, struct cos_writer *body)
{
    const uint32_t transaction = cos_read32(request);
    const uint8_t contexts = cos_read8(request);
    const struct cos_span numbers = {request->data, request->length};
    struct file file;
    bool has_objects, now;

    COS_CHECK(!request->failed && (contexts != 0 || request->length != 0) &&
                  request->length % 2 == 0 && request->length <= 2 * COS_VAULT_FILES_DELETE,
              COS_E_GATE_FORMAT);
    cos_change_start(secure);
    COS_TRY(cos_application_has_objects(secure, contexts, &has_objects));
    COS_TRY(has_objects ? cos_status_require(secure, channel, CONDITION_SM) : COS_OK);
    COS_TRY(cos_vault_none_stays(secure, contexts, numbers));
    COS_TRY(cos_application_remove(secure, contexts));
    while (request->length > 0) {
        COS_TRY(find_file(secure, request, &file));
        COS_TRY(require(secure, channel, &file, COS_OPERATION_DELETE));
        cos_change_add(secure, entry_address(secure, file.content.owner), NULL, ENTRY);
    }
    COS_TRY(begin_change(secure, transaction, body, &now));
    if (!now) {
        return COS_OK;
    }
    COS_TRY(cos_state_advance(secure, (enum cos_life_cycle)secure->life_cycle));
    cos_status_leave(secure, contexts);
    COS_TRY(cos_application_sweep(secure)); /* or the next start does; so with the content */
    return cos_content_sweep(secure);
}

/* The file, if its content may be used so. */
static enum cos_result use_file(struct cos_secure *secure, uint8_t channel,
                                enum cos_operation operation, struct cos_reader *request,
                                struct file *file)
{
    COS_TRY(find_file(secure, request, file));
    COS_CHECK(file->status != COS_LCS_DEACTIVATED && file->status != COS_LCS_TERMINATED,
              COS_E_CONDITIONS);
    return require(secure, channel, file, operation);
}

static enum cos_result read_part(struct cos_secure *secure, uint8_t channel,
                                 struct cos_reader *request, struct cos_writer *body)
{
    struct file file;

    COS_CHECK(request->length == 6, COS_E_GATE_FORMAT);
    COS_TRY(use_file(secure, channel, COS_OPERATION_READ, request, &file));
    const size_t offset = cos_read16(request), length = cos_read16(request);
    COS_CHECK(length >= 1 && length <= COS_VAULT_PART, COS_E_LENGTH);
    COS_CHECK(offset + length <= file.content.size, COS_E_OFFSET);
    uint8_t *data = cos_write_room(body, length);
    COS_CHECK(data != NULL, COS_E_INVARIANT);
    return cos_content_read(secure, &file.content, offset, data, length);
}

/* UPDATE says how new bytes meet old ones; of WRITE, which may have another rule, the data coding
 * byte of CREATE FILE says it. */
static enum cos_result change_part(struct cos_secure *secure, uint8_t channel,
                                   enum cos_operation operation, struct cos_reader *request)
{
    const bool update = operation == COS_OPERATION_UPDATE;
    struct file file;

    COS_CHECK(request->length > (update ? 5 : 4), COS_E_GATE_FORMAT);
    COS_TRY(use_file(secure, channel, operation, request, &file));
    const size_t offset = cos_read16(request);
    if (update) {
        file.combination = (enum cos_combination)cos_read8(request);
        COS_CHECK(file.combination <= COS_COMBINE_XOR, COS_E_GATE_FORMAT);
    }
    const struct cos_span data = cos_read_rest(request);
    COS_CHECK(data.length <= COS_VAULT_PART, COS_E_LENGTH);
    COS_CHECK(offset + data.length <= file.content.size, COS_E_OFFSET);
    cos_change_start(secure);
    COS_TRY(cos_content_add(secure, &file.content, offset, data, file.combination));
    return cos_change_commit(secure);
}

static enum cos_result ask(struct cos_secure *secure, uint8_t channel, struct cos_reader *request)
{
    struct file file;

    COS_CHECK(request->length == 3, COS_E_GATE_FORMAT);
    const uint8_t operation = request->data[2];
    COS_CHECK(operation == COS_OPERATION_READ || operation == COS_OPERATION_UPDATE ||
                  operation == COS_OPERATION_WRITE,
              COS_E_GATE_FORMAT);
    return use_file(secure, channel, (enum cos_operation)operation, request, &file);
}

/* ISO/IEC 7816-9: ACTIVATE FILE, DEACTIVATE FILE, TERMINATE EF. */
static enum cos_result set_status(struct cos_secure *secure, uint8_t channel,
                                  struct cos_reader *request)
{
    enum { OPERATIONAL = 1U << COS_LCS_DEACTIVATED | 1U << COS_LCS_ACTIVATED };
    static const struct {
        uint8_t status, operation, from; /* bit n of `from`: status n */
    } steps[] = {
        {COS_LCS_ACTIVATED, COS_OPERATION_ACTIVATE,
         1U << COS_LCS_CREATION | 1U << COS_LCS_INITIALISATION | OPERATIONAL},
        {COS_LCS_DEACTIVATED, COS_OPERATION_DEACTIVATE, OPERATIONAL},
        {COS_LCS_TERMINATED, COS_OPERATION_TERMINATE, OPERATIONAL},
    };
    struct file file;

    COS_CHECK(request->length == 3, COS_E_GATE_FORMAT);
    COS_TRY(find_file(secure, request, &file));
    const uint8_t wanted = cos_read8(request);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (steps[i].status == wanted) {
            COS_CHECK((steps[i].from & 1U << file.status) != 0, COS_E_CONDITIONS);
            COS_TRY(require(secure, channel, &file, (enum cos_operation)steps[i].operation));
            if (file.status == wanted) {
                return COS_OK;
            }
            file.status = wanted;
            cos_change_start(secure);
            add_entry(secure, &file);
            return cos_change_commit(secure);
        }
    }
    return COS_E_GATE_FORMAT;
}

static enum cos_result info(const struct cos_secure *secure, struct cos_reader *request,
                            struct cos_writer *body)
{
    struct file file;

    COS_CHECK(request->length == 2, COS_E_GATE_FORMAT);
    COS_TRY(find_file(secure, request, &file));
    cos_write16(body, file.content.size);
    cos_write8(body, file.status);
    return COS_OK;
}

enum cos_result cos_call_vault(struct cos_secure *secure, struct cos_reader *request,
                               struct cos_writer *body)
{
    const uint8_t operation = cos_read8(request);
    const uint8_t channel = cos_read_channel(request);

    COS_CHECK(!request->failed, COS_E_GATE_FORMAT);
    switch (operation) {
    case COS_VAULT_CREATE:
        return create_file(secure, channel, request, body);
    case COS_VAULT_DELETE:
        return delete_together(secure, channel, request, body);
    case COS_VAULT_READ:
        return read_part(secure, channel, request, body);
    case COS_VAULT_UPDATE:
        return change_part(secure, channel, COS_OPERATION_UPDATE, request);
    case COS_VAULT_STATUS_SET:
        return set_status(secure, channel, request);
    case COS_VAULT_INFO:
        return info(secure, request, body);
    case COS_VAULT_WRITE:
        return change_part(secure, channel, COS_OPERATION_WRITE, request);
    case COS_VAULT_ASK:
        return ask(secure, channel, request);
    default:
        return COS_E_GATE_FORMAT;
    }
}
