/* SPDX-License-Identifier: Apache-2.0
 *
 * The file table: many files, churn against a model, and what finding costs.
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

static struct fs_rig *open_rig(uint16_t files, uint32_t heap)
{
    struct fs_rig *rig = malloc(sizeof *rig);

    assert_non_null(rig);
    fs_rig_open_shape(rig, &(struct fs_rig_shape){.heap = heap, .files = files, .reserve = 10});
    (void)fs_rig_make(rig, COS_FILE_NONE, MF);
    return rig;
}

static void close_rig(struct fs_rig *rig)
{
    fs_rig_close(rig);
    free(rig);
}

static cos_file make_ef(struct fs_rig *rig, cos_file df, unsigned fid)
{
    char fcp[64];

    snprintf(fcp, sizeof fcp, "820101 8302%04X 800108 8800", fid);
    return fs_rig_make(rig, df, fcp);
}

static cos_file make_df(struct fs_rig *rig, cos_file df, unsigned fid)
{
    char fcp[64];

    snprintf(fcp, sizeof fcp, "820138 8302%04X", fid);
    return fs_rig_make(rig, df, fcp);
}

static void must_find(const struct fs_rig *rig, cos_file df, unsigned fid, cos_file wanted)
{
    cos_file file = COS_FILE_NONE;

    assert_int_equal(cos_fs_find_child(&rig->fs, df, (uint16_t)fid, &file), COS_OK);
    assert_int_equal(file, wanted);
}

static void must_not_find(const struct fs_rig *rig, cos_file df, unsigned fid)
{
    cos_file file = 0x1234;

    assert_int_equal(cos_fs_find_child(&rig->fs, df, (uint16_t)fid, &file), COS_E_FILE_NOT_FOUND);
    assert_int_equal(file, 0x1234);
}

/* After a deletion: the number of a file that may have come home into the entry of the deleted one.
 */
static cos_file after_deletion(const struct fs_rig *rig, cos_file file, cos_file deleted)
{
    struct cos_file_info info;

    return cos_fs_info(&rig->fs, file, &info) == COS_OK ? file : deleted;
}

/* ---- Many files ---- */

/* `dfs` 0: all in the MF. The table has no entry left at the end. */
static void many_files(unsigned dfs, unsigned efs)
{
    struct fs_rig *rig = open_rig((uint16_t)(dfs + efs), 64 * (dfs + 1) + 8 * efs);
    cos_file *files = calloc(dfs + efs, sizeof *files), *seen = calloc(6000, sizeof *seen);
    cos_file file;
    uint32_t cursor = 0;
    struct cos_file_info info;
    unsigned count = 0;

    for (unsigned i = 0; i < dfs; i++) {
        files[i] = make_df(rig, COS_FILE_MF, 0x5000 + i);
    }
    for (unsigned i = 0; i < efs; i++) {
        files[dfs + i] =
            make_ef(rig, dfs == 0 ? COS_FILE_MF : files[i % dfs], 0x0100 + i / (dfs + !dfs));
    }
    for (unsigned i = 0; i < dfs + efs; i++) {
        assert_int_equal(seen[files[i]]++, 0);
    }
    fs_rig_remount(rig);
    for (unsigned i = 0; i < efs; i++) {
        must_find(rig, dfs == 0 ? COS_FILE_MF : files[i % dfs], 0x0100 + i / (dfs + !dfs),
                  files[dfs + i]);
        must_not_find(rig, dfs == 0 ? COS_FILE_MF : files[i % dfs], 0x8000 + i);
    }
    while (cos_fs_next(&rig->fs, &cursor, &file, &info) == COS_OK) {
        assert_int_equal(seen[file], file != COS_FILE_MF);
        count++;
    }
    assert_int_equal(count, dfs + efs + 1);
    fs_rig_keep(rig);
    assert_int_equal(fs_rig_create(rig, COS_FILE_MF, "820101 83020001 850101 800108", &file),
                     COS_E_MEMORY_FULL);
    fs_rig_check_kept(rig);
    fs_check(rig);
    free(files);
    free(seen);
    close_rig(rig);
}

