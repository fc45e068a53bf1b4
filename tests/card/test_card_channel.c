/* SPDX-License-Identifier: Apache-2.0
 *
 * Logical channels (ISO/IEC 7816-4:2013, 5.4.2, 11.1.2): each has its current file, its security
 * status, its secure messaging; a file that is not shareable is current on one of them.
 */
#include "app_domain/domain.h"
#include "channel_card.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The vector file's dialogue; the last SELECT names an application that this card has not. */
static void the_recorded_dialogue(void **state)
{
    struct bench *bench = *state;
    struct vectors *vectors = vectors_open("iso7816-4-cla.txt");
    const struct vector_section *section = vectors_section(vectors, "MANAGE CHANNEL");
    unsigned count = 0;

    for (unsigned i = 0; vector_find(section, "cmd%u", i) != NULL; i++) {
        const struct cos_span command = vector_bytes(section, "cmd%u", i);
        const struct cos_span response = vector_bytes(section, "rsp%u", i);
        uint16_t wanted = cos_get16(response.data + response.length - 2);
        if (wanted == 0x6A81) { /* with all of this card's open */
            bench_expect(bench, "0070000001", 0x9000, "02");
            bench_expect(bench, "0070000001", 0x9000, "03");
        }
        wanted = command.data[1] == 0xA4 ? 0x6A82 : wanted;
        assert_int_equal(bench_apdu(bench, command.data, command.length), wanted);
        assert_int_equal(bench->length, response.length - 2);
        assert_memory_equal(bench->data, response.data, bench->length);
        count++;
    }
    assert_int_equal(count, 5);
    vectors_close(vectors);
}

static void opening_and_closing(void **state)
{
    static const struct card_row rows[] = {
        {"not open", "01A4000C", 0x6881, NULL, 0},
        {"open 1", "0070000001", 0x9000, "01", CARD_KEEPS},
        {"open 3", "00700003", 0x9000, NULL, CARD_KEEPS},
        {"open 3 again", "00700003", 0x6985, NULL, 0},
        {"open 0", "0070000001", 0x9000, "02", CARD_KEEPS},
        {"no more", "0070000001", 0x6A81, NULL, 0},
        {"4 is one too many", "00700004", 0x6881, NULL, 0},
        {"19", "00700013", 0x6881, NULL, 0},
        {"20", "00700014", 0x6881, NULL, 0},
        {"P2 20", "00700020", 0x6A86, NULL, 0},
        {"P1 40", "00704000", 0x6A86, NULL, 0},
        {"data", "00700000 01 00", 0x6700, NULL, 0},
        {"commands on each", "00A4000C", 0x9000, NULL, CARD_KEEPS},
        {"1", "01A4000C", 0x9000, NULL, CARD_KEEPS},
        {"2", "02A4000C", 0x9000, NULL, CARD_KEEPS},
        {"3", "03A4000C", 0x9000, NULL, CARD_KEEPS},
        {"4", "40A4000C", 0x6881, NULL, 0},
        {"19", "4FA4000C", 0x6881, NULL, 0},
        {"close the basic one", "00708000", 0x6A86, NULL, 0},
        {"close 4", "00708004", 0x6881, NULL, 0},
        {"close 2 from 1", "01708002", 0x9000, NULL, CARD_KEEPS},
        {"nothing waits on it", "02C0000000", 0x6881, NULL, 0},
        {"it is closed", "02A4000C", 0x6881, NULL, 0},
        {"close it again", "00708002", 0x6881, NULL, 0},
        {"1 closes itself", "01708000", 0x9000, NULL, CARD_KEEPS},
        {"nothing waits on it", "01C0000000", 0x6881, NULL, 0},
        {"it is closed", "01A4000C", 0x6881, NULL, 0},
        {"3 is open", "03A4000C", 0x9000, NULL, CARD_KEEPS},
        {"the lowest that is free", "0370000001", 0x9000, "01", CARD_KEEPS},
        {"GlobalPlatform's class", "81CA006600", 0x9000, CARD_ANY, CARD_KEEPS},
        {"secure messaging", "0C700000 0A 8E080102030405060708", 0x6982, NULL, 0},
    };
    struct bench *bench = *state;

    BENCH_ROWS(bench, rows);
    bench_reset(bench);
    bench_expect(bench, "01A4000C", 0x6881, NULL); /* a reset closes all */
    bench_expect(bench, "00A4000C", 0x9000, NULL);
}

