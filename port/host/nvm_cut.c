/* SPDX-License-Identifier: Apache-2.0
 *
 * Host port: torn power.
 */
#include "nvm_cut.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *const content_names[HOST_CUT_CONTENTS] = {
    [HOST_CUT_NOTHING] = "nothing", [HOST_CUT_ALL] = "all",         [HOST_CUT_PREFIX] = "prefix",
    [HOST_CUT_BITS] = "bits",       [HOST_CUT_GARBAGE] = "garbage", [HOST_CUT_ERASED] = "erased",
};

const char *host_cut_content_name(enum host_cut_content content)
{
    return content_names[content];
}

bool host_cut_content_parse(const char *name, enum host_cut_content *content)
{
    for (int i = 0; i < HOST_CUT_CONTENTS; i++) {
        if (strcmp(name, content_names[i]) == 0) {
            *content = (enum host_cut_content)i;
            return true;
        }
    }
    return false;
}

struct host_power *host_power_new(uint32_t cut_at, enum host_cut_content content)
{
    struct host_power *power =
        mmap(NULL, sizeof *power, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (power == MAP_FAILED) {
        return NULL;
    }
    *power = (struct host_power){.cut_at = cut_at, .content = content};
    return power;
}

void host_power_free(struct host_power *power)
{
    if (power != NULL) {
        munmap(power, sizeof *power);
    }
}

bool host_power_is_off(const struct host_power *power)
{
    return power->cut_at != 0 && atomic_load(&power->operations) >= power->cut_at;
}

/* ---- What is left ---- */

/* The operation that is torn, seen in its erase unit. */
struct torn {
    uint32_t base;                  /* address of the erase unit */
    size_t unit_at, unit_length;    /* what may be damaged, from base */
    size_t own_at, own_length;      /* what was to change, from base */
    uint8_t old[HOST_CUT_UNIT_MAX]; /* the erase unit before */
    uint8_t new[HOST_CUT_UNIT_MAX]; /* as it would have become; then as it is left */
};

/* SplitMix64: a run of numbers that is the same for the same operation. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
}

static uint8_t mixed(uint8_t old, uint8_t new, unsigned mask)
{
    return (uint8_t)((old & ~mask) | (new &mask));
}

static void leave(struct torn *torn, enum host_cut_content content, uint8_t erased, uint64_t seed)
{
    size_t kept_bits = 0; /* own bits that are new under PREFIX */
    if (content == HOST_CUT_PREFIX) {
        kept_bits = (size_t)(next(&seed) % (torn->own_length * 8 + 1));
    }
    for (size_t i = torn->unit_at; i < torn->unit_at + torn->unit_length; i++) {
        uint8_t *byte = &torn->new[i];
        size_t bit = (i - torn->own_at) * 8; /* read only for own bytes */
        bool own = i >= torn->own_at && i < torn->own_at + torn->own_length;
        switch (content) {
        case HOST_CUT_NOTHING:
            *byte = torn->old[i];
            break;
        case HOST_CUT_PREFIX:
            if (own && kept_bits < bit + 8) {
                unsigned keep = kept_bits > bit ? (unsigned)(kept_bits - bit) : 0;
                *byte = mixed(torn->old[i], *byte, 0xFFU << (8 - keep));
            }
            break;
        case HOST_CUT_BITS:
            *byte = mixed(torn->old[i], *byte, (unsigned)next(&seed) & 0xFFU);
            break;
        case HOST_CUT_GARBAGE:
            *byte = (uint8_t)next(&seed);
            break;
        case HOST_CUT_ERASED:
            *byte = erased;
            break;
        default: /* HOST_CUT_ALL */
            break;
        }
    }
}

/* Brings the erase unit to torn->new by the inner memory's own contract: erase, then program what
 * does not read as erased. */
static void put(const struct cos_nvm *inner, const struct torn *torn)
{
    const struct cos_nvm_geometry *geometry = &inner->geometry;
    if (memcmp(torn->old, torn->new, geometry->erase_unit) == 0 ||
        inner->erase(inner->context, torn->base) != COS_OK) {
        return;
    }
    for (size_t at = 0; at < geometry->erase_unit; at += geometry->program_unit) {
        const uint8_t *data = torn->new + at;
        bool erased = true;
        for (size_t i = 0; i < geometry->program_unit; i++) {
            erased = erased && data[i] == geometry->erased_value;
        }
        if (!erased && inner->program(inner->context, torn->base + (uint32_t)at, data,
                                      geometry->program_unit) != COS_OK) {
            return;
        }
    }
}

