/* SPDX-License-Identifier: Apache-2.0
 *
 * What a PIN is required for: ENABLE and DISABLE VERIFICATION REQUIREMENT, VERIFY that takes the
 * status away, CHANGE REFERENCE DATA without the old value (ISO/IEC 7816-4:2013, 11.5.6 to 11.5.9).
 *
 * PINs of the access application, three tries: 81: 123456, may be disabled, resetting code 82
 * (87654321). 83: 31313131. 84: 32323232, whoever verified 81 sets it. 85: 30303030, transport PIN,
 * which the issuer may set. 86: 33333333, may be disabled, is disabled. Global PIN 01: 39393939,
 * may be disabled. EF 5101 is read after 81 (SC byte), EF 5104 after 81 and EF 5105 after 01 (A4),
 * EF 5106 after the key or the PIN 86 (A4), EF 5107, which lies in the vault, after 81.
 */
#include "card_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define APPLICATION "8409F05457494E434F5301"
#define RIGHT       "00200081 06 313233343536"
#define WRONG       "00200081 06 313233343537"
#define CODE        "3837363534333231"

static int make_pins(void **state)
{
    static const char *const pins[] = {
        "830101 " APPLICATION " C30102 C401C0 CC0104 C706 313233343536",
        "830103 " APPLICATION " C704 31313131",
        "830104 " APPLICATION " CB0191 C704 32323232",
        "830105 " APPLICATION " C30102 CB01C0 CC0104 CD0102 C704 30303030",
        "830106 " APPLICATION " CC0104 CD0101 C704 33333333",
        "830101 CC0104 C704 39393939",
    };
    static const char *const files[] = {
        "820101 83025104 80020002 AB0B 800101 A406830181950108",
        "820101 83025105 80020002 AB0B 800101 A406830101950108",
        "820101 83025106 80020002 AB08 800101 A403830186",
        "820101 83025107 80020002 850102 8C020190",
    };
    struct bench *bench;

    card_make(state);
    bench = *state;
    bench_store_pins(bench, pins, CARD_COUNT(pins));
    bench_expect_sm(bench, "00A4000C 02 5100", 0x9000, NULL);
    for (size_t i = 0; i < CARD_COUNT(files); i++) {
        assert_int_equal(bench_create(bench, true, files[i]), 0x9000);
    }
    bench_reset(bench);
    bench_select(bench);
    return 0;
}

/* Reads one byte of EF 51nn. */
static void read_file(struct bench *bench, unsigned low, uint16_t sw)
{
    char apdu[24];

    (void)snprintf(apdu, sizeof apdu, "00A4020C 02 51%02X", low);
    bench_expect(bench, apdu, 0x9000, NULL);
    if (bench_hex(bench, "00B0000001") != sw) {
        fail_msg("EF 51%02X: %04X", low, bench->sw);
    }
}

static void use_access_key(struct bench *bench, uint16_t sw)
{
    assert_int_equal(
        bench_hex(bench, "00880081 18 53595354454D3031 D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"), sw);
}

/* Everything that asks for PIN 81. */
static void with_pin_81(struct bench *bench, uint16_t sw)
{
    read_file(bench, 0x01, sw);
    read_file(bench, 0x04, sw);
    read_file(bench, 0x07, sw);
    use_access_key(bench, sw);
}

/* ---- VERIFY, P1 FF ---- */

