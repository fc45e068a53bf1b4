/* SPDX-License-Identifier: Apache-2.0
 *
 * One-time passwords of a whole card: the vectors of RFC 4226, 6238 and 6287, and whatever is
 * refused.
 */
#include "crypt_rig.h"

#include "cos/tlv.h"
#include "secure_domain/domain.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/sha.h>

#define SECRET_20 "3132333435363738393031323334353637383930"
#define SECRET_32 SECRET_20 "313233343536373839303132"
#define SECRET_64 SECRET_20 SECRET_20 SECRET_20 "31323334"
#define HOTP      OF_APPLICATION " 800103 C90100 CE0140 C714 " SECRET_20

static uint16_t ask(struct bench *bench, uint8_t reference, const uint8_t *data, size_t length)
{
    return crypt_send(bench, 0x88, 0x00, reference, data, length);
}

static void expect_digits(struct bench *bench, const char *digits)
{
    assert_int_equal(bench->length, strlen(digits));
    assert_memory_equal(bench->data, digits, bench->length);
}

static void expect_hotp(struct bench *bench, uint8_t reference, const char *digits)
{
    assert_int_equal(ask(bench, reference, NULL, 0), 0x9000);
    expect_digits(bench, digits);
}

/* The key's entry, as it is in the card. */
static void read_key(const struct bench *bench, uint8_t number, struct object *key)
{
    assert_int_equal(cos_object_find(&bench->secure, OBJECT_KEY,
                                     bench->secure.channels[0].application, number, 0, key),
                     COS_OK);
}

static void set_counter(struct bench *bench, uint8_t number, uint32_t counter)
{
    struct object key;

    read_key(bench, number, &key);
    key.counter = counter;
    assert_int_equal(cos_object_write(&bench->secure, &key), COS_OK);
}

static uint32_t counter_of(const struct bench *bench, uint8_t number)
{
    struct object key;

    read_key(bench, number, &key);
    return key.counter;
}

/* ---- Published vectors ---- */

static void hotp_of_rfc_4226(void **state)
{
    struct vectors *vectors = vectors_open("rfc4226-hotp.txt");
    const struct vector_section *section = vectors_section(vectors, "appendix D");
    struct bench *bench = *state;

    crypt_key(bench, 4, HOTP);
    for (unsigned i = 0; i < 10; i++) {
        expect_hotp(bench, 0x84, vector_text(section, "otp_%u", i));
        if (i % 4 == 3) { /* the counter is not of the session */
            bench_reset(bench);
            bench_select(bench);
        }
    }
    assert_int_equal(counter_of(bench, 4), 10);
    vectors_close(vectors);
}

static void totp_of_rfc_6238(void **state)
{
    static const struct {
        const char *section, *attributes;
    } keys[] = {
        {"sha1", OF_APPLICATION " 800103 C90100 CE0140 C10108 C20102 C714 " SECRET_20},
        {"sha256", OF_APPLICATION " 800103 C90102 CE0140 C10108 C20102 C720 " SECRET_32},
        {"sha512", OF_APPLICATION " 800103 C90104 CE0140 C10108 C20102 C740 " SECRET_64},
    };
    struct vectors *vectors = vectors_open("rfc6238-totp.txt");
    struct bench *bench = *state;

    for (size_t i = 0; i < CARD_COUNT(keys); i++) {
        const struct vector_section *section = vectors_section(vectors, keys[i].section);
        crypt_key(bench, 4, keys[i].attributes);
        for (unsigned j = 0; j < 6; j++) {
            assert_int_equal(ask(bench, 0x84, vector_exactly(section, 8, "counter%u", j), 8),
                             0x9000);
            expect_digits(bench, vector_text(section, "otp%u", j));
        }
        assert_int_equal(counter_of(bench, 4), 0);
    }
    vectors_close(vectors);
}

