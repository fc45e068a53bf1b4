/* SPDX-License-Identifier: Apache-2.0
 *
 * What a card says about itself and to whom (production record, serial number, record rule), and
 * what is left of it after its termination.
 */
#include "card_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SERIAL   "5443000000001234"
#define CPLC     "9F7F00"
#define CHIP     "9F7F2A 4790 0001 5443 6326 0001 6325 00001234 0007"
#define MODULE   "4D4F 6330"
#define CARD     "4341 6331"
#define PREPARED "4341 6332 00000001"
#define PERSONAL "4953 6333 00000002"
#define NOBODY   "0000 0000 00000000"

/* ---- Production record ---- */

static void the_record_grows_with_each_step(void **state)
{
    static const struct {
        enum cos_life_cycle state;
        const char *cplc;
    } rows[] = {
        {COS_LIFE_FABRICATED, CHIP "0000 0000"
                                   "0000 0000" NOBODY NOBODY},
        {COS_LIFE_PACKAGED, CHIP MODULE "0000 0000" NOBODY NOBODY},
        {COS_LIFE_PRODUCED, CHIP MODULE CARD NOBODY NOBODY},
        {COS_LIFE_INITIALIZED, CHIP MODULE CARD PREPARED NOBODY},
        {COS_LIFE_PERSONALIZED, CHIP MODULE CARD PREPARED PERSONAL},
        {COS_LIFE_OPERATIONAL, CHIP MODULE CARD PREPARED PERSONAL},
    };
    static const uint8_t gp_states[] = {0, 0x01, 0x01, 0x01, 0x07, 0x07, 0x0F};
    struct bench *bench = *state;

    for (size_t i = 0; i < CARD_COUNT(rows); i++) {
        char text[80];
        assert_true(bench_produce_to(bench, rows[i].state));
        bench_expect(bench, "80CA" CPLC, 0x9000, rows[i].cplc);
        bench_expect(bench, "00CA" CPLC, 0x9000, rows[i].cplc);
        snprintf(text, sizeof text, "C001%02X C108 " SERIAL " C203 000100 C301%02X", rows[i].state,
                 gp_states[rows[i].state]);
        bench_expect(bench, "00CA010100", 0x9000, text);
    }
}

static void the_file_of_the_record(void **state)
{
    struct bench *bench = *state;
    uint8_t record[128] = {0};
    size_t at = bench_bytes(CHIP MODULE CARD PREPARED PERSONAL
                            "C002 FF10 C108 424F445930303031 C204 42544348 C310"
                            "5052494E54494E472044415441203031 C420",
                            record, sizeof record);
    const struct cos_span image = {bench->rom_image, sizeof bench->rom_image};

    assert_int_equal(cos_crypto_tomcrypt.hash(NULL, COS_SHA256, &image, 1, record + at), COS_OK);
    bench_expect(bench, "00A4000C022F02", 0x9000, NULL);
    bench_expect(bench, "00B0000000", 0x9000, CARD_ANY);
    assert_int_equal(bench->length, 128);
    assert_memory_equal(bench->data, record, 128);
    bench_expect(bench, "00B0002D05", 0x9000, "C002FF10C1");
    bench_expect(bench, "00B0007F02", 0x6282, "00");
    bench_expect(bench, "00B0008001", 0x6B00, NULL);
    for (size_t offset = 0; offset < 128; offset += 11) {
        const uint8_t apdu[] = {0x00, 0xB0, 0x00, (uint8_t)offset, 0x0B};
        size_t run = 128 - offset < 11 ? 128 - offset : 11;
        (void)bench_apdu(bench, apdu, sizeof apdu);
        assert_int_equal(bench->length, run);
        assert_memory_equal(bench->data, record + offset, run);
    }
    bench_expect(bench, "00D60000 01 00", 0x6982, NULL); /* nobody writes it */
    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A4000C 02 2F02", 0x9000, NULL);
    bench_expect_sm(bench, "00D60000 01 00", 0x6982, NULL);
}

