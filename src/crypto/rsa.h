/* SPDX-License-Identifier: Apache-2.0
 *
 * Paddings of RSA (RFC 8017), in front of or behind the provider's operations without padding. An
 * encoded message has as many bytes as the modulus, 128 to 512 (`length`). Every function hands on
 * an error of the provider, and wipes what it leaves of secrets on the stack.
 */
#ifndef COS_CRYPTO_RSA_H
#define COS_CRYPTO_RSA_H

#include "cos/crypto.h"

/* XORs to `data` the mask that MGF1 makes from a seed (appendix B.2.1), over any length. */
enum cos_result cos_mgf1(const struct cos_crypto *crypto, enum cos_hash which, struct cos_span seed,
                         uint8_t *data, size_t length);

/* ---- Signatures */

/* Block type 1: 00 01 FF .. FF 00 content. COS_E_LENGTH: the content leaves less than 8 times FF.
 */
enum cos_result cos_rsa_block1(struct cos_span content, uint8_t *encoded, size_t length);

/* EMSA-PKCS1-v1_5 (9.2): block type 1 of the DigestInfo, whose parameters are NULL. COS_E_LENGTH.
 */
enum cos_result cos_emsa_v15_encode(enum cos_hash which, const uint8_t *digest, uint8_t *encoded,
                                    size_t length);
/* COS_YES if encoding gives the same, byte by byte: nothing is parsed, so nothing can be smuggled
 * in. */
cos_truth cos_emsa_v15_verify(enum cos_hash which, const uint8_t *digest, const uint8_t *encoded,
                              size_t length);

/* EMSA-PSS (9.1) with MGF1 and one hash function for all; the salt is the caller's, best random and
 * as long as the digest. COS_E_LENGTH: digest and salt do not fit. */
enum cos_result cos_emsa_pss_encode(const struct cos_crypto *crypto, enum cos_hash which,
                                    const uint8_t *digest, struct cos_span salt, uint8_t *encoded,
                                    size_t length);
/* *valid is COS_YES only with a salt of just this length. `encoded` is overwritten. */
enum cos_result cos_emsa_pss_verify(const struct cos_crypto *crypto, enum cos_hash which,
                                    const uint8_t *digest, size_t salt_length, uint8_t *encoded,
                                    size_t length, cos_truth *valid);

/* ---- Encryption */

/* RSAES-PKCS1-v1_5 (7.2.1): 00 02, random bytes but 00, 00, message. COS_E_LENGTH: the message has
 * more than length - 11 bytes. Errors of `random`. */
enum cos_result cos_rsaes_v15_encode(const struct cos_random *random, struct cos_span message,
                                     uint8_t *encoded, size_t length);

/* Takes the message out of what the private operation made of `cipher`, to the front of `encoded`.
 *
 * Whether the padding was good must not be known to whoever sent the cipher text (Bleichenbacher's
 * attack). So there is no error for a bad one: it is rejected implicitly. The message is then a
 * pseudorandom one, of a pseudorandom length of 0 to length - 11 bytes, always the same for the
 * same cipher text and key, made as draft-irtf-cfrg-rsa-guidance-00, 7, describes:
 *     K = HMAC(SHA-256(dP || dQ), cipher); lengths from 128 candidates of two bytes of
 *     PRF(K, "length"), the last one that is not too long; the last bytes of PRF(K, "message");
 *     PRF block i = HMAC(K, [i] as 16 bits || label || [bits] as 16 bits).
 * No branch, address or number of steps depends on the padding or on which message it is. */
enum cos_result cos_rsaes_v15_decode(const struct cos_crypto *crypto,
                                     const struct cos_rsa_private *key, const uint8_t *cipher,
                                     uint8_t *encoded, size_t length, size_t *message_length);

/* RSAES-OAEP (7.1.1) with MGF1 and one hash function for all. COS_E_LENGTH: the message has more
 * than length - 2 digest - 2 bytes. Errors of `random`. */
enum cos_result cos_rsaes_oaep_encode(const struct cos_crypto *crypto, enum cos_hash which,
                                      const struct cos_random *random, struct cos_span label,
                                      struct cos_span message, uint8_t *encoded, size_t length);

/* Takes the message out of `encoded`, to its front. COS_E_DATA, with all of `encoded` wiped and a
 * length of 0: one error for whatever is wrong, and until it is returned no branch, address or
 * number of steps depends on what that is (7.1.2, step 3 g, note; Manger's attack). */
enum cos_result cos_rsaes_oaep_decode(const struct cos_crypto *crypto, enum cos_hash which,
                                      struct cos_span label, uint8_t *encoded, size_t length,
                                      size_t *message_length);

#endif
