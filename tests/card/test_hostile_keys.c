/* SPDX-License-Identifier: Apache-2.0
 *
 * The app chip was taken over, and wants signatures: it asks for every operation with every key
 * pair, alone and in the middle of what the issuer does under secure messaging. After each call the
 * card's memory is searched for the private keys. What it prints in lines with '#' is for people.
 *
 * Keys of the access application: 86 P-256, signs after PIN 1, the issuer generates it; 87 P-256,
 * signs under secure messaging; 88 AES, makes checksums under secure messaging.
 */
#include "crypt_rig.h"
#include "gate_model.h"
#include "gate_rig.h"
#include "hunt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { VARIATIONS = 12000, VARIATIONS_OPEN = 4000, RESTORE_EVERY = 40 };

static const uint8_t digest[20] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                   11, 12, 13, 14, 15, 16, 17, 18, 19, 20};
static const uint8_t template[] = {0xB6, 3, 0x84, 1, 0x86};

static struct bench bench;
static struct gate_rig rig;
static struct gate_snapshot card;
static struct gate_model model;
static struct hunt hunt;
static EVP_PKEY *public_86;
static bool secured; /* a command of the issuer is open */
static unsigned long calls;

/* ---- The card ---- */

static void learn_private_key(uint8_t reference)
{
    struct object key;

    assert_int_equal(cos_status_find(&bench.secure, 0, reference, OBJECT_KEY, &key), COS_OK);
    assert_int_equal(cos_material_load(&bench.secure, &key), COS_OK);
    hunt_secret(&hunt, "private key", cos_material_ec(&bench.secure, &key), 32);
    cos_material_wipe(&bench.secure);
}

static int make(void **state)
{
    (void)state;
    bench_make(&bench, &bench_small);
    bench_session(&bench, 0x03);
    bench_expect_sm(&bench, BENCH_APPLICATION, 0x9000, NULL);
    assert_int_equal(crypt_store(&bench, 6, OF_APPLICATION " 800105 C90100 CE0101 C50191 CB01C0"),
                     0x9000);
    assert_int_equal(crypt_store(&bench, 7, OF_APPLICATION " 800105 C90100 CE0101 C501C0 CB01C0"),
                     0x9000);
    assert_int_equal(crypt_store(&bench, 8,
                                 OF_APPLICATION " 800101 CE0130 C501C0 "
                                                "C710 5B1F00A6D2E39C4877B06148CE25FA93"),
                     0x9000);
    assert_int_equal(bench_sm_hex(&bench, "00478000 05 B603840187"), 0x9000);
    assert_int_equal(bench_sm_hex(&bench, "00478000 05 B603840186"), 0x9000);
    public_86 = crypt_take_ec(&bench, COS_P256);
    bench_reset(&bench);
    bench_select(&bench);
    learn_private_key(0x86);
    learn_private_key(0x87);
    hunt_secret(&hunt, "checksum key",
                "\x5B\x1F\x00\xA6\xD2\xE3\x9C\x48\x77\xB0\x61\x48\xCE\x25\xFA\x93", 16);
    hunt_secret(&hunt, "storage key", bench.secure.storage_key, 32);
    gate_snapshot_save(&bench, &card);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    EVP_PKEY_free(public_86);
    bench_free(&bench);
    gate_snapshot_free(&card);
    hunt_free(&hunt);
    return 0;
}

static void again(const struct gate_snapshot *snapshot)
{
    gate_snapshot_restore(&bench, snapshot);
    gate_rig_take(&rig, &bench);
    gate_model_take(&bench, &model);
}

/* ---- What must not be seen ---- */

