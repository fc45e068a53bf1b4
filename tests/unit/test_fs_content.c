/* SPDX-License-Identifier: Apache-2.0
 *
 * Attributes, content and records; random work against a model; cost with many files.
 */
#include "fs_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define MF "820138 83023F00"

/* ---- Attributes ---- */

static void attributes_are_kept_as_given(void **state)
{
    static const struct {
        cos_file file;
        uint32_t tag;
        const char *wanted; /* NULL: none */
    } cases[] = {
        {2, 0x84, "F0000001"}, {2, 0x8C, "060000"}, {3, 0x8C, "039100"}, {9, 0x85, "01"},
        {5, 0x84, "F00000"},   {0, 0x84, NULL},     {2, 0x85, NULL},     {3, 0x83, NULL},
        {4, 0x8C, NULL},       {2, 0x00, NULL},
    };
    struct fs_tree *tree = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t attributes[COS_FS_ATTRIBUTES_MAX], wanted[32];
        struct cos_span found = {NULL, 0};
        const struct cos_file_info info = fs_rig_info(&tree->rig, cases[i].file);
        const enum cos_result result =
            cos_fs_attribute(tree->fs, &info, cases[i].tag, attributes, &found);
        if (cases[i].wanted == NULL) {
            assert_int_equal(result, COS_E_REFERENCE_NOT_FOUND);
        } else {
            assert_int_equal(result, COS_OK);
            assert_int_equal(found.length, fs_rig_hex(cases[i].wanted, wanted, sizeof wanted));
            assert_memory_equal(found.data, wanted, found.length);
        }
    }
    struct cos_file_info forged = fs_rig_info(&tree->rig, 2);
    uint8_t attributes[COS_FS_ATTRIBUTES_MAX];
    struct cos_span found;
    forged.attributes_length = 65;
    assert_int_equal(cos_fs_attribute(tree->fs, &forged, 0x84, attributes, &found),
                     COS_E_INVARIANT);
}

/* ---- Content ---- */

static void content_is_read_and_written_inside_only(void **state)
{
    static const struct {
        cos_file file;
        uint32_t offset;
        size_t length;
        enum cos_result result;
    } cases[] = {
        {3, 0, 32, COS_OK},
        {3, 31, 1, COS_OK},
        {3, 32, 0, COS_OK},
        {3, 0, 0, COS_OK},
        {3, 10, 5, COS_OK},
        {4, 99, 1, COS_OK},
        {3, 0, 33, COS_E_OFFSET},
        {3, 32, 1, COS_E_OFFSET},
        {3, 33, 0, COS_E_OFFSET},
        {3, 31, 2, COS_E_OFFSET},
        {3, 1, SIZE_MAX, COS_E_OFFSET},
        {3, UINT32_MAX, 2, COS_E_OFFSET},
        {4, 100, 1, COS_E_OFFSET},
        {2, 0, 0, COS_E_FILE_STRUCTURE}, /* a DF */
        {2, 0, 1, COS_E_FILE_STRUCTURE},
        {9, 0, 1, COS_E_FILE_STRUCTURE}, /* the production record is not here */
    };
    struct fs_tree *tree = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct cos_file_info info = fs_rig_info(&tree->rig, cases[i].file);
        const bool good = cases[i].result == COS_OK;
        uint8_t data[128], back[128];
        memset(data, (int)(0x10 + i), sizeof data);
        fs_rig_keep(&tree->rig);
        assert_int_equal(cos_fs_update(tree->fs, &info, cases[i].offset, data, cases[i].length),
                         cases[i].result);
        if (!good || cases[i].length == 0) {
            fs_rig_check_kept(&tree->rig);
        }
        assert_int_equal(cos_fs_read(tree->fs, &info, cases[i].offset, back, cases[i].length),
                         cases[i].result);
        if (good) {
            assert_memory_equal(data, back, cases[i].length);
        }
    }
}

