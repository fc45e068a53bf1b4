/* SPDX-License-Identifier: Apache-2.0
 *
 * VAULT over the gate: every operation with wrong lengths, numbers, offsets, states and orders,
 * each with its exact result and its cost in page programs (docs/formats.md, "Calls").
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

static struct bench bench;
static struct gate_rig rig;

static int make(void **state)
{
    (void)state;
    vault_rig_make(&rig, &bench);
    vault_session(&rig);
    return 0;
}

static int end(void **state)
{
    (void)state;
    bench_free(&bench);
    return 0;
}

/* Read and updated by anybody, ended with secure messaging. */
#define FREE_RULE "8C 05 63 C0 C0 00 00"
/* The same with all operations by anybody. */
#define OPEN_RULE "8C 07 7B 00 00 00 00 00 00"

/* ---- Creating ---- */

static void create_takes_the_next_transaction_and_costs_two_pages(void **state)
{
    static const struct vault_step steps[] = {
        {"CREATE FILE", O, "00E00000 17 6215 82020121 80020064 850102 83025110 8C0443C00000",
         COS_OK, NULL, 0},
        {"too short", V, "0100 NNNNNNNN 00", COS_E_GATE_FORMAT, NULL, 0},
        {"too long", V, "0100 NNNNNNNN 0064 00", COS_E_GATE_FORMAT, NULL, 0},
        {"no such channel", V, "0104 NNNNNNNN 0064", COS_E_GATE_FORMAT, NULL, 0},
        {"no size", V, "0100 NNNNNNNN 0000", COS_E_DATA, NULL, 0},
        {"larger than the vault", V, "0100 NNNNNNNN 2059", COS_E_MEMORY_FULL, NULL, 0},
        {"the last transaction", V, "0100 PPPPPPPP 0064", COS_E_CONDITIONS, NULL, 0},
        {"no transaction near", V, "0100 FFFFFFFF 0064", COS_E_CONDITIONS, NULL, 0},
        {"asked for", V, "0100 00000000 0064", COS_OK, NULL, 0},
        {"nothing is there yet", V, "0600 0001", COS_E_REFERENCE_NOT_FOUND, NULL, 0},
        {"made", V, "0100 NNNNNNNN 0064", COS_OK, NULL, 2},
        {"the same again is another transaction", V, "0100 PPPPPPPP 0064", COS_E_CONDITIONS, NULL,
         0},
        {"it is there", V, "0600 0001", COS_OK, "0064 05", 0},
        {"sealed", S, "00 9000", COS_OK, "9000", 0},
        {"no file 0", V, "0600 0000", COS_E_REFERENCE_NOT_FOUND, NULL, 0},
        {"no file 2", V, "0600 0002", COS_E_REFERENCE_NOT_FOUND, NULL, 0},
        {"none behind the table", V, "0600 0011", COS_E_REFERENCE_NOT_FOUND, NULL, 0},
        {"none far away", V, "0600 FFFF", COS_E_REFERENCE_NOT_FOUND, NULL, 0},
        {"INFO too long", V, "0600 0001 00", COS_E_GATE_FORMAT, NULL, 0},
        {"no operation 0", V, "0000 0001", COS_E_GATE_FORMAT, NULL, 0},
        {"no operation 9", V, "0900 0001", COS_E_GATE_FORMAT, NULL, 0},
    };
    (void)state;
    const uint32_t transaction = bench.secure.transaction;

    VAULT_STEPS(&rig, steps);
    assert_int_equal(bench.secure.transaction, transaction + 1);
}

static void create_is_for_the_issuer(void **state)
{
    static const struct vault_step steps[] = {
        {"another command is open", O, "00D60000 13 6211 82020121 80020064 850102 8C0443C00000",
         COS_OK, NULL, 0},
        {"not by this command", V, "0100 NNNNNNNN 0064", COS_E_CONDITIONS, NULL, 0},
        {"nor asked for", V, "0100 00000000 0064", COS_E_CONDITIONS, NULL, 0},
        {"proprietary", O, "80E00000 13 6211 82020121 80020064 850102 8C0443C00000", COS_OK, NULL,
         0},
        {"nor by this", V, "0100 NNNNNNNN 0064", COS_E_CONDITIONS, NULL, 0},
        {"CREATE FILE", O, "00E00000 13 6211 82020121 80020064 850102 8C0443C00000", COS_OK, NULL,
         0},
        {"of no application now: not by this command", COS_GATE_CONTEXT, "01 00", COS_E_CONDITIONS,
         NULL, 0},
        {"sealed", S, "00 6985", COS_OK, "6985", 0},
        {"in the clear", V, "0100 NNNNNNNN 0064", COS_E_SECURITY_STATUS, NULL, 0},
        {"asked in the clear", V, "0100 00000000 0064", COS_E_SECURITY_STATUS, NULL, 0},
    };
    (void)state;
    VAULT_STEPS(&rig, steps);
}

