/* SPDX-License-Identifier: Apache-2.0
 *
 * What commands on files cost: page programs, erases, marks and bytes programmed by the command and
 * the settling behind it, and, when run under callgrind, instructions of the command itself. One
 * run is one card of 256 KiB with a number of files; tests/bench/bench_fs.py makes the table.
 *
 *   bench_fs FILES     a line a command: name, parameter, status word, and the counts
 */
#include "bench.h"

#include "twinctl/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <valgrind/callgrind.h>

static const struct bench_sizes large = {
    .app = {262144, 512, 64, 8, 0xFF, 100000},
    .secure = {32768, 512, 64, 8, 0xFF, 100000},
    .page_size = 512,
    .app_pages = 509,
    .secure_pages = 63,
    .reserve = 16,
    .files = 1150,
    .names = 60,
    .objects = 48,
};

enum { IN_A_DF = 24, TARGETS = 9 };

static struct bench card;

static void must(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "bench_fs: %s: %04X\n", what, card.sw);
        exit(1);
    }
}

static void good(const char *apdu)
{
    must(bench_hex(&card, apdu) == 0x9000, apdu);
}

/* ---- The card ---- */

/* Everybody may do everything: what is measured is the file system and not the gate. */
#define DF_RULE "8C087F00000000000000"
#define EF_RULE "8C075F000000000000"

/* CREATE FILE from the value of an FCP template. */
static const char *create(const char *fcp)
{
    static char apdu[160];
    const unsigned length = (unsigned)strlen(fcp) / 2;

    snprintf(apdu, sizeof apdu, "00E00000%02X62%02X%s", length + 2, length, fcp);
    return apdu;
}

static void make_targets(void)
{
    static const char *const files[TARGETS - 1] = {
        "820201218302BE0180020010880108" EF_RULE,       "820201218302BE0280020100880110" EF_RULE,
        "820201218302BE0380021000880118" EF_RULE,       "820201218302BE0480028000880120" EF_RULE,
        "8205022100200A8302BE05880128" EF_RULE,         "8205062100200A8302BE06880130" EF_RULE,
        "8205042100400A8302BE0780020200880138" EF_RULE, "820239218302BE0880020400880140" EF_RULE,
    };

    must(bench_sm_open(&card, 0x01, 0x03) == 0x9000, "session");
    must(bench_sm_hex(&card, "00A40000023F00") == 0x9000, "MF");
    must(bench_sm_hex(&card, create("820238218302BE008409F05457494E434FBE00" DF_RULE)) == 0x9000,
         "DF of the targets");
    for (size_t i = 0; i < TARGETS - 1; i++) {
        good("00A4040C09F05457494E434FBE00");
        good(create(files[i]));
    }
}

/* The others: EFs of 16 bytes, 24 in a DF, below BE00. An EF that was created leaves its DF
 * current. */
static void fill_up(unsigned files)
{
    char fcp[128];

    for (unsigned i = 0; i < files; i++) {
        const unsigned df = i / (IN_A_DF + 1), ef = i % (IN_A_DF + 1);
        if (ef == 0) {
            good("00A4040C09F05457494E434FBE00");
            snprintf(fcp, sizeof fcp, "820238218302%04X" DF_RULE, 0xB000 + df);
        } else {
            snprintf(fcp, sizeof fcp, "820201218302%04X80020010" EF_RULE, 0x0100 + ef);
        }
        good(create(fcp));
    }
}

/* ---- Measuring ---- */

static void measure(const char *name, const char *parameter, const char *text)
{
    uint8_t command[BENCH_APDU_MAX], response[BENCH_RESPONSE + 2];
    char title[96];
    size_t length;

    must(hex_read(text, command, sizeof command, &length), text);
    cos_app_settle(&card.app);
    const struct sim_counts before = card.app_nvm.counts;
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;
    const size_t got = cos_app_command(&card.app, command, length, response, sizeof response);
    snprintf(title, sizeof title, "%s|%s", name, parameter);
    CALLGRIND_DUMP_STATS_AT(title);
    CALLGRIND_STOP_INSTRUMENTATION;
    cos_app_settle(&card.app);
    const struct sim_counts *now = &card.app_nvm.counts;
    printf("%s|%s|%04X|%llu|%llu|%llu|%llu\n", name, parameter, cos_get16(response + got - 2),
           (unsigned long long)(now->page_programs - before.page_programs),
           (unsigned long long)(now->erases - before.erases),
           (unsigned long long)(now->marks - before.marks),
           (unsigned long long)(now->bytes - before.bytes));
}

