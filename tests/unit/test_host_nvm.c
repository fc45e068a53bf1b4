/* SPDX-License-Identifier: Apache-2.0
 *
 * The host port's memory in a file against the contract of cos/port.h, and the decorator that tears
 * its power.
 */
#include "nvm_cut.h"
#include "nvm_file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SIZE HOST_SECURE_NVM_SIZE

struct bench {
    char folder[32];
    char path[64];
    struct host_nvm_file file;
};

static void fill_file(const char *path, size_t size, int value)
{
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    for (size_t i = 0; i < size; i++) {
        fputc(value, out);
    }
    assert_int_equal(fclose(out), 0);
}

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    char message[160];
    strcpy(bench->folder, "/tmp/host-nvm-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    snprintf(bench->path, sizeof bench->path, "%s/nvm", bench->folder);
    fill_file(bench->path, SIZE, 0xFF);
    assert_true(host_nvm_open(&bench->file, bench->path, SIZE, message, sizeof message));
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    host_nvm_close(&bench->file);
    unlink(bench->path);
    rmdir(bench->folder);
    free(bench);
    return 0;
}

static const uint8_t *pattern(size_t length)
{
    static uint8_t bytes[512];
    for (size_t i = 0; i < length; i++) {
        bytes[i] = (uint8_t)(i * 7 + 1);
    }
    return bytes;
}

/* ---- The file ---- */

static void geometry_is_the_documented_one(void **state)
{
    const struct bench *bench = *state;
    const struct cos_nvm_geometry *g = &bench->file.nvm.geometry;
    assert_int_equal(g->size, SIZE);
    assert_int_equal(g->erase_unit, 256);
    assert_int_equal(g->tear_unit, 64);
    assert_int_equal(g->program_unit, 8);
    assert_int_equal(g->erased_value, 0xFF);
    assert_int_equal(HOST_APP_NVM_SIZE, 65536);
    assert_int_equal(HOST_SECURE_NVM_SIZE, 32768);
}

static void programs_are_judged_by_the_contract(void **state)
{
    static const struct {
        const char *what;
        uint32_t address;
        size_t length;
        enum cos_result expected;
    } rows[] = {
        {"one unit", 512, 8, COS_OK},
        {"a tear unit", 576, 64, COS_OK},
        {"the last unit", SIZE - 8, 8, COS_OK},
        {"nothing", 1024, 0, COS_E_NVM},
        {"address off the unit", 1028, 8, COS_E_NVM},
        {"length off the unit", 1024, 12, COS_E_NVM},
        {"over the border of a tear unit", 1024 + 56, 16, COS_E_NVM},
        {"more than a tear unit", 1024, 72, COS_E_NVM},
        {"behind the end", SIZE, 8, COS_E_NVM},
        {"far behind the end", 0xFFFFFFF8U, 8, COS_E_NVM},
        {"a unit that was programmed", 512, 8, COS_E_NVM},
        {"a run with a programmed unit in it", 512, 64, COS_E_NVM},
    };
    struct bench *bench = *state;
    const struct cos_nvm *nvm = &bench->file.nvm;
    uint8_t before[SIZE], after[SIZE];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(nvm->read(nvm->context, 0, before, SIZE), COS_OK);
        enum cos_result result =
            nvm->program(nvm->context, rows[i].address, pattern(128), rows[i].length);
        if (result != rows[i].expected) {
            fail_msg("%s: %d instead of %d", rows[i].what, result, rows[i].expected);
        }
        assert_int_equal(nvm->read(nvm->context, 0, after, SIZE), COS_OK);
        if (result == COS_OK) {
            memcpy(before + rows[i].address, pattern(128), rows[i].length);
        }
        assert_memory_equal(before, after, SIZE);
    }
}

static void erases_are_judged_by_the_contract(void **state)
{
    static const struct {
        uint32_t address;
        enum cos_result expected;
    } rows[] = {
        {256, COS_OK},  {SIZE - 256, COS_OK},   {SIZE, COS_E_NVM},        {64, COS_E_NVM},
        {1, COS_E_NVM}, {SIZE - 64, COS_E_NVM}, {0xFFFFFF00U, COS_E_NVM},
    };
    struct bench *bench = *state;
    const struct cos_nvm *nvm = &bench->file.nvm;
    uint8_t unit[256], erased[256];
    memset(erased, 0xFF, sizeof erased);
    assert_int_equal(nvm->program(nvm->context, 256 + 64, pattern(64), 64), COS_OK);
    assert_int_equal(nvm->program(nvm->context, 512, pattern(64), 64), COS_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(nvm->erase(nvm->context, rows[i].address), rows[i].expected);
    }
    assert_int_equal(nvm->read(nvm->context, 256, unit, sizeof unit), COS_OK);
    assert_memory_equal(unit, erased, sizeof unit);
    assert_int_equal(nvm->read(nvm->context, 512, unit, 64), COS_OK);
    assert_memory_equal(unit, pattern(64), 64);
    assert_int_equal(nvm->program(nvm->context, 256 + 64, pattern(64), 64), COS_OK);
}

