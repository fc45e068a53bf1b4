/* SPDX-License-Identifier: Apache-2.0
 *
 * Life cycle: production steps 3 to 6, SET STATUS, the production record (docs/formats.md,
 * "Production steps").
 */
#include "domain.h"

#include "gate/pairing.h"

enum {
    STEP_PACK = 3,
    STEP_PRODUCE = 4,
    STEP_INITIALIZE = 5,
    STEP_PERSONALIZE = 6,
    PACK_BODY = 16 + 16 + 4,
    PRODUCE_BODY = 3 * 16 + 4 + 8 + 4 + 16,
    WHO_WHEN = 8, /* who (2), date (2), equipment (4) */
    GP_SECURED = 0x0F,
    GP_LOCKED = 0x7F,
    GP_TERMINATED = 0xFF,
};

/* The state that a step begins in: step 3 in FABRICATED, and so on. */
static uint8_t state_before(uint8_t step)
{
    return (uint8_t)(step - STEP_PACK + COS_LIFE_FABRICATED);
}

static enum cos_result step_challenge(struct cos_secure *secure, struct cos_reader *request,
                                      struct cos_writer *body)
{
    uint8_t step = cos_read8(request);

    COS_CHECK(cos_read_done(request), COS_E_GATE_FORMAT);
    COS_CHECK(step == STEP_PACK || step == STEP_PRODUCE, COS_E_P1_P2);
    COS_CHECK(secure->life_cycle == state_before(step), COS_E_CONDITIONS);
    return cos_challenge_make(secure, COS_AES_BLOCK, step, body);
}

/* The key of one step's token, to secure->clear: bound to the transport key, the step and the
 * challenge. */
static enum cos_result token_key(struct cos_secure *secure, const struct object *transport,
                                 uint8_t step)
{
    static const uint8_t label[] = {'T', 'w', 'i', 'n', 'C', 'O', 'S', ' ', 'p', 'r', 'o', 'd',
                                    'u', 'c', 't', 'i', 'o', 'n', ' ', 's', 't', 'e', 'p'};
    struct cos_secure_clear *clear = &secure->clear;
    uint8_t context[1 + COS_AES_BLOCK];

    context[0] = step;
    memcpy(context + 1, secure->challenge, COS_AES_BLOCK);
    COS_TRY(cos_object_secret(secure, transport, clear->secret));
    return cos_kdf(secure->config.crypto, clear->secret, transport->length,
                   (struct cos_span){label, sizeof label},
                   (struct cos_span){context, sizeof context}, clear->key, sizeof clear->key);
}

/* Checks the token and deciphers its body, to secure->clear. The try is spent before the comparison
 * and still spent afterwards: the step gives it back with what it writes. */
static enum cos_result open_token(struct cos_secure *secure, struct object *transport, uint8_t step,
                                  struct cos_span token, size_t body_length)
{
    static const uint8_t nonce[COS_CCM_NONCE];
    const struct cos_crypto *crypto = secure->config.crypto;
    struct cos_secure_clear *clear = &secure->clear;
    uint8_t tag[COS_CCM_TAG];

    COS_CHECK(token.length == body_length + COS_CCM_TAG, COS_E_LENGTH);
    COS_CHECK(secure->challenge_length == COS_AES_BLOCK && secure->challenge_use == step,
              COS_E_CONDITIONS);
    secure->challenge_length = 0;
    COS_TRY(cos_object_find(secure, OBJECT_KEY, CONTEXT_GLOBAL, (uint8_t)(step - STEP_PACK + 1), 0,
                            transport));
    COS_CHECK(transport->usage == USAGE_TRANSPORT, COS_E_NOT_USABLE);
    COS_TRY(cos_object_spend(secure, transport));
    COS_TRY(token_key(secure, transport, step));
    memcpy(clear->work, token.data, body_length);
    COS_TRY(crypto->aes_ccm_open(crypto->context, clear->key, sizeof clear->key, nonce, &step, 1,
                                 clear->work, body_length, tag));
    cos_wipe(secure->challenge, sizeof secure->challenge);
    COS_CHECK(cos_equal_secret(tag, token.data + body_length, sizeof tag) == COS_YES,
              cos_tries_left(transport->tries_left));
    return COS_OK;
}

/* Adds a pairing secret of this generation and wraps it for the app chip. When the step is run
 * again it is the same secret: the wrapping key and its nonce must not meet another one. */
