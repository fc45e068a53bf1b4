/* SPDX-License-Identifier: Apache-2.0
 *
 * BER-TLV data objects as ISO/IEC 7816-4:2013, 5.2.2 and annex E use them: tags of one to three
 * bytes, definite lengths of one to four bytes (00..7F, 81, 82, 83). Bytes 00 and FF between data
 * objects are padding when reading. Nothing here recurses: a template is read by a second reader
 * over its value.
 */
#ifndef COS_TLV_H
#define COS_TLV_H

#include "cos/bytes.h"

struct cos_tlv {
    uint32_t tag; /* the tag's bytes as one number: 62, 5F2F, 7F49 */
    const uint8_t *value;
    size_t length;
};

/* Reads the next data object. COS_OK and *tlv; COS_E_END_OF_DATA when only padding is left;
 * COS_E_DATA when the tag, the length or the value is malformed or reaches past the end (80 =
 * indefinite is malformed too). */
enum cos_result cos_tlv_next(struct cos_reader *reader, struct cos_tlv *tlv);

/* COS_OK if bytes are data objects one behind the other, or none; COS_E_DATA. What is in a
 * constructed one is not looked at. */
enum cos_result cos_tlv_check(struct cos_span objects);
/* The same, and so is the value of each constructed one, however deep they stand: each byte is read
 * once for every template that it is in. */
enum cos_result cos_tlv_check_all(struct cos_span objects);
bool cos_tlv_is_constructed(uint32_t tag);

/* Reads one tag, as tag lists have them. 0, which no tag is, or reader->failed if it is malformed.
 */
uint32_t cos_tlv_read_tag(struct cos_reader *reader);

/* Reads one length field, as header lists have them. reader->failed if it is malformed (80 is). */
size_t cos_tlv_read_length(struct cos_reader *reader);

/* Finds the first data object with `tag` at the top level of `data`. COS_OK and *tlv;
 * COS_E_REFERENCE_NOT_FOUND; COS_E_DATA if something malformed stands before it. */
enum cos_result cos_tlv_find(const uint8_t *data, size_t length, uint32_t tag, struct cos_tlv *tlv);

/* File control parameters as CREATE FILE brings them: the value of the one template that `data` is,
 * 62 (FCP) or 6F (FCI: these parameters, and management data, of which there are none yet; ISO/IEC
 * 7816-4:2013, table 8). COS_E_DATA: another one, or more than one. */
enum cos_result cos_tlv_fcp(struct cos_span data, struct cos_span *value);

/* Writes tag and length in their shortest form, then the value. Fails as cos_writer does. */
void cos_tlv_write(struct cos_writer *writer, uint32_t tag, const uint8_t *value, size_t length);
void cos_tlv_write8(struct cos_writer *writer, uint32_t tag, uint8_t value);
void cos_tlv_write16(struct cos_writer *writer, uint32_t tag, uint16_t value);

/* Writes a template whose length is not known yet: open, write the objects inside, close. The value
 * may have up to 65,535 bytes; closing moves it to make the length field shortest. */
size_t cos_tlv_open(struct cos_writer *writer, uint32_t tag);
void cos_tlv_close(struct cos_writer *writer, size_t opened);

#endif
