/* SPDX-License-Identifier: Apache-2.0
 *
 * Forms of a PIN.
 */
#include "pin.h"

/* A nibble each, and F for what is left of the last byte. */
static void digits_packed(struct bytes *to, struct part digits)
{
    for (size_t i = 0; i < digits.length; i += 2) {
        const unsigned low = i + 1 < digits.length ? digits.data[i + 1] & 0x0FU : 0x0FU;
        bytes_add8(to, (digits.data[i] & 0x0FU) << 4 | low);
    }
}

void pin_encode(struct bytes *to, uint8_t format, struct part digits)
{
    const size_t start = to->length;
    size_t size = 0;
    switch (format & 0x0F) {
    case PIN_FORM_BCD:
        digits_packed(to, digits);
        break;
    case PIN_FORM_BLOCK:
        size = 8;
        bytes_add8(to, 0x20U | (unsigned)digits.length);
        digits_packed(to, digits);
        to->failed |= digits.length < 4 || digits.length > 12;
        break;
    default:
        size = (format & 0x0F) == PIN_FORM_PADDED ? (format >> 4) + 1U : 0;
        bytes_add(to, digits.data, digits.length);
        break;
    }
    to->failed |= size != 0 && to->length - start > size;
    while (!to->failed && to->length - start < size) {
        bytes_add8(to, 0xFF);
    }
}
