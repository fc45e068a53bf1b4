/* SPDX-License-Identifier: Apache-2.0
 *
 * Data objects, ISO/IEC 7816-4:2013, 7.4: items (slotted.h) that are BER-TLV or SIMPLE-TLV objects
 * each. They differ in tag and length field only.
 */
#include "slotted.h"

enum {
    TAG_MAX = 3,
    HEADER_MAX = 6,      /* with the length field of three bytes: no value has more than 32,768 */
    HEADER_READ_MAX = 7, /* objects in others may have one of four */
    SIMPLE_LONG = 0xFF,  /* first byte of a length field of three */
};

static enum cos_result check_objects(const struct cos_file_info *info)
{
    return cos_file_may_have_objects(info) && info->size != 0 &&
                   info->source == COS_FS_SOURCE_CONTENT
               ? COS_OK
               : COS_E_FILE_STRUCTURE;
}

static bool is_simple(const struct cos_file_info *info)
{
    return (info->fdb & COS_FDB_KIND) == COS_FDB_SIMPLE_TLV;
}

/* Writes a tag's bytes and tells how many they are: 0 if there is no such tag, so that no longer
 * one that only begins so is taken for it. */
static size_t put_tag(uint8_t bytes[HEADER_MAX], const struct cos_file_info *info, uint32_t tag)
{
    struct cos_writer writer = cos_writer(bytes, HEADER_MAX);
    struct cos_tlv empty;

    if (is_simple(info)) {
        bytes[0] = (uint8_t)tag;
        return tag > 0x00 && tag < 0xFF ? 1 : 0;
    }
    cos_tlv_write(&writer, tag, NULL, 0);
    struct cos_reader reader = cos_reader(bytes, writer.length);
    return cos_tlv_next(&reader, &empty) == COS_OK && empty.tag == tag ? writer.length - 1 : 0;
}

