/* SPDX-License-Identifier: Apache-2.0
 *
 * Access rules that are data objects (ISO/IEC 7816-4:2013, 9.3.3), on a whole card: expanded rules
 * of every kind against every security status, records of EF.ARR, and files on their way to
 * activation.
 */
#include "card_table.h"
#include "twinctl/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define APPLICATION "8409F05457494E434F5301"
#define KEY_5       "5A5B5C5D5E5F60616263646566676869"
#define PIN_1       "00200081 06 313233343536"
#define PIN_5       "00200085 04 35353535"

/* DF 5100 gets a PIN 5 and an external key 5, and is current, in a session of this level. */
static struct bench *prepare(void **state, uint8_t level)
{
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    assert_int_equal(bench_store(bench, "8010 14 830105 " APPLICATION " C704 35353535"), 0x9000);
    assert_int_equal(bench_store(bench, "8020 26 830105 " APPLICATION " 800101 950102 C710 " KEY_5),
                     0x9000);
    bench_session(bench, level);
    bench_expect_sm(bench, "00A4040C 09 F05457494E434F5301", 0x9000, NULL);
    return bench;
}

static void use_key(struct bench *bench)
{
    uint8_t key[16], apdu[21] = {0x00, 0x82, 0x00, 0x85, 16};

    bench_bytes(KEY_5, key, sizeof key);
    bench_expect(bench, "0084000010", 0x9000, CARD_ANY);
    assert_true(crypto_aes_ecb(key, 16, CRYPTO_ENCIPHER, bench->data, 16, apdu + 5));
    assert_int_equal(bench_apdu(bench, apdu, sizeof apdu), 0x9000);
}

/* ---- Every kind of condition in every status ---- */

/* Conditions, and what they mean in postfix notation: 1 PIN 1, 5 PIN 5, k key 5, m the command has
 * a MAC, e it is enciphered, t true, & and, | or, ! not. */
static const struct {
    const char *condition, *meaning;
} conditions[] = {
    {"9000", "t"},
    {"9700", "t!"},
    {"9E0195", "5"},
    {"A403830185", "5k|"},
    {"A406830185950108", "5"},
    {"A406830185950180", "k"},
    {"A406830181950108", "1"},
    {"A403830105", "t!"}, /* global: there is none */
    {"B403950110", "m"},
    {"B803950110", "e"},
    {"B403830101", "m"},  /* keys of version 01 */
    {"B403830102", "t!"}, /* of another */
    {"B803950130", "t!"}, /* the response, too */
    {"B603950110", "t!"}, /* signatures */
    {"9E01919E0195", "15|"},
    {"AF0BA4068301859501809E0191", "k1&"},
    {"A00AB803950110A403830185", "e5k||"},
    {"AF0FB403950110A7089E0191A403830185", "m15k||!&"},
    {"A705B403950110", "m!"},
    {"AF12A0069E01919E0195A008A406830185950180", "15|k&"},
    {"A709A707A705A7039E0195", "5"},
    {"9700A70597009E0195", "5!"},
    {"AF0DB803950110A406830185950108AF0BA4068301859501809E0191", "e5&k1&|"},
};

enum { HAS_PIN_1 = 1, HAS_PIN_5 = 2, HAS_KEY_5 = 4, STATES = 8 };
static const uint8_t levels[] = {0x00, 0x01, 0x03};

static bool allowed(const char *meaning, unsigned status, uint8_t level)
{
    unsigned stack = 0; /* the last truth is bit 0 */

    for (; *meaning != '\0'; meaning++) {
        const unsigned top = stack & 1, below = stack >> 1 & 1;
        switch (*meaning) {
        case '&':
            stack = (stack >> 2) << 1 | (top & below);
            break;
        case '|':
            stack = (stack >> 2) << 1 | (top | below);
            break;
        case '!':
            stack ^= 1;
            break;
        default:
            stack <<= 1;
            stack |= (*meaning == '1' && (status & HAS_PIN_1) != 0) ||
                     (*meaning == '5' && (status & HAS_PIN_5) != 0) ||
                     (*meaning == 'k' && (status & HAS_KEY_5) != 0) ||
                     (*meaning == 'm' && level != 0) || (*meaning == 'e' && level == 0x03) ||
                     *meaning == 't';
        }
    }
    return stack == 1;
}

static void reach(struct bench *bench, unsigned status, uint8_t level)
{
    bench_reset(bench);
    bench_select(bench);
    if ((status & HAS_PIN_1) != 0) {
        bench_expect(bench, PIN_1, 0x9000, NULL);
    }
    if ((status & HAS_PIN_5) != 0) {
        bench_expect(bench, PIN_5, 0x9000, NULL);
    }
    if ((status & HAS_KEY_5) != 0) {
        use_key(bench);
    }
    if (level != 0) {
        bench_session(bench, level);
    }
}

