/* SPDX-License-Identifier: Apache-2.0
 *
 * File control parameters: reading those of CREATE FILE, writing those of SELECT (ISO/IEC
 * 7816-4:2013, 5.3.3 and table 10).
 */
#include "file.h"

/* One bit a kind of data object, so that none comes twice and none is missing. */
enum {
    SEEN_SIZE = 0x001,
    SEEN_DESCRIPTOR = 0x002,
    SEEN_FID = 0x004,
    SEEN_NAME = 0x008,
    SEEN_SOURCE = 0x010,
    SEEN_SFI = 0x020,
    SEEN_LIFE_CYCLE_STATUS = 0x040,
    SEEN_RULE = 0x080,
    SEEN_TEMPLATE = 0x100,
    SEEN_OBJECTS_RULE = 0x200,
    SEEN_ENVIRONMENTS = 0x400,
    SEEN_SIZE_OF_EF = 0x800,

    SEEN_REQUIRED = SEEN_DESCRIPTOR | SEEN_FID,
    SEEN_OF_EF = SEEN_SOURCE | SEEN_SFI | SEEN_SIZE_OF_EF,
    SEEN_OF_DF = SEEN_NAME | SEEN_ENVIRONMENTS,
    SEEN_SEVERAL = SEEN_NAME,
    SEEN_ATTRIBUTES =
        SEEN_NAME | SEEN_SOURCE | SEEN_RULE | SEEN_TEMPLATE | SEEN_OBJECTS_RULE | SEEN_ENVIRONMENTS,
};

static const struct object {
    uint8_t tag;
    uint8_t shortest;
    uint16_t longest;
    uint16_t seen;
} objects[] = {
    {FCP_SIZE, 1, 4, SEEN_SIZE | SEEN_SIZE_OF_EF},
    {FCP_TOTAL_SIZE, 1, 4, SEEN_SIZE},
    {FCP_DESCRIPTOR, 1, 6, SEEN_DESCRIPTOR},
    {FCP_FID, 2, 2, SEEN_FID},
    {FCP_DF_NAME, 1, COS_FS_NAME_MAX, SEEN_NAME},
    {FCP_PROPRIETARY, 1, 1, SEEN_SOURCE},
    {FCP_SFI, 0, 1, SEEN_SFI},
    {FCP_LIFE_CYCLE_STATUS, 1, 1, SEEN_LIFE_CYCLE_STATUS},
    {FCP_SECURITY_REFERENCE, 1, UINT16_MAX, SEEN_RULE},
    {FCP_SECURITY_COMPACT, 2, UINT16_MAX, SEEN_RULE},
    {FCP_SECURITY_EXPANDED, 2, UINT16_MAX, SEEN_RULE},
    {FCP_ENVIRONMENT_FILE, 2, 2, SEEN_ENVIRONMENTS},
    {FCP_SECURITY_OF_OBJECTS, 2, UINT16_MAX, SEEN_OBJECTS_RULE},
    {FCP_PROPRIETARY_TEMPLATE, 0, UINT16_MAX, SEEN_TEMPLATE},
};

/* The row of a data object. NULL: there is none, or its length is wrong. */
static const struct object *object_of(const struct cos_tlv *tlv)
{
    for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++) {
        if (objects[i].tag == tlv->tag) {
            const bool fits =
                tlv->length >= objects[i].shortest && tlv->length <= objects[i].longest;
            return fits ? &objects[i] : NULL;
        }
    }
    return NULL;
}

/* ---- Single data objects ---- */

static bool is_known_structure(const struct cos_file_info *info)
{
    return (info->fdb & COS_FDB_KIND) == COS_FDB_TRANSPARENT || cos_file_may_have_objects(info) ||
           cos_file_has_records(info);
}

/* File descriptor byte, data coding byte, record size, number of records: table 10, tag 82. */
static enum cos_result take_descriptor(struct fcp *fcp, const struct cos_tlv *tlv)
{
    struct cos_reader reader = cos_reader(tlv->value, tlv->length);
    struct cos_file_info *info = &fcp->info;

