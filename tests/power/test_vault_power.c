/* SPDX-License-Identifier: Apache-2.0
 *
 * Torn power: everything that changes vault files, in both chips.
 */
#include "power_rig.h"

static bool issuer(struct bench *bench)
{
    return bench_sm_open(bench, 0x01, 0x03) == 0x9000 &&
           bench_sm_hex(bench, "00A4040C 09 F05457494E434F5301") == 0x9000;
}

/* EFs of 304 bytes, four chunks in two or three pages, and of two records of 100 bytes; all is the
 * issuer's. */
#define RULE        "8C087FC0C0C0C0C0C0C0"
#define CREATE      "00E00000 1B 6219 82020141 83025110 80020130 850102 " RULE
#define CREATE_REC  "00E00000 1A 6218 82050221006402 83025111 850102 " RULE
#define CREATE_DF   "00E00000 14 6212 82023821 83025120 8C087FC0C0C0C0C0C0C0"
#define CREATE_IN   "00E00000 1B 6219 82020121 83025121 80020020 850102 " RULE
#define CREATE_TOO  "00E00000 18 6216 82020121 83025122 80020020 " RULE
#define CREATE_MORE "00E00000 1B 6219 82020121 83025123 80020070 850102 " RULE
#define CREATE_APP                                                                                 \
    "00E00000 24 6222 82023821 83025130 8405F0A1A2A3A4 8407D2760000010203 8C087FC0C0C0C0C0C0C0"
#define CREATE_APP_IN "00E00000 1B 6219 82023821 83025131 8405F0A1A2A3A5 8C087FC0C0C0C0C0C0C0"
#define STORE_PIN(digit, name)                                                                     \
    "80E2E000 26 8010 10 830101 8405" name " C704" digit digit digit digit                         \
    "8010 10 830102 8405" name " C704" digit digit digit digit
#define SELECT_EF  "00A4020C 02 5110"
#define SELECT_REC "00A4020C 02 5111"
#define SELECT_DF  "00A4000C 02 5120"
#define SELECT_MF  "00A4000C 02 3F00"
#define BYTES_16   "000102030405060708090A0B0C0D0E0F"
#define BYTES_112  BYTES_16 BYTES_16 BYTES_16 BYTES_16 BYTES_16 BYTES_16 BYTES_16
#define FILL       "00D60000 E0 " BYTES_112 BYTES_112

/* Whatever is torn: what changes changes in both chips, or in none. */
#define ACTION .state = COS_LIFE_OPERATIONAL, .prepare = issuer, .secured = true

static const struct power_action actions[] = {
    {ACTION, .name = "vault-create", .once = true, .states = 2, .command = CREATE},
    {ACTION, .name = "vault-create-behind-another", .once = true, .states = 2,
     .setup = {CREATE, SELECT_EF, FILL}, .command = CREATE_REC},
    {ACTION, .name = "vault-update", .states = 2, .setup = {CREATE, SELECT_EF},
     .command = "00D60000 40 " BYTES_16 BYTES_16 BYTES_16 BYTES_16},
    {ACTION, .name = "vault-update-several-pages", .states = 2, .setup = {CREATE, SELECT_EF, FILL},
     .command = "00D60010 E0 " BYTES_112 BYTES_112},
    {ACTION, .name = "vault-erase", .states = 2, .setup = {CREATE, SELECT_EF, FILL},
     .command = "000E0030"},
    {ACTION, .name = "vault-write", .states = 2, .setup = {CREATE, SELECT_EF, FILL},
     .command = "00D00050 10 FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"},
    {ACTION, .name = "vault-update-record", .states = 2, .setup = {CREATE_REC, SELECT_REC},
     .command = "00DC0204 64 " BYTES_16 BYTES_16 BYTES_16 BYTES_16 BYTES_16 BYTES_16 "11223344"},
    {ACTION, .name = "vault-deactivate", .states = 2, .setup = {CREATE},
     .command = "00040000 02 5110"},
    {ACTION, .name = "vault-activate", .states = 2, .setup = {CREATE, "00040000 02 5110"},
     .command = "00440000 02 5110"},
    {ACTION, .name = "vault-terminate", .once = true, .states = 2, .setup = {CREATE, SELECT_EF},
     .command = "00E80000"},
    {ACTION, .name = "vault-delete", .once = true, .setup = {CREATE, SELECT_EF, FILL},
     .command = "00E40000"},
    /* A DF with two vault EFs and one of this chip's own. */
    {ACTION, .name = "vault-delete-tree", .once = true,
     .setup = {SELECT_MF, CREATE_DF, SELECT_DF, CREATE_IN, "00D68100 10 " BYTES_16, CREATE_TOO,
               "00D68200 10 " BYTES_16, CREATE_MORE, "00D68300 70 " BYTES_112, SELECT_MF},
     .command = "00E40000 02 5120"},
    /* Names first, then the DF: between them they lie there without one. */
    {ACTION, .name = "application-create", .once = true, .states = 3, .setup = {SELECT_MF},
     .command = CREATE_APP},
    /* A DF with names, with PINs and a vault EF; in it another one. */
    {ACTION, .name = "application-delete", .once = true,
     .setup = {SELECT_MF, "?" CREATE_APP, "00A4000C 02 5130", STORE_PIN("30", "F0A1A2A3A4"),
               CREATE_IN, "00D68100 10 " BYTES_16, "?" CREATE_APP_IN, STORE_PIN("31", "F0A1A2A3A5"),
               SELECT_MF},
     .command = "00E40000 02 5130"},
    /* Content, rules and stubs of a card that ends. */
    {ACTION, .name = "vault-terminate-card", .once = true, .setup = {CREATE, SELECT_EF, FILL},
     .command = "80F080FF"},
};

int main(int argc, char **argv)
{
    return power_main(argv[0], actions, sizeof actions / sizeof actions[0], argc, argv);
}
