/* SPDX-License-Identifier: Apache-2.0
 *
 * The core does not know whose cryptography it uses: a card lives its whole life on a second
 * provider that has nothing optional, goes on with the other one in the middle of it, and has one
 * function alone replaced by an accelerator, whichever that is.
 */
#include "card_table.h"
#include "tiny_crypto.h"
#include "twinctl/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define APPLICATION "8409F05457494E434F5301"

static void tiny_self_test(void **state)
{
    (void)state;
    const unsigned has = COS_SELF_TEST_AES | COS_SELF_TEST_SHA256;
    assert_int_equal(cos_crypto_self_test(&tiny_crypto, has), COS_OK);
    assert_int_equal(cos_crypto_self_test(&tiny_crypto, has | COS_SELF_TEST_DES3), COS_E_SELF_TEST);
    for (unsigned which = COS_SELF_TEST_HASH; which <= COS_SELF_TEST_P521; which <<= 1) {
        assert_int_equal(cos_crypto_self_test_optional(&tiny_crypto, which), COS_E_SELF_TEST);
    }
}

/* PIN, random numbers, internal authentication, SCP03 at both levels, a key that is loaded and
 * used. The world's side is OpenSSL's. */
static void session(struct bench *bench)
{
    bench_select(bench);
    assert_int_equal(bench_hex(bench, "00200081 06 313233343537"), 0x63C2);
    assert_int_equal(bench_hex(bench, "00200081 06 313233343536"), 0x9000);
    assert_int_equal(bench_hex(bench, "0088008210 00112233445566778899AABBCCDDEEFF 00"), 0x9000);
    assert_int_equal(bench->length, 16);
    assert_int_equal(bench_hex(bench, "0084000010"), 0x9000);
    assert_int_equal(bench->length, 16);
    bench_session(bench, 0x01);
    bench_session(bench, 0x03);
    assert_int_equal(bench_store(bench, "8020 1B 830101 800101 950101 C710"
                                        "000102030405060708090A0B0C0D0E0F"),
                     0x9000);
    bench_reset(bench);
    bench_select(bench);
    assert_int_equal(bench_hex(bench, "0088000110 00112233445566778899AABBCCDDEEFF 00"), 0x9000);
    uint8_t key[16], in[16], good[16];
    bench_bytes("000102030405060708090A0B0C0D0E0F", key, sizeof key);
    bench_bytes("00112233445566778899AABBCCDDEEFF", in, sizeof in);
    assert_true(crypto_aes_ecb(key, 16, CRYPTO_ENCIPHER, in, 16, good));
    assert_int_equal(bench->length, 16);
    assert_memory_equal(bench->data, good, 16);
}

static void produce(struct bench *bench, const struct cos_crypto *crypto)
{
    bench_init(bench, &bench_host);
    bench_use(bench, crypto);
    assert_true(bench_power_on(bench));
    assert_true(bench_produce_to(bench, COS_LIFE_OPERATIONAL));
}

static void change(struct bench *bench, const struct cos_crypto *crypto)
{
    bench_power_off(bench);
    bench_use(bench, crypto);
    assert_true(bench_power_on(bench));
}

static struct bench the_bench;

static void whole_life_on_tiny(void **state)
{
    (void)state;
    struct bench *bench = &the_bench;
    produce(bench, &tiny_crypto);
    session(bench);
    change(bench, &cos_crypto_tomcrypt);
    session(bench);
    change(bench, &tiny_crypto);
    session(bench);
    /* one chip of each */
    bench_power_off(bench);
    bench->app_config.crypto = &cos_crypto_tomcrypt;
    assert_true(bench_power_on(bench));
    session(bench);
    bench_free(bench);
}

/* A key for what the provider does not have can be loaded, for the provider may be another one
 * tomorrow, but not used. */
static void no_3des(void **state)
{
    (void)state;
    static const char load[] = "8020 2E 830104 " APPLICATION " 800102 950101 C718"
                               "0123456789ABCDEF23456789ABCDEF01456789ABCDEF0123";
    struct bench *bench = &the_bench;
    produce(bench, &tiny_crypto);
    bench_session(bench, 0x03);
    assert_int_equal(bench_store(bench, load), 0x9000);
    bench_reset(bench);
    bench_select(bench);
    assert_int_equal(bench_hex(bench, "00880084 08 0011223344556677 00"), 0x6984);
    change(bench, &cos_crypto_tomcrypt);
    bench_select(bench);
    assert_int_equal(bench_hex(bench, "00880084 08 0011223344556677 00"), 0x9000);
    assert_int_equal(bench->length, 8);
    bench_free(bench);
}

