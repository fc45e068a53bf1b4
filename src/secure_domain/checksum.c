/* SPDX-License-Identifier: Apache-2.0
 *
 * COMPUTE and VERIFY CRYPTOGRAPHIC CHECKSUM (ISO/IEC 7816-8:2019, 11.6 and 11.9).
 */
#include "crypt.h"

#include "crypto/mac.h"

enum { RETAIL_MAC_KEY = 16 }; /* behind them K1 once more */

/* The key, or COS_E_CONDITIONS if nothing can be made with it. */
static enum cos_result load(struct operation *operation)
{
    struct cos_secure *secure = operation->secure;
    const struct object *key = &operation->key;
    const uint8_t *secret = secure->clear.secret;

    COS_TRY(cos_crypt_choose(operation, SCHEME_MAC, SCHEME_MAC));
    COS_TRY(cos_object_secret(secure, key, secure->clear.secret));
    COS_CHECK(key->algorithm != ALGORITHM_DES3 ||
                  cos_equal_secret(secret, secret + RETAIL_MAC_KEY, COS_DES_BLOCK) == COS_YES,
              COS_E_CONDITIONS);
    /* with SHA-256 HMAC was tested at the start */
    const bool other = key->algorithm == ALGORITHM_HMAC && key->format != COS_SHA256;
    return other ? cos_key_self_test(secure, COS_SELF_TEST_HASH) : COS_OK;
}

static enum cos_result compute(struct operation *operation, struct cos_span data,
                               uint8_t mac[COS_HASH_MAX], size_t *length)
{
    struct cos_secure *secure = operation->secure;
    const struct cos_crypto *crypto = secure->config.crypto;
    const struct object *key = &operation->key;
    const uint8_t *secret = secure->clear.secret;

    switch (key->algorithm) {
    case ALGORITHM_AES:
        *length = COS_AES_BLOCK;
        return crypto->aes_cmac(crypto->context, secret, key->length, &data, 1, mac);
    case ALGORITHM_DES3:
        *length = COS_DES_BLOCK;
        return cos_des_mac(crypto, COS_DES_MAC_3, COS_PADDING_2, secret, &data, 1, mac);
    case ALGORITHM_HMAC:
        *length = cos_hash_size((enum cos_hash)key->format);
        return crypto->hmac(crypto->context, (enum cos_hash)key->format, secret, key->length, &data,
                            1, mac);
    default:
        return COS_E_INVARIANT; /* no other key has this service */
    }
}

enum cos_result cos_pso_checksum(struct operation *operation)
{
    uint8_t *mac = operation->secure->clear.work;
    size_t length;

    COS_TRY(cos_crypt_take_key(operation, TEMPLATE_CHECKSUM, REFERENCE_COMPUTE, SERVICE_CHECKSUM));
    COS_TRY(load(operation));
    COS_TRY(cos_crypt_spend(operation));
    COS_TRY(compute(operation, operation->data, mac, &length));
    cos_write_bytes(operation->body, mac, length);
    return COS_OK;
}

enum cos_result cos_pso_verify_checksum(struct operation *operation)
{
    struct cos_secure *secure = operation->secure;
    struct object *key = &operation->key;
    uint8_t *mac = secure->clear.work;
    struct cos_span data, checksum;
    size_t length;

    COS_TRY(cos_crypt_take_key(operation, TEMPLATE_CHECKSUM, REFERENCE_VERIFY,
                               SERVICE_VERIFY_CHECKSUM));
    COS_TRY(cos_crypt_read_pair(operation->data, TAG_PLAIN, TAG_CHECKSUM_VALUE, &data, &checksum));
    COS_TRY(load(operation));
    COS_CHECK(key->tries_max == 0 || key->tries_left > 0, COS_E_METHOD_BLOCKED);
    COS_TRY(cos_crypt_spend(operation));
    COS_TRY(cos_object_spend(secure, key));
    COS_TRY(compute(operation, data, mac, &length));
    const cos_truth right =
        checksum.length == length ? cos_equal_secret(mac, checksum.data, length) : COS_NO;
    COS_CHECK(right == COS_YES,
              key->tries_max != 0 ? cos_tries_left(key->tries_left) : COS_E_AUTHENTICATION);
    return cos_object_restore(secure, key);
}
