/* SPDX-License-Identifier: Apache-2.0
 *
 * Sessions of secure messaging: when they end, and what ends with them.
 */
#include "domain.h"

/* Mutual authentication counts as long as its session. */
static void take_status_back(struct cos_secure *secure, const struct cos_session *session)
{
    struct cos_channel *channel = &secure->channels[session->channel];
    const struct object key = {
        .kind = OBJECT_KEY, .context = session->context, .number = session->key};

    if (session->context == CONTEXT_GLOBAL || session->context == channel->application) {
        cos_status_set(secure, channel, &key, false);
    }
}

/* Which of the sessions a channel has; COS_SM_SESSIONS: none. */
static size_t index_of(const struct cos_secure *secure, uint8_t channel)
{
    size_t i = 0;

    while (i < COS_SM_SESSIONS && (secure->sessions[i].protocol == COS_SM_NONE ||
                                   secure->sessions[i].channel != channel)) {
        i++;
    }
    return i;
}

const struct cos_session *cos_session_seen(const struct cos_secure *secure, uint8_t channel)
{
    const size_t i = index_of(secure, channel);

    return i < COS_SM_SESSIONS ? &secure->sessions[i] : NULL;
}

struct cos_session *cos_session_of(struct cos_secure *secure, uint8_t channel)
{
    const size_t i = index_of(secure, channel);

    return i < COS_SM_SESSIONS ? &secure->sessions[i] : NULL;
}

struct cos_session *cos_session_take(struct cos_secure *secure, uint8_t channel)
{
    size_t i = index_of(secure, channel);

    if (COS_CHANNELS > FIRST_FURTHER_CHANNEL && channel >= FIRST_FURTHER_CHANNEL) {
        return NULL;
    }
    for (size_t free = 0; free < COS_SM_SESSIONS && i == COS_SM_SESSIONS; free++) {
        i = secure->sessions[free].protocol == COS_SM_NONE ? free : i;
    }
    if (i == COS_SM_SESSIONS) {
        return NULL;
    }
    cos_wipe(&secure->sessions[i], sizeof secure->sessions[i]);
    secure->sessions[i].channel = channel;
    secure->sessions[i].open = COS_NO;
    return &secure->sessions[i];
}

bool cos_session_is_iso(const struct cos_session *session)
{
    return session->protocol == COS_SM_ISO_DES3 || session->protocol == COS_SM_ISO_AES;
}

void cos_session_close(struct cos_secure *secure, struct cos_session *session)
{
    const bool of_open = secure->held.channel == session->channel; /* the open command's, if any */

    if (session->open == COS_YES && cos_session_is_iso(session)) {
        take_status_back(secure, session);
    }
    if (session->begun || session->open == COS_YES) {
        secure->epoch++;
    }
    session->begun = false;
    session->open = COS_NO;
    if (secure->in_sm && of_open) {
        return; /* its keys seal the answer */
    }
    cos_wipe(session, sizeof *session);
    session->open = COS_NO;
    if (of_open && !secure->in_sm) {
        cos_wipe(&secure->held, sizeof secure->held); /* a chain that waits for its next part */
    }
}

void cos_sessions_close(struct cos_secure *secure)
{
    for (size_t i = 0; i < COS_SM_SESSIONS; i++) {
        cos_session_close(secure, &secure->sessions[i]);
    }
}

void cos_channel_close_session(struct cos_secure *secure, uint8_t channel)
{
    struct cos_session *session = cos_session_of(secure, channel);

    if (session != NULL) {
        cos_session_close(secure, session);
    }
}

void cos_sessions_close_begun(struct cos_secure *secure)
{
    for (size_t i = 0; i < COS_SM_SESSIONS; i++) {
        if (secure->sessions[i].begun) {
            cos_session_close(secure, &secure->sessions[i]);
        }
    }
}

void cos_sessions_close_under(struct cos_secure *secure, unsigned contexts, uint8_t number)
{
    for (size_t i = 0; i < COS_SM_SESSIONS; i++) {
        struct cos_session *session = &secure->sessions[i];
        if (cos_session_is_iso(session) && (contexts >> session->context & 1U) != 0 &&
            (number == 0 || session->key == number)) {
            cos_session_close(secure, session);
        }
    }
}

void cos_steps_drop(struct cos_secure *secure)
{
    if (secure->held.kept != 0 && !secure->in_sm) {
        /* What follows a part without the others would be a command that nobody sent. */
        cos_channel_close_session(secure, secure->held.channel);
    }
    cos_sessions_close_begun(secure);
    cos_wipe(secure->challenge, sizeof secure->challenge);
    secure->challenge_length = 0;
    secure->digest_length = 0;
    cos_wipe(secure->digest, sizeof secure->digest);
    cos_material_forget(secure);
    if (!secure->in_sm) {
        cos_wipe(&secure->held, sizeof secure->held);
    }
}

void cos_pending_drop(struct cos_secure *secure)
{
    secure->in_sm = false;
    cos_sessions_close(secure);
    cos_steps_drop(secure);
}

uint8_t cos_pending_flags(const struct cos_secure *secure, uint8_t channel)
{
    bool step = secure->challenge_length != 0 || secure->digest_length != 0 ||
                secure->waiting != 0 || secure->held.kept != 0;

    for (size_t i = 0; i < COS_SM_SESSIONS; i++) {
        step = step || secure->sessions[i].begun;
    }
    const struct cos_session *session = cos_session_seen(secure, channel);
    const bool open = session != NULL && session->open == COS_YES;
    return (uint8_t)((open ? COS_GATE_FLAG_ACTIVE : 0) | (step ? COS_GATE_FLAG_STEP : 0));
}
