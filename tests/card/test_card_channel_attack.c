/* SPDX-License-Identifier: Apache-2.0
 *
 * Logical channels against somebody who puts commands of another channel between those of a
 * terminal, and against what one channel does to the keys that another one works with: a command
 * is never another one than its terminal sent, and no status outlives what it was given for.
 */
#include "channel_card.h"
#include "secure_domain/domain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- A chain under secure messaging ---- */

#define PART_1   "10D60000 08 A1A2A3A4A5A6A7A8"
#define PART_2   "00D60000 04 B1B2B3B4"
#define OLD_DATA "0102030405060708090A0B0C"

/* What somebody else sends on channel 1, about it, or as nothing that is a command on any. NULL: a
 * command in a session of its own. */
static const char *const between[] = {
    "01B0000001",
    "01A4000C 02 6000",
    "01840000 08",
    "01200081",
    "01FF0000",
    "0170000001",
    "01708000",
    "01C0000001",
    "03B0000001",
    "00C0000001",
    "20B0000001",
    "F0B0000001",
    "00B0",
    "00600000",
    "00D60000 02 FF",
    "40B0000001",
    "8150000008 0102030405060708",
    "11D60000 01 FF",
    "01CA9F7F00",
    "81CA006600",
    NULL,
};

static void send_between(struct bench *bench, size_t i, struct iso_sm *other)
{
    if (between[i] != NULL) {
        (void)bench_hex(bench, between[i]);
    } else {
        assert_int_equal(iso_send(bench, other, "00B0000001"), 0x9000);
    }
}

/* Its last part alone would be another command: 8 bytes of the file would be missing, and 4 be
 * where they do not belong. */
static void a_chain_is_not_cut(void **state)
{
    struct bench *bench = *state;
    struct iso_sm sm, other;

    for (size_t i = 0; i < CARD_COUNT(between); i++) {
        bench_reset(bench);
        channel_open(bench, 0);
        channel_open(bench, 1);
        bench_expect(bench, "01A4000C 02 6000", 0x9000, NULL);
        bench_expect(bench, "00A4000C 02 6001", 0x9000, NULL);
        bench_expect(bench, "00D60000 0C " OLD_DATA, 0x9000, NULL);
        assert_int_equal(channel_send(bench, 1, "00200081 04 31323334"), 0x9000);
        if (between[i] == NULL) {
            channel_mutual(bench, 1, &other);
        }
        channel_mutual(bench, 0, &sm);
        assert_int_equal(iso_send(bench, &sm, PART_1), 0x9000);
        send_between(bench, i, &other);
        if (iso_send(bench, &sm, PART_2) != 0x6982 || !sm.plain) {
            fail_msg("behind %s: %04X", between[i] != NULL ? between[i] : "a session", bench->sw);
        }
        bench_expect(bench, "00B000000C", 0x9000, OLD_DATA);
    }
}

/* The same for the issuer, and for data that the security chip holds. */
static void nor_one_of_the_issuer(void **state)
{
    struct bench *bench = *state;
    struct channel_issuer issuer;

    for (size_t i = 0; i + 1 < CARD_COUNT(between); i++) {
        bench_reset(bench);
        channel_open(bench, 0);
        channel_open(bench, 1);
        assert_int_equal(channel_issuer_open(bench, 0, &bench_keys_card, 0x01, &issuer), 0x9000);
        assert_int_equal(channel_issuer_send(bench, &issuer, "10200081 04 31323334"), 0x9000);
        (void)bench_hex(bench, between[i]);
        if (channel_issuer_send(bench, &issuer, "00200081 04 31323334") != 0x6982) {
            fail_msg("behind %s: %04X", between[i], bench->sw);
        }
        assert_int_equal(channel_issuer_open(bench, 0, &bench_keys_card, 0x01, &issuer), 0x9000);
        assert_int_equal(channel_issuer_send(bench, &issuer, "80E260 00 03 801020"), 0x9000);
        (void)bench_hex(bench, between[i]);
        const bool fetch = strncmp(between[i], "00C0", 4) == 0; /* between blocks it is none */
        const uint16_t sw = channel_issuer_send(bench, &issuer, "80E2E0 01 03 8010 00");
        if (sw != (fetch ? 0x6A80 : 0x6982)) {
            fail_msg("STORE DATA behind %s: %04X", between[i], bench->sw);
        }
        bench_expect(bench, "00200081", 0x63C3, NULL);
    }
}

