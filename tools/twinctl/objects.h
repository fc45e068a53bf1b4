/* SPDX-License-Identifier: Apache-2.0
 *
 * What personalization tells a card to make: file control parameters for CREATE FILE and data
 * groups for STORE DATA (docs/formats.md, "Security objects in STORE DATA"). Every function appends
 * to `to`, which fails if there is no room.
 */
#ifndef TWINCTL_OBJECTS_H
#define TWINCTL_OBJECTS_H

#include "bytes.h"
#include "pin.h"

/* A DF with a compact access rule: who may create DFs and EFs in it; who may do all the rest to it,
 * and delete what is in it. */
struct df_parameters {
    uint16_t fid;
    struct part name; /* empty = none */
    uint8_t create_df, create_ef, manage;
};
void fcp_df(struct bytes *to, const struct df_parameters *df);

/* An EF: transparent, or with records of one size, which all exist. Its access rule is a record of
 * EF.ARR, or compact. */
struct ef_parameters {
    uint16_t fid;
    uint8_t sfi; /* 0 = none */
    uint16_t size;
    uint8_t record_size, records; /* 0 = transparent */
    uint8_t source;               /* enum cos_fs_source; 0 is not written */
    uint16_t arr;                 /* FID of EF.ARR, 0 = none; and the record */
    uint8_t arr_record;
    uint8_t update, read, manage; /* manage: delete, terminate, activate, deactivate */
};
void fcp_ef(struct bytes *to, const struct ef_parameters *ef);

struct pin_object {
    uint8_t number;
    struct part application; /* empty = global */
    uint8_t tries, shortest, longest;
    uint8_t resetting_code;  /* number of that PIN, 0 = none */
    uint8_t reset_condition; /* for resetting without code */
    uint8_t format;
    uint16_t uses;   /* 0 = not counted */
    bool may_change; /* without the old value, under this condition */
    uint8_t change_condition;
    bool may_disable, transport;
    struct part value; /* in its format */
};
void dgi_pin(struct bytes *to, const struct pin_object *pin);

enum key_algorithm { ALGORITHM_AES = 0x01, ALGORITHM_3DES = 0x02 };
enum key_usage { USAGE_INTERNAL_AUTHENTICATION = 0x01, USAGE_ACCESS_PROOF = 0x04 };
struct key_object {
    uint8_t number;
    struct part application;
    uint8_t algorithm, usage, condition;
    bool has_level;
    uint8_t level;
    uint32_t valid_to; /* YYYYMMDD, BCD */
    struct part value;
};
void dgi_key(struct bytes *to, const struct key_object *key);

/* Who may read serial number and production record once the card is in use. */
void dgi_record_rule(struct bytes *to, uint8_t condition);

void dgi_atr(struct bytes *to, struct part atr);

#endif
