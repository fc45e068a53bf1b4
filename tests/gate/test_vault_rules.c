/* SPDX-License-Identifier: Apache-2.0
 *
 * Who gets at vault files when the app chip is an enemy: rules of each kind, PINs of other
 * applications, and calls that the open command has not asked for.
 */
#include "vault_rig.h"

#include "card_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define V COS_GATE_VAULT
#define O COS_GATE_SM_OPEN
#define S COS_GATE_SM_SEAL

/* PIN 1 of the bench's application, and the application itself. */
#define PIN      "01 00 81 00 313233343536"
#define BIND     "01 00 F05457494E434F5301"
#define BIND_NO  "01 00"
#define BIND_ALT "01 00 F05457494E434F5302"
#define BIND_NEW "01 00 F05457494E434F5303"

static struct bench bench;
static struct gate_rig rig;

/* A second application, which has a PIN 1 of its own. */
static int make(void **state)
{
    (void)state;
    bench_make(&bench, &bench_host);
    bench_session(&bench, 0x03);
    assert_int_equal(bench_sm_hex(&bench, "00A40000 02 3F00"), 0x9000);
    assert_int_equal(
        bench_create(&bench, true, "82023821 83025200 8409F05457494E434F5302 8C0202C0"), 0x9000);
    assert_int_equal(bench_store(&bench, "8010 14 830101 8409F05457494E434F5302 C70439393939"),
                     0x9000);
    bench_select(&bench);
    gate_rig_take(&rig, &bench);
    vault_session(&rig);
    return 0;
}

static int end(void **state)
{
    (void)state;
    bench_free(&bench);
    return 0;
}

/* ---- Rules ---- */

enum { READ = 1, UPDATE = 2, DEACTIVATE = 4, TERMINATE = 8, DELETE = 16, WRITE = 32 };

/* What may be done under a rule: by a stranger, after PIN 1, under the issuer's secure messaging.
 */
static const struct {
    const char *rule;
    unsigned stranger, holder, issuer;
} rules[] = {
    {"8C03 03 00 00", READ | UPDATE, READ | UPDATE, READ | UPDATE},
    {"8C03 03 FF FF", 0, 0, 0},
    {"8C03 03 FF 00", READ, READ, READ},
    {"8C03 03 91 91", 0, READ | UPDATE, 0},
    {"8C03 03 C0 90", 0, READ, UPDATE},
    {"8C02 01 90", 0, READ, 0},
    {"8C02 01 91", 0, READ, 0},
    {"8C02 01 92", 0, 0, 0}, /* another PIN */
    {"8C02 01 A3", 0, 0, 0}, /* a key */
    {"8C02 01 D1", 0, 0, 0}, /* PIN and secure messaging: the PIN's command ended it */
    {"8C02 01 51", 0, READ, READ},
    {"8C05 69 00 FF C0 90", DELETE, DELETE | READ, DELETE | DEACTIVATE},
    {"8C02 20 00", TERMINATE, TERMINATE, TERMINATE},
    {"8C02 40 91", 0, DELETE, 0},
    {"8C02 04 00", WRITE, WRITE, WRITE},
    {"8C04 07 91 C0 FF", 0, WRITE, UPDATE},
    {"AB06 800104 9E0191", 0, WRITE, 0},
    {"AB05 800101 9000", READ, READ, READ},
    {"AB05 800101 9700", 0, 0, 0},
    {"AB06 800103 9E0191", 0, READ | UPDATE, 0},
    {"AB0C 800101 9E0191 800142 9E01C0", 0, READ, UPDATE | DELETE},
    {"AB0A 800101 A005 9E0191 9700", 0, READ, 0},   /* or */
    {"AB0A 800101 AF05 9E0191 9000", 0, READ, 0},   /* and */
    {"AB0A 800101 AF05 9E0191 9700", 0, 0, 0},      /* and never */
    {"AB08 800101 A703 9E0191", READ, 0, READ},     /* not */
    {"AB0B 800101 A406 830181 950108", 0, READ, 0}, /* PIN 1 by reference */
    {"AB0B 800101 A406 830182 950108", 0, 0, 0},    /* PIN 2 */
};

