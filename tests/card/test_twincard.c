/* SPDX-License-Identifier: Apache-2.0
 *
 * The program twincard from outside: its command line, its socket, its two processes.
 */
#include "outside.h"

#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- Framing and power ---- */

static void the_card_answers_over_its_socket(void **state)
{
    static const char *const kinds[] = {NULL, "--single"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct reader reader = outside_start(kinds[i], NULL);
        char atr[80];
        snprintf(atr, sizeof atr, "%s", outside_ask(&reader, "04")); /* not powered yet */
        assert_memory_equal(atr, "3B", 2);
        outside_put(&reader, "01");
        assert_string_equal(outside_ask(&reader, "04"), atr);
        assert_string_equal(outside_ask(&reader, SELECT_DF), "9000");
        assert_string_equal(outside_ask(&reader, READ_HOLDER), "6982");
        assert_string_equal(outside_ask(&reader, VERIFY_WRONG), "63C2");
        assert_string_equal(outside_ask(&reader, VERIFY_RIGHT), "9000");
        assert_memory_equal(outside_ask(&reader, READ_HOLDER), "65", 2);
        outside_put(&reader, "02"); /* a reset takes what the PIN gave */
        assert_string_equal(outside_ask(&reader, SELECT_DF), "9000");
        assert_string_equal(outside_ask(&reader, READ_HOLDER), "6982");
        outside_put(&reader, "00");
        assert_string_equal(outside_ask(&reader, "04"), atr);
        assert_string_equal(outside_ask(&reader, SELECT_DF), "9000"); /* powers it on */
        assert_int_equal(outside_end(&reader), 0);
        assert_string_equal(outside_messages(), "");
        assert_int_equal(access(outside_path("socket"), F_OK), -1);
    }
}

static void malformed_frames_do_no_harm(void **state)
{
    struct reader reader = outside_start(NULL, NULL);
    (void)state;
    outside_put(&reader, "01");
    outside_put(&reader, "");   /* length 0 */
    outside_put(&reader, "03"); /* control codes that nobody defined */
    outside_put(&reader, "FF");
    assert_string_equal(outside_ask(&reader, "00A4"), "6700");
    assert_string_equal(outside_ask(&reader, "00A400"), "6700");
    assert_string_equal(outside_ask(&reader, SELECT_DF), "9000");
    /* one byte at a time */
    uint8_t frame[2 + 7] = {0, 7};
    outside_from_hex(SELECT_DF, frame + 2);
    for (size_t i = 0; i < sizeof frame; i++) {
        send(reader.socket, frame + i, 1, MSG_NOSIGNAL);
        outside_pause(1);
    }
    assert_string_equal(outside_get(&reader), "9000");
    /* and several at once */
    uint8_t three[3 * sizeof frame];
    for (size_t i = 0; i < 3; i++) {
        memcpy(three + i * sizeof frame, frame, sizeof frame);
    }
    send(reader.socket, three, sizeof three, MSG_NOSIGNAL);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(outside_get(&reader), "9000");
    }
    /* a frame that never ends, then the next reader */
    send(reader.socket, frame, 5, MSG_NOSIGNAL);
    close(reader.socket);
    reader.socket = outside_dial();
    assert_string_equal(outside_ask(&reader, SELECT_DF), "9000");
    assert_int_equal(outside_end(&reader), 0);
}

static void the_next_reader_finds_the_card_without_power(void **state)
{
    struct reader reader = outside_start(NULL, NULL);
    (void)state;
    outside_ask(&reader, SELECT_DF);
    assert_string_equal(outside_ask(&reader, VERIFY_RIGHT), "9000");
    close(reader.socket);
    reader.socket = outside_dial();
    assert_string_equal(outside_ask(&reader, SELECT_DF), "9000");
    assert_string_equal(outside_ask(&reader, READ_HOLDER), "6982");
    assert_int_equal(outside_end(&reader), 0);
}

/* ---- Two processes ---- */

static void the_security_chip_has_a_walled_process_of_its_own(void **state)
{
    struct reader reader = outside_start(NULL, NULL);
    pid_t found[4];
    char path[64], line[256];
    int walls = 0;
    (void)state;
    assert_int_equal(outside_children(reader.card, found), 0);
    outside_ask(&reader, SELECT_DF);
    assert_int_equal(outside_children(reader.card, found), 1);
    snprintf(path, sizeof path, "/proc/%d/status", (int)found[0]);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        walls += strcmp(line, "Seccomp:\t2\n") == 0 || strcmp(line, "NoNewPrivs:\t1\n") == 0;
    }
    fclose(file);
    assert_int_equal(walls, 2);
    outside_put(&reader, "00");
    outside_ask(&reader, "04"); /* answered after the power-off */
    assert_int_equal(outside_children(reader.card, found), 0);
    assert_int_equal(outside_end(&reader), 0);
}

static void without_security_chip_the_card_is_mute_until_reset(void **state)
{
    struct reader reader = outside_start(NULL, NULL);
    pid_t found[4];
    (void)state;
    outside_ask(&reader, SELECT_DF);
    assert_string_equal(outside_ask(&reader, VERIFY_RIGHT), "9000");
    assert_int_equal(outside_children(reader.card, found), 1);
    kill(found[0], SIGKILL);
    for (int i = 0; i < 4000 && outside_children(reader.card, found) > 0; i++) {
        outside_pause(5);
    }
    assert_string_equal(outside_ask(&reader, SELECT_DF), "6F00");
    assert_string_equal(outside_ask(&reader, READ_HOLDER), "6F00");
    assert_memory_equal(outside_ask(&reader, "04"), "3B", 2);
    assert_string_equal(outside_messages(), "twincard: security process ended by signal 9\n");
    outside_put(&reader, "02");
    assert_string_equal(outside_ask(&reader, SELECT_DF), "9000");
    assert_string_equal(outside_ask(&reader, READ_HOLDER), "6982");
    assert_int_equal(outside_end(&reader), 0);
}

