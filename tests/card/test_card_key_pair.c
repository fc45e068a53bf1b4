/* SPDX-License-Identifier: Apache-2.0
 *
 * Key pairs of a whole card: made and replaced (ISO/IEC 7816-8:2019, 11.2), what they may do and
 * how often. How they lie in NVM is the matter of test_card_chunks.c.
 */
#include "crypt_rig.h"

#include "secure_domain/domain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SM     CARD_SM
#define KEEPS  CARD_KEEPS
#define DIGEST "000102030405060708090A0B0C0D0E0F10111213"
#define SIGN   "002A9E9A 14 " DIGEST
#define VERIFY "00200081 06 313233343536"

enum { CHUNKS_P256 = 2 }; /* 97 bytes, 92 to a chunk */

/* ---- STORE DATA ---- */

static void what_store_data_refuses(void **state)
{
    static const struct {
        const char *what, *attributes;
        uint16_t sw;
    } rows[] = {
        {"RSA-1024", OF_APPLICATION " 800104 C90110 CE0101", 0x9000},
        {"RSA-4096", OF_APPLICATION " 800104 C90140 CE0101", 0x9000},
        {"global", "800105 C90102 CE0101", 0x9000},
        {"too short", OF_APPLICATION " 800104 C9010F CE0101", 0x6A80},
        {"an odd number of bytes a prime", OF_APPLICATION " 800104 C90111 CE0101", 0x6A80},
        {"too long", OF_APPLICATION " 800104 C90142 CE0101", 0x6A80},
        {"no format", OF_APPLICATION " 800104 CE0101", 0x6A80},
        {"no such curve", OF_APPLICATION " 800105 C90103 CE0101", 0x6A80},
        {"no service", OF_APPLICATION " 800105 C90100", 0x6A80},
        {"EC cannot encipher", OF_APPLICATION " 800105 C90100 CE0108", 0x6A80},
        {"EC cannot decipher", OF_APPLICATION " 800105 C90100 CE0102", 0x6A80},
        {"RSA cannot agree", OF_APPLICATION " 800104 C90110 CE0104", 0x6A80},
        {"RSA makes no checksums", OF_APPLICATION " 800104 C90110 CE0111", 0x6A80},
        {"a usage of symmetric keys", OF_APPLICATION " 800104 C90110 CE0101 950102", 0x6A80},
        {"a value", OF_APPLICATION " 800105 C90100 CE0101 C704 01020304", 0x6A80},
        {"no such application", "8403F00001 800105 C90100 CE0101", 0x6A88},
        {"a change rule that means nothing", OF_APPLICATION " 800105 C90100 CE0101 CB0101", 0x6A80},
        {"no use left", OF_APPLICATION " 800105 C90100 CE0101 CA020000", 0x6A80},
        {"each use, but nobody is asked", OF_APPLICATION " 800105 C90100 CE0101 CC0101", 0x6A80},
        {"each use of nobody", OF_APPLICATION " 800105 C90100 CE0101 C501FF CC0101", 0x6A80},
        {"each use", OF_APPLICATION " 800105 C90100 CE0101 C50191 CC0101", 0x9000},
        {"said to be made on the chip", OF_APPLICATION " 800105 C90100 CE0101 CC0102", 0x6A80},
        {"AES that signs", OF_APPLICATION " 800101 CE0101 C710 " DIGEST, 0x6A80},
        {"AES without purpose", OF_APPLICATION " 800101 C710 00112233445566778899AABBCCDDEEFF",
         0x6A80},
        {"AES of two purposes",
         OF_APPLICATION " 800101 CE011A C710 00112233445566778899AABBCCDDEEFF", 0x6A80},
        {"AES with a format",
         OF_APPLICATION " 800101 C90101 CE010A C710 00112233445566778899AABBCCDDEEFF", 0x6A80},
        {"HMAC, no such hash function",
         OF_APPLICATION " 800103 C90105 CE0110 C710 00112233445566778899AABBCCDDEEFF", 0x6A80},
        {"HMAC, too short",
         OF_APPLICATION " 800103 C90102 CE0110 C70F 00112233445566778899AABBCCDDEE", 0x6A80},
        {"HMAC that enciphers",
         OF_APPLICATION " 800103 C90102 CE0108 C710 00112233445566778899AABBCCDDEEFF", 0x6A80},
        {"HMAC that verifies",
         OF_APPLICATION " 800103 C90102 CE0120 C710 00112233445566778899AABBCCDDEEFF", 0x9000},
    };
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    for (size_t i = 0; i < CARD_COUNT(rows); i++) {
        struct card_image image;
        card_image_take(bench, &image);
        const uint16_t sw = crypt_store(bench, 4, rows[i].attributes);
        const bool same = card_image_same(bench, &image);
        if (sw != rows[i].sw || same != (sw != 0x9000)) {
            fail_msg("%s: %04X", rows[i].what, sw);
        }
    }
}

