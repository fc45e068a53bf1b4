/* SPDX-License-Identifier: Apache-2.0
 *
 * RSA of the libtomcrypt provider: it computes what OpenSSL computes, with keys of both makes; a
 * key that is not one is refused whichever number is wrong; a fault does not leave the chip.
 */
#include "crypto_helpers.h"

#include "oracle_key.h"

#include <openssl/rsa.h>

static const struct cos_crypto *const crypto = &cos_crypto_tomcrypt;

static void raw_public(const struct oracle_rsa *rsa, const uint8_t *in, uint8_t *out)
{
    size_t length = rsa->size;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(rsa->pkey, NULL);
    assert_int_equal(EVP_PKEY_encrypt_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING), 1);
    assert_int_equal(EVP_PKEY_encrypt(context, out, &length, in, rsa->size), 1);
    EVP_PKEY_CTX_free(context);
}

/* Both operations against OpenSSL's public one, for a few numbers, 0, 1 and n - 1 among them. */
static void agrees(const struct oracle_rsa *rsa, struct chance *chance, unsigned rounds)
{
    const struct cos_rsa_private key = oracle_rsa_private(rsa);
    const struct cos_random source = chance_source(chance);
    for (unsigned round = 0; round < rounds + 3; round++) {
        uint8_t in[COS_RSA_MAX] = {0}, out[COS_RSA_MAX], good[COS_RSA_MAX];
        if (round == 0) {
            memcpy(in, rsa->n, rsa->size);
            in[rsa->size - 1]--;
        } else if (round <= 2) {
            in[rsa->size - 1] = (uint8_t)(round - 1);
        } else {
            random_fill(&chance->random, in, rsa->size);
            in[0] &= 0x7F;
        }
        raw_public(rsa, in, good);
        assert_int_equal(crypto->rsa_public(NULL, oracle_rsa_n(rsa), oracle_rsa_e(rsa), in, out),
                         COS_OK);
        assert_memory_equal(out, good, rsa->size);
        /* in place */
        assert_int_equal(crypto->rsa_private(NULL, &key, &source, out, out), COS_OK);
        assert_memory_equal(out, in, rsa->size);
    }
}

/* From p, q and e come the other numbers of the key, whichever factor is the first. */
static void completes(const struct oracle_rsa *rsa, struct chance *chance)
{
    const struct cos_rsa_private key = oracle_rsa_private(rsa);
    const struct cos_random source = chance_source(chance);
    const struct cos_span n = oracle_rsa_n(rsa);
    uint8_t bytes[7 * COS_RSA_MAX / 2];
    const size_t half = rsa->size / 2;
    const struct cos_rsa_parts parts = {.n = bytes,
                                        .p = bytes + 2 * half,
                                        .q = bytes + 3 * half,
                                        .dp = bytes + 4 * half,
                                        .dq = bytes + 5 * half,
                                        .qinv = bytes + 6 * half};

    for (unsigned swapped = 0; swapped < 2; swapped++) {
        assert_int_equal(crypto->rsa_complete(NULL, &source, swapped ? key.q : key.p,
                                              swapped ? key.p : key.q, key.e, &parts),
                         COS_OK);
        assert_memory_equal(parts.n, n.data, n.length);
        const struct cos_rsa_private made = {{parts.p, half},  {parts.q, half},    {parts.dp, half},
                                             {parts.dq, half}, {parts.qinv, half}, key.e};
        assert_int_equal(crypto->rsa_check(NULL, &made, n), COS_OK);
    }
    assert_int_equal(crypto->rsa_complete(NULL, &source, key.p, key.p, key.e, &parts), COS_E_DATA);
    const struct cos_span shorter = {key.q.data, half - 1};
    assert_int_equal(crypto->rsa_complete(NULL, &source, key.p, shorter, key.e, &parts),
                     COS_E_DATA);
}

