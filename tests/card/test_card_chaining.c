/* SPDX-License-Identifier: Apache-2.0
 *
 * Command chaining on the whole card (ISO/IEC 7816-4:2013, 5.3.3): in the clear, and inside both
 * kinds of secure messaging, where every part is protected by itself.
 */
#include "app_domain/domain.h"
#include "iso_card.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SELECT_FILE "00A4000C 02 6000"

enum { FILE_SIZE = 700 };

static uint8_t pattern[BENCH_CHAIN];

/* EF 6000 in the application: open to read and to write. */
static void make_file(struct bench *bench)
{
    for (size_t i = 0; i < sizeof pattern; i++) {
        pattern[i] = (uint8_t)(i * 11 + i / 256 + 1);
    }
    bench_session(bench, 0x33);
    bench_expect_sm(bench, BENCH_APPLICATION, 0x9000, NULL);
    assert_int_equal(bench_create(bench, true, "820101 83026000 800202BC 8C03030000"), 0x9000);
    bench_expect(bench, BENCH_APPLICATION, 0x9000, NULL);
    bench_expect(bench, SELECT_FILE, 0x9000, NULL);
}

/* One command, or one part of it: in the clear, in the SCP03 session (SCP03), or in *sm. */
#define SCP03 ((struct iso_sm *)1)

static uint16_t send(struct bench *bench, struct iso_sm *sm, const struct command *command)
{
    uint8_t apdu[BENCH_APDU_MAX] = {command->cla, command->ins, command->p1, command->p2,
                                    (uint8_t)command->nc};

    if (sm == SCP03) {
        return bench_sm(bench, command->cla, command->ins, command->p1, command->p2, command->data,
                        command->nc);
    }
    if (sm != NULL) {
        return iso_send_command(bench, sm, command);
    }
    if (command->nc != 0) {
        memcpy(apdu + 5, command->data, command->nc);
    }
    return bench_apdu(bench, apdu, 5 + command->nc);
}

/* A command in parts of up to `part` bytes. Returns the status word of the last one, or the first
 * that is not 9000. */
static uint16_t send_parts(struct bench *bench, struct iso_sm *sm, struct command command,
                           size_t part)
{
    const uint8_t class_ = command.cla;
    const uint8_t *data = command.data;
    size_t left = command.nc;
    uint16_t sw;

    do {
        command.cla = left > part ? class_ | 0x10 : class_;
        command.data = data;
        command.nc = left > part ? part : left;
        sw = send(bench, sm, &command);
        if (left > part && (sw != 0x9000 || bench->length != 0)) {
            return sw;
        }
        data += command.nc;
        left -= command.nc;
    } while (left > 0);
    return sw;
}

static void assert_content(struct bench *bench, size_t length, size_t from)
{
    for (size_t at = 0; at < length; at += 200) {
        const size_t run = length - at < 200 ? length - at : 200;
        const uint8_t apdu[] = {0x00, 0xB0, (uint8_t)(at >> 8), (uint8_t)at, (uint8_t)run};
        assert_int_equal(bench_apdu(bench, apdu, sizeof apdu), 0x9000);
        assert_memory_equal(bench->data, pattern + from + at, run);
    }
}

/* ---- In the clear ---- */

static void a_command_in_parts(void **state)
{
    static const size_t parts[] = {1, 2, 100, 127, 255};
    struct bench *bench = *state;

    make_file(bench);
    for (size_t i = 0; i < CARD_COUNT(parts); i++) {
        const size_t length = parts[i] < 3 ? 40 : 600;
        const struct command update = {0x00, 0xD6, 0x00, 0x00, pattern + i, length, 0};
        assert_int_equal(send_parts(bench, NULL, update, parts[i]), 0x9000);
        assert_content(bench, length, i);
        assert_false(
            bench_contains(bench->chain_buffer, sizeof bench->chain_buffer, pattern + i, 16));
    }
}

/* Nothing is done before the last part. */
static void parts_change_nothing(void **state)
{
    struct bench *bench = *state;
    struct card_image image;

    make_file(bench);
    const struct command part = {0x10, 0xD6, 0x00, 0x00, pattern, 200, 0};
    card_image_take(bench, &image);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(send(bench, NULL, &part), 0x9000);
        assert_int_equal(bench->length, 0);
    }
    assert_true(card_image_same(bench, &image));
    const struct command last = {0x00, 0xD6, 0x00, 0x00, pattern, 1, 0};
    assert_int_equal(send(bench, NULL, &last), 0x9000);
    assert_content(bench, 200, 0);
}

