/* SPDX-License-Identifier: Apache-2.0
 *
 * DFs with several names: one application in the security chip, by whichever name it is selected,
 * under secure messaging too.
 */
#include "card_table.h"
#include "gate_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "secure_domain/domain.h"

#define FIRST  "F0A1A2A3A4"
#define SECOND "D2760000010203"

static struct bench bench;

static uint16_t select_plain(const char *name)
{
    char apdu[64];

    snprintf(apdu, sizeof apdu, "00A4040C %02X %s", (unsigned)strlen(name) / 2, name);
    return bench_hex(&bench, apdu);
}

static uint16_t select_secured(const char *name)
{
    char apdu[64];

    snprintf(apdu, sizeof apdu, "00A4040C %02X %s", (unsigned)strlen(name) / 2, name);
    return bench_sm_hex(&bench, apdu);
}

/* A DF with two names, and PIN 1 of its own, 7777. */
static int make(void **state)
{
    (void)state;
    bench_make(&bench, &bench_host);
    assert_int_equal(bench_sm_open(&bench, 0x01, 0x03), 0x9000);
    assert_int_equal(bench_sm_hex(&bench, "00A40000 02 3F00"), 0x9000);
    assert_int_equal(
        bench_create(&bench, true, "820138 8302A000 8405" FIRST " 8407" SECOND " 8C0306C0C0"),
        0x9000);
    assert_int_equal(bench_store(&bench, "8010 10 830101 8405" FIRST " C704 37373737"), 0x9000);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    bench_free(&bench);
    return 0;
}

static void either_name_selects_one_application(void **state)
{
    static const char *const names[] = {FIRST, SECOND, "D276", "F0A1"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(select_plain("F05457494E434F5301"), 0x9000);
        assert_int_equal(select_plain(names[i]), 0x9000);
        assert_int_equal(bench_hex(&bench, "00200081 04 37373737"), 0x9000);
        assert_int_equal(bench_hex(&bench, "00200081"), 0x9000);
    }
    /* the other name is no other application: what was verified stays so */
    assert_int_equal(select_plain(FIRST), 0x9000);
    assert_int_equal(bench_hex(&bench, "00200081"), 0x9000);
}

static void secure_messaging_takes_either_name_too(void **state)
{
    static const char *const names[] = {SECOND, FIRST, "D27600"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(bench_sm_open(&bench, 0x01, 0x03), 0x9000);
        assert_int_equal(select_secured("F05457494E434F5301"), 0x9000);
        assert_int_equal(select_secured(names[i]), 0x9000);
        assert_int_equal(bench_sm_hex(&bench, "00200081 04 37373737"), 0x9000);
    }
    /* objects can be given by either name */
    assert_int_equal(bench_store(&bench, "8010 12 830102 8407" SECOND " C704 38383838"), 0x9000);
    assert_int_equal(select_plain(FIRST), 0x9000);
    assert_int_equal(bench_hex(&bench, "00200082 04 38383838"), 0x9000);
}

static enum cos_result call_context(uint8_t operation, const char *name)
{
    uint8_t message[2 + 16] = {operation, 0};
    size_t length;
    struct cos_span answer;

    assert_true(hex_read(name, message + 2, 16, &length));
    const struct cos_span part = {message, 2 + length};
    return cos_gate_call(&bench.app.gate, COS_GATE_CONTEXT, &part, 1, &answer);
}

/* 0: none. */
static unsigned context_of(const char *name)
{
    uint8_t bytes[16], context = 0;
    const struct cos_span span = {bytes, bench_bytes(name, bytes, sizeof bytes)};

    (void)cos_application_find(&bench.secure, span, &context);
    return context;
}

/* The terminal's command reaches the app chip, which has it opened and does something else. */
static void open_only(uint8_t ins, uint8_t p1, const char *data)
{
    uint8_t bytes[64], message[300] = {0};
    struct command command = {.ins = ins, .p1 = p1, .data = bytes};
    struct bytes apdu = {0};
    struct cos_span answer;

    assert_true(hex_read(data, bytes, sizeof bytes, &command.nc));
    assert_true(scp03_wrap(&bench.scp03, &command, &apdu));
    memcpy(message + 1, apdu.data, apdu.length);
    const struct cos_span part = {message, 1 + apdu.length};
    assert_int_equal(cos_gate_call(&bench.app.gate, COS_GATE_SM_OPEN, &part, 1, &answer), COS_OK);
}

