/* SPDX-License-Identifier: Apache-2.0
 *
 * FCP templates that CREATE FILE refuses: with the exact result, and without a byte written.
 */
#include "fcp_helpers.h"

/* Bad templates below the MF of the test's card, and the exact result. The image stays untouched.
 */
#define LINEAR "82050221001405 83020102 "
#define PLAIN  "820101 83020102 80020010 "
#define SEVENTY_SEVEN                                                                              \
    "0102030405060708090A0B 0102030405060708090A0B 0102030405060708090A0B 0102030405060708090A0B " \
    "0102030405060708090A0B 0102030405060708090A0B 0102030405060708090A0B"
#define A_DF "820138 83020102 "

static const struct bad {
    const char *fcp;
    enum cos_result result;
} bads[] = {
    /* Missing */
    {"", COS_E_DATA},
    {"0000FFFF", COS_E_DATA},
    {"820101 80020010", COS_E_DATA},
    {"83020102 80020010", COS_E_DATA},
    {"820101 83020102", COS_E_DATA},
    {"820138", COS_E_DATA},
    /* Twice */
    {PLAIN "820101", COS_E_DATA},
    {PLAIN "83020102", COS_E_DATA},
    {PLAIN "80020010", COS_E_DATA},
    {PLAIN "81020010", COS_E_DATA},
    {PLAIN "880110 880110", COS_E_DATA},
    {PLAIN "8A0105 8A0105", COS_E_DATA},
    {PLAIN "8C0201FF 8C0201FF", COS_E_DATA},
    {PLAIN "850100 850100", COS_E_DATA},
    {PLAIN "A500 A500", COS_E_DATA},
    /* Not BER-TLV */
    {"82", COS_E_DATA},
    {"8203", COS_E_DATA},
    {PLAIN "84", COS_E_DATA},
    {PLAIN "8A80", COS_E_DATA},
    {PLAIN "8A810105 8A840000000105", COS_E_DATA},
    {PLAIN "8A0205", COS_E_DATA},
    {PLAIN "9F", COS_E_DATA},
    /* Objects that this version does not know */
    {PLAIN "8600", COS_E_DATA},
    {PLAIN "860100", COS_E_DATA},
    {PLAIN "87020103", COS_E_DATA},
    {PLAIN "8D020103", COS_E_DATA}, /* of a DF */
    {PLAIN "8E0101", COS_E_DATA},
    {PLAIN "8F0100", COS_E_DATA},
    {PLAIN "A100", COS_E_DATA},
    {PLAIN "C60101", COS_E_DATA},
    {PLAIN "9F8201 0101", COS_E_DATA},
    {"620F 820101 83020102 80020010", COS_E_DATA},
    {"620B 820101 83020102 80020010", COS_E_DATA}, /* the template's own tag */
    /* 80 and 81 */
    {"820101 83020102 8000", COS_E_DATA},
    {"820101 83020102 8100", COS_E_DATA},
    {"820101 83020102 80050000000010", COS_E_DATA},
    {"820101 83020102 80020000", COS_E_DATA},
    {"820101 83020102 80028001", COS_E_DATA},
    {"820101 83020102 81028001", COS_E_DATA},
    {"820101 83020102 800400008001", COS_E_DATA},
    {"820101 83020102 80028001 850101", COS_E_DATA},
    {"820139 83020102 80028001", COS_E_DATA},
    {"820138 83020102 81028001", COS_E_DATA},
    {"820138 83020102 81020000", COS_E_DATA},
    {"820101 83020102 800400010010", COS_E_DATA},
    {"820101 83020102 8004FFFFFFFF", COS_E_DATA},
    {A_DF "80020010", COS_E_DATA},
    {A_DF "80020010 81020010", COS_E_DATA},
    {A_DF "8101", COS_E_DATA},
    /* 82: lengths, data unit, records */
    {"8200 83020102 80020010", COS_E_DATA},
    {"820702210014000500 83020102", COS_E_DATA},
    {"82020122 83020102 80020010", COS_E_DATA},
    {"82020100 83020102 80020010", COS_E_DATA},
    {"8203012110 83020102 80020010", COS_E_DATA},
    {"82050121001001 83020102 80020010", COS_E_DATA},
    {"82033821 10 83020102", COS_E_DATA},
    {"820102 83020102 80020064", COS_E_DATA},
    {"82020221 83020102 80020064", COS_E_DATA},
    {"82050221000005 83020102", COS_E_DATA},
    {"8203022100 83020102 80020064", COS_E_DATA},
    {"82050221001400 83020102", COS_E_DATA},
    {"8206022100140000 83020102", COS_E_DATA},
    {"82050221001400 83020102 80020064", COS_E_DATA},
    {"820502210001FF 83020102", COS_E_DATA},
    {"82060221000100FF 83020102", COS_E_DATA},
    {"8206022100010101 83020102", COS_E_DATA}, /* 257 records */
    {"82060221FFFFFFFF 83020102", COS_E_DATA},
    {"820602217FFF0002 83020102", COS_E_DATA},
    {LINEAR "80020063", COS_E_DATA},
    {LINEAR "80020065", COS_E_DATA},
    {LINEAR "80020050", COS_E_DATA}, /* room for four of five */
    {"82050221800002 83020102", COS_E_DATA},
    {"82050221800101 83020102", COS_E_DATA},
    {"8205062100140083020102", COS_E_DATA},
    {"82050621001405 83020102 80020063", COS_E_DATA},
    {"820406210014 83020102", COS_E_DATA},
    {"820306210A 83020102 80020A00", COS_E_DATA}, /* 256 records */
    {LINEAR "80020000", COS_E_DATA},
    {"820402210014 83020102", COS_E_DATA},
    {"820402210014 83020102 80020065", COS_E_DATA},
    {"820402210014 83020102 80020013", COS_E_DATA},
    {"820402210001 83020102 800200FF", COS_E_DATA},
    /* 82: structures */
    {"820100 83020102 80020010", COS_E_FUNCTION},
    {"820108 83020102 80020010", COS_E_FUNCTION},
    {"820109 83020102 80020010", COS_E_FUNCTION},
    {"82050A21001405 83020102", COS_E_FUNCTION},
    {"82051121001405 83020102", COS_E_FUNCTION},
    {"82013B 83020102 80020010", COS_E_FUNCTION},
    {"820130 83020102", COS_E_FUNCTION},
    {"820140 83020102 80020010", COS_E_FUNCTION},
    {"820181 83020102 80020010", COS_E_FUNCTION},
    {"8201B8 83020102", COS_E_FUNCTION},
    {"8201FF 83020102", COS_E_FUNCTION},
    /* 82: variable records, BER-TLV structure */
    {"820104 83020102 80020010", COS_E_DATA},
    {"82050421001405 83020102", COS_E_DATA},          /* no size */
    {"82050521001405 83020102 80020013", COS_E_DATA}, /* less than the longest */
    {"820604210014 00FF 83020102 80021000", COS_E_DATA},
    {"820604210014 0000 83020102 80021000", COS_E_DATA},
    {"820404210000 83020102 80020040", COS_E_DATA},
    {"820103 83020102 80020010", COS_E_DATA},
    {"820107 83020102 80020010", COS_E_DATA},
    {"820139 83020102", COS_E_DATA},
    {"82033921 10 83020102 80020010", COS_E_DATA},
    {"82053921001405 83020102 80020064", COS_E_DATA},
    {"82023920 83020102 80020010", COS_E_DATA},
    /* 83 */
    {"820101 8300 80020010", COS_E_DATA},
    {"820101 830101 80020010", COS_E_DATA},
    {"820101 8303010203 80020010", COS_E_DATA},
    {"820101 83020000 80020010", COS_E_DATA},
    {"820101 83023F00 80020010", COS_E_DATA},
    {"820101 83023FFF 80020010", COS_E_DATA},
    {"820101 8302FFFF 80020010", COS_E_DATA},
    {"820138 83023F00", COS_E_FILE_EXISTS},
    {"820138 83023FFF", COS_E_DATA},
    /* 84 */
    {PLAIN "8405A000000002", COS_E_DATA},
    {LINEAR "8405A000000002", COS_E_DATA},
    {A_DF "8400", COS_E_DATA},
    {A_DF "841100112233445566778899AABBCCDDEEFF00", COS_E_DATA},
    /* 85 */
    {PLAIN "8500", COS_E_DATA},
    {PLAIN "85020100", COS_E_DATA},
    {PLAIN "850102", COS_E_CONDITIONS}, /* the vault: in two steps */
    {LINEAR "850102", COS_E_CONDITIONS},
    {PLAIN "850104", COS_E_DATA},
    {"82050321001405 83020102 850102", COS_E_DATA},
    {"82050621001405 83020102 850102", COS_E_DATA},
    {"820404210014 83020102 80020064 850102", COS_E_DATA},
    {"820139 83020102 80020064 850102", COS_E_DATA},
    {"820139 83020102 80020064 850101", COS_E_DATA},
    {LINEAR "850103", COS_E_DATA},
    {A_DF "850102", COS_E_DATA},
    {PLAIN "8501FF", COS_E_DATA},
    {A_DF "850100", COS_E_DATA},
    {LINEAR "850101", COS_E_DATA},
    /* 88 */
    {PLAIN "880100", COS_E_DATA},
    {PLAIN "8801F8", COS_E_DATA},
    {PLAIN "880101", COS_E_DATA},
    {PLAIN "880114", COS_E_DATA},
    {PLAIN "88021010", COS_E_DATA},
    {A_DF "880110", COS_E_DATA},
    {A_DF "8800", COS_E_DATA},
    /* 8A */
    {PLAIN "8A00", COS_E_DATA},
    {PLAIN "8A020505", COS_E_DATA},
    {PLAIN "8A0100", COS_E_DATA},
    {PLAIN "8A0102", COS_E_DATA},
    {PLAIN "8A0108", COS_E_DATA},
    {PLAIN "8A010D", COS_E_DATA},
    {PLAIN "8A010C", COS_E_DATA},
    {PLAIN "8A010F", COS_E_DATA},
    {PLAIN "8A0185", COS_E_DATA},
    /* 8C: test_rule.c has more */
    {PLAIN "8C00", COS_E_DATA},
    {PLAIN "8C0101", COS_E_DATA},
    {PLAIN "8C020390", COS_E_DATA},
    {PLAIN "8C028100", COS_E_DATA},
    {PLAIN "8C02019F", COS_E_DATA},
    {PLAIN "8C0403800000 850101", COS_E_DATA},
    {A_DF "8C020600", COS_E_DATA},
    /* 8B, AB, A0, 8D */
    {PLAIN "8B00", COS_E_DATA},
    {PLAIN "8B022F06", COS_E_DATA},
    {PLAIN "8B052F06010203", COS_E_DATA},
    {PLAIN "8B072F060102030405", COS_E_DATA},
    {PLAIN "8B0101 8C0201FF", COS_E_DATA}, /* one rule of the three */
    {PLAIN "8B0101 8B0101", COS_E_DATA},
    {PLAIN "AB058001019000 8C0201FF", COS_E_DATA},
    {PLAIN "AB058001019000 8B0101", COS_E_DATA},
    {PLAIN "AB00", COS_E_DATA},
    {PLAIN "AB03800101", COS_E_DATA},
    {PLAIN "AB029000", COS_E_DATA},
    {PLAIN "A000", COS_E_DATA},
    {PLAIN "A0025C00", COS_E_DATA},
    {PLAIN "A004 8C0201FF", COS_E_DATA},
    {PLAIN "A006 5C00 8C020181", COS_E_DATA},
    {PLAIN "A005 5C00 8B0101", COS_E_DATA},
    {PLAIN "A006 5C00 8C0201FF A006 5C00 8C0201FF", COS_E_DATA},
    {A_DF "8D00", COS_E_DATA},
    {A_DF "8D0101", COS_E_DATA},
    {A_DF "8D03010203", COS_E_DATA},
    {A_DF "8D020103 8D020103", COS_E_DATA},
    /* A5 */
    {PLAIN "A50180", COS_E_DATA},
    {PLAIN "A503800200", COS_E_DATA},
    {PLAIN "A5021F00", COS_E_DATA},
    /* 129 bytes of attributes; a lot; a name too many */
    {A_DF "A57F 807D" SEVENTY_SEVEN "0102030405060708090A0B 0102030405060708090A0B"
          "0102030405060708090A0B 0102030405060708090A0B 01020304",
     COS_E_MEMORY_FULL},
    {A_DF "A5818B 808188" SEVENTY_SEVEN "0102030405060708090A0B 0102030405060708090A0B"
          "0102030405060708090A0B 0102030405060708090A0B 0102030405060708090A0B 01020304",
     COS_E_MEMORY_FULL},
    {A_DF "8401B0 8401B1 8401B2 8401B3 8401B4", COS_E_MEMORY_FULL},
    /* Taken: FID by an EF, by a DF, SFI, both; name, name twice in one template */
    {"820101 83020101 80020010", COS_E_FILE_EXISTS},
    {"820138 83020101", COS_E_FILE_EXISTS},
    {"820101 83024F00 80020010", COS_E_FILE_EXISTS},
    {PLAIN "880108", COS_E_FILE_EXISTS},
    {"82050221001405 83020101 880108", COS_E_FILE_EXISTS},
    {A_DF "8405A000000001", COS_E_NAME_EXISTS},
    {A_DF "8401B0 8405A000000001", COS_E_NAME_EXISTS},
    {A_DF "8401B0 8C03060000 8401B0", COS_E_NAME_EXISTS},
    {A_DF "8401B0 8401B1 8401B2 8401B3 8401B0", COS_E_NAME_EXISTS},
};

