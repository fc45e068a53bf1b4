/* SPDX-License-Identifier: Apache-2.0
 *
 * The rig of records and data objects.
 */
#include "record_rig.h"
#include "fs/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NEIGHBOUR 100U

static cos_file create(struct record_rig *rig, const uint8_t *fcp, size_t length)
{
    cos_file file = COS_FILE_NONE;

    assert_int_equal(cos_fs_create(&rig->fs, COS_FILE_MF, (struct cos_span){fcp, length}, &file),
                     COS_OK);
    return file;
}

static void create_neighbour(struct record_rig *rig, uint8_t fid)
{
    const uint8_t fcp[] = {0x82, 1, 1, 0x83, 2, 0x50, fid, 0x80, 1, NEIGHBOUR};
    const cos_file file = create(rig, fcp, sizeof fcp);
    struct cos_file_info info;
    uint8_t bytes[NEIGHBOUR];

    memset(bytes, 0xAA, sizeof bytes);
    assert_int_equal(cos_fs_info(&rig->fs, file, &info), COS_OK);
    assert_int_equal(cos_fs_update(&rig->fs, &info, 0, bytes, sizeof bytes), COS_OK);
}

static void create_file(struct record_rig *rig, const struct record_rig_file *file)
{
    uint8_t fcp[128], size[2], descriptor[5] = {file->fdb, 0x21}, fill[64] = {0x80, 0};
    struct cos_writer writer = cos_writer(fcp, sizeof fcp);
    const bool df = file->fdb == COS_FDB_DF;

    cos_put16(descriptor + 2, file->record_size);
    descriptor[4] = (uint8_t)file->records;
    cos_put16(size, file->size);
    cos_tlv_write(&writer, 0x82, descriptor,
                  file->record_size == 0 ? 1 : (file->records == 0 ? 4 : 5));
    cos_tlv_write16(&writer, 0x83, 0x5002);
    if (file->size != 0) {
        cos_tlv_write(&writer, df ? 0x81 : 0x80, size, sizeof size);
    }
    if (file->attributes >= 4) {
        fill[1] = (uint8_t)(file->attributes - 4);
        cos_tlv_write(&writer, 0xA5, fill, file->attributes - 2U);
    }
    assert_false(writer.failed);
    rig->file = create(rig, fcp, writer.length);
}

void record_rig_open(struct record_rig *rig, uint16_t reserve, const struct record_rig_file *file)
{
    static const uint8_t mf[] = {0x82, 1, 0x38, 0x83, 2, 0x3F, 0x00};
    const struct cos_nvm_geometry geometry = {
        .size = RECORD_RIG_PAGES * 256,
        .erase_unit = 256,
        .tear_unit = 64,
        .program_unit = 8,
        .erased_value = 0xFF,
        .endurance = 100000,
    };

    memset(rig, 0, sizeof *rig);
    sim_nvm_init(&rig->sim, &rig->power, &geometry, 0, 256);
    rig->store_config = (struct cos_store_config){
        .page_size = 256,
        .pages = RECORD_RIG_PAGES,
        .reserve = reserve,
        .scrub_from = 0xFFFF,
        .map = rig->map,
    };
    rig->kept = malloc(geometry.size);
    assert_non_null(rig->kept);
    assert_int_equal(cos_store_mount(&rig->store, &rig->sim.nvm, &rig->store_config),
                     COS_E_STORE_BLANK);
    rig->config =
        (struct cos_fs_config){.size = cos_store_size(&rig->store), .files = 8, .names = 1};
    assert_int_equal(cos_fs_mount(&rig->fs, &rig->store, &rig->config), COS_E_STORE_BLANK);
    assert_int_equal(cos_fs_format(&rig->fs), COS_OK);
    (void)create(rig, mf, sizeof mf);
    create_neighbour(rig, 1);
    create_file(rig, file);
    create_neighbour(rig, 3);
    assert_int_equal(cos_fs_info(&rig->fs, rig->file, &rig->info), COS_OK);
}

void record_rig_close(struct record_rig *rig)
{
    free(rig->kept);
    sim_nvm_free(&rig->sim);
}

