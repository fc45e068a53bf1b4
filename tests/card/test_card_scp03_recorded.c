/* SPDX-License-Identifier: Apache-2.0
 *
 * The recorded SCP03 sessions of tests/vectors/gp-scp03.txt, played to this card: it draws the
 * challenges that the recorded cards drew, and everything that follows from keys and challenges
 * must be what was recorded: cryptograms, session keys, commands opened and responses sealed.
 */
#include "card_table.h"
#include "chance.h"
#include "secure_domain/domain.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void key_of(const struct vector_section *section, const char *name, uint8_t *key, size_t n)
{
    memcpy(key, vector_exactly(section, n, "%s", name), n);
}

/* The recorded card's key set, in place of this card's. */
static void put_keys(struct bench *bench, const struct vector_section *section, uint8_t version)
{
    struct scp03_keys keys = {.length = vector_bytes(section, "k_enc").length};

    key_of(section, "k_enc", keys.enc, keys.length);
    key_of(section, "k_mac", keys.mac, keys.length);
    key_of(section, "k_dek", keys.dek, keys.length);
    bench_session(bench, 0x03);
    assert_int_equal(bench_put_keys(bench, &bench_keys_card, 0x01, version, &keys), 0x9000);
}

static void open_session(struct bench *bench, const struct vector_section *section)
{
    const struct cos_span begin = vector_bytes(section, "initialize_update");
    const struct cos_span answer = vector_bytes(section, "initialize_update_rsp");
    const struct cos_span finish = vector_bytes(section, "ext_auth");
    const size_t n = begin.data[4], keys = vector_bytes(section, "k_enc").length;
    const struct cos_session *session = &bench->secure.sessions[0];

    bench->secure.config.scp03 = COS_SCP03_R_MAC_ENC | (n == 16 ? COS_SCP03_S16 : 0);
    chance_next(answer.data + 13, n);
    assert_int_equal(bench_apdu(bench, begin.data, begin.length), 0x9000);
    assert_int_equal(bench->length, 13 + 2 * n); /* no counter: the challenge is by chance */
    assert_memory_equal(bench->data + 10, answer.data + 10, 2);
    assert_int_equal(bench->data[12], bench->secure.config.scp03);
    assert_memory_equal(bench->data + 13, answer.data + 13, 2 * n);
    assert_memory_equal(bench->data + 13 + n, vector_exactly(section, n, "card_cryptogram"), n);
    assert_int_equal(bench_apdu(bench, finish.data, finish.length), 0x9000);
    assert_int_equal(session->level, *vector_exactly(section, 1, "security_level"));
    assert_memory_equal(session->enc, vector_exactly(section, keys, "s_enc"), keys);
    assert_memory_equal(session->mac, vector_exactly(section, keys, "s_mac"), keys);
    assert_memory_equal(session->rmac, vector_exactly(section, keys, "s_rmac"), keys);
}

/* SM_OPEN: the plain command must come out. */
static void open_command(struct bench *bench, struct cos_span wrapped, struct cos_span plain)
{
    uint8_t message[1 + 5 + COS_SM_MAX + 1] = {0}, opened[300];
    struct cos_writer body = cos_writer(opened, sizeof opened);
    struct cos_command command;

    memcpy(message + 1, wrapped.data, wrapped.length);
    struct cos_reader request = cos_reader(message, 1 + wrapped.length);
    assert_int_equal(cos_call_sm_open(&bench->secure, &request, &body), COS_OK);
    assert_int_equal(cos_apdu_parse(plain.data, plain.length, &command), COS_OK);
    assert_int_equal(opened[0], 0); /* none of these is held */
    assert_memory_equal(opened + 1, plain.data, 4);
    assert_int_equal(cos_get32(opened + 5), command.ne);
    assert_int_equal(opened[11], command.nc);
    assert_int_equal(body.length, 12U + command.nc);
    assert_memory_equal(opened + 12, command.data == NULL ? opened : command.data, command.nc);
}

/* One of the recorded cards padded its short responses with a block of 00 more than ISO/IEC 9797-1
 * has: the host takes them (unit/test_twinctl_scp03), this card makes none. */
static bool has_a_block_too_many(const struct cos_session *session, size_t plain, size_t wrapped)
{
    return (session->level & COS_SM_RESPONSE_ENC) != 0 &&
           wrapped == (plain / 16 + 2) * 16 + session->mac_length;
}

