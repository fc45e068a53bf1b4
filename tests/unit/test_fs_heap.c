/* SPDX-License-Identifier: Apache-2.0
 *
 * The heap: first fit against a model, filling up, and thousands of rounds of deleting and creating
 * again.
 */
#include "fs_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define MF        "820138 83023F00"
#define FILES     64U
#define HEAP_MAX  30000U
#define GRANULES  (HEAP_MAX / 8U + 1)
#define ROUNDS    4000U
#define ALL_OF_IT 0xFFFFFFFFU

/* ---- The model: which eights of the heap are in use, and where the extents known so far end ----
 */

struct model {
    uint32_t start, size; /* address in the store, bytes */
    uint32_t top;         /* relative to the start; 0: looked for at the next creation */
    unsigned count;
    bool used[GRANULES];
    struct {
        cos_file file;
        uint16_t fid;
        uint32_t at, length; /* relative to the start */
    } files[FILES];
};

/* What is to be created. */
struct wish {
    uint32_t length, head; /* of the extent; of what is written when the file is created */
    char fcp[512];
};

static void model_mark(struct model *model, uint32_t at, uint32_t length, bool used)
{
    for (uint32_t i = at / 8; i < (at + length + 7) / 8; i++) {
        assert_true(model->used[i] != used);
        model->used[i] = used;
    }
}

static bool model_may_begin(const struct model *model, const struct wish *wish, uint32_t at)
{
    const uint32_t in_page = (model->start + at) % FS_RIG_PAYLOAD;
    const uint32_t whole = wish->length <= FS_RIG_PAYLOAD ? wish->length : wish->head;

    if (at % 8 != 0 || at > model->size || wish->length > model->size - at ||
        (whole <= FS_RIG_PAYLOAD && in_page + whole > FS_RIG_PAYLOAD)) {
        return false;
    }
    for (uint32_t i = at / 8; i < (at + wish->length + 7) / 8; i++) {
        if (model->used[i]) {
            return false;
        }
    }
    return true;
}

/* ALL_OF_IT: nowhere. */
static uint32_t model_place(const struct model *model, const struct wish *wish)
{
    for (uint32_t at = model->top; at <= model->size; at++) {
        if (model_may_begin(model, wish, at)) {
            return at;
        }
    }
    for (uint32_t at = 0; at <= model->size; at += 8) {
        if (model_may_begin(model, wish, at)) {
            return at;
        }
    }
    return ALL_OF_IT;
}

static void model_find_top(struct model *model)
{
    model->top = 64; /* the MF's map: 60 bytes */
    for (unsigned i = 0; i < model->count; i++) {
        const uint32_t end = model->files[i].at + model->files[i].length;
        model->top = end > model->top ? end : model->top;
    }
}

/* ---- Work ---- */

static struct fs_rig *open_rig(struct model *model, uint32_t heap)
{
    struct fs_rig *rig = malloc(sizeof *rig);

    assert_non_null(rig);
    assert_true(heap <= HEAP_MAX);
    fs_rig_open_shape(rig, &(struct fs_rig_shape){.heap = heap, .files = 72, .reserve = 10});
    (void)fs_rig_make(rig, COS_FILE_NONE, MF);
    memset(model, 0, sizeof *model);
    model->start = fs_rig_tables(72, FS_RIG_NAMES);
    model->size = heap;
    assert_int_equal(fs_rig_info(rig, COS_FILE_MF).address, model->start);
    model_mark(model, 0, 60, true);
    return rig;
}

static void close_rig(struct fs_rig *rig)
{
    fs_rig_close(rig);
    free(rig);
}

static uint16_t free_fid(const struct model *model, uint64_t *seed)
{
    uint16_t fid;
    bool taken;

    do {
        fid = (uint16_t)(0x5000 + sim_below(seed, 0x0FFF));
        taken = false;
        for (unsigned i = 0; i < model->count; i++) {
            taken = taken || model->files[i].fid == fid;
        }
    } while (taken);
    return fid;
}

static void append_attributes(struct wish *wish, uint32_t length)
{
    if (length > 1) {
        snprintf(wish->fcp + strlen(wish->fcp), 64, "A5%02X", (unsigned)length - 2);
        if (length > 2) {
            snprintf(wish->fcp + strlen(wish->fcp), 64, "80%02X", (unsigned)length - 4);
        }
        for (uint32_t i = 4; i < length; i++) {
            strcat(wish->fcp, "EE");
        }
    }
}

