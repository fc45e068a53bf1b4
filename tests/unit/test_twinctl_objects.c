/* SPDX-License-Identifier: Apache-2.0
 *
 * What twinctl sends to make files, PINs and keys, byte by byte; its TLV, hexadecimal text, APDUs
 * and primitives, which were written apart from the card's and must agree with them.
 */
#include "crypto_helpers.h"
#include "twinctl/apdu.h"
#include "twinctl/crypto.h"
#include "twinctl/objects.h"
#include "twinctl/profile.h"

#include "cos/crypto.h"
#include "cos/tlv.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME       "\xF0TWINCOS\x01"
#define NAME_HEX   "F05457494E434F5301"
#define KEY_16     "000102030405060708090A0B0C0D0E0F"
#define TEXT(text) ((struct part){(const uint8_t *)(text), sizeof(text) - 1})

static const struct part application = {(const uint8_t *)NAME, sizeof NAME - 1};

static void check_hex(const struct bytes *bytes, const char *expected)
{
    char text[2 * BYTES_MAX + 1];
    assert_false(bytes->failed);
    assert_string_equal(hex_write(bytes->data, bytes->length, text), expected);
}

static void file_control_parameters(void **state)
{
    (void)state;
    struct bytes mf = {0}, df = {0}, ef = {0}, record = {0}, arr = {0};
    fcp_df(&mf, &(struct df_parameters){
                    .fid = 0x3F00, .create_df = 0xC0, .create_ef = 0xC1, .manage = 0xC2});
    check_hex(&mf, "6214"
                   "820138"
                   "83023F00"
                   "8A0105"
                   "8C087FC2C2C2C2C0C1C2");
    fcp_df(&df, &(struct df_parameters){.fid = 0x5100,
                                        .name = application,
                                        .create_df = 0xFF,
                                        .create_ef = 0xC0,
                                        .manage = 0xC0});
    check_hex(&df, "621F"
                   "820138"
                   "83025100"
                   "8409" NAME_HEX "8A0105"
                   "8C087FC0C0C0C0FFC0C0");
    fcp_ef(&ef,
           &(struct ef_parameters){
               .fid = 0x5101, .sfi = 1, .size = 128, .update = 0xC0, .read = 0x90, .manage = 0xFF});
    check_hex(&ef, "621B"
                   "80020080"
                   "820101"
                   "83025101"
                   "880108"
                   "8A0105"
                   "8C087FFFFFFFFFC0C090");
    fcp_ef(&record, &(struct ef_parameters){
                        .fid = 0x2F02, .size = 300, .source = 1, .arr = 0x2F06, .arr_record = 2});
    check_hex(&record, "6216"
                       "8002012C"
                       "820101"
                       "83022F02"
                       "850101"
                       "8A0105"
                       "8B032F0602");
    fcp_ef(&arr, &(struct ef_parameters){.fid = 0x2F06, .record_size = 32, .records = 2});
    check_hex(&arr, "6218"
                    "82050221002002"
                    "83022F06"
                    "8A0105"
                    "8C087F00000000000000");
}

static void pins(void **state)
{
    (void)state;
    struct bytes pin = {0}, code = {0};
    dgi_pin(&pin, &(struct pin_object){.number = 1,
                                       .application = application,
                                       .tries = 3,
                                       .shortest = 4,
                                       .longest = 12,
                                       .resetting_code = 2,
                                       .reset_condition = 0xC0,
                                       .value = TEXT("1234")});
    check_hex(&pin, "801023"
                    "830101"
                    "8409" NAME_HEX "C00103"
                    "C10104"
                    "C2010C"
                    "C30102"
                    "C401C0"
                    "C70431323334");
    dgi_pin(&code, &(struct pin_object){.number = 2,
                                        .tries = 5,
                                        .shortest = 8,
                                        .longest = 8,
                                        .reset_condition = 0xFF,
                                        .value = TEXT("87654321")});
    check_hex(&code, "801019"
                     "830102"
                     "C00105"
                     "C10108"
                     "C20108"
                     "C401FF"
                     "C7083837363534333231");
}

static void pins_with_everything(void **state)
{
    (void)state;
    struct bytes pin = {0};
    dgi_pin(&pin, &(struct pin_object){.number = 3,
                                       .tries = 3,
                                       .shortest = 6,
                                       .longest = 8,
                                       .reset_condition = 0xFF,
                                       .format = 0x70 | PIN_FORM_PADDED,
                                       .uses = 0x0102,
                                       .may_change = true,
                                       .change_condition = 0xC0,
                                       .may_disable = true,
                                       .transport = true,
                                       .value = TEXT("123456\xFF\xFF")});
    check_hex(&pin, "801029830103C00103C10106C20108C401FFC90172CA020102CB01C0CC0104CD0102"
                    "C708313233343536FFFF");
}

