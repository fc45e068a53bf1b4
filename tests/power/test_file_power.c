/* SPDX-License-Identifier: Apache-2.0
 *
 * Torn power: every command that writes files. All or nothing means two states: before and after.
 */
#include "power_rig.h"

/* All are done by the issuer, under secure messaging: the rules of these files (8C) say so. */
/* The DF that they happen in, below the MF, with 64 bytes for data objects. */
#define MF    "00A4000C 02 3F00"
#define IN_DF "00A4010C 02 BE00"
#define BEGIN MF, "00E00000 18 6216 820238218302BE00810200408C087FC0C0C0C0C0C0C0", MF, IN_DF

static bool issuer(struct bench *bench)
{
    return bench_sm_open(bench, 0x01, 0x03) == 0x9000;
}

#define BY_ISSUER      .state = COS_LIFE_OPERATIONAL, .prepare = issuer, .secured = true
#define ALL_OR_NOTHING BY_ISSUER, .states = 2

#define NINE(command)                                                                              \
    command, command, command, command, command, command, command, command, command
#define TEN(text) text text text text text text text text text text

/* EFs, which are current then: 64 and 600 bytes, four records of 16, up to eight variable ones of
 * up to 32, data objects. */
#define EF_SHORT "00E00000 18 6216 820201218302BE01800200408C087FC0C0C0C0C0C0C0", "00A4020C 02 BE01"
#define EF_LONG  "00E00000 18 6216 820201218302BE02800202588C087FC0C0C0C0C0C0C0", "00A4020C 02 BE02"
#define EF_FIXED "00E00000 17 6215 820502210010048302BE038C087FC0C0C0C0C0C0C0", "00A4020C 02 BE03"
#define EF_VARIABLE                                                                                \
    "00E00000 1B 6219 820504210020088302BE06800200608C087FC0C0C0C0C0C0C0", "00A4020C 02 BE06"
#define EF_OBJECTS                                                                                 \
    "00E00000 18 6216 820239218302BE07800200608C087FC0C0C0C0C0C0C0", "00A4020C 02 BE07"

