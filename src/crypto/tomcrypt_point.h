/* SPDX-License-Identifier: Apache-2.0
 *
 * Points on the curves of the libtomcrypt provider, in projective coordinates (X : Y : Z), which
 * stand for x = X / Z, y = Y / Z; Z = 0 is the point at infinity. Coordinates are in Montgomery
 * form. One formula adds any two points, equal, opposite or infinite ones included, so that no
 * input has to be told from another.
 */
#ifndef COS_CRYPTO_TOMCRYPT_POINT_H
#define COS_CRYPTO_TOMCRYPT_POINT_H

#include "tomcrypt_number.h"

struct ec_point {
    mp_int x, y, z;
};

#define TEMPORARIES 8U
struct ec_curve {
    size_t size; /* cos_ec_size() */
    mp_int p, n; /* the field, the order of g */
    mp_int b;    /* y^2 = x^3 - 3 x + b, in Montgomery form */
    struct ec_point g;
    mp_int one; /* in Montgomery form */
    mp_digit rho;
    mp_int t[TEMPORARIES]; /* for the formulas */
    int error;             /* of libtommath: after one, nothing more is computed */
};

/* Each of the two is freed whatever allocating it returned. */
enum cos_result cos_tomcrypt_curve(struct ec_curve *curve, enum cos_curve which);
void cos_tomcrypt_curve_free(struct ec_curve *curve);
enum cos_result cos_tomcrypt_point(struct ec_point *point);
void cos_tomcrypt_point_free(struct ec_point *point);

/* From 04 X Y. COS_E_DATA: not on the curve. */
enum cos_result cos_tomcrypt_point_get(struct ec_curve *curve, const uint8_t *bytes,
                                       struct ec_point *point);
/* As 04 X Y. COS_E_CRYPTO: infinity, or (a fault) not on the curve. */
enum cos_result cos_tomcrypt_point_put(struct ec_curve *curve, const struct ec_point *point,
                                       uint8_t *bytes);

/* Points may be the same. */
enum cos_result cos_tomcrypt_point_add(struct ec_curve *curve, const struct ec_point *a,
                                       const struct ec_point *b, struct ec_point *sum);
/* `scalar` is below n. The number of steps is always the same, and the coordinates are masked by
 * `random`; without it (NULL) nothing may be secret. */
enum cos_result cos_tomcrypt_point_multiply(struct ec_curve *curve, const struct cos_random *random,
                                            const mp_int *scalar, const struct ec_point *point,
                                            struct ec_point *product);

#endif
