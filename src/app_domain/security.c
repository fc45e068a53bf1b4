/* SPDX-License-Identifier: Apache-2.0
 *
 * Security commands of ISO/IEC 7816-4:2013, 11.5: decode, one gate call, encode. The app domain can
 * only ask.
 */
#include "domain.h"

/* The commands on reference data, by INS and P1: what they ask for without and with data, 0 = they
 * have none, or must have some. */
static const struct pin_command {
    uint16_t header;
    uint8_t without, with; /* enum cos_pin_op */
} pin_commands[] = {
    {0x2000, COS_PIN_QUERY, COS_PIN_VERIFY},
    {0x20FF, COS_PIN_DROP, 0},
    {0x2400, 0, COS_PIN_CHANGE},
    {0x2401, 0, COS_PIN_CHANGE_ONLY},
    {0x2600, 0, COS_PIN_DISABLE},
    {0x2601, COS_PIN_DISABLE_ONLY, 0},
    {0x2800, 0, COS_PIN_ENABLE},
    {0x2801, COS_PIN_ENABLE_ONLY, 0},
    {0x2C00, 0, COS_PIN_UNBLOCK},
    {0x2C01, 0, COS_PIN_UNBLOCK_ONLY},
    {0x2C02, 0, COS_PIN_RESET},
    {0x2C03, COS_PIN_RESET_ONLY, 0},
};

enum cos_result cos_app_reference_data(struct exchange *x)
{
    const struct pin_command *row = pin_commands;
    const struct pin_command *const end =
        pin_commands + sizeof pin_commands / sizeof pin_commands[0];
    const uint16_t header = (uint16_t)(x->command.ins << 8 | x->command.p1);

    while (row->header != header) {
        COS_CHECK(++row < end, COS_E_P1_P2);
    }
    const uint8_t operation = x->command.nc != 0 ? row->with : row->without;
    const uint8_t fields[] = {operation, x->class_.channel, x->command.p2, x->held ? 1 : 0};
    COS_CHECK(operation != 0 && (x->command.nc <= 2 * COS_PIN_MAX || x->held), COS_E_LENGTH);
    return cos_app_hand_on(x, COS_GATE_PIN, fields, sizeof fields, cos_app_command_data(x));
}

enum cos_result cos_app_get_challenge(struct exchange *x)
{
    const uint32_t ne = x->command.ne;
    const bool any = ne == 0 || ne == 256 || ne == 65536;
    const uint8_t fields[] = {x->class_.channel, (uint8_t)(any ? 8 : ne)};

    COS_CHECK(any || ne == 8 || ne == 16, COS_E_LENGTH);
    return cos_app_hand_on(x, COS_GATE_CHALLENGE, fields, sizeof fields,
                           (struct cos_span){NULL, 0});
}

/* What the call has room for: a signature of RSA-4096 in templates, or what else fits. */
enum { AUTH_MAX = COS_GATE_MESSAGE_MAX - 60 - 4 };

static enum cos_result call_auth(struct exchange *x, enum cos_auth_op operation)
{
    const uint8_t fields[] = {(uint8_t)operation, x->class_.channel, x->command.p1, x->command.p2};

    COS_CHECK(x->command.nc <= AUTH_MAX, COS_E_LENGTH);
    return cos_app_hand_on(x, COS_GATE_AUTH, fields, sizeof fields, cos_app_command_data(x));
}

enum cos_result cos_app_internal_authenticate(struct exchange *x)
{
    return call_auth(x, COS_AUTH_INTERNAL);
}

enum cos_result cos_app_external_authenticate(struct exchange *x)
{
    return call_auth(x, COS_AUTH_EXTERNAL);
}

enum cos_result cos_app_general_authenticate(struct exchange *x)
{
    return call_auth(x, COS_AUTH_GENERAL);
}