/* 900 bytes are enough for 2,048 bits, and for nothing longer. */
static void key_memory_limits_the_keys(void **state)
{
    static const struct card_row without[] = {
        {"SET", "0022C1B6 03 840185", 0x9000, NULL, KEEPS},
        {"sign", SIGN, 0x6A81, NULL, 0},
        {"read the public part", "00478100 05 B603840185", 0x6A81, NULL, 0},
        {"GENERATE", "00478000 05 B603840185", 0x6A81, NULL, 0},
        {"an empty pair", "00478000 05 B603840184", 0x6A81, NULL, 0},
    };
    struct bench *bench = *state;

    crypt_key(bench, 5, EC_P256);
    crypt_generate(bench, 0x85);
    bench_power_off(bench);
    bench->secure_config.key_memory_size = 900;
    assert_true(bench_power_on(bench));
    bench_session(bench, 0x03);
    assert_int_equal(crypt_store(bench, 4, OF_APPLICATION " 800104 C90120 CE0101"), 0x9000);
    assert_int_equal(crypt_store(bench, 4, OF_APPLICATION " 800104 C90122 CE0101"), 0x6A80);
    assert_int_equal(crypt_store(bench, 4, OF_APPLICATION " 800104 C90140 CE0101"), 0x6A80);
    bench_power_off(bench);
    bench->secure_config.key_memory = NULL;
    bench->secure_config.key_memory_size = 0;
    assert_true(bench_power_on(bench));
    bench_session(bench, 0x03);
    assert_int_equal(crypt_store(bench, 6, EC_P256), 0x6A80);
    bench_select(bench);
    BENCH_ROWS(bench, without);
}

/* ---- GENERATE ---- */

static void generating_and_reading(void **state)
{
    static const struct card_row rows[] = {
        {"not made yet", "00478100 05 B603840185 00", 0x6984, NULL, 0},
        {"SET", "0022C1B6 03 840185", 0x9000, NULL, KEEPS},
        {"it cannot sign", SIGN, 0x6984, NULL, 0},
        {"no data", "00478000", 0x6700, NULL, 0},
        {"no template", "00478000 03 840185", 0x6A80, NULL, 0},
        {"a template of others", "00478000 05 B403840185", 0x6A80, NULL, 0},
        {"no reference", "00478000 02 B600", 0x6A80, NULL, 0},
        {"a long one", "00478000 06 B60484028500", 0x6A80, NULL, 0},
        {"two templates", "00478000 0A B603840185 B603840185", 0x6A80, NULL, 0},
        {"cut off", "00478000 04 B6038401", 0x6A80, NULL, 0},
        {"no such key", "00478000 05 B60384018C", 0x6A88, NULL, 0},
        {"no such reference", "00478000 05 B6038401E5", 0x6A88, NULL, 0},
        {"no key pair", "00478000 05 B603840182", 0x6985, NULL, 0},
        {"no key pair", "00478100 05 B603840182", 0x6985, NULL, 0},
        {"P1 00", "00470000 05 B603840185", 0x6A86, NULL, 0},
        {"P1 01", "00470100 05 B603840185", 0x6A86, NULL, 0},
        {"P1 82", "00478200 05 B603840185", 0x6A86, NULL, 0},
        {"P2 01", "00478001 05 B603840185", 0x6A86, NULL, 0},
        {"GENERATE, even", "00468000 05 B603840185 00", 0x9000, "7F49438641 04*", 0},
        {"read, even", "00468100 05 B603840185 00", 0x9000, "7F49438641 04*", KEEPS},
        {"read, odd", "00478100 05 B803840185 00", 0x9000, "7F49438641 04*", KEEPS},
        {"sign", SIGN " 00", 0x9000, CARD_ANY, KEEPS},
        {"GENERATE, odd", "00478000 05 A403840185 00", 0x9000, "7F49438641 04*", 0},
        {"sign", SIGN " 00", 0x9000, CARD_ANY, KEEPS},
    };
    struct bench *bench = *state;

    crypt_key(bench, 5, EC_P256);
    BENCH_ROWS(bench, rows);
    assert_int_equal(crypt_chunks(bench), CHUNKS_P256);
}

