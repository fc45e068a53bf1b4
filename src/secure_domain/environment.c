/* SPDX-License-Identifier: Apache-2.0
 *
 * Security environments: MANAGE SECURITY ENVIRONMENT (ISO/IEC 7816-4:2013, 11.5.11). The current
 * one of a channel says, for each control reference template, which key and which algorithm the
 * next cryptographic operation takes. One that is stored is an object of the application.
 */
#include "domain.h"

enum {
    SET = 0x01,
    SET_OPERATION = 0x3F, /* of P1 */
    SET_COMPUTE = 0x40,
    SET_VERIFY = 0x80,
    TAG_ALGORITHM = 0x80,
    TAG_PUBLIC = 0x83,  /* or a secret key */
    TAG_PRIVATE = 0x84, /* or a session key */
    TAG_VECTOR = 0x87,
    TEMPLATE_CT = 0xB8,
    NUMBER_MAX = 0xEF,
    NUMBER_DEFAULT = 1,
    NUMBER_EMPTY = 0,
};
_Static_assert(sizeof(struct cos_references) <= OBJECT_SLOT_SECRET, "references fit a slot");

static const uint8_t templates[COS_TEMPLATES] = {0xA4, 0xA6, 0xAA, 0xB4, 0xB6, 0xB8};

static unsigned template_of(uint8_t tag)
{
    unsigned i = 0;

    while (i < COS_TEMPLATES && templates[i] != tag) {
        i++;
    }
    return i;
}

struct cos_reference cos_environment_reference(const struct cos_channel *channel, uint8_t template,
                                               enum reference_direction direction)
{
    return channel->environment.references.of[template_of(template)][direction];
}

/* ---- SET ---- */

/* The data objects of a template, each at most once; NULL: it is not there. */
struct template
{
    const uint8_t *key, *algorithm;
    struct cos_span vector;
};

static enum cos_result check_key(const struct cos_secure *secure, uint8_t channel,
                                 uint8_t reference)
{
    struct object key;

    COS_CHECK((reference & 0x60U) == 0, COS_E_REFERENCE_NOT_FOUND);
    return cos_status_find(secure, channel, reference, OBJECT_KEY, &key);
}

static enum cos_result read_template(struct cos_span data, struct template *template)
{
    struct cos_reader reader = cos_reader(data.data, data.length);
    enum cos_result result;
    struct cos_tlv tlv;

    while ((result = cos_tlv_next(&reader, &tlv)) == COS_OK) {
        switch (tlv.tag) {
        case TAG_ALGORITHM:
            COS_CHECK(tlv.length == 1 && template->algorithm == NULL, COS_E_DATA);
            template->algorithm = tlv.value;
            break;
        case TAG_PUBLIC:
        case TAG_PRIVATE:
            COS_CHECK(tlv.length == 1 && template->key == NULL, COS_E_DATA);
            template->key = tlv.value;
            break;
        case TAG_VECTOR:
            COS_CHECK(template->vector.data == NULL &&
                          (tlv.length == COS_DES_BLOCK || tlv.length == COS_AES_BLOCK),
                      COS_E_DATA);
            template->vector = (struct cos_span){tlv.value, tlv.length};
            break;
        default:
            return COS_E_DATA;
        }
    }
    return result == COS_E_END_OF_DATA ? COS_OK : COS_E_DATA;
}

/* What is not named stays as it was. */
static void merge(struct cos_reference *reference, const struct template *template)
{
    if (template->key != NULL) {
        reference->key = *template->key;
    }
    if (template->algorithm != NULL) {
        reference->algorithm = *template->algorithm;
    }
}

/* An initial value block is good for the cipher that it is set with. */
static void set_vector(struct cos_environment *environment, struct cos_span vector)
{
    memset(environment->vector, 0, sizeof environment->vector);
    if (vector.length != 0) {
        memcpy(environment->vector, vector.data, vector.length);
    }
    environment->vector_length = (uint8_t)vector.length;
}

static enum cos_result set(struct cos_secure *secure, uint8_t channel, struct cos_reader *request)
{
    struct cos_environment *environment = &secure->channels[channel].environment;
    const uint8_t p1 = cos_read8(request), p2 = cos_read8(request);
    const struct cos_span data = cos_read_rest(request);
    const unsigned at = template_of(p2);
    struct template template = {NULL, NULL, {NULL, 0}};

