/* SPDX-License-Identifier: Apache-2.0
 *
 * Host port: the "ROM" is the file of the running program. Its SHA-256 is what production step 2
 * writes into the fab record (`sha256sum` of the program gives the same), so a card belongs to the
 * build that it was made for.
 */
#ifndef HOST_ROM_IMAGE_H
#define HOST_ROM_IMAGE_H

#include "cos/port.h"

/* Maps the program read-only; to be called before the sandbox, where no file can be opened. False
 * with errno set if the system refuses. */
bool host_rom_image_open(struct cos_rom *rom);
/* The same for any file, for tests. */
bool host_rom_image_open_file(struct cos_rom *rom, const char *path);
void host_rom_image_close(struct cos_rom *rom);

#endif
