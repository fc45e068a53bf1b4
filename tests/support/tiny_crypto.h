/* SPDX-License-Identifier: Apache-2.0
 *
 * A second provider: as little as a card can do with. An AES block of its own under the core's
 * modes, SHA-256 and HMAC of its own; no 3DES and nothing else that is optional. It shares no line
 * with the libtomcrypt provider.
 */
#ifndef TINY_CRYPTO_H
#define TINY_CRYPTO_H

#include "cos/crypto.h"

extern const struct cos_crypto tiny_crypto;

#endif
