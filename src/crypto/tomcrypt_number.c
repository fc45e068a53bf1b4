/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers of the libtomcrypt provider (tomcrypt_number.h).
 */
#include "tomcrypt_number.h"

/* A drawn number is below the limit at least every second time: 2^-64. */
#define TRIES 64U

enum cos_result cos_tomcrypt_allocate(mp_int *numbers, size_t count, size_t bits)
{
    enum cos_result result = COS_OK;
    memset(numbers, 0, count * sizeof *numbers);
    for (size_t i = 0; i < count; i++) {
        STEP(result, mp_init_size(&numbers[i], (int)(2 * bits / MP_DIGIT_BIT + 4)));
    }
    return result;
}

void cos_tomcrypt_free(mp_int *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (numbers[i].dp != NULL) {
            cos_wipe(numbers[i].dp, (size_t)numbers[i].alloc * sizeof *numbers[i].dp);
        }
        mp_clear(&numbers[i]);
    }
}

enum cos_result cos_tomcrypt_get(mp_int *number, struct cos_span bytes)
{
    return mp_from_ubin(number, bytes.data, bytes.length) == MP_OKAY ? COS_OK : COS_E_CRYPTO;
}

enum cos_result cos_tomcrypt_put(const mp_int *number, uint8_t *bytes, size_t length)
{
    const size_t needed = mp_ubin_size(number);
    size_t written;
    COS_CHECK(needed <= length, COS_E_CRYPTO);
    memset(bytes, 0, length - needed);
    COS_CHECK(mp_to_ubin(number, bytes + (length - needed), needed, &written) == MP_OKAY,
              COS_E_CRYPTO);
    return COS_OK;
}

enum cos_result cos_tomcrypt_draw(const struct cos_random *random, size_t bits, mp_int *number)
{
    uint8_t bytes[COS_RSA_MAX];
    const size_t length = (bits + 7) / 8;
    COS_CHECK(length > 0 && length <= sizeof bytes, COS_E_CRYPTO);
    enum cos_result result = random->draw(random->context, bytes, length);
    bytes[0] &= (uint8_t)(0xFFU >> (8 * length - bits));
    STEP_TRY(result, cos_tomcrypt_get(number, (struct cos_span){bytes, length}));
    cos_wipe(bytes, sizeof bytes);
    return result;
}

enum cos_result cos_tomcrypt_draw_below(const struct cos_random *random, const mp_int *limit,
                                        mp_int *number)
{
    for (unsigned i = 0; i < TRIES; i++) {
        COS_TRY(cos_tomcrypt_draw(random, (size_t)mp_count_bits(limit), number));
        if (!mp_iszero(number) && mp_cmp_mag(number, limit) == MP_LT) {
            return COS_OK;
        }
    }
    return COS_E_CRYPTO;
}
