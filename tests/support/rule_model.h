/* SPDX-License-Identifier: Apache-2.0
 *
 * Access rules (cos/rule.h) written down once more, plainly and recursively, for comparison; and
 * rules to compare with. Knows nothing of the code under test.
 */
#ifndef RULE_MODEL_H
#define RULE_MODEL_H

#include "cos/rule.h"
#include "cos/tlv.h"

/* Who answers: the answer to an SC-DO hangs on the object and the seed alone. */
struct rule_oracle {
    uint64_t seed;
    bool unsure; /* neither yes nor no about one object in eight */
};
/* For cos_rule_evaluate(); fails the test if it is asked what nobody should be asked. */
cos_truth rule_holds(const void *oracle, const struct cos_tlv *object);

struct rule_judgement {
    bool good;   /* well-formed */
    bool unsure; /* somebody who was asked is */
    bool truth;  /* if not */
};
struct rule_judgement rule_model(const struct rule_oracle *oracle, const uint8_t *condition,
                                 size_t length);

/* Whether an expanded rule is well-formed; appends its condition for the access. */
bool rule_model_expanded(const uint8_t *at, const uint8_t *end, const struct cos_access *access,
                         struct cos_writer *condition);

/* Appends a condition that is well made, of `budget` bytes at most. */
void rule_make(uint64_t *seed, struct cos_writer *writer, size_t budget);
/* An expanded rule; its header filters are about 00 B0 81 05. */
void rule_make_expanded(uint64_t *seed, struct cos_writer *writer);
/* Changes, adds or cuts off something. */
void rule_change(uint64_t *seed, uint8_t *bytes, size_t *length, size_t capacity);
/* Bytes at random, such as rules are made of more often than others. */
void rule_scatter(uint64_t *seed, uint8_t *bytes, size_t length);

#endif