static void measure_mount(void)
{
    static uint16_t map[BENCH_PAGES_MAX];
    struct cos_store_config config = card.app.config.store;
    struct cos_store store;
    struct cos_fs fs;

    config.map = map;
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;
    enum cos_result result = cos_store_mount(&store, &card.app_nvm.nvm, &config);
    CALLGRIND_DUMP_STATS_AT("mount of the store|");
    CALLGRIND_ZERO_STATS;
    if (result == COS_OK) {
        result = cos_fs_mount(&fs, &store, &card.app.fs.config);
    }
    CALLGRIND_DUMP_STATS_AT("mount of the files|");
    CALLGRIND_STOP_INSTRUMENTATION;
    printf("mount of the store||%d|0|0|0|0\nmount of the files||%d|0|0|0|0\n", (int)result,
           (int)result);
}

static void measure_all(void)
{
    static const struct {
        const char *name, *parameter, *apdu;
    } commands[] = {
        {"SELECT", "DF name", "00A40400 09 F05457494E434FBE00 00"},
        {"SELECT", "EF by FID", "00A40200 02 BE01 00"},
        {"SELECT", "path from MF", "00A40800 04 BE00BE01 00"},
        {"READ BINARY", "16 of 16 bytes", "00B08100 10"},
        {"READ BINARY", "200 of 256 bytes", "00B08200 C8"},
        {"READ BINARY", "200 of 4 KiB", "00B08300 C8"},
        {"READ BINARY", "200 of 32 KiB", "00B08400 C8"},
        {"READ RECORD", "32 bytes", "00B2012C 20"},
        {"UPDATE BINARY", "16 of 16 bytes", "00D68100 10 00112233445566778899AABBCCDDEEFF"},
        {"UPDATE BINARY", "16 of 4 KiB", "00D68300 10 00112233445566778899AABBCCDDEEFF"},
        {"UPDATE BINARY", "16 of 32 KiB", "00D68400 10 00112233445566778899AABBCCDDEEFF"},
        {"WRITE BINARY", "4 of 16 bytes", "00D08100 04 0F0F0F0F"},
        {"UPDATE RECORD", "32 bytes",
         "00DC012C 20 000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"},
        {"APPEND RECORD", "cyclic, 32 bytes",
         "00E20030 20 000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"},
        {"APPEND RECORD", "variable, 16 bytes", "00E20038 10 00112233445566778899AABBCCDDEEFF"},
        {"UPDATE RECORD", "variable, 16 to 24 bytes",
         "00DC013C 18 00112233445566778899AABBCCDDEEFF0011223344556677"},
        {"SEARCH RECORD", "in 10 of 32 bytes", "00A2012C 02 1E1F 00"},
        {"PUT DATA", "new, 16 bytes", "00DB0008 13 5F5110 00112233445566778899AABBCCDDEEFF"},
        {"PUT DATA", "again, 16 bytes", "00DB0008 13 5F5110 10112233445566778899AABBCCDDEEFF"},
        {"GET DATA", "16 bytes", "00CB0008 04 5C025F51 00"},
        {"ERASE BINARY", "4 KiB", "000E8300"},
        {"CREATE FILE", "EF of 16 bytes", "00E00000 17 6215 82020121 8302BE10 80020010" EF_RULE},
        {"DELETE FILE", "EF of 16 bytes", "00E40000"},
        {"CREATE FILE", "EF of 4 KiB", "00E00000 17 6215 82020121 8302BE11 80021000" EF_RULE},
        {"DELETE FILE", "EF of 4 KiB", "00E40000"},
        {"CREATE FILE", "DF with a name",
         "00E00000 1F 621D 82023821 8302BE12 8409F05457494E434FBE12" DF_RULE},
        {"DELETE FILE", "DF with a name", "00E40000"},
        {"DEACTIVATE FILE", "EF", "00040200 02 BE01"},
        {"ACTIVATE FILE", "EF", "00440200 02 BE01"},
    };

    good("00A4040C 09 F05457494E434FBE00");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        measure(commands[i].name, commands[i].parameter, commands[i].apdu);
    }
    measure_mount();
}

int main(int argc, char **argv)
{
    const unsigned long files = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;

    if (files < TARGETS || files > 1000) {
        fprintf(stderr, "usage: bench_fs FILES   (%d to 1000)\n", TARGETS);
        return 2;
    }
    bench_init(&card, &large);
    must(bench_power_on(&card), "first start");
    must(bench_produce_to(&card, COS_LIFE_OPERATIONAL), "production");
    make_targets();
    fill_up((unsigned)files - TARGETS);
    measure_all();
    bench_free(&card);
    return 0;
}
