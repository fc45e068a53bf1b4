/* SPDX-License-Identifier: Apache-2.0
 *
 * MUTUAL AUTHENTICATE with all its errors, the keys for it, the status that it gives, and rules
 * that ask for the session it opens.
 */
#include "iso_card.h"
#include "secure_domain/domain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SELECT_HOLDER "00A4000C 02 5101"
#define K8            "0011223344556677"
#define K16           K8 "8899AABBCCDDEEFF"

/* ---- Keys ---- */

static void keys_that_are_none(void **state)
{
    static const struct {
        const char *what, *dgi;
        uint16_t sw;
    } rows[] = {
        {"16 bytes", "8301 07 800101 950180 C710" K16, 0x6A80},
        {"24 bytes", "8301 07 800101 950180 C718" K16 K8, 0x6A80},
        {"24 bytes, 3DES", "8301 07 800102 950180 C718" K16 K8, 0x6A80},
        {"31 bytes", "8301 07 800101 950180 C71F" K16 K8 "00112233445566", 0x6A80},
        {"33 bytes", "8301 07 800101 950180 C721" K16 K16 "00", 0x6A80},
        {"40 bytes", "8301 07 800101 950180 C728" K16 K16 K8, 0x6A80},
        {"47 bytes", "8301 07 800101 950180 C72F" K16 K16 K8 "00112233445566", 0x6A80},
        {"49 bytes", "8301 07 800101 950180 C731" K16 K16 K16 "00", 0x6A80},
        {"63 bytes", "8301 07 800101 950180 C73F" K16 K16 K16 K8 "00112233445566", 0x6A80},
        {"65 bytes", "8301 07 800101 950180 C741" K16 K16 K16 K16 "00", 0x6A80},
        {"80 bytes", "8301 07 800101 950180 C750" K16 K16 K16 K16 K16, 0x6A80},
        {"48 bytes, 3DES", "8301 07 800102 950180 C730" K16 K16 K16, 0x6A80},
        {"48 bytes, for external", "8301 07 800101 950102 C730" K16 K16 K16, 0x6A80},
        {"64 bytes, for a cipher", "8301 07 800101 CE0108 C740" K16 K16 K16 K16, 0x6A80},
        {"no algorithm", "8301 07 950180 C720" K16 K16, 0x6A80},
        {"algorithm 03", "8301 07 800103 950180 C720" K16 K16, 0x6A80},
        {"usage mutual and external", "8301 07 800101 950182 C720" K16 K16, 0x6A80},
        {"3DES for external, 32 bytes", "8301 07 800102 950102 C720" K16 K16, 0x6A80},
        {"tries 16", "8301 07 800101 950180 C00110 C720" K16 K16, 0x6A80},
        {"condition that asks for nothing", "8301 07 800101 950180 C50180 C720" K16 K16, 0x6A80},
        {"AES-128", "8301 07 800101 950180 C720" K16 K16, 0x9000},
        {"AES-192", "8301 07 800101 950180 C730" K16 K16 K16, 0x9000},
        {"AES-256", "8301 07 800101 950180 C740" K16 K16 K16 K16, 0x9000},
        {"3DES", "8301 07 800102 950180 C720" K16 K16, 0x9000},
    };
    struct bench *bench = *state;

    bench_session(bench, 0x33);
    for (size_t i = 0; i < CARD_COUNT(rows); i++) {
        const uint16_t sw = bench_store_one(bench, "8020", rows[i].dgi);
        if (sw != rows[i].sw) {
            fail_msg("%s: %04X", rows[i].what, sw);
        }
    }
}

/* ---- Refused ---- */