/* A transparent EF, a linear fixed one, or a DF; with 0, 2 or 4 to 128 bytes of attributes. */
static void make_wish(struct wish *wish, uint16_t fid, uint64_t *seed, uint32_t longest)
{
    static const uint32_t lengths[] = {0, 2, 4, 5, 20, 60, 127, 128};
    const uint32_t attributes = lengths[sim_below(seed, COUNT(lengths))];
    const uint32_t size = 1 + sim_below(seed, longest), kind = sim_below(seed, 6);

    if (kind == 0) {
        snprintf(wish->fcp, sizeof wish->fcp, "820138 8302%04X", fid);
        wish->length = wish->head = attributes + 60;
    } else if (kind == 1) {
        const uint32_t records = 1 + size / 8 % 200;
        snprintf(wish->fcp, sizeof wish->fcp, "8205022100%02X%02X 8302%04X 8800", 8,
                 (unsigned)records, fid);
        wish->head = attributes + 8;
        wish->length = wish->head + 8 * records;
    } else {
        snprintf(wish->fcp, sizeof wish->fcp, "820101 8302%04X 8002%04X 8800", fid, (unsigned)size);
        wish->head = attributes;
        wish->length = attributes + size;
    }
    append_attributes(wish, attributes);
}

/* Whether it could be created, which is what the model says. */
static bool create(struct fs_rig *rig, struct model *model, uint16_t fid, const struct wish *wish)
{
    if (model->top == 0) {
        model_find_top(model);
    }
    const uint32_t at = model_place(model, wish);
    const bool room = at != ALL_OF_IT;
    cos_file file = COS_FILE_NONE;

    if (!room) {
        fs_rig_keep(rig);
    }
    if (fs_rig_create(rig, COS_FILE_MF, wish->fcp, &file) != (room ? COS_OK : COS_E_MEMORY_FULL)) {
        fail_msg("%s: the model %s room", wish->fcp, room ? "has" : "has no");
    }
    if (!room) {
        fs_rig_check_kept(rig);
        return false;
    }
    assert_int_equal(fs_rig_info(rig, file).address, model->start + at);
    model_mark(model, at, wish->length, true);
    model->files[model->count].file = file;
    model->files[model->count].fid = fid;
    model->files[model->count].at = at;
    model->files[model->count].length = wish->length;
    model->count++;
    model->top = at + wish->length > model->top ? at + wish->length : model->top;
    return true;
}

/* New bytes are 00; then they are not. */
static void soil(struct fs_rig *rig, cos_file file)
{
    const struct cos_file_info info = fs_rig_info(rig, file);
    uint8_t bytes[100], zeros[100] = {0};

    if ((info.fdb & COS_FDB_KIND) != COS_FDB_TRANSPARENT) {
        return;
    }
    for (uint32_t at = 0; at < info.size; at += sizeof bytes) {
        const uint32_t run = info.size - at < sizeof bytes ? info.size - at : sizeof bytes;
        assert_int_equal(cos_fs_read(&rig->fs, &info, at, bytes, run), COS_OK);
        assert_memory_equal(bytes, zeros, run);
        memset(bytes, 0xD1, run);
        assert_int_equal(cos_fs_update(&rig->fs, &info, at, bytes, run), COS_OK);
    }
}

static void remove_file(struct fs_rig *rig, struct model *model, unsigned which)
{
    cos_file file;

    assert_int_equal(cos_fs_find_child(&rig->fs, COS_FILE_MF, model->files[which].fid, &file),
                     COS_OK);
    assert_int_equal(cos_fs_delete(&rig->fs, file), COS_OK);
    model_mark(model, model->files[which].at, model->files[which].length, false);
    model->files[which] = model->files[--model->count];
}

/* ---- Tests ---- */

