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
    size_t length; /* of one of the two */
} keys[ISO_KEYS] = {
    {"AB94FDECF2674FDFB9B391F85D7F76F2", "7962D9ECE03D1ACD4C76089DCE131543", 0x85, false, 16},
    {"31C7E04B95D2A86F1E73BC0894AD5260", "D80F6B3E92A1475CB7E41D239068FA15", 0x86, true, 16},
    {"5A3BC198E670F42D8B1955AC03DE7F61", "20E4871BD69C3A50F7624EBD918C05A3", 0x03, true, 16},
    {"6C1F93D4207AE85B81C6340EF79A2D5813B04E67A9FC8215",
     "F20D6B48935CA1E77D3F0892BE65C41A50E9876D3BA214CF", 0x88, true, 24},
    {"8B02C7F15D94E63A7018AD5CB3F9264ED7413A860EF5928C6B24D9017FE3B85A",
     "15E86A9C03D7F24BB1507E3D98C6AF2247FB0D6591E83CDA70A25B1EC4F68397", 0x89, true, 32},
};

void iso_store_keys(struct bench *bench, const char *attributes)
{
    for (size_t i = 0; i < ISO_KEYS; i++) {
        char value[256];
        snprintf(value, sizeof value, "8301%02X %s 8001%02X 950180 %s C7%02zX%s%s",
                 keys[i].reference & 0x1F,
                 (keys[i].reference & 0x80) != 0 ? "8409F05457494E434F5301" : "",
                 keys[i].aes ? 1 : 2, attributes, 2 * keys[i].length, keys[i].k_enc, keys[i].k_mac);
        assert_int_equal(bench_store_one(bench, "8020", value), 0x9000);
    }
}

struct iso_sm iso_key_of(enum iso_key key)
{
    struct iso_sm sm = {.aes = keys[key].aes, .key_length = keys[key].length};

    bench_bytes(keys[key].k_enc, sm.enc, sizeof sm.enc);
    bench_bytes(keys[key].k_mac, sm.mac, sizeof sm.mac);
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
