/* SPDX-License-Identifier: Apache-2.0
 *
 * STORE DATA (GPCS 11.11; docs/formats.md, "Security objects in STORE DATA"): every malformed data
 * group with its status word, and all of a command or none; the ATR while the card is initialized.
 */
#include "card_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEY_16 "000102030405060708090A0B0C0D0E0F"
#define KEY_24 KEY_16 "1011121314151617"
#define PIN_OK "8010 09 830105 C704 35353535"

static const struct {
    const char *what, *dgis;
    uint16_t sw;
} refused_dgis[] = {
    {"unknown group", "8011 09 830105 C704 35353535", 0x6A88},
    {"the app chip's group", "0A01 09 830105 C704 35353535", 0x6A88},
    {"group 0000", "0000 00", 0x6A88},
    {"half a number", "80", 0x6A80},
    {"a number", "8010", 0x6A80},
    {"an empty PIN", "8010 00", 0x6A80},
    {"a group cut off", "8010 0A 830105 C704 35353535", 0x6A80},
    {"a long length", "8010 FF0009 830105 C704 35353535", 0x6A80},
    {"a byte behind", PIN_OK "00", 0x6A80},
    {"a good one, then an unknown one", PIN_OK "8011 00", 0x6A88},
    {"a good one, then a bad one", PIN_OK "8010 09 830106 C703 35353535", 0x6A80},
    {"a good one, then a cut one", PIN_OK "8030 03 C801", 0x6A80},
    {"one object twice", PIN_OK PIN_OK, 0x6A80},

    {"PIN without number", "8010 06 C704 35353535", 0x6A80},
    {"PIN number 0", "8010 09 830100 C704 35353535", 0x6A80},
    {"PIN number 15", "8010 09 83010F C704 35353535", 0x6A80},
    {"PIN number 31", "8010 09 83011F C704 35353535", 0x6A80},
    {"PIN number 129", "8010 09 830181 C704 35353535", 0x6A80},
    {"number of no byte", "8010 08 8300 C704 35353535", 0x6A80},
    {"number of two bytes", "8010 0A 83020005 C704 35353535", 0x6A80},
    {"PIN without value", "8010 03 830105", 0x6A80},
    {"empty value", "8010 05 830105 C700", 0x6A80},
    {"value shorter than the shortest", "8010 08 830105 C703 353535", 0x6A80},
    {"value longer than the longest", "8010 12 830105 C70D 35353535353535353535353535", 0x6A80},
    {"value of 17 bytes", "8010 19 830105 C20110 C711 3535353535353535353535353535353535", 0x6A80},
    {"shortest 0", "8010 0C 830105 C10100 C704 35353535", 0x6A80},
    {"shortest longer than the longest", "8010 0F 830105 C10106 C20105 C705 3535353535", 0x6A80},
    {"longest 17", "8010 0C 830105 C20111 C704 35353535", 0x6A80},
    {"no tries", "8010 0C 830105 C00100 C704 35353535", 0x6A80},
    {"16 tries", "8010 0C 830105 C00110 C704 35353535", 0x6A80},
    {"tries of two bytes", "8010 0D 830105 C0020003 C704 35353535", 0x6A80},
    {"its own resetting code", "8010 0C 830105 C30105 C704 35353535", 0x6A80},
    {"resetting code 15", "8010 0C 830105 C3010F C704 35353535", 0x6A80},
    {"reset rule with environment 15", "8010 0C 830105 C4019F C704 35353535", 0x6A80},
    {"reset rule of nothing", "8010 0C 830105 C40180 C704 35353535", 0x6A80},
    {"a key's object: algorithm", "8010 0C 830105 800101 C704 35353535", 0x6A80},
    {"a key's object: usage", "8010 0C 830105 950101 C704 35353535", 0x6A80},
    {"a key's object: condition", "8010 0C 830105 C50100 C704 35353535", 0x6A80},
    {"a key's object: level", "8010 10 830105 C6050320301231 C704 35353535", 0x6A80},
    {"unknown object", "8010 0C 830105 CE0100 C704 35353535", 0x6A80},
    {"an application that is not there", "8010 10 830105 8405A1A2A3A4A5 C704 35353535", 0x6A88},
    {"a part of an application's name", "8010 10 830105 8405F05457494E C704 35353535", 0x6A88},
    {"no name", "8010 0B 830105 8400 C704 35353535", 0x6A80},
    {"name of 17 bytes", "8010 1C 830105 84110102030405060708090A0B0C0D0E0F1011 C704 35353535",
     0x6A80},
    {"malformed object", "8010 0A 830105 C705 35353535", 0x6A80},
    {"object without length", "8010 04 830105 C7", 0x6A80},

    {"key without algorithm", "8020 18 830105 950101 C710" KEY_16, 0x6A80},
    {"algorithm 00", "8020 1B 830105 800100 950101 C710" KEY_16, 0x6A80},
    {"algorithm 03", "8020 1B 830105 800103 950101 C710" KEY_16, 0x6A80},
    {"AES of 15 bytes", "8020 1A 830105 800101 950101 C70F 000102030405060708090A0B0C0D0E", 0x6A80},
    {"AES of 17 bytes", "8020 1C 830105 800101 950101 C711" KEY_16 "10", 0x6A80},
    {"AES of 33 bytes", "8020 2C 830105 800101 950101 C721" KEY_16 KEY_16 "10", 0x6A80},
    {"3DES of 16 bytes", "8020 1B 830105 800102 950101 C710" KEY_16, 0x6A80},
    {"3DES for an access proof", "8020 23 830105 800102 950104 C718" KEY_24, 0x6A80},
    {"key without usage", "8020 18 830105 800101 C710" KEY_16, 0x6A80},
    {"usage 00", "8020 1B 830105 800101 950100 C710" KEY_16, 0x6A80},
    {"two usages", "8020 1B 830105 800101 950103 C710" KEY_16, 0x6A80},
    {"usage internal and proof", "8020 1B 830105 800101 950105 C710" KEY_16, 0x6A80},
    {"usage SCP03 ENC", "8020 1B 830105 800101 950108 C710" KEY_16, 0x6A80},
    {"usage SCP03 MAC", "8020 1B 830105 800101 950110 C710" KEY_16, 0x6A80},
    {"usage SCP03 DEK", "8020 1B 830105 800101 950120 C710" KEY_16, 0x6A80},
    {"usage transport", "8020 1B 830105 800101 950140 C710" KEY_16, 0x6A80},
    {"key number 15", "8020 1B 83010F 800101 950101 C710" KEY_16, 0x6A80},
    {"key number 0", "8020 1B 830100 800101 950101 C710" KEY_16, 0x6A80},
    {"key: 16 tries", "8020 1E 830105 800101 950102 C00110 C710" KEY_16, 0x6A80},
    {"key: condition of two bytes", "8020 1F 830105 800101 950101 C5020000 C710" KEY_16, 0x6A80},
    {"key: environment 15", "8020 1E 830105 800101 950101 C5019F C710" KEY_16, 0x6A80},
    {"key: condition of nothing", "8020 1E 830105 800101 950101 C50105 C710" KEY_16, 0x6A80},
    {"key: level without validity", "8020 1E 830105 800101 950104 C60103 C710" KEY_16, 0x6A80},
    {"key: a PIN's object", "8020 1E 830105 800101 950101 C10104 C710" KEY_16, 0x6A80},
    {"key without value", "8020 09 830105 800101 950101", 0x6A80},

    {"card: nothing", "8030 00", 0x6A80},
    {"card: empty rule", "8030 02 C800", 0x6A80},
    {"card: rule of two bytes", "8030 04 C8020000", 0x6A80},
    {"card: rule with environment 15", "8030 03 C8013F", 0x6A80},
    {"card: another object before", "8030 06 C00103 C80100", 0x6A80},
    {"card: another object behind", "8030 06 C80100 C00103", 0x6A80},
    {"card: rule twice", "8030 06 C80100 C80100", 0x6A80},
};

