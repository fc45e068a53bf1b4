/* SPDX-License-Identifier: Apache-2.0
 *
 * SCP02, on a card that was built with COS_SCP02: the recorded sessions of
 * tests/vectors/gp-scp02.txt, key sets of 3DES keys beside those of AES, and what is refused.
 */
#include "card_table.h"
#include "chance.h"
#include "secure_domain/domain.h"
#include "twinctl/crypto.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Data of PUT KEY: type 80, enciphered under the card's AES DEK. */
static void key_data(const struct vector_section *section, uint8_t version, struct bytes *data)
{
    static const char *const names[] = {"k_enc", "k_mac", "k_dek"};
    static const uint8_t iv[16];

    *data = (struct bytes){0};
    bytes_add8(data, version);
    for (size_t i = 0; i < 3; i++) {
        const uint8_t *key = vector_exactly(section, 16, "%s", names[i]);
        uint8_t enciphered[16], wide[24], check[8] = {0};
        memcpy(wide, key, 16);
        memcpy(wide + 16, key, 8);
        assert_true(crypto_aes_cbc_encipher(bench_keys_card.dek, 16, iv, key, 16, enciphered));
        assert_true(crypto_tdes_ecb(wide, CRYPTO_ENCIPHER, check, 8, check));
        bytes_add(data, (uint8_t[]){0x80, 17, 16}, 3);
        bytes_add(data, enciphered, 16);
        bytes_add8(data, 3);
        bytes_add(data, check, 3);
    }
}

/* Puts the recorded card's keys in place of this card's and sets their counter. */
static void put_keys(struct bench *bench, const struct vector_section *section, uint8_t version,
                     uint16_t counter)
{
    struct object enc;
    struct bytes data;

    bench_session(bench, 0x33);
    key_data(section, version, &data);
    assert_int_equal(bench_sm(bench, 0x80, 0xD8, 0x01, 0x81, data.data, data.length), 0x9000);
    assert_int_equal(cos_object_find_usage(&bench->secure, USAGE_SCP03_ENC, version, &enc), COS_OK);
    enc.counter = counter;
    cos_change_start(&bench->secure);
    cos_object_put_entry(&bench->secure, &enc);
    assert_int_equal(cos_change_commit(&bench->secure), COS_OK);
}

static void begin_session(struct bench *bench, const struct vector_section *section)
{
    const struct cos_span begin = vector_bytes(section, "initialize_update");
    const struct cos_span answer = vector_bytes(section, "initialize_update_rsp");
    const uint8_t version = begin.data[2] != 0 ? begin.data[2] : answer.data[10];
    const struct cos_session *session = &bench->secure.sessions[0];

    put_keys(bench, section, version, cos_get16(answer.data + 12));
    chance_take(bench);
    chance_next(answer.data + 14, 6);
    assert_int_equal(bench_apdu(bench, begin.data, begin.length), 0x9000);
    assert_int_equal(bench->length, answer.length - 2);
    assert_int_equal(bench->data[10], version);
    assert_memory_equal(bench->data + 11, answer.data + 11, 17);
    assert_memory_equal(bench->data + 20, vector_exactly(section, 8, "card_cryptogram"), 8);
    assert_memory_equal(session->enc, vector_exactly(section, 16, "s_enc"), 16);
    assert_memory_equal(session->mac, vector_exactly(section, 16, "s_cmac"), 16);
    assert_memory_equal(session->expected, vector_exactly(section, 8, "host_cryptogram"), 8);
}

static void open_session(struct bench *bench, const struct vector_section *section)
{
    const struct cos_span finish = vector_bytes(section, "ext_auth");

    begin_session(bench, section);
    assert_int_equal(bench_apdu(bench, finish.data, finish.length), 0x9000);
}

static void play_command(struct bench *bench, struct cos_span wrapped, struct cos_span plain)
{
    uint8_t message[1 + 5 + COS_SM_MAX + 1] = {0}, out[300];
    struct cos_writer body = cos_writer(out, sizeof out);
    struct cos_command command;

    memcpy(message + 1, wrapped.data, wrapped.length);
    struct cos_reader request = cos_reader(message, 1 + wrapped.length);
    assert_int_equal(cos_call_sm_open(&bench->secure, &request, &body), COS_OK);
    assert_int_equal(cos_apdu_parse(plain.data, plain.length, &command), COS_OK);
    assert_memory_equal(out + 1, plain.data, 4);
    assert_int_equal(cos_get32(out + 5), command.ne);
    assert_int_equal(out[11], command.nc);
    assert_memory_equal(out + 12, command.data == NULL ? out : command.data, command.nc);
    request = cos_reader((const uint8_t *)"\x00\x90\x00", 3);
    body = cos_writer(out, sizeof out);
    assert_int_equal(cos_call_sm_seal(&bench->secure, &request, &body), COS_OK);
    assert_int_equal(body.length, 2);
}

static void recorded_sessions_are_reproduced(void **state)
{
    struct bench *bench = *state;
    struct vectors *vectors = vectors_open("gp-scp02.txt");
    size_t sessions = 0, commands = 0;

    for (size_t i = 0; i < vectors->count; i++) {
        const struct vector_section *section = &vectors->sections[i];
        if (vector_find(section, "initialize_update") == NULL) {
            continue;
        }
        bench_free(bench);
        bench_make(bench, &bench_host);
        open_session(bench, section);
        for (unsigned j = 0; vector_find(section, "cmd%u_plain", j) != NULL; j++) {
            play_command(bench, vector_bytes(section, "cmd%u_wrapped", j),
                         vector_bytes(section, "cmd%u_plain", j));
            commands++;
        }
        sessions++;
    }
    print_message("# %zu recorded sessions, %zu commands opened\n", sessions, commands);
    assert_int_equal(sessions, 3);
    assert_int_equal(commands, 4 + 1 + 2);
    vectors_close(vectors);
}

