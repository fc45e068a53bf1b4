/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzz target: the file layer over a store whose logical bytes are hostile. The input patches the
 * bytes of a file system that has files of every structure, and is then a sequence of questions and
 * changes. Nothing may crash, hang, read or write outside, or take a lie for our own bug.
 */
#include "cos/fs.h"
#include "sim_nvm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    PAGES = 64,
    RESERVE = 8,
    PAGE = 256,
    FILES = 30,
    PATCHES = 24,
    STEPS = 24,
    OPERATIONS_MAX = 200000, /* of one input: more is a hang */
};

static struct sim_power power;
static struct sim_nvm sim;
static struct sim_snapshot planted;
static struct cos_store store;
static struct cos_fs fs;
static uint16_t map[PAGES];
static const struct cos_store_config store_config = {
    .page_size = PAGE, .pages = PAGES, .reserve = RESERVE, .scrub_from = 0xFFFF, .map = map};
static struct cos_fs_config config = {.files = FILES, .names = 12};

static void must(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "fuzz_files: %s\n", what);
        abort();
    }
}

/* What the file layer may answer to whatever it meets. */
static enum cos_result allowed(enum cos_result result)
{
    must(result != COS_E_INVARIANT, "hostile bytes are taken for a bug");
    must(result != COS_E_NVM, "an NVM that works is said not to");
    must(result <= COS_OK, "a result is negative");
    must(power.operations < OPERATIONS_MAX, "this is a hang");
    return result;
}

/* ---- The tree ---- */

static size_t from_hex(const char *hex, uint8_t *bytes)
{
    size_t digits = 0;

    for (; *hex != '\0'; hex++) {
        if (*hex != ' ') {
            const unsigned digit = *hex <= '9' ? (unsigned)*hex - '0' : (unsigned)*hex - 'A' + 10U;
            bytes[digits / 2] = (uint8_t)(bytes[digits / 2] << 4 | digit);
            digits++;
        }
    }
    return digits / 2;
}

/* FCP values; the parent is one of the files before. */
static const struct {
    unsigned parent;
    const char *fcp;
} tree[] = {
    {0, "820138 83023F00 8C087F00000000000000"},
    {0, "820138 83025100 81020080 8404F0000001 8403F00002 A0075C008C03030090"},
    {1, "820101 83020101 80020040 8C03039000"},
    {1, "82050221001004 83020102 8B032F0601"},
    {1, "82050621001003 83020103 8B0101"},
    {1, "82050421002008 83020104 80020080 880120"},
    {1, "82023921 83020105 80020080 AB0B 800101 A406830181950108"},
    {0, "82050221002002 83022F06"},
    {1, "820138 83025200 8401C1"},
    {8, "820101 83020106 80020300"},
};
enum { TREE = sizeof tree / sizeof tree[0] };
static cos_file files[TREE];

static void fill(void)
{
    static const uint8_t rule[32] = {0x80, 0x01, 0x01, 0x90, 0x00, 0x80, 0x01, 0x7E, 0x97, 0x00};
    struct cos_file_info info;

    must(cos_fs_info(&fs, files[4], &info) == COS_OK &&
             cos_fs_record_append(&fs, &info, rule, 16) == COS_OK,
         "cyclic");
    must(cos_fs_info(&fs, files[5], &info) == COS_OK &&
             cos_fs_record_append(&fs, &info, rule, 9) == COS_OK &&
             cos_fs_record_append(&fs, &info, rule, 20) == COS_OK,
         "variable");
    must(cos_fs_info(&fs, files[6], &info) == COS_OK &&
             cos_fs_object_put(&fs, &info, 0x5F51, (struct cos_span){rule, 12}) == COS_OK &&
             cos_fs_object_put(&fs, &info, 0x80, (struct cos_span){rule, 3}) == COS_OK,
         "objects");
    must(cos_fs_info(&fs, files[7], &info) == COS_OK &&
             cos_fs_record_update(&fs, &info, 1, rule, 32) == COS_OK,
         "EF.ARR");
}

