/* SPDX-License-Identifier: Apache-2.0
 *
 * The health tests of the noise source (SP 800-90B 4.4): cutoffs, to the sample, and what kinds of
 * broken source they refuse.
 */
#include "crypto_helpers.h"

#include "cos/config.h"
#include "cos/crypto.h"
#include "cos/port.h"

#define BITS    COS_ENTROPY_BITS_PER_BYTE
#define WINDOW  512U
#define MILLION 1000000U

/* 4.4.1: 1 + ceil(30 / H). */
#define REPETITION (1U + (30U + BITS - 1U) / BITS)

static uint8_t noise[MILLION];

/* 4.4.2: 1 + the least k for which more than k of 512 samples with probability 2^-H have a
 * probability of at most 2^-30; computed here from the tail, with the recurrence of the binomial
 * terms. */
static size_t proportion_cutoff(void)
{
    long double p = 1.0L / (1U << BITS), alpha = 1.0L / (1UL << 30), term = 1, terms[WINDOW + 1];
    for (size_t i = 0; i < WINDOW; i++) {
        term *= 1 - p;
    }
    for (size_t i = 0; i <= WINDOW; i++) {
        terms[i] = term;
        term *= (long double)(WINDOW - i) / (long double)(i + 1) * p / (1 - p);
    }
    size_t k = WINDOW;
    long double tail = 0;
    while (k > 0 && tail + terms[k] <= alpha) {
        tail += terms[k--];
    }
    return 1 + k;
}

/* Sound-looking noise without the value FF: no value twice in a row, none often in a window. */
static void background(size_t length)
{
    for (size_t i = 0; i < length; i++) {
        noise[i] = (uint8_t)(i * 7 % 251);
    }
}

static void cutoffs_are_those_of_the_standard(void **state)
{
    (void)state;
    printf("# health tests: %d bits a byte, cutoffs %u in a row and %zu of %u\n", BITS, REPETITION,
           proportion_cutoff(), WINDOW);
    if (BITS == 4) {
        assert_int_equal(REPETITION, 9);
        assert_int_equal(proportion_cutoff(), 71);
    }
}

static void repetition_count(void **state)
{
    (void)state;
    static const size_t length = 3 * WINDOW;
    for (size_t at = 0; at + REPETITION <= length; at++) {
        background(length);
        memset(noise + at, 0xFF, REPETITION - 1);
        assert_case(cos_entropy_health(noise, length) == COS_OK, "%u in a row at %zu",
                    REPETITION - 1, at);
        noise[at + REPETITION - 1] = 0xFF;
        assert_case(cos_entropy_health(noise, length) == COS_E_ENTROPY, "%u in a row at %zu",
                    REPETITION, at);
        /* It is found with the very sample that completes the run. */
        assert_int_equal(cos_entropy_health(noise, at + REPETITION), COS_E_ENTROPY);
        assert_int_equal(cos_entropy_health(noise, at + REPETITION - 1), COS_OK);
    }
}

/* Puts FF at `count` places of a window, no more than two in a row, the first at its start. */
static size_t place(size_t window, size_t count)
{
    size_t last = 0;
    for (size_t i = 0; count > 0; i++) {
        if (i % 3 != 2) {
            last = window * WINDOW + i;
            noise[last] = 0xFF;
            count--;
        }
    }
    return last;
}

static void adaptive_proportion(void **state)
{
    (void)state;
    const size_t cutoff = proportion_cutoff(), length = 4 * WINDOW;
    for (size_t window = 0; window < 4; window++) {
        background(length);
        place(window, cutoff - 1);
        assert_int_equal(cos_entropy_health(noise, length), COS_OK);
        background(length);
        size_t last = place(window, cutoff);
        assert_int_equal(cos_entropy_health(noise, length), COS_E_ENTROPY);
        assert_int_equal(cos_entropy_health(noise, last + 1), COS_E_ENTROPY);
        assert_int_equal(cos_entropy_health(noise, last), COS_OK);
    }
    /* The last sample of a window counts, the first of the next one does not. */
    background(length);
    place(0, cutoff - 1);
    noise[WINDOW - 1] = 0xFF;
    assert_int_equal(cos_entropy_health(noise, length), COS_E_ENTROPY);
    noise[WINDOW - 1] = 0;
    noise[WINDOW] = 0xFF;
    assert_int_equal(cos_entropy_health(noise, length), COS_OK);
}

static void short_runs(void **state)
{
    (void)state;
    const uint8_t two[2] = {9, 9};
    assert_int_equal(cos_entropy_health(NULL, 0), COS_OK);
    assert_int_equal(cos_entropy_health(two, 1), COS_OK);
    assert_int_equal(cos_entropy_health(two, 2), COS_OK);
}

/* ---- Kinds of source. Each makes sample i. */

static uint8_t sound(struct random *random, size_t i)
{
    (void)i;
    return (uint8_t)(random_next(random) >> 8);
}

