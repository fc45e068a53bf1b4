/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames and the secure channel by themselves (docs/formats.md, "Frames on the link" and "HELLO"):
 * what is damaged is found, what is authentic is so by OpenSSL's word too, and no nonce comes
 * twice in the life of a card.
 */
#include "bench.h"
#include "gate/channel.h"
#include "oracle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { ROOM = COS_LINK_FRAME_MAX + 64, SESSION = 0x01020304, SEQUENCE = 0x0A0B0C0D };

static const uint8_t key[16] = {0x2B, 0x7E, 0x15, 0x16, 0x28, 0xAE, 0xD2, 0xA6,
                                0xAB, 0xF7, 0x15, 0x88, 0x09, 0xCF, 0x4F, 0x3C};
static const uint8_t request_tag[8] = {1, 2, 3, 4, 5, 6, 7, 8};

/* A finished frame; sealed if session is not 0. */
static size_t make(uint8_t *bytes, enum frame_direction direction, uint32_t session, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bytes[FRAME_HEADER + i] = (uint8_t)(i * 31 + 7);
    }
    cos_frame_begin(bytes, direction, 0x06, session, SEQUENCE, length);
    if (session != 0) {
        assert_int_equal(cos_channel_seal(&cos_crypto_tomcrypt, key, bytes, length,
                                          direction == FRAME_RESPONSE ? request_tag : NULL),
                         COS_OK);
    }
    return cos_frame_finish(bytes, length);
}

static void repair(uint8_t *bytes, size_t length)
{
    cos_put32(bytes + length - 4, cos_crc32(0, bytes, length - 4));
}

static void every_size_is_read_as_it_was_written(void **state)
{
    static const uint32_t sessions[] = {0, SESSION};
    uint8_t bytes[ROOM], before[ROOM];
    struct frame frame;

    (void)state;
    for (size_t s = 0; s < COUNT(sessions); s++) {
        const size_t around = 12 + 4 + (sessions[s] != 0 ? 8 : 0);
        for (size_t n = 0; n <= COS_GATE_MESSAGE_MAX + 2; n++) {
            size_t length = make(bytes, FRAME_REQUEST, sessions[s], n);
            assert_int_equal(length, n + around);
            assert_int_equal(cos_get16(bytes), length - 6);
            memcpy(before, bytes, length);
            enum cos_result result = cos_frame_parse(bytes, length, &frame);
            assert_memory_equal(bytes, before, length);
            if (n > COS_GATE_MESSAGE_MAX) {
                assert_int_equal(result, COS_E_LINK_DAMAGED);
                continue;
            }
            assert_int_equal(result, COS_OK);
            assert_int_equal(frame.direction, FRAME_REQUEST);
            assert_int_equal(frame.opcode, 0x06);
            assert_int_equal(frame.session, sessions[s]);
            assert_int_equal(frame.sequence, SEQUENCE);
            assert_int_equal(frame.length, n);
            assert_ptr_equal(frame.message, bytes + 12);
        }
    }
}

/* A run of bytes whose length field and CRC are right, but which is too short or too long. */
static void sizes_outside_a_frame_are_damage(void **state)
{
    uint8_t bytes[ROOM] = {0};
    struct frame frame;

    (void)state;
    for (size_t length = 6; length < sizeof bytes; length++) {
        for (unsigned session = 0; session <= 1; session++) {
            const size_t smallest = session != 0 ? 24 : 16;
            const size_t largest = COS_GATE_MESSAGE_MAX + smallest;
            memset(bytes, 0, sizeof bytes);
            cos_put16(bytes, (uint16_t)(length - 6));
            if (length > smallest) {
                cos_put32(bytes + 4, session);
            }
            repair(bytes, length);
            if (session != 0 && length <= smallest) {
                continue; /* the session would lie in the CRC */
            }
            assert_int_equal(cos_frame_parse(bytes, length, &frame),
                             length >= smallest && length <= largest ? COS_OK : COS_E_LINK_DAMAGED);
        }
    }
    for (size_t length = 0; length < 6; length++) {
        memset(bytes, 0, sizeof bytes);
        assert_int_equal(cos_frame_parse(bytes, length, &frame), COS_E_LINK_DAMAGED);
    }
    /* A session, but no room for its tag. */
    for (size_t length = 16; length < 24; length++) {
        memset(bytes, 0, sizeof bytes);
        cos_put16(bytes, (uint16_t)(length - 6));
        cos_put32(bytes + 4, SESSION);
        repair(bytes, length);
        assert_int_equal(cos_frame_parse(bytes, length, &frame), COS_E_LINK_DAMAGED);
    }
}