static void commands_without_a_right_answer(void **state)
{
    static const struct card_row rows[] = {
        {"no challenge", "0082008528 " K16 K16 "0011223344556677 00", 0x6985, NULL},
        {"challenge of 16 for 3DES", "0084000010", 0x9000, CARD_ANY},
        {"after it", "0082008528 " K16 K16 "0011223344556677 00", 0x6985, NULL},
        {"challenge", "0084000008", 0x9000, CARD_ANY},
        {"8 bytes", "0082008508 0011223344556677 00", 0x6700, NULL},
        {"challenge", "0084000008", 0x9000, CARD_ANY},
        {"39 bytes", "0082008527 " K16 K16 "00112233445566 00", 0x6700, NULL},
        {"challenge", "0084000008", 0x9000, CARD_ANY},
        {"for AES", "0082008628 " K16 K16 "0011223344556677 00", 0x6700, NULL},
        {"challenge", "0084000008", 0x9000, CARD_ANY},
        {"P1", "0082018528 " K16 K16 "0011223344556677 00", 0x6A86, NULL},
        {"challenge", "0084000008", 0x9000, CARD_ANY},
        {"no key 7", "0082008728 " K16 K16 "0011223344556677 00", 0x6A88, NULL},
        {"challenge", "0084000008", 0x9000, CARD_ANY},
        {"00: key 1 is none of these", "0082000028 " K16 K16 "0011223344556677 00", 0x6A88, NULL},
        {"challenge", "0084000008", 0x9000, CARD_ANY},
        {"a PIN's number", "0082000228 " K16 K16 "0011223344556677 00", 0x6A88, NULL},
        {"challenge", "0084000008", 0x9000, CARD_ANY},
        {"internal authentication with it", "0088008508 0011223344556677 00", 0x6985, NULL},
        {"challenge", "0084000008", 0x9000, CARD_ANY},
        {"wrong", "0082008528 " K16 K16 "0011223344556677 00", 0x63C9, NULL},
        {"the challenge is gone", "0082008528 " K16 K16 "0011223344556677 00", 0x6985, NULL},
        {"nothing is open", "0CA4000C0A 8E080102030405060708 00", 0x6982, NULL},
    };
    struct bench *bench = *state;

    bench_select(bench);
    BENCH_ROWS(bench, rows);
}

/* Of all lengths of data one is compared, and costs a try. */
static void one_length_is_right(void **state)
{
    struct bench *bench = *state;

    for (enum iso_key key = ISO_DES3; key < ISO_KEYS; key++) {
        const struct iso_sm sm = iso_key_of(key);
        const size_t right = 2 * iso_block(&sm) + iso_seed(&sm) + 8;
        bench_select(bench);
        for (size_t length = 1; length <= 96; length++) {
            static const uint8_t data[96];
            const struct command challenge = {.ins = 0x84, .ne = iso_block(&sm)};
            const struct command mutual = {0x00, 0x82,   0x00, iso_reference_of(key),
                                           data, length, 256};
            struct bytes apdu;
            assert_true(command_write(&challenge, &apdu));
            assert_int_equal(bench_apdu(bench, apdu.data, apdu.length), 0x9000);
            assert_true(command_write(&mutual, &apdu));
            const uint16_t sw = bench_apdu(bench, apdu.data, apdu.length);
            if (sw != (length == right ? 0x63C9 : 0x6700)) {
                fail_msg("key %02X, %zu bytes: %04X", iso_reference_of(key), length, sw);
            }
        }
    }
}

/* Each part of the data by itself wrong: the key's cryptogram and MAC, and a right MAC over another
 * card's random number. */
static void every_byte_counts(void **state)
{
    static const uint8_t rnd_ifd[16] = {1, 2, 3, 4}, k_ifd[32] = {9, 8, 7};
    struct bench *bench = *state;

    for (enum iso_key key = ISO_DES3; key < ISO_KEYS; key++) {
        const struct iso_sm sm = iso_key_of(key);
        const size_t n = iso_block(&sm), length = 2 * n + iso_seed(&sm) + 8;
        bench_select(bench);
        for (size_t at = 0; at <= length; at++) {
            char challenge[16];
            uint8_t apdu[100] = {0x00, 0x82, 0x00, iso_reference_of(key), (uint8_t)length};
            struct bytes data;
            snprintf(challenge, sizeof challenge, "00840000%02zX", n);
            bench_expect(bench, challenge, 0x9000, CARD_ANY);
            bench->data[0] ^= at == length ? 0x01 : 0x00;
            iso_challenge(&sm, rnd_ifd, bench->data, k_ifd, &data);
            data.data[at] ^= at < length ? 0x01 : 0x00;
            memcpy(apdu + 5, data.data, length);
            assert_int_equal(bench_apdu(bench, apdu, 6 + length), 0x63C9);
            assert_int_equal(bench->length, 0);
            assert_int_equal(bench->secure.sessions[0].open, COS_NO);
            struct iso_sm right = sm; /* gives the tries back */
            assert_int_equal(iso_authenticate(bench, iso_reference_of(key), &right), 0x9000);
        }
    }
}

