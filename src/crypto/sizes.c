/* SPDX-License-Identifier: Apache-2.0
 *
 * Lengths of the hash functions (FIPS 180-4, figure 1) and of the curves (SP 800-186, 3.2.1).
 */
#include "cos/crypto.h"

size_t cos_hash_size(enum cos_hash which)
{
    static const uint8_t sizes[COS_HASHES] = {20, 28, 32, 48, 64};
    return sizes[which];
}

size_t cos_hash_block(enum cos_hash which)
{
    return which < COS_SHA384 ? 64 : 128;
}

size_t cos_hash_state(enum cos_hash which)
{
    return which == COS_SHA1 ? 20 : which < COS_SHA384 ? 32 : 64;
}

size_t cos_ec_size(enum cos_curve curve)
{
    static const uint8_t sizes[COS_CURVES] = {32, 48, 66};
    return sizes[curve];
}