static void reads_stay_inside(void **state)
{
    static const struct {
        uint32_t address;
        size_t length;
        enum cos_result expected;
    } rows[] = {
        {0, SIZE, COS_OK},        {SIZE, 0, COS_OK},        {3, 1, COS_OK},
        {SIZE, 1, COS_E_NVM},     {SIZE - 1, 2, COS_E_NVM}, {0xFFFFFFFFU, 1, COS_E_NVM},
        {0, SIZE + 1, COS_E_NVM}, {8, SIZE_MAX, COS_E_NVM},
    };
    struct bench *bench = *state;
    const struct cos_nvm *nvm = &bench->file.nvm;
    uint8_t bytes[SIZE];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(nvm->read(nvm->context, rows[i].address, bytes, rows[i].length),
                         rows[i].expected);
    }
}

static void what_was_done_outlives_a_killed_process(void **state)
{
    struct bench *bench = *state;
    const struct cos_nvm *nvm = &bench->file.nvm;
    uint8_t bytes[64];
    pid_t child = fork();
    if (child == 0) {
        nvm->program(nvm->context, 0, pattern(64), 64);
        raise(SIGKILL);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(nvm->read(nvm->context, 0, bytes, sizeof bytes), COS_OK);
    assert_memory_equal(bytes, pattern(64), 64);
}

static void wrong_files_are_refused_in_one_line(void **state)
{
    struct bench *bench = *state;
    char path[96], message[256], expected[256];
    struct host_nvm_file file;

    snprintf(path, sizeof path, "%s/none", bench->folder);
    assert_false(host_nvm_open(&file, path, SIZE, message, sizeof message));
    snprintf(expected, sizeof expected, "%s: No such file or directory", path);
    assert_string_equal(message, expected);

    assert_false(host_nvm_open(&file, bench->folder, SIZE, message, sizeof message));
    snprintf(expected, sizeof expected, "%s: Is a directory", bench->folder);
    assert_string_equal(message, expected);

    assert_false(host_nvm_open(&file, "/dev/null", SIZE, message, sizeof message));
    assert_string_equal(message, "/dev/null: not a regular file");

    static const size_t sizes[] = {0, SIZE - 1, SIZE + 1, SIZE * 2};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        fill_file(path, sizes[i], 0xFF);
        assert_false(host_nvm_open(&file, path, SIZE, message, sizeof message));
        snprintf(expected, sizeof expected, "%s: has %zu bytes, must have %u", path, sizes[i],
                 SIZE);
        assert_string_equal(message, expected);
    }
    unlink(path);
}

static void one_card_at_a_time(void **state)
{
    struct bench *bench = *state;
    char message[256], expected[256];
    struct host_nvm_file second;
    assert_false(host_nvm_open(&second, bench->path, SIZE, message, sizeof message));
    snprintf(expected, sizeof expected, "%s: in use by another program", bench->path);
    assert_string_equal(message, expected);
    host_nvm_close(&bench->file);
    assert_true(host_nvm_open(&bench->file, bench->path, SIZE, message, sizeof message));
}

static void a_file_that_shrinks_is_an_error(void **state)
{
    struct bench *bench = *state;
    const struct cos_nvm *nvm = &bench->file.nvm;
    uint8_t bytes[8];
    assert_int_equal(truncate(bench->path, 1000), 0);
    assert_int_equal(nvm->read(nvm->context, 1024, bytes, sizeof bytes), COS_E_NVM);
    assert_int_equal(nvm->program(nvm->context, 1024, bytes, sizeof bytes), COS_E_NVM);
}

/* ---- Torn power ---- */

static void names_of_contents(void **state)
{
    (void)state;
    enum host_cut_content content = HOST_CUT_ALL;
    for (int i = 0; i < HOST_CUT_CONTENTS; i++) {
        assert_true(
            host_cut_content_parse(host_cut_content_name((enum host_cut_content)i), &content));
        assert_int_equal(content, i);
    }
    static const char *const wrong[] = {"", "al", "alles", "All", "bits "};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(host_cut_content_parse(wrong[i], &content));
    }
}

