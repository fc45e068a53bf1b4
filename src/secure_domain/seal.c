/* SPDX-License-Identifier: Apache-2.0
 *
 * What lies enciphered in the security chip's store: secrets of objects and chunks of the vault,
 * by AES-CCM under the storage key (docs/design.md, "Sealing").
 */
#include "domain.h"

/* A count that was written never comes again. One whose write was torn does, but not with the same
 * fresh bytes. */
static void make_nonce(const struct sealing *sealing, const uint8_t fresh[SEAL_FRESH],
                       uint8_t nonce[COS_CCM_NONCE])
{
    enum { COUNT = 2, FRESH = COUNT + 4, KIND = FRESH + SEAL_FRESH };

    memset(nonce, 0, COS_CCM_NONCE);
    cos_put16(nonce, sealing->number);
    cos_put32(nonce + COUNT, sealing->count);
    memcpy(nonce + FRESH, fresh, SEAL_FRESH);
    nonce[KIND] = (uint8_t)sealing->kind;
}

enum cos_result cos_seal(struct cos_secure *secure, const struct sealing *sealing, uint8_t *bytes,
                         size_t length)
{
    const struct cos_crypto *crypto = secure->config.crypto;
    uint8_t *data = bytes + SEAL_FRESH, nonce[COS_CCM_NONCE];

    COS_TRY(cos_drbg_random(&secure->drbg, bytes, SEAL_FRESH));
    make_nonce(sealing, bytes, nonce);
    return crypto->aes_ccm_seal(crypto->context, secure->storage_key, COS_AES_KEY_MAX, nonce,
                                sealing->associated, sealing->associated_length, data, length,
                                data + length);
}

enum cos_result cos_unseal(const struct cos_secure *secure, const struct sealing *sealing,
                           uint8_t *bytes, size_t length)
{
    const struct cos_crypto *crypto = secure->config.crypto;
    uint8_t *data = bytes + SEAL_FRESH, nonce[COS_CCM_NONCE], tag[COS_CCM_TAG];

    make_nonce(sealing, bytes, nonce);
    enum cos_result result =
        crypto->aes_ccm_open(crypto->context, secure->storage_key, COS_AES_KEY_MAX, nonce,
                             sealing->associated, sealing->associated_length, data, length, tag);
    if (result == COS_OK && cos_equal_secret(data + length, tag, sizeof tag) != COS_YES) {
        result = COS_E_STORE_DAMAGED;
    }
    if (result != COS_OK) {
        cos_wipe(data, length);
    }
    return result;
}
