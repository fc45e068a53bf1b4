/* SPDX-License-Identifier: Apache-2.0
 *
 * What a PIN is good for: transport PINs, PINs of a few uses, PINs that a key resets (ISO/IEC
 * 7816-4:2013, 11.5.6, 11.5.7, 11.5.10).
 *
 * PINs of the access application, three tries: 83: 31313131, two uses. 84: 32323232. 85: 30303030,
 * transport PIN, resetting code 82 (87654321), may be disabled. 87: code 34343434, one use; 88:
 * 35353535, resetting code 87. 89: transport PIN 36363636; 8A: 37373737, resetting code 89. 8B:
 * 38383838, reset after key 83 was authenticated.
 */
#include "card_table.h"
#include "secure_domain/domain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define APPLICATION "8409F05457494E434F5301"
#define CODE        "3837363534333231"

static int make_pins(void **state)
{
    static const char *const pins[] = {
        "830103 " APPLICATION " CA020002 C704 31313131",
        "830104 " APPLICATION " C704 32323232",
        "830105 " APPLICATION " C30102 CC0104 CD0102 C704 30303030",
        "830107 " APPLICATION " CA020001 C704 34343434",
        "830108 " APPLICATION " C30107 C704 35353535",
        "830109 " APPLICATION " CD0102 C704 36363636",
        "83010A " APPLICATION " C30109 C704 37373737",
        "83010B " APPLICATION " C401A3 C704 38383838",
    };
    struct bench *bench;

    card_make(state);
    bench = *state;
    bench_store_pins(bench, pins, CARD_COUNT(pins));
    bench_reset(bench);
    bench_select(bench);
    return 0;
}

/* ---- Transport PINs ---- */

static void a_transport_pin_must_be_changed(void **state)
{
    static const struct card_row rows[] = {
        {"tries", "00200085", 0x63C3, NULL, CARD_KEEPS},
        {"right", "00200085 04 30303030", 0x6985, NULL, 0},
        {"wrong", "00200085 04 30303031", 0x6985, NULL, 0},
        {"a length that no PIN has", "00200085 03 303030", 0x6700, NULL, 0},
        {"not verified, no try lost", "00200085", 0x63C3, NULL, CARD_KEEPS},
        {"change: wrong", "00240085 08 30303031 31323334", 0x63C2, NULL, 0},
        {"change: new value too short", "00240085 07 30303030 313233", 0x6A80, NULL, CARD_WRITES},
        {"change: to itself", "00240085 08 30303030 30303030", 0x6A80, NULL, CARD_WRITES},
        {"a transport PIN still", "00200085 04 30303030", 0x6985, NULL, 0},
        {"counter only", "002C0185 08 " CODE, 0x9000, NULL, 0},
        {"a transport PIN still", "00200085 04 30303030", 0x6985, NULL, 0},
        {"change", "00240085 08 30303030 31323334", 0x9000, NULL, 0},
        {"verified", "00200085", 0x9000, NULL, CARD_KEEPS},
        {"a PIN like any", "00200085 04 31323334", 0x9000, NULL, 0},
        {"the transport PIN is wrong", "00200085 04 30303030", 0x63C2, NULL, 0},
        {"to itself", "00240085 08 31323334 31323334", 0x9000, NULL, 0},
        {"may be disabled", "00260085 04 31323334", 0x9000, NULL, 0},
    };
    struct bench *bench = *state;

    BENCH_ROWS(bench, rows);
    bench_reset(bench);
    bench_select(bench);
    bench_expect(bench, "00200085", 0x9000, NULL);
    bench_expect(bench, "00280085 04 31323334", 0x9000, NULL);
}

