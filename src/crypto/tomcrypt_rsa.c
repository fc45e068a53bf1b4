/* SPDX-License-Identifier: Apache-2.0
 *
 * The libtomcrypt provider's RSA operations, on libtommath's numbers. libtomcrypt's own RSA is not
 * used: what it blinds with comes from libtommath's source and not from the caller's, and it finds
 * its numbers through a global that has to be set at run time.
 *
 * libtommath's exponentiation takes a time that depends on base and exponent. So neither is the
 * key's own: the base is multiplied by r^e, and a random multiple of the group's order is added to
 * the exponents.
 */
#include "cos/config.h"
#include "tomcrypt_number.h"
#include "tomcrypt_provider.h"

/* Bits of the random multiple. */
#define EXPONENT_MASK 64U

static bool modulus_fits(size_t length)
{
    return length >= COS_RSA_MIN && length <= COS_RSA_MAX && length % 2 == 0;
}

enum cos_result cos_tomcrypt_rsa_public(void *context, struct cos_span n, struct cos_span e,
                                        const uint8_t *in, uint8_t *out)
{
    enum { N, E, X, COUNT };
    mp_int number[COUNT];
    (void)context;
    COS_CHECK(modulus_fits(n.length) && e.length > 0 && e.length <= n.length, COS_E_CRYPTO);
    enum cos_result result = cos_tomcrypt_allocate(number, COUNT, 8 * n.length);
    STEP_TRY(result, cos_tomcrypt_get(&number[N], n));
    STEP_TRY(result, cos_tomcrypt_get(&number[E], e));
    STEP_TRY(result, cos_tomcrypt_get(&number[X], (struct cos_span){in, n.length}));
    STEP_CHECK(result, (n.data[0] & 0x80U) != 0 && mp_isodd(&number[N]), COS_E_DATA);
    STEP_CHECK(result, !mp_iszero(&number[E]), COS_E_DATA);
    STEP_CHECK(result, mp_cmp_mag(&number[X], &number[N]) == MP_LT, COS_E_DATA);
    STEP(result, mp_exptmod(&number[X], &number[E], &number[N], &number[X]));
    STEP_TRY(result, cos_tomcrypt_put(&number[X], out, n.length));
    cos_tomcrypt_free(number, COUNT);
    return result;
}

/* ---- Private operation */

/* The numbers of a private key, and those that the operation needs. */
enum { P, Q, DP, DQ, QINV, E, N, IN, OUT, R, T, U, V, PRIVATE };

static bool key_fits(const struct cos_rsa_private *key)
{
    const size_t half = key->p.length;
    return modulus_fits(2 * half) && key->q.length == half && key->dp.length <= half &&
           key->dq.length <= half && key->qinv.length <= half && key->e.length > 0 &&
           key->e.length <= half && (key->p.data[0] & 0x80U) != 0 && (key->q.data[0] & 0x80U) != 0;
}

static enum cos_result load_key(mp_int number[PRIVATE], const struct cos_rsa_private *key)
{
    COS_TRY(cos_tomcrypt_get(&number[P], key->p));
    COS_TRY(cos_tomcrypt_get(&number[Q], key->q));
    COS_TRY(cos_tomcrypt_get(&number[DP], key->dp));
    COS_TRY(cos_tomcrypt_get(&number[DQ], key->dq));
    COS_TRY(cos_tomcrypt_get(&number[QINV], key->qinv));
    COS_TRY(cos_tomcrypt_get(&number[E], key->e));
    COS_CHECK(mp_isodd(&number[P]) && mp_isodd(&number[Q]), COS_E_CRYPTO);
    COS_CHECK(mp_mul(&number[P], &number[Q], &number[N]) == MP_OKAY, COS_E_CRYPTO);
    return COS_OK;
}

/* number[to] = number[IN]^(exponent + random (prime - 1)) mod prime. */
static enum cos_result half(mp_int number[PRIVATE], const struct cos_random *random, int prime,
                            int exponent, int to)
{
    enum cos_result result = cos_tomcrypt_draw(random, EXPONENT_MASK, &number[to]);
    STEP(result, mp_sub_d(&number[prime], 1, &number[U]));
    STEP(result, mp_mul(&number[U], &number[to], &number[V]));
    STEP(result, mp_add(&number[V], &number[exponent], &number[V]));
    STEP(result, mp_mod(&number[IN], &number[prime], &number[to]));
    STEP(result, mp_exptmod(&number[to], &number[V], &number[prime], &number[to]));
    return result;
}

