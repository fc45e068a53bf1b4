/* SPDX-License-Identifier: Apache-2.0
 *
 * What the contacts of a card are in the middle of, seen from outside and character by character:
 * answer to reset, PPS, T=0 (ISO/IEC 7816-3:2006, 8 to 10). It says what may come next, and aborts
 * at what may not.
 */
#ifndef CONTACTS_MODEL_H
#define CONTACTS_MODEL_H

#include "cos/transport.h"
#include "rig.h"

enum { CONTACTS_COMMAND = 300, CONTACTS_LOG = 700 };

enum phase {
    SILENT,    /* until the next reset */
    ANSWER,    /* to reset */
    FIRST,     /* the first character is awaited */
    REQUEST,   /* PPS */
    REPLY,     /* to PPS */
    IN_HEADER, /* T=0: so many characters of it are there: `have` */
    PROCEDURE, /* a procedure byte is due, or SW1 */
    IN_DATA,   /* `due` characters to the card */
    OUT_DATA,  /* `due` characters from it */
    STATUS,    /* SW2 */
    BLOCKS,    /* T=1 */
    EITHER,    /* a wrong first character, where T=1 is first: a block's, or awaited again */
};

struct contacts {
    enum phase phase;
    uint8_t atr[40];
    size_t atr_length, sent;
    struct cos_atr read;
    bool is_atr, specific, executed;
    uint8_t again[4];          /* the header that 6CXX was sent to */
    unsigned left;             /* XX; 0: nothing is kept for it */
    uint8_t log[CONTACTS_LOG]; /* of the command, of the PPS request, of the block */
    size_t have, due;
    uint8_t reply[4], sw1, sw2;
    uint8_t pieces[CONTACTS_COMMAND]; /* of a command by ENVELOPE */
    size_t gathered;
    uint8_t pieces_class;
};
extern struct contacts contacts;

/* Whether P3 of a header is Lc. */
bool contacts_is_in(const uint8_t *header);
bool contacts_is_envelope(const uint8_t *header);
/* The header of a command whose response is kept: it is not executed, and has no data. */
bool contacts_fetches(void);
uint8_t contacts_first_protocol(void);
/* A character that the card has received well; that it has sent, and the device has taken. */
void contacts_received(uint8_t character);
void contacts_taken(uint8_t character);

#endif
