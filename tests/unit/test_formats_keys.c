/* SPDX-License-Identifier: Apache-2.0
 *
 * The worked examples of a key pair and of a long secret in docs/formats.md: what lies in the
 * security chip's NVM, recomputed with OpenSSL.
 */
#include "example.h"
#include "oracle.h"
#include "oracle_key.h"

#include "bench.h"
#include "secure_domain/domain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PAYLOAD = 216, INDEX = 10, CHUNKS = 12 * PAYLOAD, CHUNK = 108, DATA = 92 };

/* The next random bytes are those of a generator whose K and V are 00. */
static void calm(struct cos_secure *secure)
{
    memset(secure->drbg.key, 0, sizeof secure->drbg.key);
    memset(secure->drbg.value, 0, sizeof secure->drbg.value);
}

/* Object 10 of a card with 14 objects and six vault files, as in the examples before it. */
static void store_pair(struct bench *bench, const struct example *example)
{
    struct cos_secure *secure = &bench->secure;
    struct object object = {
        .index = INDEX,
        .kind = OBJECT_KEY,
        .context = 1,
        .number = 4,
        .algorithm = ALGORITHM_EC,
        .format = COS_P256,
        .service = SERVICE_SIGN,
        .use_rule = 0x91,
        .change_rule = 0xC0,
        .flags = FLAG_GENERATED,
        .uses_left = USES_UNLIMITED,
    };

    assert_int_equal(secure->store.payload, PAYLOAD);
    memcpy(secure->storage_key, example_value(example, "STORAGE-KEY", 32), 32);
    memcpy(bench->key_memory, example_value(example, "POINT", 65), 65);
    memcpy(bench->key_memory + 65, example_value(example, "PRIVATE-KEY", 32), 32);
    calm(secure);
    assert_int_equal(cos_material_store(secure, &object), COS_OK);
}

/* Entry and first chunk are those of the example, and the chunk is what CCM makes of the content
 * (DATA bytes). */
static void expect_stored(const struct bench *bench, const struct example *example)
{
    uint8_t found[CHUNK];

    assert_int_equal(cos_store_read(&bench->secure.store,
                                    (1 + INDEX / 5) * PAYLOAD + INDEX % 5 * OBJECT_ENTRY, found,
                                    OBJECT_ENTRY),
                     COS_OK);
    example_expect(example, "ENTRY", found, OBJECT_ENTRY);
    assert_int_equal(cos_store_read(&bench->secure.store, CHUNKS, found, CHUNK), COS_OK);
    example_expect(example, "CHUNK", found, CHUNK);
}

static void expect_sealed(const struct example *example, const uint8_t content[DATA])
{
    const uint8_t *nonce = example_value(example, "NONCE", 13);
    const uint8_t *associated = example_value(example, "ASSOCIATED", 25);
    uint8_t sealed[DATA + COS_CCM_TAG];

    assert_memory_equal(nonce + 2, example_value(example, "CHUNK", CHUNK), 8);
    assert_memory_equal(associated + 4, example_value(example, "ENTRY", OBJECT_ENTRY), 21);
    assert_true(oracle_ccm_seal(example_value(example, "STORAGE-KEY", 32), 32, nonce, associated,
                                25, content, DATA, sealed));
    assert_memory_equal(example_value(example, "CHUNK", CHUNK) + 8, sealed, sizeof sealed);
}

static void key_pair(void **state)
{
    struct example *example = example_read("key-pair", true);
    struct bench *bench = malloc(sizeof *bench);
    uint8_t content[97];

    (void)state;
    bench_make(bench, &bench_small);
    store_pair(bench, example);
    expect_stored(bench, example);
    bench_free(bench);
    free(bench);

    oracle_ec_public(COS_P256, example_value(example, "PRIVATE-KEY", 32), content);
    example_expect(example, "POINT", content, 65);
    memcpy(content + 65, example_value(example, "PRIVATE-KEY", 32), 32);
    expect_sealed(example, content);
    free(example);
}

static void long_secret(void **state)
{
    struct object object = {
        .index = INDEX,
        .kind = OBJECT_KEY,
        .context = 1,
        .number = 5,
        .algorithm = ALGORITHM_HMAC,
        .format = COS_SHA512,
        .service = SERVICE_CHECKSUM | SERVICE_VERIFY_CHECKSUM,
        .length = 64,
        .change_rule = 0xFF,
        .uses_left = USES_UNLIMITED,
    };
    struct example *example = example_read("long-secret", true);
    struct bench *bench = malloc(sizeof *bench);
    struct cos_secure *secure = &bench->secure;
    uint8_t content[DATA] = {0};

    (void)state;
    bench_make(bench, &bench_small);
    memcpy(secure->storage_key, example_value(example, "STORAGE-KEY", 32), 32);
    calm(secure);
    cos_change_start(secure);
    assert_int_equal(cos_object_put(secure, &object, example_value(example, "SECRET", 64)), COS_OK);
    assert_int_equal(cos_change_commit(secure), COS_OK);
    expect_stored(bench, example);
    bench_free(bench);
    free(bench);

    memcpy(content, example_value(example, "SECRET", 64), 64);
    expect_sealed(example, content);
    free(example);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_pair),
        cmocka_unit_test(long_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