static void get_data_refused(void **state)
{
    static const struct card_row rows[] = {
        {"tag 0000", "00CA000000", 0x6A86, NULL, 0},
        {"tag 0042", "80CA004200", 0x6A88, NULL, 0},
        {"tag 00CF", "80CA00CF00", 0x6A88, NULL, 0},
        {"tag 0102", "80CA010200", 0x6A88, NULL, 0},
        {"tag 9F7E", "80CA9F7E00", 0x6A88, NULL, 0},
        {"tag FFFF", "80CAFFFF00", 0x6A88, NULL, 0},
        {"with data", "80CA006601 00", 0x6700, NULL, 0},
        {"odd instruction", "80CB006600", 0x6D00, NULL, 0},
        {"card data", "80CA006600", 0x9000,
         "6626 7324 06072A864886FC6B01 600C060A2A864886FC6B02020301 640B06092A864886FC6B040370",
         CARD_KEEPS},
        {"cut by Le", "80CA006604", 0x6124, "66267324", CARD_KEEPS},
        {"GET STATUS: applications", "80F24000024F00", 0x6A88, NULL, 0},
        {"GET STATUS: load files", "80F22000024F00", 0x6A88, NULL, 0},
        {"GET STATUS: load files and modules", "80F21000024F00", 0x6A88, NULL, 0},
        {"GET STATUS: all at once", "80F2F000024F00", 0x6A86, NULL, 0},
        {"GET STATUS: P2 01", "80F28001024F00", 0x6A86, NULL, 0},
        {"GET STATUS: P2 03", "80F28003024F00", 0x6A86, NULL, 0},
        {"GET STATUS: P2 04", "80F28004024F00", 0x6A86, NULL, 0},
        {"GET STATUS: no data", "80F2800000", 0x6700, NULL, 0},
        {"GET STATUS: one byte", "80F28000014F", 0x6A80, NULL, 0},
        {"GET STATUS: a name", "80F28000034F01A0", 0x6A80, NULL, 0},
        {"GET STATUS: another object", "80F28000025C00", 0x6A80, NULL, 0},
        {"GET STATUS", "80F28000024F00", 0x9000, "08 A000000151000000 0F 9E", CARD_KEEPS},
    };
    BENCH_ROWS(*state, rows);
}

/* ---- Who gets it ---- */

#define WITH_SERIAL    "C00106 C108" SERIAL "C203 000100 C3010F"
#define WITHOUT_SERIAL "C00106 C203 000100 C3010F"
#define INFORMATION    "00CA010100"

static void set_rule(struct bench *bench, const char *dgi)
{
    bench_session(bench, 0x03);
    assert_int_equal(bench_store(bench, dgi), 0x9000);
    bench_reset(bench);
}

static void check_access(struct bench *bench, bool given)
{
    bench_expect(bench, INFORMATION, 0x9000, given ? WITH_SERIAL : WITHOUT_SERIAL);
    bench_expect(bench, "00CA" CPLC, given ? 0x9000 : 0x6982, given ? CARD_ANY : NULL);
    bench_expect(bench, "00A4080C022F02", 0x9000, NULL);
    bench_expect(bench, "00B0000004", given ? 0x9000 : 0x6982, given ? "9F7F2A47" : NULL);
}

static void the_record_rule_decides(void **state)
{
    struct bench *bench = *state;

    check_access(bench, true);
    set_rule(bench, "8030 03 C801FF");
    check_access(bench, false);
    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00CA0101", 0x9000, WITHOUT_SERIAL);
    bench_expect_sm(bench, "00CA9F7F", 0x6982, NULL);

    set_rule(bench, "8030 03 C801C0");
    check_access(bench, false);
    bench_session(bench, 0x01);
    bench_expect_sm(bench, "00CA0101", 0x9000, WITH_SERIAL);
    bench_expect_sm(bench, "00CA9F7F", 0x9000, CARD_ANY);
    bench_expect_sm(bench, "00A4080C 02 2F02", 0x9000, NULL);
    bench_expect_sm(bench, "00B00000", 0x9000, CARD_ANY);
    check_access(bench, false); /* in the clear again */

    bench_session(bench, 0x03);
    assert_int_equal(bench_store(bench, "8010 09 830101 C704 31313131 8030 03 C80190"), 0x9000);
    bench_reset(bench);
    check_access(bench, false);
    bench_expect(bench, "00200001 04 31313131", 0x9000, NULL);
    check_access(bench, true);
    bench_expect(bench, "00200001 04 31313132", 0x63C2, NULL);
    check_access(bench, false);

    bench_session(bench, 0x03); /* locked: the rule's authentications do not exist there */
    bench_expect_sm(bench, "80F0807F", 0x9000, NULL);
    bench_expect(bench, INFORMATION, 0x9000, "C00107 C203 000100 C3017F");
    bench_expect(bench, "00CA" CPLC, 0x6982, NULL);
    bench_session(bench, 0x03);
    bench_expect_sm(bench, "80F0800F", 0x9000, NULL);

    set_rule(bench, "8030 03 C80100");
    check_access(bench, true);
}

