/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Both sides' tickets in user-to-user.
 */
#include "kerberos_user_to_user.h"
#include "kerberos_keys.h"
#include "kerberos_tickets.h"
#include "utf16.h"

#include <krb5_err.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The ticket-granting ticket of LOGON's own realm, if it still lives. The caller frees *found. */
static krb5_error_code find_tgt(krb5_context context, const struct kerberos_logon *logon, krb5_creds *found)
{
    krb5_creds wanted = {.client = logon->client, .times = {.endtime = time(NULL) + logon->offset}};
    const char *realm = krb5_principal_get_realm(context, logon->client);
    krb5_error_code code = krb5_make_principal(context, &wanted.server, realm, KRB5_TGS_NAME, realm, NULL);
    if (!code) code = krb5_cc_retrieve_cred(context, logon->ccache, KRB5_TC_MATCH_TIMES, &wanted, found);
    if (wanted.server) krb5_free_principal(context, wanted.server);
    return code;
}

/* Whether the owner of the ticket is who was asked for. A service's name is the KDC's to judge: it knows whose it is.
 */
static bool is_asked_for(krb5_context context, krb5_const_principal wanted, krb5_const_principal owner)
{
    const Principal named = {.name = wanted->name, .realm = owner->realm};
    if (wanted->realm && strcmp(wanted->realm, owner->realm) != 0) return false;
    return wanted->name.name_string.len != 1 || krb5_principal_compare(context, &named, owner);
}

/* A set of one key, which opens the tickets of this exchange and of no other. */
static SECURITY_STATUS keep_key(krb5_context context, struct kerberos_exchange *exchange, const krb5_creds *tgt)
{
    struct kerberos_key_set *set = calloc(1, sizeof *set);
    if (!set) return SEC_E_INSUFFICIENT_MEMORY;
    set->references = 1;
    krb5_error_code code = kerberos_key_set_add(context, set, tgt->client, 0, &tgt->session);
    if (code || !set->count) {
        kerberos_key_set_release(context, set);
        return code ? SEC_E_INSUFFICIENT_MEMORY : SEC_E_NO_CREDENTIALS; /* of a type that is refused */
    }
    exchange->shown = set;
    return SEC_E_OK;
}

static SECURITY_STATUS show(krb5_context context, struct kerberos_exchange *exchange, krb5_const_principal wanted,
                            const struct kerberos_logon *logon, struct cs_writer *output)
{
    krb5_creds tgt = {0};
    SECURITY_STATUS status = kerberos_status(find_tgt(context, logon, &tgt));
    if (status) return status;
    status = is_asked_for(context, wanted, tgt.client) ? keep_key(context, exchange, &tgt) : SEC_E_NO_CREDENTIALS;
    if (status == SEC_E_OK) {
        kerberos_write_tgt_reply((struct cs_span){tgt.ticket.data, tgt.ticket.length}, output);
        exchange->shown_until = tgt.times.endtime - logon->offset;
        exchange->user_to_user = true;
    }
    krb5_free_cred_contents(context, &tgt);
    return status;
}

SECURITY_STATUS kerberos_show_tgt(krb5_context context, struct kerberos_exchange *exchange, krb5_const_principal wanted,
                                  struct cs_writer *output)
{
    struct kerberos_logon *logon;
    SECURITY_STATUS status = kerberos_client_logon(&exchange->credential->client, context, &logon);
    if (status) return status;
    status = show(context, exchange, wanted, logon, output);
    kerberos_logon_release(context, logon);
    return status;
}

static krb5_error_code has_tgt(krb5_context context, const struct kerberos_logon *logon)
{
    krb5_creds tgt = {0};
    krb5_error_code code = find_tgt(context, logon, &tgt);
    krb5_free_cred_contents(context, &tgt);
    return code;
}

