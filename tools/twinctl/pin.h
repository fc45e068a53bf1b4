/* SPDX-License-Identifier: Apache-2.0
 *
 * PINs in the forms that a card wants them in.
 */
#ifndef TWINCTL_PIN_H
#define TWINCTL_PIN_H

#include "bytes.h"

/* Forms of a PIN; b8..b5 of a padded one: its bytes, less one (docs/formats.md, "Formats of PINs").
 */
enum pin_form {
    PIN_FORM_BYTES = 0x00,
    PIN_FORM_DIGITS = 0x01,
    PIN_FORM_PADDED = 0x02,
    PIN_FORM_BCD = 0x03,
    PIN_FORM_BLOCK = 0x04,
};
/* A PIN of ASCII digits as the card wants it; bytes and digits stay as they are. */
void pin_encode(struct bytes *to, uint8_t format, struct part digits);

#endif
