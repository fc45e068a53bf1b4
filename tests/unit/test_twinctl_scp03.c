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
    uint8_t key_version, challenge[SCP03_CHALLENGE];
    struct part aid;
    uint8_t answer[SCP03_BEGIN_LENGTH];
    size_t answer_length;
};

static void read_key(const struct vector_section *section, const char *name, uint8_t *to, size_t n)
{
    memcpy(to, vector_exactly(section, n, "%s", name), n);
}

static struct recorded read_session(const struct vector_section *section)
{
    struct recorded r = {.name = section->name, .answer_length = SCP03_BEGIN_LENGTH};
    struct cos_span aid = vector_bytes(section, "sd_aid");
    r.keys.length = vector_bytes(section, "k_enc").length;
    read_key(section, "k_enc", r.keys.enc, r.keys.length);
    read_key(section, "k_mac", r.keys.mac, r.keys.length);
    read_key(section, "k_dek", r.keys.dek, r.keys.length);
    const uint8_t *command = vector_exactly(section, 14, "initialize_update");
    r.key_version = command[2];
    memcpy(r.challenge, command + 5, sizeof r.challenge);
    r.aid = (struct part){aid.data, aid.length};
    memcpy(r.answer, vector_exactly(section, SCP03_BEGIN_LENGTH + 2, "initialize_update_rsp"),
           SCP03_BEGIN_LENGTH);
    return r;
}

static enum outcome begin(const struct recorded *r, struct scp03 *scp03, struct problem *problem)
{
    return scp03_begin(scp03, &r->keys, r->key_version, r->aid, r->challenge,
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

static size_t replay_session(const struct vector_section *section)
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
            memcmp(scp03.host_cryptogram, vector_exactly(section, 8, "host_cryptogram"), 8) == 0,
        "%s: session keys", r.name);
    assert_true(scp03_authenticate(&scp03, *vector_exactly(section, 1, "security_level"), &apdu));
    check_apdu(r.name, "EXTERNAL AUTHENTICATE", &apdu, vector_bytes(section, "ext_auth"));
    for (unsigned i = 0; vector_find(section, "cmd%u_plain", i) != NULL; i++) {
        struct command command = parse(vector_bytes(section, "cmd%u_plain", i));
        assert_true(scp03_wrap(&scp03, &command, &apdu));
        check_apdu(r.name, "command", &apdu, vector_bytes(section, "cmd%u_wrapped", i));
        commands++;
    }
    return commands;
}

/* Levels 03, 11 and 33; keys of 16, 24 and 32 bytes. The level's R-MAC and R-ENC do not touch
 * commands. */
static void recorded_sessions_are_reproduced(void **state)
{
    (void)state;
    struct vectors *vectors = vectors_open("gp-scp03.txt");
    size_t sessions = 0, commands = 0;
    for (size_t i = 0; i < vectors->count; i++) {
        const struct vector_section *section = &vectors->sections[i];
        if (vector_find(section, "sd_aid") != NULL) {
            commands += replay_session(section);
            sessions++;
        }
    }
    print_message("# %zu recorded sessions, %zu wrapped commands\n", sessions, commands);
    assert_int_equal(sessions, 8);
    assert_int_equal(commands, 7 * 5 + 1);
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
        size_t longest, wrapped;
    } cases[] = {{SCP03_C_MAC, 247, 255}, {SCP03_C_MAC_C_ENC, 239, 248}};
    uint8_t data[256] = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scp03 scp03 = {.level = cases[i].level, .key_length = 16};
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
