/* SPDX-License-Identifier: Apache-2.0
 *
 * GENERAL AUTHENTICATE of a whole card: internal and external authentication and key agreement,
 * against OpenSSL, and whatever is refused.
 *
 * Keys of the access application: 82 AES, internal; 83 AES, external (of the example card); 84 a
 * pair, as the tests need it; 85 3DES, external, two tries; 86 AES, external, after PIN 81.
 */
#include "crypt_rig.h"

#include "cos/tlv.h"
#include "twinctl/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define R_8    "0011223344556677"
#define R_16   "00112233445566778899AABBCCDDEEFF"
#define R_20   R_16 "00112233"
#define DES_85 "FEDCBA98765432100123456789ABCDEF89ABCDEF01234567"
#define AES_86 "603DEB1015CA71BE2B73AEF0857D77811F352C073B6108D72D9810A30914DFF4"
#define BEGIN  "04 7C028100 00"
#define PIN    "00200081 06 313233343536"

static int make_keys(void **state)
{
    card_make(state);
    crypt_key(*state, 5, OF_APPLICATION " 800102 950102 C00102 C718 " DES_85);
    crypt_key(*state, 6, OF_APPLICATION " 800101 950102 C50191 C720 " AES_86);
    return 0;
}

/* ---- Templates ---- */

/* 7C with up to two objects; tag 0: there is none. */
static size_t template(uint8_t *out, size_t capacity, uint8_t tag, struct cos_span value,
                       uint8_t more_tag, struct cos_span more)
{
    struct cos_writer writer = cos_writer(out, capacity);
    const size_t outer = cos_tlv_open(&writer, 0x7C);

    cos_tlv_write(&writer, tag, value.data, value.length);
    if (more_tag != 0) {
        cos_tlv_write(&writer, more_tag, more.data, more.length);
    }
    cos_tlv_close(&writer, outer);
    assert_false(writer.failed);
    return writer.length;
}

static const struct cos_span nothing = {NULL, 0};

static uint16_t challenge_with(struct bench *bench, uint8_t reference, const uint8_t *data,
                               size_t length)
{
    uint8_t field[300];
    const struct cos_span value = {data, length};

    return crypt_send(bench, 0x86, 0x00, reference, field,
                      template(field, sizeof field, 0x82, nothing, 0x81, value));
}

static uint16_t respond_with(struct bench *bench, uint8_t ins, uint8_t reference,
                             const uint8_t *data, size_t length)
{
    uint8_t field[300];
    const struct cos_span value = {data, length};

    return crypt_send(bench, ins, 0x00, reference, field,
                      template(field, sizeof field, 0x82, value, 0, nothing));
}

/* The one object in the answer, which takes its place in bench->data. */
static void take(struct bench *bench, uint8_t tag)
{
    struct cos_reader reader = cos_reader(bench->data, bench->length), inside;
    struct cos_tlv outer, tlv;

    assert_int_equal(cos_tlv_next(&reader, &outer), COS_OK);
    assert_int_equal(outer.tag, 0x7C);
    assert_int_equal(reader.length, 0);
    inside = cos_reader(outer.value, outer.length);
    assert_int_equal(cos_tlv_next(&inside, &tlv), COS_OK);
    assert_int_equal(tlv.tag, tag);
    assert_int_equal(inside.length, 0);
    bench->length = tlv.length;
    memmove(bench->data, tlv.value, tlv.length);
}

/* ---- Internal ---- */

static void a_block_is_enciphered(void **state)
{
    struct bench *bench = *state;
    uint8_t r[16], x[16];

    bench_bytes(R_16, r, sizeof r);
    assert_int_equal(challenge_with(bench, 0x82, r, 16), 0x9000);
    assert_int_equal(bench->length, 20);
    take(bench, 0x82);
    assert_true(crypto_aes_ecb(bench_remote_key, 16, CRYPTO_ENCIPHER, r, 16, x));
    assert_memory_equal(bench->data, x, 16);
    bench_expect(bench, "00870082 16 7C1482008110" R_16 "00", 0x9000, CARD_ANY); /* and 87 */
    take(bench, 0x82);
    assert_memory_equal(bench->data, x, 16);
}

