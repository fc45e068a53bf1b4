/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls of the functions of cos/rule.h for tests: each sees memory of exactly the length it is
 * told.
 */
#ifndef RULE_RIG_H
#define RULE_RIG_H

#include "cos/rule.h"

enum { RULE_BYTES = 256 }; /* enough for any rule of a test */

typedef enum cos_result (*rule_checker)(struct cos_span rule);
typedef enum cos_result (*rule_reader)(struct cos_span rule, const struct cos_access *access,
                                       struct cos_writer *condition);

enum cos_result rule_check(rule_checker checks, const uint8_t *rule, size_t length);

/* Reads a rule; fails the test if what stood in the writer before does not stay, or if a rule that
 * is refused writes something. */
enum cos_result rule_read(rule_reader reads, const uint8_t *rule, size_t length,
                          const struct cos_access *access, uint8_t condition[COS_RULE_MAX],
                          size_t *written);

/* The rule, in hex, must give this condition for the access. */
void rule_means(rule_reader reads, const char *rule, const struct cos_access *access,
                const char *wanted);

/* The rule must be malformed, whatever it is asked. */
void rule_is_refused(rule_checker checks, rule_reader reads, const char *rule);

#endif
