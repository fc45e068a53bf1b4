/* SPDX-License-Identifier: Apache-2.0
 *
 * The answer to reset of a card that is given one: what is not true is refused, what the card knows
 * better it sets, and the life cycle in it is the card's, whatever the power does.
 */
#include "card_table.h"
#include "host_card.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Bytes of hexadecimal text, with TCK for a '+' at its end. */
static size_t atr_bytes(const char *text, uint8_t atr[64])
{
    char digits[128];
    const size_t plus = strcspn(text, "+");

    assert_true(plus < sizeof digits);
    memcpy(digits, text, plus);
    digits[plus] = '\0';
    size_t length = bench_bytes(digits, atr, 62);
    if (text[plus] == '+') {
        atr[length] = 0;
        for (size_t i = 1; i < length; i++) {
            atr[length] ^= atr[i];
        }
        length++;
    }
    return length;
}

static uint16_t store(struct bench *bench, const char *text)
{
    uint8_t data[67] = {0x0A, 0x01};

    data[2] = (uint8_t)atr_bytes(text, data + 3);
    return bench_sm(bench, 0x80, 0xE2, 0x80, 0x00, data, 3U + data[2]);
}

static void expect_atr(struct bench *bench, const char *what, const char *text)
{
    uint8_t atr[COS_ATR_MAX], expected[64];
    const size_t length = atr_bytes(text, expected);

    if (cos_app_atr(&bench->app_board, &bench->app_config, atr, sizeof atr) != length ||
        memcmp(atr, expected, length) != 0) {
        fail_msg("%s: the card does not answer %s", what, text);
    }
}

struct row {
    const char *what, *sent, *kept;
};

static void check_rows(struct bench *bench, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint16_t sw = store(bench, rows[i].sent);
        if (sw != 0x9000) {
            fail_msg("%s: %04X", rows[i].what, sw);
        }
        expect_atr(bench, rows[i].what, rows[i].kept);
    }
}

static void check_refused(struct bench *bench, const struct row *rows, size_t count)
{
    static const char before[] = "3B179680410041004100";

    assert_int_equal(store(bench, before), 0x9000);
    for (size_t i = 0; i < count; i++) {
        struct card_image image;
        card_image_take(bench, &image);
        const uint16_t sw = store(bench, rows[i].sent);
        if (sw != 0x6A80 || !card_image_same(bench, &image)) {
            fail_msg("%s: %04X", rows[i].what, sw);
        }
        expect_atr(bench, rows[i].what, before);
    }
}

static void open_for_initialization(struct bench *bench)
{
    assert_true(bench_produce_to(bench, COS_LIFE_PRODUCED));
    assert_int_equal(bench_sm_open(bench, 0x30, 0x01), 0x9000);
}

/* ---- Interface bytes ---- */

static void interface_bytes(void **state)
{
    static const struct row good[] = {
        {"nothing", "3B00", "3B00"},
        {"Fi and Di", "3B1096", "3B1096"},
        {"inverse, N, WI", "3FC0FF4014", "3FC0FF4014"},
        {"specific mode", "3B90961080", "3B90961080"},
        {"T=1 alone", "3B808171FE9501+", "3B808171FE9501+"},
        {"all there is", "3BD09602D0800BF1FE95011FC7+", "3BD09602D0800BF1FE95011FC7+"},
    };
    static const struct row bad[] = {
        {"Fi 7", "3B1071", NULL},
        {"Fi E", "3B10E1", NULL},
        {"Di 0", "3B1010", NULL},
        {"Di A", "3B101A", NULL},
        {"WI 0", "3B804000", NULL},
        {"IFSC 0", "3B80801100+", NULL},
        {"IFSC 255", "3B808011FF+", NULL},
        {"BWI 10", "3B808021A5+", NULL},
        {"EDC 2", "3B80804102+", NULL},
        {"TA2 of T=1, which is not offered", "3B809081+", NULL},
        {"TA2 of T=1, which is not offered, no TCK", "3B801001", NULL},
        {"T=0 behind T=1",
         "3B8081"
         "00+",
         NULL},
        {"T=1 behind T=15",
         "3B8080"
         "8F01+",
         NULL},
        {"T=15 first", "3B800F+", NULL},
        {"T=14", "3B800E+", NULL},
        {"no class", "3B80801F40+", NULL},
        {"classes A and C", "3B80801F05+", NULL},
        {"use of SPU", "3B80802F80+", NULL},
        {"16 historical bytes", "3B0F8040404040404040404040404040", NULL},
        {"wrong TCK", "3B80800100", NULL},
        {"34 bytes", "3B0F80404040404040404040404040400000000000000000000000000000000000", NULL},
    };
    struct bench *bench = *state;

    open_for_initialization(bench);
    check_rows(bench, good, CARD_COUNT(good));
    check_refused(bench, bad, CARD_COUNT(bad));
}

