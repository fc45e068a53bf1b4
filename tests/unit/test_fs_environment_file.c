/* SPDX-License-Identifier: Apache-2.0
 *
 * Which EF with security environments an access rule means (src/fs/environment.c), on a real store,
 * and what comes out if it cannot be read or was altered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fs_environment_card.h"

static void append(struct card *card, cos_file ef, const char *record)
{
    const struct cos_file_info info = fs_rig_info(&card->rig, ef);
    uint8_t bytes[EF_SIZE];
    const size_t length = fs_rig_hex(record, bytes, sizeof bytes);

    assert_int_equal(cos_fs_record_append(&card->rig.fs, &info, bytes, length), COS_OK);
}

/* ---- Which EF ---- */

static void every_kind_of_ef_of_bytes_may_hold_environments(void **state)
{
    static const struct {
        const char *fcp;
        bool fixed, good;
    } rows[] = {
        {"8204 02210020 83020E02 80020080", true, true},
        {"8206 04210080 0004 83020E02 80020100", false, true},
        {"8204 06210020 83020E02 80020080", true, true},
        {"8204 03210020 83020E02 80020080", true, false},
        {"8206 05210080 0004 83020E02 80020100", false, false},
    };
    static const char *const records[] = {"7B08 800103 B403950110", "7B0B 800101 A406830182950108"};
    struct card *card = *state;

    const cos_file df = fs_rig_make(&card->rig, card->mf, "820138 83025300 8D020E02");
    for (size_t i = 0; i < COUNT(rows); i++) {
        const cos_file ef = fs_rig_make(&card->rig, df, rows[i].fcp);
        check_rule(card, df, "8C020191", "9700");
        if (!rows[i].fixed) {
            append(card, ef, "");
        }
        for (size_t j = 0; j < COUNT(records); j++) {
            uint8_t bytes[32];
            char padded[80];
            const size_t length = fs_rig_hex(records[j], bytes, sizeof bytes);
            int at = snprintf(padded, sizeof padded, "%s", records[j]);
            for (size_t k = length; rows[i].fixed && k < 32; k++) {
                at += snprintf(padded + at, sizeof padded - (size_t)at, "FF");
            }
            append(card, ef, padded);
        }
        check_rule(card, df, "8C020191", rows[i].good ? PIN_82 : "9700");
        check_rule(card, df, "8C0201C3", rows[i].good ? "B406 830100 950110" : "9700");
        check_rule(card, df, "8C020195", "9700");
        assert_int_equal(cos_fs_delete(&card->rig.fs, ef), COS_OK);
    }
}

static void an_ef_of_no_use_allows_nothing(void **state)
{
    static const char *const efs[] = {
        "820138 83020E02",                              /* a DF */
        "820139 83020E02 80020080",                     /* data objects */
        "820101 83020E02 80020080 850101",              /* not of bytes of its own */
        "820101 83020E02 80020080 850103",              /* nor is this */
        "820101 83020E02 80020080 8A0101",              /* being made */
        "820101 83020E02 80020080 8A0104",              /* deactivated */
        "820101 83020E03 80020080",                     /* another */
        "8206 042100C8 0004 83020E02 80020100 8C020100" /* to get a record that is too long */
    };
    struct card *card = *state;

    const cos_file df = fs_rig_make(&card->rig, card->mf, "820138 83025300 8D020E02");
    check_rule(card, df, "8C020191", "9700"); /* there is none at all */
    for (size_t i = 0; i < COUNT(efs); i++) {
        const cos_file ef = fs_rig_make(&card->rig, df, efs[i]);
        const struct cos_file_info info = fs_rig_info(&card->rig, ef);
        if (info.source == COS_FS_SOURCE_CONTENT && info.fdb == COS_FDB_TRANSPARENT) {
            write_content(card, ef, CONTENT);
        } else if (cos_file_has_records(&info)) {
            uint8_t record[129] = {0x7B, 0x0B, 0x80, 0x01, 0x01, 0xA4, 0x06,
                                   0x83, 0x01, 0x82, 0x95, 0x01, 0x08};
            assert_int_equal(cos_fs_record_append(&card->rig.fs, &info, record, 128), COS_OK);
            check_rule(card, df, "8C020191", PIN_82);
            assert_int_equal(cos_fs_record_update(&card->rig.fs, &info, 1, record, 129), COS_OK);
        }
        check_rule(card, df, "8C020191", "9700");
        check_rule(card, df, "8C020190", "9E0190");
        assert_int_equal(cos_fs_delete(&card->rig.fs, ef), COS_OK);
    }
}

