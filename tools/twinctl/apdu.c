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

bool command_read(const uint8_t *apdu, size_t length, struct command *command)
{
    if (length < 4) {
        return false;
    }
    *command = (struct command){.cla = apdu[0], .ins = apdu[1], .p1 = apdu[2], .p2 = apdu[3]};
    if (length > 5) {
        command->data = apdu + 5;
        command->nc = apdu[4];
    }
    const size_t body = command->nc > 0 ? 5 + command->nc : 4;
    if (length == body + 1) {
        command->ne = apdu[body] == 0 ? 256 : apdu[body];
    }
    return length == body || length == body + 1;
}
