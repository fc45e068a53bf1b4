/* SPDX-License-Identifier: Apache-2.0
 *
 * VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER (ISO/IEC 7816-4:2013, 11.5.6 to 11.5.10);
 * test_card_format, test_card_requirement and test_card_uses have the rest.
 *
 * PIN 81 of the access application: 123456, 4 to 12 bytes, 3 tries, resetting code 82, reset
 * without code under secure messaging. PIN 82: 87654321, 8 bytes, 5 tries, no code, no reset. PIN
 * 84 (made here): 0102030405060708090A0B0C0D0E0F10, 16 bytes, 15 tries. Global PIN 01 (made here):
 * 31313131.
 */
#include "card_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RIGHT    "00200081 06 313233343536"
#define WRONG    "00200081 06 313233343537"
#define QUERY    "00200081"
#define CODE     "3837363534333231"
#define LONGEST  "0102030405060708090A0B0C0D0E0F10"
#define ZEROS_29 "0000000000000000000000000000000000000000000000000000000000"

static int make_pins(void **state)
{
    struct bench *bench;

    card_make(state);
    bench = *state;
    bench_session(bench, 0x03);
    assert_int_equal(bench_store(bench, "8010 09 830101 C704 31313131"), 0x9000);
    assert_int_equal(
        bench_store(bench,
                    "8010 29 830104 8409F05457494E434F5301 C0010F C10110 C20110 C710" LONGEST),
        0x9000);
    bench_reset(bench);
    bench_select(bench);
    return 0;
}

/* ---- VERIFY ---- */

static void verify_right_and_wrong(void **state)
{
    static const struct card_row rows[] = {
        {"query", QUERY, 0x63C3, NULL, CARD_KEEPS},
        {"query with Le", "0020008100", 0x63C3, NULL, CARD_KEEPS},
        {"wrong", WRONG, 0x63C2, NULL, 0},
        {"query", QUERY, 0x63C2, NULL, CARD_KEEPS},
        {"right", RIGHT, 0x9000, NULL, 0},
        {"query: verified", QUERY, 0x9000, NULL, CARD_KEEPS},
        {"the file", "00B0810001", 0x9000, "48", CARD_KEEPS},
        {"right again", RIGHT, 0x9000, NULL, 0},
        {"wrong", WRONG, 0x63C2, NULL, 0},
        {"query: verified no more", QUERY, 0x63C2, NULL, CARD_KEEPS},
        {"the file", "00B0810001", 0x6982, NULL, 0},
        {"longer, with the same beginning", "00200081 07 31323334353637", 0x63C1, NULL, 0},
        {"right: all tries are back", RIGHT, 0x9000, NULL, 0},
        {"shorter, with the same beginning", "00200081 05 3132333435", 0x63C2, NULL, 0},
        {"and a 00 behind it", "00200081 06 313233343500", 0x63C1, NULL, 0},
        {"right and a 00 behind it", "00200081 07 31323334353600", 0x63C0, NULL, 0},
        {"right, but blocked", RIGHT, 0x6983, NULL, 0},
        {"wrong, and blocked", WRONG, 0x6983, NULL, 0},
        {"query: blocked", QUERY, 0x6983, NULL, CARD_KEEPS},
        {"a wrong length stays one", "00200081 03 313233", 0x6700, NULL, 0},
        {"another PIN is not touched", "00200082 08" CODE, 0x9000, NULL, 0},
        {"nor the global one", "00200001 04 31313131", 0x9000, NULL, 0},
        {"still blocked", RIGHT, 0x6983, NULL, 0},
    };
    struct bench *bench = *state;

    BENCH_ROWS(bench, rows);
    bench_reset(bench);
    bench_select(bench);
    bench_expect(bench, RIGHT, 0x6983, NULL);
    bench_expect(bench, QUERY, 0x6983, NULL);
}

