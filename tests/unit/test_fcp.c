/* SPDX-License-Identifier: Apache-2.0
 *
 * FCP templates: what CREATE FILE takes, what SELECT answers.
 */
#include "fcp_helpers.h"

/* Good templates, the file's entry, and what SELECT answers. */
struct good {
    const char *fcp, *answer;
    struct cos_file_info info;
};

#define SIXTEEN "00112233445566778899AABBCCDDEE"

static const struct good goods[] = {
    /* Transparent. FID 0102 gives SFI 2. */
    {"820101 83020102 80020010",
     "80020010 820101 83020102 8A0105 880110",
     {.fid = 0x0102, .fdb = 0x01, .size = 16, .sfi = 2}},
    {"82020121 83020102 80020010 8800",
     "80020010 82020121 83020102 8A0105 8800",
     {.fid = 0x0102, .fdb = 0x01, .dcb = 0x21, .size = 16}},
    {"820141 83020102 800107",
     "80020007 820141 83020102 8A0105 880110",
     {.fid = 0x0102, .fdb = 0x41, .size = 7, .sfi = 2}},
    {"83020102 81020010 820101",
     "80020010 820101 83020102 8A0105 880110", /* 81, other order */
     {.fid = 0x0102, .fdb = 0x01, .size = 16, .sfi = 2}},
    {"820101 83020102 800400000FFF",
     "80020FFF 820101 83020102 8A0105 880110",
     {.fid = 0x0102, .fdb = 0x01, .size = 0x0FFF, .sfi = 2}},
    {"820101 83020102 80028000", /* the largest */
     "80028000 820101 83020102 8A0105 880110",
     {.fid = 0x0102, .fdb = 0x01, .size = 0x8000, .sfi = 2}},
    {"820101 83020102 800101",
     "80020001 820101 83020102 8A0105 880110",
     {.fid = 0x0102, .fdb = 0x01, .size = 1, .sfi = 2}},
    /* Short identifiers that follow from the FID: not 1, which is taken, not 0, not 31. */
    {"820101 83020121 800107",
     "80020007 820101 83020121 8A0105 8800",
     {.fid = 0x0121, .fdb = 0x01, .size = 7}},
    {"820101 83020120 800107",
     "80020007 820101 83020120 8A0105 8800",
     {.fid = 0x0120, .fdb = 0x01, .size = 7}},
    {"820101 8302013F 800107",
     "80020007 820101 8302013F 8A0105 8800",
     {.fid = 0x013F, .fdb = 0x01, .size = 7}},
    {"820101 8302FFFE 800107",
     "80020007 820101 8302FFFE 8A0105 8801F0",
     {.fid = 0xFFFE, .fdb = 0x01, .size = 7, .sfi = 30}},
    {"820101 8302ABCD 800107 8801F0",
     "80020007 820101 8302ABCD 8A0105 8801F0",
     {.fid = 0xABCD, .fdb = 0x01, .size = 7, .sfi = 30}},
    /* Linear fixed: records from the number, the size, or both. */
    {"8205022100140583020102",
     "80020064 82050221001405 83020102 8A0105 880110",
     {.fid = 0x0102,
      .fdb = 0x02,
      .dcb = 0x21,
      .record_size = 20,
      .record_count = 5,
      .size = 100,
      .sfi = 2}},
    {"82050221001405 83020102 80020064 8800",
     "80020064 82050221001405 83020102 8A0105 8800",
     {.fid = 0x0102, .fdb = 0x02, .dcb = 0x21, .record_size = 20, .record_count = 5, .size = 100}},
    {"8206422100140005 83020102 8800",
     "80020064 82054221001405 83020102 8A0105 8800",
     {.fid = 0x0102, .fdb = 0x42, .dcb = 0x21, .record_size = 20, .record_count = 5, .size = 100}},
    {"820402210014 83020102 80020064 8800", /* room for five, none made */
     "80020064 82050221001400 83020102 8A0105 8800",
     {.fid = 0x0102, .fdb = 0x02, .dcb = 0x21, .record_size = 20, .record_count = 5, .size = 100}},
    {"8203022114 83020102 80020064 8800",
     "80020064 82050221001400 83020102 8A0105 8800",
     {.fid = 0x0102, .fdb = 0x02, .dcb = 0x21, .record_size = 20, .record_count = 5, .size = 100}},
    {"82050221001402 83020102 80020064 8800", /* room for five, two made */
     "80020064 82050221001402 83020102 8A0105 8800",
     {.fid = 0x0102, .fdb = 0x02, .dcb = 0x21, .record_size = 20, .record_count = 5, .size = 100}},
    {"82050221000CFE 83020102 8801F0",
     "80020BE8 82050221000CFE 83020102 8A0105 8801F0",
     {.fid = 0x0102,
      .fdb = 0x02,
      .dcb = 0x21,
      .sfi = 30,
      .record_size = 12,
      .record_count = 254,
      .size = 3048}},
    {"82050221800001 83020102 8800", /* one record of 32,768 bytes */
     "80028000 82050221800001 83020102 8A0105 8800",
     {.fid = 0x0102,
      .fdb = 0x02,
      .dcb = 0x21,
      .record_size = 0x8000,
      .record_count = 1,
      .size = 0x8000}},
    /* The other structures. */
    {"82050321001405 83020102 8800",
     "80020064 82050321001405 83020102 8A0105 8800",
     {.fid = 0x0102, .fdb = 0x03, .dcb = 0x21, .record_size = 20, .record_count = 5, .size = 100}},
    {"82050621001403 83020102 80020064 8800",
     "80020064 82050621001403 83020102 8A0105 8800",
     {.fid = 0x0102, .fdb = 0x06, .dcb = 0x21, .record_size = 20, .record_count = 5, .size = 100}},
    {"82050721001405 83020102 8800",
     "80020064 82050721001405 83020102 8A0105 8800",
     {.fid = 0x0102, .fdb = 0x07, .dcb = 0x21, .record_size = 20, .record_count = 5, .size = 100}},
    {"820404210014 83020102 80020064 8800", /* one in eight bytes, rounded up */
     "80020064 82050421001400 83020102 8A0105 8800",
     {.fid = 0x0102, .fdb = 0x04, .dcb = 0x21, .record_size = 20, .record_count = 13, .size = 100}},
    {"8205042100640A 83020102 80020064 8800", /* the longest fills it alone */
     "80020064 82050421006400 83020102 8A0105 8800",
     {.fid = 0x0102,
      .fdb = 0x04,
      .dcb = 0x21,
      .record_size = 100,
      .record_count = 10,
      .size = 100}},
    {"8206052100140005 83020102 8800 80021000",
     "80021000 82050521001400 83020102 8A0105 8800",
     {.fid = 0x0102, .fdb = 0x05, .dcb = 0x21, .record_size = 20, .record_count = 5, .size = 4096}},
    {"820404210014 83020102 80021000 8800", /* 512 would be too many */
     "80021000 82050421001400 83020102 8A0105 8800",
     {.fid = 0x0102,
      .fdb = 0x04,
      .dcb = 0x21,
      .record_size = 20,
      .record_count = 254,
      .size = 4096}},
    {"820139 83020102 80020040 8800",
     "80020040 820139 83020102 8A0105 8800",
     {.fid = 0x0102, .fdb = 0x39, .record_count = 8, .size = 64}},
    {"82013A 83020102 80020040 8800",
     "80020040 82013A 83020102 8A0105 8800",
     {.fid = 0x0102, .fdb = 0x3A, .record_count = 8, .size = 64}},
    {"82027921 83020102 80020041",
     "80020041 82027921 83020102 8A0105 880110",
     {.fid = 0x0102, .fdb = 0x79, .dcb = 0x21, .record_count = 9, .size = 65, .sfi = 2}},
    /* Where content comes from. */
    {"820101 83020102 80020010 850101 8C0201FF 8A0101",
     "80020010 820101 83020102 850101 8A0101 8C0201FF 880110",
     {.fid = 0x0102,
      .fdb = 0x01,
      .size = 16,
      .sfi = 2,
      .source = COS_FS_SOURCE_PRODUCTION,
      .life_cycle_status = COS_LCS_CREATION,
      .attributes_length = 7}},
    {"820101 83020102 80028000 850103 8800",
     "80028000 820101 83020102 850103 8A0105 8800",
     {.fid = 0x0102,
      .fdb = 0x01,
      .size = 0x8000,
      .source = COS_FS_SOURCE_CARD,
      .attributes_length = 3}},
    {"A503800177 8C0201FF 850100 820101 83020102 80020010 8A0103 880110", /* order of the answer */
     "80020010 820101 83020102 850100 8A0103 8C0201FF 880110 A503800177",
     {.fid = 0x0102,
      .fdb = 0x01,
      .size = 16,
      .sfi = 2,
      .life_cycle_status = COS_LCS_INITIALISATION,
      .attributes_length = 12}},
    /* Life cycle: of the values that mean the same the first. */
    {"820138 83020102 8A0104",
     "820138 83020102 8A0104",
     {.fid = 0x0102, .fdb = 0x38, .life_cycle_status = COS_LCS_DEACTIVATED}},
    {"820138 83020102 8A0106",
     "820138 83020102 8A0104",
     {.fid = 0x0102, .fdb = 0x38, .life_cycle_status = COS_LCS_DEACTIVATED}},
    {"82027821 83020102 8A0107",
     "82027821 83020102 8A0105",
     {.fid = 0x0102, .fdb = 0x78, .dcb = 0x21}},
    /* DFs. */
    {"820138 83020102", "820138 83020102 8A0105", {.fid = 0x0102, .fdb = 0x38}},
    {"820138 83020102 81020010",
     "81020010 820138 83020102 8A0105",
     {.fid = 0x0102, .fdb = 0x38, .record_count = 2, .size = 16}},
    {"820138 83020102 81028000",
     "81028000 820138 83020102 8A0105",
     {.fid = 0x0102, .fdb = 0x38, .record_count = 254, .size = 0x8000}},
    {"820138 83020102 8403800177 A503800177", /* an A5 that looks like a name */
     "820138 83020102 8403800177 8A0105 A503800177",
     {.fid = 0x0102, .fdb = 0x38, .attributes_length = 10}},
    {"820138 83020102 8401B0 8402B0B1 8401B1 8402B1B0",
     "820138 83020102 8401B0 8402B0B1 8401B1 8402B1B0 8A0105",
     {.fid = 0x0102, .fdb = 0x38, .attributes_length = 14}},
    {"820138 83020102 8405A000000002 8C03060000 8401B0", /* several names */
     "820138 83020102 8405A000000002 8401B0 8A0105 8C03060000",
     {.fid = 0x0102, .fdb = 0x38, .attributes_length = 15}},
    {"820138 83020102 8404A0000000",
     "820138 83020102 8404A0000000 8A0105", /* begins another's */
     {.fid = 0x0102, .fdb = 0x38, .attributes_length = 6}},
    {"820138 83020102 A500",
     "820138 83020102 8A0105 A500",
     {.fid = 0x0102, .fdb = 0x38, .attributes_length = 2}},
    {"820138 83020102 8D020103 8C03060000",
     "820138 83020102 8A0105 8C03060000 8D020103",
     {.fid = 0x0102, .fdb = 0x38, .attributes_length = 9}},
    /* Rules: 8B in its three forms, AB, A0 with 8C and AB. */
    {"820138 83020102 8B0102",
     "820138 83020102 8A0105 8B0102",
     {.fid = 0x0102, .fdb = 0x38, .attributes_length = 3}},
    {"820138 83020102 8B032F0602",
     "820138 83020102 8A0105 8B032F0602",
     {.fid = 0x0102, .fdb = 0x38, .attributes_length = 5}},
    {"820138 83020102 8B042F060102",
     "820138 83020102 8A0105 8B042F060102",
     {.fid = 0x0102, .fdb = 0x38, .attributes_length = 6}},
    {"820101 83020102 80020010 8800 8B0A2F060102020303040405",
     "80020010 820101 83020102 8A0105 8B0A2F060102020303040405 8800",
     {.fid = 0x0102, .fdb = 0x01, .size = 16, .attributes_length = 12}},
    {"820101 83020102 80020010 8800 AB058001019000",
     "80020010 820101 83020102 8A0105 AB058001019000 8800",
     {.fid = 0x0102, .fdb = 0x01, .size = 16, .attributes_length = 7}},
    {"820138 83020102 A00E 5C015A 8C03039000 5C00 8C0201FF AB058001019000",
     "820138 83020102 8A0105 AB058001019000 A00E 5C015A 8C03039000 5C00 8C0201FF",
     {.fid = 0x0102, .fdb = 0x38, .attributes_length = 23}},
    {"820101 83020102 80020010 8800 A009 5C00 AB058001019000",
     "80020010 820101 83020102 8A0105 A009 5C00 AB058001019000 8800",
     {.fid = 0x0102, .fdb = 0x01, .size = 16, .attributes_length = 11}},
    /* Longer length fields, and padding between the objects (5.2.2). */
    {"00 82810138 FFFF 83820002 0102 8483000001 B1 00",
     "820138 83020102 8401B1 8A0105",
     {.fid = 0x0102, .fdb = 0x38, .attributes_length = 3}},
    /* 128 bytes of attributes. */
    {"820138 83020102 8410 " SIXTEEN "01 8410 " SIXTEEN "02 8410 " SIXTEEN "03 8410 " SIXTEEN
     "04 8C03060000 A531 802F " SIXTEEN SIXTEEN SIXTEEN "0102",
     "820138 83020102 8410 " SIXTEEN "01 8410 " SIXTEEN "02 8410 " SIXTEEN "03 8410 " SIXTEEN
     "04 8A0105 8C03060000 A531 802F " SIXTEEN SIXTEEN SIXTEEN "0102",
     {.fid = 0x0102, .fdb = 0x38, .attributes_length = 128}},
};

