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
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Offsets in a store page; the mark is one program unit of the host. */
enum { HEADER = HOST_NVM_PROGRAM_UNIT, ERASES = 3, CRC = 24 };

static const struct chip {
    const char *key, *label, *file;
    uint32_t size, start;
    unsigned pages;
} chips[] = {
    {"app", "application chip", HOST_APP_NVM, HOST_APP_NVM_SIZE, HOST_APP_START, HOST_APP_PAGES},
    {"secure", "security chip", HOST_SECURE_NVM, HOST_SECURE_NVM_SIZE, HOST_SECURE_START,
     HOST_SECURE_PAGES},
};
enum { CHIPS = sizeof chips / sizeof chips[0] };

/* A regular file of the chip's size. O_NONBLOCK: a pipe in its place must not keep us waiting. */
static enum outcome open_image(struct world *world, const struct chip *chip, int *file)
{
    char path[PATH_MAX];
    struct stat status;
    int n = snprintf(path, sizeof path, "%s/%s", world->options.card, chip->file);
    if (n < 0 || (size_t)n >= sizeof path) {
        return trouble(&world->problem, "folder: path too long");
    }
    *file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (*file < 0 || fstat(*file, &status) != 0) {
        return trouble(&world->problem, "%s: %s", path, strerror(errno));
    }
    if (!S_ISREG(status.st_mode) || status.st_size != (off_t)chip->size) {
        close(*file);
        return trouble(&world->problem, "%s: not a file of %u bytes", path, (unsigned)chip->size);
    }
    return DONE;
}

static enum outcome read_image(struct world *world, const struct chip *chip, uint8_t *image)
{
    int file = -1;
    TRY(open_image(world, chip, &file));
    size_t got = 0;
    ssize_t part = 1;
    while (got < chip->size && part > 0) {
        part = read(file, image + got, chip->size - got);
        got += part > 0 ? (size_t)part : 0;
    }
    close(file);
    return got == chip->size ? DONE
                             : trouble(&world->problem, "%s: %u bytes could not be read",
                                       chip->file, (unsigned)(chip->size - got));
}

/* The erase count of a page; false if the page says nothing. */
static bool erase_count(const uint8_t *page, uint32_t *erases)
{
    const uint8_t *header = page + HEADER;
    uint8_t checked[4 + CRC] = {'P', 'A', 'G', 'E'};
    memcpy(checked + 4, header, CRC);
    *erases = cos_get32(header + ERASES - 1) & 0xFFFFFFU; /* three bytes */
    return cos_get32(header + CRC) == crc32_of(checked, sizeof checked) && *erases != 0;
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
        {"worn_permille", "of its endurance, permille",
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
    static uint8_t images[CHIPS][HOST_APP_NVM_SIZE];
    (void)name;
    for (size_t i = 0; i < CHIPS; i++) {
        TRY(read_image(world, &chips[i], images[i]));
    }
    for (size_t i = 0; i < CHIPS; i++) {
        report_chip(world, &chips[i], images[i]);
    }
    return DONE;
}
