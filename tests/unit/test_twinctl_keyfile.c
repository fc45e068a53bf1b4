/* SPDX-License-Identifier: Apache-2.0
 *
 * Key files: who may see them, what is malformed, and that a value is on disk before it is used.
 */
#include "crypto_helpers.h"
#include "twinctl/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/twinctl-keys-XXXXXX";
static char path[64], other[64];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/keys", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    unlink(path);
    unlink(other);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder); /* fails if a test left anything */
}

static void write_file(const char *text, size_t length, mode_t mode)
{
    unlink(path);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(file >= 0 && write(file, text, length) == (ssize_t)length);
    assert_int_equal(fchmod(file, mode), 0);
    assert_int_equal(close(file), 0);
}

static mode_t mode_of(const char *name)
{
    struct stat status;
    assert_int_equal(stat(name, &status), 0);
    return status.st_mode & 07777;
}

static void made_once_for_its_owner(void **state)
{
    (void)state;
    struct keyfile keys;
    struct problem problem = {0};
    mode_t before = umask(0277); /* neither a wide nor an odd umask matters */
    assert_int_equal(keyfile_create(&keys, path, &problem), DONE);
    assert_int_equal(mode_of(path), 0600);
    umask(0);
    assert_int_equal(keyfile_set(&keys, "PIN", (const uint8_t *)"1234", 4, &problem), DONE);
    assert_int_equal(mode_of(path), 0600);
    umask(before);
    assert_int_equal(keyfile_create(&keys, path, &problem), TROUBLE);
    assert_non_null(strstr(problem.text, strerror(EEXIST)));
    assert_int_equal(keyfile_open(&keys, path, &problem), DONE);
    assert_int_equal(keys.count, 1);
}

static void never_through_a_link(void **state)
{
    (void)state;
    struct keyfile keys;
    struct problem problem = {0};
    assert_int_equal(symlink(other, path), 0);
    assert_int_equal(keyfile_create(&keys, path, &problem), TROUBLE);
    assert_int_equal(access(other, F_OK), -1);
}

static void refused_if_open_to_others(void **state)
{
    (void)state;
    struct keyfile keys;
    struct problem problem = {0};
    for (mode_t mode = 0; mode < 0100; mode++) {
        write_file("PIN = 31\n", 9, 0600 | mode);
        assert_case(keyfile_open(&keys, path, &problem) == (mode == 0 ? DONE : TROUBLE), "%o",
                    mode);
    }
    assert_non_null(strstr(problem.text, "chmod 600"));
    unlink(path);
    assert_int_equal(keyfile_open(&keys, path, &problem), TROUBLE);
    assert_non_null(strstr(problem.text, strerror(ENOENT)));
    assert_int_equal(keyfile_open(&keys, folder, &problem), TROUBLE);
    assert_int_equal(mkfifo(path, 0600), 0); /* must not wait for a writer */
    assert_int_equal(keyfile_open(&keys, path, &problem), TROUBLE);
    assert_non_null(strstr(problem.text, "not a regular file"));
}

#define HEX_32 "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"

