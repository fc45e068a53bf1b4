/* SPDX-License-Identifier: Apache-2.0
 *
 * The contacts by level and cycle, ISO/IEC 7816-3:2006, 6: what the card answers to a reader that
 * keeps to them, and that it is silent to one that does not.
 */
#include "contact_card.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct contact_card card;

/* Long enough for the clock to stop. */
#define QUIET                                                                                      \
    {                                                                                              \
        BIT_RUN, 1860, NULL                                                                        \
    }

static int make(void **state)
{
    (void)state;
    contact_card_init(&card);
    return 0;
}

/* ---- Activation, cold and warm reset, deactivation (6.2, 6.4) ---- */

static void from_activation_to_deactivation(void **state)
{
    static const struct bit_step steps[] = {
        {BIT_STATE, HOST_OFF, NULL},
        POWER_UP,
        {BIT_STATE, HOST_RESET, NULL},
        {BIT_RUN, 400, NULL},
        {BIT_SILENT, 20, NULL},
        {BIT_RST, 1, NULL},
        {BIT_STATE, HOST_RUNNING, NULL},
        {BIT_HEAR, 0, "3B00"},
        READ,
        WARM_RESET,
        {BIT_HEAR, 0, "3B00"},
        READ,
        READ,
        SWITCH_OFF,
        {BIT_STATE, HOST_OFF, NULL},
        {BIT_RUN, 1000, NULL},
        COLD_RESET,
        {BIT_HEAR, 0, "3B00"},
        END,
    };

    (void)state;
    contact_card_play(&card, "\x3B\x00", 2, steps);
    assert_int_equal(card.executed, 3);
    assert_int_equal(card.board.resets, 3);
    assert_false(card.board.warm);
    assert_true(card.board.orderly);
    assert_in_range(card.reader.first, 400, 40000);
    assert_in_range(card.reader.least, 12 * 372 - 12, 13 * 372);
}

/* 8.1: the levels of TS, and what both conventions make of them. */
static void conventions(void **state)
{
    static const struct {
        const char *atr, *levels;
        struct bit_step steps[16];
    } rows[] = {
        {"\x3B\x00", "LHHLHHHLLH", {COLD_RESET, {BIT_HEAR, 0, "3B"}, END}},
        {"\x3F\x00", "LHHLLLLLLH", {COLD_RESET, {BIT_HEAR, 0, "3F"}, END}},
        {"\x3F\x00", NULL, {COLD_RESET, {BIT_HEAR, 0, "3F00"}, READ, END}},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        make(state);
        card.reader.inverse = rows[i].atr[0] == 0x3F;
        contact_card_play(&card, rows[i].atr, 2, rows[i].steps);
        if (rows[i].levels != NULL) {
            assert_string_equal(card.reader.levels, rows[i].levels);
        }
    }
    assert_int_equal(card.executed, 1);
}

