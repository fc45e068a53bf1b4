/* SPDX-License-Identifier: Apache-2.0
 *
 * What twinctl sends to a card and makes of its answers, against a card that is a list of commands
 * and responses: transmission by T=0, files that exist already, information that is malformed.
 */
#include "crypto_helpers.h"
#include "twinctl/card.h"

#include <string.h>

#define EXCHANGES 4

/* Commands that must come, in this order, with their responses; NULL ends it. */
struct script {
    const char *exchanges[EXCHANGES][2];
};

static const struct script *script;
static size_t played;

static enum outcome play(struct transport *transport, const uint8_t *command, size_t length,
                         struct problem *problem)
{
    uint8_t expected[300];
    size_t expected_length = 0;
    assert_true(played < EXCHANGES && script->exchanges[played][0] != NULL);
    assert_true(
        hex_read(script->exchanges[played][0], expected, sizeof expected, &expected_length));
    assert_int_equal(length, expected_length);
    assert_memory_equal(command, expected, length);
    const char *answer = script->exchanges[played++][1];
    if (answer == NULL) {
        return trouble(problem, "gone");
    }
    assert_true(hex_read(answer, transport->response, sizeof transport->response,
                         &transport->response_length));
    return DONE;
}

static struct transport transport = {.exchange = play};

static struct card start(const struct script *next)
{
    script = next;
    played = 0;
    return (struct card){.transport = &transport};
}

static void check_played(const char *name)
{
    assert_case(played == EXCHANGES || script->exchanges[played][0] == NULL, "%s: %zu", name,
                played);
}

static void transmission_by_t0(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t nc, ne;
        struct script script;
        enum outcome outcome;
        uint16_t sw;
        size_t length;
    } cases[] = {
        {"plain", 0, 256, {{{"80CA010100", "AABB9000"}}}, DONE, 0x9000, 2},
        {"61XX",
         1,
         256,
         {{{"80CA0101015A00", "6102"}, {"00C0000002", "AABB9000"}}},
         DONE,
         0x9000,
         2},
        {"6CXX", 0, 256, {{{"80CA010100", "6C02"}, {"80CA010102", "AABB9000"}}}, DONE, 0x9000, 2},
        {"6CXX then 61XX",
         1,
         256,
         {{{"80CA0101015A00", "6C02"}, {"80CA0101015A02", "6102"}, {"00C0000002", "AABB9000"}}},
         DONE,
         0x9000,
         2},
        {"6CXX without Le", 1, 0, {{{"80CA0101015A", "6C02"}}}, DONE, 0x6C02, 0},
        {"data that look like 61XX", 0, 256, {{{"80CA010100", "61029000"}}}, DONE, 0x9000, 2},
        {"refused", 0, 256, {{{"80CA010100", "6A88"}}}, DONE, 0x6A88, 0},
        {"gone", 0, 256, {{{"80CA010100", NULL}}}, TROUBLE, 0, 0},
        {"gone in GET RESPONSE",
         0,
         256,
         {{{"80CA010100", "6102"}, {"00C0000002", NULL}}},
         TROUBLE,
         0,
         0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct card card = start(&cases[i].script);
        struct problem problem = {0};
        struct command command = {.cla = 0x80,
                                  .ins = 0xCA,
                                  .p1 = 0x01,
                                  .p2 = 0x01,
                                  .data = (const uint8_t *)"\x5A",
                                  .nc = cases[i].nc,
                                  .ne = cases[i].ne};
        enum outcome outcome = card_send(&card, &command, &problem);
        assert_case(outcome == cases[i].outcome, "%s", cases[i].name);
        assert_case(card.sw == cases[i].sw, "%s: %04X", cases[i].name, card.sw);
        assert_case(card.response.length == cases[i].length, "%s", cases[i].name);
        check_played(cases[i].name);
    }
}

