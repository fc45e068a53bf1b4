/* SPDX-License-Identifier: Apache-2.0
 *
 * GET CHALLENGE, INTERNAL and EXTERNAL AUTHENTICATE, access proof (ISO/IEC 7816-4:2013, 11.5.2 to
 * 11.5.5; docs/formats.md, "Access proof"); what the card computes is checked by OpenSSL.
 *
 * Keys of the access application: 81 access proof (after the PIN), 82 internal AES, 83 external
 * AES; made here: 84 internal 3DES, 85 external 3DES, 86 external AES-256 with 2 tries after the
 * PIN, 87 internal AES-192 after key 3, 88 access proof AES-256, level 7; global 01 internal AES.
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
#define DES_84      "0123456789ABCDEF23456789ABCDEF01456789ABCDEF0123"
#define DES_85      "FEDCBA98765432100123456789ABCDEF89ABCDEF01234567"
#define AES_86      "603DEB1015CA71BE2B73AEF0857D77811F352C073B6108D72D9810A30914DFF4"
#define AES_87      "8E73B0F7DA0E6452C810F32B809079E562F8EAD2522C6B7B"
#define AES_88      "0001020304050607101112131415161720212223242526273031323334353637"
#define AES_01      "000102030405060708090A0B0C0D0E0F"
#define R_16        "00112233445566778899AABBCCDDEEFF"
#define R_8         "0011223344556677"
#define SYSTEM_A    "53595354454D2041"
#define SYSTEM_B    "53595354454D2042"
#define PIN         "00200081 06 313233343536"

static int make_keys(void **state)
{
    struct bench *bench;

    card_make(state);
    bench = *state;
    bench_session(bench, 0x03);
    assert_int_equal(bench_store(bench, "8020 2E 830104 " APPLICATION " 800102 950101 C718" DES_84),
                     0x9000);
    assert_int_equal(bench_store(bench, "8020 2E 830105 " APPLICATION " 800102 950102 C718" DES_85),
                     0x9000);
    assert_int_equal(bench_store(bench, "8020 3C 830106 " APPLICATION
                                        " 800101 950102 C00102 C50191 C720" AES_86),
                     0x9000);
    assert_int_equal(
        bench_store(bench, "8020 31 830107 " APPLICATION " 800101 950101 C501A3 C718" AES_87),
        0x9000);
    assert_int_equal(bench_store(bench, "8020 3D 830108 " APPLICATION
                                        " 800101 950104 C605 07 20401231 C720" AES_88),
                     0x9000);
    assert_int_equal(bench_store(bench, "8020 1B 830101 800101 950101 C710" AES_01), 0x9000);
    bench_reset(bench);
    bench_select(bench);
    return 0;
}

/* ---- GET CHALLENGE ---- */

static void challenges_have_8_or_16_bytes(void **state)
{
    static const struct {
        const char *apdu;
        uint16_t sw;
        size_t length;
    } rows[] = {
        {"0084000008", 0x9000, 8},     {"0084000010", 0x9000, 16},
        {"0084000000", 0x9000, 8},     {"00840000", 0x9000, 8},
        {"00840000000000", 0x9000, 8}, {"00840000000010", 0x9000, 16},
        {"00840000000100", 0x9000, 8}, {"0084000001", 0x6700, 0},
        {"0084000007", 0x6700, 0},     {"0084000009", 0x6700, 0},
        {"008400000F", 0x6700, 0},     {"0084000011", 0x6700, 0},
        {"00840000FF", 0x6700, 0},     {"00840000000101", 0x6700, 0},
        {"0084000001FF", 0x6700, 0},   {"008400000100 08", 0x6700, 0},
        {"0084010008", 0x6A86, 0},     {"0084000108", 0x6A86, 0},
    };
    struct bench *bench = *state;
    uint8_t last[16] = {0};

    for (size_t i = 0; i < CARD_COUNT(rows); i++) {
        struct card_image image;
        card_image_take(bench, &image);
        assert_int_equal(bench_hex(bench, rows[i].apdu), rows[i].sw);
        assert_true(card_image_same(bench, &image));
        assert_int_equal(bench->length, rows[i].length);
        if (bench->length != 0) {
            assert_memory_not_equal(bench->data, last, 8);
            memcpy(last, bench->data, 8);
        }
    }
}

/* ---- INTERNAL AUTHENTICATE ---- */

static void internal(struct bench *bench, uint8_t reference, const char *r)
{
    uint8_t apdu[22] = {0x00, 0x88, 0x00, reference};
    size_t length = bench_bytes(r, apdu + 5, 16);

    apdu[4] = (uint8_t)length;
    assert_int_equal(bench_apdu(bench, apdu, 6 + length), 0x9000);
    assert_int_equal(bench->length, length);
}

