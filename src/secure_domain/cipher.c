/* SPDX-License-Identifier: Apache-2.0
 *
 * ENCIPHER and DECIPHER (ISO/IEC 7816-8:2019, 11.12 and 11.13), with key pairs and block ciphers.
 */
#include "crypt.h"

#include "crypto/mac.h"
#include "crypto/padding.h"
#include "crypto/rsa.h"

/* Padding indicator bytes (ISO/IEC 7816-4:2013, table 49). */
enum { INDICATOR_NONE = 0x00, INDICATOR_PADDED = 0x01, INDICATOR_UNPADDED = 0x02 };

static size_t block_of(const struct object *key)
{
    return key->algorithm == ALGORITHM_DES3 ? COS_DES_BLOCK : COS_AES_BLOCK;
}

static bool is_block_cipher(const struct object *key)
{
    return key->algorithm == ALGORITHM_AES || key->algorithm == ALGORITHM_DES3;
}

static enum cos_result choose(struct operation *operation)
{
    if (is_block_cipher(&operation->key)) {
        COS_TRY(cos_crypt_choose(operation, SCHEME_CBC_PADDED, SCHEME_CBC));
        const uint8_t vector = operation->channel->environment.vector_length;
        COS_CHECK(vector == 0 || vector == block_of(&operation->key), COS_E_CONDITIONS);
        return COS_OK;
    }
    COS_CHECK(operation->key.algorithm == ALGORITHM_RSA, COS_E_CONDITIONS);
    COS_TRY(cos_crypt_choose(operation, SCHEME_CIPHER_V15, SCHEME_OAEP));
    const size_t digest = cos_hash_size(operation->hash);
    COS_CHECK(operation->scheme != SCHEME_OAEP ||
                  2 * digest + 2 <= cos_material_modulus(&operation->key),
              COS_E_CONDITIONS); /* no message is so short */
    return COS_OK;
}

/* The byte in front of a cryptogram of tag 86. */
static uint8_t indicator_of(const struct operation *operation)
{
    if (!is_block_cipher(&operation->key)) {
        return INDICATOR_NONE;
    }
    return operation->scheme == SCHEME_CBC ? INDICATOR_UNPADDED : INDICATOR_PADDED;
}

/* CBC in place, with the environment's initial value block, or 00. */
static enum cos_result apply_cbc(struct operation *operation, bool encipher, uint8_t *data,
                                 size_t length)
{
    struct cos_secure *secure = operation->secure;
    const struct cos_crypto *crypto = secure->config.crypto;
    const uint8_t *key = secure->clear.secret;
    const uint8_t *vector = operation->channel->environment.vector;

    COS_TRY(cos_object_secret(secure, &operation->key, secure->clear.secret));
    COS_TRY(cos_crypt_spend(operation));
    if (operation->key.algorithm == ALGORITHM_DES3) {
        return encipher ? cos_des3_cbc_encrypt(crypto, key, vector, data, data, length)
                        : cos_des3_cbc_decrypt(crypto, key, vector, data, data, length);
    }
    return encipher ? crypto->aes_cbc_encrypt(crypto->context, key, operation->key.length, vector,
                                              data, data, length)
                    : crypto->aes_cbc_decrypt(crypto->context, key, operation->key.length, vector,
                                              data, data, length);
}

/* ---- DECIPHER ---- */

static enum cos_result decipher_blocks(struct operation *operation, struct cos_span cryptogram)
{
    const size_t block = block_of(&operation->key);
    size_t length = cryptogram.length;
    uint8_t *plain = cos_write_room(operation->body, length);

    COS_CHECK(length != 0 && length % block == 0, COS_E_DATA);
    COS_CHECK(!operation->secure->in_sm || length <= COS_SM_ANSWER_MAX, COS_E_LENGTH);
    COS_INVARIANT(plain != NULL);
    memcpy(plain, cryptogram.data, length);
    COS_TRY(apply_cbc(operation, false, plain, length));
    if (operation->scheme == SCHEME_CBC_PADDED) {
        COS_TRY(cos_unpad(plain, length, block, &length));
    }
    operation->body->length = length;
    return COS_OK;
}

