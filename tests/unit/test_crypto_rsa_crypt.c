/* SPDX-License-Identifier: Apache-2.0
 *
 * Paddings of RSA encryption: published vectors, agreement with OpenSSL in both directions, and
 * every padding that is none.
 */
#include "crypto_helpers.h"

#include "crypto/rsa.h"
#include "oracle_key.h"
#include "rsa_helpers.h"

#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <string.h>

static const struct cos_span none = {NULL, 0};

/* ---- Published vectors */

/* What is drawn is what the vector says. */
static enum cos_result draw_vector(void *context, uint8_t *out, size_t length)
{
    const struct cos_span *span = context;
    assert_int_equal(length, span->length);
    memcpy(out, span->data, length);
    return COS_OK;
}

static void pkcs1_oaep(void **state)
{
    (void)state;
    struct vectors *vectors = vectors_open("pkcs1-oaep.txt");
    for (size_t s = 0; s < vectors->count; s++) {
        const struct vector_section *section = &vectors->sections[s];
        const struct cos_span n = vector_bytes(section, "n"), e = vector_bytes(section, "e");
        check_keys(section);
        for (unsigned i = 0; i < vector_number(section, "count_n"); i++) {
            const struct cos_span text = vector_bytes(section, "msg%u", i);
            struct cos_span seed = vector_bytes(section, "seed%u", i);
            const struct cos_random source = {.context = &seed, .draw = draw_vector};
            const uint8_t *cipher = vector_exactly(section, n.length, "cipher%u", i);
            uint8_t encoded[COS_RSA_MAX], out[COS_RSA_MAX];
            size_t length;
            assert_int_equal(
                cos_rsaes_oaep_encode(crypto, COS_SHA1, &source, none, text, encoded, n.length),
                COS_OK);
            assert_int_equal(crypto->rsa_public(NULL, n, e, encoded, out), COS_OK);
            assert_memory_equal(out, cipher, n.length);
            private_is(section, cipher, encoded, n.length);
            assert_int_equal(
                cos_rsaes_oaep_decode(crypto, COS_SHA1, none, encoded, n.length, &length), COS_OK);
            assert_int_equal(length, text.length);
            assert_memory_equal(encoded, text.data, length);
        }
    }
    assert_int_equal(vectors->count, 3);
    vectors_close(vectors);
}

static void pkcs1_encryption(void **state)
{
    (void)state;
    struct vectors *vectors = vectors_open("pkcs1-v15-crypt.txt");
    for (size_t s = 0; s < vectors->count; s++) {
        const struct vector_section *section = &vectors->sections[s];
        const struct cos_span n = vector_bytes(section, "n"), e = vector_bytes(section, "e");
        const struct cos_rsa_private key = key_of(section);
        check_keys(section);
        for (unsigned i = 0; i < vector_number(section, "count_n"); i++) {
            const struct cos_span text = vector_bytes(section, "msg%u", i);
            struct cos_span seed = vector_bytes(section, "seed%u", i);
            const struct cos_random source = {.context = &seed, .draw = draw_vector};
            const uint8_t *cipher = vector_exactly(section, n.length, "cipher%u", i);
            uint8_t encoded[COS_RSA_MAX], out[COS_RSA_MAX];
            size_t length;
            assert_int_equal(cos_rsaes_v15_encode(&source, text, encoded, n.length), COS_OK);
            assert_int_equal(crypto->rsa_public(NULL, n, e, encoded, out), COS_OK);
            assert_memory_equal(out, cipher, n.length);
            private_is(section, cipher, encoded, n.length);
            assert_int_equal(cos_rsaes_v15_decode(crypto, &key, cipher, encoded, n.length, &length),
                             COS_OK);
            assert_int_equal(length, text.length);
            assert_memory_equal(encoded, text.data, length);
        }
    }
    assert_int_equal(vectors->count, 3);
    vectors_close(vectors);
}

/* ---- Agreement with OpenSSL */