static void check_info(const struct cos_file_info *info, const struct cos_file_info *wanted)
{
    assert_int_equal(info->fid, wanted->fid);
    assert_int_equal(info->parent, COS_FILE_MF);
    assert_int_equal(info->fdb, wanted->fdb);
    assert_int_equal(info->dcb, wanted->dcb);
    assert_int_equal(info->sfi, wanted->sfi);
    assert_int_equal(info->life_cycle_status, wanted->life_cycle_status != 0
                                                  ? wanted->life_cycle_status
                                                  : COS_LCS_ACTIVATED);
    assert_int_equal(info->vault, 0);
    assert_int_equal(info->source, wanted->source);
    assert_int_equal(info->attributes_length, wanted->attributes_length);
    assert_int_equal(info->record_size, wanted->record_size);
    assert_int_equal(info->record_count, wanted->record_count);
    assert_int_equal(info->size, wanted->size);
}

/* The last object of A5 is found, up to the full 128 bytes. */
static void check_attributes(const struct fs_rig *rig, const struct cos_file_info *info)
{
    uint8_t attributes[COS_FS_ATTRIBUTES_MAX];
    struct cos_span found;

    if (info->attributes_length == COS_FS_ATTRIBUTES_MAX) {
        assert_int_equal(cos_fs_attribute(&rig->fs, info, 0xA5, attributes, &found), COS_OK);
        assert_ptr_equal(found.data + found.length, attributes + sizeof attributes);
    }
}

