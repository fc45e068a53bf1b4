/* SPDX-License-Identifier: Apache-2.0
 *
 * COMPUTE and VERIFY DIGITAL SIGNATURE (ISO/IEC 7816-8:2019, 11.7 and 11.10).
 */
#include "crypt.h"

#include "crypto/rsa.h"

/* What is signed: the data field, or the hash that the command just before it left, whose function
 * is then the one that is meant, if the algorithm names none. */
static enum cos_result take_message(struct operation *operation, struct cos_span *message)
{
    const struct cos_secure *secure = operation->secure;

    *message = operation->data;
    if (message->length == 0) {
        const enum cos_hash left = (enum cos_hash)secure->digest_of;
        COS_CHECK(secure->digest_length != 0 && (!operation->hashed || operation->hash == left),
                  COS_E_CONDITIONS);
        *message = (struct cos_span){secure->digest, secure->digest_length};
        operation->hashed = true;
        operation->hash = left;
    }
    COS_CHECK(!operation->hashed || message->length == cos_hash_size(operation->hash),
              COS_E_LENGTH);
    return COS_OK;
}

/* ---- Signing ---- */

/* With the point that is in key memory. */
static enum cos_result verify_ec(const struct operation *operation, struct cos_span message,
                                 const uint8_t *signature, cos_truth *valid)
{
    const struct cos_secure *secure = operation->secure;
    const struct cos_crypto *crypto = secure->config.crypto;

    return crypto->ec_verify(crypto->context, (enum cos_curve)operation->key.format,
                             secure->config.key_memory, message.data, message.length, signature,
                             valid);
}

/* What was made, before it leaves. */
static enum cos_result check_made(const struct operation *operation, struct cos_span message,
                                  const uint8_t *signature)
{
    cos_truth valid = COS_NO;

    COS_TRY(verify_ec(operation, message, signature, &valid));
    return valid == COS_YES ? COS_OK : COS_E_CRYPTO;
}

static enum cos_result encode(struct operation *operation, struct cos_span message,
                              uint8_t *encoded, size_t length)
{
    struct cos_secure *secure = operation->secure;
    const struct cos_crypto *crypto = secure->config.crypto;
    const struct cos_span salt = {secure->clear.work, message.length};

    COS_TRY(cos_crypt_choose(operation, SCHEME_V15, SCHEME_PSS));
    if (operation->scheme == SCHEME_PSS) {
        COS_CHECK(operation->hashed, COS_E_CONDITIONS);
        COS_TRY(cos_drbg_random(&secure->drbg, secure->clear.work, salt.length));
        return cos_emsa_pss_encode(crypto, operation->hash, message.data, salt, encoded, length);
    }
    return operation->hashed ? cos_emsa_v15_encode(operation->hash, message.data, encoded, length)
                             : cos_rsa_block1(message, encoded, length); /* it is a DigestInfo */
}

static enum cos_result sign_rsa(struct operation *operation, struct cos_span message)
{
    struct cos_secure *secure = operation->secure;
    const struct cos_crypto *crypto = secure->config.crypto;
    const struct cos_random random = cos_secure_random(secure);
    const size_t length = cos_material_modulus(&operation->key);
    uint8_t *signature = cos_write_room(operation->body, length);

    COS_INVARIANT(signature != NULL);
    COS_TRY(encode(operation, message, signature, length));
    COS_TRY(cos_material_load(secure, &operation->key));
    COS_TRY(cos_crypt_spend(operation));
    const struct cos_rsa_private key = cos_material_rsa(secure, &operation->key);
    return crypto->rsa_private(crypto->context, &key, &random, signature, signature);
}

static enum cos_result sign_ec(struct operation *operation, struct cos_span message)
{
    struct cos_secure *secure = operation->secure;
    const struct cos_crypto *crypto = secure->config.crypto;
    const struct cos_random random = cos_secure_random(secure);
    const enum cos_curve curve = (enum cos_curve)operation->key.format;
    uint8_t *signature = cos_write_room(operation->body, 2 * cos_ec_size(curve));

    COS_INVARIANT(signature != NULL);
    COS_TRY(cos_crypt_choose(operation, SCHEME_ECDSA, SCHEME_ECDSA));
    COS_CHECK(message.length >= ECDSA_MIN && message.length <= COS_HASH_MAX, COS_E_LENGTH);
    COS_TRY(cos_material_load(secure, &operation->key));
    COS_TRY(cos_crypt_spend(operation));
    COS_TRY(crypto->ec_sign(crypto->context, curve, &random,
                            cos_material_ec(secure, &operation->key), message.data, message.length,
                            signature));
    return COS_CHECK_SIGNATURES ? check_made(operation, message, signature) : COS_OK;
}

static enum cos_result sign(struct operation *operation)
{
    struct cos_span message;

