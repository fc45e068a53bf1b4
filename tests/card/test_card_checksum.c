/* SPDX-License-Identifier: Apache-2.0
 *
 * COMPUTE and VERIFY CRYPTOGRAPHIC CHECKSUM of a whole card (ISO/IEC 7816-8:2019, 11.6, 11.9),
 * against OpenSSL.
 */
#include "crypt_rig.h"

#include "cos/tlv.h"
#include "twinctl/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/hmac.h>

#define KEY_16 "000102030405060708090A0B0C0D0E0F"
#define KEY_24 "0123456789ABCDEF23456789ABCDEF010123456789ABCDEF"
#define KEY_32 KEY_16 "101112131415161718191A1B1C1D1E1F"
#define BOTH   " CE0130 "

static uint16_t verify(struct bench *bench, const uint8_t *data, size_t length, const uint8_t *mac,
                       size_t mac_length)
{
    uint8_t field[BENCH_APDU_MAX];
    struct cos_writer writer = cos_writer(field, sizeof field);

    cos_tlv_write(&writer, 0x80, data, length);
    cos_tlv_write(&writer, 0x8E, mac, mac_length);
    return crypt_send(bench, 0x2A, 0x00, 0xA2, field, writer.length);
}

/* ISO/IEC 9797-1, algorithm 3 with padding method 2, from single DES. */
static size_t retail_mac(const uint8_t *key, const uint8_t *data, size_t length, uint8_t *mac)
{
    uint8_t single[TDES_KEY], other[TDES_KEY], padded[600] = {0}, block[8] = {0};

    for (size_t i = 0; i < 3; i++) {
        memcpy(single + 8 * i, key, 8);
        memcpy(other + 8 * i, key + 8, 8);
    }
    memcpy(padded, data, length);
    padded[length] = 0x80;
    for (size_t at = 0; at < (length / 8 + 1) * 8; at += 8) {
        for (size_t i = 0; i < 8; i++) {
            block[i] ^= padded[at + i];
        }
        assert_true(crypto_tdes_ecb(single, CRYPTO_ENCIPHER, block, 8, block));
    }
    assert_true(crypto_tdes_ecb(other, CRYPTO_DECIPHER, block, 8, block));
    assert_true(crypto_tdes_ecb(single, CRYPTO_ENCIPHER, block, 8, mac));
    return 8;
}

static const struct mac_key {
    uint8_t number;
    const char *attributes, *key;
    int hash; /* of HMAC; -1: CMAC, -2: retail MAC */
} mac_keys[] = {
    {4, OF_APPLICATION " 800101" BOTH "C710 " KEY_16, KEY_16, -1},
    {5, OF_APPLICATION " 800101" BOTH "C720 " KEY_32, KEY_32, -1},
    {6, OF_APPLICATION " 800102" BOTH "C718 " KEY_24, KEY_24, -2},
    {7, OF_APPLICATION " 800103 C90100" BOTH "C710 " KEY_16, KEY_16, COS_SHA1},
    {8, OF_APPLICATION " 800103 C90101" BOTH "C710 " KEY_16, KEY_16, COS_SHA224},
    {9, OF_APPLICATION " 800103 C90102" BOTH "C720 " KEY_32, KEY_32, COS_SHA256},
    {10, OF_APPLICATION " 800103 C90103" BOTH "C720 " KEY_32, KEY_32, COS_SHA384},
    {11, OF_APPLICATION " 800103 C90104" BOTH "C720 " KEY_32, KEY_32, COS_SHA512},
};

static size_t expected_mac(const struct mac_key *key, const uint8_t *data, size_t length,
                           uint8_t mac[EVP_MAX_MD_SIZE])
{
    uint8_t bytes[32];
    const size_t key_length = bench_bytes(key->key, bytes, sizeof bytes);
    unsigned size = 16;

    if (key->hash == -2) {
        return retail_mac(bytes, data, length, mac);
    }
    if (key->hash == -1) {
        assert_true(crypto_cmac(bytes, key_length, data, length, mac));
        return size;
    }
    assert_non_null(HMAC(oracle_hash((enum cos_hash)key->hash), bytes, (int)key_length, data,
                         length, mac, &size));
    return size;
}

static void checksums_of_each_algorithm(void **state)
{
    static const size_t lengths[] = {0, 1, 8, 15, 16, 17, 200, 256, 440};
    struct bench *bench = *state;
    uint8_t data[512], mac[EVP_MAX_MD_SIZE];

    crypt_digest(data, sizeof data, 6);
    for (size_t i = 0; i < CARD_COUNT(mac_keys); i++) {
        const struct mac_key *key = &mac_keys[i];
        crypt_key(bench, key->number, key->attributes);
        for (size_t j = 0; j < CARD_COUNT(lengths); j++) {
            const size_t size = expected_mac(key, data, lengths[j], mac);
            crypt_set(bench, 0xB4, 0x80 | key->number, (uint8_t)(j % 2 == 0 ? MAC : DEFAULT));
            assert_int_equal(crypt_send(bench, 0x2A, 0x8E, 0x80, data, lengths[j]), 0x9000);
            assert_int_equal(bench->length, size);
            assert_memory_equal(bench->data, mac, size);
            assert_int_equal(verify(bench, data, lengths[j], mac, size), 0x9000);
            mac[size - 1] ^= 1;
            assert_int_equal(verify(bench, data, lengths[j], mac, size), 0x6300);
            mac[size - 1] ^= 1;
            assert_int_equal(verify(bench, data, lengths[j], mac, size - 1), 0x6300);
            assert_int_equal(verify(bench, data, lengths[j], mac, 0), 0x6300);
        }
    }
}

