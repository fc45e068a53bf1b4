/* SPDX-License-Identifier: Apache-2.0
 *
 * Security environments that access rules name by number (src/fs/environment.c), on a real store:
 * the exact condition for each rule and each content of the EF with environments.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fs_environment_card.h"

/* ---- Condition bytes ---- */

static void a_condition_byte_means_the_references_of_its_environment(void **state)
{
    static const struct {
        const char *rule, *condition;
    } rows[] = {
        {"8C020191", PIN_82},
        {"8C020111", PIN_82},
        {"8C0201A1", KEY_85},
        {"8C020121", KEY_85},
        {"8C0201C1", "AF10" MAC_01 CRYPT},
        {"8C020141", "AF10" MAC_01 CRYPT}, /* secure messaging of two kinds is both */
        {"8C0201B1", "AF10" PIN_82 KEY_85},
        {"8C020131", "A010" PIN_82 KEY_85},
        {"8C0201D1", "AF18" PIN_82 MAC_01 CRYPT},
        {"8C020151", "A01A" PIN_82 "AF10" MAC_01 CRYPT},
        {"8C0201E1", "AF18" KEY_85 MAC_01 CRYPT},
        {"8C0201F1", "AF20" PIN_82 KEY_85 MAC_01 CRYPT},
        {"8C020171", "A022" PIN_82 KEY_85 "AF10" MAC_01 CRYPT},
        {"8C020192", "A406 830103 950108"},
        {"8C0201A2", "A406 830103 950180"},
        {"8C0201B2", "AF10 A406 830103 950108 A406 830103 950180"},
        {"8C0201C3", "B406 830100 950110"},
        {"8C020143", "B406 830100 950110"},
        /* What the environment lacks, and environments that there are not. */
        {"8C0201C2", "9700"},
        {"8C020152", "9700"},
        {"8C020193", "9700"},
        {"8C020123", "9700"},
        {"8C0201D3", "9700"},
        {"8C020194", "9700"},
        {"8C02019E", "9700"},
        /* Without a number as without 8D. */
        {"8C020190", "9E0190"},
        {"8C0201F0", "9E01F0"},
        {"8C020100", "9000"},
        {"8C0201FF", "9700"},
        /* Alternatives, of which one may be of no use. */
        {"8C0401910192", PIN_82 "A406 830103 950108"},
        {"8C0601910194 01A1", PIN_82 "9700" KEY_85},
        {"8C0401900191", "9E0190" PIN_82},
        {"8C0401FF0191", "9700" PIN_82},
        {"8C0401000191", "9000 9E0191"}, /* always: nothing is looked at */
        {"8C0401000199", "9000 9E0199"},
    };
    struct card *card = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        check_rule(card, card->df, rows[i].rule, rows[i].condition);
    }
}

/* The same for the SC-DOs of an expanded rule. */
static void check_condition(struct card *card, const char *condition, const char *wanted)
{
    uint8_t bytes[CONDITION_MAX];
    char rule[400];

    snprintf(rule, sizeof rule, "AB%02zX 800101 %s", 3 + fs_rig_hex(condition, bytes, sizeof bytes),
             condition);
    check_rule(card, card->df, rule, wanted);
}

static void expanded_rules_are_translated_wherever_the_byte_stands(void **state)
{
    static const struct {
        const char *condition, *wanted;
    } rows[] = {
        {"9E0191", PIN_82},
        {"9E810191", PIN_82},
        {"9E01FF", "9E01FF"},
        {"9E0191 A403830105", PIN_82 "A403830105"},
        {"A403830105 B403950110 9E0191", "A403830105 B403950110" PIN_82},
        /* Templates grow with what is in them; padding stays. */
        {"AF08 9E0191 9700 9E0192", "AF12" PIN_82 "9700 A406 830103 950108"},
        {"A003 9E0191 9E0192", "A008" PIN_82 "A406 830103 950108"},
        {"AF0D A003 9E0191 A705 9E0192FF00 00",
         "AF17 A008" PIN_82 "A70A A406 830103 950108 FF00 00"},
        {"AF810A A78107 9E8300000191 00", "AF810C A78109" PIN_82 "00"},
        {"A70A A403830105 AF03 9E01B2",
         "A719 A403830105 AF12 AF10 A406 830103 950108 A406 830103 950180"},
        /* What leads nowhere makes all of its alternative never, whatever template it is in. */
        {"A703 9E0194", "9700"},
        {"A008 9E0194 A403830105", "9700"},
        {"AF08 A403830105 9E01C2", "9700"},
        {"AF08 9E0191 A703 9E0194 9E0191", "9700" PIN_82},
        {"AF08 A703 9E01C2 9E0191 A003 9E0191 9E0194", "9700 A008" PIN_82 "9700"},
        /* Four deep at most: one reference needs no template of its own, several do. */
        {"A009A007A005A003 9E0191", "A00EA00CA00AA008" PIN_82},
        {"A009A007A005A003 9E01B1", "9700"},
        {"A007A005A003 9E01B1", "A016A014A012 AF10" PIN_82 KEY_85},
        {"A007A005A003 9E0171", "9700"},
        {"A005A003 9E0171", "A026A024A022" PIN_82 KEY_85 "AF10" MAC_01 CRYPT},
    };
    struct card *card = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        check_condition(card, rows[i].condition, rows[i].wanted);
    }
}

