/* SPDX-License-Identifier: Apache-2.0
 *
 * PERFORM SECURITY OPERATION (ISO/IEC 7816-8:2019, clause 11): which operation it is, with which
 * key and algorithm, as the channel's security environment names them (docs/formats.md,
 * "Algorithms"); and hashes. The others stand in sign.c, cipher.c and checksum.c.
 */
#include "crypt.h"

/* ---- Algorithms and keys ---- */

enum cos_result cos_crypt_take_algorithm(struct operation *operation, uint8_t algorithm)
{
    const uint8_t hash = algorithm >> 4;

    COS_CHECK(hash <= COS_HASHES, COS_E_CONDITIONS);
    operation->scheme = algorithm & 0x0F;
    operation->hashed = hash != 0;
    operation->hash = hash != 0 ? (enum cos_hash)(hash - 1) : COS_SHA256;
    COS_CHECK((operation->secure->config.crypto->hashes & 1U << operation->hash) != 0,
              COS_E_CONDITIONS);
    return operation->hash == COS_SHA256 ? COS_OK
                                         : cos_key_self_test(operation->secure, COS_SELF_TEST_HASH);
}

enum cos_result cos_crypt_take_key(struct operation *operation, uint8_t template,
                                   enum reference_direction direction, enum object_service service)
{
    const struct cos_reference reference =
        cos_environment_reference(operation->channel, template, direction);

    COS_CHECK(reference.key != 0, COS_E_CONDITIONS);
    COS_TRY(cos_crypt_take_algorithm(operation, reference.algorithm));
    COS_TRY(cos_status_find(operation->secure, operation->at, reference.key, OBJECT_KEY,
                            &operation->key));
    COS_CHECK(direction == REFERENCE_VERIFY || (operation->key.flags & FLAG_PUBLIC) == 0,
              COS_E_CONDITIONS);
    COS_TRY(cos_key_may(operation->secure, operation->at, &operation->key, service));
    /* The answer is kept for SM_SEAL. */
    COS_CHECK(!operation->secure->in_sm || operation->key.algorithm != ALGORITHM_RSA ||
                  cos_material_modulus(&operation->key) + (operation->p1 == TAG_CRYPTOGRAM) <=
                      COS_SM_ANSWER_MAX,
              COS_E_LENGTH);
    return COS_OK;
}

enum cos_result cos_crypt_choose(struct operation *operation, uint8_t first, uint8_t second)
{
    if (operation->scheme == SCHEME_DEFAULT) {
        operation->scheme = first;
    }
    COS_CHECK(operation->scheme == first || operation->scheme == second, COS_E_CONDITIONS);
    return COS_OK;
}

enum cos_result cos_crypt_spend(struct operation *operation)
{
    return operation->spent ? COS_OK
                            : cos_key_spend(operation->secure, operation->at, &operation->key);
}

enum cos_result cos_crypt_read_pair(struct cos_span data, uint32_t first_tag, uint32_t second_tag,
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

/* SHA-1 to SHA-256 count bits up to 2^64 (FIPS 180-4, 1): with the rest of the message, too. */
#define BITS_BEFORE_MAX (UINT64_MAX / 2)

/* The chaining value and the number of bits before it, then the rest of the message. */
static enum cos_result resume(struct operation *operation, uint8_t *digest)
{
    const struct cos_crypto *crypto = operation->secure->config.crypto;
    const size_t state = cos_hash_state(operation->hash);
    struct cos_span before, last;

    COS_CHECK(crypto->hash_resume != NULL, COS_E_FUNCTION);
    COS_TRY(cos_crypt_read_pair(operation->data, TAG_INTERMEDIATE, TAG_PLAIN, &before, &last));
    COS_CHECK(before.length == state + 8, COS_E_DATA);
    const uint64_t bits =
        (uint64_t)cos_get32(before.data + state) << 32 | cos_get32(before.data + state + 4);
    COS_CHECK(bits != 0 && bits <= BITS_BEFORE_MAX, COS_E_DATA);
    COS_CHECK(bits % (8 * cos_hash_block(operation->hash)) == 0, COS_E_DATA);
    COS_TRY(cos_key_self_test(operation->secure, COS_SELF_TEST_HASH));
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

    COS_TRY(cos_crypt_take_algorithm(operation, reference.algorithm));
    COS_CHECK(operation->hashed && operation->scheme == SCHEME_DEFAULT, COS_E_CONDITIONS);
    COS_TRY(operation->p2 == TAG_PLAIN
                ? crypto->hash(crypto->context, operation->hash, &operation->data, 1, digest)
                : resume(operation, digest));
    secure->digest_length = (uint8_t)cos_hash_size(operation->hash);
    secure->digest_of = (uint8_t)operation->hash;
    cos_write_bytes(operation->body, digest, secure->digest_length);
    return COS_OK;
}

/* ---- The call ---- */

static const struct row {
    uint8_t p1, p2;
    enum cos_result (*run)(struct operation *operation);
} operations[] = {
    {TAG_SIGNATURE, TAG_SIGNATURE_INPUT, cos_pso_sign},
    {0x00, 0xA8, cos_pso_verify_signature},
    {TAG_INTERMEDIATE, TAG_PLAIN, hash},
    {TAG_INTERMEDIATE, 0xA0, hash},
    {TAG_PLAIN, TAG_CRYPTOGRAM_TLV, cos_pso_decipher},
    {TAG_PLAIN, TAG_CRYPTOGRAM_BARE, cos_pso_decipher},
    {TAG_PLAIN, TAG_CRYPTOGRAM, cos_pso_decipher},
    {TAG_CRYPTOGRAM_TLV, TAG_PLAIN, cos_pso_encipher},
    {TAG_CRYPTOGRAM_BARE, TAG_PLAIN, cos_pso_encipher},
    {TAG_CRYPTOGRAM, TAG_PLAIN, cos_pso_encipher},
    {TAG_CHECKSUM_VALUE, TAG_PLAIN, cos_pso_checksum},
    {0x00, 0xA2, cos_pso_verify_checksum},
};

/* What HASH left is good for the command behind it, which gets it if it signs. */
static enum cos_result run(struct operation *operation, const struct row *row)
{
    struct cos_secure *secure = operation->secure;
    const uint8_t left = secure->digest_length;

    secure->digest_length = row->run == cos_pso_sign ? left : 0;
    const enum cos_result result = row->run(operation);
    if (row->run == cos_pso_sign) {
        secure->digest_length = 0;
    }
    return result;
}

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
            return run(&operation, &operations[i]);
        }
    }
    secure->digest_length = 0;
    return COS_E_P1_P2;
}