static void files_that_exist_are_made(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        enum outcome outcome;
        uint16_t sw;
    } cases[] = {
        {"9000", DONE, 0},         {"6A89", DONE, 0},         {"6A8A", DONE, 0},
        {"6A84", REFUSED, 0x6A84}, {"6982", REFUSED, 0x6982},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct script once = {{{"00E00000026200", cases[i].answer}}};
        struct card card = start(&once);
        struct problem problem = {0};
        struct bytes fcp = {.length = 2, .data = {0x62, 0x00}};
        assert_case(card_create(&card, "CREATE FILE", &fcp, &problem) == cases[i].outcome, "%s",
                    cases[i].answer);
        assert_case(problem.sw == cases[i].sw, "%s", cases[i].answer);
        assert_case(cases[i].outcome == DONE || strstr(problem.text, cases[i].answer) != NULL,
                    "%s: %s", cases[i].answer, problem.text);
    }
    struct bytes broken = {.failed = true};
    struct problem problem = {0};
    struct script none = {{{NULL, NULL}}};
    struct card card = start(&none);
    assert_int_equal(card_create(&card, "CREATE FILE", &broken, &problem), TROUBLE);
}

static void identity(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        enum outcome outcome;
        uint8_t life_cycle;
        bool has_serial;
    } cases[] = {
        {"C00106C1080102030405060708C203000100C3010F9000", DONE, 6, true},
        {"C00106C1080102030405060708C203000100C3010F", REFUSED, 0, false}, /* sw 010F */
        {"C2030001 00C001019000", DONE, 1, false},
        {"C00106C10701020304050607C203000100C3010F9000", DONE, 6, false},
        {"C0020006C2030001009000", REFUSED, 0, false},
        {"C001069000", REFUSED, 0, false},
        {"C2030001009000", REFUSED, 0, false},
        {"9000", REFUSED, 0, false},
        {"6F00", REFUSED, 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct script once = {{{"80CA010100", cases[i].answer}}};
        struct card card = start(&once);
        struct card_identity found = {0};
        struct problem problem = {0};
        enum outcome outcome = card_identify(&card, &found, &problem);
        assert_case(outcome == cases[i].outcome, "%s", cases[i].answer);
        if (outcome == DONE) {
            assert_case(found.life_cycle == cases[i].life_cycle, "%s", cases[i].answer);
            assert_case(found.has_serial == cases[i].has_serial, "%s", cases[i].answer);
        }
    }
}

static void a_missing_key_opens_no_session(void **state)
{
    (void)state;
    struct keyfile keys = {.count = 3};
    static const char *const names[] = {"CARD_ENC", "CARD_MAC", "CARD_DEK"};
    for (size_t i = 0; i < 3; i++) {
        strcpy(keys.entries[i].name, names[i]);
        keys.entries[i].length = 16;
    }
    struct card card = {.transport = &transport, .secure = true};
    struct problem problem = {0};
    /* One key missing: nothing is sent. */
    struct script none = {{{NULL, NULL}}};
    script = &none;
    played = 0;
    keys.count = 2;
    assert_int_equal(card_open_scp03(&card, &keys, "CARD", 1, &problem), TROUBLE);
    assert_non_null(strstr(problem.text, "CARD_DEK"));
    assert_false(card.secure);
}

static void status_words_in_words(void **state)
{
    (void)state;
    static const struct {
        uint16_t sw;
        const char *text;
    } cases[] = {
        {0x63C2, "X: 63C2, wrong, 2 tries left"},
        {0x63C1, "X: 63C1, wrong, 1 try left"},
        {0x63C0, "X: 63C0, wrong, 0 tries left"},
        {0x6983, "X: 6983, authentication method blocked"},
        {0x6300, "X: 6300, authentication failed"},
        {0x1234, "X: 1234, unknown status word"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct problem problem = {0};
        assert_int_equal(refused_by_card(&problem, "X", cases[i].sw), REFUSED);
        assert_int_equal(problem.sw, cases[i].sw);
        assert_string_equal(problem.text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transmission_by_t0),
        cmocka_unit_test(files_that_exist_are_made),
        cmocka_unit_test(identity),
        cmocka_unit_test(a_missing_key_opens_no_session),
        cmocka_unit_test(status_words_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