/* ---- Tries ---- */

/* Key 84: CMAC, three tries. Its checksum of 61 62 63 is the one that OpenSSL gives. */
static void a_wrong_checksum_costs_a_try(void **state)
{
    static const struct card_row rows[] = {
        {"SET", "0022C1B4 03 840184", 0x9000, NULL, CARD_KEEPS},
        {"wrong", "002A00A2 17 8003616263 8E10 00112233445566778899AABBCCDDEEFF", 0x63C2, NULL, 0},
        {"malformed: costs none", "002A00A2 16 8003616263 8E10 00112233445566778899AABBCCDDEE",
         0x6A80, NULL, 0},
        {"too short", "002A00A2 0F 8003616263 8E08 0011223344556677", 0x63C1, NULL, 0},
        {"computing costs none", "002A8E80 03 616263", 0x9000, CARD_ANY, CARD_KEEPS},
    };
    static const struct card_row blocked[] = {
        {"wrong", "002A00A2 17 8003616263 8E10 00112233445566778899AABBCCDDEEFF", 0x63C2, NULL, 0},
        {"wrong", "002A00A2 17 8003616263 8E10 00112233445566778899AABBCCDDEEFF", 0x63C1, NULL, 0},
        {"wrong", "002A00A2 17 8003616263 8E10 00112233445566778899AABBCCDDEEFF", 0x63C0, NULL, 0},
        {"blocked", "002A00A2 17 8003616263 8E10 00112233445566778899AABBCCDDEEFF", 0x6983, NULL,
         0},
    };
    struct bench *bench = *state;
    uint8_t mac[16];

    crypt_key(bench, 4, OF_APPLICATION " 800101 C00103" BOTH "C710 " KEY_16);
    BENCH_ROWS(bench, rows);
    memcpy(mac, bench->data, sizeof mac);
    assert_int_equal(verify(bench, (const uint8_t *)"abc", 3, mac, sizeof mac), 0x9000);
    BENCH_ROWS(bench, blocked);
    assert_int_equal(verify(bench, (const uint8_t *)"abc", 3, mac, sizeof mac), 0x6983);
    bench_reset(bench);
    bench_select(bench);
    bench_expect(bench, "0022C1B4 03 840184", 0x9000, NULL);
    assert_int_equal(verify(bench, (const uint8_t *)"abc", 3, mac, sizeof mac), 0x6983);
}

/* ---- What keys may do ---- */

static void one_direction_only(void **state)
{
    static const struct card_row rows[] = {
        {"SET of the key that computes", "0022C1B4 03 840184", 0x9000, NULL, CARD_KEEPS},
        {"compute", "002A8E80 03 616263", 0x9000, CARD_ANY, CARD_KEEPS},
        {"verify", "002A00A2 17 8003616263 8E10 00112233445566778899AABBCCDDEEFF", 0x6985, NULL, 0},
        {"SET of the key that verifies", "0022C1B4 03 840185", 0x9000, NULL, CARD_KEEPS},
        {"compute", "002A8E80 03 616263", 0x6985, NULL, 0},
        {"verify", "002A00A2 17 8003616263 8E10 00112233445566778899AABBCCDDEEFF", 0x6300, NULL,
         CARD_KEEPS},
        {"SET of a 3DES key of three", "0022C1B4 03 840186", 0x9000, NULL, CARD_KEEPS},
        {"compute", "002A8E80 03 616263", 0x6985, NULL, 0},
        {"verify", "002A00A2 0F 8003616263 8E08 0011223344556677", 0x6985, NULL, 0},
        {"no data", "002A00A2", 0x6A80, NULL, 0},
        {"only the checksum", "002A00A2 0A 8E08 0011223344556677", 0x6A80, NULL, 0},
        {"the other order", "002A00A2 0F 8E08 0011223344556677 8003616263", 0x6A80, NULL, 0},
        {"one more object", "002A00A2 12 8003616263 8E08 0011223344556677 800101", 0x6A80, NULL, 0},
        {"a scheme of other keys", "0022C1B4 06 800101 840184", 0x9000, NULL, CARD_KEEPS},
        {"compute", "002A8E80 03 616263", 0x6985, NULL, 0},
    };
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    assert_int_equal(crypt_store(bench, 4, OF_APPLICATION " 800101 CE0110 C710 " KEY_16), 0x9000);
    assert_int_equal(crypt_store(bench, 5, OF_APPLICATION " 800101 CE0120 C710 " KEY_16), 0x9000);
    assert_int_equal(crypt_store(bench, 6,
                                 OF_APPLICATION
                                 " 800102" BOTH
                                 "C718 0123456789ABCDEF23456789ABCDEF01456789ABCDEF0123"),
                     0x9000);
    bench_select(bench);
    BENCH_ROWS(bench, rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(checksums_of_each_algorithm),
        CARD_TEST(a_wrong_checksum_costs_a_try),
        CARD_TEST(one_direction_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