static enum cos_result add_pairing(struct cos_secure *secure, uint8_t generation,
                                   const uint8_t app_key[16], struct cos_writer *body)
{
    uint8_t *secret = secure->clear.secret;
    struct object object;

    enum cos_result found =
        cos_object_find(secure, OBJECT_PAIRING, CONTEXT_GLOBAL, generation, 0, &object);
    if (found == COS_OK) {
        COS_TRY(cos_object_secret(secure, &object, secret));
    } else {
        COS_CHECK(found == COS_E_REFERENCE_NOT_FOUND, found);
        object = (struct object){
            .kind = OBJECT_PAIRING,
            .number = generation,
            .length = COS_PAIRING_SECRET,
            .use_rule = 0xFF,
        };
        COS_TRY(cos_object_place(secure, &object));
        COS_TRY(cos_drbg_random(&secure->drbg, secret, COS_PAIRING_SECRET));
    }
    cos_write8(body, generation);
    uint8_t *wrapped = cos_write_room(body, COS_PAIRING_SECRET + COS_CCM_TAG);
    COS_INVARIANT(wrapped != NULL);
    COS_TRY(cos_pairing_wrap(secure->config.crypto, app_key, secret, generation, wrapped));
    return cos_object_put(secure, &object, secret);
}

/* Step 3. The state changes only with the first HELLO under the new secret: until then the step can
 * be run again. */
static enum cos_result pack(struct cos_secure *secure, struct object *transport,
                            const uint8_t tests[2], const uint8_t body[PACK_BODY],
                            struct cos_writer *answer)
{
    const uint8_t generation = 1;

    transport->tries_left = transport->tries_max;
    cos_object_put_entry(secure, transport);
    COS_TRY(cos_object_add_transport(secure, STEP_PRODUCE - STEP_PACK + 1, body));
    COS_TRY(add_pairing(secure, generation, body + 16, answer));
    cos_state_add8(secure, STATE_PREPARED, generation);
    cos_change_add(secure, STATE_CONTACTS, tests, 2);
    cos_change_add(secure, STATE_CPLC + CPLC_MODULE, body + 32, 4);
    return cos_change_commit(secure);
}

enum cos_result cos_life_packed(struct cos_secure *secure)
{
    struct object transport;
    uint8_t prepared;

    COS_TRY(cos_state_read(secure, STATE_PREPARED, &prepared, 1));
    COS_TRY(cos_object_find(secure, OBJECT_KEY, CONTEXT_GLOBAL, 1, 0, &transport));
    cos_change_start(secure);
    cos_object_remove(secure, &transport);
    cos_state_add8(secure, STATE_PAIRING, prepared);
    cos_state_add8(secure, STATE_PREPARED, 0);
    return cos_state_advance(secure, COS_LIFE_PACKAGED);
}

/* Step 4: the initialization keys are installed, the transport key goes. */
static enum cos_result produce(struct cos_secure *secure, const struct object *transport,
                               const uint8_t body[PRODUCE_BODY])
{
    for (uint8_t i = 0; i < KEYS_OF_A_SET; i++) {
        struct object key;
        COS_TRY(cos_object_place_key(secure, (uint8_t)(i + 1), KEY_VERSION_INITIAL, &key));
        COS_TRY(cos_object_put(secure, &key, body + 16 * i));
    }
    cos_object_remove(secure, transport);
    cos_change_add(secure, STATE_CPLC + CPLC_ICC, body + 48, 4);
    cos_change_add(secure, STATE_CARD_BODY, body + 52, STATE_LAYOUT - STATE_CARD_BODY);
    return cos_state_advance(secure, COS_LIFE_PRODUCED);
}

/* Steps 3 and 4, whose data are under a transport key. */
static enum cos_result token_step(struct cos_secure *secure, uint8_t step, const uint8_t tests[2],
                                  struct cos_span token, struct cos_writer *answer)
{
    const uint8_t *body = secure->clear.work;
    struct object transport;

    COS_TRY(
        open_token(secure, &transport, step, token, step == STEP_PACK ? PACK_BODY : PRODUCE_BODY));
    cos_change_start(secure);
    return step == STEP_PACK ? pack(secure, &transport, tests, body, answer)
                             : produce(secure, &transport, body);
}

/* Step 5: the issuer's keys must be there; those of production go. */
static enum cos_result initialize(struct cos_secure *secure, const uint8_t who_when[WHO_WHEN])
{
    unsigned issuer_sets;

    COS_TRY(cos_object_count_sets(secure, KEY_VERSION_INITIAL, &issuer_sets));
    COS_CHECK(issuer_sets > 0, COS_E_CONDITIONS);
    cos_change_start(secure);
    enum cos_result removed = cos_object_remove_set(secure, KEY_VERSION_INITIAL);
    COS_CHECK(removed == COS_OK || removed == COS_E_REFERENCE_NOT_FOUND, removed); /* replaced */
    cos_change_add(secure, STATE_CPLC + CPLC_PREPERSONALIZER, who_when, WHO_WHEN);
    COS_TRY(cos_state_advance(secure, COS_LIFE_INITIALIZED));
    /* The session's keys are gone, and so is the session: step 6 is for who has the issuer's. */
    cos_sessions_close(secure);
    return COS_OK;
}

