/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Delegation: a forwarded ticket-granting ticket, sent in the authenticator's checksum as a KRB-CRED (RFC 4121 4.1.1).
 */
#include "kerberos.h"
#include "kerberos_tickets.h"

#include <krb5_err.h>
#include <stdlib.h>
#include <string.h>

/* A context of Heimdal's for KRB-CRED: neither times nor addresses nor sequence numbers are wanted in it. */
static krb5_error_code open_auth(krb5_context context, const struct kerberos_exchange *exchange,
                                 krb5_auth_context *auth)
{
    krb5_error_code code = krb5_auth_con_init(context, auth);
    if (!code) code = krb5_auth_con_setflags(context, *auth, 0);
    if (!code) code = krb5_auth_con_setkey(context, *auth, (krb5_keyblock *)(uintptr_t)&exchange->session_key);
    return code;
}

static krb5_error_code forward(krb5_context context, const struct kerberos_exchange *exchange,
                               const struct kerberos_logon *logon, krb5_data *message)
{
    krb5_auth_context auth = NULL;
    krb5_creds wanted = {.client = logon->client};
    const krb5_kdc_flags flags = {.b = {.forwarded = 1, .forwardable = 1}};
    krb5_error_code code = open_auth(context, exchange, &auth);
    if (!code)
        code = krb5_make_principal(context, &wanted.server, logon->client->realm, KRB5_TGS_NAME, logon->client->realm,
                                   NULL);
    /* Without a host name the ticket is good at every address, as those of today are. */
    if (!code) code = krb5_get_forwarded_creds(context, auth, logon->ccache, flags.i, NULL, &wanted, message);
    if (wanted.server) krb5_free_principal(context, wanted.server);
    if (auth) krb5_auth_con_free(context, auth);
    return code;
}

void kerberos_forward(krb5_context context, const struct kerberos_exchange *exchange, struct kerberos_client *client,
                      struct cs_writer *output)
{
    struct kerberos_logon *logon;
    krb5_data message = {0, NULL};
    if (!exchange->ticket->creds->flags.b.ok_as_delegate) return;
    if (kerberos_client_logon(client, context, &logon)) return;
    /* The user's cache may have become another user's since the service ticket was got (bug class E5). */
    const bool same = krb5_principal_compare(context, logon->client, exchange->ticket->creds->client);
    if (same && !forward(context, exchange, logon, &message) && message.length <= UINT16_MAX)
        cs_write_span(output, (struct cs_span){message.data, message.length});
    krb5_data_free(&message);
    kerberos_logon_release(context, logon);
}

/* A cache in memory for what CLIENT delegates. */
static krb5_error_code make_cache(krb5_context context, krb5_const_principal client, struct kerberos_logon *logon)
{
    krb5_error_code code = krb5_cc_new_unique(context, "MEMORY", NULL, &logon->ccache);
    if (code) return code;
    logon->own = true;
    code = krb5_copy_principal(context, client, &logon->client);
    if (!code) code = krb5_cc_initialize(context, logon->ccache, logon->client);
    return code;
}

static krb5_error_code read_delegated(krb5_context context, const struct kerberos_exchange *exchange,
                                      struct cs_span message, struct kerberos_logon *logon)
{
    krb5_auth_context auth = NULL;
    krb5_data data = {message.size, (void *)(uintptr_t)message.data};
    krb5_error_code code = open_auth(context, exchange, &auth);
    if (!code && exchange->subkey.keyvalue.length)
        code = krb5_auth_con_setremotesubkey(context, auth, (krb5_keyblock *)(uintptr_t)&exchange->subkey);
    if (!code) code = krb5_rd_cred2(context, auth, logon->ccache, &data);
    if (auth) krb5_auth_con_free(context, auth);
    return code;
}

/* Until when the delegated tickets are good; 0: there is none (bug class E3). */
static krb5_timestamp expiry_of(krb5_context context, krb5_ccache ccache)
{
    krb5_cc_cursor cursor;
    krb5_creds creds;
    krb5_timestamp expiry = 0;
    if (krb5_cc_start_seq_get(context, ccache, &cursor)) return 0;
    while (!krb5_cc_next_cred(context, ccache, &cursor, &creds)) {
        if (creds.times.endtime > expiry) expiry = creds.times.endtime;
        krb5_free_cred_contents(context, &creds);
    }
    krb5_cc_end_seq_get(context, ccache, &cursor);
    return expiry;
}

bool kerberos_take_delegated(krb5_context context, struct kerberos_exchange *exchange, krb5_const_principal client,
                             struct cs_span message)
{
    struct kerberos_logon *logon = calloc(1, sizeof *logon);
    if (!logon) return false;
    logon->references = 1;
    krb5_error_code code = make_cache(context, client, logon);
    if (!code) code = read_delegated(context, exchange, message, logon);
    if (!code) logon->expiry = expiry_of(context, logon->ccache);
    if (code || !logon->expiry) {
        kerberos_logon_release(context, logon);
        return false;
    }
    kerberos_logon_release(context, exchange->delegated);
    exchange->delegated = logon;
    return true;
}
