/* SPDX-License-Identifier: Apache-2.0
 *
 * Command APDU, class byte and instruction byte.
 */
#include "cos/apdu.h"

enum {
    HEADER_BYTES = 4,
    EXTENDED_BYTES = 3, /* 00 and two bytes: the first length field, if it is extended */

    /* Class byte, ISO/IEC 7816-4:2013, tables 2 and 3; GPCS 11.1.4 */
    CLASS_PROPRIETARY = 0x80, /* b8 */
    CLASS_FURTHER = 0x40,     /* b7: table 3, channels 4 to 19 */
    CLASS_B6 = 0x20,          /* table 2: RFU; table 3: secure messaging */
    CLASS_CHAINING = 0x10,    /* b5: not the last command of a chain */
    CLASS_SM_SHIFT = 2,       /* b4 b3 of table 2 */
    FIRST_FURTHER_CHANNEL = 4,
};

/* Le of short and of extended fields: all zeros stand for the maximum. */
static uint32_t short_ne(const uint8_t le[1])
{
    return le[0] == 0 ? 256 : le[0];
}

static uint32_t extended_ne(const uint8_t le[2])
{
    const uint32_t ne = cos_get16(le);

    return ne == 0 ? 65536 : ne;
}

/* Cases 3S and 4S: `body` begins with Lc, which is not 0. */
static enum cos_result parse_short(const uint8_t *body, size_t length, struct cos_command *command)
{
    const size_t nc = body[0];

    COS_CHECK(length == 1 + nc || length == 1 + nc + 1, COS_E_LENGTH);
    command->nc = (uint16_t)nc;
    command->data = body + 1;
    command->form = COS_CASE_3S;
    if (length > 1 + nc) {
        command->form = COS_CASE_4S;
        command->ne = short_ne(body + 1 + nc);
    }
    return COS_OK;
}

/* Cases 2E, 3E and 4E: `body` begins with 00 and has two bytes or more. */
static enum cos_result parse_extended(const uint8_t *body, size_t length,
                                      struct cos_command *command)
{
    size_t nc;

    COS_CHECK(length >= EXTENDED_BYTES, COS_E_LENGTH);
    if (length == EXTENDED_BYTES) {
        command->form = COS_CASE_2E;
        command->ne = extended_ne(body + 1);
        return COS_OK;
    }
    nc = cos_get16(body + 1);
    COS_CHECK(nc > 0, COS_E_LENGTH);
    COS_CHECK(length == EXTENDED_BYTES + nc || length == EXTENDED_BYTES + nc + 2, COS_E_LENGTH);
    command->nc = (uint16_t)nc;
    command->data = body + EXTENDED_BYTES;
    command->form = COS_CASE_3E;
    if (length > EXTENDED_BYTES + nc) {
        command->form = COS_CASE_4E;
        command->ne = extended_ne(body + EXTENDED_BYTES + nc);
    }
    return COS_OK;
}

enum cos_result cos_apdu_parse(const uint8_t *apdu, size_t length, struct cos_command *command)
{
    struct cos_command parsed = {.form = COS_CASE_1};
    const uint8_t *body;

    COS_CHECK(length >= HEADER_BYTES, COS_E_LENGTH);
    parsed.cla = apdu[0];
    parsed.ins = apdu[1];
    parsed.p1 = apdu[2];
    parsed.p2 = apdu[3];
    body = apdu + HEADER_BYTES;
    length -= HEADER_BYTES;
    if (length == 1) {
        parsed.form = COS_CASE_2S;
        parsed.ne = short_ne(body);
    } else if (length > 1 && body[0] != 0) {
        COS_TRY(parse_short(body, length, &parsed));
    } else if (length > 1) {
        COS_TRY(parse_extended(body, length, &parsed));
    }
    *command = parsed;
    return COS_OK;
}

enum cos_result cos_apdu_class(uint8_t cla, struct cos_class *class_)
{
    struct cos_class decoded = {
        .proprietary = (cla & CLASS_PROPRIETARY) != 0,
        .chaining = (cla & CLASS_CHAINING) != 0,
    };

    /* GlobalPlatform names no proprietary class with b5 set (GPCS 11.1.4); FF is one of those. */
    COS_CHECK(!(decoded.proprietary && decoded.chaining), COS_E_CLASS);
    if ((cla & CLASS_FURTHER) != 0) {
        decoded.channel = (uint8_t)(FIRST_FURTHER_CHANNEL + (cla & 0x0F));
        if ((cla & CLASS_B6) != 0) {
            decoded.sm = decoded.proprietary ? COS_CLASS_SM_PROPRIETARY : COS_CLASS_SM_ISO;
        }
    } else {
        static const enum cos_class_sm announced[4] = {
            COS_CLASS_SM_NONE,
            COS_CLASS_SM_PROPRIETARY,
            COS_CLASS_SM_ISO,
            COS_CLASS_SM_ISO_HEADER,
        };

        COS_CHECK((cla & CLASS_B6) == 0, COS_E_CLASS);
        decoded.channel = cla & 0x03;
        decoded.sm = announced[(cla >> CLASS_SM_SHIFT) & 0x03];
    }
    *class_ = decoded;
    return COS_OK;
}

bool cos_apdu_instruction_valid(uint8_t ins)
{
    const uint8_t high = ins & 0xF0;

    return high != 0x60 && high != 0x90;
}