/* A board that can do less: classes A and B, clock stop at low, one pair. */
static void what_the_board_can_do(void **state)
{
    static const uint16_t one_pair[16] = {[9] = 1U << 6};
    static const struct row good[] = {
        {"its pair", "3B1096", "3B1096"},
        {"11, which always goes", "3B1011", "3B1011"},
        {"A and B, at low", "3B80801F43+", "3B80801F43+"},
        {"A, at low", "3B80801F41+", "3B80801F41+"},
        {"B, no stop", "3B80801F02+", "3B80801F02+"},
    };
    static const struct row bad[] = {
        {"Fi", "3B1016", NULL},
        {"Di", "3B1095", NULL},
        {"Fi of another code", "3B1001", NULL},
        {"specific mode at such a speed", "3B90951000", NULL},
        {"class C", "3B80801F44+", NULL},
        {"A, B and C", "3B80801F07+", NULL},
        {"at high", "3B80801F83+", NULL},
        {"at both", "3B80801FC3+", NULL},
    };
    struct bench *bench = *state;

    open_for_initialization(bench);
    bench->contacts.contacts.pairs = one_pair;
    bench->contacts.contacts.clock_class = 0x43;
    check_rows(bench, good, CARD_COUNT(good));
    check_refused(bench, bad, CARD_COUNT(bad));
    bench->contacts.contacts.clock_class = 0x46; /* without its byte an ATR says A alone */
    assert_int_equal(store(bench, "3B1096"), 0x6A80);
    assert_int_equal(store(bench, "3B80801F06+"), 0x9000);
    bench->contacts.contacts.clock_class = 0x40; /* nothing is known of classes */
    assert_int_equal(store(bench, "3B1096"), 0x9000);
    bench->contacts.contacts.pairs = NULL;
    assert_int_equal(store(bench, "3B1096"), 0x6A80);
    assert_int_equal(store(bench, "3B1011"), 0x9000);
}

/* ---- Historical bytes ---- */

