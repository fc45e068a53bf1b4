/* SPDX-License-Identifier: Apache-2.0 */
#include "rule_model.h"

#include "sim_nvm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- Who answers ---- */

static cos_truth answer(const struct rule_oracle *oracle, unsigned tag, const uint8_t *value,
                        size_t length)
{
    static const cos_truth neither[] = {0, 0xFFFFFFFF, COS_YES ^ 1U, COS_NO ^ 0x80000000U};
    uint64_t mixed = oracle->seed ^ tag;

    for (size_t i = 0; i < length; i++) {
        mixed = sim_random(&mixed) ^ value[i];
    }
    mixed = sim_random(&mixed);
    if (oracle->unsure && mixed % 8 == 7) {
        return neither[(mixed >> 8) % COUNT(neither)];
    }
    return (mixed >> 16 & 1U) != 0 ? COS_YES : COS_NO;
}

cos_truth rule_holds(const void *context, const struct cos_tlv *object)
{
    static const uint32_t tags[] = {0x9E, 0xA4, 0xB4, 0xB6, 0xB8};
    bool known = false;

    for (size_t i = 0; i < COUNT(tags); i++) {
        known = known || object->tag == tags[i];
    }
    assert_true(known);
    return answer(context, object->tag, object->value, object->length);
}

/* ---- The model ---- */

/* One object from *at on: false if there is none that is whole. */
static bool take(const uint8_t **at, const uint8_t *end, unsigned *tag, const uint8_t **value,
                 size_t *length)
{
    const size_t left = (size_t)(end - *at);
    size_t bytes = 0;

    if (left < 2 || (**at & 0x1F) == 0x1F) {
        return false; /* no object here has a longer tag */
    }
    *tag = (*at)[0];
    *length = (*at)[1];
    if (*length >= 0x80) {
        bytes = *length - 0x80;
        if (bytes < 1 || bytes > 3 || left < 2 + bytes) {
            return false;
        }
        *length = 0;
        for (size_t i = 0; i < bytes; i++) {
            *length = *length << 8 | (*at)[2 + i];
        }
    }
    if (*length > left - 2 - bytes) {
        return false;
    }
    *value = *at + 2 + bytes;
    *at = *value + *length;
    return true;
}

static bool is_padding(const uint8_t *at, const uint8_t *end)
{
    while (at < end && (*at == 0x00 || *at == 0xFF)) {
        at++;
    }
    return at == end;
}

static bool model_reference(unsigned tag, const uint8_t *at, const uint8_t *end)
{
    unsigned references = 0, usages = 0, inner;
    const uint8_t *value;
    size_t length;

    while (!is_padding(at, end)) {
        if (!take(&at, end, &inner, &value, &length) || length != 1) {
            return false;
        }
        references += inner == 0x83;
        usages += inner == 0x95;
        if ((inner != 0x83 && inner != 0x95) || references > 1 || usages > 1) {
            return false;
        }
    }
    return references + usages > 0 && (tag != 0xA4 || references == 1);
}

static struct rule_judgement judge(const struct rule_oracle *oracle, unsigned kind,
                                   const uint8_t *at, const uint8_t *end, unsigned depth)
{
    struct rule_judgement all = {.good = depth <= COS_RULE_DEPTH && !is_padding(at, end)};
    unsigned asked = 0, met = 0, tag;
    const uint8_t *value;
    size_t length;

    while (all.good && !is_padding(at, end)) {
        struct rule_judgement one = {.good = take(&at, end, &tag, &value, &length)};
        if (!one.good) {
            return one;
        }
        if (tag == 0xA0 || tag == 0xA7 || tag == 0xAF) {
            one = judge(oracle, tag, value, value + length, depth + 1);
        } else if (tag == 0x90 || tag == 0x97) {
            one.good = length == 0;
            one.truth = tag == 0x90;
        } else {
            const unsigned sc = length == 1 ? value[0] : 0x0F;
            one.good = tag == 0x9E ? sc == 0x00 || sc == 0xFF || (sc % 0x10 != 0x0F && sc & 0x70)
                                   : (tag == 0xA4 || tag == 0xB4 || tag == 0xB6 || tag == 0xB8) &&
                                         model_reference(tag, value, value + length);
            const cos_truth said = answer(oracle, tag, value, length);
            one.unsure = said != COS_YES && said != COS_NO;
            one.truth = said == COS_YES;
        }
        all.good = one.good;
        all.unsure = all.unsure || one.unsure;
        asked++;
        met += one.truth;
    }
    all.truth = kind == 0xAF ? met == asked : (kind == 0xA7) != (met > 0);
    return all;
}

struct rule_judgement rule_model(const struct rule_oracle *oracle, const uint8_t *condition,
                                 size_t length)
{
    struct rule_judgement judgement = judge(oracle, 0xA0, condition, condition + length, 0);

    judgement.good = judgement.good && length <= COS_RULE_MAX;
    return judgement;
}

/* ---- What is tried ---- */