/* Small files, then some that are longer than a window of the bit map. */
static void first_fit_follows_the_model(void **state)
{
    static const struct {
        uint32_t heap, longest;
    } runs[] = {{3000, 120}, {3004, 300}, {9000, 1500}, {20003, 700}, {HEAP_MAX, 9000}};
    unsigned refused = 0, created = 0;

    (void)state;
    for (size_t run = 0; run < COUNT(runs); run++) {
        struct model *model = malloc(sizeof *model);
        struct fs_rig *rig = open_rig(model, runs[run].heap);
        uint64_t seed = 77 + run;
        for (unsigned round = 0; round < ROUNDS; round++) {
            struct wish wish;
            const uint16_t fid = free_fid(model, &seed);
            if (model->count == FILES || (model->count > 0 && sim_below(&seed, 100) < 45)) {
                remove_file(rig, model, sim_below(&seed, model->count));
                continue;
            }
            make_wish(&wish, fid, &seed, runs[run].longest);
            if (create(rig, model, fid, &wish)) {
                soil(rig, model->files[model->count - 1].file);
                created++;
            } else {
                refused++;
            }
            if (round % 64 == 0) {
                fs_check(rig);
            }
            if (sim_below(&seed, 50) == 0) {
                fs_rig_remount(rig);
                model->top = 0;
            }
        }
        while (model->count > 0) {
            remove_file(rig, model, sim_below(&seed, model->count));
        }
        fs_check(rig);
        close_rig(rig);
        free(model);
    }
    assert_true(refused > 500 && created > 5000);
    printf("# heap: %u files placed where the model says, %u refused when it has no room\n",
           created, refused);
}

static void wish_plain(struct wish *wish, uint16_t fid, uint32_t size)
{
    *wish = (struct wish){.length = size};
    snprintf(wish->fcp, sizeof wish->fcp, "820101 8302%04X 8002%04X 8800", fid, (unsigned)size);
}

/* In a heap that takes no byte more, any file may be replaced by one of its size, for ever. */
static void a_full_heap_leaks_nothing(void **state)
{
    struct model *model = malloc(sizeof *model);
    struct fs_rig *rig = open_rig(model, 2100);
    static const uint32_t sizes[] = {301, 101, 23, 16, 5};
    uint64_t seed = 5;

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        bool room = true;
        for (unsigned n = 0; room && (n < 4 || i + 1 == COUNT(sizes)); n++) {
            struct wish wish;
            const uint16_t fid = free_fid(model, &seed);
            wish_plain(&wish, fid, sizes[i]);
            room = create(rig, model, fid, &wish);
        }
    }
    assert_in_range(model->count, 20, FILES - 1);
    for (unsigned round = 0; round < ROUNDS; round++) {
        const unsigned which = sim_below(&seed, model->count);
        struct wish wish;
        const uint16_t fid = free_fid(model, &seed);
        wish_plain(&wish, fid, model->files[which].length);
        assert_false(create(rig, model, fid, &wish));
        remove_file(rig, model, which);
        assert_true(create(rig, model, fid, &wish));
        if (round % 100 == 0) {
            fs_check(rig);
            fs_rig_remount(rig);
            model->top = 0;
        }
    }
    fs_check(rig);
    close_rig(rig);
    free(model);
}

/* A full file system still does everything that needs no room. */
static void a_full_heap_stays_usable(void **state)
{
    struct model *model = malloc(sizeof *model);
    struct fs_rig *rig = open_rig(model, 216 + 200);
    const cos_file file = fs_rig_make(rig, COS_FILE_MF, "820101 83020101 800200C8");
    (void)fs_rig_make(rig, COS_FILE_MF, "820101 83020103 80020098"); /* what the page has left */
    const struct cos_file_info info = fs_rig_info(rig, file);
    uint8_t bytes[200];
    cos_file other;

    (void)state;
    assert_int_equal(fs_rig_create(rig, COS_FILE_MF, "820101 83020102 800101", &other),
                     COS_E_MEMORY_FULL);
    memset(bytes, 0xAB, sizeof bytes);
    assert_int_equal(cos_fs_update(&rig->fs, &info, 0, bytes, sizeof bytes), COS_OK);
    assert_int_equal(cos_fs_read(&rig->fs, &info, 0, bytes, sizeof bytes), COS_OK);
    assert_int_equal(cos_fs_set_life_cycle(&rig->fs, file, COS_LCS_DEACTIVATED), COS_OK);
    assert_int_equal(cos_fs_erase(&rig->fs, &info, 0, 200), COS_OK);
    fs_rig_remount(rig);
    assert_int_equal(cos_fs_delete(&rig->fs, file), COS_OK);
    assert_int_equal(cos_fs_info(&rig->fs, file, &(struct cos_file_info){0}), COS_E_FILE_NOT_FOUND);
    (void)fs_rig_make(rig, COS_FILE_MF, "820101 83020102 800200C8");
    fs_check(rig);
    close_rig(rig);
    free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_fit_follows_the_model),
        cmocka_unit_test(a_full_heap_leaks_nothing),
        cmocka_unit_test(a_full_heap_stays_usable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
