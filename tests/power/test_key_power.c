/* SPDX-License-Identifier: Apache-2.0
 *
 * Torn power: key pairs made, replaced and deleted, uses and tries of keys, security environments.
 * Before each action, and again after each tear, the key pair that there is has signed, and its
 * public part said that this was right: so it is the old one or the new one, never half of each.
 */
#include "power_rig.h"

#include <stdlib.h>
#include <string.h>

static bool issuer(struct bench *bench)
{
    bench->secure.tested =
        0xFF; /* known answers are computed elsewhere; here they only take time */
    return bench_sm_open(bench, 0x01, 0x03) == 0x9000 &&
           bench_sm_hex(bench, "00A4040C 09 F05457494E434F5301") == 0x9000;
}

#define NAME       "8409F05457494E434F5301"
#define STORE_P256 "80E2E000 1D 8020 1A 830104 " NAME " 800105 C90100 CE0101 CB01C0"
#define STORE_P521 "80E2E000 1D 8020 1A 830104 " NAME " 800105 C90102 CE0101 CB01C0"
#define STORE_RSA  "80E2E000 1D 8020 1A 830104 " NAME " 800104 C90110 CE0101 CB01C0"
#define STORE_FEW  "80E2E000 21 8020 1E 830104 " NAME " 800105 C90100 CE0101 CB01C0 CA020FFF"
#define GENERATE   "00478000 05 B603840184"
#define IMPORT                                                                                     \
    "80E2E000 33 8040 30 830104 " NAME                                                             \
    " C720 0102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F20"
#define READ       "00478100 05 B603840184"
#define SET        "0022C1B6 06 800110 840184" /* of SHA-1 */
#define SIGN       "002A9E9A 14 000102030405060708090A0B0C0D0E0F10111213"
#define CREATE_APP "00E00000 1B 6219 82023821 83025130 8405F0A1A2A3A4 8C087FC0C0C0C0C0C0C0"
#define STORE_APP  "80E2E000 19 8020 16 830104 8405F0A1A2A3A4 800105 C90100 CE0101 CB01C0"
/* CMAC, three tries, many uses. */
#define STORE_MAC                                                                                  \
    "80E2E000 30 8020 2D 830105 " NAME " 800101 C00103 CE0130 CA020FFF "                           \
    "C710 000102030405060708090A0B0C0D0E0F"
/* HOTP of uses that are counted, too: both in one write. */
#define STORE_OTP                                                                                  \
    "80E2E000 34 8020 31 830106 " NAME " 800103 C90100 CE0140 CA020FFF "                           \
    "C714 3132333435363738393031323334353637383930"
#define STORE_OTP_UNCOUNTED                                                                        \
    "80E2E000 30 8020 2D 830106 " NAME " 800103 C90100 CE0140 "                                    \
    "C714 3132333435363738393031323334353637383930"
/* HMAC for OCRA with a counter. */
#define STORE_OCRA                                                                                 \
    "80E2E000 33 8020 30 830106 " NAME " 800103 C90100 CE0140 C20104 "                             \
    "C714 3132333435363738393031323334353637383930"
#define OCRA                                                                                       \
    "00880086 25 8019 4F4352412D313A484F54502D534841312D363A432D514E3038 8108 3132333435363738"
/* AES of many uses, for one purpose: usage and service. */
#define STORE_AES(usage, service)                                                                  \
    "80E2E000 30 8020 2D 830105 " NAME " 800101 9501" usage " CE01" service " CA020FFF "           \
    "C710 000102030405060708090A0B0C0D0E0F"
#define SET_AES     "0022C1B8 03 840185"
#define SET_BLOCKS  "0022C1B8 06 800106 840185"
#define BLOCK       "00112233445566778899AABBCCDDEEFF"
#define STORE_AGREE "80E2E000 21 8020 1E 830104 " NAME " 800105 C90100 CE0104 CB01C0 CA020FFF"
/* The generator of P-256, whose private key is 1, and twice it. */
#define POINT_1                                                                                    \
    "04 6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296"                          \
    "4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5"
#define POINT_2                                                                                    \
    "04 7CF27B188D034F7E8A52380304B51AC3C08969E277F21B35A60B48FC47669978"                          \
    "07775510DB8ED040293D9AC69F7430DBBA7DADE63CE982299E04B79D227873D1"
