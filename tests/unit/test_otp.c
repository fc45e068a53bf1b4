/* SPDX-License-Identifier: Apache-2.0
 *
 * One-time passwords: all published vectors, suites that are none, and inputs that do not fit.
 */
#include "crypto_helpers.h"

#include "crypto/otp.h"
#include "vectors.h"

#include <string.h>

static const struct cos_crypto *const crypto = &cos_crypto_tomcrypt;

static struct cos_span span_of(const char *text)
{
    return (struct cos_span){(const uint8_t *)text, strlen(text)};
}

/* RFC 4226, appendix D. */
static void hotp_vectors(void **state)
{
    (void)state;
    struct vectors *vectors = vectors_open("rfc4226-hotp.txt");
    const struct vector_section *section = vectors_section(vectors, "appendix D");
    const struct cos_span key = vector_bytes(section, "secret");
    for (unsigned i = 0; i <= 9; i++) {
        uint8_t counter[8] = {0, 0, 0, 0, 0, 0, 0, (uint8_t)i}, mac[20], password[6];
        const struct cos_span part = {counter, sizeof counter};
        assert_int_equal(crypto->hmac(NULL, COS_SHA1, key.data, key.length, &part, 1, mac), COS_OK);
        assert_memory_equal(mac, vector_exactly(section, 20, "hmac_%u", i), sizeof mac);
        assert_int_equal(cos_otp_truncate(mac, sizeof mac),
                         cos_get32(vector_exactly(section, 4, "truncated_%u", i)));
        assert_int_equal(cos_hotp(crypto, COS_SHA1, key, i, 6, password), COS_OK);
        assert_memory_equal(password, vector_text(section, "otp_%u", i), 6);
    }
    vectors_close(vectors);
}

/* RFC 6238, appendix B. */
static void totp_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum cos_hash which;
    } hashes[] = {{"sha1", COS_SHA1}, {"sha256", COS_SHA256}, {"sha512", COS_SHA512}};
    struct vectors *vectors = vectors_open("rfc6238-totp.txt");
    for (size_t h = 0; h < 3; h++) {
        const struct vector_section *section = vectors_section(vectors, hashes[h].name);
        const struct cos_span key = vector_bytes(section, "secret");
        for (unsigned i = 0; i <= 5; i++) {
            const uint64_t time = vector_number(section, "time%u_n", i);
            const uint8_t *counter = vector_exactly(section, 8, "counter%u", i);
            const char *good = vector_text(section, "otp%u", i);
            uint8_t password[8];
            assert_int_equal(cos_totp(crypto, hashes[h].which, key, time, 0, 30, 8, password),
                             COS_OK);
            assert_memory_equal(password, good, 8);
            assert_int_equal(
                cos_totp(crypto, hashes[h].which, key, time + 1000, 1000, 30, 8, password), COS_OK);
            assert_memory_equal(password, good, 8);
            const uint64_t steps = (uint64_t)cos_get32(counter) << 32 | cos_get32(counter + 4);
            assert_int_equal(cos_hotp(crypto, hashes[h].which, key, steps, 8, password), COS_OK);
            assert_memory_equal(password, good, 8);
        }
    }
    vectors_close(vectors);
}

