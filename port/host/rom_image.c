/* SPDX-License-Identifier: Apache-2.0
 *
 * Host port: the program's own image.
 */
#include "rom_image.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

bool host_rom_image_open_file(struct cos_rom *rom, const char *path)
{
    struct stat facts;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return false;
    }
    void *bytes = MAP_FAILED;
    if (fstat(descriptor, &facts) == 0) {
        if (facts.st_size <= 0 || facts.st_size > (off_t)UINT32_MAX) {
            errno = EFBIG;
        } else {
            bytes = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, descriptor, (off_t)0);
        }
    }
    int reason = errno;
    close(descriptor);
    errno = reason;
    if (bytes == MAP_FAILED) {
        return false;
    }
    *rom = (struct cos_rom){.image = bytes, .size = (size_t)facts.st_size};
    return true;
}

bool host_rom_image_open(struct cos_rom *rom)
{
    return host_rom_image_open_file(rom, "/proc/self/exe");
}

void host_rom_image_close(struct cos_rom *rom)
{
    munmap((void *)(uintptr_t)rom->image, rom->size);
    *rom = (struct cos_rom){.image = NULL};
}
