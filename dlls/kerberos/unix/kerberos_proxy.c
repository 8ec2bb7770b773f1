/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Constrained delegation (MS-SFU): a server gets tickets to others in the name of a client that has shown it one. It
 * asks with that ticket (S4U2proxy); if that may not be forwarded, with one to itself that it gets in the client's name
 * (S4U2self), where the KDC lets it. Whatever comes back must be that client's and nobody else's.
 */
#include "kerberos_keys.h"
#include "kerberos_tickets.h"
#include "secure.h"
#include "utf16.h"

#include <errno.h>
#include <krb5_err.h>
#include <stdlib.h>
#include <time.h>

bool kerberos_proxy_note(krb5_context context, struct kerberos_proxy *proxy, struct cs_span request,
                         krb5_const_principal client, krb5_timestamp endtime)
{
    kerberos_proxy_drop(context, proxy);
    proxy->endtime = endtime;
    if (!cs_span_copy(&proxy->request, request)) return false;
    return !krb5_copy_principal(context, client, &proxy->client);
}

void kerberos_proxy_drop(krb5_context context, struct kerberos_proxy *proxy)
{
    cs_span_drop(&proxy->request);
    if (proxy->client) krb5_free_principal(context, proxy->client);
    *proxy = (struct kerberos_proxy){.client = NULL};
}

/* ---- the server's own logon -------------------------------------------------------------------------------------- */

static struct kerberos_logon *kept_logon(struct kerberos_server *server, krb5_const_principal principal)
{
    const krb5_timestamp spare = 60;
    struct kerberos_logon *logon = NULL;
    cs_lock(&server->lock);
    if (server->logon && krb5_principal_compare(NULL, server->logon->client, principal) &&
        time(NULL) + server->logon->offset + spare < server->logon->expiry) {
        logon = server->logon;
        __atomic_add_fetch(&logon->references, 1, __ATOMIC_RELAXED);
    }
    cs_unlock(&server->lock);
    return logon;
}

static void keep_logon(krb5_context context, struct kerberos_server *server, struct kerberos_logon *logon)
{
    __atomic_add_fetch(&logon->references, 1, __ATOMIC_RELAXED);
    cs_lock(&server->lock);
    struct kerberos_logon *old = server->logon;
    server->logon = logon;
    cs_unlock(&server->lock);
    kerberos_logon_release(context, old);
}

static krb5_error_code log_on_as(krb5_context context, struct kerberos_server *server, krb5_principal principal,
                                 krb5_keytab keytab, struct kerberos_logon **logon)
{
    *logon = kept_logon(server, principal);
    if (*logon) return 0;
    struct kerberos_logon *made = calloc(1, sizeof *made);
    if (!made) return ENOMEM;
    made->references = 1;
    krb5_error_code code = kerberos_ask_with_key(context, principal, keytab, made);
    if (code) {
        kerberos_logon_release(context, made);
        return code;
    }
    keep_logon(context, server, made);
    *logon = made;
    return 0;
}

/*
 * A service's names are many and its account's is one, which alone can log on in AD: whoever in the keytab has the key
 * that opened the ticket is tried, the ticket's own name first.
 */
static krb5_error_code log_on_with(krb5_context context, struct kerberos_server *server,
                                   const struct kerberos_key_set *keys, const krb5_keyblock *key, const Ticket *ticket,
                                   struct kerberos_logon **logon)
{
    const Principal named = {.name = ticket->sname, .realm = ticket->realm};
    krb5_keytab keytab;
    krb5_error_code code = kerberos_open_keytab(context, server, &keytab);
    if (code) return code;
    code = KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN;
    for (size_t i = 0; i < 2 * keys->count && code == KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN; i++) {
        const struct kerberos_key *candidate = &keys->keys[i % keys->count];
        const bool first = krb5_principal_compare(context, candidate->principal, &named);
        if (kerberos_same_key(&candidate->key, key) && first == (i < keys->count))
            code = log_on_as(context, server, candidate->principal, keytab, logon);
    }
    krb5_kt_close(context, keytab);
    return code;
}

/* REQUEST held once; its ticket may have expired since, or the keytab have changed. */
static krb5_error_code log_on_by_keytab(krb5_context context, struct kerberos_server *server, Ticket *ticket,
                                        struct kerberos_logon **logon)
{
    struct kerberos_key_set *keys;
    EncTicketPart part;
    const krb5_keyblock *key;
    if (kerberos_server_keys(server, context, &keys)) return KRB5_KT_NOTFOUND;
    krb5_error_code code = kerberos_open_ticket(context, keys, ticket, &part, &key);
    if (!code) {
        code = log_on_with(context, server, keys, key, ticket, logon);
        cs_wipe(part.key.keyvalue.data, part.key.keyvalue.length);
        free_EncTicketPart(&part);
    }
    kerberos_key_set_release(context, keys);
    return code;
}

/* Who the KDC is asked as. A server that cannot log on can do nothing in anybody's name. */
static SECURITY_STATUS log_on(krb5_context context, struct kerberos_credential *acceptor, Ticket *ticket,
                              struct kerberos_logon **logon)
{
    SECURITY_STATUS status = acceptor->server.is_default
                                 ? kerberos_status(log_on_by_keytab(context, &acceptor->server, ticket, logon))
                                 : kerberos_client_logon(&acceptor->client, context, logon);
    const bool cannot =
        status == SEC_E_LOGON_DENIED || status == STATUS_NO_SUCH_USER || status == SEC_E_CONTEXT_EXPIRED;
    return cannot ? SEC_E_NO_CREDENTIALS : status;
}

/* ---- the client's ticket ----------------------------------------------------------------------------------------- */