static void signals_end_the_card(void **state)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    (void)state;
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct reader reader = outside_start(NULL, NULL);
        outside_ask(&reader, SELECT_DF);
        kill(reader.card, signals[i]);
        assert_int_equal(outside_exit_status(reader.card), 0);
        assert_int_equal(access(outside_path("socket"), F_OK), -1);
        close(reader.socket);
    }
}

/* ---- Command line ---- */

static void the_trace_is_readable_and_holds_no_pin(void **state)
{
    static char text[65536];
    struct reader reader = outside_start("--trace", outside_path("trace"));
    (void)state;
    outside_ask(&reader, SELECT_DF);
    outside_ask(&reader, VERIFY_RIGHT);
    assert_int_equal(outside_end(&reader), 0);
    FILE *file = fopen(outside_path("trace"), "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    assert_non_null(strstr(text, "00A4000C 025100  SELECT\n"));
    assert_non_null(strstr(text, "00200081 06 <6 bytes>  VERIFY\n"));
    assert_non_null(strstr(text, "gate> PIN verify: 01008100 <6 bytes>\n"));
    assert_non_null(strstr(text, "gate< PIN: ok\n"));
    assert_null(strstr(text, "343832393135"));
}

static void wrong_command_lines_are_one_line_and_status_2(void **state)
{
    static const struct {
        const char *arguments[4], *message;
    } rows[] = {
        {{NULL}, "twincard: no card directory given (try --help)\n"},
        {{"a", "b"}, "twincard: b: there can be only one card directory (try --help)\n"},
        {{"a", "--cut", "0"}, "twincard: --cut 0: not a number from 1 (try --help)\n"},
        {{"a", "--cut", "-1"}, "twincard: --cut -1: not a number from 1 (try --help)\n"},
        {{"a", "--cut", "4294967296"},
         "twincard: --cut 4294967296: not a number from 1 (try --help)\n"},
        {{"a", "--fault", "IO"},
         "twincard: --fault IO: not a contact and open, low, high or short (try --help)\n"},
        {{"a", "--fault", "C5:open"},
         "twincard: --fault C5:open: not a contact and open, low, high or short (try --help)\n"},
        {{"a", "--fault", "C4:loose"},
         "twincard: --fault C4:loose: not a contact and open, low, high or short (try --help)\n"},
        {{"a", "--cut", "3x"}, "twincard: --cut 3x: not a number from 1 (try --help)\n"},
        {{"a", "--cut", "3:half"},
         "twincard: --cut 3:half: not one of nothing, all, prefix, bits, garbage, erased (try "
         "--help)\n"},
        {{"a", "--vpcd=x:1", "--socket=y"},
         "twincard: --vpcd and --socket exclude each other (try --help)\n"},
        {{"a", "--trace"}, "twincard: --trace needs a value (try --help)\n"},
        {{"a", "--frob"},
         "twincard: --frob: unknown, ambiguous or with a value it does not take (try --help)\n"},
        {{"/nonexistent"}, "twincard: /nonexistent/app.nvm: No such file or directory\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *arguments[6] = {(char *)(uintptr_t) "twincard"};
        for (size_t j = 0; j < 4; j++) {
            arguments[j + 1] = (char *)(uintptr_t)rows[i].arguments[j];
        }
        assert_int_equal(
            outside_exit_status(outside_program("twincard", arguments, outside_path("messages"))),
            2);
        assert_string_equal(outside_messages(), rows[i].message);
    }
}

static void memories_that_do_not_fit_are_refused(void **state)
{
    char expected[PATH_MAX + 64];
    char *arguments[] = {(char *)(uintptr_t) "twincard", (char *)(uintptr_t)outside_path("card"),
                         NULL};
    (void)state;
    struct reader reader = outside_start(NULL, NULL);
    snprintf(expected, sizeof expected, "twincard: %s: in use by another program\n",
             outside_path("card/app.nvm"));
    assert_int_equal(
        outside_exit_status(outside_program("twincard", arguments, outside_path("other"))), 2);
    assert_int_equal(rename(outside_path("other"), outside_path("messages")), 0);
    assert_string_equal(outside_messages(), expected);
    assert_int_equal(outside_end(&reader), 0);

    assert_int_equal(truncate(outside_path("card/secure.nvm"), 100), 0);
    snprintf(expected, sizeof expected, "twincard: %s: has 100 bytes, must have 32768\n",
             outside_path("card/secure.nvm"));
    assert_int_equal(
        outside_exit_status(outside_program("twincard", arguments, outside_path("messages"))), 2);
    assert_string_equal(outside_messages(), expected);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, outside_fresh)
    const struct CMUnitTest tests[] = {
        TEST(the_card_answers_over_its_socket),
        TEST(malformed_frames_do_no_harm),
        TEST(the_next_reader_finds_the_card_without_power),
        TEST(the_security_chip_has_a_walled_process_of_its_own),
        TEST(without_security_chip_the_card_is_mute_until_reset),
        TEST(signals_end_the_card),
        TEST(the_trace_is_readable_and_holds_no_pin),
        TEST(wrong_command_lines_are_one_line_and_status_2),
        TEST(memories_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, outside_make, outside_throw_away);
}
