/* SPDX-License-Identifier: Apache-2.0
 *
 * T=1 on the card's side, scenarios of our own: recovery, S-blocks in and out of turn, chains, NAD,
 * and whatever cannot be a block, byte by byte (ISO/IEC 7816-3:2006, 11.6).
 */
#include "script_t1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct script script;

struct scenario {
    const char *name, *text;
    size_t commands; /* executed */
    uint8_t multiplier, request_ifsc;
    size_t capacity, too_long;
    bool abort_oversize;
    struct cos_span response; /* to the first command; none: the command itself */
};

static const struct scenario scenarios[] = {
    /* Rules 7.1 to 7.3: recovery from the device's side. */
    {"R before anything was received: what the card waits for",
     "d:008000 c:008200 d:000001AA c:000001AA", 1},
    {"an R that is lost with the command damaged",
     "d:000001AA! c:008100 d:008000 c:008100 d:000001AA c:000001AA", 1},
    {"the response, asked for twice",
     "d:000001AA c:000001AA d:008100 c:000001AA d:008000 c:000001AA d:004001BB c:004001BB", 2},
    {"the request for the response damaged",
     "d:000001AA c:000001AA d:008100! c:009100 d:008100 c:000001AA", 1},
    {"a command repeated that was executed",
     "d:000001AA c:000001AA d:000001AA c:009200 d:008000 c:000001AA d:004001BB c:004001BB", 2},
    {"a second command that was lost on the way",
     "d:000001AA c:000001AA d:009000 c:009200 d:004001BB c:004001BB", 2},
    {"a second command damaged, and then the R",
     "d:000001AA c:000001AA d:004001BB! c:009100 d:009000 c:009100 d:004001BB c:004001BB", 2},
    {"a chain of the device whose R was lost",
     "d:002001AA c:009000 d:008000 c:009000 d:004001BB c:000002AABB", 1},
    {"a part of a chain repeated",
     "d:002001AA c:009000 d:002001AA c:009200 d:004001BB c:000002AABB", 1},
    {"a part of a chain damaged",
     "d:002001AA c:009000 d:004001BB! c:009100 d:004001BB c:000002AABB", 1},
    {"a chain of the card: R damaged, R for the same block, R with another error",
     "d:00C10101 c:00E10101 d:000003AABBCC c:002001AA d:009000! c:009100 d:009000 c:006001BB "
     "d:009200 c:006001BB d:008100 c:000001CC",
     1},
    {"a command amid the card's chain is not taken",
     "d:00C10101 c:00E10101 d:000002AABB c:002001AA d:004001CC c:009200 d:009000 c:004001BB", 1},

    {"R for a block that the card has never sent, or that was acknowledged",
     "d:009000 c:008200 d:000001AA c:000001AA d:006001BB c:008000 d:008000 c:008000 d:000001CC "
     "c:004002BBCC",
     2},
    {"R after a chain and its response: the error is not that of the last R",
     "d:002001AA c:009000 d:004001BB c:000002AABB d:009000 c:008200", 1},

    /* Rule 4 and IFS. */
    {"IFSD amid a chain of the card",
     "d:00C10101 c:00E10101 d:000004AABBCCDD c:002001AA d:00C10102 c:00E10102 d:008000 c:002001AA "
     "d:009000 c:006002BBCC d:008000 c:000001DD",
     1},
    {"IFSD amid a chain of the device",
     "d:002001AA c:009000 d:00C10101 c:00E10101 d:004001BB c:002001AA d:009000 c:004001BB", 1},
    {"IFSD response lost: asked again, or R",
     "d:00C10101 c:00E10101 d:00C10101 c:00E10101 d:008000 c:008200 d:000001AA c:000001AA", 1},
    {"R after an S-block: the error is not that of the last R",
     "d:00C10101! c:008100 d:00C10101 c:00E10101 d:008000 c:008200", 0},
    {"the card's IFS request: other value, R, damaged, at last the response; then never again",
     "d:000001AA c:00C101FE d:00E101FD c:00C101FE d:008000 c:00C101FE d:00E101FE! c:00C101FE "
     "d:00E101FE c:000001AA d:004001BB c:004001BB",
     2, .request_ifsc = 0xFE},
    {"the card's IFS request, again after RESYNCH",
     "d:000001AA c:00C10140 d:00C000 c:00E000 d:000001AA c:00C10140 d:00E10140 c:000001AA", 2,
     .request_ifsc = 0x40},

    /* Rule 3. */
    {"WTX: other value, R, command, IFS request: asked again",
     "d:000001AA c:00C30103 d:00E30104 c:00C30103 d:008000 c:00C30103 d:000001AA c:00C30103 "
     "d:00C10120 c:00C30103 d:00E30103 c:000001AA",
     1, .multiplier = 3},
    {"WTX response damaged",
     "d:000001AA c:00C30103 d:00E30103! c:00C30103 d:00E30103 c:000001AA d:008100 c:000001AA", 1,
     .multiplier = 3},
    {"RESYNCH in answer to WTX: the response is not sent",
     "d:000001AA c:00C30103 d:00C000 c:00E000 d:000001BB c:00C30103 d:00E30103 c:000001BB", 2,
     .multiplier = 3},

    /* Rule 6. */
    {"RESYNCH first of all, and again", "d:00C000 c:00E000 d:00C000 c:00E000 d:000001AA c:000001AA",
     1},
    {"RESYNCH takes back N(S) and IFSD",
     "d:00C10101 c:00E10101 d:000001AA c:000001AA d:00C000 c:00E000 d:000002AABB c:000002AABB", 2},
    {"RESYNCH drops the chain of the device",
     "d:002001AA c:009000 d:00C000 c:00E000 d:000001BB c:000001BB", 1},
    {"RESYNCH drops the chain of the card",
     "d:00C10101 c:00E10101 d:000002AABB c:002001AA d:00C000 c:00E000 d:008000 c:008200 d:000001CC "
     "c:000001CC",
     2},

    /* Rule 9. */
    {"ABORT with no chain",
     "d:00C200 c:00E200 d:000001AA c:000001AA d:00C200 c:00E200 d:004001BB c:004001BB", 2},
    {"R after ABORT with no chain: the response is still there",
     "d:000001AA c:000001AA d:00C200 c:00E200 d:008000 c:000001AA d:004001BB c:004001BB", 2},
    {"R after ABORT behind the last block of the card's chain",
     "d:00C10101 c:00E10101 d:000002AABB c:002001AA d:009000 c:004001BB d:00C200 c:00E200 d:009000 "
     "c:004001BB d:004001CC c:000001CC",
     2},
    {"ABORT of the device's own chain",
     "d:002001AA c:009000 d:00C200 c:00E200 d:004001BB c:000001BB", 1},
    {"ABORT of the card's chain, response lost",
     "d:00C10101 c:00E10101 d:000002AABB c:002001AA d:00C200 c:00E200 d:00C200 c:00E200 d:004001CC "
     "c:004001CC",
     2},
    {"R after ABORT of the card's chain",
     "d:00C10101 c:00E10101 d:000002AABB c:002001AA d:00C200 c:00E200 d:008000 c:009200 d:004001CC "
     "c:004001CC",
     2},
    {"RESYNCH and ABORT of a chain that is too long",
     "d:002003AABBCC c:009000 d:006002DDEE c:008000 d:00C200 c:00E200 d:002003AABBCC c:009000 "
     "d:006002DDEE c:008000 d:00C000 c:00E000 d:000001AA c:000001AA",
     1, .capacity = 4},
    {"too long a chain is taken to its end: 6700",
     "d:002003AABBCC c:009000 d:006002DDEE c:008000 d:002002DDEE c:009000 d:004001DD c:0000026700 "
     "d:000001AA c:004001AA",
     1, .capacity = 4, .too_long = 1},
    {"too long a chain is aborted",
     "d:002003AABBCC c:009000 d:006002DDEE c:00C200 d:008000 c:00C200 d:00E200! c:00C200 d:00E200 "
     "c:008000 d:008000 c:008000 d:000001AA c:000001AA",
     1, .capacity = 4, .abort_oversize = true},
    {"RESYNCH instead of the ABORT response",
     "d:002003AABBCC c:009000 d:006002DDEE c:00C200 d:00C000 c:00E000 d:000001AA c:000001AA", 1,
     .capacity = 4, .abort_oversize = true},
    {"too long only with its last block: 6700", "d:002003AABBCC c:009000 d:004002DDEE c:0000026700",
     0, .capacity = 4, .too_long = 1, .abort_oversize = true},
    {"just as long as the buffer", "d:002003AABBCC c:009000 d:004001DD c:000004AABBCCDD", 1,
     .capacity = 4},

    /* Nothing in it. */
    {"empty blocks", "d:000000 c:000000 d:006000 c:008000 d:002000 c:009000 d:004001AA c:004001AA",
     2},

    /* Bad blocks beyond the published ones. */
    {"S responses that nothing asked for",
     "d:00E000 c:008200 d:00E10120 c:008200 d:00E200 c:008200 d:00E30101 c:008200 d:000001AA "
     "c:000001AA",
     1},
    {"what only a card may ask for", "d:00C30101 c:008200 d:000001AA c:000001AA", 1},
    {"RFU bits of I, R and S",
     "d:000100 c:008200 d:001000 c:008200 d:00A000 c:008200 d:008800 c:008200 d:008400 c:008200 "
     "d:00D000 c:008200 d:00FF00 c:008200 d:00C800 c:008200",
     0},
    {"RFU bits of R: it asks for nothing",
     "d:000001AA c:000001AA d:00A000 c:009200 d:008800 c:009200 d:008400 c:009200 d:008300 "
     "c:009200 d:008000 c:000001AA",
     1},
    {"lengths that do not belong",
     "d:00C00100 c:008200 d:00C20100 c:008200 d:00C1020101 c:008200 d:00E300 c:008200", 0},
    {"LEN FF with something after it", "d:0000FF0102030405~ c:008200 d:000001AA c:000001AA", 1},
    {"cut short: nothing but NAD, no LEN, no EDC",
     "d:00~ c:008200 d:0000~ c:008200 d:000002AABB~ c:008200 d:000002AA~ c:008200 d:000001AA "
     "c:000001AA",
     1},
    {"LEN too small: the rest is waited for", "d:000001AABBCCDDEE c:008100 d:000001AA c:000001AA",
     1},
    {"wrong parity in more than one place ends where the line is silent",
     "d:000005AABBCCDDEE%1 c:008100 d:000005AABBCCDDEE%8 c:008100 d:000001AA c:000001AA", 1},

    /* NAD, 11.3.2.1. */
    {"NAD: SAD 1, DAD 2, answered with SAD 2, DAD 1",
     "d:210001AA c:120001AA d:21C10140 c:12E10140 d:219000! c:129100", 1},
    {"NAD: another connection",
     "d:210001AA c:120001AA d:004001BB c:129200 d:124001BB c:129200 d:214001BB c:124001BB", 2},
    {"NAD: 00 is a connection like others",
     "d:000001AA c:000001AA d:214001BB c:009200 d:004001BB c:004001BB", 2},
    {"NAD: b8, b4, SAD equal to DAD",
     "d:800001AA c:008200 d:080001AA c:008200 d:110001AA c:008200 d:770001AA c:008200 d:FF0001AA "
     "c:008200 d:670001AA c:760001AA",
     1},
    {"NAD: RESYNCH moves the connection",
     "d:210001AA c:120001AA d:30C000 c:03E000 d:210001AA c:038200 d:300001AA c:030001AA", 2},
    {"NAD: what is bad settles nothing", "d:210001AA! c:008100 d:000001AA c:000001AA", 1},
};

