/* SPDX-License-Identifier: Apache-2.0
 *
 * One rig and short words for what the tests of records and data objects do with it. A "seed" names
 * the bytes of a record or value; none of them is 00.
 */
#ifndef RECORD_HELPERS_H
#define RECORD_HELPERS_H

#include "fs/file.h"
#include "record_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define RECORD_MAX   1000U

static struct record_rig rig;

static inline int teardown(void **state)
{
    (void)state;
    if (rig.kept != NULL) {
        record_rig_close(&rig);
        rig.kept = NULL;
    }
    return 0;
}

static inline void reopen(uint16_t reserve, const struct record_rig_file *file)
{
    (void)teardown(NULL);
    record_rig_open(&rig, reserve, file);
}

static inline void fill(uint8_t *bytes, size_t length, unsigned seed)
{
    for (size_t i = 0; i < length; i++) {
        bytes[i] = (uint8_t)(1 + (seed * 37 + i * 11) % 255);
    }
}

/* ---- Records ---- */

static inline enum cos_result append(size_t length, unsigned seed)
{
    uint8_t bytes[RECORD_MAX];

    fill(bytes, length, seed);
    return cos_fs_record_append(&rig.fs, &rig.info, bytes, length);
}

static inline enum cos_result update(unsigned number, size_t length, unsigned seed)
{
    uint8_t bytes[RECORD_MAX];

    fill(bytes, length, seed);
    return cos_fs_record_update(&rig.fs, &rig.info, number, bytes, length);
}

static inline unsigned count_records(void)
{
    unsigned count;

    assert_int_equal(cos_fs_record_count(&rig.fs, &rig.info, &count), COS_OK);
    return count;
}

static inline struct cos_record record(unsigned number)
{
    struct cos_record found;

    assert_int_equal(cos_fs_record(&rig.fs, &rig.info, number, &found), COS_OK);
    return found;
}

/* seed 0: a record of 00 */
static inline void expect_record(unsigned number, size_t length, unsigned seed)
{
    const struct cos_record found = record(number);
    uint8_t bytes[RECORD_MAX], wanted[RECORD_MAX] = {0};

    if (seed != 0) {
        fill(wanted, length, seed);
    }
    assert_int_equal(found.length, length);
    assert_int_equal(cos_fs_record_read(&rig.fs, &found, 0, bytes, length), COS_OK);
    assert_memory_equal(bytes, wanted, length);
}

/* Every call by a name, for tables. */
enum call { UPDATE, APPEND, PATCH, ERASE, RECORD, CALL_COUNT, READ };

static inline enum cos_result call(enum call what, const struct cos_file_info *info, unsigned a,
                                   uint32_t b, size_t length)
{
    static const uint8_t bytes[RECORD_MAX];
    struct cos_record found = {0};
    uint8_t *exact;
    unsigned count;
    enum cos_result result;

    switch (what) {
    case UPDATE:
        return cos_fs_record_update(&rig.fs, info, a, bytes, length);
    case APPEND:
        return cos_fs_record_append(&rig.fs, info, bytes, length);
    case PATCH:
        return cos_fs_record_patch(&rig.fs, info, a, b, bytes, length);
    case ERASE:
        return cos_fs_record_erase(&rig.fs, info, a, b);
    case RECORD:
        return cos_fs_record(&rig.fs, info, a, &found);
    case CALL_COUNT:
        return cos_fs_record_count(&rig.fs, info, &count);
    default:
        assert_int_equal(cos_fs_record(&rig.fs, info, a, &found), COS_OK);
        exact = malloc(64);
        assert_non_null(exact);
        result = cos_fs_record_read(&rig.fs, &found, b, exact, length);
        free(exact);
        return result;
    }
}

/* ---- Data objects ---- */

static inline enum cos_result put(uint32_t tag, size_t length, unsigned seed)
{
    uint8_t bytes[RECORD_MAX];

    fill(bytes, length, seed);
    return cos_fs_object_put(&rig.fs, &rig.info, tag, (struct cos_span){bytes, length});
}

static inline enum cos_result remove_object(uint32_t tag)
{
    return cos_fs_object_delete(&rig.fs, &rig.info, tag);
}