static void historical_bytes(void **state)
{
    static const struct row good[] = {
        {"third byte of capabilities", "3B078073F7C1004100", "3B078073F7C1DB4100"},
        {"with the lengths in EF.ATR/INFO", "3B058073F7C1FF", "3B058073F7C1FB"},
        {"with TCK",
         "3B8501"
         "8073F7C100+",
         "3B8501"
         "8073F7C1DB+"},
        {"fewer ways to select", "3B058073B0C180", "3B058073B0C1DB"},
        {"first byte alone", "3B038071F7", "3B038071F7"},
        {"two bytes", "3B048072F7C1", "3B048072F7C1"},
        {"services: READ RECORD", "3B038031C0", "3B038031C0"},
        {"services: GET DATA", "3B038031F4", "3B038031F4"},
        {"the issuer's", "3B0F804D00010203040506070809100011",
         "3B0F804D00010203040506070809100011"},
        {"status, category 00",
         "3B0400"
         "059000",
         "3B0400"
         "039000"},
        {"no life cycle",
         "3B0400"
         "009000",
         "3B0400"
         "009000"},
        {"nothing said",
         "3B0400"
         "000000",
         "3B0400"
         "000000"},
        {"status behind objects",
         "3B080073F7C1FF"
         "040000",
         "3B080073F7C1FB"
         "030000"},
        {"life cycle as an object", "3B03808105", "3B03808103"},
        {"status words", "3B0480829000", "3B0480829000"},
        {"both", "3B058083050000", "3B058083030000"},
        {"both, with TCK",
         "3B8501"
         "80830C9000+",
         "3B8501"
         "8083039000+"},
    };
    static const struct row bad[] = {
        {"category 10", "3B021001", NULL},
        {"category 81", "3B028141", NULL},
        {"an object that is longer",
         "3B0380"
         "5241",
         NULL},
        {"an object that runs into the status",
         "3B0600"
         "5241"
         "039000",
         NULL},
        {"category 00 without status",
         "3B0300"
         "9000",
         NULL},
        {"services of two bytes",
         "3B0480"
         "32C800",
         NULL},
        {"no services",
         "3B0280"
         "30",
         NULL},
        {"without MF",
         "3B0380"
         "31C9",
         NULL},
        {"reserved access",
         "3B0380"
         "31CA",
         NULL},
        {"capabilities of four bytes",
         "3B0680"
         "74F7C10000",
         NULL},
        {"no capabilities",
         "3B0280"
         "70",
         NULL},
        {"implicit selection",
         "3B0380"
         "7108",
         NULL},
        {"another data coding byte",
         "3B0480"
         "72F721",
         NULL},
        {"another one, with third byte",
         "3B0580"
         "73F74100",
         NULL},
        {"status words that warn",
         "3B0480"
         "826283",
         NULL},
        {"the same in category 00",
         "3B0400"
         "036283",
         NULL},
        {"no status",
         "3B0280"
         "80",
         NULL},
        {"status of four bytes",
         "3B0680"
         "8403900000",
         NULL},
    };
    struct bench *bench = *state;

    open_for_initialization(bench);
    check_rows(bench, good, CARD_COUNT(good));
    check_refused(bench, bad, CARD_COUNT(bad));
}

/* Every first byte of capabilities: none with implicit selection. */
static void every_capability(void **state)
{
    struct bench *bench = *state;

    open_for_initialization(bench);
    for (unsigned byte = 0; byte < 256; byte++) {
        char text[16];
        snprintf(text, sizeof text, "3B038071%02X", byte);
        assert_int_equal(store(bench, text), (byte & 0x08) != 0 ? 0x6A80 : 0x9000);
    }
}

/* ---- Life cycle ---- */

#define WITH_STATUS "0A 0A0107 3B058041008107" /* not yet true */

static void the_life_cycle_is_true(void **state)
{
    struct bench *bench = *state;

    bench->atr = WITH_STATUS;
    assert_true(bench_produce_to(bench, COS_LIFE_INITIALIZED));
    expect_atr(bench, "INITIALIZED",
               "3B05804100"
               "8103");
    assert_true(bench_produce_to(bench, COS_LIFE_PERSONALIZED));
    expect_atr(bench, "PERSONALIZED",
               "3B05804100"
               "8103");
    assert_true(bench_produce_to(bench, COS_LIFE_OPERATIONAL));
    expect_atr(bench, "OPERATIONAL",
               "3B05804100"
               "8105");
    for (unsigned i = 0; i < 2; i++) {
        bench_session(bench, 0x03);
        bench_expect_sm(bench, "80F0807F", 0x9000, NULL);
        expect_atr(bench, "LOCKED",
                   "3B05804100"
                   "8104");
        bench_reset(bench);
        expect_atr(bench, "LOCKED",
                   "3B05804100"
                   "8104");
        bench_session(bench, 0x03);
        bench_expect_sm(bench, "80F0800F", 0x9000, NULL);
        expect_atr(bench, "unlocked",
                   "3B05804100"
                   "8105");
    }
    struct card_image image;
    bench_reset(bench);
    card_image_take(bench, &image);
    bench_hex(bench, "80CA010100");
    assert_true(card_image_same(bench, &image)); /* written when it changes, and never else */
    bench_session(bench, 0x03);
    bench_expect_sm(bench, "80F080FF", 0x9000, NULL);
    expect_atr(bench, "TERMINATED",
               "3B05804100"
               "810C");
    bench_reset(bench);
    expect_atr(bench, "TERMINATED",
               "3B05804100"
               "810C");
}