static void a_transport_pin_blocks(void **state)
{
    static const struct card_row rows[] = {
        {"wrong", "00240085 08 30303031 31323334", 0x63C2, NULL, 0},
        {"wrong", "00240085 08 30303031 31323334", 0x63C1, NULL, 0},
        {"wrong", "00240085 08 30303031 31323334", 0x63C0, NULL, 0},
        {"blocked", "00240085 08 30303030 31323334", 0x6983, NULL, 0},
        {"query", "00200085", 0x6983, NULL, CARD_KEEPS},
        {"a new value by the code", "002C0085 0C " CODE "31323334", 0x9000, NULL, 0},
        {"ends the state too", "00200085 04 31323334", 0x9000, NULL, 0},
        {"a transport PIN is no code yet", "002C018A 04 36363636", 0x6985, NULL, 0},
        {"nor with a new value", "002C008A 08 36363636 31323334", 0x6985, NULL, 0},
        {"no try lost", "00200089", 0x63C3, NULL, CARD_KEEPS},
        {"change it", "00240089 0A 36363636 313131313131", 0x9000, NULL, 0},
        {"now it is one", "002C018A 06 313131313131", 0x9000, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

/* ---- Uses ---- */

static void used_up(void **state)
{
    static const struct card_row rows[] = {
        {"wrong costs no use", "00200083 04 31313132", 0x63C2, NULL, 0},
        {"malformed neither", "00200083 03 313131", 0x6700, NULL, 0},
        {"the first use", "00200083 04 31313131", 0x9000, NULL, 0},
        {"query", "00200083", 0x9000, NULL, CARD_KEEPS},
        {"drop", "0020FF83", 0x9000, NULL, CARD_KEEPS},
        {"query", "00200083", 0x63C3, NULL, CARD_KEEPS},
        {"the last one", "00240083 08 31313131 32323232", 0x9000, NULL, 0},
        {"verified by that", "00200083", 0x9000, NULL, CARD_KEEPS},
        {"used up", "00200083 04 32323232", 0x6984, NULL, 0},
        {"that takes the status", "00200083", 0x6984, NULL, CARD_KEEPS},
        {"wrong", "00200083 04 32323233", 0x6984, NULL, 0},
        {"change", "00240083 08 32323232 31313131", 0x6984, NULL, 0},
    };
    struct bench *bench = *state;

    BENCH_ROWS(bench, rows);
    bench_reset(bench);
    bench_select(bench);
    bench_expect(bench, "00200083", 0x6984, NULL);
    bench_expect(bench, "00200083 04 32323232", 0x6984, NULL);
}

static void refused_new_values_cost_a_use(void **state)
{
    static const struct card_row rows[] = {
        {"new value too short", "00240083 07 31313131 323232", 0x6A80, NULL, CARD_WRITES},
        {"new value too short", "00240083 07 31313131 323232", 0x6A80, NULL, CARD_WRITES},
        {"used up", "00240083 08 31313131 32323232", 0x6984, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

static void a_code_is_used_up(void **state)
{
    static const struct card_row rows[] = {
        {"wrong", "002C0188 04 34343435", 0x63C2, NULL, 0},
        {"right", "002C0088 08 34343434 31313131", 0x9000, NULL, 0},
        {"used up", "002C0188 04 34343434", 0x6984, NULL, 0},
        {"used up", "002C0088 08 34343434 32323232", 0x6984, NULL, 0},
        {"the value is the first", "00200088 04 31313131", 0x9000, NULL, 0},
        {"the code itself", "00200087 04 34343434", 0x6984, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

/* Nothing is counted down from FFFF, and STORE DATA gives uses anew. */
static void uses_come_with_personalization(void **state)
{
    struct bench *bench = *state;
    struct object pin;

    for (unsigned i = 0; i < 3; i++) {
        bench_expect(bench, "00200084 04 32323232", 0x9000, NULL);
    }
    assert_int_equal(cos_object_find(&bench->secure, OBJECT_PIN, 1, 4, 0, &pin), COS_OK);
    assert_int_equal(pin.uses_left, USES_UNLIMITED);
    for (unsigned i = 0; i < 2; i++) {
        bench_expect(bench, "00200083 04 31313131", 0x9000, NULL);
    }
    bench_expect(bench, "00200083 04 31313131", 0x6984, NULL);
    bench_session(bench, 0x03);
    assert_int_equal(bench_store(bench, "8010 18 830103 " APPLICATION " CA02FFFE C704 31313131"),
                     0x9000);
    bench_reset(bench);
    bench_select(bench);
    bench_expect(bench, "00200083 04 31313131", 0x9000, NULL);
    assert_int_equal(cos_object_find(&bench->secure, OBJECT_PIN, 1, 3, 0, &pin), COS_OK);
    assert_int_equal(pin.uses_left, 0xFFFD);
}

/* ---- An unblocking key ---- */

static void reset_after_a_key(void **state)
{
    struct bench *bench = *state;
    uint8_t apdu[21] = {0x00, 0x82, 0x00, 0x83, 0x10};

    for (int left = 2; left >= 0; left--) {
        bench_expect(bench, "0020008B 04 38383839", (uint16_t)(0x63C0 + left), NULL);
    }
    bench_expect(bench, "002C038B", 0x6982, NULL);
    bench_expect(bench, "002C028B 04 30303030", 0x6982, NULL);
    bench_expect(bench, "002C018B 04 38383838", 0x6985, NULL); /* there is no code */
    bench_expect(bench, "0020008B 04 38383838", 0x6983, NULL);
    assert_int_equal(bench_hex(bench, "0084000010"), 0x9000);
    assert_int_equal(
        cos_crypto_tomcrypt.aes_encrypt(NULL, bench_external_key, 16, bench->data, apdu + 5),
        COS_OK);
    assert_int_equal(bench_apdu(bench, apdu, sizeof apdu), 0x9000);
    bench_expect(bench, "002C038B", 0x9000, NULL);
    bench_expect(bench, "0020008B 04 38383838", 0x9000, NULL);
    bench_expect(bench, "002C028B 04 30303030", 0x9000, NULL);
    bench_expect(bench, "0020008B 04 30303030", 0x9000, NULL);
}

#define PIN_TEST(function) cmocka_unit_test_setup_teardown(function, make_pins, card_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PIN_TEST(a_transport_pin_must_be_changed),
        PIN_TEST(a_transport_pin_blocks),
        PIN_TEST(used_up),
        PIN_TEST(refused_new_values_cost_a_use),
        PIN_TEST(a_code_is_used_up),
        PIN_TEST(uses_come_with_personalization),
        PIN_TEST(reset_after_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
