/* SPDX-License-Identifier: Apache-2.0
 *
 * Error detection codes of T=1 (ISO/IEC 7816-3:2006, 11.4.4), bit by bit.
 */
#ifndef FUZZ_EDC_H
#define FUZZ_EDC_H

#include "cos/t1.h"

/* Writes the code of a block as it is sent, and returns how many bytes it has. */
static inline size_t edc_of(enum cos_t1_edc kind, const uint8_t *bytes, size_t length,
                            uint8_t edc[2])
{
    uint16_t crc = 0xFFFF;
    uint8_t lrc = 0;

    for (size_t i = 0; i < length; i++) {
        lrc ^= bytes[i];
        crc ^= bytes[i];
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = (crc & 1) != 0 ? (uint16_t)(crc >> 1 ^ 0x8408) : (uint16_t)(crc >> 1);
        }
    }
    if (kind == COS_T1_LRC) {
        edc[0] = lrc;
        return 1;
    }
    const bool iso = kind == COS_T1_CRC_13239;
    crc = iso ? (uint16_t)~crc : crc;
    edc[iso ? 1 : 0] = (uint8_t)(crc >> 8);
    edc[iso ? 0 : 1] = (uint8_t)crc;
    return 2;
}

static inline size_t edc_size(enum cos_t1_edc kind)
{
    return kind == COS_T1_LRC ? 1 : 2;
}

#endif