/* The new key signs, and the old one is gone. */
static void a_new_pair_replaces_the_old_one(void **state)
{
    struct bench *bench = *state;
    uint8_t digest[20];

    (void)bench_bytes(DIGEST, digest, sizeof digest);
    crypt_key(bench, 5, EC_P256);
    crypt_generate(bench, 0x85);
    EVP_PKEY *first = crypt_take_ec(bench, COS_P256);
    crypt_generate(bench, 0x85);
    EVP_PKEY *second = crypt_take_ec(bench, COS_P256);
    assert_int_equal(crypt_chunks(bench), CHUNKS_P256);
    crypt_set(bench, 0xB6, 0x85, ECDSA);
    bench_reset(bench);
    bench_select(bench);
    crypt_set(bench, 0xB6, 0x85, ECDSA);
    assert_int_equal(bench_hex(bench, SIGN), 0x9000);
    assert_true(oracle_ec_verify(second, COS_P256, digest, sizeof digest, bench->data));
    assert_false(oracle_ec_verify(first, COS_P256, digest, sizeof digest, bench->data));
    EVP_PKEY_free(first);
    EVP_PKEY_free(second);
}

static void the_change_rule_rules_over_generate(void **state)
{
    static const struct card_row plain[] = {
        {"never", "00478000 05 B603840184", 0x6982, NULL, 0},
        {"under secure messaging", "00478000 05 B603840185", 0x6982, NULL, 0},
        {"after PIN 1", "00478000 05 B603840186", 0x6982, NULL, 0},
        {"VERIFY", VERIFY, 0x9000, NULL, 0},
        {"after PIN 1", "00478000 05 B603840186", 0x9000, CARD_ANY, 0},
        {"never", "00478000 05 B603840184", 0x6982, NULL, 0},
    };
    static const struct card_row secured[] = {
        {"SELECT", BENCH_APPLICATION, 0x9000, NULL, SM},
        {"never", "00478000 05 B603840184", 0x6982, NULL, SM},
        {"under secure messaging", "00478000 05 B603840185", 0x9000, CARD_ANY, SM},
    };
    struct bench *bench = *state;

    crypt_key(bench, 4, OF_APPLICATION " 800105 C90100 CE0101");
    crypt_key(bench, 5, OF_APPLICATION " 800105 C90100 CE0101 CB01C0");
    crypt_key(bench, 6, OF_APPLICATION " 800105 C90100 CE0101 CB0191");
    BENCH_ROWS(bench, plain);
    bench_session(bench, 0x01);
    BENCH_ROWS(bench, secured);
}

static void both_pairs_must_have_room(void **state)
{
    struct bench *bench = *state;
    char attributes[100];

    bench_session(bench, 0x03);
    for (unsigned i = 4; i < 14; i++) { /* 8192 bytes: 90 chunks, 20 for a key of 4,096 bits */
        (void)snprintf(attributes, sizeof attributes, "%s",
                       OF_APPLICATION " 800104 C90140 CE0101 CB0100");
        assert_int_equal(crypt_store(bench, (uint8_t)i, attributes), 0x9000);
    }
    /* Four of them would take long: their chunks are claimed by hand, all but four. */
    struct object object;
    bench_select(bench);
    assert_int_equal(cos_status_find(&bench->secure, 0, 0x84, OBJECT_KEY, &object), COS_OK);
    object.size = (90 - 4) * 92;
    cos_change_start(&bench->secure);
    cos_object_put_entry(&bench->secure, &object);
    assert_int_equal(cos_change_commit(&bench->secure), COS_OK);
    crypt_key(bench, 14, EC_P256);
    crypt_generate(bench, 0x8E);
    crypt_generate(bench, 0x8E);
    crypt_key(bench, 13, RSA_1024);
    bench_expect(bench, "00478000 05 B60384018D", 0x6A84, NULL);
    crypt_key(bench, 12, EC_P256);
    crypt_generate(bench, 0x8C);
    bench_expect(bench, "00478000 05 B60384018C", 0x6A84, NULL); /* not for both at once */
    bench_expect(bench, "00478100 05 B60384018C 00", 0x9000, CARD_ANY);
}

