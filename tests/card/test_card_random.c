/* SPDX-License-Identifier: Apache-2.0
 *
 * Seeded commands on files of every structure, most of them nearly right: none is answered 6F00,
 * and one that ends in an error changes neither NVM nor what is current.
 */
#include "card_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 20, COMMANDS = 1500, SEED = 20261125 };

#define ALL "8C087F00000000000000"

static int make_files(void **state)
{
    static const char *const files[] = {
        "820138 83025700 81020100 " ALL,           "820101 83020001 8002012C " ALL,
        "82030241 08 83020002 80020040 " ALL,      "82030641 06 83020003 80020018 " ALL,
        "8205044100 20 08 83020004 80020060 " ALL, "8205054100 20 08 83020005 80020060 " ALL,
        "82020101 83020006 80020020 " ALL,         "820139 83020007 80020080 " ALL,
    };
    struct bench *bench;

    card_make(state);
    bench = *state;
    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A4000C 02 3F00", 0x9000, NULL);
    for (size_t i = 0; i < CARD_COUNT(files); i++) {
        bench_expect_sm(bench, i == 0 ? "00A4000C 02 3F00" : "00A4080C 02 5700", 0x9000, NULL);
        assert_int_equal(bench_create(bench, true, files[i]), 0x9000);
    }
    bench_expect(bench, "00A4080C025700", 0x9000, NULL);
    return 0;
}

/* Data of objects of odd instructions: 54 offset and 53 data, a tag list, or what comes. */
static size_t make_data(uint64_t *seed, uint8_t *data)
{
    const uint8_t length = (uint8_t)sim_below(seed, 12);
    size_t at = 0;

    switch (sim_below(seed, 4)) {
    case 0: /* offset, data */
        data[at++] = 0x54;
        data[at++] = 1;
        data[at++] = (uint8_t)sim_below(seed, 40);
        if (sim_below(seed, 4) == 0) {
            return at;
        }
        data[at++] = 0x53;
        data[at++] = length;
        break;
    case 1: /* an object, a SIMPLE-TLV record */
        data[at++] = (uint8_t)(0xC0 + sim_below(seed, 4));
        data[at++] = length;
        break;
    case 2:
        data[at++] = 0x5C;
        data[at++] = 1;
        data[at++] = (uint8_t)(0xC0 + sim_below(seed, 4));
        if (sim_below(seed, 2) == 0) {
            return at;
        }
        data[at++] = 0x53;
        data[at++] = length;
        break;
    default:
        break;
    }
    for (uint8_t i = 0; i < length; i++) {
        data[at++] = (uint8_t)sim_below(seed, 4);
    }
    return at;
}

static size_t make_command(uint64_t *seed, uint8_t apdu[64])
{
    static const uint8_t instructions[] = {
        0xA4, 0xB0, 0xB1, 0xD0, 0xD1, 0xD6, 0xD7, 0xA0, 0xA1, 0x0E, 0x0F, 0xB2, 0xB3, 0xD2, 0xDC,
        0xDD, 0xE2, 0xE2, 0xA2, 0x0C, 0xCA, 0xCB, 0xDA, 0xDB, 0x04, 0x44, 0x44, 0x44, 0xE4, 0xE8,
    };
    const uint8_t ins = instructions[sim_below(seed, sizeof instructions)];
    size_t length = 4;

    memset(apdu, 0, 64);
    apdu[1] = ins;
    if (ins == 0xE8 || ins == 0xE4) { /* seldom what it should be: the files are to stay */
        apdu[2] = (uint8_t)sim_below(seed, 12);
    } else if (ins == 0xA4 || ins == 0x04 || ins == 0x44) { /* child EF */
        apdu[2] = 0x02;
        apdu[3] = 0x0C;
        apdu[4] = 2;
        apdu[6] = (uint8_t)(1 + sim_below(seed, 8));
        return 7;
    } else if (ins == 0xCA || ins == 0xDA) {
        apdu[3] = (uint8_t)(0xC0 + sim_below(seed, 4));
    } else if ((ins & 0x01) != 0 && ins != 0xB3 && ins != 0xDD) {
        apdu[2] = sim_below(seed, 3) == 0 ? 0x3F : 0;
        apdu[3] = apdu[2] != 0 ? 0xFF : (uint8_t)sim_below(seed, 9);
    } else if (ins == 0xB0 || ins == 0xD0 || ins == 0xD6 || ins == 0xA0 || ins == 0x0E) {
        apdu[2] = (uint8_t)(sim_below(seed, 2) * 0x80 + sim_below(seed, 8));
        apdu[3] = (uint8_t)sim_below(seed, 256);
    } else {
        apdu[2] = ins == 0xE2 ? 0 : (uint8_t)(sim_below(seed, 3) == 0 ? sim_below(seed, 10) : 0);
        apdu[3] = (uint8_t)(sim_below(seed, 8) << 3 | (ins == 0xE2 ? 0 : sim_below(seed, 8)));
    }
    if (ins != 0xB0 && ins != 0xB2 && ins != 0xCA && sim_below(seed, 8) != 0) {
        const size_t count = make_data(seed, apdu + 5);
        apdu[4] = (uint8_t)count;
        length = count == 0 ? 4 : 5 + count;
    }
    if (sim_below(seed, 2) == 0) {
        apdu[length++] = (uint8_t)(sim_below(seed, 2) * sim_below(seed, 40));
    }
    return length;
}

/* The number of commands that succeed. */
static unsigned play(struct bench *bench, uint64_t *seed)
{
    unsigned good = 0;

    for (unsigned i = 0; i < COMMANDS; i++) {
        const cos_file df = bench->app.channel->df, ef = bench->app.channel->ef;
        const uint16_t record = bench->app.channel->record;
        struct card_image image;
        uint8_t apdu[64];
        char hex[2 * 64 + 1] = "";
        const size_t length = make_command(seed, apdu);

        for (size_t at = 0; at < length; at++) {
            snprintf(hex + 2 * at, 3, "%02X", apdu[at]);
        }
        card_image_take(bench, &image);
        const uint16_t sw = bench_apdu(bench, apdu, length);
        const bool same = card_image_same(bench, &image);
        const unsigned kind = sw >> 8;
        const bool success = sw == 0x9000 || kind == 0x61 || kind == 0x62;
        const bool moved = df != bench->app.channel->df || ef != bench->app.channel->ef ||
                           record != bench->app.channel->record;
        if (sw == 0x6F00 || (!success && (!same || moved || bench->length != 0))) {
            fail_msg("command %u, %s: %04X%s%s", i, hex, sw, same ? "" : ", NVM has changed",
                     moved ? ", another file is current" : "");
        }
        good += success ? 1 : 0;
    }
    return good;
}

/* A new card now and then: some commands end a file for good. */
static void no_command_breaks_anything(void **state)
{
    uint64_t seed = SEED;
    unsigned good = 0;

    for (unsigned round = 0; round < ROUNDS; round++) {
        good += play(*state, &seed);
        card_free(state);
        make_files(state);
    }
    print_message("# %u commands, %u of them successful\n", (unsigned)(ROUNDS * COMMANDS), good);
    assert_in_range(good, ROUNDS * COMMANDS / 8, ROUNDS * COMMANDS);
}

#define FILES_TEST(function) cmocka_unit_test_setup_teardown(function, make_files, card_free)

int main(void)
{
    const struct CMUnitTest tests[] = {FILES_TEST(no_command_breaks_anything)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
