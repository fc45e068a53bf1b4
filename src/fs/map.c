/* SPDX-License-Identifier: Apache-2.0 */
#include "map.h"

bool cos_map_is_live(const struct cos_store *store, uint16_t page)
{
    for (size_t i = 0; i < store->logical_pages; i++) {
        if (store->config.map[i] == page) {
            return true;
        }
    }
    return false;
}

uint16_t cos_map_next_free(const struct cos_store *store, uint16_t page)
{
    do {
        page = (uint16_t)(page + 1U < store->config.pages ? page + 1U : 0U);
    } while (cos_map_is_live(store, page));
    return page;
}

/* Any mixing does that makes it unlikely that two changes cancel. */
uint32_t cos_map_digest(uint16_t logical, uint32_t sequence)
{
    uint32_t h = sequence * 0x9E3779B1U ^ (logical + 1U) * 0x85EBCA6BU;

    h = (h ^ (h >> 15)) * 0x2C1B3C6DU;
    return h ^ (h >> 13);
}
