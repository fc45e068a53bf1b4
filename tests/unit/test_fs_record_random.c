/* SPDX-License-Identifier: Apache-2.0
 *
 * Records: random work against a model, torn power, damaged content.
 */
#include "record_helpers.h"

/* ---- Random work against a model ---- */

struct model {
    unsigned count;
    struct {
        uint16_t length;
        uint8_t bytes[RECORD_MAX];
    } records[COS_FS_RECORDS_MAX];
};

static struct model model;

static unsigned model_total(void)
{
    unsigned total = 0;

    for (unsigned i = 0; i < model.count; i++) {
        total += model.records[i].length;
    }
    return total;
}

static void compare(void)
{
    assert_int_equal(count_records(), model.count);
    for (unsigned i = 0; i < model.count; i++) {
        const struct cos_record found = record(i + 1);
        uint8_t bytes[RECORD_MAX];
        assert_int_equal(found.length, model.records[i].length);
        assert_int_equal(cos_fs_record_read(&rig.fs, &found, 0, bytes, found.length), COS_OK);
        assert_memory_equal(bytes, model.records[i].bytes, found.length);
    }
    record_rig_check(&rig);
}

/* Where a new record goes in the model; what is there must make way. */
static unsigned model_append(void)
{
    if (!cos_file_is_cyclic(&rig.info)) {
        return model.count++;
    }
    memmove(&model.records[1], &model.records[0],
            sizeof model.records[0] * (rig.info.record_count - 1U));
    model.count += model.count < rig.info.record_count;
    return 0;
}

static void random_step(uint64_t *seed, unsigned *full)
{
    uint8_t bytes[RECORD_MAX];
    const bool variable = cos_file_is_variable(&rig.info);
    const unsigned size = rig.info.record_size;
    const unsigned length = variable ? sim_below(seed, size + 1) : size;
    const unsigned number = model.count == 0 ? 1 : sim_below(seed, model.count);
    enum cos_result wanted = COS_OK;

    fill(bytes, RECORD_MAX, (unsigned)sim_random(seed) % 1000);
    switch (sim_below(seed, 8)) {
    case 0:
    case 1:
        if (model.count == rig.info.record_count && !cos_file_is_cyclic(&rig.info)) {
            wanted = COS_E_MEMORY_FULL;
        }
        if (variable && model_total() + length > rig.info.size) {
            wanted = COS_E_MEMORY_FULL;
        }
        record_rig_keep(&rig);
        assert_int_equal(cos_fs_record_append(&rig.fs, &rig.info, bytes, length), wanted);
        if (wanted == COS_OK) {
            const unsigned at = model_append();
            model.records[at].length = (uint16_t)length;
            memcpy(model.records[at].bytes, bytes, length);
        } else {
            record_rig_check_kept(&rig);
            ++*full;
        }
        break;
    case 2:
        if (number < model.count) {
            const unsigned last = number + sim_below(seed, model.count - number);
            assert_int_equal(cos_fs_record_erase(&rig.fs, &rig.info, number + 1, last + 1), COS_OK);
            for (unsigned i = number; i <= last; i++) {
                memset(model.records[i].bytes, 0, RECORD_MAX);
            }
        }
        break;
    case 3:
        if (number < model.count) {
            const unsigned now = model.records[number].length;
            const unsigned offset = sim_below(seed, now + 1);
            const unsigned run = sim_below(seed, now - offset + 1);
            assert_int_equal(
                cos_fs_record_patch(&rig.fs, &rig.info, number + 1, offset, bytes, run), COS_OK);
            memcpy(model.records[number].bytes + offset, bytes, run);
        }
        break;
    case 4:
        if (sim_below(seed, 4) == 0) {
            record_rig_remount(&rig);
        } else {
            assert_int_equal(cos_store_settle(&rig.store), COS_OK);
        }
        break;
    default:
        if (number < model.count) {
            if (variable && model_total() - model.records[number].length + length > rig.info.size) {
                wanted = COS_E_MEMORY_FULL;
            }
            record_rig_keep(&rig);
            assert_int_equal(cos_fs_record_update(&rig.fs, &rig.info, number + 1, bytes, length),
                             wanted);
            if (wanted == COS_OK) {
                model.records[number].length = (uint16_t)length;
                memcpy(model.records[number].bytes, bytes, length);
            } else {
                record_rig_check_kept(&rig);
                ++*full;
            }
        }
        break;
    }
}

