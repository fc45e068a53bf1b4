/* SPDX-License-Identifier: Apache-2.0
 *
 * GENERATE ASYMMETRIC KEY PAIR (ISO/IEC 7816-8:2019, 11.2): a key pair made on the chip, and its
 * public part, which may be read at any time.
 */
#include "domain.h"

enum {
    TAG_PUBLIC_KEY = 0x7F49,
    TAG_MODULUS = 0x81,
    TAG_EXPONENT = 0x82,
    TAG_POINT = 0x86,
    TAG_PRIVATE_REFERENCE = 0x84,
};

/* Public keys are answered with the exponent's leading zeros left out. */
static const uint8_t exponent[] = {0x00, 0x01, 0x00, 0x01};

/* Under secure messaging the open command names the key. */
static bool is_named(const struct cos_secure *secure, uint8_t reference)
{
    const struct cos_held *open = &secure->held;
    struct cos_reader reader = cos_reader(open->data, open->length);
    struct cos_tlv template, tlv;

    return !secure->in_sm ||
           (cos_tlv_next(&reader, &template) == COS_OK && reader.length == 0 &&
            cos_tlv_find(template.value, template.length, TAG_PRIVATE_REFERENCE, &tlv) == COS_OK &&
            tlv.length == 1 && tlv.value[0] == reference);
}

static enum cos_result find_pair(const struct cos_secure *secure, uint8_t channel,
                                 uint8_t reference, struct object *key)
{
    COS_CHECK(is_named(secure, reference), COS_E_CONDITIONS);
    COS_CHECK((reference & 0x60U) == 0, COS_E_REFERENCE_NOT_FOUND); /* it is no P2 */
    COS_TRY(cos_status_find(secure, channel, reference, OBJECT_KEY, key));
    COS_CHECK(key->algorithm == ALGORITHM_RSA || key->algorithm == ALGORITHM_EC, COS_E_CONDITIONS);
    return COS_OK;
}

/* What is in key memory. */
static void write_public(const struct cos_secure *secure, const struct object *key,
                         struct cos_writer *body)
{
    const uint8_t *memory = secure->config.key_memory;
    const size_t template = cos_tlv_open(body, TAG_PUBLIC_KEY);

    if (key->algorithm == ALGORITHM_RSA) {
        struct cos_span e = cos_material_exponent(secure, key);
        while (e.length > 1 && e.data[0] == 0) {
            e.data++;
            e.length--;
        }
        cos_tlv_write(body, TAG_MODULUS, memory, cos_material_modulus(key));
        cos_tlv_write(body, TAG_EXPONENT, e.data, e.length);
    } else {
        cos_tlv_write(body, TAG_POINT, memory, cos_material_public_size(key));
    }
    cos_tlv_close(body, template);
}

enum cos_result cos_key_public(struct cos_secure *secure, uint8_t channel, uint8_t reference,
                               struct cos_writer *body)
{
    struct object key;

    COS_TRY(find_pair(secure, channel, reference, &key));
    COS_TRY(cos_material_load_public(secure, &key));
    write_public(secure, &key, body);
    return COS_OK;
}

static enum cos_result make_pair(struct cos_secure *secure, const struct object *key)
{
    const struct cos_crypto *crypto = secure->config.crypto;
    const struct cos_random random = cos_secure_random(secure);

    if (key->algorithm == ALGORITHM_EC) {
        return crypto->ec_generate(crypto->context, (enum cos_curve)key->format, &random,
                                   cos_material_ec(secure, key), secure->config.key_memory);
    }
    const struct cos_rsa_parts parts = cos_material_rsa_parts(secure, key);
    COS_CHECK(crypto->rsa_generate != NULL, COS_E_FUNCTION);
    memcpy(secure->config.key_memory + cos_material_modulus(key), exponent, sizeof exponent);
    return crypto->rsa_generate(crypto->context, &random, 8 * cos_material_modulus(key),
                                cos_material_exponent(secure, key), &parts);
}

enum cos_result cos_key_generate(struct cos_secure *secure, uint8_t channel, uint8_t reference,
                                 struct cos_writer *body)
{
    struct object key;

    COS_TRY(find_pair(secure, channel, reference, &key));
    COS_CHECK((key.flags & FLAG_PUBLIC) == 0, COS_E_CONDITIONS);
    COS_CHECK(cos_material_served(secure, &key), COS_E_FUNCTION);
    COS_TRY(cos_status_require_of(secure, channel, key.context == CONTEXT_GLOBAL, key.change_rule));
    COS_TRY(cos_material_fits(secure, &key)); /* before the long work */
    cos_status_revoke(secure, &key);
    COS_TRY(cos_material_self_test(secure, &key));
    COS_TRY(make_pair(secure, &key));
    key.flags |= FLAG_GENERATED;
    key.counter = 0;
    write_public(secure, &key, body);
    return cos_material_store(secure, &key);
}
