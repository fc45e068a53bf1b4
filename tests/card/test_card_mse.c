/* SPDX-License-Identifier: Apache-2.0
 *
 * MANAGE SECURITY ENVIRONMENT of a whole card (ISO/IEC 7816-4:2013, 11.5.11).
 *
 * Keys of the access application: 84 and 85 AES-128 that encipher and decipher, 86 and 87 the same
 * that make and verify checksums; global 04 as 84. The key bytes are 16 times the
 * number, and of 04 A4.
 */
#include "crypt_rig.h"

#include "secure_domain/domain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SM     CARD_SM
#define KEEPS  CARD_KEEPS
#define MF     "00A4000C 02 3F00"
#define PLAIN  "00112233445566778899AABBCCDDEEFF"
#define CIPHER "002A8480 10 " PLAIN
#define CHECK  "002A8E80 10 " PLAIN
#define CRYPTS "CE010A C710 "
#define CHECKS "CE0130 C710 "
#define TIMES_16(byte)                                                                             \
    byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte

/* What the keys make of PLAIN: AES-128 (FIPS 197), CMAC (SP 800-38B); from OpenSSL. */
static char by_84[33], by_85[33], by_04[33], mac_86[33], mac_87[33];

static void take(struct bench *bench, const char *set, const char *compute, char text[33])
{
    bench_expect(bench, set, 0x9000, NULL);
    bench_expect(bench, compute, 0x9000, CARD_ANY);
    assert_int_equal(bench->length, 16);
    for (size_t i = 0; i < 16; i++) {
        (void)snprintf(text + 2 * i, 3, "%02X", bench->data[i]);
    }
}

static int make_keys(void **state)
{
    struct bench *bench;

    card_make(state);
    bench = *state;
    bench_session(bench, 0x03);
    assert_int_equal(crypt_store(bench, 4, OF_APPLICATION " 800101 " CRYPTS TIMES_16("04")),
                     0x9000);
    assert_int_equal(crypt_store(bench, 5, OF_APPLICATION " 800101 " CRYPTS TIMES_16("05")),
                     0x9000);
    assert_int_equal(crypt_store(bench, 6, OF_APPLICATION " 800101 " CHECKS TIMES_16("06")),
                     0x9000);
    assert_int_equal(crypt_store(bench, 7, OF_APPLICATION " 800101 " CHECKS TIMES_16("07")),
                     0x9000);
    assert_int_equal(crypt_store(bench, 4, "800101 " CRYPTS TIMES_16("A4")), 0x9000);
    bench_select(bench);
    take(bench, "0022C1B8 06 800106 830184", CIPHER, by_84);
    take(bench, "0022C1B8 06 800106 830185", CIPHER, by_85);
    take(bench, "0022C1B8 06 800106 830104", CIPHER, by_04);
    take(bench, "0022C1B4 03 830186", CHECK, mac_86);
    take(bench, "0022C1B4 03 830187", CHECK, mac_87);
    assert_string_not_equal(by_84, by_85);
    assert_string_not_equal(mac_86, mac_87);
    bench_reset(bench);
    bench_select(bench);
    return 0;
}

/* ---- SET ---- */