static void agrees_encryption(const struct oracle_rsa *rsa, struct chance *chance,
                              enum cos_hash which, bool oaep)
{
    const struct cos_random source = chance_source(chance);
    const struct cos_rsa_private key = oracle_rsa_private(rsa);
    const size_t overhead = oaep ? 2 * cos_hash_size(which) + 2 : 11;
    const int padding = oaep ? RSA_PKCS1_OAEP_PADDING : RSA_PKCS1_PADDING;
    uint8_t message[COS_RSA_MAX], data[COS_RSA_MAX], cipher[COS_RSA_MAX], text[30];
    size_t length;
    if (overhead > rsa->size) {
        return;
    }
    for (unsigned round = 0; round < 6; round++) {
        const size_t most = rsa->size - overhead;
        const size_t n = round == 0   ? 0
                         : round == 1 ? most
                                      : random_below(&chance->random, most + 1);
        const struct cos_span span = {message, n};
        const struct cos_span label = {text, oaep ? random_below(&chance->random, 30) : 0};
        random_fill(&chance->random, message, n);
        random_fill(&chance->random, text, sizeof text);
        assert_int_equal(
            oaep ? cos_rsaes_oaep_encode(crypto, which, &source, label, span, data, rsa->size)
                 : cos_rsaes_v15_encode(&source, span, data, rsa->size),
            COS_OK);
        to_public(rsa, data, cipher);
        assert_true(oracle_rsa_decrypt(rsa, padding, which, label, cipher, data, &length));
        assert_int_equal(length, n);
        assert_memory_equal(data, message, n);

        oracle_rsa_encrypt(rsa, padding, which, label, span, cipher);
        to_private(rsa, chance, cipher, data);
        assert_int_equal(oaep
                             ? cos_rsaes_oaep_decode(crypto, which, label, data, rsa->size, &length)
                             : cos_rsaes_v15_decode(crypto, &key, cipher, data, rsa->size, &length),
                         COS_OK);
        assert_int_equal(length, n);
        assert_memory_equal(data, message, n);
    }
}

static void agrees(void **state)
{
    (void)state;
    static const unsigned bits[] = {1024, 1024, 1024, 1040, 1536, 2048, 3072};
    struct chance chance = {random_start(3)};
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
        struct oracle_rsa rsa;
        oracle_rsa_generate(&rsa, bits[i], 65537);
        agrees_encryption(&rsa, &chance, COS_SHA1, false);
        for (enum cos_hash which = COS_SHA1; which <= COS_SHA512; which++) {
            agrees_encryption(&rsa, &chance, which, true);
        }
        oracle_rsa_free(&rsa);
    }
}

/* ---- RSAES-PKCS1-v1_5 */

/* draft-irtf-cfrg-rsa-guidance-00, 7, once more, with OpenSSL's hash functions. */
static size_t rejected(const struct cos_rsa_private *key, const uint8_t *cipher, size_t length,
                       uint8_t *message)
{
    uint8_t secret[COS_RSA_MAX], digest[32], k[32], lengths[256] = {0};
    uint8_t stream[COS_RSA_MAX + 32] = {0};
    size_t found = 0, mask = 1;
    memcpy(secret, key->dp.data, key->dp.length);
    memcpy(secret + key->dp.length, key->dq.data, key->dq.length);
    EVP_Digest(secret, key->dp.length + key->dq.length, digest, NULL, EVP_sha256(), NULL);
    HMAC(EVP_sha256(), digest, 32, cipher, length, k, NULL);
    for (size_t i = 0; i < 8 + (length + 31) / 32; i++) {
        uint8_t text[16];
        const bool of_length = i < 8;
        const size_t index = of_length ? i : i - 8, bits = 8 * (of_length ? 256 : length);
        const char *label = of_length ? "length" : "message";
        const size_t n = strlen(label);
        cos_put16(text, (uint16_t)index);
        memcpy(text + 2, label, n);
        cos_put16(text + 2 + n, (uint16_t)bits);
        HMAC(EVP_sha256(), k, 32, text, n + 4, (of_length ? lengths : stream) + 32 * index, NULL);
    }
    while (mask < length - 11) {
        mask = 2 * mask + 1;
    }
    for (size_t i = 0; i < 256; i += 2) {
        const size_t candidate = cos_get16(lengths + i) & mask;
        found = candidate <= length - 11 ? candidate : found;
    }
    memcpy(message, stream + length - found, found);
    return found;
}

