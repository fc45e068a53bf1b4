/* SPDX-License-Identifier: Apache-2.0
 *
 * CCM against OpenSSL, with its limits and with every kind of forgery; and the modes over a block
 * engine that fails.
 */
#include "crypto_helpers.h"

#include "cos/crypto.h"
#include "crypto/modes.h"

#include <openssl/evp.h>

#define ASSOCIATED_MAX 65279U /* SP 800-38C annex A.2.2 with a length of two bytes */
#define DATA_MAX       65535U /* q = 2 */

static const struct cos_crypto *const crypto = &cos_crypto_tomcrypt;

/* One CCM message. */
struct message {
    uint8_t key[32], nonce[COS_CCM_NONCE], tag[COS_CCM_TAG];
    size_t key_length, associated_length, length;
    uint8_t associated[ASSOCIATED_MAX + 1], data[DATA_MAX + 1];
};

static struct message message, sealed, opened;

static void random_message(struct random *random, size_t associated_length, size_t length)
{
    message.key_length = 16 + 8 * random_below(random, 3);
    message.associated_length = associated_length;
    message.length = length;
    random_fill(random, message.key, sizeof message.key);
    random_fill(random, message.nonce, sizeof message.nonce);
    random_fill(random, message.associated, associated_length);
    random_fill(random, message.data, length);
}

static const EVP_CIPHER *openssl_ccm(size_t key_length)
{
    return key_length == 16   ? EVP_aes_128_ccm()
           : key_length == 24 ? EVP_aes_192_ccm()
                              : EVP_aes_256_ccm();
}

static void openssl_seal(struct message *m)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int n = 0;
    assert_int_equal(EVP_EncryptInit_ex(context, openssl_ccm(m->key_length), NULL, NULL, NULL), 1);
    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, COS_CCM_NONCE, NULL);
    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, COS_CCM_TAG, NULL);
    assert_int_equal(EVP_EncryptInit_ex(context, NULL, NULL, m->key, m->nonce), 1);
    assert_int_equal(EVP_EncryptUpdate(context, NULL, &n, NULL, (int)m->length), 1);
    if (m->associated_length > 0) {
        assert_int_equal(
            EVP_EncryptUpdate(context, NULL, &n, m->associated, (int)m->associated_length), 1);
    }
    assert_int_equal(EVP_EncryptUpdate(context, m->data, &n, m->data, (int)m->length), 1);
    assert_int_equal(EVP_EncryptFinal_ex(context, m->data + n, &n), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, COS_CCM_TAG, m->tag), 1);
    EVP_CIPHER_CTX_free(context);
}

static enum cos_result seal(struct message *m)
{
    return crypto->aes_ccm_seal(
        NULL, m->key, m->key_length, m->nonce, m->associated_length > 0 ? m->associated : NULL,
        m->associated_length, m->length > 0 ? m->data : NULL, m->length, m->tag);
}

static enum cos_result open_(struct message *m)
{
    return crypto->aes_ccm_open(
        NULL, m->key, m->key_length, m->nonce, m->associated_length > 0 ? m->associated : NULL,
        m->associated_length, m->length > 0 ? m->data : NULL, m->length, m->tag);
}

/* Seals the message here and there, and opens it again. */
static void agrees(void)
{
    struct message *there = &opened;
    sealed = message;
    *there = message;
    assert_int_equal(seal(&sealed), COS_OK);
    openssl_seal(there);
    assert_case(memcmp(sealed.data, there->data, message.length) == 0, "data, %zu and %zu bytes",
                message.associated_length, message.length);
    assert_case(memcmp(sealed.tag, there->tag, sizeof sealed.tag) == 0, "tag, %zu and %zu bytes",
                message.associated_length, message.length);
    opened = sealed;
    memset(opened.tag, 0, sizeof opened.tag);
    assert_int_equal(open_(&opened), COS_OK);
    assert_memory_equal(opened.data, message.data, message.length);
    assert_memory_equal(opened.tag, sealed.tag, sizeof opened.tag);
}

static void ccm_agrees_with_openssl(void **state)
{
    (void)state;
    struct random random = random_start(10);
    for (size_t length = 0; length <= 600; length++) {
        random_message(&random, random_below(&random, 601), length);
        agrees();
        random_message(&random, length, random_below(&random, 601));
        agrees();
    }
}

static void ccm_limits(void **state)
{
    (void)state;
    struct random random = random_start(11);
    static const struct {
        size_t associated_length, length;
        enum cos_result result;
    } cases[] = {
        {ASSOCIATED_MAX, 0, COS_OK},           {0, DATA_MAX, COS_OK},
        {ASSOCIATED_MAX, DATA_MAX, COS_OK},    {ASSOCIATED_MAX + 1, 0, COS_E_CRYPTO},
        {0, DATA_MAX + 1, COS_E_CRYPTO},       {ASSOCIATED_MAX + 1, DATA_MAX + 1, COS_E_CRYPTO},
        {ASSOCIATED_MAX + 1, 16, COS_E_CRYPTO}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        random_message(&random, cases[i].associated_length, cases[i].length);
        if (cases[i].result == COS_OK) {
            agrees();
            continue;
        }
        sealed = message;
        assert_int_equal(seal(&sealed), cases[i].result);
        assert_int_equal(open_(&sealed), cases[i].result);
        assert_memory_equal(&sealed, &message, sizeof message); /* nothing was touched */
    }
}

