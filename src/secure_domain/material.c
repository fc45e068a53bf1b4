/* SPDX-License-Identifier: Apache-2.0
 *
 * Key pairs: what lies in the chunks of an RSA or EC key, the public part first (docs/formats.md,
 * "Security chip: key pairs"), and in the clear in the memory that the vendor gave for it.
 */
#include "domain.h"

/* ---- Sizes ---- */

enum {
    EXPONENT = 4,
    PUBLIC_HEADS = 16, /* of the template 7F49 around a modulus and its exponent */
};

size_t cos_material_modulus(const struct object *key)
{
    return (size_t)key->format * 8;
}

size_t cos_material_public_size(const struct object *key)
{
    return key->algorithm == ALGORITHM_RSA ? cos_material_modulus(key) + EXPONENT
                                           : 1 + 2 * cos_ec_size((enum cos_curve)key->format);
}

/* RSA: n e p q dP dQ qInv; EC: point, private key. */
size_t cos_material_size(const struct object *key)
{
    const size_t size = cos_material_public_size(key);

    if ((key->flags & FLAG_PUBLIC) != 0) {
        return size;
    }
    return size + (key->algorithm == ALGORITHM_RSA ? cos_material_modulus(key) / 2 * 5
                                                   : cos_ec_size((enum cos_curve)key->format));
}

/* Whether it fits key memory, and of RSA what a signature is to the public part, behind that. */
static bool has_memory(const struct cos_secure *secure, const struct object *key)
{
    const size_t memory = secure->config.key_memory_size;
    const size_t result = key->algorithm == ALGORITHM_RSA ? cos_material_modulus(key) : 0;

    return cos_material_size(key) <= memory && cos_material_public_size(key) + result <= memory;
}

bool cos_material_served(const struct cos_secure *secure, const struct object *key)
{
    const struct cos_crypto *crypto = secure->config.crypto;
    const size_t modulus = cos_material_modulus(key);

    if (key->algorithm == ALGORITHM_RSA) {
        return crypto->rsa_private != NULL && crypto->rsa_public != NULL &&
               crypto->rsa_check != NULL && modulus >= COS_RSA_MIN && modulus <= COS_RSA_MAX &&
               modulus % 16 == 0 && modulus + PUBLIC_HEADS <= COS_GATE_MESSAGE_MAX - 8 &&
               has_memory(secure, key);
    }
    return key->algorithm == ALGORITHM_EC && key->format < COS_CURVES &&
           (crypto->curves & 1U << key->format) != 0 && has_memory(secure, key);
}

/* ---- In memory ---- */

struct cos_span cos_material_exponent(const struct cos_secure *secure, const struct object *key)
{
    return (struct cos_span){secure->config.key_memory + cos_material_modulus(key), EXPONENT};
}

/* The n-th of the five numbers behind the public part. */
static uint8_t *rsa_number(const struct cos_secure *secure, const struct object *key, size_t n)
{
    return secure->config.key_memory + cos_material_public_size(key) +
           n * (cos_material_modulus(key) / 2);
}

struct cos_rsa_private cos_material_rsa(const struct cos_secure *secure, const struct object *key)
{
    const size_t half = cos_material_modulus(key) / 2;

    return (struct cos_rsa_private){
        .p = {rsa_number(secure, key, 0), half},
        .q = {rsa_number(secure, key, 1), half},
        .dp = {rsa_number(secure, key, 2), half},
        .dq = {rsa_number(secure, key, 3), half},
        .qinv = {rsa_number(secure, key, 4), half},
        .e = cos_material_exponent(secure, key),
    };
}

struct cos_rsa_parts cos_material_rsa_parts(const struct cos_secure *secure,
                                            const struct object *key)
{
    return (struct cos_rsa_parts){
        .n = secure->config.key_memory,
        .p = rsa_number(secure, key, 0),
        .q = rsa_number(secure, key, 1),
        .dp = rsa_number(secure, key, 2),
        .dq = rsa_number(secure, key, 3),
        .qinv = rsa_number(secure, key, 4),
    };
}

uint8_t *cos_material_ec(const struct cos_secure *secure, const struct object *key)
{
    return secure->config.key_memory + cos_material_public_size(key);
}

void cos_material_wipe(const struct cos_secure *secure)
{
    if (secure->config.key_memory != NULL) {
        cos_wipe(secure->config.key_memory, secure->config.key_memory_size);
    }
}

void cos_material_forget(struct cos_secure *secure)
{
    if (secure->waiting != 0) {
        secure->waiting = 0;
        cos_material_wipe(secure);
    }
}

/* ---- In NVM ---- */

enum cos_result cos_material_self_test(struct cos_secure *secure, const struct object *key)
{
    return cos_key_self_test(secure, key->algorithm == ALGORITHM_RSA
                                         ? COS_SELF_TEST_RSA
                                         : COS_SELF_TEST_P256 << key->format);
}

static enum cos_result load(struct cos_secure *secure, const struct object *key, size_t size)
{
    const struct content content = cos_object_content(key);

    COS_CHECK(key->size != 0, COS_E_NOT_USABLE);                 /* neither made nor imported yet */
    COS_CHECK(cos_material_served(secure, key), COS_E_FUNCTION); /* by another firmware */
    COS_CHECK(key->size == cos_material_size(key), COS_E_STORE_DAMAGED);
    COS_TRY(cos_material_self_test(secure, key));
    return cos_content_read(secure, &content, 0, secure->config.key_memory, size);
}

enum cos_result cos_material_load(struct cos_secure *secure, const struct object *key)
{
    COS_INVARIANT((key->flags & FLAG_PUBLIC) == 0); /* nothing that needs more asks for it */
    return load(secure, key, cos_material_size(key));
}

enum cos_result cos_material_load_public(struct cos_secure *secure, const struct object *key)
{
    return load(secure, key, cos_material_public_size(key));
}

static enum cos_result place(struct cos_secure *secure, const struct object *key,
                             struct content *content)
{
    *content = cos_object_content(key);
    content->size = (uint16_t)cos_material_size(key);
    COS_TRY(cos_content_sweep(secure));
    return cos_content_place(secure, content);
}

enum cos_result cos_material_fits(struct cos_secure *secure, const struct object *key)
{
    struct content content;

    return place(secure, key, &content);
}

enum cos_result cos_material_store(struct cos_secure *secure, struct object *key)
{
    struct content content;

    COS_TRY(place(secure, key, &content));
    COS_TRY(cos_content_write(secure, &content, secure->config.key_memory));
    key->chunk = content.chunk;
    key->size = content.size;
    cos_change_start(secure);
    cos_object_put_entry(secure, key);
    COS_TRY(cos_change_commit(secure)); /* here it replaces the old one */
    return cos_content_sweep(secure);
}
