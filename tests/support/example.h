/* SPDX-License-Identifier: Apache-2.0
 *
 * The worked examples of docs/formats.md.
 */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EXAMPLE_LINES = 16, EXAMPLE_VALUE = 512 };

/* The fenced block after "<!-- example: NAME -->": lines of a name and hexadecimal bytes, or of
 * bytes alone. */
struct example {
    const char *name;
    size_t count;
    struct {
        char key[32];
        uint8_t value[EXAMPLE_VALUE];
        size_t length;
    } lines[EXAMPLE_LINES];
};

/* Reads one; the caller frees it. */
struct example *example_read(const char *name, bool with_keys);
/* The value of a key, of exactly this length. */
const uint8_t *example_value(const struct example *example, const char *key, size_t length);
/* Holds computed bytes against the document; says what was computed if they differ. */
void example_expect(const struct example *example, const char *key, const void *bytes,
                    size_t length);

#endif
