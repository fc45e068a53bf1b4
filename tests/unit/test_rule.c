/* SPDX-License-Identifier: Apache-2.0
 *
 * Access rules as text (ISO/IEC 7816-4:2013, 9.3.3): compact, and the conditions in
 * all of them.
 */
#include "fs_rig.h"
#include "rule_rig.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- Compact ---- */

/* One rule, and the conditions for read, update, write (on a DF: -, create EF, create DF). */
struct compact {
    const char *rule, *conditions[3];
};
static const enum cos_operation operations[] = {COS_OPERATION_READ, COS_OPERATION_UPDATE,
                                                COS_OPERATION_WRITE};

static void check_compact(const struct compact *compact)
{
    uint8_t bytes[RULE_BYTES];

    assert_int_equal(
        rule_check(cos_rule_check_compact, bytes, fs_rig_hex(compact->rule, bytes, sizeof bytes)),
        COS_OK);
    for (size_t i = 0; i < COUNT(operations); i++) {
        const struct cos_access access = {.operation = operations[i]};
        rule_means(cos_rule_compact, compact->rule, &access, compact->conditions[i]);
    }
}

/* The meanings of the vectors file, as conditions. */
static void published_compact_rules_mean_what_is_said(void **state)
{
    static const struct compact published[] = {
        {"do0", {"9000", "9000", ""}},         {"do1", {"9000", "9700", "9700"}},
        {"do2", {"9000", "9E0190", ""}},       {"do3", {"9000", "9E0190", "9E0110"}},
        {"do4", {"", "9700", "9E01B1"}},       {"do5", {"9700", "", ""}},
        {"do6", {"9000", "9E0190", "9E01A1"}},
    };
    struct vectors *vectors = vectors_open("iso7816-4-fcp.txt");
    const struct vector_section *section = vectors_section(vectors, "compact format (tag 8C)");

    (void)state;
    for (size_t i = 0; i < COUNT(published); i++) {
        const struct cos_span object = vector_bytes(section, "%s", published[i].rule);
        char rule[2 * RULE_BYTES] = "";
        assert_int_equal(object.data[0], 0x8C);
        assert_int_equal(object.data[1], object.length - 2);
        for (size_t k = 2; k < object.length; k++) {
            snprintf(rule + strlen(rule), 3, "%02X", object.data[k]);
        }
        struct compact compact = published[i];
        compact.rule = rule;
        check_compact(&compact);
    }
    assert_null(vector_find(section, "do%zu", COUNT(published))); /* none is left out */
    vectors_close(vectors);
}

static void several_sets_are_alternatives(void **state)
{
    static const struct compact rules[] = {
        {"01 90 01 C0", {"9E0190 9E01C0", "", ""}},
        {"03 91 00 02 A2", {"9000", "9E0191 9E01A2", ""}},
        {"01 00 02 00 04 00", {"9000", "9000", "9000"}},
        {"07 11 22 43 04 54", {"9E0143", "9E0122", "9E0111 9E0154"}},
        {"40 90 20 90 10 90 08 90", {"", "", ""}},
        {"01 FF 01 00", {"9700 9000", "", ""}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rules); i++) {
        check_compact(&rules[i]);
    }
}

/* Every access mode byte: condition bytes stand in the order of the bits from b7 to b1. */
static void conditions_stand_from_b7_to_b1(void **state)
{
    (void)state;
    for (unsigned am = 1; am < 0x80; am++) {
        uint8_t rule[8] = {(uint8_t)am}, wanted[8] = {0}, condition[COS_RULE_MAX];
        size_t length = 1, written;
        for (unsigned b = 7; b >= 1; b--) {
            if ((am >> (b - 1) & 1U) != 0) {
                wanted[b] = (uint8_t)(0x90 + b); /* all different */
                rule[length++] = wanted[b];
            }
        }
        for (unsigned b = 1; b <= 7; b++) {
            const struct cos_access access = {.operation = (enum cos_operation)(1U << (b - 1))};
            assert_int_equal(
                rule_read(cos_rule_compact, rule, length, &access, condition, &written), COS_OK);
            assert_int_equal(written, wanted[b] != 0 ? 3 : 0);
            assert_true(written == 0 ||
                        memcmp(condition, (const uint8_t[]){0x9E, 0x01, wanted[b]}, 3) == 0);
        }
    }
}

