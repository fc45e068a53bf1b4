/* SPDX-License-Identifier: Apache-2.0
 *
 * Torn power: every command of keys, PINs and card states that writes, and every production step.
 */
#include "iso_sm.h"
#include "power_rig.h"

/* ---- The actions ---- */

static bool nothing(struct bench *bench)
{
    (void)bench;
    return true;
}

static bool select_application(struct bench *bench)
{
    return bench_hex(bench, "00A4040C09F05457494E434F5301") == 0x9000;
}

static bool issuer(struct bench *bench)
{
    return bench_sm_open(bench, 0x01, 0x03) == 0x9000 &&
           bench_sm_hex(bench, "00A4040C 09 F05457494E434F5301") == 0x9000;
}

static bool first_start(struct bench *bench)
{
    return bench_power_on(bench);
}

static bool step_3(struct bench *bench)
{
    return bench_step(bench, 3);
}

static bool step_4(struct bench *bench)
{
    return bench_step(bench, 4);
}

static bool step_5(struct bench *bench)
{
    return bench_step(bench, 5);
}

static bool step_6(struct bench *bench)
{
    return bench_step(bench, 6);
}

static bool step_seal(struct bench *bench)
{
    return bench_step(bench, 7);
}

static bool verify_right(struct bench *bench)
{
    return bench_hex(bench, "00200081 06 313233343536") == 0x9000;
}

static bool verify_wrong(struct bench *bench)
{
    return (bench_hex(bench, "00200081 06 393939393939") & 0xFFF0) == 0x63C0;
}

static bool change_pin(struct bench *bench)
{
    return bench_hex(bench, "00240081 0C 313233343536 363534333231") == 0x9000;
}

