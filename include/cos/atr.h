/* SPDX-License-Identifier: Apache-2.0
 *
 * The answer to reset, ISO/IEC 7816-3:2006, 8: from a card's initialization data to bytes, and
 * back. Pure functions, nothing writes NVM.
 */
#ifndef COS_ATR_H
#define COS_ATR_H

#include "cos/bytes.h"

#define COS_ATR_MAX            33U /* TS and 32 bytes, 8.1 */
#define COS_ATR_HISTORICAL_MAX 15U

/* The interface bytes that have a meaning (8.3), three to a group: global ones after T0 and after
 * TD1, those of T=1 and those of T=15 further behind. With each the value that it has if it does
 * not stand in the ATR. */
enum cos_atr_index {
    COS_ATR_TA1,  /* 11: Fi in b8..b5, Di in b4..b1 (cos/pps.h) */
    COS_ATR_TB1,  /* 00: deprecated, programming voltage; of no effect */
    COS_ATR_TC1,  /* 00: N, extra guard time of what the card receives; FF: 12 etu with T=0, 11 with
                     T=1 */
    COS_ATR_TA2,  /* specific mode: b8 it does not change without power-off, b5 TA1 does not hold
                     (372, 1  does), b4..b1 protocol. Not there: negotiable mode */
    COS_ATR_TB2,  /* 00: as TB1 */
    COS_ATR_TC2,  /* 0A: WI of T=0: waiting time WI * 960 * Fi / f, which is WI * 960 * Di etu; not
                     00 */
    COS_ATR_IFSC, /* 20: T=1: largest information field that the card takes, 01..FE */
    COS_ATR_BWI_CWI,     /* 4D: T=1: BWI in b8..b5, 0..9, CWI in b4..b1 */
    COS_ATR_EDC,         /* 00: T=1: 00 LRC, 01 CRC */
    COS_ATR_CLOCK_CLASS, /* 01: T=15: clock stop in b8b7 (00 no, 01 in state L, 10 in H, 11 in
                            both), classes of operating conditions in b6..b1 (01 A, 02 B, 04 C, and
                            03, 06, 07) */
    COS_ATR_SPU,         /* 00: T=15: use of C6 */
    COS_ATR_BYTES = 12,
};
#define COS_ATR_PRESENT(index) (1U << (index))

/* What an ATR says. As initialization data: what stands in no byte is 0. */
struct cos_atr {
    bool inverse;     /* TS: 3F, else 3B */
    uint8_t first;    /* the first offered protocol, in TD1: 0 or 1; 0 if it is offered at all */
    uint8_t offered;  /* b1 T=0, b2 T=1; one of them at least, and the first one */
    uint16_t present; /* COS_ATR_PRESENT() of the interface bytes that stand in the ATR */
    uint8_t bytes[COS_ATR_BYTES]; /* by cos_atr_index; cos_atr_read() sets the others to what holds
                                     then */
    uint8_t historical_length;
    uint8_t historical[COS_ATR_HISTORICAL_MAX];
};

/* Makes an ATR, TS to TCK: T=0, T=1 and T=15 with their bytes, in this order (8.2.3), each if it is
 * offered or there is something to say of it. Writes it to atr[capacity] and returns its length; 0
 * if it does not fit, or if it says what cos_atr_read() does not take. */
size_t cos_atr_write(const struct cos_atr *atr, uint8_t *bytes, size_t capacity);

/* Checks an ATR from TS to TCK and reads it. COS_E_DATA: not one, or a value that is reserved, a
 * protocol other than 0 and 1 or behind a higher one (T=0 is first, if it is offered), an Fi or Di
 * that is not in the table. Bytes of T=1 and T=15 count where they stand first; those behind TD2
 * that belong to T=0 have no meaning. */
enum cos_result cos_atr_read(const uint8_t *bytes, size_t length, struct cos_atr *atr);

/* Historical bytes as compact-TLV data objects, ISO/IEC 7816-4:2013, 12.1.1. */
struct cos_atr_historical {
    uint8_t category; /* category indicator: 00: status is there, as the last three bytes; 80: it is
                         there as a data object, if `status` says so */
    bool with_services;       /* 31: card service data, table 117 */
    uint8_t services;         /* . */
    uint8_t capability_bytes; /* 7X: card capabilities, tables 118 to 120: 0 to 3 bytes */
    uint8_t capabilities[3];  /* . */
    bool status;              /* 83: category 80 only */
    uint8_t life_cycle;       /* life-cycle status byte, 7.4.10; 00: no information */
    uint16_t sw;              /* 9000, or a warning */
};

/* Makes the historical bytes of an ATR. COS_E_DATA: a category other than 00 and 80, more than 3
 * bytes of capabilities. */
enum cos_result cos_atr_set_historical(struct cos_atr *atr,
                                       const struct cos_atr_historical *historical);

#endif
