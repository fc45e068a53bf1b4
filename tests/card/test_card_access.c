/* SPDX-License-Identifier: Apache-2.0
 *
 * Security conditions (ISO/IEC 7816-4:2013, 9.3.3; docs/formats.md, "Security status"): every form
 * of the byte against every security status, and what makes a status and takes it away.
 *
 * In DF 5100 there are PIN 5 and external key 5 besides the finished card's objects (PIN 1 and 2,
 * keys 1 to 3), globally PIN 1 and external key 5; DF 5300 is an application without any, DF 5400
 * one with a PIN 1 of its own.
 */
#include "card_table.h"
#include "twinctl/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define APPLICATION "8409F05457494E434F5301"
#define KEY_5       "5A5B5C5D5E5F60616263646566676869"
#define KEY_GLOBAL  "A55B5C5D5E5F60616263646566676869"

/* ---- The card ---- */

static void make_objects(struct bench *bench)
{
    bench_session(bench, 0x03);
    assert_int_equal(bench_store(bench, "8010 14 830105 " APPLICATION " C704 35353535"), 0x9000);
    assert_int_equal(bench_store(bench, "8020 26 830105 " APPLICATION " 800101 950102 C710 " KEY_5),
                     0x9000);
    assert_int_equal(bench_store(bench, "8010 09 830101 C704 31313131"), 0x9000);
    assert_int_equal(bench_store(bench, "8020 1B 830105 800101 950102 C710 " KEY_GLOBAL), 0x9000);
    bench_expect_sm(bench, "00A40000 02 3F00", 0x9000, CARD_ANY);
    assert_int_equal(bench_create(bench, true, "820138 83025300 8405A1A2A3A453 8C0206C0C0"),
                     0x6A80);
    assert_int_equal(bench_create(bench, true, "820138 83025300 8405A1A2A3A453 8C0306C0C0"),
                     0x9000);
    assert_int_equal(bench_create(bench, true, "820138 83025310 8C0306C0C0"), 0x9000);
    bench_expect_sm(bench, "00A40000 02 3F00", 0x9000, CARD_ANY);
    assert_int_equal(bench_create(bench, true, "820138 83025400 8405A1A2A3A454 8C0306C0C0"),
                     0x9000);
    assert_int_equal(bench_store(bench, "8010 10 830101 8405A1A2A3A454 C704 34343434"), 0x9000);
}

static const struct {
    uint8_t condition;
    const char *text;
} conditions[] = {
    {0x00, "always"},
    {0xFF, "never"},
    {0x90, "all of: user authentication, default PIN"},
    {0x10, "any of: user authentication, default PIN"},
    {0x91, "PIN 1"},
    {0x92, "PIN 2"},
    {0x93, "PIN 3, which does not exist"},
    {0x95, "PIN 5"},
    {0x15, "any of: PIN 5"},
    {0xA0, "default key, key 1"},
    {0xA3, "key 3"},
    {0x25, "any of: key 5"},
    {0xB5, "key 5 and PIN 5"},
    {0x35, "key 5 or PIN 5"},
    {0xB1, "key 1 and PIN 1"},
    {0x31, "key 1 or PIN 1"},
    {0xC0, "secure messaging"},
    {0x40, "any of: secure messaging"},
    {0xC7, "secure messaging, environment 7"},
    {0xD5, "secure messaging and PIN 5"},
    {0x55, "secure messaging or PIN 5"},
    {0xE5, "secure messaging and key 5"},
    {0x65, "secure messaging or key 5"},
    {0xF5, "all three"},
    {0x75, "any of the three"},
    {0xB0, "default key and default PIN"},
    {0x30, "default key or default PIN"},
    {0x9E, "PIN 14, which does not exist"},
};

static int make_conditions(void **state)
{
    struct bench *bench;
    char fcp[64];

    card_make(state);
    bench = *state;
    make_objects(bench);
    bench_expect_sm(bench, "00A40400 09 F05457494E434F5301", 0x9000, CARD_ANY);
    for (size_t i = 0; i < CARD_COUNT(conditions); i++) {
        snprintf(fcp, sizeof fcp, "820101 830260%02X 80020002 8C0303%02X%02X",
                 conditions[i].condition, conditions[i].condition, conditions[i].condition);
        assert_int_equal(bench_create(bench, true, fcp), 0x9000);
    }
    bench_reset(bench);
    bench_select(bench);
    return 0;
}

