/* SPDX-License-Identifier: Apache-2.0 */
#include "cos/gate.h"

#define NO   COS_GATE_SESSION_NO
#define YES  COS_GATE_SESSION_YES
#define BOTH COS_GATE_SESSION_BOTH

static const struct cos_gate_row rows[] = {
#define ROW(name, code, smallest_, largest_, response_, states_, session_, served_)                \
    {                                                                                              \
        .opcode = (code),                                                                          \
        .session = (session_),                                                                     \
        .served = (served_) != 0,                                                                  \
        .states = (states_),                                                                       \
        .smallest = (smallest_),                                                                   \
        .largest = (largest_),                                                                     \
        .response = (response_),                                                                   \
    },
    COS_GATE_CALLS(ROW)
#undef ROW
};

/* Every message fits a frame, whatever the configuration. */
#define FITS(name, code, smallest_, largest_, response_, states_, session_, served_)               \
    _Static_assert((largest_) <= COS_GATE_MESSAGE_MAX && (response_) + 6 <= COS_GATE_MESSAGE_MAX,  \
                   "COS_GATE_MESSAGE_MAX is too small for " #name);
COS_GATE_CALLS(FITS)
#undef FITS

const struct cos_gate_row *cos_gate_row(uint8_t opcode)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].opcode == opcode) {
            return &rows[i];
        }
    }
    return NULL;
}

static const struct {
    uint8_t opcode, operation;
    uint16_t states;
} operations[] = {
#define OPERATION(call, operation_, states_)                                                       \
    {.opcode = COS_GATE_##call, .operation = (operation_), .states = (states_)},
    COS_GATE_OPERATIONS(OPERATION)
#undef OPERATION
};

uint16_t cos_gate_operation_states(const struct cos_gate_row *row, uint8_t operation)
{
    bool has_operations = false;

    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        if (operations[i].opcode == row->opcode) {
            has_operations = true;
            if (operations[i].operation == operation) {
                return operations[i].states;
            }
        }
    }
    return has_operations ? 0 : row->states;
}
