/* SPDX-License-Identifier: Apache-2.0
 *
 * Data objects, ISO/IEC 7816-4:2013, 7.4: items (slotted.h) that are BER-TLV objects each.
 */
#include "slotted.h"

/* Tag of up to three bytes, length field of up to three: no value has more than 32,768 bytes. */
#define HEADER_MAX 6U
#define TAG_MAX    3U

static enum cos_result check_objects(const struct cos_file_info *info)
{
    const bool ef =
        (info->fdb & COS_FDB_KIND) == COS_FDB_BER_TLV && info->source == COS_FS_SOURCE_CONTENT;

    return ef || (cos_file_is_df(info) && info->size != 0) ? COS_OK : COS_E_FILE_STRUCTURE;
}

/* Writes a tag's bytes and tells how many they are: 0 if there is no such tag, so that no longer
 * one that only begins so is taken for it. */
static size_t put_tag(uint8_t bytes[HEADER_MAX], uint32_t tag)
{
    struct cos_writer writer = cos_writer(bytes, HEADER_MAX);
    struct cos_tlv empty;

    cos_tlv_write(&writer, tag, NULL, 0);
    struct cos_reader reader = cos_reader(bytes, writer.length);
    return cos_tlv_next(&reader, &empty) == COS_OK && empty.tag == tag ? writer.length - 1 : 0;
}

/* The object that begins with a tag; COS_E_REFERENCE_NOT_FOUND, and then *index is behind the last.
 */
static enum cos_result find(const struct cos_fs *fs, const struct cos_file_info *info,
                            const uint8_t *tag, size_t tag_length, unsigned *index,
                            struct cos_record *object)
{
    uint8_t bytes[TAG_MAX];

    for (*index = 0;; (*index)++) {
        COS_TRY(cos_fs_object(fs, info, *index, object));
        if (object->length >= tag_length) {
            COS_TRY(cos_store_read(fs->store, object->address, bytes, tag_length));
            if (memcmp(bytes, tag, tag_length) == 0) {
                return COS_OK;
            }
        }
    }
}

static enum cos_result find_tag(const struct cos_fs *fs, const struct cos_file_info *info,
                                uint32_t tag, unsigned *index, struct cos_record *object)
{
    uint8_t bytes[HEADER_MAX];

    COS_TRY(check_objects(info));
    const size_t length = put_tag(bytes, tag);
    COS_CHECK(length != 0, COS_E_REFERENCE_NOT_FOUND);
    return find(fs, info, bytes, length, index, object);
}

enum cos_result cos_fs_object_find(const struct cos_fs *fs, const struct cos_file_info *info,
                                   uint32_t tag, struct cos_record *object)
{
    unsigned index;

    return find_tag(fs, info, tag, &index, object);
}

enum cos_result cos_fs_object(const struct cos_fs *fs, const struct cos_file_info *info,
                              unsigned index, struct cos_record *object)
{
    COS_TRY(check_objects(info));
    const enum cos_result result = cos_slotted_item(fs, info, index, object);
    return result == COS_E_RECORD_NOT_FOUND ? COS_E_REFERENCE_NOT_FOUND : result;
}

enum cos_result cos_fs_object_put(struct cos_fs *fs, const struct cos_file_info *info, uint32_t tag,
                                  struct cos_span value)
{
    uint8_t header[HEADER_MAX];
    struct cos_record old;
    unsigned index;

    COS_TRY(check_objects(info));
    size_t length = put_tag(header, tag);
    COS_CHECK(length != 0, COS_E_DATA);
    COS_CHECK(value.length <= info->size, COS_E_MEMORY_FULL);
    const enum cos_result result = find(fs, info, header, length, &index, &old);
    COS_CHECK(result == COS_OK || result == COS_E_REFERENCE_NOT_FOUND, result);
    if (value.length > 0xFF) {
        header[length++] = 0x82;
        header[length++] = (uint8_t)(value.length >> 8);
    } else if (value.length > 0x7F) {
        header[length++] = 0x81;
    }
    header[length++] = (uint8_t)value.length;
    return cos_slotted_put(fs, info, index, (struct cos_span){header, length}, value);
}

enum cos_result cos_fs_object_delete(struct cos_fs *fs, const struct cos_file_info *info,
                                     uint32_t tag)
{
    struct cos_record object;
    unsigned index;

    COS_TRY(find_tag(fs, info, tag, &index, &object));
    return cos_slotted_remove(fs, info, index);
}