static void updates_cost_the_pages_they_touch(void **state)
{
    struct fs_rig *rig = malloc(sizeof *rig);
    uint8_t data[1000] = {1, 2, 3};

    (void)state;
    fs_rig_open(rig, 4000, 4);
    (void)fs_rig_make(rig, COS_FILE_MF, MF);
    const cos_file file = fs_rig_make(rig, COS_FILE_MF, "820101 83020101 800203E8");
    const struct cos_file_info info = fs_rig_info(rig, file);
    for (uint32_t offset = 0; offset < 900; offset += 7) {
        for (uint32_t length = 1; length <= 100; length += 11) {
            const uint32_t at = info.address + offset;
            const uint64_t pages = (at + length - 1) / FS_RIG_PAYLOAD - at / FS_RIG_PAYLOAD + 1;
            const uint64_t before = rig->sim.counts.page_programs;
            assert_int_equal(cos_fs_update(&rig->fs, &info, offset, data, length), COS_OK);
            assert_int_equal(rig->sim.counts.page_programs - before, pages);
        }
    }
    /* More pages than a transaction may touch: all or nothing means nothing. */
    fs_rig_keep(rig);
    assert_int_equal(cos_fs_update(&rig->fs, &info, 0, data, 1000), COS_E_MEMORY_FULL);
    fs_rig_check_kept(rig);
    fs_rig_close(rig);
    free(rig);
}

static void records_are_numbered_from_one(void **state)
{
    static const struct {
        cos_file file;
        unsigned number;
        enum cos_result result;
        uint32_t offset;
    } cases[] = {
        {4, 1, COS_OK, 0},
        {4, 2, COS_OK, 20},
        {4, 5, COS_OK, 80},
        {4, 0, COS_E_RECORD_NOT_FOUND, 0},
        {4, 6, COS_E_RECORD_NOT_FOUND, 0},
        {4, 255, COS_E_RECORD_NOT_FOUND, 0},
        {4, UINT32_MAX, COS_E_RECORD_NOT_FOUND, 0},
        {3, 1, COS_E_FILE_STRUCTURE, 0},
        {2, 1, COS_E_FILE_STRUCTURE, 0},
        {9, 1, COS_E_FILE_STRUCTURE, 0},
    };
    struct fs_tree *tree = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct cos_file_info info = fs_rig_info(&tree->rig, cases[i].file);
        uint32_t offset = 4711;
        assert_int_equal(cos_fs_record(&info, cases[i].number, &offset), cases[i].result);
        assert_int_equal(offset, cases[i].result == COS_OK ? cases[i].offset : 4711);
    }
}

/* ---- A shadow model ---- */

#define MODEL_FILES 60U

struct model {
    unsigned files;
    struct {
        cos_file parent;
        uint16_t fid, size;
        bool df;
        uint8_t content[200];
    } file[MODEL_FILES];
};

static void check_model(const struct fs_rig *rig, const struct model *model)
{
    struct cos_file_info info;
    uint8_t content[200];

    for (unsigned i = 0; i < model->files; i++) {
        cos_file found = COS_FILE_NONE;
        info = fs_rig_info(rig, (cos_file)i);
        assert_int_equal(info.fid, model->file[i].fid);
        assert_int_equal(info.parent, model->file[i].parent);
        assert_int_equal(cos_file_is_df(&info), model->file[i].df);
        assert_int_equal(info.size, model->file[i].size);
        if (i != 0) {
            assert_int_equal(cos_fs_find_child(&rig->fs, info.parent, info.fid, &found), COS_OK);
            assert_int_equal(found, i);
        }
        if (!model->file[i].df) {
            assert_int_equal(cos_fs_read(&rig->fs, &info, 0, content, info.size), COS_OK);
            assert_memory_equal(content, model->file[i].content, info.size);
        }
    }
    assert_int_equal(cos_fs_info(&rig->fs, (cos_file)model->files, &info), COS_E_FILE_NOT_FOUND);
}

static void model_create(struct fs_rig *rig, struct model *model, uint64_t *seed)
{
    const cos_file parent = (cos_file)sim_below(seed, model->files);
    const uint16_t fid = (uint16_t)(0x0100 + sim_below(seed, 30));
    const bool df = sim_below(seed, 3) == 0;
    const uint16_t size = df ? 0 : (uint16_t)(1 + sim_below(seed, 200));
    enum cos_result wanted = model->file[parent].df ? COS_OK : COS_E_FILE_STRUCTURE;
    char fcp[96];
    cos_file file = COS_FILE_NONE;

    for (unsigned i = 1; i < model->files && wanted == COS_OK; i++) {
        if (model->file[i].parent == parent && model->file[i].fid == fid) {
            wanted = COS_E_FILE_EXISTS;
        }
    }
    wanted = wanted == COS_OK && model->files == MODEL_FILES ? COS_E_MEMORY_FULL : wanted;
    if (df) {
        snprintf(fcp, sizeof fcp, "820138 8302%04X 8404%08X", fid, (unsigned)sim_random(seed));
    } else {
        snprintf(fcp, sizeof fcp, "820101 8302%04X 8002%04X 8C03039000", fid, size);
    }
    assert_int_equal(fs_rig_create(rig, parent, fcp, &file), wanted);
    if (wanted == COS_OK) {
        assert_int_equal(file, model->files);
        memset(&model->file[file], 0, sizeof model->file[file]);
        model->file[file].parent = parent;
        model->file[file].fid = fid;
        model->file[file].size = size;
        model->file[file].df = df;
        model->files++;
    }
}

