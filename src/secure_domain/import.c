/* SPDX-License-Identifier: Apache-2.0
 *
 * Import of key pairs by STORE DATA (docs/formats.md, "Security objects in STORE DATA"): the
 * private key of a curve, or the factors of a modulus, one command each if both do not fit one. The
 * other numbers are computed here, and what came is checked first.
 */
#include "domain.h"

enum {
    TAG_NUMBER = 0x83,
    TAG_APPLICATION = 0x84,
    TAG_P = 0x92,
    TAG_Q = 0x93,
    TAG_PRIVATE_KEY = 0xC7,
};

static const uint8_t exponent[] = {0x00, 0x01, 0x00, 0x01};

/* What the command brings. */
struct brought {
    uint8_t number, context;
    struct cos_span p, q, private_key;
};

static enum cos_result take(const struct cos_secure *secure, const struct cos_tlv *tlv,
                            struct brought *brought)
{
    const struct cos_span value = {tlv->value, tlv->length};

    switch (tlv->tag) {
    case TAG_NUMBER:
        COS_CHECK(value.length == 1, COS_E_DATA);
        brought->number = value.data[0];
        return COS_OK;
    case TAG_APPLICATION:
        return cos_application_find(secure, value, &brought->context);
    case TAG_P:
        brought->p = value;
        return COS_OK;
    case TAG_Q:
        brought->q = value;
        return COS_OK;
    case TAG_PRIVATE_KEY:
        brought->private_key = value;
        return COS_OK;
    default:
        return COS_E_DATA;
    }
}

static enum cos_result read_all(const struct cos_secure *secure, struct cos_span dgi,
                                struct brought *brought)
{
    struct cos_reader reader = cos_reader(dgi.data, dgi.length);
    struct cos_tlv tlv;
    enum cos_result result;

    *brought = (struct brought){.context = CONTEXT_GLOBAL};
    while ((result = cos_tlv_next(&reader, &tlv)) == COS_OK) {
        COS_TRY(take(secure, &tlv, brought));
    }
    return result == COS_E_END_OF_DATA ? COS_OK : COS_E_DATA;
}

static enum cos_result import_ec(struct cos_secure *secure, const struct object *key,
                                 const struct brought *brought)
{
    const struct cos_crypto *crypto = secure->config.crypto;
    const struct cos_random random = cos_secure_random(secure);
    const enum cos_curve curve = (enum cos_curve)key->format;
    uint8_t *private_key = cos_material_ec(secure, key);

    COS_CHECK(brought->private_key.length == cos_ec_size(curve) && brought->p.length == 0 &&
                  brought->q.length == 0,
              COS_E_DATA);
    memcpy(private_key, brought->private_key.data, brought->private_key.length);
    COS_TRY(crypto->ec_check(crypto->context, curve, private_key, NULL));
    COS_TRY(
        crypto->ec_public(crypto->context, curve, &random, private_key, secure->config.key_memory));
    return COS_OK;
}

/* p alone waits in key memory for the next command, which must bring q of the same key. */
static enum cos_result import_rsa(struct cos_secure *secure, const struct object *key,
                                  const struct brought *brought, uint16_t waiting)
{
    const struct cos_crypto *crypto = secure->config.crypto;
    const struct cos_random random = cos_secure_random(secure);
    const struct cos_rsa_parts parts = cos_material_rsa_parts(secure, key);
    const size_t half = cos_material_modulus(key) / 2;
    const bool has_p = brought->p.length != 0, has_q = brought->q.length != 0;

    COS_CHECK(brought->private_key.length == 0 && (!has_p || brought->p.length == half) &&
                  (!has_q || brought->q.length == half) && (has_p || has_q),
              COS_E_DATA);
    COS_CHECK(has_p || waiting == key->index + 1U, COS_E_CONDITIONS);
    COS_CHECK(crypto->rsa_complete != NULL, COS_E_FUNCTION);
    if (has_p) {
        memcpy(parts.p, brought->p.data, half);
    }
    if (!has_q) {
        secure->waiting = (uint16_t)(key->index + 1);
        return COS_OK;
    }
    memcpy(parts.q, brought->q.data, half);
    memcpy(parts.n + 2 * half, exponent, sizeof exponent);
    return crypto->rsa_complete(crypto->context, &random, (struct cos_span){parts.p, half},
                                (struct cos_span){parts.q, half},
                                cos_material_exponent(secure, key), &parts);
}

enum cos_result cos_pair_import(struct cos_secure *secure, struct cos_span dgi, uint16_t waiting)
{
    struct brought brought;
    struct object key;

    COS_TRY(read_all(secure, dgi, &brought));
    COS_TRY(cos_object_find(secure, OBJECT_KEY, brought.context, brought.number, 0, &key));
    COS_CHECK(key.algorithm == ALGORITHM_RSA || key.algorithm == ALGORITHM_EC, COS_E_DATA);
    COS_CHECK(cos_material_served(secure, &key), COS_E_FUNCTION);
    COS_TRY(cos_material_fits(secure, &key));
    COS_TRY(cos_material_self_test(secure, &key));
    COS_TRY(key.algorithm == ALGORITHM_RSA ? import_rsa(secure, &key, &brought, waiting)
                                           : import_ec(secure, &key, &brought));
    if (secure->waiting != 0) {
        return COS_OK;
    }
    key.flags &= (uint8_t)~FLAG_GENERATED;
    key.counter = 0;
    return cos_material_store(secure, &key);
}
