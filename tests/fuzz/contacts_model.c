/* SPDX-License-Identifier: Apache-2.0 */
#include "contacts_model.h"

#include <string.h>

struct contacts contacts;

bool contacts_is_in(const uint8_t *header)
{
    return (header[1] & 0x02) != 0;
}

bool contacts_is_envelope(const uint8_t *h)
{
    return h[1] == 0xC2 && h[2] == 0 && h[3] == 0 && ((h[0] & 0xFC) == 0 || (h[0] & 0xF0) == 0x40);
}

bool contacts_fetches(void)
{
    const unsigned p3 = contacts.log[4] == 0 ? 256 : contacts.log[4];

    return contacts.left != 0 && memcmp(contacts.log, contacts.again, 4) == 0 &&
           p3 >= contacts.left;
}

/* The protocol begins. */
static void begin(uint8_t protocol)
{
    contacts.phase = protocol == 0 ? IN_HEADER : BLOCKS;
    contacts.have = 0;
}

uint8_t contacts_first_protocol(void)
{
    return contacts.specific ? contacts.read.bytes[COS_ATR_TA2] & 0x0F : contacts.read.first;
}

static void log_character(uint8_t character)
{
    rig_must(contacts.have < CONTACTS_LOG, "a command has an end");
    contacts.log[contacts.have++] = character;
}

/* A character that the card has received well. */
void contacts_received(uint8_t character)
{
    switch (contacts.phase) {
    case FIRST:
        if (character == 0xFF) {
            contacts.phase = REQUEST;
        } else {
            begin(contacts_first_protocol());
        }
        log_character(character);
        break;
    case REQUEST:
        log_character(character);
        if (contacts.have > 1) {
            const unsigned y = contacts.log[1] >> 4;
            const size_t length = 3 + (y & 1) + (y >> 1 & 1) + (y >> 2 & 1);
            if (contacts.have == length) {
                contacts.phase = REPLY;
                contacts.sent = 0;
            }
        }
        break;
    case IN_HEADER:
        log_character(character);
        if (contacts.have == 5) {
            contacts.phase = PROCEDURE;
            contacts.executed = false;
            if (contacts.pieces_class != contacts.log[0]) {
                contacts.gathered = 0;
            }
            contacts.pieces_class = contacts.log[0];
        }
        break;
    case IN_DATA:
        log_character(character);
        if (--contacts.due == 0) {
            contacts.phase = PROCEDURE;
        }
        break;
    case BLOCKS:
        if (contacts.have < CONTACTS_LOG) {
            contacts.log[contacts.have++] = character;
        }
        break;
    case EITHER:
        break;
    default:
        rig_must(contacts.phase == SILENT || contacts.phase == REPLY, "whose turn it is");
        contacts.phase = SILENT;
        break;
    }
}

/* Whether an answer to the PPS request is due at all. */
static bool is_pps(void)
{
    uint8_t check = 0;

    for (size_t i = 0; i < contacts.have; i++) {
        check ^= contacts.log[i];
    }
    return check == 0 && (contacts.log[1] & 0x80) == 0 && !contacts.specific &&
           (contacts.read.offered >> (contacts.log[1] & 0x0F) & 1) != 0;
}

static void reply(uint8_t character)
{
    rig_must(is_pps(), "a wrong PPS request is not answered");
    contacts.reply[contacts.sent++] = character;
    const bool pps1 = contacts.sent > 1 && (contacts.reply[1] & 0x10) != 0;
    if (contacts.sent < (pps1 ? 4U : 3U)) {
        return;
    }
    uint8_t check = 0;
    for (size_t i = 0; i < contacts.sent; i++) {
        check ^= contacts.reply[i];
    }
    rig_must(check == 0 && contacts.reply[0] == 0xFF &&
                 (contacts.reply[1] & 0xEF) == (contacts.log[1] & 0x0F) &&
                 (!pps1 || ((contacts.log[1] & 0x10) != 0 && contacts.reply[2] == contacts.log[2])),
             "an answer to PPS repeats the request, or less of it");
    begin(contacts.log[1] & 0x0F);
}

static void procedure(uint8_t character)
{
    const uint8_t ins = contacts.log[1], p3 = contacts.log[4];
    const size_t data = contacts.have - 5;

    if (character == 0x60) {
        return;
    }
    if ((character & 0xF0) == 0x60 || (character & 0xF0) == 0x90) {
        contacts.sw1 = character;
        contacts.phase = STATUS;
    } else if (contacts_is_in(contacts.log) && p3 != 0 && !contacts_fetches()) {
        rig_must((character == ins || character == (uint8_t)~ins) && data < p3, "ACK");
        contacts.due = character == ins ? p3 - data : 1;
        contacts.phase = IN_DATA;
    } else {
        rig_must(character == ins && contacts.due == 0, "ACK before the data");
        rig_must(contacts.executed || contacts_fetches() || ins == 0xC0,
                 "of something that was executed");
        contacts.due = p3 == 0 ? 256 : p3;
        contacts.phase = OUT_DATA;
    }
}

/* A piece that is not the last one is kept, unless it was refused. */
static void end_command(uint8_t sw2)
{
    contacts.sw2 = sw2;
    contacts.left = contacts.sw1 == 0x6C ? sw2 : 0;
    memcpy(contacts.again, contacts.log, 4);
    if (!contacts_is_envelope(contacts.log) || contacts.executed || contacts.sw1 != 0x90) {
        contacts.gathered = 0;
    } else if (contacts.log[4] != 0) {
        rig_must(contacts.gathered + contacts.have - 5 <= sizeof contacts.pieces, "pieces fit");
        memcpy(contacts.pieces + contacts.gathered, contacts.log + 5, contacts.have - 5);
        contacts.gathered += contacts.have - 5;
    }
    contacts.phase = IN_HEADER;
    contacts.have = contacts.due = 0;
}

/* A character that the card has sent, and the device has taken. */
void contacts_taken(uint8_t character)
{
    switch (contacts.phase) {
    case ANSWER:
        rig_must(contacts.sent < contacts.atr_length && character == contacts.atr[contacts.sent],
                 "the ATR as it is");
        if (++contacts.sent == contacts.atr_length) {
            contacts.phase = contacts.is_atr ? FIRST : SILENT;
            contacts.have = 0;
        }
        break;
    case REPLY:
        reply(character);
        break;
    case PROCEDURE:
        procedure(character);
        break;
    case OUT_DATA:
        if (--contacts.due == 0) {
            contacts.phase = PROCEDURE;
            contacts.due = 1; /* no second ACK */
        }
        break;
    case STATUS:
        end_command(character);
        break;
    case BLOCKS:
    case EITHER:
        contacts.have = 0; /* the next turn */
        break;
    default:
        rig_must(false, "the card is silent where it has nothing to say");
        break;
    }
}
