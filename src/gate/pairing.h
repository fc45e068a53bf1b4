/* SPDX-License-Identifier: Apache-2.0
 *
 * How the pairing secret travels from the security chip to the app chip (docs/formats.md,
 * "Pairing").
 */
#ifndef COS_GATE_PAIRING_H
#define COS_GATE_PAIRING_H

#include "cos/gate.h"

/* Wraps the secret for the app chip that has this transport key; the other direction is
 * cos_gate_unwrap_pairing(). */
enum cos_result cos_pairing_wrap(const struct cos_crypto *crypto, const uint8_t transport_key[16],
                                 const uint8_t secret[COS_PAIRING_SECRET], uint8_t generation,
                                 uint8_t wrapped[COS_PAIRING_SECRET + COS_CCM_TAG]);

#endif