static void the_nearest_df_with_environments_counts(void **state)
{
    struct card *card = *state;

    check_rule(card, card->mf, "8C020191", "9E0191"); /* no DF has 8D */
    const cos_file plain = fs_rig_make(&card->rig, card->mf, "820138 83025400 8C0201A1");
    check(card, plain, COS_OPERATION_DELETE_CHILD, "9E01A1");
    /* A DF's own rule: its own environments. */
    check(card, card->df, COS_OPERATION_DELETE_CHILD, PIN_82);
    check(card, card->df, COS_OPERATION_CREATE_EF, "9000");
    /* Upwards. */
    const cos_file inner = fs_rig_make(&card->rig, card->df, "820138 83025200 8C0201A1");
    const cos_file deep = fs_rig_make(&card->rig, inner, "820138 83025200 8D020E01 8C0201A1");
    check(card, inner, COS_OPERATION_DELETE_CHILD, KEY_85);
    check_rule(card, inner, "8C020191", PIN_82);
    /* It hides those above, even if there is no such child. */
    check(card, deep, COS_OPERATION_DELETE_CHILD, "9700");
    check_rule(card, deep, "8C020191", "9700");
    const cos_file ef = fs_rig_make(&card->rig, deep, "820101 83020E01 80020190");
    check_rule(card, deep, "8C020191", "9700");
    write_content(card, ef, "7B08 800101 A403830107");
    check_rule(card, deep, "8C020191", "A406 830107 950108");
    check(card, deep, COS_OPERATION_DELETE_CHILD, "A406 830107 950180");
    fs_rig_remount(&card->rig);
    check(card, deep, COS_OPERATION_DELETE_CHILD, "A406 830107 950180");
    /* What is written is in force; what is deleted is not replaced by numbers. */
    write_content(card, card->ef, "7B08 800101 A403830106");
    check_rule(card, inner, "8C020191", "A406 830106 950108");
    assert_int_equal(cos_fs_delete(&card->rig.fs, card->ef), COS_OK);
    check_rule(card, inner, "8C020191", "9700");
}

static void the_mf_may_have_environments(void **state)
{
    struct card *card = *state;

    fs_rig_close(&card->rig);
    fs_rig_open(&card->rig, 8000, 40);
    card->mf = fs_rig_make(&card->rig, COS_FILE_MF, "820138 83023F00 8D020E01 8C03039291");
    check(card, card->mf, COS_OPERATION_DELETE_CHILD, "9700");
    card->ef = fs_rig_make(&card->rig, card->mf, "820101 83020E01 80020190 8C020100");
    write_content(card, card->ef, CONTENT);
    check(card, card->mf, COS_OPERATION_DELETE_CHILD, PIN_82);
    check(card, card->mf, COS_OPERATION_CREATE_EF, "A406 830103 950108");
    card->df = fs_rig_make(&card->rig, card->mf, "820138 83025100");
    check_rule(card, card->df, "8C0201B1", "AF10" PIN_82 KEY_85);
}

/* A rule from elsewhere is for the file that refers to it, or that is asked about. */
static void other_rules_use_the_environments_of_the_file(void **state)
{
    struct card *card = *state;

    const cos_file arr =
        fs_rig_make(&card->rig, card->mf, "8206 04210020 0002 83022F06 80020040 8C020100");
    append(card, arr, "8001019E0191");
    check_rule(card, card->mf, "8B0101", "9E0191");
    check_rule(card, card->df, "8B0101", PIN_82);
    check_rule(card, card->df, "8B042F06 0101", PIN_82);
    /* Data objects. */
    const cos_file objects = fs_rig_make(
        &card->rig, card->df, "820138 83025200 81020020 A00F 5C0153 8C03039291 5C00 8C03039190");
    check_object(card, objects, COS_OPERATION_GET_DATA, 0x53, PIN_82);
    check_object(card, objects, COS_OPERATION_PUT_DATA, 0x53, "A406 830103 950108");
    check_object(card, objects, COS_OPERATION_GET_DATA, 0x54, "9E0190");
    /* While a file is being made, its DF decides, by environments of its own. */
    const cos_file made =
        fs_rig_make(&card->rig, card->df, "820138 83025300 8A0101 8D020E01 8C0201A1");
    check(card, made, COS_OPERATION_DELETE_CHILD, "9000");
    const cos_file strict = fs_rig_make(&card->rig, card->df, "820138 83025400 8C03069191");
    const cos_file child = fs_rig_make(&card->rig, strict, "820101 83020101 800101 8A0101");
    check(card, child, COS_OPERATION_READ, PIN_82);
}

/* The security chip decides over it by its own copy of the rule, and has no environments. */
static void files_in_the_vault_are_left_as_they_are(void **state)
{
    static const char fcp[] = "820101 83020101 800101 850102 8C020191";
    struct card *card = *state;
    uint8_t bytes[64];
    cos_file file;

    const struct cos_span value = {bytes, fs_rig_hex(fcp, bytes, sizeof bytes)};
    assert_int_equal(cos_fs_prepare_create(&card->rig.fs, card->df, value, 1, 1, &file), COS_OK);
    assert_int_equal(cos_fs_finish(&card->rig.fs, true), COS_OK);
    check(card, file, COS_OPERATION_READ, "9E0191");
}

/* ---- Whatever happens ---- */

