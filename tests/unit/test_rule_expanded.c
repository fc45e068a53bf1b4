/* SPDX-License-Identifier: Apache-2.0
 *
 * Access rules as text (ISO/IEC 7816-4:2013, 9.3.3): expanded, and of data objects.
 */
#include "fs_rig.h"
#include "rule_rig.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- Expanded ---- */

#define OPERATION(bit)                                                                             \
    {                                                                                              \
        .operation = (enum cos_operation)(bit), .header = { 0x00, 0xB0, 0x81, 0x05 }               \
    }

static void expanded_rules_mean_what_they_list(void **state)
{
    static const struct {
        const char *rule;
        struct cos_access access;
        const char *condition;
    } rows[] = {
        {"80 01 01 90 00", OPERATION(0x01), "9000"},
        {"80 01 01 90 00", OPERATION(0x02), ""},
        {"80 01 7F 97 00", OPERATION(0x40), "9700"},
        /* several SC-DOs; several AM-DOs for one operation */
        {"80 01 03 9E 01 91 A4 03 83 01 81", OPERATION(0x02), "9E0191 A403830181"},
        {"80 01 01 9E 01 91 80 01 02 97 00 80 01 03 9E 01 92", OPERATION(0x01), "9E0191 9E0192"},
        {"80 01 01 9E 01 91 80 01 02 97 00 80 01 03 9E 01 92", OPERATION(0x02), "9700 9E0192"},
        {"80 01 01 9E 01 91 80 01 02 97 00 80 01 03 9E 01 92", OPERATION(0x04), ""},
        {"80 01 02 AF 08 9E 01 91 B4 03 95 01 10 FF FF 00", OPERATION(0x02),
         "AF08 9E0191 B403950110"},
        /* header filters: the header is 00 B0 81 05 whatever the operation */
        {"84 01 B0 90 00", OPERATION(0x40), "9000"},
        {"84 01 B1 90 00", OPERATION(0x01), ""},
        {"84 03 20 B1 B0 90 00", OPERATION(0x01), "9000"}, /* a list of INS */
        {"88 01 00 90 00", OPERATION(0x01), "9000"},
        {"88 01 80 90 00", OPERATION(0x01), ""},
        {"82 01 81 90 00", OPERATION(0x01), "9000"},
        {"81 01 05 90 00", OPERATION(0x01), "9000"},
        {"81 01 81 90 00", OPERATION(0x01), ""},
        {"87 03 B0 81 05 90 00", OPERATION(0x01), "9000"},
        {"87 03 B0 81 06 90 00", OPERATION(0x01), ""},
        {"8A 02 00 81 90 00", OPERATION(0x01), "9000"}, /* CLA and P1 */
        {"85 04 20 05 B0 05 90 00", OPERATION(0x01), "9000"},
        {"85 04 B0 04 05 B0 90 00", OPERATION(0x01), ""}, /* B0 05 only across pairs */
        {"85 04 20 B0 05 20 90 00", OPERATION(0x01), ""},
        {"8F 04 00 B0 81 05 90 00", OPERATION(0x01), "9000"},
        {"8F 08 00 B0 81 06 00 B0 81 05 90 00", OPERATION(0x01), "9000"},
        {"8F 04 00 B0 80 05 90 00", OPERATION(0x01), ""},
        {"80 01 02 9E 01 91 84 01 B0 9E 01 92 80 01 01 9E 01 93", OPERATION(0x01), "9E0192 9E0193"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t bytes[RULE_BYTES];
        const size_t length = fs_rig_hex(rows[i].rule, bytes, sizeof bytes);
        assert_int_equal(rule_check(cos_rule_check_expanded, bytes, length), COS_OK);
        rule_means(cos_rule_expanded, rows[i].rule, &rows[i].access, rows[i].condition);
    }
}

/* Record 1 of the EF.ARR of a real card. */
static void a_published_record_means_what_is_said(void **state)
{
    static const struct {
        struct cos_access access;
        const char *condition;
    } rows[] = {
        {OPERATION(COS_OPERATION_READ), "A40683010A950108"},
        {OPERATION(COS_OPERATION_UPDATE), "9000"},
        {OPERATION(COS_OPERATION_WRITE), "9000"},
        {OPERATION(COS_OPERATION_DEACTIVATE), ""},
        {OPERATION(COS_OPERATION_ACTIVATE), ""},
        {OPERATION(COS_OPERATION_TERMINATE), "9700"},
        {OPERATION(COS_OPERATION_DELETE), "9700"},
        {{.operation = COS_OPERATION_ACTIVATE, .header = {0x80, 0xD4, 0x00, 0x00}},
         "A40683010A950108"},
    };
    static const char record[] = "800101A40683010A950108 8001069000 8001609700 "
                                 "8401D4A40683010A950108";
    struct vectors *vectors = vectors_open("iso7816-4-fcp.txt");
    const struct cos_span rule =
        vector_bytes(vectors_section(vectors, "EF.ARR record 1 (expanded format)"), "rule");
    uint8_t bytes[RULE_BYTES];

    (void)state;
    assert_int_equal(fs_rig_hex(record, bytes, sizeof bytes), rule.length);
    assert_memory_equal(bytes, rule.data, rule.length);
    assert_int_equal(rule_check(cos_rule_check_expanded, rule.data, rule.length), COS_OK);
    for (size_t i = 0; i < COUNT(rows); i++) {
        rule_means(cos_rule_expanded, record, &rows[i].access, rows[i].condition);
    }
    vectors_close(vectors);
}

static void malformed_expanded_rules_are_refused(void **state)
{
    static const char *const rules[] = {
        "",
        "00 00 00", /* a record that nobody wrote */
        "FF FF",
        "80 01 01", /* nothing behind the AM-DO */
        "80 01 01 80 01 02 90 00",
        "80 01 01 90 00 80 01 02",
        "80 01 01 90 00 84 01 B0 00 00",
        "90 00", /* no AM-DO */
        "90 00 80 01 01 90 00",
        "80 00 90 00", /* AM byte */
        "80 02 01 02 90 00",
        "80 01 00 90 00",
        "80 01 80 90 00",
        "80 01 81 90 00",
        "84 00 90 00", /* header filters */
        "85 01 B0 90 00",
        "85 03 B0 00 B0 90 00",
        "8F 05 00 B0 00 00 00 90 00",
        "87 04 B0 00 00 B0 90 00",
        "9C 01 01 90 00", /* other AM-DOs */
        "A1 01 01 90 00",
        "80 01 01 9C 01 01",
        "80 01 01 90 00 9C 01 01 90 00",
        "80 01 01 90 00 91 00",
        "80 01 01 9E 01 0F", /* SC-DOs */
        "80 01 01 A0 00",
        "80 01 40 A4 03 95 01 08",
        "80 01 01 90 00 80 01 02 A7 02 90",
        "80 01 01 90 00 80 01 02 90 01 00",
        "00 80 01 01 90 00", /* padding before the last */
        "80 01 01 00 90 00",
        "80 01 01 90 00 FF 97 00",
        "80 01 01 90 00 00 80 01 02 97 00",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rules); i++) {
        rule_is_refused(cos_rule_check_expanded, cos_rule_expanded, rules[i]);
    }
}

