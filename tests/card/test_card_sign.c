/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures: HASH, COMPUTE and VERIFY DIGITAL SIGNATURE of a whole card (ISO/IEC 7816-8:2019,
 * 11.7, 11.8, 11.10), with key pairs that it made. OpenSSL says whether they are right.
 *
 * Keys of the access application, as the tests need them: 84 RSA-1024, 85 P-256, 86 P-384, 87
 * P-521.
 */
#include "crypt_rig.h"

#include "cos/tlv.h"
#include "secure_domain/domain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/rsa.h>

static uint16_t sign(struct bench *bench, const uint8_t *data, size_t length)
{
    return crypt_send(bench, 0x2A, 0x9E, 0x9A, data, length);
}

/* ---- RSA ---- */

static void rsa_signatures_with_each_hash(void **state)
{
    struct bench *bench = *state;
    struct oracle_rsa rsa;
    uint8_t digest[COS_HASH_MAX], signature[BENCH_RESPONSE];

    crypt_key(bench, 4, RSA_1024);
    crypt_generate(bench, 0x84);
    crypt_take_rsa(bench, &rsa);
    assert_int_equal(rsa.size, 128);
    for (unsigned hash = 0; hash < COS_HASHES; hash++) {
        for (unsigned scheme = V15; scheme <= PSS; scheme++) {
            const size_t size = cos_hash_size((enum cos_hash)hash);
            const int padding = scheme == V15 ? RSA_PKCS1_PADDING : RSA_PKCS1_PSS_PADDING;
            crypt_digest(digest, sizeof digest, hash + scheme);
            crypt_set(bench, 0xB6, 0x84, HASH_AND(hash, scheme));
            if (scheme == PSS && hash == COS_SHA512) { /* 1,024 bits are too few */
                assert_int_equal(sign(bench, digest, size), 0x6700);
                continue;
            }
            assert_int_equal(sign(bench, digest, size), 0x9000);
            assert_int_equal(bench->length, rsa.size);
            memcpy(signature, bench->data, rsa.size);
            assert_true(oracle_rsa_verify(&rsa, padding, (enum cos_hash)hash, digest, signature));
            assert_int_equal(crypt_verify(bench, digest, size, signature, rsa.size), 0x9000);
            digest[size - 1] ^= 1;
            assert_int_equal(crypt_verify(bench, digest, size, signature, rsa.size), 0x6300);
            digest[size - 1] ^= 1;
            signature[rsa.size / 2] ^= 1;
            assert_int_equal(crypt_verify(bench, digest, size, signature, rsa.size), 0x6300);
            memset(signature, 0xFF, rsa.size); /* no number below the modulus */
            assert_int_equal(crypt_verify(bench, digest, size, signature, rsa.size), 0x6300);
        }
    }
    oracle_rsa_free(&rsa);
}

/* PSS is a new signature each time, PKCS #1 v1.5 the same. */
static void pss_is_salted(void **state)
{
    struct bench *bench = *state;
    uint8_t digest[32], first[128];

    crypt_key(bench, 4, RSA_1024);
    crypt_generate(bench, 0x84);
    crypt_digest(digest, sizeof digest, 9);
    for (unsigned scheme = V15; scheme <= PSS; scheme++) {
        crypt_set(bench, 0xB6, 0x84, HASH_AND(COS_SHA256, scheme));
        assert_int_equal(sign(bench, digest, sizeof digest), 0x9000);
        memcpy(first, bench->data, sizeof first);
        assert_int_equal(sign(bench, digest, sizeof digest), 0x9000);
        assert_int_equal(memcmp(first, bench->data, sizeof first) == 0, scheme == V15);
    }
}