    COS_CHECK(!request->failed, COS_E_GATE_FORMAT);
    COS_CHECK((p1 & SET_OPERATION) == SET && (p1 & (SET_COMPUTE | SET_VERIFY)) != 0 &&
                  at < COS_TEMPLATES,
              COS_E_P1_P2);
    COS_TRY(read_template(data, &template));
    COS_CHECK(template.vector.data == NULL || p2 == TEMPLATE_CT, COS_E_DATA);
    if (template.key != NULL) {
        COS_TRY(check_key(secure, channel, *template.key));
    }
    if ((p1 & SET_COMPUTE) != 0) {
        merge(&environment->references.of[at][REFERENCE_COMPUTE], &template);
    }
    if ((p1 & SET_VERIFY) != 0) {
        merge(&environment->references.of[at][REFERENCE_VERIFY], &template);
    }
    if (p2 == TEMPLATE_CT) {
        set_vector(environment, template.vector);
    }
    return COS_OK;
}

/* ---- STORE, RESTORE, ERASE ---- */

static enum cos_result find(const struct cos_secure *secure, const struct cos_channel *channel,
                            uint8_t number, struct object *object)
{
    return cos_object_find(secure, OBJECT_ENVIRONMENT, channel->application, number, 0, object);
}

static enum cos_result restore(struct cos_secure *secure, struct cos_channel *channel,
                               uint8_t number)
{
    struct object object;

    if (number != NUMBER_EMPTY) {
        COS_TRY(find(secure, channel, number, &object));
        COS_TRY(cos_object_secret(secure, &object, secure->clear.secret));
    }
    memset(&channel->environment, 0, sizeof channel->environment);
    if (number != NUMBER_EMPTY) {
        memcpy(&channel->environment.references, secure->clear.secret,
               sizeof channel->environment.references);
        cos_wipe(secure->clear.secret, sizeof secure->clear.secret);
    }
    return COS_OK;
}

enum cos_result cos_environment_default(struct cos_secure *secure, struct cos_channel *channel)
{
    const enum cos_result result = restore(secure, channel, NUMBER_DEFAULT);

    return result == COS_E_REFERENCE_NOT_FOUND ? restore(secure, channel, NUMBER_EMPTY) : result;
}

static enum cos_result store(struct cos_secure *secure, struct cos_channel *channel, uint8_t number)
{
    struct object object = {
        .kind = OBJECT_ENVIRONMENT,
        .context = channel->application,
        .number = number,
        .length = sizeof channel->environment.references,
        .use_rule = 0x00,
        .uses_left = USES_UNLIMITED,
    };
    uint8_t secret[OBJECT_SLOT_SECRET] = {0};

    COS_TRY(cos_object_place(secure, &object));
    memcpy(secret, &channel->environment.references, sizeof channel->environment.references);
    cos_change_start(secure);
    COS_TRY(cos_object_put(secure, &object, secret));
    return cos_change_commit(secure);
}

static enum cos_result erase(struct cos_secure *secure, const struct cos_channel *channel,
                             uint8_t number)
{
    struct object object;

    COS_TRY(find(secure, channel, number, &object));
    cos_change_start(secure);
    cos_object_remove(secure, &object);
    return cos_change_commit(secure);
}

enum cos_result cos_call_se(struct cos_secure *secure, struct cos_reader *request,
                            struct cos_writer *body)
{
    const uint8_t operation = cos_read8(request);
    const uint8_t at = cos_read_channel(request);
    struct cos_channel *channel = &secure->channels[at];

    (void)body;
    COS_CHECK(!request->failed, COS_E_GATE_FORMAT);
    if (operation == COS_SE_SET) {
        return set(secure, at, request);
    }
    const uint8_t number = cos_read8(request);
    COS_CHECK(cos_read_done(request) && operation >= COS_SE_STORE && operation <= COS_SE_ERASE,
              COS_E_GATE_FORMAT);
    COS_CHECK(number <= NUMBER_MAX && (number != NUMBER_EMPTY || operation == COS_SE_RESTORE),
              COS_E_P1_P2);
    if (operation == COS_SE_RESTORE) {
        return restore(secure, channel, number);
    }
    COS_TRY(cos_status_require(secure, at, CONDITION_SM)); /* the issuer's, as the application is */
    return operation == COS_SE_STORE ? store(secure, channel, number)
                                     : erase(secure, channel, number);
}