/* Each leaves the card silent, until VCC goes off; then it answers as ever. */
static void what_a_reader_does_wrong(void **state)
{
    static const struct {
        const char *what;
        struct bit_step steps[12];
    } rows[] = {
        {"RST is high before VCC", {{BIT_RST, 1, NULL}, {BIT_VCC, HOST_CLASS_A, NULL}, END}},
        {"CLK runs before VCC",
         {{BIT_CLK, HOST_CLK_RUNS, NULL}, {BIT_VCC, HOST_CLASS_A, NULL}, END}},
        {"CLK is high before VCC",
         {{BIT_CLK, HOST_CLK_HIGH, NULL}, {BIT_VCC, HOST_CLASS_A, NULL}, END}},
        {"RST is high before CLK",
         {{BIT_VCC, HOST_CLASS_A, NULL}, {BIT_IO, 1, NULL}, {BIT_RST, 1, NULL}, END}},
        {"CLK goes high and stands",
         {{BIT_VCC, HOST_CLASS_A, NULL}, {BIT_IO, 1, NULL}, {BIT_CLK, HOST_CLK_HIGH, NULL}, END}},
        {"I/O is low when CLK begins",
         {{BIT_IO, 0, NULL}, {BIT_VCC, HOST_CLASS_A, NULL}, {BIT_CLK, HOST_CLK_RUNS, NULL}, END}},
        {"RST is high too early", {POWER_UP, {BIT_RUN, 398, NULL}, {BIT_RST, 1, NULL}, END}},
        {"a warm reset is too short",
         {COLD_RESET,
          {BIT_HEAR, 0, "3B00"},
          {BIT_RST, 0, NULL},
          {BIT_RUN, 398, NULL},
          {BIT_RST, 1, NULL},
          END}},
        {"VCC changes", {COLD_RESET, {BIT_HEAR, 0, "3B00"}, {BIT_VCC, HOST_CLASS_B, NULL}, END}},
        {"two classes at once",
         {{BIT_VCC, HOST_CLASS_A, NULL}, {BIT_VCC, HOST_CLASS_C, NULL}, END}},
    };
    static const struct bit_step nothing_helps[] = {
        {BIT_STATE, HOST_FAILED, NULL},
        {BIT_RST, 0, NULL},
        {BIT_CLK, HOST_CLK_RUNS, NULL},
        {BIT_IO, 1, NULL},
        {BIT_RUN, 500, NULL},
        {BIT_RST, 1, NULL},
        {BIT_SILENT, 60000, NULL},
        {BIT_STATE, HOST_FAILED, NULL},
        SWITCH_OFF,
        {BIT_STATE, HOST_OFF, NULL},
        COLD_RESET,
        {BIT_HEAR, 0, "3B00"},
        READ,
        END,
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        make(state);
        contact_card_play(&card, "\x3B\x00", 2, rows[i].steps);
        if (card.board.state != HOST_FAILED) {
            fail_msg("%s: state %d", rows[i].what, (int)card.board.state);
        }
        contact_card_play(&card, "\x3B\x00", 2, nothing_helps);
        assert_int_equal(card.executed, 1);
    }
}

/* 6.2.4, 8.3: a card with these classes answers to a reader that tries C, B and A; its ATR says
 * which it has. */
static void classes(void **state)
{
    static const uint8_t sets[] = {1, 2, 4, 3, 6, 7};

    for (size_t i = 0; i < COUNT(sets); i++) {
        for (enum host_vcc vcc = HOST_CLASS_A; vcc <= HOST_CLASS_C; vcc *= 2) {
            const struct bit_step good[] = {{BIT_VCC, vcc, NULL},
                                            {BIT_IO, 1, NULL},
                                            {BIT_CLK, HOST_CLK_RUNS, NULL},
                                            {BIT_RUN, 400, NULL},
                                            {BIT_RST, 1, NULL},
                                            {BIT_HEAR, 0, "3B00"},
                                            READ,
                                            END};
            const struct bit_step bad[] = {{BIT_VCC, vcc, NULL},
                                           {BIT_IO, 1, NULL},
                                           {BIT_CLK, HOST_CLK_RUNS, NULL},
                                           {BIT_RUN, 400, NULL},
                                           {BIT_RST, 1, NULL},
                                           {BIT_SILENT, 50000, NULL},
                                           SWITCH_OFF,
                                           END};
            make(state);
            host_contacts_init(&card.board, sets[i], NULL);
            contact_card_play(&card, "\x3B\x00", 2, (sets[i] & vcc) != 0 ? good : bad);
            assert_int_equal(card.executed, (sets[i] & vcc) != 0 ? 1 : 0);
        }
    }
}