static enum cos_result decipher_rsa(struct operation *operation, struct cos_span cryptogram)
{
    struct cos_secure *secure = operation->secure;
    const struct cos_crypto *crypto = secure->config.crypto;
    const struct cos_random random = cos_secure_random(secure);
    const size_t length = cos_material_modulus(&operation->key);
    uint8_t *plain = cos_write_room(operation->body, length);
    size_t message;

    COS_CHECK(cryptogram.length == length, COS_E_DATA);
    COS_INVARIANT(plain != NULL);
    COS_TRY(cos_material_load(secure, &operation->key));
    COS_TRY(cos_crypt_spend(operation));
    const struct cos_rsa_private key = cos_material_rsa(secure, &operation->key);
    COS_TRY(crypto->rsa_private(crypto->context, &key, &random, cryptogram.data, plain));
    COS_TRY(operation->scheme == SCHEME_OAEP
                ? cos_rsaes_oaep_decode(crypto, operation->hash, (struct cos_span){NULL, 0}, plain,
                                        length, &message)
                : cos_rsaes_v15_decode(crypto, &key, cryptogram.data, plain, length, &message));
    operation->body->length = message;
    return COS_OK;
}

enum cos_result cos_pso_decipher(struct operation *operation)
{
    struct cos_span cryptogram = operation->data;

    COS_TRY(cos_crypt_take_key(operation, TEMPLATE_CONFIDENTIALITY, REFERENCE_COMPUTE,
                               SERVICE_DECIPHER));
    COS_TRY(choose(operation));
    if (operation->p2 == TAG_CRYPTOGRAM) {
        COS_CHECK(cryptogram.length >= 1 && cryptogram.data[0] == indicator_of(operation),
                  COS_E_DATA);
        cryptogram.data++;
        cryptogram.length--;
    }
    return is_block_cipher(&operation->key) ? decipher_blocks(operation, cryptogram)
                                            : decipher_rsa(operation, cryptogram);
}

/* ---- ENCIPHER ---- */

static enum cos_result encipher_blocks(struct operation *operation)
{
    const size_t block = block_of(&operation->key);
    const struct cos_span plain = operation->data;
    const bool padded = operation->scheme == SCHEME_CBC_PADDED;
    size_t length = padded ? cos_padded(COS_PADDING_2, plain.length, block) : plain.length;
    uint8_t *out = cos_write_room(operation->body, length);

    COS_CHECK(length != 0 && length % block == 0, COS_E_DATA);
    COS_CHECK(out != NULL &&
                  (!operation->secure->in_sm || operation->body->length <= COS_SM_ANSWER_MAX),
              COS_E_LENGTH);
    if (plain.length != 0) {
        memcpy(out, plain.data, plain.length);
    }
    if (padded) {
        COS_TRY(cos_pad(COS_PADDING_2, out, plain.length, length, block, &length));
    }
    return apply_cbc(operation, true, out, length);
}

static enum cos_result encipher_rsa(struct operation *operation)
{
    struct cos_secure *secure = operation->secure;
    const struct cos_crypto *crypto = secure->config.crypto;
    const struct cos_random random = cos_secure_random(secure);
    const size_t length = cos_material_modulus(&operation->key);
    const struct cos_span modulus = {secure->config.key_memory, length};
    uint8_t *out = cos_write_room(operation->body, length);

    COS_INVARIANT(out != NULL);
    COS_TRY(operation->scheme == SCHEME_OAEP
                ? cos_rsaes_oaep_encode(crypto, operation->hash, &random,
                                        (struct cos_span){NULL, 0}, operation->data, out, length)
                : cos_rsaes_v15_encode(&random, operation->data, out, length));
    COS_TRY(cos_material_load_public(secure, &operation->key));
    COS_TRY(cos_crypt_spend(operation));
    return crypto->rsa_public(crypto->context, modulus,
                              cos_material_exponent(secure, &operation->key), out, out);
}

enum cos_result cos_pso_encipher(struct operation *operation)
{
    COS_TRY(cos_crypt_take_key(operation, TEMPLATE_CONFIDENTIALITY, REFERENCE_VERIFY,
                               SERVICE_ENCIPHER));
    COS_TRY(choose(operation));
    if (operation->p1 == TAG_CRYPTOGRAM) {
        cos_write8(operation->body, indicator_of(operation));
    }
    return is_block_cipher(&operation->key) ? encipher_blocks(operation) : encipher_rsa(operation);
}
