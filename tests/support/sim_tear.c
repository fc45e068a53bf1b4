/* SPDX-License-Identifier: Apache-2.0
 *
 * What a torn operation leaves behind, and what becomes of it at later starts.
 */
#include "sim_tear.h"

#include <string.h>

static const char *const content_names[SIM_CONTENTS] = {
    [SIM_NOTHING] = "nothing",
    [SIM_ALL] = "all",
    [SIM_PREFIX] = "prefix",
    [SIM_SUFFIX] = "suffix",
    [SIM_BITS] = "bits",
    [SIM_GARBAGE] = "garbage",
    [SIM_OWN_GARBAGE] = "own-garbage",
    [SIM_LOOKS_ERASED] = "looks-erased",
    [SIM_LOOKS_PROGRAMMED] = "looks-programmed",
    [SIM_ONE_BIT] = "one-bit",
    [SIM_NEIGHBOUR] = "neighbour",
    [SIM_OWN_ERASED] = "own-erased",
    [SIM_OTHERS_ERASED] = "others-erased",
    [SIM_WEAK] = "weak",
    [SIM_WEAK_ERASED] = "weak-erased",
    [SIM_WEAK_OLD] = "weak-old",
    [SIM_METASTABLE] = "metastable",
    [SIM_METASTABLE_BITS] = "metastable-bits",
};

const char *sim_content_name(enum sim_content content)
{
    return (unsigned)content < SIM_CONTENTS ? content_names[content] : "?";
}

bool sim_content_parse(const char *name, enum sim_content *content)
{
    for (unsigned i = 0; i < SIM_CONTENTS; i++) {
        if (strcmp(name, content_names[i]) == 0) {
            *content = (enum sim_content)i;
            return true;
        }
    }
    return false;
}

uint64_t sim_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
    return x ^ (x >> 31);
}

uint64_t sim_random(uint64_t *state)
{
    *state += 0x9E3779B97F4A7C15U;
    return sim_mix(*state);
}

uint32_t sim_below(uint64_t *state, uint32_t bound)
{
    return (uint32_t)((sim_random(state) >> 32) * bound >> 32);
}

void sim_set(const struct sim_nvm *sim, uint8_t *cells, uint32_t address, const uint8_t *data,
             size_t length)
{
    for (size_t i = 0; i < length; i++) {
        uint8_t *cell = &cells[address + i];
        if (sim->kind != SIM_FLASH) {
            *cell = data[i];
        } else if (sim->nvm.geometry.erased_value == 0xFF) {
            *cell &= data[i];
        } else {
            *cell |= data[i];
        }
    }
}

static void fill_random(uint8_t *to, uint32_t length, uint64_t *r)
{
    for (uint32_t i = 0; i < length; i++) {
        to[i] = (uint8_t)(sim_random(r) >> 56);
    }
}

static void fill_bits(struct sim_nvm *sim, uint32_t at, uint32_t length, uint64_t *r)
{
    for (uint32_t i = at; i < at + length; i++) {
        uint8_t mask = (uint8_t)(sim_random(r) >> 56);
        sim->cells[i] = (uint8_t)((sim->before[i] & ~mask) | (sim->after[i] & mask));
    }
}

/* The first `bits` of the own bits from one side, the rest from the other. */
static void fill_split(struct sim_nvm *sim, const struct sim_torn *torn, const uint8_t *first,
                       const uint8_t *rest, uint64_t *r)
{
    uint32_t bits = 1 + sim_below(r, torn->own_length * 8 - 1);
    for (uint32_t i = 0; i < torn->own_length; i++) {
        uint32_t have = bits > i * 8 ? bits - i * 8 : 0;
        uint8_t mask = (uint8_t)(have >= 8 ? 0xFFU : ~(0xFFU >> have));
        uint32_t at = torn->own_at + i;
        sim->cells[at] = (uint8_t)((first[at] & mask) | (rest[at] & ~mask));
    }
}

