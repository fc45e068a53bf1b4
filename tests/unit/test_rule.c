/* SPDX-License-Identifier: Apache-2.0
 *
 * Compact access rules (ISO/IEC 7816-4:2013, 9.3.3), by themselves and as a file's.
 */
#include "fs_rig.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const enum cos_operation operations[] = {COS_OPERATION_READ, COS_OPERATION_UPDATE,
                                                COS_OPERATION_WRITE};

/* One rule, and the conditions for read, update, write (on a DF: -, create EF, create DF) as hex.
 */
struct rule {
    const char *rule;
    const char *conditions[3];
};

static void check_conditions(const uint8_t *conditions, size_t count, const char *wanted)
{
    uint8_t bytes[COS_RULE_MAX];
    const size_t length = fs_rig_hex(wanted, bytes, sizeof bytes);

    assert_int_equal(count, length);
    assert_memory_equal(conditions, bytes, length);
}

static enum cos_result compact(const uint8_t *rule, size_t length, enum cos_operation operation,
                               uint8_t conditions[COS_RULE_MAX], size_t *count)
{
    uint8_t *exact = malloc(length + 1);
    enum cos_result result;

    memcpy(exact, rule, length);
    result = cos_rule_compact((struct cos_span){exact, length}, operation, conditions, count);
    free(exact);
    return result;
}

static void check_rule(const uint8_t *rule, size_t length, const char *const wanted[3])
{
    for (size_t i = 0; i < COUNT(operations); i++) {
        uint8_t conditions[COS_RULE_MAX];
        size_t count = 0;
        assert_int_equal(compact(rule, length, operations[i], conditions, &count), COS_OK);
        check_conditions(conditions, count, wanted[i]);
    }
}

/* ---- By themselves ---- */

/* The meanings of the vectors file, as conditions. */
static const struct rule published[] = {
    {"do0", {"00", "00", "FF"}}, {"do1", {"00", "FF", "FF"}}, {"do2", {"00", "90", "FF"}},
    {"do3", {"00", "90", "10"}}, {"do4", {"FF", "FF", "B1"}}, {"do5", {"FF", "FF", "FF"}},
    {"do6", {"00", "90", "A1"}},
};

static void published_rules_mean_what_is_said(void **state)
{
    struct vectors *vectors = vectors_open("iso7816-4-fcp.txt");
    const struct vector_section *section = vectors_section(vectors, "compact format (tag 8C)");

    (void)state;
    for (size_t i = 0; i < COUNT(published); i++) {
        const struct cos_span object = vector_bytes(section, "%s", published[i].rule);
        assert_int_equal(object.data[0], 0x8C);
        assert_int_equal(object.data[1], object.length - 2);
        check_rule(object.data + 2, object.length - 2, published[i].conditions);
    }
    assert_null(vector_find(section, "do%zu", COUNT(published))); /* none is left out */
    vectors_close(vectors);
}

static void several_sets_are_alternatives(void **state)
{
    static const struct rule rules[] = {
        {"01 90 01 C0", {"90C0", "FF", "FF"}},
        {"03 91 00 02 A2", {"00", "91A2", "FF"}},
        {"01 00 02 00 04 00", {"00", "00", "00"}},
        {"07 11 22 43 04 54", {"43", "22", "1154"}},
        {"40 90 20 90 10 90 08 90", {"FF", "FF", "FF"}},
        {"01 90 01 91 01 92 01 93 01 94 01 95 01 96 01 97", {"9091929394959697", "FF", "FF"}},
        {"01 FF 01 00", {"FF00", "FF", "FF"}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rules); i++) {
        uint8_t rule[64];
        check_rule(rule, fs_rig_hex(rules[i].rule, rule, sizeof rule), rules[i].conditions);
    }
}

/* Every access mode byte: condition bytes stand in the order of the bits from b7 to b1. */
static void conditions_stand_from_b7_to_b1(void **state)
{
    (void)state;
    for (unsigned am = 1; am < 0x80; am++) {
        uint8_t rule[8] = {(uint8_t)am}, wanted[8] = {0};
        size_t length = 1;
        for (unsigned b = 7; b >= 1; b--) {
            wanted[b] = 0xFF;
            if ((am >> (b - 1) & 1U) != 0) {
                wanted[b] = (uint8_t)(0x90 + b); /* all different */
                rule[length++] = wanted[b];
            }
        }
        for (unsigned b = 1; b <= 3; b++) {
            uint8_t conditions[COS_RULE_MAX];
            size_t count;
            assert_int_equal(compact(rule, length, operations[b - 1], conditions, &count), COS_OK);
            assert_int_equal(count, 1);
            assert_int_equal(conditions[0], wanted[b]);
        }
    }
}

static void malformed_rules_are_refused(void **state)
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
        "01 1F",
        "01 9F",
        "01 EF",
        "01 7F",
        "03 00 1F",
        "40 9F", /* for whatever operation */
        "01 01", /* an environment, no condition */
        "01 0E",
        "01 80", /* all of nothing */
        "01 8E",
        "01 00 02 00 01 00 02 00 01 00 02 00 01 00 02 00 01 00", /* nine sets */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rules); i++) {
        for (size_t k = 0; k < COUNT(operations); k++) {
            uint8_t rule[64], conditions[COS_RULE_MAX] = {0x77};
            size_t count = 99;
            const size_t length = fs_rig_hex(rules[i], rule, sizeof rule);
            assert_int_equal(compact(rule, length, operations[k], conditions, &count), COS_E_DATA);
            assert_int_equal(count, 99); /* nothing is handed out */
            assert_int_equal(conditions[0], 0x77);
        }
    }
}

