/* SPDX-License-Identifier: Apache-2.0
 *
 * FCP templates: what CREATE FILE takes, what SELECT answers.
 */
#include "fs_rig.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Each test has a card of its own: MF, EF 0101 with SFI 1, DF 4F00 named A000000001. */
struct card {
    struct fs_rig rig;
    cos_file df;
};

static int set_up(void **state)
{
    struct card *card = malloc(sizeof *card);

    fs_rig_open(&card->rig, 8000, 64);
    (void)fs_rig_make(&card->rig, COS_FILE_NONE, "820138 83023F00");
    (void)fs_rig_make(&card->rig, COS_FILE_MF, "820101 83020101 80020010 880108");
    card->df = fs_rig_make(&card->rig, COS_FILE_MF, "820138 83024F00 8405A000000001");
    *state = card;
    return 0;
}

static int tear_down(void **state)
{
    struct card *card = *state;

    fs_rig_close(&card->rig);
    free(card);
    return 0;
}

static void check_fcp(struct fs_rig *rig, cos_file file, const uint8_t *wanted, size_t length)
{
    uint8_t bytes[256];
    struct cos_writer writer = cos_writer(bytes, sizeof bytes);

    assert_int_equal(cos_fs_write_fcp(&rig->fs, file, &writer), COS_OK);
    assert_int_equal(writer.length, length);
    assert_memory_equal(bytes, wanted, length);
    /* No byte less will do, and a byte less never overflows. */
    for (size_t room = 0; room < length; room++) {
        uint8_t *exact = malloc(room + 1);
        writer = cos_writer(exact, room);
        assert_int_equal(cos_fs_write_fcp(&rig->fs, file, &writer), COS_E_END_OF_DATA);
        free(exact);
    }
}

/* Good templates, the file's entry, and what SELECT answers. */
struct good {
    const char *fcp, *answer;
    struct cos_file_info info;
};

