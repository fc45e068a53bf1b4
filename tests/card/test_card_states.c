/* SPDX-License-Identifier: Apache-2.0
 *
 * What each state of the card's life serves: every command in every state, made from commands.def;
 * SET STATUS from everywhere to everywhere; locking.
 */
#include "card_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEAL      "80F0800F"
#define LOCK      "80F0807F"
#define TERMINATE "80F080FF"

/* ---- Which state serves what ---- */

#define ISO 0x01
#define GP  0x02
enum { SECURED_NO, SECURED_MAY, SECURED_MUST, SECURED_OWN };

/* A row of commands.def, and a command of it that any state that serves it refuses for `sw`. */
struct served {
    const char *name;
    uint8_t ins;
    unsigned states;
    uint8_t secured;
};

static const struct served table[] = {
#define COMMAND(name, text, classes, ins, p1, p2, p1p2, cases, states, secured, executor, handler, \
                clause)                                                                            \
    {#name, ins, states, SECURED_##secured},
#include "app_domain/commands.def"
#undef COMMAND
};

static const struct {
    const char *name, *apdu;
    uint16_t sw;
} samples[] = {
    {"SELECT", "00A40500", 0x6A86},
    {"READ_BINARY", "00B0800000", 0x6A86},
    {"READ_BINARY_ODD", "00B1600103 540100", 0x6A82},
    {"WRITE_BINARY", "00D0800001 00", 0x6A86},
    {"WRITE_BINARY_ODD", "00D1600103 540100", 0x6A82},
    {"UPDATE_BINARY", "00D6800001 00", 0x6A86},
    {"UPDATE_BINARY_ODD", "00D7600103 540100", 0x6A82},
    {"SEARCH_BINARY", "00A0800001 00", 0x6A86},
    {"SEARCH_BINARY_ODD", "00A1600103 540100", 0x6A82},
    {"ERASE_BINARY", "000E8000", 0x6A86},
    {"ERASE_BINARY_ODD", "000F6001", 0x6A82},
    {"READ_RECORD", "00B2FF0400", 0x6A86},
    {"READ_RECORD_ODD", "00B3FF0403 540100", 0x6A86},
    {"WRITE_RECORD", "00D2FF0401 00", 0x6A86},
    {"UPDATE_RECORD", "00DCFF0401 00", 0x6A86},
    {"UPDATE_RECORD_ODD", "00DDFF0403 540100", 0x6A86},
    {"APPEND_RECORD", "00E2010001 00", 0x6A86},
    {"SEARCH_RECORD", "00A2FF0401 00", 0x6A86},
    {"ERASE_RECORD", "000CFF04", 0x6A86},
    {"CREATE_FILE", "00E0800002 6200", 0x6A86},
    {"DELETE_FILE", "00E40500", 0x6A86},
    {"DEACTIVATE_FILE", "00040500", 0x6A86},
    {"ACTIVATE_FILE", "00440500", 0x6A86},
    {"TERMINATE_DF", "00E60500", 0x6A86},
    {"TERMINATE_EF", "00E80500", 0x6A86},
    {"TERMINATE_CARD_USAGE", "00FE0100", 0x6982},
    {"VERIFY", "00200181", 0x6A86},
    {"CHANGE_REFERENCE_DATA", "0024028101 00", 0x6A86},
    {"ENABLE_VERIFICATION", "00280281", 0x6A86},
    {"DISABLE_VERIFICATION", "00260281", 0x6A86},
    {"RESET_RETRY_COUNTER", "002C0481", 0x6A86},
    {"GET_CHALLENGE", "0084010008", 0x6A86},
    {"INTERNAL_AUTHENTICATE", "0088018201 00", 0x6A86},
    {"EXTERNAL_AUTHENTICATE", "0082018301 00", 0x6A86},
    {"GENERAL_AUTHENTICATE", "0086018201 00", 0x6A86},
    {"GENERAL_AUTHENTICATE_ODD", "0087018201 00", 0x6A86},
    {"MANAGE_SECURITY_ENVIRONMENT", "0022010001 00", 0x6A86},
    {"PERFORM_SECURITY_OPERATION", "002A000001 00", 0x6A86},
    {"GENERATE_KEY_PAIR", "0046020001 00", 0x6A86},
    {"GENERATE_KEY_PAIR_ODD", "0047020001 00", 0x6A86},
    {"MANAGE_CHANNEL", "00700020", 0x6A86},
    {"GET_DATA", "00CA000200", 0x6A86},
    {"GET_DATA_ODD", "00CB600104 5C025F01", 0x6A82},
    {"PUT_DATA", "00DA000001 00", 0x6A86},
    {"PUT_DATA_ODD", "00DB600104 5F010100", 0x6A82},
    {"INITIALIZE_UPDATE", "8050800008 0000000000000000", 0x6A86},
    {"GP_EXTERNAL_AUTHENTICATE", "8482FF0008 0000000000000000", 0x6A86},
    {"PUT_KEY", "80D8800001 00", 0x6982},
    {"STORE_DATA", "80E2010001 00", 0x6982},
    {"DELETE_KEY", "80E4010001 00", 0x6982},
    {"GET_STATUS", "80F2010002 4F00", 0x6A86},
    {"SET_STATUS", "80F00100", 0x6982},
    {"PRODUCTION_STEP", "80F10800", 0x6A86},
};

