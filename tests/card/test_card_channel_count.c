/* SPDX-License-Identifier: Apache-2.0
 *
 * As many logical channels as the build has (COS_CHANNELS, 1 to 20): 1 to 3 in the first class
 * byte, 4 to 19 in the further one (ISO/IEC 7816-4:2013, 5.4.1), each with its own status.
 */
#include "channel_card.h"
#include "secure_domain/domain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A command (class 00) on a channel of the card, or on one that it has not. */
static uint16_t send_on(struct bench *bench, unsigned channel, const char *apdu)
{
    uint8_t bytes[BENCH_APDU_MAX];
    const size_t length = bench_bytes(apdu, bytes, sizeof bytes);

    bytes[0] |= (uint8_t)(channel < 4 ? channel : 0x40 | (channel - 4));
    return bench_apdu(bench, bytes, length);
}

static void open_all(struct bench *bench)
{
    for (unsigned i = 1; i < COS_CHANNELS; i++) {
        assert_int_equal(bench_hex(bench, "0070000001"), 0x9000);
        assert_int_equal(bench->length, 1);
        assert_int_equal(bench->data[0], i);
    }
    assert_int_equal(bench_hex(bench, "0070000001"), 0x6A81);
}

static void numbers(void **state)
{
    struct bench *bench = *state;

    open_all(bench);
    for (unsigned i = 0; i < 20; i++) {
        char text[16];
        const bool there = i < COS_CHANNELS;
        assert_int_equal(send_on(bench, i, "00A4000C 02 3F00"), there ? 0x9000 : 0x6881);
        snprintf(text, sizeof text, "007000%02X", i);
        assert_int_equal(bench_hex(bench, text), i == 0 ? 0x6A81 : there ? 0x6985 : 0x6881);
        snprintf(text, sizeof text, "007080%02X", i);
        assert_int_equal(bench_hex(bench, text), i == 0 ? 0x6A86 : there ? 0x9000 : 0x6881);
        assert_int_equal(send_on(bench, i, "00A4000C 02 3F00"), i == 0 ? 0x9000 : 0x6881);
    }
    open_all(bench);
    for (unsigned i = COS_CHANNELS; i-- > 1;) {
        assert_int_equal(send_on(bench, i, "00708000"), 0x9000);
    }
    assert_int_equal(bench_hex(bench, "00708000"), 0x6A86);
}

/* Odd channels have given the PIN, and are those that read. */
static void each_has_its_own(void **state)
{
    struct bench *bench = *state;

    open_all(bench);
    for (unsigned i = 0; i < COS_CHANNELS; i++) {
        assert_int_equal(send_on(bench, i, "00A4040C " CHANNEL_NAME), 0x9000);
        if (i % 2 != 0) {
            assert_int_equal(send_on(bench, i, "00200081 04 31323334"), 0x9000);
        }
    }
    for (unsigned i = 0; i < COS_CHANNELS; i++) {
        assert_int_equal(send_on(bench, i, "00B0810001"), i % 2 != 0 ? 0x9000 : 0x6982);
        assert_int_equal(bench->secure.channels[i].pins_local, i % 2 != 0 ? 2 : 0);
    }
    bench_reset(bench);
    assert_int_equal(send_on(bench, 1, "00A4000C 02 3F00"), 0x6881);
}

/* Secure messaging has its class bytes on channels 0 to 3; as many sessions as there can be. */
static void sessions(void **state)
{
    struct bench *bench = *state;
    struct iso_sm sm[COS_SM_SESSIONS];

    open_all(bench);
    for (unsigned i = 0; i < COS_CHANNELS; i++) {
        assert_int_equal(send_on(bench, i, "00A4040C " CHANNEL_NAME), 0x9000);
        if (i >= 4) {
            assert_int_equal(send_on(bench, i, "20B00000 0A 8E080102030405060708"), 0x6882);
            assert_int_equal(send_on(bench, i, "0084000010"), 0x9000);
            assert_int_equal(send_on(bench, i, "A0B00000 08 0102030405060708"), 0x6882);
            assert_int_equal(send_on(bench, i, "8050000008 0102030405060708"), 0x6985);
        }
    }
    for (uint8_t i = 0; i < COS_SM_SESSIONS; i++) {
        channel_mutual(bench, i, &sm[i]);
    }
    for (uint8_t i = 0; i < COS_SM_SESSIONS; i++) {
        assert_int_equal(iso_send(bench, &sm[i], "00A4000C 02 6000"), 0x9000);
        assert_non_null(cos_session_seen(&bench->secure, i));
    }
    if (COS_CHANNELS > COS_SM_SESSIONS) {
        struct iso_sm more = channel_mutual_key(COS_SM_SESSIONS);
        assert_int_equal(iso_authenticate(bench, CHANNEL_MUTUAL, &more), 0x6985);
    }
    for (uint8_t i = 0; i < COS_SM_SESSIONS; i++) {
        assert_int_equal(send_on(bench, i, "00A4000C 02 6000"), 0x9000); /* in the clear: over */
        assert_null(cos_session_seen(&bench->secure, i));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHANNEL_TEST(numbers),
        CHANNEL_TEST(each_has_its_own),
        CHANNEL_TEST(sessions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