/* As many bytes of SC-DOs as a condition has room for, for one operation or several. */
static void expanded_rules_have_a_longest(void **state)
{
    const struct cos_access access = {.operation = COS_OPERATION_READ};
    uint8_t rule[RULE_BYTES] = {0x80, 0x01, 0x01}, condition[COS_RULE_MAX], room[4];
    size_t length = 3, written;

    (void)state;
    for (size_t i = 0; i < COS_RULE_MAX; i += 3) {
        memcpy(rule + length, "\x9E\x01\x91", 3);
        length += 3;
    }
    assert_int_equal(rule_check(cos_rule_check_expanded, rule, length), COS_OK);
    assert_int_equal(rule_read(cos_rule_expanded, rule, length, &access, condition, &written),
                     COS_OK);
    assert_int_equal(written, COS_RULE_MAX);
    assert_memory_equal(condition, rule + 3, COS_RULE_MAX);
    memcpy(rule + length, "\x80\x01\x02\x90\x00", 5);
    assert_int_equal(rule_check(cos_rule_check_expanded, rule, length + 5), COS_E_DATA);
    /* A writer that has less room gets nothing. */
    struct cos_writer writer = cos_writer(room, sizeof room);
    assert_int_equal(cos_rule_expanded((struct cos_span){rule, length}, &access, &writer),
                     COS_E_MEMORY_FULL);
    assert_int_equal(writer.length, 0);
    assert_false(writer.failed);
}

