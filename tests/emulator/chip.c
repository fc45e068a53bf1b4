/* SPDX-License-Identifier: Apache-2.0 */
#include "chip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As in firmware/cortex_m3.ld. */
enum { FLASH = 0, FLASH_SIZE = 0x20000, RAM = 0x20000000, RAM_SIZE = 0x4000, THUMB = 1 };
enum { VECTOR_STACK = 0, VECTOR_RESET = 1, STACK_ARGUMENT = 4, SVC_SIZE = 2 };

static void must(uc_err error, const char *what)
{
    if (error != UC_ERR_OK) {
        fprintf(stderr, "emulator: %s: %s\n", what, uc_strerror(error));
        exit(1);
    }
}

void chip_read(struct chip *chip, uint32_t address, void *data, size_t length)
{
    must(uc_mem_read(chip->engine, address, data, length), "reading memory");
}

void chip_write(struct chip *chip, uint32_t address, const void *data, size_t length)
{
    must(uc_mem_write(chip->engine, address, data, length), "writing memory");
}

static uint32_t get(struct chip *chip, int which)
{
    uint32_t value;

    must(uc_reg_read(chip->engine, which, &value), "reading a register");
    return value;
}

static void set(struct chip *chip, int which, uint32_t value)
{
    must(uc_reg_write(chip->engine, which, &value), "writing a register");
}

static void count(uc_engine *engine, uint64_t address, uint32_t size, void *context)
{
    struct chip *chip = context;

    (void)engine, (void)address, (void)size;
    chip->instructions++;
}

/* SVC has two bytes, the first is its number; PC stands behind it. */
static void interrupt(uc_engine *engine, uint32_t number, void *context)
{
    struct chip *chip = context;
    uint32_t arguments[5];
    uint8_t svc[SVC_SIZE];

    (void)engine, (void)number;
    chip_read(chip, get(chip, UC_ARM_REG_PC) - SVC_SIZE, svc, sizeof svc);
    if (svc[1] != 0xDF) {
        must(UC_ERR_EXCEPTION, "not SVC");
    }
    for (int i = 0; i < STACK_ARGUMENT; i++) {
        arguments[i] = get(chip, UC_ARM_REG_R0 + i);
    }
    chip_read(chip, get(chip, UC_ARM_REG_SP), &arguments[STACK_ARGUMENT], sizeof arguments[0]);
    set(chip, UC_ARM_REG_R0, chip->trap(chip, svc[0], arguments));
}

void chip_load(struct chip *chip, const char *path)
{
    static uint8_t image[FLASH_SIZE];
    FILE *file = fopen(path, "rb");
    const size_t length = file != NULL ? fread(image, 1, sizeof image, file) : 0;
    /* What a library hands over as void * is none (POSIX has it so). */
    void *const counter = __extension__(void *) count;
    void *const supervisor = __extension__(void *) interrupt;
    uc_hook hook;

    if (length == 0 || fclose(file) != 0) {
        fprintf(stderr, "emulator: %s is no image\n", path);
        exit(1);
    }
    must(uc_open(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS, &chip->engine), "start");
    must(uc_ctl_set_cpu_model(chip->engine, UC_CPU_ARM_CORTEX_M3), "Cortex-M3");
    must(uc_mem_map(chip->engine, FLASH, FLASH_SIZE, UC_PROT_READ | UC_PROT_EXEC), "flash");
    must(uc_mem_map(chip->engine, RAM, RAM_SIZE, UC_PROT_READ | UC_PROT_WRITE), "RAM");
    chip_write(chip, FLASH, image, length);
    must(uc_hook_add(chip->engine, &hook, UC_HOOK_CODE, counter, chip, 1, 0), "counter");
    must(uc_hook_add(chip->engine, &hook, UC_HOOK_INTR, supervisor, chip, 1, 0), "SVC");
}

void chip_run(struct chip *chip)
{
    uint8_t anything[RAM_SIZE];
    uint32_t vectors[2];

    memset(anything, 0xA5, sizeof anything);
    chip_write(chip, RAM, anything, sizeof anything);
    chip_read(chip, FLASH, vectors, sizeof vectors);
    set(chip, UC_ARM_REG_SP, vectors[VECTOR_STACK]);
    chip->instructions = 0;
    must(uc_emu_start(chip->engine, vectors[VECTOR_RESET] | THUMB, UINT32_MAX, 0, 0), "execution");
}

void chip_stop(struct chip *chip)
{
    must(uc_emu_stop(chip->engine), "stop");
}

void chip_free(struct chip *chip)
{
    (void)uc_close(chip->engine);
}
