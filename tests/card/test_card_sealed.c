/* SPDX-License-Identifier: Apache-2.0
 *
 * What the security chip enciphers anew after a write that power has torn: with the same count, but
 * not with the same nonce (docs/design.md, "Sealing"). The test reads the raw cells as someone does
 * who has them, and who knows the storage key.
 */
#include "card_table.h"
#include "gate_rig.h"
#include "oracle.h"
#include "secure_domain/domain.h"
#include "vault_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { DATA_MAX = 92, FRESH_AT = 6, KIND_AT = 10 };

/* What the next write seals, and as what. */
struct sealed {
    uint8_t nonce[COS_CCM_NONCE]; /* but for the fresh bytes */
    uint8_t associated[21];
    size_t associated_length, length;
};

static struct bench bench;
static uint8_t storage_key[COS_AES_KEY_MAX];

/* PIN 1 of the bench's application, as long as it was. */
static void pin_sealed(struct sealed *sealed)
{
    struct object pin;

    assert_int_equal(cos_object_find(&bench.secure, OBJECT_PIN, 1, 1, 0, &pin), COS_OK);
    *sealed = (struct sealed){.associated_length = 21, .length = OBJECT_SLOT_SECRET};
    cos_put16(sealed->nonce, pin.index);
    cos_put32(sealed->nonce + 2, pin.generation + 1);
    memcpy(sealed->associated, &pin, 21);
}

/* The first chunk of the only vault file. */
static void chunk_sealed(struct sealed *sealed)
{
    uint8_t chunk[VAULT_CHUNK];

    vault_chunk(&bench, 1, chunk);
    *sealed = (struct sealed){.associated = {0, 1, 0, 0}, .associated_length = 4, .length = 92};
    cos_put32(sealed->nonce + 2, cos_get32(chunk) + 1);
    sealed->nonce[KIND_AT] = 1;
}

/* Where in the cells these data stand, sealed so: fresh bytes, data, tag. NULL: nowhere. */
static const uint8_t *find(const struct sealed *sealed, const uint8_t *data)
{
    const struct sim_nvm *nvm = &bench.secure_nvm;
    const size_t length = SEAL_FRESH + sealed->length + COS_CCM_TAG;
    uint8_t nonce[COS_CCM_NONCE], opened[DATA_MAX];

    memcpy(nonce, sealed->nonce, sizeof nonce);
    for (size_t at = 0; at + length <= nvm->nvm.geometry.size; at++) {
        const uint8_t *cells = nvm->cells + at;
        memcpy(nonce + FRESH_AT, cells, SEAL_FRESH);
        if (oracle_ccm_open(storage_key, sizeof storage_key, nonce, sealed->associated,
                            sealed->associated_length, cells + SEAL_FRESH, sealed->length,
                            opened) &&
            memcmp(opened, data, sealed->length) == 0) {
            return cells;
        }
    }
    return NULL;
}

/* Whether two ciphertexts differ as their data do: they have one key stream. */
static bool same_stream(const uint8_t *a, const uint8_t *b, const uint8_t *data_a,
                        const uint8_t *data_b, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((a[i] ^ b[i]) != (data_a[i] ^ data_b[i])) {
            return false;
        }
    }
    return true;
}

/* A command that seals, twice, with other data. */
struct write {
    const char *prepare;
    const char *first, *second; /* the commands */
    const char *data[2];        /* what they seal, then 00 */
    void (*sealed)(struct sealed *sealed);
};

/* Writes, with a cut at operation n; writes the other data instead. False: the cut comes behind the
 * command. *repeated: both were found, with one count. */
static bool tear_and_repeat(const struct write *write, uint32_t n, bool *repeated)
{
    uint8_t data[2][DATA_MAX] = {{0}}, torn[SEAL_FRESH + DATA_MAX];
    struct sealed first, second;

    *repeated = false;
    bench_bytes(write->data[0], data[0], DATA_MAX);
    bench_bytes(write->data[1], data[1], DATA_MAX);
    bench_expect(&bench, write->prepare, 0x9000, NULL);
    write->sealed(&first);
    sim_power_cut(&bench.power, n, SIM_ALL, n);
    (void)bench_hex(&bench, write->first);
    if (!bench.power.dead) {
        sim_power_cut(&bench.power, 0, SIM_ALL, n);
        return false;
    }
    const uint8_t *cells = find(&first, data[0]);
    if (cells != NULL) {
        memcpy(torn, cells, SEAL_FRESH + first.length);
    }
    bench_reset(&bench);
    bench_select(&bench);
    write->sealed(&second);
    if (cells == NULL || memcmp(&first, &second, sizeof first) != 0) {
        return true; /* it was not written yet, or it is there as a whole */
    }
    bench_expect(&bench, write->prepare, 0x9000, NULL);
    bench_expect(&bench, write->second, 0x9000, NULL);
    cells = find(&second, data[1]);
    assert_non_null(cells);
    assert_memory_not_equal(torn, cells, SEAL_FRESH);
    assert_false(
        same_stream(torn + SEAL_FRESH, cells + SEAL_FRESH, data[0], data[1], second.length));
    *repeated = true;
    return true;
}

static void check(const struct write *write)
{
    struct gate_snapshot before = {0};
    unsigned repetitions = 0;
    bool repeated;

    gate_snapshot_save(&bench, &before);
    for (uint32_t n = 1; tear_and_repeat(write, n, &repeated); n++) {
        repetitions += repeated;
        gate_snapshot_restore(&bench, &before);
    }
    gate_snapshot_free(&before);
    print_message("# sealed: %u writes repeated\n", repetitions);
    assert_true(repetitions != 0);
}

static int make(void **state)
{
    (void)state;
    bench_make(&bench, &bench_small);
    memcpy(storage_key, bench.secure.storage_key, sizeof storage_key);
    bench_session(&bench, 0x03);
    bench_expect_sm(&bench, "00A4040C 09 F05457494E434F5301", 0x9000, NULL);
    assert_int_equal(
        bench_create(&bench, true, "820101 83025110 80020064 850102 8C077B000000000000"), 0x9000);
    bench_select(&bench);
    return 0;
}

static int end(void **state)
{
    (void)state;
    bench_free(&bench);
    return 0;
}

static void a_secret(void **state)
{
    static const struct write write = {
        .prepare = "00200081 06 313233343536",
        .first = "00240081 0C 313233343536 313131313131",
        .second = "00240081 0C 313233343536 323232323232",
        .data = {"313131313131", "323232323232"},
        .sealed = pin_sealed,
    };

    (void)state;
    check(&write);
}

static void content(void **state)
{
    static const struct write write = {
        .prepare = "00A4020C 02 5110",
        .first = "00D60000 08 4141414141414141",
        .second = "00D60000 08 4242424242424242",
        .data = {"4141414141414141", "4242424242424242"},
        .sealed = chunk_sealed,
    };

    (void)state;
    check(&write);
}

/* Content that was written before, and is there still when the write is torn. */
static void content_anew(void **state)
{
    static const struct write write = {
        .prepare = "00A4020C 02 5110",
        .first = "00D60004 04 43434343",
        .second = "00D60004 04 44444444",
        .data = {"4747474743434343", "4747474744444444"},
        .sealed = chunk_sealed,
    };

    (void)state;
    bench_expect(&bench, "00A4020C 02 5110", 0x9000, NULL);
    bench_expect(&bench, "00D60000 08 4747474747474747", 0x9000, NULL);
    check(&write);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_secret, make, end),
        cmocka_unit_test_setup_teardown(content, make, end),
        cmocka_unit_test_setup_teardown(content_anew, make, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