static void lines(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t count;
        const char *line; /* that is at fault, NULL = good */
    } cases[] = {
        {"", 0, NULL},
        {"\n  \n# comment = 00\n", 0, NULL},
        {"A = 00\n", 1, NULL},
        {"A=00", 1, NULL},
        {"  A_1\t=  0a 0B  \r\n# x\nB = FF\n", 2, NULL},
        {"A = " HEX_32 "\n", 1, NULL},
        {"ABCDEFGHIJKLMNOPQRSTUVWX = 00\n", 1, NULL},
        {"A = 00\nA = 00\n", 0, "line 2"},
        {"A = \n", 0, "line 1"},
        {"A\n", 0, "line 1"},
        {"\nA 00\n", 0, "line 2"},
        {"= 00\n", 0, "line 1"},
        {"a = 00\n", 0, "line 1"},
        {"A-B = 00\n", 0, "line 1"},
        {"A = 0\n", 0, "line 1"},
        {"A = 0G\n", 0, "line 1"},
        {"A = 00 # no\n", 0, "line 1"},
        {"A == 00\n", 0, "line 1"},
        {"A = " HEX_32 "20\n", 0, "line 1"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXY = 00\n", 0, "line 1"},
        {"A = 00\nB = 00\nC = zz\nD = 00\n", 0, "line 3"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct keyfile keys;
        struct problem problem = {0};
        write_file(cases[i].text, strlen(cases[i].text), 0600);
        enum outcome outcome = keyfile_open(&keys, path, &problem);
        assert_case(outcome == (cases[i].line == NULL ? DONE : TROUBLE), "case %zu: %s", i,
                    problem.text);
        assert_case(keys.count == cases[i].count, "case %zu: %zu", i, keys.count);
        assert_case(cases[i].line == NULL || strstr(problem.text, cases[i].line) != NULL,
                    "case %zu: %s", i, problem.text);
    }
}

static void bytes_that_are_no_text(void **state)
{
    (void)state;
    struct keyfile keys;
    struct problem problem = {0};
    char text[600];
    memset(text, '0', sizeof text);
    memcpy(text, "A = ", 4);
    write_file(text, sizeof text, 0600); /* no end of line for long */
    assert_int_equal(keyfile_open(&keys, path, &problem), TROUBLE);
    write_file("A = 00\0\nB = 00\n", 15, 0600);
    assert_int_equal(keyfile_open(&keys, path, &problem), TROUBLE);
    size_t length = 0;
    for (unsigned i = 0; i <= KEYFILE_ENTRIES; i++) {
        length += (size_t)snprintf(text + length, sizeof text - length, "N%u = 00\n", i);
    }
    write_file(text, length, 0600); /* one entry too many */
    assert_int_equal(keyfile_open(&keys, path, &problem), TROUBLE);
    assert_non_null(strstr(problem.text, "line 33"));
}

static void values_are_kept(void **state)
{
    (void)state;
    struct keyfile keys, again;
    struct problem problem = {0};
    uint8_t first[16];
    assert_int_equal(keyfile_create(&keys, path, &problem), DONE);
    assert_int_equal(keyfile_ensure(&keys, "ACCESS", 16, &problem), DONE);
    memcpy(first, keyfile_get(&keys, "ACCESS", 16, &problem), 16);
    /* A step that is run again finds the same secret, in the file as well. */
    assert_int_equal(keyfile_open(&again, path, &problem), DONE);
    assert_int_equal(keyfile_ensure(&again, "ACCESS", 16, &problem), DONE);
    assert_memory_equal(keyfile_get(&again, "ACCESS", 16, &problem), first, 16);
    /* One of another length is another secret. */
    assert_int_equal(keyfile_ensure(&again, "ACCESS", 24, &problem), DONE);
    assert_int_equal(keyfile_open(&keys, path, &problem), DONE);
    assert_int_equal(keys.count, 1);
    assert_non_null(keyfile_get(&keys, "ACCESS", 24, &problem));
    assert_memory_not_equal(keyfile_get(&keys, "ACCESS", 24, &problem), first, 16);
    assert_null(keyfile_get(&keys, "ACCESS", 16, &problem));
    assert_null(keyfile_get(&keys, "REMOTE", 16, &problem));
    assert_non_null(strstr(problem.text, "REMOTE"));
    /* Two random secrets are not the same. */
    assert_int_equal(keyfile_ensure(&keys, "REMOTE", 24, &problem), DONE);
    assert_memory_not_equal(keyfile_get(&keys, "REMOTE", 24, &problem),
                            keyfile_get(&keys, "ACCESS", 24, &problem), 24);
}

static void what_does_not_fit(void **state)
{
    (void)state;
    struct keyfile keys;
    struct problem problem = {0};
    static const uint8_t value[33] = {0};
    assert_int_equal(keyfile_create(&keys, path, &problem), DONE);
    assert_int_equal(keyfile_set(&keys, "A", value, 33, &problem), TROUBLE);
    assert_int_equal(keyfile_set(&keys, "A", value, 0, &problem), TROUBLE);
    assert_int_equal(keyfile_set(&keys, "ABCDEFGHIJKLMNOPQRSTUVWXY", value, 1, &problem), TROUBLE);
    assert_int_equal(keyfile_ensure(&keys, "A", 33, &problem), TROUBLE);
    for (unsigned i = 0; i < KEYFILE_ENTRIES; i++) {
        char name[8];
        snprintf(name, sizeof name, "N%u", i);
        assert_int_equal(keyfile_set(&keys, name, value, 32, &problem), DONE);
    }
    assert_int_equal(keyfile_set(&keys, "ONE_MORE", value, 1, &problem), TROUBLE);
    assert_int_equal(keyfile_open(&keys, path, &problem), DONE);
    assert_int_equal(keys.count, KEYFILE_ENTRIES);
}

static void a_leftover_of_a_cut_is_replaced(void **state)
{
    (void)state;
    struct keyfile keys;
    struct problem problem = {0};
    char fresh[80];
    snprintf(fresh, sizeof fresh, "%s.new", path);
    assert_int_equal(keyfile_create(&keys, path, &problem), DONE);
    int file = open(fresh, O_WRONLY | O_CREAT | O_EXCL, 0644);
    assert_true(file >= 0 && write(file, "A = ", 4) == 4 && close(file) == 0);
    assert_int_equal(keyfile_set(&keys, "B", (const uint8_t *)"1", 1, &problem), DONE);
    assert_int_equal(access(fresh, F_OK), -1);
    assert_int_equal(mode_of(path), 0600);
    assert_int_equal(keyfile_open(&keys, path, &problem), DONE);
    assert_int_equal(keys.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(made_once_for_its_owner, remove_files),
        cmocka_unit_test_teardown(never_through_a_link, remove_files),
        cmocka_unit_test_teardown(refused_if_open_to_others, remove_files),
        cmocka_unit_test_teardown(lines, remove_files),
        cmocka_unit_test_teardown(bytes_that_are_no_text, remove_files),
        cmocka_unit_test_teardown(values_are_kept, remove_files),
        cmocka_unit_test_teardown(what_does_not_fit, remove_files),
        cmocka_unit_test_teardown(a_leftover_of_a_cut_is_replaced, remove_files),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
