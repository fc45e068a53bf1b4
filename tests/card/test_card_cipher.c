/* SPDX-License-Identifier: Apache-2.0
 *
 * ENCIPHER and DECIPHER of a whole card (ISO/IEC 7816-8:2019, 11.12, 11.13), against OpenSSL.
 *
 * Keys of the access application, as the tests need them: 84 RSA-1024, 85 AES-128, 86 AES-256, 87
 * 3DES.
 */
#include "crypt_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/rsa.h>

#define AES_128 "000102030405060708090A0B0C0D0E0F"
#define AES_256 AES_128 "101112131415161718191A1B1C1D1E1F"
#define DES3    "0123456789ABCDEF23456789ABCDEF01456789ABCDEF0123"
#define BOTH    " CE010A "

enum { TLV = 0x82, BARE = 0x84, INDICATED = 0x86 };

static const struct cos_span no_label = {NULL, 0};

static uint16_t decipher(struct bench *bench, uint8_t tag, const uint8_t *data, size_t length)
{
    return crypt_send(bench, 0x2A, 0x80, tag, data, length);
}

static uint16_t encipher(struct bench *bench, uint8_t tag, const uint8_t *data, size_t length)
{
    return crypt_send(bench, 0x2A, tag, 0x80, data, length);
}

/* ---- RSA ---- */

static void make_rsa(struct bench *bench, struct oracle_rsa *rsa)
{
    crypt_key(bench, 4, RSA_1024);
    crypt_generate(bench, 0x84);
    crypt_take_rsa(bench, rsa);
}

static void rsa_deciphers_what_openssl_enciphers(void **state)
{
    static const struct {
        uint8_t algorithm;
        int padding;
        enum cos_hash hash;
        size_t longest;
    } rows[] = {
        {DEFAULT, RSA_PKCS1_PADDING, COS_SHA256, 117},
        {CIPHER_V15, RSA_PKCS1_PADDING, COS_SHA256, 117},
        {OAEP, RSA_PKCS1_OAEP_PADDING, COS_SHA256, 62},
        {HASH_AND(COS_SHA1, OAEP), RSA_PKCS1_OAEP_PADDING, COS_SHA1, 86},
        {HASH_AND(COS_SHA384, OAEP), RSA_PKCS1_OAEP_PADDING, COS_SHA384, 30},
    };
    struct bench *bench = *state;
    uint8_t message[128], cipher[129] = {0};
    struct oracle_rsa rsa;

    make_rsa(bench, &rsa);
    crypt_digest(message, sizeof message, 4);
    for (size_t i = 0; i < CARD_COUNT(rows); i++) {
        crypt_set(bench, 0xB8, 0x84, rows[i].algorithm);
        for (size_t length = 0; length <= rows[i].longest; length += rows[i].longest) {
            const struct cos_span span = {message, length};
            oracle_rsa_encrypt(&rsa, rows[i].padding, rows[i].hash, no_label, span, cipher + 1);
            for (unsigned tag = TLV; tag <= BARE; tag += 2) {
                assert_int_equal(decipher(bench, (uint8_t)tag, cipher + 1, 128), 0x9000);
                assert_int_equal(bench->length, length);
                assert_memory_equal(bench->data, message, length);
            }
            assert_int_equal(decipher(bench, INDICATED, cipher, 129), 0x9000);
            assert_int_equal(bench->length, length);
            assert_memory_equal(bench->data, message, length);
        }
    }
    oracle_rsa_free(&rsa);
}

/* What the card enciphers it can decipher, and never makes twice. */
static void rsa_enciphers_both_ways(void **state)
{
    static const struct {
        uint8_t algorithm;
        size_t longest;
    } rows[] = {{DEFAULT, 117}, {CIPHER_V15, 117}, {OAEP, 62}, {HASH_AND(COS_SHA1, OAEP), 86}};
    struct bench *bench = *state;
    uint8_t message[118], first[129];
    struct oracle_rsa rsa;

    make_rsa(bench, &rsa);
    crypt_digest(message, sizeof message, 8);
    for (size_t i = 0; i < CARD_COUNT(rows); i++) {
        crypt_set(bench, 0xB8, 0x84, rows[i].algorithm);
        assert_int_equal(encipher(bench, INDICATED, message, rows[i].longest), 0x9000);
        assert_int_equal(bench->length, 129);
        assert_int_equal(bench->data[0], 0x00);
        memcpy(first, bench->data, sizeof first);
        assert_int_equal(encipher(bench, BARE, message, rows[i].longest), 0x9000);
        assert_int_equal(bench->length, 128);
        assert_memory_not_equal(bench->data, first + 1, 128);
        assert_int_equal(decipher(bench, INDICATED, first, 129), 0x9000);
        assert_int_equal(bench->length, rows[i].longest);
        assert_memory_equal(bench->data, message, bench->length);
        assert_int_equal(encipher(bench, TLV, message, rows[i].longest + 1), 0x6700);
        assert_int_equal(encipher(bench, TLV, NULL, 0), 0x9000);
    }
    oracle_rsa_free(&rsa);
}

