/* SPDX-License-Identifier: Apache-2.0
 *
 * T=0 to the byte: the exchanges of the vectors, and what follows from the rules beside them.
 */
#include "t0_card.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct t0_card card;

static int make(void **state)
{
    (void)state;
    t0_card_init(&card);
    return 0;
}

/* ---- The exchanges of the vectors ---- */

/* What the card does in each, and what the device does before it, which is not compared. */
static const struct scenario {
    const char *name;
    const char *apdus; /* NULL: that of the vectors */
    const char *answers, *executed;
    unsigned extend_direction, extend_command;
    bool one_by_one, raw;
    const char *in; /* NULL: as usual */
} scenarios[] = {
    {"case 1", NULL, "9000", "00440000"},
    {"case 2S exact", NULL, "01020304050607089000", "0084000008"},
    {"case 2S Le too long", NULL, "DEADBEEF6282", "00B0000010"},
    {"case 2S Le=00", NULL, "DEADBEEF9000", "00B0000000"},
    {"case 3S all bytes", NULL, "9000", "00D6000003AABBCC"},
    {"case 3S byte by byte", NULL, "9000", "00D6000003AABBCC", 1, 1, true},
    {"case 3S refused before data", NULL, "6982", "00D6000003", .in = "88"},
    {"case 4S", NULL, "79030504037108123456789ABCDEF09000", "00A4040007A0000005272101"},
    {"case 4S response shorter than Le", NULL, "CAFE9000", "008800000401020304"},
    {"case 4S GET RESPONSE wrong length", "008800000401020304 00C0000020 00C0000002", "CAFE9000",
     "008800000401020304", .raw = true},
    {"case 4S response over 256", "00880000000004010203040000", "300*9000", "008800000401020304"},
    {"case 2E mapped", NULL, "256*6100 256*9000", "00B0000000 00C0000000"},
};

/* The exchange as it is on the line. Data that the vectors give as a number are 00 01 02 ... */
static void expect_wire(const struct vector_section *section, char *text)
{
    const uint8_t *header = NULL;
    unsigned data = 0;
    char last = '\0';

    text[0] = '\0';
    for (size_t i = 0; i < section->count; i++) {
        const struct vector_entry *entry = &section->entries[i];
        const char side = entry->key[3];
        if (side == 'a') {
            continue;
        }
        text += strlen(text);
        if (side != last) {
            text += sprintf(text, "%s%c", last != '\0' ? " " : "", side == 'd' ? '>' : '<');
        }
        last = side;
        if (side == 'd' && entry->bytes.length == 5) {
            header = entry->bytes.data;
        }
        if (strncmp(entry->key + 4, "_data", 5) == 0) {
            text += sprintf(text, "%02X", header[1]);
            for (unsigned long n = strtoul(entry->key + 9, NULL, 10); n != 0; n--) {
                text += sprintf(text, "%02X", data++ & 0xFF);
            }
        }
        for (size_t k = 0; k < entry->bytes.length; k++) {
            text += sprintf(text, "%02X", entry->bytes.data[k]);
        }
    }
}

static void play(const struct vectors *vectors, const struct scenario *scenario)
{
    static char wanted[T0_CARD_TEXT], apdu[64];
    const struct vector_section *section = vectors_section(vectors, scenario->name);

    t0_card_init(&card);
    card.apdus = scenario->apdus;
    if (scenario->apdus == NULL) {
        const struct cos_span bytes = vector_bytes(section, "00_apdu");
        for (size_t i = 0; i < bytes.length; i++) {
            sprintf(apdu + 2 * i, "%02X", bytes.data[i]);
        }
        card.apdus = apdu;
    }
    card.answers = scenario->answers;
    card.in = scenario->in != NULL ? scenario->in : card.in;
    card.extend_direction = scenario->extend_direction;
    card.extend_command = scenario->extend_command;
    card.config.one_by_one = scenario->one_by_one;
    card.terminal.raw = scenario->raw;
    t0_card_run(&card);
    expect_wire(section, wanted);
    const char *wire = strstr(t0_card_wire(&card), wanted);
    if (wire == NULL || (scenario->apdus == NULL && wire != card.wire)) {
        fail_msg("%s: %s, not %s", scenario->name, card.wire, wanted);
    }
    assert_string_equal(card.executed, scenario->executed);
    assert_int_equal(card.terminal.end, TERMINAL_FINISHED);
}