/* Every changed bit of data, associated data, nonce, key or tag makes a wrong tag. */
static void ccm_forgeries(void **state)
{
    (void)state;
    struct random random = random_start(12);
    random_message(&random, 21, 37);
    sealed = message;
    assert_int_equal(seal(&sealed), COS_OK);
    const struct {
        const char *what;
        uint8_t *at;
        size_t length;
    } fields[] = {
        {"data", opened.data, 37},
        {"associated data", opened.associated, 21},
        {"nonce", opened.nonce, sizeof opened.nonce},
        {"key", opened.key, message.key_length},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        for (size_t bit = 0; bit < fields[i].length * 8; bit++) {
            opened = sealed;
            fields[i].at[bit / 8] ^= (uint8_t)(1U << bit % 8);
            assert_int_equal(open_(&opened), COS_OK);
            assert_case(cos_equal_secret(opened.tag, sealed.tag, COS_CCM_TAG) != COS_YES,
                        "%s, bit %zu", fields[i].what, bit);
        }
    }
    /* Cut short, or with a byte moved from the associated data to the data. */
    opened = sealed;
    opened.length--;
    assert_int_equal(open_(&opened), COS_OK);
    assert_int_not_equal(cos_equal_secret(opened.tag, sealed.tag, COS_CCM_TAG), COS_YES);
    opened = sealed;
    opened.associated_length--;
    assert_int_equal(open_(&opened), COS_OK);
    assert_int_not_equal(cos_equal_secret(opened.tag, sealed.tag, COS_CCM_TAG), COS_YES);
}

/* ---- Over a block engine that fails at one call */

struct engine {
    unsigned calls, fail_at;
};

/* No cipher, but a permutation of blocks; the modes do not mind. */
static enum cos_result toy(void *state, const uint8_t in[16], uint8_t out[16])
{
    struct engine *engine = state;
    uint8_t block[16];
    if (++engine->calls == engine->fail_at) {
        return COS_E_CRYPTO;
    }
    for (size_t i = 0; i < 16; i++) {
        block[i] = (uint8_t)(in[(i * 5 + 3) % 16] ^ 0x3C);
    }
    memcpy(out, block, 16);
    return COS_OK;
}

enum mode { MODE_CBC_ENCRYPT, MODE_CBC_DECRYPT, MODE_CMAC, MODE_CCM_SEAL, MODE_CCM_OPEN, MODES };

static enum cos_result run_mode(enum mode mode, struct engine *engine)
{
    const struct cos_block_cipher cipher = {engine, toy};
    const uint8_t iv[16] = {0};
    uint8_t data[48] = {0}, mac[16];
    const struct cos_span part = {data, 40}, halves[] = {{data, 20}, {data + 20, 20}};
    switch (mode) {
    case MODE_CBC_ENCRYPT:
        return cos_cbc_encrypt(&cipher, iv, data, data, 48);
    case MODE_CBC_DECRYPT:
        return cos_cbc_decrypt(&cipher, iv, data, data, 48);
    case MODE_CMAC:
        return cos_cmac(&cipher, halves, 2, mac);
    case MODE_CCM_SEAL:
        return cos_ccm(&cipher, COS_CCM_SEAL, iv, part, data, 40, mac);
    default:
        return cos_ccm(&cipher, COS_CCM_OPEN, iv, part, data, 40, mac);
    }
}

static void engine_failures_are_handed_on(void **state)
{
    (void)state;
    /* Calls of the block function: CBC one a block; CMAC one a block and one for the subkey; CCM
     * B0, associated data with its length, data twice, and the tag's key stream. */
    static const unsigned calls[MODES] = {3, 3, 4, 1 + 3 + 2 * 3 + 1, 1 + 3 + 2 * 3 + 1};
    for (int mode = 0; mode < MODES; mode++) {
        for (unsigned fail_at = 1; fail_at <= calls[mode]; fail_at++) {
            struct engine engine = {0, fail_at};
            assert_case(run_mode((enum mode)mode, &engine) == COS_E_CRYPTO,
                        "mode %d, failure of call %u", mode, fail_at);
            assert_int_equal(engine.calls, fail_at); /* and nothing goes on after it */
        }
        struct engine engine = {0, 0};
        assert_int_equal(run_mode((enum mode)mode, &engine), COS_OK);
        assert_int_equal(engine.calls, calls[mode]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ccm_agrees_with_openssl),
        cmocka_unit_test(ccm_limits),
        cmocka_unit_test(ccm_forgeries),
        cmocka_unit_test(engine_failures_are_handed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