static void good_templates_are_taken_and_answered(void **state)
{
    for (size_t i = 0; i < COUNT(goods); i++) {
        struct cos_file_info info;
        uint8_t answer[256];
        void *fresh = NULL;
        struct card *card;
        cos_file file;

        (void)state;
        set_up(&fresh);
        card = fresh;
        file = fs_rig_make(&card->rig, COS_FILE_MF, goods[i].fcp);
        assert_int_equal(cos_fs_info(&card->rig.fs, file, &info), COS_OK);
        check_info(&info, &goods[i].info);
        check_attributes(&card->rig, &info);
        check_fcp(&card->rig, file, answer, fs_rig_hex(goods[i].answer, answer, sizeof answer));
        fs_check(&card->rig);
        tear_down(&fresh);
    }
}

/* Records that do not exist yet cannot be asked for: 82 with a number of none is refused. */
static bool has_no_records(const struct cos_file_info *info, const char *answer)
{
    return cos_file_has_records(info) && strstr(answer, "00 83020102") != NULL;
}

/* What is answered makes the same file again. */
static void answers_are_templates(void **state)
{
    for (size_t i = 0; i < COUNT(goods); i++) {
        uint8_t answer[256], *exact;
        struct cos_writer writer = cos_writer(answer, sizeof answer);
        void *one = NULL, *two = NULL;
        cos_file file;

        (void)state;
        set_up(&one);
        set_up(&two);
        file = fs_rig_make(&((struct card *)one)->rig, COS_FILE_MF, goods[i].fcp);
        const struct cos_file_info info = fs_rig_info(&((struct card *)one)->rig, file);
        assert_int_equal(cos_fs_write_fcp(&((struct card *)one)->rig.fs, &info, &writer), COS_OK);
        exact = malloc(writer.length);
        memcpy(exact, answer, writer.length);
        const bool none = has_no_records(&info, goods[i].answer);
        assert_int_equal(cos_fs_create(&((struct card *)two)->rig.fs, COS_FILE_MF,
                                       (struct cos_span){exact, writer.length}, &file),
                         none ? COS_E_DATA : COS_OK);
        if (!none) {
            check_fcp(&((struct card *)two)->rig, file, exact, writer.length);
        }
        free(exact);
        tear_down(&one);
        tear_down(&two);
    }
}