    info->fdb = cos_read8(&reader);
    COS_CHECK(is_known_structure(info), COS_E_FUNCTION);
    COS_CHECK(cos_file_has_records(info) == (tlv->length > 2), COS_E_DATA);
    if (tlv->length >= 2) {
        info->dcb = cos_read8(&reader);
        /* Offsets are counted in bytes: the data unit is 2^1 quartets (table 13). */
        COS_CHECK((info->dcb & 0x0FU) == 1, COS_E_DATA);
    }
    if (tlv->length >= 3) {
        info->record_size = tlv->length == 3 ? cos_read8(&reader) : cos_read16(&reader);
        COS_CHECK(info->record_size > 0, COS_E_DATA);
    }
    if (tlv->length >= 5) {
        fcp->records = tlv->length == 5 ? cos_read8(&reader) : cos_read16(&reader);
        COS_CHECK(fcp->records > 0, COS_E_DATA);
    }
    return COS_OK;
}

/* SFI in b8 to b4; without a value the file has none (7.4.3, tag 88). */
static enum cos_result take_sfi(struct fcp *fcp, const struct cos_tlv *tlv)
{
    fcp->sfi_given = true;
    if (tlv->length == 1) {
        fcp->info.sfi = tlv->value[0] >> 3;
        COS_CHECK((tlv->value[0] & 0x07U) == 0 && fcp->info.sfi > 0 &&
                      fcp->info.sfi <= COS_FS_SFI_MAX,
                  COS_E_DATA);
    }
    return COS_OK;
}

/* Table 14: of the values that mean the same the first is kept. A file is not created terminated.
 */
static enum cos_result take_life_cycle_status(struct cos_file_info *info, uint8_t status)
{
    COS_CHECK(status == COS_LCS_CREATION || status == COS_LCS_INITIALISATION ||
                  (status >= 0x04 && status <= 0x07),
              COS_E_DATA);
    info->life_cycle_status = status >= 0x04 ? status & 0x05U : status;
    return COS_OK;
}

static enum cos_result take(struct fcp *fcp, const struct cos_tlv *tlv)
{
    const struct cos_span value = {tlv->value, tlv->length};
    struct cos_file_info *info = &fcp->info;

    switch (tlv->tag) {
    case FCP_SIZE:
    case FCP_TOTAL_SIZE: /* what structures the content is not counted */
        for (size_t i = 0; i < tlv->length; i++) {
            info->size = info->size << 8 | tlv->value[i];
        }
        return info->size > 0 ? COS_OK : COS_E_DATA;
    case FCP_DESCRIPTOR:
        return take_descriptor(fcp, tlv);
    case FCP_FID:
        info->fid = cos_get16(tlv->value);
        return COS_OK;
    case FCP_PROPRIETARY:
        info->source = tlv->value[0];
        return COS_OK;
    case FCP_SFI:
        return take_sfi(fcp, tlv);
    case FCP_LIFE_CYCLE_STATUS:
        return take_life_cycle_status(info, tlv->value[0]);
    case FCP_SECURITY_REFERENCE: /* record; FID and record; FID and pairs of environment and record
                                  */
        COS_CHECK(tlv->length == 1 || tlv->length == 3 || tlv->length % 2 == 0, COS_E_DATA);
        return tlv->length != 2 ? COS_OK : COS_E_DATA;
    case FCP_SECURITY_COMPACT:
        return cos_rule_check_compact(value);
    case FCP_SECURITY_EXPANDED:
        return cos_rule_check_expanded(value);
    case FCP_SECURITY_OF_OBJECTS:
        return cos_rule_check_objects(value);
    case FCP_PROPRIETARY_TEMPLATE:
        return cos_tlv_check(value);
    default: /* a DF name, a FID: any bytes will do */
        return COS_OK;
    }
}

/* ---- The whole template ---- */

