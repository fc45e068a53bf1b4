/* SPDX-License-Identifier: Apache-2.0
 *
 * BER-TLV data objects, ISO/IEC 7816-4:2013, 5.2.2.
 */
#include "cos/tlv.h"

enum {
    CONSTRUCTED = 0x20,        /* b6 of the first byte: the value is data objects */
    TAG_NUMBER_FOLLOWS = 0x1F, /* b5..b1 of the first byte: the number is in the bytes after it */
    MORE_FOLLOWS = 0x80,       /* b8 of a tag byte after the first */
    LENGTH_LONG = 0x80,        /* b8 of the first length byte; b7..b1 count the bytes after it */
    LENGTH_BYTES_MAX = 3,
};

/* 5.2.2.1 */
uint32_t cos_tlv_read_tag(struct cos_reader *reader)
{
    uint32_t tag = cos_read8(reader);
    uint8_t next;

    if ((tag & TAG_NUMBER_FOLLOWS) != TAG_NUMBER_FOLLOWS) {
        return tag;
    }
    next = cos_read8(reader);
    /* 00 to 1E and 80 are invalid in the second byte: the number would have fitted before it */
    if (next < TAG_NUMBER_FOLLOWS || next == MORE_FOLLOWS) {
        return 0;
    }
    tag = tag << 8 | next;
    if ((next & MORE_FOLLOWS) == 0) {
        return tag;
    }
    next = cos_read8(reader);
    return (next & MORE_FOLLOWS) == 0 ? tag << 8 | next : 0;
}

bool cos_tlv_is_constructed(uint32_t tag)
{
    while (tag > 0xFF) {
        tag >>= 8;
    }
    return (tag & CONSTRUCTED) != 0;
}

/* Reads a length field of one to four bytes (5.2.2.2), not only the shortest form. */
size_t cos_tlv_read_length(struct cos_reader *reader)
{
    const uint8_t first = cos_read8(reader);
    size_t length = 0;

    if (first < LENGTH_LONG) {
        return first;
    }
    if (first == LENGTH_LONG || first > LENGTH_LONG + LENGTH_BYTES_MAX) {
        reader->failed = true;
        return 0;
    }
    for (unsigned i = first - LENGTH_LONG; i > 0; i--) {
        length = length << 8 | cos_read8(reader);
    }
    return length;
}

static void skip_padding(struct cos_reader *reader)
{
    while (reader->length > 0 && (reader->data[0] == 0x00 || reader->data[0] == 0xFF)) {
        (void)cos_read8(reader);
    }
}

enum cos_result cos_tlv_next(struct cos_reader *reader, struct cos_tlv *tlv)
{
    struct cos_tlv found;

    COS_CHECK(!reader->failed, COS_E_DATA);
    skip_padding(reader);
    COS_CHECK(reader->length > 0, COS_E_END_OF_DATA);
    found.tag = cos_tlv_read_tag(reader);
    found.length = cos_tlv_read_length(reader);
    found.value = cos_read_bytes(reader, found.length);
    if (reader->failed || found.tag == 0) {
        reader->failed = true; /* nothing behind a malformed data object can be trusted */
        return COS_E_DATA;
    }
    *tlv = found;
    return COS_OK;
}

enum cos_result cos_tlv_check(struct cos_span objects)
{
    struct cos_reader reader = cos_reader(objects.data, objects.length);
    struct cos_tlv tlv;
    enum cos_result result;

    do {
        result = cos_tlv_next(&reader, &tlv);
    } while (result == COS_OK);
    return result == COS_E_END_OF_DATA ? COS_OK : result;
}

/* Each template is judged before it is entered: so whoever goes on behind its header and not behind
 * its end meets its objects, then those behind it, and need not remember where it ends. */
enum cos_result cos_tlv_check_all(struct cos_span objects)
{
    struct cos_reader reader = cos_reader(objects.data, objects.length);
    struct cos_tlv tlv;

    COS_TRY(cos_tlv_check(objects));
    while (cos_tlv_next(&reader, &tlv) == COS_OK) {
        if (cos_tlv_is_constructed(tlv.tag)) {
            COS_TRY(cos_tlv_check((struct cos_span){tlv.value, tlv.length}));
            reader = cos_reader(tlv.value, tlv.length + reader.length);
        }
    }
    return COS_OK;
}