static void set_takes_well_formed_templates(void **state)
{
    static const struct card_row rows[] = {
        {"P1 00", "002200B8 03 830184", 0x6A86, NULL, 0},
        {"P1 01", "002201B8 03 830184", 0x6A86, NULL, 0},
        {"P1 11", "002211B8 03 830184", 0x6A86, NULL, 0},
        {"P1 42", "002242B8 03 830184", 0x6A86, NULL, 0},
        {"P1 51", "002251B8 03 830184", 0x6A86, NULL, 0},
        {"P1 C0", "0022C0B8 03 830184", 0x6A86, NULL, 0},
        {"P1 F1", "0022F1B8 03 830184", 0x6A86, NULL, 0},
        {"P2 00", "0022C100 03 830184", 0x6A86, NULL, 0},
        {"P2 A2", "0022C1A2 03 830184", 0x6A86, NULL, 0},
        {"P2 FF", "0022C1FF 03 830184", 0x6A86, NULL, 0},
        {"AT", "0022C1A4 03 830184", 0x9000, NULL, KEEPS},
        {"KAT", "002241A6 03 840184", 0x9000, NULL, KEEPS},
        {"HT", "002281AA 03 800130", 0x9000, NULL, KEEPS},
        {"CCT", "0022C1B4 03 830186", 0x9000, NULL, KEEPS},
        {"DST", "0022C1B6 03 830184", 0x9000, NULL, KEEPS},
        {"CT", "0022C1B8 03 830184", 0x9000, NULL, KEEPS},
        {"no such key", "0022C1B8 03 83018C", 0x6A88, NULL, 0},
        {"no number", "0022C1B8 03 830180", 0x6A88, NULL, 0},
        {"no reference", "0022C1B8 03 830100", 0x6A88, NULL, 0},
        {"bits that mean nothing", "0022C1B8 03 8301E4", 0x6A88, NULL, 0},
        {"the access key", "0022C1B8 03 830181", 0x9000, NULL, KEEPS},
        {"a long reference", "0022C1B8 04 83020084", 0x6A80, NULL, 0},
        {"an empty one", "0022C1B8 02 8300", 0x6A80, NULL, 0},
        {"two references", "0022C1B8 06 830184 840185", 0x6A80, NULL, 0},
        {"an empty algorithm", "0022C1B8 02 8000", 0x6A80, NULL, 0},
        {"a long algorithm", "0022C1B8 04 80020001", 0x6A80, NULL, 0},
        {"two algorithms", "0022C1B8 06 800100 800106", 0x6A80, NULL, 0},
        {"an unknown object", "0022C1B8 03 820184", 0x6A80, NULL, 0},
        {"usage", "0022C1B8 03 950108", 0x6A80, NULL, 0},
        {"cut off", "0022C1B8 02 8301", 0x6A80, NULL, 0},
        {"a vector of 7", "0022C1B8 09 8707 01020304050607", 0x6A80, NULL, 0},
        {"an empty vector", "0022C1B8 02 8700", 0x6A80, NULL, 0},
        {"a vector of 17", "0022C1B8 13 8711 " PLAIN "00", 0x6A80, NULL, 0},
        {"two vectors", "0022C1B8 14 8708 0102030405060708 8708 0102030405060708", 0x6A80, NULL, 0},
        {"a vector in CCT", "0022C1B4 0A 8708 0102030405060708", 0x6A80, NULL, 0},
        {"too long", "0022C1B8 3D " PLAIN PLAIN PLAIN "00112233445566778899AABBCC", 0x6700, NULL,
         0},
    };
    BENCH_ROWS(*state, rows);
}

/* What is refused, and what is not named, stays as it was. */
static void set_changes_what_it_names(void **state)
{
    const struct card_row rows[] = {
        {"key and algorithm", "0022C1B8 06 800106 830184", 0x9000, NULL, KEEPS},
        {"by 84", CIPHER, 0x9000, by_84, KEEPS},
        {"refused", "0022C1B8 06 800107 83018C", 0x6A88, NULL, 0},
        {"refused", "0022C1B8 05 830185 8001", 0x6A80, NULL, 0},
        {"by 84", CIPHER, 0x9000, by_84, KEEPS},
        {"the key", "0022C1B8 03 830185", 0x9000, NULL, KEEPS},
        {"by 85", CIPHER, 0x9000, by_85, KEEPS},
        {"the default algorithm", "0022C1B8 03 800100", 0x9000, NULL, KEEPS},
        {"padded", "002A8480", 0x9000, CARD_ANY, KEEPS},
        {"whole blocks", "0022C1B8 03 800106", 0x9000, NULL, KEEPS},
        {"none", "002A8480", 0x6A80, NULL, 0},
        {"global", "0022C1B8 03 830104", 0x9000, NULL, KEEPS},
        {"by 04", CIPHER, 0x9000, by_04, KEEPS},
        {"enciphering", "002281B8 03 830184", 0x9000, NULL, KEEPS},
        {"by 84", CIPHER, 0x9000, by_84, KEEPS},
        {"deciphering", "002241B8 03 840185", 0x9000, NULL, KEEPS},
        {"by 84", CIPHER, 0x9000, by_84, KEEPS},
    };
    struct bench *bench = *state;
    char decipher[60];

    BENCH_ROWS(bench, rows);
    (void)snprintf(decipher, sizeof decipher, "002A8084 10 %s", by_85);
    bench_expect(bench, decipher, 0x9000, PLAIN); /* with 85 */
}

/* ---- Time ---- */

