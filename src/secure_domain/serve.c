/* SPDX-License-Identifier: Apache-2.0
 *
 * The gate server: one frame in, one call, one frame out. Which states a call is served in stands
 * in the call table; what it means for pending steps stands here.
 */
#include "domain.h"

uint8_t cos_read_channel(struct cos_reader *request)
{
    uint8_t channel = cos_read8(request);

    if (channel >= COS_CHANNELS) {
        request->failed = true;
        return 0;
    }
    return channel;
}

static void write_status(const struct cos_secure *secure, bool in_session, struct cos_writer *body)
{
    uint8_t status[21] = {
        [0] = secure->life_cycle,    [1] = (uint8_t)secure->verdict, [10] = COS_VERSION_MAJOR,
        [11] = COS_VERSION_MINOR,    [12] = COS_VERSION_PATCH,       [13] = secure->record_rule,
        [20] = secure->config.scp03,
    };

    memcpy(status + 2, secure->serial, sizeof secure->serial);
    if (in_session) {
        cos_put32(status + 14, secure->transaction);
        cos_put16(status + 18, secure->attacks);
    }
    cos_write_bytes(body, status, sizeof status);
}

static enum cos_result hello_begin(struct cos_secure *secure, struct cos_reader *request,
                                   struct cos_writer *body)
{
    uint8_t generation = cos_read8(request);
    const uint8_t *nonce = cos_read_bytes(request, COS_GATE_NONCE);
    uint8_t generations[2], own_nonce[COS_GATE_NONCE];
    struct object pairing;

    COS_CHECK(cos_read_done(request), COS_E_GATE_FORMAT);
    COS_TRY(cos_state_read(secure, STATE_PAIRING, generations, sizeof generations));
    COS_CHECK(generation != 0 && (generation == generations[0] || generation == generations[1]),
              COS_E_GATE_SESSION);
    COS_TRY(cos_object_find(secure, OBJECT_PAIRING, CONTEXT_GLOBAL, generation, 0, &pairing));
    COS_TRY(cos_drbg_random(&secure->drbg, own_nonce, sizeof own_nonce));
    COS_TRY(cos_object_secret(secure, &pairing, secure->clear.secret));
    secure->prepared = generation == generations[1];
    return cos_server_hello_begin(&secure->gate, secure->clear.secret, nonce, own_nonce, body);
}

/* A new session clears all security status, as a card reset does. */
static enum cos_result hello_confirm(struct cos_secure *secure, struct cos_reader *request)
{
    const uint8_t *confirmation = cos_read_bytes(request, CONFIRMATION_SIZE);

    COS_CHECK(cos_read_done(request), COS_E_GATE_FORMAT);
    COS_TRY(cos_server_hello_confirm(&secure->gate, confirmation));
    cos_pending_drop(secure);
    cos_status_clear(secure);
    if (secure->prepared && secure->life_cycle == COS_LIFE_FABRICATED) {
        secure->prepared = false;
        return cos_life_packed(secure);
    }
    return COS_OK;
}

static enum cos_result call_hello(struct cos_secure *secure, struct cos_reader *request,
                                  struct cos_writer *body)
{
    switch (cos_read8(request)) {
    case COS_HELLO_BEGIN:
        return hello_begin(secure, request, body);
    case COS_HELLO_CONFIRM:
        return hello_confirm(secure, request);
    default:
        return COS_E_GATE_FORMAT;
    }
}

/* The handlers, a row each for what is served and not handled above; made from the call table's
 * names. */
static call_handler handler_of(uint8_t opcode)
{
    switch (opcode) {
    case COS_GATE_HELLO:
        return call_hello;
    case COS_GATE_CONTEXT:
        return cos_call_context;
    case COS_GATE_ACCESS:
        return cos_call_access;
    case COS_GATE_PIN:
        return cos_call_pin;
    case COS_GATE_CHALLENGE:
        return cos_call_challenge;
    case COS_GATE_AUTH:
        return cos_call_auth;
    case COS_GATE_KEY:
        return cos_call_key;
    case COS_GATE_CRYPT:
        return cos_call_crypt;
    case COS_GATE_SE:
        return cos_call_se;
    case COS_GATE_SM_OPEN:
        return cos_call_sm_open;
    case COS_GATE_SM_SEAL:
        return cos_call_sm_seal;
    case COS_GATE_VAULT:
        return cos_call_vault;
    case COS_GATE_LIFE:
        return cos_call_life;
    default:
        return NULL;
    }
}

