/* SPDX-License-Identifier: Apache-2.0
 *
 * The virtual reader's framing: every length, every control code, every cut.
 */
#include "twincard/framing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void frames_are_what_their_bytes_say(void **state)
{
    static const struct {
        const char *what;
        uint8_t bytes[12];
        size_t length;
        struct frame expected;
    } rows[] = {
        {"nothing", {0}, 0, {FRAME_INCOMPLETE, 0, 0}},
        {"half a length", {0x00}, 1, {FRAME_INCOMPLETE, 0, 0}},
        {"half a large length", {0xFF}, 1, {FRAME_INCOMPLETE, 0, 0}},
        {"length 0", {0x00, 0x00}, 2, {FRAME_IGNORED, 2, 0}},
        {"length 0, then more", {0x00, 0x00, 0x00, 0x01, 0x01}, 5, {FRAME_IGNORED, 2, 0}},
        {"control without its byte", {0x00, 0x01}, 2, {FRAME_INCOMPLETE, 0, 0}},
        {"power off", {0x00, 0x01, 0x00}, 3, {FRAME_POWER_OFF, 3, 1}},
        {"power on", {0x00, 0x01, 0x01}, 3, {FRAME_POWER_ON, 3, 1}},
        {"reset", {0x00, 0x01, 0x02}, 3, {FRAME_RESET, 3, 1}},
        {"ATR", {0x00, 0x01, 0x04}, 3, {FRAME_ATR, 3, 1}},
        {"ATR, then more", {0x00, 0x01, 0x04, 0x00}, 4, {FRAME_ATR, 3, 1}},
        {"APDU of two bytes", {0x00, 0x02, 0x00, 0xA4}, 4, {FRAME_COMMAND, 4, 2}},
        {"APDU of three bytes", {0x00, 0x03, 0x04, 0x04, 0x04}, 5, {FRAME_COMMAND, 5, 3}},
        {"case 1", {0x00, 0x04, 0x00, 0x20, 0x00, 0x81}, 6, {FRAME_COMMAND, 6, 4}},
        {"APDU, last byte missing", {0x00, 0x04, 0x00, 0x20, 0x00}, 5, {FRAME_INCOMPLETE, 0, 0}},
        {"APDU, all bytes missing", {0x00, 0x04}, 2, {FRAME_INCOMPLETE, 0, 0}},
        {"APDU, then half a header",
         {0x00, 0x04, 0x00, 0x20, 0x00, 0x81, 0x00},
         7,
         {FRAME_COMMAND, 6, 4}},
        {"high byte of the length", {0x01, 0x00, 0x00}, 3, {FRAME_INCOMPLETE, 0, 0}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct frame frame = frame_parse(rows[i].bytes, rows[i].length);
        if (frame.kind != rows[i].expected.kind || frame.size != rows[i].expected.size ||
            frame.body != rows[i].expected.body) {
            fail_msg("%s: kind %d, size %zu, body %zu", rows[i].what, frame.kind, frame.size,
                     frame.body);
        }
    }
}

static void only_four_control_codes_mean_something(void **state)
{
    (void)state;
    for (unsigned code = 0; code < 256; code++) {
        const uint8_t bytes[] = {0x00, 0x01, (uint8_t)code};
        struct frame frame = frame_parse(bytes, sizeof bytes);
        enum frame_kind expected = code == 0   ? FRAME_POWER_OFF
                                   : code == 1 ? FRAME_POWER_ON
                                   : code == 2 ? FRAME_RESET
                                   : code == 4 ? FRAME_ATR
                                               : FRAME_IGNORED;
        assert_int_equal(frame.kind, expected);
        assert_int_equal(frame.size, 3);
    }
}

/* Every length that the two bytes can say is accepted exactly when the last byte is there. */
static void every_length_is_complete_with_its_last_byte(void **state)
{
    static uint8_t bytes[FRAME_MAX];
    (void)state;
    for (size_t body = 2; body <= FRAME_BODY_MAX; body++) {
        frame_header(bytes, body);
        assert_int_equal(frame_parse(bytes, FRAME_HEADER + body - 1).kind, FRAME_INCOMPLETE);
        struct frame frame = frame_parse(bytes, FRAME_HEADER + body);
        assert_int_equal(frame.kind, FRAME_COMMAND);
        assert_int_equal(frame.size, FRAME_HEADER + body);
        assert_int_equal(frame.body, body);
    }
}

static void a_header_is_big_endian(void **state)
{
    uint8_t header[FRAME_HEADER];
    (void)state;
    frame_header(header, 2);
    assert_memory_equal(header, "\x00\x02", 2);
    frame_header(header, 0x0102);
    assert_memory_equal(header, "\x01\x02", 2);
    frame_header(header, 65535);
    assert_memory_equal(header, "\xFF\xFF", 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_what_their_bytes_say),
        cmocka_unit_test(only_four_control_codes_mean_something),
        cmocka_unit_test(every_length_is_complete_with_its_last_byte),
        cmocka_unit_test(a_header_is_big_endian),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
