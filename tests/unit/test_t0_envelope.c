/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands in pieces: ENVELOPE with T=0 (ISO/IEC 7816-3:2006, 12.2; ISO/IEC 7816-4:2013, 11.8.2).
 */
#include "t0_card.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct t0_card card;

static void by_hand(void **state)
{
    static const struct {
        const char *what, *tpdus, *answers, *executed, *responses;
    } rows[] = {
        {"case 3 in one piece", "00C200000700D6000002AABB", "9000", "00D6000002AABB", "9000"},
        {"case 4 in one piece", "00C20000070088000001AA05 00C0000002", "11229000", "0088000001AA05",
         "6102 11229000"},
        {"without data only an empty piece ends it", "00C200000400440000 00C2000000", "9000",
         "00440000", "9000 9000"},
        {"case 2", "00C200000500B0000002 00C2000000 00C0000002", "11229000", "00B0000002",
         "9000 6102 11229000"},
        {"one byte after the other",
         "00C200000100 00C2000001D6 00C200000100 00C200000100 00C200000101 00C2000001AA 00C2000000",
         "9000", "00D6000001AA", "9000 9000 9000 9000 9000 9000 9000"},
        {"two pieces, the second one shorter", "00C200000600D6000003AA 00C2000002BBCC", "9000",
         "00D6000003AABBCC", "9000 9000"},
        {"two equal ones, the second one with Le",
         "00C20000060088000004AA 00C2000004BBCCDD05 00C0000001", "119000", "0088000004AABBCCDD05",
         "9000 6101 119000"},
        {"two equal ones, and nothing behind",
         "00C20000060088000007AA 00C2000006BBCCDDEEFF11 00C2000000", "9000",
         "0088000007AABBCCDDEEFF11", "9000 9000 9000"},
        {"an empty one more gets the status again",
         "00C200000700D6000002AABB 00C2000000 00C2000000", "6282", "00D6000002AABB",
         "6282 6282 6282"},
        {"but not behind another command", "00C200000700D6000002AABB 00D6000000 00C2000000",
         "6282 9000", "00D6000002AABB 00D60000", "6282 9000 6700"},
        {"nor on another channel", "00C200000700D6000002AABB 01C2000000 00C2000000", "6282",
         "00D6000002AABB", "6282 6700 6700"},
        {"an empty one and nothing before", "00C2000000", "", "", "6700"},
        {"an empty one, and it is no command", "00C200000600D6000003AA 00C2000000 00C2000000", "",
         "", "9000 6700 6700"},
        {"another command drops the pieces",
         "00C200000600D6000003AA 0084000001 00C2000002BBCC 00C2000000", "119000", "0084000001",
         "9000 119000 9000 6700"},
        {"GET RESPONSE does, too", "00C200000600D6000003AA 00C0000001 00C2000002BBCC", "6985",
         "00C0000001", "9000 6985 9000"},
        {"an invalid instruction does, too", "00C200000600D6000003AA 0060000000 00C2000002BBCC", "",
         "", "9000 6D00 9000"},
        {"a piece drops what waits for GET RESPONSE",
         "0088000001AA 00C200000600D6000003AA 00C0000002", "11229000 6985",
         "0088000001AA 00C0000002", "6102 9000 6985"},
        {"a piece on another channel begins anew",
         "00C200000600D6000003AA 01C2000002BBCC 01C2000000 00C2000002BBCC", "", "",
         "9000 9000 6700 9000"},
        {"and is a command by itself", "00C200000600D6000003AA 41C200000741D6000002AABB 00C2000000",
         "9000", "41D6000002AABB", "9000 9000 6700"},
        {"P1-P2", "00C2010004", "6D00", "00C2010004", "6D00"},
        {"a class of its own, secure messaging, a part of a chain",
         "80C2000004 0CC2000004 10C2000004", "6D00 6D00 6D00", "80C2000004 0CC2000004 10C2000004",
         "6D00 6D00 6D00"},
    };
    size_t bad = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        t0_card_init(&card);
        card.terminal.raw = true;
        card.apdus = rows[i].tpdus;
        card.answers = rows[i].answers;
        t0_card_run(&card);
        if (strcmp(card.executed, rows[i].executed) != 0 ||
            strcmp(card.responses, rows[i].responses) != 0) {
            print_error("%s: executed %s, responses %s\n", rows[i].what, card.executed,
                        card.responses);
            bad++;
        }
    }
    assert_int_equal(bad, 0);
}

/* A first piece that is as long as a piece can be may be followed by Le, even if it could stand
 * alone. */
static void a_full_piece(void **state)
{
    for (unsigned le = 0; le < 2; le++) {
        t0_card_init(&card);
        card.terminal.raw = true;
        card.apdus = le != 0 ? "00C20000FF00880000FA 250* 00C200000105 00C0000002"
                             : "00C20000FF00880000FA 250* 00C2000000 00C0000002";
        card.answers = "11229000";
        t0_card_run(&card);
        assert_int_equal(strlen(card.executed), 2 * (255 + le));
        assert_string_equal(card.responses, "9000 6102 11229000");
    }
    (void)state;
}

/* A device that maps APDUs as the standard says, with every number of data bytes that goes into the
 * buffer, with and without Le, and pieces of several sizes. */
static void every_length(void **state)
{
    static const size_t chunks[] = {255, 254, 128, 100};
    size_t commands = 0, pieces = 0;

    (void)state;
    for (size_t nc = 256; nc <= T0_CARD_COMMAND - 9; nc++) {
        for (unsigned le = 0; le < 2; le++) {
            char apdu[64], expected[32];
            t0_card_init(&card);
            card.terminal.chunk = chunks[nc % COUNT(chunks)];
            sprintf(apdu, "00880000%06zX %zu*%s", nc, nc, le != 0 ? "0123" : "");
            card.apdus = apdu;
            card.answers = le != 0 ? "300*9000" : "6282";
            t0_card_run(&card);
            assert_int_equal(card.terminal.end, TERMINAL_FINISHED);
            sprintf(expected, "00880000%06zX000102", nc);
            assert_memory_equal(card.executed, expected, strlen(expected));
            assert_int_equal(strlen(card.executed), 2 * (7 + nc + (le != 0 ? 2 : 0)));
            assert_int_equal(strlen(card.responses), le != 0 ? 2 * 293 : 4);
            assert_string_equal(card.responses + (le != 0 ? 2 * 291 : 0),
                                le != 0 ? "6109" : "6282");
            commands++;
            pieces += (7 + nc) / card.terminal.chunk + 1;
        }
    }
    print_message("# commands by ENVELOPE: %zu, in %zu pieces\n", commands, pieces);
}

/* One byte more than the buffer: refused before its last piece is taken, and the card goes on. */
static void too_long(void **state)
{
    char apdus[64];
    const size_t nc = T0_CARD_COMMAND - 7;

    (void)state;
    for (size_t more = 0; more < 2; more++) {
        t0_card_init(&card);
        card.config.command_size = T0_CARD_COMMAND - 100; /* what is behind it stays as it is */
        memset(card.command + card.config.command_size, 0, 100);
        sprintf(apdus, "00D60000%06zX %zu* 00440000", nc - 100 + more, nc - 100 + more);
        card.apdus = apdus;
        card.answers = more != 0 ? "9000" : "6A84 9000";
        t0_card_run(&card);
        assert_string_equal(card.responses, more != 0 ? "6700 9000" : "6A84 9000");
        assert_int_equal(card.terminal.commands, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(a_full_piece),
        cmocka_unit_test(every_length),
        cmocka_unit_test(too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