struct operation {
    unsigned bit;
    const char *command, *request;
};
static const struct operation operations[] = {
    {READ, "00B00000 01 00", "0300 %04X 0000 0001"},
    {UPDATE, "00D60000 01 11", "0400 %04X 0000 01 11"},
    {DEACTIVATE, "00040000 01 00", "0500 %04X 04"},
    {TERMINATE, "00E80000 01 00", "0500 %04X 0C"},
    {WRITE, "00D00000 01 11", "0700 %04X 0000 11"},
    {DELETE, "00E40000 01 00", "0200 00000000 00 %04X"},
};

static void try_operation(unsigned number, const char *rule, const struct operation *operation,
                          unsigned allowed, bool secured)
{
    struct gate_snapshot before = {0};
    char text[64];

    gate_snapshot_save(&bench, &before);
    const uint32_t sequence = rig.sequence;
    (void)snprintf(text, sizeof text, operation->request, number);
    if (secured) {
        assert_int_equal(vault_open(&rig, operation->command), COS_OK);
    }
    const uint64_t written = bench.power.operations;
    const int expected = (allowed & operation->bit) != 0 ? COS_OK : COS_E_SECURITY_STATUS;
    if (vault_call(&rig, V, text) != expected ||
        (expected != COS_OK && bench.power.operations != written)) {
        fail_msg("%s, %s%s: %d", rule, text, secured ? " under secure messaging" : "", rig.result);
    }
    gate_snapshot_restore(&bench, &before);
    gate_snapshot_free(&before);
    rig.sequence = sequence;
}

static void rules_are_decided_in_the_security_chip(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct gate_snapshot fresh = {0};
        gate_snapshot_save(&bench, &fresh);
        const uint32_t sequence = rig.sequence;
        const unsigned number = vault_create(&rig, 8, rules[i].rule);
        assert_int_equal(number, 1);
        for (size_t o = 0; o < sizeof operations / sizeof operations[0]; o++) {
            try_operation(number, rules[i].rule, &operations[o], rules[i].issuer, true);
            try_operation(number, rules[i].rule, &operations[o], rules[i].stranger, false);
        }
        assert_int_equal(vault_call(&rig, COS_GATE_PIN, PIN), COS_OK);
        for (size_t o = 0; o < sizeof operations / sizeof operations[0]; o++) {
            try_operation(number, rules[i].rule, &operations[o], rules[i].holder, false);
        }
        gate_snapshot_restore(&bench, &fresh);
        gate_snapshot_free(&fresh);
        rig.sequence = sequence;
    }
}

/* PIN 1 means the one of the application that the file was created in. */
static void another_applications_pin_is_another_pin(void **state)
{
    static const struct vault_step steps[] = {
        {"of no application", COS_GATE_CONTEXT, BIND_NO, COS_OK, "00", 0},
        {"read", V, "0300 0001 0000 0001", COS_E_SECURITY_STATUS, NULL, 0},
        {"of another application", COS_GATE_CONTEXT, BIND_ALT, COS_OK, NULL, 0},
        {"whose PIN is verified", COS_GATE_PIN, "01 00 81 00 39393939", COS_OK, NULL, VAULT_ANY},
        {"read", V, "0300 0001 0000 0001", COS_E_SECURITY_STATUS, NULL, 0},
        {"updated", V, "0400 0001 0000 01 11", COS_E_SECURITY_STATUS, NULL, 0},
        {"deleted", V, "0200 NNNNNNNN 00 0001", COS_E_SECURITY_STATUS, NULL, 0},
        {"that with number 0", V, "0300 0002 0000 0001", COS_E_SECURITY_STATUS, NULL, 0},
        {"what needs no PIN", V, "0300 0003 0000 0001", COS_OK, "00", 0},
        {"back", COS_GATE_CONTEXT, BIND, COS_OK, NULL, 0},
        {"read", V, "0300 0001 0000 0001", COS_E_SECURITY_STATUS, NULL, 0},
        {"its own PIN", COS_GATE_PIN, PIN, COS_OK, NULL, VAULT_ANY},
        {"read", V, "0300 0001 0000 0001", COS_OK, "00", 0},
        {"that with number 0", V, "0300 0002 0000 0001", COS_OK, "00", 0},
        {"away", COS_GATE_CONTEXT, BIND_NO, COS_OK, "00", 0},
        {"read", V, "0300 0001 0000 0001", COS_E_SECURITY_STATUS, NULL, 0},
    };
    (void)state;
    assert_int_equal(vault_create(&rig, 8, "8C04 43 91 91 91"), 1);
    assert_int_equal(vault_create(&rig, 8, "8C02 01 90"), 2);
    assert_int_equal(vault_create(&rig, 8, "8C02 01 00"), 3);
    VAULT_STEPS(&rig, steps);
}