static void orders_of_deactivation(void **state)
{
    static const struct {
        const char *what;
        struct bit_step steps[6];
        bool orderly;
    } rows[] = {
        {"as it should be", {SWITCH_OFF, END}, true},
        {"pulled out", {{BIT_VCC, 0, NULL}, END}, false},
        {"without RST", {{BIT_CLK, 0, NULL}, {BIT_IO, 0, NULL}, {BIT_VCC, 0, NULL}, END}, false},
        {"CLK before RST",
         {{BIT_CLK, 0, NULL}, {BIT_RST, 0, NULL}, {BIT_IO, 0, NULL}, {BIT_VCC, 0, NULL}, END},
         false},
        {"I/O before CLK",
         {{BIT_RST, 0, NULL}, {BIT_IO, 0, NULL}, {BIT_CLK, 0, NULL}, {BIT_VCC, 0, NULL}, END},
         false},
        {"VCC before I/O",
         {{BIT_RST, 0, NULL}, {BIT_CLK, 0, NULL}, {BIT_VCC, 0, NULL}, {BIT_IO, 0, NULL}, END},
         false},
        {"I/O high again before VCC is off",
         {{BIT_RST, 0, NULL},
          {BIT_CLK, 0, NULL},
          {BIT_IO, 0, NULL},
          {BIT_IO, 1, NULL},
          {BIT_VCC, 0, NULL},
          END},
         false},
        {"CLK high",
         {{BIT_RST, 0, NULL},
          {BIT_CLK, HOST_CLK_HIGH, NULL},
          {BIT_IO, 0, NULL},
          {BIT_VCC, 0, NULL},
          END},
         false},
    };
    static const struct bit_step before[] = {COLD_RESET, {BIT_HEAR, 0, "3B00"}, READ, END};

    for (size_t i = 0; i < COUNT(rows); i++) {
        make(state);
        contact_card_play(&card, "\x3B\x00", 2, before);
        contact_card_play(&card, "\x3B\x00", 2, rows[i].steps);
        assert_int_equal(card.board.state, HOST_OFF);
        if (card.board.orderly != rows[i].orderly) {
            fail_msg("%s", rows[i].what);
        }
        /* However it was, the next one finds the card as ever. */
        const struct bit_step rest[] = {
            {BIT_RST, 0, NULL}, {BIT_CLK, 0, NULL}, COLD_RESET, {BIT_HEAR, 0, "3B00"}, READ, END};
        contact_card_play(&card, "\x3B\x00", 2, rest);
        assert_int_equal(card.executed, 1);
    }
    /* CLK stands at low already. */
    static const struct bit_step from_stop[] = {COLD_RESET,
                                                {BIT_HEAR, 0, "3B00"},
                                                QUIET,
                                                {BIT_CLK, 0, NULL},
                                                {BIT_STATE, HOST_STOPPED, NULL},
                                                {BIT_RST, 0, NULL},
                                                {BIT_IO, 0, NULL},
                                                {BIT_VCC, 0, NULL},
                                                END};
    make(state);
    contact_card_play(&card, "\x3B\x00", 2, from_stop);
    assert_true(card.board.orderly);
}

/* ---- Clock stop (6.3.2) ---- */

#define STOP(level)                                                                                \
    {BIT_CLK, level, NULL}, {BIT_STATE, HOST_STOPPED, NULL},                                       \
    {                                                                                              \
        BIT_SILENT, 100000, NULL                                                                   \
    }
#define RESUME                                                                                     \
    {BIT_CLK, HOST_CLK_RUNS, NULL},                                                                \
    {                                                                                              \
        BIT_RUN, 700, NULL                                                                         \
    }

