/* SPDX-License-Identifier: Apache-2.0
 *
 * One-time passwords by INTERNAL AUTHENTICATE: HOTP, TOTP, OCRA (RFC 4226, 6238, 6287). The data
 * field says which of them, and the key which it may be (docs/formats.md, "One-time passwords").
 */
#include "domain.h"

#include "crypto/otp.h"

enum {
    MOVING_FACTOR = 8, /* bytes; what else comes is longer, or nothing */
    TAG_SUITE = 0x80,
    TAG_CHALLENGE = 0x81,
    TAG_PIN_DIGEST = 0x82,
    TAG_SESSION = 0x83,
    TAG_TIME = 0x84,
};

bool cos_one_time_consistent(const struct object *key)
{
    const uint8_t both = ONE_TIME_HOTP | ONE_TIME_TOTP;

    return key->shortest >= ONE_TIME_DIGITS && key->shortest <= ONE_TIME_DIGITS_MAX &&
           key->longest != 0 && (key->longest & ~(both | ONE_TIME_OCRA)) == 0 &&
           (key->longest & both) != both;
}

/* Pays for the password; what its counter was is never used again. All in one write, which comes
 * before the password. */
static enum cos_result pay(struct cos_secure *secure, uint8_t channel, struct object *key,
                           bool counts)
{
    if (counts) {
        COS_CHECK(key->counter != UINT32_MAX, COS_E_CONDITIONS);
        key->counter++;
    }
    COS_TRY(cos_key_spend(secure, channel, key));
    return counts && key->uses_left == USES_UNLIMITED ? cos_object_write(secure, key) : COS_OK;
}

static uint64_t read64(const uint8_t *bytes)
{
    return (uint64_t)cos_get32(bytes) << 32 | cos_get32(bytes + 4);
}

/* ---- HOTP and TOTP ---- */

/* The moving factor is the key's counter if none is given. */
static enum cos_result hotp(struct cos_secure *secure, uint8_t channel, struct object *key,
                            struct cos_span given, struct cos_writer *body)
{
    const uint64_t factor = given.length != 0 ? read64(given.data) : key->counter;
    const struct cos_span secret = {secure->clear.secret, key->length};
    uint8_t *password = cos_write_room(body, key->shortest);

    COS_INVARIANT(password != NULL);
    COS_TRY(cos_object_secret(secure, key, secure->clear.secret));
    COS_TRY(pay(secure, channel, key, given.length == 0));
    return cos_hotp(secure->config.crypto, (enum cos_hash)key->format, secret, factor,
                    key->shortest, password);
}

/* ---- OCRA ---- */

/* Suite and challenge, then what the suite asks for, in the order of the tags, each once at most.
 */
static enum cos_result read_ocra(struct cos_span data, struct cos_span *suite,
                                 struct cos_ocra_input *input, struct cos_span *time)
{
    struct cos_reader reader = cos_reader(data.data, data.length);
    struct cos_span *const fields[] = {suite, &input->challenge, &input->pin_hash, &input->session,
                                       time};
    struct cos_tlv tlv;
    uint32_t least = TAG_SUITE;
    enum cos_result result;

    while ((result = cos_tlv_next(&reader, &tlv)) == COS_OK) {
        COS_CHECK(tlv.tag >= least && tlv.tag <= TAG_TIME && tlv.length != 0, COS_E_DATA);
        *fields[tlv.tag - TAG_SUITE] = (struct cos_span){tlv.value, tlv.length};
        least = tlv.tag + 1;
    }
    COS_CHECK(result == COS_E_END_OF_DATA && suite->length != 0, COS_E_DATA);
    if (time->length != 0) {
        COS_CHECK(time->length == MOVING_FACTOR, COS_E_DATA);
        input->time = read64(time->data);
    }
    return COS_OK;
}

static enum cos_result ocra(struct cos_secure *secure, uint8_t channel, struct object *key,
                            struct cos_span data, struct cos_writer *body)
{
    const struct cos_crypto *crypto = secure->config.crypto;
    const struct cos_span secret = {secure->clear.secret, key->length};
    struct cos_ocra_input input = {.counter = key->counter};
    struct cos_span text = {NULL, 0}, time = {NULL, 0};
    struct cos_ocra_suite suite;
    uint8_t *password = cos_write_room(body, COS_OCRA_PASSWORD_MAX);

    COS_INVARIANT(password != NULL);
    COS_TRY(read_ocra(data, &text, &input, &time));
    COS_TRY(cos_ocra_check(text, &input, &suite));
    COS_CHECK((suite.step != 0) == (time.length != 0), COS_E_DATA);
    COS_CHECK(suite.hash == (enum cos_hash)key->format, COS_E_CONDITIONS);
    COS_TRY(cos_object_secret(secure, key, secure->clear.secret));
    COS_TRY(pay(secure, channel, key, suite.counter));
    return cos_ocra(crypto, text, secret, &input, password, &body->length);
}

enum cos_result cos_one_time_password(struct cos_secure *secure, uint8_t channel,
                                      struct object *key, struct cos_span data,
                                      struct cos_writer *body)
{
    const uint8_t kind = data.length == 0               ? ONE_TIME_HOTP
                         : data.length == MOVING_FACTOR ? ONE_TIME_TOTP
                                                        : ONE_TIME_OCRA;

    COS_TRY(cos_key_may(secure, channel, key, SERVICE_OTP));
    COS_CHECK((key->longest & kind) != 0, COS_E_CONDITIONS);
    if (key->format != COS_SHA256) { /* which was tested at the start */
        COS_TRY(cos_key_self_test(secure, COS_SELF_TEST_HASH));
    }
    return kind == ONE_TIME_OCRA ? ocra(secure, channel, key, data, body)
                                 : hotp(secure, channel, key, data, body);
}
