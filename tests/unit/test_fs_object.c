/* SPDX-License-Identifier: Apache-2.0
 *
 * Data objects in EFs and DFs: tags, wrong input, page programs, random work against a model, torn
 * power, damaged content.
 */
#include "fs/file.h"
#include "record_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define VALUE_MAX    1000U

static struct record_rig rig;

static int teardown(void **state)
{
    (void)state;
    if (rig.kept != NULL) {
        record_rig_close(&rig);
        rig.kept = NULL;
    }
    return 0;
}

static void reopen(uint16_t reserve, const struct record_rig_file *file)
{
    (void)teardown(NULL);
    record_rig_open(&rig, reserve, file);
}

static void fill(uint8_t *bytes, size_t length, unsigned seed)
{
    for (size_t i = 0; i < length; i++) {
        bytes[i] = (uint8_t)(1 + (seed * 41 + i * 13) % 255);
    }
}

static enum cos_result put(uint32_t tag, size_t length, unsigned seed)
{
    uint8_t bytes[VALUE_MAX];

    fill(bytes, length, seed);
    return cos_fs_object_put(&rig.fs, &rig.info, tag, (struct cos_span){bytes, length});
}

static enum cos_result remove_object(uint32_t tag)
{
    return cos_fs_object_delete(&rig.fs, &rig.info, tag);
}

/* The bytes of an object as they should be stored. */
static size_t encode(uint8_t bytes[VALUE_MAX + 8], uint32_t tag, size_t length, unsigned seed)
{
    struct cos_writer writer = cos_writer(bytes, VALUE_MAX + 8);
    uint8_t value[VALUE_MAX];

    fill(value, length, seed);
    cos_tlv_write(&writer, tag, value, length);
    assert_false(writer.failed);
    return writer.length;
}

static void expect(uint32_t tag, size_t length, unsigned seed)
{
    uint8_t wanted[VALUE_MAX + 8], bytes[VALUE_MAX + 8];
    struct cos_record found;
    const size_t encoded = encode(wanted, tag, length, seed);

    assert_int_equal(cos_fs_object_find(&rig.fs, &rig.info, tag, &found), COS_OK);
    assert_int_equal(found.length, encoded);
    assert_int_equal(cos_fs_record_read(&rig.fs, &found, 0, bytes, encoded), COS_OK);
    assert_memory_equal(bytes, wanted, encoded);
}

static void expect_none(uint32_t tag)
{
    struct cos_record found;

    assert_int_equal(cos_fs_object_find(&rig.fs, &rig.info, tag, &found),
                     COS_E_REFERENCE_NOT_FOUND);
}

static unsigned count_objects(void)
{
    struct cos_record found;
    unsigned count = 0;

    while (cos_fs_object(&rig.fs, &rig.info, count, &found) == COS_OK) {
        count++;
    }
    assert_int_equal(cos_fs_object(&rig.fs, &rig.info, count, &found), COS_E_REFERENCE_NOT_FOUND);
    return count;
}

static const struct record_rig_file ef = {.fdb = 0x39, .size = 400};
static const struct record_rig_file df = {.fdb = 0x38, .size = 400, .attributes = 9};

/* ---- What can be stored ---- */

