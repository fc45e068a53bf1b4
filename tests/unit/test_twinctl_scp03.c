/* SPDX-License-Identifier: Apache-2.0
 *
 * The host's side of SCP03 against recorded sessions with real cards, and what it refuses.
 */
#include "crypto_helpers.h"
#include "twinctl/scp03.h"
#include "vectors.h"

/* A recorded session, as far as opening it needs. */
struct recorded {
    const char *name;
    struct scp03_keys keys;
    uint8_t key_version, challenge[SCP03_LONG];
    size_t challenge_length;
    struct part aid;
    uint8_t answer[SCP03_BEGIN_LENGTH_S16];
    size_t answer_length;
};

static void read_key(const struct vector_section *section, const char *name, uint8_t *to, size_t n)
{
    memcpy(to, vector_exactly(section, n, "%s", name), n);
}

static struct recorded read_session(const struct vector_section *section)
{
    struct recorded r = {.name = section->name};
    struct cos_span aid = vector_find(section, "sd_aid") != NULL ? vector_bytes(section, "sd_aid")
                                                                 : (struct cos_span){NULL, 0};
    r.keys.length = vector_bytes(section, "k_enc").length;
    read_key(section, "k_enc", r.keys.enc, r.keys.length);
    read_key(section, "k_mac", r.keys.mac, r.keys.length);
    read_key(section, "k_dek", r.keys.dek, r.keys.length);
    struct cos_span command = vector_bytes(section, "initialize_update");
    r.challenge_length = command.data[4];
    r.answer_length =
        r.challenge_length == SCP03_LONG ? SCP03_BEGIN_LENGTH_S16 : SCP03_BEGIN_LENGTH;
    r.key_version = command.data[2];
    assert_int_equal(command.length, 6 + r.challenge_length);
    memcpy(r.challenge, command.data + 5, r.challenge_length);
    r.aid = (struct part){aid.data, aid.length};
    memcpy(r.answer, vector_exactly(section, r.answer_length + 2, "initialize_update_rsp"),
           r.answer_length);
    if (aid.length == 0) { /* not told: as if the challenge were by chance */
        r.answer[12] &= 0xEF;
        r.answer_length -= SCP03_SEQUENCE;
    }
    return r;
}

static enum outcome begin(const struct recorded *r, struct scp03 *scp03, struct problem *problem)
{
    return scp03_begin(scp03, &r->keys, r->key_version, r->aid,
                       (struct part){r->challenge, r->challenge_length},
                       (struct part){r->answer, r->answer_length}, problem);
}

static void check_apdu(const char *name, const char *what, const struct bytes *apdu,
                       struct cos_span expected)
{
    assert_case(apdu->length == expected.length &&
                    memcmp(apdu->data, expected.data, expected.length) == 0,
                "%s: %s", name, what);
}

/* The short command APDU of a vector. */
static struct command parse(struct cos_span apdu)
{
    const uint8_t *a = apdu.data;
    struct command command = {.cla = a[0], .ins = a[1], .p1 = a[2], .p2 = a[3]};
    size_t nc = apdu.length > 5 ? a[4] : 0, after = 4 + (nc > 0 ? 1 + nc : 0);
    command.data = a + 5;
    command.nc = nc;
    assert_true(apdu.length == after || apdu.length == after + 1);
    if (apdu.length == after + 1) {
        command.ne = a[after] == 0 ? 256 : a[after];
    }
    return command;
}

/* A response as it was recorded opens to the plain one, and with any byte changed to none. */
static size_t replay_response(const struct vector_section *section, unsigned i,
                              const struct scp03 *scp03)
{
    if (vector_find(section, "rsp%u_wrapped", i) == NULL) {
        return 0;
    }
    const struct cos_span wrapped = vector_bytes(section, "rsp%u_wrapped", i);
    const struct cos_span plain = vector_bytes(section, "rsp%u_plain", i);
    const size_t end = wrapped.length - 2;
    for (size_t at = 0; at <= wrapped.length; at++) {
        struct scp03 copy = *scp03;
        uint8_t data[512];
        size_t length = end;
        memcpy(data, wrapped.data, wrapped.length);
        if (at < wrapped.length) {
            data[at] ^= at == end ? 0xF0 : 0x01; /* 9000 becomes 6000: an error has no data */
        }
        bool ok = scp03_unwrap(&copy, cos_get16(data + end), data, &length);
        if (at == wrapped.length) {
            assert_case(ok && length == plain.length - 2 && memcmp(data, plain.data, length) == 0,
                        "%s: response %u", section->name, i);
        } else {
            assert_case(ok == ((scp03->level & SCP03_R_MAC) == 0), "%s: response %u, byte %zu",
                        section->name, i, at);
        }
    }
    return 1;
}

