/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenSSL's word on public-key cryptography (oracle_key.h).
 */
/* The old interface of its hash functions, which is all that takes a state. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "oracle_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

static void must(bool ok, const char *what)
{
    if (!ok) {
        fail_msg("OpenSSL: %s", what);
        abort();
    }
}

/* ---- RSA */

static void get_number(const EVP_PKEY *pkey, const char *name, uint8_t *out, size_t length)
{
    BIGNUM *number = NULL;
    must(EVP_PKEY_get_bn_param(pkey, name, &number) == 1, name);
    must(BN_bn2binpad(number, out, (int)length) == (int)length, name);
    BN_clear_free(number);
}

void oracle_rsa_generate(struct oracle_rsa *rsa, unsigned bits, unsigned long e)
{
    BIGNUM *exponent = BN_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    *rsa = (struct oracle_rsa){.size = bits / 8};
    must(BN_set_word(exponent, e) == 1 && EVP_PKEY_keygen_init(context) == 1 &&
             EVP_PKEY_CTX_set_rsa_keygen_bits(context, (int)bits) == 1 &&
             EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, exponent) == 1 &&
             EVP_PKEY_generate(context, &rsa->pkey) == 1,
         "RSA key");
    rsa->e_length = (size_t)BN_bn2bin(exponent, rsa->e);
    get_number(rsa->pkey, OSSL_PKEY_PARAM_RSA_N, rsa->n, rsa->size);
    get_number(rsa->pkey, OSSL_PKEY_PARAM_RSA_FACTOR1, rsa->p, rsa->size / 2);
    get_number(rsa->pkey, OSSL_PKEY_PARAM_RSA_FACTOR2, rsa->q, rsa->size / 2);
    get_number(rsa->pkey, OSSL_PKEY_PARAM_RSA_EXPONENT1, rsa->dp, rsa->size / 2);
    get_number(rsa->pkey, OSSL_PKEY_PARAM_RSA_EXPONENT2, rsa->dq, rsa->size / 2);
    get_number(rsa->pkey, OSSL_PKEY_PARAM_RSA_COEFFICIENT1, rsa->qinv, rsa->size / 2);
    EVP_PKEY_CTX_free(context);
    BN_free(exponent);
}

/* d = e^-1 mod lcm(p - 1, q - 1) */
static BIGNUM *private_exponent(const BIGNUM *e, const BIGNUM *p, const BIGNUM *q)
{
    BN_CTX *context = BN_CTX_new();
    BIGNUM *p1 = BN_dup(p), *q1 = BN_dup(q), *gcd = BN_new(), *lcm = BN_new(), *d = BN_new();
    must(BN_sub_word(p1, 1) == 1 && BN_sub_word(q1, 1) == 1 && BN_gcd(gcd, p1, q1, context) == 1 &&
             BN_mul(lcm, p1, q1, context) == 1 && BN_div(lcm, NULL, lcm, gcd, context) == 1 &&
             BN_mod_inverse(d, e, lcm, context) != NULL,
         "private exponent");
    BN_free(p1);
    BN_free(q1);
    BN_free(gcd);
    BN_free(lcm);
    BN_CTX_free(context);
    return d;
}

void oracle_rsa_import(struct oracle_rsa *rsa)
{
    const int half = (int)rsa->size / 2;
    BIGNUM *p = BN_bin2bn(rsa->p, half, NULL), *q = BN_bin2bn(rsa->q, half, NULL);
    BIGNUM *e = BN_bin2bn(rsa->e, (int)rsa->e_length, NULL), *d = private_exponent(e, p, q);
    const struct {
        const char *name;
        BIGNUM *number;
    } parts[] = {
        {OSSL_PKEY_PARAM_RSA_N, BN_bin2bn(rsa->n, (int)rsa->size, NULL)},
        {OSSL_PKEY_PARAM_RSA_E, e},
        {OSSL_PKEY_PARAM_RSA_D, d},
        {OSSL_PKEY_PARAM_RSA_FACTOR1, p},
        {OSSL_PKEY_PARAM_RSA_FACTOR2, q},
        {OSSL_PKEY_PARAM_RSA_EXPONENT1, BN_bin2bn(rsa->dp, half, NULL)},
        {OSSL_PKEY_PARAM_RSA_EXPONENT2, BN_bin2bn(rsa->dq, half, NULL)},
        {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, BN_bin2bn(rsa->qinv, half, NULL)},
    };
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        must(OSSL_PARAM_BLD_push_BN(build, parts[i].name, parts[i].number) == 1, parts[i].name);
    }
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    rsa->pkey = NULL;
    must(EVP_PKEY_fromdata_init(context) == 1 &&
             EVP_PKEY_fromdata(context, &rsa->pkey, EVP_PKEY_KEYPAIR, params) == 1,
         "import of an RSA key");
    EVP_PKEY_CTX *check = EVP_PKEY_CTX_new(rsa->pkey, NULL);
    must(EVP_PKEY_check(check) == 1, "RSA key is none");
    EVP_PKEY_CTX_free(check);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        BN_clear_free(parts[i].number);
    }
}