/* Objects of the FCP besides size and source; each is refused, and the card goes on. */
static void what_decides_over_a_file_is_checked(void **state)
{
    static const char *const refused[] = {
        "",                                     /* no rule: it could be read by anybody */
        "8B 03 2F0601",                         /* in the app chip */
        "8C0443C00000 8B0101",                  /* both */
        "8C0443C00000 A0 08 5C00 8C0443C00000", /* data objects it has none */
        "8C0443C00000 8C0443C00000",            /* two */
        "8C0443C00000 AB05 800101 9000",        /* two, in two formats */
        "8C00",                                 /* nothing */
        "8C0143",                               /* an AM byte without conditions */
        "8C02C100",                             /* proprietary */
        "8C02010F",                             /* a condition that means nothing */
        "8C0443C00000 8A0102",                  /* life-cycle statuses */
        "8C0443C00000 8A0100",
        "8C0443C00000 8A0108",
        "8C0443C00000 8A010C",
        "8C0443C00000 8A0110",
        "8C0443C00000 8A020505",
        "8C0443C00000 8A00",
        "AB00",             /* expanded */
        "AB03 800101",      /* an access without a condition */
        "AB05 840120 9000", /* by header: of a plain command it is not known */
        "AB0A 800101 9000 8102B000 9000",
        "AB05 900001 9000",
        "AB2F 800101 9E0190 800102 9E0190 800104 9E0190 800108 9E0190 800110 9E0190 800120 9E0190"
        "800140 9E0190 8001019E01", /* malformed */
        "8C0443C00000 8C",          /* cut off */
    };
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (vault_create(&rig, 16, refused[i]) != 0 || rig.result != COS_E_DATA) {
            fail_msg("%s: %d", refused[i], rig.result);
        }
    }
    assert_int_equal(vault_create(&rig, 16, "8C0443C00000 8A0107"), 1);
}

static void rules_have_48_bytes_at_most(void **state)
{
    static const char longest[] = "AB2E 800101 9E0190 800102 9E0190 800108 9E0190 800110 9E0190"
                                  "800120 9E0190 800140 9E0190 800104 9E0190 9E01C0 00";
    static const char longer[] = "AB2F 800101 9E0190 800102 9E0190 800108 9E0190 800110 9E0190"
                                 "800120 9E0190 800140 9E0190 800104 9E0190 9E01C0 0000";
    (void)state;
    assert_int_equal(vault_create(&rig, 16, longest), 1);
    assert_int_equal(vault_create(&rig, 16, longer), 0);
    assert_int_equal(rig.result, COS_E_DATA);
}

/* ---- Content ---- */

