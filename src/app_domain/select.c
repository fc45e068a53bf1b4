/* SPDX-License-Identifier: Apache-2.0
 *
 * SELECT (ISO/IEC 7816-4:2013, 11.1.1) and CREATE FILE (ISO/IEC 7816-9): the current file.
 */
#include "domain.h"

enum {
    P2_RESPONSE = 0x0C,
    P2_FCI = 0x00,
    P2_FCP = 0x04,
    P2_NONE = 0x0C,
    TAG_FCP = 0x62,
    TAG_FCI = 0x6F,
    TAG_NAME = 0x84,
    ISSUER_NAME_SHORTEST = 5,
};

/* The issuer security domain (GPCS 6.4.1). It has no DF of its own: selecting it selects the MF. */
static const uint8_t issuer_domain[] = {0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00, 0x00};

enum cos_result cos_app_set_df(struct cos_app *app, cos_file df)
{
    const cos_file before = app->current_df;

    app->current_df = df;
    enum cos_result result = df == COS_FILE_NONE ? COS_OK : cos_app_bind(app);
    if (result != COS_OK) {
        app->current_df = before;
        return result;
    }
    if (df != before) {
        app->environment = 1;
    }
    cos_app_set_ef(app, COS_FILE_NONE);
    return COS_OK;
}

void cos_app_set_ef(struct cos_app *app, cos_file ef)
{
    app->current_ef = ef;
    app->current_record = 0;
}

enum cos_result cos_app_use_ef(struct cos_app *app, uint8_t sfi, struct cos_file_info *info)
{
    cos_file ef = app->current_ef;

    if (sfi != 0) {
        COS_CHECK(app->current_df != COS_FILE_NONE, COS_E_FILE_NOT_FOUND);
        COS_TRY(cos_fs_find_sfi(&app->fs, app->current_df, sfi, &ef));
    }
    COS_CHECK(ef != COS_FILE_NONE, COS_E_NO_CURRENT_EF);
    COS_TRY(cos_fs_info(&app->fs, ef, info));
    if (sfi != 0) {
        cos_app_set_ef(app, ef);
    }
    return COS_OK;
}

size_t cos_app_wanted(const struct exchange *x, bool *all)
{
    const struct cos_command *command = &x->command;
    const bool extended = command->form == COS_CASE_2E || command->form == COS_CASE_4E;
    size_t room = x->body->capacity - x->body->length;
    size_t ne = command->ne != 0 ? command->ne : 256;

    *all = command->ne == 0 || (!extended && command->ne == 256) || command->ne == 65536;
    if (x->secured && ne > 256) {
        ne = 256;
    }
    return ne < room ? ne : room;
}

/* ---- SELECT ---- */

static enum cos_result by_identifier(struct exchange *x, cos_file *file)
{
    struct cos_span data = cos_app_command_data(x);

    if (data.length == 0) {
        *file = COS_FILE_MF;
        return COS_OK;
    }
    COS_CHECK(data.length == 2, COS_E_LENGTH);
    return cos_fs_find_fid(&x->app->fs, x->app->current_df, cos_get16(data.data), file);
}

/* P1 = 01: a DF, 02: an EF; both children of the current DF. */
static enum cos_result child(struct exchange *x, bool df, cos_file *file)
{
    struct cos_span data = cos_app_command_data(x);
    struct cos_file_info info;

    COS_CHECK(data.length == 2, COS_E_LENGTH);
    COS_TRY(cos_fs_find_child(&x->app->fs, x->app->current_df, cos_get16(data.data), file));
    COS_TRY(cos_fs_info(&x->app->fs, *file, &info));
    COS_CHECK(cos_file_is_df(&info) == df, COS_E_FILE_NOT_FOUND);
    return COS_OK;
}

static enum cos_result parent(struct exchange *x, cos_file *file)
{
    struct cos_file_info info;

    COS_CHECK(x->command.nc == 0, COS_E_LENGTH);
    COS_TRY(cos_fs_info(&x->app->fs, x->app->current_df, &info));
    COS_CHECK(x->app->current_df != COS_FILE_MF, COS_E_FILE_NOT_FOUND);
    *file = info.parent;
    return COS_OK;
}

static enum cos_result by_path(struct exchange *x, cos_file from, cos_file *file)
{
    struct cos_span path = cos_app_command_data(x);

    COS_CHECK(path.length >= 2 && path.length % 2 == 0 && path.length <= 2 * COS_FS_PATH_MAX,
              COS_E_LENGTH);
    return cos_fs_find_path(&x->app->fs, from, path, file);
}

static enum cos_result find(struct exchange *x, cos_file *file)
{
    switch (x->command.p1) {
    case 0x00:
        return by_identifier(x, file);
    case 0x01:
        return child(x, true, file);
    case 0x02:
        return child(x, false, file);
    case 0x03:
        return parent(x, file);
    case 0x04:
        COS_CHECK(x->command.nc >= 1 && x->command.nc <= COS_FS_NAME_MAX, COS_E_LENGTH);
        return cos_fs_find_name(&x->app->fs, cos_app_command_data(x), file);
    case 0x08:
        return by_path(x, COS_FILE_MF, file);
    case 0x09:
        return by_path(x, x->app->current_df, file);
    default:
        return COS_E_P1_P2;
    }
}

static bool names_issuer_domain(const struct exchange *x)
{
    struct cos_span name = cos_app_command_data(x);

    return x->command.p1 == 0x04 &&
           (name.length == 0 ||
            (name.length >= ISSUER_NAME_SHORTEST && name.length <= sizeof issuer_domain &&
             memcmp(name.data, issuer_domain, name.length) == 0));
}

