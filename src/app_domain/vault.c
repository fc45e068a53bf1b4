/* SPDX-License-Identifier: Apache-2.0
 *
 * Vault files: this chip has the stub, the security chip has the file (docs/design.md, "Vault").
 */
#include "domain.h"

enum { NUMBER_SIZE = 2, TAG_NAME = 0x84 };

static const struct cos_span none = {NULL, 0};

/* ---- Files that are there ---- */

/* A request about a file: `fields` begin with the operation, and have room for channel and number.
 */
static enum cos_result ask_about(struct cos_app *app, const struct cos_file_info *info,
                                 uint8_t *fields, size_t length, struct cos_span data,
                                 struct cos_span *answer)
{
    fields[1] = cos_app_channel(app);
    cos_put16(fields + 2, info->vault);
    return cos_app_ask(app, COS_GATE_VAULT, fields, length, data, answer);
}

enum cos_result cos_app_vault_may(struct cos_app *app, const struct cos_file_info *info,
                                  enum cos_operation operation)
{
    uint8_t fields[5] = {COS_VAULT_ASK, [4] = (uint8_t)operation};
    struct cos_span answer;

    return ask_about(app, info, fields, sizeof fields, none, &answer);
}

enum cos_result cos_app_vault_read(struct cos_app *app, const struct cos_file_info *info,
                                   uint32_t offset, uint8_t *data, size_t length)
{
    uint8_t fields[8] = {COS_VAULT_READ};
    struct cos_span part;

    COS_CHECK(offset <= info->size && length <= info->size - offset, COS_E_OFFSET);
    while (length > 0) {
        const size_t run = length < COS_VAULT_PART ? length : COS_VAULT_PART;
        cos_put16(fields + 4, (uint16_t)offset);
        cos_put16(fields + 6, (uint16_t)run);
        COS_TRY(ask_about(app, info, fields, sizeof fields, none, &part));
        COS_CHECK(part.length == run, COS_E_INVARIANT);
        memcpy(data, part.data, run);
        offset += (uint32_t)run;
        data += run;
        length -= run;
    }
    return COS_OK;
}

/* WRITE has no byte that says how. */
static enum cos_result change_part(struct cos_app *app, const struct cos_file_info *info,
                                   uint32_t offset, struct cos_span data,
                                   enum cos_vault_op operation, enum cos_combination how)
{
    uint8_t fields[7] = {(uint8_t)operation, [6] = (uint8_t)how};
    const size_t length = operation == COS_VAULT_WRITE ? sizeof fields - 1 : sizeof fields;
    struct cos_span answer;

    COS_CHECK(offset <= info->size && data.length <= info->size - offset, COS_E_OFFSET);
    COS_CHECK(data.length >= 1 && data.length <= COS_VAULT_PART, COS_E_LENGTH);
    cos_put16(fields + 4, (uint16_t)offset);
    return ask_about(app, info, fields, length, data, &answer);
}

enum cos_result cos_app_vault_update(struct cos_app *app, const struct cos_file_info *info,
                                     uint32_t offset, struct cos_span data,
                                     enum cos_combination how)
{
    return change_part(app, info, offset, data, COS_VAULT_UPDATE, how);
}

enum cos_result cos_app_vault_erase(struct cos_app *app, const struct cos_file_info *info,
                                    uint32_t offset, size_t length)
{
    uint8_t zeros[COS_VAULT_PART] = {0};

    return cos_app_vault_update(app, info, offset, (struct cos_span){zeros, length},
                                COS_COMBINE_REPLACE);
}

enum cos_result cos_app_vault_write(struct cos_app *app, const struct cos_file_info *info,
                                    uint32_t offset, struct cos_span data)
{
    return change_part(app, info, offset, data, COS_VAULT_WRITE, COS_COMBINE_REPLACE);
}

enum cos_result cos_app_vault_life_cycle(struct cos_app *app, const struct cos_file_info *info,
                                         uint8_t *status)
{
    uint8_t fields[4] = {COS_VAULT_INFO};
    struct cos_span answer;

    COS_TRY(ask_about(app, info, fields, sizeof fields, none, &answer));
    COS_CHECK(answer.length == 3, COS_E_INVARIANT);
    *status = answer.data[2];
    return COS_OK;
}

enum cos_result cos_app_vault_set_life_cycle(struct cos_app *app, const struct cos_file_info *info,
                                             uint8_t status)
{
    uint8_t fields[5] = {COS_VAULT_STATUS_SET, [4] = status};
    struct cos_span answer;

    return ask_about(app, info, fields, sizeof fields, none, &answer);
}

/* ---- Changes of both chips ---- */

/* Ends what is prepared as STATUS says. If the session is lost, it stays prepared until there is
 * another one. */
static enum cos_result settle(struct cos_app *app, uint32_t transaction, bool *committed)
{
    struct cos_gate_status status;

    /* In the clear STATUS says nothing about transactions. */
    COS_CHECK(app->gate.open, COS_E_GATE_SESSION);
    COS_TRY(cos_app_refresh(app, &status));
    *committed = status.transaction == transaction;
    /* Nothing else may be written before it is finished. */
    return cos_fs_finish(&app->fs, *committed) == COS_OK ? COS_OK : COS_E_MUTE;
}

enum cos_result cos_app_vault_resolve(struct cos_app *app)
{
    uint32_t transaction;
    bool committed;

    return cos_fs_prepared(&app->fs, &transaction) ? settle(app, transaction, &committed) : COS_OK;
}

/* A CREATE or DELETE: asked for first, transaction 0, so that what is refused writes nothing here
 * either. */
