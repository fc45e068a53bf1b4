/* SPDX-License-Identifier: Apache-2.0
 *
 * Formats of PINs (docs/formats.md, "Formats of PINs"): when they are personalized, presented and
 * set.
 *
 * Global PINs: 03 ASCII digits, 4 to 8: 1234. 04 as PIV clients send it, 6 to 8 digits padded to
 * 8 bytes: 123456; resetting code 07. 05 BCD, 4 to 7 digits: 12345. 06 format 2 PIN block, 4 to 12
 * digits: 123456. 07 eight bytes: 01 to 08. 08 BCD, always 5 or 6 digits: 12345. 09 ASCII digits,
 * resetting code 03. 0A padded to 16 bytes.
 */
#include "card_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define PIV  "313233343536FFFF"
#define PIV2 "3837363534333231"
#define CODE "0102030405060708"

static int make_pins(void **state)
{
    static const char *const pins[] = {
        "830103 C90101 C10104 C20108 C704 31323334",
        "830104 C90172 C10106 C20108 C30107 C708" PIV,
        "830105 C90103 C10104 C20107 C703 12345F",
        "830106 C90104 C708 26123456FFFFFFFF",
        "830107 C10108 C20108 C708" CODE,
        "830108 C90103 C10105 C20106 C703 12345F",
        "830109 C90101 C10104 C20108 C30103 C704 31313131",
        "83010A C901F2 C10101 C20110 C710 31FFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
    };
    struct bench *bench;

    card_make(state);
    bench = *state;
    bench_store_pins(bench, pins, CARD_COUNT(pins));
    bench_reset(bench);
    return 0;
}

/* ---- What is personalized ---- */

static void malformed_pins_are_not_stored(void **state)
{
    static const char *const malformed[] = {
        /* the value */
        "83010B C90101 C704 3132333A",
        "83010B C90101 C704 2F323334",
        "83010B C90101 C705 31323334FF",
        "83010B C90101 C703 313233",
        "83010B C90101 C70D 31323334353637383930313233",
        "83010B C90172 C20108 C706 313233343536",
        "83010B C90172 C20108 C709 313233343536FFFFFF",
        "83010B C90172 C20108 C708 31323334FF36FFFF",
        "83010B C90172 C20108 C708 3132333435360000",
        "83010B C90172 C20108 C708 313233FFFFFFFFFF",
        "83010B C90172 C20106 C708 31323334353637FF",
        "83010B C90103 C703 1234FF",
        "83010B C90103 C703 1234F5",
        "83010B C90103 C703 1234A5",
        "83010B C90103 C702 123F",
        "83010B C90103 C20105 C703 123456",
        "83010B C90104 C708 25123456FFFFFFFF",
        "83010B C90104 C708 27123456FFFFFFFF",
        "83010B C90104 C708 16123456FFFFFFFF",
        "83010B C90104 C708 2612345AFFFFFFFF",
        "83010B C90104 C708 26123456FFFFFFF0",
        "83010B C90104 C708 26123456FFFFFF1F",
        "83010B C90104 C708 23123FFFFFFFFFFF",
        "83010B C90104 C708 2D12345678901234",
        "83010B C90104 C707 26123456FFFFFF",
        "83010B C90104 C10107 C708 26123456FFFFFFFF",
        /* the format, and what it leaves for the lengths */
        "83010B C90105 C704 31323334",
        "83010B C9010F C704 31323334",
        "83010B C90110 C704 31323334",
        "83010B C90111 C704 31323334",
        "83010B C90173 C704 31323334",
        "83010B C90174 C708 26123456FFFFFFFF",
        "83010B C90172 C708 313233343536FFFF",
        "83010B C90172 C20109 C708 313233343536FFFF",
        "83010B C90103 C20121 C704 12345678",
        "83010B C90104 C10103 C708 26123456FFFFFFFF",
        "83010B C90104 C2010D C708 26123456FFFFFFFF",
        "83010B C20111 C704 31323334",
        "83010B C10100 C704 31323334",
        "83010B C10105 C20104 C705 3132333435",
        "83010B C902 0100 C704 31323334",
        "83010B C900 C704 31323334",
        /* uses, rule for change, what may be disabled, state */
        "83010B CA02 0000 C704 31323334",
        "83010B CA01 05 C704 31323334",
        "83010B CA03 000005 C704 31323334",
        "83010B CB01 80 C704 31323334",
        "83010B CB01 9F C704 31323334",
        "83010B CB00 C704 31323334",
        "83010B CC01 01 C704 31323334",
        "83010B CC01 05 C704 31323334",
        "83010B CC02 0404 C704 31323334",
        "83010B CD01 01 C704 31323334",
        "83010B CC0104 CD01 03 C704 31323334",
        "83010B CC0104 CD01 04 C704 31323334",
        "83010B CD02 0202 C704 31323334",
    };
    struct bench *bench = *state;
    struct card_image image;

    bench_session(bench, 0x03);
    for (size_t i = 0; i < CARD_COUNT(malformed); i++) {
        card_image_take(bench, &image);
        const uint16_t sw = bench_store_one(bench, "8010", malformed[i]);
        if (!card_image_same(bench, &image) || sw != 0x6A80) {
            fail_msg("%s: %04X", malformed[i], sw);
        }
    }
    bench_expect(bench, "0020000B", 0x6A88, NULL);
}