static uint16_t send(struct bench *bench, uint8_t level, const char *apdu)
{
    return level != 0 ? bench_sm_hex(bench, apdu) : bench_hex(bench, apdu);
}

static void every_condition_in_every_status(void **state)
{
    struct bench *bench = prepare(state, 0x03);
    unsigned cells = 0;
    char text[160];

    for (size_t i = 0; i < CARD_COUNT(conditions); i++) {
        snprintf(text, sizeof text, "820101 830260%02zX 80020002 AB%02zX800103%s", i,
                 3 + strlen(conditions[i].condition) / 2, conditions[i].condition);
        assert_int_equal(bench_create(bench, true, text), 0x9000);
    }
    for (unsigned status = 0; status < STATES * CARD_COUNT(levels); status++) {
        const uint8_t level = levels[status / STATES];
        reach(bench, status % STATES, level);
        for (size_t i = 0; i < CARD_COUNT(conditions); i++) {
            const uint16_t wanted =
                allowed(conditions[i].meaning, status % STATES, level) ? 0x9000 : 0x6982;
            struct card_image image;
            snprintf(text, sizeof text, "00A4020C 02 60%02zX", i);
            assert_int_equal(send(bench, level, text), 0x9000);
            card_image_take(bench, &image);
            const uint16_t read = send(bench, level, "00B00000");
            assert_int_equal(bench->length, wanted == 0x9000 ? 2 : 0);
            assert_true(card_image_same(bench, &image));
            card_image_take(bench, &image);
            const uint16_t update = send(bench, level, "00D60000 02 AA55");
            const bool same = card_image_same(bench, &image);
            if (read != wanted || update != wanted || same != (wanted != 0x9000)) {
                fail_msg("%s, status %u, level %02X: read %04X, update %04X, wanted %04X",
                         conditions[i].condition, status % STATES, level, read, update, wanted);
            }
            cells++;
        }
    }
    print_message("# %u cells of condition and status\n", cells);
}

/* ---- Header filters ---- */

static void a_header_filter_means_a_command(void **state)
{
    /* UPDATE BINARY with P1 00 after PIN 1, ERASE BINARY after PIN 5, which are one operation. */
    static const struct card_row rows[] = {
        {"", "00A4020C 02 6001", 0x9000, NULL, CARD_KEEPS},
        {"nothing yet", "00D60000 01 AA", 0x6982, NULL, 0},
        {"", PIN_1, 0x9000, NULL, 0},
        {"update", "00D60000 01 AA", 0x9000, NULL, 0},
        {"another P1", "00D60100 01 AA", 0x6982, NULL, 0},
        {"erase", "000E0000", 0x6982, NULL, 0},
        {"", PIN_5, 0x9000, NULL, 0},
        {"erase", "000E0000", 0x9000, NULL, 0},
        {"it was", "00B0000002", 0x9000, "0000", CARD_KEEPS},
    };
    struct bench *bench = prepare(state, 0x03);

    assert_int_equal(bench_create(bench, true,
                                  "820101 83026001 80020140 AB1D 800101 9000 8602D600 9E0191 "
                                  "84010E A406830185950108"),
                     0x6A80); /* cut off */
    assert_int_equal(bench_create(bench, true,
                                  "820101 83026001 80020140 AB17 800101 9000 8602D600 9E0191 "
                                  "84010E A406830185950108"),
                     0x9000);
    bench_reset(bench);
    bench_select(bench);
    BENCH_ROWS(bench, rows);
}

/* ---- EF.ARR ---- */

#define ARR "8206 04210020 0004 83022F06 80020080 8C06 1F C0C0C0C000"