static void a_thousand_files_in_one_df(void **state)
{
    (void)state;
    many_files(0, 1000);
}

static void a_thousand_files_in_fifty_dfs(void **state)
{
    (void)state;
    many_files(56, 1000);
}

/* 2,400 asked for, 2,400 had: the MF is not counted. */
static void a_large_table_is_filled(void **state)
{
    struct fs_rig *rig = open_rig(2400, 64 + 2400 * 8);
    uint8_t *seen = calloc(2401, 1);
    cos_file file;

    (void)state;
    for (unsigned i = 0; i < 2400; i++) {
        char fcp[64];
        snprintf(fcp, sizeof fcp, "820101 8302%04X 8800 850101 800108", 0x4000 + i * 5);
        file = fs_rig_make(rig, COS_FILE_MF, fcp);
        assert_true(file >= 1 && file <= 2400);
        assert_int_equal(seen[file]++, 0);
    }
    fs_rig_keep(rig);
    assert_int_equal(fs_rig_create(rig, COS_FILE_MF, "820101 83020001 8800 850101 800108", &file),
                     COS_E_MEMORY_FULL);
    fs_rig_check_kept(rig);
    fs_check(rig);
    free(seen);
    close_rig(rig);
}

/* ---- Churn ---- */

#define MODEL_MAX 48U

struct model {
    unsigned room, count, moved;
    cos_file dfs[3];
    struct {
        cos_file df, file;
        uint16_t fid;
    } files[MODEL_MAX];
};

static int model_find(const struct model *model, cos_file df, unsigned fid)
{
    for (unsigned i = 0; i < model->count; i++) {
        if (model->files[i].df == df && model->files[i].fid == fid) {
            return (int)i;
        }
    }
    return -1;
}

static void churn_create(struct fs_rig *rig, struct model *model, uint64_t *seed)
{
    const cos_file df = model->dfs[sim_below(seed, COUNT(model->dfs))];
    const uint16_t fid = (uint16_t)(0x0100 + sim_below(seed, 40));
    enum cos_result wanted = model->count < model->room ? COS_OK : COS_E_MEMORY_FULL;
    cos_file file = COS_FILE_NONE;
    char fcp[64];

    wanted = model_find(model, df, fid) >= 0 ? COS_E_FILE_EXISTS : wanted;
    snprintf(fcp, sizeof fcp, "820101 8302%04X 800108 %s", fid, fid % 2 == 0 ? "" : "8800");
    assert_int_equal(fs_rig_create(rig, df, fcp, &file), wanted);
    if (wanted == COS_OK) {
        for (unsigned i = 0; i < model->count; i++) {
            assert_int_not_equal(model->files[i].file, file);
        }
        model->files[model->count].df = df;
        model->files[model->count].fid = fid;
        model->files[model->count].file = file;
        model->count++;
    }
}

static void churn_delete(struct fs_rig *rig, struct model *model, unsigned which)
{
    const cos_file df = model->files[which].df, deleted = model->files[which].file;
    const uint16_t fid = model->files[which].fid;
    unsigned moved = 0;

    assert_int_equal(cos_fs_delete(&rig->fs, deleted), COS_OK);
    model->files[which] = model->files[--model->count];
    must_not_find(rig, df, fid);
    for (unsigned i = 0; i < model->count; i++) {
        cos_file *file = &model->files[i].file;
        const cos_file now = after_deletion(rig, *file, deleted);
        moved += now != *file;
        *file = now;
    }
    assert_true(moved <= 1);
    model->moved += moved;
}

static void check_model(const struct fs_rig *rig, const struct model *model)
{
    for (unsigned d = 0; d < COUNT(model->dfs); d++) {
        for (unsigned fid = 0x0100; fid < 0x0100 + 40; fid++) {
            const int at = model_find(model, model->dfs[d], fid);
            if (at >= 0) {
                must_find(rig, model->dfs[d], fid, model->files[at].file);
            } else {
                must_not_find(rig, model->dfs[d], fid);
            }
        }
    }
}

