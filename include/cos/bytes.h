/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes: big-endian loads and stores, bounded reading and writing, CRC-32, comparison and wiping of
 * secrets. Nothing here writes NVM, allocates, or keeps state.
 */
#ifndef COS_BYTES_H
#define COS_BYTES_H

#include "cos/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The only four functions that the core takes from outside. Declared here because a freestanding
 * compiler need not have <string.h>. */
void *memcpy(void *restrict to, const void *restrict from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int value, size_t length);
int memcmp(const void *a, const void *b, size_t length);

/* For a function with a large frame that should not become part of its caller's, whose other
 * callees would then stand on it. */
#define COS_OWN_FRAME __attribute__((noinline))

/* A run of bytes that somebody else owns. */
struct cos_span {
    const uint8_t *data;
    size_t length;
};

/* Multi-byte fields are big-endian everywhere: on the contacts, over the gate and in NVM. */
static inline uint16_t cos_get16(const uint8_t data[2])
{
    return (uint16_t)(((unsigned)data[0] << 8) | data[1]);
}

static inline uint32_t cos_get32(const uint8_t data[4])
{
    return ((uint32_t)data[0] << 24) | ((uint32_t)data[1] << 16) | ((uint32_t)data[2] << 8) |
           data[3];
}

static inline void cos_put16(uint8_t data[2], uint16_t value)
{
    data[0] = (uint8_t)(value >> 8);
    data[1] = (uint8_t)value;
}

/* Too long for a small processor to stand in every place. */
void cos_put32(uint8_t data[4], uint32_t value);

/* Reads a run of bytes from front to back. Once a read did not fit, `failed` stays set, nothing is
 * consumed any more, numbers read as 0 and spans as empty, so that a parser may read all its fields
 * and ask once. */
struct cos_reader {
    const uint8_t *data;
    size_t length; /* what is left */
    bool failed;
};

struct cos_reader cos_reader(const uint8_t *data, size_t length);
uint8_t cos_read8(struct cos_reader *reader);
uint16_t cos_read16(struct cos_reader *reader);
uint32_t cos_read32(struct cos_reader *reader);
/* `length` bytes in place, NULL if there are fewer. */
const uint8_t *cos_read_bytes(struct cos_reader *reader, size_t length);
/* All the rest, possibly empty. */
struct cos_span cos_read_rest(struct cos_reader *reader);
/* True if every read fitted and nothing is left over. */
bool cos_read_done(const struct cos_reader *reader);

/* Fills a buffer from front to back. Once a write did not fit, `failed` stays set and nothing more
 * is written. */
struct cos_writer {
    uint8_t *data;
    size_t capacity;
    size_t length; /* what was written */
    bool failed;
};

struct cos_writer cos_writer(uint8_t *data, size_t capacity);
void cos_write8(struct cos_writer *writer, uint8_t value);
void cos_write16(struct cos_writer *writer, uint16_t value);
void cos_write32(struct cos_writer *writer, uint32_t value);
void cos_write_bytes(struct cos_writer *writer, const uint8_t *data, size_t length);
/* Reserves `length` bytes and returns where they are, NULL if they do not fit. */
uint8_t *cos_write_room(struct cos_writer *writer, size_t length);

/* CRC-32 (polynomial EDB88320 reflected, as in IEEE 802.3), for error detection only. Start with 0
 * and hand the result on to continue: cos_crc32(cos_crc32(0, a), b) is the CRC of a followed by b.
 */
uint32_t cos_crc32(uint32_t crc, const uint8_t *data, size_t length);

/* A security-relevant yes or no: two constants that differ in 32 bits, so that one upset bit makes
 * neither. Anything but COS_YES is a no. */
typedef uint32_t cos_truth;
#define COS_YES ((cos_truth)0x3CA5965AU)
#define COS_NO  ((cos_truth)0xC35A69A5U)

/* Compares `length` secret bytes; the time taken depends on the length alone. COS_YES if equal. */
cos_truth cos_equal_secret(const uint8_t *a, const uint8_t *b, size_t length);

/* Overwrites with zeros, as fast as memset does; a compiler may not leave it out. length 0: data
 * may be NULL. */
void cos_wipe(void *data, size_t length);

/* ---- How new bytes meet old ones (combine.c) ---- */

/* The first four are b7b6 of the data coding byte, which says it of WRITE.
 */
enum cos_combination {
    COS_COMBINE_ONCE,
    COS_COMBINE_REPLACE,
    COS_COMBINE_OR,
    COS_COMBINE_AND,
    COS_COMBINE_XOR
};
/* What a data coding byte says; 00, or none: OR. */
enum cos_combination cos_combination_of(uint8_t data_coding);
/* Combines in place. COS_E_CONDITIONS: once only, and an old byte is not 00. */
enum cos_result cos_combine(uint8_t *old, const uint8_t *data, size_t length,
                            enum cos_combination how);

#endif