static void make_level(uint64_t *seed, struct cos_writer *writer, size_t budget, unsigned depth)
{
    static const uint8_t templates[] = {0xA0, 0xA7, 0xAF};
    static const uint8_t references[] = {0xA4, 0xB4, 0xB6, 0xB8};
    static const uint8_t bytes[] = {0x00, 0xFF, 0x90, 0x91, 0xA1, 0xC0, 0x31, 0x7E, 0x12};
    const size_t start = writer->length;

    do {
        const size_t left = budget - (writer->length - start);
        const uint32_t kind = sim_below(seed, 8);
        if (kind < 3 && depth < COS_RULE_DEPTH && left >= 12) {
            const size_t opened = cos_tlv_open(writer, templates[kind]);
            make_level(seed, writer, 2 + sim_below(seed, (uint32_t)left - 4), depth + 1);
            cos_tlv_close(writer, opened);
        } else if (kind < 5 && left >= 8) {
            const size_t opened = cos_tlv_open(writer, references[sim_below(seed, 4)]);
            cos_tlv_write8(writer, 0x83, (uint8_t)sim_random(seed));
            if (sim_below(seed, 2) == 0) {
                cos_tlv_write8(writer, 0x95, (uint8_t)sim_random(seed));
            }
            cos_tlv_close(writer, opened);
        } else if (kind < 7 && left >= 3) {
            cos_tlv_write8(writer, 0x9E, bytes[sim_below(seed, COUNT(bytes))]);
        } else {
            cos_tlv_write(writer, sim_below(seed, 2) == 0 ? 0x90 : 0x97, NULL, 0);
        }
    } while (budget - (writer->length - start) >= 2 && sim_below(seed, 4) != 0);
}

void rule_make(uint64_t *seed, struct cos_writer *writer, size_t budget)
{
    make_level(seed, writer, budget, 0);
}

void rule_change(uint64_t *seed, uint8_t *bytes, size_t *length, size_t capacity)
{
    const uint32_t at = sim_below(seed, (uint32_t)*length + 1);

    switch (sim_below(seed, 3)) {
    case 0:
        if (at < *length) {
            bytes[at] = (uint8_t)(bytes[at] ^ 1U << sim_below(seed, 8));
        }
        break;
    case 1:
        if (*length < capacity) {
            memmove(bytes + at + 1, bytes + at, *length - at);
            bytes[at] = (uint8_t)sim_random(seed);
            ++*length;
        }
        break;
    default:
        *length = at; /* cut off */
    }
}

void rule_scatter(uint64_t *seed, uint8_t *bytes, size_t length)
{
    static const uint8_t likely[] = {0x90, 0x97, 0x9E, 0xA0, 0xA4, 0xA7, 0xAF, 0xB4,
                                     0xB8, 0x83, 0x95, 0x00, 0x01, 0x02, 0x03, 0x04,
                                     0x05, 0x06, 0x80, 0x81, 0x84, 0xFF, 0x91};

    for (size_t i = 0; i < length; i++) {
        bytes[i] = sim_below(seed, 8) == 0 ? (uint8_t)sim_random(seed)
                                           : likely[sim_below(seed, COUNT(likely))];
    }
}

/* ---- Expanded rules ---- */

bool rule_model_expanded(const uint8_t *at, const uint8_t *end, const struct cos_access *access,
                         struct cos_writer *condition)
{
    bool applies = false, before = false, behind = false;
    const struct rule_oracle oracle = {0};
    size_t used = 0, length;
    const uint8_t *value;
    unsigned tag;

    while (!is_padding(at, end)) {
        const uint8_t *object = at;
        if (!take(&at, end, &tag, &value, &length)) {
            return false;
        }
        if (tag >> 4 == 8) {
            unsigned bytes = 0, meant = 0;
            for (unsigned i = 0; i < 4; i++) {
                bytes += (tag >> i & 1U) != 0;
            }
            if ((before && !behind) || length == 0 ||
                (tag == 0x80 ? length != 1 || value[0] == 0 || value[0] > 0x7F
                             : length % bytes != 0)) {
                return false;
            }
            for (size_t k = 0; tag != 0x80 && k < length; k += bytes) {
                bool same = true;
                for (size_t i = 0, j = k; i < 4; i++) {
                    if ((tag >> (3 - i) & 1U) != 0) {
                        same = same && value[j++] == access->header[i];
                    }
                }
                meant += same;
            }
            applies = tag == 0x80 ? (value[0] & (unsigned)access->operation) != 0 : meant > 0;
            before = true;
            behind = false;
        } else {
            used += (size_t)(at - object);
            if (!before || used > COS_RULE_MAX ||
                !rule_model(&oracle, object, (size_t)(at - object)).good) {
                return false;
            }
            behind = true;
            cos_write_bytes(condition, object, applies ? (size_t)(at - object) : 0);
        }
    }
    return behind;
}

void rule_make_expanded(uint64_t *seed, struct cos_writer *writer)
{
    static const uint8_t header[] = {0x00, 0xB0, 0x81, 0x05};

    for (uint32_t rules = 1 + sim_below(seed, 5); rules > 0; rules--) {
        if (sim_below(seed, 2) == 0) {
            cos_tlv_write8(writer, 0x80, (uint8_t)(1 + sim_below(seed, 0x7F)));
        } else {
            const uint32_t bits = 1 + sim_below(seed, 0x0F);
            const size_t opened = cos_tlv_open(writer, 0x80 | bits);
            for (uint32_t entries = 1 + sim_below(seed, 2); entries > 0; entries--) {
                for (unsigned i = 0; i < 4; i++) {
                    if ((bits >> (3 - i) & 1U) != 0) {
                        cos_write8(writer,
                                   sim_below(seed, 6) == 0 ? (uint8_t)sim_random(seed) : header[i]);
                    }
                }
            }
            cos_tlv_close(writer, opened);
        }
        rule_make(seed, writer, 2 + sim_below(seed, 20));
    }
}
