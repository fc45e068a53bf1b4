/* SPDX-License-Identifier: Apache-2.0
 *
 * The host port's two links between the chips, its noise and its program image.
 */
#include "entropy_kernel.h"
#include "host_card.h"
#include "link_loop.h"
#include "link_socket.h"
#include "rom_image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- Sockets ---- */

struct pair {
    int ends[2];
    struct host_link_socket app, secure;
};

static void open_pair(struct pair *pair)
{
    assert_true(host_link_pair(pair->ends));
    host_link_socket_init(&pair->app, pair->ends[0]);
    host_link_socket_init(&pair->secure, pair->ends[1]);
}

static void packets_keep_their_borders(void **state)
{
    struct pair pair;
    uint8_t sent[COS_LINK_FRAME_MAX], got[COS_LINK_FRAME_MAX];
    size_t length = 0;
    (void)state;
    open_pair(&pair);
    for (size_t i = 0; i < sizeof sent; i++) {
        sent[i] = (uint8_t)i;
    }
    static const size_t lengths[] = {1, 2, 26, COS_LINK_FRAME_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        assert_int_equal(pair.app.link.send(&pair.app, sent, lengths[i]), COS_OK);
    }
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        memset(got, 0, sizeof got);
        assert_int_equal(pair.secure.link.receive(&pair.secure, got, sizeof got, &length, 100),
                         COS_OK);
        assert_int_equal(length, lengths[i]);
        assert_memory_equal(got, sent, length);
    }
    close(pair.ends[0]);
    close(pair.ends[1]);
}

static void a_frame_that_is_too_long_is_cut_and_told(void **state)
{
    struct pair pair;
    uint8_t sent[40] = {1, 2, 3}, got[20];
    size_t length = 0;
    (void)state;
    open_pair(&pair);
    memset(got, 0xEE, sizeof got);
    assert_int_equal(pair.secure.link.send(&pair.secure, sent, sizeof sent), COS_OK);
    assert_int_equal(pair.app.link.receive(&pair.app, got, 10, &length, 0), COS_OK);
    assert_int_equal(length, 40);
    assert_memory_equal(got, sent, 10);
    assert_int_equal(got[10], 0xEE);
    close(pair.ends[0]);
    close(pair.ends[1]);
}

static void silence_ends_with_the_time_out(void **state)
{
    struct pair pair;
    uint8_t got[20];
    size_t length = 0;
    (void)state;
    open_pair(&pair);
    uint32_t began = host_clock_ms(NULL);
    assert_int_equal(pair.app.link.receive(&pair.app, got, sizeof got, &length, 60),
                     COS_E_LINK_TIMEOUT);
    uint32_t took = host_clock_ms(NULL) - began;
    assert_in_range(took, 59, 1000);
    close(pair.ends[0]);
    close(pair.ends[1]);
}

static void a_peer_that_is_gone_is_link_down(void **state)
{
    struct pair pair;
    uint8_t got[20];
    size_t length = 0;
    (void)state;
    open_pair(&pair);
    assert_int_equal(pair.secure.link.send(&pair.secure, (const uint8_t *)"last", 4), COS_OK);
    close(pair.ends[1]);
    /* what it had sent still arrives */
    assert_int_equal(pair.app.link.receive(&pair.app, got, sizeof got, &length, 0), COS_OK);
    assert_int_equal(length, 4);
    assert_int_equal(pair.app.link.receive(&pair.app, got, sizeof got, &length, 0),
                     COS_E_LINK_DOWN);
    assert_int_equal(pair.app.link.receive(&pair.app, got, sizeof got, &length, 100),
                     COS_E_LINK_DOWN);
    assert_int_equal(pair.app.link.send(&pair.app, got, 4), COS_E_LINK_DOWN);
    close(pair.ends[0]);
}

/* ---- Loop ---- */

struct echo {
    struct host_link_loop loop;
    unsigned served;
    bool silent;
};

/* A security chip that answers each frame with the same one, each byte plus one. */
static void serve(void *context)
{
    struct echo *echo = context;
    uint8_t frame[COS_LINK_FRAME_MAX];
    size_t length = 0;
    const struct cos_link *link = &echo->loop.secure;
    echo->served++;
    assert_int_equal(link->receive(link->context, frame, sizeof frame, &length, 0), COS_OK);
    for (size_t i = 0; i < length; i++) {
        frame[i]++;
    }
    if (!echo->silent) {
        assert_int_equal(link->send(link->context, frame, length), COS_OK);
    }
}

