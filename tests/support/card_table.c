/* SPDX-License-Identifier: Apache-2.0 */
#include "card_table.h"

#include "cos/tlv.h"
#include "twinctl/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

size_t bench_bytes(const char *hex, uint8_t *bytes, size_t capacity)
{
    size_t length;

    if (!hex_read(hex, bytes, capacity, &length)) {
        fail_msg("not hexadecimal, or too long: %s", hex);
    }
    return length;
}

/* ---- NVM ---- */

static const struct sim_nvm *chip(const struct bench *bench, size_t i)
{
    return i == 0 ? &bench->app_nvm : &bench->secure_nvm;
}

void card_image_take(const struct bench *bench, struct card_image *image)
{
    image->operations = bench->power.operations;
    for (size_t i = 0; i < 2; i++) {
        const struct sim_nvm *nvm = chip(bench, i);
        image->cells[i] = malloc(nvm->nvm.geometry.size);
        assert_non_null(image->cells[i]);
        memcpy(image->cells[i], nvm->cells, nvm->nvm.geometry.size);
    }
}

bool card_image_same(const struct bench *bench, struct card_image *image)
{
    bool same = image->operations == bench->power.operations;

    for (size_t i = 0; i < 2; i++) {
        const struct sim_nvm *nvm = chip(bench, i);
        same = same && memcmp(image->cells[i], nvm->cells, nvm->nvm.geometry.size) == 0;
        free(image->cells[i]);
        image->cells[i] = NULL;
    }
    return same;
}

bool card_nvm_contains(const struct sim_nvm *nvm, const void *needle, size_t length)
{
    return bench_contains(nvm->cells, nvm->nvm.geometry.size, needle, length);
}

/* ---- Commands ---- */

static bool answered(const struct bench *bench, const char *expected)
{
    uint8_t bytes[BENCH_RESPONSE];
    char text[2 * BENCH_RESPONSE + 2];
    bool prefix = false;

    if (expected == NULL) {
        return bench->length == 0;
    }
    snprintf(text, sizeof text, "%s", expected);
    size_t end = strlen(text);
    if (end > 0 && text[end - 1] == '*') {
        text[end - 1] = 0;
        prefix = true;
    }
    size_t length = bench_bytes(text, bytes, sizeof bytes);
    return (prefix ? bench->length >= length : bench->length == length) &&
           memcmp(bench->data, bytes, length) == 0;
}

static void describe(const struct bench *bench, const struct card_row *row, const char *how)
{
    char hex[2 * BENCH_RESPONSE + 1];

    print_error("%s (%s): %s\n  wanted %s %04X\n  got    %s %04X\n", row->what, row->apdu, how,
                row->data == NULL ? "" : row->data, row->sw,
                hex_write(bench->data, bench->length, hex), bench->sw);
}

/* NVM must be as it was after an error (ISO/IEC 7816-4:2013, table 5: but for 63 and 65; and 6F,
 * for a fault is counted), and after a success that writes nothing. */
static bool must_keep(const struct card_row *row, uint16_t sw)
{
    const unsigned kind = sw >> 8;

    if ((row->flags & CARD_KEEPS) != 0 || kind == 0x61 || kind == 0x62) {
        return true;
    }
    return (row->flags & CARD_WRITES) == 0 && kind != 0x90 && kind != 0x63 && kind != 0x65 &&
           kind != 0x6F;
}

static bool run_row(struct bench *bench, const struct card_row *row)
{
    struct card_image image;

    card_image_take(bench, &image);
    uint16_t sw =
        (row->flags & CARD_SM) != 0 ? bench_sm_hex(bench, row->apdu) : bench_hex(bench, row->apdu);
    bool same = card_image_same(bench, &image);
    if (sw != row->sw || !answered(bench, row->data)) {
        describe(bench, row, "another answer");
        return false;
    }
    if (!same && must_keep(row, sw)) {
        describe(bench, row, "NVM has changed");
        return false;
    }
    return true;
}

void bench_rows(struct bench *bench, const struct card_row *rows, size_t count)
{
    size_t bad = 0;

    for (size_t i = 0; i < count; i++) {
        bad += run_row(bench, &rows[i]) ? 0 : 1;
    }
    if (bad != 0) {
        fail_msg("%zu of %zu commands", bad, count);
    }
}

static void do_one(struct bench *bench, const char *apdu, uint16_t sw, const char *data,
                   unsigned flags)
{
    const struct card_row row = {"", apdu, sw, data, flags};

    bench_rows(bench, &row, 1);
}

void bench_expect(struct bench *bench, const char *apdu, uint16_t sw, const char *data)
{
    do_one(bench, apdu, sw, data, 0);
}

void bench_expect_sm(struct bench *bench, const char *apdu, uint16_t sw, const char *data)
{
    do_one(bench, apdu, sw, data, CARD_SM);
}

uint16_t bench_create(struct bench *bench, bool secured, const char *fcp)
{
    uint8_t value[240], apdu[BENCH_APDU_MAX] = {0x00, 0xE0, 0x00, 0x00};
    struct cos_writer writer = cos_writer(apdu + 5, sizeof apdu - 5);

    cos_tlv_write(&writer, 0x62, value, bench_bytes(fcp, value, sizeof value));
    apdu[4] = (uint8_t)writer.length;
    return secured ? bench_sm(bench, 0x00, 0xE0, 0x00, 0x00, apdu + 5, writer.length)
                   : bench_apdu(bench, apdu, writer.length + 5);
}

