/* SPDX-License-Identifier: Apache-2.0
 *
 * The libtomcrypt provider's elliptic curves: keys, ECDSA, ECDH. The points are in tomcrypt_point.c
 * and the curves' parameters are libtomcrypt's. Its own functions on keys are not used: they want a
 * generator from a global table, and the sum of two opposite points is twice the first one to them.
 */
#include "tomcrypt_point.h"
#include "tomcrypt_provider.h"

#define DIGEST_MIN 20U

/* Numbers of an operation, beside those of the curve. */
enum { D, K, E, R, S, B, T, U, COUNT };

/* The curve and the numbers; both are freed by finish() whatever this returns. */
static enum cos_result begin(struct ec_curve *curve, enum cos_curve which, mp_int number[COUNT])
{
    enum cos_result result = cos_tomcrypt_curve(curve, which);
    enum cos_result allocated = cos_tomcrypt_allocate(number, COUNT, 8 * COS_EC_MAX);
    return result == COS_OK ? allocated : result;
}

static void finish(struct ec_curve *curve, mp_int number[COUNT])
{
    cos_tomcrypt_free(number, COUNT);
    cos_tomcrypt_curve_free(curve);
}

/* A number from 1 to n - 1. COS_E_DATA. */
static enum cos_result get_scalar(const struct ec_curve *curve, const uint8_t *bytes,
                                  mp_int *number)
{
    COS_TRY(cos_tomcrypt_get(number, (struct cos_span){bytes, curve->size}));
    COS_CHECK(!mp_iszero(number) && mp_cmp_mag(number, &curve->n) == MP_LT, COS_E_DATA);
    return COS_OK;
}

/* The public key of number[D]. */
static enum cos_result put_public(struct ec_curve *curve, const struct cos_random *random,
                                  const mp_int *scalar, uint8_t *point)
{
    struct ec_point q;
    enum cos_result result = cos_tomcrypt_point(&q);
    STEP_TRY(result, cos_tomcrypt_point_multiply(curve, random, scalar, &curve->g, &q));
    STEP_TRY(result, cos_tomcrypt_point_put(curve, &q, point));
    cos_tomcrypt_point_free(&q);
    return result;
}

enum cos_result cos_tomcrypt_ec_generate(void *context, enum cos_curve which,
                                         const struct cos_random *random, uint8_t *key,
                                         uint8_t *point)
{
    struct ec_curve curve;
    mp_int number[COUNT];
    (void)context;
    enum cos_result result = begin(&curve, which, number);
    STEP_TRY(result, cos_tomcrypt_draw_below(random, &curve.n, &number[D]));
    STEP_TRY(result, put_public(&curve, random, &number[D], point));
    STEP_TRY(result, cos_tomcrypt_put(&number[D], key, curve.size));
    finish(&curve, number);
    return result;
}

enum cos_result cos_tomcrypt_ec_public(void *context, enum cos_curve which,
                                       const struct cos_random *random, const uint8_t *key,
                                       uint8_t *point)
{
    struct ec_curve curve;
    mp_int number[COUNT];
    (void)context;
    enum cos_result result = begin(&curve, which, number);
    STEP_TRY(result, get_scalar(&curve, key, &number[D]));
    STEP_TRY(result, put_public(&curve, random, &number[D], point));
    finish(&curve, number);
    return result;
}

enum cos_result cos_tomcrypt_ec_check(void *context, enum cos_curve which, const uint8_t *key,
                                      const uint8_t *point)
{
    struct ec_curve curve;
    struct ec_point q;
    mp_int number[COUNT];
    (void)context;
    enum cos_result result = begin(&curve, which, number);
    if (key != NULL) {
        STEP_TRY(result, get_scalar(&curve, key, &number[D]));
    }
    enum cos_result allocated = cos_tomcrypt_point(&q);
    STEP_TRY(result, allocated);
    if (point != NULL) {
        STEP_TRY(result, cos_tomcrypt_point_get(&curve, point, &q));
    }
    cos_tomcrypt_point_free(&q);
    finish(&curve, number);
    return result;
}

