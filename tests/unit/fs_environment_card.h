/* SPDX-License-Identifier: Apache-2.0
 *
 * A DF with security environments, for test_fs_environment.c and test_fs_environment_file.c.
 */
#ifndef FS_ENVIRONMENT_CARD_H
#define FS_ENVIRONMENT_CARD_H

#include "fs_rig.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Environment 1 has everything, in an order of its own: PIN 82, key 85, sessions under keys 01,
 * enciphered both ways. 2 has one reference for both kinds of authentication, 3 a session. */
#define CONTENT                                                                                    \
    "7B1D 800101 B8039501B0 A406830182950108 A406950180830185 B403830101"                          \
    "7B08 800102 A403830103"                                                                       \
    "7B08 800103 B403950110"
#define PIN_82 "A406 830182 950108"
#define KEY_85 "A406 830185 950180"
#define MAC_01 "B406 830101 950110"
#define CRYPT  "B806 830100 950130"

enum { EF_SIZE = 400, CONDITION_MAX = COS_RULE_MAX };

/* ---- A DF 5100 with 8D, and its EF 0E01 ---- */

struct card {
    struct fs_rig rig;
    cos_file mf, df, ef;
};

static enum cos_result ask(const struct card *card, cos_file file, unsigned operation,
                           uint32_t object, uint8_t condition[CONDITION_MAX], size_t *length)
{
    const struct cos_file_info info = fs_rig_info(&card->rig, file);
    const struct cos_access access = {
        .operation = (enum cos_operation)operation, .object = object, .environment = 1};
    struct cos_writer writer = cos_writer(condition, CONDITION_MAX);

    const enum cos_result result = cos_fs_rule(&card->rig.fs, &info, &access, &writer);
    *length = writer.length;
    return result;
}

static void check_object(const struct card *card, cos_file file, unsigned operation,
                         uint32_t object, const char *wanted)
{
    uint8_t condition[CONDITION_MAX], bytes[CONDITION_MAX];
    size_t length;

    const size_t count = fs_rig_hex(wanted, bytes, sizeof bytes);
    assert_int_equal(ask(card, file, operation, object, condition, &length), COS_OK);
    assert_int_equal(length, count);
    assert_memory_equal(condition, bytes, count);
}

static void check(const struct card *card, cos_file file, unsigned operation, const char *wanted)
{
    check_object(card, file, operation, 0, wanted);
}

/* An EF in a DF that is there for one question: READ. */
static void check_rule(struct card *card, cos_file df, const char *rule, const char *wanted)
{
    char fcp[400];

    snprintf(fcp, sizeof fcp, "820101 83020101 800101 %s", rule);
    const cos_file file = fs_rig_make(&card->rig, df, fcp);
    check(card, file, COS_OPERATION_READ, wanted);
    assert_int_equal(cos_fs_delete(&card->rig.fs, file), COS_OK);
}

static void write_content(struct card *card, cos_file ef, const char *content)
{
    const struct cos_file_info info = fs_rig_info(&card->rig, ef);
    uint8_t bytes[EF_SIZE];
    const size_t length = fs_rig_hex(content, bytes, sizeof bytes);

    assert_int_equal(cos_fs_erase(&card->rig.fs, &info, 0, info.size), COS_OK);
    assert_int_equal(cos_fs_update(&card->rig.fs, &info, 0, bytes, length), COS_OK);
}

static int open_card(void **state)
{
    struct card *card = malloc(sizeof *card);

    fs_rig_open(&card->rig, 8000, 40);
    card->mf = fs_rig_make(&card->rig, COS_FILE_MF, "820138 83023F00");
    card->df = fs_rig_make(&card->rig, card->mf, "820138 83025100 8D020E01 8C06 1F9100000091");
    card->ef = fs_rig_make(&card->rig, card->df, "820101 83020E01 80020190 8C020100");
    write_content(card, card->ef, CONTENT);
    *state = card;
    return 0;
}

static int close_card(void **state)
{
    struct card *card = *state;

    fs_rig_close(&card->rig);
    free(card);
    return 0;
}

#endif