/* RFC 8017, 5.1.2, step 2 b, on the masked number[IN]. */
static enum cos_result recombine(mp_int number[PRIVATE], const struct cos_random *random)
{
    enum cos_result result = half(number, random, P, DP, OUT);
    STEP_TRY(result, half(number, random, Q, DQ, T));
    STEP(result, mp_submod(&number[OUT], &number[T], &number[P], &number[OUT]));
    STEP(result, mp_mulmod(&number[OUT], &number[QINV], &number[P], &number[OUT]));
    STEP(result, mp_mul(&number[OUT], &number[Q], &number[OUT]));
    STEP(result, mp_add(&number[OUT], &number[T], &number[OUT]));
    return result;
}

/* Masks number[IN] with r^e, and takes r out of what comes of it. At the end number[T] is what the
 * public key makes of the result, if that is to be checked. */
static enum cos_result private_masked(mp_int number[PRIVATE], const struct cos_random *random)
{
    enum cos_result result = cos_tomcrypt_draw_below(random, &number[N], &number[R]);
    STEP(result, mp_exptmod(&number[R], &number[E], &number[N], &number[T]));
    STEP(result, mp_mulmod(&number[IN], &number[T], &number[N], &number[IN]));
    STEP_TRY(result, recombine(number, random));
    STEP(result, mp_invmod(&number[R], &number[N], &number[T]));
    STEP(result, mp_mulmod(&number[OUT], &number[T], &number[N], &number[OUT]));
    if (COS_CHECK_SIGNATURES) {
        STEP(result, mp_exptmod(&number[OUT], &number[E], &number[N], &number[T]));
    }
    return result;
}

enum cos_result cos_tomcrypt_rsa_private(void *context, const struct cos_rsa_private *key,
                                         const struct cos_random *random, const uint8_t *in,
                                         uint8_t *out)
{
    mp_int number[PRIVATE];
    (void)context;
    COS_CHECK(key_fits(key), COS_E_CRYPTO);
    const size_t size = 2 * key->p.length;
    const struct cos_span input = {in, size};
    enum cos_result result = cos_tomcrypt_allocate(number, PRIVATE, 8 * size);
    STEP_TRY(result, load_key(number, key));
    STEP_TRY(result, cos_tomcrypt_get(&number[IN], input));
    STEP_CHECK(result, mp_cmp_mag(&number[IN], &number[N]) == MP_LT, COS_E_DATA);
    STEP_TRY(result, private_masked(number, random));
    if (COS_CHECK_SIGNATURES) { /* a fault in one of the halves would give a factor of n away */
        STEP_TRY(result, cos_tomcrypt_get(&number[IN], input));
        STEP_CHECK(result, mp_cmp_mag(&number[T], &number[IN]) == MP_EQ, COS_E_CRYPTO);
    }
    STEP_TRY(result, cos_tomcrypt_put(&number[OUT], out, size));
    cos_tomcrypt_free(number, PRIVATE);
    return result;
}

/* ---- Check of a key */

/* e odd, COS_RSA_E_MIN to 2^256 (FIPS 186-5, A.1.1). */
static enum cos_result check_exponent(const mp_int *e)
{
    COS_CHECK(mp_isodd(e) && mp_count_bits(e) <= 256, COS_E_DATA);
    COS_CHECK(mp_count_bits(e) > 31 || mp_get_u32(e) >= COS_RSA_E_MIN, COS_E_DATA);
    return COS_OK;
}

/* a b = 1 mod m, and a < m. */
static enum cos_result check_inverse(const mp_int *a, const mp_int *b, const mp_int *m, mp_int *t)
{
    COS_CHECK(mp_cmp_mag(a, m) == MP_LT, COS_E_DATA);
    COS_CHECK(mp_mulmod(a, b, m, t) == MP_OKAY, COS_E_CRYPTO);
    COS_CHECK(mp_cmp_d(t, 1) == MP_EQ, COS_E_DATA);
    return COS_OK;
}

enum cos_result cos_tomcrypt_rsa_check(void *context, const struct cos_rsa_private *key,
                                       struct cos_span n)
{
    mp_int number[PRIVATE];
    (void)context;
    COS_CHECK(key_fits(key) && n.length == 2 * key->p.length, COS_E_DATA);
    enum cos_result result = cos_tomcrypt_allocate(number, PRIVATE, 8 * n.length);
    STEP_TRY(result, cos_tomcrypt_get(&number[P], key->p));
    STEP_TRY(result, cos_tomcrypt_get(&number[Q], key->q));
    STEP_CHECK(result, mp_isodd(&number[P]) && mp_isodd(&number[Q]), COS_E_DATA);
    STEP_CHECK(result, mp_cmp_mag(&number[P], &number[Q]) != MP_EQ, COS_E_DATA);
    STEP_TRY(result, load_key(number, key));
    STEP_TRY(result, cos_tomcrypt_get(&number[T], n));
    STEP_CHECK(result, mp_cmp_mag(&number[T], &number[N]) == MP_EQ, COS_E_DATA);
    STEP_CHECK(result, (n.data[0] & 0x80U) != 0, COS_E_DATA);
    STEP_TRY(result, check_exponent(&number[E]));
    STEP_TRY(result, check_inverse(&number[QINV], &number[Q], &number[P], &number[T]));
    STEP(result, mp_sub_d(&number[P], 1, &number[U]));
    STEP_TRY(result, check_inverse(&number[DP], &number[E], &number[U], &number[T]));
    STEP(result, mp_sub_d(&number[Q], 1, &number[U]));
    STEP_TRY(result, check_inverse(&number[DQ], &number[E], &number[U], &number[T]));
    cos_tomcrypt_free(number, PRIVATE);
    return result;
}

