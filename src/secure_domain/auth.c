/* SPDX-License-Identifier: Apache-2.0
 *
 * GET CHALLENGE, INTERNAL and EXTERNAL AUTHENTICATE (ISO/IEC 7816-4:2013, 11.5.2 to 11.5.4), and
 * the access proof (docs/formats.md, "Access proof").
 */
#include "auth.h"
#include "crypt.h"
#include "sm.h"

enum {
    PROOF_SYSTEM = 8,
    PROOF_RANDOM = 16,
};

enum cos_result cos_challenge_make(struct cos_secure *secure, uint8_t length, uint8_t use,
                                   struct cos_writer *body)
{
    COS_TRY(cos_drbg_random(&secure->drbg, secure->challenge, length));
    secure->challenge_length = length;
    secure->challenge_use = use;
    cos_write_bytes(body, secure->challenge, length);
    return COS_OK;
}

enum cos_result cos_call_challenge(struct cos_secure *secure, struct cos_reader *request,
                                   struct cos_writer *body)
{
    (void)cos_read_channel(request);
    uint8_t length = cos_read8(request);

    COS_CHECK(cos_read_done(request), COS_E_GATE_FORMAT);
    COS_CHECK(length == 8 || length == 16, COS_E_LENGTH);
    return cos_challenge_make(secure, length, 0, body);
}

size_t cos_auth_block(const struct object *key)
{
    return key->algorithm == ALGORITHM_DES3 ? COS_DES_BLOCK : COS_AES_BLOCK;
}

/* X = E_K(R) for one block. */
static enum cos_result encrypt_block(struct cos_secure *secure, const struct object *key,
                                     const uint8_t *in, uint8_t out[COS_AES_BLOCK])
{
    const struct cos_crypto *crypto = secure->config.crypto;
    uint8_t *secret = secure->clear.secret;

    COS_TRY(cos_object_secret(secure, key, secret));
    if (key->algorithm == ALGORITHM_DES3) {
        return crypto->des3_encrypt(crypto->context, secret, in, out);
    }
    return crypto->aes_encrypt(crypto->context, secret, key->length, in, out);
}

/* Level and validity come from the key; the MAC covers who asks, the random number, level and
 * validity. */
static enum cos_result prove_access(struct cos_secure *secure, const struct object *key,
                                    struct cos_span data, struct cos_writer *body)
{
    static const uint8_t label[] = {'T', 'w', 'i', 'n', 'C', 'O', 'S',
                                    ' ', 'a', 'c', 'c', 'e', 's', 's'};
    const struct cos_crypto *crypto = secure->config.crypto;
    const struct cos_span parts[] = {
        {label, sizeof label}, data, {&key->level, 1}, {key->valid_to, 4}};
    uint8_t mac[COS_AES_BLOCK];

    COS_TRY(cos_object_secret(secure, key, secure->clear.secret));
    COS_TRY(crypto->aes_cmac(crypto->context, secure->clear.secret, key->length, parts, 4, mac));
    cos_write8(body, key->level);
    cos_write_bytes(body, key->valid_to, sizeof key->valid_to);
    cos_write_bytes(body, mac, sizeof mac);
    return COS_OK;
}

/* The data as they are: RSA in block type 1, of which they are 40 % at most, or ECDSA. */
static enum cos_result sign(struct cos_secure *secure, uint8_t channel, struct object *key,
                            struct cos_span data, struct cos_writer *body)
{
    const size_t modulus = cos_material_modulus(key);

    if (key->algorithm == ALGORITHM_RSA) {
        COS_CHECK(data.length != 0 && 5 * data.length <= 2 * modulus, COS_E_LENGTH);
        /* The answer is kept for SM_SEAL. */
        COS_CHECK(!secure->in_sm || body->length + modulus <= COS_SM_ANSWER_MAX, COS_E_LENGTH);
    } else {
        COS_CHECK(data.length >= ECDSA_MIN && data.length <= COS_HASH_MAX, COS_E_LENGTH);
    }
    COS_CHECK(key->size != 0, COS_E_NOT_USABLE); /* neither made nor imported yet */
    COS_TRY(cos_key_spend(secure, channel, key));
    return cos_crypt_sign(secure, channel, key, 0, data, body);
}