static void tries_count_down_from_fifteen(void **state)
{
    struct bench *bench = *state;

    for (unsigned left = 15; left-- > 0;) {
        bench_expect(bench, "00200084 10 00000000000000000000000000000000",
                     (uint16_t)(0x63C0 + left), NULL);
        if (left % 4 == 0) {
            bench_reset(bench);
            bench_select(bench);
        }
    }
    bench_expect(bench, "00200084 10" LONGEST, 0x6983, NULL);
}

static const struct card_row bad_verify[] = {
    {"reference 00", "00200000 06 313233343536", 0x6A88, NULL, 0},
    {"reference 1F", "0020001F 06 313233343536", 0x6A88, NULL, 0},
    {"reference 02", "00200002 06 313233343536", 0x6A88, NULL, 0},
    {"reference 20", "00200020 06 313233343536", 0x6A86, NULL, 0},
    {"reference 60", "00200060 06 313233343536", 0x6A86, NULL, 0},
    {"reference 80", "00200080 06 313233343536", 0x6A88, NULL, 0},
    {"reference 83", "00200083 06 313233343536", 0x6A88, NULL, 0},
    {"reference 9F", "0020009F 06 313233343536", 0x6A88, NULL, 0},
    {"reference A1", "002000A1 06 313233343536", 0x6A86, NULL, 0},
    {"reference C1", "002000C1 06 313233343536", 0x6A86, NULL, 0},
    {"reference FF", "002000FF 06 313233343536", 0x6A86, NULL, 0},
    {"query 00", "00200000", 0x6A88, NULL, 0},
    {"query 1F", "0020001F", 0x6A88, NULL, 0},
    {"query 60", "00200060", 0x6A86, NULL, 0},
    {"query 80", "00200080", 0x6A88, NULL, 0},
    {"query 83", "00200083", 0x6A88, NULL, 0},
    {"P1 01", "00200181 06 313233343536", 0x6A86, NULL, 0},
    {"P1 FE", "0020FE81", 0x6A86, NULL, 0},
    {"P1 FF, data", "0020FF81 06 313233343536", 0x6700, NULL, 0},
    {"P1 FF, reference 00", "0020FF00", 0x6A88, NULL, 0},
    {"P1 FF, reference 60", "0020FF60", 0x6A86, NULL, 0},
    {"P1 FF, reference 83", "0020FF83", 0x6A88, NULL, 0},
    {"1 byte", "00200081 01 31", 0x6700, NULL, 0},
    {"3 bytes", "00200081 03 313233", 0x6700, NULL, 0},
    {"13 bytes", "00200081 0D 31323334353600000000000000", 0x6700, NULL, 0},
    {"16 bytes", "00200081 10 31323334353600000000000000000000", 0x6700, NULL, 0},
    {"17 bytes", "00200081 11 3132333435360000000000000000000000", 0x6700, NULL, 0},
    {"32 bytes", "00200081 20 313233" ZEROS_29, 0x6700, NULL, 0},
    {"33 bytes", "00200081 21 31323334" ZEROS_29, 0x6700, NULL, 0},
    {"extended, a byte missing", "00200081 000007 313233343536", 0x6700, NULL, 0},
    {"7 bytes for PIN 82", "00200082 07 38373635343332", 0x6700, NULL, 0},
    {"9 bytes for PIN 82", "00200082 09 " CODE "00", 0x6700, NULL, 0},
    {"15 bytes for PIN 84", "00200084 0F 0102030405060708090A0B0C0D0E0F", 0x6700, NULL, 0},
    {"odd instruction", "00210081 06 313233343536", 0x6D00, NULL, 0},
};

static void bad_verify_spends_no_try(void **state)
{
    struct bench *bench = *state;

    BENCH_ROWS(bench, bad_verify);
    bench_expect(bench, QUERY, 0x63C3, NULL);
    bench_expect(bench, "00200081 000006 313233343536", 0x9000, NULL); /* extended, but right */
    BENCH_ROWS(bench, bad_verify);
    bench_expect(bench, QUERY, 0x9000, NULL); /* and takes no status away */
}

