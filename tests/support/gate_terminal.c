/* SPDX-License-Identifier: Apache-2.0
 *
 * What the terminal wants: the half of gate_model.h about commands that are open under secure
 * messaging.
 */
#include "gate_model.h"

#include <string.h>

/* The operation on a PIN that a command is: header and operation. */
static bool is_pin_wish(const struct cos_held *held, uint8_t operation)
{
    static const struct {
        uint8_t ins, p1, operation;
    } wishes[] = {
        {0x20, 0x00, COS_PIN_VERIFY},       {0x24, 0x00, COS_PIN_CHANGE},
        {0x24, 0x01, COS_PIN_CHANGE_ONLY},  {0x26, 0x00, COS_PIN_DISABLE},
        {0x26, 0x01, COS_PIN_DISABLE_ONLY}, {0x28, 0x00, COS_PIN_ENABLE},
        {0x28, 0x01, COS_PIN_ENABLE_ONLY},  {0x2C, 0x00, COS_PIN_UNBLOCK},
        {0x2C, 0x01, COS_PIN_UNBLOCK_ONLY}, {0x2C, 0x02, COS_PIN_RESET},
        {0x2C, 0x03, COS_PIN_RESET_ONLY},
    };

    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
        if (wishes[i].ins == held->ins && wishes[i].p1 == held->p1 &&
            wishes[i].operation == operation) {
            return true;
        }
    }
    return false;
}

/* The same header and the same data. */
static bool repeats(const struct cos_held *held, const uint8_t *message, size_t length)
{
    return length >= 4 && message[2] == held->p1 && message[3] == held->p2 &&
           length - 4 == held->length && memcmp(message + 4, held->data, held->length) == 0;
}

bool gate_model_terminals(const struct bench *bench, uint8_t opcode, const uint8_t *message,
                          size_t length)
{
    const struct cos_held *held = &bench->secure.held;

    if (!bench->secure.in_sm || length < 2 || message[1] != held->channel) {
        return false;
    }
    switch (opcode) {
    case COS_GATE_PIN:
        return length >= 4 && message[2] == held->p2 && (message[3] == 1 || !held->used) &&
               is_pin_wish(held, message[0]);
    case COS_GATE_KEY:
        return (held->used && (message[0] == COS_KEY_STORE || message[0] == COS_KEY_PUT)) ||
               (message[0] == COS_KEY_GENERATE && (held->ins & 0xFE) == 0x46 && length == 3 &&
                memchr(held->data, message[2], held->length) != NULL) ||
               (message[0] == COS_KEY_DELETE && held->ins == 0xE4);
    case COS_GATE_CRYPT:
        return held->ins == 0x2A && repeats(held, message, length);
    case COS_GATE_AUTH:
        return (held->ins == 0x88 || held->ins == 0x82 || (held->ins & 0xFE) == 0x86) &&
               repeats(held, message, length);
    default:
        return false;
    }
}