/* The channel that a call is about; one that names none is about that of the last one. */
static uint8_t channel_of(const struct cos_secure *secure, const struct server_request *request)
{
    const struct cos_span message = request->message;

    switch (request->opcode) {
    case COS_GATE_STATUS:
    case COS_GATE_HELLO:
        return secure->last_channel;
    case COS_GATE_ACCESS:
    case COS_GATE_CHALLENGE:
    case COS_GATE_SM_OPEN:
    case COS_GATE_SM_SEAL:
        return message.data[0];
    case COS_GATE_LIFE:
        return message.data[0] == COS_LIFE_SET && message.length > 1 ? message.data[1]
                                                                     : secure->last_channel;
    default:
        return message.data[1]; /* behind the operation */
    }
}

/* What interrupts what. A call outside SM_OPEN and SM_SEAL belongs to a plain command, which ends
 * secure messaging. Between GET CHALLENGE and the authentication that uses it, and between
 * INITIALIZE UPDATE and EXTERNAL AUTHENTICATE, nothing may stand. */
static void interrupt(struct cos_secure *secure, uint8_t opcode, uint8_t channel)
{
    bool around = opcode == COS_GATE_SM_OPEN || opcode == COS_GATE_SM_SEAL;

    if (opcode == COS_GATE_STATUS || opcode == COS_GATE_HELLO) {
        return;
    }
    if (channel != secure->last_channel) {
        cos_steps_drop(secure); /* a command of another channel is another command */
    }
    secure->last_channel = channel;
    const struct cos_session *session = cos_session_seen(secure, channel);
    if (!secure->in_sm && !around && session != NULL && session->open == COS_YES) {
        cos_channel_close_session(secure, channel);
    }
    if (opcode != COS_GATE_CRYPT && !around) {
        secure->digest_length = 0; /* COMPUTE DIGITAL SIGNATURE must follow HASH at once */
    }
    if (opcode != COS_GATE_KEY && !around) {
        cos_material_forget(secure);
    }
    if (opcode != COS_GATE_AUTH) {
        cos_sessions_close_begun(secure);
        /* A production step's challenge is completed by LIFE; GET CHALLENGE's never is. */
        const bool of_step =
            secure->challenge_use != 0 && secure->challenge_use < CHALLENGE_GENERAL;
        if (!around && (opcode != COS_GATE_LIFE || !of_step)) {
            secure->challenge_length = 0;
        }
    }
}

/* Whether the call table and the table of operations have this request in this state. */
static enum cos_result check_served(const struct cos_secure *secure,
                                    const struct server_request *request)
{
    const struct cos_gate_row *row = request->row;
    const unsigned now = COS_LIFE_BIT(secure->life_cycle);

    COS_CHECK((now & row->states) != 0, COS_E_GATE_STATE);
    /* In the clear there is the packing step and nothing else: anybody on the link can write such a
     * request, whether a session is open or not. */
    COS_CHECK(request->opcode != COS_GATE_LIFE || request->in_session ||
                  secure->life_cycle == COS_LIFE_FABRICATED,
              COS_E_GATE_SESSION);
    if (row->smallest > 0) {
        const unsigned states = cos_gate_operation_states(row, request->message.data[0]);
        COS_CHECK(states != 0, COS_E_GATE_FORMAT);
        COS_CHECK((now & states) != 0, COS_E_CONDITIONS);
    }
    return COS_OK;
}

static enum cos_result execute(struct cos_secure *secure, const struct server_request *request,
                               struct cos_writer *body)
{
    struct cos_reader reader = cos_reader(request->message.data, request->message.length);
    call_handler handler = handler_of(request->opcode);

    if (request->opcode == COS_GATE_STATUS) {
        write_status(secure, request->in_session, body);
        return COS_OK;
    }
    COS_CHECK(secure->alive == COS_YES, COS_E_MUTE);
    COS_TRY(check_served(secure, request));
    COS_INVARIANT(handler != NULL);
    const uint8_t channel = channel_of(secure, request);
    COS_CHECK(channel < COS_CHANNELS, COS_E_GATE_FORMAT);
    /* Nothing of another channel while a command is open, but the next one. */
    COS_CHECK(!secure->in_sm || request->opcode == COS_GATE_HELLO ||
                  request->opcode == COS_GATE_SM_OPEN || channel == secure->held.channel,
              COS_E_CONDITIONS);
    interrupt(secure, request->opcode, channel);
    COS_TRY(cos_sm_bound(secure, request->opcode, request->message));
    enum cos_result result = handler(secure, &reader, body);
    return body->failed && result == COS_OK ? COS_E_INVARIANT : result;
}

