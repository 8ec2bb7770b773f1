/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The session record's common part.
 */
#include "client.h"
#include "utf16.h"

#include <time.h>

int64_t cs_now(void)
{
    const int64_t unix_epoch = 116444736000000000;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return unix_epoch + (int64_t)now.tv_sec * 10000000 + now.tv_nsec / 100;
}

static bool expired(const struct cs_session *session)
{
    return cs_now() >= session->expiry;
}

SECURITY_STATUS cs_make_signature(struct cs_session *session, const struct cs_message *message)
{
    return expired(session) ? SEC_E_CONTEXT_EXPIRED : session->protection->make_signature(session, message);
}

SECURITY_STATUS cs_verify_signature(struct cs_session *session, const struct cs_message *message)
{
    return expired(session) ? SEC_E_CONTEXT_EXPIRED : session->protection->verify_signature(session, message);
}

SECURITY_STATUS cs_encrypt(struct cs_session *session, uint32_t qop, const struct cs_message *message)
{
    return expired(session) ? SEC_E_CONTEXT_EXPIRED : session->protection->encrypt(session, qop, message);
}

SECURITY_STATUS cs_decrypt(struct cs_session *session, const struct cs_message *message, uint32_t *qop)
{
    return expired(session) ? SEC_E_CONTEXT_EXPIRED : session->protection->decrypt(session, message, qop);
}

void cs_session_release(struct cs_session *session)
{
    if (!session) return;
    cs_span_drop(&session->native_client);
    cs_span_drop(&session->native_server);
    cs_client_release(session->client);
    cs_credential_release(session->onward);
    cs_logon_release(session->logon);
    session->protection->release(session);
}
