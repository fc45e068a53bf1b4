/* SPDX-License-Identifier: Apache-2.0
 *
 * HMAC_DRBG: published vectors, agreement with OpenSSL over several seedings, and every way in
 * which source or provider can fail.
 */
#include "crypto_helpers.h"

#include "cos/config.h"
#include "cos/crypto.h"
#include "cos/port.h"
#include "crypto/drbg.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

/* What the generator draws: samples that are tested, of which the last ones are the seed. */
#define NOISE_AT_START 1024U
#define NOISE_AGAIN    512U
#define SEED_AT_START  ((384U + COS_ENTROPY_BITS_PER_BYTE - 1U) / COS_ENTROPY_BITS_PER_BYTE)
#define SEED_AGAIN     ((256U + COS_ENTROPY_BITS_PER_BYTE - 1U) / COS_ENTROPY_BITS_PER_BYTE)
#define NONCE          16U /* of the seed at start; where it is parted does not matter */

static const struct cos_crypto *const crypto = &cos_crypto_tomcrypt;

/* A source that remembers the newest bytes, and goes wrong at a given one. */
struct source {
    struct random random;
    size_t drawn;
    size_t stuck_at; /* from this byte on all are the same; SIZE_MAX never */
    size_t fail_at;  /* the read that reaches this byte fails; SIZE_MAX never */
    enum cos_result error;
    uint8_t newest[512]; /* the last SEED_.. of these were drawn last */
};

static enum cos_result source_read(void *context, uint8_t *data, size_t length)
{
    struct source *source = context;
    assert_true(length > 0 && length <= sizeof source->newest);
    random_fill(&source->random, data, length);
    for (size_t i = 0; i < length; i++) {
        if (source->drawn + i >= source->stuck_at) {
            data[i] = 0x5A;
        }
    }
    source->drawn += length;
    memmove(source->newest, source->newest + length, sizeof source->newest - length);
    memcpy(source->newest + sizeof source->newest - length, data, length);
    return source->drawn > source->fail_at ? source->error : COS_OK;
}

static struct source source_start(uint64_t seed)
{
    return (struct source){.random = random_start(seed), .stuck_at = SIZE_MAX, .fail_at = SIZE_MAX};
}

static const uint8_t *newest(const struct source *source, size_t length)
{
    return source->newest + sizeof source->newest - length;
}

static struct cos_entropy entropy_of(struct source *source)
{
    return (struct cos_entropy){source, source_read};
}

static const struct cos_span none = {NULL, 0};

static void assert_dead(struct cos_drbg *drbg)
{
    static const struct cos_drbg zero;
    uint8_t out[4] = {1, 2, 3, 4}, untouched[4] = {1, 2, 3, 4};
    assert_memory_equal(drbg->key, zero.key, sizeof zero.key);
    assert_memory_equal(drbg->value, zero.value, sizeof zero.value);
    assert_false(drbg->ready);
    assert_int_equal(cos_drbg_random(drbg, out, sizeof out), COS_E_ENTROPY);
    assert_memory_equal(out, untouched, sizeof out);
}

/* ---- NIST CAVP (SP 800-90A), HMAC_DRBG, SHA-256, no prediction resistance: generate 1,024 bits
 * twice, the second are given. */
