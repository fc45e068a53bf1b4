/* SPDX-License-Identifier: Apache-2.0
 *
 * Files in a table, for test_fs_rule.c: what src/fs/access.c asks the rest of the file layer, as
 * this table answers it.
 */
#ifndef FS_RULE_FILES_H
#define FS_RULE_FILES_H

#include "cos/fs.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

struct file {
    uint16_t fid;
    cos_file parent;
    uint8_t fdb, life_cycle_status, source;
    const char *attributes; /* hex, as all below */
    const char *records[3];
};

#define ON COS_LCS_ACTIVATED

/* Files of EF.ARR's kind have numbers from 20 on, so that the table reads top down. */
static const struct file files[] = {
    [0] = {0x3F00, 0, 0x38, ON, 0, "AB0B 800107 9E0191 800108 9700"},
    [1] = {0x0001, 0, 0x01, ON, 0, ""},
    [2] = {0x0002, 0, 0x38, ON, 0, ""},
    [3] = {0x0003, 0, 0x01, ON, 0, "840101 8C05 03 9190 01 00"},
    [4] = {0x0004, 0, 0x01, ON, 0, "AB0B 800103 9E0192 8401D4 9000"},
    [5] = {0x0005, 0, 0x01, ON, 0, "8B0102"},
    [6] = {0x0006, 2, 0x01, ON, 0, "8B0102"},
    [7] = {0x0007, 0, 0x38, ON, 0, "8B0101"},
    [8] = {0x0008, 7, 0x01, ON, 0, "8B032F0601"},
    [9] = {0x0009, 7, 0x01, ON, 0, "8B036F0601"},
    [10] = {0x000A, 7, 0x01, ON, 0, "8B082F06 0103 0201 0301"},
    [11] = {0x000B, 7, 0x38, ON, 0, "8B0101"}, /* its 2F06 is the one above */

    [20] =
        {0x2F06, 0, 0x02, ON, 0, "", {"800101 9E0121 800102 9E0131", "800103 9E0122 FFFF", "00"}},
    [21] = {0x2F06, 7, 0x04, ON, 0, "", {"800101 9E0141 800140 9E0142", NULL, "800101 A403830181"}},
    [22] = {0x6F06, 0, 0x02, ON, 0, "", {"800101 9000"}},
};

static unsigned calls_left; /* until one fails with COS_E_NVM; 0: none does */
static struct file changed; /* stands for the file changed_file, if that is not 0 */
static cos_file changed_file;

static const struct file *file_at(size_t at)
{
    return at != 0 && at == changed_file ? &changed : &files[at];
}

static bool fails(void)
{
    return calls_left != 0 && --calls_left == 0;
}

static size_t from_hex(const char *hex, uint8_t *bytes, size_t capacity)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t count = 0;

    for (; *hex != '\0'; hex++) {
        if (*hex == ' ') {
            continue;
        }
        assert_non_null(strchr(digits, *hex));
        const size_t digit = (size_t)(strchr(digits, *hex) - digits);
        assert_true(count / 2 < capacity);
        bytes[count / 2] = (uint8_t)(count % 2 == 0 ? digit << 4 : bytes[count / 2] | digit);
        count++;
    }
    return count / 2;
}

bool cos_file_has_records(const struct cos_file_info *info)
{
    return (info->fdb & 0x38) == 0 && (info->fdb & 0x07) >= 2;
}

bool cos_file_is_simple_tlv(const struct cos_file_info *info)
{
    return cos_file_has_records(info) && (info->fdb & 0x07) >= 3 && (info->fdb & 1) != 0;
}

enum cos_result cos_fs_info(const struct cos_fs *fs, cos_file file, struct cos_file_info *info)
{
    (void)fs;
    COS_CHECK(!fails(), COS_E_NVM);
    COS_CHECK(file < COUNT(files) && file_at(file)->fid != 0, COS_E_FILE_NOT_FOUND);
    *info = (struct cos_file_info){
        .fid = file_at(file)->fid,
        .parent = file_at(file)->parent,
        .fdb = file_at(file)->fdb,
        .life_cycle_status = file_at(file)->life_cycle_status,
        .source = file_at(file)->source,
        .address = file, /* so that what is asked next finds the file */
    };
    return COS_OK;
}

/* Transparent EFs have no content here: nothing may ask for it. */
enum cos_result cos_fs_read(const struct cos_fs *fs, const struct cos_file_info *info,
                            uint32_t offset, uint8_t *data, size_t length)
{
    (void)fs, (void)info, (void)offset, (void)data, (void)length;
    fail();
    return COS_E_INVARIANT;
}

enum cos_result cos_fs_find_child(const struct cos_fs *fs, cos_file df, uint16_t fid,
                                  cos_file *file)
{
    (void)fs;
    COS_CHECK(!fails(), COS_E_NVM);
    for (size_t i = 1; i < COUNT(files); i++) {
        if (file_at(i)->fid == fid && file_at(i)->parent == df) {
            *file = (cos_file)i;
            return COS_OK;
        }
    }
    return COS_E_FILE_NOT_FOUND;
}

enum cos_result cos_fs_attribute(const struct cos_fs *fs, const struct cos_file_info *info,
                                 uint32_t tag, uint8_t attributes[COS_FS_ATTRIBUTES_MAX],
                                 struct cos_span *found)
{
    struct cos_tlv tlv;

    (void)fs;
    COS_CHECK(!fails(), COS_E_NVM);
    const size_t length =
        from_hex(file_at(info->address)->attributes, attributes, COS_FS_ATTRIBUTES_MAX);
    COS_TRY(cos_tlv_find(attributes, length, tag, &tlv));
    *found = (struct cos_span){tlv.value, tlv.length};
    return COS_OK;
}

/* A record longer than COS_FS_ATTRIBUTES_MAX, or exactly as long, is its text and padding. */
static size_t record_size;

enum cos_result cos_fs_record(const struct cos_fs *fs, const struct cos_file_info *info,
                              unsigned number, struct cos_record *record)
{
    uint8_t bytes[COS_FS_ATTRIBUTES_MAX];

    (void)fs;
    COS_CHECK(!fails(), COS_E_NVM);
    COS_CHECK(number >= 1 && number <= 3 && file_at(info->address)->records[number - 1] != NULL,
              COS_E_RECORD_NOT_FOUND);
    record->address = info->address << 8 | number;
    record->length =
        (uint16_t)from_hex(file_at(info->address)->records[number - 1], bytes, sizeof bytes);
    if (record_size != 0) {
        record->length = (uint16_t)record_size;
    }
    return COS_OK;
}

enum cos_result cos_fs_record_read(const struct cos_fs *fs, const struct cos_record *record,
                                   uint32_t offset, uint8_t *data, size_t length)
{
    uint8_t bytes[1024] = {0};

    (void)fs;
    COS_CHECK(!fails(), COS_E_NVM);
    assert_true(offset == 0 && length <= record->length);
    (void)from_hex(file_at(record->address >> 8)->records[(record->address & 0xFF) - 1], bytes,
                   sizeof bytes);
    memcpy(data, bytes, length);
    return COS_OK;
}

#endif