static void the_clock_stops(void **state)
{
    static const struct bit_step at_low[] = {COLD_RESET, {BIT_HEAR, 0, "3B00"},
                                             QUIET,      STOP(HOST_CLK_LOW),
                                             RESUME,     READ,
                                             QUIET,      STOP(HOST_CLK_LOW),
                                             RESUME,     READ,
                                             END};
    static const struct bit_step at_high[] = {
        COLD_RESET, {BIT_HEAR, 0, "3B00"}, READ, QUIET, STOP(HOST_CLK_HIGH), RESUME, READ, END};
    static const struct {
        uint8_t announced;
        bool low, high;
    } rows[] = {{0x07, false, false}, {0x47, true, false}, {0x87, false, true}, {0xC7, true, true}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        static const struct bit_step before[] = {
            COLD_RESET, {BIT_HEAR, 0, "3B00"}, READ, QUIET, END};
        for (unsigned high = 0; high < 2; high++) {
            const bool may = high != 0 ? rows[i].high : rows[i].low;
            make(state);
            host_contacts_init(&card.board, rows[i].announced, NULL);
            if (may) {
                contact_card_play(&card, "\x3B\x00", 2, high != 0 ? at_high : at_low);
                assert_int_equal(card.executed, 2);
                continue;
            }
            contact_card_play(&card, "\x3B\x00", 2, before);
            host_contacts_clk(&card.board, high != 0 ? HOST_CLK_HIGH : HOST_CLK_LOW);
            assert_int_equal(card.board.state, HOST_FAILED);
        }
    }
}

static void when_the_clock_may_not_stop(void **state)
{
    static const struct {
        const char *what;
        struct bit_step steps[24];
        uint64_t work;
    } rows[] = {
        {"too soon after a character",
         {COLD_RESET,
          {BIT_HEAR, 0, "3B00"},
          {BIT_IO, 0, NULL}, /* a spike, which is no character */
          {BIT_RUN, 20, NULL},
          {BIT_IO, 1, NULL},
          {BIT_RUN, 1859, NULL},
          {BIT_CLK, HOST_CLK_LOW, NULL},
          END},
         0},
        {"before the answer", {COLD_RESET, {BIT_CLK, HOST_CLK_LOW, NULL}, END}, 0},
        {"in a character",
         {COLD_RESET,
          {BIT_HEAR, 0, "3B00"},
          QUIET,
          {BIT_IO, 0, NULL},
          {BIT_RUN, 100, NULL},
          {BIT_CLK, HOST_CLK_LOW, NULL},
          END},
         0},
        {"while the card works",
         {COLD_RESET,
          {BIT_HEAR, 0, "3B00"},
          {BIT_SEND, 0, "00B0000002"},
          {BIT_RUN, 20000, NULL},
          {BIT_CLK, HOST_CLK_LOW, NULL},
          END},
         1000000},
        {"a character too soon afterwards",
         {COLD_RESET,
          {BIT_HEAR, 0, "3B00"},
          QUIET,
          STOP(HOST_CLK_LOW),
          {BIT_CLK, HOST_CLK_RUNS, NULL},
          {BIT_RUN, 690, NULL},
          {BIT_IO, 0, NULL},
          END},
         0},
        {"a character without a clock",
         {COLD_RESET, {BIT_HEAR, 0, "3B00"}, QUIET, STOP(HOST_CLK_LOW), {BIT_IO, 0, NULL}, END},
         0},
        {"reset without a clock",
         {COLD_RESET, {BIT_HEAR, 0, "3B00"}, QUIET, STOP(HOST_CLK_LOW), {BIT_RST, 0, NULL}, END},
         0},
        {"from low to high",
         {COLD_RESET,
          {BIT_HEAR, 0, "3B00"},
          QUIET,
          STOP(HOST_CLK_LOW),
          {BIT_CLK, HOST_CLK_HIGH, NULL},
          END},
         0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        make(state);
        card.work = rows[i].work;
        contact_card_play(&card, "\x3B\x00", 2, rows[i].steps);
        if (card.board.state != HOST_FAILED) {
            fail_msg("%s: state %d", rows[i].what, (int)card.board.state);
        }
        assert_int_equal(card.executed, rows[i].work != 0 ? 1 : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(from_activation_to_deactivation, make),
        cmocka_unit_test_setup(conventions, make),
        cmocka_unit_test_setup(what_a_reader_does_wrong, make),
        cmocka_unit_test_setup(classes, make),
        cmocka_unit_test_setup(orders_of_deactivation, make),
        cmocka_unit_test_setup(the_clock_stops, make),
        cmocka_unit_test_setup(when_the_clock_may_not_stop, make),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
