/* SPDX-License-Identifier: Apache-2.0
 *
 * Non-volatile memory in RAM whose power can be torn: the port's struct cos_nvm with the contract
 * of cos/port.h enforced to the letter and its fault model acted out.
 *
 * One struct sim_power is the supply of one card. Every struct sim_nvm on it (one a chip) takes its
 * turn on the same countdown, so "the n-th operation of either chip" is one number. A cut leaves
 * one of the contents below in the unit that was being worked on, and from then on every call
 * answers COS_E_NVM until sim_power_up().
 *
 * Everything that looks like chance comes from seeds: the same calls give the same bytes.
 */
#ifndef SIM_NVM_H
#define SIM_NVM_H

#include "cos/port.h"

/* What the cells are. What a torn operation leaves fits the kind. */
enum sim_kind {
    SIM_WRITE_ONCE, /* flash with ECC: a program unit is programmed once between two erases */
    SIM_FLASH,      /* flash: a program takes bits from erased to programmed, never back */
    SIM_EEPROM,     /* a program erases its own bytes and then writes them */
};

/* What an operation that lost power leaves. "Unit" is the tear unit for program(), the erase unit
 * for erase(); "own bytes" are those that the operation was to change; old and new are the unit's
 * contents before and after. The last five change by themselves at later starts, until the whole
 * unit is erased. */
enum sim_content {
    SIM_NOTHING,          /* old */
    SIM_ALL,              /* new */
    SIM_PREFIX,           /* the first own bits new, the others old */
    SIM_SUFFIX,           /* the last own bits new, the others old */
    SIM_BITS,             /* a random subset of the changing bits is new */
    SIM_GARBAGE,          /* the whole unit random, what was programmed before included */
    SIM_OWN_GARBAGE,      /* own bytes random, the others old */
    SIM_LOOKS_ERASED,     /* the whole unit reads as erased, what was programmed before included */
    SIM_LOOKS_PROGRAMMED, /* every bit of the unit programmed */
    SIM_ONE_BIT,          /* new, but one bit of the unit is wrong */
    SIM_NEIGHBOUR,        /* own bytes new, the others of the unit random or erased */
    SIM_OWN_ERASED,       /* own bytes erased, the others old */
    SIM_OTHERS_ERASED,    /* own bytes new, the others of the unit erased */
    SIM_WEAK,             /* new; from some later start on old, erased, random or metastable */
    SIM_WEAK_ERASED,      /* erased; from some later start on old, new, random or metastable */
    SIM_WEAK_OLD,         /* old; from some later start on new, erased, random or metastable */
    SIM_METASTABLE,       /* old, new or random, chosen again at each start */
    SIM_METASTABLE_BITS,  /* each changing bit old or new, chosen again at each start */
    SIM_CONTENTS
};

/* Names for command lines and messages: "nothing", "weak-erased", ... */
const char *sim_content_name(enum sim_content content);
/* False if there is no such name. */
bool sim_content_parse(const char *name, enum sim_content *content);

#define SIM_CHIPS 4

struct sim_nvm;

struct sim_power {
    uint32_t countdown; /* operations until the cut, that one included; 0: none is armed */
    enum sim_content content;
    uint64_t seed;       /* of the content */
    bool dead;           /* power is gone */
    bool trace;          /* prints every operation to stderr */
    uint32_t starts;     /* power-ups; part of every coin that is tossed at a start */
    uint64_t operations; /* programs and erases of all chips, the torn ones included */
    uint64_t cuts;       /* tears that happened */
    /* Called when a chip's contract is broken; NULL prints the message and aborts. If it returns,
     * the operation does nothing and answers COS_E_NVM. */
    void (*violated)(const char *message);
    uint64_t violations;
    struct sim_nvm *chips[SIM_CHIPS];
    size_t chip_count;
};

