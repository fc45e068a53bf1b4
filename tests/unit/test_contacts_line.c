/* SPDX-License-Identifier: Apache-2.0
 *
 * I/O bit by bit, ISO/IEC 7816-3:2006, 7 and 9: error signals, guard and waiting times, and every
 * speed that can be agreed upon.
 */
#include "contact_card.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct contact_card card;

static int make(void **state)
{
    (void)state;
    contact_card_init(&card);
    return 0;
}

/* ---- Characters (7.2, 7.3) ---- */

static void errors_are_signalled(void **state)
{
    static const struct bit_step to_card[] = {COLD_RESET,
                                              {BIT_HEAR, 0, "3B00"},
                                              {BIT_SEND, 3, "00B0000002"},
                                              {BIT_HEAR, 0, "B011229000"},
                                              {BIT_SEND, 1, "00B0000002"},
                                              {BIT_HEAR, 0, "B011229000"},
                                              END};
    static const struct bit_step from_card[] = {COLD_RESET,
                                                {BIT_HEAR, 2, "3B00"},
                                                {BIT_SEND, 0, "00B0000002"},
                                                {BIT_HEAR, 3, "B011229000"},
                                                END};

    contact_card_play(&card, "\x3B\x00", 2, to_card);
    assert_int_equal(card.reader.repeats, 2);
    assert_int_equal(card.executed, 2);
    for (unsigned inverse = 0; inverse < 2; inverse++) {
        static const struct bit_step inverted[] = {COLD_RESET,
                                                   {BIT_HEAR, 1, "3F00"},
                                                   {BIT_SEND, 5, "00B0000002"},
                                                   {BIT_HEAR, 5, "B011229000"},
                                                   END};
        make(state);
        card.reader.inverse = inverse != 0;
        contact_card_play(&card, inverse != 0 ? "\x3F\x00" : "\x3B\x00", 2,
                          inverse != 0 ? inverted : from_card);
        assert_int_equal(card.executed, 1);
    }
}

/* ---- The line without the transport (struct cos_line) ---- */

/* The card after a reset, with the line as for T=1 at 512/8 and 11 etu. */
static const struct cos_line *line_after(const struct bit_step *steps, bool signals)
{
    const struct cos_line_parameters parameters = {
        .f = 512, .d = 8, .signals_errors = signals, .guard = 11};

    card.reader.signals = signals;
    bit_reader_run(&card.reader, &card.board, steps);
    assert_true(host_contacts_reset(&card.board));
    card.board.line.set(card.board.line.context, &parameters);
    return &card.board.line;
}

#define T1_SPEED                                                                                   \
    {                                                                                              \
        BIT_SPEED, 512U << 8 | 8, NULL                                                             \
    }

static void characters_wait_until_they_are_fetched(void **state)
{
    static const struct bit_step steps[] = {
        COLD_RESET, T1_SPEED, {BIT_RUN, 5000, NULL}, {BIT_SEND, 0, "00112233445566778899"}, END};
    const struct cos_line *line = line_after(steps, false);
    uint8_t character;

    (void)state;
    assert_true(host_contacts_work(&card.board, 5000 + 10 * 12 * 64));
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(line->receive(line->context, &character, 1), COS_OK);
        assert_int_equal(character, i * 0x11);
    }
    assert_int_equal(line->receive(line->context, &character, 100), COS_E_LINE_SILENT);
    assert_int_equal(line->elapsed(line->context), 100);
}

/* T=1: wrong parity is told and not signalled; the character does not come again. */
static void parity_without_signal(void **state)
{
    static const struct bit_step steps[] = {
        COLD_RESET, T1_SPEED, {BIT_RUN, 5000, NULL}, {BIT_SEND, 2, "A55AFF"}, END};
    const struct cos_line *line = line_after(steps, false);
    uint8_t character;

    (void)state;
    assert_int_equal(line->receive(line->context, &character, 0), COS_OK);
    assert_int_equal(character, 0xA5);
    assert_int_equal(line->receive(line->context, &character, 13), COS_E_LINE_PARITY);
    assert_int_equal(line->receive(line->context, &character, 13), COS_OK);
    assert_int_equal(character, 0xFF);
    assert_int_equal(card.reader.repeats, 0);
}

/* The leading edge counts: 20 etu after the last one is in time for 20 and late for 19. */
static void waiting_ends_with_the_edge(void **state)
{
    static const struct bit_step steps[] = {COLD_RESET,
                                            T1_SPEED,
                                            {BIT_RUN, 5000, NULL},
                                            {BIT_SEND, 0, "12"},
                                            {BIT_RUN, 8 * 64, NULL},
                                            {BIT_SEND, 0, "34"},
                                            END};

    for (uint32_t etus = 19; etus <= 20; etus++) {
        uint8_t character = 0;
        make(state);
        const struct cos_line *line = line_after(steps, false);
        assert_int_equal(line->receive(line->context, &character, 0), COS_OK);
        assert_int_equal(line->receive(line->context, &character, etus),
                         etus == 20 ? COS_OK : COS_E_LINE_SILENT);
        assert_int_equal(character, etus == 20 ? 0x34 : 0x12);
    }
}

