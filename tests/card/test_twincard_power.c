/* SPDX-License-Identifier: Apache-2.0
 *
 * The program twincard when it is killed, and when its power is torn at every operation of either
 * chip: the next start finds a sound card, and a try counter that did not rise.
 */
#include "nvm_cut.h"
#include "outside.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void a_killed_card_can_be_started_at_once(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        struct reader reader = outside_start(NULL, NULL);
        outside_ask(&reader, SELECT_DF);
        outside_put(&reader, VERIFY_RIGHT); /* in the middle of it */
        outside_pause(i % 3);
        kill(reader.card, SIGKILL);
        close(reader.socket);
        assert_int_equal(outside_exit_status(reader.card), 1000 + SIGKILL);
        reader = outside_start(NULL, NULL);
        assert_string_equal(outside_ask(&reader, SELECT_DF), "9000");
        assert_string_equal(outside_ask(&reader, VERIFY_RIGHT), "9000");
        assert_int_equal(outside_end(&reader), 0);
    }
}

/* ---- Torn power ---- */

static unsigned tries_left(const char *answer)
{
    assert_memory_equal(answer, "63C", 3);
    return (unsigned)strtoul(answer + 3, NULL, 16);
}

/* Wrong PIN, then right PIN, power torn at operation `cut`; then what the next start finds. True if
 * the power was torn. */
static bool torn_verify(unsigned cut, enum host_cut_content content, const char *single)
{
    char argument[64];
    unsigned told = 3; /* tries left as the card said last */
    bool answered_right = false;
    outside_fresh(NULL);
    snprintf(argument, sizeof argument, "--cut=%u:%s", cut, host_cut_content_name(content));
    struct reader reader = outside_start(argument, single);
    if (*outside_ask(&reader, SELECT_DF) != '\0') {
        const char *answer = outside_ask(&reader, VERIFY_WRONG);
        told = *answer != '\0' ? tries_left(answer) : told;
        answered_right = strcmp(outside_ask(&reader, VERIFY_RIGHT), "9000") == 0;
    }
    outside_pause(answered_right ? 20 : 0); /* the last operations come after the answer */
    int status = outside_end(&reader);
    assert_true(status == 0 || status == HOST_CUT_STATUS);
    if (status == HOST_CUT_STATUS) {
        snprintf(argument, sizeof argument, "twincard: power torn at operation %u (", cut);
        assert_memory_equal(outside_messages(), argument, strlen(argument));
        assert_int_equal(access(outside_path("socket"), F_OK), -1);
    }

    reader = outside_start(NULL, NULL);
    assert_string_equal(outside_ask(&reader, SELECT_DF), "9000");
    unsigned left = tries_left(outside_ask(&reader, QUERY));
    if (answered_right) {
        assert_int_equal(left, 3);
    } else if (told == 3) { /* VERIFY_WRONG was not answered: before or after it */
        assert_in_range(left, 2, 3);
    } else { /* VERIFY_RIGHT was not answered: a try spent, or all back */
        assert_true(left == 1 || left == 2 || left == 3);
    }
    assert_string_equal(outside_ask(&reader, VERIFY_RIGHT), "9000");
    assert_int_equal(outside_end(&reader), 0);
    return status == HOST_CUT_STATUS;
}

static void a_cut_at_every_operation_leaves_a_sound_card(void **state)
{
    (void)state;
    for (int content = 0; content < HOST_CUT_CONTENTS; content++) {
        const char *single = content == HOST_CUT_GARBAGE ? "--single" : NULL;
        unsigned cut = 1;
        while (torn_verify(cut, (enum host_cut_content)content, single)) {
            cut++;
            assert_in_range(cut, 1, 100);
        }
        assert_true(cut > 3); /* a try spent and given back is that much at least */
        print_message("# %s: %u operations torn\n",
                      host_cut_content_name((enum host_cut_content)content), cut - 1);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, outside_fresh)
    const struct CMUnitTest tests[] = {
        TEST(a_killed_card_can_be_started_at_once),
        TEST(a_cut_at_every_operation_leaves_a_sound_card),
    };
    return cmocka_run_group_tests(tests, outside_make, outside_throw_away);
}