static void pairs_sign(void **state)
{
    struct bench *bench = *state;
    uint8_t data[64], block[128], expected[128] = {0x00, 0x01};
    struct oracle_rsa rsa;

    crypt_digest(data, sizeof data, 7);
    crypt_key(bench, 4, OF_APPLICATION " 800104 C90110 950101 CB0100");
    crypt_generate(bench, 0x84);
    crypt_take_rsa(bench, &rsa);
    assert_int_equal(challenge_with(bench, 0x84, data, 51), 0x9000);
    take(bench, 0x82);
    assert_int_equal(bench->length, 128);
    memset(expected + 2, 0xFF, 128 - 3 - 51);
    memcpy(expected + 128 - 51, data, 51);
    oracle_modexp(bench->data, 128, oracle_rsa_e(&rsa), oracle_rsa_n(&rsa), block);
    assert_memory_equal(block, expected, sizeof block);
    assert_int_equal(challenge_with(bench, 0x84, data, 52), 0x6A80);
    oracle_rsa_free(&rsa);
    crypt_key(bench, 4, OF_APPLICATION " 800105 C90102 950101 CB0100");
    assert_int_equal(challenge_with(bench, 0x84, data, 32), 0x6984); /* not made yet */
    crypt_generate(bench, 0x84);
    EVP_PKEY *pkey = crypt_take_ec(bench, COS_P521);
    assert_int_equal(challenge_with(bench, 0x84, data, 32), 0x9000);
    take(bench, 0x82);
    assert_int_equal(bench->length, 132);
    assert_true(oracle_ec_verify(pkey, COS_P521, data, 32, bench->data));
    assert_int_equal(challenge_with(bench, 0x84, data, 19), 0x6A80);
    EVP_PKEY_free(pkey);
}

/* ---- External ---- */

static uint16_t authenticate(struct bench *bench, uint8_t ins, uint8_t reference, uint8_t wrong)
{
    const uint8_t begin[] = {0x7C, 0x02, 0x81, 0x00};
    const bool des = reference == 0x85;
    uint8_t key[32], response[16];

    if (crypt_send(bench, ins, 0x00, reference, begin, sizeof begin) != 0x9000) {
        return bench->sw;
    }
    take(bench, 0x81);
    assert_int_equal(bench->length, des ? 8 : 16);
    if (des) {
        bench_bytes(DES_85, key, sizeof key);
        assert_true(crypto_tdes_ecb(key, CRYPTO_ENCIPHER, bench->data, 8, response));
    } else if (reference == 0x86) {
        bench_bytes(AES_86, key, sizeof key);
        assert_true(crypto_aes_ecb(key, 32, CRYPTO_ENCIPHER, bench->data, 16, response));
    } else {
        assert_true(
            crypto_aes_ecb(bench_external_key, 16, CRYPTO_ENCIPHER, bench->data, 16, response));
    }
    response[bench->length - 1] ^= wrong;
    return respond_with(bench, ins, reference, response, bench->length);
}

static void the_terminal_proves_itself(void **state)
{
    struct bench *bench = *state;
    const struct cos_channel *channel = &bench->secure.channels[0];

    assert_int_equal(authenticate(bench, 0x86, 0x83, 0), 0x9000);
    assert_int_equal(bench->length, 0);
    assert_int_equal(channel->keys_local, 1 << 3);
    assert_int_equal(authenticate(bench, 0x87, 0x85, 0), 0x9000);
    assert_int_equal(channel->keys_local, 1 << 3 | 1 << 5);
    assert_int_equal(authenticate(bench, 0x86, 0x83, 1), 0x63C9);
    assert_int_equal(channel->keys_local, 1 << 5); /* a failure takes it back */
    assert_int_equal(authenticate(bench, 0x86, 0x85, 1), 0x63C1);
    assert_int_equal(authenticate(bench, 0x86, 0x85, 0), 0x9000); /* gives the tries back */
    assert_int_equal(authenticate(bench, 0x86, 0x85, 0x80), 0x63C1);
    assert_int_equal(authenticate(bench, 0x86, 0x85, 0x80), 0x63C0);
    assert_int_equal(authenticate(bench, 0x86, 0x85, 0), 0x6983);
    assert_int_equal(channel->keys_local, 0);
    assert_int_equal(authenticate(bench, 0x86, 0x86, 0), 0x6982);
    bench_expect(bench, PIN, 0x9000, NULL);
    assert_int_equal(authenticate(bench, 0x86, 0x86, 0), 0x9000);
}