static void x_is_r_enciphered(void **state)
{
    struct bench *bench = *state;
    uint8_t key[32], r[16], x[16];

    bench_bytes(R_16, r, sizeof r);
    internal(bench, 0x82, R_16);
    assert_true(crypto_aes_ecb(bench_remote_key, 16, CRYPTO_ENCIPHER, r, 16, x));
    assert_memory_equal(bench->data, x, 16);
    assert_true(crypto_aes_ecb(bench_remote_key, 16, CRYPTO_DECIPHER, bench->data, 16, x));
    assert_memory_equal(x, r, 16); /* the host gets R back */

    bench_bytes(DES_84, key, sizeof key);
    internal(bench, 0x84, R_8);
    assert_true(crypto_tdes_ecb(key, CRYPTO_ENCIPHER, r, 8, x));
    assert_memory_equal(bench->data, x, 8);
    assert_true(crypto_tdes_ecb(key, CRYPTO_DECIPHER, bench->data, 8, x));
    assert_memory_equal(x, r, 8);

    bench_bytes(AES_01, key, sizeof key); /* FIPS 197, appendix C.1 */
    internal(bench, 0x01, R_16);
    assert_true(bench_answered(bench, "69C4E0D86A7B0430D8CDB78070B4C55A"));
}

static void internal_refused(void **state)
{
    static const struct card_row rows[] = {
        {"no data", "0088008200", 0x6700, NULL, 0},
        {"8 bytes for AES", "00880082 08" R_8 "00", 0x6700, NULL, 0},
        {"17 bytes for AES", "00880082 11" R_16 "00 00", 0x6700, NULL, 0},
        {"32 bytes", "00880082 20" R_16 R_16 "00", 0x6700, NULL, 0},
        {"16 bytes for 3DES", "00880084 10" R_16 "00", 0x6700, NULL, 0},
        {"65 bytes", "00880082 41" R_16 R_16 R_16 R_16 "00", 0x6700, NULL, 0},
        {"P1", "00880182 10" R_16 "00", 0x6A86, NULL, 0},
        {"reference 00", "00880000 10" R_16 "00", 0x6A88, NULL, 0},
        {"reference 02: not global", "00880002 10" R_16 "00", 0x6A88, NULL, 0},
        {"reference 80", "00880080 10" R_16 "00", 0x6A88, NULL, 0},
        {"reference 89", "00880089 10" R_16 "00", 0x6A88, NULL, 0},
        {"reference 9F", "0088009F 10" R_16 "00", 0x6A88, NULL, 0},
        {"reference 60", "00880060 10" R_16 "00", 0x6A86, NULL, 0},
        {"reference A2", "008800A2 10" R_16 "00", 0x6A86, NULL, 0},
        {"a key for external authentication", "00880083 10" R_16 "00", 0x6985, NULL, 0},
        {"a key after another", "00880087 10" R_16 "00", 0x6982, NULL, 0},
        {"the PIN does not help", PIN, 0x9000, NULL, 0},
        {"a key after another", "00880087 10" R_16 "00", 0x6982, NULL, 0},
        {"the MF", "00A40000", 0x9000, CARD_ANY, 0},
        {"no application, no local key", "00880082 10" R_16 "00", 0x6A88, NULL, 0},
        {"but the global one", "00880001 10" R_16, 0x9000, "69C4E0D86A7B0430D8CDB78070B4C55A",
         CARD_KEEPS},
    };
    BENCH_ROWS(*state, rows);
}

/* ---- EXTERNAL AUTHENTICATE ---- */

/* Writes the command that answers `challenge`; `change` is xored into its last byte. */
static size_t answer_to(uint8_t apdu[37], const uint8_t *challenge, size_t length,
                        uint8_t reference, const char *key_hex, uint8_t change)
{
    uint8_t key[32];
    size_t key_length = bench_bytes(key_hex, key, sizeof key);
    const uint8_t head[5] = {0x00, 0x82, 0x00, reference, (uint8_t)length};

    memcpy(apdu, head, sizeof head);
    if (length == 8) {
        assert_true(crypto_tdes_ecb(key, CRYPTO_ENCIPHER, challenge, 8, apdu + 5));
    } else {
        assert_true(crypto_aes_ecb(key, key_length, CRYPTO_ENCIPHER, challenge, 16, apdu + 5));
    }
    apdu[4 + length] ^= change;
    return 5 + length;
}