static void objects_of_all_tags_and_lengths_are_kept_whole(void **state)
{
    static const struct {
        uint32_t tag;
        uint16_t length;
    } objects[] = {
        {0x01, 0},     {0x5E, 1},     {0x80, 127},   {0xC1, 128},   {0x5F2F, 5},   {0x5F1F, 5},
        {0x7F49, 255}, {0xDF21, 256}, {0x5FC102, 6}, {0x5FC103, 3}, {0xBFFF7F, 9}, {0x3F, 0},
    };
    const struct record_rig_file files[] = {{.fdb = 0x79, .size = 1200},
                                            {.fdb = 0x38, .size = 1200}};
    (void)state;
    for (size_t f = 0; f < COUNT(files); f++) {
        reopen(RECORD_RIG_LARGE, &files[f]);
        assert_int_equal(count_objects(), 0);
        for (unsigned i = 0; i + 1 < COUNT(objects); i++) {
            expect_none(objects[i].tag);
            assert_int_equal(put(objects[i].tag, objects[i].length, i), COS_OK);
            expect(objects[i].tag, objects[i].length, i);
        }
        record_rig_remount(&rig);
        assert_int_equal(count_objects(), COUNT(objects) - 1);
        for (unsigned i = 0; i + 1 < COUNT(objects); i++) {
            expect(objects[i].tag, objects[i].length, i);
        }
        record_rig_check(&rig);
        /* No tags, though objects begin with these bytes */
        expect_none(0x5F);
        expect_none(0x7F);
        expect_none(0x5FC1);
        expect_none(0xBFFF);
        expect_none(0x00);
        expect_none(0xFF);
        for (unsigned i = 0; i + 1 < COUNT(objects); i++) {
            assert_int_equal(remove_object(objects[i].tag), COS_OK);
            expect_none(objects[i].tag);
            record_rig_check(&rig);
        }
        assert_int_equal(count_objects(), 0);
    }
}

static void objects_are_replaced(void **state)
{
    const struct record_rig_file *const files[] = {&ef, &df};
    (void)state;
    for (size_t f = 0; f < COUNT(files); f++) {
        reopen(RECORD_RIG_LARGE, files[f]);
        assert_int_equal(put(0x81, 20, 1), COS_OK);
        assert_int_equal(put(0x82, 20, 2), COS_OK);
        assert_int_equal(put(0x81, 20, 3), COS_OK);
        assert_int_equal(put(0x82, 150, 4), COS_OK);
        assert_int_equal(put(0x81, 3, 5), COS_OK);
        record_rig_check(&rig);
        assert_int_equal(count_objects(), 2);
        expect(0x81, 3, 5);
        expect(0x82, 150, 4);
        assert_int_equal(put(0x82, 0, 0), COS_OK);
        assert_int_equal(put(0x83, 380, 6), COS_OK);
        expect(0x83, 380, 6);
        record_rig_check(&rig);
        record_rig_keep(&rig);
        assert_int_equal(put(0x81, 13, 7), COS_E_MEMORY_FULL); /* 404 bytes */
        record_rig_check_kept(&rig);
        assert_int_equal(put(0x81, 9, 7), COS_OK); /* 400 */
        expect(0x81, 9, 7);
        expect(0x82, 0, 0);
        expect(0x83, 380, 6);
        record_rig_check(&rig);
    }
}

static void the_number_of_objects_is_limited(void **state)
{
    static const struct record_rig_file small = {.fdb = 0x39, .size = 40};
    (void)state;
    reopen(RECORD_RIG_SMALL, &small);
    assert_int_equal(rig.info.record_count, 5);
    for (uint32_t tag = 0x81; tag <= 0x85; tag++) {
        assert_int_equal(put(tag, 1, tag), COS_OK);
    }
    record_rig_keep(&rig);
    assert_int_equal(put(0x86, 1, 0), COS_E_MEMORY_FULL);
    record_rig_check_kept(&rig);
    assert_int_equal(put(0x85, 20, 1), COS_OK);
    assert_int_equal(remove_object(0x82), COS_OK);
    assert_int_equal(put(0x86, 1, 0), COS_OK);
    assert_int_equal(count_objects(), 5);
    record_rig_check(&rig);
}

static void others_keep_their_order_where_that_costs_nothing(void **state)
{
    static const uint8_t wanted[] = {0x81, 0x82, 0x84, 0x85, 0x86};
    struct cos_record found;
    uint8_t tag;
    (void)state;
    reopen(RECORD_RIG_SMALL, &ef);
    for (unsigned i = 1; i <= 6; i++) {
        assert_int_equal(put(0x80 + i, i, i), COS_OK);
    }
    assert_int_equal(remove_object(0x83), COS_OK);
    for (unsigned i = 0; i < COUNT(wanted); i++) {
        assert_int_equal(cos_fs_object(&rig.fs, &rig.info, i, &found), COS_OK);
        assert_int_equal(cos_fs_record_read(&rig.fs, &found, 0, &tag, 1), COS_OK);
        assert_int_equal(tag, wanted[i]);
    }
    assert_int_equal(count_objects(), 5);
}