static void a_hostile_app_chip_cannot_mix_names(void **state)
{
    (void)state;
    assert_int_equal(bench_sm_open(&bench, 0x01, 0x03), 0x9000);
    open_only(0xA4, 0x04, SECOND);
    assert_int_equal(call_context(COS_CONTEXT_BIND, "F05457494E434F5301"), COS_E_CONDITIONS);
    assert_int_equal(call_context(COS_CONTEXT_BIND, FIRST), COS_OK);
    open_only(0xA4, 0x04, "A0000001");
    assert_int_equal(call_context(COS_CONTEXT_BIND, FIRST), COS_E_CONDITIONS);
    open_only(0xA4, 0x04, "A00000015100000000");
    assert_int_equal(call_context(COS_CONTEXT_BIND, FIRST), COS_E_CONDITIONS);
    /* names that the CREATE FILE does not give are not registered */
    open_only(0xE0, 0x00, "620D 820138 8302A100 8404 F0B1B2B3");
    assert_int_equal(call_context(COS_CONTEXT_REGISTER, ""), COS_OK);
    assert_int_not_equal(context_of("F0B1B2B3"), 0);
    assert_int_equal(call_context(COS_CONTEXT_REGISTER, "F0B1B2B4"), COS_E_GATE_FORMAT);
    assert_int_equal(context_of("F0B1B2B4"), 0);
    assert_int_equal(bench_hex(&bench, "00A40000 02 3F00"), 0x9000); /* another session */
}

#define X "F0C1C2"
#define Y "F0C1C3"

/* A CREATE FILE that ends when the names are registered: power went, or an answer was lost. */
static int leave_names(const char *fcp)
{
    char data[96];

    snprintf(data, sizeof data, "62%02X %s", (unsigned)strlen(fcp) / 2, fcp);
    open_only(0xE0, 0x00, data);
    return call_context(COS_CONTEXT_REGISTER, "");
}

static void names_left_behind_serve_the_next_try(void **state)
{
    (void)state;
    assert_int_equal(bench_sm_open(&bench, 0x01, 0x03), 0x9000);
    assert_int_equal(leave_names("8201388302A2008403" X "8403" Y), COS_OK);
    const unsigned context = context_of(X);
    assert_int_not_equal(context, 0);
    assert_int_equal(context_of(Y), context);
    assert_int_equal(leave_names("8201388302A2008403" X "8403" Y), COS_OK);
    assert_int_equal(context_of(X), context);
}

/* Whatever they are given to: another set, another order, one DF each. */
static void names_left_behind_make_no_common_context(void **state)
{
    static const char *const fcps[] = {"8403" Y "8403" X, "8403" Y, "8403" X,
                                       "8403" X "8403" Y "8403F0C1C4", "8403" Y "8403F0C1C5"};

    (void)state;
    for (size_t i = 0; i < sizeof fcps / sizeof fcps[0]; i++) {
        char fcp[96];
        assert_int_equal(bench_sm_open(&bench, 0x01, 0x03), 0x9000);
        assert_int_equal(bench_sm_hex(&bench, "00A40000 02 3F00"), 0x9000);
        assert_int_equal(leave_names("8201388302A2008403" X "8403" Y), COS_OK);
        snprintf(fcp, sizeof fcp, "820138 8302A2%02X %s 8C087F00000000000000", (unsigned)i,
                 fcps[i]);
        assert_int_equal(bench_create(&bench, true, fcp), 0x9000);
        assert_true(context_of(X) == 0 || context_of(Y) == 0 || context_of(X) == context_of(Y));
        assert_true((strstr(fcps[i], X) != NULL) == (context_of(X) != 0));
        assert_true((strstr(fcps[i], Y) != NULL) == (context_of(Y) != 0));
        assert_int_equal(bench_sm_hex(&bench, "00E40000"), 0x9000);
        assert_int_equal(context_of(X), 0);
        assert_int_equal(context_of(Y), 0);
        assert_int_equal(context_of("F0C1C4"), 0);
    }
}

