/* SPDX-License-Identifier: Apache-2.0
 *
 * A Cortex-M3 with program memory and RAM, emulated by libunicorn, that counts instructions. What
 * would be hardware is a function of the host's, called when the firmware executes SVC.
 */
#ifndef TESTS_EMULATOR_CHIP_H
#define TESTS_EMULATOR_CHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <unicorn/unicorn.h>

struct chip {
    uc_engine *engine;
    uint64_t instructions; /* since chip_run() began */
    /* Executes a trap (traps.h) and returns its result. Arguments are those of the function. */
    uint32_t (*trap)(struct chip *chip, unsigned number, const uint32_t arguments[5]);
    void *context;
};

/* Fails the program if the file is no image. */
void chip_load(struct chip *chip, const char *path);
/* From reset until a trap ends it. RAM holds anything but zeros before. Fails the program if the
 * firmware does what no firmware may. */
void chip_run(struct chip *chip);
/* For a trap: nothing is executed behind it. */
void chip_stop(struct chip *chip);
void chip_free(struct chip *chip);

/* The chip's memory. Fail the program if there is none. */
void chip_read(struct chip *chip, uint32_t address, void *data, size_t length);
void chip_write(struct chip *chip, uint32_t address, const void *data, size_t length);

#endif