/* ---- Wrong input ---- */

static void wrong_input_writes_nothing(void **state)
{
    static const uint32_t no_tags[] = {0x00,     0xFF,     0x1F,       0x5F,       0x5F80,
                                       0x5F00,   0x5F1E,   0x8001,     0x1234,     0x5FC1,
                                       0x5FC180, 0x5FC1C1, 0x01000000, 0x5FC1C101, UINT32_MAX};
    static const size_t too_long[] = {398, 400, 401, 32768, 65535, 65536, 65540, SIZE_MAX};
    static const uint8_t bytes[4];
    struct cos_record found;
    (void)state;
    reopen(RECORD_RIG_LARGE, &ef);
    assert_int_equal(put(0x5FC105, 4, 1), COS_OK);
    record_rig_keep(&rig);
    for (size_t i = 0; i < COUNT(no_tags); i++) {
        assert_int_equal(cos_fs_object_put(&rig.fs, &rig.info, no_tags[i],
                                           (struct cos_span){bytes, sizeof bytes}),
                         COS_E_DATA);
        assert_int_equal(cos_fs_object_find(&rig.fs, &rig.info, no_tags[i], &found),
                         COS_E_REFERENCE_NOT_FOUND);
        assert_int_equal(remove_object(no_tags[i]), COS_E_REFERENCE_NOT_FOUND);
    }
    for (size_t i = 0; i < COUNT(too_long); i++) {
        assert_int_equal(
            cos_fs_object_put(&rig.fs, &rig.info, 0x81, (struct cos_span){bytes, too_long[i]}),
            COS_E_MEMORY_FULL);
    }
    assert_int_equal(remove_object(0x81), COS_E_REFERENCE_NOT_FOUND);
    assert_int_equal(cos_fs_object(&rig.fs, &rig.info, 1, &found), COS_E_REFERENCE_NOT_FOUND);
    assert_int_equal(cos_fs_object(&rig.fs, &rig.info, UINT32_MAX, &found),
                     COS_E_REFERENCE_NOT_FOUND);
    record_rig_check_kept(&rig);
}

static void other_files_have_no_objects(void **state)
{
    static const struct cos_file_info others[] = {
        {.fdb = 0x01, .size = 100, .record_count = 5},
        {.fdb = 0x04, .size = 100, .record_count = 5},
        {.fdb = 0x02, .size = 100, .record_count = 5, .record_size = 20},
        {.fdb = 0x38, .size = 0, .record_count = 5},
        {.fdb = 0x39, .size = 100, .record_count = 5, .source = 1},
        {.fdb = 0x39, .size = 100, .record_count = 5, .source = 2},
        {.fdb = 0x3A, .size = 100, .record_count = 5},
    };
    static const uint8_t bytes[4];
    struct cos_record found;
    (void)state;
    reopen(RECORD_RIG_SMALL, &ef);
    record_rig_keep(&rig);
    for (size_t i = 0; i < COUNT(others); i++) {
        struct cos_file_info info = others[i];
        info.address = rig.info.address;
        const struct cos_span value = {bytes, sizeof bytes};
        assert_int_equal(cos_fs_object_put(&rig.fs, &info, 0x81, value), COS_E_FILE_STRUCTURE);
        assert_int_equal(cos_fs_object_put(&rig.fs, &info, 0, value), COS_E_FILE_STRUCTURE);
        assert_int_equal(cos_fs_object_delete(&rig.fs, &info, 0x81), COS_E_FILE_STRUCTURE);
        assert_int_equal(cos_fs_object_find(&rig.fs, &info, 0, &found), COS_E_FILE_STRUCTURE);
        assert_int_equal(cos_fs_object(&rig.fs, &info, 0, &found), COS_E_FILE_STRUCTURE);
    }
    record_rig_check_kept(&rig);
}

/* ---- Page programs ---- */

