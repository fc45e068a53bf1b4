/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules of files on a real store: EF.ARR whose records come, change and go, rules from CREATE FILE
 * to cos_fs_rule(), and files on their way to activation.
 */
#include "fs_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void check(struct fs_rig *rig, cos_file file, unsigned operation, uint32_t object,
                  const char *wanted)
{
    const struct cos_file_info info = fs_rig_info(rig, file);
    const struct cos_access access = {
        .operation = (enum cos_operation)operation,
        .object = object,
        .environment = 1,
    };
    uint8_t condition[COS_RULE_MAX], bytes[COS_RULE_MAX];
    struct cos_writer writer = cos_writer(condition, sizeof condition);
    const size_t length = fs_rig_hex(wanted, bytes, sizeof bytes);

    assert_int_equal(cos_fs_rule(&rig->fs, &info, &access, &writer), COS_OK);
    assert_int_equal(writer.length, length);
    assert_memory_equal(condition, bytes, length);
}

static void append(struct fs_rig *rig, cos_file file, const char *record)
{
    const struct cos_file_info info = fs_rig_info(rig, file);
    uint8_t bytes[200];
    const size_t length = fs_rig_hex(record, bytes, sizeof bytes);

    assert_int_equal(cos_fs_record_append(&rig->fs, &info, bytes, length), COS_OK);
}

static int open_rig(void **state)
{
    struct fs_rig *rig = malloc(sizeof *rig);

    fs_rig_open(rig, 6000, 24);
    *state = rig;
    return 0;
}

static int close_rig(void **state)
{
    fs_rig_close(*state);
    free(*state);
    return 0;
}

/* Each structure that EF.ARR may have. */
static void records_are_rules(void **state)
{
    static const char *const arrs[] = {
        "8205 0221000B 04 83022F06",            /* linear fixed */
        "8206 0421000B 0004 83022F06 80020040", /* linear variable */
    };
    struct fs_rig *rig = *state;

    const cos_file mf = fs_rig_make(rig, COS_FILE_MF, "820138 83023F00 8C03069191");
    const cos_file df = fs_rig_make(rig, mf, "820138 83025100 8B0102");
    const cos_file ef = fs_rig_make(rig, df, "820101 83020101 800101 8B0101");
    for (size_t i = 0; i < COUNT(arrs); i++) {
        check(rig, ef, 0x01, 0, "9700"); /* there is none */
        const cos_file arr = fs_rig_make(rig, mf, arrs[i]);
        const struct cos_file_info info = fs_rig_info(rig, arr);
        const bool variable = cos_file_is_variable(&info);
        check(rig, ef, 0x01, 0, "9700"); /* nothing was written */
        if (variable) {
            append(rig, arr, "8001039E0191");
            append(rig, arr, "8001079E0192");
        } else {
            uint8_t record[11];
            memset(record, 0xFF, sizeof record);
            memcpy(record, "\x80\x01\x03\x9E\x01\x91", 6);
            assert_int_equal(cos_fs_record_update(&rig->fs, &info, 1, record, sizeof record),
                             COS_OK);
            record[2] = 0x07;
            record[5] = 0x92;
            assert_int_equal(cos_fs_record_update(&rig->fs, &info, 2, record, sizeof record),
                             COS_OK);
        }
        fs_rig_remount(rig);
        check(rig, ef, 0x01, 0, "9E0191");
        check(rig, ef, 0x40, 0, "9700");
        check(rig, df, 0x04, 0, "9E0192");
        /* In force as soon as it is written. */
        assert_int_equal(cos_fs_record_patch(&rig->fs, &info, 1, 5, (const uint8_t[]){0x93}, 1),
                         COS_OK);
        check(rig, ef, 0x01, 0, "9E0193");
        assert_int_equal(cos_fs_set_life_cycle(&rig->fs, arr, COS_LCS_DEACTIVATED), COS_OK);
        check(rig, ef, 0x01, 0, "9700");
        assert_int_equal(cos_fs_set_life_cycle(&rig->fs, arr, COS_LCS_ACTIVATED), COS_OK);
        check(rig, ef, 0x01, 0, "9E0193");
        assert_int_equal(cos_fs_delete(&rig->fs, arr), COS_OK);
    }
    check(rig, ef, 0x01, 0, "9700");
}

static void the_nearest_arr_counts(void **state)
{
    struct fs_rig *rig = *state;

    const cos_file mf = fs_rig_make(rig, COS_FILE_MF, "820138 83023F00");
    const cos_file upper = fs_rig_make(rig, mf, "8206 0421000B 0002 83022F06 80020020");
    append(rig, upper, "8001019000");
    const cos_file df = fs_rig_make(rig, mf, "820138 83025100 8B0101");
    const cos_file inner = fs_rig_make(rig, df, "820138 83025200");
    const cos_file ef = fs_rig_make(rig, inner, "820101 83020101 800101 8B0101");
    check(rig, ef, 0x01, 0, "9000");
    const cos_file lower = fs_rig_make(rig, df, "8206 0421000B 0002 83022F06 80020020");
    check(rig, ef, 0x01, 0, "9700"); /* it has no record yet, and hides the other */
    append(rig, lower, "8001019E0191");
    check(rig, ef, 0x01, 0, "9E0191");
    check(rig, df, 0x01, 0, "9E0191"); /* a DF looks in itself first */
}

