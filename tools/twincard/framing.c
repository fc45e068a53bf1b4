/* SPDX-License-Identifier: Apache-2.0
 *
 * The framing between a card and the virtual reader.
 */
#include "framing.h"

enum control { CONTROL_OFF = 0, CONTROL_ON = 1, CONTROL_RESET = 2, CONTROL_ATR = 4 };

static enum frame_kind control_kind(uint8_t control)
{
    switch (control) {
    case CONTROL_OFF:
        return FRAME_POWER_OFF;
    case CONTROL_ON:
        return FRAME_POWER_ON;
    case CONTROL_RESET:
        return FRAME_RESET;
    case CONTROL_ATR:
        return FRAME_ATR;
    default:
        return FRAME_IGNORED;
    }
}

struct frame frame_parse(const uint8_t *bytes, size_t length)
{
    if (length < FRAME_HEADER) {
        return (struct frame){.kind = FRAME_INCOMPLETE};
    }
    size_t body = (size_t)bytes[0] * 256 + bytes[1];
    if (length - FRAME_HEADER < body) {
        return (struct frame){.kind = FRAME_INCOMPLETE};
    }
    struct frame frame = {.kind = FRAME_COMMAND, .size = FRAME_HEADER + body, .body = body};
    if (body == 0) {
        frame.kind = FRAME_IGNORED;
    } else if (body == 1) {
        frame.kind = control_kind(bytes[FRAME_HEADER]);
    }
    return frame;
}

void frame_header(uint8_t header[FRAME_HEADER], size_t body)
{
    header[0] = (uint8_t)(body >> 8);
    header[1] = (uint8_t)body;
}
