/* SPDX-License-Identifier: Apache-2.0 */
#include "hunt.h"

#include "bench.h"

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
    must(hunt->count < HUNT_SECRETS && length > 0 && length <= sizeof hunt->secrets[0].bytes,
         "too many secrets, or too long");
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

const char *hunt_find(const struct hunt *hunt, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < hunt->count; i++) {
        const size_t whole = hunt->secrets[i].length;
        const size_t part = whole < HUNT_PART ? whole : HUNT_PART;
        for (size_t at = 0; at + part <= whole; at++) {
            if (bench_contains(bytes, length, hunt->secrets[i].bytes + at, part)) {
                return hunt->secrets[i].name;
            }
        }
    }
    return NULL;
}

void hunt_free(struct hunt *hunt)
{
    free(hunt->seen);
    *hunt = (struct hunt){0};
}
