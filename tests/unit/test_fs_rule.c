/* SPDX-License-Identifier: Apache-2.0
 *
 * Which rule decides over an access to a file (src/fs/access.c), over files that stand in a table
 * here: cos_fs_info() and its like are this test's own, and can fail at each call.
 */
#include "cos/fs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fs_rule_files.h"

/* ---- Asking ---- */

static const struct cos_fs fs;

static enum cos_result ask(cos_file file, const struct cos_access *access,
                           uint8_t condition[COS_RULE_MAX], size_t *length)
{
    struct cos_writer writer = cos_writer(condition, COS_RULE_MAX);
    struct cos_file_info info;
    const unsigned calls = calls_left;

    calls_left = 0;
    assert_int_equal(cos_fs_info(&fs, file, &info), COS_OK);
    calls_left = calls;
    const enum cos_result result = cos_fs_rule(&fs, &info, access, &writer);
    *length = writer.length;
    return result;
}

/* One file and what decides over it. */
struct row {
    cos_file file;
    unsigned operation;
    uint32_t object;
    const char *condition;
};

static void check(const struct row *row, uint8_t environment)
{
    const struct cos_access access = {.operation = (enum cos_operation)row->operation,
                                      .object = row->object,
                                      .header = {0x00, 0xD4, 0x00, 0x00},
                                      .environment = environment};
    uint8_t condition[COS_RULE_MAX], wanted[COS_RULE_MAX];
    size_t length;

    const size_t wanted_length = from_hex(row->condition, wanted, sizeof wanted);
    assert_int_equal(ask(row->file, &access, condition, &length), COS_OK);
    if (length != wanted_length || memcmp(condition, wanted, length) != 0) {
        fail_msg("file %u, operation %02X, object %X: not %s but %zu bytes %02X%02X%02X...",
                 row->file, row->operation, (unsigned)row->object, row->condition, length,
                 condition[0], condition[1], condition[2]);
    }
}

static void check_rows(const struct row *rows, size_t count, uint8_t environment)
{
    for (size_t i = 0; i < count; i++) {
        check(&rows[i], environment);
    }
}

static void change(cos_file file, struct file to)
{
    changed_file = file;
    changed = to;
}

static int forget(void **state)
{
    (void)state;
    changed_file = 0;
    calls_left = 0;
    record_size = 0;
    return 0;
}

/* ---- The tests ---- */

static void files_without_a_rule_may_be_read(void **state)
{
    static const struct row rows[] = {
        {1, 0x01, 0, "9000"}, {1, 0x02, 0, "9700"}, {1, 0x04, 0, "9700"}, {1, 0x08, 0, "9700"},
        {1, 0x10, 0, "9700"}, {1, 0x20, 0, "9700"}, {1, 0x40, 0, "9700"}, {2, 0x01, 0, "9700"},
        {2, 0x02, 0, "9700"}, {2, 0x04, 0, "9700"}, {2, 0x08, 0, "9700"}, {2, 0x40, 0, "9700"},
    };

    (void)state;
    check_rows(rows, COUNT(rows), 1);
}

static void files_have_the_rules_they_were_given(void **state)
{
    static const struct row rows[] = {
        {3, 0x01, 0, "9E0190 9000"}, {3, 0x02, 0, "9E0191"},
        {3, 0x04, 0, "9700"},                              /* not listed: never */
        {4, 0x01, 0, "9E0192 9000"}, {4, 0x40, 0, "9000"}, /* the header filter */
        {0, 0x02, 0, "9E0191"},      {0, 0x08, 0, "9700"},
        {0, 0x10, 0, "9700"},
    };

    (void)state;
    check_rows(rows, COUNT(rows), 1);
}

static void references_lead_to_the_nearest_record(void **state)
{
    static const struct row rows[] = {
        {5, 0x01, 0, "9E0122"},                               /* one byte: of 2F06 in the MF */
        {5, 0x04, 0, "9700"},                                 /* which does not list it */
        {6, 0x02, 0, "9E0122"},                               /* upwards */
        {7, 0x01, 0, "9E0141"},                               /* a DF: in itself */
        {7, 0x40, 0, "9E0142"},      {8, 0x01, 0, "9E0141"},  /* FID and record */
        {9, 0x01, 0, "9000"},                                 /* another FID, upwards */
        {10, 0x01, 0, "A403830181"}, {11, 0x01, 0, "9E0141"}, /* a DF that has none itself */
    };
    static const struct row in_environment_2 = {10, 0x01, 0, "9E0141"};
    static const struct row in_environment_4 = {10, 0x01, 0, "9700"};

    (void)state;
    check_rows(rows, COUNT(rows), 1);
    check(&in_environment_2, 2);
    check(&in_environment_4, 4); /* not among the pairs */
}

