/* SPDX-License-Identifier: Apache-2.0
 *
 * The hunt for secrets: a list of what must not be seen, a heap of what was seen.
 */
#ifndef HUNT_H
#define HUNT_H

#include <stddef.h>
#include <stdint.h>

#define HUNT_SECRETS 64
#define HUNT_PART    8U /* bytes of a secret that are a find */

struct hunt {
    struct {
        const char *name;
        uint8_t bytes[32];
        size_t length;
    } secrets[HUNT_SECRETS];
    size_t count;
    uint8_t *seen;
    size_t seen_length, seen_capacity;
};

/* Puts a secret on the list: 2 to 32 bytes; the name must stay. */
void hunt_secret(struct hunt *hunt, const char *name, const void *bytes, size_t length);

/* Puts bytes on the heap. */
void hunt_see(struct hunt *hunt, const void *bytes, size_t length);

/* The name of the secret that stands first in these bytes, whole if it is short, or with any eight
 * bytes of it; NULL if there is none. */
const char *hunt_find(const struct hunt *hunt, const uint8_t *bytes, size_t length);

void hunt_free(struct hunt *hunt);

#endif