/* Bad padding of PKCS #1 v1.5 is not told: the answer is a message like any other, and the same
 * each time (implicit rejection). OAEP says so. */
static void bad_padding_is_rejected(void **state)
{
    struct bench *bench = *state;
    uint8_t encoded[128], cipher[128], first[128];
    struct oracle_rsa rsa;

    make_rsa(bench, &rsa);
    for (unsigned i = 0; i < 8; i++) {
        crypt_digest(encoded, sizeof encoded, i);
        encoded[0] = 0;
        encoded[1] = (uint8_t)(i == 0 ? 3 : 2); /* 02, but a 00 too early, or none */
        memset(encoded + 2, 0x11, 126);
        encoded[i < 2 ? 20 : 2 + i] = i == 7 ? 0x11 : 0x00;
        if (i == 1) {
            encoded[1] = 0x01;
        }
        oracle_modexp(encoded, 128, oracle_rsa_e(&rsa), oracle_rsa_n(&rsa), cipher);
        crypt_set(bench, 0xB8, 0x84, CIPHER_V15);
        assert_int_equal(decipher(bench, BARE, cipher, 128), 0x9000);
        const size_t length = bench->length;
        assert_true(length <= 117);
        memcpy(first, bench->data, length);
        bench_reset(bench);
        bench_select(bench);
        crypt_set(bench, 0xB8, 0x84, CIPHER_V15);
        assert_int_equal(decipher(bench, BARE, cipher, 128), 0x9000);
        assert_int_equal(bench->length, length);
        assert_memory_equal(bench->data, first, length);
        crypt_set(bench, 0xB8, 0x84, OAEP);
        assert_int_equal(decipher(bench, BARE, cipher, 128), 0x6A80);
        assert_int_equal(bench->length, 0);
    }
    memset(cipher, 0xFF, sizeof cipher); /* not below the modulus */
    crypt_set(bench, 0xB8, 0x84, CIPHER_V15);
    assert_int_equal(decipher(bench, BARE, cipher, 128), 0x6A80);
    assert_int_equal(decipher(bench, BARE, cipher, 127), 0x6A80);
    oracle_rsa_free(&rsa);
}

/* ---- Block ciphers ---- */

static const struct block_key {
    uint8_t number;
    const char *attributes, *key, *openssl;
    size_t block;
} block_keys[] = {
    {5, OF_APPLICATION " 800101" BOTH "C710 " AES_128, AES_128, "AES-128-CBC", 16},
    {6, OF_APPLICATION " 800101" BOTH "C720 " AES_256, AES_256, "AES-256-CBC", 16},
    {7, OF_APPLICATION " 800102" BOTH "C718 " DES3, DES3, "DES-EDE3-CBC", 8},
};

static void openssl_cbc(const struct block_key *key, const uint8_t *vector, const uint8_t *in,
                        size_t length, uint8_t *out)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, key->openssl, NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    uint8_t bytes[32];
    int written;

    (void)bench_bytes(key->key, bytes, sizeof bytes);
    assert_int_equal(EVP_EncryptInit_ex2(context, cipher, bytes, vector, NULL), 1);
    assert_int_equal(EVP_CIPHER_CTX_set_padding(context, 0), 1);
    assert_int_equal(EVP_EncryptUpdate(context, out, &written, in, (int)length), 1);
    assert_int_equal(written, length);
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
}

/* MSE SET of key, algorithm and initial value block (length 0: none). */
static uint16_t set_vector(struct bench *bench, uint8_t reference, uint8_t algorithm,
                           const uint8_t *vector, size_t length)
{
    uint8_t data[32] = {0x80, 1, algorithm, 0x83, 1, reference, 0x87, (uint8_t)length};

    memcpy(data + 8, vector, length);
    return crypt_send(bench, 0x22, 0xC1, 0xB8, data, length != 0 ? 8 + length : 6);
}