static void bad_templates_are_refused_and_write_nothing(void **state)
{
    struct card *card = *state;
    struct cos_file_info info;

    fs_rig_keep(&card->rig);
    for (size_t i = 0; i < COUNT(bads); i++) {
        cos_file file = 0x1234;
        const enum cos_result result = fs_rig_create(&card->rig, COS_FILE_MF, bads[i].fcp, &file);
        if (result != bads[i].result) {
            fail_msg("create \"%s\": %d instead of %d", bads[i].fcp, (int)result,
                     (int)bads[i].result);
        }
        assert_int_equal(file, 0x1234);
    }
    fs_rig_check_kept(&card->rig);
    uint32_t cursor = 0, files = 0;
    cos_file file;
    while (cos_fs_next(&card->rig.fs, &cursor, &file, &info) == COS_OK) {
        files++;
    }
    assert_int_equal(files, 3);
    printf("# %zu bad FCP templates refused, image unchanged\n", COUNT(bads));
}

/* Every template that is cut short, wherever that is inside an object. */
static void templates_cut_short_are_refused(void **state)
{
    struct card *card = *state;
    uint8_t whole[64];
    const size_t length =
        fs_rig_hex("83020102 82050221001405 88810110 8C03039000 A503800102", whole, sizeof whole);
    static const size_t borders[] = {4, 11, 15, 20, 25};

    fs_rig_keep(&card->rig);
    for (size_t cut = 0; cut < length; cut++) {
        uint8_t *exact = malloc(cut + 1);
        cos_file file;
        bool border = false;
        for (size_t i = 0; i < COUNT(borders); i++) {
            border = border || borders[i] == cut;
        }
        memcpy(exact, whole, cut);
        if (!border) {
            assert_int_equal(
                cos_fs_create(&card->rig.fs, COS_FILE_MF, (struct cos_span){exact, cut}, &file),
                COS_E_DATA);
        }
        free(exact);
    }
    fs_rig_check_kept(&card->rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bad_templates_are_refused_and_write_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(templates_cut_short_are_refused, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