/* What comes between is executed as ever, and the chain is forgotten: what should have been its
 * last part is a command of its own. */
static void what_comes_between_drops_it(void **state)
{
    static const struct {
        const char *apdu;
        uint16_t sw;
    } between[] = {
        {"00B0000001", 0x9000},     {"0084000008", 0x9000},
        {"00200081", 0x63C3},       {"00D6000401 FF", 0x9000},
        {"00C0000000", 0x6985},     {"00FF0000", 0x6D00},
        {"00600000", 0x6D00},       {"20B0000001", 0x6E00},
        {"01B0000001", 0x6881},     {"00B00000 01 00", 0x6700},
        {"10B0000001", 0x6700},     {"10FF0000 01 00", 0x6D00},
        {"10D60000", 0x6700},       {"0CB00000 0A 8E080102030405060708", 0x6982},
        {"10C00000 01 00", 0x6D00}, {"80CA9F7F00", 0x9000},
    };
    struct bench *bench = *state;

    make_file(bench);
    for (size_t i = 0; i < CARD_COUNT(between); i++) {
        assert_int_equal(bench_hex(bench, "00D60000 08 0000000000000000"), 0x9000);
        assert_int_equal(bench_hex(bench, "10D60000 04 A1A2A3A4"), 0x9000);
        if (bench_hex(bench, between[i].apdu) != between[i].sw) {
            fail_msg("%s: %04X", between[i].apdu, bench->sw);
        }
        assert_false(bench_contains(bench->chain_buffer, BENCH_CHAIN, "\xA1\xA2\xA3\xA4", 4));
        assert_int_equal(bench_hex(bench, "00D60000 02 B1B2"), 0x9000);
        bench_expect(bench, "00B0000004", 0x9000, "B1B20000");
    }
}

/* So does what the transport answers; it ends a session, too. */
static void what_the_transport_refuses_drops_it(void **state)
{
    struct bench *bench = *state;

    make_file(bench);
    assert_int_equal(bench_hex(bench, "00D60000 08 0000000000000000"), 0x9000);
    assert_int_equal(bench_hex(bench, "10D60000 04 A1A2A3A4"), 0x9000);
    cos_app_refused(&bench->app);
    assert_false(bench_contains(bench->chain_buffer, BENCH_CHAIN, "\xA1\xA2\xA3\xA4", 4));
    assert_int_equal(bench_hex(bench, "00D60000 02 B1B2"), 0x9000);
    bench_expect(bench, "00B0000004", 0x9000, "B1B20000");
    bench_session(bench, 0x01);
    assert_int_equal(bench_sm_hex(bench, "80CA00E0"), 0x9000);
    cos_app_refused(&bench->app);
    assert_int_equal(bench_sm_hex(bench, "80CA00E0"), 0x6982);
}

static void refusals(void **state)
{
    static const struct card_row rows[] = {
        {"unknown instruction", "10FF0000 01 00", 0x6D00, NULL, 0},
        {"P1-P2", "10A4FF00 01 00", 0x6A86, NULL, 0},
        {"no data", "10D60000", 0x6700, NULL, 0},
        {"Le and no data", "10D6000000", 0x6700, NULL, 0},
        {"a command without data", "10B00000 01 00", 0x6700, NULL, 0},
        {"one that needs secure messaging", "10FE0000 01 00", 0x6982, NULL, 0},
        {"channel 1", "11D60000 01 00", 0x6881, NULL, 0},
        {"channel 4", "50D60000 01 00", 0x6881, NULL, 0},
        {"proprietary class", "90E20000 01 00", 0x6E00, NULL, 0},
        {"secure messaging without header", "18D60000 01 00", 0x6882, NULL, 0},
        {"secure messaging, no session", "1CD60000 01 00", 0x6982, NULL, 0},
        {"the same, GlobalPlatform's", "14D60000 01 00", 0x6982, NULL, 0},
        {"GET RESPONSE", "10C00000 01 00", 0x6D00, NULL, 0},
        {"a part", "10D60000 01 00", 0x9000, NULL, CARD_KEEPS},
        {"Le of a part is nothing's", "10D60000 01 00 00", 0x9000, NULL, CARD_KEEPS},
    };
    struct bench *bench = *state;

    make_file(bench);
    bench_expect(bench, SELECT_FILE, 0x9000, NULL);
    BENCH_ROWS(bench, rows);
}

