/* SPDX-License-Identifier: Apache-2.0
 *
 * The walls of the security process, seen from inside and from outside: a forked process enters
 * the sandbox, tries everything it must not and everything it must be able to, and says over the
 * link what happened.
 */
#include "entropy_kernel.h"
#include "link_socket.h"
#include "nvm_file.h"
#include "sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__)
#define WITH_SANITIZERS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_SANITIZERS 1
#endif
#endif

/* What the process inside reports: one errno for each attempt, 0 = it worked. */
enum attempt {
    TRY_OPEN,
    TRY_OPENAT,
    TRY_CREAT,
    TRY_PTRACE,
    TRY_SOCKET,
    TRY_EXECVE,
    TRY_FORK,
    TRY_KILL,
    TRY_READ_NVM, /* read(): only pread() is needed */
    TRY_WRITE_LINK,
    TRY_PREAD_LINK, /* the right call on the wrong descriptor */
    TRY_DUP,
    TRY_MMAP,
    TRY_MPROTECT,
    TRY_PROCESS_VM_READ,
    TRY_DUMPABLE,
    TRY_UNLINK,
    TRY_IO_URING,
    ATTEMPTS
};
static const char *const attempt_names[ATTEMPTS] = {
    "open",
    "openat",
    "creat",
    "ptrace",
    "socket",
    "execve",
    "fork",
    "kill",
    "read",
    "write",
    "pread of the link",
    "dup",
    "mmap",
    "mprotect",
    "process_vm_readv",
    "prctl(PR_SET_DUMPABLE)",
    "unlink",
    "io_uring_setup",
};

struct report {
    int refused[ATTEMPTS];
    enum cos_result nvm_read, nvm_program, nvm_erase, entropy, wait;
    uint8_t read[8];
    bool heap;
};

struct walled {
    char path[64];
    struct host_nvm_file file;
    struct host_link_socket link;
    pid_t process;
};

static int refused(long result)
{
    return result < 0 ? errno : 0;
}

/* ---- Inside ---- */