/* In neither chip, but for the storage key in the security chip's own memory. */
static void search(void)
{
    static const uint8_t zeros[BENCH_KEY_MEMORY];
    struct cos_secure secure = bench.secure;

    memset(secure.storage_key, 0, sizeof secure.storage_key);
    assert_memory_equal(bench.key_memory, zeros, sizeof zeros);
    const char *found = hunt_find(&hunt, (const uint8_t *)&secure, sizeof secure);
    found = found != NULL ? found : hunt_find(&hunt, rig.body, rig.length);
    found = found != NULL ? found : hunt_find(&hunt, rig.last.bytes, rig.last.length);
    found = found != NULL ? found : hunt_find(&hunt, (const uint8_t *)&bench.app, sizeof bench.app);
    if (found != NULL) {
        fail_msg("the %s was seen", found);
    }
}

static void search_nvm(void)
{
    assert_null(hunt_find(&hunt, bench.app_nvm.cells, bench.app_nvm.nvm.geometry.size));
    for (size_t i = 0; i < hunt.count; i++) {
        const bool there = card_nvm_contains(&bench.secure_nvm, hunt.secrets[i].bytes, 8);
        assert_int_equal(there, strcmp(hunt.secrets[i].name, "storage key") == 0);
    }
}

/* ---- Asking ---- */

static int ask(uint8_t opcode, const uint8_t *message, size_t length)
{
    calls++;
    if (!gate_rig_call(&rig, opcode, message, length)) {
        fail_msg("call %02X was not answered", opcode);
    }
    const char *broken = gate_model_broken(&bench, &model, secured && bench.secure.in_sm);
    if (broken != NULL || bench.secure.alive != COS_YES) {
        fail_msg("call %02X (%02X %02X %02X %02X, %zu bytes): %s", opcode, message[0], message[1],
                 message[2], message[3], length, broken != NULL ? broken : "the chip went mute");
    }
    search();
    return rig.result;
}

static const uint16_t operations[] = {0x9E9A, 0x00A8, 0x9080, 0x90A0, 0x8082, 0x8084,
                                      0x8086, 0x8280, 0x8480, 0x8680, 0x8E80, 0x00A2};
static const uint8_t templates[] = {0xA4, 0xA6, 0xAA, 0xB4, 0xB6, 0xB8};

static int set(uint8_t reference)
{
    uint8_t message[] = {COS_SE_SET, 0, 0xC1, 0, 0x84, 1, reference};
    int result = COS_OK;

    for (size_t i = 0; i < CARD_COUNT(templates); i++) {
        message[3] = templates[i];
        result = ask(COS_GATE_SE, message, sizeof message);
    }
    return result;
}

static int pso(uint16_t p1p2, const uint8_t *data, size_t length)
{
    uint8_t message[64] = {COS_CRYPT_PSO, 0, (uint8_t)(p1p2 >> 8), (uint8_t)p1p2};

    memcpy(message + 4, data, length);
    return ask(COS_GATE_CRYPT, message, 4 + length);
}

/* What is a decision, and does not depend on a key's secret: hashes. */
static bool is_hash(uint16_t p1p2)
{
    return p1p2 >> 8 == 0x90;
}

static void every_operation_with_every_reference(void)
{
    static const uint8_t mac[] = {0x80, 1, 0, 0x8E, 4, 1, 2, 3, 4};

    for (unsigned reference = 0; reference <= 0xFF; reference++) {
        const uint8_t generate[] = {COS_KEY_GENERATE, 0, (uint8_t)reference};
        const uint8_t public[] = {COS_KEY_PUBLIC, 0, (uint8_t)reference};
        (void)set((uint8_t)reference);
        for (size_t i = 0; i < CARD_COUNT(operations); i++) {
            const int results[] = {pso(operations[i], digest, 0), pso(operations[i], digest, 20),
                                   pso(operations[i], mac, sizeof mac)};
            for (size_t j = 0; j < CARD_COUNT(results); j++) {
                assert_true(is_hash(operations[i]) || results[j] != COS_OK);
            }
        }
        assert_int_not_equal(ask(COS_GATE_KEY, generate, sizeof generate), COS_OK);
        const int read = ask(COS_GATE_KEY, public, sizeof public);
        assert_int_equal(read == COS_OK, reference == 0x86 || reference == 0x87);
    }
    for (unsigned number = 0; number <= 0xFF; number++) {
        const uint8_t store[] = {COS_SE_STORE, 0, (uint8_t)number};
        const uint8_t erase[] = {COS_SE_ERASE, 0, (uint8_t)number};
        assert_int_not_equal(ask(COS_GATE_SE, store, sizeof store), COS_OK);
        assert_int_not_equal(ask(COS_GATE_SE, erase, sizeof erase), COS_OK);
    }
}

