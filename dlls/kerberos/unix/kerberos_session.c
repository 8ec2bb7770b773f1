/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kerberos session records: what does not depend on the encryption type.
 */
#include "kerberos_session.h"

#include "utf16.h"

#include <string.h>

/* These two differ between the roles, which CONFIDENTIALITY does not (sspi_values.h). */
static bool has_integrity(const struct cs_session *head)
{
    return head->flags & (head->initiator ? ISC_REQ_INTEGRITY : ASC_REQ_INTEGRITY);
}

SECURITY_STATUS kerberos_may_wrap(const struct cs_session *head, uint32_t qop)
{
    if (head->flags & ISC_REQ_CONFIDENTIALITY) return SEC_E_OK;
    if (qop != SECQOP_WRAP_NO_ENCRYPT) return SEC_E_UNSUPPORTED_FUNCTION;
    return has_integrity(head) ? SEC_E_OK : SEC_E_QOP_NOT_SUPPORTED;
}

void kerberos_session_forget(struct cs_session *head)
{
    cs_span_drop(&head->names);
    cs_span_drop(&head->target);
}

bool kerberos_session_hold(struct kerberos_session *session)
{
    const bool sends = kerberos_sequence_enter(session->send), receives = kerberos_sequence_enter(session->receive);
    return sends && receives;
}

void kerberos_session_let_go(struct kerberos_session *session)
{
    kerberos_sequence_leave(session->receive);
    kerberos_sequence_leave(session->send);
}

void kerberos_session_settle(struct cs_session *head)
{
    struct kerberos_session *session = (struct kerberos_session *)head;
    if (kerberos_session_hold(session)) {
        kerberos_sequence_settle(session->send);
        kerberos_sequence_settle(session->receive);
    }
    kerberos_session_let_go(session);
}

void kerberos_session_forget_keys(struct kerberos_session *session)
{
    if (!__atomic_load_n(&session->send->at_work, __ATOMIC_SEQ_CST)) session->forget_keys(session);
}

/* Whoever retires the session looks for tokens at work after that, so that one of the two sees the other. */
void kerberos_session_done(struct kerberos_session *session)
{
    if (__atomic_sub_fetch(&session->send->at_work, 1, __ATOMIC_SEQ_CST) || !cs_session_retired(&session->head)) return;
    kerberos_session_hold(session);
    kerberos_session_forget_keys(session);
    kerberos_session_let_go(session);
}

static void describe(struct kerberos_session *session, const struct kerberos_session_seed *seed)
{
    struct cs_session *head = &session->head;
    session->etype = seed->etype;
    session->acceptor_subkey = seed->acceptor_subkey;
    head->package = "Kerberos";
    head->initiator = seed->initiator;
    head->flags = seed->granted;
    head->start = cs_now();
    head->expiry = seed->expiry;
    head->session_key_size = seed->key_size;
    memcpy(head->session_key, seed->key, seed->key_size);
    head->names = seed->names;
    head->target = seed->target;
}

struct cs_session *kerberos_session_create(const struct kerberos_session_seed *seed)
{
    const struct kerberos_etype *etype = kerberos_etype(seed->etype);
    struct kerberos_session *session = NULL;
    if (etype)
        session = kerberos_aes_session_create(seed, etype);
    else if (seed->etype == KERBEROS_ETYPE_RC4)
        session = kerberos_rc4_session_create(seed);
    if (session) {
        describe(session, seed);
        return &session->head;
    }
    struct cs_span names = seed->names, target = seed->target;
    cs_span_drop(&names);
    cs_span_drop(&target);
    return NULL;
}
