/* SPDX-License-Identifier: Apache-2.0
 *
 * The answer to reset, both ways: ATRs of real cards, the default one, every malformed and every
 * reserved value.
 */
#include "cos/atr.h"
#include "cos/pps.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* The interface bytes as the vectors list them: "TA1=96 TD1=80 ...", which are where the standard
 * has them. */
static size_t list_interface(const uint8_t *atr, char *text)
{
    size_t at = 2;
    unsigned group = 1;
    uint8_t indicator = atr[1];

    text[0] = '\0';
    for (;; group++) {
        uint8_t next = 0;
        for (unsigned n = 0; n < 4; n++) {
            if ((indicator & 0x10U << n) != 0) {
                next = atr[at++];
                sprintf(text + strlen(text), "%sT%c%u=%02X", text[0] != '\0' ? " " : "", "ABCD"[n],
                        group, next);
            }
        }
        if ((indicator & 0x80U) == 0) {
            return at;
        }
        indicator = next;
    }
}

static void check_parameters(const struct vector_section *section, const struct cos_atr *atr)
{
    static const struct {
        const char *key;
        enum cos_atr_index index;
        uint8_t mask, shift;
    } numbers[] = {
        {"n_n", COS_ATR_TC1, 0xFF, 0},       {"wi_n", COS_ATR_TC2, 0xFF, 0},
        {"ifsc_n", COS_ATR_IFSC, 0xFF, 0},   {"bwi_n", COS_ATR_BWI_CWI, 0xF0, 4},
        {"cwi_n", COS_ATR_BWI_CWI, 0x0F, 0},
    };
    const char *protocols = vector_text(section, "protocols");

    assert_int_equal(cos_fi(atr->bytes[COS_ATR_TA1]), vector_number(section, "fi_n"));
    assert_int_equal(cos_di(atr->bytes[COS_ATR_TA1]), vector_number(section, "di_n"));
    for (size_t i = 0; i < COUNT(numbers); i++) {
        if (vector_find(section, "%s", numbers[i].key) != NULL) {
            assert_int_equal((atr->bytes[numbers[i].index] & numbers[i].mask) >> numbers[i].shift,
                             vector_number(section, "%s", numbers[i].key));
        }
    }
    if (vector_find(section, "edc") != NULL) {
        assert_int_equal(atr->bytes[COS_ATR_EDC],
                         strcmp(vector_text(section, "edc"), "CRC") == 0 ? 1 : 0);
    }
    if (vector_find(section, "t15_clock_stop_and_class") != NULL) {
        assert_int_equal(atr->bytes[COS_ATR_CLOCK_CLASS],
                         *vector_exactly(section, 1, "t15_clock_stop_and_class"));
    }
    assert_int_equal(atr->first, protocols[2] - '0');
    unsigned offered = 0;
    for (const char *word = protocols; word != NULL; word = strchr(word + 1, ' ')) {
        const unsigned long protocol = strtoul(strchr(word, '=') + 1, NULL, 10);
        offered |= protocol < 15 ? 1U << protocol : 0;
    }
    assert_int_equal(atr->offered, offered);
}

static void atrs_of_real_cards(void **state)
{
    struct vectors *vectors = vectors_open("iso7816-3-atr.txt");
    size_t seen = 0;

    (void)state;
    for (size_t i = 0; i < vectors->count; i++) {
        const struct vector_section *section = &vectors->sections[i];
        struct cos_atr atr;
        uint8_t again[COS_ATR_MAX];
        char interface[128];
        if (vector_find(section, "atr") == NULL) {
            continue;
        }
        const struct cos_span bytes = vector_bytes(section, "atr");
        assert_int_equal(cos_atr_read(bytes.data, bytes.length, &atr), COS_OK);
        assert_int_equal(cos_atr_write(&atr, again, sizeof again), bytes.length);
        assert_memory_equal(again, bytes.data, bytes.length);
        assert_int_equal(cos_atr_write(&atr, again, bytes.length - 1), 0);
        seen++;
        if (vector_find(section, "convention") == NULL) {
            continue;
        }
        check_parameters(section, &atr);
        assert_int_equal(atr.inverse, strcmp(vector_text(section, "convention"), "inverse") == 0);
        assert_int_equal((atr.present & COS_ATR_PRESENT(COS_ATR_TA2)) != 0,
                         strcmp(vector_text(section, "mode"), "specific") == 0);
        const struct cos_span historical = vector_bytes(section, "historical");
        assert_int_equal(atr.historical_length, historical.length);
        assert_memory_equal(atr.historical, historical.data, historical.length);
        const size_t interface_end = list_interface(bytes.data, interface);
        assert_string_equal(interface, vector_text(section, "interface"));
        assert_memory_equal(bytes.data + interface_end, historical.data, historical.length);
    }
    assert_int_equal(seen, 16);
    vectors_close(vectors);
}