static uint16_t authenticate(struct bench *bench, uint8_t reference, const char *key, size_t length,
                             uint8_t change)
{
    uint8_t apdu[37];

    bench_expect(bench, length == 8 ? "0084000008" : "0084000010", 0x9000, CARD_ANY);
    size_t apdu_length = answer_to(apdu, bench->data, length, reference, key, change);
    return bench_apdu(bench, apdu, apdu_length);
}

static const char *external_key(void)
{
    static char text[33];

    for (size_t i = 0; i < 16; i++) {
        snprintf(text + 2 * i, 3, "%02X", bench_external_key[i]);
    }
    return text;
}

#define UPDATE_RECORD "00DC0114 10" R_16 /* 5102: key 3 */

static void external_right_and_wrong(void **state)
{
    struct bench *bench = *state;

    bench_expect(bench, UPDATE_RECORD, 0x6982, NULL);
    assert_int_equal(authenticate(bench, 0x83, external_key(), 16, 0x01), 0x63C9);
    bench_expect(bench, UPDATE_RECORD, 0x6982, NULL);
    assert_int_equal(authenticate(bench, 0x83, external_key(), 16, 0x00), 0x9000);
    bench_expect(bench, UPDATE_RECORD, 0x9000, NULL);
    assert_int_equal(authenticate(bench, 0x83, external_key(), 16, 0x80),
                     0x63C9);                         /* tries came back */
    bench_expect(bench, UPDATE_RECORD, 0x6982, NULL); /* a failure takes the status */
    assert_int_equal(authenticate(bench, 0x85, DES_85, 8, 0x00), 0x9000);
    assert_int_equal(authenticate(bench, 0x85, DES_85, 8, 0x01), 0x63C9);
    bench_expect(bench, UPDATE_RECORD, 0x6982, NULL); /* another key's authentication */
    assert_int_equal(authenticate(bench, 0x83, external_key(), 16, 0x00), 0x9000);
    internal(bench, 0x82, R_16);
    bench_expect(bench, "00880087 10" R_16, 0x9000, CARD_ANY); /* key 7 after key 3, AES-192 */
    uint8_t key[24], r[16], x[16];
    bench_bytes(AES_87, key, sizeof key);
    bench_bytes(R_16, r, sizeof r);
    assert_true(crypto_aes_ecb(key, 24, CRYPTO_ENCIPHER, r, 16, x));
    assert_memory_equal(bench->data, x, 16);
}

static void external_blocks(void **state)
{
    struct bench *bench = *state;

    for (unsigned left = 10; left-- > 0;) {
        assert_int_equal(authenticate(bench, 0x83, external_key(), 16, 0xFF), 0x63C0 + left);
        if (left == 5) {
            bench_reset(bench);
            bench_select(bench);
        }
    }
    assert_int_equal(authenticate(bench, 0x83, external_key(), 16, 0x00), 0x6983);
    bench_expect(bench, UPDATE_RECORD, 0x6982, NULL);
    bench_expect(bench, PIN, 0x9000, NULL);
    assert_int_equal(authenticate(bench, 0x86, AES_86, 16, 0x00),
                     0x9000); /* another key does not */
}

static void the_keys_own_rule_comes_first(void **state)
{
    struct bench *bench = *state;
    struct card_image image;

    card_image_take(bench, &image);
    assert_int_equal(authenticate(bench, 0x86, AES_86, 16, 0x00), 0x6982);
    assert_int_equal(authenticate(bench, 0x86, AES_86, 16, 0x01), 0x6982);
    assert_true(card_image_same(bench, &image));
    bench_expect(bench, PIN, 0x9000, NULL);
    assert_int_equal(authenticate(bench, 0x86, AES_86, 16, 0x01), 0x63C1);
    assert_int_equal(authenticate(bench, 0x86, AES_86, 16, 0x00), 0x9000);
    assert_int_equal(authenticate(bench, 0x86, AES_86, 16, 0x01), 0x63C1);
    assert_int_equal(authenticate(bench, 0x86, AES_86, 16, 0x01), 0x63C0);
    assert_int_equal(authenticate(bench, 0x86, AES_86, 16, 0x00), 0x6983);
}

