/* SPDX-License-Identifier: Apache-2.0
 *
 * A command as the world means it (ISO/IEC 7816-4:2013, 5.1): short lengths only.
 */
#ifndef TWINCTL_APDU_H
#define TWINCTL_APDU_H

#include "bytes.h"

struct command {
    uint8_t cla, ins, p1, p2;
    const uint8_t *data;
    size_t nc; /* 0 to 255 */
    size_t ne; /* 0 = no response data expected, at most 256 */
};

/* Writes the command APDU. False if nc or ne is out of range. */
bool command_write(const struct command *command, struct bytes *apdu);

/* Reads one; its data stay where they are. False if it is none of the four short cases. */
bool command_read(const uint8_t *apdu, size_t length, struct command *command);

#endif
