/* SPDX-License-Identifier: Apache-2.0
 *
 * OCRA (otp.h).
 */
#include "otp.h"

/* ---- Suite */

/* Takes a word off the front of the text if it is there. */
static bool take_word(struct cos_span *text, const char *word)
{
    size_t length = 0;
    while (word[length] != '\0') {
        if (length == text->length || text->data[length] != (uint8_t)word[length]) {
            return false;
        }
        length++;
    }
    *text = (struct cos_span){text->data + length, text->length - length};
    return true;
}

/* Takes a decimal number of `least` to `most` digits off the front; false if there are fewer. */
static bool take_number(struct cos_span *text, size_t least, size_t most, size_t *number)
{
    size_t count = 0;
    *number = 0;
    while (count < most && count < text->length && text->data[count] >= '0' &&
           text->data[count] <= '9') {
        *number = *number * 10 + (size_t)(text->data[count++] - '0');
    }
    *text = (struct cos_span){text->data + count, text->length - count};
    return count >= least;
}

static bool take_hash(struct cos_span *text, enum cos_hash *hash)
{
    /* No name is the beginning of another one. */
    static const struct {
        const char *name;
        enum cos_hash hash;
    } hashes[] = {{"SHA1", COS_SHA1}, {"SHA256", COS_SHA256}, {"SHA512", COS_SHA512}};

    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++) {
        if (take_word(text, hashes[i].name)) {
            *hash = hashes[i].hash;
            return true;
        }
    }
    return false;
}

/* QFxx (6.3). */
static bool take_challenge(struct cos_span *text, struct cos_ocra_suite *suite)
{
    if (!take_word(text, "Q") || text->length == 0) {
        return false;
    }
    suite->format = text->data[0];
    if (!take_word(text, "N") && !take_word(text, "A") && !take_word(text, "H")) {
        return false;
    }
    return take_number(text, 2, 2, &suite->challenge) && suite->challenge >= 4 &&
           suite->challenge <= 64;
}

/* TG: a number from 1 on, without a leading zero, and its unit. */
static bool take_step(struct cos_span *text, struct cos_ocra_suite *suite)
{
    static const struct {
        const char *name;
        uint16_t seconds;
        uint8_t most;
    } units[] = {{"S", 1, 59}, {"M", 60, 59}, {"H", 3600, 48}};
    size_t number;

    if (text->length == 0 || text->data[0] == '0' || !take_number(text, 1, 2, &number)) {
        return false;
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (take_word(text, units[i].name)) {
            suite->step = (uint32_t)number * units[i].seconds;
            return number <= units[i].most;
        }
    }
    return false;
}

enum cos_result cos_ocra_parse(struct cos_span text, struct cos_ocra_suite *suite)
{
    *suite = (struct cos_ocra_suite){0};
    COS_CHECK(take_word(&text, "OCRA-1:HOTP-") && take_hash(&text, &suite->hash), COS_E_DATA);
    COS_CHECK(take_word(&text, "-"), COS_E_DATA);
    const bool whole = take_word(&text, "0");
    COS_CHECK(whole || (take_number(&text, 1, 2, &suite->digits) &&
                        suite->digits >= COS_OTP_DIGITS_MIN && suite->digits <= COS_OTP_DIGITS_MAX),
              COS_E_DATA);
    COS_CHECK(take_word(&text, ":"), COS_E_DATA);
    suite->counter = take_word(&text, "C-");
    COS_CHECK(take_challenge(&text, suite), COS_E_DATA);
    if (take_word(&text, "-P")) {
        suite->pin = true;
        COS_CHECK(take_hash(&text, &suite->pin_hash), COS_E_DATA);
    }
    if (take_word(&text, "-S")) {
        COS_CHECK(take_number(&text, 3, 3, &suite->session), COS_E_DATA);
        COS_CHECK(suite->session > 0 && suite->session <= COS_OCRA_SESSION_MAX, COS_E_DATA);
    }
    if (take_word(&text, "-T")) {
        COS_CHECK(take_step(&text, suite), COS_E_DATA);
    }
    COS_CHECK(text.length == 0, COS_E_DATA);
    return COS_OK;
}

/* ---- Challenge: 128 bytes, filled up with 00 */

static unsigned digit_of(const uint8_t *number, size_t at)
{
    return at % 2 == 0 ? (unsigned)number[at / 2] >> 4 : number[at / 2] & 0x0FU;
}

/* The number's hexadecimal digits without leading zeros, from the front of the field; an odd one is
 * followed by a 0 (RFC 6287, appendix A). */
