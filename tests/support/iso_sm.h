/* SPDX-License-Identifier: Apache-2.0
 *
 * A terminal's side of mutual authentication and of secure messaging of ISO/IEC 7816-4 (ICAO Doc
 * 9303-11), on OpenSSL: whole, and in pieces for those who want to put them together wrongly.
 */
#ifndef ISO_SM_H
#define ISO_SM_H

#include "bench.h"

struct iso_sm {
    uint8_t channel; /* 0 to 3 */
    bool aes;
    size_t key_length;        /* 16 (or 0); AES also 24, 32 */
    uint8_t enc[32], mac[32]; /* long-term keys before, session keys behind authentication */
    uint8_t ssc[16];          /* 3DES: 8 bytes */
    bool plain;               /* the last response was not protected */
};

size_t iso_block(const struct iso_sm *sm);

/* ---- Mutual authentication ---- */

/* Bytes of a seed, K.IFD and K.IC: 16, or 32 if the key has more than 16. */
size_t iso_seed(const struct iso_sm *sm);
/* Session key 1 (ENC) or 2 (MAC) from a seed. */
void iso_derive(const struct iso_sm *sm, const uint8_t *seed, uint8_t counter, uint8_t *key);
/* Data of MUTUAL AUTHENTICATE: E(RND.IFD || RND.IC || K.IFD), MAC. */
void iso_challenge(const struct iso_sm *sm, const uint8_t *rnd_ifd, const uint8_t *rnd_ic,
                   const uint8_t *k_ifd, struct bytes *data);
/* Takes the answer: the session keys and the counter. False if it is not the right card's. */
bool iso_accept(struct iso_sm *sm, const uint8_t *rnd_ifd, const uint8_t *rnd_ic,
                const uint8_t *k_ifd, const uint8_t *answer, size_t length);
/* The whole of it, with the long-term keys in *sm. Returns the status word of MUTUAL AUTHENTICATE;
 * 0 if the card does not prove the keys. */
uint16_t iso_authenticate(struct bench *bench, uint8_t reference, struct iso_sm *sm);

/* ---- Secure messaging ---- */

void iso_step(struct iso_sm *sm);
/* Adds 87, or for odd instructions 85. */
void iso_add_data(const struct iso_sm *sm, bool odd, const uint8_t *data, size_t length,
                  struct bytes *objects);
/* Adds 8E over header and what stands in *objects. */
void iso_add_checksum(const struct iso_sm *sm, const uint8_t header[4], struct bytes *objects);
/* A protected command with these data objects: short, with Le 00. */
void iso_finish(const struct command *command, const struct bytes *objects, struct bytes *apdu);
/* Protects a command; class 00 becomes 0C. */
void iso_wrap(struct iso_sm *sm, const struct command *command, struct bytes *apdu);
/* Checks and opens a response. */
bool iso_unwrap(struct iso_sm *sm, bool odd, const uint8_t *data, size_t length, uint16_t sw,
                struct bytes *plain);
/* Sends a plain command (short, hexadecimal) protected; the plain response is in the bench
 * afterwards. Returns its status word; 0 if it is protected, but not authentic. */
uint16_t iso_send(struct bench *bench, struct iso_sm *sm, const char *apdu);
uint16_t iso_send_command(struct bench *bench, struct iso_sm *sm, const struct command *command);

#endif
