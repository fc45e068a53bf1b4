/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzz target: the image that a store finds at its start. The first byte picks a geometry and
 * whether the rest is a raw image or changes to one that the store wrote itself, with the CRCs made
 * good again. Then the store is mounted, read, written, settled and mounted again. It may refuse,
 * but it must come to an end after a bounded number of operations, stay inside, keep the port's
 * contract, and what it answered once it must answer again.
 */
#include "cos/store.h"

#include <stdlib.h>

enum {
    PAGES = 12,
    RESERVE = 6,
    LOGICAL = PAGES - RESERVE,
    PAGE_MAX = 256,
    IMAGE_MAX = (PAGES + 2) * PAGE_MAX,
    HEADER = 28,
    HISTORIES = 32, /* of 0 to 31 commits */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
    struct cos_nvm_geometry nvm;
    uint16_t page_size;
} geometries[] = {
    {{.erase_unit = 64, .tear_unit = 64, .program_unit = 8, .erased_value = 0xFF}, 64},
    {{.erase_unit = 16, .tear_unit = 4, .program_unit = 1, .erased_value = 0x00}, 64},
    {{.erase_unit = 64, .tear_unit = 16, .program_unit = 16, .erased_value = 0xFF}, 128},
    {{.erase_unit = 256, .tear_unit = 256, .program_unit = 4, .erased_value = 0x00}, 256},
};

static struct {
    uint8_t cells[IMAGE_MAX];
    struct cos_nvm nvm;
    struct cos_store store;
    struct cos_store_config config;
    uint16_t map[LOGICAL];
    unsigned reads, writes;
} chip;

