/* SPDX-License-Identifier: Apache-2.0 */
#include "pairing.h"

enum { WRAPPING_KEY = 16 };

/* The wrapping key is used for one message of this generation, so a constant nonce is sound. */
static const uint8_t nonce[COS_CCM_NONCE];

static enum cos_result wrapping_key(const struct cos_crypto *crypto,
                                    const uint8_t transport_key[16], const uint8_t *generation,
                                    uint8_t key[WRAPPING_KEY])
{
    static const uint8_t label[] = {'T', 'w', 'i', 'n', 'C', 'O', 'S', ' ',
                                    'p', 'a', 'i', 'r', 'i', 'n', 'g'};

    return cos_kdf(crypto, transport_key, 16, (struct cos_span){label, sizeof label},
                   (struct cos_span){generation, 1}, key, WRAPPING_KEY);
}

enum cos_result cos_pairing_wrap(const struct cos_crypto *crypto, const uint8_t transport_key[16],
                                 const uint8_t secret[COS_PAIRING_SECRET], uint8_t generation,
                                 uint8_t wrapped[COS_PAIRING_SECRET + COS_CCM_TAG])
{
    uint8_t key[WRAPPING_KEY];

    COS_TRY(wrapping_key(crypto, transport_key, &generation, key));
    memcpy(wrapped, secret, COS_PAIRING_SECRET);
    enum cos_result result =
        crypto->aes_ccm_seal(crypto->context, key, sizeof key, nonce, &generation, 1, wrapped,
                             COS_PAIRING_SECRET, wrapped + COS_PAIRING_SECRET);
    cos_wipe(key, sizeof key);
    return result;
}

enum cos_result cos_gate_unwrap_pairing(const struct cos_crypto *crypto,
                                        const uint8_t transport_key[16],
                                        const uint8_t wrapped[COS_PAIRING_SECRET + COS_CCM_TAG],
                                        uint8_t generation, uint8_t secret[COS_PAIRING_SECRET])
{
    uint8_t key[WRAPPING_KEY], tag[COS_CCM_TAG];

    COS_TRY(wrapping_key(crypto, transport_key, &generation, key));
    memcpy(secret, wrapped, COS_PAIRING_SECRET);
    enum cos_result result = crypto->aes_ccm_open(crypto->context, key, sizeof key, nonce,
                                                  &generation, 1, secret, COS_PAIRING_SECRET, tag);
    if (result == COS_OK &&
        cos_equal_secret(tag, wrapped + COS_PAIRING_SECRET, sizeof tag) != COS_YES) {
        result = COS_E_GATE_SESSION;
    }
    if (result != COS_OK) {
        cos_wipe(secret, COS_PAIRING_SECRET);
    }
    cos_wipe(key, sizeof key);
    return result;
}