static void nothing_survives_a_reset_or_another_application(void **state)
{
    const struct card_row set[] = {
        {"CT", "0022C1B8 06 800106 830184", 0x9000, NULL, KEEPS},
        {"by 84", CIPHER, 0x9000, by_84, KEEPS},
        {"an EF of the application", "00A4020C 02 5101", 0x9000, NULL, KEEPS},
        {"the application once more", BENCH_APPLICATION, 0x9000, NULL, KEEPS},
        {"by 84", CIPHER, 0x9000, by_84, KEEPS},
    };
    struct bench *bench = *state;

    BENCH_ROWS(bench, set);
    bench_reset(bench);
    bench_select(bench);
    bench_expect(bench, CIPHER, 0x6985, NULL);
    BENCH_ROWS(bench, set);
    bench_expect(bench, MF, 0x9000, NULL);
    bench_expect(bench, CIPHER, 0x6985, NULL);
    bench_select(bench);
    bench_expect(bench, CIPHER, 0x6985, NULL);
    bench_expect(bench, MF, 0x9000, NULL);
    bench_expect(bench, "0022C1B8 03 830184", 0x6A88, NULL); /* the MF has no such key */
    bench_expect(bench, "0022C1B8 06 800106 830104", 0x9000, NULL);
    bench_expect(bench, CIPHER, 0x9000, by_04);
    bench_select(bench);
    bench_expect(bench, CIPHER, 0x6985, NULL);
}

/* ---- STORE, RESTORE, ERASE ---- */

static void environments_are_the_issuers(void **state)
{
    static const struct card_row rows[] = {
        {"STORE in the clear", "0022F201", 0x6982, NULL, 0},
        {"ERASE in the clear", "0022F401", 0x6982, NULL, 0},
        {"RESTORE: there is none", "0022F301", 0x6A88, NULL, 0},
        {"RESTORE of the empty one", "0022F300", 0x9000, NULL, KEEPS},
        {"STORE 0", "0022F200", 0x6A86, NULL, 0},
        {"ERASE 0", "0022F400", 0x6A86, NULL, 0},
        {"STORE F0", "0022F2F0", 0x6A86, NULL, 0},
        {"RESTORE FF", "0022F3FF", 0x6A86, NULL, 0},
        {"ERASE F0", "0022F4F0", 0x6A86, NULL, 0},
        {"with data", "0022F201 01 00", 0x6700, NULL, 0},
        {"with data", "0022F301 01 00", 0x6700, NULL, 0},
    };
    static const struct card_row secured[] = {
        {"SELECT", BENCH_APPLICATION, 0x9000, NULL, SM},
        {"STORE 0", "0022F200", 0x6A86, NULL, SM},
        {"STORE F0", "0022F2F0", 0x6A86, NULL, SM},
        {"ERASE: there is none", "0022F401", 0x6A88, NULL, SM},
        {"STORE EF", "0022F2EF", 0x9000, NULL, SM},
        {"once more", "0022F2EF", 0x9000, NULL, SM},
        {"RESTORE EF", "0022F3EF", 0x9000, NULL, SM | KEEPS},
        {"ERASE EF", "0022F4EF", 0x9000, NULL, SM},
        {"ERASE EF", "0022F4EF", 0x6A88, NULL, SM},
        {"RESTORE EF", "0022F3EF", 0x6A88, NULL, SM},
    };
    struct bench *bench = *state;

    BENCH_ROWS(bench, rows);
    bench_session(bench, 0x01);
    BENCH_ROWS(bench, secured);
}

static void stored_environments_come_back(void **state)
{
    const struct card_row store[] = {
        {"SELECT", BENCH_APPLICATION, 0x9000, NULL, SM},
        {"CT", "0022C1B8 06 800106 830184", 0x9000, NULL, SM},
        {"CCT", "0022C1B4 03 830186", 0x9000, NULL, SM},
        {"STORE 2", "0022F202", 0x9000, NULL, SM},
        {"CT", "0022C1B8 03 830185", 0x9000, NULL, SM},
        {"CCT", "0022C1B4 03 830187", 0x9000, NULL, SM},
        {"STORE 1", "0022F201", 0x9000, NULL, SM},
    };
    const struct card_row use[] = {
        {"SELECT: number 1", BENCH_APPLICATION, 0x9000, NULL, KEEPS},
        {"by 85", CIPHER, 0x9000, by_85, KEEPS},
        {"by 87", CHECK, 0x9000, mac_87, KEEPS},
        {"RESTORE 2", "0022F302", 0x9000, NULL, KEEPS},
        {"by 84", CIPHER, 0x9000, by_84, KEEPS},
        {"by 86", CHECK, 0x9000, mac_86, KEEPS},
        {"RESTORE 3", "0022F303", 0x6A88, NULL, 0},
        {"by 84", CIPHER, 0x9000, by_84, KEEPS},
        {"RESTORE 0", "0022F300", 0x9000, NULL, KEEPS},
        {"nothing", CIPHER, 0x6985, NULL, 0},
        {"nothing", CHECK, 0x6985, NULL, 0},
        {"the MF", MF, 0x9000, NULL, KEEPS},
        {"has no number 1", CIPHER, 0x6985, NULL, 0},
        {"nor number 2", "0022F302", 0x6A88, NULL, 0},
    };
    const struct card_row mf[] = {
        {"SELECT", MF, 0x9000, NULL, SM},
        {"CT", "0022C1B8 06 800106 830104", 0x9000, NULL, SM},
        {"STORE 1", "0022F201", 0x9000, NULL, SM},
        {"SELECT", BENCH_APPLICATION, 0x9000, NULL, SM},
        {"ERASE 1", "0022F401", 0x9000, NULL, SM},
    };
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    BENCH_ROWS(bench, store);
    bench_expect(bench, MF, 0x9000, NULL);
    BENCH_ROWS(bench, use);
    bench_reset(bench);
    BENCH_ROWS(bench, use);
    bench_session(bench, 0x03);
    BENCH_ROWS(bench, mf);
    bench_reset(bench); /* the MF is selected */
    bench_expect(bench, CIPHER, 0x9000, by_04);
    bench_select(bench);
    bench_expect(bench, CIPHER, 0x6985, NULL);
}

