/* SPDX-License-Identifier: Apache-2.0
 *
 * A card for the tests of FCP templates.
 */
#ifndef FCP_HELPERS_H
#define FCP_HELPERS_H

#include "fs_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array)    (sizeof(array) / sizeof(array)[0])
#define CARD_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* Each test has a card of its own: MF, EF 0101 with SFI 1, DF 4F00 named A000000001. */
struct card {
    struct fs_rig rig;
    cos_file df;
};

static inline int set_up(void **state)
{
    struct card *card = malloc(sizeof *card);

    assert_non_null(card);
    fs_rig_open_shape(&card->rig, &(struct fs_rig_shape){.heap = 40000, .files = 64});
    (void)fs_rig_make(&card->rig, COS_FILE_NONE, "820138 83023F00");
    (void)fs_rig_make(&card->rig, COS_FILE_MF, "820101 83020101 80020010 880108");
    card->df = fs_rig_make(&card->rig, COS_FILE_MF, "820138 83024F00 8405A000000001");
    *state = card;
    return 0;
}

static inline int tear_down(void **state)
{
    struct card *card = *state;

    fs_rig_close(&card->rig);
    free(card);
    return 0;
}

static inline void check_fcp(struct fs_rig *rig, cos_file file, const uint8_t *wanted,
                             size_t length)
{
    uint8_t bytes[512];
    struct cos_writer writer = cos_writer(bytes, sizeof bytes);
    const struct cos_file_info info = fs_rig_info(rig, file);

    assert_int_equal(cos_fs_write_fcp(&rig->fs, &info, &writer), COS_OK);
    assert_int_equal(writer.length, length);
    assert_memory_equal(bytes, wanted, length);
    /* No byte less will do, and a byte less never overflows. */
    for (size_t room = 0; room < length; room++) {
        uint8_t *exact = malloc(room + 1);
        writer = cos_writer(exact, room);
        assert_int_equal(cos_fs_write_fcp(&rig->fs, &info, &writer), COS_E_END_OF_DATA);
        free(exact);
    }
}

#endif