static size_t ocra_field(const struct vector_section *section, uint8_t *field, size_t capacity)
{
    struct cos_writer writer = cos_writer(field, capacity);
    const char *suite = vector_text(section, "suite"), *q = vector_text(section, "q");
    const struct vector_entry *pin = vector_find(section, "pin");
    const struct vector_entry *minutes = vector_find(section, "t_n");

    cos_tlv_write(&writer, 0x80, (const uint8_t *)suite, strlen(suite));
    cos_tlv_write(&writer, 0x81, (const uint8_t *)q, strlen(q));
    if (pin != NULL) {
        uint8_t digest[20];
        SHA1((const unsigned char *)pin->text, strlen(pin->text), digest);
        cos_tlv_write(&writer, 0x82, digest, sizeof digest);
    }
    if (minutes != NULL) {
        uint8_t seconds[8] = {0};
        cos_put32(seconds + 4, (uint32_t)minutes->number * 60);
        cos_tlv_write(&writer, 0x84, seconds, sizeof seconds);
    }
    assert_false(writer.failed);
    return writer.length;
}

static void ocra_of_rfc_6287(void **state)
{
    struct vectors *vectors = vectors_open("rfc6287-ocra.txt");
    struct bench *bench = *state;
    unsigned done = 0;

    for (size_t i = 0; i < vectors->count; i++) {
        const struct vector_section *section = &vectors->sections[i];
        const struct cos_span secret = vector_bytes(section, "key");
        const struct vector_entry *counter = vector_find(section, "c_n");
        uint8_t field[200];
        crypt_key(bench, 4,
                  secret.length == 20 ? HOTP
                  : secret.length == 32
                      ? OF_APPLICATION " 800103 C90102 CE0140 C20104 C720 " SECRET_32
                      : OF_APPLICATION " 800103 C90104 CE0140 C20104 C740 " SECRET_64);
        if (counter != NULL) {
            set_counter(bench, 4, (uint32_t)counter->number);
        }
        const size_t length = ocra_field(section, field, sizeof field);
        assert_int_equal(ask(bench, 0x84, field, length), 0x9000);
        expect_digits(bench, vector_text(section, "otp"));
        assert_int_equal(counter_of(bench, 4), counter != NULL ? counter->number + 1 : 0);
        done++;
    }
    assert_int_equal(done, 47);
    vectors_close(vectors);
}

/* ---- Keys ---- */

static void keys_that_are_none(void **state)
{
    static const struct {
        const char *attributes;
        uint16_t sw;
    } rows[] = {
        {" 800101 CE0140 C710 000102030405060708090A0B0C0D0E0F", 0x6A80},      /* AES */
        {" 800102 CE0140 C718 " SECRET_20 "31323334", 0x6A80},                 /* 3DES */
        {" 800103 C90100 CE0150 C714 " SECRET_20, 0x6A80},                     /* checksums, too */
        {" 800103 C90100 CE0140 950101 C714 " SECRET_20, 0x6A80},              /* and a usage */
        {" 800103 C90105 CE0140 C714 " SECRET_20, 0x6A80},                     /* no hash */
        {" 800103 C90100 CE0140 C70F 000102030405060708090A0B0C0D0E", 0x6A80}, /* 15 bytes */
        {" 800103 C90100 CE0140 C741 " SECRET_64 "00", 0x6A80},                /* 65 bytes */
        {" 800103 C90100 CE0140 C10105 C714 " SECRET_20, 0x6A80},              /* 5 digits */
        {" 800103 C90100 CE0140 C10109 C714 " SECRET_20, 0x6A80},              /* 9 digits */
        {" 800103 C90100 CE0140 C1020006 C714 " SECRET_20, 0x6A80},
        {" 800103 C90100 CE0140 C20103 C714 " SECRET_20, 0x6A80}, /* HOTP and TOTP */
        {" 800103 C90100 CE0140 C20107 C714 " SECRET_20, 0x6A80},
        {" 800103 C90100 CE0140 C20108 C714 " SECRET_20, 0x6A80},
        {" 800103 C90100 CE0110 C10106 C714 " SECRET_20, 0x6A80}, /* digits of a MAC */
        {" 800103 C90100 CE0110 C20101 C714 " SECRET_20, 0x6A80},
        {" 800101 950101 C10106 C710 000102030405060708090A0B0C0D0E0F", 0x6A80},
        {" 800105 C90100 CE0140", 0x6A80},                        /* a pair */
        {" 800103 C90100 CE0140 CC0101 C714 " SECRET_20, 0x6A80}, /* each use, but no PIN */
        {" 800103 C90100 CE0140 C710 000102030405060708090A0B0C0D0E0F", 0x9000},
        {" 800103 C90104 CE0140 C10108 C20106 C720 " SECRET_32, 0x9000},
        {" 800103 C90100 CE0140 C721 " SECRET_32 "00", 0x9000},
        {" 800103 C90100 CE0140 C740 " SECRET_64, 0x9000},
    };
    struct bench *bench = *state;

    bench_session(bench, 0x03);
    for (size_t i = 0; i < CARD_COUNT(rows); i++) {
        char attributes[256];
        snprintf(attributes, sizeof attributes, "%s%s", OF_APPLICATION, rows[i].attributes);
        const uint16_t sw = crypt_store(bench, 4, attributes);
        if (sw != rows[i].sw) {
            fail_msg("%s: %04X", rows[i].attributes, sw);
        }
    }
}

