/* SPDX-License-Identifier: Apache-2.0
 *
 * Host port: noise from the kernel's random number generator. getrandom() needs no descriptor, so
 * it works in the sandbox.
 */
#include "entropy_kernel.h"

#include <errno.h>
#include <sys/random.h>

static enum cos_result kernel_read(void *context, uint8_t *data, size_t length)
{
    (void)context;
    while (length > 0) {
        ssize_t got = getrandom(data, length, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        COS_CHECK(got > 0, COS_E_ENTROPY);
        data += got;
        length -= (size_t)got;
    }
    return COS_OK;
}

const struct cos_entropy host_entropy_kernel = {.context = NULL, .read = kernel_read};