/* One TGS exchange, from LOGON's ticket-granting ticket alone: no cache is looked into, and none gets the answer. */
static krb5_error_code ask(krb5_context context, const struct kerberos_logon *logon, krb5_get_creds_opt options,
                           krb5_flags flags, krb5_const_principal server, krb5_creds **creds)
{
    krb5_set_kdc_sec_offset(context, (int32_t)logon->offset, -1);
    krb5_get_creds_opt_add_options(context, options, flags | KRB5_GC_NO_STORE);
    krb5_error_code code = krb5_get_creds(context, options, logon->ccache, server, creds);
    krb5_get_creds_opt_free(context, options);
    return code;
}

/*
 * A KDC that passes over what makes the request one for another gives a ticket in the server's own name: that would be
 * sent as the client's.
 */
static krb5_error_code check_client(krb5_context context, krb5_const_principal client, krb5_creds **creds)
{
    if (krb5_principal_compare(context, (*creds)->client, client)) return 0;
    krb5_free_creds(context, *creds);
    *creds = NULL;
    return KRB5KDC_ERR_BADOPTION;
}

static krb5_error_code ask_by_proxy(krb5_context context, const struct kerberos_logon *logon,
                                    const struct kerberos_proxy *proxy, const Ticket *evidence,
                                    krb5_const_principal server, krb5_creds **creds)
{
    krb5_get_creds_opt options;
    krb5_error_code code = krb5_get_creds_opt_alloc(context, &options);
    if (code) return code;
    krb5_get_creds_opt_set_ticket(context, options, evidence);
    code = ask(context, logon, options, KRB5_GC_CONSTRAINED_DELEGATION, server, creds);
    return code ? code : check_client(context, proxy->client, creds);
}

static krb5_error_code ask_for_self(krb5_context context, const struct kerberos_logon *logon,
                                    const struct kerberos_proxy *proxy, Ticket *ticket)
{
    krb5_get_creds_opt options;
    krb5_creds *creds = NULL;
    size_t size;
    krb5_error_code code = krb5_get_creds_opt_alloc(context, &options);
    if (code) return code;
    krb5_get_creds_opt_set_impersonate(context, options, proxy->client);
    code = ask(context, logon, options, KRB5_GC_FORWARDABLE, logon->client, &creds);
    if (!code) code = check_client(context, proxy->client, &creds);
    /* One that is not forwardable is the KDC's word that the server may not do this (MS-SFU 3.2.5.1.2). */
    if (!code && !creds->flags.b.forwardable) code = KRB5KDC_ERR_BADOPTION;
    if (!code) code = decode_Ticket(creds->ticket.data, creds->ticket.length, ticket, &size);
    if (creds) krb5_free_creds(context, creds);
    return code;
}

static krb5_error_code ask_by_transition(krb5_context context, const struct kerberos_logon *logon,
                                         const struct kerberos_proxy *proxy, krb5_const_principal server,
                                         krb5_creds **creds)
{
    Ticket own = {0};
    krb5_error_code code = ask_for_self(context, logon, proxy, &own);
    if (code) return code;
    code = ask_by_proxy(context, logon, proxy, &own, server, creds);
    free_Ticket(&own);
    return code;
}

/*
 * The KDC dates the ticket by the server's logon. The client gave its name for as long as its own ticket lasts, so that
 * nothing is done in it any longer than that.
 */
static void end_with(struct kerberos_ticket *ticket, krb5_timestamp endtime)
{
    krb5_times *times = &ticket->creds->times;
    if (times->endtime > endtime + ticket->offset) times->endtime = endtime + ticket->offset;
}

static bool refused(krb5_error_code code)
{
    return code == KRB5KDC_ERR_BADOPTION || code == KRB5KDC_ERR_POLICY;
}

static SECURITY_STATUS status_of(krb5_error_code code)
{
    return refused(code) || code == KRB5KRB_AP_ERR_TKT_EXPIRED ? SEC_E_NO_CREDENTIALS : kerberos_status(code);
}

static SECURITY_STATUS ask_as(krb5_context context, const struct kerberos_logon *logon,
                              const struct kerberos_proxy *proxy, const Ticket *evidence,
                              struct kerberos_ticket *ticket)
{
    struct kerberos_wanted wanted;
    SECURITY_STATUS status = kerberos_target(context, ticket->target, logon->client, &wanted);
    if (status) return status;
    krb5_error_code code = ask_by_proxy(context, logon, proxy, evidence, wanted.server, &ticket->creds);
    if (refused(code)) code = ask_by_transition(context, logon, proxy, wanted.server, &ticket->creds);
    if (!code) code = kerberos_check_wanted(context, &wanted, ticket->creds);
    krb5_free_principal(context, wanted.server);
    ticket->offset = logon->offset;
    if (!code) end_with(ticket, proxy->endtime);
    if (!code && !kerberos_allows(context, ticket->creds->session.keytype)) code = KRB5KDC_ERR_ETYPE_NOSUPP;
    return status_of(code);
}

SECURITY_STATUS kerberos_proxy_ticket(krb5_context context, const struct kerberos_proxy *proxy,
                                      struct kerberos_ticket *ticket)
{
    struct kerberos_logon *logon;
    AP_REQ request;
    size_t used;
    if (time(NULL) >= proxy->endtime) return SEC_E_NO_CREDENTIALS;
    if (decode_AP_REQ(proxy->request.data, proxy->request.size, &request, &used)) return SEC_E_INTERNAL_ERROR;
    SECURITY_STATUS status = log_on(context, proxy->acceptor, &request.ticket, &logon);
    if (status == SEC_E_OK) {
        status = ask_as(context, logon, proxy, &request.ticket, ticket);
        kerberos_logon_release(context, logon);
    }
    free_AP_REQ(&request);
    return status;
}
