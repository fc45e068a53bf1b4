/* SPDX-License-Identifier: Apache-2.0
 *
 * SHA-1 (FIPS 180-4, 6.1) of a message that fits one block, for the session keys of ICAO Doc
 * 9303-11, 9.7.1: the core's own, since a provider need not have it.
 */
#ifndef COS_CRYPTO_SHA1_H
#define COS_CRYPTO_SHA1_H

#include "cos/bytes.h"

#define COS_SHA1_SHORT_MAX 55U /* bytes of the message */
#define COS_SHA1_SHORT     16U /* bytes of the digest: the first ones of 20 */

void cos_sha1_short(const uint8_t *message, size_t length, uint8_t digest[COS_SHA1_SHORT]);

#endif
