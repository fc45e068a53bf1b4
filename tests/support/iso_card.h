/* SPDX-License-Identifier: Apache-2.0
 *
 * A finished card with mutual keys: of the access application 5 (3DES), 6 (AES-128), 8 (AES-192)
 * and 9 (AES-256), global 3 (AES-128).
 */
#ifndef ISO_CARD_H
#define ISO_CARD_H

#include "card_table.h"
#include "iso_sm.h"

enum iso_key { ISO_DES3, ISO_AES, ISO_GLOBAL, ISO_AES_192, ISO_AES_256, ISO_KEYS };

/* Stores the keys; `attributes`: further data objects of each. The session is SCP03's. */
void iso_store_keys(struct bench *bench, const char *attributes);
/* The terminal's side of a key before authentication, and its reference. */
struct iso_sm iso_key_of(enum iso_key key);
uint8_t iso_reference_of(enum iso_key key);
/* Opens a session under a key, in the access application. */
void iso_open(struct bench *bench, enum iso_key key, struct iso_sm *sm);
/* One command in it; fails the test at once. */
void iso_expect(struct bench *bench, struct iso_sm *sm, const char *apdu, uint16_t sw,
                const char *data);
/* Fixture: a card with these keys. */
int iso_card_make(void **state);
#define ISO_TEST(function) cmocka_unit_test_setup_teardown(function, iso_card_make, card_free)

#endif