/* ---- Using ---- */

static void a_key_serves_what_it_is_for(void **state)
{
    static const struct card_row rows[] = {
        {"nothing is set", SIGN, 0x6985, NULL, 0},
        {"nothing is set", "002A8084 01 00", 0x6985, NULL, 0},
        {"nothing is set", "002A8480 01 00", 0x6985, NULL, 0},
        {"nothing is set", "002A8E80 01 00", 0x6985, NULL, 0},
        {"nothing is set", "002A00A2 01 00", 0x6985, NULL, 0},
        {"nothing is set", "002A00A8 01 00", 0x6985, NULL, 0},
        {"nothing is set", "002A9080 01 00", 0x6985, NULL, 0},
        {"SET DST", "0022C1B6 03 840184", 0x9000, NULL, KEEPS},
        {"SET CT", "0022C1B8 03 840184", 0x9000, NULL, KEEPS},
        {"SET CCT", "0022C1B4 03 840184", 0x9000, NULL, KEEPS},
        {"it deciphers only", SIGN, 0x6985, NULL, 0},
        {"ENCIPHER", "002A8480 01 00", 0x6985, NULL, 0},
        {"checksum", "002A8E80 01 00", 0x6985, NULL, 0},
        {"verify checksum", "002A00A2 01 00", 0x6985, NULL, 0},
        {"verify signature", "002A00A8 01 00", 0x6985, NULL, 0},
        {"too short for DECIPHER", "002A8084 01 00", 0x6A80, NULL, 0},
        {"SET of a key that a PIN is asked for", "0022C1B6 03 840185", 0x9000, NULL, KEEPS},
        {"sign", SIGN, 0x6982, NULL, 0},
        {"VERIFY", VERIFY, 0x9000, NULL, 0},
        {"sign", SIGN, 0x9000, CARD_ANY, KEEPS},
        {"again", SIGN, 0x9000, CARD_ANY, KEEPS},
        {"verified no more", "0020FF81", 0x9000, NULL, KEEPS},
        {"sign", SIGN, 0x6982, NULL, 0},
        {"a scheme of RSA", "0022C1B6 06 800101 840186", 0x9000, NULL, KEEPS},
        {"sign", SIGN, 0x6985, NULL, 0},
    };
    struct bench *bench = *state;

    crypt_key(bench, 4, OF_APPLICATION " 800104 C90110 CE0102 CB0100");
    crypt_generate(bench, 0x84);
    crypt_key(bench, 5, OF_APPLICATION " 800105 C90100 CE0101 C50191 CB0100");
    crypt_generate(bench, 0x85);
    crypt_key(bench, 6, EC_P256);
    crypt_generate(bench, 0x86);
    bench_reset(bench);
    bench_select(bench);
    BENCH_ROWS(bench, rows);
}

static void the_user_is_asked_for_each_use(void **state)
{
    static const struct card_row rows[] = {
        {"SET", "0022C1B6 03 840185", 0x9000, NULL, KEEPS},
        {"sign", SIGN, 0x6982, NULL, 0},
        {"VERIFY", VERIFY, 0x9000, NULL, 0},
        {"sign", SIGN, 0x9000, CARD_ANY, KEEPS},
        {"again", SIGN, 0x6982, NULL, 0},
        {"PIN 1 is not verified", "00200081", 0x63C3, NULL, KEEPS},
        {"VERIFY", VERIFY, 0x9000, NULL, 0},
        {"what is refused costs nothing", "002A9E9A 04 01020304", 0x6700, NULL, 0},
        {"PIN 1 is verified", "00200081", 0x9000, NULL, KEEPS},
        {"sign", SIGN, 0x9000, CARD_ANY, KEEPS},
        {"again", SIGN, 0x6982, NULL, 0},
    };
    struct bench *bench = *state;

    crypt_key(bench, 5, OF_APPLICATION " 800105 C90100 CE0101 C50191 CB0100 CC0101");
    crypt_generate(bench, 0x85);
    BENCH_ROWS(bench, rows);
}

