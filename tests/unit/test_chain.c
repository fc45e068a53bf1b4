/* SPDX-License-Identifier: Apache-2.0
 *
 * Command chaining as a pure function: which parts belong together, what drops a chain, what stays
 * in the buffer.
 */
#include "cos/apdu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { CAPACITY = 8, GUARD = 0xE5 };

static uint8_t buffer[CAPACITY + 1];
static struct cos_chain chain;

static int start(void **state)
{
    (void)state;
    memset(buffer, GUARD, sizeof buffer);
    cos_chain_start(&chain, buffer, CAPACITY);
    return 0;
}

/* One command; its data after it are in *command. */
static enum cos_result take(uint8_t cla, uint8_t ins, uint8_t p1, uint8_t p2, const char *data,
                            struct cos_command *command)
{
    struct cos_class class_;

    *command = (struct cos_command){cla, ins, p1, p2, COS_CASE_3S, NULL, 0, 0};
    command->nc = (uint16_t)strlen(data);
    command->data = command->nc != 0 ? (const uint8_t *)data : NULL;
    assert_int_equal(cos_apdu_class(cla, &class_), COS_OK);
    return cos_chain_take(&chain, class_, command);
}

static void assert_data(const struct cos_command *command, const char *data)
{
    assert_int_equal(command->nc, strlen(data));
    assert_memory_equal(command->data, data, strlen(data));
}

/* Nothing waits, and nothing of what waited can be found. */
static void assert_dropped(void)
{
    assert_false(chain.open);
    assert_int_equal(chain.length, 0);
    for (size_t i = 0; i < CAPACITY; i++) {
        assert_true(buffer[i] == 0 || buffer[i] == GUARD);
    }
    assert_int_equal(buffer[CAPACITY], GUARD);
}

static void parts_become_one(void **state)
{
    struct cos_command command;

    (void)state;
    assert_int_equal(take(0x10, 0xD6, 1, 2, "abc", &command), COS_OK);
    assert_true(chain.open);
    assert_int_equal(take(0x10, 0xD6, 1, 2, "d", &command), COS_OK);
    assert_int_equal(take(0x00, 0xD6, 1, 2, "efgh", &command), COS_OK);
    assert_false(chain.open);
    assert_data(&command, "abcdefgh");
    cos_chain_drop(&chain);
    assert_dropped();
    assert_int_equal(take(0x00, 0xD6, 1, 2, "ijk", &command), COS_OK); /* a command of its own */
    assert_data(&command, "ijk");
    assert_dropped();
}

/* The last part may be empty; the command then has the data of the others. */
static void the_last_part_may_be_empty(void **state)
{
    struct cos_command command;

    (void)state;
    assert_int_equal(take(0x10, 0xD6, 1, 2, "abc", &command), COS_OK);
    assert_int_equal(take(0x00, 0xD6, 1, 2, "", &command), COS_OK);
    assert_data(&command, "abc");
}

static void another_command_drops_it(void **state)
{
    static const uint8_t others[][4] = {
        {0x00, 0xD7, 1, 2}, {0x00, 0xD6, 0, 2}, {0x00, 0xD6, 1, 3},
        {0x01, 0xD6, 1, 2}, {0x40, 0xD6, 1, 2}, {0x80, 0xD6, 1, 2},
        {0x0C, 0xD6, 1, 2}, {0x04, 0xD6, 1, 2}, {0x08, 0xD6, 1, 2},
    };
    struct cos_command command;

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        const uint8_t *other = others[i];
        start(state);
        assert_int_equal(take(0x10, 0xD6, 1, 2, "abc", &command), COS_OK);
        assert_int_equal(take(other[0], other[1], other[2], other[3], "xy", &command), COS_OK);
        assert_data(&command, "xy");
        assert_dropped();
        if ((other[0] & 0x80U) != 0) {
            continue; /* has no chains */
        }
        /* The other one may begin a chain of its own. */
        assert_int_equal(take(0x10, 0xD6, 1, 2, "abc", &command), COS_OK);
        assert_int_equal(take(other[0] | 0x10, other[1], other[2], other[3], "xy", &command),
                         COS_OK);
        assert_int_equal(take(0x00, 0xD6, 1, 2, "d", &command), COS_OK);
        assert_data(&command, "d");
        assert_dropped();
    }
}

static void too_much_is_refused(void **state)
{
    struct cos_command command;

    assert_int_equal(take(0x10, 0xD6, 1, 2, "abcdefghi", &command), COS_E_LENGTH);
    assert_dropped();
    for (unsigned last = 0; last < 2; last++) {
        start(state);
        assert_int_equal(take(0x10, 0xD6, 1, 2, "abcdefgh", &command), COS_OK);
        assert_int_equal(take(last ? 0x00 : 0x10, 0xD6, 1, 2, "i", &command), COS_E_LENGTH);
        assert_dropped();
        assert_int_equal(take(0x00, 0xD6, 1, 2, "jk", &command), COS_OK);
        assert_data(&command, "jk");
    }
}

static void a_part_without_data_is_refused(void **state)
{
    struct cos_command command;

    (void)state;
    assert_int_equal(take(0x10, 0xD6, 1, 2, "", &command), COS_E_LENGTH);
    assert_dropped();
    assert_int_equal(take(0x10, 0xD6, 1, 2, "abc", &command), COS_OK);
    assert_int_equal(take(0x10, 0xD6, 1, 2, "", &command), COS_E_LENGTH);
    assert_dropped();
}

/* Data that stay in the security chip are counted. */
static void lengths_without_data(void **state)
{
    const struct cos_class part = {.chaining = true, .sm = COS_CLASS_SM_ISO_HEADER};
    const struct cos_class last = {.sm = COS_CLASS_SM_ISO_HEADER};
    struct cos_command command = {0, 0x20, 0, 0x81, COS_CASE_4S, NULL, 5, 0};

    (void)state;
    assert_int_equal(cos_chain_take(&chain, part, &command), COS_OK);
    command.nc = 3;
    assert_int_equal(cos_chain_take(&chain, last, &command), COS_OK);
    assert_int_equal(command.nc, 8);
    for (size_t i = 0; i < sizeof buffer; i++) {
        assert_int_equal(buffer[i], GUARD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(parts_become_one, start),
        cmocka_unit_test_setup(the_last_part_may_be_empty, start),
        cmocka_unit_test_setup(another_command_drops_it, start),
        cmocka_unit_test_setup(too_much_is_refused, start),
        cmocka_unit_test_setup(a_part_without_data_is_refused, start),
        cmocka_unit_test_setup(lengths_without_data, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
