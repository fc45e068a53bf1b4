/* SPDX-License-Identifier: Apache-2.0 */
#include "hunt.h"

#include "cos/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(int good, const char *what)
{
    if (!good) {
        fprintf(stderr, "hunt: %s\n", what);
        abort();
    }
}

void hunt_secret(struct hunt *hunt, const char *name, const void *bytes, size_t length)
{
    must(hunt->count < HUNT_SECRETS && length > 1 && length <= sizeof hunt->secrets[0].bytes,
         "too many secrets, too short or too long");
    hunt->secrets[hunt->count].name = name;
    memcpy(hunt->secrets[hunt->count].bytes, bytes, length);
    hunt->secrets[hunt->count++].length = length;
}

void hunt_see(struct hunt *hunt, const void *bytes, size_t length)
{
    if (length == 0) {
        return;
    }
    if (hunt->seen_length + length > hunt->seen_capacity) {
        hunt->seen_capacity = 2 * (hunt->seen_length + length);
        hunt->seen = realloc(hunt->seen, hunt->seen_capacity);
        must(hunt->seen != NULL, "no memory");
    }
    memcpy(hunt->seen + hunt->seen_length, bytes, length);
    hunt->seen_length += length;
}

/* How many bytes of a secret are a find. */
static size_t part_of(size_t whole)
{
    return whole < HUNT_PART ? whole : HUNT_PART;
}

/* The secret of which a part stands right here, if any. */
static const char *find_here(const struct hunt *hunt, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < hunt->count; i++) {
        const size_t whole = hunt->secrets[i].length, part = part_of(whole);
        for (size_t at = 0; part <= length && at + part <= whole; at++) {
            if (memcmp(bytes, hunt->secrets[i].bytes + at, part) == 0) {
                return hunt->secrets[i].name;
            }
        }
    }
    return NULL;
}

/* Few places begin with the same two bytes as a part of a secret: only there one has to look. */
const char *hunt_find(const struct hunt *hunt, const uint8_t *bytes, size_t length)
{
    uint8_t begins[0x10000] = {0};

    for (size_t i = 0; i < hunt->count; i++) {
        const uint8_t *secret = hunt->secrets[i].bytes;
        const size_t whole = hunt->secrets[i].length, part = part_of(whole);
        for (size_t at = 0; at + part <= whole; at++) {
            begins[cos_get16(secret + at)] = 1;
        }
    }
    for (size_t at = 0; at + 1 < length; at++) {
        const char *name =
            begins[cos_get16(bytes + at)] ? find_here(hunt, bytes + at, length - at) : NULL;
        if (name != NULL) {
            return name;
        }
    }
    return NULL;
}

void hunt_free(struct hunt *hunt)
{
    free(hunt->seen);
    *hunt = (struct hunt){0};
}