static void tries_are_counted(void **state)
{
    struct bench *bench = *state;
    struct iso_sm sm = iso_key_of(ISO_AES);

    bench_select(bench);
    for (unsigned left = 9; left < 10; left--) {
        bench_expect(bench, "0084000010", 0x9000, CARD_ANY);
        assert_int_equal(bench_hex(bench, "0082008638 " K16 K16 K16 "0011223344556677 00"),
                         0x63C0 | left);
    }
    assert_int_equal(iso_authenticate(bench, 0x86, &sm), 0x6983);
    bench_reset(bench);
    bench_select(bench);
    sm = iso_key_of(ISO_AES);
    assert_int_equal(iso_authenticate(bench, 0x86, &sm), 0x6983);
    sm = iso_key_of(ISO_DES3);
    assert_int_equal(iso_authenticate(bench, 0x85, &sm), 0x9000);
}

static void its_own_rule(void **state)
{
    struct bench *bench = *state;
    struct iso_sm sm = iso_key_of(ISO_DES3);

    bench_session(bench, 0x33);
    iso_store_keys(bench, "C50191");
    bench_reset(bench);
    bench_select(bench);
    assert_int_equal(iso_authenticate(bench, 0x85, &sm), 0x6982);
    bench_expect(bench, "0020008106 313233343536", 0x9000, NULL);
    sm = iso_key_of(ISO_DES3);
    assert_int_equal(iso_authenticate(bench, 0x85, &sm), 0x9000);
}

/* A session is not opened from within another one, whichever. */
static void not_within_a_session(void **state)
{
    static const uint8_t rnd_ifd[16], k_ifd[32];
    const struct iso_sm key = iso_key_of(ISO_AES);
    struct bench *bench = *state;
    struct iso_sm sm;
    struct bytes data;

    iso_open(bench, ISO_DES3, &sm);
    assert_int_equal(iso_send(bench, &sm, "0084000010"), 0x9000);
    iso_challenge(&key, rnd_ifd, bench->data, k_ifd, &data);
    const struct command mutual = {0x00, 0x82, 0x00, 0x86, data.data, data.length, 256};
    assert_int_equal(iso_send_command(bench, &sm, &mutual), 0x6985);
    iso_expect(bench, &sm, SELECT_HOLDER, 0x9000, NULL);
    bench_session(bench, 0x33);
    bench_expect_sm(bench, "00A4040C 09 F05457494E434F5301", 0x9000, NULL);
    assert_int_equal(bench_sm(bench, 0x00, 0x82, 0x00, 0x86, data.data, data.length), 0x6985);
    bench_expect_sm(bench, SELECT_HOLDER, 0x9000, NULL);
}

/* ---- The status that it gives, and what takes it back ---- */

static void the_status_goes_with_the_session(void **state)
{
    static const struct {
        const char *what, *apdu;
        bool selects; /* the application */
    } ends[] = {
        {"a command in the clear", "00A4000C 02 5103", false},
        {"no instruction", "00FF0000", false},
        {"no command", "00", false},
        {"wrong checksum", "0CA4000C0A 8E080102030405060708 00", false},
        {"another beginning", "8050010008 0102030405060708 00", false},
        {"challenge", "0084000008", false},
        {"another application's SELECT", "00A4000C 02 3F00", true},
    };
    struct bench *bench = *state;

    for (enum iso_key key = ISO_DES3; key < ISO_KEYS; key++) {
        const uint16_t bit = (uint16_t)(1U << (iso_reference_of(key) & 0x1F));
        for (size_t i = 0; i < CARD_COUNT(ends); i++) {
            const struct cos_channel *channel = &bench->secure.channels[0];
            const struct cos_session *session = &bench->secure.sessions[0];
            struct iso_sm sm;
            iso_open(bench, key, &sm);
            assert_int_equal(key == ISO_GLOBAL ? channel->keys_global : channel->keys_local, bit);
            iso_expect(bench, &sm, SELECT_HOLDER, 0x9000, NULL);
            assert_int_equal(key == ISO_GLOBAL ? channel->keys_global : channel->keys_local, bit);
            (void)bench_hex(bench, ends[i].apdu);
            if (channel->keys_global != 0 || channel->keys_local != 0 || session->open != COS_NO) {
                fail_msg("%s: status is left", ends[i].what);
            }
            for (size_t j = 0; i != 4 && j < sizeof session->enc; j++) {
                assert_int_equal(session->enc[j] | session->mac[j], 0);
            }
        }
    }
}