/* The right response, which comes after something else. */
static void what_is_interrupted_starts_over(void **state)
{
    static const char *const between[] = {
        "00200081",
        "0084000010",
        "00820083 10" R_16,
        "00880082 10" R_16 "00",
        "00860082 16 7C1482008110" R_16 "00",
        "00860082 16 7C1482008110" R_16 "00",
        "00860083 " BEGIN,
        "00860085 " BEGIN,
        "00860085 0C 7C0A8208" R_8,
        "00860083 06 7C048202 0000",
        "00860083 02 7C00",
        "00860183 14 7C128210" R_16,
        "00860089 14 7C128210" R_16,
        "80CA006600",
        "80CA9F7F00",
        "00B0810001",
        "00FF0000",
        "00",
    };
    struct bench *bench = *state;
    uint8_t response[16];

    for (size_t i = 0; i < CARD_COUNT(between); i++) {
        bench_expect(bench, "00860083 " BEGIN, 0x9000, "7C128110*");
        assert_true(
            crypto_aes_ecb(bench_external_key, 16, CRYPTO_ENCIPHER, bench->data + 4, 16, response));
        (void)bench_hex(bench, between[i]);
        const bool is_new = strncmp(between[i], "00860083 " BEGIN, 17) == 0;
        const uint16_t sw = respond_with(bench, 0x86, 0x83, response, 16);
        if (sw != (is_new ? 0x63C9 : 0x6985)) {
            fail_msg("after %s: %04X", between[i], sw);
        }
        assert_int_equal(bench->secure.channels[0].keys_local, 0);
    }
    /* good for one try, and for this key and this command only */
    assert_int_equal(authenticate(bench, 0x86, 0x83, 0), 0x9000);
    assert_int_equal(respond_with(bench, 0x86, 0x83, response, 16), 0x6985);
    bench_expect(bench, PIN, 0x9000, NULL);
    bench_expect(bench, "00860083 " BEGIN, 0x9000, CARD_ANY);
    assert_int_equal(respond_with(bench, 0x86, 0x86, response, 16), 0x6985);
    bench_expect(bench, "00860083 " BEGIN, 0x9000, CARD_ANY);
    bench_expect(bench, "00820083 10" R_16, 0x6985, NULL);
    bench_expect(bench, "0084000010", 0x9000, CARD_ANY);
    assert_int_equal(respond_with(bench, 0x86, 0x83, response, 16), 0x6985);
    bench_expect(bench, "00860083 " BEGIN, 0x9000, CARD_ANY);
    bench_reset(bench);
    bench_select(bench);
    assert_int_equal(respond_with(bench, 0x86, 0x83, response, 16), 0x6985);
}

/* ---- Agreement ---- */