#define APPLICATION_ON(channel) "0" #channel "A4040C 09 F05457494E434F5301"

/* DF 5100 is not shareable, as most are: a second channel cannot be in it, nor read its EFs. */
static void what_is_not_shareable(void **state)
{
    struct bench *bench = *state;

    bench_select(bench);
    bench_expect(bench, "0070000001", 0x9000, "01");
    bench_expect(bench, APPLICATION_ON(1), 0x6481, NULL);
    bench_expect(bench, "01A4080C 04 51005101", 0x6481, NULL);
    bench_expect(bench, "00A4000C 02 3F00", 0x9000, NULL);
    bench_expect(bench, APPLICATION_ON(1), 0x9000, NULL);
    bench_expect(bench, APPLICATION_ON(0), 0x6481, NULL);
    bench_expect(bench, "01200081 06 313233343536", 0x9000, NULL);
    bench_expect(bench, "01B0810001", 0x9000, CARD_ANY);
    bench_expect(bench, "0170000001", 0x6481, NULL); /* a further one would be in it, too */
    bench_expect(bench, "01708000", 0x9000, NULL);
    bench_expect(bench, APPLICATION_ON(0), 0x9000, NULL);
    bench_expect(bench, "00B0810001", 0x6982, NULL);
    bench_expect(bench, "0070000001", 0x9000, "01"); /* and what was verified there is not here */
    bench_expect(bench, "00A4000C 02 3F00", 0x9000, NULL);
    bench_expect(bench, APPLICATION_ON(1), 0x9000, NULL);
    bench_expect(bench, "01B0810001", 0x6982, NULL);
}

/* ---- With an application that may be shared ---- */

#define NAME      CHANNEL_NAME
#define SHARED(c) CHANNEL_SHARED(c)

static void each_has_its_current_file(void **state)
{
    struct bench *bench = *state;

    bench_expect(bench, SHARED(0), 0x9000, NULL);
    bench_expect(bench, "00A4000C 02 6000", 0x9000, NULL);
    bench_expect(bench, "0070000001", 0x9000, "01");
    bench_expect(bench, "01B0000001", 0x6986, NULL);       /* no EF: it stands at the MF */
    bench_expect(bench, "01A4000C 02 6000", 0x6A82, NULL); /* which has no 6000 */
    bench_expect(bench, SHARED(1), 0x9000, NULL);
    bench_expect(bench, "01A4000C 02 6000", 0x9000, NULL); /* both may */
    bench_expect(bench, "01A4000C 02 6001", 0x9000, NULL);
    bench_expect(bench, "00A4000C 02 6001", 0x6481, NULL);      /* one may */
    bench_expect(bench, "00B0820001", 0x6481, NULL);            /* nor by its SFI */
    bench_expect(bench, "00B16001 03 540100 01", 0x6481, NULL); /* nor by its identifier */
    bench_expect(bench, "00D68200 01 00", 0x6481, NULL);
    bench_expect(bench, "01B0820001", 0x9000, "00");
    bench_expect(bench, "0170000001", 0x9000, "02"); /* where channel 1 is */
    bench_expect(bench, "02A4000C 02 6000", 0x9000, NULL);
    bench_expect(bench, "01A4000C 02 3F00", 0x9000, NULL);
    bench_expect(bench, "00B0820001", 0x9000, "00"); /* now it is free */
    bench_expect(bench, "02B0820001", 0x6481, NULL);
    bench_expect(bench, "00A4000C 02 3F00", 0x9000, NULL);
    bench_expect(bench, "02B0820001", 0x9000, "00");
    bench_expect(bench, "02708000", 0x9000, NULL);
    bench_expect(bench, SHARED(0), 0x9000, NULL);
    bench_expect(bench, "00B0820001", 0x9000, "00"); /* a closed channel has none */
}

