/* SPDX-License-Identifier: Apache-2.0
 *
 * A whole card behind T=0: which way the data of each command go, and that what comes out is what
 * the same command APDUs get without a line between.
 */
#include "card_table.h"
#include "t0_card.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct t0_card line;

static size_t command(void *context, uint8_t *apdu, size_t length, uint8_t *response,
                      size_t capacity)
{
    struct bench *bench = context;

    return cos_app_command(&bench->app, apdu, length, response, capacity);
}

static enum cos_t0_direction direction(void *context, const uint8_t header[5])
{
    (void)context;
    return cos_app_direction(header);
}

static void settle(void *context)
{
    struct bench *bench = context;

    cos_app_settle(&bench->app);
}

static void note_refusal(void *context)
{
    struct bench *bench = context;

    cos_app_refused(&bench->app);
}

/* Sends APDUs over the line, from a reset of the contacts to the end; the chip goes on. */
static void over_t0(struct bench *bench, const char *apdus, bool raw)
{
    t0_card_init(&line);
    line.handler = (struct cos_transport_handler){bench, command, direction, settle, note_refusal};
    line.apdus = apdus;
    line.terminal.raw = raw;
    t0_card_run(&line);
    if (line.terminal.end != TERMINAL_FINISHED) {
        fail_msg("%s: end %d, line %s", apdus, (int)line.terminal.end, t0_card_wire(&line));
    }
}

static enum cos_t0_direction direction_of(unsigned cla, unsigned ins, unsigned p1, unsigned p2)
{
    const uint8_t header[5] = {(uint8_t)cla, (uint8_t)ins, (uint8_t)p1, (uint8_t)p2, 0x01};

    return cos_app_direction(header);
}

/* Every class and instruction against the table, as it stands in the source. */
static void directions(void **state)
{
    enum { ISO = 1, GP = 2, WITHOUT_DATA = 1, WITH_DATA = 2, ANY = 3 };
    static const struct {
        uint8_t classes, ins, cases;
    } rows[] = {
#define COMMAND(name, text, classes, ins, p1, p2, p1p2, cases, states, secured, executor, handler, \
                clause)                                                                            \
    {classes, ins, cases},
#include "app_domain/commands.def"
#undef COMMAND
    };
    size_t in = 0;

    (void)state;
    for (unsigned header = 0; header < 0x10000; header++) {
        const uint8_t cla = (uint8_t)(header >> 8), ins = (uint8_t)header;
        struct cos_class class_;
        unsigned cases = 0;
        enum cos_t0_direction wanted = COS_T0_OUT;
        if (cos_apdu_class(cla, &class_) == COS_OK) {
            for (size_t i = 0; i < CARD_COUNT(rows); i++) {
                const unsigned bit = class_.proprietary ? GP : ISO;
                cases |= rows[i].ins == ins && (rows[i].classes & bit) != 0 ? rows[i].cases : 0U;
            }
            const bool more = class_.sm != COS_CLASS_SM_NONE || class_.chaining;
            wanted = more || (cases & WITH_DATA) != 0 ? COS_T0_IN : COS_T0_OUT;
        }
        assert_int_equal(direction_of(cla, ins, 0x01, 0x01), wanted);
        in += wanted == COS_T0_IN;
    }
    assert_true(in > 1000);
}

/* P1-P2 that say that there are no data. */
static void directions_by_parameters(void **state)
{
    (void)state;
    for (unsigned value = 0; value < 256; value++) {
        assert_int_equal(direction_of(0x00, 0xA4, value, 0x00),
                         value == 0x03 ? COS_T0_OUT : COS_T0_IN);
        assert_int_equal(direction_of(0x0C, 0xA4, value, 0x00), COS_T0_IN);
        assert_int_equal(direction_of(0x10, 0xA4, value, 0x00), COS_T0_IN);
        assert_int_equal(direction_of(0x80, 0xF1, 0x03, value),
                         value == 0x01 ? COS_T0_IN : COS_T0_OUT);
        assert_int_equal(direction_of(0x00, 0xE4, value, 0x00), COS_T0_IN);
        assert_int_equal(direction_of(0x00, 0xB0, value, value), COS_T0_OUT);
        assert_int_equal(direction_of(0x00, 0xD6, value, value), COS_T0_IN);
    }
}

/* Commands of all cases, on two cards: over the line, and without. */
struct both {
    const char *apdu;
    const char *over_t0; /* what differs; NULL: nothing */
};