/* From creation to activation, the way of a card that is being personalized. */
static void rules_come_into_force_with_activation(void **state)
{
    struct fs_rig *rig = *state;

    const cos_file mf = fs_rig_make(rig, COS_FILE_MF, "820138 83023F00 8A0101 8B0101");
    check(rig, mf, 0x02, 0, "9E01C0");
    check(rig, mf, 0x10, 0, "9E01C0");
    const cos_file arr =
        fs_rig_make(rig, mf, "8206 0421000C 0002 83022F06 80020020 8A0103 8C0303FFFF");
    check(rig, arr, 0x02, 0, "9E01C0");
    append(rig, arr, "8001029E0191 8001059E0192");
    check(rig, arr, 0x02, 0, "9E01C0");
    assert_int_equal(cos_fs_set_life_cycle(&rig->fs, arr, COS_LCS_ACTIVATED), COS_OK);
    check(rig, arr, 0x02, 0, "9700");
    assert_int_equal(cos_fs_set_life_cycle(&rig->fs, mf, COS_LCS_INITIALISATION), COS_OK);
    check(rig, mf, 0x02, 0, "9E01C0");
    assert_int_equal(cos_fs_set_life_cycle(&rig->fs, mf, COS_LCS_ACTIVATED), COS_OK);
    check(rig, mf, 0x02, 0, "9E0191");
    const cos_file df = fs_rig_make(rig, mf, "820138 83025100 8A0101 8C0407FFFFFF");
    const cos_file ef = fs_rig_make(rig, df, "820101 83020101 800101 8A0101 8C020100");
    check(rig, df, 0x10, 0, "9E0192");
    check(rig, ef, 0x01, 0, "9E0192"); /* DF of the DF */
    fs_rig_remount(rig);
    check(rig, ef, 0x01, 0, "9E0192");
    assert_int_equal(cos_fs_set_life_cycle(&rig->fs, df, COS_LCS_ACTIVATED), COS_OK);
    check(rig, ef, 0x01, 0, "9700");
    assert_int_equal(cos_fs_set_life_cycle(&rig->fs, ef, COS_LCS_ACTIVATED), COS_OK);
    check(rig, ef, 0x01, 0, "9000");
}

static void rules_of_data_objects_are_kept(void **state)
{
    struct fs_rig *rig = *state;

    const cos_file mf = fs_rig_make(rig, COS_FILE_MF, "820138 83023F00 8C020291");
    const cos_file df = fs_rig_make(
        rig, mf, "820138 83025100 81020040 A011 5C0153 8C03039100 5C00 AB05 8001019000");
    const cos_file ef = fs_rig_make(rig, mf, "820139 83020101 80020040 8C03039291");
    fs_rig_remount(rig);
    check(rig, mf, 0x01, 0x53, "9000");
    check(rig, mf, 0x02, 0x53, "9E0191");
    check(rig, df, 0x01, 0x53, "9000");
    check(rig, df, 0x02, 0x53, "9E0191");
    check(rig, df, 0x01, 0x5F2D, "9000");
    check(rig, df, 0x02, 0x5F2D, "9700");
    check(rig, ef, 0x01, 0x53, "9E0191");
    check(rig, ef, 0x02, 0x53, "9E0192");
}

/* What could not be read later is not stored. */
static void malformed_rules_are_not_stored(void **state)
{
    static const char *const rules[] = {
        "8C0100",
        "8C020180",
        "AB03800101",
        "AB05 8001809000",
        "AB06 80010100 9000",
        "A003 5C0153",
        "A006 8C0201005C00",
        "A007 5C015F 8C020100",
        "A00C 5C00 8C020100 5C00 8C020100",
        "A007 5C00 00 8C0201 00",
        "8B021234",
        "8B0512345678 9A",
        "8C020100 AB05 8001019000",
    };
    struct fs_rig *rig = *state;
    char fcp[128];
    cos_file file;

    const cos_file mf = fs_rig_make(rig, COS_FILE_MF, "820138 83023F00");
    fs_rig_keep(rig);
    for (size_t i = 0; i < COUNT(rules); i++) {
        snprintf(fcp, sizeof fcp, "820101 83020101 800101 %s", rules[i]);
        assert_int_equal(fs_rig_create(rig, mf, fcp, &file), COS_E_DATA);
        fs_rig_check_kept(rig);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, open_rig, close_rig)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(records_are_rules),
        TEST(the_nearest_arr_counts),
        TEST(rules_come_into_force_with_activation),
        TEST(rules_of_data_objects_are_kept),
        TEST(malformed_rules_are_not_stored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