static void make_state(struct bench *bench, enum cos_life_cycle state)
{
    bench_free(bench);
    if (state >= COS_LIFE_OPERATIONAL) {
        bench_make(bench, &bench_host);
        if (state > COS_LIFE_OPERATIONAL) {
            bench_session(bench, 0x03);
            bench_expect_sm(bench, state == COS_LIFE_LOCKED ? LOCK : TERMINATE, 0x9000, NULL);
        }
    } else {
        bench_init(bench, &bench_host);
        assert_true(bench_power_on(bench));
        assert_true(bench_produce_to(bench, state));
    }
    assert_int_equal(bench->secure.life_cycle, state);
}

static uint16_t expected_in(const struct served *row, size_t i, enum cos_life_cycle state)
{
    if ((row->states & COS_LIFE_BIT(state)) == 0) {
        return 0x6985;
    }
    /* GET DATA is served in every state for the sake of one tag. */
    return state == COS_LIFE_TERMINATED && row->ins == 0xCA ? 0x6985 : samples[i].sw;
}

static void each_state_serves_what_the_table_says(void **state)
{
    struct bench *bench = *state;
    unsigned cells = 0;
    size_t bad = 0;

    assert_int_equal(CARD_COUNT(samples), CARD_COUNT(table));
    for (unsigned life = COS_LIFE_FABRICATED; life <= COS_LIFE_TERMINATED; life++) {
        make_state(bench, (enum cos_life_cycle)life);
        for (unsigned after_reset = 0; after_reset < 2; after_reset++) {
            for (size_t i = 0; i < CARD_COUNT(table); i++) {
                struct card_image image;
                assert_string_equal(table[i].name, samples[i].name);
                uint16_t wanted = expected_in(&table[i], i, (enum cos_life_cycle)life);
                card_image_take(bench, &image);
                uint16_t sw = bench_hex(bench, samples[i].apdu);
                bool same = card_image_same(bench, &image);
                if (sw != wanted || !same || bench->length != 0) {
                    print_error("%s in state %u: %04X, wanted %04X\n", table[i].name, life, sw,
                                wanted);
                    bad++;
                }
                cells++;
            }
            bench_reset(bench);
        }
    }
    print_message("# %u cells of state and command\n", cells);
    assert_int_equal(bad, 0);
}

/* Under secure messaging the same; P1-P2 that no row has come after the state. */
static void each_state_under_secure_messaging(void **state)
{
    struct bench *bench = *state;
    size_t bad = 0;

    for (unsigned life = COS_LIFE_FABRICATED; life <= COS_LIFE_TERMINATED; life++) {
        const bool keyed = (COS_STATES_KEYED & COS_LIFE_BIT(life)) != 0;
        make_state(bench, (enum cos_life_cycle)life);
        bench_reset(bench);
        bench_expect(bench, "04A4000008 0102030405060708", 0x6982, NULL);
        bench_expect(bench, "84CA006608 0102030405060708 00", 0x6982, NULL);
        if (!keyed) {
            continue;
        }
        assert_int_equal(bench_sm_open(bench, life == COS_LIFE_PRODUCED ? 0x30 : 0x01, 0x03),
                         0x9000);
        for (size_t i = 0; i < CARD_COUNT(table); i++) {
            uint8_t apdu[32];
            size_t length = bench_bytes(samples[i].apdu, apdu, sizeof apdu);
            if (table[i].secured == SECURED_OWN) {
                continue;
            }
            uint16_t wanted = expected_in(&table[i], i, (enum cos_life_cycle)life);
            if (wanted != 0x6985 && table[i].secured != SECURED_MAY) {
                wanted = table[i].secured == SECURED_NO ? 0x6882 : 0x6A86;
            }
            struct card_image image;
            card_image_take(bench, &image);
            uint16_t sw = bench_sm(bench, apdu[0], apdu[1], apdu[2], apdu[3], apdu + 5,
                                   length > 5 ? apdu[4] : 0);
            if (!card_image_same(bench, &image) || sw != wanted) {
                print_error("%s in state %u: %04X, wanted %04X\n", table[i].name, life, sw, wanted);
                bad++;
            }
        }
    }
    assert_int_equal(bad, 0);
}

/* ---- SET STATUS ---- */

