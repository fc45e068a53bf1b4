/* SPDX-License-Identifier: Apache-2.0
 *
 * Exit statuses and what is said about them.
 */
#include "problem.h"

#include <stdarg.h>
#include <stdio.h>

enum outcome trouble(struct problem *problem, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem->text, sizeof problem->text, format, arguments);
    va_end(arguments);
    problem->sw = 0;
    return TROUBLE;
}

enum outcome refused(struct problem *problem, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem->text, sizeof problem->text, format, arguments);
    va_end(arguments);
    problem->sw = 0;
    return REFUSED;
}

static const struct {
    uint16_t sw;
    const char *text;
} meanings[] = {
    {0x6282, "end of file reached"},
    {0x6283, "selected file deactivated"},
    {0x6285, "selected file in termination state"},
    {0x6300, "authentication failed"},
    {0x6581, "memory failure"},
    {0x6700, "wrong length"},
    {0x6400, "execution error, memory unchanged"},
    {0x6481, "the file is current on another channel"},
    {0x6881, "logical channel not supported"},
    {0x6882, "secure messaging not supported"},
    {0x6884, "command chaining not supported"},
    {0x6981, "command incompatible with file structure"},
    {0x6982, "security status not satisfied"},
    {0x6983, "authentication method blocked"},
    {0x6984, "reference data not usable"},
    {0x6985, "conditions of use not satisfied"},
    {0x6986, "command not allowed, no current EF"},
    {0x6987, "secure messaging data objects missing"},
    {0x6988, "incorrect secure messaging data objects"},
    {0x6A80, "incorrect parameters in the command data field"},
    {0x6A81, "function not supported"},
    {0x6A82, "file or application not found"},
    {0x6A83, "record not found"},
    {0x6A84, "not enough memory space"},
    {0x6A85, "length inconsistent with TLV structure"},
    {0x6A86, "incorrect parameters P1-P2"},
    {0x6A87, "length inconsistent with P1-P2"},
    {0x6A88, "referenced data or reference data not found"},
    {0x6A89, "file already exists"},
    {0x6A8A, "DF name already exists"},
    {0x6B00, "wrong parameters P1-P2"},
    {0x6D00, "instruction not supported, or not in this state of the card"},
    {0x6E00, "class not supported"},
    {0x6F00, "no precise diagnosis: the card is mute or broken"},
    {0x9000, "done"},
};

void status_word_text(uint16_t sw, char *text, unsigned size)
{
    unsigned tries = sw & 0x0FU;
    if ((sw & 0xFFF0U) == 0x63C0) {
        snprintf(text, size, "wrong, %u %s left", tries, tries == 1 ? "try" : "tries");
        return;
    }
    const char *meaning = "unknown status word";
    for (unsigned i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
        if (meanings[i].sw == sw) {
            meaning = meanings[i].text;
        }
    }
    snprintf(text, size, "%s", meaning);
}

enum outcome refused_by_card(struct problem *problem, const char *what, uint16_t sw)
{
    char meaning[80];
    status_word_text(sw, meaning, sizeof meaning);
    refused(problem, "%s: %04X, %s", what, sw, meaning);
    problem->sw = sw;
    return REFUSED;
}