static void try_all(int refusals[ATTEMPTS], int nvm, int link, long page)
{
    char *const arguments[] = {NULL};
    uint8_t byte = 0;
    refusals[TRY_OPEN] = refused(open("/dev/null", O_RDONLY));
    refusals[TRY_OPENAT] = refused(syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY, 0));
    refusals[TRY_CREAT] = refused(open("/tmp/sandbox-leak", O_CREAT | O_WRONLY, 0600));
    refusals[TRY_PTRACE] = refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
    refusals[TRY_SOCKET] = refused(socket(AF_INET, SOCK_STREAM, 0));
    refusals[TRY_EXECVE] = refused(execve("/bin/true", arguments, arguments));
    refusals[TRY_FORK] = refused(syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL));
    refusals[TRY_KILL] = refused(kill(1, 0));
    refusals[TRY_READ_NVM] = refused(read(nvm, &byte, 1));
    refusals[TRY_WRITE_LINK] = refused(write(link, &byte, 1));
    refusals[TRY_PREAD_LINK] = refused(pread(link, &byte, 1, 0));
    refusals[TRY_DUP] = refused(dup(nvm));
    refusals[TRY_MMAP] =
        refused(syscall(SYS_mmap, NULL, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    refusals[TRY_MPROTECT] = refused(syscall(SYS_mprotect, NULL, 0, PROT_READ));
    refusals[TRY_PROCESS_VM_READ] =
        refused(syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0));
    refusals[TRY_DUMPABLE] = refused(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
    refusals[TRY_UNLINK] = refused(unlink("/tmp/nothing-here"));
    refusals[TRY_IO_URING] = refused(syscall(SYS_io_uring_setup, 1, NULL));
}

static _Noreturn void live_inside(const struct walled *walled, int end)
{
    struct report report;
    struct host_link_socket link;
    uint8_t frame[16], noise[64];
    size_t length = 0;
    long page = sysconf(_SC_PAGESIZE);
    int nvm = walled->file.descriptor;
    const struct cos_nvm *memory = &walled->file.nvm;

    memset(&report, 0, sizeof report);
    if (!host_sandbox_enter(nvm, end)) {
        _exit(HOST_SANDBOX_STATUS);
    }
    try_all(report.refused, nvm, end, page);
    report.nvm_erase = memory->erase(memory->context, 256);
    report.nvm_program = memory->program(memory->context, 256, (const uint8_t *)"security", 8);
    report.nvm_read = memory->read(memory->context, 256, report.read, sizeof report.read);
    report.entropy = host_entropy_kernel.read(NULL, noise, sizeof noise);
    void *block = malloc(20000); /* far more than any cipher's state */
    report.heap = block != NULL;
    free(block);
    host_link_socket_init(&link, end);
    report.wait = link.link.receive(&link, frame, sizeof frame, &length, 1);
    link.link.send(&link, (const uint8_t *)&report, sizeof report);
    while (link.link.receive(&link, frame, sizeof frame, &length, 0) != COS_E_LINK_DOWN) {
        link.link.send(&link, frame, length);
    }
    _exit(0);
}

/* As another user than root, where possible: what the kernel hides then shows who may look in. */
static void drop_root(const struct walled *walled)
{
    if (geteuid() == 0 && (fchmod(walled->file.descriptor, 0666) != 0 || setgid(65534) != 0 ||
                           setuid(65534) != 0 || prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0)) {
        _exit(99);
    }
}

static void start(struct walled *walled)
{
    int ends[2];
    char message[160];
    strcpy(walled->path, "/tmp/sandbox-nvm-XXXXXX");
    int made = mkstemp(walled->path);
    assert_true(made >= 0);
    assert_int_equal(ftruncate(made, HOST_SECURE_NVM_SIZE), 0);
    close(made);
    assert_true(
        host_nvm_open(&walled->file, walled->path, HOST_SECURE_NVM_SIZE, message, sizeof message));
    assert_true(host_link_pair(ends));
    walled->process = fork();
    if (walled->process == 0) {
        drop_root(walled);
        live_inside(walled, ends[1]);
    }
    close(ends[1]);
    host_link_socket_init(&walled->link, ends[0]);
}

static void stop(struct walled *walled)
{
    int status = 0;
    close(walled->link.descriptor);
    assert_int_equal(waitpid(walled->process, &status, 0), walled->process);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    host_nvm_close(&walled->file);
    unlink(walled->path);
}

static void get_report(struct walled *walled, struct report *report)
{
    size_t length = 0;
    assert_int_equal(
        walled->link.link.receive(&walled->link, (uint8_t *)report, sizeof *report, &length, 10000),
        COS_OK);
    assert_int_equal(length, sizeof *report);
}

/* ---- Outside ---- */

static void what_it_need_not_do_is_refused(void **state)
{
    struct walled walled;
    struct report report;
    (void)state;
    start(&walled);
    get_report(&walled, &report);
    for (int i = 0; i < ATTEMPTS; i++) {
#ifdef WITH_SANITIZERS
        if (i == TRY_MMAP || i == TRY_MPROTECT) {
            continue; /* their run-time needs these */
        }
#endif
        if (report.refused[i] != EPERM) {
            fail_msg("%s: errno %d instead of EPERM", attempt_names[i], report.refused[i]);
        }
    }
    stop(&walled);
}

static void what_it_must_do_works(void **state)
{
    struct walled walled;
    struct report report;
    uint8_t echo[4];
    size_t length = 0;
    (void)state;
    start(&walled);
    get_report(&walled, &report);
    assert_int_equal(report.nvm_erase, COS_OK);
    assert_int_equal(report.nvm_program, COS_OK);
    assert_int_equal(report.nvm_read, COS_OK);
    assert_memory_equal(report.read, "security", 8);
    assert_int_equal(report.entropy, COS_OK);
    assert_int_equal(report.wait, COS_E_LINK_TIMEOUT);
    assert_true(report.heap);
    struct cos_link *link = &walled.link.link;
    assert_int_equal(link->send(link->context, (const uint8_t *)"echo", 4), COS_OK);
    assert_int_equal(link->receive(link->context, echo, sizeof echo, &length, 10000), COS_OK);
    assert_memory_equal(echo, "echo", 4);
    stop(&walled);
}

/* The number behind a name in /proc/PID/status. */
static long status_value(pid_t process, const char *name)
{
    char path[64], line[256];
    long value = -1;
    snprintf(path, sizeof path, "/proc/%d/status", (int)process);
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    while (fgets(line, sizeof line, in) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':') {
            value = strtol(line + strlen(name) + 1, NULL, 10);
        }
    }
    fclose(in);
    return value;
}

static void the_kernel_confirms_it(void **state)
{
    struct walled walled;
    struct report report;
    struct stat own;
    char path[64];
    (void)state;
    start(&walled);
    get_report(&walled, &report);
    assert_int_equal(status_value(walled.process, "NoNewPrivs"), 1);
    assert_int_equal(status_value(walled.process, "Seccomp"), 2);
    /* The kernel gives the files of a process that is not dumpable to root. */
    long user = status_value(walled.process, "Uid");
    assert_int_not_equal(user, 0);
    snprintf(path, sizeof path, "/proc/%d/environ", (int)walled.process);
    assert_int_equal(stat(path, &own), 0);
    assert_int_equal(own.st_uid, 0);
    stop(&walled);
}

static void only_two_descriptors_are_left(void **state)
{
    struct walled walled;
    struct report report;
    char path[64];
    int count = 0;
    (void)state;
    start(&walled);
    get_report(&walled, &report);
    snprintf(path, sizeof path, "/proc/%d/fd", (int)walled.process);
    DIR *folder = opendir(path);
    if (folder == NULL) { /* only root may look into a process that is not dumpable */
        assert_int_not_equal(geteuid(), 0);
        print_message("# descriptors not counted: needs root\n");
    } else {
        for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
            count += entry->d_name[0] != '.';
        }
        closedir(folder);
#ifdef WITH_SANITIZERS
        count--; /* standard error, for reports */
#endif
        assert_int_equal(count, 2);
    }
    stop(&walled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_need_not_do_is_refused),
        cmocka_unit_test(what_it_must_do_works),
        cmocka_unit_test(the_kernel_confirms_it),
        cmocka_unit_test(only_two_descriptors_are_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
