/* SPDX-License-Identifier: Apache-2.0
 *
 * Points on the curves of the libtomcrypt provider (tomcrypt_point.h).
 */
#include "tomcrypt_point.h"

#include <tomcrypt.h>

#define FIELD_BITS (8U * COS_EC_MAX)

/* ---- Field, in Montgomery form: a R mod p */

static void multiply(struct ec_curve *curve, const mp_int *a, const mp_int *b, mp_int *product)
{
    if (curve->error == MP_OKAY) {
        curve->error = mp_mul(a, b, product);
    }
    if (curve->error == MP_OKAY) {
        curve->error = mp_montgomery_reduce(product, &curve->p, curve->rho);
    }
}

static void add(struct ec_curve *curve, const mp_int *a, const mp_int *b, mp_int *sum)
{
    if (curve->error == MP_OKAY) {
        curve->error = mp_add(a, b, sum);
    }
    if (curve->error == MP_OKAY && mp_cmp_mag(sum, &curve->p) != MP_LT) {
        curve->error = mp_sub(sum, &curve->p, sum);
    }
}

static void subtract(struct ec_curve *curve, const mp_int *a, const mp_int *b, mp_int *difference)
{
    if (curve->error == MP_OKAY) {
        curve->error = mp_sub(a, b, difference);
    }
    if (curve->error == MP_OKAY && mp_isneg(difference)) {
        curve->error = mp_add(difference, &curve->p, difference);
    }
}

/* The result of all since the last call. */
static enum cos_result verdict(struct ec_curve *curve)
{
    enum cos_result result = curve->error == MP_OKAY ? COS_OK : COS_E_CRYPTO;
    curve->error = MP_OKAY;
    return result;
}

static void to_montgomery(struct ec_curve *curve, mp_int *a)
{
    if (curve->error == MP_OKAY) {
        curve->error = mp_mulmod(a, &curve->one, &curve->p, a);
    }
}

static void from_montgomery(struct ec_curve *curve, mp_int *a)
{
    if (curve->error == MP_OKAY) {
        curve->error = mp_montgomery_reduce(a, &curve->p, curve->rho);
    }
}

/* ---- Memory */

enum cos_result cos_tomcrypt_point(struct ec_point *point)
{
    enum cos_result result;
    memset(point, 0, sizeof *point);
    result = cos_tomcrypt_allocate(&point->x, 1, FIELD_BITS);
    STEP_TRY(result, cos_tomcrypt_allocate(&point->y, 1, FIELD_BITS));
    STEP_TRY(result, cos_tomcrypt_allocate(&point->z, 1, FIELD_BITS));
    return result;
}

void cos_tomcrypt_point_free(struct ec_point *point)
{
    cos_tomcrypt_free(&point->x, 1);
    cos_tomcrypt_free(&point->y, 1);
    cos_tomcrypt_free(&point->z, 1);
}

static enum cos_result allocate(struct ec_curve *curve)
{
    enum cos_result result;
    memset(curve, 0, sizeof *curve);
    result = cos_tomcrypt_allocate(&curve->p, 1, FIELD_BITS);
    STEP_TRY(result, cos_tomcrypt_allocate(&curve->n, 1, FIELD_BITS));
    STEP_TRY(result, cos_tomcrypt_allocate(&curve->b, 1, FIELD_BITS));
    STEP_TRY(result, cos_tomcrypt_allocate(&curve->one, 1, FIELD_BITS));
    STEP_TRY(result, cos_tomcrypt_allocate(curve->t, TEMPORARIES, FIELD_BITS));
    STEP_TRY(result, cos_tomcrypt_point(&curve->g));
    return result;
}

void cos_tomcrypt_curve_free(struct ec_curve *curve)
{
    cos_tomcrypt_free(&curve->p, 1);
    cos_tomcrypt_free(&curve->n, 1);
    cos_tomcrypt_free(&curve->b, 1);
    cos_tomcrypt_free(&curve->one, 1);
    cos_tomcrypt_free(curve->t, TEMPORARIES);
    cos_tomcrypt_point_free(&curve->g);
}

/* ---- Curves */

/* libtomcrypt's parameters; NULL if it was built without them. */
static const ltc_ecc_set_type *parameters(size_t size)
{
    const ltc_ecc_set_type *set = ltc_ecc_sets;
    while (set->size != 0 && (size_t)set->size != size) {
        set++;
    }
    return set->size != 0 ? set : NULL;
}