static void set_status_in_every_state(void **state)
{
    static const struct {
        uint8_t to;
        uint16_t sw[5]; /* PRODUCED, INITIALIZED, PERSONALIZED, OPERATIONAL, LOCKED */
    } rows[] = {
        {0x0F, {0x6985, 0x6985, 0x9000, 0x6985, 0x9000}},
        {0x7F, {0x6985, 0x6985, 0x6985, 0x9000, 0x6985}},
        {0xFF, {0x6985, 0x9000, 0x9000, 0x9000, 0x9000}},
        {0x00, {0x6A86, 0x6A86, 0x6A86, 0x6A86, 0x6A86}},
        {0x01, {0x6A86, 0x6A86, 0x6A86, 0x6A86, 0x6A86}},
        {0x07, {0x6A86, 0x6A86, 0x6A86, 0x6A86, 0x6A86}},
        {0x83, {0x6A86, 0x6A86, 0x6A86, 0x6A86, 0x6A86}},
        {0xFE, {0x6A86, 0x6A86, 0x6A86, 0x6A86, 0x6A86}},
    };
    struct bench *bench = *state;

    for (unsigned life = COS_LIFE_PRODUCED; life <= COS_LIFE_LOCKED; life++) {
        for (size_t i = 0; i < CARD_COUNT(rows); i++) {
            char apdu[16];
            const uint16_t wanted = rows[i].sw[life - COS_LIFE_PRODUCED];
            struct card_image image;
            make_state(bench, (enum cos_life_cycle)life);
            snprintf(apdu, sizeof apdu, "80F080%02X", rows[i].to);
            bench_expect(bench, apdu, 0x6982, NULL);
            assert_int_equal(bench_sm_open(bench, life == COS_LIFE_PRODUCED ? 0x30 : 0x01, 0x01),
                             0x9000);
            card_image_take(bench, &image);
            uint16_t sw = bench_sm_hex(bench, apdu);
            bool same = card_image_same(bench, &image);
            if (sw != wanted || same != (wanted != 0x9000)) {
                fail_msg("%s in state %u: %04X", apdu, life, sw);
            }
            apdu[4] = '0'; /* P1 00 */
            if (wanted != 0x9000) {
                bench_expect_sm(bench, apdu, 0x6A86, NULL);
            }
        }
    }
}

static void a_locked_card_is_the_issuers(void **state)
{
    static const struct card_row locked[] = {
        {"state", "00CA010100", 0x9000, "C00107 C108 5443000000001234 C203 000100 C3017F",
         CARD_KEEPS},
        {"GlobalPlatform state", "80F2800002 4F00 00", 0x9000, "08 A000000151000000 7F 9E",
         CARD_KEEPS},
        {"the same as TLV", "80F2800202 4F00 00", 0x9000,
         "E311 4F08A000000151000000 9F70017F C5019E", CARD_KEEPS},
        {"production record", "80CA9F7F00", 0x9000, "9F7F2A*", CARD_KEEPS},
        {"PIN", "00200081 06 313233343536", 0x6985, NULL, 0},
        {"application", "00A4040C 09 F05457494E434F5301", 0x6985, NULL, 0},
        {"EF of before", "00B0000000", 0x6985, NULL, 0},
        {"challenge", "0084000008", 0x6985, NULL, 0},
    };
    static const struct card_row secured[] = {
        {"PUT KEY", "80D80081 01 02", 0x6985, NULL, CARD_SM},
        {"STORE DATA", "80E2E000 0C 801009830105C70435353535", 0x6985, NULL, CARD_SM},
        {"STORE DATA of the app chip", "80E28000 05 0A01023B00", 0x6985, NULL, CARD_SM},
        {"DELETE", "80E40000 03 D20102", 0x6985, NULL, CARD_SM},
        {"SELECT", "00A4000C 02 5100", 0x6985, NULL, CARD_SM},
        {"RESET RETRY COUNTER", "002C0381", 0x6985, NULL, CARD_SM},
        {"keys", "80CA00E0", 0x9000, "E012*", CARD_SM | CARD_KEEPS},
        {"unlock", SEAL, 0x9000, NULL, CARD_SM},
        {"SELECT", "00A4000C 02 5100", 0x9000, NULL, CARD_SM | CARD_KEEPS},
    };
    struct bench *bench = *state;

    bench_select(bench);
    bench_expect(bench, "00200081 06 313233343536", 0x9000, NULL);
    bench_session(bench, 0x03);
    bench_expect_sm(bench, LOCK, 0x9000, NULL);
    for (unsigned i = 0; i < 2; i++) {
        BENCH_ROWS(bench, locked);
        bench_reset(bench);
    }
    bench_session(bench, 0x03);
    BENCH_ROWS(bench, secured);
    bench_reset(bench);
    bench_select(bench);
    bench_expect(bench, "00200081 06 313233343536", 0x9000, NULL);
    bench_expect(bench, "00B0810006", 0x9000, "484F4C444552");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(each_state_serves_what_the_table_says),
        CARD_TEST(each_state_under_secure_messaging),
        CARD_TEST(set_status_in_every_state),
        CARD_TEST(a_locked_card_is_the_issuers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