static void content_is_what_was_written(void **state)
{
    static const struct vault_step steps[] = {
        {"READ too short", V, "0300 0001 0000 00", COS_E_GATE_FORMAT, NULL, 0},
        {"READ too long", V, "0300 0001 0000 0001 00", COS_E_GATE_FORMAT, NULL, 0},
        {"READ of nothing", V, "0300 0001 0000 0000", COS_E_LENGTH, NULL, 0},
        {"READ of more than a part", V, "0300 0001 0000 0101", COS_E_LENGTH, NULL, 0},
        {"READ of no file", V, "0300 0000 0000 0001", COS_E_REFERENCE_NOT_FOUND, NULL, 0},
        {"READ of another file", V, "0300 0002 0000 0001", COS_E_REFERENCE_NOT_FOUND, NULL, 0},
        {"READ of the last byte", V, "0300 0001 012B 0001", COS_OK, "00", 0},
        {"READ of the one behind", V, "0300 0001 012C 0001", COS_E_OFFSET, NULL, 0},
        {"READ across the end", V, "0300 0001 0100 002D", COS_E_OFFSET, NULL, 0},
        {"READ far away", V, "0300 0001 FFFF 0100", COS_E_OFFSET, NULL, 0},
        {"UPDATE of nothing", V, "0400 0001 0000 01", COS_E_GATE_FORMAT, NULL, 0},
        {"UPDATE of no file", V, "0400 0011 0000 01 11", COS_E_REFERENCE_NOT_FOUND, NULL, 0},
        {"UPDATE behind the end", V, "0400 0001 012C 01 11", COS_E_OFFSET, NULL, 0},
        {"UPDATE across the end", V, "0400 0001 012B 01 1122", COS_E_OFFSET, NULL, 0},
        {"UPDATE within a chunk", V, "0400 0001 0002 01 112233", COS_OK, "", 1},
        {"it is there", V, "0300 0001 0000 0006", COS_OK, "0000 112233 00", 0},
        {"UPDATE across two chunks of a page", V, "0400 0001 005B 01 AABB", COS_OK, "", 1},
        {"it is there", V, "0300 0001 005A 0004", COS_OK, "00 AABB 00", 0},
        {"UPDATE across two pages", V, "0400 0001 00B7 01 CCDD", COS_OK, "", 2},
        {"all of it", V, "0300 0001 00B6 0004", COS_OK, "00 CCDD 00", 0},
        {"UPDATE of the last byte", V, "0400 0001 012B 01 EE", COS_OK, "", 1},
        {"it is there", V, "0300 0001 012A 0002", COS_OK, "00 EE", 0},
        {"what was there stays", V, "0300 0001 0000 0006", COS_OK, "0000 112233 00", 0},
    };
    (void)state;
    assert_int_equal(vault_create(&rig, 300, FREE_RULE), 1);
    VAULT_STEPS(&rig, steps);
}

/* How new bytes meet old ones: UPDATE says it, WRITE does not. */
static void content_is_combined(void **state)
{
    static const struct vault_step update[] = {
        {"replace", V, "0400 0001 005A 01 0F0F0F0F", COS_OK, "", 1},
        {"OR", V, "0400 0001 005A 02 30303030", COS_OK, "", 1},
        {"AND", V, "0400 0001 005B 03 F1F1", COS_OK, "", 1},
        {"XOR", V, "0400 0001 005C 04 FFFF", COS_OK, "", 1},
        {"once", V, "0400 0001 0059 00 77", COS_OK, "", 1},
        {"once, again", V, "0400 0001 0059 00 77", COS_E_CONDITIONS, NULL, 0},
        {"once, the last byte of a chunk", V, "0400 0001 0057 00 111111", COS_E_CONDITIONS, NULL,
         0},
        {"nothing else", V, "0400 0001 005A 05 00", COS_E_GATE_FORMAT, NULL, 0},
        {"nor this", V, "0400 0001 005A FF 00", COS_E_GATE_FORMAT, NULL, 0},
        {"all of it", V, "0300 0001 0058 0007", COS_OK, "0077 3F31 CEC0 00", 0},
    };
    static const struct vault_step write[] = {
        {"nothing", V, "0700 0001 0000", COS_E_GATE_FORMAT, NULL, 0},
        {"in no file", V, "0700 0006 0000 01", COS_E_REFERENCE_NOT_FOUND, NULL, 0},
        {"behind the end", V, "0700 0001 0064 01", COS_E_OFFSET, NULL, 0},
        {"across the end", V, "0700 0001 0063 0102", COS_E_OFFSET, NULL, 0},
        {"replace", V, "0700 0001 005B F0F0", COS_OK, "", 1},
        {"it is there", V, "0300 0001 005A 0004", COS_OK, "3F F0F0 C0", 0},
        {"once", V, "0700 0002 0000 0102", COS_OK, "", 1},
        {"once: again", V, "0700 0002 0001 02", COS_E_CONDITIONS, NULL, 0},
        {"once: beside it", V, "0700 0002 0002 03", COS_OK, "", 1},
        {"it is there", V, "0300 0002 0000 0004", COS_OK, "010203 00", 0},
        {"OR", V, "0700 0003 0000 F00F", COS_OK, "", 1},
        {"OR again", V, "0700 0003 0001 F0", COS_OK, "", 1},
        {"it is there", V, "0300 0003 0000 0003", COS_OK, "F0FF 00", 0},
        {"AND", V, "0700 0004 0000 FF", COS_OK, "", 1},
        {"it is there", V, "0300 0004 0000 0001", COS_OK, "00", 0},
        {"no data coding byte: OR", V, "0700 0005 0000 F0", COS_OK, "", 1},
        {"again", V, "0700 0005 0000 0F", COS_OK, "", 1},
        {"it is there", V, "0300 0005 0000 0001", COS_OK, "FF", 0},
        {"a status keeps it", V, "0500 0003 04", COS_OK, "", 1},
        {"and the next", V, "0500 0003 05", COS_OK, "", 1},
        {"OR", V, "0700 0003 0000 0F", COS_OK, "", 1},
        {"it is there", V, "0300 0003 0000 0003", COS_OK, "FFFF 00", 0},
    };
    static const char *const coded[] = {"82020121", "82020101", "82020141", "82020161", "820101"};
    char objects[64];

    (void)state;
    for (unsigned i = 0; i < 5; i++) { /* the last 82 counts */
        (void)snprintf(objects, sizeof objects, "%s 8C 08 7F 00 00 00 00 00 00 00", coded[i]);
        assert_int_equal(vault_create(&rig, 100, objects), i + 1);
    }
    VAULT_STEPS(&rig, update);
    VAULT_STEPS(&rig, write);
}