/* ---- Refused: no counter moves ---- */

#define SUITE   "8017 4F4352412D313A484F54502D534841312D363A514E3038"         /* -6:QN08 */
#define SUITE_C "8019 4F4352412D313A484F54502D534841312D363A432D514E3038"     /* -6:C-QN08 */
#define SUITE_T "801B 4F4352412D313A484F54502D534841312D363A514E30382D54314D" /* -6:QN08-T1M */
#define OTHER   "8019 4F4352412D313A484F54502D5348413235362D363A514E3038"     /* SHA256-6:QN08 */
#define Q       "8108 3132333435363738"

static void what_is_no_request(void **state)
{
    static const struct card_row rows[] = {
        {"P1", "0088018400", 0x6A86, NULL, 0},
        {"no such key", "0088008700", 0x6A88, NULL, 0},
        {"another purpose", "0088008600", 0x6985, NULL, 0},
        {"a key for internal authentication", "0088008200", 0x6700, NULL, 0},
        {"TOTP is not for this key", "00880084 08 0000000000000001 00", 0x6985, NULL, 0},
        {"HOTP is not for this key", "0088008500", 0x6985, NULL, 0},
        {"OCRA is not for this key", "00880085 23" SUITE Q "00", 0x6985, NULL, 0},
        {"7 bytes", "00880084 07 00000000000001 00", 0x6A80, NULL, 0},
        {"9 bytes", "00880084 09 000000000000000001 00", 0x6A80, NULL, 0},
        {"no challenge", "00880084 19" SUITE "00", 0x6A80, NULL, 0},
        {"no suite", "00880084 0A" Q "00", 0x6A80, NULL, 0},
        {"the other way round", "00880084 23" Q SUITE "00", 0x6A80, NULL, 0},
        {"challenge twice", "00880084 2D" SUITE Q Q "00", 0x6A80, NULL, 0},
        {"challenge of letters", "00880084 23" SUITE "8108 4132333435363738 00", 0x6A80, NULL, 0},
        {"with counter, challenge of letters", "00880084 25" SUITE_C "8108 4132333435363738 00",
         0x6A80, NULL, 0},
        {"empty challenge", "00880084 1B" SUITE "8100 00", 0x6A80, NULL, 0},
        {"17 characters", "00880084 2C" SUITE "8111 3132333435363738313233343536373831 00", 0x6A80,
         NULL, 0},
        {"digest of no PIN", "00880084 25" SUITE Q "8200 00", 0x6A80, NULL, 0},
        {"digest nobody asked for", "00880084 39" SUITE Q "8214" SECRET_20 "00", 0x6A80, NULL, 0},
        {"session nobody asked for", "00880084 26" SUITE Q "830141 00", 0x6A80, NULL, 0},
        {"time nobody asked for", "00880084 2D" SUITE Q "8408 0000000000000000 00", 0x6A80, NULL,
         0},
        {"no time", "00880084 27" SUITE_T Q "00", 0x6A80, NULL, 0},
        {"in the last second of a minute", "00880084 31" SUITE_T Q "8408 0000000047E8EAE3 00",
         0x9000, "383636383636", CARD_KEEPS},
        {"time of 7 bytes", "00880084 30" SUITE_T Q "8407 00000000000000 00", 0x6A80, NULL, 0},
        {"no such object", "00880084 26" SUITE Q "850141 00", 0x6A80, NULL, 0},
        {"cut off", "00880084 22" SUITE "8108 31323334353637 00", 0x6A80, NULL, 0},
        {"no suite of OCRA", "00880084 0D 800131" Q "00", 0x6A80, NULL, 0},
        {"another hash function than the key's", "00880084 25" OTHER Q "00", 0x6985, NULL, 0},
        {"external authentication", "00820084 08 0001020304050607", 0x6985, NULL, 0},
    };
    struct bench *bench = *state;

    crypt_key(bench, 4, HOTP);
    crypt_key(bench, 5, OF_APPLICATION " 800103 C90100 CE0140 C20102 C714 " SECRET_20);
    crypt_key(bench, 6, OF_APPLICATION " 800103 C90100 CE0110 C714 " SECRET_20);
    BENCH_ROWS(bench, rows);
    assert_int_equal(counter_of(bench, 4), 0);
    expect_hotp(bench, 0x84, "755224");
    bench_expect(bench, "00880084 25" SUITE_C Q "00", 0x9000, CARD_ANY); /* has the counter, too */
    expect_hotp(bench, 0x84, "359152");
    bench_expect(bench, "00880084 23" SUITE Q "00", 0x9000, CARD_ANY); /* has none */
    expect_hotp(bench, 0x84, "969429");
}