static void malformed_groups_change_nothing(void **state)
{
    struct bench *bench = *state;
    size_t bad = 0;

    bench_session(bench, 0x03);
    for (size_t i = 0; i < CARD_COUNT(refused_dgis); i++) {
        struct card_image image;
        card_image_take(bench, &image);
        uint16_t sw = bench_store(bench, refused_dgis[i].dgis);
        bool same = card_image_same(bench, &image);
        if (sw != refused_dgis[i].sw || !same) {
            print_error("%s: %04X%s\n", refused_dgis[i].what, sw, same ? "" : ", NVM has changed");
            bad++;
        }
    }
    assert_int_equal(bad, 0);
    bench_expect_sm(bench, "00200005", 0x6A88, NULL); /* nothing of the good parts either */
    assert_int_equal(bench_store(bench, PIN_OK), 0x9000);
    bench_expect_sm(bench, "00200005", 0x63C3, NULL);
}

static void header_and_level(void **state)
{
    static const struct card_row rows[] = {
        {"no data", "80E2E000", 0x6700, NULL, CARD_SM},
        {"P1 with format bits", "80E2E800 0C" PIN_OK, 0x6A86, NULL, CARD_SM},
        {"P1 with b1", "80E2E100 0C" PIN_OK, 0x6A86, NULL, CARD_SM},
        {"ISO class", "00E2E000 0C" PIN_OK, 0x6A86, NULL, CARD_SM},
        {"for the app chip, in use", "80E28000 11 0A010E 3B878031FE458031C873F7C100B1", 0x6985,
         NULL, CARD_SM},
        {"a PIN for the app chip", "80E28000 0C" PIN_OK, 0x6985, NULL, CARD_SM},
    };
    struct bench *bench = *state;
    struct card_image image;

    bench_session(bench, 0x01);
    card_image_take(bench, &image);
    assert_int_equal(bench_store(bench, PIN_OK), 0x6982); /* a value in the clear */
    assert_true(card_image_same(bench, &image));
    bench_session(bench, 0x03);
    BENCH_ROWS(bench, rows);
    bench_expect_sm(bench, "80E2E000 0C" PIN_OK, 0x9000, NULL);
    bench_expect_sm(bench, "80E260FF 0C" PIN_OK, 0x9000, NULL); /* not the last one, block FF */
}

