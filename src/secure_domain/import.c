/* SPDX-License-Identifier: Apache-2.0
 *
 * Import of key pairs and public keys by STORE DATA (docs/formats.md, "Security objects in STORE
 * DATA"). Of a pair: the private key of a curve, or the factors of a modulus, one command each if
 * both do not fit one; the other numbers are computed here. Of a public key: the point, or the
 * modulus and the exponent. What came is checked first.
 */
#include "domain.h"

enum { TAG_NUMBER = 0x83, TAG_APPLICATION = 0x84 };

/* The numbers of keys. */
enum { P, Q, PRIVATE_KEY, N, E, POINT, NUMBERS };
static const uint8_t tags[NUMBERS] = {0x92, 0x93, 0xC7, 0x81, 0x82, 0x86};
#define BIT(which) (1U << (which))

static const uint8_t exponent[] = {0x00, 0x01, 0x00, 0x01};

/* What the command brings. */
struct brought {
    uint8_t number, context;
    uint8_t which; /* BIT(P), ... */
    struct cos_span values[NUMBERS];
};

static enum cos_result take(const struct cos_secure *secure, const struct cos_tlv *tlv,
                            struct brought *brought)
{
    const struct cos_span value = {tlv->value, tlv->length};
    unsigned i = 0;

    if (tlv->tag == TAG_NUMBER) {
        COS_CHECK(value.length == 1, COS_E_DATA);
        brought->number = value.data[0];
        return COS_OK;
    }
    if (tlv->tag == TAG_APPLICATION) {
        return cos_application_find(secure, value, &brought->context);
    }
    while (i < NUMBERS && tags[i] != tlv->tag) {
        i++;
    }
    COS_CHECK(i < NUMBERS, COS_E_DATA);
    brought->values[i] = value;
    brought->which |= (uint8_t)BIT(i);
    return COS_OK;
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

/* ---- Key pairs ---- */

static enum cos_result import_ec(struct cos_secure *secure, const struct object *key,
                                 const struct brought *brought)
{
    const struct cos_crypto *crypto = secure->config.crypto;
    const struct cos_random random = cos_secure_random(secure);
    const enum cos_curve curve = (enum cos_curve)key->format;
    const struct cos_span *value = &brought->values[PRIVATE_KEY];
    uint8_t *private_key = cos_material_ec(secure, key);

    COS_CHECK(brought->which == BIT(PRIVATE_KEY) && value->length == cos_ec_size(curve),
              COS_E_DATA);
    memcpy(private_key, value->data, value->length);
    COS_TRY(crypto->ec_check(crypto->context, curve, private_key, NULL));
    return crypto->ec_public(crypto->context, curve, &random, private_key,
                             secure->config.key_memory);
}

static enum cos_result import_rsa(struct cos_secure *secure, const struct object *key,
                                  const struct brought *brought, uint16_t waiting)
{
    const struct cos_crypto *crypto = secure->config.crypto;
    const struct cos_random random = cos_secure_random(secure);
    const struct cos_rsa_parts parts = cos_material_rsa_parts(secure, key);
    const size_t half = cos_material_modulus(key) / 2;
    const bool has_p = (brought->which & BIT(P)) != 0, has_q = (brought->which & BIT(Q)) != 0;

    COS_CHECK(brought->which != 0 && (brought->which & ~(BIT(P) | BIT(Q))) == 0 &&
                  (!has_p || brought->values[P].length == half) &&
                  (!has_q || brought->values[Q].length == half),
              COS_E_DATA);
    COS_CHECK(has_p || waiting == key->index + 1U, COS_E_CONDITIONS);
    COS_CHECK(crypto->rsa_complete != NULL, COS_E_FUNCTION);
    if (has_p) {
        memcpy(parts.p, brought->values[P].data, half);
    }
    if (!has_q) { /* p waits in key memory for the next command */
        secure->waiting = (uint16_t)(key->index + 1);
        return COS_OK;
    }
    memcpy(parts.q, brought->values[Q].data, half);
    memcpy(parts.n + 2 * half, exponent, sizeof exponent);
    return crypto->rsa_complete(crypto->context, &random, (struct cos_span){parts.p, half},
                                (struct cos_span){parts.q, half},
                                cos_material_exponent(secure, key), &parts);
}

/* ---- Public keys ---- */

static enum cos_result import_point(const struct cos_secure *secure, const struct object *key,
                                    const struct brought *brought)
{
    const struct cos_crypto *crypto = secure->config.crypto;
    const struct cos_span *point = &brought->values[POINT];

    COS_CHECK(brought->which == BIT(POINT) && point->length == cos_material_public_size(key),
              COS_E_DATA);
    memcpy(secure->config.key_memory, point->data, point->length);
    return crypto->ec_check(crypto->context, (enum cos_curve)key->format, NULL, point->data);
}

/* n is odd and of full length, e odd and not too small; more cannot be told of them. */
static enum cos_result check_public(const uint8_t *n, size_t size)
{
    const uint32_t e = cos_get32(n + size);

    COS_CHECK((n[0] & 0x80U) != 0 && (n[size - 1] & 0x01U) != 0, COS_E_DATA);
    COS_CHECK(e >= COS_RSA_E_MIN && (e & 0x01U) != 0, COS_E_DATA);
    return COS_OK;
}

static enum cos_result import_modulus(const struct cos_secure *secure, const struct object *key,
                                      const struct brought *brought)
{
    const size_t size = cos_material_modulus(key);
    const struct cos_span *n = &brought->values[N], *e = &brought->values[E];
    uint8_t *memory = secure->config.key_memory, *behind = memory + size;

    COS_CHECK(brought->which == (BIT(N) | BIT(E)) && n->length == size && e->length >= 1 &&
                  e->length <= sizeof exponent,
              COS_E_DATA);
    memcpy(memory, n->data, size);
    memset(behind, 0, sizeof exponent);
    memcpy(behind + sizeof exponent - e->length, e->data, e->length);
    return check_public(memory, size);
}

/* ---- Either ---- */

static enum cos_result import_value(struct cos_secure *secure, const struct object *key,
                                    const struct brought *brought, uint16_t waiting)
{
    const bool rsa = key->algorithm == ALGORITHM_RSA;

    if ((key->flags & FLAG_PUBLIC) == 0) {
        return rsa ? import_rsa(secure, key, brought, waiting) : import_ec(secure, key, brought);
    }
    return rsa ? import_modulus(secure, key, brought) : import_point(secure, key, brought);
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
    COS_TRY(import_value(secure, &key, &brought, waiting));
    if (secure->waiting != 0) {
        return COS_OK;
    }
    if (key.usage == USAGE_EXTERNAL) {
        cos_status_forget(secure); /* it is not the key that was authenticated */
    }
    key.flags &= (uint8_t)~FLAG_GENERATED;
    key.counter = 0;
    return cos_material_store(secure, &key);
}
