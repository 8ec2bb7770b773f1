/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Asking KDCs, and the user's credential cache.
 */
#include "kerberos_tickets.h"

#include <krb5_err.h>
#include <time.h>

krb5_error_code kerberos_open_user_cache(krb5_context context, struct kerberos_logon *logon)
{
    logon->own = false;
    krb5_error_code code = krb5_cc_default(context, &logon->ccache);
    if (!code) code = krb5_cc_get_principal(context, logon->ccache, &logon->client);
    if (!code) krb5_cc_get_kdc_offset(context, logon->ccache, &logon->offset);
    return code;
}

bool kerberos_stamp_user_cache(krb5_context context, struct kerberos_stamp *stamp)
{
    const char *name = krb5_cc_default_name(context);
    return name && kerberos_stamp(name, stamp);
}

/* What the KDC said of its clock on the way, by which the cache's tickets are to be judged. */
static void note_offset(krb5_context context, struct kerberos_logon *logon)
{
    int32_t seconds = 0, microseconds = 0;
    krb5_get_kdc_sec_offset(context, &seconds, &microseconds);
    logon->offset = seconds;
    krb5_cc_set_kdc_offset(context, logon->ccache, seconds);
}

static krb5_error_code store_logon(krb5_context context, krb5_creds *creds, struct kerberos_logon *logon)
{
    krb5_error_code code = krb5_cc_new_unique(context, "MEMORY", NULL, &logon->ccache);
    if (code) return code;
    logon->own = true;
    logon->expiry = creds->times.endtime;
    code = krb5_cc_initialize(context, logon->ccache, creds->client);
    if (!code) code = krb5_cc_store_cred(context, logon->ccache, creds);
    if (!code) code = krb5_copy_principal(context, creds->client, &logon->client);
    if (!code) note_offset(context, logon);
    return code;
}

/* What an AS exchange proves who asks with: one of the two. */
struct secret {
    const char *password;
    krb5_keytab keytab;
};

/*
 * Without a prompter nothing asks the terminal, for a new password least of all. FAST without a ticket to armor with
 * changes nothing in the requests, but for one: else Heimdal sends a password that the KDC has refused once more, in
 * the belief that it was FAST that failed (7.8, krb5_init_creds_step). A domain counts two bad logons then, and locks
 * the account after half as many as its policy says.
 */
static krb5_error_code run_exchange(krb5_context context, krb5_principal client, const struct secret *secret,
                                    krb5_get_init_creds_opt *options, krb5_creds *creds)
{
    krb5_init_creds_context exchange = NULL;
    krb5_error_code code = krb5_init_creds_init(context, client, NULL, NULL, 0, options, &exchange);
    if (!code) code = krb5_init_creds_set_fast_ccache(context, exchange, NULL);
    if (!code && secret->password) code = krb5_init_creds_set_password(context, exchange, secret->password);
    if (!code && secret->keytab) code = krb5_init_creds_set_keytab(context, exchange, secret->keytab);
    if (!code) code = krb5_init_creds_get(context, exchange);
    if (!code) code = krb5_init_creds_get_creds(context, exchange, creds);
    if (exchange) krb5_init_creds_free(context, exchange);
    return code;
}

static krb5_error_code ask(krb5_context context, krb5_principal client, const struct secret *secret, bool forwardable,
                           krb5_creds *creds)
{
    krb5_get_init_creds_opt *options = NULL;
    krb5_error_code code = krb5_get_init_creds_opt_alloc(context, &options);
    if (code) return code;
    krb5_get_init_creds_opt_set_forwardable(options, forwardable);
    code = krb5_get_init_creds_opt_set_addressless(context, options, TRUE);
    if (!code && client->name.name_type == KRB5_NT_ENTERPRISE_PRINCIPAL)
        code = krb5_get_init_creds_opt_set_canonicalize(context, options, TRUE);
    if (!code) code = run_exchange(context, client, secret, options, creds);
    krb5_get_init_creds_opt_free(context, options);
    return code;
}

/* Heimdal's KDC refuses the whole ticket to a user who may have none that can be forwarded. */
static krb5_error_code ask_as(krb5_context context, krb5_principal client, const struct secret *secret,
                              krb5_creds *creds)
{
    krb5_error_code code = ask(context, client, secret, true, creds);
    if (code == KRB5KDC_ERR_POLICY || code == KRB5KDC_ERR_BADOPTION) code = ask(context, client, secret, false, creds);
    return code;
}

/* The DNS is not asked for NetBIOS names: a machine in no domain would wait for it at each logon. */
static krb5_error_code ask_by_name(krb5_context context, krb5_principal principal, const struct secret *secret,
                                   krb5_creds *creds)
{
    if (!kerberos_is_realm(context, principal->realm)) return KRB5_REALM_UNKNOWN;
    return ask_as(context, principal, secret, creds);
}

/* Whether the default realm's KDC does not know the UPN, or there is none: its suffix may be a realm after all. */
static bool is_unknown(krb5_error_code code)
{
    return code == KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN || code == KRB5_KDC_ERR_WRONG_REALM || code == KRB5_KDC_UNREACH;
}

