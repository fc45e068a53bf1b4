/* SPDX-License-Identifier: Apache-2.0
 *
 * Secure messaging of ISO/IEC 7816-4 on the whole card: commands of all cases, what is malformed,
 * what ends a session.
 */
#include "iso_card.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SELECT_HOLDER "00A4000C 02 5101"

/* EF 6000 of 256 bytes and EF 6001 (records), in the application: open to read and to write. */
static void make_files(struct bench *bench)
{
    bench_session(bench, 0x33);
    bench_expect_sm(bench, "00A4040C 09 F05457494E434F5301", 0x9000, NULL);
    assert_int_equal(bench_create(bench, true, "820101 83026000 80020100 8C03030000"), 0x9000);
    assert_int_equal(bench_create(bench, true, "82050441002008 83026001 80020080 8C0407000000"),
                     0x9000);
}

/* ---- Commands of all cases ---- */

static void commands_of_all_cases(void **state)
{
    struct bench *bench = *state;
    struct iso_sm sm;

    make_files(bench);
    for (enum iso_key key = ISO_DES3; key < ISO_KEYS; key++) {
        iso_open(bench, key, &sm);
        iso_expect(bench, &sm, "00A4000C", 0x9000, NULL); /* case 1 */
        iso_expect(bench, &sm, "00A4040C 09 F05457494E434F5301", 0x9000, NULL);
        iso_expect(bench, &sm, "00A4000C 02 6000", 0x9000, NULL); /* case 3 */
        iso_expect(bench, &sm, "00D60000 05 0102030405", 0x9000, NULL);
        iso_expect(bench, &sm, "00B00000 05", 0x9000, "0102030405");           /* case 2 */
        iso_expect(bench, &sm, "00D70000 08 540100 5303A1A2A3", 0x9000, NULL); /* odd, case 3 */
        iso_expect(bench, &sm, "00B10000 03 540101 04", 0x9000, "5302A2A3");   /* odd, case 4 */
        iso_expect(bench, &sm, "00A0 0000 02 A2A3 00", 0x9000, "0001");        /* case 4 */
        iso_expect(bench, &sm, "00A4000C 02 6001", 0x9000, NULL);
        iso_expect(bench, &sm, "00E20000 04 11223344", 0x9000, NULL);
        iso_expect(bench, &sm, "00B20001 00", 0x9000, "11223344");
        iso_expect(bench, &sm, "000C0104", 0x9000, NULL);
    }
}

/* HASH answers its digest only if there is an Le; it is kept in any case. */
static void a_hash_is_answered_if_le_says_so(void **state)
{
    struct bench *bench = *state;
    struct iso_sm sm;

    iso_open(bench, ISO_AES, &sm);
    iso_expect(bench, &sm, "002241AA 03 800130", 0x9000, NULL); /* SHA-256 */
    iso_expect(bench, &sm, "002A9080 03 616263", 0x9000, NULL);
    iso_expect(bench, &sm, "002A9080 03 616263 00", 0x9000,
               "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD");
}

/* Lc of one byte holds 231 (3DES) or 223 (AES) bytes of data and an Le; so does a response. */
static void lengths(void **state)
{
    static const size_t longest[] = {231, 223, 223, 223, 223};
    struct bench *bench = *state;
    uint8_t data[256];

    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 7 + 3);
    }
    make_files(bench);
    for (enum iso_key key = ISO_DES3; key < ISO_KEYS; key++) {
        struct iso_sm sm;
        iso_open(bench, key, &sm);
        iso_expect(bench, &sm, "00A4000C 02 6000", 0x9000, NULL);
        for (size_t n = 1; n <= longest[key]; n += n < 40 ? 1 : n < 210 ? 17 : 1) {
            const struct command update = {0x00, 0xD6, 0x00, 0x00, data, n, 0};
            assert_int_equal(iso_send_command(bench, &sm, &update), 0x9000);
            const struct command read = {0x00, 0xB0, 0x00, 0x00, NULL, 0, n};
            assert_int_equal(iso_send_command(bench, &sm, &read), 0x9000);
            assert_int_equal(bench->length, n);
            assert_memory_equal(bench->data, data, n);
        }
        const struct command update = {0x00, 0xD6, 0x00, 0x00, data, longest[key], 0};
        assert_int_equal(iso_send_command(bench, &sm, &update), 0x9000);
        /* All there is: what one response of 256 bytes has room for. */
        for (size_t ne = 256; ne <= 65536; ne += 65536 - 256) {
            const struct command read = {0x00, 0xB0, 0x00, 0x00, NULL, 0, ne};
            assert_int_equal(iso_send_command(bench, &sm, &read), 0x9000);
            assert_int_equal(bench->length, longest[key]);
            assert_memory_equal(bench->data, data, longest[key]);
        }
        /* Ne is a maximum. */
        const struct command read = {0x00, 0xB0, 0x00, 0x00, NULL, 0, longest[key] + 1};
        assert_int_equal(iso_send_command(bench, &sm, &read), 0x9000);
        assert_int_equal(bench->length, longest[key]);
    }
}