/* Whether content may be used can be asked, and costs nothing. */
static void asking_answers_what_using_would(void **state)
{
    static const struct vault_step steps[] = {
        {"too short", V, "0800 0001", COS_E_GATE_FORMAT, NULL, 0},
        {"too long", V, "0800 0001 01 00", COS_E_GATE_FORMAT, NULL, 0},
        {"no file", V, "0800 0009 01", COS_E_REFERENCE_NOT_FOUND, NULL, 0},
        {"no operation", V, "0800 0001 00", COS_E_GATE_FORMAT, NULL, 0},
        {"two operations", V, "0800 0001 03", COS_E_GATE_FORMAT, NULL, 0},
        {"not one on content", V, "0800 0001 40", COS_E_GATE_FORMAT, NULL, 0},
        {"READ", V, "0800 0001 01", COS_OK, "", 0},
        {"UPDATE", V, "0800 0001 02", COS_E_SECURITY_STATUS, NULL, 0},
        {"WRITE", V, "0800 0001 04", COS_E_SECURITY_STATUS, NULL, 0},
        {"WRITE itself", V, "0700 0001 0000 00", COS_E_SECURITY_STATUS, NULL, 0},
        {"the other way round", V, "0800 0002 01", COS_E_SECURITY_STATUS, NULL, 0},
        {"UPDATE", V, "0800 0002 02", COS_E_SECURITY_STATUS, NULL, 0},
        {"WRITE", V, "0800 0002 04", COS_OK, "", 0},
        {"WRITE itself", V, "0700 0002 0000 00", COS_OK, "", 1},
        {"deactivated", V, "0800 0003 01", COS_E_CONDITIONS, NULL, 0},
        {"WRITE itself", V, "0700 0003 0000 00", COS_E_CONDITIONS, NULL, 0},
        {"not activated yet", V, "0800 0004 01", COS_E_SECURITY_STATUS, NULL, 0},
        {"the rule comes before the offset", V, "0300 0002 FFFF 0001", COS_E_SECURITY_STATUS, NULL,
         0},
        {"and before how", V, "0400 0001 FFFF 77 01", COS_E_SECURITY_STATUS, NULL, 0},
    };
    (void)state;
    assert_int_equal(vault_create(&rig, 8, "8C 04 07 FF FF 00"), 1);
    assert_int_equal(vault_create(&rig, 8, "8C 04 07 00 FF FF"), 2);
    assert_int_equal(vault_create(&rig, 8, "8C 04 07 00 00 00 8A0104"), 3);
    assert_int_equal(vault_create(&rig, 8, "8C 04 07 00 00 00 8A0103"), 4);
    VAULT_STEPS(&rig, steps);
}