static void the_buffer_is_the_limit(void **state)
{
    struct bench *bench = *state;
    struct card_image image;

    make_file(bench);
    const struct command longer = {0x00, 0xD6, 0x00, 0x00, pattern, FILE_SIZE, 0};
    assert_int_equal(send_parts(bench, NULL, longer, 255), 0x9000);
    assert_content(bench, FILE_SIZE, 0);
    const struct command outside = {0x00, 0xD6, 0x00, 0x00, pattern, BENCH_CHAIN, 0};
    card_image_take(bench, &image);
    assert_int_equal(send_parts(bench, NULL, outside, 255), 0x6A84); /* not of the chain */
    assert_true(card_image_same(bench, &image));
    bench->app.chain.capacity = 500;
    card_image_take(bench, &image);
    assert_int_equal(send_parts(bench, NULL, longer, 250), 0x6700);
    assert_true(card_image_same(bench, &image));
    assert_false(bench->app.chain.open);
}

/* A card without a buffer: 6884, and it says so. */
static void without_a_buffer(void **state)
{
    struct bench *bench = *state;
    uint8_t atr[COS_ATR_MAX], with[COS_ATR_MAX], check = 0;

    bench_free(bench);
    bench_init(bench, &bench_small);
    const size_t length = cos_app_atr(&bench->app_board, &bench->app_config, with, sizeof with);
    bench->app_config.chain = NULL;
    bench->app_config.chain_size = 0;
    assert_int_equal(cos_app_atr(&bench->app_board, &bench->app_config, atr, sizeof atr), length);
    assert_int_equal(with[12] ^ atr[12], 0x80);
    assert_int_equal(with[12] & 0x80, 0x80);
    for (size_t i = 1; i < length; i++) {
        check ^= with[i];
    }
    assert_int_equal(check, 0);
    assert_true(bench_power_on(bench) && bench_produce_to(bench, COS_LIFE_OPERATIONAL));
    bench_expect(bench, "10D60000 01 00", 0x6884, NULL);
    bench_expect(bench, "10FF0000 01 00", 0x6884, NULL);
    bench_expect(bench, "1CA4000C0A 8E080102030405060708", 0x6884, NULL);
    for (unsigned chains = 0; chains < 2; chains++) {
        uint8_t info[32];
        struct cos_writer writer = cos_writer(info, sizeof info);
        bench->app.config.chain = chains != 0 ? bench->chain_buffer : NULL;
        cos_app_write_atr_info(&bench->app, &writer);
        assert_false(writer.failed);
        assert_memory_equal(info + 3, "\x47\x03\xF7\xC1", 4);
        assert_int_equal(info[7] & 0xE0, chains != 0 ? 0xE0 : 0x60);
    }
}

/* Every command of the table, in chains of many lengths: none mutes the card. */
static void any_command_of_any_length(void **state)
{
    static const size_t lengths[] = {256, 300, 512, 536, 537, 588, 589, 592, 600, BENCH_CHAIN};
    struct bench *bench = *state;

    make_file(bench);
    for (unsigned ins = 0; ins < 256; ins++) {
        for (unsigned p1 = 0; p1 < 256 && cos_app_find_command(false, (uint8_t)ins) != NULL;
             p1 += p1 == 0 ? 1 : 63) {
            for (size_t i = 0; i < CARD_COUNT(lengths); i++) {
                const struct command command = {
                    0x00, (uint8_t)ins, (uint8_t)p1, 0x81, pattern, lengths[i], 0};
                const uint16_t sw = send_parts(bench, NULL, command, 255);
                if (sw == 0x6F00 || bench->app.mute) {
                    fail_msg("%02X %02X, %zu bytes: %04X", ins, p1, lengths[i], sw);
                }
            }
        }
    }
}

/* ---- Under secure messaging ---- */

static void parts_under_iso(void **state)
{
    struct bench *bench = *state;

    make_file(bench);
    for (enum iso_key key = ISO_DES3; key < ISO_KEYS; key++) {
        struct iso_sm sm;
        iso_open(bench, key, &sm);
        iso_expect(bench, &sm, SELECT_FILE, 0x9000, NULL);
        const struct command update = {0x00, 0xD6, 0x00, 0x00, pattern + key, 560, 0};
        assert_int_equal(send_parts(bench, &sm, update, 200), 0x9000);
        assert_false(sm.plain);
        uint8_t data[300] = {0x54, 0x01, 0x00, 0x53, 0x81, 0xFA};
        memcpy(data + 6, pattern + key + 20, 250);
        const struct command search = {0x00, 0xA1, 0x00, 0x00, data, 256, 256};
        assert_int_equal(send_parts(bench, &sm, search, 100), 0x9000);
        assert_int_equal(bench->length, 4);
        assert_int_equal(cos_get16(bench->data + 2), 20);
        bench_expect(bench, BENCH_APPLICATION, 0x9000, NULL);
        bench_expect(bench, SELECT_FILE, 0x9000, NULL);
        assert_content(bench, 560, key);
    }
}

