/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kerberos session records: what does not depend on the encryption type.
 */
#include "kerberos_session.h"

#include "utf16.h"

#include <string.h>

enum { ETYPE_RC4 = 23 };

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

static void describe(struct cs_session *head, const struct kerberos_session_seed *seed)
{
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
    struct cs_session *head = NULL;
    if (etype)
        head = kerberos_aes_session_create(seed, etype);
    else if (seed->etype == ETYPE_RC4)
        head = kerberos_rc4_session_create(seed);
    if (head) {
        describe(head, seed);
        return head;
    }
    struct cs_span names = seed->names, target = seed->target;
    cs_span_drop(&names);
    cs_span_drop(&target);
    return NULL;
}
