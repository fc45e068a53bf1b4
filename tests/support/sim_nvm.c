/* SPDX-License-Identifier: Apache-2.0
 *
 * The torn-power NVM. `cells` is what reads give. A unit whose tear left something unstable keeps
 * its old and new contents aside, and each start writes into `cells` what it reads as from now on.
 */
#include "sim_tear.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Contract ---- */

static enum cos_result violate(struct sim_nvm *sim, const char *what, uint32_t address,
                               size_t length)
{
    char message[160];
    snprintf(message, sizeof message, "NVM contract broken: %s (address %u, length %zu)", what,
             (unsigned)address, length);
    sim->power->violations++;
    if (sim->power->violated == NULL) {
        fprintf(stderr, "%s\n", message);
        abort();
    }
    sim->power->violated(message);
    return COS_E_NVM;
}

static bool is_mark(const struct sim_nvm *sim, uint32_t address, size_t length)
{
    size_t slot = sim->nvm.geometry.program_unit > 8 ? sim->nvm.geometry.program_unit : 8;
    return sim->page_size != 0 && address >= sim->page_start &&
           (address - sim->page_start) % sim->page_size + length <= slot;
}

/* A mark on a unit that reads erased but was torn since its last whole erase. */
static bool shaky(const struct sim_nvm *sim, uint32_t address, size_t length)
{
    bool torn = false, blank = true;
    for (uint32_t i = address; i < address + length; i++) {
        torn = torn || sim->state[i / sim->nvm.geometry.program_unit] == SIM_UNKNOWN;
        blank = blank && sim->cells[i] == sim->nvm.geometry.erased_value;
    }
    return torn && blank && is_mark(sim, address, length);
}

static const char *program_violation(const struct sim_nvm *sim, uint32_t address,
                                     const uint8_t *data, size_t length)
{
    const struct cos_nvm_geometry *g = &sim->nvm.geometry;
    if (data == NULL || length == 0) {
        return "program of nothing";
    }
    if (address >= g->size || length > g->size - address) {
        return "program outside the memory";
    }
    if (address % g->program_unit != 0 || length % g->program_unit != 0) {
        return "program not aligned to program units";
    }
    if (address / g->tear_unit != (address + length - 1) / g->tear_unit) {
        return "program over the border of a tear unit";
    }
    for (size_t unit = address / g->program_unit; unit < (address + length) / g->program_unit;
         unit++) {
        if (sim->state[unit] == SIM_PROGRAMMED && sim->kind == SIM_WRITE_ONCE) {
            return "program unit programmed twice";
        }
        if (sim->state[unit] == SIM_UNKNOWN && !shaky(sim, address, length)) {
            return "program unit not erased, or torn since";
        }
    }
    return NULL;
}

/* ---- Dead cells ---- */

static struct sim_dead_unit *dead_unit(struct sim_nvm *sim, uint32_t address)
{
    for (size_t i = 0; i < sim->dead_count; i++) {
        if (sim->dead[i].unit == address / sim->nvm.geometry.erase_unit &&
            sim->dead[i].after == 0) {
            return &sim->dead[i];
        }
    }
    return NULL;
}

/* One byte in eight has stuck bits, the first byte of each tear unit always. */
static void stick(struct sim_nvm *sim, const struct sim_dead_unit *dead, uint32_t at, size_t length)
{
    for (uint32_t i = at; i < at + length; i++) {
        uint64_t r = sim_mix(dead->seed ^ (i * 0x9E3779B97F4A7C15U));
        if (i % sim->nvm.geometry.tear_unit == 0 || (r & 7) == 0) {
            uint8_t mask = (uint8_t)((r >> 8) | 0x10);
            sim->cells[i] =
                (uint8_t)((sim->cells[i] & ~mask) | (((unsigned)(r >> 16) & 0xEF) & mask) |
                          (~sim->nvm.geometry.erased_value & 0x10));
        }
    }
}

void sim_nvm_kill(struct sim_nvm *sim, uint32_t unit, uint32_t after, bool reports, uint64_t seed)
{
    if (sim->dead_count == SIM_DEAD_MAX) {
        fprintf(stderr, "sim_nvm_kill: too many dead units\n");
        abort();
    }
    sim->dead[sim->dead_count++] = (struct sim_dead_unit){
        .unit = unit, .after = after, .reports = reports, .seed = sim_mix(seed + 1)};
}

static void wear_out(struct sim_nvm *sim, uint32_t address)
{
    for (size_t i = 0; i < sim->dead_count; i++) {
        if (sim->dead[i].unit == address / sim->nvm.geometry.erase_unit && sim->dead[i].after > 0) {
            sim->dead[i].after--;
        }
    }
}

void sim_power_cut(struct sim_power *power, uint32_t n, enum sim_content content, uint64_t seed)
{
    power->countdown = n;
    power->content = content;
    power->seed = seed;
}