/* ---- Secrets in NVM ---- */

/* Whether any eight bytes of a secret stand in the raw NVM of either chip. */
static bool lies_open(const struct bench *bench, const uint8_t *secret, size_t length)
{
    for (size_t i = 0; i + 8 <= length || i == 0; i++) {
        size_t run = length < 8 ? length : 8;
        if (card_nvm_contains(&bench->app_nvm, secret + i, run) ||
            card_nvm_contains(&bench->secure_nvm, secret + i, run)) {
            return true;
        }
    }
    return false;
}

static void secrets_are_never_in_nvm_in_the_clear(void **state)
{
    struct bench *bench = *state;

    for (unsigned life = COS_LIFE_FABRICATED; life <= COS_LIFE_OPERATIONAL; life++) {
        assert_true(bench_produce_to(bench, (enum cos_life_cycle)life));
        bench_expect(bench, INFORMATION, 0x9000, CARD_ANY);
        assert_false(lies_open(bench, bench_transport, 16));
        assert_false(lies_open(bench, bench_transport_next, 16));
        /* The app chip's own transport key waits in its fab record until it is used. */
        assert_int_equal(lies_open(bench, bench_transport_app, 16), life == COS_LIFE_FABRICATED);
        assert_false(lies_open(bench, bench_keys_initial.enc, 16));
        assert_false(lies_open(bench, bench_keys_initial.mac, 16));
        assert_false(lies_open(bench, bench_keys_initial.dek, 16));
        assert_false(lies_open(bench, bench_keys_card.enc, 16));
        assert_false(lies_open(bench, bench_keys_card.mac, 16));
        assert_false(lies_open(bench, bench_keys_card.dek, 16));
        assert_false(lies_open(bench, bench_access_key, 16));
        assert_false(lies_open(bench, bench_remote_key, 16));
        assert_false(lies_open(bench, bench_external_key, 16));
        assert_false(lies_open(bench, (const uint8_t *)BENCH_PIN, 6));
        assert_false(lies_open(bench, (const uint8_t *)BENCH_PIN_CODE, 8));
    }
}

/* ---- Termination ---- */

/* The bytes of all secret slots as they lie in NVM: what an object was enciphered to. */
static size_t collect_slots(const struct bench *bench, uint8_t slots[48][32])
{
    const struct cos_store *store = &bench->secure.store;
    const uint32_t payload = store->payload;
    const uint32_t per_page = payload / 48;
    const uint32_t entries = payload / 40;
    const uint32_t first =
        1 + (48 + entries - 1) / entries + 1; /* pages of state, objects, names */
    size_t count = 0;

    for (uint32_t i = 0; i < 48; i++) {
        uint8_t slot[32];
        uint32_t address = (first + 1 + i / per_page) * payload + i % per_page * 48;
        static const uint8_t zeros[32];
        assert_int_equal(cos_store_read(store, address, slot, sizeof slot), COS_OK);
        if (memcmp(slot, zeros, sizeof slot) != 0) {
            memcpy(slots[count++], slot, sizeof slot);
        }
    }
    return count;
}

