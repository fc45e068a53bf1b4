/* SPDX-License-Identifier: Apache-2.0 */
#include "example.h"

#include "twinctl/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void add_line(struct example *example, char *line, bool with_keys)
{
    char *rest = line;

    assert_true(example->count < EXAMPLE_LINES);
    line[strcspn(line, "\n")] = '\0';
    if (with_keys) {
        const size_t key = strcspn(line, " ");
        assert_true(key < sizeof example->lines[0].key && line[key] == ' ');
        memcpy(example->lines[example->count].key, line, key);
        rest = line + key + strspn(line + key, " ");
    }
    if (!hex_read(rest, example->lines[example->count].value, EXAMPLE_VALUE,
                  &example->lines[example->count].length)) {
        fail_msg("example %s: not hexadecimal: %s", example->name, line);
    }
    example->count++;
}

struct example *example_read(const char *name, bool with_keys)
{
    char line[1200], marker[64];
    unsigned stage = 0; /* 0 before the marker, 1 before the block, 2 in it, 3 behind */
    struct example *example = calloc(1, sizeof *example);
    FILE *file = fopen("docs/formats.md", "r");

    assert_true(example != NULL && file != NULL);
    example->name = name;
    snprintf(marker, sizeof marker, "<!-- example: %s -->", name);
    while (stage < 3 && fgets(line, sizeof line, file) != NULL) {
        if (stage == 0) {
            stage = strncmp(line, marker, strlen(marker)) == 0;
        } else if (strncmp(line, "```", 3) == 0) {
            stage++;
        } else if (stage == 2) {
            add_line(example, line, with_keys);
        }
    }
    fclose(file);
    if (stage != 3) {
        fail_msg("no example %s in docs/formats.md", name);
    }
    return example;
}

const uint8_t *example_value(const struct example *example, const char *key, size_t length)
{
    for (size_t i = 0; i < example->count; i++) {
        if (strcmp(example->lines[i].key, key) == 0) {
            if (example->lines[i].length != length) {
                fail_msg("example %s: %s has %zu bytes, not %zu", example->name, key,
                         example->lines[i].length, length);
            }
            return example->lines[i].value;
        }
    }
    fail_msg("example %s: no %s", example->name, key);
    return NULL;
}

void example_expect(const struct example *example, const char *key, const void *bytes,
                    size_t length)
{
    char found[2 * EXAMPLE_VALUE + 1];

    if (memcmp(example_value(example, key, length), bytes, length) != 0) {
        fail_msg("example %s: %s is %s", example->name, key, hex_write(bytes, length, found));
    }
}
