/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Heimdal's library contexts. Making one reads krb5.conf, so they are kept; none is ever used by two threads at once.
 */
#include "kerberos.h"
#include "secure.h"

#include <stdlib.h>

static bool is_rc4(krb5_enctype etype)
{
    return etype == KRB5_ENCTYPE_ARCFOUR_HMAC_MD5;
}

static bool is_aes(krb5_enctype etype)
{
    return etype == KRB5_ENCTYPE_AES128_CTS_HMAC_SHA1_96 || etype == KRB5_ENCTYPE_AES256_CTS_HMAC_SHA1_96 ||
           etype == KRB5_ENCTYPE_AES128_CTS_HMAC_SHA256_128 || etype == KRB5_ENCTYPE_AES256_CTS_HMAC_SHA384_192;
}

bool kerberos_allows(krb5_context context, krb5_enctype etype)
{
    if (is_aes(etype)) return true;
    return is_rc4(etype) &&
           krb5_config_get_bool_default(context, NULL, FALSE, "libdefaults", "allow_weak_crypto", NULL);
}

/* What krb5.conf asks for, in its order, without the types that are refused. */
static krb5_error_code restrict_types(krb5_context context)
{
    krb5_enctype *etypes = NULL;
    size_t kept = 0;
    krb5_error_code code = krb5_get_default_in_tkt_etypes(context, KRB5_PDU_NONE, &etypes);
    if (code) return code;
    for (size_t i = 0; etypes[i] != KRB5_ENCTYPE_NULL; i++)
        if (kerberos_allows(context, etypes[i])) etypes[kept++] = etypes[i];
    etypes[kept] = KRB5_ENCTYPE_NULL;
    code = kept ? krb5_set_default_in_tkt_etypes(context, etypes) : KRB5_PROG_ETYPE_NOSUPP;
    krb5_xfree(etypes);
    return code;
}

static krb5_error_code use_places(krb5_context context, const struct kerberos_places *places)
{
    krb5_error_code code = 0;
    if (places->config) {
        char **files = NULL;
        code = krb5_prepend_config_files(places->config, NULL, &files);
        if (!code) code = krb5_set_config_files(context, files);
        if (files) krb5_free_config_files(files);
    }
    if (!code && places->ccache) code = krb5_cc_set_default_name(context, places->ccache);
    return code;
}

krb5_error_code kerberos_open(const struct kerberos_places *places, krb5_context *context)
{
    *context = NULL;
    krb5_error_code code = krb5_init_context(context);
    if (!code) code = kerberos_send_install(*context);
    if (!code) code = use_places(*context, places);
    if (!code) code = restrict_types(*context);
    if (code && *context) krb5_free_context(*context);
    if (code) *context = NULL;
    return code;
}

static void drop_places(struct kerberos_places *places)
{
    free(places->config);
    free(places->ccache);
    free(places->keytab);
}

bool kerberos_contexts_init(struct kerberos_contexts *contexts, struct kerberos_places places)
{
    *contexts = (struct kerberos_contexts){.places = places};
    if (cs_lock_init(&contexts->lock)) return true;
    drop_places(&contexts->places);
    return false;
}

void kerberos_contexts_drop(struct kerberos_contexts *contexts)
{
    while (contexts->count) krb5_free_context(contexts->idle[--contexts->count]);
    drop_places(&contexts->places);
    pthread_mutex_destroy(&contexts->lock);
}

krb5_error_code kerberos_borrow(struct kerberos_contexts *contexts, krb5_context *context)
{
    *context = NULL;
    cs_lock(&contexts->lock);
    if (contexts->count) *context = contexts->idle[--contexts->count];
    cs_unlock(&contexts->lock);
    return *context ? 0 : kerberos_open(&contexts->places, context);
}

/* The clock of a KDC belongs to its tickets, not to the thread that comes next. */
void kerberos_give_back(struct kerberos_contexts *contexts, krb5_context context)
{
    krb5_clear_error_message(context);
    krb5_set_kdc_sec_offset(context, 0, 0);
    cs_lock(&contexts->lock);
    const bool kept = contexts->count < sizeof contexts->idle / sizeof *contexts->idle;
    if (kept) contexts->idle[contexts->count++] = context;
    cs_unlock(&contexts->lock);
    if (!kept) krb5_free_context(context);
}