static const struct good goods[] = {
    {"820101 83020102 80020010",
     "80020010 820101 83020102 8A0105 8800",
     {.fid = 0x0102, .fdb = 0x01, .size = 16}},
    {"82020121 83020102 80020010",
     "80020010 82020121 83020102 8A0105 8800",
     {.fid = 0x0102, .fdb = 0x01, .dcb = 0x21, .size = 16}},
    {"820141 83020102 800107",
     "80020007 820141 83020102 8A0105 8800",
     {.fid = 0x0102, .fdb = 0x41, .size = 7}},
    {"83020102 81020010 820101",
     "80020010 820101 83020102 8A0105 8800", /* 81, other order */
     {.fid = 0x0102, .fdb = 0x01, .size = 16}},
    {"820101 83020102 810110",
     "80020010 820101 83020102 8A0105 8800",
     {.fid = 0x0102, .fdb = 0x01, .size = 16}},
    {"820138 83020102 8403800177 A503800177", /* an A5 that looks like a name */
     "820138 83020102 8403800177 8A0105 A503800177",
     {.fid = 0x0102, .fdb = 0x38, .attributes_length = 10}},
    {"820138 83020102 8401B0 8402B0B1 8401B1",
     "820138 83020102 8401B0 8402B0B1 8401B1 8A0105",
     {.fid = 0x0102, .fdb = 0x38, .attributes_length = 10}},
    {"820101 83020102 800400000FFF",
     "80020FFF 820101 83020102 8A0105 8800",
     {.fid = 0x0102, .fdb = 0x01, .size = 0x0FFF}},
    {"8205022100140583020102",
     "80020064 82050221001405 83020102 8A0105 8800",
     {.fid = 0x0102, .fdb = 0x02, .dcb = 0x21, .record_size = 20, .record_count = 5, .size = 100}},
    {"82050221001405 83020102 80020064",
     "80020064 82050221001405 83020102 8A0105 8800",
     {.fid = 0x0102, .fdb = 0x02, .dcb = 0x21, .record_size = 20, .record_count = 5, .size = 100}},
    {"8206422100140005 83020102 8800",
     "80020064 82054221001405 83020102 8A0105 8800",
     {.fid = 0x0102, .fdb = 0x42, .dcb = 0x21, .record_size = 20, .record_count = 5, .size = 100}},
    {"820402210014 83020102 80020064",
     "80020064 82050221001405 83020102 8A0105 8800",
     {.fid = 0x0102, .fdb = 0x02, .dcb = 0x21, .record_size = 20, .record_count = 5, .size = 100}},
    {"8203022114 83020102 80020064",
     "80020064 82050221001405 83020102 8A0105 8800",
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
    {"820101 83020102 80020010 850101 8C0201FF 8A0101",
     "80020010 820101 83020102 850101 8A0105 8C0201FF 8800",
     {.fid = 0x0102,
      .fdb = 0x01,
      .size = 16,
      .source = COS_FS_SOURCE_PRODUCTION,
      .attributes_length = 7}},
    {"A503800177 8C0201FF 850100 820101 83020102 80020010 8A0103 880110", /* order of the answer */
     "80020010 820101 83020102 850100 8A0105 8C0201FF 880110 A503800177",
     {.fid = 0x0102, .fdb = 0x01, .size = 16, .sfi = 2, .attributes_length = 12}},
    {"820138 83020102", "820138 83020102 8A0105", {.fid = 0x0102, .fdb = 0x38}},
    {"82027821 83020102 8A0107",
     "82027821 83020102 8A0105",
     {.fid = 0x0102, .fdb = 0x78, .dcb = 0x21}},
    {"820138 83020102 8405A000000002 8C03060000 8401B0", /* several names */
     "820138 83020102 8405A000000002 8401B0 8A0105 8C03060000",
     {.fid = 0x0102, .fdb = 0x38, .attributes_length = 15}},
    {"820138 83020102 8404A0000000",
     "820138 83020102 8404A0000000 8A0105", /* begins another's */
     {.fid = 0x0102, .fdb = 0x38, .attributes_length = 6}},
    {"820138 83020102 A500",
     "820138 83020102 8A0105 A500",
     {.fid = 0x0102, .fdb = 0x38, .attributes_length = 2}},
    /* Longer length fields, and padding between the objects (5.2.2). */
    {"00 82810138 FFFF 83820002 0102 8483000001 B1 00",
     "820138 83020102 8401B1 8A0105",
     {.fid = 0x0102, .fdb = 0x38, .attributes_length = 3}},
    /* 64 bytes of attributes. */
    {"820138 83020102 8410 00112233445566778899AABBCCDDEEFF 8410 10112233445566778899AABBCCDDEEFF "
     "8410 20112233445566778899AABBCCDDEEFF 8C03060000 A503800102",
     "820138 83020102 8410 00112233445566778899AABBCCDDEEFF 8410 10112233445566778899AABBCCDDEEFF "
     "8410 20112233445566778899AABBCCDDEEFF 8A0105 8C03060000 A503800102",
     {.fid = 0x0102, .fdb = 0x38, .attributes_length = 64}},
};

static void check_info(const struct cos_file_info *info, const struct cos_file_info *wanted)
{
    assert_int_equal(info->fid, wanted->fid);
    assert_int_equal(info->parent, COS_FILE_MF);
    assert_int_equal(info->fdb, wanted->fdb);
    assert_int_equal(info->dcb, wanted->dcb);
    assert_int_equal(info->sfi, wanted->sfi);
    assert_int_equal(info->life_cycle_status, COS_LCS_ACTIVATED);
    assert_int_equal(info->source, wanted->source);
    assert_int_equal(info->attributes_length, wanted->attributes_length);
    assert_int_equal(info->record_size, wanted->record_size);
    assert_int_equal(info->record_count, wanted->record_count);
    assert_int_equal(info->size, wanted->size);
}

/* The last object of A5 is found, up to the full 64 bytes. */
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
        assert_int_equal(file, 3);
        assert_int_equal(cos_fs_info(&card->rig.fs, file, &info), COS_OK);
        check_info(&info, &goods[i].info);
        check_attributes(&card->rig, &info);
        check_fcp(&card->rig, file, answer, fs_rig_hex(goods[i].answer, answer, sizeof answer));
        tear_down(&fresh);
    }
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
        assert_int_equal(cos_fs_write_fcp(&((struct card *)one)->rig.fs, file, &writer), COS_OK);
        exact = malloc(writer.length);
        memcpy(exact, answer, writer.length);
        assert_int_equal(cos_fs_create(&((struct card *)two)->rig.fs, COS_FILE_MF,
                                       (struct cos_span){exact, writer.length}, &file),
                         COS_OK);
        check_fcp(&((struct card *)two)->rig, file, exact, writer.length);
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
                assert_int_equal(cos_fs_write_fcp(&card->rig.fs, file, &writer), COS_OK);
                taken++;
            } else {
                assert_true(result == COS_E_DATA || result == COS_E_FUNCTION ||
                            result == COS_E_FILE_EXISTS || result == COS_E_NAME_EXISTS ||
                            result == COS_E_MEMORY_FULL);
                fs_rig_check_kept(&card->rig);
                refused++;
            }
        }
        tear_down(&fresh);
    }
    assert_true(taken > 100 && refused > 1000);
}

/* ---- The published examples ---- */

/* An APDU's data field without the template's tag and length. */
static const char *value_of_template(struct cos_span apdu, size_t skip, char hex[256])
{
    assert_int_equal(apdu.data[skip], 0x62);
    assert_int_equal(apdu.data[skip + 1], apdu.length - skip - 2);
    hex[0] = '\0';
    for (size_t i = skip + 2; i < apdu.length; i++) {
        snprintf(hex + strlen(hex), 3, "%02X", apdu.data[i]);
    }
    return hex;
}