/* The bytes of an object as they should be stored. */
static inline size_t encode(uint8_t bytes[RECORD_MAX + 8], uint32_t tag, size_t length,
                            unsigned seed)
{
    struct cos_writer writer = cos_writer(bytes, RECORD_MAX + 8);
    uint8_t value[RECORD_MAX];

    fill(value, length, seed);
    cos_tlv_write(&writer, tag, value, length);
    assert_false(writer.failed);
    return writer.length;
}

/* Puts the bytes of an object behind others; returns where they end. */
static inline size_t add_object(uint8_t *objects, size_t at, uint32_t tag, size_t length,
                                unsigned seed)
{
    uint8_t one[RECORD_MAX + 8];
    const size_t encoded = encode(one, tag, length, seed);

    memcpy(objects + at, one, encoded);
    return at + encoded;
}

static inline void expect_object(uint32_t tag, size_t length, unsigned seed)
{
    uint8_t wanted[RECORD_MAX + 8], bytes[RECORD_MAX + 8];
    struct cos_record found;
    const size_t encoded = encode(wanted, tag, length, seed);

    assert_int_equal(cos_fs_object_find(&rig.fs, &rig.info, tag, &found), COS_OK);
    assert_int_equal(found.length, encoded);
    assert_int_equal(cos_fs_record_read(&rig.fs, &found, 0, bytes, encoded), COS_OK);
    assert_memory_equal(bytes, wanted, encoded);
}

static inline void expect_no_object(uint32_t tag)
{
    struct cos_record found;

    assert_int_equal(cos_fs_object_find(&rig.fs, &rig.info, tag, &found),
                     COS_E_REFERENCE_NOT_FOUND);
}

static inline unsigned count_objects(void)
{
    struct cos_record found;
    unsigned count = 0;

    while (cos_fs_object(&rig.fs, &rig.info, count, &found) == COS_OK) {
        count++;
    }
    assert_int_equal(cos_fs_object(&rig.fs, &rig.info, count, &found), COS_E_REFERENCE_NOT_FOUND);
    return count;
}

/* ---- Torn power ---- */

/* What the file says, in an order of its own. */
struct image {
    size_t length;
    uint8_t bytes[8192];
};

static inline bool same_image(const struct image *a, const struct image *b)
{
    return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

struct torn {
    struct record_rig_file file;
    uint16_t reserve;
    void (*prepare)(void);
    enum cos_result (*operation)(void);
    bool several; /* transactions */
};

/* Cuts the power at every operation of a change and leaves every content there: afterwards the
 * files are as before or as after it, and if before, it can be made. */
static inline void tear(const struct torn *torn, uint64_t seed,
                        void (*take_image)(struct image *image))
{
    static struct image before, after, now;
    struct sim_snapshot snapshot = {0};
    unsigned seen_before = 0, seen_after = 0;
    reopen(torn->reserve, &torn->file);
    torn->prepare();
    assert_int_equal(cos_store_settle(&rig.store), COS_OK);
    take_image(&before);
    sim_nvm_save(&rig.sim, &snapshot);
    const uint64_t start = rig.power.operations;
    const uint32_t sequence = rig.store.newest;
    assert_int_equal(torn->operation(), COS_OK);
    assert_int_equal(rig.store.newest - sequence > 1, torn->several);
    const uint32_t operations = (uint32_t)(rig.power.operations - start);
    take_image(&after);
    assert_false(same_image(&before, &after));
    for (uint32_t n = 1; n <= operations; n++) {
        /* Of many transactions in a row each operation sees some of the contents, the last all */
        const unsigned stride = torn->several && n + 12 < operations ? 5 : 1;
        for (unsigned content = n % stride; content < SIM_CONTENTS; content += stride) {
            sim_nvm_restore(&rig.sim, &snapshot);
            record_rig_remount(&rig);
            sim_power_cut(&rig.power, n, (enum sim_content)content, seed * 1000 + n);
            (void)torn->operation();
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
                assert_int_equal(torn->operation(), COS_OK);
                take_image(&now);
                assert_true(same_image(&now, &after));
                record_rig_check(&rig);
            }
        }
    }
    assert_true(seen_before > 0 && seen_after > 0);
    sim_snapshot_free(&snapshot);
}

#endif
