/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An identity's tickets: the logon, and the service tickets got with it, which are kept. The lock guards the two lists
 * only; whoever asks a KDC does so with what it holds of its own, and the last answer is kept.
 */
#include "kerberos_tickets.h"
#include "secure.h"
#include "utf16.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KEPT_TICKETS = 64, SPARE_TIME = 60 /* seconds that a kept ticket must still live */ };

bool kerberos_client_init(struct kerberos_client *client, struct kerberos_contexts *contexts)
{
    *client = (struct kerberos_client){.contexts = contexts, .is_default = true};
    return cs_lock_init(&client->lock);
}

static void release_list(krb5_context context, struct kerberos_ticket *tickets)
{
    while (tickets) {
        struct kerberos_ticket *next = tickets->next;
        kerberos_ticket_release(context, tickets);
        tickets = next;
    }
}

void kerberos_client_drop(krb5_context context, struct kerberos_client *client)
{
    release_list(context, client->tickets);
    kerberos_logon_release(context, client->logon);
    kerberos_account_drop(context, &client->account);
    kerberos_proxy_drop(context, &client->proxy);
    pthread_mutex_destroy(&client->lock);
}

void kerberos_logon_drop(krb5_context context, struct kerberos_logon *logon)
{
    if (logon->client) krb5_free_principal(context, logon->client);
    if (logon->ccache && logon->own) krb5_cc_destroy(context, logon->ccache);
    if (logon->ccache && !logon->own) krb5_cc_close(context, logon->ccache);
}

void kerberos_logon_release(krb5_context context, struct kerberos_logon *logon)
{
    if (!logon || __atomic_sub_fetch(&logon->references, 1, __ATOMIC_ACQ_REL)) return;
    kerberos_logon_drop(context, logon);
    free(logon);
}

void kerberos_ticket_release(krb5_context context, struct kerberos_ticket *ticket)
{
    if (!ticket || __atomic_sub_fetch(&ticket->references, 1, __ATOMIC_ACQ_REL)) return;
    cs_span_drop(&ticket->target);
    if (ticket->creds) krb5_free_creds(context, ticket->creds); /* which wipes the session key */
    free(ticket);
}

static krb5_timestamp now_at(krb5_deltat offset)
{
    return time(NULL) + offset;
}

static struct kerberos_logon *kept_logon(struct kerberos_client *client)
{
    struct kerberos_logon *logon = NULL;
    cs_lock(&client->lock);
    /* What was delegated cannot be asked for again: it serves to its end. */
    const krb5_timestamp spare = client->account.principal ? SPARE_TIME : 0;
    if (client->logon && now_at(client->logon->offset) + spare < client->logon->expiry) {
        logon = client->logon;
        __atomic_add_fetch(&logon->references, 1, __ATOMIC_RELAXED);
    }
    cs_unlock(&client->lock);
    return logon;
}

static void keep_logon(krb5_context context, struct kerberos_client *client, struct kerberos_logon *logon)
{
    __atomic_add_fetch(&logon->references, 1, __ATOMIC_RELAXED);
    cs_lock(&client->lock);
    struct kerberos_logon *old = client->logon;
    client->logon = logon;
    cs_unlock(&client->lock);
    kerberos_logon_release(context, old);
}

SECURITY_STATUS kerberos_client_logon(struct kerberos_client *client, krb5_context context,
                                      struct kerberos_logon **logon)
{
    *logon = client->is_default ? NULL : kept_logon(client);
    if (*logon) return SEC_E_OK;
    /* A client's: what it delegated has expired, or it delegated nothing. A proxy's server's is never its own. */
    if (!client->is_default && !client->account.principal) return SEC_E_NO_CREDENTIALS;
    struct kerberos_logon *made = calloc(1, sizeof *made);
    if (!made) return SEC_E_INSUFFICIENT_MEMORY;
    made->references = 1;
    krb5_error_code code = client->is_default ? kerberos_open_user_cache(context, made)
                                              : kerberos_ask_for_logon(context, &client->account, made);
    if (code) {
        kerberos_logon_release(context, made);
        return code == KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN ? STATUS_NO_SUCH_USER : kerberos_status(code);
    }
    if (!client->is_default) keep_logon(context, client, made);
    *logon = made;
    return SEC_E_OK;
}

static bool is_for(const struct kerberos_ticket *ticket, struct cs_span target)
{
    return cs_utf16_same_name(ticket->target, target) &&
           now_at(ticket->offset) + SPARE_TIME < ticket->creds->times.endtime;
}

