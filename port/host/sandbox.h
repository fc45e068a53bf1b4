/* SPDX-License-Identifier: Apache-2.0
 *
 * Host port: the walls of the security process. After host_sandbox_enter() it can read and write
 * its NVM file, send and receive on the link, get random bytes, read the clock and end. Everything
 * else the kernel refuses with EPERM, for good.
 *
 * This file stands apart because it needs libseccomp.
 */
#ifndef HOST_SANDBOX_H
#define HOST_SANDBOX_H

#include <stdbool.h>

/* Exit status of a process that could not build its walls and so must not go on. */
#define HOST_SANDBOX_STATUS 71 /* EX_OSERR of sysexits.h */

/* Gives up privileges and core dumps, makes the process opaque to debuggers of the same user,
 * closes every descriptor but the two, and installs the filter of system calls. False with errno
 * set if one of the steps failed: the process is then half-way in and should _exit(). */
bool host_sandbox_enter(int nvm_descriptor, int link_descriptor);

#endif