static void the_counter_ends(void **state)
{
    static const struct card_row rows[] = {
        {"HOTP", "0088008400", 0x6985, NULL, 0},
        {"OCRA with counter", "00880084 25" SUITE_C Q "00", 0x6985, NULL, 0},
        {"OCRA without", "00880084 23" SUITE Q "00", 0x9000, CARD_ANY, CARD_KEEPS},
    };
    struct bench *bench = *state;

    crypt_key(bench, 4, HOTP);
    set_counter(bench, 4, UINT32_MAX - 1);
    assert_int_equal(ask(bench, 0x84, NULL, 0), 0x9000);
    BENCH_ROWS(bench, rows);
    assert_int_equal(counter_of(bench, 4), UINT32_MAX);
}

/* ---- Rule, uses, authentication for each use ---- */

static void as_with_other_keys(void **state)
{
    static const struct card_row first[] = {
        {"no PIN", "0088008400", 0x6982, NULL, 0},
        {"PIN", "00200081 06 313233343536", 0x9000, NULL, 0},
        {"once", "0088008400", 0x9000, "373535323234", 0},
        {"for each use", "0088008400", 0x6982, NULL, 0},
        {"PIN", "00200081 06 313233343536", 0x9000, NULL, 0},
        {"a bad request is no use", "00880084 0A" Q "00", 0x6A80, NULL, 0},
        {"the last use", "0088008400", 0x9000, "323837303832", 0},
        {"PIN", "00200081 06 313233343536", 0x9000, NULL, 0},
        {"none is left", "0088008400", 0x6984, NULL, 0},
    };
    struct bench *bench = *state;
    struct object key;

    crypt_key(bench, 4,
              OF_APPLICATION " 800103 C90100 CE0140 C50191 CC0101 CA020002 C714 " SECRET_20);
    BENCH_ROWS(bench, first);
    read_key(bench, 4, &key);
    assert_int_equal(key.counter, 2);
    assert_int_equal(key.uses_left, 0);
}

/* The answer comes from this side, and no other key's. */
static void under_secure_messaging(void **state)
{
    struct bench *bench = *state;

    crypt_key(bench, 4, HOTP);
    crypt_key(bench, 5, OF_APPLICATION " 800103 C90100 CE0140 C10108 C20102 C714 " SECRET_20);
    bench_session(bench, 0x33);
    bench_expect_sm(bench, BENCH_APPLICATION, 0x9000, NULL);
    bench_expect_sm(bench, "00880084", 0x9000, "373535323234");
    bench_expect_sm(bench, "00880084", 0x9000, "323837303832");
    bench_expect_sm(bench, "00880085 08 0000000000000001", 0x9000, "3934323837303832");
    bench_expect_sm(bench, "00880085", 0x6985, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(hotp_of_rfc_4226),   CARD_TEST(totp_of_rfc_6238),
        CARD_TEST(ocra_of_rfc_6287),   CARD_TEST(keys_that_are_none),
        CARD_TEST(what_is_no_request), CARD_TEST(the_counter_ends),
        CARD_TEST(as_with_other_keys), CARD_TEST(under_secure_messaging),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