static void random_work_agrees_with_a_model(void **state)
{
    static const struct {
        struct record_rig_file file;
        uint16_t reserve;
        unsigned full; /* at least that often */
    } cases[] = {
        {{0x02, 20, 1, 600, 7}, RECORD_RIG_SMALL, 100},
        {{0x06, 20, 1, 600, 6}, RECORD_RIG_SMALL, 0},
        {{0x06, 1, 1, 1, 0}, RECORD_RIG_SMALL, 0},
        {{0x06, 255, 1, 2550, 0}, RECORD_RIG_LARGE, 0},
        {{0x04, 20, 30, 150, 5}, RECORD_RIG_SMALL, 100},
        {{0x04, 60, 0, 500, 9}, RECORD_RIG_SMALL, 100},
        {{0x04, 200, 0, 2000, 5}, RECORD_RIG_SMALL, 100},
        {{0x05, 216, 254, 6000, 0}, RECORD_RIG_SMALL, 100},
        {{0x04, 255, 60, 3000, 11}, RECORD_RIG_LARGE, 100},
        {{0x04, 900, 60, 3000, 0}, RECORD_RIG_LARGE, 100},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t seed = i + 1;
        unsigned full = 0;
        reopen(cases[i].reserve, &cases[i].file);
        memset(&model, 0, sizeof model);
        model.count = count_records();
        for (unsigned n = 0; n < model.count; n++) {
            model.records[n].length = rig.info.record_size;
        }
        for (unsigned step = 0; step < 2500; step++) {
            random_step(&seed, &full);
            if (step % 5 == 0) {
                compare();
            }
        }
        compare();
        assert_true(full >= cases[i].full);
        assert_int_equal(rig.power.violations, 0);
    }
}

/* ---- Torn power ---- */

static void take_image(struct image *image)
{
    const unsigned count = count_records();

    image->length = 0;
    for (unsigned number = 1; number <= count; number++) {
        const struct cos_record found = record(number);
        assert_true(image->length + 2 + found.length <= sizeof image->bytes);
        cos_put16(image->bytes + image->length, found.length);
        assert_int_equal(
            cos_fs_record_read(&rig.fs, &found, 0, image->bytes + image->length + 2, found.length),
            COS_OK);
        image->length += 2U + found.length;
    }
}

static void four_records(void)
{
    for (unsigned seed = 1; seed <= 4; seed++) {
        assert_int_equal(append(20, seed), COS_OK);
    }
}

static void nine_large_records(void)
{
    for (unsigned seed = 1; seed <= 9; seed++) {
        assert_int_equal(append(150, seed), COS_OK);
    }
}

static void scattered_records(void)
{
    for (unsigned seed = 1; seed <= 12; seed++) {
        assert_int_equal(append(100, seed), COS_OK);
    }
    for (unsigned number = 1; number <= 12; number += 3) {
        assert_int_equal(update(number, 60, number + 20), COS_OK);
    }
}

/* Round the end of the ring. */
static void thirteen_large_records(void)
{
    nine_large_records();
    for (unsigned seed = 10; seed <= 13; seed++) {
        assert_int_equal(append(150, seed), COS_OK);
    }
}

/* No two that follow each other lie side by side. */
static void mixed_records(void)
{
    for (unsigned seed = 1; seed <= 20; seed++) {
        assert_int_equal(append(10, seed), COS_OK);
    }
    for (unsigned number = 1; number <= 19; number += 2) {
        assert_int_equal(update(number, 15, number), COS_OK);
    }
}

static enum cos_result append_20(void)
{
    return append(20, 99);
}

static enum cos_result update_third(void)
{
    return update(3, 20, 99);
}

static enum cos_result shrink_third(void)
{
    return update(3, 3, 99);
}

