/* SPDX-License-Identifier: Apache-2.0
 *
 * CREATE FILE (ISO/IEC 7816-9).
 */
#include "domain.h"

enum { TAG_DESCRIPTOR = 0x82, TAG_NAME = 0x84, TAG_SFI = 0x88 };

/* ---- The template ---- */

/* What P1 or P2 say of a data object of one byte: it is added to the template if it is not there,
 * and must agree if it is. */
static enum cos_result merge(struct cos_writer *fcp, uint32_t tag, uint8_t value)
{
    struct cos_tlv tlv;
    enum cos_result result = cos_tlv_find(fcp->data, fcp->length, tag, &tlv);

    if (result == COS_E_REFERENCE_NOT_FOUND) {
        cos_tlv_write8(fcp, tag, value);
        return COS_OK;
    }
    COS_CHECK(result == COS_OK && tlv.length >= 1 && tlv.value[0] == value, COS_E_DATA);
    return COS_OK;
}

/* The value of the template: the data field's, with the file descriptor byte from P1 and the SFI
 * from P2 if they are not 00. The response's buffer holds it then. */
static enum cos_result read_fcp(struct exchange *x, struct cos_span *fcp)
{
    const uint8_t p1 = x->command.p1, p2 = x->command.p2;
    struct cos_writer merged = cos_writer(x->body->data, x->body->capacity);

    COS_CHECK(p2 >> 3 <= COS_FS_SFI_MAX, COS_E_P1_P2);
    COS_TRY(cos_tlv_fcp(cos_app_command_data(x), fcp));
    if (p1 == 0 && p2 == 0) {
        return COS_OK;
    }
    cos_write_bytes(&merged, fcp->data, fcp->length);
    if (p1 != 0) {
        COS_TRY(merge(&merged, TAG_DESCRIPTOR, p1));
    }
    if (p2 != 0) {
        COS_TRY(merge(&merged, TAG_SFI, p2));
    }
    COS_CHECK(!merged.failed, COS_E_LENGTH);
    *fcp = (struct cos_span){merged.data, merged.length};
    return COS_OK;
}

/* ---- Who may ---- */

/* The MF is made under the issuer's secure messaging; any other file by the rule of the DF it goes
 * into, which must be in use. */
static enum cos_result may_create(struct exchange *x, struct cos_span fcp)
{
    static const uint8_t under_secure_messaging[] = {0x9E, 0x01, CONDITION_SM};
    struct cos_app *app = x->app;
    struct cos_file_info info;
    struct cos_tlv descriptor;
    enum cos_result result = cos_fs_info(&app->fs, COS_FILE_MF, &info);

    if (result == COS_E_FILE_NOT_FOUND) {
        return cos_app_require_condition(app, under_secure_messaging,
                                         sizeof under_secure_messaging);
    }
    COS_TRY(result);
    COS_TRY(cos_fs_info(&app->fs, app->channel->df, &info));
    COS_TRY(cos_app_df_usable(app, app->channel->df));
    COS_CHECK(cos_tlv_find(fcp.data, fcp.length, TAG_DESCRIPTOR, &descriptor) == COS_OK &&
                  descriptor.length >= 1,
              COS_E_DATA);
    bool df = (descriptor.value[0] & COS_FDB_KIND) == COS_FDB_DF;
    return cos_app_require(x, &info, df ? COS_OPERATION_CREATE_DF : COS_OPERATION_CREATE_EF);
}

/* The issuer domain's name is taken, though no DF has it. */
static enum cos_result check_names(struct cos_span fcp)
{
    struct cos_reader reader = cos_reader(fcp.data, fcp.length);
    struct cos_tlv tlv;

    while (cos_tlv_next(&reader, &tlv) == COS_OK) {
        COS_CHECK(tlv.tag != TAG_NAME || tlv.length != sizeof cos_app_issuer_domain ||
                      memcmp(tlv.value, cos_app_issuer_domain, tlv.length) != 0,
                  COS_E_NAME_EXISTS);
    }
    return COS_OK;
}

/* A DF with names gets a context in the security chip, so that PINs and keys can be its own; which
 * names, that reads in the command itself. If the DF then is not created, because power goes, the
 * context is empty, and serves or gives way to the next try. */
static enum cos_result register_names(struct exchange *x, struct cos_span fcp)
{
    const uint8_t fields[] = {COS_CONTEXT_REGISTER, cos_app_channel(x->app)};
    struct cos_tlv name;
    struct cos_span context;

    if (cos_tlv_find(fcp.data, fcp.length, TAG_NAME, &name) != COS_OK) {
        return COS_OK;
    }
    return cos_app_ask(x->app, COS_GATE_CONTEXT, fields, sizeof fields, (struct cos_span){NULL, 0},
                       &context);
}

enum cos_result cos_app_create_file(struct exchange *x)
{
    struct cos_app *app = x->app;
    struct cos_span fcp;
    struct cos_file_info info;
    cos_file file;

    COS_TRY(read_fcp(x, &fcp));
    COS_TRY(may_create(x, fcp));
    COS_TRY(cos_fs_may_create(&app->fs, app->channel->df, fcp, &info));
    COS_TRY(check_names(fcp));
    if (info.source == COS_FS_SOURCE_VAULT) {
        COS_TRY(cos_app_vault_create(x, app->channel->df, fcp, &info, &file));
    } else {
        if (x->secured) {
            COS_TRY(register_names(x, fcp));
        }
        COS_TRY(cos_fs_create(&app->fs, app->channel->df, fcp, &file));
    }
    if (cos_file_is_df(&info)) {
        return cos_app_set_df(app, file);
    }
    cos_app_set_ef(app, file);
    return COS_OK;
}
