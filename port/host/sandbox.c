/* SPDX-License-Identifier: Apache-2.0
 *
 * Host port: the walls of the security process.
 */
#include "sandbox.h"

#include <errno.h>
#include <limits.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define WITH_SANITIZERS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_SANITIZERS 1
#endif
#endif

/* The crypto library allocates small blocks. Inside, the heap cannot grow: a first block of this
 * size, freed again, makes it large enough for good. */
#define HEAP 65536U

/* ---- System calls ---- */

struct rule {
    int call;
    int descriptor; /* the only first argument that is allowed; -1 = any */
};

static bool allow(scmp_filter_ctx filter, const struct rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct scmp_arg_cmp first = {
            .arg = 0, .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)rules[i].descriptor};
        unsigned conditions = rules[i].descriptor < 0 ? 0 : 1;
        int result = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, rules[i].call, conditions,
                                            conditions == 0 ? NULL : &first);
        if (result != 0) {
            errno = -result;
            return false;
        }
    }
    return true;
}

#ifdef WITH_SANITIZERS
/* What the run-time of the sanitizers needs to allocate and to report: memory, signal stacks and
 * standard error. None of it opens anything. */
static bool allow_sanitizers(scmp_filter_ctx filter)
{
    const struct rule rules[] = {
        {SCMP_SYS(mmap), -1},           {SCMP_SYS(munmap), -1},
        {SCMP_SYS(mprotect), -1},       {SCMP_SYS(madvise), -1},
        {SCMP_SYS(futex), -1},          {SCMP_SYS(getpid), -1},
        {SCMP_SYS(gettid), -1},         {SCMP_SYS(sched_yield), -1},
        {SCMP_SYS(sigaltstack), -1},    {SCMP_SYS(rt_sigaction), -1},
        {SCMP_SYS(rt_sigprocmask), -1}, {SCMP_SYS(write), STDERR_FILENO},
    };
    return allow(filter, rules, sizeof rules / sizeof rules[0]);
}
#endif

static bool filter_calls(int nvm_descriptor, int link_descriptor)
{
    const struct rule rules[] = {
        {SCMP_SYS(pread64), nvm_descriptor},
        {SCMP_SYS(pwrite64), nvm_descriptor},
        {SCMP_SYS(sendto), link_descriptor},
        {SCMP_SYS(recvfrom), link_descriptor},
        {SCMP_SYS(poll), -1},
        {SCMP_SYS(ppoll), -1}, /* poll() on machines that have no such call */
        {SCMP_SYS(getrandom), -1},
        {SCMP_SYS(clock_gettime), -1}, /* where it is no vDSO function */
        {SCMP_SYS(rt_sigreturn), -1},
        {SCMP_SYS(exit_group), -1},
    };
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (filter == NULL) {
        errno = ENOMEM;
        return false;
    }
    bool good = allow(filter, rules, sizeof rules / sizeof rules[0]);
#ifdef WITH_SANITIZERS
    good = good && allow_sanitizers(filter);
#endif
    if (good) {
        int result = seccomp_load(filter);
        good = result == 0;
        errno = -result;
    }
    int reason = errno;
    seccomp_release(filter);
    errno = reason;
    return good;
}

/* ---- The rest of the walls ---- */

/* `keep` is in rising order. */
static bool close_all_but(const int *keep, size_t count)
{
    unsigned next = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned kept = (unsigned)keep[i];
        if (kept > next && close_range(next, kept - 1, 0) != 0) {
            return false;
        }
        next = kept + 1;
    }
    return close_range(next, UINT_MAX, 0) == 0;
}

static bool close_others(int one, int other)
{
    const int low = one < other ? one : other;
    const int high = one < other ? other : one;
#ifdef WITH_SANITIZERS
    if (low > STDERR_FILENO) { /* where reports go */
        return close_all_but((const int[]){STDERR_FILENO, low, high}, 3);
    }
#endif
    return close_all_but((const int[]){low, high}, 2);
}

static bool reserve_heap(void)
{
    void *block = malloc(HEAP);
    free(block);
    return block != NULL;
}

bool host_sandbox_enter(int nvm_descriptor, int link_descriptor)
{
    const struct rlimit no_core = {0, 0};
    return reserve_heap() && setrlimit(RLIMIT_CORE, &no_core) == 0 &&
           prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
           close_others(nvm_descriptor, link_descriptor) &&
           filter_calls(nvm_descriptor, link_descriptor);
}