#define TWELVE(what) what what what what what what what what what what what what

static void what_gets_too_long_is_never(void **state)
{
    struct card *card = *state;

    check_rule(card, card->df, "8C18" TWELVE("0191"), TWELVE(PIN_82));
    /* Of thirteen, eleven have room beside those that are still bytes. */
    check_rule(card, card->df, "8C1A 0191" TWELVE("0191"),
               PIN_82 PIN_82 PIN_82 PIN_82 PIN_82 PIN_82 PIN_82 PIN_82 PIN_82 PIN_82 PIN_82
               "9700 9700");
    check_condition(card, "AF24" TWELVE("9E0191"), "9700");
    check_condition(card, "AF24" TWELVE("9E0191") "9E0191", "9700" PIN_82);
}

/* ---- What the EF may hold ---- */

static void templates_have_one_meaning_or_none(void **state)
{
    static const struct {
        const char *content, *rule, *condition;
    } rows[] = {
        {"7B0B 800101 A406830182950108", "8C020191", PIN_82},
        {"7B810B 800101 A406830182950108 0000FF", "8C020191", PIN_82},
        {"7B0B A406830182950108 800101", "8C020191", PIN_82},
        {"7B0E 8A0105 800101 A406830182950108", "8C020191", PIN_82},
        /* Usages that are not for rules are passed over, whatever they have. */
        {"7B1B 800101 A406840182950140 B40484020102 B806840107950140", "8C020191", "9700"},
        {"7B1E 800101 A406840182950140 A406830182950188 B806840107950140 AC00", "8C020191", PIN_82},
        {"7B1E 800101 A406840182950140 A406830185950180 B806840107950140 AC00", "8C0201A1", KEY_85},
        {"7B13 800101 B606830105950140 B603830101 AA00", "8C0201C1", "9700"},
        {"7B08 800101 B403950120", "8C0201C1", "B406 830100 950120"},
        {"7B08 800101 B803950130", "8C0201C1", "B806 830100 950130"},
        {"7B08 800101 B803950170", "8C0201C1", "B806 830100 950130"},
        {"7B08 800101 B803830107", "8C0201C1", "B806 830107 950110"},
        /* The first with the number counts. */
        {"7B0B 800102 A406830183950108 7B0B 800101 A406830182950108 7B0B 800101 A406830181950108",
         "8C020191", PIN_82},
        {"7B03 800101 7B0B 800101 A406830182950108", "8C020191", "9700"},
        {"7B03 800102 7B0B 800101 A406830182950108", "8C020191", PIN_82},
        /* The example of docs/formats.md. */
        {"7B13 800101 A406830185950108 B806830100950110 7B08 800102 A403830101", "8C0201D1",
         "AF10 A406830185950108 B806830100950110"},
        {"7B13 800101 A406830185950108 B806830100950110 7B08 800102 A403830101", "8C020192",
         "A406830101950108"},
        {"7B13 800101 A406830185950108 B806830100950110 7B08 800102 A403830101", "8C0201C2",
         "9700"},
        /* Malformed, or not there. */
        {"", "8C020191", "9700"},
        {"FF 7B0B 800101 A406830182950108", "8C020191", "9700"},
        {"00 7B0B 800101 A406830182950108", "8C020191", "9700"},
        {"7B03 800102 00 7B0B 800101 A406830182950108", "8C020191", "9700"},
        {"7B0A 800101 A406830182950108", "8C020191", "9700"},
        {"7B80 800101 A406830182950108 0000", "8C020191", "9700"},
        {"7B0C 800101 A406830182950108 01", "8C020191", "9700"},
        {"7B0D 800101 A406830182950108 0500", "8C020191", PIN_82},
        {"7B08 A406830182950108", "8C020191", "9700"},
        {"7B0A 8000 A406830182950108", "8C020191", "9700"},
        {"7B0C 80020001 A406830182950108", "8C020191", "9700"},
        {"7B0A 8000 A406830182950108 7B0B 800101 A406830182950108", "8C020191", "9700"},
        {"A40B 800101 A406830182950108", "8C020191", "9700"},
        {"3003 800101 7B0B 800101 A406830182950108", "8C020191", "9700"},
        {"7B0D 8A00 800101 A406830182950108", "8C020191", "9700"},
        {"7B0F 8A020505 800101 A406830182950108", "8C020191", "9700"},
        {"7B08 800101 A403950108", "8C020191", "9700"},
        {"7B08 800101 A403840182", "8C020191", "9700"},
        {"7B05 800101 A400", "8C020191", "9700"},
        {"7B0C 800101 A40783020182950108", "8C020191", "9700"},
        {"7B0C 800101 A40783018295020108", "8C020191", "9700"},
        {"7B0E 800101 A409800101830182950108", "8C020191", "9700"},
        {"7B0E 800101 A409830182950108950108", "8C020191", "9700"},
        {"7B0D 800101 A408 0000 830182950108", "8C020191", "9700"},
        {"7B0A 800101 A405830182 9501", "8C020191", "9700"},
        {"7B05 800101 B400", "8C0201C1", "9700"},
        /* Two references for one thing. */
        {"7B13 800101 A406830182950108 A406830183950108", "8C020191", "9700"},
        {"7B10 800101 A403830182 A406830183950108", "8C020191", "9700"},
        {"7B13 800101 A406830182950108 A406830183950108", "8C0201A1", "9700"},
    };
    struct card *card = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        write_content(card, card->ef, rows[i].content);
        check_rule(card, card->df, rows[i].rule, rows[i].condition);
    }
}