static void published_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *entropy, *nonce, *personal, *again, *out;
    } cases[] = {
        {"CA851911349384BFFE89DE1CBDC46E6831E44D34A4FB935EE285DD14B71A7488",
         "659BA96C601DC69FC902940805EC0CA8", "", "",
         "E528E9ABF2DECE54D47C7E75E5FE302149F817EA9FB4BEE6F4199697D04D5B89"
         "D54FBB978A15B5C443C9EC21036D2460B6F73EBAD0DC2ABA6E624ABF07745BC1"
         "07694BB7547BB0995F70DE25D6B29E2D3011BB19D27676C07162C8B5CCDE0668"
         "961DF86803482CB37ED6D5C0BB8D50CF1F50D476AA0458BDABA806F48BE9DCB8"},
        {"79737479BA4E7642A221FCFD1B820B134E9E3540A35BB48FFAE29C20F5418EA3",
         "3593259C092BEF4129BC2C6C9E19F343", "", "",
         "CF5AD5984F9E43917AA9087380DAC46E410DDC8A7731859C84E9D0F31BD43655"
         "B924159413E2293B17610F211E09F770F172B8FB693A35B85D3B9E5E63B1DC25"
         "2AC0E115002E9BEDFB4B5B6FD43F33B8E0EAFB2D072E1A6FEE1F159DF9B51E6C"
         "8DA737E60D5032DD30544EC51558C6F080BDBDAB1DE8A939E961E06B5F1ACA37"},
        {"5CACC68165A2E2EE20812F35EC73A79DBF30FD475476AC0C44FC6174CDAC2B55",
         "6F885496C1E63AF620BECD9E71ECB824",
         "E72DD8590D4ED5295515C35ED6199E9D211B8F069B3058CAA6670B96EF1208D0", "",
         "F1012CF543F94533DF27FEDFBF58E5B79A3DC517A9C402BDBFC9A0C0F721F9D5"
         "3FAF4AAFDC4B8F7A1B580FCAA52338D4BD95F58966A243CDCD3F446ED4BC546D"
         "9F607B190DD69954450D16CD0E2D6437067D8B44D19A6AF7A7CFA8794E5FBD72"
         "8E8FB2F2E8DB5DD4FF1AA275F35886098E80FF844886060DA8B1E7137846B23B"},
        {"06032CD5EED33F39265F49ECB142C511DA9AFF2AF71203BFFAF34A9CA5BD9C0D",
         "0E66F71EDC43E42A45AD3C6FC6CDC4DF", "",
         "01920A4E669ED3A85AE8A33B35A74AD7FB2A6BB4CF395CE00334A9C9A5A5D552",
         "76FC79FE9B50BECCC991A11B5635783A83536ADD03C157FB30645E611C2898BB"
         "2B1BC215000209208CD506CB28DA2A51BDB03826AAF2BD2335D576D519160842"
         "E7158AD0949D1A9EC3E66EA1B1A064B005DE914EAC2E9D4F2D72A8616A802254"
         "22918250FF66A41BD2F864A6A38CC5B6499DC43F7F2BD09E1E0F8F5885935124"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t seed[48], personal[32], again[32], good[128], out[128];
        unhex(cases[i].entropy, seed, 32);
        unhex(cases[i].nonce, seed + 32, 16);
        struct cos_span personal_span = {personal, unhex(cases[i].personal, personal, 32)};
        struct cos_span again_span = {again, unhex(cases[i].again, again, 32)};
        unhex(cases[i].out, good, sizeof good);
        struct cos_drbg drbg = {.crypto = crypto};
        assert_int_equal(
            cos_hmac_drbg_instantiate(&drbg, (struct cos_span){seed, 48}, personal_span), COS_OK);
        if (again_span.length > 0) {
            assert_int_equal(cos_hmac_drbg_reseed(&drbg, again_span), COS_OK);
        }
        assert_int_equal(cos_hmac_drbg_generate(&drbg, out, sizeof out), COS_OK);
        assert_int_equal(cos_hmac_drbg_generate(&drbg, out, sizeof out), COS_OK);
        assert_memory_equal(out, good, sizeof out);
    }
}

/* ---- The whole generator against OpenSSL's HMAC-DRBG, fed by its TEST-RAND with our seeds */

struct reference {
    EVP_RAND_CTX *parent, *drbg;
};

static void reference_entropy(struct reference *reference, const uint8_t *seed, size_t length)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_RAND_PARAM_TEST_ENTROPY, (void *)(uintptr_t)seed,
                                          length),
        OSSL_PARAM_construct_end(),
    };
    assert_int_equal(EVP_RAND_CTX_set_params(reference->parent, params), 1);
}

static EVP_RAND_CTX *fetch(const char *name, EVP_RAND_CTX *parent)
{
    EVP_RAND *rand = EVP_RAND_fetch(NULL, name, NULL);
    EVP_RAND_CTX *context = EVP_RAND_CTX_new(rand, parent);
    assert_non_null(context);
    EVP_RAND_free(rand);
    return context;
}

