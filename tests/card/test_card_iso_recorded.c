/* SPDX-License-Identifier: Apache-2.0
 *
 * Published examples of mutual authentication and secure messaging, played to the card: ICAO Doc
 * 9303-11, appendix D (3DES), and AES sessions of several clients. The terminal's side that the
 * other tests use must agree with them, too.
 */
#include "card_table.h"
#include "chance.h"
#include "example.h"
#include "iso_card.h"
#include "secure_domain/sm.h"
#include "vectors.h"

#include <openssl/sha.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void same(struct cos_span wanted, const uint8_t *bytes, size_t length)
{
    assert_int_equal(length, wanted.length);
    assert_memory_equal(bytes, wanted.data, length);
}

/* ---- ICAO Doc 9303-11, D.1 to D.3 ---- */

static void keys_of_the_document(void **state)
{
    struct vectors *vectors = vectors_open("icao9303-11-bac-sm.txt");
    const struct vector_section *section = vectors_section(vectors, "D.1-D.2 key derivation");
    const struct iso_sm terminal = {.aes = false, .key_length = 16};
    const char *text = vector_text(section, "mrz_info");
    uint8_t digest[20], key[16];

    (void)state;
    assert_non_null(SHA1((const uint8_t *)text, strlen(text), digest));
    same(vector_bytes(section, "sha1_mrz_info"), digest, 20);
    same(vector_bytes(section, "k_seed"), digest, 16);
    iso_derive(&terminal, digest, 1, key);
    same(vector_bytes(section, "k_enc"), key, 16);
    iso_derive(&terminal, digest, 2, key);
    same(vector_bytes(section, "k_mac"), key, 16);
    vectors_close(vectors);
}

/* Stores the document's keys as global mutual key 1, which P2 = 00 means. */
static void store_keys(struct bench *bench, const struct vector_section *section)
{
    uint8_t dgi[48] = {0x80, 0x20, 11 + 32, 0x83, 1, 1, 0x80, 1, 2, 0x95, 1, 0x80, 0xC7, 32};

    memcpy(dgi + 14, vector_exactly(section, 16, "k_enc"), 16);
    memcpy(dgi + 30, vector_exactly(section, 16, "k_mac"), 16);
    bench_session(bench, 0x33);
    assert_int_equal(bench_sm(bench, 0x80, 0xE2, 0xE0, 0x00, dgi, 46), 0x9000);
}

static void authenticate(struct bench *bench, const struct vector_section *section)
{
    const struct cos_session *session = &bench->secure.sessions[0];
    const struct cos_span challenge = vector_bytes(section, "get_challenge");
    const struct cos_span mutual = vector_bytes(section, "ext_auth_capdu");
    const struct cos_span answer = vector_bytes(section, "ext_auth_rapdu");
    struct iso_sm terminal = {.key_length = 16};
    struct bytes data;

    memcpy(terminal.enc, vector_exactly(section, 16, "k_enc"), 16);
    memcpy(terminal.mac, vector_exactly(section, 16, "k_mac"), 16);
    iso_challenge(&terminal, vector_exactly(section, 8, "rnd_ifd"),
                  vector_exactly(section, 8, "rnd_ic"), vector_exactly(section, 16, "k_ifd"),
                  &data);
    assert_memory_equal(data.data, vector_exactly(section, 32, "e_ifd"), 32);
    assert_memory_equal(data.data + 32, vector_exactly(section, 8, "m_ifd"), 8);

    chance_next(vector_exactly(section, 8, "rnd_ic"), 8);
    assert_int_equal(bench_apdu(bench, challenge.data, challenge.length), 0x9000);
    assert_memory_equal(bench->data, vector_exactly(section, 8, "rnd_ic"), 8);
    chance_next(vector_exactly(section, 16, "k_ic"), 16);
    assert_int_equal(bench_apdu(bench, mutual.data, mutual.length), 0x9000);
    same((struct cos_span){answer.data, answer.length - 2}, bench->data, bench->length);
    assert_memory_equal(session->enc, vector_exactly(section, 16, "ks_enc"), 16);
    assert_memory_equal(session->mac, vector_exactly(section, 16, "ks_mac"), 16);
    assert_memory_equal(session->chain, vector_exactly(section, 8, "ssc"), 8);
    assert_true(iso_accept(&terminal, vector_exactly(section, 8, "rnd_ifd"),
                           vector_exactly(section, 8, "rnd_ic"),
                           vector_exactly(section, 16, "k_ifd"), bench->data, bench->length));
    assert_memory_equal(terminal.enc, session->enc, 16);
    assert_memory_equal(terminal.mac, session->mac, 16);
    assert_memory_equal(terminal.ssc, session->chain, 8);
}

/* ---- One protected command, and its response ---- */

static void read_keys(const struct vector_section *section, struct cos_session *session,
                      struct iso_sm *terminal)
{
    const struct cos_span enc = vector_bytes(section, "ks_enc");
    const struct cos_span ssc = vector_bytes(section, "ssc_before");