static void malformed(void **state)
{
    struct vectors *vectors = vectors_open("iso7816-3-atr.txt");
    const struct vector_section *section = vectors_section(vectors, "malformed");
    struct cos_atr atr = {.first = 0x5A};
    unsigned i = 0;

    (void)state;
    for (; vector_find(section, "bad%u", i) != NULL; i++) {
        const struct cos_span bytes = vector_bytes(section, "bad%u", i);
        if (cos_atr_read(bytes.data, bytes.length, &atr) != COS_E_DATA) {
            fail_msg("taken: %s", vector_text(section, "why%u", i));
        }
        assert_int_equal(atr.first, 0x5A);
    }
    assert_int_equal(i, 8);
    assert_int_equal(cos_atr_read(NULL, 0, &atr), COS_E_DATA);
    vectors_close(vectors);
}

/* Which values a byte may have. */
static bool may_be(enum cos_atr_index index, unsigned value)
{
    const unsigned classes = value & 0x3F;

    switch (index) {
    case COS_ATR_TA1:
        return "1111111..11111.."[value >> 4] == '1' && ".111111111......"[value & 15] == '1';
    case COS_ATR_TA2:
        return (value & 0x6F) <= 1;
    case COS_ATR_TC2:
        return value != 0;
    case COS_ATR_IFSC:
        return value != 0 && value != 255;
    case COS_ATR_BWI_CWI:
        return value < 0xA0;
    case COS_ATR_EDC:
        return value < 2;
    case COS_ATR_CLOCK_CLASS:
        return classes != 0 && classes < 8 && classes != 5;
    default:
        return true;
    }
}

/* ATRs that have every byte there is, of T=0 and T=1 and of T=1 alone. */
static void every_value_of_every_byte(void **state)
{
    (void)state;
    for (unsigned test = 0; test < 2 * 11 * 256; test++) {
        const enum cos_atr_index index = (enum cos_atr_index)(test / 2 % 11);
        const unsigned value = test / 22;
        uint8_t written[COS_ATR_MAX];
        struct cos_atr read;
        struct cos_atr atr = {
            .first = (uint8_t)(test % 2),
            .offered = test % 2 == 0 ? 3 : 2,
            .present = 0x07FF,
            .bytes = {0x96, 0x25, 0x02, 0x81, 0x01, 0x0B, 0xFE, 0x45, 0x01, 0xC7, 0x80},
            .historical_length = 3,
            .historical = {0x80, 0x31, 0xC8},
        };
        const bool other = index == COS_ATR_TA2 && test % 2 != 0 && (value & 0x0F) == 0;
        atr.bytes[index] = (uint8_t)value;
        const size_t length = cos_atr_write(&atr, written, sizeof written);
        assert_int_equal(length, may_be(index, value) && !other ? 20 : 0);
        if (length != 0) {
            assert_int_equal(cos_atr_read(written, length, &read), COS_OK);
            assert_memory_equal(&read, &atr, sizeof atr);
        }
    }
}

/* Any set of bytes, any first protocol: what is written is read again, with the values that hold
 * for what is not there. */
