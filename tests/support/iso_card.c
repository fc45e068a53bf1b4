/* SPDX-License-Identifier: Apache-2.0 */
#include "iso_card.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *k_enc, *k_mac;
    uint8_t reference;
    bool aes;
} keys[ISO_KEYS] = {
    {"AB94FDECF2674FDFB9B391F85D7F76F2", "7962D9ECE03D1ACD4C76089DCE131543", 0x85, false},
    {"31C7E04B95D2A86F1E73BC0894AD5260", "D80F6B3E92A1475CB7E41D239068FA15", 0x86, true},
    {"5A3BC198E670F42D8B1955AC03DE7F61", "20E4871BD69C3A50F7624EBD918C05A3", 0x03, true},
};

void iso_store_keys(struct bench *bench, const char *attributes)
{
    for (size_t i = 0; i < ISO_KEYS; i++) {
        char value[256];
        snprintf(value, sizeof value, "8301%02X %s 8001%02X 950180 %s C720%s%s",
                 keys[i].reference & 0x1F,
                 (keys[i].reference & 0x80) != 0 ? "8409F05457494E434F5301" : "",
                 keys[i].aes ? 1 : 2, attributes, keys[i].k_enc, keys[i].k_mac);
        assert_int_equal(bench_store_one(bench, "8020", value), 0x9000);
    }
}

struct iso_sm iso_key_of(enum iso_key key)
{
    struct iso_sm sm = {.aes = keys[key].aes, .key_length = 16};

    bench_bytes(keys[key].k_enc, sm.enc, 16);
    bench_bytes(keys[key].k_mac, sm.mac, 16);
    return sm;
}

uint8_t iso_reference_of(enum iso_key key)
{
    return keys[key].reference;
}

void iso_open(struct bench *bench, enum iso_key key, struct iso_sm *sm)
{
    bench_select(bench);
    *sm = iso_key_of(key);
    assert_int_equal(iso_authenticate(bench, keys[key].reference, sm), 0x9000);
}

void iso_expect(struct bench *bench, struct iso_sm *sm, const char *apdu, uint16_t sw,
                const char *data)
{
    const uint16_t got = iso_send(bench, sm, apdu);

    if (got != sw || (data == NULL ? bench->length != 0 : !bench_answered(bench, data))) {
        fail_msg("%s: %04X, %zu bytes", apdu, got, bench->length);
    }
}

int iso_card_make(void **state)
{
    if (card_make(state) != 0) {
        return -1;
    }
    bench_session(*state, 0x33);
    iso_store_keys(*state, "");
    bench_reset(*state);
    return 0;
}