static void uses_are_counted(void **state)
{
    static const struct card_row rows[] = {
        {"SET", "0022C1B6 03 840185", 0x9000, NULL, KEEPS},
        {"what is refused costs nothing", "002A9E9A 04 01020304", 0x6700, NULL, 0},
        {"reading the public part neither", "00478100 05 B603840185 00", 0x9000, CARD_ANY, KEEPS},
        {"sign", SIGN, 0x9000, CARD_ANY, 0},
    };
    static const struct card_row later[] = {
        {"SET", "0022C1B6 03 840185", 0x9000, NULL, KEEPS},
        {"the second use", SIGN, 0x9000, CARD_ANY, 0},
        {"no third one", SIGN, 0x6984, NULL, 0},
        {"a new pair has no more uses", "00478000 05 B603840185", 0x9000, CARD_ANY, 0},
        {"no use", SIGN, 0x6984, NULL, 0},
    };
    struct bench *bench = *state;

    crypt_key(bench, 5, OF_APPLICATION " 800105 C90100 CE0101 CB0100 CA020002");
    crypt_generate(bench, 0x85);
    BENCH_ROWS(bench, rows);
    bench_reset(bench);
    bench_select(bench);
    BENCH_ROWS(bench, later);
}

/* ---- A provider that broke ---- */

static enum cos_result broken_sign(void *context, enum cos_curve curve,
                                   const struct cos_random *random, const uint8_t *key,
                                   const uint8_t *digest, size_t digest_length, uint8_t *signature)
{
    const enum cos_result result =
        cos_crypto_tomcrypt.ec_sign(context, curve, random, key, digest, digest_length, signature);

    signature[0] ^= 1;
    return result;
}

static enum cos_result broken_hash(void *context, enum cos_hash which, const struct cos_span *parts,
                                   size_t count, uint8_t *digest)
{
    const enum cos_result result = cos_crypto_tomcrypt.hash(context, which, parts, count, digest);

    digest[0] ^= which == COS_SHA384 ? 1 : 0;
    return result;
}

/* The optional algorithms are tested before their first use: what fails ends the chip's life until
 * reset, and nothing it made is given out. */
static void a_broken_algorithm_is_found_before_its_first_use(void **state)
{
    static const char *const commands[] = {SIGN " 00", "00478000 05 B603840185 00",
                                           "002A9080 03 616263 00"};
    struct bench *bench = *state;
    struct cos_crypto broken = cos_crypto_tomcrypt;

    crypt_key(bench, 5, EC_P256);
    crypt_generate(bench, 0x85);
    broken.ec_sign = broken_sign;
    broken.hash = broken_hash;
    bench->secure_config.crypto = &broken;
    for (size_t i = 0; i < CARD_COUNT(commands); i++) {
        bench_reset(bench);
        bench_select(bench);
        bench_expect(bench, "0022C1B6 03 840185", 0x9000, NULL);
        bench_expect(bench, "0022C1AA 03 800140", 0x9000, NULL);
        bench_expect(bench, commands[i], 0x6F00, NULL);
        assert_int_not_equal(bench->secure.alive, COS_YES);
        bench_expect(bench, VERIFY, 0x6F00, NULL);
    }
    bench->secure_config.crypto = &cos_crypto_tomcrypt;
    bench_reset(bench);
    bench_select(bench);
    bench_expect(bench, "0022C1B6 03 840185", 0x9000, NULL);
    bench_expect(bench, SIGN, 0x9000, CARD_ANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(what_store_data_refuses),
        CARD_TEST(key_memory_limits_the_keys),
        CARD_TEST(generating_and_reading),
        CARD_TEST(a_new_pair_replaces_the_old_one),
        CARD_TEST(the_change_rule_rules_over_generate),
        CARD_TEST(both_pairs_must_have_room),
        CARD_TEST(a_key_serves_what_it_is_for),
        CARD_TEST(the_user_is_asked_for_each_use),
        CARD_TEST(uses_are_counted),
        CARD_TEST(a_broken_algorithm_is_found_before_its_first_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
