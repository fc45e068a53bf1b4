/* SPDX-License-Identifier: Apache-2.0
 *
 * How worn the NVM of a card is, read from its files as a laboratory reads a chip: the erase count
 * in the header of each store page (docs/formats.md, "Store pages"). Nothing is written, and the
 * card need not run.
 */
#include "commands.h"

#include "cos/bytes.h"
#include "host_card.h"
#include "nvm_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Offsets in a store page; the mark is one program unit of the host. */
enum { HEADER = HOST_NVM_PROGRAM_UNIT, ERASES = 3, SEQUENCE = 16, CRC = 24 };

static const struct chip {
    const char *key, *label, *file;
    uint32_t size, start;
    unsigned pages;
} chips[] = {
    {"app", "application chip", HOST_APP_NVM, HOST_APP_NVM_SIZE, HOST_APP_START, HOST_APP_PAGES},
    {"secure", "security chip", HOST_SECURE_NVM, HOST_SECURE_NVM_SIZE, HOST_SECURE_START,
     HOST_SECURE_PAGES},
};

static enum outcome read_image(struct world *world, const struct chip *chip, uint8_t *image)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", world->options.card, chip->file);
    if (n < 0 || (size_t)n >= sizeof path) {
        return trouble(&world->problem, "folder: path too long");
    }
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    size_t got = 0;
    errno = 0;
    while (file >= 0 && got < chip->size) {
        ssize_t part = read(file, image + got, chip->size - got);
        if (part <= 0) {
            break;
        }
        got += (size_t)part;
    }
    const int error = errno;
    if (file >= 0) {
        close(file);
    }
    return got == chip->size ? DONE
                             : trouble(&world->problem, "%s: %s", path,
                                       error != 0 ? strerror(error) : "too short for a chip");
}

/* The erase count of a page; false if the page says nothing. */
static bool erase_count(const uint8_t *page, uint32_t *erases)
{
    const uint8_t *header = page + HEADER;
    *erases = cos_get32(header + ERASES - 1) & 0xFFFFFFU; /* three bytes */
    return cos_get32(header + CRC) == crc32_of(header, CRC) && cos_get32(header + SEQUENCE) != 0;
}

static void report_chip(struct world *world, const struct chip *chip, const uint8_t *image)
{
    uint32_t lowest = UINT32_MAX, highest = 0, erases;
    uint64_t total = 0;
    unsigned known = 0;
    char key[40];
    for (unsigned page = 0; page < chip->pages; page++) {
        if (!erase_count(image + chip->start + (size_t)page * HOST_PAGE_SIZE, &erases)) {
            continue;
        }
        known++;
        total += erases;
        lowest = erases < lowest ? erases : lowest;
        highest = erases > highest ? erases : highest;
    }
    lowest = known == 0 ? 0 : lowest;
    const struct {
        const char *key, *label;
        long number;
    } facts[] = {
        {"pages", "pages of the store", (long)chip->pages},
        {"silent", "of these blank or damaged", (long)(chip->pages - known)},
        {"erases_lowest", "erases of a page: least", (long)lowest},
        {"erases_mean", "on the average", known == 0 ? 0 : (long)(total / known)},
        {"erases_highest", "most", (long)highest},
        {"spread", "spread", (long)(highest - lowest)},
        {"worn_permille", "of its endurance, per mille",
         (long)((uint64_t)highest * 1000 / HOST_NVM_ENDURANCE)},
    };
    report_line(&world->report, "%s", chip->label);
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        snprintf(key, sizeof key, "%s_%s", chip->key, facts[i].key);
        report_number(&world->report, key, facts[i].label, facts[i].number);
    }
}

enum outcome command_wear(struct world *world, const char *name)
{
    static uint8_t image[HOST_APP_NVM_SIZE];
    (void)name;
    if (world->options.card == NULL) {
        return trouble(&world->problem, "which card? --card DIR");
    }
    for (size_t i = 0; i < sizeof chips / sizeof chips[0]; i++) {
        TRY(read_image(world, &chips[i], image));
        report_chip(world, &chips[i], image);
    }
    return DONE;
}
