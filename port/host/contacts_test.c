/* SPDX-License-Identifier: Apache-2.0
 *
 * Host port: the contacts' part of the module test, production step 3.
 */
#include "contacts.h"

#include <string.h>

enum { CONTACTS = 8, IO = 6 /* bit of COS_CONTACT_IO */ };

static bool find(const char *const *names, size_t count, const char *text, size_t length,
                 unsigned *found)
{
    for (*found = 0; *found < count; (*found)++) {
        if (strlen(names[*found]) == length && memcmp(names[*found], text, length) == 0) {
            return true;
        }
    }
    return false;
}

bool host_fault_parse(const char *text, unsigned *contact, enum host_fault *fault)
{
    static const char *const contacts[CONTACTS] = {"VCC", "RST", "CLK", "C4",
                                                   "GND", "SPU", "IO",  "C8"};
    static const char *const faults[] = {"open", "low", "high", "short"}; /* from HOST_OPEN on */
    const size_t colon = strcspn(text, ":");
    unsigned kind;

    if (text[colon] == '\0' || !find(contacts, CONTACTS, text, colon, contact) ||
        !find(faults, 4, text + colon + 1, strlen(text + colon + 1), &kind)) {
        return false;
    }
    *fault = (enum host_fault)(HOST_OPEN + kind);
    return true;
}

/* What a pad has when these levels are put on the contacts from outside. */
static bool pad(const struct host_contacts *board, unsigned contact, unsigned driven)
{
    const unsigned next = (contact + 1) % CONTACTS, last = (contact + CONTACTS - 1) % CONTACTS;
    unsigned level = driven >> contact & 1U;

    level &= board->fault[contact] == HOST_SHORT ? driven >> next : 1U;
    level &= board->fault[last] == HOST_SHORT ? driven >> last : 1U;
    switch (board->fault[contact]) {
    case HOST_OPEN:
        return contact == IO;
    case HOST_LOW:
        return false;
    case HOST_HIGH:
        return true;
    default:
        return level != 0;
    }
}

/* One contact after the other is alone at its level; then the card drives I/O. The module tester
 * supplies the chip by its test pads meanwhile: so VCC, GND, RST and CLK are pads like others. */
enum cos_result host_contacts_test(void *context, uint8_t *working)
{
    const struct host_contacts *board = context;
    struct host_contacts output = *board;
    unsigned bad = 0;

    for (unsigned pattern = 0; pattern < 2 * CONTACTS; pattern++) {
        const unsigned alone = 1U << pattern / 2;
        const unsigned driven = pattern % 2 == 0 ? alone : 0xFFU & ~alone;
        for (unsigned i = 0; i < CONTACTS; i++) {
            bad |= pad(board, i, driven) != ((driven >> i & 1U) != 0) ? 1U << i : 0;
        }
    }
    output.reader_io = true;
    for (unsigned high = 0; high < 2; high++) {
        output.card_io = high != 0;
        bad |= host_contacts_io_level(&output) != output.card_io ? COS_CONTACT_IO : 0U;
    }
    *working = (uint8_t)~bad;
    return COS_OK;
}