static void each_has_its_security_status(void **state)
{
    struct bench *bench = *state;

    bench_expect(bench, SHARED(0), 0x9000, NULL);
    bench_expect(bench, "00200081 04 31323334", 0x9000, NULL);
    bench_expect(bench, "00B0810001", 0x9000, "00");
    bench_expect(bench, "0070000001", 0x9000, "01");
    bench_expect(bench, SHARED(1), 0x9000, NULL);
    bench_expect(bench, "01B0810001", 0x6982, NULL);
    bench_expect(bench, "01200081", 0x63C3, NULL);
    bench_expect(bench, "01200081 04 31323335", 0x63C2, NULL); /* the counter is the PIN's */
    bench_expect(bench, "00B0810001", 0x9000, "00");
    bench_expect(bench, "01200081 04 31323334", 0x9000, NULL);
    bench_expect(bench, "0120FF81", 0x9000, NULL);
    bench_expect(bench, "01B0810001", 0x6982, NULL);
    bench_expect(bench, "00B0810001", 0x9000, "00");
    bench_expect(bench, "01200081 04 31323334", 0x9000, NULL);
    bench_expect(bench, "01708000", 0x9000, NULL);
    bench_expect(bench, "00700001", 0x9000, NULL);
    bench_expect(bench, SHARED(1), 0x9000, NULL);
    bench_expect(bench, "01B0810001", 0x6982, NULL); /* closed: forgotten */
    bench_expect(bench, "0170000001", 0x9000, "02");
    bench_expect(bench, "02B0810001", 0x6982, NULL); /* not inherited */
}

/* A step is for the next command of its channel; one of another channel comes between. */
static void what_another_channel_interrupts(void **state)
{
    static const char *const between[] = {"01B0820001",  "01A4000C 02 6000", "01840000 08",
                                          "01700000 01", "01FF0000",         "01200081"};
    struct bench *bench = *state;
    struct iso_sm sm;

    bench_expect(bench, SHARED(0), 0x9000, NULL);
    for (size_t i = 0; i < CARD_COUNT(between); i++) {
        bench_reset(bench);
        bench_expect(bench, SHARED(0), 0x9000, NULL);
        bench_expect(bench, "0070000001", 0x9000, "01");
        bench_expect(bench, SHARED(1), 0x9000, NULL);
        bench_expect(bench, "00200081 04 31323334", 0x9000, NULL);
        bench_expect(bench, "0084000010", 0x9000, CARD_ANY);
        uint8_t k_ifd[16] = {1}, rnd_ifd[16] = {2}, rnd_ic[16];
        struct bytes data = {0};
        memcpy(rnd_ic, bench->data, sizeof rnd_ic);
        sm = channel_mutual_key(0);
        iso_challenge(&sm, rnd_ifd, rnd_ic, k_ifd, &data);
        (void)bench_hex(bench, between[i]);
        const struct command mutual = {0x00, 0x82, 0x00, 0x85, data.data, data.length, 256};
        struct bytes apdu = {0};
        assert_true(command_write(&mutual, &apdu));
        assert_int_equal(bench_apdu(bench, apdu.data, apdu.length), 0x6985);
        /* nor may it use the challenge itself */
        bench_expect(bench, "0084000010", 0x9000, CARD_ANY);
        memcpy(rnd_ic, bench->data, sizeof rnd_ic);
        data = (struct bytes){0};
        iso_challenge(&sm, rnd_ifd, rnd_ic, k_ifd, &data);
        apdu = (struct bytes){0};
        assert_true(command_write(&mutual, &apdu));
        apdu.data[0] = 0x01;
        assert_int_equal(bench_apdu(bench, apdu.data, apdu.length), 0x6985);
        /* a chain is dropped */
        bench_expect(bench, "00A4000C 02 6000", 0x9000, NULL);
        bench_expect(bench, "10D60000 02 A1A2", 0x9000, NULL);
        (void)bench_hex(bench, between[i]);
        bench_expect(bench, "00D60000 01 B1", 0x9000, NULL);
        bench_expect(bench, "00B0000002", 0x9000, "B100");
        /* what waits for GET RESPONSE, too, and it is the channel's own */
        bench_expect(bench, "00B0000001", 0x9000, "B1");
        bench_expect(bench, "00A40000 02 6000 01", 0x6117, CARD_ANY);
        bench_expect(bench, "01C0000001", 0x6985, NULL);
        bench_expect(bench, "00C0000001", 0x6985, NULL);
    }
}