/* Which condition bytes there are, against table 20 written down once more. */
static void every_condition_byte_is_judged(void **state)
{
    (void)state;
    for (unsigned sc = 0; sc < 256; sc++) {
        const uint8_t rule[] = {0x01, (uint8_t)sc};
        uint8_t conditions[COS_RULE_MAX];
        size_t count;
        bool good = sc == 0x00 || sc == 0xFF;
        for (unsigned environment = 0; environment <= 14; environment++) {
            for (unsigned asked = 1; asked <= 7; asked++) {
                good = good || (sc & 0x7F) == (asked << 4 | environment);
            }
        }
        assert_int_equal(compact(rule, 2, COS_OPERATION_READ, conditions, &count),
                         good ? COS_OK : COS_E_DATA);
        if (good) {
            assert_int_equal(count, 1);
            assert_int_equal(conditions[0], sc);
        }
    }
}

/* ---- Of files ---- */

static void check_file(struct fs_rig *rig, cos_file file, const char *const wanted[3])
{
    struct cos_file_info info;

    assert_int_equal(cos_fs_info(&rig->fs, file, &info), COS_OK);
    for (size_t i = 0; i < COUNT(operations); i++) {
        uint8_t conditions[COS_RULE_MAX];
        size_t count;
        assert_int_equal(cos_fs_rule(&rig->fs, &info, operations[i], conditions, &count), COS_OK);
        check_conditions(conditions, count, wanted[i]);
    }
}

static void files_have_the_rules_they_were_given(void **state)
{
    static const char *const ef_without[3] = {"00", "FF", "FF"};
    static const char *const df_without[3] = {"FF", "FF", "FF"};
    static const char *const ef_with[3] = {"00", "91A2", "FF"};
    static const char *const df_with[3] = {"FF", "C1", "00"};
    struct fs_rig *rig = malloc(sizeof *rig);
    struct vectors *vectors = vectors_open("iso7816-4-fcp.txt");
    const struct vector_section *section = vectors_section(vectors, "compact format (tag 8C)");
    cos_file mf, ef, df, both;

    (void)state;
    fs_rig_open(rig, 4000, 32);
    mf = fs_rig_make(rig, COS_FILE_MF, "820138 83023F00");
    ef = fs_rig_make(rig, mf, "820101 83020101 800101 A500");
    df = fs_rig_make(rig, mf, "820138 83020102 8401A0 8C0306 00 C1");
    both = fs_rig_make(rig, df, "820101 83020103 800101 A503800101 8C05039100 02A2 850100");
    for (size_t i = 0; i < COUNT(published); i++) {
        char fcp[96];
        const struct cos_span object = vector_bytes(section, "%s", published[i].rule);
        snprintf(fcp, sizeof fcp, "820101 83020%zX01 800101", i + 2);
        for (size_t k = 0; k < object.length; k++) {
            snprintf(fcp + strlen(fcp), 3, "%02X", object.data[k]);
        }
        check_file(rig, fs_rig_make(rig, mf, fcp), published[i].conditions);
    }
    fs_rig_remount(rig);
    check_file(rig, mf, df_without);
    check_file(rig, ef, ef_without);
    check_file(rig, df, df_with);
    check_file(rig, both, ef_with);
    fs_rig_close(rig);
    free(rig);
    vectors_close(vectors);
}

/* A rule that has gone bad in the store allows nothing: it is reported. */
static void damaged_rules_are_reported(void **state)
{
    static const struct {
        uint32_t offset;
        uint8_t value;
    } changes[] = {
        {1, 0x01}, /* object shorter than the rule; what follows is no object */
        {1, 0x04}, /* longer than the attributes */
        {2, 0x83}, /* b8 of AM */
        {2, 0x07}, /* one condition more */
        {3, 0x9F}, /* security environment 15 */
    };
    struct fs_rig *rig = malloc(sizeof *rig);
    struct cos_file_info info;

    (void)state;
    fs_rig_open(rig, 4000, 8);
    (void)fs_rig_make(rig, COS_FILE_MF, "820138 83023F00");
    const cos_file file = fs_rig_make(rig, COS_FILE_MF, "820101 83020101 800101 8C03039100");
    assert_int_equal(cos_fs_info(&rig->fs, file, &info), COS_OK);
    for (size_t i = 0; i < COUNT(changes); i++) {
        uint8_t conditions[COS_RULE_MAX], before;
        size_t count;
        struct cos_edit edit = {info.address + changes[i].offset, &changes[i].value, 1};
        assert_int_equal(cos_store_read(&rig->store, edit.address, &before, 1), COS_OK);
        assert_int_equal(cos_store_commit(&rig->store, &edit, 1), COS_OK);
        assert_int_equal(cos_fs_rule(&rig->fs, &info, COS_OPERATION_READ, conditions, &count),
                         COS_E_STORE_DAMAGED);
        edit.data = &before;
        assert_int_equal(cos_store_commit(&rig->store, &edit, 1), COS_OK);
        assert_int_equal(cos_fs_rule(&rig->fs, &info, COS_OPERATION_READ, conditions, &count),
                         COS_OK);
    }
    fs_rig_close(rig);
    free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_rules_mean_what_is_said),
        cmocka_unit_test(several_sets_are_alternatives),
        cmocka_unit_test(conditions_stand_from_b7_to_b1),
        cmocka_unit_test(malformed_rules_are_refused),
        cmocka_unit_test(every_condition_byte_is_judged),
        cmocka_unit_test(files_have_the_rules_they_were_given),
        cmocka_unit_test(damaged_rules_are_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