static struct reference reference_start(const uint8_t *seed, size_t length,
                                        struct cos_span personal)
{
    unsigned strength = 256, never = 0;
    time_t no_time = 0;
    char mac[] = "HMAC", digest[] = "SHA256";
    struct reference reference = {.parent = fetch("TEST-RAND", NULL)};
    OSSL_PARAM parent_params[] = {
        OSSL_PARAM_construct_uint(OSSL_RAND_PARAM_STRENGTH, &strength),
        OSSL_PARAM_construct_octet_string(OSSL_RAND_PARAM_TEST_NONCE,
                                          (void *)(uintptr_t)(seed + length - NONCE), NONCE),
        OSSL_PARAM_construct_end(),
    };
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_DRBG_PARAM_MAC, mac, 0),
        OSSL_PARAM_construct_utf8_string(OSSL_DRBG_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_uint(OSSL_DRBG_PARAM_RESEED_REQUESTS, &never),
        OSSL_PARAM_construct_time_t(OSSL_DRBG_PARAM_RESEED_TIME_INTERVAL, &no_time),
        OSSL_PARAM_construct_end(),
    };
    assert_int_equal(EVP_RAND_CTX_set_params(reference.parent, parent_params), 1);
    reference_entropy(&reference, seed, length - NONCE);
    assert_int_equal(EVP_RAND_instantiate(reference.parent, 256, 0, NULL, 0, NULL), 1);
    reference.drbg = fetch("HMAC-DRBG", reference.parent);
    assert_int_equal(EVP_RAND_CTX_set_params(reference.drbg, params), 1);
    /* With no pointer OpenSSL puts in a personalization string of its own. */
    assert_int_equal(EVP_RAND_instantiate(reference.drbg, 256, 0,
                                          personal.length > 0 ? personal.data : seed,
                                          personal.length, NULL),
                     1);
    return reference;
}

static void reference_stop(struct reference *reference)
{
    EVP_RAND_CTX_free(reference->drbg);
    EVP_RAND_CTX_free(reference->parent);
}

static void agrees_over(size_t requests, uint64_t seed, size_t personal_length)
{
    static uint8_t out[65536], good[65536];
    struct random random = random_start(seed);
    struct source source = source_start(seed + 1000);
    const struct cos_entropy entropy = entropy_of(&source);
    uint8_t personal[48];
    random_fill(&random, personal, sizeof personal);
    const struct cos_span personal_span = {personal, personal_length};
    struct cos_drbg drbg;
    assert_int_equal(cos_drbg_start(&drbg, crypto, &entropy, personal_span), COS_OK);
    assert_int_equal(source.drawn, NOISE_AT_START);
    struct reference reference =
        reference_start(newest(&source, SEED_AT_START), SEED_AT_START, personal_span);
    size_t seedings = 1;
    for (size_t request = 0; request < requests; request++) {
        size_t length = request % 500 == 7 ? sizeof out : 1 + random_below(&random, 100);
        assert_int_equal(cos_drbg_random(&drbg, out, length), COS_OK);
        if (request > 0 && request % COS_DRBG_RESEED == 0) {
            seedings++;
            reference_entropy(&reference, newest(&source, SEED_AGAIN), SEED_AGAIN);
            assert_int_equal(EVP_RAND_reseed(reference.drbg, 0, NULL, 0, NULL, 0), 1);
        }
        assert_int_equal(source.drawn, NOISE_AT_START + (seedings - 1) * NOISE_AGAIN);
        assert_int_equal(EVP_RAND_generate(reference.drbg, good, length, 256, 0, NULL, 0), 1);
        assert_case(memcmp(out, good, length) == 0, "request %zu, %zu bytes", request, length);
    }
    reference_stop(&reference);
    cos_drbg_wipe(&drbg);
    assert_dead(&drbg);
}

static void agrees_with_openssl(void **state)
{
    (void)state;
    agrees_over(3 * COS_DRBG_RESEED + 5, 1, 0); /* three seedings again */
    for (size_t length = 0; length <= 48; length++) {
        agrees_over(4, 2 + length, length);
    }
}

