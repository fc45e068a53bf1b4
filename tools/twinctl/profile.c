/* SPDX-License-Identifier: Apache-2.0
 *
 * The built-in sample: a membership card of an invented club.
 */
#include "profile.h"

#include "pin.h"

#include <string.h>

#define CONDITION_ALWAYS 0x00U

const struct profile sample_profile = {
    .ic_fabricator = 0x5457,
    .ic_type = 0x0001,
    .ic_date = 0x6301,
    .ic_batch = 0x0042,
    .os_identifier = 0x5443,
    .os_date = 0x6300,
    .os_level = 0x0001,
    .module_fabricator = 0x4D4F,
    .module_date = 0x6305,
    .card_manufacturer = 0x4341,
    .embedding_date = 0x6310,
    .card_body = "PVC-ID1A",
    .card_batch = {0x20, 0x26, 0x11, 0x01},
    .printing = "SAMPLE CARD 0001",
    .initialization = {.who = 0x4341, .date = 0x6311, .equipment = {0x00, 0x00, 0x00, 0x07}},
    .atr =
        {
            .t0 = true,
            .t1 = true,
            .fi_di = 0x96, /* 512 and 32 */
            .wi = 10,
            .ifsc = 254,
            .bwi = 4,
            .cwi = 5,
            .clock_stop = 3,
            .classes = 7,
            /* Selection by name; EF.DIR and EF.ATR/INFO are there, for READ BINARY. */
            .services = 0xF8,
            .capabilities = {0xF7, 0xC1},
            .issuer = "TWIN",
            .life_cycle = true,
        },
    .personalization = {.who = 0x4953, .date = 0x6320, .equipment = {0x00, 0x00, 0x00, 0x11}},
    .mf = 0x3F00,
    .application = 0x5100,
    .holder_data = 0x5101,
    .production_record = 0x2F02,
    .holder_sfi = 1,
    .holder_size = 128,
    .record_size = 128,
    .dir_size = 64,
    .info_size = 32,
    .label = "TwinCOS access",
    .record_condition = CONDITION_ALWAYS,
    .pin_tries = 3,
    .pin_shortest = 4,
    .pin_longest = 12,
    .pin_format = PIN_FORM_DIGITS,
    .code_tries = 5,
    .code_uses = 10,
    .access_level = 3,
    .valid_to = 0x20351231,
    .holder_name = "ERIKA MUSTERMANN",
    .holder_language = "de",
    .holder_birth = 0x19640812,
};

void profile_holder_data(const struct profile *profile, const char *name, struct bytes *to)
{
    struct bytes holder = {0}, birth = {0};
    bytes_add32(&birth, profile->holder_birth);
    bytes_tlv(&holder, 0x5F20, name, strlen(name));
    bytes_template(&holder, 0x5F2B, &birth);
    bytes_tlv(&holder, 0x5F2D, profile->holder_language, strlen(profile->holder_language));
    struct bytes data = {0};
    bytes_template(&data, 0x65, &holder);
    if (data.failed || data.length > profile->holder_size) {
        to->failed = true;
        return;
    }
    bytes_fill(&data, 0x00, profile->holder_size - data.length);
    bytes_add(to, data.data, data.length);
}
