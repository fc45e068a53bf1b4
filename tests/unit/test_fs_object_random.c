/* SPDX-License-Identifier: Apache-2.0
 *
 * Data objects: random work against a model, torn power, damaged content.
 */
#include "record_helpers.h"

static const struct record_rig_file ef = {.fdb = 0x39, .size = 400};

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
    uint8_t bytes[RECORD_MAX + 8];

    return encode(bytes, model_tag(i), length, 0);
}

static void compare(const struct model *model)
{
    unsigned count = 0;

    for (unsigned i = 0; i < TAGS; i++) {
        if (model->there[i]) {
            expect_object(model_tag(i), model->length[i], model->seed[i]);
            count++;
        } else {
            expect_no_object(model_tag(i));
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

/* ---- Torn power ---- */

/* Objects by tag: their order may change. */
static void take_image(struct image *image)
{
    image->length = 0;
    for (unsigned i = 0; i < 24; i++) {
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

static void six_simple_objects(void)
{
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(put(model_tag(3 * i), 20, i), COS_OK);
    }
}

static enum cos_result replace_simple(void)
{
    return put(model_tag(3), 60, 99);
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

/* A new one, one of other length, one of the same, another new one. */
static enum cos_result put_four(void)
{
    static const uint8_t of[] = {20, 1, 3, 21}, lengths[] = {30, 44, 20, 7};
    uint8_t objects[200];
    size_t length = 0;

    for (size_t i = 0; i < COUNT(of); i++) {
        length = add_object(objects, length, model_tag(of[i]), lengths[i], 90 + (unsigned)i);
    }
    return cos_fs_objects_put(&rig.fs, &rig.info, (struct cos_span){objects, length});
}

static const struct torn torn[] = {
    {{.fdb = 0x39, .size = 400}, RECORD_RIG_SMALL, six_objects, put_four, false},
    {{.fdb = 0x38, .size = 1500, .attributes = 7},
     RECORD_RIG_LARGE,
     scattered_objects,
     put_four,
     false},
    {{.fdb = 0x3A, .size = 400}, RECORD_RIG_SMALL, six_simple_objects, replace_simple, false},
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
    (void)state;
    for (size_t i = 0; i < COUNT(torn); i++) {
        tear(&torn[i], i, take_image);
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
        record_rig_write(&rig, record_rig_header(&rig), entries[i], 4);
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
        cmocka_unit_test_teardown(random_work_agrees_with_a_model, teardown),
        cmocka_unit_test_teardown(torn_operations_are_before_or_after, teardown),
        cmocka_unit_test_teardown(damaged_entries_are_refused, teardown),
        cmocka_unit_test_teardown(random_content_does_no_harm, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