/* None of it is an attribute of an AES key, which is well without. */
static void keys_are_no_pins(void **state)
{
    static const char *const attributes[] = {"C90101", "CC0104", "CD0100", "C10104",
                                             "C2010C", "C30102", "C40100", ""};
    struct bench *bench = *state;
    char value[128];

    bench_session(bench, 0x03);
    for (size_t i = 0; i < CARD_COUNT(attributes); i++) {
        (void)snprintf(value, sizeof value, "830101 800101 950101 %s C710 %032d", attributes[i], 1);
        assert_int_equal(bench_store_one(bench, "8020", value),
                         attributes[i][0] != 0 ? 0x6A80 : 0x9000);
    }
}

static void the_longest_of_each_format(void **state)
{
    static const struct {
        const char *pin, *verify;
    } longest[] = {
        {"83010B C90101 C20110 C710 31323334353637383930313233343536",
         "0020000B 10 31323334353637383930313233343536"},
        {"83010B C901F2 C20110 C710 31323334353637383930313233343536",
         "0020000B 10 31323334353637383930313233343536"},
        {"83010B C90132 C20104 C704 31323334", "0020000B 04 31323334"},
        {"83010B C90103 C20120 C710 12345678901234567890123456789012",
         "0020000B 10 12345678901234567890123456789012"},
        {"83010B C90103 C10101 C701 1F", "0020000B 01 1F"},
        {"83010B C90104 C708 2C123456789012FF", "0020000B 08 2C123456789012FF"},
        {"83010B C90104 C708 241234FFFFFFFFFF", "0020000B 08 241234FFFFFFFFFF"},
    };
    struct bench *bench = *state;

    for (size_t i = 0; i < CARD_COUNT(longest); i++) {
        bench_session(bench, 0x03);
        assert_int_equal(bench_store_one(bench, "8010", longest[i].pin), 0x9000);
        bench_expect(bench, longest[i].verify, 0x9000, NULL);
    }
}

/* ---- What is presented ---- */