/* The reference is looked up when it is used: environments do not keep keys alive. */
static void an_environment_may_name_what_is_gone(void **state)
{
    struct bench *bench = *state;

    bench_expect(bench, "0022C1B8 06 800106 830184", 0x9000, NULL);
    bench_session(bench, 0x03);
    bench_expect_sm(bench, BENCH_APPLICATION, 0x9000, NULL);
    bench_expect_sm(bench, "80E40000 03 D00184", 0x9000, NULL);
    bench_expect(bench, CIPHER, 0x6A88, NULL);
    bench_session(bench, 0x03);
    assert_int_equal(crypt_store(bench, 4, OF_APPLICATION " 800101 " CRYPTS TIMES_16("04")),
                     0x9000);
    bench_expect(bench, CIPHER, 0x9000, by_84);
}

/* Environments are objects of the application: they go with it. */
static void environments_go_with_their_application(void **state)
{
    struct bench *bench = *state;
    struct object object;

    bench_session(bench, 0x03);
    bench_expect_sm(bench, MF, 0x9000, NULL);
    assert_int_equal(
        bench_create(bench, true, "820138 83025155 8405F000000007 8C087F00000000000000"), 0x9000);
    bench_expect_sm(bench, "00A4040C 05 F000000007", 0x9000, NULL);
    bench_expect_sm(bench, "0022C1B8 06 800106 830104", 0x9000, NULL);
    bench_expect_sm(bench, "0022F201", 0x9000, NULL);
    const uint8_t context = bench->secure.channels[0].application;
    assert_int_equal(cos_object_find(&bench->secure, OBJECT_ENVIRONMENT, context, 1, 0, &object),
                     COS_OK);
    bench_expect_sm(bench, MF, 0x9000, NULL);
    bench_expect_sm(bench, "00E40000 02 5155", 0x9000, NULL);
    assert_int_equal(cos_object_find(&bench->secure, OBJECT_ENVIRONMENT, context, 1, 0, &object),
                     COS_E_REFERENCE_NOT_FOUND);
}

/* ---- P1-P2 of PERFORM SECURITY OPERATION ---- */

static void only_operations_that_there_are(void **state)
{
    static const uint16_t known[] = {0x9E9A, 0x00A8, 0x9080, 0x90A0, 0x8082, 0x8084,
                                     0x8086, 0x8280, 0x8480, 0x8680, 0x8E80, 0x00A2};
    struct bench *bench = *state;

    for (unsigned p1p2 = 0; p1p2 <= 0xFFFF; p1p2 += p1p2 % 256 == 0 ? 0x80 : 1) {
        const uint8_t apdu[] = {0x00, 0x2A, (uint8_t)(p1p2 >> 8), (uint8_t)p1p2, 1, 0x00};
        bool is_known = false;
        for (size_t i = 0; i < CARD_COUNT(known); i++) {
            is_known = is_known || known[i] == p1p2;
        }
        const uint16_t sw = bench_apdu(bench, apdu, sizeof apdu);
        if (sw != (is_known ? 0x6985 : 0x6A86)) {
            fail_msg("%04X: %04X", p1p2, sw);
        }
    }
}

#define MSE_TEST(function) cmocka_unit_test_setup_teardown(function, make_keys, card_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MSE_TEST(set_takes_well_formed_templates),
        MSE_TEST(set_changes_what_it_names),
        MSE_TEST(nothing_survives_a_reset_or_another_application),
        MSE_TEST(environments_are_the_issuers),
        MSE_TEST(stored_environments_come_back),
        MSE_TEST(an_environment_may_name_what_is_gone),
        MSE_TEST(environments_go_with_their_application),
        MSE_TEST(only_operations_that_there_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