/* On the same channel all goes on. */
static void a_chain_by_itself_goes_on(void **state)
{
    struct bench *bench = *state;
    struct iso_sm sm;

    channel_open(bench, 0);
    channel_open(bench, 1);
    bench_expect(bench, "00A4000C 02 6001", 0x9000, NULL);
    channel_mutual(bench, 0, &sm);
    bench_expect(bench, "01A4000C 02 6000", 0x9000, NULL);
    assert_int_equal(iso_send(bench, &sm, PART_1), 0x9000);
    assert_int_equal(iso_send(bench, &sm, PART_2), 0x9000);
    bench_expect(bench, "01A4000C 02 6000", 0x9000, NULL);
    bench_expect(bench, "11D60000 01 FF", 0x9000, NULL); /* parts of another channel's command */
    assert_int_equal(iso_send(bench, &sm, "00B000000C"), 0x9000);
    assert_true(bench_answered(bench, "A1A2A3A4A5A6A7A8B1B2B3B4"));
}

/* ---- Keys that come and go ---- */

#define DGI_MUTUAL                                                                                 \
    "80E2E000 3A 802037 840A F05457494E434F530102 830105 800101 950180 C720 "                      \
    "FFC7E04B95D2A86F1E73BC0894AD5260D80F6B3E92A1475CB7E41D239068FA15"

/* A session under a key that is not there any more: it ends with it, whoever did that. */
static void a_session_ends_with_its_key(void **state)
{
    static const char *const ends[] = {
        "80E40000 03 D00185", /* DELETE of the key */
        DGI_MUTUAL,           /* another one in its place */
        "00E40000 02 5300",   /* DELETE FILE of its application */
        "80F0807F",           /* the card is locked */
    };

    for (size_t i = 0; i < CARD_COUNT(ends); i++) {
        struct bench *bench = *state;
        struct channel_issuer issuer;
        struct iso_sm sm;
        channel_open(bench, 0);
        channel_open(bench, 1);
        channel_mutual(bench, 1, &sm);
        assert_int_equal(channel_issuer_open(bench, 0, &bench_keys_card, 0x01, &issuer), 0x9000);
        assert_int_equal(channel_issuer_send(bench, &issuer, "80CA00E0"), 0x9000);
        assert_int_equal(iso_send(bench, &sm, "00A4000C 02 6000"), 0x9000); /* both are there */
        if (channel_issuer_send(bench, &issuer, ends[i]) != 0x9000 ||
            cos_session_seen(&bench->secure, 1) != NULL ||
            bench->secure.channels[1].keys_local != 0) {
            fail_msg("behind %s: %04X", ends[i], bench->sw);
        }
        (void)iso_send(bench, &sm, "00A4000C 02 6000");
        assert_true(sm.plain && bench->sw != 0x9000);
        assert_int_equal(channel_issuer_send(bench, &issuer, "80CA00E0"), 0x9000);
        card_free(state);
        assert_int_equal(channel_card_make(state), 0);
    }
}

/* What a key was authenticated for ends with the key, on every channel. */
static void a_status_ends_with_its_key(void **state)
{
    struct bench *bench = *state;
    struct channel_issuer issuer;

    channel_open(bench, 0);
    channel_open(bench, 1);
    assert_int_equal(channel_authenticate(bench, 1), 0x9000);
    bench_expect(bench, "01B0830001", 0x9000, "00");
    assert_int_equal(channel_issuer_open(bench, 0, &bench_keys_card, 0x01, &issuer), 0x9000);
    assert_int_equal(channel_issuer_send(bench, &issuer, "00A4040C " CHANNEL_NAME), 0x9000);
    assert_int_equal(channel_issuer_send(bench, &issuer, "80E40000 03 D00183"), 0x9000);
    bench_expect(bench, "01B0830001", 0x6982, NULL);
    assert_int_equal(bench->secure.channels[1].keys_local, 0);
}