static void the_loop_serves_when_the_app_chip_receives(void **state)
{
    struct echo echo = {.served = 0};
    uint8_t got[8];
    size_t length = 0;
    (void)state;
    host_link_loop_init(&echo.loop, serve, &echo);
    const struct cos_link *app = &echo.loop.app;
    assert_int_equal(app->receive(app->context, got, sizeof got, &length, 1000),
                     COS_E_LINK_TIMEOUT);
    assert_int_equal(echo.served, 0);
    assert_int_equal(app->send(app->context, (const uint8_t *)"old", 3), COS_OK);
    assert_int_equal(app->send(app->context, (const uint8_t *)"GATE", 4), COS_OK);
    assert_int_equal(app->receive(app->context, got, sizeof got, &length, 1000), COS_OK);
    assert_int_equal(length, 4);
    assert_memory_equal(got, "HBUF", 4);
    assert_int_equal(echo.served, 1);
    assert_int_equal(app->receive(app->context, got, sizeof got, &length, 1000),
                     COS_E_LINK_TIMEOUT);
    echo.silent = true;
    assert_int_equal(app->send(app->context, (const uint8_t *)"GATE", 4), COS_OK);
    assert_int_equal(app->receive(app->context, got, sizeof got, &length, 0), COS_E_LINK_TIMEOUT);
    assert_int_equal(echo.served, 2);
    const struct cos_link *secure = &echo.loop.secure;
    assert_int_equal(secure->receive(secure->context, got, sizeof got, &length, 0),
                     COS_E_LINK_TIMEOUT);
}

static void the_loop_cuts_and_refuses_by_length(void **state)
{
    struct echo echo = {.served = 0};
    uint8_t frame[COS_LINK_FRAME_MAX + 1] = {1}, got[4] = {0, 0, 0x77, 0x77};
    size_t length = 0;
    (void)state;
    host_link_loop_init(&echo.loop, serve, &echo);
    const struct cos_link *app = &echo.loop.app;
    assert_int_equal(app->send(app->context, frame, sizeof frame), COS_E_LINK_DOWN);
    assert_int_equal(app->send(app->context, frame, sizeof frame - 1), COS_OK);
    assert_int_equal(app->receive(app->context, got, 2, &length, 0), COS_OK);
    assert_int_equal(length, COS_LINK_FRAME_MAX);
    assert_memory_equal(got, "\x02\x01\x77\x77", 4);
}

/* ---- Noise, image ---- */

static void noise_fills_every_length(void **state)
{
    uint8_t one[600] = {0}, other[600] = {0};
    (void)state;
    const struct cos_entropy *entropy = &host_entropy_kernel;
    assert_int_equal(entropy->read(entropy->context, one, sizeof one), COS_OK);
    assert_int_equal(entropy->read(entropy->context, other, sizeof other), COS_OK);
    assert_memory_not_equal(one, other, sizeof one);
    for (size_t i = 0; i < sizeof one; i += 50) {
        assert_memory_not_equal(one + i, other + i, 50);
    }
    assert_int_equal(cos_entropy_health(one, sizeof one), COS_OK);
}

static void the_image_is_the_running_program(void **state)
{
    struct cos_rom rom;
    struct stat facts;
    (void)state;
    assert_true(host_rom_image_open(&rom));
    assert_int_equal(stat("/proc/self/exe", &facts), 0);
    assert_int_equal(rom.size, facts.st_size);
    FILE *program = fopen("/proc/self/exe", "rb");
    assert_non_null(program);
    for (size_t i = 0; i < rom.size; i++) {
        assert_int_equal(rom.image[i], fgetc(program));
    }
    fclose(program);
    host_rom_image_close(&rom);
    assert_null(rom.image);
    assert_false(host_rom_image_open_file(&rom, "/dev/null"));
    assert_false(host_rom_image_open_file(&rom, "/nonexistent"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_keep_their_borders),
        cmocka_unit_test(a_frame_that_is_too_long_is_cut_and_told),
        cmocka_unit_test(silence_ends_with_the_time_out),
        cmocka_unit_test(a_peer_that_is_gone_is_link_down),
        cmocka_unit_test(the_loop_serves_when_the_app_chip_receives),
        cmocka_unit_test(the_loop_cuts_and_refuses_by_length),
        cmocka_unit_test(noise_fills_every_length),
        cmocka_unit_test(the_image_is_the_running_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