void oracle_rsa_public(struct oracle_rsa *rsa)
{
    BIGNUM *n = BN_bin2bn(rsa->n, (int)rsa->size, NULL);
    BIGNUM *e = BN_bin2bn(rsa->e, (int)rsa->e_length, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    OSSL_PARAM *parameters = NULL;
    must(OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
             OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1 &&
             (parameters = OSSL_PARAM_BLD_to_param(builder)) != NULL &&
             EVP_PKEY_fromdata_init(context) == 1 &&
             EVP_PKEY_fromdata(context, &rsa->pkey, EVP_PKEY_PUBLIC_KEY, parameters) == 1,
         "RSA public key");
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_CTX_free(context);
    BN_free(n);
    BN_free(e);
}

void oracle_rsa_free(struct oracle_rsa *rsa)
{
    EVP_PKEY_free(rsa->pkey);
}

struct cos_span oracle_rsa_n(const struct oracle_rsa *rsa)
{
    return (struct cos_span){rsa->n, rsa->size};
}

struct cos_span oracle_rsa_e(const struct oracle_rsa *rsa)
{
    return (struct cos_span){rsa->e, rsa->e_length};
}

struct cos_rsa_private oracle_rsa_private(const struct oracle_rsa *rsa)
{
    const size_t half = rsa->size / 2;
    return (struct cos_rsa_private){{rsa->p, half},  {rsa->q, half},    {rsa->dp, half},
                                    {rsa->dq, half}, {rsa->qinv, half}, {rsa->e, rsa->e_length}};
}

void oracle_rsa_raw(const struct oracle_rsa *rsa, const uint8_t *in, uint8_t *out)
{
    size_t length = rsa->size;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(rsa->pkey, NULL);
    must(EVP_PKEY_decrypt_init(context) == 1 &&
             EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) == 1 &&
             EVP_PKEY_decrypt(context, out, &length, in, rsa->size) == 1 && length == rsa->size,
         "raw RSA");
    EVP_PKEY_CTX_free(context);
}

static BIGNUM *number_of(struct cos_span bytes)
{
    return BN_bin2bn(bytes.data, (int)bytes.length, NULL);
}

void oracle_modexp(const uint8_t *in, size_t length, struct cos_span e, struct cos_span n,
                   uint8_t *out)
{
    BN_CTX *context = BN_CTX_new();
    BIGNUM *base = number_of((struct cos_span){in, length}), *power = number_of(e);
    BIGNUM *modulus = number_of(n);
    must(BN_mod_exp(base, base, power, modulus, context) == 1 &&
             BN_bn2binpad(base, out, (int)n.length) == (int)n.length,
         "exponentiation");
    BN_free(base);
    BN_free(power);
    BN_free(modulus);
    BN_CTX_free(context);
}

void oracle_product(struct cos_span p, struct cos_span q, uint8_t *product)
{
    const int length = (int)(p.length + q.length);
    BN_CTX *context = BN_CTX_new();
    BIGNUM *a = number_of(p), *b = number_of(q);
    must(BN_mul(a, a, b, context) == 1 && BN_bn2binpad(a, product, length) == length, "product");
    BN_free(a);
    BN_free(b);
    BN_CTX_free(context);
}

bool oracle_is_inverse(struct cos_span e, struct cos_span d, struct cos_span prime)
{
    BN_CTX *context = BN_CTX_new();
    BIGNUM *a = number_of(e), *b = number_of(d), *m = number_of(prime);
    must(BN_sub_word(m, 1) == 1 && BN_mod_mul(a, a, b, m, context) == 1, "product");
    bool one = BN_is_one(a);
    BN_free(a);
    BN_free(b);
    BN_free(m);
    BN_CTX_free(context);
    return one;
}