/* FCI of the issuer security domain: its name, and the longest command data field (GPCS 11.9.3.1).
 */
static enum cos_result select_issuer_domain(struct exchange *x)
{
    static const uint8_t longest[] = {0x9F, 0x65, 0x01, COS_SM_MAX};
    struct cos_file_info info;

    if (x->command.p2 != P2_NONE) {
        size_t fci = cos_tlv_open(x->body, TAG_FCI);
        cos_tlv_write(x->body, TAG_NAME, issuer_domain, sizeof issuer_domain);
        cos_tlv_write(x->body, 0xA5, longest, sizeof longest);
        cos_tlv_close(x->body, fci);
    }
    bool formatted = cos_fs_info(&x->app->fs, COS_FILE_MF, &info) == COS_OK;
    return cos_app_set_df(x->app, formatted ? COS_FILE_MF : COS_FILE_NONE);
}

static enum cos_result answer(struct exchange *x, cos_file file)
{
    if (x->command.p2 == P2_NONE) {
        return COS_OK;
    }
    size_t template = cos_tlv_open(x->body, x->command.p2 == P2_FCP ? TAG_FCP : TAG_FCI);
    COS_TRY(cos_fs_write_fcp(&x->app->fs, file, x->body));
    cos_tlv_close(x->body, template);
    return COS_OK;
}

enum cos_result cos_app_select(struct exchange *x)
{
    struct cos_file_info info;
    cos_file file;

    COS_CHECK(x->command.p2 == P2_FCI || x->command.p2 == P2_FCP || x->command.p2 == P2_NONE,
              COS_E_P1_P2);
    if (names_issuer_domain(x)) {
        return select_issuer_domain(x);
    }
    COS_TRY(find(x, &file));
    COS_TRY(cos_fs_info(&x->app->fs, file, &info));
    COS_TRY(answer(x, file));
    if (cos_file_is_df(&info)) {
        return cos_app_set_df(x->app, file);
    }
    COS_TRY(cos_app_set_df(x->app, info.parent));
    cos_app_set_ef(x->app, file);
    return COS_OK;
}

/* ---- CREATE FILE ---- */

/* The MF, when there is none, is the issuer's to make; any other file is made by the rule of the DF
 * it goes into. */
static enum cos_result may_create(struct exchange *x, struct cos_span fcp)
{
    static const uint8_t under_secure_messaging = CONDITION_SM;
    struct cos_app *app = x->app;
    struct cos_file_info parent_info;
    struct cos_tlv descriptor;
    enum cos_result result = cos_fs_info(&app->fs, COS_FILE_MF, &parent_info);

    if (result == COS_E_FILE_NOT_FOUND) {
        return cos_app_require_one(app, &under_secure_messaging, 1);
    }
    COS_TRY(result);
    COS_TRY(cos_fs_info(&app->fs, app->current_df, &parent_info));
    COS_CHECK(cos_tlv_find(fcp.data, fcp.length, 0x82, &descriptor) == COS_OK &&
                  descriptor.length >= 1,
              COS_E_DATA);
    bool df = (descriptor.value[0] & COS_FDB_KIND) == COS_FDB_DF;
    return cos_app_require(app, &parent_info,
                           df ? COS_OPERATION_CREATE_DF : COS_OPERATION_CREATE_EF);
}

/* Each name of a DF gets a context in the security chip, so that PINs and keys can be its own.
 * Registering twice does nothing; a context whose DF then is not created, because power goes, is
 * empty and serves the next try. */
static enum cos_result register_names(struct exchange *x, struct cos_span fcp)
{
    static const uint8_t fields[] = {COS_CONTEXT_REGISTER, 0};
    struct cos_reader reader = cos_reader(fcp.data, fcp.length);
    struct cos_tlv tlv;
    struct cos_span context;

    while (cos_tlv_next(&reader, &tlv) == COS_OK) {
        if (tlv.tag == TAG_NAME) {
            COS_CHECK(tlv.length >= 1 && tlv.length <= COS_FS_NAME_MAX, COS_E_DATA);
            COS_TRY(cos_app_ask(x->app, COS_GATE_CONTEXT, fields, sizeof fields,
                                (struct cos_span){tlv.value, tlv.length}, &context));
        }
    }
    return COS_OK;
}

enum cos_result cos_app_create_file(struct exchange *x)
{
    struct cos_app *app = x->app;
    struct cos_reader reader = cos_reader(x->command.data, x->command.nc);
    struct cos_tlv tlv;
    struct cos_file_info info;
    cos_file file;

    COS_CHECK(!x->held && cos_tlv_next(&reader, &tlv) == COS_OK && tlv.tag == TAG_FCP, COS_E_DATA);
    COS_CHECK(reader.length == 0, COS_E_DATA);
    struct cos_span fcp = {tlv.value, tlv.length};
    COS_TRY(may_create(x, fcp));
    COS_TRY(cos_fs_may_create(&app->fs, app->current_df, fcp));
    if (x->secured) {
        COS_TRY(register_names(x, fcp));
    }
    COS_TRY(cos_fs_create(&app->fs, app->current_df, fcp, &file));
    COS_TRY(cos_fs_info(&app->fs, file, &info));
    if (cos_file_is_df(&info)) {
        return cos_app_set_df(app, file);
    }
    cos_app_set_ef(app, file);
    return COS_OK;
}