static void parts_under_scp03(void **state)
{
    static const uint8_t levels[] = {0x01, 0x03, 0x11, 0x13, 0x33};
    struct bench *bench = *state;

    make_file(bench);
    for (size_t i = 0; i < CARD_COUNT(levels); i++) {
        bench_session(bench, levels[i]);
        bench_expect_sm(bench, BENCH_APPLICATION, 0x9000, NULL);
        bench_expect_sm(bench, SELECT_FILE, 0x9000, NULL);
        const struct command update = {0x00, 0xD6, 0x00, 0x00, pattern + i, 590, 0};
        assert_int_equal(send_parts(bench, SCP03, update, 220), 0x9000);
        bench_expect(bench, BENCH_APPLICATION, 0x9000, NULL);
        bench_expect(bench, SELECT_FILE, 0x9000, NULL);
        assert_content(bench, 590, i);
    }
}

/* A PIN in parts: it counts once, and only the security chip ever has it. */
static void reference_data_in_parts(void **state)
{
    static const char change[] = "123456654321";
    struct bench *bench = *state;

    for (size_t part = 1; part < 12; part += 2) {
        const bool back = part / 2 % 2 != 0;
        struct command command = {0x00, 0x24, 0x00, 0x81, (const uint8_t *)change, 12, 0};
        uint8_t swapped[12];
        memcpy(swapped, change + 6, 6);
        memcpy(swapped + 6, change, 6);
        command.data = back ? swapped : command.data;
        bench_session(bench, 0x33);
        bench_expect_sm(bench, BENCH_APPLICATION, 0x9000, NULL);
        assert_int_equal(send_parts(bench, SCP03, command, part), 0x9000);
        assert_false(bench_contains((const uint8_t *)&bench->app, sizeof bench->app, "123456", 6));
        assert_false(bench_contains((const uint8_t *)&bench->app, sizeof bench->app, "654321", 6));
        assert_false(
            bench_contains((const uint8_t *)&bench->secure, sizeof bench->secure, "654321", 6));
        const struct command verify = {0x00, 0x20, 0x00, 0x81, command.data + 6, 6, 0};
        assert_int_equal(send_parts(bench, SCP03, verify, part), 0x9000);
        const struct command wrong = {0x00, 0x20, 0x00, 0x81, command.data, 6, 0};
        assert_int_equal(send_parts(bench, SCP03, wrong, part), 0x63C2);
        assert_int_equal(send_parts(bench, SCP03, verify, part), 0x9000);
    }
}

/* Parts are neither compared nor counted before the last one, and what drops the chain drops them.
 */
static void a_part_of_a_pin_does_nothing(void **state)
{
    static const uint8_t wrong[] = "999";
    struct bench *bench = *state;
    struct card_image image;

    for (unsigned i = 0; i < 4; i++) {
        bench_session(bench, 0x33);
        bench_expect_sm(bench, BENCH_APPLICATION, 0x9000, NULL);
        if (i != 3) { /* a new session counts */
            card_image_take(bench, &image);
        }
        assert_int_equal(bench_sm(bench, 0x10, 0x20, 0x00, 0x81, wrong, 3), 0x9000);
        assert_int_equal(bench_sm(bench, 0x10, 0x20, 0x00, 0x81, wrong, 3), 0x9000);
        assert_true(
            bench_contains(bench->secure.held.data, sizeof bench->secure.held.data, "999999", 6));
        switch (i) {
        case 0: /* another command of the session */
            assert_int_equal(bench_sm_hex(bench, "00840000"), 0x9000);
            assert_int_equal(bench_sm(bench, 0x00, 0x20, 0x00, 0x81, wrong, 1), 0x6700);
            break;
        case 1: /* one in the clear */
            bench_expect(bench, "00200081", 0x63C3, NULL);
            break;
        case 2: /* a session that ends */
            bench_expect(bench, "0420008110 00000000000000000000000000000000", 0x6988, NULL);
            break;
        default: /* another session */
            bench_session(bench, 0x33);
            bench_expect_sm(bench, BENCH_APPLICATION, 0x9000, NULL);
            break;
        }
        if (i != 3) {
            assert_true(card_image_same(bench, &image));
        }
        assert_false(
            bench_contains(bench->secure.held.data, sizeof bench->secure.held.data, "999", 3));
        bench_expect(bench, "00200081", 0x63C3, NULL);
    }
}

