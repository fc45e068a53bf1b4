/* SPDX-License-Identifier: Apache-2.0
 *
 * The contacts by level and cycle, ISO/IEC 7816-3:2006, 6 and 7: what the card answers to a reader
 * that keeps to them, and that it is silent to one that does not. The card is the transport on the
 * simulated board.
 */
#include "bit_reader.h"
#include "cos/transport.h"
#include "host_card.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- The card ---- */

static struct host_contacts board;
static struct bit_reader reader;
static uint8_t command_buffer[COS_T0_COMMAND_LEAST], response_buffer[COS_T0_RESPONSE_LEAST];
static unsigned executed;
static uint64_t work; /* cycles that a command takes */
static const uint16_t *pairs;

static size_t command(void *context, uint8_t *apdu, size_t length, uint8_t *response,
                      size_t capacity)
{
    (void)context;
    (void)length;
    (void)capacity;
    executed++;
    (void)host_contacts_work(&board, work);
    memcpy(response, "\x11\x22\x90\x00", 4);
    memset(apdu, 0, length);
    return 4;
}

static enum cos_t0_direction direction(void *context, const uint8_t header[5])
{
    (void)context;
    return header[1] == 0xD6 ? COS_T0_IN : COS_T0_OUT;
}

/* The board, new, with a reader that does this; the card, as long as it does. */
static void play(const char *atr, size_t atr_length, const struct bit_step *steps)
{
    static const struct cos_transport_handler handler = {NULL, command, direction, NULL};
    const struct cos_transport_config config = {
        .command = command_buffer,
        .command_size = sizeof command_buffer,
        .response = response_buffer,
        .response_size = sizeof response_buffer,
        .pairs = pairs,
    };
    struct cos_transport transport;

    executed = 0;
    reader.signals = true;
    bit_reader_run(&reader, &board, steps);
    cos_transport_start(&transport, &config);
    while (host_contacts_reset(&board)) {
        (void)cos_transport_serve(&transport, &board.line, &handler,
                                  (struct cos_span){(const uint8_t *)atr, atr_length});
    }
    if (reader.wrong != NULL) {
        fail_msg("step %u: %s", reader.wrong_step, reader.wrong);
    }
}

static int make(void **state)
{
    (void)state;
    host_contacts_init(&board, HOST_CLOCK_CLASS, host_pairs);
    memset(&reader, 0, sizeof reader);
    work = 0;
    pairs = host_pairs;
    return 0;
}

/* ---- Steps that often come ---- */

#define POWER_UP                                                                                   \
    {BIT_VCC, HOST_CLASS_A, NULL}, {BIT_RUN, 100, NULL}, {BIT_IO, 1, NULL},                        \
    {                                                                                              \
        BIT_CLK, HOST_CLK_RUNS, NULL                                                               \
    }
#define COLD_RESET                                                                                 \
    POWER_UP, {BIT_RUN, 400, NULL},                                                                \
    {                                                                                              \
        BIT_RST, 1, NULL                                                                           \
    }
#define WARM_RESET                                                                                 \
    {BIT_RST, 0, NULL}, {BIT_RUN, 400, NULL},                                                      \
    {                                                                                              \
        BIT_RST, 1, NULL                                                                           \
    }
#define SWITCH_OFF                                                                                 \
    {BIT_RST, 0, NULL}, {BIT_CLK, HOST_CLK_LOW, NULL}, {BIT_IO, 0, NULL},                          \
    {                                                                                              \
        BIT_VCC, 0, NULL                                                                           \
    }
#define READ                                                                                       \
    {BIT_SEND, 0, "00B0000002"},                                                                   \
    {                                                                                              \
        BIT_HEAR, 0, "B011229000"                                                                  \
    }
