/* SPDX-License-Identifier: Apache-2.0
 *
 * Response APDUs: one piece or several, 61XX, and that nothing sent or dropped stays in memory.
 */
#include "cos/apdu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum {
    BODY_MAX = 600,
    OUT_MAX = 65536 + 2,
};

static uint8_t value_at(size_t at)
{
    return (uint8_t)(at % 251 + 1); /* never 0, so that what is wiped can be told */
}

static void start(struct cos_response *response, uint8_t *buffer, size_t length)
{
    cos_response_start(response, buffer, BODY_MAX);
    for (size_t i = 0; i < length; i++) {
        cos_write8(&response->body, value_at(i));
    }
    response->sw = 0x9000;
}

static void check_wiped_up_to(const uint8_t *buffer, size_t sent, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        assert_int_equal(buffer[i], i < sent ? 0 : value_at(i));
    }
}

/* Fetches a body of `length` bytes with the same Ne again and again, as a terminal does, with room
 * for `room` bytes of data in each response APDU. */
static void fetch_all(size_t length, uint32_t ne, size_t room)
{
    const size_t piece_max = (ne == 0 ? 256 : ne) < room ? (ne == 0 ? 256 : ne) : room;
    uint8_t buffer[BODY_MAX];
    uint8_t *out = malloc(room + 2); /* exact, for the address sanitizer */
    struct cos_response response;
    size_t sent = 0, waiting;

    assert_non_null(out);
    start(&response, buffer, length);
    do {
        const size_t piece = length - sent < piece_max ? length - sent : piece_max;
        unsigned sw = 0x9000;

        assert_int_equal(cos_response_pending(&response), length > sent);
        assert_int_equal(cos_response_next(&response, ne, out, room + 2), piece + 2);
        for (size_t i = 0; i < piece; i++) {
            assert_int_equal(out[i], value_at(sent + i));
        }
        sent += piece;
        waiting = length - sent;
        if (waiting > 0) {
            sw = waiting >= 256 ? 0x6100 : 0x6100 + (unsigned)waiting;
        }
        assert_int_equal(cos_get16(out + piece), sw);
        check_wiped_up_to(buffer, sent, length);
    } while (waiting > 0);
    assert_false(cos_response_pending(&response));
    assert_int_equal(cos_response_next(&response, ne, out, room + 2), 2); /* nothing comes twice */
    assert_int_equal(cos_get16(out), 0x9000);
    free(out);
}

static void bodies_are_fetched_piece_by_piece(void **state)
{
    static const uint32_t nes[] = {0, 1, 2, 255, 256, 257, 65536};
    static const size_t lengths[] = {0, 1, 2, 255, 256, 257, 511, 512, 513, 600};

    (void)state;
    for (size_t n = 0; n < COUNT(nes); n++) {
        for (size_t l = 0; l < COUNT(lengths); l++) {
            fetch_all(lengths[l], nes[n], OUT_MAX - 2);
        }
    }
}

static void a_small_output_buffer_limits_the_pieces(void **state)
{
    (void)state;
    for (size_t room = 1; room <= 300; room += 13) {
        fetch_all(600, 0, room);
        fetch_all(257, 256, room);
        fetch_all(257, 65536, room);
        fetch_all(1, 1, room);
    }
}

/* The examples of ISO/IEC 7816-4:2013, 5.1.3: 61XX counts what is left, the last piece brings the
 * command's own status word. */
static void ne_may_change_from_piece_to_piece(void **state)
{
    static const struct {
        uint32_t ne;
        size_t length;
        uint16_t sw;
    } pieces[] = {
        {1, 1, 0x6100},     {255, 255, 0x6100}, {88, 88, 0x6100}, {1, 1, 0x61FF},
        {254, 254, 0x6101}, {0, 1, 0x6282},     {0, 0, 0x6282},
    };
    uint8_t buffer[BODY_MAX], out[300];
    struct cos_response response;

    (void)state;
    start(&response, buffer, 600);
    response.sw = cos_sw(COS_E_END_REACHED);
    for (size_t i = 0; i < COUNT(pieces); i++) {
        const size_t length = cos_response_next(&response, pieces[i].ne, out, sizeof out);

        assert_int_equal(length, pieces[i].length + 2);
        assert_int_equal(cos_get16(out + length - 2), pieces[i].sw);
    }
}

static void a_new_response_is_empty_and_no_success(void **state)
{
    uint8_t buffer[4] = {1, 2, 3, 4}, out[2];
    struct cos_response response;

    (void)state;
    cos_response_start(&response, buffer, sizeof buffer);
    assert_false(cos_response_pending(&response));
    assert_int_equal(response.body.length, 0);
    assert_int_equal(response.body.capacity, sizeof buffer);
    assert_int_equal(cos_response_next(&response, 256, out, sizeof out), 2);
    assert_int_equal(cos_get16(out), COS_SW_NO_DIAGNOSIS);
}

static void only_a_status_word_fits_two_bytes(void **state)
{
    uint8_t buffer[BODY_MAX], out[2] = {0x5A, 0x5A};
    struct cos_response response;

    (void)state;
    start(&response, buffer, 3);
    assert_int_equal(cos_response_next(&response, 256, out, 0), 0);
    assert_int_equal(cos_response_next(&response, 256, out, 1), 0);
    assert_int_equal(out[0], 0x5A);
    assert_int_equal(cos_response_next(&response, 256, out, 2), 2);
    assert_int_equal(cos_get16(out), 0x6103);
    check_wiped_up_to(buffer, 0, 3);
}

static void dropping_wipes_what_waits(void **state)
{
    uint8_t buffer[BODY_MAX], out[16];
    struct cos_response response;

    (void)state;
    start(&response, buffer, 100);
    assert_int_equal(cos_response_next(&response, 10, out, sizeof out), 12);
    assert_int_equal(cos_get16(out + 10), 0x6100 + 90);
    cos_response_drop(&response);
    check_wiped_up_to(buffer, 100, 100);
    assert_false(cos_response_pending(&response));
    assert_int_equal(cos_response_next(&response, 0, out, sizeof out), 2);
    cos_response_drop(&response); /* nothing waits: nothing happens */
    assert_false(cos_response_pending(&response));
    cos_write8(&response.body, 0xAA); /* and the buffer can be used again, from its beginning */
    assert_true(cos_response_pending(&response));
    assert_int_equal(buffer[0], 0xAA);
}

/* A command whose data did not fit must not give a part of them with 9000. */
static void a_body_that_did_not_fit_is_never_sent(void **state)
{
    uint8_t buffer[4], out[16];
    struct cos_response response;

    (void)state;
    cos_response_start(&response, buffer, sizeof buffer);
    cos_write_bytes(&response.body, (const uint8_t[]){1, 2, 3}, 3);
    cos_write16(&response.body, 0x0405);
    response.sw = 0x9000;
    assert_int_equal(cos_response_next(&response, 256, out, sizeof out), 2);
    assert_int_equal(cos_get16(out), COS_SW_NO_DIAGNOSIS);
    assert_memory_equal(buffer, ((uint8_t[]){0, 0, 0}), 3);
    assert_false(cos_response_pending(&response));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_fetched_piece_by_piece),
        cmocka_unit_test(a_small_output_buffer_limits_the_pieces),
        cmocka_unit_test(ne_may_change_from_piece_to_piece),
        cmocka_unit_test(a_new_response_is_empty_and_no_success),
        cmocka_unit_test(only_a_status_word_fits_two_bytes),
        cmocka_unit_test(dropping_wipes_what_waits),
        cmocka_unit_test(a_body_that_did_not_fit_is_never_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
