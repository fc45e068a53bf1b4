/* SPDX-License-Identifier: Apache-2.0
 *
 * Attributes and transparent content; random work of every kind against a model.
 */
#include "fs_check.h"

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
        unsigned file;
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
        const struct cos_file_info info = fs_rig_info(&tree->rig, tree->file[cases[i].file]);
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
    struct cos_file_info forged = fs_rig_info(&tree->rig, tree->file[2]);
    uint8_t attributes[COS_FS_ATTRIBUTES_MAX];
    struct cos_span found;
    forged.attributes_length = 129;
    assert_int_equal(cos_fs_attribute(tree->fs, &forged, 0x84, attributes, &found),
                     COS_E_INVARIANT);
}

/* ---- Content ---- */

static void content_is_read_and_written_inside_only(void **state)
{
    static const struct {
        unsigned file;
        uint32_t offset;
        size_t length;
        enum cos_result result;
    } cases[] = {
        {3, 0, 32, COS_OK},
        {3, 31, 1, COS_OK},
        {3, 32, 0, COS_OK},
        {3, 0, 0, COS_OK},
        {3, 10, 5, COS_OK},
        {3, 0, 33, COS_E_OFFSET},
        {3, 32, 1, COS_E_OFFSET},
        {3, 33, 0, COS_E_OFFSET},
        {3, 31, 2, COS_E_OFFSET},
        {3, 1, SIZE_MAX, COS_E_OFFSET},
        {3, UINT32_MAX, 2, COS_E_OFFSET},
        {4, 0, 1, COS_E_FILE_STRUCTURE}, /* records */
        {4, 100, 1, COS_E_FILE_STRUCTURE},
        {2, 0, 0, COS_E_FILE_STRUCTURE}, /* a DF */
        {2, 0, 1, COS_E_FILE_STRUCTURE},
        {9, 0, 1, COS_E_FILE_STRUCTURE}, /* the production record is not here */
    };
    struct fs_tree *tree = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct cos_file_info info = fs_rig_info(&tree->rig, tree->file[cases[i].file]);
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

/* ---- A shadow model ---- */

#define MODEL_FILES 40U
#define CONTENT_MAX 1500U

struct model_file {
    bool there, df;
    cos_file number;
    unsigned parent; /* in the model */
    uint16_t fid;
    uint8_t life_cycle_status;
    uint32_t size;
    uint8_t content[CONTENT_MAX];
};

struct model {
    struct model_file file[MODEL_FILES]; /* 0 is the MF */
};

/* One that is there; EFs only, if `ef`: then perhaps none, which is 0. */
static unsigned any_file(const struct model *model, uint64_t *seed, bool ef)
{
    for (unsigned tries = 0; tries < 500; tries++) {
        const unsigned i = sim_below(seed, MODEL_FILES);
        if (model->file[i].there && !(ef && model->file[i].df)) {
            return i;
        }
    }
    return 0;
}

static bool model_is_below(const struct model *model, unsigned file, unsigned df)
{
    while (file != 0 && file != df) {
        file = model->file[file].parent;
    }
    return file == df;
}

static void check_model(const struct fs_rig *rig, const struct model *model)
{
    struct cos_file_info info;
    unsigned there = 0;
    uint32_t cursor = 0;
    cos_file found;

    for (unsigned i = 0; i < MODEL_FILES; i++) {
        const struct model_file *file = &model->file[i];
        uint8_t content[CONTENT_MAX];
        if (!file->there) {
            continue;
        }
        there++;
        info = fs_rig_info(rig, file->number);
        assert_int_equal(info.fid, file->fid);
        assert_int_equal(info.parent, model->file[file->parent].number);
        assert_int_equal(cos_file_is_df(&info), file->df);
        assert_int_equal(info.size, file->size);
        assert_int_equal(info.life_cycle_status, file->life_cycle_status);
        if (i != 0) {
            assert_int_equal(cos_fs_find_child(&rig->fs, info.parent, info.fid, &found), COS_OK);
            assert_int_equal(found, file->number);
        }
        if (!file->df) {
            assert_int_equal(cos_fs_read(&rig->fs, &info, 0, content, info.size), COS_OK);
            assert_memory_equal(content, file->content, info.size);
        }
    }
    while (cos_fs_next(&rig->fs, &cursor, &found, &info) == COS_OK) {
        there--;
    }
    assert_int_equal(there, 0);
    fs_check(rig);
}

static void model_create(struct fs_rig *rig, struct model *model, uint64_t *seed)
{
    const unsigned parent = any_file(model, seed, false);
    struct model_file *file = NULL;
    struct model_file made = {.there = true,
                              .parent = parent,
                              .fid = (uint16_t)(0x0100 + sim_below(seed, 30)),
                              .df = sim_below(seed, 3) == 0,
                              .life_cycle_status = COS_LCS_ACTIVATED};
    enum cos_result wanted = model->file[parent].df ? COS_OK : COS_E_FILE_STRUCTURE;
    char fcp[96];

    made.size = made.df ? 0 : 1 + sim_below(seed, CONTENT_MAX);
    for (unsigned i = 1; i < MODEL_FILES; i++) {
        const struct model_file *other = &model->file[i];
        if (wanted == COS_OK && other->there && other->parent == parent && other->fid == made.fid) {
            wanted = COS_E_FILE_EXISTS;
        }
        file = other->there ? file : &model->file[i];
    }
    if (made.df) {
        snprintf(fcp, sizeof fcp, "820138 8302%04X", made.fid);
    } else {
        snprintf(fcp, sizeof fcp, "820101 8302%04X 8002%04X 8C03039000", made.fid,
                 (unsigned)made.size);
    }
    if (file != NULL) {
        assert_int_equal(fs_rig_create(rig, model->file[parent].number, fcp, &made.number), wanted);
        *file = wanted == COS_OK ? made : *file;
    }
}

static void model_delete(struct fs_rig *rig, struct model *model, uint64_t *seed)
{
    const unsigned victim = any_file(model, seed, false);

    if (victim == 0) {
        assert_int_equal(cos_fs_delete(&rig->fs, COS_FILE_MF), COS_E_CONDITIONS);
        return;
    }
    assert_int_equal(cos_fs_delete(&rig->fs, model->file[victim].number), COS_OK);
    for (unsigned i = 1; i < MODEL_FILES; i++) {
        if (model->file[i].there && model_is_below(model, i, victim)) {
            /* Keep the way up readable until all are judged. */
            model->file[i].number = COS_FILE_NONE;
        }
    }
    for (unsigned i = 1; i < MODEL_FILES; i++) {
        model->file[i].there = model->file[i].there && model->file[i].number != COS_FILE_NONE;
    }
}

static void model_write(struct fs_rig *rig, struct model *model, uint64_t *seed)
{
    struct model_file *file = &model->file[any_file(model, seed, true)];
    const struct cos_file_info info = fs_rig_info(rig, file->number);
    const bool erase = sim_below(seed, 4) == 0;
    uint8_t data[60] = {0};
    const uint32_t offset = sim_below(seed, file->size + 20);
    const uint32_t length = sim_below(seed, erase ? CONTENT_MAX : sizeof data);
    enum cos_result wanted = offset + length <= info.size ? COS_OK : COS_E_OFFSET;

    wanted = file->df ? COS_E_FILE_STRUCTURE : wanted;
    for (uint32_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)sim_random(seed);
    }
    assert_int_equal(erase ? cos_fs_erase(&rig->fs, &info, offset, length)
                           : cos_fs_update(&rig->fs, &info, offset, data, length),
                     wanted);
    if (wanted == COS_OK && erase) {
        memset(file->content + offset, 0, length);
    } else if (wanted == COS_OK) {
        memcpy(file->content + offset, data, length);
    }
}