static void verified_no_more(void **state)
{
    static const struct card_row rows[] = {
        {"nothing to take away", "0020FF81", 0x9000, NULL, CARD_KEEPS},
        {"no try lost", "00200081", 0x63C3, NULL, CARD_KEEPS},
        {"right", RIGHT, 0x9000, NULL, 0},
        {"another one", "0020FF83", 0x9000, NULL, CARD_KEEPS},
        {"and the global one of that number", "0020FF01", 0x9000, NULL, CARD_KEEPS},
        {"verified still", "00200081", 0x9000, NULL, CARD_KEEPS},
        {"data", "0020FF81 06 313233343536", 0x6700, NULL, 0},
        {"no such PIN", "0020FF8C", 0x6A88, NULL, 0},
        {"P1 7F", "00207F81", 0x6A86, NULL, 0},
        {"verified still", "00200081", 0x9000, NULL, CARD_KEEPS},
        {"this one", "0020FF81", 0x9000, NULL, CARD_KEEPS},
        {"verified no more", "00200081", 0x63C3, NULL, CARD_KEEPS},
        {"with Le", "0020FF8100", 0x9000, NULL, CARD_KEEPS},
    };
    BENCH_ROWS(*state, rows);
    with_pin_81(*state, 0x6982);
}

/* ---- DISABLE and ENABLE VERIFICATION REQUIREMENT ---- */

static void disabled_with_the_pin(void **state)
{
    static const struct card_row disable[] = {
        {"wrong", "00260081 06 313233343537", 0x63C2, NULL, 0},
        {"required still", "00200081", 0x63C2, NULL, CARD_KEEPS},
        {"right", "00260081 06 313233343536", 0x9000, NULL, 0},
        {"not required", "00200081", 0x9000, NULL, CARD_KEEPS},
        {"again", "00260081 06 313233343536", 0x9000, NULL, 0},
        {"takes the verified status", "0020FF81", 0x9000, NULL, CARD_KEEPS},
        {"not required all the same", "00200081", 0x9000, NULL, CARD_KEEPS},
    };
    static const struct card_row enable[] = {
        {"not verified", "00280181", 0x6982, NULL, 0},
        {"wrong", "00280081 06 313233343537", 0x63C2, NULL, 0},
        {"not required", "00200081", 0x9000, NULL, CARD_KEEPS},
        {"right", "00280081 06 313233343536", 0x9000, NULL, 0},
        {"verified by that", "00200081", 0x9000, NULL, CARD_KEEPS},
        {"no more", "0020FF81", 0x9000, NULL, CARD_KEEPS},
        {"required, with all tries", "00200081", 0x63C3, NULL, CARD_KEEPS},
    };
    struct bench *bench = *state;

    with_pin_81(bench, 0x6982);
    BENCH_ROWS(bench, disable);
    with_pin_81(bench, 0x9000);
    read_file(bench, 0x05, 0x6982); /* global PIN 01 is another one */
    bench_reset(bench);
    bench_select(bench);
    bench_expect(bench, "00200081", 0x9000, NULL);
    with_pin_81(bench, 0x9000);
    bench_expect(bench, WRONG, 0x63C2, NULL); /* says nothing about the requirement */
    with_pin_81(bench, 0x9000);
    bench_expect(bench, RIGHT, 0x9000, NULL);
    bench_expect(bench, "0020FF81", 0x9000, NULL);
    BENCH_ROWS(bench, enable);
    with_pin_81(bench, 0x6982);
    bench_reset(bench);
    bench_select(bench);
    with_pin_81(bench, 0x6982);
}

static void disabled_after_the_pin(void **state)
{
    static const struct card_row disable[] = {
        {"disable, not verified", "00260181", 0x6982, NULL, 0},
        {"enable, not verified", "00280181", 0x6982, NULL, 0},
        {"verify", RIGHT, 0x9000, NULL, 0},
        {"enable: it is", "00280181", 0x9000, NULL, 0},
        {"disable", "00260181", 0x9000, NULL, 0},
        {"again", "00260181", 0x9000, NULL, 0},
        {"drop", "0020FF81", 0x9000, NULL, CARD_KEEPS},
        {"disabled is not verified", "00260181", 0x6982, NULL, 0},
        {"disabled is not verified", "00280181", 0x6982, NULL, 0},
    };
    static const struct card_row enable[] = {
        {"verify", RIGHT, 0x9000, NULL, 0},
        {"wrong takes that away", WRONG, 0x63C2, NULL, 0},
        {"not verified", "00280181", 0x6982, NULL, 0},
        {"verify", RIGHT, 0x9000, NULL, 0},
        {"enable", "00280181", 0x9000, NULL, 0},
        {"verified still", "00200081", 0x9000, NULL, CARD_KEEPS},
        {"drop", "0020FF81", 0x9000, NULL, CARD_KEEPS},
    };
    struct bench *bench = *state;

    BENCH_ROWS(bench, disable);
    with_pin_81(bench, 0x9000);
    BENCH_ROWS(bench, enable);
    with_pin_81(bench, 0x6982);
}