SECURITY_STATUS kerberos_request_tgt(krb5_context context, struct kerberos_client *client,
                                     const struct kerberos_exchange *exchange, struct cs_writer *output)
{
    struct kerberos_logon *logon;
    struct kerberos_wanted wanted = {.server = NULL};
    SECURITY_STATUS status = kerberos_client_logon(client, context, &logon);
    if (status) return status;
    status = kerberos_target(context, exchange->target, logon->client, &wanted);
    if (status == SEC_E_OK) status = kerberos_status(has_tgt(context, logon));
    if (status == SEC_E_OK) status = kerberos_status(kerberos_write_tgt_request(context, wanted.server, output));
    if (wanted.server) krb5_free_principal(context, wanted.server);
    kerberos_logon_release(context, logon);
    return status;
}

/*
 * What the KDC says of the acceptor's ticket: that it has expired, is none of its own or not for it. Our own was good
 * when this began.
 */
static bool is_of_their_tgt(krb5_error_code code)
{
    return code == KRB5KRB_AP_ERR_TKT_EXPIRED || code == KRB5KRB_AP_ERR_TKT_NYV || code == KRB5KRB_AP_ERR_TKT_INVALID ||
           code == KRB5KRB_AP_ERR_BAD_INTEGRITY || code == KRB5KRB_AP_ERR_MODIFIED || code == KRB5KRB_AP_ERR_NOKEY ||
           code == KRB5KRB_AP_ERR_NOT_US || code == KRB5KDC_ERR_POLICY || code == KRB5KDC_ERR_BADOPTION;
}

/*
 * Heimdal's KDC puts the owner of the ticket-granting ticket in the place of the server that was asked for, where RFC
 * 4120 3.3.3 wants a refusal: without this comparison whoever answers with a ticket of his own would be the target.
 */
static SECURITY_STATUS check_ticket(krb5_context context, const krb5_creds *creds, krb5_const_principal client,
                                    krb5_const_principal server)
{
    if (!krb5_principal_compare(context, creds->server, server)) return SEC_E_WRONG_PRINCIPAL;
    if (!krb5_principal_compare(context, creds->client, client)) return SEC_E_INTERNAL_ERROR;
    return kerberos_allows(context, creds->session.keytype) ? SEC_E_OK : SEC_E_KDC_UNKNOWN_ETYPE;
}

static SECURITY_STATUS ask(krb5_context context, const struct kerberos_logon *logon, struct cs_span tgt,
                           struct kerberos_ticket *ticket)
{
    struct kerberos_wanted wanted;
    SECURITY_STATUS status = kerberos_target(context, ticket->target, logon->client, &wanted);
    if (status) return status;
    krb5_error_code code = kerberos_ask_directly(context, logon, wanted.server, tgt, &ticket->creds);
    status = is_of_their_tgt(code) ? SEC_E_NO_TGT_REPLY : kerberos_status(code);
    if (status == SEC_E_OK) status = check_ticket(context, ticket->creds, logon->client, wanted.server);
    ticket->offset = logon->offset;
    krb5_free_principal(context, wanted.server);
    return status;
}

SECURITY_STATUS kerberos_user_to_user_ticket(krb5_context context, struct kerberos_client *client,
                                             const struct kerberos_exchange *exchange, struct cs_span reply,
                                             struct kerberos_ticket **ticket)
{
    struct kerberos_logon *logon;
    struct cs_span tgt;
    if (!kerberos_read_tgt_reply(reply, &tgt)) return SEC_E_INVALID_TOKEN;
    SECURITY_STATUS status = kerberos_client_logon(client, context, &logon);
    if (status) return status;
    struct kerberos_ticket *made = calloc(1, sizeof *made);
    if (made) made->references = 1;
    status = made && cs_span_copy(&made->target, exchange->target) ? ask(context, logon, tgt, made)
                                                                   : SEC_E_INSUFFICIENT_MEMORY;
    kerberos_logon_release(context, logon);
    if (status)
        kerberos_ticket_release(context, made);
    else
        *ticket = made;
    return status;
}