/* An app chip that calls in the middle of a chain gets nothing done. */
static void calls_between_parts_are_refused(void **state)
{
    static const struct {
        uint8_t opcode, length, message[6];
    } calls[] = {
        {COS_GATE_PIN, 4, {COS_PIN_VERIFY, 0, 0x81, 1}},
        {COS_GATE_PIN, 4, {COS_PIN_QUERY, 0, 0x81, 0}},
        {COS_GATE_CONTEXT, 2, {COS_CONTEXT_BIND, 0}},
        {COS_GATE_KEY, 2, {COS_KEY_STORE, 0}},
        {COS_GATE_ACCESS, 3, {0, 0x90, 0x00}},
        {COS_GATE_CHALLENGE, 2, {0, 8}},
    };
    struct bench *bench = *state;

    for (size_t i = 0; i < CARD_COUNT(calls); i++) {
        const struct command part = {0x10, 0x20, 0x00, 0x81, (const uint8_t *)"123", 3, 256};
        uint8_t message[1 + BYTES_MAX] = {0};
        struct bytes apdu = {0};
        struct cos_span span = {message, 0}, body;

        bench_session(bench, 0x33);
        bench_expect_sm(bench, BENCH_APPLICATION, 0x9000, NULL);
        assert_true(scp03_wrap(&bench->scp03, &part, &apdu));
        memcpy(message + 1, apdu.data, apdu.length);
        span.length = 1 + apdu.length;
        assert_int_equal(cos_gate_call(&bench->app.gate, COS_GATE_SM_OPEN, &span, 1, &body),
                         COS_OK);
        assert_int_equal(body.data[0], 1); /* held */
        assert_int_equal(body.length, 12);
        span = (struct cos_span){calls[i].message, calls[i].length};
        assert_int_equal(
            cos_gate_call(&bench->app.gate, (enum cos_gate_call)calls[i].opcode, &span, 1, &body),
            COS_E_CONDITIONS);
        /* A refusal of the app chip's ends the chain. */
        span = (struct cos_span){(const uint8_t *)"\x00\x69\x85", 3};
        assert_int_equal(cos_gate_call(&bench->app.gate, COS_GATE_SM_SEAL, &span, 1, &body),
                         COS_OK);
        assert_int_equal(cos_get16(body.data), 0x6985);
        assert_false(
            bench_contains(bench->secure.held.data, sizeof bench->secure.held.data, "123", 3));
    }
}

/* More than the security chip can hold: 6700, and the session is over. */
static void longer_than_the_security_chip_holds(void **state)
{
    struct bench *bench = *state;

    make_file(bench);
    bench_session(bench, 0x33);
    bench_expect_sm(bench, BENCH_APPLICATION, 0x9000, NULL);
    bench_expect_sm(bench, SELECT_FILE, 0x9000, NULL);
    const struct command most = {0x00, 0xD6, 0x00, 0x00, pattern, COS_SM_CHAIN_MAX, 0};
    assert_int_equal(send_parts(bench, SCP03, most, 223), 0x9000);
    const struct command more = {0x00, 0xD6, 0x00, 0x00, pattern, COS_SM_CHAIN_MAX + 1, 0};
    assert_int_equal(send_parts(bench, SCP03, more, 223), 0x6700);
    assert_int_equal(bench_sm(bench, 0x00, 0xB0, 0x00, 0x00, NULL, 0), 0x6982);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(a_command_in_parts),
        CARD_TEST(parts_change_nothing),
        CARD_TEST(what_comes_between_drops_it),
        CARD_TEST(what_the_transport_refuses_drops_it),
        CARD_TEST(refusals),
        CARD_TEST(the_buffer_is_the_limit),
        CARD_TEST(without_a_buffer),
        CARD_TEST(any_command_of_any_length),
        ISO_TEST(parts_under_iso),
        CARD_TEST(parts_under_scp03),
        CARD_TEST(reference_data_in_parts),
        CARD_TEST(a_part_of_a_pin_does_nothing),
        CARD_TEST(calls_between_parts_are_refused),
        CARD_TEST(longer_than_the_security_chip_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
