/* SPDX-License-Identifier: Apache-2.0
 *
 * The answer to reset of a profile, as bytes.
 */
#ifndef TWINCTL_ATR_H
#define TWINCTL_ATR_H

#include "problem.h"
#include "profile.h"

/* Adds the ATR, TS to TCK (ISO/IEC 7816-3:2006, 8.2), with the third byte of capabilities and the
 * life cycle as the card has them to set: 00 and 03. TROUBLE: a value that is reserved, or that the
 * profile's protocols have no use for; the text says which. */
enum outcome atr_make(const struct profile_atr *atr, struct bytes *to, struct problem *problem);

#endif
