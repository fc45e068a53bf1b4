/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the files of tests/vectors/. A file is read whole; bytes and texts are decoded where they
 * stand, since both are shorter than what they are written as.
 */
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct place {
    const char *file;
    unsigned line;
};

_Noreturn static void complain(const struct place *place, const char *what, const char *which)
{
    fail_msg("tests/vectors/%s:%u: %s: %s", place->file, place->line, what, which);
    abort();
}

_Noreturn static void complain_key(const struct vector_section *section, const char *key,
                                   const char *what)
{
    fail_msg("tests/vectors/%s [%s] %s: %s", section->file, section->name, key, what);
    abort();
}

static void *grown(void *array, size_t count, size_t size)
{
    void *larger = realloc(array, count * size);

    if (larger == NULL) {
        fail_msg("vectors: no memory");
        abort();
    }
    return larger;
}

static char *read_whole(const char *name)
{
    char path[256];
    char *text = NULL;
    size_t length = 0, got;
    FILE *file;

    snprintf(path, sizeof path, "tests/vectors/%s", name);
    file = fopen(path, "rb");
    if (file == NULL) {
        fail_msg("%s: cannot be opened (tests run in the project's root)", path);
        abort();
    }
    do {
        text = grown(text, length + 4097, 1);
        got = fread(text + length, 1, 4096, file);
        length += got;
    } while (got > 0);
    if (ferror(file)) {
        fail_msg("%s: cannot be read", path);
    }
    fclose(file);
    text[length] = '\0';
    if (strlen(text) != length) {
        fail_msg("%s: holds a NUL", path);
    }
    return text;
}

/* Cuts blanks (and the CR of a CRLF) off both ends. */
static char *trimmed(char *text)
{
    size_t length;

    text += strspn(text, " \t");
    length = strlen(text);
    while (length > 0 && strchr(" \t\r", text[length - 1]) != NULL) {
        length--;
    }
    text[length] = '\0';
    return text;
}

static int digit_value(char digit)
{
    static const char digits[] = "0123456789ABCDEFabcdef";
    const char *found = digit == '\0' ? NULL : strchr(digits, digit);

    if (found == NULL) {
        return -1;
    }
    return (int)(found - digits) < 16 ? (int)(found - digits) : (int)(found - digits) - 6;
}

static void decode_bytes(const struct place *place, struct vector_entry *entry, char *value)
{
    uint8_t *bytes = (uint8_t *)value;
    size_t length = 0;

    for (const char *at = value; *at != '\0'; at++) {
        int high, low;

        if (*at == ' ') {
            continue;
        }
        high = digit_value(at[0]);
        low = digit_value(at[1]);
        if (high < 0 || low < 0) {
            complain(place, "not hexadecimal bytes", entry->key);
        }
        at++;
        bytes[length++] = (uint8_t)(high << 4 | low);
    }
    entry->kind = VECTOR_BYTES;
    entry->bytes = (struct cos_span){bytes, length};
}

static void decode_text(const struct place *place, struct vector_entry *entry, char *value)
{
    size_t length = strlen(value);

    if (length < 2 || value[length - 1] != '"') {
        complain(place, "text without a closing quote", entry->key);
    }
    value[length - 1] = '\0';
    entry->kind = VECTOR_TEXT;
    entry->text = value + 1;
}

static void decode_number(const struct place *place, struct vector_entry *entry, const char *value)
{
    uint64_t number = 0;

    if (*value == '\0') {
        complain(place, "empty number", entry->key);
    }
    for (; *value != '\0'; value++) {
        unsigned digit = (unsigned)*value - (unsigned)'0';

        if (digit > 9 || number > (UINT64_MAX - digit) / 10) {
            complain(place, "not a decimal number of 64 bits", entry->key);
        }
        number = number * 10 + digit;
    }
    entry->kind = VECTOR_NUMBER;
    entry->number = number;
}

static const struct vector_entry *entry_of(const struct vector_section *section, const char *key)
{
    for (size_t i = 0; i < section->count; i++) {
        if (strcmp(section->entries[i].key, key) == 0) {
            return &section->entries[i];
        }
    }
    return NULL;
}

static void add_section(const struct place *place, struct vectors *vectors, char *line)
{
    size_t length = strlen(line);

    if (line[length - 1] != ']') {
        complain(place, "section without ]", line);
    }
    line[length - 1] = '\0';
    for (size_t i = 0; i < vectors->count; i++) {
        if (strcmp(vectors->sections[i].name, line + 1) == 0) {
            complain(place, "section stands there twice", line + 1);
        }
    }
    vectors->sections = grown(vectors->sections, vectors->count + 1, sizeof *vectors->sections);
    vectors->sections[vectors->count++] =
        (struct vector_section){.file = place->file, .name = line + 1};
}