static void forms_of_a_pin(void **state)
{
    static const struct {
        uint8_t format;
        const char *digits, *encoded;
    } forms[] = {
        {PIN_FORM_BYTES, "1234", "31323334"},
        {PIN_FORM_DIGITS, "12345", "3132333435"},
        {0x70 | PIN_FORM_PADDED, "123456", "313233343536FFFF"},
        {0x70 | PIN_FORM_PADDED, "12345678", "3132333435363738"},
        {0x30 | PIN_FORM_PADDED, "1", "31FFFFFF"},
        {0x70 | PIN_FORM_PADDED, "123456789", NULL},
        {PIN_FORM_BCD, "123456", "123456"},
        {PIN_FORM_BCD, "12345", "12345F"},
        {PIN_FORM_BLOCK, "1234", "241234FFFFFFFFFF"},
        {PIN_FORM_BLOCK, "12345", "2512345FFFFFFFFF"},
        {PIN_FORM_BLOCK, "123456789012", "2C123456789012FF"},
        {PIN_FORM_BLOCK, "123", NULL},
        {PIN_FORM_BLOCK, "1234567890123", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct bytes value = {0};
        pin_encode(&value, forms[i].format,
                   (struct part){(const uint8_t *)forms[i].digits, strlen(forms[i].digits)});
        assert_int_equal(value.failed, forms[i].encoded == NULL);
        if (forms[i].encoded != NULL) {
            check_hex(&value, forms[i].encoded);
        }
    }
}

static void keys_and_card_data(void **state)
{
    (void)state;
    uint8_t key[24];
    struct bytes access = {0}, remote = {0}, card = {0}, atr = {0};
    unhex(KEY_16 "1011121314151617", key, sizeof key);
    dgi_key(&access, &(struct key_object){.number = 1,
                                          .application = application,
                                          .algorithm = ALGORITHM_AES,
                                          .usage = USAGE_ACCESS_PROOF,
                                          .condition = 0x90,
                                          .has_level = true,
                                          .level = 3,
                                          .valid_to = 0x20351231,
                                          .value = {key, 16}});
    check_hex(&access, "802030"
                       "800101"
                       "830101"
                       "8409" NAME_HEX "950104"
                       "C50190"
                       "C6050320351231"
                       "C710" KEY_16);
    dgi_key(&remote, &(struct key_object){.number = 2,
                                          .algorithm = ALGORITHM_3DES,
                                          .usage = USAGE_INTERNAL_AUTHENTICATION,
                                          .value = {key, 24}});
    check_hex(&remote, "802026"
                       "800102"
                       "830102"
                       "950101"
                       "C50100"
                       "C718" KEY_16 "1011121314151617");
    dgi_record_rule(&card, 0xA1);
    check_hex(&card, "803003"
                     "C801A1");
    dgi_atr(&atr, TEXT("\x3B\x80\x01\x81"));
    check_hex(&atr, "0A01043B800181");
}

static void what_is_too_long_fails_for_good(void **state)
{
    (void)state;
    static const uint8_t much[BYTES_MAX] = {0};
    struct bytes all = {0}, value = {0};
    /* A data group has one length byte, and FF is not one. */
    struct bytes pin = {0};
    dgi_pin(&pin, &(struct pin_object){.number = 1, .value = {much, 254 - 15 - 3}});
    assert_false(pin.failed);
    struct bytes longer = {0};
    dgi_pin(&longer, &(struct pin_object){.number = 1, .value = {much, 254 - 15 - 2}});
    assert_true(longer.failed);
    /* Nothing is added to what failed, not even what would fit. */
    bytes_add(&all, much, 300);
    bytes_add(&all, much, BYTES_MAX - 300 + 1);
    assert_true(all.failed);
    bytes_add8(&all, 1);
    assert_int_equal(all.length, 300);
    bytes_fill(&value, 0, BYTES_MAX);
    assert_false(value.failed);
    bytes_add8(&value, 0);
    assert_true(value.failed);
    struct bytes around = {0};
    value.length = 0;
    bytes_template(&around, 0x62, &value);
    assert_true(around.failed);
}

/* The other end reads it with its own code. */
static void tlv_agrees_with_the_card(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 127, 128, 255, 256, 500};
    static const unsigned tags[] = {0x62, 0x5F20, 0x9F7F};
    uint8_t value[500];
    memset(value, 0x5A, sizeof value);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        for (size_t t = 0; t < sizeof tags / sizeof tags[0]; t++) {
            struct bytes made = {0};
            struct cos_tlv tlv;
            struct part rest, found;
            unsigned tag = 0;
            bytes_tlv(&made, tags[t], value, lengths[i]);
            struct cos_reader reader = cos_reader(made.data, made.length);
            assert_int_equal(cos_tlv_next(&reader, &tlv), COS_OK);
            assert_true(cos_read_done(&reader));
            assert_int_equal(tlv.tag, tags[t]);
            assert_int_equal(tlv.length, lengths[i]);
            rest = (struct part){made.data, made.length};
            assert_true(tlv_next(&rest, &tag, &found));
            assert_int_equal(tag, tags[t]);
            assert_int_equal(found.length, lengths[i]);
            assert_int_equal(rest.length, 0);
            /* One byte less, and the value reaches past the end. */
            rest = (struct part){made.data, made.length - 1};
            assert_case(!tlv_next(&rest, &tag, &found), "%zu", lengths[i]);
        }
    }
}