/* What would take an application's PINs or keys from it is refused. */
static void names_of_an_application_with_pins_are_taken(void **state)
{
    static const char *const fcps[] = {
        "8201388302A3008405" FIRST,
        "8201388302A3008407" SECOND "8405" FIRST "8403" X,
        "8201388302A3008403" X "8407" SECOND,
    };

    (void)state;
    assert_int_equal(bench_sm_open(&bench, 0x01, 0x03), 0x9000);
    const unsigned context = context_of(FIRST);
    for (size_t i = 0; i < sizeof fcps / sizeof fcps[0]; i++) {
        assert_int_equal(leave_names(fcps[i]), COS_E_NAME_EXISTS);
        assert_int_equal(context_of(FIRST), context);
        assert_int_equal(context_of(SECOND), context);
        assert_int_equal(context_of(X), 0);
    }
    assert_int_equal(leave_names("8201388302A300"), COS_E_DATA); /* no name */
}

/* Eight in all: of those that do not fit none is taken. */
static void names_are_taken_together_or_not(void **state)
{
    (void)state;
    assert_int_equal(bench_sm_open(&bench, 0x01, 0x03), 0x9000);
    assert_int_equal(leave_names("8201388302A300"
                                 "8402D101"
                                 "8402D102"
                                 "8402D103"
                                 "8402D104"
                                 "8402D105"
                                 "8402D106"),
                     COS_E_MEMORY_FULL);
    assert_int_equal(context_of("D101"), 0);
    assert_int_equal(leave_names("8201388302A3008402D1018402D1028402D103"), COS_OK);
    /* three places are given back for four new names */
    assert_int_equal(leave_names("8201388302A3008402D2018402D2028402D2038402D103"), COS_OK);
    assert_int_equal(context_of("D101"), 0);
    assert_int_equal(context_of("D103"), context_of("D201"));
}

/* The issuer domain's DF is the MF, and that may be an application. */
static void the_issuer_domain_is_selected_where_the_mf_has_a_name(void **state)
{
    static const char *const names[] = {"A000000151000000", "A000000151"};

    (void)state;
    bench_free(&bench);
    bench_init(&bench, &bench_host);
    assert_true(bench_power_on(&bench));
    assert_true(bench_produce_to(&bench, COS_LIFE_PRODUCED));
    assert_int_equal(bench_sm_open(&bench, 0x30, 0x03), 0x9000);
    assert_int_equal(bench_create(&bench, true, "820138 83023F00 8405" FIRST " 8C0306C0C0"),
                     0x9000);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(select_secured(names[i]), 0x9000); /* from the MF */
        char fcp[64];
        snprintf(fcp, sizeof fcp, "820138 8302A00%zu 8404F0B1B20%zu 8C0306C0C0", i, i);
        assert_int_equal(bench_create(&bench, true, fcp), 0x9000);
        assert_int_equal(select_secured(names[i]), 0x9000);               /* and from that DF */
        assert_int_equal(bench_sm_hex(&bench, "00A40308 01 00"), 0x6700); /* still in session */
        assert_int_equal(bench.app.channel->df, COS_FILE_MF);
    }
    assert_int_equal(select_secured("A00000015101"), 0x6A82);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(either_name_selects_one_application),
        cmocka_unit_test(secure_messaging_takes_either_name_too),
        cmocka_unit_test(a_hostile_app_chip_cannot_mix_names),
        cmocka_unit_test(names_left_behind_serve_the_next_try),
        cmocka_unit_test(names_left_behind_make_no_common_context),
        cmocka_unit_test(names_of_an_application_with_pins_are_taken),
        cmocka_unit_test(names_are_taken_together_or_not),
        cmocka_unit_test(the_issuer_domain_is_selected_where_the_mf_has_a_name),
    };

    return cmocka_run_group_tests_name("names", tests, make, drop);
}