static void model_age(struct fs_rig *rig, struct model *model, uint64_t *seed)
{
    static const uint8_t states[] = {COS_LCS_DEACTIVATED, COS_LCS_ACTIVATED, COS_LCS_TERMINATED};
    struct model_file *file = &model->file[any_file(model, seed, false)];

    file->life_cycle_status = states[sim_below(seed, COUNT(states))];
    assert_int_equal(cos_fs_set_life_cycle(&rig->fs, file->number, file->life_cycle_status),
                     COS_OK);
}

static void random_work_follows_the_model(void **state)
{
    unsigned created = 0;

    (void)state;
    for (uint64_t run = 1; run <= 6; run++) {
        struct fs_rig *rig = malloc(sizeof *rig);
        struct model *model = calloc(1, sizeof *model);
        uint64_t seed = run;
        fs_rig_open_shape(rig, &(struct fs_rig_shape){.start = run % 2 * FS_RIG_PAYLOAD,
                                                      .heap = 70000,
                                                      .files = 40,
                                                      .reserve = (uint16_t)(6 + run)});
        (void)fs_rig_make(rig, COS_FILE_NONE, MF);
        model->file[0] = (struct model_file){
            .there = true, .df = true, .fid = 0x3F00, .life_cycle_status = COS_LCS_ACTIVATED};
        for (unsigned step = 0; step < 3000; step++) {
            const uint32_t what = sim_below(&seed, 100);
            if (what < 30) {
                model_create(rig, model, &seed);
                created++;
            } else if (what < 36) {
                model_delete(rig, model, &seed);
            } else if (what < 85) {
                model_write(rig, model, &seed);
            } else if (what < 90) {
                model_age(rig, model, &seed);
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
        fs_rig_close(rig);
        free(rig);
        free(model);
    }
    assert_true(created > 4000);
}

#define TREE_TEST(name) cmocka_unit_test_setup_teardown(name, fs_tree_plant, fs_tree_fell)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TREE_TEST(attributes_are_kept_as_given),
        TREE_TEST(content_is_read_and_written_inside_only),
        cmocka_unit_test(updates_cost_the_pages_they_touch),
        cmocka_unit_test(random_work_follows_the_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