static void records_of_arr_decide(void **state)
{
    static const struct card_row issuer[] = {
        {"", "00A4020C 02 2F06", 0x9000, NULL, CARD_SM},
        {"read after PIN 5, update enciphered",
         "00E20000 13 800101A406830185950108 800102B803950110", 0x9000, NULL, CARD_SM},
        {"never", "00E20000 05 80017F9700", 0x9000, NULL, CARD_SM},
    };
    static const struct card_row holder[] = {
        {"", "00A4020C 02 6001", 0x9000, NULL, CARD_KEEPS},
        {"nothing yet", "00B0000001", 0x6982, NULL, 0},
        {"", PIN_5, 0x9000, NULL, 0},
        {"PIN 5", "00B0000001", 0x9000, "00", CARD_KEEPS},
        {"not enciphered", "00D60000 01 AA", 0x6982, NULL, 0},
        {"record 2", "00A4020C 02 6002", 0x9000, NULL, CARD_KEEPS},
        {"never", "00B0000001", 0x6982, NULL, 0},
        {"there is no record 3", "00A4020C 02 6003", 0x9000, NULL, CARD_KEEPS},
        {"never", "00B0000001", 0x6982, NULL, 0},
        {"rules of EF.ARR", "00A4020C 02 2F06", 0x9000, NULL, CARD_KEEPS},
        {"may be read", "00B2020405", 0x9000, "80017F9700", CARD_KEEPS},
        {"not updated", "00DC0204 05 8001019000", 0x6982, NULL, 0},
        {"nor appended", "00E20000 05 8001019000", 0x6982, NULL, 0},
    };
    static const struct card_row change[] = {
        {"", "00A4020C 02 2F06", 0x9000, NULL, CARD_SM},
        {"always", "00DC0204 05 8001019000", 0x9000, NULL, CARD_SM},
        {"", "00A4020C 02 6002", 0x9000, NULL, CARD_SM},
        {"in force", "00B00000", 0x9000, "00", CARD_SM | CARD_KEEPS},
        {"", "00A4020C 02 6001", 0x9000, NULL, CARD_SM},
        {"enciphered", "00D60000 01 AA", 0x9000, NULL, CARD_SM},
        {"", "00A4020C 02 2F06", 0x9000, NULL, CARD_SM},
        {"deactivated", "00040000", 0x9000, NULL, CARD_SM},
        {"", "00A4020C 02 6002", 0x9000, NULL, CARD_SM},
        {"never", "00B00000", 0x6982, NULL, CARD_SM},
    };
    struct bench *bench = prepare(state, 0x03);
    char text[64];

    for (unsigned i = 1; i <= 3; i++) {
        snprintf(text, sizeof text, "820101 8302600%u 800101 8B010%u", i, i);
        assert_int_equal(bench_create(bench, true, text), 0x9000);
    }
    assert_int_equal(bench_create(bench, true, ARR), 0x9000);
    BENCH_ROWS(bench, issuer);
    bench_reset(bench);
    bench_select(bench);
    BENCH_ROWS(bench, holder);
    bench_reset(bench);
    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A4040C 09 F05457494E434F5301", 0x9000, NULL);
    BENCH_ROWS(bench, change);
}

/* ---- From creation to activation ---- */

/* DF 5100 lets EFs be made under secure messaging only. */
static void a_file_that_is_being_made_belongs_to_whoever_made_it(void **state)
{
    static const struct card_row stranger[] = {
        {"", "00A4020C 02 6001", 0x9000, NULL, CARD_KEEPS},
        {"read: its rule says always", "00B0000001", 0x6982, NULL, 0},
        {"update: its rule says always", "00D60000 01 AA", 0x6982, NULL, 0},
        {"activate", "00440000", 0x6982, NULL, 0},
    };
    static const struct card_row issuer[] = {
        {"", "00A4020C 02 6001", 0x9000, NULL, CARD_SM},
        {"read", "00B00000", 0x9000, "00", CARD_SM | CARD_KEEPS},
        {"update", "00D60000 01 AA", 0x9000, NULL, CARD_SM},
        {"activate: its rule says never", "00440000", 0x9000, NULL, CARD_SM},
        {"deactivate, which its rule does not list", "00040000", 0x6982, NULL, CARD_SM},
    };
    static const struct card_row holder[] = {
        {"", "00A4020C 02 6001", 0x9000, NULL, CARD_KEEPS},
        {"read", "00B0000001", 0x9000, "AA", CARD_KEEPS},
        {"update", "00D60000 01 55", 0x9000, NULL, 0},
    };
    struct bench *bench = prepare(state, 0x03);

    for (unsigned i = 0; i < 2; i++) {
        char text[96];
        snprintf(text, sizeof text, "820101 8302600%u 800101 8A010%u 8C04 13 FF0000", 1 + i,
                 i == 0 ? 1U : 3U);
        assert_int_equal(bench_create(bench, true, text), 0x9000);
    }
    bench_reset(bench);
    bench_select(bench);
    BENCH_ROWS(bench, stranger);
    bench_reset(bench);
    bench_session(bench, 0x03);
    bench_expect_sm(bench, "00A4040C 09 F05457494E434F5301", 0x9000, NULL);
    BENCH_ROWS(bench, issuer);
    bench_reset(bench);
    bench_select(bench);
    BENCH_ROWS(bench, holder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(every_condition_in_every_status),
        CARD_TEST(a_header_filter_means_a_command),
        CARD_TEST(records_of_arr_decide),
        CARD_TEST(a_file_that_is_being_made_belongs_to_whoever_made_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