static void model_update(struct fs_rig *rig, struct model *model, uint64_t *seed)
{
    const cos_file file = (cos_file)sim_below(seed, model->files);
    const struct cos_file_info info = fs_rig_info(rig, file);
    uint8_t data[256];
    const uint32_t offset = sim_below(seed, 220), length = sim_below(seed, 60);
    enum cos_result wanted = offset + length <= info.size ? COS_OK : COS_E_OFFSET;

    wanted = model->file[file].df ? COS_E_FILE_STRUCTURE : wanted;
    for (uint32_t i = 0; i < length; i++) {
        data[i] = (uint8_t)sim_random(seed);
    }
    assert_int_equal(cos_fs_update(&rig->fs, &info, offset, data, length), wanted);
    if (wanted == COS_OK) {
        memcpy(model->file[file].content + offset, data, length);
    }
}

static void random_work_follows_the_model(void **state)
{
    (void)state;
    for (uint64_t run = 1; run <= 8; run++) {
        struct fs_rig *rig = malloc(sizeof *rig);
        struct model *model = calloc(1, sizeof *model);
        uint64_t seed = run;
        fs_rig_open(rig, 20000, MODEL_FILES);
        (void)fs_rig_make(rig, COS_FILE_MF, MF);
        model->files = 1;
        model->file[0].fid = 0x3F00;
        model->file[0].df = true;
        for (unsigned step = 0; step < 2500; step++) {
            const uint32_t what = sim_below(&seed, 100);
            if (what < 25) {
                model_create(rig, model, &seed);
            } else if (what < 90) {
                model_update(rig, model, &seed);
            } else if (what < 97) {
                assert_int_equal(cos_store_settle(&rig->store), COS_OK);
            } else {
                fs_rig_remount(rig);
                check_model(rig, model);
            }
        }
        check_model(rig, model);
        fs_rig_remount(rig);
        check_model(rig, model);
        assert_int_equal(model->files, MODEL_FILES);
        fs_rig_close(rig);
        free(rig);
        free(model);
    }
}

/* ---- Cost ---- */

/* Not a limit that somebody set, but one that a walk through the whole table keeps well. */
static void a_thousand_files_are_found(void **state)
{
    struct fs_rig *rig = malloc(sizeof *rig);
    cos_file file = 0;
    uint64_t reads, bytes;

    (void)state;
    fs_rig_open(rig, 40000, 1000);
    (void)fs_rig_make(rig, COS_FILE_MF, MF);
    for (unsigned i = 1; i < 1000; i++) {
        char fcp[64];
        uint64_t before = rig->sim.counts.page_programs;
        snprintf(fcp, sizeof fcp, "820101 8302%04X 800108", 0x1000 + i);
        assert_int_equal(fs_rig_make(rig, COS_FILE_MF, fcp), i);
        before = rig->sim.counts.page_programs - before;
        assert_true(before >= 1 && before <= 2);
    }
    reads = rig->reads;
    bytes = rig->bytes_read;
    assert_int_equal(cos_fs_find_child(&rig->fs, COS_FILE_MF, 0x1000 + 999, &file), COS_OK);
    assert_int_equal(file, 999);
    reads = rig->reads - reads;
    bytes = rig->bytes_read - bytes;
    assert_true(reads <= 1000 / 3 + 2 && bytes <= 1000 * 24);
    printf("# finding the last of 1,000 files: %u reads, %u bytes\n", (unsigned)reads,
           (unsigned)bytes);
    reads = rig->reads;
    assert_int_equal(cos_fs_find_child(&rig->fs, COS_FILE_MF, 0x1001, &file), COS_OK);
    assert_int_equal(rig->reads - reads, 1);
    fs_rig_close(rig);
    free(rig);
}

#define TREE_TEST(name) cmocka_unit_test_setup_teardown(name, fs_tree_plant, fs_tree_fell)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TREE_TEST(attributes_are_kept_as_given),
        TREE_TEST(content_is_read_and_written_inside_only),
        cmocka_unit_test(updates_cost_the_pages_they_touch),
        TREE_TEST(records_are_numbered_from_one),
        cmocka_unit_test(random_work_follows_the_model),
        cmocka_unit_test(a_thousand_files_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