/* ---- Getting a status ---- */

static uint16_t authenticate(struct bench *bench, uint8_t reference, const char *key_hex)
{
    uint8_t key[16], apdu[21] = {0x00, 0x82, 0x00, reference, 16};

    bench_bytes(key_hex, key, sizeof key);
    bench_expect(bench, "0084000010", 0x9000, CARD_ANY);
    assert_true(crypto_aes_ecb(key, 16, CRYPTO_ENCIPHER, bench->data, 16, apdu + 5));
    return bench_apdu(bench, apdu, sizeof apdu);
}

enum { HAS_PIN_1 = 1, HAS_PIN_5 = 2, HAS_KEY_5 = 4, HAS_SM = 8, STATES = 16 };

static void reach(struct bench *bench, unsigned status)
{
    bench_reset(bench);
    bench_select(bench);
    if ((status & HAS_PIN_1) != 0) {
        bench_expect(bench, "00200081 06 313233343536", 0x9000, NULL);
    }
    if ((status & HAS_PIN_5) != 0) {
        bench_expect(bench, "00200085 04 35353535", 0x9000, NULL);
    }
    if ((status & HAS_KEY_5) != 0) {
        assert_int_equal(authenticate(bench, 0x85, KEY_5), 0x9000);
    }
    if ((status & HAS_SM) != 0) {
        bench_session(bench, 0x01);
    }
}

/* The condition as the standard reads it, apart from the card's code. */
static bool allowed(uint8_t condition, unsigned status)
{
    const unsigned number = (condition & 0x0F) == 0 ? 1 : condition & 0x0F;
    const bool pin =
        (number == 1 && (status & HAS_PIN_1) != 0) || (number == 5 && (status & HAS_PIN_5) != 0);
    const bool key = number == 5 && (status & HAS_KEY_5) != 0;
    const bool sm = (status & HAS_SM) != 0;

    if (condition == 0x00 || condition == 0xFF) {
        return condition == 0x00;
    }
    if ((condition & 0x80) != 0) {
        return ((condition & 0x10) == 0 || pin) && ((condition & 0x20) == 0 || key) &&
               ((condition & 0x40) == 0 || sm);
    }
    return ((condition & 0x10) != 0 && pin) || ((condition & 0x20) != 0 && key) ||
           ((condition & 0x40) != 0 && sm);
}

static uint16_t use(struct bench *bench, bool sm, const char *select, const char *apdu)
{
    uint16_t sw = sm ? bench_sm_hex(bench, select) : bench_hex(bench, select);

    assert_int_equal(sw, 0x9000);
    return sm ? bench_sm_hex(bench, apdu) : bench_hex(bench, apdu);
}

static void every_condition_in_every_status(void **state)
{
    struct bench *bench = *state;
    unsigned cells = 0;

    for (unsigned status = 0; status < STATES; status++) {
        reach(bench, status);
        for (size_t i = 0; i < CARD_COUNT(conditions); i++) {
            const bool sm = (status & HAS_SM) != 0;
            const uint16_t wanted = allowed(conditions[i].condition, status) ? 0x9000 : 0x6982;
            struct card_image image;
            char select[32];
            snprintf(select, sizeof select, "00A4020C 02 60%02X", conditions[i].condition);
            card_image_take(bench, &image);
            uint16_t read = use(bench, sm, select, "00B00000");
            assert_true(card_image_same(bench, &image));
            assert_int_equal(bench->length, wanted == 0x9000 ? 2 : 0);
            card_image_take(bench, &image);
            uint16_t update = use(bench, sm, select, "00D60000 02 AA55");
            bool same = card_image_same(bench, &image);
            if (read != wanted || update != wanted || same != (wanted != 0x9000)) {
                fail_msg("%02X (%s), status %X: read %04X, update %04X, wanted %04X",
                         conditions[i].condition, conditions[i].text, status, read, update, wanted);
            }
            cells++;
        }
    }
    print_message("# %u cells of condition and status\n", cells);
}