/* SM_SEAL. Whether it was compared with a recorded one. */
static bool seal_response(struct bench *bench, struct cos_span plain, struct cos_span wrapped)
{
    uint8_t message[3 + 256] = {0}, sealed[300];
    struct cos_writer body = cos_writer(sealed, sizeof sealed);
    const size_t length = plain.length - 2;

    memcpy(message + 1, plain.data + length, 2);
    memcpy(message + 3, plain.data, length);
    struct cos_reader request = cos_reader(message, 3 + length);
    assert_int_equal(cos_call_sm_seal(&bench->secure, &request, &body), COS_OK);
    if (wrapped.data == NULL ||
        has_a_block_too_many(&bench->secure.sessions[0], length, wrapped.length - 2)) {
        return false;
    }
    assert_int_equal(body.length, wrapped.length);
    assert_memory_equal(sealed, wrapped.data + wrapped.length - 2, 2);
    assert_memory_equal(sealed + 2, wrapped.data, wrapped.length - 2);
    return true;
}

static void play(struct bench *bench, const struct vector_section *section, size_t counts[2])
{
    static const uint8_t success[] = {0x90, 0x00};

    put_keys(bench, section, vector_bytes(section, "initialize_update_rsp").data[10]);
    chance_take(bench);
    open_session(bench, section);
    for (unsigned i = 0; vector_find(section, "cmd%u_plain", i) != NULL; i++) {
        struct cos_span plain = {success, 2}, wrapped = {NULL, 0};
        if (vector_find(section, "rsp%u_plain", i) != NULL) {
            plain = vector_bytes(section, "rsp%u_plain", i);
            wrapped = vector_bytes(section, "rsp%u_wrapped", i);
        }
        open_command(bench, vector_bytes(section, "cmd%u_wrapped", i),
                     vector_bytes(section, "cmd%u_plain", i));
        counts[1] += seal_response(bench, plain, wrapped) ? 1 : 0;
        counts[0]++;
    }
}

static void recorded_sessions_are_reproduced(void **state)
{
    struct bench *bench = *state;
    struct vectors *vectors = vectors_open("gp-scp03.txt");
    size_t sessions = 0, counts[2] = {0, 0};

    for (size_t i = 0; i < vectors->count; i++) {
        const struct vector_section *section = &vectors->sections[i];
        if (vector_find(section, "initialize_update") != NULL) {
            bench_free(bench);
            bench_make(bench, &bench_host);
            play(bench, section, counts);
            sessions++;
        }
    }
    print_message("# %zu recorded sessions, %zu commands opened, %zu responses sealed\n", sessions,
                  counts[0], counts[1]);
    assert_int_equal(sessions, 12);
    assert_int_equal(counts[0], 7 * 5 + 1 + 4 * 3);
    assert_int_equal(counts[1], 7 + 4 * 2);
    vectors_close(vectors);
}

/* PUT KEY as it stands in the file: the card deciphers the keys and answers the check values. */
static void recorded_put_key(void **state)
{
    struct bench *bench = *state;
    struct vectors *vectors = vectors_open("gp-scp03.txt");
    const struct vector_section *section = vectors_section(vectors, "PUT KEY data AES128");
    const struct cos_span apdu = vector_bytes(section, "put_key_plain_apdu");
    const struct cos_span answer = vector_bytes(section, "put_key_rsp");
    struct scp03_keys keys = {.length = 16}, fresh = {.length = 16};

    keys = bench_keys_card;
    key_of(section, "k_dek", keys.dek, 16);
    bench_session(bench, 0x33);
    assert_int_equal(bench_put_keys(bench, &bench_keys_card, 0x01, 0x02, &keys), 0x9000);
    assert_int_equal(bench_open_keys(bench, &keys, 0x02, 0x33), 0x9000);
    assert_int_equal(bench_sm(bench, 0x80, 0xD8, apdu.data[2], 0x81, apdu.data + 5, apdu.data[4]),
                     0x9000);
    assert_int_equal(bench->length, answer.length - 2);
    assert_memory_equal(bench->data, answer.data, bench->length);
    key_of(section, "new_key0", fresh.enc, 16);
    key_of(section, "new_key1", fresh.mac, 16);
    key_of(section, "new_key2", fresh.dek, 16);
    assert_int_equal(bench_open_keys(bench, &fresh, answer.data[0], 0x13), 0x9000);
    vectors_close(vectors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(recorded_sessions_are_reproduced),
        CARD_TEST(recorded_put_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