enum cos_result cos_auth_internal(struct cos_secure *secure, uint8_t channel, struct object *key,
                                  struct cos_span data, struct cos_writer *body)
{
    uint8_t *x = secure->clear.work;

    COS_TRY(cos_key_ready(secure, channel, key));
    if (key->algorithm == ALGORITHM_RSA || key->algorithm == ALGORITHM_EC) {
        return sign(secure, channel, key, data, body);
    }
    const size_t length =
        key->usage == USAGE_ACCESS_PROOF ? PROOF_SYSTEM + PROOF_RANDOM : cos_auth_block(key);
    COS_CHECK(data.length == length, COS_E_LENGTH);
    COS_TRY(cos_key_spend(secure, channel, key));
    if (key->usage == USAGE_ACCESS_PROOF) {
        return prove_access(secure, key, data, body);
    }
    COS_TRY(encrypt_block(secure, key, data.data, x));
    cos_write_bytes(body, x, data.length);
    return COS_OK;
}

/* ---- External ---- */

/* Bytes of the answer to a challenge: one block, or a signature. */
static size_t answer_size(const struct object *key)
{
    switch (key->algorithm) {
    case ALGORITHM_RSA:
        return cos_material_modulus(key);
    case ALGORITHM_EC:
        return 2 * cos_ec_size((enum cos_curve)key->format);
    default:
        return cos_auth_block(key);
    }
}

static enum cos_result compare_block(struct cos_secure *secure, const struct object *key,
                                     struct cos_span data, cos_truth *right)
{
    uint8_t *expected = secure->clear.work;

    COS_TRY(encrypt_block(secure, key, secure->challenge, expected));
    *right = cos_equal_secret(expected, data.data, data.length);
    COS_INVARIANT(*right != COS_YES ||
                  cos_equal_secret(expected, data.data, data.length) == COS_YES);
    return COS_OK;
}

/* Which hash function and padding it is the environment says. What is wrong with that, or with the
 * key, is found before a try is spent. */
static enum cos_result begin_signature(struct cos_secure *secure, uint8_t channel,
                                       const struct object *key, size_t length,
                                       struct operation *operation)
{
    const struct cos_reference reference = cos_environment_reference(
        &secure->channels[channel], TEMPLATE_AUTHENTICATION, REFERENCE_VERIFY);

    *operation = (struct operation){.secure = secure, .at = channel, .key = *key};
    COS_TRY(cos_crypt_take_algorithm(operation, reference.algorithm));
    operation->hashed = true; /* SHA-256, if none is named */
    return cos_crypt_verify_ready(operation, cos_hash_size(operation->hash), length);
}

/* The signature is one of the challenge. */
static enum cos_result verify_signature(struct operation *operation, struct cos_span signature,
                                        cos_truth *right)
{
    const struct cos_secure *secure = operation->secure;
    const struct cos_crypto *crypto = secure->config.crypto;
    const struct cos_span challenge = {secure->challenge, cos_auth_block(&operation->key)};
    uint8_t digest[COS_HASH_MAX];
    const struct cos_span message = {digest, cos_hash_size(operation->hash)};

    COS_TRY(crypto->hash(crypto->context, operation->hash, &challenge, 1, digest));
    return cos_crypt_verify(operation, message, signature, right);
}

enum cos_result cos_auth_external(struct cos_secure *secure, uint8_t channel, struct object *key,
                                  uint8_t use, struct cos_span data)
{
    struct cos_channel *status = &secure->channels[channel];
    const bool signs = (key->flags & FLAG_PUBLIC) != 0;
    struct operation operation;
    cos_truth right = COS_NO;
    const volatile cos_truth *again = &right; /* so that it is asked twice */

    COS_CHECK(data.length == answer_size(key), COS_E_LENGTH);
    COS_CHECK(secure->challenge_use == use && secure->challenge_length == cos_auth_block(key),
              COS_E_CONDITIONS);
    if (signs) {
        COS_TRY(begin_signature(secure, channel, key, data.length, &operation));
    }
    cos_status_set(secure, status, key, false);
    secure->challenge_length = 0; /* a challenge is good for one try */
    COS_TRY(cos_object_spend(secure, key));
    COS_TRY(signs ? verify_signature(&operation, data, &right)
                  : compare_block(secure, key, data, &right));
    cos_wipe(secure->challenge, sizeof secure->challenge);
    COS_CHECK(right == COS_YES,
              key->tries_max != 0 ? cos_tries_left(key->tries_left) : COS_E_AUTHENTICATION);
    COS_INVARIANT(*again == COS_YES);
    COS_TRY(cos_object_restore(secure, key));
    cos_status_set(secure, status, key, true);
    return COS_OK;
}