/* The table is small and nearly always full or empty, so that pages overflow all the time. */
static void churn_follows_the_model(void **state)
{
    static const unsigned pages[] = {1, 2, 3, 6};
    unsigned elsewhere = 0, full = 0, moved = 0;

    (void)state;
    for (size_t run = 0; run < COUNT(pages); run++) {
        struct fs_rig *rig = open_rig((uint16_t)(pages[run] * FS_RIG_ENTRIES), 2000);
        struct model model = {.room = pages[run] * FS_RIG_ENTRIES - 2};
        uint64_t seed = run + 1;
        model.dfs[1] = make_df(rig, COS_FILE_MF, 0x5001);
        model.dfs[2] = make_df(rig, model.dfs[1], 0x5001);
        for (unsigned step = 0; step < 10000; step++) {
            const unsigned creations = step / 100 % 2 == 0 ? 70 : 40;
            full += model.count == model.room;
            if (sim_below(&seed, 100) < creations || model.count == 0) {
                churn_create(rig, &model, &seed);
            } else {
                churn_delete(rig, &model, sim_below(&seed, model.count));
            }
            if (step % 50 == 0) {
                check_model(rig, &model);
                fs_check(rig);
                elsewhere += fs_check_elsewhere(rig);
            }
            if (step % 400 == 0) {
                fs_rig_remount(rig);
            }
        }
        while (model.count > 0) { /* nothing is left behind */
            churn_delete(rig, &model, sim_below(&seed, model.count));
        }
        fs_check(rig);
        assert_int_equal(fs_check_elsewhere(rig), 0);
        moved += model.moved;
        close_rig(rig);
    }
    assert_true(full > 1000 && elsewhere > 500 && moved > 100);
    printf("# churn: 40,000 creations and deletions, table full %u times, %u files came home\n",
           full, moved);
}

/* ---- What finding costs ---- */

struct cost {
    double fid, absent, sfi, name, info;
};

static double reads_of(struct fs_rig *rig, uint64_t *before, unsigned count)
{
    const double mean = (double)(rig->reads - *before) / count;

    *before = rig->reads;
    return mean;
}

struct ef {
    cos_file file;
    uint16_t fid;
};

/* An EF of the MF with a FID without order that is still free. */
static struct ef any_ef(struct fs_rig *rig, uint64_t *seed)
{
    struct ef ef;

    do {
        ef.fid = (uint16_t)(0x4000 + sim_below(seed, 0x4000));
    } while (cos_fs_find_child(&rig->fs, COS_FILE_MF, ef.fid, &ef.file) == COS_OK);
    ef.file = make_ef(rig, COS_FILE_MF, ef.fid);
    return ef;
}

/* Mean reads over all files that a card of `count` has, all but 30 of them in the MF. */
static struct cost cost_of(struct fs_rig *rig, const struct ef *efs, unsigned count, cos_file df)
{
    struct cos_file_info info;
    struct cost cost;
    cos_file file;
    uint64_t before = rig->reads;

    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(cos_fs_find_fid(&rig->fs, COS_FILE_MF, efs[i].fid, &file), COS_OK);
        assert_int_equal(file, efs[i].file);
    }
    cost.fid = reads_of(rig, &before, count);
    for (unsigned i = 0; i < count; i++) {
        must_not_find(rig, COS_FILE_MF, 0x8000 + 13 * i);
    }
    cost.absent = reads_of(rig, &before, count);
    for (uint8_t sfi = 1; sfi <= 5; sfi++) {
        assert_int_equal(cos_fs_find_sfi(&rig->fs, df, sfi, &file), COS_OK);
    }
    cost.sfi = reads_of(rig, &before, 5);
    assert_int_equal(cos_fs_find_name(&rig->fs, (struct cos_span){(const uint8_t *)"ABCDE", 5},
                                      COS_OCCURRENCE_FIRST, COS_FILE_MF, &file),
                     COS_OK);
    assert_int_equal(file, df);
    cost.name = reads_of(rig, &before, 1);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(cos_fs_info(&rig->fs, efs[i].file, &info), COS_OK);
    }
    cost.info = reads_of(rig, &before, count);
    return cost;
}

