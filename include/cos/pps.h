/* SPDX-License-Identifier: Apache-2.0
 *
 * Speed and protocol of the contacts: the tables of Fi and Di (ISO/IEC 7816-3:2006, 8.3, tables 7
 * and 8) and protocol and parameters selection (9). Pure functions.
 */
#ifndef COS_PPS_H
#define COS_PPS_H

#include "cos/bytes.h"

/* Both are coded in one byte, as in TA1 and PPS1: Fi in b8..b5, Di in b4..b1. 1 etu = F / (D * f).
 */
#define COS_FI_DI_DEFAULT 0x11U /* 372 and 1: Fd, Dd */

/* Clock rate conversion integer: 372..2048; 0: reserved. */
uint16_t cos_fi(uint8_t fi_di);
/* Baud rate adjustment integer: 1..64; 0: reserved. */
uint8_t cos_di(uint8_t fi_di);
/* Highest clock frequency that goes with the Fi, in kHz: 4000..20000; 0: reserved. */
uint16_t cos_f_max(uint8_t fi_di);

/* What a card can do. */
struct cos_pps_offer {
    uint8_t protocols; /* b1 T=0, b2 T=1: those of the ATR; 00 in specific mode */
    const uint16_t
        *pairs; /* 16 rows, by the code of Fi: bit n set: with the Di of code n. NULL: 11 alone */
};

/* What was agreed upon. */
struct cos_pps {
    uint8_t protocol;
    uint8_t fi_di;
    uint8_t answer[4]; /* PPSS PPS0 [PPS1] PCK */
    uint8_t length;    /* of the answer: 3 or 4 */
};

#define COS_PPS_MAX 6U /* bytes of a request */

/* Whether the pair is one of the table that the card can do; 11 always is. */
bool cos_pps_can_do(const uint16_t *pairs, uint8_t fi_di);

/* Bytes of a request with this PPS0: 3 to 6. */
size_t cos_pps_length(uint8_t pps0);

/* The answer to a request, PPSS to PCK (9.3). PPS1 with a pair that the card can do is echoed;
 * another one is left out, and 372 and 1 stay; PPS2 and PPS3 are always left out. COS_E_DATA: no
 * answer is due: wrong PCK or length, not PPSS, b8 of PPS0 set, a protocol that is not offered. */
enum cos_result cos_pps_answer(const struct cos_pps_offer *offer, const uint8_t *request,
                               size_t length, struct cos_pps *pps);

#endif