static void every_set_of_bytes(void **state)
{
    static const uint8_t usual[12] = {0x11, 0, 0, 0, 0, 10, 32, 0x4D, 0, 1, 0, 0};
    static const uint8_t values[12] = {0x96, 0x25, 0xFF, 0x10, 1, 20, 254, 0x95, 1, 0x83, 0x80, 0};

    (void)state;
    for (unsigned set = 0; set < 1U << 11; set++) {
        for (unsigned protocols = 0; protocols < 3; protocols++) {
            struct cos_atr read, atr = {.present = (uint16_t)set, .historical_length = 1};
            uint8_t bytes[COS_ATR_MAX];
            atr.first = (uint8_t)(protocols & 1);
            atr.offered = (uint8_t)(protocols >= 2 ? 3 : 1 << atr.first);
            memcpy(atr.bytes, values, sizeof values);
            atr.bytes[COS_ATR_TA2] = atr.first;
            const size_t length = cos_atr_write(&atr, bytes, sizeof bytes);
            assert_int_not_equal(length, 0);
            assert_int_equal(cos_atr_read(bytes, length, &read), COS_OK);
            /* A card without T=1 has no place for its bytes. */
            const unsigned there = atr.offered == 1 ? set & ~0x1C0U : set;
            assert_int_equal(read.present, there);
            assert_int_equal(read.first, atr.first);
            assert_int_equal(read.offered, atr.offered);
            for (unsigned i = 0; i < 11; i++) {
                assert_int_equal(read.bytes[i], (there >> i & 1U) != 0 ? atr.bytes[i] : usual[i]);
            }
        }
    }
}

/* What start.c has as constant bytes. */
static void the_default_one(void **state)
{
    static const uint8_t bytes[] = {0x3B, 0x87, 0x80, 0x31, 0xFE, 0x45, 0x80,
                                    0x31, 0xC8, 0x73, 0xF7, 0xC1, 0x00, 0xB1};
    struct cos_atr atr = {
        .first = 0,
        .offered = 3,
        .present = COS_ATR_PRESENT(COS_ATR_IFSC) | COS_ATR_PRESENT(COS_ATR_BWI_CWI),
        .bytes = {[COS_ATR_IFSC] = 254, [COS_ATR_BWI_CWI] = 0x45},
    };
    const struct cos_atr_historical historical = {
        .category = 0x80,
        .with_services = true,
        .services = 0xC8,
        .capability_bytes = 3,
        .capabilities = {0xF7, 0xC1, 0x00},
    };
    uint8_t written[COS_ATR_MAX];

    (void)state;
    assert_int_equal(cos_atr_set_historical(&atr, &historical), COS_OK);
    assert_int_equal(cos_atr_write(&atr, written, sizeof written), sizeof bytes);
    assert_memory_equal(written, bytes, sizeof bytes);
}

static void historical_bytes(void **state)
{
    static const struct {
        const char *what;
        struct cos_atr_historical parts;
        const char *bytes;
        size_t length;
    } rows[] = {
        {"OpenPGP card",
         {0x00, true, 0xC5, 3, {0xC0, 0x01, 0x40}, false, 0x05, 0x9000},
         "\x00\x31\xC5\x73\xC0\x01\x40\x05\x90\x00",
         10},
        {"status alone", {.category = 0x00, .sw = 0x9000}, "\x00\x00\x90\x00", 4},
        {"nothing", {.category = 0x80}, "\x80", 1},
        {"all, status as an object",
         {0x80, true, 0x00, 3, {1, 2, 3}, true, 0x07, 0x6283},
         "\x80\x31\x00\x73\x01\x02\x03\x83\x07\x62\x83",
         11},
        {"one byte of capabilities",
         {.category = 0x80, .capability_bytes = 1, .capabilities = {0x40}},
         "\x80\x71\x40",
         3},
    };
    struct cos_atr atr = {.historical_length = 9};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(cos_atr_set_historical(&atr, &rows[i].parts), COS_OK);
        assert_int_equal(atr.historical_length, rows[i].length);
        assert_memory_equal(atr.historical, rows[i].bytes, rows[i].length);
    }
    const struct cos_atr_historical bad[] = {
        {.category = 0x10}, {.category = 0x81}, {.category = 0x80, .capability_bytes = 4}};
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(cos_atr_set_historical(&atr, &bad[i]), COS_E_DATA);
        assert_int_equal(atr.historical_length, rows[COUNT(rows) - 1].length);
    }
    atr.historical_length = 16;
    uint8_t bytes[COS_ATR_MAX + 8];
    assert_int_equal(cos_atr_write(&atr, bytes, sizeof bytes), 0);
}

