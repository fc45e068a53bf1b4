/* SPDX-License-Identifier: Apache-2.0
 *
 * Formats of PINs against an encoder that is not the card's (twinctl's): a value is a PIN if and
 * only if it is what some digits are encoded as.
 */
#include "secure_domain/domain.h"
#include "sim_nvm.h"

#include "twinctl/pin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { VALUES = 400000 };

/* The digits that the value has if it is a PIN: as far as they go. */
static size_t read_digits(uint8_t format, const uint8_t *value, size_t length, uint8_t *digits)
{
    const uint8_t kind = format & 0x0F;
    size_t count = 0;

    if (kind == PIN_FORM_DIGITS || kind == PIN_FORM_PADDED) {
        while (count < length && value[count] >= '0' && value[count] <= '9') {
            digits[count] = value[count];
            count++;
        }
        return count;
    }
    for (size_t i = kind == PIN_FORM_BLOCK ? 2 : 0; i < 2 * length; i++) {
        const unsigned nibble = i % 2 == 0 ? value[i / 2] >> 4 : value[i / 2] & 0x0FU;
        if (nibble > 9) {
            break;
        }
        digits[count++] = (uint8_t)('0' + nibble);
    }
    return count;
}

static bool is_pin(const struct object *pin, const uint8_t *value, size_t length)
{
    uint8_t digits[64];
    struct bytes encoded = {0};
    const size_t count = read_digits(pin->format, value, length, digits);

    pin_encode(&encoded, pin->format, (struct part){digits, count});
    return !encoded.failed && count >= pin->shortest && count <= pin->longest &&
           encoded.length == length && memcmp(encoded.data, value, length) == 0;
}

/* A PIN, or one with a byte changed, cut or added. */
static size_t vary(uint64_t *seed, const struct object *pin, uint8_t value[64])
{
    static const uint8_t likely[] = {0xFF, 0x00, 0x30, 0x39, 0x3A, 0x2F, 0xF0, 0x0F, 0x9A, 0xA9};
    uint8_t digits[40];
    struct bytes encoded = {0};
    const size_t count = 1 + sim_below(seed, pin->longest + 1U);

    for (size_t i = 0; i < count; i++) {
        digits[i] = (uint8_t)('0' + sim_below(seed, 10));
    }
    pin_encode(&encoded, pin->format, (struct part){digits, count});
    size_t length = encoded.length < 40 ? encoded.length : 40;
    memcpy(value, encoded.data, length);
    switch (sim_below(seed, 4)) {
    case 0:
        value[sim_below(seed, (uint32_t)length)] = likely[sim_below(seed, sizeof likely)];
        break;
    case 1:
        value[sim_below(seed, (uint32_t)length)] = (uint8_t)sim_random(seed);
        break;
    case 2:
        value[length++] = likely[sim_below(seed, sizeof likely)];
        length -= sim_below(seed, 2) == 0 ? 2 : 0;
        break;
    default:
        break;
    }
    return length;
}

static const struct object pins[] = {
    {.format = 0x01, .shortest = 4, .longest = 8},  {.format = 0x01, .shortest = 1, .longest = 16},
    {.format = 0x72, .shortest = 6, .longest = 8},  {.format = 0xF2, .shortest = 1, .longest = 16},
    {.format = 0x03, .shortest = 4, .longest = 7},  {.format = 0x03, .shortest = 5, .longest = 6},
    {.format = 0x03, .shortest = 1, .longest = 32}, {.format = 0x04, .shortest = 4, .longest = 12},
    {.format = 0x04, .shortest = 6, .longest = 6},
};
#define PINS (sizeof pins / sizeof pins[0])

static void a_pin_is_what_digits_are_encoded_as(void **state)
{
    uint64_t seed = 0x50494E;
    uint8_t value[64];
    unsigned yes[PINS] = {0}, no[PINS] = {0};

    (void)state;
    for (unsigned i = 0; i < VALUES; i++) {
        const struct object *pin = &pins[i % PINS];
        const size_t length = vary(&seed, pin, value);
        const bool right = is_pin(pin, value, length);
        const enum cos_result result = cos_pin_check(pin, (struct cos_span){value, length});
        if ((result == COS_OK) != right ||
            (result != COS_OK && result != COS_E_LENGTH && result != COS_E_DATA)) {
            fail_msg("format %02X, %zu bytes, %02X %02X %02X ...: %d", pin->format, length,
                     value[0], value[1], value[2], (int)result);
        }
        *(right ? &yes[i % PINS] : &no[i % PINS]) += 1;
    }
    for (size_t i = 0; i < PINS; i++) {
        assert_true(yes[i] > 1000 && no[i] > 1000);
    }
    print_message("# %d values of %zu kinds of PINs\n", VALUES, PINS);
}

/* Whether all that may be presented has one length is told by the lengths that are not refused as
 * such. */
static void lengths_are_those_of_the_shortest_and_the_longest(void **state)
{
    static const uint8_t value[40];

    (void)state;
    for (size_t i = 0; i < PINS; i++) {
        unsigned lengths = 0;
        for (size_t length = 0; length <= sizeof value; length++) {
            lengths += cos_pin_check(&pins[i], (struct cos_span){value, length}) != COS_E_LENGTH;
        }
        assert_true(lengths >= 1);
        assert_int_equal(cos_pin_has_one_size(&pins[i]), lengths == 1);
    }
}

/* Every format byte with the limits that docs/formats.md gives it. */
static void formats_limit_the_lengths(void **state)
{
    unsigned valid = 0;

    (void)state;
    for (unsigned format = 0; format <= 0xFF; format++) {
        static const uint8_t most[] = {16, 16, 0, 32, 12};
        const unsigned kind = format & 0x0F, high = format >> 4;
        const bool exists = kind == PIN_FORM_PADDED || (high == 0 && kind <= PIN_FORM_BLOCK);
        const unsigned least = kind == PIN_FORM_BLOCK ? 4 : 1;
        for (unsigned shortest = 0; shortest <= 40; shortest++) {
            for (unsigned longest = 0; longest <= 255; longest++) {
                const struct object pin = {.format = (uint8_t)format,
                                           .shortest = (uint8_t)shortest,
                                           .longest = (uint8_t)longest};
                const unsigned limit = !exists                   ? 0
                                       : kind == PIN_FORM_PADDED ? high + 1
                                                                 : most[kind];
                const bool right =
                    exists && shortest >= least && shortest <= longest && longest <= limit;
                assert_int_equal(cos_pin_format_valid(&pin), right);
                valid += right;
            }
        }
    }
    print_message("# %u of %d combinations are valid\n", valid, 256 * 41 * 256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pin_is_what_digits_are_encoded_as),
        cmocka_unit_test(lengths_are_those_of_the_shortest_and_the_longest),
        cmocka_unit_test(formats_limit_the_lengths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
