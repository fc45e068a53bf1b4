/* SPDX-License-Identifier: Apache-2.0
 *
 * Evaluation of conditions, and reading of expanded rules, against models that are written down
 * recursively and know nothing of the code under test: on conditions that were made well, on such
 * with some bytes changed, and on bytes at random.
 */
#include "fs_rig.h"
#include "rule_model.h"
#include "rule_rig.h"
#include "sim_nvm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { ROUNDS = 20000 };

struct tally {
    unsigned good, bad, held, failed, unsure;
};

static void check_condition(const uint8_t *bytes, size_t length, const struct rule_oracle *oracle,
                            struct tally *tally)
{
    uint8_t *exact = malloc(length + (length == 0));
    const struct cos_span condition = {exact, length};

    memcpy(exact, bytes, length);
    const struct rule_judgement wanted = rule_model(oracle, exact, length);
    const bool held = wanted.good && !wanted.unsure && wanted.truth;
    assert_int_equal(cos_rule_check_condition(condition), wanted.good ? COS_OK : COS_E_DATA);
    assert_int_equal(cos_rule_evaluate(condition, rule_holds, oracle), held ? COS_YES : COS_NO);
    if (!wanted.good) {
        assert_int_equal(cos_rule_plain(condition), COS_RULE_NEVER);
    }
    free(exact);
    tally->good += wanted.good;
    tally->bad += !wanted.good;
    tally->unsure += wanted.good && wanted.unsure;
    tally->held += held;
    tally->failed += wanted.good && !held;
}

static void conditions_hold_as_the_model_says(void **state)
{
    uint64_t seed = 1;
    struct tally tally = {0};

    (void)state;
    for (unsigned i = 0; i < ROUNDS; i++) {
        const struct rule_oracle oracle = {.seed = sim_random(&seed), .unsure = i % 2 == 0};
        uint8_t bytes[2 * RULE_BYTES];
        struct cos_writer writer = cos_writer(bytes, sizeof bytes);
        rule_make(&seed, &writer, 2 + sim_below(&seed, COS_RULE_MAX - 1));
        assert_false(writer.failed);
        check_condition(bytes, writer.length, &oracle, &tally);
    }
    assert_int_equal(tally.bad, 0);
    assert_true(tally.held > ROUNDS / 5 && tally.failed > ROUNDS / 5 && tally.unsure > ROUNDS / 10);
}

static void damaged_conditions_are_never_misread(void **state)
{
    uint64_t seed = 2;
    struct tally tally = {0};

    (void)state;
    for (unsigned i = 0; i < 2 * ROUNDS; i++) {
        const struct rule_oracle oracle = {.seed = sim_random(&seed), .unsure = i % 2 == 0};
        uint8_t bytes[2 * RULE_BYTES];
        struct cos_writer writer = cos_writer(bytes, sizeof bytes);
        rule_make(&seed, &writer, 2 + sim_below(&seed, COS_RULE_MAX - 1));
        for (uint32_t changes = 1 + sim_below(&seed, 3); changes > 0; changes--) {
            rule_change(&seed, bytes, &writer.length, sizeof bytes);
        }
        check_condition(bytes, writer.length, &oracle, &tally);
    }
    assert_true(tally.bad > ROUNDS / 2 && tally.held > ROUNDS / 20 && tally.failed > ROUNDS / 20);
}

static void random_bytes_are_never_misread(void **state)
{
    uint64_t seed = 3;
    struct tally tally = {0};

    (void)state;
    for (unsigned i = 0; i < 20 * ROUNDS; i++) {
        const struct rule_oracle oracle = {.seed = sim_random(&seed)};
        uint8_t bytes[COS_RULE_MAX + 4];
        const uint32_t length = sim_below(&seed, i % 2 == 0 ? 10 : sizeof bytes);
        rule_scatter(&seed, bytes, length);
        check_condition(bytes, length, &oracle, &tally);
    }
    assert_true(tally.bad > ROUNDS && tally.held > 20 && tally.failed > 20);
}

/* What is plain to every reader holds or does not hold, whoever answers what. */
static void plain_conditions_do_not_hang_on_answers(void **state)
{
    uint64_t seed = 4;
    unsigned seen[3] = {0};

    (void)state;
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint8_t bytes[2 * RULE_BYTES];
        struct cos_writer writer = cos_writer(bytes, sizeof bytes);
        rule_make(&seed, &writer, 2 + sim_below(&seed, 12));
        const struct cos_span condition = {bytes, writer.length};
        const enum cos_rule_plain plain = cos_rule_plain(condition);
        seen[plain]++;
        for (unsigned k = 0; k < 8; k++) {
            const struct rule_oracle oracle = {.seed = sim_random(&seed)};
            const struct rule_judgement said = rule_model(&oracle, bytes, writer.length);
            /* The one byte that asks nobody is answered by whoever is asked. */
            const bool asked = memchr(bytes, 0x9E, writer.length) != NULL;
            assert_true(asked || plain != COS_RULE_ALWAYS || said.truth);
            assert_true(asked || plain != COS_RULE_NEVER || !said.truth);
        }
    }
    assert_true(seen[COS_RULE_ASK] > 100 && seen[COS_RULE_ALWAYS] > 100 &&
                seen[COS_RULE_NEVER] > 100);
}

