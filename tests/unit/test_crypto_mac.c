/* SPDX-License-Identifier: Apache-2.0
 *
 * Paddings and DES MACs of ISO/IEC 9797-1, and 3DES-CBC.
 */
#include "crypto_helpers.h"

#include "crypto/mac.h"
#include "vectors.h"

#include <openssl/evp.h>

static const struct cos_crypto *const crypto = &cos_crypto_tomcrypt;

/* ISO/IEC 9797-1, annex A: both strings, both paddings, both algorithms, also in parts. */
static void iso9797_macs(void **state)
{
    (void)state;
    struct vectors *vectors = vectors_open("iso9797-1-mac.txt");
    struct random random = random_start(1);
    for (unsigned string = 1; string <= 2; string++) {
        const struct vector_section *section =
            vectors_section(vectors, string == 1 ? "string 1" : "string 2");
        const uint8_t *key = vector_exactly(section, 16, "key");
        const struct cos_span text = vector_bytes(section, "msg");
        for (unsigned i = 0; i < 4; i++) {
            const unsigned algorithm = i < 2 ? 1 : 3, padding = 1 + i % 2;
            const uint8_t *good = vector_exactly(section, 8, "alg%u_pad%u", algorithm, padding);
            for (unsigned round = 0; round < 20; round++) {
                struct cos_span parts[4];
                uint8_t mac[8];
                const size_t count = random_parts(&random, text.data, text.length, parts, 4);
                assert_int_equal(cos_des_mac(crypto, (enum cos_des_mac)algorithm,
                                             (enum cos_padding)padding, key, parts, count, mac),
                                 COS_OK);
                assert_memory_equal(mac, good, sizeof mac);
            }
        }
        for (unsigned method = 1; method <= 2; method++) {
            const struct cos_span good = vector_bytes(section, "padded_method%u", method);
            uint8_t data[64];
            size_t padded;
            memcpy(data, text.data, text.length);
            assert_int_equal(
                cos_pad((enum cos_padding)method, data, text.length, sizeof data, 8, &padded),
                COS_OK);
            assert_int_equal(padded, good.length);
            assert_memory_equal(data, good.data, good.length);
        }
    }
    const struct vector_section *section = vectors_section(vectors, "padding method 2 edge cases");
    for (unsigned i = 0; i <= 5; i++) {
        const struct cos_span in = vector_bytes(section, "in%u", i);
        const struct cos_span good = vector_bytes(section, "out%u", i);
        const size_t block = vector_number(section, "block%u_n", i);
        uint8_t data[64];
        size_t padded, unpadded;
        if (in.length > 0) {
            memcpy(data, in.data, in.length);
        }
        assert_int_equal(cos_pad(COS_PADDING_2, data, in.length, sizeof data, block, &padded),
                         COS_OK);
        assert_int_equal(padded, good.length);
        assert_memory_equal(data, good.data, good.length);
        assert_int_equal(cos_unpad(data, padded, block, &unpadded), COS_OK);
        assert_int_equal(unpadded, in.length);
    }
    assert_int_equal(vectors->count, 3);
    vectors_close(vectors);
}

static void padding_lengths(void **state)
{
    (void)state;
    for (size_t block = 8; block <= 16; block += 8) {
        for (size_t length = 0; length <= 40; length++) {
            for (unsigned method = 1; method <= 2; method++) {
                uint8_t data[64], before[64];
                size_t padded = 99, expected = length == 0 ? 1 : length + (method == 2);
                expected = (expected + block - 1) / block * block;
                assert_int_equal(cos_padded((enum cos_padding)method, length, block), expected);
                memset(data, 0x5A, sizeof data);
                memcpy(before, data, sizeof data);
                assert_int_equal(
                    cos_pad((enum cos_padding)method, data, length, expected - 1, block, &padded),
                    COS_E_LENGTH);
                assert_memory_equal(data, before, sizeof data);
                assert_int_equal(
                    cos_pad((enum cos_padding)method, data, length, expected, block, &padded),
                    COS_OK);
                assert_int_equal(padded, expected);
                assert_memory_equal(data, before, length);
                for (size_t i = length; i < expected; i++) {
                    assert_int_equal(data[i], i == length && method == 2 ? 0x80 : 0);
                }
                assert_int_equal(data[expected], 0x5A);
            }
        }
    }
}

static void unpadding(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        size_t block;
        enum cos_result result;
        size_t unpadded;
    } cases[] = {
        {"", 8, COS_E_DATA, 0},
        {"80", 8, COS_E_DATA, 0},
        {"80000000000000", 8, COS_E_DATA, 0},
        {"8000000000000000", 8, COS_OK, 0},
        {"0000000000000080", 8, COS_OK, 7},
        {"8080808080808080", 8, COS_OK, 7},
        {"0000000000000000", 8, COS_E_DATA, 0},
        {"8000000000000001", 8, COS_E_DATA, 0},
        {"0000000000000081", 8, COS_E_DATA, 0},
        {"1122334455667788", 8, COS_E_DATA, 0},
        {"80000000000000000000000000000000", 8, COS_E_DATA, 0},
        {"80000000000000000000000000000000", 16, COS_OK, 0},
        {"11223344556677888000000000000000", 8, COS_OK, 8},
        {"11223344556677888000000000000000", 16, COS_OK, 8},
        {"112233445566778880000000000000", 16, COS_E_DATA, 0},
        {"1122334455667788", 16, COS_E_DATA, 0},
        {"1122334455667788", 8, COS_E_DATA, 0},
        {"00000000000000000000000000000000000000000000000080000000000000000000000000000000", 16,
         COS_E_DATA, 0},
        {"8000000000000000000000000000000000000000000000000000000000000000", 16, COS_E_DATA, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t data[64];
        size_t unpadded = 99, length = unhex(cases[i].data, data, sizeof data);
        assert_case(cos_unpad(data, length, cases[i].block, &unpadded) == cases[i].result,
                    "case %zu", i);
        assert_case(unpadded == cases[i].unpadded, "case %zu: %zu", i, unpadded);
    }
}