static void malformed_tlv_from_a_card(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",     "62",       "5F",       "5F20",       "6201", "6280",
        "6281", "628102FF", "62820102", "6283000000", "62FF",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t data[16];
        struct part found;
        size_t length = unhex(cases[i], data, sizeof data);
        assert_case(!tlv_find(data, length, 0x62, &found), "%s", cases[i]);
    }
    uint8_t data[16];
    struct part found;
    size_t length = unhex("C00101C1020203C100", data, sizeof data);
    assert_true(tlv_find(data, length, 0xC1, &found));
    assert_ptr_equal(found.data, data + 5);
    assert_int_equal(found.length, 2);
    assert_false(tlv_find(data, length, 0xC2, &found));
}

static void hexadecimal_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        size_t length;
    } cases[] = {
        {"", true, 0},    {"00a4", true, 2},   {"00A40400", true, 4},    {" 00 A4 ", true, 2},
        {"0", false, 0},  {"00A", false, 0},   {"0 0", false, 0},        {"0x00", false, 0},
        {"GG", false, 0}, {"00:A4", false, 0}, {"0102030405", false, 0}, {"00\n", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t data[4];
        size_t length = 0;
        bool good = hex_read(cases[i].text, data, sizeof data, &length);
        assert_case(good == cases[i].good, "\"%s\"", cases[i].text);
        assert_case(!good || length == cases[i].length, "\"%s\"", cases[i].text);
    }
}

static void command_cases(void **state)
{
    (void)state;
    static const struct {
        size_t nc, ne;
        const char *hex; /* NULL: refused */
    } cases[] = {
        {0, 0, "00A4040C"},       {0, 1, "00A4040C01"},         {0, 256, "00A4040C00"},
        {2, 0, "00A4040C025A5A"}, {2, 256, "00A4040C025A5A00"}, {0, 257, NULL},
        {256, 0, NULL},
    };
    uint8_t data[256];
    memset(data, 0x5A, sizeof data);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bytes apdu;
        struct command command = {.cla = 0x00,
                                  .ins = 0xA4,
                                  .p1 = 0x04,
                                  .p2 = 0x0C,
                                  .data = data,
                                  .nc = cases[i].nc,
                                  .ne = cases[i].ne};
        assert_case(command_write(&command, &apdu) == (cases[i].hex != NULL), "case %zu", i);
        if (cases[i].hex != NULL) {
            check_hex(&apdu, cases[i].hex);
        }
    }
}

static void commands_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        bool good;
        size_t nc, ne;
    } cases[] = {
        {"00A4000C", true, 0, 0},
        {"00B0000000", true, 0, 256},
        {"00B0000010", true, 0, 16},
        {"00A4000C023F00", true, 2, 0},
        {"00A40000023F0000", true, 2, 256},
        {"00A40000023F0021", true, 2, 33},
        {"", false, 0, 0},
        {"00A400", false, 0, 0},
        {"00A4000C023F", false, 0, 0},
        {"00A40000023F000000", false, 0, 0},
        {"00B00000000100", false, 0, 0}, /* extended */
        {"00B000000000", false, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t apdu[16];
        size_t length = 0;
        struct command command;
        struct bytes again = {0};
        assert_true(hex_read(cases[i].hex, apdu, sizeof apdu, &length));
        assert_case(command_read(apdu, length, &command) == cases[i].good, "%s", cases[i].hex);
        if (cases[i].good) {
            assert_case(command.nc == cases[i].nc && command.ne == cases[i].ne, "%s", cases[i].hex);
            assert_true(command_write(&command, &again));
            check_hex(&again, cases[i].hex);
        }
    }
}

