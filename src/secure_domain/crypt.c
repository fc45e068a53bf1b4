/* SPDX-License-Identifier: Apache-2.0
 *
 * PERFORM SECURITY OPERATION (ISO/IEC 7816-8:2019, clause 11): signatures, hashes, ciphers and
 * checksums with the key and the algorithm that the channel's security environment names
 * (docs/formats.md, "Algorithms").
 */
#include "crypto/mac.h"
#include "crypto/padding.h"
#include "crypto/rsa.h"
#include "domain.h"

enum {
    TEMPLATE_HASH = 0xAA,
    TEMPLATE_CHECKSUM = 0xB4,
    TEMPLATE_SIGNATURE = 0xB6,
    TEMPLATE_CONFIDENTIALITY = 0xB8,
    TAG_PLAIN = 0x80,
    TAG_CRYPTOGRAM_TLV = 0x82,
    TAG_CRYPTOGRAM_BARE = 0x84,
    TAG_CRYPTOGRAM = 0x86,
    TAG_CHECKSUM_VALUE = 0x8E,
    TAG_INTERMEDIATE = 0x90,
    TAG_SIGNATURE_INPUT = 0x9A,
    TAG_SIGNATURE = 0x9E,
    INDICATOR_NONE = 0x00, /* no further indication */
    INDICATOR_PADDED = 0x01,
    INDICATOR_UNPADDED = 0x02,
    RETAIL_MAC_KEY = 16,
};

/* b4..b1 of an algorithm reference; b8..b5 name the hash function. */
enum scheme {
    SCHEME_DEFAULT = 0x0,
    SCHEME_V15 = 0x1,
    SCHEME_PSS = 0x2,
    SCHEME_ECDSA = 0x3,
    SCHEME_CIPHER_V15 = 0x4,
    SCHEME_OAEP = 0x5,
    SCHEME_CBC = 0x6,        /* of whole blocks */
    SCHEME_CBC_PADDED = 0x7, /* 80, then 00 */
    SCHEME_MAC = 0x8,        /* CMAC, retail MAC or HMAC, as the key is */
};

/* One operation under way. */
struct operation {
    struct cos_secure *secure;
    struct cos_channel *channel;
    uint8_t at, p1, p2;
    struct cos_span data;
    struct cos_writer *body;
    struct object key;
    uint8_t scheme;
    bool hashed; /* the algorithm names a hash function */
    enum cos_hash hash;
};

/* ---- Algorithms and keys ---- */

static enum cos_result take_algorithm(struct operation *operation, uint8_t algorithm)
{
    const uint8_t hash = algorithm >> 4;

    COS_CHECK(hash <= COS_HASHES, COS_E_CONDITIONS);
    operation->scheme = algorithm & 0x0F;
    operation->hashed = hash != 0;
    operation->hash = hash != 0 ? (enum cos_hash)(hash - 1) : COS_SHA256;
    COS_CHECK((operation->secure->config.crypto->hashes & 1U << operation->hash) != 0,
              COS_E_CONDITIONS);
    return COS_OK;
}

static enum cos_result take_key(struct operation *operation, uint8_t template,
                                enum reference_direction direction, enum object_service service)
{
    const struct cos_reference reference =
        cos_environment_reference(operation->channel, template, direction);

    COS_CHECK(reference.key != 0, COS_E_CONDITIONS);
    COS_TRY(take_algorithm(operation, reference.algorithm));
    COS_TRY(cos_status_find(operation->secure, operation->at, reference.key, OBJECT_KEY,
                            &operation->key));
    return cos_key_use(operation->secure, operation->at, &operation->key, service);
}

/* The scheme, if it is the default or one of two. */
static enum cos_result choose(struct operation *operation, uint8_t first, uint8_t second)
{
    if (operation->scheme == SCHEME_DEFAULT) {
        operation->scheme = first;
    }
    COS_CHECK(operation->scheme == first || operation->scheme == second, COS_E_CONDITIONS);
    return COS_OK;
}