/* SM_SEAL has room for 256 bytes of data, whatever protects them. */
static void the_longest_response(void **state)
{
    static const size_t sealed[] = {5 + 264 + 14, 5 + 272 + 14, 5 + 272 + 14, 5 + 272 + 14,
                                    5 + 272 + 14};
    const struct command read = {0x00, 0xB0, 0x81, 0x00, NULL, 0, 256};
    struct bench *bench = *state;

    for (enum iso_key key = ISO_DES3; key < ISO_KEYS; key++) {
        uint8_t message[3 + 256] = {0};
        struct cos_span part = {message, 0}, body;
        struct iso_sm sm;
        struct bytes apdu, plain;
        iso_open(bench, key, &sm);
        iso_wrap(&sm, &read, &apdu);
        memcpy(message + 1, apdu.data, apdu.length);
        part.length = 1 + apdu.length;
        assert_int_equal(cos_gate_call(&bench->app.gate, COS_GATE_SM_OPEN, &part, 1, &body),
                         COS_OK);
        memset(message, 0xA5, sizeof message);
        memcpy(message, "\x00\x90\x00", 3);
        part.length = sizeof message;
        assert_int_equal(cos_gate_call(&bench->app.gate, COS_GATE_SM_SEAL, &part, 1, &body),
                         COS_OK);
        assert_int_equal(body.length, 2 + sealed[key]);
        assert_true(iso_unwrap(&sm, false, body.data + 2, body.length - 2, 0x9000, &plain));
        assert_int_equal(plain.length, 256);
        assert_memory_equal(plain.data, message + 3, 256);
    }
}

/* Extended length fields around a command that is short: taken. Above COS_SM_MAX: 6700. */
static void extended_lengths(void **state)
{
    struct bench *bench = *state;
    struct iso_sm sm;
    const struct command select = {0x00, 0xA4, 0x00, 0x0C, (const uint8_t *)"\x51\x01", 2, 0};
    struct bytes apdu, longer = {0}, plain;

    iso_open(bench, ISO_AES, &sm);
    iso_wrap(&sm, &select, &apdu);
    bytes_add(&longer, apdu.data, 4);
    bytes_add16(&longer, 0);
    bytes_add(&longer, apdu.data + 4, apdu.length - 4);
    bytes_add8(&longer, 0);
    assert_int_equal(bench_apdu(bench, longer.data, longer.length), 0x9000);
    assert_true(iso_unwrap(&sm, false, bench->data, bench->length, bench->sw, &plain));

    uint8_t above[7 + 256 + 2] = {0x0C, 0xA4, 0x00, 0x0C, 0x00, 0x01, 0x00, 0x87};
    assert_int_equal(bench_apdu(bench, above, 7 + 256), 0x6700);
    iso_expect(bench, &sm, SELECT_HOLDER, 0x6982, NULL);
    iso_open(bench, ISO_AES, &sm);
    assert_int_equal(bench_apdu(bench, above, 7 + 256 + 2), 0x6700);
    iso_expect(bench, &sm, SELECT_HOLDER, 0x6982, NULL);
}