/* ---- Secure messaging ---- */

/* A session on each of two channels, by turns, and commands in the clear on a third. */
static void sessions_of_two_channels(void **state)
{
    struct bench *bench = *state;
    struct iso_sm first = channel_mutual_key(0), second = channel_mutual_key(1),
                  third = channel_mutual_key(2);

    bench_expect(bench, "0070000001", 0x9000, "01");
    bench_expect(bench, "0070000001", 0x9000, "02");
    bench_expect(bench, SHARED(0), 0x9000, NULL);
    bench_expect(bench, SHARED(1), 0x9000, NULL);
    bench_expect(bench, SHARED(2), 0x9000, NULL);
    assert_int_equal(iso_authenticate(bench, 0x85, &first), 0x9000);
    assert_int_equal(iso_authenticate(bench, 0x85, &second), 0x9000);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(iso_send(bench, &first, "00200081 04 31323334"), 0x9000);
        assert_int_equal(iso_send(bench, &second, "00B0820001"), 0x9000);
        assert_false(second.plain);
        assert_int_equal(iso_send(bench, &first, "00B0810001"), 0x9000);
        assert_int_equal(iso_send(bench, &second, "00B0810001"), 0x6982);
        bench_expect(bench, "02A4000C 02 6000", 0x9000, NULL);
    }
    assert_int_equal(iso_authenticate(bench, 0x85, &third), 0x6985); /* two at a time */
    assert_int_equal(iso_send(bench, &first, "00B0810001"), 0x9000);
    bench_expect(bench, "01B0810001", 0x6982, NULL); /* in the clear: its session is over */
    assert_int_equal(iso_send(bench, &second, "00B0810001"), 0x6982);
    assert_int_equal(iso_send(bench, &first, "00B0810001"), 0x9000);
    assert_int_equal(iso_authenticate(bench, 0x85, &third), 0x9000);
    assert_int_equal(iso_send(bench, &third, "00B0810001"), 0x6982);
    assert_int_equal(iso_send(bench, &first, "00700000"), 0x6882);
    bench_expect(bench, "01708002", 0x9000, NULL); /* closed from outside */
    bench_expect(bench, "01700002", 0x9000, NULL);
    assert_int_equal(iso_send(bench, &third, "00A4000C"), 0x6982);
    assert_int_equal(iso_send(bench, &first, "00B0810001"), 0x9000);
}

/* Where one channel's current files are deleted by another. */
static void what_another_channel_deletes(void **state)
{
    struct bench *bench = *state;

    bench_expect(bench, "0070000001", 0x9000, "01");
    bench_expect(bench, SHARED(1), 0x9000, NULL);
    bench_expect(bench, "01200081 04 31323334", 0x9000, NULL);
    bench_expect(bench, "01A4000C 02 6000", 0x9000, NULL);
    bench_session(bench, 0x33);
    bench_expect_sm(bench, "00A4040C " NAME, 0x9000, NULL);
    bench_expect_sm(bench, "00E40000 02 6000", 0x9000, NULL);
    bench_expect(bench, "01B0000001", 0x6986, NULL);
    bench_session(bench, 0x33);
    bench_expect_sm(bench, "00E40000 02 5300", 0x9000, NULL);
    bench_expect(bench, "01B0810001", 0x6A82, NULL); /* it stands at the MF */
    bench_expect(bench, "01200081", 0x6A88, NULL);
    assert_int_equal(bench->app.channels[1].df, COS_FILE_MF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(the_recorded_dialogue),           CARD_TEST(opening_and_closing),
        CARD_TEST(what_is_not_shareable),           CHANNEL_TEST(each_has_its_current_file),
        CHANNEL_TEST(each_has_its_security_status), CHANNEL_TEST(what_another_channel_interrupts),
        CHANNEL_TEST(sessions_of_two_channels),     CHANNEL_TEST(what_another_channel_deletes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