/* Nor does the old value of a PIN count on, and open what the new one is for. */
static void a_status_ends_with_the_value(void **state)
{
    static const struct {
        const char *apdu;
        bool by_issuer;
    } ends[] = {
        {"00240081 08 3132333435363738", false}, /* CHANGE REFERENCE DATA */
        {"002C0281 04 39393939", true},          /* RESET RETRY COUNTER by the rule of the PIN */
        {"80E2E000 18 801015 840A F05457494E434F530102 830101 C704 31313131", true},
    };

    for (size_t i = 0; i < CARD_COUNT(ends); i++) {
        struct bench *bench = *state;
        struct channel_issuer issuer;
        channel_open(bench, 0);
        channel_open(bench, 1);
        channel_open(bench, 2);
        assert_int_equal(channel_send(bench, 1, "00200081 04 31323334"), 0x9000);
        bench_expect(bench, "01B0810001", 0x9000, "00");
        if (ends[i].by_issuer) {
            assert_int_equal(channel_issuer_open(bench, 0, &bench_keys_card, 1, &issuer), 0x9000);
            assert_int_equal(channel_issuer_send(bench, &issuer, "00A4040C " CHANNEL_NAME), 0x9000);
            assert_int_equal(channel_issuer_send(bench, &issuer, ends[i].apdu), 0x9000);
        } else {
            bench_expect(bench, ends[i].apdu, 0x9000, NULL);
            bench_expect(bench, "00B0810001", 0x9000, "00"); /* it was presented here */
        }
        bench_expect(bench, "01B0810001", 0x6982, NULL);
        bench_expect(bench, "01200081", 0x63C3, NULL);
        bench_expect(bench, "02B0810001", 0x6982, NULL);
        card_free(state);
        assert_int_equal(channel_card_make(state), 0);
    }
}

/* ---- Key sets of the issuer ---- */

static const struct scp03_keys second_set = {
    .length = 16,
    .enc = {0x11, 0x1C, 0x07, 0xE2, 0x3D, 0x88, 0xF6, 0x1A, 0xB4, 0x60, 0xCB, 0x25, 0x7E, 0x93},
    .mac = {0x12, 0x1D, 0x08, 0xE3, 0x3E, 0x89, 0xF7, 0x1B, 0xB5, 0x61, 0xCC, 0x26, 0x7F, 0x94},
    .dek = {0x13, 0x1E, 0x09, 0xE4, 0x3F, 0x8A, 0xF8, 0x1C, 0xB6, 0x62, 0xCD, 0x27, 0x80, 0x95},
};

static uint16_t put_keys(struct bench *bench, struct channel_issuer *issuer, uint8_t old_version,
                         uint8_t key_version)
{
    char text[2 * BYTES_MAX], *at = text;
    struct bytes data = {0};

    assert_true(scp03_put_key(bench_keys_card.dek, 16, key_version, &second_set, &data));
    at += sprintf(at, "80D8%02X81 %02zX", old_version, data.length);
    for (size_t i = 0; i < data.length; i++) {
        at += sprintf(at, "%02X", data.data[i]);
    }
    return channel_issuer_send(bench, issuer, text);
}

/* Two sessions under two sets cannot delete each other's: the card would have none. */
static void a_set_in_use_stays(void **state)
{
    struct bench *bench = *state;
    struct channel_issuer first, second;

    channel_open(bench, 0);
    channel_open(bench, 1);
    assert_int_equal(channel_issuer_open(bench, 0, &bench_keys_card, 0x01, &first), 0x9000);
    assert_int_equal(put_keys(bench, &first, 0x00, 0x02), 0x9000);
    assert_int_equal(channel_issuer_open(bench, 1, &second_set, 0x02, &second), 0x9000);
    assert_int_equal(channel_issuer_send(bench, &first, "80E40000 03 D20102"), 0x6985);
    assert_int_equal(channel_issuer_send(bench, &second, "80E40000 03 D20101"), 0x6985);
    assert_int_equal(channel_send(bench, 1, "00A4000C"), 0x9000); /* it is over */
    assert_int_equal(channel_issuer_send(bench, &first, "80E40000 03 D20102"), 0x9000);
    assert_int_equal(channel_issuer_send(bench, &first, "80E40000 03 D20101"), 0x6985);
}