static void agrees_with_openssl(void **state)
{
    (void)state;
    static const struct {
        unsigned bits;
        unsigned long e;
        unsigned keys;
    } cases[] = {{1024, 65537, 8}, {1024, 3, 4},     {1040, 65537, 1}, {1536, 0x10001, 2},
                 {2048, 65537, 2}, {3072, 65537, 1}, {4096, 65537, 1}};
    struct chance chance = {random_start(1)};
    unsigned keys = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (unsigned n = 0; n < cases[i].keys; n++) {
            struct oracle_rsa rsa;
            oracle_rsa_generate(&rsa, cases[i].bits, cases[i].e);
            agrees(&rsa, &chance, cases[i].bits > 2048 ? 1 : 8);
            const struct cos_rsa_private key = oracle_rsa_private(&rsa);
            assert_int_equal(crypto->rsa_check(NULL, &key, oracle_rsa_n(&rsa)),
                             cases[i].e == 3 ? COS_E_DATA : COS_OK);
            if (cases[i].e != 3) {
                completes(&rsa, &chance);
            }
            oracle_rsa_free(&rsa);
            keys++;
        }
    }
    printf("# RSA: %u random keys agree with OpenSSL\n", keys);
}

static struct cos_rsa_parts parts_of(struct oracle_rsa *rsa)
{
    return (struct cos_rsa_parts){rsa->n, rsa->p, rsa->q, rsa->dp, rsa->dq, rsa->qinv};
}

/* Keys that the provider made pass OpenSSL's check, which tests the factors for primality. */
static void generates(void **state)
{
    (void)state;
    static const struct {
        unsigned bits;
        const char *e;
    } cases[] = {{1024, "010001"}, {1024, "010001"},     {1024, "010001"},
                 {1024, "010003"}, {1040, "0100000001"}, {2048, "010001"}};
    struct chance chance = {random_start(2)};
    const struct cos_random source = chance_source(&chance);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct oracle_rsa rsa = {.size = cases[i].bits / 8};
        const struct cos_rsa_parts parts = parts_of(&rsa);
        rsa.e_length = unhex(cases[i].e, rsa.e, sizeof rsa.e);
        chance.idles = 0;
        assert_int_equal(
            crypto->rsa_generate(NULL, &source, cases[i].bits, oracle_rsa_e(&rsa), &parts), COS_OK);
        assert_true(chance.idles > 16);
        oracle_rsa_import(&rsa);
        const struct cos_rsa_private key = oracle_rsa_private(&rsa);
        assert_int_equal(crypto->rsa_check(NULL, &key, oracle_rsa_n(&rsa)), COS_OK);
        assert_true((rsa.n[0] & 0x80) != 0);
        assert_true(memcmp(rsa.p, rsa.q, rsa.size / 2) > 0);
        agrees(&rsa, &chance, 2);
        oracle_rsa_free(&rsa);
    }
}

static void generation_is_refused(void **state)
{
    (void)state;
    static const struct {
        size_t bits;
        const char *e;
        enum cos_result result;
    } cases[] = {
        {1024, "", COS_E_CRYPTO},
        {0, "010001", COS_E_CRYPTO},
        {1008, "010001", COS_E_CRYPTO},
        {1025, "010001", COS_E_CRYPTO},
        {1032, "010001", COS_E_CRYPTO},
        {4112, "010001", COS_E_CRYPTO},
        {1024, "010000", COS_E_DATA},
        {1024, "03", COS_E_DATA},
        {1024, "01", COS_E_DATA},
        {1024, "00", COS_E_DATA},
        {1024, "FFFF", COS_E_DATA},
        {1024, "01000000000000000000000000000000000000000000000000000000000000000001", COS_E_DATA},
    };
    struct chance chance = {random_start(3)};
    const struct cos_random source = chance_source(&chance);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct oracle_rsa rsa = {.size = 128};
        uint8_t e[40];
        const struct cos_rsa_parts parts = parts_of(&rsa);
        const struct cos_span exponent = {e, unhex(cases[i].e, e, sizeof e)};
        assert_case(crypto->rsa_generate(NULL, &source, cases[i].bits, exponent, &parts) ==
                        cases[i].result,
                    "%zu bits, e %s", cases[i].bits, cases[i].e);
        assert_int_equal(chance.draws, 0);
    }
}

/* The error of the source ends a generation wherever it comes; valgrind and ASan see what is not
 * freed. */
