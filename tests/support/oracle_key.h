/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenSSL's word on public-key cryptography. Whatever OpenSSL cannot do fails the running test.
 */
#ifndef ORACLE_KEY_H
#define ORACLE_KEY_H

#include "cos/crypto.h"

#include <openssl/evp.h>

/* An RSA key in both forms. */
struct oracle_rsa {
    EVP_PKEY *pkey;
    size_t size; /* bytes of n */
    uint8_t n[COS_RSA_MAX], e[32];
    uint8_t p[COS_RSA_MAX / 2], q[COS_RSA_MAX / 2];
    uint8_t dp[COS_RSA_MAX / 2], dq[COS_RSA_MAX / 2], qinv[COS_RSA_MAX / 2];
    size_t e_length;
};

/* A new key of OpenSSL's. */
void oracle_rsa_generate(struct oracle_rsa *rsa, unsigned bits, unsigned long e);
/* OpenSSL's form of a key whose n, p, q, dp, dq, qinv, e are there; OpenSSL checks it, primes
 * included. */
void oracle_rsa_import(struct oracle_rsa *rsa);
/* The same of a public key: n and e. */
void oracle_rsa_public(struct oracle_rsa *rsa);
void oracle_rsa_free(struct oracle_rsa *rsa);
struct cos_span oracle_rsa_n(const struct oracle_rsa *rsa);
struct cos_span oracle_rsa_e(const struct oracle_rsa *rsa);
struct cos_rsa_private oracle_rsa_private(const struct oracle_rsa *rsa);

/* The private operation without padding. */
void oracle_rsa_raw(const struct oracle_rsa *rsa, const uint8_t *in, uint8_t *out);

/* Numbers: in^e mod n; p q, as long as both together; whether e d = 1 mod prime - 1. */
void oracle_modexp(const uint8_t *in, size_t length, struct cos_span e, struct cos_span n,
                   uint8_t *out);
void oracle_product(struct cos_span p, struct cos_span q, uint8_t *product);
bool oracle_is_inverse(struct cos_span e, struct cos_span d, struct cos_span prime);

const EVP_MD *oracle_hash(enum cos_hash which);
/* Hashes on from a chaining value. */
bool oracle_hash_resume(enum cos_hash which, const uint8_t *state, uint64_t processed,
                        const uint8_t *text, size_t length, uint8_t *digest);

/* Paddings: 1 = PKCS #1 v1.5, 4 = OAEP, 6 = PSS (RSA_..._PADDING). The salt is as long as the
 * digest. */
bool oracle_rsa_verify(const struct oracle_rsa *rsa, int padding, enum cos_hash which,
                       const uint8_t *digest, const uint8_t *signature);
void oracle_rsa_sign(const struct oracle_rsa *rsa, int padding, enum cos_hash which,
                     const uint8_t *digest, uint8_t *signature);
void oracle_rsa_encrypt(const struct oracle_rsa *rsa, int padding, enum cos_hash which,
                        struct cos_span label, struct cos_span message, uint8_t *cipher);
bool oracle_rsa_decrypt(const struct oracle_rsa *rsa, int padding, enum cos_hash which,
                        struct cos_span label, const uint8_t *cipher, uint8_t *message,
                        size_t *length);

/* An EC key pair: a new one, or that of `key`. */
EVP_PKEY *oracle_ec_generate(enum cos_curve curve, uint8_t *key, uint8_t *point);
/* `key` may be NULL. NULL if OpenSSL refuses it. */
EVP_PKEY *oracle_ec_import(enum cos_curve curve, const uint8_t *key, const uint8_t *point);
void oracle_ec_public(enum cos_curve curve, const uint8_t *key, uint8_t *point);
/* r s */
void oracle_ec_sign(EVP_PKEY *pkey, enum cos_curve curve, const uint8_t *digest, size_t length,
                    uint8_t *signature);
bool oracle_ec_verify(EVP_PKEY *pkey, enum cos_curve curve, const uint8_t *digest, size_t length,
                      const uint8_t *signature);
void oracle_ec_agree(EVP_PKEY *mine, EVP_PKEY *other, uint8_t *secret, size_t size);

#endif