/* Mutated good templates: every call returns, what is taken can be answered, what is refused wrote
 * nothing. */
static void mutated_templates_never_harm(void **state)
{
    uint64_t seed = 0x5EED;
    unsigned taken = 0, refused = 0;

    (void)state;
    for (unsigned round = 0; round < 40; round++) {
        void *fresh = NULL;
        struct card *card;
        set_up(&fresh);
        card = fresh;
        for (unsigned i = 0; i < 400; i++) {
            const struct good *good = &goods[sim_below(&seed, COUNT(goods))];
            uint8_t bytes[256], *exact;
            size_t length = fs_rig_hex(good->fcp, bytes, sizeof bytes);
            cos_file file;
            bytes[sim_below(&seed, (uint32_t)length)] = (uint8_t)sim_random(&seed);
            bytes[sim_below(&seed, (uint32_t)length)] ^= (uint8_t)(1U << sim_below(&seed, 8));
            if (sim_below(&seed, 4) == 0) {
                length = sim_below(&seed, (uint32_t)length) + 1;
            }
            exact = malloc(length);
            memcpy(exact, bytes, length);
            fs_rig_keep(&card->rig);
            const enum cos_result result =
                cos_fs_create(&card->rig.fs, COS_FILE_MF, (struct cos_span){exact, length}, &file);
            free(exact);
            if (result == COS_OK) {
                struct cos_writer writer = cos_writer(bytes, sizeof bytes);
                const struct cos_file_info info = fs_rig_info(&card->rig, file);
                assert_int_equal(cos_fs_write_fcp(&card->rig.fs, &info, &writer), COS_OK);
                taken++;
            } else {
                assert_true(result == COS_E_DATA || result == COS_E_FUNCTION ||
                            result == COS_E_FILE_EXISTS || result == COS_E_NAME_EXISTS ||
                            result == COS_E_MEMORY_FULL || result == COS_E_CONDITIONS);
                fs_rig_check_kept(&card->rig);
                refused++;
            }
        }
        fs_check(&card->rig);
        tear_down(&fresh);
    }
    assert_true(taken > 100 && refused > 1000);
}

/* What would be created is told without being created. */
static void may_create_tells_what_create_does(void **state)
{
    struct card *card = *state;

    (void)state;
    for (size_t i = 0; i < COUNT(goods); i++) {
        uint8_t bytes[256];
        const size_t length = fs_rig_hex(goods[i].fcp, bytes, sizeof bytes);
        struct cos_file_info info;
        fs_rig_keep(&card->rig);
        assert_int_equal(
            cos_fs_may_create(&card->rig.fs, COS_FILE_MF, (struct cos_span){bytes, length}, &info),
            COS_OK);
        check_info(&info, &goods[i].info);
        fs_rig_check_kept(&card->rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_templates_are_taken_and_answered),
        cmocka_unit_test(answers_are_templates),
        cmocka_unit_test(mutated_templates_never_harm),
        CARD_TEST(may_create_tells_what_create_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