static size_t replay_session(const struct vector_section *section, size_t *responses)
{
    struct recorded r = read_session(section);
    struct scp03 scp03;
    struct problem problem = {0};
    struct bytes apdu;
    size_t commands = 0;
    assert_case(begin(&r, &scp03, &problem) == DONE, "%s: %s", r.name, problem.text);
    assert_case(
        memcmp(scp03.s_enc, vector_exactly(section, r.keys.length, "s_enc"), r.keys.length) == 0 &&
            memcmp(scp03.s_mac, vector_exactly(section, r.keys.length, "s_mac"), r.keys.length) ==
                0 &&
            memcmp(scp03.s_rmac, vector_exactly(section, r.keys.length, "s_rmac"), r.keys.length) ==
                0 &&
            memcmp(scp03.host_cryptogram,
                   vector_exactly(section, r.challenge_length, "host_cryptogram"),
                   r.challenge_length) == 0,
        "%s: session keys", r.name);
    assert_true(scp03_authenticate(&scp03, *vector_exactly(section, 1, "security_level"), &apdu));
    check_apdu(r.name, "EXTERNAL AUTHENTICATE", &apdu, vector_bytes(section, "ext_auth"));
    for (unsigned i = 0; vector_find(section, "cmd%u_plain", i) != NULL; i++) {
        struct command command = parse(vector_bytes(section, "cmd%u_plain", i));
        assert_true(scp03_wrap(&scp03, &command, &apdu));
        check_apdu(r.name, "command", &apdu, vector_bytes(section, "cmd%u_wrapped", i));
        *responses += replay_response(section, i, &scp03);
        commands++;
    }
    return commands;
}

/* Modes S8 and S16; levels 03, 11 and 33; keys of 16, 24 and 32 bytes. */
static void recorded_sessions_are_reproduced(void **state)
{
    (void)state;
    struct vectors *vectors = vectors_open("gp-scp03.txt");
    size_t sessions = 0, commands = 0, responses = 0;
    for (size_t i = 0; i < vectors->count; i++) {
        const struct vector_section *section = &vectors->sections[i];
        if (vector_find(section, "initialize_update") != NULL) {
            commands += replay_session(section, &responses);
            sessions++;
        }
    }
    print_message("# %zu recorded sessions, %zu wrapped commands, %zu responses\n", sessions,
                  commands, responses);
    assert_int_equal(sessions, 8 + 4);
    assert_int_equal(commands, 7 * 5 + 1 + 4 * 3);
    assert_int_equal(responses, 7 + 4 * 3);
    vectors_close(vectors);
}