/* Runs `work` in a process of its own and gives its exit status. */
static int exit_status(void (*work)(struct host_nvm_cut *cut), struct host_nvm_cut *cut)
{
    pid_t child = fork();
    if (child == 0) {
        work(cut);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

#define OWN_AT     (512U + 64U + 16U)
#define OWN_LENGTH 24U

static void program_own(struct host_nvm_cut *cut)
{
    cut->nvm.program(cut->nvm.context, OWN_AT, pattern(OWN_LENGTH), OWN_LENGTH);
}

static void erase_unit(struct host_nvm_cut *cut)
{
    cut->nvm.erase(cut->nvm.context, 512);
}

/* Erase unit 512 with programmed neighbours around the bytes that the operation changes. */
static void lay_out(const struct cos_nvm *nvm, uint8_t unit[256])
{
    assert_int_equal(nvm->erase(nvm->context, 512), COS_OK);
    assert_int_equal(nvm->program(nvm->context, 512, pattern(64), 64), COS_OK);
    assert_int_equal(nvm->program(nvm->context, 512 + 64, pattern(16), 16), COS_OK);
    assert_int_equal(nvm->program(nvm->context, 512 + 192, pattern(64), 64), COS_OK);
    assert_int_equal(nvm->read(nvm->context, 512, unit, 256), COS_OK);
}

static bool all_are(const uint8_t *bytes, size_t length, uint8_t value)
{
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != value) {
            return false;
        }
    }
    return true;
}

/* True if the bytes are the first n bits of `new` and then `old`, for some n. */
static bool is_prefix(const uint8_t *bytes, const uint8_t *new, const uint8_t *old, size_t length)
{
    for (size_t n = 0; n <= length * 8; n++) {
        bool equal = true;
        for (size_t bit = 0; bit < length * 8 && equal; bit++) {
            unsigned mask = 0x80U >> (bit % 8);
            equal = ((bytes[bit / 8] ^ (bit < n ? new : old)[bit / 8]) & mask) == 0;
        }
        if (equal) {
            return true;
        }
    }
    return false;
}

/* True if each bit is the one of `new` or of `old`. */
static bool is_mix(const uint8_t *bytes, const uint8_t *new, const uint8_t *old, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (((bytes[i] ^ new[i]) & (bytes[i] ^ old[i])) != 0) {
            return false;
        }
    }
    return true;
}

/* Compares what is left in [at, at + length) of the erase unit; the rest must be as before. */
static void check_left(enum host_cut_content content, const uint8_t *left, const uint8_t *old,
                       const uint8_t *new, size_t at, size_t length)
{
    assert_memory_equal(left, old, at);
    assert_memory_equal(left + at + length, old + at + length, 256 - at - length);
    left += at, old += at, new += at;
    switch (content) {
    case HOST_CUT_NOTHING:
        assert_memory_equal(left, old, length);
        break;
    case HOST_CUT_ALL:
        assert_memory_equal(left, new, length);
        break;
    case HOST_CUT_PREFIX:
        assert_true(is_prefix(left, new, old, length));
        break;
    case HOST_CUT_BITS:
        assert_true(is_mix(left, new, old, length));
        assert_memory_not_equal(left, new, length);
        assert_memory_not_equal(left, old, length);
        break;
    case HOST_CUT_GARBAGE:
        assert_false(is_mix(left, new, old, length));
        break;
    default:
        assert_true(all_are(left, length, 0xFF));
        break;
    }
}

static void torn_operations_leave_their_content(void **state)
{
    struct bench *bench = *state;
    const struct cos_nvm *nvm = &bench->file.nvm;
    uint8_t old[256], new[256], left[256];
    for (int content = 0; content < HOST_CUT_CONTENTS; content++) {
        for (int erase = 0; erase < 2; erase++) {
            struct host_nvm_cut cut;
            struct host_power *power = host_power_new(1, (enum host_cut_content)content);
            assert_non_null(power);
            assert_true(host_nvm_cut_init(&cut, nvm, power, HOST_CHIP_SECURE, NULL, NULL));
            lay_out(nvm, old);
            if (erase) {
                memset(new, 0xFF, sizeof new);
            } else {
                memcpy(new, old, sizeof new);
                memcpy(new + (OWN_AT - 512), pattern(OWN_LENGTH), OWN_LENGTH);
            }
            assert_int_equal(exit_status(erase ? erase_unit : program_own, &cut), 75);
            assert_true(host_power_is_off(power));
            assert_int_equal(power->chip, HOST_CHIP_SECURE);
            assert_int_equal(power->erase, erase);
            assert_int_equal(power->address, erase ? 512 : OWN_AT);
            assert_int_equal(nvm->read(nvm->context, 512, left, sizeof left), COS_OK);
            check_left((enum host_cut_content)content, left, old, new, erase ? 0 : 64,
                       erase ? 256 : 64);
            host_power_free(power);
        }
    }
}