void record_rig_mount(struct record_rig *rig)
{
    memset(rig->map, 0x5A, sizeof rig->map);
    memset(&rig->store, 0x5A, sizeof rig->store);
    memset(&rig->fs, 0x5A, sizeof rig->fs);
    assert_int_equal(cos_store_mount(&rig->store, &rig->sim.nvm, &rig->store_config), COS_OK);
    assert_int_equal(cos_fs_mount(&rig->fs, &rig->store, &rig->config), COS_OK);
    assert_int_equal(cos_fs_info(&rig->fs, rig->file, &rig->info), COS_OK);
}

void record_rig_remount(struct record_rig *rig)
{
    sim_power_off(&rig->power);
    sim_power_up(&rig->power);
    record_rig_mount(rig);
}

void record_rig_keep(struct record_rig *rig)
{
    memcpy(rig->kept, rig->sim.cells, rig->sim.nvm.geometry.size);
    rig->kept_operations = rig->power.operations;
    rig->kept_page_programs = rig->sim.counts.page_programs;
}

void record_rig_check_kept(const struct record_rig *rig)
{
    assert_int_equal(rig->power.operations, rig->kept_operations);
    assert_memory_equal(rig->kept, rig->sim.cells, rig->sim.nvm.geometry.size);
}

unsigned record_rig_programs(const struct record_rig *rig)
{
    return (unsigned)(rig->sim.counts.page_programs - rig->kept_page_programs);
}

uint32_t record_rig_header(const struct record_rig *rig)
{
    return (cos_file_content(&rig->info) + 3) / 4 * 4;
}

uint32_t record_rig_data(const struct record_rig *rig)
{
    return cos_file_content(&rig->info) + cos_content_structure(&rig->info);
}

unsigned record_rig_pages(const struct record_rig_run *runs, size_t count)
{
    bool touched[RECORD_RIG_PAGES] = {false};
    unsigned pages = 0;

    for (size_t i = 0; i < count; i++) {
        for (uint32_t at = runs[i].address; at < runs[i].address + runs[i].length; at++) {
            touched[at / RECORD_RIG_PAYLOAD] = true;
        }
    }
    for (unsigned i = 0; i < RECORD_RIG_PAGES; i++) {
        pages += touched[i];
    }
    return pages;
}

static void check_neighbour(const struct record_rig *rig, uint16_t fid)
{
    struct cos_file_info info;
    uint8_t bytes[NEIGHBOUR];
    cos_file file;

    assert_int_equal(cos_fs_find_child(&rig->fs, COS_FILE_MF, fid, &file), COS_OK);
    assert_int_equal(cos_fs_info(&rig->fs, file, &info), COS_OK);
    assert_int_equal(cos_fs_read(&rig->fs, &info, 0, bytes, sizeof bytes), COS_OK);
    for (size_t i = 0; i < sizeof bytes; i++) {
        assert_int_equal(bytes[i], 0xAA);
    }
}

void record_rig_check(const struct record_rig *rig)
{
    static uint8_t bytes[COS_FS_SIZE_MAX], owned[COS_FS_SIZE_MAX];
    const uint32_t data = record_rig_data(rig);
    const bool records = cos_file_has_records(&rig->info);
    struct cos_record item;

    memset(owned, 0, sizeof owned);
    assert_int_equal(cos_store_read(&rig->store, data, bytes, rig->info.size), COS_OK);
    for (unsigned i = 0; (records ? cos_fs_record(&rig->fs, &rig->info, i + 1, &item)
                                  : cos_fs_object(&rig->fs, &rig->info, i, &item)) == COS_OK;
         i++) {
        assert_true(item.address >= data && item.address + item.length <= data + rig->info.size);
        for (uint32_t at = item.address - data; at < item.address - data + item.length; at++) {
            assert_int_equal(owned[at], 0);
            owned[at] = 1;
        }
    }
    for (uint32_t at = 0; at < rig->info.size; at++) {
        assert_true(owned[at] == 1 || bytes[at] == 0);
    }
    check_neighbour(rig, 0x5001);
    check_neighbour(rig, 0x5003);
}

void record_rig_write(struct record_rig *rig, uint32_t address, const uint8_t *data, size_t length)
{
    while (length > 0) {
        const size_t run = length < RECORD_RIG_PAYLOAD ? length : RECORD_RIG_PAYLOAD;
        const struct cos_edit edit = {.address = address, .data = data, .length = (uint32_t)run};
        assert_int_equal(cos_store_commit(&rig->store, &edit, 1), COS_OK);
        address += (uint32_t)run;
        data += run;
        length -= run;
    }
}