static void check_block(struct bench *bench, const struct block_key *key, bool padded,
                        const uint8_t *vector, size_t length)
{
    static const uint8_t zeros[16];
    const uint8_t algorithm = padded ? CBC_PADDED : CBC;
    const size_t vector_length = vector != NULL ? key->block : 0;
    const size_t total = padded ? (length / key->block + 1) * key->block : length;
    uint8_t plain[512] = {0}, expected[1 + 512];

    crypt_digest(plain, length, (unsigned)length);
    if (padded) {
        plain[length] = 0x80;
    }
    openssl_cbc(key, vector != NULL ? vector : zeros, plain, total, expected + 1);
    expected[0] = padded ? 0x01 : 0x02;
    assert_int_equal(set_vector(bench, (uint8_t)(0x80 | key->number), algorithm,
                                vector != NULL ? vector : zeros, vector_length),
                     0x9000);
    assert_int_equal(encipher(bench, INDICATED, plain, length), 0x9000);
    assert_int_equal(bench->length, 1 + total);
    assert_memory_equal(bench->data, expected, 1 + total);
    assert_int_equal(encipher(bench, BARE, plain, length), 0x9000);
    assert_int_equal(bench->length, total);
    assert_memory_equal(bench->data, expected + 1, total);
    assert_int_equal(decipher(bench, INDICATED, expected, 1 + total), 0x9000);
    assert_int_equal(bench->length, length);
    assert_memory_equal(bench->data, plain, length);
    assert_int_equal(decipher(bench, TLV, expected + 1, total), 0x9000);
    assert_int_equal(bench->length, length);
    expected[0] ^= 0x03; /* the other indicator */
    assert_int_equal(decipher(bench, INDICATED, expected, 1 + total), 0x6A80);
}

static void cbc_with_and_without_padding(void **state)
{
    static const uint8_t vector[16] = {0xF0, 0xE1, 0xD2, 0xC3, 0xB4, 0xA5, 0x96, 0x87,
                                       0x78, 0x69, 0x5A, 0x4B, 0x3C, 0x2D, 0x1E, 0x0F};
    static const size_t lengths[] = {0, 1, 7, 8, 15, 16, 17, 255, 256, 480, 496};
    struct bench *bench = *state;

    for (size_t i = 0; i < CARD_COUNT(block_keys); i++) {
        const struct block_key *key = &block_keys[i];
        crypt_key(bench, key->number, key->attributes);
        for (size_t j = 0; j < CARD_COUNT(lengths); j++) {
            check_block(bench, key, true, NULL, lengths[j]);
            check_block(bench, key, true, vector, lengths[j]);
            if (lengths[j] != 0 && lengths[j] % key->block == 0) {
                check_block(bench, key, false, NULL, lengths[j]);
                check_block(bench, key, false, vector, lengths[j]);
            }
        }
    }
}

/* Whatever does not fit the cipher; the answers are those of the table in docs/formats.md. */
static void block_ciphers_take_whole_blocks(void **state)
{
    static const struct card_row rows[] = {
        {"whole blocks", "0022C1B8 06 800106 830185", 0x9000, NULL, CARD_KEEPS},
        {"no data", "002A8480", 0x6A80, NULL, 0},
        {"half a block", "002A8480 08 0102030405060708", 0x6A80, NULL, 0},
        {"half a cryptogram", "002A8084 08 0102030405060708", 0x6A80, NULL, 0},
        {"no cryptogram", "002A8084", 0x6A80, NULL, 0},
        {"no indicator", "002A8086", 0x6A80, NULL, 0},
        {"nothing behind it", "002A8086 01 02", 0x6A80, NULL, 0},
        {"a vector of the other cipher", "0022C1B8 0A 8708 0102030405060708", 0x9000, NULL,
         CARD_KEEPS},
        {"ENCIPHER", "002A8480 10 00112233445566778899AABBCCDDEEFF", 0x6985, NULL, 0},
        {"DECIPHER", "002A8084 10 00112233445566778899AABBCCDDEEFF", 0x6985, NULL, 0},
        {"the vector goes with the next SET", "0022C1B8 03 800107", 0x9000, NULL, CARD_KEEPS},
        {"bad padding", "002A8084 10 00112233445566778899AABBCCDDEEFF", 0x6A80, NULL, 0},
        {"an algorithm of other keys", "0022C1B8 03 800105", 0x9000, NULL, CARD_KEEPS},
        {"ENCIPHER", "002A8480 01 00", 0x6985, NULL, 0},
        {"DECIPHER", "002A8084 10 00112233445566778899AABBCCDDEEFF", 0x6985, NULL, 0},
        {"of none", "0022C1B8 03 80010A", 0x9000, NULL, CARD_KEEPS},
        {"ENCIPHER", "002A8480 01 00", 0x6985, NULL, 0},
        {"no such hash function", "0022C1B8 03 800167", 0x9000, NULL, CARD_KEEPS},
        {"ENCIPHER", "002A8480 01 00", 0x6985, NULL, 0},
        {"DECIPHER gives no plain text back", "002A8082", 0x6985, NULL, 0},
    };
    struct bench *bench = *state;

    crypt_key(bench, 5, block_keys[0].attributes);
    BENCH_ROWS(bench, rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(rsa_deciphers_what_openssl_enciphers),
        CARD_TEST(rsa_enciphers_both_ways),
        CARD_TEST(bad_padding_is_rejected),
        CARD_TEST(cbc_with_and_without_padding),
        CARD_TEST(block_ciphers_take_whole_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
