/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs the built program twinctl, in a folder of our own that must be empty at the end.
 */
#ifndef TESTS_PROGRAM_HELPERS_H
#define TESTS_PROGRAM_HELPERS_H

#include "crypto_helpers.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS 64

static char program[PATH_MAX], folder[] = "/tmp/twinctl-program-XXXXXX";

struct result {
    int status;
    char out[8192], err[2048];
};

static inline int find_program(void **state)
{
    (void)state;
    /* BUILD/tests/unit/THIS, BUILD/twinctl */
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 16);
    for (int level = 0; n > 0 && level < 3; level++) {
        program[n] = '\0';
        char *slash = strrchr(program, '/');
        n = slash != NULL ? slash - program : 0;
    }
    if (n <= 0 || mkdtemp(folder) == NULL || chdir(folder) != 0) {
        return -1;
    }
    strcpy(program + n, "/twinctl");
    return access(program, X_OK);
}

static inline int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder); /* fails if a test left anything */
}

static inline void read_all(int from, char *text, size_t size)
{
    size_t length = 0;
    ssize_t n = 0;
    while (length < size - 1 && (n = read(from, text + length, size - 1 - length)) > 0) {
        length += (size_t)n;
    }
    text[length] = '\0';
    close(from);
}

/* Runs twinctl with arguments that end in NULL. */
static inline struct result run(const char *const *arguments)
{
    static struct result result;
    int out[2], err[2], status = 0;
    const char *argv[ARGUMENTS + 2] = {"twinctl"};
    for (size_t i = 0; arguments[i] != NULL; i++) {
        assert_true(i < ARGUMENTS);
        argv[i + 1] = arguments[i];
    }
    assert_true(pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(out[1], STDOUT_FILENO);
        dup2(err[1], STDERR_FILENO);
        execv(program, (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(out[1]);
    close(err[1]);
    read_all(out[0], result.out, sizeof result.out);
    read_all(err[0], result.err, sizeof result.err);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    result.status = WEXITSTATUS(status);
    return result;
}
#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

static inline bool is_one_line(const char *text)
{
    const char *end = strchr(text, '\n');
    return end != NULL && end != text && end[1] == '\0';
}

static inline void remove_card(const char *name)
{
    static const char *const files[] = {"secure.nvm", "app.nvm", "keys"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/%s", name, files[i]);
        assert_case(unlink(path) == 0, "%s", path);
    }
    assert_int_equal(rmdir(name), 0);
}

#endif