/* Two data objects, each once, in this order. */
static enum cos_result read_pair(struct cos_span data, uint32_t first_tag, uint32_t second_tag,
                                 struct cos_span *first, struct cos_span *second)
{
    struct cos_reader reader = cos_reader(data.data, data.length);
    struct cos_tlv tlv;

    COS_CHECK(cos_tlv_next(&reader, &tlv) == COS_OK && tlv.tag == first_tag, COS_E_DATA);
    *first = (struct cos_span){tlv.value, tlv.length};
    COS_CHECK(cos_tlv_next(&reader, &tlv) == COS_OK && tlv.tag == second_tag, COS_E_DATA);
    *second = (struct cos_span){tlv.value, tlv.length};
    COS_CHECK(reader.length == 0, COS_E_DATA);
    return COS_OK;
}

/* ---- HASH ---- */

/* The chaining value and the number of bits before it, then the rest of the message. */
static enum cos_result resume(struct operation *operation, uint8_t *digest)
{
    const struct cos_crypto *crypto = operation->secure->config.crypto;
    const size_t state = cos_hash_state(operation->hash);
    struct cos_span before, last;

    COS_TRY(read_pair(operation->data, TAG_INTERMEDIATE, TAG_PLAIN, &before, &last));
    COS_CHECK(before.length == state + 8 && crypto->hash_resume != NULL, COS_E_DATA);
    const uint64_t bits =
        (uint64_t)cos_get32(before.data + state) << 32 | cos_get32(before.data + state + 4);
    COS_CHECK(bits != 0 && bits % (8 * cos_hash_block(operation->hash)) == 0, COS_E_DATA);
    return crypto->hash_resume(crypto->context, operation->hash, before.data, bits / 8, &last, 1,
                               digest);
}

static enum cos_result hash(struct operation *operation)
{
    struct cos_secure *secure = operation->secure;
    const struct cos_crypto *crypto = secure->config.crypto;
    const struct cos_reference reference =
        cos_environment_reference(operation->channel, TEMPLATE_HASH, REFERENCE_COMPUTE);
    uint8_t *digest = secure->digest;

    secure->digest_length = 0;
    COS_TRY(take_algorithm(operation, reference.algorithm));
    COS_CHECK(operation->hashed && operation->scheme == SCHEME_DEFAULT, COS_E_CONDITIONS);
    COS_TRY(operation->p2 == TAG_PLAIN
                ? crypto->hash(crypto->context, operation->hash, &operation->data, 1, digest)
                : resume(operation, digest));
    secure->digest_length = (uint8_t)cos_hash_size(operation->hash);
    secure->digest_of = (uint8_t)operation->hash;
    cos_write_bytes(operation->body, digest, secure->digest_length);
    return COS_OK;
}

/* ---- Signatures ---- */

/* What is signed: the data field, or the hash that the command just before it left. */
static enum cos_result take_message(const struct operation *operation, struct cos_span *message)
{
    const struct cos_secure *secure = operation->secure;

    *message = operation->data;
    if (message->length == 0) {
        COS_CHECK(secure->digest_length != 0 &&
                      (!operation->hashed || operation->hash == (enum cos_hash)secure->digest_of),
                  COS_E_CONDITIONS);
        *message = (struct cos_span){secure->digest, secure->digest_length};
    }
    COS_CHECK(!operation->hashed || message->length == cos_hash_size(operation->hash),
              COS_E_LENGTH);
    return COS_OK;
}

static enum cos_result sign_rsa(struct operation *operation, struct cos_span message)
{
    struct cos_secure *secure = operation->secure;
    const struct cos_crypto *crypto = secure->config.crypto;
    const struct cos_random random = cos_secure_random(secure);
    const size_t length = cos_material_modulus(&operation->key);
    uint8_t *signature = cos_write_room(operation->body, length);
    struct cos_span salt = {secure->clear.work, message.length};