/* How many items a structure of `size` bytes has room for, if nothing else is said. */
static uint16_t default_count(uint32_t size)
{
    const uint32_t count = (size + 7) / 8;

    return (uint16_t)(count < COS_FS_RECORDS_MAX ? count : COS_FS_RECORDS_MAX);
}

/* Records of one size: how many are made, and how many there can be. */
static enum cos_result settle_fixed(struct fcp *fcp)
{
    struct cos_file_info *info = &fcp->info;

    COS_INVARIANT(info->record_size != 0); /* take_descriptor() */
    if (info->size == 0) {
        info->size = (uint32_t)info->record_size * fcp->records;
    }
    const uint32_t count = info->size / info->record_size;
    COS_CHECK(count * info->record_size == info->size && count >= 1 &&
                  count <= COS_FS_RECORDS_MAX && fcp->records <= count,
              COS_E_DATA);
    info->record_count = (uint16_t)count;
    return COS_OK;
}

static enum cos_result settle_variable(struct fcp *fcp)
{
    struct cos_file_info *info = &fcp->info;

    COS_CHECK(info->record_size <= info->size && fcp->records <= COS_FS_RECORDS_MAX, COS_E_DATA);
    info->record_count = fcp->records != 0 ? fcp->records : default_count(info->size);
    fcp->records = 0;
    return COS_OK;
}

/* Size and number of records or data objects, as far as given, must agree. */
static enum cos_result settle_size(struct fcp *fcp)
{
    struct cos_file_info *info = &fcp->info;
    const unsigned kind = info->fdb & COS_FDB_KIND;

    COS_CHECK(info->size <= COS_FS_SIZE_MAX, COS_E_DATA);
    COS_CHECK(info->source == COS_FS_SOURCE_CONTENT || kind == COS_FDB_TRANSPARENT ||
                  (kind == COS_FDB_LINEAR_FIXED && info->source == COS_FS_SOURCE_VAULT),
              COS_E_DATA);
    if (cos_file_may_have_objects(info)) {
        info->record_count = default_count(info->size);
    } else if (cos_file_has_records(info)) {
        COS_TRY(cos_file_is_variable(info) ? settle_variable(fcp) : settle_fixed(fcp));
    }
    COS_CHECK((info->size > 0 || kind == COS_FDB_DF) && info->size <= COS_FS_SIZE_MAX, COS_E_DATA);
    return COS_OK;
}

static enum cos_result check_whole(struct fcp *fcp, unsigned seen)
{
    struct cos_file_info *info = &fcp->info;
    const bool df = cos_file_is_df(info);

    COS_CHECK((seen & SEEN_REQUIRED) == SEEN_REQUIRED, COS_E_DATA);
    COS_CHECK((seen & (df ? SEEN_OF_EF : SEEN_OF_DF)) == 0, COS_E_DATA);
    COS_CHECK(info->source <= COS_FS_SOURCE_CARD, COS_E_DATA);
    /* Reserved: 7.2.1. The MF's 3F00 is judged by whoever knows whether there is an MF. */
    COS_CHECK(info->fid != 0x0000 && info->fid != 0x3FFF && info->fid != 0xFFFF, COS_E_DATA);
    return settle_size(fcp);
}

enum cos_result cos_fcp_parse(struct cos_span value, struct fcp *fcp)
{
    struct cos_reader reader = cos_reader(value.data, value.length);
    struct cos_writer kept = cos_writer(fcp->attributes, sizeof fcp->attributes);
    struct cos_tlv tlv;
    unsigned seen = 0;
    enum cos_result result;