/* SELECT of another application takes the status of the application's key, not the session. */
static void the_session_outlives_select(void **state)
{
    struct bench *bench = *state;
    struct iso_sm sm;

    iso_open(bench, ISO_AES, &sm);
    iso_expect(bench, &sm, "00A4000C 02 3F00", 0x9000, NULL);
    assert_int_equal(bench->secure.channels[0].keys_local, 0);
    iso_expect(bench, &sm, "00A4040C 09 F05457494E434F5301", 0x9000, NULL);
    assert_int_equal(bench->secure.channels[0].keys_local, 0);
    assert_int_equal(bench->secure.sessions[0].open, COS_YES);
}

/* ---- Rules ---- */

enum who {
    NOBODY,
    PLAIN_PIN,
    DES3,
    AES,
    GLOBAL,
    AES_PIN,
    ISSUER_01,
    ISSUER_03,
    ISSUER_13,
    ISSUER_33,
    WHO
};

static void become(struct bench *bench, enum who who, struct iso_sm *sm)
{
    static const uint8_t levels[] = {0x01, 0x03, 0x13, 0x33};

    bench_reset(bench);
    bench_select(bench);
    if (who >= ISSUER_01) {
        bench_session(bench, levels[who - ISSUER_01]);
        bench_expect_sm(bench, "00A4040C 09 F05457494E434F5301", 0x9000, NULL);
    } else if (who >= DES3) {
        iso_open(bench, who == DES3 ? ISO_DES3 : who == GLOBAL ? ISO_GLOBAL : ISO_AES, sm);
    }
    if (who == PLAIN_PIN) {
        bench_expect(bench, "0020008106 313233343536", 0x9000, NULL);
    } else if (who == AES_PIN) {
        iso_expect(bench, sm, "0020008106 313233343536", 0x9000, NULL);
    }
}

static uint16_t read_as(struct bench *bench, enum who who, struct iso_sm *sm, const char *apdu)
{
    if (who >= ISSUER_01) {
        return bench_sm_hex(bench, apdu);
    }
    return who >= DES3 ? iso_send(bench, sm, apdu) : bench_hex(bench, apdu);
}

#define BIT(who) (1U << (who))
#define ISSUER   (BIT(ISSUER_01) | BIT(ISSUER_03) | BIT(ISSUER_13) | BIT(ISSUER_33))
#define ANY_AES  (BIT(AES) | BIT(AES_PIN))

static void rules_ask_for_a_session(void **state)
{
    static const struct {
        const char *rule; /* who may read, in AB */
        unsigned who;
    } rows[] = {
        {"9E01C0", ISSUER},
        {"9E01C5", ISSUER | BIT(DES3)},
        {"9E01C6", ISSUER | ANY_AES},
        {"9E0146", ISSUER | ANY_AES},
        {"9E01C3", ISSUER}, /* the application's key 3 is none of these */
        {"9E01C7", ISSUER},
        {"9E01A5", BIT(DES3)},
        {"9E01A6", ANY_AES},
        {"9E01E6", ANY_AES},
        {"A403830185", BIT(DES3)},
        {"A403830103", BIT(GLOBAL)},
        {"AF08 9E01C6 A403830181", BIT(AES_PIN)},
        {"B400", 0}, /* malformed */
        {"B403830100", ISSUER},
        {"B403830101", ISSUER},
        {"B403830102", 0},
        {"B403830185", BIT(DES3)},
        {"B403830186", ANY_AES},
        {"B403830105", 0},
        {"B4038301C3", BIT(GLOBAL)},
        {"B403830183", 0},
        {"B4038301C6", 0},
        {"B403830180", 0},
        {"B40383018F", 0},
        {"B403830195", 0},
        {"B4038301A5", 0},
        {"B803830185", BIT(DES3)},
        {"B806830186 950130", ANY_AES},
        {"B406830186 950120", ANY_AES},
        {"B406830100 950120", BIT(ISSUER_13) | BIT(ISSUER_33)},
        {"B406830100 950130", BIT(ISSUER_13) | BIT(ISSUER_33)},
        {"B806830100 950130", BIT(ISSUER_33)},
        {"B806830100 950110", BIT(ISSUER_03) | BIT(ISSUER_13) | BIT(ISSUER_33)},
        {"A70A B403830186 B403830101", BIT(NOBODY) | BIT(PLAIN_PIN) | BIT(DES3) | BIT(GLOBAL)},
    };
    struct bench *bench = *state;
    unsigned created[CARD_COUNT(rows)] = {0};
    struct iso_sm sm;

    for (size_t i = 0; i < CARD_COUNT(rows); i++) {
        char rule[128], fcp[160];
        uint8_t bytes[64];
        snprintf(rule, sizeof rule, "800101 %s 800102 9000", rows[i].rule);
        snprintf(fcp, sizeof fcp, "820101 83026%03zX 80020004 AB%02zX%s", i,
                 bench_bytes(rule, bytes, sizeof bytes), rule);
        bench_session(bench, 0x33);
        bench_expect_sm(bench, "00A4040C 09 F05457494E434F5301", 0x9000, NULL);
        created[i] = bench_create(bench, true, fcp);
    }
    for (enum who who = NOBODY; who < WHO; who++) {
        become(bench, who, &sm);
        for (size_t i = 0; i < CARD_COUNT(rows); i++) {
            char select[32];
            if (created[i] != 0x9000) {
                assert_int_equal(rows[i].who, 0);
                continue;
            }
            snprintf(select, sizeof select, "00A4000C 02 6%03zX", i);
            assert_int_equal(read_as(bench, who, &sm, select), 0x9000);
            const uint16_t sw = read_as(bench, who, &sm, "00B00000");
            const bool may = (rows[i].who >> who & 1U) != 0;
            if (sw != (may ? 0x9000 : 0x6982)) {
                fail_msg("%s, %u: %04X", rows[i].rule, (unsigned)who, sw);
            }
        }
    }
}