/* Templates as deep as they may be, and one deeper; with each operator. */
static void depth_has_a_limit(void **state)
{
    static const uint8_t operators[] = {0xA0, 0xA7, 0xAF};
    const struct rule_oracle oracle = {.seed = 1};

    (void)state;
    for (size_t i = 0; i < COUNT(operators); i++) {
        uint8_t bytes[2 * (COS_RULE_DEPTH + 1) + 2];
        for (unsigned depth = 0; depth <= COS_RULE_DEPTH + 1; depth++) {
            size_t length = 0;
            for (unsigned k = depth; k > 0; k--) {
                bytes[length++] = operators[i];
                bytes[length++] = (uint8_t)(2 * k);
            }
            memcpy(bytes + length, "\x90\x00", 2);
            length += 2;
            const bool good = depth <= COS_RULE_DEPTH;
            const bool truth = operators[i] != 0xA7 || depth % 2 == 0;
            const struct cos_span condition = {bytes, length};
            assert_int_equal(rule_check(cos_rule_check_condition, bytes, length),
                             good ? COS_OK : COS_E_DATA);
            assert_int_equal(cos_rule_evaluate(condition, rule_holds, &oracle),
                             good && truth ? COS_YES : COS_NO);
        }
    }
}

static void length_has_a_limit(void **state)
{
    const struct rule_oracle oracle = {.seed = 1};
    uint8_t bytes[COS_RULE_MAX + 2];

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i += 2) {
        memcpy(bytes + i, "\x90\x00", 2);
    }
    for (size_t length = 2; length <= sizeof bytes; length += 2) {
        const bool good = length <= COS_RULE_MAX;
        const struct cos_span condition = {bytes, length};
        assert_int_equal(rule_check(cos_rule_check_condition, bytes, length),
                         good ? COS_OK : COS_E_DATA);
        assert_int_equal(cos_rule_evaluate(condition, rule_holds, &oracle),
                         good ? COS_YES : COS_NO);
        assert_int_equal(cos_rule_plain(condition), good ? COS_RULE_ALWAYS : COS_RULE_NEVER);
    }
}

/* Whoever cannot tell grants nothing, not even by "none of" or beside "always". */
static cos_truth cannot_tell(const void *context, const struct cos_tlv *object)
{
    (void)object;
    return *(const cos_truth *)context;
}

static void nothing_holds_if_somebody_cannot_tell(void **state)
{
    static const char *const conditions[] = {
        "9E0191",     "A7039E0191",           "90009E0191",
        "9E01919000", "A7079E01919E01929000", "A70AA7089E0191A403830181"};
    static const cos_truth said[] = {0, 1, 0xFFFFFFFF, COS_YES ^ 0x100U, COS_NO ^ 1U};

    (void)state;
    for (size_t i = 0; i < COUNT(conditions); i++) {
        uint8_t bytes[RULE_BYTES];
        const size_t length = fs_rig_hex(conditions[i], bytes, sizeof bytes);
        const struct cos_span condition = {bytes, length};
        for (size_t k = 0; k < COUNT(said); k++) {
            assert_int_equal(cos_rule_evaluate(condition, cannot_tell, &said[k]), COS_NO);
        }
    }
}

/* ---- Expanded rules ---- */