/* ---- What is malformed ---- */

/* Pieces that a command is made of, each a letter: d 87, D 87 with another indicator, e empty 87, n
 * 87 of no whole block, o 85, p 81 (plain), l 97, L 97 of three bytes, z 97 without value, x 96, m
 * 8E, s 8E of four bytes, w wrong 8E, q bad padding in 87, 0 a byte 00, t a length that reaches too
 * far. */
static void add_piece(const struct iso_sm *sm, char piece, const uint8_t header[4],
                      struct bytes *objects)
{
    static const uint8_t fid[] = {0x51, 0x01}, zeros[32];
    struct bytes made = {0};
    const size_t at = objects->length;

    switch (piece) {
    case 'o':
        iso_add_data(sm, true, fid, 2, objects);
        break;
    case 'D':
    case 'd':
        iso_add_data(sm, false, fid, 2, objects);
        objects->data[at + 2] = piece == 'd' ? 0x01 : 0x02;
        break;
    case 'e':
        bytes_tlv(objects, 0x87, "\x01", 1);
        break;
    case 'n':
        bytes_tlv(objects, 0x87, "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A", 10);
        break;
    case 'q': /* two blocks, the second one left out: no padding remains */
        iso_add_data(sm, false, zeros, iso_block(sm), &made);
        bytes_tlv(objects, 0x87, made.data + 2, 1 + iso_block(sm));
        break;
    case 'p':
        bytes_tlv(objects, 0x81, fid, 2);
        break;
    case 'l':
        bytes_tlv8(objects, 0x97, 0x00);
        break;
    case 'L':
        bytes_tlv(objects, 0x97, zeros, 3);
        break;
    case 'z':
        bytes_tlv(objects, 0x97, zeros, 0);
        break;
    case 'x':
        bytes_tlv8(objects, 0x96, 0x00);
        break;
    case '0':
        bytes_add8(objects, 0x00);
        break;
    case 't':
        bytes_add(objects, "\x97\x20\x00", 3);
        break;
    default:
        iso_add_checksum(sm, header, objects);
        if (piece == 's') {
            objects->length -= 4;
            objects->data[objects->length - 5] = 4;
        }
        objects->data[objects->length - 1] ^= piece == 'w' ? 0x01 : 0x00;
    }
}

static const struct malformed {
    const char *what, *pieces;
    uint16_t sw;
} malformed[] = {
    {"as it should be", "dm", 0x9000},
    {"with an Le", "dlm", 0x9000},
    {"a byte 00 between the objects", "d0lm", 0x9000},
    {"nothing at all", "", 0x6987},
    {"no checksum", "d", 0x6987},
    {"no checksum, Le", "dl", 0x6987},
    {"Le alone", "l", 0x6987},
    {"Le before data", "ldm", 0x6988},
    {"checksum first", "md", 0x6988},
    {"checksum before Le", "dml", 0x6988},
    {"data twice", "ddm", 0x6988},
    {"Le twice", "dllm", 0x6988},
    {"checksum twice", "dmm", 0x6988},
    {"a byte behind the checksum", "dm0", 0x6988},
    {"short checksum", "ds", 0x6988},
    {"wrong checksum", "dw", 0x6988},
    {"data of an odd instruction", "om", 0x6988},
    {"both kinds of data", "odm", 0x6988},
    {"plain data", "pm", 0x6988},
    {"plain data beside the others", "dpm", 0x6988},
    {"Le that no checksum covers", "dxm", 0x6988},
    {"Le of three bytes", "dLm", 0x6988},
    {"Le of none", "dzm", 0x6988},
    {"another padding indicator", "Dm", 0x6988},
    {"no cryptogram", "em", 0x6988},
    {"no whole block", "nm", 0x6988},
    {"no padding", "qm", 0x6988},
    {"no TLV", "dt", 0x6988},
};