/* OpenSSL can be given a state only in the structs of its old interface. */
bool oracle_hash_resume(enum cos_hash which, const uint8_t *state, uint64_t processed,
                        const uint8_t *text, size_t length, uint8_t *digest)
{
    SHA_CTX sha1;
    SHA256_CTX sha256;
    SHA512_CTX sha512;
    const uint64_t bits = processed * 8;
    switch (which) {
    case COS_SHA1:
        SHA1_Init(&sha1);
        sha1.h0 = cos_get32(state), sha1.h1 = cos_get32(state + 4), sha1.h2 = cos_get32(state + 8);
        sha1.h3 = cos_get32(state + 12), sha1.h4 = cos_get32(state + 16);
        sha1.Nl = (uint32_t)bits, sha1.Nh = (uint32_t)(bits >> 32);
        return SHA1_Update(&sha1, text, length) == 1 && SHA1_Final(digest, &sha1) == 1;
    case COS_SHA224:
    case COS_SHA256:
        (void)(which == COS_SHA224 ? SHA224_Init(&sha256) : SHA256_Init(&sha256));
        for (size_t i = 0; i < 8; i++) {
            sha256.h[i] = cos_get32(state + 4 * i);
        }
        sha256.Nl = (uint32_t)bits, sha256.Nh = (uint32_t)(bits >> 32);
        return SHA256_Update(&sha256, text, length) == 1 && SHA256_Final(digest, &sha256) == 1;
    default:
        (void)(which == COS_SHA384 ? SHA384_Init(&sha512) : SHA512_Init(&sha512));
        for (size_t i = 0; i < 8; i++) {
            sha512.h[i] = (uint64_t)cos_get32(state + 8 * i) << 32 | cos_get32(state + 8 * i + 4);
        }
        sha512.Nl = bits;
        return SHA512_Update(&sha512, text, length) == 1 && SHA512_Final(digest, &sha512) == 1;
    }
}

const EVP_MD *oracle_hash(enum cos_hash which)
{
    switch (which) {
    case COS_SHA1:
        return EVP_sha1();
    case COS_SHA224:
        return EVP_sha224();
    case COS_SHA256:
        return EVP_sha256();
    case COS_SHA384:
        return EVP_sha384();
    default:
        return EVP_sha512();
    }
}

static EVP_PKEY_CTX *begin(const struct oracle_rsa *rsa, int (*init)(EVP_PKEY_CTX *), int padding)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(rsa->pkey, NULL);
    must(init(context) == 1 && EVP_PKEY_CTX_set_rsa_padding(context, padding) == 1, "RSA");
    return context;
}

static void set_hash(EVP_PKEY_CTX *context, int padding, enum cos_hash which)
{
    must(EVP_PKEY_CTX_set_signature_md(context, oracle_hash(which)) == 1, "hash");
    if (padding == RSA_PKCS1_PSS_PADDING) {
        must(EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1, "salt");
    }
}

bool oracle_rsa_verify(const struct oracle_rsa *rsa, int padding, enum cos_hash which,
                       const uint8_t *digest, const uint8_t *signature)
{
    EVP_PKEY_CTX *context = begin(rsa, EVP_PKEY_verify_init, padding);
    set_hash(context, padding, which);
    int verdict = EVP_PKEY_verify(context, signature, rsa->size, digest, cos_hash_size(which));
    EVP_PKEY_CTX_free(context);
    return verdict == 1;
}

void oracle_rsa_sign(const struct oracle_rsa *rsa, int padding, enum cos_hash which,
                     const uint8_t *digest, uint8_t *signature)
{
    size_t length = rsa->size;
    EVP_PKEY_CTX *context = begin(rsa, EVP_PKEY_sign_init, padding);
    set_hash(context, padding, which);
    must(EVP_PKEY_sign(context, signature, &length, digest, cos_hash_size(which)) == 1, "sign");
    EVP_PKEY_CTX_free(context);
}

static void set_oaep(EVP_PKEY_CTX *context, enum cos_hash which, struct cos_span label)
{
    must(EVP_PKEY_CTX_set_rsa_oaep_md(context, oracle_hash(which)) == 1, "OAEP hash");
    must(EVP_PKEY_CTX_set_rsa_mgf1_md(context, oracle_hash(which)) == 1, "MGF1 hash");
    if (label.length > 0) {
        void *copy = OPENSSL_memdup(label.data, label.length);
        must(EVP_PKEY_CTX_set0_rsa_oaep_label(context, copy, (int)label.length) == 1, "label");
    }
}

void oracle_rsa_encrypt(const struct oracle_rsa *rsa, int padding, enum cos_hash which,
                        struct cos_span label, struct cos_span message, uint8_t *cipher)
{
    size_t length = rsa->size;
    EVP_PKEY_CTX *context = begin(rsa, EVP_PKEY_encrypt_init, padding);
    if (padding == RSA_PKCS1_OAEP_PADDING) {
        set_oaep(context, which, label);
    }
    must(EVP_PKEY_encrypt(context, cipher, &length, message.data, message.length) == 1, "encrypt");
    EVP_PKEY_CTX_free(context);
}

bool oracle_rsa_decrypt(const struct oracle_rsa *rsa, int padding, enum cos_hash which,
                        struct cos_span label, const uint8_t *cipher, uint8_t *message,
                        size_t *length)
{
    *length = rsa->size;
    EVP_PKEY_CTX *context = begin(rsa, EVP_PKEY_decrypt_init, padding);
    if (padding == RSA_PKCS1_OAEP_PADDING) {
        set_oaep(context, which, label);
    }
    int verdict = EVP_PKEY_decrypt(context, message, length, cipher, rsa->size);
    EVP_PKEY_CTX_free(context);
    return verdict == 1;
}