static void objects_cost_their_pages(void **state)
{
    (void)state;
    for (uint8_t attributes = 4; attributes < 64; attributes++) {
        const struct record_rig_file file = {
            .fdb = attributes % 3 == 0 ? 0x38 : 0x39, .size = 1800, .attributes = attributes};
        reopen(RECORD_RIG_LARGE, &file);
        const uint32_t directory = (record_rig_content(&rig) + 3) / 4 * 4;
        struct record_rig_run runs[3];
        struct cos_record found;
        for (unsigned i = 0; i < 50; i++) {
            runs[1] = (struct record_rig_run){directory + 4 * i, 4};
            record_rig_keep(&rig);
            assert_int_equal(put(0x9F20 + i, 20, i), COS_OK);
            assert_int_equal(cos_fs_object(&rig.fs, &rig.info, i, &found), COS_OK);
            runs[0] = (struct record_rig_run){found.address, found.length};
            assert_int_equal(record_rig_programs(&rig), record_rig_pages(runs, 2));
            assert_true(record_rig_programs(&rig) <= 1 + record_rig_pages(runs, 1));
            record_rig_keep(&rig);
            assert_int_equal(put(0x9F20 + i, 20, i + 1), COS_OK); /* in place */
            assert_int_equal(record_rig_programs(&rig), record_rig_pages(runs, 1));
        }
        assert_int_equal(cos_fs_object(&rig.fs, &rig.info, 0, &found), COS_OK);
        runs[0] = (struct record_rig_run){found.address, found.length};
        runs[1] = (struct record_rig_run){directory, 4};
        runs[2] = (struct record_rig_run){directory + 4 * 49, 4};
        record_rig_keep(&rig);
        assert_int_equal(remove_object(0x9F20), COS_OK);
        assert_int_equal(record_rig_programs(&rig), record_rig_pages(runs, 3));
        record_rig_check(&rig);
    }
}

/* ---- Random work against a model ---- */

#define TAGS 40U

struct model {
    bool there[TAGS];
    uint16_t length[TAGS];
    unsigned seed[TAGS];
};

static uint32_t model_tag(unsigned i)
{
    return i % 3 == 0 ? 0x80 + i : i % 3 == 1 ? 0x9F20 + i : 0x5FC100 + i;
}

static size_t encoded_length(unsigned i, size_t length)
{
    uint8_t bytes[VALUE_MAX + 8];

    return encode(bytes, model_tag(i), length, 0);
}

static void compare(const struct model *model)
{
    unsigned count = 0;

    for (unsigned i = 0; i < TAGS; i++) {
        if (model->there[i]) {
            expect(model_tag(i), model->length[i], model->seed[i]);
            count++;
        } else {
            expect_none(model_tag(i));
        }
    }
    assert_int_equal(count_objects(), count);
    record_rig_check(&rig);
}

static void random_work_agrees_with_a_model(void **state)
{
    static const struct {
        struct record_rig_file file;
        uint16_t reserve;
        unsigned longest;
    } cases[] = {
        {{.fdb = 0x39, .size = 200, .attributes = 6}, RECORD_RIG_SMALL, 20},
        {{.fdb = 0x38, .size = 400}, RECORD_RIG_SMALL, 40},
        {{.fdb = 0x39, .size = 1500, .attributes = 5}, RECORD_RIG_SMALL, 210},
        {{.fdb = 0x38, .size = 2000}, RECORD_RIG_LARGE, 300},
        {{.fdb = 0x39, .size = 6000}, RECORD_RIG_LARGE, 1000},
    };
    (void)state;
    for (size_t c = 0; c < COUNT(cases); c++) {
        struct model model = {0};
        uint64_t seed = c + 1;
        unsigned used = 0, count = 0, full = 0;
        reopen(cases[c].reserve, &cases[c].file);
        for (unsigned step = 0; step < 2500; step++) {
            const unsigned i = sim_below(&seed, TAGS);
            const unsigned length =
                sim_below(&seed, 2) ? sim_below(&seed, cases[c].longest + 1) : sim_below(&seed, 10);
            const unsigned old = model.there[i] ? (unsigned)encoded_length(i, model.length[i]) : 0;
            const unsigned wanted = (unsigned)encoded_length(i, length);
            record_rig_keep(&rig);
            if (sim_below(&seed, 4) == 0) {
                assert_int_equal(remove_object(model_tag(i)),
                                 model.there[i] ? COS_OK : COS_E_REFERENCE_NOT_FOUND);
                count -= model.there[i];
                used -= old;
                model.there[i] = false;
            } else if (used - old + wanted > rig.info.size ||
                       (!model.there[i] && count == rig.info.record_count)) {
                assert_int_equal(put(model_tag(i), length, step), COS_E_MEMORY_FULL);
                record_rig_check_kept(&rig);
                full++;
            } else {
                assert_int_equal(put(model_tag(i), length, step), COS_OK);
                count += !model.there[i];
                used += wanted - old;
                model.there[i] = true;
                model.length[i] = (uint16_t)length;
                model.seed[i] = step;
            }
            if (step % 50 == 0) {
                record_rig_remount(&rig);
            }
            if (step % 5 == 0) {
                compare(&model);
            }
        }
        compare(&model);
        assert_true(full > 50);
        assert_int_equal(rig.power.violations, 0);
    }
}

