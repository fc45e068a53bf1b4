/* SPDX-License-Identifier: Apache-2.0
 *
 * FCP templates and data groups.
 */
#include "objects.h"

#include "cos/fs.h"

#define DGI_ATR  0x0A01U
#define DGI_PIN  0x8010U
#define DGI_KEY  0x8020U
#define DGI_CARD 0x8030U

static void dgi(struct bytes *to, unsigned number, struct bytes *value)
{
    bytes_add16(to, number);
    bytes_add8(to, (unsigned)value->length);
    bytes_add(to, value->data, value->length);
    to->failed |= value->failed || value->length > 254; /* FF begins a long length */
    bytes_wipe(value);
}

/* Access mode bytes with the bits b7 to b4: delete, terminate, activate, deactivate. */
#define MANAGE                                                                                     \
    (COS_OPERATION_DELETE | COS_OPERATION_TERMINATE | COS_OPERATION_ACTIVATE |                     \
     COS_OPERATION_DEACTIVATE)

void fcp_df(struct bytes *to, const struct df_parameters *df)
{
    const uint8_t rule[] = {
        MANAGE | COS_OPERATION_CREATE_DF | COS_OPERATION_CREATE_EF | COS_OPERATION_DELETE_CHILD,
        df->manage,
        df->manage,
        df->manage,
        df->manage,
        df->create_df,
        df->create_ef,
        df->manage,
    };
    struct bytes fcp = {0};
    bytes_tlv8(&fcp, 0x82, COS_FDB_DF);
    bytes_tlv16(&fcp, 0x83, df->fid);
    if (df->name.length > 0) {
        bytes_tlv(&fcp, 0x84, df->name.data, df->name.length);
    }
    bytes_tlv8(&fcp, 0x8A, COS_LCS_ACTIVATED);
    bytes_tlv(&fcp, 0x8C, rule, sizeof rule);
    bytes_template(to, 0x62, &fcp);
}

static void ef_structure(struct bytes *fcp, const struct ef_parameters *ef)
{
    if (ef->record_size == 0) {
        bytes_tlv16(fcp, 0x80, ef->size);
        bytes_tlv8(fcp, 0x82, COS_FDB_TRANSPARENT);
    } else {
        const uint8_t descriptor[] = {COS_FDB_LINEAR_FIXED, 0x21, 0x00, ef->record_size,
                                      ef->records};
        bytes_tlv(fcp, 0x82, descriptor, sizeof descriptor);
    }
}

static void ef_rule(struct bytes *fcp, const struct ef_parameters *ef)
{
    const uint8_t reference[] = {(uint8_t)(ef->arr >> 8), (uint8_t)ef->arr, ef->arr_record};
    const uint8_t rule[] = {
        MANAGE | COS_OPERATION_WRITE | COS_OPERATION_UPDATE | COS_OPERATION_READ,
        ef->manage,
        ef->manage,
        ef->manage,
        ef->manage,
        ef->update,
        ef->update,
        ef->read,
    };
    if (ef->arr != 0) {
        bytes_tlv(fcp, 0x8B, reference, sizeof reference);
    } else {
        bytes_tlv(fcp, 0x8C, rule, sizeof rule);
    }
}

void fcp_ef(struct bytes *to, const struct ef_parameters *ef)
{
    struct bytes fcp = {0};
    ef_structure(&fcp, ef);
    bytes_tlv16(&fcp, 0x83, ef->fid);
    if (ef->source != COS_FS_SOURCE_CONTENT) {
        bytes_tlv8(&fcp, 0x85, ef->source);
    }
    if (ef->sfi != 0) {
        bytes_tlv8(&fcp, 0x88, (unsigned)ef->sfi << 3);
    }
    bytes_tlv8(&fcp, 0x8A, COS_LCS_ACTIVATED);
    ef_rule(&fcp, ef);
    bytes_template(to, 0x62, &fcp);
}

static void application_name(struct bytes *to, struct part name)
{
    if (name.length > 0) {
        bytes_tlv(to, 0x84, name.data, name.length);
    }
}

void dgi_pin(struct bytes *to, const struct pin_object *pin)
{
    struct bytes value = {0};
    bytes_tlv8(&value, 0x83, pin->number);
    application_name(&value, pin->application);
    bytes_tlv8(&value, 0xC0, pin->tries);
    bytes_tlv8(&value, 0xC1, pin->shortest);
    bytes_tlv8(&value, 0xC2, pin->longest);
    if (pin->resetting_code != 0) {
        bytes_tlv8(&value, 0xC3, pin->resetting_code);
    }
    bytes_tlv8(&value, 0xC4, pin->reset_condition);
    if (pin->format != PIN_FORM_BYTES) {
        bytes_tlv8(&value, 0xC9, pin->format);
    }
    if (pin->uses != 0) {
        bytes_tlv16(&value, 0xCA, pin->uses);
    }
    if (pin->may_change) {
        bytes_tlv8(&value, 0xCB, pin->change_condition);
    }
    if (pin->may_disable) {
        bytes_tlv8(&value, 0xCC, 0x04);
    }
    if (pin->transport) {
        bytes_tlv8(&value, 0xCD, 0x02);
    }
    bytes_tlv(&value, 0xC7, pin->value.data, pin->value.length);
    dgi(to, DGI_PIN, &value);
}

void dgi_key(struct bytes *to, const struct key_object *key)
{
    struct bytes value = {0};
    bytes_tlv8(&value, 0x80, key->algorithm);
    bytes_tlv8(&value, 0x83, key->number);
    application_name(&value, key->application);
    bytes_tlv8(&value, 0x95, key->usage);
    bytes_tlv8(&value, 0xC5, key->condition);
    if (key->has_level) {
        struct bytes level = {0};
        bytes_add8(&level, key->level);
        bytes_add32(&level, key->valid_to);
        bytes_template(&value, 0xC6, &level);
    }
    bytes_tlv(&value, 0xC7, key->value.data, key->value.length);
    dgi(to, DGI_KEY, &value);
}

void dgi_record_rule(struct bytes *to, uint8_t condition)
{
    struct bytes value = {0};
    bytes_tlv8(&value, 0xC8, condition);
    dgi(to, DGI_CARD, &value);
}

void dgi_atr(struct bytes *to, struct part atr)
{
    struct bytes value = {0};
    bytes_add(&value, atr.data, atr.length);
    dgi(to, DGI_ATR, &value);
}
