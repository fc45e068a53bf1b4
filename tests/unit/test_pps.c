/* SPDX-License-Identifier: Apache-2.0
 *
 * Protocol and parameters selection: the tables, the exchanges of the vectors, and every request
 * against the rules as the standard has them.
 */
#include "cos/pps.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What the card of the vectors can do: T=0 and T=1, at 372 and 512 with all speeds but 64; and that
 * with T=0 alone. */
static const uint16_t all_but_64[16] = {[1] = 0x037E, [9] = 0x037E};
static const uint16_t all[16] = {[1] = 0x03FE, [9] = 0x03FE};

static void tables(void **state)
{
    struct vectors *vectors = vectors_open("iso7816-3-atr.txt");
    const struct vector_section *section = vectors_section(vectors, "tables");
    const char *fi = vector_text(section, "fi"), *di = vector_text(section, "di");
    const char *f_max = vector_text(section, "f_max_mhz");

    (void)state;
    for (unsigned code = 0; code < 16; code++) {
        char *end;
        assert_int_equal(cos_fi((uint8_t)(code << 4 | 5)), strtoul(fi, &end, 10));
        fi = end;
        assert_int_equal(cos_di((uint8_t)(0x50 | code)), strtoul(di, &end, 10));
        di = end;
        const bool reserved = f_max[strspn(f_max, " ")] == '-';
        const double mhz = reserved ? 0 : strtod(f_max, &end);
        f_max = reserved ? f_max + strspn(f_max, " ") + 1 : end;
        assert_int_equal(cos_f_max((uint8_t)(code << 4 | 5)), (int)(mhz * 1000));
    }
    vectors_close(vectors);
}

static void exchanges(void **state)
{
    struct vectors *vectors = vectors_open("iso7816-3-pps.txt");
    size_t seen = 0;

    (void)state;
    for (size_t i = 0; i < vectors->count; i++) {
        const struct vector_section *section = &vectors->sections[i];
        struct cos_pps pps;
        if (vector_find(section, "response") == NULL) {
            continue;
        }
        const struct cos_pps_offer offer = {
            3, strcmp(section->name, "PPS1 refused by omission") == 0 ? all_but_64 : all};
        const struct cos_span request = vector_bytes(section, "request");
        const struct cos_span response = vector_bytes(section, "response");
        assert_int_equal(cos_pps_length(request.data[1]), request.length);
        assert_int_equal(cos_pps_answer(&offer, request.data, request.length, &pps), COS_OK);
        assert_int_equal(pps.length, response.length);
        assert_memory_equal(pps.answer, response.data, response.length);
        assert_int_equal(cos_fi(pps.fi_di), vector_number(section, "fi_n"));
        assert_int_equal(cos_di(pps.fi_di), vector_number(section, "di_n"));
        assert_int_equal(pps.protocol, request.data[1] & 0x0F);
        seen++;
    }
    assert_int_equal(seen, 8);
    vectors_close(vectors);
}

static void no_answer(void **state)
{
    struct vectors *vectors = vectors_open("iso7816-3-pps.txt");
    const struct vector_section *section = vectors_section(vectors, "no answer");
    const struct cos_pps_offer offer = {3, all}, specific = {0, all};
    struct cos_pps pps = {.protocol = 0x5A};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        const struct cos_span request = vector_bytes(section, "request%u", i);
        assert_int_equal(cos_pps_answer(&offer, request.data, request.length, &pps), COS_E_DATA);
    }
    static const uint8_t good[] = {0xFF, 0x10, 0x95, 0x7A};
    assert_int_equal(cos_pps_answer(&specific, good, 4, &pps), COS_E_DATA);
    static const uint8_t not_ppss[] = {0xFE, 0x00, 0xFE};
    assert_int_equal(cos_pps_answer(&offer, not_ppss, 3, &pps), COS_E_DATA);
    for (size_t length = 0; length < 4; length++) {
        assert_int_equal(cos_pps_answer(&offer, good, length, &pps), COS_E_DATA);
    }
    static const uint8_t longer[] = {0xFF, 0x10, 0x95, 0x7A, 0x00};
    assert_int_equal(cos_pps_answer(&offer, longer, 5, &pps), COS_E_DATA);
    assert_int_equal(pps.protocol, 0x5A);
    assert_int_equal(cos_pps_answer(&offer, good, 4, &pps), COS_OK);
    vectors_close(vectors);
}