/* Block type 2 in every wrong form: all give what the cipher text and the key determine, without an
 * error. */
static void rejects_implicitly(void **state)
{
    (void)state;
    struct oracle_rsa rsa;
    struct chance chance = {random_start(4)};
    size_t least = 1000, most = 0;
    oracle_rsa_generate(&rsa, 1024, 65537);
    const struct cos_rsa_private key = oracle_rsa_private(&rsa);
    for (unsigned form = 0; form < 400; form++) {
        uint8_t encoded[128], cipher[128], good[128];
        size_t length;
        random_fill(&chance.random, cipher, sizeof cipher);
        memset(encoded, 0x5A, sizeof encoded);
        encoded[0] = 0x00;
        encoded[1] = 0x02;
        if (form < 10) { /* a separator too early */
            encoded[form == 9 ? 2 : 2 + form % 8] = 0x00;
            encoded[100] = 0x00;
        } else if (form == 10) { /* none */
        } else if (form < 11 + 255) {
            encoded[form < 140 ? 0 : 1] ^= (uint8_t)(form - 10);
            encoded[50] = 0x00;
        } else { /* anything */
            random_fill(&chance.random, encoded, sizeof encoded);
            encoded[0] |= 1;
        }
        const size_t expected = rejected(&key, cipher, sizeof cipher, good);
        assert_int_equal(
            cos_rsaes_v15_decode(crypto, &key, cipher, encoded, sizeof encoded, &length), COS_OK);
        assert_case(length == expected, "form %u: %zu, not %zu", form, length, expected);
        assert_memory_equal(encoded, good, length);
        least = length < least ? length : least;
        most = length > most ? length : most;
    }
    assert_true(least < 20 && most > 100 && most <= 117);
    oracle_rsa_free(&rsa);
}

/* Good ones of every length there is. */
static void v15_lengths(void **state)
{
    (void)state;
    struct oracle_rsa rsa;
    struct chance chance = {random_start(5)};
    const struct cos_random source = chance_source(&chance);
    oracle_rsa_generate(&rsa, 1024, 65537);
    const struct cos_rsa_private key = oracle_rsa_private(&rsa);
    for (size_t n = 0; n <= 120; n++) {
        uint8_t message[128], encoded[128], cipher[128] = {0};
        size_t length;
        random_fill(&chance.random, message, n);
        enum cos_result expected = n <= 117 ? COS_OK : COS_E_LENGTH;
        assert_int_equal(cos_rsaes_v15_encode(&source, (struct cos_span){message, n}, encoded, 128),
                         expected);
        if (expected == COS_OK) {
            assert_int_equal(encoded[0], 0);
            assert_int_equal(encoded[1], 2);
            for (size_t i = 2; i < 127 - n; i++) {
                assert_int_not_equal(encoded[i], 0);
            }
            assert_int_equal(cos_rsaes_v15_decode(crypto, &key, cipher, encoded, 128, &length),
                             COS_OK);
            assert_int_equal(length, n);
            assert_memory_equal(encoded, message, n);
        }
    }
    uint8_t encoded[COS_RSA_MAX + 1] = {0};
    size_t length;
    assert_int_equal(cos_rsaes_v15_decode(crypto, &key, encoded, encoded, 127, &length),
                     COS_E_CRYPTO);
    assert_int_equal(cos_rsaes_v15_decode(crypto, &key, encoded, encoded, 513, &length),
                     COS_E_CRYPTO);
    oracle_rsa_free(&rsa);
}

/* A source that gives nothing but 00 ends the padding; one that fails, too. */
static enum cos_result zeros(void *context, uint8_t *out, size_t length)
{
    (void)context;
    memset(out, 0, length);
    return COS_OK;
}

