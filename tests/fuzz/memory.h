/* SPDX-License-Identifier: Apache-2.0
 *
 * What a card remembers, to be compared.
 */
#ifndef FUZZ_MEMORY_H
#define FUZZ_MEMORY_H

#include "gate_model.h"

enum { MEMORY_PINS = 8, MEMORY_VAULT = 512 };

/* The security chip's memory as a command can change it, attacks left out. */
struct memory {
    struct gate_model model;
    bool readable; /* a chip that is mute has no key to its secrets any more */
    uint8_t pins[MEMORY_PINS][OBJECT_SECRET_MAX];
    struct {
        uint16_t size;
        uint8_t bytes[MEMORY_VAULT];
    } vault;
    uint64_t app; /* a number for what is in the app chip */
};

void memory_take(const struct bench *bench, struct memory *memory);

/* Whether both are the same to the security chip: the life cycle and all of the state record, each
 * PIN and key with its counters, the values of PINs, applications, the content of vault files. */
bool memory_same(const struct memory *a, const struct memory *b);

#endif
