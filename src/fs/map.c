/* SPDX-License-Identifier: Apache-2.0 */
#include "map.h"

bool cos_map_is_live(const struct cos_store *store, uint16_t page)
{
    return ((unsigned)store->used[page / 8U] >> page % 8U & 1U) != 0;
}

void cos_map_clear(struct cos_store *store)
{
    memset(store->config.map, 0xFF, store->logical_pages * sizeof store->config.map[0]);
    memset(store->used, 0, sizeof store->used);
}

static void change_use(struct cos_store *store, uint16_t page)
{
    store->used[page / 8U] ^= (uint8_t)(1U << page % 8U);
}

void cos_map_set(struct cos_store *store, uint16_t logical, uint16_t page)
{
    uint16_t old = store->config.map[logical];

    if (old != PAGE_NONE) {
        change_use(store, old);
    }
    store->config.map[logical] = page;
    change_use(store, page);
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
