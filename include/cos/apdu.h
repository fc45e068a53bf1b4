/* SPDX-License-Identifier: Apache-2.0
 *
 * Command and response APDUs, ISO/IEC 7816-4:2013, 5.1 and ISO/IEC 7816-3:2006, 12.1. Pure
 * functions: no NVM, no state but what the caller hands in.
 */
#ifndef COS_APDU_H
#define COS_APDU_H

#include "cos/bytes.h"

#define COS_APDU_SHORT_MAX 261U /* header, Lc, 255 bytes, Le */

/* The seven forms of a command APDU: cases 1 to 4, short or extended length fields. */
enum cos_apdu_case {
    COS_CASE_1,
    COS_CASE_2S,
    COS_CASE_3S,
    COS_CASE_4S,
    COS_CASE_2E,
    COS_CASE_3E,
    COS_CASE_4E,
};

struct cos_command {
    uint8_t cla, ins, p1, p2;
    enum cos_apdu_case form;
    const uint8_t *data; /* Nc bytes inside the APDU that was parsed; NULL when nc is 0 */
    uint16_t nc;         /* 0..65,535 */
    uint32_t ne;         /* 0 = Le absent, else 1..65,536 */
};

/* Parses a command APDU of any length. COS_OK and *command, or COS_E_LENGTH (6700) for anything
 * that is none of the seven forms (ISO/IEC 7816-3:2006, table 11). Class and instruction are not
 * looked at. */
enum cos_result cos_apdu_parse(const uint8_t *apdu, size_t length, struct cos_command *command);

/* What secure messaging a class byte announces (ISO/IEC 7816-4:2013, tables 2 and 3). */
enum cos_class_sm {
    COS_CLASS_SM_NONE,
    COS_CLASS_SM_PROPRIETARY,
    COS_CLASS_SM_ISO,        /* command header not authenticated */
    COS_CLASS_SM_ISO_HEADER, /* command header authenticated */
};

struct cos_class {
    bool proprietary; /* b8 set: GlobalPlatform coding of channel and secure messaging (GPCS 11.1.4)
                       */
    bool chaining;
    enum cos_class_sm sm;
    uint8_t channel; /* 0..19 */
};

/* Decodes a class byte. COS_OK and *class, or COS_E_CLASS (6E00) for FF, for 001x xxxx and for
 * proprietary values that GlobalPlatform does not name (90..BF, D0..DF, F0..FE). */
enum cos_result cos_apdu_class(uint8_t cla, struct cos_class *class_);

/* True if the instruction byte can be one: 6X and 9X are status bytes (ISO/IEC
 * 7816-3:2006, 10.3.3). */
bool cos_apdu_instruction_valid(uint8_t ins);

/* Command chaining (ISO/IEC 7816-4:2013, 5.3.3): a command in parts, all but the last with b5 of
 * CLA set, and with the same INS, P1, P2, channel and secure messaging. */
struct cos_chain {
    uint8_t *data; /* the caller's buffer: the parts' data, one behind the other */
    uint16_t capacity, length;
    bool open; /* a part came, and another one is awaited */
    uint8_t ins, p1, p2;
    struct cos_class class_;
};

/* Makes a chain without parts over a buffer of `capacity` bytes. */
void cos_chain_start(struct cos_chain *chain, uint8_t *buffer, uint16_t capacity);

/* Takes the next command, of this class. A part: COS_OK, and chain->open. The last one: its data
 * are all data of the chain then, which stand in the buffer. Any other command drops the chain and
 * stays as it is. A part may have Nc without data, if they are kept elsewhere: they are counted
 * only, and the buffer has nothing of them. COS_E_LENGTH, and no chain any more: a part without
 * data, or more than the buffer holds. */
enum cos_result cos_chain_take(struct cos_chain *chain, struct cos_class class_,
                               struct cos_command *command);

/* Whether parts wait, and this command does not go on with them: it drops the chain. */
bool cos_chain_breaks(const struct cos_chain *chain, struct cos_class class_,
                      const struct cos_command *command);

/* Forgets the parts and wipes them. */
void cos_chain_drop(struct cos_chain *chain);

/* A response under way: the command's data stay here until they are fetched, in one or in several
 * pieces. */
struct cos_response {
    struct cos_writer body; /* over the caller's buffer */
    size_t sent;            /* how much of the body the terminal already has */
    uint16_t sw;            /* status word of the command */
};

/* Makes an empty response over a buffer of `capacity` bytes. */
void cos_response_start(struct cos_response *response, uint8_t *buffer, size_t capacity);

/* Writes the next response APDU into out[capacity], capacity >= 2: up to ne bytes of what was not
 * sent yet, then 61XX if bytes remain (XX = 00 for 256 or more) or the command's own status word.
 * ne = 0 (Le was absent) gives what is there, up to 256 bytes. Bytes that are sent are wiped from
 * the body. Returns the length of the response APDU. */
size_t cos_response_next(struct cos_response *response, uint32_t ne, uint8_t *out, size_t capacity);

/* True while bytes wait for GET RESPONSE. */
bool cos_response_pending(const struct cos_response *response);

/* Drops what waits and wipes it. */
void cos_response_drop(struct cos_response *response);

#endif