static void digits(void **state)
{
    (void)state;
    static const struct {
        uint32_t value;
        size_t digits;
        const char *password;
    } cases[] = {{0, 1, "0"},
                 {0, 10, "0000000000"},
                 {7, 4, "0007"},
                 {123456, 6, "123456"},
                 {1234567, 6, "234567"},
                 {0x7FFFFFFF, 10, "2147483647"},
                 {0x7FFFFFFF, 9, "147483647"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t password[12];
        memset(password, 'x', sizeof password);
        cos_otp_digits(cases[i].value, cases[i].digits, password);
        assert_memory_equal(password, cases[i].password, cases[i].digits);
        assert_int_equal(password[cases[i].digits], 'x');
    }
}

static void refused(void **state)
{
    (void)state;
    const struct cos_span key = span_of("12345678901234567890");
    uint8_t password[16];
    for (size_t n = 0; n <= 12; n++) {
        enum cos_result expected = n >= 4 && n <= 10 ? COS_OK : COS_E_DATA;
        assert_int_equal(cos_hotp(crypto, COS_SHA1, key, 1, n, password), expected);
        assert_int_equal(cos_totp(crypto, COS_SHA1, key, 59, 0, 30, n, password), expected);
    }
    assert_int_equal(cos_totp(crypto, COS_SHA1, key, 59, 0, 0, 6, password), COS_E_DATA);
    assert_int_equal(cos_totp(crypto, COS_SHA1, key, 59, 60, 30, 6, password), COS_E_DATA);
    assert_int_equal(cos_totp(crypto, COS_SHA1, key, 60, 60, 30, 6, password), COS_OK);
    assert_int_equal(cos_hotp(crypto, COS_SHA1, key, UINT64_MAX, 6, password), COS_OK);
}

/* ---- OCRA */

/* RFC 6287, appendix C. */
static void ocra_vectors(void **state)
{
    (void)state;
    struct vectors *vectors = vectors_open("rfc6287-ocra.txt");
    for (size_t i = 0; i < vectors->count; i++) {
        const struct vector_section *section = &vectors->sections[i];
        const struct vector_entry *counter = vector_find(section, "c_n");
        const struct vector_entry *pin = vector_find(section, "pin");
        const struct vector_entry *time = vector_find(section, "t_n");
        const char *good = vector_text(section, "otp");
        uint8_t password[COS_OCRA_PASSWORD_MAX], digest[20];
        size_t length = 0;
        struct cos_ocra_input input = {.challenge = span_of(vector_text(section, "q"))};
        if (counter != NULL) {
            input.counter = counter->number;
        }
        if (pin != NULL) {
            const struct cos_span text = span_of(pin->text);
            assert_int_equal(crypto->hash(NULL, COS_SHA1, &text, 1, digest), COS_OK);
            input.pin_hash = (struct cos_span){digest, sizeof digest};
        }
        if (time != NULL) {
            input.time = time->number * 60 + 59; /* minutes */
        }
        assert_int_equal(cos_ocra(crypto, span_of(vector_text(section, "suite")),
                                  vector_bytes(section, "key"), &input, password, &length),
                         COS_OK);
        assert_int_equal(length, strlen(good));
        assert_case(memcmp(password, good, length) == 0, "[%s]", section->name);
    }
    assert_int_equal(vectors->count, 47);
    printf("# OCRA: %zu published vectors\n", vectors->count);
    vectors_close(vectors);
}

static void suites(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct cos_ocra_suite suite;
    } cases[] = {
        {"OCRA-1:HOTP-SHA1-6:QN08", {COS_SHA1, 6, false, 'N', 8, false, 0, 0, 0}},
        {"OCRA-1:HOTP-SHA1-0:QA04", {COS_SHA1, 0, false, 'A', 4, false, 0, 0, 0}},
        {"OCRA-1:HOTP-SHA512-10:C-QH64", {COS_SHA512, 10, true, 'H', 64, false, 0, 0, 0}},
        {"OCRA-1:HOTP-SHA256-4:C-QN08-PSHA512-S512-T48H",
         {COS_SHA256, 4, true, 'N', 8, true, COS_SHA512, 512, 48 * 3600}},
        {"OCRA-1:HOTP-SHA256-8:QA10-PSHA256-T59S",
         {COS_SHA256, 8, false, 'A', 10, true, COS_SHA256, 0, 59}},
        {"OCRA-1:HOTP-SHA256-8:QA10-S064", {COS_SHA256, 8, false, 'A', 10, false, 0, 64, 0}},
        {"OCRA-1:HOTP-SHA256-8:QA10-S001-T1M", {COS_SHA256, 8, false, 'A', 10, false, 0, 1, 60}},
        {"OCRA-1:HOTP-SHA256-8:QA10-T10M", {COS_SHA256, 8, false, 'A', 10, false, 0, 0, 600}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct cos_ocra_suite *good = &cases[i].suite;
        struct cos_ocra_suite suite;
        assert_case(cos_ocra_parse(span_of(cases[i].text), &suite) == COS_OK, "%s", cases[i].text);
        assert_case(suite.hash == good->hash && suite.digits == good->digits &&
                        suite.counter == good->counter && suite.format == good->format &&
                        suite.challenge == good->challenge && suite.pin == good->pin &&
                        suite.pin_hash == good->pin_hash && suite.session == good->session &&
                        suite.step == good->step,
                    "%s", cases[i].text);
        /* every beginning of it is none, unless it ends before a part that may be missing; and
         * nothing may follow */
        for (size_t length = 0; length < strlen(cases[i].text); length++) {
            const struct cos_span cut = {(const uint8_t *)cases[i].text, length};
            bool may = cases[i].text[length] == '-' && strchr(cases[i].text, 'Q') != NULL &&
                       cases[i].text + length > strchr(cases[i].text, 'Q');
            assert_case(cos_ocra_parse(cut, &suite) == (may ? COS_OK : COS_E_DATA), "%.*s",
                        (int)length, cases[i].text);
        }
    }
}

static void suites_that_are_none(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "OCRA-2:HOTP-SHA1-6:QN08",
        "ocra-1:HOTP-SHA1-6:QN08",
        "OCRA-1:TOTP-SHA1-6:QN08",
        "OCRA-1:HOTP-SHA224-6:QN08",
        "OCRA-1:HOTP-SHA384-6:QN08",
        "OCRA-1:HOTP-MD5-6:QN08",
        "OCRA-1:HOTP-SHA1-3:QN08",
        "OCRA-1:HOTP-SHA1-11:QN08",
        "OCRA-1:HOTP-SHA1-00:QN08",
        "OCRA-1:HOTP-SHA1-06:QN08",
        "OCRA-1:HOTP-SHA1-100:QN08",
        "OCRA-1:HOTP-SHA1-:QN08",
        "OCRA-1:HOTP-SHA1:QN08",
        "OCRA-1:HOTP-SHA1-6:",
        "OCRA-1:HOTP-SHA1-6:C",
        "OCRA-1:HOTP-SHA1-6:C-",
        "OCRA-1:HOTP-SHA1-6:C-PSHA1",
        "OCRA-1:HOTP-SHA1-6:QN03",
        "OCRA-1:HOTP-SHA1-6:QN65",
        "OCRA-1:HOTP-SHA1-6:QN8",
        "OCRA-1:HOTP-SHA1-6:QN008",
        "OCRA-1:HOTP-SHA1-6:QX08",
        "OCRA-1:HOTP-SHA1-6:Qn08",
        "OCRA-1:HOTP-SHA1-6:QN08-C",
        "OCRA-1:HOTP-SHA1-6:QN08-QN08",
        "OCRA-1:HOTP-SHA1-6:C-C-QN08",
        "OCRA-1:HOTP-SHA1-6:QN08-P",
        "OCRA-1:HOTP-SHA1-6:QN08-PSHA224",
        "OCRA-1:HOTP-SHA1-6:QN08-PSHA12",
        "OCRA-1:HOTP-SHA1-6:QN08-S",
        "OCRA-1:HOTP-SHA1-6:QN08-S64",
        "OCRA-1:HOTP-SHA1-6:QN08-S000",
        "OCRA-1:HOTP-SHA1-6:QN08-S513",
        "OCRA-1:HOTP-SHA1-6:QN08-S0064",
        "OCRA-1:HOTP-SHA1-6:QN08-T",
        "OCRA-1:HOTP-SHA1-6:QN08-T1",
        "OCRA-1:HOTP-SHA1-6:QN08-T0S",
        "OCRA-1:HOTP-SHA1-6:QN08-T0H",
        "OCRA-1:HOTP-SHA1-6:QN08-T01M",
        "OCRA-1:HOTP-SHA1-6:QN08-T60S",
        "OCRA-1:HOTP-SHA1-6:QN08-T60M",
        "OCRA-1:HOTP-SHA1-6:QN08-T49H",
        "OCRA-1:HOTP-SHA1-6:QN08-T1D",
        "OCRA-1:HOTP-SHA1-6:QN08-T100S",
        "OCRA-1:HOTP-SHA1-6:QN08-T1M-S064",
        "OCRA-1:HOTP-SHA1-6:QN08-S064-PSHA1",
        "OCRA-1:HOTP-SHA1-6:QN08-T1M-PSHA1",
        "OCRA-1:HOTP-SHA1-6:QN08-",
        "OCRA-1:HOTP-SHA1-6:QN08 ",
        "OCRA-1:HOTP-SHA1-6:QN08:",
        " OCRA-1:HOTP-SHA1-6:QN08",
        "OCRA-1HOTP-SHA1-6:QN08",
        "",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct cos_ocra_suite suite;
        struct cos_ocra_input input = {.challenge = span_of("12345678")};
        uint8_t password[COS_OCRA_PASSWORD_MAX];
        size_t length;
        assert_case(cos_ocra_parse(span_of(texts[i]), &suite) == COS_E_DATA, "%s", texts[i]);
        assert_int_equal(
            cos_ocra(crypto, span_of(texts[i]), span_of("key"), &input, password, &length),
            COS_E_DATA);
    }
}