/* An object that fills whole pages may be put where a transaction can, and goes again. */
static void objects_as_large_as_a_transaction_come_and_go(void **state)
{
    static const struct record_rig_file file = {.fdb = 0x39, .size = 3000};
    (void)state;
    for (unsigned reserve = RECORD_RIG_SMALL; reserve <= 8; reserve++) {
        unsigned done = 0, refused = 0;
        reopen((uint16_t)reserve, &file);
        for (unsigned before = 0; before < 220; before += 5) {
            assert_int_equal(put(0x81, before, 1), COS_OK);
            for (size_t length = 200; length < VALUE_MAX; length += 40) {
                record_rig_keep(&rig);
                const enum cos_result result = put(0x82, length, 2);
                if (result != COS_OK) {
                    assert_int_equal(result, COS_E_MEMORY_FULL);
                    expect(0x81, before, 1);
                    expect_none(0x82);
                    refused++;
                    continue;
                }
                expect(0x82, length, 2);
                assert_int_equal(remove_object(0x82), COS_OK);
                expect_none(0x82);
                record_rig_check(&rig);
                done++;
            }
        }
        assert_true(done > 100 && refused > 100);
    }
}

/* ---- Torn power ---- */

struct image {
    size_t length;
    uint8_t bytes[4096];
};

/* Objects by tag: their order may change. */
static void take_image(struct image *image)
{
    image->length = 0;
    for (unsigned i = 0; i < TAGS; i++) {
        struct cos_record found;
        if (cos_fs_object_find(&rig.fs, &rig.info, model_tag(i), &found) == COS_OK) {
            assert_true(image->length + found.length <= sizeof image->bytes);
            assert_int_equal(
                cos_fs_record_read(&rig.fs, &found, 0, image->bytes + image->length, found.length),
                COS_OK);
            image->length += found.length;
        }
    }
}

static bool same_image(const struct image *a, const struct image *b)
{
    return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

static void six_objects(void)
{
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(put(model_tag(i), 20, i), COS_OK);
    }
}

static void scattered_objects(void)
{
    for (unsigned i = 0; i < 12; i++) {
        assert_int_equal(put(model_tag(i), 92, i), COS_OK);
    }
    for (unsigned i = 0; i < 12; i += 3) {
        assert_int_equal(put(model_tag(i), 50, i), COS_OK);
    }
}

/* A directory of three pages with an object in each. */
static void many_objects(void)
{
    for (unsigned i = 0; i < 120; i++) {
        assert_int_equal(put(i < TAGS ? model_tag(i) : 0x5F30 + i - TAGS, 1, i), COS_OK);
    }
}

static enum cos_result put_new(void)
{
    return put(model_tag(20), 30, 99);
}

static enum cos_result replace_same(void)
{
    return put(model_tag(2), 20, 99);
}

static enum cos_result replace_longer(void)
{
    return put(model_tag(2), 130, 99);
}

static enum cos_result replace_shorter(void)
{
    return put(model_tag(2), 2, 99);
}

static enum cos_result delete_second(void)
{
    return remove_object(model_tag(1));
}

static enum cos_result put_after_moves(void)
{
    return put(model_tag(20), 140, 99);
}

