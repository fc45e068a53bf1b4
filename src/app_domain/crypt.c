/* SPDX-License-Identifier: Apache-2.0
 *
 * Cryptographic services: MANAGE SECURITY ENVIRONMENT (ISO/IEC 7816-4:2013, 11.5.11), PERFORM
 * SECURITY OPERATION and GENERATE ASYMMETRIC KEY PAIR (ISO/IEC 7816-8:2019). Decode, one gate call,
 * encode: which key, which algorithm and whether at all the security chip decides.
 */
#include "domain.h"

enum {
    DATA_MAX = COS_GATE_MESSAGE_MAX - 8 - 4, /* behind operation, channel, P1, P2 */
    TEMPLATE_MAX = 60,
    TAG_PRIVATE_REFERENCE = 0x84,
    P1_EXISTING = 0x01, /* GENERATE: the key pair that is there */
};

enum cos_result cos_app_manage_security_environment(struct exchange *x)
{
    const uint8_t p1 = x->command.p1, p2 = x->command.p2, channel = x->class_.channel;

    if (p1 == 0xF2 || p1 == 0xF3 || p1 == 0xF4) {
        const uint8_t fields[] = {(uint8_t)(p1 - 0xF2 + COS_SE_STORE), channel, p2};
        COS_CHECK(x->command.nc == 0, COS_E_LENGTH);
        return cos_app_hand_on(x, COS_GATE_SE, fields, sizeof fields, (struct cos_span){NULL, 0});
    }
    const uint8_t fields[] = {COS_SE_SET, channel, p1, p2};
    COS_CHECK(x->command.nc <= TEMPLATE_MAX, COS_E_LENGTH);
    return cos_app_hand_on(x, COS_GATE_SE, fields, sizeof fields, cos_app_command_data(x));
}

enum cos_result cos_app_perform_security_operation(struct exchange *x)
{
    const uint8_t p1 = x->command.p1, p2 = x->command.p2;
    const uint8_t fields[] = {COS_CRYPT_PSO, x->class_.channel, p1, p2};

    COS_CHECK(x->command.nc <= DATA_MAX, COS_E_LENGTH);
    COS_TRY(cos_app_hand_on(x, COS_GATE_CRYPT, fields, sizeof fields, cos_app_command_data(x)));
    if (p1 == 0x90 && x->command.ne == 0) {
        x->body->length = 0; /* the hash stays in the security chip */
    }
    return COS_OK;
}

/* The data field is one control reference template, which names the private key. */
static enum cos_result read_reference(const struct exchange *x, uint8_t *reference)
{
    const struct cos_span data = cos_app_command_data(x);
    struct cos_reader reader = cos_reader(data.data, data.length);
    struct cos_tlv template, tlv;

    COS_CHECK(cos_tlv_next(&reader, &template) == COS_OK && reader.length == 0, COS_E_DATA);
    COS_CHECK(template.tag == 0xA4 || template.tag == 0xA6 || template.tag == 0xB6 ||
                  template.tag == 0xB8,
              COS_E_DATA);
    COS_CHECK(cos_tlv_find(template.value, template.length, TAG_PRIVATE_REFERENCE, &tlv) ==
                      COS_OK &&
                  tlv.length == 1,
              COS_E_DATA);
    *reference = tlv.value[0];
    return COS_OK;
}

enum cos_result cos_app_generate_key_pair(struct exchange *x)
{
    const bool existing = (x->command.p1 & P1_EXISTING) != 0;
    uint8_t fields[] = {existing ? COS_KEY_PUBLIC : COS_KEY_GENERATE, x->class_.channel, 0};

    COS_CHECK((x->command.p1 & 0x80U) != 0, COS_E_P1_P2);
    COS_TRY(read_reference(x, &fields[2]));
    return cos_app_hand_on(x, COS_GATE_KEY, fields, sizeof fields, (struct cos_span){NULL, 0});
}