static enum cos_result grow_second(void)
{
    return update(2, 38, 99);
}

static enum cos_result grow_after_moves(void)
{
    return update(5, 200, 99);
}

static enum cos_result append_after_moves(void)
{
    return append(150, 99);
}

static enum cos_result patch_third(void)
{
    return cos_fs_record_patch(&rig.fs, &rig.info, 3, 5, (const uint8_t *)"abcdef", 6);
}

static enum cos_result erase_two_and_three(void)
{
    return cos_fs_record_erase(&rig.fs, &rig.info, 2, 3);
}

static enum cos_result erase_many(void)
{
    return cos_fs_record_erase(&rig.fs, &rig.info, 2, 8);
}

static enum cos_result erase_mixed(void)
{
    return cos_fs_record_erase(&rig.fs, &rig.info, 2, 19);
}

static const struct torn torn[] = {
    {{0x02, 20, 1, 600, 0}, RECORD_RIG_SMALL, four_records, append_20, false},
    {{0x02, 20, 1, 600, 0}, RECORD_RIG_SMALL, four_records, update_third, false},
    {{0x02, 20, 1, 600, 0}, RECORD_RIG_SMALL, four_records, erase_two_and_three, false},
    {{0x02, 150, 1, 1500, 0}, RECORD_RIG_SMALL, nine_large_records, erase_many, true},
    {{0x06, 20, 1, 80, 60}, RECORD_RIG_SMALL, four_records, append_20, false},
    {{0x06, 20, 1, 60, 60}, RECORD_RIG_SMALL, four_records, append_20, false},
    {{0x06, 20, 1, 60, 60}, RECORD_RIG_SMALL, four_records, patch_third, false},
    {{0x06, 20, 1, 60, 60}, RECORD_RIG_SMALL, four_records, erase_two_and_three, false},
    {{0x04, 40, 60, 400, 0}, RECORD_RIG_SMALL, four_records, append_20, false},
    {{0x04, 40, 60, 400, 0}, RECORD_RIG_SMALL, four_records, shrink_third, false},
    {{0x04, 40, 60, 400, 0}, RECORD_RIG_SMALL, four_records, update_third, false},
    {{0x04, 40, 60, 400, 0}, RECORD_RIG_SMALL, four_records, grow_second, false},
    {{0x04, 150, 60, 1400, 0}, RECORD_RIG_SMALL, nine_large_records, erase_many, true},
    {{0x04, 20, 40, 600, 0}, RECORD_RIG_SMALL, mixed_records, erase_mixed, true},
    {{0x06, 150, 1, 1350, 0}, RECORD_RIG_SMALL, thirteen_large_records, erase_many, true},
    {{0x04, 200, 60, 1200, 0}, RECORD_RIG_SMALL, scattered_records, grow_after_moves, true},
    {{0x04, 200, 60, 1200, 0}, RECORD_RIG_LARGE, scattered_records, grow_after_moves, true},
    {{0x04, 200, 60, 1200, 0}, RECORD_RIG_LARGE, scattered_records, append_after_moves, true},
};

static void torn_operations_are_before_or_after(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(torn); i++) {
        tear(&torn[i], i, take_image);
    }
}

/* ---- Damaged content ---- */