    *session = (struct cos_session){
        .protocol = ssc.length == 16 ? COS_SM_ISO_AES : COS_SM_ISO_DES3,
        .key_length = (uint8_t)enc.length,
    };
    memcpy(session->enc, enc.data, enc.length);
    memcpy(session->mac, vector_exactly(section, enc.length, "ks_mac"), enc.length);
    memcpy(session->chain, ssc.data, ssc.length);
    *terminal = (struct iso_sm){.aes = ssc.length == 16, .key_length = enc.length};
    memcpy(terminal->enc, session->enc, enc.length);
    memcpy(terminal->mac, session->mac, enc.length);
    memcpy(terminal->ssc, session->chain, ssc.length);
}

/* The card opens what the terminal protected. */
static void open_recorded(const struct vector_section *section, struct cos_session *session)
{
    const struct cos_span wrapped = vector_bytes(section, "capdu_sm");
    const struct cos_span plain = vector_bytes(section, "capdu_plain");
    struct cos_command outer, inner;
    uint8_t data[COS_SM_MAX];

    assert_int_equal(cos_apdu_parse(wrapped.data, wrapped.length, &outer), COS_OK);
    assert_int_equal(cos_apdu_parse(plain.data, plain.length, &inner), COS_OK);
    memcpy(data, outer.data, outer.nc);
    struct sm_command command = {
        .header = wrapped.data, .data = data, .nc = outer.nc, .ne = outer.ne};
    assert_int_equal(cos_iso_open(&cos_crypto_tomcrypt, session, &command), COS_OK);
    assert_int_equal(command.ne, inner.ne);
    same((struct cos_span){inner.data, inner.nc}, data, command.nc);
}

/* The terminal protects as the recorded one did, but for the form of the lengths. */
static void wrap_recorded(const struct vector_section *section, struct iso_sm *terminal)
{
    const struct cos_span wrapped = vector_bytes(section, "capdu_sm");
    const struct cos_span plain = vector_bytes(section, "capdu_plain");
    struct cos_command outer, inner;
    struct bytes apdu;

    assert_int_equal(cos_apdu_parse(wrapped.data, wrapped.length, &outer), COS_OK);
    assert_int_equal(cos_apdu_parse(plain.data, plain.length, &inner), COS_OK);
    const struct command command = {inner.cla,  inner.ins, inner.p1, inner.p2,
                                    inner.data, inner.nc,  inner.ne};
    iso_wrap(terminal, &command, &apdu);
    same((struct cos_span){outer.data, outer.nc}, apdu.data + 5, apdu.data[4]);
    assert_memory_equal(apdu.data, wrapped.data, 4);
}

static bool is_odd(const struct vector_section *section)
{
    return vector_find(section, "capdu_plain") != NULL &&
           (vector_bytes(section, "capdu_plain").data[1] & 1) != 0;
}

static void seal_recorded(const struct vector_section *section, struct cos_session *session,
                          struct iso_sm *terminal)
{
    const struct cos_span wrapped = vector_bytes(section, "rapdu_sm");
    const struct cos_span plain = vector_bytes(section, "rapdu_plain");
    const uint16_t sw = cos_get16(plain.data + plain.length - 2);
    uint8_t sealed[300];
    struct cos_writer writer = cos_writer(sealed, sizeof sealed);
    struct bytes opened;

    assert_int_equal(cos_iso_seal(&cos_crypto_tomcrypt, session, is_odd(section), sw,
                                  (struct cos_span){plain.data, plain.length - 2}, &writer),
                     COS_OK);
    same((struct cos_span){wrapped.data, wrapped.length - 2}, sealed, writer.length);
    assert_true(
        iso_unwrap(terminal, is_odd(section), wrapped.data, wrapped.length - 2, sw, &opened));
    same((struct cos_span){plain.data, plain.length - 2}, opened.data, opened.length);
    if (vector_find(section, "ssc_after") != NULL) {
        same(vector_bytes(section, "ssc_after"), session->chain, iso_block(terminal));
    }
}

static size_t play_messages(const char *file)
{
    struct vectors *vectors = vectors_open(file);
    size_t messages = 0;

    for (size_t i = 0; i < vectors->count; i++) {
        const struct vector_section *section = &vectors->sections[i];
        struct cos_session session;
        struct iso_sm terminal;
        if (vector_find(section, "ssc_before") == NULL) {
            continue;
        }
        read_keys(section, &session, &terminal);
        if (vector_find(section, "capdu_sm") != NULL) {
            open_recorded(section, &session);
            wrap_recorded(section, &terminal);
            messages++;
        }
        if (vector_find(section, "rapdu_sm") != NULL) {
            seal_recorded(section, &session, &terminal);
            messages++;
        }
    }
    vectors_close(vectors);
    return messages;
}

static void published_messages(void **state)
{
    (void)state;
    assert_int_equal(play_messages("icao9303-11-bac-sm.txt"), 3 * 2);
    assert_int_equal(play_messages("sm-aes-tr03110.txt"), 9 + 6);
}