/* ---- Generation */

/* Rounds of Miller-Rabin: FIPS 186-5, table B.1 asks for at most 5 from 1,024 bits of p on, and 7
 * for 512. */
#define ROUNDS 8U
/* Odd divisors tried first: cheaper than a round, and leave a sixth of the candidates. */
#define DIVISORS 2048U
/* The first 32 bits of 2^0.5 / 2, rounded up: what a factor begins with at least (A.1.3, step 4.4),
 * so that the product of two has its full length. */
#define LEAST_HEAD 0xB504F334U

static void idle(const struct cos_random *random)
{
    if (random->idle != NULL) {
        random->idle(random->idle_context);
    }
}

static bool divisible(const mp_int *candidate)
{
    mp_digit rest = 1;
    for (mp_digit divisor = 3; divisor < DIVISORS && rest != 0; divisor += 2) {
        if (mp_mod_d(candidate, divisor, &rest) != MP_OKAY) {
            return true;
        }
    }
    return rest == 0;
}

/* Draws a candidate (A.1.3, steps 4.2 to 4.5): odd, not too small, with e prime to it less 1, and
 * not too close to p. COS_E_LENGTH if this one is none. Needs number[T] and number[U]. */
static enum cos_result candidate(mp_int number[PRIVATE], const struct cos_random *random,
                                 size_t bits, int which)
{
    mp_int *x = &number[which];
    enum cos_result result = cos_tomcrypt_draw(random, bits, x);
    STEP(result, mp_div_2d(x, (int)bits - 32, &number[T], NULL));
    STEP_CHECK(result, mp_get_u32(&number[T]) >= LEAST_HEAD, COS_E_LENGTH);
    if (result == COS_OK && mp_iseven(x)) {
        STEP(result, mp_add_d(x, 1, x));
    }
    if (which == Q) {
        STEP(result, mp_sub(&number[P], x, &number[T]));
        STEP_CHECK(result, mp_count_bits(&number[T]) > (int)bits - 100, COS_E_LENGTH);
    }
    STEP_CHECK(result, !divisible(x), COS_E_LENGTH);
    STEP(result, mp_sub_d(x, 1, &number[T]));
    STEP(result, mp_gcd(&number[T], &number[E], &number[U]));
    STEP_CHECK(result, mp_cmp_d(&number[U], 1) == MP_EQ, COS_E_LENGTH);
    return result;
}

/* FIPS 186-5, B.3.1. COS_E_LENGTH: composite. */
static enum cos_result miller_rabin(mp_int number[PRIVATE], const struct cos_random *random,
                                    int which)
{
    enum cos_result result = COS_OK;
    mp_bool prime = MP_NO;
    STEP(result, mp_sub_d(&number[which], 2, &number[T]));
    for (unsigned round = 0; round < ROUNDS && result == COS_OK; round++) {
        STEP_TRY(result, cos_tomcrypt_draw_below(random, &number[T], &number[U]));
        STEP(result, mp_add_d(&number[U], 1, &number[U])); /* 2 to x - 2 */
        STEP(result, mp_prime_miller_rabin(&number[which], &number[U], &prime));
        STEP_CHECK(result, prime == MP_YES, COS_E_LENGTH);
        idle(random);
    }
    return result;
}

static enum cos_result find_prime(mp_int number[PRIVATE], const struct cos_random *random,
                                  size_t bits, int which)
{
    enum cos_result result = COS_E_LENGTH;
    /* A.1.3 gives up after 10 times the modulus's bits of candidates that are not too small. */
    for (size_t tries = 0; tries < 80 * bits && result == COS_E_LENGTH; tries++) {
        result = candidate(number, random, bits, which);
        STEP_TRY(result, miller_rabin(number, random, which));
        idle(random);
    }
    return result == COS_E_LENGTH ? COS_E_CRYPTO : result;
}

