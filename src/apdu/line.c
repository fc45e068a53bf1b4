/* SPDX-License-Identifier: Apache-2.0 */
#include "line.h"

enum {
    TIMES = 4,          /* a character, and three repetitions */
    REPETITION_AT = 13, /* etu: two after the error signal was seen at 11 (7.3) */
};

enum cos_result cos_line_put(const struct cos_line *line, uint8_t character, uint32_t etus)
{
    enum cos_result result = line->send(line->context, character, etus);

    for (unsigned i = 1; i < TIMES && result == COS_E_LINE_PARITY; i++) {
        result = line->send(line->context, character, REPETITION_AT);
    }
    return result;
}

enum cos_result cos_line_get(const struct cos_line *line, uint8_t *character)
{
    enum cos_result result = COS_E_LINE_PARITY;

    for (unsigned i = 0; i < TIMES && result == COS_E_LINE_PARITY; i++) {
        result = line->receive(line->context, character, 0);
    }
    return result;
}
