/* SPDX-License-Identifier: Apache-2.0
 *
 * Characters with error signal and repetition (ISO/IEC 7816-3:2006, 7.3): in the answer to reset,
 * PPS and T=0.
 */
#ifndef COS_APDU_LINE_H
#define COS_APDU_LINE_H

#include "cos/port.h"

/* Sends a character, `etus` or more after the last one on the line, again if it is refused.
 * COS_E_LINE_PARITY: four times. */
enum cos_result cos_line_put(const struct cos_line *line, uint8_t character, uint32_t etus);
/* Waits for a character, for ever. COS_E_LINE_PARITY: it was wrong four times. */
enum cos_result cos_line_get(const struct cos_line *line, uint8_t *character);

#endif
