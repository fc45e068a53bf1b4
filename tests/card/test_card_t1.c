/* SPDX-License-Identifier: Apache-2.0
 *
 * Response chaining over T=1 (ISO/IEC 7816-4:2013, 5.3.4, 11.8.1): what Le had no room for is
 * announced with 61XX and fetched with GET RESPONSE, block by block, on the channel that it
 * belongs to; and no block of the protocol makes the card forget it.
 */
#include "card_table.h"
#include "cos/t1.h"
#include "terminal_t1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct line_sim sim;
static struct terminal_t1 terminal;
static struct cos_t1 t1;
static uint8_t command[BENCH_APDU_MAX], response[700];

static void start_line(uint8_t ifsd)
{
    const struct terminal_t1_config config = {
        .ifsc = 254, .bwi = 4, .cwi = 13, .f = 372, .d = 1, .ifsd = ifsd, .guard = 12, .delay = 22};
    const struct cos_t1_parameters parameters = {
        .edc = COS_T1_LRC, .ifsc = 254, .bwi = 4, .cwi = 13, .f = 372, .d = 1};

    line_sim_start(&sim, 1);
    sim.single = LINE_FAULTS;
    terminal_t1_start(&terminal, &config, &sim);
    assert_int_equal(cos_t1_start(&t1, &parameters), COS_OK);
}

/* Sends a command and lets the card run until the device has the response. */
static void exchange(struct bench *bench, const char *apdu)
{
    static uint8_t sent[BENCH_APDU_MAX];

    terminal_t1_begin(&terminal, sent, bench_bytes(apdu, sent, sizeof sent));
    while (terminal.outcome == TERMINAL_BUSY) {
        size_t length = 0;
        if (cos_t1_receive(&t1, &sim.card, command, sizeof command, &length) != COS_OK) {
            break;
        }
        length = cos_app_command(&bench->app, command, length, response, sizeof response);
        if (cos_t1_send(&t1, &sim.card, response, length) != COS_OK) {
            break;
        }
        cos_app_settle(&bench->app);
    }
    assert_int_equal(terminal.outcome, TERMINAL_DONE);
}

static void expect(struct bench *bench, const char *apdu, uint16_t sw, size_t from, size_t length)
{
    exchange(bench, apdu);
    const uint16_t got = cos_get16(terminal.response + terminal.response_length - 2);

    if (got != sw || terminal.response_length != length + 2) {
        fail_msg("%s: %04X, %zu bytes", apdu, got, terminal.response_length - 2);
    }
    for (size_t i = 0; i < length; i++) {
        assert_int_equal(terminal.response[i], (uint8_t)(from + i + 1));
    }
}

/* EF 6000, 400 bytes 01 02 03 ..., is read odd: the data object has no shorter form than 5382. */
static void make_file(struct bench *bench)
{
    static const char *const files[] = {"820101 83026000 80020190 8C03030000"};
    uint8_t update[205] = {0x00, 0xD6, 0x00, 0x00, 200};

    bench_create_files(bench, BENCH_APPLICATION, files, 1);
    bench_reset(bench);
    bench_expect(bench, BENCH_APPLICATION, 0x9000, NULL);
    bench_expect(bench, "00A4000C 02 6000", 0x9000, NULL);
    for (unsigned part = 0; part < 2; part++) {
        update[3] = (uint8_t)(200 * part);
        for (unsigned i = 0; i < 200; i++) {
            update[5 + i] = (uint8_t)(200 * part + i + 1);
        }
        assert_int_equal(bench_apdu(bench, update, sizeof update), 0x9000);
    }
}

static void what_le_has_no_room_for(void **state)
{
    static const uint8_t ifsds[] = {0, 8, 254};
    struct bench *bench = *state;

    make_file(bench);
    for (size_t i = 0; i < CARD_COUNT(ifsds); i++) {
        start_line(ifsds[i]);
        expect(bench, "00B0000010", 0x9000, 0, 16);
        expect(bench, "00C0000000", 0x6985, 0, 0);
        /* The whole FCI, of which Le takes none: 61XX, and GET RESPONSE in three parts. */
        exchange(bench, "00A40000 02 6000 01");
        assert_int_equal(terminal.response_length, 3);
        assert_int_equal(terminal.response[1], 0x61);
        const size_t left = terminal.response[2];
        assert_true(left > 10);
        exchange(bench, "00C0000005");
        assert_int_equal(terminal.response_length, 7);
        assert_int_equal(cos_get16(terminal.response + 5), 0x6100 + left - 5);
        exchange(bench, "00C0000000");
        assert_int_equal(terminal.response_length, left - 5 + 2);
        assert_int_equal(cos_get16(terminal.response + left - 5), 0x9000);
        exchange(bench, "00C0000000");
        assert_int_equal(cos_get16(terminal.response), 0x6985);
        /* Wrong forms of GET RESPONSE leave what waits; a command drops it. */
        exchange(bench, "00A40000 02 6000 01");
        expect(bench, "00C0010000", 0x6A86, 0, 0);
        expect(bench, "00C00000 01 00", 0x6700, 0, 0);
        exchange(bench, "00C0000000");
        assert_int_equal(terminal.response_length, left + 2);
        exchange(bench, "00A40000 02 6000 01");
        expect(bench, "00B0000010", 0x9000, 0, 16);
        expect(bench, "00C0000000", 0x6985, 0, 0);
    }
}

/* With extended fields as long a response as there is room for, else in parts. */
static void in_parts_of_256(void **state)
{
    struct bench *bench = *state;

    make_file(bench);
    start_line(254);
    expect(bench, "00B00000 000190", 0x9000, 0, 400);
    expect(bench, "00B0000000", 0x9000, 0, 256);
    exchange(bench, "00B10000 000004 54020000 0000"); /* 53820190, 400 bytes */
    assert_int_equal(terminal.response_length, 4 + 400 + 2);
    exchange(bench, "00B10000 04 54020000 20"); /* what Ne has room for is all there is */
    assert_int_equal(terminal.response_length, 32 + 2);
    assert_memory_equal(terminal.response, "\x53\x1E\x01\x02", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(what_le_has_no_room_for),
        CARD_TEST(in_parts_of_256),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
