/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes on their way to a card: a small buffer with BER-TLV, hexadecimal text, CRC-32. Written
 * apart from the card's own code on purpose, so that both must agree with docs/formats.md and not
 * just with each other.
 */
#ifndef TWINCTL_BYTES_H
#define TWINCTL_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BYTES_MAX 640U

/* Filled from front to back, starting as {0}. What does not fit sets `failed`, which stays set. */
struct bytes {
    size_t length;
    bool failed;
    uint8_t data[BYTES_MAX];
};

void bytes_add(struct bytes *to, const void *data, size_t length);
void bytes_add8(struct bytes *to, unsigned value);
void bytes_add16(struct bytes *to, unsigned value);
void bytes_add32(struct bytes *to, uint32_t value);
/* Adds `length` bytes of one value. */
void bytes_fill(struct bytes *to, uint8_t value, size_t length);

/* Adds a data object: tag of one or two bytes, shortest length, value. A value that failed makes
 * the object fail. */
void bytes_tlv(struct bytes *to, unsigned tag, const void *value, size_t length);
void bytes_tlv8(struct bytes *to, unsigned tag, unsigned value);
void bytes_tlv16(struct bytes *to, unsigned tag, unsigned value);
void bytes_template(struct bytes *to, unsigned tag, const struct bytes *value);

void bytes_wipe(struct bytes *bytes);

/* A part of somebody else's bytes. */
struct part {
    const uint8_t *data;
    size_t length;
};

/* Finds the first data object with `tag` at the top level. False if there is none, or if something
 * malformed stands before it. */
bool tlv_find(const uint8_t *data, size_t length, unsigned tag, struct part *value);

/* Takes the next data object off the front of `rest`. False at the end and if it is malformed. */
bool tlv_next(struct part *rest, unsigned *tag, struct part *value);

/* Hexadecimal digits, either case, with spaces between bytes allowed: at most `capacity` bytes.
 * False if the text is anything else, or longer. An empty text is 0 bytes. */
bool hex_read(const char *text, uint8_t *data, size_t capacity, size_t *length);
/* Upper case, ends in NUL: text has room for 2 * length + 1. Returns text. */
char *hex_write(const uint8_t *data, size_t length, char *text);

/* CRC-32 of docs/formats.md. */
uint32_t crc32_of(const uint8_t *data, size_t length);

#endif
