/* SPDX-License-Identifier: Apache-2.0
 *
 * CRYPT, SE, and KEY with the operations on key pairs over the gate: wrong lengths, operations,
 * channels and orders, each with its exact result and its cost in page programs (docs/formats.md,
 * "Calls").
 */
#include "vault_rig.h"

#include "card_table.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define C COS_GATE_CRYPT
#define E COS_GATE_SE
#define K COS_GATE_KEY
#define O COS_GATE_SM_OPEN
#define S COS_GATE_SM_SEAL

static struct bench bench;
static struct gate_rig rig;

static int make(void **state)
{
    static const struct vault_step keys[] = {
        {"P-256 84", O,
         "80E2E000 1D 8020 1A 830104 8409F05457494E434F5301 800105 C90100 CE0101 CB0100", COS_OK,
         NULL, 0},
        {"STORE DATA", K, "0200", COS_OK, NULL, VAULT_ANY},
        {"sealed", S, "00 9000", COS_OK, "9000", 0},
    };

    (void)state;
    vault_rig_make(&rig, &bench);
    vault_session(&rig);
    VAULT_STEPS(&rig, keys);
    return 0;
}

static int end(void **state)
{
    (void)state;
    bench_free(&bench);
    return 0;
}

static void key_pairs(void **state)
{
    static const struct vault_step steps[] = {
        {"no reference", K, "0500", COS_E_GATE_FORMAT, NULL, 0},
        {"too long", K, "0500 84 00", COS_E_GATE_FORMAT, NULL, 0},
        {"no such channel", K, "0504 84", COS_E_GATE_FORMAT, NULL, 0},
        {"PUBLIC, no reference", K, "0600", COS_E_GATE_FORMAT, NULL, 0},
        {"PUBLIC, too long", K, "0600 84 00", COS_E_GATE_FORMAT, NULL, 0},
        {"no operation 7", K, "0700 84", COS_E_GATE_FORMAT, NULL, 0},
        {"no operation 0", K, "0000 84", COS_E_GATE_FORMAT, NULL, 0},
        {"not made yet", K, "0600 84", COS_E_NOT_USABLE, NULL, 0},
        {"no such key", K, "0500 8C", COS_E_REFERENCE_NOT_FOUND, NULL, 0},
        {"not a reference", K, "0500 E4", COS_E_REFERENCE_NOT_FOUND, NULL, 0},
        {"symmetric", K, "0500 82", COS_E_CONDITIONS, NULL, 0},
        /* 97 bytes in two chunks of one page, the entry */
        {"made", K, "0500 84", COS_OK, NULL, 2},
        {"read", K, "0600 84", COS_OK, NULL, 0},
        /* those and the old chunks, which become 00 */
        {"made again", K, "0500 84", COS_OK, NULL, 3},
    };
    (void)state;
    VAULT_STEPS(&rig, steps);
}