/* A mutual key is not the issuer: nothing of what is the issuer's own. */
static void a_mutual_key_is_not_the_issuer(void **state)
{
    static const struct {
        enum cos_gate_call call;
        uint8_t message[8];
        size_t length;
    } rows[] = {
        {COS_GATE_LIFE, {COS_LIFE_SET, 0x00, 0xFF}, 3},
        {COS_GATE_LIFE, {COS_LIFE_SET, 0x00, 0x7F}, 3},
        {COS_GATE_KEY, {COS_KEY_PUT, 0x00}, 2},
        {COS_GATE_KEY, {COS_KEY_STORE, 0x00}, 2},
        {COS_GATE_KEY, {COS_KEY_DELETE, 0x00, 0x85, 0x00}, 4},
        {COS_GATE_CONTEXT, {COS_CONTEXT_REGISTER, 0x00, 'N', 'A', 'M', 'E'}, 6},
        {COS_GATE_VAULT, {COS_VAULT_CREATE, 0x00, 0, 0, 0, 0, 0, 8}, 8},
    };
    struct bench *bench = *state;

    for (size_t i = 0; i < CARD_COUNT(rows); i++) {
        const struct command terminate = {0x00, 0xFE, 0x00, 0x00, NULL, 0, 0};
        const struct command create = {0x00, 0xE0, 0x00, 0x00, (const uint8_t *)"\x62\x00", 2, 0};
        const bool files = rows[i].call == COS_GATE_CONTEXT || rows[i].call == COS_GATE_VAULT;
        uint8_t message[300] = {0};
        struct cos_span body, part = {message, 0};
        struct card_image image;
        struct bytes apdu;
        struct iso_sm sm;
        iso_open(bench, ISO_AES, &sm);
        iso_wrap(&sm, files ? &create : &terminate, &apdu);
        memcpy(message + 1, apdu.data, apdu.length);
        part.length = 1 + apdu.length;
        assert_int_equal(cos_gate_call(&bench->app.gate, COS_GATE_SM_OPEN, &part, 1, &body),
                         COS_OK);
        card_image_take(bench, &image);
        part = (struct cos_span){rows[i].message, rows[i].length};
        const enum cos_result result =
            cos_gate_call(&bench->app.gate, rows[i].call, &part, 1, &body);
        if (result != COS_E_SECURITY_STATUS && result != COS_E_CONDITIONS) {
            fail_msg("row %zu: %d", i, (int)result);
        }
        assert_true(card_image_same(bench, &image));
        bench_reset(bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ISO_TEST(keys_that_are_none),
        ISO_TEST(commands_without_a_right_answer),
        ISO_TEST(one_length_is_right),
        ISO_TEST(every_byte_counts),
        ISO_TEST(tries_are_counted),
        ISO_TEST(its_own_rule),
        ISO_TEST(not_within_a_session),
        ISO_TEST(the_status_goes_with_the_session),
        ISO_TEST(the_session_outlives_select),
        ISO_TEST(rules_ask_for_a_session),
        ISO_TEST(a_mutual_key_is_not_the_issuer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
