/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The handshake: GnuTLS's, run as far as the input goes. It stops where somebody has to look at the peer's certificate.
 */
#include "tls_datagram.h"

#include "secure.h"

#include <stdlib.h>
#include <string.h>

/* Whatever is thought of the peer's certificate. */
static int judge_peer(struct tls_context *context)
{
    gnutls_session_t session = context->session;
    unsigned count = 0;
    context->trusted = context->leg_flags & TLS_LEG_TRUST_PEER;
    if (context->trusted) return 0;
    if (context->server && !gnutls_certificate_get_peers(session, &count)) return 0; /* a client may have none */
    if (!context->decided) {
        context->verify_wanted = true;
        return GNUTLS_E_AGAIN;
    }
    context->decided = false; /* an answer is good for one question: the next handshake has its own */
    return context->verdict ? GNUTLS_E_CERTIFICATE_ERROR : 0;
}

/* Once the certificate is there, and before anything is sent that depends on it. */
static int look_at_peer(gnutls_session_t session)
{
    return judge_peer(gnutls_session_get_ptr(session));
}

enum { MAX_PROTOCOLS = 64, EXTENSION_ALPN = 2 };

/* The names in one SEC_APPLICATION_PROTOCOL_LIST: each behind its length in a byte. */
static bool read_names(struct cs_span list, gnutls_datum_t *names, unsigned *count)
{
    struct cs_reader reader = cs_reader_of(list);
    while (reader.remaining && !reader.failed && *count < MAX_PROTOCOLS) {
        const struct cs_span name = cs_read_span(&reader, cs_read_u8(&reader));
        if (!name.size) return false;
        names[(*count)++] = (gnutls_datum_t){(uint8_t *)name.data, (unsigned)name.size};
    }
    return !reader.failed && !reader.remaining;
}

/* SEC_APPLICATION_PROTOCOLS (sspi.h): its size, and lists, of which those of NPN are passed over. */
static SECURITY_STATUS offer_protocols(struct tls_context *context, struct cs_span protocols)
{
    gnutls_datum_t names[MAX_PROTOCOLS];
    unsigned count = 0;
    struct cs_reader outer = cs_reader_of(protocols);
    if (!protocols.size) return SEC_E_OK;
    struct cs_reader reader = cs_reader_of(cs_read_span(&outer, cs_read_u32(&outer)));
    while (reader.remaining && !reader.failed) {
        const uint32_t extension = cs_read_u32(&reader);
        const struct cs_span list = cs_read_span(&reader, cs_read_u16(&reader));
        if (extension == EXTENSION_ALPN && !read_names(list, names, &count)) return SEC_E_INVALID_TOKEN;
    }
    if (reader.failed || outer.failed) return SEC_E_INVALID_TOKEN;
    /* A server whose protocols the client has none of refuses; its own order decides (behaviour.md row 178). */
    const unsigned flags = context->server ? GNUTLS_ALPN_MANDATORY | GNUTLS_ALPN_SERVER_PRECEDENCE : 0;
    return count && gnutls_alpn_set_protocols(context->session, names, count, flags) ? SEC_E_INSUFFICIENT_MEMORY
                                                                                     : SEC_E_OK;
}

SECURITY_STATUS tls_handshake_use(struct tls_context *context, const struct tls_leg *leg)
{
    const struct tls_credential *credential = context->credential;
    gnutls_session_t session = context->session;
    if (gnutls_priority_set(session, context->datagram ? credential->datagram_priority : credential->priority) ||
        gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credential->certificates))
        return SEC_E_INSUFFICIENT_MEMORY;
    if (context->server)
        gnutls_certificate_server_set_request(session,
                                              leg->flags & TLS_LEG_ASK_PEER ? GNUTLS_CERT_REQUEST : GNUTLS_CERT_IGNORE);
    return SEC_E_OK;
}

static SECURITY_STATUS prepare(struct tls_context *context, const struct tls_leg *leg)
{
    gnutls_session_t session = context->session;
    gnutls_session_set_ptr(session, context);
    gnutls_session_set_verify_function(session, look_at_peer);
    gnutls_handshake_set_timeout(session, 0); /* whoever calls waits, not this */
    tls_transport_join(context);
    if (context->datagram) dtls_join(context);
    tls_messages_watch(context);
    SECURITY_STATUS status = tls_handshake_use(context, leg);
    if (status == SEC_E_OK) status = offer_protocols(context, leg->protocols);
    if (status == SEC_E_OK) status = tls_srtp_use(context, leg);
    if (status == SEC_E_OK && !context->srtp.count && !tls_credential_give_tickets(context->credential, session))
        status = SEC_E_INSUFFICIENT_MEMORY;
    context->tickets = context->server && context->credential->resume;
    return status || context->server ? status : tls_name_use(context, leg->target);
}

SECURITY_STATUS tls_handshake_begin(struct tls_context *context, const struct tls_leg *leg)
{
    const unsigned flags = GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_NO_AUTO_REKEY | GNUTLS_KEY_SHARE_TOP;
    const unsigned kind = (context->server ? GNUTLS_SERVER : GNUTLS_CLIENT) | (context->datagram ? GNUTLS_DATAGRAM : 0);
    if (!(context->datagram ? context->credential->datagram_priority : context->credential->priority))
        return SEC_E_ALGORITHM_MISMATCH;
    if (gnutls_init(&context->session, flags | kind)) {
        context->session = NULL;
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    return prepare(context, leg);
}

/* The peer learns why: what was found of its certificate, or what GnuTLS found. */
static SECURITY_STATUS refuse(struct tls_context *context, int error)
{
    SECURITY_STATUS status = tls_status_of(context, error);
    if (error == GNUTLS_E_CERTIFICATE_ERROR && context->verdict) {
        status = context->verdict < 0 ? context->verdict : SEC_E_CERT_UNKNOWN;
        gnutls_alert_send(context->session, GNUTLS_AL_FATAL, tls_alert_of_status(status));
    } else if (error != GNUTLS_E_FATAL_ALERT_RECEIVED) {
        gnutls_alert_send_appropriate(context->session, error);
    }
    return status;
}

/*
 * A resumed session brings no certificate along, but what was found of it may be outdated by now; and a server's ticket
 * may come from a context that has trusted the client unseen.
 */
static SECURITY_STATUS finish(struct tls_context *context)
{
    if (gnutls_session_is_resumed(context->session)) {
        const int result = judge_peer(context);
        if (result == GNUTLS_E_AGAIN) return TLS_I_VERIFY_PEER;
        if (result) return refuse(context, result);
    }
    SECURITY_STATUS status = tls_records_take(context);
    if (status) return status;
    context->phase = TLS_COMPLETE;
    tls_sessions_date(context);
    tls_sessions_keep(context);
    return SEC_E_OK;
}

SECURITY_STATUS tls_handshake_run(struct tls_context *context)
{
    for (;;) {
        context->verify_wanted = false;
        const int result = context->finished ? 0 : gnutls_handshake(context->session);
        switch (result) {
        case 0: context->finished = true; return finish(context);
        case GNUTLS_E_INTERRUPTED:
        case GNUTLS_E_AGAIN: return context->verify_wanted ? TLS_I_VERIFY_PEER : SEC_I_CONTINUE_NEEDED;
        case GNUTLS_E_WARNING_ALERT_RECEIVED: break; /* unrecognized_name and the like */
        default: return refuse(context, result);
        }
    }
}