static void source_fails(void **state)
{
    (void)state;
    const uint8_t e[] = {1, 0, 1};
    struct oracle_rsa rsa;
    struct chance chance = {random_start(4)};
    for (unsigned at = 1; at <= 200; at += 1 + at / 8) {
        struct oracle_rsa made = {.size = 128};
        const struct cos_rsa_parts parts = parts_of(&made);
        struct chance failing = {random_start(5), 0, at};
        const struct cos_random source = chance_source(&failing);
        enum cos_result result =
            crypto->rsa_generate(NULL, &source, 1024, (struct cos_span){e, 3}, &parts);
        assert_case(result == (failing.draws < at ? COS_OK : COS_E_ENTROPY), "draw %u", at);
    }
    oracle_rsa_generate(&rsa, 1024, 65537);
    const struct cos_rsa_private key = oracle_rsa_private(&rsa);
    for (unsigned at = 1; at <= 3; at++) {
        uint8_t number[COS_RSA_MAX] = {0};
        struct chance failing = {random_start(6), 0, at};
        const struct cos_random source = chance_source(&failing);
        assert_int_equal(crypto->rsa_private(NULL, &key, &source, number, number), COS_E_ENTROPY);
    }
    agrees(&rsa, &chance, 0);
    oracle_rsa_free(&rsa);
}

/* What a public operation takes. */
static void public_is_refused(void **state)
{
    (void)state;
    struct oracle_rsa rsa;
    uint8_t in[COS_RSA_MAX + 2] = {0}, out[COS_RSA_MAX + 2], n[COS_RSA_MAX + 2];
    oracle_rsa_generate(&rsa, 1024, 65537);
    const struct cos_span e = oracle_rsa_e(&rsa), modulus = oracle_rsa_n(&rsa);
    assert_int_equal(crypto->rsa_public(NULL, modulus, e, rsa.n, out), COS_E_DATA); /* n itself */
    memset(in, 0xFF, sizeof in);
    assert_int_equal(crypto->rsa_public(NULL, modulus, e, in, out), COS_E_DATA);
    memset(in, 0, sizeof in);
    memcpy(n, rsa.n, 128);
    n[127] ^= 1;
    assert_int_equal(crypto->rsa_public(NULL, (struct cos_span){n, 128}, e, in, out), COS_E_DATA);
    n[127] ^= 1;
    n[0] &= 0x7F;
    assert_int_equal(crypto->rsa_public(NULL, (struct cos_span){n, 128}, e, in, out), COS_E_DATA);
    assert_int_equal(crypto->rsa_public(NULL, modulus, (struct cos_span){in, 3}, in, out),
                     COS_E_DATA); /* e = 0 */
    memset(n, 0xFF, sizeof n);
    static const size_t lengths[] = {0, 1, 126, 127, 129, 511, 514};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        assert_int_equal(crypto->rsa_public(NULL, (struct cos_span){n, lengths[i]}, e, in, out),
                         COS_E_CRYPTO);
    }
    assert_int_equal(crypto->rsa_public(NULL, modulus, (struct cos_span){n, 0}, in, out),
                     COS_E_CRYPTO);
    assert_int_equal(crypto->rsa_public(NULL, modulus, (struct cos_span){n, 129}, in, out),
                     COS_E_CRYPTO);
    oracle_rsa_free(&rsa);
}

/* A key with one wrong bit in any number is refused by the check, and does not give a result away:
 * what a fault in one half computes would contain a factor. */
static void wrong_bits(void **state)
{
    (void)state;
    struct oracle_rsa rsa;
    struct chance chance = {random_start(7)};
    const struct cos_random source = chance_source(&chance);
    oracle_rsa_generate(&rsa, 1024, 65537);
    const struct cos_rsa_private key = oracle_rsa_private(&rsa);
    struct {
        const char *name;
        uint8_t *bytes;
        size_t length;
    } parts[] = {{"p", rsa.p, 64},       {"q", rsa.q, 64}, {"dp", rsa.dp, 64}, {"dq", rsa.dq, 64},
                 {"qinv", rsa.qinv, 64}, {"e", rsa.e, 3},  {"n", rsa.n, 128}};
    unsigned tried = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        for (size_t bit = 0; bit<8 * parts[i].length; bit += parts[i].length> 3 ? 17 : 1) {
            uint8_t in[128] = {0x12, 0x34}, out[128];
            parts[i].bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
            assert_case(crypto->rsa_check(NULL, &key, oracle_rsa_n(&rsa)) == COS_E_DATA,
                        "%s, bit %zu", parts[i].name, bit);
            if (i < 6) {
                memset(out, 0xA5, sizeof out);
                assert_case(crypto->rsa_private(NULL, &key, &source, in, out) != COS_OK,
                            "%s, bit %zu", parts[i].name, bit);
                for (size_t at = 0; at < sizeof out; at++) {
                    assert_int_equal(out[at], 0xA5);
                }
            }
            parts[i].bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
            tried++;
        }
    }
    assert_int_equal(crypto->rsa_check(NULL, &key, oracle_rsa_n(&rsa)), COS_OK);
    printf("# RSA: %u wrong bits in a key seen\n", tried);
    oracle_rsa_free(&rsa);
}

