/* SPDX-License-Identifier: Apache-2.0
 *
 * DELETE FILE of a DF with names: its PINs and keys in the security chip go with it, or nothing
 * does.
 */
#include "card_table.h"
#include "vault_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "secure_domain/domain.h"

#define NAME       "F0A1A2A3A4"
#define ALIAS      "D2760000010203"
#define INNER      "F0A1A2A3A5"
#define OTHER_NAME "F0A1A2A3B4"
#define FREE       "8C087F00000000000000" /* DELETE: always */
#define PIN        "8010 10 830101 8405" NAME " C704 37373737"
#define OTHER      "8010 10 830102 8405" INNER " C704 38383838"
#define GLOBAL     "8010 09 830103 C704 39393939"
#define V          COS_GATE_VAULT
#define C          COS_GATE_CONTEXT
#define MF         "00A4000C 02 3F00"
#define SELECT_A   "00A4040C 05 " NAME

/* DF A000 with two names and PIN 1, in it DF A001 with a name and PIN 2; PIN 3 is global. */
static void make_tree(struct bench *bench)
{
    bench_session(bench, 0x03);
    bench_expect_sm(bench, MF, 0x9000, NULL);
    assert_int_equal(bench_create(bench, true, "820138 8302A000 8405" NAME " 8407" ALIAS " " FREE),
                     0x9000);
    assert_int_equal(bench_create(bench, true, "820138 8302A001 8405" INNER " " FREE), 0x9000);
    assert_int_equal(bench_store(bench, PIN), 0x9000);
    assert_int_equal(bench_store(bench, OTHER), 0x9000);
    assert_int_equal(bench_store(bench, GLOBAL), 0x9000);
}

/* Objects of applications in the security chip. */
static unsigned objects(const struct bench *bench)
{
    struct object object;
    unsigned count = 0;

    for (uint16_t i = 0; i < bench->secure.config.objects; i++) {
        assert_int_equal(cos_object_read(&bench->secure, i, &object), COS_OK);
        count += object.kind != OBJECT_FREE && object.context != CONTEXT_GLOBAL;
    }
    return count;
}

static bool is_known(const struct bench *bench, const char *hex)
{
    uint8_t name[16], context;
    const struct cos_span span = {name, bench_bytes(hex, name, sizeof name)};

    return cos_application_find(&bench->secure, span, &context) == COS_OK;
}

static void pins_and_keys_go_with_the_df(void **state)
{
    struct bench *bench = *state;
    const unsigned before = objects(bench);

    make_tree(bench);
    assert_int_equal(objects(bench), before + 2);
    const struct card_row rows[] = {
        {"the MF", MF, 0x9000, NULL, CARD_SM},
        {"deleted", "00E40000 02 A000", 0x9000, NULL, CARD_SM},
        {"its name", SELECT_A, 0x6A82},
        {"the other one", "00A4040C 07 " ALIAS, 0x6A82},
        {"the one in it", "00A4040C 05 " INNER, 0x6A82},
        {"what is global stays", "00200003 04 39393939", 0x9000},
    };
    BENCH_ROWS(bench, rows);
    assert_int_equal(objects(bench), before);
    assert_false(is_known(bench, NAME) || is_known(bench, ALIAS) || is_known(bench, INNER));
    assert_true(is_known(bench, "F05457494E434F5301"));
}

/* Made again, it is another application. */
static void a_df_made_again_has_no_pin(void **state)
{
    struct bench *bench = *state;

    make_tree(bench);
    bench_expect(bench, SELECT_A, 0x9000, NULL);
    bench_expect(bench, "00200081 04 37373737", 0x9000, NULL);
    bench_session(bench, 0x03);
    const struct card_row rows[] = {
        {"in it", SELECT_A, 0x9000, NULL, CARD_SM},
        {"deleted from within", "00E40000", 0x9000, NULL, CARD_SM},
        {"no application is selected", "00200081", 0x6A88, NULL, CARD_SM},
        {"made again", "00E00000 10 620E 820138 8302A000 8405" NAME, 0x9000, NULL, CARD_SM},
        {"without PIN", "00200081 04 37373737", 0x6A88, NULL, CARD_SM},
    };
    BENCH_ROWS(bench, rows);
    assert_int_equal(bench_store(bench, PIN), 0x9000);
    bench_expect(bench, SELECT_A, 0x9000, NULL);
    bench_expect(bench, "00200081", 0x63C3, NULL);
}

