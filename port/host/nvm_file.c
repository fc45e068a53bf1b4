/* SPDX-License-Identifier: Apache-2.0
 *
 * Host port: a chip's NVM in a file.
 */
#include "nvm_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static bool inside(const struct cos_nvm_geometry *geometry, uint32_t address, size_t length)
{
    return address <= geometry->size && length <= geometry->size - address;
}

static enum cos_result file_read(void *context, uint32_t address, uint8_t *data, size_t length)
{
    const struct host_nvm_file *file = context;
    COS_CHECK(inside(&file->nvm.geometry, address, length), COS_E_NVM);
    while (length > 0) {
        ssize_t got = pread(file->descriptor, data, length, (off_t)address);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        COS_CHECK(got > 0, COS_E_NVM);
        address += (uint32_t)got;
        data += got;
        length -= (size_t)got;
    }
    return COS_OK;
}

/* One call of pwrite(), so that a kill leaves all or nothing. The length is at most an erase unit:
 * a short count means a full disk or the like, and is an error. */
static enum cos_result file_write(const struct host_nvm_file *file, uint32_t address,
                                  const uint8_t *data, size_t length)
{
    ssize_t put;
    do {
        put = pwrite(file->descriptor, data, length, (off_t)address);
    } while (put < 0 && errno == EINTR);
    return put == (ssize_t)length ? COS_OK : COS_E_NVM;
}

static enum cos_result file_program(void *context, uint32_t address, const uint8_t *data,
                                    size_t length)
{
    const struct host_nvm_file *file = context;
    const struct cos_nvm_geometry *geometry = &file->nvm.geometry;
    uint8_t before[HOST_NVM_TEAR_UNIT];

    COS_CHECK(length > 0 && length <= sizeof before, COS_E_NVM);
    COS_CHECK(inside(geometry, address, length), COS_E_NVM);
    COS_CHECK(address % geometry->program_unit == 0 && length % geometry->program_unit == 0,
              COS_E_NVM);
    COS_CHECK(address / geometry->tear_unit == (address + length - 1) / geometry->tear_unit,
              COS_E_NVM);
    COS_TRY(file_read(context, address, before, length));
    for (size_t i = 0; i < length; i++) {
        COS_CHECK(before[i] == geometry->erased_value, COS_E_NVM);
    }
    return file_write(file, address, data, length);
}

static enum cos_result file_erase(void *context, uint32_t address)
{
    const struct host_nvm_file *file = context;
    uint8_t erased[HOST_NVM_ERASE_UNIT];

    COS_CHECK(inside(&file->nvm.geometry, address, sizeof erased), COS_E_NVM);
    COS_CHECK(address % sizeof erased == 0, COS_E_NVM);
    memset(erased, HOST_NVM_ERASED, sizeof erased);
    return file_write(file, address, erased, sizeof erased);
}

void host_nvm_attach(struct host_nvm_file *file, int descriptor, uint32_t size)
{
    *file = (struct host_nvm_file){
        .nvm =
            {
                .context = file,
                .geometry =
                    {
                        .size = size,
                        .erase_unit = HOST_NVM_ERASE_UNIT,
                        .tear_unit = HOST_NVM_TEAR_UNIT,
                        .program_unit = HOST_NVM_PROGRAM_UNIT,
                        .erased_value = HOST_NVM_ERASED,
                        .endurance = HOST_NVM_ENDURANCE,
                    },
                .read = file_read,
                .program = file_program,
                .erase = file_erase,
            },
        .descriptor = descriptor,
    };
}

/* The lock belongs to the open file and so also to a security process that has not yet noticed the
 * end of its card: hence the patience. */
static bool lock(int descriptor)
{
    const struct timespec step = {.tv_nsec = 10 * 1000 * 1000};
    for (int waited = 0; flock(descriptor, LOCK_EX | LOCK_NB) != 0; waited += 10) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || waited >= HOST_NVM_LOCK_PATIENCE) {
            return false;
        }
        nanosleep(&step, NULL);
    }
    return true;
}

bool host_nvm_open(struct host_nvm_file *file, const char *path, uint32_t size, char *message,
                   size_t capacity)
{
    struct stat facts;
    int descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (descriptor < 0 || fstat(descriptor, &facts) != 0) {
        snprintf(message, capacity, "%s: %s", path, strerror(errno));
    } else if (!S_ISREG(facts.st_mode)) {
        snprintf(message, capacity, "%s: not a regular file", path);
    } else if (facts.st_size != (off_t)size) {
        snprintf(message, capacity, "%s: has %lld bytes, must have %u", path,
                 (long long)facts.st_size, (unsigned)size);
    } else if (!lock(descriptor)) {
        snprintf(message, capacity, "%s: %s", path,
                 errno == EWOULDBLOCK ? "in use by another program" : strerror(errno));
    } else {
        host_nvm_attach(file, descriptor, size);
        return true;
    }
    if (descriptor >= 0) {
        close(descriptor);
    }
    return false;
}

void host_nvm_close(struct host_nvm_file *file)
{
    close(file->descriptor);
    file->descriptor = -1;
}