static void must(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* ---- The memory ---- */

static bool in_store(uint32_t address, size_t length)
{
    const uint32_t start = chip.config.start, end = start + PAGES * (uint32_t)chip.config.page_size;

    return address >= start && address <= end && length <= end - address;
}

static enum cos_result read_cells(void *context, uint32_t address, uint8_t *data, size_t length)
{
    (void)context;
    must(in_store(address, length));
    chip.reads++;
    memcpy(data, chip.cells + address, length);
    return COS_OK;
}

/* The core never programs what does not read erased. */
static enum cos_result program_cells(void *context, uint32_t address, const uint8_t *data,
                                     size_t length)
{
    const struct cos_nvm_geometry *g = &chip.nvm.geometry;

    (void)context;
    must(in_store(address, length) && length > 0);
    must(address % g->program_unit == 0 && length % g->program_unit == 0);
    must(address / g->tear_unit == (address + length - 1) / g->tear_unit);
    for (size_t i = 0; i < length; i++) {
        must(chip.cells[address + i] == g->erased_value);
    }
    chip.writes++;
    memcpy(chip.cells + address, data, length);
    return COS_OK;
}

static enum cos_result erase_cells(void *context, uint32_t address)
{
    const struct cos_nvm_geometry *g = &chip.nvm.geometry;

    (void)context;
    must(in_store(address, g->erase_unit) && address % g->erase_unit == 0);
    chip.writes++;
    memset(chip.cells + address, g->erased_value, g->erase_unit);
    return COS_OK;
}

static void open_chip(unsigned choice, bool scrub)
{
    memset(&chip, 0, sizeof chip);
    chip.nvm.geometry = geometries[choice].nvm;
    chip.nvm.geometry.size = IMAGE_MAX;
    chip.nvm.read = read_cells;
    chip.nvm.program = program_cells;
    chip.nvm.erase = erase_cells;
    chip.config = (struct cos_store_config){.start = geometries[choice].page_size,
                                            .page_size = geometries[choice].page_size,
                                            .pages = PAGES,
                                            .reserve = RESERVE,
                                            .scrub_from = scrub ? LOGICAL - 2 : 0xFFFF,
                                            .map = chip.map};
    memset(chip.cells, chip.nvm.geometry.erased_value, sizeof chip.cells);
}

/* ---- Images ---- */

static uint8_t *page_at(unsigned page)
{
    return chip.cells + chip.config.start + page % PAGES * (unsigned)chip.config.page_size;
}

static void make_header_good(uint8_t *page)
{
    const size_t at = chip.store.header_at;

    cos_put32(page + at + HEADER - 4, cos_crc32(0, page + at, HEADER - 4));
}

static void make_payload_good(uint8_t *page)
{
    const size_t at = chip.store.header_at;
    const uint32_t crc = cos_crc32(0, page + at + 6, 2);

    cos_put32(page + chip.config.page_size - 4,
              cos_crc32(crc, page + at + HEADER, chip.store.payload));
}

static void make_mark_good(uint8_t *page, uint8_t kind, unsigned number)
{
    const uint8_t place[3] = {kind, 0, (uint8_t)number};

    cos_put32(page + 4, cos_crc32(cos_crc32(0, page, 4), place, sizeof place));
}

/* A store with a history: commits of several pages, marks, a start that had to refresh. */
static void make_history(unsigned commits)
{
    must(cos_store_mount(&chip.store, &chip.nvm, &chip.config) == COS_E_STORE_BLANK);
    for (unsigned i = 0; i < commits; i++) {
        const uint8_t bytes[3] = {(uint8_t)i, 0x55, (uint8_t)~i};
        const uint32_t at = (i * 7 % LOGICAL) * chip.store.payload + i % 16;
        const struct cos_edit edits[] = {
            {.address = at, .data = bytes, .length = 3},
            {.address = (i * 5 % LOGICAL) * chip.store.payload, .length = 4, .from = at + 1}};
        must(cos_store_commit(&chip.store, edits, 1 + i % 2) == COS_OK);
        if (i % 3 != 2) {
            must(cos_store_settle(&chip.store) == COS_OK);
        } else if (i % 2 == 0) {
            must(cos_store_mount(&chip.store, &chip.nvm, &chip.config) == COS_OK);
        }
    }
}

/* Histories are made once. */
static void write_history(unsigned choice, unsigned scrub, unsigned commits)
{
    static struct {
        struct cos_store store;
        uint8_t cells[IMAGE_MAX];
    } histories[4][2][HISTORIES];

    if (histories[choice][scrub][commits].store.header_at == 0) {
        make_history(commits);
        histories[choice][scrub][commits].store = chip.store;
        memcpy(histories[choice][scrub][commits].cells, chip.cells, IMAGE_MAX);
    }
    chip.store = histories[choice][scrub][commits].store;
    memcpy(chip.cells, histories[choice][scrub][commits].cells, IMAGE_MAX);
}

/* Changes, five bytes each: what, page, offset, value, other page. */
static void change_image(const uint8_t *data, size_t size)
{
    for (; size >= 5; data += 5, size -= 5) {
        uint8_t *page = page_at(data[1]);
        const size_t header = chip.store.header_at + data[2] % HEADER;

        switch (data[0] % 8) {
        case 0: /* a header field */
            page[header] = data[3];
            make_header_good(page);
            break;
        case 1: /* and the payload's CRC with it, which begins with the logical page */
            page[header] = data[3];
            make_header_good(page);
            make_payload_good(page);
            break;
        case 2:
            page[data[2] % chip.config.page_size] ^= data[3];
            break;
        case 3:
            memmove(page, page_at(data[4]), chip.config.page_size);
            break;
        case 4:
            memset(page, chip.nvm.geometry.erased_value, chip.config.page_size);
            break;
        case 5: /* a mark, settled or retired, for a number near */
            cos_put32(page, data[3]);
            make_mark_good(page, data[4] & 1 ? 0x53 : 0x52, data[1] % PAGES);
            break;
        case 6: /* the number of a transaction */
            cos_put32(page + chip.store.header_at + 16, data[3]);
            make_header_good(page);
            break;
        default: /* the places of a refresh copy */
            cos_put16(page + chip.store.header_at + 8 + data[2] % 4 * 2, data[3] % (PAGES + 1));
            make_header_good(page);
            break;
        }
    }
}

/* ---- What must hold ---- */

static enum cos_result mount(void)
{
    const unsigned units = chip.config.page_size / chip.nvm.geometry.tear_unit + 1U;

    chip.reads = chip.writes = 0;
    enum cos_result result = cos_store_mount(&chip.store, &chip.nvm, &chip.config);
    must(chip.reads <= 60U * PAGES * (chip.config.page_size / 16U + 8U));
    must(chip.writes <= 6U * PAGES * 2U * units);
    must(result == COS_OK || result == COS_E_STORE_BLANK || result == COS_E_STORE_DAMAGED ||
         result == COS_E_STORE_VERSION || result == COS_E_MEMORY_FAILURE);
    return result;
}

/* Starts once more: the content must be the same. Pages with good CRCs that contradict each other
 * may come to light only now, but then they are reported. */
static bool same_again(const uint8_t *space)
{
    static uint8_t again[LOGICAL * PAGE_MAX];
    const uint32_t size = cos_store_size(&chip.store);
    const enum cos_result result = mount();

    if (result != COS_OK && result != COS_E_STORE_BLANK) {
        return false;
    }
    must(cos_store_read(&chip.store, 0, again, size) == COS_OK);
    must(memcmp(space, again, size) == 0);
    return true;
}

static void use_store(void)
{
    static uint8_t space[LOGICAL * PAGE_MAX], before[LOGICAL * PAGE_MAX];
    const uint32_t size = cos_store_size(&chip.store), payload = chip.store.payload;
    const struct cos_edit edits[] = {{.address = payload - 2, .data = chip.cells, .length = 4},
                                     {.address = 2 * payload, .length = 6, .from = payload}};

    must(cos_store_read(&chip.store, 0, before, size) == COS_OK);
    if (!same_again(before)) {
        return;
    }
    memcpy(space, before, size);
    memcpy(space + payload - 2, chip.cells, 4);
    memcpy(space + 2 * payload, before + payload, 6);
    const enum cos_result result = cos_store_commit(&chip.store, edits, 2);
    must(result == COS_OK || result == COS_E_MEMORY_FAILURE || result == COS_E_STORE_DAMAGED);
    if (result == COS_OK) {
        memcpy(before, space, size);
    }
    (void)cos_store_settle(&chip.store);
    must(cos_store_read(&chip.store, 0, space, size) == COS_OK);
    must(memcmp(space, before, size) == 0);
    (void)(same_again(before) && same_again(before));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    open_chip(data[0] % 4, data[0] & 0x10);
    if (data[0] & 0x20) {
        const size_t room = PAGES * (size_t)chip.config.page_size;
        memcpy(page_at(0), data + 1, size - 1 < room ? size - 1 : room);
    } else {
        write_history(data[0] % 4, (data[0] & 0x10) != 0, data[1] % HISTORIES);
        change_image(data + 2, size - 2);
    }
    const enum cos_result result = mount();
    if (result == COS_OK || result == COS_E_STORE_BLANK) {
        use_store();
    }
    return 0;
}