static enum cos_result decimal_challenge(struct cos_span text, uint8_t field[128])
{
    uint8_t number[64] = {0}; /* 10^128 has 426 bits */
    size_t at = 0;

    for (size_t i = 0; i < text.length; i++) {
        COS_CHECK(text.data[i] >= '0' && text.data[i] <= '9', COS_E_DATA);
        unsigned carry = text.data[i] - (unsigned)'0';
        for (size_t j = sizeof number; j > 0; j--) {
            carry += number[j - 1] * 10U;
            number[j - 1] = (uint8_t)carry;
            carry >>= 8;
        }
    }
    while (at < 2 * sizeof number - 1 && digit_of(number, at) == 0) {
        at++; /* the last digit stays, be it 0 */
    }
    for (size_t to = 0; at < 2 * sizeof number; at++, to++) {
        field[to / 2] |= (uint8_t)(digit_of(number, at) << (to % 2 == 0 ? 4 : 0));
    }
    return COS_OK;
}

static enum cos_result hexadecimal_challenge(struct cos_span text, uint8_t field[128])
{
    for (size_t i = 0; i < text.length; i++) {
        const uint8_t character = text.data[i];
        unsigned digit;
        if (character >= '0' && character <= '9') {
            digit = character - (unsigned)'0';
        } else if ((character >= 'A' && character <= 'F') ||
                   (character >= 'a' && character <= 'f')) {
            digit = (character & 0x0FU) + 9;
        } else {
            return COS_E_DATA;
        }
        field[i / 2] |= (uint8_t)(digit << (i % 2 == 0 ? 4 : 0));
    }
    return COS_OK;
}

static enum cos_result fill_challenge(const struct cos_ocra_suite *suite, struct cos_span text,
                                      uint8_t field[128])
{
    COS_CHECK(text.length > 0 && text.length <= 2 * suite->challenge, COS_E_DATA);
    memset(field, 0, 128);
    if (suite->format == 'N') {
        return decimal_challenge(text, field);
    }
    if (suite->format == 'H') {
        return hexadecimal_challenge(text, field);
    }
    for (size_t i = 0; i < text.length; i++) {
        COS_CHECK(text.data[i] != 0, COS_E_DATA);
        field[i] = text.data[i];
    }
    return COS_OK;
}

/* ---- Password */

static void put64(uint8_t out[8], uint64_t value)
{
    cos_put32(out, (uint32_t)(value >> 32));
    cos_put32(out + 4, (uint32_t)value);
}

/* Reads the suite; whether the input is one for it; the challenge as it is hashed. */
static enum cos_result prepare(struct cos_span text, const struct cos_ocra_input *input,
                               struct cos_ocra_suite *suite, uint8_t challenge[128])
{
    COS_TRY(cos_ocra_parse(text, suite));
    COS_CHECK(input->pin_hash.length == (suite->pin ? cos_hash_size(suite->pin_hash) : 0),
              COS_E_DATA);
    COS_CHECK(input->session.length == suite->session, COS_E_DATA);
    return fill_challenge(suite, input->challenge, challenge);
}

enum cos_result cos_ocra_check(struct cos_span text, const struct cos_ocra_input *input,
                               struct cos_ocra_suite *suite)
{
    uint8_t challenge[128];

    return prepare(text, input, suite, challenge);
}

enum cos_result cos_ocra(const struct cos_crypto *crypto, struct cos_span text, struct cos_span key,
                         const struct cos_ocra_input *input, uint8_t *password, size_t *length)
{
    static const uint8_t zero = 0;
    struct cos_ocra_suite suite;
    uint8_t counter[8], challenge[128], time[8], mac[COS_HASH_MAX];

    COS_TRY(prepare(text, input, &suite, challenge));
    put64(counter, input->counter);
    put64(time, suite.step > 0 ? input->time / suite.step : 0);
    /* 5.1: suite, 00, C, Q, P, S, T */
    const struct cos_span parts[] = {
        text,
        {&zero, 1},
        {counter, suite.counter ? sizeof counter : 0},
        {challenge, sizeof challenge},
        input->pin_hash,
        input->session,
        {time, suite.step > 0 ? sizeof time : 0},
    };
    COS_TRY(crypto->hmac(crypto->context, suite.hash, key.data, key.length, parts, 7, mac));
    if (suite.digits == 0) {
        *length = cos_hash_size(suite.hash);
        memcpy(password, mac, *length);
    } else {
        *length = suite.digits;
        cos_otp_digits(cos_otp_truncate(mac, cos_hash_size(suite.hash)), suite.digits, password);
    }
    cos_wipe(mac, sizeof mac);
    return COS_OK;
}