static void every_length_field_but_the_right_one_is_damage(void **state)
{
    uint8_t bytes[ROOM];
    struct frame frame;
    size_t length = make(bytes, FRAME_REQUEST, SESSION, 40);

    (void)state;
    for (unsigned field = 0; field <= 0xFFFF; field++) {
        cos_put16(bytes, (uint16_t)field);
        repair(bytes, length);
        assert_int_equal(cos_frame_parse(bytes, length, &frame),
                         field == length - 6 ? COS_OK : COS_E_LINK_DAMAGED);
    }
}

static const struct {
    enum frame_direction direction;
    uint32_t session;
    size_t length;
} samples[] = {
    {FRAME_REQUEST, 0, 0},         {FRAME_REQUEST, 0, 18},
    {FRAME_RESPONSE, 0, 30},       {FRAME_REQUEST, SESSION, 0},
    {FRAME_REQUEST, SESSION, 36},  {FRAME_RESPONSE, SESSION, 6},
    {FRAME_RESPONSE, SESSION, 70}, {FRAME_REQUEST, SESSION, COS_GATE_MESSAGE_MAX},
};

static void every_truncation_is_damage(void **state)
{
    uint8_t bytes[ROOM];
    struct frame frame;

    (void)state;
    for (size_t i = 0; i < COUNT(samples); i++) {
        size_t length = make(bytes, samples[i].direction, samples[i].session, samples[i].length);
        for (size_t cut = 0; cut < length; cut++) {
            assert_int_equal(cos_frame_parse(bytes, cut, &frame), COS_E_LINK_DAMAGED);
        }
        bytes[length] = 0;
        assert_int_equal(cos_frame_parse(bytes, length + 1, &frame), COS_E_LINK_DAMAGED);
        assert_int_equal(cos_frame_parse(bytes, length, &frame), COS_OK);
    }
}

