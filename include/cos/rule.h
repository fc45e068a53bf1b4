/* SPDX-License-Identifier: Apache-2.0
 *
 * Access rules as text: security attributes in the compact (8C) and the expanded format (AB,
 * records of EF.ARR), ISO/IEC 7816-4:2013, 9.3. What is found here is a condition; whether it
 * holds, only the secure domain can say. Pure functions: no NVM, no state. Nothing recurses.
 *
 * A condition is a run of security condition data objects (SC-DOs), of which one suffices:
 *
 *   90 00, 97 00   always, never
 *   9E 01 SC       security condition byte (docs/formats.md, "Security status")
 *   A4             83 reference; 95 usage: 08 PIN verified, 80 key authenticated; none: either
 *   B4, B8         secure messaging: the command has a checksum, is enciphered; 83 key of
 *                  the session; 95 usage: 10 the command (none: that), 20 the response
 *   B6             secure messaging by signature, which this card does not have: never
 *   A0, AF, A7     any of, all of, none of the SC-DOs in it; at most COS_RULE_DEPTH deep
 */
#ifndef COS_RULE_H
#define COS_RULE_H

#include "cos/bytes.h"

#define COS_RULE_MAX   96U /* bytes of one condition */
#define COS_RULE_DEPTH 4U  /* templates within templates */

#define COS_SC_ALWAYS 0x00U
#define COS_SC_NEVER  0xFFU

/* What is to be done: the bit of the access mode byte (ISO/IEC 7816-4:2013, tables 17 to 19). */
enum cos_operation {
    /* EF */
    COS_OPERATION_READ = 0x01,   /* READ, SEARCH */
    COS_OPERATION_UPDATE = 0x02, /* UPDATE, ERASE */
    COS_OPERATION_WRITE = 0x04,  /* WRITE, APPEND */
    /* DF */
    COS_OPERATION_DELETE_CHILD = 0x01,
    COS_OPERATION_CREATE_EF = 0x02,
    COS_OPERATION_CREATE_DF = 0x04,
    /* Both */
    COS_OPERATION_DEACTIVATE = 0x08,
    COS_OPERATION_ACTIVATE = 0x10,
    COS_OPERATION_TERMINATE = 0x20,
    COS_OPERATION_DELETE = 0x40,
    /* Data objects */
    COS_OPERATION_GET_DATA = 0x01,
    COS_OPERATION_PUT_DATA = 0x02,
};

struct cos_access {
    enum cos_operation operation;
    uint32_t object;     /* tag of the data object that is meant; 0: the file itself */
    uint8_t header[4];   /* CLA INS P1 P2 of the command, for header filters (81 to 8F) */
    uint8_t environment; /* number of the security environment in force, for 8B */
};

/* Checks the value of a compact attribute: COS_E_DATA if an AM byte lists nothing or lacks SC
 * bytes, b8 of AM is set (proprietary meanings are refused), an SC byte asks for nothing or for
 * environment 15, or there are more sets than a condition has room for. */
enum cos_result cos_rule_check_compact(struct cos_span rule);
/* The same for the value of an expanded attribute: AM-DOs, each with SC-DOs behind it. An AM-DO is
 * 80 (AM byte) or 81 to 8F (b4 to b1 of the tag: which of CLA INS P1 P2 are given; the value is a
 * list of them). COS_E_DATA also for any other AM-DO, an empty template, a control reference
 * template with anything but one 83 and one 95 of one byte each (A4 needs 83), templates more than
 * COS_RULE_DEPTH deep, and more than COS_RULE_MAX bytes of SC-DOs in all. Padding 00 and FF behind
 * the last object of a rule or a template is allowed, as records have it. */
enum cos_result cos_rule_check_expanded(struct cos_span rule);
/* The same for SC-DOs. */
enum cos_result cos_rule_check_condition(struct cos_span condition);
/* The same for the value of A0, the rules of data objects: pairs of a tag list (5C) and a rule in
 * either format (8C, AB). An empty list stands for all tags that no other has; at most one is. */
enum cos_result cos_rule_check_objects(struct cos_span rule);

/* Append the SC-DOs for an access to *condition; nothing if the rule does not list it. COS_E_DATA:
 * malformed; COS_E_MEMORY_FULL: too long; nothing is written then. */
enum cos_result cos_rule_compact(struct cos_span rule, const struct cos_access *access,
                                 struct cos_writer *condition);
enum cos_result cos_rule_expanded(struct cos_span rule, const struct cos_access *access,
                                  struct cos_writer *condition);
/* By the rules of all pairs that name the tag access->object, else by that of the empty list. */
enum cos_result cos_rule_objects(struct cos_span rule, const struct cos_access *access,
                                 struct cos_writer *condition);

/* What every reader can see: that a condition always holds, or that it never does (a malformed one
 * does not); anything else: ask the secure domain. */
enum cos_rule_plain { COS_RULE_ASK, COS_RULE_ALWAYS, COS_RULE_NEVER };
enum cos_rule_plain cos_rule_plain(struct cos_span condition);

/* Makes of a condition that was checked what is left of it outside of the application whose file it
 * is for: PINs and keys of an application (9E with b6 or b5, A4 with b8 of the reference) are
 * satisfied no more. Its length stays. */
void cos_rule_leave_application(uint8_t *condition, size_t length);

/* Whether a condition holds. `holds` answers COS_YES or COS_NO for one SC-DO that is no template
 * and neither 90 nor 97; its form was checked. If it answers anything else (it cannot tell), the
 * whole condition does not hold, whatever "none of" says; nor does a malformed one. Iterative,
 * constant stack. */
struct cos_tlv;
cos_truth cos_rule_evaluate(struct cos_span condition,
                            cos_truth (*holds)(const void *context, const struct cos_tlv *object),
                            const void *context);

#endif