static bool unblock_pin(struct bench *bench)
{
    return bench_hex(bench, "002C0081 0E 3837363534333231 313233343536") == 0x9000;
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

static bool disable_wrong(struct bench *bench)
{
    return (bench_hex(bench, "00260085 04 30303031") & 0xFFF0) == 0x63C0;
}

static bool change_transport_wrong(struct bench *bench)
{
    return (bench_hex(bench, "00240087 08 32323233 33333333") & 0xFFF0) == 0x63C0;
}

static bool external_authenticate(struct bench *bench)
{
    uint8_t apdu[21] = {0x00, 0x82, 0x00, 0x83, 0x10};

    if (bench_hex(bench, "0084000010") != 0x9000) {
        return false;
    }
    if (cos_crypto_tomcrypt.aes_encrypt(NULL, bench_external_key, 16, bench->data, apdu + 5) !=
        COS_OK) {
        return false;
    }
    return bench_apdu(bench, apdu, sizeof apdu) == 0x9000;
}

static bool external_authenticate_wrong(struct bench *bench)
{
    return bench_hex(bench, "0084000010") == 0x9000 &&
           (bench_hex(bench, "00820083 10 00112233445566778899AABBCCDDEEFF") & 0xFFF0) == 0x63C0;
}

static bool general_authenticate(struct bench *bench)
{
    uint8_t apdu[25] = {0x00, 0x86, 0x00, 0x83, 0x14, 0x7C, 0x12, 0x82, 0x10};

    return bench_hex(bench, "00860083 04 7C028100 00") == 0x9000 &&
           cos_crypto_tomcrypt.aes_encrypt(NULL, bench_external_key, 16, bench->data + 4,
                                           apdu + 9) == COS_OK &&
           bench_apdu(bench, apdu, sizeof apdu) == 0x9000;
}

static bool general_authenticate_wrong(struct bench *bench)
{
    return bench_hex(bench, "00860083 04 7C028100 00") == 0x9000 &&
           (bench_hex(bench, "00860083 14 7C128210 00112233445566778899AABBCCDDEEFF") & 0xFFF0) ==
               0x63C0;
}

/* Mutual key 5 of the application, 3DES. */
static const uint8_t mutual_key[32] = {0x10, 0x20, 0x30, 0x40, 0x50, 0x61, 0x70, 0x80};

static bool with_mutual_key(struct bench *bench)
{
    uint8_t dgi[57] = {0x80, 0x20, 54,   0x83, 1,    5, 0x84, 9,    0xF0, 0x54, 0x57, 0x49, 0x4E,
                       0x43, 0x4F, 0x53, 0x01, 0x80, 1, 2,    0x95, 1,    0x80, 0xC7, 32};

    memcpy(dgi + 25, mutual_key, sizeof mutual_key);
    return bench_sm_open(bench, 0x01, 0x33) == 0x9000 &&
           bench_sm(bench, 0x80, 0xE2, 0xE0, 0x00, dgi, sizeof dgi) == 0x9000 &&
           select_application(bench);
}

static bool mutual_authenticate(struct bench *bench)
{
    struct iso_sm sm = {.aes = false};

    memcpy(sm.enc, mutual_key, 16);
    memcpy(sm.mac, mutual_key + 16, 16);
    return iso_authenticate(bench, 0x85, &sm) == 0x9000;
}

static bool mutual_authenticate_wrong(struct bench *bench)
{
    struct iso_sm sm = {.aes = false};

    return (iso_authenticate(bench, 0x85, &sm) & 0xFFF0) == 0x63C0;
}

static bool open_session(struct bench *bench)
{
    return bench_sm_open(bench, 0x01, 0x01) == 0x9000;
}

static bool put_key(struct bench *bench)
{
    struct bytes keys = {0};

    return scp03_put_key(bench_keys_card.dek, 16, 0x02, &bench_keys_initial, &keys) &&
           bench_sm(bench, 0x80, 0xD8, 0x00, 0x81, keys.data, keys.length) == 0x9000;
}

static bool store_data(struct bench *bench)
{
    return bench_sm_hex(bench, "80E2E000 22 80101F 830104 8409F05457494E434F5301 C00105 C10106 "
                               "C20108 C706 313131313131") == 0x9000;
}

static bool delete_key(struct bench *bench)
{
    return bench_sm_hex(bench, "80E40000 03 D00182") == 0x9000;
}

static bool lock_card(struct bench *bench)
{
    return bench_sm_hex(bench, "80F0807F") == 0x9000;
}

static bool locked(struct bench *bench)
{
    if (bench->secure.life_cycle == COS_LIFE_OPERATIONAL &&
        (bench_sm_open(bench, 0x01, 0x03) != 0x9000 || bench_sm_hex(bench, "80F0807F") != 0x9000)) {
        return false;
    }
    return bench_sm_open(bench, 0x01, 0x03) == 0x9000;
}

static bool unlock_card(struct bench *bench)
{
    return bench_sm_hex(bench, "80F0800F") == 0x9000;
}

static bool terminate_card(struct bench *bench)
{
    return bench_sm_hex(bench, "80F080FF") == 0x9000;
}

static const struct power_action actions[] = {
    {.name = "first-start",
     .state = COS_LIFE_BLANK,
     .prepare = nothing,
     .act = first_start,
     .once = true,
     .fresh = true},
    {.name = "pack", .state = COS_LIFE_FABRICATED, .prepare = nothing, .act = step_3, .once = true},
    {.name = "produce",
     .state = COS_LIFE_PACKAGED,
     .prepare = nothing,
     .act = step_4,
     .once = true},
    {.name = "initialize",
     .state = COS_LIFE_PRODUCED,
     .prepare = nothing,
     .act = step_5,
     .once = true},
    {.name = "personalize",
     .state = COS_LIFE_INITIALIZED,
     .prepare = nothing,
     .act = step_6,
     .once = true},
    {.name = "seal",
     .state = COS_LIFE_PERSONALIZED,
     .prepare = nothing,
     .act = step_seal,
     .once = true},
    {.name = "verify-right",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = select_application,
     .act = verify_right},
    {.name = "verify-wrong",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = select_application,
     .act = verify_wrong},
    {.name = "change-pin",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = select_application,
     .act = change_pin,
     .once = true},
    {.name = "reset-retry-counter",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = select_application,
     .act = unblock_pin},
    {.name = "verify-counted",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = with_pins,
     .command = "00200085 04 30303030",
     .states = 3},
    {.name = "change-counted",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = with_pins,
     .command = "00240085 08 30303030 33333333",
     .states = 3},
    {.name = "change-by-rule",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = issue_pins,
     .secured = true,
     .command = "00240185 04 33333333",
     .states = 2},
    {.name = "change-transport-pin",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = with_pins,
     .command = "00240087 08 32323232 33333333",
     .states = 3},
    {.name = "change-transport-pin-wrong",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = with_pins,
     .act = change_transport_wrong,
     .states = 2},
    {.name = "reset-with-counted-code",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = with_pins,
     .command = "002C0086 08 30303030 33333333",
     .states = 4},
    {.name = "disable",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = with_pins,
     .command = "00260085 04 30303030",
     .states = 3},
    {.name = "disable-wrong",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = with_pins,
     .act = disable_wrong,
     .states = 2},
    {.name = "disable-verified",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = with_pins,
     .setup = {"00200085 04 30303030"},
     .command = "00260185",
     .states = 2},
    {.name = "enable",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = with_pins,
     .setup = {"00260085 04 30303030"},
     .command = "00280085 04 30303030",
     .states = 3},
    {.name = "enable-verified",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = with_pins,
     .setup = {"00260085 04 30303030"},
     .command = "00280185",
     .states = 2},
    {.name = "external-authenticate",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = select_application,
     .act = external_authenticate},
    {.name = "external-authenticate-wrong",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = select_application,
     .act = external_authenticate_wrong},
    {.name = "general-authenticate",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = select_application,
     .act = general_authenticate},
    {.name = "general-authenticate-wrong",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = select_application,
     .act = general_authenticate_wrong},
    {.name = "mutual-authenticate",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = with_mutual_key,
     .act = mutual_authenticate},
    {.name = "mutual-authenticate-wrong",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = with_mutual_key,
     .act = mutual_authenticate_wrong},
    {.name = "open-session",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = nothing,
     .act = open_session},
    {.name = "put-key",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = issuer,
     .act = put_key,
     .once = true},
    {.name = "store-data", .state = COS_LIFE_OPERATIONAL, .prepare = issuer, .act = store_data},
    {.name = "delete-key",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = issuer,
     .act = delete_key,
     .once = true},
    {.name = "lock",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = issuer,
     .act = lock_card,
     .once = true},
    {.name = "unlock",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = locked,
     .act = unlock_card,
     .once = true},
    {.name = "terminate",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = issuer,
     .act = terminate_card,
     .once = true},
};
#define ACTIONS (sizeof actions / sizeof actions[0])

int main(int argc, char **argv)
{
    return power_main("test_card_power", actions, ACTIONS, argc, argv);
}