static void only_atr_serial_and_state_answer(struct bench *bench)
{
    static const struct card_row rows[] = {
        {"state and serial", INFORMATION, 0x9000, "C00108 C108" SERIAL "C203 000100 C301FF",
         CARD_KEEPS},
        {"GlobalPlatform state", "80F28000024F00", 0x9000, "08 A000000151000000 FF 9E", CARD_KEEPS},
        {"production record", "80CA" CPLC, 0x6985, NULL, 0},
        {"keys", "80CA00E000", 0x6985, NULL, 0},
        {"card data", "80CA006600", 0x6985, NULL, 0},
        {"MF", "00A40000", 0x6985, NULL, 0},
        {"issuer domain", "00A40400", 0x6985, NULL, 0},
        {"EF", "00B0830000", 0x6985, NULL, 0},
        {"PIN", "00200081 06 313233343536", 0x6985, NULL, 0},
        {"challenge", "0084000008", 0x6985, NULL, 0},
        {"INITIALIZE UPDATE", "8050010008 0102030405060708 00", 0x6985, NULL, 0},
        {"EXTERNAL AUTHENTICATE", "8482030010 00000000000000000000000000000000", 0x6985, NULL, 0},
        {"SET STATUS", "80F0800F", 0x6985, NULL, 0},
        {"production step", "80F10300", 0x6985, NULL, 0},
        {"secure messaging", "04A4000008 0102030405060708", 0x6982, NULL, 0},
        {"GET RESPONSE", "00C0000000", 0x6985, NULL, 0},
        {"no instruction", "00FF0000", 0x6D00, NULL, 0},
        {"malformed", "00", 0x6700, NULL, 0},
    };
    BENCH_ROWS(bench, rows);
}

static void a_terminated_card_has_no_secrets(void **state)
{
    struct bench *bench = *state;
    uint8_t storage_key[32], slots[48][32], pairing[32], atr[2][COS_ATR_MAX];
    const uint32_t record = cos_store_size(&bench->app.store) - bench->app.store.payload;

    memcpy(storage_key, bench->secure.storage_key, sizeof storage_key);
    assert_true(lies_open(bench, storage_key, sizeof storage_key));
    assert_int_equal(cos_store_read(&bench->app.store, record + 10, pairing, sizeof pairing),
                     COS_OK);
    assert_true(card_nvm_contains(&bench->app_nvm, pairing, sizeof pairing));
    const size_t count = collect_slots(bench, slots);
    assert_int_equal(count, 9); /* 2 PINs, 3 keys, 3 SCP03 keys, pairing secret */
    size_t length = cos_app_atr(&bench->app_board, &bench->app_config, atr[0], COS_ATR_MAX);

    bench_session(bench, 0x03);
    uint8_t session[2][16];
    memcpy(session[0], bench->secure.sessions[0].enc, 16);
    memcpy(session[1], bench->secure.sessions[0].mac, 16);
    bench_expect_sm(bench, "80F080FF", 0x9000, NULL);
    for (unsigned i = 0; i < 3; i++) {
        only_atr_serial_and_state_answer(bench);
        assert_false(lies_open(bench, storage_key, sizeof storage_key));
        assert_false(lies_open(bench, pairing, sizeof pairing));
        for (size_t slot = 0; slot < count; slot++) {
            assert_false(lies_open(bench, slots[slot], 32));
        }
        const uint8_t *const memory = (const uint8_t *)&bench->secure;
        assert_false(bench_contains(memory, sizeof bench->secure, storage_key, 32));
        assert_false(bench_contains(memory, sizeof bench->secure, session[0], 16));
        assert_false(bench_contains(memory, sizeof bench->secure, session[1], 16));
        assert_int_equal(cos_app_atr(&bench->app_board, &bench->app_config, atr[1], COS_ATR_MAX),
                         length);
        assert_memory_equal(atr[0], atr[1], length);
        bench_reset(bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_BLANK_TEST(the_record_grows_with_each_step),
        CARD_TEST(the_file_of_the_record),
        CARD_TEST(get_data_refused),
        CARD_TEST(the_record_rule_decides),
        CARD_BLANK_TEST(secrets_are_never_in_nvm_in_the_clear),
        CARD_TEST(a_terminated_card_has_no_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