static void several_sets_are_alternatives(void **state)
{
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A40400 09 F05457494E434F5301", 0x9000, CARD_ANY);
    assert_int_equal(
        bench_create(bench, true, "820101 83026101 80020002 8C08 0191 0195 03FFFF 01FF"),
        0x6A80); /* the last set is cut off by the length */
    assert_int_equal(
        bench_create(bench, true, "820101 83026101 80020002 8C09 0191 0195 03FFFF 01FF"), 0x9000);
    assert_int_equal(bench_create(bench, true, "820101 83026102 80020002 8C02 0200"), 0x9000);
    assert_int_equal(bench_create(bench, true, "820101 83026103 80020002"), 0x9000);
    static const struct card_row rows[] = {
        {"select", "00A4000C026101", 0x9000, NULL, CARD_KEEPS},
        {"neither PIN", "00B0000000", 0x6982, NULL, 0},
        {"PIN 5", "00200085 04 35353535", 0x9000, NULL, 0},
        {"one suffices", "00B0000000", 0x9000, "0000", CARD_KEEPS},
        {"update never", "00D60000 01 00", 0x6982, NULL, 0},
        {"update listed", "00A4000C026102", 0x9000, NULL, CARD_KEEPS},
        {"read not listed: never", "00B0000000", 0x6982, NULL, 0},
        {"update", "00D60000 01 00", 0x9000, NULL, 0},
        {"no rule", "00A4000C026103", 0x9000, NULL, CARD_KEEPS},
        {"read always", "00B0000000", 0x9000, "0000", CARD_KEEPS},
        {"update never", "00D60000 01 00", 0x6982, NULL, 0},
    };
    bench_reset(bench);
    bench_select(bench);
    BENCH_ROWS(bench, rows);
}

/* ---- What a status outlives ---- */

#define PIN_FILE           "00B0810001" /* 5101: PIN 1 */
#define VERIFY_PIN         "00200081 06 313233343536"
#define APPLICATION_SELECT "00A4040C 09 F05457494E434F5301"

static void a_status_ends_with_its_reason(void **state)
{
    static const struct card_row rows[] = {
        {"nothing yet", PIN_FILE, 0x6982, NULL, 0},
        {"right PIN", VERIFY_PIN, 0x9000, NULL, 0},
        {"read", PIN_FILE, 0x9000, "48", CARD_KEEPS},
        {"wrong PIN", "00200081 06 000000000000", 0x63C2, NULL, 0},
        {"the status is gone", PIN_FILE, 0x6982, NULL, 0},
        {"right PIN", VERIFY_PIN, 0x9000, NULL, 0},
        {"another PIN, wrong", "00200085 04 00000000", 0x63C2, NULL, 0},
        {"this one stands", PIN_FILE, 0x9000, "48", CARD_KEEPS},
        {"a VERIFY of a wrong length takes nothing", "00200081 03 313233", 0x6700, NULL, 0},
        {"it stands", PIN_FILE, 0x9000, "48", CARD_KEEPS},
        {"an EF of the application", "00A4000C025103", 0x9000, NULL, CARD_KEEPS},
        {"it stands", PIN_FILE, 0x9000, "48", CARD_KEEPS},
        {"the application again", APPLICATION_SELECT, 0x9000, NULL, CARD_KEEPS},
        {"it stands", PIN_FILE, 0x9000, "48", CARD_KEEPS},
        {"a failed SELECT", "00A4040C 05 A1A2A3A400", 0x6A82, NULL, 0},
        {"it stands", PIN_FILE, 0x9000, "48", CARD_KEEPS},
        {"another application", "00A4040C 05 A1A2A3A453", 0x9000, NULL, CARD_KEEPS},
        {"back", APPLICATION_SELECT, 0x9000, NULL, CARD_KEEPS},
        {"the local status is gone", PIN_FILE, 0x6982, NULL, 0},
        {"right PIN", VERIFY_PIN, 0x9000, NULL, 0},
        {"the MF", "00A4000C023F00", 0x9000, NULL, CARD_KEEPS},
        {"back", "00A4000C025100", 0x9000, NULL, CARD_KEEPS},
        {"gone", PIN_FILE, 0x6982, NULL, 0},
        {"right PIN", VERIFY_PIN, 0x9000, NULL, 0},
        {"the issuer domain", "00A4040C", 0x9000, NULL, CARD_KEEPS},
        {"back", APPLICATION_SELECT, 0x9000, NULL, CARD_KEEPS},
        {"gone", PIN_FILE, 0x6982, NULL, 0},
        {"right PIN", VERIFY_PIN, 0x9000, NULL, 0},
        {"an EF of another DF by path", "00A4080C022F02", 0x9000, NULL, CARD_KEEPS},
        {"back to the EF by path", "00A4080C0451005101", 0x9000, NULL, CARD_KEEPS},
        {"gone", "00B0000001", 0x6982, NULL, 0},
    };
    struct bench *bench = *state;

    BENCH_ROWS(bench, rows);
    bench_expect(bench, VERIFY_PIN, 0x9000, NULL);
    bench_reset(bench);
    bench_select(bench);
    bench_expect(bench, PIN_FILE, 0x6982, NULL);
}