#define AGREE           "00860084 45 7C43 8541 " POINT_1
#define STORE_PUBLIC    "80E2E000 20 8020 1D 830107 " NAME " 800105 C90100 950102 CC0108 C00103"
#define IMPORT_PUBLIC_1 "80E2E000 54 8040 51 830107 " NAME " 8641 " POINT_1
#define IMPORT_PUBLIC_2 "80E2E000 54 8040 51 830107 " NAME " 8641 " POINT_2
#define IMPORT_PQ       "80E2E000 95 8040 92 830104 " NAME " 9240" BENCH_P "9340" BENCH_Q
#define IMPORT_QP       "80E2E000 95 8040 92 830104 " NAME " 9240" BENCH_Q "9340" BENCH_P
#define IMPORT_P        "80E2E000 53 8040 50 830104 " NAME " 9240" BENCH_P
#define IMPORT_Q        "80E2E000 53 8040 50 830104 " NAME " 9340" BENCH_Q

#define SET_MAC "0022C1B4 03 840185"
#define WRONG   "002A00A2 17 8003616263 8E10 00112233445566778899AABBCCDDEEFF"

/* The pair signs, and verifies what it signed. */
static bool signs(struct bench *bench)
{
    uint8_t data[2 + 20 + 3 + 132] = {0x9A, 20};
    size_t at = 22;

    if (bench_sm_hex(bench, SET) != 0x9000 || bench_sm_hex(bench, SIGN) != 0x9000) {
        return false;
    }
    for (uint8_t i = 0; i < 20; i++) {
        data[2 + i] = i;
    }
    data[at++] = 0x9E;
    if (bench->length >= 0x80) {
        data[at++] = 0x81;
    }
    data[at++] = (uint8_t)bench->length;
    memcpy(data + at, bench->data, bench->length);
    return bench_sm(bench, 0x00, 0x2A, 0x00, 0xA8, data, at + bench->length) == 0x9000;
}

/* Its session stays open. */
static bool with_pair(struct bench *bench, const char *store)
{
    if (!issuer(bench)) {
        return false;
    }
    if (bench_sm_hex(bench, READ) != 0x9000 &&
        (bench_sm_hex(bench, store) != 0x9000 || bench_sm_hex(bench, GENERATE) != 0x9000)) {
        return false;
    }
    return signs(bench);
}

static bool with_p256(struct bench *bench)
{
    return with_pair(bench, STORE_P256);
}

static bool with_p521(struct bench *bench)
{
    return with_pair(bench, STORE_P521);
}

/* Signed with once before. */
static bool with_few_uses(struct bench *bench)
{
    return with_pair(bench, STORE_FEW);
}

/* No pair, or one that is whole. */
static bool with_empty(struct bench *bench, const char *store)
{
    if (!issuer(bench)) {
        return false;
    }
    const uint16_t sw = bench_sm_hex(bench, READ);
    return sw == 0x9000 ? signs(bench) : sw == 0x6984 || bench_sm_hex(bench, store) == 0x9000;
}

static bool with_empty_p256(struct bench *bench)
{
    return with_empty(bench, STORE_P256);
}

/* Its 452 bytes take two transactions. The exponent is found to be prime to p - 1 sooner or later:
 * a tear does not change that. */
static bool with_empty_rsa(struct bench *bench)
{
    if (!issuer(bench)) {
        return false;
    }
    const uint16_t sw = bench_sm_hex(bench, READ);
    return sw == 0x9000 || sw == 0x6984 || bench_sm_hex(bench, STORE_RSA) == 0x9000;
}

/* No pair, or one that signs. */
static bool with_whole_rsa(struct bench *bench)
{
    return with_empty(bench, STORE_RSA);
}

static bool with_p(struct bench *bench)
{
    return with_whole_rsa(bench) && bench_sm_hex(bench, IMPORT_P) == 0x9000;
}

static bool with_imported_rsa(struct bench *bench)
{
    return with_whole_rsa(bench) &&
           (bench_sm_hex(bench, READ) == 0x9000 || bench_sm_hex(bench, IMPORT_PQ) == 0x9000);
}

/* Agrees; or made and nothing more. */
static bool with_agreement(struct bench *bench)
{
    return issuer(bench) &&
           (bench_sm_hex(bench, READ) == 0x9000 || (bench_sm_hex(bench, STORE_AGREE) == 0x9000 &&
                                                    bench_sm_hex(bench, GENERATE) == 0x9000));
}