static void malformed_compact_rules_are_refused(void **state)
{
    static const char *const rules[] = {
        "",
        "00",    /* no operation */
        "00 00", /* no operation, but a condition */
        "01",    /* conditions missing */
        "03 00",
        "7F 00 00 00 00 00 00",
        "01 00 02", /* in the second set */
        "01 00 06 00",
        "01 00 00",
        "80", /* b8 */
        "81 00",
        "FF 00 00 00 00 00 00 00 00",
        "01 00 82 00",
        "01 0F", /* security environment 15 */
        "01 7F",
        "03 00 1F",
        "40 9F", /* for whatever operation */
        "01 01", /* an environment, no condition */
        "01 0E",
        "01 80", /* all of nothing */
        "01 8E",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rules); i++) {
        rule_is_refused(cos_rule_check_compact, cos_rule_compact, rules[i]);
    }
}

/* As many sets as a condition has room for, and one more. */
static void compact_rules_have_a_longest(void **state)
{
    const struct cos_access access = {.operation = COS_OPERATION_READ};
    uint8_t rule[2 * 33], condition[COS_RULE_MAX];
    size_t written;

    (void)state;
    for (size_t i = 0; i < sizeof rule; i += 2) {
        memcpy(rule + i, "\x01\x91", 2);
    }
    assert_int_equal(rule_check(cos_rule_check_compact, rule, 64), COS_OK);
    assert_int_equal(rule_read(cos_rule_compact, rule, 64, &access, condition, &written), COS_OK);
    assert_int_equal(written, COS_RULE_MAX);
    assert_int_equal(rule_check(cos_rule_check_compact, rule, 66), COS_E_DATA);
    assert_int_equal(rule_read(cos_rule_compact, rule, 66, &access, condition, &written),
                     COS_E_DATA);
}

/* Which condition bytes there are, against table 20 written down once more. */
static bool is_good_byte(unsigned sc)
{
    bool good = sc == 0x00 || sc == 0xFF;

    for (unsigned environment = 0; environment <= 14; environment++) {
        for (unsigned asked = 1; asked <= 7; asked++) {
            good = good || (sc & 0x7F) == (asked << 4 | environment);
        }
    }
    return good;
}

static void every_condition_byte_is_judged(void **state)
{
    (void)state;
    for (unsigned sc = 0; sc < 256; sc++) {
        const uint8_t compact[] = {0x01, (uint8_t)sc}, object[] = {0x9E, 0x01, (uint8_t)sc};
        const enum cos_result wanted = is_good_byte(sc) ? COS_OK : COS_E_DATA;
        assert_int_equal(rule_check(cos_rule_check_compact, compact, sizeof compact), wanted);
        assert_int_equal(rule_check(cos_rule_check_condition, object, sizeof object), wanted);
    }
}

/* ---- Conditions ---- */