static void secrets_are_agreed_on(void **state)
{
    struct bench *bench = *state;
    uint8_t point[1 + 2 * COS_EC_MAX], field[200], secret[COS_EC_MAX];
    char attributes[64];

    for (unsigned i = 0; i < COS_CURVES; i++) {
        const enum cos_curve curve = (enum cos_curve)i;
        const size_t size = cos_ec_size(curve);
        (void)snprintf(attributes, sizeof attributes,
                       OF_APPLICATION " 800105 C901%02X CE0104 CB0100", i);
        crypt_key(bench, 4, attributes);
        crypt_generate(bench, 0x84);
        EVP_PKEY *card = crypt_take_ec(bench, curve);
        EVP_PKEY *mine = oracle_ec_generate(curve, secret, point);
        const struct cos_span value = {point, 1 + 2 * size};
        const size_t length = template(field, sizeof field, 0x85, value, 0, nothing);
        assert_int_equal(crypt_send(bench, 0x86, 0x00, 0x84, field, length), 0x9000);
        take(bench, 0x82);
        oracle_ec_agree(mine, card, secret, size);
        assert_int_equal(bench->length, size);
        assert_memory_equal(bench->data, secret, size);
        field[length - 1] ^= 1; /* not on the curve */
        assert_int_equal(crypt_send(bench, 0x86, 0x00, 0x84, field, length), 0x6A80);
        field[length - 1] ^= 1;
        field[length - 2 * size - 1] = 0x02; /* compressed */
        assert_int_equal(crypt_send(bench, 0x86, 0x00, 0x84, field, length), 0x6A80);
        EVP_PKEY_free(mine);
        EVP_PKEY_free(card);
    }
}

/* ---- Refused ---- */

static void what_is_no_request(void **state)
{
    static const struct card_row rows[] = {
        {"no data", "0086008200", 0x6700, NULL, 0},
        {"P1", "00860182 16 7C1482008110" R_16 "00", 0x6A86, NULL, 0},
        {"P2", "00860062 16 7C1482008110" R_16 "00", 0x6A86, NULL, 0},
        {"no key", "00860089 16 7C1482008110" R_16 "00", 0x6A88, NULL, 0},
        {"a PIN's number", "00860001 " BEGIN, 0x6A88, NULL, 0},
        {"no template", "00860082 14 82008110" R_16 "00", 0x6A80, NULL, 0},
        {"another template", "00860082 16 7D1482008110" R_16 "00", 0x6A80, NULL, 0},
        {"empty", "00860082 02 7C00 00", 0x6A80, NULL, 0},
        {"more behind it", "00860082 18 7C1482008110" R_16 "8100 00", 0x6A80, NULL, 0},
        {"more in it", "00860082 18 7C1682008110" R_16 "8100 00", 0x6A80, NULL, 0},
        {"the other way round", "00860082 16 7C148110" R_16 "8200 00", 0x6A80, NULL, 0},
        {"challenge alone", "00860082 14 7C128110" R_16 "00", 0x6A80, NULL, 0},
        {"both empty", "00860082 06 7C0482008100 00", 0x6A80, NULL, 0},
        {"response twice", "00860082 06 7C0482008200 00", 0x6A80, NULL, 0},
        {"an empty response", "00860083 04 7C028200 00", 0x6A80, NULL, 0},
        {"an empty point", "00860084 04 7C028500 00", 0x6A80, NULL, 0},
        {"response and challenge", "00860083 26 7C248210" R_16 "8110" R_16 "00", 0x6A80, NULL, 0},
        {"witness", "00860083 04 7C028000 00", 0x6A80, NULL, 0},
        {"code", "00860083 05 7C03840100 00", 0x6A80, NULL, 0},
        {"cut off", "00860082 15 7C1482008110 00112233445566778899AABBCCDDEE 00", 0x6A80, NULL, 0},
        {"8 bytes for AES", "00860082 0E 7C0C82008108" R_8 "00", 0x6A80, NULL, 0},
        {"17 bytes for AES", "00860082 17 7C1582008111" R_16 "00 00", 0x6A80, NULL, 0},
        {"internal with a key for external", "00860083 16 7C1482008110" R_16 "00", 0x6985, NULL, 0},
        {"internal with the access key", "00860081 16 7C1482008110" R_16 "00", 0x6985, NULL, 0},
        {"external with a key for internal", "00860082 " BEGIN, 0x6985, NULL, 0},
        {"external with a pair", "00860084 " BEGIN, 0x6985, NULL, 0},
        {"agreement with a pair for signatures", "00860084 05 7C03850104 00", 0x6985, NULL, 0},
        {"agreement with a symmetric key", "00860082 05 7C03850104 00", 0x6985, NULL, 0},
        {"rule", "00860086 " BEGIN, 0x6982, NULL, 0},
        {"no challenge", "00860083 14 7C128210" R_16 "00", 0x6985, NULL, 0},
        {"a right one", "00860082 16 7C1482008110" R_16 "00", 0x9000, CARD_ANY, CARD_KEEPS},
    };
    static const struct card_row pair[] = {
        {"not for internal authentication", "00860084 1A 7C1882008114" R_20 "00", 0x6985, NULL, 0},
        {"63 bytes are no point",
         "00860084 43 7C41853F 04" R_16 R_16 R_16 "0011223344556677889900112233 00", 0x6A80, NULL,
         0},
        {"not made yet", "00860084 45 7C438541 04" R_16 R_16 R_16 R_16 "00", 0x6984, NULL, 0},
    };
    struct bench *bench = *state;

    crypt_key(bench, 4, EC_P256);
    BENCH_ROWS(bench, rows);
    crypt_key(bench, 4, OF_APPLICATION " 800105 C90100 CE0104 CA020001");
    BENCH_ROWS(bench, pair);
}