    fcp->info = (struct cos_file_info){.life_cycle_status = COS_LCS_ACTIVATED};
    fcp->sfi_given = false;
    fcp->records = 0;
    while ((result = cos_tlv_next(&reader, &tlv)) == COS_OK) {
        const struct object *object = object_of(&tlv);
        COS_CHECK(object != NULL && (seen & object->seen & ~(unsigned)SEEN_SEVERAL) == 0,
                  COS_E_DATA);
        COS_TRY(take(fcp, &tlv));
        if ((object->seen & SEEN_ATTRIBUTES) != 0) {
            cos_tlv_write(&kept, tlv.tag, tlv.value, tlv.length);
        }
        seen |= object->seen;
    }
    COS_CHECK(result == COS_E_END_OF_DATA, result);
    COS_TRY(check_whole(fcp, seen));
    COS_CHECK(!kept.failed, COS_E_MEMORY_FULL);
    fcp->info.attributes_length = (uint8_t)kept.length;
    return COS_OK;
}

/* ---- Writing ---- */

static enum cos_result write_attributes(const struct cos_span *attributes, uint32_t tag,
                                        struct cos_writer *writer)
{
    struct cos_reader reader = cos_reader(attributes->data, attributes->length);
    struct cos_tlv tlv;
    enum cos_result result;

    while ((result = cos_tlv_next(&reader, &tlv)) == COS_OK) {
        if (tlv.tag == tag) {
            cos_tlv_write(writer, tag, tlv.value, tlv.length);
        }
    }
    return result == COS_E_END_OF_DATA ? COS_OK : COS_E_STORE_DAMAGED;
}

static enum cos_result write_descriptor(const struct cos_fs *fs, const struct cos_file_info *info,
                                        struct cos_writer *writer)
{
    uint8_t value[5] = {info->fdb, info->dcb};
    size_t length = info->dcb == 0 ? 1 : 2; /* no data coding byte was given: 00 is refused */

    if (cos_file_has_records(info)) {
        unsigned count = info->record_count;
        if (info->source == COS_FS_SOURCE_CONTENT) {
            COS_TRY(cos_fs_record_count(fs, info, &count));
        }
        cos_put16(value + 2, info->record_size);
        value[4] = (uint8_t)count;
        length = 5;
    }
    cos_tlv_write(writer, FCP_DESCRIPTOR, value, length);
    return COS_OK;
}

enum cos_result cos_fs_write_fcp(const struct cos_fs *fs, const struct cos_file_info *info,
                                 struct cos_writer *writer)
{
    static const uint8_t rules[] = {FCP_SECURITY_REFERENCE, FCP_SECURITY_COMPACT,
                                    FCP_ENVIRONMENT_FILE, FCP_SECURITY_EXPANDED,
                                    FCP_SECURITY_OF_OBJECTS};
    uint8_t bytes[COS_FS_ATTRIBUTES_MAX];
    const struct cos_span attributes = {bytes, info->attributes_length};
    const bool df = cos_file_is_df(info);

    COS_INVARIANT(info->attributes_length <= sizeof bytes);
    COS_TRY(cos_store_read(fs->store, info->address, bytes, info->attributes_length));
    if (info->size != 0) {
        cos_tlv_write16(writer, df ? FCP_TOTAL_SIZE : FCP_SIZE, (uint16_t)info->size);
    }
    COS_TRY(write_descriptor(fs, info, writer));
    cos_tlv_write16(writer, FCP_FID, info->fid);
    COS_TRY(write_attributes(&attributes, FCP_DF_NAME, writer));
    COS_TRY(write_attributes(&attributes, FCP_PROPRIETARY, writer));
    cos_tlv_write8(writer, FCP_LIFE_CYCLE_STATUS, info->life_cycle_status);
    for (size_t i = 0; i < sizeof rules; i++) {
        COS_TRY(write_attributes(&attributes, rules[i], writer));
    }
    if (!df) { /* without the object b5 to b1 of the file identifier would be the SFI */
        const uint8_t sfi = (uint8_t)(info->sfi << 3);
        cos_tlv_write(writer, FCP_SFI, &sfi, info->sfi != 0);
    }
    COS_TRY(write_attributes(&attributes, FCP_PROPRIETARY_TEMPLATE, writer));
    return writer->failed ? COS_E_END_OF_DATA : COS_OK;
}