static void malformed_commands_end_the_session(void **state)
{
    static const struct command select = {.ins = 0xA4, .p2 = 0x0C};
    static const uint8_t header[] = {0x0C, 0xA4, 0x00, 0x0C};
    struct bench *bench = *state;

    for (enum iso_key key = ISO_DES3; key < ISO_KEYS; key++) {
        for (size_t i = 0; i < CARD_COUNT(malformed); i++) {
            struct bytes objects = {0}, apdu;
            struct card_image image;
            struct iso_sm sm;
            iso_open(bench, key, &sm);
            iso_step(&sm);
            for (const char *piece = malformed[i].pieces; *piece != '\0'; piece++) {
                add_piece(&sm, *piece, header, &objects);
            }
            iso_finish(&select, &objects, &apdu);
            card_image_take(bench, &image);
            const uint16_t sw = bench_apdu(bench, apdu.data, apdu.length);
            const bool same = card_image_same(bench, &image);
            struct bytes plain;
            const bool good = sw == 0x9000 &&
                              iso_unwrap(&sm, false, bench->data, bench->length, bench->sw, &plain);
            const uint16_t then = iso_send(bench, &sm, SELECT_HOLDER);
            if (sw != malformed[i].sw || !same || good != (sw == 0x9000) ||
                then != (good ? 0x9000 : 0x6982) || bench->secure.in_sm) {
                fail_msg("%s: %04X, then %04X", malformed[i].what, sw, then);
            }
        }
    }
}

/* Every byte but Le, which nothing covers. Tag and length bytes make other errors. */
static void every_byte_is_protected(void **state)
{
    struct bench *bench = *state;
    const struct command select = {0x00, 0xA4, 0x00, 0x0C, (const uint8_t *)"\x51\x01", 2, 256};
    struct iso_sm sm;
    struct bytes apdu;

    for (enum iso_key key = ISO_DES3; key < ISO_KEYS; key++) {
        iso_open(bench, key, &sm);
        iso_wrap(&sm, &select, &apdu);
        for (size_t at = 1; at < apdu.length - 1; at++) {
            if (at == 4) {
                continue; /* Lc: 6700 */
            }
            iso_open(bench, key, &sm);
            iso_wrap(&sm, &select, &apdu);
            struct bytes changed = apdu;
            changed.data[at] ^= 0x01;
            const uint16_t sw = bench_apdu(bench, changed.data, changed.length);
            if (sw != 0x6988 && sw != 0x6987) {
                fail_msg("byte %zu: %04X", at, sw);
            }
            assert_int_equal(bench_apdu(bench, apdu.data, apdu.length), 0x6982);
        }
    }
}

static void replayed_dropped_and_swapped(void **state)
{
    struct bench *bench = *state;
    const struct command select = {0x00, 0xA4, 0x00, 0x0C, (const uint8_t *)"\x51\x01", 2, 0};
    struct iso_sm sm;
    struct bytes first, second;

    for (enum iso_key key = ISO_DES3; key < ISO_KEYS; key++) {
        iso_open(bench, key, &sm);
        iso_wrap(&sm, &select, &first);
        assert_int_equal(bench_apdu(bench, first.data, first.length), 0x9000);
        assert_int_equal(bench_apdu(bench, first.data, first.length), 0x6988);
        iso_open(bench, key, &sm);
        iso_wrap(&sm, &select, &first);
        iso_step(&sm);
        iso_wrap(&sm, &select, &second);
        assert_int_equal(bench_apdu(bench, second.data, second.length), 0x6988);
        assert_int_equal(bench_apdu(bench, first.data, first.length), 0x6982);
        iso_open(bench, key, &sm);
        iso_wrap(&sm, &select, &first);
        iso_open(bench, key, &sm);
        assert_int_equal(bench_apdu(bench, first.data, first.length), 0x6988);
    }
}

/* ---- Class bytes ---- */

