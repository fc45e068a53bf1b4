/* SPDX-License-Identifier: Apache-2.0
 *
 * Which rule decides over an access to a file: its own (8C, AB), the record of EF.ARR that it
 * refers to (8B), that of a data object (A0), or, before the file's rule is in force, the one for
 * creating it. ISO/IEC 7816-4:2013, 9.3.
 */
#include "file.h"

enum {
    FID_MF = 0x3F00,
    FID_ARR = 0x2F06,
    TAG_BYTE = 0x9E,
    TAG_ALWAYS = 0x90,
    TAG_NEVER = 0x97,
    SC_UNDER_SECURE_MESSAGING = 0xC0,
    INS_CREATE_FILE = 0xE0,
};

/* Where a rule of EF.ARR stands. */
struct reference {
    uint16_t fid;
    uint8_t record; /* 0, which no record has: nowhere */
};

/* The value of 8B: record; FID, record; FID, pairs of security environment and record. */
static struct reference read_reference(struct cos_span value, uint8_t environment)
{
    struct cos_reader reader = cos_reader(value.data, value.length);
    struct reference reference = {FID_ARR, 0};

    if (value.length > 1) {
        reference.fid = cos_read16(&reader);
    }
    if (reader.length == 1) {
        reference.record = cos_read8(&reader);
    } else if (reader.length % 2 == 0) {
        while (reader.length > 0 && reference.record == 0) {
            const bool meant = cos_read8(&reader) == environment;
            const uint8_t record = cos_read8(&reader);
            reference.record = meant ? record : 0;
        }
    }
    return reference;
}

enum cos_result cos_file_df(const struct cos_fs *fs, const struct cos_file_info *info, cos_file *df)
{
    *df = info->fid == FID_MF ? COS_FILE_MF : info->parent;
    return cos_file_is_df(info) && info->fid != FID_MF
               ? cos_fs_find_child(fs, info->parent, info->fid, df)
               : COS_OK;
}

/* The nearest file with this FID among the children of the file's DF, then of the DFs above. */
static enum cos_result find_upwards(const struct cos_fs *fs, const struct cos_file_info *info,
                                    uint16_t fid, struct cos_file_info *found)
{
    cos_file df, file;

    COS_TRY(cos_file_df(fs, info, &df));
    for (unsigned depth = 0; depth <= COS_FS_DEPTH_MAX; depth++) {
        enum cos_result result = cos_fs_find_child(fs, df, fid, &file);
        if (result == COS_OK) {
            return cos_fs_info(fs, file, found);
        }
        COS_CHECK(result == COS_E_FILE_NOT_FOUND && df != COS_FILE_MF, result);
        COS_TRY(cos_fs_info(fs, df, found));
        df = found->parent;
    }
    return COS_E_FILE_NOT_FOUND;
}

/* Reads the record of EF.ARR that 8B names into the buffer that 8B itself stands in. */
static enum cos_result follow(const struct cos_fs *fs, const struct cos_file_info *info,
                              uint8_t environment, uint8_t buffer[COS_FS_ATTRIBUTES_MAX],
                              struct cos_span *rule)
{
    const struct reference reference = read_reference(*rule, environment);
    struct cos_file_info arr;
    struct cos_record record;

    COS_CHECK(reference.record != 0, COS_E_RECORD_NOT_FOUND);
    COS_TRY(find_upwards(fs, info, reference.fid, &arr));
    COS_CHECK(cos_file_has_records(&arr) && !cos_file_is_simple_tlv(&arr) &&
                  arr.source == COS_FS_SOURCE_CONTENT && arr.life_cycle_status == COS_LCS_ACTIVATED,
              COS_E_FILE_NOT_FOUND);
    COS_TRY(cos_fs_record(fs, &arr, reference.record, &record));
    COS_CHECK(record.length <= COS_FS_ATTRIBUTES_MAX, COS_E_DATA);
    *rule = (struct cos_span){buffer, record.length};
    return cos_fs_record_read(fs, &record, 0, buffer, record.length);
}

bool cos_rule_leads_nowhere(enum cos_result result)
{
    return result == COS_E_FILE_NOT_FOUND || result == COS_E_RECORD_NOT_FOUND ||
           result == COS_E_DATA || result == COS_E_MEMORY_FULL;
}

/* Appends the SC-DOs of the rule that the file has in 8C, AB or 8B. COS_E_REFERENCE_NOT_FOUND: it
 * has none. A reference that leads nowhere appends nothing. */
COS_OWN_FRAME static enum cos_result own_rule(const struct cos_fs *fs,
                                              const struct cos_file_info *info,
                                              const struct cos_access *access,
                                              struct cos_writer *rule)
{
    uint8_t buffer[COS_FS_ATTRIBUTES_MAX];
    struct cos_span found;
    enum cos_result result = cos_fs_attribute(fs, info, FCP_SECURITY_COMPACT, buffer, &found);