enum cos_result cos_tomcrypt_curve(struct ec_curve *curve, enum cos_curve which)
{
    enum cos_result result = allocate(curve);
    const ltc_ecc_set_type *set;
    COS_CHECK(result == COS_OK && which < COS_CURVES, COS_E_CRYPTO);
    curve->size = cos_ec_size(which);
    set = parameters(curve->size);
    COS_CHECK(set != NULL, COS_E_CRYPTO);
    STEP(result, mp_read_radix(&curve->p, set->prime, 16));
    STEP(result, mp_read_radix(&curve->n, set->order, 16));
    STEP(result, mp_read_radix(&curve->b, set->B, 16));
    STEP(result, mp_read_radix(&curve->g.x, set->Gx, 16));
    STEP(result, mp_read_radix(&curve->g.y, set->Gy, 16));
    STEP(result, mp_montgomery_setup(&curve->p, &curve->rho));
    STEP(result, mp_montgomery_calc_normalization(&curve->one, &curve->p));
    STEP(result, mp_copy(&curve->one, &curve->g.z));
    COS_TRY(result);
    to_montgomery(curve, &curve->b);
    to_montgomery(curve, &curve->g.x);
    to_montgomery(curve, &curve->g.y);
    return verdict(curve);
}

/* y^2 = x^3 - 3 x + b */
static bool on_curve(struct ec_curve *curve, const mp_int *x, const mp_int *y)
{
    mp_int *left = &curve->t[0], *right = &curve->t[1];
    multiply(curve, y, y, left);
    multiply(curve, x, x, right);
    for (int i = 0; i < 3; i++) {
        subtract(curve, right, &curve->one, right);
    }
    multiply(curve, right, x, right);
    add(curve, right, &curve->b, right);
    return verdict(curve) == COS_OK && mp_cmp_mag(left, right) == MP_EQ;
}

enum cos_result cos_tomcrypt_point_get(struct ec_curve *curve, const uint8_t *bytes,
                                       struct ec_point *point)
{
    const struct cos_span x = {bytes + 1, curve->size}, y = {x.data + curve->size, curve->size};
    COS_CHECK(bytes[0] == 0x04, COS_E_DATA);
    COS_TRY(cos_tomcrypt_get(&point->x, x));
    COS_TRY(cos_tomcrypt_get(&point->y, y));
    COS_CHECK(mp_cmp_mag(&point->x, &curve->p) == MP_LT, COS_E_DATA);
    COS_CHECK(mp_cmp_mag(&point->y, &curve->p) == MP_LT, COS_E_DATA);
    COS_CHECK(mp_copy(&curve->one, &point->z) == MP_OKAY, COS_E_CRYPTO);
    to_montgomery(curve, &point->x);
    to_montgomery(curve, &point->y);
    COS_TRY(verdict(curve));
    COS_CHECK(on_curve(curve, &point->x, &point->y), COS_E_DATA);
    return COS_OK;
}

enum cos_result cos_tomcrypt_point_put(struct ec_curve *curve, const struct ec_point *point,
                                       uint8_t *bytes)
{
    mp_int *inverse = &curve->t[2], *x = &curve->t[3], *y = &curve->t[4];
    COS_CHECK(!mp_iszero(&point->z), COS_E_CRYPTO);
    COS_CHECK(mp_copy(&point->z, inverse) == MP_OKAY, COS_E_CRYPTO);
    from_montgomery(curve, inverse);
    COS_TRY(verdict(curve));
    COS_CHECK(mp_invmod(inverse, &curve->p, inverse) == MP_OKAY, COS_E_CRYPTO);
    to_montgomery(curve, inverse);
    multiply(curve, &point->x, inverse, x);
    multiply(curve, &point->y, inverse, y);
    COS_TRY(verdict(curve));
    COS_CHECK(on_curve(curve, x, y), COS_E_CRYPTO);
    from_montgomery(curve, x);
    from_montgomery(curve, y);
    COS_TRY(verdict(curve));
    bytes[0] = 0x04;
    COS_TRY(cos_tomcrypt_put(x, bytes + 1, curve->size));
    return cos_tomcrypt_put(y, bytes + 1 + curve->size, curve->size);
}

/* ---- Arithmetic */

/* The complete addition for a = -3 of Renes, Costello and Batina, "Complete addition formulas for
 * prime order elliptic curves" (2016), algorithm 4, step by step. */
