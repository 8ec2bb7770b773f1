/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The session record's common part.
 */
#include "client.h"
#include "secure.h"
#include "utf16.h"

#include <time.h>

int64_t cs_now(void)
{
    const int64_t unix_epoch = 116444736000000000;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return unix_epoch + (int64_t)now.tv_sec * 10000000 + now.tv_nsec / 100;
}

static SECURITY_STATUS check(const struct cs_session *session)
{
    if (cs_session_retired(session)) return SEC_E_INVALID_HANDLE;
    return cs_now() >= session->expiry ? SEC_E_CONTEXT_EXPIRED : SEC_E_OK;
}

/* A session that was retired after the check has no usable direction any more. */
static SECURITY_STATUS answer(const struct cs_session *session, SECURITY_STATUS status)
{
    return status == SEC_E_CONTEXT_EXPIRED && cs_session_retired(session) ? SEC_E_INVALID_HANDLE : status;
}

SECURITY_STATUS cs_make_signature(struct cs_session *session, const struct cs_message *message)
{
    SECURITY_STATUS status = check(session);
    return status ? status : answer(session, session->protection->make_signature(session, message));
}

SECURITY_STATUS cs_verify_signature(struct cs_session *session, const struct cs_message *message)
{
    SECURITY_STATUS status = check(session);
    return status ? status : answer(session, session->protection->verify_signature(session, message));
}

SECURITY_STATUS cs_encrypt(struct cs_session *session, uint32_t qop, const struct cs_message *message)
{
    SECURITY_STATUS status = check(session);
    return status ? status : answer(session, session->protection->encrypt(session, qop, message));
}

SECURITY_STATUS cs_decrypt(struct cs_session *session, const struct cs_message *message, uint32_t *qop)
{
    SECURITY_STATUS status = check(session);
    return status ? status : answer(session, session->protection->decrypt(session, message, qop));
}

/* Byte by byte, for another thread may just be reading: whoever gets a wiped byte finds the session retired. */
void cs_session_retire(struct cs_session *session)
{
    __atomic_store_n(&session->retired, true, __ATOMIC_SEQ_CST);
    for (int i = 0; i < CS_SESSION_KEY; i++) __atomic_store_n(&session->session_key[i], 0, __ATOMIC_RELEASE);
}

bool cs_session_key(const struct cs_session *session, uint8_t key[CS_SESSION_KEY])
{
    for (int i = 0; i < CS_SESSION_KEY; i++) key[i] = __atomic_load_n(&session->session_key[i], __ATOMIC_ACQUIRE);
    if (!cs_session_retired(session)) return true;
    cs_wipe(key, CS_SESSION_KEY);
    return false;
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