/* More pages than one transaction takes: every fourth object is the application's. */
static void objects_lie_anywhere(void **state)
{
    struct bench *bench = *state;
    char dgi[96];

    bench_session(bench, 0x03);
    bench_expect_sm(bench, MF, 0x9000, NULL);
    assert_int_equal(bench_create(bench, true, "820138 8302B000 8405" OTHER_NAME), 0x9000);
    bench_expect_sm(bench, MF, 0x9000, NULL);
    assert_int_equal(bench_create(bench, true, "820138 8302A000 8405" NAME " " FREE), 0x9000);
    const unsigned before = objects(bench);
    for (unsigned i = 0; i < 28; i++) {
        snprintf(dgi, sizeof dgi, "%s 8301%02X 8405%s %s",
                 i < 19 ? "8010 10" : "8020 22 800101 950101", i % 4 == 0 ? i / 4 + 1 : i % 14 + 1,
                 i % 4 == 0 ? NAME : OTHER_NAME,
                 i < 19 ? "C70437373737" : "C710 000102030405060708090A0B0C0D0E0F");
        assert_int_equal(bench_store(bench, dgi), 0x9000);
    }
    const unsigned with = objects(bench);
    bench_expect_sm(bench, "00E40000", 0x9000, NULL);
    assert_int_equal(with - objects(bench), 7);
    assert_true(objects(bench) > before);
    bench_reset(bench);
    bench_expect(bench, "00A4040C 05 " OTHER_NAME, 0x9000, NULL);
    bench_expect(bench, "00200082 04 37373737", 0x9000, NULL);
}

/* Eight names in all: none of them may be lost on the way. */
static void names_come_back(void **state)
{
    struct bench *bench = *state;
    char fcp[96];

    for (unsigned round = 0; round < 20; round++) {
        bench_session(bench, 0x01);
        bench_expect_sm(bench, MF, 0x9000, NULL);
        snprintf(fcp, sizeof fcp, "820138 8302A000 8405F0A1A2A3%02X 8406F0A1A2A3A4%02X " FREE,
                 round, round);
        assert_int_equal(bench_create(bench, true, fcp), 0x9000);
        bench_expect_sm(bench, "00E40000", 0x9000, NULL);
    }
}

static void only_the_issuer_deletes_pins(void **state)
{
    struct bench *bench = *state;

    make_tree(bench);
    const struct card_row rows[] = {
        {"the rule allows it, but PINs would go", "00E40800 02 A000", 0x6982},
        {"the inner one too", "00E40800 04 A000A001", 0x6982},
        {"all is there", SELECT_A, 0x9000},
        {"the PIN too", "00200081 04 37373737", 0x9000},
        {"from within", "00E40000", 0x6982},
        {"and it is still verified", "00200081", 0x9000},
    };
    BENCH_ROWS(bench, rows);
}

/* A name without PINs and keys is deleted by the rule of the DF alone. */
static void an_empty_application_goes_by_the_rule(void **state)
{
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    bench_expect_sm(bench, MF, 0x9000, NULL);
    assert_int_equal(bench_create(bench, true, "820138 8302A000 8405" NAME " " FREE), 0x9000);
    assert_true(is_known(bench, NAME));
    bench_expect(bench, "00E40800 02 A000", 0x9000, NULL);
    assert_false(is_known(bench, NAME));
}

/* Where nothing of the DF is in the security chip, that is not written to. */
static void unknown_names_cost_nothing_there(void **state)
{
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    bench_expect_sm(bench, MF, 0x9000, NULL);
    assert_int_equal(bench_create(bench, true, "820138 8302A000 8C087F00000000000000"), 0x9000);
    bench_expect(bench, "00A4080C 02 A000", 0x9000, NULL);
    assert_int_equal(bench_create(bench, false, "820138 8302A001 8405" NAME " " FREE), 0x9000);
    const uint64_t programs = bench->secure_nvm.counts.page_programs;
    bench_expect(bench, "00E40000", 0x9000, NULL);
    assert_int_equal(bench->secure_nvm.counts.page_programs, programs);
}