/* The global PIN, one that was personalized so, and what a disabled PIN does not mean. */
static void each_disabled_pin_means_itself(void **state)
{
    struct bench *bench = *state;

    read_file(bench, 0x06, 0x9000);
    bench_expect(bench, "00200086", 0x9000, NULL);
    bench_expect(bench, "00260001 04 39393939", 0x9000, NULL);
    bench_expect(bench, "0020FF01", 0x9000, NULL);
    read_file(bench, 0x05, 0x9000);
    with_pin_81(bench, 0x6982);
    bench_expect(bench, "00A40000", 0x9000, CARD_ANY); /* MF: PIN 81 and 86 are not there */
    bench_expect(bench, "00200001", 0x9000, NULL);
    bench_expect(bench, "00280086 04 33333333", 0x6A88, NULL);
    bench_select(bench);
    bench_expect(bench, "00280086 04 33333333", 0x9000, NULL);
    bench_expect(bench, "0020FF86", 0x9000, NULL);
    read_file(bench, 0x06, 0x6982);
    read_file(bench, 0x05, 0x9000);
    bench_expect(bench, "00280001 04 39393939", 0x9000, NULL);
    bench_expect(bench, "0020FF01", 0x9000, NULL);
    read_file(bench, 0x05, 0x6982);
}

static void a_disabled_pin_blocks_too(void **state)
{
    static const struct card_row rows[] = {
        {"disable", "00260081 06 313233343536", 0x9000, NULL, 0},
        {"wrong", "00280081 06 393939393939", 0x63C2, NULL, 0},
        {"wrong", "00260081 06 393939393939", 0x63C1, NULL, 0},
        {"wrong", WRONG, 0x63C0, NULL, 0},
        {"enable, blocked", "00280081 06 313233343536", 0x6983, NULL, 0},
        {"disable, blocked", "00260081 06 313233343536", 0x6983, NULL, 0},
        {"enable, blocked and not verified", "00280181", 0x6982, NULL, 0},
        {"not required", "00200081", 0x9000, NULL, CARD_KEEPS},
        {"unblock", "002C0181 08 " CODE, 0x9000, NULL, 0},
        {"is still disabled", "00200081", 0x9000, NULL, CARD_KEEPS},
        {"a new value", "00240081 0A 313233343536 30303030", 0x9000, NULL, 0},
        {"drop", "0020FF81", 0x9000, NULL, CARD_KEEPS},
        {"is still disabled", "00200081", 0x9000, NULL, CARD_KEEPS},
        {"enable", "00280081 04 30303030", 0x9000, NULL, 0},
        {"drop", "0020FF81", 0x9000, NULL, CARD_KEEPS},
        {"required", "00200081", 0x63C3, NULL, CARD_KEEPS},
    };
    BENCH_ROWS(*state, rows);
}