/* The guard time, or what the core asks for behind the reader's last character, if that is longer.
 */
static void sending_keeps_its_distance(void **state)
{
    static const struct bit_step steps[] = {COLD_RESET, T1_SPEED, {BIT_HEAR, 0, "A1B2C3"}, END};
    const struct cos_line *line = line_after(steps, false);

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        static const uint8_t bytes[] = {0xA1, 0xB2, 0xC3};
        assert_int_equal(line->send(line->context, bytes[i], i == 2 ? 30 : 0), COS_OK);
        if (i == 1) {
            assert_in_range(card.reader.least, 11 * 64 - 2, 11 * 64 + 2);
        }
        assert_int_equal(line->elapsed(line->context), 10);
    }
    assert_in_range(card.board.edge - card.board.since, 400 + (11 + 30) * 64,
                    400 + (11 + 30) * 64 + 2);
    assert_null(card.reader.wrong);
    /* Nobody is there any more, and then RST goes low. */
    uint8_t character;
    assert_int_equal(line->receive(line->context, &character, 50), COS_E_LINE_SILENT);
    host_contacts_rst(&card.board, false);
    assert_int_equal(line->send(line->context, 0x55, 0), COS_E_LINE_RESET);
    assert_int_equal(line->receive(line->context, &character, 0), COS_E_LINE_RESET);
}

/* A pad that is open, stuck or dead: the reader hears nothing, or the card does not. */
static void broken_io(void **state)
{
    static const struct bit_step steps[] = {COLD_RESET, {BIT_SILENT, 60000, NULL}, END};
    static const enum host_fault faults[] = {HOST_OPEN, HOST_HIGH, HOST_DUMB};

    for (size_t i = 0; i < COUNT(faults); i++) {
        make(state);
        card.board.fault[6] = faults[i];
        contact_card_play(&card, "\x3B\x00", 2, steps);
        assert_int_equal(card.executed, 0);
    }
}

/* ---- Speeds: PPS to every pair of the table, then a command ---- */

struct pair {
    uint16_t f;
    uint8_t d;
    char request[9]; /* PPS */
};

/* False: Fi or Di is reserved. */
static bool make_pair(unsigned fi_di, unsigned protocol, struct pair *pair)
{
    const unsigned pps0 = 0x10U | protocol;

    pair->f = cos_fi((uint8_t)fi_di);
    pair->d = cos_di((uint8_t)fi_di);
    snprintf(pair->request, sizeof pair->request, "FF%02X%02X%02X", pps0 & 0xFFU, fi_di & 0xFFU,
             (0xFFU ^ pps0 ^ fi_di) & 0xFFU);
    return pair->f != 0 && pair->d != 0;
}

static void every_pair(void **state)
{
    unsigned count = 0;

    for (unsigned fi_di = 0; fi_di < 256; fi_di++) {
        struct pair pair;
        if (!make_pair(fi_di, 0, &pair)) {
            continue;
        }
        const struct bit_step steps[] = {COLD_RESET,
                                         {BIT_HEAR, 0, "3B00"},
                                         {BIT_SEND, 0, pair.request},
                                         {BIT_HEAR, 0, pair.request},
                                         {BIT_SPEED, (uint32_t)pair.f << 8 | pair.d, NULL},
                                         READ,
                                         READ,
                                         END};
        make(state);
        contact_card_play(&card, "\x3B\x00", 2, steps);
        assert_int_equal(card.executed, 2);
        /* Edges are seen within a 32nd of an etu. */
        assert_in_range(card.reader.least, (191U * pair.f / pair.d) / 16 - 2,
                        (193U * pair.f / pair.d) / 16 + 2);
        count++;
    }
    assert_int_equal(count, 108);
    print_message("# speeds: %u pairs of Fi and Di, bit by bit\n", count);
}

/* The same with T=1: a block to the card and one back, without error signals. */
static void every_pair_with_t1(void **state)
{
    unsigned count = 0;

    for (unsigned fi_di = 0; fi_di < 256; fi_di++) {
        struct pair pair;
        if (!make_pair(fi_di, 1, &pair)) {
            continue;
        }
        const struct bit_step steps[] = {COLD_RESET,
                                         {BIT_HEAR, 0, "3B80800101"},
                                         {BIT_SEND, 0, pair.request},
                                         {BIT_HEAR, 0, pair.request},
                                         {BIT_SPEED, (uint32_t)pair.f << 8 | pair.d, NULL},
                                         {BIT_RUN, 22U * pair.f / pair.d, NULL},
                                         {BIT_SEND, 0, "00000500B0000002B7"},
                                         {BIT_HEAR, 0, "00000411229000A7"},
                                         {BIT_RUN, 22U * pair.f / pair.d, NULL},
                                         {BIT_SEND, 0, "00400500B0000002F7"},
                                         {BIT_HEAR, 0, "00400411229000E7"},
                                         END};
        make(state);
        contact_card_play(&card, "\x3B\x80\x80\x01\x01", 5, steps);
        assert_int_equal(card.executed, 2);
        count++;
    }
    assert_int_equal(count, 108);
}

