/* SPDX-License-Identifier: Apache-2.0
 *
 * Sessions of secure messaging: when they end, and what ends with them.
 */
#include "domain.h"

/* Mutual authentication counts as long as its session. */
static void take_status_back(struct cos_secure *secure, const struct cos_session *session)
{
    struct cos_channel *channel = &secure->channels[session - secure->sessions];
    const struct object key = {
        .kind = OBJECT_KEY, .context = session->context, .number = session->key};

    if (session->context == CONTEXT_GLOBAL || session->context == channel->application) {
        cos_status_set(secure, channel, &key, false);
    }
}

bool cos_session_is_iso(const struct cos_session *session)
{
    return session->protocol == COS_SM_ISO_DES3 || session->protocol == COS_SM_ISO_AES;
}

void cos_session_close(struct cos_secure *secure, struct cos_session *session)
{
    if (session->open == COS_YES && cos_session_is_iso(session)) {
        take_status_back(secure, session);
    }
    if (session->begun || session->open == COS_YES) {
        secure->epoch++;
    }
    session->begun = false;
    session->open = COS_NO;
    if (!secure->in_sm || session != &secure->sessions[secure->held.channel]) {
        cos_wipe(session, sizeof *session);
        session->open = COS_NO;
    }
    if (!secure->in_sm && session == &secure->sessions[secure->held.channel]) {
        cos_wipe(&secure->held, sizeof secure->held); /* a chain that waits for its next part */
    }
}

void cos_sessions_close(struct cos_secure *secure)
{
    for (size_t i = 0; i < COS_CHANNELS; i++) {
        cos_session_close(secure, &secure->sessions[i]);
    }
}

void cos_sessions_close_open(struct cos_secure *secure)
{
    for (size_t i = 0; i < COS_CHANNELS; i++) {
        if (secure->sessions[i].open == COS_YES) {
            cos_session_close(secure, &secure->sessions[i]);
        }
    }
}

void cos_sessions_close_begun(struct cos_secure *secure)
{
    for (size_t i = 0; i < COS_CHANNELS; i++) {
        if (secure->sessions[i].begun) {
            cos_session_close(secure, &secure->sessions[i]);
        }
    }
}

void cos_pending_drop(struct cos_secure *secure)
{
    secure->in_sm = false;
    cos_sessions_close(secure);
    cos_wipe(secure->challenge, sizeof secure->challenge);
    secure->challenge_length = 0;
    cos_wipe(secure->digest, sizeof secure->digest);
    secure->digest_length = 0;
    cos_material_forget(secure);
    cos_wipe(&secure->held, sizeof secure->held);
}

bool cos_pending_any(const struct cos_secure *secure)
{
    bool any = secure->challenge_length != 0 || secure->digest_length != 0 || secure->waiting != 0;

    for (size_t i = 0; i < COS_CHANNELS; i++) {
        any = any || secure->sessions[i].begun || secure->sessions[i].open == COS_YES;
    }
    return any;
}
