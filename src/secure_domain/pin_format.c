/* SPDX-License-Identifier: Apache-2.0
 *
 * Formats of reference data (docs/formats.md, "Formats of PINs"). What is stored and compared is
 * what is sent: in each format a PIN has one form only.
 */
#include "domain.h"

enum { BLOCK_SIZE = 8, BLOCK_CONTROL = 0x20, BLOCK_SHORTEST = 4, BLOCK_LONGEST = 12 };

/* How many fillers may stand behind the digits, by format. */
static const uint8_t fillers[] = {
    [FORMAT_DIGITS] = 0, [FORMAT_PADDED] = COS_PIN_MAX, [FORMAT_BCD] = 1, [FORMAT_BLOCK] = 10};

/* Bytes that a PIN of so many characters takes. */
static size_t size_of(const struct object *pin, uint8_t characters)
{
    switch (pin->format & FORMAT_KIND) {
    case FORMAT_PADDED:
        return (pin->format >> 4) + 1U;
    case FORMAT_BCD:
        return (characters + 1U) / 2;
    case FORMAT_BLOCK:
        return BLOCK_SIZE;
    default:
        return characters;
    }
}

bool cos_pin_has_one_size(const struct object *pin)
{
    return size_of(pin, pin->shortest) == size_of(pin, pin->longest);
}

bool cos_pin_format_valid(const struct object *pin)
{
    const uint8_t kind = pin->format & FORMAT_KIND;

    if (pin->shortest < 1 || pin->shortest > pin->longest || kind > FORMAT_BLOCK ||
        size_of(pin, pin->longest) > COS_PIN_MAX) {
        return false;
    }
    if (kind == FORMAT_PADDED) {
        return pin->longest <= size_of(pin, pin->longest);
    }
    return pin->format == kind && (kind != FORMAT_BLOCK || (pin->shortest >= BLOCK_SHORTEST &&
                                                            pin->longest <= BLOCK_LONGEST));
}

enum cos_result cos_pin_check(const struct object *pin, struct cos_span value)
{
    const uint8_t kind = pin->format & FORMAT_KIND;
    const bool nibbles = kind == FORMAT_BCD || kind == FORMAT_BLOCK;
    const size_t places = nibbles ? 2 * value.length : value.length;
    const unsigned filler = nibbles ? 0x0FU : 0xFFU - '0';
    size_t digits = 0, behind = 0, place = kind == FORMAT_BLOCK ? 2 : 0;
    unsigned wrong = 0;

    COS_CHECK(value.length >= size_of(pin, pin->shortest) &&
                  value.length <= size_of(pin, pin->longest) && value.length <= COS_PIN_MAX,
              COS_E_LENGTH);
    if (kind == FORMAT_BYTES) {
        return COS_OK;
    }
    /* To the end in any case: the time does not tell how many digits there are. */
    for (; place < places; place++) {
        const uint8_t byte = value.data[nibbles ? place / 2 : place];
        const unsigned nibble = place % 2 == 0 ? byte >> 4 : byte & 0x0FU;
        const unsigned character = nibbles ? nibble : (uint8_t)(byte - '0');
        const unsigned digit = character <= 9, filled = character == filler;
        wrong |= (1U ^ digit ^ filled) | (digit & (unsigned)(behind != 0));
        digits += digit;
        behind += filled;
    }
    COS_CHECK(wrong == 0 && digits >= pin->shortest && digits <= pin->longest &&
                  behind <= fillers[kind] &&
                  (kind != FORMAT_BLOCK || value.data[0] == (BLOCK_CONTROL | digits)),
              COS_E_DATA);
    return COS_OK;
}
