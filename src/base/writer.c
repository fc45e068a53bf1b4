/* SPDX-License-Identifier: Apache-2.0
 *
 * Bounded writing from front to back.
 */
#include "cos/bytes.h"

void cos_put32(uint8_t data[4], uint32_t value)
{
    cos_put16(data, (uint16_t)(value >> 16));
    cos_put16(data + 2, (uint16_t)value);
}

struct cos_writer cos_writer(uint8_t *data, size_t capacity)
{
    return (struct cos_writer){.data = data, .capacity = capacity};
}

uint8_t *cos_write_room(struct cos_writer *writer, size_t length)
{
    uint8_t *room;

    /* written so that no sum can wrap around, whatever `length` is */
    if (writer->failed || writer->length > writer->capacity ||
        length > writer->capacity - writer->length) {
        writer->failed = true;
        return NULL;
    }
    if (writer->capacity == 0) { /* may stand at NULL, where nothing may be added */
        return writer->data;
    }
    room = writer->data + writer->length;
    writer->length += length;
    return room;
}

void cos_write8(struct cos_writer *writer, uint8_t value)
{
    uint8_t *room = cos_write_room(writer, 1);

    if (room != NULL) {
        room[0] = value;
    }
}

void cos_write16(struct cos_writer *writer, uint16_t value)
{
    uint8_t *room = cos_write_room(writer, 2);

    if (room != NULL) {
        cos_put16(room, value);
    }
}

void cos_write32(struct cos_writer *writer, uint32_t value)
{
    uint8_t *room = cos_write_room(writer, 4);

    if (room != NULL) {
        cos_put32(room, value);
    }
}

void cos_write_bytes(struct cos_writer *writer, const uint8_t *data, size_t length)
{
    uint8_t *room = cos_write_room(writer, length);

    if (room != NULL && length > 0) { /* memcpy may not be given NULL, even for no bytes */
        memcpy(room, data, length);
    }
}