static void fill_neighbours(struct sim_nvm *sim, const struct sim_torn *torn, bool erased,
                            uint64_t *r)
{
    for (uint32_t i = torn->at; i < torn->at + torn->length; i++) {
        if (i < torn->own_at || i >= torn->own_at + torn->own_length) {
            sim->cells[i] =
                erased ? sim->nvm.geometry.erased_value : (uint8_t)(sim_random(r) >> 56);
        }
    }
}

/* Puts the torn content into `cells`, which hold the old bytes. */
static void leave(struct sim_nvm *sim, const struct sim_torn *torn, uint64_t *r)
{
    uint8_t erased = sim->nvm.geometry.erased_value;
    uint8_t *unit = sim->cells + torn->at;
    const uint8_t *after = sim->after + torn->at;
    switch (sim->power->content) {
    case SIM_PREFIX:
        fill_split(sim, torn, sim->after, sim->before, r);
        break;
    case SIM_SUFFIX:
        fill_split(sim, torn, sim->before, sim->after, r);
        break;
    case SIM_BITS:
    case SIM_METASTABLE_BITS:
        fill_bits(sim, torn->at, torn->length, r);
        break;
    case SIM_GARBAGE:
        fill_random(unit, torn->length, r);
        break;
    case SIM_OWN_GARBAGE:
        fill_random(sim->cells + torn->own_at, torn->own_length, r);
        break;
    case SIM_LOOKS_ERASED:
    case SIM_WEAK_ERASED:
        memset(unit, erased, torn->length);
        break;
    case SIM_LOOKS_PROGRAMMED:
        memset(unit, (uint8_t)~erased, torn->length);
        break;
    case SIM_ALL:
    case SIM_WEAK:
        memcpy(unit, after, torn->length);
        break;
    case SIM_ONE_BIT:
        memcpy(unit, after, torn->length);
        unit[sim_below(r, torn->length)] ^= (uint8_t)(1U << sim_below(r, 8));
        break;
    case SIM_NEIGHBOUR:
        memcpy(unit, after, torn->length);
        fill_neighbours(sim, torn, sim_random(r) & 1, r);
        break;
    case SIM_OTHERS_ERASED:
        memcpy(unit, after, torn->length);
        fill_neighbours(sim, torn, true, r);
        break;
    case SIM_OWN_ERASED:
        memset(sim->cells + torn->own_at, erased, torn->own_length);
        break;
    case SIM_NOTHING:
    case SIM_WEAK_OLD:
    case SIM_METASTABLE: /* in the session that just ended nobody reads it any more */
    case SIM_CONTENTS:
        break;
    }
}

void sim_settle_units(struct sim_nvm *sim, uint32_t at, uint32_t length)
{
    const struct cos_nvm_geometry *g = &sim->nvm.geometry;
    for (uint32_t unit = at / g->tear_unit; unit < (at + length) / g->tear_unit; unit++) {
        sim->wobbling -= sim->wobble[unit] != 0;
        sim->wobble[unit] = 0;
    }
}

/* A program of flash that leaves this only took bits from erased to programmed. The others are
 * damage to the whole unit, or read as chance has it. */
static bool keeps_direction(enum sim_content content)
{
    return content == SIM_PREFIX || content == SIM_SUFFIX || content == SIM_BITS ||
           content == SIM_OWN_GARBAGE || content == SIM_ONE_BIT;
}