static void print_cost(const char *what, const struct cost *cost)
{
    printf("# reads, %s: FID %.2f, absent FID %.2f, SFI %.2f, name %.2f, info %.2f\n", what,
           cost->fid, cost->absent, cost->sfi, cost->name, cost->info);
}

/* Every page of the table has been in use, so that reading it is reading NVM. */
static void use_all_pages(struct fs_rig *rig)
{
    unsigned made = 0;
    cos_file file, files[1200];

    while (made < COUNT(files)) {
        char fcp[64];
        snprintf(fcp, sizeof fcp, "820101 8302%04X 800108 8800", 0x4000 + made);
        if (fs_rig_create(rig, COS_FILE_MF, fcp, &file) != COS_OK) {
            break;
        }
        files[made++] = file;
    }
    assert_int_equal(made, 1151);
    while (made > 0) {
        const cos_file deleted = files[--made];
        assert_int_equal(cos_fs_delete(&rig->fs, deleted), COS_OK);
        for (unsigned i = 0; i < made; i++) {
            files[i] = after_deletion(rig, files[i], deleted);
        }
    }
}

static void finding_costs_the_same_with_ten_files_and_with_a_thousand(void **state)
{
    struct fs_rig *rig = open_rig(1152, 10000);
    const cos_file df = fs_rig_make(rig, COS_FILE_MF, "820138 83025000 84054142434445");
    struct ef efs[994];
    struct cost ten = {0}, thousand, worn;
    uint64_t seed = 7, before;
    struct cos_fs fs;

    (void)state;
    use_all_pages(rig);
    for (unsigned sfi = 1; sfi <= 5; sfi++) {
        char fcp[64];
        snprintf(fcp, sizeof fcp, "820101 8302010%u 800108", sfi);
        (void)fs_rig_make(rig, df, fcp);
    }
    for (unsigned i = 0; i < COUNT(efs); i++) {
        efs[i] = any_ef(rig, &seed);
        if (i == 3) {
            ten = cost_of(rig, efs, 4, df);
        }
    }
    thousand = cost_of(rig, efs, COUNT(efs), df);
    before = rig->reads;
    assert_int_equal(cos_fs_mount(&fs, &rig->store, &rig->config), COS_OK);
    assert_int_equal(rig->reads - before, 2); /* superblock and note, however many files */
    for (unsigned i = 0; i < 20000; i++) {    /* each replaced twenty times over */
        struct ef *ef = &efs[sim_below(&seed, COUNT(efs))];
        const cos_file deleted = ef->file;
        assert_int_equal(cos_fs_delete(&rig->fs, deleted), COS_OK);
        for (unsigned other = 0; other < COUNT(efs); other++) {
            efs[other].file = after_deletion(rig, efs[other].file, deleted);
        }
        *ef = any_ef(rig, &seed);
    }
    worn = cost_of(rig, efs, COUNT(efs), df);
    print_cost("10 files", &ten);
    print_cost("1,000 files", &thousand);
    print_cost("1,000 files after 20,000 replacements", &worn);
    assert_true(thousand.fid <= 1.5 * ten.fid && thousand.absent <= 1.5 * ten.absent);
    assert_true(thousand.sfi <= ten.sfi && thousand.name <= ten.name && thousand.info <= 1);
    assert_true(worn.fid <= 1.5 * ten.fid && worn.absent <= 1.5 * ten.absent);
    fs_check(rig);
    close_rig(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thousand_files_in_one_df),
        cmocka_unit_test(a_thousand_files_in_fifty_dfs),
        cmocka_unit_test(a_large_table_is_filled),
        cmocka_unit_test(churn_follows_the_model),
        cmocka_unit_test(finding_costs_the_same_with_ten_files_and_with_a_thousand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