static void external_refused(void **state)
{
    static const struct {
        const char *what;
        uint8_t reference;
        size_t challenge, length;
        uint16_t sw;
    } rows[] = {
        {"internal key", 0x82, 16, 16, 0x6985},
        {"access key", 0x88, 16, 16, 0x6985},
        {"AES key with 8 bytes", 0x83, 8, 8, 0x6700},
        {"AES key, challenge of 8 bytes", 0x83, 8, 16, 0x6985},
        {"3DES key with 16 bytes", 0x85, 16, 16, 0x6700},
        {"3DES key, challenge of 16 bytes", 0x85, 16, 8, 0x6985},
        {"no key", 0x89, 16, 16, 0x6A88},
        {"reference 80", 0x80, 16, 16, 0x6A88},
        {"reference 00", 0x00, 16, 16, 0x6A88},
        {"reference 60", 0x60, 16, 16, 0x6A86},
        {"global key 3", 0x03, 16, 16, 0x6A88},
    };
    struct bench *bench = *state;

    for (size_t i = 0; i < CARD_COUNT(rows); i++) {
        uint8_t apdu[37];
        struct card_image image;
        card_image_take(bench, &image);
        bench_expect(bench, rows[i].challenge == 8 ? "0084000008" : "0084000010", 0x9000, CARD_ANY);
        memset(bench->data + bench->length, 0, 8);
        size_t length = answer_to(apdu, bench->data, rows[i].length, rows[i].reference,
                                  rows[i].length == 8 ? DES_85 : external_key(), 0);
        uint16_t sw = bench_apdu(bench, apdu, length);
        bool same = card_image_same(bench, &image);
        if (sw != rows[i].sw || !same) {
            fail_msg("%s: %04X%s", rows[i].what, sw, same ? "" : ", NVM has changed");
        }
    }
    static const struct card_row others[] = {
        {"no challenge", "00820083 10" R_16, 0x6985, NULL, 0},
        {"no data", "00820083", 0x6700, NULL, 0},
        {"no data, Le", "0082008310", 0x6700, NULL, 0},
        {"65 bytes", "00820083 41" R_16 R_16 R_16 R_16 "00", 0x6700, NULL, 0},
        {"P1", "00820183 10" R_16, 0x6A86, NULL, 0},
    };
    bench_reset(bench);
    bench_select(bench);
    BENCH_ROWS(bench, others);
}

static void a_challenge_is_good_once(void **state)
{
    struct bench *bench = *state;
    uint8_t apdu[37], first[37];

    /* after success */
    bench_expect(bench, "0084000010", 0x9000, CARD_ANY);
    size_t length = answer_to(apdu, bench->data, 16, 0x83, external_key(), 0);
    assert_int_equal(bench_apdu(bench, apdu, length), 0x9000);
    assert_int_equal(bench_apdu(bench, apdu, length), 0x6985);
    bench_expect(bench, UPDATE_RECORD, 0x9000, NULL); /* the status stands */
    /* after failure */
    bench_expect(bench, "0084000010", 0x9000, CARD_ANY);
    length = answer_to(apdu, bench->data, 16, 0x83, external_key(), 1);
    assert_int_equal(bench_apdu(bench, apdu, length), 0x63C9);
    apdu[length - 1] ^= 1;
    assert_int_equal(bench_apdu(bench, apdu, length), 0x6985);
    /* an older one is not the last one */
    bench_expect(bench, "0084000010", 0x9000, CARD_ANY);
    length = answer_to(first, bench->data, 16, 0x83, external_key(), 0);
    bench_expect(bench, "0084000010", 0x9000, CARD_ANY);
    assert_int_equal(bench_apdu(bench, first, length), 0x63C8);
    /* one of before the reset */
    bench_expect(bench, "0084000010", 0x9000, CARD_ANY);
    length = answer_to(first, bench->data, 16, 0x83, external_key(), 0);
    bench_reset(bench);
    bench_select(bench);
    assert_int_equal(bench_apdu(bench, first, length), 0x6985);
}

static void any_other_command_uses_the_challenge_up(void **state)
{
    static const char *const commands[] = {
        "00A4000C025100",
        "00A40000021234",
        "00B0830001",
        "00B0810001",
        "00B2011400",
        "00200081",
        "00200081 06 313233343536",
        "00200081 06 000000000000",
        "00880082 10" R_16,
        "00880082 08" R_8,
        "80CA006600",
        "80CA010100",
        "80F28000024F00",
        "8050010008010203040506070800",
        "8050770008010203040506070800",
        "80D80000",
        "80F10300",
        "80F0800F",
        "00FF0000",
        "0060000000",
        "20A40000",
        "01A40000",
        "0CA40000",
        "10A40000",
        "00",
        "00A40000023F",
        "00A40500023F00",
        "04B0000008 0102030405060708",
        "8482010010000102030405060708090A0B0C0D0E0F",
        "00820183 10" R_16,
        "00820083",
    };
    struct bench *bench = *state;
    size_t bad = 0;

    for (size_t i = 0; i < CARD_COUNT(commands); i++) {
        uint8_t apdu[37];
        bench_expect(bench, "0084000010", 0x9000, CARD_ANY);
        size_t length = answer_to(apdu, bench->data, 16, 0x83, external_key(), 0);
        uint16_t first = bench_hex(bench, commands[i]);
        if (bench_apdu(bench, apdu, length) != 0x6985) {
            print_error("after %s (%04X): %04X\n", commands[i], first, bench->sw);
            bad++;
        }
        bench_expect(bench, UPDATE_RECORD, 0x6982, NULL);
    }
    assert_int_equal(bad, 0);
}

