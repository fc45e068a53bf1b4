/* SPDX-License-Identifier: Apache-2.0
 *
 * Host port: torn power. A decorator over any struct cos_nvm counts programs and erases of both
 * chips on one counter, which lies in memory that both processes share; the operation whose number
 * is that of the cut is left half done, and with it power is gone for both chips: whoever touches
 * its NVM from then on ends.
 */
#ifndef HOST_NVM_CUT_H
#define HOST_NVM_CUT_H

#include "cos/port.h"

/* Exit status of a process whose power was torn (EX_TEMPFAIL of sysexits.h: start again). */
#define HOST_CUT_STATUS 75
/* Largest erase unit that can be torn. */
#define HOST_CUT_UNIT_MAX 4096U

/* What the torn operation leaves in its unit: the tear unit for program(), the erase unit for
 * erase(). "Own" are the bytes that the operation was to change. */
enum host_cut_content {
    HOST_CUT_NOTHING, /* as before */
    HOST_CUT_ALL,     /* as if complete */
    HOST_CUT_PREFIX,  /* the first own bits are new, the rest is old */
    HOST_CUT_BITS,    /* any of the changing bits are new */
    HOST_CUT_GARBAGE, /* the whole unit is random */
    HOST_CUT_ERASED,  /* the whole unit reads as erased */
    HOST_CUT_CONTENTS
};

/* "nothing", "all", "prefix", "bits", "garbage", "erased". */
const char *host_cut_content_name(enum host_cut_content content);
/* False if there is no such name. */
bool host_cut_content_parse(const char *name, enum host_cut_content *content);

enum host_chip { HOST_CHIP_APP, HOST_CHIP_SECURE };

/* The supply of one card, in shared memory. The random contents come from the number of the
 * operation, so that a run can be repeated. */
struct host_power {
    _Atomic uint32_t operations; /* begun so far by both chips, the torn one included */
    uint32_t cut_at;             /* number of the torn one, from 1; 0: none */
    enum host_cut_content content;
    /* What was torn; valid once the process that did it has ended or called its off(). */
    uint8_t chip; /* enum host_chip */
    bool erase;
    uint32_t address;
};

/* To be called before fork(). NULL if there is no memory. */
struct host_power *host_power_new(uint32_t cut_at, enum host_cut_content content);
void host_power_free(struct host_power *power);
bool host_power_is_off(const struct host_power *power);

struct host_nvm_cut {
    struct cos_nvm nvm; /* for the core: &cut.nvm; `context` is the struct itself */
    const struct cos_nvm *inner;
    struct host_power *power;
    enum host_chip chip;
    void (*off)(void *context);
    void *off_context;
};

/* Puts the decorator over `inner`. `off` is called once power is gone and must not return; NULL
 * ends the process with _exit(HOST_CUT_STATUS). The struct must not move afterwards. False if the
 * erase unit is larger than HOST_CUT_UNIT_MAX. */
bool host_nvm_cut_init(struct host_nvm_cut *cut, const struct cos_nvm *inner,
                       struct host_power *power, enum host_chip chip, void (*off)(void *context),
                       void *off_context);

#endif