/* Bytes as text, with PCK behind them. */
static void with_check(const uint8_t *bytes, size_t length, char *text)
{
    uint8_t check = 0;

    for (size_t i = 0; i < length; i++) {
        check ^= bytes[i];
        text += sprintf(text, "%02X", bytes[i]);
    }
    sprintf(text, "%02X", check);
}

/* 9.3: every PPS1 to boards that can do nothing, two pairs, or everything, every second time with
 * PPS2 and PPS3. What is not taken is left out, and 372 and 1 stay. */
static void every_pps1(void **state)
{
    static const uint16_t two[16] = {[9] = 1U << 5 | 1U << 6},
                          everything[16] = {0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF,
                                            0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF,
                                            0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF};
    const struct {
        const uint16_t *pairs;
        unsigned taken;
    } offers[] = {{NULL, 1}, {two, 3}, {everything, 108}};

    for (size_t offer = 0; offer < COUNT(offers); offer++) {
        unsigned taken = 0;
        for (unsigned pps1 = 0; pps1 < 256; pps1++) {
            const uint8_t more[] = {0xFF, 0x70, (uint8_t)pps1, 0x5A, 0xC3};
            const uint8_t alone[] = {0xFF, 0x10, (uint8_t)pps1};
            const uint8_t refused[] = {0xFF, 0x00};
            const bool known = cos_fi((uint8_t)pps1) != 0 && cos_di((uint8_t)pps1) != 0;
            const bool good = known && (pps1 == 0x11 || offer == 2 ||
                                        (offer == 1 && (pps1 == 0x95 || pps1 == 0x96)));
            const uint32_t speed =
                good ? (uint32_t)cos_fi((uint8_t)pps1) << 8 | cos_di((uint8_t)pps1) : 372U << 8 | 1;
            char request[16], answer[16];
            with_check(pps1 % 2 != 0 ? more : alone, pps1 % 2 != 0 ? 5 : 3, request);
            with_check(good ? alone : refused, good ? 3 : 2, answer);
            const struct bit_step steps[] = {COLD_RESET,
                                             {BIT_HEAR, 0, "3B00"},
                                             {BIT_SEND, 0, request},
                                             {BIT_HEAR, 0, answer},
                                             {BIT_SPEED, speed, NULL},
                                             READ,
                                             END};
            make(state);
            card.pairs = offers[offer].pairs;
            contact_card_play(&card, "\x3B\x00", 2, steps);
            assert_int_equal(card.executed, 1);
            taken += good;
        }
        assert_int_equal(taken, offers[offer].taken);
    }
}

/* What has no answer has none until the next reset, however much comes; then all is as ever. */
static void storms_of_requests(void **state)
{
    static const char *const storms[] = {
        "FF109600", /* wrong PCK */
        "FF80FF7F", /* b8 of PPS0 */
        "FF01FE",   /* T=1 */
        "FFFF",     /* not whole, for ever */
    };

    for (size_t i = 0; i < COUNT(storms); i++) {
        struct bit_step steps[64] = {COLD_RESET, {BIT_HEAR, 0, "3B00"}};
        size_t count = 7;
        for (unsigned n = 0; n < 20; n++) {
            steps[count++] = (struct bit_step){BIT_SEND, 0, storms[i]};
            if (i < 3) {
                steps[count++] = (struct bit_step){BIT_SILENT, 20000, NULL};
            }
        }
        const struct bit_step rest[] = {WARM_RESET,
                                        {BIT_HEAR, 0, "3B00"},
                                        {BIT_SEND, 0, "FF109579"}, /* wrong again */
                                        {BIT_SILENT, 200000, NULL},
                                        WARM_RESET,
                                        {BIT_HEAR, 0, "3B00"},
                                        {BIT_SEND, 0, "FF10957A"},
                                        {BIT_HEAR, 0, "FF10957A"},
                                        {BIT_SPEED, 512U << 8 | 16, NULL},
                                        READ,
                                        END};
        assert_true(count + COUNT(rest) <= COUNT(steps));
        memcpy(steps + count, rest, sizeof rest);
        make(state);
        contact_card_play(&card, "\x3B\x00", 2, steps);
        assert_int_equal(card.executed, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(errors_are_signalled, make),
        cmocka_unit_test_setup(characters_wait_until_they_are_fetched, make),
        cmocka_unit_test_setup(parity_without_signal, make),
        cmocka_unit_test_setup(waiting_ends_with_the_edge, make),
        cmocka_unit_test_setup(sending_keeps_its_distance, make),
        cmocka_unit_test_setup(broken_io, make),
        cmocka_unit_test_setup(every_pair, make),
        cmocka_unit_test_setup(every_pair_with_t1, make),
        cmocka_unit_test_setup(every_pps1, make),
        cmocka_unit_test_setup(storms_of_requests, make),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