/* data == NULL: the operation is an erase. */
static void tear(const struct host_nvm_cut *cut, uint32_t address, const uint8_t *data,
                 size_t length)
{
    const struct cos_nvm *inner = cut->inner;
    const struct cos_nvm_geometry *geometry = &inner->geometry;
    struct torn torn = {.base = address - address % geometry->erase_unit};
    size_t unit = data == NULL ? geometry->erase_unit : geometry->tear_unit;

    torn.own_at = address - torn.base;
    torn.own_length = length;
    torn.unit_at = torn.own_at - torn.own_at % unit;
    torn.unit_length = unit;
    if (inner->read(inner->context, torn.base, torn.old, geometry->erase_unit) != COS_OK) {
        return;
    }
    memcpy(torn.new, torn.old, geometry->erase_unit);
    if (data == NULL) {
        memset(torn.new, geometry->erased_value, geometry->erase_unit);
    } else {
        memcpy(torn.new + torn.own_at, data, length);
    }
    leave(&torn, cut->power->content, geometry->erased_value, cut->power->cut_at);
    put(inner, &torn);
}

/* ---- The port's functions ---- */

static void end(const struct host_nvm_cut *cut)
{
    if (cut->off != NULL) {
        cut->off(cut->off_context);
    }
    _exit(HOST_CUT_STATUS);
}

/* Counts an operation. True if it is the one to be torn; does not return if power is gone. */
static bool torn_now(const struct host_nvm_cut *cut, uint32_t address, bool erase)
{
    struct host_power *power = cut->power;
    uint32_t number = atomic_fetch_add(&power->operations, 1) + 1;
    if (power->cut_at == 0 || number < power->cut_at) {
        return false;
    }
    if (number > power->cut_at) {
        end(cut);
    }
    power->chip = (uint8_t)cut->chip;
    power->erase = erase;
    power->address = address;
    return true;
}

static enum cos_result cut_read(void *context, uint32_t address, uint8_t *data, size_t length)
{
    const struct host_nvm_cut *cut = context;
    if (host_power_is_off(cut->power)) {
        end(cut);
    }
    return cut->inner->read(cut->inner->context, address, data, length);
}

static enum cos_result cut_program(void *context, uint32_t address, const uint8_t *data,
                                   size_t length)
{
    const struct host_nvm_cut *cut = context;
    const struct cos_nvm_geometry *geometry = &cut->inner->geometry;
    COS_CHECK(address < geometry->size && length > 0 && length <= geometry->tear_unit &&
                  address / geometry->tear_unit == (address + length - 1) / geometry->tear_unit,
              COS_E_NVM);
    if (torn_now(cut, address, false)) {
        tear(cut, address, data, length);
        end(cut);
    }
    return cut->inner->program(cut->inner->context, address, data, length);
}

static enum cos_result cut_erase(void *context, uint32_t address)
{
    const struct host_nvm_cut *cut = context;
    const struct cos_nvm_geometry *geometry = &cut->inner->geometry;
    COS_CHECK(address < geometry->size && address % geometry->erase_unit == 0, COS_E_NVM);
    if (torn_now(cut, address, true)) {
        tear(cut, address, NULL, geometry->erase_unit);
        end(cut);
    }
    return cut->inner->erase(cut->inner->context, address);
}

bool host_nvm_cut_init(struct host_nvm_cut *cut, const struct cos_nvm *inner,
                       struct host_power *power, enum host_chip chip, void (*off)(void *context),
                       void *off_context)
{
    *cut = (struct host_nvm_cut){
        .nvm =
            {
                .context = cut,
                .geometry = inner->geometry,
                .read = cut_read,
                .program = cut_program,
                .erase = cut_erase,
            },
        .inner = inner,
        .power = power,
        .chip = chip,
        .off = off,
        .off_context = off_context,
    };
    return inner->geometry.erase_unit <= HOST_CUT_UNIT_MAX;
}