/* The password as DataInput says, written down here byte by byte. */
static void composes(void **state)
{
    (void)state;
    static const char suite[] = "OCRA-1:HOTP-SHA512-0:C-QH10-PSHA256-S003-T1H";
    uint8_t pin[32], message[300], good[64], password[COS_OCRA_PASSWORD_MAX];
    size_t at = 0, length;
    memset(pin, 0x77, sizeof pin);
    const struct cos_ocra_input input = {.counter = 0x0102030405060708,
                                         .challenge = span_of("aBcDe"),
                                         .pin_hash = {pin, 32},
                                         .session = span_of("xyz"),
                                         .time = 0x10 * 3600 + 3599};
    memcpy(message, suite, sizeof suite); /* with its 00 */
    at += sizeof suite;
    at += unhex("0102030405060708ABCDE0", message + at, 11);
    memset(message + at, 0, 125);
    memset(message + at + 125, 0x77, 32);
    at += 157;
    at += unhex("78797A0000000000000010", message + at, 11);
    const struct cos_span part = {message, at};
    assert_int_equal(crypto->hmac(NULL, COS_SHA512, (const uint8_t *)"key", 3, &part, 1, good),
                     COS_OK);
    assert_int_equal(cos_ocra(crypto, span_of(suite), span_of("key"), &input, password, &length),
                     COS_OK);
    assert_int_equal(length, 64);
    assert_memory_equal(password, good, 64);
}

