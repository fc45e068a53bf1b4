/* SPDX-License-Identifier: Apache-2.0
 *
 * The worked example of a key pair in docs/formats.md: what lies in the security chip's NVM,
 * recomputed with OpenSSL.
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

static void key_pair(void **state)
{
    struct example *example = example_read("key-pair", true);
    const uint8_t *key = example_value(example, "STORAGE-KEY", 32);
    const uint8_t *nonce = example_value(example, "NONCE", 13);
    uint8_t found[CHUNK], content[97], sealed[DATA + COS_CCM_TAG];
    struct bench *bench = malloc(sizeof *bench);

    (void)state;
    bench_make(bench, &bench_small);
    store_pair(bench, example);
    assert_int_equal(cos_store_read(&bench->secure.store,
                                    (1 + INDEX / 5) * PAYLOAD + INDEX % 5 * OBJECT_ENTRY, found,
                                    OBJECT_ENTRY),
                     COS_OK);
    example_expect(example, "ENTRY", found, OBJECT_ENTRY);
    assert_int_equal(cos_store_read(&bench->secure.store, CHUNKS, found, CHUNK), COS_OK);
    example_expect(example, "CHUNK", found, CHUNK);
    bench_free(bench);
    free(bench);

    oracle_ec_public(COS_P256, example_value(example, "PRIVATE-KEY", 32), content);
    example_expect(example, "POINT", content, 65);
    memcpy(content + 65, example_value(example, "PRIVATE-KEY", 32), 32);
    assert_memory_equal(nonce + 2, example_value(example, "CHUNK", CHUNK), 8);
    assert_memory_equal(example_value(example, "ASSOCIATED", 25) + 4,
                        example_value(example, "ENTRY", OBJECT_ENTRY), 21);
    assert_true(oracle_ccm_seal(key, 32, nonce, example_value(example, "ASSOCIATED", 25), 25,
                                content, DATA, sealed));
    assert_memory_equal(example_value(example, "CHUNK", CHUNK) + 8, sealed, sizeof sealed);
    free(example);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_pair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