static void openssl_cbc(bool encrypt, const uint8_t key[24], const uint8_t iv[8], const uint8_t *in,
                        uint8_t *out, size_t length)
{
    int n = 0;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    assert_int_equal(EVP_CipherInit_ex2(context, EVP_des_ede3_cbc(), key, iv, encrypt, NULL), 1);
    EVP_CIPHER_CTX_set_padding(context, 0);
    assert_int_equal(EVP_CipherUpdate(context, out, &n, in, (int)length), 1);
    assert_int_equal(n, length);
    EVP_CIPHER_CTX_free(context);
}

static void agrees_cbc(void **state)
{
    (void)state;
    struct random random = random_start(2);
    for (size_t length = 0; length <= 200; length++) {
        uint8_t key[24], iv[8], in[200], out[200], good[200];
        random_fill(&random, key, sizeof key);
        random_fill(&random, iv, sizeof iv);
        random_fill(&random, in, length);
        memcpy(out, in, length);
        enum cos_result expected = length % 8 == 0 ? COS_OK : COS_E_CRYPTO;
        assert_int_equal(cos_des3_cbc_encrypt(crypto, key, iv, out, out, length), expected);
        if (expected == COS_OK) {
            openssl_cbc(true, key, iv, in, good, length);
            assert_memory_equal(out, good, length);
        }
        assert_int_equal(cos_des3_cbc_decrypt(crypto, key, iv, out, out, length), expected);
        assert_memory_equal(out, in, length);
    }
}

/* Single DES by three equal keys: the classical vector (FIPS 81, appendix B, first block). */
static void single_des(void **state)
{
    (void)state;
    uint8_t key[24], block[8], good[8];
    unhex("0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF", key, sizeof key);
    unhex("4E6F772069732074", block, sizeof block);
    unhex("3FA40E8A984D4815", good, sizeof good);
    assert_int_equal(crypto->des3_encrypt(NULL, key, block, block), COS_OK);
    assert_memory_equal(block, good, sizeof block);
}

/* The MAC of the last of many blocks is CBC's last block; the empty text is one block of padding.
 */
static void macs_are_of_cbc(void **state)
{
    (void)state;
    struct random random = random_start(3);
    for (size_t length = 0; length <= 64; length++) {
        uint8_t key[24], text[80], mac[8], good[80];
        const uint8_t iv[8] = {0};
        size_t padded;
        random_fill(&random, key, 16);
        random_fill(&random, text, length);
        const struct cos_span part = {text, length};
        for (unsigned method = 1; method <= 2; method++) {
            assert_int_equal(
                cos_des_mac(crypto, COS_DES_MAC_1, (enum cos_padding)method, key, &part, 1, mac),
                COS_OK);
            uint8_t single[24];
            for (size_t at = 0; at < 24; at += 8) {
                memcpy(single + at, key, 8);
            }
            uint8_t copy[80];
            memcpy(copy, text, sizeof copy);
            assert_int_equal(
                cos_pad((enum cos_padding)method, copy, length, sizeof copy, 8, &padded), COS_OK);
            openssl_cbc(true, single, iv, copy, good, padded);
            assert_memory_equal(mac, good + padded - 8, 8);
        }
    }
}

static enum cos_result failing_des3(void *context, const uint8_t key[24], const uint8_t in[8],
                                    uint8_t out[8])
{
    unsigned *left = context;
    if ((*left)-- == 0) {
        return COS_E_CRYPTO;
    }
    return crypto->des3_encrypt(NULL, key, in, out);
}

static void provider_fails(void **state)
{
    (void)state;
    const uint8_t key[24] = {1}, iv[8] = {0};
    for (unsigned at = 0; at < 4; at++) {
        unsigned left = at;
        uint8_t text[24] = {0}, mac[8];
        const struct cos_span part = {text, sizeof text};
        const struct cos_crypto failing = {
            .context = &left, .des3_encrypt = failing_des3, .des3_decrypt = failing_des3};
        assert_int_equal(cos_des_mac(&failing, COS_DES_MAC_3, COS_PADDING_2, key, &part, 1, mac),
                         COS_E_CRYPTO);
        left = at;
        enum cos_result expected = at < 3 ? COS_E_CRYPTO : COS_OK;
        assert_int_equal(cos_des3_cbc_encrypt(&failing, key, iv, text, text, 24), expected);
        left = at;
        assert_int_equal(cos_des3_cbc_decrypt(&failing, key, iv, text, text, 24), expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(iso9797_macs),   cmocka_unit_test(padding_lengths),
        cmocka_unit_test(unpadding),      cmocka_unit_test(agrees_cbc),
        cmocka_unit_test(single_des),     cmocka_unit_test(macs_are_of_cbc),
        cmocka_unit_test(provider_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
