/* SPDX-License-Identifier: Apache-2.0
 *
 * Host port: a chip's NVM in a file. The file is the image, byte for byte (docs/formats.md, "Fab
 * records": app.nvm and secure.nvm).
 *
 * A program or an erase is one pwrite() that lies inside one page of the system's page cache. So a
 * process that is killed at any moment has done it or not, and what was done stays: the cache
 * belongs to the kernel, not to the process. That is the durability a simulated card needs; only a
 * crash of the whole workstation could lose it, and against that an fsync() for each operation
 * would cost a thousandfold. Torn operations are made on purpose, by nvm_cut.h.
 */
#ifndef HOST_NVM_FILE_H
#define HOST_NVM_FILE_H

#include "cos/port.h"

#define HOST_APP_NVM           "app.nvm"
#define HOST_SECURE_NVM        "secure.nvm"
#define HOST_APP_NVM_SIZE      65536U
#define HOST_SECURE_NVM_SIZE   32768U
#define HOST_NVM_ERASE_UNIT    256U
#define HOST_NVM_TEAR_UNIT     64U
#define HOST_NVM_PROGRAM_UNIT  8U
#define HOST_NVM_ERASED        0xFFU
#define HOST_NVM_ENDURANCE     100000U
#define HOST_NVM_LOCK_PATIENCE 2000 /* milliseconds */

struct host_nvm_file {
    struct cos_nvm nvm; /* for the core: &file.nvm; `context` is the struct itself */
    int descriptor;
};

/* The memory over a descriptor that is open for reading and writing and stays the caller's. `size`
 * is a multiple of HOST_NVM_ERASE_UNIT. The struct must not move afterwards. program() refuses,
 * with COS_E_NVM, what the contract of cos/port.h forbids, bytes that are not erased included. */
void host_nvm_attach(struct host_nvm_file *file, int descriptor, uint32_t size);

/* Opens the file at `path`, which must be a regular file of exactly `size` bytes, and locks it
 * against a second card on the same files (waiting HOST_NVM_LOCK_PATIENCE for one that is just
 * ending). On failure returns false and writes one line without newline to message[capacity]. */
bool host_nvm_open(struct host_nvm_file *file, const char *path, uint32_t size, char *message,
                   size_t capacity);
void host_nvm_close(struct host_nvm_file *file);

#endif
