/* SPDX-License-Identifier: Apache-2.0
 *
 * Command APDUs of the four short cases.
 */
#include "apdu.h"

bool command_write(const struct command *command, struct bytes *apdu)
{
    if (command->nc > 255 || command->ne > 256) {
        return false;
    }
    *apdu = (struct bytes){0};
    bytes_add(apdu, (uint8_t[]){command->cla, command->ins, command->p1, command->p2}, 4);
    if (command->nc > 0) {
        bytes_add8(apdu, (unsigned)command->nc);
        bytes_add(apdu, command->data, command->nc);
    }
    if (command->ne > 0) {
        bytes_add8(apdu, command->ne & 0xFFU);
    }
    return !apdu->failed;
}