static void sources(void **state)
{
    (void)state;
    uint8_t encoded[128];
    const struct cos_random stuck = {.draw = zeros};
    assert_int_equal(cos_rsaes_v15_encode(&stuck, none, encoded, 128), COS_E_CRYPTO);
    for (unsigned at = 1; at <= 2; at++) {
        struct chance failing = {random_start(6), 0, at};
        const struct cos_random source = chance_source(&failing);
        enum cos_result result = cos_rsaes_v15_encode(&source, none, encoded, 128);
        assert_true(result == COS_E_ENTROPY || (at == 2 && failing.draws == 1));
        failing = (struct chance){random_start(6), 0, at};
        assert_int_equal(cos_rsaes_oaep_encode(crypto, COS_SHA1, &source, none, none, encoded, 128),
                         at == 1 ? COS_E_ENTROPY : COS_OK);
    }
}

/* ---- OAEP */

/* Undoes the masks, changes the data block, and masks again. */
static void remask(enum cos_hash which, uint8_t *encoded, size_t length, size_t at, uint8_t bits)
{
    const size_t size = cos_hash_size(which);
    uint8_t *seed = encoded + 1, *db = seed + size;
    const size_t n = length - size - 1;
    cos_mgf1(crypto, which, (struct cos_span){db, n}, seed, size);
    cos_mgf1(crypto, which, (struct cos_span){seed, size}, db, n);
    db[at] ^= bits;
    cos_mgf1(crypto, which, (struct cos_span){seed, size}, db, n);
    cos_mgf1(crypto, which, (struct cos_span){db, n}, seed, size);
}

static void oaep_that_is_none(void **state)
{
    (void)state;
    const uint8_t text[] = {'l'}, message[] = {1, 0, 1, 7};
    const struct cos_span label = {text, 1}, span = {message, 4};
    struct chance chance = {random_start(7)};
    const struct cos_random source = chance_source(&chance);
    for (enum cos_hash which = COS_SHA1; which <= COS_SHA512; which++) {
        const size_t size = cos_hash_size(which), n = 192;
        uint8_t good[192], bad[192];
        size_t length = 99;
        assert_int_equal(cos_rsaes_oaep_encode(crypto, which, &source, label, span, good, n),
                         COS_OK);
        for (size_t i = 0; i < n - size - 1 + 3; i++) {
            memcpy(bad, good, n);
            const size_t separator = n - size - 1 - 5;
            enum cos_result expected = COS_E_DATA;
            if (i < n - size - 1) {
                remask(which, bad, n, i, 0x40);
                expected = i > separator ? COS_OK : COS_E_DATA; /* the message's own */
            } else if (i == n - size - 1) {
                bad[0] = 1;
            } else if (i == n - size) {
                bad[1] ^= 1;
            } else {
                remask(which, bad, n, separator, 0x01); /* no separator but the message's 01 */
                expected = COS_OK;
            }
            enum cos_result result = cos_rsaes_oaep_decode(crypto, which, label, bad, n, &length);
            assert_case(result == expected, "%s, %zu", names[which], i);
            if (expected != COS_OK) {
                assert_int_equal(length, 0);
                for (size_t at = 0; at < n; at++) {
                    assert_int_equal(bad[at], 0);
                }
            } else {
                assert_int_equal(length, i < n - size - 1 ? 4 : 3);
                assert_case(bad[length - 1] == (i == n - size - 2 ? 0x47 : 7), "%zu", i);
            }
        }
        memcpy(bad, good, n);
        assert_int_equal(cos_rsaes_oaep_decode(crypto, which, none, bad, n, &length), COS_E_DATA);
        memcpy(bad, good, n);
        assert_int_equal(cos_rsaes_oaep_decode(crypto, which, label, bad, n - 1, &length),
                         COS_E_DATA);
        assert_int_equal(cos_rsaes_oaep_decode(crypto, which, label, bad, 2 * size + 1, &length),
                         COS_E_DATA);
    }
}