static void references_that_lead_nowhere_allow_nothing(void **state)
{
    static const char *const references[] = {
        "8B00",
        "8B0103" /* a record that is no rule */,
        "8B0104",
        "8B0100",
        "8B01FF",
        "8B022F06",
        "8B032F0604",
        "8B035F0601" /* no such file */,
        "8B03000101" /* no records */,
        "8B03000201" /* a DF */,
        "8B042F060201" /* another environment */,
        "8B052F06010102",
        "8B042F060100",
    };
    const struct row row = {5, 0x01, 0, "9700"};

    (void)state;
    for (size_t i = 0; i < COUNT(references); i++) {
        change(5, (struct file){0x0005, 0, 0x01, ON, 0, references[i], {NULL}});
        check(&row, 1);
    }
}

/* The nearest EF.ARR counts even if it is of no use: it is not passed over. */
static void an_unusable_arr_allows_nothing(void **state)
{
    static const struct file useless[] = {
        {0x2F06, 7, 0x04, COS_LCS_DEACTIVATED, 0, "", {"800101 9000"}},
        {0x2F06, 7, 0x04, COS_LCS_CREATION, 0, "", {"800101 9000"}},
        {0x2F06, 7, 0x04, COS_LCS_TERMINATED, 0, "", {"800101 9000"}},
        {0x2F06, 7, 0x04, ON, COS_FS_SOURCE_VAULT, "", {"800101 9000"}},
        {0x2F06, 7, 0x05, ON, 0, "", {"800101 9000"}}, /* SIMPLE-TLV records */
        {0x2F06, 7, 0x01, ON, 0, "", {"800101 9000"}},
        {0x2F06, 7, 0x38, ON, 0, "", {"800101 9000"}},
        {0x2F06, 7, 0x04, ON, 0, "", {"800101 90"}},
        {0x2F06, 7, 0x04, ON, 0, "", {"0000 800101 9000"}},
        {0x2F06, 7, 0x04, ON, 0, "", {"FFFF"}},
        {0x2F06, 7, 0x04, ON, 0, "", {NULL}},
    };
    static const struct file useful = {0x2F06, 7, 0x44, ON, 0, "", {"800101 9000"}};
    const struct row never = {8, 0x01, 0, "9700"}, always = {8, 0x01, 0, "9000"};

    (void)state;
    for (size_t i = 0; i < COUNT(useless); i++) {
        change(21, useless[i]);
        check(&never, 1);
    }
    change(21, useful);
    check(&always, 1);
    record_size = COS_FS_ATTRIBUTES_MAX; /* padded */
    check(&always, 1);
    record_size++;
    check(&never, 1);
}

static void before_activation_the_rule_for_creating_decides(void **state)
{
    /* The DF lets EFs be made after PIN 1 and DFs after PIN 2; its own ACTIVATE is free, for
     * itself. */
    static const struct file parent = {
        0x0002, 0, 0x38, ON, 0, "AB16 800102 9E0191 800104 9E0192 800110 9000 8401D4 9000", {NULL}};
    static const uint8_t states[] = {COS_LCS_CREATION, COS_LCS_INITIALISATION};
    static const struct row ef[] = {
        {6, 0x01, 0, "9E0191"}, {6, 0x02, 0, "9E0191"},    {6, 0x10, 0, "9E0191"},
        {6, 0x40, 0, "9E0191"}, {6, 0x01, 0x53, "9E0191"}, {6, 0x02, 0x53, "9E0191"},
    };

    (void)state;
    assert_int_equal(files[6].parent, 2);
    for (size_t i = 0; i < COUNT(states); i++) {
        struct cos_file_info info;
        uint8_t condition[COS_RULE_MAX];
        changed_file = 2;
        changed = parent;
        assert_int_equal(cos_fs_info(&fs, 6, &info), COS_OK);
        for (size_t k = 0; k < 2 * COUNT(ef); k++) {
            const struct cos_access access = {.operation = (enum cos_operation)ef[k / 2].operation,
                                              .object = ef[k / 2].object,
                                              .header = {0x00, 0xD4, 0x00, 0x00},
                                              .environment = 1};
            struct cos_writer writer = cos_writer(condition, sizeof condition);
            info.life_cycle_status = states[i];
            info.fdb = k % 2 == 0 ? 0x01 : 0x38;
            assert_int_equal(cos_fs_rule(&fs, &info, &access, &writer), COS_OK);
            assert_int_equal(writer.length, 3);
            assert_int_equal(condition[2], k % 2 == 0 ? 0x91 : 0x92);
        }
    }
}