static void a_digest_info_from_outside(void **state)
{
    static const uint8_t head[] = {0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                   0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
    struct bench *bench = *state;
    uint8_t info[128] = {0};
    struct oracle_rsa rsa;

    crypt_key(bench, 4, RSA_1024);
    crypt_generate(bench, 0x84);
    crypt_take_rsa(bench, &rsa);
    memcpy(info, head, sizeof head);
    crypt_digest(info + sizeof head, 32, 5);
    for (unsigned scheme = DEFAULT; scheme <= V15; scheme++) {
        crypt_set(bench, 0xB6, 0x84, (uint8_t)scheme);
        assert_int_equal(sign(bench, info, sizeof head + 32), 0x9000);
        assert_true(oracle_rsa_verify(&rsa, RSA_PKCS1_PADDING, COS_SHA256, info + sizeof head,
                                      bench->data));
        assert_int_equal(sign(bench, info, 117), 0x9000);
        assert_int_equal(sign(bench, info, 118), 0x6700);
        /* without a hash function there is nothing to compare with */
        assert_int_equal(crypt_verify(bench, info, 32, bench->data, 128), 0x6985);
    }
    crypt_set(bench, 0xB6, 0x84, PSS);
    assert_int_equal(sign(bench, info, 32), 0x6985);
    oracle_rsa_free(&rsa);
}

static void a_key_of_2048_bits(void **state)
{
    struct bench *bench = *state;
    uint8_t digest[64], signature[256];
    struct oracle_rsa rsa;

    crypt_key(bench, 4, OF_APPLICATION " 800104 C90120 CE0101 CB01C0");
    bench_session(bench, 0x03);
    bench_expect_sm(bench, BENCH_APPLICATION, 0x9000, NULL);
    uint8_t public_key[270];
    bench_expect_sm(bench, "00478000 05 B603840184", 0x9000, "7F49 820109*");
    assert_int_equal(bench->length, sizeof public_key);
    memcpy(public_key, bench->data, sizeof public_key);
    bench_expect_sm(bench, "00478100 05 B603840184", 0x9000, "7F49 820109*");
    assert_memory_equal(public_key, bench->data, sizeof public_key);
    bench_expect_sm(bench, BENCH_APPLICATION, 0x9000, NULL);
    crypt_read_rsa(bench, 0x84, &rsa);
    assert_int_equal(bench->length, 270);
    assert_int_equal(rsa.size, 256);
    bench_reset(bench);
    bench_select(bench);
    crypt_digest(digest, sizeof digest, 1);
    crypt_set(bench, 0xB6, 0x84, HASH_AND(COS_SHA512, PSS));
    assert_int_equal(sign(bench, digest, sizeof digest), 0x9000);
    assert_int_equal(bench->length, 256);
    memcpy(signature, bench->data, sizeof signature);
    assert_true(oracle_rsa_verify(&rsa, RSA_PKCS1_PSS_PADDING, COS_SHA512, digest, signature));
    assert_int_equal(crypt_verify(bench, digest, 64, signature, 256), 0x9000);
    oracle_rsa_free(&rsa);
}

/* A key of OpenSSL's, since making one takes long. The longest data field is that of VERIFY. */
static void a_key_of_4096_bits(void **state)
{
    static const struct cos_span no_label = {NULL, 0};
    struct bench *bench = *state;
    uint8_t digest[64], signature[512], cipher[513] = {0};
    const struct cos_span message = {digest, sizeof digest};
    struct oracle_rsa rsa, read;
    struct object key;

    oracle_rsa_generate(&rsa, 4096, 65537);
    crypt_key(bench, 4, OF_APPLICATION " 800104 C90140 CE0103");
    assert_int_equal(cos_status_find(&bench->secure, 0, 0x84, OBJECT_KEY, &key), COS_OK);
    const struct cos_rsa_parts parts = cos_material_rsa_parts(&bench->secure, &key);
    memcpy(parts.n, rsa.n, 512);
    memcpy(parts.n + 512, "\x00\x01\x00\x01", 4);
    memcpy(parts.p, rsa.p, 256);
    memcpy(parts.q, rsa.q, 256);
    memcpy(parts.dp, rsa.dp, 256);
    memcpy(parts.dq, rsa.dq, 256);
    memcpy(parts.qinv, rsa.qinv, 256);
    assert_int_equal(cos_material_store(&bench->secure, &key), COS_OK);
    assert_int_equal(crypt_chunks(bench), 20); /* 1,796 bytes */
    crypt_read_rsa(bench, 0x84, &read);
    assert_memory_equal(read.n, rsa.n, 512);
    crypt_digest(digest, sizeof digest, 2);
    crypt_set(bench, 0xB6, 0x84, HASH_AND(COS_SHA512, PSS));
    assert_int_equal(sign(bench, digest, sizeof digest), 0x9000);
    assert_int_equal(bench->length, 512);
    memcpy(signature, bench->data, sizeof signature);
    assert_true(oracle_rsa_verify(&rsa, RSA_PKCS1_PSS_PADDING, COS_SHA512, digest, signature));
    assert_int_equal(crypt_verify(bench, digest, 64, signature, 512), 0x9000);
    signature[511] ^= 1;
    assert_int_equal(crypt_verify(bench, digest, 64, signature, 512), 0x6300);
    oracle_rsa_encrypt(&rsa, RSA_PKCS1_OAEP_PADDING, COS_SHA256, no_label, message, cipher + 1);
    crypt_set(bench, 0xB8, 0x84, OAEP);
    assert_int_equal(crypt_send(bench, 0x2A, 0x80, 0x86, cipher, sizeof cipher), 0x9000);
    assert_int_equal(bench->length, sizeof digest);
    assert_memory_equal(bench->data, digest, sizeof digest);
    oracle_rsa_free(&read);
    oracle_rsa_free(&rsa);
}

/* ---- Elliptic curves ---- */

static const char *const ec_keys[COS_CURVES] = {EC_P256, EC_P384, EC_P521};

static void ecdsa_on_each_curve(void **state)
{
    struct bench *bench = *state;
    uint8_t digest[COS_HASH_MAX], signature[2 * COS_EC_MAX];

    for (unsigned curve = 0; curve < COS_CURVES; curve++) {
        const uint8_t reference = (uint8_t)(0x85 + curve);
        const size_t size = 2 * cos_ec_size((enum cos_curve)curve);
        crypt_key(bench, (uint8_t)(5 + curve), ec_keys[curve]);
        crypt_generate(bench, reference);
        EVP_PKEY *pkey = crypt_take_ec(bench, (enum cos_curve)curve);
        for (unsigned hash = 0; hash < COS_HASHES; hash++) {
            const size_t length = cos_hash_size((enum cos_hash)hash);
            crypt_digest(digest, length, hash + curve);
            crypt_set(bench, 0xB6, reference, HASH_AND(hash, hash % 2 == 0 ? ECDSA : DEFAULT));
            assert_int_equal(sign(bench, digest, length), 0x9000);
            assert_int_equal(bench->length, size);
            memcpy(signature, bench->data, size);
            assert_true(oracle_ec_verify(pkey, (enum cos_curve)curve, digest, length, signature));
            assert_int_equal(crypt_verify(bench, digest, length, signature, size), 0x9000);
            signature[size - 1] ^= 1;
            assert_int_equal(crypt_verify(bench, digest, length, signature, size), 0x6300);
            memset(signature, 0, size);
            assert_int_equal(crypt_verify(bench, digest, length, signature, size), 0x6300);
        }
        crypt_set(bench, 0xB6, reference, ECDSA); /* any length that a digest has */
        assert_int_equal(sign(bench, digest, 19), 0x6700);
        assert_int_equal(sign(bench, digest, 20), 0x9000);
        assert_int_equal(sign(bench, digest, 64), 0x9000);
        assert_int_equal(sign(bench, signature, 65), 0x6700);
        EVP_PKEY_free(pkey);
    }
}

/* ---- HASH ---- */

static void hash_and_sign(struct bench *bench, const struct oracle_rsa *rsa, enum cos_hash hash,
                          uint8_t algorithm)
{
    uint8_t text[300], digest[COS_HASH_MAX];
    const struct cos_span part = {text, sizeof text};

    crypt_digest(text, sizeof text, hash);
    assert_int_equal(cos_crypto_tomcrypt.hash(NULL, hash, &part, 1, digest), COS_OK);
    crypt_set(bench, 0xAA, 0x84, HASH_AND(hash, DEFAULT));
    crypt_set(bench, 0xB6, 0x84, algorithm);
    assert_int_equal(crypt_send(bench, 0x2A, 0x90, 0x80, text, sizeof text), 0x9000);
    assert_int_equal(bench->length, cos_hash_size(hash));
    assert_memory_equal(bench->data, digest, bench->length);
    assert_int_equal(sign(bench, NULL, 0), 0x9000);
    assert_true(oracle_rsa_verify(rsa, RSA_PKCS1_PADDING, hash, digest, bench->data));
    assert_int_equal(sign(bench, NULL, 0), 0x6985); /* it is good for one command */
}

static void a_hash_is_signed_by_the_next_command(void **state)
{
    static const char *const between[] = {"00B0810000", "0084000008", "00200081",
                                          "002A0001",   "00",         "0022C1B6 03 840184"};
    struct bench *bench = *state;
    struct oracle_rsa rsa;

    crypt_key(bench, 4, RSA_1024);
    crypt_generate(bench, 0x84);
    crypt_take_rsa(bench, &rsa);
    for (unsigned hash = 0; hash < COS_HASHES; hash++) {
        hash_and_sign(bench, &rsa, (enum cos_hash)hash, HASH_AND(hash, V15));
        hash_and_sign(bench, &rsa, (enum cos_hash)hash, V15);
        hash_and_sign(bench, &rsa, (enum cos_hash)hash, DEFAULT);
    }
    crypt_set(bench, 0xB6, 0x84, HASH_AND(COS_SHA256, V15));
    assert_int_equal(bench_hex(bench, "002A9080 03 616263"), 0x9000); /* by SHA-512, no Le */
    assert_int_equal(bench->length, 0);
    assert_int_equal(sign(bench, NULL, 0), 0x6985); /* another function */
    crypt_set(bench, 0xB6, 0x84, HASH_AND(COS_SHA512, V15));
    for (size_t i = 0; i < CARD_COUNT(between); i++) {
        assert_int_equal(bench_hex(bench, "002A9080 03 616263"), 0x9000);
        (void)bench_hex(bench, between[i]);
        assert_int_equal(sign(bench, NULL, 0), 0x6985);
    }
    assert_int_equal(bench_hex(bench, "002A9080 03 616263"), 0x9000);
    bench_reset(bench);
    bench_select(bench);
    crypt_set(bench, 0xB6, 0x84, HASH_AND(COS_SHA512, V15));
    assert_int_equal(sign(bench, NULL, 0), 0x6985);
    oracle_rsa_free(&rsa);
}

/* The world hashed all blocks but the last ones. */
static void the_last_round_on_the_card(void **state)
{
    struct bench *bench = *state;
    uint8_t data[200], expected[COS_HASH_MAX], text[100];

    crypt_key(bench, 4, RSA_1024);
    crypt_digest(text, sizeof text, 3);
    for (unsigned i = 0; i < COS_HASHES; i++) {
        const enum cos_hash hash = (enum cos_hash)i;
        const size_t chaining = cos_hash_state(hash), size = chaining + 8;
        uint8_t before[COS_HASH_MAX + 8] = {0};
        struct cos_writer writer = cos_writer(data, sizeof data);
        crypt_digest(before, chaining, i);
        cos_put32(before + chaining + 4, (uint32_t)(cos_hash_block(hash) * 8 * 3));
        cos_tlv_write(&writer, 0x90, before, size);
        cos_tlv_write(&writer, 0x80, text, sizeof text);
        assert_true(oracle_hash_resume(hash, before, cos_hash_block(hash) * 3, text, sizeof text,
                                       expected));
        crypt_set(bench, 0xAA, 0x84, HASH_AND(hash, DEFAULT));
        assert_int_equal(crypt_send(bench, 0x2A, 0x90, 0xA0, data, writer.length), 0x9000);
        assert_int_equal(bench->length, cos_hash_size(hash));
        assert_memory_equal(bench->data, expected, bench->length);
        data[2 + size - 1] ^= 8; /* not a whole block */
        assert_int_equal(crypt_send(bench, 0x2A, 0x90, 0xA0, data, writer.length), 0x6A80);
        data[2 + size - 1] ^= 8;
        data[2 + chaining] = 0x7F; /* as long as a message can be */
        assert_int_equal(crypt_send(bench, 0x2A, 0x90, 0xA0, data, writer.length), 0x9000);
        data[2 + chaining] = 0x80; /* longer than that */
        assert_int_equal(crypt_send(bench, 0x2A, 0x90, 0xA0, data, writer.length), 0x6A80);
        memset(data + 2 + chaining, 0, 8); /* nothing before it */
        assert_int_equal(crypt_send(bench, 0x2A, 0x90, 0xA0, data, writer.length), 0x6A80);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(rsa_signatures_with_each_hash),
        CARD_TEST(pss_is_salted),
        CARD_TEST(a_digest_info_from_outside),
        CARD_TEST(a_key_of_2048_bits),
        CARD_TEST(a_key_of_4096_bits),
        CARD_TEST(ecdsa_on_each_curve),
        CARD_TEST(a_hash_is_signed_by_the_next_command),
        CARD_TEST(the_last_round_on_the_card),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