/* The session that replaces its own set goes on; another one under it does not. */
static void a_replaced_set_ends_the_other_session(void **state)
{
    struct bench *bench = *state;
    struct channel_issuer first, second;

    channel_open(bench, 0);
    channel_open(bench, 1);
    assert_int_equal(channel_issuer_open(bench, 0, &bench_keys_card, 0x01, &first), 0x9000);
    assert_int_equal(channel_issuer_open(bench, 1, &bench_keys_card, 0x01, &second), 0x9000);
    assert_int_equal(put_keys(bench, &first, 0x01, 0x02), 0x9000);
    assert_int_equal(channel_issuer_send(bench, &second, "80CA00E0"), 0x6982);
    assert_int_equal(channel_issuer_send(bench, &first, "80CA00E0"), 0x9000);
    assert_int_equal(channel_issuer_send(bench, &first, "80E40000 03 D20102"), 0x6985);
}

/* ---- The production record ---- */

#define CPLC "9F7F00"

/* Its rule is met on one channel and not on the other; and one that asks in the clear ends nobody
 * else's session. */
static void the_record_is_read_where_its_rule_is_met(void **state)
{
    struct bench *bench = *state;
    struct channel_issuer issuer;
    struct iso_sm sm;

    bench_session(bench, 0x33);
    assert_int_equal(bench_store(bench, "8010 09 830101 C704 31313131 8030 03 C80190"), 0x9000);
    bench_reset(bench);
    bench_expect(bench, "0070000001", 0x9000, "01");
    bench_expect(bench, "00200001 04 31313131", 0x9000, NULL);
    bench_expect(bench, "00CA" CPLC, 0x9000, CARD_ANY);
    bench_expect(bench, "01CA" CPLC, 0x6982, NULL);
    bench_expect(bench, "01A4080C 02 2F02", 0x9000, NULL);
    bench_expect(bench, "01B0000004", 0x6982, NULL);
    bench_expect(bench, "01200001 04 31313131", 0x9000, NULL);
    bench_expect(bench, "01B0000004", 0x9000, "9F7F2A47");
    bench_expect(bench, "0020FF01", 0x9000, NULL);
    bench_expect(bench, "00CA" CPLC, 0x6982, NULL);
    bench_expect(bench, "01CA" CPLC, 0x9000, CARD_ANY);
    channel_open(bench, 0);
    channel_mutual(bench, 0, &sm);
    bench_expect(bench, "01CA" CPLC, 0x9000, CARD_ANY);
    assert_int_equal(iso_send(bench, &sm, "00B0820001"), 0x9000);
    assert_false(sm.plain);
    assert_int_equal(channel_issuer_open(bench, 1, &bench_keys_card, 0x01, &issuer), 0x9000);
    assert_int_equal(channel_issuer_send(bench, &issuer, "80E2E000 06 8030 03 C801C0"), 0x9000);
    assert_int_equal(channel_issuer_send(bench, &issuer, "00CA9F7F"), 0x9000);
    bench_expect(bench, "02CA" CPLC, 0x6881, NULL);
    bench_expect(bench, "00CA" CPLC, 0x6982, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHANNEL_TEST(a_chain_is_not_cut),
        CHANNEL_TEST(nor_one_of_the_issuer),
        CHANNEL_TEST(a_chain_by_itself_goes_on),
        CHANNEL_TEST(a_session_ends_with_its_key),
        CHANNEL_TEST(a_status_ends_with_its_key),
        CHANNEL_TEST(a_status_ends_with_the_value),
        CHANNEL_TEST(a_set_in_use_stays),
        CHANNEL_TEST(a_replaced_set_ends_the_other_session),
        CHANNEL_TEST(the_record_is_read_where_its_rule_is_met),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
