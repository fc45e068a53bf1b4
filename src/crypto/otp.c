/* SPDX-License-Identifier: Apache-2.0
 *
 * HOTP and TOTP (otp.h).
 */
#include "otp.h"

uint32_t cos_otp_truncate(const uint8_t *mac, size_t length)
{
    return cos_get32(mac + (mac[length - 1] & 0x0FU)) & 0x7FFFFFFFU;
}

void cos_otp_digits(uint32_t value, size_t digits, uint8_t *password)
{
    while (digits > 0) {
        password[--digits] = (uint8_t)('0' + value % 10);
        value /= 10;
    }
}

enum cos_result cos_hotp(const struct cos_crypto *crypto, enum cos_hash which, struct cos_span key,
                         uint64_t counter, size_t digits, uint8_t *password)
{
    uint8_t text[8], mac[COS_HASH_MAX];
    const struct cos_span part = {text, sizeof text};

    COS_CHECK(digits >= COS_OTP_DIGITS_MIN && digits <= COS_OTP_DIGITS_MAX, COS_E_DATA);
    cos_put32(text, (uint32_t)(counter >> 32));
    cos_put32(text + 4, (uint32_t)counter);
    COS_TRY(crypto->hmac(crypto->context, which, key.data, key.length, &part, 1, mac));
    cos_otp_digits(cos_otp_truncate(mac, cos_hash_size(which)), digits, password);
    cos_wipe(mac, sizeof mac);
    return COS_OK;
}

enum cos_result cos_totp(const struct cos_crypto *crypto, enum cos_hash which, struct cos_span key,
                         uint64_t time, uint64_t start, uint32_t step, size_t digits,
                         uint8_t *password)
{
    COS_CHECK(step > 0 && time >= start, COS_E_DATA);
    return cos_hotp(crypto, which, key, (time - start) / step, digits, password);
}