static void holder_data(void **state)
{
    (void)state;
    struct bytes data = {0};
    struct part holder, name;
    profile_holder_data(&sample_profile, "ERIKA MUSTERMANN", &data);
    assert_int_equal(data.length, sample_profile.holder_size);
    assert_true(tlv_find(data.data, data.length, 0x65, &holder));
    assert_true(tlv_find(holder.data, holder.length, 0x5F20, &name));
    assert_int_equal(name.length, 16);
    assert_memory_equal(name.data, "ERIKA MUSTERMANN", 16);
    char longest[200];
    memset(longest, 'X', sizeof longest);
    longest[128 - 2 - 3 - 7 - 5] = '\0'; /* 65, 5F20, 5F2B, 5F2D */
    struct bytes full = {0}, more = {0};
    profile_holder_data(&sample_profile, longest, &full);
    assert_false(full.failed);
    assert_int_equal(full.length, 128);
    longest[strlen(longest)] = 'X';
    longest[112] = '\0';
    profile_holder_data(&sample_profile, longest, &more);
    assert_true(more.failed);
}

static void primitives_agree_with_the_card(void **state)
{
    (void)state;
    const struct cos_crypto *crypto = &cos_crypto_tomcrypt;
    struct random random = random_start(3);
    for (unsigned round = 0; round < 64; round++) {
        uint8_t key[16], data[100], ours[128], theirs[128];
        size_t n = random_below(&random, sizeof data + 1);
        static const uint8_t nonce[13] = {0};
        random_fill(&random, key, sizeof key);
        random_fill(&random, data, sizeof data);
        assert_true(crypto_kdf(key, "TwinCOS production step", data, 17, ours));
        assert_int_equal(cos_kdf(crypto, key, sizeof key,
                                 (struct cos_span){(const uint8_t *)"TwinCOS production step", 23},
                                 (struct cos_span){data, 17}, theirs, 16),
                         COS_OK);
        assert_memory_equal(ours, theirs, 16);
        assert_true(crypto_ccm_seal(key, data, 1, data, n, ours));
        memcpy(theirs, data, n);
        assert_int_equal(crypto->aes_ccm_seal(crypto->context, key, sizeof key, nonce, data, 1,
                                              theirs, n, theirs + n),
                         COS_OK);
        assert_memory_equal(ours, theirs, n + CCM_TAG);
        assert_int_equal(crc32_of(data, n), cos_crc32(0, data, n));
    }
    assert_int_equal(crc32_of((const uint8_t *)"123456789", 9), 0xCBF43926);
}

/* NIST SP 800-67 and FIPS 180-4 known answers, and the way back. */
static void known_answers(void **state)
{
    (void)state;
    uint8_t key[24], block[8], digest[SHA256_LENGTH], expected[SHA256_LENGTH];
    unhex("0123456789ABCDEF23456789ABCDEF01456789ABCDEF0123", key, sizeof key);
    unhex("5468652071756663", block, sizeof block);
    assert_true(crypto_tdes_ecb(key, CRYPTO_ENCIPHER, block, 8, block));
    unhex("A826FD8CE53B855F", expected, 8);
    assert_memory_equal(block, expected, 8);
    assert_true(crypto_tdes_ecb(key, CRYPTO_DECIPHER, block, 8, block));
    assert_memory_equal(block, "The qufc", 8);
    char path[] = "/tmp/twinctl-test-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0 && write(file, "abc", 3) == 3 && close(file) == 0);
    assert_true(crypto_sha256_file(path, digest));
    unhex("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD", expected, 32);
    assert_memory_equal(digest, expected, 32);
    assert_int_equal(unlink(path), 0);
    assert_false(crypto_sha256_file(path, digest));
    assert_false(crypto_aes_ecb(key, 17, CRYPTO_ENCIPHER, key, 16, expected));
    assert_false(crypto_aes_ecb(key, 16, CRYPTO_ENCIPHER, key, 15, expected));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_control_parameters),
        cmocka_unit_test(pins),
        cmocka_unit_test(pins_with_everything),
        cmocka_unit_test(forms_of_a_pin),
        cmocka_unit_test(keys_and_card_data),
        cmocka_unit_test(what_is_too_long_fails_for_good),
        cmocka_unit_test(tlv_agrees_with_the_card),
        cmocka_unit_test(malformed_tlv_from_a_card),
        cmocka_unit_test(hexadecimal_text),
        cmocka_unit_test(command_cases),
        cmocka_unit_test(commands_are_read),
        cmocka_unit_test(holder_data),
        cmocka_unit_test(primitives_agree_with_the_card),
        cmocka_unit_test(known_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