/* A header filter of the DF means CREATE FILE, not what is done with the new file. */
static void a_filter_for_creating_is_asked_for_create_file(void **state)
{
    const struct cos_access activate = {.operation = COS_OPERATION_ACTIVATE,
                                        .header = {0x00, 0x44, 0x00, 0x00}};
    static const struct {
        const char *attributes;
        uint8_t wanted;
    } rows[] = {{"AB05 8401E0 9000", 0x90},
                {"AB05 840144 9000", 0x97},
                {"AB08 8F0400E00000 9000", 0x90},
                {"AB08 8F0400440000 9000", 0x97}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t condition[COS_RULE_MAX];
        struct cos_writer writer = cos_writer(condition, sizeof condition);
        struct cos_file_info info;
        change(2, (struct file){0x0002, 0, 0x38, ON, 0, rows[i].attributes, {NULL}});
        assert_int_equal(cos_fs_info(&fs, 6, &info), COS_OK);
        info.life_cycle_status = COS_LCS_CREATION;
        assert_int_equal(cos_fs_rule(&fs, &info, &activate, &writer), COS_OK);
        assert_int_equal(writer.length, 2);
        assert_int_equal(condition[0], rows[i].wanted);
    }
}

/* If the DF is being made, too, the rule for creating it decides; for the MF, secure messaging. */
static void the_rule_for_creating_may_stand_further_up(void **state)
{
    static const struct row below = {6, 0x01, 0, "9E0191"};
    const struct cos_access read = {.operation = COS_OPERATION_READ};
    uint8_t condition[COS_RULE_MAX];
    struct cos_file_info info;

    (void)state;
    change(2, (struct file){0x0002, 0, 0x38, COS_LCS_CREATION, 0, "8C0107FF", {NULL}});
    assert_int_equal(cos_fs_info(&fs, 6, &info), COS_OK);
    for (unsigned i = 0; i < 2; i++) {
        struct cos_writer writer = cos_writer(condition, sizeof condition);
        info.life_cycle_status = i == 0 ? COS_LCS_CREATION : COS_LCS_INITIALISATION;
        assert_int_equal(cos_fs_rule(&fs, &info, &read, &writer), COS_OK);
        assert_int_equal(writer.length, 3);
        assert_memory_equal(condition, "\x9E\x01\x91", 3); /* create DF in the MF */
    }
    change(6, (struct file){0x0006, 0, 0x01, COS_LCS_CREATION, 0, "8C0201FF", {NULL}});
    check(&below, 1);
    assert_int_equal(cos_fs_info(&fs, 0, &info), COS_OK);
    info.life_cycle_status = COS_LCS_CREATION;
    struct cos_writer writer = cos_writer(condition, sizeof condition);
    assert_int_equal(cos_fs_rule(&fs, &info, &read, &writer), COS_OK);
    assert_int_equal(writer.length, 3);
    assert_memory_equal(condition, "\x9E\x01\xC0", 3);
}

static void data_objects_have_rules_of_their_own(void **state)
{
    static const struct row rows[] = {
        {2, 0x01, 0x53, "9000"}, /* DF without A0: read by everybody, */
        {2, 0x02, 0x53, "9700"}, /* written by whoever may create EFs */
        {0, 0x01, 0x53, "9000"},        {0, 0x02, 0x53, "9E0191"},
        {3, 0x01, 0x53, "9E0190 9000"}, /* EF without A0: as reading, updating */
        {3, 0x02, 0x53, "9E0191"},      {1, 0x01, 0x53, "9000"},
        {1, 0x02, 0x53, "9700"},
    };

    (void)state;
    check_rows(rows, COUNT(rows), 1);
    static const struct row with[] = {
        {1, 0x01, 0x53, "9000"},   {1, 0x02, 0x53, "9E0191"},
        {1, 0x01, 0x54, "9E0193"}, {1, 0x02, 0x54, "9E0194"},
        {1, 0x04, 0x54, "9700"},   {1, 0x01, 0, "9E0195"}, /* the file itself */
    };
    static const char attributes[] =
        "8C020195 A018 5C0153 8C03039100 5C00 AB0C 800101 9E0193 800102 9E0194";
    for (unsigned i = 0; i < 2; i++) {
        change(1, (struct file){0x0001, 0, i == 0 ? 0x39 : 0x38, ON, 0, attributes, {NULL}});
        check_rows(with, COUNT(with), 1);
    }
}

