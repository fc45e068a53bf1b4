/* SPDX-License-Identifier: Apache-2.0
 *
 * Bounded reading from front to back.
 */
#include "cos/bytes.h"

struct cos_reader cos_reader(const uint8_t *data, size_t length)
{
    return (struct cos_reader){.data = data, .length = length};
}

const uint8_t *cos_read_bytes(struct cos_reader *reader, size_t length)
{
    const uint8_t *data = reader->data;

    if (reader->failed || length > reader->length) {
        reader->failed = true;
        return NULL;
    }
    if (length > 0) { /* an empty run may stand at NULL, where nothing may be added */
        reader->data += length;
        reader->length -= length;
    }
    return data;
}

uint8_t cos_read8(struct cos_reader *reader)
{
    const uint8_t *data = cos_read_bytes(reader, 1);

    return data == NULL ? 0 : data[0];
}

uint16_t cos_read16(struct cos_reader *reader)
{
    const uint8_t *data = cos_read_bytes(reader, 2);

    return data == NULL ? 0 : cos_get16(data);
}

uint32_t cos_read32(struct cos_reader *reader)
{
    const uint8_t *data = cos_read_bytes(reader, 4);

    return data == NULL ? 0 : cos_get32(data);
}

struct cos_span cos_read_rest(struct cos_reader *reader)
{
    struct cos_span rest = {NULL, 0};

    if (!reader->failed) {
        rest.length = reader->length;
        rest.data = cos_read_bytes(reader, rest.length);
    }
    return rest;
}

bool cos_read_done(const struct cos_reader *reader)
{
    return !reader->failed && reader->length == 0;
}
