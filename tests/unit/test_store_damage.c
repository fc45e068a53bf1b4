/* SPDX-License-Identifier: Apache-2.0
 *
 * Images that no store wrote: wrong bits, pages in the wrong place, noise, wiped chips. A damaged
 * image still has the right content or is reported; other content is never answered.
 */
#include "store_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct rig rig;

static void failed(const struct rig *r, const char *message)
{
    (void)r;
    fail_msg("%s", message);
}

/* Page of 64 bytes, program unit 8: 24 bytes of payload. Even: erased 00, odd: FF. */
#define SMALL rig_find(SIM_WRITE_ONCE, 64, 64)

static void open_rig(unsigned geometry, uint64_t seed)
{
    rig_open(&rig, geometry, seed, failed);
}

static int teardown(void **state)
{
    (void)state;
    if (rig.sim.block != NULL) {
        rig_close(&rig);
    }
    return 0;
}

static enum cos_result remount(void)
{
    sim_power_off(&rig.power);
    sim_power_up(&rig.power);
    return cos_store_mount(&rig.store, &rig.sim.nvm, &rig.config);
}

static uint8_t *copy_image(void)
{
    uint8_t *image = malloc(rig.sim.nvm.geometry.size);
    assert_non_null(image);
    memcpy(image, rig.sim.cells, rig.sim.nvm.geometry.size);
    return image;
}

/* Mounts what is in the chip now: the content must be the settled one, or damage be reported with
 * nothing written. True if it was reported. */
static bool harmless_or_reported(void)
{
    uint8_t *image = copy_image();
    uint64_t operations = rig.power.operations;
    enum cos_result result = remount();
    if (result == COS_OK) {
        rig_verify(&rig);
        assert_int_equal(remount(), COS_OK);
        rig_verify(&rig);
    } else {
        assert_int_equal(result, COS_E_STORE_DAMAGED);
        assert_int_equal(rig.power.operations, operations);
        assert_memory_equal(image, rig.sim.cells, rig.sim.nvm.geometry.size);
    }
    free(image);
    return result != COS_OK;
}

/* A settled image with live and superseded pages, marks and erased pages. */
static void open_settled(unsigned geometry, struct rig_snapshot *snapshot)
{
    open_rig(geometry, geometry * 5 + 9);
    for (unsigned i = 0; i < 40; i++) {
        assert_true(rig_step(&rig, rig_any_commit(&rig)));
        if (i % 3 == 0) {
            assert_true(rig_step(&rig, 's'));
        }
    }
    assert_true(rig_steps(&rig, geometry % 2 ? "3sr" : "1r1s")); /* odd: after a refresh too */
    rig_save(&rig, snapshot);
}

static void one_wrong_bit_is_harmless_or_reported(void **state)
{
    (void)state;
    const unsigned geometries[] = {SMALL, SMALL + 1, 6, 8, 12, 27};
    unsigned long flips = 0, reported = 0;
    for (size_t g = 0; g < sizeof geometries / sizeof geometries[0]; g++) {
        struct rig_snapshot settled = {0};
        open_settled(geometries[g], &settled);
        uint32_t end = rig.config.start + (uint32_t)rig.config.pages * rig.config.page_size;
        for (uint32_t bit = rig.config.start * 8; bit < end * 8; bit++) {
            rig_restore(&rig, &settled);
            uint8_t byte = (uint8_t)(rig.sim.cells[bit / 8] ^ (1U << bit % 8));
            sim_nvm_poke(&rig.sim, bit / 8, &byte, 1);
            reported += harmless_or_reported();
            flips++;
        }
        sim_snapshot_free(&settled.sim);
        rig_close(&rig);
    }
    printf("# %lu single bit flips: %lu reported, the others harmless\n", flips, reported);
    assert_true(reported > flips / 10 && reported < flips);
}

static void a_page_copied_over_another_is_harmless_or_reported(void **state)
{
    (void)state;
    unsigned long copies = 0, reported = 0;
    for (unsigned geometry = 0; geometry < RIG_GEOMETRIES; geometry++) {
        struct rig_snapshot settled = {0};
        open_settled(geometry, &settled);
        uint32_t size = rig.config.page_size;
        for (unsigned pair = 0; pair < RIG_PAGES * RIG_PAGES; pair++) {
            uint8_t page[RIG_PAGE_MAX];
            rig_restore(&rig, &settled);
            memcpy(page, rig.sim.cells + rig.config.start + pair / RIG_PAGES * size, size);
            sim_nvm_poke(&rig.sim, rig.config.start + pair % RIG_PAGES * size, page, size);
            reported += harmless_or_reported();
            copies++;
        }
        sim_snapshot_free(&settled.sim);
        rig_close(&rig);
    }
    printf("# %lu pages copied over another: %lu reported\n", copies, reported);
    assert_true(reported > copies / 10 && reported < copies);
}