static const struct card_row bad_requirement[] = {
    {"disable, P1 02", "00260281", 0x6A86, NULL, 0},
    {"enable, P1 FF", "0028FF81", 0x6A86, NULL, 0},
    {"disable, P1 00 without data", "00260081", 0x6700, NULL, 0},
    {"disable, P1 00 without data, Le", "0026008100", 0x6700, NULL, 0},
    {"enable, P1 00 without data", "00280081", 0x6700, NULL, 0},
    {"disable, P1 01 with data", "00260181 06 313233343536", 0x6700, NULL, 0},
    {"enable, P1 01 with data", "00280181 06 313233343536", 0x6700, NULL, 0},
    {"disable, too short", "00260081 03 313233", 0x6700, NULL, 0},
    {"disable, too long", "00260081 0D 31323334353600000000000000", 0x6700, NULL, 0},
    {"enable, too short", "00280081 03 313233", 0x6700, NULL, 0},
    {"disable, 33 bytes",
     "00260081 21 313233343536000000000000000000000000000000000000000000000000000000", 0x6700, NULL,
     0},
    {"disable, reference 00", "00260000 06 313233343536", 0x6A88, NULL, 0},
    {"disable, reference 60", "00260060 06 313233343536", 0x6A86, NULL, 0},
    {"disable, reference 8C", "0026008C 06 313233343536", 0x6A88, NULL, 0},
    {"enable, reference 8C", "0028018C", 0x6A88, NULL, 0},
    {"enable, reference A1", "002801A1", 0x6A86, NULL, 0},
    {"disable, not allowed", "00260083 04 31313131", 0x6985, NULL, 0},
    {"disable, not allowed, wrong", "00260083 04 31313132", 0x6985, NULL, 0},
    {"disable, not allowed, not verified", "00260183", 0x6985, NULL, 0},
    {"enable, not allowed", "00280083 04 31313131", 0x6985, NULL, 0},
    {"enable, not allowed, not verified", "00280183", 0x6985, NULL, 0},
    {"disable, transport PIN", "00260085 04 30303030", 0x6985, NULL, 0},
    {"disable, transport PIN, not verified", "00260185", 0x6982, NULL, 0},
    {"enable, transport PIN", "00280085 04 30303030", 0x6985, NULL, 0},
    {"odd instruction", "00270081 06 313233343536", 0x6D00, NULL, 0},
    {"odd instruction", "00290081 06 313233343536", 0x6D00, NULL, 0},
};

static void bad_requirement_changes_nothing(void **state)
{
    struct bench *bench = *state;

    BENCH_ROWS(bench, bad_requirement);
    bench_expect(bench, "00200081", 0x63C3, NULL);
    bench_expect(bench, "00200083", 0x63C3, NULL);
    bench_expect(bench, "00200085", 0x63C3, NULL);
    with_pin_81(bench, 0x6982);
    bench_expect(bench, RIGHT, 0x9000, NULL);
    BENCH_ROWS(bench, bad_requirement);
    with_pin_81(bench, 0x9000);
    bench_expect(bench, "0020FF81", 0x9000, NULL);
    with_pin_81(bench, 0x6982);
}

/* ---- CHANGE REFERENCE DATA without the old value ---- */

