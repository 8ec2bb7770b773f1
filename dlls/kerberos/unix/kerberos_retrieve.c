/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One ticket, from the user's cache or from the KDC. The KDC is asked with a copy of the cache in memory, so that
 * Heimdal, which keeps what it gets, writes nothing into the user's.
 */
#include "kerberos_cache.h"

static krb5_boolean is_any(krb5_context context, void *argument, const krb5_creds *creds)
{
    (void)argument;
    return kerberos_is_ticket(context, creds);
}

static krb5_boolean is_tgt(krb5_context context, void *argument, const krb5_creds *creds)
{
    (void)argument;
    return kerberos_is_ticket(context, creds) && kerberos_is_tgs(context, creds->server);
}

/* The caller destroys *copy, also after failure. */
static krb5_error_code copy_cache(const struct kerberos_cache *cache, bool tgts_alone, krb5_ccache *copy)
{
    krb5_error_code code = krb5_cc_new_unique(cache->context, "MEMORY", NULL, copy);
    if (code) return code;
    return krb5_cc_copy_match_f(cache->context, cache->logon.ccache, *copy, tgts_alone ? is_tgt : is_any, NULL, NULL);
}

static krb5_error_code make_options(krb5_context context, const struct kerberos_request *request,
                                    krb5_get_creds_opt *options)
{
    krb5_error_code code = krb5_get_creds_opt_alloc(context, options);
    if (code) return code;
    if (request->etype) krb5_get_creds_opt_set_enctype(context, *options, request->etype);
    if (request->retrieve & CS_RETRIEVE_FORWARDABLE)
        krb5_get_creds_opt_add_options(context, *options, KRB5_GC_FORWARDABLE);
    return 0;
}

/* From the copy if it may come from there, else from the KDC: *fresh. */
static krb5_error_code get(const struct kerberos_cache *cache, const struct kerberos_request *request, krb5_ccache copy,
                           krb5_const_principal server, krb5_creds **creds, bool *fresh)
{
    krb5_get_creds_opt options = NULL;
    krb5_error_code code = make_options(cache->context, request, &options);
    if (code) return code;
    krb5_get_creds_opt_add_options(cache->context, options, KRB5_GC_CACHED);
    code = krb5_get_creds(cache->context, options, copy, server, creds);
    krb5_get_creds_opt_free(cache->context, options);
    *fresh = code && !(request->retrieve & CS_RETRIEVE_CACHED);
    if (!*fresh) return code;
    options = NULL;
    code = make_options(cache->context, request, &options);
    if (!code) code = krb5_get_creds(cache->context, options, copy, server, creds);
    if (options) krb5_get_creds_opt_free(cache->context, options);
    return code;
}

/* A ticket for the same service makes room for it. */
static krb5_error_code keep(const struct kerberos_cache *cache, krb5_creds *creds)
{
    krb5_creds old = {.client = creds->client, .server = creds->server};
    krb5_cc_remove_cred(cache->context, cache->logon.ccache, 0, &old);
    return krb5_cc_store_cred(cache->context, cache->logon.ccache, creds);
}

static krb5_error_code service_ticket(const struct kerberos_cache *cache, const struct kerberos_request *request,
                                      const struct kerberos_wanted *wanted, krb5_creds **creds)
{
    krb5_ccache copy = NULL;
    bool fresh = false;
    if (request->etype && !kerberos_allows(cache->context, request->etype)) return KRB5_PROG_ETYPE_NOSUPP;
    krb5_set_kdc_sec_offset(cache->context, (int32_t)cache->logon.offset, -1);
    krb5_error_code code = copy_cache(cache, (request->retrieve & CS_RETRIEVE_NEW) != 0, &copy);
    if (!code) code = get(cache, request, copy, wanted->server, creds, &fresh);
    if (!code) code = kerberos_check_wanted(cache->context, wanted, *creds);
    if (!code && fresh && !kerberos_allows(cache->context, (*creds)->session.keytype)) code = KRB5_PROG_ETYPE_NOSUPP;
    if (!code && fresh && (request->retrieve & CS_RETRIEVE_KEEP)) code = keep(cache, *creds);
    if (copy) krb5_cc_destroy(cache->context, copy);
    return code;
}

static SECURITY_STATUS for_service(const struct kerberos_cache *cache, const struct kerberos_request *request,
                                   krb5_creds **creds)
{
    struct kerberos_wanted wanted;
    SECURITY_STATUS status = kerberos_target(cache->context, request->server, cache->logon.client, &wanted);
    if (status) return status;
    status = kerberos_status(service_ticket(cache, request, &wanted, creds));
    krb5_free_principal(cache->context, wanted.server);
    return status;
}

static SECURITY_STATUS own_tgt(const struct kerberos_cache *cache, krb5_creds **creds)
{
    krb5_creds wanted = {.client = cache->logon.client}, found = {0};
    krb5_ccache copy = NULL;
    const char *realm = krb5_principal_get_realm(cache->context, cache->logon.client);
    krb5_error_code code = krb5_make_principal(cache->context, &wanted.server, realm, KRB5_TGS_NAME, realm, NULL);
    if (!code) code = copy_cache(cache, true, &copy);
    if (!code) code = krb5_cc_retrieve_cred(cache->context, copy, 0, &wanted, &found);
    if (!code) code = krb5_copy_creds(cache->context, &found, creds);
    krb5_free_cred_contents(cache->context, &found);
    if (copy) krb5_cc_destroy(cache->context, copy);
    if (wanted.server) krb5_free_principal(cache->context, wanted.server);
    return kerberos_status(code);
}

static SECURITY_STATUS write_answer(const struct kerberos_cache *cache, const struct kerberos_request *request,
                                    const krb5_creds *creds, struct kerberos_answer *answer)
{
    struct kerberos_writing writing = {.count = 0};
    const bool with_key =
        !kerberos_is_tgs(cache->context, creds->server) || (request->retrieve & CS_RETRIEVE_TGT_KEY) != 0;
    kerberos_write_ticket(cache, creds, with_key ? KERBEROS_WHOLE : KERBEROS_ZERO_KEY,
                          (request->retrieve & CS_RETRIEVE_AS_CRED) != 0, &writing);
    return kerberos_finish_answer(&writing, answer);
}

SECURITY_STATUS kerberos_retrieve(const struct kerberos_request *request, struct kerberos_answer *answer)
{
    const struct cs_policy policy = cs_default_policy();
    const struct kerberos_patience patience = kerberos_patience_of(&policy);
    struct kerberos_cache cache;
    struct kerberos_wait wait;
    krb5_creds *creds = NULL;
    kerberos_wait_begin(&wait, &patience);
    SECURITY_STATUS status = kerberos_status(kerberos_cache_open(request, &cache));
    if (status == SEC_E_OK)
        status = request->server.size ? for_service(&cache, request, &creds) : own_tgt(&cache, &creds);
    kerberos_wait_end(&wait);
    if (status == SEC_E_OK) status = write_answer(&cache, request, creds, answer);
    if (creds) krb5_free_creds(cache.context, creds);
    kerberos_cache_close(&cache);
    return status;
}