static void conditions_are_checked(void **state)
{
    static const struct {
        const char *condition;
        enum cos_result result;
        enum cos_rule_plain plain;
    } rows[] = {
        {"90 00", COS_OK, COS_RULE_ALWAYS},
        {"97 00", COS_OK, COS_RULE_NEVER},
        {"97 00 97 00", COS_OK, COS_RULE_NEVER},
        {"97 00 9E 01 FF", COS_OK, COS_RULE_NEVER},
        {"9E 01 90 97 00 90 00", COS_OK, COS_RULE_ALWAYS},
        {"9E 01 00", COS_OK, COS_RULE_ALWAYS},
        {"9E 01 FF", COS_OK, COS_RULE_NEVER},
        {"97 00 9E 01 91", COS_OK, COS_RULE_ASK},
        {"A4 03 83 01 81", COS_OK, COS_RULE_ASK},
        {"A4 06 83 01 81 95 01 08", COS_OK, COS_RULE_ASK},
        {"A4 06 95 01 80 83 01 01", COS_OK, COS_RULE_ASK},
        {"A4 81 03 83 01 81", COS_OK, COS_RULE_ASK}, /* a longer length field */
        {"B4 03 95 01 10", COS_OK, COS_RULE_ASK},
        {"B8 03 83 01 30", COS_OK, COS_RULE_ASK},
        {"B6 06 83 01 01 95 01 30", COS_OK, COS_RULE_ASK},
        {"A0 02 90 00", COS_OK, COS_RULE_ASK},                         /* not plain, but true */
        {"AF 06 9E 01 91 B4 03 95 01 10", COS_E_DATA, COS_RULE_NEVER}, /* reaches past the end */
        {"AF 08 9E 01 91 B4 03 95 01 10", COS_OK, COS_RULE_ASK},
        {"A7 03 9E 01 91", COS_OK, COS_RULE_ASK},
        {"A0 02 A7 00", COS_E_DATA, COS_RULE_NEVER},
        {"90 00 00 FF 00", COS_OK, COS_RULE_ALWAYS}, /* padding behind the last */
        {"A0 05 9E 01 91 FF 00", COS_OK, COS_RULE_ASK},
        {"00 90 00", COS_E_DATA, COS_RULE_NEVER}, /* padding before the last */
        {"90 00 FF 97 00", COS_E_DATA, COS_RULE_NEVER},
        {"A0 03 00 90 00", COS_E_DATA, COS_RULE_NEVER},
        {"", COS_E_DATA, COS_RULE_NEVER},
        {"00 00", COS_E_DATA, COS_RULE_NEVER},
        {"FF", COS_E_DATA, COS_RULE_NEVER},
        {"90", COS_E_DATA, COS_RULE_NEVER},
        {"90 01 00", COS_E_DATA, COS_RULE_NEVER},
        {"97 01 00", COS_E_DATA, COS_RULE_NEVER},
        {"9E 00", COS_E_DATA, COS_RULE_NEVER},
        {"9E 02 00 00", COS_E_DATA, COS_RULE_NEVER},
        {"9E 01 0F", COS_E_DATA, COS_RULE_NEVER},
        {"90 00 9E 01 80", COS_E_DATA, COS_RULE_NEVER}, /* malformed behind "always" */
        {"90 00 9E 01", COS_E_DATA, COS_RULE_NEVER},
        {"90 80", COS_E_DATA, COS_RULE_NEVER},
        {"80 01 01", COS_E_DATA, COS_RULE_NEVER}, /* no SC-DO */
        {"9C 01 01", COS_E_DATA, COS_RULE_NEVER},
        {"1F 90 00", COS_E_DATA, COS_RULE_NEVER},
        {"A1 02 90 00", COS_E_DATA, COS_RULE_NEVER},
        {"A0 00", COS_E_DATA, COS_RULE_NEVER},
        {"A0 01 00", COS_E_DATA, COS_RULE_NEVER},
        {"A4 00", COS_E_DATA, COS_RULE_NEVER},
        {"A4 03 95 01 08", COS_E_DATA, COS_RULE_NEVER}, /* no reference */
        {"A4 02 83 00", COS_E_DATA, COS_RULE_NEVER},
        {"A4 04 83 02 00 01", COS_E_DATA, COS_RULE_NEVER},
        {"A4 06 83 01 01 83 01 02", COS_E_DATA, COS_RULE_NEVER}, /* twice */
        {"A4 09 83 01 01 95 01 08 95 01 80", COS_E_DATA, COS_RULE_NEVER},
        {"A4 06 83 01 01 84 01 01", COS_E_DATA, COS_RULE_NEVER}, /* something else */
        {"A4 05 83 01 01 95 00", COS_E_DATA, COS_RULE_NEVER},
        {"A4 06 83 01 01 95 01", COS_E_DATA, COS_RULE_NEVER},
        {"B4 00", COS_E_DATA, COS_RULE_NEVER},
        {"B4 02 90 00", COS_E_DATA, COS_RULE_NEVER},
        {"B8 03 80 01 01", COS_E_DATA, COS_RULE_NEVER},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t bytes[RULE_BYTES];
        const size_t length = fs_rig_hex(rows[i].condition, bytes, sizeof bytes);
        if (rule_check(cos_rule_check_condition, bytes, length) != rows[i].result ||
            cos_rule_plain((struct cos_span){bytes, length}) != rows[i].plain) {
            fail_msg("condition %s", rows[i].condition);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_compact_rules_mean_what_is_said),
        cmocka_unit_test(several_sets_are_alternatives),
        cmocka_unit_test(conditions_stand_from_b7_to_b1),
        cmocka_unit_test(malformed_compact_rules_are_refused),
        cmocka_unit_test(compact_rules_have_a_longest),
        cmocka_unit_test(every_condition_byte_is_judged),
        cmocka_unit_test(conditions_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