/* A ticket that has ended when it comes: the clocks differ. */
static krb5_error_code check_end(const struct kerberos_logon *logon, const krb5_creds *creds)
{
    return time(NULL) + logon->offset < creds->times.endtime ? 0 : KRB5KRB_AP_ERR_SKEW;
}

/* Takes the ticket that was asked for with CODE as the answer; CREDS are freed. */
static krb5_error_code take_logon(krb5_context context, krb5_error_code code, krb5_creds *creds,
                                  struct kerberos_logon *logon)
{
    if (!code && !kerberos_allows(context, creds->session.keytype)) code = KRB5KDC_ERR_ETYPE_NOSUPP;
    if (!code) code = store_logon(context, creds, logon);
    if (!code) code = check_end(logon, creds);
    krb5_free_cred_contents(context, creds);
    return code;
}

krb5_error_code kerberos_ask_for_logon(krb5_context context, const struct kerberos_account *account,
                                       struct kerberos_logon *logon)
{
    const struct secret secret = {.password = account->password};
    krb5_creds creds = {0};
    krb5_error_code code = KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN;
    if (account->alias) code = ask_as(context, account->alias, &secret, &creds);
    if (is_unknown(code)) code = ask_by_name(context, account->principal, &secret, &creds);
    return take_logon(context, code, &creds, logon);
}

krb5_error_code kerberos_ask_with_key(krb5_context context, krb5_principal principal, krb5_keytab keytab,
                                      struct kerberos_logon *logon)
{
    const struct secret secret = {.keytab = keytab};
    krb5_creds creds = {0};
    return take_logon(context, ask_by_name(context, principal, &secret, &creds), &creds, logon);
}

/* Whether tickets that may be forwarded can be had with LOGON's ticket-granting ticket. */
static bool is_forwardable(krb5_context context, const struct kerberos_logon *logon)
{
    krb5_creds wanted = {.client = logon->client}, tgt = {0};
    const char *realm = logon->client->realm;
    bool forwardable = false;
    if (krb5_make_principal(context, &wanted.server, realm, KRB5_TGS_NAME, realm, NULL)) return false;
    if (!krb5_cc_retrieve_cred(context, logon->ccache, 0, &wanted, &tgt)) {
        forwardable = tgt.flags.b.forwardable;
        krb5_free_cred_contents(context, &tgt);
    }
    krb5_free_principal(context, wanted.server);
    return forwardable;
}

/* As Windows's, a service ticket may be forwarded, without which no server goes on with it (MS-SFU 3.2.5.2.1). */
static krb5_error_code get_ticket(krb5_context context, const struct kerberos_logon *logon, krb5_const_principal server,
                                  krb5_creds **creds)
{
    krb5_get_creds_opt options;
    krb5_error_code code = krb5_get_creds_opt_alloc(context, &options);
    if (code) return code;
    if (is_forwardable(context, logon)) krb5_get_creds_opt_add_options(context, options, KRB5_GC_FORWARDABLE);
    code = krb5_get_creds(context, options, logon->ccache, server, creds);
    krb5_get_creds_opt_free(context, options);
    return code;
}

krb5_error_code kerberos_ask_for_ticket(krb5_context context, const struct kerberos_logon *logon,
                                        krb5_const_principal server, krb5_creds **creds)
{
    krb5_set_kdc_sec_offset(context, (int32_t)logon->offset, -1);
    krb5_error_code code = get_ticket(context, logon, server, creds);
    if (!code && (code = check_end(logon, *creds))) {
        krb5_free_creds(context, *creds);
        *creds = NULL;
    }
    if (code != KRB5KDC_ERR_PATH_NOT_ACCEPTED) return code;
    /* Heimdal's word for a name too short to be referred. Whether it wants user-to-user is the KDC's to say. */
    const krb5_error_code own = kerberos_ask_directly(context, logon, server, (struct cs_span){NULL, 0}, creds);
    if (!own) krb5_free_creds(context, *creds);
    if (!own) *creds = NULL;
    return own == KRB5KDC_ERR_KDC_ERR_MUST_USE_USER2USER ? own : code;
}

krb5_error_code kerberos_ask_directly(krb5_context context, const struct kerberos_logon *logon,
                                      krb5_const_principal server, struct cs_span tgt, krb5_creds **creds)
{
    krb5_creds wanted = {.client = logon->client,
                         .server = (krb5_principal)(uintptr_t)server,
                         .second_ticket = {tgt.size, (void *)(uintptr_t)tgt.data}};
    const krb5_kdc_flags flags = {.b = {.enc_tkt_in_skey = tgt.size > 0}};
    *creds = NULL;
    krb5_set_kdc_sec_offset(context, (int32_t)logon->offset, -1);
    /* The parameter for a second ticket is one that Heimdal 7.8 does not look at. */
    krb5_error_code code = krb5_get_kdc_cred(context, logon->ccache, flags, NULL, NULL, &wanted, creds);
    if (code) *creds = NULL;
    return code;
}