/* Random writes against a copy. */
static void content_holds_against_a_model(void **state)
{
    enum { SIZE = 1000 };
    static uint8_t model[SIZE], data[SIZE];
    uint8_t message[7 + COS_VAULT_PART] = {COS_VAULT_UPDATE, 0, 0, 2, [6] = COS_COMBINE_REPLACE};
    uint64_t seed = 7;

    (void)state;
    assert_int_equal(vault_create(&rig, 100, FREE_RULE), 1);
    assert_int_equal(vault_create(&rig, SIZE, FREE_RULE), 2);
    assert_int_equal(vault_create(&rig, 100, FREE_RULE), 3);
    for (unsigned i = 0; i < 200; i++) {
        const uint32_t length = 1 + sim_below(&seed, COS_VAULT_PART);
        const uint32_t offset = sim_below(&seed, SIZE - length + 1);
        cos_put16(message + 4, (uint16_t)offset);
        for (uint32_t at = 0; at < length; at++) {
            message[7 + at] = model[offset + at] = (uint8_t)sim_random(&seed);
        }
        assert_true(gate_rig_call(&rig, COS_GATE_VAULT, message, 7 + length));
        assert_int_equal(rig.result, COS_OK);
        if (i % 20 == 0) {
            assert_int_equal(vault_read(&rig, 2, data, SIZE), COS_OK);
            assert_memory_equal(data, model, SIZE);
        }
    }
    memset(model, 0, 100);
    assert_int_equal(vault_read(&rig, 1, data, 100), COS_OK);
    assert_memory_equal(data, model, 100);
    assert_int_equal(vault_read(&rig, 3, data, 100), COS_OK);
    assert_memory_equal(data, model, 100);
}

/* Nothing of it stands in either chip's NVM in the clear, or, once replaced, as it was. */
static void content_is_enciphered_and_superseded_copies_go(void **state)
{
    static const struct vault_step write[] = {
        {"UPDATE", V, "0400 0001 0000 01 5641554C5420434F4E54454E54", COS_OK, "", 1},
    };
    uint8_t old[VAULT_CHUNK], chunk[VAULT_CHUNK];

    (void)state;
    assert_int_equal(vault_create(&rig, 92, FREE_RULE), 1);
    VAULT_STEPS(&rig, write);
    vault_chunk(&bench, 1, old);
    assert_false(card_nvm_contains(&bench.secure_nvm, "VAULT CONTENT", 13));
    assert_false(card_nvm_contains(&bench.app_nvm, "VAULT CONTENT", 13));
    assert_true(card_nvm_contains(&bench.secure_nvm, old + 8, 16));
    VAULT_STEPS(&rig, write);
    vault_chunk(&bench, 1, chunk);
    assert_true(memcmp(old + 8, chunk + 8, 100) != 0); /* the same, enciphered anew */
    assert_false(card_nvm_contains(&bench.secure_nvm, old + 8, 16));
}

/* ---- Life-cycle status ---- */

/* What ACTIVATE, DEACTIVATE and TERMINATE make of each status, ISO/IEC 7816-9; 0: refused. */
static void transitions_are_those_of_the_standard(void **state)
{
    static const uint8_t statuses[] = {0x01, 0x03, 0x04, 0x05, 0x0C};
    static const struct {
        uint8_t wanted;
        const char *command;
        bool allowed[5];
    } steps[] = {
        {0x05, "00440000 01 00", {true, true, true, true, false}},
        {0x04, "00040000 01 00", {false, false, true, true, false}},
        {0x0C, "00E80000 01 00", {false, false, true, true, false}},
    };
    char text[64];

    (void)state;
    for (size_t from = 0; from < 5; from++) {
        for (size_t i = 0; i < 3; i++) {
            const uint8_t first = statuses[from] == 0x0C ? 0x05 : statuses[from];
            (void)snprintf(text, sizeof text, OPEN_RULE "8A01%02X", first);
            assert_int_equal(vault_create(&rig, 8, text), 1);
            if (statuses[from] == 0x0C) {
                assert_int_equal(vault_open(&rig, "00E80000 01 00"), COS_OK);
                assert_int_equal(vault_call(&rig, V, "0500 0001 0C"), COS_OK);
            }
            assert_int_equal(vault_open(&rig, steps[i].command), COS_OK);
            (void)snprintf(text, sizeof text, "0500 0001 %02X", steps[i].wanted);
            const int expected = steps[i].allowed[from] ? COS_OK : COS_E_CONDITIONS;
            if (vault_call(&rig, V, text) != expected) {
                fail_msg("%02X to %02X: %d", statuses[from], steps[i].wanted, rig.result);
            }
            assert_int_equal(vault_call(&rig, V, "0600 0001"), COS_OK);
            assert_int_equal(rig.body[2], expected == COS_OK ? steps[i].wanted : statuses[from]);
            assert_int_equal(vault_open(&rig, "00E40000 01 00"), COS_OK);
            assert_int_equal(vault_call(&rig, V, "0200 NNNNNNNN 00 0001"), COS_OK);
        }
    }
}

