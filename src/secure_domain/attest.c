/* SPDX-License-Identifier: Apache-2.0
 *
 * Attestation: a key of the card's own that signs nothing else says of a key pair that it was made
 * on this chip, and what it may do (docs/formats.md, "Attestation").
 */
#include "crypt.h"

enum { TAG_REFERENCE = 0x84, TAG_RANDOM = 0x91, RANDOM_MIN = 8, RANDOM_MAX = 32 };

/* The key pair that is spoken of. */
static enum cos_result find_subject(const struct operation *operation, struct cos_span reference,
                                    struct object *subject)
{
    COS_CHECK(reference.length == 1, COS_E_DATA);
    COS_TRY(
        cos_status_find(operation->secure, operation->at, reference.data[0], OBJECT_KEY, subject));
    COS_CHECK(subject->algorithm == ALGORITHM_RSA || subject->algorithm == ALGORITHM_EC,
              COS_E_CONDITIONS);
    COS_CHECK(subject->size != 0, COS_E_NOT_USABLE);
    COS_CHECK((subject->flags & FLAG_GENERATED) != 0, COS_E_CONDITIONS);
    return COS_OK;
}

enum cos_result cos_crypt_statement(struct operation *operation, uint8_t digest[COS_SHA256_SIZE])
{
    static const uint8_t label[] = {'T', 'w', 'i', 'n', 'C', 'O', 'S', ' ', 'a', 't',
                                    't', 'e', 's', 't', 'a', 't', 'i', 'o', 'n'};
    struct cos_secure *secure = operation->secure;
    const struct cos_crypto *crypto = secure->config.crypto;
    uint8_t application[APPLICATION_NAME];
    struct cos_span reference, random;
    struct object subject;

    COS_TRY(cos_crypt_read_pair(operation->data, TAG_REFERENCE, TAG_RANDOM, &reference, &random));
    COS_CHECK(random.length >= RANDOM_MIN && random.length <= RANDOM_MAX, COS_E_DATA);
    COS_TRY(find_subject(operation, reference, &subject));
    COS_TRY(cos_application_name(secure, subject.context, application));
    COS_TRY(cos_material_load_public(secure, &subject));
    const uint8_t attributes[] = {reference.data[0], subject.algorithm,  subject.format,
                                  subject.usage,     subject.service,    subject.flags,
                                  subject.use_rule,  subject.change_rule};
    const struct cos_span parts[] = {
        {label, sizeof label},
        {secure->serial, sizeof secure->serial},
        {application, sizeof application},
        {attributes, sizeof attributes},
        {secure->config.key_memory, cos_material_public_size(&subject)},
        random,
    };
    return crypto->hash(crypto->context, COS_SHA256, parts, sizeof parts / sizeof parts[0], digest);
}