/* Writes the length field behind a tag of `at` bytes and tells how many bytes that makes. */
static size_t put_length(uint8_t bytes[HEADER_MAX], size_t at, const struct cos_file_info *info,
                         size_t length)
{
    const bool simple = is_simple(info);

    if (length > (simple ? 0xFEU : 0xFFU)) {
        bytes[at++] = simple ? SIMPLE_LONG : 0x82;
        bytes[at++] = (uint8_t)(length >> 8);
    } else if (!simple && length > 0x7F) {
        bytes[at++] = 0x81;
    }
    bytes[at++] = (uint8_t)length;
    return at;
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
    const size_t length = put_tag(bytes, info, tag);
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

enum cos_result cos_fs_object_header(const struct cos_fs *fs, const struct cos_file_info *info,
                                     struct cos_record *object, uint32_t *tag, size_t *header)
{
    uint8_t bytes[HEADER_READ_MAX];
    const size_t run = object->length < sizeof bytes ? object->length : sizeof bytes;
    size_t length;

    COS_TRY(cos_store_read(fs->store, object->address, bytes, run));
    struct cos_reader reader = cos_reader(bytes, run);
    if (is_simple(info)) {
        *tag = cos_read8(&reader);
        length = cos_read8(&reader);
        length = length == SIMPLE_LONG ? cos_read16(&reader) : length;
    } else {
        *tag = cos_tlv_read_tag(&reader);
        length = cos_tlv_read_length(&reader);
    }
    *header = run - reader.length;
    COS_CHECK(*tag != 0 && !reader.failed && length <= object->length - *header,
              COS_E_STORE_DAMAGED);
    object->length = (uint16_t)(*header + length);
    return COS_OK;
}

enum cos_result cos_fs_object_put(struct cos_fs *fs, const struct cos_file_info *info, uint32_t tag,
                                  struct cos_span value)
{
    uint8_t header[HEADER_MAX];
    struct cos_record old;
    unsigned index;

    COS_TRY(check_objects(info));
    size_t length = put_tag(header, info, tag);
    COS_CHECK(length != 0, COS_E_DATA);
    COS_CHECK(value.length <= info->size, COS_E_MEMORY_FULL);
    const enum cos_result result = find(fs, info, header, length, &index, &old);
    COS_CHECK(result == COS_OK || result == COS_E_REFERENCE_NOT_FOUND, result);
    length = put_length(header, length, info, value.length);
    return cos_slotted_put(fs, info, index, (struct cos_span){header, length}, value);
}

/* ---- Several at once ---- */

/* What becomes of one object of several: old bytes, header, value, entry. */
enum { PUT_EDITS = 4 };

struct put {
    struct cos_record run; /* bytes that the objects will have: first all, then what is left */
    unsigned objects;      /* how many there will be in the file */
    unsigned count;        /* how many of the edits below are for an object that was taken */
    uint32_t tags[COS_FS_OBJECTS_PUT_MAX];
    uint8_t headers[COS_FS_OBJECTS_PUT_MAX][HEADER_MAX];
    uint8_t entries[COS_FS_OBJECTS_PUT_MAX][SLOTTED_ENTRY];
    struct cos_edit edits[COS_FS_OBJECTS_PUT_MAX * PUT_EDITS];
};

/* Plans one object; where the run lies is not known yet, and addresses count from its beginning. */
static enum cos_result plan(const struct cos_fs *fs, const struct cos_file_info *info,
                            const struct cos_tlv *tlv, struct put *put)
{
    const unsigned n = put->count;
    struct cos_edit *edits = put->edits + (size_t)n * PUT_EDITS;
    struct cos_record old = {0};
    unsigned index;

    COS_CHECK(n < COS_FS_OBJECTS_PUT_MAX, COS_E_MEMORY_FULL);
    COS_CHECK(tlv->length != 0, COS_E_DATA);
    for (unsigned i = 0; i < n; i++) {
        COS_CHECK(put->tags[i] != tlv->tag, COS_E_DATA);
    }
    put->tags[n] = tlv->tag;
    const enum cos_result result = find_tag(fs, info, tlv->tag, &index, &old);
    COS_CHECK(result == COS_OK || result == COS_E_REFERENCE_NOT_FOUND, result);
    if (result != COS_OK) {
        old.length = 0;
        index = put->objects++;
    }
    COS_CHECK(index < info->record_count && tlv->length <= info->size, COS_E_MEMORY_FULL);
    const size_t header =
        put_length(put->headers[n], put_tag(put->headers[n], info, tlv->tag), info, tlv->length);
    edits[0] = (struct cos_edit){.address = old.address, .length = old.length, .scrub = true};
    edits[1] = (struct cos_edit){.data = put->headers[n], .length = (uint32_t)header};
    edits[2] = (struct cos_edit){.data = tlv->value, .length = (uint32_t)tlv->length};
    edits[3] = (struct cos_edit){.address = cos_slotted_entry(info, index),
                                 .data = put->entries[n],
                                 .length = SLOTTED_ENTRY};
    const size_t run = put->run.length + header + tlv->length;
    COS_CHECK(run <= info->size, COS_E_MEMORY_FULL);
    put->run.length = (uint16_t)run;
    put->count++;
    return COS_OK;
}

COS_OWN_FRAME enum cos_result
cos_fs_objects_put(struct cos_fs *fs, const struct cos_file_info *info, struct cos_span objects)
{
    struct cos_reader reader = cos_reader(objects.data, objects.length);
    struct put put;
    struct cos_tlv tlv;
    enum cos_result result;

    COS_CHECK(!is_simple(info), COS_E_FILE_STRUCTURE);
    COS_TRY(check_objects(info));
    COS_TRY(cos_slotted_count(fs, info, &put.objects));
    put.count = 0;
    put.run = (struct cos_record){cos_slotted_data(info), 0};
    while ((result = cos_tlv_next(&reader, &tlv)) == COS_OK) {
        COS_TRY(plan(fs, info, &tlv, &put));
    }
    COS_CHECK(result == COS_E_END_OF_DATA, result);
    COS_TRY(cos_slotted_find_free(fs, info, UINT16_MAX, &put.run));
    for (unsigned i = 0; i < put.count; i++) {
        struct cos_edit *edits = put.edits + (size_t)i * PUT_EDITS;
        const struct cos_record object = {put.run.address,
                                          (uint16_t)(edits[1].length + edits[2].length)};
        edits[1].address = object.address;
        edits[2].address = object.address + edits[1].length;
        cos_slotted_put_entry(put.entries[i], info, &object);
        put.run.address += object.length;
    }
    return cos_content_commit(fs, put.edits, (size_t)put.count * PUT_EDITS);
}

enum cos_result cos_fs_object_delete(struct cos_fs *fs, const struct cos_file_info *info,
                                     uint32_t tag)
{
    struct cos_record object;
    unsigned index;

    COS_TRY(find_tag(fs, info, tag, &index, &object));
    return cos_slotted_remove(fs, info, index);
}
