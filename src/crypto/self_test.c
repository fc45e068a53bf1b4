/* SPDX-License-Identifier: Apache-2.0
 *
 * Known-answer tests of what every provider has, and of what is built on it.
 */
#include "self_test.h"

#include "drbg.h"

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

    if (crypto->des3_encrypt == NULL || crypto->des3_decrypt == NULL) {
        return; /* and the CRC is not that of the answers */
    }
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
        take(trial, crypto->hash(crypto->context, COS_SHA256, parts, count, trial->out));
        take(trial,
             crypto->hmac(crypto->context, COS_SHA256, in, 40 * count, parts, count, trial->out));
    }
    take(trial, cos_hmac_drbg_instantiate(&drbg, parts[0], parts[1]));
    take(trial, cos_hmac_drbg_reseed(&drbg, parts[1]));
    take(trial, cos_hmac_drbg_generate(&drbg, trial->out, sizeof trial->out));
    take(trial, cos_hmac_drbg_generate(&drbg, trial->out, sizeof trial->out));
}

enum cos_result cos_crypto_self_test(const struct cos_crypto *crypto, unsigned which)
{
    static const struct test tests[] = {
        {test_aes, 0x9E18AF58, COS_SELF_TEST_AES, 0},
        {test_des3, 0x0750F3C6, COS_SELF_TEST_DES3, 0},
        {test_sha256, 0xCE0165D2, COS_SELF_TEST_SHA256, 0},
    };
    unsigned left = which;
    struct trial trial;

    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        if ((which & tests[i].which) != 0) {
            prepare(&trial, crypto, tests[i].member);
            tests[i].run(&trial);
            COS_CHECK(trial.crc == tests[i].crc, COS_E_SELF_TEST);
            left &= ~(unsigned)tests[i].which;
        }
    }
    COS_CHECK(left == 0, COS_E_SELF_TEST); /* what there is no test for has not passed one */
    return COS_OK;
}