    COS_INVARIANT(signature != NULL);
    COS_TRY(choose(operation, SCHEME_V15, SCHEME_PSS));
    if (operation->scheme == SCHEME_PSS) {
        COS_CHECK(operation->hashed, COS_E_CONDITIONS);
        COS_TRY(cos_drbg_random(&secure->drbg, secure->clear.work, salt.length));
        COS_TRY(
            cos_emsa_pss_encode(crypto, operation->hash, message.data, salt, signature, length));
    } else {
        COS_TRY(operation->hashed
                    ? cos_emsa_v15_encode(operation->hash, message.data, signature, length)
                    : cos_rsa_block1(message, signature, length));
    }
    COS_TRY(cos_material_load(secure, &operation->key));
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
    COS_TRY(choose(operation, SCHEME_ECDSA, SCHEME_ECDSA));
    COS_CHECK(message.length >= 20 && message.length <= COS_HASH_MAX, COS_E_LENGTH);
    COS_TRY(cos_material_load(secure, &operation->key));
    return crypto->ec_sign(crypto->context, curve, &random,
                           cos_material_ec(secure, &operation->key), message.data, message.length,
                           signature);
}

enum cos_result cos_crypt_sign(struct cos_secure *secure, uint8_t at, const struct object *key,
                               uint8_t algorithm, struct cos_span data, struct cos_writer *body)
{
    struct operation operation = {
        .secure = secure, .at = at, .data = data, .body = body, .key = *key};
    struct cos_span message;

    COS_CHECK(key->algorithm == ALGORITHM_RSA || key->algorithm == ALGORITHM_EC, COS_E_CONDITIONS);
    COS_TRY(take_algorithm(&operation, algorithm));
    COS_TRY(take_message(&operation, &message));
    return key->algorithm == ALGORITHM_RSA ? sign_rsa(&operation, message)
                                           : sign_ec(&operation, message);
}

static enum cos_result sign(struct operation *operation)
{
    const struct cos_reference reference =
        cos_environment_reference(operation->channel, TEMPLATE_SIGNATURE, REFERENCE_COMPUTE);

    COS_TRY(take_key(operation, TEMPLATE_SIGNATURE, REFERENCE_COMPUTE, SERVICE_SIGN));
    enum cos_result result = cos_crypt_sign(operation->secure, operation->at, &operation->key,
                                            reference.algorithm, operation->data, operation->body);
    operation->secure->digest_length = 0;
    return result;
}

static enum cos_result verify_rsa(struct operation *operation, struct cos_span message,
                                  struct cos_span signature, cos_truth *valid)
{
    struct cos_secure *secure = operation->secure;
    const struct cos_crypto *crypto = secure->config.crypto;
    const size_t length = cos_material_modulus(&operation->key);
    uint8_t *encoded = secure->config.key_memory + cos_material_public_size(&operation->key);
    const struct cos_span modulus = {secure->config.key_memory, length};

    COS_TRY(choose(operation, SCHEME_V15, SCHEME_PSS));
    COS_CHECK(operation->hashed, COS_E_CONDITIONS);
    COS_CHECK(signature.length == length, COS_E_DATA);
    COS_TRY(crypto->rsa_public(crypto->context, modulus,
                               cos_material_exponent(secure, &operation->key), signature.data,
                               encoded));
    if (operation->scheme == SCHEME_PSS) {
        return cos_emsa_pss_verify(crypto, operation->hash, message.data, message.length, encoded,
                                   length, valid);
    }
    *valid = cos_emsa_v15_verify(operation->hash, message.data, encoded, length);
    return COS_OK;
}

static enum cos_result verify_ec(struct operation *operation, struct cos_span message,
                                 struct cos_span signature, cos_truth *valid)
{
    struct cos_secure *secure = operation->secure;
    const struct cos_crypto *crypto = secure->config.crypto;
    const enum cos_curve curve = (enum cos_curve)operation->key.format;