/* Tickets of a user's cache that has changed since may be somebody else's, or were given up (kdestroy). */
static struct kerberos_ticket *kept_ticket(krb5_context context, struct kerberos_client *client, struct cs_span target,
                                           const struct kerberos_stamp *cache)
{
    struct kerberos_ticket *stale = NULL;
    cs_lock(&client->lock);
    if (!kerberos_same_stamp(cache, &client->cache)) {
        stale = client->tickets;
        client->tickets = NULL;
        client->cache = *cache;
    }
    struct kerberos_ticket *ticket = client->tickets;
    while (ticket && !is_for(ticket, target)) ticket = ticket->next;
    if (ticket) __atomic_add_fetch(&ticket->references, 1, __ATOMIC_RELAXED);
    cs_unlock(&client->lock);
    release_list(context, stale);
    return ticket;
}

/* Takes tickets for the same target, which have expired, off the list, and those beyond its length. */
static struct kerberos_ticket *take_superfluous(struct kerberos_ticket **list, struct cs_span target)
{
    struct kerberos_ticket *taken = NULL;
    unsigned kept = 1;
    while (*list) {
        struct kerberos_ticket *ticket = *list;
        if (kept < KEPT_TICKETS && !cs_utf16_same_name(ticket->target, target)) {
            kept++;
            list = &ticket->next;
            continue;
        }
        *list = ticket->next;
        ticket->next = taken;
        taken = ticket;
    }
    return taken;
}

/* CACHE was the user's before it was read. A ticket that came from the KDC has changed it, and is read there once. */
static void keep_ticket(krb5_context context, struct kerberos_client *client, struct kerberos_ticket *ticket,
                        const struct kerberos_stamp *cache)
{
    struct kerberos_ticket *superfluous = NULL;
    cs_lock(&client->lock);
    if (kerberos_same_stamp(cache, &client->cache)) {
        superfluous = take_superfluous(&client->tickets, ticket->target);
        __atomic_add_fetch(&ticket->references, 1, __ATOMIC_RELAXED);
        ticket->next = client->tickets;
        client->tickets = ticket;
    }
    cs_unlock(&client->lock);
    release_list(context, superfluous);
}

static SECURITY_STATUS ask(krb5_context context, const struct kerberos_logon *logon, struct kerberos_ticket *ticket)
{
    struct kerberos_wanted wanted;
    SECURITY_STATUS status = kerberos_target(context, ticket->target, logon->client, &wanted);
    if (status) return status;
    krb5_error_code code = kerberos_ask_for_ticket(context, logon, wanted.server, &ticket->creds);
    if (!code) code = kerberos_check_wanted(context, &wanted, ticket->creds);
    krb5_free_principal(context, wanted.server);
    ticket->offset = logon->offset;
    if (!code && !kerberos_allows(context, ticket->creds->session.keytype)) code = KRB5KDC_ERR_ETYPE_NOSUPP;
    /* What has expired is the user's ticket-granting ticket: as good as none. */
    return code == KRB5KRB_AP_ERR_TKT_EXPIRED ? SEC_E_NO_CREDENTIALS : kerberos_status(code);
}

static SECURITY_STATUS ask_for_own(struct kerberos_client *client, krb5_context context, struct kerberos_ticket *ticket)
{
    struct kerberos_logon *logon;
    SECURITY_STATUS status = kerberos_client_logon(client, context, &logon);
    if (status) return status;
    status = ask(context, logon, ticket);
    kerberos_logon_release(context, logon);
    return status;
}

static SECURITY_STATUS new_ticket(struct kerberos_client *client, krb5_context context, struct cs_span target,
                                  struct kerberos_ticket **ticket)
{
    SECURITY_STATUS status = SEC_E_INSUFFICIENT_MEMORY;
    struct kerberos_ticket *made = calloc(1, sizeof *made);
    if (made) made->references = 1;
    if (made && cs_span_copy(&made->target, target))
        status = client->proxy.client ? kerberos_proxy_ticket(context, &client->proxy, made)
                                      : ask_for_own(client, context, made);
    if (status)
        kerberos_ticket_release(context, made);
    else
        *ticket = made;
    return status;
}

SECURITY_STATUS kerberos_client_ticket(struct kerberos_client *client, krb5_context context, struct cs_span target,
                                       struct kerberos_ticket **ticket)
{
    struct kerberos_stamp cache = {0};
    const bool lasts = !client->is_default || kerberos_stamp_user_cache(context, &cache);
    if (!target.size) return SEC_E_TARGET_UNKNOWN;
    *ticket = lasts ? kept_ticket(context, client, target, &cache) : NULL;
    if (*ticket) return SEC_E_OK;
    SECURITY_STATUS status = new_ticket(client, context, target, ticket);
    if (status == SEC_E_OK && lasts) keep_ticket(context, client, *ticket, &cache);
    return status;
}