/* A random request, most of it sensible. */
static uint8_t vary(uint64_t *seed, uint8_t message[64], size_t *length)
{
    static const uint8_t opcodes[] = {COS_GATE_CRYPT, COS_GATE_CRYPT, COS_GATE_SE, COS_GATE_KEY,
                                      COS_GATE_AUTH};
    static const uint8_t references[] = {0x86, 0x87, 0x88, 0x81, 0x06, 0x01, 0x00, 0xFF};
    const uint8_t opcode = opcodes[sim_below(seed, CARD_COUNT(opcodes))];
    const uint16_t p1p2 = operations[sim_below(seed, CARD_COUNT(operations))];
    const uint8_t reference = references[sim_below(seed, CARD_COUNT(references))];
    const uint8_t object[] = {(uint8_t)(sim_below(seed, 2) == 0 ? 0x80 : 0x83), 1, reference};

    for (size_t i = 0; i < 64; i++) {
        message[i] = (uint8_t)sim_random(seed);
    }
    message[0] = (uint8_t)sim_below(seed, 8);
    message[1] = (uint8_t)(sim_below(seed, 16) == 0);
    message[2] = opcode == COS_GATE_CRYPT ? (uint8_t)(p1p2 >> 8) : reference;
    message[3] = (uint8_t)p1p2;
    *length = 4 + sim_below(seed, 60);
    if (opcode == COS_GATE_SE) {
        message[2] = (uint8_t)(sim_below(seed, 4) << 6 | 1);
        message[3] = templates[sim_below(seed, CARD_COUNT(templates))];
        memcpy(message + 4, object, sizeof object);
        *length = sim_below(seed, 3) == 0 ? 3 : 7;
    } else if (opcode == COS_GATE_KEY) {
        *length = 3 + sim_below(seed, 2);
    } else if (sim_below(seed, 2) == 0) {
        message[0] = COS_CRYPT_PSO;
        memcpy(message + 4, digest, sizeof digest);
        *length = 4 + sizeof digest;
    }
    return opcode;
}

/* Whether the call is what the open command asks for. */
static bool is_wished(uint8_t opcode, const uint8_t *message, size_t length)
{
    const struct cos_held *open = &bench.secure.held;

    if (!bench.secure.in_sm) {
        return false;
    }
    return (opcode == COS_GATE_KEY && message[0] == COS_KEY_GENERATE && length == 3 &&
            open->ins == 0x47 && message[2] == template[4]) ||
           (opcode == COS_GATE_SE && message[0] == COS_SE_STORE && length == 3 &&
            open->ins == 0x22 && open->p1 == 0xF2 && message[2] == open->p2);
}

static void ask_variations(const struct gate_snapshot *snapshot, unsigned count, uint64_t seed)
{
    uint8_t message[64];
    size_t length;

    for (unsigned i = 0; i < count; i++) {
        if (i % RESTORE_EVERY == 0) {
            again(snapshot);
        }
        const uint8_t opcode = vary(&seed, message, &length);
        if (!is_wished(opcode, message, length)) {
            (void)ask(opcode, message, length);
        }
    }
}