    COS_TRY(choose(operation, SCHEME_ECDSA, SCHEME_ECDSA));
    COS_CHECK(message.length >= 20 && message.length <= COS_HASH_MAX &&
                  signature.length == 2 * cos_ec_size(curve),
              COS_E_DATA);
    return crypto->ec_verify(crypto->context, curve, secure->config.key_memory, message.data,
                             message.length, signature.data, valid);
}

static enum cos_result verify_signature(struct operation *operation)
{
    struct cos_span message, signature;
    cos_truth valid = COS_NO;

    COS_TRY(take_key(operation, TEMPLATE_SIGNATURE, REFERENCE_VERIFY, SERVICE_SIGN));
    COS_TRY(read_pair(operation->data, TAG_SIGNATURE_INPUT, TAG_SIGNATURE, &message, &signature));
    COS_CHECK(!operation->hashed || message.length == cos_hash_size(operation->hash), COS_E_DATA);
    COS_TRY(cos_material_load_public(operation->secure, &operation->key));
    const enum cos_result result = operation->key.algorithm == ALGORITHM_RSA
                                       ? verify_rsa(operation, message, signature, &valid)
                                       : verify_ec(operation, message, signature, &valid);
    COS_CHECK(result == COS_OK || result == COS_E_DATA, result);
    COS_CHECK(result == COS_OK && valid == COS_YES, COS_E_AUTHENTICATION);
    return COS_OK;
}

/* ---- Ciphers ---- */

static size_t block_of(const struct object *key)
{
    return key->algorithm == ALGORITHM_DES3 ? COS_DES_BLOCK : COS_AES_BLOCK;
}

static bool is_block_cipher(const struct object *key)
{
    return key->algorithm == ALGORITHM_AES || key->algorithm == ALGORITHM_DES3;
}

/* CBC in place, with the environment's initial value block, or 00. */
static enum cos_result apply_cbc(struct operation *operation, bool encipher, uint8_t *data,
                                 size_t length)
{
    struct cos_secure *secure = operation->secure;
    const struct cos_crypto *crypto = secure->config.crypto;
    const struct cos_environment *environment = &operation->channel->environment;
    const uint8_t *key = secure->clear.secret, *vector = environment->vector;

    COS_CHECK(environment->vector_length == 0 ||
                  environment->vector_length == block_of(&operation->key),
              COS_E_CONDITIONS);
    COS_TRY(cos_object_secret(secure, &operation->key, secure->clear.secret));
    if (operation->key.algorithm == ALGORITHM_DES3) {
        return encipher ? cos_des3_cbc_encrypt(crypto, key, vector, data, data, length)
                        : cos_des3_cbc_decrypt(crypto, key, vector, data, data, length);
    }
    return encipher ? crypto->aes_cbc_encrypt(crypto->context, key, operation->key.length, vector,
                                              data, data, length)
                    : crypto->aes_cbc_decrypt(crypto->context, key, operation->key.length, vector,
                                              data, data, length);
}

static enum cos_result decipher_blocks(struct operation *operation, struct cos_span cryptogram)
{
    const size_t block = block_of(&operation->key);
    size_t length = cryptogram.length;
    uint8_t *plain = cos_write_room(operation->body, length);

    COS_TRY(choose(operation, SCHEME_CBC_PADDED, SCHEME_CBC));
    COS_CHECK(length != 0 && length % block == 0, COS_E_DATA);
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

    COS_TRY(choose(operation, SCHEME_CIPHER_V15, SCHEME_OAEP));
    COS_CHECK(cryptogram.length == length, COS_E_DATA);
    COS_INVARIANT(plain != NULL);
    COS_TRY(cos_material_load(secure, &operation->key));
    const struct cos_rsa_private key = cos_material_rsa(secure, &operation->key);
    COS_TRY(crypto->rsa_private(crypto->context, &key, &random, cryptogram.data, plain));
    COS_TRY(operation->scheme == SCHEME_OAEP
                ? cos_rsaes_oaep_decode(crypto, operation->hash, (struct cos_span){NULL, 0}, plain,
                                        length, &message)
                : cos_rsaes_v15_decode(crypto, &key, cryptogram.data, plain, length, &message));
    operation->body->length = message;
    return COS_OK;
}

