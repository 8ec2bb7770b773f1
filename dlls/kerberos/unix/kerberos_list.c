/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The user's tickets, listed and purged.
 */
#include "kerberos_cache.h"
#include "utf16.h"

/* Whether CODE says that the user has no cache, and not that there is something wrong with it. */
static bool is_absent(krb5_error_code code)
{
    return code == KRB5_CC_NOTFOUND || code == KRB5_FCC_NOFILE || code == KRB5_CC_END || code == ENOENT;
}

static krb5_error_code list(const struct kerberos_cache *cache, struct kerberos_writing *writing)
{
    krb5_cc_cursor cursor;
    krb5_creds creds = {0};
    krb5_error_code code = krb5_cc_start_seq_get(cache->context, cache->logon.ccache, &cursor);
    if (code) return code;
    while (!(code = krb5_cc_next_cred(cache->context, cache->logon.ccache, &cursor, &creds))) {
        if (kerberos_is_ticket(cache->context, &creds))
            kerberos_write_ticket(cache, &creds, KERBEROS_LISTED, false, writing);
        krb5_free_cred_contents(cache->context, &creds);
    }
    krb5_free_cred_contents(cache->context, &creds); /* what Heimdal had read of one that is cut off */
    krb5_cc_end_seq_get(cache->context, cache->logon.ccache, &cursor);
    return code == KRB5_CC_END ? 0 : kerberos_cache_error(code);
}

SECURITY_STATUS kerberos_list(const struct kerberos_request *request, struct kerberos_answer *answer)
{
    struct kerberos_writing writing = {.count = 0};
    struct kerberos_cache cache;
    krb5_error_code code = kerberos_cache_open(request, &cache);
    if (!code) code = list(&cache, &writing);
    kerberos_cache_close(&cache);
    if (is_absent(code)) code = 0;
    SECURITY_STATUS status = kerberos_finish_answer(&writing, answer);
    if (!code || status) return status;
    cs_writer_drop(&answer->output);
    return kerberos_status(code);
}

static bool is_same(struct cs_span wanted, const struct cs_writer *name)
{
    return !wanted.size || cs_utf16_same_name(wanted, cs_written(name));
}

static bool has_names(krb5_context context, krb5_const_principal principal, struct cs_span name, struct cs_span realm)
{
    struct cs_writer own_name = {0}, own_realm = {0};
    kerberos_write_parts(context, principal, '/', &own_name);
    const bool same =
        is_same(name, &own_name) &&
        (!realm.size || cs_utf16_of(&own_realm, cs_span_of(krb5_principal_get_realm(context, principal)))) &&
        is_same(realm, &own_realm);
    cs_writer_drop(&own_name);
    cs_writer_drop(&own_realm);
    return same;
}

static krb5_boolean is_wanted(krb5_context context, void *argument, const krb5_creds *creds)
{
    const struct kerberos_request *request = argument;
    return kerberos_is_ticket(context, creds) &&
           has_names(context, creds->server, request->server, request->server_realm) &&
           has_names(context, creds->client, request->client, request->client_realm);
}

/* Removes from CACHE every ticket that is in LISTED. */
static krb5_error_code remove_listed(const struct kerberos_cache *cache, krb5_ccache listed)
{
    krb5_cc_cursor cursor;
    krb5_creds creds;
    krb5_error_code code = krb5_cc_start_seq_get(cache->context, listed, &cursor), removed = 0;
    if (code) return code;
    while (!removed && !(code = krb5_cc_next_cred(cache->context, listed, &cursor, &creds))) {
        removed = krb5_cc_remove_cred(cache->context, cache->logon.ccache, KRB5_TC_MATCH_TIMES_EXACT, &creds);
        if (is_absent(removed)) removed = 0; /* twice in the cache, and gone with the first */
        krb5_free_cred_contents(cache->context, &creds);
    }
    krb5_cc_end_seq_get(cache->context, listed, &cursor);
    return removed || code == KRB5_CC_END ? removed : code;
}

static krb5_error_code purge_some(const struct kerberos_cache *cache, const struct kerberos_request *request)
{
    krb5_ccache listed = NULL;
    krb5_error_code code = krb5_cc_new_unique(cache->context, "MEMORY", NULL, &listed);
    if (code) return code;
    code =
        krb5_cc_copy_match_f(cache->context, cache->logon.ccache, listed, is_wanted, (void *)(uintptr_t)request, NULL);
    if (!code) code = remove_listed(cache, listed);
    krb5_cc_destroy(cache->context, listed);
    return code;
}

static bool names_any(const struct kerberos_request *request)
{
    return request->client.size || request->client_realm.size || request->server.size || request->server_realm.size;
}

SECURITY_STATUS kerberos_purge(const struct kerberos_request *request)
{
    struct kerberos_cache cache;
    krb5_error_code code = kerberos_cache_open(request, &cache);
    if (!code)
        code = names_any(request) ? purge_some(&cache, request)
                                  : krb5_cc_initialize(cache.context, cache.logon.ccache, cache.logon.client);
    kerberos_cache_close(&cache);
    return is_absent(code) ? SEC_E_OK : kerberos_status(code);
}