/* A transaction of the security chip takes six objects. */
static void six_objects_in_a_command(void **state)
{
    struct bench *bench = *state;
    struct card_image image;
    char dgis[256] = "";

    bench_session(bench, 0x03);
    for (unsigned i = 5; i < 12; i++) {
        char one[40];
        snprintf(one, sizeof one, "8010 09 8301%02X C704 35353535 ", i);
        strcat(dgis, one);
        card_image_take(bench, &image);
        assert_int_equal(bench_store(bench, dgis), i < 11 ? 0x9000 : 0x6700);
        assert_int_equal(card_image_same(bench, &image), i >= 11);
    }
    bench_expect_sm(bench, "0020000A", 0x63C3, NULL);
    bench_expect_sm(bench, "0020000B", 0x6A88, NULL);
}

static void a_full_chip_answers_6a84(void **state)
{
    struct bench *bench = *state;
    struct card_image image;
    char dgi[64];
    unsigned stored = 0;

    bench_session(bench, 0x03);
    for (unsigned kind = 0; kind < 2; kind++) {
        for (unsigned context = 0; context < 2; context++) {
            for (unsigned number = 1; number <= 14; number++) {
                const char *name = context == 0 ? "" : "8409F05457494E434F5301";
                unsigned more = context == 0 ? 0 : 11;
                snprintf(dgi, sizeof dgi, "8010 %02X 8301%02X %s C704 35353535", 9 + more, number,
                         name);
                char key[128];
                snprintf(key, sizeof key, "8020 %02X 8301%02X %s 800101 950101 C710" KEY_16,
                         0x1B + more, number, name);
                card_image_take(bench, &image);
                uint16_t sw = bench_store(bench, kind == 0 ? dgi : key);
                assert_true(sw == 0x9000 || sw == 0x6A84);
                assert_int_equal(card_image_same(bench, &image), sw == 0x6A84);
                stored += sw == 0x9000;
            }
        }
    }
    assert_in_range(stored, 40, 48); /* of 48, less SCP03 keys and pairing secret */
    bench_expect_sm(bench, "00200001 04 35353535", 0x9000, NULL);
    bench_reset(bench);
    bench_session(bench, 0x03);
}

/* A replaced object is another one: new value, all tries, no status left of the old. */
static void an_object_is_replaced(void **state)
{
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    assert_int_equal(bench_store(bench, "8010 0C 830105 C00102 C704 35353535"), 0x9000);
    bench_expect(bench, "00200005 04 30303030", 0x63C1, NULL);
    bench_expect(bench, "00200005 04 30303030", 0x63C0, NULL);
    bench_session(bench, 0x03);
    assert_int_equal(bench_store(bench, "8010 0C 830105 C00105 C704 36363636"), 0x9000);
    bench_expect(bench, "00200005", 0x63C5, NULL);
    bench_expect(bench, "00200005 04 35353535", 0x63C4, NULL);
    bench_expect(bench, "00200005 04 36363636", 0x9000, NULL);
    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00200005", 0x9000, NULL);
    assert_int_equal(bench_store(bench, "8010 09 830105 C704 36363636"), 0x9000);
    bench_expect_sm(bench, "00200005", 0x63C3, NULL);
    bench_expect(bench, "00200005", 0x63C3, NULL);
}

