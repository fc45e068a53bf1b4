/* SPDX-License-Identifier: Apache-2.0
 *
 * Host port: noise from the kernel's random number generator.
 */
#ifndef HOST_ENTROPY_KERNEL_H
#define HOST_ENTROPY_KERNEL_H

#include "cos/port.h"

extern const struct cos_entropy host_entropy_kernel;

#endif