static bool verify_wrong(struct bench *bench)
{
    return (bench_sm_hex(bench, WRONG) & 0xFFF0) == 0x63C0;
}

static bool verify_right(struct bench *bench)
{
    uint8_t data[] = {0x80, 3, 0x61, 0x62, 0x63, 0x8E, 16, 0, 0, 0, 0, 0,
                      0,    0, 0,    0,    0,    0,    0,  0, 0, 0, 0};
    uint8_t key[16];
    const struct cos_span part = {data + 2, 3};

    for (uint8_t i = 0; i < sizeof key; i++) {
        key[i] = i;
    }
    return cos_crypto_tomcrypt.aes_cmac(NULL, key, sizeof key, &part, 1, data + 7) == COS_OK &&
           bench_sm(bench, 0x00, 0x2A, 0x00, 0xA2, data, sizeof data) == 0x9000;
}

static enum cos_result draw(void *context, uint8_t *out, size_t length)
{
    struct bench *bench = context;

    for (size_t i = 0; i < length; i++) {
        out[i] = (uint8_t)sim_random(&bench->seed);
    }
    return COS_OK;
}

/* EXTERNAL AUTHENTICATE with public key 87, signed with the private key 1, or with nothing; in the
 * clear. */
static uint16_t authenticate(struct bench *bench, bool right)
{
    static const uint8_t one[32] = {[31] = 1};
    const struct cos_random random = {.context = bench, .draw = draw};
    uint8_t digest[COS_SHA256_SIZE], apdu[5 + 64] = {0x00, 0x82, 0x00, 0x87, 64, 1, [68] = 1};

    if (bench_hex(bench, "0084000010") != 0x9000) {
        return bench->sw;
    }
    const struct cos_span challenge = {bench->data, 16};
    if (right && (cos_crypto_tomcrypt.hash(NULL, COS_SHA256, &challenge, 1, digest) != COS_OK ||
                  cos_crypto_tomcrypt.ec_sign(NULL, COS_P256, &random, one, digest, sizeof digest,
                                              apdu + 5) != COS_OK)) {
        return 0;
    }
    return bench_apdu(bench, apdu, sizeof apdu);
}

static bool authenticate_right(struct bench *bench)
{
    return authenticate(bench, true) == 0x9000;
}

static bool authenticate_wrong(struct bench *bench)
{
    return (authenticate(bench, false) & 0xFFF0) == 0x63C0;
}

#define ACTION .state = COS_LIFE_OPERATIONAL, .secured = true