/* ---- ECDH */

enum cos_result cos_tomcrypt_ec_agree(void *context, enum cos_curve which,
                                      const struct cos_random *random, const uint8_t *key,
                                      const uint8_t *point, uint8_t *secret)
{
    struct ec_curve curve;
    struct ec_point q;
    mp_int number[COUNT];
    uint8_t product[COS_EC_POINT_MAX];
    (void)context;
    enum cos_result result = begin(&curve, which, number);
    enum cos_result allocated = cos_tomcrypt_point(&q);
    STEP_TRY(result, allocated);
    STEP_TRY(result, get_scalar(&curve, key, &number[D]));
    STEP_TRY(result, cos_tomcrypt_point_get(&curve, point, &q));
    STEP_TRY(result, cos_tomcrypt_point_multiply(&curve, random, &number[D], &q, &q));
    STEP_TRY(result, cos_tomcrypt_point_put(&curve, &q, product));
    if (result == COS_OK) {
        memcpy(secret, product + 1, curve.size);
    }
    cos_wipe(product, sizeof product);
    cos_tomcrypt_point_free(&q);
    finish(&curve, number);
    return result;
}

/* ---- ECDSA */

/* FIPS 186-5, 6.4.1, step 2. Only P-521 has an order that does not end with a byte, and it is
 * longer than any digest. */
static enum cos_result get_digest(const struct ec_curve *curve, const uint8_t *digest,
                                  size_t length, mp_int *number)
{
    COS_CHECK(length >= DIGEST_MIN && length <= COS_HASH_MAX, COS_E_CRYPTO);
    length = length < curve->size ? length : curve->size;
    return cos_tomcrypt_get(number, (struct cos_span){digest, length});
}

/* x of number[K] G, mod n, to number[R]. */
static enum cos_result point_to_r(struct ec_curve *curve, const struct cos_random *random,
                                  mp_int number[COUNT])
{
    uint8_t point[COS_EC_POINT_MAX];
    enum cos_result result = put_public(curve, random, &number[K], point);
    STEP_TRY(result, cos_tomcrypt_get(&number[R], (struct cos_span){point + 1, curve->size}));
    STEP(result, mp_mod(&number[R], &curve->n, &number[R]));
    cos_wipe(point, sizeof point);
    return result;
}

/* s = k^-1 (e + r d), computed as (b k)^-1 (b e + b d r) with a random b, so that neither the
 * inversion nor a product with d has an operand that can be known. Key and k are not overwritten:
 * libtommath would free the old number as it is. */
static enum cos_result compute_s(const struct ec_curve *curve, const struct cos_random *random,
                                 mp_int number[COUNT])
{
    enum cos_result result = cos_tomcrypt_draw_below(random, &curve->n, &number[B]);
    STEP(result, mp_mulmod(&number[D], &number[B], &curve->n, &number[T]));
    STEP(result, mp_mulmod(&number[T], &number[R], &curve->n, &number[T]));
    STEP(result, mp_mulmod(&number[E], &number[B], &curve->n, &number[S]));
    STEP(result, mp_addmod(&number[S], &number[T], &curve->n, &number[T]));
    STEP(result, mp_mulmod(&number[K], &number[B], &curve->n, &number[U]));
    STEP(result, mp_invmod(&number[U], &curve->n, &number[U]));
    STEP(result, mp_mulmod(&number[U], &number[T], &curve->n, &number[S]));
    return result;
}

