/* SPDX-License-Identifier: Apache-2.0
 *
 * SEARCH RECORD (ISO/IEC 7816-4:2013, 11.3.7): simple and enhanced, and what it does to the record
 * pointer.
 *
 * In DF 5100: 5120 (SFI 16) linear fixed, 8 bytes, room for 4; 5123 (19) linear variable TLV; 5128
 * (24) transparent, which all may read, update and write; 512B (27) linear fixed, read never.
 */
#include "card_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define FREE "8C0407000000"

static int make_files(void **state)
{
    static const char *const files[] = {
        "82030241 08 83025120 80020020 880180 " FREE,
        "8205054100 14 06 83025123 80020040 880198 " FREE,
        "820101 83025128 80020010 8801C0 " FREE,
        "82050221000201 8302512B 8801D8 8C04070000FF",
    };

    card_make(state);
    bench_create_files(*state, BENCH_APPLICATION, files, CARD_COUNT(files));
    bench_select(*state);
    return 0;
}

static void search_answers_numbers(void **state)
{
    static const struct card_row rows[] = {
        {"1", "00E20080 08 4142434445464748", 0x9000, NULL, 0},
        {"2", "00E20000 08 4343434343434343", 0x9000, NULL, 0},
        {"3", "00E20000 08 0000000000004142", 0x9000, NULL, 0},
        {"4", "00E20000 08 4241424142414241", 0x9000, NULL, 0},
        {"4142 upwards from 1", "00A20104 02 4142 00", 0x9000, "010304", CARD_KEEPS},
        {"the first match is current", "00B2000400", 0x9000, "4142434445464748", CARD_KEEPS},
        {"upwards from 2", "00A20204 02 4142 00", 0x9000, "0304", CARD_KEEPS},
        {"is current", "00B2000400", 0x9000, "0000000000004142", CARD_KEEPS},
        {"downwards from 4", "00A20405 02 4142 00", 0x9000, "040301", CARD_KEEPS},
        {"is current", "00B2000400", 0x9000, "4241424142414241", CARD_KEEPS},
        {"downwards from 2", "00A20205 02 4142 00", 0x9000, "01", CARD_KEEPS},
        {"no Le", "00A20104 02 4142", 0x9000, "010304", CARD_KEEPS},
        {"from the current", "00A20004 02 4142 00", 0x9000, "010304", CARD_KEEPS},
        {"whole record", "00A20104 08 4343434343434343 00", 0x9000, "02", CARD_KEEPS},
        {"no match", "00A20104 02 4545 00", 0x6282, NULL, 0},
        {"the pointer stays", "00B2000400", 0x9000, "4343434343434343", CARD_KEEPS},
        {"not over the end of a record", "00A20104 02 4843 00", 0x6282, NULL, 0},
        {"longer than a record", "00A20104 09 434343434343434343 00", 0x6700, NULL, 0},
        {"record 5", "00A20504 02 4142 00", 0x6A83, NULL, 0},
        {"record FF", "00A2FF04 02 4142 00", 0x6A86, NULL, 0},
        {"mode 7", "00A20107 02 4142 00", 0x6A86, NULL, 0},
        {"no string", "00A20104", 0x6700, NULL, 0},
        {"SFI 31", "00A201FC 02 4142 00", 0x6A86, NULL, 0},
        {"SFI 30", "00A201F4 02 4142 00", 0x6A82, NULL, 0},
        {"a transparent EF", "00A201C4 02 4142 00", 0x6981, NULL, 0},
        {"the rule", "00A201DC 02 4142 00", 0x6982, NULL, 0},
        {"first of all", "00A20000 02 4142 00", 0x9000, "010304", CARD_KEEPS},
        {"next of all: behind 1", "00A20002 02 4142 00", 0x9000, "0304", CARD_KEEPS},
        {"previous: before 3", "00A20003 02 4142 00", 0x9000, "01", CARD_KEEPS},
        {"last of all", "00A20001 02 4142 00", 0x9000, "040301", CARD_KEEPS},
        {"by an identifier that none has", "00A24100 02 4142 00", 0x6A83, NULL, 0},
        {"undefined after SFI", "00A20084 02 4142 00", 0x6A83, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

static void search_in_the_records_of_an_identifier(void **state)
{
    static const struct card_row rows[] = {
        {"1", "00E20098 04 A1021122", 0x9000, NULL, 0},
        {"2", "00E20000 03 B20111", 0x9000, NULL, 0},
        {"3", "00E20000 05 A103113311", 0x9000, NULL, 0},
        {"4", "00E20000 02 A100", 0x9000, NULL, 0},
        {"5", "00E20000 03 A10144", 0x9000, NULL, 0},
        {"11 in A1", "00A2A100 01 11 00", 0x9000, "0103", CARD_KEEPS},
        {"11 in A1 from the last", "00A2A101 01 11 00", 0x9000, "0301", CARD_KEEPS},
        {"is current", "00B2000400", 0x9000, "A103113311", CARD_KEEPS},
        {"11 in the next A1", "00A2A102 01 11 00", 0x6282, NULL, 0},
        {"44 in the next A1", "00A2A102 01 44 00", 0x9000, "05", CARD_KEEPS},
        {"11 in the previous A1", "00A2A103 01 11 00", 0x9000, "0301", CARD_KEEPS},
        {"11 in B2", "00A2B200 01 11 00", 0x9000, "02", CARD_KEEPS},
        {"22 in B2", "00A2B200 01 22 00", 0x6282, NULL, 0},
        {"in nobody", "00A2C300 01 22 00", 0x6A83, NULL, 0},
        {"11 in all", "00A20104 01 11 00", 0x9000, "010203", CARD_KEEPS},
    };
    BENCH_ROWS(*state, rows);
}

static void enhanced_search(void **state)
{
    static const struct card_row rows[] = {
        {"1", "00E20080 08 4142434445464748", 0x9000, NULL, 0},
        {"2", "00E20000 08 4748414243444546", 0x9000, NULL, 0},
        {"3", "00E20000 08 4141424100004243", 0x9000, NULL, 0},
        {"from offset 0", "00A20106 04 0400 4142 00", 0x9000, "010203", CARD_KEEPS},
        {"from offset 1", "00A20106 04 0401 4142 00", 0x9000, "0203", CARD_KEEPS},
        {"from offset 2", "00A20106 04 0402 4142 00", 0x9000, "02", CARD_KEEPS},
        {"from offset 8", "00A20106 03 0408 41 00", 0x6282, NULL, 0},
        {"from offset FF", "00A20106 03 04FF 41 00", 0x6282, NULL, 0},
        {"downwards from 2", "00A20206 04 0500 4142 00", 0x9000, "0201", CARD_KEEPS},
        {"2 is current; from the next", "00A20006 04 0600 4142 00", 0x9000, "03", CARD_KEEPS},
        {"from the previous", "00A20006 04 0700 4142 00", 0x9000, "0201", CARD_KEEPS},
        {"from the current one", "00A20006 04 0400 4243 00", 0x9000, "0203", CARD_KEEPS},
        {"behind the first 42", "00A20106 03 0C42 43 00", 0x9000, "010203", CARD_KEEPS},
        {"behind the first 48", "00A20106 03 0C48 41 00", 0x9000, "02", CARD_KEEPS},
        {"behind the first 41, downwards from 3", "00A20306 04 0D41 4142 00", 0x9000, "03",
         CARD_KEEPS},
        {"behind what is not there", "00A20106 03 0C99 41 00", 0x6282, NULL, 0},
        {"no string", "00A20106 02 0400 00", 0x6700, NULL, 0},
        {"nothing but the indication", "00A20106 01 04 00", 0x6700, NULL, 0},
        {"longer than a record", "00A20106 0B 0400 414243444546474849 00", 0x6700, NULL, 0},
        {"way 0", "00A20106 03 0000 41 00", 0x6A80, NULL, 0},
        {"way 3", "00A20106 03 0300 41 00", 0x6A80, NULL, 0},
        {"b5 of the indication", "00A20106 03 1400 41 00", 0x6A80, NULL, 0},
        {"b8 of the indication", "00A20106 03 8400 41 00", 0x6A80, NULL, 0},
        {"record 4", "00A20406 03 0400 41 00", 0x6A83, NULL, 0},
    };
    BENCH_ROWS(*state, rows);
}

#define FILES_TEST(function) cmocka_unit_test_setup_teardown(function, make_files, card_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILES_TEST(search_answers_numbers),
        FILES_TEST(search_in_the_records_of_an_identifier),
        FILES_TEST(enhanced_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