/* 6700: no PIN is so long; 6A80: none looks so. That costs nothing, and takes nothing away. */
static const struct card_row malformed[] = {
    {"digits: 3", "00200003 03 313233", 0x6700, NULL, 0},
    {"digits: 9", "00200003 09 313233343536373839", 0x6700, NULL, 0},
    {"digits: 3A", "00200003 04 3132333A", 0x6A80, NULL, 0},
    {"digits: 2F", "00200003 04 2F323334", 0x6A80, NULL, 0},
    {"digits: FF", "00200003 05 31323334FF", 0x6A80, NULL, 0},
    {"digits: 00", "00200003 04 00000000", 0x6A80, NULL, 0},
    {"padded: 6 bytes", "00200004 06 313233343536", 0x6700, NULL, 0},
    {"padded: 7 bytes", "00200004 07 313233343536FF", 0x6700, NULL, 0},
    {"padded: 9 bytes", "00200004 09 313233343536FFFFFF", 0x6700, NULL, 0},
    {"padded with 00", "00200004 08 3132333435360000", 0x6A80, NULL, 0},
    {"padded: 5 digits", "00200004 08 3132333435FFFFFF", 0x6A80, NULL, 0},
    {"padded: no digit", "00200004 08 FFFFFFFFFFFFFFFF", 0x6A80, NULL, 0},
    {"padded: a letter", "00200004 08 31323334353641FF", 0x6A80, NULL, 0},
    {"padded: a digit behind the filler", "00200004 08 313233343536FF31", 0x6A80, NULL, 0},
    {"BCD: 1 byte", "00200005 01 12", 0x6700, NULL, 0},
    {"BCD: 5 bytes", "00200005 05 1234567890", 0x6700, NULL, 0},
    {"BCD: 3 digits", "00200005 02 123F", 0x6A80, NULL, 0},
    {"BCD: 8 digits", "00200005 04 12345678", 0x6A80, NULL, 0},
    {"BCD: F in front", "00200005 03 1234F5", 0x6A80, NULL, 0},
    {"BCD: two fillers", "00200005 03 1234FF", 0x6A80, NULL, 0},
    {"BCD: A", "00200005 03 12345A", 0x6A80, NULL, 0},
    {"block: 7 bytes", "00200006 07 26123456FFFFFF", 0x6700, NULL, 0},
    {"block: 9 bytes", "00200006 09 26123456FFFFFFFFFF", 0x6700, NULL, 0},
    {"block: control 1", "00200006 08 16123456FFFFFFFF", 0x6A80, NULL, 0},
    {"block: length 5 of 6", "00200006 08 25123456FFFFFFFF", 0x6A80, NULL, 0},
    {"block: length 7 of 6", "00200006 08 27123456FFFFFFFF", 0x6A80, NULL, 0},
    {"block: 3 digits", "00200006 08 23123FFFFFFFFFFF", 0x6A80, NULL, 0},
    {"block: 13 digits", "00200006 08 2D1234567890123F", 0x6A80, NULL, 0},
    {"block: length F", "00200006 08 2F12345678901234", 0x6A80, NULL, 0},
    {"block: a digit behind the filler", "00200006 08 26123456FFFFFFF1", 0x6A80, NULL, 0},
    {"block: B", "00200006 08 2612345BFFFFFFFF", 0x6A80, NULL, 0},
    {"block: in ASCII", "00200006 08 3132333435360000", 0x6A80, NULL, 0},
    {"change, padded: old malformed", "00240004 10 3132333435360000" PIV2, 0x6A80, NULL, 0},
    {"change, padded: new malformed", "00240004 10 " PIV "3132333435360000", 0x6A80, NULL, 0},
    {"change, padded: wrong, new malformed", "00240004 10 " PIV2 "3132333435360000", 0x6A80, NULL,
     0},
    {"change, padded: new too short", "00240004 0F " PIV "31323334353637", 0x6A80, NULL, 0},
    {"change, padded: no new", "00240004 08 " PIV, 0x6A80, NULL, 0},
    {"change, padded: half an old", "00240004 04 31323334", 0x6700, NULL, 0},
    {"change, block: new malformed", "00240006 10 26123456FFFFFFFF 1C123456789012FF", 0x6A80, NULL,
     0},
    {"change, one size of BCD: old malformed", "00240008 06 1234FF 12345F", 0x6A80, NULL, 0},
    {"change, one size of BCD: new malformed", "00240008 06 12345F 1234FF", 0x6A80, NULL, 0},
    {"unblock, padded: new malformed", "002C0004 10 " CODE "313233FFFFFFFFFF", 0x6A80, NULL, 0},
    {"unblock, padded: no new", "002C0004 08 " CODE, 0x6A80, NULL, 0},
    {"unblock: code too short", "002C0104 07 01020304050607", 0x6700, NULL, 0},
    {"unblock: code malformed", "002C0109 04 3132333A", 0x6A80, NULL, 0},
};

static const struct card_row full[] = {
    {"digits", "00200003", 0x63C3, NULL, CARD_KEEPS},
    {"padded", "00200004", 0x63C3, NULL, CARD_KEEPS},
    {"BCD", "00200005", 0x63C3, NULL, CARD_KEEPS},
    {"block", "00200006", 0x63C3, NULL, CARD_KEEPS},
    {"code", "00200007", 0x63C3, NULL, CARD_KEEPS},
    {"BCD of one size", "00200008", 0x63C3, NULL, CARD_KEEPS},
};

static const struct card_row right[] = {
    {"digits", "00200003 04 31323334", 0x9000, NULL, 0},
    {"padded", "00200004 08 " PIV, 0x9000, NULL, 0},
    {"BCD", "00200005 03 12345F", 0x9000, NULL, 0},
    {"block", "00200006 08 26123456FFFFFFFF", 0x9000, NULL, 0},
    {"code", "00200007 08 " CODE, 0x9000, NULL, 0},
    {"BCD of one size", "00200008 03 12345F", 0x9000, NULL, 0},
};

static const struct card_row verified[] = {
    {"digits", "00200003", 0x9000, NULL, CARD_KEEPS},
    {"padded", "00200004", 0x9000, NULL, CARD_KEEPS},
    {"BCD", "00200005", 0x9000, NULL, CARD_KEEPS},
    {"block", "00200006", 0x9000, NULL, CARD_KEEPS},
    {"code", "00200007", 0x9000, NULL, CARD_KEEPS},
    {"BCD of one size", "00200008", 0x9000, NULL, CARD_KEEPS},
};