/* Reference 00 leaves it to the card: the key that the environment names, or the mutual key 1 of
 * the application, or the global one. */
static enum cos_result find_key(const struct cos_secure *secure, uint8_t channel, uint8_t reference,
                                enum reference_direction direction, struct object *key)
{
    if (reference == 0) {
        reference = cos_environment_reference(&secure->channels[channel], TEMPLATE_AUTHENTICATION,
                                              direction)
                        .key;
    }
    if (reference != 0) {
        return cos_status_find(secure, channel, reference, OBJECT_KEY, key);
    }
    enum cos_result result = cos_status_find(secure, channel, 0x81, OBJECT_KEY, key);
    if (result == COS_E_REFERENCE_NOT_FOUND) {
        result = cos_status_find(secure, channel, 0x01, OBJECT_KEY, key);
    }
    return result == COS_OK && key->usage != USAGE_MUTUAL ? COS_E_REFERENCE_NOT_FOUND : result;
}

static enum cos_result authenticate(struct cos_secure *secure, uint8_t operation,
                                    struct cos_reader *request, struct cos_writer *body)
{
    uint8_t channel = cos_read_channel(request);
    uint8_t p1 = cos_read8(request);
    uint8_t reference = cos_read8(request);
    struct cos_span data = cos_read_rest(request);
    const bool inside = operation == COS_AUTH_INTERNAL;
    struct object key;

    COS_CHECK(!request->failed, COS_E_GATE_FORMAT);
    COS_CHECK(p1 == 0, COS_E_P1_P2);
    COS_TRY(find_key(secure, channel, reference,
                     operation == COS_AUTH_EXTERNAL ? REFERENCE_VERIFY : REFERENCE_COMPUTE, &key));
    COS_CHECK(cos_key_served(secure, &key), COS_E_NOT_USABLE);
    if (operation == COS_AUTH_GENERAL) {
        return cos_auth_general(secure, channel, reference, &key, data, body);
    }
    if (inside && key.service == SERVICE_OTP) {
        return cos_one_time_password(secure, channel, &key, data, body);
    }
    COS_CHECK((key.usage &
               (inside ? USAGE_INTERNAL | USAGE_ACCESS_PROOF : USAGE_EXTERNAL | USAGE_MUTUAL)) != 0,
              COS_E_CONDITIONS);
    if (inside) {
        return cos_auth_internal(secure, channel, &key, data, body);
    }
    COS_TRY(cos_status_require_of(secure, channel, key.context == CONTEXT_GLOBAL, key.use_rule));
    return key.usage == USAGE_MUTUAL ? cos_mutual_authenticate(secure, channel, &key, data, body)
                                     : cos_auth_external(secure, channel, &key, 0, data);
}

/* GENERAL AUTHENTICATE starts over after whatever was refused. */
static enum cos_result end_step(struct cos_secure *secure, uint8_t operation,
                                enum cos_result result)
{
    if (operation == COS_AUTH_GENERAL && result != COS_OK) {
        secure->challenge_length = 0;
    }
    return result;
}

enum cos_result cos_call_auth(struct cos_secure *secure, struct cos_reader *request,
                              struct cos_writer *body)
{
    uint8_t operation = cos_read8(request);

    if (operation != COS_AUTH_SCP03_FINISH) {
        cos_sessions_close_begun(secure);
    }
    if (operation !=
        (secure->challenge_use >= CHALLENGE_GENERAL ? COS_AUTH_GENERAL : COS_AUTH_EXTERNAL)) {
        secure->challenge_length = 0;
    }
    switch (operation) {
    case COS_AUTH_INTERNAL:
    case COS_AUTH_EXTERNAL:
    case COS_AUTH_GENERAL:
        return end_step(secure, operation, authenticate(secure, operation, request, body));
    case COS_AUTH_SCP03_BEGIN:
        return cos_scp03_begin(secure, request, body);
    case COS_AUTH_SCP03_FINISH:
        return cos_scp03_finish(secure, request);
    default:
        return COS_E_GATE_FORMAT;
    }
}
