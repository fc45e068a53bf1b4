/* SPDX-License-Identifier: Apache-2.0
 *
 * What the fuzz targets share: a card with keys and PINs of every kind, the list of its secrets,
 * and a provider whose key pairs cost nothing.
 */
#ifndef FUZZ_RIG_H
#define FUZZ_RIG_H

#include "gate_rig.h"
#include "hunt.h"
#include "iso_sm.h"

/* Says what did not hold, and aborts. */
void rig_must(bool condition, const char *what);

/* Takes up to `length` bytes of an input. */
size_t rig_take(struct cos_reader *input, uint8_t *to, size_t length);

/* libtomcrypt's, but for RSA and curves, which are made of hashes: what is signed verifies, what is
 * enciphered deciphers, what is agreed on is the same on both sides, and nothing is secure. The
 * arithmetic is tested elsewhere; here it would take all of the time. */
const struct cos_crypto *rig_crypto(void);

/* Starts a card with that provider, and without the self-tests of what it replaces. */
bool rig_power_on(struct bench *bench);

/* The card of the bench's application, in use. PINs of the application: 1, 2 as ever; 3 padded, may
 * be disabled; 4 BCD, a transport PIN; 5 a PIN block of two uses; 6 disabled; global: 1. Keys of
 * the application: 1 to 3 as ever; 4 RSA (signs, deciphers, after PIN 1), 5 P-256 (signs, PIN 3 for
 * each use), 6 P-256 (agrees and signs, PIN 3, two uses), 7 RSA (signs, PIN 3, two uses), 8 P-256
 * (attests), 9 AES (ciphers, PIN 3, two uses), 10 AES (checksums, PIN 6), 11 3DES (ciphers, PIN 1),
 * 12 HMAC (verifies checksums, three tries), 13 HOTP and OCRA (PIN 3), 14 AES (mutual); global: 1
 * 3DES (mutual), 2 AES (internal, global PIN 1), 3 P-256 (not made yet, anybody makes and uses it),
 * 4 TOTP (global PIN 1). Vault: 5111 (read after PIN 3, written by the issuer), 5112 (read and
 * written after PIN 1). Power on, the application selected, nobody authenticated. */
void rig_make_card(struct bench *bench);
#define RIG_SELECT "00A40400 09 F05457494E434F5301"
/* PIN 3 of the application, 8 bytes, hexadecimal. */
#define RIG_PIN_3 "3733303536 31FFFF"

/* Puts every secret of such a card on the list: PINs, keys, also the parts of private ones, what
 * stands in 5112, and the keys of the chips. */
void rig_list_secrets(struct bench *bench, struct hunt *hunt);

/* The terminal's side of mutual key 14 of the application, before authentication. */
struct iso_sm rig_mutual_key(void);
#define RIG_MUTUAL 0x8E

#endif
