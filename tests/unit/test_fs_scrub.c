/* SPDX-License-Identifier: Apache-2.0
 *
 * What was deleted or erased is not to be found in NVM once the store has settled, wherever it
 * stood before and however it got to where it was deleted.
 */
#include "fs_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MF "820138 83023F00"

static const uint8_t secret[12] = {0xC3, 0x5A, 0x81, 0x7E, 0x19, 0xE4,
                                   0x66, 0xB2, 0x0D, 0x93, 0xF8, 0x27};
static const uint8_t zeros[64];

static unsigned copies(const struct fs_rig *rig)
{
    unsigned count = 0;

    for (uint32_t at = 0; at + sizeof secret <= rig->nvm.geometry.size; at++) {
        count += memcmp(rig->sim.cells + at, secret, sizeof secret) == 0;
    }
    return count;
}

static struct fs_rig *open_card(void)
{
    struct fs_rig *rig = malloc(sizeof *rig);

    fs_rig_open_shape(
        rig, &(struct fs_rig_shape){.heap = 8000, .files = 8, .reserve = 10, .scrub = true});
    /* As on the app chip: what edits ask for is scrubbed, and no page of the file system's for its
     * own sake. */
    rig->store_config.scrub_from = (uint16_t)(rig->store_config.pages - rig->store_config.reserve);
    rig->store.config.scrub_from = rig->store_config.scrub_from;
    (void)fs_rig_make(rig, COS_FILE_NONE, MF);
    return rig;
}

/* Nothing is left after the answer, and if power goes before that, after the next start. */
static void must_be_gone(struct fs_rig *rig, bool cut)
{
    if (cut) {
        fs_rig_remount(rig);
    }
    assert_int_equal(cos_store_settle(&rig->store), COS_OK);
    assert_int_equal(copies(rig), 0);
}

static void close_card(struct fs_rig *rig)
{
    fs_rig_close(rig);
    free(rig);
}

/* Each write with its answer, as on a card. */
static void settled(struct fs_rig *rig, enum cos_result result)
{
    assert_int_equal(result, COS_OK);
    assert_int_equal(cos_store_settle(&rig->store), COS_OK);
}

/* The ring's end lies between the records: two runs. */
static void records_round_the_end_of_the_ring_are_scrubbed(void **state)
{
    (void)state;
    for (unsigned cut = 0; cut < 2; cut++) {
        struct fs_rig *rig = open_card();
        const cos_file file = fs_rig_make(rig, COS_FILE_MF, "82050621000C04 83020101");
        const struct cos_file_info info = fs_rig_info(rig, file);
        for (unsigned i = 0; i < 4; i++) { /* slots 1, 2, 3, 0 */
            settled(rig,
                    cos_fs_record_append(&rig->fs, &info, i < 2 ? zeros : secret, sizeof secret));
        }
        assert_true(copies(rig) > 1);
        assert_int_equal(cos_fs_record_erase(&rig->fs, &info, 1, 2), COS_OK);
        must_be_gone(rig, cut != 0);
        close_card(rig);
    }
}

/* Content that was overwritten with 00 leaves nothing to be set to 00, but older copies. */
static void pages_that_are_zero_already_are_scrubbed(void **state)
{
    (void)state;
    for (unsigned how = 0; how < 4; how++) {
        struct fs_rig *rig = open_card();
        const cos_file file = fs_rig_make(rig, COS_FILE_MF, "820101 83020101 80021000 8800");
        const struct cos_file_info info = fs_rig_info(rig, file);
        settled(rig, cos_fs_update(&rig->fs, &info, 1000, secret, sizeof secret));
        settled(rig, cos_fs_update(&rig->fs, &info, 1000, zeros, sizeof secret));
        assert_true(copies(rig) > 0);
        assert_int_equal((how & 1) != 0 ? cos_fs_delete(&rig->fs, file)
                                        : cos_fs_erase(&rig->fs, &info, 0, info.size),
                         COS_OK);
        must_be_gone(rig, (how & 2) != 0);
        close_card(rig);
    }
}

/* An object that had to make way, and one that outgrew its place, were somewhere else before. */
static void objects_that_were_moved_are_scrubbed(void **state)
{
    static uint8_t filler[650];

    (void)state;
    memset(filler, 0x11, sizeof filler);
    for (unsigned how = 0; how < 4; how++) {
        struct fs_rig *rig = open_card();
        const cos_file file = fs_rig_make(rig, COS_FILE_MF, "820139 83020101 800203E8");
        const struct cos_file_info info = fs_rig_info(rig, file);
        settled(rig, cos_fs_object_put(&rig->fs, &info, 0xC0, (struct cos_span){filler, 300}));
        settled(rig,
                cos_fs_object_put(&rig->fs, &info, 0xC1, (struct cos_span){secret, sizeof secret}));
        if ((how & 1) != 0) {
            /* The rooms before C1 and behind C2 are too short for C0: C1 makes way. */
            settled(rig, cos_fs_object_put(&rig->fs, &info, 0xC2, (struct cos_span){filler, 650}));
            settled(rig, cos_fs_object_delete(&rig->fs, &info, 0xC0));
            settled(rig, cos_fs_object_put(&rig->fs, &info, 0xC0, (struct cos_span){filler, 320}));
        } else {
            /* C1 stays where it is until it grows over C2, which is longer than a page. */
            uint8_t longer[100] = {0};
            settled(rig, cos_fs_object_put(&rig->fs, &info, 0xC2, (struct cos_span){filler, 250}));
            memcpy(longer, secret, sizeof secret);
            settled(rig, cos_fs_object_put(&rig->fs, &info, 0xC1,
                                           (struct cos_span){longer, sizeof longer}));
        }
        assert_true(copies(rig) > 0);
        assert_int_equal(cos_fs_object_delete(&rig->fs, &info, 0xC1), COS_OK);
        must_be_gone(rig, (how & 2) != 0);
        close_card(rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_round_the_end_of_the_ring_are_scrubbed),
        cmocka_unit_test(pages_that_are_zero_already_are_scrubbed),
        cmocka_unit_test(objects_that_were_moved_are_scrubbed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
