/* SPDX-License-Identifier: Apache-2.0
 *
 * Extended length fields on a card whose port takes long APDUs (ISO/IEC 7816-3:2006, 12.1.3): one
 * command writes and one response brings a whole file; and what the card says about it.
 */
#include "app_domain/domain.h"
#include "card_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { LONG = 30000, APDU_MAX = 65544 };

static struct bench bench;
static uint8_t response_buffer[65535], chain_buffer[65535], apdu[APDU_MAX], answer[65538];
static size_t answered;

/* A card with these buffers, on. */
static void start(uint32_t command_size, uint16_t response_size, uint16_t chain_size)
{
    bench_power_off(&bench);
    bench.app_config.command_size = command_size;
    bench.app_config.response = response_buffer;
    bench.app_config.response_size = response_size;
    bench.app_config.chain = chain_buffer;
    bench.app_config.chain_size = chain_size;
    assert_true(bench_power_on(&bench));
}

static int make(void **state)
{
    (void)state;
    bench_make(&bench, &bench_host);
    bench_session(&bench, 0x33);
    bench_expect_sm(&bench, BENCH_APPLICATION, 0x9000, NULL);
    assert_int_equal(bench_create(&bench, true, "820101 83026000 80027530 8C03030000"), 0x9000);
    start(APDU_MAX, 65535, 65535);
    return 0;
}

static int destroy(void **state)
{
    (void)state;
    bench_free(&bench);
    return 0;
}

/* Sends apdu[]; the response is in answer[]. */
static uint16_t send(size_t length, size_t capacity)
{
    answered = cos_app_command(&bench.app, apdu, length, answer, capacity) - 2;
    cos_app_settle(&bench.app);
    return cos_get16(answer + answered);
}

static uint16_t send_hex(const char *hex)
{
    return send(bench_bytes(hex, apdu, sizeof apdu), sizeof answer);
}

static uint8_t pattern(size_t at)
{
    return (uint8_t)(at * 7 + at / 251);
}

/* UPDATE BINARY, case 3E, from the beginning. */
static size_t write_update(uint8_t class_, size_t from, size_t length)
{
    const uint8_t head[] = {class_,         0xD6, (uint8_t)0, (uint8_t)0, 0, (uint8_t)(length >> 8),
                            (uint8_t)length};

    memcpy(apdu, head, sizeof head);
    for (size_t i = 0; i < length; i++) {
        apdu[sizeof head + i] = pattern(from + i);
    }
    return sizeof head + length;
}

static void assert_read(size_t length)
{
    assert_int_equal(answered, length);
    for (size_t i = 0; i < length; i++) {
        if (answer[i] != pattern(i)) {
            fail_msg("byte %zu", i);
        }
    }
}

/* As much as one transaction takes. */
static void a_file_in_one_command(void **state)
{
    (void)state;
    start(APDU_MAX, 65535, 65535);
    assert_int_equal(send_hex(BENCH_APPLICATION), 0x9000);
    assert_int_equal(send_hex("00A4000C 02 6000"), 0x9000);
    for (size_t at = 0; at < LONG; at += 2000) {
        const size_t length = write_update(0x00, at, 2000);
        apdu[2] = (uint8_t)(at >> 8);
        apdu[3] = (uint8_t)at;
        assert_int_equal(send(length, sizeof answer), 0x9000);
    }
    static const struct {
        const char *apdu;
        size_t length;
        uint16_t sw;
    } rows[] = {
        {"00B00000 000000", LONG, 0x9000}, {"00B00000 007530", LONG, 0x9000},
        {"00B00000 007531", LONG, 0x6282}, {"00B00000 00FFFF", LONG, 0x6282},
        {"00B00000 000100", 256, 0x9000},  {"00B00000 000101", 257, 0x9000},
        {"00B00000 000001", 1, 0x9000},    {"00B00000 00", 256, 0x9000},
        {"00B00000 01", 1, 0x9000},
    };
    for (size_t i = 0; i < CARD_COUNT(rows); i++) {
        const uint16_t sw = send_hex(rows[i].apdu);
        if (sw != rows[i].sw) {
            fail_msg("%s: %04X", rows[i].apdu, sw);
        }
        assert_read(rows[i].length);
    }
    /* A transport that takes less at a time fetches the rest. */
    const size_t length = bench_bytes("00B00000 000000", apdu, sizeof apdu);
    assert_int_equal(send(length, 1002), 0x6100);
    assert_read(1000);
    assert_int_equal(send_hex("00C00000 000000"), 0x9000);
    assert_int_equal(answered, LONG - 1000);
    assert_int_equal(answer[0], pattern(1000));
}

/* Long parts make a long command. */
static void a_chain_of_long_parts(void **state)
{
    (void)state;
    start(APDU_MAX, 65535, 65535);
    assert_int_equal(send_hex(BENCH_APPLICATION), 0x9000);
    assert_int_equal(send_hex("00A4000C 02 6000"), 0x9000);
    assert_int_equal(send(write_update(0x10, 0, 1200), sizeof answer), 0x9000);
    assert_int_equal(send(write_update(0x10, 1200, 300), sizeof answer), 0x9000);
    assert_int_equal(send(write_update(0x00, 1500, 1000), sizeof answer), 0x9000);
    assert_int_equal(send_hex("00B00000 0009C4"), 0x9000);
    assert_read(2500);
}

