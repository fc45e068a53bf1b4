/* SPDX-License-Identifier: Apache-2.0
 *
 * How new bytes meet old ones, of files in either chip.
 */
#include "cos/bytes.h"

enum cos_combination cos_combination_of(uint8_t data_coding)
{
    return data_coding == 0 ? COS_COMBINE_OR : (enum cos_combination)(data_coding >> 5 & 0x03);
}

enum cos_result cos_combine(uint8_t *old, const uint8_t *data, size_t length,
                            enum cos_combination how)
{
    for (size_t i = 0; i < length; i++) {
        switch (how) {
        case COS_COMBINE_OR:
            old[i] |= data[i];
            break;
        case COS_COMBINE_AND:
            old[i] &= data[i];
            break;
        case COS_COMBINE_XOR:
            old[i] ^= data[i];
            break;
        case COS_COMBINE_ONCE:
            COS_CHECK(old[i] == 0, COS_E_CONDITIONS);
            old[i] = data[i];
            break;
        default:
            old[i] = data[i];
            break;
        }
    }
    return COS_OK;
}