/* ---- Under secure messaging ---- */

static void under_secure_messaging(void **state)
{
    struct bench *bench = *state;
    uint8_t response[20] = {0x7C, 0x12, 0x82, 0x10};

    crypt_key(bench, 4, OF_APPLICATION " 800105 C90100 950101 CB0100 CA020002");
    crypt_generate(bench, 0x84);
    EVP_PKEY *pkey = crypt_take_ec(bench, COS_P256);
    bench_session(bench, 0x33);
    bench_expect_sm(bench, BENCH_APPLICATION, 0x9000, NULL);
    bench_expect_sm(bench, "00860082 16 7C1482008110" R_16, 0x9000, "7C128210*");
    for (unsigned i = 0; i < 2; i++) {
        bench_expect_sm(bench, "00860083 04 7C028100", 0x9000, "7C128110*");
        assert_true(crypto_aes_ecb(bench_external_key, 16, CRYPTO_ENCIPHER, bench->data + 4, 16,
                                   response + 4));
        if (i == 1) {
            bench_expect_sm(bench, "00200081", 0x63C3, NULL);
        }
        assert_int_equal(
            bench_sm(bench, 0x00, (uint8_t)(0x86 + i), 0x00, 0x83, response, sizeof response),
            i == 0 ? 0x9000 : 0x6985);
    }
    bench_expect_sm(bench, "00860084 1A 7C1882008114" R_20, 0x9000, CARD_ANY);
    take(bench, 0x82);
    bench_bytes(R_20, response, sizeof response);
    assert_true(oracle_ec_verify(pkey, COS_P256, response, 20, bench->data));
    bench_expect_sm(bench, "00860084 03 7C0182", 0x6A80, NULL);
    bench_expect_sm(bench, "00870084 1A 7C1882008114" R_20, 0x9000, CARD_ANY);
    bench_expect_sm(bench, "00870084 1A 7C1882008114" R_20, 0x6984, NULL); /* two uses */
    EVP_PKEY_free(pkey);
}