static void every_flipped_bit_is_damage(void **state)
{
    uint8_t bytes[ROOM];
    struct frame frame;

    (void)state;
    for (size_t i = 0; i < COUNT(samples); i++) {
        size_t length = make(bytes, samples[i].direction, samples[i].session, samples[i].length);
        for (size_t bit = 0; bit < 8 * length; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
            assert_int_equal(cos_frame_parse(bytes, length, &frame), COS_E_LINK_DAMAGED);
            bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
        assert_int_equal(cos_frame_parse(bytes, length, &frame), COS_OK);
    }
}

/* An attacker makes the CRC right again: then the tag is wrong, and nothing is let out. */
static void every_flipped_bit_under_a_good_crc_has_a_bad_tag(void **state)
{
    static const uint8_t zeros[COS_GATE_MESSAGE_MAX];
    uint8_t bytes[ROOM], flipped[ROOM];
    struct frame frame;

    (void)state;
    for (size_t i = 0; i < COUNT(samples); i++) {
        const uint8_t *tag = samples[i].direction == FRAME_RESPONSE ? request_tag : NULL;
        size_t length = make(bytes, samples[i].direction, samples[i].session, samples[i].length);
        if (samples[i].session == 0) {
            continue;
        }
        for (size_t bit = 0; bit < 8 * (length - 4); bit++) {
            memcpy(flipped, bytes, length);
            flipped[bit / 8] ^= (uint8_t)(1U << bit % 8);
            repair(flipped, length);
            enum cos_result result = cos_frame_parse(flipped, length, &frame);
            if (bit < 16) {
                assert_int_equal(result, COS_E_LINK_DAMAGED);
                continue;
            }
            assert_int_equal(result, COS_OK);
            assert_int_equal(cos_channel_open(&cos_crypto_tomcrypt, key, &frame, tag),
                             COS_E_GATE_SESSION);
            assert_memory_equal(frame.message, zeros, frame.length);
        }
    }
}

static void a_response_answers_one_request_only(void **state)
{
    static const uint8_t other_tag[8] = {1, 2, 3, 4, 5, 6, 7, 9};
    uint8_t bytes[ROOM], other_key[16];
    struct frame frame;

    (void)state;
    memcpy(other_key, key, sizeof other_key);
    other_key[15] ^= 1;
    const struct {
        enum frame_direction direction;
        const uint8_t *key, *tag;
        enum cos_result result;
    } cases[] = {
        {FRAME_RESPONSE, key, request_tag, COS_OK},
        {FRAME_RESPONSE, key, other_tag, COS_E_GATE_SESSION},
        {FRAME_RESPONSE, key, NULL, COS_E_GATE_SESSION},
        {FRAME_RESPONSE, other_key, request_tag, COS_E_GATE_SESSION},
        {FRAME_REQUEST, key, NULL, COS_OK},
        {FRAME_REQUEST, key, request_tag, COS_E_GATE_SESSION},
        {FRAME_REQUEST, other_key, NULL, COS_E_GATE_SESSION},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t length = make(bytes, cases[i].direction, SESSION, 20);
        assert_int_equal(cos_frame_parse(bytes, length, &frame), COS_OK);
        assert_int_equal(cos_channel_open(&cos_crypto_tomcrypt, cases[i].key, &frame, cases[i].tag),
                         cases[i].result);
    }
}

/* ---- Against OpenSSL ---- */

static void sealed_frames_are_ccm_by_openssl(void **state)
{
    uint8_t bytes[ROOM], plain[ROOM], sealed[ROOM], associated[20], nonce[13] = {0};

    (void)state;
    for (size_t n = 0; n <= COS_GATE_MESSAGE_MAX; n++) {
        for (unsigned direction = 1; direction <= 2; direction++) {
            (void)make(bytes, (enum frame_direction)direction, SESSION, n);
            for (size_t i = 0; i < n; i++) {
                plain[i] = (uint8_t)(i * 31 + 7);
            }
            nonce[0] = (uint8_t)direction;
            memcpy(nonce + 1, "\x01\x02\x03\x04\x0A\x0B\x0C\x0D", 8);
            memcpy(associated, bytes, 12);
            memcpy(associated + 12, request_tag, 8);
            assert_true(oracle_ccm_seal(key, 16, nonce, associated, direction == 1 ? 12 : 20, plain,
                                        n, sealed));
            assert_memory_equal(bytes + 12, sealed, n + 8);
        }
    }
}

static void session_keys_are_kbkdf_by_openssl(void **state)
{
    uint64_t seed = 0x4B444B46;

    (void)state;
    for (unsigned round = 0; round < 200; round++) {
        uint8_t secret[32], nonces[33], derived[52], mac[16];
        struct cos_channel_keys keys;
        for (size_t i = 0; i < 32; i++) {
            secret[i] = (uint8_t)sim_random(&seed);
            nonces[1 + i] = (uint8_t)sim_random(&seed);
        }
        assert_int_equal(
            cos_channel_derive(&cos_crypto_tomcrypt, secret, nonces + 1, nonces + 17, &keys),
            COS_OK);
        assert_true(oracle_kdf(secret, 32, "TwinCOS gate", nonces + 1, 32, derived, 52));
        assert_memory_equal(keys.request, derived, 16);
        assert_memory_equal(keys.response, derived + 16, 16);
        assert_int_equal(keys.session, cos_get32(derived + 48));
        nonces[0] = 0x01;
        assert_true(crypto_cmac(derived + 32, 16, nonces, 33, mac));
        assert_memory_equal(keys.confirmation_app, mac, 8);
        nonces[0] = 0x02;
        assert_true(crypto_cmac(derived + 32, 16, nonces, 33, mac));
        assert_memory_equal(keys.confirmation_secure, mac, 8);
        assert_memory_not_equal(keys.request, keys.response, 16);
    }
}

/* ---- Nonces ---- */

struct used {
    uint8_t key[32], nonce[13];
};
enum { USED_MAX = 8192 };
static struct used used[USED_MAX];
static size_t used_count;
static struct bench card;

static enum cos_result seal_and_note(void *context, const uint8_t *k, size_t k_length,
                                     const uint8_t nonce[COS_CCM_NONCE], const uint8_t *associated,
                                     size_t associated_length, uint8_t *data, size_t length,
                                     uint8_t tag[COS_CCM_TAG])
{
    if (!card.secure.drbg.ready) { /* a known-answer test at start */
        return cos_crypto_tomcrypt.aes_ccm_seal(context, k, k_length, nonce, associated,
                                                associated_length, data, length, tag);
    }
    if (used_count < USED_MAX) {
        struct used *one = &used[used_count];
        memset(one, 0, sizeof *one);
        memcpy(one->key, k, k_length);
        memcpy(one->nonce, nonce, sizeof one->nonce);
    }
    used_count++;
    return cos_crypto_tomcrypt.aes_ccm_seal(context, k, k_length, nonce, associated,
                                            associated_length, data, length, tag);
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct used));
}