static void what_no_pin_can_be_costs_no_try(void **state)
{
    struct bench *bench = *state;

    BENCH_ROWS(bench, malformed);
    BENCH_ROWS(bench, full);
    BENCH_ROWS(bench, right);
    BENCH_ROWS(bench, malformed);
    BENCH_ROWS(bench, verified);
}

/* Well-formed, and wrong: each costs one, whatever it differs in. */
static void what_a_pin_could_be_is_compared(void **state)
{
    static const struct card_row rows[] = {
        {"digits: one more", "00200003 05 3132333435", 0x63C2, NULL, 0},
        {"digits: the last one", "00200003 04 31323335", 0x63C1, NULL, 0},
        {"padded: one more", "00200004 08 31323334353637FF", 0x63C2, NULL, 0},
        {"padded: two more", "00200004 08 3132333435363738", 0x63C1, NULL, 0},
        {"BCD: one less", "00200005 02 1234", 0x63C2, NULL, 0},
        {"BCD: one more", "00200005 03 123456", 0x63C1, NULL, 0},
        {"block: one less", "00200006 08 2512345FFFFFFFFF", 0x63C2, NULL, 0},
        {"block: the first one", "00200006 08 26223456FFFFFFFF", 0x63C1, NULL, 0},
        {"change, digits of many sizes: old malformed", "00240003 08 3132333A 31323334", 0x63C0,
         NULL, 0},
        {"a code of many sizes that is no digits", "002C0009 08 31323334 31313131", 0x6983, NULL,
         0},
        {"malformed, and blocked: still malformed", "00200003 04 3132333A", 0x6A80, NULL, 0},
        {"change, BCD of many sizes", "00240005 06 12345F 1234FF", 0x6A80, NULL, CARD_WRITES},
        {"gave the tries back", "00200005", 0x63C3, NULL, CARD_KEEPS},
    };
    BENCH_ROWS(*state, rows);
}

/* ---- What is set ---- */

static void new_values_have_the_format(void **state)
{
    static const struct card_row rows[] = {
        {"digits: to 8", "00240003 0C 31323334 3132333435363738", 0x9000, NULL, 0},
        {"digits: malformed", "00240003 0C 3132333435363738 3132333A", 0x6A80, NULL, CARD_WRITES},
        {"digits: to 4", "00240003 0C 3132333435363738 30303030", 0x9000, NULL, 0},
        {"padded", "00240004 10 " PIV PIV2, 0x9000, NULL, 0},
        {"is verified", "00200004", 0x9000, NULL, CARD_KEEPS},
        {"the old one is wrong", "00200004 08 " PIV, 0x63C2, NULL, 0},
        {"wrong old value", "00240004 10 " PIV PIV2, 0x63C1, NULL, 0},
        {"wrong code", "002C0004 10 0102030405060709" PIV, 0x63C2, NULL, 0},
        {"by the code", "002C0004 10 " CODE PIV, 0x9000, NULL, 0},
        {"is not verified", "00200004", 0x63C3, NULL, CARD_KEEPS},
        {"new one", "00200004 08 " PIV, 0x9000, NULL, 0},
        {"BCD: to 7 digits", "00240005 07 12345F 7654321F", 0x9000, NULL, 0},
        {"BCD: to 4 digits", "00240005 06 7654321F 0000", 0x9000, NULL, 0},
        {"BCD: new one", "00200005 02 0000", 0x9000, NULL, 0},
        {"block: to 12", "00240006 10 26123456FFFFFFFF 2C123456789012FF", 0x9000, NULL, 0},
        {"block: new one", "00200006 08 2C123456789012FF", 0x9000, NULL, 0},
        {"padded to 16",
         "002400 0A 20 31FFFFFFFFFFFFFFFFFFFFFFFFFFFFFF "
         "3233FFFFFFFFFFFFFFFFFFFFFFFFFFFF",
         0x9000, NULL, 0},
        {"a code of digits, by itself", "002C0109 04 30303030", 0x9000, NULL, 0},
        {"and with a new value", "002C0009 09 30303030 3939393939", 0x9000, NULL, 0},
        {"which is not digits", "002C0009 08 30303030 3939393A", 0x6A80, NULL, CARD_WRITES},
        {"the code's tries are back", "00200003", 0x63C3, NULL, CARD_KEEPS},
        {"the new one", "00200009 05 3939393939", 0x9000, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

#define FORMAT_TEST(function) cmocka_unit_test_setup_teardown(function, make_pins, card_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(malformed_pins_are_not_stored),     CARD_TEST(keys_are_no_pins),
        CARD_TEST(the_longest_of_each_format),        FORMAT_TEST(what_no_pin_can_be_costs_no_try),
        FORMAT_TEST(what_a_pin_could_be_is_compared), FORMAT_TEST(new_values_have_the_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
