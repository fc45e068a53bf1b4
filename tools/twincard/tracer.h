/* SPDX-License-Identifier: Apache-2.0
 *
 * --trace: what passes over the contacts and over the gate, decoded, one line each, with secrets
 * blanked. A blanked run of bytes is written as its length: <8 bytes>. Blanked are: data of VERIFY,
 * CHANGE REFERENCE DATA, RESET RETRY COUNTER, authentication commands, PUT KEY, STORE DATA and
 * production steps, everything under secure messaging, and the same data where they cross the gate.
 * The test of this file is tests/unit/test_tracer.c.
 */
#ifndef TWINCARD_TRACER_H
#define TWINCARD_TRACER_H

#include "cos/gate.h"

#include <stdio.h>

struct tracer {
    FILE *out; /* NULL: nothing is traced */
    struct cos_gate_trace gate;
    bool blank_response; /* response data of the command under way, and of GET RESPONSE after it */
    uint32_t began;
};

/* Traces to `out`, which stays the caller's; the struct must not move afterwards. */
void tracer_init(struct tracer *tracer, FILE *out);

void tracer_event(struct tracer *tracer, const char *event);
void tracer_atr(struct tracer *tracer, const uint8_t *atr, size_t length);
void tracer_command(struct tracer *tracer, const uint8_t *apdu, size_t length);
void tracer_response(struct tracer *tracer, const uint8_t *apdu, size_t length);

#endif