/* 128 bytes are read of a template, and 32 templates. */
static void templates_are_limited_in_length_and_number(void **state)
{
    struct card *card = *state;
    char content[2 * EF_SIZE + 1];
    size_t at;

    for (size_t length = 125; length <= 126; length++) {
        at = (size_t)snprintf(content, sizeof content, "7B81%02zX 800101 A406830182950108 85%02zX",
                              length, length - 13);
        for (size_t i = 0; i < length - 13; i++) {
            at += (size_t)snprintf(content + at, sizeof content - at, "AA");
        }
        write_content(card, card->ef, content);
        check_rule(card, card->df, "8C020191", length == 125 ? PIN_82 : "9700");
    }
    for (size_t others = 31; others <= 32; others++) {
        at = 0;
        for (size_t i = 0; i < others; i++) {
            at += (size_t)snprintf(content + at, sizeof content - at, "7B03800102");
        }
        (void)snprintf(content + at, sizeof content - at, "7B0B 800101 A406830182950108");
        write_content(card, card->ef, content);
        check_rule(card, card->df, "8C020191", others == 31 ? PIN_82 : "9700");
    }
}

/* An environment may be for one life-cycle status of the DF with 8D. */
static void environments_are_for_a_life_cycle_status(void **state)
{
    static const struct {
        uint8_t status;
        const char *given, *condition;
    } rows[] = {
        {COS_LCS_ACTIVATED, "05", PIN_82},      {COS_LCS_ACTIVATED, "07", PIN_82},
        {COS_LCS_ACTIVATED, "04", KEY_85},      {COS_LCS_ACTIVATED, "0D", KEY_85},
        {COS_LCS_ACTIVATED, "00", KEY_85},      {COS_LCS_DEACTIVATED, "04", PIN_82},
        {COS_LCS_DEACTIVATED, "06", PIN_82},    {COS_LCS_DEACTIVATED, "05", KEY_85},
        {COS_LCS_TERMINATED, "0C", PIN_82},     {COS_LCS_TERMINATED, "0F", PIN_82},
        {COS_LCS_TERMINATED, "10", KEY_85},     {COS_LCS_TERMINATED, "04", KEY_85},
        {COS_LCS_CREATION, "01", PIN_82},       {COS_LCS_CREATION, "03", KEY_85},
        {COS_LCS_INITIALISATION, "03", PIN_82},
    };
    struct card *card = *state;
    char content[100];

    const cos_file file = fs_rig_make(&card->rig, card->df, "820101 83020101 800101 8C0201B1");
    for (size_t i = 0; i < COUNT(rows); i++) {
        /* Environment 1 is PIN 82 for this status and key 85 twice for any other. */
        snprintf(content, sizeof content,
                 "7B0E 800101 8A01%s A406830182950188 7B0B 800101 A406830185950188", rows[i].given);
        write_content(card, card->ef, content);
        assert_int_equal(cos_fs_set_life_cycle(&card->rig.fs, card->df, rows[i].status), COS_OK);
        check(card, file, COS_OPERATION_READ,
              strcmp(rows[i].condition, PIN_82) == 0
                  ? "AF10 A406 830182 950108 A406 830182 950180"
                  : "AF10 A406 830185 950108 A406 830185 950180");
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, open_card, close_card)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_condition_byte_means_the_references_of_its_environment),
        TEST(expanded_rules_are_translated_wherever_the_byte_stands),
        TEST(what_gets_too_long_is_never),
        TEST(templates_have_one_meaning_or_none),
        TEST(templates_are_limited_in_length_and_number),
        TEST(environments_are_for_a_life_cycle_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