/* ---- Over the gate, in the app chip's place ---- */

static struct gate_rig rig;
static struct bench rigged;

static int take(void **state)
{
    (void)state;
    vault_rig_make(&rig, &rigged);
    return 0;
}

static int give_back(void **state)
{
    (void)state;
    bench_free(&rigged);
    return 0;
}

/* The bench's application is context 1, its PINs and keys are there. */
static void the_gate_takes_contexts_as_bits(void **state)
{
    static const struct vault_step plain[] = {
        {"found", C, "0400 F05457494E434F5301", COS_OK, "01"},
        {"not there", C, "0400 F05457494E434F5302", COS_OK, "00"},
        {"no name", C, "0400", COS_OK, "00"},
        {"finding binds nothing", COS_GATE_PIN, "02008100", COS_E_TRIES_0 - 3},
        {"not under secure messaging", V, "0200 NNNNNNNN 01", COS_E_SECURITY_STATUS},
        {"not to be asked for either", V, "0200 00000000 01", COS_E_SECURITY_STATUS},
        {"nothing", V, "0200 NNNNNNNN 00", COS_E_GATE_FORMAT},
        {"no byte for them", V, "0200 NNNNNNNN", COS_E_GATE_FORMAT},
        {"nobody's", V, "0200 NNNNNNNN 02", COS_E_REFERENCE_NOT_FOUND},
    };
    static const struct vault_step issuer[] = {
        {"SELECT", COS_GATE_SM_OPEN, "00A40400 09 F05457494E434F5301", COS_OK},
        {"which deletes nothing", V, "0200 NNNNNNNN 01", COS_E_CONDITIONS},
        {"DELETE FILE", COS_GATE_SM_OPEN, "00E40000 02 5100", COS_OK},
        {"wrong transaction", V, "0200 PPPPPPPP 01", COS_E_CONDITIONS},
        {"a vault file of it stays", V, "0200 NNNNNNNN 01", COS_E_CONDITIONS},
        {"one of two", V, "0200 NNNNNNNN 01 0001", COS_E_CONDITIONS},
        {"nobody's among them", V, "0200 NNNNNNNN 03 0001 0002", COS_E_REFERENCE_NOT_FOUND},
        {"asked for", V, "0200 00000000 01 0001 0002", COS_OK},
        {"still there", C, "0400 F05457494E434F5301", COS_OK, "01"},
        {"done", V, "0200 NNNNNNNN 01 0001 0002", COS_OK, NULL, VAULT_ANY},
        {"no more", C, "0400 F05457494E434F5301", COS_OK, "00"},
        {"nor its files", V, "0600 0001", COS_E_REFERENCE_NOT_FOUND},
        {"sealed", COS_GATE_SM_SEAL, "00 9000", COS_OK},
        {"the channel is bound to none", COS_GATE_PIN, "02008100", COS_E_REFERENCE_NOT_FOUND},
    };

    (void)state;
    VAULT_STEPS(&rig, plain);
    vault_session(&rig);
    assert_int_equal(vault_create(&rig, 8, "8C 03 41 00 00"), 1);
    assert_int_equal(vault_create(&rig, 8, "8C 03 41 00 00"), 2);
    VAULT_STEPS(&rig, issuer);
    assert_int_equal(objects(&rigged), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(pins_and_keys_go_with_the_df),
        CARD_TEST(a_df_made_again_has_no_pin),
        CARD_TEST(objects_lie_anywhere),
        CARD_TEST(names_come_back),
        CARD_TEST(only_the_issuer_deletes_pins),
        CARD_TEST(an_empty_application_goes_by_the_rule),
        CARD_TEST(unknown_names_cost_nothing_there),
        cmocka_unit_test_setup_teardown(the_gate_takes_contexts_as_bits, take, give_back),
    };

    return cmocka_run_group_tests_name("applications", tests, NULL, NULL);
}