static void oaep_lengths(void **state)
{
    (void)state;
    struct chance chance = {random_start(8)};
    const struct cos_random source = chance_source(&chance);
    for (size_t n = 0; n <= 90; n++) {
        uint8_t message[128] = {0}, encoded[128];
        size_t length;
        random_fill(&chance.random, message, n);
        enum cos_result expected = n <= 86 ? COS_OK : COS_E_LENGTH;
        assert_int_equal(cos_rsaes_oaep_encode(crypto, COS_SHA1, &source, none,
                                               (struct cos_span){message, n}, encoded, 128),
                         expected);
        if (expected == COS_OK) {
            assert_int_equal(cos_rsaes_oaep_decode(crypto, COS_SHA1, none, encoded, 128, &length),
                             COS_OK);
            assert_int_equal(length, n);
            assert_memory_equal(encoded, message, n);
        }
    }
    uint8_t encoded[2 * 64 + 1];
    assert_int_equal(cos_rsaes_oaep_encode(crypto, COS_SHA512, &source, none, none, encoded, 129),
                     COS_E_LENGTH);
}

/* ---- A provider that fails */

static enum cos_result failing_hmac(void *context, enum cos_hash which, const uint8_t *key,
                                    size_t n, const struct cos_span *parts, size_t count,
                                    uint8_t *mac)
{
    struct failing *failing = context;
    if (failing->left == 0) {
        return COS_E_CRYPTO;
    }
    failing->left--;
    return crypto->hmac(NULL, which, key, n, parts, count, mac);
}

/* Wherever it fails: its error, and nothing of a message. */
static void provider_fails(void **state)
{
    (void)state;
    struct failing failing = {0};
    const struct cos_crypto broken = {
        .context = &failing, .hash = failing_hash, .hmac = failing_hmac};
    struct chance chance = {random_start(9)};
    const struct cos_random source = chance_source(&chance);
    const uint8_t message[20] = {2};
    struct oracle_rsa rsa;
    oracle_rsa_generate(&rsa, 1024, 65537);
    const struct cos_rsa_private key = oracle_rsa_private(&rsa);
    unsigned encode = 0, oaep = 0, v15 = 0;
    for (unsigned at = 0; at < 40; at++) {
        uint8_t encoded[128], data[128];
        size_t length;
        failing.left = at;
        encode += cos_rsaes_oaep_encode(&broken, COS_SHA1, &source, none, none, encoded, 128) ==
                  COS_E_CRYPTO;
        assert_int_equal(cos_rsaes_oaep_encode(crypto, COS_SHA1, &source, none,
                                               (struct cos_span){message, 20}, encoded, 128),
                         COS_OK);
        for (int kind = 0; kind < 2; kind++) {
            failing.left = at;
            memcpy(data, encoded, 128);
            enum cos_result result =
                kind == 0 ? cos_rsaes_oaep_decode(&broken, COS_SHA1, none, data, 128, &length)
                          : cos_rsaes_v15_decode(&broken, &key, encoded, data, 128, &length);
            if (result != COS_OK) {
                assert_int_equal(result, COS_E_CRYPTO);
                assert_int_equal(length, 0);
                for (size_t i = 0; i < 128; i++) {
                    assert_int_equal(data[i], 0);
                }
                *(kind == 0 ? &oaep : &v15) += 1;
            }
        }
    }
    assert_int_equal(encode, 1 + 6 + 1);
    assert_int_equal(oaep, 1 + 1 + 6);
    assert_int_equal(v15, 2 + 8 + 4);
    oracle_rsa_free(&rsa);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pkcs1_oaep),
        cmocka_unit_test(pkcs1_encryption),
        cmocka_unit_test(agrees),
        cmocka_unit_test(rejects_implicitly),
        cmocka_unit_test(v15_lengths),
        cmocka_unit_test(sources),
        cmocka_unit_test(oaep_that_is_none),
        cmocka_unit_test(oaep_lengths),
        cmocka_unit_test(provider_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