/* Asking does not change what the channel is bound to, or what was verified. */
static void asking_leaves_the_status_alone(void **state)
{
    static const struct vault_step steps[] = {
        {"another application", COS_GATE_CONTEXT, BIND_ALT, COS_OK, NULL, 0},
        {"its PIN", COS_GATE_PIN, "01 00 81 00 39393939", COS_OK, NULL, VAULT_ANY},
        {"a file of the first one", V, "0300 0001 0000 0001", COS_E_SECURITY_STATUS, NULL, 0},
        {"the PIN is verified still", COS_GATE_PIN, "02 00 81 00", COS_OK, NULL, 0},
    };
    (void)state;
    assert_int_equal(vault_create(&rig, 8, "8C02 01 91"), 1);
    VAULT_STEPS(&rig, steps);
}

/* The rule and the status are those of the command that the issuer has sent. */
static void the_app_chip_cannot_choose_the_rule(void **state)
{
    (void)state;
    assert_int_equal(vault_create(&rig, 8, "8C02 02 C0"), 1);
    assert_int_equal(vault_open(&rig, "00D60000 01 55"), COS_OK);
    assert_int_equal(vault_call(&rig, V, "0400 0001 0000 01 55"), COS_OK);
    /* No call of any length brings another rule: CREATE has no field for it. */
    assert_int_equal(vault_open(&rig, "00E00000 13 6211 82020121 80020008 850102 8C0443C00000"),
                     COS_OK);
    assert_int_equal(vault_call(&rig, V, "0100 NNNNNNNN 0008 8C020100"), COS_E_GATE_FORMAT);
    assert_int_equal(vault_call(&rig, COS_GATE_SM_SEAL, "00 9000"), COS_OK);
    assert_int_equal(vault_call(&rig, V, "0300 0001 0000 0001"), COS_E_SECURITY_STATUS);
}

/* Nor the application, whose PINs the rule means: that of a new DF is the one that its name says.
 */
static void the_app_chip_cannot_choose_the_application_of_a_new_df(void **state)
{
    static const struct {
        const char *what, *fcp, *bind;
        int result;
    } cases[] = {
        {"another name", "82013883025300 8409F05457494E434F5303", BIND_ALT, COS_E_CONDITIONS},
        {"no name", "82013883025300 8409F05457494E434F5303", BIND_NO, COS_E_CONDITIONS},
        {"its name", "82013883025300 8409F05457494E434F5303", BIND_NEW, COS_OK},
        {"longer than its name", "82013883025300 8408F05457494E434F53", BIND_NEW, COS_E_CONDITIONS},
        {"not its first name", "82013883025300 840180 8409F05457494E434F5303", BIND_NEW,
         COS_E_CONDITIONS},
        {"a DF without a name", "82013883025300", BIND_ALT, COS_E_CONDITIONS},
        {"that leaves it", "82013883025300", BIND_NO, COS_E_CONDITIONS},
        {"that stays", "82013883025300", BIND, COS_OK},
        {"an EF", "82012183025300 80020008", BIND_ALT, COS_E_CONDITIONS},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t fcp[64];
        char command[128];
        const unsigned length = (unsigned)bench_bytes(cases[i].fcp, fcp, sizeof fcp);
        assert_int_equal(vault_call(&rig, COS_GATE_CONTEXT, BIND), COS_OK);
        vault_session(&rig);
        (void)snprintf(command, sizeof command, "00E00000 %02X 62%02X %s", length + 2, length,
                       cases[i].fcp);
        assert_int_equal(vault_open(&rig, command), COS_OK);
        if (vault_call(&rig, COS_GATE_CONTEXT, cases[i].bind) != cases[i].result) {
            fail_msg("%s: %d", cases[i].what, rig.result);
        }
        assert_int_equal(vault_call(&rig, COS_GATE_SM_SEAL, "00 9000"), COS_OK);
    }
}

/* ---- What the open command has asked for ---- */