enum cos_result cos_tlv_find(const uint8_t *data, size_t length, uint32_t tag, struct cos_tlv *tlv)
{
    struct cos_reader reader = cos_reader(data, length);
    struct cos_tlv found;

    do {
        const enum cos_result result = cos_tlv_next(&reader, &found);

        COS_CHECK(result != COS_E_END_OF_DATA, COS_E_REFERENCE_NOT_FOUND);
        COS_TRY(result);
    } while (found.tag != tag);
    *tlv = found;
    return COS_OK;
}

/* How many bytes a number takes when it is written without leading zeros; at least one. */
static size_t bytes_of(size_t number)
{
    size_t count = 1;

    while (number > 0xFF) {
        number >>= 8;
        count++;
    }
    return count;
}

static size_t length_field_bytes(size_t length)
{
    return length < LENGTH_LONG ? 1 : 1 + bytes_of(length);
}

/* Puts the `count` last bytes of a number and returns where they end. */
static uint8_t *put_number(uint8_t *at, size_t number, size_t count)
{
    for (size_t i = count; i > 0; i--) {
        at[i - 1] = (uint8_t)number;
        number >>= 8;
    }
    return at + count;
}

static uint8_t *put_length_field(uint8_t *at, size_t length)
{
    const size_t count = length_field_bytes(length);

    if (count > 1) {
        *at++ = (uint8_t)(LENGTH_LONG + count - 1);
        return put_number(at, length, count - 1);
    }
    return put_number(at, length, 1);
}

/* Writes tag and length and reserves the value, all or nothing. Returns where the value goes. */
static uint8_t *write_header(struct cos_writer *writer, uint32_t tag, size_t length)
{
    const size_t tag_bytes = bytes_of(tag);
    uint8_t *at;

    if (tag > 0xFFFFFF || length > 0xFFFFFF) {
        writer->failed = true; /* more than the forms that cos_tlv_next() reads */
        return NULL;
    }
    at = cos_write_room(writer, tag_bytes + length_field_bytes(length) + length);
    return at == NULL ? NULL : put_length_field(put_number(at, tag, tag_bytes), length);
}

enum cos_result cos_tlv_fcp(struct cos_span data, struct cos_span *value)
{
    struct cos_reader reader = cos_reader(data.data, data.length);
    struct cos_tlv tlv;

    COS_CHECK(cos_tlv_next(&reader, &tlv) == COS_OK && (tlv.tag == 0x62 || tlv.tag == 0x6F) &&
                  reader.length == 0,
              COS_E_DATA);
    *value = (struct cos_span){tlv.value, tlv.length};
    return COS_OK;
}

void cos_tlv_write(struct cos_writer *writer, uint32_t tag, const uint8_t *value, size_t length)
{
    uint8_t *room = write_header(writer, tag, length);

    if (room != NULL && length > 0) {
        memcpy(room, value, length);
    }
}

void cos_tlv_write8(struct cos_writer *writer, uint32_t tag, uint8_t value)
{
    cos_tlv_write(writer, tag, &value, 1);
}

void cos_tlv_write16(struct cos_writer *writer, uint32_t tag, uint16_t value)
{
    uint8_t bytes[2];

    cos_put16(bytes, value);
    cos_tlv_write(writer, tag, bytes, sizeof bytes);
}

/* The result is where the value begins, behind a length field of one byte. Most templates are
 * shorter than 128 bytes and never move; a longer one is moved back by what its length field needs
 * more, so that a template fails only if it really does not fit. */
size_t cos_tlv_open(struct cos_writer *writer, uint32_t tag)
{
    (void)write_header(writer, tag, 0);
    return writer->length;
}

void cos_tlv_close(struct cos_writer *writer, size_t opened)
{
    uint8_t *value;
    size_t length, extra;

    if (writer->failed || opened == 0 || opened > writer->length ||
        writer->length - opened > 0xFFFF) {
        writer->failed = true;
        return;
    }
    value = writer->data + opened;
    length = writer->length - opened;
    extra = length_field_bytes(length) - 1;
    if (cos_write_room(writer, extra) != NULL) {
        memmove(value + extra, value, length);
        (void)put_length_field(value - 1, length);
    }
}