/* What the interface device may take (9.3): PPS0 without bits that it did not set, with the T that
 * it asked for; PPS1 as asked. */
static bool acceptable(const uint8_t *request, const struct cos_pps *pps)
{
    uint8_t check = 0;

    for (size_t i = 0; i < pps->length; i++) {
        check ^= pps->answer[i];
    }
    return check == 0 && pps->answer[0] == 0xFF && (pps->answer[1] & ~request[1]) == 0 &&
           (pps->answer[1] & 0x0F) == (request[1] & 0x0F) &&
           pps->length == cos_pps_length(pps->answer[1]) &&
           ((pps->answer[1] & 0x10) == 0 || pps->answer[2] == request[2]);
}

/* PPS0 and PPS1 in all values, with the right PCK and with a wrong one, for several cards. Which
 * pairs count is said once more here, by the products of the standard's table that make sense of a
 * speed. */
static void every_request(void **state)
{
    static const uint16_t everything[16] = {
        0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF,
        0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF,
    };
    const struct cos_pps_offer offers[] = {
        {3, NULL}, {1, all_but_64}, {2, all}, {3, everything}, {0, everything},
    };
    size_t answered = 0, with_speed = 0;

    (void)state;
    for (unsigned test = 0; test < 5U << 17; test++) {
        const struct cos_pps_offer *offer = &offers[test >> 17];
        const uint8_t pps0 = (uint8_t)test, pps1 = (uint8_t)(test >> 8);
        const bool right = (test >> 16 & 1U) == 0;
        uint8_t request[COS_PPS_MAX] = {0xFF, pps0, pps1, 0xA5, 0x3C};
        struct cos_pps pps;
        size_t length = 2;

        length += (pps0 >> 4 & 1U) + (pps0 >> 5 & 1U) + (pps0 >> 6 & 1U);
        request[length] = (uint8_t)(right ? 0U : 1U << (pps1 & 7));
        for (size_t i = 0; i < length; i++) {
            request[length] ^= request[i];
        }
        const unsigned protocol = pps0 & 0x0F;
        const bool due =
            right && pps0 < 0x80 && protocol < 2 && (offer->protocols & 1U << protocol) != 0;
        const enum cos_result result = cos_pps_answer(offer, request, length + 1, &pps);
        assert_int_equal(result, due ? COS_OK : COS_E_DATA);
        if (!due) {
            continue;
        }
        const bool pair = pps1 == 0x11 || (offer->pairs != NULL &&
                                           strchr("78EF", "0123456789ABCDEF"[pps1 >> 4]) == NULL &&
                                           (pps1 & 15) >= 1 && (pps1 & 15) <= 9 &&
                                           (offer->pairs[pps1 >> 4] & 1U << (pps1 & 15)) != 0);
        const bool taken = (pps0 & 0x10) != 0 && pair;
        assert_true(acceptable(request, &pps));
        assert_int_equal(pps.length, taken ? 4 : 3);
        assert_int_equal(pps.fi_di, taken ? pps1 : 0x11);
        assert_int_equal(pps.protocol, protocol);
        answered++;
        with_speed += taken;
    }
    print_message("# PPS requests: %u, answered %zu, with PPS1 %zu\n", 5U << 17, answered,
                  with_speed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables),
        cmocka_unit_test(exchanges),
        cmocka_unit_test(no_answer),
        cmocka_unit_test(every_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