static void add_entry(const struct place *place, struct vectors *vectors, char *line)
{
    struct vector_section *section;
    struct vector_entry entry = {0};
    char *equals = strchr(line, '=');
    char *value;
    size_t key_length;

    if (vectors->count == 0 || equals == NULL || equals == line) {
        complain(place, "neither comment, section nor key = value in a section", line);
    }
    section = &vectors->sections[vectors->count - 1];
    *equals = '\0';
    entry.key = trimmed(line);
    value = trimmed(equals + 1);
    if (entry_of(section, entry.key) != NULL) {
        complain(place, "key stands there twice", entry.key);
    }
    key_length = strlen(entry.key);
    if (value[0] == '"') {
        decode_text(place, &entry, value);
    } else if (key_length > 2 && strcmp(entry.key + key_length - 2, "_n") == 0) {
        decode_number(place, &entry, value);
    } else {
        decode_bytes(place, &entry, value);
    }
    section->entries = grown(section->entries, section->count + 1, sizeof *section->entries);
    section->entries[section->count++] = entry;
}

struct vectors *vectors_open(const char *name)
{
    struct vectors *vectors = grown(NULL, 1, sizeof *vectors);
    struct place place = {.file = name};
    char *next;

    *vectors = (struct vectors){.buffer = read_whole(name)};
    for (char *line = vectors->buffer; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL) {
            *next++ = '\0';
        }
        place.line++;
        line = trimmed(line);
        if (line[0] == '[') {
            add_section(&place, vectors, line);
        } else if (line[0] != '\0' && line[0] != '#') {
            add_entry(&place, vectors, line);
        }
    }
    if (vectors->count == 0) {
        complain(&place, "no section", name);
    }
    return vectors;
}

void vectors_close(struct vectors *vectors)
{
    for (size_t i = 0; i < vectors->count; i++) {
        free(vectors->sections[i].entries);
    }
    free(vectors->sections);
    free(vectors->buffer);
    free(vectors);
}

const struct vector_section *vectors_section(const struct vectors *vectors, const char *name)
{
    for (size_t i = 0; i < vectors->count; i++) {
        if (strcmp(vectors->sections[i].name, name) == 0) {
            return &vectors->sections[i];
        }
    }
    fail_msg("tests/vectors/%s: no section [%s]", vectors->sections[0].file, name);
    abort();
}

/* Finds the entry whose key `format` makes; if `kind` is given (not negative), it must be there
 * and be of that kind. */
static const struct vector_entry *find(const struct vector_section *section, int kind,
                                       const char *format, va_list arguments)
{
    char key[128];
    const struct vector_entry *entry;

    vsnprintf(key, sizeof key, format, arguments);
    entry = entry_of(section, key);
    if (kind >= 0 && entry == NULL) {
        complain_key(section, key, "missing");
    }
    if (kind >= 0 && entry->kind != (enum vector_kind)kind) {
        complain_key(section, key, "of another kind");
    }
    return entry;
}

struct cos_span vector_bytes(const struct vector_section *section, const char *key, ...)
{
    va_list arguments;
    const struct vector_entry *entry;

    va_start(arguments, key);
    entry = find(section, VECTOR_BYTES, key, arguments);
    va_end(arguments);
    return entry->bytes;
}

const char *vector_text(const struct vector_section *section, const char *key, ...)
{
    va_list arguments;
    const struct vector_entry *entry;

    va_start(arguments, key);
    entry = find(section, VECTOR_TEXT, key, arguments);
    va_end(arguments);
    return entry->text;
}

uint64_t vector_number(const struct vector_section *section, const char *key, ...)
{
    va_list arguments;
    const struct vector_entry *entry;

    va_start(arguments, key);
    entry = find(section, VECTOR_NUMBER, key, arguments);
    va_end(arguments);
    return entry->number;
}

const uint8_t *vector_exactly(const struct vector_section *section, size_t length, const char *key,
                              ...)
{
    va_list arguments;
    const struct vector_entry *entry;

    va_start(arguments, key);
    entry = find(section, VECTOR_BYTES, key, arguments);
    va_end(arguments);
    if (entry->bytes.length != length) {
        complain_key(section, entry->key, "of another length");
    }
    return entry->bytes.data;
}

const struct vector_entry *vector_find(const struct vector_section *section, const char *key, ...)
{
    va_list arguments;
    const struct vector_entry *entry;

    va_start(arguments, key);
    entry = find(section, -1, key, arguments);
    va_end(arguments);
    return entry;
}