static void exchanges(void **state)
{
    struct vectors *vectors = vectors_open("iso7816-3-t0.txt");

    (void)state;
    for (size_t i = 0; i < COUNT(scenarios); i++) {
        play(vectors, &scenarios[i]);
    }
    /* the two that follow here have no bytes of their own */
    assert_int_equal(vectors->count, COUNT(scenarios) + 2);
    vectors_close(vectors);
}

/* 307 bytes of a command, in pieces of 255 and 52. */
static void envelope_of_the_vectors(void **state)
{
    struct vectors *vectors = vectors_open("iso7816-3-t0.txt");
    const struct vector_section *section = vectors_section(vectors, "case 3E via ENVELOPE");
    const struct terminal_t0 *terminal = &card.terminal;
    const uint8_t *first = vector_exactly(section, 5, "01_d_first");
    const uint8_t *second = vector_exactly(section, 5, "02_d_second");
    const size_t at = 2; /* behind the ATR */

    (void)state;
    card.apdus = "00D6000000012C 300*";
    card.answers = "9000";
    t0_card_run(&card);
    assert_int_equal(strlen(card.executed), 2 * vector_number(section, "00_apdu_len_n"));
    assert_string_equal(card.responses, "9000");
    /* header, C2, 255 bytes, 9000; header, C2, 52 bytes, 9000 */
    assert_int_equal(terminal->logged, at + 5 + 1 + 255 + 2 + 5 + 1 + 52 + 2);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(terminal->log[at + i].character, first[i]);
        assert_int_equal(terminal->log[at + 263 + i].character, second[i]);
    }
    vectors_close(vectors);
}

/* The device itself: it takes no procedure byte that is none. */
static void invalid_procedure_byte(void **state)
{
    struct vectors *vectors = vectors_open("iso7816-3-t0.txt");
    const struct vector_section *section = vectors_section(vectors, "invalid procedure byte");
    const struct cos_line *line = &card.terminal.line;
    const uint8_t *header = vector_exactly(section, 5, "00_d");
    uint8_t character;

    (void)state;
    card.apdus = "00B0000004";
    assert_int_equal(line->send(line->context, 0x3B, 0), COS_OK);
    assert_int_equal(line->send(line->context, 0x00, 0), COS_OK);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(line->receive(line->context, &character, 0), COS_OK);
        assert_int_equal(character, header[i]);
    }
    assert_int_equal(line->send(line->context, *vector_exactly(section, 1, "01_c"), 16), COS_OK);
    assert_int_equal(line->receive(line->context, &character, 0), COS_E_LINE_RESET);
    assert_int_equal(card.terminal.end, TERMINAL_PROCEDURE);
    vectors_close(vectors);
}

/* ---- Rules ---- */

struct row {
    const char *what, *apdus, *answers, *executed, *responses, *wire;
    bool raw;
};

static void check_rows(const struct row *rows, size_t count)
{
    size_t bad = 0;

    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        const bool one_by_one = card.config.one_by_one;
        t0_card_init(&card);
        card.config.one_by_one = one_by_one;
        card.apdus = row->apdus;
        card.answers = row->answers;
        card.terminal.raw = row->raw;
        t0_card_run(&card);
        if (strcmp(card.executed, row->executed) != 0 ||
            strcmp(card.responses, row->responses) != 0 ||
            (row->wire != NULL && strcmp(t0_card_wire(&card), row->wire) != 0) ||
            card.terminal.end != TERMINAL_FINISHED) {
            print_error("%s: executed %s, responses %s, line %s\n", row->what, card.executed,
                        card.responses, t0_card_wire(&card));
            bad++;
        }
    }
    assert_int_equal(bad, 0);
}
#define CHECK_ROWS(rows) check_rows(rows, COUNT(rows))

