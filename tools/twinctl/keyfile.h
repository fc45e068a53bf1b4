/* SPDX-License-Identifier: Apache-2.0
 *
 * The key file of one card: what its makers and its issuer know of its secrets. Text, one
 * `NAME = HEX` a line, `#` begins a comment. It is made once, with mode 0600, and is refused if
 * anybody but its owner may touch it. A value stands in the file before it is sent to a card, so
 * that a step that was cut off is repeated with the same secrets.
 */
#ifndef TWINCTL_KEYFILE_H
#define TWINCTL_KEYFILE_H

#include "bytes.h"
#include "problem.h"

#define KEYFILE_ENTRIES  32U
#define KEYFILE_NAME_MAX 24U
#define KEYFILE_SECRET   32U

struct keyfile_entry {
    char name[KEYFILE_NAME_MAX + 1];
    size_t length; /* 1 to KEYFILE_SECRET */
    uint8_t value[KEYFILE_SECRET];
};

struct keyfile {
    char path[4096];
    size_t count;
    struct keyfile_entry entries[KEYFILE_ENTRIES];
};

/* Makes an empty key file. TROUBLE if there is one (or anything else of this name) already. */
enum outcome keyfile_create(struct keyfile *keys, const char *path, struct problem *problem);

/* Reads a key file. TROUBLE if it is missing, not a regular file of this user's, open to others,
 * or malformed; the line is named. */
enum outcome keyfile_open(struct keyfile *keys, const char *path, struct problem *problem);

/* The value of `name`, which must be there with this length; NULL and *problem otherwise. */
const uint8_t *keyfile_get(const struct keyfile *keys, const char *name, size_t length,
                           struct problem *problem);

/* The entry, or NULL: for values whose length says something. */
const struct keyfile_entry *keyfile_find(const struct keyfile *keys, const char *name);

/* Sets a value and writes the file anew, in one step (rename). No write if it is so already. */
enum outcome keyfile_set(struct keyfile *keys, const char *name, const uint8_t *value,
                         size_t length, struct problem *problem);

/* Makes sure there is a value of this length: random bytes if there is none. */
enum outcome keyfile_ensure(struct keyfile *keys, const char *name, size_t length,
                            struct problem *problem);

/* Forgets the values; the file stays. */
void keyfile_close(struct keyfile *keys);

#endif