static void plant(void)
{
    static const struct cos_nvm_geometry geometry = {
        .size = PAGES * PAGE,
        .erase_unit = PAGE,
        .tear_unit = 64,
        .program_unit = 8,
        .erased_value = 0xFF,
    };

    sim_nvm_init(&sim, &power, &geometry, 0, PAGE);
    must(cos_store_mount(&store, &sim.nvm, &store_config) == COS_E_STORE_BLANK, "blank");
    config.size = cos_store_size(&store);
    must(cos_fs_mount(&fs, &store, &config) == COS_E_STORE_BLANK, "no files yet");
    must(cos_fs_format(&fs) == COS_OK, "format");
    for (unsigned i = 0; i < TREE; i++) {
        uint8_t fcp[96] = {0};
        const struct cos_span value = {fcp, from_hex(tree[i].fcp, fcp)};
        must(cos_fs_create(&fs, files[tree[i].parent], value, &files[i]) == COS_OK, tree[i].fcp);
    }
    fill();
    must(cos_store_settle(&store) == COS_OK, "settle");
    sim_nvm_save(&sim, &planted);
}

/* ---- Hostile bytes ---- */

/* Patches go where the meaning is, mostly: superblock, names, table, extents' beginnings. */
static uint32_t target(struct cos_reader *input)
{
    const uint8_t kind = cos_read8(input), detail = cos_read8(input);
    const uint32_t payload = store.payload;
    uint32_t place;

    switch (kind % 4) {
    case 0:
        place = detail % 64U;
        break;
    case 1:
        place = payload + detail % (20U * config.names);
        break;
    case 2:
        place = 3 * payload + detail * 4U % (24U * FILES) + kind / 4 % 4U;
        break;
    default:
        place = (6 + detail % 8U) * payload + kind / 4;
        break;
    }
    return place;
}

static void patch(struct cos_reader *input)
{
    const unsigned count = cos_read8(input) % PATCHES;

    for (unsigned i = 0; i < count && input->length > 0; i++) {
        const uint32_t address = target(input);
        const size_t length = 1 + cos_read8(input) % 8U;
        const uint8_t *bytes = cos_read_bytes(input, length);
        if (bytes != NULL) {
            const struct cos_edit edit = {
                .address = address, .data = bytes, .length = (uint32_t)length};
            must(cos_store_commit(&store, &edit, 1) == COS_OK, "a patch");
        }
    }
}

/* ---- Questions and changes ---- */

static void ask_records(const struct cos_file_info *info, unsigned number)
{
    struct cos_record record;
    uint8_t bytes[64];
    unsigned count;

    (void)allowed(cos_fs_record_count(&fs, info, &count));
    if (allowed(cos_fs_record(&fs, info, number, &record)) == COS_OK) {
        const size_t run = record.length < sizeof bytes ? record.length : sizeof bytes;
        (void)allowed(cos_fs_record_read(&fs, &record, 0, bytes, run));
    }
    if (allowed(cos_fs_object(&fs, info, number, &record)) == COS_OK) {
        const size_t run = record.length < sizeof bytes ? record.length : sizeof bytes;
        uint32_t tag;
        size_t header;
        (void)allowed(cos_fs_record_read(&fs, &record, 0, bytes, run));
        if (allowed(cos_fs_object_header(&fs, info, &record, &tag, &header)) == COS_OK) {
            must(header <= record.length, "an object ends before its value");
        }
    }
    (void)allowed(cos_fs_object_find(&fs, info, 0x5F51, &record));
}