/* ---- Of data objects ---- */

#define OBJECT(bit, tag)                                                                           \
    {                                                                                              \
        .operation = (enum cos_operation)(bit), .object = (tag)                                    \
    }

static void rules_of_data_objects_go_by_the_tag(void **state)
{
    static const char two[] = "5C 03 53 5F2D 8C 03 03 91 00  5C 00 8C 02 01 92";
    static const char three[] = "5C 04 7F8121 53 AB 05 80 01 03 97 00  5C 01 53 8C 02 02 90"
                                " 5C 00 AB 05 80 01 02 90 00  5C 02 5F50 8C 02 01 00";
    static const struct {
        const char *rule;
        struct cos_access access;
        const char *condition;
    } rows[] = {
        {two, OBJECT(0x01, 0x53), "9000"},
        {two, OBJECT(0x02, 0x5F2D), "9E0191"},
        {two, OBJECT(0x01, 0x2D), "9E0192"},
        {two, OBJECT(0x01, 0x5F), "9E0192"},
        {two, OBJECT(0x02, 0x54), ""},
        {two, OBJECT(0x04, 0x53), ""},
        {three, OBJECT(0x01, 0x7F8121), "9700"},
        {three, OBJECT(0x02, 0x7F8121), "9700"},
        {three, OBJECT(0x01, 0x53), "9700"},
        {three, OBJECT(0x02, 0x53), "9700 9E0190"},
        {three, OBJECT(0x02, 0x7F49), "9000"},
        {three, OBJECT(0x01, 0x21), ""},
        {three, OBJECT(0x01, 0x5F50), "9000"},
        {three, OBJECT(0x02, 0x5F50), ""},
        {"5C 01 53 8C 02 01 00", OBJECT(0x01, 0x53), "9000"},
        {"5C 01 53 8C 02 01 00 00 FF", OBJECT(0x01, 0x54), ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t bytes[RULE_BYTES];
        const size_t length = fs_rig_hex(rows[i].rule, bytes, sizeof bytes);
        assert_int_equal(rule_check(cos_rule_check_objects, bytes, length), COS_OK);
        rule_means(cos_rule_objects, rows[i].rule, &rows[i].access, rows[i].condition);
    }
}

static void malformed_rules_of_data_objects_are_refused(void **state)
{
    static const char *const rules[] = {
        "",
        "00",
        "5C 01 53",
        "5C 00",
        "8C 02 01 00",
        "8C 02 01 00 5C 01 53",
        "5C 01 53 5C 00 8C 02 01 00",
        "5C 01 53 8B 01 01", /* no reference */
        "5C 01 53 8C 02 01 0F",
        "5C 01 54 8C 02 01 0F", /* of another tag, too */
        "5C 01 53 AB 03 80 01 01",
        "5C 01 53 AB 02 01 00",
        "5C 01 53 8C 00",
        "5C 01 5F 8C 02 01 00", /* half a tag */
        "5C 02 5F81 8C 02 01 00",
        "5C 02 5F1E 8C 02 01 00",
        "5C 01 00 8C 02 01 00",
        "5C 01 53 8C 02 01 00 5C 00 8C 02 01 00 5C 00 8C 02 01 00", /* two for all others */
        "5C 01 53 8C 02 01 00 00 5C 00 8C 02 01 00",
        "5C 01 53 00 8C 02 01 00",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rules); i++) {
        rule_is_refused(cos_rule_check_objects, cos_rule_objects, rules[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expanded_rules_mean_what_they_list),
        cmocka_unit_test(a_published_record_means_what_is_said),
        cmocka_unit_test(malformed_expanded_rules_are_refused),
        cmocka_unit_test(expanded_rules_have_a_longest),
        cmocka_unit_test(rules_of_data_objects_go_by_the_tag),
        cmocka_unit_test(malformed_rules_of_data_objects_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