struct change {
    uint8_t fields[6]; /* operation, channel, transaction */
    struct cos_span rest;
};

COS_OWN_FRAME static enum cos_result ask_change(struct cos_app *app, const struct change *change,
                                                uint32_t *transaction, uint16_t *number)
{
    struct cos_span body;

    COS_TRY(cos_app_ask(app, COS_GATE_VAULT, change->fields, sizeof change->fields, change->rest,
                        &body));
    struct cos_reader answer = cos_reader(body.data, body.length);
    *transaction = cos_read32(&answer);
    *number = change->fields[0] == COS_VAULT_CREATE ? cos_read16(&answer) : 0;
    return cos_read_done(&answer) ? COS_OK : COS_E_INVARIANT;
}

/* Has the security chip commit what this chip has prepared. Its answer may be lost: STATUS tells.
 */
static enum cos_result commit_change(struct cos_app *app, struct change *change,
                                     uint32_t transaction)
{
    struct cos_span body;
    bool committed;

    cos_put32(change->fields + 2, transaction);
    const enum cos_result result = cos_app_ask(app, COS_GATE_VAULT, change->fields,
                                               sizeof change->fields, change->rest, &body);
    COS_TRY(settle(app, transaction, &committed));
    COS_INVARIANT(committed || result != COS_OK);
    return committed ? COS_OK : result;
}

enum cos_result cos_app_vault_create(struct exchange *x, cos_file parent, struct cos_span fcp,
                                     const struct cos_file_info *info, cos_file *file)
{
    uint8_t size[2];
    struct change change = {{COS_VAULT_CREATE, cos_app_channel(x->app)}, {size, sizeof size}};
    uint32_t transaction;
    uint16_t number;

    COS_CHECK(x->secured, COS_E_SECURITY_STATUS);
    COS_CHECK(info->size <= COS_FS_SIZE_MAX, COS_E_DATA);
    cos_put16(size, (uint16_t)info->size);
    COS_TRY(ask_change(x->app, &change, &transaction, &number));
    COS_TRY(cos_fs_prepare_create(&x->app->fs, parent, fcp, number, transaction, file));
    return commit_change(x->app, &change, transaction);
}

/* What is deleted in both chips with a tree of files, as the request says it. */
struct shared {
    uint8_t request[1 + NUMBER_SIZE * COS_VAULT_FILES_DELETE]; /* contexts, a bit for each, then
                                                                  numbers of vault files */
    size_t length;
};

/* The contexts that a DF's names mean: one, but for names that others left behind. */
COS_OWN_FRAME static enum cos_result
add_applications(struct cos_app *app, const struct cos_file_info *df, struct shared *shared)
{
    const uint8_t fields[] = {COS_CONTEXT_FIND, cos_app_channel(app)};
    uint8_t attributes[COS_FS_ATTRIBUTES_MAX];
    struct cos_span name, context;
    struct cos_tlv tlv;
    const enum cos_result result = cos_fs_attribute(&app->fs, df, TAG_NAME, attributes, &name);

    COS_CHECK(result != COS_E_REFERENCE_NOT_FOUND, COS_OK);
    COS_TRY(result);
    struct cos_reader reader = cos_reader(attributes, df->attributes_length);
    while (cos_tlv_next(&reader, &tlv) == COS_OK) {
        if (tlv.tag == TAG_NAME) {
            name = (struct cos_span){tlv.value, tlv.length};
            COS_TRY(cos_app_ask(app, COS_GATE_CONTEXT, fields, sizeof fields, name, &context));
            COS_CHECK(context.length == 1 && context.data[0] <= COS_APPLICATIONS, COS_E_INVARIANT);
            shared->request[0] |= (uint8_t)(1U << context.data[0] >> 1);
        }
    }
    return COS_OK;
}

static enum cos_result add_vault_file(const struct cos_file_info *ef, struct shared *shared)
{
    COS_CHECK(shared->length < sizeof shared->request, COS_E_MEMORY_FULL);
    cos_put16(shared->request + shared->length, ef->vault);
    shared->length += NUMBER_SIZE;
    return COS_OK;
}

COS_OWN_FRAME static enum cos_result collect(struct cos_app *app, cos_file tree,
                                             struct shared *shared)
{
    struct cos_file_info info;
    uint32_t cursor = 0;
    cos_file file;
    enum cos_result result;

    while ((result = cos_fs_next(&app->fs, &cursor, &file, &info)) == COS_OK) {
        const bool df = cos_file_is_df(&info);
        bool below = false;
        if (df || info.vault != 0) {
            COS_TRY(cos_fs_is_below(&app->fs, file, tree, &below));
        }
        if (below) {
            COS_TRY(df ? add_applications(app, &info, shared) : add_vault_file(&info, shared));
        }
    }
    return result == COS_E_END_OF_DATA ? COS_OK : result;
}

enum cos_result cos_app_delete_tree(struct cos_app *app, cos_file file,
                                    const struct cos_file_info *info)
{
    struct shared shared = {{0}, 1};
    struct change change = {{COS_VAULT_DELETE, cos_app_channel(app)}, {shared.request, 0}};
    uint32_t transaction;
    uint16_t none_new;

    if (cos_file_is_df(info) || info->vault != 0) {
        COS_TRY(collect(app, file, &shared));
    }
    if (shared.request[0] == 0 && shared.length == 1) {
        return cos_fs_delete(&app->fs, file);
    }
    change.rest.length = shared.length;
    COS_TRY(ask_change(app, &change, &transaction, &none_new));
    COS_TRY(cos_fs_prepare_delete(&app->fs, file, transaction));
    return commit_change(app, &change, transaction);
}