static enum cos_result replace_after_moves(void)
{
    return put(model_tag(4), 190, 99);
}

static const struct torn {
    struct record_rig_file file;
    uint16_t reserve;
    void (*prepare)(void);
    enum cos_result (*operation)(void);
    bool several; /* transactions */
} torn[] = {
    {{.fdb = 0x39, .size = 400}, RECORD_RIG_SMALL, six_objects, put_new, false},
    {{.fdb = 0x39, .size = 400}, RECORD_RIG_SMALL, six_objects, replace_same, false},
    {{.fdb = 0x39, .size = 400}, RECORD_RIG_LARGE, six_objects, replace_longer, false},
    {{.fdb = 0x38, .size = 400}, RECORD_RIG_SMALL, six_objects, replace_shorter, false},
    {{.fdb = 0x38, .size = 400}, RECORD_RIG_SMALL, six_objects, delete_second, false},
    {{.fdb = 0x39, .size = 1500}, RECORD_RIG_SMALL, many_objects, delete_second, false},
    {{.fdb = 0x39, .size = 1150}, RECORD_RIG_SMALL, scattered_objects, put_after_moves, true},
    {{.fdb = 0x38, .size = 1150}, RECORD_RIG_LARGE, scattered_objects, replace_after_moves, true},
};

static void torn_operations_are_before_or_after(void **state)
{
    static struct image before, after, now;
    (void)state;
    for (size_t i = 0; i < COUNT(torn); i++) {
        struct sim_snapshot snapshot = {0};
        unsigned seen_before = 0, seen_after = 0;
        reopen(torn[i].reserve, &torn[i].file);
        torn[i].prepare();
        assert_int_equal(cos_store_settle(&rig.store), COS_OK);
        take_image(&before);
        sim_nvm_save(&rig.sim, &snapshot);
        const uint64_t start = rig.power.operations;
        const uint32_t sequence = rig.store.newest;
        assert_int_equal(torn[i].operation(), COS_OK);
        assert_int_equal(rig.store.newest - sequence > 1, torn[i].several);
        const uint32_t operations = (uint32_t)(rig.power.operations - start);
        take_image(&after);
        assert_false(same_image(&before, &after));
        for (uint32_t n = 1; n <= operations; n++) {
            for (unsigned content = 0; content < SIM_CONTENTS; content++) {
                sim_nvm_restore(&rig.sim, &snapshot);
                record_rig_remount(&rig);
                sim_power_cut(&rig.power, n, (enum sim_content)content, i * 1000 + n);
                (void)torn[i].operation();
                sim_power_up(&rig.power);
                record_rig_mount(&rig);
                take_image(&now);
                const bool done = same_image(&now, &after);
                assert_true(done || same_image(&now, &before));
                seen_before += !done;
                seen_after += done;
                record_rig_check(&rig);
                record_rig_remount(&rig); /* a second start changes nothing */
                take_image(&now);
                assert_true(same_image(&now, done ? &after : &before));
                if (!done) {
                    assert_int_equal(torn[i].operation(), COS_OK);
                    take_image(&now);
                    assert_true(same_image(&now, &after));
                    record_rig_check(&rig);
                }
            }
        }
        assert_true(seen_before > 0 && seen_after > 0);
        sim_snapshot_free(&snapshot);
    }
}

/* ---- Damaged content ---- */

static void damaged_entries_are_refused(void **state)
{
    static const uint8_t entries[][4] = {
        {0x01, 0x92, 0, 0}, {0, 1, 0x01, 0x91}, {0x01, 0x90, 0, 2},
        {0xFF, 0xFF, 0, 1}, {0, 1, 0xFF, 0xFF}, {0xFF, 0xFF, 0xFF, 0xFF},
    };
    struct cos_record found;
    (void)state;
    for (size_t i = 0; i < COUNT(entries); i++) {
        reopen(RECORD_RIG_SMALL, &ef);
        record_rig_write(&rig, (record_rig_content(&rig) + 3) / 4 * 4, entries[i], 4);
        record_rig_keep(&rig);
        assert_int_equal(cos_fs_object(&rig.fs, &rig.info, 0, &found), COS_E_STORE_DAMAGED);
        assert_int_equal(cos_fs_object_find(&rig.fs, &rig.info, 0x81, &found), COS_E_STORE_DAMAGED);
        assert_int_equal(put(0x81, 3, 1), COS_E_STORE_DAMAGED);
        assert_int_equal(remove_object(0x81), COS_E_STORE_DAMAGED);
        record_rig_check_kept(&rig);
    }
}

