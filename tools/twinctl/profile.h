/* SPDX-License-Identifier: Apache-2.0
 *
 * What one kind of card is to be: the data of all six steps that are not secret. Dates of the
 * production are YDDD (last digit of the year, day of the year), BCD, as CPLC has them.
 */
#ifndef TWINCTL_PROFILE_H
#define TWINCTL_PROFILE_H

#include "bytes.h"

struct profile_step {
    uint16_t who, date;
    uint8_t equipment[4];
};

/* The answer to reset (ISO/IEC 7816-3:2006, 8.3): what a card says of itself. What is as a reader
 * takes it anyway does not stand in the ATR. */
struct profile_atr {
    bool inverse;       /* convention */
    bool t0, t1;        /* protocols, one at least; T=0 is offered first */
    uint8_t fi_di;      /* TA1; 11 = 372 and 1 */
    bool specific;      /* TA2: the first protocol, with TA1, and no PPS */
    bool fixed;         /* with that: until power is off */
    bool implicit;      /* with that: at 372 and 1, whatever TA1 says */
    uint8_t guard;      /* TC1: N; FF = the shortest */
    uint8_t wi;         /* T=0: TC2, 10 as a rule */
    uint8_t ifsc;       /* T=1: 1 to 254, 32 as a rule */
    uint8_t bwi;        /* T=1: 0 to 9, 4 as a rule */
    uint8_t cwi;        /* T=1: 0 to 15, 13 as a rule */
    bool crc;           /* T=1: instead of LRC */
    uint8_t clock_stop; /* T=15: 0 no, 1 at L, 2 at H, 3 at both */
    uint8_t classes;    /* T=15: b1 A, b2 B, b3 C; neighbours only; A alone is taken anyway */
    /* Historical bytes, COMPACT-TLV: card service data and capabilities (the card sets the third
     * byte of these), the issuer's own, life-cycle status (which the card keeps). */
    uint8_t services;
    uint8_t capabilities[2];
    const char *issuer; /* up to 15 bytes; NULL: none */
    bool life_cycle;
};

struct profile {
    /* 1 and 2: semiconductor manufacturer */
    uint16_t ic_fabricator, ic_type, ic_date, ic_batch;
    uint16_t os_identifier, os_date, os_level;
    /* 3: module manufacturer */
    uint16_t module_fabricator, module_date;
    /* 4: card manufacturer */
    uint16_t card_manufacturer, embedding_date;
    char card_body[9]; /* 8 characters */
    uint8_t card_batch[4];
    char printing[17]; /* 16 characters */
    /* 5: card manufacturer */
    struct profile_step initialization;
    struct profile_atr atr;
    /* 6: issuer */
    struct profile_step personalization;
    uint16_t mf, application, holder_data, production_record; /* FIDs */
    uint8_t holder_sfi;
    uint16_t holder_size, record_size, dir_size, info_size;
    const char *label;        /* of the application, in EF.DIR */
    uint8_t record_condition; /* who may read serial number and production record */
    uint8_t pin_tries, pin_shortest, pin_longest; /* digits; the resetting code's too */
    uint8_t pin_format;                           /* enum pin_form; the resetting code's too */
    bool pin_may_disable, pin_transport;
    uint8_t code_tries;
    uint16_t code_uses; /* 0 = not counted */
    uint8_t access_level;
    uint32_t valid_to; /* YYYYMMDD, BCD */
    const char *holder_name;
    const char *holder_language; /* ISO 639 */
    uint32_t holder_birth;       /* YYYYMMDD, BCD */
};

extern const struct profile sample_profile;

/* Holder data: cardholder related data 65 {5F20 name, 5F2B date of birth, 5F2D language} of
 * ISO/IEC 7816-6, then 00 up to holder_size. */
void profile_holder_data(const struct profile *profile, const char *name, struct bytes *to);

#endif