static const struct power_action actions[] = {
    {.name = "update-binary",
     ALL_OR_NOTHING,
     .setup = {BEGIN, EF_SHORT},
     .command = "00D60008 10 00112233445566778899AABBCCDDEEFF"},
    {.name = "update-binary-over-pages",
     ALL_OR_NOTHING,
     .setup = {BEGIN, EF_LONG},
     .command = "00D60090 C8 " TEN(TEN("5A5A"))},
    {.name = "update-binary-odd",
     ALL_OR_NOTHING,
     .setup = {BEGIN, EF_SHORT},
     .command = "00D70000 09 540105 5304 AABBCCDD"},
    {.name = "write-binary",
     ALL_OR_NOTHING,
     .setup = {BEGIN, EF_SHORT},
     .command = "00D00000 04 0F1E2D3C"},
    {.name = "erase-binary",
     ALL_OR_NOTHING,
     .setup = {BEGIN, EF_SHORT, "00D60000 10 00112233445566778899AABBCCDDEEFF"},
     .command = "000E0004"},
    {.name = "erase-binary-over-pages",
     ALL_OR_NOTHING,
     .setup = {BEGIN, EF_LONG, "00D60000 C8 " TEN(TEN("A55A")), "00D600C8 C8 " TEN(TEN("A55A"))},
     .command = "000E0000"},
    {.name = "update-record",
     ALL_OR_NOTHING,
     .setup = {BEGIN, EF_FIXED},
     .command = "00DC0204 10 00112233445566778899AABBCCDDEEFF"},
    {.name = "update-record-odd",
     ALL_OR_NOTHING,
     .setup = {BEGIN, EF_FIXED},
     .command = "00DD0304 07 540102 530201EE"},
    {.name = "write-record",
     ALL_OR_NOTHING,
     .setup = {BEGIN, EF_FIXED},
     .command = "00D20104 10 00112233445566778899AABBCCDDEEFF"},
    {.name = "erase-records",
     ALL_OR_NOTHING,
     .setup = {BEGIN, EF_FIXED, "00DC0204 10 00112233445566778899AABBCCDDEEFF",
               "00DC0304 10 00112233445566778899AABBCCDDEEFF"},
     .command = "000C0205"},
    {.name = "erase-scattered-records", /* every other one was moved: nine runs of bytes */
     ALL_OR_NOTHING,
     .setup = {BEGIN, "?00E40200 02 BE08",
               "00E00000 1B 6219 820504210004148302BE08800200608C087FC0C0C0C0C0C0C0",
               "00A4020C 02 BE08", NINE("00E20000 02 1122"), "00DC0104 03 112233",
               "00DC0304 03 112233", "00DC0504 03 112233", "00DC0704 03 112233",
               "00DC0904 03 112233"},
     .command = "000C0105"},
    {.name = "append-linear",
     ALL_OR_NOTHING,
     .setup = {BEGIN, "00E00000 1A 6218 8204022100108302BE04800200408C087FC0C0C0C0C0C0C0",
               "00A4020C 02 BE04"},
     .command = "00E20000 10 00112233445566778899AABBCCDDEEFF"},
    {.name = "append-cyclic",
     ALL_OR_NOTHING,
     .setup = {BEGIN, "00E00000 17 6215 820506210010038302BE058C087FC0C0C0C0C0C0C0",
               "00A4020C 02 BE05"},
     .command = "00E20000 10 00112233445566778899AABBCCDDEEFF"},
    {.name = "append-variable",
     ALL_OR_NOTHING,
     .setup = {BEGIN, EF_VARIABLE},
     .command = "00E20000 0A 00112233445566778899"},
    {.name = "update-variable-longer",
     ALL_OR_NOTHING,
     .setup = {BEGIN, EF_VARIABLE, "00E20000 08 0011223344556677"},
     .command = "00DC0104 18 00112233445566778899AABBCCDDEEFF0011223344556677"},
    {.name = "update-variable-shorter",
     ALL_OR_NOTHING,
     .setup = {BEGIN, EF_VARIABLE, "00E20000 18 00112233445566778899AABBCCDDEEFF0011223344556677"},
     .command = "00DC0104 05 0011223344"},
    {.name = "update-variable-moves",
     BY_ISSUER,
     .setup = {BEGIN, "?00E40200 02 BE06", EF_VARIABLE,
               "00E20000 18 00112233445566778899AABBCCDDEEFF0011223344556677",
               "00E20000 18 00112233445566778899AABBCCDDEEFF0011223344556677",
               "00E20000 18 00112233445566778899AABBCCDDEEFF0011223344556677",
               "00DC0104 04 00112233", "00DC0204 04 00112233"},
     .command = "00E20000 20 00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"},
    {.name = "put-data-new",
     ALL_OR_NOTHING,
     .setup = {BEGIN, EF_OBJECTS},
     .command = "00DB0000 13 5F5110 00112233445566778899AABBCCDDEEFF"},
    {.name = "put-data-again",
     ALL_OR_NOTHING,
     .setup = {BEGIN, EF_OBJECTS, "00DB0000 13 5F5110 00112233445566778899AABBCCDDEEFF"},
     .command = "00DB0000 13 5F5110 FFEEDDCCBBAA99887766554433221100"},
    {.name = "put-data-longer",
     ALL_OR_NOTHING,
     .setup = {BEGIN, EF_OBJECTS, "00DB0000 0B 5F5108 0011223344556677"},
     .command = "00DB0000 13 5F5110 00112233445566778899AABBCCDDEEFF"},
    {.name = "put-data-several",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = issuer,
     .once = false,
     .states = 2,
     .secured = true,
     .setup = {BEGIN, "00E00000 18 6216 820239218302BE07800200608C087FC0C0C0C0C0C0C0",
               "00A4020C 02 BE07", "00DB0000 0B 5F5108 0011223344556677"},
     .command = "00DB0000 14 5F5106 001122334455 C10100 5F5205 AABBCCDDEE"},
    {.name = "put-data-of-df",
     ALL_OR_NOTHING,
     .setup = {BEGIN},
     .command = "00DA5F52 08 0011223344556677"},
    {.name = "create-ef",
     ALL_OR_NOTHING,
     .once = true,
     .setup = {BEGIN},
     .command = "00E00000 18 6216 820201218302BE01800200408C087FC0C0C0C0C0C0C0"},
    {.name = "create-df",
     ALL_OR_NOTHING,
     .once = true,
     .setup = {BEGIN},
     .command = "00E00000 14 6212 820238218302BE208C087FC0C0C0C0C0C0C0"},
    {.name = "create-df-with-name",
     BY_ISSUER,
     .once = true,
     .setup = {BEGIN},
     .command = "00E00000 1B 6219 820238218302BE208405F0000000BE8C087FC0C0C0C0C0C0C0"},
    {.name = "delete-ef",
     ALL_OR_NOTHING,
     .setup = {BEGIN, EF_SHORT, "00D60000 10 00112233445566778899AABBCCDDEEFF"},
     .command = "00E40000"},
    {.name = "delete-large-ef",
     ALL_OR_NOTHING,
     .setup = {BEGIN, EF_LONG, "00D60000 C8 " TEN(TEN("A55A"))},
     .command = "00E40000"},
    {.name = "delete-tree",
     ALL_OR_NOTHING,
     .setup = {BEGIN, "00E00000 1B 6219 820238218302BE208405F0000000BE8C087FC0C0C0C0C0C0C0",
               "00E00000 14 6212 820238218302BE218C087FC0C0C0C0C0C0C0",
               "00E00000 18 6216 820201218302BE01800200408C087FC0C0C0C0C0C0C0", "00A4000C 02 3F00",
               "00A4080C 04 BE00BE20",
               "00E00000 18 6216 820201218302BE02800200408C087FC0C0C0C0C0C0C0",
               "00A4080C 04 BE00BE20"},
     .command = "00E40000"},
    {.name = "deactivate-ef",
     ALL_OR_NOTHING,
     .once = true,
     .setup = {BEGIN, EF_SHORT},
     .command = "00040000"},
    {.name = "activate-ef",
     ALL_OR_NOTHING,
     .once = true,
     .setup = {BEGIN, "00E00000 18 6216 820201218302BE01800200408C087FC0C0C0C0C0C0C0",
               "?00A4020C 02 BE01", "?00040000"}, /* deactivated already: 6283 */
     .command = "00440000"},
    {.name = "terminate-ef",
     ALL_OR_NOTHING,
     .once = true,
     .setup = {BEGIN, EF_SHORT},
     .command = "00E80000"},
    {.name = "terminate-df", ALL_OR_NOTHING, .once = true, .setup = {BEGIN}, .command = "00E60000"},
};

int main(int argc, char **argv)
{
    return power_main("test_file_power", actions, sizeof actions / sizeof actions[0], argc, argv);
}