/* As many equally likely values as the promise allows; and half as many. */
static uint8_t as_promised(struct random *random, size_t i)
{
    return (uint8_t)(sound(random, i) >> (8 - BITS));
}

static uint8_t one_bit_less(struct random *random, size_t i)
{
    return (uint8_t)(sound(random, i) >> (9 - BITS));
}

static uint8_t constant_00(struct random *random, size_t i)
{
    (void)random;
    (void)i;
    return 0x00;
}

static uint8_t constant_ff(struct random *random, size_t i)
{
    (void)random;
    (void)i;
    return 0xFF;
}

static uint8_t two_valued(struct random *random, size_t i)
{
    return sound(random, i) % 2 ? 0xAA : 0x55;
}

static uint8_t alternating(struct random *random, size_t i)
{
    (void)random;
    return i % 2 ? 0xAA : 0x55;
}

static uint8_t stuck_after_start(struct random *random, size_t i)
{
    return i < 700 ? sound(random, i) : 0x33;
}

static uint8_t stuck_for_a_while(struct random *random, size_t i)
{
    return i >= 400 && i < 430 ? 0x33 : sound(random, i);
}

/* One value half of the time, and three quarters. */
static uint8_t biased_half(struct random *random, size_t i)
{
    return sound(random, i) % 2 ? 0x00 : sound(random, i);
}

static uint8_t biased_more(struct random *random, size_t i)
{
    return sound(random, i) % 4 ? 0xFF : sound(random, i);
}

/* Every other byte is dead: a bus that reads half of a register. The windows begin with a dead one;
 * if they began with a live one, the standard's test would be blind to it. */
static uint8_t half_dead(struct random *random, size_t i)
{
    return i % 2 ? sound(random, i) : 0x00;
}

typedef uint8_t sample(struct random *random, size_t i);

static void fill(sample *make, uint64_t seed, size_t length)
{
    struct random random = random_start(seed);
    for (size_t i = 0; i < length; i++) {
        noise[i] = make(&random, i);
    }
}

static void sound_sources_pass(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        fill(sound, seed, MILLION);
        assert_int_equal(cos_entropy_health(noise, MILLION), COS_OK);
        fill(as_promised, seed, MILLION);
        assert_int_equal(cos_entropy_health(noise, MILLION), COS_OK);
    }
}

/* A source with one bit less than promised is found, if it runs for long enough. */
static void one_bit_less_is_refused(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        fill(one_bit_less, seed, MILLION);
        assert_int_equal(cos_entropy_health(noise, MILLION), COS_E_ENTROPY);
    }
}

struct source {
    sample *make;
    struct random random;
    size_t drawn;
};

static enum cos_result source_read(void *context, uint8_t *data, size_t length)
{
    struct source *source = context;
    for (size_t i = 0; i < length; i++) {
        data[i] = source->make(&source->random, source->drawn++);
    }
    return COS_OK;
}

/* Broken sources do not get through the start-up test, with 20 seeds each. */
static void broken_sources_are_refused_at_start(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        sample *make;
        enum cos_result result;
    } cases[] = {
        {"sound", sound, COS_OK},
        {"as promised", as_promised, COS_OK},
        {"constant 00", constant_00, COS_E_ENTROPY},
        {"constant FF", constant_ff, COS_E_ENTROPY},
        {"two values", two_valued, COS_E_ENTROPY},
        {"alternating", alternating, COS_E_ENTROPY},
        {"stuck after 700 samples", stuck_after_start, COS_E_ENTROPY},
        {"stuck for 30 samples", stuck_for_a_while, COS_E_ENTROPY},
        {"every other sample dead", half_dead, COS_E_ENTROPY},
        {"one value three quarters of the time", biased_more, COS_E_ENTROPY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (uint64_t seed = 1; seed <= 20; seed++) {
            struct source source = {cases[i].make, random_start(seed), 0};
            const struct cos_entropy entropy = {&source, source_read};
            struct cos_drbg drbg;
            assert_case(cos_drbg_start(&drbg, &cos_crypto_tomcrypt, &entropy,
                                       (struct cos_span){NULL, 0}) == cases[i].result,
                        "%s, seed %u", cases[i].what, (unsigned)seed);
            assert_int_equal(drbg.ready, cases[i].result == COS_OK);
        }
    }
}

/* A slighter bias takes longer: the adaptive proportion test sees it only in windows that begin
 * with the frequent value. Over 64 KB it is found. */
static void slight_bias_is_refused_in_the_end(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        fill(biased_half, seed, 65536);
        assert_int_equal(cos_entropy_health(noise, 65536), COS_E_ENTROPY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cutoffs_are_those_of_the_standard),
        cmocka_unit_test(repetition_count),
        cmocka_unit_test(adaptive_proportion),
        cmocka_unit_test(short_runs),
        cmocka_unit_test(sound_sources_pass),
        cmocka_unit_test(one_bit_less_is_refused),
        cmocka_unit_test(broken_sources_are_refused_at_start),
        cmocka_unit_test(slight_bias_is_refused_in_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
