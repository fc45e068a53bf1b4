/* SPDX-License-Identifier: Apache-2.0
 *
 * A provider over OpenSSL, for what the self-tests ask: CBC decryption under keys of 16 bytes,
 * texts of up to 256 bytes, keys that OpenSSL finds good. What it cannot do fails the running test.
 */
#ifndef TESTS_OPENSSL_PROVIDER_H
#define TESTS_OPENSSL_PROVIDER_H

#include "cos/crypto.h"

extern const struct cos_crypto openssl_provider;

#endif