/* A call that executed the open command leaves result and answer for SM_SEAL. */
static void keep_answer(struct cos_secure *secure, enum cos_result result,
                        const struct cos_writer *body)
{
    struct cos_held *held = &secure->held;

    if (!held->answered || held->result != COS_E_INVARIANT) {
        return;
    }
    held->result = result;
    if (result == COS_OK || held->taken) {
        const bool fits = body->length <= COS_SM_ANSWER_MAX;
        const bool generated = (held->ins & 0xFEU) == 0x46 && held->p1 == 0x80;
        held->result = fits || generated || result != COS_OK ? result : COS_E_LENGTH;
        cos_wipe(held->data + held->kept, sizeof held->data - held->kept);
        const bool hashed = held->ins == 0x2A && held->p1 == 0x90; /* PSO HASH: kept, or answered */
        held->length = fits ? (uint16_t)body->length : 0; /* a public key can be read again */
        held->length = hashed && !held->expects ? 0 : held->length;
        memcpy(held->data + held->kept, body->data, held->length);
    }
}

/* What sensors reported: while the chip waited, before anything is done; during a call, before its
 * answer leaves, so that nobody who has seen it can take the count back; and while it left. */
static void count_sensed(struct cos_secure *secure)
{
    for (; secure->sensor_events > 0 && secure->alive == COS_YES; secure->sensor_events--) {
        (void)cos_state_count_attack(secure); /* if NVM fails, the counter in RAM still stands */
    }
}

/* Errors that no input can cause, and what the chip is mute for then. */
static enum cos_secure_verdict verdict_of(enum cos_result result)
{
    switch (result) {
    case COS_E_INVARIANT:
    case COS_E_CRYPTO:
        return COS_VERDICT_FAULT;
    case COS_E_STORE_DAMAGED:
        return COS_VERDICT_STORE;
    case COS_E_ENTROPY:
        return COS_VERDICT_ENTROPY;
    case COS_E_SELF_TEST:
        return COS_VERDICT_SELF_TEST;
    default:
        return COS_VERDICT_GOOD;
    }
}

/* A fault that somebody provokes counts as an attack, and before it can be seen. Memory and a noise
 * source that wear out only mute: who asks for them again and again must not kill the card. */
static enum cos_secure_verdict judge_fault(struct cos_secure *secure, enum cos_result result)
{
    const enum cos_secure_verdict verdict = verdict_of(result);

    const bool provoked = verdict == COS_VERDICT_FAULT || verdict == COS_VERDICT_SELF_TEST;
    if (provoked && secure->alive == COS_YES) {
        (void)cos_state_count_attack(secure);
    }
    return verdict == COS_VERDICT_GOOD && secure->store.broken ? COS_VERDICT_FAULT : verdict;
}

/* Executes one request, answers, and is mute if something was wrong that cannot be. */
static enum cos_result answer(struct cos_secure *secure, const struct server_request *request)
{
    struct cos_writer body = cos_server_body(&secure->gate, request);
    const enum cos_result result = execute(secure, request, &body);

    cos_change_drop(secure);
    cos_wipe(&secure->clear, sizeof secure->clear);
    if (secure->waiting == 0 &&
        (request->opcode == COS_GATE_KEY || request->opcode == COS_GATE_CRYPT ||
         request->opcode == COS_GATE_AUTH)) {
        cos_material_wipe(secure);
    }
    keep_answer(secure, result, &body);
    enum cos_secure_verdict verdict = judge_fault(secure, result);
    count_sensed(secure);
    const uint8_t flags = cos_pending_flags(secure, secure->last_channel);
    const enum cos_result sent =
        cos_server_respond(&secure->gate, request, result, flags, secure->epoch, body.length);
    if (verdict == COS_VERDICT_GOOD) {
        verdict = judge_fault(secure, sent);
    }
    if (verdict != COS_VERDICT_GOOD) {
        cos_go_mute(secure, verdict);
    }
    return verdict_of(sent) != COS_VERDICT_GOOD ? COS_OK : sent;
}

enum cos_result cos_secure_serve(struct cos_secure *secure, uint32_t timeout_ms)
{
    struct server_request request;
    enum server_event event;
    enum cos_result result = cos_server_receive(&secure->gate, timeout_ms, &event, &request);

    count_sensed(secure);
    if (result == COS_OK && event == SERVER_ATTACK) {
        cos_pending_drop(secure);
        cos_status_clear(secure);
        (void)cos_state_count_attack(secure);
    } else if (result == COS_OK && event == SERVER_REQUEST) {
        cos_idle(secure->board);
        result = answer(secure, &request);
        count_sensed(secure);
    }
    (void)cos_store_settle(&secure->store); /* found again when it matters */
    return result;
}

void cos_secure_sensor(struct cos_secure *secure, enum cos_sensor event)
{
    (void)event; /* all count alike */
    if (secure->sensor_events < UINT16_MAX) {
        secure->sensor_events++; /* a call may be under way: counted behind it */
    }
}

enum cos_result cos_secure_wear(const struct cos_secure *secure, struct cos_store_wear *wear)
{
    return cos_store_wear(&secure->store, wear);
}