static void local_references_need_the_application(void **state)
{
    static const struct card_row rows[] = {
        {"MF", "00A40000", 0x9000, CARD_ANY, CARD_KEEPS},
        {"VERIFY", RIGHT, 0x6A88, NULL, 0},
        {"query", QUERY, 0x6A88, NULL, 0},
        {"change", "00240081 0C 313233343536363534333231", 0x6A88, NULL, 0},
        {"reset", "002C0181 08" CODE, 0x6A88, NULL, 0},
        {"global", "00200001 04 31313131", 0x9000, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

/* ---- CHANGE REFERENCE DATA ---- */

static void change_reference_data(void **state)
{
    static const struct card_row rows[] = {
        {"wrong old value", "00240081 0C 313233343537363534333231", 0x63C2, NULL, 0},
        {"right", "00240081 0C 313233343536363534333231", 0x9000, NULL, 0},
        {"is verified", QUERY, 0x9000, NULL, CARD_KEEPS},
        {"the old one is wrong", RIGHT, 0x63C2, NULL, 0},
        {"the new one is right", "00200081 06 363534333231", 0x9000, NULL, 0},
        {"to the shortest", "00240081 0A 363534333231 30303030", 0x9000, NULL, 0},
        {"to the longest", "00240081 10 30303030 323232323232323232323232", 0x9000, NULL, 0},
        {"one byte too long", "00240081 19 323232323232323232323232 33333333333333333333333333",
         0x6A80, NULL, CARD_WRITES},
        {"no longer verified, no try lost", QUERY, 0x63C3, NULL, CARD_KEEPS},
        {"one byte too short", "00240081 0F 323232323232323232323232 333333", 0x6A80, NULL,
         CARD_WRITES},
        {"no new value", "00240081 0C 323232323232323232323232", 0x6A80, NULL, CARD_WRITES},
        {"no try lost", QUERY, 0x63C3, NULL, CARD_KEEPS},
        {"not even the old value", "00240081 0B 3232323232323232323232", 0x63C2, NULL, 0},
        {"two bytes", "00240081 02 3232", 0x63C1, NULL, 0},
        {"one byte", "00240081 01 32", 0x6700, NULL, 0},
        {"33 bytes", "00240081 21 32323232" ZEROS_29, 0x6700, NULL, 0},
        {"no data", "00240081", 0x6700, NULL, 0},
        {"no data, Le", "0024008100", 0x6700, NULL, 0},
        {"P1 01: new only, which is never allowed", "00240181 06 313233343536", 0x6982, NULL, 0},
        {"P1 02", "00240281 0C 313233343536363534333231", 0x6A86, NULL, 0},
        {"reference 00", "00240000 0C 313233343536363534333231", 0x6A88, NULL, 0},
        {"reference 60", "00240060 0C 313233343536363534333231", 0x6A86, NULL, 0},
        {"reference 83", "00240083 0C 313233343536363534333231", 0x6A88, NULL, 0},
        {"nothing of that has changed it", "00200081 0C 323232323232323232323232", 0x9000, NULL, 0},
        {"wrong old value takes the status", "00240081 10 32323232323232323232323330303030", 0x63C2,
         NULL, 0},
        {"verified no more", QUERY, 0x63C2, NULL, CARD_KEEPS},
        {"wrong", "00240081 10 32323232323232323232323330303030", 0x63C1, NULL, 0},
        {"wrong", "00240081 10 32323232323232323232323330303030", 0x63C0, NULL, 0},
        {"blocked", "00240081 10 32323232323232323232323230303030", 0x6983, NULL, 0},
        {"blocked for VERIFY", "00200081 0C 323232323232323232323232", 0x6983, NULL, 0},
        {"the global one", "00240001 09 31313131 3232323232", 0x9000, NULL, 0},
        {"is changed", "00200001 05 3232323232", 0x9000, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

/* ---- RESET RETRY COUNTER ---- */

static void block(struct bench *bench)
{
    while (bench_hex(bench, WRONG) != 0x6983) {
        assert_int_equal(bench->sw & 0xFFF0, 0x63C0);
    }
}

static void reset_with_the_code(void **state)
{
    static const struct card_row rows[] = {
        {"code and new value", "002C0081 0E " CODE "373737373737", 0x9000, NULL, 0},
        {"tries are back, nothing verified", QUERY, 0x63C3, NULL, CARD_KEEPS},
        {"the old one is wrong", RIGHT, 0x63C2, NULL, 0},
        {"the new one is right", "00200081 06 373737373737", 0x9000, NULL, 0},
        {"code, new value while verified", "002C0081 0C " CODE "38383838", 0x9000, NULL, 0},
        {"takes the status away", QUERY, 0x63C3, NULL, CARD_KEEPS},
        {"wrong", WRONG, 0x63C2, NULL, 0},
        {"code only", "002C0181 08 " CODE, 0x9000, NULL, 0},
        {"tries are back", QUERY, 0x63C3, NULL, CARD_KEEPS},
        {"the value is the same", "00200081 04 38383838", 0x9000, NULL, 0},
        {"code only while verified", "002C0181 08 " CODE, 0x9000, NULL, 0},
        {"takes the status away", QUERY, 0x63C3, NULL, CARD_KEEPS},
        {"the code is not verified by this", "00200082", 0x63C5, NULL, CARD_KEEPS},
        {"wrong code", "002C0181 08 3837363534333230", 0x63C4, NULL, 0},
        {"the PIN's tries are not touched", QUERY, 0x63C3, NULL, CARD_KEEPS},
        {"wrong code, new value", "002C0081 0C 383736353433323030303030", 0x63C3, NULL, 0},
        {"code too short", "002C0181 07 38373635343332", 0x6700, NULL, 0},
        {"code too long", "002C0181 09 " CODE "00", 0x6700, NULL, 0},
        {"code too short for two parts", "002C0081 07 38373635343332", 0x6700, NULL, 0},
        {"that cost no try", "00200082", 0x63C3, NULL, CARD_KEEPS},
        {"right: the code's tries are back", "002C0181 08 " CODE, 0x9000, NULL, 0},
        {"new value too short", "002C0081 0B " CODE "303030", 0x6A80, NULL, 0},
        {"new value too long", "002C0081 15 " CODE "30303030303030303030303030", 0x6A80, NULL, 0},
        {"no new value", "002C0081 08 " CODE, 0x6A80, NULL, 0},
        {"new value too short, wrong code", "002C0081 0B 3837363534333230 303030", 0x6A80, NULL, 0},
        {"the value is the same", "00200081 04 38383838", 0x9000, NULL, 0},
        {"the code's tries are too", "00200082", 0x63C5, NULL, CARD_KEEPS},
    };
    struct bench *bench = *state;

    block(bench);
    BENCH_ROWS(bench, rows);
}

static void bad_reset_changes_nothing(void **state)
{
    static const struct card_row rows[] = {
        {"P1 04", "002C0481 08 " CODE, 0x6A86, NULL, 0},
        {"P1 00, no data", "002C0081", 0x6700, NULL, 0},
        {"P1 01, no data", "002C0181", 0x6700, NULL, 0},
        {"P1 02, no data", "002C0281", 0x6700, NULL, 0},
        {"P1 03, data", "002C0381 01 00", 0x6700, NULL, 0},
        {"33 bytes", "002C0081 21 38373635" ZEROS_29, 0x6700, NULL, 0},
        {"new value without secure messaging", "002C0281 06 303030303030", 0x6982, NULL, 0},
        {"reset without secure messaging", "002C0381", 0x6982, NULL, 0},
        {"a PIN without code", "002C0182 08 " CODE, 0x6985, NULL, 0},
        {"a PIN without code, new value", "002C0082 10 " CODE CODE, 0x6985, NULL, 0},
        {"a PIN that is never reset", "002C0282 08 " CODE, 0x6982, NULL, 0},
        {"a PIN that is never reset", "002C0382", 0x6982, NULL, 0},
        {"reference 00", "002C0100 08 " CODE, 0x6A88, NULL, 0},
        {"reference 60", "002C0160 08 " CODE, 0x6A86, NULL, 0},
        {"reference 83", "002C0183 08 " CODE, 0x6A88, NULL, 0},
        {"still blocked", RIGHT, 0x6983, NULL, 0},
    };
    struct bench *bench = *state;

    block(bench);
    BENCH_ROWS(bench, rows);
}

static void the_code_blocks_too(void **state)
{
    struct bench *bench = *state;

    block(bench);
    for (unsigned left = 5; left-- > 0;) {
        bench_expect(bench, "002C0181 08 0000000000000000", (uint16_t)(0x63C0 + left), NULL);
    }
    bench_expect(bench, "002C0181 08 " CODE, 0x6983, NULL);
    bench_expect(bench, "002C0081 0E " CODE "373737373737", 0x6983, NULL);
    bench_expect(bench, RIGHT, 0x6983, NULL);
    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A4000C 02 5100", 0x9000, NULL);
    bench_expect_sm(bench, "002C0381", 0x9000, NULL); /* the issuer's rule still helps */
    bench_expect(bench, QUERY, 0x63C3, NULL);
    bench_expect(bench, RIGHT, 0x9000, NULL);
}

static void reset_by_the_issuer(void **state)
{
    static const struct card_row rows[] = {
        {"application", "00A4000C 02 5100", 0x9000, NULL, CARD_SM | CARD_KEEPS},
        {"new value too short", "002C0281 03 393939", 0x6A80, NULL, CARD_SM},
        {"new value too long", "002C0281 0D 39393939393939393939393939", 0x6A80, NULL, CARD_SM},
        {"reset with data", "002C0381 04 39393939", 0x6700, NULL, CARD_SM},
        {"a PIN that is never reset", "002C0382", 0x6982, NULL, CARD_SM},
        {"a PIN that is never reset", "002C0282 08 " CODE, 0x6982, NULL, CARD_SM},
        {"new value", "002C0281 04 39393939", 0x9000, NULL, CARD_SM},
        {"not verified", QUERY, 0x63C3, NULL, CARD_SM | CARD_KEEPS},
        {"the new one", "00200081 04 39393939", 0x9000, NULL, CARD_SM},
        {"counter only", "002C0381", 0x9000, NULL, CARD_SM},
        {"takes the status away", QUERY, 0x63C3, NULL, CARD_SM | CARD_KEEPS},
    };
    struct bench *bench = *state;

    block(bench);
    bench_session(bench, 0x03);
    BENCH_ROWS(bench, rows);
}

/* ---- A try is spent before anything is compared ---- */

/* Sees each secret that is taken from the store, which is the only thing deciphered with a key of
 * 32 bytes, and how many NVM operations stood before it. */
static struct {
    struct bench *bench;
    struct cos_crypto crypto;
    uint64_t operations;
    bool seen;
    bool cut;
} watch;

static enum cos_result watched_open(void *context, const uint8_t *key, size_t key_length,
                                    const uint8_t nonce[COS_CCM_NONCE], const uint8_t *associated,
                                    size_t associated_length, uint8_t *data, size_t length,
                                    uint8_t tag[COS_CCM_TAG])
{
    if (key_length == 32 && !watch.seen) {
        watch.seen = true;
        watch.operations = watch.bench->power.operations;
        if (watch.cut) {
            sim_power_off(&watch.bench->power);
        }
    }
    return cos_crypto_tomcrypt.aes_ccm_open(context, key, key_length, nonce, associated,
                                            associated_length, data, length, tag);
}

static void start_watch(struct bench *bench, bool cut)
{
    watch.bench = bench;
    watch.crypto = cos_crypto_tomcrypt;
    watch.crypto.aes_ccm_open = watched_open;
    bench_power_off(bench);
    bench->secure_config.crypto = &watch.crypto;
    assert_true(bench_power_on(bench));
    bench_select(bench);
    watch.seen = false;
    watch.cut = cut;
    watch.operations = 0;
}

static void end_watch(struct bench *bench)
{
    bench->secure_config.crypto = &cos_crypto_tomcrypt;
    bench_reset(bench);
    bench_select(bench);
}

static const struct {
    const char *what, *apdu;
    const char *query;
    uint16_t spent;
} compared[] = {
    {"VERIFY, right", RIGHT, QUERY, 0x63C2},
    {"VERIFY, wrong", WRONG, QUERY, 0x63C2},
    {"CHANGE, right", "00240081 0C 313233343536363534333231", QUERY, 0x63C2},
    {"CHANGE, wrong", "00240081 0C 313233343537363534333231", QUERY, 0x63C2},
    {"RESET, right", "002C0181 08 " CODE, "00200082", 0x63C4},
    {"RESET, wrong", "002C0181 08 3837363534333230", "00200082", 0x63C4},
    {"ENABLE, right", "00280085 04 30303030", "00200085", 0x63C2},
    {"ENABLE, wrong", "00280085 04 30303031", "00200085", 0x63C2},
    {"DISABLE, right", "00260085 04 30303030", "00200085", 0x63C2},
    {"DISABLE, wrong", "00260085 04 30303031", "00200085", 0x63C2},
};

/* A card with PIN 85, which may be disabled. */
static void make_compared(struct bench *bench)
{
    bench_free(bench);
    bench_make(bench, &bench_host);
    bench_session(bench, 0x03);
    assert_int_equal(
        bench_store(bench, "8010 17 830105 8409F05457494E434F5301 CC0104 C704 30303030"), 0x9000);
}

static void a_try_is_spent_before_the_comparison(void **state)
{
    struct bench *bench = *state;

    for (size_t i = 0; i < CARD_COUNT(compared); i++) {
        make_compared(bench);
        start_watch(bench, true);
        const uint64_t before = bench->power.operations;
        (void)bench_hex(bench, compared[i].apdu); /* power goes when the value is fetched */
        assert_true(watch.seen);
        assert_true(watch.operations > before);
        end_watch(bench);
        if (bench_hex(bench, compared[i].query) != compared[i].spent) {
            fail_msg("%s: %04X", compared[i].what, bench->sw);
        }
    }
}

/* Power is torn at every NVM operation of every such command, with whatever content. */
static void torn_power_gives_no_try_back(void **state)
{
    static const enum sim_content contents[] = {SIM_NOTHING, SIM_ALL, SIM_GARBAGE};
    struct bench *bench = *state;
    unsigned cuts = 0;

    for (size_t i = 0; i < CARD_COUNT(compared); i++) {
        bool done = false;
        for (uint32_t n = 1; !done; n++) {
            for (size_t c = 0; c < CARD_COUNT(contents); c++) {
                make_compared(bench);
                start_watch(bench, false);
                sim_power_cut(&bench->power, n, contents[c], n);
                (void)bench_hex(bench, compared[i].apdu);
                done = !bench->power.dead;
                bool fetched = watch.seen;
                bool right = i % 2 == 0;
                end_watch(bench);
                uint16_t left = bench_hex(bench, compared[i].query);
                uint16_t full = (uint16_t)(compared[i].spent + 1);
                /* 9000: it is disabled */
                assert_true(left == full || left == compared[i].spent || (right && left == 0x9000));
                if (fetched && !right) {
                    assert_int_equal(left, compared[i].spent);
                }
                cuts++;
            }
        }
    }
    print_message("# %u cuts\n", cuts);
}

#define PIN_TEST(function) cmocka_unit_test_setup_teardown(function, make_pins, card_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PIN_TEST(verify_right_and_wrong),        PIN_TEST(tries_count_down_from_fifteen),
        PIN_TEST(bad_verify_spends_no_try),      PIN_TEST(local_references_need_the_application),
        PIN_TEST(change_reference_data),         PIN_TEST(reset_with_the_code),
        PIN_TEST(bad_reset_changes_nothing),     PIN_TEST(the_code_blocks_too),
        PIN_TEST(reset_by_the_issuer),           CARD_TEST(a_try_is_spent_before_the_comparison),
        CARD_TEST(torn_power_gives_no_try_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