/* The padding indicator byte that goes in front of a cryptogram of tag 86. */
static uint8_t indicator_of(const struct operation *operation)
{
    if (!is_block_cipher(&operation->key)) {
        return INDICATOR_NONE;
    }
    return operation->scheme == SCHEME_CBC ? INDICATOR_UNPADDED : INDICATOR_PADDED;
}

static enum cos_result decipher(struct operation *operation)
{
    struct cos_span cryptogram = operation->data;

    COS_TRY(take_key(operation, TEMPLATE_CONFIDENTIALITY, REFERENCE_COMPUTE, SERVICE_DECIPHER));
    if (operation->p2 == TAG_CRYPTOGRAM) {
        COS_CHECK(cryptogram.length >= 1 && cryptogram.data[0] == indicator_of(operation),
                  COS_E_DATA);
        cryptogram.data++;
        cryptogram.length--;
    }
    if (is_block_cipher(&operation->key)) {
        return decipher_blocks(operation, cryptogram);
    }
    COS_CHECK(operation->key.algorithm == ALGORITHM_RSA, COS_E_CONDITIONS);
    return decipher_rsa(operation, cryptogram);
}

static enum cos_result encipher_blocks(struct operation *operation)
{
    const size_t block = block_of(&operation->key);
    const struct cos_span plain = operation->data;
    const bool padded = operation->scheme == SCHEME_CBC_PADDED;
    size_t length = padded ? cos_padded(COS_PADDING_2, plain.length, block) : plain.length;
    uint8_t *out = cos_write_room(operation->body, length);

    COS_CHECK(length != 0 && length % block == 0, COS_E_DATA);
    COS_CHECK(out != NULL, COS_E_LENGTH);
    memcpy(out, plain.data, plain.length);
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
    return crypto->rsa_public(crypto->context, modulus,
                              cos_material_exponent(secure, &operation->key), out, out);
}

static enum cos_result encipher(struct operation *operation)
{
    COS_TRY(take_key(operation, TEMPLATE_CONFIDENTIALITY, REFERENCE_VERIFY, SERVICE_ENCIPHER));
    const bool blocks = is_block_cipher(&operation->key);
    COS_CHECK(blocks || operation->key.algorithm == ALGORITHM_RSA, COS_E_CONDITIONS);
    COS_TRY(blocks ? choose(operation, SCHEME_CBC_PADDED, SCHEME_CBC)
                   : choose(operation, SCHEME_CIPHER_V15, SCHEME_OAEP));
    if (operation->p1 == TAG_CRYPTOGRAM) {
        cos_write8(operation->body, indicator_of(operation));
    }
    return blocks ? encipher_blocks(operation) : encipher_rsa(operation);
}

/* ---- Checksums ---- */

static enum cos_result compute(struct operation *operation, struct cos_span data,
                               uint8_t mac[COS_HASH_MAX], size_t *length)
{
    struct cos_secure *secure = operation->secure;
    const struct cos_crypto *crypto = secure->config.crypto;
    const struct object *key = &operation->key;
    const uint8_t *secret = secure->clear.secret;

    COS_TRY(choose(operation, SCHEME_MAC, SCHEME_MAC));
    COS_TRY(cos_object_secret(secure, key, secure->clear.secret));
    switch (key->algorithm) {
    case ALGORITHM_AES:
        *length = COS_AES_BLOCK;
        return crypto->aes_cmac(crypto->context, secret, key->length, &data, 1, mac);
    case ALGORITHM_DES3:
        COS_CHECK(memcmp(secret, secret + RETAIL_MAC_KEY, COS_DES_BLOCK) == 0, COS_E_CONDITIONS);
        *length = COS_DES_BLOCK;
        return cos_des_mac(crypto, COS_DES_MAC_3, COS_PADDING_2, secret, &data, 1, mac);
    case ALGORITHM_HMAC:
        *length = cos_hash_size((enum cos_hash)key->format);
        return crypto->hmac(crypto->context, (enum cos_hash)key->format, secret, key->length, &data,
                            1, mac);
    default:
        return COS_E_CONDITIONS;
    }
}