static void the_writer_keeps_what_it_had(void **state)
{
    static const uint8_t wanted[] = {0x77, 0x78, 0xA4, 0x06, 0x83, 0x01, 0x82, 0x95, 0x01, 0x08};
    static const uint8_t never[] = {0x77, 0x78, 0x97, 0x00};
    static const struct cos_access access = {.operation = COS_OPERATION_READ};
    struct card *card = *state;
    uint8_t bytes[CONDITION_MAX] = {0x77, 0x78};

    const cos_file file = fs_rig_make(&card->rig, card->df, "820101 83020101 800101 8C020191");
    const struct cos_file_info info = fs_rig_info(&card->rig, file);
    for (size_t capacity = 5; capacity <= 10; capacity++) {
        struct cos_writer writer = cos_writer(bytes, capacity);
        writer.length = 2;
        assert_int_equal(cos_fs_rule(&card->rig.fs, &info, &access, &writer), COS_OK);
        assert_int_equal(writer.length, capacity < 10 ? 4 : 10); /* no room: never */
        assert_memory_equal(bytes, capacity < 10 ? never : wanted, writer.length);
    }
}

/* Whatever cannot be read is an error of the command: no fault becomes a rule. */
static void faults_are_reported(void **state)
{
    static const char *const rules[] = {"8C020191", "8C0401B10192", "AB08 800101 A703 9E0191"};
    struct card *card = *state;
    unsigned faults = 0;

    const cos_file inner = fs_rig_make(&card->rig, card->df, "820138 83025200");
    const cos_file df = fs_rig_make(&card->rig, card->mf, "820138 83025300 8D020E02");
    const cos_file ef = fs_rig_make(&card->rig, df, "8206 04210080 0004 83020E02 80020100");
    append(card, ef, "7B08 800102 A403830103");
    append(card, ef, "7B0B 800101 A406830182950188");
    for (size_t i = 0; i < 2 * COUNT(rules); i++) {
        uint8_t wanted[CONDITION_MAX], condition[CONDITION_MAX];
        size_t wanted_length, length;
        char fcp[100];
        snprintf(fcp, sizeof fcp, "820101 83020101 800101 %s", rules[i / 2]);
        const cos_file file = fs_rig_make(&card->rig, i % 2 == 0 ? inner : df, fcp);
        assert_int_equal(ask(card, file, COS_OPERATION_READ, 0, wanted, &wanted_length), COS_OK);
        const struct cos_file_info info = fs_rig_info(&card->rig, file);
        enum cos_result result = COS_E_NVM;
        for (uint64_t at = 0; result != COS_OK; at++) {
            static const struct cos_access access = {.operation = COS_OPERATION_READ};
            struct cos_writer writer = cos_writer(condition, sizeof condition);
            card->rig.reads_left = at;
            result = cos_fs_rule(&card->rig.fs, &info, &access, &writer);
            length = writer.length;
            faults += result != COS_OK;
            assert_true(result == COS_OK || result == COS_E_NVM);
        }
        card->rig.reads_left = FS_RIG_NO_LIMIT;
        assert_int_equal(length, wanted_length);
        assert_memory_equal(condition, wanted, length);
        assert_int_equal(cos_fs_delete(&card->rig.fs, file), COS_OK);
    }
    assert_true(faults > 50);
}

/* Any byte of the EF may be any other: what comes out can be evaluated, and never says always. */
static void damaged_content_gives_a_condition(void **state)
{
    struct card *card = *state;
    uint8_t content[EF_SIZE], condition[CONDITION_MAX];
    size_t written;

    const size_t length = fs_rig_hex(CONTENT, content, sizeof content);
    const struct cos_file_info ef = fs_rig_info(&card->rig, card->ef);
    const cos_file file =
        fs_rig_make(&card->rig, card->df, "820101 83020101 800101 8C0601910171 01A2");
    for (size_t at = 0; at < length; at++) {
        for (unsigned bit = 0; bit < 10; bit++) {
            const uint8_t byte = bit < 8 ? (uint8_t)(content[at] ^ 1U << bit) : bit == 8 ? 0 : 0xFF;
            assert_int_equal(cos_fs_update(&card->rig.fs, &ef, (uint32_t)at, &byte, 1), COS_OK);
            assert_int_equal(ask(card, file, COS_OPERATION_READ, 0, condition, &written), COS_OK);
            const struct cos_span whole = {condition, written};
            assert_int_equal(cos_rule_check_condition(whole), COS_OK);
            assert_int_not_equal(cos_rule_plain(whole), COS_RULE_ALWAYS);
            for (size_t i = 0; i < written; i++) {
                assert_int_not_equal(condition[i], 0x9E); /* no number is left */
            }
        }
        assert_int_equal(cos_fs_update(&card->rig.fs, &ef, (uint32_t)at, &content[at], 1), COS_OK);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, open_card, close_card)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_kind_of_ef_of_bytes_may_hold_environments),
        TEST(an_ef_of_no_use_allows_nothing),
        TEST(the_nearest_df_with_environments_counts),
        TEST(the_mf_may_have_environments),
        TEST(other_rules_use_the_environments_of_the_file),
        TEST(files_in_the_vault_are_left_as_they_are),
        TEST(the_writer_keeps_what_it_had),
        TEST(faults_are_reported),
        TEST(damaged_content_gives_a_condition),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