/* Global PIN 1 stands for an application without a PIN 1 of its own, and for no other. */
static void global_and_local_are_not_the_same(void **state)
{
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A40400 05 A1A2A3A453", 0x9000, CARD_ANY);
    assert_int_equal(bench_create(bench, true, "820101 83020001 80020001 880108 8C020190"), 0x9000);
    assert_int_equal(bench_create(bench, true, "820101 83020002 80020001 880110 8C020191"), 0x9000);
    assert_int_equal(bench_create(bench, true, "820101 83020003 80020001 880118 8C0201A5"), 0x9000);
    bench_expect_sm(bench, "00A40400 05 A1A2A3A454", 0x9000, CARD_ANY);
    assert_int_equal(bench_create(bench, true, "820101 83020001 80020001 880108 8C020190"), 0x9000);
    bench_expect_sm(bench, "00A40000 02 3F00", 0x9000, CARD_ANY);
    assert_int_equal(bench_create(bench, true, "820101 83020001 80020001 880108 8C020190"), 0x9000);
    bench_reset(bench);
    static const struct card_row rows[] = {
        {"MF: default PIN", "00B0810000", 0x6982, NULL, 0},
        {"local PIN 1 without an application", "00200081 04 31313131", 0x6A88, NULL, 0},
        {"global PIN 1", "00200001 04 31313131", 0x9000, NULL, 0},
        {"MF", "00B0810000", 0x9000, "00", CARD_KEEPS},
        {"application without PINs", "00A4040C 05 A1A2A3A453", 0x9000, NULL, CARD_KEEPS},
        {"default PIN is the global one", "00B0810000", 0x9000, "00", CARD_KEEPS},
        {"PIN 1 by number is the application's", "00B0820000", 0x6982, NULL, 0},
        {"a DF without a name", "00A4000C025310", 0x9000, NULL, CARD_KEEPS},
        {"has no EFs", "00B0810000", 0x6A82, NULL, 0},
        {"belongs to the application: no local PIN 1", "00200081", 0x6A88, NULL, 0},
        {"application with a PIN 1", "00A4040C 05 A1A2A3A454", 0x9000, NULL, CARD_KEEPS},
        {"default PIN is its own", "00B0810000", 0x6982, NULL, 0},
        {"its own", "00200081 04 34343434", 0x9000, NULL, 0},
        {"read", "00B0810000", 0x9000, "00", CARD_KEEPS},
        {"the access application", APPLICATION_SELECT, 0x9000, NULL, CARD_KEEPS},
        {"its PIN 1 is another", PIN_FILE, 0x6982, NULL, 0},
        {"the global one outlives all of it", "00200001", 0x9000, NULL, CARD_KEEPS},
        {"the local one of the other does not", "00A4040C 05 A1A2A3A454", 0x9000, NULL, CARD_KEEPS},
        {"read", "00B0810000", 0x6982, NULL, 0},
        {"the MF", "00A4000C023F00", 0x9000, NULL, CARD_KEEPS},
        {"read", "00B0810000", 0x9000, "00", CARD_KEEPS},
    };
    BENCH_ROWS(bench, rows);
    bench_expect(bench, "00A4040C 05 A1A2A3A453", 0x9000, NULL);
    assert_int_equal(authenticate(bench, 0x05, KEY_GLOBAL), 0x9000);
    bench_expect(bench, "00B0830000", 0x6982, NULL); /* key 5 by number is the application's */
    bench_reset(bench);
    bench_expect(bench, "00200001", 0x63C3, NULL);
    bench_expect(bench, "00B0810000", 0x6982, NULL);
}

