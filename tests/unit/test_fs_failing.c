/* SPDX-License-Identifier: Apache-2.0
 *
 * Files on an NVM whose reads fail.
 */
#include "fs_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One call of each kind on the undamaged tree. */
static enum cos_result one_call(struct fs_tree *tree, unsigned which,
                                const struct cos_file_info *df, const struct cos_file_info *ef)
{
    static const struct cos_span name = {(const uint8_t *)"\xC1", 1};
    static const struct cos_span path = {(const uint8_t *)"\x51\x00\x52\x00\x01\x05", 6};
    const struct cos_access access = {.operation = COS_OPERATION_CREATE_EF};
    uint8_t bytes[256], rule[COS_RULE_MAX];
    struct cos_writer writer = cos_writer(which == 8 ? bytes : rule, sizeof rule);
    struct cos_file_info info;
    struct cos_fs other;
    struct cos_span found;
    uint32_t cursor = 0;
    bool below;
    cos_file file;

    switch (which) {
    case 0:
        return cos_fs_mount(&other, &tree->rig.store, &tree->rig.config);
    case 1:
        return cos_fs_info(tree->fs, tree->file[5], &info);
    case 2:
        return cos_fs_find_child(tree->fs, 0, 0x0102, &file);
    case 3:
        return cos_fs_find_sfi(tree->fs, tree->file[2], 2, &file);
    case 4:
        return cos_fs_find_fid(tree->fs, tree->file[7], 0x0105, &file);
    case 5:
        return cos_fs_find_path(tree->fs, 0, path, &file);
    case 6:
        return cos_fs_find_name(tree->fs, name, COS_OCCURRENCE_LAST, 0, &file);
    case 7:
        return cos_fs_attribute(tree->fs, df, 0x84, bytes, &found);
    case 8:
        return cos_fs_write_fcp(tree->fs, df, &writer);
    case 9:
        return cos_fs_read(tree->fs, ef, 0, bytes, 32);
    case 10:
        return cos_fs_rule(tree->fs, df, &access, &writer);
    case 11:
        return cos_fs_is_below(tree->fs, tree->file[7], 0, &below);
    case 12:
        return cos_fs_next(tree->fs, &cursor, &file, &info);
    case 13:
        return fs_rig_create(&tree->rig, 0, "820138 83026000 8401EE", &file);
    case 14:
        return cos_fs_set_life_cycle(tree->fs, tree->file[1], COS_LCS_DEACTIVATED);
    case 15:
        return cos_fs_erase(tree->fs, ef, 0, 32);
    default:
        return cos_fs_delete(tree->fs, tree->file[2]);
    }
}

static void a_failing_nvm_is_reported(void **state)
{
    struct fs_tree *tree = *state;
    const struct cos_file_info df = fs_rig_info(&tree->rig, tree->file[2]);
    const struct cos_file_info ef = fs_rig_info(&tree->rig, tree->file[3]);

    for (unsigned which = 0; which <= 16; which++) {
        enum cos_result result = COS_E_NVM;
        const bool writes = which >= 13;
        uint64_t reads;
        for (reads = 0; result == COS_E_NVM; reads++) {
            assert_true(reads < 5000);
            tree->rig.reads_left = FS_RIG_NO_LIMIT;
            if (writes) { /* a commit that failed wants a new start */
                fs_rig_remount(&tree->rig);
                fs_check(&tree->rig);
            }
            tree->rig.reads_left = reads;
            result = one_call(tree, which, &df, &ef);
        }
        tree->rig.reads_left = FS_RIG_NO_LIMIT;
        /* A commit that could not read back what it wrote may be complete at the next start. */
        assert_true(result == COS_OK || (which == 13 && result == COS_E_FILE_EXISTS) ||
                    (which == 16 && result == COS_E_FILE_NOT_FOUND));
        assert_true(reads > 1);
    }
    fs_rig_remount(&tree->rig);
    cos_file file;
    assert_int_equal(cos_fs_find_child(tree->fs, 0, 0x6000, &file), COS_OK);
    assert_int_equal(cos_fs_find_child(tree->fs, 0, 0x5100, &file), COS_E_FILE_NOT_FOUND);
    fs_check(&tree->rig);
}

#define TREE_TEST(name) cmocka_unit_test_setup_teardown(name, fs_tree_plant, fs_tree_fell)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TREE_TEST(a_failing_nvm_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