/* The call is served if it is the open command's, to the letter. */
static void bound_to_the_open_command(void **state)
{
    static const struct {
        const char *open;
        uint8_t message[8];
        enum cos_result result;
    } rows[] = {
        {"00860083 04 7C028100", {5, 0, 0, 0x83, 0x7C, 2, 0x81, 0}, COS_OK},
        {"00870083 04 7C028100", {5, 0, 0, 0x83, 0x7C, 2, 0x81, 0}, COS_OK},
        {"00860083 04 7C028100", {5, 0, 0, 0x85, 0x7C, 2, 0x81, 0}, COS_E_CONDITIONS},
        {"00860083 04 7C028100", {5, 0, 1, 0x83, 0x7C, 2, 0x81, 0}, COS_E_CONDITIONS},
        {"00860083 04 7C028100", {5, 0, 0, 0x83, 0x7C, 2, 0x82, 0}, COS_E_CONDITIONS},
        {"00860083 02 7C00", {5, 0, 0, 0x83, 0x7C, 2, 0x81, 0}, COS_E_CONDITIONS},
        {"00860083 04 7C028100", {1, 0, 0, 0x83, 0x7C, 2, 0x81, 0}, COS_E_CONDITIONS},
        {"00860083 04 7C028100", {2, 0, 0, 0x83, 0x7C, 2, 0x81, 0}, COS_E_CONDITIONS},
        {"00880083 04 7C028100", {5, 0, 0, 0x83, 0x7C, 2, 0x81, 0}, COS_E_CONDITIONS},
        {"00820083 04 7C028100", {5, 0, 0, 0x83, 0x7C, 2, 0x81, 0}, COS_E_CONDITIONS},
        {"00200081", {5, 0, 0, 0x83, 0x7C, 2, 0x81, 0}, COS_E_CONDITIONS},
        {"80860083 04 7C028100", {5, 0, 0, 0x83, 0x7C, 2, 0x81, 0}, COS_E_CONDITIONS},
    };
    struct bench *bench = *state;

    for (size_t i = 0; i < CARD_COUNT(rows); i++) {
        uint8_t message[1 + BYTES_MAX] = {0};
        struct cos_span part = {message, 0}, body;
        struct bytes apdu;
        bench_session(bench, 0x33);
        bench_expect_sm(bench, BENCH_APPLICATION, 0x9000, NULL);
        bench_wrap(bench, rows[i].open, &apdu);
        memcpy(message + 1, apdu.data, apdu.length);
        part.length = 1 + apdu.length;
        assert_int_equal(cos_gate_call(&bench->app.gate, COS_GATE_SM_OPEN, &part, 1, &body),
                         COS_OK);
        part = (struct cos_span){rows[i].message, sizeof rows[i].message};
        const enum cos_result result =
            cos_gate_call(&bench->app.gate, COS_GATE_AUTH, &part, 1, &body);
        if (result != rows[i].result) {
            fail_msg("row %zu: %d", i, (int)result);
        }
        bench_reset(bench);
    }
}

/* 256 bytes and the template, under secure messaging and in the clear; one use each. */
static void long_answers(void **state)
{
    static const char *const apdu = "00860084 1A 7C1882008114" R_20;
    struct bench *bench = *state;

    crypt_key(bench, 4, OF_APPLICATION " 800104 C90120 950101 CB0100 CA020002");
    crypt_generate(bench, 0x84);
    bench_session(bench, 0x33);
    bench_expect_sm(bench, BENCH_APPLICATION, 0x9000, NULL);
    bench_expect_sm(bench, apdu, 0x9000, "7C820104*");
    assert_int_equal(bench->length, 264);
    bench_reset(bench);
    bench_select(bench);
    uint8_t data[20];
    bench_bytes(R_20, data, sizeof data);
    assert_int_equal(challenge_with(bench, 0x84, data, sizeof data), 0x9000);
    assert_int_equal(bench->length, 264);
    assert_int_equal(challenge_with(bench, 0x84, data, sizeof data), 0x6984);
}

#define KEYS_TEST(function) cmocka_unit_test_setup_teardown(function, make_keys, card_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        KEYS_TEST(a_block_is_enciphered),
        KEYS_TEST(pairs_sign),
        KEYS_TEST(the_terminal_proves_itself),
        KEYS_TEST(what_is_interrupted_starts_over),
        KEYS_TEST(secrets_are_agreed_on),
        KEYS_TEST(what_is_no_request),
        KEYS_TEST(under_secure_messaging),
        KEYS_TEST(bound_to_the_open_command),
        KEYS_TEST(long_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