static const struct both rows[] = {
    {"00A4040C09F05457494E434F5301", NULL},   /* application by name, case 3 */
    {"00A4040009F05457494E434F530100", NULL}, /* with its FCI, case 4 */
    {"00A40304", "6C12"},                     /* parent: data that nobody asked for stay here */
    {"00A4030400", NULL},
    {"00A4030412", NULL},
    {"00A4030413", NULL},
    {"00A4000C", NULL},   /* MF, case 1 */
    {"00A4000400", NULL}, /* with its FCP, case 2 */
    {"00A4000C023F00", NULL},
    {"00A40004025100FF", NULL}, /* Le too long, case 4 */
    {"00B0810000", NULL},       /* SFI 1, not readable yet */
    {"002000810431323334", NULL},
    {"00200081", NULL},
    {"0020008106313233343536", NULL},
    {"00B0810000", NULL},
    {"00B0810008", NULL},
    {"00D681000411223344", NULL},
    {"00D6810000", NULL}, /* no data */
    {"00B0810004", NULL},
    {"00A4000C023F00", NULL},
    {"0084000007", NULL},       /* 6700 */
    {"00990000", NULL},         /* no instruction */
    {"0061000003AABBCC", NULL}, /* none, with data that are not taken */
    {"00FB000003AABBCC", NULL}, /* not in the table */
    {"20A4000000", NULL},       /* no class */
    {"01A4000000", NULL},       /* a channel that is not open */
    {"80CA9F7F00", NULL},       /* CPLC */
    {"80CA9F7F2D", NULL},
    {"80CA00E000", NULL},
    {"80CA0066FF", NULL},
    {"80F28000024F00", "610B"}, /* GET STATUS, without Le */
    {"80F28000024F0000", NULL}, /* with Le */
    {"00A4040C09F05457494E434F5301", NULL},
    {"0020008106313233343536", NULL},
    {"10D6810002AABB", NULL}, /* a chain */
    {"00D6810001CC", NULL},
    {"00B0810003", NULL},
    {"1020008103313233", NULL}, /* with a PIN in it, */
    {"0020008103343536", NULL},
    {"1020008103313233", NULL}, /* and with what is no instruction in between */
    {"0061000000", NULL},
    {"0020008103343536", NULL},
    {"0CB0810000", NULL}, /* secure messaging, P3 = 00 */
    {"0CB081000D9701088E08010203040506070800", NULL},
    {"00C0000010", NULL}, /* nothing waits */
};

static const char *answer_of(struct bench *bench, const char *apdu)
{
    static char text[2 * BENCH_RESPONSE + 8];

    bench_hex(bench, apdu);
    for (size_t i = 0; i < bench->length; i++) {
        sprintf(text + 2 * i, "%02X", bench->data[i]);
    }
    sprintf(text + 2 * bench->length, "%04X", bench->sw);
    return text;
}

static void the_same_answers(void **state)
{
    struct bench *bench = *state;
    void *direct = NULL;
    size_t bad = 0;

    card_make(&direct);
    for (size_t i = 0; i < CARD_COUNT(rows); i++) {
        const char *wanted = answer_of(direct, rows[i].apdu);
        wanted = rows[i].over_t0 != NULL ? rows[i].over_t0 : wanted;
        over_t0(bench, rows[i].apdu, false);
        if (strcmp(line.responses, wanted) != 0) {
            print_error("%s: %s, not %s; line %s\n", rows[i].apdu, line.responses, wanted,
                        t0_card_wire(&line));
            bad++;
        }
    }
    assert_int_equal(bad, 0);
    card_free(&direct);
}

/* 7816-3, 12.2.4: what no T=0 command can carry comes in pieces. */
static void long_commands(void **state)
{
    struct bench *bench = *state;
    char apdu[2 * 400 + 1] = "00D6810000012C";

    over_t0(bench, "0020008106313233343536", false);
    over_t0(bench, "00D6810000012C 300*", false);
    const char *responses = line.responses;
    for (unsigned i = 0; i < 300; i++) {
        sprintf(apdu + 14 + 2 * i, "%02X", i & 0xFF);
    }
    assert_string_equal(responses, answer_of(bench, apdu));
    /* the same instruction with what a piece is for, under classes that ENVELOPE has not */
    over_t0(bench, "80C2000004 04C2000001AA 00C2000104", true);
    assert_string_equal(line.responses, "6D00 6982 6D00");
}

/* Under secure messaging even what reads has data: P3 is Lc. */
static void secure_messaging(void **state)
{
    struct bench *bench = *state;
    struct bytes wrapped = {0};
    char apdu[2 * 64 + 1];

    bench_session(bench, 0x01);
    bench_wrap(bench, "80CA00E0", &wrapped);
    for (size_t i = 0; i < wrapped.length; i++) {
        sprintf(apdu + 2 * i, "%02X", wrapped.data[i]);
    }
    strcat(apdu, "00");
    over_t0(bench, apdu, false);
    char *end = strstr(line.responses, "9000");
    assert_non_null(end);
    assert_string_equal(end, "9000");
    assert_memory_equal(line.responses, "E0", 2);
    assert_memory_equal(t0_card_wire(&line), ">84CA00E008 <CA >", 17);
}

/* EF 5102 has two records: a wrong Le does not read past one of them. */
static void a_wrong_le_moves_the_record_pointer_once(void **state)
{
    struct bench *bench = *state;

    over_t0(bench, "00A4040C09F05457494E434F5301 00B2001220 00B2000200 00B2000220", false);
    const char *second = strchr(line.responses, ' ') + 1;
    const char *third = strchr(second, ' ') + 1, *fourth = strchr(third, ' ') + 1;
    assert_int_equal(third - second, 2 * 18 + 1);
    assert_memory_equal(third - 5, "9000", 4);
    assert_int_equal(fourth - third, 2 * 18 + 1);
    assert_memory_equal(fourth - 5, "9000", 4);
    assert_string_equal(fourth, "6A83");
    const char *wire = t0_card_wire(&line);
    assert_non_null(strstr(wire, ">00B2001220 <6C10 >00B2001210 <B2"));
    assert_non_null(strstr(wire, ">00B2000200 <6C10 >00B2000210 <B2"));
}

static void challenges(void **state)
{
    struct bench *bench = *state;

    over_t0(bench, "0084000008 0084000010 0084000000", false);
    assert_int_equal(strlen(line.responses), 2 * (8 + 2 + 16 + 2 + 8 + 2) + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(directions),
        cmocka_unit_test(directions_by_parameters),
        CARD_TEST(the_same_answers),
        CARD_TEST(long_commands),
        CARD_TEST(secure_messaging),
        CARD_TEST(challenges),
        CARD_TEST(a_wrong_le_moves_the_record_pointer_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