enum cos_result cos_tomcrypt_ec_sign(void *context, enum cos_curve which,
                                     const struct cos_random *random, const uint8_t *key,
                                     const uint8_t *digest, size_t digest_length,
                                     uint8_t *signature)
{
    struct ec_curve curve;
    mp_int number[COUNT];
    (void)context;
    enum cos_result result = begin(&curve, which, number);
    STEP_TRY(result, get_scalar(&curve, key, &number[D]));
    STEP_TRY(result, get_digest(&curve, digest, digest_length, &number[E]));
    STEP_TRY(result, cos_tomcrypt_draw_below(random, &curve.n, &number[K]));
    STEP_TRY(result, point_to_r(&curve, random, number));
    STEP_TRY(result, compute_s(&curve, random, number));
    /* Once in 2^256 signatures the standard wants another k; here that one fails. */
    STEP_CHECK(result, !mp_iszero(&number[R]) && !mp_iszero(&number[S]), COS_E_CRYPTO);
    STEP_TRY(result, cos_tomcrypt_put(&number[R], signature, curve.size));
    STEP_TRY(result, cos_tomcrypt_put(&number[S], signature + curve.size, curve.size));
    finish(&curve, number);
    return result;
}

/* FIPS 186-5, 6.4.2, steps 4 to 8: the x-coordinate of u G + v Q, mod n, to number[T]; 0 for the
 * point at infinity, which is no r. Nothing here is secret. */
static enum cos_result verify_point(struct ec_curve *curve, struct ec_point *q,
                                    mp_int number[COUNT])
{
    struct ec_point sum;
    uint8_t point[COS_EC_POINT_MAX];
    enum cos_result result = cos_tomcrypt_point(&sum);
    STEP(result, mp_invmod(&number[S], &curve->n, &number[T]));
    STEP(result, mp_mulmod(&number[E], &number[T], &curve->n, &number[K]));
    STEP(result, mp_mulmod(&number[R], &number[T], &curve->n, &number[D]));
    STEP_TRY(result, cos_tomcrypt_point_multiply(curve, NULL, &number[K], &curve->g, &sum));
    STEP_TRY(result, cos_tomcrypt_point_multiply(curve, NULL, &number[D], q, q));
    STEP_TRY(result, cos_tomcrypt_point_add(curve, &sum, q, &sum));
    mp_zero(&number[T]);
    if (result == COS_OK && !mp_iszero(&sum.z)) {
        result = cos_tomcrypt_point_put(curve, &sum, point);
        STEP_TRY(result, cos_tomcrypt_get(&number[T], (struct cos_span){point + 1, curve->size}));
        STEP(result, mp_mod(&number[T], &curve->n, &number[T]));
    }
    cos_tomcrypt_point_free(&sum);
    return result;
}

enum cos_result cos_tomcrypt_ec_verify(void *context, enum cos_curve which, const uint8_t *point,
                                       const uint8_t *digest, size_t digest_length,
                                       const uint8_t *signature, cos_truth *valid)
{
    struct ec_curve curve;
    struct ec_point q;
    mp_int number[COUNT];
    (void)context;
    *valid = COS_NO;
    enum cos_result result = begin(&curve, which, number);
    enum cos_result allocated = cos_tomcrypt_point(&q);
    STEP_TRY(result, allocated);
    STEP_TRY(result, get_digest(&curve, digest, digest_length, &number[E]));
    STEP_TRY(result, cos_tomcrypt_point_get(&curve, point, &q));
    if (result == COS_OK) {
        enum cos_result scalars = get_scalar(&curve, signature, &number[R]);
        STEP_TRY(scalars, get_scalar(&curve, signature + curve.size, &number[S]));
        if (scalars == COS_OK) {
            result = verify_point(&curve, &q, number);
        }
        if (scalars == COS_OK && result == COS_OK && mp_cmp_mag(&number[T], &number[R]) == MP_EQ) {
            *valid = COS_YES;
        }
        if (scalars != COS_E_DATA) { /* numbers out of range are a wrong signature, no error */
            STEP_TRY(result, scalars);
        }
    }
    cos_tomcrypt_point_free(&q);
    finish(&curve, number);
    return result;
}