/* ---- Elliptic curves */

static const char *const groups[COS_CURVES] = {"P-256", "P-384", "P-521"};

EVP_PKEY *oracle_ec_generate(enum cos_curve curve, uint8_t *key, uint8_t *point)
{
    const size_t size = cos_ec_size(curve);
    size_t length;
    EVP_PKEY *pkey = EVP_EC_gen(groups[curve]);
    must(pkey != NULL, "EC key");
    get_number(pkey, OSSL_PKEY_PARAM_PRIV_KEY, key, size);
    must(EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * size,
                                         &length) == 1 &&
             length == 1 + 2 * size,
         "EC public key");
    return pkey;
}

EVP_PKEY *oracle_ec_import(enum cos_curve curve, const uint8_t *key, const uint8_t *point)
{
    const size_t size = cos_ec_size(curve);
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *scalar = key != NULL ? BN_bin2bn(key, (int)size, NULL) : NULL;
    must(
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, groups[curve], 0) == 1 &&
            OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * size) ==
                1,
        "EC parameters");
    if (scalar != NULL) {
        must(OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, scalar) == 1, "EC scalar");
    }
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    must(EVP_PKEY_fromdata_init(context) == 1, "EC import");
    if (EVP_PKEY_fromdata(context, &pkey, key != NULL ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
                          params) != 1) {
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_clear_free(scalar);
    return pkey;
}

void oracle_ec_public(enum cos_curve curve, const uint8_t *key, uint8_t *point)
{
    const size_t size = cos_ec_size(curve);
    EC_GROUP *group = EC_GROUP_new_by_curve_name(EC_curve_nist2nid(groups[curve]));
    EC_POINT *product = EC_POINT_new(group);
    BIGNUM *scalar = BN_bin2bn(key, (int)size, NULL);
    must(EC_POINT_mul(group, product, scalar, NULL, NULL, NULL) == 1 &&
             EC_POINT_point2oct(group, product, POINT_CONVERSION_UNCOMPRESSED, point, 1 + 2 * size,
                                NULL) == 1 + 2 * size,
         "EC multiplication");
    BN_clear_free(scalar);
    EC_POINT_free(product);
    EC_GROUP_free(group);
}

void oracle_ec_sign(EVP_PKEY *pkey, enum cos_curve curve, const uint8_t *digest, size_t length,
                    uint8_t *signature)
{
    const int size = (int)cos_ec_size(curve);
    uint8_t der[160];
    const uint8_t *at = der;
    size_t der_length = sizeof der;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(pkey, NULL);
    must(EVP_PKEY_sign_init(context) == 1 &&
             EVP_PKEY_sign(context, der, &der_length, digest, length) == 1,
         "ECDSA");
    ECDSA_SIG *numbers = d2i_ECDSA_SIG(NULL, &at, (long)der_length);
    must(numbers != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(numbers), signature, size) == size &&
             BN_bn2binpad(ECDSA_SIG_get0_s(numbers), signature + size, size) == size,
         "ECDSA signature");
    ECDSA_SIG_free(numbers);
    EVP_PKEY_CTX_free(context);
}

bool oracle_ec_verify(EVP_PKEY *pkey, enum cos_curve curve, const uint8_t *digest, size_t length,
                      const uint8_t *signature)
{
    const int size = (int)cos_ec_size(curve);
    uint8_t *der = NULL;
    ECDSA_SIG *numbers = ECDSA_SIG_new();
    must(ECDSA_SIG_set0(numbers, BN_bin2bn(signature, size, NULL),
                        BN_bin2bn(signature + size, size, NULL)) == 1,
         "ECDSA signature");
    int der_length = i2d_ECDSA_SIG(numbers, &der);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(pkey, NULL);
    must(EVP_PKEY_verify_init(context) == 1, "ECDSA");
    int verdict = EVP_PKEY_verify(context, der, (size_t)der_length, digest, length);
    EVP_PKEY_CTX_free(context);
    OPENSSL_free(der);
    ECDSA_SIG_free(numbers);
    return verdict == 1;
}

void oracle_ec_agree(EVP_PKEY *mine, EVP_PKEY *other, uint8_t *secret, size_t size)
{
    size_t length = size;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(mine, NULL);
    must(EVP_PKEY_derive_init(context) == 1 && EVP_PKEY_derive_set_peer(context, other) == 1 &&
             EVP_PKEY_derive(context, secret, &length) == 1 && length == size,
         "ECDH");
    EVP_PKEY_CTX_free(context);
}