/* From GET CHALLENGE to the last READ BINARY of appendix D.4, through the calls of the gate. */
static void the_documents_session(void **state)
{
    struct bench *bench = *state;
    struct vectors *vectors = vectors_open("icao9303-11-bac-sm.txt");

    store_keys(bench, vectors_section(vectors, "D.3 mutual authentication"));
    bench_reset(bench);
    chance_take(bench);
    authenticate(bench, vectors_section(vectors, "D.3 mutual authentication"));
    for (size_t i = 0; i < vectors->count; i++) {
        const struct vector_section *section = &vectors->sections[i];
        if (vector_find(section, "capdu_sm") == NULL) {
            continue;
        }
        const struct cos_span wrapped = vector_bytes(section, "capdu_sm");
        const struct cos_span plain = vector_bytes(section, "capdu_plain");
        const struct cos_span answer = vector_bytes(section, "rapdu_plain");
        const struct cos_span sealed_answer = vector_bytes(section, "rapdu_sm");
        uint8_t message[300] = {0}, out[300];
        struct cos_writer writer = cos_writer(out, sizeof out);
        memcpy(message + 1, wrapped.data, wrapped.length);
        struct cos_reader request = cos_reader(message, 1 + wrapped.length);
        assert_int_equal(cos_call_sm_open(&bench->secure, &request, &writer), COS_OK);
        assert_int_equal(out[0], 0);
        assert_memory_equal(out + 1, plain.data, 4);
        memcpy(message + 1, answer.data + answer.length - 2, 2);
        memcpy(message + 3, answer.data, answer.length - 2);
        request = cos_reader(message, 1 + answer.length);
        writer = cos_writer(out, sizeof out);
        assert_int_equal(cos_call_sm_seal(&bench->secure, &request, &writer), COS_OK);
        assert_memory_equal(out, sealed_answer.data + sealed_answer.length - 2, 2);
        same((struct cos_span){sealed_answer.data, sealed_answer.length - 2}, out + 2,
             writer.length - 2);
    }
    vectors_close(vectors);
}

/* The same with AES: the examples of docs/formats.md. */
static void play_example(struct bench *bench, const char *name, enum iso_key key)
{
    struct example *example = example_read(name, true);
    const struct cos_session *session = &bench->secure.sessions[0];
    struct iso_sm terminal = iso_key_of(key);
    const size_t n = terminal.key_length, seed = iso_seed(&terminal);
    struct bytes data, mutual;

    example_expect(example, "K-ENC", terminal.enc, n);
    example_expect(example, "K-MAC", terminal.mac, n);
    iso_challenge(&terminal, example_value(example, "RND-IFD", 16),
                  example_value(example, "RND-IC", 16), example_value(example, "K-IFD", seed),
                  &data);
    example_expect(example, "DATA", data.data, data.length);
    const struct command command = {0x00,      0x82,        0x00, iso_reference_of(key),
                                    data.data, data.length, 256};
    assert_true(command_write(&command, &mutual));
    chance_take(bench);
    bench_select(bench);
    chance_next(example_value(example, "RND-IC", 16), 16);
    bench_expect(bench, "0084000010", 0x9000, CARD_ANY);
    chance_next(example_value(example, "K-IC", seed), seed);
    assert_int_equal(bench_apdu(bench, mutual.data, mutual.length), 0x9000);
    example_expect(example, "ANSWER", bench->data, bench->length);
    example_expect(example, "KS-ENC", session->enc, n);
    example_expect(example, "KS-MAC", session->mac, n);
    example_expect(example, "SSC", session->chain, 16);
    free(example);
}

static void the_examples_of_the_formats(void **state)
{
    play_example(*state, "mutual", ISO_AES);
    bench_reset(*state);
    play_example(*state, "mutual-256", ISO_AES_256);
}

/* Responses that a terminal must refuse. */
static void responses_to_be_refused(void **state)
{
    struct vectors *vectors = vectors_open("sm-aes-tr03110.txt");
    const struct vector_section *section = vectors_section(vectors, "negative responses");
    const struct vector_section *good = vectors_section(vectors, "response DO87");
    static const char *const names[] = {"no_do99", "no_do8e", "wrong_mac", "plain"};

    (void)state;
    for (size_t i = 0; i < CARD_COUNT(names); i++) {
        const struct cos_span response = vector_bytes(section, "%s", names[i]);
        struct cos_session session;
        struct iso_sm terminal;
        struct bytes plain;
        read_keys(good, &session, &terminal);
        assert_false(
            iso_unwrap(&terminal, false, response.data, response.length - 2, 0x9000, &plain));
    }
    struct cos_session session;
    struct iso_sm terminal;
    struct bytes plain;
    const struct cos_span response = vector_bytes(good, "rapdu_sm");
    read_keys(good, &session, &terminal);
    assert_false(iso_unwrap(&terminal, false, response.data, response.length - 2, 0x6282, &plain));
    vectors_close(vectors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_the_document),    cmocka_unit_test(published_messages),
        CARD_TEST(the_documents_session),          ISO_TEST(the_examples_of_the_formats),
        cmocka_unit_test(responses_to_be_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