static void published_create_commands_are_taken(void **state)
{
    static const struct {
        const char *key, *answer;
    } cases[] = {
        {"create_transparent", "80020010 82020121 83020101 8A0105 8C03039000 880108"},
        {"create_linear_fixed", "80020064 82050221001405 83020102 8A0105 8800"},
        {"create_df", "820138 83024F00 8405F276A288BC 8A0105"},
    };
    struct vectors *vectors = vectors_open("iso7816-4-fcp.txt");
    const struct vector_section *section = vectors_section(vectors, "CREATE FILE examples");
    struct fs_rig *rig = malloc(sizeof *rig);

    (void)state;
    fs_rig_open(rig, 2000, 8);
    (void)fs_rig_make(rig, COS_FILE_MF, "820138 83023F00");
    for (size_t i = 0; i < COUNT(cases); i++) {
        char hex[256];
        uint8_t answer[64];
        const struct cos_span apdu = vector_bytes(section, "%s", cases[i].key);
        const cos_file file = fs_rig_make(rig, COS_FILE_MF, value_of_template(apdu, 5, hex));
        check_fcp(rig, file, answer, fs_rig_hex(cases[i].answer, answer, sizeof answer));
    }
    fs_rig_close(rig);
    free(rig);
    vectors_close(vectors);
}

/* Real files of other cards: refused for what this version does not have, never taken by half. */
static void published_templates_of_other_cards_are_refused(void **state)
{
    static const struct {
        const char *section;
        enum cos_result result;
    } cases[] = {
        {"MF (UICC)", COS_E_DATA},           /* 8B */
        {"ADF USIM", COS_E_DATA},            /* 8B */
        {"EF transparent IMSI", COS_E_DATA}, /* 8B */
        {"EF linear fixed ECC", COS_E_DATA}, /* 8B */
        {"EF cyclic", COS_E_FUNCTION},
    };
    struct card *card = *state;
    struct vectors *vectors = vectors_open("iso7816-4-fcp.txt");

    fs_rig_keep(&card->rig);
    for (size_t i = 0; i < COUNT(cases); i++) {
        char hex[256];
        cos_file file;
        const struct vector_section *section = vectors_section(vectors, cases[i].section);
        const char *fcp = value_of_template(vector_bytes(section, "fcp"), 0, hex);
        assert_int_equal(fs_rig_create(&card->rig, COS_FILE_MF, fcp, &file), cases[i].result);
    }
    fs_rig_check_kept(&card->rig);
    vectors_close(vectors);
}

/* SFI bytes of the vectors: number in b8 to b4, or none. */
static void published_sfi_bytes_are_read(void **state)
{
    struct card *card = *state;
    struct vectors *vectors = vectors_open("iso7816-4-fcp.txt");
    const struct vector_section *section = vectors_section(vectors, "SFI byte (tag 88)");
    static const char *const keys[] = {"do0", "do1", "do2", "do3", "do_no_sfi"};
    static const uint64_t none = 0;

    for (size_t i = 0; i < COUNT(keys); i++) {
        struct cos_file_info info;
        char fcp[64];
        const struct cos_span object = vector_bytes(section, "%s", keys[i]);
        const uint64_t sfi = i == 4 ? none : vector_number(section, "sfi%zu_n", i);
        snprintf(fcp, sizeof fcp, "820101 830202%02X 800101", (unsigned)i);
        for (size_t k = 0; k < object.length; k++) {
            snprintf(fcp + strlen(fcp), 3, "%02X", object.data[k]);
        }
        const cos_file file = fs_rig_make(&card->rig, card->df, fcp);
        assert_int_equal(cos_fs_info(&card->rig.fs, file, &info), COS_OK);
        assert_int_equal(info.sfi, sfi);
    }
    vectors_close(vectors);
}

/* Without 88 there is no SFI, whatever the FID ends with; and 8800 says so. */
static void no_sfi_comes_from_the_fid(void **state)
{
    struct card *card = *state;
    cos_file file;

    (void)fs_rig_make(&card->rig, card->df, "820101 83020105 800101");
    assert_int_equal(cos_fs_find_sfi(&card->rig.fs, card->df, 5, &file), COS_E_FILE_NOT_FOUND);
}

#define CARD_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_templates_are_taken_and_answered),
        cmocka_unit_test(answers_are_templates),
        cmocka_unit_test(mutated_templates_never_harm),
        cmocka_unit_test(published_create_commands_are_taken),
        CARD_TEST(published_templates_of_other_cards_are_refused),
        CARD_TEST(published_sfi_bytes_are_read),
        CARD_TEST(no_sfi_comes_from_the_fid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