enum cos_result cos_tomcrypt_point_add(struct ec_curve *c, const struct ec_point *p,
                                       const struct ec_point *q, struct ec_point *sum)
{
    mp_int *t0 = &c->t[0], *t1 = &c->t[1], *t2 = &c->t[2], *t3 = &c->t[3], *t4 = &c->t[4];
    mp_int *x = &c->t[5], *y = &c->t[6], *z = &c->t[7];
    multiply(c, &p->x, &q->x, t0);
    multiply(c, &p->y, &q->y, t1);
    multiply(c, &p->z, &q->z, t2);
    add(c, &p->x, &p->y, t3), add(c, &q->x, &q->y, t4), multiply(c, t3, t4, t3);
    add(c, t0, t1, t4), subtract(c, t3, t4, t3);
    add(c, &p->y, &p->z, t4), add(c, &q->y, &q->z, x), multiply(c, t4, x, t4);
    add(c, t1, t2, x), subtract(c, t4, x, t4);
    add(c, &p->x, &p->z, x), add(c, &q->x, &q->z, y), multiply(c, x, y, x);
    add(c, t0, t2, y), subtract(c, x, y, y);
    multiply(c, &c->b, t2, z), subtract(c, y, z, x);
    add(c, x, x, z), add(c, x, z, x);
    subtract(c, t1, x, z), add(c, t1, x, x);
    multiply(c, &c->b, y, y);
    add(c, t2, t2, t1), add(c, t1, t2, t2);
    subtract(c, y, t2, y), subtract(c, y, t0, y);
    add(c, y, y, t1), add(c, t1, y, y);
    add(c, t0, t0, t1), add(c, t1, t0, t0), subtract(c, t0, t2, t0);
    multiply(c, t4, y, t1), multiply(c, t0, y, t2);
    multiply(c, x, z, y), add(c, y, t2, y);
    multiply(c, t3, x, x), subtract(c, x, t1, x);
    multiply(c, t4, z, z), multiply(c, t3, t0, t1), add(c, z, t1, z);
    mp_exch(x, &sum->x);
    mp_exch(y, &sum->y);
    mp_exch(z, &sum->z);
    return verdict(c);
}

/* The same point with other coordinates: times a random number. */
static enum cos_result mask(struct ec_curve *curve, const struct cos_random *random,
                            struct ec_point *point)
{
    COS_TRY(cos_tomcrypt_draw_below(random, &curve->p, &curve->t[0]));
    multiply(curve, &point->x, &curve->t[0], &point->x);
    multiply(curve, &point->y, &curve->t[0], &point->y);
    multiply(curve, &point->z, &curve->t[0], &point->z);
    return verdict(curve);
}

/* The scalar, plus n once or twice, so that it has one bit more than n: how many bits a secret
 * number has decides nothing then. */
static enum cos_result lengthen(const struct ec_curve *curve, const mp_int *scalar, mp_int *longer)
{
    COS_CHECK(mp_add(scalar, &curve->n, longer) == MP_OKAY, COS_E_CRYPTO);
    if (mp_count_bits(longer) == mp_count_bits(&curve->n)) {
        COS_CHECK(mp_add(longer, &curve->n, longer) == MP_OKAY, COS_E_CRYPTO);
    }
    return COS_OK;
}

static unsigned bit_of(const mp_int *number, int bit)
{
    return (unsigned)(number->dp[bit / MP_DIGIT_BIT] >> (bit % MP_DIGIT_BIT)) & 1U;
}

/* Montgomery's ladder below the leading bit: r[1] - r[0] is always the point. */
static enum cos_result climb(struct ec_curve *curve, const mp_int *scalar, struct ec_point r[2])
{
    enum cos_result result = cos_tomcrypt_point_add(curve, &r[0], &r[0], &r[1]);
    for (int i = mp_count_bits(scalar) - 2; i >= 0 && result == COS_OK; i--) {
        const unsigned bit = bit_of(scalar, i);
        result = cos_tomcrypt_point_add(curve, &r[0], &r[1], &r[bit ^ 1U]);
        STEP_TRY(result, cos_tomcrypt_point_add(curve, &r[bit], &r[bit], &r[bit]));
    }
    return result;
}

enum cos_result cos_tomcrypt_point_multiply(struct ec_curve *curve, const struct cos_random *random,
                                            const mp_int *scalar, const struct ec_point *point,
                                            struct ec_point *product)
{
    struct ec_point r[2];
    mp_int longer;
    enum cos_result result = cos_tomcrypt_allocate(&longer, 1, FIELD_BITS);
    for (int i = 0; i < 2; i++) {
        enum cos_result allocated = cos_tomcrypt_point(&r[i]);
        STEP_TRY(result, allocated);
    }
    STEP_TRY(result, lengthen(curve, scalar, &longer));
    STEP(result, mp_copy(&point->x, &r[0].x));
    STEP(result, mp_copy(&point->y, &r[0].y));
    STEP(result, mp_copy(&point->z, &r[0].z));
    if (random != NULL) {
        STEP_TRY(result, mask(curve, random, &r[0]));
    }
    STEP_TRY(result, climb(curve, &longer, r));
    mp_exch(&r[0].x, &product->x);
    mp_exch(&r[0].y, &product->y);
    mp_exch(&r[0].z, &product->z);
    cos_tomcrypt_point_free(&r[0]);
    cos_tomcrypt_point_free(&r[1]);
    cos_tomcrypt_free(&longer, 1);
    return result;
}
