/* SPDX-License-Identifier: Apache-2.0
 *
 * How things end: the exit status of twinctl, and the one line that explains it.
 */
#ifndef TWINCTL_PROBLEM_H
#define TWINCTL_PROBLEM_H

#include <stdint.h>

/* The exit status of the program. */
enum outcome {
    DONE = 0,
    REFUSED = 1, /* by the card, or by whoever examines it */
    TROUBLE = 2, /* usage or environment */
};

/* Hands on whatever is not DONE. */
#define TRY(expression)                                                                            \
    do {                                                                                           \
        enum outcome try_outcome_ = (expression);                                                  \
        if (try_outcome_ != DONE) {                                                                \
            return try_outcome_;                                                                   \
        }                                                                                          \
    } while (0)

struct problem {
    uint16_t sw; /* status word of the refusal, 0 = it was not the card */
    char text[320];
};

/* Sets the text and returns TROUBLE. */
enum outcome trouble(struct problem *problem, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Sets the text and returns REFUSED: whoever examines the card says no. */
enum outcome refused(struct problem *problem, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Sets "WHAT: SW, its meaning" and returns REFUSED. */
enum outcome refused_by_card(struct problem *problem, const char *what, uint16_t sw);

/* A status word in words (ISO/IEC 7816-4:2013, tables 5 and 6). */
void status_word_text(uint16_t sw, char *text, unsigned size);

#endif