static void expanded_rules_are_never_misread(void **state)
{
    uint64_t seed = 5;
    unsigned good = 0, bad = 0, listed = 0;

    (void)state;
    for (unsigned i = 0; i < 3 * ROUNDS; i++) {
        const struct cos_access access = {
            .operation = (enum cos_operation)(1U << sim_below(&seed, 7)),
            .header = {0x00, 0xB0, 0x81, 0x05},
        };
        uint8_t bytes[2 * RULE_BYTES], wanted[2 * RULE_BYTES], condition[COS_RULE_MAX];
        struct cos_writer writer = cos_writer(bytes, sizeof bytes);
        struct cos_writer model_writer = cos_writer(wanted, sizeof wanted);
        size_t written;
        rule_make_expanded(&seed, &writer);
        for (uint32_t changes = sim_below(&seed, 3); changes > 0; changes--) {
            rule_change(&seed, bytes, &writer.length, sizeof bytes);
        }
        const bool is_good =
            rule_model_expanded(bytes, bytes + writer.length, &access, &model_writer);
        const enum cos_result result = is_good ? COS_OK : COS_E_DATA;
        assert_int_equal(rule_check(cos_rule_check_expanded, bytes, writer.length), result);
        assert_int_equal(
            rule_read(cos_rule_expanded, bytes, writer.length, &access, condition, &written),
            result);
        if (is_good) {
            assert_int_equal(written, model_writer.length);
            assert_memory_equal(condition, wanted, written);
            assert_true(written == 0 ||
                        rule_check(cos_rule_check_condition, condition, written) == COS_OK);
        }
        good += is_good;
        bad += !is_good;
        listed += is_good && written > 0;
    }
    assert_true(good > ROUNDS / 2 && bad > ROUNDS / 2 && listed > ROUNDS / 4);
}

/* ---- Outside of the application ---- */

static void what_is_an_applications_holds_nowhere_else(void **state)
{
    static const struct {
        uint8_t length, condition[24], left[24];
    } rows[] = {
        {4, {0x90, 0, 0x97, 0}, {0x90, 0, 0x97, 0}},
        {3, {0x9E, 1, 0x00}, {0x9E, 1, 0x00}},
        {3, {0x9E, 1, 0xFF}, {0x9E, 1, 0xFF}},
        {3, {0x9E, 1, 0xC0}, {0x9E, 1, 0xC0}},
        {3, {0x9E, 1, 0x42}, {0x9E, 1, 0x40}},
        {3, {0x9E, 1, 0x10}, {0x9E, 1, 0xFF}},
        {3, {0x9E, 1, 0x91}, {0x9E, 1, 0xFF}},
        {3, {0x9E, 1, 0xA5}, {0x9E, 1, 0xFF}},
        {3, {0x9E, 1, 0x35}, {0x9E, 1, 0xFF}},
        {3, {0x9E, 1, 0xD1}, {0x9E, 1, 0xFF}},
        {3, {0x9E, 1, 0x51}, {0x9E, 1, 0x40}},
        {3, {0x9E, 1, 0x75}, {0x9E, 1, 0x40}},
        {5, {0xA4, 3, 0x83, 1, 0x01}, {0xA4, 3, 0x83, 1, 0x01}},
        {5, {0xA4, 3, 0x83, 1, 0x81}, {0xB6, 3, 0x83, 1, 0x81}},
        {8, {0xA4, 6, 0x95, 1, 0x08, 0x83, 1, 0x8F}, {0xB6, 6, 0x95, 1, 0x08, 0x83, 1, 0x8F}},
        {5, {0xB4, 3, 0x83, 1, 0x81}, {0xB6, 3, 0x83, 1, 0x81}},
        {5, {0xB8, 3, 0x83, 1, 0x8E}, {0xB6, 3, 0x83, 1, 0x8E}},
        {5, {0xB4, 3, 0x83, 1, 0xC1}, {0xB4, 3, 0x83, 1, 0xC1}},
        {5, {0xB8, 3, 0x83, 1, 0x01}, {0xB8, 3, 0x83, 1, 0x01}},
        {18,
         {0xAF, 0x0C, 0xA7, 3, 0x9E, 1, 0x91, 0xA4, 3, 0x83, 1, 0x81, 0, 0, 0x9E, 1, 0xB1, 0},
         {0xAF, 0x0C, 0xA7, 3, 0x9E, 1, 0xFF, 0xB6, 3, 0x83, 1, 0x81, 0, 0, 0x9E, 1, 0xFF, 0}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t condition[24];
        memcpy(condition, rows[i].condition, sizeof condition);
        assert_int_equal(cos_rule_check_condition((struct cos_span){condition, rows[i].length}),
                         COS_OK);
        cos_rule_leave_application(condition, rows[i].length);
        assert_memory_equal(condition, rows[i].left, sizeof condition);
        assert_int_equal(cos_rule_check_condition((struct cos_span){condition, rows[i].length}),
                         COS_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_hold_as_the_model_says),
        cmocka_unit_test(damaged_conditions_are_never_misread),
        cmocka_unit_test(random_bytes_are_never_misread),
        cmocka_unit_test(plain_conditions_do_not_hang_on_answers),
        cmocka_unit_test(depth_has_a_limit),
        cmocka_unit_test(length_has_a_limit),
        cmocka_unit_test(nothing_holds_if_somebody_cannot_tell),
        cmocka_unit_test(expanded_rules_are_never_misread),
        cmocka_unit_test(what_is_an_applications_holds_nowhere_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