static void environments(void **state)
{
    static const struct vault_step steps[] = {
        {"too short", E, "0100", COS_E_GATE_FORMAT, NULL, 0},
        {"SET without template", E, "0100 C1", COS_E_GATE_FORMAT, NULL, 0},
        {"no such channel", E, "0104 C1B6 840184", COS_E_GATE_FORMAT, NULL, 0},
        {"SET", E, "0100 C1B6 840184", COS_OK, "", 0},
        {"no operation 0", E, "0000 01", COS_E_GATE_FORMAT, NULL, 0},
        {"no operation 5", E, "0500 01", COS_E_GATE_FORMAT, NULL, 0},
        {"STORE too long", E, "0200 01 00", COS_E_GATE_FORMAT, NULL, 0},
        {"RESTORE too long", E, "0300 01 00", COS_E_GATE_FORMAT, NULL, 0},
        {"ERASE too long", E, "0400 01 00", COS_E_GATE_FORMAT, NULL, 0},
        {"STORE by nobody", E, "0200 01", COS_E_SECURITY_STATUS, NULL, 0},
        {"ERASE by nobody", E, "0400 01", COS_E_SECURITY_STATUS, NULL, 0},
    };
    (void)state;
    VAULT_STEPS(&rig, steps);
    vault_session(&rig);
    static const struct vault_step issuer[] = {
        {"SET", O, "0022C1B6 03 840184", COS_OK, NULL, 0},
        {"SET", E, "0100 C1B6 840184", COS_OK, "", 0},
        {"of another template", E, "0100 C1B8 840184", COS_E_CONDITIONS, NULL, 0},
        {"of more", E, "0100 C1B6 840184 00", COS_E_CONDITIONS, NULL, 0},
        {"STORE", E, "0200 02", COS_E_CONDITIONS, NULL, 0},
        {"sealed", S, "00 9000", COS_OK, "9000", 0},
        {"STORE 2", O, "0022F202", COS_OK, NULL, 0},
        {"STORE 3", E, "0200 03", COS_E_CONDITIONS, NULL, 0},
        {"ERASE 2", E, "0400 02", COS_E_CONDITIONS, NULL, 0},
        {"RESTORE 0", E, "0300 00", COS_E_CONDITIONS, NULL, 0},
        {"STORE 2", E, "0200 02", COS_OK, "", 2},
        {"sealed", S, "00 9000", COS_OK, "9000", 0},
        {"ERASE 2", O, "0022F402", COS_OK, NULL, 0},
        {"ERASE 2", E, "0400 02", COS_OK, "", 2},
        {"ERASE 2, which is done", E, "0400 02", COS_E_CONDITIONS, NULL, 0},
        {"sealed", S, "00 9000", COS_OK, "9000", 0},
        {"ERASE 2", O, "0022F402", COS_OK, NULL, 0},
        {"ERASE 2", E, "0400 02", COS_E_REFERENCE_NOT_FOUND, NULL, 0},
    };
    VAULT_STEPS(&rig, issuer);
}

static void operations(void **state)
{
    static const struct vault_step steps[] = {
        {"made", K, "0500 84", COS_OK, NULL, 2},
        {"too short", C, "0100 9E", COS_E_GATE_FORMAT, NULL, 0},
        {"no operation 0", C, "0000 9E9A", COS_E_GATE_FORMAT, NULL, 0},
        {"no operation 2", C, "0200 9E9A", COS_E_GATE_FORMAT, NULL, 0},
        {"no such channel", C, "0104 9E9A", COS_E_GATE_FORMAT, NULL, 0},
        {"no such P1-P2", C, "0100 9A9E", COS_E_P1_P2, NULL, 0},
        {"nothing is set", C, "0100 9E9A 0102030405060708090A0B0C0D0E0F1011121314",
         COS_E_CONDITIONS, NULL, 0},
        {"SET", E, "0100 C1B6 840184", COS_OK, "", 0},
        {"sign", C, "0100 9E9A 0102030405060708090A0B0C0D0E0F1011121314", COS_OK, NULL, 0},
        {"too short a digest", C, "0100 9E9A 0102030405060708090A0B0C0D0E0F10111213", COS_E_LENGTH,
         NULL, 0},
        {"hashes need a function", C, "0100 9080 616263", COS_E_CONDITIONS, NULL, 0},
        {"SET SHA-1", E, "0100 41AA 800110", COS_OK, "", 0},
        {"hash", C, "0100 9080 616263", COS_OK, "A9993E364706816ABA3E25717850C26C9CD0D89D", 0},
        {"sign it", C, "0100 9E9A", COS_OK, NULL, 0},
        {"once", C, "0100 9E9A", COS_E_CONDITIONS, NULL, 0},
        {"hash", C, "0100 9080 616263", COS_OK, "A9993E364706816ABA3E25717850C26C9CD0D89D", 0},
        {"another call", E, "0100 41AA 800110", COS_OK, "", 0},
        {"sign it", C, "0100 9E9A", COS_E_CONDITIONS, NULL, 0},
        {"hash", C, "0100 9080 616263", COS_OK, "A9993E364706816ABA3E25717850C26C9CD0D89D", 0},
        {"no such P1-P2", C, "0100 9A9E", COS_E_P1_P2, NULL, 0},
        {"sign it", C, "0100 9E9A", COS_E_CONDITIONS, NULL, 0},
    };
    (void)state;
    VAULT_STEPS(&rig, steps);
}

#define CALLS_TEST(function) cmocka_unit_test_setup_teardown(function, make, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CALLS_TEST(key_pairs),
        CALLS_TEST(environments),
        CALLS_TEST(operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
