/* SPDX-License-Identifier: Apache-2.0
 *
 * What the program says: lines for people, or one JSON object for machines, which is printed at the
 * end. Keys of JSON are fixed; the text for people is not.
 */
#ifndef TWINCTL_REPORT_H
#define TWINCTL_REPORT_H

#include "problem.h"

#include <jansson.h>
#include <stdbool.h>

struct report {
    json_t *root; /* NULL = for people */
};

void report_open(struct report *report, bool json, const char *command);

/* One fact. */
void report_item(struct report *report, const char *key, const char *label, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void report_number(struct report *report, const char *key, const char *label, long number);

/* A sentence for people only. */
void report_line(struct report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One response of `apdu`. */
void report_response(struct report *report, const char *text);

/* One production step, with the state of the card after it. */
struct report_step {
    unsigned number;
    const char *name, *who, *state;
    bool already; /* done by an earlier run */
};
/* At its end; for people, the step's facts stand between report_line() and this. */
void report_step(struct report *report, const struct report_step *step);

/* Ends the report: the refusal or trouble goes to stderr as one line, and into the JSON. Returns
 * the exit status; TROUBLE if stdout does not take the output. */
int report_close(struct report *report, enum outcome outcome, const struct problem *problem);

#endif