#define END                                                                                        \
    {                                                                                              \
        BIT_END, 0, NULL                                                                           \
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
    play("\x3B\x00", 2, steps);
    assert_int_equal(executed, 3);
    assert_int_equal(board.resets, 3);
    assert_false(board.warm);
    assert_true(board.orderly);
    assert_in_range(reader.first, 400, 40000);
    assert_in_range(reader.least, 12 * 372 - 12, 13 * 372);
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
        reader.inverse = rows[i].atr[0] == 0x3F;
        play(rows[i].atr, 2, rows[i].steps);
        if (rows[i].levels != NULL) {
            assert_string_equal(reader.levels, rows[i].levels);
        }
    }
    assert_int_equal(executed, 1);
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
        play("\x3B\x00", 2, rows[i].steps);
        if (board.state != HOST_FAILED) {
            fail_msg("%s: state %d", rows[i].what, (int)board.state);
        }
        play("\x3B\x00", 2, nothing_helps);
        assert_int_equal(executed, 1);
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
            host_contacts_init(&board, sets[i], NULL);
            play("\x3B\x00", 2, (sets[i] & vcc) != 0 ? good : bad);
            assert_int_equal(executed, (sets[i] & vcc) != 0 ? 1 : 0);
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
        play("\x3B\x00", 2, before);
        play("\x3B\x00", 2, rows[i].steps);
        assert_int_equal(board.state, HOST_OFF);
        if (board.orderly != rows[i].orderly) {
            fail_msg("%s", rows[i].what);
        }
        /* However it was, the next one finds the card as ever. */
        const struct bit_step rest[] = {
            {BIT_RST, 0, NULL}, {BIT_CLK, 0, NULL}, COLD_RESET, {BIT_HEAR, 0, "3B00"}, READ, END};
        play("\x3B\x00", 2, rest);
        assert_int_equal(executed, 1);
    }
}

/* ---- Clock stop (6.3.2) ---- */

#define QUIET                                                                                      \
    {                                                                                              \
        BIT_RUN, 1860, NULL                                                                        \
    }
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
            host_contacts_init(&board, rows[i].announced, NULL);
            if (may) {
                play("\x3B\x00", 2, high != 0 ? at_high : at_low);
                assert_int_equal(executed, 2);
                continue;
            }
            play("\x3B\x00", 2, before);
            host_contacts_clk(&board, high != 0 ? HOST_CLK_HIGH : HOST_CLK_LOW);
            assert_int_equal(board.state, HOST_FAILED);
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
        work = rows[i].work;
        play("\x3B\x00", 2, rows[i].steps);
        if (board.state != HOST_FAILED) {
            fail_msg("%s: state %d", rows[i].what, (int)board.state);
        }
        assert_int_equal(executed, rows[i].work != 0 ? 1 : 0);
    }
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

    play("\x3B\x00", 2, to_card);
    assert_int_equal(reader.repeats, 2);
    assert_int_equal(executed, 2);
    for (unsigned inverse = 0; inverse < 2; inverse++) {
        static const struct bit_step inverted[] = {COLD_RESET,
                                                   {BIT_HEAR, 1, "3F00"},
                                                   {BIT_SEND, 5, "00B0000002"},
                                                   {BIT_HEAR, 5, "B011229000"},
                                                   END};
        make(state);
        reader.inverse = inverse != 0;
        play(inverse != 0 ? "\x3F\x00" : "\x3B\x00", 2, inverse != 0 ? inverted : from_card);
        assert_int_equal(executed, 1);
    }
}

/* ---- Speeds: PPS to every pair of the table, then a command ---- */

static void every_pair(void **state)
{
    unsigned count = 0;

    for (unsigned fi_di = 0; fi_di < 256; fi_di++) {
        const uint16_t f = cos_fi((uint8_t)fi_di);
        const uint8_t d = cos_di((uint8_t)fi_di);
        char request[9];
        if (f == 0 || d == 0) {
            continue;
        }
        snprintf(request, sizeof request, "FF10%02X%02X", fi_di, 0xFFU ^ 0x10U ^ fi_di);
        const struct bit_step steps[] = {COLD_RESET,
                                         {BIT_HEAR, 0, "3B00"},
                                         {BIT_SEND, 0, request},
                                         {BIT_HEAR, 0, request},
                                         {BIT_SPEED, (uint32_t)f << 8 | d, NULL},
                                         READ,
                                         READ,
                                         END};
        make(state);
        play("\x3B\x00", 2, steps);
        assert_int_equal(executed, 2);
        /* Edges are seen within a 32nd of an etu. */
        assert_in_range(reader.least, (191U * f / d) / 16 - 2, (193U * f / d) / 16 + 2);
        count++;
    }
    assert_int_equal(count, 108);
    print_message("# speeds: %u pairs of Fi and Di, bit by bit\n", count);
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
            pairs = offers[offer].pairs;
            play("\x3B\x00", 2, steps);
            assert_int_equal(executed, 1);
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
        play("\x3B\x00", 2, steps);
        assert_int_equal(executed, 1);
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
        cmocka_unit_test_setup(errors_are_signalled, make),
        cmocka_unit_test_setup(every_pair, make),
        cmocka_unit_test_setup(every_pps1, make),
        cmocka_unit_test_setup(storms_of_requests, make),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
