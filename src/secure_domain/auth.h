/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the authentication commands share: auth.c, general.c.
 */
#ifndef COS_SECURE_AUTH_H
#define COS_SECURE_AUTH_H

#include "domain.h"

/* Bytes of a challenge for the key. */
size_t cos_auth_block(const struct object *key);
/* Answers the data enciphered or signed, or an access proof, and pays for the key's use before.
 * COS_E_LENGTH: data that the key does not take; else as cos_key_ready(). */
enum cos_result cos_auth_internal(struct cos_secure *secure, uint8_t channel, struct object *key,
                                  struct cos_span data, struct cos_writer *body);
/* Compares with the challenge that was kept for this use, and is good for one try, or verifies its
 * signature: COS_E_CONDITIONS if there is none. The key's rule is the caller's. */
enum cos_result cos_auth_external(struct cos_secure *secure, uint8_t channel, struct object *key,
                                  uint8_t use, struct cos_span data);
/* GENERAL AUTHENTICATE with the key that `reference` names. */
enum cos_result cos_auth_general(struct cos_secure *secure, uint8_t channel, uint8_t reference,
                                 struct object *key, struct cos_span data, struct cos_writer *body);

#endif
