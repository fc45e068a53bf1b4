/* SPDX-License-Identifier: Apache-2.0
 *
 * The host's side of GlobalPlatform SCP03 (Card Specification, Amendment D): modes S8 and S16, card
 * challenge pseudo-random or by chance, MAC and encipherment of commands and responses as the level
 * says.
 */
#ifndef TWINCTL_SCP03_H
#define TWINCTL_SCP03_H

#include "apdu.h"
#include "crypto.h"
#include "problem.h"

#define SCP03_KEY_MAX   32U
#define SCP03_CHALLENGE 8U  /* of mode S8 */
#define SCP03_LONG      16U /* of mode S16 */
/* Answer to INITIALIZE UPDATE: diversification (10), KVN, 03, i, challenge, cryptogram, sequence
 * counter (3, if the challenge is pseudo-random). */
#define SCP03_BEGIN_LENGTH     32U
#define SCP03_BEGIN_LENGTH_S16 48U
#define SCP03_SEQUENCE         3U

/* Bits of a security level. */
enum scp03_level {
    SCP03_C_MAC = 0x01,
    SCP03_C_MAC_C_ENC = 0x03,
    SCP03_R_MAC = 0x10,
    SCP03_R_ENC = 0x20,
};

struct scp03_keys {
    size_t length; /* of each: 16, 24 or 32 */
    uint8_t enc[SCP03_KEY_MAX], mac[SCP03_KEY_MAX], dek[SCP03_KEY_MAX];
};

struct scp03 {
    uint8_t level; /* in force for the next command */
    size_t key_length;
    size_t mac_length; /* and of challenges and cryptograms: 8, 16 in mode S16 */
    uint8_t s_enc[SCP03_KEY_MAX], s_mac[SCP03_KEY_MAX], s_rmac[SCP03_KEY_MAX];
    uint8_t host_cryptogram[SCP03_LONG];
    uint8_t chaining[AES_BLOCK];
    uint32_t counter; /* of commands after EXTERNAL AUTHENTICATE */
};

/* Takes the answer to INITIALIZE UPDATE, without its status word: derives the session keys, and
 * proves that the card has the keys: its cryptogram, and its challenge, which, if it is
 * pseudo-random, must be the one that sequence counter and `aid` (of the security domain) make. The
 * length of the host's challenge says the mode. REFUSED if not; TROUBLE if OpenSSL fails. */
enum outcome scp03_begin(struct scp03 *scp03, const struct scp03_keys *keys, uint8_t key_version,
                         struct part aid, struct part host_challenge, struct part answer,
                         struct problem *problem);

/* Writes the EXTERNAL AUTHENTICATE command that opens the session at `level`. */
bool scp03_authenticate(struct scp03 *scp03, uint8_t level, struct bytes *apdu);

/* Wraps a command: CLA | 04, data enciphered, MAC behind them. False if the data are too long
 * (247 bytes at level 01, 239 at level 03; mode S16: 239 both) or OpenSSL fails. */
bool scp03_wrap(struct scp03 *scp03, const struct command *command, struct bytes *apdu);

/* Checks and opens the response to the last command that was wrapped, in place. False if it is not
 * authentic. Error status words come without any protection (6.2.5). */
bool scp03_unwrap(struct scp03 *scp03, uint16_t sw, uint8_t *data, size_t *length);

void scp03_close(struct scp03 *scp03);

/* Key check value of an AES key: first three bytes of E(16 x 01). */
bool scp03_check_value(const uint8_t *key, size_t key_length, uint8_t check_value[3]);

/* Data of PUT KEY for a whole set: key version number, then each key enciphered under the DEK of
 * the set in force. The new keys are AES-128, `dek` has dek_length bytes. */
bool scp03_put_key(const uint8_t *dek, size_t dek_length, uint8_t key_version,
                   const struct scp03_keys *keys, struct bytes *data);

#endif
