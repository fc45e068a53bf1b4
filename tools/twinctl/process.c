/* SPDX-License-Identifier: Apache-2.0
 *
 * A card of our own: starts twincard, waits until it listens, ends it by its process id.
 */
#include "transport.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_MS 15000 /* under a sanitizer on a busy machine, too */
#define END_MS   3000
#define POLL_MS  5

bool program_beside(const char *name, char *path, size_t size)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0) {
        return false;
    }
    self[n] = '\0';
    char *slash = strrchr(self, '/');
    if (slash == NULL) {
        return false;
    }
    slash[1] = '\0';
    int written = snprintf(path, size, "%s%s", self, name);
    return written > 0 && (size_t)written < size;
}

static void wait_a_little(void)
{
    nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000L}, NULL);
}

/* True once the child has ended; it is gone then. */
static bool ended(struct transport *transport, int *status)
{
    pid_t pid = waitpid(transport->card, status, WNOHANG);
    if (pid == 0 || (pid < 0 && errno == EINTR)) {
        return false;
    }
    transport->card = 0;
    return true;
}

static void end_process(struct transport *transport)
{
    int status = 0;
    for (int signal_sent = 0, ms = 0; transport->card > 0 && !ended(transport, &status);
         ms += POLL_MS) {
        if (signal_sent == 0 || (signal_sent == SIGTERM && ms >= END_MS)) {
            signal_sent = signal_sent == 0 ? SIGTERM : SIGKILL;
            kill(transport->card, signal_sent);
        }
        wait_a_little();
    }
}

static void socket_path(const struct transport *transport, char path[80])
{
    snprintf(path, 80, "%s/card", transport->folder);
}

static void clean_up(struct transport *transport)
{
    char path[80];
    end_process(transport);
    socket_path(transport, path);
    unlink(path);
    rmdir(transport->folder);
}

static void close_card(struct transport *transport)
{
    transport_socket_close(transport);
    clean_up(transport);
}

static void run(const char *program, const char *folder, const char *path)
{
    /* The card goes when we go, however that happens. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    int null = open("/dev/null", O_RDWR);
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
    }
    execl(program, program, folder, "--socket", path, (char *)NULL);
    _exit(127);
}

/* The socket appears with bind() and takes connections with listen(). */
static enum outcome connect_when_listening(struct transport *transport, const char *program,
                                           const char *path, struct problem *problem)
{
    int status = 0;
    for (int ms = 0; ms < START_MS; ms += POLL_MS) {
        int error = transport_socket_connect(transport, path);
        if (error == 0) {
            return transport_socket_power_on(transport, problem);
        }
        if (error != ENOENT && error != ECONNREFUSED) {
            return trouble(problem, "socket %s: %s", path, strerror(error));
        }
        if (ended(transport, &status)) {
            return trouble(problem, "%s ended before it listened (exit status %d)", program,
                           WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
        }
        wait_a_little();
    }
    return trouble(problem, "%s does not listen", program);
}

enum outcome transport_card(struct transport *transport, const char *folder,
                            struct problem *problem)
{
    char program[PATH_MAX], path[80];
    if (!program_beside("twincard", program, sizeof program) || access(program, X_OK) != 0) {
        return trouble(problem, "the program twincard does not stand beside twinctl");
    }
    const char *temporary = getenv("TMPDIR");
    int n = snprintf(transport->folder, sizeof transport->folder, "%s/twinctl-XXXXXX",
                     temporary != NULL && *temporary != '\0' ? temporary : "/tmp");
    if (n < 0 || (size_t)n >= sizeof transport->folder) { /* a socket's path must be short */
        snprintf(transport->folder, sizeof transport->folder, "/tmp/twinctl-XXXXXX");
    }
    if (mkdtemp(transport->folder) == NULL) {
        return trouble(problem, "temporary folder %s: %s", transport->folder, strerror(errno));
    }
    socket_path(transport, path);
    transport->socket = -1;
    transport->card = fork();
    if (transport->card == 0) {
        run(program, folder, path);
    }
    enum outcome outcome = transport->card < 0
                               ? trouble(problem, "cannot start %s: %s", program, strerror(errno))
                               : connect_when_listening(transport, program, path, problem);
    if (outcome != DONE) {
        close_card(transport);
        return outcome;
    }
    transport->close = close_card;
    return DONE;
}