static void use_card(struct bench *bench)
{
    for (unsigned round = 0; round < 20; round++) {
        bench_power_off(bench);
        assert_true(bench_power_on(bench));
        assert_int_equal(bench_hex(bench, "00A40400 09 F05457494E434F5301"), 0x9000);
        assert_int_equal(bench_hex(bench, "00200081 06 313233343536"), 0x9000);
        assert_int_equal(bench_hex(bench, "00B08100 10"), 0x9000);
        assert_int_equal(bench_hex(bench, "00200081 04 30303030"), 0x63C2);
        assert_int_equal(bench_hex(bench, "00240081 0C 313233343536 313233343536"), 0x9000);
        assert_int_equal(bench_hex(bench, "0084000008"), 0x9000);
        assert_int_equal(bench_sm_open(bench, 0x01, 0x03), 0x9000);
        assert_int_equal(bench_sm_hex(bench, "00200081 06 313233343536"), 0x9000);
    }
}

/* From the first start to use, with everything that both chips seal on the way: frames, the
 * wrapped pairing secret, secrets in NVM. */
static void no_nonce_comes_twice_under_a_key(void **state)
{
    struct cos_crypto noting = cos_crypto_tomcrypt;

    (void)state;
    noting.aes_ccm_seal = seal_and_note;
    bench_init(&card, &bench_small);
    card.app_config.crypto = &noting;
    card.secure_config.crypto = &noting;
    used_count = 0;
    assert_true(bench_power_on(&card));
    assert_true(bench_produce_to(&card, COS_LIFE_OPERATIONAL));
    use_card(&card);
    assert_true(used_count > 500 && used_count <= USED_MAX);
    qsort(used, used_count, sizeof used[0], compare);
    for (size_t i = 1; i < used_count; i++) {
        if (compare(&used[i - 1], &used[i]) == 0) {
            fail_msg("a pair of key and nonce was used twice");
        }
    }
    print_message("# %zu messages sealed, from the first start to use: no nonce twice under a "
                  "key\n",
                  used_count);
    bench_free(&card);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_is_read_as_it_was_written),
        cmocka_unit_test(sizes_outside_a_frame_are_damage),
        cmocka_unit_test(every_length_field_but_the_right_one_is_damage),
        cmocka_unit_test(every_truncation_is_damage),
        cmocka_unit_test(every_flipped_bit_is_damage),
        cmocka_unit_test(every_flipped_bit_under_a_good_crc_has_a_bad_tag),
        cmocka_unit_test(a_response_answers_one_request_only),
        cmocka_unit_test(sealed_frames_are_ccm_by_openssl),
        cmocka_unit_test(session_keys_are_kbkdf_by_openssl),
        cmocka_unit_test(no_nonce_comes_twice_under_a_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
