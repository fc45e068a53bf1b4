/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether P3 of T=0 is Lc or Le (ISO/IEC 7816-3:2006, 10.3.1): the card has to know, from the
 * header alone.
 */
#include "domain.h"

enum { SELECT_PARENT = 0x03, STEP_COMPLETE = 0x01 };

/* Commands whose P1-P2 say that they have no data, but which may have response data. */
static bool only_answers(const struct command_row *row, uint8_t p1, uint8_t p2)
{
    return (row->handler == cos_app_select && p1 == SELECT_PARENT) ||
           (row->handler == cos_app_production_step && p2 != STEP_COMPLETE);
}

enum cos_t0_direction cos_app_direction(const uint8_t header[5])
{
    struct cos_class class_;

    if (cos_apdu_class(header[0], &class_) != COS_OK) {
        return COS_T0_OUT;
    }
    if (class_.sm != COS_CLASS_SM_NONE || class_.chaining) {
        return COS_T0_IN; /* their data are data objects, a MAC, a part */
    }
    const struct command_row *row = cos_app_find_command(class_.proprietary, header[1]);
    if (row == NULL || row->cases == COMMAND_WITHOUT_DATA ||
        only_answers(row, header[2], header[3])) {
        return COS_T0_OUT;
    }
    return COS_T0_IN;
}
