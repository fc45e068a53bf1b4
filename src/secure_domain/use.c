/* SPDX-License-Identifier: Apache-2.0
 *
 * May this key do that now? Asked before each operation with a key reference, and paid for before
 * the operation is done.
 */
#include "domain.h"

enum { SC_NUMBER = 0x0F };

bool cos_key_served(const struct cos_secure *secure, const struct object *key)
{
    const struct cos_crypto *crypto = secure->config.crypto;

    switch (key->algorithm) {
    case ALGORITHM_DES3:
        return crypto->des3_encrypt != NULL;
    case ALGORITHM_HMAC:
        /* What no provider has nobody stored: it shows when the secret is opened. */
        return key->format >= COS_HASHES || (crypto->hashes & 1U << key->format) != 0;
    default:
        return true;
    }
}

/* The PIN that the rule names must be verified anew for the next use. */
static void forget_user(struct cos_secure *secure, struct cos_channel *channel,
                        const struct object *key)
{
    const uint8_t number = key->use_rule & SC_NUMBER;
    const uint16_t others = (uint16_t) ~(1U << (number != 0 ? number : 1));

    channel->pins_global &= others;
    channel->pins_local &= others;
    secure->epoch++;
}

enum cos_result cos_key_may(const struct cos_secure *secure, uint8_t channel,
                            const struct object *key, enum object_service service)
{
    COS_CHECK((key->service & service) != 0, COS_E_CONDITIONS);
    return cos_key_ready(secure, channel, key);
}

enum cos_result cos_key_ready(const struct cos_secure *secure, uint8_t channel,
                              const struct object *key)
{
    COS_TRY(cos_status_require_of(secure, channel, key->context == CONTEXT_GLOBAL, key->use_rule));
    COS_CHECK(key->uses_left != 0 && cos_key_served(secure, key), COS_E_NOT_USABLE);
    return COS_OK;
}

enum cos_result cos_key_spend(struct cos_secure *secure, uint8_t channel, struct object *key)
{
    if ((key->flags & FLAG_EACH_USE) != 0) {
        forget_user(secure, &secure->channels[channel], key);
    }
    if (key->uses_left == USES_UNLIMITED) {
        return COS_OK;
    }
    key->uses_left--;
    return cos_object_write(secure, key);
}

enum cos_result cos_key_self_test(struct cos_secure *secure, unsigned which)
{
    if ((secure->tested & which) != which) {
        COS_TRY(cos_crypto_self_test_optional(secure->config.crypto, which));
        secure->tested = (uint16_t)(secure->tested | which);
    }
    return COS_OK;
}

static void idle(void *context)
{
    struct cos_secure *secure = context;

    cos_server_working(&secure->gate);
    cos_idle(secure->board);
}

struct cos_random cos_secure_random(struct cos_secure *secure)
{
    struct cos_random random = cos_drbg_source(&secure->drbg);

    random.idle_context = secure;
    random.idle = idle;
    return random;
}
