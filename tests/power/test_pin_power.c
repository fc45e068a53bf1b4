/* SPDX-License-Identifier: Apache-2.0
 *
 * Torn power: every command of PINs that writes, taken and refused.
 */
#include "power_rig.h"

static bool select_application(struct bench *bench)
{
    return bench_hex(bench, "00A4040C09F05457494E434F5301") == 0x9000;
}

static bool issuer(struct bench *bench)
{
    return bench_sm_open(bench, 0x01, 0x03) == 0x9000 &&
           bench_sm_hex(bench, "00A4040C 09 F05457494E434F5301") == 0x9000;
}

/* PIN 85, 30303030: many uses, may be disabled, the issuer sets it; 86: 31313131, resetting code
 * 85; 87: transport PIN 32323232. The issuer's session stays open. */
static bool issue_pins(struct bench *bench)
{
    return issuer(bench) &&
           bench_sm_hex(bench,
                        "80E2E000 55 "
                        "80101E 830105 8409F05457494E434F5301 CA020FFF CB01C0 CC0104 "
                        "C704 30303030 "
                        "801017 830106 8409F05457494E434F5301 C30105 C704 31313131 "
                        "801017 830107 8409F05457494E434F5301 CD0102 C704 32323232") == 0x9000;
}

/* The session is over. */
static bool with_pins(struct bench *bench)
{
    return issue_pins(bench) && select_application(bench);
}

#define ACTION  .state = COS_LIFE_OPERATIONAL
#define HOLDER  ACTION, .prepare = select_application
#define COUNTED ACTION, .prepare = with_pins
#define ISSUER  ACTION, .prepare = issuer, .secured = true
#define STORE_PIN                                                                                  \
    "80E2E000 22 8010 1F 830104 8409F05457494E434F5301 C00105 C10106 C20108 C706 313131313131"

/* A try is spent first, in a transaction of its own; what comes of it is the next one. */
static const struct power_action actions[] = {
    {HOLDER, .name = "verify-right", .states = 3, .command = "00200081 06 313233343536"},
    {HOLDER, .name = "verify-wrong", .states = 2, .sw = 0x63C0,
     .command = "00200081 06 393939393939"},
    {HOLDER, .name = "change-pin", .once = true, .states = 3,
     .command = "00240081 0C 313233343536 363534333231"},
    {HOLDER, .name = "change-pin-wrong", .states = 2, .sw = 0x63C0,
     .command = "00240081 0C 393939393939 363534333231"},
    {HOLDER, .name = "change-pin-to-what-it-cannot-be", .states = 3, .sw = 0x6A80,
     .command = "00240081 08 313233343536 3635"},
    {HOLDER, .name = "reset-retry-counter", .states = 4,
     .command = "002C0081 0E 3837363534333231 313233343536"},
    {HOLDER, .name = "reset-retry-counter-wrong", .states = 2, .sw = 0x63C0,
     .command = "002C0081 0E 3837363534333232 313233343536"},
    {HOLDER, .name = "reset-retry-counter-only", .states = 4,
     .setup = {"?00200081 06 393939393939"}, .command = "002C0181 08 3837363534333231"},
    {ISSUER, .name = "reset-by-rule", .states = 2, .command = "002C0281 06 313233343536"},
    {ISSUER, .name = "reset-counter-by-rule", .states = 2, .setup = {"?00200081 06 393939393939"},
     .command = "002C0381"},
    {COUNTED, .name = "verify-counted", .states = 3, .command = "00200085 04 30303030"},
    {COUNTED, .name = "change-counted", .states = 3, .command = "00240085 08 30303030 33333333"},
    {ACTION, .name = "change-by-rule", .prepare = issue_pins, .secured = true, .states = 2,
     .command = "00240185 04 33333333"},
    {COUNTED, .name = "change-transport-pin", .states = 3,
     .command = "00240087 08 32323232 33333333"},
    {COUNTED, .name = "change-transport-pin-wrong", .states = 2, .sw = 0x63C0,
     .command = "00240087 08 32323233 33333333"},
    {COUNTED, .name = "reset-with-counted-code", .states = 4,
     .command = "002C0086 08 30303030 33333333"},
    {COUNTED, .name = "disable", .states = 3, .command = "00260085 04 30303030"},
    {COUNTED, .name = "disable-wrong", .states = 2, .sw = 0x63C0,
     .command = "00260085 04 30303031"},
    {COUNTED, .name = "disable-verified", .states = 2, .setup = {"00200085 04 30303030"},
     .command = "00260185"},
    {COUNTED, .name = "enable", .states = 3, .setup = {"00260085 04 30303030"},
     .command = "00280085 04 30303030"},
    {COUNTED, .name = "enable-wrong", .states = 2, .sw = 0x63C0, .setup = {"00260085 04 30303030"},
     .command = "00280085 04 30303031"},
    {COUNTED, .name = "enable-verified", .states = 2, .setup = {"00260085 04 30303030"},
     .command = "00280185"},
    {ISSUER, .name = "store-pin", .states = 2, .command = STORE_PIN},
    {ISSUER, .name = "store-pin-again", .states = 2, .setup = {STORE_PIN}, .command = STORE_PIN},
    {ISSUER, .name = "store-pins", .states = 2,
     .command = "80E2E000 34 8010 17 830105 8409F05457494E434F5301 CC0104 C704 30303030 "
                "8010 17 830106 8409F05457494E434F5301 C30105 C704 31313131"},
};

int main(int argc, char **argv)
{
    return power_main("test_pin_power", actions, sizeof actions / sizeof actions[0], argc, argv);
}