/* Under secure messaging each operation belongs to some commands, and to no other. */
static void operations_are_bound_to_their_commands(void **state)
{
    static const struct {
        const char *request;
        uint8_t instructions[14];
    } bound[] = {
        {"0100 00000000 0008", {0xE0}},
        {"0200 00000000 00 0001", {0xE4}},
        {"0300 0001 0000 0001", {0xB0, 0xB1, 0xB2, 0xB3, 0xA0, 0xA1, 0xA2}},
        {"0400 0001 0000 01 11", {0xD6, 0xD7, 0xDC, 0xDD, 0x0C, 0x0E, 0x0F}},
        {"0700 0001 0000 11", {0xD0, 0xD1, 0xD2}},
        {"0500 0002 05", {0x44}},
        {"0500 0001 04", {0x04}},
        {"0500 0001 0C", {0xE8}},
    };
    struct gate_snapshot before = {0};
    char command[64];
    unsigned tried = 0;

    (void)state;
    assert_int_equal(vault_create(&rig, 8, "8C 07 7B C0 C0 C0 C0 C0 C0"), 1);
    assert_int_equal(vault_create(&rig, 8, "8C 07 7B C0 C0 C0 C0 C0 C0 8A0104"), 2);
    gate_snapshot_save(&bench, &before);
    const uint32_t sequence = rig.sequence;
    for (size_t i = 0; i < sizeof bound / sizeof bound[0]; i++) {
        for (unsigned ins = 1; ins <= 0xFF; ins++) {
            for (unsigned class = 0x00; class <= 0x80; class += 0x80) {
                if ((ins & 0xF0) == 0x60 || (ins & 0xF0) == 0x90) {
                    continue; /* no instructions, ISO/IEC 7816-3 */
                }
                bool mine = false;
                for (size_t k = 0; k < sizeof bound[i].instructions; k++) {
                    mine = mine || (class == 0 && bound[i].instructions[k] == ins);
                }
                gate_snapshot_restore(&bench, &before);
                rig.sequence = sequence;
                (void)snprintf(command, sizeof command,
                               "%02X%02X0000 13 6211 82020121 80020008 850102 8C0443C00000", class,
                               ins);
                assert_int_equal(vault_open(&rig, command), COS_OK);
                const int result = vault_call(&rig, V, bound[i].request);
                if ((result == COS_E_CONDITIONS) == mine) {
                    fail_msg("%s under %02X %02X: %d", bound[i].request, class, ins, result);
                }
                tried++;
            }
        }
    }
    gate_snapshot_free(&before);
    print_message("# vault: %u pairs of an operation and the command that is open\n", tried);
}

/* TERMINATE CARD USAGE ends the card, and nothing but it. */
static void terminate_card_usage_terminates(void **state)
{
    static const struct vault_step steps[] = {
        {"in the clear", COS_GATE_LIFE, "04 00 FF", COS_E_SECURITY_STATUS, NULL, 0},
    };
    static const struct vault_step secured[] = {
        {"P1", O, "00FE0100 01 00", COS_OK, NULL, 0},
        {"not so", COS_GATE_LIFE, "04 00 FF", COS_E_CONDITIONS, NULL, 0},
        {"P2", O, "00FE0001 01 00", COS_OK, NULL, 0},
        {"not so", COS_GATE_LIFE, "04 00 FF", COS_E_CONDITIONS, NULL, 0},
        {"proprietary", O, "80FE0000 01 00", COS_OK, NULL, 0},
        {"not so", COS_GATE_LIFE, "04 00 FF", COS_E_CONDITIONS, NULL, 0},
        {"TERMINATE CARD USAGE", O, "00FE0000 01 00", COS_OK, NULL, 0},
        {"does not lock", COS_GATE_LIFE, "04 00 7F", COS_E_CONDITIONS, NULL, 0},
        {"does not unlock", COS_GATE_LIFE, "04 00 0F", COS_E_CONDITIONS, NULL, 0},
        {"terminates", COS_GATE_LIFE, "04 00 FF", COS_OK, NULL, VAULT_ANY},
    };
    (void)state;
    VAULT_STEPS(&rig, steps);
    vault_session(&rig);
    VAULT_STEPS(&rig, secured);
    assert_int_equal(bench.secure.life_cycle, COS_LIFE_TERMINATED);
}

#define VAULT_TEST(function) cmocka_unit_test_setup_teardown(function, make, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        VAULT_TEST(rules_are_decided_in_the_security_chip),
        VAULT_TEST(another_applications_pin_is_another_pin),
        VAULT_TEST(asking_leaves_the_status_alone),
        VAULT_TEST(the_app_chip_cannot_choose_the_rule),
        VAULT_TEST(the_app_chip_cannot_choose_the_application_of_a_new_df),
        VAULT_TEST(operations_are_bound_to_their_commands),
        VAULT_TEST(terminate_card_usage_terminates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