void sim_power_off(struct sim_power *power)
{
    power->dead = true;
}

void sim_power_up(struct sim_power *power)
{
    power->dead = false;
    power->countdown = 0;
    power->starts++;
    if (power->trace) {
        fprintf(stderr, "start %u\n", (unsigned)power->starts);
    }
    for (size_t i = 0; i < power->chip_count; i++) {
        struct sim_nvm *sim = power->chips[i];
        sim->last_page = SIM_NO_PAGE;
        uint32_t units = sim->nvm.geometry.size / sim->nvm.geometry.tear_unit;
        for (uint32_t unit = 0; unit < units && sim->wobbling > 0; unit++) {
            if (sim->wobble[unit] != 0) {
                sim_toss(sim, unit);
            }
        }
    }
}

/* Counts an operation; true if this one loses power. */
static bool torn_now(struct sim_power *power)
{
    power->operations++;
    if (power->countdown == 0 || --power->countdown > 0) {
        return false;
    }
    power->dead = true;
    power->cuts++;
    return true;
}

/* ---- The port's functions ---- */

static enum cos_result sim_read(void *context, uint32_t address, uint8_t *data, size_t length)
{
    struct sim_nvm *sim = context;
    if (address > sim->nvm.geometry.size || length > sim->nvm.geometry.size - address) {
        return violate(sim, "read outside the memory", address, length);
    }
    if (sim->power->dead) {
        memset(data, 0xA5, length); /* whoever looks at it in spite of the error sees nonsense */
        return COS_E_NVM;
    }
    memcpy(data, sim->cells + address, length);
    return COS_OK;
}

static void count_program(struct sim_nvm *sim, uint32_t address, size_t length)
{
    const uint16_t unit = sim->nvm.geometry.program_unit;
    sim->counts.programs++;
    sim->counts.bytes += length;
    sim->counts.reprograms +=
        memchr(sim->state + address / unit, SIM_PROGRAMMED, length / unit) != NULL;
    if (sim->page_size == 0 || address < sim->page_start) {
        return;
    }
    uint32_t page = (address - sim->page_start) / sim->page_size;
    if (is_mark(sim, address, length)) {
        sim->counts.marks += (address - sim->page_start) % sim->page_size == 0;
        return;
    }
    if (page != sim->last_page) {
        sim->last_page = page;
        sim->run_bytes = 0;
    }
    enum { HEADER = 28 }; /* docs/formats.md, "Store pages" */
    const size_t header = (HEADER + unit - 1U) / unit * unit, before = sim->run_bytes;
    sim->run_bytes += length;
    sim->counts.page_programs += before <= header && sim->run_bytes > header;
}

static void trace(const struct sim_nvm *sim, const char *what, uint32_t address, size_t length)
{
    if (sim->power->trace) {
        uint32_t in = sim->page_size ? (address - sim->page_start) / sim->page_size : 0;
        fprintf(stderr, "  %s %5u +%zu (page %u)%s\n", what, (unsigned)address, length,
                (unsigned)in, sim->power->countdown == 1 ? " TORN" : "");
    }
}

static enum cos_result sim_program(void *context, uint32_t address, const uint8_t *data,
                                   size_t length)
{
    struct sim_nvm *sim = context;
    const struct cos_nvm_geometry *g = &sim->nvm.geometry;
    if (sim->power->dead) {
        return COS_E_NVM;
    }
    const char *violation = program_violation(sim, address, data, length);
    if (violation != NULL) {
        return violate(sim, violation, address, length);
    }
    trace(sim, "program", address, length);
    count_program(sim, address, length);
    if (torn_now(sim->power)) {
        struct sim_torn torn = {.at = address - address % g->tear_unit,
                                .length = g->tear_unit,
                                .own_at = address,
                                .own_length = (uint32_t)length};
        sim_tear(sim, &torn, data);
        return COS_E_NVM;
    }
    if (shaky(sim, address, length)) {
        sim->counts.shaky++;
        sim_unsettle(sim, address, data, length);
    }
    sim_set(sim, sim->cells, address, data, length);
    memset(sim->state + address / g->program_unit, SIM_PROGRAMMED, length / g->program_unit);
    struct sim_dead_unit *dead = dead_unit(sim, address);
    if (dead != NULL) {
        stick(sim, dead, address, length);
        return dead->reports ? COS_E_NVM : COS_OK;
    }
    return COS_OK;
}

