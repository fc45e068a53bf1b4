/* SPDX-License-Identifier: Apache-2.0
 *
 * Known-answer tests of a provider and of what is built on it. To save ROM, all inputs are pieces
 * of 00 01 02 ..., and of the answers one CRC-32 for a family of algorithms is kept. The unit test
 * gets the same answers from OpenSSL.
 */
#include "drbg.h"

/* The tests of one family. */
struct trial {
    const struct cos_crypto *crypto;
    uint8_t in[96];
    uint8_t out[40]; /* the last answer, and what it leaves of those before */
    uint32_t crc;    /* of out[] after each call */
};

/* Takes the answer of a call. One that failed leaves its answer out, and the CRC is another. */
static void take(struct trial *trial, enum cos_result result)
{
    if (result == COS_OK) {
        trial->crc = cos_crc32(trial->crc, trial->out, sizeof trial->out);
    }
}

/* Three key lengths; CBC over two blocks, so that chaining shows; CMAC with a last block that is
 * not full, and with one that is and with parts that meet inside a block; CCM over a block and a
 * half; two blocks and a half of the KDF. */
static void test_aes(struct trial *trial)
{
    const struct cos_crypto *crypto = trial->crypto;
    const uint8_t *key = trial->in, *iv = key + 16, *in = iv + 16;
    const struct cos_span parts[] = {{in, 21}, {in + 21, 27}};
    uint8_t *out = trial->out;

    for (size_t n = 16; n <= COS_AES_KEY_MAX; n += 8) {
        take(trial, crypto->aes_encrypt(crypto->context, key, n, in, out));
        take(trial, crypto->aes_decrypt(crypto->context, key, n, in, out));
    }
    take(trial, crypto->aes_cbc_encrypt(crypto->context, key, 16, iv, in, out, 32));
    take(trial, crypto->aes_cbc_decrypt(crypto->context, key, 16, iv, in, out, 32));
    for (size_t count = 1; count <= 2; count++) {
        take(trial, crypto->aes_cmac(crypto->context, key, 16, parts, count, out));
    }
    memcpy(out, in, 24);
    take(trial, crypto->aes_ccm_seal(crypto->context, key, 16, iv, in, 8, out, 24, out + 24));
    take(trial, crypto->aes_ccm_open(crypto->context, key, 16, iv, in, 8, out, 24, out + 24));
    take(trial, cos_kdf(crypto, key, 16, parts[0], parts[1], out, 40));
    take(trial, cos_kdf_scp03(crypto, key, 16, 0x01, parts[0], out, 32));
}

/* Three different keys. */
static void test_des3(struct trial *trial)
{
    const struct cos_crypto *crypto = trial->crypto;

    take(trial, crypto->des3_encrypt(crypto->context, trial->in, trial->in, trial->out));
    take(trial, crypto->des3_decrypt(crypto->context, trial->in, trial->in, trial->out));
}

/* One block, and two parts whose padding takes a second block; an HMAC key shorter than a block and
 * one that is longer; all steps of the DRBG. */
static void test_sha256(struct trial *trial)
{
    const struct cos_crypto *crypto = trial->crypto;
    const uint8_t *in = trial->in;
    const struct cos_span parts[] = {{in, 21}, {in + 21, 37}};
    struct cos_drbg drbg = {.crypto = crypto};

    for (size_t count = 1; count <= 2; count++) {
        take(trial, crypto->sha256(crypto->context, parts, count, trial->out));
        take(trial, crypto->hmac_sha256(crypto->context, in, 40 * count, parts, count, trial->out));
    }
    take(trial, cos_hmac_drbg_instantiate(&drbg, parts[0], parts[1]));
    take(trial, cos_hmac_drbg_reseed(&drbg, parts[1]));
    take(trial, cos_hmac_drbg_generate(&drbg, trial->out, sizeof trial->out));
    take(trial, cos_hmac_drbg_generate(&drbg, trial->out, sizeof trial->out));
}

enum cos_result cos_crypto_self_test(const struct cos_crypto *crypto, unsigned which)
{
    static const struct {
        void (*run)(struct trial *trial);
        uint32_t crc;
        uint8_t which;
    } tests[] = {
        {test_aes, 0x13074A4C, COS_SELF_TEST_AES},
        {test_des3, 0xD6FB7CC1, COS_SELF_TEST_DES3},
        {test_sha256, 0x73EF3ACA, COS_SELF_TEST_SHA256},
    };

    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct trial trial = {.crypto = crypto};
        if ((which & tests[i].which) == 0) {
            continue;
        }
        for (size_t at = 0; at < sizeof trial.in; at++) {
            trial.in[at] = (uint8_t)at;
        }
        tests[i].run(&trial);
        COS_CHECK(trial.crc == tests[i].crc, COS_E_SELF_TEST);
        which &= ~(unsigned)tests[i].which;
    }
    COS_CHECK(which == 0, COS_E_SELF_TEST); /* what there is no test for has not passed one */
    return COS_OK;
}