static void what_no_card_may_say(void **state)
{
    static const struct {
        const char *what, *bytes;
        size_t length;
    } rows[] = {
        {"T=15 in TD1", "\x3B\x80\x0F\x8F", 4},
        {"T=14", "\x3B\x80\x0E\x8E", 4},
        {"T=2 behind T=1", "\x3B\x80\x81\x02\x03", 5},
        {"T=0 behind T=1", "\x3B\x80\x81\x00\x01", 5},
        {"T=1 behind T=15", "\x3B\x80\x80\x8F\x01\x8E", 6},
        {"T=0 behind T=15", "\x3B\x80\x80\x8F\x00\x8F", 6},
        {"TA2 of a protocol that is not offered", "\x3B\x80\x11\x00\x91", 5},
        {"T=0 alone with TCK", "\x3B\x80\x00\x80", 4},
        {"T=0 and T=15 without TCK", "\x3B\x80\x80\x1F\x01", 5},
        {"endless", "\x3B\x80\x80\x80\x80\x80\x80\x80\x80\x80", 10},
    };
    struct cos_atr atr;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (cos_atr_read((const uint8_t *)rows[i].bytes, rows[i].length, &atr) != COS_E_DATA) {
            fail_msg("taken: %s", rows[i].what);
        }
    }
    /* No ATR can be made that says so. */
    const struct cos_atr descending = {.first = 1, .offered = 3};
    uint8_t made[COS_ATR_MAX];
    assert_int_equal(cos_atr_write(&descending, made, sizeof made), 0);
    /* the same with what was wrong put right */
    assert_int_equal(cos_atr_read((const uint8_t *)"\x3B\x80\x80\x01\x01", 5, &atr), COS_OK);
    assert_int_equal(cos_atr_read((const uint8_t *)"\x3B\x80\x11\x01\x90", 5, &atr), COS_OK);
    assert_int_equal(cos_atr_read((const uint8_t *)"\x3B\x80\x80\x1F\x01\x1E", 6, &atr), COS_OK);
}

/* TS and 32 bytes, and not one more. */
static void the_longest(void **state)
{
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        uint8_t atr[COS_ATR_MAX + 1] = {0x3B, 0x8F};
        const size_t length = COS_ATR_MAX + more;
        struct cos_atr read;
        memset(atr + 2, 0x81, 14 + more);
        atr[16 + more] = 0x01;
        for (size_t i = 1; i < length - 1; i++) {
            atr[length - 1] ^= atr[i];
        }
        assert_int_equal(cos_atr_read(atr, length, &read), more == 0 ? COS_OK : COS_E_DATA);
    }
}

/* Bytes of T=1 that stand twice: the first ones hold. */
static void the_first_bytes_hold(void **state)
{
    uint8_t atr[] = {0x3B, 0x80, 0x81, 0xF1, 0x10, 0x25, 0x01, 0x71, 0x20, 0x36, 0x00, 0};
    struct cos_atr read;

    (void)state;
    for (size_t i = 1; i < sizeof atr - 1; i++) {
        atr[sizeof atr - 1] ^= atr[i];
    }
    assert_int_equal(cos_atr_read(atr, sizeof atr, &read), COS_OK);
    assert_int_equal(read.bytes[COS_ATR_IFSC], 0x10);
    assert_int_equal(read.bytes[COS_ATR_BWI_CWI], 0x25);
    assert_int_equal(read.bytes[COS_ATR_EDC], 0x01);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(atrs_of_real_cards),        cmocka_unit_test(malformed),
        cmocka_unit_test(every_value_of_every_byte), cmocka_unit_test(every_set_of_bytes),
        cmocka_unit_test(the_default_one),           cmocka_unit_test(historical_bytes),
        cmocka_unit_test(what_no_card_may_say),      cmocka_unit_test(the_longest),
        cmocka_unit_test(the_first_bytes_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