static void nobody_authenticated(void **state)
{
    (void)state;
    secured = false;
    calls = 0;
    again(&card);
    every_operation_with_every_reference();
    ask_variations(&card, VARIATIONS, 0x5349474E);
    search_nvm();
    print_message("# hostile app chip, nobody authenticated: %lu calls for signatures, checksums, "
                  "key pairs and environments; none was made, nothing was written, key memory was "
                  "wiped after each\n",
                  calls);
}

/* ---- In the middle of a command of the issuer's ---- */

/* The issuer has set key 86 and verified PIN 1, then has this command opened. */
static void open_command(struct gate_snapshot *opened, uint8_t ins, uint8_t p1, uint8_t p2,
                         const uint8_t *data, size_t length, bool with_pin)
{
    const struct command command = {0x00, ins, p1, p2, data, length, 0};
    uint8_t message[1 + BYTES_MAX] = {0};
    struct bytes apdu = {0};
    struct cos_span body;

    gate_snapshot_restore(&bench, &card);
    bench_session(&bench, 0x03);
    bench_expect_sm(&bench, "0022C1B6 06 800103 840186", 0x9000, NULL);
    if (with_pin) {
        bench_expect_sm(&bench, "00200081 06 313233343536", 0x9000, NULL);
    }
    assert_true(scp03_wrap(&bench.scp03, &command, &apdu));
    memcpy(message + 1, apdu.data, apdu.length);
    const struct cos_span part = {message, 1 + apdu.length};
    assert_int_equal(cos_gate_call(&bench.app.gate, COS_GATE_SM_OPEN, &part, 1, &body), COS_OK);
    assert_true(bench.secure.in_sm);
    gate_snapshot_save(&bench, opened);
}

static void commands_of_the_issuer_are_bound(void **state)
{
    static struct gate_snapshot opened;
    static const struct {
        uint8_t ins, p1, p2;
        size_t length; /* of the digest; 0: of the template */
    } commands[] = {
        {0xB0, 0x81, 0x00, 20}, {0x2A, 0x9E, 0x9A, 20}, {0x2A, 0x8E, 0x80, 20},
        {0x22, 0xC1, 0xB6, 3},  {0x22, 0xF2, 0x02, 0},  {0x47, 0x80, 0x00, 0},
        {0x47, 0x81, 0x00, 0},  {0xCA, 0x00, 0xE0, 20},
    };

    (void)state;
    secured = true;
    calls = 0;
    for (size_t i = 0; i < CARD_COUNT(commands); i++) {
        const bool short_data = commands[i].length == 0;
        open_command(&opened, commands[i].ins, commands[i].p1, commands[i].p2,
                     short_data ? template : digest,
                     short_data ? sizeof template : commands[i].length, false);
        ask_variations(&opened, VARIATIONS_OPEN, 0x4D4944 + i);
        search_nvm();
    }
    gate_snapshot_free(&opened);
    print_message("# the same with %zu commands of the issuer's left open: %lu calls; no key pair "
                  "was made or replaced, no environment stored\n",
                  CARD_COUNT(commands), calls);
}

/* Asked for in the middle of the open command; what it is for must be right to the byte. */
static int sign_now(uint16_t p1p2, const uint8_t *data, size_t length)
{
    uint8_t message[24] = {COS_CRYPT_PSO, 0, (uint8_t)(p1p2 >> 8), (uint8_t)p1p2};

    memcpy(message + 4, data, length);
    assert_true(gate_rig_call(&rig, COS_GATE_CRYPT, message, 4 + length));
    return rig.result;
}