    if (result != COS_E_REFERENCE_NOT_FOUND) {
        COS_TRY(result);
        return cos_rule_compact(found, access, rule);
    }
    result = cos_fs_attribute(fs, info, FCP_SECURITY_EXPANDED, buffer, &found);
    if (result != COS_E_REFERENCE_NOT_FOUND) {
        COS_TRY(result);
        return cos_rule_expanded(found, access, rule);
    }
    COS_TRY(cos_fs_attribute(fs, info, FCP_SECURITY_REFERENCE, buffer, &found));
    result = follow(fs, info, access->environment, buffer, &found);
    if (result == COS_OK) {
        result = cos_rule_expanded(found, access, rule);
    }
    return cos_rule_leads_nowhere(result) ? COS_OK : result;
}

/* The same with A0. */
COS_OWN_FRAME static enum cos_result rule_of_objects(const struct cos_fs *fs,
                                                     const struct cos_file_info *info,
                                                     const struct cos_access *access,
                                                     struct cos_writer *rule)
{
    uint8_t buffer[COS_FS_ATTRIBUTES_MAX];
    struct cos_span found;

    COS_TRY(cos_fs_attribute(fs, info, FCP_SECURITY_OF_OBJECTS, buffer, &found));
    return cos_rule_objects(found, access, rule);
}

/* Makes an access that of CREATE FILE. */
static void become_creation(struct cos_access *access, enum cos_operation operation)
{
    *access = (struct cos_access){
        .operation = operation,
        .header = {0, INS_CREATE_FILE, 0, 0},
        .environment = access->environment,
    };
}

/* Whether the file's own rule is not in force yet. */
static bool is_being_made(const struct cos_file_info *info)
{
    return info->life_cycle_status == COS_LCS_CREATION ||
           info->life_cycle_status == COS_LCS_INITIALISATION;
}

/* Appends what decides over an access to a file whose rule is in force; nothing: never. */
static enum cos_result decide(const struct cos_fs *fs, const struct cos_file_info *info,
                              struct cos_access *access, struct cos_writer *rule)
{
    const bool df = cos_file_is_df(info);
    enum cos_result result;

    if (access->object != 0) {
        result = rule_of_objects(fs, info, access, rule);
        COS_CHECK(result == COS_E_REFERENCE_NOT_FOUND, result);
        if (df && access->operation == COS_OPERATION_GET_DATA) {
            cos_tlv_write(rule, TAG_ALWAYS, NULL, 0);
            return COS_OK;
        }
        if (df) {
            become_creation(access, COS_OPERATION_CREATE_EF);
        } /* of an EF: bits of the access mode byte for GET DATA and READ, PUT DATA and UPDATE agree
           */
    }
    result = own_rule(fs, info, access, rule);
    COS_CHECK(result == COS_E_REFERENCE_NOT_FOUND, result);
    if (!df && access->operation == COS_OPERATION_READ) {
        cos_tlv_write(rule, TAG_ALWAYS, NULL, 0);
    }
    return COS_OK;
}

enum cos_result cos_fs_rule(const struct cos_fs *fs, const struct cos_file_info *info,
                            const struct cos_access *access, struct cos_writer *rule)
{
    const size_t before = rule->length;
    struct cos_file_info deciding = *info;
    struct cos_access asked = *access;

    for (unsigned depth = 0; is_being_made(&deciding) && deciding.fid != FID_MF; depth++) {
        COS_CHECK(depth < COS_FS_DEPTH_MAX + 1, COS_E_STORE_DAMAGED);
        become_creation(&asked, cos_file_is_df(&deciding) ? COS_OPERATION_CREATE_DF
                                                          : COS_OPERATION_CREATE_EF);
        COS_TRY(cos_fs_info(fs, deciding.parent, &deciding));
    }
    if (is_being_made(&deciding)) {
        cos_tlv_write8(rule, TAG_BYTE, SC_UNDER_SECURE_MESSAGING); /* as for creating the MF */
    } else {
        enum cos_result result = decide(fs, &deciding, &asked, rule);
        COS_CHECK(result != COS_E_DATA, COS_E_STORE_DAMAGED); /* only good rules are stored */
        COS_TRY(result);
    }
    if (rule->length == before) {
        cos_tlv_write(rule, TAG_NEVER, NULL, 0);
    }
    COS_CHECK(!rule->failed, COS_E_MEMORY_FULL);
    /* The security chip, which decides over a file in the vault, has no environments. */
    return deciding.source == COS_FS_SOURCE_VAULT
               ? COS_OK
               : cos_environment_translate(fs, &deciding, before, rule);
}