static const struct power_action actions[] = {
    /* chunks written, but nobody's: they count once more; then the entry */
    {ACTION, .name = "generate", .prepare = with_empty_p256, .states = 3, .command = GENERATE},
    {ACTION, .name = "generate-again", .prepare = with_p256, .states = 3, .command = GENERATE},
    {ACTION, .name = "generate-again-p521", .prepare = with_p521, .command = GENERATE},
    {ACTION, .name = "import", .prepare = with_empty_p256, .states = 3, .command = IMPORT},
    {ACTION, .name = "import-over-a-pair", .prepare = with_p256, .states = 3, .command = IMPORT},
    {ACTION, .name = "generate-rsa", .prepare = with_empty_rsa, .once = true, .command = GENERATE},
    {ACTION, .name = "import-rsa", .prepare = with_whole_rsa, .states = 4, .command = IMPORT_PQ},
    {ACTION, .name = "import-rsa-over-a-pair", .prepare = with_imported_rsa, .states = 4,
     .command = IMPORT_QP},
    {ACTION, .name = "import-second-factor", .prepare = with_p, .states = 4, .command = IMPORT_Q},
    {ACTION, .name = "import-public", .prepare = issuer, .states = 3, .setup = {STORE_PUBLIC},
     .command = IMPORT_PUBLIC_1},
    {ACTION, .name = "import-public-over-another", .prepare = issuer, .states = 3,
     .setup = {STORE_PUBLIC, IMPORT_PUBLIC_1}, .command = IMPORT_PUBLIC_2},
    {ACTION, .name = "authenticate-public", .prepare = issuer, .states = 3,
     .setup = {STORE_PUBLIC, IMPORT_PUBLIC_1}, .act = authenticate_right},
    {ACTION, .name = "authenticate-public-wrong", .prepare = issuer, .states = 2,
     .setup = {STORE_PUBLIC, IMPORT_PUBLIC_1}, .act = authenticate_wrong},
    {ACTION, .name = "store-data-in-blocks", .prepare = issuer, .states = 2,
     .setup = {"80E26000 21 802026 830105 " NAME " 800101 950101 C710 0001020304050607"},
     .command = "80E2E001 08 08090A0B0C0D0E0F"},
    {ACTION, .name = "sign-counted", .prepare = with_few_uses, .states = 2, .command = SIGN},
    {ACTION, .name = "agree-counted", .prepare = with_agreement, .states = 2, .command = AGREE},
    {ACTION, .name = "authenticate-counted", .prepare = issuer, .states = 2,
     .setup = {STORE_AES("01", "00")}, .command = "00880085 10 " BLOCK},
    {ACTION, .name = "decipher-counted", .prepare = issuer, .states = 2,
     .setup = {STORE_AES("00", "02"), SET_BLOCKS}, .command = "002A8086 11 02 " BLOCK},
    {ACTION, .name = "decipher-counted-bad-padding", .prepare = issuer, .states = 2, .sw = 0x6A80,
     .setup = {STORE_AES("00", "02"), SET_AES}, .command = "002A8086 11 01 " BLOCK},
    {ACTION, .name = "encipher-counted", .prepare = issuer, .states = 2,
     .setup = {STORE_AES("00", "08"), SET_AES}, .command = "002A8280 03 616263"},
    {ACTION, .name = "checksum-counted", .prepare = issuer, .states = 2,
     .setup = {STORE_AES("00", "10"), SET_MAC}, .command = "002A8E80 03 616263"},
    {ACTION, .name = "store-data-over-a-pair", .prepare = with_p256, .once = true, .states = 2,
     .command = STORE_P256},
    {ACTION, .name = "delete-pair", .prepare = with_p256, .once = true, .states = 2,
     .command = "80E40000 03 D00184"},
    {ACTION, .name = "delete-application-with-a-pair", .prepare = issuer, .once = true,
     .setup = {"00A4000C 02 3F00", "?" CREATE_APP, "00A4000C 02 5130", STORE_APP, GENERATE,
               "00A4000C 02 3F00"},
     .command = "00E40000 02 5130"},
    {ACTION, .name = "terminate-card-with-a-pair", .prepare = with_p256, .once = true,
     .command = "80F080FF"},
    {ACTION, .name = "checksum-wrong", .prepare = issuer, .states = 3,
     .setup = {STORE_MAC, SET_MAC}, .act = verify_wrong},
    {ACTION, .name = "checksum-right", .prepare = issuer, .states = 4,
     .setup = {STORE_MAC, SET_MAC}, .act = verify_right},
    /* a password that left the card is one that its counter is past */
    {ACTION, .name = "one-time-password", .prepare = issuer, .states = 2,
     .setup = {STORE_OTP_UNCOUNTED, "00880086"}, .command = "00880086"},
    {ACTION, .name = "one-time-password-counted", .prepare = issuer, .states = 2,
     .setup = {STORE_OTP}, .command = "00880086"},
    {ACTION, .name = "one-time-password-of-a-challenge", .prepare = issuer, .states = 2,
     .setup = {STORE_OCRA}, .command = OCRA},
    {ACTION, .name = "environment-store", .prepare = issuer, .states = 2,
     .setup = {STORE_MAC, SET_MAC}, .command = "0022F202"},
    {ACTION, .name = "environment-store-again", .prepare = issuer, .states = 2,
     .setup = {STORE_MAC, "0022F202", SET_MAC}, .command = "0022F202"},
    {ACTION, .name = "environment-erase", .prepare = issuer, .states = 2,
     .setup = {STORE_MAC, SET_MAC, "0022F202"}, .command = "0022F402"},
};

/* Public keys take their time: what the other rigs call their short form is the usual one here. */
int main(int argc, char **argv)
{
    if (getenv("POWER_LONG") == NULL) {
        (void)setenv("POWER_SHORT", "1", 0);
    }
    return power_main("test_key_power", actions, sizeof actions / sizeof actions[0], argc, argv);
}
