/* SPDX-License-Identifier: Apache-2.0
 *
 * How long the app chip waits for an answer, in which slices, what it throws away meanwhile, and
 * what signs of life of the security chip do to that: on a link and a clock that are the test's.
 */
#include "gate/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { NEVER = 0, TRIES = COS_GATE_TRIES, SHORT = COS_GATE_TIMEOUT_MS };

static struct rig {
    struct cos_link link;
    struct cos_board board;
    struct cos_gate_client client;
    uint32_t now;
    uint32_t late;     /* that a receive takes longer than it should */
    bool stands_still; /* the clock */
    bool down;
    unsigned requests, slices, idles;
    uint32_t longest; /* slice */
    uint32_t waited;  /* in slices, since the last request */
    uint8_t request[COS_LINK_FRAME_MAX];

    /* Every `period` ms of the current try comes this frame, `frames` times at most; 0: never. */
    uint32_t period;
    unsigned frames, came;
    uint8_t frame[64];
    size_t length;
    bool same; /* with the number of the request */
} rig;

static enum cos_result link_send(void *context, const uint8_t *frame, size_t length)
{
    (void)context;
    assert_true(rig.requests == 0 || memcmp(frame, rig.request, length) == 0);
    memcpy(rig.request, frame, length);
    rig.requests++;
    rig.waited = 0;
    rig.came = 0;
    return COS_OK;
}

static enum cos_result link_receive(void *context, uint8_t *frame, size_t capacity, size_t *length,
                                    uint32_t timeout_ms)
{
    const uint32_t next = rig.period * (rig.came + 1);

    (void)context;
    (void)capacity;
    assert_int_not_equal(timeout_ms, 0);
    rig.slices++;
    rig.longest = timeout_ms > rig.longest ? timeout_ms : rig.longest;
    COS_CHECK(!rig.down, COS_E_LINK_DOWN);
    if (rig.period != NEVER && rig.came < rig.frames && next <= rig.waited + timeout_ms) {
        rig.now += next - rig.waited;
        rig.waited = next;
        rig.came++;
        if (rig.same) {
            memcpy(rig.frame + 8, rig.request + 8, 4);
            (void)cos_frame_finish(rig.frame, rig.length - FRAME_HEADER - FRAME_CRC);
        }
        memcpy(frame, rig.frame, rig.length);
        *length = rig.length;
        return COS_OK;
    }
    rig.now += timeout_ms + rig.late;
    rig.waited += timeout_ms + rig.late;
    return COS_E_LINK_TIMEOUT;
}

static void idle(void *context)
{
    (void)context;
    rig.idles++;
}

static uint32_t clock_ms(void *context)
{
    (void)context;
    return rig.stands_still ? 7 : rig.now;
}

static void start(bool clock)
{
    memset(&rig, 0, sizeof rig);
    rig.link = (struct cos_link){NULL, link_send, link_receive};
    rig.board =
        (struct cos_board){.link = &rig.link, .idle = idle, .clock_ms = clock ? clock_ms : NULL};
    rig.now = UINT32_MAX - 2500; /* it wraps while somebody waits */
    cos_gate_client_start(&rig.client, &cos_crypto_tomcrypt, &rig.board, NULL);
}

static enum cos_result ask(void)
{
    struct cos_span body;

    return cos_gate_call(&rig.client, COS_GATE_STATUS, NULL, 0, &body);
}

/* A frame that comes every `period` ms: a sign of life, or something like it. */
static void let_come(uint32_t period, unsigned frames, uint8_t direction, uint8_t opcode, bool same)
{
    rig.period = period;
    rig.frames = frames;
    rig.same = same;
    cos_frame_begin(rig.frame, (enum frame_direction)direction, opcode, 0, 0x99, 0);
    rig.length = cos_frame_finish(rig.frame, 0);
}

static void expect_waited(uint32_t ms)
{
    const uint32_t waited = rig.now - (UINT32_MAX - 2500);

    if (waited != ms) {
        fail_msg("%u ms, not %u", (unsigned)waited, (unsigned)ms);
    }
    assert_int_equal(rig.requests, TRIES);
    assert_int_equal(rig.idles, rig.slices); /* one before each */
    assert_true(rig.longest <= COS_GATE_SLICE_MS);
}

/* ---- Time-outs ---- */

static void silence(void **state)
{
    (void)state;
    for (unsigned clock = 0; clock < 3; clock++) {
        start(clock != 0);
        rig.stands_still = clock == 2;
        assert_int_equal(ask(), COS_E_LINK_TIMEOUT);
        expect_waited(TRIES * SHORT);
        assert_int_equal(rig.slices, TRIES * SHORT / COS_GATE_SLICE_MS);
    }
}

/* With a clock it is the clock that counts. */
static void a_link_that_oversleeps(void **state)
{
    (void)state;
    start(true);
    rig.late = COS_GATE_SLICE_MS;
    assert_int_equal(ask(), COS_E_LINK_TIMEOUT);
    expect_waited(TRIES * SHORT);
    start(false);
    rig.late = COS_GATE_SLICE_MS;
    assert_int_equal(ask(), COS_E_LINK_TIMEOUT);
    expect_waited(2 * TRIES * SHORT);
}