/* ---- The ATR ---- */

#define ATR_GOOD "3B878031FE458031C873F7C100B1"

static const struct {
    const char *what, *atr;
} bad_atrs[] = {
    {"one byte", "3B"},
    {"TS 3C", "3C878031FE458031C873F7C100B1"},
    {"wrong TCK", "3B878031FE458031C873F7C100B0"},
    {"no TCK", "3B878031FE458031C873F7C100"},
    {"a byte behind", "3B878031FE458031C873F7C100B100"},
    {"historical bytes missing", "3B8F8031FE458031C873F7C100B9"},
    {"interface bytes missing", "3BFF"},
    {"TCK with T=0 alone", "3B0000"},
    {"endless interface bytes",
     "3B80808080808080808080808080808080808080808080808080808080808080808080"},
    {"34 bytes", "3BFF1100008131FE458031C873F6210000000000000000000000000000000000000000"},
};

static void the_atr_is_checked(void **state)
{
    struct bench *bench = *state;
    uint8_t before[COS_ATR_MAX], atr[COS_ATR_MAX];
    size_t bad = 0;

    assert_true(bench_produce_to(bench, COS_LIFE_PRODUCED));
    size_t length = cos_app_atr(&bench->app_board, &bench->app_config, before, sizeof before);
    assert_int_equal(bench_sm_open(bench, 0x30, 0x01), 0x9000);
    for (size_t i = 0; i < CARD_COUNT(bad_atrs); i++) {
        uint8_t data[64] = {0x0A, 0x01};
        struct card_image image;
        data[2] = (uint8_t)bench_bytes(bad_atrs[i].atr, data + 3, 61);
        card_image_take(bench, &image);
        uint16_t sw = bench_sm(bench, 0x80, 0xE2, 0x80, 0x00, data, 3U + data[2]);
        if (!card_image_same(bench, &image) || sw != 0x6A80) {
            print_error("%s: %04X\n", bad_atrs[i].what, sw);
            bad++;
        }
    }
    assert_int_equal(bad, 0);
    static const struct card_row rows[] = {
        {"another group", "80E28000 11 0A020E" ATR_GOOD, 0x6A88, NULL, CARD_SM},
        {"no group", "80E28000 01 0A", 0x6A80, NULL, CARD_SM},
        {"no ATR", "80E28000 03 0A0100", 0x6A80, NULL, CARD_SM},
        {"cut off", "80E28000 10 0A010E 3B878031FE458031C873F7C100", 0x6A80, NULL, CARD_SM},
        {"a byte behind", "80E28000 12 0A010E" ATR_GOOD "00", 0x6A80, NULL, CARD_SM},
        {"security objects before there are keys", "80E2E000 0C" PIN_OK, 0x6985, NULL, CARD_SM},
        {"T=0 alone, no TCK", "80E28000 05 0A0102 3B00", 0x9000, NULL, CARD_SM},
        {"T=0 and T=1", "80E28000 11 0A010E" ATR_GOOD, 0x9000, NULL, CARD_SM},
        {"inverse convention", "80E28000 08 0A0105 3F81018000", 0x9000, NULL, CARD_SM},
    };
    assert_int_equal(cos_app_atr(&bench->app_board, &bench->app_config, atr, sizeof atr), length);
    assert_memory_equal(atr, before, length);
    BENCH_ROWS(bench, rows);
    assert_int_equal(cos_app_atr(&bench->app_board, &bench->app_config, atr, sizeof atr), 5);
    assert_memory_equal(atr, "\x3F\x81\x01\x80\x00", 5);
    bench_reset(bench);
    assert_int_equal(cos_app_atr(&bench->app_board, &bench->app_config, atr, sizeof atr), 5);
    assert_int_equal(cos_app_atr(&bench->app_board, &bench->app_config, atr, 4), 0);
    /* With enciphered data the objects would come too early all the same. */
    assert_int_equal(bench_sm_open(bench, 0x30, 0x03), 0x9000);
    assert_int_equal(bench_store(bench, PIN_OK), 0x6985);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(malformed_groups_change_nothing), CARD_TEST(header_and_level),
        CARD_TEST(six_objects_in_a_command),        CARD_TEST(a_full_chip_answers_6a84),
        CARD_TEST(an_object_is_replaced),           CARD_BLANK_TEST(the_atr_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
