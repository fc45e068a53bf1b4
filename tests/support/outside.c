/* SPDX-License-Identifier: Apache-2.0
 *
 * A card that was made by twinctl and runs in twincard, seen from outside.
 */
#include "outside.h"

#include "nvm_file.h"

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* Everything lies in one folder: made/ is the card as personalized, card/ is the copy in use. */
static char folder[] = "/tmp/twincard-XXXXXX";
static char programs[PATH_MAX];
static pid_t running; /* the card; 0 once it was waited for */

const char *outside_path(const char *name)
{
    static char paths[16][PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % 16];
    snprintf(path, PATH_MAX, "%s/%s", folder, name);
    return path;
}

/* ---- Processes ---- */

pid_t outside_program(const char *name, char *const arguments[], const char *messages)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/%s", programs, name);
    pid_t process = fork();
    if (process == 0) {
        int out = open(messages, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(out, STDOUT_FILENO);
        dup2(out, STDERR_FILENO);
        execv(path, arguments);
        _exit(127);
    }
    assert_true(process > 0);
    return process;
}

int outside_exit_status(pid_t process)
{
    int status = 0;
    assert_int_equal(waitpid(process, &status, 0), process);
    running = process == running ? 0 : running;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

const char *outside_messages(void)
{
    static char text[2048];
    FILE *file = fopen(outside_path("messages"), "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

/* Processes whose parent is `process`. */
int outside_children(pid_t process, pid_t found[4])
{
    char path[64];
    int count = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)process, (int)process);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (count < 4 && fscanf(file, "%d", &found[count]) == 1) {
        count++;
    }
    fclose(file);
    return count;
}

void outside_pause(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* A card that a failed test left behind. */
static void end_left_over(void)
{
    if (running > 0) {
        kill(running, SIGKILL);
        outside_exit_status(running);
    }
}

/* ---- The reader's side ---- */

int outside_dial(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    snprintf(name.sun_path, sizeof name.sun_path, "%.64s/socket", folder);
    for (int tries = 0; tries < 4000; tries++) {
        int end = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(end, (const struct sockaddr *)&name, sizeof name) == 0) {
            return end;
        }
        close(end);
        outside_pause(5);
    }
    fail_msg("twincard does not listen: %s", outside_messages());
    return -1;
}

/* Starts twincard on card/ with up to two more arguments and connects. */
struct reader outside_start(const char *more, const char *still_more)
{
    struct reader reader;
    char *arguments[] = {(char *)(uintptr_t) "twincard",
                         (char *)(uintptr_t)outside_path("card"),
                         (char *)(uintptr_t) "--socket",
                         (char *)(uintptr_t)outside_path("socket"),
                         (char *)(uintptr_t)more,
                         (char *)(uintptr_t)still_more,
                         NULL};
    end_left_over();
    unlink(outside_path("socket"));
    reader.card = outside_program("twincard", arguments, outside_path("messages"));
    running = reader.card;
    reader.socket = outside_dial();
    return reader;
}

int outside_end(struct reader *reader)
{
    close(reader->socket);
    kill(reader->card, SIGTERM);
    return outside_exit_status(reader->card);
}

size_t outside_from_hex(const char *hex, uint8_t *bytes)
{
    size_t length = strlen(hex) / 2;
    for (size_t i = 0; i < length; i++) {
        unsigned value = 0;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &value), 1);
        bytes[i] = (uint8_t)value;
    }
    return length;
}

void outside_put(const struct reader *reader, const char *hex)
{
    uint8_t frame[300];
    size_t length = outside_from_hex(hex, frame + 2);
    frame[0] = (uint8_t)(length >> 8);
    frame[1] = (uint8_t)length;
    send(reader->socket, frame, length + 2, MSG_NOSIGNAL);
}

static size_t take(const struct reader *reader, uint8_t *bytes, size_t length)
{
    ssize_t got = recv(reader->socket, bytes, length, MSG_WAITALL);
    return got < 0 ? 0 : (size_t)got;
}

/* The next answer in hex; "" if the card hung up. */
const char *outside_get(const struct reader *reader)
{
    static char hex[600];
    uint8_t header[2], body[300];
    hex[0] = '\0';
    if (take(reader, header, 2) < 2) {
        return hex;
    }
    size_t length = (size_t)header[0] * 256 + header[1];
    assert_in_range(length, 1, sizeof body);
    if (take(reader, body, length) < length) {
        return hex;
    }
    for (size_t i = 0; i < length; i++) {
        snprintf(hex + 2 * i, 3, "%02X", body[i]);
    }
    return hex;
}

const char *outside_ask(const struct reader *reader, const char *hex)
{
    outside_put(reader, hex);
    return outside_get(reader);
}

static void copy(const char *from, const char *to)
{
    static uint8_t bytes[HOST_APP_NVM_SIZE];
    FILE *source = fopen(from, "rb"), *target = fopen(to, "wb");
    assert_non_null(source);
    assert_non_null(target);
    size_t length = fread(bytes, 1, sizeof bytes, source);
    assert_int_equal(fwrite(bytes, 1, length, target), length);
    fclose(source);
    assert_int_equal(fclose(target), 0);
}

int outside_fresh(void **state)
{
    (void)state;
    copy(outside_path("made/" HOST_APP_NVM), outside_path("card/" HOST_APP_NVM));
    copy(outside_path("made/" HOST_SECURE_NVM), outside_path("card/" HOST_SECURE_NVM));
    return 0;
}

/* ---- One card for all ---- */

int outside_make(void **state)
{
    (void)state;
    ssize_t length = readlink("/proc/self/exe", programs, sizeof programs - 1);
    assert_true(length > 0);
    for (int up = 0; up < 3; up++) { /* BUILD/tests/card/test_twincard */
        *strrchr(programs, '/') = '\0';
    }
    assert_non_null(mkdtemp(folder));
    assert_int_equal(mkdir(outside_path("card"), 0700), 0);
    char *arguments[] = {(char *)(uintptr_t) "twinctl",
                         (char *)(uintptr_t) "make",
                         (char *)(uintptr_t)outside_path("made"),
                         (char *)(uintptr_t) "--pin",
                         (char *)(uintptr_t) "482915",
                         NULL};
    if (outside_exit_status(outside_program("twinctl", arguments, outside_path("messages"))) != 0) {
        fail_msg("twinctl could not make a card: %s", outside_messages());
    }
    return 0;
}

int outside_throw_away(void **state)
{
    static const char *const names[] = {
        "made/app.nvm", "made/secure.nvm", "made/keys", "card/app.nvm", "card/secure.nvm",
        "messages",     "trace",           "socket",    "other",
    };
    (void)state;
    end_left_over();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        unlink(outside_path(names[i]));
    }
    rmdir(outside_path("made"));
    rmdir(outside_path("card"));
    return rmdir(folder);
}
