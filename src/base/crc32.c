/* SPDX-License-Identifier: Apache-2.0
 *
 * CRC-32 of IEEE 802.3, half a byte a step: a table of 64 bytes instead of 1 KiB, about twice the
 * time.
 */
#include "cos/bytes.h"

/* The remainders of the sixteen nibbles, polynomial EDB88320 (reflected). */
static const uint32_t remainders[16] = {
    0x00000000U, 0x1DB71064U, 0x3B6E20C8U, 0x26D930ACU, 0x76DC4190U, 0x6B6B51F4U,
    0x4DB26158U, 0x5005713CU, 0xEDB88320U, 0xF00F9344U, 0xD6D6A3E8U, 0xCB61B38CU,
    0x9B64C2B0U, 0x86D3D2D4U, 0xA00AE278U, 0xBDBDF21CU,
};

uint32_t cos_crc32(uint32_t crc, const uint8_t *data, size_t length)
{
    crc = ~crc;
    for (size_t i = 0; i < length; i++) {
        crc ^= data[i];
        crc = (crc >> 4) ^ remainders[crc & 0x0F];
        crc = (crc >> 4) ^ remainders[crc & 0x0F];
    }
    return ~crc;
}