struct sim_counts {
    uint64_t programs; /* calls of program() */
    uint64_t erases;   /* calls of erase() */
    uint64_t bytes;    /* programmed */
    /* Runs of program() calls inside one store page, of more than a header: a page that is only
     * cleared is none. A run ends with a program() in another page or an erase() of this one; a
     * mark neither begins nor ends a run. */
    uint64_t page_programs;
    /* Marks begun: programs at the very start of a store page. What lies in its first 8 bytes, or
     * first program unit if that is longer, is its mark. */
    uint64_t marks;
    /* Marks on units that a torn operation left and that merely read erased. No core can know, so
     * this is no breach of contract for a mark, but it is for a page's contents; and what is
     * programmed there is as unstable as the ground. */
    uint64_t shaky;
    /* Programs on a unit that was programmed since its last erase: the contract forbids them, but
     * only SIM_WRITE_ONCE stops them. */
    uint64_t reprograms;
};

#define SIM_DEAD_MAX 32

/* An erase unit that wears out. */
struct sim_dead_unit {
    uint32_t unit;
    uint32_t after; /* erase() calls that still work */
    bool reports;   /* program() and erase() answer COS_E_NVM; if not they lie and bits stick */
    uint64_t seed;
};

struct sim_nvm {
    struct cos_nvm nvm; /* for the core: &sim.nvm */
    struct sim_power *power;
    enum sim_kind kind;  /* SIM_WRITE_ONCE after init; to be set before the first operation */
    uint32_t page_start; /* where store pages begin, and their size: for the counts only */
    uint32_t page_size;
    uint32_t last_page; /* page of the run under way, or SIM_NO_PAGE */
    size_t run_bytes;   /* of that run */
    struct sim_counts counts;
    struct sim_dead_unit dead[SIM_DEAD_MAX];
    size_t dead_count;
    uint32_t wobbling; /* tear units that change at starts */
    size_t block_size;
    uint8_t *block;      /* one allocation for all that follows */
    uint8_t *cells;      /* what a read gives in this power session */
    uint8_t *before;     /* old contents of units that wobble */
    uint8_t *after;      /* new contents of units that wobble */
    uint8_t *state;      /* one a program unit: enum in sim_nvm.c */
    uint8_t *wobble;     /* one a tear unit: 0 or the content */
    uint64_t *wobble_by; /* one a tear unit: seed */
    uint32_t *erases;    /* one an erase unit */
};

#define SIM_NO_PAGE UINT32_MAX

/* Makes a chip on `power`, erased by its factory. Fails the program on a geometry that is none.
 * `power` must be zeroed before its first chip. */
void sim_nvm_init(struct sim_nvm *sim, struct sim_power *power,
                  const struct cos_nvm_geometry *geometry, uint32_t page_start, uint32_t page_size);
void sim_nvm_free(struct sim_nvm *sim);

/* Arms a cut: the n-th operation from now (1 is the next one). n = 0 disarms. */
void sim_power_cut(struct sim_power *power, uint32_t n, enum sim_content content, uint64_t seed);
/* Power goes between two operations: nothing is torn. */
void sim_power_off(struct sim_power *power);
/* A new start, after a cut or not: weak and metastable units toss their coins; a cut that is still
 * armed is disarmed. */
void sim_power_up(struct sim_power *power);

/* From its `after`-th erase() on (0: at once) the erase unit with this index is dead: seeded bits
 * stick. */
void sim_nvm_kill(struct sim_nvm *sim, uint32_t unit, uint32_t after, bool reports, uint64_t seed);

/* Changes bytes behind the core's back, states and counts untouched. */
void sim_nvm_poke(struct sim_nvm *sim, uint32_t address, const uint8_t *data, size_t length);

/* A copy of a chip's whole state. Zero it before first use. */
struct sim_snapshot {
    struct sim_nvm chip;
    uint8_t *block;
};
void sim_nvm_save(const struct sim_nvm *sim, struct sim_snapshot *snapshot);
/* Back to the snapshot, which must be one of the same chip. */
void sim_nvm_restore(struct sim_nvm *sim, const struct sim_snapshot *snapshot);
void sim_snapshot_free(struct sim_snapshot *snapshot);

/* Seeded numbers for tests (SplitMix64): the next one, and one below `bound`. */
uint64_t sim_random(uint64_t *state);
uint32_t sim_below(uint64_t *state, uint32_t bound);

#endif