static enum cos_result sim_erase(void *context, uint32_t address)
{
    struct sim_nvm *sim = context;
    const struct cos_nvm_geometry *g = &sim->nvm.geometry;
    if (sim->power->dead) {
        return COS_E_NVM;
    }
    if (address >= g->size || address % g->erase_unit != 0) {
        return violate(sim, "erase not at the beginning of an erase unit", address, g->erase_unit);
    }
    trace(sim, "erase  ", address, g->erase_unit);
    sim->counts.erases++;
    sim->erases[address / g->erase_unit]++;
    if (sim->page_size != 0 && (address - sim->page_start) / sim->page_size == sim->last_page) {
        sim->last_page = SIM_NO_PAGE;
    }
    if (torn_now(sim->power)) {
        struct sim_torn torn = {
            .at = address, .length = g->erase_unit, .own_at = address, .own_length = g->erase_unit};
        sim_tear(sim, &torn, NULL);
        return COS_E_NVM;
    }
    memset(sim->cells + address, g->erased_value, g->erase_unit);
    memset(sim->state + address / g->program_unit, SIM_ERASED, g->erase_unit / g->program_unit);
    sim_settle_units(sim, address, g->erase_unit);
    wear_out(sim, address);
    struct sim_dead_unit *dead = dead_unit(sim, address);
    if (dead != NULL) {
        stick(sim, dead, address, g->erase_unit);
        return dead->reports ? COS_E_NVM : COS_OK;
    }
    return COS_OK;
}

/* ---- Making, copying ---- */

static void lay_out(struct sim_nvm *sim)
{
    const struct cos_nvm_geometry *g = &sim->nvm.geometry;
    uint32_t tear_units = g->size / g->tear_unit;
    sim->wobble_by = (uint64_t *)(void *)sim->block;
    sim->erases = (uint32_t *)(sim->wobble_by + tear_units);
    sim->cells = (uint8_t *)(sim->erases + g->size / g->erase_unit);
    sim->before = sim->cells + g->size;
    sim->after = sim->before + g->size;
    sim->state = sim->after + g->size;
    sim->wobble = sim->state + g->size / g->program_unit;
    sim->block_size = (size_t)(sim->wobble + tear_units - sim->block);
}

static size_t block_size(const struct cos_nvm_geometry *g)
{
    return (size_t)g->size / g->tear_unit * (sizeof(uint64_t) + 1) +
           (size_t)g->size / g->erase_unit * sizeof(uint32_t) + (size_t)g->size * 3 +
           g->size / g->program_unit;
}

static uint8_t *allocate(size_t size)
{
    uint8_t *block = calloc(1, size);
    if (block == NULL) {
        fprintf(stderr, "sim_nvm: out of memory\n");
        abort();
    }
    return block;
}

void sim_nvm_init(struct sim_nvm *sim, struct sim_power *power, const struct cos_nvm_geometry *g,
                  uint32_t page_start, uint32_t page_size)
{
    if (power->chip_count == SIM_CHIPS || g->program_unit == 0 || g->tear_unit == 0 ||
        g->tear_unit > SIM_UNIT_MAX || g->erase_unit == 0 || g->size == 0 ||
        g->tear_unit % g->program_unit != 0 || g->erase_unit % g->tear_unit != 0 ||
        g->size % g->erase_unit != 0) {
        fprintf(stderr, "sim_nvm_init: this is no geometry\n");
        abort();
    }
    *sim = (struct sim_nvm){
        .nvm = {.context = sim,
                .geometry = *g,
                .read = sim_read,
                .program = sim_program,
                .erase = sim_erase},
        .power = power,
        .page_start = page_start,
        .page_size = page_size,
        .last_page = SIM_NO_PAGE,
    };
    sim->block = allocate(block_size(g));
    lay_out(sim);
    memset(sim->cells, g->erased_value, g->size);
    memset(sim->state, SIM_ERASED, g->size / g->program_unit);
    power->chips[power->chip_count++] = sim;
}

void sim_nvm_free(struct sim_nvm *sim)
{
    struct sim_power *power = sim->power;
    for (size_t i = 0; i < power->chip_count; i++) {
        if (power->chips[i] == sim) {
            power->chips[i] = power->chips[--power->chip_count];
        }
    }
    free(sim->block);
    *sim = (struct sim_nvm){0};
}

void sim_nvm_poke(struct sim_nvm *sim, uint32_t address, const uint8_t *data, size_t length)
{
    memcpy(sim->cells + address, data, length);
}

void sim_nvm_save(const struct sim_nvm *sim, struct sim_snapshot *snapshot)
{
    if (snapshot->block == NULL || snapshot->chip.block_size != sim->block_size) {
        free(snapshot->block);
        snapshot->block = allocate(sim->block_size);
    }
    snapshot->chip = *sim;
    memcpy(snapshot->block, sim->block, sim->block_size);
}

void sim_nvm_restore(struct sim_nvm *sim, const struct sim_snapshot *snapshot)
{
    *sim = snapshot->chip;
    memcpy(sim->block, snapshot->block, sim->block_size);
}

void sim_snapshot_free(struct sim_snapshot *snapshot)
{
    free(snapshot->block);
    *snapshot = (struct sim_snapshot){0};
}