static void a_signature_is_for_the_data_of_the_open_command(void **state)
{
    static struct gate_snapshot opened;
    static const struct {
        uint8_t opcode;
        size_t length;
        uint8_t message[7];
    } others[] = {
        {COS_GATE_SE, 7, {COS_SE_SET, 0, 0xC1, 0xB6, 0x84, 1, 0x87}},
        {COS_GATE_SE, 3, {COS_SE_RESTORE, 0, 0}},
        {COS_GATE_KEY, 3, {COS_KEY_GENERATE, 0, 0x86}},
        {COS_GATE_KEY, 4, {COS_KEY_DELETE, 0, 0x86, 0}},
    };
    uint8_t other[sizeof digest];

    (void)state;
    open_command(&opened, 0x2A, 0x9E, 0x9A, digest, sizeof digest, true);
    gate_rig_take(&rig, &bench);
    for (size_t i = 0; i < sizeof digest; i++) {
        memcpy(other, digest, sizeof other);
        other[i] ^= 0x80;
        assert_int_equal(sign_now(0x9E9A, other, sizeof other), COS_E_CONDITIONS);
        assert_int_equal(sign_now(0x9E9A, digest, i), COS_E_CONDITIONS);
    }
    for (size_t i = 1; i < CARD_COUNT(operations); i++) {
        assert_int_equal(sign_now(operations[i], digest, sizeof digest), COS_E_CONDITIONS);
    }
    for (size_t i = 0; i < CARD_COUNT(others); i++) {
        assert_true(gate_rig_call(&rig, others[i].opcode, others[i].message, others[i].length));
        assert_int_equal(rig.result, COS_E_CONDITIONS);
    }
    assert_int_equal(sign_now(0x9E9A, digest, sizeof digest), COS_OK);
    assert_true(oracle_ec_verify(public_86, COS_P256, digest, sizeof digest, rig.body));
    gate_snapshot_free(&opened);
}

/* Only the key pair that the command names. */
static void generating_is_for_the_key_of_the_open_command(void **state)
{
    static struct gate_snapshot opened;

    (void)state;
    open_command(&opened, 0x47, 0x80, 0x00, template, sizeof template, false);
    gate_rig_take(&rig, &bench);
    for (unsigned reference = 0; reference <= 0xFF; reference++) {
        const uint8_t message[] = {COS_KEY_GENERATE, 0, (uint8_t)reference};
        if (reference != 0x86) {
            assert_true(gate_rig_call(&rig, COS_GATE_KEY, message, sizeof message));
            assert_int_equal(rig.result, COS_E_CONDITIONS);
        }
    }
    const uint8_t message[] = {COS_KEY_GENERATE, 0, 0x86};
    assert_true(gate_rig_call(&rig, COS_GATE_KEY, message, sizeof message));
    assert_int_equal(rig.result, COS_OK);
    gate_snapshot_free(&opened);
}

/* What is honest leaves nothing behind either. */
static void an_honest_card_wipes_key_memory(void **state)
{
    static const char *const commands[] = {
        "00200081 06 313233343536", "002A9E9A 14 0102030405060708090A0B0C0D0E0F1011121314",
        "002A9E9A 04 01020304",     "00478100 05 B603840186",
        "00478100 05 B603840187",   "00478000 05 B603840187",
        "002A8E80 03 010203",
    };

    (void)state;
    gate_snapshot_restore(&bench, &card);
    bench_session(&bench, 0x03);
    bench_expect_sm(&bench, "0022C1B6 06 800103 840186", 0x9000, NULL);
    bench_expect_sm(&bench, "0022C1B4 03 840188", 0x9000, NULL);
    for (size_t i = 0; i < CARD_COUNT(commands); i++) {
        assert_int_equal(bench_sm_hex(&bench, commands[i]), i == 2 ? 0x6700 : 0x9000);
        search();
    }
    learn_private_key(0x87); /* the new one */
    search();
    search_nvm();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_authenticated),
        cmocka_unit_test(commands_of_the_issuer_are_bound),
        cmocka_unit_test(a_signature_is_for_the_data_of_the_open_command),
        cmocka_unit_test(generating_is_for_the_key_of_the_open_command),
        cmocka_unit_test(an_honest_card_wipes_key_memory),
    };

    return cmocka_run_group_tests(tests, make, unmake);
}