static void other_classes(void **state)
{
    static const struct {
        const char *what, *apdu;
        uint16_t sw;
    } rows[] = {
        {"GlobalPlatform's secure messaging", "04A4000C08 0102030405060708", 0x6982},
        {"the same, proprietary", "84CA006608 0102030405060708 00", 0x6982},
        {"header not authenticated", "08A4000C0A 8E080102030405060708", 0x6882},
        {"channel 1", "0DA4000C0A 8E080102030405060708 00", 0x6881},
        {"channel 4", "60A4000C0A 8E080102030405060708 00", 0x6881},
        {"chaining", "1CA4000C0A 8E080102030405060708 00", 0x6988},
        {"proprietary", "8CCA00660A 8E080102030405060708 00", 0x6882},
        {"malformed", "0CA4000C0B 8E080102030405060708", 0x6700},
        {"in the clear", "00A4000C", 0x9000},
        {"in the clear, no instruction", "00FF0000", 0x6D00},
    };
    struct bench *bench = *state;

    for (size_t i = 0; i < CARD_COUNT(rows); i++) {
        struct iso_sm sm;
        iso_open(bench, ISO_AES, &sm);
        const uint16_t sw = bench_hex(bench, rows[i].apdu);
        const uint16_t then = iso_send(bench, &sm, SELECT_HOLDER);
        if (sw != rows[i].sw || then != 0x6982) {
            fail_msg("%s: %04X, then %04X", rows[i].what, sw, then);
        }
    }
    bench_session(bench, 0x33); /* ISO's secure messaging in a session of SCP03 */
    assert_int_equal(bench_hex(bench, "0CA4000C0A 8E080102030405060708 00"), 0x6982);
    bench_expect_sm(bench, "00A4000C", 0x6982, NULL);
}

/* ---- Errors and warnings inside ---- */

static void errors_inside_do_not_end_it(void **state)
{
    static const struct card_row rows[] = {
        {"not found", "00A4000C 02 1234", 0x6A82, NULL},
        {"P1-P2", "00A40500 02 1234", 0x6A86, NULL},
        {"no instruction", "00720000", 0x6D00, NULL},
        {"wrong length", "00A40000 01 12", 0x6700, NULL},
        {"wrong PIN", "00200081 06 313233343537", 0x63C2, NULL},
        {"PIN that is too long", "00200081 11 3132333435363132333435363132333435", 0x6700, NULL},
        {"held data that nobody takes", "00200181 06 313233343536", 0x6A86, NULL},
        {"nobody's PIN", "00200084 06 313233343536", 0x6A88, NULL},
        {"PIN", "00200081 06 313233343536", 0x9000, NULL},
        {"query", "00200081", 0x9000, NULL},
        {"the holder's file", "00B08100 06", 0x9000, "484F4C444552"},
        {"changed", "00240081 0C 313233343536 363534333231", 0x9000, NULL},
        {"changed back", "00240081 0C 363534333231 313233343536", 0x9000, NULL},
        {"challenge", "0084000008", 0x9000, CARD_ANY},
        {"a command that must come under SCP03", "00FE0000", 0x6982, NULL},
        {"still open", SELECT_HOLDER, 0x9000, NULL},
    };
    struct bench *bench = *state;

    for (enum iso_key key = ISO_DES3; key < ISO_KEYS; key++) {
        struct iso_sm sm;
        iso_open(bench, key, &sm);
        for (size_t i = 0; i < CARD_COUNT(rows); i++) {
            const uint16_t sw = iso_send(bench, &sm, rows[i].apdu);
            const bool any = rows[i].data != NULL && strcmp(rows[i].data, CARD_ANY) == 0;
            if (sw != rows[i].sw || sm.plain ||
                (!any && !bench_answered(bench, rows[i].data == NULL ? "" : rows[i].data))) {
                fail_msg("%s: %04X", rows[i].what, sw);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ISO_TEST(commands_of_all_cases),
        ISO_TEST(a_hash_is_answered_if_le_says_so),
        ISO_TEST(lengths),
        ISO_TEST(the_longest_response),
        ISO_TEST(extended_lengths),
        ISO_TEST(malformed_commands_end_the_session),
        ISO_TEST(every_byte_is_protected),
        ISO_TEST(replayed_dropped_and_swapped),
        ISO_TEST(other_classes),
        ISO_TEST(errors_inside_do_not_end_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