static enum cos_result compute_checksum(struct operation *operation)
{
    uint8_t *mac = operation->secure->clear.work;
    size_t length;

    COS_TRY(take_key(operation, TEMPLATE_CHECKSUM, REFERENCE_COMPUTE, SERVICE_CHECKSUM));
    COS_TRY(compute(operation, operation->data, mac, &length));
    cos_write_bytes(operation->body, mac, length);
    return COS_OK;
}

static enum cos_result verify_checksum(struct operation *operation)
{
    struct cos_secure *secure = operation->secure;
    uint8_t *mac = secure->clear.work;
    struct cos_span data, checksum;
    size_t length;

    COS_TRY(take_key(operation, TEMPLATE_CHECKSUM, REFERENCE_VERIFY, SERVICE_VERIFY_CHECKSUM));
    COS_TRY(read_pair(operation->data, TAG_PLAIN, TAG_CHECKSUM_VALUE, &data, &checksum));
    COS_TRY(cos_object_spend(secure, &operation->key));
    COS_TRY(compute(operation, data, mac, &length));
    const cos_truth right =
        checksum.length == length ? cos_equal_secret(mac, checksum.data, length) : COS_NO;
    COS_CHECK(right == COS_YES, operation->key.tries_max != 0
                                    ? cos_tries_left(operation->key.tries_left)
                                    : COS_E_AUTHENTICATION);
    return cos_object_restore(secure, &operation->key);
}

/* ---- The call ---- */

static const struct {
    uint8_t p1, p2;
    enum cos_result (*run)(struct operation *operation);
} operations[] = {
    {TAG_SIGNATURE, TAG_SIGNATURE_INPUT, sign},
    {0x00, 0xA8, verify_signature},
    {TAG_INTERMEDIATE, TAG_PLAIN, hash},
    {TAG_INTERMEDIATE, 0xA0, hash},
    {TAG_PLAIN, TAG_CRYPTOGRAM_TLV, decipher},
    {TAG_PLAIN, TAG_CRYPTOGRAM_BARE, decipher},
    {TAG_PLAIN, TAG_CRYPTOGRAM, decipher},
    {TAG_CRYPTOGRAM_TLV, TAG_PLAIN, encipher},
    {TAG_CRYPTOGRAM_BARE, TAG_PLAIN, encipher},
    {TAG_CRYPTOGRAM, TAG_PLAIN, encipher},
    {TAG_CHECKSUM_VALUE, TAG_PLAIN, compute_checksum},
    {0x00, 0xA2, verify_checksum},
};

enum cos_result cos_call_crypt(struct cos_secure *secure, struct cos_reader *request,
                               struct cos_writer *body)
{
    const uint8_t what = cos_read8(request);
    const uint8_t at = cos_read_channel(request);
    struct operation operation = {
        .secure = secure,
        .channel = &secure->channels[at],
        .at = at,
        .p1 = cos_read8(request),
        .p2 = cos_read8(request),
        .body = body,
    };

    operation.data = cos_read_rest(request);
    COS_CHECK(!request->failed && what == COS_CRYPT_PSO, COS_E_GATE_FORMAT);
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        if (operations[i].p1 == operation.p1 && operations[i].p2 == operation.p2) {
            return operations[i].run(&operation);
        }
    }
    return COS_E_P1_P2;
}