static enum cos_result personalize(struct cos_secure *secure, const uint8_t who_when[WHO_WHEN])
{
    cos_change_start(secure);
    cos_change_add(secure, STATE_CPLC + CPLC_PERSONALIZER, who_when, WHO_WHEN);
    return cos_state_advance(secure, COS_LIFE_PERSONALIZED);
}

static enum cos_result complete_step(struct cos_secure *secure, struct cos_reader *request,
                                     struct cos_writer *body)
{
    uint8_t step = cos_read8(request);
    const uint8_t *tests = cos_read_bytes(request, 2); /* contacts, frames */
    struct cos_span data = cos_read_rest(request);

    COS_CHECK(!request->failed, COS_E_GATE_FORMAT);
    COS_CHECK(step >= STEP_PACK && step <= STEP_PERSONALIZE, COS_E_P1_P2);
    COS_CHECK(secure->life_cycle == state_before(step), COS_E_CONDITIONS);
    if (step == STEP_PACK || step == STEP_PRODUCE) {
        return token_step(secure, step, tests, data, body);
    }
    COS_TRY(cos_status_require(secure, secure->last_channel, CONDITION_SM));
    COS_CHECK(data.length == WHO_WHEN, COS_E_LENGTH);
    return step == STEP_INITIALIZE ? initialize(secure, data.data) : personalize(secure, data.data);
}

/* The states that SET STATUS may lead to, and from where. */
static enum cos_result next_state(const struct cos_secure *secure, uint8_t wanted,
                                  enum cos_life_cycle *next)
{
    unsigned from;

    switch (wanted) {
    case GP_SECURED:
        from = COS_LIFE_BIT(COS_LIFE_PERSONALIZED) | COS_LIFE_BIT(COS_LIFE_LOCKED);
        *next = COS_LIFE_OPERATIONAL;
        break;
    case GP_LOCKED:
        from = COS_LIFE_BIT(COS_LIFE_OPERATIONAL);
        *next = COS_LIFE_LOCKED;
        break;
    case GP_TERMINATED:
        from = COS_STATES_USE | COS_LIFE_BIT(COS_LIFE_LOCKED);
        *next = COS_LIFE_TERMINATED;
        break;
    default:
        return COS_E_P1_P2;
    }
    COS_CHECK((COS_LIFE_BIT(secure->life_cycle) & from) != 0, COS_E_CONDITIONS);
    return COS_OK;
}

static enum cos_result set_status(struct cos_secure *secure, struct cos_reader *request)
{
    uint8_t channel = cos_read_channel(request);
    uint8_t wanted = cos_read8(request);
    enum cos_life_cycle next;

    COS_CHECK(cos_read_done(request), COS_E_GATE_FORMAT);
    COS_TRY(cos_status_require(secure, channel, CONDITION_SM));
    COS_TRY(next_state(secure, wanted, &next));
    cos_change_start(secure);
    COS_TRY(cos_state_advance(secure, next));
    cos_status_forget(secure); /* what was verified before the lock does not outlive it */
    if (next != COS_LIFE_TERMINATED) {
        return COS_OK;
    }
    /* TERMINATED is committed: from here on the secrets are only to be erased. */
    cos_sessions_close(secure);
    cos_status_clear(secure);
    return cos_object_erase_secrets(secure);
}

static enum cos_result record(struct cos_secure *secure, struct cos_reader *request,
                              struct cos_writer *body)
{
    const uint8_t channel = cos_read_channel(request);

    COS_CHECK(cos_read_done(request), COS_E_GATE_FORMAT);
    if ((COS_LIFE_BIT(secure->life_cycle) &
         (COS_LIFE_BIT(COS_LIFE_OPERATIONAL) | COS_LIFE_BIT(COS_LIFE_LOCKED))) != 0) {
        COS_TRY(cos_status_require(secure, channel, secure->record_rule));
    }
    return cos_state_write_record(secure, body);
}

enum cos_result cos_call_life(struct cos_secure *secure, struct cos_reader *request,
                              struct cos_writer *body)
{
    uint8_t operation = cos_read8(request);

    switch (operation) {
    case COS_LIFE_CHALLENGE:
        return step_challenge(secure, request, body);
    case COS_LIFE_STEP:
        return complete_step(secure, request, body);
    case COS_LIFE_RECORD:
        return record(secure, request, body);
    case COS_LIFE_SET:
        return set_status(secure, request);
    default:
        return COS_E_GATE_FORMAT;
    }
}