static void read_once(struct host_nvm_cut *cut)
{
    uint8_t byte;
    cut->nvm.read(cut->nvm.context, 0, &byte, 1);
}

static void program_twice(struct host_nvm_cut *cut)
{
    cut->nvm.program(cut->nvm.context, 1024, pattern(8), 8);
    cut->nvm.program(cut->nvm.context, 1032, pattern(8), 8);
}

/* Two chips count on one counter; after the cut neither does anything more, not even a read. */
static void power_is_one_for_both_chips(void **state)
{
    struct bench *bench = *state;
    const struct cos_nvm *nvm = &bench->file.nvm;
    struct host_nvm_cut app, secure;
    uint8_t bytes[24];
    struct host_power *power = host_power_new(4, HOST_CUT_ALL);
    assert_non_null(power);
    assert_true(host_nvm_cut_init(&app, nvm, power, HOST_CHIP_APP, NULL, NULL));
    assert_true(host_nvm_cut_init(&secure, nvm, power, HOST_CHIP_SECURE, NULL, NULL));

    assert_int_equal(exit_status(program_twice, &app), 0); /* operations 1 and 2 */
    assert_false(host_power_is_off(power));
    assert_int_equal(exit_status(erase_unit, &secure), 0); /* 3 */
    assert_int_equal(exit_status(program_own, &app), 75);  /* 4 */
    assert_int_equal(power->chip, HOST_CHIP_APP);
    assert_int_equal(exit_status(read_once, &app), 75);
    assert_int_equal(exit_status(read_once, &secure), 75);
    assert_int_equal(exit_status(erase_unit, &secure), 75);
    assert_int_equal(nvm->read(nvm->context, OWN_AT, bytes, sizeof bytes), COS_OK);
    assert_memory_equal(bytes, pattern(OWN_LENGTH), OWN_LENGTH); /* the erase was not done */
    assert_int_equal(power->chip, HOST_CHIP_APP);
    host_power_free(power);
}

static void without_a_cut_the_decorator_changes_nothing(void **state)
{
    struct bench *bench = *state;
    struct host_nvm_cut cut;
    struct host_power *power = host_power_new(0, HOST_CUT_GARBAGE);
    assert_non_null(power);
    assert_true(host_nvm_cut_init(&cut, &bench->file.nvm, power, HOST_CHIP_APP, NULL, NULL));
    const struct cos_nvm *nvm = &cut.nvm;
    uint8_t bytes[8];
    assert_int_equal(nvm->program(nvm->context, 8, pattern(8), 8), COS_OK);
    assert_int_equal(nvm->read(nvm->context, 8, bytes, 8), COS_OK);
    assert_memory_equal(bytes, pattern(8), 8);
    assert_int_equal(nvm->program(nvm->context, 8, pattern(8), 8), COS_E_NVM);
    assert_int_equal(nvm->program(nvm->context, SIZE, pattern(8), 8), COS_E_NVM);
    assert_int_equal(nvm->program(nvm->context, 56, pattern(16), 16), COS_E_NVM);
    assert_int_equal(nvm->erase(nvm->context, 8), COS_E_NVM);
    assert_int_equal(nvm->erase(nvm->context, 0), COS_OK);
    assert_int_equal(power->operations, 3);
    host_power_free(power);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(geometry_is_the_documented_one),
        TEST(programs_are_judged_by_the_contract),
        TEST(erases_are_judged_by_the_contract),
        TEST(reads_stay_inside),
        TEST(what_was_done_outlives_a_killed_process),
        TEST(wrong_files_are_refused_in_one_line),
        TEST(one_card_at_a_time),
        TEST(a_file_that_shrinks_is_an_error),
        TEST(names_of_contents),
        TEST(torn_operations_leave_their_content),
        TEST(power_is_one_for_both_chips),
        TEST(without_a_cut_the_decorator_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
