/* SPDX-License-Identifier: Apache-2.0
 *
 * GENERAL AUTHENTICATE (ISO/IEC 7816-4:2013, 11.5.5): internal and external authentication and key
 * agreement with dynamic authentication data.
 */
#include "auth.h"

enum {
    TAG_DYNAMIC = 0x7C,
    TAG_CHALLENGE = 0x81,
    TAG_RESPONSE = 0x82,
    TAG_POINT = 0x85,
    HEAD = 4, /* bytes of a tag and its length, at most: of the template and of what is in it */
};

/* What a template asks for. */
enum request {
    ASKS_RESPONSE,  /* 82 empty, 81 challenge */
    ASKS_CHALLENGE, /* 81 empty */
    HAS_RESPONSE,   /* 82 */
    HAS_POINT,      /* 85 */
};

/* The template is all of the data; an empty object asks for that object. */
static enum cos_result read_template(struct cos_span data, enum request *request,
                                     struct cos_span *value)
{
    struct cos_reader reader = cos_reader(data.data, data.length), inside;
    struct cos_tlv tlv, first;

    COS_CHECK(cos_tlv_next(&reader, &tlv) == COS_OK && tlv.tag == TAG_DYNAMIC, COS_E_DATA);
    COS_CHECK(reader.length == 0, COS_E_DATA);
    inside = cos_reader(tlv.value, tlv.length);
    COS_CHECK(cos_tlv_next(&inside, &first) == COS_OK, COS_E_DATA);
    *value = (struct cos_span){first.value, first.length};
    if (first.tag == TAG_RESPONSE && first.length == 0) {
        COS_CHECK(cos_tlv_next(&inside, &tlv) == COS_OK && tlv.tag == TAG_CHALLENGE, COS_E_DATA);
        *value = (struct cos_span){tlv.value, tlv.length};
        *request = ASKS_RESPONSE;
    } else if (first.tag == TAG_CHALLENGE) {
        *request = ASKS_CHALLENGE;
    } else {
        COS_CHECK(first.tag == TAG_RESPONSE || first.tag == TAG_POINT, COS_E_DATA);
        *request = first.tag == TAG_RESPONSE ? HAS_RESPONSE : HAS_POINT;
    }
    COS_CHECK(inside.length == 0 && (value->length == 0) == (*request == ASKS_CHALLENGE),
              COS_E_DATA);
    return COS_OK;
}

/* Opens the template, and the object in it. */
struct answer {
    size_t template, object;
};

static struct answer open_answer(struct cos_writer *body, uint8_t tag)
{
    const size_t template = cos_tlv_open(body, TAG_DYNAMIC);

    return (struct answer){template, cos_tlv_open(body, tag)};
}

static void close_answer(struct cos_writer *body, struct answer answer)
{
    cos_tlv_close(body, answer.object);
    cos_tlv_close(body, answer.template);
}

/* In a template a wrong length is one of its data. */
static enum cos_result as_data(enum cos_result result)
{
    return result == COS_E_LENGTH ? COS_E_DATA : result;
}

static enum cos_result respond(struct cos_secure *secure, uint8_t channel, struct object *key,
                               struct cos_span challenge, struct cos_writer *body)
{
    COS_CHECK((key->usage & USAGE_INTERNAL) != 0, COS_E_CONDITIONS);
    COS_TRY(cos_key_ready(secure, channel, key));
    /* The answer is kept for SM_SEAL. */
    COS_CHECK(!secure->in_sm || key->algorithm != ALGORITHM_RSA ||
                  cos_material_modulus(key) + 2 * HEAD <= COS_SM_ANSWER_MAX,
              COS_E_LENGTH);
    const struct answer answer = open_answer(body, TAG_RESPONSE);
    COS_TRY(as_data(cos_auth_internal(secure, channel, key, challenge, body)));
    close_answer(body, answer);
    return COS_OK;
}

static enum cos_result challenge(struct cos_secure *secure, const struct object *key, uint8_t use,
                                 struct cos_writer *body)
{
    const struct answer answer = open_answer(body, TAG_CHALLENGE);

    COS_TRY(cos_challenge_make(secure, (uint8_t)cos_auth_block(key), use, body));
    close_answer(body, answer);
    return COS_OK;
}

static enum cos_result agree(struct cos_secure *secure, uint8_t channel, struct object *key,
                             struct cos_span point, struct cos_writer *body)
{
    const struct cos_crypto *crypto = secure->config.crypto;
    const struct cos_random random = cos_secure_random(secure);
    const enum cos_curve curve = (enum cos_curve)key->format;

    COS_TRY(cos_key_may(secure, channel, key, SERVICE_AGREE));
    COS_CHECK(point.length == cos_material_public_size(key), COS_E_DATA);
    COS_TRY(cos_material_load(secure, key));
    COS_TRY(cos_key_spend(secure, channel, key));
    const struct answer answer = open_answer(body, TAG_RESPONSE);
    uint8_t *secret = cos_write_room(body, cos_ec_size(curve));
    COS_INVARIANT(secret != NULL);
    COS_TRY(crypto->ec_agree(crypto->context, curve, &random, cos_material_ec(secure, key),
                             point.data, secret));
    close_answer(body, answer);
    return COS_OK;
}

static enum cos_result run(struct cos_secure *secure, uint8_t channel, uint8_t use,
                           struct object *key, enum request request, struct cos_span value,
                           struct cos_writer *body)
{
    if (request == ASKS_RESPONSE) {
        return respond(secure, channel, key, value, body);
    }
    if (request == HAS_POINT) {
        return agree(secure, channel, key, value, body);
    }
    COS_CHECK(key->usage == USAGE_EXTERNAL, COS_E_CONDITIONS);
    COS_TRY(cos_status_require_of(secure, channel, key->context == CONTEXT_GLOBAL, key->use_rule));
    return request == ASKS_CHALLENGE ? challenge(secure, key, use, body)
                                     : as_data(cos_auth_external(secure, channel, key, use, value));
}

enum cos_result cos_auth_general(struct cos_secure *secure, uint8_t channel, uint8_t reference,
                                 struct object *key, struct cos_span data, struct cos_writer *body)
{
    enum request request = ASKS_CHALLENGE;
    struct cos_span value;
    const enum cos_result result = read_template(data, &request, &value);

    if (request != HAS_RESPONSE) {
        secure->challenge_length = 0;
    }
    COS_TRY(result);
    return run(secure, channel, CHALLENGE_GENERAL | reference, key, request, value, body);
}