static void lengths(void **state)
{
    static const struct row rows[] = {
        {"no data for a command that takes some", "00D60000", "6700", "00D60000", "6700",
         ">00D6000000 <6700"},
        {"case 1 with response data", "00A40000", "11229000", "00A40000", "6C02",
         ">00A4000000 <6C02"},
        {"case 2 with Le = 00 of a command that may take data", "00A4000000", "11229000",
         "00A40000", "11229000", ">00A4000000 <6C02 >00A4000002 <A411229000"},
        {"no response data", "00B0000005", "6A82", "00B0000005", "6A82", ">00B0000005 <6A82"},
        {"a warning with all data", "00B0000002", "11226281", "00B0000002", "11226281", NULL},
        {"a warning that Le was too long is none any more", "00B0000003", "11226282", "00B0000003",
         "11229000", ">00B0000003 <6C02 >00B0000002 <B011229000"},
        {"another warning stays", "00B0000003", "11226281", "00B0000003", "11226281", NULL},
        {"256 bytes", "00B0000000", "256*9000", "00B0000000", NULL, NULL},
        {"255 data bytes", "00D60000FF 255*", "9000", NULL, "9000", NULL},
    };
    char all[2 * 258 + 1] = "";

    (void)state;
    for (unsigned i = 0; i < 256; i++) {
        sprintf(all + 2 * i, "%02X", i);
    }
    strcat(all, "9000");
    for (size_t i = 0; i < COUNT(rows); i++) {
        char long_command[2 * 260 + 1] = "00D60000FF";
        struct row row = rows[i];
        row.responses = row.responses != NULL ? row.responses : all;
        memcpy(long_command + 10, all, 510);
        row.executed = row.executed != NULL ? row.executed : long_command;
        check_rows(&row, 1);
    }
}

static void a_wrong_length_executes_once(void **state)
{
    static const struct row rows[] = {
        {"until it is fetched", "00B0000010 00B0000000 00B0000005 00B0000004", "DEADBEEF9000",
         "00B0000010", "6C04 6C04 6C04 DEADBEEF9000", NULL, true},
        {"a shorter Le is another command", "00B0000010 00B0000003", "DEADBEEF9000 1122339000",
         "00B0000010 00B0000003", "6C04 1122339000", NULL, true},
        {"another command drops it", "00B0000010 00CA000001 00B0000004",
         "DEADBEEF9000 339000 CAFEBABE9000", "00B0000010 00CA000001 00B0000004",
         "6C04 339000 CAFEBABE9000", NULL, true},
        {"other parameters are another command", "00B0000010 00B0000104",
         "DEADBEEF9000 112233449000", "00B0000010 00B0000104", "6C04 112233449000", NULL, true},
        {"fetched once", "00B0000010 00B0000004 00B0000004", "DEADBEEF9000 CAFEBABE9000",
         "00B0000010 00B0000004", "6C04 DEADBEEF9000 CAFEBABE9000", NULL, true},
        {"GET RESPONSE is for what was announced", "00B0000010 00C0000004", "DEADBEEF9000 6985",
         "00B0000010 00C0000004", "6C04 6985", NULL, true},
    };

    (void)state;
    CHECK_ROWS(rows);
}