/* ---- An accelerator for one function: it counts what it is asked, and answers as before */

static unsigned asked;

static enum cos_result fast_aes_encrypt(void *context, const uint8_t *key, size_t n,
                                        const uint8_t in[16], uint8_t out[16])
{
    asked++;
    return cos_crypto_tomcrypt.aes_encrypt(context, key, n, in, out);
}

static enum cos_result fast_aes_cbc_encrypt(void *context, const uint8_t *key, size_t n,
                                            const uint8_t iv[16], const uint8_t *in, uint8_t *out,
                                            size_t length)
{
    asked++;
    return cos_crypto_tomcrypt.aes_cbc_encrypt(context, key, n, iv, in, out, length);
}

static enum cos_result fast_aes_cbc_decrypt(void *context, const uint8_t *key, size_t n,
                                            const uint8_t iv[16], const uint8_t *in, uint8_t *out,
                                            size_t length)
{
    asked++;
    return cos_crypto_tomcrypt.aes_cbc_decrypt(context, key, n, iv, in, out, length);
}

static enum cos_result fast_aes_cmac(void *context, const uint8_t *key, size_t n,
                                     const struct cos_span *parts, size_t count, uint8_t mac[16])
{
    asked++;
    return cos_crypto_tomcrypt.aes_cmac(context, key, n, parts, count, mac);
}

static enum cos_result fast_aes_ccm_seal(void *context, const uint8_t *key, size_t n,
                                         const uint8_t nonce[13], const uint8_t *associated,
                                         size_t associated_length, uint8_t *data, size_t length,
                                         uint8_t tag[8])
{
    asked++;
    return cos_crypto_tomcrypt.aes_ccm_seal(context, key, n, nonce, associated, associated_length,
                                            data, length, tag);
}

static enum cos_result fast_aes_ccm_open(void *context, const uint8_t *key, size_t n,
                                         const uint8_t nonce[13], const uint8_t *associated,
                                         size_t associated_length, uint8_t *data, size_t length,
                                         uint8_t tag[8])
{
    asked++;
    return cos_crypto_tomcrypt.aes_ccm_open(context, key, n, nonce, associated, associated_length,
                                            data, length, tag);
}

static enum cos_result fast_hash(void *context, enum cos_hash which, const struct cos_span *parts,
                                 size_t count, uint8_t *digest)
{
    asked++;
    return cos_crypto_tomcrypt.hash(context, which, parts, count, digest);
}

static enum cos_result fast_hmac(void *context, enum cos_hash which, const uint8_t *key, size_t n,
                                 const struct cos_span *parts, size_t count, uint8_t *mac)
{
    asked++;
    return cos_crypto_tomcrypt.hmac(context, which, key, n, parts, count, mac);
}

static void one_accelerator(void **state)
{
    (void)state;
    struct bench *bench = &the_bench;
    produce(bench, &tiny_crypto);
    for (unsigned i = 0; i < 8; i++) {
        struct cos_crypto crypto = tiny_crypto;
        switch (i) {
        case 0:
            crypto.aes_encrypt = fast_aes_encrypt;
            break;
        case 1:
            crypto.aes_cbc_encrypt = fast_aes_cbc_encrypt;
            break;
        case 2:
            crypto.aes_cbc_decrypt = fast_aes_cbc_decrypt;
            break;
        case 3:
            crypto.aes_cmac = fast_aes_cmac;
            break;
        case 4:
            crypto.aes_ccm_seal = fast_aes_ccm_seal;
            break;
        case 5:
            crypto.aes_ccm_open = fast_aes_ccm_open;
            break;
        case 6:
            crypto.hash = fast_hash;
            break;
        default:
            crypto.hmac = fast_hmac;
        }
        change(bench, &crypto);
        asked = 0;
        session(bench);
        if (asked == 0) {
            fail_msg("function %u was not asked", i);
        }
    }
    bench_power_off(bench);
    bench_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiny_self_test),
        cmocka_unit_test(whole_life_on_tiny),
        cmocka_unit_test(no_3des),
        cmocka_unit_test(one_accelerator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