/* Challenges as bytes: what a suite without anything else hashes. */
static void challenges(void **state)
{
    (void)state;
    static const struct {
        char format;
        const char *text, *bytes; /* NULL: refused */
    } cases[] = {
        {'N', "0", "00"},          {'N', "00000000", "00"},
        {'N', "1", "10"},          {'N', "15", "F0"},
        {'N', "16", "10"},         {'N', "256", "1000"},
        {'N', "00000256", "1000"}, {'N', "18446744073709551616", "100000000000000000"}, /* 2^64 */
        {'N', "1A", NULL},         {'N', "-1", NULL},
        {'N', "", NULL},           {'A', "", NULL},
        {'H', "", NULL},           {'A', "1", "31"},
        {'A', "\x01\xFF", "01FF"}, {'H', "a", "A0"},
        {'H', "0F0", "0F00"},      {'H', "0G", NULL},
        {'H', "0 ", NULL},         {'H', "@", NULL},
        {'H', "`", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char suite[] = "OCRA-1:HOTP-SHA1-0:Qx10";
        uint8_t message[sizeof suite + 128] = {0}, good[20], password[COS_OCRA_PASSWORD_MAX];
        size_t length;
        const struct cos_ocra_input input = {.challenge = span_of(cases[i].text)};
        suite[20] = cases[i].format;
        enum cos_result result =
            cos_ocra(crypto, span_of(suite), span_of("key"), &input, password, &length);
        assert_case(result == (cases[i].bytes != NULL ? COS_OK : COS_E_DATA), "case %zu", i);
        if (cases[i].bytes != NULL) {
            memcpy(message, suite, sizeof suite);
            unhex(cases[i].bytes, message + sizeof suite, 128);
            const struct cos_span part = {message, sizeof message};
            assert_int_equal(
                crypto->hmac(NULL, COS_SHA1, (const uint8_t *)"key", 3, &part, 1, good), COS_OK);
            assert_case(memcmp(password, good, 20) == 0, "case %zu", i);
        }
    }
}

/* The longest challenges; one character more; inputs that the suite has not, or of other lengths.
 */
static void inputs_that_do_not_fit(void **state)
{
    (void)state;
    static const char suite[] = "OCRA-1:HOTP-SHA1-6:QN64-PSHA1-S064";
    uint8_t nines[129], pin[21] = {0}, session[65] = {0}, password[COS_OCRA_PASSWORD_MAX];
    size_t length;
    memset(nines, '9', sizeof nines);
    const struct cos_ocra_input good = {
        .challenge = {nines, 128}, .pin_hash = {pin, 20}, .session = {session, 64}};
    const struct cos_span key = span_of("key");
    struct cos_ocra_suite read;
    assert_int_equal(cos_ocra(crypto, span_of(suite), key, &good, password, &length), COS_OK);
    assert_int_equal(cos_ocra_check(span_of(suite), &good, &read), COS_OK);
    assert_int_equal(read.session, 64);
    for (int i = 0; i < 7; i++) {
        struct cos_ocra_input input = good;
        switch (i) {
        case 0:
            input.challenge.length = 129;
            break;
        case 1:
        case 2:
            input.pin_hash.length = i == 1 ? 19 : 21;
            break;
        case 3:
            input.pin_hash.length = 0;
            break;
        case 4:
        case 5:
            input.session.length = i == 4 ? 63 : 65;
            break;
        default:
            input.session.length = 0;
        }
        assert_case(cos_ocra(crypto, span_of(suite), key, &input, password, &length) == COS_E_DATA,
                    "case %d", i);
        assert_case(cos_ocra_check(span_of(suite), &input, &read) == COS_E_DATA, "case %d", i);
    }
    struct cos_ocra_input input = {.challenge = {nines, 8}, .pin_hash = {pin, 20}};
    assert_int_equal(
        cos_ocra(crypto, span_of("OCRA-1:HOTP-SHA1-6:QN08"), key, &input, password, &length),
        COS_E_DATA);
    input = (struct cos_ocra_input){.challenge = {nines, 8}, .session = {session, 1}};
    assert_int_equal(
        cos_ocra(crypto, span_of("OCRA-1:HOTP-SHA1-6:QN08"), key, &input, password, &length),
        COS_E_DATA);
    for (size_t n = 15; n <= 17; n++) { /* twice eight for both sides */
        input = (struct cos_ocra_input){.challenge = {nines, n}};
        assert_int_equal(
            cos_ocra(crypto, span_of("OCRA-1:HOTP-SHA1-6:QN08"), key, &input, password, &length),
            n <= 16 ? COS_OK : COS_E_DATA);
    }
    nines[3] = 0;
    input = (struct cos_ocra_input){.challenge = {nines, 8}};
    assert_int_equal(
        cos_ocra(crypto, span_of("OCRA-1:HOTP-SHA1-6:QA08"), key, &input, password, &length),
        COS_E_DATA);
}

static enum cos_result no_hmac(void *context, enum cos_hash which, const uint8_t *key,
                               size_t key_length, const struct cos_span *parts, size_t count,
                               uint8_t *mac)
{
    (void)context, (void)which, (void)key, (void)key_length, (void)parts, (void)count, (void)mac;
    return COS_E_CRYPTO;
}

static void provider_fails(void **state)
{
    (void)state;
    const struct cos_crypto failing = {.hmac = no_hmac};
    const struct cos_ocra_input input = {.challenge = span_of("1")};
    uint8_t password[COS_OCRA_PASSWORD_MAX];
    size_t length;
    assert_int_equal(cos_hotp(&failing, COS_SHA1, span_of("key"), 0, 6, password), COS_E_CRYPTO);
    assert_int_equal(cos_totp(&failing, COS_SHA1, span_of("key"), 0, 0, 30, 6, password),
                     COS_E_CRYPTO);
    assert_int_equal(cos_ocra(&failing, span_of("OCRA-1:HOTP-SHA1-6:QN08"), span_of("key"), &input,
                              password, &length),
                     COS_E_CRYPTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hotp_vectors),
        cmocka_unit_test(totp_vectors),
        cmocka_unit_test(digits),
        cmocka_unit_test(refused),
        cmocka_unit_test(ocra_vectors),
        cmocka_unit_test(suites),
        cmocka_unit_test(suites_that_are_none),
        cmocka_unit_test(composes),
        cmocka_unit_test(challenges),
        cmocka_unit_test(inputs_that_do_not_fit),
        cmocka_unit_test(provider_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