/* data == NULL: an erase. */
void sim_tear(struct sim_nvm *sim, const struct sim_torn *torn, const uint8_t *data)
{
    const struct cos_nvm_geometry *g = &sim->nvm.geometry;
    uint64_t r = sim_mix(sim->power->seed ^ sim_mix(torn->own_at + 1));
    memcpy(sim->before + torn->at, sim->cells + torn->at, torn->length);
    memcpy(sim->after + torn->at, sim->cells + torn->at, torn->length);
    if (data == NULL) {
        memset(sim->after + torn->own_at, g->erased_value, torn->own_length);
    } else {
        sim_set(sim, sim->after, torn->own_at, data, torn->own_length);
        if (sim->kind == SIM_EEPROM && (sim_random(&r) & 1)) { /* cut behind the erase */
            memset(sim->before + torn->own_at, g->erased_value, torn->own_length);
        }
    }
    leave(sim, torn, &r);
    if (sim->kind == SIM_FLASH && data != NULL && keeps_direction(sim->power->content)) {
        uint8_t left[SIM_UNIT_MAX];
        memcpy(left, sim->cells + torn->at, torn->length);
        memcpy(sim->cells + torn->at, sim->before + torn->at, torn->length);
        sim_set(sim, sim->cells, torn->at, left, torn->length);
    }
    memset(sim->state + torn->at / g->program_unit, SIM_UNKNOWN, torn->length / g->program_unit);
    sim_settle_units(sim, torn->at, torn->length);
    if (sim->power->content >= SIM_WEAK) {
        bool jointly = sim_random(&r) & 1; /* one coin for the whole erase unit, or one a piece */
        uint64_t seed = sim_random(&r);
        for (uint32_t i = torn->at / g->tear_unit; i < (torn->at + torn->length) / g->tear_unit;
             i++) {
            sim->wobble[i] = (uint8_t)sim->power->content;
            sim->wobble_by[i] = jointly ? seed : sim_mix(seed + i);
            sim->wobbling++;
        }
    }
}

void sim_unsettle(struct sim_nvm *sim, uint32_t address, const uint8_t *data, size_t length)
{
    const struct cos_nvm_geometry *g = &sim->nvm.geometry;
    uint32_t unit = address / g->tear_unit, at = unit * g->tear_unit;
    if (sim->wobble[unit] == 0 && sim->kind == SIM_EEPROM) {
        return; /* its own bytes are erased before they are written: now they are good */
    }
    if (sim->wobble[unit] == 0) {
        static const uint8_t kinds[] = {SIM_WEAK, SIM_METASTABLE, SIM_METASTABLE_BITS};
        uint64_t r = sim_mix(sim->power->operations ^ sim_mix(address + 3));
        memcpy(sim->before + at, sim->cells + at, g->tear_unit);
        memcpy(sim->after + at, sim->cells + at, g->tear_unit);
        sim->wobble[unit] = kinds[sim_below(&r, 3)];
        sim->wobble_by[unit] = r;
        sim->wobbling++;
    }
    sim_set(sim, sim->after, address, data, length);
}

/* A unit that was weak gives way: for good, or from now on it is metastable. */
static void weaken(struct sim_nvm *sim, uint32_t unit, uint64_t *r)
{
    const struct cos_nvm_geometry *g = &sim->nvm.geometry;
    uint32_t at = unit * g->tear_unit;
    bool for_good = sim_below(r, 4) != 0;
    sim->wobble[unit] = for_good ? 0 : SIM_METASTABLE;
    sim->wobbling -= for_good;
    switch (sim_below(r, 5)) {
    case 0:
        fill_random(sim->cells + at, g->tear_unit, r);
        break;
    case 1:
        fill_bits(sim, at, g->tear_unit, r);
        break;
    case 2:
        memset(sim->cells + at, g->erased_value, g->tear_unit);
        break;
    case 3:
        memcpy(sim->cells + at, sim->before + at, g->tear_unit);
        break;
    default:
        memcpy(sim->cells + at, sim->after + at, g->tear_unit);
        break;
    }
}

void sim_toss(struct sim_nvm *sim, uint32_t unit)
{
    const struct cos_nvm_geometry *g = &sim->nvm.geometry;
    uint32_t at = unit * g->tear_unit;
    uint64_t r = sim_mix(sim->wobble_by[unit] ^ sim_mix(sim->power->starts));
    switch (sim->wobble[unit]) {
    case SIM_METASTABLE_BITS:
        fill_bits(sim, at, g->tear_unit, &r);
        break;
    case SIM_METASTABLE: {
        uint32_t coin = sim_below(&r, 3);
        memcpy(sim->cells + at, (coin == 0 ? sim->before : sim->after) + at, g->tear_unit);
        if (coin == 2) {
            fill_random(sim->cells + at, g->tear_unit, &r);
        }
        break;
    }
    default: /* the three weak ones */
        if (sim_random(&r) & 1) {
            weaken(sim, unit, &r);
        }
        break;
    }
}