/* ---- Access proof ---- */

static void check_proof(struct bench *bench, const uint8_t *key, size_t key_length,
                        const char *asked, const char *said)
{
    uint8_t input[64], mac[16];
    size_t length = 14;

    memcpy(input, "TwinCOS access", length);
    length += bench_bytes(asked, input + length, 24);
    length += bench_bytes(said, input + length, 5);
    assert_int_equal(length, 43);
    assert_true(crypto_cmac(key, key_length, input, length, mac));
    assert_int_equal(bench->length, 21);
    assert_memory_equal(bench->data, input + 38, 5);
    assert_memory_equal(bench->data + 5, mac, 16);
}

static void the_access_proof_is_level_validity_and_mac(void **state)
{
    static const struct card_row before[] = {
        {"before the PIN", "00880081 18" SYSTEM_A R_16 "00", 0x6982, NULL, 0},
        {"wrong PIN", "00200081 06 303030303030", 0x63C2, NULL, 0},
        {"after a wrong PIN", "00880081 18" SYSTEM_A R_16 "00", 0x6982, NULL, 0},
        {"another PIN", "00200082 08 3837363534333231", 0x9000, NULL, 0},
        {"after another PIN", "00880081 18" SYSTEM_A R_16 "00", 0x6982, NULL, 0},
        {"PIN", PIN, 0x9000, NULL, 0},
        {"one byte less", "00880081 17 595354454D2041" R_16 "00", 0x6700, NULL, 0},
        {"one byte more", "00880081 19" SYSTEM_A R_16 "00 00", 0x6700, NULL, 0},
        {"R alone", "00880081 10" R_16 "00", 0x6700, NULL, 0},
        {"not for external authentication", "00820081 10" R_16, 0x6985, NULL, 0},
    };
    struct bench *bench = *state;
    uint8_t key[32], first[21];

    BENCH_ROWS(bench, before);
    bench_expect(bench, "00880081 18" SYSTEM_A R_16 "00", 0x9000, "03 20301231*");
    check_proof(bench, bench_access_key, 16, SYSTEM_A R_16, "0320301231");
    memcpy(first, bench->data, sizeof first);
    bench_expect(bench, "00880081 18" SYSTEM_B R_16 "00", 0x9000, "03 20301231*");
    check_proof(bench, bench_access_key, 16, SYSTEM_B R_16, "0320301231");
    assert_memory_not_equal(first + 5, bench->data + 5, 16); /* another system, another proof */
    bench_expect(bench, "00880081 18" SYSTEM_A "00112233445566778899AABBCCDDEEFE", 0x9000,
                 "03 20301231*");
    check_proof(bench, bench_access_key, 16, SYSTEM_A "00112233445566778899AABBCCDDEEFE",
                "0320301231");
    bench_bytes(AES_88, key, sizeof key);
    bench_expect(bench, "00880088 18" SYSTEM_A R_16 "00", 0x9000, "07 20401231*");
    check_proof(bench, key, 32, SYSTEM_A R_16, "0720401231");
    bench_reset(bench);
    bench_select(bench);
    bench_expect(bench, "00880081 18" SYSTEM_A R_16 "00", 0x6982, NULL);
}

#define KEYS_TEST(function) cmocka_unit_test_setup_teardown(function, make_keys, card_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(challenges_have_8_or_16_bytes),
        KEYS_TEST(x_is_r_enciphered),
        KEYS_TEST(internal_refused),
        KEYS_TEST(external_right_and_wrong),
        KEYS_TEST(external_blocks),
        KEYS_TEST(the_keys_own_rule_comes_first),
        KEYS_TEST(external_refused),
        KEYS_TEST(a_challenge_is_good_once),
        KEYS_TEST(any_other_command_uses_the_challenge_up),
        KEYS_TEST(the_access_proof_is_level_validity_and_mac),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