static void malformed_rules_in_the_store_are_reported(void **state)
{
    static const struct {
        const char *attributes;
        uint32_t object;
        enum cos_result result;
    } rows[] = {
        {"8C020100", 0, COS_OK},
        {"8C0103", 0, COS_E_STORE_DAMAGED},
        {"8C028100", 0, COS_E_STORE_DAMAGED},
        {"8C02019F", 0, COS_E_STORE_DAMAGED},
        {"8C0401000F", 0, COS_E_STORE_DAMAGED},
        {"AB03800101", 0, COS_E_STORE_DAMAGED},
        {"AB00", 0, COS_E_STORE_DAMAGED},
        {"A003 5C0153", 0x53, COS_E_STORE_DAMAGED},
        {"8C050100", 0, COS_E_STORE_DAMAGED}, /* reaches past the end */
    };
    const struct cos_access read = {.operation = COS_OPERATION_READ};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cos_access access = read;
        uint8_t condition[COS_RULE_MAX];
        size_t length;
        access.object = rows[i].object;
        change(1, (struct file){0x0001, 0, 0x01, ON, 0, rows[i].attributes, {NULL}});
        assert_int_equal(ask(1, &access, condition, &length), rows[i].result);
    }
}

/* Whatever fails on the way is reported: no fault becomes a rule. */
static void faults_are_reported(void **state)
{
    static const struct row rows[] = {{1, 0x01, 0, ""},  {3, 0x02, 0x53, ""}, {4, 0x01, 0, ""},
                                      {6, 0x01, 0, ""},  {7, 0x01, 0, ""},    {9, 0x01, 0, ""},
                                      {11, 0x01, 0, ""}, {2, 0x02, 0x53, ""}};
    unsigned faults = 0;

    (void)state;
    change(3, (struct file){0x0003, 2, 0x01, COS_LCS_CREATION, 0, "", {NULL}});
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct cos_access access = {.operation = (enum cos_operation)rows[i].operation,
                                          .object = rows[i].object};
        enum cos_result result = COS_E_NVM;
        for (unsigned at = 1; result != COS_OK; at++) {
            uint8_t condition[COS_RULE_MAX];
            size_t length;
            calls_left = at;
            result = ask(rows[i].file, &access, condition, &length);
            faults += result != COS_OK;
            assert_true(calls_left == 0 ? result == COS_E_NVM : result == COS_OK);
        }
    }
    assert_true(faults > 40);
}

/* DFs that go round in a circle, as no store can have them. */
static void circles_come_to_an_end(void **state)
{
    const struct cos_access read = {.operation = COS_OPERATION_READ};
    uint8_t condition[COS_RULE_MAX];
    size_t length;

    (void)state;
    change(2, (struct file){0x0002, 2, 0x38, COS_LCS_CREATION, 0, "", {NULL}});
    assert_int_equal(ask(2, &read, condition, &length), COS_E_STORE_DAMAGED);
    change(2, (struct file){0x0002, 2, 0x38, ON, 0, "8B032F0601", {NULL}});
    assert_int_equal(ask(2, &read, condition, &length), COS_OK);
    assert_int_equal(length, 2);
    assert_int_equal(condition[0], 0x97);
}

#define TEST(function) cmocka_unit_test_setup(function, forget)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_without_a_rule_may_be_read),
        TEST(files_have_the_rules_they_were_given),
        TEST(references_lead_to_the_nearest_record),
        TEST(references_that_lead_nowhere_allow_nothing),
        TEST(an_unusable_arr_allows_nothing),
        TEST(before_activation_the_rule_for_creating_decides),
        TEST(a_filter_for_creating_is_asked_for_create_file),
        TEST(the_rule_for_creating_may_stand_further_up),
        TEST(data_objects_have_rules_of_their_own),
        TEST(malformed_rules_in_the_store_are_reported),
        TEST(faults_are_reported),
        TEST(circles_come_to_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
