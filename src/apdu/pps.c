/* SPDX-License-Identifier: Apache-2.0
 *
 * Protocol and parameters selection, ISO/IEC 7816-3:2006, 9.
 */
#include "cos/pps.h"

enum {
    PPSS = 0xFF,
    PPS0_RESERVED = 0x80,
    PPS0_PPS1 = 0x10,
    PPS0_PPS2 = 0x20,
    PPS0_PPS3 = 0x40,
    PPS0_PROTOCOL = 0x0F,
    SHORTEST = 3, /* PPSS PPS0 PCK */
};

uint16_t cos_fi(uint8_t fi_di)
{
    static const uint16_t table[16] = {372, 372, 558, 744,  1116, 1488, 1860, 0,
                                       0,   512, 768, 1024, 1536, 2048, 0,    0};

    return table[fi_di >> 4];
}

uint8_t cos_di(uint8_t fi_di)
{
    static const uint8_t table[16] = {0, 1, 2, 4, 8, 16, 32, 64, 12, 20, 0, 0, 0, 0, 0, 0};

    return table[fi_di & 0x0F];
}

uint16_t cos_f_max(uint8_t fi_di)
{
    static const uint16_t table[16] = {4000, 5000, 6000, 8000,  12000, 16000, 20000, 0,
                                       0,    5000, 7500, 10000, 15000, 20000, 0,     0};

    return table[fi_di >> 4];
}

size_t cos_pps_length(uint8_t pps0)
{
    return SHORTEST + ((pps0 & PPS0_PPS1) != 0 ? 1U : 0U) + ((pps0 & PPS0_PPS2) != 0 ? 1U : 0U) +
           ((pps0 & PPS0_PPS3) != 0 ? 1U : 0U);
}

bool cos_pps_can_do(const uint16_t *pairs, uint8_t fi_di)
{
    if (fi_di == COS_FI_DI_DEFAULT) {
        return true;
    }
    return pairs != NULL && cos_fi(fi_di) != 0 && cos_di(fi_di) != 0 &&
           ((unsigned)pairs[fi_di >> 4] & 1U << (fi_di & 0x0F)) != 0;
}

enum cos_result cos_pps_answer(const struct cos_pps_offer *offer, const uint8_t *request,
                               size_t length, struct cos_pps *pps)
{
    uint8_t check = 0;

    COS_CHECK(length >= SHORTEST && request[0] == PPSS && (request[1] & PPS0_RESERVED) == 0 &&
                  length == cos_pps_length(request[1]),
              COS_E_DATA);
    for (size_t i = 0; i < length; i++) {
        check ^= request[i];
    }
    const uint8_t protocol = request[1] & PPS0_PROTOCOL;
    COS_CHECK(check == 0 && (offer->protocols & 1U << protocol) != 0, COS_E_DATA);

    *pps = (struct cos_pps){
        .protocol = protocol, .fi_di = COS_FI_DI_DEFAULT, .answer = {PPSS, protocol}, .length = 2};
    if ((request[1] & PPS0_PPS1) != 0 && cos_pps_can_do(offer->pairs, request[2])) {
        pps->fi_di = request[2];
        pps->answer[1] |= PPS0_PPS1;
        pps->answer[pps->length++] = request[2];
    }
    check = 0;
    for (size_t i = 0; i < pps->length; i++) {
        check ^= pps->answer[i];
    }
    pps->answer[pps->length++] = check;
    return COS_OK;
}
