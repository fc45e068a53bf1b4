/* SPDX-License-Identifier: Apache-2.0
 *
 * A card whose commands run on a stack of their own, so that it can be searched afterwards like the
 * memory of both chips, their NVM and the line between them; and whose gate session can be lost in
 * the middle of a command. There is one.
 */
#ifndef WATCHED_H
#define WATCHED_H

#include "gate_rig.h"
#include "hunt.h"

struct watched {
    struct bench bench; /* its tap is to be watched_line() */
    uint8_t command[BENCH_APDU_MAX], response[BENCH_RESPONSE + 2];
    size_t length; /* of either */
    /* The line: frames to the security chip since somebody set them to 0, and which of them is
     * forged; 0: none. */
    unsigned frames, forged;
    uint8_t line[1 << 16];
    size_t line_length;
};
extern struct watched watched;

/* bench_apdu(), on that stack. */
void watched_send(const uint8_t *apdu, size_t length);

unsigned watched_line(void *context, bool to_secure, uint8_t *frame, size_t *length);

/* Takes the keys that are in use now: of the sessions, and the storage key. */
void watched_keys(void);

/* Fails the test, and names the command, if one of these secrets lies anywhere, or one of the keys
 * that watched_keys() took anywhere but at its one place while it is in use, or anything in key
 * memory but a factor that waits. What came of a command in parts may wait for the next one. */
void watched_search(const struct hunt *secrets, const char *command);

#endif
