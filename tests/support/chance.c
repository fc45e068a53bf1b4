/* SPDX-License-Identifier: Apache-2.0 */
#include "chance.h"

#include <string.h>

static uint8_t next[COS_SHA256_SIZE];
static size_t next_length;

/* A number is drawn from a new V, the HMAC of the old one and of nothing else (SP 800-90A
 * 10.1.2.5, step 4.1). */
static enum cos_result hmac(void *context, enum cos_hash which, const uint8_t *key,
                            size_t key_length, const struct cos_span *parts, size_t count,
                            uint8_t *mac)
{
    enum cos_result result =
        cos_crypto_tomcrypt.hmac(context, which, key, key_length, parts, count, mac);

    if (count == 1) {
        memcpy(mac, next, next_length);
        next_length = 0;
    }
    return result;
}

void chance_take(struct bench *bench)
{
    static struct cos_crypto crypto;

    crypto = cos_crypto_tomcrypt;
    crypto.hmac = hmac;
    bench->secure.drbg.crypto = &crypto;
    next_length = 0;
}

void chance_next(const uint8_t *bytes, size_t length)
{
    memcpy(next, bytes, length);
    next_length = length;
}
