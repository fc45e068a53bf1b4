/* SPDX-License-Identifier: Apache-2.0
 *
 * The trace: what is readable in it, and that no secret is. Each row is one line of the trace
 * without its time.
 */
#include "twincard/tracer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct sheet {
    struct tracer tracer;
    char *text;
    size_t size;
};

static void open_sheet(struct sheet *sheet)
{
    FILE *out = open_memstream(&sheet->text, &sheet->size);
    assert_non_null(out);
    tracer_init(&sheet->tracer, out);
}

/* Ends the sheet and compares its only line behind the time. */
static void expect_line(struct sheet *sheet, const char *expected)
{
    fclose(sheet->tracer.out);
    const char *line = sheet->text;
    while (*line == ' ' || *line == '.' || (*line >= '0' && *line <= '9')) {
        line++;
    }
    assert_string_equal(line, expected);
    free(sheet->text);
}

static size_t from_hex(const char *text, uint8_t *bytes)
{
    size_t length = 0;
    unsigned value;
    int used;
    while (sscanf(text, " %2x%n", &value, &used) == 1) {
        bytes[length++] = (uint8_t)value;
        text += used;
    }
    return length;
}

static void commands_are_named_and_blanked(void **state)
{
    static const struct {
        const char *apdu, *line;
    } rows[] = {
        {"00A4000C 02 5100", ">     00A4000C 025100  SELECT\n"},
        {"00B08100 00", ">     00B08100 00  READ BINARY\n"},
        {"00200081", ">     00200081  VERIFY\n"},
        {"00200081 04 31323334", ">     00200081 04 <4 bytes>  VERIFY\n"},
        {"00200081 000004 31323334", ">     00200081 00 <6 bytes>  VERIFY\n"},
        {"00240081 08 3132333434333231", ">     00240081 08 <8 bytes>  CHANGE REFERENCE DATA\n"},
        {"002C0081 08 3132333434333231", ">     002C0081 08 <8 bytes>  RESET RETRY COUNTER\n"},
        {"00880001 08 0102030405060708", ">     00880001 08 <8 bytes>  INTERNAL AUTHENTICATE\n"},
        {"80D80181 03 010203", ">     80D80181 03 <3 bytes>  PUT KEY\n"},
        {"80E26000 03 801000", ">     80E26000 03 <3 bytes>  STORE DATA\n"},
        {"80F10301 02 AABB", ">     80F10301 02 <2 bytes>  PRODUCTION STEP\n"},
        {"00E20000 02 AABB", ">     00E20000 02AABB  APPEND RECORD\n"},
        {"0CB08100 0D 97010400", ">     0CB08100 0D <4 bytes>  READ BINARY (secure messaging)\n"},
        {"84CA9F7F 08 0102030405060708",
         ">     84CA9F7F 08 <8 bytes>  GET DATA (secure messaging)\n"},
        {"60D60000 01 55", ">     60D60000 01 <1 bytes>  UPDATE BINARY (secure messaging)\n"},
        {"A0200001 08 31323334FFFFFFFF", ">     A0200001 08 <8 bytes>  ?\n"},
        {"90200001 02 3132", ">     90200001 02 <2 bytes>  ?\n"},
        {"00990000 02 3132", ">     00990000 02 <2 bytes>  ?\n"},
        {"00A4", ">     00A4\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sheet sheet;
        uint8_t apdu[64];
        open_sheet(&sheet);
        tracer_command(&sheet.tracer, apdu, from_hex(rows[i].apdu, apdu));
        expect_line(&sheet, rows[i].line);
    }
}

static void responses_follow_their_command(void **state)
{
    static const struct {
        const char *command, *response, *line;
    } rows[] = {
        {"00B0810004", "DEADBEEF9000", "<     DEADBEEF 9000\n"},
        {"00200081", "63C3", "<     63C3\n"},
        {"00880001 01 00", "A1A2A3A49000", "<     <4 bytes> 9000\n"},
        {"8050010008 0102030405060708", "AABBCC9000", "<     <3 bytes> 9000\n"},
        {"0CB0810000", "87019000", "<     <2 bytes> 9000\n"},
        {"00B0810004", "", "<    \n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sheet sheet;
        uint8_t apdu[64];
        open_sheet(&sheet);
        tracer_command(&sheet.tracer, apdu, from_hex(rows[i].command, apdu));
        fclose(sheet.tracer.out);
        free(sheet.text);
        sheet.tracer.out = open_memstream(&sheet.text, &sheet.size);
        tracer_response(&sheet.tracer, apdu, from_hex(rows[i].response, apdu));
        expect_line(&sheet, rows[i].line);
    }
}

/* GET RESPONSE fetches data of the command before it: what was a secret there stays one. */
static void get_response_stays_blank(void **state)
{
    struct sheet sheet;
    uint8_t apdu[16];
    (void)state;
    open_sheet(&sheet);
    tracer_command(&sheet.tracer, apdu, from_hex("00880001 01 00", apdu));
    tracer_response(&sheet.tracer, apdu, from_hex("6104", apdu));
    tracer_command(&sheet.tracer, apdu, from_hex("00C0000004", apdu));
    tracer_response(&sheet.tracer, apdu, from_hex("A1A2A3A49000", apdu));
    fflush(sheet.tracer.out);
    assert_null(strstr(sheet.text, "A1A2"));
    assert_non_null(strstr(sheet.text, "<4 bytes> 9000"));
    fclose(sheet.tracer.out);
    free(sheet.text);
}

static void gate_requests_are_named_and_blanked(void **state)
{
    static const struct {
        uint8_t opcode;
        const char *request, *line;
    } rows[] = {
        {COS_GATE_STATUS, "", "gate> STATUS:\n"},
        {COS_GATE_CONTEXT, "0100F054", "gate> CONTEXT bind: 0100F054\n"},
        {COS_GATE_CONTEXT, "0900F054", "gate> CONTEXT: 0900F054\n"},
        {COS_GATE_ACCESS, "009E0190", "gate> ACCESS: 009E0190\n"},
        {COS_GATE_PIN, "0100810031323334", "gate> PIN verify: 01008100 <4 bytes>\n"},
        {COS_GATE_PIN, "0700810031323334", "gate> PIN reset only: 07008100 <4 bytes>\n"},
        {COS_GATE_AUTH, "0100000152525252", "gate> AUTH internal: 01000001 <4 bytes>\n"},
        {COS_GATE_KEY, "0200", "gate> KEY store: 0200\n"},
        {COS_GATE_KEY, "01000102AABB", "gate> KEY put: 01000102 <2 bytes>\n"},
        {COS_GATE_SM_OPEN, "008420008104AABB", "gate> SM_OPEN: 0084200081 <3 bytes>\n"},
        {COS_GATE_SM_SEAL, "009000AABB", "gate> SM_SEAL: 009000 <2 bytes>\n"},
        {COS_GATE_VAULT, "040000010010AABBCC", "gate> VAULT update: 040000010010 <3 bytes>\n"},
        {COS_GATE_VAULT, "06000001", "gate> VAULT info: 06000001\n"},
        {COS_GATE_VAULT, "0700000100101122", "gate> VAULT write: 070000010010 <2 bytes>\n"},
        {COS_GATE_VAULT, "0800000101", "gate> VAULT ask: 0800000101\n"},
        {COS_GATE_LIFE, "0203AABB", "gate> LIFE step: 0203 <2 bytes>\n"},
        {COS_GATE_CRYPT, "0102", "gate> CRYPT: <2 bytes>\n"},
        {0x3F, "0102", "gate> ?: <2 bytes>\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sheet sheet;
        uint8_t request[64];
        open_sheet(&sheet);
        size_t length = from_hex(rows[i].request, request);
        const struct cos_gate_trace *gate = &sheet.tracer.gate;
        gate->call(gate->context, rows[i].opcode, request, length, COS_OK, NULL, 0);
        expect_line(&sheet, rows[i].line);
    }
}

static void gate_responses_are_named_and_blanked(void **state)
{
    static const struct {
        uint8_t opcode;
        enum cos_result result;
        const char *response, *line;
    } rows[] = {
        {COS_GATE_STATUS, COS_OK, "0600", "gate< STATUS: ok 0600\n"},
        {COS_GATE_ACCESS, COS_OK, "C35A69A5", "gate< ACCESS: ok C35A69A5\n"},
        {COS_GATE_PIN, COS_E_TRIES_0 - 2, "", "gate< PIN: error -34 (63C2)\n"},
        {COS_GATE_AUTH, COS_OK, "A1A2", "gate< AUTH: ok <2 bytes>\n"},
        {COS_GATE_KEY, COS_OK, "01AA", "gate< KEY: ok <2 bytes>\n"},
        {COS_GATE_SM_OPEN, COS_OK,
         "0000200081000001000100"
         "0431323334",
         "gate< SM_OPEN: ok 000020008100000100010004 <4 bytes>\n"},
        {COS_GATE_SM_SEAL, COS_OK, "9000CCDD", "gate< SM_SEAL: ok 9000 <2 bytes>\n"},
        {COS_GATE_VAULT, COS_OK, "AABBCC", "gate< VAULT: ok <3 bytes>\n"},
        {COS_GATE_LIFE, COS_E_LINK_DOWN, "", "gate< LIFE: error -72 (6F00)\n"},
        {COS_GATE_LIFE, COS_OK, "01AABB", "gate< LIFE: ok <3 bytes>\n"},
        {COS_GATE_CRYPT, COS_OK, "AA", "gate< CRYPT: ok <1 bytes>\n"},
        {0x3F, COS_OK, "AA", "gate< ?: ok <1 bytes>\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sheet sheet;
        uint8_t response[64];
        open_sheet(&sheet);
        size_t length = from_hex(rows[i].response, response);
        const struct cos_gate_trace *gate = &sheet.tracer.gate;
        gate->call(gate->context, rows[i].opcode, NULL, 0, rows[i].result, response, length);
        expect_line(&sheet, rows[i].line);
    }
}

static void events_and_atr(void **state)
{
    struct sheet sheet;
    (void)state;
    open_sheet(&sheet);
    tracer_event(&sheet.tracer, "power on");
    expect_line(&sheet, "*     power on\n");
    open_sheet(&sheet);
    tracer_atr(&sheet.tracer, (const uint8_t *)"\x3B\x00", 2);
    expect_line(&sheet, "<     3B00  ATR\n");
}

static void without_a_file_nothing_is_traced(void **state)
{
    struct tracer tracer;
    uint8_t bytes[8] = {0, 0x20, 0, 0x81, 1, 0x31, 0x90, 0x00};
    (void)state;
    tracer_init(&tracer, NULL);
    tracer_event(&tracer, "power on");
    tracer_atr(&tracer, bytes, 2);
    tracer_command(&tracer, bytes, 6);
    tracer_response(&tracer, bytes + 6, 2);
    tracer.gate.call(tracer.gate.context, COS_GATE_STATUS, bytes, 0, COS_OK, bytes, 2);
    assert_false(tracer.blank_response);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_named_and_blanked),
        cmocka_unit_test(responses_follow_their_command),
        cmocka_unit_test(get_response_stays_blank),
        cmocka_unit_test(gate_requests_are_named_and_blanked),
        cmocka_unit_test(gate_responses_are_named_and_blanked),
        cmocka_unit_test(events_and_atr),
        cmocka_unit_test(without_a_file_nothing_is_traced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