/* With a clock they change nothing but that there are 16 of them at most; without, each begins a
 * new time-out. */
static void stray_frames(void **state)
{
    static const struct {
        unsigned frames;
        uint32_t with, without;
    } rows[] = {
        {1, SHORT, SHORT + 50},
        {15, SHORT, SHORT + 15 * 50},
        {16, 16 * 50, 16 * 50},
        {100, 16 * 50, 16 * 50},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (unsigned clock = 0; clock < 2; clock++) {
            start(clock != 0);
            let_come(50, rows[i].frames, FRAME_RESPONSE, COS_GATE_STATUS, false);
            assert_int_equal(ask(), COS_E_LINK_TIMEOUT);
            expect_waited(TRIES * (clock != 0 ? rows[i].with : rows[i].without));
        }
    }
}

static void a_damaged_frame_and_a_link_that_is_down(void **state)
{
    (void)state;
    start(true);
    let_come(COS_GATE_SLICE_MS, 1, FRAME_SIGN, COS_GATE_STATUS, false);
    rig.frame[FRAME_HEADER] ^= 1;
    assert_int_equal(ask(), COS_E_LINK_TIMEOUT);
    expect_waited(TRIES * SHORT);
    start(true);
    rig.down = true;
    assert_int_equal(ask(), COS_E_LINK_DOWN);
    assert_int_equal(rig.slices, 1);
}

/* ---- Signs of life ---- */

static void signs_of_life(void **state)
{
    static const struct {
        const char *what;
        uint32_t period;
        unsigned frames;
        uint8_t direction, opcode;
        bool same;
        uint32_t waited; /* in each try */
    } rows[] = {
        {"one", 900, 1, FRAME_SIGN, COS_GATE_STATUS, true, 900 + SHORT},
        {"as many as count", 900, COS_GATE_SIGNS, FRAME_SIGN, COS_GATE_STATUS, true,
         COS_GATE_SIGNS * 900 + SHORT},
        {"more", 900, COS_GATE_SIGNS + 99, FRAME_SIGN, COS_GATE_STATUS, true,
         COS_GATE_SIGNS * 900 + SHORT},
        {"too late", SHORT + 100, 1, FRAME_SIGN, COS_GATE_STATUS, true, SHORT},
        {"of another call", 900, 9, FRAME_SIGN, COS_GATE_KEY, true, SHORT},
        {"of another request", 900, 9, FRAME_SIGN, COS_GATE_STATUS, false, SHORT},
        {"a request", 900, 9, FRAME_REQUEST, COS_GATE_STATUS, true, SHORT},
        {"no direction", 900, 9, 4, COS_GATE_STATUS, true, SHORT},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        start(true);
        let_come(rows[i].period, rows[i].frames, rows[i].direction, rows[i].opcode, rows[i].same);
        assert_int_equal(ask(), COS_E_LINK_TIMEOUT);
        expect_waited(TRIES * rows[i].waited);
    }
}

/* What the server sends, byte by byte, and when. */
static struct {
    uint8_t frame[64];
    size_t length;
    unsigned count;
} sent;

static enum cos_result server_send(void *context, const uint8_t *frame, size_t length)
{
    (void)context;
    memcpy(sent.frame, frame, length);
    sent.length = length;
    sent.count++;
    return COS_OK;
}

static void the_server_sends_them(void **state)
{
    static const uint8_t expected[12] = {0, 10, 3, COS_GATE_KEY, 0, 0, 0, 0, 0, 0, 1, 2};
    static struct cos_gate_server server;

    (void)state;
    start(true);
    memset(&sent, 0, sizeof sent);
    rig.link.send = server_send;
    rig.now = 1000;
    cos_server_start(&server, &cos_crypto_tomcrypt, &rig.board);
    cos_frame_begin(server.request, FRAME_REQUEST, COS_GATE_KEY, 0x11223344, 0x0102, 3);
    for (unsigned ms = 0; ms < 10 * COS_GATE_TIMEOUT_LONG_MS; ms += 100) {
        cos_server_working(&server);
        rig.now += 100;
    }
    assert_int_equal(sent.count, 40); /* four in each time-out */
    assert_int_equal(sent.length, 16);
    assert_memory_equal(sent.frame, expected, sizeof expected);
    assert_int_equal(cos_get32(sent.frame + 12), cos_crc32(0, sent.frame, 12));
    rig.board.clock_ms = NULL;
    cos_server_working(&server);
    assert_int_equal(sent.count, 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence),       cmocka_unit_test(a_link_that_oversleeps),
        cmocka_unit_test(stray_frames),  cmocka_unit_test(a_damaged_frame_and_a_link_that_is_down),
        cmocka_unit_test(signs_of_life), cmocka_unit_test(the_server_sends_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
