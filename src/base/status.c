/* SPDX-License-Identifier: Apache-2.0
 *
 * From results to status words, ISO/IEC 7816-4:2013, 5.1.3: the only place where they meet.
 */
#include "cos/status.h"

/* Indexed by the negated result; what has no word here is 0. */
static const uint16_t words[] = {
    [-COS_OK] = COS_SW_OK,
    [-COS_E_END_REACHED] = 0x6282,
    [-COS_E_FILE_DEACTIVATED] = 0x6283,
    [-COS_E_AUTHENTICATION] = 0x6300,
    [-COS_E_MEMORY_FAILURE] = 0x6581,
    [-COS_E_LENGTH] = COS_SW_WRONG_LENGTH,
    [-COS_E_CHANNEL] = 0x6881,
    [-COS_E_SECURE_MESSAGING] = 0x6882,
    [-COS_E_CHAINING] = 0x6884,
    [-COS_E_FILE_STRUCTURE] = 0x6981,
    [-COS_E_SECURITY_STATUS] = 0x6982,
    [-COS_E_METHOD_BLOCKED] = 0x6983,
    [-COS_E_NOT_USABLE] = 0x6984,
    [-COS_E_CONDITIONS] = 0x6985,
    [-COS_E_NO_CURRENT_EF] = 0x6986,
    [-COS_E_SM_MISSING] = 0x6987,
    [-COS_E_SM_INCORRECT] = 0x6988,
    [-COS_E_DATA] = 0x6A80,
    [-COS_E_FUNCTION] = 0x6A81,
    [-COS_E_FILE_NOT_FOUND] = 0x6A82,
    [-COS_E_RECORD_NOT_FOUND] = 0x6A83,
    [-COS_E_MEMORY_FULL] = 0x6A84,
    [-COS_E_TLV_LENGTH] = 0x6A85,
    [-COS_E_P1_P2] = 0x6A86,
    [-COS_E_LENGTH_P1_P2] = 0x6A87,
    [-COS_E_REFERENCE_NOT_FOUND] = 0x6A88,
    [-COS_E_FILE_EXISTS] = 0x6A89,
    [-COS_E_NAME_EXISTS] = 0x6A8A,
    [-COS_E_OFFSET] = 0x6B00,
    [-COS_E_INSTRUCTION] = 0x6D00,
    [-COS_E_CLASS] = 0x6E00,
    [-COS_E_FILE_TERMINATED] = 0x6285,
    [-COS_E_SHARED_ACCESS] = 0x6481,
    [-COS_E_EXECUTION] = 0x6400,
};

uint16_t cos_sw(enum cos_result result)
{
    const int value = (int)result;
    const int last = (int)(sizeof words / sizeof words[0]) - 1;

    if (value <= COS_E_TRIES_0 && value >= COS_E_TRIES_15) {
        return (uint16_t)(0x63C0 + (COS_E_TRIES_0 - value));
    }
    if (result == COS_E_MORE_DATA) {
        return 0x6310; /* GPCS 11.4.3.2 */
    }
    if (value > 0 || value < -last || words[-value] == 0) {
        return COS_SW_NO_DIAGNOSIS;
    }
    return words[-value];
}