/* ---- Requests */

static void requests(void **state)
{
    (void)state;
    static uint8_t out[65537], untouched[65537];
    struct source source = source_start(60);
    const struct cos_entropy entropy = entropy_of(&source);
    struct cos_drbg drbg;
    assert_int_equal(cos_drbg_start(&drbg, crypto, &entropy, none), COS_OK);
    assert_int_equal(cos_drbg_random(&drbg, NULL, 0), COS_OK);
    assert_int_equal(cos_drbg_random(&drbg, out, 65536), COS_OK);
    memset(out, 0xA5, sizeof out);
    memset(untouched, 0xA5, sizeof untouched);
    assert_int_equal(cos_drbg_random(&drbg, out, 65537), COS_E_CRYPTO);
    assert_memory_equal(out, untouched, sizeof out);
    assert_dead(&drbg); /* until it is started again */
    assert_int_equal(cos_drbg_start(&drbg, crypto, &entropy, none), COS_OK);
    assert_int_equal(cos_drbg_random(&drbg, out, 16), COS_OK);
}

/* ---- A source that fails */

static void failing_reads(void **state)
{
    (void)state;
    static const enum cos_result errors[] = {COS_E_ENTROPY, COS_E_NVM, COS_E_LENGTH};
    for (size_t fail_at = 0; fail_at < NOISE_AT_START; fail_at += 17) {
        struct source source = source_start(70);
        source.fail_at = fail_at;
        source.error = errors[fail_at % 3];
        const struct cos_entropy entropy = entropy_of(&source);
        struct cos_drbg drbg;
        memset(&drbg, 0xFF, sizeof drbg);
        assert_int_equal(cos_drbg_start(&drbg, crypto, &entropy, none), COS_E_ENTROPY);
        assert_dead(&drbg);
    }
}

/* Brings a generator to the request that seeds again. */
static void bring_to_seeding(struct cos_drbg *drbg, struct source *source,
                             const struct cos_entropy *entropy)
{
    *source = source_start(71);
    assert_int_equal(cos_drbg_start(drbg, crypto, entropy, none), COS_OK);
    for (unsigned i = 0; i < COS_DRBG_RESEED; i++) {
        uint8_t out[1];
        assert_int_equal(cos_drbg_random(drbg, out, sizeof out), COS_OK);
    }
    assert_int_equal(source->drawn, NOISE_AT_START);
}

static void failures_when_seeding_again(void **state)
{
    (void)state;
    uint8_t out[32], untouched[32];
    struct source source;
    const struct cos_entropy entropy = entropy_of(&source);
    struct cos_drbg drbg;
    memset(untouched, 0xA5, sizeof untouched);
    for (size_t at = NOISE_AT_START; at < NOISE_AT_START + NOISE_AGAIN; at += 37) {
        for (int stuck = 0; stuck < 2; stuck++) {
            bring_to_seeding(&drbg, &source, &entropy);
            source.error = COS_E_NVM;
            *(stuck ? &source.stuck_at : &source.fail_at) = at;
            memset(out, 0xA5, sizeof out);
            assert_int_equal(cos_drbg_random(&drbg, out, sizeof out), COS_E_ENTROPY);
            assert_memory_equal(out, untouched, sizeof out);
            assert_dead(&drbg);
        }
    }
    bring_to_seeding(&drbg, &source, &entropy); /* and a source that is sound then */
    assert_int_equal(cos_drbg_random(&drbg, out, sizeof out), COS_OK);
    assert_int_equal(source.drawn, NOISE_AT_START + NOISE_AGAIN);
}

/* Every sample up to the last one that was drawn is tested: stuck for the repetition cutoff it is
 * refused, for one sample less it is not. */
