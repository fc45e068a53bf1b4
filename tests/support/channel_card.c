/* SPDX-License-Identifier: Apache-2.0 */
#include "channel_card.h"

#include "twinctl/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t external_key[16] = {0x0F, 0x6A, 0x91, 0xC4, 0x38, 0xDE, 0x57, 0xB2,
                                         0x1D, 0x84, 0xE3, 0x70, 0x2B, 0x9C, 0xF5, 0x46};

void channel_card_fill(struct bench *bench)
{
    static const char *const files[] = {
        "820141 83026000 80020010 880108 8C03030091",
        "820101 83026001 80020010 880110 8C03030000",
        "820141 83026002 80020010 880118 8C030300A3",
    };

    bench_session(bench, 0x33);
    assert_int_equal(
        bench_create(bench, true, "820178 83025300 840A F05457494E434F530102 8C087F00000000000000"),
        0x9000);
    for (size_t i = 0; i < CARD_COUNT(files); i++) {
        bench_expect_sm(bench, "00A4040C " CHANNEL_NAME, 0x9000, NULL);
        assert_int_equal(bench_create(bench, true, files[i]), 0x9000);
    }
    assert_int_equal(
        bench_store_one(bench, "8010", "840A F05457494E434F530102 830101 C401C0 C704 31323334"),
        0x9000);
    assert_int_equal(
        bench_store_one(bench, "8020",
                        "840A F05457494E434F530102 830105 800101 950180 C720 "
                        "31C7E04B95D2A86F1E73BC0894AD5260D80F6B3E92A1475CB7E41D239068FA15"),
        0x9000);
    assert_int_equal(bench_store_one(bench, "8020",
                                     "840A F05457494E434F530102 830103 800101 950102 C710 "
                                     "0F6A91C438DE57B21D84E3702B9CF546"),
                     0x9000);
    bench_reset(bench);
}

int channel_card_make(void **state)
{
    assert_int_equal(card_make(state), 0);
    channel_card_fill(*state);
    return 0;
}

uint16_t channel_send(struct bench *bench, uint8_t channel, const char *apdu)
{
    uint8_t bytes[BENCH_APDU_MAX];
    const size_t length = bench_bytes(apdu, bytes, sizeof bytes);

    bytes[0] |= channel;
    return bench_apdu(bench, bytes, length);
}

void channel_open(struct bench *bench, uint8_t channel)
{
    if (channel != 0) {
        const uint8_t number[] = {channel};
        assert_int_equal(bench_hex(bench, "0070000001"), 0x9000);
        assert_int_equal(bench->length, 1);
        assert_memory_equal(bench->data, number, 1);
    }
    assert_int_equal(channel_send(bench, channel, "00A4040C " CHANNEL_NAME), 0x9000);
}

uint16_t channel_authenticate(struct bench *bench, uint8_t channel)
{
    uint8_t apdu[21] = {channel, 0x82, 0x00, 0x83, 16};

    if (channel_send(bench, channel, "0084000010") != 0x9000) {
        return bench->sw;
    }
    assert_int_equal(bench->length, 16);
    assert_true(crypto_aes_ecb(external_key, 16, CRYPTO_ENCIPHER, bench->data, 16, apdu + 5));
    return bench_apdu(bench, apdu, sizeof apdu);
}

struct iso_sm channel_mutual_key(uint8_t channel)
{
    struct iso_sm sm = {.channel = channel, .aes = true, .key_length = 16};

    bench_bytes("31C7E04B95D2A86F1E73BC0894AD5260", sm.enc, 16);
    bench_bytes("D80F6B3E92A1475CB7E41D239068FA15", sm.mac, 16);
    return sm;
}

void channel_mutual(struct bench *bench, uint8_t channel, struct iso_sm *sm)
{
    *sm = channel_mutual_key(channel);
    assert_int_equal(iso_authenticate(bench, CHANNEL_MUTUAL, sm), 0x9000);
}

uint16_t channel_issuer_open(struct bench *bench, uint8_t channel, const struct scp03_keys *keys,
                             uint8_t key_version, struct channel_issuer *issuer)
{
    static const uint8_t aid[] = {0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00, 0x00};
    const uint8_t begin[] = {0x80 | channel, 0x50, key_version, 0x00, 8, 8, 7, 6, 5, 4, 3, 2, 1, 0};
    struct problem problem;
    struct bytes apdu = {0};

    issuer->channel = channel;
    if (bench_apdu(bench, begin, sizeof begin - 1) != 0x9000) {
        return bench->sw;
    }
    assert_int_equal(scp03_begin(&issuer->scp03, keys, key_version, (struct part){aid, sizeof aid},
                                 (struct part){begin + 5, 8},
                                 (struct part){bench->data, bench->length}, &problem),
                     DONE);
    assert_true(scp03_authenticate(&issuer->scp03, 0x33, &apdu));
    apdu.data[0] |= channel;
    return bench_apdu(bench, apdu.data, apdu.length);
}

uint16_t channel_issuer_send(struct bench *bench, struct channel_issuer *issuer, const char *text)
{
    uint8_t bytes[BENCH_APDU_MAX] = {0};
    const size_t length = bench_bytes(text, bytes, sizeof bytes);
    const struct command command = {
        bytes[0], bytes[1], bytes[2], bytes[3], bytes + 5, length > 5 ? length - 5 : 0, 256};
    struct bytes apdu = {0};

    assert_true(scp03_wrap(&issuer->scp03, &command, &apdu));
    apdu.data[0] |= issuer->channel; /* which its MAC does not cover (6.2.4) */
    (void)bench_apdu(bench, apdu.data, apdu.length);
    return scp03_unwrap(&issuer->scp03, bench->sw, bench->data, &bench->length) ? bench->sw : 0;
}