/* A DF without a name belongs to the application above it. */
static void child_directories_keep_the_status(void **state)
{
    struct bench *bench = *state;
    static const uint8_t fcp[] = {0x82, 0x01, 0x38, 0x83, 0x02, 0x52, 0x00};
    static const struct card_row rows[] = {
        {"right PIN", VERIFY_PIN, 0x9000, NULL, 0},
        {"the child", "00A4010C025200", 0x9000, NULL, CARD_KEEPS},
        {"the PIN is verified there", "00200081", 0x9000, NULL, CARD_KEEPS},
        {"the parent", "00A4030C", 0x9000, NULL, CARD_KEEPS},
        {"read", PIN_FILE, 0x9000, "48", CARD_KEEPS},
    };
    cos_file made;

    bench_reset(bench);
    bench_select(bench);
    assert_int_equal(cos_fs_create(&bench->app.fs, bench->app.channel->df,
                                   (struct cos_span){fcp, sizeof fcp}, &made),
                     COS_OK);
    BENCH_ROWS(bench, rows);
}

/* A command may name a file of another application without selecting it: the PINs and keys of the
 * current one say nothing about it then, what is global does. */
static void a_pin_is_not_that_of_another_application(void **state)
{
    static const struct card_row rows[] = {
        {"the other application", "00A4040C 05 A1A2A3A454", 0x9000, NULL, CARD_KEEPS},
        {"its PIN 1", "00200081 04 34343434", 0x9000, NULL, 0},
        {"PIN 1: deactivate", "00040800 04 51006101", 0x6982, NULL, 0},
        {"PIN 1: activate", "00440800 04 51006101", 0x6982, NULL, 0},
        {"PIN 1: terminate", "00E80800 04 51006101", 0x6982, NULL, 0},
        {"PIN 1: delete", "00E40800 04 51006101", 0x6982, NULL, 0},
        {"default PIN", "00040800 04 51006102", 0x6982, NULL, 0},
        {"secure messaging or PIN 1", "00040800 04 51006103", 0x6982, NULL, 0},
        {"local PIN 1 by reference", "00040800 04 51006104", 0x6982, NULL, 0},
        {"secure messaging and it, or it", "00040800 04 51006105", 0x6982, NULL, 0},
        {"global PIN 1 by reference", "00040800 04 51006106", 0x6982, NULL, 0},
        {"is not verified", "00200001 04 31313131", 0x9000, NULL, 0},
        {"is verified", "00040800 04 51006106", 0x9000, NULL, 0},
        {"not local PIN 1", "00040800 04 51006107", 0x9000, NULL, 0},
        {"its own status stands", "00200081", 0x9000, NULL, CARD_KEEPS},
        {"objects of a DF", "00A4000C025400", 0x9000, NULL, CARD_KEEPS},
        {"are of another application", "00DB5410 03 5E0101", 0x6982, NULL, 0},
        {"they are not there", "00CB5410 03 5C015E 00", 0x6A88, NULL, 0},
        {"the application itself", APPLICATION_SELECT, 0x9000, NULL, CARD_KEEPS},
        {"its PIN 1", VERIFY_PIN, 0x9000, NULL, 0},
        {"PIN 1", "00040200 02 6101", 0x9000, NULL, 0},
        {"default PIN", "00040800 04 51006102", 0x9000, NULL, 0},
        {"secure messaging or PIN 1", "00040200 02 6103", 0x9000, NULL, 0},
        {"local PIN 1 by reference", "00040200 02 6104", 0x9000, NULL, 0},
        {"secure messaging and it, or it", "00040200 02 6105", 0x9000, NULL, 0},
        {"not local PIN 1", "00440200 02 6107", 0x6982, NULL, 0},
    };
    static const char *const rules[] = {
        "8C08 7F 91919191919191",
        "8C08 7F 90909090909090",
        "8C08 7F 51515151515151",
        "AB0B 80017F A406830181950108",
        "AB19 80017F A014 AF0A B403950110 A403830181 A406830181950108",
        "AB0B 80017F A406830101950108",
        "AB0A 80017F A705 A403830181",
    };
    struct bench *bench = *state;
    char fcp[128];

    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A40400 09 F05457494E434F5301", 0x9000, CARD_ANY);
    for (size_t i = 0; i < CARD_COUNT(rules); i++) {
        snprintf(fcp, sizeof fcp, "820101 830261%02zX 80020002 %s", i + 1, rules[i]);
        assert_int_equal(bench_create(bench, true, fcp), 0x9000);
    }
    bench_expect_sm(bench, "00A4000C 02 5400", 0x9000, NULL);
    assert_int_equal(bench_create(bench, true, "820138 83025410 8405A1A2A3A455 81020040 8C020291"),
                     0x9000);
    bench_expect_sm(bench, "00A40400 05 A1A2A3A454", 0x9000, CARD_ANY);
    bench_expect_sm(bench, "00040800 04 51006103", 0x9000, NULL); /* by secure messaging */
    bench_expect_sm(bench, "00440800 04 51006103", 0x9000, NULL);
    bench_reset(bench);
    BENCH_ROWS(bench, rows);
}