static void every_flipped_bit_of_the_answer_is_refused(void **state)
{
    (void)state;
    struct vectors *vectors = vectors_open("gp-scp03.txt");
    const struct recorded good =
        read_session(vectors_section(vectors, "S8 AES128 DELETE level 03"));
    for (size_t bit = 0; bit < 8 * SCP03_BEGIN_LENGTH; bit++) {
        /* Diversification data (10) and i apart from its pseudo-random bit are not proved. */
        bool proved = bit >= 80 && (bit / 8 != 12 || bit % 8 == 4);
        struct recorded r = good;
        struct scp03 scp03;
        struct problem problem = {0};
        r.key_version = good.answer[10];
        r.answer[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        assert_case(begin(&r, &scp03, &problem) == (proved ? REFUSED : DONE), "bit %zu", bit);
        assert_int_equal(problem.sw, 0);
        assert_case((problem.text[0] != '\0') == proved, "bit %zu", bit);
    }
    vectors_close(vectors);
}

static void wrong_keys_lengths_and_names_are_refused(void **state)
{
    (void)state;
    struct vectors *vectors = vectors_open("gp-scp03.txt");
    const struct recorded good =
        read_session(vectors_section(vectors, "S8 AES128 DELETE level 03"));
    struct scp03 scp03;
    struct problem problem = {0};
    for (size_t length = 0; length < SCP03_BEGIN_LENGTH; length++) {
        struct recorded r = good;
        r.answer_length = length;
        assert_case(begin(&r, &scp03, &problem) == REFUSED, "%zu bytes", length);
    }
    struct recorded r = good;
    r.keys.mac[0] ^= 1; /* cryptogram */
    assert_int_equal(begin(&r, &scp03, &problem), REFUSED);
    r = good;
    r.keys.enc[15] ^= 1; /* challenge */
    assert_int_equal(begin(&r, &scp03, &problem), REFUSED);
    r = good;
    r.aid.length--;
    assert_int_equal(begin(&r, &scp03, &problem), REFUSED);
    r = good;
    r.challenge[7] ^= 1;
    assert_int_equal(begin(&r, &scp03, &problem), REFUSED);
    r = good;
    r.key_version = 0x01; /* asked for another version than was answered */
    assert_int_equal(begin(&r, &scp03, &problem), REFUSED);
    vectors_close(vectors);
}

/* What the one length byte holds: 247 bytes and a MAC, or 15 blocks and a MAC. */
static void longest_commands(void **state)
{
    (void)state;
    static const struct {
        uint8_t level;
        size_t mac, longest, wrapped;
    } cases[] = {{SCP03_C_MAC, 8, 247, 255},
                 {SCP03_C_MAC_C_ENC, 8, 239, 248},
                 {SCP03_C_MAC, 16, 239, 255},
                 {SCP03_C_MAC_C_ENC, 16, 223, 240}};
    uint8_t data[256] = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scp03 scp03 = {
            .level = cases[i].level, .key_length = 16, .mac_length = cases[i].mac};
        struct command command = {.cla = 0x80, .ins = 0xE2, .data = data};
        struct bytes apdu;
        for (command.nc = 0; command.nc <= cases[i].longest; command.nc++) {
            assert_case(scp03_wrap(&scp03, &command, &apdu), "%zu bytes", command.nc);
        }
        assert_int_equal(apdu.length, 5 + cases[i].wrapped);
        assert_int_equal(apdu.data[0], 0x84);
        assert_int_equal(apdu.data[4], cases[i].wrapped);
        for (; command.nc < sizeof data; command.nc++) {
            assert_case(!scp03_wrap(&scp03, &command, &apdu), "%zu bytes", command.nc);
        }
    }
}

static void put_key_data(void **state)
{
    (void)state;
    struct vectors *vectors = vectors_open("gp-scp03.txt");
    const struct vector_section *section = vectors_section(vectors, "PUT KEY data AES128");
    struct scp03_keys keys = {.length = 16};
    read_key(section, "new_key0", keys.enc, 16);
    read_key(section, "new_key1", keys.mac, 16);
    read_key(section, "new_key2", keys.dek, 16);
    struct cos_span expected = vector_bytes(section, "put_key_plain_apdu");
    struct bytes data, apdu;
    assert_true(
        scp03_put_key(vector_exactly(section, 16, "k_dek"), 16, expected.data[5], &keys, &data));
    struct command command = {.cla = 0x80,
                              .ins = 0xD8,
                              .p1 = 0x00,
                              .p2 = 0x81,
                              .data = data.data,
                              .nc = data.length,
                              .ne = 256};
    assert_true(command_write(&command, &apdu));
    check_apdu(section->name, "PUT KEY", &apdu, expected);
    keys.length = 24; /* this host makes AES-128 sets */
    assert_false(scp03_put_key(keys.enc, 16, 0x31, &keys, &data));
    vectors_close(vectors);
}

static void check_values(void **state)
{
    (void)state;
    struct vectors *vectors = vectors_open("gp-scp03.txt");
    const struct vector_section *section = vectors_section(vectors, "KCV AES");
    for (unsigned i = 0; i < 4; i++) {
        uint8_t value[3];
        assert_true(scp03_check_value(vector_exactly(section, 16, "key%u", i), 16, value));
        assert_memory_equal(value, vector_exactly(section, 3, "kcv%u", i), 3);
    }
    vectors_close(vectors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_sessions_are_reproduced),
        cmocka_unit_test(every_flipped_bit_of_the_answer_is_refused),
        cmocka_unit_test(wrong_keys_lengths_and_names_are_refused),
        cmocka_unit_test(longest_commands),
        cmocka_unit_test(put_key_data),
        cmocka_unit_test(check_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
