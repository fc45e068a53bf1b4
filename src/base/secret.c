/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparing and wiping secrets.
 */
#include "cos/bytes.h"

cos_truth cos_equal_secret(const uint8_t *a, const uint8_t *b, size_t length)
{
    /* Volatile, so that no compiler can end the loop at the first difference, and so that the
     * count of bytes really compared is what a loop cut short by a fault would betray. */
    const volatile uint8_t *left = a, *right = b;
    volatile size_t compared = 0;
    size_t difference = 0, differs;

    for (size_t i = 0; i < length; i++) {
        difference |= (size_t)(left[i] ^ right[i]);
        compared++;
    }
    difference |= compared ^ length;
    /* 1 if any bit of the difference is set, without a branch */
    differs = (difference | ((size_t)0 - difference)) >> (sizeof difference * 8 - 1);
    /* the two constants are each other's complement, so all bits change or none */
    return COS_YES ^ ((cos_truth)0 - (cos_truth)differs);
}

void cos_wipe(void *data, size_t length)
{
    if (length == 0) {
        return; /* data may be NULL */
    }
    memset(data, 0, length);
    /* For all that the compiler may know, the zeros are read here. */
    __asm__ volatile("" : : "r"(data) : "memory");
}