static void ask(cos_file file, uint8_t detail)
{
    const struct cos_access access = {.operation = (enum cos_operation)(1U << detail % 7U),
                                      .object = detail & 0x80U ? 0x5F51 : 0,
                                      .environment = 1};
    struct cos_file_info info;
    uint8_t bytes[512], name[] = {0xF0, 0x00};
    struct cos_writer writer = cos_writer(bytes, sizeof bytes);
    cos_file found;
    bool below;

    (void)allowed(cos_fs_find_fid(&fs, file, (uint16_t)(0x0100 + detail % 8U), &found));
    (void)allowed(cos_fs_find_sfi(&fs, file, detail % 31U, &found));
    (void)allowed(cos_fs_find_name(&fs, (struct cos_span){name, 1U + detail % 2U},
                                   (enum cos_occurrence)(detail % 4U), file, &found));
    (void)allowed(cos_fs_is_below(&fs, file, files[detail % TREE], &below));
    if (allowed(cos_fs_info(&fs, file, &info)) != COS_OK) {
        return;
    }
    (void)allowed(cos_fs_write_fcp(&fs, &info, &writer));
    writer = cos_writer(bytes, COS_RULE_MAX);
    (void)allowed(cos_fs_rule(&fs, &info, &access, &writer));
    (void)allowed(cos_fs_read(&fs, &info, detail, bytes, 8));
    ask_records(&info, detail);
}

static void change(uint8_t kind, cos_file file, uint8_t detail)
{
    static const uint8_t bytes[40] = {0x11, 0x22};
    static const uint8_t fcp[] = {0x82, 0x01, 0x01, 0x83, 0x02, 0x0A, 0x0B, 0x80, 0x02, 0x00, 0x20};
    const struct cos_span value = {bytes, detail % 40U};
    struct cos_file_info info;
    cos_file made;

    switch (kind % 8) {
    case 0:
        (void)allowed(cos_fs_create(&fs, file, (struct cos_span){fcp, sizeof fcp}, &made));
        return;
    case 1:
        (void)allowed(cos_fs_delete(&fs, file));
        return;
    case 2:
        (void)allowed(cos_fs_set_life_cycle(&fs, file, COS_LCS_DEACTIVATED));
        return;
    default:
        break;
    }
    if (allowed(cos_fs_info(&fs, file, &info)) != COS_OK) {
        return;
    }
    switch (kind % 8) {
    case 3:
        (void)allowed(cos_fs_record_append(&fs, &info, value.data, value.length));
        break;
    case 4:
        (void)allowed(cos_fs_record_update(&fs, &info, 1, value.data, value.length));
        break;
    case 5:
        (void)allowed(cos_fs_object_put(&fs, &info, 0x5F51, value));
        (void)allowed(cos_fs_objects_put(&fs, &info, value));
        break;
    case 6:
        (void)allowed(cos_fs_object_delete(&fs, &info, 0x80));
        break;
    default:
        (void)allowed(cos_fs_erase(&fs, &info, 0, info.size));
        break;
    }
}

static void walk(void)
{
    struct cos_file_info info;
    uint32_t cursor = 0;
    cos_file file;

    while (allowed(cos_fs_next(&fs, &cursor, &file, &info)) == COS_OK) {
        must(cursor <= FILES * 2U, "a walk ends");
    }
}

static bool mount(void)
{
    uint32_t transaction;
    enum cos_result result = allowed(cos_fs_mount(&fs, &store, &config));

    if (result == COS_OK && cos_fs_prepared(&fs, &transaction)) {
        result = allowed(cos_fs_finish(&fs, transaction % 2 == 0));
    }
    return result == COS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cos_reader input = cos_reader(data, size);
    static bool made;

    if (!made) {
        plant();
        made = true;
    }
    sim_nvm_restore(&sim, &planted);
    power.operations = 0;
    must(cos_store_mount(&store, &sim.nvm, &store_config) == COS_OK, "the store is sound");
    patch(&input);
    if (!mount()) {
        return 0;
    }
    for (unsigned step = 0; step < STEPS && input.length >= 3; step++) {
        const uint8_t kind = cos_read8(&input), which = cos_read8(&input);
        const uint8_t detail = cos_read8(&input);
        const cos_file file = which < 2 * TREE ? files[which % TREE] : which;
        if ((kind & 0x10U) != 0) {
            change(kind, file, detail);
        } else {
            ask(file, detail);
        }
    }
    walk();
    (void)allowed(cos_store_settle(&store));
    return 0;
}