/* Whatever the file holds, nothing outside of it is written, no object reaches out of it, and every
 * call ends. */
static void random_content_does_no_harm(void **state)
{
    uint8_t bytes[8 + 50 * 4 + 400], outside[2][200];
    uint64_t seed = 5;
    unsigned done = 0, damaged = 0;
    (void)state;
    reopen(RECORD_RIG_LARGE, &ef);
    const uint32_t start = rig.info.address, end = start + cos_file_extent(&rig.info);
    assert_int_equal(end - start, sizeof bytes);
    for (unsigned round = 0; round < 2000; round++) {
        for (unsigned i = 0; i < sizeof bytes; i++) {
            bytes[i] = (uint8_t)(0x81 + sim_below(&seed, 4));
        }
        for (unsigned i = 0; i < 52; i++) {
            const bool wild = sim_below(&seed, 200) == 0;
            cos_put16(bytes + 4 * i, (uint16_t)(wild     ? sim_random(&seed)
                                                : i < 20 ? 1 + sim_below(&seed, 380)
                                                         : 0));
            cos_put16(bytes + 4 * i + 2,
                      (uint16_t)(wild ? sim_random(&seed) : sim_below(&seed, 20)));
        }
        record_rig_write(&rig, start, bytes, sizeof bytes);
        assert_int_equal(cos_store_read(&rig.store, start - 100, outside[0], 100), COS_OK);
        assert_int_equal(cos_store_read(&rig.store, end, outside[0] + 100, 100), COS_OK);
        for (unsigned n = 0; n < 6; n++) {
            const uint32_t tag = 0x81 + sim_below(&seed, 6);
            const enum cos_result result =
                sim_below(&seed, 3) == 0 ? remove_object(tag) : put(tag, sim_below(&seed, 200), n);
            assert_true(result == COS_OK || result == COS_E_STORE_DAMAGED ||
                        result == COS_E_MEMORY_FULL || result == COS_E_REFERENCE_NOT_FOUND);
            done += result == COS_OK;
            damaged += result == COS_E_STORE_DAMAGED;
        }
        for (unsigned i = 0; i < rig.info.record_count; i++) {
            struct cos_record found;
            if (cos_fs_object(&rig.fs, &rig.info, i, &found) == COS_OK) {
                assert_true(found.address >= record_rig_data(&rig) &&
                            found.address + found.length <= end);
            }
        }
        assert_int_equal(cos_store_read(&rig.store, start - 100, outside[1], 100), COS_OK);
        assert_int_equal(cos_store_read(&rig.store, end, outside[1] + 100, 100), COS_OK);
        assert_memory_equal(outside[0], outside[1], 200);
    }
    assert_true(done > 1000 && damaged > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(objects_of_all_tags_and_lengths_are_kept_whole, teardown),
        cmocka_unit_test_teardown(objects_are_replaced, teardown),
        cmocka_unit_test_teardown(the_number_of_objects_is_limited, teardown),
        cmocka_unit_test_teardown(others_keep_their_order_where_that_costs_nothing, teardown),
        cmocka_unit_test_teardown(wrong_input_writes_nothing, teardown),
        cmocka_unit_test_teardown(other_files_have_no_objects, teardown),
        cmocka_unit_test_teardown(objects_cost_their_pages, teardown),
        cmocka_unit_test_teardown(random_work_agrees_with_a_model, teardown),
        cmocka_unit_test_teardown(objects_as_large_as_a_transaction_come_and_go, teardown),
        cmocka_unit_test_teardown(torn_operations_are_before_or_after, teardown),
        cmocka_unit_test_teardown(damaged_entries_are_refused, teardown),
        cmocka_unit_test_teardown(random_content_does_no_harm, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