/* Wrong lengths, factors that are the same, inverses that are not the least. */
static void keys_that_are_none(void **state)
{
    (void)state;
    struct oracle_rsa rsa;
    struct chance chance = {random_start(8)};
    const struct cos_random source = chance_source(&chance);
    uint8_t in[COS_RSA_MAX] = {0}, out[COS_RSA_MAX], longer[65] = {0};
    oracle_rsa_generate(&rsa, 1024, 65537);
    const struct cos_rsa_private good = oracle_rsa_private(&rsa);
    const struct cos_span n = oracle_rsa_n(&rsa);
    for (int i = 0; i < 9; i++) {
        struct cos_rsa_private key = good;
        struct cos_span *const spans[] = {&key.p, &key.q, &key.dp, &key.dq, &key.qinv, &key.e};
        if (i < 2) {
            spans[i]->length--;
        } else if (i < 5) {
            memcpy(longer + 1, spans[i]->data, 64);
            *spans[i] = (struct cos_span){longer, 65}; /* the same number */
        } else if (i == 5) {
            key.e.length = 0;
        } else if (i == 6) {
            key.q = key.p;
        } else if (i == 7) {
            key.p.length = key.q.length = 63;
        } else {
            key.p.length = key.q.length = 0;
        }
        assert_case(crypto->rsa_check(NULL, &key, n) == COS_E_DATA, "case %d", i);
        assert_case(crypto->rsa_private(NULL, &key, &source, in, out) != COS_OK || i == 6,
                    "case %d", i);
    }
    assert_int_equal(crypto->rsa_check(NULL, &good, (struct cos_span){rsa.n, 127}), COS_E_DATA);
    assert_int_equal(crypto->rsa_private(NULL, &good, &source, rsa.n, out), COS_E_DATA);
    oracle_rsa_free(&rsa);
}

/* Numbers may come with their leading zeros or without: the key that this chance makes has such a
 * dQ.
 */
static void leading_zeros(void **state)
{
    (void)state;
    const uint8_t e[] = {0, 1, 0, 1};
    struct oracle_rsa rsa = {.size = 128};
    const struct cos_rsa_parts parts = parts_of(&rsa);
    struct chance chance = {random_start(51)};
    const struct cos_random source = chance_source(&chance);
    assert_int_equal(
        crypto->rsa_generate(NULL, &source, 1024, (struct cos_span){e, sizeof e}, &parts), COS_OK);
    assert_int_equal(rsa.dq[0], 0);
    for (unsigned i = 0; i < 2; i++) {
        const struct cos_rsa_private key = {{rsa.p, 64},          {rsa.q, 64},    {rsa.dp, 64},
                                            {rsa.dq + i, 64 - i}, {rsa.qinv, 64}, {e + i, 4 - i}};
        uint8_t in[128] = {0, 1}, out[128];
        assert_int_equal(crypto->rsa_check(NULL, &key, oracle_rsa_n(&rsa)), COS_OK);
        assert_int_equal(crypto->rsa_private(NULL, &key, &source, in, out), COS_OK);
        assert_int_equal(crypto->rsa_public(NULL, oracle_rsa_n(&rsa), key.e, out, out), COS_OK);
        assert_memory_equal(out, in, sizeof in);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_openssl),   cmocka_unit_test(generates),
        cmocka_unit_test(generation_is_refused), cmocka_unit_test(source_fails),
        cmocka_unit_test(public_is_refused),     cmocka_unit_test(wrong_bits),
        cmocka_unit_test(keys_that_are_none),    cmocka_unit_test(leading_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