/* More than fits: the file, a transaction, the buffer; nothing is written. */
static void longer_than_can_be(void **state)
{
    static const size_t lengths[] = {LONG, LONG + 1, 65535};
    static const uint16_t words[] = {0x6A84, 0x6A84, 0x6A84};
    struct card_image image;

    (void)state;
    start(APDU_MAX, 65535, 65535);
    assert_int_equal(send_hex(BENCH_APPLICATION), 0x9000);
    assert_int_equal(send_hex("00A4000C 02 6000"), 0x9000);
    for (size_t i = 0; i < CARD_COUNT(lengths); i++) {
        card_image_take(&bench, &image);
        assert_int_equal(send(write_update(0x00, 0, lengths[i]), sizeof answer), words[i]);
        assert_true(card_image_same(&bench, &image));
        card_image_take(&bench, &image);
        assert_int_equal(send(write_update(0x10, 0, lengths[i]), sizeof answer), 0x9000);
        assert_int_equal(send(write_update(0x10, 0, 65535), sizeof answer), 0x6700);
        assert_true(card_image_same(&bench, &image));
        assert_false(bench.app.chain.open);
    }
}

/* Every command of the table with the longest data field and the longest Le: none mutes the card.
 */
static void any_command_as_long_as_can_be(void **state)
{
    static const size_t lengths[] = {256, 600, 1000, 32768, 65535};

    (void)state;
    start(APDU_MAX, 65535, 65535);
    assert_int_equal(send_hex(BENCH_APPLICATION), 0x9000);
    assert_int_equal(send_hex("00A4000C 02 6000"), 0x9000);
    for (unsigned ins = 0; ins < 256; ins++) {
        for (size_t i = 0; i < CARD_COUNT(lengths); i++) {
            for (unsigned class_ = 0x00; class_ <= 0x0C; class_ += 0x04) {
                size_t length = write_update((uint8_t)class_, 0, lengths[i]);
                apdu[1] = (uint8_t)ins;
                apdu[length++] = 0x00; /* Le: all */
                apdu[length++] = 0x00;
                const uint16_t sw = send(length, sizeof answer);
                if (sw == 0x6F00 || bench.app.mute) {
                    fail_msg("%02X %02X, %zu bytes: %04X", class_, ins, lengths[i], sw);
                }
            }
        }
    }
}

/* 7F66, capabilities in EF.ATR/INFO and in the ATR. */
static void the_card_says_what_it_takes(void **state)
{
    /* Assigned by the card or by the reader, and how many: 1B of four, 1F of eight or more. */
    enum { channels = COS_CHANNELS == 1 ? 0 : COS_CHANNELS < 8 ? 0x18 + COS_CHANNELS - 1 : 0x1F };
    static const struct {
        uint32_t command;
        uint16_t response;
        const char *lengths;
        uint8_t capabilities;
    } rows[] = {
        {0, 600, "7F6608 02020105 02020102", 0x80 | channels},
        {261, 600, "7F6608 02020105 02020102", 0x80 | channels},
        {262, 600, "7F6608 02020106 0202025A", 0xC0 | channels},
        {65535, 65533, "7F6608 0202FFFF 0202FFFF", 0xC0 | channels},
        {APDU_MAX, 65535, "7F6608 0202FFFF 0202FFFF", 0xC0 | channels},
    };

    (void)state;
    for (size_t i = 0; i < CARD_COUNT(rows); i++) {
        uint8_t atr[COS_ATR_MAX], info[32];
        struct cos_writer writer = cos_writer(info, sizeof info);
        start(rows[i].command, rows[i].response, 65535);
        bench_expect(&bench, "00CA7F6600", 0x9000, rows[i].lengths);
        cos_app_write_atr_info(&bench.app, &writer);
        assert_int_equal(info[7], 0x20 | rows[i].capabilities);
        bench.app_config.atr_at = bench.app_config.store.start; /* no ATR record: the default */
        const size_t length = cos_app_atr(&bench.app_board, &bench.app_config, atr, sizeof atr);
        assert_int_equal(length, 14);
        assert_int_equal(atr[12], rows[i].capabilities);
        uint8_t check = 0;
        for (size_t j = 1; j < length; j++) {
            check ^= atr[j];
        }
        assert_int_equal(check, 0);
    }
}

/* As it says: where it does not announce them, extended length fields are wrong, whatever their
 * value is. */
static void what_is_not_announced_is_refused(void **state)
{
    static const char *const extended[] = {
        "00B08100 000001",
        "00B08100 000000",
        "00D68100 000001 00",
        "00D68100 000001 00 0001",
        "00A4040C 000009 F05457494E434F5301",
        "00FF0000 000001",
        "01B00000 000001",
        "00C00000 000001",
        "10D68100 000001 00",
    };
    static const uint32_t sizes[] = {0, 261, 262};
    struct card_image image;

    (void)state;
    for (size_t i = 0; i < CARD_COUNT(sizes); i++) {
        start(sizes[i], 600, 65535);
        assert_int_equal(send_hex(BENCH_APPLICATION), 0x9000);
        card_image_take(&bench, &image);
        for (size_t j = 0; j < CARD_COUNT(extended) && sizes[i] <= 261; j++) {
            if (send_hex(extended[j]) != 0x6700) {
                fail_msg("%s: %04X", extended[j], cos_get16(answer + answered));
            }
            assert_int_equal(answered, 0);
        }
        assert_true(card_image_same(&bench, &image));
        assert_int_equal(send_hex("00B08300 000001"), sizes[i] > 261 ? 0x9000 : 0x6700);
        assert_int_equal(send_hex("00B08300 01"), 0x9000);
        assert_int_equal(answered, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_in_one_command),
        cmocka_unit_test(a_chain_of_long_parts),
        cmocka_unit_test(longer_than_can_be),
        cmocka_unit_test(any_command_as_long_as_can_be),
        cmocka_unit_test(the_card_says_what_it_takes),
        cmocka_unit_test(what_is_not_announced_is_refused),
    };

    return cmocka_run_group_tests(tests, make, destroy);
}