static void prepare(const struct scenario *scenario)
{
    script_start(&script);
    script.multiplier = scenario->multiplier;
    script.parameters.request_ifsc = scenario->request_ifsc;
    script.parameters.abort_oversize = scenario->abort_oversize;
    script.capacity = scenario->capacity != 0 ? scenario->capacity : script.capacity;
    script.responses[0] = scenario->response;
    script_add(&script, scenario->text);
}

static void own_scenarios(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        print_message("%s\n", scenarios[i].name); /* the last one is the one that failed */
        prepare(&scenarios[i]);
        script_play(&script);
        assert_int_equal(script.commands, scenarios[i].commands);
        assert_int_equal(script.too_long, scenarios[i].too_long);
    }
}

/* RST may go low at any character: everything ends, and begins again. */
static void reset_at_any_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        size_t cuts = 0;

        prepare(&scenarios[i]);
        while (script_cut(&script, cuts)) {
            cuts++;
        }
        assert_true(cuts > 8);
        assert_int_equal(script.commands, scenarios[i].commands);
    }
}

/* Every character of every kind of block, with wrong parity: R, error 1, and nothing else. */
static void wrong_parity_anywhere(void **state)
{
    static const char *const blocks[] = {"000003AABBCC", "002001AA", "008000",
                                         "00C000",       "00C10140", "00C200"};

    (void)state;
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        for (size_t at = 0; at <= strlen(blocks[i]) / 2; at++) {
            char text[64];
            script_start(&script);
            snprintf(text, sizeof text, "d:%s%%%zu c:008100", blocks[i], at);
            script_add(&script, text);
            script_play(&script);
            assert_int_equal(script.t1.expected, 0);
            script_continue(&script, "d:000001AA c:000001AA");
            assert_int_equal(script.commands, 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_scenarios),
        cmocka_unit_test(reset_at_any_time),
        cmocka_unit_test(wrong_parity_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
