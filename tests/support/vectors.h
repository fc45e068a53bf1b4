/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the files of tests/vectors/. Their lines are:
 *
 *     # comment
 *     [section]
 *     key = 00A4 0400      hexadecimal bytes, spaces allowed, possibly none
 *     key = "text"         characters up to the last quote of the line
 *     key_n = 65536        a decimal number: the key ends in _n
 *
 * Whatever is missing or malformed (the file, a section, a key, a value, a key or a section that
 * stands there twice) fails the running cmocka test with file, section and key in the message, so
 * that no caller needs to check anything. Keys are formats of printf: vector_bytes(s, "apdu%u", i).
 *
 *     struct vectors *vectors = vectors_open("sp800-38b-cmac.txt");
 *     for (size_t i = 0; i < vectors->count; i++) {
 *         const struct vector_section *section = &vectors->sections[i];
 *         struct cos_span key = vector_bytes(section, "key");
 *         ...
 *     }
 *     vectors_close(vectors);
 */
#ifndef TESTS_VECTORS_H
#define TESTS_VECTORS_H

#include "cos/bytes.h"

enum vector_kind {
    VECTOR_BYTES,
    VECTOR_TEXT,
    VECTOR_NUMBER,
};

struct vector_entry {
    const char *key;
    enum vector_kind kind;
    struct cos_span bytes; /* of VECTOR_BYTES */
    const char *text;      /* of VECTOR_TEXT, ends in NUL */
    uint64_t number;       /* of VECTOR_NUMBER */
};

/* Sections and entries stand in the order of the file. */
struct vector_section {
    const char *file;
    const char *name; /* without the brackets */
    struct vector_entry *entries;
    size_t count;
};

struct vectors {
    struct vector_section *sections;
    size_t count;
    char *buffer; /* what every pointer in the entries points into */
};

/* Reads tests/vectors/NAME, seen from the project's root. */
struct vectors *vectors_open(const char *name);
/* Everything that was taken from the vectors is gone after this. */
void vectors_close(struct vectors *vectors);

/* The section of this name: must be there. */
const struct vector_section *vectors_section(const struct vectors *vectors, const char *name);

/* The value of a key: must be there, and be of this kind. */
struct cos_span vector_bytes(const struct vector_section *section, const char *key, ...)
    __attribute__((format(printf, 2, 3)));
const char *vector_text(const struct vector_section *section, const char *key, ...)
    __attribute__((format(printf, 2, 3)));
uint64_t vector_number(const struct vector_section *section, const char *key, ...)
    __attribute__((format(printf, 2, 3)));

/* Bytes of exactly `length`, as for a key, a challenge or a status word. */
const uint8_t *vector_exactly(const struct vector_section *section, size_t length, const char *key,
                              ...) __attribute__((format(printf, 3, 4)));

/* The entry, or NULL: for keys that only some sections have. */
const struct vector_entry *vector_find(const struct vector_section *section, const char *key, ...)
    __attribute__((format(printf, 2, 3)));

#endif