    COS_TRY(take_message(operation, &message));
    switch (operation->key.algorithm) {
    case ALGORITHM_RSA:
        return sign_rsa(operation, message);
    case ALGORITHM_EC:
        return sign_ec(operation, message);
    default:
        return COS_E_CONDITIONS;
    }
}

enum cos_result cos_pso_sign(struct operation *operation)
{
    uint8_t statement[COS_SHA256_SIZE];

    COS_TRY(cos_crypt_take_key(operation, TEMPLATE_SIGNATURE, REFERENCE_COMPUTE,
                               SERVICE_SIGN | SERVICE_ATTEST));
    if ((operation->key.service & SERVICE_ATTEST) != 0) {
        COS_CHECK(!operation->hashed || operation->hash == COS_SHA256, COS_E_CONDITIONS);
        COS_TRY(cos_crypt_statement(operation, statement));
        operation->data = (struct cos_span){statement, sizeof statement};
        operation->hashed = true;
        operation->hash = COS_SHA256;
    }
    return sign(operation);
}

enum cos_result cos_crypt_sign(struct cos_secure *secure, uint8_t at, const struct object *key,
                               uint8_t algorithm, struct cos_span data, struct cos_writer *body)
{
    struct operation operation = {
        .secure = secure, .at = at, .data = data, .body = body, .key = *key, .spent = true};

    COS_TRY(cos_crypt_take_algorithm(&operation, algorithm));
    return sign(&operation);
}

/* ---- Verifying ---- */

static enum cos_result verify_rsa(struct operation *operation, struct cos_span message,
                                  struct cos_span signature, cos_truth *valid)
{
    struct cos_secure *secure = operation->secure;
    const struct cos_crypto *crypto = secure->config.crypto;
    const size_t length = cos_material_modulus(&operation->key);
    uint8_t *encoded = secure->config.key_memory + cos_material_public_size(&operation->key);
    const struct cos_span modulus = {secure->config.key_memory, length};
    const struct cos_span exponent = cos_material_exponent(secure, &operation->key);

    const enum cos_result result =
        crypto->rsa_public(crypto->context, modulus, exponent, signature.data, encoded);
    COS_CHECK(result != COS_E_DATA, COS_OK); /* no number below the modulus: not valid */
    COS_TRY(result);
    if (operation->scheme == SCHEME_PSS) {
        return cos_emsa_pss_verify(crypto, operation->hash, message.data, message.length, encoded,
                                   length, valid);
    }
    *valid = cos_emsa_v15_verify(operation->hash, message.data, encoded, length);
    return COS_OK;
}

/* What can be said before the key is touched. */
static enum cos_result check(struct operation *operation, size_t message, size_t signature)
{
    const struct object *key = &operation->key;

    if (key->algorithm == ALGORITHM_RSA) {
        COS_TRY(cos_crypt_choose(operation, SCHEME_V15, SCHEME_PSS));
        COS_CHECK(operation->hashed, COS_E_CONDITIONS);
        COS_CHECK(signature == cos_material_modulus(key), COS_E_DATA);
    } else {
        COS_TRY(cos_crypt_choose(operation, SCHEME_ECDSA, SCHEME_ECDSA));
        COS_CHECK(signature == 2 * cos_ec_size((enum cos_curve)key->format), COS_E_DATA);
    }
    COS_CHECK(message >= ECDSA_MIN && message <= COS_HASH_MAX, COS_E_DATA);
    COS_CHECK(!operation->hashed || message == cos_hash_size(operation->hash), COS_E_DATA);
    return COS_OK;
}

enum cos_result cos_crypt_verify_ready(struct operation *operation, size_t message,
                                       size_t signature)
{
    COS_TRY(check(operation, message, signature));
    return cos_material_load_public(operation->secure, &operation->key);
}

enum cos_result cos_crypt_verify(struct operation *operation, struct cos_span message,
                                 struct cos_span signature, cos_truth *valid)
{
    *valid = COS_NO;
    return operation->key.algorithm == ALGORITHM_RSA
               ? verify_rsa(operation, message, signature, valid)
               : verify_ec(operation, message, signature.data, valid);
}

enum cos_result cos_pso_verify_signature(struct operation *operation)
{
    struct cos_span message, signature;
    cos_truth valid;

    COS_TRY(cos_crypt_take_key(operation, TEMPLATE_SIGNATURE, REFERENCE_VERIFY, SERVICE_SIGN));
    COS_TRY(cos_crypt_read_pair(operation->data, TAG_SIGNATURE_INPUT, TAG_SIGNATURE, &message,
                                &signature));
    COS_TRY(cos_crypt_verify_ready(operation, message.length, signature.length));
    COS_TRY(cos_crypt_spend(operation));
    COS_TRY(cos_crypt_verify(operation, message, signature, &valid));
    return valid == COS_YES ? COS_OK : COS_E_AUTHENTICATION;
}
