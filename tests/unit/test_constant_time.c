/* SPDX-License-Identifier: Apache-2.0
 *
 * Nothing that is done with a secret depends on it: neither a branch nor an address. Secrets are
 * marked as undefined, so that valgrind reports the first of either that they decide (make
 * memcheck). What may be known afterwards, a verdict or a length, is marked as defined again where
 * the contract lets go of it. Without valgrind this tests the answers alone.
 */
#include "crypto_helpers.h"

#include "crypto/padding.h"
#include "crypto/rsa.h"
#include "tiny_crypto.h"

#include <valgrind/memcheck.h>

static const struct cos_crypto *const crypto = &cos_crypto_tomcrypt;

static void secret(const void *data, size_t length)
{
    (void)VALGRIND_MAKE_MEM_UNDEFINED(data, length);
}

static void known(const void *data, size_t length)
{
    (void)VALGRIND_MAKE_MEM_DEFINED(data, length);
}

/* The result of a call, known from here on. */
static enum cos_result said(enum cos_result result)
{
    known(&result, sizeof result);
    return result;
}

/* A mark goes through the functions to what they give: else the others could not fail. */
static void marks_travel(void **state)
{
    (void)state;
    if (RUNNING_ON_VALGRIND == 0) {
        skip();
    }
    uint8_t data[16] = {0x80};
    size_t unpadded, mark = 0;
    secret(data, sizeof data);
    (void)cos_unpad(data, sizeof data, sizeof data, &unpadded);
    assert_int_equal(VALGRIND_GET_VBITS(&unpadded, &mark, sizeof mark), 1);
    assert_int_not_equal(mark, 0);
    known(data, sizeof data);
    (void)cos_unpad(data, sizeof data, sizeof data, &unpadded);
    assert_int_equal(VALGRIND_GET_VBITS(&unpadded, &mark, sizeof mark), 1);
    assert_int_equal(mark, 0);
}

static void comparison(void **state)
{
    (void)state;
    for (size_t length = 0; length <= 64; length++) {
        uint8_t a[64] = {0}, b[64] = {0};
        for (size_t differs = 0; differs <= length; differs++) {
            memset(a, 0x5A, sizeof a);
            memset(b, 0x5A, sizeof b);
            if (differs < length) {
                b[differs] ^= 0x80;
            }
            secret(a, sizeof a);
            secret(b, sizeof b);
            cos_truth equal = cos_equal_secret(a, b, length);
            known(&equal, sizeof equal);
            assert_true(equal == (differs == length ? COS_YES : COS_NO));
            known(a, sizeof a);
            known(b, sizeof b);
        }
    }
}

/* A MAC under a secret key over secret data, compared with what came. */
static void macs(void **state)
{
    (void)state;
    for (unsigned right = 0; right < 2; right++) {
        uint8_t key[32] = {1, 2, 3}, text[40] = {4, 5, 6}, mac[64], came[64];
        const struct cos_span part = {text, sizeof text};
        for (enum cos_hash which = COS_SHA1; which <= COS_SHA512; which++) {
            const size_t size = cos_hash_size(which);
            assert_int_equal(crypto->hmac(NULL, which, key, sizeof key, &part, 1, came), COS_OK);
            came[7] ^= (uint8_t)(right ^ 1);
            secret(key, sizeof key);
            secret(text, sizeof text);
            assert_int_equal(said(crypto->hmac(NULL, which, key, sizeof key, &part, 1, mac)),
                             COS_OK);
            cos_truth equal = cos_equal_secret(mac, came, size);
            known(&equal, sizeof equal);
            assert_true(equal == (right ? COS_YES : COS_NO));
            known(key, sizeof key);
            known(text, sizeof text);
        }
    }
}

static void unpadding(void **state)
{
    (void)state;
    for (size_t block = 8; block <= 16; block += 8) {
        for (size_t at = 0; at <= 32; at++) {
            for (uint8_t marker = 0x7F; marker <= 0x81; marker++) {
                uint8_t data[32] = {0};
                size_t unpadded;
                memset(data, 0x11, at);
                if (at < 32) {
                    data[at] = marker;
                }
                secret(data, sizeof data);
                enum cos_result result = said(cos_unpad(data, sizeof data, block, &unpadded));
                known(&unpadded, sizeof unpadded);
                bool good = marker == 0x80 && at < 32 && at >= 32 - block;
                assert_int_equal(result, good ? COS_OK : COS_E_DATA);
                assert_int_equal(unpadded, good ? at : 0);
            }
        }
    }
}