static void get_response(void **state)
{
    static const struct row rows[] = {
        {"in parts", "0088000001AA 00C0000001 00C0000001 00C0000001", "1122339000", "0088000001AA",
         "6103 116102 226101 339000", NULL, true},
        {"too long, then right, then nothing", "0088000001AA 00C0000000 00C0000002 00C0000001",
         "11229000 6985", "0088000001AA 00C0000001", "6102 6C02 11229000 6985", NULL, true},
        {"too long, then in parts", "0088000001AA 00C0000000 00C0000001 00C0000001", "11229000",
         "0088000001AA", "6102 6C02 116101 229000", NULL, true},
        {"another command drops it", "0088000001AA 00B0000001 00C0000002", "11229000 559000 6985",
         "0088000001AA 00B0000001 00C0000002", "6102 559000 6985", NULL, true},
        {"the same command, too", "0088000001AA 0088000001AA", "11229000 33449000",
         "0088000001AA 0088000001AA", "6102 6102", NULL, true},
        {"any class of the channel", "0088000001AA 80C0000001 0CC0000001", "11229000",
         "0088000001AA", "6102 116101 229000", NULL, true},
        {"not of another channel", "0088000001AA 01C0000002", "11229000 6881",
         "0088000001AA 01C0000002", "6102 6881", NULL, true},
        {"channel 5", "4188000001AA 01C0000002 4188000001AA 41C0000002", "11229000 6881 11229000",
         "4188000001AA 01C0000002 4188000001AA", "6102 6881 6102 11229000", NULL, true},
        {"not as a part of a chain", "0088000001AA 10C0000002", "11229000 6884",
         "0088000001AA 10C0000002", "6102 6884", NULL, true},
        {"P1-P2", "0088000001AA 00C0010002", "11229000 6A86", "0088000001AA 00C0010002",
         "6102 6A86", NULL, true},
        {"a warning comes last", "0088000001AA 00C0000001 00C0000001", "11226283", "0088000001AA",
         "6102 116101 226283", NULL, true},
        {"an error has no data", "0088000001AA", "6A80", "0088000001AA", "6A80", NULL, true},
        {"the application has more", "00B0000002 00C0000002 00C0000001 00C0000001",
         "11226103 33446101 559000", "00B0000002 00C0000002 00C0000001 00C0000001",
         "11226103 33446101 559000 6F00", NULL, true},
        {"and less than Le", "00B0000002 00C0000000 00C0000001", "11226101 339000",
         "00B0000002 00C0000000", "11226101 6C01 339000", NULL, true},
        {"more than Le of a handler that does not look at it", "00B0000001 00C0000002",
         "1122339000", "00B0000001", "116102 22339000", NULL, true},
    };

    (void)state;
    CHECK_ROWS(rows);
}

/* 10.3.2: 6X and 9X are no instructions, whoever would take them. */
static void invalid_instructions(void **state)
{
    (void)state;
    for (unsigned ins = 0; ins < 256; ins++) {
        const bool valid = (ins & 0xF0) != 0x60 && (ins & 0xF0) != 0x90;
        char apdu[16];
        if (ins == 0xC2) {
            continue;
        }
        t0_card_init(&card);
        sprintf(apdu, "00%02X000002", ins);
        card.apdus = apdu;
        card.in = "";
        card.answers = "11229000";
        card.terminal.raw = true;
        t0_card_run(&card);
        assert_string_equal(card.responses, valid ? "11229000" : "6D00");
        assert_string_equal(card.executed, valid ? apdu : "");
    }
}

/* What an application may not answer becomes 6F00. */
static void answers_that_are_none(void **state)
{
    static const char *const answers[] = {"", "90", "6000", "60FF", "0000", "5FFF", "7000", "A000"};

    (void)state;
    for (size_t i = 0; i < COUNT(answers); i++) {
        t0_card_init(&card);
        card.apdus = "00B0000002";
        card.answers = answers[i];
        t0_card_run(&card);
        assert_string_equal(card.responses, "6F00");
        assert_string_equal(t0_card_wire(&card), ">00B0000002 <6F00");
    }
}

static void byte_by_byte(void **state)
{
    static const struct row rows[] = {
        {"one byte", "00D6000001AA", "9000", "00D6000001AA", "9000", ">00D6000001 <D6 >AA <9000"},
        {"two bytes", "00D6000002AABB", "9000", "00D6000002AABB", "9000",
         ">00D6000002 <29 >AA <D6 >BB <9000"},
        {"no byte", "00D60000", "6700", "00D60000", "6700", ">00D6000000 <6700"},
        {"response data are not concerned", "00B0000002", "11229000", "00B0000002", "11229000",
         ">00B0000002 <B011229000"},
    };

    (void)state;
    card.config.one_by_one = true;
    CHECK_ROWS(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(exchanges, make),
        cmocka_unit_test_setup(envelope_of_the_vectors, make),
        cmocka_unit_test_setup(invalid_procedure_byte, make),
        cmocka_unit_test_setup(lengths, make),
        cmocka_unit_test_setup(a_wrong_length_executes_once, make),
        cmocka_unit_test_setup(get_response, make),
        cmocka_unit_test_setup(invalid_instructions, make),
        cmocka_unit_test_setup(answers_that_are_none, make),
        cmocka_unit_test_setup(byte_by_byte, make),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
