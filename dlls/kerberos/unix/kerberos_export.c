/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What of a Kerberos session is packed: the encryption type (4), options (1), and for each direction, the sending one
 * first, the sequence number when the exchange ended (8) and now (8), and which before it have arrived (8).
 */
#include "export.h"
#include "kerberos_session.h"
#include "secure.h"
#include "utf16.h"

#include <string.h>

/* As the session has them: what Negotiate has added to the flags that it answers with means nothing here. */
enum { ORDERED = 1, UNIQUE = 2, DCE_STYLE = 4, ACCEPTOR_SUBKEY = 8, ALL_OPTIONS = 15 };

extern const struct cs_portable kerberos_portable;

static struct kerberos_session *kerberos_session_of(struct cs_session *session)
{
    return (struct kerberos_session *)session;
}

static SECURITY_STATUS hold(struct cs_session *session)
{
    return kerberos_session_hold(kerberos_session_of(session)) ? SEC_E_OK : SEC_E_CONTEXT_EXPIRED;
}

static void let_go(struct cs_session *session)
{
    kerberos_session_let_go(kerberos_session_of(session));
}

static uint8_t options_of(const struct kerberos_session *session)
{
    return (uint8_t)((session->receive->ordered ? ORDERED : 0) | (session->receive->unique ? UNIQUE : 0) |
                     (session->dce_style ? DCE_STYLE : 0) | (session->acceptor_subkey ? ACCEPTOR_SUBKEY : 0));
}

/* The flags that make a session with OPTIONS. */
static uint32_t granted_by(uint8_t options)
{
    return (options & ORDERED ? ISC_REQ_SEQUENCE_DETECT : 0) | (options & UNIQUE ? ISC_REQ_REPLAY_DETECT : 0) |
           (options & DCE_STYLE ? ISC_REQ_USE_DCE_STYLE : 0);
}

static void write_direction(const struct kerberos_sequence *sequence, bool fresh, struct cs_writer *packed)
{
    cs_write_u64(packed, sequence->first);
    cs_write_u64(packed, fresh ? sequence->first : sequence->next);
    cs_write_u64(packed, fresh ? UINT64_MAX : sequence->seen);
}

static void read_direction(struct kerberos_sequence *sequence, struct cs_reader *packed)
{
    sequence->first = cs_read_u64(packed);
    sequence->next = cs_read_u64(packed);
    sequence->seen = cs_read_u64(packed);
    if ((sequence->first | sequence->next) & ~sequence->mask) packed->failed = true;
}

static void pack(const struct cs_session *base, bool fresh, struct cs_writer *packed)
{
    const struct kerberos_session *session = (const struct kerberos_session *)base;
    cs_write_u32(packed, (uint32_t)session->etype);
    cs_write_u8(packed, options_of(session));
    write_direction(session->send, fresh, packed);
    write_direction(session->receive, fresh, packed);
}

static SECURITY_STATUS create(const struct cs_session *head, struct kerberos_session_seed *seed,
                              struct cs_session **created)
{
    seed->initiator = head->initiator;
    seed->expiry = head->expiry;
    seed->key_size = head->session_key_size;
    memcpy(seed->key, head->session_key, sizeof seed->key);
    if (!cs_span_copy(&seed->names, head->names)) return SEC_E_INSUFFICIENT_MEMORY;
    if (!cs_span_copy(&seed->target, head->target)) {
        cs_span_drop(&seed->names);
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    *created = kerberos_session_create(seed);
    if (!*created) return SEC_E_INSUFFICIENT_MEMORY;
    (*created)->flags = head->flags;
    return SEC_E_OK;
}

/* What kerberos_session_create makes a session of: the type is one of the five, and the key has its size. */
static bool is_key(int32_t number, uint32_t size)
{
    const struct kerberos_etype *etype = kerberos_etype(number);
    return etype ? size == etype->key_size : number == KERBEROS_ETYPE_RC4 && size == KERBEROS_RC4_KEY;
}

static SECURITY_STATUS unpack(const struct cs_session *head, struct cs_reader *packed, struct cs_session **session)
{
    const int32_t etype = (int32_t)cs_read_u32(packed);
    const uint8_t options = cs_read_u8(packed);
    struct kerberos_session_seed seed = {
        .granted = granted_by(options), .etype = etype, .acceptor_subkey = options & ACCEPTOR_SUBKEY};
    if (packed->failed || options > ALL_OPTIONS || !is_key(etype, head->session_key_size)) return SEC_E_INVALID_TOKEN;
    SECURITY_STATUS status = create(head, &seed, session);
    cs_wipe(&seed, sizeof seed);
    if (status) return status;
    read_direction(kerberos_session_of(*session)->send, packed);
    read_direction(kerberos_session_of(*session)->receive, packed);
    return packed->failed ? SEC_E_INVALID_TOKEN : SEC_E_OK;
}

static void retire(struct cs_session *base)
{
    struct kerberos_session *session = kerberos_session_of(base);
    cs_session_retire(base);
    session->send->broken = session->receive->broken = true;
    kerberos_session_forget_keys(session);
}

const struct cs_portable kerberos_portable = {"Kerberos", hold, let_go, pack, unpack, retire};