/* The other numbers of the key from p, q and e; d must be large (A.1.1, item 3 a). */
static enum cos_result complete(mp_int number[PRIVATE], size_t bits)
{
    enum cos_result result = COS_OK;
    if (mp_cmp_mag(&number[P], &number[Q]) == MP_LT) {
        mp_exch(&number[P], &number[Q]);
    }
    STEP(result, mp_mul(&number[P], &number[Q], &number[N]));
    STEP(result, mp_invmod(&number[Q], &number[P], &number[QINV]));
    STEP(result, mp_sub_d(&number[P], 1, &number[T]));
    STEP(result, mp_sub_d(&number[Q], 1, &number[U]));
    STEP(result, mp_invmod(&number[E], &number[T], &number[DP]));
    STEP(result, mp_invmod(&number[E], &number[U], &number[DQ]));
    STEP(result, mp_lcm(&number[T], &number[U], &number[R]));
    STEP(result, mp_invmod(&number[E], &number[R], &number[T]));
    STEP_CHECK(result, mp_count_bits(&number[T]) > (int)bits, COS_E_DATA);
    return result;
}

static enum cos_result put_key(mp_int number[PRIVATE], const struct cos_rsa_parts *key,
                               size_t half_size)
{
    COS_TRY(cos_tomcrypt_put(&number[N], key->n, 2 * half_size));
    COS_TRY(cos_tomcrypt_put(&number[P], key->p, half_size));
    COS_TRY(cos_tomcrypt_put(&number[Q], key->q, half_size));
    COS_TRY(cos_tomcrypt_put(&number[DP], key->dp, half_size));
    COS_TRY(cos_tomcrypt_put(&number[DQ], key->dq, half_size));
    return cos_tomcrypt_put(&number[QINV], key->qinv, half_size);
}

enum cos_result cos_tomcrypt_rsa_generate(void *context, const struct cos_random *random,
                                          size_t bits, struct cos_span e,
                                          const struct cos_rsa_parts *key)
{
    mp_int number[PRIVATE];
    const size_t size = bits / 8, half_size = bits / 16;
    (void)context;
    COS_CHECK(bits % 16 == 0 && modulus_fits(size) && e.length > 0 && e.length <= half_size,
              COS_E_CRYPTO);
    enum cos_result result = cos_tomcrypt_allocate(number, PRIVATE, bits);
    STEP_TRY(result, cos_tomcrypt_get(&number[E], e));
    STEP_TRY(result, check_exponent(&number[E]));
    STEP_TRY(result, find_prime(number, random, bits / 2, P));
    STEP_TRY(result, find_prime(number, random, bits / 2, Q));
    STEP_TRY(result, complete(number, bits / 2));
    STEP_TRY(result, put_key(number, key, half_size));
    cos_tomcrypt_free(number, PRIVATE);
    return result;
}

/* ---- Completion */

/* A factor from outside: prime, and e prime to it less 1. Needs number[T] and number[U]. */
static enum cos_result check_factor(mp_int number[PRIVATE], const struct cos_random *random,
                                    int which)
{
    enum cos_result result = divisible(&number[which]) ? COS_E_DATA : COS_OK;
    STEP_TRY(result, miller_rabin(number, random, which));
    STEP(result, mp_sub_d(&number[which], 1, &number[T]));
    STEP(result, mp_gcd(&number[T], &number[E], &number[U]));
    STEP_CHECK(result, mp_cmp_d(&number[U], 1) == MP_EQ, COS_E_DATA);
    return result == COS_E_LENGTH ? COS_E_DATA : result;
}

enum cos_result cos_tomcrypt_rsa_complete(void *context, const struct cos_random *random,
                                          struct cos_span p, struct cos_span q, struct cos_span e,
                                          const struct cos_rsa_parts *key)
{
    mp_int number[PRIVATE];
    const size_t half_size = p.length;
    (void)context;
    COS_CHECK(modulus_fits(2 * half_size) && q.length == half_size && e.length > 0 &&
                  e.length <= half_size,
              COS_E_DATA);
    enum cos_result result = cos_tomcrypt_allocate(number, PRIVATE, 16 * half_size);
    STEP_TRY(result, cos_tomcrypt_get(&number[P], p));
    STEP_TRY(result, cos_tomcrypt_get(&number[Q], q));
    STEP_TRY(result, cos_tomcrypt_get(&number[E], e));
    STEP_TRY(result, check_exponent(&number[E]));
    STEP_CHECK(result, mp_isodd(&number[P]) && mp_isodd(&number[Q]), COS_E_DATA);
    STEP_CHECK(result, mp_cmp_mag(&number[P], &number[Q]) != MP_EQ, COS_E_DATA);
    STEP(result, mp_mul(&number[P], &number[Q], &number[N]));
    STEP_CHECK(result, mp_count_bits(&number[N]) == (int)(16 * half_size), COS_E_DATA);
    STEP_TRY(result, check_factor(number, random, P));
    STEP_TRY(result, check_factor(number, random, Q));
    STEP_TRY(result, complete(number, 8 * half_size));
    STEP_TRY(result, put_key(number, key, half_size));
    cos_tomcrypt_free(number, PRIVATE);
    return result;
}