void bench_create_files(struct bench *bench, const char *select_df, const char *const *fcps,
                        size_t count)
{
    bench_session(bench, 0x03);
    for (size_t i = 0; i < count; i++) {
        bench_expect_sm(bench, select_df, 0x9000, NULL);
        assert_int_equal(bench_create(bench, true, fcps[i]), 0x9000);
    }
}

uint16_t bench_store(struct bench *bench, const char *dgis)
{
    uint8_t data[BENCH_APDU_MAX];
    size_t length = bench_bytes(dgis, data, sizeof data);

    return bench_sm(bench, 0x80, 0xE2, 0xE0, 0x00, data, length);
}

uint16_t bench_store_one(struct bench *bench, const char *number, const char *value)
{
    uint8_t bytes[256];
    char dgi[600];

    (void)snprintf(dgi, sizeof dgi, "%s %02X %s", number,
                   (unsigned)bench_bytes(value, bytes, sizeof bytes), value);
    return bench_store(bench, dgi);
}

void bench_store_pins(struct bench *bench, const char *const *pins, size_t count)
{
    bench_session(bench, 0x03);
    for (size_t i = 0; i < count; i++) {
        if (bench_store_one(bench, "8010", pins[i]) != 0x9000) {
            fail_msg("%s: %04X", pins[i], bench->sw);
        }
    }
}

void bench_session(struct bench *bench, uint8_t level)
{
    assert_int_equal(bench_sm_open(bench, 0x01, level), 0x9000);
}

void bench_select(struct bench *bench)
{
    bench_expect(bench, BENCH_APPLICATION, 0x9000, NULL);
}

void bench_reset(struct bench *bench)
{
    bench_power_off(bench);
    assert_true(bench_power_on(bench));
}

void bench_wrap(struct bench *bench, const char *plain, struct bytes *apdu)
{
    uint8_t bytes[BENCH_APDU_MAX];
    size_t length = bench_bytes(plain, bytes, sizeof bytes);
    const struct command command = {.cla = bytes[0],
                                    .ins = bytes[1],
                                    .p1 = bytes[2],
                                    .p2 = bytes[3],
                                    .data = bytes + 5,
                                    .nc = length > 5 ? bytes[4] : 0,
                                    .ne = 256};

    *apdu = (struct bytes){0};
    assert_true(scp03_wrap(&bench->scp03, &command, apdu));
}

/* ---- Key sets ---- */

uint16_t bench_open_keys(struct bench *bench, const struct scp03_keys *keys, uint8_t key_version,
                         uint8_t level)
{
    static const uint8_t aid[] = {0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00, 0x00};
    const uint8_t begin[] = {0x80, 0x50, key_version, 0x00, 8, 8, 7, 6, 5, 4, 3, 2, 1, 0};
    struct problem problem;
    struct bytes apdu = {0};

    if (bench_apdu(bench, begin, sizeof begin) != 0x9000) {
        return bench->sw;
    }
    if (scp03_begin(&bench->scp03, keys, key_version, (struct part){aid, sizeof aid},
                    (struct part){begin + 5, SCP03_CHALLENGE},
                    (struct part){bench->data, bench->length}, &problem) != DONE) {
        return 0x6300;
    }
    assert_true(scp03_authenticate(&bench->scp03, level, &apdu));
    return bench_apdu(bench, apdu.data, apdu.length);
}

void bench_key_data(struct bytes *data, const struct scp03_keys *old, uint8_t key_version,
                    const struct scp03_keys *keys)
{
    static const uint8_t iv[AES_BLOCK];
    const uint8_t *const set[] = {keys->enc, keys->mac, keys->dek};
    const size_t padded = (keys->length + 15) / 16 * 16;

    *data = (struct bytes){0};
    bytes_add8(data, key_version);
    for (size_t i = 0; i < 3; i++) {
        uint8_t clear[32] = {0}, enciphered[32], check_value[3];
        memcpy(clear, set[i], keys->length);
        assert_true(crypto_aes_cbc_encipher(old->dek, old->length, iv, clear, padded, enciphered));
        assert_true(scp03_check_value(set[i], keys->length, check_value));
        bytes_add8(data, 0x88);
        bytes_add8(data, (unsigned)padded + 1);
        bytes_add8(data, (unsigned)keys->length);
        bytes_add(data, enciphered, padded);
        bytes_add8(data, sizeof check_value);
        bytes_add(data, check_value, sizeof check_value);
    }
    assert_false(data->failed);
}

uint16_t bench_put_keys(struct bench *bench, const struct scp03_keys *old, uint8_t old_version,
                        uint8_t key_version, const struct scp03_keys *keys)
{
    struct bytes data;

    bench_key_data(&data, old, key_version, keys);
    return bench_sm(bench, 0x80, 0xD8, old_version, 0x81, data.data, data.length);
}

/* ---- Fixtures ---- */

int card_make(void **state)
{
    struct bench *bench = malloc(sizeof *bench);

    bench_make(bench, &bench_host);
    *state = bench;
    return 0;
}

int card_make_blank(void **state)
{
    struct bench *bench = malloc(sizeof *bench);

    bench_init(bench, &bench_host);
    *state = bench;
    return bench_power_on(bench) ? 0 : -1;
}

int card_free(void **state)
{
    struct bench *bench = *state;

    bench_free(bench);
    free(bench);
    return 0;
}