/* ---- Secure messaging ends ---- */

static const char *const plain_commands[] = {
    "00A4000C023F00",                             /* a good one of the app chip alone */
    "00A40000021234",                             /* a failing one */
    "00B0000000",                                 /* no current EF */
    "0084000008",                                 /* of the security chip */
    "00200081",                                   /* query */
    "80CA006600",                                 /* GET DATA */
    "80F28000024F00",                             /* GET STATUS */
    "80D8000001",                                 /* needs secure messaging */
    "8050010008010203040506070800",               /* a new session is begun, the old one is over */
    "8482010010000102030405060708090A0B0C0D0E0F", /* EXTERNAL AUTHENTICATE without a beginning */
    "00820081100102030405060708090A0B0C0D0E0F10", /* EXTERNAL AUTHENTICATE without a challenge */
    "80F10501084341633200000001",                 /* production step */
    "00A40500023F00",                             /* P1-P2 */
    "00A40000023F",                               /* malformed */
    "00",                                         /* no command at all */
    "00FF0000",                                   /* no instruction */
    "0060000000",                                 /* none that can be one */
    "20A40000",                                   /* no class */
    "01A40000",                                   /* no channel */
    "0CA40000",                                   /* another secure messaging */
    "10A40000",                                   /* chaining */
    "04B0000008 0102030405060708",                /* wrong MAC */
    "04B0000000",                                 /* no MAC */
    "84E2E000 04 01020304",                       /* too short for one */
};

static void whatever_comes_in_the_clear_ends_the_session(void **state)
{
    struct bench *bench = *state;
    size_t bad = 0;

    for (size_t i = 0; i < CARD_COUNT(plain_commands); i++) {
        bench_session(bench, 0x01);
        bench_expect_sm(bench, "00A4000C 02 5100", 0x9000, NULL);
        uint16_t first = bench_hex(bench, plain_commands[i]);
        uint16_t then = bench_sm_hex(bench, "00A4000C 02 5100");
        if (then != 0x6982) {
            print_error("%s answers %04X and leaves the session open: %04X\n", plain_commands[i],
                        first, then);
            bad++;
        }
    }
    assert_int_equal(bad, 0);
}

/* GET RESPONSE fetches what a command under secure messaging has left: it ends nothing. */
static void get_response_ends_nothing(void **state)
{
    struct bench *bench = *state;

    bench_session(bench, 0x01);
    bench_expect(bench, "00C0000000", 0x6985, NULL);
    bench_expect_sm(bench, "00A4000C 02 5100", 0x9000, NULL);
}

static void reset_ends_the_session(void **state)
{
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    bench_reset(bench);
    bench_expect_sm(bench, "00A4000C 02 5100", 0x6982, NULL);
}

#define ACCESS_TEST(function) cmocka_unit_test_setup_teardown(function, make_conditions, card_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACCESS_TEST(every_condition_in_every_status),
        ACCESS_TEST(several_sets_are_alternatives),
        ACCESS_TEST(a_status_ends_with_its_reason),
        ACCESS_TEST(global_and_local_are_not_the_same),
        ACCESS_TEST(child_directories_keep_the_status),
        ACCESS_TEST(a_pin_is_not_that_of_another_application),
        CARD_TEST(whatever_comes_in_the_clear_ends_the_session),
        CARD_TEST(get_response_ends_nothing),
        CARD_TEST(reset_ends_the_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
