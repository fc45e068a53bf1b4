/* SPDX-License-Identifier: Apache-2.0
 *
 * Torn power: every production step, keys that are put, replaced, deleted and authenticated with,
 * states of the card, and attacks that are counted.
 */
#include "gate_rig.h"
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

/* A token under another transport key. */
static bool token_wrong(struct bench *bench, uint8_t step, uint8_t length)
{
    uint8_t begin[] = {0x80, 0xF1, step, 0x00, 0x10};
    uint8_t complete[5 + 104 + 1] = {0x80, 0xF1, step, 0x01, length};

    return bench_apdu(bench, begin, sizeof begin) == 0x9000 &&
           (bench_apdu(bench, complete, 6U + length) & 0xFFF0) == 0x63C0;
}

static bool pack_wrong(struct bench *bench)
{
    return token_wrong(bench, 3, 36 + 8);
}

static bool produce_wrong(struct bench *bench)
{
    return token_wrong(bench, 4, 80 + 8);
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

/* Key set 02, or the one that is there already. */
static bool with_second_set(struct bench *bench)
{
    return issuer(bench) && (put_key(bench) || bench->sw == 0x6A80);
}

static bool replace_set(struct bench *bench, uint8_t version)
{
    struct bytes keys = {0};

    return scp03_put_key(bench_keys_card.dek, 16, version, &bench_keys_card, &keys) &&
           bench_sm(bench, 0x80, 0xD8, version, 0x81, keys.data, keys.length) == 0x9000;
}

static bool replace_other_set(struct bench *bench)
{
    return replace_set(bench, 0x02);
}

static bool replace_own_set(struct bench *bench)
{
    return replace_set(bench, 0x01);
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

/* ---- Attacks ---- */

static bool sensor_event(struct bench *bench)
{
    cos_secure_sensor(&bench->secure, COS_SENSOR_LIGHT);
    return bench_hex(bench, "0084000008") == 0x9000;
}

/* A frame of the session with a wrong tag. The next command finds out, the one after it works. */
static bool forged_frame(struct bench *bench)
{
    struct gate_rig rig;
    struct bench_frame frame;

    gate_rig_take(&rig, bench);
    (void)gate_rig_seal(&rig, rig.sequence + 1, COS_GATE_STATUS, NULL, 0, &frame);
    frame.bytes[frame.length - FRAME_CRC - 1] ^= 1;
    gate_rig_repair(&frame);
    (void)gate_rig_deliver(&rig, &frame);
    (void)bench_hex(bench, "0084000008");
    return bench_hex(bench, "0084000008") == 0x9000;
}

#define STORE_KEY                                                                                  \
    "80E2E000 29 8020 26 830104 8409F05457494E434F5301 800101 950101 "                             \
    "C710 000102030405060708090A0B0C0D0E0F"

static const struct power_action actions[] = {
    {.name = "first-start",
     .state = COS_LIFE_BLANK,
     .prepare = nothing,
     .act = first_start,
     .once = true,
     .fresh = true},
    {.name = "pack", .state = COS_LIFE_FABRICATED, .prepare = nothing, .act = step_3, .once = true},
    {.name = "pack-wrong",
     .state = COS_LIFE_FABRICATED,
     .prepare = nothing,
     .act = pack_wrong,
     .states = 2},
    {.name = "produce-wrong",
     .state = COS_LIFE_PACKAGED,
     .prepare = nothing,
     .act = produce_wrong,
     .states = 2},
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
    {.name = "put-key-over-another-set",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = with_second_set,
     .act = replace_other_set,
     .states = 2},
    {.name = "put-key-over-its-own-set",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = issuer,
     .act = replace_own_set,
     .states = 2},
    {.name = "delete-set",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = with_second_set,
     .secured = true,
     .command = "80E40000 03 D20102",
     .states = 2},
    {.name = "store-key",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = issuer,
     .secured = true,
     .command = STORE_KEY,
     .states = 2},
    {.name = "store-key-again",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = issuer,
     .secured = true,
     .setup = {STORE_KEY},
     .command = STORE_KEY,
     .states = 2},
    {.name = "store-card-rule",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = issuer,
     .secured = true,
     .command = "80E2E000 06 8030 03 C80190",
     .states = 2},
    {.name = "delete-key",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = issuer,
     .act = delete_key,
     .once = true},
    {.name = "attack-on-the-line",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = select_application,
     .act = forged_frame,
     .states = 2},
    {.name = "attack-sensed",
     .state = COS_LIFE_OPERATIONAL,
     .prepare = select_application,
     .act = sensor_event,
     .states = 2},
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