/* Block type 2, good (0 and from 5 on, with a message of 10 (form mod 5) bytes) or bad: 01 instead
 * of 02, no separator, one too early, 01 in front. */
static void encoded_block2(uint8_t *encoded, size_t length, unsigned form)
{
    memset(encoded, 0x5A, length);
    encoded[0] = 0x00;
    encoded[1] = form == 1 ? 0x01 : 0x02;
    if (form != 2) {
        encoded[form == 3 ? 5 : length - 1 - 10 * (size_t)(form % 5)] = 0x00;
    }
    if (form == 4) {
        encoded[0] = 0x01;
    }
}

static void v15(void **state)
{
    (void)state;
    /* The key's parts that are hashed; nothing is computed with them here. */
    uint8_t dp[64] = {1}, dq[64] = {2};
    const struct cos_rsa_private key = {.dp = {dp, 64}, .dq = {dq, 64}};
    const uint8_t cipher[128] = {3};
    for (unsigned form = 0; form < 12; form++) {
        uint8_t encoded[128];
        size_t length;
        encoded_block2(encoded, sizeof encoded, form);
        secret(encoded, sizeof encoded);
        secret(dp, sizeof dp);
        secret(dq, sizeof dq);
        assert_int_equal(
            said(cos_rsaes_v15_decode(crypto, &key, cipher, encoded, sizeof encoded, &length)),
            COS_OK);
        known(&length, sizeof length);
        known(encoded, sizeof encoded);
        known(dp, sizeof dp);
        known(dq, sizeof dq);
        assert_true(length <= 117);
        if (form == 0 || form > 4) {
            assert_int_equal(length, 10 * (form % 5));
            for (size_t i = 0; i < length; i++) {
                assert_int_equal(encoded[i], 0x5A);
            }
        }
    }
}

static void oaep(void **state)
{
    (void)state;
    struct chance chance = {random_start(1)};
    const struct cos_random source = chance_source(&chance);
    const struct cos_span none = {NULL, 0};
    for (enum cos_hash which = COS_SHA1; which <= COS_SHA512; which++) {
        for (unsigned form = 0; form < 6; form++) {
            uint8_t message[14] = {9}, encoded[144];
            size_t length;
            const struct cos_span span = {message, form == 5 ? 0 : 14 - form};
            assert_int_equal(
                cos_rsaes_oaep_encode(crypto, which, &source, none, span, encoded, sizeof encoded),
                COS_OK);
            if (form == 1) {
                encoded[0] = 1;
            } else if (form == 2) {
                encoded[10] ^= 1;
            }
            secret(encoded, sizeof encoded);
            enum cos_result result =
                said(cos_rsaes_oaep_decode(crypto, which, none, encoded, sizeof encoded, &length));
            known(&length, sizeof length);
            known(encoded, sizeof encoded);
            bool good = form == 0 || form > 2;
            assert_int_equal(result, good ? COS_OK : COS_E_DATA);
            assert_int_equal(length, good ? span.length : 0);
            assert_memory_equal(encoded, message, length);
        }
    }
}

/* CCM with an AES block without tables: its tag, and the comparison of it. */
static void ccm(void **state)
{
    (void)state;
    uint8_t key[32] = {7}, data[48] = {8}, tag[8], copy[48], again[8];
    const uint8_t nonce[13] = {0}, associated[5] = {1};
    memcpy(copy, data, sizeof data);
    secret(key, sizeof key);
    secret(data, sizeof data);
    assert_int_equal(
        said(tiny_crypto.aes_ccm_seal(NULL, key, 32, nonce, associated, 5, data, sizeof data, tag)),
        COS_OK);
    assert_int_equal(said(tiny_crypto.aes_ccm_open(NULL, key, 32, nonce, associated, 5, data,
                                                   sizeof data, again)),
                     COS_OK);
    cos_truth equal = cos_equal_secret(tag, again, sizeof tag);
    known(&equal, sizeof equal);
    assert_true(equal == COS_YES);
    known(data, sizeof data);
    assert_memory_equal(data, copy, sizeof data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_travel), cmocka_unit_test(comparison), cmocka_unit_test(macs),
        cmocka_unit_test(unpadding),    cmocka_unit_test(v15),        cmocka_unit_test(oaep),
        cmocka_unit_test(ccm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
