/* SPDX-License-Identifier: Apache-2.0
 *
 * Security commands of ISO/IEC 7816-4:2013, 11.5: decode, one gate call, encode. The app domain can
 * only ask.
 */
#include "domain.h"

static enum cos_result call_pin(struct exchange *x, enum cos_pin_op operation)
{
    const uint8_t fields[] = {(uint8_t)operation, x->class_.channel, x->command.p2,
                              x->held ? 1 : 0};

    COS_CHECK(x->command.nc <= 2 * COS_PIN_MAX || x->held, COS_E_LENGTH);
    return cos_app_hand_on(x, COS_GATE_PIN, fields, sizeof fields, cos_app_command_data(x));
}

enum cos_result cos_app_verify(struct exchange *x)
{
    const bool with_data = x->command.nc != 0;

    COS_CHECK(x->command.p1 == 0x00 || x->command.p1 == 0xFF, COS_E_P1_P2);
    COS_CHECK(x->command.p1 == 0x00 || !with_data, COS_E_LENGTH);
    if (x->command.p1 == 0xFF) {
        return call_pin(x, COS_PIN_DROP);
    }
    return call_pin(x, with_data ? COS_PIN_VERIFY : COS_PIN_QUERY);
}

enum cos_result cos_app_change_reference_data(struct exchange *x)
{
    return call_pin(x, x->command.p1 == 0 ? COS_PIN_CHANGE : COS_PIN_CHANGE_ONLY);
}

/* P1: 00 with the PIN, 01 without. */
static enum cos_result set_requirement(struct exchange *x, enum cos_pin_op with,
                                       enum cos_pin_op without)
{
    const bool with_data = x->command.nc != 0;

    COS_CHECK(with_data == (x->command.p1 == 0), COS_E_LENGTH);
    return call_pin(x, with_data ? with : without);
}

enum cos_result cos_app_disable_verification(struct exchange *x)
{
    return set_requirement(x, COS_PIN_DISABLE, COS_PIN_DISABLE_ONLY);
}

enum cos_result cos_app_enable_verification(struct exchange *x)
{
    return set_requirement(x, COS_PIN_ENABLE, COS_PIN_ENABLE_ONLY);
}

enum cos_result cos_app_reset_retry_counter(struct exchange *x)
{
    static const uint8_t operations[] = {COS_PIN_UNBLOCK, COS_PIN_UNBLOCK_ONLY, COS_PIN_RESET,
                                         COS_PIN_RESET_ONLY};
    const uint8_t operation = operations[x->command.p1];

    COS_CHECK((operation == COS_PIN_RESET_ONLY) == (x->command.nc == 0), COS_E_LENGTH);
    return call_pin(x, (enum cos_pin_op)operation);
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

static enum cos_result call_auth(struct exchange *x, enum cos_auth_op operation)
{
    const uint8_t fields[] = {(uint8_t)operation, x->class_.channel, x->command.p1, x->command.p2};

    COS_CHECK(x->command.nc <= 64, COS_E_LENGTH);
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