static void make_noise(unsigned page, uint64_t *random)
{
    uint8_t noise[RIG_PAGE_MAX];
    for (unsigned at = 0; at < rig.config.page_size; at++) {
        noise[at] = (uint8_t)(sim_random(random) >> 56);
    }
    sim_nvm_poke(&rig.sim, rig.config.start + page * rig.config.page_size, noise,
                 rig.config.page_size);
}

/* Noise in one page of a settled store is harmless or reported. */
static void one_noisy_page_is_harmless_or_reported(void **state)
{
    (void)state;
    unsigned long images = 0, reported = 0;
    uint64_t random = 1;
    for (unsigned geometry = 0; geometry < RIG_GEOMETRIES; geometry++) {
        struct rig_snapshot settled = {0};
        open_settled(geometry, &settled);
        for (unsigned i = 0; i < 8 * RIG_PAGES; i++) {
            rig_restore(&rig, &settled);
            make_noise(i % RIG_PAGES, &random);
            reported += harmless_or_reported();
            images++;
        }
        sim_snapshot_free(&settled.sim);
        rig_close(&rig);
    }
    printf("# %lu images with a page of noise: %lu reported\n", images, reported);
    assert_true(reported > images / 10 && reported < images);
}

/* Nothing but noise, and noise in most pages: mount comes to an end with one of its answers, reads
 * stay inside, and a second start agrees with the first. */
static void noise_never_crashes(void **state)
{
    (void)state;
    unsigned long answers[3] = {0};
    uint64_t random = 2;
    for (unsigned geometry = 0; geometry < RIG_GEOMETRIES; geometry++) {
        struct rig_snapshot settled = {0};
        open_settled(geometry, &settled);
        for (unsigned i = 0; i < 60; i++) {
            uint8_t first[RIG_SPACE_MAX], second[RIG_SPACE_MAX];
            rig_restore(&rig, &settled);
            for (unsigned page = 0; page < RIG_PAGES; page++) {
                if (i % 3 == 0 || sim_below(&random, 4) == 0) {
                    make_noise(page, &random);
                }
            }
            enum cos_result result = remount();
            if (result != COS_OK && result != COS_E_STORE_BLANK) {
                assert_int_equal(result, COS_E_STORE_DAMAGED);
                answers[0]++;
                continue;
            }
            /* Noise all over is no page of a store; less of it leaves pages behind. */
            assert_int_equal(result, i % 3 == 0 ? COS_E_STORE_BLANK : COS_OK);
            assert_int_equal(cos_store_read(&rig.store, 0, first, rig.size), COS_OK);
            assert_int_equal(remount(), result);
            assert_int_equal(cos_store_read(&rig.store, 0, second, rig.size), COS_OK);
            assert_memory_equal(first, second, rig.size);
            answers[result == COS_OK ? 1 : 2]++;
        }
        sim_snapshot_free(&settled.sim);
        rig_close(&rig);
    }
    printf("# images of noise: %lu reported, %lu mounted, %lu blank\n", answers[0], answers[1],
           answers[2]);
}

static void a_wiped_store_is_blank(void **state)
{
    (void)state;
    for (unsigned geometry = 0; geometry < RIG_GEOMETRIES; geometry++) {
        struct rig_snapshot settled = {0};
        open_settled(geometry, &settled);
        const struct cos_nvm *nvm = &rig.sim.nvm;
        for (uint32_t at = 0; at < nvm->geometry.size; at += nvm->geometry.erase_unit) {
            assert_int_equal(nvm->erase(nvm->context, at), COS_OK);
        }
        memset(rig.space[0], 0, sizeof rig.space[0]);
        rig.tries_seen = 0;
        assert_int_equal(remount(), COS_E_STORE_BLANK);
        rig_verify(&rig);
        rig.written = false;
        assert_true(rig_steps(&rig, "1sr"));
        sim_snapshot_free(&settled.sim);
        rig_close(&rig);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
    static const struct CMUnitTest tests[] = {
        TEST(one_wrong_bit_is_harmless_or_reported),
        TEST(a_page_copied_over_another_is_harmless_or_reported),
        TEST(one_noisy_page_is_harmless_or_reported),
        TEST(noise_never_crashes),
        TEST(a_wiped_store_is_blank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
