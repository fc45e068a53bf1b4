/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the libtomcrypt provider give to its struct (tomcrypt.c). The contracts are
 * those of struct cos_crypto.
 */
#ifndef COS_CRYPTO_TOMCRYPT_PROVIDER_H
#define COS_CRYPTO_TOMCRYPT_PROVIDER_H

#include "cos/crypto.h"

enum cos_result cos_tomcrypt_hash(void *context, enum cos_hash which, const struct cos_span *parts,
                                  size_t count, uint8_t *digest);
enum cos_result cos_tomcrypt_hash_resume(void *context, enum cos_hash which, const uint8_t *state,
                                         uint64_t processed, const struct cos_span *parts,
                                         size_t count, uint8_t *digest);
enum cos_result cos_tomcrypt_hmac(void *context, enum cos_hash which, const uint8_t *key,
                                  size_t key_length, const struct cos_span *parts, size_t count,
                                  uint8_t *mac);

enum cos_result cos_tomcrypt_rsa_public(void *context, struct cos_span n, struct cos_span e,
                                        const uint8_t *in, uint8_t *out);
enum cos_result cos_tomcrypt_rsa_private(void *context, const struct cos_rsa_private *key,
                                         const struct cos_random *random, const uint8_t *in,
                                         uint8_t *out);
enum cos_result cos_tomcrypt_rsa_check(void *context, const struct cos_rsa_private *key,
                                       struct cos_span n);
enum cos_result cos_tomcrypt_rsa_generate(void *context, const struct cos_random *random,
                                          size_t bits, struct cos_span e,
                                          const struct cos_rsa_parts *key);
enum cos_result cos_tomcrypt_rsa_complete(void *context, const struct cos_random *random,
                                          struct cos_span p, struct cos_span q, struct cos_span e,
                                          const struct cos_rsa_parts *key);

enum cos_result cos_tomcrypt_ec_generate(void *context, enum cos_curve curve,
                                         const struct cos_random *random, uint8_t *key,
                                         uint8_t *point);
enum cos_result cos_tomcrypt_ec_public(void *context, enum cos_curve curve,
                                       const struct cos_random *random, const uint8_t *key,
                                       uint8_t *point);
enum cos_result cos_tomcrypt_ec_sign(void *context, enum cos_curve curve,
                                     const struct cos_random *random, const uint8_t *key,
                                     const uint8_t *digest, size_t digest_length,
                                     uint8_t *signature);
enum cos_result cos_tomcrypt_ec_verify(void *context, enum cos_curve curve, const uint8_t *point,
                                       const uint8_t *digest, size_t digest_length,
                                       const uint8_t *signature, cos_truth *valid);
enum cos_result cos_tomcrypt_ec_agree(void *context, enum cos_curve curve,
                                      const struct cos_random *random, const uint8_t *key,
                                      const uint8_t *point, uint8_t *secret);
enum cos_result cos_tomcrypt_ec_check(void *context, enum cos_curve curve, const uint8_t *key,
                                      const uint8_t *point);

#endif
