/* SPDX-License-Identifier: Apache-2.0
 *
 * A finished card with an application that channels share, and the terminals' and the issuer's
 * secure messaging on any of the channels 0 to 3.
 */
#ifndef CHANNEL_CARD_H
#define CHANNEL_CARD_H

#include "card_table.h"
#include "iso_sm.h"

/* DF 5300 with this name, shareable; EF 6000 (SFI 1), shareable, written by all and read after PIN
 * 1; EF 6001 (SFI 2), not shareable, open to all; EF 6002 (SFI 3), shareable, read after key 3. PIN
 * 1 "1234", mutual key 5 (AES), external key 3 (AES). */
#define CHANNEL_NAME      "0A F05457494E434F530102"
#define CHANNEL_SHARED(c) "0" #c "A4040C " CHANNEL_NAME
#define CHANNEL_MUTUAL    0x85

/* Makes a finished card one of these. */
void channel_card_fill(struct bench *bench);
/* Fixture: such a card, nothing selected, channel 0 open alone. */
int channel_card_make(void **state);
#define CHANNEL_TEST(function)                                                                     \
    cmocka_unit_test_setup_teardown(function, channel_card_make, card_free)

/* Opens the next channel, which must be this one, and selects the application on it. */
void channel_open(struct bench *bench, uint8_t channel);
/* The same command on another channel: the class byte of a command in hexadecimal, replaced. */
uint16_t channel_send(struct bench *bench, uint8_t channel, const char *apdu);
/* EXTERNAL AUTHENTICATE with key 3. */
uint16_t channel_authenticate(struct bench *bench, uint8_t channel);

/* The terminal's side of mutual key 5 before authentication; and behind it, which must succeed. */
struct iso_sm channel_mutual_key(uint8_t channel);
void channel_mutual(struct bench *bench, uint8_t channel, struct iso_sm *sm);

/* SCP03, level 33, on a channel. */
struct channel_issuer {
    uint8_t channel;
    struct scp03 scp03;
};
uint16_t channel_issuer_open(struct bench *bench, uint8_t channel, const struct scp03_keys *keys,
                             uint8_t key_version, struct channel_issuer *issuer);
/* One plain command (short, without Le) in it; class byte 00 or 80, and 10 for a part of a chain.
 * Returns the status word, 0 if the response is not authentic. */
uint16_t channel_issuer_send(struct bench *bench, struct channel_issuer *issuer, const char *apdu);

#endif