/* Locked and unlocked again, with a cut in each operation on NVM: there is an ATR at any time, and
 * what it says is true since the last time that the card had power for it. */
static void torn_life_cycles(void **state)
{
    struct bench *bench = *state;
    unsigned cuts = 0, stale = 0;

    bench->atr = WITH_STATUS;
    assert_true(bench_produce_to(bench, COS_LIFE_OPERATIONAL));
    for (unsigned content = SIM_NOTHING; content <= SIM_METASTABLE_BITS; content++) {
        for (uint32_t n = 1;; n++) {
            uint8_t atr[2][COS_ATR_MAX];
            const bool locked = bench->secure.life_cycle == COS_LIFE_LOCKED;
            sim_power_cut(&bench->power, n, (enum sim_content)content, n * 977U + content);
            if (bench_sm_open(bench, 0x01, 0x03) == 0x9000) {
                (void)bench_sm_hex(bench, locked ? "80F0800F" : "80F0807F");
            }
            const bool cut = bench->power.dead;
            bench_power_off(bench);
            for (unsigned i = 0; i < 2; i++) {
                assert_int_equal(
                    cos_app_atr(&bench->app_board, &bench->app_config, atr[i], COS_ATR_MAX), 7);
                assert_true(atr[i][6] == 0x04 || atr[i][6] == 0x05);
                assert_int_equal(atr[i][5], 0x81);
                assert_true(bench_power_on(bench)); /* and settles */
            }
            const uint8_t now = bench->secure.life_cycle == COS_LIFE_LOCKED ? 0x04 : 0x05;
            assert_int_equal(atr[1][6], now);
            stale += atr[0][6] != now;
            cuts += cut;
            if (!cut) {
                break;
            }
        }
    }
    assert_in_range(stale, 1, cuts - 1);
    print_message("# life cycle in the ATR: %u cuts, true after the next start\n", cuts);
}

/* Whoever is on the link can say in the clear that the card is terminated: the record stays. */
static void a_forged_life_cycle(void **state)
{
    struct bench *bench = *state;
    struct card_image image;

    bench->atr = WITH_STATUS;
    assert_true(bench_produce_to(bench, COS_LIFE_OPERATIONAL));
    bench_reset(bench);
    card_image_take(bench, &image);
    bench_power_off(bench);
    bench->tap = bench_forge_terminated;
    assert_true(bench_power_on(bench));
    assert_int_equal(bench->app.life_cycle, COS_LIFE_TERMINATED);
    bench_power_off(bench);
    bench->tap = NULL;
    assert_true(bench_power_on(bench));
    assert_true(card_image_same(bench, &image));
    expect_atr(bench, "forged",
               "3B05804100"
               "8105");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_BLANK_TEST(interface_bytes),        CARD_BLANK_TEST(what_the_board_can_do),
        CARD_BLANK_TEST(historical_bytes),       CARD_BLANK_TEST(every_capability),
        CARD_BLANK_TEST(the_life_cycle_is_true), CARD_BLANK_TEST(torn_life_cycles),
        CARD_BLANK_TEST(a_forged_life_cycle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
