/* SPDX-License-Identifier: Apache-2.0
 *
 * Published FCP templates, and the short identifiers that templates give.
 */
#include "fcp_helpers.h"
#include "vectors.h"

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
        {"create_df", "820138 83024F00 8405F276A288BC 8A0101"},
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

/* Real files of other cards: taken as far as this version has everything that they ask for. */
static void published_templates_of_other_cards_are_judged(void **state)
{
    static const struct {
        const char *section;
        enum cos_result result;
    } cases[] = {
        {"MF (UICC)", COS_E_DATA}, /* C6: PIN status */
        {"ADF USIM", COS_E_DATA},  /* likewise */
        {"EF transparent IMSI", COS_OK}, {"EF linear fixed ECC", COS_OK}, {"EF cyclic", COS_OK},
    };
    struct card *card = *state;
    struct vectors *vectors = vectors_open("iso7816-4-fcp.txt");

    for (size_t i = 0; i < COUNT(cases); i++) {
        char hex[256];
        cos_file file;
        const struct vector_section *section = vectors_section(vectors, cases[i].section);
        const char *fcp = value_of_template(vector_bytes(section, "fcp"), 0, hex);
        fs_rig_keep(&card->rig);
        assert_int_equal(fs_rig_create(&card->rig, card->df, fcp, &file), cases[i].result);
        if (cases[i].result != COS_OK) {
            fs_rig_check_kept(&card->rig);
            continue;
        }
        const struct cos_file_info info = fs_rig_info(&card->rig, file);
        assert_int_equal(info.size, vector_number(section, "size_n"));
        assert_int_equal(info.sfi, vector_number(section, "sfi_n"));
        if (cos_file_has_records(&info)) {
            unsigned count;
            assert_int_equal(info.record_size, vector_number(section, "record_len_n"));
            assert_int_equal(cos_fs_record_count(&card->rig.fs, &info, &count), COS_OK);
            assert_int_equal(count, vector_number(section, "record_count_n"));
        }
    }
    fs_check(&card->rig);
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
        snprintf(fcp, sizeof fcp, "820101 830202%02X 800101", (unsigned)i + 0x20);
        for (size_t k = 0; k < object.length; k++) {
            snprintf(fcp + strlen(fcp), 3, "%02X", object.data[k]);
        }
        const cos_file file = fs_rig_make(&card->rig, card->df, fcp);
        assert_int_equal(cos_fs_info(&card->rig.fs, file, &info), COS_OK);
        assert_int_equal(info.sfi, sfi);
    }
    vectors_close(vectors);
}

/* 7.4.3: without 88 b5 to b1 of the FID, if that is 1 to 30; here also only if it is free. */
static void an_sfi_follows_from_the_fid(void **state)
{
    struct card *card = *state;

    for (unsigned fid = 0x2000; fid < 0x2060; fid++) {
        char fcp[64];
        const unsigned number = fid & 0x1F;
        const bool first = fid < 0x2020 && number != 0 && number != 31;
        cos_file found = COS_FILE_NONE, file;
        snprintf(fcp, sizeof fcp, "820101 8302%04X 800101", fid);
        if (fid >= 0x2040) { /* whose file was deleted meanwhile */
            assert_int_equal(
                cos_fs_find_child(&card->rig.fs, card->df, (uint16_t)(fid - 0x40), &found), COS_OK);
            assert_int_equal(cos_fs_delete(&card->rig.fs, found), COS_OK);
        }
        file = fs_rig_make(&card->rig, card->df, fcp);
        const bool wanted = first || (fid >= 0x2040 && number != 0 && number != 31);
        assert_int_equal(fs_rig_info(&card->rig, file).sfi, wanted ? number : 0);
        if (number != 0 && number != 31) {
            assert_int_equal(cos_fs_find_sfi(&card->rig.fs, card->df, (uint8_t)number, &found),
                             COS_OK);
            assert_true((found == file) == wanted);
        }
        if (fid >= 0x2020 && fid < 0x2040) {
            assert_int_equal(cos_fs_delete(&card->rig.fs, file), COS_OK);
        }
    }
    fs_check(&card->rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_create_commands_are_taken),
        CARD_TEST(published_templates_of_other_cards_are_judged),
        CARD_TEST(published_sfi_bytes_are_read),
        CARD_TEST(an_sfi_follows_from_the_fid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