static void check_values(void **state)
{
    struct bench *bench = *state;
    struct vectors *vectors = vectors_open("gp-scp02.txt");
    const struct vector_section *section = vectors_section(vectors, "KCV 3DES");
    const struct vector_section *keys = vectors_section(vectors, "GET STATUS C-MAC");
    struct bytes data;

    assert_memory_equal(vector_exactly(keys, 16, "k_enc"), vector_exactly(section, 16, "key0"), 16);
    bench_session(bench, 0x33);
    key_data(keys, 0x20, &data);
    assert_int_equal(bench_sm(bench, 0x80, 0xD8, 0x00, 0x81, data.data, data.length), 0x9000);
    assert_int_equal(bench->length, 1 + 3 * 3);
    for (size_t i = 0; i < 3; i++) {
        assert_memory_equal(bench->data + 1 + 3 * i, vector_exactly(section, 3, "kcv0"), 3);
    }
    bench_expect_sm(bench, "80CA00E0", 0x9000,
                    "E024 C00401018810 C00402018810 C00403018810"
                    "C00401208010 C00402208010 C00403208010");
    bench_expect_sm(bench, "80CA0066", 0x9000,
                    "6633 7331 06072A864886FC6B01 600C060A2A864886FC6B02020301"
                    "640B06092A864886FC6B040370 640B06092A864886FC6B040215");
    data.data[data.length - 1] ^= 1;
    assert_int_equal(bench_sm(bench, 0x80, 0xD8, 0x20, 0x81, data.data, data.length), 0x6A80);
    key_data(keys, 0x21, &data);
    data.data[1 + 2] = 24; /* no key of 24 bytes, no set of both kinds */
    assert_int_equal(bench_sm(bench, 0x80, 0xD8, 0x00, 0x81, data.data, data.length), 0x6A80);
    data.data[1 + 2] = 16;
    data.data[1 + 23] = 0x88;
    assert_int_equal(bench_sm(bench, 0x80, 0xD8, 0x00, 0x81, data.data, data.length), 0x6A80);
    vectors_close(vectors);
}

/* The session that replaced its own set by one of 3DES keys has no DEK any more that this card
 * takes. */
static void no_keys_under_a_dek_of_3des(void **state)
{
    struct bench *bench = *state;
    struct vectors *vectors = vectors_open("gp-scp02.txt");
    struct bytes data;

    bench_session(bench, 0x33);
    key_data(vectors_section(vectors, "GET STATUS C-MAC"), 0x01, &data);
    assert_int_equal(bench_sm(bench, 0x80, 0xD8, 0x01, 0x81, data.data, data.length), 0x9000);
    assert_int_equal(bench_sm(bench, 0x80, 0xD8, 0x01, 0x81, data.data, data.length), 0x6985);
    vectors_close(vectors);
}

/* Any changed byte, and a replay. */
static void what_is_refused(void **state)
{
    struct bench *bench = *state;
    struct vectors *vectors = vectors_open("gp-scp02.txt");
    const struct vector_section *section = vectors_section(vectors, "DELETE C-MAC + C-DECRYPTION");
    const struct cos_span finish = vector_bytes(section, "ext_auth");
    const struct cos_span wrapped = vector_bytes(section, "cmd0_wrapped");

    const struct cos_span begin = vector_bytes(section, "initialize_update");

    open_session(bench, section);
    assert_int_equal(bench_apdu(bench, begin.data, begin.length), 0x9000);
    assert_int_equal(bench_apdu(bench, finish.data, finish.length), 0x6300); /* replayed */
    for (size_t at = 2; at < finish.length; at++) {
        uint8_t apdu[32];
        if (at == 3 || at == 4) {
            continue; /* P2 and Lc: not as far as the security chip */
        }
        bench_free(bench);
        bench_make(bench, &bench_host);
        begin_session(bench, section);
        memcpy(apdu, finish.data, finish.length);
        apdu[at] ^= at == 2 ? 0x02 : 0x01; /* level 01, MAC of level 03 */
        const uint16_t sw = at >= 5 && at < 13 ? 0x6300 : 0x6982;
        assert_int_equal(bench_apdu(bench, apdu, finish.length), sw);
        assert_int_equal(bench_apdu(bench, finish.data, finish.length), 0x6985);
    }
    for (size_t at = 5; at + 1 < wrapped.length; at++) {
        uint8_t apdu[64];
        bench_free(bench);
        bench_make(bench, &bench_host);
        open_session(bench, section);
        memcpy(apdu, wrapped.data, wrapped.length);
        apdu[at] ^= 1;
        assert_int_equal(bench_apdu(bench, apdu, wrapped.length), 0x6988);
        assert_int_equal(bench_apdu(bench, wrapped.data, wrapped.length), 0x6982);
    }
    vectors_close(vectors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(recorded_sessions_are_reproduced),
        CARD_TEST(check_values),
        CARD_TEST(no_keys_under_a_dek_of_3des),
        CARD_TEST(what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