static void changed_by_rule(void **state)
{
    static const struct card_row rows[] = {
        {"nobody verified 81", "00240184 04 30303030", 0x6982, NULL, 0},
        {"itself does not help", "00200084 04 32323232", 0x9000, NULL, 0},
        {"nobody verified 81", "00240184 04 30303030", 0x6982, NULL, 0},
        {"verify 81", RIGHT, 0x9000, NULL, 0},
        {"too short", "00240184 03 303030", 0x6A80, NULL, 0},
        {"too long", "00240184 0D 30303030303030303030303030", 0x6A80, NULL, 0},
        {"no data", "00240184", 0x6700, NULL, 0},
        {"verified still", "00200084", 0x9000, NULL, CARD_KEEPS},
        {"a rule that is never", "00240183 04 30303030", 0x6982, NULL, 0},
        {"a rule that is never, of 81 itself", "00240181 04 30303030", 0x6982, NULL, 0},
        {"a rule for secure messaging", "00240185 04 31313131", 0x6982, NULL, 0},
        {"no such PIN", "0024018C 04 30303030", 0x6A88, NULL, 0},
        {"new value", "00240184 04 30303030", 0x9000, NULL, 0},
        {"is not verified by that", "00200084", 0x63C3, NULL, CARD_KEEPS},
        {"the old one is wrong", "00200084 04 32323232", 0x63C2, NULL, 0},
        {"new value: all tries", "00240184 04 31313131", 0x9000, NULL, 0},
        {"all tries", "00200084", 0x63C3, NULL, CARD_KEEPS},
        {"the new one", "00200084 04 31313131", 0x9000, NULL, 0},
        {"wrong", "00200084 04 30303030", 0x63C2, NULL, 0},
        {"wrong", "00200084 04 30303030", 0x63C1, NULL, 0},
        {"wrong", "00200084 04 30303030", 0x63C0, NULL, 0},
        {"what is blocked stays so", "00240184 04 30303030", 0x6983, NULL, 0},
        {"81 no more", "0020FF81", 0x9000, NULL, CARD_KEEPS},
        {"the rule stands first", "00240184 04 30303030", 0x6982, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

/* ---- Under secure messaging ---- */

static void under_secure_messaging(void **state)
{
    static const struct card_row rows[] = {
        {"application", "00A4000C 02 5100", 0x9000, NULL, CARD_SM | CARD_KEEPS},
        {"disable, wrong", "00260081 06 313233343537", 0x63C2, NULL, CARD_SM},
        {"disable", "00260081 06 313233343536", 0x9000, NULL, CARD_SM},
        {"drop", "0020FF81", 0x9000, NULL, CARD_SM | CARD_KEEPS},
        {"not required", "00200081", 0x9000, NULL, CARD_SM | CARD_KEEPS},
        {"enable, not verified", "00280181", 0x6982, NULL, CARD_SM},
        {"enable", "00280081 06 313233343536", 0x9000, NULL, CARD_SM},
        {"disable, verified", "00260181", 0x9000, NULL, CARD_SM},
        {"enable, verified", "00280181", 0x9000, NULL, CARD_SM},
        {"drop", "0020FF81", 0x9000, NULL, CARD_SM | CARD_KEEPS},
        {"required", "00200081", 0x63C3, NULL, CARD_SM | CARD_KEEPS},
        {"disable, P1 01 with data", "00260181 06 313233343536", 0x6700, NULL, CARD_SM},
        {"enable, P1 00 without data", "00280081", 0x6700, NULL, CARD_SM},
        {"drop with data", "0020FF81 06 313233343536", 0x6700, NULL, CARD_SM},
        {"disable, too short", "00260081 03 313233", 0x6700, NULL, CARD_SM},
        {"disable, not allowed", "00260083 04 31313131", 0x6985, NULL, CARD_SM},
        {"disable, P1 02", "00260281 06 313233343536", 0x6A86, NULL, CARD_SM},
        {"transport PIN", "00200085 04 30303030", 0x6985, NULL, CARD_SM},
        {"new value, too short", "00240185 03 313233", 0x6A80, NULL, CARD_SM},
        {"new value by the issuer", "00240185 04 31323334", 0x9000, NULL, CARD_SM},
        {"which is not verified", "00200085", 0x63C3, NULL, CARD_SM | CARD_KEEPS},
        {"and no transport PIN", "00200085 04 31323334", 0x9000, NULL, CARD_SM},
        {"a rule that asks for another PIN", "00240184 04 30303030", 0x6982, NULL, CARD_SM},
    };
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    BENCH_ROWS(bench, rows);
}

#define PIN_TEST(function) cmocka_unit_test_setup_teardown(function, make_pins, card_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PIN_TEST(verified_no_more),          PIN_TEST(disabled_with_the_pin),
        PIN_TEST(disabled_after_the_pin),    PIN_TEST(each_disabled_pin_means_itself),
        PIN_TEST(a_disabled_pin_blocks_too), PIN_TEST(bad_requirement_changes_nothing),
        PIN_TEST(changed_by_rule),           PIN_TEST(under_secure_messaging),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