static void damaged_headers_are_refused(void **state)
{
    static const struct {
        struct record_rig_file file;
        uint32_t offset;
        uint8_t bytes[4];
    } cases[] = {
        {{0x02, 20, 3, 80}, 0, {0, 5, 0, 0}},
        {{0x02, 20, 3, 80}, 0, {0xFF, 0xFF, 0, 0}},
        {{0x06, 20, 3, 80}, 0, {0, 5, 0, 0}},
        {{0x06, 20, 3, 80}, 0, {0, 4, 0, 4}},
        {{0x06, 20, 3, 80}, 0, {0, 0, 0xFF, 0xFF}},
        {{0x04, 20, 4, 80}, 0, {0, 82, 0, 0}}, /* begins behind the end */
        {{0x04, 20, 4, 80}, 0, {0, 1, 0, 81}}, /* is too long */
        {{0x04, 20, 4, 80}, 0, {0, 80, 0, 2}}, /* reaches over the end */
        {{0x04, 20, 4, 80}, 0, {0xFF, 0xFF, 0, 1}},
        {{0x04, 20, 4, 80}, 0, {0, 1, 0xFF, 0xFF}},
        {{0x04, 20, 4, 80}, 0, {0xFF, 0xFF, 0xFF, 0xFF}},
    };
    struct cos_file_info info;
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        reopen(RECORD_RIG_SMALL, &cases[i].file);
        record_rig_write(&rig, record_rig_header(&rig), cases[i].bytes, 4);
        record_rig_keep(&rig);
        for (enum call what = UPDATE; what <= CALL_COUNT; what++) {
            assert_int_equal(call(what, &rig.info, 1, 1, 20), COS_E_STORE_DAMAGED);
        }
        record_rig_check_kept(&rig);
    }
    reopen(RECORD_RIG_SMALL, &cases[0].file); /* more records than the size holds */
    info = rig.info;
    info.record_count = 5;
    assert_int_equal(call(RECORD, &info, 1, 0, 0), COS_E_STORE_DAMAGED);
    assert_int_equal(call(APPEND, &info, 0, 0, 20), COS_E_STORE_DAMAGED);
}

/* Whatever a directory says, nothing outside of the file is written, no record reaches out of it,
 * and every call ends. */
static void random_directories_do_no_harm(void **state)
{
    static const struct record_rig_file file = {0x04, 60, 12, 300, 5};
    uint8_t bytes[2048], before[2048], after[2048];
    uint64_t seed = 77;
    unsigned done = 0, damaged = 0;
    (void)state;
    reopen(RECORD_RIG_LARGE, &file);
    const uint32_t start = rig.info.address, end = rig.info.address + cos_file_extent(&rig.info);
    const uint32_t directory = record_rig_header(&rig);
    for (unsigned round = 0; round < 3000; round++) {
        for (unsigned i = 0; i < 12; i++) {
            cos_put16(bytes + 4 * i,
                      (uint16_t)(sim_below(&seed, 20) == 0 ? sim_below(&seed, 400)
                                                           : 1 + sim_below(&seed, 250)));
            cos_put16(bytes + 4 * i + 2,
                      (uint16_t)sim_below(&seed, sim_below(&seed, 30) == 0 ? 400 : 50));
        }
        record_rig_write(&rig, directory, bytes, 48);
        assert_int_equal(cos_store_read(&rig.store, start - 100, before, 100), COS_OK);
        assert_int_equal(cos_store_read(&rig.store, end, before + 100, 100), COS_OK);
        for (unsigned n = 0; n < 4; n++) {
            const enum call what = (enum call)sim_below(&seed, RECORD + 1);
            const enum cos_result result = call(what, &rig.info, 1 + sim_below(&seed, 13),
                                                1 + sim_below(&seed, 13), sim_below(&seed, 61));
            assert_true(result == COS_OK || result == COS_E_STORE_DAMAGED ||
                        result == COS_E_MEMORY_FULL || result == COS_E_RECORD_NOT_FOUND ||
                        result == COS_E_OFFSET);
            done += result == COS_OK;
            damaged += result == COS_E_STORE_DAMAGED;
        }
        for (unsigned number = 1; number <= 12; number++) {
            struct cos_record found;
            if (cos_fs_record(&rig.fs, &rig.info, number, &found) == COS_OK) {
                assert_true(found.address >= record_rig_data(&rig) &&
                            found.address + found.length <= end);
            }
        }
        assert_int_equal(cos_store_read(&rig.store, start - 100, after, 100), COS_OK);
        assert_int_equal(cos_store_read(&rig.store, end, after + 100, 100), COS_OK);
        assert_memory_equal(before, after, 200);
    }
    assert_true(done > 1000 && damaged > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(random_work_agrees_with_a_model, teardown),
        cmocka_unit_test_teardown(torn_operations_are_before_or_after, teardown),
        cmocka_unit_test_teardown(damaged_headers_are_refused, teardown),
        cmocka_unit_test_teardown(random_directories_do_no_harm, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
