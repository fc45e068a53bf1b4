/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzz target: a whole card. The input chooses a card (fresh from the factory, initialized, in use)
 * and is then a sequence of command APDUs from outside, some of them through the issuer's own
 * secure messaging, with card resets in between. abort() marks what no input may lead to.
 */
#include "gate_rig.h"
#include "secure_domain/domain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS = 40, CARDS = 3 };

/* The first byte of a step: the length of the APDU that follows, or one of these. */
enum step { STEP_SECURED_OPEN = 0xFD, STEP_SECURED = 0xFE, STEP_RESET = 0xFF };

static struct bench bench;
static struct gate_snapshot cards[CARDS];
static bool secured;

static void must(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "fuzz_card: %s (SW %04X)\n", what, bench.sw);
        abort();
    }
}

static void make_cards(void)
{
    static const enum cos_life_cycle states[CARDS] = {COS_LIFE_OPERATIONAL, COS_LIFE_INITIALIZED,
                                                      COS_LIFE_FABRICATED};

    for (unsigned i = 0; i < CARDS; i++) {
        bench_init(&bench, &bench_small);
        must(bench_power_on(&bench) && bench_produce_to(&bench, states[i]), "production");
        bench_power_off(&bench);
        must(bench_power_on(&bench), "start");
        gate_snapshot_save(&bench, &cards[i]);
    }
}

static bool word_exists(uint16_t sw)
{
    const unsigned high = sw >> 8;

    return sw == 0x9000 || (high >= 0x61 && high <= 0x6F && high != 0x60);
}

/* No input mutes the card, and what is stored stays consistent. */
static void check(enum cos_life_cycle before)
{
    const bool started_over = before == COS_LIFE_LOCKED;
    const enum cos_life_cycle now = (enum cos_life_cycle)bench.secure.life_cycle;

    must(word_exists(bench.sw), "a status word of the standard");
    must(!bench.app.mute && bench.secure.alive == COS_YES, "no input mutes the card");
    must(bench.sw != 0x6F00, "no input is without a diagnosis");
    must(now >= before || (started_over && now == COS_LIFE_OPERATIONAL), "the life cycle goes on");
    for (uint16_t i = 0; i < bench.secure.config.objects; i++) {
        struct object object;
        must(cos_object_read(&bench.secure, i, &object) == COS_OK, "objects can be read");
    }
}

static void secured_step(const uint8_t *apdu, size_t length)
{
    const size_t nc = length > 5 ? length - 5 : 0;

    if (secured && length >= 4 && nc <= 200) {
        (void)bench_sm(&bench, apdu[0] & 0x80U, apdu[1], apdu[2], apdu[3], apdu + 5, nc);
    }
}

static void open_secured(void)
{
    const uint8_t version = bench.secure.life_cycle == COS_LIFE_PRODUCED ? 0x30 : 0x01;

    secured = bench.secure.life_cycle >= COS_LIFE_PRODUCED &&
              bench_sm_open(&bench, version, 0x03) == 0x9000;
}

static void reset(void)
{
    bench_power_off(&bench);
    (void)bench_power_on(&bench);
    secured = false;
}

static void one_step(struct cos_reader *input)
{
    const uint8_t kind = cos_read8(input);
    uint8_t apdu[BENCH_APDU_MAX];

    if (kind == STEP_RESET) {
        reset();
        return;
    }
    if (kind == STEP_SECURED_OPEN) {
        open_secured();
        return;
    }
    size_t length = kind == STEP_SECURED ? cos_read8(input) : kind;
    length = length < input->length ? length : input->length;
    if (length == 0) {
        return;
    }
    memcpy(apdu, cos_read_bytes(input, length), length);
    if (kind == STEP_SECURED) {
        secured_step(apdu, length);
    } else {
        (void)bench_apdu(&bench, apdu, length);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool made;
    struct cos_reader input = cos_reader(data, size);

    if (!made) {
        make_cards();
        made = true;
    }
    gate_snapshot_restore(&bench, &cards[cos_read8(&input) % CARDS]);
    secured = false;
    bench.sw = 0x9000;
    for (unsigned step = 0; step < STEPS && input.length > 0; step++) {
        const enum cos_life_cycle before = (enum cos_life_cycle)bench.secure.life_cycle;
        one_step(&input);
        check(before);
    }
    return 0;
}