static void status_decides_over_content(void **state)
{
    static const struct vault_step steps[] = {
        {"no such status", V, "0500 0001 03", COS_E_GATE_FORMAT, NULL, 0},
        {"STATUS_SET too short", V, "0500 0001", COS_E_GATE_FORMAT, NULL, 0},
        {"STATUS_SET too long", V, "0500 0001 0404", COS_E_GATE_FORMAT, NULL, 0},
        {"of no file", V, "0500 0003 04", COS_E_REFERENCE_NOT_FOUND, NULL, 0},
        {"deactivated", V, "0500 0001 04", COS_OK, "", 1},
        {"deactivated already", V, "0500 0001 04", COS_OK, "", 0},
        {"not read", V, "0300 0001 0000 0001", COS_E_CONDITIONS, NULL, 0},
        {"not updated", V, "0400 0001 0000 01 11", COS_E_CONDITIONS, NULL, 0},
        {"activated", V, "0500 0001 05", COS_OK, "", 1},
        {"read", V, "0300 0001 0000 0001", COS_OK, "00", 0},
        {"terminated", V, "0500 0001 0C", COS_OK, "", 1},
        {"not read", V, "0300 0001 0000 0001", COS_E_CONDITIONS, NULL, 0},
        {"not updated", V, "0400 0001 0000 01 11", COS_E_CONDITIONS, NULL, 0},
        {"not activated", V, "0500 0001 05", COS_E_CONDITIONS, NULL, 0},
        {"said so", V, "0600 0001", COS_OK, "0008 0C", 0},
        /* Not activated yet: the issuer's, whatever the rule says. */
        {"read by anybody", V, "0300 0002 0000 0001", COS_E_SECURITY_STATUS, NULL, 0},
        {"updated by anybody", V, "0400 0002 0000 01 11", COS_E_SECURITY_STATUS, NULL, 0},
        {"activated by anybody", V, "0500 0002 05", COS_E_SECURITY_STATUS, NULL, 0},
        {"deleted by anybody", V, "0200 NNNNNNNN 00 0002", COS_E_SECURITY_STATUS, NULL, 0},
    };
    static const struct vault_step issuer[] = {
        {"UPDATE BINARY", O, "00D60000 01 11", COS_OK, NULL, 0},
        {"updated", V, "0400 0002 0000 01 11", COS_OK, "", 1},
        {"READ BINARY", O, "00B00000 01 00", COS_OK, NULL, 0},
        {"read", V, "0300 0002 0000 0001", COS_OK, "11", 0},
        {"ACTIVATE FILE", O, "00440000 01 00", COS_OK, NULL, 0},
        {"activated", V, "0500 0002 05", COS_OK, "", 1},
        {"sealed", S, "00 9000", COS_OK, "9000", 0},
        {"read by anybody", V, "0300 0002 0000 0001", COS_OK, "11", 0},
    };
    (void)state;
    assert_int_equal(vault_create(&rig, 8, OPEN_RULE), 1);
    assert_int_equal(vault_create(&rig, 8, OPEN_RULE "8A0103"), 2);
    VAULT_STEPS(&rig, steps);
    vault_session(&rig);
    VAULT_STEPS(&rig, issuer);
}

/* ---- Deleting ---- */