static void stuck_sources(void **state)
{
    (void)state;
    const size_t cutoff = 1 + (30 + COS_ENTROPY_BITS_PER_BYTE - 1) / COS_ENTROPY_BITS_PER_BYTE;
    for (size_t at = 0; at < NOISE_AT_START; at++) {
        struct source source = source_start(72);
        source.stuck_at = at;
        const struct cos_entropy entropy = entropy_of(&source);
        struct cos_drbg drbg;
        enum cos_result expected = at + cutoff <= NOISE_AT_START ? COS_E_ENTROPY : COS_OK;
        assert_case(cos_drbg_start(&drbg, crypto, &entropy, none) == expected, "stuck at %zu", at);
        if (expected != COS_OK) {
            assert_dead(&drbg);
        }
    }
}

/* What a provider draws from gives what the generator would, its error included. */
static void source_of_a_provider(void **state)
{
    (void)state;
    struct source sources[2] = {source_start(90), source_start(90)};
    struct cos_drbg drbg[2];
    uint8_t out[2][100];
    for (int i = 0; i < 2; i++) {
        const struct cos_entropy entropy = entropy_of(&sources[i]);
        assert_int_equal(cos_drbg_start(&drbg[i], crypto, &entropy, none), COS_OK);
    }
    const struct cos_random random = cos_drbg_source(&drbg[1]);
    assert_null(random.idle);
    assert_int_equal(cos_drbg_random(&drbg[0], out[0], 100), COS_OK);
    assert_int_equal(random.draw(random.context, out[1], 100), COS_OK);
    assert_memory_equal(out[0], out[1], 100);
    cos_drbg_wipe(&drbg[1]);
    assert_int_equal(random.draw(random.context, out[1], 1), COS_E_ENTROPY);
}

/* ---- A provider that fails */

struct failing {
    unsigned calls, fail_at;
};

static enum cos_result failing_hmac(void *context, enum cos_hash which, const uint8_t *key,
                                    size_t key_length, const struct cos_span *parts, size_t count,
                                    uint8_t *mac)
{
    struct failing *failing = context;
    if (++failing->calls == failing->fail_at) {
        return COS_E_CRYPTO;
    }
    return crypto->hmac(crypto->context, which, key, key_length, parts, count, mac);
}

static void provider_failures(void **state)
{
    (void)state;
    static const uint8_t zero[100] = {0};
    struct source source;
    const struct cos_entropy entropy = entropy_of(&source);
    struct failing failing = {0, 0};
    struct cos_crypto broken = cos_crypto_tomcrypt;
    broken.context = &failing;
    broken.hmac = failing_hmac;
    struct cos_drbg drbg;
    for (unsigned at = 1; at <= 4; at++) { /* 10.1.2.2 with data: four HMACs */
        source = source_start(80);
        failing = (struct failing){0, at};
        assert_int_equal(cos_drbg_start(&drbg, &broken, &entropy, none), COS_E_CRYPTO);
        assert_dead(&drbg);
    }
    for (unsigned at = 5; at <= 10; at++) { /* 100 bytes: four blocks, then two HMACs */
        uint8_t out[100];
        source = source_start(80);
        failing = (struct failing){0, at};
        memset(out, 0xA5, sizeof out);
        assert_int_equal(cos_drbg_start(&drbg, &broken, &entropy, none), COS_OK);
        assert_int_equal(cos_drbg_random(&drbg, out, sizeof out), COS_E_CRYPTO);
        assert_memory_equal(out, zero, sizeof out);
        assert_dead(&drbg);
    }
    for (unsigned at = 1; at <= 4; at++) { /* when seeding again, nothing was written yet */
        uint8_t out[100], untouched[100];
        memset(out, 0xA5, sizeof out);
        memset(untouched, 0xA5, sizeof untouched);
        bring_to_seeding(&drbg, &source, &entropy);
        drbg.crypto = &broken;
        failing = (struct failing){0, at};
        assert_int_equal(cos_drbg_random(&drbg, out, sizeof out), COS_E_CRYPTO);
        assert_memory_equal(out, untouched, sizeof out);
        assert_dead(&drbg);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors),
        cmocka_unit_test(agrees_with_openssl),
        cmocka_unit_test(requests),
        cmocka_unit_test(failing_reads),
        cmocka_unit_test(failures_when_seeding_again),
        cmocka_unit_test(stuck_sources),
        cmocka_unit_test(source_of_a_provider),
        cmocka_unit_test(provider_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
