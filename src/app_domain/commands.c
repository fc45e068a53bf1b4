/* SPDX-License-Identifier: Apache-2.0 */
#include "domain.h"

#define ISO COMMAND_ISO
#define GP  COMMAND_GP

static const struct command_row rows[] = {
#define COMMAND(name, text, classes_, ins_, p1, p2, p1p2, cases_, states_, secured_, executor,     \
                handler_, clause)                                                                  \
    {                                                                                              \
        .classes = (classes_),                                                                     \
        .ins = (ins_),                                                                             \
        .p1_bits = (p1),                                                                           \
        .p2_bits = (p2),                                                                           \
        .cases = COMMAND_##cases_,                                                                 \
        .secured = COMMAND_##secured_,                                                             \
        .states = (states_),                                                                       \
        .handler = handler_,                                                                       \
    },
#include "commands.def"
#undef COMMAND
};

const struct command_row *cos_app_find_command(bool proprietary, uint8_t ins)
{
    const uint8_t class_ = proprietary ? COMMAND_GP : COMMAND_ISO;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].ins == ins && (rows[i].classes & class_) != 0) {
            return &rows[i];
        }
    }
    return NULL;
}