static void delete_takes_all_or_none(void **state)
{
    static const struct vault_step steps[] = {
        {"no file", V, "0200 NNNNNNNN 00 ", COS_E_GATE_FORMAT, NULL, 0},
        {"half a number", V, "0200 NNNNNNNN 00 0001 00", COS_E_GATE_FORMAT, NULL, 0},
        {"17 files", V,
         "0200 NNNNNNNN 00 00010001000100010001000100010001000100010001000100010001000100010001",
         COS_E_GATE_FORMAT, NULL, 0},
        {"one is not there", V, "0200 NNNNNNNN 00 0001 0004", COS_E_REFERENCE_NOT_FOUND, NULL, 0},
        {"one may not be deleted", V, "0200 NNNNNNNN 00 0001 0002", COS_E_SECURITY_STATUS, NULL, 0},
        {"nor in the other order", V, "0200 NNNNNNNN 00 0002 0001", COS_E_SECURITY_STATUS, NULL, 0},
        {"wrong transaction", V, "0200 PPPPPPPP 00 0001", COS_E_CONDITIONS, NULL, 0},
        {"asked for", V, "0200 00000000 00 0001 0003", COS_OK, NULL, 0},
        {"all are there", V, "0600 0001", COS_OK, NULL, 0},
        {"with content", V, "0400 0001 0000 01 1122", COS_OK, "", 1},
        {"two of them, one twice", V, "0200 NNNNNNNN 00 0001 0003 0001", COS_OK, NULL, 3},
        {"gone", V, "0600 0001", COS_E_REFERENCE_NOT_FOUND, NULL, 0},
        {"gone", V, "0300 0003 0000 0001", COS_E_REFERENCE_NOT_FOUND, NULL, 0},
        {"this one stays", V, "0300 0002 0000 0001", COS_OK, NULL, 0},
    };
    (void)state;
    assert_int_equal(vault_create(&rig, 8, OPEN_RULE), 1);
    assert_int_equal(vault_create(&rig, 8, "8C 03 41 FF 00"), 2);
    assert_int_equal(vault_create(&rig, 200, OPEN_RULE), 3);
    VAULT_STEPS(&rig, steps);
}

/* A new file in the place of an old one does not begin with its content, in no way. */
static void a_deleted_files_content_is_gone(void **state)
{
    uint8_t chunk[VAULT_CHUNK], again[VAULT_CHUNK], data[8];

    (void)state;
    assert_int_equal(vault_create(&rig, 8, OPEN_RULE), 1);
    assert_int_equal(vault_call(&rig, V, "0400 0001 0000 01 1122334455667788"), COS_OK);
    vault_chunk(&bench, 1, chunk);
    assert_int_equal(vault_call(&rig, V, "0200 NNNNNNNN 00 0001"), COS_OK);
    assert_false(card_nvm_contains(&bench.secure_nvm, chunk + 8, 16));
    vault_session(&rig);
    assert_int_equal(vault_create(&rig, 8, OPEN_RULE), 1);
    assert_int_equal(vault_read(&rig, 1, data, 8), COS_OK);
    assert_memory_equal(data, "\0\0\0\0\0\0\0\0", 8);
    assert_int_equal(vault_call(&rig, V, "0400 0001 0000 01 1122334455667788"), COS_OK);
    vault_chunk(&bench, 1, again);
    assert_true(cos_get32(again) > cos_get32(chunk)); /* no nonce comes twice */
    assert_true(memcmp(again + 8, chunk + 8, 92) != 0);
}

#define VAULT_TEST(function) cmocka_unit_test_setup_teardown(function, make, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        VAULT_TEST(create_takes_the_next_transaction_and_costs_two_pages),
        VAULT_TEST(create_is_for_the_issuer),
        VAULT_TEST(what_decides_over_a_file_is_checked),
        VAULT_TEST(rules_have_48_bytes_at_most),
        VAULT_TEST(content_is_what_was_written),
        VAULT_TEST(content_is_combined),
        VAULT_TEST(asking_answers_what_using_would),
        VAULT_TEST(content_holds_against_a_model),
        VAULT_TEST(content_is_enciphered_and_superseded_copies_go),
        VAULT_TEST(transitions_are_those_of_the_standard),
        VAULT_TEST(status_decides_over_content),
        VAULT_TEST(delete_takes_all_or_none),
        VAULT_TEST(a_deleted_files_content_is_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
